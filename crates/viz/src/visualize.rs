//! The methods that draw collections.

use std::path::Path;

use musher_scheduler::Collections;

use crate::drawing::Drawing;
use crate::error::Error;
use crate::view::{self, VisualizeOptions};

/// Draws the graph behind a collection, or behind a tuple or slice of collections, without running it.
///
/// A circle is a task, a box a chunk that it makes; hold the pointer over a node of an SVG to see the line that built
/// it. Graphs of more than 2,000 nodes are drawn layer by layer.
///
/// **Cost**: the graph is planned, then laid out in time linear in nodes and edges, up to a logarithm.
///
/// # Examples
///
/// ```
/// use musher_graph_core::delayed;
/// use musher_viz::{Coloring, Direction, Visualize, VisualizeOptions};
///
/// fn inc(x: i64) -> i64 { x + 1 }
/// fn add(a: i64, b: i64) -> i64 { a + b }
/// let a = delayed(inc).call(1);
/// let b = delayed(add).call((&a, 10));
///
/// let folder = tempfile::tempdir()?;
/// b.visualize(folder.path().join("graph.svg"))?;
/// let options = VisualizeOptions::default().direction(Direction::LeftToRight).color(Coloring::Order);
/// b.visualize_with(folder.path().join("graph.png"), &options)?;
/// (&a, &b).visualize(folder.path().join("both.dot"))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Visualize: Collections + Sized {
    /// Writes the picture to a file; the extension (`svg`, `png`, `dot`) says in which form.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownExtension`] when the extension is another one, [`Error::Plan`] when the graph cannot be
    /// planned, [`Error::Write`] when the file cannot be written.
    #[doc(alias = "dask.visualize")]
    fn visualize(self, path: impl AsRef<Path>) -> Result<(), Error> {
        self.visualize_with(path, &VisualizeOptions::default())
    }

    /// Writes the picture to a file as the options say.
    ///
    /// # Errors
    ///
    /// Those of [`visualize`](Visualize::visualize).
    fn visualize_with(self, path: impl AsRef<Path>, options: &VisualizeOptions) -> Result<(), Error> {
        self.drawing(options)?.save(path)
    }

    /// The picture as the text of an SVG file, complete in itself.
    ///
    /// # Errors
    ///
    /// [`Error::Plan`] when the graph cannot be planned.
    fn to_svg_string(self) -> Result<String, Error> {
        Ok(self.drawing(&VisualizeOptions::default())?.to_svg_string())
    }

    /// The graph in Graphviz's language.
    ///
    /// # Errors
    ///
    /// [`Error::Plan`] when the graph cannot be planned.
    #[doc(alias = "to_graphviz")]
    fn to_dot(self) -> Result<String, Error> {
        Ok(self.drawing(&VisualizeOptions::default())?.to_dot())
    }

    /// The drawing itself, to be changed or written in any form.
    ///
    /// # Errors
    ///
    /// [`Error::Plan`] when the graph cannot be planned.
    fn drawing(self, options: &VisualizeOptions) -> Result<Drawing, Error> {
        view::drawing(&self.requests(), options)
    }
}

impl<C: Collections> Visualize for C {}
