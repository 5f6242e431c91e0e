//! Files and folders that appear whole or not at all.

use std::{
    fs::{self, File},
    io::{self, BufWriter},
    path::{Path, PathBuf},
};

/// What the name of a folder ends with that is on its way out; it begins with a dot.
pub const REMOVED: &str = ".removed";

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
        if exchange(from, to).is_ok() {
            fs::remove_dir_all(from)?;
        } else {
            replace_in_two_steps(from, to)?;
        }
    } else {
        fs::rename(from, to)?;
    }
    to.parent().map_or(Ok(()), sync)
}

/// Lets two folders change places: whoever looks, and whatever breaks off, there always is one.
#[cfg(target_os = "linux")]
fn exchange(from: &Path, to: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    Ok(renameat_with(CWD, from, CWD, to, RenameFlags::EXCHANGE)?)
}

/// Not every system can.
#[cfg(not(target_os = "linux"))]
fn exchange(_: &Path, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Where places cannot be exchanged (not every file system can), there is none for a moment.
fn replace_in_two_steps(from: &Path, to: &Path) -> io::Result<()> {
    let name = to.file_name().unwrap_or_default().to_string_lossy();
    let old = to.with_file_name(format!(".{name}.replaced"));
    if old.exists() {
        fs::remove_dir_all(&old)?;
    }
    fs::rename(to, &old)?;
    fs::rename(from, to)?;
    fs::remove_dir_all(&old)
}

/// Takes a folder out of sight in one step; returns where it is now. What another thread writes by its old
/// path from here on fails with [`io::ErrorKind::NotFound`].
///
/// # Errors
/// When it cannot be renamed.
pub fn hide_folder(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let hidden = path.with_file_name(format!(".{name}{REMOVED}"));
    if hidden.exists() {
        fs::remove_dir_all(&hidden)?;
    }
    fs::rename(path, &hidden)?;
    Ok(hidden)
}

/// Removes a folder in whose place something may appear, or be written, meanwhile.
///
/// # Errors
/// When it cannot be renamed or removed.
pub fn remove_folder(path: &Path) -> io::Result<()> {
    fs::remove_dir_all(hide_folder(path)?)
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

#[cfg(test)]
mod tests {
    use std::{
        io::Write,
        sync::atomic::{AtomicUsize, Ordering},
    };

    use super::*;

    #[test]
    fn a_folder_takes_the_place_of_another() {
        for replace in [replace_folder, replace_in_two_steps] {
            let place = tempfile::tempdir().unwrap();
            let [from, to] = ["new", "run"].map(|name| place.path().join(name));
            for folder in [&from, &to] {
                fs::create_dir(folder).unwrap();
                fs::write(folder.join("name"), folder.file_name().unwrap().as_encoded_bytes())
                    .unwrap();
            }
            replace(&from, &to).unwrap();
            assert_eq!(fs::read(to.join("name")).unwrap(), b"new");
            assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1);
        }
    }

    #[test]
    fn a_folder_is_removed_while_another_thread_writes_into_it() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("run");
        let (removed, written) = (AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while removed.load(Ordering::SeqCst) < 200 {
                    let write = |file: &mut BufWriter<File>| file.write_all(b"{}");
                    match write_atomically(&folder.join("receipt.json"), write) {
                        Ok(()) => _ = written.fetch_add(1, Ordering::SeqCst),
                        Err(error) => assert_eq!(error.kind(), io::ErrorKind::NotFound),
                    }
                }
            });
            for turn in 1..=200 {
                fs::create_dir_all(&folder).unwrap();
                while written.load(Ordering::SeqCst) < turn {
                    std::thread::yield_now();
                }
                remove_folder(&folder).unwrap();
                assert!(!folder.exists());
                removed.store(turn, Ordering::SeqCst);
            }
        });
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
    }
}
