//! Ordering: static priorities that keep few bytes alive.
//!
//! A few candidates are simulated and the best one is kept: the order of numbering, post-order with Sethi–Ullman
//! labels, post-order that runs at once what frees more than it makes, and the [`cheapest`] next reader.
//!
//! **Source** R. Sethi, J. D. Ullman: The generation of optimal code for arithmetic expressions, J. ACM 17 (1970).

mod cheapest;

use std::sync::OnceLock;

use crate::lower::MOST_BYTES;
use crate::{SlotIx, TaskGraph, TaskIx};

/// The sequence in which a plan's tasks are admitted: all of them, each after those it reads.
///
/// # Examples
/// ```
/// use musher_graph_core::{Collection, Graph, Order, TaskGraph, delayed};
/// fn inc(x: i64) -> i64 { x + 1 }
/// let three = delayed(inc).call(delayed(inc).call(1));
/// let graph = TaskGraph::lower(Graph::collect(&[three.request()])?)?;
/// let order = Order::of(&graph);
/// assert_eq!(order.len(), 2);
/// assert!(order.iter().enumerate().all(|(position, task)| order.position_of(task) == position));
/// # Ok::<(), musher_graph_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Order {
    sequence: Sequence,
    /// Simulated when somebody first asks, where the search had no need of it.
    peak_bytes: OnceLock<u64>,
    /// Which candidate this is.
    pub strategy: &'static str,
}

/// Millions of tasks are mostly taken as they are numbered: that takes no table.
#[derive(Debug, Clone)]
enum Sequence {
    /// Task `i` is at position `i`; there are so many.
    AsNumbered(u32),
    /// Written out, and turned around when it is first asked where a task is.
    Written { tasks: Box<[TaskIx]>, positions: OnceLock<Box<[u32]>> },
}

/// The bytes by which outputs weigh: what is known, and the mean of it for what is not.
struct Weights {
    of_unknown: u64,
}

impl Weights {
    fn new(graph: &TaskGraph) -> Self {
        let (sum, n_unknown) = graph.known_bytes();
        let n = graph.n_slots() as u64 - n_unknown;
        // Known and unknown ones together are still counted without wrapping.
        let most = MOST_BYTES / n_unknown.max(1);
        let of_unknown = sum.checked_div(n).unwrap_or(0).min(most).max(1);
        Self { of_unknown }
    }

    fn of(&self, graph: &TaskGraph, slot: SlotIx) -> u64 {
        graph.bytes_of(slot).unwrap_or(self.of_unknown)
    }

    fn outputs(&self, graph: &TaskGraph, task: TaskIx) -> u64 {
        graph.outputs_of(task).map(|slot| self.of(graph, SlotIx(slot as u32))).sum()
    }
}

impl Order {
    /// The best of the candidates, or the order of numbering where all chunks together take less than the plan's own
    /// tables: then nothing is worth a search.
    ///
    /// **Cost** n log n in tasks and edges, no recursion; linear in layers where nothing is worth a search.
    pub fn of(graph: &TaskGraph) -> Self {
        let (bytes, n_unknown) = graph.known_bytes();
        let most = bytes + graph.largest_scratch();
        match n_unknown == 0 && most <= graph.table_bytes() as u64 {
            true => Self::as_numbered(graph),
            false => Self::search(graph),
        }
    }

    /// The best of the candidates, however small the chunks are.
    ///
    /// **Cost** n log n in tasks and edges, no recursion.
    pub fn search(graph: &TaskGraph) -> Self {
        let weights = Weights::new(graph);
        let mut best = Self::as_numbered(graph);
        let mut least = best.peak_bytes(graph);
        if least <= least_possible(graph, &weights) {
            return best;
        }
        let inputs = sorted_inputs(graph, &weights);
        let mut consider = |strategy, sequence: Vec<TaskIx>| {
            let peak_bytes = simulate(graph, &weights, sequence.iter().copied());
            if peak_bytes < least {
                least = peak_bytes;
                let sequence = Sequence::Written { tasks: sequence.into(), positions: OnceLock::new() };
                best = Self { sequence, peak_bytes: peak_bytes.into(), strategy };
            }
        };
        consider("post-order", post_order(graph, &inputs, &weights, false));
        consider("post-order with early release", post_order(graph, &inputs, &weights, true));
        consider("cheapest next reader", cheapest::order(graph, &inputs, &weights));
        best
    }

