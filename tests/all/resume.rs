//! A training that is killed goes on to the same end.

use std::{
    fs,
    process::Stdio,
    thread::sleep,
    time::{Duration, Instant},
};

use massay::data::Generator;

use crate::support::{SHORT, Workshop};

/// Long enough that a kill lands inside.
const LONG: &str = "--set model.members=2 --set model.hidden=[16] --set train.epochs=3000 \
                    --set train.patience=0 --set features=log1p(raw) --set train.recipe=none \
                    --set model.kind=mlp";

fn files(workshop: &Workshop, name: &str) -> [Vec<u8>; 3] {
    ["model.safetensors", "manifest.json"]
        .map(|file| fs::read(workshop.path(&format!("checkpoints/{name}/{file}"))).unwrap())
        .into_iter()
        .chain([fs::read(workshop.path(&format!("reports/{name}/history.csv"))).unwrap()])
        .collect::<Vec<_>>()
        .try_into()
        .unwrap()
}

#[test]
fn a_run_killed_at_random_moments_ends_in_the_same_bits() {
    let workshop = Workshop::new();
    let began = Instant::now();
    workshop.succeed(&format!("train --name whole --quiet {LONG}"));
    let whole = began.elapsed();
    let mut generator = Generator::new(30, &[]);
    let mut kills = 0;
    let mut child =
        workshop.command(&format!("train --name killed --quiet {LONG}")).spawn().unwrap();
    for _ in 0..4 {
        sleep(whole.mul_f64(generator.between(0.1, 0.6)));
        // On Unix this is SIGKILL: nothing can be saved on the way out.
        child.kill().unwrap();
        let status = child.wait().unwrap();
        kills += usize::from(!status.success());
        if !workshop.exists("checkpoints/killed.unfinished") {
            break;
        }
        child = workshop.command("train --resume --name killed --quiet").spawn().unwrap();
    }
    child.wait().unwrap();
    if workshop.exists("checkpoints/killed.unfinished") {
        workshop.succeed("train --resume --quiet");
    }
    assert!(kills > 0, "every kill came too late");
    assert!(files(&workshop, "whole") == files(&workshop, "killed"), "the results differ");
    assert!(!workshop.exists("checkpoints/killed.unfinished"));
}

