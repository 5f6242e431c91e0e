//! Random forests and extra trees.

use rayon::prelude::*;

use super::columns::choose;
use super::exhaustive_search::ExhaustiveSearch;
use super::forest_settings::{Cut, ForestBudget, ForestSettings, RowDraw};
use super::grower::grow;
use super::random_search::RandomSearch;
use super::sums::WeightedTarget;
use super::{Stream, Table};
use crate::data::Generator;
use crate::model::{Tree, TreeEnsemble};
use crate::train::regressors::inner_parts::InnerParts;

#[cfg(test)]
/// A forest on `rows` of `table`: the mean of trees that differ by their random choices.
///
/// Each tree has its own random stream, so threads do not change the result.
#[must_use]
pub(super) fn fit_forest(
    table: &Table,
    rows: &[u32],
    settings: &ForestSettings,
    stream: &Stream,
) -> TreeEnsemble {
    let ground = Ground::new(table, rows);
    let tree = |tree| ground.grow(settings, stream.step(tree).generator());
    TreeEnsemble::forest(ground.base, (0..settings.trees).into_par_iter().map(tree).collect())
}

/// What all trees of one forest grow on: rows, and targets less their mean.
struct Ground<'a> {
    table: &'a Table,
    rows: Vec<u32>,
    base: f64,
    targets: Vec<WeightedTarget>,
}

impl<'a> Ground<'a> {
    fn new(table: &'a Table, rows: &[u32]) -> Self {
        let base = table.mean(rows);
        let pairs = table.targets.iter().zip(&table.weights);
        let targets = pairs.map(|(target, weight)| WeightedTarget::new(target - base, *weight));
        Self { table, rows: table.weighty(rows), base, targets: targets.collect() }
    }

    fn grow(&self, settings: &ForestSettings, mut generator: Generator) -> Tree {
        let (binned, limits) = (&self.table.binned, settings.limits);
        match settings.cut {
            Cut::Best => {
                let (rows, targets) = self.draw(settings.rows, &mut generator);
                let fraction = settings.columns;
                let mut search =
                    ExhaustiveSearch::new(binned, &targets, limits, fraction, generator);
                grow(binned, &targets, limits, rows, &mut search).tree
            }
            Cut::Random => {
                let (rows, targets) = (self.rows.clone(), &self.targets);
                let mut search =
                    RandomSearch::new(binned, targets, limits, settings.columns, generator);
                grow(binned, targets, limits, rows, &mut search).tree
            }
        }
    }

    fn draw(&self, rows: RowDraw, generator: &mut Generator) -> (Vec<u32>, Vec<WeightedTarget>) {
        match rows {
            RowDraw::Bootstrap => self.bootstrap(generator),
            RowDraw::Fraction(fraction) => {
                (choose(&self.rows, fraction, generator), self.targets.clone())
            }
        }
    }

    /// As many draws with replacement as there are rows; a row's draws multiply its weight.
    fn bootstrap(&self, generator: &mut Generator) -> (Vec<u32>, Vec<WeightedTarget>) {
        let mut draws = vec![0_u32; self.targets.len()];
        for _ in 0..self.rows.len() {
            draws[self.rows[generator.below(self.rows.len())] as usize] += 1;
        }
        let times = |(target, draws): (&WeightedTarget, &u32)| WeightedTarget {
            target: target.target * f64::from(*draws),
            weight: target.weight * f64::from(*draws),
        };
        let rows = self.rows.iter().copied().filter(|row| draws[*row as usize] > 0).collect();
        (rows, self.targets.iter().zip(&draws).map(times).collect())
    }
}

/// One make of forest, grown for every inner part.
struct Candidate {
    settings: ForestSettings,
    /// The trees of each part.
    trees: Vec<Vec<Tree>>,
    error: f64,
}

/// The sub-models of a forest of `most` trees at most, one per inner part, of the settings that predict the parts best.
pub(crate) fn fit_forests(
    table: &Table,
    parts: &InnerParts,
    (cut, most): (Cut, usize),
    stream: &Stream,
) -> Vec<TreeEnsemble> {
    let budget = ForestBudget::new(table.rows(), parts.len(), most);
    let grounds: Vec<Ground> = parts.training.iter().map(|rows| Ground::new(table, rows)).collect();
    let field = Field { table, parts, grounds, stream };
    let plain = ForestSettings::plain(cut, budget.trees, table.rows());
    let mut best = field.candidate(plain, budget.probe);
    // One setting after the other, each with the best of those before.
    best = field.best(best, &|_| plain.other_columns(table.binned.columns()), budget.probe);
    best = field.best(best, &|best| best.larger_leaves(table.rows()), budget.probe);
    best = field.best(best, &ForestSettings::other_rows, budget.probe);
    field.complete(best)
}

