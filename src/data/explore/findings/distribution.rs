//! Outliers and long tails.

use crate::data::explore::{
    Finding, FindingKind, Severity,
    wording::{counted, names, number, rows},
};

use super::{
    scale::Scale,
    table::{Column, Table},
};

/// Robust standard deviations from the median that no normal number reaches (one in 1e15);
/// Iglewicz and Hoaglin (1993) flag 3.5, which cries wolf in long tables.
const FAR: f64 = 8.0;
/// Values as small as an outlier that a column which spans decades would have by chance: as many as
/// the way from its median to its lower tenth leads to expect.
const CHANCE: f64 = 1e-3;
/// A value must also lie this many times as far out as the outer tenths of the column do, so that
/// a second cluster of values is no outlier.
const BEYOND_TENTHS: f64 = 4.0;
/// Share of outliers up to which they look like mistakes rather than a heavy tail.
const MISTAKES: f64 = 0.01;
/// Skewness of an exponential distribution; beyond it the largest values rule squared errors.
const SKEWED: f64 = 2.0;
/// Quantile skewness (Bowley 1901, with the outer tenths) that the tail must have as well: 0.46 for
/// an exponential distribution. A single far value has none.
const TENTHS_SKEWED: f64 = 0.25;
/// Rows from which a skewness is more than chance.
const SKEW_ROWS: usize = 20;
/// Values from which quartiles describe a column.
const FEWEST_VALUES: usize = 20;

pub(super) fn check(table: &Table<'_>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = table.columns.iter().filter_map(outliers).collect();
    let skewed = |column: &&Column<'_>| is_skewed(column);
    findings.extend(table.columns.iter().take(1).filter(skewed).map(skewed_target));
    let features: Vec<&Column<'_>> = table.features().iter().filter(skewed).collect();
    findings.extend((!features.is_empty()).then(|| skewed_features(&features)));
    findings
}

fn outliers(column: &Column<'_>) -> Option<Finding> {
    // In a column of few different values a rare one is a rare case, not a far one.
    if !column.is_continuous() || column.sorted.len() < FEWEST_VALUES {
        return None;
    }
    let fence = Fence::of(&column.sorted)?;
    let far = column.rows_where(|value| fence.is_beyond(value));
    let &worst = far.iter().max_by(|a, b| {
        fence.distance(column.values[**a]).total_cmp(&fence.distance(column.values[**b]))
    })?;
    Some(outliers_in(column, &far, worst, &fence))
}

fn outliers_in(column: &Column<'_>, far: &[usize], worst: usize, fence: &Fence) -> Finding {
    let (value, median) = (column.values[worst], column.quantile(0.5));
    let on_scale = if fence.scale.is_logarithmic() { " of its logarithm" } else { "" };
    let what = format!(
        "{} has {} far from all others ({}); the farthest is {} in row {}, {:.0} robust standard \
         deviations{on_scale} from the median, {}",
        names(&[column.name]),
        counted(far.len(), "value"),
        rows(far),
        number(value),
        worst + 1,
        fence.distance(value),
        number(median)
    );
    let few = far.len() as f64 <= (MISTAKES * column.sorted.len() as f64).max(2.0);
    let severity = if few { Severity::Warning } else { Severity::Note };
    let why = if few {
        "a single far value may be a mistake, and pulls the fit towards itself"
    } else {
        "so many far values make a heavy tail rather than mistakes"
    };
    let training = if column.is_target() {
        "nothing: the rows are used as they are"
    } else {
        "the values are kept unless `clean.clip` is set, e.g. to 3 standard deviations"
    };
    let sentences = [what, why.to_owned(), training.to_owned()];
    Finding::new(FindingKind::Outliers, severity, sentences).about(&[column.name]).in_rows(far)
}

/// What is far from all others.
struct Fence {
    /// The natural scale of the column.
    scale: Scale,
    /// Other scales on which a large value must be far as well.
    others: Vec<Scale>,
    /// Farthest usual values on the natural scale.
    low: f64,
    high: f64,
    /// Smallest usual value, where the natural scale is logarithmic.
    least: f64,
}

