//! Rows that a model was trained on, kept to compare later rows with.

/// A sample of the training rows, one of each group, with what the folds that held them out say of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reference {
    /// Number of raw columns.
    pub columns: usize,
    /// Raw rows, row-major, shape `[rows, columns]`; `NaN` where a value is missing.
    pub inputs: Vec<f64>,
    /// Out-of-fold prediction of each row, in the target's unit.
    pub predictions: Vec<f64>,
    /// Bounds of its interval.
    pub lower: Vec<f64>,
    /// Bounds of its interval.
    pub upper: Vec<f64>,
    /// Target of each row.
    pub targets: Vec<f64>,
    /// Joint distance of each row from the training rows of its fold.
    pub distances: Vec<f64>,
    /// What each column has more than the row's other columns let expect, by the training rows of its fold; shape
    /// `[rows, columns]`.
    pub residuals: Vec<f64>,
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
            && [&self.predictions, &self.lower, &self.upper, &self.distances]
                .iter()
                .all(|own| own.len() == self.targets.len())
            && [&self.inputs, &self.residuals]
                .iter()
                .all(|own| own.len() == self.targets.len() * columns)
    }
}
