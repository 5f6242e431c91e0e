//! Gradient boosting with squared loss.

use rayon::prelude::*;

use super::columns::choose;
use super::grower::{GrownTree, grow};
use super::histogram_search::HistogramSearch;
use super::sums::{Sums, WeightedTarget};
use super::{BoostingSettings, Stream, Table};
use crate::model::{Tree, TreeEnsemble};
use crate::train::regressors::inner_parts::InnerParts;

/// Rounds without a smaller pooled error after which boosting stops.
const PATIENCE: usize = 50;

/// Rounds between two looks at the pooled error, so that threads do not wait after each tree.
const STRIDE: usize = 10;

#[cfg(test)]
/// Boosted trees on `rows` of `table`: each tree fits what the trees before it left
/// (Friedman 2001, 2002), grown leaf by leaf on histograms (Ke et al. 2017).
#[must_use]
pub(super) fn fit_boosting(
    table: &Table,
    rows: &[u32],
    settings: &BoostingSettings,
    stream: &Stream,
) -> TreeEnsemble {
    let mut booster = Booster::new(table, rows, &[], settings, stream.clone());
    booster.advance(settings.rounds);
    TreeEnsemble::new(booster.base, booster.trees)
}

/// A boosting under way.
struct Booster<'a> {
    table: &'a Table,
    settings: &'a BoostingSettings,
    stream: Stream,
    rows: Vec<u32>,
    /// Rows that only judge.
    held: &'a [u32],
    base: f64,
    trees: Vec<Tree>,
    /// The present prediction of each row of the table; kept up for `rows` and `held` only.
    predictions: Vec<f64>,
    targets: Vec<WeightedTarget>,
    /// The squared error on the held rows before the first and after each round.
    errors: Vec<f64>,
    spare: Vec<Vec<Sums>>,
}

impl<'a> Booster<'a> {
    fn new(
        table: &'a Table,
        rows: &[u32],
        held: &'a [u32],
        settings: &'a BoostingSettings,
        stream: Stream,
    ) -> Self {
        let base = table.mean(rows);
        let mut booster = Self {
            table,
            settings,
            stream,
            rows: table.weighty(rows),
            held,
            base,
            trees: Vec::new(),
            predictions: vec![base; table.rows()],
            targets: vec![WeightedTarget::default(); table.rows()],
            errors: Vec::new(),
            spare: Vec::new(),
        };
        booster.errors.push(booster.held_error());
        booster
    }

    fn advance(&mut self, rounds: usize) {
        for _ in 0..rounds {
            self.round();
        }
    }

    /// Adds one tree.
    fn round(&mut self) {
        let mut generator = self.stream.step(self.trees.len()).generator();
        let seen = choose(&self.rows, self.settings.rows, &mut generator);
        let columns: Vec<usize> = (0..self.table.binned.columns()).collect();
        let columns = choose(&columns, self.settings.columns, &mut generator);
        for row in &seen {
            let row = *row as usize;
            let residual = self.table.targets[row] - self.predictions[row];
            self.targets[row] = WeightedTarget::new(residual, self.table.weights[row]);
        }
        let grown = self.grow(seen, columns);
        self.update(&grown);
        self.trees.push(grown.tree);
        self.errors.push(self.held_error());
    }

    fn grow(&mut self, seen: Vec<u32>, columns: Vec<usize>) -> GrownTree {
        let (binned, limits) = (&self.table.binned, self.settings.limits);
        let spare = std::mem::take(&mut self.spare);
        let mut search = HistogramSearch::new(binned, &self.targets, limits, columns, spare);
        let mut grown = grow(binned, &self.targets, limits, seen, &mut search);
        self.spare = search.into_spare();
        grown.tree = grown.tree.scaled(self.settings.learning_rate);
        grown
    }

    /// Adds the tree to the predictions: rows that it saw lie sorted by leaf, others walk down.
    fn update(&mut self, grown: &GrownTree) {
        for (node, span) in &grown.leaves {
            let value = f64::from(grown.tree.value[*node as usize]);
            for row in &grown.rows[span.clone()] {
                self.predictions[*row as usize] += value;
            }
        }
        let table = self.table;
        let mut walk = |row: u32| {
            self.predictions[row as usize] += grown.tree.predict(table.features(row));
        };
        self.held.iter().for_each(|row| walk(*row));
        if grown.rows.len() < self.rows.len() {
            let mut seen = vec![false; table.rows()];
            grown.rows.iter().for_each(|row| seen[*row as usize] = true);
            self.rows.iter().filter(|row| !seen[**row as usize]).for_each(|row| walk(*row));
        }
    }

    fn held_error(&self) -> f64 {
        let of = |row: &u32| self.table.squared_error(*row, self.predictions[*row as usize]);
        self.held.iter().map(of).sum()
    }
}

/// Boostings of all parts with the same settings, and the round where they predict best.
struct Race<'a> {
    boosters: Vec<Booster<'a>>,
    best_round: usize,
    best_error: f64,
}

/// The sub-models of boosting, one per inner part: the settings and the one number of rounds
/// with the least error pooled over the parts.
pub(crate) fn fit_boostings(
    table: &Table,
    parts: &InnerParts,
    stream: &Stream,
) -> Vec<TreeEnsemble> {
    let ways = BoostingSettings::compared(table.rows());
    let races = ways.iter().map(|settings| Race::run(table, parts, settings, stream));
    let best =
        races.reduce(|best, next| if next.best_error < best.best_error { next } else { best });
    best.map_or_else(Vec::new, Race::into_models)
}

impl<'a> Race<'a> {
    fn run(
        table: &'a Table,
        parts: &'a InnerParts,
        settings: &'a BoostingSettings,
        stream: &Stream,
    ) -> Self {
        let booster = |part: usize| {
            let (rows, held) = (&parts.training[part], &parts.held[part]);
            Booster::new(table, rows, held, settings, stream.step(part))
        };
        let boosters = (0..parts.len()).map(booster).collect();
        let mut race = Self { boosters, best_round: 0, best_error: f64::INFINITY };
        let mut rounds = 0;
        race.look(0);
        while rounds < settings.rounds && rounds < race.best_round + PATIENCE {
            race.boosters.par_iter_mut().for_each(|booster| booster.advance(STRIDE));
            race.look(rounds + 1);
            rounds += STRIDE;
        }
        race
    }

    /// Looks for a smaller pooled error from round `first` on.
    fn look(&mut self, first: usize) {
        let rounds = self.boosters.first().map_or(0, |booster| booster.errors.len());
        for round in first..rounds {
            let error: f64 = self.boosters.iter().map(|booster| booster.errors[round]).sum();
            if error < self.best_error {
                (self.best_error, self.best_round) = (error, round);
            }
        }
    }

    fn into_models(self) -> Vec<TreeEnsemble> {
        let cut = |mut booster: Booster| {
            booster.trees.truncate(self.best_round);
            TreeEnsemble::new(booster.base, booster.trees)
        };
        self.boosters.into_iter().map(cut).collect()
    }
}
