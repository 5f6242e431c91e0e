//! What the page needs to predict by itself, row by row.

use serde::Serialize;

/// A model for the page's script, with the values that it starts from.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WhatIf {
    /// The model for the script: JSON, compressed with zlib, in base64.
    #[serde(skip)]
    pub model: String,
    /// How far the page may be from the program, relative to the prediction.
    pub tolerance: f64,
    /// The target.
    pub target: String,
    /// Its unit; empty where it is not known.
    pub unit: String,
    /// Nominal coverage of the intervals.
    pub level: f64,
    /// The columns, in the order of the model.
    pub columns: Vec<WhatIfColumn>,
    /// Rows to start from.
    pub rows: Vec<WhatIfRow>,
}

/// A column that can be set.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WhatIfColumn {
    /// Its name.
    pub name: String,
    /// Its unit; empty where it is not known.
    pub unit: String,
    /// Smallest value that the model was trained on.
    pub low: f64,
    /// Largest value that the model was trained on.
    pub high: f64,
    /// Whether it is best set by ratios.
    pub logarithmic: bool,
}

/// A row to start from.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WhatIfRow {
    /// What it is.
    pub label: String,
    /// The value of each column.
    pub values: Vec<f64>,
}

impl WhatIf {
    /// Models whose text is longer stay out of the page: a report is no archive.
    pub const LONGEST_MODEL: usize = 2_500_000;
}
