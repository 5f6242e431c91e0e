//! A model as a folder that MLflow loads, serves and hands to Spark.

use serde_json::{Map, Value, json};

use crate::export::ONNX_OUTPUTS;

/// What the model runs on; MLflow installs it where it serves in an environment of its own.
const REQUIREMENTS: [&str; 4] = ["mlflow>=2.14", "onnx>=1.16", "onnxruntime>=1.17", "pandas>=2"];
const PYTHON: &str = "3.11.7";

/// The files of a model, by name: `model.onnx` and what MLflow wants to know beside it.
///
/// `columns` are the raw columns in their order, `example` a row of them, `facts` go into the metadata.
#[must_use]
pub fn model_files(
    onnx: Vec<u8>,
    columns: &[String],
    example: Option<&[f64]>,
    facts: &[(String, String)],
) -> Vec<(String, Vec<u8>)> {
    let text = |value: &Value| (format!("{value:#}") + "\n").into_bytes();
    let mut files = vec![
        ("model.onnx".to_owned(), onnx),
        // JSON is YAML.
        ("MLmodel".to_owned(), text(&description(columns, example.is_some(), facts))),
        ("requirements.txt".to_owned(), (REQUIREMENTS.join("\n") + "\n").into_bytes()),
        ("conda.yaml".to_owned(), text(&conda())),
        ("python_env.yaml".to_owned(), text(&python_env())),
    ];
    if let Some(row) = example {
        let split = json!({"columns": columns, "data": [row]});
        files.push(("input_example.json".to_owned(), text(&split)));
        let request = json!({"dataframe_split": split});
        files.push(("serving_input_example.json".to_owned(), text(&request)));
    }
    files
}

fn description(columns: &[String], has_example: bool, facts: &[(String, String)]) -> Value {
    let column = |name: &str| json!({"type": "double", "name": name, "required": true});
    let inputs: Vec<Value> = columns.iter().map(|name| column(name)).collect();
    let outputs: Vec<Value> = ONNX_OUTPUTS.iter().map(|name| column(name)).collect();
    let metadata: Map<String, Value> =
        facts.iter().map(|(key, value)| (key.clone(), json!(value))).collect();
    let mut model = json!({
        "flavors": {
            "onnx": {
                "data": "model.onnx",
                "onnx_version": "1.16.0",
                "providers": ["CPUExecutionProvider"],
            },
            "python_function": {
                "loader_module": "mlflow.onnx",
                "data": "model.onnx",
                "python_version": PYTHON,
                "env": {"conda": "conda.yaml", "virtualenv": "python_env.yaml"},
            },
        },
        // MLflow keeps signatures as text.
        "signature": {
            "inputs": Value::from(inputs).to_string(),
            "outputs": Value::from(outputs).to_string(),
        },
        "metadata": metadata,
    });
    if has_example {
        model["saved_input_example_info"] = json!({
            "artifact_path": "input_example.json",
            "serving_input_path": "serving_input_example.json",
            "type": "dataframe",
            "pandas_orient": "split",
        });
    }
    model
}

fn conda() -> Value {
    let python = format!("python={PYTHON}");
    json!({
        "name": "massay",
        "channels": ["conda-forge"],
        "dependencies": [python, "pip", {"pip": REQUIREMENTS}],
    })
}

fn python_env() -> Value {
    json!({
        "python": PYTHON,
        "build_dependencies": ["pip"],
        "dependencies": ["-r requirements.txt"],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(files: &[(String, Vec<u8>)], name: &str) -> Value {
        let (_, bytes) = files.iter().find(|(own, _)| own == name).unwrap();
        serde_json::from_slice(bytes).unwrap()
    }

    #[test]
    fn signature_and_example_follow_the_columns() {
        let columns = ["a".to_owned(), "b".to_owned()];
        let facts = [("massay.run".to_owned(), "drums".to_owned())];
        let files = model_files(vec![1], &columns, Some(&[1.5, 2.0]), &facts);
        let model = file(&files, "MLmodel");
        let inputs = model["signature"]["inputs"].as_str().unwrap();
        let inputs: Value = serde_json::from_str(inputs).unwrap();
        assert_eq!(inputs[1]["name"], "b");
        assert_eq!(model["metadata"]["massay.run"], "drums");
        let example = file(&files, "serving_input_example.json");
        assert_eq!(example["dataframe_split"]["data"], json!([[1.5, 2.0]]));
        let files = model_files(vec![1], &columns, None, &facts);
        assert!(file(&files, "MLmodel").get("saved_input_example_info").is_none());
    }
}
