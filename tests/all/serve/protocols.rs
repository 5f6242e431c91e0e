//! Answers of each protocol, beside those of `massay predict`.

use axum::{body::Body, http::Request};
use serde_json::{Value, json};

use super::counter::{Counter, altered, values};

/// The four numbers of an answer of the service's own.
fn own(answer: &Value) -> (f64, f64, f64, bool) {
    let number = |name: &str| answer[name].as_f64().unwrap();
    let flag = answer["out_of_domain"].as_bool().unwrap();
    (number("prediction"), number("lower"), number("upper"), flag)
}

#[test]
fn answers_are_those_of_predict_to_the_last_bit() {
    let counter = Counter::open();
    let (expected, records) = (counter.predicted(), counter.records());
    let many = counter.post_json("/predict", &json!(records)).json();
    let found: Vec<_> = many["predictions"].as_array().unwrap().iter().map(own).collect();
    assert_eq!(found, expected);
    assert_eq!(
        (&many["target"], &many["unit"], &many["level"]),
        (&json!("mass"), &json!("g"), &json!(0.9))
    );
    for (record, expected) in records.iter().zip(&expected).step_by(9) {
        let one = counter.post_json("/predict", record);
        assert_eq!(one.status, 200, "{}", one.text);
        let id = one.headers["x-request-id"].to_str().unwrap();
        let body = one.json();
        assert_eq!((&own(&body), body["request_id"].as_str()), (expected, Some(id)));
        assert_eq!(body["model_version"], json!(counter.service.slot.current().version));
    }
}

#[test]
fn columns_may_come_in_any_order_beside_others() {
    let counter = Counter::open();
    let (expected, records) = (counter.predicted(), counter.records());
    let names: Vec<String> = (1..=15).rev().map(|own| format!("det{own}")).collect();
    let mut table = format!("note,{}\n", names.join(","));
    for record in &records {
        let cells: Vec<String> = names.iter().map(|name| record[name].to_string()).collect();
        table += &format!("x,{}\n", cells.join(","));
    }
    let answer = counter.post("/predict", "text/csv; charset=utf-8", table.clone()).json();
    let found: Vec<_> = answer["predictions"].as_array().unwrap().iter().map(own).collect();
    assert_eq!(found, expected);
    for delimiter in [";", "\t"] {
        let table = table.replace(',', delimiter);
        let answer = counter.post("/predict", "text/csv", table).json();
        assert_eq!(answer["predictions"].as_array().unwrap().len(), expected.len(), "{answer}");
    }
    // One value each, where the column that comes first is none of the model's.
    let mut by_column = json!({"note": ["x", "y"]});
    for name in &names {
        by_column[name] = json!([records[0][name]]);
    }
    let answer = counter.post_json("/invocations", &json!({"inputs": by_column})).json();
    assert_eq!(answer["predictions"].as_array().unwrap().len(), 1, "{answer}");
    let mut with_more = records[0].clone();
    with_more["container"] = json!("C001");
    assert_eq!(own(&counter.post_json("/predict", &with_more).json()), expected[0]);
    // The shipped table itself, container and mass included.
    let answer = counter.post("/predict", "text/csv", counter.shop.read("data/simulations.csv"));
    assert_eq!(answer.json()["predictions"].as_array().unwrap().len(), 104);
}

#[test]
fn a_row_unlike_the_training_names_its_columns() {
    let counter = Counter::open();
    let mut record = counter.records()[0].clone();
    record["det7"] = json!(5e6);
    let answer = counter.post_json("/predict", &record).json();
    assert_eq!(answer["out_of_domain"], json!(true));
    assert_eq!(answer["columns_at_fault"][0], json!("det7"));
}

