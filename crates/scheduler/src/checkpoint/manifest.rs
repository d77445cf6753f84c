//! The folder of a checkpoint: the manifest that says whose chunks it holds, and which files in it are ours.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{CheckpointError, FORMATS, LOCK, file};
use crate::atomic::AtomicFile;

const MANIFEST: &str = "manifest.json";

/// What the folder holds.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Manifest {
    pub(super) format: String,
    pub(super) key: String,
    pub(super) operation: String,
    pub(super) version: Option<String>,
    pub(super) grid: Vec<u32>,
    /// Kind of the chunks' encoding; each file names its own.
    pub(super) codec: String,
}

impl Manifest {
    pub(super) fn read(folder: &Path) -> Result<Option<Self>, CheckpointError> {
        let path = folder.join(MANIFEST);
        match fs::read(&path) {
            Ok(text) => match serde_json::from_slice(&text) {
                Ok(manifest) => Ok(Some(manifest)),
                Err(source) => Err(CheckpointError::Manifest { path, source: Box::new(source) }),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(CheckpointError::Io { path, source }),
        }
    }

    pub(super) fn write(&self, folder: &Path) -> io::Result<()> {
        let mut file = AtomicFile::create(folder.join(MANIFEST))?;
        serde_json::to_writer_pretty(&mut file, self)?;
        file.write_all(b"\n")?;
        file.commit()
    }

    /// Whether it is a checkpoint's, of whatever version.
    pub(super) fn is_ours(&self) -> bool {
        self.format.starts_with(FORMATS)
    }

    /// Why the chunks of `held` are not those of this work.
    pub(super) fn refuses(&self, held: &Self, folder: &Path) -> CheckpointError {
        let changed = if held.format != self.format {
            format!("its format is {:?}, not {:?}", held.format, self.format)
        } else if held.operation != self.operation {
            format!("{} is asked for", self.operation)
        } else if held.grid != self.grid {
            format!("its grid of chunks changed {:?} → {:?}", held.grid, self.grid)
        } else if held.version != self.version {
            let name = |version: &Option<String>| version.clone().unwrap_or_else(|| "none".to_owned());
            format!("its version changed {} → {}", name(&held.version), name(&self.version))
        } else {
            "its parameters or inputs changed".to_owned()
        };
        CheckpointError::Refused { path: folder.to_owned(), held: held.operation.clone(), changed }
    }
}

/// Whether a file is one that has not got its name yet.
pub(super) fn is_part(name: &str) -> bool {
    name.starts_with('.') && name.contains(".musher-") && name.ends_with(".tmp")
}

/// Whose files a folder holds, the manifest left aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    /// Nobody's: at most what a run left that was killed at once.
    Nobody,
    /// Chunks of a checkpoint, and nothing else.
    Chunks,
    /// Files of others.
    Others,
}

/// Whose files a folder holds, by their names and first bytes.
pub(super) fn owner(folder: &Path) -> io::Result<Owner> {
    let mut owner = Owner::Nobody;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if file::is_chunk(&entry.path()) {
            owner = Owner::Chunks;
        } else if name != LOCK && name != MANIFEST && !is_part(&name) {
            return Ok(Owner::Others);
        }
    }
    Ok(owner)
}

/// Removes the files that are chosen by path and name.
pub(super) fn remove(folder: &Path, chosen: impl Fn(&Path, &str) -> bool) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if chosen(&entry.path(), &entry.file_name().to_string_lossy()) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
