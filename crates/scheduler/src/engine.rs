//! The engine: which task may start now, where chunks are, and what must leave memory or come back.
//!
//! One pure state machine: reports go in, steps come out. No thread, clock, file or user code inside; README.md tells
//! why it always ends. Whoever holds it carries the steps out: see `crew.rs`.

mod book;
mod eviction;
mod ledger;
mod ready;
mod resources;

use musher_graph_core::{ChunkRef, Plan, SlotIx, TaskIx};
use smallvec::SmallVec;

use self::book::{Book, clear};
pub(crate) use self::eviction::Copy;
use self::eviction::Outside;
use self::ledger::{Ledger, sequential_peak};
use self::resources::Resources;
use crate::error::site;
use crate::run::Chunks;
use crate::sync::Arc;
use crate::{Error, Run};

/// What a worker is to do next.
#[derive(Debug)]
pub(crate) enum Step {
    /// Run this task; its inputs have been handed out.
    Run(Job),
    /// Write a chunk to the disk or read it from there. Boxed, so that a step to run stays small.
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
    book: u32,
    reserved: u64,
}

impl Job {
    /// Whether its plan is not the one that was asked for.
    pub(crate) fn is_continuation(self) -> bool {
        self.book != 0
    }
}

/// A chunk to be moved.
#[derive(Debug)]
pub(crate) enum Move {
    /// Write this chunk to the disk and report it by [`Engine::spilled`].
    Spill(Moving, ChunkRef),
    /// Read this chunk from the disk and report it by [`Engine::loaded`].
    Load(Moving, Copy),
}

/// Which chunk is on its way to the disk or back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moving {
    book: usize,
    slot: SlotIx,
    pub(crate) bytes: u64,
}

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
pub(crate) enum Dead {
    Chunk(ChunkRef),
    Copy(Copy),
    Plan(Arc<Plan>),
}

/// What a worker is to drop before its next visit, with the bytes that are off the ledger only then.
#[derive(Debug, Default)]
pub(crate) struct Grave {
    pub(crate) dead: Vec<Dead>,
    bytes: u64,
}

impl Grave {
    /// Whether others may well wait for these bytes while their owner runs its next task.
    pub(crate) fn is_large(&self) -> bool {
        self.bytes >= 1 << 20
    }

    fn lay(&mut self, dead: Option<Dead>, bytes: u64) {
        self.dead.extend(dead);
        self.bytes += bytes;
    }
}

/// What looking at one plan in progress gave.
enum Look {
    Step(Step),
    /// Something has changed: look again from the start.
    Again,
    /// It has nothing to start now.
    Nothing,
}

/// The state of a run.
#[derive(Debug)]
pub(crate) struct Engine {
    /// The plan that was asked for, then continuations; a place is free again when its plan has ended.
    books: Vec<Option<Box<Book>>>,
    /// The books in progress, newest last: a continuation goes before what waits for it.
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
    burying: u64,
    finished: usize,
    /// Tasks that ended and chunks that came or went.
    happened: u64,
    /// Tasks of all plans so far.
    n_tasks: usize,
    error: Option<Error>,
}

impl Engine {
    /// Opens the books, or refuses a plan that can never fit.
    pub(crate) fn new(run: &Run) -> Result<Self, Error> {
        let limit = run.memory_limit.map(|limit| limit.bytes());
        let has_disk = run.spill_store.is_some() && limit.is_some();
        let resources = Resources::new(run);
        let mut engine = Self {
            books: Vec::with_capacity(1),
            live: Vec::with_capacity(1),
            ledger: Ledger::new(limit),
            has_disk,
            resources,
            running: 0,
            moving: 0,
            leaving: 0,
            burying: 0,
            finished: 0,
            happened: 0,
            n_tasks: 0,
            error: None,
        };
        engine.open(Arc::clone(&run.plan), None)?;
        Ok(engine)
    }

    /// Opens the book of a plan.
    fn open(&mut self, plan: Arc<Plan>, parent: Option<(usize, TaskIx)>) -> Result<usize, Error> {
        let tables = plan.tasks().table_bytes() as u64;
        if let Some(limit) = self.ledger.limit() {
            refuse(&plan, tables, limit, self.has_disk)?;
        }
        self.resources.check(&plan)?;
        self.ledger.add(tables);
        self.n_tasks += plan.tasks().n_tasks();
        let book = Some(Box::new(Book::new(plan, parent)));
        let free = self.books.iter().position(Option::is_none);
        let id = free.unwrap_or(self.books.len());
        match free {
            Some(id) => self.books[id] = book,
            None => self.books.push(book),
        }
        self.live.push(id);
        Ok(id)
    }

