//! Checkpoints: the same for the same inputs, and refused when damaged.

use std::{collections::HashSet, fs};

use massay::{
    model::{Backend, BackendKind, Function, Prediction},
    train::Checkpoint,
};

use crate::support::{SHORT, Workshop, contents};

fn trained() -> Workshop {
    let workshop = Workshop::new();
    workshop.succeed(&format!("train --name a --quiet {SHORT}"));
    workshop
}

#[test]
fn the_same_inputs_give_the_same_checkpoint_bytes() {
    let workshop = trained();
    workshop.succeed(&format!("train --name b --quiet {SHORT}"));
    for file in ["manifest.json", "model.safetensors", "reference.safetensors"] {
        assert_eq!(
            fs::read(workshop.path(&format!("checkpoints/a/{file}"))).unwrap(),
            fs::read(workshop.path(&format!("checkpoints/b/{file}"))).unwrap(),
            "{file} differs"
        );
    }
    let reports = contents(&workshop.path("reports/a"));
    // These tell when the run was.
    let differs = |name: &str| ["report.html", "report.md", "report.json"].contains(&name);
    for (name, bytes) in reports.iter().filter(|(name, _)| !differs(name)) {
        let other = fs::read(workshop.path("reports/b").join(name)).unwrap();
        assert!(*bytes == other, "{name} differs");
    }
}

#[test]
fn model_tensors_have_their_documented_names_and_shapes() {
    let workshop = trained();
    let bytes = fs::read(workshop.path("checkpoints/a/model.safetensors")).unwrap();
    let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let shape = |name: &str| tensors.tensor(name).unwrap().shape().to_vec();
    assert_eq!(shape("layer0.weight"), [10, 15, 8]);
    assert_eq!(shape("layer0.bias"), [10, 1, 8]);
    assert_eq!(shape("layer1.weight"), [10, 8, 1]);
    assert_eq!(tensors.len(), 4);
}

#[test]
fn the_reference_is_the_data_with_its_out_of_fold_predictions() {
    let workshop = trained();
    let reference = Checkpoint::read(&workshop.path("checkpoints/a")).unwrap().reference;
    let table = workshop.read("data/simulations.csv");
    let report = workshop.read("reports/a/predictions.csv");
    let lines: Vec<&str> = table.lines().skip(1).collect();
    let container = |line: &str| line.split(',').next().unwrap().to_owned();
    let containers: HashSet<String> = lines.iter().map(|line| container(line)).collect();
    // One row of each container, as the table has it and in its order.
    assert_eq!((reference.targets.len(), reference.columns), (containers.len(), 15));
    let (mut places, mut seen) = (lines.iter(), HashSet::new());
    let kept = reference.rows().zip(&reference.targets).zip(&reference.predictions);
    for ((row, target), prediction) in kept {
        let own = places.find(|line| {
            let cells = line.split(',').skip(1).map(|cell| cell.parse::<f64>().unwrap());
            cells.eq(std::iter::once(*target).chain(row.iter().copied()))
        });
        assert!(seen.insert(container(own.expect("a row that the table lacks"))));
        let shown = report.lines().any(|line| line.contains(&prediction.to_string()));
        assert!(shown, "the report has no prediction {prediction}");
    }
}

#[test]
fn damaged_newer_and_foreign_checkpoints_are_refused_with_the_reason() {
    let workshop = trained();
    let model = "checkpoints/a/model.safetensors";
    let manifest = "checkpoints/a/manifest.json";
    let (tensors, text) = (fs::read(workshop.path(model)).unwrap(), workshop.read(manifest));
    let refusal = || workshop.fail("predict --checkpoint checkpoints/a data/simulations.csv");
    workshop.write(model, &tensors[..tensors.len() - 7]);
    assert!(refusal().contains("SHA-256"), "{}", refusal());
    let mut flipped = tensors.clone();
    flipped[tensors.len() / 2] ^= 4;
    workshop.write(model, &flipped);
    assert!(refusal().contains("SHA-256"), "{}", refusal());
    fs::remove_file(workshop.path(model)).unwrap();
    assert!(refusal().contains("model.safetensors"), "{}", refusal());
    workshop.write(model, &tensors);
    workshop.write(manifest, text.replace("\"format\": 4", "\"format\": 5"));
    assert!(refusal().contains("format 5, expected at most 4"), "{}", refusal());
    workshop.write(manifest, text.replace("\"format\": 4", "\"format\": 3"));
    assert!(refusal().contains("train again with this version"), "{}", refusal());
    let mut value: serde_json::Value = serde_json::from_str(&text).unwrap();
    value["folds"].as_array_mut().unwrap().pop();
    workshop.write(manifest, value.to_string());
    assert!(refusal().contains("its parts do not fit"), "{}", refusal());
    workshop.write(manifest, &text[..text.len() / 2]);
    assert!(refusal().contains("expected an intact checkpoint"), "{}", refusal());
    workshop.write(manifest, "{\"name\": \"other\"}");
    assert!(refusal().contains("names no format"), "{}", refusal());
    fs::remove_file(workshop.path(manifest)).unwrap();
    assert!(refusal().contains("has no manifest.json"), "{}", refusal());
}

#[test]
fn a_checkpoint_predicts_the_same_on_both_cpu_backends() {
    let workshop = trained();
    let checkpoint = Checkpoint::read(&workshop.path("checkpoints/a")).unwrap();
    let rows: Vec<f64> = (0..15 * 7).map(|i| 5.0 + f64::from(i % 13) * 20.0).collect();
    let predict = |kind| checkpoint.predictor(&Backend::select(kind).unwrap()).predict(&rows);
    for (a, b) in predict(BackendKind::Cpu).iter().zip(predict(BackendKind::Ndarray)) {
        assert!((a.value - b.value).abs() < 1e-4 * a.value);
        assert!((a.upper - b.upper).abs() < 1e-4 * a.upper);
    }
}

fn rows(count: u32) -> Vec<f64> {
    (0..15 * count).map(|i| 5.0 + f64::from(i % 17) * 15.0).collect()
}

fn predictions(checkpoint: &Checkpoint, rows: &[f64]) -> Vec<Prediction> {
    checkpoint.predictor(&Backend::select(BackendKind::Cpu).unwrap()).predict(rows)
}

#[test]
fn rows_are_predicted_alike_together_and_alone() {
    let workshop = Workshop::new();
    workshop.succeed(
        "train --name a --quiet --set cv.leakage_check=false --set model.members=1 \
         --set model.hidden=[8] --set train.epochs=3",
    );
    let checkpoint = Checkpoint::read(&workshop.path("checkpoints/a")).unwrap();
    let trees = checkpoint.blends.iter().flat_map(|blend| &blend.regressors);
    assert!(trees.filter(|(_, own)| matches!(own.function, Function::Trees(_))).count() > 0);
    let rows = rows(23);
    let alone = rows.chunks(15).flat_map(|row| predictions(&checkpoint, row));
    assert_eq!(predictions(&checkpoint, &rows), alone.collect::<Vec<_>>());
}

#[test]
fn networks_of_a_fold_that_gives_them_no_weight_are_not_asked() {
    let workshop = trained();
    let mut checkpoint = Checkpoint::read(&workshop.path("checkpoints/a")).unwrap();
    let rows = rows(5);
    let asked = predictions(&checkpoint, &rows);
    checkpoint.blends[0].networks = 0.0;
    let left_out = predictions(&checkpoint, &rows);
    assert_ne!(left_out, asked);
    checkpoint.members[0].0.fill(f32::NAN);
    assert_eq!(predictions(&checkpoint, &rows), left_out);
}
