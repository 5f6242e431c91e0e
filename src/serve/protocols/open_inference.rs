//! The Open Inference Protocol, version 2, as `KServe` speaks it, with JSON bodies.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::{
    export::{INPUT, ONNX_OUTPUTS},
    model::Prediction,
    serve::{
        Fault, ServedModel, Service,
        body::WholeBody,
        protocols::input_tensors::{list, rows_of},
        rows::{RawRows, RowReader, kind},
    },
};

/// An error as the protocol words it.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "describes what is written as plain JSON")]
pub(in crate::serve) struct InferenceError {
    /// What is wrong.
    error: String,
}

/// What the server is.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::serve) struct ServerMetadata {
    name: &'static str,
    version: &'static str,
    extensions: [&'static str; 0],
}

/// What a model takes and gives.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::serve) struct ModelMetadata {
    name: String,
    versions: Vec<String>,
    platform: &'static str,
    inputs: Vec<TensorMetadata>,
    outputs: Vec<TensorMetadata>,
}

/// A tensor's name, type and shape; -1 stands for the number of rows.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::serve) struct TensorMetadata {
    name: String,
    datatype: &'static str,
    shape: Vec<i64>,
}

/// Whether something is so.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::serve) struct Liveness {
    live: bool,
}

/// Whether requests should come.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::serve) struct Readiness {
    ready: bool,
}

/// Whether requests to a model should come.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::serve) struct ModelReadiness {
    name: String,
    ready: bool,
}

/// Answers to rows, tensor by tensor.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::serve) struct InferenceAnswer {
    model_name: String,
    model_version: String,
    id: String,
    outputs: Vec<OutputTensor>,
}

/// One tensor of answers.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::serve) struct OutputTensor {
    name: &'static str,
    shape: [usize; 1],
    datatype: &'static str,
    data: OutputData,
}

/// Numbers or flags.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub(in crate::serve) enum OutputData {
    Numbers(Vec<f64>),
    Flags(Vec<bool>),
}

/// Output that tells rows unlike the training data.
const OUT_OF_DOMAIN: &str = "out_of_domain";

/// What the server is.
#[utoipa::path(get, path = "/v2", tag = "Open Inference Protocol", responses(
    (status = 200, body = ServerMetadata), (status = "4XX", body = InferenceError),
), security((), ("key" = [])))]
pub(in crate::serve) async fn server() -> Json<ServerMetadata> {
    let version = env!("CARGO_PKG_VERSION");
    Json(ServerMetadata { name: "massay", version, extensions: [] })
}

/// Whether the server runs.
#[utoipa::path(get, path = "/v2/health/live", tag = "Open Inference Protocol", responses(
    (status = 200, body = Liveness),
))]
pub(in crate::serve) async fn live() -> Json<Liveness> {
    Json(Liveness { live: true })
}

/// Whether the server takes requests.
#[utoipa::path(get, path = "/v2/health/ready", tag = "Open Inference Protocol", responses(
    (status = 200, body = Readiness), (status = 503, body = Readiness),
))]
pub(in crate::serve) async fn ready(
    State(service): State<Arc<Service>>,
) -> (StatusCode, Json<Readiness>) {
    let ready = service.is_ready();
    (status_of(ready), Json(Readiness { ready }))
}

fn status_of(ready: bool) -> StatusCode {
    if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}

/// What the model takes and gives.
#[utoipa::path(get, path = "/v2/models/{model}", tag = "Open Inference Protocol", params(
    ("model" = String, Path, description = "Name of the model, e.g. `massay-mass`"),
), responses(
    (status = 200, body = ModelMetadata), (status = "4XX", body = InferenceError),
), security((), ("key" = [])))]
pub(in crate::serve) async fn model(
    State(service): State<Arc<Service>>,
    Path(name): Path<String>,
) -> Result<Json<ModelMetadata>, Fault> {
    Ok(Json(metadata(named(&service, &name, None)?.as_ref())))
}

