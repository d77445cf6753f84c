//! What it costs to rechunk blocks of rows to blocks of columns, in memory and staged on disk: nanoseconds an element.
//!
//! `cargo run --release -p musher-array --example rows_to_columns -- 1024` for 1024 MiB.

use std::error::Error;
use std::sync::Arc;
use std::time::Instant;

use musher_array::ndarray::Ix2;
use musher_array::{Array, Chunks};
use musher_graph_core::{Collection, Graph, Plan};
use musher_scheduler::{Compute, Options, SpillDir, SpillOptions};
use musher_testkit::{Staging, compute_staged};

/// Blocks of this many bytes.
const BLOCK: usize = 16 << 20;

fn main() -> Result<(), Box<dyn Error>> {
    let mebibytes: usize = std::env::args().nth(1).map_or(Ok(256), |text| text.parse())?;
    let columns = 16_384;
    let rows = (mebibytes << 20) / 8 / columns;
    let n = (rows * columns) as f64;
    let by_rows = Chunks::from((BLOCK / 8 / columns, columns));
    let by_columns = Chunks::from((rows, BLOCK / 8 / rows));
    let x =
        Array::<f64, Ix2>::from_shape_fn((rows, columns), by_rows, move |(i, j)| (i * columns + j) as f64);

    let timed = |name: &str, work: &dyn Fn() -> Result<f64, Box<dyn Error>>| -> Result<f64, Box<dyn Error>> {
        let start = Instant::now();
        let answer = work()?;
        let elapsed = start.elapsed();
        println!(
            "{name:32} {:7.3} s  {:6.3} ns an element",
            elapsed.as_secs_f64(),
            elapsed.as_nanos() as f64 / n
        );
        Ok(answer)
    };
    let sequential = Options::sequential();
    let expected = timed("making and summing, no rechunk", &|| Ok(x.sum().compute_with(&sequential)?))?;
    let y = x.rechunk(by_columns);
    let plan = Plan::new(Graph::collect(&[y.request()])?.optimize())?;
    println!("{} tasks, {} edges", plan.tasks().n_tasks(), plan.tasks().n_edges());
    let found = timed("under 512 MiB, two threads", &|| {
        let disk = Arc::new(SpillDir::new(SpillOptions::default().in_memory(128 << 20)));
        let options = Options::default().threads(2).memory_limit(512 << 20).spill_to(disk.clone());
        let found = y.sum().compute_with(&options)?;
        println!("{:?}, {}", disk.counts(), most_resident()?);
        Ok(found)
    })?;
    assert_eq!(found, expected);
    let staging = Staging::new(0);
    let found = timed("rechunked on disk, sequential", &|| {
        let (found, peak) = compute_staged(&y.sum(), &staging)?;
        println!("peak {} MiB of {mebibytes}, written {} MiB", peak >> 20, staging.written_bytes() >> 20);
        Ok(found)
    })?;
    assert_eq!(found, expected);
    if mebibytes > 2048 {
        // Old and new blocks together would fill a small machine.
        return Ok(());
    }
    let found = timed("rechunked in memory, sequential", &|| Ok(y.sum().compute_with(&sequential)?))?;
    assert_eq!(found, expected);
    let found = timed("rechunked in memory, two threads", &|| {
        Ok(y.sum().compute_with(&Options::default().threads(2))?)
    })?;
    assert_eq!(found, expected);
    Ok(())
}

/// The most memory that the process has held so far, as the system tells it.
fn most_resident() -> std::io::Result<String> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    Ok(status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or("VmHWM unknown").replace('\t', " "))
}
