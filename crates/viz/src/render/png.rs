//! A scene as pixels.

use tiny_skia::{
    Color as SkiaColor, FillRule, Paint as SkiaPaint, PathBuilder, Pixmap, Rect, Stroke, Transform,
};
use ttf_parser::OutlineBuilder;

use crate::color::{Color, PAPER};
use crate::error::Error;
use crate::font;
use crate::scene::{Anchor, Paint, Scene, Segment, Shape};

/// Pixels per unit of the scene: sharp on dense screens.
const SCALE: f64 = 2.0;
/// More pixels than this and the picture is drawn smaller.
const MOST_PIXELS: f64 = 16e6;

/// The bytes of a PNG file.
pub(crate) fn png(scene: &Scene) -> Result<Vec<u8>, Error> {
    let scale = SCALE.min((MOST_PIXELS / (scene.width * scene.height)).sqrt());
    let (width, height) = ((scene.width * scale).ceil(), (scene.height * scale).ceil());
    let mut pixmap = Pixmap::new(width as u32, height as u32).ok_or(Error::PictureSize { width, height })?;
    pixmap.fill(skia_color(PAPER, 1.0));
    let transform = Transform::from_scale(scale as f32, scale as f32);
    for shape in scene.items.iter().flat_map(|item| &item.shapes) {
        draw(&mut pixmap, shape, transform);
    }
    pixmap.encode_png().map_err(|source| Error::Encode { source: Box::new(source) })
}

fn draw(pixmap: &mut Pixmap, shape: &Shape, transform: Transform) {
    let mut pen = Pen(PathBuilder::new());
    let paint = match shape {
        Shape::Rect { left, top, width, height, radius, paint } => {
            pen.rounded(*left, *top, *width, *height, *radius);
            *paint
        }
        Shape::Ellipse { x, y, across, down, paint } => {
            let bounds = Rect::from_xywh(
                (x - across) as f32,
                (y - down) as f32,
                2.0 * *across as f32,
                2.0 * *down as f32,
            );
            if let Some(bounds) = bounds {
                pen.0.push_oval(bounds);
            }
            *paint
        }
        Shape::Path { segments, paint } => {
            segments.iter().for_each(|segment| pen.segment(segment));
            *paint
        }
        Shape::Text { x, baseline, size, anchor, fill, text } => {
            let share = match anchor {
                Anchor::Start => 0.0,
                Anchor::Middle => 0.5,
                Anchor::End => 1.0,
            };
            font::outline(text, *size, x - share * font::width(text, *size), *baseline, &mut pen);
            Paint { fill: Some(*fill), stroke: None, opacity: 1.0 }
        }
    };
    // A path without area, such as that of a blank text, is no path.
    let Some(path) = pen.0.finish() else { return };
    if let Some(fill) = paint.fill {
        pixmap.fill_path(&path, &skia_paint(fill, paint.opacity), FillRule::Winding, transform, None);
    }
    if let Some((color, width)) = paint.stroke {
        let stroke = Stroke { width: width as f32, ..Stroke::default() };
        pixmap.stroke_path(&path, &skia_paint(color, paint.opacity), &stroke, transform, None);
    }
}

fn skia_color(color: Color, opacity: f64) -> SkiaColor {
    let alpha = (opacity.clamp(0.0, 1.0) * 255.0).round() as u8;
    SkiaColor::from_rgba8(color.red, color.green, color.blue, alpha)
}

fn skia_paint(color: Color, opacity: f64) -> SkiaPaint<'static> {
    let mut paint = SkiaPaint { anti_alias: true, ..SkiaPaint::default() };
    paint.set_color(skia_color(color, opacity));
    paint
}

struct Pen(PathBuilder);

/// Where the control points of a quarter circle lie.
const QUARTER: f64 = 0.552_284_75;

impl Pen {
    fn segment(&mut self, segment: &Segment) {
        match *segment {
            Segment::Move((x, y)) => self.0.move_to(x as f32, y as f32),
            Segment::Line((x, y)) => self.0.line_to(x as f32, y as f32),
            Segment::Curve((x1, y1), (x2, y2), (x, y)) => {
                self.0.cubic_to(x1 as f32, y1 as f32, x2 as f32, y2 as f32, x as f32, y as f32);
            }
            Segment::Close => self.0.close(),
        }
    }

    fn rounded(&mut self, left: f64, top: f64, width: f64, height: f64, radius: f64) {
        let radius = radius.min(width / 2.0).min(height / 2.0);
        let (right, bottom, bow) = (left + width, top + height, radius * (1.0 - QUARTER));
        let outline = [
            Segment::Move((left + radius, top)),
            Segment::Line((right - radius, top)),
            Segment::Curve((right - bow, top), (right, top + bow), (right, top + radius)),
            Segment::Line((right, bottom - radius)),
            Segment::Curve((right, bottom - bow), (right - bow, bottom), (right - radius, bottom)),
            Segment::Line((left + radius, bottom)),
            Segment::Curve((left + bow, bottom), (left, bottom - bow), (left, bottom - radius)),
            Segment::Line((left, top + radius)),
            Segment::Curve((left, top + bow), (left + bow, top), (left + radius, top)),
            Segment::Close,
        ];
        outline.iter().for_each(|segment| self.segment(segment));
    }
}

impl OutlineBuilder for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        self.0.move_to(x, y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.0.line_to(x, y);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        self.0.quad_to(x1, y1, x, y);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        self.0.cubic_to(x1, y1, x2, y2, x, y);
    }

    fn close(&mut self) {
        self.0.close();
    }
}
