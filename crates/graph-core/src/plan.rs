//! The plan: a graph after optimizing, ordering and costing; it can be explained, forecast, refused and run.

use crate::{Error, Graph, Order, TaskGraph};

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
    tasks: TaskGraph,
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
        let tasks = TaskGraph::lower(graph)?;
        let annotations = || tasks.layers().iter().filter_map(|layer| layer.annotations.as_ref());
        let has_annotations = annotations().next().is_some();
        let mut order = Order::of(&tasks);
        if annotations().any(|annotations| annotations.priority_of() != 0) {
            order = order.by_priority(&tasks);
        }
        Ok(Self { tasks, order, has_annotations })
    }

    /// The tasks.
    pub fn tasks(&self) -> &TaskGraph {
        &self.tasks
    }

    /// The order in which they are admitted.
    pub fn order(&self) -> &Order {
        &self.order
    }

    /// Whether any layer has wishes about how its tasks run.
    pub fn has_annotations(&self) -> bool {
        self.has_annotations
    }

    /// Projected most bytes of chunks and scratch in memory at once, when one task runs after the other.
    ///
    /// **Cost** linear in tasks and edges the first time, where the order did not have to be searched for.
    pub fn peak_bytes(&self) -> u64 {
        self.order.peak_bytes(&self.tasks)
    }
}
