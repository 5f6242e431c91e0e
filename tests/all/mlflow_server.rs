//! A real MLflow server, and what it knows.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
    python::{python, script},
    support::Workshop,
};

/// A real server with a database of its own.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Server {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address = free_address();
        let child = Command::new(python())
            .args(["-m", "mlflow", "server", "--host", "127.0.0.1", "--workers", "1"])
            .args(["--port", &address.port().to_string()])
            .args(["--backend-store-uri", "sqlite:///mlflow.db"])
            .args(["--artifacts-destination", "artifacts"])
            .env("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "false")
            .env("PATH", path_with_python())
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .unwrap();
        let server = Self { child, address, _folder: folder };
        let began = Instant::now();
        while !server.answers() {
            assert!(began.elapsed() < Duration::from_mins(3), "the MLflow server does not start");
            thread::sleep(Duration::from_millis(200));
        }
        server
    }

    fn answers(&self) -> bool {
        let Ok(mut stream) = TcpStream::connect(self.address) else { return false };
        let request = "GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        let mut answer = String::new();
        stream.write_all(request.as_bytes()).unwrap();
        stream.read_to_string(&mut answer).is_ok() && answer.contains("200 OK")
    }

    pub(crate) fn uri(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What the server knows of a run.
    pub(crate) fn known(&self, run: &str) -> Value {
        let answer = script("mlflow_run.py", &[Path::new(&self.uri()), Path::new(run)]);
        serde_json::from_str(&answer).unwrap()
    }

    /// Columns `prediction`, `lower` and `upper` of the champion for a table.
    pub(crate) fn predict(&self, way: &str, shop: &Workshop) -> Vec<[f64; 3]> {
        let out = shop.path("answers.csv");
        let table = shop.path("data/simulations.csv");
        script("mlflow_predict.py", &[Path::new(&self.uri()), Path::new(way), &table, &out]);
        numbers(&std::fs::read_to_string(out).unwrap())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The whole group: the server starts workers.
        let group = format!("-{}", self.child.id());
        let _ = Command::new("kill").args(["-9", "--", &group]).status();
        let _ = self.child.wait();
    }
}

pub(crate) fn path_with_python() -> String {
    let python = python();
    format!("{}:{}", python.parent().unwrap().display(), std::env::var("PATH").unwrap())
}

pub(crate) fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// The columns of answers in CSV.
pub(crate) fn numbers(csv: &str) -> Vec<[f64; 3]> {
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let header = reader.headers().unwrap().clone();
    let places = ["prediction", "lower", "upper"]
        .map(|name| header.iter().position(|column| column == name).unwrap());
    reader
        .records()
        .map(|row| places.map(|place| row.as_ref().unwrap()[place].parse().unwrap()))
        .collect()
}
