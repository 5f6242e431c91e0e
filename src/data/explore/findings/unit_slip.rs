//! Values in another unit than the rest of their column.

use nalgebra::{DMatrix, DVector};
use rayon::prelude::*;

use crate::data::explore::{
    Finding, FindingKind, Severity,
    wording::{names, number, rows},
};

use super::{
    scale::Scale,
    table::{Column, Table},
};

/// Factors between units that people mix up: g and mg or kg, % and shares, m and um.
const FACTORS: [f64; 3] = [1e3, 1e2, 1e6];
/// A factor must be this many standard deviations of what the other columns leave unexplained; 9
/// keeps lognormal columns with a sigma of 2 out.
const CLEAR: f64 = 9.0;
/// The same where the other columns explain little: numbers that are spread evenly, or fall off
/// exponentially, then reach far down by themselves.
const CLEAR_ALONE: f64 = 20.0;
/// Share of the deviation of a column at which the other columns explain it.
const EXPLAINED: f64 = 0.5;
/// Values count as slipped within this factor of the exact one, or within so many deviations of what
/// the other columns leave unexplained, divided by the root of their number for their middle.
const WITHIN: f64 = 1.3;
const MIDDLE_DEVIATIONS: f64 = 3.0;
/// The middle is never so far off (as a logarithm) that another power of ten is as near.
const MIDDLE_MOST: f64 = 1.0;
/// Deviations for each single value, where their middle fits.
const SINGLE_DEVIATIONS: f64 = 8.0;
/// Between the slipped values and the rest there is this share of the factor (as a logarithm) with
/// no value in it.
const GAP: f64 = 0.25;
/// Robust standard deviations at which the other columns are cut off, so that their own faults do
/// not spoil the expectation.
const CUT: f64 = 3.0;
/// Usual rows from which their deviation is known well enough.
const FEWEST_USUAL: usize = 15;
/// Rows per column that is used for the expectation.
const ROWS_PER_COLUMN: usize = 5;
/// Columns that are used for the expectation at most: the best correlated ones.
const MOST_COLUMNS: usize = 24;
/// Rows from which the expectation is fitted.
const FIT_ROWS: usize = 20_000;

pub(super) fn check(table: &Table<'_>) -> Vec<Finding> {
    if table.rows() <= FEWEST_USUAL {
        return Vec::new();
    }
    let logs: Vec<Option<Logs>> = table.columns.par_iter().map(Logs::of).collect();
    let found = (0..logs.len()).into_par_iter().filter_map(|index| {
        let own = logs[index].as_ref()?;
        // Most columns vary too little for any slip.
        if own.farthest() < 0.5 * FACTORS[1].ln() {
            return None;
        }
        let others = predictors(table, &logs, index);
        let left = unexplained(own, &others);
        let shifts = FACTORS.iter().flat_map(|factor| [factor.ln(), -factor.ln()]);
        let slip = shifts
            .into_iter()
            .find_map(|shift| Slip::find(&left, shift, (own.spread, others.len())))?;
        Some(finding(&table.columns[index], &slip))
    });
    found.collect()
}

/// The logarithms of a positive column.
struct Logs {
    /// Difference from the median; `NaN` where there is no positive value.
    centred: Vec<f64>,
    /// The same, cut off at a few deviations; 0 where missing.
    cut: Vec<f64>,
    /// Robust standard deviation.
    spread: f64,
}

impl Logs {
    fn of(column: &Column<'_>) -> Option<Self> {
        let positive = column.sorted.partition_point(|value| *value <= 0.0);
        let negative = column.sorted.first().is_none_or(|value| *value < 0.0);
        if negative || 2 * positive > column.sorted.len() || !column.is_continuous() {
            return None;
        }
        let scale = Scale::logarithmic(&column.sorted[positive..])?;
        let log = |value: &f64| if *value > 0.0 { value.ln() - scale.centre } else { f64::NAN };
        let centred: Vec<f64> = column.values.iter().map(log).collect();
        let limit = CUT * scale.spread;
        let cut = |value: &f64| if value.is_nan() { 0.0 } else { value.clamp(-limit, limit) };
        Some(Self { cut: centred.iter().map(cut).collect(), centred, spread: scale.spread })
    }

