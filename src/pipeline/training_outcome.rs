//! What a training gives, as a checkpoint and as a report.

use std::{collections::BTreeMap, path::Path, time::Instant};

use anyhow::Result;

use crate::{
    data::{Dataset, TableSchema},
    evaluate::{Evaluation, Judged, Leaderboard, ScoredRow, Trust},
    features::TargetTransform,
    model::{Domain, DomainGuard},
    report::{Baseline, DataSummary, Leakage, Milestones, Provenance, RunReport},
    train::{BlendEntry, Checkpoint, FORMAT_VERSION, Loss, Manifest, Schema, Trained},
};

use super::{Params, provenance, training_inputs::Inputs};

/// What a training gives.
pub(super) struct Outcome {
    pub(super) trained: Trained,
    pub(super) judged: Judged,
    pub(super) baseline: Option<Baseline>,
    pub(super) leaderboard: Leaderboard,
    pub(super) leakage: Option<Leakage>,
    /// When the training began.
    pub(super) began: Instant,
}

impl Inputs {
    /// The checkpoint; `rows` are the judged rows, which the report has taken, and `metrics` its scores.
    pub(super) fn checkpoint(
        &self,
        outcome: Outcome,
        rows: &[ScoredRow],
        metrics: &str,
    ) -> Result<Checkpoint> {
        let Outcome { trained, judged, .. } = outcome;
        let (params, dataset) = (&self.start.params, &self.dataset);
        let is_asked = judged.blends.iter().any(|blend| blend.networks > 0.0);
        let (members, scaling) =
            if is_asked { (trained.members, trained.scaling) } else { Default::default() };
        let entries = judged.blends.iter().map(BlendEntry::of).collect();
        let manifest = Manifest {
            format: FORMAT_VERSION,
            schema: Schema {
                target: dataset.target_name.clone(),
                unit: params.data.unit.clone(),
                group: dataset.groups.as_ref().map_or(String::new(), |g| g.column.clone()),
                weight: params.data.weight.clone(),
                uncertainty: params.data.uncertainty.clone(),
                features: dataset.feature_names.clone(),
            },
            preprocessors: self.prepared.preprocessors.clone(),
            shape: params.model.shape(self.prepared.width()),
            scaling,
            blends: entries,
            folds: judged.folds,
            calibration: judged.calibration,
            domain: self.domain(judged.domain),
            parameters: parameters_of(params)?,
            data_sha256: dataset.sha256.clone(),
            metrics: serde_json::from_str(metrics)?,
            checksums: BTreeMap::new(),
        };
        let reference =
            self.reference.with(rows, (&self.dataset, &self.prepared.plan), &self.plain.1);
        Ok(Checkpoint { manifest, members, blends: judged.blends, reference })
    }

    /// The report; takes the judged rows and the history, which a checkpoint does not need.
    pub(super) fn report(&self, outcome: &mut Outcome) -> RunReport {
        let trained = &mut outcome.trained;
        let (params, dataset) = (&self.start.params, &self.dataset);
        let transform = params.target.transform;
        let mut trust =
            Trust::of(&outcome.judged.rows, &params.target, Some(&outcome.judged.calibration));
        if self.prepared.plan.in_time {
            // They train on longer and longer pasts, and their rows depend on each other: no test tells them apart.
            trust.odd_folds.clear();
        }
        let splits = self.prepared.plan.splits.iter().zip(&trained.chosen_epochs);
        let epochs: Vec<(usize, usize, usize)> =
            splits.map(|(split, epoch)| (split.repeat, split.fold, *epoch)).collect();
        RunReport {
            name: self.start.name.clone(),
            data: data_summary(dataset, &params.data.unit, &self.start.schema),
            evaluation: Evaluation::new(
                std::mem::take(&mut outcome.judged.rows),
                params.interval.level,
                &epochs,
            ),
            baseline: outcome.baseline.take(),
            features: self.features.clone(),
            cleaning: self.cleaning.clone(),
            leaderboard: Some(std::mem::take(&mut outcome.leaderboard)),
            leakage: outcome.leakage.take(),
            history: std::mem::take(&mut trained.history),
            transform,
            trust,
            insights: None,
            retraining: None,
            milestones: Milestones::default(),
            loss_name: loss_name(params),
            warnings: self.warnings.clone(),
            params: params.to_toml(),
            provenance: self.provenance(outcome.began.elapsed().as_secs_f64()),
        }
    }

    /// The rows that the model knows, from their distance.
    fn domain(&self, guard: DomainGuard) -> Domain {
        let (preprocessor, matrix) = &self.plain;
        let limits = |name: &String| {
            let stated = self.start.schema.column(name);
            stated.map_or([None; 2], |column| [column.minimum, column.maximum])
        };
        Domain {
            preprocessor: preprocessor.clone(),
            guard,
            limits: self.dataset.feature_names.iter().map(limits).collect(),
            may_be_missing: Domain::missing_columns(matrix),
        }
    }

    pub(super) fn provenance(&self, seconds: f64) -> Provenance {
        Provenance {
            run_id: self.start.run_id.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started: self.start.started.clone(),
            seconds,
            seed: self.start.params.train.seed,
            backend: format!("{} ({})", self.backend.kind, self.backend.reason),
            hardware: provenance::hardware(&self.backend),
            git: provenance::git_state(),
        }
    }
}

/// The parameters without the paths, the search, and all that comes after the training, which do not change a model.
pub(super) fn parameters_of(params: &Params) -> Result<serde_json::Value> {
    let mut value = serde_json::to_value(params)?;
    if let Some(sections) = value.as_object_mut() {
        for section in ["paths", "tune", "track", "serve", "log", "monitor", "retrain"] {
            sections.remove(section);
        }
    }
    Ok(value)
}

/// The table in short; `unit` is that of the target, `schema` states those of the other columns.
pub(super) fn data_summary(dataset: &Dataset, unit: &str, schema: &TableSchema) -> DataSummary {
    let with_unit = |name: &String| {
        let unit = &schema.column(name)?.unit;
        (!unit.is_empty()).then(|| (name.clone(), unit.clone()))
    };
    DataSummary {
        path: dataset.path.clone(),
        sha256: dataset.sha256.clone(),
        dvc: provenance::dvc_version(Path::new(&dataset.path)),
        rows: dataset.rows(),
        groups: dataset.groups.as_ref().map(|groups| groups.names.len()),
        target: dataset.target_name.clone(),
        unit: (!unit.is_empty()).then(|| unit.to_owned()),
        group: dataset.groups.as_ref().map(|groups| groups.column.clone()),
        features: dataset.feature_names.clone(),
        feature_units: dataset.feature_names.iter().filter_map(with_unit).collect(),
        skipped: dataset.skipped(),
    }
}

fn loss_name(params: &Params) -> String {
    let loss = match params.train.loss {
        Loss::Mse => "mean squared error",
        Loss::Huber => "Huber loss",
    };
    let target = &params.data.target;
    match params.target.transform {
        TargetTransform::None => format!("{loss} of the standardised {target}"),
        TargetTransform::Log => format!("{loss} of the standardised ln({target})"),
    }
}
