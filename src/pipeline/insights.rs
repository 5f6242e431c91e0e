//! What the models of a run do with its columns.

use crate::{
    data::{Dataset, FoldPlan, TableSchema},
    evaluate::{AskedModels, ColumnSet, Insights, JudgedRows, ScoredRow},
    features::TargetConfig,
    model::{Backend, FoldTarget, Predictor},
    train::Checkpoint,
};

/// Raw rows that insights are found with, set aside before the raw columns give way to the matrices.
pub(super) struct InsightRows {
    names: Vec<String>,
    chosen: Vec<u32>,
    /// Row-major.
    raw: Vec<f64>,
}

impl InsightRows {
    pub(super) fn sample(dataset: &Dataset) -> Self {
        let chosen = JudgedRows::chosen(dataset, JudgedRows::MOST);
        let raw = dataset.raw_rows(&chosen);
        Self { names: dataset.feature_names.clone(), chosen, raw }
    }

    /// Those of `scored` that were set aside, of the first repeat.
    fn judged(&self, scored: &[ScoredRow]) -> JudgedRows {
        JudgedRows::new(&self.names, (&self.chosen, &self.raw), scored)
    }
}

/// What the models in `checkpoint` do with the columns of `rows`, which were judged as `scored`.
pub(super) fn insights(
    (checkpoint, backend): (&Checkpoint, &Backend),
    rows: &InsightRows,
    (scored, plan): (&[ScoredRow], &FoldPlan),
    schema: &TableSchema,
) -> Insights {
    let folds: Vec<Predictor> =
        (0..plan.folds()).map(|fold| checkpoint.fold_predictor(fold, backend)).collect();
    let deployed = checkpoint.predictor(backend);
    let models = AskedModels {
        of_fold: &|fold, rows| folds[fold].values(rows),
        trained: &|fold, row| plan.splits[fold].train.binary_search(&(row as u32)).is_ok(),
        deployed: &|rows| deployed.values(rows),
    };
    let transform = target_of(checkpoint).transform;
    let badness =
        |row: &ScoredRow| (transform.apply(row.target) - transform.apply(row.prediction)).abs();
    Insights::of(&rows.judged(scored), &rings(schema, &rows.names), models, badness)
}

/// How the target is treated.
pub(super) fn target_of(checkpoint: &Checkpoint) -> TargetConfig {
    let first = checkpoint.manifest.folds.first();
    let own = |fold: &FoldTarget| TargetConfig { transform: fold.transform, minimum: fold.minimum };
    first.map(own).unwrap_or_default()
}

/// The rings of the detector array, where there are several and every detector is a column.
pub(super) fn rings(schema: &TableSchema, names: &[String]) -> Vec<ColumnSet> {
    let Some(array) = schema.array.as_ref().filter(|array| array.rings.len() > 1) else {
        return Vec::new();
    };
    let place = |name: &String| names.iter().position(|own| own == name);
    let set = |(index, ring): (usize, &Vec<String>)| {
        let columns: Option<Vec<usize>> = ring.iter().map(place).collect();
        let ends = ring.first().zip(ring.last());
        let ends = ends.map_or_else(String::new, |(first, last)| format!(" ({first} to {last})"));
        columns.map(|columns| ColumnSet { name: format!("ring {}{ends}", index + 1), columns })
    };
    let sets: Option<Vec<ColumnSet>> = array.rings.iter().enumerate().map(set).collect();
    sets.unwrap_or_default()
}
