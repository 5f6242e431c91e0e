//! The products of a block.

use serde::{Deserialize, Serialize};

use super::{Columns, FittedBlock, in_standard_units, standard_units};

/// Columns whose products are formed at most: 40 give 820 products.
pub(in crate::features) const MOST_PAIRED: usize = 40;

/// `x*y` and `x^2`: the products of standardised columns (mean 0 and deviation 1 on the training
/// rows), so that a product says something that its factors do not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Pairs {
    pub(crate) of: Box<FittedBlock>,
    /// Mean and one over the standard deviation of each column.
    pub(crate) units: Vec<(f64, f64)>,
}

impl Pairs {
    pub(super) fn fit(of: Box<FittedBlock>, width: usize, rows: &[f64]) -> Self {
        let columns = of.by_column(width, rows);
        let units = columns.iter().take(MOST_PAIRED).map(|column| standard_units(column));
        Self { units: units.collect(), of }
    }

    /// The two factors of each product.
    pub(crate) fn places(&self) -> impl Iterator<Item = (usize, usize)> {
        let count = self.units.len();
        (0..count).flat_map(move |a| (a..count).map(move |b| (a, b)))
    }
}

impl Columns for Pairs {
    fn names(&self, raw: &[String]) -> Vec<String> {
        let names = self.of.names(raw);
        let name = |(a, b): (usize, usize)| {
            if a == b { format!("{}^2", names[a]) } else { format!("{}*{}", names[a], names[b]) }
        };
        self.places().map(name).collect()
    }

    fn append(&self, row: &[f64], values: &mut Vec<f64>) {
        let inner = in_standard_units(&self.of, &self.units, row);
        values.extend(self.places().map(|(a, b)| inner[a] * inner[b]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::{FeatureBlock, Layout};

    #[test]
    fn products_of_standardised_columns_are_named_after_their_factors() {
        let layout = Layout::plain(2);
        let block = FeatureBlock::Pairs(Box::new(FeatureBlock::Raw));
        let fitted = FittedBlock::fit(&block, &layout, &[0.0, 10.0, 2.0, 30.0]);
        let mut values = Vec::new();
        fitted.append(&[4.0, 10.0], &mut values);
        // (4 - 1) / 1 = 3 and (10 - 20) / 10 = -1.
        assert_eq!(values, [9.0, -3.0, 1.0]);
        let names: Vec<String> = vec!["a".to_owned(), "b".to_owned()];
        assert_eq!(fitted.names(&names), ["a^2", "a*b", "b^2"]);
    }
}
