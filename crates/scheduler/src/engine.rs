//! The engine: which task may start now, where chunks are, and what must leave memory or come back.
//!
//! One pure state machine: reports go in, actions come out. No thread, clock, file or user code inside; README.md tells
//! why it always ends. Whoever holds it carries the actions out: see `crew.rs`.

mod eviction;
mod ledger;
mod plan_state;
mod ready;
mod resources;

use musher_graph_core::{ChunkRef, Plan, SlotIx, TaskIx};
use smallvec::SmallVec;

pub(crate) use self::eviction::LEAST_BYTES;
use self::eviction::Outside;
pub(crate) use self::ledger::peak_without_disk;
use self::ledger::{Ledger, sequential_peak};
use self::plan_state::{PlanState, clear};
use self::resources::Resources;
use crate::error::{Error, site};
use crate::run::Run;
use crate::spilling::SpilledCopy;
use crate::sync::Arc;

/// What a worker is to do next.
#[derive(Debug)]
pub(crate) enum Action {
    /// Run this task; its inputs have been handed out.
    Run(Job),
    /// Write a chunk to the disk or read it from there. Boxed, so that an action to run stays small.
    Move(Box<Move>),
    /// Nothing can start before something ends.
    Wait,
    /// The run is over, well or not.
    Over,
}

/// A task that has been admitted. Small, because it is handed to and fro for each task.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Job {
    pub(crate) task: TaskIx,
    state: u32,
    reserved: u64,
}

impl Job {
    /// Whether its plan is not the one that was asked for.
    pub(crate) fn is_continuation(self) -> bool {
        self.state != 0
    }
}

/// A chunk to be moved.
#[derive(Debug)]
pub(crate) enum Move {
    /// Write this chunk to the disk and report it by [`Engine::spilled`].
    Spill(Moving, ChunkRef),
    /// Read this chunk from the disk and report it by [`Engine::loaded`].
    Load(Moving, SpilledCopy),
}

/// Which chunk is on its way to the disk or back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moving {
    state: usize,
    slot: SlotIx,
    pub(crate) bytes: u64,
}

/// The chunks of one task's inputs.
pub(crate) type Chunks = Vec<Option<ChunkRef>>;

/// An output that a task has made.
#[derive(Debug)]
pub(crate) struct Made {
    pub(crate) chunk: ChunkRef,
    pub(crate) bytes: u64,
    /// Whether it has no codec, so that it can never leave memory.
    pub(crate) is_pinned: bool,
}

/// What nobody needs any more. It is dropped where no lock is held, because that runs user code and removes files.
#[derive(Debug)]
#[expect(dead_code, reason = "the fields are held to be dropped")]
pub(crate) enum Discarded {
    Chunk(ChunkRef),
    Spilled(SpilledCopy),
    Plan(Arc<Plan>),
}

/// What a worker is to drop before its next visit, with the bytes that are off the ledger only then.
#[derive(Debug, Default)]
pub(crate) struct Garbage {
    pub(crate) items: Vec<Discarded>,
    bytes: u64,
}

impl Garbage {
    /// Whether others may well wait for these bytes while their owner runs its next task.
    pub(crate) fn is_large(&self) -> bool {
        self.bytes >= 1 << 20
    }

    fn drop_later(&mut self, item: Option<Discarded>, bytes: u64) {
        self.items.extend(item);
        self.bytes += bytes;
    }
}

/// What looking at one plan in progress gave.
enum Look {
    Act(Action),
    /// Something has changed: look again from the start.
    Again,
    /// It has nothing to start now.
    Nothing,
}

/// The state of a run.
#[derive(Debug)]
pub(crate) struct Engine {
    /// The plan that was asked for, then continuations; a place is free again when its plan has ended.
    states: Vec<Option<Box<PlanState>>>,
    /// The plans in progress, newest last: a continuation goes before what waits for it.
    live: Vec<usize>,
    ledger: Ledger,
    /// Whether chunks may go to the disk.
    has_disk: bool,
    resources: Resources,
    running: usize,
    moving: usize,
    /// Bytes of the chunks that are being written.
    leaving: u64,
    /// Bytes that workers have been given to drop and have not dropped yet.
    pending_drop_bytes: u64,
    finished: usize,
    /// Tasks that ended and chunks that came or went.
    happened: u64,
    /// Tasks of all plans so far.
    n_tasks: usize,
    error: Option<Error>,
}

