//! The program as a user runs it.

use massay::data::Generator;

use crate::support::{SHORT, Workshop, contents};

#[test]
fn training_writes_a_checkpoint_and_a_whole_report() {
    let workshop = Workshop::new();
    let table = workshop.succeed(&format!("train --name first {SHORT}"));
    assert!(
        table.contains("pooled") && table.contains("fold 4") && table.contains("reports/first")
    );
    let files: Vec<String> =
        contents(&workshop.path("reports/first")).into_iter().map(|(name, _)| name).collect();
    for name in ["report.html", "report.md", "metrics.json", "predictions.csv", "history.csv"] {
        assert!(files.contains(&name.to_owned()), "{name} is missing: {files:?}");
    }
    assert_eq!(files.iter().filter(|name| name.ends_with(".svg")).count(), 11, "{files:?}");
    assert_eq!(files.iter().filter(|name| name.ends_with(".png")).count(), 11, "{files:?}");
    let header = workshop.read("reports/first/predictions.csv");
    let columns = "row,group,repeat,fold,target,prediction,lower,upper,out_of_domain,weight\n";
    assert!(header.starts_with(columns));
    assert_eq!(header.lines().count(), 105);
    let history = workshop.read("reports/first/history.csv");
    let columns = "epoch,repeat,fold,member,train_loss,validation_loss,learning_rate\n";
    assert!(history.starts_with(columns));
    assert_eq!(history.lines().count(), 1 + 12 * 10);
    let checkpoint: Vec<String> =
        contents(&workshop.path("checkpoints/first")).into_iter().map(|(name, _)| name).collect();
    let expected = [
        "journal.jsonl",
        "manifest.json",
        "model.safetensors",
        "reference.safetensors",
        "regressors.safetensors",
        "run.json",
    ];
    assert_eq!(checkpoint, expected);
}

#[test]
fn json_output_is_metrics_json_and_nothing_else() {
    let workshop = Workshop::new();
    let text = workshop.succeed(&format!("train --name a --json {SHORT} --set cv.repeats=2"));
    assert_eq!(text, workshop.read("reports/a/metrics.json"));
    let metrics: serde_json::Value = serde_json::from_str(&text).unwrap();
    for name in ["mse", "rmse", "mae", "r2", "coverage", "interval_width", "interval_score"] {
        assert!(metrics["cv"][name].is_f64(), "{name}: {metrics}");
    }
    assert_eq!(metrics["folds"].as_array().unwrap().len(), 10);
    assert_eq!(workshop.read("reports/a/predictions.csv").lines().count(), 209);
}

#[test]
fn quiet_training_prints_nothing() {
    let workshop = Workshop::new();
    let output = workshop.run(&format!("train --name a --quiet {SHORT}"));
    assert!(output.status.success() && output.stdout.is_empty() && output.stderr.is_empty());
}

#[test]
fn an_existing_name_is_refused_unless_forced() {
    let workshop = Workshop::new();
    workshop.succeed(&format!("train --name a --quiet {SHORT}"));
    let before = contents(&workshop.path("checkpoints/a"));
    let error = workshop.fail(&format!("train --name a {SHORT}"));
    assert!(error.contains("exists already") && error.contains("--force"), "{error}");
    assert!(before == contents(&workshop.path("checkpoints/a")));
    workshop.succeed(&format!("train --name a --force --quiet {SHORT} --set train.seed=8"));
    assert!(before != contents(&workshop.path("checkpoints/a")));
    for name in ["../a", ".a", "a/b", "a.unfinished"] {
        assert!(
            workshop.fail(&format!("train --name {name}")).contains("is not allowed"),
            "{name}"
        );
    }
}

