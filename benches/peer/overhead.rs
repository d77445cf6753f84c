//! S1: overhead of a task. `v[i] = (sum of v[inputs]) * 1664525 + 1013904223 + i`, modulo 2^32; the checksum is the
//! sum over the tasks that nobody reads.

use std::hint::black_box;
use std::time::Instant;

use musher::scheduler::{Compute, Options};
use serde_json::json;

use crate::measure::resident;
use crate::report::report;
use crate::shapes::{Edges, build};

/// Builds, orders and executes a graph of this shape; threads are in `BENCH_THREADS` (2 by default, 0 is sequential).
pub(crate) fn run(shape: &str, size: &str) {
    let n = match size {
        "small" => 10_000,
        "medium" => 100_000,
        _ => 1_000_000,
    };
    let threads: usize = std::env::var("BENCH_THREADS").ok().and_then(|text| text.parse().ok()).unwrap_or(2);
    let options = if threads == 0 { Options::sequential() } else { Options::default().threads(threads) };
    let edges = Edges::of(shape, n);
    let n = edges.ends.len();
    report(|| {
        let before = resident();
        let start = Instant::now();
        let graph = build(&edges);
        let built = start.elapsed().as_secs_f64();
        let held = resident().saturating_sub(before);
        let values = match black_box(&graph).compute_with(&options) {
            Ok(values) => values,
            Err(error) => panic!("{error}"),
        };
        drop(graph);
        let all = start.elapsed().as_secs_f64();
        let checksum: u64 = values.iter().map(|&value| u64::from(value)).sum();
        let per_task = |seconds: f64| (seconds / n as f64 * 1e9).round();
        let extra = json!({
            "seconds": all, "tasks": n, "build_ns": per_task(built), "exec_ns": per_task(all - built),
            "total_ns": per_task(all), "graph_bytes_per_task": held / n as u64,
        });
        (json!(checksum), extra)
    });
}
