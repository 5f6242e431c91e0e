//! Files and folders that appear whole or not at all.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

/// Writes a file by way of a temporary one in the same folder: after a crash there is the old
/// content or the new, never a part.
///
/// # Errors
/// When the folder cannot be written.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    sync(folder)
}

/// Moves the finished folder `from` to `to`, in place of what may be there.
///
/// # Errors
/// When a file cannot be flushed, or a folder cannot be removed or renamed.
pub fn replace_folder(from: &Path, to: &Path) -> io::Result<()> {
    sync_tree(from)?;
    if to.exists() {
        let old = to.with_extension("replaced");
        if old.exists() {
            fs::remove_dir_all(&old)?;
        }
        fs::rename(to, &old)?;
        fs::rename(from, to)?;
        fs::remove_dir_all(&old)?;
    } else {
        fs::rename(from, to)?;
    }
    to.parent().map_or(Ok(()), sync)
}

fn sync_tree(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        for entry in fs::read_dir(path)? {
            sync_tree(&entry?.path())?;
        }
    }
    sync(path)
}

/// Flushes a file or folder to the disk; folders cannot be opened as files on every system.
fn sync(path: &Path) -> io::Result<()> {
    if path.is_dir() && cfg!(windows) {
        return Ok(());
    }
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    File::open(path)?.sync_all()
}
