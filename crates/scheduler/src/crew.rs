//! The crew: worker loops that carry out the engine's actions, on one thread or on many.
//!
//! Task bodies run on our loops, one for each thread of a pool, not as stealable jobs; an idle loop offers its thread to
//! the pool (`yield_now`) between naps, so that a parallel section inside a task finds help.
//! The first worker starts at once; the others join when tasks turn out long enough to share, because for trivial tasks
//! a second worker costs more than it gives.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Duration;

use musher_graph_core::{ChunkRef, Output, Plan, RunNumber, Scope, Site, SlotIx, TaskIx};

use crate::engine::{Action, Chunks, Discarded, Engine, Garbage, Job, LEAST_BYTES, Made, Move, Moving};
use crate::error::{Error, guard};
use crate::event::Event;
use crate::failed::FailedTask;
use crate::planning::plan_unless;
use crate::rooms::Rooms;
use crate::run::Run;
use crate::sink;
use crate::spilling::{self, SpilledCopy};
use crate::sync::{Arc, Condvar, Instant, Mutex, MutexGuard, thread, yield_now};

/// A task shorter than this is quick: handing it to another worker costs more than it gives.
const QUICK: Duration = Duration::from_micros(1);
/// Tasks that are not quick call for help only when they have taken this long in a row: any task may be interrupted.
const WORTH_HELP: Duration = Duration::from_micros(20);
/// While tasks are quick, one in so many is timed.
const MOST_UNTIMED: u32 = 31;
/// Once tasks were quick, a worker that makes no progress for less than this has only lost its turn on the processor.
const PATIENCE: Duration = Duration::from_millis(5);
/// An idle worker looks again after this long; each time in vain it sleeps twice as long.
const NAP: Duration = Duration::from_micros(50);
/// A nap is also how long a parallel section inside a task may wait for help.
const LONGEST_NAP: Duration = Duration::from_millis(2);
/// No chunk is larger.
const MOST_BYTES: u64 = u64::MAX >> 20;
/// A task that is run again waits this long before, and ten times as long each further time.
const BACKOFF: Duration = Duration::from_millis(1);
/// While it waits it looks this often whether the run is cancelled.
const BACKOFF_SLICE: Duration = Duration::from_millis(10);

/// What the workers of a run share.
#[derive(Debug)]
pub(crate) struct Crew {
    run: Run,
    /// What its tasks' own work is told apart by from that of other runs.
    number: RunNumber,
    /// Whether tasks of the plan may be run again or kept when they fail: few plans need to look at each task for that.
    is_lenient: bool,
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Debug)]
struct State {
    engine: Engine,
    asleep: usize,
    /// Whether the loops are to end.
    is_over: bool,
    /// Moves chunks ahead of need, once chunks have begun to leave memory.
    spill_thread: Option<thread::JoinHandle<()>>,
    /// What had happened when observers were last told of a stall.
    stall_reported: Option<u64>,
}

/// What a worker has done since its last visit.
#[derive(Debug, Default)]
enum Report {
    #[default]
    Nothing,
    Finished(Job),
    /// Boxed, so that the usual report stays small.
    Rare(Box<Rare>),
}

#[derive(Debug)]
enum Rare {
    /// The task returned more work.
    Continued(Job, Arc<Plan>),
    Failed(Job, Error),
    Spilled(Moving, Result<SpilledCopy, Error>),
    Loaded(Moving, SpilledCopy, Result<ChunkRef, Error>),
}

impl From<Rare> for Report {
    fn from(rare: Rare) -> Self {
        Self::Rare(Box::new(rare))
    }
}

/// How a task ended: well, with more work, or with an error, which is boxed because it is large and rare.
type Outcome = Result<Option<Arc<Plan>>, Box<Error>>;

