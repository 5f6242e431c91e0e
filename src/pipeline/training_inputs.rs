//! Everything a training is a function of.

use anyhow::Result;

use crate::{
    data::{DataError, Dataset, FoldPlan, Split},
    evaluate::refuse_small_calibration,
    features::{FeatureBlock, FeatureMatrix, Layout, Preprocessor},
    model::Backend,
    report::{CleaningSummary, FeatureSummary},
};

use super::{
    cleaning_summary, data_warnings, duplicates,
    feature_choice::{self, Choice},
    insights::InsightRows,
    leakage,
    prepared::{Prepared, RawTable},
    reference_rows::ReferenceRows,
    run_folder::RunStart,
    training_start::changed,
};

/// Everything a training is a function of.
pub(super) struct Inputs {
    pub(super) start: RunStart,
    pub(super) dataset: Dataset,
    pub(super) backend: Backend,
    /// Targets in the space of learning.
    pub(super) transformed: Vec<f64>,
    /// The folds and their features.
    pub(super) prepared: Prepared,
    /// The other way to split, to compare with.
    pub(super) other: Option<Prepared>,
    /// Raw columns as plain features, which the distance to known rows is measured in.
    pub(super) plain: (Preprocessor, FeatureMatrix),
    /// Raw rows for the checkpoint.
    pub(super) reference: ReferenceRows,
    /// Raw rows that insights are found with.
    pub(super) insight_rows: InsightRows,
    pub(super) features: FeatureSummary,
    pub(super) cleaning: CleaningSummary,
    pub(super) warnings: Vec<String>,
}

impl Inputs {
    /// How much each row counts in the space of learning.
    pub(super) fn row_weights(&self) -> Vec<f64> {
        self.dataset.row_weights(|y| self.start.params.target.transform.slope(y))
    }
}

/// What a run is started with, after everything that can be refused was.
pub(super) struct Accepted {
    pub(super) start: RunStart,
    pub(super) dataset: Dataset,
    backend: Backend,
    pub(super) table: Checked,
}

/// What the checks of a table find out about it.
pub(super) struct Checked {
    transformed: Vec<f64>,
    pub(super) plan: FoldPlan,
    /// Rows that equal an earlier one and do not train.
    duplicates: usize,
    layout: Layout,
    motions: Vec<Vec<usize>>,
}

/// Checks the table against its schema, the parameters and, of a resumed run, its folds.
///
/// # Errors
/// Where one of them is not met.
pub(super) fn check_table(start: &mut RunStart, dataset: &Dataset) -> Result<Checked> {
    dataset.refuse_constant_target()?;
    start.schema.check(dataset)?;
    let transformed = start.params.target.apply_all(&dataset.target_name, &dataset.target)?;
    let mut plan = plan_of(start, dataset)?;
    let duplicates = duplicates::drop(dataset, &start.params.clean, &mut plan)?;
    if let Some(first) = start.only_first {
        plan.splits.iter_mut().for_each(|split| split.train.retain(|row| (*row as usize) < first));
    }
    let weights = dataset.row_weights(|y| start.params.target.transform.slope(y));
    refuse_weightless(&plan, &weights, &dataset.path)?;
    let array = start.schema.array.as_ref();
    let layout = Layout::new(&dataset.feature_names, array);
    layout.check(&start.params.features.set)?;
    let augment = start.params.features.augment;
    let motions = if augment { layout.motions(array)? } else { Vec::new() };
    Ok(Checked { transformed, plan, duplicates, layout, motions })
}

impl Accepted {
    /// Of a table that passes [`check_table`].
    pub(super) fn new(mut start: RunStart, dataset: Dataset, backend: Backend) -> Result<Self> {
        let table = check_table(&mut start, &dataset)?;
        Ok(Self { start, dataset, backend, table })
    }

    /// The same with one more split behind the folds: all rows train, none is held out.
    pub(super) fn with_all_rows(mut self) -> Result<Self> {
        let train = (0..self.dataset.rows() as u32).collect();
        let split = Split { repeat: self.table.plan.repeats, fold: 0, train, held_out: Vec::new() };
        let mut alone = FoldPlan { splits: vec![split], ..self.table.plan.clone() };
        duplicates::drop(&self.dataset, &self.start.params.clean, &mut alone)?;
        self.table.plan.splits.append(&mut alone.splits);
        Ok(self)
    }

