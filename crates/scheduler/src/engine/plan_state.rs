//! One plan in progress: which tasks have started and ended, and where its chunks are.

use std::cell::OnceCell;

use musher_graph_core::{ChunkRef, Plan, SlotIx, TaskIx};

use super::eviction::Eviction;
use super::ledger::{Slack, sequential_peak};
use super::ready::Ready;
use super::{Discarded, Garbage};
use crate::sync::Arc;

/// An output of a task: its chunk while it is in memory, and who still wants it. Half a cache line.
#[derive(Debug, Default)]
pub(super) struct Slot {
    pub(super) chunk: Option<ChunkRef>,
    /// Bytes by which it is on the ledger.
    pub(super) bytes: u64,
    /// Readers, and requests, that have not ended.
    pub(super) uses: u32,
    /// How often running tasks have it, and whether it can never leave memory: see [`PINNED`].
    lent: u32,
}

/// The bit of a slot's `lent` that says that its chunk cannot leave memory.
const PINNED: u32 = 1 << 31;

impl Slot {
    pub(super) fn pin(&mut self) {
        self.lent |= PINNED;
    }

    pub(super) fn is_pinned(&self) -> bool {
        self.lent & PINNED != 0
    }

    /// Whether no chunk is in memory, neither here nor moved out into the last task that reads it.
    pub(super) fn is_empty(&self) -> bool {
        self.chunk.is_none() && self.lent & !PINNED == 0
    }

    /// Whether the chunk could leave memory now, and would free it.
    pub(super) fn may_leave(&self) -> bool {
        self.chunk.is_some() && self.lent == 0
    }

    /// The chunk for a task; moved out if this is the only use left, so that the task may take its storage over.
    pub(super) fn lend(&mut self) -> Option<ChunkRef> {
        self.lent += 1;
        if self.uses == 1 { self.chunk.take() } else { self.chunk.clone() }
    }

    /// A task that had it has ended; whether nobody wants it any more.
    pub(super) fn give_back(&mut self) -> bool {
        self.lent -= 1;
        self.uses -= 1;
        self.uses == 0
    }
}

/// When the bytes of an output are free that nobody wants any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Freed {
    /// At once: the last task that read it has dropped it.
    Now,
    /// When whoever was given it has dropped it.
    Dropped,
    /// When whoever writes it to the disk is done with it.
    Written,
}

/// Strikes an output that nobody wants any more; tells when its bytes are free.
#[inline]
pub(super) fn clear(
    entry: &mut Slot,
    slot: SlotIx,
    eviction: Option<&mut Eviction>,
    garbage: &mut Garbage,
) -> Freed {
    let chunk = entry.chunk.take();
    let is_leaving = eviction.is_some_and(|eviction| eviction.forget(slot, garbage));
    match (chunk, is_leaving) {
        (None, false) => Freed::Now,
        (Some(chunk), false) => {
            garbage.drop_later(Some(Discarded::Chunk(chunk)), entry.bytes);
            Freed::Dropped
        }
        (chunk, true) => {
            garbage.drop_later(chunk.map(Discarded::Chunk), 0);
            Freed::Written
        }
    }
}

/// Whether the task at this position has been admitted.
fn is_admitted(head: usize, readiness: Option<&Readiness>, position: usize) -> bool {
    position < head || readiness.is_some_and(|readiness| readiness.admitted[position])
}

/// A plan in progress.
#[derive(Debug)]
pub(super) struct PlanState {
    pub(super) plan: Arc<Plan>,
    n_tasks: usize,
    /// The task whose outputs this plan's requests are.
    pub(super) parent: Option<(usize, TaskIx)>,
    pub(super) slots: Vec<Slot>,
    /// The first position that is not admitted.
    pub(super) head: usize,
    pub(super) running: usize,
    /// Tasks that have given more work and have not ended.
    pub(super) continuing: usize,
    /// Chunks on their way to the disk or back: the plan stays until they have come.
    pub(super) moving: usize,
    pub(super) finished: usize,
    /// The task that runs, while only one does and readiness is not known.
    alone: Option<TaskIx>,
    readiness: Option<Readiness>,
    /// Readiness is given up again only when so many tasks have ended: to count it anew takes a look at all tasks.
    next_alone: usize,
    /// Most bytes alive at once when its tasks run one after the other; counted when it is first asked for.
    peak: OnceCell<u64>,
    /// Known once something had to leave memory.
    pub(super) eviction: Option<Box<Eviction>>,
}

impl PlanState {
    pub(super) fn new(plan: Arc<Plan>, parent: Option<(usize, TaskIx)>) -> Self {
        let uses = plan.tasks().uses();
        let slots = uses.into_iter().map(|uses| Slot { uses, ..Slot::default() }).collect();
        Self {
            n_tasks: plan.tasks().n_tasks(),
            plan,
            parent,
            slots,
            head: 0,
            running: 0,
            continuing: 0,
            moving: 0,
            finished: 0,
            alone: None,
            readiness: None,
            next_alone: 0,
            peak: OnceCell::new(),
            eviction: None,
        }
    }

