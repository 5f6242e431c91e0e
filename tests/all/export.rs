//! Exported models against massay's own predictions.

use std::fmt::Write as _;

use massay::data::Generator;

use crate::{
    python::script,
    support::{SHORT, Workshop},
};

/// Largest difference over the size of massay's own number.
const TOLERANCE: f64 = 1e-5;

/// Numbers by column of a CSV text.
fn columns(text: &str, names: &[&str]) -> Vec<Vec<f64>> {
    let header: Vec<&str> = text.lines().next().unwrap().split(',').collect();
    let number = |cell: &str| if cell.is_empty() { f64::NAN } else { cell.parse().unwrap() };
    let column = |name: &&str| {
        let place = header.iter().position(|column| column == name).unwrap();
        text.lines().skip(1).map(|line| number(line.split(',').nth(place).unwrap())).collect()
    };
    names.iter().map(column).collect()
}

/// Predicts `table` both ways and compares every number.
fn assert_alike(workshop: &Workshop, name: &str, table: &str) {
    let own = workshop.succeed(&format!("predict --checkpoint checkpoints/{name} {table}"));
    let model = workshop.path(&format!("{name}.onnx"));
    let other = script("predict_onnx.py", &[&model, &workshop.path(table)]);
    let names = ["prediction", "lower", "upper"];
    let (own, other) = (columns(&own, &names), columns(&other, &names));
    for ((own, other), what) in own.iter().zip(&other).zip(names) {
        assert_eq!(own.len(), other.len());
        let scale = own.iter().map(|value| value.abs()).sum::<f64>() / own.len() as f64;
        for (row, (own, other)) in own.iter().zip(other).enumerate() {
            // A number near 0 is the difference of larger ones.
            let error = (own - other).abs() / own.abs().max(0.1 * scale);
            let is_alike = own == other || error < TOLERANCE;
            assert!(is_alike, "{name}, {table}, row {row}: {what} {own} {other} {error:e}");
        }
    }
}

/// Rows around those of the table, far beyond them, and, with `gaps`, with values missing.
fn rows(table: &str, seed: u64, gaps: bool) -> String {
    let header: Vec<&str> = table.lines().next().unwrap().split(',').collect();
    let features: Vec<&&str> = header.iter().filter(|name| name.starts_with("det")).collect();
    let known = columns(table, &features.iter().map(|name| **name).collect::<Vec<_>>());
    let mut generator = Generator::new(seed, &[]);
    let mut text = features.iter().map(|name| **name).collect::<Vec<_>>().join(",") + "\n";
    for row in 0..1000 {
        let far = if row % 10 == 9 { 10f64.powf(generator.between(-9.0, 9.0)) } else { 1.0 };
        for (place, column) in known.iter().enumerate() {
            let value = column[generator.below(column.len())];
            let value = far * value * generator.between(0.5, 1.5);
            let is_gap = gaps && generator.uniform() < 0.1;
            let cell = if is_gap { String::new() } else { value.to_string() };
            let _ = write!(text, "{}{cell}", if place > 0 { "," } else { "" });
        }
        text.push('\n');
    }
    text
}

fn train_and_export(workshop: &Workshop, name: &str, line: &str) {
    workshop.succeed(&format!("train --name {name} --quiet --set cv.leakage_check=false {line}"));
    workshop.succeed(&format!("export --checkpoint checkpoints/{name} --out {name}.onnx"));
}

#[test]
#[ignore = "needs Python 3 with venv"]
fn every_kind_of_model_predicts_alike_in_onnxruntime() {
    let workshop = Workshop::new();
    let table = workshop.read("data/simulations.csv");
    workshop.write("random.csv", rows(&table, 1, false));
    let kinds =
        ["mlp", "ridge", "kernel", "neighbours", "tree", "forest", "extra-trees", "boosting"];
    for kind in kinds {
        train_and_export(&workshop, kind, &format!("{SHORT} --set model.kind={kind}"));
        assert_alike(&workshop, kind, "random.csv");
        assert_alike(&workshop, kind, "data/simulations.csv");
    }
}

