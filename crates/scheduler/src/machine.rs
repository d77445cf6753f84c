//! What this process may use of the machine: memory, as the system and its control groups bound it, and cores.
//!
//! A container or a service manager bounds memory by control groups, of which there are two versions; the process is
//! killed when it goes beyond the smallest bound on the way from its own group to the root. The files are read by a
//! function that is passed in, so that tests can lay out any machine.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use musher_graph_core::ByteSize;

/// Memory and cores that this process may use.
///
/// # Examples
/// ```
/// use musher_scheduler::Machine;
/// let machine = Machine::current();
/// assert!(machine.memory > 0);
/// assert_eq!(machine.default_memory_limit().bytes(), machine.memory / 5 * 3);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Machine {
    /// Bytes of memory: the smallest of physical memory and the limits of all control groups around the process.
    ///
    /// Only Linux is asked today. On other systems 4 GiB are assumed, however much there is: set a memory limit there, by
    /// `MUSHER_MEMORY_LIMIT`, in `musher.toml` or in the options.
    pub memory: u64,
    /// Threads that run at once, as [`std::thread::available_parallelism`] knows them.
    pub cores: NonZeroUsize,
}

/// What is assumed where the system does not say: little enough for any machine of today.
const UNKNOWN_MEMORY: u64 = 4 << 30;

impl Machine {
    /// This machine, looked at once per process.
    pub fn current() -> Self {
        static CURRENT: OnceLock<Machine> = OnceLock::new();
        *CURRENT.get_or_init(|| Self {
            memory: memory_by(|path| std::fs::read_to_string(path).ok()).unwrap_or(UNKNOWN_MEMORY),
            cores: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
        })
    }

    /// 60 % of the memory: the rest is for what no ledger counts, the program's own data and the files that the
    /// system caches.
    pub fn default_memory_limit(&self) -> ByteSize {
        ByteSize::from(self.memory / 5 * 3)
    }
}

/// The smallest bound on memory that the files name, in bytes; `None` where they name none.
fn memory_by(read: impl Fn(&Path) -> Option<String>) -> Option<u64> {
    let physical = read(Path::new("/proc/meminfo")).and_then(|text| physical_memory(&text));
    let groups = read(Path::new("/proc/self/cgroup")).unwrap_or_default();
    let mounts = read(Path::new("/proc/self/mountinfo")).unwrap_or_default();
    let files = limit_files(&groups, &mounts);
    let limits = files.iter().filter_map(|file| read(file).and_then(|text| group_limit(&text)));
    physical.into_iter().chain(limits).min()
}

/// `MemTotal` of `/proc/meminfo`, in bytes.
fn physical_memory(meminfo: &str) -> Option<u64> {
    let total = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kilobytes: u64 = total.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kilobytes.checked_mul(1024)
}

/// The limit of one control group; `None` where it has none.
fn group_limit(text: &str) -> Option<u64> {
    // Version 2 says "max" for no limit, version 1 the largest number of whole pages.
    text.trim().parse().ok().filter(|&bytes| bytes < 1 << 62)
}

/// The files that may hold a limit for this process, from its own groups up to their mount points.
fn limit_files(groups: &str, mounts: &str) -> Vec<PathBuf> {
    let mounts: Vec<Mount> = mounts.lines().filter_map(Mount::parse).collect();
    let mut files = Vec::new();
    for line in groups.lines() {
        // hierarchy:controllers:path
        let mut fields = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(group)) = (fields.next(), fields.next()) else { continue };
        let (version_2, file) = match controllers {
            "" => (true, "memory.max"),
            some if some.split(',').any(|controller| controller == "memory") => {
                (false, "memory.limit_in_bytes")
            }
            _ => continue,
        };
        for mount in mounts.iter().filter(|mount| mount.version_2 == version_2) {
            let own = mount.folder_of(group);
            let up = own.ancestors().take_while(|folder| folder.starts_with(mount.point));
            files.extend(up.map(|folder| folder.join(file)));
        }
    }
    files
}

/// A mounted hierarchy of control groups that can bound memory.
struct Mount<'a> {
    version_2: bool,
    /// The group that stands at the mount point.
    root: &'a str,
    point: &'a str,
}

impl<'a> Mount<'a> {
    /// A line of `/proc/self/mountinfo`, if it is such a hierarchy.
    fn parse(line: &'a str) -> Option<Self> {
        let (place, kind) = line.split_once(" - ")?;
        let mut place = place.split(' ').skip(3);
        let (root, point) = (place.next()?, place.next()?);
        let mut kind = kind.split(' ');
        match (kind.next()?, kind.nth(1)) {
            ("cgroup2", _) => Some(Self { version_2: true, root, point }),
            ("cgroup", Some(options)) if options.split(',').any(|option| option == "memory") => {
                Some(Self { version_2: false, root, point })
            }
            _ => None,
        }
    }

