//! A single file made by one process: written beside, synced once, renamed. What tasks write goes by [`sink`](crate::sink).
//!
//! A reader sees the old file or the new one, never a part. What is dropped without commit leaves nothing behind.

use std::fs::File;
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};

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
        let beside = beside(path)?;
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

/// A file beside `path`, readable by whom the process lets read new files.
fn beside(path: &Path) -> io::Result<NamedTempFile> {
    let name = path.file_name().ok_or_else(|| named(io::Error::from(io::ErrorKind::InvalidInput), path))?;
    let folder = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let prefix = format!(".{}.musher-", name.to_string_lossy());
    let mut builder = Builder::new();
    builder.prefix(&prefix).suffix(".tmp");
    as_masked(&mut builder);
    builder.tempfile_in(folder).map_err(|error| named(error, path))
}

/// Temporary files are private; these have the permissions of any new file, less what the process masks.
pub(crate) fn as_masked(builder: &mut Builder<'_, '_>) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
}

/// The error with the path it is about.
fn named(error: io::Error, path: &Path) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

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
    fn a_missing_folder_is_named() {
        let error = AtomicFile::create("/nonexistent-folder/file.txt").unwrap_err();
        assert!(error.to_string().contains("/nonexistent-folder/file.txt"), "{error}");
    }
}
