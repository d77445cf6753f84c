//! S1: overhead of a task. `v[i] = (sum of v[inputs]) * 1664525 + 1013904223 + i`, modulo 2^32; the checksum is the
//! sum over the tasks that nobody reads.

use std::hint::black_box;
use std::time::Instant;

use musher::scheduler::{Compute, Options};
use musher::{GraphBuilder, NodeId};
use serde_json::json;

use crate::measure::{report, resident};

/// The five shapes: for each task its inputs, in compressed rows.
struct Edges {
    ends: Vec<u32>,
    inputs: Vec<u32>,
}

impl Edges {
    fn row(&self, task: usize) -> &[u32] {
        let start = if task == 0 { 0 } else { self.ends[task - 1] as usize };
        &self.inputs[start..self.ends[task] as usize]
    }

    fn of(shape: &str, n: usize) -> Self {
        let side = n.isqrt();
        let leaves = n.div_ceil(2);
        let n = match shape {
            "tree" => 2 * leaves - 1,
            "wavefront" => side * side,
            _ => n,
        };
        let mut edges = Self { ends: Vec::with_capacity(n), inputs: Vec::new() };
        for task in 0..n {
            match shape {
                "chain" if task > 0 => edges.inputs.push(task as u32 - 1),
                "tree" if task >= leaves => {
                    let first = 2 * (task - leaves) as u32;
                    edges.inputs.extend([first, first + 1]);
                }
                "wavefront" => {
                    edges.inputs.extend((task >= side).then(|| (task - side) as u32));
                    edges.inputs.extend((task % side > 0).then(|| task as u32 - 1));
                }
                "random" if task > 0 => {
                    let window = task.min(1000) as u64;
                    let draw = |k| (task as u64 - 1 - split_mix(3 * task as u64 + k) % window) as u32;
                    let mut drawn = [draw(0), draw(1), draw(2)].to_vec();
                    drawn.sort_unstable();
                    drawn.dedup();
                    edges.inputs.extend(drawn);
                }
                _ => {}
            }
            edges.ends.push(edges.inputs.len() as u32);
        }
        edges
    }
}

fn split_mix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

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
    let mut is_read = vec![false; n];
    edges.inputs.iter().for_each(|&input| is_read[input as usize] = true);
    report(|| {
        let before = resident();
        let start = Instant::now();
        let mut graph = GraphBuilder::with_capacity(n, edges.inputs.len());
        let mut ids: Vec<NodeId> = Vec::with_capacity(n);
        for task in 0..n {
            let own = task as u32;
            let id = graph.add(edges.row(task).iter().map(|&input| ids[input as usize]), move |inputs| {
                let sum = inputs.iter().fold(0u32, |sum, &value| sum.wrapping_add(value));
                sum.wrapping_mul(1_664_525).wrapping_add(1_013_904_223).wrapping_add(own)
            });
            ids.push(id);
        }
        let sinks: Vec<NodeId> = ids.iter().copied().filter(|id| !is_read[id.index()]).collect();
        let graph = graph.build(&sinks);
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
