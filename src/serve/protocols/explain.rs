//! `POST /explain`: what each column contributes to the prediction for a row.

use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    evaluate::{Attribution, attribute},
    serve::{Fault, FaultAnswer, ServedModel, Service, body::WholeBody, rows::RowReader},
};

use super::predict::{About, Answer};

/// Rows of the training that a row is compared with.
const BACKGROUND: usize = 32;

/// A prediction as a sum of contributions.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(in crate::serve) struct Explanation {
    /// The prediction.
    #[serde(flatten)]
    pub answer: Answer,
    /// Mean prediction for up to 32 rows of the training.
    pub base: f64,
    /// What each column adds to that, in the target's unit (Shapley values, estimated from sampled orders); base
    /// and contributions add up to the prediction.
    pub contributions: Vec<Contribution>,
    /// What it is about.
    #[serde(flatten)]
    pub about: About,
}

/// What a column adds.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(in crate::serve) struct Contribution {
    /// Name of the column.
    pub column: String,
    /// What it adds, in the target's unit.
    pub contribution: f64,
}

/// Explain the prediction for one row.
///
/// A look at a row that was predicted, or may be: it is neither logged nor counted, and takes no feedback.
#[utoipa::path(post, path = "/explain", tag = "massay",
    request_body(content = std::collections::BTreeMap<String, Option<f64>>, description = "The row: its columns by name"),
    responses(
        (status = 200, body = Explanation), (status = "4XX", body = FaultAnswer),
        (status = 503, body = FaultAnswer),
    ), security((), ("key" = [])))]
pub(in crate::serve) async fn explain(
    State(service): State<Arc<Service>>,
    body: WholeBody,
) -> Result<Json<Explanation>, Fault> {
    let model = service.slot.current();
    let rows = RowReader::new(&model, 1).records(&[body.json()?])?;
    let answers = service.look(&model, &rows).await?;
    let own = Arc::clone(&model);
    let attribution = tokio::task::spawn_blocking(move || attributed(&own, &rows.values)).await;
    let attribution = attribution.map_err(|_| {
        let message = "the explanation broke off; the service goes on";
        Fault::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", message)
    })?;
    if !attribution.contributions.iter().chain([&attribution.base]).all(|own| own.is_finite()) {
        let message = "the row is so far from anything known that it has no explanation";
        return Err(
            Fault::new(StatusCode::UNPROCESSABLE_ENTITY, "no_prediction", message).at_row(0)
        );
    }
    let contributions = model.columns().iter().zip(attribution.contributions);
    let contributions = contributions
        .map(|(column, contribution)| Contribution { column: column.clone(), contribution });
    Ok(Json(Explanation {
        answer: Answer::of(&model, &answers[0]),
        base: attribution.base,
        contributions: contributions.collect(),
        about: About::of(&model, body.request_id),
    }))
}

fn attributed(model: &ServedModel, row: &[f64]) -> Attribution {
    let known: Vec<&[f64]> = model.reference.rows().collect();
    let count = known.len().min(BACKGROUND);
    let background: Vec<&[f64]> =
        (0..count).map(|place| known[place * known.len() / count]).collect();
    attribute(row, &background, |rows| {
        model.predictor.predict(rows).iter().map(|own| own.value).collect()
    })
}
