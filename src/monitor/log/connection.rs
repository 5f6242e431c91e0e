//! Connections to the database of the log.

use std::{
    hash::{BuildHasher, RandomState},
    io::ErrorKind,
};

use sqlx::{Any, AnyConnection, Connection, Executor, Transaction};

use super::tables::make;

/// Held by who writes into a `PostgreSQL` database; the number is nobody else's.
const LOCK: &str = "SELECT pg_advisory_xact_lock(7310571093)";

/// A name that no other write has, of this process or another.
pub(super) fn new_token() -> String {
    let chance = || RandomState::new().hash_one(std::process::id());
    format!("{:016x}{:016x}", chance(), chance())
}

/// Connects once, to learn why where it fails, and makes the tables or finds that they are there.
pub(super) async fn try_out(
    address: &str,
    is_file: bool,
    may_make: bool,
) -> Result<(), sqlx::Error> {
    let mut connection = AnyConnection::connect(address).await?;
    set_up(&mut connection, is_file).await?;
    // Who only reads may not be allowed more; a log of an earlier version lacks something all the same.
    if may_make || connection.execute("SELECT corrected FROM truths LIMIT 1").await.is_err() {
        let mut transaction = begin(&mut connection, is_file).await?;
        make(&mut transaction, is_file).await?;
        transaction.commit().await?;
    }
    connection.close().await
}

/// Begins to write. Of several services only one writes at a time: numbers of rows become visible in their order, so that
/// who has read up to one has read all before it. A file is held from the start: what begins to read cannot wait for a
/// writer later.
pub(super) async fn begin(
    connection: &mut AnyConnection,
    is_file: bool,
) -> Result<Transaction<'_, Any>, sqlx::Error> {
    if is_file {
        return connection.begin_with("BEGIN IMMEDIATE").await;
    }
    let mut transaction = connection.begin().await?;
    transaction.execute(LOCK).await?;
    Ok(transaction)
}

/// Deletes the rows before a time. Their true values go first: another row of the same id must not inherit one.
pub(super) async fn forget_by(
    connection: &mut AnyConnection,
    time: i64,
    is_file: bool,
) -> Result<u64, sqlx::Error> {
    let mut transaction = begin(connection, is_file).await?;
    let truths = "DELETE FROM truths WHERE (request_id, position) IN \
                  (SELECT p.request_id, p.position FROM predictions p WHERE p.time < $1)";
    sqlx::query(truths).bind(time).execute(&mut *transaction).await?;
    let rows = sqlx::query("DELETE FROM predictions WHERE time < $1").bind(time);
    let gone = rows.execute(&mut *transaction).await?.rows_affected();
    transaction.commit().await?;
    Ok(gone)
}

/// What is said where the database does not.
pub(super) fn silent<T>() -> Result<T, sqlx::Error> {
    Err(sqlx::Error::Io(std::io::Error::new(ErrorKind::TimedOut, "it does not answer")))
}

pub(super) async fn set_up(
    connection: &mut AnyConnection,
    is_file: bool,
) -> Result<(), sqlx::Error> {
    if is_file {
        // Readers do not wait for the writer, and what was written survives a crash of the program. The time first:
        // another program may hold the file at this moment.
        connection.execute("PRAGMA busy_timeout = 10000").await?;
        connection.execute("PRAGMA journal_mode = WAL").await?;
        connection.execute("PRAGMA synchronous = NORMAL").await.map(drop)
    } else {
        // A service that falls silent amid a write keeps the others waiting no longer than that.
        connection.execute("SET lock_timeout = '20s'").await?;
        connection.execute("SET idle_in_transaction_session_timeout = '60s'").await.map(drop)
    }
}
