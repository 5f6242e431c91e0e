//! Least squares with an L2 penalty, the penalty chosen by rows that were left out.

use faer::{Col, Mat, Side};

use super::inner_parts::InnerParts;

/// Penalties that are tried, relative to the weight of the rows.
const PENALTIES: [f64; 24] = [
    1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 2e-2, 5e-2, 0.1, 0.2, 0.5,
    1.0, 2.0, 5.0, 10.0, 30.0, 100.0, 1e3, 1e6,
];

/// Directions along which rows spread less than this share of the widest carry no information.
const SMALLEST_SPREAD: f64 = 1e-12;

/// Rows whose features are laid out at once.
const BLOCK: usize = 4096;

/// What is fitted: one row of features for each target.
pub(super) struct Design<'a, F> {
    /// Number of features.
    pub(super) columns: usize,
    /// A feature by its row and its column.
    pub(super) feature: F,
    pub(super) targets: &'a [f64],
    pub(super) weights: &'a [f64],
}

/// The fit on all rows, and what was found on the way.
pub(super) struct PenalisedFit {
    pub(super) intercept: f64,
    pub(super) coefficients: Col<f64>,
    /// For each row the prediction of the fit that has not seen its part.
    pub(super) inner: Vec<Option<f64>>,
    /// The pooled squared error of these.
    pub(super) error: f64,
}

/// Fits on all rows with the penalty of the smallest squared error on parts left out in turn.
pub(super) fn fit<F: Fn(usize, usize) -> f64>(
    design: &Design<'_, F>,
    parts: &InnerParts,
) -> Option<PenalisedFit> {
    let all: Vec<u32> = (0..design.targets.len() as u32).collect();
    let held: Vec<Moments> = parts.held.iter().map(|rows| Moments::new(design, rows)).collect();
    let mut total = Moments::new(design, &parts.never_held(all.len()));
    for part in &held {
        total.add(part, 1.0);
    }
    let mut solutions: Vec<Solution> = Vec::new();
    let mut errors = vec![0.0; PENALTIES.len()];
    for (rows, part) in parts.held.iter().zip(&held) {
        let mut others = total.clone();
        others.add(part, -1.0);
        let solution = others.solve()?;
        for rows in rows.chunks(BLOCK) {
            let predictions = solution.predictions(design, rows, &PENALTIES);
            for (penalty, error) in errors.iter_mut().enumerate() {
                *error += design.squared_error(rows, predictions.col(penalty));
            }
        }
        solutions.push(solution);
    }
    let best = (0..PENALTIES.len()).min_by(|a, b| errors[*a].total_cmp(&errors[*b]))?;
    let mut inner = vec![None; all.len()];
    for (rows, solution) in parts.held.iter().zip(&solutions) {
        for rows in rows.chunks(BLOCK) {
            let own = solution.predictions(design, rows, &PENALTIES[best..=best]);
            for (place, row) in rows.iter().enumerate() {
                inner[*row as usize] = Some(own[(place, 0)]);
            }
        }
    }
    let (intercepts, coefficients) = total.solve()?.coefficients(&PENALTIES[best..=best]);
    let (intercept, coefficients) = (intercepts[0], coefficients.col(0).to_owned());
    Some(PenalisedFit { intercept, coefficients, inner, error: errors[best] })
}

impl<F: Fn(usize, usize) -> f64> Design<'_, F> {
    fn squared_error(&self, rows: &[u32], predictions: faer::ColRef<'_, f64>) -> f64 {
        let term = |(place, row): (usize, &u32)| {
            let row = *row as usize;
            self.weights[row] * (self.targets[row] - predictions[place]).powi(2)
        };
        rows.iter().enumerate().map(term).sum()
    }

    /// The features of `rows`, each multiplied by the root of its weight if `weighted`.
    fn gather(&self, rows: &[u32], weighted: bool) -> Mat<f64> {
        Mat::from_fn(rows.len(), self.columns, |place, column| {
            let row = rows[place] as usize;
            let factor = if weighted { self.weights[row].sqrt() } else { 1.0 };
            factor * (self.feature)(row, column)
        })
    }
}

/// Weighted sums over some rows, from which sums over others follow by adding and subtracting.
#[derive(Clone)]
struct Moments {
    weight: f64,
    features: Col<f64>,
    target: f64,
    /// Sum of `x x'`.
    products: Mat<f64>,
    /// Sum of `x y`.
    with_target: Col<f64>,
}

