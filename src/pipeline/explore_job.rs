//! A table looked at before anything is trained on it.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::{Context, Result};
use serde::Serialize;

use crate::{
    data::{
        Dataset, MissingCells, TableSchema,
        explore::{CHECKS, Finding, FindingKind, Profile, Severity, find},
    },
    features::MissingRule,
    report::{Exploration, write_exploration},
    train::{replace_folder, write_atomically},
};

use super::{
    JobError, Params, recipe,
    run_folder::{RunStart, draft_of, empty},
    training_inputs::check_table,
};

/// The file that shows that a folder is a report of this job.
const FINDINGS: &str = "findings.json";

/// What was asked for.
#[derive(Clone, Debug)]
pub struct ExploreOptions {
    /// The parameters, under which training might refuse the table.
    pub params: Params,
    /// Folder for the report.
    pub out: PathBuf,
    /// What is stated about the columns.
    pub schema: Option<TableSchema>,
    /// Where to write a schema guessed from the table, where one is asked for.
    pub write_schema: Option<PathBuf>,
    /// Whether to replace an existing schema.
    pub force: bool,
}

/// A step of the job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExploreStep {
    /// The table is read; so many steps follow.
    Read(usize),
    /// A column is described.
    Column,
    /// A family of checks is done.
    Check,
}

/// A finished exploration.
#[derive(Debug)]
pub struct Explored {
    /// The table.
    pub dataset: Dataset,
    /// Its columns in numbers.
    pub profile: Profile,
    /// What is wrong or odd about it, the worst first.
    pub findings: Vec<Finding>,
    /// Folder of the report.
    pub folder: PathBuf,
    /// The schema that was written.
    pub schema_file: Option<PathBuf>,
}

impl Explored {
    /// Profile and findings as one JSON object.
    ///
    /// # Errors
    /// Where they cannot be written as JSON.
    pub fn to_json(&self) -> Result<String> {
        #[derive(Serialize)]
        struct Both<'a> {
            profile: &'a Profile,
            findings: &'a [Finding],
        }
        let both = Both { profile: &self.profile, findings: &self.findings };
        Ok(serde_json::to_string_pretty(&both)? + "\n")
    }
}

/// Describes and checks the table, and writes the report; an older report of this job is replaced.
/// `on_step` is called from several threads.
///
/// # Errors
/// When the table is refused, something else stands at the report's place, or the report or schema
/// cannot be written.
pub fn explore(
    options: &ExploreOptions,
    on_step: &(dyn Fn(ExploreStep) + Sync),
) -> Result<Explored> {
    refuse_existing(options)?;
    let data = &options.params.data;
    let order = &options.params.cv.order_column;
    let dataset = Dataset::read(data, order, MissingCells::Keep)?;
    let began = Instant::now();
    on_step(ExploreStep::Read(dataset.features.len() + 1 + CHECKS));
    let schema = options.schema.as_ref();
    let mut profile = Profile::new(&dataset, schema, &|| on_step(ExploreStep::Column));
    profile.state_target_unit(&data.unit);
    tracing::info!("described in {:.2} s", began.elapsed().as_secs_f64());
    let mut findings = find(&dataset, &profile, schema, &|| on_step(ExploreStep::Check));
    if let Some(refusal) = refusal(options, &dataset, &findings) {
        findings.insert(0, refusal);
    }
    tracing::info!("checked after {:.2} s", began.elapsed().as_secs_f64());
    let unit = Some(data.unit.clone()).filter(|unit| !unit.is_empty());
    let exploration = Exploration {
        dataset: &dataset,
        profile: &profile,
        findings: &findings,
        schema,
        unit: unit.or_else(|| profile.columns[0].unit.clone()),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    write_report(&exploration, &options.out)?;
    tracing::info!("reported after {:.2} s", began.elapsed().as_secs_f64());
    if let Some(file) = &options.write_schema {
        write_schema(&TableSchema::from_profile(&profile, &data.unit), file)?;
    }
    let (folder, schema_file) = (options.out.clone(), options.write_schema.clone());
    Ok(Explored { dataset, profile, findings, folder, schema_file })
}

/// That training would refuse the table for another reason than those that were found.
fn refusal(options: &ExploreOptions, dataset: &Dataset, findings: &[Finding]) -> Option<Finding> {
    let told = [FindingKind::ConstantTarget, FindingKind::OutOfRange, FindingKind::MissingValues];
    let is_told = |own: &Finding| own.severity == Severity::Error && told.contains(&own.kind);
    if findings.iter().any(is_told) {
        return None;
    }
    // A column without any value is left out.
    let is_empty =
        |own: &&Finding| own.kind == FindingKind::MissingValues && own.count < dataset.rows();
    let empty: usize = findings.iter().filter(is_empty).map(|own| own.count).sum();
    if empty > 0 && options.params.clean.missing == MissingRule::Refuse {
        let cells =
            if empty == 1 { "1 cell has".to_owned() } else { format!("{empty} cells have") };
        let what = format!("{cells} no value, and `clean.missing` is \"refuse\"");
        return Some(Finding::refused(&what, "`--set clean.missing=median` fills in medians"));
    }
    let error = format!("{:#}", refuse_table(options, dataset).err()?);
    let (what, hint) = error.split_once("\n\nhint: ").unwrap_or((&error, "mend it"));
    Some(Finding::refused(what, hint))
}

/// Refuses what training would refuse before it begins.
fn refuse_table(options: &ExploreOptions, dataset: &Dataset) -> Result<()> {
    let params = recipe::resolve(&options.params, dataset.rows())?;
    let schema = options.schema.clone().unwrap_or_default();
    check_table(&mut RunStart::unnamed(params, schema, &dataset.sha256), dataset).map(drop)
}

/// Refuses places that hold something else, before the work rather than after it.
fn refuse_existing(options: &ExploreOptions) -> Result<(), JobError> {
    let refuse = |path: &PathBuf, hint: &str| {
        Err(JobError::Exists { path: path.clone(), hint: hint.to_owned() })
    };
    let out = &options.out;
    let is_report = out.file_name().is_some() && out.join(FINDINGS).exists();
    if out.exists() && !is_report {
        let hint =
            "it is no report of `massay explore` and is not replaced; choose another `--out`";
        return refuse(out, hint);
    }
    match &options.write_schema {
        Some(file) if file.exists() && !options.force => {
            refuse(file, "edit it, or replace it by a guess from the table with `--force`")
        }
        _ => Ok(()),
    }
}

/// Writes the report beside its place and moves it there.
fn write_report(exploration: &Exploration<'_>, out: &Path) -> Result<()> {
    let draft = empty(draft_of(out))?;
    write_json(&draft.join("profile.json"), exploration.profile)?;
    write_json(&draft.join(FINDINGS), &exploration.findings)?;
    write_exploration(exploration, &draft)?;
    replace_folder(&draft, out).with_context(|| format!("cannot write {}", out.display()))
}

fn write_json(path: &Path, content: &impl Serialize) -> Result<()> {
    let text = serde_json::to_string_pretty(content)? + "\n";
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

fn write_schema(schema: &TableSchema, file: &Path) -> Result<()> {
    write_atomically(file, |out| out.write_all(schema.to_toml().as_bytes()))
        .with_context(|| format!("cannot write {}", file.display()))
}
