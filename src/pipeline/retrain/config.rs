//! When a model is trained again, and when the new one takes over.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// When a model is trained again, and when the new one takes over.
///
/// | name | default | effect |
/// |---|---|---|
/// | `minimum` | 50 | new containers with a true value from which on a retraining is worth its while |
/// | `cooldown_hours` | 24 | hours that pass at least between two retrainings |
/// | `newest` | 0.2 | share of the new containers, the newest, that train neither model and judge both |
/// | `quarantine` | 3 | a true value farther from the champion's prediction than so many half-widths of its interval is set apart |
/// | `repeats` | 3 | repeats of the cross-validation that compares: more of them tell smaller differences |
/// | `significance` | 0.05 | p of the corrected one-sided t test over the folds below which the challenger is better |
/// | `tolerance` | 0.05 | how much larger its error on trusted rows, and on the newest, may be: a share of the champion's |
/// | `anchor` | empty | labelled table that is trusted and never trains; empty: the training rows that feedback did not bring |
/// | `tables` | `data/retrained` | folder of the tables that retraining makes |
/// | `every_hours` | 168 | hours between two retrainings of `massay watch` that no alarm asks for |
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RetrainConfig {
    /// New containers from which on it is worth its while.
    pub minimum: usize,
    /// Hours between two retrainings.
    pub cooldown_hours: f64,
    /// Share of the new containers that only judge.
    pub newest: f64,
    /// Half-widths of an interval beyond which a true value is set apart.
    pub quarantine: f64,
    /// Repeats of the cross-validation that compares.
    pub repeats: usize,
    /// p below which the challenger is better.
    pub significance: f64,
    /// How much larger an error may be, as a share.
    pub tolerance: f64,
    /// Trusted table; empty for the trusted training rows.
    pub anchor: PathBuf,
    /// Folder of the tables that retraining makes.
    pub tables: PathBuf,
    /// Hours between two retrainings that no alarm asks for.
    pub every_hours: f64,
}

impl Default for RetrainConfig {
    fn default() -> Self {
        Self {
            minimum: 50,
            cooldown_hours: 24.0,
            newest: 0.2,
            quarantine: 3.0,
            repeats: 3,
            significance: 0.05,
            tolerance: 0.05,
            anchor: PathBuf::new(),
            tables: "data/retrained".into(),
            every_hours: 168.0,
        }
    }
}