impl Moments {
    fn new<F: Fn(usize, usize) -> f64>(design: &Design<'_, F>, rows: &[u32]) -> Self {
        let mut sums = Self {
            weight: 0.0,
            features: Col::zeros(design.columns),
            target: 0.0,
            products: Mat::zeros(design.columns, design.columns),
            with_target: Col::zeros(design.columns),
        };
        rows.chunks(BLOCK).for_each(|rows| sums.add(&Self::of_block(design, rows), 1.0));
        sums
    }

    fn of_block<F: Fn(usize, usize) -> f64>(design: &Design<'_, F>, rows: &[u32]) -> Self {
        let own = design.gather(rows, true);
        let root = |row: &u32| design.weights[*row as usize].sqrt();
        let roots = Col::from_fn(rows.len(), |place| root(&rows[place]));
        let targets = Col::from_fn(rows.len(), |place| {
            root(&rows[place]) * design.targets[rows[place] as usize]
        });
        Self {
            weight: roots.squared_norm_l2(),
            features: own.transpose() * &roots,
            target: roots.transpose() * &targets,
            products: own.transpose() * &own,
            with_target: own.transpose() * &targets,
        }
    }

    fn add(&mut self, other: &Self, sign: f64) {
        self.weight += sign * other.weight;
        self.target += sign * other.target;
        self.features += faer::Scale(sign) * &other.features;
        self.products += faer::Scale(sign) * &other.products;
        self.with_target += faer::Scale(sign) * &other.with_target;
    }

    /// The centred normal equations, diagonalised once for every penalty.
    fn solve(&self) -> Option<Solution> {
        let weight = self.weight.max(f64::MIN_POSITIVE);
        let mean = faer::Scale(1.0 / weight) * &self.features;
        let target_mean = self.target / weight;
        let centred = &self.products - faer::Scale(weight) * (&mean * mean.transpose());
        let moment = &self.with_target - faer::Scale(weight * target_mean) * &mean;
        let eigen = centred.self_adjoint_eigen(Side::Lower).ok()?;
        let values: Vec<f64> = eigen.S().column_vector().iter().copied().collect();
        let largest = values.iter().copied().fold(0.0, f64::max);
        let rotated = eigen.U().transpose() * &moment;
        let values = values
            .into_iter()
            .map(|value| if value > SMALLEST_SPREAD * largest { value } else { 0.0 })
            .collect();
        let vectors = eigen.U().to_owned();
        Some(Solution { weight, mean, target_mean, values, vectors, rotated })
    }
}

/// Normal equations in the directions of their eigenvectors.
struct Solution {
    weight: f64,
    mean: Col<f64>,
    target_mean: f64,
    values: Vec<f64>,
    vectors: Mat<f64>,
    rotated: Col<f64>,
}

impl Solution {
    /// For each penalty the intercept, and the coefficients, shape `[features, penalties]`.
    fn coefficients(&self, penalties: &[f64]) -> (Vec<f64>, Mat<f64>) {
        let rotated = Mat::from_fn(self.values.len(), penalties.len(), |row, penalty| {
            match self.values[row] {
                0.0 => 0.0,
                value => self.rotated[row] / (value + penalties[penalty] * self.weight),
            }
        });
        let coefficients = &self.vectors * rotated;
        let moved = self.mean.transpose() * &coefficients;
        (moved.iter().map(|moved| self.target_mean - moved).collect(), coefficients)
    }

