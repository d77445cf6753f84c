//! What an array looks like: its axes and blocks as a drawing in SVG, and as a table for notebooks.
//!
//! Nothing but text is made, and nothing is computed. The last three axes are drawn, as a box seen from the side; the axes before
//! them are said to be there.

use crate::array::Array;
use crate::chunks::Chunking;
use crate::element::Element;
use crate::error::Shape;
use ndarray::Dimension;
use std::fmt::Write as _;
use std::io::Write as _;

/// The longest axis in the drawing, in pixels.
const LONGEST: f64 = 120.0;
/// No axis is drawn shorter than this part of the longest.
const SHORTEST: f64 = 0.12;
/// More borders of blocks than this along an axis are not drawn one by one: there every so many stand for all.
const MOST_LINES: usize = 40;
/// How far the third axis goes to the side and upwards for each pixel of its length.
const SLOPE: f64 = 0.6;
/// Around the drawing, with room for the lengths of the axes.
const MARGIN: f64 = 10.0;
const TEXT: f64 = 50.0;

/// Where on an axis of a drawing blocks begin and end, in pixels.
fn borders(lengths: &[usize], pixels: f64) -> Vec<f64> {
    let total = lengths.iter().sum::<usize>().max(1) as f64;
    let step = lengths.len().div_ceil(MOST_LINES).max(1);
    let mut at = 0;
    let mut found = vec![0.0];
    for (number, length) in lengths.iter().enumerate() {
        at += length;
        if (number + 1) % step == 0 && number + 1 < lengths.len() {
            found.push(at as f64 / total * pixels);
        }
    }
    found.push(pixels);
    found
}

/// How long each axis is drawn: in the ratio of the lengths, but for very short ones.
fn sizes(shape: &[usize]) -> Vec<f64> {
    let longest = shape.iter().copied().max().unwrap_or(1).max(1) as f64;
    shape.iter().map(|&length| LONGEST * (length as f64 / longest).max(SHORTEST)).collect()
}

fn line(svg: &mut String, from: (f64, f64), to: (f64, f64), is_edge: bool) {
    let width = if is_edge { 2.0 } else { 0.5 };
    let ((x1, y1), (x2, y2)) = (from, to);
    // Writing to a text cannot fail.
    let _ = writeln!(
        svg,
        "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" stroke=\"#333\" stroke-width=\"{width}\"/>"
    );
}

/// A parallelogram from a corner, with the borders of blocks along both of its sides.
fn face(svg: &mut String, corner: (f64, f64), sides: [(f64, f64); 2], borders: [&[f64]; 2], fill: &str) {
    let along = |(x, y): (f64, f64), (dx, dy): (f64, f64), part: f64| (x + dx * part, y + dy * part);
    let corners = [
        corner,
        along(corner, sides[0], 1.0),
        along(along(corner, sides[0], 1.0), sides[1], 1.0),
        along(corner, sides[1], 1.0),
    ];
    let points: Vec<String> = corners.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    let _ = writeln!(svg, "<polygon points=\"{}\" fill=\"{fill}\"/>", points.join(" "));
    for (own, other) in [(0, 1), (1, 0)] {
        let whole = borders[own].last().copied().unwrap_or(1.0);
        for &border in borders[own] {
            let start = along(corner, sides[own], if whole > 0.0 { border / whole } else { 0.0 });
            line(svg, start, along(start, sides[other], 1.0), border == 0.0 || border == whole);
        }
    }
}

fn text(svg: &mut String, (x, y): (f64, f64), words: &str) {
    let _ = writeln!(
        svg,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"12\" text-anchor=\"middle\">{words}</text>"
    );
}

/// The drawing of blocks: the last three axes, or as many as there are.
fn drawn(chunking: &Chunking) -> String {
    let shape = chunking.shape();
    let n_before = shape.len().saturating_sub(3);
    let shown = &shape[n_before..];
    let sizes = sizes(shown);
    let axis = |at: usize| borders(chunking.axis(n_before + at), sizes[at]);
    let (mut svg, width, height);
    match shown.len() {
        0 => {
            (svg, width, height) = (String::new(), 20.0, 20.0);
            face(&mut svg, (MARGIN, MARGIN), [(0.0, 8.0), (8.0, 0.0)], [&[0.0, 8.0], &[0.0, 8.0]], "#ecb172");
        }
        1 => {
            (svg, width, height) = (String::new(), sizes[0], LONGEST * SHORTEST);
            let high = [0.0, height];
            face(&mut svg, (MARGIN, MARGIN), [(0.0, height), (width, 0.0)], [&high, &axis(0)], "#ecb172");
            text(&mut svg, (MARGIN + width / 2.0, MARGIN + height + 18.0), &shown[0].to_string());
        }
        n => {
            let (rows, columns) = (n - 2, n - 1);
            let depth = if n == 3 { sizes[0] * SLOPE } else { 0.0 };
            svg = String::new();
            (width, height) = (sizes[columns] + depth, sizes[rows] + depth);
            let (down, right, back) = ((0.0, sizes[rows]), (sizes[columns], 0.0), (depth, depth));
            let front = (MARGIN + depth, MARGIN + depth);
            if n == 3 {
                let corner = (MARGIN, MARGIN);
                face(&mut svg, corner, [back, right], [&axis(0), &axis(columns)], "#f3cfa5");
                face(&mut svg, corner, [back, down], [&axis(0), &axis(rows)], "#d99a57");
                text(&mut svg, (MARGIN + depth / 2.0, MARGIN + height + 2.0), &shown[0].to_string());
            }
            face(&mut svg, front, [down, right], [&axis(rows), &axis(columns)], "#ecb172");
            let below = (front.0 + sizes[columns] / 2.0, front.1 + sizes[rows] + 18.0);
            text(&mut svg, below, &shown[columns].to_string());
            let beside = (front.0 + sizes[columns] + TEXT / 2.0, front.1 + sizes[rows] / 2.0);
            text(&mut svg, beside, &shown[rows].to_string());
        }
    }
    if n_before > 0 {
        let before: Vec<String> = shape[..n_before].iter().map(usize::to_string).collect();
        text(&mut svg, (MARGIN + width / 2.0, MARGIN + height + 34.0), &format!("× {}", before.join(" × ")));
    }
    let (width, height) = (width + 2.0 * MARGIN + TEXT, height + 2.0 * MARGIN + 30.0);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\">\n{svg}</svg>\n"
    )
}

