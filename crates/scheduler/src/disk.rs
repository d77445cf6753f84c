//! The disk of a run: a private folder that takes what shall not stay in memory.
//!
//! One file holds one parcel: its space is free again as soon as the parcel is dropped, and each reader opens it and
//! goes to its part. Segments shared by many parcels would have to wait for the last of them. Making and removing a file
//! takes about 15 microseconds, opening one about 2. A file is the stored bytes of its parts in a row and nothing else; offsets, lengths and checksums stay in memory, about
//! 40 bytes a part, since a parcel never outlives its process. A part is stored as it is or as blocks of lz4, each at
//! most 64 KiB long before compression and preceded by its stored length.

mod error;
mod home;
mod read;
mod room;
mod write;

use std::path::PathBuf;

use musher_graph_core::{Kept, SpillStore, SpillWriter, TaskError};

use crate::sync::{Arc, AtomicU64, Mutex, Ordering};
pub use error::SpillError;
use home::Home;
pub(crate) use home::{free, is_ours, lies_in_memory};
use read::ParcelFile;
pub(crate) use room::Lent;
use room::Room;
use write::Writer;

/// Whether spilled bytes are compressed by lz4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum SpillCompression {
    /// Never: best for a fast disk.
    Never,
    /// Always, except where a block would grow.
    Always,
    /// Where the first 64 KiB of a part shrink to less than half; after a part that does not, the next fifteen of its chunk
    /// are stored as they are.
    #[default]
    Auto,
}

/// Where to spill, how much, and how.
///
/// # Examples
/// ```
/// use musher_scheduler::{SpillCompression, SpillOptions};
/// let options = SpillOptions::default().limit(1 << 30).compression(SpillCompression::Never);
/// assert_eq!(options.base, std::env::temp_dir());
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SpillOptions {
    /// The folder, which exists, in which the private one is made.
    pub base: PathBuf,
    /// Bytes that all parcels alive may take on the disk. `None` is 80 % of what is free when the first parcel begins,
    /// less 1 GiB, so that other programs do not find the disk full.
    pub limit: Option<u64>,
    /// Whether to compress.
    pub compression: SpillCompression,
    /// Bytes that may rather stay in memory, over all exchanges that run at once; an exchange of more goes to the disk.
    pub in_memory: u64,
}

impl Default for SpillOptions {
    /// In the system's folder for temporary files, compressed where it helps; nothing stays in memory.
    fn default() -> Self {
        Self {
            base: std::env::temp_dir(),
            limit: None,
            compression: SpillCompression::default(),
            in_memory: 0,
        }
    }
}

impl SpillOptions {
    /// The same in another folder.
    #[must_use]
    pub fn base(self, base: impl Into<PathBuf>) -> Self {
        Self { base: base.into(), ..self }
    }

    /// The same with at most this many bytes on the disk.
    #[must_use]
    pub fn limit(self, bytes: u64) -> Self {
        Self { limit: Some(bytes), ..self }
    }

    /// The same with this compression.
    #[must_use]
    pub fn compression(self, compression: SpillCompression) -> Self {
        Self { compression, ..self }
    }

    /// The same with this many bytes that may rather stay in memory.
    #[must_use]
    pub fn in_memory(self, bytes: u64) -> Self {
        Self { in_memory: bytes, ..self }
    }
}

/// What has gone to the disk and come back, in bytes on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct SpillCounts {
    /// Bytes written so far.
    pub written: u64,
    /// Bytes read so far.
    pub read: u64,
    /// Bytes stored now.
    pub stored: u64,
    /// Parcels alive now, those in the making among them.
    pub parcels: u64,
    /// Bytes that runs which were killed had left, and that are removed.
    pub swept: u64,
}

