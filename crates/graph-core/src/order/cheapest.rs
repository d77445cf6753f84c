//! A candidate order that goes on where chunks are alive: next comes the reader of a chunk in memory that adds least.
//!
//! Post-order follows one sink to its end, although beside it a chunk may wait for a reader that lacks next to
//! nothing. Here the next goal is, among the readers of what has been made, the task for which bytes still to be made
//! plus its own output, less what it frees, are fewest; of equal ones the one met last. What the goal lacks is made
//! depth first, and whatever frees at least what it makes runs at once, as in the other candidate.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::post::{Maker, SortedInputs};
use super::walk::Walk;
use crate::lower::{SlotIx, TaskGraph, TaskIx};

/// Which task runs at once when its inputs are all there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Readiness {
    /// One that frees at least what it makes; what a goal will free counts in its favor before it is made.
    Frees,
    /// Any; of what a goal will free only that counts which is in memory. Better where results are reduced in the
    /// end: what is held back for a better moment then only grows.
    Runs,
}

/// The order of the cheapest next reader.
///
/// **Cost** a heap entry for each edge: n log n in edges; no recursion.
pub(super) fn order(walk: &mut Walk<'_>, inputs: &SortedInputs, readiness: Readiness) {
    let graph = walk.graph;
    let n = graph.n_tasks();
    let mut run = Cheapest {
        walk,
        graph,
        readiness,
        lacks: vec![Lack::default(); n],
        heap: BinaryHeap::new(),
        most_entries: FEW_ENTRIES,
        ready: Vec::new(),
    };
    run.count();
    for sink in (0..n as u32).map(TaskIx).filter(|&task| graph.readers_of(task).is_empty()) {
        while !run.walk.done[sink.index()] && run.walk.is_promising() {
            // Nothing in memory has a reader left: begin with what the sink needs first.
            let mut task = sink;
            while let Some(&input) = inputs.row(task).iter().find(|input| !run.walk.done[input.index()]) {
                task = input;
            }
            run.task(task);
            run.follow(inputs);
        }
    }
}

type Entry = Reverse<(i64, Reverse<u32>, TaskIx)>;

/// A heap of fewer entries is not worth cleaning.
const FEW_ENTRIES: usize = 4096;

/// What a task still needs, and what it would free.
#[derive(Debug, Clone, Copy, Default)]
struct Lack {
    /// Inputs that have not been made.
    inputs: u32,
    /// Their bytes.
    missing: u64,
    /// Bytes of the inputs that nobody else needs any more.
    freed: u64,
}

struct Cheapest<'a, 'b> {
    walk: &'a mut Walk<'b>,
    graph: &'b TaskGraph,
    readiness: Readiness,
    lacks: Vec<Lack>,
    /// Readers of what has been made: what they add, when they were met, who they are. What they add may have
    /// changed since.
    heap: BinaryHeap<Entry>,
    /// With so many entries those that say nothing any more are thrown out.
    most_entries: usize,
    ready: Vec<TaskIx>,
}

impl Cheapest<'_, '_> {
    /// Counts what each task lacks before anything is made.
    fn count(&mut self) {
        for task in (0..self.graph.n_tasks() as u32).map(TaskIx) {
            let mut lack = Lack::default();
            for &slot in self.graph.inputs_of(task) {
                lack.inputs += 1;
                lack.missing += self.of_edge(self.graph.task_of(slot));
                if self.readiness == Readiness::Frees && self.walk.uses[slot.index()] == 1 {
                    lack.freed += self.walk.weights.of(self.graph, slot);
                }
            }
            self.lacks[task.index()] = lack;
        }
    }

    /// Bytes that an edge from this task stands for: the edges of a task of several outputs share them.
    fn of_edge(&self, task: TaskIx) -> u64 {
        self.walk.weights.outputs(self.graph, task) / self.graph.outputs_of(task).len().max(1) as u64
    }

    /// Bytes that running a task, and what it lacks, adds to those alive, as far as its direct inputs tell.
    fn adds(&self, task: TaskIx) -> i64 {
        let lack = self.lacks[task.index()];
        let made = lack.missing.saturating_add(self.walk.weights.outputs(self.graph, task));
        i64::try_from(i128::from(made) - i128::from(lack.freed)).unwrap_or(i64::MAX)
    }

