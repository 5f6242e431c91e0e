//! What the reader of a report must know about the table before trusting the scores.

use crate::data::{
    Dataset, FoldPlan, SplitBy, TableSchema,
    explore::{
        Finding, FindingKind, Profile, Severity, find_without_near_duplicates, near_duplicates,
    },
};

use crate::{features::TargetTransform, report::BOTH_SIDES};

use super::Params;

/// Rows up to which training looks for what `massay explore` would find.
const MOST_ROWS: usize = 100_000;

/// Columns up to which it does: it compares each with each.
const MOST_COLUMNS: usize = 2_000;

/// Warnings about the splits, the table and what is left of it, worst first.
pub(super) fn of(
    dataset: &Dataset,
    plan: &FoldPlan,
    params: &Params,
    schema: &TableSchema,
) -> Vec<String> {
    let mut warnings = about_splits(dataset, plan, params.cv.split_by);
    if dataset.rows() <= MOST_ROWS {
        warnings.extend(about_near_duplicates(dataset, plan));
        let is_plain = params.target.transform == TargetTransform::None;
        if dataset.feature_names.len() <= MOST_COLUMNS {
            warnings.extend(about_findings(dataset, schema, is_plain));
        }
    }
    if !dataset.text.is_empty() {
        let names: Vec<String> = dataset.skipped().iter().map(|name| format!("`{name}`")).collect();
        warnings.push(format!("columns without numbers are not used: {}", names.join(", ")));
    }
    warnings
}

fn about_splits(dataset: &Dataset, plan: &FoldPlan, split_by: SplitBy) -> Vec<String> {
    let mut warnings = Vec::new();
    if let (true, Some(groups)) = (plan.leaks_groups, &dataset.groups) {
        let folds = match split_by {
            SplitBy::Group => "the given folds",
            SplitBy::Row => "folds by row (`cv.split_by = \"row\"`)",
        };
        warnings.push(format!(
            "{folds} put rows of one `{}` on {BOTH_SIDES}: the scores are too good",
            groups.column
        ));
    }
    if dataset.order.is_some() {
        warnings.push(
            "folds in time: the model is the mean of models trained on longer and longer pasts, \
             none of them has learned from the last block, and no score is that of the mean"
                .to_owned(),
        );
    }
    warnings
}

/// Rows that are equal, or equal but for noise, on both sides of a split.
fn about_near_duplicates(dataset: &Dataset, plan: &FoldPlan) -> Option<String> {
    let pairs = near_duplicates(dataset);
    let across = |(a, b): &&(u32, u32)| {
        let holds = |rows: &[u32], row: u32| rows.binary_search(&row).is_ok();
        plan.splits.iter().any(|split| {
            (holds(&split.train, *a) && holds(&split.held_out, *b))
                || (holds(&split.train, *b) && holds(&split.held_out, *a))
        })
    };
    let across: Vec<&(u32, u32)> = pairs.iter().filter(across).collect();
    let (a, b) = across.first()?;
    let count = match across.len() {
        1 => "1 pair of nearly equal rows stands".to_owned(),
        count => format!("{count} pairs of nearly equal rows stand"),
    };
    let (a, b) = (a + 1, b + 1);
    Some(format!(
        "{count} on {BOTH_SIDES} (e.g. data rows {a} and {b}): the scores are too good; \
         name the column of their container with `--group`, or keep exact copies out of training \
         with `clean.duplicates = \"drop\"`"
    ))
}

/// Errors, columns that stand for rows or containers or tell of the target, and a target of one long tail where it
/// `is_plain`: learned as it is.
fn about_findings(dataset: &Dataset, schema: &TableSchema, is_plain: bool) -> Vec<String> {
    let profile = Profile::new(dataset, Some(schema), &|| {});
    let is_worth_telling = |finding: &&Finding| match finding.kind {
        FindingKind::IdColumn | FindingKind::UnnamedGroup => finding.severity != Severity::Note,
        FindingKind::MissingValues => false,
        FindingKind::DuplicatedColumn => finding.columns.first() == Some(&dataset.target_name),
        FindingKind::HeavySkew => is_plain && finding.columns.first() == Some(&dataset.target_name),
        _ => finding.severity == Severity::Error,
    };
    let findings = find_without_near_duplicates(dataset, &profile, Some(schema));
    let told = |finding: &Finding| match finding.kind {
        FindingKind::HeavySkew => format!("{}: {}", finding.what, finding.training),
        _ => finding.what.clone(),
    };
    findings.iter().filter(is_worth_telling).map(told).collect()
}
