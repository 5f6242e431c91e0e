//! Whether the rows of one group err alike.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::data::explore::OneWay;

/// One-way random effects analysis of variance of residuals by group (Shrout and Fleiss, 1979, case 1).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupEffect {
    /// Intraclass correlation, `(B - W) / (B + (n - 1) W)` from the mean squares between and within groups: 1 where
    /// a group's rows err alike, 0 where they err as strangers do; not below 0.
    pub correlation: f64,
    /// Groups with more than one row.
    pub repeated: usize,
    /// Groups.
    pub groups: usize,
}

/// Fewer groups with several rows tell nothing.
const FEWEST_REPEATED: usize = 3;

impl GroupEffect {
    /// Of residuals, each with the name of its group; `None` where fewer than three groups have several rows.
    #[must_use]
    pub fn of<'a>(residuals: impl Iterator<Item = (&'a str, f64)>) -> Option<Self> {
        let (names, values): (Vec<&str>, Vec<f64>) = residuals.unzip();
        let mut groups: BTreeMap<&str, usize> = BTreeMap::new();
        for name in &names {
            *groups.entry(name).or_default() += 1;
        }
        let repeated = groups.values().filter(|rows| **rows > 1).count();
        if repeated < FEWEST_REPEATED {
            return None;
        }
        let numbers: BTreeMap<&str, u32> = groups.keys().copied().zip(0..).collect();
        let ids: Vec<u32> = names.iter().map(|name| numbers[name]).collect();
        let correlation = OneWay::of(&ids, &values).correlation();
        Some(Self { correlation: correlation.max(0.0), repeated, groups: groups.len() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_correlation_equals_that_of_shrout_and_fleiss() {
        // Their table 2: six targets, four judges, ICC(1, 1) = 0.17.
        let judged = [
            [9.0, 2.0, 5.0, 8.0],
            [6.0, 1.0, 3.0, 2.0],
            [8.0, 4.0, 6.0, 8.0],
            [7.0, 1.0, 2.0, 6.0],
            [10.0, 5.0, 6.0, 9.0],
            [6.0, 2.0, 4.0, 7.0],
        ];
        let names = ["a", "b", "c", "d", "e", "f"];
        let rows = names.iter().zip(judged).flat_map(|(name, own)| own.map(|value| (*name, value)));
        let found = GroupEffect::of(rows).unwrap();
        assert!((found.correlation - 0.165_74).abs() < 1e-4, "{found:?}");
        assert_eq!((found.repeated, found.groups), (6, 6));
    }

    #[test]
    fn rows_that_err_alike_have_correlation_one() {
        let rows =
            [("a", 1.0), ("a", 1.0), ("b", -2.0), ("b", -2.0), ("c", 0.5), ("c", 0.5), ("d", 3.0)];
        let found = GroupEffect::of(rows.into_iter()).unwrap();
        assert!((found.correlation - 1.0).abs() < 1e-12);
        assert_eq!((found.repeated, found.groups), (3, 4));
        assert_eq!(GroupEffect::of(rows[..4].iter().copied()), None);
    }
}