impl Engine {
    /// Opens the run, or refuses a plan that can never fit.
    pub(crate) fn new(run: &Run) -> Result<Self, Error> {
        let limit = run.memory_limit.map(|limit| limit.bytes());
        let has_disk = run.spill_store.is_some() && limit.is_some();
        let resources = Resources::new(run);
        let mut engine = Self {
            states: Vec::with_capacity(1),
            live: Vec::with_capacity(1),
            ledger: Ledger::new(limit),
            has_disk,
            resources,
            running: 0,
            moving: 0,
            leaving: 0,
            pending_drop_bytes: 0,
            finished: 0,
            happened: 0,
            n_tasks: 0,
            error: None,
        };
        engine.open(Arc::clone(&run.plan), None)?;
        Ok(engine)
    }

    /// Takes up a plan.
    fn open(&mut self, plan: Arc<Plan>, parent: Option<(usize, TaskIx)>) -> Result<usize, Error> {
        let tables = plan.tasks().table_bytes() as u64;
        if let Some(limit) = self.ledger.limit() {
            refuse(&plan, tables, limit, self.has_disk)?;
        }
        self.resources.check(&plan)?;
        self.ledger.add(tables);
        self.n_tasks += plan.tasks().n_tasks();
        let state = Some(Box::new(PlanState::new(plan, parent)));
        let free = self.states.iter().position(Option::is_none);
        let id = free.unwrap_or(self.states.len());
        match free {
            Some(id) => self.states[id] = state,
            None => self.states.push(state),
        }
        self.live.push(id);
        Ok(id)
    }

    /// The plan of a task.
    pub(crate) fn plan_of(&mut self, job: Job) -> Arc<Plan> {
        Arc::clone(&self.state(job.state as usize).plan)
    }

    /// Tasks that run, and bytes on the ledger.
    pub(crate) fn busy(&self) -> (usize, u64) {
        (self.running, self.ledger.alive())
    }

    fn state(&mut self, id: usize) -> &mut PlanState {
        self.states[id].as_mut().expect("only plans in progress are named")
    }

    /// A worker has dropped what it was given.
    pub(crate) fn dropped(&mut self, garbage: &mut Garbage) {
        if garbage.bytes > 0 && garbage.items.is_empty() {
            self.pending_drop_bytes -= garbage.bytes;
            self.ledger.remove(std::mem::take(&mut garbage.bytes));
        }
    }

    /// What to do next. The inputs of a task go to `inputs`; what is to be dropped, to `garbage`.
    #[inline(always)]
    pub(crate) fn next(&mut self, inputs: &mut Chunks, garbage: &mut Garbage) -> Action {
        loop {
            if self.error.is_some() {
                return Action::Over;
            }
            // The newest comes first, and mostly has something.
            let mut level = self.live.len();
            let look = loop {
                if level == 0 {
                    break Look::Nothing;
                }
                level -= 1;
                match self.look(level, inputs, garbage) {
                    Look::Nothing => {}
                    look => break look,
                }
            };
            match look {
                Look::Act(action) => return action,
                Look::Again => {}
                Look::Nothing if self.running > 0 || self.moving > 0 || self.pending_drop_bytes > 0 => {
                    return Action::Wait;
                }
                Look::Nothing => {
                    let error = self.stuck();
                    self.fail(error);
                }
            }
        }
    }

