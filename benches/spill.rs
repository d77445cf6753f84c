//! Bytes that go to the disk and come back under a memory limit: by the engine, and as forecast when the chunk leaves that is
//! needed furthest in the future, and when the one leaves that was used least recently.
//!
//! Counts, not times: the same on every machine. Each graph runs within a half, a quarter and an eighth of the bytes of the
//! array that it works on. Every line is one figure for `cargo xtask bench`. An exchange, which a rechunk of many blocks is,
//! stages its pieces by itself: they are among the bytes written to disk, but are no chunks that leave memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use musher::graph::Policy;
use musher::ndarray::{Axis, Ix2};
use musher::prelude::*;
use musher::scheduler::{Collections, SpillCompression, SpillDir, SpillOptions, compute_with, plan};
use musher::{Event, Observer};
use serde_json::json;

/// The arrays have 32 MiB, in 16 × 16 chunks of 128 KiB or 64 of 512 KiB.
const SIDE: usize = 2048;
const CHUNK: usize = 128;
const ROWS: usize = 32;
const BYTES: u64 = (SIDE * SIDE * size_of::<f64>()) as u64;
const LIMITS: [(&str, u64); 3] = [("half", 2), ("quarter", 4), ("eighth", 8)];

/// Bytes of chunks that left memory for the disk and came back from it.
#[derive(Default)]
struct Moved {
    spilled: AtomicU64,
    reloaded: AtomicU64,
}

impl Observer for Moved {
    fn event(&self, event: Event<'_>) {
        match event {
            Event::ChunkSpilled { bytes, .. } => self.spilled.fetch_add(bytes, Ordering::Relaxed),
            Event::ChunkLoaded { bytes, .. } => self.reloaded.fetch_add(bytes, Ordering::Relaxed),
            _ => return,
        };
    }
}

/// Numbers that no step computes twice: to the optimizer a block's function is opaque.
fn source(seed: usize, chunk: (usize, usize)) -> Array<f64, Ix2> {
    let x = Array::from_shape_fn((SIDE, SIDE), chunk, move |(i, j)| ((seed + i * 7 + j * 13) % 101) as f64);
    x.map_blocks(|block| block.to_owned())
}

/// One graph within three limits.
fn report<C: Collections + Copy>(name: &str, of: C) -> Result<(), Box<dyn std::error::Error>> {
    let first = plan(&of.requests())?;
    let tables = first.tasks().table_bytes() as u64;
    for (word, part) in LIMITS {
        let limit = tables + BYTES / part;
        let ordered = first.ordered_for(limit);
        let ordered = ordered.as_ref().unwrap_or(&first);
        let [furthest, oldest] =
            [Policy::Furthest, Policy::LeastRecentlyUsed].map(|policy| ordered.forecast(limit, policy));
        let moved = Arc::new(Moved::default());
        let settings = SpillOptions::default().compression(SpillCompression::Never).in_memory(limit / 4);
        let disk = Arc::new(SpillDir::new(settings));
        let options = Options::sequential().memory_limit(limit).spill_to(disk.clone()).observe(moved.clone());
        let failed = compute_with(of, &options).err().map(|error| error.to_string());
        let figure = json!({
            "figure": format!("spill/{name}/{word}"), "peak_bytes": first.peak_bytes(), "limit_bytes": limit,
            "engine_spilled_bytes": moved.spilled.load(Ordering::Relaxed),
            "engine_reloaded_bytes": moved.reloaded.load(Ordering::Relaxed),
            "disk_written_bytes": disk.counts().written, "disk_read_bytes": disk.counts().read,
            "furthest_spilled_bytes": furthest.spilled_bytes, "furthest_reloaded_bytes": furthest.reloaded_bytes,
            "least_recently_used_spilled_bytes": oldest.spilled_bytes,
            "least_recently_used_reloaded_bytes": oldest.reloaded_bytes,
            "error": failed,
        });
        println!("{figure}");
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let filter = std::env::args().skip(1).find(|word| !word.starts_with("--")).unwrap_or_default();
    let is_wanted = |name: &str| format!("spill/{name}").contains(&filter);
    if is_wanted("rechunk") {
        let x = source(0, (ROWS, SIDE)).rechunk((SIDE, ROWS));
        report("rechunk", &x.map_blocks(|block| block.to_owned()).sum())?;
    }
    if is_wanted("transpose_add") {
        let x = source(1, (CHUNK, CHUNK));
        // Without the means an order is found that holds two blocks at once, and nothing ever spills.
        report("transpose_add", &(&x + x.t() - x.mean_axis(Axis(0))).sum())?;
    }
    if is_wanted("matmul") {
        let (a, b) = (source(2, (CHUNK, CHUNK)), source(3, (CHUNK, CHUNK)));
        report("matmul", &a.matmul(&b).sum())?;
    }
    if is_wanted("reductions") {
        let x = source(4, (CHUNK, CHUNK));
        let centered = &x - x.mean_axis(Axis(0));
        let rows = (&x - x.min()).sum_axis(Axis(1)).max();
        report(
            "reductions",
            (&centered.std(0.0), &(&centered * &centered).sum_axis(Axis(1)).max(), &x.sum(), &rows),
        )?;
    }
    Ok(())
}
