//! Every kind of model: trained, compared, weighed, saved, and honest where there is nothing to learn.

use massay::{data::Generator, model::ModelKind};
use serde_json::Value;

use crate::support::{SHORT, Workshop};

/// Enough training for a small network.
const TRAINED: &str = "--set features=raw --set train.epochs=150 --set train.learning_rate=0.02";

/// A table of `rows` rows whose target is `truth` of three uniform columns plus `noise`.
fn table(rows: usize, seed: u64, noise: f64, truth: impl Fn(&[f64; 3]) -> f64) -> String {
    let mut generator = Generator::new(seed, &[77]);
    let mut text = "a,b,c,y,count,sigma\n".to_owned();
    for _ in 0..rows {
        let x = [0; 3].map(|_| generator.between(-1.0, 1.0));
        let y = truth(&x) + noise * generator.normal();
        text += &format!("{},{},{},{y},1,{noise}\n", x[0], x[1], x[2]);
    }
    text
}

/// `table` with a column `group` before the others, which `name` gives for each row, from 1.
fn grouped(table: &str, name: impl Fn(usize) -> String) -> String {
    let lines = table.lines().enumerate();
    let with_group = lines.map(|(row, line)| match row {
        0 => format!("group,{line}\n"),
        _ => format!("{},{line}\n", name(row)),
    });
    with_group.collect()
}

/// Metrics of a run on `table.csv` with the plain parameters and `more`.
fn metrics(workshop: &Workshop, command: &str, more: &str) -> Value {
    let line = format!(
        "{command} --json --force --name run --params none.toml --data table.csv --target y \
         --features a,b,c {SHORT} {TRAINED} {more}"
    );
    workshop.write("none.toml", "");
    serde_json::from_str(&workshop.succeed(&line)).unwrap()
}

#[test]
fn every_kind_of_model_trains_and_predicts_from_its_checkpoint_what_it_was_judged_by() {
    let workshop = Workshop::new();
    workshop.write("table.csv", table(120, 1, 0.1, |x| 3.0 * x[0] + x[1] * x[2]));
    let kinds = ModelKind::single().into_iter().chain([ModelKind::Ensemble]);
    for kind in kinds {
        let found = metrics(&workshop, "train", &format!("--set model.kind={}", kind.name()));
        let r2 = found["cv"]["r2"].as_f64().unwrap();
        assert!(r2 > 0.3, "{kind:?} {r2}");
        let predicted = workshop.succeed("predict --checkpoint checkpoints/run table.csv");
        // The folds' mean has seen four fifths of every row: it must be nearer than out of fold.
        let truth = workshop.read("table.csv");
        let column = |text: &str, index: usize| -> Vec<f64> {
            text.lines()
                .skip(1)
                .map(|l| l.split(',').nth(index).unwrap().parse().unwrap())
                .collect()
        };
        let (own, y) = (column(&predicted, 2), column(&truth, 3));
        let mse = own.iter().zip(&y).map(|(p, y)| (p - y).powi(2)).sum::<f64>() / 120.0;
        assert!(mse <= found["cv"]["mse"].as_f64().unwrap(), "{kind:?} {mse} {found}");
    }
}

#[test]
fn on_very_few_rows_models_are_weighed_by_their_errors_without_the_networks() {
    let workshop = Workshop::new();
    workshop.write("table.csv", table(30, 3, 0.05, |x| 10.0 + 5.0 * x[0] + 3.0 * x[1]));
    let found = metrics(&workshop, "train", "--set model.kind=ensemble");
    let of = |model: &str, key: &str| -> f64 {
        let entries = found["leaderboard"]["entries"].as_array().unwrap();
        entries.iter().find(|own| own["model"] == model).unwrap()[key].as_f64().unwrap()
    };
    assert_eq!(of("mlp", "weight"), 0.0);
    let exact = of("ridge", "weight") + of("kernel", "weight");
    assert!(exact > 0.9, "{found}");
    assert!(of("ensemble", "rmse") < 3.0 * of("ridge", "rmse"), "{found}");
}

