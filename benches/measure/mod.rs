//! What a run took: wall clock, processor time, memory. From Linux's `/proc`; elsewhere all but the wall clock is 0.

use std::fs;
use std::time::Instant;

/// A moment: wall clock, and processor seconds of this process and of all.
pub(crate) struct Moment {
    wall: Instant,
    cpu: f64,
    busy: f64,
}

impl Moment {
    pub(crate) fn now() -> Self {
        Self { wall: Instant::now(), cpu: process_cpu(), busy: machine_busy() }
    }

    /// Wall seconds since this moment.
    pub(crate) fn seconds(&self) -> f64 {
        self.wall.elapsed().as_secs_f64()
    }

    /// Processor seconds of this process since this moment.
    pub(crate) fn cpu_seconds(&self) -> f64 {
        process_cpu() - self.cpu
    }

    /// Cores that other processes kept busy since this moment, on average.
    pub(crate) fn other_cpu(&self) -> f64 {
        ((machine_busy() - self.busy - self.cpu_seconds()) / self.seconds()).max(0.0)
    }
}

/// Begins the high-water mark of resident memory anew.
pub(crate) fn forget_peak() {
    // Where the system does not let us, the mark is that of the whole process.
    let _ = fs::write("/proc/self/clear_refs", "5");
}

/// Resident memory now, in bytes.
pub(crate) fn resident() -> u64 {
    status_bytes("VmRSS:")
}

/// Most resident memory since [`forget_peak`], in bytes.
pub(crate) fn peak_resident() -> u64 {
    status_bytes("VmHWM:")
}

fn status_bytes(field: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    line.and_then(|text| text.trim().trim_end_matches(" kB").parse::<u64>().ok()).map_or(0, |kib| 1024 * kib)
}

/// Clock ticks a second in `/proc`, the same on every Linux that we know of.
const TICKS: f64 = 100.0;

fn process_cpu() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or("").split_whitespace().collect();
    let ticks = |index: usize| fields.get(index).and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / TICKS
}

fn machine_busy() -> f64 {
    let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
    let first = stat.lines().next().unwrap_or("");
    let ticks: Vec<f64> =
        first.split_whitespace().skip(1).take(8).filter_map(|text| text.parse().ok()).collect();
    let idle: f64 = ticks.iter().skip(3).take(2).sum();
    (ticks.iter().sum::<f64>() - idle) / TICKS
}
