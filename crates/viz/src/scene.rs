//! A scene: shapes with coordinates, the same for SVG and PNG.

mod graph;
mod timeline;

use crate::color::Color;

pub(crate) type Point = (f64, f64);

/// Shapes on a sheet of paper; y grows downward.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scene {
    pub(crate) width: f64,
    pub(crate) height: f64,
    pub(crate) items: Vec<Item>,
}

/// Shapes that belong together.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) class: &'static str,
    pub(crate) tooltip: Option<String>,
    pub(crate) shapes: Vec<Shape>,
}

#[derive(Clone, Debug)]
pub(crate) enum Shape {
    Rect { left: f64, top: f64, width: f64, height: f64, radius: f64, paint: Paint },
    Ellipse { x: f64, y: f64, across: f64, down: f64, paint: Paint },
    Path { segments: Vec<Segment>, paint: Paint },
    Text { x: f64, baseline: f64, size: f64, anchor: Anchor, fill: Color, text: String },
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Segment {
    Move(Point),
    Line(Point),
    Curve(Point, Point, Point),
    Close,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Paint {
    pub(crate) fill: Option<Color>,
    /// Color and width.
    pub(crate) stroke: Option<(Color, f64)>,
    pub(crate) opacity: f64,
}

impl Item {
    pub(crate) fn new(class: &'static str, shapes: Vec<Shape>) -> Self {
        Self { class, tooltip: None, shapes }
    }
}

impl Paint {
    pub(crate) fn fill(color: Color) -> Self {
        Self { fill: Some(color), stroke: None, opacity: 1.0 }
    }

    pub(crate) fn line(color: Color, width: f64) -> Self {
        Self { fill: None, stroke: Some((color, width)), opacity: 1.0 }
    }

    pub(crate) fn framed(color: Color, stroke: Color, width: f64) -> Self {
        Self { fill: Some(color), stroke: Some((stroke, width)), opacity: 1.0 }
    }
}

pub(crate) fn text(x: f64, baseline: f64, size: f64, anchor: Anchor, fill: Color, text: &str) -> Shape {
    Shape::Text { x, baseline, size, anchor, fill, text: text.to_owned() }
}
