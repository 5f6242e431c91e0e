//! A linear function of the features.

use serde::{Deserialize, Serialize};

use super::Regressor;

/// `intercept + coefficients . features`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Linear {
    /// Value where every feature is 0.
    pub intercept: f64,
    /// Slope by each feature, shape `[features]`.
    pub coefficients: Vec<f64>,
}

impl Regressor for Linear {
    fn predict(&self, row: &[f32]) -> f64 {
        let products = row.iter().zip(&self.coefficients).map(|(x, c)| f64::from(*x) * c);
        self.intercept + products.sum::<f64>()
    }
}
