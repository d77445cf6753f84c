//! A candidate order that follows each sink to its end, depth first.
//!
//! **Source** R. Sethi, J. D. Ullman: The generation of optimal code for arithmetic expressions, J. ACM 17 (1970).

use super::Weights;
use super::walk::Walk;
use crate::lower::{TaskGraph, TaskIx};

/// The tasks each task reads, those first whose own computation needs most memory beside what they leave.
pub(super) struct SortedInputs {
    ends: Vec<u32>,
    tasks: Vec<TaskIx>,
}

impl SortedInputs {
    pub(super) fn new(graph: &TaskGraph, weights: &Weights) -> Self {
        let n = graph.n_tasks();
        let mut label = vec![0u64; n];
        let mut sorted = Self { ends: Vec::with_capacity(n), tasks: Vec::with_capacity(graph.n_edges()) };
        for task in (0..n as u32).map(TaskIx) {
            let start = sorted.tasks.len();
            sorted.tasks.extend(graph.inputs_of(task).iter().map(|&slot| graph.task_of(slot)));
            let row = &mut sorted.tasks[start..];
            let gain = |of: TaskIx| label[of.index()].saturating_sub(weights.outputs(graph, of));
            row.sort_by(|&a, &b| gain(b).cmp(&gain(a)).then(a.cmp(&b)));
            let (mut held, mut need) = (0u64, 0u64);
            for &input in row.iter() {
                need = need.max(held + label[input.index()]);
                held += weights.outputs(graph, input);
            }
            label[task.index()] = need.max(held + weights.outputs(graph, task) + graph.scratch_of(task));
            sorted.ends.push(sorted.tasks.len() as u32);
        }
        sorted
    }

    /// Makes what a goal needs, depth first, and then the goal, as long as the walk is promising.
    pub(super) fn make(&self, goal: TaskIx, maker: &mut impl Maker) {
        let mut stack: Vec<(TaskIx, u32)> = vec![(goal, 0)];
        while let Some((task, next)) = stack.pop().filter(|_| maker.walk().is_promising()) {
            if maker.walk().done[task.index()] {
                continue;
            }
            match self.row(task).get(next as usize) {
                Some(&input) => {
                    stack.push((task, next + 1));
                    if !maker.walk().done[input.index()] {
                        stack.push((input, 0));
                    }
                }
                None => maker.task(task),
            }
        }
    }

    pub(super) fn row(&self, task: TaskIx) -> &[TaskIx] {
        let start = if task.0 == 0 { 0 } else { self.ends[task.index() - 1] as usize };
        &self.tasks[start..self.ends[task.index()] as usize]
    }
}

/// A candidate in the making.
pub(super) trait Maker {
    /// What has been made.
    fn walk(&self) -> &Walk<'_>;

    /// Makes a task whose inputs have been made, and whatever runs at once because of it.
    fn task(&mut self, task: TaskIx);
}

/// Depth first from the sinks; a task whose inputs are all there and that frees at least what it makes runs before the
/// next one.
///
/// **Cost** linear in tasks and edges, but for the sorting of the inputs; no recursion.
pub(super) fn order(walk: &mut Walk<'_>, inputs: &SortedInputs) {
    let graph = walk.graph;
    let tasks = (0..graph.n_tasks() as u32).map(TaskIx);
    let missing = tasks.clone().map(|task| graph.inputs_of(task).len() as u32).collect();
    let mut emit = Emit { walk, missing, ready: Vec::new() };
    for sink in tasks.filter(|&task| graph.readers_of(task).is_empty()) {
        inputs.make(sink, &mut emit);
    }
}

struct Emit<'a, 'b> {
    walk: &'a mut Walk<'b>,
    /// Inputs of each task that have not been made.
    missing: Vec<u32>,
    ready: Vec<TaskIx>,
}

impl Maker for Emit<'_, '_> {
    fn walk(&self) -> &Walk<'_> {
        self.walk
    }

    fn task(&mut self, task: TaskIx) {
        let graph = self.walk.graph;
        self.ready.push(task);
        while let Some(task) = self.ready.pop() {
            if !self.walk.run(task) {
                continue;
            }
            // One reader of these outputs is left: if it is ready, it may free them now. Happens once for each
            // output, so the looks at its readers add up to the number of edges.
            let last_uses = std::mem::take(&mut self.walk.last_uses);
            for &slot in &last_uses {
                for &reader in graph.readers_of(graph.task_of(slot)) {
                    self.wake(reader);
                }
            }
            self.walk.last_uses = last_uses;
            for &reader in graph.readers_of(task) {
                self.missing[reader.index()] -= 1;
                self.wake(reader);
            }
        }
    }
}

impl Emit<'_, '_> {
    /// Runs this task next if it is ready and leaves no more bytes alive than before.
    fn wake(&mut self, task: TaskIx) {
        let is_ready = self.missing[task.index()] == 0 && !self.walk.done[task.index()];
        if is_ready && self.walk.freed_by(task) >= self.walk.weights.outputs(self.walk.graph, task) {
            self.ready.push(task);
        }
    }
}
