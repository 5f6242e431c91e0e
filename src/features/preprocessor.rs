//! From raw rows to features, fitted on the training rows of a fold.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{
    CleanConfig, FeatureBlock, FeatureMatrix, Layout, blocks::FittedBlock, cleaning::Cleaning,
    output::OutputColumn,
};

/// Rows that blocks and scales are fitted on at most, evenly spaced.
const MOST_FITTED_ROWS: usize = 100_000;

/// Rows that one thread turns into features at a time.
const BLOCK_ROWS: usize = 1024;

/// Turns raw columns into a [`FeatureMatrix`]: cleans them, computes the feature blocks, clips and
/// shifts.
///
/// Everything in it is fitted on the rows given to [`Self::fit`] alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Preprocessor {
    /// Names of the raw columns.
    pub(crate) inputs: Vec<String>,
    /// What happens to raw values; `None` leaves missing ones missing.
    pub(crate) cleaning: Option<Cleaning>,
    /// What features are made of.
    pub(crate) blocks: Vec<FittedBlock>,
    /// Features: those of the blocks, then the indicators of missing values.
    pub(crate) outputs: Vec<OutputColumn>,
    /// Columns of the matrix; those beyond the features are 0.
    pub(crate) width: usize,
}

/// Raw columns and the rows to fit on.
#[derive(Clone, Copy, Debug)]
pub struct RawRows<'a> {
    /// Names of the columns.
    pub names: &'a [String],
    /// Values by column, shape `[columns][all rows]`; `NaN` where a value is missing.
    pub columns: &'a [Vec<f64>],
    /// The rows that may be looked at.
    pub rows: &'a [u32],
}

impl Preprocessor {
    /// Fits the preprocessor that computes `blocks`, which must suit `layout`.
    #[must_use]
    pub fn fit(
        clean: &CleanConfig,
        blocks: &[FeatureBlock],
        layout: &Layout,
        raw: RawRows<'_>,
    ) -> Self {
        let cleaning = Cleaning::fit(clean, raw.columns, raw.rows);
        let layout = &layout.with_dead(cleaning.dead().collect());
        let clip = (clean.clip > 0.0).then_some(clean.clip);
        Self::assemble(Some(cleaning), blocks, clip, layout, raw)
    }

    /// The columns themselves or their logarithms, neither cleaned nor clipped: missing values stay
    /// `NaN`.
    #[must_use]
    pub fn plain(logarithm: bool, raw: RawRows<'_>) -> Self {
        let own = FeatureBlock::Raw;
        let block = if logarithm { FeatureBlock::Log1p(Box::new(own)) } else { own };
        let layout = Layout::plain(raw.columns.len());
        Self::assemble(None, &[block], None, &layout, raw)
    }

    fn assemble(
        cleaning: Option<Cleaning>,
        blocks: &[FeatureBlock],
        clip: Option<f64>,
        layout: &Layout,
        raw: RawRows<'_>,
    ) -> Self {
        let step = raw.rows.len().div_ceil(MOST_FITTED_ROWS).max(1);
        let sample = cleaned_rows(cleaning.as_ref(), raw, step);
        let blocks: Vec<FittedBlock> =
            blocks.iter().map(|block| FittedBlock::fit(block, layout, &sample)).collect();
        let mut fitted =
            Self { inputs: raw.names.to_vec(), cleaning, blocks, outputs: Vec::new(), width: 0 };
        let values = fitted.unscaled(&sample);
        let names = fitted.blocks.iter().flat_map(|block| block.names(raw.names));
        fitted.outputs =
            names.zip(values).map(|(name, values)| OutputColumn::fit(name, values, clip)).collect();
        let indicators: Vec<OutputColumn> = fitted
            .indicators()
            .map(|input| OutputColumn::indicator(format!("missing({})", raw.names[input])))
            .collect();
        fitted.outputs.extend(indicators);
        fitted.width = fitted.outputs.len();
        fitted
    }

    /// Names of the raw columns, in the order of raw rows.
    #[must_use]
    pub fn inputs(&self) -> &[String] {
        &self.inputs
    }

    /// Names of the features.
    #[must_use]
    pub fn outputs(&self) -> impl ExactSizeIterator<Item = &str> {
        self.outputs.iter().map(|output| output.name.as_str())
    }

    /// Columns of the matrices that it makes.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// Makes matrices of `width` columns, at least one per feature: those without a feature are 0.
    pub fn widen(&mut self, width: usize) {
        self.width = self.width.max(width);
    }

