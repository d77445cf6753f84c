//! The threaded scheduler: worker loops on the threads of a rayon pool.
//!
//! Task bodies run on our loops, one for each thread of the pool, not as stealable jobs; an idle loop offers its
//! thread to the pool (`yield_now`) before it sleeps, so that a parallel section inside a task finds help.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use musher_graph_core::{ChunkRef, SlotIx, TaskIx};
use rayon::{ThreadPool, ThreadPoolBuilder};
use smallvec::SmallVec;

use crate::admission::{Admission, Ledger, Next};
use crate::run::{Chunks, Outputs};
use crate::sync::{AtomicBool, AtomicU32, Condvar, Mutex, Ordering};
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
/// An idle loop looks again after this long; each time it finds nothing it sleeps twice as long as before.
const NAP: Duration = Duration::from_millis(1);
/// How often a nap is doubled. Where many processes share the cores, each waking may cost a busy loop its turn; but
/// a nap is also how long a parallel section inside a task may wait for help.
const MOST_DOUBLINGS: u32 = 3;

impl Threaded {
    /// This many threads; `None` is one for each core.
    pub fn new(threads: Option<NonZeroUsize>) -> Self {
        Self { threads }
    }
}

impl Scheduler for Threaded {
    fn run(&self, run: &Run<'_>) -> Result<Vec<ChunkRef>, Error> {
        let ledger = Ledger::new(run)?;
        let pool = Lease::new(self.threads)?;
        run.tell(Event::RunStarted { plan: run.plan });
        let tasks = run.plan.tasks();
        let shared = Shared {
            run,
            state: Mutex::new(State {
                admission: Admission::new(run.plan, ledger),
                error: None,
                abandoned: false,
                asleep: 0,
            }),
            wake: Condvar::new(),
            stop: AtomicBool::new(false),
            batches: (0..pool.threads).map(|_| Shelf::default()).collect(),
            uses: tasks.uses().into_iter().map(AtomicU32::new).collect(),
            slots: (0..tasks.n_slots()).map(|_| Mutex::new(None)).collect(),
        };
        pool.broadcast(|index| shared.work(index));
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

/// The pools that nobody uses now: making threads costs more than most runs.
static IDLE: Mutex<Vec<ThreadPool>> = Mutex::new(Vec::new());
/// More idle pools than this are not kept.
const MOST_IDLE: usize = 8;

/// A pool for the length of one run.
///
/// Two runs at once never share a pool: the loops of the second would wait on the stacks of the first one's tasks,
/// for ever if such a task waits for the second run.
struct Lease {
    threads: usize,
    pool: Option<ThreadPool>,
}

impl Lease {
    fn new(threads: Option<NonZeroUsize>) -> Result<Self, Error> {
        let cores = || std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        let threads = threads.unwrap_or_else(cores).get();
        let mut idle = IDLE.lock();
        if let Some(at) = idle.iter().position(|pool| pool.current_num_threads() == threads) {
            return Ok(Self { threads, pool: Some(idle.swap_remove(at)) });
        }
        drop(idle);
        let builder =
            ThreadPoolBuilder::new().num_threads(threads).thread_name(|index| format!("musher-{index}"));
        let pool = builder.build().map_err(|source| Error::Workers { threads, source })?;
        // The pool may have fewer threads than were asked for.
        Ok(Self { threads: pool.current_num_threads(), pool: Some(pool) })
    }

    /// Runs `work` once on each thread.
    fn broadcast(&self, work: impl Fn(usize) + Sync) {
        if let Some(pool) = &self.pool {
            pool.broadcast(|context| work(context.index()));
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut idle = IDLE.lock();
        if idle.len() < MOST_IDLE {
            idle.extend(self.pool.take());
        }
    }
}

/// What the worker loops share.
struct Shared<'a> {
    run: &'a Run<'a>,
    state: Mutex<State<'a>>,
    wake: Condvar,
    /// Whether no further task may start.
    stop: AtomicBool,
    /// What each loop has fetched and not started, and what it has ended and not reported.
    batches: Vec<Shelf>,
    /// Readers, and requests, that still want each output.
    uses: Vec<AtomicU32>,
    slots: Vec<Mutex<Option<ChunkRef>>>,
}

struct State<'a> {
    admission: Admission<'a>,
    error: Option<Error>,
    /// Whether a loop unwound: its tasks will never end.
    abandoned: bool,
    asleep: usize,
}

/// Ends the run when a loop unwinds, so that the others do not wait for it; the panic goes on to the caller.
struct Abandoned<'a, 'b>(&'a Shared<'b>);

impl Drop for Abandoned<'_, '_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.state.lock().abandoned = true;
        }
    }
}

