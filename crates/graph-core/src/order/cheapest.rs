//! A candidate order that goes on where chunks are alive: next comes the reader of a chunk in memory that adds least.
//!
//! Post-order follows one sink to its end, although beside it a chunk may wait for a reader that lacks next to
//! nothing. Here the next goal is, among the readers of what has been made, the task for which bytes still to be made
//! plus its own output, less what it frees, are fewest; of equal ones the one met last. What the goal lacks is made
//! depth first, and whatever frees at least what it makes runs at once, as in the other candidate.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::{SortedInputs, Weights};
use crate::{SlotIx, TaskGraph, TaskIx};

/// The order of the cheapest next reader.
///
/// **Cost** a heap entry for each edge: n log n in edges; no recursion.
pub(super) fn order(graph: &TaskGraph, inputs: &SortedInputs, weights: &Weights) -> Vec<TaskIx> {
    let n = graph.n_tasks();
    let mut run = Cheapest {
        graph,
        weights,
        sequence: Vec::with_capacity(n),
        done: vec![false; n],
        lacks: vec![Lack::default(); n],
        uses: graph.uses(),
        heap: BinaryHeap::new(),
        ready: Vec::new(),
    };
    run.count();
    for sink in (0..n as u32).map(TaskIx).filter(|&task| graph.readers_of(task).is_empty()) {
        while !run.done[sink.index()] {
            // Nothing in memory has a reader left: begin with what the sink needs first.
            let mut task = sink;
            while let Some(&input) = inputs.row(task).iter().find(|input| !run.done[input.index()]) {
                task = input;
            }
            run.emit(task);
            run.follow(inputs);
        }
    }
    run.sequence
}

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

struct Cheapest<'a> {
    graph: &'a TaskGraph,
    weights: &'a Weights,
    sequence: Vec<TaskIx>,
    done: Vec<bool>,
    lacks: Vec<Lack>,
    uses: Vec<u32>,
    /// Readers of what has been made: what they add, when they were met, who they are. What they add may have
    /// changed since.
    heap: BinaryHeap<Reverse<(i128, Reverse<u32>, TaskIx)>>,
    ready: Vec<TaskIx>,
}

impl Cheapest<'_> {
    /// Counts what each task lacks before anything is made.
    fn count(&mut self) {
        for task in (0..self.graph.n_tasks() as u32).map(TaskIx) {
            let mut lack = Lack::default();
            for &slot in self.graph.inputs_of(task) {
                lack.inputs += 1;
                lack.missing += self.of_edge(self.graph.task_of(slot));
                if self.uses[slot.index()] == 1 {
                    lack.freed += self.weights.of(self.graph, slot);
                }
            }
            self.lacks[task.index()] = lack;
        }
    }

    /// Bytes that an edge from this task stands for: the edges of a task of several outputs share them.
    fn of_edge(&self, task: TaskIx) -> u64 {
        self.weights.outputs(self.graph, task) / self.graph.outputs_of(task).len().max(1) as u64
    }

    /// Bytes that running a task, and what it lacks, adds to those alive, as far as its direct inputs tell.
    fn adds(&self, task: TaskIx) -> i128 {
        let lack = self.lacks[task.index()];
        i128::from(lack.missing) + i128::from(self.weights.outputs(self.graph, task)) - i128::from(lack.freed)
    }

    /// Whether a task can run and leaves no more bytes alive than before.
    fn is_free(&self, task: TaskIx) -> bool {
        let lack = self.lacks[task.index()];
        lack.inputs == 0 && lack.freed >= self.weights.outputs(self.graph, task)
    }

    /// Goes on with the cheapest reader until no chunk in memory has one left.
    fn follow(&mut self, inputs: &SortedInputs) {
        let mut stack: Vec<(TaskIx, u32)> = Vec::new();
        while let Some(Reverse((added, met, goal))) = self.heap.pop() {
            if self.done[goal.index()] {
                continue;
            }
            let adds = self.adds(goal);
            if adds > added {
                self.heap.push(Reverse((adds, met, goal)));
                continue;
            }
            stack.push((goal, 0));
            while let Some((task, next)) = stack.pop() {
                if self.done[task.index()] {
                    continue;
                }
                match inputs.row(task).get(next as usize) {
                    Some(&input) => {
                        stack.push((task, next + 1));
                        if !self.done[input.index()] {
                            stack.push((input, 0));
                        }
                    }
                    None => self.emit(task),
                }
            }
        }
    }

    /// Runs a task, and then whatever costs nothing.
    fn emit(&mut self, task: TaskIx) {
        let graph = self.graph;
        self.ready.push(task);
        while let Some(task) = self.ready.pop() {
            if std::mem::replace(&mut self.done[task.index()], true) {
                continue;
            }
            self.sequence.push(task);
            for &slot in graph.inputs_of(task) {
                self.uses[slot.index()] -= 1;
                if self.uses[slot.index()] == 1 {
                    self.tell_last_reader(slot);
                }
            }
            let bytes = self.of_edge(task);
            for &reader in graph.readers_of(task) {
                let lack = &mut self.lacks[reader.index()];
                lack.inputs -= 1;
                lack.missing -= bytes;
                if self.is_free(reader) {
                    self.ready.push(reader);
                }
            }
            let met = Reverse(self.sequence.len() as u32);
            for &reader in graph.readers_of(task) {
                self.heap.push(Reverse((self.adds(reader), met, reader)));
            }
        }
    }

    /// One use of this output is left: the reader it belongs to, if it is one, will free it. Happens once for each
    /// output, so the looks at its readers add up to the number of edges.
    fn tell_last_reader(&mut self, slot: SlotIx) {
        let graph = self.graph;
        let maker = graph.task_of(slot);
        let is_only_output = graph.outputs_of(maker).len() == 1;
        let left = graph.readers_of(maker).iter().find(|reader| {
            !self.done[reader.index()] && (is_only_output || graph.inputs_of(**reader).contains(&slot))
        });
        if let Some(&reader) = left {
            self.lacks[reader.index()].freed += self.weights.of(graph, slot);
            if self.is_free(reader) {
                self.ready.push(reader);
            }
        }
    }
}
