//! The plan: a graph after optimizing, ordering and costing; it can be explained, forecast, refused and run.

use std::sync::Arc;

use crate::collection::Request;
use crate::error::Error;
use crate::forecast::Policy;
use crate::graph::Graph;
use crate::key::{Key, Token, Tokenizer};
use crate::lower::{TaskGraph, TaskIx};
use crate::order::{NotAnOrder, Order, Weights, peak_by};
use crate::watch::Watch;

/// A graph that is ready to run: lowered, ordered, costed.
///
/// # Examples
/// ```
/// use musher_graph_core::{Collection, Graph, Plan, delayed};
/// fn inc(x: i64) -> i64 { x + 1 }
/// let two = delayed(inc).call(1);
/// let plan = Plan::new(Graph::collect(&[two.request()])?.optimize())?;
/// assert_eq!(plan.tasks().n_tasks(), 1);
/// println!("{}", plan.explain());
/// # Ok::<(), musher_graph_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Plan {
    /// Shared by the plans that differ in their order only.
    tasks: Arc<TaskGraph>,
    order: Order,
    has_annotations: bool,
}

impl Plan {
    /// Lowers and orders a graph.
    ///
    /// **Cost** linear in tasks and edges.
    ///
    /// # Errors
    /// [`Error`] if the graph cannot be lowered.
    pub fn new(graph: Graph) -> Result<Self, Error> {
        Self::new_watched(graph, Watch::NONE)
    }

    /// The plan of what is asked for: collected, optimized, lowered and ordered, as long as `go_on` says so, which is
    /// asked now and then.
    ///
    /// # Errors
    /// [`Error::GivenUp`] when `go_on` says no; else those of [`Graph::collect`] and [`Plan::new`].
    ///
    /// # Examples
    /// ```
    /// use musher_graph_core::{Collection, Error, Plan, delayed};
    /// let two = delayed(|| 2).call(());
    /// assert!(Plan::of(&[two.request()], &|| true).is_ok());
    /// assert!(matches!(Plan::of(&[two.request()], &|| false), Err(Error::GivenUp)));
    /// ```
    pub fn of(requests: &[Request], go_on: &dyn Fn() -> bool) -> Result<Self, Error> {
        let watch = Watch::new(go_on);
        let graph = Graph::collect_watched(requests, watch)?;
        Self::new_watched(graph.optimize_watched(watch)?, watch)
    }

    fn new_watched(graph: Graph, watch: Watch<'_>) -> Result<Self, Error> {
        let tasks = TaskGraph::lower_watched(graph, watch)?;
        let has_annotations = tasks.layers().iter().any(|layer| layer.annotations.is_some());
        let mut order = Order::of_watched(&tasks, watch)?;
        if has_priorities(&tasks) {
            order = order.by_priority(&tasks);
        }
        Ok(Self { tasks: Arc::new(tasks), order, has_annotations })
    }

    /// The same tasks in another order.
    ///
    /// # Errors
    /// [`NotAnOrder`] when a task is missing, named twice, or named before one that it reads.
    ///
    /// # Examples
    /// ```
    /// use musher_graph_core::{Collection, Graph, GraphBuilder, Plan, TaskIx};
    /// let mut graph = GraphBuilder::new();
    /// let sources = [graph.add([], |_| 1), graph.add([], |_| 2)];
    /// let sum = graph.add(sources, |inputs| inputs[0] + inputs[1]);
    /// let plan = Plan::new(Graph::collect(&[graph.build(&[sum]).request()])?)?;
    /// assert!(plan.with_order([1, 0, 2].map(TaskIx)).is_ok());
    /// assert!(plan.with_order([2, 1, 0].map(TaskIx)).is_err());
    /// # Ok::<(), musher_graph_core::Error>(())
    /// ```
    pub fn with_order(&self, sequence: impl IntoIterator<Item = TaskIx>) -> Result<Self, NotAnOrder> {
        Ok(self.ordered(Order::given(&self.tasks, sequence)?))
    }

    fn ordered(&self, order: Order) -> Self {
        Self { tasks: Arc::clone(&self.tasks), order, has_annotations: self.has_annotations }
    }

