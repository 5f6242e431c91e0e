//! massay predicts the mass of an element in a container from the signals of its detectors, or
//! any other numeric target of a table, with intervals that keep their promise.
//!
//! The folders are layers: each may use only those above it in this list.
//!
//! | layer | what it is |
//! |---|---|
//! | [`data`] | rows in: tables, schemas, data sets, exploration, the drum simulator, folds |
//! | [`features`] | rows to numbers: cleaning, feature blocks and scalers, fitted on training rows only |
//! | [`model`] | numbers to predictions: backends, the MLP stack, regressors, the predictor |
//! | [`train`] | batches, schedule, stopping, the loop, learners of regressors, checkpoints |
//! | [`evaluate`] | metrics, out-of-fold evaluation, ensemble weights, the leaderboard, conformal calibration |
//! | [`report`] | figures, tables and the page |
//! | [`export`] | a model as an ONNX file |
//! | [`track`] | what is told of a run: journal, MLflow, DVC |
//! | [`registry`] | which run predicts, and how that changed |
//! | [`monitor`] | what a served model meets: the log of predictions, drift, live performance, alarms |
//! | [`serve`] | the prediction service: protocols, hot reload, limits, metrics, the page |
//! | [`pipeline`] | whole jobs told in calls to the layers above |
//! | [`cli`] | one file per subcommand; alone in printing and exiting |

pub mod cli;
pub mod data;
pub mod evaluate;
pub mod export;
pub mod features;
pub mod model;
pub mod monitor;
pub mod pipeline;
pub mod registry;
pub mod report;
pub mod serve;
pub mod track;
pub mod train;
