//! The one way by which musher writes files: write beside, sync once, rename.
//!
//! A reader sees the old file or the new one, never a part. What is dropped without commit leaves nothing behind.

use std::fs::{self, File};
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile, TempDir};

/// A file that appears under its name when it is committed.
///
/// # Examples
/// ```
/// use std::io::Write;
/// use musher_scheduler::AtomicFile;
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("answer.txt");
/// let mut file = AtomicFile::create(&path)?;
/// file.write_all(b"42")?;
/// assert!(!path.exists());
/// file.commit()?;
/// assert_eq!(std::fs::read(&path)?, b"42");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct AtomicFile {
    beside: NamedTempFile,
    path: PathBuf,
}

impl AtomicFile {
    /// Starts a file beside `path`, in a folder that exists.
    ///
    /// # Errors
    /// Those of creating a file, with the path in the message.
    pub fn create(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = path.as_ref();
        let beside = beside(path, |builder, folder| builder.tempfile_in(folder))?;
        Ok(Self { beside, path: path.to_owned() })
    }

    /// The file itself, for writers that want to seek.
    pub fn as_file(&self) -> &File {
        self.beside.as_file()
    }

    /// Where the file is until it is committed.
    pub fn temporary_path(&self) -> &Path {
        self.beside.path()
    }

    /// Makes the file durable and gives it its name, replacing what was there.
    ///
    /// # Errors
    /// Those of syncing and renaming; the old file then stays.
    pub fn commit(self) -> io::Result<()> {
        let Self { beside, path } = self;
        beside.as_file().sync_all().map_err(|error| named(error, &path))?;
        readable(beside.path())?;
        beside.persist(&path).map_err(|error| named(error.error, &path))?;
        Ok(())
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.beside.as_file_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.beside.as_file_mut().flush()
    }
}

impl Seek for AtomicFile {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        self.beside.as_file_mut().seek(to)
    }
}

/// A folder of files that appears under its name when it is committed, by one rename.
///
/// # Examples
/// ```
/// use musher_scheduler::AtomicDir;
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("parts");
/// let parts = AtomicDir::create(&path)?;
/// std::fs::write(parts.path().join("part-0"), b"a")?;
/// assert!(!path.exists());
/// parts.commit()?;
/// assert!(path.join("part-0").exists());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct AtomicDir {
    beside: TempDir,
    path: PathBuf,
}

impl AtomicDir {
    /// Starts a folder beside `path`.
    ///
    /// # Errors
    /// Those of creating a folder, with the path in the message.
    pub fn create(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = path.as_ref();
        let beside = beside(path, |builder, folder| builder.tempdir_in(folder))?;
        Ok(Self { beside, path: path.to_owned() })
    }

    /// Where the files go until they are committed.
    pub fn path(&self) -> &Path {
        self.beside.path()
    }

    /// Makes the files durable and gives the folder its name; a folder that was there is replaced.
    ///
    /// # Errors
    /// Those of syncing and renaming; the old folder then stays.
    pub fn commit(self) -> io::Result<()> {
        let Self { beside, path } = self;
        for entry in fs::read_dir(beside.path())? {
            let file = entry?.path();
            if file.is_file() {
                File::open(&file).and_then(|file| file.sync_all()).map_err(|error| named(error, &file))?;
            }
        }
        searchable(beside.path())?;
        let made = beside.keep();
        let swapped = if path.exists() { exchange(&made, &path) } else { fs::rename(&made, &path) };
        if let Err(error) = swapped {
            fs::remove_dir_all(&made)?;
            return Err(named(error, &path));
        }
        // After an exchange the old folder stands where the new one was made.
        if made.exists() { remove(&made) } else { Ok(()) }
    }
}

/// Puts the folder `new` where `old` is, and `old` where `new` was, so that a reader sees the one or the other.
#[cfg(target_os = "linux")]
fn exchange(new: &Path, old: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    match renameat_with(CWD, new, CWD, old, RenameFlags::EXCHANGE) {
        // Some file systems cannot exchange.
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) => step_aside(new, old),
        outcome => outcome.map_err(io::Error::from),
    }
}

#[cfg(not(target_os = "linux"))]
fn exchange(new: &Path, old: &Path) -> io::Result<()> {
    step_aside(new, old)
}

/// The same by two renames: between them there is nothing at the name.
fn step_aside(new: &Path, old: &Path) -> io::Result<()> {
    let aside = new.with_extension("old");
    fs::rename(old, &aside)?;
    if let Err(error) = fs::rename(new, old) {
        fs::rename(&aside, old)?;
        return Err(error);
    }
    fs::rename(&aside, new)
}

fn remove(path: &Path) -> io::Result<()> {
    if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }
}

fn beside<T>(path: &Path, make: impl FnOnce(&Builder<'_, '_>, &Path) -> io::Result<T>) -> io::Result<T> {
    let name = path.file_name().ok_or_else(|| named(io::Error::from(io::ErrorKind::InvalidInput), path))?;
    let folder = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let prefix = format!(".{}.musher-", name.to_string_lossy());
    make(Builder::new().prefix(&prefix).suffix(".tmp"), folder).map_err(|error| named(error, path))
}

/// The error with the path it is about.
fn named(error: io::Error, path: &Path) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// Temporary files are private; a committed one has the permissions that a plain one would have.
#[cfg(unix)]
fn readable(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn readable(_path: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn searchable(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn searchable(_path: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> =
            entries.map(|e| e.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_without_commit_leaves_the_old_one_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "old").unwrap();
        let mut file = AtomicFile::create(&path).unwrap();
        file.write_all(b"new").unwrap();
        drop(file);
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(names(folder.path()), ["a"]);
    }

    #[test]
    fn a_folder_is_replaced_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("d");
        for content in ["old", "new"] {
            let parts = AtomicDir::create(&path).unwrap();
            fs::write(parts.path().join(content), content).unwrap();
            parts.commit().unwrap();
        }
        assert_eq!(names(&path), ["new"]);
        assert_eq!(names(folder.path()), ["d"]);
    }

    #[test]
    fn a_missing_folder_is_named() {
        let error = AtomicFile::create("/nonexistent-folder/file.txt").unwrap_err();
        assert!(error.to_string().contains("/nonexistent-folder/file.txt"), "{error}");
    }
}
