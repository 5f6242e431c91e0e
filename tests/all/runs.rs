//! Finished runs as a list with a trend, and the removal of those that nobody needs.

use std::{fs, process::Stdio};

use serde_json::Value;

use crate::support::{QUICK_MODEL, Workshop};

/// A folder with the quick runs `a`, `b` and `c`, of which `a` is the oldest and the champion.
fn shop() -> Workshop {
    let shop = Workshop::new();
    for (seed, name) in ["a", "b", "c"].into_iter().enumerate() {
        let line = format!("train {QUICK_MODEL} --name {name} --quiet --set train.seed={seed}");
        shop.succeed(&line);
        // Runs of one second are told apart by their names; here their times are.
        let path = format!("checkpoints/{name}/run.json");
        let mut record: Value = serde_json::from_str(&shop.read(&path)).unwrap();
        record["started"] = format!("2026-01-0{}T08:00:30Z", seed + 1).into();
        shop.write(&path, record.to_string());
    }
    shop.succeed("registry promote a");
    shop
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn names(list: &Value, key: &str) -> Vec<String> {
    let own = list.as_array().unwrap().iter();
    own.map(|one| one[key].as_str().unwrap().to_owned()).collect()
}

/// The run with the smallest RMSE; of equals the newest, which stands first.
fn best(shop: &Workshop) -> String {
    let runs = json(&shop.succeed("runs --json"))["runs"].clone();
    let rmse = |run: &&Value| run["rmse"].as_f64().unwrap();
    let best = runs.as_array().unwrap().iter().min_by(|a, b| rmse(a).total_cmp(&rmse(b))).unwrap();
    best["run"].as_str().unwrap().to_owned()
}

#[test]
fn runs_are_listed_the_newest_first_with_the_trend_of_their_table() {
    let shop = shop();
    let said = shop.succeed("runs");
    let lines: Vec<&str> = said.lines().collect();
    assert!(lines[0].starts_with("run") && lines[0].contains("started (UTC)"), "{said}");
    for (line, name) in lines[1..].iter().zip(["c", "b", "a"]) {
        assert!(line.starts_with(name) && line.contains("simulations.csv "), "{said}");
        assert!(line.contains("mass") && line.contains("ridge") && line.contains(" g"), "{said}");
        assert_eq!(line.ends_with("champion"), name == "a", "{said}");
    }
    assert!(lines[3].contains("2026-01-01 08:00 "), "{said}");
    assert!(
        lines[5].starts_with("mass on simulations.csv (") && lines[5].contains("): 3 runs, RMSE ")
    );

    let history = json(&shop.succeed("runs --json"));
    assert_eq!(names(&history["runs"], "run"), ["c", "b", "a"]);
    let (run, trend) = (&history["runs"][0], &history["trends"][0]);
    assert_eq!(
        (&run["target"], &run["unit"], &run["rows"]),
        (&"mass".into(), &"g".into(), &104.into())
    );
    assert_eq!(run["data"], "data/simulations.csv");
    assert_eq!(
        (&trend["runs"], &trend["newest"]["run"], &trend["first"]["run"]),
        (&3.into(), &"c".into(), &"a".into())
    );
    let change =
        trend["newest"]["rmse"].as_f64().unwrap() - trend["best_before"]["rmse"].as_f64().unwrap();
    assert!((change - trend["change"].as_f64().unwrap()).abs() < 1e-12);
}

#[test]
fn without_runs_the_list_says_so_and_damaged_runs_are_warned_of() {
    let shop = Workshop::new();
    for line in ["runs", "runs prune"] {
        let said = shop.succeed(line);
        assert!(
            said.contains("no finished runs in checkpoints") && said.contains("hint:"),
            "{said}"
        );
    }
    assert_eq!(json(&shop.succeed("runs --json"))["runs"], Value::Array(Vec::new()));
    fs::create_dir_all(shop.path("checkpoints/damaged")).unwrap();
    shop.write("checkpoints/damaged/manifest.json", "{}");
    let output = shop.run("runs");
    assert!(output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("damaged"));
}

#[test]
fn prune_removes_what_the_rule_lets_go_and_never_the_champion() {
    let shop = shop();
    let best = best(&shop);
    let stays = |name: &str| name == "a" || name == "c" || name == best;
    fs::create_dir_all(shop.path("checkpoints/d.unfinished")).unwrap();

    // What would go is told, and nothing happens.
    let plan = json(&shop.succeed("runs prune --keep 1 --dry-run --json"));
    let goes: Vec<String> =
        ["b"].iter().filter(|own| !stays(own)).map(|own| (*own).to_owned()).collect();
    assert_eq!((names(&plan["removed"], "run"), &plan["done"]), (goes.clone(), &false.into()));
    let reasons = plan["kept"].as_array().unwrap().iter().find(|own| own["name"] == "a").unwrap();
    assert!(reasons["reasons"].as_array().unwrap().contains(&"champion".into()), "{plan}");
    assert!(
        ["a", "b", "c"].iter().all(|own| shop.exists(&format!("checkpoints/{own}/manifest.json")))
    );
    let said = shop.succeed("runs prune --keep 1 --dry-run");
    assert!(said.contains("champion") && said.contains("d.unfinished"), "{said}");

    let done = json(&shop.succeed("runs prune --keep 1 --yes --json"));
    assert_eq!(names(&done["removed"], "run"), goes);
    for name in ["a", "b", "c"] {
        assert_eq!(shop.exists(&format!("checkpoints/{name}")), stays(name), "{name}");
        assert_eq!(shop.exists(&format!("reports/{name}")), stays(name), "{name}");
    }
    assert!(shop.exists("checkpoints/d.unfinished"));
    assert!(!shop.exists("checkpoints/.b.removed") && !shop.exists("reports/.b.removed"));
    shop.succeed("verify checkpoints/a");
}

#[test]
fn prune_removes_a_worse_run_with_its_report() {
    let shop = shop();
    // An old run with a larger error than the others.
    shop.succeed(&format!("train {QUICK_MODEL} --name old --quiet --set train.seed=9"));
    let path = "checkpoints/old/manifest.json";
    let mut manifest = json(&shop.read(path));
    manifest["metrics"]["cv"]["rmse"] = 1e6.into();
    shop.write(path, manifest.to_string());
    let mut record = json(&shop.read("checkpoints/old/run.json"));
    record["started"] = "2025-01-01T00:00:00Z".into();
    shop.write("checkpoints/old/run.json", record.to_string());

    let said = shop.succeed("runs prune --keep 3 --dry-run");
    assert!(said.lines().any(|line| line.starts_with("remove  old")), "{said}");
    assert!(said.contains("1 run (") && said.contains("nothing was removed"), "{said}");

    // Nobody is there to be asked.
    let output = shop.command("runs prune --keep 3").stdin(Stdio::null()).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && output.stdout.is_empty(), "{errors}");
    assert!(errors.contains("1 run would be removed") && errors.contains("--yes"), "{errors}");
    assert!(shop.exists("checkpoints/old/manifest.json"));

    let said = shop.succeed("runs prune --keep 3 --yes");
    assert!(said.contains("removed  old") && said.contains("removed 1 run ("), "{said}");
    assert!(!shop.exists("checkpoints/old") && !shop.exists("reports/old"));
    assert!(["a", "b", "c"].iter().all(|own| shop.exists(&format!("reports/{own}/report.html"))));
    assert!(shop.succeed("runs prune --keep 3").contains("nothing to remove"));
}

#[test]
fn runs_that_rollback_needs_stay() {
    let shop = shop();
    shop.succeed("registry promote b");
    shop.succeed("registry promote c");
    let done = json(&shop.succeed("runs prune --keep 0 --yes --json"));
    assert_eq!(names(&done["removed"], "run"), Vec::<String>::new());
    assert_eq!(shop.succeed("registry rollback"), "b is the champion of massay-mass again\n");
    assert_eq!(shop.succeed("registry rollback"), "a is the champion of massay-mass again\n");
}

#[test]
fn a_run_that_is_trained_again_stays() {
    let shop = shop();
    fs::create_dir_all(shop.path("checkpoints/b.unfinished")).unwrap();
    let plan = json(&shop.succeed("runs prune --keep 0 --dry-run --json"));
    let kept = plan["kept"].as_array().unwrap();
    let reasons = &kept.iter().find(|own| own["name"] == "b").unwrap()["reasons"];
    assert!(reasons.as_array().unwrap().contains(&"trained_again".into()), "{plan}");
}