/// What one loop keeps from visit to visit.
struct Worker {
    index: usize,
    inputs: Chunks,
    made: Vec<Made>,
    garbage: Garbage,
    report: Report,
    /// The plan of its task, where that is not the one that was asked for.
    continuation: Option<Arc<Plan>>,
    /// Tasks that ran, and bytes on the ledger, when its task was admitted.
    busy: (usize, u64),
    pace: Pace,
    nap: Duration,
    waiting: Waiting,
    /// It stays away while the others are done with tasks faster than it could fetch them.
    rest: Option<Rest>,
}

/// Since when a worker has seen nothing happen but chunks being on their way; and what had happened then.
#[derive(Default)]
struct Waiting {
    since: Option<(Instant, u64)>,
}

impl Waiting {
    fn look(&mut self, engine: &Engine) {
        self.since = match (engine.waits_for_chunks(), self.since) {
            (None, _) => None,
            (Some((_, now)), Some((since, happened))) if now == happened => Some((since, happened)),
            (Some((_, now)), _) => Some((Instant::now(), now)),
        };
    }
}

/// What a worker that stays away has seen of the others.
struct Rest {
    since: Instant,
    /// Tasks that had ended then.
    finished: usize,
    /// Whether tasks were quick once.
    was_quick: bool,
    /// Whether it has looked in vain for a first task that ended: the others may only be waking up.
    has_looked: bool,
}

impl Rest {
    fn new(finished: usize) -> Self {
        Self { since: Instant::now(), finished, was_quick: finished > 0, has_looked: false }
    }
}

/// How long tasks take, from samples: each one while they are long, one in many while they are quick.
#[derive(Debug, Default)]
struct Pace {
    /// Tasks since the last sample.
    untimed: u32,
    /// So many are not timed between two that are.
    skipped: u32,
    is_quick: bool,
    /// How long those took that were timed since the last quick one.
    slow: Duration,
    /// Tasks of this worker, and of all, at the last comparison.
    own: usize,
    all: usize,
}

impl Pace {
    /// A task begins; whether it is to be timed.
    fn begins(&mut self) -> bool {
        self.own += 1;
        let is_timed = self.untimed == self.skipped;
        self.untimed = if is_timed { 0 } else { self.untimed + 1 };
        is_timed
    }

    fn took(&mut self, elapsed: Duration) {
        self.is_quick = elapsed < QUICK;
        self.slow = if self.is_quick { Duration::ZERO } else { self.slow + elapsed };
        self.skipped = if self.is_quick { (2 * self.skipped + 1).min(MOST_UNTIMED) } else { 0 };
    }

    /// After a sample: whether the others end quick tasks as fast as this worker does.
    fn is_idle_beside(&mut self, finished: usize) -> bool {
        if self.untimed > 0 {
            return false;
        }
        let own = std::mem::take(&mut self.own);
        let all = finished - std::mem::replace(&mut self.all, finished);
        self.is_quick && all >= 2 * own
    }
}

/// Settles what a run has written and not committed, however it ends.
struct SettleSinks<'a>(&'a Crew);

impl Drop for SettleSinks<'_> {
    fn drop(&mut self) {
        sink::abandon(self.0.number.to_bits());
    }
}

/// Ends the run when a loop unwinds, so that the others do not wait for it; the panic goes on to the caller.
struct EndOnUnwind<'a>(&'a Crew);

impl Drop for EndOnUnwind<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.state.lock().is_over = true;
            self.0.wake.notify_all();
        }
    }
}

impl Crew {
    /// Opens a run, or refuses it.
    pub(crate) fn new(run: &Run) -> Result<Arc<Self>, Error> {
        let engine = Engine::new(run)?;
        let state = State { engine, asleep: 0, is_over: false, spill_thread: None, stall_reported: None };
        let is_lenient = run.may_retry(&run.plan) || run.failed.is_some();
        Ok(Arc::new(Self {
            run: run.clone(),
            number: RunNumber::fresh().ok_or_else(|| no_scope(run))?,
            is_lenient,
            state: Mutex::new(state),
            wake: Condvar::new(),
        }))
    }

