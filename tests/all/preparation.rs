//! Cleaning, features and the leakage guard, seen from the program.

use std::fmt::Write as _;

use massay::data::Generator;
use serde_json::Value;

use crate::support::{SHORT, Workshop};

/// A table of 60 rows in 30 groups: y depends on a and b, c is noise.
fn table(change: impl Fn(usize, &mut [String])) -> String {
    let mut generator = Generator::new(12, &[]);
    let mut text = "id,y,a,b,c\n".to_owned();
    for row in 0..60 {
        let [a, b, c] = [generator.normal(), generator.exponential(), generator.normal()];
        let y = a + b + 0.1 * generator.normal();
        let mut cells = vec![format!("g{}", row / 2), format!("{y:.6}")];
        cells.extend([a, b, c].map(|value| format!("{value:.6}")));
        change(row, &mut cells);
        writeln!(text, "{}", cells.join(",")).unwrap();
    }
    text
}

fn folds() -> String {
    let lines = (0..60).map(|row| format!("{}\n", row / 2 % 3));
    format!("fold\n{}", lines.collect::<String>())
}

fn json(workshop: &Workshop, name: &str) -> Value {
    serde_json::from_str(&workshop.read(name)).unwrap()
}

const TRAIN: &str = "train --data t.csv --target y --group id --set target.minimum=-inf \
                     --set target.transform=none --set interval.level=0.8 --quiet";

#[test]
fn held_out_rows_change_nothing_that_their_fold_was_fitted_to() {
    let workshop = Workshop::new();
    workshop.write("folds.csv", folds());
    let line = format!(
        "{TRAIN} {SHORT} --fold-file folds.csv --set clean.missing=median --set clean.clip=3 --set \
         clean.duplicates=drop --set features.set=[\"raw\",\"normal(raw)\",\"pca(raw)\",\"shares\"]"
    );
    let fitted = |name: &str| -> Vec<Value> {
        workshop.succeed(&format!("{line} --name {name}"));
        let manifest = json(&workshop, &format!("checkpoints/{name}/manifest.json"));
        let preprocessors = &manifest["preprocessors"];
        let own = preprocessors["of_fold"][0].as_u64().unwrap() as usize;
        vec![
            preprocessors["distinct"][own].clone(),
            manifest["scaling"][0].clone(),
            manifest["scaling"][1].clone(),
        ]
    };
    let gaps = |row: usize, cells: &mut [String]| {
        if row.is_multiple_of(5) {
            cells[3 + row % 2].clear();
        }
    };
    workshop.write("t.csv", table(gaps));
    let before = fitted("before");
    let wild = |row: usize, cells: &mut [String]| {
        gaps(row, cells);
        if (row / 2).is_multiple_of(3) {
            let odd = ["", "1e9", "-77", "0"][row % 4];
            cells[2..].fill(odd.to_owned());
        }
    };
    workshop.write("t.csv", table(wild));
    assert_eq!(before, fitted("after"));
}

#[test]
fn a_value_missing_at_prediction_follows_the_rule_of_training() {
    let workshop = Workshop::new();
    let gaps = |row: usize, cells: &mut [String]| {
        if row % 7 == 3 {
            cells[3].clear();
        }
    };
    workshop.write("t.csv", table(gaps));
    assert!(workshop.fail(TRAIN).contains("clean.missing=median"));
    workshop.succeed(&format!("{TRAIN} {SHORT} --set clean.missing=median --name gaps"));
    let metrics = json(&workshop, "reports/gaps/metrics.json");
    assert_eq!(metrics["cleaning"]["missing"], serde_json::json!([["b", 9]]));
    assert!(workshop.read("reports/gaps/report.html").contains("b (9 rows)"));

    workshop.write("new.csv", "a,b,c\n0.5,NA,0.1\n0.5,1.0,\n0.5,1.0,0.1\n");
    let answer = workshop.succeed("predict --checkpoint checkpoints/gaps new.csv");
    let rows: Vec<Vec<&str>> =
        answer.lines().skip(1).map(|line| line.split(',').collect()).collect();
    assert!(rows.iter().all(|row| row[0].parse::<f64>().unwrap().is_finite()));
    // Only b was ever missing in training: a gap in c is unheard of.
    assert_eq!([rows[0][3], rows[1][3], rows[2][3]], ["false", "true", "false"], "{answer}");
    assert_eq!(rows[1][4], "c");

    workshop.write("t.csv", table(|_, _| ()));
    workshop.succeed(&format!("{TRAIN} {SHORT} --name whole"));
    let refused = workshop.fail("predict --checkpoint checkpoints/whole new.csv");
    assert!(refused.contains("new.csv:2: column `b` holds `NA`"), "{refused}");
}