/// What a version of the model takes and gives.
#[utoipa::path(get, path = "/v2/models/{model}/versions/{version}", tag = "Open Inference Protocol", params(
    ("model" = String, Path, description = "Name of the model"),
    ("version" = String, Path, description = "Its version: the one that answers now"),
), responses(
    (status = 200, body = ModelMetadata), (status = "4XX", body = InferenceError),
), security((), ("key" = [])))]
pub(in crate::serve) async fn version(
    State(service): State<Arc<Service>>,
    Path((name, version)): Path<(String, String)>,
) -> Result<Json<ModelMetadata>, Fault> {
    Ok(Json(metadata(named(&service, &name, Some(&version))?.as_ref())))
}

/// Whether the model takes requests.
#[utoipa::path(get, path = "/v2/models/{model}/ready", tag = "Open Inference Protocol", params(
    ("model" = String, Path, description = "Name of the model"),
), responses(
    (status = 200, body = ModelReadiness), (status = "4XX", body = InferenceError),
    (status = 503, body = ModelReadiness),
), security((), ("key" = [])))]
pub(in crate::serve) async fn model_ready(
    State(service): State<Arc<Service>>,
    Path(name): Path<String>,
) -> Result<(StatusCode, Json<ModelReadiness>), Fault> {
    readiness(&service, name, None)
}

/// Whether a version of the model takes requests.
#[utoipa::path(get, path = "/v2/models/{model}/versions/{version}/ready", tag = "Open Inference Protocol", params(
    ("model" = String, Path, description = "Name of the model"),
    ("version" = String, Path, description = "Its version: the one that answers now"),
), responses(
    (status = 200, body = ModelReadiness), (status = "4XX", body = InferenceError),
    (status = 503, body = ModelReadiness),
), security((), ("key" = [])))]
pub(in crate::serve) async fn version_ready(
    State(service): State<Arc<Service>>,
    Path((name, version)): Path<(String, String)>,
) -> Result<(StatusCode, Json<ModelReadiness>), Fault> {
    readiness(&service, name, Some(&version))
}

fn readiness(
    service: &Service,
    name: String,
    version: Option<&str>,
) -> Result<(StatusCode, Json<ModelReadiness>), Fault> {
    named(service, &name, version)?;
    let ready = service.is_ready();
    Ok((status_of(ready), Json(ModelReadiness { name, ready })))
}

/// Predict rows, given as one tensor `[rows, columns]` or as a tensor for each column.
#[utoipa::path(post, path = "/v2/models/{model}/infer", tag = "Open Inference Protocol", params(
    ("model" = String, Path, description = "Name of the model"),
), request_body = Object, responses(
    (status = 200, body = InferenceAnswer), (status = "4XX", body = InferenceError),
    (status = 503, body = InferenceError),
), security((), ("key" = [])))]
pub(in crate::serve) async fn infer(
    State(service): State<Arc<Service>>,
    Path(name): Path<String>,
    body: WholeBody,
) -> Result<Json<InferenceAnswer>, Fault> {
    let model = named(&service, &name, None)?;
    answer(&service, &model, body).await
}

/// Predict rows by a version of the model.
#[utoipa::path(post, path = "/v2/models/{model}/versions/{version}/infer", tag = "Open Inference Protocol", params(
    ("model" = String, Path, description = "Name of the model"),
    ("version" = String, Path, description = "Its version: the one that answers now"),
), request_body = Object, responses(
    (status = 200, body = InferenceAnswer), (status = "4XX", body = InferenceError),
    (status = 503, body = InferenceError),
), security((), ("key" = [])))]
pub(in crate::serve) async fn infer_version(
    State(service): State<Arc<Service>>,
    Path((name, version)): Path<(String, String)>,
    body: WholeBody,
) -> Result<Json<InferenceAnswer>, Fault> {
    let model = named(&service, &name, Some(&version))?;
    answer(&service, &model, body).await
}

/// The model that answers, if it goes by this name and version.
fn named(service: &Service, name: &str, version: Option<&str>) -> Result<Arc<ServedModel>, Fault> {
    let model = service.slot.current();
    if name != model.identity.model {
        let message = format!("there is no model `{name}`, only `{}`", model.identity.model);
        return Err(Fault::new(StatusCode::NOT_FOUND, "unknown_model", message));
    }
    match version {
        Some(version) if version != model.version => {
            let message = format!("there is no version `{version}`, only `{}`", model.version);
            Err(Fault::new(StatusCode::NOT_FOUND, "unknown_version", message))
        }
        _ => Ok(model),
    }
}