    /// Looks for something to start in one plan.
    #[inline(always)]
    fn look(&mut self, level: usize, inputs: &mut Chunks, garbage: &mut Garbage) -> Look {
        let id = self.live[level];
        let is_newest = level + 1 == self.live.len();
        let limit = self.ledger.limit();
        let Some(state) = self.states[id].as_mut() else { return Look::Nothing };
        if state.is_finished() {
            return self.close(id, garbage);
        }
        let Some(at) = state.candidate(limit) else { return Look::Nothing };
        let task = state.task_at(at);
        let is_head = at == state.head;
        let reserved = state.plan.tasks().reservation_of(task);
        let absent = state.absent_bytes(task);
        let need = reserved + absent.unwrap_or(0);
        if need == 0 && self.ledger.over() > self.pending_drop_bytes + self.leaving && is_head && is_newest {
            // A task that says nothing of its size needs no room, but what such tasks have made must make some for others.
            // Where nothing can leave it runs all the same.
            match self.make_room(id, at, garbage) {
                Look::Nothing => {}
                look => return look,
            }
        }
        let Some(state) = self.states[id].as_mut() else { return Look::Nothing };
        if self.ledger.free() < need {
            if self.ledger.free() + self.pending_drop_bytes + self.leaving >= need {
                // What others are about to drop, or to have written, is enough.
                return Look::Nothing;
            }
            // What fits one task after the other fits when those that run have ended: nothing need leave memory for it.
            let is_stuck = self.running == 0 || !state.fits_in_sequence();
            return if is_head && is_newest && is_stuck {
                self.make_room(id, at, garbage)
            } else {
                Look::Nothing
            };
        }
        if !is_head && (absent.is_some() || !state.may_overtake(reserved)) {
            return Look::Nothing;
        }
        if !is_newest && !self.fits_beside_newer(level, need) {
            return Look::Nothing;
        }
        if absent.is_some() {
            return self.bring_inputs(id, task);
        }
        let Some(state) = self.states[id].as_mut() else { return Look::Nothing };
        if !self.resources.take(&state.plan, task) {
            state.put_aside(at);
            return if state.running > 0 { Look::Again } else { Look::Nothing };
        }
        state.admit(at, task, reserved);
        for &slot in state.plan.tasks().inputs_of(task) {
            inputs.push(state.slots[slot.index()].lend());
        }
        self.running += 1;
        self.ledger.add(reserved);
        Look::Act(Action::Run(Job { task, state: id as u32, reserved }))
    }

    /// Whether a task of an older plan leaves the newer ones what they need one task after the other.
    fn fits_beside_newer(&mut self, level: usize, bytes: u64) -> bool {
        if self.ledger.limit().is_none() {
            return true;
        }
        let newer = self.live[level + 1..].iter().filter_map(|&id| self.states[id].as_ref());
        newer.map(|state| state.peak()).fold(bytes, u64::saturating_add) <= self.ledger.free()
    }

    /// A task has ended well.
    #[inline(always)]
    pub(crate) fn finish(&mut self, job: Job, made: &mut Vec<Made>, garbage: &mut Garbage) {
        self.let_go(job, garbage);
        self.deliver(job.state as usize, job.task, made, garbage);
    }

    /// A task has ended with more work, whose results are the task's own outputs.
    pub(crate) fn go_on(&mut self, job: Job, plan: Arc<Plan>, garbage: &mut Garbage) {
        let id = job.state as usize;
        let limit = self.ledger.limit();
        // The task has not ended: whoever waits for it must be told apart from now on.
        self.state(id).candidate(limit);
        self.let_go(job, garbage);
        let mut parent = (id, job.task);
        let state = self.state(id);
        let is_last = state.finished + 1 == state.n_tasks() && state.moving == 0;
        let outputs = state.plan.tasks().outputs_of(job.task);
        let is_result = state.plan.tasks().requested().iter().map(|slot| slot.index()).eq(outputs);
        if let (true, true, Some(above)) = (is_last, is_result, state.parent) {
            // Nothing of the plan is left but this result: a loop of a million rounds needs one state, not a million.
            parent = above;
            self.remove(id, garbage);
        } else {
            state.continuing += 1;
        }
        if let Err(error) = self.open(Arc::clone(&plan), Some(parent)) {
            garbage.drop_later(Some(Discarded::Plan(plan)), 0);
            self.fail(error);
        }
    }