#[test]
fn repeated_measurements_flatter_folds_by_row_and_the_report_says_so() {
    let workshop = Workshop::new();
    workshop.succeed(
        "simulate --containers 40 --remeasured 40 --positions 1 --repeats 6 --seed 3 --out t.csv",
    );
    let recipe = "--set train.epochs=150 --set model.members=2 --set model.dropout=0 \
                  --set features=log1p(raw) --set clean.clip=0";
    workshop.succeed(&format!("train --data t.csv --quiet {recipe} --name honest"));
    let metrics = json(&workshop, "reports/honest/metrics.json");
    let leakage = &metrics["leakage"];
    let r2 = |split: &str| leakage[split]["r2"].as_f64().unwrap();
    assert!(r2("by_row") > r2("by_group") + 0.2, "{leakage}");
    assert_eq!(leakage["by_group"]["r2"], metrics["cv"]["r2"]);
    let page = workshop.read("reports/honest/report.html");
    assert!(
        page.contains("Leakage guard")
            && page.contains("share a <code>container</code> are predicted")
    );
    assert!(!metrics["warnings"].to_string().contains("folds by row"), "{}", metrics["warnings"]);

    let forced = format!("train --data t.csv --quiet {recipe} --set cv.split_by=row --name forced");
    workshop.succeed(&forced);
    let forced = json(&workshop, "reports/forced/metrics.json");
    assert_eq!(forced["leakage"]["is_forced"], true);
    assert_eq!(forced["leakage"]["by_row"]["r2"], forced["cv"]["r2"]);
    let warning = forced["warnings"][0].as_str().unwrap();
    assert!(warning.contains("folds by row") && warning.contains("`container`"), "{warning}");
    assert!(workshop.read("reports/forced/report.html").contains("Folds by row"));
}

#[test]
fn a_stated_range_is_refused_in_training_and_flagged_in_prediction() {
    let workshop = Workshop::new();
    workshop.write("t.csv", table(|_, _| ()));
    workshop.write("schema.toml", "[[column]]\nname = \"b\"\nunit = \"V\"\nminimum = 0.5\n");
    let refused = workshop.fail(TRAIN);
    assert!(refused.contains("has b = ") && refused.contains("at least 0.5 V"), "{refused}");
    workshop.write("schema.toml", "[[column]]\nname = \"b\"\nminimum = 0.0\nmaximum = 50.0\n");
    workshop.succeed(&format!("{TRAIN} {SHORT} --name stated"));
    workshop.write("new.csv", "a,b,c\n0.5,-0.001,0.1\n0.5,0.001,0.1\n");
    let answer = workshop.succeed("predict --checkpoint checkpoints/stated new.csv");
    let flags: Vec<&str> = answer.lines().skip(1).map(|l| l.split_once(',').unwrap().1).collect();
    assert!(flags[0].ends_with("true,b") && flags[1].ends_with("false,"), "{answer}");
    workshop.succeed(&format!("{TRAIN} {SHORT} --set data.schema=none --name unstated"));
}

#[test]
fn chosen_features_are_told_and_the_model_takes_raw_columns() {
    let workshop = Workshop::new();
    workshop.write("t.csv", table(|_, _| ()));
    let out = workshop.succeed(&format!(
        "{} {SHORT} --set features=auto --name chosen",
        TRAIN.replace("--quiet", "")
    ));
    assert!(out.contains("features   picked "), "{out}");
    let metrics = json(&workshop, "reports/chosen/metrics.json");
    let candidates = metrics["features"]["candidates"].as_array().unwrap();
    let folds: u64 = candidates.iter().map(|one| one["folds"].as_u64().unwrap()).sum();
    assert_eq!((folds, candidates.len() > 2), (5, true));
    let manifest = json(&workshop, "checkpoints/chosen/manifest.json");
    assert_eq!(manifest["schema"]["features"], serde_json::json!(["a", "b", "c"]));
    let answer = workshop.succeed("predict --checkpoint checkpoints/chosen t.csv");
    assert_eq!(answer.lines().count(), 61);
}

#[test]
fn every_block_trains_and_predicts_the_shipped_data() {
    let workshop = Workshop::new();
    workshop.copy("data/schema.toml");
    let blocks = [
        "total",
        "summary",
        "shares",
        "ratios",
        "sorted",
        "ring_sums",
        "ring_asymmetries",
        "log1p(raw)",
        "normal(raw)",
        "pairs(log1p(summary))",
        "pca(log1p(raw))",
    ];
    let set = blocks.map(|block| format!("\"{block}\"")).join(",");
    workshop.succeed(&format!("train {SHORT} --quiet --set features.set=[{set}] --name all"));
    let answer = workshop.succeed("predict --checkpoint checkpoints/all data/simulations.csv");
    let page = workshop.read("reports/all/report.html");
    for name in ["share(det3)", "ring1/ring2", "ring2.rank1", "ring3.asymmetry", "log1p(mean)^2"] {
        assert!(page.contains(name), "{name}");
    }
    assert_eq!(answer.lines().count(), 105);

    let refused = workshop.fail("train --set data.schema=none --set features=[\"sorted\"]");
    assert!(refused.contains("`sorted` needs rings"), "{refused}");
    let refused = workshop.fail("train --set features=[\"sorte\"]");
    assert!(refused.contains("did you mean `sorted`?"), "{refused}");
}

