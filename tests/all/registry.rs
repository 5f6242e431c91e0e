//! Champions without a server, and checkpoints that are not what they say.

use crate::support::{SHORT, Workshop};

fn trained(names: &[&str]) -> Workshop {
    let shop = Workshop::new();
    for (seed, name) in names.iter().enumerate() {
        shop.succeed(&format!("train {SHORT} --name {name} --quiet --set train.seed={seed}"));
    }
    shop
}

#[test]
fn a_champion_is_promoted_listed_and_rolled_back() {
    let shop = trained(&["a", "b"]);
    assert!(!shop.succeed("registry list").contains("champion"));
    shop.succeed("registry promote a");
    shop.succeed("registry promote b");
    let runs: serde_json::Value =
        serde_json::from_str(&shop.succeed("registry list --json")).unwrap();
    let champions: Vec<&str> = runs
        .as_array()
        .unwrap()
        .iter()
        .filter(|run| run["champion"] == true)
        .map(|run| run["run"].as_str().unwrap())
        .collect();
    assert_eq!(champions, ["b"]);
    assert!(shop.fail("registry promote b").contains("is the champion of `massay-mass` already"));
    assert!(shop.fail("registry promote c").contains("has no manifest.json"));
    // One spelling for each run: whoever removes runs looks for the champion by its name.
    for name in ["a/", "./a", "../checkpoints/a", "b/../a"] {
        let said = shop.fail(&format!("registry promote {name}"));
        assert!(said.contains("a character that is not allowed"), "{name}: {said}");
    }
    assert_eq!(shop.succeed("registry rollback"), "a is the champion of massay-mass again\n");
    assert!(shop.fail("registry rollback").contains("no champion before the present one"));
}

#[test]
fn rollback_refuses_a_run_that_was_trained_again() {
    let shop = trained(&["a", "b"]);
    shop.succeed("registry promote a");
    shop.succeed("registry promote b");
    shop.succeed(&format!("train {SHORT} --name a --force --quiet --set train.seed=9"));
    let said = shop.fail("registry rollback");
    assert!(said.contains("it was trained again since"), "{said}");
    assert!(
        shop.succeed("registry list")
            .lines()
            .any(|line| line.starts_with('b') && line.ends_with("champion"))
    );
}

#[test]
fn verify_computes_the_scores_anew_and_sees_what_was_changed() {
    let shop = trained(&["a"]);
    let said = shop.succeed("verify checkpoints/a");
    assert!(said.contains("interval_score") && said.contains("regressors.safetensors as recorded"));
    // A manifest with a better score than the models have.
    let manifest = shop.read("checkpoints/a/manifest.json");
    let mut value: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    value["metrics"]["cv"]["rmse"] = 1.0.into();
    shop.write("checkpoints/a/manifest.json", value.to_string());
    let said = shop.fail("verify checkpoints/a");
    assert!(said.contains("expected 1 as recorded"), "{said}");
    shop.write("checkpoints/a/manifest.json", manifest);
    // Another table, no table, a damaged model.
    let table = shop.read("data/simulations.csv");
    shop.write("data/simulations.csv", table.replacen('1', "2", 1));
    assert!(shop.fail("verify checkpoints/a").contains("the table that the model was trained on"));
    shop.write("other.csv", table);
    shop.succeed("verify checkpoints/a --data other.csv");
    std::fs::remove_file(shop.path("data/simulations.csv")).unwrap();
    assert!(shop.succeed("verify checkpoints/a").contains("not here"));
    let mut model = std::fs::read(shop.path("checkpoints/a/model.safetensors")).unwrap();
    *model.last_mut().unwrap() ^= 1;
    shop.write("checkpoints/a/model.safetensors", model);
    assert!(shop.fail("verify checkpoints/a").contains("SHA-256 differs"));
}