    /// Predictions for `rows`, shape `[rows, penalties]`.
    fn predictions<F: Fn(usize, usize) -> f64>(
        &self,
        design: &Design<'_, F>,
        rows: &[u32],
        penalties: &[f64],
    ) -> Mat<f64> {
        let (intercepts, coefficients) = self.coefficients(penalties);
        let mut predictions = design.gather(rows, false) * coefficients;
        for (column, intercept) in intercepts.iter().enumerate() {
            predictions.col_mut(column).iter_mut().for_each(|value| *value += intercept);
        }
        predictions
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Generator;

    fn design<'a>(
        features: &'a Mat<f64>,
        targets: &'a [f64],
        weights: &'a [f64],
    ) -> Design<'a, impl Fn(usize, usize) -> f64> {
        let feature = |row, column| features[(row, column)];
        Design { columns: features.ncols(), feature, targets, weights }
    }

    fn table(rows: usize, columns: usize) -> (Mat<f64>, Vec<f64>) {
        let mut generator = Generator::new(9, &[]);
        let features = Mat::from_fn(rows, columns, |_, _| generator.normal());
        let targets =
            (0..rows).map(|row| 2.0 * features[(row, 0)] + 0.5 * generator.normal()).collect();
        (features, targets)
    }

    #[test]
    fn predictions_of_a_part_equal_those_of_a_fit_without_it() {
        let (features, targets) = table(30, 4);
        let weights: Vec<f64> = (0..30).map(|row| 1.0 + f64::from(row % 3)).collect();
        let parts: Vec<u32> = (0..30).map(|row| row % 5).collect();
        let own = design(&features, &targets, &weights);
        let fitted = fit(&own, &InnerParts::new(&parts, 5)).unwrap();
        // The closed form for part 2, by the normal equations of the other rows with an intercept.
        let others: Vec<usize> = (0..30).filter(|row| row % 5 != 2).collect();
        let total: f64 = others.iter().map(|row| weights[*row]).sum();
        let explain = |penalty: f64| -> f64 {
            let mut a = Mat::<f64>::zeros(5, 5);
            let mut b = Col::<f64>::zeros(5);
            for row in &others {
                let x = |i: usize| if i == 4 { 1.0 } else { features[(*row, i)] };
                for i in 0..5 {
                    b[i] += weights[*row] * x(i) * targets[*row];
                    for j in 0..5 {
                        a[(i, j)] += weights[*row] * x(i) * x(j);
                    }
                }
            }
            (0..4).for_each(|i| a[(i, i)] += penalty * total);
            let c = faer::linalg::solvers::Solve::solve(&a.partial_piv_lu(), &b);
            (0..4).map(|i| c[i] * features[(7, i)]).sum::<f64>() + c[4]
        };
        let found = fitted.inner[7].unwrap();
        let close = |penalty: &&f64| (explain(**penalty) - found).abs() < 1e-9;
        assert!(PENALTIES.iter().find(close).is_some(), "{found}");
    }

    #[test]
    fn a_weight_of_two_is_a_row_that_stands_twice() {
        let (features, targets) = table(20, 3);
        let twice = Mat::from_fn(21, 3, |row, column| features[(row.min(19), column)]);
        let mut doubled = targets.clone();
        doubled.push(targets[19]);
        let mut weights = vec![1.0; 20];
        weights[19] = 2.0;
        let parts: Vec<u32> = (0..20).map(|row| row % 4).collect();
        let one = design(&features, &targets, &weights);
        let other = design(&twice, &doubled, &[1.0; 21]);
        let one = fit(&one, &InnerParts::new(&parts, 4)).unwrap();
        let other = fit(&other, &InnerParts::new(&[parts.clone(), vec![3]].concat(), 4)).unwrap();
        assert!((one.intercept - other.intercept).abs() < 1e-10);
        assert!((&one.coefficients - &other.coefficients).norm_l2() < 1e-10);
    }

    #[test]
    fn many_rows_are_added_up_block_by_block() {
        let count = BLOCK + 100;
        let (features, targets) = table(count, 3);
        let weights = vec![1.0; count];
        let rows: Vec<u32> = (0..count as u32).collect();
        let own = design(&features, &targets, &weights);
        let (sums, whole) = (Moments::new(&own, &rows), Moments::of_block(&own, &rows));
        assert!((&sums.products - &whole.products).norm_l2() < 1e-9 * whole.products.norm_l2());
        assert!((&sums.with_target - &whole.with_target).norm_l2() < 1e-9 * count as f64);
        assert!((sums.target - whole.target).abs() < 1e-9 * count as f64);
        let parts: Vec<u32> = rows.iter().map(|row| row % 4).collect();
        assert!(fit(&own, &InnerParts::new(&parts, 4)).unwrap().inner.iter().all(Option::is_some));
    }

    #[test]
    fn noise_is_left_alone() {
        let mut generator = Generator::new(4, &[]);
        let features = Mat::from_fn(40, 30, |_, _| generator.normal());
        let targets: Vec<f64> = (0..40).map(|_| generator.normal()).collect();
        let parts: Vec<u32> = (0..40).map(|row| row % 5).collect();
        let weights = vec![1.0; 40];
        let own = design(&features, &targets, &weights);
        let fitted = fit(&own, &InnerParts::new(&parts, 5)).unwrap();
        assert!(fitted.coefficients.norm_l2() < 0.5, "{:?}", fitted.coefficients);
    }
}
