//! Where the database of the log is.

use std::path::{Path, PathBuf};

use super::LogError;

/// A database file that is open.
#[derive(Clone, Debug)]
pub(super) struct OpenFile {
    path: PathBuf,
    identity: u64,
}

impl OpenFile {
    /// The file at an address; `None` where there is none, as in memory.
    pub(super) fn of(url: &str) -> Option<Self> {
        let path = PathBuf::from(path_of(url));
        let identity = identity(&path)?;
        Some(Self { path, identity })
    }

    /// Refuses to write into a file that is no longer where it was: nobody would ever read it.
    pub(super) fn refuse_removed(&self) -> Result<(), LogError> {
        if identity(&self.path) == Some(self.identity) {
            return Ok(());
        }
        Err(LogError::Removed(self.path.display().to_string()))
    }
}

/// The path of a file in its address.
fn path_of(url: &str) -> &str {
    let path = url.trim_start_matches("sqlite:").trim_start_matches("//");
    path.split('?').next().unwrap_or_default()
}

/// What tells a file from another one at the same place; the same for all files where the system has no such thing.
fn identity(path: &Path) -> Option<u64> {
    let about = std::fs::metadata(path).ok()?;
    #[cfg(unix)]
    return Some(std::os::unix::fs::MetadataExt::ino(&about));
    #[cfg(not(unix))]
    return about.is_file().then_some(0);
}

/// The address of a file; where it may be made, with its folder.
pub(super) fn file_address(url: &str, may_make: bool) -> Result<String, LogError> {
    let path = path_of(url);
    if !may_make {
        if !Path::new(path).is_file() {
            return Err(LogError::Missing(path.to_owned()));
        }
        return Ok(format!("sqlite://{path}?mode=rw"));
    }
    if let Some(folder) = Path::new(path).parent() {
        std::fs::create_dir_all(folder)
            .map_err(|cause| LogError::File { path: path.to_owned(), cause })?;
    }
    Ok(format!("sqlite://{path}?mode=rwc"))
}

/// An address as messages show it: without a password, and without what follows a question mark.
pub(super) fn without_password(url: &str) -> String {
    let url = url.split('?').next().unwrap_or_default();
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (user, place) = rest.rsplit_once('@').unwrap_or(("", rest));
    match user.split_once(':') {
        Some((user, _)) => format!("{scheme}://{user}@{place}"),
        None => url.to_owned(),
    }
}