    /// Runs the plan: `each_worker` calls what it is given once on each thread.
    pub(crate) fn run(
        self: &Arc<Self>,
        rooms: &Rooms<'_>,
        each_worker: impl FnOnce(&(dyn Fn(usize) + Sync)),
    ) -> Result<Vec<ChunkRef>, Error> {
        let _settle = SettleSinks(self);
        self.tell(Event::RunStarted { plan: &self.run.plan });
        let worked = catch_unwind(AssertUnwindSafe(|| each_worker(&|index| self.work(index, rooms))));
        // However the loops ended, nothing of the run goes on when this returns.
        let spill_thread = self.state.lock().spill_thread.take();
        let carried = spill_thread.map_or(Ok(()), thread::JoinHandle::join);
        // No user code unwinds this far: it is a defect of ours, and the caller's to see.
        worked.and(carried).unwrap_or_else(|payload| resume_unwind(payload));
        let mut garbage = Garbage::default();
        let (result, peak_bytes) = {
            let mut state = self.state.lock();
            let peak = state.engine.bytes().1;
            (state.engine.take_result(&mut garbage), peak)
        };
        self.drop_garbage(&mut garbage);
        // A drop may have panicked after the last task, or an observer that is told of the end.
        let dropping = self.state.lock().engine.take_error();
        let success = result.is_ok() && dropping.is_none();
        self.tell(Event::RunFinished { plan: &self.run.plan, success, peak_bytes });
        let late = dropping.or_else(|| self.state.lock().engine.take_error());
        match (result, late) {
            (Ok(mut chunks), Some(error)) => {
                self.drop_all(|| chunks.pop());
                Err(error)
            }
            (result, _) => result,
        }
    }

    /// A worker, whose tasks build under the run's number.
    fn work(self: &Arc<Self>, index: usize, rooms: &Rooms<'_>) {
        self.number.work(index, || self.work_on(index, rooms));
    }

    /// A worker's loop: report what was done, fetch the next action, carry it out.
    fn work_on(self: &Arc<Self>, index: usize, rooms: &Rooms<'_>) {
        let mut worker = Worker {
            index,
            inputs: Chunks::new(),
            made: Vec::new(),
            garbage: Garbage::default(),
            report: Report::Nothing,
            continuation: None,
            busy: (0, 0),
            pace: Pace::default(),
            nap: NAP,
            waiting: Waiting::default(),
            rest: (index > 0).then(|| Rest::new(0)),
        };
        let _end = EndOnUnwind(self);
        loop {
            let action = self.visit(&mut worker);
            self.drop_garbage(&mut worker.garbage);
            if worker.garbage.is_large() {
                self.state.lock().engine.dropped(&mut worker.garbage);
            }
            worker.report = match action {
                Action::Run(job) => self.execute(job, &mut worker, rooms),
                Action::Move(chunk) => self.carry_out(*chunk),
                Action::Wait => {
                    // A parallel section inside somebody's task may want this thread.
                    Scope::outside(yield_now);
                    self.tell_of_stall(&mut worker);
                    Report::Nothing
                }
                Action::Over => break,
            };
        }
    }