impl<A: Element, D: Dimension> Array<A, D> {
    /// A drawing of the array and its blocks, as SVG: the last axis to the right, the one before it downwards, the one before
    /// that into the depth. Where there are many blocks, every so many stand for all.
    ///
    /// # Examples
    /// ```
    /// use musher_array::Array;
    /// let svg = Array::<f64, _>::zeros((100_000, 100_000), 1_000).to_svg();
    /// assert!(svg.starts_with("<svg") && svg.contains(">100000</text>") && svg.len() < 20_000);
    /// ```
    #[must_use]
    #[doc(alias = "_repr_html_")]
    pub fn to_svg(&self) -> String {
        drawn(self.chunks())
    }

    /// Shows the table of [`to_html`](Self::to_html) beside the drawing of [`to_svg`](Self::to_svg) in a notebook: by this name the
    /// evcxr kernel asks for it, and reads it from the output of the program.
    pub fn evcxr_display(&self) {
        let cells = format!("<tr><td>{}</td><td>{}</td></tr>", self.to_html(), self.to_svg());
        let shown = format!("EVCXR_BEGIN_CONTENT text/html\n<table>{cells}</table>\nEVCXR_END_CONTENT\n");
        // A notebook whose output is gone has nobody to tell.
        let _ = std::io::stdout().write_all(shown.as_bytes());
    }
}

impl<A: Element, D: Dimension> Array<A, D> {
    /// The array in parts of at most `n` indices along its first axis, one after the other: batches to learn from.
    ///
    /// Each part is an array of its own, and is computed when it is asked for: what made the array runs for its part alone.
    ///
    /// **Cost** none before a part is computed; parts that follow the blocks read each block once.
    ///
    /// # Panics
    /// When `n` is 0, or the array has no axes.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::arr1};
    /// use musher_scheduler::Compute;
    /// let x = Array::arange(0, 5, 1, 2);
    /// let sums: Vec<i64> = x.batches(2).map(|batch| batch.sum().compute()).collect::<Result<_, _>>()?;
    /// assert_eq!(sums, [1, 5, 4]);
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[track_caller]
    #[doc(alias = "BatchGenerator")]
    #[doc(alias = "xbatcher")]
    pub fn batches(&self, n: usize) -> impl ExactSizeIterator<Item = Self> + use<A, D> {
        assert!(n > 0, "a batch of no elements, in an array of shape {}", Shape(self.shape()));
        let (array, length) = (self.clone(), self.len_of(ndarray::Axis(0)));
        (0..length.div_ceil(n)).map(move |batch| {
            let end = length.min((batch + 1) * n);
            array.slice_axis(ndarray::Axis(0), ndarray::Slice::from(batch * n..end))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn borders_of_many_blocks_are_thinned() {
        assert_eq!(borders(&[2, 2, 4], 80.0), [0.0, 20.0, 40.0, 80.0]);
        assert_eq!(borders(&[1; 4000], 100.0).len(), 41);
        assert_eq!(borders(&[0], 10.0), [0.0, 10.0]);
    }

    #[test]
    fn axes_are_drawn_by_their_lengths() {
        assert_eq!(sizes(&[100, 50, 1]), [120.0, 60.0, 120.0 * SHORTEST]);
        assert_eq!(sizes(&[]), Vec::<f64>::new());
        for n in 0..6 {
            let svg = drawn(&Chunking::from_lengths(&vec![vec![3, 2]; n]));
            assert!(svg.starts_with("<svg") && svg.ends_with("</svg>\n"), "{svg}");
            assert_eq!(svg.matches("<polygon").count(), if n < 3 { 1 } else { 3 });
        }
    }
}
