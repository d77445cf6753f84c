//! The place beside the target where parts are written, as plain data that travels; and how a part is written.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use musher_graph_core::{AsRecord, Measure, serde_path};
use serde::{Deserialize, Serialize};

use super::disk::{self, FileId};
use super::error::SinkError;
use super::held;
use super::part::PartFile;
use super::receipt::{Receipt, folders, is_plain};
use super::target::{Kind, Target};
use crate::atomic::as_masked;
use crate::sync::StaticMutex;

/// The folder of whole parts.
pub(super) const PARTS: &str = "parts";
/// The file that gets the target's name.
pub(super) const DATA: &str = "data";
/// The folder that was replaced, between two renames.
pub(super) const OLD: &str = "old";

/// So many bytes of a shared file are brought to the disk together.
const SYNC_BYTES: u64 = 128 << 20;

/// The place beside the target where parts wait for their commit.
///
/// It is plain data: a task opens it, and the tasks that write parts and commit get it as an input, wherever they run.
/// Writing a part or committing twice, at once or one after the other, in one process or several, changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stage {
    #[serde(with = "serde_path")]
    pub(super) path: PathBuf,
    #[serde(with = "serde_path")]
    pub(super) folder: PathBuf,
    pub(super) kind: Kind,
    pub(super) run: u128,
    /// What gets the target's name: the proof that it has it.
    pub(super) made: Option<FileId>,
    /// Whether the file system can exchange two folders.
    pub(super) exchanges: bool,
}

impl Measure for Stage {
    fn nbytes(&self) -> usize {
        size_of::<Self>() + self.path.capacity() + self.folder.capacity()
    }
}

impl AsRecord for Stage {
    const KIND: &'static str = "sink.stage/1";

    fn is_sound(&self) -> bool {
        self.path.is_absolute() && self.folder.is_absolute()
    }
}

/// Opens a stage for a target, in the name of a run; nothing is seen at the target before it is committed.
///
/// What runs of dead processes left beside the target is settled first: finished if its commit was decided, else removed.
/// At the end of the run whoever runs it calls [`abandon`](super::abandon) in this process.
///
/// **Cost** a listing of the folder that the target lies in, and some ten steps in it.
///
/// # Errors
/// [`SinkError::NoRename`] where nothing can be renamed; [`SinkError::Io`], as for a folder that does not exist.
pub fn open(target: &Target, run: u128) -> Result<Stage, SinkError> {
    open_after(target, run, |place| held::sweep(place, None))
}

/// The same for one of many files that are written one by one.
pub(super) fn open_file(target: &Target, run: u128) -> Result<Stage, SinkError> {
    open_after(target, run, held::sweep_now_and_then)
}

fn open_after(target: &Target, run: u128, sweep: impl Fn(&Path)) -> Result<Stage, SinkError> {
    let failed = |source| SinkError::Io { path: target.path.clone(), action: "create", source };
    // The working folder may be another one when parts are written.
    let path = std::path::absolute(&target.path).map_err(failed)?;
    let (place, name) = match target.kind {
        // Files may go into the root, too.
        Kind::Files => (Some(path.as_path()), Some(path.file_name().unwrap_or_default())),
        _ => (path.parent(), path.file_name()),
    };
    let (place, name) = place.zip(name).ok_or_else(|| failed(io::ErrorKind::InvalidInput.into()))?;
    sweep(place);
    if let (Kind::Files, Some(above)) = (target.kind, path.parent()) {
        // A run for which this folder was new.
        sweep(above);
    }
    let folder = held::make(place, name, run).map_err(failed)?;
    let stage = Stage { path: path.clone(), folder, kind: target.kind, run, made: None, exchanges: false };
    stage.prepared(&target.header).inspect_err(|_| held::release(run, &stage.folder))
}

impl Stage {
    /// Makes what parts need, and finds out what the file system can do.
    fn prepared(&self, header: &[u8]) -> Result<Self, SinkError> {
        let failed = |source| self.failed("create", source);
        let (parts, data) = (self.folder.join(PARTS), self.folder.join(DATA));
        if !matches!(self.kind, Kind::Offsets { .. }) {
            fs::create_dir(&parts).map_err(failed)?;
        }
        let made = match self.kind {
            Kind::Folder | Kind::NewFolder | Kind::Files => &parts,
            Kind::File | Kind::Offsets { .. } => {
                let mut file = File::create(&data).map_err(failed)?;
                file.write_all(header).map_err(failed)?;
                if let Kind::Offsets { length, .. } = self.kind {
                    file.set_len(length).map_err(failed)?;
                }
                &data
            }
        };
        let made = FileId::of(made).map_err(failed)?;
        let exchanges = self.probe()?;
        Ok(Self { made, exchanges, ..self.clone() })
    }

