//! What a run starts from: a new name, or what an unfinished run was started with.

use anyhow::Result;

use crate::{
    data::{Dataset, MissingCells, TableSchema},
    features::MissingRule,
    model::{Backend, BackendKind},
};

use super::{
    JobError, Params, TrainOptions, provenance, recipe,
    run_folder::{RunFolder, RunKind, RunStart, default_name, find_unfinished},
};

/// What the run starts from: a new name, or what an unfinished run was started with.
pub(super) fn start_of(
    options: TrainOptions,
    kind: RunKind,
) -> Result<(RunStart, Dataset, Backend)> {
    if options.resume { resumed_start(&options, kind) } else { new_start(options, kind) }
}

fn new_start(options: TrainOptions, kind: RunKind) -> Result<(RunStart, Dataset, Backend)> {
    let mut params = options.params;
    let dataset = read(&params)?;
    params = recipe::resolve(&params, dataset.rows())?;
    let backend = Backend::select(options.backend.unwrap_or_default())?;
    let name = options.name.unwrap_or_else(|| default_name(kind, &params, &dataset.sha256));
    let schema = schema_of(&params)?;
    if let Some(column) = schema.column(&params.data.target).filter(|_| params.data.unit.is_empty())
    {
        params.data.unit.clone_from(&column.unit);
    }
    let run = RunFolder::new(&params.paths, &name, kind)?;
    if !options.force {
        run.refuse_existing(&name)?;
    }
    let start = RunStart {
        run_id: provenance::new_id(&name),
        name,
        kind,
        started: provenance::now(),
        backend: backend.kind,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        data_sha256: dataset.sha256.clone(),
        folds_sha256: String::new(),
        schema,
        choice: None,
        compare: options.compare,
        only_first: options.only_first,
        params,
    };
    Ok((start, dataset, backend))
}

fn resumed_start(options: &TrainOptions, kind: RunKind) -> Result<(RunStart, Dataset, Backend)> {
    let start = find_unfinished(&options.params.paths, options.name.as_deref(), kind)?;
    let asked = options.backend.unwrap_or_default();
    if asked != BackendKind::Auto && asked != start.backend {
        let expected = start.backend.to_string();
        return Err(changed(&start, "another backend is asked for", &expected));
    }
    if options.compare && !start.compare {
        let found = "it was started by `massay train`";
        return Err(changed(&start, found, "a run that `massay compare` started"));
    }
    let version = env!("CARGO_PKG_VERSION");
    if start.version != version {
        return Err(changed(&start, &format!("this is massay {version}"), &start.version));
    }
    let dataset = read(&start.params)?;
    if dataset.sha256 != start.data_sha256 {
        let found = format!("{} has changed", dataset.path);
        return Err(changed(&start, &found, "the data it was started with"));
    }
    let backend = Backend::select(start.backend)?;
    Ok((start, dataset, backend))
}

pub(super) fn changed(start: &RunStart, found: &str, expected: &str) -> anyhow::Error {
    JobError::Changed {
        name: start.name.clone(),
        found: found.to_owned(),
        expected: expected.to_owned(),
        hint: format!("undo the change, or start anew with `--force --name {}`", start.name),
    }
    .into()
}

/// The table, its missing values kept where cleaning fills them.
pub(super) fn read(params: &Params) -> Result<Dataset> {
    let missing = match params.clean.missing {
        MissingRule::Refuse => MissingCells::Refuse,
        MissingRule::Median => MissingCells::KeepInFeatures,
    };
    Ok(Dataset::read(&params.data, &params.cv.order_column, missing)?)
}

/// What is stated about the table; nothing where there is no schema.
pub(super) fn schema_of(params: &Params) -> Result<TableSchema> {
    let file = params.data.schema_file();
    Ok(file.map(|file| TableSchema::read(&file)).transpose()?.unwrap_or_default())
}
