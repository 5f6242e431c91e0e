//! The database of the log.

use std::{sync::Once, time::Duration};

use sqlx::{
    Any, AnyConnection, AnyPool, AssertSqlSafe, Row, any::AnyPoolOptions, pool::PoolConnection,
};
use tokio::time::timeout;

use super::{
    LogError, LoggedModel, LoggedRow, LoggedTruth,
    connection::{begin, forget_by, new_token, set_up, silent, try_out},
    place::{OpenFile, file_address, without_password},
    record::{model_of, row_of, text_of},
    tables::{insertion, parts},
};

/// Longest wait for a connection.
const PATIENCE: Duration = Duration::from_secs(10);

/// Longest time for a write: a connection may have fallen silent.
const WRITE_PATIENCE: Duration = Duration::from_secs(30);

/// Longest time for deleting what is too old: the first time that may be most of a log.
const TIDY_PATIENCE: Duration = Duration::from_mins(5);

/// Milliseconds for which it is known which writes came.
const TOKENS: i64 = 3_600_000;

/// Connections at most: one that writes and one that reads. Each has a thread and a cache of its own.
const CONNECTIONS: u32 = 2;

/// Everything of rows, with their truths.
const FACTS: &str = "SELECT p.id, p.time, p.request_id, p.position, p.model, p.container, p.inputs, p.prediction, \
                      p.lower_bound, p.upper_bound, p.out_of_domain, p.columns_at_fault, t.truth, t.time, t.corrected";

/// All rows, and rows with a true value, found from their true values.
const ALL: &str = "FROM predictions p LEFT JOIN truths t";
const LABELLED: &str = "FROM truths t JOIN predictions p";

