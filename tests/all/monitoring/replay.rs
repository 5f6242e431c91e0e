//! What is seen in replayed logs: each planted drift in its window, and no drift where there is none.

use massay::monitor::{AlarmKind, MonitorReport, Watched};

use super::plant::{Plant, QUICK, simulated};
use crate::support::Workshop;

const ROWS: usize = 5000;
const WINDOW: usize = 200;

/// The window in which a drift begins.
const BEGINS: usize = 13;

fn plant(shop: &Workshop) -> Plant {
    Plant::new(shop, &format!("train {QUICK} --force"), ROWS)
}

/// The first window with an alarm of drift, and the column that it names.
fn first(report: &MonitorReport) -> Option<(usize, String)> {
    let alarm = report.alarms.iter().find(|alarm| alarm.kind == AlarmKind::Drift)?;
    Some((alarm.window.unwrap(), alarm.column.clone()))
}

#[test]
fn a_dead_detector_is_named_in_its_first_window() {
    let shop = Workshop::new();
    let mut plant = plant(&shop);
    for (row, _) in &mut plant.drums[(BEGINS - 1) * WINDOW..] {
        row[6] = 0.0;
    }
    let report = plant.observe(&plant.served(&plant.drums), false);
    assert_eq!((report.windows.len(), report.open), (ROWS / WINDOW, 0));
    assert_eq!(first(&report), Some((BEGINS, "det7".to_owned())), "{:?}", report.alarms);
    let window = &report.windows[BEGINS - 1];
    let own = window.comparison(Watched::Column, "det7").unwrap();
    assert!(own.drifted && own.outside == 1.0 && own.median == 0.0);
    // Where there is little mass, nothing is close to what a detector should see.
    assert!(window.out_of_domain > 0.5, "{}", window.out_of_domain);
}

#[test]
fn a_gain_that_drifts_by_a_fifth_is_named_soon_though_its_values_are_ordinary() {
    let shop = Workshop::new();
    for (detector, gain) in [(2, 0.8), (11, 1.2)] {
        let mut plant = plant(&shop);
        for (row, _) in &mut plant.drums[(BEGINS - 1) * WINDOW..] {
            row[detector] *= gain;
        }
        let report = plant.observe(&plant.served(&plant.drums), false);
        let (window, column) = first(&report).unwrap();
        assert_eq!(column, format!("det{}", detector + 1), "{:?}", report.alarms[0]);
        assert!((BEGINS..BEGINS + 3).contains(&window), "window {window}");
        // Its own values, by themselves, do not tell.
        let own = &report.windows[window - 1];
        assert!(!own.comparison(Watched::Column, &column).unwrap().drifted);
        let sentence = &report.alarms[0].message;
        let way = if gain < 1.0 { "% below" } else { "% above" };
        assert!(sentence.contains(way), "{sentence}");
    }
}

#[test]
fn a_column_that_is_gone_is_named_once_and_first() {
    let shop = Workshop::new();
    let plant = Plant::new(&shop, &format!("train {QUICK} --set clean.missing=median"), 900);
    let mut drums = plant.drums.clone();
    drums[300..].iter_mut().for_each(|(row, _)| row[4] = f64::NAN);
    let report = plant.observe(&plant.served(&drums), false);
    let [alarm] = &report.alarms[..] else { panic!("{:?}", report.alarms) };
    assert_eq!((alarm.window, alarm.column.as_str()), (Some(2), "det5"));
    assert!(alarm.message.starts_with("det5 is missing in"), "{}", alarm.message);
}

#[test]
fn fillings_of_a_new_density_are_seen() {
    let shop = Workshop::new();
    let mut plant = plant(&shop);
    let from = (BEGINS - 1) * WINDOW;
    let dense = simulated(&shop, ROWS, "--density 2");
    plant.drums.splice(from.., dense[from..].iter().cloned());
    let report = plant.observe(&plant.served(&plant.drums), false);
    let (window, _) = first(&report).unwrap();
    assert_eq!(window, BEGINS, "{:?}", report.alarms);
    let own = &report.windows[window - 1];
    // Dense fillings hold back what every detector sees, so all columns and the prediction say so.
    let columns = own.drifted().filter(|own| own.watched == Watched::Column).count();
    assert_eq!(columns, 15, "{:?}", own.comparisons);
    assert!(own.comparison(Watched::Prediction, "").unwrap().drifted);
}

#[test]
fn a_gain_of_all_detectors_is_seen_by_true_values_only() {
    let shop = Workshop::new();
    let mut plant = plant(&shop);
    for (row, _) in &mut plant.drums[2000..] {
        for value in row {
            *value *= 0.6;
        }
    }
    let rows = plant.served(&plant.drums);
    let with = plant.observe(&rows, true);
    let alarm = with.alarms.iter().find(|alarm| alarm.kind == AlarmKind::Coverage).unwrap();
    assert!(alarm.time >= 2_000_000, "{alarm:?}");
    let scores = |window: usize| &with.performance.windows[window].scores;
    assert!(scores(20).bias < 2.0 * scores(2).bias.min(0.0) - 1.0, "{:?}", scores(20));
}

#[test]
fn a_plant_without_drift_raises_no_alarm_and_its_error_is_estimated() {
    let shop = Workshop::new();
    let plant = plant(&shop);
    let report = plant.observe(&plant.served(&plant.drums), true);
    assert_eq!(report.alarms, []);
    let scores = report.performance.scores.unwrap();
    assert_eq!(scores.rows, ROWS);
    let expected = report.expected.unwrap().estimate;
    assert!((0.5..2.0).contains(&(expected / scores.mae)), "{expected} {}", scores.mae);
}

/// Clean plants, each with a model of its own.
const PLANTS: usize = 200;

#[test]
#[ignore = "takes two minutes"]
fn clean_plants_raise_alarms_no_more_often_than_stated() {
    let shop = Workshop::new();
    let mut alarmed = 0;
    for plant in 0..PLANTS {
        // Another array, other drums, another reference: streams of one model are no independent witnesses.
        let seed = 100 + plant;
        shop.succeed(&format!("simulate --seed {seed} --out data/simulations.csv --force"));
        let mut plant = Plant::new(&shop, &format!("train {QUICK} --force"), 1);
        plant.drums = simulated(&shop, 2000, &format!("--seed {seed}"));
        let report = plant.observe(&plant.served(&plant.drums), false);
        alarmed += usize::from(first(&report).is_some());
    }
    println!("{alarmed} of {PLANTS} clean plants raised an alarm");
    // 5 % are allowed: 10 of them, and three standard errors.
    assert!(alarmed <= 19, "{alarmed} of {PLANTS} clean plants");
}
