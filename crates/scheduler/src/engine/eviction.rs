//! Which chunk leaves memory when room is needed: the one that is needed furthest in the future.
//!
//! **Source** L. A. Belady: A study of replacement algorithms for a virtual-storage computer, IBM Systems Journal 5
//! (1966). The order of the run is known, so the future is. A chunk that is on the disk already goes first among those
//! that are needed about equally late, because letting it go costs no writing.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use musher_graph_core::{SlotIx, TaskIx};
use smallvec::SmallVec;

use super::plan_state::{PlanState, Slot};
use super::{Discarded, Garbage};
use crate::spilling::SpilledCopy;

/// What happens to a chunk outside memory.
#[derive(Debug)]
pub(super) enum Outside {
    /// It is being written.
    Leaving,
    /// It is on the disk, and perhaps in memory, too.
    Stored(SpilledCopy),
    /// It is being read.
    Coming,
}

/// Chunks smaller than this free less than they cost.
pub(crate) const LEAST_BYTES: u64 = 4096;
/// So many candidates are compared.
const COMPARED: usize = 4;
/// The position that stands for the end of the run: what is asked for is needed then.
const AT_THE_END: u32 = u32::MAX;

/// What is known of the future of each output, and what is outside memory.
#[derive(Debug)]
pub(super) struct Eviction {
    /// Where the readers of each output end in `readers`.
    ends: Vec<u32>,
    /// Positions of the readers of each output, ascending.
    readers: Vec<u32>,
    /// The first reader of each output that may not have been admitted.
    cursors: Vec<u32>,
    /// Outputs in memory by their next use, as it was when they were entered.
    heap: BinaryHeap<(u32, u32)>,
    pub(super) outside: HashMap<u32, Outside>,
}

impl Eviction {
    /// Looks into the future of a plan that is in progress.
    fn new(state: &PlanState) -> Self {
        let tasks = state.plan.tasks();
        let n_slots = tasks.n_slots();
        let mut starts = vec![0u32; n_slots + 1];
        for task in 0..tasks.n_tasks() as u32 {
            for slot in tasks.inputs_of(musher_graph_core::TaskIx(task)) {
                starts[slot.index() + 1] += 1;
            }
        }
        for slot in 0..n_slots {
            starts[slot + 1] += starts[slot];
        }
        let cursors = starts[..n_slots].to_vec();
        let mut readers = vec![0; tasks.n_edges()];
        for position in 0..tasks.n_tasks() {
            for slot in tasks.inputs_of(state.task_at(position)) {
                readers[starts[slot.index()] as usize] = position as u32;
                starts[slot.index()] += 1;
            }
        }
        starts.truncate(n_slots);
        Self { ends: starts, readers, cursors, heap: BinaryHeap::new(), outside: HashMap::new() }
    }

    /// The position that needs an output next.
    fn next_use(&mut self, slot: usize, is_admitted: impl Fn(usize) -> bool) -> u32 {
        let cursor = &mut self.cursors[slot];
        while *cursor < self.ends[slot] && is_admitted(self.readers[*cursor as usize] as usize) {
            *cursor += 1;
        }
        if *cursor < self.ends[slot] { self.readers[*cursor as usize] } else { AT_THE_END }
    }

    /// Enters an output that is in memory, or has come into memory or lost a reader, among those that may leave.
    pub(super) fn enter(&mut self, slot: SlotIx, entry: &Slot, is_admitted: impl Fn(usize) -> bool) {
        if entry.may_leave() && entry.bytes >= LEAST_BYTES {
            let next_use = self.next_use(slot.index(), is_admitted);
            self.heap.push((next_use, slot.0));
        }
    }

    /// Nobody wants this output any more: its place on the disk is free; whether it is still being written.
    pub(super) fn forget(&mut self, slot: SlotIx, garbage: &mut Garbage) -> bool {
        match self.outside.remove(&slot.0) {
            Some(Outside::Stored(copy)) => {
                garbage.drop_later(Some(Discarded::Spilled(copy)), 0);
                false
            }
            Some(Outside::Leaving) => true,
            Some(Outside::Coming) | None => false,
        }
    }

    /// Gives up all that is on the disk.
    pub(super) fn abandon(&mut self, garbage: &mut Garbage) {
        let outside = std::mem::take(&mut self.outside);
        garbage.items.extend(outside.into_values().filter_map(|outside| match outside {
            Outside::Stored(copy) => Some(Discarded::Spilled(copy)),
            Outside::Leaving | Outside::Coming => None,
        }));
    }

    fn is_stored(&self, slot: u32) -> bool {
        matches!(self.outside.get(&slot), Some(Outside::Stored(_)))
    }
}

