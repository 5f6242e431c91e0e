//! The database of the log.

use std::{sync::Once, time::Duration};

use sqlx::{
    Any, AnyConnection, AnyPool, AssertSqlSafe, Connection, Executor, Row, Transaction,
    any::AnyPoolOptions,
};
use tokio::time::timeout;

use super::{
    LogError, LoggedModel, LoggedRow, LoggedTruth,
    place::{OpenFile, file_address, without_password},
    record::{model_of, row_of, text_of},
};

/// Longest wait for a connection.
const PATIENCE: Duration = Duration::from_secs(10);

/// Connections at most: one that writes and one that reads. Each has a thread and a cache of its own.
const CONNECTIONS: u32 = 2;

/// Held by who writes into a `PostgreSQL` database; the number is nobody else's.
const LOCK: &str = "SELECT pg_advisory_xact_lock(7310571093)";

/// Rows of one statement: few sizes, so that the database has each prepared.
const ROWS: [usize; 4] = [64, 16, 4, 1];

/// Tables and indices; `{id}` is the kind of column that counts by itself.
const TABLES: [&str; 7] = [
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
        truth DOUBLE PRECISION NOT NULL, PRIMARY KEY (request_id, position))",
    "CREATE TABLE IF NOT EXISTS told (alarm TEXT PRIMARY KEY, time BIGINT NOT NULL, done BIGINT NOT NULL)",
    "CREATE INDEX IF NOT EXISTS predictions_by_model ON predictions (model, id)",
    "CREATE INDEX IF NOT EXISTS predictions_by_request ON predictions (request_id, position)",
    "CREATE INDEX IF NOT EXISTS predictions_by_time ON predictions (time)",
];

/// Everything of rows, with their truths.
const FACTS: &str = "SELECT p.id, p.time, p.request_id, p.position, p.model, p.container, p.inputs, p.prediction, \
                      p.lower_bound, p.upper_bound, p.out_of_domain, p.columns_at_fault, t.truth, t.time";

/// All rows, and rows with a true value, found from their true values.
const ALL: &str = "FROM predictions p LEFT JOIN truths t";
const LABELLED: &str = "FROM truths t JOIN predictions p";

/// Which true value is a row's. Where a client gave one id twice nobody knows which of the rows is meant.
const MATCHED: &str = "ON t.request_id = p.request_id AND t.position = p.position \
                       AND NOT EXISTS (SELECT 1 FROM predictions o WHERE o.request_id = p.request_id \
                       AND o.position = p.position AND o.id <> p.id)";

/// The database of the log.
#[derive(Clone, Debug)]
pub struct LogStore {
    pool: AnyPool,
    place: String,
    is_file: bool,
    /// Where the database is a file: which.
    file: Option<OpenFile>,
}

/// The true values of a log, so far as that tells whether there are others since: one is added, corrected or deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct KnownTruths {
    /// How many there are.
    pub count: i64,
    /// Their sum.
    pub sum: f64,
}

/// Which rows are wanted.
#[derive(Clone, Debug, Default)]
pub struct LogQuery {
    /// Rows of this version of a model only.
    pub model: Option<String>,
    /// Rows with a larger number only; see [`LoggedRow::id`].
    pub after: i64,
    /// Rows from this time on, milliseconds since 1970 (UTC).
    pub since: i64,
    /// Rows whose true value is known only.
    pub labelled: bool,
    /// The first of them, so many at most; `None` for all.
    pub most: Option<i64>,
}

impl LogStore {
    /// Opens the database and makes its tables where they are missing.
    ///
    /// # Errors
    /// When the address names no database, or it does not open.
    pub async fn open(url: &str) -> Result<Self, LogError> {
        Self::open_or_make(url, true).await
    }

    /// Opens a database that is there, to be read.
    ///
    /// # Errors
    /// As [`Self::open`], and where there is no file.
    pub async fn open_existing(url: &str) -> Result<Self, LogError> {
        Self::open_or_make(url, false).await
    }

