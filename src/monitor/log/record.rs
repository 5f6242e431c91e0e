//! Rows of the database as values, and back.

use serde_json::{Number, Value};
use sqlx::{Row, any::AnyRow};

use super::{LoggedModel, LoggedRow};

/// Inputs as a JSON list; `null` where one is missing. Every digit is kept.
pub(super) fn text_of(inputs: &[f64]) -> String {
    let value = |own: &f64| Number::from_f64(*own).map_or(Value::Null, Value::Number);
    Value::Array(inputs.iter().map(value).collect()).to_string()
}

/// The inputs in such a list.
fn inputs_of(text: &str) -> Result<Vec<f64>, String> {
    let values: Result<Vec<Option<f64>>, _> = serde_json::from_str(text);
    let values = values.map_err(|error| format!("the inputs `{text}`: {error}"))?;
    Ok(values.into_iter().map(|own| own.unwrap_or(f64::NAN)).collect())
}

/// A row of `predictions` with its truth.
pub(super) fn row_of(row: &AnyRow) -> Result<LoggedRow, String> {
    let read = || {
        Ok(LoggedRow {
            id: row.try_get(0)?,
            time: row.try_get(1)?,
            request_id: row.try_get(2)?,
            position: row.try_get(3)?,
            model: row.try_get(4)?,
            container: row.try_get(5)?,
            inputs: Vec::new(),
            prediction: row.try_get(7)?,
            lower: row.try_get(8)?,
            upper: row.try_get(9)?,
            out_of_domain: row.try_get::<i64, _>(10)? != 0,
            columns_at_fault: row.try_get(11)?,
            truth: row.try_get(12)?,
            truth_time: row.try_get(13)?,
            corrected: row.try_get(14)?,
        })
    };
    let found = read().map_err(|error: sqlx::Error| format!("a row of another form: {error}"))?;
    let inputs: String =
        row.try_get(6).map_err(|error| format!("a row of another form: {error}"))?;
    Ok(LoggedRow { inputs: inputs_of(&inputs)?, ..found })
}

/// A row of `models`.
pub(super) fn model_of(row: &AnyRow) -> Result<LoggedModel, String> {
    let columns: String =
        row.try_get(5).map_err(|error| format!("a model of another form: {error}"))?;
    let columns = serde_json::from_str(&columns)
        .map_err(|error| format!("the columns `{columns}`: {error}"))?;
    let read = || {
        Ok(LoggedModel {
            version: row.try_get(0)?,
            name: row.try_get(6)?,
            checksum: row.try_get(1)?,
            target: row.try_get(2)?,
            unit: row.try_get(3)?,
            level: row.try_get(4)?,
            columns,
        })
    };
    read().map_err(|error: sqlx::Error| format!("a model of another form: {error}"))
}