    /// The folder of a group. One that is not below this mount's root, as in a container that sees its own group only,
    /// counts as the root.
    fn folder_of(&self, group: &str) -> PathBuf {
        let below = Path::new(group).strip_prefix(self.root).ok();
        let plain =
            |path: &&Path| path.components().all(|part| matches!(part, std::path::Component::Normal(_)));
        Path::new(self.point).join(below.filter(plain).unwrap_or(Path::new("")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    const MEMINFO: (&str, &str) =
        ("/proc/meminfo", "MemTotal:       16000000 kB\nMemFree:         1234 kB\nSwapTotal:  99999999 kB\n");
    const PHYSICAL: u64 = 16_000_000 * 1024;
    const MOUNT_2: &str = "23 18 0:21 / /sys rw - sysfs sysfs rw\n\
        30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";
    const MOUNT_1: &str = "31 30 0:27 / /sys/fs/cgroup/cpu rw shared:10 - cgroup cgroup rw,cpu,cpuacct\n\
        32 30 0:28 / /sys/fs/cgroup/memory rw shared:11 - cgroup cgroup rw,memory\n";
    const NO_LIMIT_1: &str = "9223372036854771712\n";

    fn memory(files: &[(&str, &str)]) -> Option<u64> {
        let files: HashMap<&Path, &str> = files.iter().map(|&(path, text)| (Path::new(path), text)).collect();
        memory_by(|path| files.get(path).map(|&text| text.to_owned()))
    }

    #[test]
    fn without_groups_it_is_the_physical_memory() {
        assert_eq!(memory(&[MEMINFO]), Some(PHYSICAL));
        assert_eq!(memory(&[]), None);
        for broken in ["", "MemTotal: lots kB", "MemTotal: 5", "MemTotal: 99999999999999999999 kB"] {
            assert_eq!(memory(&[("/proc/meminfo", broken)]), None, "{broken}");
        }
    }

    #[test]
    fn the_smallest_limit_on_the_way_up_counts_in_version_2() {
        let groups = ("/proc/self/cgroup", "0::/user.slice/user-1000.slice/run:1.scope\n");
        let mounts = ("/proc/self/mountinfo", MOUNT_2);
        let own = "/sys/fs/cgroup/user.slice/user-1000.slice/run:1.scope/memory.max";
        let parent = "/sys/fs/cgroup/user.slice/user-1000.slice/memory.max";
        let top = "/sys/fs/cgroup/user.slice/memory.max";
        let machine =
            |limits: &[(&'static str, &'static str)]| memory(&[&[MEMINFO, groups, mounts], limits].concat());
        assert_eq!(machine(&[(own, "1073741824\n")]), Some(1 << 30));
        assert_eq!(machine(&[(own, "max\n"), (parent, "2147483648\n"), (top, "max\n")]), Some(2 << 30));
        assert_eq!(machine(&[(own, "3221225472\n"), (top, "1048576\n")]), Some(1 << 20));
        assert_eq!(machine(&[(own, "max\n"), (parent, "max\n"), (top, "max\n")]), Some(PHYSICAL));
        assert_eq!(machine(&[(own, "9999999999999\n")]), Some(PHYSICAL), "more than there is");
        assert_eq!(machine(&[]), Some(PHYSICAL), "the files are missing");
        assert_eq!(memory(&[groups, mounts, (own, "77\n")]), Some(77), "no physical memory known");
    }

    #[test]
    fn version_1_has_its_own_file_and_a_huge_number_for_no_limit() {
        let groups = ("/proc/self/cgroup", "5:memory:/docker/abc\n4:cpu,cpuacct:/docker/abc\n0::/\n");
        let mounts = ("/proc/self/mountinfo", MOUNT_1);
        let own = "/sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes";
        let root = "/sys/fs/cgroup/memory/memory.limit_in_bytes";
        assert_eq!(
            memory(&[MEMINFO, groups, mounts, (own, "536870912\n"), (root, NO_LIMIT_1)]),
            Some(512 << 20)
        );
        assert_eq!(memory(&[MEMINFO, groups, mounts, (own, NO_LIMIT_1), (root, NO_LIMIT_1)]), Some(PHYSICAL));
        assert_eq!(memory(&[groups, mounts, (own, NO_LIMIT_1)]), None);
    }

    #[test]
    fn a_container_that_sees_its_own_group_as_root_finds_its_limit() {
        // The group is mounted, the path is told as seen from outside.
        let mount = "40 30 0:28 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n";
        let file = "/sys/fs/cgroup/memory/memory.limit_in_bytes";
        for group in ["7:memory:/docker/abc\n", "7:memory:/elsewhere\n", "7:memory:/docker/abc/../x\n"] {
            let files = [("/proc/self/cgroup", group), ("/proc/self/mountinfo", mount), (file, "4096")];
            assert_eq!(memory(&files), Some(4096), "{group}");
        }
        let below = "/sys/fs/cgroup/memory/job/memory.limit_in_bytes";
        let files = [
            ("/proc/self/cgroup", "7:memory:/docker/abc/job\n"),
            ("/proc/self/mountinfo", mount),
            (file, "8192"),
            (below, "4096"),
        ];
        assert_eq!(memory(&files), Some(4096));
    }

    #[test]
    fn nonsense_is_no_limit() {
        for (groups, mounts) in
            [("0::", MOUNT_2), ("", MOUNT_2), ("0:\n\n:::", "x - cgroup2"), ("0::/", " - ")]
        {
            let files = [MEMINFO, ("/proc/self/cgroup", groups), ("/proc/self/mountinfo", mounts)];
            assert_eq!(memory(&files), Some(PHYSICAL));
        }
    }
}
