//! What a job refuses to do.

use std::path::PathBuf;

use thiserror::Error;

/// What a job refuses to do.
#[derive(Debug, Error)]
pub enum JobError {
    /// A run or report of this name exists.
    #[error("{path}: exists already\n\nhint: {hint}", path = path.display())]
    Exists {
        /// What exists.
        path: PathBuf,
        /// What to do about it.
        hint: String,
    },
    /// There is nothing to resume.
    #[error("{what}\n\nhint: {hint}")]
    NothingToResume {
        /// What was looked for.
        what: String,
        /// What to do about it.
        hint: String,
    },
    /// There is no report of this run.
    #[error("{}: there is no report of this run\n\nhint: {hint}", folder.display())]
    NothingToReport {
        /// Where it would be.
        folder: PathBuf,
        /// What to do about it.
        hint: String,
    },
    /// The run cannot go on because something changed since it was started.
    #[error("run `{name}` cannot go on: {found}, expected {expected}\n\nhint: {hint}")]
    Changed {
        /// The run.
        name: String,
        /// What was found.
        found: String,
        /// What was expected.
        expected: String,
        /// What to do about it.
        hint: String,
    },
    /// The name cannot be a folder's.
    #[error(
        "run name `{name}` has a character that is not allowed, expected letters, digits, `.`, `_` \
         and `-`, not starting with `.`"
    )]
    Name {
        /// The name.
        name: String,
    },
    /// Somebody asked to stop.
    #[error(
        "interrupted; the state of run `{name}` is saved\n\n\
         hint: go on with `massay {command} --resume --name {name}{flags}`"
    )]
    Interrupted {
        /// The command that started it.
        command: &'static str,
        /// The run.
        name: String,
        /// Flags that are needed to find it, each after a space.
        flags: String,
    },
    /// Somebody asked to stop, and nothing was done.
    #[error("interrupted; nothing has changed by this {what}\n\nhint: start it again")]
    Stopped {
        /// What was under way.
        what: &'static str,
    },
    /// Another process retrains.
    #[error("another process retrains the models of this folder\n\nhint: wait for it or stop it")]
    Retraining,
    /// Another process works on the run.
    #[error("another process works on run `{name}`\n\nhint: wait for it or stop it")]
    Busy {
        /// The run.
        name: String,
    },
}