#[test]
#[ignore = "needs Python 3 with venv"]
fn the_default_model_predicts_alike_in_onnxruntime() {
    let workshop = Workshop::new();
    workshop.copy("data/schema.toml");
    let table = workshop.read("data/simulations.csv");
    workshop.write("random.csv", rows(&table, 2, false));
    train_and_export(&workshop, "default", "");
    assert_alike(&workshop, "default", "random.csv");
    assert_alike(&workshop, "default", "data/simulations.csv");
    train_and_export(&workshop, "plain", "--set target.transform=none --set target.minimum=-inf");
    assert_alike(&workshop, "plain", "random.csv");
}

#[test]
#[ignore = "needs Python 3 with venv"]
fn every_feature_block_is_computed_alike_in_onnxruntime() {
    let workshop = Workshop::new();
    workshop.copy("data/schema.toml");
    let table = workshop.read("data/simulations.csv");
    workshop.write("gaps.csv", rows(&table, 3, true));
    let sets = [
        "[\"raw\",\"total\",\"summary\",\"shares\",\"ratios\"]",
        "[\"sorted\",\"ring_sums\",\"ring_asymmetries\"]",
        "[\"log1p(raw)\",\"normal(raw)\",\"normal(log1p(total))\"]",
        "[\"pairs(log1p(ring_sums))\",\"pca(log1p(raw))\"]",
    ];
    for (place, set) in sets.iter().enumerate() {
        for clip in ["0", "3"] {
            let name = format!("set{place}-{clip}");
            let line = format!(
                "{SHORT} --set features.set={set} --set clean.clip={clip} \
                 --set clean.missing=median --set clean.dead_share=0.9 --set model.kind=ridge"
            );
            train_and_export(&workshop, &name, &line);
            assert_alike(&workshop, &name, "gaps.csv");
        }
    }
}

#[test]
#[ignore = "needs Python 3 with venv"]
fn every_ingredient_of_the_networks_is_computed_alike_in_onnxruntime() {
    let workshop = Workshop::new();
    let table = workshop.read("data/simulations.csv");
    workshop.write("random.csv", rows(&table, 4, false));
    let shapes = [
        "--set model.activation=gelu --set model.embedding=piecewise --set model.copies=3",
        "--set model.activation=silu --set model.parametric_activation=true \
         --set model.linear_skip=true --set model.embedding=pbld --set model.scaling_layer=true",
        "--set model.activation=tanh --set model.input_scaling=robust --set model.copies=2",
        "--set model.activation=mish --set model.hidden=[8,4] --set cv.repeats=2",
    ];
    for (place, shape) in shapes.iter().enumerate() {
        let name = format!("shape{place}");
        train_and_export(&workshop, &name, &format!("{SHORT} {shape}"));
        assert_alike(&workshop, &name, "random.csv");
    }
}

#[test]
#[ignore = "needs Python 3 with venv"]
fn a_row_that_massay_refuses_has_no_prediction() {
    let workshop = Workshop::new();
    train_and_export(&workshop, "m", SHORT);
    let table = workshop.read("data/simulations.csv");
    let gaps = workshop.write("gaps.csv", rows(&table, 5, true));
    let refused = workshop.fail("predict --checkpoint checkpoints/m gaps.csv");
    assert!(refused.contains("is empty"), "{refused}");
    let answers =
        columns(&script("predict_onnx.py", &[&workshop.path("m.onnx"), &gaps]), &["upper"]);
    let gaps = workshop.read("gaps.csv");
    for (line, answer) in gaps.lines().skip(1).zip(&answers[0]) {
        assert_eq!(line.split(',').any(str::is_empty), answer.is_nan());
    }
}

#[test]
fn an_existing_file_is_not_replaced_and_a_missing_model_is_named() {
    let workshop = Workshop::new();
    workshop.succeed(&format!("train --name m --quiet {SHORT} --set cv.leakage_check=false"));
    let text = workshop.succeed("export --checkpoint checkpoints/m");
    assert!(text.contains("`inputs` takes [rows, 15] in double precision: det1, det2"), "{text}");
    let refused = workshop.fail("export --checkpoint checkpoints/m");
    assert!(refused.contains("model.onnx: exists already"), "{refused}");
    workshop.succeed("export --checkpoint checkpoints/m --force");
    let missing = workshop.fail("export --checkpoint checkpoints/none --out n.onnx");
    assert!(missing.contains("checkpoints/none"), "{missing}");
    assert!(!workshop.exists("n.onnx"));
}
