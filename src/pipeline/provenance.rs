//! Where a run's numbers come from: time, machine, version of the working folder.

use std::{fs, path::Path, process::Command};

use sha2::{Digest, Sha256};
use sysinfo::{CpuRefreshKind, RefreshKind, System};

use crate::{
    data::hexadecimal,
    model::Backend,
    report::{GitState, Provenance},
};

/// The UTC time as RFC 3339, to the second.
pub(super) fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The UTC time in a form that sorts as file names do.
pub(super) fn compact_now() -> String {
    jiff::Timestamp::now().strftime("%Y%m%d-%H%M%S").to_string()
}

/// The processor or graphics card that `backend` computes on.
pub(super) fn hardware(backend: &Backend) -> String {
    if !backend.is_cpu() {
        return backend.name.clone();
    }
    let refresh = RefreshKind::nothing().with_cpu(CpuRefreshKind::nothing());
    let system = System::new_with_specifics(refresh);
    let brand = system.cpus().first().map_or("", |cpu| cpu.brand()).trim().to_owned();
    let brand = if brand.is_empty() { std::env::consts::ARCH.to_owned() } else { brand };
    let threads = rayon::current_num_threads();
    format!("{brand}, {threads} {}", if threads == 1 { "thread" } else { "threads" })
}

/// The version of the working folder; `None` outside a repository.
pub(super) fn git_state() -> Option<GitState> {
    let commit = git(&["rev-parse", "HEAD"])?;
    let branch = git(&["symbolic-ref", "--quiet", "--short", "HEAD"]).unwrap_or_default();
    let dirty = !git(&["status", "--porcelain", "--untracked-files=no"])?.is_empty();
    Some(GitState { commit, branch, dirty })
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

/// The MD5 under which DVC keeps the file at `path`, as `PATH.dvc` or `dvc.lock` in the working folder says.
pub(super) fn dvc_version(path: &Path) -> Option<String> {
    let own = fs::read_to_string(format!("{}.dvc", path.display())).ok();
    let lock = || {
        let text = fs::read_to_string("dvc.lock").ok()?;
        let (_, rest) = text.split_once(&format!("path: {}\n", path.display()))?;
        Some(rest.to_owned())
    };
    let text = own.or_else(lock)?;
    // An entry is a path and what is known of it, or in a `.dvc` file the other way round.
    let md5 = text
        .lines()
        .take(6)
        .find_map(|line| line.trim().trim_start_matches("- ").strip_prefix("md5: "))?;
    Some(md5.trim().to_owned())
}

/// Where an evaluation's numbers come from: nothing is drawn at random.
pub(super) fn of_evaluation(backend: &Backend) -> Provenance {
    Provenance {
        run_id: new_id("evaluation"),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started: now(),
        seconds: 0.0,
        seed: 0,
        backend: format!("{} ({})", backend.kind, backend.reason),
        hardware: hardware(backend),
        git: git_state(),
    }
}

/// An identifier that no other run has: a hash of what is done, the time, the machine and the process.
pub(super) fn new_id(what: &str) -> String {
    let mut digest = Sha256::new();
    digest.update(what);
    digest.update(jiff::Timestamp::now().as_nanosecond().to_le_bytes());
    digest.update(System::host_name().unwrap_or_default());
    digest.update(std::process::id().to_le_bytes());
    hexadecimal(&digest.finalize()[..16])
}
