//! A scene as SVG, written by hand: no script, no style sheet, nothing loaded from elsewhere.

use std::fmt::{self, Write};

use crate::font;
use crate::scene::{Anchor, Item, Paint, Scene, Segment, Shape};

/// The text of an SVG file.
pub(crate) fn svg(scene: &Scene) -> String {
    let mut text = String::new();
    write_scene(scene, &mut text).expect("a string takes all that is written");
    text
}

fn write_scene(scene: &Scene, out: &mut String) -> fmt::Result {
    let (width, height) = (Number(scene.width), Number(scene.height));
    writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" font-family=\"{}\">",
        font::FAMILIES
    )?;
    for item in &scene.items {
        write_item(item, out)?;
    }
    out.write_str("</svg>\n")
}

fn write_item(item: &Item, out: &mut String) -> fmt::Result {
    write!(out, "<g class=\"{}\">", item.class)?;
    if let Some(tooltip) = &item.tooltip {
        write!(out, "<title>{}</title>", Escaped(tooltip))?;
    }
    for shape in &item.shapes {
        write_shape(shape, out)?;
    }
    out.write_str("</g>\n")
}

fn write_shape(shape: &Shape, out: &mut String) -> fmt::Result {
    match shape {
        Shape::Rect { left, top, width, height, radius, paint } => {
            write!(
                out,
                "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"",
                Number(*left),
                Number(*top),
                Number(*width),
                Number(*height)
            )?;
            if *radius > 0.0 {
                write!(out, " rx=\"{}\"", Number(*radius))?;
            }
            write!(out, "{}/>", PaintAttributes(paint))
        }
        Shape::Ellipse { x, y, across, down, paint } => write!(
            out,
            "<ellipse cx=\"{}\" cy=\"{}\" rx=\"{}\" ry=\"{}\"{}/>",
            Number(*x),
            Number(*y),
            Number(*across),
            Number(*down),
            PaintAttributes(paint)
        ),
        Shape::Path { segments, paint } => {
            out.write_str("<path d=\"")?;
            for segment in segments {
                write_segment(segment, out)?;
            }
            write!(out, "\"{}/>", PaintAttributes(paint))
        }
        Shape::Text { x, baseline, size, anchor, fill, text } => {
            write!(
                out,
                "<text x=\"{}\" y=\"{}\" font-size=\"{}\" fill=\"{fill}\"",
                Number(*x),
                Number(*baseline),
                Number(*size)
            )?;
            out.write_str(match anchor {
                Anchor::Start => "",
                Anchor::Middle => " text-anchor=\"middle\"",
                Anchor::End => " text-anchor=\"end\"",
            })?;
            write!(out, ">{}</text>", Escaped(text))
        }
    }
}

fn write_segment(segment: &Segment, out: &mut String) -> fmt::Result {
    match *segment {
        Segment::Move((x, y)) => write!(out, "M{} {}", Number(x), Number(y)),
        Segment::Line((x, y)) => write!(out, "L{} {}", Number(x), Number(y)),
        Segment::Curve((x1, y1), (x2, y2), (x, y)) => write!(
            out,
            "C{} {} {} {} {} {}",
            Number(x1),
            Number(y1),
            Number(x2),
            Number(y2),
            Number(x),
            Number(y)
        ),
        Segment::Close => out.write_char('Z'),
    }
}

struct PaintAttributes<'a>(&'a Paint);

impl fmt::Display for PaintAttributes<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.fill {
            Some(fill) => write!(formatter, " fill=\"{fill}\"")?,
            None => formatter.write_str(" fill=\"none\"")?,
        }
        if let Some((stroke, width)) = self.0.stroke {
            write!(formatter, " stroke=\"{stroke}\" stroke-width=\"{}\"", Number(width))?;
        }
        if self.0.opacity < 1.0 {
            write!(formatter, " opacity=\"{}\"", Number(self.0.opacity))?;
        }
        Ok(())
    }
}

/// A number with at most two digits after the point.
struct Number(f64);

impl fmt::Display for Number {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Adding zero turns -0 into 0.
        let rounded = (self.0 * 100.0).round() / 100.0 + 0.0;
        write!(formatter, "{rounded}")
    }
}

/// Text that cannot become markup; characters that XML forbids are shown as replacement characters.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            match character {
                '<' => formatter.write_str("&lt;")?,
                '>' => formatter.write_str("&gt;")?,
                '&' => formatter.write_str("&amp;")?,
                '"' => formatter.write_str("&quot;")?,
                '\'' => formatter.write_str("&#39;")?,
                '\n' | '\t' => formatter.write_char(character)?,
                control if control.is_control() => formatter.write_char('\u{fffd}')?,
                '\u{fffe}' | '\u{ffff}' => formatter.write_char('\u{fffd}')?,
                other => formatter.write_char(other)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_plain() {
        let written: Vec<String> = [1.0, -0.001, 2.5, 3.14259, 1e7, -12.345]
            .iter()
            .map(|&value| Number(value).to_string())
            .collect();
        assert_eq!(written, ["1", "0", "2.5", "3.14", "10000000", "-12.35"]);
    }

    #[test]
    fn no_text_becomes_markup() {
        assert_eq!(
            Escaped("<img onerror='a'>&\"\u{0}\u{ffff}").to_string(),
            "&lt;img onerror=&#39;a&#39;&gt;&amp;&quot;\u{fffd}\u{fffd}"
        );
    }
}
