//! What others' programs make of the service, and a minute of load with changes of the model.

use std::{
    path::Path,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{counter::records, program::Program};
use crate::{
    mlflow_server::Server,
    python::{python, script},
    support::{SHORT, Workshop},
};

#[test]
#[ignore = "needs Python 3 with venv"]
fn the_client_of_mlflow_works_unchanged() {
    let shop = Workshop::new();
    shop.succeed(&format!("train {SHORT} --name a --quiet"));
    let program = Program::start(&shop, "--checkpoint checkpoints/a");
    let (table, out) = (shop.path("data/simulations.csv"), shop.path("answers.csv"));
    script("scoring_client.py", &[Path::new(&program.address), &table, &out]);
    let line = "predict --backend cpu --checkpoint checkpoints/a data/simulations.csv";
    let expected = shop.succeed(line);
    let answers = shop.read("answers.csv");
    assert_eq!(answers.lines().count(), 105);
    for (answer, expected) in answers.lines().zip(expected.lines()) {
        let answer: Vec<&str> = answer.split(',').collect();
        let expected: Vec<&str> = expected.split(',').skip(1).take(3).collect();
        assert_eq!(answer, expected);
    }
}

#[test]
#[ignore = "needs Python 3 with venv"]
fn a_registered_model_is_fetched_from_mlflow_and_its_alias_followed() {
    let (shop, server) = (Workshop::new(), Server::start());
    for (seed, name) in ["first", "second"].into_iter().enumerate() {
        let line = format!("train {SHORT} --name {name} --quiet --set train.seed={seed}");
        shop.succeed(&format!("{line} --mlflow {}", server.uri()));
    }
    shop.succeed("registry promote first");
    let uri = "models:/massay-mass@champion";
    let arguments = format!("--checkpoint {uri} --mlflow {} --set serve.reload=0.2", server.uri());
    let program = Program::start(&shop, &arguments);
    let record = &records(&shop.read("data/simulations.csv"))[0];
    let expected = |run: &str| -> f64 {
        let line = format!("predict --backend cpu --checkpoint checkpoints/{run}");
        let table = shop.succeed(&format!("{line} data/simulations.csv"));
        table.lines().nth(1).unwrap().split(',').nth(1).unwrap().parse().unwrap()
    };
    let answer = program.post("/predict", record);
    assert_eq!(answer["prediction"].as_f64().unwrap(), expected("first"));
    assert!(answer["model_version"].as_str().unwrap().starts_with("v1@"), "{answer}");
    shop.succeed("registry promote second");
    program.wait_for("v2");
    let answer = program.post("/predict", record);
    assert_eq!(answer["prediction"].as_f64().unwrap(), expected("second"));
    program.post("/admin/rollback", &json!(null));
    assert_eq!(program.post("/predict", record)["prediction"], expected("first"));
    // A server that is gone stops nothing: the model is here.
    drop(server);
    thread::sleep(Duration::from_millis(600));
    assert_eq!(program.post("/predict", record)["prediction"], expected("first"));
}

#[test]
#[ignore = "needs Python 3 with venv"]
fn requests_made_from_the_description_never_break_the_service() {
    let shop = Workshop::new();
    shop.succeed(&format!("train {SHORT} --name a --quiet"));
    let program = Program::start(&shop, "--checkpoint checkpoints/a");
    let described = shop.path("openapi.json");
    std::fs::write(&described, program.get("/openapi.json").to_string()).unwrap();
    let validator = python().with_file_name("openapi-spec-validator");
    let output = std::process::Command::new(validator).arg(&described).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    // One worker: up to Python 3.11 threads that parse Python at the same time spoil a count that they share.
    let output = std::process::Command::new(python().with_file_name("schemathesis"))
        .args(["run", "--max-examples", "40", "--seed", "1", "--no-color", "--workers", "1"])
        .args(["--header", "Authorization: Bearer token", "--generation-database", "none"])
        .args(["--checks", "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"])
        .arg(program.url("/openapi.json"))
        .current_dir(shop.path("."))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    assert!(program.get("/model")["run"] == "a");
}

#[test]
#[ignore = "needs Python 3 with venv, and Chromium"]
fn the_page_works_in_a_browser_for_everybody() {
    let shop = Workshop::new();
    shop.succeed("train --name a --quiet --set model.kind=mlp");
    let program = Program::start(&shop, "--checkpoint checkpoints/a");
    let url = program.url("/");
    script("check_page.py", &[Path::new(&url), &shop.path("data/simulations.csv")]);
}

/// Requests with several rows each, whose answers must all be those of the model that they name.
struct Load<'a> {
    program: &'a Program,
    /// Rows that are asked, and what each model says of them, by the start of its version.
    rows: Vec<Value>,
    expected: Vec<(String, Vec<f64>)>,
    is_over: AtomicBool,
    answers: [AtomicUsize; 2],
}

