//! Columns that repeat another.

use crate::data::explore::{
    Finding, FindingKind, Severity, statistics::power_of_two, wording::names,
};

use super::table::{Column, Table};

/// Correlations this close to 1 are looked at: rounding to four digits leaves about 1e-8.
const ALIKE: f64 = 1e-6;
/// Correlation with the target from which a column is suspected to be made from it.
const TELLING: f64 = 0.9999;
/// Largest difference from a straight line, in standard deviations, that is rounding.
const ROUNDING: f64 = 2e-3;
/// Bits that two columns must share to be no chance: yes and no columns of 12 rows are often alike.
const LEAST_BITS: f64 = 30.0;

/// How one column repeats another.
#[derive(Clone, Copy, PartialEq)]
enum Alike {
    Equal,
    /// b = a times slope plus a constant.
    Line(f64),
}

pub(super) fn check(table: &Table<'_>) -> Vec<Finding> {
    let mut findings = tells_of_target(table);
    // A copy is reported once, with the first column that it repeats.
    for b in 1..table.columns.len() {
        let repeats = |a: &usize| alike(table, *a, b).is_some();
        if let Some(a) = (0..b).find(repeats)
            && let Some(how) = alike(table, a, b)
        {
            findings.push(finding(&table.columns[a], &table.columns[b], how));
        }
    }
    findings
}

/// Columns that follow the target so closely that they may be made from it, but for more than rounding.
fn tells_of_target(table: &Table<'_>) -> Vec<Finding> {
    let tells = |b: &usize| {
        let pearson = table.profile.pearson[0][*b].unwrap_or(0.0);
        let bits = table.rows() as f64 * (table.target().profile.distinct.max(1) as f64).log2();
        pearson.abs() > TELLING && bits >= LEAST_BITS && alike(table, 0, *b).is_none()
    };
    let finding = |b: usize| {
        let [target, column] = [table.target().name, table.columns[b].name];
        let what = format!(
            "{} tells the target {} almost exactly (correlation {:.4})",
            names(&[column]),
            names(&[target]),
            table.profile.pearson[0][b].unwrap_or(0.0)
        );
        let why = "what is not known before the target is gives it away: scores would mean nothing";
        let training = "it is used like any feature; if it is made from the target, leave it out with `data.exclude`";
        let sentences = [what, why.to_owned(), training.to_owned()];
        Finding::new(FindingKind::DuplicatedColumn, Severity::Warning, sentences)
            .about(&[target, column])
            .counting(table.rows())
    };
    (1..table.columns.len()).filter(tells).map(finding).collect()
}

fn alike(table: &Table<'_>, a: usize, b: usize) -> Option<Alike> {
    let pearson = table.profile.pearson[a][b]?;
    if pearson.abs() < 1.0 - ALIKE {
        return None;
    }
    let (x, y) = (&table.columns[a], &table.columns[b]);
    let both = x.values.iter().zip(y.values).filter(|(x, y)| !x.is_nan() && !y.is_nan());
    let bits = both.clone().count() as f64 * (x.profile.distinct as f64).log2();
    if bits < LEAST_BITS || x.profile.missing != y.profile.missing {
        return None;
    }
    if both.clone().all(|(x, y)| x == y) {
        return Some(Alike::Equal);
    }
    let (sx, sy) = (x.profile.deviation?, y.profile.deviation?);
    let (mx, my) = (x.profile.mean?, y.profile.mean?);
    let sign = pearson.signum();
    let place = |value: f64, mean: f64, deviation: f64| {
        let scale = power_of_two(deviation);
        (value / scale - mean / scale) / (deviation / scale)
    };
    let off = |(x, y): (&f64, &f64)| (sign * place(*x, mx, sx) - place(*y, my, sy)).abs();
    let straight = both.map(off).all(|off| off < ROUNDING);
    // Two values always lie on a straight line: yes and no columns come in such pairs.
    (straight && x.profile.distinct > 2).then_some(Alike::Line(sign * sy / sx))
}

fn finding(a: &Column<'_>, b: &Column<'_>, how: Alike) -> Finding {
    let [first, second] = [a, b].map(|column| names(&[column.name]));
    let first = if a.is_target() { format!("the target {first}") } else { first };
    let what = match how {
        Alike::Equal => format!("{second} holds the same values as {first}"),
        Alike::Line(slope) => {
            let slope = crate::data::explore::wording::number(slope);
            format!("{second} is {first} times {slope} plus a constant, up to rounding")
        }
    };
    let (severity, why, training) = if a.is_target() {
        let why = "a feature made from the target gives it away: scores would mean nothing";
        let training = "it is used like any feature; leave it out with `data.exclude`";
        (if how == Alike::Equal { Severity::Error } else { Severity::Warning }, why, training)
    } else {
        let why =
            "a repeated column adds no information, and counts twice where columns are weighed";
        let training = "both are used; leave one out with `data.exclude`";
        (Severity::Warning, why, training)
    };
    let sentences = [what, why.to_owned(), training.to_owned()];
    Finding::new(FindingKind::DuplicatedColumn, severity, sentences)
        .about(&[a.name, b.name])
        .counting(a.sorted.len())
}
