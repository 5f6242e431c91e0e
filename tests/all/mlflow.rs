//! Runs that are told to a real MLflow server, which the tests start, and to servers that fail.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
    mlflow_server::{Server, free_address, numbers},
    support::{SHORT, Workshop},
};

fn assert_alike(found: &[[f64; 3]], expected: &[[f64; 3]]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().flatten().zip(expected.iter().flatten()) {
        assert!((found - expected).abs() <= 1e-5 * expected.abs(), "{found} instead of {expected}");
    }
}

fn train(shop: &Workshop, uri: &str, more: &str) -> String {
    let line = format!("train {SHORT} --name drums --mlflow {uri} {more}");
    let output = shop.run(&line);
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{errors}");
    // Whatever became of the server, the run is whole.
    shop.succeed("verify checkpoints/drums");
    assert!(shop.exists("reports/drums/report.html"));
    errors
}

#[test]
#[ignore = "needs Python 3 with venv"]
fn mlflow_knows_a_run_loads_and_serves_its_model() {
    let (shop, server) = (Workshop::new(), Server::start());
    let said = train(&shop, &server.uri(), "");
    assert!(said.contains("#/experiments/") && said.contains("1 of massay-mass"), "{said}");
    let known = server.known("drums");
    assert_eq!(known["parents"], 1);
    let folds = ["drums fold 0", "drums fold 1", "drums fold 2", "drums fold 3", "drums fold 4"];
    assert_eq!(known["folds"], serde_json::json!(folds));
    assert_eq!(known["statuses"], serde_json::json!(["FINISHED"]));
    assert_eq!(known["params"]["train.epochs"], "12");
    assert_eq!(known["fold_curve"].as_array().unwrap().len(), 12);
    assert_eq!(known["repeated"], 1);
    assert!(known["metrics"]["system/system_memory_usage_percentage"].as_f64().unwrap() > 0.0);
    assert!(known["tags"]["mlflow.note.content"].as_str().unwrap().contains("RMSE"));
    assert_eq!(known["models"], serde_json::json!(["READY"]));
    assert_eq!(known["aliases"], serde_json::json!({"challenger": "1"}));
    let metrics: Value = serde_json::from_str(&shop.read("reports/drums/metrics.json")).unwrap();
    assert_eq!(known["metrics"]["cv/rmse"], metrics["cv"]["rmse"]);
    let files = known["files"].to_string();
    assert!(files.contains("report/report.html") && files.contains("checkpoint/run.json"));
    // One run id and one data hash everywhere.
    let run: Value = serde_json::from_str(&shop.read("checkpoints/drums/run.json")).unwrap();
    assert_eq!(known["tags"]["massay.run_id"], run["run_id"]);
    let manifest: Value =
        serde_json::from_str(&shop.read("checkpoints/drums/manifest.json")).unwrap();
    assert_eq!(known["tags"]["massay.data_sha256"], manifest["data_sha256"]);
    assert!(shop.read("reports/drums/report.html").contains(run["run_id"].as_str().unwrap()));

    assert_eq!(shop.succeed("registry promote drums"), "drums is the champion of massay-mass\n");
    assert_eq!(server.known("drums")["aliases"], serde_json::json!({"champion": "1"}));
    let own = numbers(&shop.succeed("predict --checkpoint checkpoints/drums data/simulations.csv"));
    assert_alike(&server.predict("pyfunc", &shop), &own);
    assert_alike(&server.predict("serve", &shop), &own);

    // A second version, and back again.
    shop.succeed(&format!("train {SHORT} --name second --mlflow {} --quiet", server.uri()));
    shop.succeed("registry promote second");
    assert_eq!(server.known("second")["aliases"], serde_json::json!({"champion": "2"}));
    assert_eq!(shop.succeed("registry rollback"), "drums is the champion of massay-mass again\n");
    assert_eq!(server.known("drums")["aliases"], serde_json::json!({"champion": "1"}));
    let said = shop.succeed(&format!("track push drums --mlflow {}", server.uri()));
    assert!(said.contains("knew everything already"), "{said}");
}

#[test]
#[ignore = "needs Python 3 with venv, and Java"]
fn spark_scores_with_the_champion() {
    let (shop, server) = (Workshop::new(), Server::start());
    train(&shop, &server.uri(), "");
    shop.succeed("registry promote drums");
    let own = numbers(&shop.succeed("predict --checkpoint checkpoints/drums data/simulations.csv"));
    assert_alike(&server.predict("spark", &shop), &own);
}

#[test]
#[ignore = "needs Python 3 with venv"]
fn what_a_dying_server_has_not_got_is_sent_later_and_once() {
    let (shop, server) = (Workshop::new(), Server::start());
    // Dies while files are sent.
    let line = Line::to(server.address, 300_000);
    let said = train(&shop, &line.uri(), "");
    assert!(said.contains("massay track push drums"), "{said}");
    assert_eq!(server.known("drums")["versions"], serde_json::json!([]));
    line.budget.store(usize::MAX, Ordering::SeqCst);
    shop.succeed(&format!("track push drums --mlflow {}", line.uri()));
    let known = server.known("drums");
    // A receipt that is lost, as on another machine, makes nothing twice either.
    std::fs::remove_file(shop.path("checkpoints/drums/mlflow.json")).unwrap();
    shop.succeed(&format!("track push drums --mlflow {}", server.uri()));
    let again = server.known("drums");
    for known in [known, again] {
        assert_eq!((&known["parents"], &known["repeated"]), (&1.into(), &1.into()));
        assert_eq!(known["folds"].as_array().unwrap().len(), 5);
        assert_eq!(known["statuses"], serde_json::json!(["FINISHED"]));
        assert_eq!(known["versions"], serde_json::json!([["1", true]]));
    }
}

