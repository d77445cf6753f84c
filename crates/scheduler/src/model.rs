//! The worker loops, the spill thread and the engine under a model checker: thousands of orders in which their steps interleave.
//!
//! In every round [shuttle](https://docs.rs/shuttle) draws a graph, its conditions, a fault, and an order of steps. In
//! every round the run must end; with the right values or one error that names its cause; with the ledger at zero, which
//! the engine asserts itself; and nothing may live on. `cargo xtask ci shuttle` runs it.
//!
//! Everything that two threads of a run share is under one lock, so there is no protocol without locks left on which loom
//! could prove more: the request to cancel is one flag that only rises, and what a run inside a task has borrowed is one
//! counter that only that task's thread touches.

use std::io::{self, Read, Write};
use std::sync::atomic::AtomicUsize;

use musher_graph_core::{
    Annotations, Graph, Kept, Plan, SpillStore, SpillWriter, Spilled, TaskError, annotate, delayed,
};
use musher_testkit::{
    Act, Alive, Brittle, Counted, Drawn, FaultyStore, Random, ReadFault, WriteFault, least_with_disk,
};
use shuttle::rand::Rng;
use shuttle::scheduler::{PctScheduler, RandomScheduler, Scheduler};

use crate::cancel::CancelToken;
use crate::compute::Compute;
use crate::crew::Crew;
use crate::error::{Error, Spilling};
use crate::nested;
use crate::options::Options;
use crate::rooms::Rooms;
use crate::run::Run;
use crate::sync::{Arc, Ordering, on_scheduled_threads, thread};

/// What goes wrong in a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Nothing,
    TaskFails,
    TaskFailsOnce,
    TaskPanics,
    Cancelled,
    CancelledByTask,
    DiskFull,
    WriteFails,
    ReadFails,
    ReadFlips,
    DropPanics,
    NbytesPanics,
    EncodePanics,
}

const FAULTS: [Fault; 13] = [
    Fault::Nothing,
    Fault::TaskFails,
    Fault::TaskFailsOnce,
    Fault::TaskPanics,
    Fault::Cancelled,
    Fault::CancelledByTask,
    Fault::DiskFull,
    Fault::WriteFails,
    Fault::ReadFails,
    Fault::ReadFlips,
    Fault::DropPanics,
    Fault::NbytesPanics,
    Fault::EncodePanics,
];

/// Parcels in memory, counted while they live.
#[derive(Debug, Clone, Default)]
struct InMemory(Arc<AtomicUsize>);

#[derive(Debug)]
struct Parcel {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    alive: Arc<AtomicUsize>,
}

impl SpillStore for InMemory {
    fn keep(&self, _bytes: u64, _together: u64) -> Option<Kept> {
        None
    }

    fn parcel(&self) -> Result<Box<dyn SpillWriter>, TaskError> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(Box::new(Parcel { bytes: Vec::new(), ends: Vec::new(), alive: Arc::clone(&self.0) }))
    }
}

