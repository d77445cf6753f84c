//! What this process holds: resident memory, open files, threads. From Linux's `/proc`; elsewhere all is 0.

use std::fs;

/// Begins the high-water mark of resident memory anew.
pub fn forget_peak() {
    // Where the system does not let us, the mark is that of the whole process.
    let _ = fs::write("/proc/self/clear_refs", "5");
}

/// Resident memory now, in bytes.
pub fn resident_bytes() -> u64 {
    status_bytes("VmRSS:")
}

/// Most resident memory since [`forget_peak`], in bytes.
pub fn peak_resident_bytes() -> u64 {
    status_bytes("VmHWM:")
}

/// Lets the address space of this process, which is a child of a test, grow by no more than this many bytes.
///
/// # Panics
/// If the system does not let it.
#[cfg(unix)]
pub fn limit_address_space(more: u64) {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let most = Some(status_bytes("VmSize:") + more);
    setrlimit(Resource::As, Rlimit { current: most, maximum: most }).expect("a limit may be lowered");
}

/// Files and the like that are open.
pub fn open_files() -> usize {
    entries("/proc/self/fd")
}

/// Threads of this process.
pub fn n_threads() -> usize {
    entries("/proc/self/task")
}

fn entries(folder: &str) -> usize {
    fs::read_dir(folder).map_or(0, Iterator::count)
}

fn status_bytes(field: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    line.and_then(|text| text.trim().trim_end_matches(" kB").parse::<u64>().ok()).map_or(0, |kib| 1024 * kib)
}
