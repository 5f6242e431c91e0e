//! A table against what is stated about its columns.

use super::{DataError, Dataset, TableSchema};

impl TableSchema {
    /// Refuses a table that holds a value outside of its stated range. Columns that are stated but not
    /// used do not matter.
    ///
    /// # Errors
    /// When a value is out of range.
    pub fn check(&self, dataset: &Dataset) -> Result<(), DataError> {
        for column in &self.columns {
            let Some(values) = dataset.column(&column.name) else {
                continue;
            };
            let (minimum, maximum) = (column.minimum, column.maximum);
            let is_outside = |value: &f64| {
                minimum.is_some_and(|minimum| *value < minimum)
                    || maximum.is_some_and(|maximum| *value > maximum)
            };
            if let Some(row) = values.iter().position(is_outside) {
                let count = values.iter().filter(|value| is_outside(value)).count();
                return Err(out_of_range(dataset, column, (row, values[row], count)));
            }
        }
        Ok(())
    }
}

fn out_of_range(
    dataset: &Dataset,
    column: &super::ColumnSchema,
    (row, value, count): (usize, f64, usize),
) -> DataError {
    let unit = if column.unit.is_empty() { String::new() } else { format!(" {}", column.unit) };
    let bound = |bound: Option<f64>, name: &str| bound.map(|bound| format!("{name} {bound}{unit}"));
    let bounds = [bound(column.minimum, "at least"), bound(column.maximum, "at most")];
    let expected = bounds.into_iter().flatten().collect::<Vec<_>>().join(" and ");
    let others = if count > 1 { format!(" (and {} more rows)", count - 1) } else { String::new() };
    DataError::malformed(
        &dataset.path,
        format!("data row {} has {} = {value}{unit}{others}", row + 1, column.name),
        format!("{expected} as the schema states"),
        "correct the table or the schema; `--set data.schema=none` ignores the schema",
    )
}
