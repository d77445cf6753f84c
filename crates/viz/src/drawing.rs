//! A drawing: labeled nodes and edges, before anything has a place.
//!
//! The views make drawings of graphs; whoever wants a picture of something else can make one by hand.

use std::path::Path;

use crate::color::{self, Color};
use crate::error::Error;
use crate::render;
use crate::save::{self, Format};
use crate::scene::Scene;

/// The direction from sources to results.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Direction {
    /// Sources at the top (Graphviz's `TB`).
    #[default]
    #[doc(alias = "TB")]
    TopToBottom,
    /// Sources at the bottom, as Dask draws by default (Graphviz's `BT`).
    #[doc(alias = "BT")]
    BottomToTop,
    /// Sources at the left (Graphviz's `LR`).
    #[doc(alias = "LR")]
    LeftToRight,
    /// Sources at the right (Graphviz's `RL`).
    #[doc(alias = "RL")]
    RightToLeft,
}

/// The outline of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outline {
    /// A box: data.
    Box,
    /// A circle, or an ellipse around a longer label: an operation.
    Ellipse,
}

/// A node of a drawing.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Node {
    /// The text in the node; a long one is broken into lines, and cut where it still does not fit.
    pub label: String,
    /// Further lines below the label, smaller.
    pub details: Vec<String>,
    /// The outline.
    pub outline: Outline,
    /// The color inside.
    pub fill: Color,
    /// What a viewer shows when the pointer rests on the node.
    pub tooltip: String,
}

impl Node {
    /// A box that stands for data.
    pub fn data(label: impl Into<String>) -> Self {
        Self::new(label.into(), Outline::Box, color::DATA)
    }

    /// A circle that stands for an operation.
    pub fn operation(label: impl Into<String>) -> Self {
        Self::new(label.into(), Outline::Ellipse, color::OPERATION)
    }

    /// The same node with another color inside.
    #[must_use]
    pub fn fill(mut self, fill: Color) -> Self {
        self.fill = fill;
        self
    }

    /// The same node with further lines below its label.
    #[must_use]
    pub fn details(mut self, lines: impl IntoIterator<Item = String>) -> Self {
        self.details = lines.into_iter().collect();
        self
    }

    /// The same node with another tooltip than its label.
    #[must_use]
    pub fn tooltip(mut self, tooltip: impl Into<String>) -> Self {
        self.tooltip = tooltip.into();
        self
    }

    fn new(label: String, outline: Outline, fill: Color) -> Self {
        Self { tooltip: label.clone(), label, details: Vec::new(), outline, fill }
    }
}

/// An edge of a drawing: something flows from one node to another.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Edge {
    /// Place of the node where the edge starts.
    pub from: usize,
    /// Place of the node where the edge ends.
    pub to: usize,
    /// Whether the edge is part of a line that should be drawn straight, before all others.
    pub straight: bool,
}

/// What the colors of a drawing mean.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Legend {
    /// Each color is a group with a name.
    Groups(Vec<(String, Color)>),
    /// The perceptual color map, from one value to another.
    Scale {
        /// What is measured.
        name: String,
        /// The text at the dark end.
        low: String,
        /// The text at the light end.
        high: String,
    },
}

/// Labeled nodes and edges, ready to be drawn.
///
/// **Cost**: layout and drawing take time linear in nodes and edges, up to a logarithm.
///
/// # Examples
///
/// ```
/// use musher_viz::{Drawing, Node};
///
/// let mut drawing = Drawing::new();
/// let one = drawing.node(Node::data("1"));
/// let inc = drawing.node(Node::operation("inc"));
/// drawing.edge(one, inc);
/// assert!(drawing.to_svg_string().starts_with("<svg"));
/// assert!(drawing.to_dot().contains("inc"));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Drawing {
    /// The line above the picture.
    pub title: Option<String>,
    /// Smaller lines below the title.
    pub notes: Vec<String>,
    /// The nodes; edges name them by their place.
    pub nodes: Vec<Node>,
    /// The edges.
    pub edges: Vec<Edge>,
    /// What the colors mean.
    pub legend: Option<Legend>,
    /// Where the sources are.
    pub direction: Direction,
}

impl Drawing {
    /// A drawing without nodes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a node and gives its place.
    pub fn node(&mut self, node: Node) -> usize {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    /// Adds an edge between the nodes at two places.
    ///
    /// # Panics
    ///
    /// When there is no node at one of the places.
    #[track_caller]
    pub fn edge(&mut self, from: usize, to: usize) {
        self.push_edge(Edge { from, to, straight: false });
    }

    /// Adds an edge that is kept straight before all others.
    ///
    /// # Panics
    ///
    /// When there is no node at one of the places.
    #[track_caller]
    pub fn straight_edge(&mut self, from: usize, to: usize) {
        self.push_edge(Edge { from, to, straight: true });
    }

    /// The picture as the text of an SVG file, complete in itself.
    ///
    /// Labels are escaped: no label can become markup.
    pub fn to_svg_string(&self) -> String {
        render::svg(&Scene::of_drawing(self))
    }

    /// The graph in Graphviz's language.
    #[doc(alias = "to_graphviz")]
    #[doc(alias = "dot_graph")]
    pub fn to_dot(&self) -> String {
        render::dot(self)
    }

    /// The picture as the bytes of a PNG file, two pixels per unit of the SVG.
    ///
    /// A picture of more than 16 million pixels is drawn smaller.
    ///
    /// # Errors
    ///
    /// [`Error::PictureSize`] or [`Error::Encode`] when the pixels cannot be made.
    pub fn to_png(&self) -> Result<Vec<u8>, Error> {
        render::png(&Scene::of_drawing(self))
    }

    /// Writes the picture to a file; the extension (`svg`, `png`, `dot`) says in which form.
    ///
    /// The file is written beside and renamed, so that a reader never sees a part of it.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownExtension`] when the extension is another one, [`Error::Write`] when the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let path = path.as_ref();
        let bytes = match Format::of(path)? {
            Format::Svg => self.to_svg_string().into_bytes(),
            Format::Dot => self.to_dot().into_bytes(),
            Format::Png => self.to_png()?,
        };
        save::write(path, &bytes)
    }

    #[track_caller]
    fn push_edge(&mut self, edge: Edge) {
        let last = edge.from.max(edge.to);
        assert!(last < self.nodes.len(), "edge names node {last}, but there are {} nodes", self.nodes.len());
        self.edges.push(edge);
    }
}
