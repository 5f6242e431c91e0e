//! The fixed functions that turn raw columns into features.

use serde::{Deserialize, Serialize};

use super::FeatureMatrix;

/// How features are made.
///
/// | name | default | range | effect |
/// |---|---|---|---|
/// | `transform` | `none` | `none`, `log` | function applied to every feature before scaling |
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FeatureConfig {
    /// Function applied to every feature before scaling.
    pub transform: FeatureTransform,
}

/// A function of one raw value that needs no fitting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FeatureTransform {
    /// The value itself.
    #[default]
    None,
    /// `sign(x) ln(1 + |x|)`: signals that span decades become comparable.
    Log,
}

impl FeatureTransform {
    fn apply(self, value: f64) -> f64 {
        match self {
            Self::None => value,
            Self::Log => value.signum() * libm::log1p(value.abs()),
        }
    }
}

/// Turns raw columns into a [`FeatureMatrix`].
///
/// After the transform each column is moved and divided by constants so that single precision
/// holds it well, whatever its unit (time stamps, 1e30). The constants come from all rows, which
/// leaks nothing: every network standardises its inputs with its own training rows, which cancels
/// any such shift and scale. What is left is rounding, and the constants are coarse steps (a power
/// of two, and a multiple of eight of it), so that they do not follow single values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Preprocessor {
    transform: FeatureTransform,
    columns: Vec<Column>,
}

/// The constants of one column: feature = (transform(raw) - shift) / scale.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Column {
    name: String,
    shift: f64,
    scale: f64,
}

impl Preprocessor {
    /// The preprocessor for columns `names` with values `columns`, shape `[features][rows]`.
    #[must_use]
    pub fn new(config: &FeatureConfig, names: &[String], columns: &[Vec<f64>]) -> Self {
        let transform = config.transform;
        let column = |(name, values): (&String, &Vec<f64>)| Column::new(name, values, transform);
        Self { transform, columns: names.iter().zip(columns).map(column).collect() }
    }

    /// Names of the raw columns, in the order of the features.
    #[must_use]
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.columns.iter().map(|column| column.name.as_str())
    }

    /// Features of raw columns, shape `[features][rows]`.
    #[must_use]
    pub fn transform_columns(&self, columns: &[Vec<f64>]) -> FeatureMatrix {
        let rows = columns.first().map_or(0, Vec::len);
        let mut values = Vec::with_capacity(rows * columns.len());
        for row in 0..rows {
            let raw = columns.iter().map(|column| column[row]);
            values
                .extend(self.columns.iter().zip(raw).map(|(c, raw)| c.apply(raw, self.transform)));
        }
        FeatureMatrix::new(columns.len(), values)
    }

    /// Features of raw rows, row-major.
    #[must_use]
    pub fn transform_rows(&self, rows: &[f64]) -> FeatureMatrix {
        let columns = self.columns.iter().cycle();
        let values = columns.zip(rows).map(|(column, raw)| column.apply(*raw, self.transform));
        FeatureMatrix::new(self.columns.len(), values.collect())
    }
}

impl Column {
    fn new(name: &str, values: &[f64], transform: FeatureTransform) -> Self {
        let mut sorted: Vec<f64> = values.iter().map(|value| transform.apply(*value)).collect();
        sorted.sort_unstable_by(f64::total_cmp);
        let at = |share: f64| sorted[((sorted.len() - 1) as f64 * share) as usize];
        // Quartiles, so that one wild value does not squeeze all others together.
        let spreads = [(0.25, 0.75), (0.0, 1.0)].map(|(low, high)| 0.5 * at(high) - 0.5 * at(low));
        let spread = spreads.into_iter().find(|spread| *spread > 0.0).unwrap_or(1.0);
        let scale = libm::exp2(libm::log2(spread).round().clamp(-1000.0, 1000.0));
        let shift = (at(0.5) / scale / 8.0).round() * 8.0 * scale;
        let shift = if shift.is_finite() { shift } else { 0.0 };
        Self { name: name.to_owned(), shift, scale }
    }

    fn apply(&self, raw: f64, transform: FeatureTransform) -> f32 {
        // Halved first: the difference of two huge numbers need not be finite.
        let feature = 2.0 * ((0.5 * transform.apply(raw) - 0.5 * self.shift) / self.scale);
        feature.clamp(-1e6, 1e6) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_stamps_keep_their_differences_in_single_precision() {
        let column: Vec<f64> = (0..100).map(|second| 1.7e9 + f64::from(second)).collect();
        let columns = [column];
        let preprocessor =
            Preprocessor::new(&FeatureConfig::default(), &["time".to_owned()], &columns);
        let matrix = preprocessor.transform_columns(&columns);
        for pair in matrix.values().windows(2) {
            assert!((pair[1] - pair[0] - 1.0 / 32.0).abs() < 1e-6);
        }
    }

    #[test]
    fn rows_and_columns_give_the_same_features() {
        let columns = [vec![1.0, 20.0, 300.0], vec![-5.0, 0.0, 7.0]];
        let names = ["a".to_owned(), "b".to_owned()];
        let config = FeatureConfig { transform: FeatureTransform::Log };
        let preprocessor = Preprocessor::new(&config, &names, &columns);
        let rows = [1.0, -5.0, 20.0, 0.0, 300.0, 7.0];
        assert_eq!(preprocessor.transform_columns(&columns), preprocessor.transform_rows(&rows));
    }

    #[test]
    fn one_wild_value_does_not_squeeze_the_others() {
        let mut column: Vec<f64> = (0..50).map(f64::from).collect();
        let names = ["a".to_owned()];
        let of = |column: &[f64]| {
            let columns = [column.to_vec()];
            Preprocessor::new(&FeatureConfig::default(), &names, &columns)
                .transform_columns(&columns)
        };
        let before = of(&column);
        column[49] = 1e9;
        assert_eq!(before.values()[..49], of(&column).values()[..49]);
    }

    #[test]
    fn constant_and_huge_columns_stay_finite() {
        let columns = [vec![3.0, 3.0], vec![-1e308, 1e308]];
        let names = ["a".to_owned(), "b".to_owned()];
        let preprocessor = Preprocessor::new(&FeatureConfig::default(), &names, &columns);
        let matrix = preprocessor.transform_columns(&columns);
        assert!(matrix.values().iter().all(|value| value.is_finite()), "{matrix:?}");
        assert!(matrix.row(1)[1] > matrix.row(0)[1]);
        assert!(preprocessor.transform_rows(&[1e300, 0.0]).values().iter().all(|v| v.is_finite()));
    }
}
