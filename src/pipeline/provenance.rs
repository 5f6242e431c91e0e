//! Where a run's numbers come from: time, machine, version of the working folder.

use std::process::Command;

use sysinfo::{CpuRefreshKind, RefreshKind, System};

use crate::model::Backend;

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

/// The git commit of the working folder, `+` behind it where tracked files are changed; `None`
/// outside a repository.
pub(super) fn git_commit() -> Option<String> {
    let commit = git(&["rev-parse", "--short=12", "HEAD"])?;
    let changed = git(&["status", "--porcelain", "--untracked-files=no"])?;
    Some(if changed.is_empty() { commit } else { format!("{commit}+") })
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}
