//! Pictures of musher's graphs and runs, without Graphviz.
//!
//! [`Visualize`] gives every collection `visualize("graph.svg")`; [`VisualizeOptions`] choose direction, view and
//! colors. [`Profile`] watches a run and draws which worker did what, when.
//!
//! ```
//! use musher_graph_core::delayed;
//! use musher_viz::Visualize;
//!
//! fn inc(x: i64) -> i64 { x + 1 }
//! let svg = delayed(inc).call(1).to_svg_string()?;
//! assert!(svg.starts_with("<svg") && svg.contains(">inc</text>"));
//! # Ok::<(), musher_viz::Error>(())
//! ```
//!
//! Underneath is a [`Drawing`], a list of labeled nodes and edges. It is laid out in ranks and written as SVG, PNG or
//! DOT by this crate alone: no program, no system library and no system font is needed.

mod color;
mod drawing;
mod error;
mod font;
mod layout;
mod profile;
mod render;
mod save;
mod scene;
mod units;
mod view;
mod visualize;

pub use color::Color;
pub use drawing::{Direction, Drawing, Edge, Legend, Node, Outline};
pub use error::Error;
pub use profile::{OperationTime, Profile};
pub use view::{Coloring, View, VisualizeOptions};
pub use visualize::Visualize;
