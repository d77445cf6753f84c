//! Ten thousand random graphs under each of eight faults, on real threads and a real disk.
//!
//! Every run ends, with the right values or with one error that names its cause; the process lives on, and so do its
//! pools; no chunk and no parcel is left, and the folder for temporary files is empty. The ledger is asserted by the
//! engine itself. `src/model.rs` asks the same in chosen orders of steps; here the orders are the machine's.

use std::io;
use std::panic::resume_unwind;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use musher_graph_core::{Annotations, Plan, SpillStore, TaskError, annotate};
use musher_scheduler::{CancelToken, Error, Run, SpillDir, SpillOptions, Spilling};
use musher_testkit::{
    Act, Alive, Brittle, Counted, Drawn, FaultyStore, Random, ReadFault, WriteFault, least_with_disk,
};

use crate::support::{execute, unfused};

const GRAPHS: usize = 10_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Panic,
    Error,
    /// At the first attempt of two.
    OnceError,
    Cancel,
    WriteFull,
    WriteDevice,
    /// The device fails, or a bit is wrong.
    Read,
    /// A chunk panics when it is dropped, asked for its bytes, or encoded.
    Brittle(Brittle),
}

/// One graph with its fault.
struct Case {
    fault: Fault,
    drawn: Drawn,
    victim: usize,
    threads: usize,
    alive: Alive,
    cancel: CancelToken,
}

impl Case {
    fn draw(fault: Fault, random: &mut Random) -> Self {
        let mut drawn = Drawn::random(random, 24);
        // Large enough to be worth a way to the disk.
        drawn.bytes.iter_mut().for_each(|bytes| *bytes = *bytes * 64 + 4096);
        let victim = random.below(drawn.reads.len());
        let (alive, cancel) = (Alive::default(), CancelToken::new());
        Self { fault, drawn, victim, threads: random.below(5), alive, cancel }
    }

    /// The plan, in which the victim does what its fault says.
    fn plan(&self) -> Arc<Plan> {
        let (act, outputs) = (self.act(), self.drawn.sinks());
        let retries = u32::from(self.fault == Fault::OnceError);
        let requests = annotate(Annotations::new().retries(retries), || {
            self.drawn.requests_with(&self.alive, &outputs, |task| {
                if task.number as usize == self.victim {
                    task.act.clone_from(&act);
                    task.brittle = match self.fault {
                        Fault::Brittle(brittle) => Some(brittle),
                        _ => None,
                    };
                }
            })
        });
        unfused(&requests)
    }

    fn act(&self) -> Option<Act> {
        Some(match self.fault {
            // Without the hook, which would report each of them.
            Fault::Panic => Act::Then(Arc::new(|| resume_unwind(Box::new("on purpose")))),
            Fault::Error => Act::Fail,
            Fault::OnceError => {
                let calls = AtomicUsize::new(0);
                Act::Try(Arc::new(move || match calls.fetch_add(1, Ordering::SeqCst) {
                    0 => Err(TaskError::new(io::Error::other("not yet"))),
                    _ => Ok(()),
                }))
            }
            Fault::Cancel => {
                let cancel = self.cancel.clone();
                Act::Then(Arc::new(move || cancel.cancel()))
            }
            _ => return None,
        })
    }

    /// A disk in this folder that fails as it should, at the operation of this number.
    fn disk(&self, base: &Path, at: usize) -> FaultyStore<SpillDir> {
        let store = FaultyStore::new(SpillDir::new(SpillOptions::default().base(base)));
        match self.fault {
            Fault::WriteFull => store.on_write(at, WriteFault::Full),
            Fault::WriteDevice => store.on_write(at, WriteFault::Device),
            Fault::Read if at.is_multiple_of(2) => store.on_read(at, ReadFault::Device),
            Fault::Read => store.on_read(at, ReadFault::Flip),
            _ => store,
        }
    }

    fn expected(&self) -> Vec<u64> {
        let values = self.drawn.values();
        self.drawn.sinks().iter().map(|&output| values[output]).collect()
    }

    /// Whether the error is the one that the fault causes.
    fn is_cause(&self, error: &Error) -> bool {
        let label = format!("t{}", self.victim);
        match (self.fault, error) {
            (Fault::Error, Error::Task(failure)) => failure.operation() == label,
            (Fault::Panic | Fault::Brittle(Brittle::Nbytes), Error::Panicked { operation, .. }) => {
                *operation == label
            }
            (Fault::Cancel, Error::Cancelled { .. }) => true,
            (Fault::WriteFull | Fault::WriteDevice, Error::Spill { doing: Spilling::Writing, .. }) => true,
            (Fault::Read, Error::Spill { doing: Spilling::Reading, .. }) => true,
            (Fault::Brittle(Brittle::Encode), Error::Spill { doing: Spilling::Writing, .. }) => true,
            (Fault::Brittle(Brittle::Drop), Error::DropPanicked { .. } | Error::Panicked { .. }) => true,
            _ => false,
        }
    }