    /// The plan of a task.
    pub(crate) fn plan_of(&mut self, job: Job) -> Arc<Plan> {
        Arc::clone(&self.book(job.book as usize).plan)
    }

    /// Tasks that run, and bytes on the ledger.
    pub(crate) fn busy(&self) -> (usize, u64) {
        (self.running, self.ledger.alive())
    }

    fn book(&mut self, id: usize) -> &mut Book {
        self.books[id].as_mut().expect("only books in progress are named")
    }

    /// A worker has dropped what it was given.
    pub(crate) fn buried(&mut self, grave: &mut Grave) {
        if grave.bytes > 0 && grave.dead.is_empty() {
            self.burying -= grave.bytes;
            self.ledger.remove(std::mem::take(&mut grave.bytes));
        }
    }

    /// What to do next. The inputs of a task go to `inputs`; what is to be dropped, to `grave`.
    #[inline(always)]
    pub(crate) fn next(&mut self, inputs: &mut Chunks, grave: &mut Grave) -> Step {
        loop {
            if self.error.is_some() {
                return Step::Over;
            }
            // The newest comes first, and mostly has something.
            let mut level = self.live.len();
            let look = loop {
                if level == 0 {
                    break Look::Nothing;
                }
                level -= 1;
                match self.look(level, inputs, grave) {
                    Look::Nothing => {}
                    look => break look,
                }
            };
            match look {
                Look::Step(step) => return step,
                Look::Again => {}
                Look::Nothing if self.running > 0 || self.moving > 0 || self.burying > 0 => {
                    return Step::Wait;
                }
                Look::Nothing => {
                    let error = self.stuck();
                    self.fail(error);
                }
            }
        }
    }

    /// Looks for something to start in one book.
    #[inline(always)]
    fn look(&mut self, level: usize, inputs: &mut Chunks, grave: &mut Grave) -> Look {
        let id = self.live[level];
        let is_newest = level + 1 == self.live.len();
        let limit = self.ledger.limit();
        let Some(book) = self.books[id].as_mut() else { return Look::Nothing };
        if book.is_finished() {
            return self.close(id, grave);
        }
        let Some(at) = book.candidate(limit) else { return Look::Nothing };
        let task = book.task_at(at);
        let is_head = at == book.head;
        let reserved = book.plan.tasks().reservation_of(task);
        let absent = book.absent_bytes(task);
        let need = reserved + absent.unwrap_or(0);
        if self.ledger.free() < need {
            if self.ledger.free() + self.burying + self.leaving >= need {
                // What others are about to drop, or to have written, is enough.
                return Look::Nothing;
            }
            // What fits one task after the other fits when those that run have ended: nothing need leave memory for it.
            let is_stuck = self.running == 0 || !book.fits_in_sequence();
            return if is_head && is_newest && is_stuck {
                self.make_room(id, at, grave)
            } else {
                Look::Nothing
            };
        }
        if !is_head && (absent.is_some() || !book.may_overtake(reserved)) {
            return Look::Nothing;
        }
        if !is_newest && !self.fits_beside_newer(level, need) {
            return Look::Nothing;
        }
        if absent.is_some() {
            return self.bring_inputs(id, task);
        }
        let Some(book) = self.books[id].as_mut() else { return Look::Nothing };
        if !self.resources.take(&book.plan, task) {
            book.put_aside(at);
            return if book.running > 0 { Look::Again } else { Look::Nothing };
        }
        book.admit(at, task, reserved);
        for &slot in book.plan.tasks().inputs_of(task) {
            inputs.push(book.slots[slot.index()].lend());
        }
        self.running += 1;
        self.ledger.add(reserved);
        Look::Step(Step::Run(Job { task, book: id as u32, reserved }))
    }

    /// Whether a task of an older plan leaves the newer ones what they need one task after the other.
    fn fits_beside_newer(&mut self, level: usize, bytes: u64) -> bool {
        if self.ledger.limit().is_none() {
            return true;
        }
        let newer = self.live[level + 1..].iter().filter_map(|&id| self.books[id].as_ref());
        newer.map(|book| book.peak()).fold(bytes, u64::saturating_add) <= self.ledger.free()
    }

    /// A task has ended well.
    #[inline(always)]
    pub(crate) fn finish(&mut self, job: Job, made: &mut Vec<Made>, grave: &mut Grave) {
        self.let_go(job, grave);
        self.deliver(job.book as usize, job.task, made, grave);
    }

