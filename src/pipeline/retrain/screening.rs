//! Which new rows may train: not twice, not implausible, not those that only judge.

use std::{
    collections::{HashMap, HashSet, hash_map::DefaultHasher},
    hash::{BuildHasher, BuildHasherDefault},
    io::Write,
};

use crate::{
    data::Dataset,
    features::TargetTransform,
    model::{Prediction, Predictor},
};

use super::{anchor::Anchor, champion::Champion, new_rows::NewRow};

/// A row that does not train until somebody has looked at it.
#[derive(Clone, Debug)]
pub(super) struct Quarantined {
    pub(super) row: NewRow,
    /// What the champion says of it.
    pub(super) prediction: f64,
    pub(super) lower: f64,
    pub(super) upper: f64,
    /// What is wrong.
    pub(super) reason: String,
}

/// New rows, sorted out.
#[derive(Clone, Debug, Default)]
pub(super) struct Screened {
    /// Rows that train.
    pub(super) train: Vec<NewRow>,
    /// The newest ones, which judge.
    pub(super) newest: Vec<NewRow>,
    pub(super) quarantined: Vec<Quarantined>,
    /// Rows that were known already.
    pub(super) known: usize,
    /// Rows without a container, for a model that tells containers apart: they could stand on both sides of a split.
    pub(super) unnamed: usize,
}

impl Screened {
    /// When the newest true value came, milliseconds since 1970 (UTC).
    pub(super) fn newest_time(&self) -> i64 {
        let rows = self.train.iter().chain(&self.newest);
        let rows = rows.chain(self.quarantined.iter().map(|own| &own.row));
        rows.map(|row| row.time).max().unwrap_or(i64::MIN)
    }

    /// Containers that the champion's table does not know and whose true value came after a time.
    pub(super) fn new_containers(&self, champion: &Champion, after: i64) -> usize {
        let known = champion.containers();
        let rows = self.train.iter().chain(&self.newest).filter(|row| row.time > after);
        let names: HashSet<&str> = rows.map(|row| row.container.as_str()).collect();
        names.into_iter().filter(|name| !known.contains(*name)).count()
    }
}

/// How rows are sorted out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    /// Half-widths beyond which a true value is set apart; infinite for never.
    pub(super) quarantine: f64,
    /// Share of the containers that only judge.
    pub(super) newest: f64,
}

/// Sorts `rows` out; rows of the anchor judge and must not train.
pub(super) fn screen(
    mut rows: Vec<NewRow>,
    champion: &Champion,
    anchor: &Anchor,
    rules: Rules,
) -> Screened {
    let mut screened = Screened::default();
    let all = rows.len();
    rows.retain(|row| !row.container.is_empty());
    screened.unnamed = all - rows.len();
    let fresh = without_known(rows, champion, anchor, &mut screened.known);
    let (accepted, quarantined) = split_off_implausible(fresh, champion, rules.quarantine);
    screened.quarantined = quarantined;
    let judges = newest_containers(&accepted, &champion.containers(), rules.newest);
    (screened.newest, screened.train) =
        accepted.into_iter().partition(|row| judges.contains(&row.container));
    screened
}

/// Equal measurements are one: the bits of a row's values, without its target.
fn bits(inputs: &[f64]) -> Vec<u64> {
    inputs.iter().map(|value| value.to_bits()).collect()
}

/// The measurements of a table.
pub(super) fn measurements(table: &Dataset) -> HashSet<Vec<u64>> {
    (0..table.rows()).map(|row| measurement(table, row)).collect()
}

pub(super) fn measurement(table: &Dataset, row: usize) -> Vec<u64> {
    table.features.iter().map(|column| column[row].to_bits()).collect()
}

/// Rows that neither the champion's table nor an earlier row has; of equal ones the newest truth stays.
fn without_known(
    mut rows: Vec<NewRow>,
    champion: &Champion,
    anchor: &Anchor,
    known: &mut usize,
) -> Vec<NewRow> {
    let mut seen: HashSet<Vec<u64>> = HashSet::new();
    for table in [Some(&champion.table), anchor.table.as_ref()].into_iter().flatten() {
        seen.extend(measurements(table));
    }
    let before = rows.len();
    // Of one time the last to come is the newest, and what is left keeps its order: folds follow it.
    rows.reverse();
    rows.sort_by_key(|row| std::cmp::Reverse(row.time));
    rows.retain(|row| {
        !anchor.containers.contains(&row.container) && seen.insert(bits(&row.inputs))
    });
    rows.reverse();
    *known = before - rows.len();
    rows
}