    /// The same tasks in the order that moves the fewest bytes to the disk and back below a memory limit; `None` where
    /// this plan's own is the best, or nothing has to leave memory.
    ///
    /// Of two orders of one peak, one may hold chunks long that the other makes late: below the peak that is the difference
    /// between spilling and not.
    ///
    /// **Cost** none where the plan fits; else that of searching an order and of a forecast for each candidate.
    #[must_use]
    pub fn ordered_for(&self, limit: u64) -> Option<Self> {
        if self.order.strategy == Order::GIVEN || self.fits_at_once(limit) {
            return None;
        }
        let moved = |plan: &Self| {
            let forecast = plan.forecast(limit, Policy::Furthest);
            forecast.spilled_bytes.saturating_add(forecast.reloaded_bytes)
        };
        let own = moved(self);
        if own == 0 {
            return None;
        }
        let others = Order::candidates(&self.tasks).map(|order| match self.has_priorities() {
            true => self.ordered(order.by_priority(&self.tasks)),
            false => self.ordered(order),
        });
        let costs = others.map(|plan| (moved(&plan), plan));
        costs.filter(|(bytes, _)| *bytes < own).min_by_key(|(bytes, _)| *bytes).map(|(_, plan)| plan)
    }

    /// What the plan is, whatever the order in which it will run: layers, wirings, what each task reads, what is asked for.
    ///
    /// Two plans of one fingerprint compute the same, task by task under the same numbers. Two processes that build the same
    /// in the same [`Scope`](crate::Scope) have equal ones.
    ///
    /// **Cost** linear in layers; for hand-made graphs also in edges.
    ///
    /// # Examples
    /// ```
    /// use musher_graph_core::{Collection, Graph, Plan, delayed};
    /// fn inc(x: i64) -> i64 { x + 1 }
    /// let plan = |x: i64| Plan::of(&[delayed(inc).call(x).request()], &|| true).map(|plan| plan.fingerprint());
    /// assert_eq!(plan(1)?, plan(1)?);
    /// assert_ne!(plan(1)?, plan(2)?);
    /// # Ok::<(), musher_graph_core::Error>(())
    /// ```
    pub fn fingerprint(&self) -> Key {
        let mut tokenizer = Tokenizer::new();
        tokenizer.name("core.plan/1");
        for layer in self.tasks.layers() {
            tokenizer.key(layer.key);
            layer.grid.token(&mut tokenizer);
            tokenizer.word(layer.task.n_outputs() as u64);
            for input in &layer.inputs {
                (input.producer.index(), input.output).token(&mut tokenizer);
                input.wiring.token(&mut tokenizer);
            }
        }
        tokenizer.word(self.tasks.n_edges() as u64);
        for slot in self.tasks.requested() {
            slot.index().token(&mut tokenizer);
        }
        tokenizer.finish()
    }

    /// The tasks.
    pub fn tasks(&self) -> &TaskGraph {
        &self.tasks
    }

    /// The order in which they are admitted.
    pub fn order(&self) -> &Order {
        &self.order
    }

    fn has_priorities(&self) -> bool {
        self.has_annotations && has_priorities(&self.tasks)
    }

    /// Whether any layer has annotations about how its tasks run.
    pub fn has_annotations(&self) -> bool {
        self.has_annotations
    }

    /// Whether all chunks would fit below a limit together, those of unknown size taken to be as large as the mean of the
    /// others.
    ///
    /// **Cost** linear in layers.
    fn fits_at_once(&self, limit: u64) -> bool {
        let (known, n_unknown) = self.tasks.known_bytes();
        let n_known = (self.tasks.n_slots() as u64).saturating_sub(n_unknown);
        let guessed = known.checked_div(n_known).unwrap_or(0).saturating_mul(n_unknown);
        let beside = self.tasks.largest_scratch().saturating_add(self.tasks.table_bytes() as u64);
        let staged = self.tasks.staged_bytes().saturating_mul(2);
        known.saturating_add(guessed).saturating_add(staged).saturating_add(beside) <= limit
    }

    /// Projected most bytes of chunks and scratch in memory at once, when one task runs after the other and what exchanges
    /// stage waits in memory.
    ///
    /// **Cost** linear in tasks and edges: where anything is staged each time, else the first time and where the order did
    /// not have to be searched for.
    pub fn peak_bytes(&self) -> u64 {
        match self.tasks.staged_bytes() {
            0 => self.least_peak_bytes(),
            _ => peak_by(&self.tasks, &Weights::staged_in_memory(&self.tasks), self.order.iter()),
        }
    }

    /// The same when what exchanges stage waits on the disk: what a run cannot do without, but for spilling chunks.
    ///
    /// **Cost** linear in tasks and edges the first time, where the order did not have to be searched for.
    pub fn least_peak_bytes(&self) -> u64 {
        self.order.peak_bytes(&self.tasks)
    }
}

/// Whether any layer asks to go before or after others.
fn has_priorities(tasks: &TaskGraph) -> bool {
    let annotations = tasks.layers().iter().filter_map(|layer| layer.annotations.as_ref());
    annotations.into_iter().any(|annotations| annotations.priority_of() != 0)
}