#[test]
fn wrong_parameters_are_refused_with_the_nearest_key_or_the_range() {
    let workshop = Workshop::new();
    let cases = [
        ("train.epoch=3", "did you mean `train.epochs`?"),
        ("epochs=3", "did you mean `train.epochs`?"),
        ("train.epochs=0", "`train.epochs` = 0, expected 1 to 100000"),
        ("train.epochs=many", "--set train.epochs=many: invalid type"),
        ("model.activation=relux", "unknown variant `relux`"),
        ("model.hidden=[]", "expected 1 to 8 widths"),
        ("interval.level=0.9999", "expected 0.5 to 0.999"),
        ("interval.level=0.99", "expected at least 99 for `interval.level` = 0.99"),
        ("cv.folds=200", "there are 84 distinct values"),
        ("train.learning_rate", "expected KEY=VALUE"),
        ("paths.reports=checkpoints", "expected another folder than `paths.checkpoints`"),
        ("data.target=det99", "did you mean `det9`?"),
    ];
    for (set, expected) in cases {
        let error = workshop.fail(&format!("train --name a --set {set}"));
        assert!(error.contains(expected), "{set}: {error}");
        assert!(!workshop.exists("checkpoints/a.unfinished"), "{set}");
    }
    workshop.write("wrong.toml", "[train]\nepochs = 3\nlerning_rate = 1\n");
    let error = workshop.fail("train --params wrong.toml");
    assert!(error.contains("wrong.toml") && error.contains("`train.learning_rate`"), "{error}");
}

#[test]
fn divergence_is_reported_with_epoch_and_hint() {
    let workshop = Workshop::new();
    let wild =
        "--set train.learning_rate=1.0 --set train.weight_decay=10.0 --set train.schedule=constant";
    let error = workshop.fail(&format!("train --name a {wild} --set train.epochs=200"));
    assert!(error.contains("training diverged in epoch"), "{error}");
    assert!(error.contains("hint: lower `train.learning_rate`"), "{error}");
    assert!(!workshop.exists("checkpoints/a") && !workshop.exists("reports/a"));
}

#[test]
fn predictions_match_by_name_whatever_the_order_of_columns() {
    let workshop = Workshop::new();
    workshop.succeed(&format!("train --name a --quiet {SHORT}"));
    let straight = workshop.succeed("predict --checkpoint checkpoints/a data/simulations.csv");
    let text = workshop.read("data/simulations.csv");
    let reversed: String = text
        .lines()
        .map(|line| line.split(',').rev().collect::<Vec<_>>().join(";") + "\n")
        .collect();
    workshop.write("reversed.csv", reversed);
    assert_eq!(straight, workshop.succeed("predict --checkpoint checkpoints/a reversed.csv"));
    let header = "container,prediction,lower,upper,out_of_domain,columns_at_fault\n";
    assert!(straight.starts_with(header), "{straight}");
    assert_eq!(straight.lines().count(), 105);
    for line in straight.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let [value, lower, upper] = [1, 2, 3].map(|i| cells[i].parse::<f64>().unwrap());
        assert!(0.0 <= lower && lower <= value && value <= upper && upper.is_finite(), "{line}");
    }
}

#[test]
fn a_row_whose_columns_were_shuffled_is_flagged_though_every_value_is_in_range() {
    let workshop = Workshop::new();
    let mut generator = Generator::new(40, &[]);
    let header: Vec<String> = (1..=15).map(|detector| format!("det{detector}")).collect();
    let header = format!("mass,{}\n", header.join(","));
    let (mut table, mut shuffled) = (header.clone(), header);
    for row in 0..150 {
        let mass = (4.0 * generator.uniform()).exp();
        let mut signals: Vec<f64> = (0..15)
            .map(|detector| {
                mass * (1.0 + 0.3 * f64::from(detector)) * (1.0 + 0.05 * generator.normal())
            })
            .collect();
        if row >= 100 {
            generator.shuffle(&mut signals);
        }
        let cells: Vec<String> = signals.iter().map(|signal| format!("{signal:.3}")).collect();
        let line = format!("{mass:.3},{}\n", cells.join(","));
        if row < 100 { table += &line } else { shuffled += &line }
    }
    workshop.write("table.csv", table);
    workshop.write("shuffled.csv", shuffled);
    workshop.succeed(&format!("train --name a --data table.csv --quiet {SHORT}"));
    let flagged = |file: &str| {
        let answer = workshop.succeed(&format!("predict --checkpoint checkpoints/a {file}"));
        answer.lines().filter(|line| line.contains(",true,det")).count()
    };
    assert!(flagged("table.csv") <= 3, "{} of 100 rows in order", flagged("table.csv"));
    assert!(flagged("shuffled.csv") >= 49, "{} of 50 shuffled rows", flagged("shuffled.csv"));
}

