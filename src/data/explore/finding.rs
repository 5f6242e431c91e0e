//! What is wrong or odd about a table, in a form that programs and people can read.

use serde::Serialize;

/// Rows that a finding lists.
const LISTED_ROWS: usize = 10;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Results trained on this table would be wrong.
    Error,
    /// Results may be worse, or look better, than they are.
    Warning,
    /// Worth knowing.
    Note,
}

/// What kind of thing was found; its name in JSON is in kebab case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FindingKind {
    /// Training under the same parameters would refuse the table.
    Refused,
    /// Rows that are equal in every column.
    ExactDuplicates,
    /// Rows that are equal but for noise and do not share a group.
    NearDuplicates,
    /// The same signals with different targets.
    ConflictingRows,
    /// A column that never varies.
    ConstantColumn,
    /// A column that repeats another.
    DuplicatedColumn,
    /// A detector that is stuck at a value or reads zero.
    DeadDetector,
    /// A detector that reads its largest value too often.
    SaturatedDetector,
    /// Values far from all others.
    Outliers,
    /// A distribution with one long tail.
    HeavySkew,
    /// A value outside of its stated range.
    OutOfRange,
    /// Rows in which a column is off by a power of ten, as if in another unit.
    UnitSlip,
    /// A column that numbers the rows.
    IdColumn,
    /// A column that holds no numbers.
    TextColumn,
    /// A column whose values stand for containers: rows that share one share their target.
    UnnamedGroup,
    /// Cells without a value.
    MissingValues,
    /// The target does not vary.
    ConstantTarget,
}

/// One thing that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What kind of thing it is.
    pub kind: FindingKind,
    /// How bad it is.
    pub severity: Severity,
    /// The columns concerned; empty where it is about whole rows.
    pub columns: Vec<String>,
    /// The first rows concerned, at most ten, counted from 1 below the header; empty where it is
    /// about whole columns.
    pub rows: Vec<usize>,
    /// How many rows are concerned in all.
    pub count: usize,
    /// What was found, one sentence with its numbers.
    pub what: String,
    /// Why it matters, one sentence.
    pub why: String,
    /// What training does about it, one sentence.
    pub training: String,
}

impl Finding {
    /// A finding that says `what` was found, `why` it matters and what `training` does about it;
    /// about whole columns until rows are named.
    pub(super) fn new(
        kind: FindingKind,
        severity: Severity,
        [what, why, training]: [String; 3],
    ) -> Self {
        Self {
            kind,
            severity,
            columns: Vec::new(),
            rows: Vec::new(),
            count: 0,
            what,
            why,
            training,
        }
    }

    /// The finding that training refuses the table: `what` is wrong, and what `would_help`.
    #[must_use]
    pub fn refused(what: &str, would_help: &str) -> Self {
        let training = format!("it refuses the table: {would_help}");
        let sentences = [what.to_owned(), "nothing can be trained like this".to_owned(), training];
        Self::new(FindingKind::Refused, Severity::Error, sentences)
    }

    /// The finding about these columns.
    pub(super) fn about(mut self, columns: &[&str]) -> Self {
        self.columns = columns.iter().map(|&name| name.to_owned()).collect();
        self
    }

    /// The finding in these rows, counted from 0.
    pub(super) fn in_rows(mut self, rows: &[usize]) -> Self {
        self.rows = rows.iter().take(LISTED_ROWS).map(|row| row + 1).collect();
        self.count = rows.len();
        self
    }

    /// The finding about `count` rows, none of which is named.
    pub(super) fn counting(mut self, count: usize) -> Self {
        self.count = count;
        self
    }
}
