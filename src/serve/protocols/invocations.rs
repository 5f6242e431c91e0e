//! `MLflow`'s scoring server: its clients ask this service as they would ask `mlflow models serve`.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::serve::{
    Fault, Service,
    body::{ContentKind, WholeBody},
    rows::{RawRows, RowReader, kind},
};

/// The answer to an invocation: what the exported model gives in `MLflow`.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(in crate::serve) struct InvocationAnswer {
    /// The predictions, in the order of the rows.
    pub predictions: Vec<InvocationPrediction>,
}

/// The prediction for one row.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(in crate::serve) struct InvocationPrediction {
    /// Predicted value of the target.
    pub prediction: f64,
    /// Lower bound of the interval.
    pub lower: f64,
    /// Upper bound of the interval.
    pub upper: f64,
}

/// An error as `MLflow` words it.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "describes what is written as plain JSON")]
pub(in crate::serve) struct MlflowError {
    /// E.g. `BAD_REQUEST`.
    error_code: String,
    /// What is wrong.
    message: String,
}

/// Keys of which a body has exactly one.
const SHAPES: [&str; 4] = ["dataframe_split", "dataframe_records", "instances", "inputs"];

/// Predict as MLflow's scoring server does.
///
/// Takes `dataframe_split`, `dataframe_records`, `instances` (rows as objects or lists), `inputs` (columns as
/// lists, or rows as lists), or a CSV with column names. `params` is left aside.
#[utoipa::path(
    post, path = "/invocations", tag = "MLflow",
    request_body(content((Object = "application/json"), (String = "text/csv"))),
    responses(
        (status = 200, description = "The predictions", body = InvocationAnswer),
        (status = "4XX", description = "What is wrong with the request", body = MlflowError),
        (status = 503, description = "Too much to do just now", body = MlflowError),
    ),
    security((), ("key" = [])),
)]
pub(in crate::serve) async fn invocations(
    State(service): State<Arc<Service>>,
    body: WholeBody,
) -> Result<Json<InvocationAnswer>, Fault> {
    let model = service.slot.current();
    let reader = RowReader::new(&model, service.config.max_rows);
    let rows = body.read(|body| match &body.kind {
        ContentKind::Csv => reader.csv(&body.bytes),
        ContentKind::Json => rows_of(&reader, &body.json()?),
        other @ ContentKind::Other(_) => Err(other.refused("`application/json` or `text/csv`")),
    })?;
    let predictions = service.predict((&model, &body.request_id), rows).await?;
    let predictions = predictions.into_iter().map(|own| InvocationPrediction {
        prediction: own.value,
        lower: own.lower,
        upper: own.upper,
    });
    Ok(Json(InvocationAnswer { predictions: predictions.collect() }))
}

fn rows_of(reader: &RowReader<'_>, body: &Value) -> Result<RawRows, Fault> {
    let Value::Object(body) = body else {
        return Err(Fault::malformed(format!("the body is {}, expected an object", kind(body))));
    };
    let mut shapes = SHAPES.iter().filter(|shape| body.contains_key(**shape));
    let (Some(shape), None) = (shapes.next(), shapes.next()) else {
        let message = format!("the body needs exactly one of {}", SHAPES.join(", "));
        return Err(Fault::malformed(message));
    };
    let unknown = body.keys().find(|key| key != shape && *key != "params");
    if let Some(unknown) = unknown {
        return Err(Fault::malformed(format!("`{unknown}` is unknown beside `{shape}`")));
    }
    match (*shape, &body[*shape]) {
        ("dataframe_split", Value::Object(split)) => split_rows(reader, split),
        ("dataframe_records", Value::Array(records)) => reader.records(records),
        ("instances", Value::Array(rows)) if rows.iter().any(Value::is_object) => {
            reader.records(rows)
        }
        ("instances" | "inputs", Value::Array(rows)) => reader.arrays(rows),
        ("instances" | "inputs", Value::Object(columns)) => reader.by_column(columns),
        (shape, other) => {
            let expected = match shape {
                "dataframe_split" => "an object",
                "dataframe_records" => "a list",
                _ => "a list or an object",
            };
            Err(Fault::malformed(format!("`{shape}` is {}, expected {expected}", kind(other))))
        }
    }
}

fn split_rows(reader: &RowReader<'_>, split: &Map<String, Value>) -> Result<RawRows, Fault> {
    let list = |key: &str| match split.get(key) {
        Some(Value::Array(list)) => Ok(list),
        Some(other) => {
            let found = kind(other);
            Err(Fault::malformed(format!(
                "`{key}` of `dataframe_split` is {found}, expected a list"
            )))
        }
        None => Err(Fault::malformed(format!("`dataframe_split` has no `{key}`"))),
    };
    let name = |value: &'_ Value| value.as_str().map(str::to_owned);
    let columns: Option<Vec<String>> = list("columns")?.iter().map(name).collect();
    let columns = columns
        .ok_or_else(|| Fault::malformed("`columns` of `dataframe_split` are not all text"))?;
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    reader.split(&columns, list("data")?)
}
