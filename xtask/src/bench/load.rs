//! How busy other processes keep the machine while something is measured: times taken on a busy machine prove little.
//!
//! From Linux's counters of processor time; elsewhere nothing is known, and the load is 0.

use std::time::Instant;

/// The counters of Linux go up so many times a second, on every architecture that we know.
const TICKS_PER_SECOND: f64 = 100.0;

/// The counters at one moment.
pub(super) struct Load {
    start: Instant,
    others: f64,
}

impl Load {
    /// The counters now.
    pub(super) fn now() -> Self {
        Self { start: Instant::now(), others: others() }
    }

    /// Cores that processes other than this one and its ended children kept busy since then, on average.
    pub(super) fn others_since(&self) -> f64 {
        let cores = (others() - self.others) / TICKS_PER_SECOND / self.start.elapsed().as_secs_f64();
        (cores.max(0.0) * 100.0).round() / 100.0
    }
}

/// Ticks that the processors were busy with other processes.
fn others() -> f64 {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    busy(&read("/proc/stat")) - own(&read("/proc/self/stat"))
}

/// Busy ticks of all processors: user, nice, system, and the three kinds of interrupts and theft.
fn busy(stat: &str) -> f64 {
    let first = stat.lines().next().unwrap_or_default();
    let ticks: Vec<f64> =
        first.split_whitespace().skip(1).take(8).filter_map(|word| word.parse().ok()).collect();
    let idle: f64 = ticks.iter().skip(3).take(2).sum();
    ticks.iter().sum::<f64>() - idle
}

/// Ticks of a process and of its children that have ended.
fn own(stat: &str) -> f64 {
    // The name, in parentheses, may hold blanks.
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    after_name.split_whitespace().skip(11).take(4).filter_map(|word| word.parse::<f64>().ok()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn busy_is_all_but_idle_and_waiting() {
        assert_eq!(busy("cpu  10 20 30 1000 500 1 2 3 99 99\ncpu0 1 1 1\n"), 66.0);
        assert_eq!(busy(""), 0.0);
    }

    #[test]
    fn own_time_has_that_of_ended_children() {
        let stat = "7 (a b) c) S 1 7 7 0 -1 4 100 0 0 0 11 12 13 14 20 0 1";
        assert_eq!(own(stat), 50.0);
        assert_eq!(own(""), 0.0);
    }
}