    /// Most bytes alive at once when its tasks run one after the other.
    pub(super) fn peak(&self) -> u64 {
        *self.peak.get_or_init(|| sequential_peak(&self.plan).0)
    }

    pub(super) fn n_tasks(&self) -> usize {
        self.n_tasks
    }

    pub(super) fn is_finished(&self) -> bool {
        self.finished == self.n_tasks()
    }

    pub(super) fn task_at(&self, position: usize) -> TaskIx {
        self.plan.order().task_at(position)
    }

    pub(super) fn slot(&mut self, slot: SlotIx) -> &mut Slot {
        &mut self.slots[slot.index()]
    }

    /// A task runs no more and has dropped its inputs. Of those that nobody wants any more: the bytes that are free
    /// now, and those that will be when they are dropped or written.
    #[inline]
    pub(super) fn give_back(&mut self, task: TaskIx, garbage: &mut Garbage) -> (u64, u64) {
        self.running -= 1;
        let Self { plan, slots, eviction, readiness, head, .. } = self;
        let (mut freed, mut pending) = (0, 0);
        for &slot in plan.tasks().inputs_of(task) {
            let entry = &mut slots[slot.index()];
            if entry.give_back() {
                match clear(entry, slot, eviction.as_deref_mut(), garbage) {
                    Freed::Now => freed += entry.bytes,
                    Freed::Dropped | Freed::Written => pending += entry.bytes,
                }
            } else if let Some(eviction) = eviction {
                eviction.enter(slot, entry, |position| is_admitted(*head, readiness.as_ref(), position));
            }
        }
        (freed, pending)
    }

    /// Gives up all that is left of a run that is over; the bytes by which it is on the ledger.
    pub(super) fn abandon(mut self, garbage: &mut Garbage) -> u64 {
        let is_coming = |&(slot, _): &(usize, &Slot)| {
            self.is_absent(SlotIx(slot as u32)) && !self.is_away(SlotIx(slot as u32))
        };
        let coming = match self.eviction {
            None => 0,
            Some(_) => {
                self.slots.iter().enumerate().filter(is_coming).map(|(_, slot)| slot.bytes).sum::<u64>()
            }
        };
        let held = self.slots.iter().filter(|slot| !slot.is_empty()).map(|slot| slot.bytes).sum::<u64>();
        garbage
            .items
            .extend(self.slots.iter_mut().filter_map(|slot| slot.chunk.take()).map(Discarded::Chunk));
        if let Some(eviction) = &mut self.eviction {
            eviction.abandon(garbage);
        }
        garbage.items.push(Discarded::Plan(self.plan));
        held + coming
    }

    /// The earliest position that could start. While nothing runs that is the head: all before it have ended.
    #[inline]
    pub(super) fn candidate(&mut self, limit: Option<u64>) -> Option<usize> {
        match (&self.readiness, self.running) {
            (None, 0) => (self.head < self.n_tasks()).then_some(self.head),
            _ => self.candidate_beside_others(limit),
        }
    }

    fn candidate_beside_others(&mut self, limit: Option<u64>) -> Option<usize> {
        if self.readiness.is_none() {
            self.readiness = Some(Readiness::new(self, limit));
        }
        let readiness = self.readiness.as_mut()?;
        readiness.advance(&mut self.head);
        let is_still = self.running == 0 && self.continuing == 0 && readiness.aside.is_empty();
        let is_alone = is_still && self.finished == self.head;
        if is_alone && self.finished >= self.next_alone {
            // Nothing runs and nothing has overtaken: readiness is of no use to a lone worker, and keeping it costs.
            self.readiness = None;
            self.next_alone = self.finished + self.n_tasks / 4;
            return (self.head < self.n_tasks).then_some(self.head);
        }
        readiness.ready.first()
    }

    /// Whether a second worker may find something, as far as a glance tells.
    pub(super) fn has_candidates(&self) -> bool {
        self.readiness
            .as_ref()
            .map_or(self.head < self.n_tasks(), |readiness| readiness.ready.first().is_some())
    }

    /// What is known of readiness, in numbers.
    pub(super) fn describe_readiness(&self) -> String {
        match &self.readiness {
            None => "one after the other".to_owned(),
            Some(readiness) => {
                format!("{} ready, {} put aside", readiness.ready.len(), readiness.aside.len())
            }
        }
    }

    #[cfg(test)]
    pub(super) fn knows_readiness(&self) -> bool {
        self.readiness.is_some()
    }

    /// Breaks the readiness: what several workers may start is forgotten.
    #[cfg(test)]
    pub(super) fn break_readiness(&mut self) {
        if let Some(readiness) = &mut self.readiness {
            readiness.missing.fill(u32::MAX);
            readiness.ready = Ready::new(self.n_tasks);
        }
    }