    fn as_numbered(graph: &TaskGraph) -> Self {
        let sequence = Sequence::AsNumbered(graph.n_tasks() as u32);
        Self { sequence, peak_bytes: OnceLock::new(), strategy: "as numbered" }
    }

    /// Most bytes alive at once when one task runs after the other; `graph` is the graph that was ordered.
    ///
    /// **Cost** none, but where no order was searched the first time: linear in tasks and edges.
    pub fn peak_bytes(&self, graph: &TaskGraph) -> u64 {
        *self.peak_bytes.get_or_init(|| peak_of(graph, self.iter()))
    }

    /// Number of tasks.
    #[inline]
    pub fn len(&self) -> usize {
        match &self.sequence {
            Sequence::AsNumbered(n) => *n as usize,
            Sequence::Written { tasks, .. } => tasks.len(),
        }
    }

    /// Whether there is no task.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The task at a position, counted from 0.
    ///
    /// # Panics
    /// If there are not so many tasks.
    #[inline]
    pub fn task_at(&self, position: usize) -> TaskIx {
        match &self.sequence {
            Sequence::AsNumbered(n) => {
                assert!(position < *n as usize, "position {position} of {n}");
                TaskIx(position as u32)
            }
            Sequence::Written { tasks, .. } => tasks[position],
        }
    }

    /// The position of a task.
    ///
    /// **Cost** none but for the first time, which is linear in tasks.
    ///
    /// # Panics
    /// If there is no such task.
    #[inline]
    pub fn position_of(&self, task: TaskIx) -> usize {
        match &self.sequence {
            Sequence::AsNumbered(n) => {
                assert!(task.0 < *n, "task {} of {n}", task.0);
                task.index()
            }
            Sequence::Written { tasks, positions } => {
                let positions = positions.get_or_init(|| {
                    let mut positions = vec![0; tasks.len()].into_boxed_slice();
                    (0..).zip(tasks).for_each(|(position, task)| positions[task.index()] = position);
                    positions
                });
                positions[task.index()] as usize
            }
        }
    }

    /// Whether each task's position is its number.
    pub fn is_as_numbered(&self) -> bool {
        matches!(self.sequence, Sequence::AsNumbered(_))
    }

    /// All tasks, position after position.
    #[doc(alias = "sequence")]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = TaskIx> + '_ {
        (0..self.len()).map(|position| self.task_at(position))
    }
}

/// Most bytes alive at once when the tasks run in this sequence, one after the other.
pub fn peak_of(graph: &TaskGraph, sequence: impl IntoIterator<Item = TaskIx>) -> u64 {
    simulate(graph, &Weights::new(graph), sequence)
}

fn simulate(graph: &TaskGraph, weights: &Weights, sequence: impl IntoIterator<Item = TaskIx>) -> u64 {
    let mut uses = graph.uses();
    let (mut alive, mut peak) = (0u64, 0u64);
    for task in sequence {
        alive += weights.outputs(graph, task);
        peak = peak.max(alive + graph.scratch_of(task));
        for slot in graph.outputs_of(task).filter(|&slot| uses[slot] == 0) {
            alive -= weights.of(graph, SlotIx(slot as u32));
        }
        for &slot in graph.inputs_of(task) {
            uses[slot.index()] -= 1;
            if uses[slot.index()] == 0 {
                alive -= weights.of(graph, slot);
            }
        }
    }
    peak
}

/// What any order needs: the largest task with its inputs and outputs, and everything that is asked for.
fn least_possible(graph: &TaskGraph, weights: &Weights) -> u64 {
    let mut largest = 0;
    for task in (0..graph.n_tasks() as u32).map(TaskIx) {
        let inputs = graph.inputs_of(task);
        let mut sum = weights.outputs(graph, task) + graph.scratch_of(task);
        // Long rows repeat producers rarely; a short look back is enough for a bound.
        for (at, &slot) in inputs.iter().enumerate() {
            if !inputs[at.saturating_sub(4)..at].contains(&slot) {
                sum += weights.of(graph, slot);
            }
        }
        largest = largest.max(sum);
    }
    let mut requested: Vec<SlotIx> = graph.requested().to_vec();
    requested.sort_unstable();
    requested.dedup();
    largest.max(requested.into_iter().map(|slot| weights.of(graph, slot)).sum())
}

