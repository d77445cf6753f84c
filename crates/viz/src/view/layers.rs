//! The layer view: a box for each layer, or for each operation where there are too many layers.

use std::collections::HashSet;

use musher_graph_core::{ByteSize, Held, Plan, SlotIx, TaskIx};

use super::coloring::{Palette, by_label};
use super::{Coloring, VisualizeOptions, built_at, shape};
use crate::color;
use crate::drawing::{Drawing, Node};
use crate::units;

/// Sums over the layers that share a box.
#[derive(Clone, Default)]
struct Sum {
    layers: Vec<usize>,
    n_tasks: usize,
    /// One of the tasks, the first in the order.
    first: Option<TaskIx>,
    bytes: u64,
    largest: u64,
    unknown: bool,
}

pub(super) fn drawing(plan: &Plan, options: &VisualizeOptions) -> Drawing {
    let mut notes = Vec::new();
    let (mut boxes, mut names) = each_layer(plan);
    if names.len() > options.limit {
        let all = units::counted(names.len(), "layer");
        (boxes, names) = by_label(plan);
        notes.push(format!("{all}: too many to draw each, so layers with the same label share a box"));
    }
    let most = options.limit.max(1);
    if names.len() > most {
        let rest = names.len() - (most - 1);
        names.truncate(most - 1);
        names.push(format!("and {rest} more"));
        boxes.iter_mut().filter(|one| **one != usize::MAX).for_each(|one| *one = (*one).min(most - 1));
    }
    let sums = sums(plan, &boxes, names.len());
    let palette = match options.color {
        Coloring::Bytes => Palette::bytes(sums.iter().filter(|sum| !sum.unknown).map(|sum| sum.largest)),
        other => Palette::new(plan, other),
    };
    let mut drawing = Drawing { notes, legend: palette.legend(), ..Drawing::default() };
    for (name, sum) in names.into_iter().zip(&sums) {
        drawing.node(node(plan, name, sum, &palette));
    }
    let mut seen = HashSet::new();
    for (own, layer) in plan.tasks().layers().iter().enumerate().filter(|(own, _)| boxes[*own] != usize::MAX)
    {
        for producer in layer.inputs.iter().map(|input| input.producer.index()) {
            let edge = (boxes[producer], boxes[own]);
            if boxes[producer] != usize::MAX && edge.0 != edge.1 && seen.insert(edge) {
                drawing.edge(edge.0, edge.1);
            }
        }
    }
    drawing
}

/// A box for each layer of which something is needed, with its label.
fn each_layer(plan: &Plan) -> (Vec<usize>, Vec<String>) {
    let tasks = plan.tasks();
    let mut boxes = vec![usize::MAX; tasks.layers().len()];
    let mut names = Vec::new();
    for layer in (0..tasks.n_tasks() as u32).map(|task| tasks.layer_of(TaskIx(task))) {
        if boxes[layer] == usize::MAX {
            boxes[layer] = names.len();
            names.push(tasks.layers()[layer].task.label().into_owned());
        }
    }
    (boxes, names)
}

fn sums(plan: &Plan, boxes: &[usize], n_boxes: usize) -> Vec<Sum> {
    let tasks = plan.tasks();
    let mut sums = vec![Sum::default(); n_boxes];
    for task in plan.order().iter() {
        let layer = tasks.layer_of(task);
        let sum = &mut sums[boxes[layer]];
        // Tasks of a layer need not follow each other in the order; layers of a box are few or all alike.
        if sum.layers.last() != Some(&layer) {
            sum.layers.push(layer);
        }
        sum.n_tasks += 1;
        sum.first.get_or_insert(task);
        for slot in tasks.outputs_of(task) {
            match tasks.bytes_of(SlotIx(slot as u32)) {
                Some(bytes) => {
                    sum.bytes = sum.bytes.saturating_add(bytes);
                    sum.largest = sum.largest.max(bytes);
                }
                None => sum.unknown = true,
            }
        }
    }
    for sum in &mut sums {
        sum.layers.sort_unstable();
        sum.layers.dedup();
    }
    sums
}

fn node(plan: &Plan, name: String, sum: &Sum, palette: &Palette) -> Node {
    let layers = plan.tasks().layers();
    let mut details = Vec::new();
    let all = units::counted(sum.n_tasks, "task");
    let is_data = sum.layers.iter().all(|&layer| layers[layer].task.downcast_ref::<Held>().is_some());
    match sum.layers.as_slice() {
        [only] => {
            let grid = &layers[*only].grid;
            let all = match sum.n_tasks == grid.n_tasks() {
                true => all,
                false => {
                    format!("{} of {}", units::count(sum.n_tasks), units::counted(grid.n_tasks(), "task"))
                }
            };
            details.push(if grid.ndim() > 1 { format!("{all} ({})", shape(grid.shape())) } else { all });
        }
        several => details.push(format!("{}, {all}", units::counted(several.len(), "layer"))),
    }
    details.push(match (sum.unknown, sum.n_tasks) {
        (true, _) => "size unknown".to_owned(),
        (false, 1) => ByteSize::from(sum.bytes).to_string(),
        (false, _) => format!("{} in chunks of {}", ByteSize::from(sum.bytes), ByteSize::from(sum.largest)),
    });
    if let [only] = sum.layers.as_slice() {
        details.push(built_at(&layers[*only]));
    }
    let tooltip = std::iter::once(name.clone()).chain(details.iter().cloned()).collect::<Vec<_>>().join("\n");
    let color = sum.first.and_then(|first| {
        palette.color(first, plan.tasks().layer_of(first), (!sum.unknown).then_some(sum.largest))
    });
    let plain = if is_data { color::DATA } else { color::OPERATION };
    Node::data(name).details(details).tooltip(tooltip).fill(color.unwrap_or(plain))
}
