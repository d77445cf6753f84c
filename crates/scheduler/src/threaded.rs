//! The threaded scheduler: worker loops on the threads of a rayon pool.
//!
//! Task bodies run on our loops, one for each thread of the pool, not as stealable jobs; an idle loop offers its
//! thread to the pool (`yield_now`) before it sleeps, so that a parallel section inside a task finds help.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use musher_graph_core::{ChunkRef, SlotIx, TaskIx};
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::admission::{Admission, Ledger, Next};
use crate::run::{Chunks, Outputs};
use crate::sync::{Arc, AtomicU32, Condvar, Mutex, Ordering};
use crate::{Error, Event, Run, Scheduler};

/// Runs a plan on a pool of threads.
///
/// # Examples
/// ```
/// use musher_graph_core::delayed;
/// use musher_scheduler::{Compute, Options};
/// assert_eq!(delayed(|| 42).call(()).compute_with(&Options::default().threads(2))?, 42);
/// # Ok::<(), musher_scheduler::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct Threaded {
    threads: Option<NonZeroUsize>,
}

/// A visit to the shared state costs about as much as a very small task, so a loop takes several tasks at once
/// while they are small: as many as take about this long.
const BATCH: Duration = Duration::from_micros(30);
/// The most tasks that one visit takes.
const MOST_PER_BATCH: usize = 64;
/// An idle loop looks again after this long at the latest.
const NAP: Duration = Duration::from_millis(1);

impl Threaded {
    /// This many threads; `None` is one for each core.
    pub fn new(threads: Option<NonZeroUsize>) -> Self {
        Self { threads }
    }
}

impl Scheduler for Threaded {
    fn run(&self, run: &Run<'_>) -> Result<Vec<ChunkRef>, Error> {
        let ledger = Ledger::new(run)?;
        let pool = pool(self.threads)?;
        run.tell(Event::RunStarted { plan: run.plan });
        let tasks = run.plan.tasks();
        let shared = Shared {
            run,
            state: Mutex::new(State { admission: Admission::new(run.plan, ledger), error: None, asleep: 0 }),
            wake: Condvar::new(),
            uses: tasks.uses().into_iter().map(AtomicU32::new).collect(),
            slots: (0..tasks.n_slots()).map(|_| Mutex::new(None)).collect(),
        };
        pool.broadcast(|context| shared.work(context.index()));
        let State { admission, error, .. } = shared.state.into_inner();
        let success = error.is_none();
        run.tell(Event::RunFinished { plan: run.plan, success, peak_bytes: admission.ledger.peak() });
        match error {
            Some(error) => Err(error),
            None => Ok(tasks
                .requested()
                .iter()
                .filter_map(|slot| shared.slots[slot.index()].lock().clone())
                .collect()),
        }
    }
}

/// The pools made so far, by their number of threads: making threads costs more than most runs.
static POOLS: Mutex<Option<HashMap<usize, Arc<ThreadPool>>>> = Mutex::new(None);

fn pool(threads: Option<NonZeroUsize>) -> Result<Arc<ThreadPool>, Error> {
    let cores = || std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let threads = threads.unwrap_or_else(cores).get();
    let mut pools = POOLS.lock();
    let pools = pools.get_or_insert_default();
    if let Some(pool) = pools.get(&threads) {
        return Ok(Arc::clone(pool));
    }
    let builder =
        ThreadPoolBuilder::new().num_threads(threads).thread_name(|index| format!("musher-{index}"));
    let pool = Arc::new(builder.build().map_err(|source| Error::Workers { threads, source })?);
    pools.insert(threads, Arc::clone(&pool));
    Ok(pool)
}

/// What the worker loops share.
struct Shared<'a> {
    run: &'a Run<'a>,
    state: Mutex<State<'a>>,
    wake: Condvar,
    /// Readers, and requests, that still want each output.
    uses: Vec<AtomicU32>,
    slots: Vec<Mutex<Option<ChunkRef>>>,
}

struct State<'a> {
    admission: Admission<'a>,
    error: Option<Error>,
    asleep: usize,
}

/// A task that has ended and is not reported yet.
struct Ended {
    task: TaskIx,
    outcome: Result<Outputs, Error>,
    released: std::ops::Range<usize>,
}

