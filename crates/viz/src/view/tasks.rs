//! The task view: a circle for each task, a box for each chunk.

use std::collections::HashMap;

use musher_graph_core::{ByteSize, Held, Plan, SlotIx, TaskGraph, TaskIx};

use super::coloring::Palette;
use super::{Coloring, built_at, shape};
use crate::drawing::{Drawing, Node};

/// How many nodes a task has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// One for the operation and one for each chunk.
    Full,
    /// One.
    Compact,
}

pub(super) fn drawing(plan: &Plan, coloring: Coloring, form: Form) -> Drawing {
    let palette = Palette::new(plan, coloring);
    let mut drawing = Drawing { legend: palette.legend(), ..Drawing::default() };
    let tasks = plan.tasks();
    let names = Names::new(tasks);
    let uses = tasks.uses();
    // The node from which the chunk of each output flows.
    let mut chunks = vec![usize::MAX; tasks.n_slots()];
    for task in (0..tasks.n_tasks() as u32).map(TaskIx) {
        let layer = tasks.layer(task);
        let outputs = tasks.outputs_of(task);
        let fill = |node: Node, bytes: Option<u64>| match palette.color(task, tasks.layer_of(task), bytes) {
            Some(color) => node.fill(color),
            None => node,
        };
        let all_bytes = outputs.clone().map(|slot| tasks.bytes_of(SlotIx(slot as u32))).sum();
        let is_data = layer.task.downcast_ref::<Held>().is_some();
        let operation = (!is_data).then(|| {
            let node = Node::operation(layer.task.label()).tooltip(tooltip(tasks, task));
            let node = match form {
                Form::Full => node,
                Form::Compact => node.details([names.place(task)]),
            };
            drawing.node(fill(node, all_bytes))
        });
        if let Some(operation) = operation {
            flow_in(&mut drawing, tasks, task, operation, &chunks);
            if form == Form::Compact {
                outputs.for_each(|slot| chunks[slot] = operation);
                continue;
            }
        }
        let several = outputs.len() > 1;
        for (output, slot) in outputs.enumerate().filter(|(_, slot)| uses[*slot] > 0) {
            let bytes = tasks.bytes_of(SlotIx(slot as u32));
            let mut name = names.chunk(task);
            if several {
                name.push_str(&format!(" [{output}]"));
            }
            let size =
                bytes.map_or_else(|| "size unknown".to_owned(), |bytes| ByteSize::from(bytes).to_string());
            let tip = format!("chunk of {}\n{size}", tooltip(tasks, task));
            let node = drawing.node(fill(Node::data(name).tooltip(tip), bytes));
            if let Some(operation) = operation {
                match output {
                    0 => drawing.straight_edge(operation, node),
                    _ => drawing.edge(operation, node),
                }
            }
            chunks[slot] = node;
        }
    }
    drawing
}

/// Draws the edges into a task.
fn flow_in(drawing: &mut Drawing, tasks: &TaskGraph, task: TaskIx, node: usize, chunks: &[usize]) {
    let inputs = tasks.inputs_of(task);
    let (own, place) = (&tasks.layer(task).grid, tasks.place_of(task).index());
    for &slot in inputs {
        let producer = tasks.task_of(slot);
        let same_place = tasks.layer(producer).grid == *own
            && tasks.place_of(producer).index() == place
            && tasks.layer_of(producer) != tasks.layer_of(task);
        let only = inputs.len() == 1 && tasks.readers_of(producer).len() == 1;
        match same_place || only {
            true => drawing.straight_edge(chunks[slot.index()], node),
            false => drawing.edge(chunks[slot.index()], node),
        }
    }
}

fn tooltip(tasks: &TaskGraph, task: TaskIx) -> String {
    let layer = tasks.layer(task);
    let mut tip = layer.task.label().into_owned();
    if layer.grid.ndim() > 0 {
        tip.push_str(&format!(" at {:?} of {}", tasks.place_of(task).coords(), shape(layer.grid.shape())));
    }
    tip.push_str(&format!("\nbuilt at {}", built_at(layer)));
    tip
}

/// The texts in boxes.
struct Names<'a> {
    tasks: &'a TaskGraph,
    /// Number among the single tasks with the same label, where there are several.
    numbers: HashMap<u32, usize>,
}

impl<'a> Names<'a> {
    fn new(tasks: &'a TaskGraph) -> Self {
        let mut alike: HashMap<String, Vec<u32>> = HashMap::new();
        for task in 0..tasks.n_tasks() as u32 {
            let layer = tasks.layer(TaskIx(task));
            if layer.grid.n_tasks() == 1 {
                alike.entry(layer.task.label().into_owned()).or_default().push(task);
            }
        }
        let several = alike.into_values().filter(|tasks| tasks.len() > 1);
        let numbers =
            several.flat_map(|tasks| tasks.into_iter().enumerate().map(|(number, task)| (task, number)));
        Self { tasks, numbers: numbers.collect() }
    }

    /// The coordinates of a task on its grid; its number when it stands alone, however many axes the grid has.
    fn place(&self, task: TaskIx) -> String {
        let place = self.tasks.place_of(task);
        match place.coords().as_slice() {
            _ if place.grid().n_tasks() == 1 => {
                self.numbers.get(&task.0).map_or_else(String::new, |number| format!("#{number}"))
            }
            [only] => only.to_string(),
            several => {
                let parts: Vec<String> = several.iter().map(ToString::to_string).collect();
                format!("({})", parts.join(", "))
            }
        }
    }

    /// The name of a task's chunk.
    fn chunk(&self, task: TaskIx) -> String {
        let place = self.place(task);
        match self.tasks.place_of(task).grid().n_tasks() {
            1 => {
                let label = self.tasks.layer(task).task.label();
                format!("{label} {place}").trim_end().to_owned()
            }
            _ => place,
        }
    }
}