impl Load<'_> {
    fn ask_until_over(&self) {
        let agent = ureq::Agent::new_with_defaults();
        while !self.is_over.load(Ordering::Relaxed) {
            let request = agent.post(self.program.url("/predict"));
            let mut answer = request.send_json(&self.rows).unwrap();
            self.check(&answer.body_mut().read_json().unwrap());
        }
    }

    fn check(&self, answer: &Value) {
        let version = answer["model_version"].as_str().unwrap();
        let run = version.split('@').next().unwrap();
        let place = self.expected.iter().position(|(own, _)| own == run).unwrap();
        let predictions = answer["predictions"].as_array().unwrap().iter();
        let found: Vec<f64> = predictions.map(|own| own["prediction"].as_f64().unwrap()).collect();
        assert_eq!(found, self.expected[place].1, "{version}");
        self.answers[place].fetch_add(1, Ordering::Relaxed);
    }
}

const CONNECTIONS: usize = 64;
const CHANGES: usize = 20;

#[test]
#[ignore = "takes a minute"]
fn no_request_fails_and_no_answer_mixes_models_while_they_change_under_load() {
    let shop = Workshop::new();
    for (seed, run) in ["a", "b"].into_iter().enumerate() {
        shop.succeed(&format!("train {SHORT} --name {run} --quiet --set train.seed={seed}"));
    }
    let rows = records(&shop.read("data/simulations.csv"))[..5].to_vec();
    let expected = |run: &str| {
        let line = format!("predict --backend cpu --checkpoint checkpoints/{run}");
        let table = shop.succeed(&format!("{line} data/simulations.csv"));
        let cell = |line: &str| line.split(',').nth(1).unwrap().parse::<f64>().unwrap();
        (run.to_owned(), table.lines().skip(1).take(5).map(cell).collect())
    };
    shop.succeed("registry promote a");
    let program = Program::start(&shop, "--champion --set serve.reload=0");
    let load = Load {
        program: &program,
        rows,
        expected: vec![expected("a"), expected("b")],
        is_over: AtomicBool::new(false),
        answers: Default::default(),
    };
    thread::scope(|scope| {
        let askers: Vec<_> =
            (0..CONNECTIONS).map(|_| scope.spawn(|| load.ask_until_over())).collect();
        let began = Instant::now();
        for change in 1..=CHANGES {
            let due = Duration::from_secs(57) * change as u32 / CHANGES as u32;
            thread::sleep(due.saturating_sub(began.elapsed()));
            shop.succeed(&format!("registry promote {}", ["a", "b"][change % 2]));
            let answer = program.post("/admin/reload", &json!(null));
            assert_eq!(answer["changed"], true, "{answer}");
        }
        program.post("/admin/rollback", &json!(null));
        thread::sleep(Duration::from_mins(1).saturating_sub(began.elapsed()));
        load.is_over.store(true, Ordering::Relaxed);
        for asker in askers {
            asker.join().unwrap();
        }
    });
    let answers = load.answers.each_ref().map(|own| own.load(Ordering::Relaxed));
    assert!(answers.iter().all(|own| *own > 1000), "{answers:?}");
    assert_eq!(program.run(), "b");
    let metrics = program.text("/metrics");
    assert!(metrics.contains("massay_reloads_total{outcome=\"reloaded\"} 20\n"), "{metrics}");
    assert!(metrics.contains("massay_reloads_total{outcome=\"rolled_back\"} 1\n"), "{metrics}");
    program.ask_to_stop();
    program.end();
}
