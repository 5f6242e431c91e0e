//! A weighted sum of similarities to known rows.

#![expect(clippy::inline_always, reason = "only inlined code gets the instructions of its caller")]

use multiversion::multiversion;
use serde::{Deserialize, Serialize};

use super::{InputMap, Regressor, vector_math::exp_double};

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
    #[inline(always)]
    pub fn value(&self, product: f64, squared_distance: f64) -> f64 {
        let own = match self.kind {
            KernelKind::Gaussian => exp_double(-0.5 * squared_distance / (self.width * self.width)),
            KernelKind::Laplace => exp_double(-squared_distance.max(0.0).sqrt() / self.width),
            KernelKind::Quadratic => (1.0 + product / self.width) * (1.0 + product / self.width),
            KernelKind::Linear => product,
        };
        own + self.linear * product
    }

    /// Its values for several rows: of one form for all of them, which vector units compute side by side.
    #[inline(always)]
    fn values(&self, products: &[f64; ABREAST], distances: &[f64; ABREAST]) -> [f64; ABREAST] {
        let with = |kind| Self { kind, ..*self };
        match self.kind {
            KernelKind::Gaussian => with(KernelKind::Gaussian).each(products, distances),
            KernelKind::Laplace => with(KernelKind::Laplace).each(products, distances),
            KernelKind::Quadratic => with(KernelKind::Quadratic).each(products, distances),
            KernelKind::Linear => with(KernelKind::Linear).each(products, distances),
        }
    }

    #[inline(always)]
    fn each(self, products: &[f64; ABREAST], distances: &[f64; ABREAST]) -> [f64; ABREAST] {
        let mut values = [0.0; ABREAST];
        for row in 0..ABREAST {
            values[row] = self.value(products[row], distances[row]);
        }
        values
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
    /// The known rows, as they are compared.
    blocks: Vec<f32>,
    /// `sum of coefficient_i point_i`: by it the linear share of all similarities is one inner product.
    slope: Vec<f64>,
}

impl KernelModel {
    /// Of known rows in the kernel's units, row-major, with a coefficient each.
    #[must_use]
    pub fn new(
        (inputs, kernel): (InputMap, Kernel),
        points: Vec<f32>,
        coefficients: Vec<f64>,
        intercept: f64,
    ) -> Self {
        let columns = inputs.centre.len();
        let blocks = in_blocks(&points, columns);
        let mut slope = vec![0.0; columns];
        for (point, coefficient) in points.chunks_exact(columns.max(1)).zip(&coefficients) {
            for (sum, value) in slope.iter_mut().zip(point) {
                *sum += coefficient * f64::from(*value);
            }
        }
        Self { inputs, kernel, points, coefficients, intercept, blocks, slope }
    }

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
        let mut terms = self.coefficients.clone();
        weigh(&Kernel { linear: 0.0, ..self.kernel }, &x, &self.blocks, &mut terms);
        let product: f64 = x.iter().zip(&self.slope).map(|(x, own)| f64::from(*x) * own).sum();
        let linear = self.kernel.linear * product / x.len().max(1) as f64;
        self.intercept + linear + terms.iter().sum::<f64>()
    }
}

/// Known rows that are compared at once, in one vector unit or two.
const ABREAST: usize = 8;

/// The rows of `points` in blocks of `ABREAST`, each column by column; the last block is filled up with zeros.
fn in_blocks(points: &[f32], columns: usize) -> Vec<f32> {
    let mut blocks = Vec::new();
    for rows in points.chunks(ABREAST * columns.max(1)) {
        for column in 0..columns {
            let value = |row: usize| rows.get(row * columns + column).copied().unwrap_or(0.0);
            blocks.extend((0..ABREAST).map(value));
        }
    }
    blocks
}

/// Multiplies the coefficient of each known row by its similarity to `x`; `kernel` has no linear share.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+avx2+fma", "x86_64+avx2+fma"))]
fn weigh(kernel: &Kernel, x: &[f32], blocks: &[f32], coefficients: &mut [f64]) {
    let blocks = blocks.chunks_exact(ABREAST * x.len().max(1));
    for (block, coefficients) in blocks.zip(coefficients.chunks_mut(ABREAST)) {
        let [mut products, mut distances] = [[0.0; ABREAST]; 2];
        match kernel.kind {
            KernelKind::Gaussian | KernelKind::Laplace => {
                distances = means(x, block, |x, z| (x - z) * (x - z));
            }
            KernelKind::Quadratic | KernelKind::Linear => products = means(x, block, |x, z| x * z),
        }
        let values = kernel.values(&products, &distances);
        for (own, value) in coefficients.iter_mut().zip(values) {
            *own *= value;
        }
    }
}

/// The means of `term` of `x` and each row of a block, in double precision: coefficients are often large and of both
/// signs, so that their sum has far fewer digits than its terms.
#[inline(always)]
fn means(x: &[f32], block: &[f32], term: impl Fn(f64, f64) -> f64) -> [f64; ABREAST] {
    let mut means = [0.0; ABREAST];
    for (x, column) in x.iter().zip(block.chunks_exact(ABREAST)) {
        for row in 0..ABREAST {
            means[row] += term(f64::from(*x), f64::from(column[row]));
        }
    }
    for mean in &mut means {
        *mean /= x.len() as f64;
    }
    means
}
