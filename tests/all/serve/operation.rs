//! Replacing the model, keys, limits, metrics: what whoever runs the service relies on.

use std::{fs, net::SocketAddr};

use axum::{body::Body, http::Request};
use massay::serve::{Access, Peer, ServeConfig};
use serde_json::json;

use super::counter::{Answer, Counter};
use crate::support::SHORT;

fn with_token(counter: &Counter, path: &str, token: &str) -> Answer {
    let request = Request::post(path).header("authorization", format!("Bearer {token}"));
    counter.send(request.body(Body::empty()).unwrap())
}

fn administered() -> Counter {
    let access = Access::new([], Some("token"));
    Counter::with(ServeConfig::default(), access, "")
}

fn version(counter: &Counter) -> String {
    counter.get("/model").json()["version"].as_str().unwrap().to_owned()
}

#[test]
fn another_model_takes_over_and_gives_back() {
    let counter = administered();
    let (first, record) = (version(&counter), counter.records()[0].clone());
    let before = counter.post_json("/predict", &record).json();
    let unchanged = with_token(&counter, "/admin/reload", "token").json();
    assert_eq!(unchanged, json!({"changed": false, "model_version": first}));
    counter.shop.succeed(&format!("train --name b --quiet {SHORT} --set train.seed=5"));
    counter.want(&counter.shop.path("checkpoints/b"));
    let changed = with_token(&counter, "/admin/reload", "token").json();
    let second = version(&counter);
    assert_eq!(changed, json!({"changed": true, "model_version": second}));
    let after = counter.post_json("/predict", &record).json();
    assert_ne!((&first, &before["prediction"]), (&second, &after["prediction"]));
    assert_eq!(after["model_version"], json!(second));
    let back = with_token(&counter, "/admin/rollback", "token").json();
    assert_eq!(back, json!({"changed": true, "model_version": first}));
    let again = counter.post_json("/predict", &record).json();
    assert_eq!(again["prediction"], before["prediction"]);
    // The wanted model is the one that was left: it does not come back by itself, only when asked.
    assert!(!counter.service.reload(false).unwrap());
    assert!(counter.service.reload(true).unwrap());
    assert_eq!(version(&counter), second);
}

#[test]
fn a_model_that_cannot_answer_is_refused_and_the_present_one_goes_on() {
    let counter = administered();
    let first = version(&counter);
    let error = |status: u16, code: &str| {
        let answer = with_token(&counter, "/admin/reload", "token");
        let error = answer.json()["error"].clone();
        assert_eq!((answer.status, &error["code"]), (status, &json!(code)), "{error}");
        assert_eq!(version(&counter), first);
        error["message"].as_str().unwrap().to_owned()
    };
    counter.want(&counter.shop.path("checkpoints/none"));
    assert!(error(503, "no_model").contains("manifest.json"));
    let table = counter.shop.read("data/simulations.csv");
    counter.shop.write("other.csv", table.replacen("det3", "extra", 1));
    let train = format!("train --data other.csv --name other --quiet {SHORT}");
    counter.shop.succeed(&format!("{train} --set features=raw --set data.unit=g"));
    counter.want(&counter.shop.path("checkpoints/other"));
    let said = error(409, "model_refused");
    assert!(said.contains("asks a column `extra`"), "{said}");
    // Requests without names are read in the order of the columns.
    let turned: String = table.lines().map(turned).collect();
    counter.shop.write("turned.csv", turned);
    counter.shop.succeed(&format!(
        "train --data turned.csv --name turned --quiet {SHORT} --set features=raw --set data.unit=g"
    ));
    counter.want(&counter.shop.path("checkpoints/turned"));
    assert!(error(409, "model_refused").contains("its columns are det15"));
    let folder = counter.shop.path("checkpoints/other");
    fs::write(folder.join("model.safetensors"), "x").unwrap();
    counter.want(&counter.shop.path("checkpoints/a"));
    assert!(!counter.service.reload(true).unwrap());
    counter.want(&folder);
    assert!(error(503, "no_model").contains("SHA-256"));
    let answer = with_token(&counter, "/admin/rollback", "token");
    assert_eq!(answer.json()["error"]["code"], json!("no_former_model"));
    assert_eq!(counter.post_json("/predict", &counter.records()[0]).status, 200);
    let metrics = counter.get("/metrics").text;
    for (outcome, count) in [("refused", 3), ("unreadable", 2)] {
        let line = format!("massay_reloads_total{{outcome=\"{outcome}\"}} {count}\n");
        assert!(metrics.contains(&line), "{metrics}");
    }
}

/// A line of a table with its cells in the opposite order.
fn turned(line: &str) -> String {
    line.split(',').rev().collect::<Vec<_>>().join(",") + "\n"
}

