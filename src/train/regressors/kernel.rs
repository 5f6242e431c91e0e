//! Kernel ridge regression: form and width of the similarity chosen by rows that were left out.

use crate::{
    data::Generator,
    model::{Function, InputMap, InputScaling, Kernel, KernelKind, KernelModel},
    train::inputs::fit_inputs,
};

use super::{
    LearningRows,
    inner_parts::InnerParts,
    penalised::{self, Design, PenalisedFit},
    similarity::{Basis, Points},
};

/// Landmarks while kernels are compared, and of the model itself: cost grows with their cube.
const COMPARED_LANDMARKS: usize = 300;
const LANDMARKS: usize = 1000;

/// Rows on which kernels are compared at most.
const COMPARED_ROWS: usize = 3000;

/// Widths of the smooth and of the rough kernel, in median distances between rows.
const SMOOTH_WIDTHS: [f64; 4] = [0.4, 0.8, 1.6, 3.2];
const ROUGH_WIDTHS: [f64; 2] = [1.0, 4.0];

/// The kernel model and, for each row, the prediction of one that has not seen its part.
pub(super) fn fit(
    data: &LearningRows<'_>,
    mut generator: Generator,
    effort: Effort,
) -> Option<(Function, Vec<Option<f64>>)> {
    let mut order: Vec<u32> = (0..data.rows.len() as u32).collect();
    generator.shuffle(&mut order);
    let compared = &order[..order.len().min(COMPARED_ROWS)];
    let mut best: Option<(f64, InputScaling, Kernel)> = None;
    let scalings = [InputScaling::Standard, InputScaling::Robust];
    for scaling in scalings.into_iter().take(effort.scalings()) {
        let inputs = fit_inputs(scaling, data.matrix, data.rows);
        let table = Table::new(data, &inputs, compared, effort.landmarks());
        for kernel in effort.kernels(table.landmarks.median_distance()) {
            let Some(fitted) = table.fit(&kernel) else { continue };
            if best.is_none_or(|(error, ..)| fitted.0.error < error) {
                best = Some((fitted.0.error, scaling, kernel));
            }
        }
    }
    let (_, scaling, kernel) = best?;
    let inputs = fit_inputs(scaling, data.matrix, data.rows);
    let count = if effort == Effort::Full { LANDMARKS } else { effort.landmarks() };
    let (fitted, coefficients) = Table::new(data, &inputs, &order, count).fit(&kernel)?;
    let mut inner = vec![None; order.len()];
    for (place, row) in order.iter().enumerate() {
        inner[*row as usize] = fitted.inner[place];
    }
    let points = data.mapped(&inputs, first(&order, count));
    let intercept = fitted.intercept;
    Some((
        Function::Kernel(KernelModel::new((inputs, kernel), points, coefficients, intercept)),
        inner,
    ))
}

fn first(rows: &[u32], count: usize) -> &[u32] {
    &rows[..rows.len().min(count)]
}

/// How many kernels are compared, and how closely.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effort {
    /// All of them.
    Full,
    /// A few, on few landmarks.
    Quick,
}

impl Effort {
    fn landmarks(self) -> usize {
        match self {
            Self::Full => COMPARED_LANDMARKS,
            Self::Quick => COMPARED_LANDMARKS / 2,
        }
    }

    fn scalings(self) -> usize {
        match self {
            Self::Full => 2,
            Self::Quick => 1,
        }
    }

    /// The kernels that are compared where rows lie `median` apart.
    fn kernels(self, median: f64) -> Vec<Kernel> {
        let kernel = |kind, width: f64, linear| Kernel { kind, width, linear };
        let quadratic = kernel(KernelKind::Quadratic, 1.0, 0.0);
        if self == Self::Quick {
            let smooth = SMOOTH_WIDTHS[1..].iter();
            let smooth = smooth.map(|width| kernel(KernelKind::Gaussian, width * median, 1.0));
            return smooth.chain([quadratic]).collect();
        }
        let smooth = SMOOTH_WIDTHS.iter().flat_map(|width| {
            [0.0, 1.0].map(|linear| kernel(KernelKind::Gaussian, width * median, linear))
        });
        let rough = ROUGH_WIDTHS.iter().flat_map(|width| {
            [0.0, 1.0].map(|linear| kernel(KernelKind::Laplace, width * median, linear))
        });
        smooth.chain(rough).chain([quadratic]).collect()
    }
}

/// Some rows of the data in a kernel's units, of which the first are the landmarks: what all
/// kernels have in common.
struct Table {
    all: Points,
    landmarks: Points,
    targets: Vec<f64>,
    weights: Vec<f64>,
    parts: InnerParts,
}

impl Table {
    /// The rows at `places` among the training rows, the first `count` as landmarks.
    fn new(data: &LearningRows<'_>, inputs: &InputMap, places: &[u32], count: usize) -> Self {
        let points =
            |places: &[u32]| Points::new(&data.mapped(inputs, places), data.matrix.columns());
        let pick = |values: &[f64]| -> Vec<f64> {
            let own = places.iter().map(|place| data.rows[*place as usize]);
            own.map(|row| values[row as usize]).collect()
        };
        let parts: Vec<u32> = places.iter().map(|place| data.parts[*place as usize]).collect();
        Self {
            all: points(places),
            landmarks: points(first(places, count)),
            targets: pick(data.targets),
            weights: pick(data.weights),
            parts: InnerParts::new(&parts, data.judged),
        }
    }

    /// The fit with a kernel, and the weight of each landmark.
    fn fit(&self, kernel: &Kernel) -> Option<(PenalisedFit, Vec<f64>)> {
        let basis = Basis::new(&self.landmarks.similarities(&self.landmarks, kernel))?;
        let features = self.all.similarities(&self.landmarks, kernel) * &basis.map;
        let (targets, weights) = (&self.targets[..], &self.weights[..]);
        let feature = |row, column| features[(row, column)];
        let design = Design { columns: features.ncols(), feature, targets, weights };
        let fitted = penalised::fit(&design, &self.parts)?;
        let coefficients = &basis.map * &fitted.coefficients;
        Some((fitted, coefficients.iter().copied().collect()))
    }
}