    fn farthest(&self) -> f64 {
        self.centred
            .iter()
            .fold(0.0, |most, value| if value.abs() > most { value.abs() } else { most })
    }
}

/// The features besides `index` that go best with it, by Pearson's correlation.
fn predictors<'l>(table: &Table<'_>, logs: &'l [Option<Logs>], index: usize) -> Vec<&'l Logs> {
    let rank = |other: usize| -table.profile.pearson[index][other].unwrap_or(0.0).abs();
    let mut others: Vec<usize> =
        (1..logs.len()).filter(|other| *other != index && logs[*other].is_some()).collect();
    others.sort_by(|a, b| rank(*a).total_cmp(&rank(*b)));
    let most = MOST_COLUMNS.min(table.rows() / ROWS_PER_COLUMN);
    others.iter().take(most).filter_map(|other| logs[*other].as_ref()).collect()
}

/// What is left of the logarithms of a column after a linear expectation from the other columns,
/// shape `[rows]`. The expectation is fitted twice, the second time without the rows that are far
/// from the first one.
fn unexplained(own: &Logs, others: &[&Logs]) -> Vec<f64> {
    let sample = Sample::new(own, others);
    let cut = sample.outputs.map(|value| value.clamp(-CUT * own.spread, CUT * own.spread));
    let first = sample.left_by(&sample.fit(&cut, |_| true));
    let near = |place: usize| first[place].abs() < 0.5 * FACTORS[1].ln();
    let fitted = sample.fit(&sample.outputs, near);
    let centre = median(&sample.left_without_centre(&fitted), near);
    let mut left: Vec<f64> = own.centred.iter().map(|value| value - centre).collect();
    for (slope, other) in fitted.iter().zip(others) {
        left.iter_mut().zip(&other.cut).for_each(|(value, other)| *value -= slope * other);
    }
    left
}

/// The rows on which the expectation is fitted.
struct Sample {
    /// Other columns, shape `[rows, columns]`.
    inputs: DMatrix<f64>,
    /// The column itself, shape `[rows]`.
    outputs: DVector<f64>,
}

impl Sample {
    fn new(own: &Logs, others: &[&Logs]) -> Self {
        let all = own.centred.len();
        let step = all.div_ceil(FIT_ROWS);
        let rows: Vec<usize> =
            (0..all).step_by(step).filter(|row| !own.centred[*row].is_nan()).collect();
        let input = |place: usize, column: usize| others[column].cut[rows[place]];
        Self {
            inputs: DMatrix::from_fn(rows.len(), others.len(), input),
            outputs: DVector::from_fn(rows.len(), |place, _| own.centred[rows[place]]),
        }
    }

    /// Slopes by least squares with a trace of ridge, so that equal columns share theirs; only
    /// rows that count count, and these about their means.
    fn fit(&self, outputs: &DVector<f64>, counts: impl Fn(usize) -> bool) -> Vec<f64> {
        let rows: Vec<usize> = (0..outputs.len()).filter(|place| counts(*place)).collect();
        let mut inputs = self.inputs.select_rows(&rows);
        let mut outputs = outputs.select_rows(&rows);
        for mut column in inputs.column_iter_mut() {
            let mean = column.mean();
            column.add_scalar_mut(-mean);
        }
        let mean = outputs.mean();
        outputs.add_scalar_mut(-mean);
        let mut gram = inputs.tr_mul(&inputs);
        (0..gram.ncols()).for_each(|place| gram[(place, place)] += 1.0);
        let right = inputs.tr_mul(&outputs);
        let solved = gram.cholesky().map(|root| root.solve(&right).as_slice().to_vec());
        solved.unwrap_or_else(|| vec![0.0; right.len()])
    }