#[test]
fn keys_open_what_asks_the_model_and_the_token_what_changes_it() {
    let access = Access::new(["one", "two"], Some("token"));
    let counter = Counter::with(ServeConfig::default(), access, "");
    let body = counter.records()[0].to_string();
    let ask = |header: Option<(&str, &str)>| {
        let request = Request::post("/predict").header("content-type", "application/json");
        let request =
            header.into_iter().fold(request, |own, (name, value)| own.header(name, value));
        counter.send(request.body(body.clone().into()).unwrap()).status
    };
    assert_eq!(ask(None), 401);
    assert_eq!(ask(Some(("x-api-key", "three"))), 401);
    assert_eq!(ask(Some(("x-api-key", "two"))), 200);
    assert_eq!(ask(Some(("authorization", "Bearer one"))), 200);
    for path in ["/model", "/metrics", "/v2/models/massay-mass", "/nothing"] {
        assert_eq!(counter.get(path).status, 401, "{path}");
    }
    for path in ["/", "/live", "/ready", "/ping", "/health", "/openapi.json", "/v2/health/live"] {
        assert_eq!(counter.get(path).status, 200, "{path}");
    }
    assert_eq!(with_token(&counter, "/admin/reload", "one").status, 401);
    assert_eq!(with_token(&counter, "/admin/reload", "token").status, 200);
    assert_eq!(with_token(&Counter::open(), "/admin/reload", "").status, 403);
    // The description is open, so that it says nothing of the data.
    assert!(!counter.get("/openapi.json").text.contains("1139.895"));
    let refused = counter.post("/invocations", "application/json", "{}");
    assert_eq!(refused.headers["www-authenticate"], "Bearer");
    assert_eq!(refused.json()["error_code"], json!("PERMISSION_DENIED"));
}

#[test]
fn each_client_has_its_rate_and_only_trusted_proxies_name_clients() {
    let config = ServeConfig {
        rate: 1,
        burst: 2,
        trusted_proxies: vec!["10.0.0.1".to_owned().try_into().unwrap()],
        ..ServeConfig::default()
    };
    let counter = Counter::with(config, Access::default(), "");
    let ask = |peer: &str, forwarded: &str| {
        let peer: SocketAddr = format!("{peer}:4000").parse().unwrap();
        let request = Request::get("/model").header("x-forwarded-for", forwarded);
        let mut request = request.body(Body::empty()).unwrap();
        request.extensions_mut().insert(Peer(peer));
        counter.send(request)
    };
    let statuses = |peer: &str, names: [&str; 4]| names.map(|name| ask(peer, name).status);
    // A client that names itself differently each time is still one client.
    assert_eq!(
        statuses("10.0.0.9", ["1.1.1.1", "2.2.2.2", "3.3.3.3", "4.4.4.4"]),
        [200, 200, 429, 429]
    );
    // The proxy's own word counts, what stands before it does not.
    assert_eq!(
        statuses("10.0.0.1", ["1.1.1.1", "2.2.2.2", "9.9.9.9, 1.1.1.1", "5.5.5.5, 1.1.1.1"]),
        [200, 200, 200, 429]
    );
    // Some proxies name a port, too.
    assert_eq!(
        statuses("10.0.0.1", ["6.6.6.6:4242", "6.6.6.6", "[2001:db8::6]:4242", "6.6.6.6:1"]),
        [200, 200, 200, 429]
    );
    let refused = ask("10.0.0.9", "");
    assert_eq!(refused.headers["retry-after"], "1");
    assert_eq!(refused.json()["error"]["code"], json!("too_many_requests"));
    assert_eq!(counter.get("/live").status, 200);
}

#[test]
fn more_requests_than_places_are_asked_to_come_again() {
    let config = ServeConfig { max_requests: 0, ..ServeConfig::default() };
    let counter = Counter::with(config, Access::default(), "");
    let answer = counter.get("/model");
    assert_eq!((answer.status, &answer.headers["retry-after"]), (503, &"1".parse().unwrap()));
    assert_eq!(answer.json()["error"]["code"], json!("busy"));
    assert_eq!(counter.get("/ready").status, 200);
}

#[test]
fn a_service_that_leaves_is_alive_but_not_ready() {
    let counter = Counter::open();
    assert_eq!((counter.get("/live").status, counter.get("/ready").status), (200, 200));
    counter.service.leave();
    assert_eq!((counter.get("/live").status, counter.get("/ready").status), (200, 503));
    assert_eq!(counter.get("/v2/health/ready").status, 503);
}