    /// Reports and fetches under the lock. Nothing of the user's runs in here.
    fn visit(self: &Arc<Self>, worker: &mut Worker) -> Action {
        let mut guard = self.state.lock();
        let state = &mut *guard;
        let has_moved = matches!(worker.report, Report::Rare(_));
        let has_ended = matches!(worker.report, Report::Finished(_));
        state.engine.take_report(&mut worker.report, &mut worker.made, &mut worker.garbage);
        if state.is_over {
            return Action::Over;
        }
        if self.run.is_cancelled() {
            state.engine.cancel(|finished, n_tasks| self.run.cancelled(finished, n_tasks));
        }
        if worker.index > 0 {
            if has_ended && worker.pace.is_idle_beside(state.engine.finished()) {
                worker.rest = Some(Rest::new(state.engine.finished()));
            }
            if worker.rest.is_some() {
                // Its garbage comes first: others may wait for that memory.
                if worker.garbage.items.is_empty() {
                    self.rest(&mut guard, worker);
                }
                return if guard.is_over { Action::Over } else { Action::Wait };
            }
        }
        let action = state.engine.next(&mut worker.inputs, &mut worker.garbage);
        match action {
            Action::Over => {
                state.is_over = true;
                self.wake.notify_all();
            }
            Action::Wait if worker.garbage.items.is_empty() => {
                state.asleep += 1;
                self.wake.wait_for(&mut guard, worker.nap);
                guard.asleep -= 1;
                worker.nap = (worker.nap * 2).min(LONGEST_NAP);
                worker.waiting.look(&guard.engine);
            }
            Action::Wait => {}
            Action::Run(_) | Action::Move(_) => {
                if let Action::Run(job) = action {
                    if !self.run.observers.is_empty() {
                        worker.busy = state.engine.busy();
                    }
                    worker.continuation = job.is_continuation().then(|| state.engine.plan_of(job));
                }
                worker.nap = NAP;
                let is_wanted = worker.pace.slow >= WORTH_HELP || has_moved;
                if state.asleep > 0 && is_wanted && state.engine.has_candidates() {
                    self.wake.notify_one();
                }
                if state.spill_thread.is_none() && worker.index > 0 && state.engine.is_under_pressure() {
                    let crew = Arc::clone(self);
                    // Where there are no more threads to be had, the workers carry everything themselves.
                    let spill_thread = thread::Builder::new().name("musher-spill".to_owned());
                    state.spill_thread = spill_thread.spawn(move || crew.carry()).ok();
                }
            }
        }
        action
    }

    /// Stays away while the others end more than one task in the time of a quick one.
    fn rest(&self, guard: &mut MutexGuard<'_, State>, worker: &mut Worker) {
        guard.asleep += 1;
        let was_woken = !self.wake.wait_for(guard, worker.nap).timed_out();
        guard.asleep -= 1;
        worker.nap = (worker.nap * 2).min(LONGEST_NAP);
        let Some(rest) = &mut worker.rest else { return };
        let finished = guard.engine.finished();
        let (ended, elapsed) = (finished - rest.finished, rest.since.elapsed());
        let is_rushing = elapsed < QUICK * u32::try_from(ended).unwrap_or(u32::MAX);
        let may_be_waking = finished == 0 && !rest.has_looked && !was_woken;
        if is_rushing {
            *rest = Rest::new(finished);
        } else if may_be_waking {
            rest.has_looked = true;
            worker.nap = NAP;
        } else if was_woken || !rest.was_quick || elapsed > PATIENCE {
            worker.rest = None;
            worker.nap = NAP;
            worker.pace = Pace { all: finished, ..Pace::default() };
        }
    }

    /// The spill thread's loop: moves chunks to the disk and back before a worker has to wait for it.
    fn carry(self: &Arc<Self>) {
        let _end = EndOnUnwind(self);
        let (mut report, mut garbage, mut made) = (Report::Nothing, Garbage::default(), Vec::new());
        loop {
            let action = {
                let mut guard = self.state.lock();
                let has_moved = !matches!(report, Report::Nothing);
                guard.engine.take_report(&mut report, &mut made, &mut garbage);
                if has_moved {
                    self.wake.notify_all();
                }
                if guard.is_over {
                    break;
                }
                let action = guard.engine.ahead(&mut garbage);
                if matches!(action, Action::Wait) && garbage.items.is_empty() {
                    self.wake.wait_for(&mut guard, LONGEST_NAP);
                }
                action
            };
            self.drop_garbage(&mut garbage);
            report = match action {
                Action::Move(chunk) => self.carry_out(*chunk),
                Action::Run(_) | Action::Wait | Action::Over => Report::Nothing,
            };
        }
        self.drop_garbage(&mut garbage);
    }

    /// Tells the observers. They are user code: a panic in one ends the run with an error.
    fn tell(&self, event: Event<'_>) {
        for observer in &self.run.observers {
            if let Err(payload) = catch_unwind(AssertUnwindSafe(|| observer.event(event))) {
                self.state.lock().engine.fail(Error::observing(payload.as_ref()));
            }
        }
    }

