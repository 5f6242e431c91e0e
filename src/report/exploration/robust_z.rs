//! How far each value of a column lies from the others, in robust standard deviations.

use super::table_view::{Column, Scale};
use crate::data::explore::median;

/// Makes the median absolute deviation comparable with a standard deviation (0.75 quantile of the
/// normal distribution).
const NORMAL: f64 = 0.6745;

/// Distance from which a value counts as an outlier (Iglewicz and Hoaglin 1993).
pub(super) const OUTLIER: f64 = 3.5;

/// Fewest values that have a meaningful spread.
const FEWEST: usize = 5;

/// The distance of each row, `0.6745 (x - median) / MAD`; of `sign(x) ln(1 + |x|)` where the column is
/// drawn by ratios. `NaN` where the value is missing; `None` where more than half of the values are equal.
pub(super) fn robust_z(column: &Column<'_>) -> Option<Vec<f64>> {
    let by_ratios = column.scale == Scale::Logarithmic;
    let transform = |x: f64| if by_ratios { x.signum() * x.abs().ln_1p() } else { x };
    let mut distances: Vec<f64> = column.values.iter().map(|value| transform(*value)).collect();
    let mut present: Vec<f64> =
        distances.iter().copied().filter(|value| value.is_finite()).collect();
    if present.len() < FEWEST {
        return None;
    }
    let center = median(&mut present)?;
    for value in &mut present {
        *value = (*value - center).abs();
    }
    let spread = median(&mut present)?;
    if spread <= 0.0 || !spread.is_finite() {
        return None;
    }
    for distance in &mut distances {
        *distance = NORMAL * (*distance - center) / spread;
    }
    Some(distances)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::exploration::sample_table::SampleTable;
    use crate::report::exploration::table_view::TableView;

    fn distances(values: &[f64]) -> Option<Vec<f64>> {
        let target = vec![1.0; values.len()];
        let table = SampleTable::new(vec![("x".to_owned(), values.to_vec())], target);
        let exploration = table.exploration();
        robust_z(&TableView::new(&exploration).unwrap().features[0])
    }

    #[test]
    fn a_value_far_away_leaves_the_others_where_they_are() {
        let distances = distances(&[-2.0, -1.0, 0.0, 1.0, f64::NAN, 1000.0]).unwrap();
        // Median 0, median absolute deviation 1.
        assert!((distances[0] + 2.0 * 0.6745).abs() < 1e-12);
        assert!((distances[5] - 674.5).abs() < 1e-9 && distances[4].is_nan());
    }

    #[test]
    fn decades_are_measured_by_ratios() {
        let distances = distances(&[1.0, 10.0, 100.0, 1000.0, 10_000.0]).unwrap();
        assert!(distances.iter().all(|distance| distance.abs() < 2.0), "{distances:?}");
    }

    #[test]
    fn columns_without_a_spread_have_no_distances() {
        assert!(distances(&[4.0; 9]).is_none());
        assert!(distances(&[0.0, 0.0, 0.0, 0.0, 0.0, 7.0]).is_none());
        assert!(distances(&[f64::NAN; 9]).is_none() && distances(&[1.0, 2.0]).is_none());
    }

    #[test]
    fn medians_match_their_definition() {
        assert_eq!(median(&mut [3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&mut [4.0, 1.0, 3.0, 2.0]), Some(2.5));
        assert_eq!(median(&mut [7.0]), Some(7.0));
    }
}
