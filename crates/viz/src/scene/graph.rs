//! The scene of a drawing: nodes where the layout puts them, edges as curves, title, notes and legend around them.

use std::collections::HashSet;

use super::{Anchor, Item, Paint, Point, Scene, Segment, Shape, text};
use crate::color::{self, Color};
use crate::drawing::{Direction, Drawing, Legend, Node, Outline};
use crate::font;
use crate::layout::{Arrangement, Bend, Extent, Link, Route, Spacing, arrange};

const LABEL_SIZE: f64 = 13.0;
const DETAIL_SIZE: f64 = 10.5;
const TITLE_SIZE: f64 = 17.0;
const NOTE_SIZE: f64 = 11.5;
/// Labels are broken into lines when they are wider than this.
const WIDEST_LINE: f64 = 150.0;
const MOST_LINES: usize = 3;
/// Lines are cut when they are wider than this.
const WIDEST_LABEL: f64 = 230.0;
const MARGIN: f64 = 24.0;
const ARROW_LENGTH: f64 = 7.0;
const ARROW_WIDTH: f64 = 5.6;
/// How far the control points of a curve lie from its ends, as a share of the way along the flow.
const REACH: f64 = 0.4;
/// The same across the flow, at a node; lines through many ranks arrive without leaning.
const LEAN: f64 = 0.16;
/// A straight edge outweighs every other edge of its node.
const STRAIGHT_WEIGHT: f64 = 64.0;

impl Scene {
    /// Lays out a drawing.
    pub(crate) fn of_drawing(drawing: &Drawing) -> Self {
        Sheet::new(drawing).scene()
    }
}

/// A node with its text cut and measured.
struct Measured {
    lines: Vec<(String, f64, Color)>,
    width: f64,
    height: f64,
}

impl Measured {
    fn new(node: &Node) -> Self {
        let ink = node.fill.ink();
        let faint = node.fill.faint_ink();
        let label = wrapped(&node.label);
        let mut lines: Vec<(String, f64, Color)> =
            label.into_iter().map(|line| (line, LABEL_SIZE, ink)).collect();
        lines.extend(node.details.iter().map(|line| (cut(line, DETAIL_SIZE), DETAIL_SIZE, faint)));
        let text_width = lines.iter().map(|(line, size, _)| font::width(line, *size)).fold(0.0, f64::max);
        let text_height: f64 = lines.iter().map(|(_, size, _)| line_height(*size)).sum();
        let (width, height) = match node.outline {
            Outline::Box => ((text_width + 16.0).max(30.0), text_height + 10.0),
            Outline::Ellipse => {
                let height = text_height * 1.35 + 14.0;
                // The ellipse through the corners of a text block with these proportions is this much wider.
                ((text_width * 1.16 + 22.0).max(height), height)
            }
        };
        // Whole pixels keep the text of an SVG short.
        Self { lines, width: width.ceil(), height: height.ceil() }
    }
}

/// A drawing on its way to a scene.
struct Sheet<'a> {
    drawing: &'a Drawing,
    measured: Vec<Measured>,
    links: Vec<Link>,
    arrangement: Arrangement,
}

impl<'a> Sheet<'a> {
    fn new(drawing: &'a Drawing) -> Self {
        let measured: Vec<Measured> = drawing.nodes.iter().map(Measured::new).collect();
        let upright = matches!(drawing.direction, Direction::TopToBottom | Direction::BottomToTop);
        let extents: Vec<Extent> = measured
            .iter()
            .map(|one| match upright {
                true => Extent { across: one.width, along: one.height },
                false => Extent { across: one.height, along: one.width },
            })
            .collect();
        // The same data used twice by one operation is one line.
        let mut seen = HashSet::new();
        let links: Vec<Link> = drawing
            .edges
            .iter()
            .filter(|edge| edge.from != edge.to && seen.insert((edge.from, edge.to)))
            .map(|edge| Link {
                from: edge.from,
                to: edge.to,
                weight: if edge.straight { STRAIGHT_WEIGHT } else { 1.0 },
            })
            .collect();
        let spacing = match upright {
            true => Spacing { nodes: 18.0, bends: 12.0, ranks: 30.0, spread: 0.16, components: 30.0 },
            false => Spacing { nodes: 12.0, bends: 10.0, ranks: 36.0, spread: 0.45, components: 18.0 },
        };
        let arrangement = arrange(&extents, &links, spacing);
        Self { drawing, measured, links, arrangement }
    }

