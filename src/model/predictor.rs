//! The one way from raw rows to predictions with intervals.

use std::ops::Range;

use burn::tensor::{Device, Tensor};
use rayon::prelude::*;

use crate::features::{FeatureMatrix, PerFold, Preprocessor};

use super::{
    Backend, BackendKind, Calibration, Domain, FoldValue, MemberScaling, MemberWeights, MlpStack,
    Models, StackScaling, StackShape,
    host_product::TALL,
    host_stack::HostStack,
    stack::{host, tensor},
};

/// Raw rows that become features at once; on the CPU few enough to spread a table over threads.
const BLOCK_ROWS: usize = 4096;
const HOST_BLOCK_ROWS: usize = 512;

/// Rows that the networks on the CPU answer at once: their values between two layers stay in the
/// cache, and few enough to spread a table over threads.
const HOST_ROWS: usize = 8 * TALL;

/// One answer, in the target's own unit.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// Mean over all folds.
    pub value: f64,
    /// Lower interval bound.
    pub lower: f64,
    /// Upper interval bound.
    pub upper: f64,
    /// Columns at fault, worst first, where the row is unlike the training data; else empty.
    pub columns_at_fault: Vec<usize>,
}

impl Prediction {
    /// Whether the row is unlike the training data.
    #[must_use]
    pub fn is_out_of_domain(&self) -> bool {
        !self.columns_at_fault.is_empty()
    }
}

/// Some networks with the scaling around them.
#[derive(Clone, Debug)]
pub struct StackPredictor {
    networks: Networks,
    scaling: Vec<MemberScaling>,
    /// Whether the output of each counts.
    asked: Vec<bool>,
}

/// Where networks are computed.
#[derive(Clone, Debug)]
enum Networks {
    /// On the CPU, by our own arithmetic.
    Host(HostStack),
    /// By a backend of burn.
    Device(Box<OnDevice>),
}

/// Networks on the device of a backend.
#[derive(Clone, Debug)]
struct OnDevice {
    stack: MlpStack,
    inputs: StackScaling,
    backend: Backend,
}

impl StackPredictor {
    /// Makes `members` with their `scaling` ready on `backend`.
    #[must_use]
    pub fn new(
        shape: &StackShape,
        members: &[&MemberWeights],
        scaling: &[MemberScaling],
        backend: &Backend,
    ) -> Self {
        let fast = backend.kind == BackendKind::Cpu;
        let host = fast.then(|| HostStack::new(shape, members, scaling)).flatten();
        let networks = host.map_or_else(
            || {
                let stack = MlpStack::new(shape, members, &backend.device);
                let inputs = StackScaling::new(scaling.iter(), &backend.device);
                Networks::Device(Box::new(OnDevice { stack, inputs, backend: backend.clone() }))
            },
            Networks::Host,
        );
        Self { networks, scaling: scaling.to_vec(), asked: vec![true; scaling.len()] }
    }

    /// Leaves out the networks of folds that do not ask them, `asked [folds]`: what they would say is not computed on
    /// the CPU, and means nothing.
    #[must_use]
    pub fn asked_by(mut self, asked: &[bool]) -> Self {
        let per_fold = self.scaling.len() / asked.len().max(1);
        self.asked = asked.iter().flat_map(|own| std::iter::repeat_n(*own, per_fold)).collect();
        self
    }

    /// Calls `finish` with each row's position and the transformed targets that the networks give
    /// for it, and collects what it returns; `matrices` holds the rows as each fold sees them, all of
    /// the same size. Rows are spread over threads on the CPU.
    pub fn map_rows<T: Send>(
        &self,
        matrices: &PerFold<FeatureMatrix>,
        finish: impl Fn(usize, &[f64]) -> T + Sync,
    ) -> Vec<T> {
        self.map_blocks(matrices, |rows, targets| {
            let own = targets.chunks_exact(self.scaling.len());
            rows.zip(own).map(|(row, own)| finish(row, own)).collect()
        })
    }

    /// Calls `finish` with some rows and the transformed targets `[rows, networks]` for them, and collects what it
    /// returns; `matrices` holds the rows as each fold sees them, all of the same size. Rows are spread over threads
    /// on the CPU.
    pub(super) fn map_blocks<T: Send>(
        &self,
        matrices: &PerFold<FeatureMatrix>,
        finish: impl Fn(Range<usize>, &[f64]) -> Vec<T> + Sync,
    ) -> Vec<T> {
        let rows = matrices.get(0).rows();
        let block = self.block_rows(rows);
        let starts: Vec<usize> = (0..rows).step_by(block).collect();
        let evaluate = |start: usize| {
            let own = start..rows.min(start + block);
            finish(own.clone(), &self.targets(matrices, own))
        };
        if let [only] = starts.as_slice() {
            evaluate(*only)
        } else if self.is_cpu() {
            starts.into_par_iter().flat_map_iter(evaluate).collect()
        } else {
            starts.into_iter().flat_map(evaluate).collect()
        }
    }

