//! What the columns of a table are stated to hold: units, ranges and the places of detectors.

use std::{collections::HashSet, fs, path::Path};

use serde::{Deserialize, Serialize};

use super::{
    DataError,
    explore::{ColumnProfile, ColumnRole, Profile},
};

/// The statement, kept as TOML beside the table.
///
/// | key | effect |
/// |---|---|
/// | `[[column]]` | unit and range of one column |
/// | `[array]` | detectors that stand in rings, and the symmetries of the array |
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableSchema {
    /// The columns, in the order of the table.
    #[serde(default, rename = "column")]
    pub columns: Vec<ColumnSchema>,
    /// The detector array, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub array: Option<DetectorArray>,
}

/// What one column holds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnSchema {
    /// Name of the column.
    pub name: String,
    /// Its unit; empty where it has none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub unit: String,
    /// Smallest value that can be right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum: Option<f64>,
    /// Largest value that can be right; for a detector, where it saturates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum: Option<f64>,
}

/// Detectors that stand in rings around the container.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DetectorArray {
    /// The columns of each ring, in the order of their angles.
    pub rings: Vec<Vec<String>>,
    /// Motions that map the array onto itself: each lists, for the detectors of all rings in
    /// their order, which detector moves to that place. Their combinations are found by massay.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub symmetries: Vec<Vec<String>>,
}

impl TableSchema {
    /// Reads and checks the statement in the file at `path`.
    ///
    /// # Errors
    /// When the file cannot be read, is no TOML, has an unknown key, states a column twice or a
    /// minimum above its maximum, or has rings or symmetries that do not fit together.
    pub fn read(path: &Path) -> Result<Self, DataError> {
        let text = fs::read_to_string(path)
            .map_err(|source| DataError::Read { path: path.to_owned(), source })?;
        let schema: Self = toml::from_str(&text).map_err(|error| {
            let before = &text[..error.span().map_or(0, |span| span.start.min(text.len()))];
            let line = 1 + before.matches('\n').count();
            let place = format!("{}:{line}", path.display());
            let hint = "columns have `name`, `unit`, `minimum` and `maximum`; the array has \
                        `rings` and `symmetries`";
            let found = error.message().replace('\n', " ");
            DataError::malformed(place, found, "a schema of the table", hint)
        })?;
        schema.refuse_contradictions(&path.display().to_string())?;
        Ok(schema)
    }

    /// A first statement about a table, to be edited: every column with its unit, the target's
    /// being `unit`, and with room around the values that were seen, as much as they span.
    /// What is never negative stays so.
    #[must_use]
    pub fn from_profile(profile: &Profile, unit: &str) -> Self {
        let column = |column: &ColumnProfile| {
            let known = column.unit.clone().unwrap_or_default();
            let is_target = column.role == ColumnRole::Target && !unit.is_empty();
            let range = column.minimum.zip(column.maximum).map(|(low, high)| room(low, high));
            ColumnSchema {
                name: column.name.clone(),
                unit: if is_target { unit.to_owned() } else { known },
                minimum: range.map(|range| range.0).filter(|low| low.is_finite()),
                maximum: range.map(|range| range.1).filter(|high| high.is_finite()),
            }
        };
        Self { columns: profile.columns.iter().map(column).collect(), array: None }
    }

    /// The statement as TOML, with a comment that says what it is for.
    #[must_use]
    pub fn to_toml(&self) -> String {
        const HEADER: &str = "\
            # What the columns of the table hold, written by `massay explore --write-schema`.\n\
            # The ranges are guesses from the values that were seen: replace them with what is\n\
            # physically possible, and add the units. `massay explore` then reports values outside\n\
            # of them as errors, and training refuses them.\n\
            # A detector's `maximum` is where it saturates.\n\n";
        HEADER.to_owned() + &toml::to_string(self).unwrap_or_default()
    }

    /// What is stated about a column.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&ColumnSchema> {
        self.columns.iter().find(|column| column.name == name)
    }

    fn refuse_contradictions(&self, place: &str) -> Result<(), DataError> {
        let mut names = HashSet::new();
        for column in &self.columns {
            let name = &column.name;
            if !names.insert(name) {
                let found = format!("column `{name}` is stated twice");
                return Err(refuse(place, found, "each column once", "remove one of them"));
            }
            column.refuse_contradictions(place)?;
        }
        self.array.as_ref().map_or(Ok(()), |array| array.refuse_contradictions(place))
    }
}

impl ColumnSchema {
    fn refuse_contradictions(&self, place: &str) -> Result<(), DataError> {
        let (name, bounds) = (&self.name, [self.minimum, self.maximum]);
        if bounds.into_iter().flatten().any(f64::is_nan) {
            let found = format!("column `{name}` has a range that is no number");
            return Err(refuse(place, found, "numbers", "leave the key out for no limit"));
        }
        match (self.minimum, self.maximum) {
            (Some(low), Some(high)) if low > high => {
                let found =
                    format!("column `{name}` has the minimum {low} above its maximum {high}");
                Err(refuse(place, found, "the minimum below", "exchange the two"))
            }
            _ => Ok(()),
        }
    }
}

