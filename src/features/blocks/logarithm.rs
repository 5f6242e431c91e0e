//! The logarithm of a block.

use serde::{Deserialize, Serialize};

use super::{Columns, FittedBlock};

/// `log1p(x)`: `sign(x) ln(1 + |x|)`. Signals that span decades become comparable, and zero and
/// negative values keep their place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Log1p {
    pub(crate) of: Box<FittedBlock>,
}

impl Columns for Log1p {
    fn names(&self, raw: &[String]) -> Vec<String> {
        self.of.names(raw).into_iter().map(|name| format!("log1p({name})")).collect()
    }

    fn append(&self, row: &[f64], values: &mut Vec<f64>) {
        let start = values.len();
        self.of.append(row, values);
        for value in &mut values[start..] {
            *value = value.signum() * libm::log1p(value.abs());
        }
    }
}
