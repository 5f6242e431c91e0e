//! Finished runs beside each other: whether one of them is better, and what was set otherwise.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::{
    report::{ChangedParameter, Comparison, PairedDifference, write_comparison},
    train::replace_folder,
};

use super::{
    JobError, Params,
    compared_run::RunResults,
    paired_rows::PairedRows,
    run_folder::{draft_of, empty},
};

/// Longer names of folders are no names on every system.
const LONGEST_NAME: usize = 150;

/// What came of a comparison.
#[derive(Clone, Debug)]
pub struct Compared {
    /// The comparison.
    pub comparison: Comparison,
    /// The same as JSON, as in `comparison.json`.
    pub json: String,
    /// Folder of the report.
    pub folder: PathBuf,
}

/// Compares the runs called `names` with the first of them and writes a report into `out`, or `reports/compare-A-B`;
/// an earlier comparison there is replaced.
///
/// # Errors
/// When fewer than two runs are named, one is named twice, is not there, or predicts something else, its report is
/// missing, or there is something else where the report is to go.
pub fn compare(params: &Params, names: &[String], out: Option<&Path>) -> Result<Compared> {
    refuse_names(names)?;
    let folder = out.map_or_else(|| default_folder(params, names), Path::to_owned);
    refuse_existing(&folder)?;
    let runs: Vec<RunResults> =
        names.iter().map(|name| RunResults::read(params, name)).collect::<Result<_>>()?;
    runs.iter().try_for_each(|run| refuse_other_target(&runs[0], run))?;
    let comparison = comparison(&runs);
    let draft = empty(draft_of(&folder))?;
    write_comparison(&comparison, &draft)?;
    replace_folder(&draft, &folder)
        .with_context(|| format!("cannot write {}", folder.display()))?;
    Ok(Compared { json: comparison.to_json()?, comparison, folder })
}

fn refuse_names(names: &[String]) -> Result<()> {
    if names.len() < 2 {
        bail!(
            "{} named, expected two or more\n\nhint: `massay runs` lists them",
            if names.is_empty() { "no run is" } else { "one run is" }
        );
    }
    let mut seen = HashSet::new();
    match names.iter().find(|name| !seen.insert(name.as_str())) {
        Some(name) => bail!("run `{name}` is named twice, expected each run once"),
        None => Ok(()),
    }
}

/// By the names of the runs, as far as there is room.
fn default_folder(params: &Params, names: &[String]) -> PathBuf {
    let mut name = format!("compare-{}", names.join("-"));
    if name.len() > LONGEST_NAME {
        name = format!("compare-{}-with-{}-others", names[0], names.len() - 1);
    }
    params.paths.reports.join(name)
}

/// Only a comparison makes way for another one.
fn refuse_existing(folder: &Path) -> Result<(), JobError> {
    let has = |file: &str| folder.join(file).exists();
    let is_comparison = has("comparison.json") && has("report.html");
    if !folder.exists() || (folder.file_name().is_some() && is_comparison) {
        return Ok(());
    }
    let hint = "it is no comparison and is not replaced; choose another `--out`".to_owned();
    Err(JobError::Exists { path: folder.to_owned(), hint })
}

fn refuse_other_target(reference: &RunResults, run: &RunResults) -> Result<()> {
    let target = |own: &RunResults| {
        let unit = if own.unit.is_empty() { "no unit" } else { &own.unit };
        format!("`{}` in {unit}", own.target)
    };
    if (&reference.target, &reference.unit) == (&run.target, &run.unit) {
        return Ok(());
    }
    bail!(
        "run `{}` predicts {}, expected {} as run `{}` does\n\nhint: compare runs of one target",
        run.summary.run,
        target(run),
        target(reference),
        reference.summary.run
    )
}

/// The runs beside the first of them.
fn comparison(runs: &[RunResults]) -> Comparison {
    let reference = &runs[0];
    let mut notes = Vec::new();
    let mut differences: Vec<PairedDifference> = Vec::new();
    let mut errors = Vec::new();
    for run in &runs[1..] {
        let Some(rows) = paired(reference, run, &mut notes) else { continue };
        let is_in_order = reference.is_in_order() || run.is_in_order();
        differences.push(rows.difference(&run.summary.run, is_in_order));
        if runs.len() == 2 {
            errors = rows.absolute_errors();
        }
    }
    Comparison {
        target: reference.target.clone(),
        unit: reference.unit.clone(),
        runs: runs.iter().map(|run| run.summary.clone()).collect(),
        differences,
        parameters: changed_parameters(runs),
        notes,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        errors,
    }
}

