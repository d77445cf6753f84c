//! What of a graph must be in memory at once, as far as sizes are known before it runs: what a limit is checked against.

use std::cmp::Reverse;

use smallvec::SmallVec;

use crate::lower::{SlotIx, TaskGraph, TaskIx};

impl TaskGraph {
    /// Bytes that a task adds while it runs: its outputs, as far as they are known, without the inputs that they hold, and
    /// its scratch.
    #[inline]
    pub fn reservation_of(&self, task: TaskIx) -> u64 {
        self.uniform_reservation_of(task).unwrap_or_else(|| {
            let outputs = self.outputs_of(task).filter_map(|slot| self.bytes_of(SlotIx(slot as u32)));
            let held = match self.holds_inputs(task) {
                true => self.inputs_of(task).iter().filter_map(|&slot| self.bytes_of(slot)).sum(),
                false => 0,
            };
            outputs.sum::<u64>().saturating_sub(held) + self.scratch_of(task)
        })
    }

    /// Bytes that must be in memory while a task runs: what it reads, each output once, and what it adds; what is of
    /// unknown size counts nothing.
    ///
    /// **Cost** sorts the task's inputs.
    pub fn footprint_of(&self, task: TaskIx) -> u64 {
        let mut inputs = SmallVec::<[SlotIx; 8]>::from_slice(self.inputs_of(task));
        self.together(&mut inputs) + self.reservation_of(task)
    }

    /// Bytes that must be in memory in the end: all that is asked for, each output once, as far as their sizes are
    /// known; and the task that makes the largest of them.
    ///
    /// **Cost** sorts what is asked for.
    pub fn result_footprint(&self) -> (u64, Option<TaskIx>) {
        let mut requested = SmallVec::<[SlotIx; 8]>::from_slice(self.requested());
        let bytes = self.together(&mut requested);
        let largest = requested.into_iter().max_by_key(|&slot| (self.bytes_of(slot), Reverse(slot)));
        (bytes, largest.map(|slot| self.task_of(slot)))
    }

    /// The most bytes that must be in memory at once even if everything else is on the disk, because one task or the
    /// result needs them; and that task, or one that makes the result. The tables of the plan come on top.
    ///
    /// **Cost** linear in tasks and edges.
    ///
    /// # Examples
    /// ```
    /// use musher_graph_core::{Collection, Graph, GraphBuilder, TaskGraph, TaskIx};
    /// let mut graph = GraphBuilder::<[u8; 1000]>::new();
    /// let sources = [graph.add([], |_| [1; 1000]), graph.add([], |_| [2; 1000])];
    /// let both = graph.add(sources, |inputs| inputs[0]);
    /// let tasks = TaskGraph::lower(Graph::collect(&[graph.build(&[both]).request()])?)?;
    /// assert_eq!(tasks.least_at_once(), (3000, Some(TaskIx(2))));
    /// # Ok::<(), musher_graph_core::Error>(())
    /// ```
    pub fn least_at_once(&self) -> (u64, Option<TaskIx>) {
        let tasks = (0..self.n_tasks() as u32).map(TaskIx);
        let largest = tasks.map(|task| (self.footprint_of(task), Some(task)));
        let largest = largest.max_by_key(|&(bytes, task)| (bytes, Reverse(task))).unwrap_or((0, None));
        let result = self.result_footprint();
        if result.0 > largest.0 { result } else { largest }
    }

    /// Bytes of these outputs, each counted once; they are sorted.
    fn together(&self, slots: &mut SmallVec<[SlotIx; 8]>) -> u64 {
        slots.sort_unstable();
        slots.dedup();
        slots.iter().filter_map(|&slot| self.bytes_of(slot)).sum()
    }
}