/// Sets rows apart whose true value the champion's interval makes incredible, or that no table may hold.
fn split_off_implausible(
    rows: Vec<NewRow>,
    champion: &Champion,
    limit: f64,
) -> (Vec<NewRow>, Vec<Quarantined>) {
    let raw: Vec<f64> = rows.iter().flat_map(|row| row.inputs.iter().copied()).collect();
    let predictions = champion.predictor.predict(&raw);
    let (mut accepted, mut quarantined) = (Vec::new(), Vec::new());
    for (row, own) in rows.into_iter().zip(predictions) {
        match reason(&row, &own, champion, limit) {
            None => accepted.push(row),
            Some(reason) => {
                let Prediction { value: prediction, lower, upper, .. } = own;
                quarantined.push(Quarantined { row, prediction, lower, upper, reason });
            }
        }
    }
    (accepted, quarantined)
}

fn reason(row: &NewRow, own: &Prediction, champion: &Champion, limit: f64) -> Option<String> {
    let target = &champion.params.target;
    let column = champion.stated.column(&champion.schema().target);
    let [minimum, maximum] = column.map_or([None; 2], |own| [own.minimum, own.maximum]);
    let is_beyond = minimum.is_some_and(|minimum| row.truth < minimum)
        || maximum.is_some_and(|maximum| row.truth > maximum);
    let is_low = target.minimum.is_some_and(|minimum| row.truth < minimum)
        || (target.transform == TargetTransform::Log && row.truth <= 0.0);
    if is_low || is_beyond || !row.truth.is_finite() {
        return Some("a true value that the target cannot have".to_owned());
    }
    if let Some(column) = impossible(&champion.predictor, row) {
        return Some(format!("`{column}` has a value that it cannot have"));
    }
    let (distance, half) = if row.truth > own.value {
        (row.truth - own.value, own.upper - own.value)
    } else {
        (own.value - row.truth, own.value - own.lower)
    };
    let off = distance / half;
    (off > limit).then(|| format!("{off:.1} half-widths from the champion's prediction"))
}

/// A column whose value is beyond what its schema states, or missing where none may be.
fn impossible<'a>(predictor: &'a Predictor, row: &NewRow) -> Option<&'a str> {
    let column = predictor.domain.impossible_columns(&row.inputs).next()?;
    predictor.columns().get(column).map(String::as_str)
}

/// The newest share of containers that the champion's table does not know.
fn newest_containers(rows: &[NewRow], known: &HashSet<String>, share: f64) -> HashSet<String> {
    let mut times: HashMap<&str, i64> = HashMap::new();
    for row in rows.iter().filter(|row| !known.contains(&row.container)) {
        let time = times.entry(&row.container).or_insert(row.time);
        *time = (*time).max(row.time);
    }
    // Names may follow the target; rows of one time are drawn by lot.
    let lot = BuildHasherDefault::<DefaultHasher>::default();
    let mut order: Vec<(i64, u64, &str)> =
        times.into_iter().map(|(name, time)| (time, lot.hash_one(name), name)).collect();
    order.sort_unstable();
    let count = (share * order.len() as f64).round() as usize;
    order.iter().rev().take(count).map(|(_, _, name)| (*name).to_owned()).collect()
}

/// Rows that were set apart, as a table to look at, the farthest first.
pub(super) fn write_quarantine(
    rows: &[Quarantined],
    champion: &Champion,
    output: &mut dyn Write,
) -> std::io::Result<()> {
    let schema = champion.schema();
    let mut table = csv::Writer::from_writer(output);
    let facts = ["container", schema.target.as_str(), "prediction", "lower", "upper", "reason"];
    table.write_record(facts.into_iter().chain(schema.features.iter().map(String::as_str)))?;
    let mut order: Vec<&Quarantined> = rows.iter().collect();
    let distance = |own: &Quarantined| (own.row.truth - own.prediction).abs();
    order.sort_by(|a, b| distance(b).total_cmp(&distance(a)));
    for own in order {
        let cells = [own.row.truth, own.prediction, own.lower, own.upper].map(|v| v.to_string());
        let inputs = own.row.inputs.iter().map(|value| super::extended_table::cell(*value));
        table.write_record(
            std::iter::once(own.row.container.clone())
                .chain(cells)
                .chain([own.reason.clone()])
                .chain(inputs),
        )?;
    }
    table.flush()
}
