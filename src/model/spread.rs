//! How far off the models of a fold expect to be.

use super::{FittedRegressor, Regressor};

/// The size of the errors of a fold's models in the space of learning, row by row. Intervals are
/// multiples of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Spread {
    /// The same for every row.
    Constant(f64),
    /// What a regressor of the absolute inner residuals says, but at least `floor`.
    Model {
        /// The regressor.
        regressor: Box<FittedRegressor>,
        /// Smallest spread.
        floor: f64,
    },
}

impl Default for Spread {
    fn default() -> Self {
        Self::Constant(1.0)
    }
}

impl Spread {
    /// The spreads for some rows of features.
    #[must_use]
    pub(crate) fn of_rows(&self, rows: &[&[f32]]) -> Vec<f64> {
        match self {
            Self::Constant(spread) => vec![*spread; rows.len()],
            Self::Model { regressor, floor } => {
                regressor.predict_rows(rows).into_iter().map(|own| own.max(*floor)).collect()
            }
        }
    }
}
