//! Files and folders that appear whole or not at all.

use std::{
    fs::{self, File},
    io::{self, BufWriter},
    path::Path,
};

/// Writes a file by way of a draft beside it: after a crash there is the old content or the new,
/// never a part.
///
/// # Errors
/// When the folder cannot be written, or `write` fails.
pub fn write_atomically(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let draft = path.with_file_name(format!(".{name}.{}.draft", std::process::id()));
    let written = write_draft(&draft, write).and_then(|()| fs::rename(&draft, path));
    if written.is_err() {
        let _ = fs::remove_file(&draft);
    }
    written?;
    path.parent().map_or(Ok(()), sync)
}

fn write_draft(
    draft: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> io::Result<()> {
    let mut file = BufWriter::new(File::create(draft)?);
    write(&mut file)?;
    file.into_inner()?.sync_all()
}

/// Moves the finished folder `from` to `to`, in place of what may be there.
///
/// # Errors
/// When a file cannot be flushed, or a folder cannot be removed or renamed.
pub fn replace_folder(from: &Path, to: &Path) -> io::Result<()> {
    sync_tree(from)?;
    if to.exists() {
        let name = to.file_name().unwrap_or_default().to_string_lossy();
        let old = to.with_file_name(format!(".{name}.replaced"));
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