impl DetectorArray {
    fn refuse_contradictions(&self, place: &str) -> Result<(), DataError> {
        let mut detectors = HashSet::new();
        if let Some(twice) = self.rings.iter().flatten().find(|name| !detectors.insert(*name)) {
            let found = format!("column `{twice}` stands in the rings twice");
            return Err(refuse(place, found, "each detector once", "remove one of them"));
        }
        if self.rings.iter().any(Vec::is_empty) {
            let hint = "name its detectors, or remove it";
            return Err(refuse(
                place,
                "a ring is empty".to_owned(),
                "detectors in every ring",
                hint,
            ));
        }
        for (index, symmetry) in self.symmetries.iter().enumerate() {
            let moved: HashSet<&String> = symmetry.iter().collect();
            if symmetry.len() != detectors.len() || moved != detectors {
                let odd = symmetry.iter().find(|name| !detectors.contains(name));
                let odd =
                    odd.or_else(|| detectors.iter().copied().find(|name| !moved.contains(name)));
                let found = format!(
                    "symmetry {} is no permutation of the {} detectors in the rings{}",
                    index + 1,
                    detectors.len(),
                    odd.map_or_else(String::new, |name| format!(" (see `{name}`)"))
                );
                let hint = "list every detector of all rings once, each at the place it moves to";
                return Err(refuse(place, found, "each detector exactly once", hint));
            }
        }
        Ok(())
    }
}

fn refuse(place: &str, found: String, expected: &str, hint: &str) -> DataError {
    DataError::malformed(place, found, expected, hint)
}

/// A range around `low` to `high` with as much room on either side as they span, in numbers of two
/// digits.
fn room(low: f64, high: f64) -> (f64, f64) {
    let span = high - low;
    let least = if low >= 0.0 { 0.0 } else { -two_digits_above(span - low) };
    (least, two_digits_above(high + span))
}

/// The nearest number of two significant digits that is not below `value`.
fn two_digits_above(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return value;
    }
    let step = 10_f64.powf(value.abs().log10().floor() - 1.0);
    let above = (value / step).ceil() * step;
    // By way of text, so that the digits are exact.
    format!("{above:.1e}").parse().unwrap_or(above)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<TableSchema, DataError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("schema.toml");
        fs::write(&path, text).unwrap();
        TableSchema::read(&path)
    }

    #[test]
    fn a_schema_survives_writing_and_reading() {
        let column = |name: &str, minimum, maximum| ColumnSchema {
            name: name.to_owned(),
            unit: "g".to_owned(),
            minimum,
            maximum,
        };
        let columns = vec![column("mass", Some(0.0), Some(800.0)), column("a", None, Some(-1e9))];
        let rings = vec![vec!["a".to_owned()], vec!["b".to_owned()]];
        let symmetries = vec![vec!["b".to_owned(), "a".to_owned()]];
        let array = Some(DetectorArray { rings, symmetries });
        let schema = TableSchema { columns, array };
        assert_eq!(read(&schema.to_toml()).unwrap(), schema);
    }

    #[test]
    fn faulty_schemas_are_refused_with_what_is_wrong() {
        let rings = "[array]\nrings = [[\"a\", \"b\"], [\"c\"]]\n";
        let cases = [
            ("[[column]]\nname = \"a\"\nminimun = 1\n".to_owned(), "schema.toml:3: unknown field"),
            ("[[column]]\nunit = \"g\"\n".to_owned(), "missing field `name`"),
            ("[[column]]\nname = \"a\"\nminimum = \"x\"\n".to_owned(), "schema.toml:3"),
            ("[[column]]\nname = \"a\"\n".repeat(2), "column `a` is stated twice"),
            ("[[column]]\nname = \"a\"\nminimum = 2\nmaximum = 1\n".to_owned(), "minimum 2 above"),
            ("[array]\nrings = [[\"a\", \"b\"], [\"a\"]]\n".to_owned(), "`a` stands in the rings"),
            (format!("{rings}symmetries = [[\"b\", \"c\"]]\n"), "no permutation of the 3"),
            (format!("{rings}symmetries = [[\"b\", \"c\", \"d\"]]\n"), "(see `d`)"),
            (format!("{rings}symmetries = [[\"b\", \"c\", \"b\"]]\n"), "(see `a`)"),
        ];
        for (text, expected) in cases {
            let error = read(&text).unwrap_err().to_string();
            assert!(error.contains(expected) && error.contains("hint: "), "{error}");
        }
        assert!(TableSchema::read(Path::new("no/schema.toml")).is_err());
    }

    #[test]
    fn guessed_ranges_leave_room_and_are_readable() {
        assert_eq!(room(0.5, 412.3), (0.0, 830.0));
        assert_eq!(room(-3.0, 5.0), (-11.0, 13.0));
        assert_eq!(room(7.0, 7.0), (0.0, 7.0));
        assert_eq!(room(-0.01234, -0.01), (-0.015, -0.0076));
        assert!(!room(-1.7e308, 1.7e308).1.is_finite());
    }
}
