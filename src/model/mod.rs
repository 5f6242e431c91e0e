//! Numbers to predictions: backends, the MLP stack, regressors, their blend, calibration, the
//! predictor.
//!
//! Invariant: no files and no training here, and `backend` alone names a burn backend.

mod activation;
mod backend;
mod batch_ensemble;
mod blend;
mod calibration;
mod config;
mod device_kernels;
mod device_network;
mod domain;
mod domain_guard;
mod embedding;
mod gram;
mod host_activation;
mod host_bins;
mod host_copies;
mod host_layer;
mod host_product;
mod host_stack;
mod host_tape;
mod host_waves;
mod kernel;
mod layer_values;
mod linear;
mod neighbours;
mod predictor;
mod reference;
mod regressor;
mod scaling;
mod shape;
mod spread;
mod stack;
mod trees;
mod vector_math;
mod weights;

pub use activation::Activation;
pub use backend::{Backend, BackendError, BackendKind};
pub use blend::{Blend, FoldValue, Models};
pub use calibration::{Calibration, FoldResiduals};
pub use config::{ModelConfig, ModelKind, Parametrisation};
pub(crate) use device_kernels::{STRIDE_NUMBERS, adam};
pub(crate) use device_network::{DeviceNetworks, DeviceStep, PassShape};
pub use domain::Domain;
pub use domain_guard::{DomainGuard, Oddness};
pub use embedding::{BINS, Embedding};
pub(crate) use host_tape::HostTape;
pub use kernel::{Kernel, KernelKind, KernelModel};
pub(crate) use layer_values::LayerValues;
pub use linear::Linear;
pub use neighbours::Neighbours;
pub use predictor::{FoldTarget, Prediction, Predictor, StackPredictor};
pub use reference::Reference;
pub(crate) use regressor::predict_on_threads;
pub use regressor::{FittedRegressor, Function, Regressor, RegressorKind};
pub use scaling::{InputMap, InputScaling, MemberScaling, StackScaling};
pub(crate) use scaling::{LARGEST_INPUT, SMOOTH_BOUND};
pub use shape::{ParameterShape, Role, StackShape};
pub use spread::Spread;
pub use stack::MlpStack;
pub(crate) use stack::{forward, host, members_of, tensor};
pub use trees::{Tree, TreeEnsemble};
pub use weights::MemberWeights;
