//! Tasks run one after the other in thought: which outputs are alive, and the most bytes at once.

use super::Weights;
use crate::lower::{SlotIx, TaskGraph, TaskIx};

/// A sequence in the making, and what it keeps in memory.
pub(super) struct Walk<'a> {
    pub(super) graph: &'a TaskGraph,
    pub(super) weights: &'a Weights,
    pub(super) sequence: Vec<TaskIx>,
    pub(super) done: Vec<bool>,
    /// Uses of each output that are still to come.
    pub(super) uses: Vec<u32>,
    /// Outputs of which the last task left one use.
    pub(super) last_uses: Vec<SlotIx>,
    alive: u64,
    pub(super) peak_bytes: u64,
    /// A sequence of this peak is no better than one that is known.
    known_peak: u64,
}

impl<'a> Walk<'a> {
    pub(super) fn new(graph: &'a TaskGraph, weights: &'a Weights, known_peak: u64) -> Self {
        Self {
            graph,
            weights,
            sequence: Vec::with_capacity(graph.n_tasks()),
            done: vec![false; graph.n_tasks()],
            uses: graph.uses(),
            last_uses: Vec::new(),
            alive: 0,
            peak_bytes: 0,
            known_peak,
        }
    }

    /// Whether this sequence can still be better than the one that is known.
    pub(super) fn is_promising(&self) -> bool {
        self.peak_bytes < self.known_peak
    }

    /// Runs a task, unless it was run before; tells whether it was not.
    pub(super) fn run(&mut self, task: TaskIx) -> bool {
        if std::mem::replace(&mut self.done[task.index()], true) {
            return false;
        }
        self.sequence.push(task);
        let (graph, weights) = (self.graph, self.weights);
        self.alive += weights.outputs(graph, task);
        self.peak_bytes = self.peak_bytes.max(self.alive + graph.scratch_of(task));
        for slot in graph.outputs_of(task).filter(|&slot| self.uses[slot] == 0) {
            self.alive -= weights.of(graph, SlotIx(slot as u32));
        }
        self.last_uses.clear();
        for &slot in graph.inputs_of(task) {
            let uses = &mut self.uses[slot.index()];
            *uses -= 1;
            match *uses {
                0 => self.alive -= weights.of(graph, slot),
                1 => self.last_uses.push(slot),
                _ => {}
            }
        }
        true
    }

    /// Bytes of a task's inputs that nobody else needs any more.
    pub(super) fn freed_by(&self, task: TaskIx) -> u64 {
        let last = self.graph.inputs_of(task).iter().filter(|slot| self.uses[slot.index()] == 1);
        last.map(|&slot| self.weights.of(self.graph, slot)).sum()
    }
}