    /// Whether a task runs without being a goal.
    fn is_free(&self, task: TaskIx) -> bool {
        let lack = self.lacks[task.index()];
        lack.inputs == 0
            && (self.readiness == Readiness::Runs
                || lack.freed >= self.walk.weights.outputs(self.graph, task))
    }

    /// Goes on with the cheapest reader until no chunk in memory has one left.
    fn follow(&mut self, inputs: &SortedInputs) {
        while let Some(Reverse((added, met, goal))) = self.heap.pop().filter(|_| self.walk.is_promising()) {
            if self.walk.done[goal.index()] {
                continue;
            }
            let adds = self.adds(goal);
            if adds > added {
                self.heap.push(Reverse((adds, met, goal)));
                continue;
            }
            inputs.make(goal, self);
        }
    }
}

impl Maker for Cheapest<'_, '_> {
    fn walk(&self) -> &Walk<'_> {
        self.walk
    }

    /// Runs a task, and then whatever costs nothing.
    fn task(&mut self, task: TaskIx) {
        let graph = self.graph;
        self.ready.push(task);
        while let Some(task) = self.ready.pop() {
            if !self.walk.run(task) {
                continue;
            }
            let last_uses = std::mem::take(&mut self.walk.last_uses);
            for &slot in &last_uses {
                let Some(reader) = self.tell_last_reader(slot) else { continue };
                self.run_if_free(reader);
                if self.readiness == Readiness::Runs {
                    self.push(reader);
                }
            }
            self.walk.last_uses = last_uses;
            let bytes = self.of_edge(task);
            for &reader in graph.readers_of(task) {
                let lack = &mut self.lacks[reader.index()];
                lack.inputs -= 1;
                lack.missing -= bytes;
            }
            if self.readiness == Readiness::Runs {
                for slot in graph.outputs_of(task) {
                    if self.walk.uses[slot] == 1 {
                        self.tell_last_reader(SlotIx(slot as u32));
                    }
                }
            }
            for &reader in graph.readers_of(task) {
                self.run_if_free(reader);
                self.push(reader);
            }
            if self.heap.len() > self.most_entries {
                self.clean();
            }
        }
    }
}

impl Cheapest<'_, '_> {
    /// Leaves one entry for each task that is still to be made, the one met last, and looks again at what it adds.
    ///
    /// Each edge makes an entry, and most are overtaken by better ones of the same task: a heap of all of them would
    /// outgrow the processor's caches. It has doubled since the last time, so this costs a constant for each entry.
    fn clean(&mut self) {
        let mut entries = std::mem::take(&mut self.heap).into_vec();
        entries.retain(|Reverse((_, _, goal))| !self.walk.done[goal.index()]);
        entries.sort_unstable_by_key(|&Reverse((_, met, goal))| (goal, met));
        entries.dedup_by_key(|Reverse((_, _, goal))| *goal);
        let looked_at =
            entries.into_iter().map(|Reverse((_, met, goal))| Reverse((self.adds(goal), met, goal)));
        self.heap = looked_at.collect();
        self.most_entries = FEW_ENTRIES.max(2 * self.heap.len());
    }

    /// Something was made or used up that a task reads: it runs next if it may.
    fn run_if_free(&mut self, task: TaskIx) {
        if self.is_free(task) {
            self.ready.push(task);
        }
    }

    /// Makes a task a goal, or a better one than before.
    fn push(&mut self, task: TaskIx) {
        let met = Reverse(self.walk.sequence.len() as u32);
        self.heap.push(Reverse((self.adds(task), met, task)));
    }

    /// One use of this output is left: the reader it belongs to, if it is one, will free it. Happens once for each
    /// output, so the looks at its readers add up to the number of edges.
    fn tell_last_reader(&mut self, slot: SlotIx) -> Option<TaskIx> {
        let graph = self.graph;
        let maker = graph.task_of(slot);
        let is_only_output = graph.outputs_of(maker).len() == 1;
        let left = graph.readers_of(maker).iter().copied().find(|reader| {
            !self.walk.done[reader.index()] && (is_only_output || graph.inputs_of(*reader).contains(&slot))
        })?;
        self.lacks[left.index()].freed += self.walk.weights.of(graph, slot);
        Some(left)
    }
}