    /// Whether things can be renamed here, which is an error if not, and folders exchanged.
    fn probe(&self) -> Result<bool, SinkError> {
        let failed = |source| self.failed("create", source);
        let no_rename = |source| SinkError::NoRename { path: self.path.clone(), source };
        let (from, to, parts) =
            (self.folder.join("probe"), self.folder.join("renamed"), self.folder.join(PARTS));
        File::create(&from).map_err(failed)?;
        fs::rename(&from, &to).map_err(no_rename)?;
        // There and back again.
        let exchanges = self.kind == Kind::Folder
            && disk::exchange(&parts, &to).map_err(failed)?
            && disk::exchange(&parts, &to).map_err(failed)?;
        fs::remove_file(&to).map_err(failed)?;
        match self.kind {
            kind if kind != Kind::Files && disk::is_mounted(&self.path) => {
                Err(no_rename(io::ErrorKind::CrossesDevices.into()))
            }
            _ => Ok(exchanges),
        }
    }

    /// Where the result will be: an absolute path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The error of something that the system refused here.
    pub fn failed(&self, action: &'static str, source: io::Error) -> SinkError {
        SinkError::Io { path: self.path.clone(), action, source }
    }

    pub(super) fn gone(&self) -> SinkError {
        SinkError::Gone { path: self.path.clone() }
    }