    fn scene(&self) -> Scene {
        let (head, head_width, head_height) = self.head();
        let (width, height) = self.flow_size();
        let (foot_shapes, foot_width, foot_height) = legend(self.drawing.legend.as_ref());
        let inner = width.max(head_width).max(foot_width);
        // A narrow graph stands in the middle below a wide title.
        let (left, top) = (MARGIN + (inner - width) / 2.0, MARGIN + head_height);
        let mut items = vec![Item::new("head", head)];
        items.extend((0..self.measured.len()).map(|node| shifted(self.trunk(node), left, top)));
        items.extend((0..self.links.len()).map(|link| shifted(self.edge(link), left, top)));
        items.extend((0..self.measured.len()).map(|node| shifted(self.node(node), left, top)));
        items.push(shifted(Item::new("legend", foot_shapes), MARGIN, top + height));
        items.retain(|item| !item.shapes.is_empty());
        let mut scene = Scene {
            width: (inner + 2.0 * MARGIN).ceil(),
            height: (head_height + height + foot_height + 2.0 * MARGIN).ceil(),
            items,
        };
        let paper = Shape::Rect {
            left: 0.0,
            top: 0.0,
            width: scene.width,
            height: scene.height,
            radius: 0.0,
            paint: Paint::fill(color::PAPER),
        };
        scene.items.insert(0, Item::new("paper", vec![paper]));
        scene
    }

    /// Title and notes, with the room they take.
    fn head(&self) -> (Vec<Shape>, f64, f64) {
        let mut shapes = Vec::new();
        let (mut bottom, mut widest) = (0.0, 0.0_f64);
        let title = self.drawing.title.iter().map(|line| (line, TITLE_SIZE, color::INK));
        let notes = self.drawing.notes.iter().map(|line| (line, NOTE_SIZE, color::FAINT_INK));
        for (line, size, ink) in title.chain(notes) {
            let line = one_line(line);
            shapes.push(text(MARGIN, MARGIN + bottom + size, size, Anchor::Start, ink, &line));
            widest = widest.max(font::width(&line, size));
            bottom += line_height(size);
        }
        let height = if shapes.is_empty() { 0.0 } else { bottom + 14.0 };
        (shapes, widest, height)
    }

    /// Width and height of the nodes and edges.
    fn flow_size(&self) -> (f64, f64) {
        match self.drawing.direction {
            Direction::TopToBottom | Direction::BottomToTop => {
                (self.arrangement.across, self.arrangement.along)
            }
            Direction::LeftToRight | Direction::RightToLeft => {
                (self.arrangement.along, self.arrangement.across)
            }
        }
    }

    /// From (across, along) to picture coordinates.
    fn at(&self, across: f64, along: f64) -> Point {
        match self.drawing.direction {
            Direction::TopToBottom => (across, along),
            Direction::BottomToTop => (across, self.arrangement.along - along),
            Direction::LeftToRight => (along, across),
            Direction::RightToLeft => (self.arrangement.along - along, across),
        }
    }

    fn node(&self, index: usize) -> Item {
        let node = &self.drawing.nodes[index];
        let measured = &self.measured[index];
        let (across, along) = self.arrangement.centers[index];
        let (x, y) = self.at(across, along);
        let paint = Paint::framed(node.fill, node.fill.mix(color::INK, 0.45), 1.2);
        let outline = match node.outline {
            Outline::Box => Shape::Rect {
                left: x - measured.width / 2.0,
                top: y - measured.height / 2.0,
                width: measured.width,
                height: measured.height,
                radius: 4.0,
                paint,
            },
            Outline::Ellipse => {
                Shape::Ellipse { x, y, across: measured.width / 2.0, down: measured.height / 2.0, paint }
            }
        };
        let mut shapes = vec![outline];
        let text_height: f64 = measured.lines.iter().map(|(_, size, _)| line_height(*size)).sum();
        let mut top = y - text_height / 2.0;
        for (line, size, ink) in &measured.lines {
            // The baseline stands so that capitals are in the middle of their line.
            let baseline = top + line_height(*size) / 2.0 + 0.36 * size;
            shapes.push(text(x, baseline, *size, Anchor::Middle, *ink, line));
            top += line_height(*size);
        }
        Item { class: "node", tooltip: Some(node.tooltip.clone()), shapes }
    }

    /// The line that the long edges of a node share.
    fn trunk(&self, node: usize) -> Item {
        let trunk = &self.arrangement.trunks[node];
        let Some(first) = trunk.first() else { return Item::new("edge", Vec::new()) };
        let mut pen = self.port(node, first.across, 1.0);
        let mut segments = vec![self.move_to(pen)];
        let mut lean = LEAN;
        for &Bend { across, enter, leave } in trunk {
            segments.push(self.curve(pen, lean, (across, enter), 0.0));
            segments.push(self.line_to((across, leave)));
            pen = (across, leave);
            lean = 0.0;
        }
        Item::new("edge", vec![line(segments)])
    }

