//! A model as one ONNX file: whoever has an ONNX runtime predicts without massay.
//!
//! The graph takes raw rows, `inputs [N, columns]` in double precision with the columns of the checkpoint
//! in their order, and gives `prediction`, `lower` and `upper`, `[N, 1]` in double precision, on the
//! target's own scale. Everything between is inside: cleaning, feature blocks, every model of every fold,
//! their weights, the target's inverse, residual quantiles.
//!
//! Invariant: the graph does what [`Predictor`](crate::model::Predictor) does, step by step and in the
//! same precision; it is written from the same fitted values and holds none of its own.

mod blocks;
mod compensated;
mod embedding;
mod graph;
mod interval;
mod model;
mod networks;
mod packed;
mod page_model;
mod preprocessing;
mod regressors;
mod schema;
mod trees;

pub use model::{INPUT, ONNX_OUTPUTS, onnx_model};
pub use page_model::{PageModel, page_model};
