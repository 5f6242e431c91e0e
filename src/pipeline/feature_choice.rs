//! `features.set = "auto"`: the best of several feature sets for each fold, found within its
//! training rows.

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::{
    data::{Dataset, FoldPlan, Split},
    features::{FeatureBlock, FeatureSet},
    report::{FeatureCandidate, FeatureSummary},
    train::TrainError,
};

use super::{
    Params,
    inner_errors::{inner_errors, inner_plan, judged_rows},
    interrupted,
    prepared::{Prepared, RawTable},
    run_folder::RunStart,
};

/// The sets that are tried: first the columns themselves, as they are and in logarithms.
const CANDIDATES: [&[&str]; 5] =
    [&["raw"], &["log1p(raw)"], &["normal(raw)"], &["log1p(summary)"], &["raw", "pairs(raw)"]];

/// Candidates that are the columns themselves, which the others are measured against.
const PLAIN: usize = 2;

/// Tried besides where the schema declares rings.
const RING_CANDIDATES: [&[&str]; 2] = [
    &["log1p(sorted)", "log1p(total)"],
    &["log1p(total)", "log1p(ring_sums)", "ring_asymmetries", "ratios"],
];

/// The blocks of each fold, and how they were chosen; part of what an unfinished run keeps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Choice {
    pub(super) blocks: Vec<Vec<FeatureBlock>>,
    candidates: Vec<FeatureCandidate>,
}

/// Chooses the blocks of each fold of `plan`; `on_choice` hears how many of all comparisons are done.
///
/// # Errors
/// When it is interrupted.
pub(super) fn choose(
    raw: RawTable<'_>,
    plan: &FoldPlan,
    start: &RunStart,
    on_choice: &dyn Fn(usize, usize),
) -> Result<Choice> {
    let params = &start.params;
    if let FeatureSet::Blocks(blocks) = &params.features.set {
        let blocks = vec![blocks.clone(); plan.splits.len()];
        return Ok(Choice { blocks, candidates: Vec::new() });
    }
    let sets = candidates(&raw);
    let all = plan.splits.len() * sets.len();
    let folds = plan.splits.len();
    let mut tried: Vec<Tried> = sets.into_iter().map(|blocks| Tried::new(blocks, folds)).collect();
    for (fold, split) in plan.splits.iter().enumerate() {
        let own = TrainingRows::new(raw, split, fold, params.train.seed);
        let Some(inner) = inner_plan(own.table(raw), params.train.seed, fold) else { continue };
        for (index, set) in tried.iter_mut().enumerate() {
            on_choice(fold * all / folds + index, all);
            if interrupted() {
                return Err(start.told(TrainError::Interrupted));
            }
            set.judge(own.table(raw), (fold, &inner), params);
        }
    }
    on_choice(all, all);
    Ok(Choice::new(&tried, folds))
}

/// The sets that suit the table.
fn candidates(raw: &RawTable<'_>) -> Vec<Vec<FeatureBlock>> {
    let width = raw.layout.columns;
    let rings: &[&[&str]] = if raw.layout.rings.is_empty() { &[] } else { &RING_CANDIDATES };
    let suits = |set: &&&[&str]| match **set {
        ["log1p(summary)"] => width >= 4,
        ["raw", "pairs(raw)"] => (2..=15).contains(&width),
        _ => true,
    };
    let parse = |set: &&[&str]| set.iter().filter_map(|block| block.parse().ok()).collect();
    CANDIDATES.iter().filter(suits).chain(rings).map(parse).collect()
}

/// A table of some training rows of one fold.
struct TrainingRows {
    dataset: Dataset,
    transformed: Vec<f64>,
}

impl TrainingRows {
    fn new(raw: RawTable<'_>, split: &Split, fold: usize, seed: u64) -> Self {
        let rows = judged_rows(&split.train, &raw.dataset.group_ids(), seed, fold);
        Self {
            transformed: rows.iter().map(|row| raw.transformed[*row as usize]).collect(),
            dataset: raw.dataset.gather(&rows),
        }
    }

    fn table<'a>(&'a self, raw: RawTable<'a>) -> RawTable<'a> {
        RawTable { dataset: &self.dataset, transformed: &self.transformed, ..raw }
    }
}

/// A set that was tried.
struct Tried {
    blocks: Vec<FeatureBlock>,
    /// Number of its features.
    features: usize,
    /// Its inner mean squared errors, by fold and group; none of a fold that could not be cut.
    errors: Vec<Vec<f64>>,
}

impl Tried {
    fn new(blocks: Vec<FeatureBlock>, folds: usize) -> Self {
        Self { blocks, features: 0, errors: vec![Vec::new(); folds] }
    }

    /// Judges the set within the training rows of a fold.
    fn judge(&mut self, own: RawTable<'_>, (fold, plan): (usize, &FoldPlan), params: &Params) {
        let Ok(prepared) = own.prepare_alike(plan.clone(), &self.blocks) else { return };
        self.features = prepared.width();
        self.errors[fold] = inner_errors(own, &prepared, params);
    }

    /// Root of the mean error of a fold's groups; infinite where there is none.
    fn rmse(&self, fold: usize) -> f64 {
        let errors = &self.errors[fold];
        if errors.is_empty() {
            return f64::INFINITY;
        }
        (errors.iter().sum::<f64>() / errors.len() as f64).sqrt()
    }
}

