//! The exit to petgraph: a graph's layers and a plan's tasks, for all the algorithms that are there already.
//!
//! The engine itself stays with flat tables: of a million equal tasks it holds no node each.

use petgraph::graph::{DiGraph, NodeIndex};
use smallvec::SmallVec;

use crate::graph::{Graph, GraphInput, GraphLayer};
use crate::lower::{SlotIx, TaskGraph, TaskIx};
use crate::plan::Plan;

/// A task of a plan, as a node of [`Plan::to_petgraph`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct TaskNode {
    /// The task; its layer, label and place are found by [`TaskGraph`](crate::TaskGraph).
    pub task: TaskIx,
    /// Where it stands in the order of the plan.
    pub position: usize,
    /// About how many nanoseconds it takes, where its facts say so.
    pub cost_ns: Option<u64>,
}

/// An input of a task, as an edge of [`Plan::to_petgraph`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct DataEdge {
    /// The output that is read.
    pub slot: SlotIx,
    /// Its bytes, where they are known before running.
    pub bytes: Option<u64>,
}

impl Graph {
    /// The layers as a petgraph: a node for each layer, with the index that [`LayerIx`](crate::LayerIx) has, and an edge
    /// from producer to consumer for each input.
    ///
    /// A hand-made layer reads its own tasks; that is no edge, so the result has no cycle.
    ///
    /// **Cost** linear in layers and inputs.
    ///
    /// # Examples
    /// ```
    /// use musher_graph_core::petgraph::algo::toposort;
    /// use musher_graph_core::{Collection, Graph, delayed};
    /// let one = delayed(|| 1).label("one").call(());
    /// let two = delayed(|x: i32, y: i32| x + y).label("two").call((&one, &one));
    /// let graph = Graph::collect(&[two.request()])?;
    /// let layers = graph.to_petgraph();
    /// let sorted = toposort(&layers, None).expect("a graph of layers has no cycle");
    /// let labels: Vec<_> = sorted.into_iter().map(|layer| layers[layer].task.label()).collect();
    /// assert_eq!(labels, ["one", "two"]);
    /// assert_eq!(layers.edge_count(), 2);
    /// # Ok::<(), musher_graph_core::Error>(())
    /// ```
    pub fn to_petgraph(&self) -> DiGraph<&GraphLayer, &GraphInput> {
        let n_edges = self.layers().iter().map(|layer| layer.inputs.len()).sum();
        let mut graph = DiGraph::with_capacity(self.layers().len(), n_edges);
        for layer in self.layers() {
            let own = graph.add_node(layer);
            for input in &layer.inputs {
                let producer = NodeIndex::new(input.producer.index());
                if producer != own {
                    graph.add_edge(producer, own, input);
                }
            }
        }
        graph
    }
}

impl Plan {
    /// The tasks as a petgraph: a node for each task, with the index that [`TaskIx`] has, and an edge from producer to
    /// reader for each input.
    ///
    /// **Cost** linear in tasks and edges; each task is asked for its facts.
    ///
    /// # Examples
    /// The longest path by time is the least that a run can take, on however many threads:
    /// ```
    /// use musher_graph_core::petgraph::{Direction::Incoming, algo::toposort};
    /// use musher_graph_core::*;
    /// let work = |label: &'static str, ns| {
    ///     let task = FnTask::new(label, move |_: Place<'_>, _: &mut Inputs<'_>| Ok(Value(0)));
    ///     Layer::build(task.facts(move |_, _| Facts::bytes(8).cost(ns)))
    /// };
    /// let load = Port::of(work("load", 500).finish(Grid::from([4])));
    /// let sum = work("sum", 200).input(&load, Wiring::All).finish(Grid::scalar());
    /// let request = Request { port: Port::of(sum), places: Places::All };
    /// let plan = Plan::new(Graph::collect(&[request])?)?;
    ///
    /// let tasks = plan.to_petgraph();
    /// assert_eq!((tasks.node_count(), tasks.edge_count()), (5, 4));
    /// let mut ends = vec![0; tasks.node_count()];
    /// for task in toposort(&tasks, None).expect("tasks form no cycle") {
    ///     let start = tasks.neighbors_directed(task, Incoming).map(|before| ends[before.index()]).max();
    ///     ends[task.index()] = start.unwrap_or(0) + tasks[task].cost_ns.unwrap_or(0);
    /// }
    /// assert_eq!(ends.into_iter().max(), Some(700));
    /// # Ok::<(), musher_graph_core::Error>(())
    /// ```
    pub fn to_petgraph(&self) -> DiGraph<TaskNode, DataEdge> {
        let tasks = self.tasks();
        let mut graph = DiGraph::with_capacity(tasks.n_tasks(), tasks.n_edges());
        for task in (0..tasks.n_tasks() as u32).map(TaskIx) {
            let cost_ns = cost_of(tasks, task);
            let own = graph.add_node(TaskNode { task, position: self.order().position_of(task), cost_ns });
            for &slot in tasks.inputs_of(task) {
                let edge = DataEdge { slot, bytes: tasks.bytes_of(slot) };
                graph.add_edge(NodeIndex::new(tasks.task_of(slot).index()), own, edge);
            }
        }
        graph
    }
}

/// What a task says of its time, told the bytes of its inputs as the planner tells it.
fn cost_of(tasks: &TaskGraph, task: TaskIx) -> Option<u64> {
    let bytes = |&slot: &SlotIx| Some(tasks.bytes_of(slot)?.saturating_add(tasks.staged_of(slot)));
    let inputs: SmallVec<[Option<u64>; 8]> = tasks.inputs_of(task).iter().map(bytes).collect();
    tasks.layer(task).task.facts(tasks.place_of(task), &inputs).cost_ns
}