/// A private folder on a disk that lives as long as its last parcel, and is made when the first one begins.
///
/// The folder is called `musher-spill-<process>-<random>`, only its owner may look into it, and it is locked: what a
/// killed process leaves is unlocked, and removed by the next one that spills under the same base.
///
/// # Examples
/// ```
/// use musher_graph_core::SpillStore;
/// use musher_scheduler::{SpillDir, SpillOptions};
/// use std::io::{Read, Write};
///
/// let disk = SpillDir::new(SpillOptions::default().limit(1 << 20));
/// let mut writer = disk.parcel()?;
/// writer.write_all(b"first")?;
/// writer.end_part()?;
/// writer.write_all(b"second")?;
/// writer.end_part()?;
/// let parcel = writer.finish()?;
/// let mut text = String::new();
/// parcel.read(1)?.read_to_string(&mut text)?;
/// assert_eq!(text, "second");
/// drop(parcel);
/// assert_eq!(disk.counts().stored, 0);
/// # Ok::<(), musher_graph_core::TaskError>(())
/// ```
#[derive(Debug)]
pub struct SpillDir(Arc<Shared>);

impl SpillDir {
    /// A folder to be made when it is needed.
    pub fn new(mut options: SpillOptions) -> Self {
        // The program may change its working directory meanwhile. Only an empty path has no absolute one.
        options.base = std::path::absolute(&options.base).unwrap_or(options.base);
        let room = Room::new(options.in_memory);
        Self(Arc::new(Shared {
            options,
            home: Mutex::new(None),
            limit: AtomicU64::new(0),
            files: AtomicU64::new(0),
            written: AtomicU64::new(0),
            read: AtomicU64::new(0),
            stored: AtomicU64::new(0),
            parcels: AtomicU64::new(0),
            swept: AtomicU64::new(0),
            room,
        }))
    }

    /// Removes what killed runs of this user left under the same base, and returns how many bytes that were.
    ///
    /// It happens anyway when the first parcel begins; a run that spills nothing may call it. Folders of living processes
    /// stay.
    ///
    /// # Examples
    /// ```
    /// use musher_scheduler::{SpillDir, SpillOptions};
    /// let base = tempfile::tempdir()?;
    /// assert_eq!(SpillDir::new(SpillOptions::default().base(base.path())).sweep(), 0);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn sweep(&self) -> u64 {
        self.0.sweep()
    }

    /// What has happened so far.
    pub fn counts(&self) -> SpillCounts {
        let shared = &self.0;
        SpillCounts {
            written: shared.written.load(Ordering::Relaxed),
            read: shared.read.load(Ordering::Relaxed),
            stored: shared.stored.load(Ordering::Relaxed),
            parcels: shared.parcels.load(Ordering::Relaxed),
            swept: shared.swept.load(Ordering::Relaxed),
        }
    }

    /// Whether the disk is memory in truth (Linux's tmpfs): spilling to it gives nothing free.
    pub fn lies_in_memory(&self) -> bool {
        home::lies_in_memory(&self.0.options.base)
    }

    /// Where the private folder is, if it is made.
    pub fn path(&self) -> Option<PathBuf> {
        self.0.home.lock().as_ref().map(|home| home.path().to_owned())
    }
}

impl SpillStore for SpillDir {
    fn keep(&self, bytes: u64, together: u64) -> Option<Kept> {
        self.0.room.keep(bytes, together)
    }

    fn parcel(&self) -> Result<Box<dyn SpillWriter>, TaskError> {
        Ok(Box::new(Writer::new(ParcelFile::create(Arc::clone(&self.0))?)))
    }
}

/// What a folder, its writers and its parcels share. The folder is removed with the last of them.
#[derive(Debug)]
struct Shared {
    options: SpillOptions,
    home: Mutex<Option<Home>>,
    /// Known once the folder is made.
    limit: AtomicU64,
    /// Files made so far, for their names.
    files: AtomicU64,
    written: AtomicU64,
    read: AtomicU64,
    stored: AtomicU64,
    parcels: AtomicU64,
    swept: AtomicU64,
    /// What may stay in memory.
    room: Arc<Room>,
}

