//! The scene of a run: a row for each worker, a bar for each task, a list of the operations.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use musher_graph_core::ByteSize;

use super::{Anchor, Item, Paint, Scene, Shape, text};
use crate::color::{self, Color};
use crate::font;
use crate::profile::{Bar, OperationTime, Recording};
use crate::units;

const WIDTH: f64 = 1_000.0;
const ROW: f64 = 24.0;
const ROW_GAP: f64 = 6.0;
const LEFT: f64 = 96.0;
const MARGIN: f64 = 24.0;
const SIZE: f64 = 11.5;
/// Tasks shorter than twice this are drawn together, so that a long run stays a small picture.
const CELL: f64 = 0.5;
/// Operations listed by name.
const MOST_OPERATIONS: usize = 24;

impl Scene {
    /// Draws what a profile has seen; `operations` stand in the order of the list.
    pub(crate) fn of_recording(recording: &Recording, operations: &[OperationTime]) -> Self {
        let last = recording.bars.iter().map(|bar| bar.end).max().unwrap_or_default();
        let total = recording.end.max(last).max(Duration::from_nanos(1));
        let n_workers = recording.bars.iter().map(|bar| bar.worker as usize + 1).max().unwrap_or(0);
        let mut items = head(recording, operations, total, n_workers);
        let top = MARGIN + 56.0;
        let bottom = top + n_workers as f64 * (ROW + ROW_GAP);
        items.push(Item::new("axis", axis(total, top, bottom)));
        let colors = colors(recording, operations);
        for (worker, row) in rows(recording, n_workers).into_iter().enumerate() {
            let y = top + worker as f64 * (ROW + ROW_GAP);
            let busy: Duration = row.iter().map(|bar| bar.end - bar.start).sum();
            let name = format!("worker {worker}");
            let share = format!("{:.0} %", 100.0 * busy.as_secs_f64() / total.as_secs_f64());
            items.push(Item::new(
                "worker",
                vec![
                    text(MARGIN, y + 15.0, SIZE, Anchor::Start, color::INK, &name),
                    text(
                        LEFT + MARGIN + WIDTH + 8.0,
                        y + 15.0,
                        SIZE,
                        Anchor::Start,
                        color::FAINT_INK,
                        &share,
                    ),
                ],
            ));
            items.extend(merged(&row, total).into_iter().map(|bar| bar.item(recording, &colors, y)));
        }
        let (list, height) = list(operations, bottom + 44.0);
        items.push(Item::new("legend", list));
        let mut scene =
            Self { width: LEFT + WIDTH + 2.0 * MARGIN + 48.0, height: (height + MARGIN).ceil(), items };
        let (width, height) = (scene.width, scene.height);
        let paper =
            Shape::Rect { left: 0.0, top: 0.0, width, height, radius: 0.0, paint: Paint::fill(color::PAPER) };
        scene.items.insert(0, Item::new("paper", vec![paper]));
        scene
    }
}

fn head(recording: &Recording, operations: &[OperationTime], total: Duration, n_workers: usize) -> Vec<Item> {
    let n_tasks: usize = operations.iter().map(|operation| operation.n_tasks).sum();
    let busy: Duration = operations.iter().map(|operation| operation.busy).sum();
    let share = 100.0 * busy.as_secs_f64() / (total.as_secs_f64() * n_workers.max(1) as f64);
    let mut note = format!(
        "{} in {} on {}, busy {share:.0} % of the time, most memory {}",
        units::counted(n_tasks, "task"),
        units::time(total),
        units::counted(n_workers, "worker"),
        ByteSize::from(recording.peak_bytes),
    );
    if recording.n_runs > 1 {
        note.push_str(&format!(", {}", units::counted(recording.n_runs, "run")));
    }
    if recording.n_failed > 0 {
        note.push_str(&format!(", {} failed", units::count(recording.n_failed)));
    }
    vec![Item::new(
        "head",
        vec![
            text(MARGIN, MARGIN + 14.0, 17.0, Anchor::Start, color::INK, "run"),
            text(MARGIN, MARGIN + 34.0, SIZE, Anchor::Start, color::FAINT_INK, &note),
        ],
    )]
}

/// Lines of time at round numbers.
fn axis(total: Duration, top: f64, bottom: f64) -> Vec<Shape> {
    let seconds = total.as_secs_f64();
    let step = round_step(seconds / 8.0);
    let mut shapes = Vec::new();
    let n_steps = (seconds / step).floor() as usize;
    for index in 0..=n_steps {
        let at = index as f64 * step;
        let x = LEFT + MARGIN + WIDTH * at / seconds;
        shapes.push(Shape::Rect {
            left: x - 0.5,
            top: top - 4.0,
            width: 1.0,
            height: bottom - top + 8.0,
            radius: 0.0,
            paint: Paint::fill(Color::new(0xdd, 0xe2, 0xe8)),
        });
        let label = units::time(Duration::from_secs_f64(at));
        shapes.push(text(x, bottom + 18.0, 10.5, Anchor::Middle, color::FAINT_INK, &label));
    }
    shapes
}

/// 1, 2 or 5 times a power of ten, at least `least`.
fn round_step(least: f64) -> f64 {
    let power = 10_f64.powf(least.log10().floor());
    let factor = [1.0, 2.0, 5.0].into_iter().find(|factor| factor * power >= least).unwrap_or(10.0);
    factor * power
}