/// The batch of one loop. On a cache line of its own, because its owner visits it for each task.
#[derive(Default)]
#[repr(align(128))]
struct Shelf(Mutex<Batch>);

/// Admitted tasks that have not started, which others may take over, and tasks that have ended, which others may
/// report while the owner is busy with a long one.
#[derive(Default)]
struct Batch {
    tasks: VecDeque<TaskIx>,
    ended: Vec<Ended>,
    /// The slots that nobody needs any more, in a row for all that have ended.
    released: Vec<SlotIx>,
}

/// A task that has ended and is not reported yet.
struct Ended {
    task: TaskIx,
    outcome: Result<SmallVec<[u64; 1]>, Error>,
    /// Where its released slots end.
    released_end: usize,
}

/// What one loop keeps from visit to visit.
struct Worker {
    index: usize,
    /// The task that comes next; it lies on no shelf, so that nobody takes it over before it starts.
    first: Option<TaskIx>,
    /// Room for what is reported, used again and again.
    ended: Vec<Ended>,
    released: Vec<SlotIx>,
    batch_size: usize,
    /// Whether the last batch was over in no time, so that waking others does not pay.
    is_quick: bool,
    /// How often in a row it has waited in vain: then it looks at what the others have on their shelves.
    idle_naps: u32,
}

