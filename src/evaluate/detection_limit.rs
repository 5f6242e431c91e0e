//! What is too little to be told from nothing: the detection limit of Currie (1968).

use serde::{Deserialize, Serialize};

use super::ScoredRow;

/// Quantile of the normal distribution that 5 % lie beyond.
const ONE_SIDED: f64 = 1.644_853_626_951_472_2;

/// Steps of the fit of the error model; it converges in far fewer.
const STEPS: usize = 500;

/// Fewer rows tell nothing of how errors grow.
const FEWEST_ROWS: usize = 20;

/// How large errors are: `standard deviation² = constant² + (relative · target)²`, fitted by maximum
/// likelihood for normal errors around 0.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ErrorModel {
    /// Standard deviation of the error where the target is 0, in the target's unit.
    pub constant: f64,
    /// Standard deviation of the relative error where the target is large.
    pub relative: f64,
}

/// The smallest amounts that an assay can speak of, with 5 % wrong either way.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct DetectionLimit {
    /// How errors grow.
    pub error: ErrorModel,
    /// Critical level: a prediction above it is more than nothing, `k σ(0)` with `k = 1.645`.
    pub critical: f64,
    /// Detection limit: an amount that is found with 95 %, the solution `L` of `L = critical + k σ(L)`; `None`
    /// where relative errors are so large that no amount is.
    pub detection: Option<f64>,
    /// The smallest target that was judged: below it the limits are extrapolated.
    pub smallest: f64,
}

impl DetectionLimit {
    /// Of the errors of `rows`; `None` for fewer than twenty, or where a target is negative.
    #[must_use]
    pub fn of(rows: &[ScoredRow]) -> Option<Self> {
        let smallest = rows.iter().map(|row| row.target).fold(f64::INFINITY, f64::min);
        if rows.len() < FEWEST_ROWS || smallest < 0.0 {
            return None;
        }
        let error = ErrorModel::fit(rows)?;
        let critical = ONE_SIDED * error.constant;
        let slope = ONE_SIDED * error.relative;
        let detection = (slope < 1.0).then(|| 2.0 * critical / (1.0 - slope * slope));
        Some(Self { error, critical, detection, smallest })
    }
}

impl ErrorModel {
    /// By Fisher scoring: squared errors are regressed on 1 and the squared target, each row weighted by the
    /// inverse square of the variance that the last step expects of it.
    fn fit(rows: &[ScoredRow]) -> Option<Self> {
        let points: Vec<(f64, f64, f64)> = rows
            .iter()
            .map(|row| {
                let error = row.prediction - row.target;
                (row.target * row.target, error * error, row.weight)
            })
            .collect();
        let total: f64 = points.iter().map(|(_, _, weight)| weight).sum();
        let mean: f64 =
            points.iter().map(|(_, square, weight)| square * weight).sum::<f64>() / total;
        // Also keeps a perfect model's variance away from 0.
        let floor = mean * 1e-9;
        if !(mean.is_finite() && mean > 0.0) {
            return None;
        }
        let (mut constant, mut relative) = (mean, 0.0);
        for _ in 0..STEPS {
            let (next, slope) = step(&points, |x| (constant + relative * x).max(floor));
            // Half a step: whole ones can swing.
            constant = f64::midpoint(constant, next);
            relative = f64::midpoint(relative, slope);
        }
        Some(Self { constant: constant.sqrt(), relative: relative.sqrt() })
    }
}

/// The weighted least squares line through the points, none of its two parts negative.
fn step(points: &[(f64, f64, f64)], variance: impl Fn(f64) -> f64) -> (f64, f64) {
    let [mut n, mut x, mut xx, mut y, mut xy] = [0.0; 5];
    for (own, square, weight) in points {
        let weight = weight / variance(*own).powi(2);
        n += weight;
        x += weight * own;
        xx += weight * own * own;
        y += weight * square;
        xy += weight * own * square;
    }
    let determinant = n * xx - x * x;
    if determinant <= 0.0 {
        return (y / n, 0.0);
    }
    let (constant, slope) = ((xx * y - x * xy) / determinant, (n * xy - x * y) / determinant);
    match (constant < 0.0, slope < 0.0) {
        (true, _) => (0.0, xy / xx),
        (_, true) => (y / n, 0.0),
        _ => (constant, slope),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Generator;

    fn row(target: f64, error: f64) -> ScoredRow {
        ScoredRow {
            row: 0,
            group: None,
            repeat: 0,
            fold: 0,
            target,
            prediction: target + error,
            lower: 0.0,
            upper: 0.0,
            out_of_domain: false,
            weight: 1.0,
        }
    }

    #[test]
    fn the_error_model_has_the_largest_likelihood() {
        // scipy.optimize.minimize of the negative log likelihood, Nelder-Mead from nine starts.
        let targets = [0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 13.0, 20.0, 30.0, 50.0, 80.0, 100.0];
        let errors = [0.3, -0.4, 0.5, -0.2, 1.0, -0.9, 2.0, -2.5, 3.1, -7.0, 9.0, -8.0];
        let rows: Vec<ScoredRow> = targets.iter().zip(errors).map(|(y, e)| row(*y, e)).collect();
        let found = ErrorModel::fit(&rows).unwrap();
        assert!((found.constant - 0.346_315_14).abs() < 1e-6, "{found:?}");
        assert!((found.relative - 0.122_725_9).abs() < 1e-6, "{found:?}");
    }

    #[test]
    fn constant_errors_give_currie_s_limits() {
        // With one standard deviation for all, L_C = 1.645 σ and L_D = 3.29 σ.
        let mut generator = Generator::new(3, &[]);
        let rows: Vec<ScoredRow> =
            (0..40_000).map(|i| row(f64::from(i) / 400.0, 2.0 * generator.normal())).collect();
        let found = DetectionLimit::of(&rows).unwrap();
        assert!((found.critical - 3.29).abs() < 0.05, "{found:?}");
        assert!((found.detection.unwrap() - 6.58).abs() < 0.1, "{found:?}");
    }

    #[test]
    fn the_detection_limit_solves_its_equation() {
        let mut generator = Generator::new(4, &[]);
        let error = |y: f64, z: f64| (1.0 + (0.3 * y).powi(2)).sqrt() * z;
        let rows: Vec<ScoredRow> = (0..20_000)
            .map(|i| f64::from(i) / 1000.0)
            .map(|y| row(y, error(y, generator.normal())))
            .collect();
        let found = DetectionLimit::of(&rows).unwrap();
        let limit = found.detection.unwrap();
        let ErrorModel { constant, relative } = found.error;
        let deviation = (constant.powi(2) + (relative * limit).powi(2)).sqrt();
        assert!((limit - found.critical - ONE_SIDED * deviation).abs() < 1e-9);
        assert!((constant - 1.0).abs() < 0.05 && (relative - 0.3).abs() < 0.01, "{found:?}");
    }

    #[test]
    fn errors_that_are_too_large_leave_no_limit() {
        let wild = |i: i32| row(f64::from(i), f64::from(i) * if i % 2 == 0 { 0.8 } else { -0.8 });
        let found = DetectionLimit::of(&(1..60).map(wild).collect::<Vec<_>>()).unwrap();
        assert!(found.detection.is_none() && (found.error.relative - 0.8).abs() < 1e-6);
        assert!(DetectionLimit::of(&(-30..30).map(wild).collect::<Vec<_>>()).is_none());
    }
}
