//! Searches for parameters.

use std::{thread::sleep, time::Duration};

use serde_json::Value;

use crate::support::{SHORT, Workshop, dataset};

/// Twelve trials of three parameters, two of which can be members of one stack.
const SEARCH: &str = "--set tune.trials=12 --set tune.space.model.hidden=[[4],[8]] \
    --set tune.space.model.dropout={low=0.0,high=0.4} \
    --set tune.space.train.learning_rate={low=0.0005,high=0.05,log=true}";

fn tuning(workshop: &Workshop, name: &str) -> Value {
    serde_json::from_str(&workshop.read(&format!("reports/{name}/tuning.json"))).unwrap()
}

/// What a search finds, without when and how long.
fn found(workshop: &Workshop, name: &str) -> [String; 3] {
    let mut report = tuning(workshop, name);
    report["name"] = Value::Null;
    report["provenance"] = Value::Null;
    let file = workshop.read(&format!("reports/{name}/params.toml"));
    let (_, parameters) = file.split_once('\n').unwrap();
    let trials = workshop.read(&format!("reports/{name}/trials.csv"));
    [report.to_string(), parameters.to_owned(), trials]
}

/// A table of a smooth function of two columns, one row per group.
fn smooth_table(workshop: &Workshop, rows: usize) {
    let data = dataset(rows, 2, 1, 5);
    let mut text = "x0,x1,y\n".to_owned();
    for (row, target) in data.target.iter().enumerate() {
        text += &format!("{},{},{target}\n", data.features[0][row], data.features[1][row]);
    }
    workshop.write("smooth.csv", text);
}

#[test]
fn a_search_mends_bad_parameters_and_its_file_trains_with_the_good_ones() {
    let workshop = Workshop::new();
    smooth_table(&workshop, 150);
    let text = workshop.succeed(&format!(
        "tune --data smooth.csv --target y --name s {SHORT} --set features=raw \
         --set train.epochs=60 --set train.learning_rate=0.000001 {SEARCH}"
    ));
    assert!(text.contains("Tuning helps"), "{text}");
    let report = tuning(&workshop, "s");
    let rmse = |model: &str| {
        let entries = report["board"]["entries"].as_array().unwrap();
        let own = entries.iter().find(|entry| entry["model"] == model).unwrap();
        own["rmse"].as_f64().unwrap()
    };
    assert!(rmse("tuned") < 0.8 * rmse("untuned"), "{text}");
    assert!(rmse("tuned") < 0.8 * rmse("mean"), "{text}");
    // Each rung thins out the trials; the parameters as they stand stay to compare with.
    assert_eq!(report["rungs"].to_string(), "[[12,1],[2,2]]");
    let trials = report["trials"].as_array().unwrap();
    let finalists = trials.iter().filter(|trial| trial["rung"] == 1).count();
    assert_eq!((trials.len(), finalists), (12, 3));
    let metrics = workshop.succeed("train --params reports/s/params.toml --name t --json");
    let metrics: Value = serde_json::from_str(&metrics).unwrap();
    let trained = metrics["cv"]["rmse"].as_f64().unwrap();
    // The file brings one trial to all folds; in the search each fold had its own winner.
    assert!((trained / rmse("tuned") - 1.0).abs() < 0.25, "{trained} {text}");
}

#[test]
fn trials_on_the_last_rung_are_what_training_gives() {
    let workshop = Workshop::new();
    // Fewer trials than go on: one rung, all networks.
    let search = "--set tune.trials=2 --set tune.space.train.learning_rate=[0.01]";
    workshop.succeed(&format!("tune --name s --quiet {SHORT} {search}"));
    workshop.succeed(&format!("train --name t --quiet {SHORT}"));
    let report = tuning(&workshop, "s");
    let entries = report["board"]["entries"].as_array().unwrap();
    let untuned = entries.iter().find(|entry| entry["model"] == "untuned").unwrap();
    let metrics: Value = serde_json::from_str(&workshop.read("reports/t/metrics.json")).unwrap();
    let (own, trained) = (untuned["rmse"].as_f64(), metrics["cv"]["rmse"].as_f64());
    // Sums are cut elsewhere, because the search has one split of all rows besides.
    assert!((own.unwrap() / trained.unwrap() - 1.0).abs() < 1e-3, "{own:?} {trained:?}");
}

