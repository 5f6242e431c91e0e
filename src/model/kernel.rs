//! A weighted sum of similarities to known rows.

use serde::{Deserialize, Serialize};

use super::{InputMap, Regressor};

/// The similarity of two rows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Kernel {
    /// Its form.
    pub kind: KernelKind,
    /// Width of the form, in units of `d`.
    pub width: f64,
    /// Share of the inner product `x . z / features` that is added: a linear truth is kept beyond
    /// the known rows.
    pub linear: f64,
}

/// The form of a kernel of the distance `d`, the root mean squared difference of the features.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KernelKind {
    /// `exp(-(d / width)^2 / 2)`: smooth.
    Gaussian,
    /// `exp(-d / width)`: rough.
    Laplace,
    /// `(1 + x . z / (width features))^2`: parabolas with all products of two features.
    Quadratic,
    /// `x . z / features`.
    Linear,
}

impl Kernel {
    /// The kernel from the mean product and the mean squared difference of two rows' features.
    #[must_use]
    pub fn value(&self, product: f64, squared_distance: f64) -> f64 {
        let own = match self.kind {
            KernelKind::Gaussian => libm::exp(-0.5 * squared_distance / self.width.powi(2)),
            KernelKind::Laplace => libm::exp(-squared_distance.max(0.0).sqrt() / self.width),
            KernelKind::Quadratic => (1.0 + product / self.width).powi(2),
            KernelKind::Linear => product,
        };
        own + self.linear * product
    }
}

/// `intercept + sum of coefficient_i kernel(x, point_i)`: kernel ridge regression (Saunders,
/// Gammerman and Vovk, 1998), which is the mean of a Gaussian process.
#[derive(Clone, Debug, PartialEq)]
pub struct KernelModel {
    /// From features to the kernel's units.
    pub inputs: InputMap,
    /// The similarity.
    pub kernel: Kernel,
    /// Known rows in the kernel's units, row-major.
    pub points: Vec<f32>,
    /// Weight of each.
    pub coefficients: Vec<f64>,
    /// Added to the sum.
    pub intercept: f64,
}

impl KernelModel {
    /// Whether every part is of the size that the others need, for rows of `columns` features.
    #[must_use]
    pub fn is_consistent(&self, columns: usize) -> bool {
        self.inputs.is_consistent(columns)
            && self.points.len() == self.coefficients.len() * columns
            && self.kernel.width > 0.0
    }
}

impl Regressor for KernelModel {
    fn predict(&self, row: &[f32]) -> f64 {
        let mut x = Vec::with_capacity(row.len());
        self.inputs.scale(row, &mut x);
        let term = |(point, coefficient): (&[f32], &f64)| {
            let (product, distance) = moments(&x, point);
            coefficient * self.kernel.value(product, distance)
        };
        let points = self.points.chunks_exact(row.len().max(1));
        self.intercept + points.zip(&self.coefficients).map(term).sum::<f64>()
    }
}

/// Mean product and mean squared difference of two rows, in double precision: coefficients are often
/// large and of both signs, so that their sum has far fewer digits than its terms.
fn moments(x: &[f32], z: &[f32]) -> (f64, f64) {
    let (mut product, mut distance) = (0.0, 0.0);
    for (x, z) in x.iter().zip(z) {
        let (x, z) = (f64::from(*x), f64::from(*z));
        product += x * z;
        distance += (x - z) * (x - z);
    }
    let count = x.len() as f64;
    (product / count, distance / count)
}
