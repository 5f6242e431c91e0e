//! The pipeline in `dvc.yaml` under the real DVC.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    mlflow_server::path_with_python,
    python::python,
    support::{QUICK_MODEL, Workshop},
};

/// What the stages depend on, and what tells DVC and Git about them.
const FILES: [&str; 8] = [
    ".dvc/.gitignore",
    ".dvc/config",
    ".dvcignore",
    ".gitignore",
    "Cargo.lock",
    "data/schema.toml",
    "dvc.yaml",
    "params.toml",
];

/// Networks alone, few and small, so that a stage takes seconds.
const QUICK: &str = "recipe = \"none\"\nepochs = 5\nseed = 7\n";

/// A copy of the project under version control in a folder of its own.
struct Project {
    folder: PathBuf,
    path: String,
}

impl Project {
    fn new(root: &Path) -> Self {
        let folder = root.join("project");
        for file in FILES.map(str::to_owned).into_iter().chain(sources(Path::new("src"))) {
            let to = folder.join(&file);
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(&file, to).unwrap();
        }
        let params = fs::read_to_string(folder.join("params.toml")).unwrap();
        let params = params.replace("kind = \"ensemble\"", "kind = \"mlp\"\nhidden = [8]");
        let params = params.replace("set = \"auto\"", "set = [\"log1p(raw)\"]");
        let params =
            params.replace("recipe = \"auto\"", QUICK.split_once("seed").unwrap().0.trim());
        fs::write(folder.join("params.toml"), params).unwrap();
        let project = Self { folder, path: search_path(root) };
        for line in ["init --quiet", "add --all", "commit --quiet --message start"] {
            project.run("git", line);
        }
        project
    }

    /// A clone, which has what Git has and nothing else.
    fn clone_to(&self, folder: &Path) -> Self {
        let path = folder.display();
        self.run("git", &format!("clone --quiet . {path}"));
        Self { folder: folder.to_owned(), path: self.path.clone() }
    }

    /// Runs a program, which must succeed, and returns what it prints.
    fn run(&self, program: &str, line: &str) -> String {
        let mut command = Command::new(program);
        command.args(line.split_whitespace()).current_dir(&self.folder);
        command.env("PATH", &self.path).env("DVC_NO_ANALYTICS", "1");
        command.env("XDG_RUNTIME_DIR", &self.folder);
        for who in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{who}_NAME"), "test");
            command.env(format!("GIT_{who}_EMAIL"), "test@localhost");
        }
        let output = command.output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (said, errors) = (text(&output.stdout), text(&output.stderr));
        assert!(output.status.success(), "{program} {line}: {said}\n{errors}");
        said
    }

    fn commit(&self) {
        self.run("git", "add --all");
        self.run("git", "commit --quiet --message done");
    }

    /// What Git finds changed.
    fn changes(&self) -> String {
        self.run("git", "status --short")
    }
}

/// Every file below `folder`.
fn sources(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(
            |path| {
                if path.is_dir() { sources(&path) } else { vec![path.display().to_string()] }
            },
        )
        .collect()
}

/// A search path on which `cargo run --release --quiet -- ARGUMENTS` is the program that is tested, without
/// building it anew for every clone, and `dvc` is the pinned one.
fn search_path(root: &Path) -> String {
    let folder = root.join("bin");
    fs::create_dir_all(&folder).unwrap();
    let program = env!("CARGO_BIN_EXE_massay");
    let cargo = folder.join("cargo");
    fs::write(&cargo, format!("#!/bin/sh\nshift 4\nexec {program} \"$@\"\n")).unwrap();
    fs::set_permissions(&cargo, fs::Permissions::from_mode(0o755)).unwrap();
    let python = python();
    let python = python.parent().unwrap().canonicalize().unwrap();
    format!("{}:{}:{}", folder.display(), python.display(), std::env::var("PATH").unwrap())
}

