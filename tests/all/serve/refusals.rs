//! Bad requests: refused whole, with what is wrong, in the protocol's own shape.

use massay::serve::{Access, ServeConfig};
use serde_json::{Value, json};

use super::counter::{Answer, Counter, altered, values};

/// The error of the service's own shape.
fn fault(answer: &Answer, status: u16, code: &str) -> Value {
    assert_eq!(answer.status, status, "{}", answer.text);
    let body = answer.json();
    assert_eq!(body["error"]["code"], json!(code), "{body}");
    assert!(body["request_id"].is_string());
    body["error"].clone()
}

#[test]
fn cells_that_are_no_numbers_are_refused_by_row_and_column() {
    let counter = Counter::open();
    let records = counter.records();
    for (value, found) in [
        (json!(null), "no value"),
        (json!("12"), "the text `12`"),
        (json!(true), "a boolean"),
        (json!([1]), "a list"),
        (json!({}), "an object"),
    ] {
        let batch = json!([records[0], altered(&records[1], "det4", Some(value))]);
        let error = fault(&counter.post_json("/predict", &batch), 400, "not_a_number");
        assert_eq!((&error["row"], &error["column"]), (&json!(1), &json!("det4")));
        assert!(error["message"].as_str().unwrap().contains(found), "{error}");
    }
    let batch = json!([records[0], altered(&records[1], "det4", None)]);
    let error = fault(&counter.post_json("/predict", &batch), 400, "missing_column");
    assert_eq!((&error["row"], &error["column"]), (&json!(1), &json!("det4")));
    assert!(error["hint"].as_str().unwrap().starts_with("the columns are det1, det2"), "{error}");
    let renamed = altered(&altered(&records[0], "det4", None), "Det4", Some(json!(1.0)));
    let error = fault(&counter.post_json("/predict", &renamed), 400, "missing_column");
    assert_eq!(error["hint"], json!("is it `Det4`?"));
}

#[test]
fn bodies_that_are_no_rows_are_refused() {
    let counter = Counter::open();
    let json = "application/json";
    for body in ["", "{", "[]", "7", "null", "\"x\"", "[1]", "[[1]]", "{\"det1\": NaN}"] {
        let error = fault(&counter.post("/predict", json, body), 400, "malformed");
        assert!(error["message"].is_string());
    }
    let text = counter.records()[0].to_string();
    let twice = text.replacen('}', ", \"det1\": 5}", 1);
    let error = fault(&counter.post("/predict", json, twice.clone()), 400, "malformed");
    assert!(error["message"].as_str().unwrap().contains("the key `det1` comes more than once"));
    fault(&counter.post("/predict", json, format!("[{twice}]")), 400, "malformed");
    let error = fault(&counter.post("/predict", json, format!("\u{feff}{text}")), 400, "malformed");
    assert!(error["hint"].as_str().unwrap().contains("byte order mark"), "{error}");
    let deep = "[".repeat(10_000);
    fault(&counter.post("/predict", json, deep), 400, "malformed");
    // Each would take a hundred times its text, and rows are at most 20,000.
    let many = format!("[{}{{}}]", "{},".repeat(42_000));
    let error = fault(&counter.post("/predict", json, many), 413, "too_large");
    assert!(error["message"].as_str().unwrap().contains("lists and objects"), "{error}");
    for table in ["det1", "", "\n", "det1,det1\n1,2"] {
        let answer = counter.post("/predict", "text/csv", table);
        assert_eq!(answer.status, 400, "{table}: {}", answer.text);
    }
    let table = counter.shop.read("data/simulations.csv");
    let ragged = table.replacen(",1139.8950", ",1139.8950,7", 1);
    fault(&counter.post("/predict", "text/csv", ragged), 400, "malformed");
    let wordy = table.replacen("1139.8950", "many", 1);
    let error = fault(&counter.post("/predict", "text/csv", wordy), 400, "not_a_number");
    assert_eq!((&error["row"], &error["column"]), (&json!(0), &json!("det1")));
    let empty = table.replacen("1139.8950", "", 1);
    fault(&counter.post("/predict", "text/csv", empty), 400, "not_a_number");
    fault(&counter.post("/predict", "text/csv", vec![0xff, 0xfe, 0, 10, 0]), 400, "malformed");
}