    /// Tells the observers if nothing has happened for too long: once, and by one worker.
    fn tell_of_stall(&self, worker: &mut Worker) {
        let Some((since, happened)) = worker.waiting.since else { return };
        let elapsed = since.elapsed();
        if elapsed < self.run.stall_after || self.run.observers.is_empty() {
            return;
        }
        let (moving, alive_bytes) = {
            let mut state = self.state.lock();
            match state.engine.waits_for_chunks() {
                Some((moving, now)) if now == happened && state.stall_reported != Some(now) => {
                    state.stall_reported = Some(now);
                    (moving, state.engine.bytes().0)
                }
                _ => return,
            }
        };
        self.tell(Event::Stalled { plan: &self.run.plan, elapsed, moving, alive_bytes });
    }

    /// Drops what nobody needs any more.
    #[inline]
    fn drop_garbage(&self, garbage: &mut Garbage) {
        if !garbage.items.is_empty() {
            self.drop_all(|| garbage.items.pop());
        }
    }

    /// Drops what comes, one after the other; a panic in a drop ends the run, and no second one meets it.
    fn drop_all<T>(&self, mut next: impl FnMut() -> Option<T>) {
        let mut work = || while next().is_some() {};
        while let Err(payload) = catch_unwind(AssertUnwindSafe(&mut work)) {
            self.state.lock().engine.fail(Error::dropping(payload.as_ref()));
        }
    }

    /// Runs a task, again if it fails and may be retried.
    #[inline(always)]
    fn execute(&self, job: Job, worker: &mut Worker, rooms: &Rooms<'_>) -> Report {
        let continuation = worker.continuation.take();
        let plan = continuation.as_ref().unwrap_or(&self.run.plan);
        let start = worker.pace.begins().then(Instant::now);
        let outcome = match self.is_lenient || job.is_continuation() {
            true => self.attempts(plan, job, worker, rooms),
            false => self.attempt(plan, job, worker, rooms),
        };
        if let Some(start) = start {
            worker.pace.took(start.elapsed());
        }
        match outcome {
            Ok(None) => Report::Finished(job),
            Ok(Some(more)) => Rare::Continued(job, more).into(),
            Err(error) => {
                if self.run.is_cancelled() {
                    // A task that gave up because of that must not pass for the cause.
                    let cancelled = |finished, n_tasks| self.run.cancelled(finished, n_tasks);
                    self.state.lock().engine.cancel(cancelled);
                }
                // Dropped after this report, so that a panic in a drop does not pass for the cause.
                worker.garbage.items.extend(worker.inputs.drain(..).flatten().map(Discarded::Chunk));
                Rare::Failed(job, *error).into()
            }
        }
    }

    /// Runs a task until it succeeds or its retries are used up.
    fn attempts(&self, plan: &Arc<Plan>, job: Job, worker: &mut Worker, rooms: &Rooms<'_>) -> Outcome {
        let task = job.task;
        let retries = self.run.retries_of(plan, task);
        if retries == 0 && self.run.failed.is_none() {
            return self.attempt(plan, job, worker, rooms);
        }
        let mut kept = worker.inputs.clone();
        let mut outcome = self.attempt(plan, job, worker, rooms);
        for attempt in 0..retries {
            let Err(error) = &outcome else { break };
            // A panic is a defect: it would come again, or worse, not.
            if self.run.is_cancelled() || matches!(**error, Error::Panicked { .. }) {
                break;
            }
            self.tell(Event::TaskRetried { plan, task, worker: worker.index, error });
            if !self.pause(BACKOFF * 10_u32.pow(attempt.min(3))) {
                break;
            }
            worker.inputs.clone_from(&kept);
            outcome = self.attempt(plan, job, worker, rooms);
        }
        match (&outcome, &self.run.failed) {
            (Ok(_), _) => self.drop_all(|| kept.pop()),
            // A task that gives up because the run is cancelled has not failed.
            (Err(_), Some(failed)) if !self.run.is_cancelled() => {
                failed.keep(FailedTask { plan: Arc::clone(plan), task, inputs: kept });
            }
            (Err(_), _) => worker.inputs.append(&mut kept),
        }
        outcome
    }