/// The color of each label; the operations that took longest get the first colors.
fn colors(recording: &Recording, operations: &[OperationTime]) -> Vec<Color> {
    let rank = |label: &String| operations.iter().position(|operation| operation.label == *label);
    recording.labels.iter().map(|label| Color::of_group(rank(label).unwrap_or(0))).collect()
}

/// The bars of each worker in the order of time.
fn rows(recording: &Recording, n_workers: usize) -> Vec<Vec<Bar>> {
    let mut rows = vec![Vec::new(); n_workers];
    recording.bars.iter().for_each(|bar| rows[bar.worker as usize].push(*bar));
    rows.iter_mut().for_each(|row| row.sort_by_key(|bar| (bar.start, bar.end)));
    rows
}

/// A bar as it is drawn: one task, or the tasks of one operation that are too short to be seen singly.
struct Run {
    group: u32,
    left: f64,
    right: f64,
    n_tasks: usize,
    busy: Duration,
}

/// What is drawn of a row: long bars as they are; of short ones, in each cell of time, the operation that took most.
fn merged(row: &[Bar], total: Duration) -> Vec<Run> {
    let x = |at: Duration| WIDTH * at.as_secs_f64() / total.as_secs_f64();
    let mut runs: Vec<Run> = Vec::new();
    let mut cells: BTreeMap<usize, HashMap<u32, (usize, Duration)>> = BTreeMap::new();
    for bar in row {
        let (left, right, busy) = (x(bar.start), x(bar.end), bar.end - bar.start);
        if right - left >= 2.0 * CELL {
            runs.push(Run { group: bar.group, left, right, n_tasks: 1, busy });
            continue;
        }
        let cell = (f64::midpoint(left, right) / CELL) as usize;
        let sum = cells.entry(cell).or_default().entry(bar.group).or_default();
        *sum = (sum.0 + 1, sum.1 + busy);
    }
    let mut last: Option<Run> = None;
    for (cell, groups) in cells {
        let longest = groups.into_iter().max_by_key(|&(group, (_, busy))| (busy, std::cmp::Reverse(group)));
        let Some((group, (n_tasks, busy))) = longest else { continue };
        let left = cell as f64 * CELL;
        match &mut last {
            Some(run) if run.group == group && left - run.right < CELL / 2.0 => {
                run.right = left + CELL;
                run.n_tasks += n_tasks;
                run.busy += busy;
            }
            _ => runs.extend(last.replace(Run { group, left, right: left + CELL, n_tasks, busy })),
        }
    }
    runs.extend(last);
    runs
}

impl Run {
    fn item(&self, recording: &Recording, colors: &[Color], y: f64) -> Item {
        let fill = colors[self.group as usize];
        let (left, width) = (LEFT + MARGIN + self.left, (self.right - self.left).max(0.3));
        let paint = match width > 3.0 {
            true => Paint::framed(fill, fill.mix(color::INK, 0.35), 0.8),
            false => Paint::fill(fill),
        };
        let bar = Shape::Rect {
            left,
            top: y,
            width,
            height: ROW,
            radius: if width > 6.0 { 3.0 } else { 0.0 },
            paint,
        };
        let label = &recording.labels[self.group as usize];
        let mut shapes = vec![bar];
        let room = width - 10.0;
        if self.n_tasks == 1 && room >= font::width(label, SIZE) {
            shapes.push(text(left + width / 2.0, y + 16.0, SIZE, Anchor::Middle, fill.ink(), label));
        }
        let tasks = match self.n_tasks {
            1 => String::new(),
            several => format!(" ({})", units::counted(several, "task")),
        };
        let tooltip = format!("{label}{tasks}\n{}", units::time(self.busy));
        Item { class: "task", tooltip: Some(tooltip), shapes }
    }
}

/// The list of operations; gives where it ends.
fn list(operations: &[OperationTime], mut top: f64) -> (Vec<Shape>, f64) {
    let mut shapes = Vec::new();
    for (index, operation) in operations.iter().take(MOST_OPERATIONS).enumerate() {
        let fill = Color::of_group(index);
        shapes.push(Shape::Rect {
            left: MARGIN,
            top,
            width: 18.0,
            height: 12.0,
            radius: 3.0,
            paint: Paint::framed(fill, fill.mix(color::INK, 0.35), 1.0),
        });
        let label = font::elide(&operation.label, SIZE, 300.0);
        shapes.push(text(MARGIN + 26.0, top + 10.5, SIZE, Anchor::Start, color::INK, &label));
        let columns = [
            units::counted(operation.n_tasks, "task"),
            units::time(operation.busy),
            format!("makes {}", ByteSize::from(operation.bytes)),
        ];
        for (column, cell) in columns.iter().enumerate() {
            let x = MARGIN + 440.0 + 120.0 * column as f64;
            shapes.push(text(x, top + 10.5, SIZE, Anchor::End, color::FAINT_INK, cell));
        }
        top += 18.0;
    }
    if operations.len() > MOST_OPERATIONS {
        let rest = format!("and {} more", operations.len() - MOST_OPERATIONS);
        shapes.push(text(MARGIN + 26.0, top + 10.5, SIZE, Anchor::Start, color::FAINT_INK, &rest));
        top += 18.0;
    }
    (shapes, top)
}