impl Fence {
    fn of(sorted: &[f64]) -> Option<Self> {
        let scale = Scale::of(sorted)?;
        let positive = sorted.first().is_some_and(|value| *value > 0.0);
        let logarithmic = if positive { Scale::logarithmic(sorted) } else { None };
        let others = Scale::linear(sorted).into_iter().chain(logarithmic).collect();
        let at = |share: f64| sorted[(share * (sorted.len() - 1) as f64).round() as usize];
        let limit = |share: f64| BEYOND_TENTHS * scale.standard(at(share));
        let (low, high) = (limit(0.1).min(-FAR), limit(0.9).max(FAR));
        let least = if scale.is_logarithmic() {
            least(at(0.1), at(0.5), sorted.len())
        } else {
            f64::INFINITY
        };
        Some(Self { scale, others, low, high, least })
    }

    fn is_beyond(&self, value: f64) -> bool {
        let place = self.scale.standard(value);
        let is_far = |other: &Scale| other.standard(value) > FAR;
        (place < self.low && value < self.least)
            || (place > self.high && self.others.iter().all(is_far))
    }

    fn distance(&self, value: f64) -> f64 {
        self.scale.standard(value).abs()
    }
}

/// The value below which a column of `count` values has only by chance a value, where its
/// distribution falls towards 0 with the power with which it does from the median to the `tenth`.
fn least(tenth: f64, median: f64, count: usize) -> f64 {
    let power = (0.5_f64 / 0.1).ln() / (median / tenth).ln();
    tenth * (CHANCE / (0.1 * count as f64)).powf(1.0 / power)
}

fn is_skewed(column: &Column<'_>) -> bool {
    let [low, middle, high] = [0.1, 0.5, 0.9].map(|share| column.quantile(share));
    let tenths = ((high - middle) - (middle - low)) / (high - low);
    let skewness = column.profile.skewness.unwrap_or(0.0);
    column.is_continuous()
        && column.sorted.len() >= SKEW_ROWS
        && skewness.abs() > SKEWED
        && tenths * skewness.signum() > TENTHS_SKEWED
}

fn skewed_features(columns: &[&Column<'_>]) -> Finding {
    let columns_named: Vec<&str> = columns.iter().map(|column| column.name).collect();
    let skewness = |column: &&Column<'_>| column.profile.skewness.unwrap_or(0.0);
    let worst = columns
        .iter()
        .map(skewness)
        .fold(0.0, |worst: f64, value| if value.abs() > worst.abs() { value } else { worst });
    let what = format!(
        "{} {} one long tail (skewness {}{})",
        names(&columns_named),
        if columns.len() == 1 { "has" } else { "have" },
        if columns.len() == 1 { "" } else { "up to " },
        number((worst * 10.0).round() / 10.0)
    );
    let why = "a few large values outweigh all small ones when the columns are used as they are";
    let training = "the columns are used as they are unless `features.set` says otherwise: `log1p(raw)` takes \
                    logarithms, `auto` tries them";
    let sentences = [what, why.to_owned(), training.to_owned()];
    Finding::new(FindingKind::HeavySkew, Severity::Note, sentences)
        .about(&columns_named)
        .counting(columns[0].values.len())
}

fn skewed_target(column: &Column<'_>) -> Finding {
    let skewness = column.profile.skewness.unwrap_or(0.0);
    let (end, share) = if skewness < 0.0 { ("smallest", 0.0) } else { ("largest", 1.0) };
    let what = format!(
        "the target {} has one long tail (skewness {}; median {}, {end} {})",
        names(&[column.name]),
        number((skewness * 10.0).round() / 10.0),
        number(column.quantile(0.5)),
        number(column.quantile(share))
    );
    let why = format!("squared errors are then ruled by the few {end} targets");
    let is_positive = column.sorted.first().is_some_and(|value| *value > 0.0);
    let training = if skewness < 0.0 {
        "the target is learned as it is"
    } else if is_positive {
        "the target is learned as it is unless `target.transform = \"log\"`"
    } else {
        "the target is learned as it is; its logarithm cannot be taken where it is 0 or negative"
    };
    let sentences = [what, why, training.to_owned()];
    Finding::new(FindingKind::HeavySkew, Severity::Note, sentences)
        .about(&[column.name])
        .counting(column.values.len())
}