impl Shared<'_> {
    /// A worker loop: report what has ended, fetch what may start, run it.
    fn work(&self, index: usize) {
        let mut worker = Worker {
            index,
            first: None,
            ended: Vec::with_capacity(MOST_PER_BATCH),
            released: Vec::new(),
            batch_size: 1,
            is_quick: false,
            idle_naps: 0,
        };
        let _abandoned = Abandoned(self);
        while self.visit(&mut worker) {
            let Some(first) = worker.first.take() else {
                // A parallel section inside somebody's task may want this thread.
                rayon::yield_now();
                continue;
            };
            let start = Instant::now();
            let mut next = Some(first);
            let mut released: SmallVec<[SlotIx; 8]> = SmallVec::new();
            while let Some(task) = next {
                let outcome = self.execute(task, index, &mut released);
                if outcome.is_err() || self.run.is_cancelled() {
                    self.stop.store(true, Ordering::Relaxed);
                }
                next = self.end(index, task, outcome, &mut released);
            }
            worker.is_quick = start.elapsed() < BATCH;
            worker.batch_size = match worker.is_quick {
                true => (worker.batch_size * 2).min(MOST_PER_BATCH),
                false => (worker.batch_size / 2).max(1),
            };
        }
    }

    /// Puts a task that has ended on this loop's shelf and takes the next one off it, unless the run is to stop.
    fn end(
        &self,
        index: usize,
        task: TaskIx,
        outcome: Result<SmallVec<[u64; 1]>, Error>,
        released: &mut SmallVec<[SlotIx; 8]>,
    ) -> Option<TaskIx> {
        let mut batch = self.batches[index].0.lock();
        batch.released.extend(released.drain(..));
        let released_end = batch.released.len();
        batch.ended.push(Ended { task, outcome, released_end });
        if self.stop.load(Ordering::Relaxed) {
            batch.tasks.clear();
        }
        batch.tasks.pop_front()
    }

    /// Reports what lies on a loop's shelf.
    fn report(&self, index: usize, state: &mut State<'_>, worker: &mut Worker) {
        {
            let mut batch = self.batches[index].0.lock();
            std::mem::swap(&mut batch.ended, &mut worker.ended);
            std::mem::swap(&mut batch.released, &mut worker.released);
        }
        let mut start = 0;
        for Ended { task, outcome, released_end } in worker.ended.drain(..) {
            match outcome {
                Ok(made) => state.admission.finish(task, &made, &worker.released[start..released_end]),
                Err(error) => {
                    state.error.get_or_insert(error);
                }
            }
            start = released_end;
        }
        worker.released.clear();
    }

    /// The other loops, from the next one on.
    fn others(&self, index: usize) -> impl Iterator<Item = usize> + use<> {
        let n = self.batches.len();
        (1..n).map(move |distance| (index + distance) % n)
    }

    /// Takes over the later half of what another loop has not started: the task that it runs may be a long one.
    fn take_over(&self, worker: &mut Worker) {
        for other in self.others(worker.index) {
            let mut taken = {
                let theirs = &mut self.batches[other].0.lock().tasks;
                let kept = theirs.len() / 2;
                theirs.split_off(kept)
            };
            worker.first = taken.pop_front();
            if worker.first.is_some() {
                self.batches[worker.index].0.lock().tasks = taken;
                return;
            }
        }
    }

    /// Reports and fetches under the lock; `false` when the run is over.
    fn visit(&self, worker: &mut Worker) -> bool {
        let mut state = self.state.lock();
        self.report(worker.index, &mut state, worker);
        if worker.idle_naps > 0 {
            self.others(worker.index).for_each(|other| self.report(other, &mut state, worker));
        }
        if self.run.is_cancelled() && state.error.is_none() && !state.admission.is_done() {
            state.error = Some(self.run.cancelled(state.admission.finished()));
        }
        if state.error.is_none() {
            self.fetch_tasks(&mut state.admission, worker);
        }
        let fetched = worker.first.is_some();
        if !fetched && state.error.is_none() && state.admission.running() == 0 {
            if state.admission.is_done() {
                self.wake.notify_all();
                return false;
            }
            // Nothing runs and nothing may start: chunks were larger than projected.
            state.error = Some(state.admission.exhausted());
        }
        if state.error.is_some() || state.abandoned {
            self.stop.store(true, Ordering::Relaxed);
            self.wake.notify_all();
            return false;
        }
        if fetched {
            worker.idle_naps = 0;
            if state.asleep > 0 && !worker.is_quick && state.admission.has_candidates() {
                self.wake.notify_one();
            }
            return true;
        }
        if worker.idle_naps > 0 {
            self.take_over(worker);
        }
        if worker.first.is_some() {
            worker.idle_naps = 0;
            return true;
        }
        state.asleep += 1;
        self.wake.wait_for(&mut state, NAP * (1 << worker.idle_naps.min(MOST_DOUBLINGS)));
        state.asleep -= 1;
        worker.idle_naps += 1;
        true
    }

    /// Admits as many tasks as this loop takes at once.
    fn fetch_tasks(&self, admission: &mut Admission<'_>, worker: &mut Worker) {
        let Next::Run(first) = admission.next() else { return };
        worker.first = Some(first);
        if worker.batch_size == 1 {
            return;
        }
        let mut batch = self.batches[worker.index].0.lock();
        while batch.tasks.len() + 1 < worker.batch_size {
            match admission.next() {
                Next::Run(task) => batch.tasks.push_back(task),
                Next::Wait | Next::Empty => break,
            }
        }
    }

    /// Fetches the inputs, runs the task, puts its outputs into their slots.
    fn execute(
        &self,
        task: TaskIx,
        worker: usize,
        released: &mut SmallVec<[SlotIx; 8]>,
    ) -> Result<SmallVec<[u64; 1]>, Error> {
        let tasks = self.run.plan.tasks();
        let mut inputs: Chunks = tasks.inputs_of(task).iter().map(|&slot| self.fetch(slot)).collect();
        let made = self.run.task(task, worker, &mut inputs)?;
        let mut dead = Outputs::new();
        for &slot in tasks.inputs_of(task) {
            // AcqRel: what other readers did with the chunk happens before it is cleared.
            if self.uses[slot.index()].fetch_sub(1, Ordering::AcqRel) == 1 {
                dead.extend(self.slots[slot.index()].lock().take());
                released.push(slot);
            }
        }
        for (slot, chunk) in tasks.outputs_of(task).zip(made.outputs) {
            match self.uses[slot].load(Ordering::Relaxed) {
                0 => {
                    dead.push(chunk);
                    released.push(SlotIx(slot as u32));
                }
                _ => *self.slots[slot].lock() = Some(chunk),
            }
        }
        if !dead.is_empty() {
            self.run.let_go(task, dead)?;
        }
        Ok(made.bytes)
    }

    /// The chunk in a slot; moved out if this is the only use left.
    fn fetch(&self, slot: SlotIx) -> Option<ChunkRef> {
        let mut chunk = self.slots[slot.index()].lock();
        // Acquire: other readers are done with the chunk.
        if self.uses[slot.index()].load(Ordering::Acquire) == 1 { chunk.take() } else { chunk.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pools_are_used_again_and_few_are_kept() {
        let lease = |threads| Lease::new(NonZeroUsize::new(threads)).unwrap();
        let idle = || IDLE.lock().len();
        drop(lease(2));
        assert_eq!(idle(), 1);
        // Two at once are two pools; one after the other is one.
        let (first, second) = (lease(2), lease(2));
        assert_eq!((idle(), first.threads, second.threads), (0, 2, 2));
        drop((first, second));
        assert_eq!(idle(), 2);
        drop(lease(2));
        assert_eq!(idle(), 2);
        let many: Vec<Lease> = (0..MOST_IDLE + 3).map(|_| lease(1)).collect();
        drop(many);
        assert_eq!(idle(), MOST_IDLE);
    }
}
