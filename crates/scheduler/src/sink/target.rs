//! What is to be written: a folder, files in a folder, or one file; and what may stand there before.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::SinkError;

/// What is to be written, and how it comes to its place.
///
/// # Examples
/// ```
/// use musher_scheduler::sink::Target;
/// assert_eq!(Target::files("texts").path(), std::path::Path::new("texts"));
/// ```
#[derive(Debug, Clone)]
pub struct Target {
    pub(super) path: PathBuf,
    pub(super) kind: Kind,
    /// What stands at the start of a file whose parts are written at their offsets.
    pub(super) header: Vec<u8>,
}

/// How what is written comes to its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Kind {
    /// The folder of parts takes the place of what was there.
    Folder,
    /// The folder of parts gets the name if there is none, else its files go into what is there.
    NewFolder,
    /// Each part gets its name in a folder that is there.
    Files,
    /// A file that is made of the parts when it is committed.
    File,
    /// A file of so many bytes, the first of which are its header, into which parts are written at their offsets.
    Offsets { header: u64, length: u64 },
}

impl Target {
    /// A folder with a file for each part, which replaces what is there.
    ///
    /// Ask [`refuse_foreign`] before, for what stands in it is removed.
    pub fn folder(path: impl Into<PathBuf>) -> Self {
        Self::of(path.into(), Kind::Folder)
    }

    /// A folder that is not there yet, with a file for each part.
    ///
    /// If it has come to be meanwhile, the files go into it one by one, as those of [`files`](Self::files).
    pub fn new_folder(path: impl Into<PathBuf>) -> Self {
        Self::of(path.into(), Kind::NewFolder)
    }

    /// A file for each part in a folder that is there; files of the same names are replaced, and others stay.
    pub fn files(folder: impl Into<PathBuf>) -> Self {
        Self::of(folder.into(), Kind::Files)
    }

    /// A file that is made of the parts at the end, by [`Stage::assemble`](super::Stage::assemble).
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self::of(path.into(), Kind::File)
    }

    /// A file that begins with `header` and has `length` bytes in all, each of the others written by one part, by
    /// [`Stage::write_range`](super::Stage::write_range).
    pub fn offsets(path: impl Into<PathBuf>, header: Vec<u8>, length: u64) -> Self {
        let kind = Kind::Offsets { header: header.len() as u64, length };
        Self { header, ..Self::of(path.into(), kind) }
    }

    fn of(path: PathBuf, kind: Kind) -> Self {
        Self { path, kind, header: Vec::new() }
    }

    /// Where it is written.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// What stands at a path, links followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nothing.
    Nothing,
    /// A folder.
    Folder,
    /// Anything else.
    File,
}

/// What stands where something is to be written.
///
/// # Examples
/// ```
/// use musher_scheduler::sink::{Standing, stands_at};
/// let folder = tempfile::tempdir()?;
/// assert_eq!(stands_at(folder.path()), Standing::Folder);
/// assert_eq!(stands_at(&folder.path().join("new")), Standing::Nothing);
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn stands_at(path: &Path) -> Standing {
    match fs::metadata(path) {
        Ok(facts) if facts.is_dir() => Standing::Folder,
        Ok(_) => Standing::File,
        Err(_) => Standing::Nothing,
    }
}

/// Refuses a folder that holds anything but files of ours, so that nothing is deleted by mistake; one that is not there
/// holds nothing.
///
/// **Cost** one listing of the folder.
///
/// # Errors
/// [`SinkError::Foreign`] with the first name that is not ours; [`SinkError::Io`] if the folder cannot be listed, as a
/// file cannot.
///
/// # Examples
/// ```
/// use musher_scheduler::sink::{SinkError, refuse_foreign};
/// # let folder = tempfile::tempdir()?;
/// std::fs::write(folder.path().join("thesis.txt"), "years of work")?;
/// let refused = refuse_foreign(folder.path(), |name| name.starts_with("part-"));
/// assert!(matches!(refused, Err(SinkError::Foreign { found, .. }) if found == "thesis.txt"));
/// assert!(refuse_foreign(&folder.path().join("new"), |_| false).is_ok());
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn refuse_foreign(folder: &Path, is_ours: impl Fn(&str) -> bool) -> Result<(), SinkError> {
    let failed = |source| SinkError::Io { path: folder.to_owned(), action: "list", source };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error)),
    };
    for entry in entries {
        let found = entry.map_err(failed)?.file_name();
        if !found.to_str().is_some_and(&is_ours) {
            return Err(SinkError::Foreign { path: folder.to_owned(), found });
        }
    }
    Ok(())
}
