//! Clocks and the line of JSON.

use std::fs;
use std::time::Instant;

use serde_json::{Value, json};

/// A moment: wall clock and CPU seconds of this process.
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
}

/// Times `run` as often as `BENCH_REPS` says and prints the line; `run` gives its checksum and may give other figures.
pub(crate) fn report(mut run: impl FnMut() -> (Value, Value)) {
    let repetitions = std::env::var("BENCH_REPS").ok().and_then(|text| text.parse().ok()).unwrap_or(3);
    // Resets the high-water mark of resident memory.
    let _ = fs::write("/proc/self/clear_refs", "5");
    let base = status_mb("VmRSS:");
    let (mut seconds, mut cpu, mut other) = (vec![], vec![], vec![]);
    let (mut checksum, mut extra) = (Value::Null, Value::Null);
    for _ in 0..repetitions {
        let start = Moment::now();
        (checksum, extra) = run();
        let wall = extra["seconds"].as_f64().unwrap_or_else(|| start.seconds());
        let own = process_cpu() - start.cpu;
        other.push(((machine_busy() - start.busy - own) / start.seconds()).max(0.0));
        seconds.push(wall);
        cpu.push(own / wall);
    }
    let line = json!({
        "seconds": seconds, "cpu": cpu, "other_cpu": other, "checksum": checksum, "extra": extra,
        "peak_rss_mb": status_mb("VmHWM:"), "base_rss_mb": base, "version": concat!("musher ", env!("CARGO_PKG_VERSION")),
    });
    println!("{line}");
}

/// Resident memory now, in bytes.
pub(crate) fn resident() -> u64 {
    (status_mb("VmRSS:") * 1024.0 * 1024.0) as u64
}

fn status_mb(field: &str) -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    line.and_then(|text| text.trim().trim_end_matches(" kB").parse::<f64>().ok())
        .map_or(0.0, |kib| kib / 1024.0)
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
