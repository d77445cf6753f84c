//! Views: drawings of the graph behind collections, task by task or layer by layer.

mod coloring;
mod layers;
mod tasks;

use musher_graph_core::{Graph, GraphLayer, Plan, Request};

use crate::drawing::{Direction, Drawing};
use crate::error::Error;
use crate::units;

/// What a node of the picture stands for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum View {
    /// A circle for each task and a box for each chunk that it makes, as Dask draws.
    #[default]
    Tasks,
    /// One node for each task; half as many nodes.
    #[doc(alias = "collapse_outputs")]
    Compact,
    /// A box for each layer with its grid, bytes and the line that built it.
    #[doc(alias = "HighLevelGraph")]
    Layers,
}

/// What the colors of the picture tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Coloring {
    /// Chunks and operations differ, nothing else.
    #[default]
    None,
    /// When a task is admitted: dark first, light last.
    #[doc(alias = "order")]
    Order,
    /// Which operation a task belongs to.
    Layer,
    /// How large the chunks are, on a logarithmic scale; gray where that is unknown.
    #[doc(alias = "memory")]
    Bytes,
}

/// How a graph is to be drawn.
///
/// # Examples
///
/// ```
/// use musher_viz::{Coloring, Direction, View, VisualizeOptions};
///
/// let options = VisualizeOptions::default()
///     .direction(Direction::LeftToRight)
///     .view(View::Compact)
///     .color(Coloring::Order)
///     .optimized()
///     .title("after fusing");
/// assert!(options.optimized);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VisualizeOptions {
    /// Where the sources are.
    pub direction: Direction,
    /// What a node stands for.
    pub view: View,
    /// What the colors tell.
    pub color: Coloring,
    /// Whether the graph is drawn as it will run, fused, or as it was built.
    pub optimized: bool,
    /// The line above the picture.
    pub title: Option<String>,
    /// More nodes than this, and layers are drawn instead of tasks.
    pub limit: usize,
}

/// Nodes that a picture may have before it shows less.
const MOST_NODES: usize = 2_000;
/// Edges that a picture may have for each node allowed.
const EDGES_PER_NODE: usize = 10;

impl Default for VisualizeOptions {
    fn default() -> Self {
        Self {
            direction: Direction::default(),
            view: View::default(),
            color: Coloring::default(),
            optimized: false,
            title: None,
            limit: MOST_NODES,
        }
    }
}

impl VisualizeOptions {
    /// The same with another direction; sources are at the top by default.
    #[doc(alias = "rankdir")]
    #[must_use]
    pub fn direction(mut self, direction: Direction) -> Self {
        self.direction = direction;
        self
    }

    /// The same with another view.
    #[must_use]
    pub fn view(mut self, view: View) -> Self {
        self.view = view;
        self
    }

    /// The same with other colors.
    #[must_use]
    pub fn color(mut self, color: Coloring) -> Self {
        self.color = color;
        self
    }

    /// The same, of the graph as it will run.
    #[doc(alias = "optimize_graph")]
    #[must_use]
    pub fn optimized(mut self) -> Self {
        self.optimized = true;
        self
    }

    /// The same with a line above the picture.
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// The same with another limit of nodes; beyond it layers are drawn instead of tasks. 2,000 by default.
    #[must_use]
    pub fn limit(mut self, nodes: usize) -> Self {
        self.limit = nodes;
        self
    }
}

/// The drawing of the graph behind these requests.
pub(crate) fn drawing(requests: &[Request], options: &VisualizeOptions) -> Result<Drawing, Error> {
    let graph = Graph::collect(requests)?;
    let graph = if options.optimized { graph.optimize() } else { graph };
    let plan = Plan::new(graph)?;
    let tasks = plan.tasks();
    let nodes = match options.view {
        View::Tasks => tasks.n_tasks() + tasks.n_slots(),
        View::Compact | View::Layers => tasks.n_tasks(),
    };
    let too_many = nodes > options.limit || tasks.n_edges() > options.limit.saturating_mul(EDGES_PER_NODE);
    let mut drawing = match options.view {
        View::Tasks if !too_many => tasks::drawing(&plan, options.color, tasks::Form::Full),
        View::Compact if !too_many => tasks::drawing(&plan, options.color, tasks::Form::Compact),
        View::Layers => layers::drawing(&plan, options),
        View::Tasks | View::Compact => {
            let mut drawing = layers::drawing(&plan, options);
            let all = units::counted(tasks.n_tasks(), "task");
            drawing.notes.insert(0, format!("{all}: too many to draw each, so this picture shows layers"));
            drawing
        }
    };
    drawing.title.clone_from(&options.title);
    drawing.direction = options.direction;
    Ok(drawing)
}

/// The user's line that built a layer; of a long path the end.
fn built_at(layer: &GraphLayer) -> String {
    let parts: Vec<&str> = layer.caller.file().split(['/', '\\']).collect();
    format!("{}:{}", parts[parts.len().saturating_sub(2)..].join("/"), layer.caller.line())
}

/// `3 × 4`.
fn shape(lengths: &[u32]) -> String {
    lengths.iter().map(|&length| units::count(length as usize)).collect::<Vec<_>>().join(" × ")
}