    /// Chooses and computes the features; `on_choice` hears how many of all comparisons are done.
    pub(super) fn prepare(self, on_choice: &dyn Fn(usize, usize)) -> Result<Inputs> {
        let (raw, params) = (self.raw(), &self.start.params);
        let choice = self.choice(on_choice)?;
        let usual = choice.most_frequent();
        let other = match leakage::other_plan(&self.dataset, params) {
            Some(plan) => Some(raw.prepare_alike(plan, usual)?),
            None => None,
        };
        let plain = plain(raw, usual);
        let warnings =
            data_warnings::of(&self.dataset, &self.table.plan, params, &self.start.schema);
        let prepared = raw.prepare(self.table.plan.clone(), &choice.blocks)?;
        let cleaning =
            cleaning_summary::of(&self.dataset, &params.clean, &prepared, self.table.duplicates);
        let features = choice.summary(&prepared, raw.motions.len());
        let mut inputs = self.with_prepared(prepared, plain);
        inputs.start.choice = Some(choice);
        Ok(Inputs { other, features, cleaning, warnings, ..inputs })
    }

    /// The table and what is configured for it.
    pub(super) fn raw(&self) -> RawTable<'_> {
        RawTable {
            dataset: &self.dataset,
            transformed: &self.table.transformed,
            clean: &self.start.params.clean,
            layout: &self.table.layout,
            motions: &self.table.motions,
        }
    }

    /// The features of each fold: those that a resumed run had chosen, or chosen now.
    pub(super) fn choice(&self, on_choice: &dyn Fn(usize, usize)) -> Result<Choice> {
        match self.start.choice.clone() {
            Some(choice) => Ok(choice),
            None => feature_choice::choose(self.raw(), &self.table.plan, &self.start, on_choice),
        }
    }

    /// The inputs of a training on the folds of `prepared`, of which nothing is told yet.
    pub(super) fn with_prepared(
        mut self,
        prepared: Prepared,
        plain: (Preprocessor, FeatureMatrix),
    ) -> Inputs {
        let reference = ReferenceRows::sample(&self.dataset, &self.table.plan);
        let insight_rows = InsightRows::sample(&self.dataset);
        // The matrices stand for the raw features from here on.
        self.dataset.features = Vec::new();
        Inputs {
            start: self.start,
            dataset: self.dataset,
            backend: self.backend,
            transformed: self.table.transformed,
            prepared,
            other: None,
            plain,
            reference,
            insight_rows,
            features: FeatureSummary::default(),
            cleaning: CleaningSummary::default(),
            warnings: Vec::new(),
        }
    }
}

/// The folds, which a resumed run must find as they were.
fn plan_of(start: &mut RunStart, dataset: &Dataset) -> Result<FoldPlan> {
    let params = &start.params;
    let plan = FoldPlan::new(&params.cv, dataset, params.train.seed)?;
    let folds_sha256 = plan.sha256();
    if !start.folds_sha256.is_empty() && start.folds_sha256 != folds_sha256 {
        return Err(changed(start, "the folds have changed", "the folds it was started with"));
    }
    let weights = dataset.row_weights(|y| params.target.transform.slope(y));
    if weights.iter().any(|weight| !weight.is_finite()) {
        let found = "weights or uncertainties are of sizes whose sum leaves the range of numbers";
        let hint = "give them in another unit: only their ratios count";
        return Err(
            DataError::malformed(&dataset.path, found, "weights of a common size", hint).into()
        );
    }
    refuse_small_calibration(&plan, (&dataset.group_ids(), &weights), params.interval.level)?;
    start.folds_sha256 = folds_sha256;
    Ok(plan)
}

/// Refuses a split without a row that counts on one of its sides: it has no error.
fn refuse_weightless(plan: &FoldPlan, weights: &[f64], table: &str) -> Result<(), DataError> {
    let counts = |rows: &[u32]| rows.iter().any(|row| weights[*row as usize] > 0.0);
    let Some(split) =
        plan.splits.iter().find(|split| !counts(&split.train) || !counts(&split.held_out))
    else {
        return Ok(());
    };
    let found = format!("all rows on one side of fold {} have weight 0", split.fold);
    let hint = "leave out the rows that count for nothing, or lower `cv.folds`";
    Err(DataError::malformed(table, found, "rows that count on either side of every fold", hint))
}

/// The columns themselves, or their logarithms where the networks see logarithms, of all rows.
pub(super) fn plain(raw: RawTable<'_>, blocks: &[FeatureBlock]) -> (Preprocessor, FeatureMatrix) {
    let logarithm = blocks.iter().any(|block| block.to_string().contains("log1p"));
    let all: Vec<u32> = (0..raw.dataset.rows() as u32).collect();
    let preprocessor = Preprocessor::plain(logarithm, raw.rows(&all));
    let matrix = preprocessor.transform_columns(&raw.dataset.features);
    (preprocessor, matrix)
}