    /// Whether the task at a position that is not the head may start, on the slack's account.
    pub(super) fn may_overtake(&self, bytes: u64) -> bool {
        let slack = self.readiness.as_ref().and_then(|readiness| readiness.slack.as_ref());
        slack.is_none_or(|slack| slack.may_overtake(self.head, bytes))
    }

    /// Whether what is left fits one task after the other, beside what has overtaken; as far as sizes are known.
    pub(super) fn fits_in_sequence(&self) -> bool {
        let Some(readiness) = &self.readiness else { return false };
        readiness.slack.as_ref().is_none_or(|slack| slack.may_overtake(self.head, 0))
    }

    /// Whether the task at this position has been admitted.
    pub(super) fn is_admitted(&self, position: usize) -> bool {
        is_admitted(self.head, self.readiness.as_ref(), position)
    }

    /// Puts the candidate at this position aside until [`take_up`](PlanState::take_up).
    pub(super) fn put_aside(&mut self, position: usize) {
        if let Some(readiness) = &mut self.readiness {
            readiness.ready.remove(position);
            readiness.aside.push(position as u32);
        }
    }

    /// Those put aside may be candidates again.
    pub(super) fn take_up(&mut self) {
        if let Some(readiness) = &mut self.readiness {
            readiness.aside.drain(..).for_each(|position| readiness.ready.insert(position as usize));
        }
    }

    /// The task at this position has been admitted and reserves so many bytes.
    #[inline]
    pub(super) fn admit(&mut self, position: usize, task: TaskIx, bytes: u64) {
        self.running += 1;
        match &mut self.readiness {
            None => {
                self.head = position + 1;
                self.alone = Some(task);
            }
            Some(readiness) => {
                readiness.ready.remove(position);
                readiness.admitted[position] = true;
                if position != self.head
                    && let Some(slack) = &mut readiness.slack
                {
                    slack.overtakes(position, bytes);
                }
            }
        }
    }

    /// A task has ended and its outputs are there.
    #[inline]
    pub(super) fn end(&mut self, task: TaskIx) {
        self.finished += 1;
        self.alone = None;
        if let Some(readiness) = &mut self.readiness {
            readiness.end(&self.plan, task);
        }
    }
}

/// Readiness, which several workers at once need to know: which tasks have all their inputs.
#[derive(Debug)]
struct Readiness {
    /// Inputs that each task still waits for.
    missing: Vec<u32>,
    /// By position.
    admitted: Vec<bool>,
    /// Positions of tasks whose inputs have all been made and that are not admitted.
    ready: Ready,
    /// Those of them that wait for a resource and are not among the ready ones.
    aside: Vec<u32>,
    slack: Option<Slack>,
}

impl Readiness {
    /// Counts what each task waits for, in the middle of a run: all positions before the head are admitted, and
    /// all of these but one have ended.
    fn new(state: &PlanState, limit: Option<u64>) -> Self {
        let tasks = state.plan.tasks();
        let n = tasks.n_tasks();
        let has_ended =
            |task: TaskIx| state.plan.order().position_of(task) < state.head && state.alone != Some(task);
        let mut missing = vec![0; n];
        let mut ready = Ready::new(n);
        for at in state.head..n {
            let task = state.task_at(at);
            let inputs = tasks.inputs_of(task);
            let waits_for = inputs.iter().filter(|&&slot| !has_ended(tasks.task_of(slot))).count();
            missing[task.index()] = waits_for as u32;
            if waits_for == 0 {
                ready.insert(at);
            }
        }
        let mut admitted = vec![false; n];
        admitted[..state.head].fill(true);
        let slack = limit.filter(|&limit| may_exceed(&state.plan, limit));
        let slack = slack.map(|limit| {
            Slack::new(&state.plan, limit.saturating_sub(state.plan.tasks().table_bytes() as u64))
        });
        Self { missing, admitted, ready, aside: Vec::new(), slack }
    }

    /// A task has ended: its readers wait for one input less.
    fn end(&mut self, plan: &Plan, task: TaskIx) {
        for &reader in plan.tasks().readers_of(task) {
            let missing = &mut self.missing[reader.index()];
            *missing -= 1;
            if *missing == 0 {
                self.ready.insert(plan.order().position_of(reader));
            }
        }
    }

    /// Moves the head past admitted tasks.
    fn advance(&mut self, head: &mut usize) {
        while self.admitted.get(*head) == Some(&true) {
            if let Some(slack) = &mut self.slack {
                slack.passed(*head);
            }
            *head += 1;
        }
    }
}

/// Whether all outputs of the plan together, with scratch for many workers, might exceed the limit.
fn may_exceed(plan: &Plan, limit: u64) -> bool {
    const WORKERS: u64 = 64;
    let tasks = plan.tasks();
    let (bytes, n_unknown) = tasks.known_bytes();
    let scratch = tasks.largest_scratch().saturating_mul(WORKERS);
    let most = bytes.saturating_add(scratch).saturating_add(tasks.table_bytes() as u64);
    n_unknown > 0 || most > limit
}