impl Shared {
    /// The path of a new file in the private folder, which is made where it is not.
    fn new_path(&self) -> Result<PathBuf, SpillError> {
        let base = &self.options.base;
        let name = format!("parcel-{}", self.files.fetch_add(1, Ordering::Relaxed));
        if self.home.lock().is_none() {
            // Before the free bytes are asked for, and without the lock, since it may take long.
            self.sweep();
        }
        let mut home = self.home.lock();
        let home = match &mut *home {
            Some(home) => home,
            none => {
                let made = Home::create(base)
                    .map_err(|error| self.failed("making a folder in", base, read::SMALLEST, error))?;
                let most =
                    || home::free(base).map_or(u64::MAX, |free| (free / 5 * 4).saturating_sub(1 << 30));
                self.limit.store(self.options.limit.unwrap_or_else(most), Ordering::Relaxed);
                none.insert(made)
            }
        };
        Ok(home.path().join(name))
    }

    /// Removes what killed runs left.
    fn sweep(&self) -> u64 {
        let bytes = home::sweep(&self.options.base);
        self.swept.fetch_add(bytes, Ordering::Relaxed);
        bytes
    }

    /// Takes bytes of the budget.
    fn reserve(&self, bytes: u64) -> Result<(), SpillError> {
        let limit = self.limit.load(Ordering::Relaxed);
        let more = |stored: u64| stored.checked_add(bytes).filter(|&stored| stored <= limit);
        match self.stored.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more) {
            Ok(_) => Ok(()),
            Err(stored) => Err(SpillError::Limit {
                dir: self.options.base.clone(),
                need: bytes,
                stored,
                limit,
                free: home::free(&self.options.base),
            }),
        }
    }

    /// Gives bytes of the budget back.
    fn release(&self, bytes: u64) {
        self.stored.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// The error of an attempt to do something to a path.
    fn failed(
        &self,
        action: &'static str,
        path: &std::path::Path,
        need: u64,
        source: std::io::Error,
    ) -> SpillError {
        use std::io::ErrorKind::{QuotaExceeded, StorageFull};
        match source.kind() {
            StorageFull | QuotaExceeded => SpillError::Full {
                dir: self.options.base.clone(),
                need,
                stored: self.stored.load(Ordering::Relaxed),
                limit: self.limit.load(Ordering::Relaxed),
                free: home::free(&self.options.base),
                source,
            },
            _ => SpillError::Io { action, path: path.to_owned(), source },
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_says_becomes_an_error_that_names_folder_need_and_setting() {
        let (full, over_quota, device, too_many_open, read_only) = (28, 122, 5, 24, 30);
        let disk = SpillDir::new(SpillOptions::default().base("/scratch").limit(4 << 20));
        let said = |errno| {
            let source = std::io::Error::from_raw_os_error(errno);
            disk.0.failed("writing", std::path::Path::new("/scratch/parcel-1"), 3 << 20, source)
        };
        for errno in [full, over_quota] {
            let error = said(errno);
            assert!(matches!(error, SpillError::Full { need: 0x30_0000, .. }), "{error}");
            for word in ["/scratch", "3.0 MiB did not fit", "spill_limit", "spill_dir", "memory_limit"] {
                assert!(error.to_string().contains(word), "{word} in {error}");
            }
        }
        for errno in [device, too_many_open, read_only] {
            let error = said(errno);
            let text = error.to_string();
            assert!(matches!(error, SpillError::Io { .. }), "{text}");
            for word in ["writing /scratch/parcel-1", "spill_dir", "memory_limit"] {
                assert!(text.contains(word), "{word} in {text}");
            }
            let source = std::error::Error::source(&error).unwrap().to_string();
            assert!(source.contains(&format!("os error {errno}")), "{source}");
        }
    }
}
