//! A computation on eight times the memory that it may take: explained, checked, watched, stopped, and resumed.
//!
//! `cargo run --release --example at_the_limit` takes 512 MiB of numbers through 64 MiB of memory.
//!
//! CI: --size 2048

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use musher::array::random;
use musher::prelude::*;
use musher::scheduler::TransitionKind;
use musher::{ByteSize, CancelToken, Checkpoint, Event, EventLog, Observer};

/// Watches the memory of a run whenever a task starts.
#[derive(Default)]
struct Memory(Mutex<Vec<u64>>);

impl Observer for Memory {
    fn event(&self, event: Event<'_>) {
        if let (Event::TaskStarted { alive_bytes, .. }, Ok(mut seen)) = (event, self.0.lock()) {
            seen.push(alive_bytes);
        }
    }
}

/// Stops a run after so many tasks, as somebody would who presses Ctrl-C.
struct StopAfter(AtomicUsize, CancelToken);

impl Observer for StopAfter {
    fn event(&self, event: Event<'_>) {
        if matches!(event, Event::TaskFinished { .. }) && self.0.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.1.cancel();
        }
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let size = match std::env::args().skip_while(|word| word != "--size").nth(1) {
        Some(text) => text.parse()?,
        None => 8192,
    };
    // Measurements that are dear to make: each block is made once, and waits for mean and spread of all of them.
    let noise = random::normal((size, size), size / 16).seed(1).build();
    let x = noise.map_blocks(|block| block.mapv(|x| 20.0 + 3.0 * x));
    let scores = (&x - x.mean()) / x.std(0.0);
    let highest = scores.over(Axis(1)).max().mean();

    let limit = ByteSize::from(x.nbytes() as u64 / 8);
    let (memory, log) = (Arc::new(Memory::default()), Arc::new(EventLog::new(100_000)));
    let options = Options::default().memory_limit(limit).observe(memory.clone()).observe(log.clone());
    println!("{}\n", highest.explain_with(&options)?);
    if let Some(problem) = highest.check_with(&Options::default().memory_limit("64KiB"))?.first() {
        println!("64 KiB would not do:\n  {problem}\n");
    }

    let answer = highest.compute_with(&options.clone().progress())?;
    println!("The highest of {size} scores is on average {answer:.3} standard deviations above the mean.\n");
    let (mut gone, mut back) = (0, 0);
    for transition in log.transitions() {
        match transition.kind {
            TransitionKind::ChunkSpilled { bytes, .. } => gone += bytes,
            TransitionKind::ChunkLoaded { bytes, .. } => back += bytes,
            _ => {}
        }
    }
    let [all, gone, back] = [x.nbytes() as u64, gone, back].map(ByteSize::from);
    println!("Of {all} of numbers {gone} went to the disk, and {back} came back.");
    let seen = memory.0.lock().map_err(|_| "the observer panicked")?.clone();
    println!("Memory from the first task to the last, where █ is the limit of {limit}:");
    println!("  {}\n", blocks(&seen, limit.bytes()));

    let folder = tempfile::tempdir()?;
    let checkpoint = Checkpoint::new(folder.path().join("scores")).version("1");
    let stop = CancelToken::new();
    let after = StopAfter(AtomicUsize::new(seen.len() * 3 / 4), stop.clone());
    let stopped =
        checkpoint.clone().options(options.clone().cancel(&stop).observe(Arc::new(after))).save(&scores);
    if let Err(error) = stopped {
        println!("While the scores are written into a checkpoint, the run is {error}.");
    }
    let saved = checkpoint.options(options).save(&scores)?;
    println!("The next run finds {} blocks there and makes {}.", saved.n_reused, saved.n_computed);
    assert_eq!(saved.collection.over(Axis(1)).max().mean().compute()?, answer);
    println!("Read from the disk they give the same answer, to the last bit.");
    Ok(())
}

/// Shares of a whole as a line of blocks that grow from ▁ to █, each the highest of its part.
fn blocks(values: &[u64], whole: u64) -> String {
    let parts = values.chunks(values.len().div_ceil(72).max(1));
    let highest = parts.map(|part| part.iter().max().copied().unwrap_or(0));
    highest
        .map(|value| ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'][(value * 8 / whole).min(7) as usize])
        .collect()
}
