//! A simulated plant: drums that a model has not seen, measured by the detectors that it was trained with.

use massay::{
    model::{Backend, BackendKind},
    monitor::{KnownTruths, LoggedRow, ModelMonitor, MonitorConfig, MonitorReport, WatchedModel},
    train::Checkpoint,
};

pub(super) use crate::support::QUICK_MODEL as QUICK;
use crate::support::Workshop;

/// A model and a stream of drums.
pub(super) struct Plant {
    checkpoint: Checkpoint,
    /// Raw rows and true masses of drums that the model has not seen.
    pub(super) drums: Vec<(Vec<f64>, f64)>,
}

impl Plant {
    /// Trains on `train` drums and simulates `drums` more, of a certain density where one is given.
    pub(super) fn new(shop: &Workshop, train: &str, drums: usize) -> Self {
        shop.succeed(&format!("{train} --name plant --quiet"));
        let checkpoint = Checkpoint::read(&shop.path("checkpoints/plant")).unwrap();
        Self { checkpoint, drums: simulated(shop, drums, "") }
    }

    /// The drums as the service logs them, one of them each second.
    pub(super) fn served(&self, drums: &[(Vec<f64>, f64)]) -> Vec<LoggedRow> {
        let predictor = self.checkpoint.predictor(&Backend::select(BackendKind::Cpu).unwrap());
        let raw: Vec<f64> = drums.iter().flat_map(|(row, _)| row.iter().copied()).collect();
        let predictions = predictor.predict(&raw);
        let row = |(place, ((inputs, mass), own)): (usize, (&(Vec<f64>, f64), _))| {
            let own: massay::model::Prediction = own;
            LoggedRow {
                id: place as i64 + 1,
                time: 1000 * place as i64,
                request_id: format!("r{place}"),
                position: 0,
                model: "plant".to_owned(),
                container: None,
                inputs: inputs.clone(),
                prediction: own.value,
                lower: own.lower,
                upper: own.upper,
                out_of_domain: own.is_out_of_domain(),
                columns_at_fault: String::new(),
                truth: Some(*mass),
                truth_time: Some(1000 * place as i64),
                corrected: None,
            }
        };
        drums.iter().zip(predictions).enumerate().map(row).collect()
    }

    /// What a monitor says of rows, with or without their true masses.
    pub(super) fn observe(&self, rows: &[LoggedRow], labelled: bool) -> MonitorReport {
        let manifest = &self.checkpoint.manifest;
        let model = WatchedModel {
            version: "plant".to_owned(),
            target: manifest.schema.target.clone(),
            unit: manifest.schema.unit.clone(),
            level: manifest.calibration.level,
            logarithmic: manifest.domain.is_logarithmic(),
        };
        let known = (&self.checkpoint.reference, &manifest.schema.features[..], &manifest.domain);
        let mut monitor = ModelMonitor::new(model, known, &MonitorConfig::default());
        monitor.add(rows.to_vec());
        let known = if labelled { rows } else { &[] };
        let truths = KnownTruths { count: known.len() as i64, ..KnownTruths::default() };
        monitor.learn(known);
        monitor.judge(0, truths, i64::MIN);
        monitor.report(0)
    }
}

/// Drums behind those of the shipped table: the same detectors, other contents.
pub(super) fn simulated(shop: &Workshop, drums: usize, options: &str) -> Vec<(Vec<f64>, f64)> {
    const SHIPPED: usize = 84;
    let containers = SHIPPED + drums;
    shop.succeed(&format!("simulate --containers {containers} --out drums.csv --force {options}"));
    let table = shop.read("drums.csv");
    let row = |line: &str| {
        let mut cells = line.split(',').skip(1).map(|cell| cell.parse::<f64>().unwrap());
        let mass = cells.next().unwrap();
        (cells.collect(), mass)
    };
    table.lines().skip(1 + SHIPPED).map(row).collect()
}

/// Some drums as a table with their masses.
pub(super) fn labelled(drums: &[(Vec<f64>, f64)], chosen: std::ops::Range<usize>) -> String {
    let header: Vec<String> = (1..=15).map(|column| format!("det{column}")).collect();
    let mut text = format!("container,mass,{}\n", header.join(","));
    for (place, (row, mass)) in drums.iter().enumerate().take(chosen.end).skip(chosen.start) {
        let cells: Vec<String> = row.iter().map(f64::to_string).collect();
        text += &format!("N{place},{mass},{}\n", cells.join(","));
    }
    text
}
