//! Numbers to predictions: backends, the MLP stack, the linear baseline, calibration, the predictor.
//!
//! Invariant: no files and no training here, and `backend` alone names a burn backend.

mod activation;
mod backend;
mod calibration;
mod config;
mod domain;
mod domain_guard;
mod gram;
mod predictor;
mod ridge;
mod scaling;
mod stack;
mod weights;

pub use activation::Activation;
pub use backend::{Backend, BackendError, BackendKind};
pub use calibration::{Calibration, FoldResiduals};
pub use config::{ModelConfig, ModelKind};
pub use domain::Domain;
pub use domain_guard::DomainGuard;
pub use predictor::{FoldTarget, Prediction, Predictor, StackPredictor};
pub use ridge::Ridge;
pub use scaling::{MemberScaling, StackScaling};
pub use stack::{MlpStack, StackShape};
pub(crate) use stack::{forward, host, members_of, tensor};
pub use weights::MemberWeights;