    /// Whether a run cannot end well.
    fn is_fatal(&self) -> bool {
        matches!(
            self.fault,
            Fault::Panic | Fault::Error | Fault::Brittle(Brittle::Drop) | Fault::Brittle(Brittle::Nbytes)
        )
    }

    /// Runs it; whether it failed.
    fn check(&self, round: usize, random: &mut Random, base: &Path) -> bool {
        let plan = self.plan();
        let least = least_with_disk(&plan);
        let most = plan.order().peak_bytes(plan.tasks()) + plan.tasks().table_bytes() as u64;
        let disk = Arc::new(self.disk(base, random.below(12)));
        let mut run = Run::new(plan);
        run.cancel = Some(self.cancel.clone());
        match random.below(6) {
            0 => {}
            1 => run.memory_limit = Some(most.into()),
            room => {
                let limit = least + most.saturating_sub(least) * (room as u64 - 2) / 4;
                run.memory_limit = Some(limit.into());
                run.spill_store = Some(Arc::clone(&disk) as Arc<dyn SpillStore>);
            }
        }
        let outcome = execute(&run, self.threads);
        let has_failed = outcome.is_err();
        match outcome {
            Ok(chunks) => {
                let value =
                    |chunk: &musher_graph_core::ChunkRef| chunk.downcast_ref::<Counted>().unwrap().value;
                assert_eq!(chunks.iter().map(value).collect::<Vec<_>>(), self.expected(), "round {round}");
                assert!(!self.is_fatal(), "round {round}: {:?} of t{}", self.fault, self.victim);
            }
            Err(error) => {
                let t = self.victim;
                assert!(self.is_cause(&error), "round {round}: {:?} of t{t}: {error}", self.fault);
            }
        }
        drop(run);
        assert_eq!(self.alive.chunks(), 0, "round {round}: chunks are alive");
        assert_eq!(disk.store().counts().parcels, 0, "round {round}: parcels are alive");
        has_failed
    }
}

/// Runs ten thousand graphs with this fault; after some that failed, a sound one on the same threads.
fn storm(fault_of: impl Fn(usize) -> Fault, seed: u64) {
    let base = tempfile::tempdir().unwrap();
    let mut random = Random::new(seed);
    let mut failed = 0;
    for round in 0..GRAPHS {
        let mut case = Case::draw(fault_of(round), &mut random);
        if case.fault == Fault::Brittle(Brittle::Drop) && case.drawn.sinks().contains(&case.victim) {
            // It would not be the scheduler's to drop.
            case.fault = Fault::OnceError;
        }
        let has_failed = case.check(round, &mut random, base.path());
        failed += usize::from(has_failed);
        if has_failed && failed.is_multiple_of(8) {
            let after = Case { fault: Fault::OnceError, cancel: CancelToken::new(), ..case };
            assert!(!after.check(round, &mut random, base.path()), "round {round}: the run after it");
        }
    }
    let may_fail = fault_of(0) != Fault::OnceError;
    assert_eq!(failed > GRAPHS / 10, may_fail, "{failed} runs have failed");
    assert_eq!(std::fs::read_dir(base.path()).unwrap().count(), 0, "files are left");
}

#[test]
fn a_task_panics() {
    storm(|_| Fault::Panic, 1);
}

#[test]
fn a_task_fails() {
    storm(|_| Fault::Error, 2);
}

#[test]
fn a_task_fails_once_and_is_run_again() {
    storm(|_| Fault::OnceError, 3);
}

#[test]
fn a_task_cancels_the_run() {
    storm(|_| Fault::Cancel, 4);
}

#[test]
fn the_disk_is_full() {
    storm(|_| Fault::WriteFull, 5);
}

#[test]
fn writing_to_the_disk_fails() {
    storm(|_| Fault::WriteDevice, 6);
}

#[test]
fn reading_from_the_disk_fails() {
    storm(|_| Fault::Read, 7);
}

#[test]
fn a_chunk_panics() {
    let brittle = [Brittle::Drop, Brittle::Nbytes, Brittle::Encode];
    storm(move |round| Fault::Brittle(brittle[round % 3]), 8);
}