#[test]
fn invocations_take_every_shape_of_mlflow() {
    let counter = Counter::open();
    let (expected, records) = (counter.predicted(), counter.records());
    let (records, expected) = (&records[..3], &expected[..3]);
    let names: Vec<String> = (1..=15).rev().map(|own| format!("det{own}")).collect();
    let data: Vec<Vec<&Value>> =
        records.iter().map(|own| names.iter().map(|name| &own[name]).collect()).collect();
    let arrays: Vec<Vec<Value>> = records.iter().map(values).collect();
    let columns: Value = names
        .iter()
        .map(|name| (name.clone(), json!(records.iter().map(|own| &own[name]).collect::<Vec<_>>())))
        .collect::<serde_json::Map<_, _>>()
        .into();
    for body in [
        json!({"dataframe_split": {"columns": names, "data": data, "index": [5, 6, 7]}}),
        json!({"dataframe_records": records, "params": {}}),
        json!({"instances": records}),
        json!({"instances": arrays}),
        json!({"inputs": columns}),
        json!({"inputs": arrays}),
    ] {
        let answer = counter.post_json("/invocations", &body);
        assert_eq!(answer.status, 200, "{body}: {}", answer.text);
        let found: Vec<(f64, f64, f64)> = answer.json()["predictions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|own| ["prediction", "lower", "upper"].map(|name| own[name].as_f64().unwrap()))
            .map(|[value, lower, upper]| (value, lower, upper))
            .collect();
        let expected: Vec<_> = expected.iter().map(|own| (own.0, own.1, own.2)).collect();
        assert_eq!(found, expected, "{body}");
    }
    let table = counter.shop.read("data/simulations.csv");
    let answer = counter.post("/invocations", "text/csv", table).json();
    assert_eq!(answer["predictions"].as_array().unwrap().len(), 104);
    assert_eq!((counter.get("/ping").status, counter.get("/health").status), (200, 200));
    assert_eq!(counter.get("/version").text, env!("CARGO_PKG_VERSION"));
}

#[test]
fn open_inference_takes_one_tensor_or_one_for_each_column() {
    let counter = Counter::open();
    let (expected, records) = (counter.predicted(), counter.records());
    let (records, expected) = (&records[..4], &expected[..4]);
    let path = "/v2/models/massay-mass/infer";
    let flat: Vec<Value> = records.iter().flat_map(values).collect();
    let nested: Vec<Vec<Value>> = records.iter().map(values).collect();
    let one =
        |data: Value| json!([{"name": "x", "shape": [4, 15], "datatype": "FP64", "data": data}]);
    let column = |name: String| {
        let data: Vec<&Value> = records.iter().map(|own| &own[&name]).collect();
        json!({"name": name, "shape": [4, 1], "datatype": "FP32", "data": data})
    };
    let columns: Vec<Value> = (1..=15).rev().map(|own| column(format!("det{own}"))).collect();
    for inputs in [one(json!(flat)), one(json!(nested)), json!(columns)] {
        let answer = counter.post_json(path, &json!({"id": "mine", "inputs": inputs}));
        assert_eq!(answer.status, 200, "{}", answer.text);
        let body = answer.json();
        assert_eq!((&body["id"], &body["model_name"]), (&json!("mine"), &json!("massay-mass")));
        let outputs = body["outputs"].as_array().unwrap();
        let data = |place: usize| outputs[place]["data"].as_array().unwrap().clone();
        assert_eq!(data(0), expected.iter().map(|own| json!(own.0)).collect::<Vec<_>>());
        assert_eq!(data(1), expected.iter().map(|own| json!(own.1)).collect::<Vec<_>>());
        assert_eq!(data(2), expected.iter().map(|own| json!(own.2)).collect::<Vec<_>>());
        assert_eq!(data(3), expected.iter().map(|own| json!(own.3)).collect::<Vec<_>>());
        assert!(outputs.iter().all(|own| own["shape"] == json!([4])));
    }
    // Texts beside the columns, of containers and of others.
    let mut more = columns.clone();
    for name in ["container", "note"] {
        let names = ["C1", "C2", "C3", "C4"];
        more.insert(0, json!({"name": name, "shape": [4], "datatype": "BYTES", "data": names}));
    }
    let answer = counter.post_json(path, &json!({"inputs": more})).json();
    assert_eq!(answer["outputs"][0]["data"][3], json!(expected[3].0), "{answer}");
    let wanted = json!({"inputs": one(json!(flat)), "outputs": [{"name": "upper"}]});
    let body = counter.post_json(path, &wanted).json();
    assert_eq!(body["outputs"].as_array().unwrap().len(), 1);
    assert_eq!(body["outputs"][0]["name"], json!("upper"));
    // Triton's client does not say what it sends, and asks for the server with a slash behind it.
    let body = json!({"inputs": one(json!(flat))}).to_string();
    let answer = counter.send(Request::post(path).body(Body::from(body)).unwrap());
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(counter.get("/v2/").json()["name"], counter.get("/v2").json()["name"]);
}

#[test]
fn open_inference_describes_server_model_and_version() {
    let counter = Counter::open();
    assert_eq!(counter.get("/v2").json()["name"], json!("massay"));
    assert_eq!(counter.get("/v2/health/live").json(), json!({"live": true}));
    assert_eq!(counter.get("/v2/health/ready").json(), json!({"ready": true}));
    let model = counter.get("/v2/models/massay-mass").json();
    assert_eq!(model["inputs"][0]["shape"], json!([-1, 15]));
    let names: Vec<&str> = model["outputs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|own| own["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["prediction", "lower", "upper", "out_of_domain"]);
    let version = model["versions"][0].as_str().unwrap();
    let path = format!("/v2/models/massay-mass/versions/{version}");
    assert_eq!(counter.get(&path).json(), model);
    let ready = counter.get(&format!("{path}/ready")).json();
    assert_eq!(ready, json!({"name": "massay-mass", "ready": true}));
    let inputs = json!([{"name": "x", "shape": [1, 15], "datatype": "FP64",
                         "data": values(&counter.records()[0])}]);
    let answer = counter.post_json(&format!("{path}/infer"), &json!({"inputs": inputs}));
    assert_eq!(answer.json()["model_version"], json!(version));
}

#[test]
fn contributions_add_up_to_the_prediction() {
    let counter = Counter::open();
    let (expected, records) = (counter.predicted(), counter.records());
    for (record, expected) in records.iter().zip(&expected).step_by(40) {
        let answer = counter.post_json("/explain", record).json();
        assert_eq!(own(&answer), *expected);
        let contributions = answer["contributions"].as_array().unwrap();
        let sum: f64 = contributions.iter().map(|own| own["contribution"].as_f64().unwrap()).sum();
        let total = answer["base"].as_f64().unwrap() + sum;
        assert_eq!(contributions.len(), 15);
        assert!((total - expected.0).abs() < 1e-6 * (1.0 + expected.0.abs()), "{total}");
    }
}

#[test]
fn feedback_finds_the_request_or_predicts_the_row() {
    let counter = Counter::open();
    let (expected, records) = (counter.predicted(), counter.records());
    let many = counter.post_json("/predict", &json!(records[..3])).json();
    let named = json!({"request_id": many["request_id"], "row": 2, "truth": expected[2].0 + 1.0});
    let brought = json!({"record": records[2], "truth": expected[2].0 + 1.0});
    assert_eq!(counter.post_json("/explain", &records[2]).status, 200);
    for body in [named, brought] {
        let answer = counter.post_json("/feedback", &body).json();
        assert_eq!(answer["prediction"].as_f64().unwrap(), expected[2].0);
        assert!((answer["residual"].as_f64().unwrap() - 1.0).abs() < 1e-9);
        assert_eq!(answer["covered"], json!(expected[2].2 >= expected[2].0 + 1.0));
        // By the id a truth can be told again.
        let again = json!({"request_id": answer["request_id"], "truth": expected[2].0 + 1.0});
        let again = altered(&again, "row", body.get("row").cloned());
        assert_eq!(counter.post_json("/feedback", &again).json(), answer);
    }
    // Nothing is guessed: which of several rows, or what a misspelt key means.
    for (key, row) in [("position", json!(2)), ("Row", json!(2)), ("row", json!(null))] {
        let body = json!({"request_id": many["request_id"], "truth": 1.0, key: row});
        let refused = counter.post_json("/feedback", &body);
        assert_eq!(refused.status, 400, "{key}");
        assert!(refused.text.contains("row"), "{key}: {}", refused.text);
    }
    let metrics = counter.get("/metrics").text;
    // Two rows, each corrected once; an explanation counts as none.
    for expected in ["feedback_rows_total 2\n", "feedback_corrections_total 2\n", "rows_total 4\n"]
    {
        assert!(metrics.contains(&format!("massay_{expected}")), "{expected}: {metrics}");
    }
}

#[test]
fn the_model_tells_what_it_needs_and_what_it_was_trained_on() {
    let counter = Counter::open();
    let model = counter.get("/model").json();
    assert_eq!((&model["target"], &model["run"]), (&json!("mass"), &json!("a")));
    let columns = model["columns"].as_array().unwrap();
    let first: Vec<f64> =
        counter.records().iter().map(|own| own["det1"].as_f64().unwrap()).collect();
    let least = columns[0]["minimum"].as_f64().unwrap();
    assert!(columns.len() == 15 && first.contains(&least));
    let targets = model["training_targets"].as_array().unwrap();
    // One of each container.
    assert_eq!(targets.len(), 84);
    assert!(targets.is_sorted_by(|a, b| a.as_f64() <= b.as_f64()));
}