    /// A task has ended with more work, whose results are the task's own outputs.
    pub(crate) fn go_on(&mut self, job: Job, plan: Arc<Plan>, grave: &mut Grave) {
        let id = job.book as usize;
        let limit = self.ledger.limit();
        // The task has not ended: whoever waits for it must be told apart from now on.
        self.book(id).candidate(limit);
        self.let_go(job, grave);
        let mut parent = (id, job.task);
        let book = self.book(id);
        let is_last = book.finished + 1 == book.n_tasks() && book.moving == 0;
        let outputs = book.plan.tasks().outputs_of(job.task);
        let is_result = book.plan.tasks().requested().iter().map(|slot| slot.index()).eq(outputs);
        if let (true, true, Some(above)) = (is_last, is_result, book.parent) {
            // Nothing of the book is left but this result: a loop of a million rounds needs one book, not a million.
            parent = above;
            self.remove(id, grave);
        } else {
            book.continuing += 1;
        }
        if let Err(error) = self.open(Arc::clone(&plan), Some(parent)) {
            grave.lay(Some(Dead::Plan(plan)), 0);
            self.fail(error);
        }
    }

    /// A task runs no more: its reservation and its inputs are free.
    #[inline(always)]
    fn let_go(&mut self, job: Job, grave: &mut Grave) {
        self.running -= 1;
        self.ledger.remove(job.reserved);
        let Some(book) = self.books[job.book as usize].as_deref_mut() else { return };
        let (freed, buried) = book.give_back(job.task, grave);
        self.ledger.remove(freed);
        self.burying += buried;
        if self.resources.give_back(&book.plan, job.task) {
            for book in self.books.iter_mut().flatten() {
                book.take_up();
            }
        }
    }

    /// The outputs of a task are there.
    #[inline(always)]
    fn deliver(&mut self, id: usize, task: TaskIx, made: &mut Vec<Made>, grave: &mut Grave) {
        self.finished += 1;
        self.happened += 1;
        let Some(book) = self.books[id].as_mut() else { return };
        let outputs = book.plan.tasks().outputs_of(task);
        while let Some(Made { chunk, bytes, is_pinned }) = made.pop() {
            let index = outputs.start + made.len();
            let slot = &mut book.slots[index];
            self.ledger.add(bytes);
            if slot.uses == 0 {
                self.burying += bytes;
                grave.lay(Some(Dead::Chunk(chunk)), bytes);
                continue;
            }
            (slot.chunk, slot.bytes) = (Some(chunk), bytes);
            if is_pinned {
                slot.pin();
            }
            book.may_leave_later(SlotIx(index as u32));
        }
        book.end(task);
    }

    /// Makes room for the task at a position of the newest book.
    fn make_room(&mut self, id: usize, at: usize, grave: &mut Grave) -> Look {
        if self.has_disk {
            for level in 0..self.live.len() {
                let other = self.live[level];
                let needed_at = if other == id { Some(at) } else { None };
                if let Some(look) = self.evict(other, needed_at, grave) {
                    return look;
                }
            }
        }
        Look::Nothing
    }

    /// Lets one chunk of a book leave memory, if one may that is needed later than at this position.
    fn evict(&mut self, id: usize, needed_at: Option<usize>, grave: &mut Grave) -> Option<Look> {
        let book = self.books[id].as_mut()?;
        book.foresee();
        let slot = book.victim(needed_at)?;
        let bytes = book.slots[slot.index()].bytes;
        if book.is_stored(slot) {
            self.burying += bytes;
            grave.lay(book.slot(slot).chunk.take().map(Dead::Chunk), bytes);
            return Some(Look::Again);
        }
        let chunk = book.slots[slot.index()].chunk.clone()?;
        book.set_outside(slot, Outside::Leaving);
        book.moving += 1;
        self.moving += 1;
        self.leaving += bytes;
        Some(Look::Step(Step::Move(Box::new(Move::Spill(Moving { book: id, slot, bytes }, chunk)))))
    }

