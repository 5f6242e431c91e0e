//! A service without a socket, and what it answers.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Request},
};
use massay::{
    model::{Backend, BackendKind},
    serve::{
        Access, ModelIdentity, ModelSlot, ModelSource, ServeConfig, ServedModel, Service,
        SourceError, router,
    },
    train::{Checkpoint, Manifest},
};
use serde_json::{Map, Value, json};
use tokio::runtime::Runtime;
use tower::ServiceExt;

use crate::support::{SHORT, Workshop};

/// A source whose folder the test changes.
struct Changing(Arc<Mutex<PathBuf>>);

impl Changing {
    fn folder(&self) -> PathBuf {
        self.0.lock().unwrap().clone()
    }
}

impl ModelSource for Changing {
    fn wanted(&self) -> Result<String, SourceError> {
        Ok(Manifest::checksum(&self.folder())?)
    }

    fn load(&self) -> Result<ServedModel, SourceError> {
        let folder = self.folder();
        let run = folder.file_name().unwrap().to_string_lossy().into_owned();
        let checksum = Manifest::checksum(&folder)?;
        let identity =
            ModelIdentity { model: "massay-mass".into(), run, run_id: String::new(), checksum };
        let backend = Backend::select(BackendKind::Cpu)?;
        Ok(ServedModel::new(identity, Checkpoint::read(&folder)?, &backend))
    }

    fn former(&self) -> Result<Option<ServedModel>, SourceError> {
        Ok(None)
    }

    fn roll_back(&self) -> Result<(), SourceError> {
        Ok(())
    }
}

/// What the service said.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
}

impl Answer {
    /// The answer, which must be JSON as the standard has it: there a bare `NaN` is none.
    pub(super) fn json(&self) -> Value {
        let parsed = serde_json::from_str(&self.text);
        assert!(parsed.is_ok(), "not JSON: {}", self.text);
        parsed.unwrap()
    }
}

/// A service with a model trained for the test.
pub(super) struct Counter {
    pub(super) shop: Workshop,
    pub(super) service: Arc<Service>,
    folder: Arc<Mutex<PathBuf>>,
    router: Router,
    runtime: Runtime,
}

impl Counter {
    pub(super) fn open() -> Self {
        Self::with(ServeConfig::default(), Access::default(), "")
    }

    /// Opens with limits, keys and further settings of the training.
    pub(super) fn with(config: ServeConfig, access: Access, settings: &str) -> Self {
        let shop = Workshop::new();
        shop.succeed(&format!("train --name a --quiet {SHORT} {settings}"));
        let folder = Arc::new(Mutex::new(shop.path("checkpoints/a")));
        let slot = ModelSlot::open(Box::new(Changing(Arc::clone(&folder)))).unwrap();
        let service = Arc::new(Service::new(slot, config, access));
        let router = router(Arc::clone(&service));
        let runtime = Runtime::new().unwrap();
        Self { shop, service, folder, router, runtime }
    }

    /// From now on the model of another folder is wanted.
    pub(super) fn want(&self, folder: &Path) {
        folder.clone_into(&mut self.folder.lock().unwrap());
    }

    pub(super) fn send(&self, request: Request<Body>) -> Answer {
        self.runtime.block_on(async {
            let response = self.router.clone().oneshot(request).await.unwrap();
            let (parts, body) = response.into_parts();
            let bytes = to_bytes(body, usize::MAX).await.unwrap();
            let text = String::from_utf8(bytes.to_vec()).unwrap();
            Answer { status: parts.status.as_u16(), headers: parts.headers, text }
        })
    }

    pub(super) fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).unwrap())
    }

    pub(super) fn post(&self, path: &str, kind: &str, body: impl Into<Body>) -> Answer {
        let request = Request::post(path).header("content-type", kind).body(body.into());
        self.send(request.unwrap())
    }

    pub(super) fn post_json(&self, path: &str, body: &Value) -> Answer {
        self.post(path, "application/json", body.to_string())
    }

    /// What `massay predict` writes for the shipped table: prediction, lower and upper bound, flag.
    pub(super) fn predicted(&self) -> Vec<(f64, f64, f64, bool)> {
        let line = "predict --backend cpu --checkpoint checkpoints/a data/simulations.csv";
        let table = self.shop.succeed(line);
        let mut lines = table.lines();
        let header: Vec<&str> = lines.next().unwrap().split(',').collect();
        let place = |name: &str| header.iter().position(|own| *own == name).unwrap();
        let places = ["prediction", "lower", "upper"].map(place);
        let flag = place("out_of_domain");
        let row = |line: &str| {
            let cells: Vec<&str> = line.split(',').collect();
            let [value, lower, upper] = places.map(|place| cells[place].parse().unwrap());
            (value, lower, upper, cells[flag] == "true")
        };
        lines.map(row).collect()
    }

    /// The rows of the shipped table as records.
    pub(super) fn records(&self) -> Vec<Value> {
        records(&self.shop.read("data/simulations.csv"))
    }
}

/// The detectors' columns of a table, row by row.
pub(crate) fn records(table: &str) -> Vec<Value> {
    let mut lines = table.lines();
    let header: Vec<&str> = lines.next().unwrap().split(',').collect();
    let record = |line: &str| {
        let cells = header.iter().zip(line.split(','));
        let own = cells.filter(|(name, _)| name.starts_with("det"));
        Value::Object(own.map(|(name, cell)| ((*name).to_owned(), number(cell))).collect())
    };
    lines.map(record).collect()
}

fn number(cell: &str) -> Value {
    json!(cell.parse::<f64>().unwrap())
}

/// The values of a record in the order of the model's columns.
pub(super) fn values(record: &Value) -> Vec<Value> {
    (1..=15).map(|detector| record[format!("det{detector}")].clone()).collect()
}

/// A record with one value replaced; `None` takes the column away.
pub(super) fn altered(record: &Value, column: &str, value: Option<Value>) -> Value {
    let mut own: Map<String, Value> = record.as_object().unwrap().clone();
    match value {
        Some(value) => own.insert(column.to_owned(), value),
        None => own.remove(column),
    };
    Value::Object(own)
}
