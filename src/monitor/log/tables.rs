//! The tables of the log.

use sqlx::{AnyConnection, AssertSqlSafe, Executor, Row};

use super::LoggedRow;

/// Rows of one statement: few sizes, so that the database has each prepared.
const ROWS: [usize; 4] = [64, 16, 4, 1];

/// Tables and indices; `{id}` is the kind of column that counts by itself.
const TABLES: [&str; 8] = [
    "CREATE TABLE IF NOT EXISTS models (
        version TEXT PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, target TEXT NOT NULL, unit TEXT NOT NULL,
        level DOUBLE PRECISION NOT NULL, columns TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS predictions (
        id {id}, time BIGINT NOT NULL, request_id TEXT NOT NULL, position BIGINT NOT NULL,
        model TEXT NOT NULL, container TEXT, inputs TEXT NOT NULL,
        prediction DOUBLE PRECISION NOT NULL, lower_bound DOUBLE PRECISION NOT NULL,
        upper_bound DOUBLE PRECISION NOT NULL, out_of_domain BIGINT NOT NULL,
        columns_at_fault TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS truths (
        request_id TEXT NOT NULL, position BIGINT NOT NULL, time BIGINT NOT NULL,
        truth DOUBLE PRECISION NOT NULL, corrected BIGINT, PRIMARY KEY (request_id, position))",
    "CREATE TABLE IF NOT EXISTS told (alarm TEXT PRIMARY KEY, time BIGINT NOT NULL, done BIGINT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS batches (token TEXT PRIMARY KEY, time BIGINT NOT NULL)",
    "CREATE INDEX IF NOT EXISTS predictions_by_model ON predictions (model, id)",
    "CREATE INDEX IF NOT EXISTS predictions_by_request ON predictions (request_id, position)",
    "CREATE INDEX IF NOT EXISTS predictions_by_time ON predictions (time)",
];

/// Makes what is missing, also of a log that an earlier version of the program has made.
pub(super) async fn make(connection: &mut AnyConnection, is_file: bool) -> Result<(), sqlx::Error> {
    let id = if is_file { "INTEGER PRIMARY KEY" } else { "BIGSERIAL PRIMARY KEY" };
    for table in TABLES {
        connection.execute(AssertSqlSafe(table.replace("{id}", id))).await?;
    }
    // Asked first: altering waits for whoever reads, also where there is nothing to alter.
    let known = if is_file {
        "SELECT COUNT(*) FROM pragma_table_info('truths') WHERE name = 'corrected'"
    } else {
        "SELECT COUNT(*) FROM information_schema.columns WHERE table_name = 'truths' \
         AND column_name = 'corrected' AND table_schema = current_schema()"
    };
    let count: i64 = connection.fetch_one(known).await?.try_get(0)?;
    if count == 0 {
        connection.execute("ALTER TABLE truths ADD COLUMN corrected BIGINT").await?;
    }
    Ok(())
}

/// Rows in parts of the sizes in [`ROWS`].
pub(super) fn parts(mut rows: &[LoggedRow]) -> impl Iterator<Item = &[LoggedRow]> {
    std::iter::from_fn(move || {
        let size = ROWS.into_iter().find(|size| *size <= rows.len())?;
        let (part, others) = rows.split_at(size);
        rows = others;
        Some(part)
    })
}

/// The statement that inserts so many rows. `PostgreSQL` wants its places numbered; `SQLite` would take a number for a
/// name, and look for each among all.
pub(super) fn insertion(rows: usize, is_file: bool) -> String {
    const VALUES: usize = 11;
    let places = |row: usize| {
        let place = |own: usize| {
            if is_file { "?".to_owned() } else { format!("${}", row * VALUES + own) }
        };
        let own: Vec<String> = (1..=VALUES).map(place).collect();
        format!("({})", own.join(", "))
    };
    let all: Vec<String> = (0..rows).map(places).collect();
    format!(
        "INSERT INTO predictions (time, request_id, position, model, container, inputs, prediction, lower_bound, \
         upper_bound, out_of_domain, columns_at_fault) VALUES {}",
        all.join(", ")
    )
}
