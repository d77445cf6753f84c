//! The ledger: bytes that are accounted for, against the limit.

use musher_graph_core::{Plan, SlotIx, TaskIx};

/// Bytes on the ledger: plans' own tables, chunks in memory, reservations of running tasks, chunks on their way back.
#[derive(Debug)]
pub(super) struct Ledger {
    limit: Option<u64>,
    alive: u64,
    peak: u64,
}

impl Ledger {
    pub(super) fn new(limit: Option<u64>) -> Self {
        Self { limit, alive: 0, peak: 0 }
    }

    #[inline]
    pub(super) fn limit(&self) -> Option<u64> {
        self.limit
    }

    #[inline]
    pub(super) fn alive(&self) -> u64 {
        self.alive
    }

    /// Most bytes on the ledger at once.
    pub(super) fn peak(&self) -> u64 {
        self.peak
    }

    /// Bytes below the limit; no limit is a very large number.
    #[inline]
    pub(super) fn free(&self) -> u64 {
        self.limit.map_or(u64::MAX, |limit| limit.saturating_sub(self.alive))
    }

    /// Bytes above the limit: chunks of which nobody had said how large they would be.
    #[inline]
    pub(super) fn over(&self) -> u64 {
        self.limit.map_or(0, |limit| self.alive.saturating_sub(limit))
    }

    #[inline]
    pub(super) fn add(&mut self, bytes: u64) {
        self.alive += bytes;
        self.peak = self.peak.max(self.alive);
    }

    #[inline]
    pub(super) fn remove(&mut self, bytes: u64) {
        self.alive -= bytes;
    }

    pub(super) fn raise_limit(&mut self, bytes: u64) {
        self.limit = self.limit.map(|limit| limit.saturating_add(bytes));
    }

    /// Lends what is free, at most `want`, to a run inside a task.
    pub(super) fn lend(&mut self, want: u64) -> u64 {
        let granted = want.min(self.free());
        self.add(granted);
        granted
    }
}

/// Walks through the plan one task after the other: calls `at` with each position, the bytes alive while its task
/// runs, and the bytes alive after it.
pub(super) fn walk(plan: &Plan, mut at: impl FnMut(usize, u64, u64)) {
    let tasks = plan.tasks();
    let known = |slot: usize| tasks.bytes_of(SlotIx(slot as u32)).unwrap_or(0);
    let mut uses = tasks.uses();
    let mut alive = 0;
    for (position, task) in plan.order().iter().enumerate() {
        let during = alive + tasks.reservation_of(task);
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

/// The most bytes alive at once when one task runs after the other, and the task that runs then.
pub(super) fn sequential_peak(plan: &Plan) -> (u64, Option<TaskIx>) {
    let mut peak = (0, None);
    walk(plan, |position, during, _| {
        if during > peak.0 || peak.1.is_none() {
            peak = (during, Some(plan.order().task_at(position)));
        }
    });
    peak
}

/// The same of a plan that has no disk: what exchanges stage stays in memory, too.
pub(crate) fn peak_without_disk(plan: &Plan) -> (u64, Option<TaskIx>) {
    let (sequential, at_peak) = sequential_peak(plan);
    let peak = if plan.tasks().staged_bytes() > 0 { sequential.max(plan.peak_bytes()) } else { sequential };
    (peak, at_peak)
}

/// The account that tasks admitted before their turn draw on.
#[derive(Debug)]
pub(super) struct Slack {
    limit: u64,
    /// For each position: most bytes alive at once from there to the end, one task after the other.
    peak_from: Vec<u64>,
    /// Bytes of those that have overtaken, by position; and their sum.
    overtaken: std::collections::HashMap<usize, u64>,
    sum: u64,
}

impl Slack {
    pub(super) fn new(plan: &Plan, limit: u64) -> Self {
        let mut peak_from = vec![0; plan.tasks().n_tasks() + 1];
        walk(plan, |position, during, _| peak_from[position] = during);
        for at in (0..plan.tasks().n_tasks()).rev() {
            peak_from[at] = peak_from[at].max(peak_from[at + 1]);
        }
        Self { limit, peak_from, overtaken: Default::default(), sum: 0 }
    }

    /// A task may overtake while all that overtakes fits beside what the rest needs in sequence.
    pub(super) fn may_overtake(&self, head: usize, bytes: u64) -> bool {
        self.sum + bytes + self.peak_from[head] <= self.limit
    }

    pub(super) fn overtakes(&mut self, at: usize, bytes: u64) {
        self.overtaken.insert(at, bytes);
        self.sum += bytes;
    }

    /// The head passes a position: whoever had overtaken it is on the head's own account from now on.
    pub(super) fn passed(&mut self, at: usize) {
        if self.sum > 0 {
            self.sum -= self.overtaken.remove(&at).unwrap_or(0);
        }
    }
}