    /// Sleeps; `false` if the run is cancelled meanwhile.
    fn pause(&self, time: Duration) -> bool {
        let mut left = time;
        while !left.is_zero() && !self.run.is_cancelled() {
            let nap = left.min(BACKOFF_SLICE);
            thread::sleep(nap);
            left -= nap;
        }
        left.is_zero()
    }

    /// Runs a task once: its outputs go to `worker.made`, or to their rooms; what comes back is more work, if it gave that.
    ///
    /// Tasks, sizes and drops of chunks are user code: a panic in any of them becomes an error.
    #[inline(always)]
    fn attempt(&self, plan: &Plan, job: Job, worker: &mut Worker, rooms: &Rooms<'_>) -> Outcome {
        let task = job.task;
        let outcome = guard(plan, task, || {
            let output = match self.run.observers.is_empty() {
                true => self.run_task(plan, task, &mut worker.inputs)?,
                false => self.run_observed(plan, task, worker)?,
            };
            let mut slot = plan.tasks().outputs_of(task).start;
            let handed = output.hand_over(|chunk| {
                worker.made.push(self.weigh(chunk, plan, SlotIx(slot as u32)));
                slot += 1;
            });
            drop_inputs(&mut worker.inputs);
            if rooms.are_open() && !job.is_continuation() {
                self.deliver(plan, task, worker, rooms)?;
            }
            match handed {
                Ok(()) => Ok(None),
                Err(requests) => {
                    let more = Arc::new(plan_unless(&requests, self.run.cancel.as_ref()).map_err(Box::new)?);
                    self.tell(Event::Continued { plan, task, more: &more });
                    Ok(Some(more))
                }
            }
        });
        if outcome.is_err() {
            worker.garbage.items.extend(worker.made.drain(..).map(|made| Discarded::Chunk(made.chunk)));
        }
        outcome
    }

    /// Puts what a task has made into its rooms in the answer.
    fn deliver(
        &self,
        plan: &Plan,
        task: TaskIx,
        worker: &mut Worker,
        rooms: &Rooms<'_>,
    ) -> Result<(), Box<Error>> {
        for (made, slot) in worker.made.iter_mut().zip(plan.tasks().outputs_of(task)) {
            let slot = SlotIx(slot as u32);
            if rooms.is_for(slot) {
                let delivered = rooms.deliver(slot, Arc::clone(&made.chunk));
                *made = self.weigh(delivered.map_err(|error| Box::new(Error::gather(error)))?, plan, slot);
            }
        }
        Ok(())
    }

    #[inline(always)]
    fn weigh(&self, chunk: ChunkRef, plan: &Plan, slot: SlotIx) -> Made {
        let bytes = match chunk.nbytes() {
            // What a user's chunk says of itself is no more than any machine has.
            Some(bytes) => (bytes as u64).min(MOST_BYTES),
            None => plan.tasks().bytes_of(slot).unwrap_or(0),
        };
        // What is too small to leave is not asked whether it could.
        let is_pinned = bytes >= LEAST_BYTES && self.run.spill_store.is_some() && chunk.codec().is_none();
        Made { chunk, bytes, is_pinned }
    }

    #[inline(always)]
    fn run_task(&self, plan: &Plan, task: TaskIx, inputs: &mut Chunks) -> Result<Output, Box<Error>> {
        let output = plan.tasks().run(task, inputs, self.run.spill_store.as_deref());
        output.map_err(|error| Box::new(Error::task(plan, task, error)))
    }

