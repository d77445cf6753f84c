//! Widths and outlines of the bundled font.
//!
//! The font is compiled in, so that pictures need no system font and come out the same everywhere. An SVG names
//! ordinary families first; DejaVu Sans is wider than they are, so a label measured here fits there.

use std::sync::LazyLock;

use ttf_parser::{Face, GlyphId, OutlineBuilder};

/// The families that an SVG asks for.
pub(crate) const FAMILIES: &str = "DejaVu Sans, Verdana, Helvetica, Arial, sans-serif";

/// See `font/README.md` for its origin and licence.
static BYTES: &[u8] = include_bytes!("../font/DejaVuSans-subset.ttf");

static FACE: LazyLock<Face<'static>> =
    LazyLock::new(|| Face::parse(BYTES, 0).expect("the font compiled in is parsed by the tests"));

/// Width of a line of text in pixels.
pub(crate) fn width(text: &str, size: f64) -> f64 {
    let units: f64 = text.chars().map(|character| advance(glyph(character))).sum();
    units * size / f64::from(FACE.units_per_em())
}

/// `text`, or its beginning and an ellipsis when it is wider than `limit` pixels.
pub(crate) fn elide(text: &str, size: f64, limit: f64) -> String {
    if width(text, size) <= limit {
        return text.to_owned();
    }
    let room = limit - width("…", size);
    let mut used = 0.0;
    let scale = size / f64::from(FACE.units_per_em());
    let mut kept: String = text
        .chars()
        .take_while(|&character| {
            used += advance(glyph(character)) * scale;
            used <= room
        })
        .collect();
    kept.truncate(kept.trim_end().len());
    kept.push('…');
    kept
}

/// Sends the outlines of `text`, whose baseline starts at (`left`, `baseline`), to `pen`.
pub(crate) fn outline(text: &str, size: f64, left: f64, baseline: f64, pen: &mut dyn OutlineBuilder) {
    let scale = size / f64::from(FACE.units_per_em());
    let mut x = left;
    for character in text.chars() {
        let id = glyph(character);
        // A glyph without outline, such as the space, gives no box: nothing to draw.
        let _ =
            FACE.outline_glyph(id, &mut Placed { pen, x: x as f32, y: baseline as f32, scale: scale as f32 });
        x += advance(id) * scale;
    }
}

fn glyph(character: char) -> GlyphId {
    // Glyph 0 is the box that stands for a missing character.
    FACE.glyph_index(character).unwrap_or(GlyphId(0))
}

fn advance(id: GlyphId) -> f64 {
    f64::from(FACE.glyph_hor_advance(id).unwrap_or(0))
}

/// Moves font units (y up) to picture units (y down).
struct Placed<'a> {
    pen: &'a mut dyn OutlineBuilder,
    x: f32,
    y: f32,
    scale: f32,
}

impl Placed<'_> {
    fn at(&self, x: f32, y: f32) -> (f32, f32) {
        (self.x + x * self.scale, self.y - y * self.scale)
    }
}

impl OutlineBuilder for Placed<'_> {
    fn move_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.at(x, y);
        self.pen.move_to(x, y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.at(x, y);
        self.pen.line_to(x, y);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let (x1, y1) = self.at(x1, y1);
        let (x, y) = self.at(x, y);
        self.pen.quad_to(x1, y1, x, y);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let (x1, y1) = self.at(x1, y1);
        let (x2, y2) = self.at(x2, y2);
        let (x, y) = self.at(x, y);
        self.pen.curve_to(x1, y1, x2, y2, x, y);
    }

    fn close(&mut self) {
        self.pen.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_that_labels_use_has_a_glyph() {
        for character in (' '..='~').chain("äéßñøµσΣ×·…→←–—²≤≥≈√∞".chars()) {
            assert!(FACE.glyph_index(character).is_some(), "{character:?} is missing");
        }
    }

    #[test]
    fn width_adds_up_and_scales() {
        assert!((width("abc", 10.0) + width("def", 10.0) - width("abcdef", 10.0)).abs() < 1e-9);
        assert!((2.0 * width("abc", 10.0) - width("abc", 20.0)).abs() < 1e-9);
        assert!(width("W", 10.0) > width("i", 10.0));
    }

    #[test]
    fn elide_keeps_short_text_and_bounds_long_text() {
        assert_eq!(elide("sum", 13.0, 100.0), "sum");
        let short = elide("a rather long name that cannot stay", 13.0, 100.0);
        assert!(short.ends_with('…') && width(&short, 13.0) <= 100.0, "{short}");
        assert_eq!(elide("abc", 13.0, 0.0), "…");
    }
}
