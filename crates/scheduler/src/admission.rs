//! Admission: which task may start now. A pure state machine; README.md tells why it never gets stuck.
//!
//! Events go in ([`Admission::finish`]), decisions come out ([`Admission::next`]); no thread, clock or lock inside.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use musher_graph_core::{Plan, SlotIx, TaskIx};

use crate::error::site;
use crate::{Error, Run};

/// Bytes that are accounted for: the plan's own tables, chunks alive, reservations of running tasks.
#[derive(Debug)]
pub(crate) struct Ledger {
    limit: Option<u64>,
    alive: u64,
    peak: u64,
    /// Bytes by which each output is on the books.
    booked: Vec<u64>,
}

impl Ledger {
    /// Opens the books, or refuses a plan that can never fit.
    pub(crate) fn new(run: &Run<'_>) -> Result<Self, Error> {
        let limit = run.memory_limit.map(|limit| limit.bytes());
        let tables = run.plan.tasks().table_bytes() as u64;
        if let Some(limit) = limit {
            let (need, task) = sequential_peak(run.plan);
            if let Some(task) = task.filter(|_| tables + need > limit) {
                let (operation, _, caller) = site(run.plan, task);
                return Err(Error::MemoryLimit { operation, caller, need: tables + need, limit });
            }
        }
        Ok(Self { limit, alive: tables, peak: tables, booked: vec![0; run.plan.tasks().n_slots()] })
    }

    /// Most bytes on the books at once.
    pub(crate) fn peak(&self) -> u64 {
        self.peak
    }

    /// Whether a task's reservation fits now.
    pub(crate) fn fits(&self, plan: &Plan, task: TaskIx) -> bool {
        self.limit.is_none_or(|limit| self.alive + reservation(plan, task) <= limit)
    }

    /// Books what the task will make and need beside it.
    pub(crate) fn reserve(&mut self, plan: &Plan, task: TaskIx) {
        self.alive += reservation(plan, task);
        self.peak = self.peak.max(self.alive);
    }

    /// Books what the task has made instead of what it had reserved.
    pub(crate) fn settle(&mut self, plan: &Plan, task: TaskIx, made: &[u64]) {
        self.alive -= reservation(plan, task);
        for (slot, &bytes) in plan.tasks().outputs_of(task).zip(made) {
            self.booked[slot] = bytes;
            self.alive += bytes;
        }
        self.peak = self.peak.max(self.alive);
    }

    /// Strikes a chunk that nobody needs any more off the books.
    pub(crate) fn release(&mut self, slot: SlotIx) {
        self.alive -= std::mem::take(&mut self.booked[slot.index()]);
    }

    /// The error of a task that does not fit with nothing left to wait for.
    pub(crate) fn exhausted(&self, plan: &Plan, task: TaskIx) -> Error {
        let (operation, _, caller) = site(plan, task);
        let (need, limit) = (reservation(plan, task), self.limit.unwrap_or(u64::MAX));
        Error::MemoryExhausted { operation, caller, need, alive: self.alive, limit }
    }
}

/// Bytes a task reserves: its outputs, as far as they are known, and its scratch.
fn reservation(plan: &Plan, task: TaskIx) -> u64 {
    let tasks = plan.tasks();
    let outputs = tasks.outputs_of(task).filter_map(|slot| tasks.bytes_of(SlotIx(slot as u32)));
    outputs.sum::<u64>() + tasks.scratch_of(task)
}

/// Walks through the plan one task after the other: calls `at` with each position, the bytes alive while its task
/// runs, and the bytes alive after it.
fn walk(plan: &Plan, mut at: impl FnMut(usize, u64, u64)) {
    let tasks = plan.tasks();
    let known = |slot: usize| tasks.bytes_of(SlotIx(slot as u32)).unwrap_or(0);
    let mut uses = tasks.uses();
    let mut alive = 0;
    for (position, task) in plan.order().iter().enumerate() {
        let during = alive + reservation(plan, task);
        alive += tasks.outputs_of(task).filter(|&slot| uses[slot] > 0).map(known).sum::<u64>();
        for &slot in tasks.inputs_of(task) {
            uses[slot.index()] -= 1;
            if uses[slot.index()] == 0 {
                alive -= known(slot.index());
            }
        }
        at(position, during, alive);
    }
}

/// The most bytes alive at once, and the task that runs then.
fn sequential_peak(plan: &Plan) -> (u64, Option<TaskIx>) {
    let mut peak = (0, None);
    walk(plan, |position, during, _| {
        if during > peak.0 || peak.1.is_none() {
            peak = (during, Some(plan.order().task_at(position)));
        }
    });
    peak
}

/// What a worker may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// Run this task: it is admitted and its reservation is booked.
    Run(TaskIx),
    /// Nothing can start before a running task ends.
    Wait,
    /// All tasks have been admitted.
    Empty,
}

/// Which tasks have started and ended, and what may start next.
#[derive(Debug)]
pub(crate) struct Admission<'a> {
    plan: &'a Plan,
    pub(crate) ledger: Ledger,
    /// Position of each task in the order.
    position: Vec<u32>,
    /// Inputs that each task still waits for.
    missing: Vec<u32>,
    /// By position.
    admitted: Vec<bool>,
    /// The first position that is not admitted.
    head: usize,
    /// The first position at or after `head` that may hold a source that is not admitted.
    source: usize,
    /// Positions of tasks whose inputs have all been made.
    ready: BinaryHeap<Reverse<u32>>,
    running: usize,
    finished: usize,
    slack: Option<Slack>,
}

