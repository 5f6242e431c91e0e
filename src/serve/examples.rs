//! Requests that the model at hand answers, for its description: a row of its training.

use serde_json::{Map, Value, json};
use utoipa::openapi::{
    OpenApi, RefOr,
    path::{Operation, ParameterBuilder},
};

use crate::export::INPUT;

use super::ServedModel;

/// Puts examples of requests into the description of every path that takes rows.
pub(super) fn add(document: &mut OpenApi, model: &ServedModel) {
    let row = model.reference.rows().next().unwrap_or_default();
    let cells: Vec<Value> = row.iter().map(|cell| json!(cell)).collect();
    let record: Map<String, Value> = model.columns().iter().cloned().zip(cells.clone()).collect();
    let record = Value::Object(record);
    let tensor =
        json!({"name": INPUT, "shape": [1, cells.len()], "datatype": "FP64", "data": cells});
    let infer = json!({"inputs": [tensor]});
    for (path, item) in &mut document.paths.paths {
        let body = match path.as_str() {
            "/predict" | "/explain" => Some(record.clone()),
            "/feedback" => {
                Some(json!({"record": record, "truth": model.reference.targets.first()}))
            }
            "/invocations" => Some(json!({"dataframe_records": [record]})),
            _ if path.ends_with("/infer") => Some(infer.clone()),
            _ => None,
        };
        for operation in item.get.iter_mut().chain(&mut item.post) {
            name_model(operation, model);
        }
        if let (Some(body), Some(operation)) = (body, &mut item.post) {
            set_body(operation, body);
        }
    }
}

/// The JSON body of an operation.
fn set_body(operation: &mut Operation, body: Value) {
    let Some(RefOr::T(request)) = &mut operation.request_body else { return };
    if let Some(RefOr::T(content)) = request.content.get_mut("application/json") {
        content.example = Some(body);
    }
}

/// The name where a path asks for it. The version may change while the service runs.
fn name_model(operation: &mut Operation, model: &ServedModel) {
    for parameter in operation.parameters.iter_mut().flatten() {
        let RefOr::T(parameter) = parameter else { continue };
        let example = match parameter.name.as_str() {
            "model" => json!(model.identity.model),
            _ => continue,
        };
        *parameter = ParameterBuilder::from(parameter.clone()).example(Some(example)).build();
    }
}