#[test]
fn rows_of_no_weight_calibrate_no_interval() {
    let workshop = Workshop::new();
    let real = table(24, 4, 0.1, |x| x[0]);
    let idle = table(116, 5, 0.1, |x| x[0]).replace(",1,0.1\n", ",0,0.1\n");
    workshop.write("table.csv", format!("{real}{}", idle.split_once('\n').unwrap().1));
    let line = format!(
        "train --params none.toml --data table.csv --target y --features a,b,c --set data.weight=count \
         --set model.kind=ridge --set features=raw {SHORT}"
    );
    workshop.write("none.toml", "");
    let error = workshop.fail(&format!("{line} --set interval.level=0.99"));
    assert!(error.contains("expected at least 99 for `interval.level` = 0.99"), "{error}");
    workshop.succeed(&format!("{line} --quiet --set interval.level=0.8"));
    // A fold without a row that counts has no error.
    workshop.write("folds.csv", format!("fold\n{}{}", "0\n1\n".repeat(12), "2\n".repeat(116)));
    let error = workshop.fail(&format!("{line} --fold-file folds.csv"));
    assert!(error.contains("all rows on one side of fold 2 have weight 0"), "{error}");
}

#[test]
fn folds_in_time_have_no_test_of_their_differences() {
    let workshop = Workshop::new();
    let rows = table(120, 6, 0.5, |x| x[0]);
    let timed = rows.lines().enumerate().map(|(row, line)| match row {
        0 => format!("{line},t\n"),
        row => format!("{line},{row}\n"),
    });
    workshop.write("table.csv", timed.collect::<String>());
    let found = metrics(&workshop, "train", "--set model.kind=ridge --set cv.order_column=t");
    let entries = found["leaderboard"]["entries"].as_array().unwrap();
    assert!(entries.iter().all(|own| own["difference"].is_null()), "{found}");
    workshop.succeed("report --name run");
}

#[test]
fn compare_ranks_every_model_and_says_when_the_network_loses() {
    let workshop = Workshop::new();
    workshop.write("table.csv", table(150, 2, 0.05, |x| x[0] - 2.0 * x[1] + 0.5 * x[2]));
    let found = metrics(&workshop, "compare", "--set model.kind=mlp");
    let board = &found["leaderboard"];
    let names: Vec<&str> =
        board["entries"].as_array().unwrap().iter().map(|e| e["model"].as_str().unwrap()).collect();
    assert_eq!(names.len(), 9, "{names:?}");
    assert!(["ridge", "kernel"].contains(&names[0]), "{names:?}");
    let entry = |name: &str| &board["entries"][names.iter().position(|n| *n == name).unwrap()];
    assert!(entry("ridge")["difference"]["mean"].as_f64().unwrap() < 0.0);
    let text = workshop.succeed(&format!(
        "compare --force --name run --params none.toml --data table.csv --target y --features a,b,c \
         {SHORT} {TRAINED} --set train.epochs=25"
    ));
    assert!(text.contains("mlp predicts and loses to"), "{text}");
    let page = workshop.read("reports/run/report.html");
    assert!(page.contains("loses to") && page.contains("Nadeau and Bengio"));
}

#[test]
fn nothing_is_claimed_on_pure_noise() {
    let workshop = Workshop::new();
    let mut sum = 0.0;
    for seed in 0..20 {
        workshop.write("table.csv", table(80, seed, 1.0, |_| 0.0));
        let found = metrics(&workshop, "train", "--set model.kind=ensemble");
        sum += found["cv"]["r2"].as_f64().unwrap();
        let mean = found["leaderboard"]["entries"].as_array().unwrap();
        let mean = mean.iter().find(|entry| entry["model"] == "mean").unwrap();
        let (p, gain) = (&mean["difference"]["p_value"], &mean["difference"]["mean"]);
        let is_claimed = p.as_f64().unwrap() < 0.05 && gain.as_f64().unwrap() > 0.0;
        assert!(!is_claimed, "seed {seed}: {mean}");
    }
    assert!(sum / 20.0 <= 0.0, "mean R2 {}", sum / 20.0);
}