/// The rows that both runs judged; where there are none, or they count in another way, a note says so.
fn paired(reference: &RunResults, run: &RunResults, notes: &mut Vec<String>) -> Option<PairedRows> {
    let (own, other) = (&reference.summary.run, &run.summary.run);
    if reference.summary.data_sha256 != run.summary.data_sha256 {
        notes.push(format!(
            "`{other}` was trained on another table than `{own}`: their scores stand side by side, but a \
             difference may come from the rows, and is not judged"
        ));
        return None;
    }
    let Some(rows) = PairedRows::new(&reference.rows, &run.rows) else {
        notes.push(format!("`{other}` and `{own}` have judged no rows in common"));
        return None;
    };
    if rows.is_counted_anew {
        notes.push(format!(
            "`{other}` weighs or groups rows in another way than `{own}`: the differences count rows as \
             `{own}` does"
        ));
    }
    let (of_own, of_other) = (reference.rows.len(), run.rows.len());
    if rows.len() < of_own.max(of_other) {
        notes.push(format!(
            "the difference of `{other}` to `{own}` is that of the {} points that both judged, of {of_other} and \
             {of_own}",
            rows.len()
        ));
    }
    let no_test = "there is no test over folds";
    if reference.is_in_order() || run.is_in_order() {
        notes.push(format!("{no_test} of `{other}` against `{own}`: folds were cut by time"));
    } else if !rows.shares_folds {
        notes.push(format!("{no_test} of `{other}` against `{own}`: their folds are not the same"));
    }
    Some(rows)
}

/// Every parameter that is not the same in all runs.
fn changed_parameters(runs: &[RunResults]) -> Vec<ChangedParameter> {
    let flat: Vec<BTreeMap<String, String>> = runs
        .iter()
        .map(|run| {
            let mut values = BTreeMap::new();
            flatten("", &run.parameters, &mut values);
            values
        })
        .collect();
    let keys: BTreeSet<&String> = flat.iter().flat_map(BTreeMap::keys).collect();
    let of_key = |key: &String| ChangedParameter {
        key: key.clone(),
        values: flat.iter().map(|own| own.get(key).cloned()).collect(),
    };
    let mut all: Vec<ChangedParameter> = keys.into_iter().map(of_key).collect();
    all.retain(|own| own.values.iter().any(|value| *value != own.values[0]));
    all
}

