//! The stages of this process, and those that dead ones left.
//!
//! Whoever opens a stage keeps the file `lock` in it locked, so that the living can be told from the dead; how that is
//! done without a gap is told beside the folders that are spilled to, `disk/home.rs`. At the end of a run what it opened and
//! did not commit is settled: removed, or brought to its end if its commit was decided. The same is done to the stages of
//! dead processes that [`open`](super::open) finds beside its own.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::{disk, journal};
use crate::disk::is_ours;
use crate::nested::check_cancelled;
use crate::sync::StaticMutex;

/// Between the target's name and the run's number.
const MARK: &str = ".musher-";
/// Locked by the process that opened the stage.
const LOCK: &str = "lock";
/// Locked by whoever commits or settles.
const TURN: &str = "turn";
/// Behind the name of a stage that is being removed.
const GONE: &str = ".gone";
/// A target's name is cut to so many bytes in that of its stage, so that this is not too long for a file system.
const MOST_NAME_BYTES: usize = 120;

/// The stages that this process has opened and not yet committed, by the run.
static HELD: StaticMutex<BTreeMap<u128, Vec<Held>>> = StaticMutex::new(BTreeMap::new());

/// How many runs there are in it, so that others need not look.
static N_RUNS: AtomicUsize = AtomicUsize::new(0);

struct Held {
    folder: PathBuf,
    _lock: File,
}

/// Makes the folder of a stage in `place`, private to the user, and locks it for this process until the run ends.
pub(super) fn make(place: &Path, name: &OsStr, run: u128) -> io::Result<PathBuf> {
    // A folder can be lost to another process that sweeps in the moment in which it is made, but not often.
    const ATTEMPTS: usize = 100;
    let mut prefix = OsString::from(".");
    prefix.push(short(&name.to_string_lossy()));
    prefix.push(format!("{MARK}{run:032x}-"));
    let mut builder = tempfile::Builder::new();
    builder.prefix(&prefix).rand_bytes(12);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o700));
    }
    for _ in 0..ATTEMPTS {
        let folder = builder.tempdir_in(place)?;
        let path = folder.path().join(LOCK);
        let lock = match File::options().write(true).create_new(true).open(&path) {
            Ok(lock) => lock,
            Err(error) if matches!(error.kind(), io::ErrorKind::AlreadyExists | io::ErrorKind::NotFound) => {
                continue;
            }
            Err(error) => return Err(error),
        };
        (&lock).write_all(disk::HOST.as_bytes())?;
        match lock.try_lock() {
            Err(TryLockError::WouldBlock) => continue,
            // A file system without locks: then nobody can sweep it either, and it stays.
            Err(TryLockError::Error(_)) => {}
            Ok(()) if path.exists() => {}
            Ok(()) => continue,
        }
        let folder = folder.keep();
        let mut held = HELD.lock();
        held.entry(run).or_default().push(Held { folder: folder.clone(), _lock: lock });
        N_RUNS.store(held.len(), Ordering::Relaxed);
        return Ok(folder);
    }
    Err(io::ErrorKind::ResourceBusy.into())
}

/// The start of a name.
fn short(name: &str) -> &str {
    let end = (0..=MOST_NAME_BYTES.min(name.len())).rev().find(|&end| name.is_char_boundary(end));
    &name[..end.unwrap_or(0)]
}