#[test]
fn rows_without_weight_and_rows_of_great_uncertainty_count_for_nothing() {
    let workshop = Workshop::new();
    let clean = table(120, 3, 0.1, |x| 2.0 * x[0] + x[1]);
    // Sixty wild rows that weigh nothing, or are known to plus or minus ten thousand.
    let wild = table(60, 4, 50.0, |_| 400.0).lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
    let with = |count: &str, sigma: &str| -> String {
        let lines = wild.iter().map(|line| {
            let cells: Vec<&str> = line.split(',').collect();
            format!("{},{count},{sigma}\n", cells[..4].join(","))
        });
        clean.clone() + &lines.collect::<String>()
    };
    for (count, sigma, set) in
        [("0", "1", "data.weight=count"), ("1", "1e4", "data.uncertainty=sigma")]
    {
        workshop.write("table.csv", with(count, sigma));
        for kind in ["ridge", "kernel", "forest", "boosting", "neighbours", "mlp", "ensemble"] {
            let kind = format!("--set model.kind={kind}");
            let weighed = metrics(&workshop, "train", &format!("{kind} --set {set}"));
            let r2 = weighed["cv"]["r2"].as_f64().unwrap();
            assert!(r2 > 0.4, "{set} {kind} {r2}");
            let alike = metrics(&workshop, "train", &kind);
            let (own, other) = (&weighed["cv"]["rmse"], &alike["cv"]["rmse"]);
            assert!(own.as_f64().unwrap() < 0.1 * other.as_f64().unwrap(), "{own} {other}");
            let coverage = weighed["cv"]["coverage"].as_f64().unwrap();
            assert!((0.8..=1.0).contains(&coverage), "{set} {kind} {coverage}");
        }
    }
}

#[test]
fn uncertainties_in_proportion_to_the_target_count_alike_where_logarithms_are_learned() {
    let workshop = Workshop::new();
    let mut generator = Generator::new(8, &[]);
    let mut text = "a,b,c,y,sigma\n".to_owned();
    for _ in 0..150 {
        let [a, b, c] = [generator.normal(), generator.normal(), generator.normal()];
        // Five orders of magnitude: in its own unit the smallest would be all that counts.
        let y = (2.0 * a + b + 0.1 * generator.normal()).exp();
        text += &format!("{a},{b},{c},{y:e},{:e}\n", 0.05 * y);
    }
    workshop.write("table.csv", text);
    let line = "--set model.kind=ridge --set target.transform=log";
    let alike = metrics(&workshop, "train", line);
    let weighed = metrics(&workshop, "train", &format!("{line} --set data.uncertainty=sigma"));
    for score in ["rmse", "coverage", "interval_width"] {
        let [own, other] = [&weighed, &alike].map(|own| own["cv"][score].as_f64().unwrap());
        assert!((own - other).abs() <= 1e-9 * other, "{score}: {own} {other}");
    }
}

#[test]
fn columns_that_do_not_vary_let_networks_learn_the_mean() {
    let workshop = Workshop::new();
    let mut generator = Generator::new(9, &[]);
    let rows = (0..60).map(|_| format!("1,2,3,{}\n", 5.0 + generator.normal()));
    workshop.write("table.csv", format!("a,b,c,y\n{}", rows.collect::<String>()));
    let found = metrics(&workshop, "train", "--set train.recipe=auto --set model.kind=mlp");
    let rmse = found["cv"]["rmse"].as_f64().unwrap();
    assert!((0.6..1.5).contains(&rmse), "{rmse}");
}

#[test]
fn numbers_at_the_end_of_their_range_do_not_stop_a_training() {
    let workshop = Workshop::new();
    let mut generator = Generator::new(10, &[]);
    let mut sign = || if generator.uniform() < 0.5 { "-1e308" } else { "1e308" };
    let rows = (0..60).map(|row| format!("{},{},{row},{row}\n", sign(), sign()));
    workshop.write("table.csv", format!("a,b,c,y\n{}", rows.collect::<String>()));
    for set in ["[\"raw\",\"pairs(total)\"]", "[\"raw\",\"pca(summary)\"]"] {
        let found = metrics(
            &workshop,
            "train",
            &format!("--set model.kind=ridge --set features.set={set}"),
        );
        assert!(found["cv"]["rmse"].as_f64().unwrap().is_finite());
    }
}