#[test]
#[ignore = "needs Python 3 with venv, and Git"]
fn a_clone_without_a_remote_reproduces_everything_and_leaves_git_clean() {
    let root = tempfile::tempdir().unwrap();
    let project = Project::new(root.path());
    project.run("dvc", "repro --quiet");
    let data = fs::read(project.folder.join("data/simulations.csv")).unwrap();
    assert!(
        data == fs::read("data/simulations.csv").unwrap(),
        "the shipped data are no longer made"
    );
    project.commit();
    assert!(project.run("dvc", "repro").contains("Data and pipelines are up to date"));
    let clone = project.clone_to(&root.path().join("clone"));
    clone.run("dvc", "repro --quiet");
    assert_eq!(clone.changes(), "");
    // Even where every stage runs again.
    clone.run("dvc", "repro --quiet --force");
    assert_eq!(clone.changes(), "");
    assert!(clone.folder.join("checkpoints/drums/run.json").exists());
    // The newest losses of a stage that runs.
    let live = clone.run("dvc", "metrics show --json");
    let live: serde_json::Value = serde_json::from_str(&live).unwrap();
    let live = &live[""]["data"]["dvclive/metrics.json"]["data"];
    assert!(live["step"] == 5 && live["loss"]["train"].is_f64() && live["cv"]["rmse"].is_f64());
}

#[test]
#[ignore = "needs Python 3 with venv, and Git"]
fn experiments_metrics_plots_and_remotes_work_on_what_is_written() {
    let root = tempfile::tempdir().unwrap();
    let project = Project::new(root.path());
    project.run("dvc", "repro --quiet");
    project.commit();
    // What travels through a remote is the model, which predicts in the clone.
    let store = root.path().join("store");
    project.run("dvc", &format!("remote add --quiet --default store {}", store.display()));
    project.commit();
    project.run("dvc", "push --quiet");
    let clone = project.clone_to(&root.path().join("clone"));
    clone.run("dvc", "pull --quiet");
    let line =
        "run --release --quiet -- predict --checkpoint checkpoints/drums data/simulations.csv";
    assert_eq!(clone.run("cargo", line), project.run("cargo", line));
    // A key that the file has, and one that it leaves to the program.
    let sets = "-S params.toml:train.epochs=9 -S params.toml:+train.learning_rate=0.01";
    project.run("dvc", &format!("exp run --quiet --name other {sets}"));
    let shown = project.run("dvc", "exp show --json");
    assert!(shown.contains("\"other\"") && shown.contains("interval_score"));
    let changed = project.run("dvc", "params diff --md");
    assert!(
        changed.contains("train.epochs") && changed.contains("train.learning_rate"),
        "{changed}"
    );
    let changed = project.run("dvc", "metrics diff --md");
    assert!(changed.contains("cv.rmse") && changed.contains("evaluation.rmse"), "{changed}");
    let plots = project.run("dvc", "plots show");
    let page = fs::read_to_string(plots.trim().trim_start_matches("file://")).unwrap();
    assert!(page.contains("validation_loss") && page.contains("residuals.png"), "{plots}");
    assert!(page.contains("dvclive/plots/metrics/loss/train.tsv"), "{plots}");
}

#[test]
#[ignore = "needs Python 3 with venv"]
fn where_dvc_is_in_use_the_table_of_a_retraining_is_kept_by_it() {
    let shop = Workshop::new();
    let path = path_with_python();
    for line in ["git init --quiet", "dvc init --quiet"] {
        let (program, arguments) = line.split_once(' ').unwrap();
        let mut command = Command::new(program);
        command.args(arguments.split(' ')).current_dir(shop.path(".")).env("PATH", &path);
        assert!(command.env("DVC_NO_ANALYTICS", "1").status().unwrap().success(), "{line}");
    }
    shop.succeed(&format!("train {QUICK_MODEL} --name first --quiet"));
    shop.succeed("registry promote first");
    shop.succeed("simulate --containers 284 --out more.csv");
    let text = shop.read("more.csv").replace("\nC", "\nN");
    shop.write("more.csv", text);
    let line = "retrain --data more.csv --name second --set retrain.repeats=1";
    let output = shop.command(line).env("PATH", &path).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("kept by DVC as data/retrained/second.csv.dvc"), "{said}");
    assert!(shop.read("data/retrained/second.csv.dvc").contains("path: second.csv"));
}
