//! Numbers to predictions: backends, the MLP stack, the linear baseline, calibration, the predictor.
//!
//! Invariant: no files and no training here, and `backend` alone names a burn backend.

mod activation;
mod backend;
mod batch_ensemble;
mod calibration;
mod config;
mod domain;
mod domain_guard;
mod embedding;
mod gram;
mod linear;
mod predictor;
mod ridge;
mod scaling;
mod shape;
mod stack;
mod weights;

pub use activation::Activation;
pub use backend::{Backend, BackendError, BackendKind};
pub use calibration::{Calibration, FoldResiduals};
pub use config::{ModelConfig, ModelKind, Parametrisation};
pub use domain::Domain;
pub use domain_guard::DomainGuard;
pub use embedding::{BINS, Embedding};
pub use linear::Linear;
pub use predictor::{FoldTarget, Prediction, Predictor, StackPredictor};
pub use ridge::Ridge;
pub use scaling::{InputScaling, MemberScaling, StackScaling};
pub use shape::{ParameterShape, Role, StackShape};
pub use stack::MlpStack;
pub(crate) use stack::{forward, host, layer_outputs, members_of, tensor};
pub use weights::MemberWeights;
