//! `POST /feedback`: the true value of a row that was predicted, or could have been.

use std::{sync::Arc, time::Duration};

use axum::{Json, extract::State, http::StatusCode};
use serde::Serialize;
use serde_json::Value;
use tokio::time::timeout;
use utoipa::ToSchema;

use crate::monitor::LoggedRow;
use crate::serve::{
    Fault, FaultAnswer, ServedModel, Service,
    body::WholeBody,
    recent::{Recall, Remembered},
    rows::{RowReader, kind, shortened},
};

/// Longest look at the log for another request of an id that is remembered.
const LOOK: Duration = Duration::from_secs(1);

/// Largest size of a true value: the square of one beyond it leaves the range of numbers when many are added up.
const LARGEST: f64 = 1e100;

/// A true value, for a predicted row or with the row itself.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what is read as plain JSON")]
pub(in crate::serve) struct Feedback {
    /// The true value of the target.
    truth: f64,
    /// Id of the request that predicted the row.
    request_id: Option<String>,
    /// Position of the row in that request, from 0.
    row: Option<usize>,
    /// The row, where no request is named: its columns by name.
    record: Option<std::collections::BTreeMap<String, Option<f64>>>,
}

/// What became of a true value.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(in crate::serve) struct FeedbackAnswer {
    /// What was predicted.
    pub prediction: f64,
    /// Lower bound of the interval.
    pub lower: f64,
    /// Upper bound of the interval.
    pub upper: f64,
    /// The true value.
    pub truth: f64,
    /// True value minus prediction.
    pub residual: f64,
    /// Id of the request that predicted the row; where the row was brought, the id under which it can be corrected.
    pub request_id: String,
    /// Whether the true value lies within the interval.
    pub covered: bool,
}

/// Tell the true value of a row.
///
/// Names the request that predicted the row (and the position of the row there, from 0), or brings the row
/// itself.
#[utoipa::path(post, path = "/feedback", tag = "massay", request_body = Feedback, responses(
    (status = 200, body = FeedbackAnswer), (status = "4XX", body = FaultAnswer),
    (status = 503, body = FaultAnswer),
), security((), ("key" = [])))]
pub(in crate::serve) async fn feedback(
    State(service): State<Arc<Service>>,
    body: WholeBody,
) -> Result<Json<FeedbackAnswer>, Fault> {
    let model = service.slot.current();
    let value = body.json()?;
    let Value::Object(own) = &value else {
        return Err(Fault::malformed(format!("the body is {}, expected an object", kind(&value))));
    };
    refuse_unknown(own)?;
    let truth = own.get("truth").and_then(Value::as_f64).filter(|truth| truth.is_finite());
    let truth = truth.ok_or_else(|| Fault::malformed("`truth` is missing or is not a number"))?;
    refuse_impossible(truth, &model)?;
    let given = |key: &str| own.get(key).filter(|value| !value.is_null());
    // A row that is brought has an id of its own: with one that a client chose it could be taken for another row.
    let own_id = service.ids.next();
    let (predicted, request, row) = match (given("request_id"), given("record")) {
        (Some(Value::String(id)), None) => {
            let row = match given("row") {
                Some(row) => position(row)?,
                None => only_row(&service, id).await?,
            };
            (remembered(&service, id, row).await?, id.as_str(), row)
        }
        (None, Some(record)) => {
            (predicted(&service, (&model, &own_id), record).await?, own_id.as_str(), 0)
        }
        _ => {
            let message = "expected either `request_id` (text) or `record` (an object)";
            return Err(Fault::malformed(message));
        }
    };
    if service.watch.as_ref().is_some_and(|watch| !watch.learnt(request, row, truth)) {
        let message = "the log has no room for the true value: its database is slower than what is asked of it";
        let fault = Fault::new(StatusCode::SERVICE_UNAVAILABLE, "log_full", message);
        return Err(fault.hint("send it again later"));
    }
    service.metrics.learnt(&predicted, truth);
    service.recent.learnt(request, row);
    Ok(Json(answer(predicted, truth, request.to_owned())))
}

fn answer(predicted: Remembered, truth: f64, request_id: String) -> FeedbackAnswer {
    let Remembered { value, lower, upper, .. } = predicted;
    let (covered, residual) = (lower <= truth && truth <= upper, truth - value);
    FeedbackAnswer { prediction: value, lower, upper, truth, residual, request_id, covered }
}

