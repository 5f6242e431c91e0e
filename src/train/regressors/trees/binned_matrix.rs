//! Feature columns cut into at most 255 bins.

use crate::features::FeatureMatrix;

/// Most bins of a column, so that a bin fits a byte with one to spare.
const MOST_BINS: usize = 255;

/// A matrix of bins, column-major, with the range of values that each bin holds.
///
/// Up to 255 distinct values get a bin each; more are cut into groups of nearly equal numbers of
/// *distinct* values, so that a value which fills half of the rows costs one bin only.
#[derive(Clone, Debug)]
pub(crate) struct BinnedMatrix {
    rows: usize,
    bins: Vec<u8>,
    columns: Vec<BinRanges>,
}

/// The smallest and the largest value in each bin of a column.
#[derive(Clone, Debug)]
struct BinRanges {
    low: Vec<f32>,
    high: Vec<f32>,
}

impl BinnedMatrix {
    /// Cuts and bins every column of `matrix`.
    #[must_use]
    pub(crate) fn fit(matrix: &FeatureMatrix) -> Self {
        let rows = matrix.rows();
        let mut bins = Vec::with_capacity(rows * matrix.columns());
        let mut columns = Vec::with_capacity(matrix.columns());
        for column in 0..matrix.columns() {
            let values: Vec<f32> = (0..rows).map(|row| matrix.row(row)[column]).collect();
            let ranges = BinRanges::fit(&values);
            bins.extend(values.iter().map(|value| ranges.bin(*value)));
            columns.push(ranges);
        }
        Self { rows, bins, columns }
    }

    /// Number of columns.
    #[must_use]
    pub(crate) fn columns(&self) -> usize {
        self.columns.len()
    }

    /// The bins of one column, one per row.
    #[must_use]
    pub(crate) fn column(&self, column: usize) -> &[u8] {
        &self.bins[column * self.rows..(column + 1) * self.rows]
    }

    /// Number of bins of a column.
    #[must_use]
    pub(crate) fn bins(&self, column: usize) -> usize {
        self.columns[column].low.len()
    }

    /// The threshold `t` midway between bin `left` and a later bin `right`: values in bins up to
    /// `left` satisfy `value <= t`, values from `right` on do not.
    #[must_use]
    pub(crate) fn threshold(&self, column: usize, left: u8, right: u8) -> f32 {
        let ranges = &self.columns[column];
        midway(ranges.high[left as usize], ranges.low[right as usize])
    }

    /// The smallest value in a bin.
    #[must_use]
    pub(crate) fn low(&self, column: usize, bin: u8) -> f32 {
        self.columns[column].low[bin as usize]
    }

    /// The largest value in a bin.
    #[must_use]
    pub(crate) fn high(&self, column: usize, bin: u8) -> f32 {
        self.columns[column].high[bin as usize]
    }

    /// The last bin that starts at or below `value` (the first bin if none does).
    #[must_use]
    pub(crate) fn last_bin_from(&self, column: usize, value: f32) -> u8 {
        self.columns[column].low.partition_point(|low| *low <= value).saturating_sub(1) as u8
    }
}

impl BinRanges {
    fn fit(values: &[f32]) -> Self {
        let mut distinct: Vec<f32> =
            values.iter().copied().filter(|value| !value.is_nan()).collect();
        distinct.sort_unstable_by(f32::total_cmp);
        distinct.dedup();
        let bins = distinct.len().clamp(1, MOST_BINS);
        let start = |bin: usize| bin * distinct.len() / bins;
        let value = |index: usize| distinct.get(index).copied().unwrap_or(0.0);
        Self {
            low: (0..bins).map(|bin| value(start(bin))).collect(),
            high: (0..bins).map(|bin| value(start(bin + 1).saturating_sub(1))).collect(),
        }
    }

    /// The bin of a fitted value; one that is not a number joins the last bin, which always goes
    /// right, as in prediction.
    fn bin(&self, value: f32) -> u8 {
        let bin = self.high.partition_point(|high| *high < value || value.is_nan());
        bin.min(self.high.len() - 1) as u8
    }
}

/// A number `t` with `low <= t < high`, in the middle where single precision has room for one.
fn midway(low: f32, high: f32) -> f32 {
    let middle = f64::midpoint(f64::from(low), f64::from(high)) as f32;
    if middle >= low && middle < high { middle } else { low }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Generator;

    #[test]
    fn few_distinct_values_get_a_bin_each() {
        let binned = BinnedMatrix::fit(&FeatureMatrix::new(1, vec![3.0, 1.0, 3.0, 2.0]));
        assert_eq!(binned.column(0), [2, 0, 2, 1]);
        assert_eq!((binned.bins(0), binned.threshold(0, 0, 2)), (3, 2.0));
    }

    #[test]
    fn binning_and_comparing_with_the_threshold_agree() {
        let mut generator = Generator::new(1, &[]);
        let mut values: Vec<f32> =
            (0..4000).map(|_| (generator.normal() * 3.0).exp() as f32).collect();
        values.extend([
            1.0,
            f32::from_bits(1.0_f32.to_bits() + 1),
            0.0,
            -0.0,
            f32::MAX,
            f32::INFINITY,
        ]);
        let binned = BinnedMatrix::fit(&FeatureMatrix::new(1, values.clone()));
        assert_eq!(binned.bins(0), 255);
        for bin in 0..254 {
            let threshold = binned.threshold(0, bin, bin + 1);
            let agrees = |(value, own): (&f32, &u8)| (*value <= threshold) == (*own <= bin);
            assert!(values.iter().zip(binned.column(0)).all(agrees), "bin {bin}");
        }
    }

    #[test]
    fn missing_values_join_the_last_bin() {
        let binned = BinnedMatrix::fit(&FeatureMatrix::new(1, vec![1.0, f32::NAN, 2.0]));
        assert_eq!(binned.column(0), [0, 1, 1]);
        let empty = BinnedMatrix::fit(&FeatureMatrix::new(1, vec![f32::NAN; 2]));
        assert_eq!((empty.bins(0), empty.column(0)), (1, [0, 0].as_slice()));
    }
}