    /// A task runs no more: its reservation and its inputs are free.
    #[inline(always)]
    fn let_go(&mut self, job: Job, garbage: &mut Garbage) {
        self.running -= 1;
        self.ledger.remove(job.reserved);
        let Some(state) = self.states[job.state as usize].as_deref_mut() else { return };
        let (freed, pending) = state.give_back(job.task, garbage);
        self.ledger.remove(freed);
        self.pending_drop_bytes += pending;
        if self.resources.give_back(&state.plan, job.task) {
            for state in self.states.iter_mut().flatten() {
                state.take_up();
            }
        }
    }

    /// The outputs of a task are there.
    #[inline(always)]
    fn deliver(&mut self, id: usize, task: TaskIx, made: &mut Vec<Made>, garbage: &mut Garbage) {
        self.finished += 1;
        self.happened += 1;
        let Some(state) = self.states[id].as_mut() else { return };
        let outputs = state.plan.tasks().outputs_of(task);
        while let Some(Made { chunk, bytes, is_pinned }) = made.pop() {
            let index = outputs.start + made.len();
            let slot = &mut state.slots[index];
            self.ledger.add(bytes);
            if slot.uses == 0 {
                self.pending_drop_bytes += bytes;
                garbage.drop_later(Some(Discarded::Chunk(chunk)), bytes);
                continue;
            }
            (slot.chunk, slot.bytes) = (Some(chunk), bytes);
            if is_pinned {
                slot.pin();
            }
            state.may_leave_later(SlotIx(index as u32));
        }
        state.end(task);
    }

    /// Makes room for the task at a position of the newest plan.
    fn make_room(&mut self, id: usize, at: usize, garbage: &mut Garbage) -> Look {
        if self.has_disk {
            for level in 0..self.live.len() {
                let other = self.live[level];
                let needed_at = if other == id { Some(at) } else { None };
                if let Some(look) = self.evict(other, needed_at, garbage) {
                    return look;
                }
            }
        }
        Look::Nothing
    }

    /// Lets one chunk of a plan leave memory, if one may that is needed later than at this position.
    fn evict(&mut self, id: usize, needed_at: Option<usize>, garbage: &mut Garbage) -> Option<Look> {
        let state = self.states[id].as_mut()?;
        state.foresee();
        let slot = state.victim(needed_at)?;
        let bytes = state.slots[slot.index()].bytes;
        if state.is_stored(slot) {
            self.pending_drop_bytes += bytes;
            garbage.drop_later(state.slot(slot).chunk.take().map(Discarded::Chunk), bytes);
            return Some(Look::Again);
        }
        let chunk = state.slots[slot.index()].chunk.clone()?;
        state.set_outside(slot, Outside::Leaving);
        state.moving += 1;
        self.moving += 1;
        self.leaving += bytes;
        Some(Look::Act(Action::Move(Box::new(Move::Spill(Moving { state: id, slot, bytes }, chunk)))))
    }

    /// What a second worker may do ahead of need: bring back what the next tasks read, if it fits anyway; or make room
    /// before somebody has to wait for it.
    pub(crate) fn ahead(&mut self, garbage: &mut Garbage) -> Action {
        const WINDOW: usize = 16;
        let (Some(limit), Some(&id), None) = (self.ledger.limit(), self.live.last(), &self.error) else {
            return Action::Wait;
        };
        let is_of_use = |state: &&mut Box<PlanState>| state.eviction.is_some() && !state.is_finished();
        let Some(state) = self.states[id].as_mut().filter(is_of_use) else {
            return Action::Wait;
        };
        let (head, free) = (state.head, self.ledger.free());
        for at in (head..(head + WINDOW).min(state.n_tasks())).filter(|&at| !state.is_admitted(at)) {
            let task = state.task_at(at);
            let absent = state.plan.tasks().inputs_of(task).iter().copied();
            let absent = absent.filter(|&slot| state.is_away(slot)).collect::<SmallVec<[SlotIx; 8]>>();
            if let Some(&slot) = absent.first() {
                let fits = state.slots[slot.index()].bytes + limit / 4 <= free;
                return if fits { self.bring(id, slot) } else { Action::Wait };
            }
        }
        if free < limit / 8
            && !state.fits_in_sequence()
            && let Some(Look::Act(action)) = self.evict(id, Some(head + WINDOW), garbage)
        {
            return action;
        }
        Action::Wait
    }

