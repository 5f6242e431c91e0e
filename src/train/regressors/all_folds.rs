//! The regressors of every fold of a run.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
};

use rayon::prelude::*;
use safetensors::SafeTensors;

use crate::{
    model::RegressorKind,
    train::{FoldTask, TrainError, TrainingTable, write_atomically},
};

use super::{
    InnerJudged, LearningRows,
    arrays::{self, Array},
    fit_regressor,
};

const REGRESSOR_STREAM: u64 = 7;

/// What is told, and asked, while regressors are fitted. Called from several threads.
#[derive(Clone, Copy)]
pub struct RegressorHooks<'a> {
    /// Called with the number of fitted regressors and of all.
    pub on_fitted: &'a (dyn Fn(usize, usize) + Sync),
    /// Asked between two fits whether to stop.
    pub interrupted: &'a (dyn Fn() -> bool + Sync),
    /// Folder that keeps finished fits of an unfinished run; `None` keeps none.
    pub state_folder: Option<&'a Path>,
}

/// Fits regressors of `kinds` on each fold, `judged` of its inner parts left out in turn.
///
/// # Errors
/// When somebody asks to stop, or a finished fit cannot be kept.
pub fn fit_regressors(
    table: TrainingTable<'_>,
    tasks: &[FoldTask],
    (kinds, judged): (&[RegressorKind], usize),
    seed: u64,
    hooks: &RegressorHooks<'_>,
) -> Result<Vec<Vec<InnerJudged>>, TrainError> {
    let all = tasks.len() * kinds.len();
    let done = AtomicUsize::new(0);
    (hooks.on_fitted)(0, all);
    let fit = |index: usize| -> Result<InnerJudged, TrainError> {
        let (task, kind) = (index / kinds.len(), kinds[index % kinds.len()]);
        if (hooks.interrupted)() {
            return Err(TrainError::Interrupted);
        }
        let stream = [REGRESSOR_STREAM, tasks[task].repeat as u64, tasks[task].fold as u64];
        let file = hooks.state_folder.map(|folder| file_of(folder, &tasks[task], kind));
        let kept = file.as_deref().and_then(|file| load(file, kind, tasks[task].rows.len()));
        let fitted = match kept {
            Some(kept) => kept,
            None => fit_fold(table, (task, &tasks[task]), (kind, judged), (seed, &stream)),
        };
        if let Some(file) = &file {
            save(file, &fitted)?;
        }
        (hooks.on_fitted)(done.fetch_add(1, Ordering::Relaxed) + 1, all);
        Ok(fitted)
    };
    let fitted: Result<Vec<InnerJudged>, TrainError> = (0..all).into_par_iter().map(fit).collect();
    let mut fitted = fitted?.into_iter();
    Ok(tasks.iter().map(|_| fitted.by_ref().take(kinds.len()).collect()).collect())
}

/// Fits one regressor on the training rows of a fold and their mirror images, if there are any.
fn fit_fold(
    table: TrainingTable<'_>,
    (index, task): (usize, &FoldTask),
    (kind, judged): (RegressorKind, usize),
    (seed, stream): (u64, &[u64]),
) -> InnerJudged {
    let matrix = table.features.get(index);
    let rows = table.in_all_copies(matrix, &task.rows);
    let copies = rows.len() / task.rows.len().max(1);
    let repeated = |values: &[f64]| values.repeat(matrix.rows() / values.len().max(1));
    let data = LearningRows {
        matrix,
        targets: &repeated(table.targets),
        weights: &repeated(table.weights),
        rows: &rows,
        parts: &task.parts.repeat(copies),
        judged,
    };
    let mut fitted = fit_regressor(kind, data, seed, stream);
    fitted.inner.truncate(task.rows.len());
    fitted
}

fn file_of(folder: &Path, task: &FoldTask, kind: RegressorKind) -> PathBuf {
    folder.join(format!("{kind}-{}-{}.safetensors", task.repeat, task.fold))
}

fn save(file: &Path, fitted: &InnerJudged) -> Result<(), TrainError> {
    let mut own = arrays::to_arrays(&fitted.model);
    let inner: Vec<f64> = fitted.inner.iter().map(|value| value.unwrap_or(f64::NAN)).collect();
    own.insert("inner".to_owned(), Array::doubles(&inner));
    let failed = |source| TrainError::State { path: file.to_owned(), source };
    let bytes = safetensors::serialize(own.iter(), None)
        .map_err(|error| failed(io::Error::other(error)))?;
    write_atomically(file, |out| io::Write::write_all(out, &bytes)).map_err(failed)
}

/// What was kept, or `None` where nothing usable was: then it is fitted again.
fn load(file: &Path, kind: RegressorKind, rows: usize) -> Option<InnerJudged> {
    let bytes = fs::read(file).ok()?;
    let tensors = SafeTensors::deserialize(&bytes).ok()?;
    let own = arrays::read(&tensors, "");
    let inner = own.get("inner")?.to_doubles()?;
    let inner = inner.into_iter().map(|value| (!value.is_nan()).then_some(value)).collect();
    let fitted = InnerJudged { model: arrays::from_arrays(kind, &own)?, inner };
    (fitted.inner.len() == rows).then_some(fitted)
}
