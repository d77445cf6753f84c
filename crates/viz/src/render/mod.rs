//! The writers: SVG and PNG of a scene, DOT of a drawing.

mod dot;
mod png;
mod svg;

pub(crate) use dot::dot;
pub(crate) use png::png;
pub(crate) use svg::svg;