    /// What a second worker may do ahead of need: bring back what the next tasks read, if it fits anyway; or make room
    /// before somebody has to wait for it.
    pub(crate) fn ahead(&mut self, grave: &mut Grave) -> Step {
        const WINDOW: usize = 16;
        let (Some(limit), Some(&id), None) = (self.ledger.limit(), self.live.last(), &self.error) else {
            return Step::Wait;
        };
        let is_of_use = |book: &&mut Box<Book>| book.eviction.is_some() && !book.is_finished();
        let Some(book) = self.books[id].as_mut().filter(is_of_use) else {
            return Step::Wait;
        };
        let (head, free) = (book.head, self.ledger.free());
        for at in (head..(head + WINDOW).min(book.n_tasks())).filter(|&at| !book.is_admitted(at)) {
            let task = book.task_at(at);
            let absent = book.plan.tasks().inputs_of(task).iter().copied();
            let absent = absent.filter(|&slot| book.is_away(slot)).collect::<SmallVec<[SlotIx; 8]>>();
            if let Some(&slot) = absent.first() {
                let fits = book.slots[slot.index()].bytes + limit / 4 <= free;
                return if fits { self.bring(id, slot) } else { Step::Wait };
            }
        }
        if free < limit / 8
            && !book.fits_in_sequence()
            && let Some(Look::Step(step)) = self.evict(id, Some(head + WINDOW), grave)
        {
            return step;
        }
        Step::Wait
    }

    /// Whether chunks have begun to leave memory.
    pub(crate) fn is_under_pressure(&self) -> bool {
        self.live.iter().any(|&id| self.books[id].as_ref().is_some_and(|book| book.eviction.is_some()))
    }

    /// Brings one absent input of a task back; its bytes fit.
    fn bring_inputs(&mut self, id: usize, task: TaskIx) -> Look {
        let book = self.book(id);
        let away = book.plan.tasks().inputs_of(task).iter().copied().find(|&slot| book.is_away(slot));
        match away {
            Some(slot) => Look::Step(self.bring(id, slot)),
            // All of them are on their way.
            None => Look::Nothing,
        }
    }

    fn bring(&mut self, id: usize, slot: SlotIx) -> Step {
        let book = self.book(id);
        let bytes = book.slots[slot.index()].bytes;
        let Some(copy) = book.begin_to_come(slot) else { return Step::Wait };
        book.moving += 1;
        self.moving += 1;
        self.ledger.add(bytes);
        Step::Move(Box::new(Move::Load(Moving { book: id, slot, bytes }, copy)))
    }

    /// A chunk is on the disk, or could not be written.
    pub(crate) fn spilled(&mut self, moved: Moving, outcome: Result<Copy, Error>, grave: &mut Grave) {
        self.moving -= 1;
        self.happened += 1;
        self.leaving -= moved.bytes;
        let book = self.books[moved.book].as_mut().expect("a book stays until its chunks have come");
        book.moving -= 1;
        let copy = match outcome {
            Ok(copy) => copy,
            Err(error) => return self.fail(error),
        };
        if book.slots[moved.slot.index()].uses == 0 {
            grave.lay(Some(Dead::Copy(copy)), 0);
            self.burying -= moved.bytes;
            self.ledger.remove(moved.bytes);
            return;
        }
        book.set_outside(moved.slot, Outside::Stored(copy));
        if book.slots[moved.slot.index()].may_leave() && !book.is_finished() {
            self.burying += moved.bytes;
            grave.lay(book.slot(moved.slot).chunk.take().map(Dead::Chunk), moved.bytes);
        }
    }

    /// A chunk is back in memory, or could not be read.
    pub(crate) fn loaded(
        &mut self,
        moved: Moving,
        copy: Copy,
        outcome: Result<ChunkRef, Error>,
        grave: &mut Grave,
    ) {
        self.moving -= 1;
        self.happened += 1;
        let book = self.book(moved.book);
        book.moving -= 1;
        let chunk = match outcome {
            Ok(chunk) => chunk,
            Err(error) => {
                grave.lay(Some(Dead::Copy(copy)), 0);
                return self.fail(error);
            }
        };
        book.slot(moved.slot).chunk = Some(chunk);
        book.set_outside(moved.slot, Outside::Stored(copy));
        book.may_leave_later(moved.slot);
    }

