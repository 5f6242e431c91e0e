//! Rows that a model was trained on, kept to compare later rows with.

/// A sample of the training rows with their out-of-fold predictions.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reference {
    /// Number of raw columns.
    pub columns: usize,
    /// Raw rows, row-major, shape `[rows, columns]`; `NaN` where a value is missing.
    pub inputs: Vec<f64>,
    /// Out-of-fold prediction of each row, in the target's unit.
    pub predictions: Vec<f64>,
    /// Target of each row.
    pub targets: Vec<f64>,
}

impl Reference {
    /// Rows that are kept at most.
    pub const ROWS: usize = 2000;

    /// The raw rows.
    #[must_use]
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[f64]> {
        self.inputs.chunks_exact(self.columns.max(1))
    }

    /// The values of a raw column.
    pub fn column(&self, column: usize) -> impl Iterator<Item = f64> {
        self.rows().map(move |row| row[column])
    }

    /// Whether every part is of the size that the others need.
    #[must_use]
    pub fn is_consistent(&self, columns: usize) -> bool {
        self.columns == columns
            && !self.targets.is_empty()
            && self.predictions.len() == self.targets.len()
            && self.inputs.len() == self.targets.len() * columns
    }
}