#[test]
fn predictions_can_be_piped() {
    let workshop = Workshop::new();
    workshop.succeed(&format!("train --name a --quiet {SHORT}"));
    let straight = workshop.succeed("predict --checkpoint checkpoints/a data/simulations.csv");
    let mut command = workshop.command("predict --checkpoint checkpoints/a -");
    command.stdin(std::fs::File::open(workshop.path("data/simulations.csv")).unwrap());
    assert_eq!(String::from_utf8(command.output().unwrap().stdout).unwrap(), straight);
    let text = workshop.read("data/simulations.csv").replace("container", "prediction");
    workshop.write("renamed.csv", text);
    let renamed = workshop.succeed("predict --checkpoint checkpoints/a renamed.csv");
    assert!(renamed.starts_with("input.prediction,prediction,lower"), "{renamed}");
}

#[test]
fn only_a_report_makes_way_for_a_report() {
    let workshop = Workshop::new();
    workshop.succeed(&format!("train --name a --quiet {SHORT}"));
    let line = "evaluate --checkpoint checkpoints/a --data data/simulations.csv --force --out";
    for place in ["params.toml", "data"] {
        let error = workshop.fail(&format!("{line} {place}"));
        assert!(error.contains("is not replaced"), "{error}");
    }
    assert!(
        workshop.read("params.toml").contains("[train]") && workshop.exists("data/simulations.csv")
    );
    workshop.succeed(&format!("{line} reports/a"));
}

#[test]
fn a_run_that_cannot_write_its_report_fails_at_once_and_leaves_nothing_to_resume() {
    let workshop = Workshop::new();
    workshop.write("blocked", "a file where a folder should be");
    let error = workshop.fail("train --name a --quiet --set paths.reports=blocked");
    assert!(error.contains("cannot create blocked"), "{error}");
    assert!(!workshop.exists("checkpoints/a.unfinished"));
}

#[test]
fn a_group_that_is_asked_for_must_exist() {
    let workshop = Workshop::new();
    let text = workshop.read("data/simulations.csv");
    workshop.write("none.csv", text.replace("container", "drum"));
    workshop.write("case.csv", text.replace("container", "Container"));
    let error = workshop.fail("train --data none.csv --group container");
    assert!(error.contains("there is no column `container`"), "{error}");
    let error = workshop.fail("train --data case.csv");
    assert!(error.contains("did you mean `Container`?"), "{error}");
    workshop.succeed(&format!("train --data none.csv --quiet {SHORT}"));
}

#[test]
fn parameters_of_another_table_are_not_used_unless_they_are_named() {
    let workshop = Workshop::new();
    let table = workshop.read("data/simulations.csv");
    workshop.write("other.csv", &table);
    let train = |more: &str| {
        let line = format!("train --data other.csv --force --name a {more} {SHORT}");
        let output = workshop.run(&line);
        assert!(output.status.success());
        let manifest = workshop.read("checkpoints/a/manifest.json");
        let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
        let transform = manifest["parameters"]["target"]["transform"].as_str().unwrap().to_owned();
        (String::from_utf8_lossy(&output.stderr).into_owned(), transform)
    };
    let (said, transform) = train("");
    assert!(said.contains("params.toml is for data/simulations.csv and is not used"), "{said}");
    assert_eq!(transform, "none");
    let (said, transform) = train("--params params.toml");
    assert!(!said.contains("is not used"), "{said}");
    assert_eq!(transform, "log");
}

#[test]
fn targets_below_the_physical_limit_are_refused() {
    let workshop = Workshop::new();
    let text = workshop.read("data/simulations.csv");
    let second = text.lines().nth(2).unwrap();
    let mut cells: Vec<&str> = second.split(',').collect();
    cells[1] = "-1.5";
    workshop.write("low.csv", text.replace(second, &cells.join(",")));
    let line = format!(
        "train --params params.toml --data low.csv --quiet {SHORT} --set target.transform=none"
    );
    let error = workshop.fail(&line);
    assert!(error.contains("data row 2 has mass = -1.5, expected at least"), "{error}");
    workshop.succeed(&format!("{line} --set target.minimum=-inf"));
}