    /// Whether chunks have begun to leave memory.
    pub(crate) fn is_under_pressure(&self) -> bool {
        self.live.iter().any(|&id| self.states[id].as_ref().is_some_and(|state| state.eviction.is_some()))
    }

    /// Brings one absent input of a task back; its bytes fit.
    fn bring_inputs(&mut self, id: usize, task: TaskIx) -> Look {
        let state = self.state(id);
        let away = state.plan.tasks().inputs_of(task).iter().copied().find(|&slot| state.is_away(slot));
        match away {
            Some(slot) => Look::Act(self.bring(id, slot)),
            // All of them are on their way.
            None => Look::Nothing,
        }
    }

    fn bring(&mut self, id: usize, slot: SlotIx) -> Action {
        let state = self.state(id);
        let bytes = state.slots[slot.index()].bytes;
        let Some(copy) = state.begin_to_come(slot) else { return Action::Wait };
        state.moving += 1;
        self.moving += 1;
        self.ledger.add(bytes);
        Action::Move(Box::new(Move::Load(Moving { state: id, slot, bytes }, copy)))
    }

    /// A chunk is on the disk, or could not be written.
    pub(crate) fn spilled(
        &mut self,
        moved: Moving,
        outcome: Result<SpilledCopy, Error>,
        garbage: &mut Garbage,
    ) {
        self.moving -= 1;
        self.happened += 1;
        self.leaving -= moved.bytes;
        let state = self.states[moved.state].as_mut().expect("a plan stays until its chunks have come");
        state.moving -= 1;
        let copy = match outcome {
            Ok(copy) => copy,
            Err(error) => return self.fail(error),
        };
        if state.slots[moved.slot.index()].uses == 0 {
            garbage.drop_later(Some(Discarded::Spilled(copy)), 0);
            self.pending_drop_bytes -= moved.bytes;
            self.ledger.remove(moved.bytes);
            return;
        }
        state.set_outside(moved.slot, Outside::Stored(copy));
        if state.slots[moved.slot.index()].may_leave() && !state.is_finished() {
            self.pending_drop_bytes += moved.bytes;
            garbage.drop_later(state.slot(moved.slot).chunk.take().map(Discarded::Chunk), moved.bytes);
        }
    }

    /// A chunk is back in memory, or could not be read.
    pub(crate) fn loaded(
        &mut self,
        moved: Moving,
        copy: SpilledCopy,
        outcome: Result<ChunkRef, Error>,
        garbage: &mut Garbage,
    ) {
        self.moving -= 1;
        self.happened += 1;
        let state = self.state(moved.state);
        state.moving -= 1;
        let chunk = match outcome {
            Ok(chunk) => chunk,
            Err(error) => {
                garbage.drop_later(Some(Discarded::Spilled(copy)), 0);
                return self.fail(error);
            }
        };
        state.slot(moved.slot).chunk = Some(chunk);
        state.set_outside(moved.slot, Outside::Stored(copy));
        state.may_leave_later(moved.slot);
    }

