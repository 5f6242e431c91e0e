//! The model that answers, and how another takes its place.

use std::{
    error::Error,
    sync::{Arc, Mutex, PoisonError},
};

use arc_swap::ArcSwap;
use thiserror::Error;

use super::ServedModel;

/// What went wrong where models come from.
pub type SourceError = Box<dyn Error + Send + Sync>;

/// Where models come from.
pub trait ModelSource: Send + Sync {
    /// The checksum of the model that should answer; quickly, it is asked every few seconds.
    ///
    /// # Errors
    /// When it cannot be told now.
    fn wanted(&self) -> Result<String, SourceError>;

    /// The model that should answer.
    ///
    /// # Errors
    /// When it cannot be read.
    fn load(&self) -> Result<ServedModel, SourceError>;

    /// Makes the model before this one the one that should answer, wherever that is kept; `false` where
    /// nothing is kept.
    ///
    /// # Errors
    /// When it cannot be done.
    fn roll_back(&self) -> Result<bool, SourceError>;
}

/// Why another model does not answer now; the one before goes on.
#[derive(Debug, Error)]
pub enum ReloadError {
    /// It cannot be read.
    #[error("{0}")]
    Source(SourceError),
    /// It must not answer.
    #[error("model {version} is refused: {reason}; {serving} goes on")]
    Refused {
        /// The model.
        version: String,
        /// Why.
        reason: String,
        /// The model that answers.
        serving: String,
    },
    /// There is no model to go back to.
    #[error("no other model has answered before {0}")]
    NoFormer(String),
}

/// The model that answers. Requests that have begun with a model end with it.
pub struct ModelSlot {
    current: ArcSwap<ServedModel>,
    source: Box<dyn ModelSource>,
    history: Mutex<History>,
}

struct History {
    /// What was last loaded, or refused.
    seen: String,
    /// Models that answered before, the latest last.
    former: Vec<Arc<ServedModel>>,
}

/// Models that are kept in memory to go back to.
const FORMER: usize = 2;

impl ModelSlot {
    /// Loads the first model and tries it out.
    ///
    /// # Errors
    /// When it cannot be read or does not predict.
    pub fn open(source: Box<dyn ModelSource>) -> Result<Self, ReloadError> {
        let model = source.load().map_err(ReloadError::Source)?;
        model.try_out().map_err(|reason| ReloadError::Refused {
            version: model.version.clone(),
            reason,
            serving: "nothing".to_owned(),
        })?;
        let seen = model.identity.checksum.clone();
        let history = Mutex::new(History { seen, former: Vec::new() });
        Ok(Self { current: ArcSwap::from_pointee(model), source, history })
    }

    /// The model that answers now.
    #[must_use]
    pub fn current(&self) -> Arc<ServedModel> {
        self.current.load_full()
    }

    /// Looks whether another model should answer, tries it out and puts it in place; returns whether there
    /// was one. One that was refused is not tried again unless `anew`.
    ///
    /// # Errors
    /// When it cannot be read or is refused; then the present one goes on.
    pub fn reload(&self, anew: bool) -> Result<bool, ReloadError> {
        let mut history = self.history.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = self.source.wanted().map_err(ReloadError::Source)?;
        let is_known = wanted == history.seen && !anew;
        if is_known || wanted == self.current().identity.checksum {
            history.seen = wanted;
            return Ok(false);
        }
        let replaced = self.replace(&mut history);
        // What cannot be read may be in the making; what is refused stays so.
        if !matches!(replaced, Err(ReloadError::Source(_))) {
            history.seen = wanted;
        }
        replaced.map(|()| true)
    }

    /// Lets the model before this one answer: where the source keeps it, else what is in memory.
    ///
    /// # Errors
    /// When there is none or it cannot be read; then the present one goes on.
    pub fn roll_back(&self) -> Result<(), ReloadError> {
        let mut history = self.history.lock().unwrap_or_else(PoisonError::into_inner);
        if self.source.roll_back().map_err(ReloadError::Source)? {
            history.seen = self.source.wanted().map_err(ReloadError::Source)?;
            return self.replace(&mut history);
        }
        let serving = self.current();
        let former = history.former.pop();
        let former = former.ok_or_else(|| ReloadError::NoFormer(serving.version.clone()))?;
        self.current.store(former);
        Ok(())
    }

    fn replace(&self, history: &mut History) -> Result<(), ReloadError> {
        let (model, old) = (self.source.load().map_err(ReloadError::Source)?, self.current());
        let checked = model.can_replace(&old).and_then(|()| model.try_out());
        checked.map_err(|reason| ReloadError::Refused {
            version: model.version.clone(),
            reason,
            serving: old.version.clone(),
        })?;
        self.current.store(Arc::new(model));
        history.former.push(old);
        if history.former.len() > FORMER {
            history.former.remove(0);
        }
        Ok(())
    }
}
