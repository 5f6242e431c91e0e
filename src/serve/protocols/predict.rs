//! `POST /predict`, the service's own way to ask.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    model::Prediction,
    serve::{
        Fault, FaultAnswer, ServedModel, Service,
        body::{ContentKind, WholeBody},
        record_seed,
        rows::{RawRows, RowReader, kind},
    },
};

/// The prediction for one row.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(in crate::serve) struct Answer {
    /// Predicted value of the target.
    pub prediction: f64,
    /// Lower bound of the interval.
    pub lower: f64,
    /// Upper bound of the interval.
    pub upper: f64,
    /// Whether the row is unlike the training data; then neither prediction nor interval can be relied on.
    pub out_of_domain: bool,
    /// The columns at fault for that, worst first.
    pub columns_at_fault: Vec<String>,
}

/// The answer to a request with one row.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(in crate::serve) struct SingleAnswer {
    /// The prediction.
    #[serde(flatten)]
    pub answer: Answer,
    /// What it is about.
    #[serde(flatten)]
    pub about: About,
}

/// The answer to a request with several rows.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(in crate::serve) struct ManyAnswers {
    /// The predictions, in the order of the rows.
    pub predictions: Vec<Answer>,
    /// What they are about.
    #[serde(flatten)]
    pub about: About,
}

/// The answer to a row or to several.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what is written")]
#[serde(untagged)]
pub(in crate::serve) enum PredictAnswer {
    /// To one row.
    One(SingleAnswer),
    /// To a list of rows, or a CSV.
    Many(ManyAnswers),
}

/// What an answer is about.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(in crate::serve) struct About {
    /// Name of the target, e.g. `mass`.
    pub target: String,
    /// Unit of prediction and bounds; empty where it has none.
    pub unit: String,
    /// Share of true values that intervals should contain.
    pub level: f64,
    /// The model that answered.
    pub model_version: String,
    /// Identifies the request in logs and feedback.
    pub request_id: String,
}

impl About {
    pub(super) fn of(model: &ServedModel, request_id: String) -> Self {
        Self {
            target: model.schema.target.clone(),
            unit: model.schema.unit.clone(),
            level: model.level,
            model_version: model.version.clone(),
            request_id,
        }
    }
}

impl Answer {
    pub(super) fn of(model: &ServedModel, prediction: &Prediction) -> Self {
        let name = |column: &usize| model.columns()[*column].clone();
        Self {
            prediction: prediction.value,
            lower: prediction.lower,
            upper: prediction.upper,
            out_of_domain: prediction.is_out_of_domain(),
            columns_at_fault: prediction.columns_at_fault.iter().map(name).collect(),
        }
    }
}

/// One row or several.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what is read as plain JSON")]
#[schema(as = Rows)]
#[serde(untagged)]
pub(in crate::serve) enum RowsBody {
    /// A row: its columns by name; columns that the model does not know are left aside.
    One(std::collections::BTreeMap<String, Option<f64>>),
    /// Several rows.
    Many(Vec<std::collections::BTreeMap<String, Option<f64>>>),
}

/// Predict one row or several.
///
/// A row is an object with a number for each column of the model, in any order. One bad row refuses the
/// whole request.
#[utoipa::path(
    post, path = "/predict", tag = "massay",
    request_body(content(
        (RowsBody = "application/json"),
        (String = "text/csv"),
    )),
    responses(
        (status = 200, description = "The prediction of the row, or those of all rows",
         content((PredictAnswer = "application/json", example = json!({
            "prediction": 48.5, "lower": 19.8, "upper": 118.4, "out_of_domain": false,
            "columns_at_fault": [], "target": "mass", "unit": "g", "level": 0.9,
            "model_version": "first@9f2c11aa", "request_id": "a1"})))),
        (status = "4XX", description = "What is wrong with the request", body = FaultAnswer),
        (status = 503, description = "Too much to do just now", body = FaultAnswer),
    ),
    security((), ("key" = [])),
)]
pub(in crate::serve) async fn predict(
    State(service): State<Arc<Service>>,
    body: WholeBody,
) -> Result<Response, Fault> {
    let model = service.slot.current();
    let reader = RowReader::new(&model, service.config.max_rows);
    let (rows, is_single) = body.read(|body| match &body.kind {
        ContentKind::Csv => Ok((reader.csv(&body.bytes)?, false)),
        ContentKind::Json => {
            match record_seed::read(&body.bytes, &model, service.config.max_rows) {
                Some(read) => Ok(read),
                None => rows_of(&reader, body.json()?),
            }
        }
        other @ ContentKind::Other(_) => Err(other.refused("`application/json` or `text/csv`")),
    })?;
    let predictions = service.predict((&model, &body.request_id), rows).await?;
    let about = About::of(&model, body.request_id);
    let mut answers: Vec<Answer> =
        predictions.iter().map(|prediction| Answer::of(&model, prediction)).collect();
    Ok(match answers.pop() {
        Some(answer) if is_single => Json(SingleAnswer { answer, about }).into_response(),
        last => {
            answers.extend(last);
            Json(ManyAnswers { predictions: answers, about }).into_response()
        }
    })
}

/// The rows of a JSON body, and whether it is one row by itself.
fn rows_of(reader: &RowReader<'_>, body: Value) -> Result<(RawRows, bool), Fault> {
    match body {
        Value::Array(records) => Ok((reader.records(&records)?, false)),
        Value::Object(_) => Ok((reader.records(&[body])?, true)),
        other => {
            let message = format!("the body is {}, expected an object or a list", kind(&other));
            Err(Fault::malformed(message))
        }
    }
}