#[test]
fn a_run_killed_between_its_regressors_keeps_those_it_has() {
    let workshop = Workshop::new();
    let line = format!("--quiet {SHORT} --set model.kind=ensemble --set cv.leakage_check=false");
    workshop.succeed(&format!("train --name whole {line}"));
    let mut child = workshop.command(&format!("train --name killed {line}")).spawn().unwrap();
    let kept = || workshop.exists("checkpoints/killed.unfinished/forest-0-0.safetensors");
    while !kept() && child.try_wait().unwrap().is_none() {
        sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(kept(), "it was killed too late");
    workshop.succeed("train --resume --name killed --quiet");
    assert!(files(&workshop, "whole") == files(&workshop, "killed"), "the results differ");
    let regressors =
        |name: &str| fs::read(workshop.path(&format!("checkpoints/{name}/regressors.safetensors")));
    assert!(regressors("whole").unwrap() == regressors("killed").unwrap());
}

#[test]
fn a_run_killed_while_its_features_are_chosen_chooses_them_again() {
    let workshop = Workshop::new();
    let line = "--quiet --set train.epochs=40 --set model.hidden=[16] --set features=auto \
                --set train.recipe=none --set model.kind=mlp";
    workshop.succeed(&format!("train --name whole {line}"));
    let mut child = workshop.command(&format!("train --name killed {line}")).spawn().unwrap();
    while !workshop.exists("checkpoints/killed.unfinished/lock") {
        sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!workshop.read("checkpoints/killed.unfinished/start.json").contains("\"blocks\""));
    workshop.succeed("train --resume --name killed --quiet");
    assert!(files(&workshop, "whole") == files(&workshop, "killed"), "the results differ");
}

#[test]
fn a_run_with_missing_values_goes_on() {
    let workshop = Workshop::new();
    let table = workshop.read("data/simulations.csv").replacen("1139.8950", "", 1);
    workshop.write("data/gaps.csv", table);
    let line = format!("train --data data/gaps.csv {LONG} --set clean.missing=median --quiet");
    let mut child = workshop.command(&format!("{line} --name gaps")).spawn().unwrap();
    while !workshop.exists("checkpoints/gaps.unfinished/lock") {
        sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    workshop.succeed("train --resume --name gaps --quiet");
    assert!(workshop.exists("checkpoints/gaps/manifest.json"));
}

#[test]
fn a_run_does_not_go_on_with_other_folds() {
    let workshop = Workshop::new();
    let given = |shift: usize| -> String {
        let lines = (0..104).map(|row| format!("{}\n", (row + shift) / 3 % 4));
        "fold\n".to_owned() + &lines.collect::<String>()
    };
    workshop.write("folds.csv", given(0));
    let line = format!("train --name k --quiet --fold-file folds.csv {LONG}");
    let mut child = workshop.command(&line).spawn().unwrap();
    while !workshop.exists("checkpoints/k.unfinished/lock") {
        sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    workshop.write("folds.csv", given(1));
    let error = workshop.fail("train --resume --name k");
    assert!(error.contains("the folds have changed"), "{error}");
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_saves_itself_and_says_how_to_go_on() {
    let workshop = Workshop::new();
    let line = format!("train --name stopped --quiet {LONG} --set train.epochs=100000");
    let child = workshop.command(&line).stderr(Stdio::piped()).spawn().unwrap();
    while !workshop.exists("checkpoints/stopped.unfinished/start.json") {
        sleep(Duration::from_millis(20));
    }
    sleep(Duration::from_millis(500));
    let interrupt =
        std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(interrupt.unwrap().success());
    let output = child.wait_with_output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{errors}");
    assert!(errors.contains("massay train --resume --name stopped"), "{errors}");
    let saved = fs::read_dir(workshop.path("checkpoints/stopped.unfinished")).unwrap();
    let states = saved.flatten().filter(|e| e.file_name().to_string_lossy().starts_with("state-"));
    assert!(states.count() > 0, "no state was saved");
    assert!(!workshop.exists("checkpoints/stopped") && !workshop.exists("reports/stopped"));
}

#[test]
fn a_run_does_not_go_on_with_other_data_or_without_a_state() {
    let workshop = Workshop::new();
    assert!(workshop.fail("train --resume").contains("there is no unfinished run"));
    let mut child = workshop.command(&format!("train --name k --quiet {LONG}")).spawn().unwrap();
    while !workshop.exists("checkpoints/k.unfinished/lock") {
        sleep(Duration::from_millis(5));
    }
    let error = workshop.fail("train --resume --name k");
    assert!(error.contains("another process works on run `k`"), "{error}");
    let error = workshop.fail(&format!("train --name k --force {SHORT}"));
    assert!(error.contains("another process works on run `k`"), "{error}");
    child.kill().unwrap();
    child.wait().unwrap();
    let error = workshop.fail(&format!("train --name k {SHORT}"));
    assert!(error.contains("exists already") && error.contains("--resume --name k"), "{error}");
    let error = workshop.fail("train --resume --name k --exclude det1");
    assert!(error.contains("cannot be used with"), "{error}");
    let error = workshop.fail("compare --resume --name k");
    assert!(error.contains("started by `massay train`"), "{error}");
    let error = workshop.fail("train --resume --name k --backend ndarray");
    assert!(error.contains("another backend"), "{error}");
    let data = workshop.read("data/simulations.csv");
    workshop.write("data/simulations.csv", data.replacen("C001", "C999", 1));
    let error = workshop.fail("train --resume --name k");
    assert!(error.contains("has changed"), "{error}");
    workshop.write("data/simulations.csv", data);
    fs::write(workshop.path("checkpoints/k.unfinished/state-0-0-0.safetensors"), b"rubbish")
        .unwrap();
    let error = workshop.fail("train --resume --name k");
    assert!(error.contains("expected the state of this training"), "{error}");
    assert!(workshop.exists("checkpoints/k.unfinished/start.json"), "the run was thrown away");
    workshop.succeed(&format!("train --name k --force --quiet {SHORT}"));
}