/// The account that tasks admitted before their turn draw on.
#[derive(Debug)]
struct Slack {
    limit: u64,
    /// For each position: most bytes alive at once from there to the end, one task after the other.
    peak_from: Vec<u64>,
    /// Bytes of those that have overtaken, by position; and their sum.
    overtaken: HashMap<usize, u64>,
    sum: u64,
}

impl<'a> Admission<'a> {
    /// Nothing has started.
    pub(crate) fn new(plan: &'a Plan, ledger: Ledger) -> Self {
        let tasks = plan.tasks();
        let n = tasks.n_tasks();
        let mut position = vec![0; n];
        for (at, task) in plan.order().iter().enumerate() {
            position[task.index()] = at as u32;
        }
        let slack = ledger.limit.map(|limit| {
            let mut peak_from = vec![0; n + 1];
            walk(plan, |position, during, _| peak_from[position] = during);
            for at in (0..n).rev() {
                peak_from[at] = peak_from[at].max(peak_from[at + 1]);
            }
            let limit = limit.saturating_sub(tasks.table_bytes() as u64);
            Slack { limit, peak_from, overtaken: HashMap::new(), sum: 0 }
        });
        Self {
            plan,
            ledger,
            position,
            missing: (0..n as u32).map(|task| tasks.inputs_of(TaskIx(task)).len() as u32).collect(),
            admitted: vec![false; n],
            head: 0,
            source: 0,
            ready: BinaryHeap::new(),
            running: 0,
            finished: 0,
            slack,
        }
    }

    /// Admits the next task, if one may start.
    pub(crate) fn next(&mut self) -> Next {
        self.advance();
        let Some(at) = self.candidate() else {
            return if self.head == self.admitted.len() { Next::Empty } else { Next::Wait };
        };
        let task = self.plan.order().task_at(at);
        if !self.ledger.fits(self.plan, task) || (at != self.head && !self.may_overtake(at, task)) {
            return Next::Wait;
        }
        if self.ready.peek() == Some(&Reverse(at as u32)) {
            self.ready.pop();
        }
        self.admitted[at] = true;
        self.running += 1;
        self.ledger.reserve(self.plan, task);
        Next::Run(task)
    }

    /// A task has ended: the bytes of its outputs, and the slots that nobody needs any more.
    pub(crate) fn finish(&mut self, task: TaskIx, made: &[u64], released: &[SlotIx]) {
        self.running -= 1;
        self.finished += 1;
        self.ledger.settle(self.plan, task, made);
        released.iter().for_each(|&slot| self.ledger.release(slot));
        for &reader in self.plan.tasks().readers_of(task) {
            let missing = &mut self.missing[reader.index()];
            *missing -= 1;
            if *missing == 0 {
                self.ready.push(Reverse(self.position[reader.index()]));
            }
        }
    }

    /// Whether something could be admitted right now, as far as a glance tells.
    pub(crate) fn has_candidates(&self) -> bool {
        !self.ready.is_empty() || self.source < self.admitted.len()
    }

    /// Number of tasks that run.
    pub(crate) fn running(&self) -> usize {
        self.running
    }

    /// Number of tasks that have ended.
    pub(crate) fn finished(&self) -> usize {
        self.finished
    }

    /// Whether all tasks have ended.
    pub(crate) fn is_done(&self) -> bool {
        self.finished == self.admitted.len()
    }

    /// The error when nothing runs and nothing may start.
    pub(crate) fn exhausted(&self) -> Error {
        let task = self.plan.order().task_at(self.head.min(self.admitted.len() - 1));
        self.ledger.exhausted(self.plan, task)
    }

    /// Moves the head past admitted tasks; whoever has overtaken it is on the head's own account from then on.
    fn advance(&mut self) {
        while self.admitted.get(self.head) == Some(&true) {
            if let Some(slack) = &mut self.slack {
                slack.sum -= slack.overtaken.remove(&self.head).unwrap_or(0);
            }
            self.head += 1;
        }
        self.source = self.source.max(self.head);
        let order = self.plan.order();
        while self.source < order.len() {
            let task = order.task_at(self.source);
            if !self.admitted[self.source] && self.plan.tasks().inputs_of(task).is_empty() {
                break;
            }
            self.source += 1;
        }
    }

    /// The earliest position that could start.
    fn candidate(&self) -> Option<usize> {
        let ready = self.ready.peek().map(|&Reverse(at)| at as usize);
        let source = Some(self.source).filter(|&at| at < self.admitted.len());
        [ready, source].into_iter().flatten().min()
    }

    /// A task may overtake while all that overtakes fits beside what the rest needs in sequence.
    fn may_overtake(&mut self, at: usize, task: TaskIx) -> bool {
        let Some(slack) = &mut self.slack else { return true };
        let bytes = reservation(self.plan, task);
        let fits = slack.sum + bytes + slack.peak_from[self.head] <= slack.limit;
        if fits {
            slack.overtaken.insert(at, bytes);
            slack.sum += bytes;
        }
        fits
    }
}

#[cfg(test)]
mod tests;