    async fn open_or_make(url: &str, may_make: bool) -> Result<Self, LogError> {
        static DRIVERS: Once = Once::new();
        DRIVERS.call_once(sqlx::any::install_default_drivers);
        let is_file = url.starts_with("sqlite:");
        if !is_file && !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err(LogError::Address(without_password(url)));
        }
        let place = without_password(url);
        let failed =
            |cause| LogError::Database { place: place.clone(), failed: "does not open", cause };
        let address = if is_file { file_address(url, may_make)? } else { url.to_owned() };
        let options = AnyPoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(PATIENCE);
        let options = options.after_connect(move |connection, _| {
            Box::pin(async move { if is_file { set_up_file(connection).await } else { Ok(()) } })
        });
        // The pool tries again for as long as it may, and then does not know why.
        let tried = timeout(PATIENCE, try_out(&address, is_file)).await;
        tried.unwrap_or(Err(sqlx::Error::PoolTimedOut)).map_err(failed)?;
        let pool = options.connect(&address).await.map_err(failed)?;
        let id = if is_file { "INTEGER PRIMARY KEY" } else { "BIGSERIAL PRIMARY KEY" };
        let mut own = Self { pool, place: place.clone(), is_file, file: None };
        let mut transaction = own.begin().await.map_err(failed)?;
        for table in TABLES {
            let statement = AssertSqlSafe(table.replace("{id}", id));
            transaction.execute(statement).await.map_err(failed)?;
        }
        transaction.commit().await.map_err(failed)?;
        own.file = if is_file { OpenFile::of(url) } else { None };
        Ok(own)
    }

    /// A transaction. Of several services only one writes at a time: numbers of rows become visible in their order, so
    /// that who has read up to one has read all before it.
    async fn begin(&self) -> Result<Transaction<'static, Any>, sqlx::Error> {
        let mut transaction = self.pool.begin().await?;
        if !self.is_file {
            transaction.execute(LOCK).await?;
        }
        Ok(transaction)
    }

    /// Closes it, after what is under way.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// Writes models, rows and truths, all of them or none. A model that is known stays as it is, a
    /// truth that was told before is replaced.
    ///
    /// # Errors
    /// When the database does not take them.
    pub async fn append(
        &self,
        models: &[LoggedModel],
        rows: &[LoggedRow],
        truths: &[LoggedTruth],
    ) -> Result<(), LogError> {
        self.file.as_ref().map_or(Ok(()), OpenFile::refuse_removed)?;
        let failed = |source| self.failed("takes no rows", source);
        let mut connection = self.pool.acquire().await.map_err(failed)?;
        let written = self.append_by(&mut connection, models, rows, truths).await;
        if written.is_err() {
            // A database may have ended the transaction by itself, e.g. when its disk is full. The connection does not
            // know that: whatever it wrote later would be lost.
            let _ = connection.close().await;
        }
        written.map_err(failed)
    }

    async fn append_by(
        &self,
        connection: &mut AnyConnection,
        models: &[LoggedModel],
        rows: &[LoggedRow],
        truths: &[LoggedTruth],
    ) -> Result<(), sqlx::Error> {
        let mut transaction = connection.begin().await?;
        if !self.is_file {
            transaction.execute(LOCK).await?;
        }
        for model in models {
            let statement = "INSERT INTO models (version, name, checksum, target, unit, level, columns) \
                             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (version) DO NOTHING";
            let query = sqlx::query(statement).bind(&model.version).bind(&model.name);
            let query = query.bind(&model.checksum);
            let columns = serde_json::Value::from(model.columns.clone()).to_string();
            let query = query.bind(&model.target).bind(&model.unit).bind(model.level).bind(columns);
            query.execute(&mut *transaction).await?;
        }
        for rows in parts(rows) {
            let mut query = sqlx::query(AssertSqlSafe(insertion(rows.len(), self.is_file)));
            for row in rows {
                query = query.bind(row.time).bind(&row.request_id).bind(row.position);
                query = query.bind(&row.model).bind(&row.container).bind(text_of(&row.inputs));
                query = query.bind(row.prediction).bind(row.lower).bind(row.upper);
                query = query.bind(i64::from(row.out_of_domain)).bind(&row.columns_at_fault);
            }
            query.execute(&mut *transaction).await?;
        }
        for own in truths {
            let statement = "INSERT INTO truths (request_id, position, time, truth) VALUES ($1, $2, $3, $4) \
                             ON CONFLICT (request_id, position) DO UPDATE SET truth = $4";
            let query = sqlx::query(statement).bind(&own.request_id).bind(own.position);
            let query = query.bind(own.time).bind(own.truth);
            query.execute(&mut *transaction).await?;
        }
        transaction.commit().await
    }

    /// The models that have served, in no order.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn models(&self) -> Result<Vec<LoggedModel>, LogError> {
        let statement = "SELECT version, checksum, target, unit, level, columns, name FROM models";
        let rows = sqlx::query(statement).fetch_all(&self.pool).await;
        let rows = rows.map_err(|source| self.failed("cannot be read", source))?;
        rows.iter().map(|row| model_of(row).map_err(|own| self.damaged(own))).collect()
    }

    /// Rows in the order in which they were written.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn rows(&self, query: &LogQuery) -> Result<Vec<LoggedRow>, LogError> {
        // What is not asked for does not stand in the statement, so that the index of what is asked for is used.
        let tables = if query.labelled { LABELLED } else { ALL };
        let of_model = if query.model.is_some() { "AND p.model = $4" } else { "" };
        let statement = format!(
            "{FACTS} {tables} {MATCHED} WHERE p.id > $1 AND p.time >= $2 {of_model} \
             ORDER BY p.id LIMIT $3"
        );
        let rows = sqlx::query(AssertSqlSafe(statement)).bind(query.after).bind(query.since);
        let rows = rows.bind(query.most.unwrap_or(i64::MAX));
        let rows = match &query.model {
            Some(model) => rows.bind(model),
            None => rows,
        };
        let rows = rows
            .fetch_all(&self.pool)
            .await
            .map_err(|source| self.failed("cannot be read", source))?;
        rows.iter().map(|row| row_of(row).map_err(|own| self.damaged(own))).collect()
    }

    /// Which true values there are, of all models.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn truths(&self) -> Result<KnownTruths, LogError> {
        let statement = "SELECT COUNT(*), COALESCE(SUM(truth), 0.0) FROM truths";
        let failed = |source| self.failed("cannot be read", source);
        let row = sqlx::query(statement).fetch_one(&self.pool).await.map_err(failed)?;
        let count = row.try_get(0).map_err(failed)?;
        Ok(KnownTruths { count, sum: row.try_get(1).map_err(failed)? })
    }

    /// The rows that a request had at a position: one, none, or several where its client gave one id twice.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn of_request(&self, id: &str, position: i64) -> Result<Vec<LoggedRow>, LogError> {
        let statement = format!(
            "{FACTS} {ALL} {MATCHED} WHERE p.request_id = $1 AND p.position = $2 ORDER BY p.id LIMIT 2"
        );
        let rows = sqlx::query(AssertSqlSafe(statement)).bind(id).bind(position);
        let rows = rows.fetch_all(&self.pool).await;
        let rows = rows.map_err(|source| self.failed("cannot be read", source))?;
        rows.iter().map(|row| row_of(row).map_err(|own| self.damaged(own))).collect()
    }

    /// Takes it upon the caller to tell of an alarm, for three minutes from `now` (milliseconds since 1970) on: whoever
    /// dies meanwhile leaves it to others. `None` where it was told, `false` where somebody else is about to.
    ///
    /// # Errors
    /// When the database does not keep it.
    pub async fn claim(&self, alarm: &str, now: i64) -> Result<Option<bool>, LogError> {
        const LEASE: i64 = 180_000;
        let failed = |source| self.failed("keeps nothing", source);
        let insert = "INSERT INTO told (alarm, time, done) VALUES ($1, $2, 0) ON CONFLICT (alarm) \
                      DO UPDATE SET time = $2 WHERE told.done = 0 AND told.time < $3";
        let insert = sqlx::query(insert).bind(alarm).bind(now).bind(now - LEASE);
        if insert.execute(&self.pool).await.map_err(failed)?.rows_affected() > 0 {
            return Ok(Some(true));
        }
        let done = sqlx::query("SELECT done FROM told WHERE alarm = $1").bind(alarm);
        let done = done.fetch_optional(&self.pool).await.map_err(failed)?;
        let done: i64 = done.map_or(Ok(0), |row| row.try_get(0)).map_err(failed)?;
        Ok((done == 0).then_some(false))
    }

    /// An alarm was told.
    ///
    /// # Errors
    /// When the database does not keep it.
    pub async fn settle(&self, alarm: &str) -> Result<(), LogError> {
        let update = sqlx::query("UPDATE told SET done = 1 WHERE alarm = $1").bind(alarm);
        let update = update.execute(&self.pool).await;
        update.map(drop).map_err(|source| self.failed("keeps nothing", source))
    }

    /// Deletes what is older than a time; returns how many rows that were.
    ///
    /// # Errors
    /// When the database does not do it.
    pub async fn forget_before(&self, time: i64) -> Result<u64, LogError> {
        let failed = |source| self.failed("deletes nothing", source);
        let delete = sqlx::query("DELETE FROM predictions WHERE time < $1").bind(time);
        let gone = delete.execute(&self.pool).await.map_err(failed)?.rows_affected();
        if gone > 0 {
            let truths = "DELETE FROM truths WHERE time < $1 AND NOT EXISTS (SELECT 1 FROM predictions p \
                          WHERE p.request_id = truths.request_id AND p.position = truths.position)";
            sqlx::query(truths).bind(time).execute(&self.pool).await.map_err(failed)?;
        }
        Ok(gone)
    }

    fn failed(&self, failed: &'static str, cause: sqlx::Error) -> LogError {
        LogError::Database { place: self.place.clone(), failed, cause }
    }

    fn damaged(&self, found: String) -> LogError {
        LogError::Damaged { place: self.place.clone(), found }
    }
}

/// Connects once, to learn why where it fails.
async fn try_out(address: &str, is_file: bool) -> Result<(), sqlx::Error> {
    let mut connection = AnyConnection::connect(address).await?;
    if is_file {
        set_up_file(&mut connection).await?;
    }
    connection.close().await
}

/// Readers do not wait for the writer, and what was written survives a crash of the program.
async fn set_up_file(connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    // The time first: another program may hold the file at this moment.
    connection.execute("PRAGMA busy_timeout = 10000").await?;
    connection.execute("PRAGMA journal_mode = WAL").await?;
    connection.execute("PRAGMA synchronous = NORMAL").await.map(drop)
}

/// Rows in parts of the sizes in [`ROWS`].
fn parts(mut rows: &[LoggedRow]) -> impl Iterator<Item = &[LoggedRow]> {
    std::iter::from_fn(move || {
        let size = ROWS.into_iter().find(|size| *size <= rows.len())?;
        let (part, others) = rows.split_at(size);
        rows = others;
        Some(part)
    })
}

/// The statement that inserts so many rows. `PostgreSQL` wants its places numbered; `SQLite` would take a number for a
/// name, and look for each among all.
fn insertion(rows: usize, is_file: bool) -> String {
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