/// Whether a folder is called like a stage.
fn is_stage(name: &str) -> bool {
    let name = name.strip_suffix(GONE).unwrap_or(name);
    let number = name.strip_prefix('.').and_then(|name| name.rsplit_once(MARK)).map(|(_, number)| number);
    let parts = number.and_then(|number| number.split_once('-'));
    parts.is_some_and(|(run, random)| {
        let is_run = run.len() == 32 && run.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_run && random.len() == 12 && random.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

/// The right to commit a stage or to settle it; `None` if the stage is gone.
#[derive(Debug)]
pub(super) struct Turn(#[expect(dead_code, reason = "locked until it is closed")] File);

impl Turn {
    /// Waits for it.
    pub(super) fn wait(stage: &Path) -> io::Result<Option<Self>> {
        let Some(file) = Self::file(stage)? else { return Ok(None) };
        // A file system without locks says so by some error: then one commits at a time, as one scheduler does.
        while file.lock().is_err_and(|error| error.kind() == io::ErrorKind::Interrupted) {}
        Ok(stage.join(TURN).exists().then_some(Self(file)))
    }

    /// Takes it if nobody has it.
    fn take(stage: &Path) -> Option<Self> {
        let file = Self::file(stage).ok()??;
        let is_taken = matches!(file.try_lock(), Err(TryLockError::WouldBlock));
        (!is_taken && stage.join(TURN).exists()).then_some(Self(file))
    }

    fn file(stage: &Path) -> io::Result<Option<File>> {
        match File::options().write(true).create(true).truncate(false).open(stage.join(TURN)) {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// The right to give names in some folders.
#[derive(Debug)]
pub(super) struct Places(#[expect(dead_code, reason = "locked until they are closed")] Vec<File>);

impl Places {
    /// Waits until nobody else gives names in these folders, of which the outer ones come first, as far as their file
    /// systems know locks.
    ///
    /// Anybody may lock a folder that they can read, so nobody is waited for without end: then two commits may interleave.
    pub(super) fn lock(folders: &[&Path]) -> Self {
        const NAP: Duration = Duration::from_millis(20);
        const LONGEST: Duration = Duration::from_secs(20);
        let began = Instant::now();
        let lock = |folder: &&Path| {
            let place = File::open(folder).ok()?;
            while matches!(place.try_lock(), Err(TryLockError::WouldBlock)) {
                if began.elapsed() > LONGEST || check_cancelled().is_err() {
                    return None;
                }
                thread::sleep(NAP);
            }
            Some(place)
        };
        Self(folders.iter().filter_map(lock).collect())
    }
}

/// Removes a stage whose commit has ended.
pub(super) fn release(run: u128, folder: &Path) {
    remove(folder);
    drop(taken(run, folder));
}

/// Settles one stage before its run ends.
pub(super) fn give_up(run: u128, folder: &Path) {
    if let Some(held) = taken(run, folder) {
        settle(&held.folder, None);
    }
}

/// A stage that this process holds.
fn taken(run: u128, folder: &Path) -> Option<Held> {
    let mut held = HELD.lock();
    let stages = held.get_mut(&run)?;
    let at = stages.iter().position(|stage| stage.folder == folder)?;
    let stage = stages.swap_remove(at);
    if stages.is_empty() {
        held.remove(&run);
        N_RUNS.store(held.len(), Ordering::Relaxed);
    }
    Some(stage)
}

/// Settles all that a run has opened in this process and not committed: the end of a run, however it ends.
///
/// Nothing of the run may write any more. Costs nothing where the run has opened nothing.
///
/// # Examples
/// ```
/// use musher_scheduler::sink::{Target, abandon, open};
/// # let folder = tempfile::tempdir()?;
/// let _stage = open(&Target::folder(folder.path().join("parts")), 7)?;
/// assert_eq!(std::fs::read_dir(folder.path())?.count(), 1);
/// abandon(7);
/// assert_eq!(std::fs::read_dir(folder.path())?.count(), 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn abandon(run: u128) {
    // Relaxed: what the run has opened it has counted before it ended.
    if N_RUNS.load(Ordering::Relaxed) == 0 {
        return;
    }
    // The locks are let go after the folders are gone.
    let stages = {
        let mut held = HELD.lock();
        let stages = held.remove(&run);
        N_RUNS.store(held.len(), Ordering::Relaxed);
        stages
    };
    for stage in stages.iter().flatten() {
        settle(&stage.folder, None);
    }
}

/// Settles the stages in a folder whose processes are dead.
///
/// What cannot be looked at or removed is left: a leftover is no reason for a run to fail. Whoever holds the places already
/// says so.
pub(super) fn sweep(place: &Path, places: Option<&Places>) {
    let Ok(entries) = fs::read_dir(place) else { return };
    let is_shared = disk::is_shared(place);
    for entry in entries.flatten() {
        let path = entry.path();
        if !entry.file_name().to_str().is_some_and(is_stage) || !is_ours(&path) {
            continue;
        }
        if path.extension().is_some_and(|extension| extension == &GONE[1..]) {
            // Somebody is removing it, or was killed while they did: nothing is made in it any more.
            let _ = fs::remove_dir_all(&path);
            continue;
        }
        // Where a lock may not be seen from another machine, only its own stages are known to be dead.
        let is_own = || {
            !disk::HOST.is_empty()
                && fs::read(path.join(LOCK)).is_ok_and(|found| found == disk::HOST.as_bytes())
        };
        if is_shared && !is_own() {
            continue;
        }
        let lock = File::options().write(true).create(true).truncate(false).open(path.join(LOCK));
        if let Ok(lock) = lock
            && lock.try_lock().is_ok()
        {
            settle(&path, places);
        }
    }
}

/// The same where many files are written one by one: each place once a minute.
pub(super) fn sweep_now_and_then(place: &Path) {
    static SWEPT: StaticMutex<BTreeMap<PathBuf, Instant>> = StaticMutex::new(BTreeMap::new());
    const PAUSE: Duration = Duration::from_secs(60);
    let is_due = {
        let mut swept = SWEPT.lock();
        swept.retain(|_, at| at.elapsed() < PAUSE);
        let is_due = !swept.contains_key(place);
        if is_due {
            swept.insert(place.to_owned(), Instant::now());
        }
        is_due
    };
    if is_due {
        sweep(place, None);
    }
}

/// Brings a stage to its end: forward if its commit was decided, else away.
///
/// One that somebody is committing is left to them, and one that cannot be brought to its end to the next run.
fn settle(stage: &Path, places: Option<&Places>) {
    let Some(_turn) = Turn::take(stage) else { return };
    // What was decided may be older than what another commit is naming just now.
    let _places = match places {
        None if journal::exists(stage) => Some(Places::lock(&journal::places(stage))),
        _ => None,
    };
    if journal::redo(stage).is_ok() {
        remove(stage);
    }
}

/// Removes a stage: at once for those who look for it, then from the disk.
///
/// What cannot be removed is left to whoever opens a sink there next.
fn remove(stage: &Path) {
    let mut gone = stage.as_os_str().to_owned();
    gone.push(GONE);
    let _ = match fs::rename(stage, &gone) {
        Ok(()) => fs::remove_dir_all(gone),
        Err(_) => fs::remove_dir_all(stage),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_stages_are_told_from_others() {
        let run = format!("{:032x}", 5);
        for name in ["x.npy", "", "ä.musher-x"] {
            assert!(is_stage(&format!(".{name}.musher-{run}-abcDEF123456")), "{name}");
            assert!(is_stage(&format!(".{name}.musher-{run}-abcDEF123456.gone")), "{name}");
        }
        for name in [
            format!("x.musher-{run}-abcDEF123456"),
            format!(".x.musher-{run}-abc"),
            format!(".x.musher-{}-abcDEF123456", &run[1..]),
            format!(".x.musher-{run}"),
            ".x.musher-spill".to_owned(),
        ] {
            assert!(!is_stage(&name), "{name}");
        }
        assert_eq!(short(&"ä".repeat(200)).len(), MOST_NAME_BYTES);
    }
}
