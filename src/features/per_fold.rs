//! One thing for each fold, kept once where folds agree.

use serde::{Deserialize, Serialize};

/// What was fitted for each fold of all repeats. Folds that came to the very same thing share it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PerFold<T> {
    distinct: Vec<T>,
    of_fold: Vec<usize>,
}

impl<T> PerFold<T> {
    /// The same thing for each of `folds` folds.
    #[must_use]
    pub fn shared(thing: T, folds: usize) -> Self {
        Self { distinct: vec![thing], of_fold: vec![0; folds] }
    }

    /// The folds of all `parts`, one part after the other.
    #[must_use]
    pub fn joined(parts: Vec<Self>) -> Self {
        let mut all = Self { distinct: Vec::new(), of_fold: Vec::new() };
        for part in parts {
            let first = all.distinct.len();
            all.of_fold.extend(part.of_fold.iter().map(|place| first + place));
            all.distinct.extend(part.distinct);
        }
        all
    }

    /// The thing of a fold.
    #[must_use]
    pub fn get(&self, fold: usize) -> &T {
        &self.distinct[self.of_fold[fold]]
    }

    /// The different things.
    #[must_use]
    pub fn distinct(&self) -> &[T] {
        &self.distinct
    }

    /// The position among [`Self::distinct`] of each fold's thing.
    #[must_use]
    pub fn of_fold(&self) -> &[usize] {
        &self.of_fold
    }

    /// Whether every fold has one, of `folds` folds.
    #[must_use]
    pub fn is_consistent(&self, folds: usize) -> bool {
        self.of_fold.len() == folds && self.of_fold.iter().all(|one| *one < self.distinct.len())
    }

    /// What `make` makes of each different thing.
    #[must_use]
    pub fn map<U>(&self, make: impl FnMut(&T) -> U) -> PerFold<U> {
        PerFold {
            distinct: self.distinct.iter().map(make).collect(),
            of_fold: self.of_fold.clone(),
        }
    }
}

impl<T: PartialEq> PerFold<T> {
    /// Keeps equal things once.
    #[must_use]
    pub fn new(things: Vec<T>) -> Self {
        let (mut distinct, mut of_fold): (Vec<T>, Vec<usize>) = (Vec::new(), Vec::new());
        for thing in things {
            let known = distinct.iter().position(|other| *other == thing);
            of_fold.push(known.unwrap_or_else(|| {
                distinct.push(thing);
                distinct.len() - 1
            }));
        }
        Self { distinct, of_fold }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_that_agree_share_one_thing() {
        let folds = PerFold::new(vec!["a", "b", "a"]);
        assert_eq!(folds.distinct(), ["a", "b"]);
        assert_eq!([folds.get(0), folds.get(1), folds.get(2)], [&"a", &"b", &"a"]);
        assert!(folds.is_consistent(3) && !folds.is_consistent(2));
    }
}