/// The grounds of all inner parts.
struct Field<'a> {
    table: &'a Table,
    parts: &'a InnerParts,
    grounds: Vec<Ground<'a>>,
    stream: &'a Stream,
}

impl Field<'_> {
    /// The best of `best` and the `others` made from it.
    fn best(
        &self,
        best: Candidate,
        others: &dyn Fn(ForestSettings) -> Vec<ForestSettings>,
        probe: usize,
    ) -> Candidate {
        let rows = self.table.rows();
        let others = others(best.settings).into_iter();
        let candidates = others.map(|settings| self.candidate(settings, probe));
        candidates.fold(best, |best, other| best.better(other, rows))
    }

    fn candidate(&self, settings: ForestSettings, probe: usize) -> Candidate {
        let trees = self.grow(&settings, 0..probe.min(settings.trees));
        let error: f64 =
            (0..self.parts.len()).map(|part| self.error(part, &trees[part], &settings)).sum();
        Candidate { settings, trees, error }
    }

    /// The trees with the numbers `range`, for every part.
    fn grow(&self, settings: &ForestSettings, range: std::ops::Range<usize>) -> Vec<Vec<Tree>> {
        let (count, parts) = (range.len(), self.parts.len());
        let one = |index: usize| {
            let (part, tree) = (index / count, range.start + index % count);
            self.grounds[part].grow(settings, self.stream.step(part).step(tree).generator())
        };
        if count == 0 {
            return vec![Vec::new(); parts];
        }
        let trees: Vec<Tree> = (0..parts * count).into_par_iter().map(one).collect();
        trees.chunks(count).map(<[Tree]>::to_vec).collect()
    }

    /// The squared error on a part, as it will be with all trees: the mean of `t` trees errs by
    /// their variance over `t` more than that of infinitely many, so few trees would favour the
    /// makes whose trees differ least.
    fn error(&self, part: usize, trees: &[Tree], settings: &ForestSettings) -> f64 {
        let count = trees.len().max(1) as f64;
        let excess = 1.0 / count - 1.0 / settings.trees.max(1) as f64;
        let of = |row: &u32| {
            let features = self.table.features(*row);
            let (mean, variance) = moments(trees.iter().map(|tree| tree.predict(features)));
            let weight = self.table.weights[*row as usize];
            let error = self.table.squared_error(*row, self.grounds[part].base + mean);
            error - weight * variance * excess
        };
        let errors: Vec<f64> = self.parts.held[part].par_iter().map(of).collect();
        errors.iter().sum()
    }

    /// The winner with all of its trees: those of the comparison are kept.
    fn complete(&self, best: Candidate) -> Vec<TreeEnsemble> {
        let Candidate { settings, trees, .. } = best;
        let grown = trees.first().map_or(0, Vec::len);
        let rest = self.grow(&settings, grown..settings.trees);
        let bases = self.grounds.iter().map(|ground| ground.base);
        let all = trees.into_iter().zip(rest).map(|(mut trees, rest)| {
            trees.extend(rest);
            trees
        });
        bases.zip(all).map(|(base, trees)| TreeEnsemble::forest(base, trees)).collect()
    }
}

impl Candidate {
    /// The one with the smaller error, where the simpler one holds unless the other is better by
    /// a few parts in the number of rows: on a hundred rows, smaller differences are luck.
    fn better(self, other: Self, rows: usize) -> Self {
        let margin = (2.5 / rows.max(1) as f64).min(0.1);
        if other.error < self.error * (1.0 - margin) { other } else { self }
    }
}

/// Mean and unbiased variance.
fn moments(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (mut count, mut mean, mut squares) = (0.0, 0.0, 0.0);
    for value in values {
        count += 1.0;
        let step = value - mean;
        mean += step / count;
        squares += step * (value - mean);
    }
    (mean, squares / f64::max(count - 1.0, 1.0))
}
