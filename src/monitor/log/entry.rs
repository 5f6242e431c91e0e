//! What is kept of served predictions.

/// A model that has served, as long as its rows are kept.
#[derive(Clone, Debug, PartialEq)]
pub struct LoggedModel {
    /// What answers named it by, e.g. `drums@9f2c11aa`.
    pub version: String,
    /// The registered model that it is a version of.
    pub name: String,
    /// SHA-256 of its manifest.
    pub checksum: String,
    /// Name of the target.
    pub target: String,
    /// Unit of the target; empty where it has none.
    pub unit: String,
    /// Share of true values that intervals should contain.
    pub level: f64,
    /// Raw columns in the order of [`LoggedRow::inputs`].
    pub columns: Vec<String>,
}

/// A served row.
#[derive(Clone, Debug, PartialEq)]
pub struct LoggedRow {
    /// Its number in the log, which counts up; 0 until it is written.
    pub id: i64,
    /// When it was answered, milliseconds since 1970 (UTC).
    pub time: i64,
    /// The request that it came with.
    pub request_id: String,
    /// Its position in that request, from 0.
    pub position: i64,
    /// Version of the model that answered.
    pub model: String,
    /// The container (group) that it names; `None` where it names none.
    pub container: Option<String>,
    /// Raw values, `NaN` where one is missing.
    pub inputs: Vec<f64>,
    /// Predicted value.
    pub prediction: f64,
    /// Lower bound of its interval.
    pub lower: f64,
    /// Upper bound of its interval.
    pub upper: f64,
    /// Whether it is unlike the training data.
    pub out_of_domain: bool,
    /// Columns at fault for that, with spaces between them, worst first.
    pub columns_at_fault: String,
    /// The true value, where feedback has brought it.
    pub truth: Option<f64>,
    /// When it came first, milliseconds since 1970 (UTC).
    pub truth_time: Option<i64>,
    /// When another one took its place; `None` where it is still the first.
    pub corrected: Option<i64>,
}

impl LoggedRow {
    /// Whether the other row is the same measurement: a request that came twice.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let bits = |own: &Self| own.inputs.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        bits(self) == bits(other)
    }
}

/// The true value of a served row.
#[derive(Clone, Debug, PartialEq)]
pub struct LoggedTruth {
    /// When it came, milliseconds since 1970 (UTC).
    pub time: i64,
    /// The request that the row came with.
    pub request_id: String,
    /// The row's position in that request, from 0.
    pub position: i64,
    /// The true value.
    pub truth: f64,
}
