//! Whether the rows of a window are distributed as those of the training.

use serde::{Deserialize, Serialize};

use crate::model::{Domain, Reference};

use super::{Histograms, MonitorConfig, TwoSampleTest, wasserstein};

/// Rows of the training beyond which a change must be large, not only certain.
const LARGE: usize = 1000;

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Watched {
    /// The values of a column.
    Column,
    /// What a column has more than the row's other columns let expect: a detector whose gain drifts shows here
    /// long before its values leave their range.
    GivenOthers,
    /// The joint distance of rows from the training.
    Joint,
    /// The predictions.
    Prediction,
    /// Whether a column has a value: its medians are shares of rows without one.
    Missing,
}

impl Watched {
    /// Its name for programs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Column => "column",
            Self::GivenOthers => "given_others",
            Self::Joint => "joint",
            Self::Prediction => "prediction",
            Self::Missing => "missing",
        }
    }
}

/// One comparison of a window with the training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// What is compared.
    pub watched: Watched,
    /// The column; empty where all are meant.
    pub column: String,
    /// Values in the window.
    pub values: usize,
    /// Median in the training.
    pub reference_median: f64,
    /// Median in the window.
    pub median: f64,
    /// Median of the window minus that of the training, in standard deviations of the training.
    pub shift: f64,
    /// The test of Kolmogorov and Smirnov.
    pub test: TwoSampleTest,
    /// Its probability after Holm's correction for all comparisons of the window.
    pub adjusted: f64,
    /// Wasserstein distance, in standard deviations of the training.
    pub wasserstein: f64,
    /// Population stability index.
    pub stability: f64,
    /// Jensen-Shannon distance.
    pub jensen_shannon: f64,
    /// Share of values that are missing.
    pub missing: f64,
    /// Share of values outside of the training's range.
    pub outside: f64,
    /// Whether it has drifted.
    pub drifted: bool,
}

/// A window beside the training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WindowDrift {
    /// Its number, from 1: the windows of a model follow each other without gaps.
    pub number: usize,
    /// Time of its first row, milliseconds since 1970 (UTC).
    pub from: i64,
    /// Time of its last row.
    pub to: i64,
    /// Rows; of a container that came several times the first counts.
    pub rows: usize,
    /// Probability of a false alarm that this window may spend.
    pub budget: f64,
    /// All comparisons; those that have drifted first, the largest shift foremost.
    pub comparisons: Vec<Comparison>,
    /// Share of rows unlike the training.
    pub out_of_domain: f64,
}

impl WindowDrift {
    /// The comparisons that have drifted.
    pub fn drifted(&self) -> impl Iterator<Item = &Comparison> {
        self.comparisons.iter().filter(|own| own.drifted)
    }

    /// The comparison of a column.
    #[must_use]
    pub fn comparison(&self, watched: Watched, column: &str) -> Option<&Comparison> {
        self.comparisons.iter().find(|own| own.watched == watched && own.column == column)
    }
}

/// A served row as it is compared.
#[derive(Clone, Copy, Debug)]
pub struct ServedRow<'a> {
    /// When it was answered, milliseconds since 1970 (UTC).
    pub time: i64,
    /// Raw values.
    pub inputs: &'a [f64],
    /// The prediction.
    pub prediction: f64,
    /// Whether it was flagged as unlike the training.
    pub out_of_domain: bool,
}

/// The rows of the training as windows are compared with them.
#[derive(Clone, Debug)]
pub struct DriftReference {
    samples: Vec<Sample>,
    domain: Domain,
    columns: usize,
}

/// What is known of something that is watched.
#[derive(Clone, Debug)]
struct Sample {
    watched: Watched,
    column: String,
    /// Values in the training, sorted, without missing ones.
    known: Vec<f64>,
    median: f64,
    /// Standard deviation (divided by n); 0 where it does not vary.
    deviation: f64,
}

impl Sample {
    fn new(watched: Watched, column: &str, values: impl Iterator<Item = f64>) -> Self {
        let known = sorted(values);
        let count = known.len().max(1) as f64;
        let mean = known.iter().sum::<f64>() / count;
        let variance = known.iter().map(|own| (own - mean).powi(2)).sum::<f64>() / count;
        let median = median(&known);
        Self { watched, column: column.to_owned(), known, median, deviation: variance.sqrt() }
    }

    /// Compares the share of rows without a value, `known` and `values` being 1 for these and 0 for others; `None` where
    /// every row has one.
    fn compare_missing(&self, values: &[f64]) -> Option<Comparison> {
        let current = sorted(values.iter().copied());
        let count = |of: &[f64]| (of.iter().filter(|own| **own > 0.0).count(), of.len());
        let (before, now) = (count(&self.known), count(&current));
        if before.0 == 0 && now.0 == 0 {
            return None;
        }
        let share = |(some, all): (usize, usize)| some as f64 / all.max(1) as f64;
        let test = TwoSampleTest::of_shares(before, now)?;
        let own = self.compared(&current, test, [share(before), share(now)]);
        Some(Comparison { missing: share(now), ..own })
    }

    /// Compares values with it; `None` where either has none.
    fn compare(&self, values: &[f64]) -> Option<Comparison> {
        if self.watched == Watched::Missing {
            return self.compare_missing(values);
        }
        let current = sorted(values.iter().copied());
        let test = TwoSampleTest::of(&self.known, &current)?;
        let (low, high) = (self.known[0], self.known[self.known.len() - 1]);
        let outside = current.iter().filter(|own| **own < low || **own > high).count();
        let own = self.compared(&current, test, [self.median, median(&current)]);
        Some(Comparison {
            missing: 1.0 - current.len() as f64 / values.len() as f64,
            outside: outside as f64 / current.len() as f64,
            ..own
        })
    }