    /// Runs a task and tells the observers.
    fn run_observed(&self, plan: &Plan, task: TaskIx, worker: &mut Worker) -> Result<Output, Box<Error>> {
        let (index, (busy, alive_bytes)) = (worker.index, worker.busy);
        let start = Instant::now();
        self.tell(Event::TaskStarted { plan, task, worker: index, busy, alive_bytes });
        let outcome = guard(plan, task, || self.run_task(plan, task, &mut worker.inputs));
        let elapsed = start.elapsed();
        self.tell(match &outcome {
            Ok(output) => {
                let outputs = output.chunks();
                let bytes = outputs.iter().filter_map(|chunk| chunk.nbytes()).sum::<usize>() as u64;
                Event::TaskFinished { plan, task, worker: index, elapsed, bytes, outputs }
            }
            Err(error) => Event::TaskFailed { plan, task, worker: index, error },
        });
        outcome
    }

    /// Writes a chunk to the disk or reads it from there.
    fn carry_out(&self, action: Move) -> Report {
        let start = Instant::now();
        let report = match action {
            Move::Spill(moving, chunk) => {
                let outcome = spilling::write(self.run.spill_store.as_deref(), &chunk);
                if outcome.is_ok() {
                    self.tell(Event::ChunkSpilled {
                        plan: &self.run.plan,
                        bytes: moving.bytes,
                        elapsed: start.elapsed(),
                    });
                }
                let mut chunk = Some(chunk);
                self.drop_all(|| chunk.take());
                Rare::Spilled(moving, outcome)
            }
            Move::Load(moving, copy) => {
                let outcome = spilling::read(&copy);
                if outcome.is_ok() {
                    self.tell(Event::ChunkLoaded {
                        plan: &self.run.plan,
                        bytes: moving.bytes,
                        elapsed: start.elapsed(),
                    });
                }
                Rare::Loaded(moving, copy, outcome)
            }
        };
        report.into()
    }

    /// Lends free memory to a run inside one of this run's tasks; `None` where there is no limit.
    pub(crate) fn lend(&self, want: u64) -> Option<u64> {
        let free = self.state.lock().engine.lend(want, 0)?;
        let missing = want - free;
        match &self.run.loan {
            Some(loan) if missing > 0 => {
                let more = loan.extend(missing);
                self.state.lock().engine.lend(more, more).map(|more| free + more)
            }
            _ => Some(free),
        }
    }

    /// What is free, divided among the tasks that run.
    pub(crate) fn share(&self) -> u64 {
        self.state.lock().engine.share()
    }

    /// Takes lent memory back.
    pub(crate) fn take_back(&self, bytes: u64) {
        self.state.lock().engine.take_back(bytes);
        self.wake.notify_one();
    }

    /// The conditions of the run.
    pub(crate) fn conditions(&self) -> &Run {
        &self.run
    }
}

/// Work that is started where its identities could not be made again elsewhere.
fn no_scope(run: &Run) -> Error {
    let first = run.plan.tasks().layers().last();
    let layer = first.map_or_else(String::new, |layer| layer.task.label().into_owned());
    let caller = first.map_or_else(Site::caller, |layer| layer.caller);
    Error::Plan(musher_graph_core::Error::NoScope { layer, caller })
}

/// Drops a task's inputs one after the other: if a drop panics, the rest of them is not dropped while it unwinds.
fn drop_inputs(inputs: &mut Chunks) {
    while inputs.pop().is_some() {}
}

impl Engine {
    #[inline(always)]
    fn take_report(&mut self, report: &mut Report, made: &mut Vec<Made>, garbage: &mut Garbage) {
        self.dropped(garbage);
        let rare = match std::mem::take(report) {
            Report::Nothing => return,
            Report::Finished(job) => return self.finish(job, made, garbage),
            Report::Rare(rare) => rare,
        };
        match *rare {
            Rare::Continued(job, plan) => self.go_on(job, plan, garbage),
            Rare::Failed(job, error) => self.failed(job, error),
            Rare::Spilled(moving, outcome) => self.spilled(moving, outcome, garbage),
            Rare::Loaded(moving, copy, outcome) => self.loaded(moving, copy, outcome, garbage),
        }
    }
}