impl PlanState {
    /// Looks into the future, if nobody has yet.
    pub(super) fn foresee(&mut self) {
        if self.eviction.is_none() {
            self.eviction = Some(Box::new(Eviction::new(self)));
            for slot in 0..self.slots.len() {
                self.may_leave_later(SlotIx(slot as u32));
            }
        }
    }

    /// Enters an output that is in memory, or has come into memory, among those that may leave.
    #[inline]
    pub(super) fn may_leave_later(&mut self, slot: SlotIx) {
        if let Some(mut eviction) = self.eviction.take() {
            eviction.enter(slot, &self.slots[slot.index()], |position| self.is_admitted(position));
            self.eviction = Some(eviction);
        }
    }

    /// Whether an output that somebody wants is in memory no more: on the disk, or on its way from there.
    pub(super) fn is_absent(&self, slot: SlotIx) -> bool {
        self.slots[slot.index()].is_empty()
            && self.eviction.as_ref().is_some_and(|eviction| eviction.outside.contains_key(&slot.0))
    }

    /// Whether an output is on the disk only.
    pub(super) fn is_away(&self, slot: SlotIx) -> bool {
        self.slots[slot.index()].is_empty() && self.is_stored(slot)
    }

    /// Whether an output is on the disk.
    pub(super) fn is_stored(&self, slot: SlotIx) -> bool {
        self.eviction.as_ref().is_some_and(|eviction| eviction.is_stored(slot.0))
    }

    /// Bytes of the inputs of a task that must come back and are not on their way; `None` where all are in memory.
    #[inline]
    pub(super) fn absent_bytes(&self, task: TaskIx) -> Option<u64> {
        self.eviction.as_ref().and_then(|_| self.bytes_outside(task))
    }

    fn bytes_outside(&self, task: TaskIx) -> Option<u64> {
        let inputs = self.plan.tasks().inputs_of(task).iter().copied();
        let mut absent: SmallVec<[SlotIx; 8]> = inputs.filter(|&slot| self.is_absent(slot)).collect();
        absent.sort_unstable();
        absent.dedup();
        let bytes = |&slot: &SlotIx| if self.is_away(slot) { self.slots[slot.index()].bytes } else { 0 };
        (!absent.is_empty()).then(|| absent.iter().map(bytes).sum())
    }

    /// Notes what happens to an output outside memory.
    pub(super) fn set_outside(&mut self, slot: SlotIx, outside: Outside) {
        if let Some(eviction) = &mut self.eviction {
            eviction.outside.insert(slot.0, outside);
        }
    }

    /// An output on the disk begins to come back.
    pub(super) fn begin_to_come(&mut self, slot: SlotIx) -> Option<SpilledCopy> {
        let outside = self.eviction.as_mut()?.outside.get_mut(&slot.0)?;
        let Outside::Stored(copy) = outside else { return None };
        let copy = copy.clone();
        *outside = Outside::Coming;
        Some(copy)
    }

    /// The output that should leave memory; with `needed_at`, one that is needed later than there.
    pub(super) fn victim(&mut self, needed_at: Option<usize>) -> Option<SlotIx> {
        let is_late = |next_use: u32| needed_at.is_none_or(|at| next_use as usize > at);
        let mut eviction = self.eviction.take()?;
        let mut candidates: Vec<(u32, u32)> = Vec::with_capacity(COMPARED);
        let mut needed_now: SmallVec<[(u32, u32); 8]> = SmallVec::new();
        while candidates.len() < COMPARED {
            let Some((entered, slot)) = eviction.heap.pop() else { break };
            let entry = &self.slots[slot as usize];
            let is_moving = matches!(eviction.outside.get(&slot), Some(Outside::Leaving | Outside::Coming));
            if !entry.may_leave() || is_moving || candidates.iter().any(|&(_, other)| other == slot) {
                continue;
            }
            let next_use = eviction.next_use(slot as usize, |position| self.is_admitted(position));
            if next_use > entered {
                eviction.heap.push((next_use, slot));
                continue;
            }
            match is_late(next_use) {
                true => candidates.push((next_use, slot)),
                // Below it there may still be some that were entered with an earlier use.
                false => needed_now.push((next_use, slot)),
            }
        }
        let head = self.head as u64;
        let score = |&(next_use, slot): &(u32, u32)| {
            let distance = u64::from(next_use).saturating_sub(head);
            if eviction.is_stored(slot) { 2 * distance } else { distance }
        };
        let best =
            candidates.iter().copied().max_by_key(|candidate| (score(candidate), Reverse(candidate.1)));
        let rest = candidates.iter().filter(|&&candidate| Some(candidate) != best);
        eviction.heap.extend(rest.copied().chain(needed_now));
        self.eviction = Some(eviction);
        best.map(|(_, slot)| SlotIx(slot))
    }
}
