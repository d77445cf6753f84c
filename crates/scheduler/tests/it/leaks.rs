//! What a thousand runs leave behind, whatever became of them: no memory, no open file, no thread, nothing on the disk;
//! and ten thousand chunks on the disk under a limit of 64 open files.

use std::path::Path;
use std::sync::Arc;

use musher_graph_core::{Grid, Layer, Places, Request, SpillStore};
use musher_graph_core::{Port, Wiring, delayed};
use musher_scheduler::{
    CancelToken, Client, Compute, Error, Event, Observer, Options, Run, SpillDir, SpillOptions, gather,
};
use musher_testkit::{
    Act, Alive, Child, Counted, Drawn, Random, Scripted, least_with_disk, n_threads, open_files,
    resident_bytes,
};

use crate::support::{execute, unfused};

/// Runs before anything is measured: pools, tables and the allocator's own are made by then.
const WARM: usize = 200;
const RUNS: usize = 1000;
/// What resident memory may grow by.
const GROWTH: u64 = 8 << 20;

/// One run of some kind, with the answer that it must have.
fn run_of_some_kind(round: usize, random: &mut Random, base: &Path) {
    let threads = round % 4;
    match round % 10 {
        // A task fails or panics.
        0 => {
            let act = if round.is_multiple_of(20) { Act::Fail } else { Act::Then(Arc::new(panics)) };
            let error = scripted(act, threads, None).unwrap_err();
            assert!(matches!(error, Error::Task(_) | Error::Panicked { .. }), "{error}");
        }
        1 => {
            let token = CancelToken::new();
            let inside = token.clone();
            let cancel = Act::Then(Arc::new(move || inside.cancel()));
            let error = scripted(cancel, threads, Some(token)).unwrap_err();
            assert!(matches!(error, Error::Cancelled { .. }), "{error}");
        }
        2 => {
            let client = Client::new(Options::default().threads(2)).unwrap();
            let squares = gather(client.map(|x: u64| x * x, 0..20)).unwrap();
            assert_eq!(squares.iter().sum::<u64>(), 2470);
        }
        3 => {
            let inner = |x: u64| delayed(|x: u64| x + 1).call(x).compute().unwrap();
            let all: Vec<_> = (0..20).map(|x| delayed(inner).call(x)).collect();
            let sum = delayed(|all: Vec<u64>| all.iter().sum::<u64>()).call(all);
            assert_eq!(sum.compute_with(&Options::default().threads(2)).unwrap(), 210);
        }
        _ => {
            let mut drawn = Drawn::random(random, 60);
            drawn.bytes.iter_mut().for_each(|bytes| *bytes = *bytes * 64 + 4096);
            spilled(&drawn, threads, base, None);
        }
    }
}

fn panics() {
    // Without the hook, which would report each of them.
    std::panic::resume_unwind(Box::new("on purpose"));
}

fn scripted(act: Act, threads: usize, cancel: Option<CancelToken>) -> Result<(), Error> {
    let layer = Layer::build(Scripted::new("part").at(17, act)).finish(Grid::from([50]));
    let sum = Layer::build(Scripted::new("sum")).input(&Port::of(layer), Wiring::All).finish(Grid::scalar());
    let mut run = Run::new(unfused(&[Request { port: Port::of(sum), places: Places::All }]));
    run.cancel = cancel;
    execute(&run, threads).map(drop)
}

/// Runs a graph in the least memory that can do, its chunks on the disk.
fn spilled(drawn: &Drawn, threads: usize, base: &Path, observer: Option<Arc<dyn Observer>>) {
    let (alive, outputs) = (Alive::default(), drawn.sinks());
    let plan = unfused(&drawn.requests(&alive, &outputs));
    let mut run = Run::new(Arc::clone(&plan));
    run.memory_limit = Some(least_with_disk(&plan).into());
    run.spill_store =
        Some(Arc::new(SpillDir::new(SpillOptions::default().base(base))) as Arc<dyn SpillStore>);
    run.observers = observer.into_iter().collect();
    let chunks = execute(&run, threads).unwrap();
    let values: Vec<u64> =
        chunks.iter().map(|chunk| chunk.downcast_ref::<Counted>().unwrap().value).collect();
    let expected = drawn.values();
    assert_eq!(values, outputs.iter().map(|&output| expected[output]).collect::<Vec<_>>());
}