    /// The transformed targets `[rows, networks]` for some rows.
    fn targets(&self, matrices: &PerFold<FeatureMatrix>, rows: Range<usize>) -> Vec<f64> {
        let per_fold = self.scaling.len() / matrices.of_fold().len();
        let outputs = match &self.networks {
            Networks::Host(stack) => stack.outputs(rows.len(), |member| {
                let own = || part(matrices.get(member / per_fold), rows.clone());
                self.asked[member].then(own)
            }),
            Networks::Device(own) => {
                let features = self.features(matrices, rows.clone(), &own.backend.device);
                host(own.stack.predict(own.inputs.apply(features)))
            }
        };
        let mut targets = Vec::with_capacity(outputs.len());
        for (position, row) in rows.clone().enumerate() {
            targets.extend(self.scaling.iter().enumerate().map(|(member, scaling)| {
                let features = matrices.get(member / per_fold).row(row);
                scaling.target(outputs[member * rows.len() + position], features)
            }));
        }
        targets
    }

    /// Features `[1, rows, columns]` where all folds see the same, else `[M, rows, columns]`.
    fn features(
        &self,
        matrices: &PerFold<FeatureMatrix>,
        rows: Range<usize>,
        device: &Device,
    ) -> Tensor<3> {
        let (columns, count) = (matrices.get(0).columns(), rows.len());
        if let [matrix] = matrices.distinct() {
            return tensor(part(matrix, rows).to_vec(), [1, count, columns], device);
        }
        let members = self.scaling.len();
        let per_fold = members / matrices.of_fold().len();
        let own = |member| part(matrices.get(member / per_fold), rows.clone());
        let all: Vec<f32> = (0..members).flat_map(own).copied().collect();
        tensor(all, [members, count, columns], device)
    }

    /// Whether the networks are on the CPU.
    #[must_use]
    pub fn is_cpu(&self) -> bool {
        match &self.networks {
            Networks::Host(_) => true,
            Networks::Device(own) => own.backend.is_cpu(),
        }
    }

    /// Rows per block of `rows`: spread over the threads of the CPU, but not too few; activations of all
    /// networks within a few megabytes elsewhere.
    fn block_rows(&self, rows: usize) -> usize {
        match &self.networks {
            Networks::Host(_) => {
                let share = rows.div_ceil(rayon::current_num_threads());
                share.next_multiple_of(TALL).clamp(2 * TALL, HOST_ROWS)
            }
            Networks::Device(own) => {
                let shape = &own.stack.shape;
                let widest = shape.hidden.iter().copied().max().unwrap_or(1).max(shape.layer(0).0);
                let widest = widest * shape.copies;
                let budget = if own.backend.is_cpu() { 1 << 19 } else { 1 << 24 };
                (budget / (widest * self.scaling.len())).clamp(16, 4096)
            }
        }
    }
}

/// The values of some rows.
fn part(matrix: &FeatureMatrix, rows: Range<usize>) -> &[f32] {
    &matrix.values()[rows.start * matrix.columns()..rows.end * matrix.columns()]
}

/// Everything that is needed to answer for raw rows. Evaluation, prediction, export and service
/// all use it.
#[derive(Clone, Debug)]
pub struct Predictor {
    /// From raw columns to features, for each fold of all repeats.
    pub preprocessors: PerFold<Preprocessor>,
    /// What predicts in each fold of all repeats.
    pub models: Models,
    /// From predictions to intervals.
    pub calibration: Calibration,
    /// The rows that are known.
    pub domain: Domain,
}

impl Predictor {
    /// Names of the raw columns, in the order of raw rows.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        self.preprocessors.get(0).inputs()
    }

    /// Predictions for raw rows, row-major, columns as in [`Self::columns`]; `NaN` for a missing
    /// value.
    #[must_use]
    pub fn predict(&self, rows: &[f64]) -> Vec<Prediction> {
        let block = |rows: usize| rows * self.columns().len();
        if self.models.is_cpu() {
            let block = block(HOST_BLOCK_ROWS);
            rows.par_chunks(block).flat_map_iter(|rows| self.predict_block(rows)).collect()
        } else {
            rows.chunks(block(BLOCK_ROWS)).flat_map(|rows| self.predict_block(rows)).collect()
        }
    }

    /// The predicted values alone, for raw rows as in [`Self::predict`].
    #[must_use]
    pub fn values(&self, rows: &[f64]) -> Vec<f64> {
        let mean =
            |own: &[FoldValue]| own.iter().map(|own| own.value).sum::<f64>() / own.len() as f64;
        let block = BLOCK_ROWS * self.columns().len();
        let of_block = |rows: &[f64]| {
            let matrices = self.preprocessors.map(|own| own.transform_rows(rows));
            self.models.map_rows(&matrices, |_, values| mean(values))
        };
        rows.chunks(block).flat_map(of_block).collect()
    }

    fn predict_block(&self, rows: &[f64]) -> Vec<Prediction> {
        let matrices = self.preprocessors.map(|preprocessor| preprocessor.transform_rows(rows));
        let raw = rows.chunks_exact(self.columns().len()).collect::<Vec<_>>();
        self.models.map_rows(&matrices, |row, values| self.answer(raw[row], values))
    }

    /// The answer for a raw row from what each fold says.
    fn answer(&self, raw: &[f64], own: &[FoldValue]) -> Prediction {
        let value = own.iter().map(|own| own.value).sum::<f64>() / own.len() as f64;
        let fold = &self.models.folds[0];
        let transformed: Vec<(f64, f64)> =
            own.iter().map(|own| (fold.transform.apply(own.value), own.spread)).collect();
        let (lower, upper) = fold.interval(value, self.calibration.interval(&transformed));
        let columns_at_fault = self.domain.columns_at_fault(raw);
        Prediction { value, lower, upper, columns_at_fault }
    }
}