/// Refuses a true value that no training would take: a slip of the pen would spoil every score from then on.
fn refuse_impossible(truth: f64, model: &ServedModel) -> Result<(), Fault> {
    let minimum = model.predictor.models.folds.first().and_then(|fold| fold.minimum);
    let expected = match minimum {
        Some(minimum) if truth < minimum => format!("at least {minimum}"),
        _ if truth.abs() > LARGEST => format!("at most {LARGEST:e} in size"),
        _ => return Ok(()),
    };
    let message =
        format!("`truth` is {truth:?}, expected a `{}` of {expected}", model.schema.target);
    Err(Fault::new(StatusCode::BAD_REQUEST, "impossible_truth", message))
}

/// Refuses keys that would be left aside: one of them may be a misspelt `row`.
fn refuse_unknown(own: &serde_json::Map<String, Value>) -> Result<(), Fault> {
    const KNOWN: [&str; 4] = ["truth", "request_id", "row", "record"];
    let Some(unknown) = own.keys().find(|key| !KNOWN.contains(&key.as_str())) else {
        return Ok(());
    };
    let message =
        format!("there is no key `{}`, expected {}", shortened(unknown), KNOWN.join(", "));
    Err(Fault::malformed(message))
}

/// The row of a request that had but one.
async fn only_row(service: &Service, id: &str) -> Result<usize, Fault> {
    // Whatever is not known is said when the row itself is looked for.
    match remembered(service, id, 1).await {
        Ok(_) => {
            let message = format!("`row` is missing: request `{}` had several rows", shortened(id));
            Err(Fault::malformed(message)
                .hint("`row` is the position of the row in its request, from 0"))
        }
        Err(_) => Ok(0),
    }
}

fn position(row: &Value) -> Result<usize, Fault> {
    let row = row.as_u64().and_then(|row| usize::try_from(row).ok());
    row.ok_or_else(|| Fault::malformed("`row` is not a whole number from 0"))
}

/// What was predicted for a row: from memory, or from the log where others or an earlier process answered.
async fn remembered(service: &Service, id: &str, row: usize) -> Result<Remembered, Fault> {
    let mut recall = service.recent.of(id, row);
    if let Some(watch) = &service.watch {
        let rows = match recall {
            Recall::UnknownRequest => watch.of_request(id, row).await.map_err(|error| {
                Fault::new(StatusCode::SERVICE_UNAVAILABLE, "no_log", error.to_string())
            })?,
            // An id that its client chose may have been another request's, before what is remembered. A log that does
            // not answer now takes the true value later.
            Recall::Known(_) => {
                let rows = timeout(LOOK, watch.of_request(id, row)).await;
                rows.ok().and_then(Result::ok).unwrap_or_default()
            }
            _ => Vec::new(),
        };
        let of_log = |own: &LoggedRow| Remembered {
            value: own.prediction,
            lower: own.lower,
            upper: own.upper,
            has_truth: own.truth.is_some(),
        };
        recall = match (recall, rows.as_slice()) {
            (_, [first, others @ ..]) if others.iter().any(|own| !first.is_same(own)) => {
                Recall::SeveralRequests
            }
            (Recall::Known(own), [first, ..]) if !own.is_equal(&of_log(first)) => {
                Recall::SeveralRequests
            }
            (Recall::UnknownRequest, [first, ..]) => Recall::Known(of_log(first)),
            (known, _) => known,
        };
    }
    match recall {
        Recall::Known(own) => Ok(own),
        Recall::UnknownRequest => {
            let message = format!("no prediction of a request `{}` is known", shortened(id));
            let fault = Fault::new(StatusCode::NOT_FOUND, "unknown_request", message);
            Err(fault.hint("bring the row itself as `record`"))
        }
        Recall::SeveralRequests => {
            let message = format!("more than one request had the id `{}`", shortened(id));
            let fault = Fault::new(StatusCode::CONFLICT, "ambiguous_request", message);
            Err(fault.hint(
                "bring the row itself as `record`, and send another `X-Request-Id` each time",
            ))
        }
        Recall::NoRow(rows) => {
            let id = shortened(id);
            let message = format!("request `{id}` had {rows} rows, there is no row {row}");
            Err(Fault::new(StatusCode::NOT_FOUND, "unknown_row", message))
        }
    }
}

async fn predicted(
    service: &Service,
    request: (&Arc<ServedModel>, &str),
    record: &Value,
) -> Result<Remembered, Fault> {
    let rows = RowReader::new(request.0, 1).records(std::slice::from_ref(record))?;
    let predictions = service.predict(request, rows).await?;
    predictions.first().map(Remembered::of).ok_or_else(|| Fault::malformed("there is no row"))
}