#[test]
fn numbers_beyond_everything_known_give_no_broken_answer() {
    let counter = Counter::open();
    let records = counter.records();
    for value in [1e308, -1e308, 1e-308, f64::MAX, 0.0, -1.0] {
        let record = altered(&records[0], "det3", Some(json!(value)));
        let answer = counter.post_json("/predict", &record);
        assert!([200, 422].contains(&answer.status), "{value}: {}", answer.text);
        if answer.status == 200 {
            let body = answer.json();
            let number = |name: &str| body[name].as_f64().unwrap();
            assert!(number("lower") <= number("prediction"));
            assert!(number("prediction") <= number("upper"));
        }
    }
    let beyond = counter.records()[0].to_string().replacen("1139.895", "1e400", 1);
    let answer = counter.post("/predict", "application/json", beyond);
    assert_eq!(answer.status, 400, "{}", answer.text);
}

#[test]
fn kinds_sizes_paths_and_methods_that_are_not_taken_are_named() {
    let config = ServeConfig { max_body: 20_000, max_rows: 5, ..ServeConfig::default() };
    let counter = Counter::with(config, Access::default(), "");
    let records = counter.records();
    let text = records[0].to_string();
    for kind in ["text/plain", "application/x-www-form-urlencoded", "json", ""] {
        let answer = counter.post("/predict", kind, text.clone());
        fault(&answer, 415, "content_type");
    }
    fault(&counter.post("/explain", "text/csv", text.clone()), 415, "content_type");
    fault(&counter.post("/predict", "application/json", " ".repeat(20_001)), 413, "too_large");
    let zeros = format!("[{}0]", "0,".repeat(9_000));
    fault(&counter.post("/predict", "application/json", zeros), 413, "too_large");
    fault(&counter.post_json("/predict", &json!(records[..6])), 413, "too_many_rows");
    assert_eq!(counter.post_json("/predict", &json!(records[..5])).status, 200);
    fault(&counter.get("/nothing"), 404, "unknown_path");
    fault(&counter.get("/docs/nothing"), 404, "malformed");
    assert!(counter.get("/v2/models/%FF").json()["error"].is_string());
    fault(&counter.get("/predict"), 405, "wrong_method");
    fault(&counter.post_json("/feedback", &json!({"truth": 1})), 400, "malformed");
    for truth in [-5.0, 1.7e308] {
        let body = json!({"truth": truth, "record": counter.records()[0]});
        let error = fault(&counter.post_json("/feedback", &body), 400, "impossible_truth");
        assert!(error["message"].as_str().unwrap().contains("expected a `mass` of at"), "{error}");
    }
    let lost = json!({"truth": 1, "request_id": "never"});
    fault(&counter.post_json("/feedback", &lost), 404, "unknown_request");
}

#[test]
fn one_bad_row_refuses_the_batch_and_counts_nothing() {
    let counter = Counter::open();
    let mut records = counter.records();
    records[103] = altered(&records[103], "det15", Some(json!("x")));
    assert_eq!(counter.post_json("/predict", &json!(records)).status, 400);
    let metrics = counter.get("/metrics").text;
    assert!(metrics.contains("massay_rows_total 0\n"), "{metrics}");
    assert!(metrics.contains("{route=\"/predict\",status=\"400\"} 1\n"), "{metrics}");
}

