//! The model that answers, and how another takes its place.

use std::{
    error::Error,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
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

    /// The model that should answer after [`Self::roll_back`]; `None` where nothing is kept of earlier ones.
    ///
    /// # Errors
    /// When there is none before the present one or it cannot be read.
    fn former(&self) -> Result<Option<ServedModel>, SourceError>;

    /// Makes the model before this one the one that should answer, wherever that is kept.
    ///
    /// # Errors
    /// When it cannot be done.
    fn roll_back(&self) -> Result<(), SourceError>;
}

/// Why another model does not answer now; the one before goes on.
#[derive(Debug, Error)]
pub enum ReloadError {
    /// It cannot be read.
    #[error("{}", whole(.0))]
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

/// What an error says, and what those say that it came from.
fn whole(error: &SourceError) -> String {
    let (mut words, mut cause) = (error.to_string(), error.source());
    while let Some(own) = cause {
        words = format!("{words}: {own}");
        cause = own.source();
    }
    words
}

/// The model that answers. Requests that have begun with a model end with it.
pub struct ModelSlot {
    current: ArcSwap<ServedModel>,
    source: Box<dyn ModelSource>,
    history: Mutex<History>,
    /// Held while a model is looked for, which can take long: going back does not wait for that.
    looking: Mutex<()>,
}

struct History {
    /// What was last loaded, or refused.
    seen: String,
    /// What could not be read: its checksum, how often, and when it is worth another try.
    unread: Option<(String, u32, Instant)>,
    /// Models that answered before, the latest last.
    former: Vec<Arc<ServedModel>>,
    /// How often somebody went back.
    rollbacks: usize,
}

/// Longest pause between two tries to read a model, as a power of two of seconds.
const LONGEST_PAUSE: u32 = 8;

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
        let history = Mutex::new(History { seen, unread: None, former: Vec::new(), rollbacks: 0 });
        let current = ArcSwap::from_pointee(model);
        Ok(Self { current, source, history, looking: Mutex::default() })
    }

    /// The model that answers now.
    #[must_use]
    pub fn current(&self) -> Arc<ServedModel> {
        self.current.load_full()
    }

    /// Looks whether another model should answer, tries it out and puts it in place; returns whether there
    /// was one. One that was refused is not tried again unless `anew`, nor one that was left by
    /// [`Self::roll_back`].
    ///
    /// # Errors
    /// When it cannot be read or is refused; then the present one goes on.
    pub fn reload(&self, anew: bool) -> Result<bool, ReloadError> {
        let _looking = self.looking.lock().unwrap_or_else(PoisonError::into_inner);
        let rollbacks = self.history().rollbacks;
        let wanted = self.source.wanted().map_err(ReloadError::Source)?;
        if wanted == self.current().identity.checksum {
            self.history().seen = wanted;
            return Ok(false);
        }
        if wanted == self.history().seen && !anew {
            return Ok(false);
        }
        // What cannot be read may be in the making: it is looked at again, ever more rarely, for it may come from far.
        let mut tries = 0;
        if let Some((known, count, again)) = &self.history().unread
            && *known == wanted
        {
            if Instant::now() < *again && !anew {
                return Ok(false);
            }
            tries = *count;
        }
        let model = self.source.load().map_err(|error| {
            let pause = Duration::from_secs(1 << tries.min(LONGEST_PAUSE));
            self.history().unread = Some((wanted, tries + 1, Instant::now() + pause));
            ReloadError::Source(error)
        })?;
        let mut history = self.history();
        history.unread = None;
        if history.rollbacks != rollbacks {
            return Ok(false);
        }
        // What is refused stays so.
        history.seen.clone_from(&model.identity.checksum);
        self.check(&model)?;
        self.put(&mut history, model);
        Ok(true)
    }

    /// Lets the model before this one answer: where the source keeps it, else what is in memory.
    ///
    /// # Errors
    /// When there is none, it cannot be read or must not answer; then the present one goes on, here and where
    /// the source keeps it.
    pub fn roll_back(&self) -> Result<(), ReloadError> {
        if let Some(model) = self.source.former().map_err(ReloadError::Source)? {
            self.check(&model)?;
            self.source.roll_back().map_err(ReloadError::Source)?;
            let mut history = self.history();
            history.rollbacks += 1;
            history.seen.clone_from(&model.identity.checksum);
            self.put(&mut history, model);
            return Ok(());
        }
        let (serving, mut history) = (self.current(), self.history());
        let former = history.former.pop();
        let former = former.ok_or_else(|| ReloadError::NoFormer(serving.version.clone()))?;
        history.rollbacks += 1;
        self.current.store(former);
        Ok(())
    }

    fn history(&self) -> MutexGuard<'_, History> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Refuses a model that must not take the place of the present one.
    fn check(&self, model: &ServedModel) -> Result<(), ReloadError> {
        let old = self.current();
        let checked = model.can_replace(&old).and_then(|()| model.try_out());
        checked.map_err(|reason| ReloadError::Refused {
            version: model.version.clone(),
            reason,
            serving: old.version.clone(),
        })
    }

    fn put(&self, history: &mut History, model: ServedModel) {
        history.former.push(self.current.swap(Arc::new(model)));
        if history.former.len() > FORMER {
            history.former.remove(0);
        }
    }
}