/// The tasks each task reads, those first whose own computation needs most memory beside what they leave.
struct SortedInputs {
    ends: Vec<u32>,
    tasks: Vec<TaskIx>,
}

impl SortedInputs {
    fn row(&self, task: TaskIx) -> &[TaskIx] {
        let start = if task.0 == 0 { 0 } else { self.ends[task.index() - 1] as usize };
        &self.tasks[start..self.ends[task.index()] as usize]
    }
}

fn sorted_inputs(graph: &TaskGraph, weights: &Weights) -> SortedInputs {
    let n = graph.n_tasks();
    let mut label = vec![0u64; n];
    let mut sorted = SortedInputs { ends: Vec::with_capacity(n), tasks: Vec::with_capacity(graph.n_edges()) };
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

/// Depth first from the sinks. With `eager`, a task whose inputs are all there and that frees at least what it
/// makes runs before the next one of the depth-first order.
fn post_order(graph: &TaskGraph, inputs: &SortedInputs, weights: &Weights, eager: bool) -> Vec<TaskIx> {
    let n = graph.n_tasks();
    let mut emit = Emit {
        graph,
        weights,
        sequence: Vec::with_capacity(n),
        done: vec![false; n],
        missing: if eager {
            (0..n as u32).map(|t| graph.inputs_of(TaskIx(t)).len() as u32).collect()
        } else {
            vec![]
        },
        uses: if eager { graph.uses() } else { vec![] },
        ready: Vec::new(),
    };
    let mut stack: Vec<(TaskIx, u32)> = Vec::new();
    for sink in (0..n as u32).map(TaskIx).filter(|&task| graph.readers_of(task).is_empty()) {
        stack.push((sink, 0));
        while let Some((task, next)) = stack.pop() {
            if emit.done[task.index()] {
                continue;
            }
            match inputs.row(task).get(next as usize) {
                Some(&input) => {
                    stack.push((task, next + 1));
                    if !emit.done[input.index()] {
                        stack.push((input, 0));
                    }
                }
                None => emit.task(task, eager),
            }
        }
    }
    emit.sequence
}

struct Emit<'a> {
    graph: &'a TaskGraph,
    weights: &'a Weights,
    sequence: Vec<TaskIx>,
    done: Vec<bool>,
    missing: Vec<u32>,
    uses: Vec<u32>,
    ready: Vec<TaskIx>,
}

impl Emit<'_> {
    fn task(&mut self, task: TaskIx, eager: bool) {
        self.ready.push(task);
        while let Some(task) = self.ready.pop() {
            if std::mem::replace(&mut self.done[task.index()], true) {
                continue;
            }
            self.sequence.push(task);
            if !eager {
                continue;
            }
            for &slot in self.graph.inputs_of(task) {
                self.uses[slot.index()] -= 1;
                if self.uses[slot.index()] == 1 {
                    self.wake_last_reader(slot);
                }
            }
            for &reader in self.graph.readers_of(task) {
                self.missing[reader.index()] -= 1;
                if self.missing[reader.index()] == 0 && self.frees(reader) {
                    self.ready.push(reader);
                }
            }
        }
    }

    /// One reader of this output is left: if it is ready, it may free it now. Happens once for each output, so the
    /// looks at its readers add up to the number of edges.
    fn wake_last_reader(&mut self, slot: SlotIx) {
        for &reader in self.graph.readers_of(self.graph.task_of(slot)) {
            if !self.done[reader.index()] && self.missing[reader.index()] == 0 && self.frees(reader) {
                self.ready.push(reader);
            }
        }
    }

    /// Whether running this task now leaves no more bytes alive than before.
    fn frees(&self, task: TaskIx) -> bool {
        let last_uses = self.graph.inputs_of(task).iter().filter(|slot| self.uses[slot.index()] == 1);
        let freed: u64 = last_uses.map(|&slot| self.weights.of(self.graph, slot)).sum();
        freed >= self.weights.outputs(self.graph, task)
    }
}