#[test]
fn a_missing_column_or_a_bad_last_row_gives_an_error_and_no_output() {
    let workshop = Workshop::new();
    workshop.succeed(&format!("train --name a --quiet {SHORT}"));
    let text = workshop.read("data/simulations.csv");
    workshop.write("renamed.csv", text.replace("det7,", "detector7,"));
    let error = workshop.fail("predict --checkpoint checkpoints/a renamed.csv");
    assert!(error.contains("renamed.csv:1: there is no column `det7`"), "{error}");
    let last = text.lines().last().unwrap();
    let broken = text.replace(last, &last.replace(last.split(',').nth(5).unwrap(), "broken"));
    workshop.write("broken.csv", broken);
    let error = workshop.fail("predict --checkpoint checkpoints/a broken.csv");
    assert!(error.contains("broken.csv:105: column `det4` holds `broken`"), "{error}");
    let error = workshop.fail("predict --checkpoint checkpoints/nowhere data/simulations.csv");
    assert!(error.contains("it has no manifest.json"), "{error}");
}

#[test]
fn evaluation_scores_a_labelled_table() {
    let workshop = Workshop::new();
    workshop.succeed(&format!("train --name a --quiet {SHORT}"));
    workshop.succeed("simulate --containers 60 --seed 99 --out new.csv");
    let table = workshop.succeed("evaluate --checkpoint checkpoints/a --data new.csv");
    assert!(table.contains("all rows") && !table.contains("warning"), "{table}");
    let text =
        workshop.succeed("evaluate --checkpoint checkpoints/a --data new.csv --json --out e");
    assert_eq!(text, workshop.read("e/metrics.json"));
    let metrics: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(metrics["evaluation"]["rows"], 60);
    assert!(workshop.exists("e/report.html") && !workshop.exists("e/history.csv"));
    let error = workshop.fail("evaluate --checkpoint checkpoints/a --data new.csv");
    assert!(error.contains("exists already"), "{error}");
    let own = workshop.succeed("evaluate --checkpoint checkpoints/a --data data/simulations.csv");
    assert!(own.contains("warning: this is the table that the model was trained on"), "{own}");
}

#[test]
fn simulation_is_byte_identical_to_the_shipped_file() {
    let workshop = Workshop::new();
    assert_eq!(workshop.succeed("simulate"), workshop.read("data/simulations.csv"));
    workshop.succeed("simulate --containers 3 --positions 2 --repeats 2 --out more/s.csv");
    assert_eq!(workshop.read("more/s.csv").lines().count(), 13);
    let error = workshop.fail("simulate --out more/s.csv");
    assert!(error.contains("exists already"), "{error}");
    assert!(!workshop.fail("simulate --containers 3 --remeasured 4").is_empty());
}

#[test]
fn any_table_can_be_trained_on() {
    let workshop = Workshop::new();
    let mut text = "city;price;rooms;area\n".to_owned();
    for row in 0..60 {
        text += &format!("c{};{};{};{}\n", row % 7, -5.0 + f64::from(row), row % 5, row * row);
    }
    workshop.write("houses.csv", text);
    workshop.write("plain.toml", "");
    let line =
        format!("train --params plain.toml --data houses.csv --target price --name a {SHORT}");
    let output = workshop.run(&line);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    assert!(errors.contains("columns without numbers are not used: `city`"), "{errors}");
    let error = workshop.fail(&format!("{line} --force --set target.transform=log"));
    assert!(error.contains("data row 1 has price = -5"), "{error}");
}

#[test]
fn completions_and_help_are_printed() {
    let workshop = Workshop::new();
    for shell in ["bash", "zsh", "fish"] {
        assert!(workshop.succeed(&format!("completions {shell}")).contains("massay"));
    }
    assert!(workshop.succeed("train --help").contains("--fold-file"));
}