    /// All tasks of a plan have ended: what it was asked for goes to the task that waits for it.
    fn close(&mut self, id: usize, garbage: &mut Garbage) -> Look {
        let state = self.state(id);
        let plan = Arc::clone(&state.plan);
        if let Some(slot) = plan.tasks().requested().iter().copied().find(|&slot| state.is_away(slot)) {
            let bytes = state.slots[slot.index()].bytes;
            if bytes <= self.ledger.free() {
                return Look::Act(self.bring(id, slot));
            }
            if self.ledger.free() + self.pending_drop_bytes + self.leaving >= bytes {
                return Look::Nothing;
            }
            let mut others = self.live.clone().into_iter().filter(|&other| other != id);
            return others.find_map(|other| self.evict(other, None, garbage)).unwrap_or(Look::Nothing);
        }
        // The rest of what is asked for may be on its way.
        if state.moving > 0 {
            return Look::Nothing;
        }
        let Some((above, task)) = state.parent else { return Look::Act(Action::Over) };
        let mut freed = 0;
        let mut made: Vec<Made> = Vec::new();
        for &slot in plan.tasks().requested() {
            let entry = &mut state.slots[slot.index()];
            let (bytes, is_pinned) = (entry.bytes, entry.is_pinned());
            let chunk = entry.lend().expect("what is asked for is in memory");
            made.push(Made { chunk, bytes, is_pinned });
            if entry.give_back() {
                freed += bytes;
                clear(entry, slot, state.eviction.as_deref_mut(), garbage);
            }
        }
        self.ledger.remove(freed);
        self.remove(id, garbage);
        self.state(above).continuing -= 1;
        self.deliver(above, task, &mut made, garbage);
        Look::Again
    }

    fn remove(&mut self, id: usize, garbage: &mut Garbage) {
        if let Some(state) = self.states[id].take() {
            self.ledger.remove(state.plan.tasks().table_bytes() as u64);
            self.live.retain(|&other| other != id);
            garbage.drop_later(Some(Discarded::Plan(state.plan)), 0);
        }
    }

    /// The run ends with this error, if it is the first.
    pub(crate) fn fail(&mut self, error: Error) {
        self.error.get_or_insert(error);
    }

    /// What went wrong after the result was taken.
    pub(crate) fn take_error(&mut self) -> Option<Error> {
        self.error.take()
    }

    /// A task has failed: its inputs are gone with the run.
    pub(crate) fn failed(&mut self, job: Job, error: Error) {
        self.running -= 1;
        self.ledger.remove(job.reserved);
        self.fail(error);
    }

    /// The error when nothing runs and nothing may start.
    fn stuck(&self) -> Error {
        let state =
            self.live.iter().rev().find_map(|&id| self.states[id].as_ref()).expect("a run has a plan");
        let tasks = state.plan.tasks();
        let away = tasks.requested().iter().copied().find(|&slot| state.is_away(slot));
        let (task, need) = match away.filter(|_| state.is_finished()) {
            Some(slot) => (tasks.task_of(slot), state.slots[slot.index()].bytes),
            None => {
                let task = state.task_at(state.head.min(state.n_tasks().saturating_sub(1)));
                (task, tasks.reservation_of(task) + state.absent_bytes(task).unwrap_or(0))
            }
        };
        let (operation, _, caller) = site(&state.plan, task);
        let limit = self.ledger.limit().unwrap_or(u64::MAX);
        if need <= self.ledger.free() {
            let (finished, n_tasks) = (self.finished, self.n_tasks);
            return Error::Stalled { operation, caller, finished, n_tasks, state: self.describe(state) };
        }
        Error::MemoryExhausted { operation, caller, need, alive: self.ledger.alive(), limit }
    }

    /// The state of the run in numbers, for whoever looks for a defect.
    fn describe(&self, state: &PlanState) -> String {
        format!(
            "{} plans, position {} of {}, {}, {} bytes alive, limit {:?}",
            self.live.len(),
            state.head,
            state.n_tasks(),
            state.describe_readiness(),
            self.ledger.alive(),
            self.ledger.limit(),
        )
    }

    /// Whether the run waits for nothing but chunks on their way; how many, and what changes whenever something happens.
    pub(crate) fn waits_for_chunks(&self) -> Option<(usize, u64)> {
        (self.running == 0 && self.moving > 0).then_some((self.moving, self.happened))
    }

    /// Lends free bytes to a run inside a task: at most `want`, and never by waiting. The limit rises by `more` before.
    pub(crate) fn lend(&mut self, want: u64, more: u64) -> Option<u64> {
        self.ledger.raise_limit(more);
        self.ledger.limit().map(|_| self.ledger.lend(want))
    }

    /// What is free, divided among the tasks that run.
    pub(crate) fn share(&self) -> u64 {
        self.ledger.free() / self.running.max(1) as u64
    }