    /// Writes a part into a file of its own. `write` fills the file and gives back how many rows it wrote.
    ///
    /// The file is in the stage when it is complete; one that fails leaves nothing. A name such as `folder/name` goes into
    /// a folder in the target, which is made.
    ///
    /// # Errors
    /// Those of `write`; [`SinkError::Io`] if there can be no such file; [`SinkError::Gone`] if the stage is.
    ///
    /// # Examples
    /// See [`Receipt`].
    pub fn write_part<E: From<SinkError>>(
        &self,
        name: &str,
        write: impl FnOnce(&mut PartFile<'_>) -> Result<u64, E>,
    ) -> Result<Receipt, E> {
        if !is_plain(name) {
            return Err(self.failed("create", io::ErrorKind::InvalidFilename.into()).into());
        }
        let mut builder = tempfile::Builder::new();
        as_masked(&mut builder);
        let beside = match builder.tempfile_in(&self.folder) {
            Ok(beside) => beside,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return self.write_late(name, write),
            Err(error) => return Err(self.failed("create", error).into()),
        };
        let mut part = PartFile::new(beside.as_file());
        let rows = write(&mut part)?;
        let failed = |source| self.failed("write", source);
        let receipt = part.whole(name, rows).map_err(failed)?;
        let path = self.folder.join(PARTS).join(name);
        // One by one: a stage that is gone is not made again.
        for inner in folders(std::slice::from_ref(&receipt)) {
            match fs::create_dir(self.folder.join(PARTS).join(inner)) {
                // Renaming finds out that the stage is gone.
                Err(error)
                    if matches!(error.kind(), io::ErrorKind::AlreadyExists | io::ErrorKind::NotFound) => {}
                made => made.map_err(failed)?,
            }
        }
        if disk::exists(&path).map_err(failed)? {
            // The commit may have synced the first one already.
            beside.as_file().sync_all().map_err(failed)?;
        }
        match beside.persist(path) {
            Ok(_) => Ok(receipt),
            Err(error) if error.error.kind() == io::ErrorKind::NotFound => {
                self.late(receipt).map_err(E::from)
            }
            Err(error) => Err(failed(error.error).into()),
        }
    }

    /// Writes a part into the shared file of [`Target::offsets`]. `write` seeks to its place and gives back how many rows it
    /// wrote.
    ///
    /// One part of a process writes at a time, since the system lets no others write one file, and they would take a
    /// processor waiting. The disk is kept busy while others compute, for committing waits for it.
    ///
    /// # Errors
    /// Those of `write`; [`SinkError::Io`] if the file cannot be opened; [`SinkError::Gone`] if the stage is.
    ///
    /// # Examples
    /// ```
    /// use std::io::{Seek, SeekFrom, Write};
    /// use musher_scheduler::sink::{SinkError, Target, abandon, open};
    /// # let folder = tempfile::tempdir()?;
    /// let path = folder.path().join("numbers");
    /// let stage = open(&Target::offsets(&path, b"head".to_vec(), 8), 1)?;
    /// let part = |name: &str, at: u64, bytes: &[u8]| {
    ///     stage.write_range(name, |file| {
    ///         file.seek(SeekFrom::Start(at)).and_then(|_| file.write_all(bytes)).map_err(|e| stage.failed("write", e))?;
    ///         Ok::<_, SinkError>(1)
    ///     })
    /// };
    /// let receipts = [part("1", 6, b"cd")?, part("0", 4, b"ab")?];
    /// assert_eq!(stage.commit(&receipts)?, 8);
    /// assert_eq!(std::fs::read(&path)?, b"headabcd");
    /// # abandon(1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn write_range<E: From<SinkError>>(
        &self,
        name: &str,
        write: impl FnOnce(&mut PartFile<'_>) -> Result<u64, E>,
    ) -> Result<Receipt, E> {
        let failed = |source| self.failed("write", source);
        let file = match File::options().write(true).open(self.folder.join(DATA)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return self.write_late(name, write),
            Err(error) => return Err(failed(error).into()),
        };
        let in_place = InPlace::of(self.made);
        let mut part = PartFile::new(&file);
        let turn = in_place.turn.lock();
        let rows = write(&mut part)?;
        drop(turn);
        let receipt = part.receipt(name, rows);
        if in_place.has_enough(receipt.bytes) {
            file.sync_data().map_err(failed)?;
        }
        Ok(receipt)
    }

    /// Writes a part of a stage that is gone where nobody sees it: if another has written and committed it, the receipt is
    /// the same.
    fn write_late<E: From<SinkError>>(
        &self,
        name: &str,
        write: impl FnOnce(&mut PartFile<'_>) -> Result<u64, E>,
    ) -> Result<Receipt, E> {
        let failed = |source| self.failed("write", source);
        let file = tempfile::tempfile().map_err(failed)?;
        let mut part = PartFile::new(&file);
        let rows = write(&mut part)?;
        let receipt = match self.kind {
            Kind::Offsets { .. } => part.receipt(name, rows),
            _ => part.whole(name, rows).map_err(failed)?,
        };
        self.late(receipt).map_err(E::from)
    }

    /// The receipt of a part that came too late, if it is a part of what was committed.
    fn late(&self, receipt: Receipt) -> Result<Receipt, SinkError> {
        self.is_done(std::slice::from_ref(&receipt))?.then_some(receipt).ok_or_else(|| self.gone())
    }

    /// The file of a part, to be read.
    ///
    /// # Errors
    /// [`SinkError::Missing`], [`SinkError::Io`].
    pub fn open_part(&self, receipt: &Receipt) -> Result<File, SinkError> {
        File::open(self.folder.join(PARTS).join(&receipt.name)).map_err(|error| self.missing(receipt, error))
    }

    /// The error of a part that cannot be opened.
    pub(super) fn missing(&self, receipt: &Receipt, error: io::Error) -> SinkError {
        match error.kind() {
            io::ErrorKind::NotFound => {
                SinkError::Missing { path: self.path.clone(), name: receipt.name.clone() }
            }
            _ => self.failed("read", error),
        }
    }
}

/// What the parts of a file have in common that are written in this process.
struct InPlace {
    /// Held while a part is written.
    turn: StaticMutex<()>,
    /// Bytes that were written since the system was last made to bring them to the disk.
    unsynced: AtomicU64,
}

impl InPlace {
    /// That of a file. Two files may share one, which costs a little time and nothing else.
    fn of(file: Option<FileId>) -> &'static Self {
        const N: usize = 64;
        static ALL: [InPlace; N] =
            [const { InPlace { turn: StaticMutex::new(()), unsynced: AtomicU64::new(0) } }; N];
        &ALL[file.map_or(0, |file| (file.inode() % N as u64) as usize)]
    }

    /// Counts bytes; whether this part is to bring all so far to the disk.
    fn has_enough(&self, bytes: u64) -> bool {
        let add = |sum: u64| Some(sum.saturating_add(bytes)).filter(|sum| *sum < SYNC_BYTES);
        // Relaxed: a count and nothing that it guards.
        let is_enough = self.unsynced.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add).is_err();
        if is_enough {
            self.unsynced.store(0, Ordering::Relaxed);
        }
        is_enough
    }
}
