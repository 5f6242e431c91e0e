//! Reports that are written again, grow by training again, stand side by side, and work in a browser.

use std::path::Path;

use serde_json::Value;

use crate::{
    python::script,
    support::{QUICK_MODEL, Workshop},
};

fn trained(names: &[&str]) -> Workshop {
    let shop = Workshop::new();
    for (seed, name) in names.iter().enumerate() {
        shop.succeed(&format!("train {QUICK_MODEL} --name {name} --quiet --set train.seed={seed}"));
    }
    shop
}

fn json(shop: &Workshop, name: &str) -> Value {
    serde_json::from_str(&shop.read(name)).unwrap()
}

#[test]
fn a_report_is_written_again_as_it_was() {
    let shop = trained(&["a"]);
    let files = ["report.html", "report.md", "report.json", "metrics.json", "figures/effects.svg"];
    let read = || files.map(|name| shop.read(&format!("reports/a/{name}")));
    let before = read();
    // What it was trained on is not needed.
    std::fs::remove_file(shop.path("data/simulations.csv")).unwrap();
    let said = shop.succeed("report --name a");
    assert_eq!(said, "report reports/a/report.html\n");
    for (before, (after, name)) in before.iter().zip(read().iter().zip(files)) {
        assert!(before == after, "{name} has changed");
    }
    assert!(!shop.exists("reports/.a.draft"));
}

#[test]
fn a_report_that_is_written_again_knows_the_runs_that_came_after_it() {
    let shop = trained(&["first", "second"]);
    assert!(!shop.read("reports/first/report.html").contains("second"));
    shop.succeed("registry promote second");
    shop.succeed("report --name first --quiet");
    let page = shop.read("reports/first/report.html");
    assert!(page.contains("second became the champion") && page.contains("figure-trend"));
}

#[test]
fn a_report_without_its_checkpoint_lacks_the_panel_and_no_more() {
    let shop = trained(&["a"]);
    assert!(shop.read("reports/a/report.html").contains("id=\"what-if-panel\""));
    std::fs::remove_dir_all(shop.path("checkpoints/a")).unwrap();
    shop.succeed("report --name a");
    let page = shop.read("reports/a/report.html");
    assert!(!page.contains("id=\"what-if-panel\"") && page.contains("figure-effects"));
    let said = shop.fail("report --name a --retrain");
    assert!(said.contains("no checkpoint to train like"), "{said}");
}

#[test]
fn a_registry_that_cannot_be_read_costs_no_training_its_result() {
    let shop = trained(&["a"]);
    shop.write("checkpoints/registry.json", "{");
    let output = shop.run(&format!("train {QUICK_MODEL} --name b --quiet"));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && said.contains("lacks the runs before"), "{said}");
    assert!(shop.exists("checkpoints/b/manifest.json") && shop.exists("reports/b/report.html"));
}

#[test]
fn groups_that_stand_in_two_blocks_of_time_leave_every_interval_bounded() {
    let shop = Workshop::new();
    let table = shop.read("data/simulations.csv");
    let lines = table.lines().enumerate();
    // Batches of five in blocks of other sizes: outside of a fold stand whole batches and parts of others.
    let more = lines.map(|(row, line)| match row {
        0 => format!("{line},time,batch\n"),
        _ => format!("{line},{row},B{}\n", row / 5),
    });
    shop.write("data/simulations.csv", more.collect::<String>());
    let line = "--set cv.order_column=time --set data.group=batch";
    shop.succeed(&format!("train {QUICK_MODEL} --name a --quiet {line}"));
    assert!(!shop.read("reports/a/predictions.csv").contains("inf"));
    shop.succeed("report --name a --quiet");
}

#[test]
fn a_report_of_no_run_is_refused_with_the_nearest_name() {
    let shop = trained(&["drums"]);
    let said = shop.fail("report --name drum");
    assert!(said.contains("there is no report of this run") && said.contains("`drums`"), "{said}");
    assert!(shop.fail("report").contains("--name"));
}

#[test]
fn training_again_tells_of_every_detector_and_of_the_number_of_containers() {
    let shop = trained(&["a"]);
    shop.copy("data/schema.toml");
    shop.succeed("report --name a --retrain --quiet");
    let found = json(&shop, "reports/a/report.json")["retraining"].clone();
    let dropped = found["dropped"].as_array().unwrap();
    assert_eq!(dropped.len(), 15 + 3, "each detector, and each ring of them");
    let ring = dropped.iter().find(|own| own["set"]["columns"].as_array().unwrap().len() == 5);
    assert!(ring.unwrap()["set"]["name"].as_str().unwrap().starts_with("ring "));
    let curve = found["curve"].as_array().unwrap();
    let of =
        |key: &str| -> Vec<f64> { curve.iter().map(|own| own[key].as_f64().unwrap()).collect() };
    assert!(curve.len() == 5 && of("groups").windows(2).all(|pair| pair[0] < pair[1]));
    assert!(
        of("rmse")[0] > of("rmse")[4],
        "a fifth of the containers is too few: {:?}",
        of("rmse")
    );
    // With every column and every container it is the run itself.
    let own = json(&shop, "reports/a/metrics.json")["cv"]["rmse"].as_f64().unwrap();
    assert!((found["rmse"].as_f64().unwrap() - own).abs() < 1e-9 * own);
    let page = shop.read("reports/a/report.html");
    assert!(page.contains("figure-learning_curve") && page.contains("Trained without a column"));
    // What was found stays when the report is written once more.
    shop.succeed("report --name a --quiet");
    assert_eq!(json(&shop, "reports/a/report.json")["retraining"], found);
}

#[test]
fn a_table_that_has_changed_is_not_trained_on_again() {
    let shop = trained(&["a"]);
    let before = shop.read("reports/a/report.html");
    let table = shop.read("data/simulations.csv");
    shop.write("data/simulations.csv", table.replacen('1', "2", 1));
    let said = shop.fail("report --name a --retrain");
    assert!(said.contains("the table that the model was trained on"), "{said}");
    shop.write("other.csv", table);
    shop.succeed("report --name a --retrain --data other.csv --quiet");
    assert_ne!(shop.read("reports/a/report.html"), before);
}

#[test]
fn runs_stand_side_by_side_with_their_paired_difference() {
    let shop = trained(&["a", "b"]);
    let said = shop.succeed("report --compare a b");
    assert!(said.contains("RMSE") && shop.exists("reports/compare-a-b/report.html"), "{said}");
    let printed = shop.succeed("report --compare a b --json --out side");
    assert_eq!(
        serde_json::from_str::<Value>(&printed).unwrap(),
        json(&shop, "side/comparison.json")
    );
    let said = shop.fail("report --compare a c");
    assert!(said.contains('c') && said.contains("hint"), "{said}");
}

#[test]
#[ignore = "needs Python 3 with venv, and Chromium"]
fn the_report_works_in_a_browser_and_its_panel_answers_as_the_program_does() {
    let shop = Workshop::new();
    shop.copy("data/schema.toml");
    let program = Path::new(env!("CARGO_BIN_EXE_massay"));
    let models =
        [("usual", ""), ("trees", "--set model.kind=boosting"), ("tree", "--set model.kind=tree")];
    for (name, model) in models {
        shop.succeed(&format!("train --name {name} --quiet {model} --set cv.leakage_check=false"));
        let page = shop.path(&format!("reports/{name}/report.html"));
        script("check_report.py", &[&page, &shop.path(&format!("checkpoints/{name}")), program]);
    }
}
