//! The commit: parts are checked and made durable, and then they, or what is made of them, get their names.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::Path;

use super::disk::{self, FileId, sync_file, sync_folder};
use super::error::SinkError;
use super::held::{self, Places, Turn};
use super::journal::{self, Journal};
use super::part::checksum_of;
use super::receipt::{Receipt, folders};
use super::stage::{DATA, PARTS, Stage};
use super::target::Kind;

impl Stage {
    /// Gives what was written its name, or names; returns the bytes of all files.
    ///
    /// A second time it finds that this is done, and says the same.
    ///
    /// **Cost** the disk's time to have all bytes. Where it is done already and the proof is gone, which is so for the files
    /// of [`Target::files`](super::Target::files), they are read to compare their checksums.
    ///
    /// # Errors
    /// [`SinkError::Missing`] and [`SinkError::Length`] if a part is not as its receipt says; [`SinkError::Foreign`] if a
    /// folder stands where a file is to be, or the other way round; [`SinkError::Gone`] if the parts are gone and the target
    /// is not made of them; [`SinkError::Io`].
    ///
    /// # Examples
    /// ```
    /// use musher_scheduler::sink::{SinkError, Target, abandon, open};
    /// # let folder = tempfile::tempdir()?;
    /// let stage = open(&Target::folder(folder.path().join("parts")), 3)?;
    /// let receipt = stage.write_part("part-0", |_file| Ok::<_, SinkError>(0))?;
    /// stage.commit(&[receipt.clone()])?;
    /// stage.commit(&[receipt])?;
    /// assert!(folder.path().join("parts/part-0").exists());
    /// # abandon(3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn commit(&self, receipts: &[Receipt]) -> Result<u64, SinkError> {
        self.assemble(receipts, |_| Ok(()))
    }

    /// [`commit`](Self::commit) of a [`Target::file`](super::Target::file): `assemble` writes the file, which is empty, from
    /// the parts that [`open_part`](Self::open_part) gives.
    ///
    /// # Errors
    /// Those of `assemble` and of `commit`.
    ///
    /// # Examples
    /// ```
    /// use std::io::Write;
    /// use musher_scheduler::sink::{SinkError, Target, open};
    /// # let folder = tempfile::tempdir()?;
    /// let path = folder.path().join("text");
    /// let stage = open(&Target::file(&path), 4)?;
    /// let receipt = stage.write_part("0", |file| {
    ///     file.write_all(b"abc").map_err(|error| stage.failed("write", error))?;
    ///     Ok::<_, SinkError>(1)
    /// })?;
    /// let copy = |mut file: &std::fs::File| {
    ///     let copied = std::io::copy(&mut stage.open_part(&receipt)?, &mut file);
    ///     copied.map(drop).map_err(|error| stage.failed("write", error))
    /// };
    /// assert_eq!(stage.assemble(&[receipt.clone()], copy)?, 3);
    /// assert_eq!(std::fs::read(&path)?, b"abc");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn assemble<E: From<SinkError>>(
        &self,
        receipts: &[Receipt],
        assemble: impl FnOnce(&File) -> Result<(), E>,
    ) -> Result<u64, E> {
        // One commits at a time: a second exchange would bring the old folder back.
        let turn = Turn::wait(&self.folder).map_err(|error| self.failed("commit", error))?;
        if turn.is_some() {
            match self.kind {
                Kind::Folder | Kind::NewFolder => self.name_folder(receipts)?,
                Kind::Files => self.name_parts(receipts)?,
                Kind::File => self.name_assembled(receipts, assemble)?,
                Kind::Offsets { header, length } => self.name_shared(receipts, header, length)?,
            }
            held::release(self.run, &self.folder);
        } else if !self.is_done(receipts)? {
            return Err(self.gone().into());
        }
        match self.kind {
            Kind::File | Kind::Offsets { .. } => {
                let facts = fs::metadata(&self.path).map_err(|error| self.failed("read", error))?;
                Ok(facts.len())
            }
            _ => Ok(receipts.iter().map(|receipt| receipt.bytes).sum()),
        }
    }

    fn name_folder(&self, receipts: &[Receipt]) -> Result<(), SinkError> {
        let failed = |source| self.failed("rename", source);
        let parts = self.folder.join(PARTS);
        if FileId::is_at(self.made, &self.path) {
            // Whoever committed was killed before the stage was gone.
            return self.check(&self.path, receipts);
        }
        if self.redo()? {
            return self.check_named(receipts);
        }
        if self.is_another(&parts, receipts)? {
            // An exchange was done: here is the old folder, and another commit has changed the name since.
            return if self.is_done(receipts)? { Ok(()) } else { Err(self.gone()) };
        }
        self.check(&parts, receipts)?;
        self.sync(&parts, receipts)?;
        let places = Places::lock(&self.places());
        let is_free = !disk::exists(&self.path).map_err(failed)?;
        if is_free || self.kind == Kind::NewFolder {
            match fs::rename(&parts, &self.path) {
                Ok(()) => return self.sync_place(),
                // The answer to a rename that was done may be lost.
                Err(_) if FileId::is_at(self.made, &self.path) => return self.sync_place(),
                Err(error) if is_taken(&error) => {}
                Err(error) => return Err(failed(error)),
            }
        }
        self.refuse_unless(&self.path, |facts| facts.is_dir() || facts.is_symlink())?;
        let name = || self.path.file_name().map_or_else(OsString::new, OsString::from);
        if self.kind == Kind::NewFolder {
            let receipts = receipts.to_vec();
            // The folder that was new is there: those who name files in it have their stages in it.
            let inside = Places::lock(&[&self.path]);
            self.sweep(&places);
            held::sweep(&self.path, Some(&inside));
            return self.decide(&Journal::Move { into: Some(name()), receipts });
        }
        if self.exchanges && disk::exchange(&parts, &self.path).map_err(failed)? {
            return self.sync_place();
        }
        self.decide(&Journal::Replace { target: name() })?;
        self.check_named(receipts)
    }

    /// Whether a folder is not the one that was made, nor has what was written into that.
    fn is_another(&self, folder: &Path, receipts: &[Receipt]) -> Result<bool, SinkError> {
        let has_another_number = self.made.is_some() && !FileId::is_at(self.made, folder);
        Ok(has_another_number && !self.is_made_of(folder, receipts)?)
    }

    /// Whether the folder at the name is the one that was made, and whole.
    fn check_named(&self, receipts: &[Receipt]) -> Result<(), SinkError> {
        // Files in a folder that was there have their names alone.
        if self.kind == Kind::Folder && self.is_another(&self.path, receipts)? {
            return Err(self.gone());
        }
        self.check(&self.path, receipts)
    }

    /// Does the rest of a commit that was decided; whether it was.
    fn redo(&self) -> Result<bool, SinkError> {
        if !journal::exists(&self.folder) {
            return Ok(false);
        }
        let _places = Places::lock(&self.places());
        journal::redo(&self.folder).map_err(|error| self.failed("rename", error))
    }

    /// Where names are given: beside the stage; and where that is inside the target, also where a run has its stage for which
    /// the target was new.
    fn places(&self) -> Vec<&Path> {
        let above = self.path.parent().filter(|_| self.kind == Kind::Files);
        above.into_iter().chain(self.folder.parent()).collect()
    }

    /// Finishes what dead runs have decided in the places where names are given now.
    fn sweep(&self, places: &Places) {
        self.places().into_iter().for_each(|place| held::sweep(place, Some(places)));
    }

    fn name_parts(&self, receipts: &[Receipt]) -> Result<(), SinkError> {
        if self.redo()? {
            return self.check(&self.path, receipts);
        }
        let parts = self.folder.join(PARTS);
        self.check(&parts, receipts)?;
        self.sync(&parts, receipts)?;
        // What another commit was killed in comes first: its files are older than these.
        let places = Places::lock(&self.places());
        self.sweep(&places);
        self.decide(&Journal::Move { into: None, receipts: receipts.to_vec() })
    }

    /// Decides the commit and does it; nothing may be in the way of single files once that is decided.
    fn decide(&self, journal: &Journal) -> Result<(), SinkError> {
        let failed = |source| self.failed("rename", source);
        if let Journal::Move { receipts, .. } = journal {
            for receipt in receipts {
                self.refuse_unless(&self.path.join(&receipt.name), |facts| !facts.is_dir())?;
            }
        }
        journal.write(&self.folder).map_err(failed)?;
        journal::redo(&self.folder).map(drop).map_err(failed)
    }

    fn name_assembled<E: From<SinkError>>(
        &self,
        receipts: &[Receipt],
        assemble: impl FnOnce(&File) -> Result<(), E>,
    ) -> Result<(), E> {
        if FileId::is_at(self.made, &self.path) {
            return Ok(());
        }
        let failed = |source| self.failed("write", source);
        self.check(&self.folder.join(PARTS), receipts)?;
        // What a commit that was killed has written is written again.
        let file = File::options().read(true).write(true).open(self.folder.join(DATA)).map_err(failed)?;
        file.set_len(0).map_err(failed)?;
        assemble(&file)?;
        Ok(self.name_data(&file)?)
    }

    fn name_shared(&self, receipts: &[Receipt], header: u64, length: u64) -> Result<(), SinkError> {
        let data = self.folder.join(DATA);
        let is_named = FileId::is_at(self.made, &self.path);
        let place = if is_named { &self.path } else { &data };
        let file = File::options().write(true).open(place).map_err(|error| self.failed("open", error))?;
        let found = file.metadata().map_err(|error| self.failed("read", error))?.len();
        // Receipts travel: a sum that does not fit is no length.
        let written = receipts.iter().try_fold(header, |sum, receipt| sum.checked_add(receipt.bytes));
        let written = written.unwrap_or(u64::MAX);
        for found in [found, written] {
            if found != length {
                let name = DATA.to_owned();
                return Err(SinkError::Length { path: self.path.clone(), name, expected: length, found });
            }
        }
        if is_named { Ok(()) } else { self.name_data(&file) }
    }

    /// Gives the file its name.
    fn name_data(&self, file: &File) -> Result<(), SinkError> {
        file.sync_all().map_err(|error| self.failed("sync", error))?;
        match fs::rename(self.folder.join(DATA), &self.path) {
            Err(error) if !FileId::is_at(self.made, &self.path) => Err(self.failed("rename", error)),
            _ => self.sync_place(),
        }
    }

    /// Whether every part has the length that its receipt says.
    fn check(&self, parts: &Path, receipts: &[Receipt]) -> Result<(), SinkError> {
        for receipt in receipts {
            let facts = fs::symlink_metadata(parts.join(&receipt.name));
            let found = facts.map_err(|error| self.missing(receipt, error))?.len();
            if found != receipt.bytes {
                let (path, name, expected) = (self.path.clone(), receipt.name.clone(), receipt.bytes);
                return Err(SinkError::Length { path, name, expected, found });
            }
        }
        Ok(())
    }

    /// Makes parts durable, before the first is seen.
    fn sync(&self, parts: &Path, receipts: &[Receipt]) -> Result<(), SinkError> {
        let synced = receipts.iter().try_for_each(|receipt| sync_file(&parts.join(&receipt.name)));
        let inner = || folders(receipts).into_iter().try_for_each(|inner| sync_folder(&parts.join(inner)));
        synced
            .and_then(|()| inner())
            .and_then(|()| sync_folder(parts))
            .map_err(|error| self.failed("sync", error))
    }

    /// Makes the new name durable.
    fn sync_place(&self) -> Result<(), SinkError> {
        self.path.parent().map_or(Ok(()), sync_folder).map_err(|error| self.failed("sync", error))
    }

    /// Refuses what stands at a path if it is of another kind.
    fn refuse_unless(&self, path: &Path, may_go: impl Fn(&fs::Metadata) -> bool) -> Result<(), SinkError> {
        match fs::symlink_metadata(path) {
            Ok(facts) if !may_go(&facts) => {
                let found = path.file_name().map_or_else(OsString::new, OsString::from);
                Err(SinkError::Foreign { path: self.path.clone(), found })
            }
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(self.failed("rename", error)),
            _ => Ok(()),
        }
    }

    /// Whether the target, whose stage is gone, is made of these parts.
    pub(super) fn is_done(&self, receipts: &[Receipt]) -> Result<bool, SinkError> {
        match self.kind {
            Kind::File | Kind::Offsets { .. } => Ok(FileId::is_at(self.made, &self.path)),
            Kind::Folder | Kind::NewFolder if FileId::is_at(self.made, &self.path) => {
                self.check(&self.path, receipts).map(|()| true)
            }
            Kind::Folder | Kind::NewFolder | Kind::Files => self.is_made_of(&self.path, receipts),
        }
    }

    /// Whether a folder has all parts, by their lengths and checksums: the proof where there is no better one, as file
    /// systems in user space may give a file another number in time.
    fn is_made_of(&self, folder: &Path, receipts: &[Receipt]) -> Result<bool, SinkError> {
        if self.check(folder, receipts).is_err() {
            return Ok(false);
        }
        for receipt in receipts {
            let sum = File::open(folder.join(&receipt.name)).and_then(|mut file| checksum_of(&mut file));
            let sum = sum.map_err(|error| self.missing(receipt, error))?;
            if sum.digest128() != receipt.checksum {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Whether a folder could not get its name because there is one.
fn is_taken(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists)
}