    /// The comparison with sorted values, of which a test says this; in the middle are those of the training and of the
    /// window.
    fn compared(
        &self,
        current: &[f64],
        test: TwoSampleTest,
        [before, now]: [f64; 2],
    ) -> Comparison {
        let scale = if self.deviation > 0.0 { self.deviation } else { 1.0 };
        let bins = Histograms::of(&self.known, current);
        Comparison {
            watched: self.watched,
            column: self.column.clone(),
            values: current.len(),
            reference_median: before,
            median: now,
            shift: (now - before) / scale,
            test,
            adjusted: 1.0,
            wasserstein: wasserstein(&self.known, current) / scale,
            stability: bins.population_stability(),
            jensen_shannon: bins.jensen_shannon(),
            missing: 0.0,
            outside: 0.0,
            drifted: false,
        }
    }
}

impl DriftReference {
    /// The rows of `reference`, whose raw columns are `columns`; `domain` has the model's joint distance.
    #[must_use]
    pub fn new(reference: &Reference, columns: &[String], domain: &Domain) -> Self {
        let mut samples: Vec<Sample> = Vec::with_capacity(2 * columns.len() + 2);
        for (place, name) in columns.iter().enumerate() {
            samples.push(Sample::new(Watched::Column, name, reference.column(place)));
        }
        for (place, name) in columns.iter().enumerate() {
            let own = reference.residuals.iter().skip(place).step_by(columns.len()).copied();
            samples.push(Sample::new(Watched::GivenOthers, name, own));
        }
        samples.push(Sample::new(Watched::Joint, "", reference.distances.iter().copied()));
        samples.push(Sample::new(Watched::Prediction, "", reference.predictions.iter().copied()));
        for (place, name) in columns.iter().enumerate() {
            let missing = reference.column(place).map(is_missing);
            samples.push(Sample::new(Watched::Missing, name, missing));
        }
        Self { samples, domain: domain.clone(), columns: columns.len() }
    }

    /// Compares the rows of window `number`, of which there is at least one.
    ///
    /// A window spends `false_alarms / (number (number + 1))` of the error budget, which adds up to the budget
    /// over windows without end, whatever depends on what. Within it the comparisons share by Holm's (1979) rule.
    #[must_use]
    pub fn compare(
        &self,
        number: usize,
        rows: &[ServedRow<'_>],
        config: &MonitorConfig,
    ) -> WindowDrift {
        let values = self.values(rows);
        let pairs = self.samples.iter().zip(&values);
        let compared = pairs.filter_map(|(sample, values)| Some((sample.compare(values)?, sample)));
        let (mut comparisons, samples): (Vec<Comparison>, Vec<&Sample>) = compared.unzip();
        let budget = config.false_alarms / (number * (number + 1)) as f64;
        adjust(&mut comparisons);
        for (own, sample) in comparisons.iter_mut().zip(samples) {
            let large = sample.known.len() > LARGE && own.values > LARGE;
            let is_large_enough = !large || own.wasserstein >= config.distance;
            own.drifted = own.adjusted < budget && is_large_enough;
        }
        comparisons.sort_by(|a, b| {
            let size = |own: &Comparison| (own.drifted, own.shift.abs());
            let (a, b) = (size(a), size(b));
            b.0.cmp(&a.0).then(b.1.total_cmp(&a.1))
        });
        let odd = rows.iter().filter(|row| row.out_of_domain).count();
        WindowDrift {
            number,
            from: rows.first().map_or(0, |row| row.time),
            to: rows.last().map_or(0, |row| row.time),
            rows: rows.len(),
            budget,
            comparisons,
            out_of_domain: odd as f64 / rows.len().max(1) as f64,
        }
    }

    /// The values of everything that is watched, in the order of the samples.
    fn values(&self, rows: &[ServedRow<'_>]) -> Vec<Vec<f64>> {
        let count = self.columns;
        let mut values = vec![Vec::with_capacity(rows.len()); self.samples.len()];
        for row in rows {
            let odd = self.domain.oddness(row.inputs);
            // Beside a column that lacks what it never lacked, the others do not let expect what they would.
            let mut gaps = row.inputs.iter().zip(&self.domain.may_be_missing);
            let is_cut = gaps.any(|(value, may_be)| value.is_nan() && !may_be);
            for (place, (value, residual)) in row.inputs.iter().zip(&odd.residuals).enumerate() {
                values[place].push(*value);
                // Where the value is missing there is nothing to compare.
                values[count + place].push(if is_cut || value.is_nan() {
                    f64::NAN
                } else {
                    *residual
                });
                values[2 * count + 2 + place].push(is_missing(*value));
            }
            values[2 * count].push(if is_cut { f64::NAN } else { odd.distance });
            values[2 * count + 1].push(row.prediction);
        }
        values
    }
}

/// 1 for no value, else 0.
fn is_missing(value: f64) -> f64 {
    f64::from(u8::from(value.is_nan()))
}

/// Holm's step-down correction of the probabilities.
fn adjust(comparisons: &mut [Comparison]) {
    let count = comparisons.len();
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by(|a, b| comparisons[*a].test.p_value.total_cmp(&comparisons[*b].test.p_value));
    let mut largest: f64 = 0.0;
    for (rank, place) in order.into_iter().enumerate() {
        let own = comparisons[place].test.p_value * (count - rank) as f64;
        largest = largest.max(own.min(1.0));
        comparisons[place].adjusted = largest;
    }
}

/// The values that are there, in order.
fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut known: Vec<f64> = values.filter(|own| !own.is_nan()).collect();
    known.sort_by(f64::total_cmp);
    known
}

/// The median of sorted values; 0 of none.
fn median(sorted: &[f64]) -> f64 {
    crate::data::explore::quantile(sorted, 0.5).unwrap_or(0.0)
}