/// Every value below `value` by its dotted name; lists are values.
fn flatten(name: &str, value: &Value, values: &mut BTreeMap<String, String>) {
    let dot = if name.is_empty() { "" } else { "." };
    match value {
        Value::Object(inner) if !inner.is_empty() => {
            inner.iter().for_each(|(key, own)| flatten(&format!("{name}{dot}{key}"), own, values));
        }
        // Text stands as it is typed.
        Value::String(text) if !text.is_empty() => {
            values.insert(name.to_owned(), text.clone());
        }
        other => {
            values.insert(name.to_owned(), other.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::json;

    use super::*;
    use crate::{evaluate::ScoredRow, pipeline::paired_rows::sample_rows, report::Surety};

    struct Folders {
        folder: tempfile::TempDir,
        params: Params,
    }

    impl Folders {
        /// With the runs `good`, whose errors are half as large, and `poor`.
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let mut params = Params::default();
            params.paths.checkpoints = folder.path().join("checkpoints");
            params.paths.reports = folder.path().join("reports");
            let own = Self { folder, params };
            own.write("poor", &manifest("aa", "ridge"), &sample_rows(1.0));
            own.write("good", &manifest("aa", "mlp"), &sample_rows(0.5));
            own
        }

        fn write(&self, name: &str, manifest: &Value, rows: &[ScoredRow]) {
            let checkpoint = self.params.paths.checkpoints.join(name);
            let report = self.params.paths.reports.join(name);
            fs::create_dir_all(&checkpoint).unwrap();
            fs::create_dir_all(&report).unwrap();
            fs::write(checkpoint.join("manifest.json"), manifest.to_string()).unwrap();
            let scores = json!({"cv": {"rmse": 1.5, "mae": 1.0, "r2": null, "coverage": 0.9,
                "interval_width": 2.0, "interval_score": 3.0, "rows": rows.len(), "level": 0.9}});
            fs::write(report.join("metrics.json"), scores.to_string()).unwrap();
            let mut writer = csv::Writer::from_path(report.join("predictions.csv")).unwrap();
            for row in rows {
                writer.serialize(row).unwrap();
            }
            writer.flush().unwrap();
        }

        fn compare(&self, names: &[&str]) -> Result<Compared> {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            compare(&self.params, &names, None)
        }

        fn refused(&self, names: &[&str]) -> String {
            format!("{:#}", self.compare(names).unwrap_err())
        }
    }

    fn manifest(data_sha256: &str, kind: &str) -> Value {
        json!({
            "format": 4,
            "schema": {"target": "mass", "unit": "g", "group": "container"},
            "parameters": {
                "data": {"path": "data/a.csv", "features": []},
                "cv": {"order_column": ""},
                "model": {"kind": kind, "hidden": [8, 8]},
            },
            "data_sha256": data_sha256,
        })
    }

    #[test]
    fn a_better_run_is_told_with_its_bounds_and_what_was_set_otherwise() {
        let folders = Folders::new();
        let compared = folders.compare(&["poor", "good"]).unwrap();
        let comparison = &compared.comparison;
        assert_eq!(comparison.differences[0].surety(), Surety::Clear);
        assert!(comparison.differences[0].folds.is_some());
        assert!(comparison.verdict().starts_with("good has a clearly smaller error than poor"));
        assert_eq!((comparison.errors.len(), comparison.notes.len()), (40, 0));
        assert_eq!((comparison.runs[0].rmse, comparison.runs[0].r2), (Some(1.5), None));
        let changed = ChangedParameter {
            key: "model.kind".to_owned(),
            values: vec![Some("ridge".to_owned()), Some("mlp".to_owned())],
        };
        assert_eq!(comparison.parameters, [changed]);
        assert_eq!(compared.folder, folders.folder.path().join("reports/compare-poor-good"));
        let file = fs::read_to_string(compared.folder.join("comparison.json")).unwrap();
        assert_eq!(file, compared.json);
        assert!(compared.folder.join("report.html").exists());
        // A comparison makes way for the next one, and leaves nothing beside it.
        folders.compare(&["poor", "good"]).unwrap();
        assert_eq!(fs::read_dir(folders.folder.path().join("reports")).unwrap().count(), 3);
    }

    #[test]
    fn runs_on_other_tables_stand_side_by_side_without_differences() {
        let folders = Folders::new();
        folders.write("far", &manifest("bb", "mlp"), &sample_rows(0.5));
        let comparison = folders.compare(&["poor", "far", "good"]).unwrap().comparison;
        assert_eq!((comparison.runs.len(), comparison.differences.len()), (3, 1));
        assert_eq!(comparison.differences[0].run, "good");
        assert!(comparison.notes[0].contains("`far` was trained on another table"));
        let comparison = folders.compare(&["far", "good"]).unwrap().comparison;
        assert!(comparison.differences.is_empty() && comparison.errors.is_empty());
    }

    #[test]
    fn what_cannot_be_compared_is_refused_with_a_reason() {
        let folders = Folders::new();
        let mut other = manifest("aa", "mlp");
        other["schema"]["unit"] = json!("kg");
        folders.write("heavy", &other, &sample_rows(0.5));
        let refused = |names: &[&str], reason: &str| {
            let said = folders.refused(names);
            assert!(said.contains(reason), "{said}");
        };
        refused(&["poor"], "one run is named, expected two or more");
        refused(&["poor", "poor"], "run `poor` is named twice");
        refused(&["poor", "god"], "did you mean `good`?");
        refused(&["poor", "../checkpoints/good"], "there is no finished run");
        refused(&["poor", "heavy"], "predicts `mass` in kg, expected `mass` in g as run `poor`");
        fs::remove_file(folders.params.paths.reports.join("good/predictions.csv")).unwrap();
        refused(&["poor", "good"], "predictions.csv: it cannot be read: ");
    }

    #[test]
    fn only_a_comparison_makes_way() {
        let folders = Folders::new();
        let names = ["poor".to_owned(), "good".to_owned()];
        let out = folders.params.paths.reports.join("good");
        let error = compare(&folders.params, &names, Some(&out)).unwrap_err().to_string();
        assert!(error.contains("it is no comparison"), "{error}");
        assert!(compare(&folders.params, &names, Some(Path::new(".."))).is_err());
    }

    #[test]
    fn long_names_make_a_short_folder() {
        let names = vec!["a".repeat(100), "b".repeat(100), "c".to_owned()];
        let folder = default_folder(&Params::default(), &names);
        assert!(folder.to_string_lossy().ends_with("-with-2-others"));
    }
}
