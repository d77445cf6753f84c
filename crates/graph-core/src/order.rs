//! Ordering: static priorities that keep few bytes alive.
//!
//! A few candidates are simulated and the best one is kept: the order of numbering, [`post`]-orders with
//! Sethi–Ullman labels, and those of the [`cheapest`] next reader. A candidate is given up as soon as it keeps as many
//! bytes alive as the best one known.

mod cheapest;
mod post;
mod priority;
mod walk;

use std::fmt;
use std::sync::OnceLock;

use cheapest::Readiness;
use post::SortedInputs;
use serde::{Deserialize, Serialize};
use walk::Walk;

use crate::error::Error;
use crate::lower::{MOST_BYTES, SlotIx, TaskGraph, TaskIx};
use crate::report::report;
use crate::watch::Watch;

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
pub(crate) struct Weights {
    of_unknown: u64,
    /// Whether what may wait on the disk counts as in memory.
    stages_in_memory: bool,
}

impl Weights {
    pub(crate) fn new(graph: &TaskGraph) -> Self {
        let (sum, n_unknown) = graph.known_bytes();
        let n = graph.n_slots() as u64 - n_unknown;
        // Known and unknown ones together are still counted without wrapping.
        let most = MOST_BYTES / n_unknown.max(1);
        let of_unknown = sum.checked_div(n).unwrap_or(0).min(most).max(1);
        Self { of_unknown, stages_in_memory: false }
    }

    /// The same where what may wait on the disk waits in memory.
    pub(crate) fn staged_in_memory(graph: &TaskGraph) -> Self {
        Self { stages_in_memory: true, ..Self::new(graph) }
    }

    pub(crate) fn of(&self, graph: &TaskGraph, slot: SlotIx) -> u64 {
        let bytes = graph.bytes_of(slot).unwrap_or(self.of_unknown);
        if self.stages_in_memory { bytes + graph.staged_of(slot) } else { bytes }
    }

    pub(crate) fn outputs(&self, graph: &TaskGraph, task: TaskIx) -> u64 {
        graph.outputs_of(task).map(|slot| self.of(graph, SlotIx(slot as u32))).sum()
    }
}

/// Why a sequence of tasks is no order.
#[derive(Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[non_exhaustive]
pub enum NotAnOrder {
    /// A task is named twice, or the plan has no such task.
    #[error("task {} is there twice, or not in the plan", .task.0)]
    Twice {
        /// The task.
        task: TaskIx,
    },
    /// A task is named before one that it reads.
    #[error("task {} comes before task {}, which it reads", .task.0, .input.0)]
    TooEarly {
        /// The task.
        task: TaskIx,
        /// What it reads.
        input: TaskIx,
    },
    /// A task is not named.
    #[error("task {} is missing", .task.0)]
    Missing {
        /// The first one.
        task: TaskIx,
    },
}

impl fmt::Debug for NotAnOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        report(self, f)
    }
}

