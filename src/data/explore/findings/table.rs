//! The table as the checks see it: columns with their sorted values and repeats.

use rayon::prelude::*;

use crate::data::{
    Dataset, TableSchema,
    explore::{
        ColumnProfile, ColumnRole, Profile,
        profile::columns_of,
        statistics::{quantile, sorted},
    },
};

/// Share of effectively different values from which a column counts as continuous: noise rarely
/// gives the same value twice, while ages, ratings and codes repeat. Low enough for rows that are
/// all there twice.
const CONTINUOUS_SHARE: f64 = 0.4;
/// Effectively different values that are enough in any table: counted signals come in steps, which
/// large tables exhaust.
const CONTINUOUS_LEVELS: f64 = 200.0;
/// Whole numbers below this are counts of few things, ages or codes rather than signals.
const SMALL_INTEGERS: f64 = 100.0;
/// Values from which repeats say something at all.
const FEWEST_VALUES: usize = 5;

/// What the checks look at.
pub(super) struct Table<'a> {
    pub(super) dataset: &'a Dataset,
    pub(super) profile: &'a Profile,
    pub(super) schema: Option<&'a TableSchema>,
    /// The target, then the features.
    pub(super) columns: Vec<Column<'a>>,
}

/// One column as the checks see it.
pub(super) struct Column<'a> {
    pub(super) name: &'a str,
    pub(super) values: &'a [f64],
    pub(super) profile: &'a ColumnProfile,
    /// The values that are there, from the smallest to the largest.
    pub(super) sorted: Vec<f64>,
    /// Whether all values are whole numbers.
    pub(super) integers: bool,
    pub(super) repeats: Repeats,
}

/// How often values of a column occur.
#[derive(Default)]
pub(super) struct Repeats {
    /// The commonest value and its rows.
    pub(super) top: (f64, usize),
    /// Rows of the fourth commonest value: up to three faults do not hide each other.
    pub(super) usual: usize,
    /// Number of effectively different values besides the commonest: 1 / (chance that two rows
    /// agree).
    levels: f64,
}

impl<'a> Table<'a> {
    pub(super) fn new(
        dataset: &'a Dataset,
        profile: &'a Profile,
        schema: Option<&'a TableSchema>,
    ) -> Self {
        let values = columns_of(dataset);
        let columns = values.par_iter().zip(&profile.columns);
        let columns = columns.map(|(&(name, _, values), of)| Column::new(name, values, of));
        Self { dataset, profile, schema, columns: columns.collect() }
    }

    pub(super) fn rows(&self) -> usize {
        self.dataset.rows()
    }

    pub(super) fn target(&self) -> &Column<'a> {
        &self.columns[0]
    }

    pub(super) fn features(&self) -> &[Column<'a>] {
        &self.columns[1..]
    }

    /// Whether most features that vary are continuous, as signals are.
    pub(super) fn holds_signals(&self) -> bool {
        let varied = self.features().iter().filter(|column| column.varies());
        let continuous = varied.clone().filter(|column| column.is_continuous()).count();
        2 * continuous > varied.count()
    }
}

impl<'a> Column<'a> {
    fn new(name: &'a str, values: &'a [f64], profile: &'a ColumnProfile) -> Self {
        let sorted = sorted(values);
        let integers = sorted.iter().all(|value| value.fract() == 0.0);
        let repeats = Repeats::of(&sorted);
        Self { name, values, profile, sorted, integers, repeats }
    }

    pub(super) fn is_target(&self) -> bool {
        self.profile.role == ColumnRole::Target
    }

    pub(super) fn varies(&self) -> bool {
        self.profile.distinct > 1
    }

    pub(super) fn quantile(&self, share: f64) -> f64 {
        quantile(&self.sorted, share).unwrap_or(f64::NAN)
    }

    /// The rows, from 0, whose value passes `test`; a missing value passes none.
    pub(super) fn rows_where(&self, test: impl Fn(f64) -> bool) -> Vec<usize> {
        let rows = self.values.iter().enumerate();
        rows.filter(|(_, value)| !value.is_nan() && test(**value)).map(|(row, _)| row).collect()
    }

    /// Whether the values, apart from the commonest one, look like measurements: nearly all
    /// different, or in very many fine steps.
    pub(super) fn is_continuous(&self) -> bool {
        is_continuous(&self.sorted, self.integers, &self.repeats)
    }
}

/// The same of sorted values alone.
pub(super) fn is_fine(sorted: &[f64]) -> bool {
    let integers = sorted.iter().all(|value| value.fract() == 0.0);
    is_continuous(sorted, integers, &Repeats::of(sorted))
}

fn is_continuous(sorted: &[f64], integers: bool, repeats: &Repeats) -> bool {
    let varies = sorted.first() != sorted.last();
    let tenth = quantile(sorted, 0.9).unwrap_or(f64::NAN);
    if !varies || (integers && tenth.abs() < SMALL_INTEGERS) {
        return false;
    }
    let others = sorted.len() - repeats.top.1;
    if others < FEWEST_VALUES {
        return !integers;
    }
    repeats.levels >= CONTINUOUS_LEVELS.min(CONTINUOUS_SHARE * others as f64)
}

impl Repeats {
    fn of(sorted: &[f64]) -> Self {
        // The four commonest, the commonest first.
        let mut most = [(f64::NAN, 0_usize); 4];
        let mut squares = 0.0;
        for equal in sorted.chunk_by(|a, b| a == b) {
            let count = equal.len();
            squares += (count as f64).powi(2);
            if count > most[3].1 {
                most[3] = (equal[0], count);
                most.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
            }
        }
        let (top, usual) = (most[0], most[3].1.max(1));
        let others = (sorted.len() - top.1) as f64;
        let levels = others.powi(2) / (squares - (top.1 as f64).powi(2)).max(1.0);
        Self { top, usual, levels }
    }
}
