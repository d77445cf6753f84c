//! Priorities over an order: urgent work, and what it needs, goes first; else the order stays.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::Order;
use crate::lower::{TaskGraph, TaskIx};

impl Order {
    /// The same order, except that tasks of higher priority, and those that they need, go before others.
    ///
    /// **Cost** n log n in tasks and edges.
    pub(crate) fn by_priority(self, graph: &TaskGraph) -> Self {
        let n = graph.n_tasks();
        // A task without annotations is as urgent as the most urgent one that needs it.
        let mut urgency = vec![i32::MIN; n];
        for position in (0..n).rev() {
            let task = self.task_at(position);
            let layer = &graph.layers()[graph.layer_of(task)];
            let priority = layer.annotations.as_ref().map(|annotations| annotations.priority_of());
            let is_last = urgency[task.index()] == i32::MIN;
            let own = priority.unwrap_or(if is_last { 0 } else { i32::MIN });
            let urgent = urgency[task.index()].max(own);
            urgency[task.index()] = urgent;
            for &slot in graph.inputs_of(task) {
                let input = &mut urgency[graph.task_of(slot).index()];
                *input = urgent.max(*input);
            }
        }
        let mut missing: Vec<u32> =
            (0..n as u32).map(|task| graph.inputs_of(TaskIx(task)).len() as u32).collect();
        let entry = |task: TaskIx| (urgency[task.index()], Reverse(self.position_of(task)), task);
        let sources = (0..n as u32).map(TaskIx).filter(|&task| graph.inputs_of(task).is_empty());
        let mut ready: BinaryHeap<_> = sources.map(entry).collect();
        let mut sequence = Vec::with_capacity(n);
        while let Some((_, _, task)) = ready.pop() {
            sequence.push(task);
            for &reader in graph.readers_of(task) {
                missing[reader.index()] -= 1;
                if missing[reader.index()] == 0 {
                    ready.push(entry(reader));
                }
            }
        }
        Self::written(sequence, "by priority")
    }
}