    /// Takes lent bytes back.
    pub(crate) fn take_back(&mut self, bytes: u64) {
        self.ledger.remove(bytes);
    }

    /// Whether another worker might find something, as far as a glance tells.
    pub(crate) fn has_candidates(&self) -> bool {
        self.live.iter().any(|&id| self.states[id].as_ref().is_some_and(|state| state.has_candidates()))
    }

    /// Number of tasks that have ended.
    pub(crate) fn finished(&self) -> usize {
        self.finished
    }

    /// Bytes on the ledger now, and most at once.
    pub(crate) fn bytes(&self) -> (u64, u64) {
        (self.ledger.alive(), self.ledger.peak())
    }

    /// The run ends unless all its tasks have ended.
    pub(crate) fn cancel(&mut self, error: impl FnOnce(usize, usize) -> Error) {
        let is_done = self.live == [0] && self.states[0].as_ref().is_some_and(|state| state.is_finished());
        if self.error.is_none() && !is_done {
            self.error = Some(error(self.finished, self.n_tasks));
        }
    }

    /// The chunks asked for, or the first error. Closes all plans: what is left goes to `garbage`. Ask once, when all
    /// loops have ended.
    pub(crate) fn take_result(&mut self, garbage: &mut Garbage) -> Result<Vec<ChunkRef>, Error> {
        let result = match (self.error.take(), self.states.first_mut().and_then(Option::as_mut)) {
            (Some(error), _) => Err(error),
            (None, None) => Ok(Vec::new()),
            (None, Some(state)) => {
                let PlanState { plan, slots, .. } = &mut **state;
                let made = |slot: &SlotIx| {
                    let entry = &mut slots[slot.index()];
                    entry.uses -= 1;
                    let chunk = match entry.uses {
                        0 => {
                            self.ledger.remove(entry.bytes);
                            entry.chunk.take()
                        }
                        _ => entry.chunk.clone(),
                    };
                    chunk.expect("a run without an error has made what was asked for")
                };
                Ok(plan.tasks().requested().iter().map(made).collect())
            }
        };
        for state in self.states.drain(..).flatten() {
            self.ledger.remove(state.plan.tasks().table_bytes() as u64);
            // After a run that ended well all chunks are gone: a look at a million outputs would find nothing.
            match result.is_err() || state.eviction.is_some() {
                true => self.ledger.remove(state.abandon(garbage)),
                false => garbage.drop_later(Some(Discarded::Plan(state.plan)), 0),
            }
        }
        self.ledger.remove(std::mem::take(&mut self.pending_drop_bytes));
        debug_assert_eq!(self.ledger.alive(), 0, "bytes on the ledger of a run that is over");
        result
    }
}

/// Refuses a plan that can never fit: with a disk, one task must fit; without, the whole run in sequence.
fn refuse(plan: &Plan, tables: u64, limit: u64, has_disk: bool) -> Result<(), Error> {
    // Outputs of unknown size are charged when they are there.
    let all = plan.tasks().known_bytes().0.saturating_add(plan.tasks().largest_scratch());
    // Without a disk, what exchanges stage stays in memory: once where it is made, and once where it is gathered.
    let staged = if has_disk { 0 } else { plan.tasks().staged_bytes() };
    let all = all.saturating_add(staged.saturating_mul(2));
    if all.saturating_add(tables) <= limit {
        return Ok(());
    }
    let (sequential, at_peak) = if has_disk { sequential_peak(plan) } else { peak_without_disk(plan) };
    if tables.saturating_add(sequential) <= limit {
        return Ok(());
    }
    let (need, task) = match has_disk {
        false => (sequential, at_peak),
        true => plan.tasks().least_at_once(),
    };
    match task.filter(|_| tables.saturating_add(need) > limit) {
        None => Ok(()),
        Some(task) => {
            let (operation, _, caller) = site(plan, task);
            let result = tables.saturating_add(plan.tasks().result_footprint().0);
            let result_bytes = (result > limit).then_some(result);
            Err(Error::MemoryLimit { operation, caller, need: tables + need, limit, result_bytes })
        }
    }
}

#[cfg(test)]
mod tests;