    /// Whether every part is of the size that the others need.
    #[must_use]
    pub fn is_consistent(&self) -> bool {
        let is_sound =
            |own: &OutputColumn| own.shift.is_finite() && own.scale > 0.0 && own.scale.is_finite();
        self.width >= self.outputs.len()
            && !self.inputs.is_empty()
            && self.outputs.iter().all(is_sound)
            && self.cleaning.as_ref().is_none_or(|own| own.columns.len() == self.inputs.len())
    }

    /// Of the feature values in the first `rows` rows of a matrix that it made: how many lay beyond the
    /// bound before they were clipped, and how many could be.
    #[must_use]
    pub fn clipped(&self, matrix: &FeatureMatrix, rows: usize) -> (usize, usize) {
        let mut counts = (0, 0);
        for row in 0..rows {
            for (value, output) in matrix.row(row).iter().zip(&self.outputs) {
                if let Some(is_clipped) = output.is_clipped(*value) {
                    counts = (counts.0 + usize::from(is_clipped), counts.1 + 1);
                }
            }
        }
        counts
    }

    /// Names of the raw columns that do not count because they are dead.
    pub fn dead(&self) -> impl Iterator<Item = &str> {
        let dead = self.cleaning.iter().flat_map(Cleaning::dead);
        dead.map(|input| self.inputs[input].as_str())
    }

    /// Features of raw columns, shape `[columns][rows]`.
    #[must_use]
    pub fn transform_columns(&self, columns: &[Vec<f64>]) -> FeatureMatrix {
        let rows = columns.first().map_or(0, Vec::len);
        let mut values = vec![0.0; rows * self.width];
        let block = |(index, values): (usize, &mut [f32])| {
            let mut work = Work::default();
            for (row, features) in (index * BLOCK_ROWS..).zip(values.chunks_exact_mut(self.width)) {
                work.raw.clear();
                work.raw.extend(columns.iter().map(|column| column[row]));
                self.transform_row(&mut work, features);
            }
        };
        values.par_chunks_mut((BLOCK_ROWS * self.width).max(1)).enumerate().for_each(block);
        FeatureMatrix::new(self.width, values)
    }

    /// Features of raw rows, row-major.
    #[must_use]
    pub fn transform_rows(&self, rows: &[f64]) -> FeatureMatrix {
        let count = rows.len() / self.inputs.len();
        let mut values = vec![0.0; count * self.width];
        let mut work = Work::default();
        let features = values.chunks_exact_mut(self.width);
        for (row, features) in rows.chunks_exact(self.inputs.len()).zip(features) {
            work.raw.clear();
            work.raw.extend_from_slice(row);
            self.transform_row(&mut work, features);
        }
        FeatureMatrix::new(self.width, values)
    }

    fn transform_row(&self, work: &mut Work, features: &mut [f32]) {
        let Work { raw, values } = work;
        values.clear();
        let indicators = self.indicators().map(|input| f64::from(u8::from(raw[input].is_nan())));
        let indicators: Vec<f64> = indicators.collect();
        if let Some(cleaning) = &self.cleaning {
            cleaning.apply(raw);
        }
        self.blocks.iter().for_each(|block| block.append(raw, values));
        values.extend(indicators);
        // Sums of numbers near the end of their range may leave it, and their differences say nothing any more.
        if raw.iter().all(|value| !value.is_nan()) {
            values.iter_mut().filter(|value| value.is_nan()).for_each(|value| *value = 0.0);
        }
        for ((feature, value), output) in features.iter_mut().zip(values).zip(&self.outputs) {
            *feature = output.apply(*value);
        }
    }

    fn indicators(&self) -> impl Iterator<Item = usize> {
        self.cleaning.iter().flat_map(Cleaning::indicators)
    }

    /// The columns of the blocks before they are clipped and shifted, by column.
    fn unscaled(&self, rows: &[f64]) -> Vec<Vec<f64>> {
        let blocks = self.blocks.iter();
        blocks.flat_map(|block| block.by_column(self.inputs.len(), rows)).collect()
    }
}

/// Room for one row, raw and as features.
#[derive(Default)]
struct Work {
    raw: Vec<f64>,
    values: Vec<f64>,
}

