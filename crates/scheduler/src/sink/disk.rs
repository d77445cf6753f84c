//! Steps on the disk that the ways of committing share: which file is which, and how one takes another's place.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

/// Which file or folder something is, whatever its name is now. The number of its device is another one on each machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FileId {
    inode: u64,
}

impl FileId {
    /// That of what stands at a path; `None` where the system has no such numbers.
    #[cfg(unix)]
    pub(super) fn of(path: &Path) -> io::Result<Option<Self>> {
        use std::os::unix::fs::MetadataExt;
        let facts = fs::symlink_metadata(path)?;
        Ok(Some(Self { inode: facts.ino() }))
    }

    #[cfg(not(unix))]
    pub(super) fn of(path: &Path) -> io::Result<Option<Self>> {
        fs::symlink_metadata(path).map(|_| None)
    }

    /// Whether this is what stands at a path.
    pub(super) fn is_at(id: Option<Self>, path: &Path) -> bool {
        id.is_some() && Self::of(path).is_ok_and(|found| found == id)
    }

    pub(super) fn inode(&self) -> u64 {
        self.inode
    }
}

/// Whether a folder is the root of a file system, so that it has its name for good; as far as the system tells.
#[cfg(target_os = "linux")]
pub(super) fn is_mounted(path: &Path) -> bool {
    use rustix::fs::{AtFlags, CWD, StatxAttributes, StatxFlags, statx};
    let facts = statx(CWD, path, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::TYPE);
    facts.is_ok_and(|facts| facts.stx_attributes.contains(StatxAttributes::MOUNT_ROOT))
}

#[cfg(not(target_os = "linux"))]
pub(super) fn is_mounted(_path: &Path) -> bool {
    false
}

/// Puts the folder `new` where `old` is, and `old` where `new` was, so that a reader sees the one or the other.
///
/// `false` if the file system cannot.
#[cfg(target_os = "linux")]
pub(super) fn exchange(new: &Path, old: &Path) -> io::Result<bool> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    use rustix::io::Errno;
    match renameat_with(CWD, new, CWD, old, RenameFlags::EXCHANGE) {
        Ok(()) => Ok(true),
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) fn exchange(_new: &Path, _old: &Path) -> io::Result<bool> {
    Ok(false)
}

/// Whether something stands at a path, be it a link to nowhere.
pub(super) fn exists(path: &Path) -> io::Result<bool> {
    match fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Makes the names in a folder durable, where the system lets one do that.
#[cfg(unix)]
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    match File::open(path)?.sync_all() {
        // Some file systems have nothing to do there, and say so by an error.
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => {
            Ok(())
        }
        outcome => outcome,
    }
}

#[cfg(not(unix))]
pub(super) fn sync_folder(_path: &Path) -> io::Result<()> {
    Ok(())
}

/// Whether several machines may share the file system that a path is on, as far as the system tells: a lock may then be
/// known on one of them only.
#[cfg(target_os = "linux")]
pub(super) fn is_shared(path: &Path) -> bool {
    // NFS, SMB (three), Lustre, Ceph, GPFS, BeeGFS, AFS, 9P, FUSE: the numbers of statfs(2).
    const SHARED: [u64; 11] = [
        0x6969,
        0x517B,
        0xFF53_4D42,
        0xFE53_4D42,
        0x0BD0_0BD0,
        0x00C3_6400,
        0x4750_4653,
        0x1983_0326,
        0x5346_414F,
        0x0102_1997,
        0x6573_5546,
    ];
    rustix::fs::statfs(path).is_ok_and(|facts| SHARED.contains(&(facts.f_type as u64 & 0xFFFF_FFFF)))
}

#[cfg(not(target_os = "linux"))]
pub(super) fn is_shared(_path: &Path) -> bool {
    false
}

/// The name of this machine, as far as the system tells: empty is nobody's.
pub(super) static HOST: LazyLock<String> = LazyLock::new(|| {
    let name =
        fs::read_to_string("/proc/sys/kernel/hostname").or_else(|_| fs::read_to_string("/etc/hostname"));
    // Many machines are called `localhost`.
    let machine = fs::read_to_string("/etc/machine-id").unwrap_or_default();
    name.map_or_else(|_| String::new(), |name| format!("{} {}", name.trim(), machine.trim()))
});

/// Makes the content of a file durable.
pub(super) fn sync_file(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}