    fn left_without_centre(&self, slopes: &[f64]) -> Vec<f64> {
        let expected = &self.inputs * DVector::from_column_slice(slopes);
        (&self.outputs - expected).as_slice().to_vec()
    }

    /// What is left, about its median.
    fn left_by(&self, slopes: &[f64]) -> Vec<f64> {
        let left = self.left_without_centre(slopes);
        let centre = median(&left, |_| true);
        left.into_iter().map(|value| value - centre).collect()
    }
}

/// The median of the values that count.
fn median(values: &[f64], counts: impl Fn(usize) -> bool) -> f64 {
    let mut counted: Vec<f64> =
        (0..values.len()).filter(|place| counts(*place)).map(|place| values[place]).collect();
    if counted.is_empty() {
        return 0.0;
    }
    let middle = counted.len() / 2;
    *counted.select_nth_unstable_by(middle, f64::total_cmp).1
}

/// Rows that are off by one factor.
struct Slip {
    rows: Vec<usize>,
    /// Logarithm of the exact factor.
    shift: f64,
    /// Logarithm of the middle factor that was found.
    found: f64,
}

impl Slip {
    /// The rows whose unexplained part is near `shift`, where they are clearly apart from the rest;
    /// `spread` is that of the column, and so many `slopes` were fitted.
    fn find(left: &[f64], shift: f64, (spread, slopes): (f64, usize)) -> Option<Self> {
        // Towards the factor is positive from here on.
        let (size, sign) = (shift.abs(), shift.signum());
        let (mut rows, mut usual, mut squares, mut largest) = (Vec::new(), 0_usize, 0.0, 0.0_f64);
        for (row, value) in left.iter().enumerate().filter(|(_, value)| !value.is_nan()) {
            let value = sign * value;
            if value > 0.5 * size {
                rows.push(row);
            } else if value > -0.5 * size {
                usual += 1;
                squares += value * value;
                largest = largest.max(value);
            }
        }
        if rows.is_empty() || rows.len() >= usual || usual < FEWEST_USUAL + slopes {
            return None;
        }
        let deviation = (squares / (usual - slopes) as f64).sqrt();
        let off = |row: &usize| sign * left[*row];
        let mut offs: Vec<f64> = rows.iter().map(off).collect();
        offs.sort_unstable_by(f64::total_cmp);
        let within = |deviations: f64| WITHIN.ln().max(deviations * deviation);
        let middle_within = within(MIDDLE_DEVIATIONS / (offs.len() as f64).sqrt()).min(MIDDLE_MOST);
        let middle = offs[offs.len() / 2];
        let fits = offs.iter().all(|off| (off - size).abs() <= within(SINGLE_DEVIATIONS))
            && (middle - size).abs() <= middle_within;
        let clear = if deviation <= EXPLAINED * spread { CLEAR } else { CLEAR_ALONE };
        let apart = offs[0] - largest >= GAP * size && clear * deviation <= size;
        (fits && apart).then_some(Self { rows, shift, found: sign * middle })
    }
}

fn finding(column: &Column<'_>, slip: &Slip) -> Finding {
    let (factor, direction) =
        (slip.shift.abs().exp(), if slip.shift > 0.0 { "large" } else { "small" });
    let example = slip.rows[0];
    let role = if column.is_target() { "the target " } else { "" };
    let what = format!(
        "{role}{} is about {} times too {direction} in {}, as if in another unit (a factor of {}): \
         {} in row {}, while the median is {}",
        names(&[column.name]),
        number(slip.found.abs().exp()),
        rows(&slip.rows),
        number(factor.round()),
        number(column.values[example]),
        example + 1,
        number(column.quantile(0.5))
    );
    let why = "values in two units make the column useless, and spoil the scale of the right ones";
    let training = "nothing: the values are used as they are; write them in one unit";
    let sentences = [what, why.to_owned(), training.to_owned()];
    Finding::new(FindingKind::UnitSlip, Severity::Error, sentences)
        .about(&[column.name])
        .in_rows(&slip.rows)
}