impl Write for Parcel {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        thread::sleep(std::time::Duration::ZERO);
        self.bytes.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl SpillWriter for Parcel {
    fn end_part(&mut self) -> Result<(), TaskError> {
        self.ends.push(self.bytes.len());
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Arc<dyn Spilled>, TaskError> {
        Ok(Arc::<Self>::from(self))
    }
}

impl Parcel {
    fn part(&self, part: usize) -> &[u8] {
        let start = part.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.bytes[start..self.ends[part]]
    }
}

impl Spilled for Parcel {
    fn n_parts(&self) -> usize {
        self.ends.len()
    }

    fn part_bytes(&self, part: usize) -> u64 {
        self.part(part).len() as u64
    }

    fn stored_bytes(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn read(&self, part: usize) -> Result<Box<dyn Read + '_>, TaskError> {
        thread::sleep(std::time::Duration::ZERO);
        Ok(Box::new(self.part(part)))
    }
}

impl Drop for Parcel {
    fn drop(&mut self) {
        self.alive.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A run, what it is to give, and what must be gone after it.
struct Round {
    fault: Fault,
    victim: usize,
    /// Whether some tasks keep their sizes to themselves, so that the limit may turn out too small.
    is_silent: bool,
    run: Run,
    threads: usize,
    values: Vec<u64>,
    alive: Alive,
    parcels: Arc<AtomicUsize>,
}

impl Round {
    fn draw(random: &mut Random) -> Self {
        let mut drawn = Drawn::random(random, 14);
        // Large enough to be worth a way to the disk.
        drawn.bytes.iter_mut().for_each(|bytes| *bytes = *bytes * 64 + 4096);
        let outputs = drawn.sinks();
        let n = drawn.reads.len();
        let victim = random.below(n);
        let mut fault = FAULTS[random.below(FAULTS.len())];
        if fault == Fault::DropPanics && outputs.contains(&victim) {
            // It would not be ours to drop.
            fault = Fault::Nothing;
        }
        let cancel = CancelToken::new();
        let (alive, act) = (Alive::default(), act(fault, &cancel));
        let (continuing, computing) = (random.bits() & random.bits(), random.below(2 * n));
        let mut annotations = Annotations::new().retries(u32::from(fault == Fault::TaskFailsOnce));
        let n_slots = random.below(4) as u32;
        if n_slots > 0 {
            annotations = annotations.resource("slot", 1);
        }
        let is_silent = random.one_in(8);
        let requests = annotate(annotations, || {
            drawn.requests_with(&alive, &outputs, |task| {
                let number = task.number as usize;
                task.continues = continuing >> number & 1 == 1;
                task.act = match number {
                    _ if number == victim => act.clone(),
                    _ if number == computing => Some(Act::Then(Arc::new(compute_inside))),
                    _ => Some(Act::Then(Arc::new(let_others_go))),
                };
                task.is_silent = is_silent && number % 2 == 1;
                task.brittle = brittle(fault).filter(|_| number == victim);
            })
        });
        let plan = Arc::new(Plan::new(Graph::collect(&requests).unwrap()).unwrap());
        let (least, tables) = (least_with_disk(&plan), plan.tasks().table_bytes() as u64);
        let most = plan.order().peak_bytes(plan.tasks()) + tables;
        let parcels = Arc::default();
        let mut run = Run::new(plan);
        run.cancel = Some(cancel);
        run.resources = vec![("slot".to_owned(), n_slots)];
        // Most runs have to spill, most of the others have just enough.
        let room = least + most.saturating_sub(least) * random.below(5) as u64 / 4;
        if !random.one_in(8) {
            // What a task that continues, or computes, needs beside.
            let beside = if computing < n { 20_000 } else { 0 };
            let more = 2 * drawn.bytes.iter().max().unwrap();
            run.memory_limit = Some((room.max(tables + more) + 2_000 * n as u64 + beside).into());
            run.spill_store = Some(store(fault, random, &parcels));
        }
        let values = drawn.values();
        let values = outputs.iter().map(|&output| values[output]).collect();
        Self { fault, victim, is_silent, run, threads: 1 + random.below(3), values, alive, parcels }
    }

    /// Runs it, and looks at what comes back and at what is left; whether it failed.
    fn check(self) -> bool {
        let rooms = Rooms::default();
        let crew = Crew::new(&self.run).unwrap();
        let canceller = (self.fault == Fault::Cancelled).then(|| {
            let cancel = self.run.cancel.clone().unwrap();
            thread::spawn(move || {
                let_others_go();
                cancel.cancel();
            })
        });
        let outcome = crew.run(&rooms, |work| {
            on_scheduled_threads(self.threads, &|index| nested::inside(&crew, || work(index)));
        });
        drop(crew);
        if let Some(canceller) = canceller {
            canceller.join().unwrap();
        }
        let has_failed = matches!(&outcome, Err(error) if !matches!(error, Error::MemoryExhausted { .. }));
        match outcome {
            Ok(chunks) => {
                let values: Vec<u64> =
                    chunks.iter().map(|chunk| chunk.downcast_ref::<Counted>().unwrap().value).collect();
                assert_eq!(values, self.values);
                assert!(!self.fault.is_fatal(), "{:?}", self.fault);
            }
            Err(error) => self.check_error(&error),
        }
        drop(self.run);
        assert_eq!(self.alive.chunks(), 0, "{:?}: chunks that are alive", self.fault);
        assert_eq!(self.parcels.load(Ordering::SeqCst), 0, "{:?}: parcels that are alive", self.fault);
        has_failed
    }

    fn check_error(&self, error: &Error) {
        let label = format!("t{}", self.victim);
        let is_right = match (self.fault, error) {
            (Fault::TaskFails, Error::Task(failure)) => failure.operation() == label,
            (Fault::TaskPanics, Error::Panicked { operation, .. }) => *operation == label,
            (Fault::NbytesPanics, Error::Panicked { operation, .. }) => operation.starts_with(&label),
            (Fault::DropPanics, Error::DropPanicked { .. } | Error::Panicked { .. }) => true,
            (Fault::Cancelled | Fault::CancelledByTask, Error::Cancelled { .. }) => true,
            (
                Fault::DiskFull | Fault::WriteFails | Fault::EncodePanics,
                Error::Spill { doing: Spilling::Writing, .. },
            ) => true,
            (Fault::ReadFails | Fault::ReadFlips, Error::Spill { doing: Spilling::Reading, .. }) => true,
            (_, Error::MemoryExhausted { .. }) => self.is_silent,
            _ => false,
        };
        assert!(is_right, "{:?} of {label}: {error} ({error:?})", self.fault);
    }
}

impl Fault {
    /// Whether a run may end badly.
    fn may_fail(self) -> bool {
        !matches!(self, Self::Nothing | Self::TaskFailsOnce)
    }

    /// Whether a run cannot end well.
    fn is_fatal(self) -> bool {
        matches!(self, Self::TaskFails | Self::TaskPanics | Self::DropPanics | Self::NbytesPanics)
    }
}

/// A moment in which others may do any number of steps.
fn let_others_go() {
    thread::sleep(std::time::Duration::ZERO);
}

/// A run inside the task; it may be refused where there is no memory to borrow.
fn compute_inside() {
    let one = delayed(|| 1_u64).call(());
    let two = delayed(|a: u64, b: u64| a + b).call((&one, 1));
    match two.compute_with(&Options::default()) {
        Ok(two) => assert_eq!(two, 2),
        Err(error) => {
            assert!(matches!(error, Error::MemoryLimit { .. } | Error::Cancelled { .. }), "{error}")
        }
    }
}

fn refused() -> TaskError {
    TaskError::new(io::Error::from(io::ErrorKind::OutOfMemory))
}

/// What the victim does before its work.
fn act(fault: Fault, cancel: &CancelToken) -> Option<Act> {
    Some(match fault {
        Fault::TaskFails => Act::Try(Arc::new(|| {
            let_others_go();
            Err(refused())
        })),
        Fault::TaskFailsOnce => {
            let calls = AtomicUsize::new(0);
            Act::Try(Arc::new(move || match calls.fetch_add(1, Ordering::SeqCst) {
                0 => Err(refused()),
                _ => Ok(()),
            }))
        }
        // Without the hook, which would write the schedule down each time.
        Fault::TaskPanics => Act::Then(Arc::new(|| {
            let_others_go();
            std::panic::resume_unwind(Box::new("on purpose"));
        })),
        Fault::CancelledByTask => {
            let cancel = cancel.clone();
            Act::Then(Arc::new(move || cancel.cancel()))
        }
        _ => return None,
    })
}

fn brittle(fault: Fault) -> Option<Brittle> {
    match fault {
        Fault::DropPanics => Some(Brittle::Drop),
        Fault::NbytesPanics => Some(Brittle::Nbytes),
        Fault::EncodePanics => Some(Brittle::Encode),
        _ => None,
    }
}

fn store(fault: Fault, random: &mut Random, parcels: &Arc<AtomicUsize>) -> Arc<dyn SpillStore> {
    let store = FaultyStore::new(InMemory(Arc::clone(parcels)));
    let at = random.below(12);
    Arc::new(match fault {
        Fault::DiskFull => store.on_write(at, WriteFault::Full),
        Fault::WriteFails => store.on_write(at, WriteFault::Device),
        Fault::ReadFails => store.on_read(at, ReadFault::Device),
        Fault::ReadFlips => store.on_read(at, ReadFault::Flip),
        _ => store,
    })
}

/// Tries many rounds, each with an order of steps of its own.
fn check(scheduler: impl Scheduler + 'static) {
    let failed: Arc<[AtomicUsize; FAULTS.len()]> = Arc::default();
    let counts = Arc::clone(&failed);
    let mut config = shuttle::Config::new();
    config.stack_size = 1 << 19;
    // Who takes so many steps waits for something that never comes.
    config.max_steps = shuttle::MaxSteps::FailAfter(200_000);
    shuttle::Runner::new(scheduler, config).run(move || {
        let seed = shuttle::rand::thread_rng().r#gen();
        let round = Round::draw(&mut Random::new(seed));
        let fault = round.fault;
        if round.check() {
            counts[fault as usize].fetch_add(1, Ordering::SeqCst);
        }
    });
    for fault in FAULTS {
        let failed = failed[fault as usize].load(Ordering::SeqCst);
        assert_eq!(failed > 0, fault.may_fail(), "{fault:?}: {failed} runs have failed");
    }
}

#[test]
fn every_order_of_steps_ends_with_the_values_or_the_cause() {
    check(RandomScheduler::new_from_seed(1, 30_000));
}

#[test]
fn orders_in_which_somebody_is_held_up_for_long_end_as_well() {
    check(PctScheduler::new_from_seed(2, 3, 30_000));
}