/// Runs all tasks of a walk, or stops where it is no longer promising.
type Candidate = fn(&mut Walk<'_>, &SortedInputs);

const CANDIDATES: [(&str, Candidate); 3] = [
    ("post-order with early release", post::order),
    ("cheapest next reader", |walk, inputs| cheapest::order(walk, inputs, Readiness::Frees)),
    ("cheapest next reader, ready ones first", |walk, inputs| cheapest::order(walk, inputs, Readiness::Runs)),
];

impl Order {
    /// The best of the candidates, or the order of numbering where even its chunks take less than the plan's own
    /// tables: then nothing is worth a search.
    ///
    /// **Cost** n log n in tasks and edges, no recursion; linear in layers where all chunks together take less than
    /// the tables.
    #[expect(clippy::missing_panics_doc, reason = "nobody watches who could give up")]
    pub fn of(graph: &TaskGraph) -> Self {
        Self::of_watched(graph, Watch::NONE).expect("nobody watches who could give up")
    }

    pub(crate) fn of_watched(graph: &TaskGraph, watch: Watch<'_>) -> Result<Self, Error> {
        watch.look()?;
        let natural = Self::as_numbered(graph);
        let tables = graph.table_bytes() as u64;
        let (bytes, n_unknown) = graph.known_bytes();
        let is_little = || bytes + graph.largest_scratch() <= tables || natural.peak_bytes(graph) <= tables;
        match n_unknown == 0 && is_little() {
            true => Ok(natural),
            false => Self::best_of(graph, natural, watch),
        }
    }

    /// The best of the candidates, however small the chunks are.
    ///
    /// **Cost** n log n in tasks and edges, no recursion.
    #[expect(clippy::missing_panics_doc, reason = "nobody watches who could give up")]
    pub fn search(graph: &TaskGraph) -> Self {
        let best = Self::best_of(graph, Self::as_numbered(graph), Watch::NONE);
        best.expect("nobody watches who could give up")
    }

    fn best_of(graph: &TaskGraph, natural: Self, watch: Watch<'_>) -> Result<Self, Error> {
        let weights = Weights::new(graph);
        let mut best = natural;
        let mut least = best.peak_bytes(graph);
        if least <= least_possible(graph, &weights) {
            return Ok(best);
        }
        let inputs = SortedInputs::new(graph, &weights);
        for (strategy, candidate) in CANDIDATES {
            watch.look()?;
            let mut walk = Walk::new(graph, &weights, least);
            candidate(&mut walk, &inputs);
            if walk.is_promising() {
                least = walk.peak_bytes;
                let tasks = walk.sequence.into();
                let sequence = Sequence::Written { tasks, positions: OnceLock::new() };
                best = Self { sequence, peak_bytes: least.into(), strategy };
            }
        }
        Ok(best)
    }

    /// All candidates, whatever their peaks.
    pub(crate) fn candidates(graph: &TaskGraph) -> impl Iterator<Item = Self> {
        let weights = Weights::new(graph);
        let inputs = SortedInputs::new(graph, &weights);
        let others = CANDIDATES.map(|(strategy, candidate)| {
            let mut walk = Walk::new(graph, &weights, u64::MAX);
            candidate(&mut walk, &inputs);
            Self::written(walk.sequence, strategy)
        });
        std::iter::once(Self::as_numbered(graph)).chain(others)
    }

    /// What the strategy of an order is called that somebody gave.
    pub(crate) const GIVEN: &'static str = "as given";

    /// This sequence, if it is an order.
    pub(crate) fn given(
        graph: &TaskGraph,
        sequence: impl IntoIterator<Item = TaskIx>,
    ) -> Result<Self, NotAnOrder> {
        let mut done = vec![false; graph.n_tasks()];
        let mut tasks = Vec::with_capacity(done.len());
        for task in sequence {
            if done.get(task.index()) != Some(&false) {
                return Err(NotAnOrder::Twice { task });
            }
            let mut inputs = graph.inputs_of(task).iter().map(|&slot| graph.task_of(slot));
            if let Some(input) = inputs.find(|input| !done[input.index()]) {
                return Err(NotAnOrder::TooEarly { task, input });
            }
            done[task.index()] = true;
            tasks.push(task);
        }
        match done.iter().position(|&done| !done) {
            None => Ok(Self::written(tasks, Self::GIVEN)),
            Some(missing) => Err(NotAnOrder::Missing { task: TaskIx(missing as u32) }),
        }
    }

    fn written(tasks: Vec<TaskIx>, strategy: &'static str) -> Self {
        let sequence = Sequence::Written { tasks: tasks.into(), positions: OnceLock::new() };
        Self { sequence, peak_bytes: OnceLock::new(), strategy }
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

/// Most bytes alive at once when the tasks run in this sequence, one after the other; one that is named again is
/// passed over.
pub fn peak_of(graph: &TaskGraph, sequence: impl IntoIterator<Item = TaskIx>) -> u64 {
    peak_by(graph, &Weights::new(graph), sequence)
}

/// The same by these weights.
pub(crate) fn peak_by(
    graph: &TaskGraph,
    weights: &Weights,
    sequence: impl IntoIterator<Item = TaskIx>,
) -> u64 {
    let mut walk = Walk::new(graph, weights, u64::MAX);
    for task in sequence {
        walk.run(task);
    }
    walk.peak_bytes
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
