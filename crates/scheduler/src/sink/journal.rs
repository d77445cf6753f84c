//! A commit of several steps, written down before the first of them, so that whoever finds it can do the rest.
//!
//! Doing it again changes nothing: what is no longer in the stage has been moved.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::disk::{self, sync_folder};
use super::receipt::{Receipt, folders, is_plain};
use super::stage::{OLD, PARTS};

/// The file in a stage that says that its commit is decided.
const JOURNAL: &str = "journal";

/// What is to be done; paths are names beside the stage, so that it does not matter where the folder is mounted.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Journal {
    /// These parts get their names in the folder that the stage lies in, or in this one beside the stage.
    Move { into: Option<OsString>, receipts: Vec<Receipt> },
    /// The folder of parts takes the place of this folder: two renames.
    Replace { target: OsString },
}

impl Journal {
    /// Decides the commit: from now on it is brought to its end, whoever does it.
    pub(super) fn write(&self, stage: &Path) -> io::Result<()> {
        let beside = stage.join("journal.new");
        let mut file = File::create(&beside)?;
        file.write_all(&serde_json::to_vec(self)?)?;
        file.sync_all()?;
        fs::rename(&beside, stage.join(JOURNAL))?;
        sync_folder(stage)?;
        stage.parent().map_or(Ok(()), sync_folder)
    }

    fn read(stage: &Path) -> io::Result<Option<Self>> {
        match fs::read(stage.join(JOURNAL)) {
            Ok(text) => Ok(Some(serde_json::from_slice(&text)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Whether the commit of a stage was decided.
pub(super) fn exists(stage: &Path) -> bool {
    stage.join(JOURNAL).exists()
}

/// The folders in which a commit gives names, outer ones first: that in which the stage lies, and that above.
pub(super) fn places(stage: &Path) -> Vec<&Path> {
    let place = stage.parent();
    place.and_then(Path::parent).into_iter().chain(place).collect()
}

/// Does what the journal of a stage says, if there is one; whether there is.
pub(super) fn redo(stage: &Path) -> io::Result<bool> {
    let place = stage.parent().unwrap_or(stage);
    match Journal::read(stage)? {
        None => return Ok(false),
        Some(Journal::Move { into, mut receipts }) => {
            receipts.retain(|receipt| is_plain(&receipt.name));
            let folder = into.map_or_else(|| place.to_owned(), |name| place.join(name));
            move_parts(&stage.join(PARTS), &folder, &receipts)?;
            folders(&receipts).into_iter().try_for_each(|inner| sync_folder(&folder.join(inner)))?;
            sync_folder(&folder)?;
        }
        Some(Journal::Replace { target }) => {
            let target = place.join(target);
            set_aside(stage, &target)?;
            bring_in(stage, &target)?;
            sync_folder(place)?;
        }
    }
    Ok(true)
}

/// Gives the parts their names.
fn move_parts(parts: &Path, folder: &Path, receipts: &[Receipt]) -> io::Result<()> {
    for inner in folders(receipts) {
        match fs::create_dir(folder.join(inner)) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => made?,
        }
    }
    for receipt in receipts {
        let part: PathBuf = parts.join(&receipt.name);
        match fs::rename(&part, folder.join(&receipt.name)) {
            // It has its name already.
            Err(_) if !disk::exists(&part)? => {}
            outcome => outcome?,
        }
    }
    Ok(())
}

/// The first rename: the old folder goes into the stage. Then there is nothing at the name.
pub(super) fn set_aside(stage: &Path, target: &Path) -> io::Result<()> {
    let old = stage.join(OLD);
    if !disk::exists(&stage.join(PARTS))? || disk::exists(&old)? {
        return Ok(());
    }
    match fs::rename(target, &old) {
        // There was none, or the answer to a rename that was done is lost, as happens to NFS.
        Err(error) if error.kind() == io::ErrorKind::NotFound && !disk::exists(target)? => Ok(()),
        outcome => outcome,
    }
}

/// The second rename: the new folder gets the name.
fn bring_in(stage: &Path, target: &Path) -> io::Result<()> {
    let parts = stage.join(PARTS);
    // What somebody has put there meanwhile stays.
    if !disk::exists(&parts)? || disk::exists(target)? {
        return Ok(());
    }
    match fs::rename(&parts, target) {
        Err(_) if !disk::exists(&parts)? && disk::exists(target)? => Ok(()),
        outcome => outcome,
    }
}
