//! Why the log of predictions cannot be used.

use thiserror::Error;

/// Why the log of predictions cannot be used. Causes stand within the message, before its hint, and nowhere else.
#[derive(Debug, Error)]
pub enum LogError {
    /// The address names no database.
    #[error(
        "`log.url` is `{0}`, expected `sqlite://FILE`, `postgres://USER@HOST/DATABASE` or `none`"
    )]
    Address(String),
    /// The threads that write it do not start.
    #[error("the log of predictions cannot be written: {0}")]
    Thread(std::io::Error),
    /// There is nothing to read.
    #[error(
        "{0}: there is no log of predictions\n\nhint: `massay serve` writes it; `--set log.url=...` names another"
    )]
    Missing(String),
    /// The file of the database cannot be made.
    #[error(
        "{path}: the log of predictions cannot be made there: {cause}\n\nhint: `--set log.url=none` keeps no log"
    )]
    File {
        /// The file.
        path: String,
        /// What the system says.
        cause: std::io::Error,
    },
    /// The file of the database was moved or deleted.
    #[error(
        "{0}: the log of predictions is no longer there\n\nhint: put it back, or start the service anew, which makes \
         another one"
    )]
    Removed(String),
    /// The database does not open, or does not do what it is asked.
    #[error(
        "the log of predictions at {place} {failed}: {cause}\n\nhint: `--set log.url=none` keeps no log"
    )]
    Database {
        /// The database, without a password.
        place: String,
        /// What failed.
        failed: &'static str,
        /// What the database says.
        cause: sqlx::Error,
    },
    /// What stands in the log is none of our words.
    #[error("the log of predictions at {place} holds {found}")]
    Damaged {
        /// The database, without a password.
        place: String,
        /// What was found.
        found: String,
    },
}

impl LogError {
    /// Whether the database takes no rows of this form, however often it is asked: wrong data, a broken constraint, too
    /// large (classes 22, 23 and 54 of `PostgreSQL`, codes 18 to 20 of `SQLite`).
    pub(super) fn is_of_the_rows(&self) -> bool {
        let Self::Database { cause: sqlx::Error::Database(cause), .. } = self else { return false };
        let Some(code) = cause.code() else { return false };
        if code.len() == 5 {
            return ["22", "23", "54"].iter().any(|class| code.starts_with(class));
        }
        code.parse::<u32>().is_ok_and(|code| (18..=20).contains(&(code & 0xff)))
    }
}
