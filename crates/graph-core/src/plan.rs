//! The plan: a graph after optimizing, ordering and costing; it can be explained, refused and run.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::panic::Location;

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
        let order = Order::of(&tasks);
        let has_annotations = tasks.layers().iter().any(|layer| layer.annotations.is_some());
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

    /// What will happen, for a person to read.
    pub fn explain(&self) -> Explain {
        let layers = self.tasks.layers().iter().zip(self.tasks.tables());
        let layers = layers.filter(|(_, table)| table.n_tasks() > 0).map(|(layer, table)| LayerSummary {
            label: layer.task.label().into_owned(),
            grid: layer.grid.shape().to_vec(),
            n_tasks: table.n_tasks(),
            largest_output: (table.facts.unknown_outputs == 0).then_some(table.facts.largest_output),
            output_bytes: table.facts.output_bytes,
            scratch_bytes: table.facts.largest_scratch,
            bytes_read: table.facts.bytes_read,
            bytes_written: table.facts.bytes_written,
            caller: layer.caller,
        });
        Explain {
            layers: layers.collect(),
            n_edges: self.tasks.n_edges(),
            peak_bytes: self.order.peak_bytes(&self.tasks),
            strategy: self.order.strategy,
        }
    }
}

/// A plan in figures; its `Display` is a table.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Explain {
    /// The layers, producers first.
    pub layers: Vec<LayerSummary>,
    /// Edges between tasks.
    pub n_edges: usize,
    /// Projected most bytes alive at once when one task runs after the other.
    pub peak_bytes: u64,
    /// Which order was chosen.
    pub strategy: &'static str,
}

/// One layer of a plan in figures.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct LayerSummary {
    /// Label of its task.
    pub label: String,
    /// Tasks along each axis, before unneeded ones are culled.
    pub grid: Vec<u32>,
    /// Tasks that will run.
    pub n_tasks: usize,
    /// Bytes of the largest output; `None` where a task does not say.
    pub largest_output: Option<u64>,
    /// Bytes of all outputs that are known.
    pub output_bytes: u64,
    /// Most bytes that a task needs beside inputs and outputs.
    pub scratch_bytes: u64,
    /// Bytes read from files.
    pub bytes_read: u64,
    /// Bytes written to files.
    pub bytes_written: u64,
    /// The user's line.
    pub caller: &'static Location<'static>,
}

impl Explain {
    /// Tasks that will run.
    pub fn n_tasks(&self) -> usize {
        self.layers.iter().map(|layer| layer.n_tasks).sum()
    }

    /// The layers as rows of a table: what one line of the user's built several times, such as in a loop, is one row.
    fn rows(&self) -> Vec<LayerSummary> {
        let mut rows: Vec<LayerSummary> = Vec::new();
        let mut seen: HashMap<(&str, &Location<'_>), usize> = HashMap::new();
        for layer in &self.layers {
            match seen.entry((&layer.label, layer.caller)) {
                Entry::Vacant(vacant) => {
                    vacant.insert(rows.len());
                    rows.push(layer.clone());
                }
                Entry::Occupied(row) => {
                    let row = &mut rows[*row.get()];
                    row.n_tasks += layer.n_tasks;
                    row.largest_output = row.largest_output.zip(layer.largest_output).map(|(a, b)| a.max(b));
                    row.output_bytes += layer.output_bytes;
                    row.scratch_bytes = row.scratch_bytes.max(layer.scratch_bytes);
                    row.bytes_read += layer.bytes_read;
                    row.bytes_written += layer.bytes_written;
                }
            }
        }
        rows
    }

    /// Bytes read from files.
    pub fn bytes_read(&self) -> u64 {
        self.layers.iter().fold(0, |sum, layer| sum.saturating_add(layer.bytes_read))
    }

    /// Bytes written to files.
    pub fn bytes_written(&self) -> u64 {
        self.layers.iter().fold(0, |sum, layer| sum.saturating_add(layer.bytes_written))
    }

    /// Whether some outputs are of unknown size, so that the projected peak is an estimate.
    pub fn has_unknown(&self) -> bool {
        self.layers.iter().any(|layer| layer.largest_output.is_none())
    }
}

/// Bytes for a person to read: `1.5 MiB`.
pub(crate) struct Bytes(pub(crate) u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
        if self.0 < 1024 {
            return f.pad(&format!("{} B", self.0));
        }
        let power = (self.0.ilog2() / 10).min(units.len() as u32);
        let value = self.0 as f64 / 1024f64.powi(power as i32);
        let unit = units[power as usize - 1];
        f.pad(&if value < 10.0 { format!("{value:.1} {unit}") } else { format!("{value:.0} {unit}") })
    }
}

impl fmt::Display for Explain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MOST_ROWS: usize = 40;
        let width =
            self.layers.iter().map(|layer| layer.label.chars().count()).max().unwrap_or(0).clamp(9, 44);
        let (tasks, n_layers) = (self.n_tasks(), self.layers.len());
        let of = |n: usize| if n == 1 { "" } else { "s" };
        let edges = self.n_edges;
        writeln!(
            f,
            "plan: {tasks} task{} in {n_layers} layer{}, {edges} edge{}",
            of(tasks),
            of(n_layers),
            of(edges)
        )?;
        let about =
            if self.has_unknown() { " (some chunks of unknown size, counted as the mean)" } else { "" };
        writeln!(f, "projected peak of chunks, one task at a time: {}{about}", Bytes(self.peak_bytes))?;
        writeln!(f, "reads {}, writes {}", Bytes(self.bytes_read()), Bytes(self.bytes_written()))?;
        writeln!(f)?;
        writeln!(
            f,
            "{:<width$}  {:>9}  {:>10}  {:>10}  {:>9}  built at",
            "operation", "tasks", "chunk", "all", "read"
        )?;
        let rows = self.rows();
        for layer in rows.iter().take(MOST_ROWS) {
            let label: String = match layer.label.chars().count() > width {
                true => layer.label.chars().take(width - 1).chain(['…']).collect(),
                false => layer.label.clone(),
            };
            let (chunk, all) = match layer.largest_output {
                Some(bytes) => (Bytes(bytes).to_string(), Bytes(layer.output_bytes).to_string()),
                None => ("unknown".into(), "unknown".into()),
            };
            let read = if layer.bytes_read > 0 { Bytes(layer.bytes_read).to_string() } else { String::new() };
            let caller = format_args!("{}:{}", layer.caller.file(), layer.caller.line());
            writeln!(
                f,
                "{label:<width$}  {:>9}  {chunk:>10}  {all:>10}  {read:>9}  {caller}",
                layer.n_tasks
            )?;
        }
        if rows.len() > MOST_ROWS {
            writeln!(f, "… and {} more", rows.len() - MOST_ROWS)?;
        }
        write!(f, "order: {}", self.strategy)
    }
}