/// Which true value is a row's: of rows that a client gave one id the first one's, where no other had it when the true
/// value came. Else nobody knows which of them is meant, unless they are equal.
const MATCHED: &str = "ON t.request_id = p.request_id AND t.position = p.position \
                       AND NOT EXISTS (SELECT 1 FROM predictions o WHERE o.request_id = p.request_id \
                       AND o.position = p.position AND (o.id < p.id \
                       OR (o.id > p.id AND o.time <= t.time AND o.inputs <> p.inputs)))";

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
    /// When the last of them came or was corrected, milliseconds since 1970 (UTC); 0 where there are none.
    pub last: i64,
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
    /// Of these, those whose true value came or was corrected from this time on, milliseconds since 1970 (UTC).
    pub known_since: Option<i64>,
    /// Whether raw values are left out: they are most of a row.
    pub without_inputs: bool,
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
        let failed = |cause| {
            let failed = if may_make { "does not open" } else { "cannot be read" };
            LogError::Database { place: place.clone(), failed, cause }
        };
        let address = if is_file { file_address(url, may_make)? } else { url.to_owned() };
        let options = AnyPoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(PATIENCE);
        let options =
            options.after_connect(move |connection, _| Box::pin(set_up(connection, is_file)));
        // The pool tries again for as long as it may, and then does not know why.
        let tried = timeout(PATIENCE, try_out(&address, is_file, may_make)).await;
        tried.unwrap_or_else(|_| silent()).map_err(failed)?;
        let pool = options.connect(&address).await.map_err(failed)?;
        let file = if is_file { OpenFile::of(url) } else { None };
        Ok(Self { pool, place, is_file, file })
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
        self.append_once(&new_token(), (models, rows, truths)).await
    }

    /// The same, and nothing where this `token` came before: who has lost the answer of the database can ask again.
    pub(super) async fn append_once(
        &self,
        token: &str,
        own: (&[LoggedModel], &[LoggedRow], &[LoggedTruth]),
    ) -> Result<(), LogError> {
        self.file.as_ref().map_or(Ok(()), OpenFile::refuse_removed)?;
        let mut connection = self.connection("takes no rows").await?;
        let written = timeout(WRITE_PATIENCE, self.append_by(&mut connection, token, own)).await;
        self.settled(connection, "takes no rows", written.unwrap_or_else(|_| silent()))
    }

    async fn append_by(
        &self,
        connection: &mut AnyConnection,
        token: &str,
        (models, rows, truths): (&[LoggedModel], &[LoggedRow], &[LoggedTruth]),
    ) -> Result<(), sqlx::Error> {
        let mut transaction = begin(connection, self.is_file).await?;
        let once =
            "INSERT INTO batches (token, time) VALUES ($1, $2) ON CONFLICT (token) DO NOTHING";
        let once = sqlx::query(once).bind(token).bind(jiff::Timestamp::now().as_millisecond());
        if once.execute(&mut *transaction).await?.rows_affected() == 0 {
            return transaction.rollback().await;
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
                             ON CONFLICT (request_id, position) DO UPDATE SET truth = $4, corrected = $3 \
                             WHERE truths.truth <> $4";
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
        let facts =
            if query.without_inputs { FACTS.replace("p.inputs", "'[]'") } else { FACTS.to_owned() };
        let mut statement = format!("{facts} {tables} {MATCHED} WHERE p.id > $1 AND p.time >= $2");
        if query.model.is_some() {
            statement += " AND p.model = $4";
        }
        if query.known_since.is_some() {
            statement += " AND COALESCE(t.corrected, t.time) >= ";
            statement += if query.model.is_some() { "$5" } else { "$4" };
        }
        statement += " ORDER BY p.id LIMIT $3";
        let mut rows = sqlx::query(AssertSqlSafe(statement)).bind(query.after).bind(query.since);
        rows = rows.bind(query.most.unwrap_or(i64::MAX));
        if let Some(model) = &query.model {
            rows = rows.bind(model);
        }
        if let Some(since) = query.known_since {
            rows = rows.bind(since);
        }
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
        let statement = "SELECT COUNT(*), COALESCE(SUM(truth), 0.0), \
                         COALESCE(MAX(COALESCE(corrected, time)), 0) FROM truths";
        let failed = |source| self.failed("cannot be read", source);
        let row = sqlx::query(statement).fetch_one(&self.pool).await.map_err(failed)?;
        let read = || {
            Ok(KnownTruths { count: row.try_get(0)?, sum: row.try_get(1)?, last: row.try_get(2)? })
        };
        read().map_err(failed)
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

    /// Deletes what is older than a time, with its true values; returns how many rows that were.
    ///
    /// # Errors
    /// When the database does not do it.
    pub async fn forget_before(&self, time: i64) -> Result<u64, LogError> {
        let mut connection = self.connection("deletes nothing").await?;
        let forgotten = forget_by(&mut connection, time, self.is_file);
        let forgotten = timeout(TIDY_PATIENCE, forgotten).await;
        self.settled(connection, "deletes nothing", forgotten.unwrap_or_else(|_| silent()))
    }

    /// Forgets which writes came, but for those that may still be asked again at the time `now`.
    ///
    /// # Errors
    /// When the database does not do it.
    pub(super) async fn forget_batches(&self, now: i64) -> Result<(), LogError> {
        let mut connection = self.connection("deletes nothing").await?;
        let delete = sqlx::query("DELETE FROM batches WHERE time < $1 OR time > $2");
        let delete = delete.bind(now - TOKENS).bind(now + TOKENS).execute(&mut *connection);
        let forgotten = timeout(TIDY_PATIENCE, delete).await.unwrap_or_else(|_| silent());
        self.settled(connection, "deletes nothing", forgotten).map(drop)
    }

    /// The time of the newest row; 0 where there is none.
    pub(super) async fn newest(&self) -> Result<i64, LogError> {
        let failed = |source| self.failed("cannot be read", source);
        let statement = "SELECT COALESCE(MAX(time), 0) FROM predictions";
        let row = sqlx::query(statement).fetch_one(&self.pool).await.map_err(failed)?;
        row.try_get(0).map_err(failed)
    }

    async fn connection(&self, failed: &'static str) -> Result<PoolConnection<Any>, LogError> {
        self.pool.acquire().await.map_err(|source| self.failed(failed, source))
    }

    /// What was done on a connection, which is not used again where it failed. A database may have ended the transaction
    /// by itself, e.g. when its disk is full; the connection does not know that, and whatever it wrote later would be
    /// lost. And where nobody answers any more, nobody says farewell.
    fn settled<T>(
        &self,
        connection: PoolConnection<Any>,
        failed: &'static str,
        done: Result<T, sqlx::Error>,
    ) -> Result<T, LogError> {
        if done.is_err() {
            drop(connection.detach());
        }
        done.map_err(|source| self.failed(failed, source))
    }

    fn failed(&self, failed: &'static str, cause: sqlx::Error) -> LogError {
        LogError::Database { place: self.place.clone(), failed, cause }
    }

    fn damaged(&self, found: String) -> LogError {
        LogError::Damaged { place: self.place.clone(), found }
    }
}