#[test]
fn a_killed_search_goes_on_to_the_same_end_on_any_number_of_threads() {
    let workshop = Workshop::new();
    let line = format!("tune --quiet {SHORT} {SEARCH}");
    let mut whole = workshop.command(&format!("{line} --name whole"));
    assert!(whole.env("RAYON_NUM_THREADS", "1").status().unwrap().success());
    let mut child = workshop.command(&format!("{line} --name killed")).spawn().unwrap();
    let state = "checkpoints/killed.tuning";
    while !workshop.exists(&format!("{state}/rung-0/state-0-0-0.safetensors"))
        && child.try_wait().unwrap().is_none()
    {
        sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(workshop.exists(state), "it was killed too late");
    let refused = workshop.fail(&format!("{line} --name killed"));
    assert!(refused.contains("--resume --name killed"), "{refused}");
    assert!(workshop.fail("train --resume").contains("no unfinished run"));
    workshop.succeed("tune --resume --quiet");
    assert_eq!(found(&workshop, "whole"), found(&workshop, "killed"));
    assert!(!workshop.exists(state));
}

#[test]
fn the_search_of_a_fold_does_not_see_what_the_fold_holds_out() {
    let workshop = Workshop::new();
    smooth_table(&workshop, 90);
    workshop.write("folds.csv", format!("fold\n{}", "0\n1\n2\n".repeat(30)));
    let plain = format!("--target y --fold-file folds.csv --quiet {SHORT} --set features=raw");
    workshop.succeed(&format!("tune --data smooth.csv --name a {plain} {SEARCH}"));
    let text = workshop.read("smooth.csv");
    let changed = |(number, line): (usize, &str)| match line.rsplit_once(',') {
        Some((features, _)) if number % 3 == 1 => format!("{features},{}\n", 40 + number),
        _ => format!("{line}\n"),
    };
    // Line 0 is the header: rows 0, 3, 6, ... are those of fold 0.
    let changed: String = text.lines().enumerate().map(changed).collect();
    workshop.write("changed.csv", changed);
    workshop.succeed(&format!("tune --data changed.csv --name b {plain} {SEARCH}"));
    let (before, after) = (tuning(&workshop, "a"), tuning(&workshop, "b"));
    assert_eq!(before["folds"][0], after["folds"][0]);
    assert_ne!(before["folds"][1], after["folds"][1]);
}

#[test]
fn a_trial_that_diverges_loses_and_the_others_go_on() {
    let workshop = Workshop::new();
    // Such a decay at such a rate multiplies every weight by -9 in each step.
    let wild = "--set train.weight_decay=10 --set tune.trials=3 \
                --set tune.space.train.learning_rate=[0.01,1.0] --set train.schedule=constant";
    workshop.succeed(&format!("tune --name s --quiet {SHORT} {wild}"));
    let report = tuning(&workshop, "s");
    let trials = report["trials"].as_array().unwrap();
    let diverged: Vec<bool> = trials.iter().map(|trial| trial["rmse"].is_null()).collect();
    let wild: Vec<bool> = trials.iter().map(|trial| trial["values"][0] == 1.0).collect();
    assert_eq!(diverged, wild, "{report}");
    let winner = report["winner"].as_u64().unwrap() as usize;
    assert!(wild.contains(&true) && !wild[winner], "{report}");
    let alone = workshop.fail(&format!(
        "train {SHORT} --set train.weight_decay=10 --set train.learning_rate=1 \
         --set train.schedule=constant"
    ));
    assert!(alone.contains("diverged"), "{alone}");
}

#[test]
fn searches_that_cannot_be_are_refused_before_anything_is_written() {
    let workshop = Workshop::new();
    let seed = workshop.fail("tune --set tune.space.train.seed=[1,2]");
    assert!(seed.contains("tune.space") && seed.contains("train.seed"), "{seed}");
    let empty = workshop.fail("tune --set tune.space.train.epochs={low=3}");
    assert!(empty.contains("expected a range such as"), "{empty}");
    let trials = workshop.fail("tune --trials 1");
    assert!(trials.contains("`tune.trials` = 1, expected 2 to 1000"), "{trials}");
    let choice = workshop.fail("tune --set tune.space.model.embedding=[\"fourier\"]");
    assert!(choice.contains("fourier") && choice.contains("piecewise"), "{choice}");
    assert!(!workshop.exists("reports") && !workshop.exists("checkpoints"));
    workshop.write("tiny.csv", "x,y\n1,2\n2,3\n3,5\n4,4\n5,6\n6,8\n7,7\n8,9\n9,9\n10,12\n");
    let tiny = workshop.fail(&format!(
        "tune --data tiny.csv --target y {SHORT} --set cv.folds=2 --set interval.level=0.5 {SEARCH} \
         --set features=raw"
    ));
    assert!(tiny.contains("no trial could be judged"), "{tiny}");
}