#[test]
fn mlflow_hears_of_errors_in_its_own_words() {
    let counter = Counter::open();
    let record = &counter.records()[0];
    let row = values(record);
    let error = |body: Value| {
        let answer = counter.post_json("/invocations", &body);
        assert_eq!(answer.status, 400, "{body}: {}", answer.text);
        let answer = answer.json();
        assert!(answer["message"].is_string(), "{answer}");
        answer["error_code"].as_str().unwrap().to_owned()
    };
    for body in [
        json!({}),
        json!([]),
        json!({"rows": [row]}),
        json!({"instances": [row], "inputs": [row]}),
        json!({"inputs": [row], "more": 1}),
        json!({"inputs": []}),
        json!({"inputs": [row[..14]]}),
        json!({"inputs": [row, row[..14]]}),
        json!({"inputs": 7}),
        json!({"dataframe_split": {"data": [row]}}),
        json!({"dataframe_split": {"columns": [1], "data": [[1]]}}),
        json!({"dataframe_records": [altered(record, "det2", Some(json!(null)))]}),
        json!({"dataframe_records": [altered(record, "det2", Some(json!("x")))]}),
        json!({"dataframe_records": [row]}),
    ] {
        assert_eq!(error(body), "BAD_REQUEST");
    }
    let without = json!({"dataframe_records": [altered(record, "det2", None)]});
    assert_eq!(error(without), "INVALID_PARAMETER_VALUE");
    assert_eq!(counter.post("/invocations", "text/plain", "x").status, 415);
}

#[test]
fn open_inference_hears_of_errors_in_its_own_words() {
    let counter = Counter::open();
    let row = values(&counter.records()[0]);
    let path = "/v2/models/massay-mass/infer";
    let tensor = |shape: Value, kind: &str, data: Value| json!({"inputs": [{"name": "x", "shape": shape, "datatype": kind, "data": data}]});
    let refused = |path: &str, body: &Value, status: u16| {
        let answer = counter.post_json(path, body);
        assert_eq!(answer.status, status, "{body}: {}", answer.text);
        let answer = answer.json();
        assert!(answer["error"].is_string() && answer.as_object().unwrap().len() == 1, "{answer}");
    };
    for body in [
        json!([]),
        json!({}),
        json!({"inputs": []}),
        json!({"inputs": [7]}),
        json!({"id": 7, "inputs": []}),
        tensor(json!([1, 14]), "FP64", json!(row[..14])),
        tensor(json!([2, 15]), "FP64", json!(row)),
        tensor(json!([1, 15]), "BYTES", json!(row)),
        tensor(json!([-1, 15]), "FP64", json!(row)),
        tensor(json!([u64::MAX, u64::MAX]), "FP64", json!(row)),
        tensor(json!([0, 15]), "FP64", json!([])),
        tensor(json!([]), "FP64", json!([])),
        tensor(json!([1, 15]), "FP64", json!(vec!["x"; 15])),
    ] {
        refused(path, &body, 400);
    }
    let good = tensor(json!([1, 15]), "FP64", json!(row));
    let mut other = good.clone();
    other["outputs"] = json!([{"name": "nothing"}]);
    refused(path, &other, 400);
    other["outputs"] = json!([{"name": "upper"}, {"name": "upper"}]);
    refused(path, &other, 400);
    refused("/v2/models/other/infer", &good, 404);
    refused("/v2/models/massay-mass/versions/9/infer", &good, 404);
    assert_eq!(counter.get("/v2/models/other").status, 404);
    assert!(counter.get("/v2/nothing").json()["error"].is_string());
}

#[test]
fn missing_values_are_taken_by_a_model_that_was_trained_with_them() {
    let settings = "--set clean.missing=median";
    let counter = Counter::with(ServeConfig::default(), Access::default(), settings);
    let record = altered(&counter.records()[0], "det4", Some(json!(null)));
    let answer = counter.post_json("/predict", &record);
    assert_eq!(answer.status, 200, "{}", answer.text);
    let expected = {
        let table = counter.shop.read("data/simulations.csv");
        let rows: Vec<&str> = table.lines().take(2).collect();
        let first = rows[1].replacen("167.0750", "", 1);
        counter.shop.write("one.csv", format!("{}\n{first}\n", rows[0]));
        let line = "predict --backend cpu --checkpoint checkpoints/a one.csv";
        counter.shop.succeed(line)
    };
    assert!(expected.contains(&answer.json()["prediction"].to_string()), "{expected}");
    let absent = altered(&counter.records()[0], "det4", None);
    assert_eq!(counter.post_json("/predict", &absent).status, 400);
}
