//! Pictures of musher's graphs and runs, without Graphviz.
//!
//! A [`Drawing`] is a list of labeled nodes and edges. It is laid out in ranks and written as SVG, PNG or DOT by this
//! crate alone: no program, no system library and no system font is needed.

mod color;
mod drawing;
mod error;
mod font;
mod layout;
mod render;
mod save;
mod scene;

pub use color::Color;
pub use drawing::{Direction, Drawing, Edge, Legend, Node, Outline};
pub use error::Error;