#[test]
fn equal_rows_of_other_weights_are_not_equal() {
    let workshop = Workshop::new();
    let rows: Vec<String> =
        table(60, 6, 0.1, |x| x[0]).lines().skip(1).map(str::to_owned).collect();
    let own = |line: &String| {
        let cells: Vec<&str> = line.split(',').collect();
        let cells = cells[..4].join(",");
        format!("{cells},0\n{cells},1\n")
    };
    workshop.write(
        "table.csv",
        "a,b,c,y,count\n".to_owned() + &rows.iter().map(own).collect::<String>(),
    );
    let line = "--set model.kind=ridge --set data.weight=count --set clean.duplicates=drop \
                --set cv.split_by=row --set cv.leakage_check=false";
    let found = metrics(&workshop, "train", line);
    assert!(found["cv"]["r2"].as_f64().unwrap() > 0.8, "{found}");
}

#[test]
fn ways_to_split_and_losses_that_would_be_ignored_are_refused() {
    let workshop = Workshop::new();
    workshop.write("table.csv", table(40, 5, 0.1, |x| x[0]));
    let line = "train --data table.csv --target y --set cv.order_column=a --set cv.split_by=row";
    assert!(workshop.fail(line).contains("cv.split_by"));
    let line = format!(
        "tune --data table.csv --target y --name huber {SHORT} --set train.loss=huber --set tune.trials=2 \
         --set tune.space.model.dropout={{low=0.0,high=0.4}}"
    );
    assert!(workshop.fail(&line).contains("expected `mse`"));
    assert!(!workshop.exists("checkpoints/huber.unfinished"));
}

#[test]
fn a_search_without_networks_is_refused() {
    let workshop = Workshop::new();
    workshop.write("table.csv", table(40, 5, 0.1, |x| x[0]));
    let line = "tune --data table.csv --target y --trials 3 --set model.kind=ridge";
    let error = workshop.fail(line);
    assert!(error.contains("`model.kind` is `ridge`"), "{error}");
}

#[test]
fn intervals_have_one_unit_though_some_folds_cannot_judge_their_networks() {
    let workshop = Workshop::new();
    // Folds of 31 rows train on 24 or 25: only the latter have five rows for each of five inner parts.
    for (factor, place) in [(1.0, 0), (1e-3, 1)] {
        let truth = |x: &[f64; 3]| factor * (5000.0 + 1000.0 * x[0] + 300.0 * x[1]);
        workshop.write("table.csv", table(31, 3, 100.0 * factor, truth));
        let found = metrics(&workshop, "train", "--set model.kind=mlp --set train.inner_parts=5");
        let of = |key: &str| found["cv"][key].as_f64().unwrap() / factor;
        let widths: Vec<f64> = found["folds"]
            .as_array()
            .unwrap()
            .iter()
            .map(|own| own["interval_width"].as_f64().unwrap() / factor)
            .collect();
        let (narrow, wide) = (
            widths.iter().copied().fold(f64::MAX, f64::min),
            widths.iter().copied().fold(0.0, f64::max),
        );
        assert!(wide < 3.0 * narrow, "{place}: {widths:?}");
        assert!(of("interval_width") < 8.0 * of("rmse"), "{found}");
    }
}

#[test]
fn few_groups_leave_no_inner_part_without_rows() {
    let workshop = Workshop::new();
    let plain = table(300, 4, 1.0, |x| 10.0 * x[0]);
    workshop.write("table.csv", grouped(&plain, |row| (row % 3).to_string()));
    for seed in [1, 2, 4, 6] {
        let line = format!(
            "--group group --set model.kind=boosting --set cv.folds=3 --set interval.level=0.6 --set model.members=2 \
             --set train.seed={seed} --set cv.leakage_check=false"
        );
        let found = metrics(&workshop, "train", &line);
        for fold in found["folds"].as_array().unwrap() {
            assert!(fold["r2"].as_f64().unwrap() > 0.8, "{fold}");
        }
    }
}