    /// The line from a node, or from where the edge leaves its trunk, to the target, and the tip of the arrow.
    fn edge(&self, index: usize) -> Item {
        let Link { from, to, .. } = self.links[index];
        let Route { bends, turned } = self.arrangement.routes[index];
        let (from, to) = if turned { (to, from) } else { (from, to) };
        let centers = &self.arrangement.centers;
        let trunk = &self.arrangement.trunks[from];
        let (start, lean) = match bends {
            0 => (self.port(from, centers[to].0, 1.0), LEAN),
            _ => ((trunk[bends - 1].across, trunk[bends - 1].leave), 0.0),
        };
        let end = self.port(to, start.0, -1.0);
        if turned {
            let first = trunk.first().filter(|_| bends > 0).map_or(centers[to].0, |bend| bend.across);
            let segments = vec![self.move_to(start), self.curve(start, lean, end, LEAN)];
            return Item::new(
                "edge",
                vec![line(segments), self.arrow(self.port(from, first, 1.0), (0.0, -1.0))],
            );
        }
        // The arrow points where the curve arrives; the line ends within it.
        let (aside, ahead) = (LEAN * (end.0 - start.0), REACH * (end.1 - start.1));
        let length = aside.hypot(ahead).max(f64::MIN_POSITIVE);
        let arrival = (aside / length, ahead / length);
        let neck = (end.0 - 0.8 * ARROW_LENGTH * arrival.0, end.1 - 0.8 * ARROW_LENGTH * arrival.1);
        let segments = vec![self.move_to(start), self.curve(start, lean, neck, LEAN)];
        Item::new("edge", vec![line(segments), self.arrow(end, arrival)])
    }

    /// The tip of an arrow that ends at a point, in the direction of a vector of length 1.
    fn arrow(&self, (across, along): Point, (aside, ahead): Point) -> Shape {
        let neck = (across - ARROW_LENGTH * aside, along - ARROW_LENGTH * ahead);
        let half = ARROW_WIDTH / 2.0;
        let segments = vec![
            self.move_to((across, along)),
            self.line_to((neck.0 - half * ahead, neck.1 + half * aside)),
            self.line_to((neck.0 + half * ahead, neck.1 - half * aside)),
            Segment::Close,
        ];
        Shape::Path { segments, paint: Paint::fill(color::LINE) }
    }

    /// Where an edge that goes toward `across` touches a node, on the side `sign` along the flow.
    ///
    /// Edges that go far aside touch farther out, so that many of them can be told apart.
    fn port(&self, node: usize, across: f64, sign: f64) -> Point {
        let center = self.arrangement.centers[node];
        let measured = &self.measured[node];
        let (half_across, half_along) = match self.drawing.direction {
            Direction::TopToBottom | Direction::BottomToTop => (measured.width / 2.0, measured.height / 2.0),
            Direction::LeftToRight | Direction::RightToLeft => (measured.height / 2.0, measured.width / 2.0),
        };
        let aside = across - center.0;
        let share = 0.7 * aside / (aside.abs() + 120.0);
        let depth = match self.drawing.nodes[node].outline {
            Outline::Box => half_along,
            Outline::Ellipse => half_along * (1.0 - share * share).sqrt(),
        };
        (center.0 + share * half_across, center.1 + sign * depth)
    }

    fn move_to(&self, (across, along): Point) -> Segment {
        Segment::Move(self.at(across, along))
    }

    fn line_to(&self, (across, along): Point) -> Segment {
        Segment::Line(self.at(across, along))
    }

    /// A curve that leaves and arrives along the flow, leaning toward its other end.
    fn curve(&self, from: Point, lean_from: f64, to: Point, lean_to: f64) -> Segment {
        let (aside, ahead) = (to.0 - from.0, to.1 - from.1);
        Segment::Curve(
            self.at(from.0 + lean_from * aside, from.1 + REACH * ahead),
            self.at(to.0 - lean_to * aside, to.1 - REACH * ahead),
            self.at(to.0, to.1),
        )
    }
}

fn line(segments: Vec<Segment>) -> Shape {
    Shape::Path { segments, paint: Paint { opacity: 0.85, ..Paint::line(color::LINE, 1.15) } }
}

/// The shapes of a legend with the room they take, from its upper left corner.
fn legend(legend: Option<&Legend>) -> (Vec<Shape>, f64, f64) {
    match legend {
        None => (Vec::new(), 0.0, 0.0),
        Some(Legend::Groups(groups)) => groups_legend(groups),
        Some(Legend::Scale { name, low, high }) => scale_legend(name, low, high),
    }
}

/// Groups named in a legend; the rest is counted.
const MOST_GROUPS: usize = 24;

