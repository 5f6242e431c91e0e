//! A Python environment with what `tests/python/requirements.txt` pins, made on first use.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Mutex,
};

/// One test makes the environment, the others wait for it.
static MAKING: Mutex<()> = Mutex::new(());

/// The interpreter of the environment in `target/python`, which is made anew where the requirements have
/// changed.
pub(crate) fn python() -> PathBuf {
    let _making = MAKING.lock().unwrap();
    let requirements = Path::new("tests/python/requirements.txt");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../python");
    let (interpreter, done) = (folder.join("bin/python"), folder.join("requirements.txt"));
    let wanted = fs::read_to_string(requirements).unwrap();
    if fs::read_to_string(&done).is_ok_and(|installed| installed == wanted) {
        return interpreter;
    }
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder));
    let install = ["-m", "pip", "install", "--quiet", "--requirement"];
    run(Command::new(&interpreter).args(install).arg(requirements));
    fs::copy(requirements, done).unwrap();
    interpreter
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {errors}");
}

/// What a script in `tests/python` prints.
pub(crate) fn script(name: &str, arguments: &[&Path]) -> String {
    let mut command = Command::new(python());
    command.arg(Path::new("tests/python").join(name)).args(arguments);
    let output = command.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}