/// Every `step`-th of the rows, cleaned, row-major.
fn cleaned_rows(cleaning: Option<&Cleaning>, raw: RawRows<'_>, step: usize) -> Vec<f64> {
    let mut values = Vec::with_capacity(raw.rows.len() / step * raw.columns.len());
    for row in raw.rows.iter().step_by(step) {
        let start = values.len();
        values.extend(raw.columns.iter().map(|column| column[*row as usize]));
        if let Some(cleaning) = cleaning {
            cleaning.apply(&mut values[start..]);
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::MissingRule;

    fn names(count: usize) -> Vec<String> {
        (0..count).map(|index| format!("x{index}")).collect()
    }

    fn blocks(names: &[&str]) -> Vec<FeatureBlock> {
        names.iter().map(|name| name.parse().unwrap()).collect()
    }

    fn fit(clean: &CleanConfig, set: &[&str], columns: &[Vec<f64>], rows: &[u32]) -> Preprocessor {
        let names = names(columns.len());
        let layout = Layout::plain(columns.len());
        let raw = RawRows { names: &names, columns, rows };
        Preprocessor::fit(clean, &blocks(set), &layout, raw)
    }

    fn all(columns: &[Vec<f64>]) -> Vec<u32> {
        (0..columns[0].len() as u32).collect()
    }

    #[test]
    fn time_stamps_keep_their_differences_in_single_precision() {
        let columns = [(0..100).map(|second| 1.7e9 + f64::from(second)).collect::<Vec<f64>>()];
        let matrix = fit(&CleanConfig::default(), &["raw"], &columns, &all(&columns))
            .transform_columns(&columns);
        for pair in matrix.values().windows(2) {
            assert!((pair[1] - pair[0] - 1.0 / 32.0).abs() < 1e-6);
        }
    }

    #[test]
    fn rows_and_columns_give_the_same_features() {
        let columns = [vec![1.0, 20.0, 300.0, f64::NAN], vec![-5.0, 0.0, 7.0, 1.0]];
        let clean = CleanConfig { missing: MissingRule::Median, clip: 3.0, ..Default::default() };
        let set = ["log1p(raw)", "total", "pairs(raw)", "normal(raw)", "pca(raw)"];
        let preprocessor = fit(&clean, &set, &columns, &all(&columns));
        let rows = [1.0, -5.0, 20.0, 0.0, 300.0, 7.0, f64::NAN, 1.0];
        let matrix = preprocessor.transform_columns(&columns);
        assert_eq!(matrix, preprocessor.transform_rows(&rows));
        assert_eq!(preprocessor.outputs().last(), Some("missing(x0)"));
        assert_eq!(matrix.row(3).last(), Some(&1.0));
        assert_eq!(matrix.row(2).last(), Some(&0.0));
    }

    #[test]
    fn held_out_rows_change_nothing_that_is_fitted() {
        let mut generator = crate::data::Generator::new(5, &[]);
        let mut columns: Vec<Vec<f64>> =
            (0..4).map(|_| (0..60).map(|_| generator.exponential()).collect()).collect();
        columns[1][3] = f64::NAN;
        let clean = CleanConfig {
            missing: MissingRule::Median,
            clip: 3.0,
            dead_share: 0.9,
            ..Default::default()
        };
        let set = ["raw", "log1p(total)", "normal(raw)", "pca(log1p(raw))", "pairs(raw)", "shares"];
        let train: Vec<u32> = (0..40).collect();
        let before = fit(&clean, &set, &columns, &train);
        for trial in 0..20 {
            for column in &mut columns {
                for value in &mut column[40..] {
                    *value = match generator.below(4) {
                        0 => f64::NAN,
                        1 => 1e9 * generator.normal(),
                        _ => f64::from(trial),
                    };
                }
            }
            assert_eq!(before, fit(&clean, &set, &columns, &train));
        }
    }

    #[test]
    fn widened_features_end_in_zeros() {
        let columns = [vec![1.0, 2.0, 3.0]];
        let mut preprocessor = fit(&CleanConfig::default(), &["raw"], &columns, &all(&columns));
        preprocessor.widen(3);
        assert_eq!(preprocessor.transform_columns(&columns).row(2)[1..], [0.0, 0.0]);
    }

    #[test]
    fn plain_features_leave_missing_values_missing() {
        let columns = [vec![1.0, f64::NAN, 30.0]];
        let names = names(1);
        let raw = RawRows { names: &names, columns: &columns, rows: &[0, 1, 2] };
        let matrix = Preprocessor::plain(true, raw).transform_columns(&columns);
        assert!(matrix.row(1)[0].is_nan() && matrix.row(2)[0].is_finite());
    }
}