/// What the child does, and what it says.
fn a_thousand_runs() -> String {
    let base = tempfile::tempdir().unwrap();
    let mut random = Random::new(5);
    (0..WARM).for_each(|round| run_of_some_kind(round, &mut random, base.path()));
    let before = (resident_bytes(), open_files(), n_threads());
    (0..RUNS).for_each(|round| run_of_some_kind(round, &mut random, base.path()));
    // A thread that has been joined may be listed for a moment still.
    let is_back = |_: &usize| {
        std::thread::yield_now();
        n_threads() <= before.2
    };
    let _ = (0..100_000).find(is_back);
    let after = (resident_bytes(), open_files(), n_threads());
    let left = std::fs::read_dir(base.path()).unwrap().count();
    let grown = after.0.saturating_sub(before.0);
    let is_clean = grown <= GROWTH && after.1 == before.1 && after.2 <= before.2 && left == 0;
    let verdict = if is_clean { "clean" } else { "leaks" };
    format!(
        "{verdict}: {} KiB more, {} → {} files, {} → {} threads, {left} files left",
        grown >> 10,
        before.1,
        after.1,
        before.2,
        after.2
    )
}

/// Counts chunks that go to the disk.
#[derive(Default)]
struct Spills(std::sync::atomic::AtomicUsize);

impl Observer for Spills {
    fn event(&self, event: Event<'_>) {
        if let Event::ChunkSpilled { .. } = event {
            self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        }
    }
}

fn few_files() -> String {
    const CHUNKS: usize = 11_000;
    let most = rustix::process::Rlimit { current: Some(64), maximum: Some(64) };
    rustix::process::setrlimit(rustix::process::Resource::Nofile, most).unwrap();
    let base = tempfile::tempdir().unwrap();
    //  0 … n−1 ── n     made one after the other, then read one after the other: all but a few wait on the disk
    let mut reads: Vec<Vec<usize>> = vec![vec![]];
    reads.extend((1..CHUNKS).map(|chunk| vec![chunk - 1]));
    for chunk in 0..CHUNKS {
        reads.push(vec![chunk, reads.len() - 1]);
    }
    let mut drawn = Drawn::from(reads);
    drawn.bytes.fill(8);
    drawn.bytes[..CHUNKS].fill(4096);
    let spills = Arc::new(Spills::default());
    spilled(&drawn, 2, base.path(), Some(spills.clone()));
    let left = std::fs::read_dir(base.path()).unwrap().count();
    let n = spills.0.load(std::sync::atomic::Ordering::SeqCst);
    let is_clean = n >= 10_000 && left == 0;
    format!("{}: {n} chunks on the disk, {left} files left", if is_clean { "clean" } else { "leaks" })
}

const CHILD: Child = Child::new("leaks::child");

/// Does nothing unless it is the child process of the next tests.
#[test]
fn child() {
    CHILD.answer(|orders| match orders {
        "runs" => a_thousand_runs(),
        _ => few_files(),
    });
}

#[cfg(target_os = "linux")]
#[test]
fn a_thousand_runs_leave_nothing_behind() {
    let answer = CHILD.ask("runs").unwrap();
    println!("{answer}");
    assert!(answer.starts_with("clean"), "{answer}");
}

#[cfg(unix)]
#[test]
fn ten_thousand_chunks_wait_on_the_disk_with_64_files_open_at_most() {
    let answer = CHILD.ask("files").unwrap();
    println!("{answer}");
    assert!(answer.starts_with("clean"), "{answer}");
}