    /// All tasks of a book have ended: what it was asked for goes to the task that waits for it.
    fn close(&mut self, id: usize, grave: &mut Grave) -> Look {
        let book = self.book(id);
        let plan = Arc::clone(&book.plan);
        if let Some(slot) = plan.tasks().requested().iter().copied().find(|&slot| book.is_away(slot)) {
            let bytes = book.slots[slot.index()].bytes;
            if bytes <= self.ledger.free() {
                return Look::Step(self.bring(id, slot));
            }
            if self.ledger.free() + self.burying + self.leaving >= bytes {
                return Look::Nothing;
            }
            let mut others = self.live.clone().into_iter().filter(|&other| other != id);
            return others.find_map(|other| self.evict(other, None, grave)).unwrap_or(Look::Nothing);
        }
        // The rest of what is asked for may be on its way.
        if book.moving > 0 {
            return Look::Nothing;
        }
        let Some((above, task)) = book.parent else { return Look::Step(Step::Over) };
        let mut freed = 0;
        let mut made: Vec<Made> = Vec::new();
        for &slot in plan.tasks().requested() {
            let entry = &mut book.slots[slot.index()];
            let (bytes, is_pinned) = (entry.bytes, entry.is_pinned());
            let chunk = entry.lend().expect("what is asked for is in memory");
            made.push(Made { chunk, bytes, is_pinned });
            if entry.give_back() {
                freed += bytes;
                clear(entry, slot, book.eviction.as_deref_mut(), grave);
            }
        }
        self.ledger.remove(freed);
        self.remove(id, grave);
        self.book(above).continuing -= 1;
        self.deliver(above, task, &mut made, grave);
        Look::Again
    }

    fn remove(&mut self, id: usize, grave: &mut Grave) {
        if let Some(book) = self.books[id].take() {
            self.ledger.remove(book.plan.tasks().table_bytes() as u64);
            self.live.retain(|&other| other != id);
            grave.lay(Some(Dead::Plan(book.plan)), 0);
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
        let book = self.live.iter().rev().find_map(|&id| self.books[id].as_ref()).expect("a run has a plan");
        let tasks = book.plan.tasks();
        let away = tasks.requested().iter().copied().find(|&slot| book.is_away(slot));
        let (task, need) = match away.filter(|_| book.is_finished()) {
            Some(slot) => (tasks.task_of(slot), book.slots[slot.index()].bytes),
            None => {
                let task = book.task_at(book.head.min(book.n_tasks().saturating_sub(1)));
                (task, tasks.reservation_of(task) + book.absent_bytes(task).unwrap_or(0))
            }
        };
        let (operation, _, caller) = site(&book.plan, task);
        let limit = self.ledger.limit().unwrap_or(u64::MAX);
        if need <= self.ledger.free() {
            let (finished, n_tasks) = (self.finished, self.n_tasks);
            return Error::Stalled { operation, caller, finished, n_tasks, state: self.state(book) };
        }
        Error::MemoryExhausted { operation, caller, need, alive: self.ledger.alive(), limit }
    }

    /// The books in numbers, for whoever looks for a defect.
    fn state(&self, book: &Book) -> String {
        format!(
            "{} plans, position {} of {}, {}, {} bytes alive, limit {:?}",
            self.live.len(),
            book.head,
            book.n_tasks(),
            book.readiness(),
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
        self.live.iter().any(|&id| self.books[id].as_ref().is_some_and(|book| book.has_candidates()))
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
        let is_done = self.live == [0] && self.books[0].as_ref().is_some_and(|book| book.is_finished());
        if self.error.is_none() && !is_done {
            self.error = Some(error(self.finished, self.n_tasks));
        }
    }

    /// The chunks asked for, or the first error. Closes the books: what is left goes to `grave`. Ask once, when all
    /// loops have ended.
    pub(crate) fn take_result(&mut self, grave: &mut Grave) -> Result<Vec<ChunkRef>, Error> {
        let result = match (self.error.take(), self.books.first_mut().and_then(Option::as_mut)) {
            (Some(error), _) => Err(error),
            (None, None) => Ok(Vec::new()),
            (None, Some(book)) => {
                let Book { plan, slots, .. } = &mut **book;
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
        for book in self.books.drain(..).flatten() {
            self.ledger.remove(book.plan.tasks().table_bytes() as u64);
            // After a run that ended well all chunks are gone: a look at a million outputs would find nothing.
            match result.is_err() || book.eviction.is_some() {
                true => self.ledger.remove(book.forsake(grave)),
                false => grave.lay(Some(Dead::Plan(book.plan)), 0),
            }
        }
        self.ledger.remove(std::mem::take(&mut self.burying));
        debug_assert_eq!(self.ledger.alive(), 0, "bytes on the books of a run that is over");
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
    let (sequential, at_peak) = sequential_peak(plan);
    let sequential = if staged > 0 { sequential.max(plan.peak_bytes()) } else { sequential };
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
            Err(Error::MemoryLimit { operation, caller, need: tables + need, limit })
        }
    }
}

#[cfg(test)]
mod tests;
