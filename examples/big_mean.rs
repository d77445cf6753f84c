//! The mean of 80 GB of random numbers, and `x + x.t() - mean of columns` reduced, in a few megabytes of memory.
//!
//! `cargo run --release --example big_mean -- --size 20000` makes the array smaller.
//!
//! CI: --size 4000

use std::time::Instant;

use musher::array::random;
use musher::prelude::*;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let size = match std::env::args().skip_while(|word| word != "--size").nth(1) {
        Some(text) => text.parse()?,
        None => 100_000,
    };
    let x = random::uniform((size, size), (1000, 1000)).seed(42).build();
    let gigabytes = x.nbytes() as f64 / 1e9;
    println!("x is {size} × {size} random numbers, {gigabytes:.1} GB, in chunks of 1000 × 1000.\n");

    let mean = x.mean();
    println!("x.mean()\n{}\n", mean.explain()?);
    let start = Instant::now();
    let value = mean.compute_with(&Options::default().progress())?;
    println!("mean: {value:.6} in {:.1} s\n", start.elapsed().as_secs_f64());

    let reduced = (&x + x.t() - x.mean_axis(Axis(0))).sum();
    println!("(x + x.t() - x.mean_axis(Axis(0))).sum()\n{}\n", reduced.explain()?);
    let start = Instant::now();
    let value = reduced.compute_with(&Options::default().progress())?;
    println!("sum: {value:.3e} in {:.1} s\n", start.elapsed().as_secs_f64());

    match peak_memory() {
        Some(bytes) => println!("peak memory of this process: {:.0} MB", bytes as f64 / 1e6),
        None => println!("peak memory of this process: not known on this system"),
    }
    Ok(())
}

/// High-water mark of resident memory, in bytes, where the system tells.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(1024 * line.trim().trim_end_matches(" kB").parse::<u64>().ok()?)
}