/// What one loop keeps from visit to visit.
struct Worker {
    index: usize,
    batch: Vec<TaskIx>,
    ended: Vec<Ended>,
    released: Vec<SlotIx>,
    batch_size: usize,
    /// Whether the last batch was over in no time, so that waking others does not pay.
    is_quick: bool,
}

impl Shared<'_> {
    /// A worker loop: report what has ended, fetch what may start, run it.
    fn work(&self, index: usize) {
        let mut worker = Worker {
            index,
            batch: Vec::with_capacity(MOST_PER_BATCH),
            ended: Vec::with_capacity(MOST_PER_BATCH),
            released: Vec::new(),
            batch_size: 1,
            is_quick: false,
        };
        while self.visit(&mut worker) {
            if worker.batch.is_empty() {
                // A parallel section inside somebody's task may want this thread.
                rayon::yield_now();
                continue;
            }
            let start = Instant::now();
            for task in worker.batch.drain(..) {
                let from = worker.released.len();
                let outcome = self.execute(task, worker.index, &mut worker.released);
                let failed = outcome.is_err();
                worker.ended.push(Ended { task, outcome, released: from..worker.released.len() });
                if failed || self.run.is_cancelled() {
                    break;
                }
            }
            worker.is_quick = start.elapsed() < BATCH;
            worker.batch_size = match worker.is_quick {
                true => (worker.batch_size * 2).min(MOST_PER_BATCH),
                false => (worker.batch_size / 2).max(1),
            };
        }
    }

    /// Reports and fetches under the lock; `false` when the run is over.
    fn visit(&self, worker: &mut Worker) -> bool {
        let mut state = self.state.lock();
        for Ended { task, outcome, released } in worker.ended.drain(..) {
            match outcome {
                Ok(outputs) => state.admission.finish(task, &outputs, &worker.released[released]),
                Err(error) => {
                    state.error.get_or_insert(error);
                }
            }
        }
        worker.released.clear();
        if self.run.is_cancelled() && state.error.is_none() && !state.admission.is_done() {
            state.error = Some(self.run.cancelled(state.admission.finished()));
        }
        while state.error.is_none() && worker.batch.len() < worker.batch_size {
            match state.admission.next() {
                Next::Run(task) => worker.batch.push(task),
                Next::Wait | Next::Empty => break,
            }
        }
        if worker.batch.is_empty() && state.error.is_none() && state.admission.running() == 0 {
            if state.admission.is_done() {
                self.wake.notify_all();
                return false;
            }
            // Nothing runs and nothing may start: chunks were larger than projected.
            state.error = Some(state.admission.exhausted());
        }
        if state.error.is_some() {
            self.wake.notify_all();
            return false;
        }
        if worker.batch.is_empty() {
            state.asleep += 1;
            self.wake.wait_for(&mut state, NAP);
            state.asleep -= 1;
        } else if state.asleep > 0 && !worker.is_quick && state.admission.has_candidates() {
            self.wake.notify_one();
        }
        true
    }

    /// Fetches the inputs, runs the task, puts its outputs into their slots.
    fn execute(&self, task: TaskIx, worker: usize, released: &mut Vec<SlotIx>) -> Result<Outputs, Error> {
        let tasks = self.run.plan.tasks();
        let mut inputs: Chunks = tasks.inputs_of(task).iter().map(|&slot| self.fetch(slot)).collect();
        let outputs = self.run.task(task, worker, &mut inputs)?;
        drop(inputs);
        for &slot in tasks.inputs_of(task) {
            // AcqRel: what other readers did with the chunk happens before it is cleared.
            if self.uses[slot.index()].fetch_sub(1, Ordering::AcqRel) == 1 {
                *self.slots[slot.index()].lock() = None;
                released.push(slot);
            }
        }
        for (slot, chunk) in tasks.outputs_of(task).zip(&outputs) {
            match self.uses[slot].load(Ordering::Relaxed) {
                0 => released.push(SlotIx(slot as u32)),
                _ => *self.slots[slot].lock() = Some(Arc::clone(chunk)),
            }
        }
        Ok(outputs)
    }

    /// The chunk in a slot; moved out if this is the only use left.
    fn fetch(&self, slot: SlotIx) -> Option<ChunkRef> {
        let mut chunk = self.slots[slot.index()].lock();
        // Acquire: other readers are done with the chunk.
        if self.uses[slot.index()].load(Ordering::Acquire) == 1 { chunk.take() } else { chunk.clone() }
    }
}