#[test]
#[ignore = "needs Python 3 with venv"]
fn points_are_there_before_the_training_is_done() {
    let (shop, server) = (Workshop::new(), Server::start());
    let line = format!(
        "train {SHORT} --name drums --mlflow {} --set train.epochs=100000 --set train.patience=100000",
        server.uri()
    );
    let mut training = shop.command(&line).stderr(Stdio::null()).spawn().unwrap();
    let receipt = shop.path("checkpoints/drums.unfinished/mlflow.json");
    let began = Instant::now();
    let sent = || {
        let text = std::fs::read_to_string(&receipt).unwrap_or_default();
        let receipt: Value = serde_json::from_str(&text).unwrap_or_default();
        receipt["moments"].as_u64().unwrap_or(0)
    };
    while sent() < 100 {
        assert!(began.elapsed() < Duration::from_mins(2), "no points arrive");
        assert!(training.try_wait().unwrap().is_none(), "the training is done already");
        thread::sleep(Duration::from_millis(100));
    }
    let known = server.known("drums");
    training.kill().unwrap();
    training.wait().unwrap();
    assert_eq!(known["statuses"], serde_json::json!(["RUNNING"]));
    assert!(known["fold_metrics"].to_string().contains("loss/train"));
}

#[test]
fn servers_that_fail_cost_a_training_nothing_but_a_warning() {
    let refusing =
        Answering::start("HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n");
    let nobody = free_address();
    for (uri, reason) in [
        (refusing.uri(), "HTTP 500"),
        (format!("http://{nobody}"), "cannot be reached"),
        ("./mlruns".to_owned(), "expected http:// or https://"),
    ] {
        let said = train(&Workshop::new(), &uri, "");
        assert!(said.contains(reason), "{uri}: {said}");
        assert!(said.contains("massay track push"), "{uri}: {said}");
    }
}

#[test]
fn a_server_that_never_answers_does_not_hold_up_the_result() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let uri = format!("http://{}", silent.local_addr().unwrap());
    let began = Instant::now();
    let said = train(&Workshop::new(), &uri, "--quiet");
    assert!(said.contains("does not answer in time"), "{said}");
    assert!(began.elapsed() < Duration::from_mins(1));
}

#[test]
fn credentials_are_sent_and_never_written() {
    let server = Answering::start("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n");
    let shop = Workshop::new();
    let mut command =
        shop.command(&format!("train {SHORT} --name drums --mlflow {}", server.uri()));
    command.env("MLFLOW_TRACKING_TOKEN", "very-secret");
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    assert!(said.contains("MLFLOW_TRACKING_TOKEN is wrong or has expired"), "{said}");
    assert!(server.heard().contains("Bearer very-secret"));
    let uri = server.uri().replace("http://", "http://me:very-secret@");
    shop.succeed(&format!("train {SHORT} --name other --quiet --mlflow {uri}"));
    assert!(server.heard().contains("Basic bWU6dmVyeS1zZWNyZXQ="));
    for folder in ["checkpoints", "reports"] {
        for (name, bytes) in crate::support::contents(&shop.path(folder)) {
            assert!(!String::from_utf8_lossy(&bytes).contains("very-secret"), "{name}");
        }
    }
    let said = shop.fail(&format!("train --set track.mlflow={uri}"));
    assert!(said.contains("MLFLOW_TRACKING_PASSWORD hold them"), "{said}");
}

#[test]
fn pushing_says_what_it_lacks() {
    let shop = Workshop::new();
    let said = shop.fail("track push drums");
    assert!(said.contains("no MLflow server is named"), "{said}");
    let said = shop.fail("track push drums --mlflow http://127.0.0.1:9");
    assert!(said.contains("has no manifest.json"), "{said}");
}

/// A server that answers every request alike.
struct Answering {
    address: SocketAddr,
    heard: Arc<std::sync::Mutex<String>>,
}

impl Answering {
    fn start(answer: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let heard = Arc::new(std::sync::Mutex::new(String::new()));
        let own = Arc::clone(&heard);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut bytes = [0; 4096];
                let count = stream.read(&mut bytes).unwrap_or(0);
                own.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..count]));
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        Self { address, heard }
    }

    fn uri(&self) -> String {
        format!("http://{}", self.address)
    }

    fn heard(&self) -> String {
        self.heard.lock().unwrap().clone()
    }
}

/// A line to a server that is cut once so many bytes have gone through.
struct Line {
    address: SocketAddr,
    budget: Arc<AtomicUsize>,
}

impl Line {
    fn to(server: SocketAddr, budget: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let budget = Arc::new(AtomicUsize::new(budget));
        let own = Arc::clone(&budget);
        thread::spawn(move || {
            for client in listener.incoming() {
                let (client, own) = (client.unwrap(), Arc::clone(&own));
                let Ok(server) = TcpStream::connect(server) else { continue };
                let back = (server.try_clone().unwrap(), client.try_clone().unwrap());
                thread::spawn(move || pass(client, server, Some(&own)));
                thread::spawn(move || pass(back.0, back.1, None));
            }
        });
        Self { address, budget }
    }

    fn uri(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// Passes bytes on until one side closes or the budget is spent.
fn pass(mut from: TcpStream, mut to: TcpStream, budget: Option<&AtomicUsize>) {
    let mut bytes = [0; 8192];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        let left = budget.map_or(usize::MAX, |budget| {
            let spend = |left: usize| Some(left.saturating_sub(count));
            budget.fetch_update(Ordering::SeqCst, Ordering::SeqCst, spend).unwrap()
        });
        if left < count || to.write_all(&bytes[..count]).is_err() {
            break;
        }
    }
    let _ = from.shutdown(std::net::Shutdown::Both);
    let _ = to.shutdown(std::net::Shutdown::Both);
}
