//! The private folder: made, locked, removed; and what killed processes left is swept.
//!
//! The lock tells the living from the dead, so no process number has to be trusted. A folder is born unlocked, and in
//! that moment another process may take it for a leftover: so whoever sweeps locks first, and whoever makes a folder
//! looks, once it has the lock, whether the folder is still there, and else makes another.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::Path;

use tempfile::TempDir;

/// How the folders are called.
const PREFIX: &str = "musher-spill-";

/// The file in a folder that its owner keeps locked.
const LOCK: &str = "lock";

/// A folder of this process. Removed when dropped, and unlocked after that.
#[derive(Debug)]
pub(super) struct Home {
    folder: TempDir,
    // After the folder: fields are dropped in this order.
    _lock: File,
}

impl Home {
    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Makes a folder and locks it.
    pub(super) fn create(base: &Path) -> io::Result<Self> {
        // A folder can be lost to a sweep of another process in the moment in which it is made, but not often.
        const ATTEMPTS: usize = 100;
        for _ in 0..ATTEMPTS {
            let folder = private_folder(base)?;
            let path = folder.path().join(LOCK);
            let lock = match File::options().write(true).create_new(true).open(&path) {
                Ok(lock) => lock,
                Err(error)
                    if matches!(error.kind(), io::ErrorKind::AlreadyExists | io::ErrorKind::NotFound) =>
                {
                    continue;
                }
                Err(error) => return Err(error),
            };
            match lock.try_lock() {
                Err(TryLockError::WouldBlock) => continue,
                // A file system without locks: then no sweep can lock the folder either, and it stays.
                Err(TryLockError::Error(_)) => {}
                Ok(()) if path.exists() => {}
                Ok(()) => continue,
            }
            return Ok(Self { folder, _lock: lock });
        }
        Err(io::Error::from(io::ErrorKind::ResourceBusy))
    }
}

fn private_folder(base: &Path) -> io::Result<TempDir> {
    let prefix = format!("{PREFIX}{}-", std::process::id());
    let mut builder = tempfile::Builder::new();
    builder.prefix(&prefix).rand_bytes(12);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o700));
    }
    builder.tempdir_in(base)
}

/// Removes the folders under `base` whose owners are dead; returns their bytes.
///
/// What cannot be looked at or removed is left: a leftover is no reason for a run to fail.
pub(super) fn sweep(base: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(base) else { return 0 };
    let folders = entries.flatten().filter(|entry| {
        entry.file_name().as_encoded_bytes().starts_with(PREFIX.as_bytes()) && is_ours(&entry.path())
    });
    folders.map(|entry| sweep_one(&entry.path())).sum()
}

/// Whether a path is a folder, no link, that belongs to this user and to nobody else.
#[cfg(unix)]
pub(crate) fn is_ours(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    fs::symlink_metadata(path).is_ok_and(|facts| {
        let private = facts.mode() & 0o077 == 0;
        facts.is_dir() && private && facts.uid() == rustix::process::geteuid().as_raw()
    })
}

#[cfg(not(unix))]
pub(crate) fn is_ours(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|facts| facts.is_dir())
}

/// Removes a folder if nobody holds its lock; returns its bytes.
fn sweep_one(path: &Path) -> u64 {
    // A folder without lock file died, or is being born, between two steps: it gets one, and whoever locks it has it.
    let lock = File::options().write(true).create(true).truncate(false).open(path.join(LOCK));
    let Ok(lock) = lock else { return 0 };
    if lock.try_lock().is_err() {
        return 0;
    }
    let bytes = fs::read_dir(path).map_or(0, |files| {
        files.flatten().filter_map(|file| file.metadata().ok()).map(|facts| facts.len()).sum()
    });
    match fs::remove_dir_all(path) {
        Ok(()) => bytes,
        Err(_) => 0,
    }
}

/// Bytes that this user may still write under a path, where the system tells.
#[cfg(unix)]
pub(crate) fn free(path: &Path) -> Option<u64> {
    let facts = rustix::fs::statvfs(path).ok()?;
    facts.f_bavail.checked_mul(facts.f_frsize)
}

#[cfg(not(unix))]
pub(crate) fn free(_path: &Path) -> Option<u64> {
    None
}

/// Whether a path lies on a file system that keeps its files in memory.
#[cfg(target_os = "linux")]
pub(crate) fn lies_in_memory(path: &Path) -> bool {
    // The numbers of tmpfs and ramfs in statfs(2).
    const IN_MEMORY: [u64; 2] = [0x0102_1994, 0x8584_58F6];
    rustix::fs::statfs(path).is_ok_and(|facts| IN_MEMORY.contains(&(facts.f_type as u64)))
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn lies_in_memory(_path: &Path) -> bool {
    false
}