impl Choice {
    fn new(tried: &[Tried], folds: usize) -> Self {
        let taken: Vec<usize> = (0..folds).map(|fold| simplest_good(tried, fold)).collect();
        // The better of the columns themselves and their logarithms.
        let plain = |fold: usize| {
            tried[..PLAIN].iter().map(|set| set.rmse(fold)).fold(f64::INFINITY, f64::min)
        };
        let candidate = |(index, set): (usize, &Tried)| {
            let ratios = (0..folds).map(|fold| (set.rmse(fold) / plain(fold)).ln());
            let ratios: Vec<f64> = ratios.filter(|ratio| ratio.is_finite()).collect();
            FeatureCandidate {
                set: named(&set.blocks),
                relative_rmse: (ratios.iter().sum::<f64>() / ratios.len() as f64).exp(),
                folds: taken.iter().filter(|set| **set == index).count(),
            }
        };
        let mut candidates: Vec<FeatureCandidate> =
            tried.iter().enumerate().map(candidate).collect();
        // Where no fold could be cut there is nothing to compare.
        candidates.retain(|own| own.relative_rmse.is_finite());
        Self { blocks: taken.iter().map(|set| tried[*set].blocks.clone()).collect(), candidates }
    }

    /// The blocks that most folds have, the first of several.
    pub(super) fn most_frequent(&self) -> &[FeatureBlock] {
        let count =
            |blocks: &Vec<FeatureBlock>| self.blocks.iter().filter(|b| *b == blocks).count();
        let most = self.blocks.iter().map(count).max().unwrap_or(0);
        self.blocks.iter().find(|blocks| count(blocks) == most).map_or(&[], Vec::as_slice)
    }

    /// What the report says of the features.
    pub(super) fn summary(&self, prepared: &Prepared, motions: usize) -> FeatureSummary {
        FeatureSummary {
            names: prepared.preprocessors.get(0).outputs().map(str::to_owned).collect(),
            choice: self.sentence(),
            candidates: self.candidates.clone(),
            motions,
        }
    }

    /// What was picked, in how many folds, and by how much.
    fn sentence(&self) -> String {
        if self.candidates.is_empty() {
            return String::new();
        }
        let mut taken: Vec<&FeatureCandidate> =
            self.candidates.iter().filter(|candidate| candidate.folds > 0).collect();
        taken.sort_by_key(|candidate| std::cmp::Reverse(candidate.folds));
        let folds = self.blocks.len();
        let part = |candidate: &&FeatureCandidate| {
            format!("{} in {} of {folds} folds", candidate.set, candidate.folds)
        };
        let change = |candidate: &&FeatureCandidate| {
            format!("{:+.1} %", 100.0 * (candidate.relative_rmse - 1.0))
        };
        let parts: Vec<String> = taken.iter().map(part).collect();
        let changes: Vec<String> = taken.iter().map(change).collect();
        format!(
            "picked {}; inner RMSE {} against the better of raw and log1p(raw)",
            parts.join(", "),
            changes.join(", ")
        )
    }
}

/// The set of the fewest features that is worse than the best one by no more than the standard error
/// of their difference (Breiman, Friedman, Olshen and Stone 1984), each group counting once.
fn simplest_good(tried: &[Tried], fold: usize) -> usize {
    let mut order: Vec<usize> = (0..tried.len()).collect();
    order.sort_by_key(|set| tried[*set].features);
    let best =
        order.iter().copied().min_by(|a, b| tried[*a].rmse(fold).total_cmp(&tried[*b].rmse(fold)));
    // Where nothing could be judged, the columns themselves.
    let best = best.filter(|best| tried[*best].rmse(fold).is_finite()).unwrap_or(0);
    let is_good = |set: &usize| {
        if !tried[*set].rmse(fold).is_finite() {
            return *set == best;
        }
        let pairs = tried[*set].errors[fold].iter().zip(&tried[best].errors[fold]);
        let differences: Vec<f64> = pairs.map(|(own, best)| own - best).collect();
        let count = differences.len() as f64;
        let mean = differences.iter().sum::<f64>() / count;
        let variance = differences.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / (count - 1.0);
        *set == best || mean <= (variance / count).sqrt()
    };
    order.into_iter().find(is_good).unwrap_or(best)
}

/// A set as one reads it.
fn named(set: &[FeatureBlock]) -> String {
    set.iter().map(ToString::to_string).collect::<Vec<_>>().join(" + ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tried(features: usize, errors: &[f64]) -> Tried {
        let blocks = vec![FeatureBlock::Raw];
        Tried { blocks, features, errors: vec![errors.to_vec()] }
    }

    #[test]
    fn the_simplest_set_within_one_standard_error_of_the_best_is_taken() {
        let best = [1.0, 2.0, 3.0, 2.0];
        // Differences 1, -0.5, 0.5, 0: mean 0.25, standard error 0.3227.
        let close = [2.0, 1.5, 3.5, 2.0];
        // Always worse by 0.5: no error at all.
        let worse = [1.5, 2.5, 3.5, 2.5];
        assert_eq!(simplest_good(&[tried(9, &best), tried(2, &close), tried(1, &worse)], 0), 1);
        assert_eq!(simplest_good(&[tried(1, &best), tried(2, &close)], 0), 0);
        assert_eq!(simplest_good(&[tried(1, &worse), tried(9, &best)], 0), 1);
    }
}