#[test]
fn metrics_count_what_happened() {
    let counter = Counter::open();
    let records = counter.records();
    let mut odd = records[0].clone();
    odd["det2"] = json!(5e6);
    counter.post_json("/predict", &json!(records));
    counter.post_json("/predict", &odd);
    counter.get("/nothing");
    let answer = counter.get("/metrics");
    let kind = answer.headers["content-type"].to_str().unwrap();
    assert!(kind.starts_with("application/openmetrics-text"));
    let value = |name: &str| -> f64 {
        let line = answer.text.lines().find(|line| line.starts_with(name));
        line.unwrap_or(name).rsplit(' ').next().unwrap().parse().unwrap()
    };
    assert_eq!(value("massay_rows_total"), 105.0);
    assert_eq!(value("massay_requests_total{route=\"/predict\",status=\"200\"}"), 2.0);
    assert_eq!(value("massay_requests_total{route=\"unknown\",status=\"404\"}"), 1.0);
    assert_eq!(value("massay_request_duration_seconds_count{route=\"/predict\"}"), 2.0);
    assert_eq!(value("massay_predictions_count"), 105.0);
    assert_eq!(value("massay_columns_at_fault_total{column=\"det2\"}"), 1.0);
    assert!(value("massay_input_shift{column=\"det2\"}") > 1.0);
    assert_eq!(value("massay_requests_in_flight"), 1.0);
    assert!(answer.text.ends_with("# EOF\n"));
    // Not even a scanner's paths make a series of their own.
    for path in 0..50 {
        counter.get(&format!("/x{path}"));
    }
    assert_eq!(counter.get("/metrics").text.matches("status=\"404\"").count(), 1);
}

#[test]
fn a_request_keeps_its_id_and_answers_carry_safe_headers() {
    let counter = Counter::open();
    let request = Request::get("/model").header("x-request-id", "job-7");
    let answer = counter.send(request.body(Body::empty()).unwrap());
    assert_eq!(answer.headers["x-request-id"], "job-7");
    assert_eq!(answer.headers["x-content-type-options"], "nosniff");
    let page = counter.get("/");
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"));
    let faulty = counter.send(
        Request::get("/nothing").header("x-request-id", "job-8").body(Body::empty()).unwrap(),
    );
    assert_eq!(faulty.json()["request_id"], json!("job-8"));
}

#[test]
fn the_description_names_every_path_and_the_page_loads_nothing_from_elsewhere() {
    let counter = Counter::open();
    let document = counter.get("/openapi.json").json();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let paths = document["paths"].as_object().unwrap();
    let example = |path: &str| {
        path.replace("{model}", "massay-mass").replace("{version}", &version(&counter))
    };
    let answers = &document["paths"]["/predict"]["post"]["responses"]["200"]["content"];
    let schema = answers["application/json"]["schema"].to_string();
    assert!(schema.contains("PredictAnswer"), "{schema}");
    let both = document["components"]["schemas"]["PredictAnswer"].to_string();
    assert!(both.contains("SingleAnswer") && both.contains("ManyAnswers"), "{both}");
    let mut names = std::collections::HashSet::new();
    for (path, methods) in paths {
        for (method, described) in methods.as_object().unwrap() {
            assert!(names.insert(&described["operationId"]), "{described}");
            for answer in described["responses"].as_object().unwrap().values() {
                assert_ne!(answer["description"].as_str(), Some(""), "{method} {path}: {answer}");
                assert!(answer["description"].is_string(), "{method} {path}: {answer}");
            }
            let request = Request::builder().method(&*method.to_uppercase()).uri(example(path));
            let answer = counter.send(request.body(Body::empty()).unwrap());
            let status = answer.status;
            if path.starts_with("/monitor") {
                // The service of this test keeps no log.
                assert_eq!(answer.json()["error"]["code"], json!("no_log"), "{}", answer.text);
                continue;
            }
            assert!(![404, 405, 500].contains(&status), "{method} {path}: {status}");
        }
    }
    let described: Vec<&str> = paths.keys().map(String::as_str).collect();
    for path in ["/predict", "/explain", "/feedback", "/invocations", "/v2", "/metrics", "/model"] {
        assert!(described.contains(&path), "{path}: {described:?}");
    }
    let page = counter.get("/").text;
    assert!(!page.contains("http://") && !page.contains("https://"), "{page}");
    let loaded: Vec<&str> =
        page.split(['"', '\'']).filter(|part| part.starts_with("/assets/")).collect();
    assert!(loaded.len() >= 2, "{loaded:?}");
    for path in loaded {
        assert_eq!(counter.get(path).status, 200, "{path}");
    }
    assert!(document["components"]["securitySchemes"]["key"].is_object());
}
