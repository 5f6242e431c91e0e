//! A dense matrix of features, one row after the other.

/// Features ready for a network, shape `[rows, columns]`, row-major, single precision.
#[derive(Clone, Debug, PartialEq)]
pub struct FeatureMatrix {
    columns: usize,
    values: Vec<f32>,
}

impl FeatureMatrix {
    /// A matrix of `values`, `columns` to a row.
    #[must_use]
    pub fn new(columns: usize, values: Vec<f32>) -> Self {
        debug_assert_eq!(values.len() % columns.max(1), 0);
        Self { columns, values }
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.values.len() / self.columns.max(1)
    }

    /// Number of columns.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// All values, row-major.
    #[must_use]
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// Adds the rows of `other`, which has as many columns, below.
    pub fn append(&mut self, other: &Self) {
        self.values.extend_from_slice(&other.values);
    }

    /// The same with further columns of 0, `width` in all.
    #[must_use]
    pub fn widened(&self, width: usize) -> Self {
        let rows = self.values.chunks_exact(self.columns.max(1));
        let zeros = || std::iter::repeat_n(0.0, width.saturating_sub(self.columns));
        let values = rows.flat_map(|row| row.iter().copied().chain(zeros())).collect();
        Self { columns: width.max(self.columns), values }
    }

    /// The chosen rows, in their order.
    #[must_use]
    pub fn gather(&self, rows: &[u32]) -> Self {
        let values = rows.iter().flat_map(|row| self.row(*row as usize).iter().copied());
        Self { columns: self.columns, values: values.collect() }
    }

    /// The features of one row.
    #[must_use]
    pub fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.columns..(row + 1) * self.columns]
    }
}