fn metadata(model: &ServedModel) -> ModelMetadata {
    let output =
        |name: &str, datatype| TensorMetadata { name: name.to_owned(), datatype, shape: vec![-1] };
    let mut outputs: Vec<TensorMetadata> =
        ONNX_OUTPUTS.iter().map(|name| output(name, "FP64")).collect();
    outputs.push(output(OUT_OF_DOMAIN, "BOOL"));
    let shape = vec![-1, model.columns().len() as i64];
    ModelMetadata {
        name: model.identity.model.clone(),
        versions: vec![model.version.clone()],
        platform: "massay",
        inputs: vec![TensorMetadata { name: INPUT.to_owned(), datatype: "FP64", shape }],
        outputs,
    }
}

async fn answer(
    service: &Service,
    model: &Arc<ServedModel>,
    body: WholeBody,
) -> Result<Json<InferenceAnswer>, Fault> {
    let Inference { id, wanted, rows } = body.read(|body| {
        let reader = RowReader::new(model, service.config.max_rows);
        Inference::of(&body.json()?, &reader, model)
    })?;
    let id = id.unwrap_or_else(|| body.request_id.clone());
    let predictions = service.predict((model, &body.request_id), rows).await?;
    let outputs = wanted.into_iter().map(|name| output(name, &predictions)).collect();
    let (model_name, model_version) = (model.identity.model.clone(), model.version.clone());
    Ok(Json(InferenceAnswer { model_name, model_version, id, outputs }))
}

/// What a request wants.
struct Inference {
    id: Option<String>,
    wanted: Vec<&'static str>,
    rows: RawRows,
}

impl Inference {
    fn of(body: &Value, reader: &RowReader<'_>, model: &ServedModel) -> Result<Self, Fault> {
        let Value::Object(request) = body else {
            let message = format!("the body is {}, expected an object", kind(body));
            return Err(Fault::malformed(message));
        };
        let id = match request.get("id") {
            None | Some(Value::Null) => None,
            Some(Value::String(id)) => Some(id.clone()),
            Some(other) => {
                return Err(Fault::malformed(format!("`id` is {}, expected text", kind(other))));
            }
        };
        let wanted = wanted_outputs(request)?;
        let rows = rows_of(reader, model, list(request, "inputs")?)?;
        Ok(Self { id, wanted, rows })
    }
}

/// The outputs that a request wants: those it names, or all.
fn wanted_outputs(request: &Map<String, Value>) -> Result<Vec<&'static str>, Fault> {
    let all = || ONNX_OUTPUTS.into_iter().chain([OUT_OF_DOMAIN]);
    if matches!(request.get("outputs"), None | Some(Value::Null)) {
        return Ok(all().collect());
    }
    let find = |wanted: &Value| {
        let name = wanted["name"].as_str().unwrap_or_default();
        all().find(|own| *own == name).ok_or_else(|| {
            let names: Vec<&str> = all().collect();
            Fault::malformed(format!("there is no output `{name}`, only {}", names.join(", ")))
        })
    };
    let mut wanted = Vec::new();
    for output in list(request, "outputs")? {
        let name = find(output)?;
        // Each output repeats all rows: a short request must not ask for endless answers.
        if wanted.contains(&name) {
            return Err(Fault::malformed(format!("output `{name}` is there more than once")));
        }
        wanted.push(name);
    }
    Ok(wanted)
}

fn output(name: &'static str, predictions: &[Prediction]) -> OutputTensor {
    let numbers =
        |of: fn(&Prediction) -> f64| OutputData::Numbers(predictions.iter().map(of).collect());
    let (datatype, data) = match name {
        "lower" => ("FP64", numbers(|own| own.lower)),
        "upper" => ("FP64", numbers(|own| own.upper)),
        OUT_OF_DOMAIN => {
            let flags = predictions.iter().map(Prediction::is_out_of_domain).collect();
            ("BOOL", OutputData::Flags(flags))
        }
        _ => ("FP64", numbers(|own| own.value)),
    };
    OutputTensor { name, shape: [predictions.len()], datatype, data }
}