#[test]
fn features_that_cannot_be_compared_are_still_reported_and_read_again() {
    let workshop = Workshop::new();
    let plain = table(40, 4, 0.1, |x| x[0]);
    workshop.write("table.csv", grouped(&plain, |row| format!("\u{1}{}", row % 2)));
    // Names with control characters are drawn without them.
    let line = "--group group --set model.kind=ridge --set cv.folds=2 --set interval.level=0.5 --set features=auto \
                --set cv.leakage_check=false";
    metrics(&workshop, "train", line);
    workshop.succeed("report --name run --params none.toml");
}

#[test]
fn bad_weights_are_refused() {
    let workshop = Workshop::new();
    // Only ratios count.
    let huge = table(40, 5, 0.1, |x| x[0]).replace(",1,0.1", ",1e308,0.1");
    workshop.write("table.csv", huge);
    metrics(&workshop, "train", "--set model.kind=ridge --set data.weight=count");
    for (weight, expected) in [("-1", "numbers from 0 on"), ("x", "expected a number")] {
        let text = table(40, 5, 0.1, |x| x[0]).replacen(",1,0.1", &format!(",{weight},0.1"), 1);
        workshop.write("table.csv", text);
        let line = format!("train --data table.csv --target y --set data.weight=count {SHORT}");
        assert!(workshop.fail(&line).contains(expected), "{}", workshop.fail(&line));
    }
}

#[test]
fn intervals_of_the_ensemble_hold_on_five_tables_and_adapt_where_noise_varies() {
    let workshop = Workshop::new();
    let (mut covered, mut rows) = (0.0, 0.0);
    for seed in 0..5 {
        let simulate = "simulate --containers 300 --remeasured 0 --out table.csv --force";
        workshop.succeed(&format!("{simulate} --seed {}", 900 + seed));
        let line = "train --json --force --name run --data table.csv --set model.kind=ensemble";
        let text = workshop.succeed(&format!("{line} {SHORT}"));
        let found: Value = serde_json::from_str(&text).unwrap();
        covered += 300.0 * found["cv"]["coverage"].as_f64().unwrap();
        rows += 300.0;
    }
    // Three standard errors of a share of 0.9 among 1500 rows.
    let coverage: f64 = covered / rows;
    assert!((coverage - 0.9).abs() < 3.0 * (0.09_f64 / 1500.0).sqrt(), "{coverage}");
}

#[test]
fn intervals_are_wider_where_errors_are_larger() {
    let workshop = Workshop::new();
    let mut generator = Generator::new(6, &[]);
    let mut text = "a,b,c,y\n".to_owned();
    for _ in 0..400 {
        let x = [0; 3].map(|_| generator.between(-1.0, 1.0));
        let noise = if x[0] > 0.0 { 1.0 } else { 0.05 };
        text += &format!("{},{},{},{}\n", x[0], x[1], x[2], x[1] + noise * generator.normal());
    }
    workshop.write("table.csv", text);
    let found = metrics(&workshop, "train", "--set model.kind=ridge");
    let coverage = found["cv"]["coverage"].as_f64().unwrap();
    assert!((0.85..0.95).contains(&coverage), "{coverage}");
    workshop.write("new.csv", "a,b,c\n-0.5,0,0\n0.5,0,0\n");
    let predicted = workshop.succeed("predict --checkpoint checkpoints/run new.csv");
    let width = |line: usize| -> f64 {
        let cells: Vec<&str> = predicted.lines().nth(line).unwrap().split(',').collect();
        cells[2].parse::<f64>().unwrap() - cells[1].parse::<f64>().unwrap()
    };
    assert!(width(2) > 4.0 * width(1), "{predicted}");
}