#[test]
fn augmented_training_judges_only_what_was_measured() {
    let workshop = Workshop::new();
    workshop.copy("data/schema.toml");
    workshop.succeed(&format!("train {SHORT} --quiet --set features.augment=true --name turned"));
    assert_eq!(workshop.read("reports/turned/predictions.csv").lines().count(), 105);
    let metrics = json(&workshop, "reports/turned/metrics.json");
    assert_eq!(metrics["features"]["motions"], 9);
    let refused = workshop.fail("train --set data.schema=none --set features.augment=true");
    assert!(refused.contains("needs the symmetries"), "{refused}");
}

#[test]
fn equal_rows_train_once_and_never_judge_their_copies() {
    let workshop = Workshop::new();
    // Pure noise, every row twice: copies across the splits are all that there is to learn.
    let mut generator = Generator::new(4, &[]);
    let lines: Vec<String> = (0..80)
        .map(|_| (0..5).map(|_| format!("{:.6}", generator.normal())).collect::<Vec<_>>().join(","))
        .collect();
    let twice = [lines.clone(), lines].concat().join("\n");
    workshop.write("t.csv", format!("y,a,b,c,d\n{twice}\n"));
    let line = "train --data t.csv --target y --set target.minimum=-inf --set \
                target.transform=none --set features=raw --set train.epochs=200 --quiet";
    let r2 = |name: &str| {
        workshop.succeed(&format!("{line} --set clean.duplicates={name} --name {name}"));
        let metrics = json(&workshop, &format!("reports/{name}/metrics.json"));
        (metrics["cv"]["r2"].as_f64().unwrap(), metrics)
    };
    let ((kept, flattered), (dropped, metrics)) = (r2("keep"), r2("drop"));
    assert!(kept > 0.2 && dropped < 0.05, "{kept} {dropped}");
    assert_eq!(
        (&metrics["cleaning"]["duplicates"], &metrics["cv"]["rows"]),
        (&80.into(), &160.into())
    );
    assert!(workshop.read("reports/drop/report.html").contains("80 rows equal an earlier one"));
    let warning = flattered["warnings"][0].as_str().unwrap();
    assert!(warning.contains("pairs of nearly equal rows stand on both sides"), "{warning}");
}

#[test]
fn evaluation_finds_columns_by_name() {
    let workshop = Workshop::new();
    workshop.write("t.csv", table(|_, _| ()));
    workshop.succeed(&format!("{TRAIN} {SHORT} --name m"));
    let order = |columns: [usize; 5]| {
        let turned = |line: &str| {
            let cells: Vec<&str> = line.split(',').collect();
            columns.map(|column| cells[column]).join(",") + "\n"
        };
        table(|_, _| ()).lines().map(turned).collect::<String>()
    };
    let scores = |name: &str, columns| {
        workshop.write(&format!("{name}.csv"), order(columns));
        workshop.succeed(&format!("evaluate --checkpoint checkpoints/m --data {name}.csv"));
        json(&workshop, &format!("reports/m-on-{name}/metrics.json"))["evaluation"].clone()
    };
    assert_eq!(scores("same", [0, 1, 2, 3, 4]), scores("turned", [4, 3, 0, 2, 1]));
}

#[test]
fn odd_tables_train_or_are_refused_with_the_reason() {
    let workshop = Workshop::new();
    workshop.copy("data/schema.toml");
    // A part of the array that the schema declares: no rings, but a model.
    workshop.succeed(&format!("train {SHORT} --quiet --features det1,det2,det3 --name part"));
    let refused = workshop.fail("train --features det1,det2,det3 --set features.set=sorted");
    assert!(refused.contains("whole detector array, and its `det4`"), "{refused}");
    // Two groups to choose features on, and huge values.
    let few = |row: usize, cells: &mut [String]| cells[0] = format!("g{}", row / 20);
    workshop.write("t.csv", table(few));
    let auto = "--set features=auto --set cv.folds=2 --set interval.level=0.5 --set train.epochs=5";
    workshop.succeed(&format!("{TRAIN} {SHORT} {auto} --name few"));
    let huge = |_: usize, cells: &mut [String]| cells[2] += "e160";
    workshop.write("t.csv", table(huge));
    workshop.succeed(&format!("{TRAIN} {SHORT} {auto} --set clean.clip=3 --name huge"));
    // One column has no ratio.
    let refused = workshop.fail(&format!("{TRAIN} --features a --set features=ratios"));
    assert!(refused.contains("`ratios` have no column for this table"), "{refused}");
    // A column without any value is dead, not text.
    workshop.write("t.csv", table(|_, cells| cells[4].clear()));
    workshop.succeed(&format!("{TRAIN} {SHORT} --set clean.missing=median --name empty"));
    let metrics = json(&workshop, "reports/empty/metrics.json");
    assert_eq!(metrics["cleaning"]["dead"], serde_json::json!([["c", 5]]));
}