fn groups_legend(groups: &[(String, Color)]) -> (Vec<Shape>, f64, f64) {
    let mut shapes = Vec::new();
    let (mut top, mut widest) = (20.0, 0.0_f64);
    for (name, fill) in groups.iter().take(MOST_GROUPS) {
        let name = cut(name, NOTE_SIZE);
        shapes.push(Shape::Rect {
            left: 0.0,
            top,
            width: 18.0,
            height: 12.0,
            radius: 3.0,
            paint: Paint::framed(*fill, fill.mix(color::INK, 0.45), 1.0),
        });
        shapes.push(text(26.0, top + 10.5, NOTE_SIZE, Anchor::Start, color::INK, &name));
        widest = widest.max(26.0 + font::width(&name, NOTE_SIZE));
        top += 18.0;
    }
    if groups.len() > MOST_GROUPS {
        let rest = format!("and {} more", groups.len() - MOST_GROUPS);
        shapes.push(text(26.0, top + 10.5, NOTE_SIZE, Anchor::Start, color::FAINT_INK, &rest));
        top += 18.0;
    }
    (shapes, widest, top)
}

fn scale_legend(name: &str, low: &str, high: &str) -> (Vec<Shape>, f64, f64) {
    const STEPS: usize = 48;
    const STEP: f64 = 5.0;
    let width = STEPS as f64 * STEP;
    let name = one_line(name);
    let mut shapes = vec![text(0.0, 32.0, NOTE_SIZE, Anchor::Start, color::INK, &name)];
    shapes.extend((0..STEPS).map(|step| Shape::Rect {
        left: step as f64 * STEP,
        top: 40.0,
        // Neighbors overlap a little, so that no seam shows between them.
        width: if step + 1 < STEPS { STEP + 0.5 } else { STEP },
        height: 12.0,
        radius: 0.0,
        paint: Paint::fill(Color::viridis(step as f64 / (STEPS - 1) as f64)),
    }));
    shapes.push(text(0.0, 66.0, NOTE_SIZE, Anchor::Start, color::FAINT_INK, low));
    shapes.push(text(width, 66.0, NOTE_SIZE, Anchor::End, color::FAINT_INK, high));
    (shapes, width.max(font::width(&name, NOTE_SIZE)), 70.0)
}

fn line_height(size: f64) -> f64 {
    (size * 1.35).round()
}

/// A label in at most three lines, broken between steps or words; one that fits into a line stays whole.
fn wrapped(label: &str) -> Vec<String> {
    let label = one_line(label);
    if font::width(&label, LABEL_SIZE) <= WIDEST_LINE {
        return vec![label];
    }
    // The steps of a fused task stay whole.
    let separator = if label.contains("→ ") { "→ " } else { " " };
    let mut lines: Vec<String> = Vec::new();
    for word in label.split_inclusive(separator).map(str::trim) {
        let full = lines.len() == MOST_LINES;
        match lines.last_mut() {
            Some(line) if full || font::width(&format!("{line} {word}"), LABEL_SIZE) <= WIDEST_LINE => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines.iter().map(|line| cut(line, LABEL_SIZE)).collect()
}

fn cut(line: &str, size: f64) -> String {
    font::elide(&one_line(line), size, WIDEST_LABEL)
}

/// Line breaks and other control characters become blanks: a line of a picture is one line.
fn one_line(line: &str) -> String {
    line.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}

fn shifted(mut item: Item, x: f64, y: f64) -> Item {
    let moved = |point: &mut Point| *point = (point.0 + x, point.1 + y);
    for shape in &mut item.shapes {
        match shape {
            Shape::Rect { left, top, .. } => (*left, *top) = (*left + x, *top + y),
            Shape::Ellipse { x: center_x, y: center_y, .. } => {
                (*center_x, *center_y) = (*center_x + x, *center_y + y);
            }
            Shape::Text { x: anchor, baseline, .. } => (*anchor, *baseline) = (*anchor + x, *baseline + y),
            Shape::Path { segments, .. } => segments.iter_mut().for_each(|segment| match segment {
                Segment::Move(point) | Segment::Line(point) => moved(point),
                Segment::Curve(first, second, end) => [first, second, end].into_iter().for_each(moved),
                Segment::Close => {}
            }),
        }
    }
    item
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_break_between_steps_or_words_and_only_when_they_are_long() {
        assert_eq!(wrapped("mean partial"), ["mean partial"]);
        let steps = ["gaussian_filter →", "threshold →", "mean partial"];
        assert_eq!(wrapped(&steps.join(" ")), steps);
        assert_eq!(wrapped("from_delayed of a closure with captures").len(), 2);
        let long = wrapped(&"step → ".repeat(100));
        assert_eq!(long.len(), MOST_LINES);
        assert!(long[2].ends_with('…') && font::width(&long[2], LABEL_SIZE) <= WIDEST_LABEL);
        assert_eq!(wrapped(&"x".repeat(500)).len(), 1);
        assert_eq!(wrapped("a\nb\u{7}"), ["a b "]);
    }
}
