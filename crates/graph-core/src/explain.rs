//! A plan in figures, for a person to read before it runs.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;

use crate::byte_size::ByteSize;
use crate::forecast::{Forecast, Policy};
use crate::lower::SlotIx;
use crate::order::Weights;
use crate::plan::Plan;
use crate::site::Site;

impl Plan {
    /// What will happen, for a person to read.
    ///
    /// **Cost** linear in tasks and edges.
    pub fn explain(&self) -> Explain {
        let tasks = self.tasks();
        let held = held_by_layer(self);
        let pinned = pinned_by_layer(self);
        let mut n_edges = vec![0; tasks.layers().len()];
        for task in self.order().iter() {
            n_edges[tasks.layer_of(task)] += tasks.inputs_of(task).len();
        }
        let layers = tasks.layers().iter().zip(tasks.tables()).zip(held.into_iter().zip(n_edges));
        let layers = layers.zip(pinned).filter(|(((_, table), _), _)| table.n_tasks() > 0);
        let layers = layers.map(|(((layer, table), (held, n_edges)), pinned)| LayerSummary {
            label: layer.task.label().into_owned(),
            grid: layer.grid.shape().to_vec(),
            n_tasks: table.n_tasks(),
            n_edges,
            largest_output: (table.facts.unknown_outputs == 0).then_some(table.facts.largest_output),
            output_bytes: table.facts.output_bytes,
            staged_bytes: table.facts.staged_bytes,
            held_bytes: held.bytes,
            materializes: table.n_tasks() > 1 && held.is_all,
            scratch_bytes: table.facts.largest_scratch,
            bytes_read: table.facts.bytes_read,
            bytes_written: table.facts.bytes_written,
            pinned_outputs: pinned,
            codec_advice: layer.task.codec_advice().filter(|_| pinned > 0),
            caller: layer.caller,
        });
        Explain {
            layers: layers.collect(),
            n_edges: tasks.n_edges(),
            peak_bytes: self.peak_bytes(),
            least_peak_bytes: self.least_peak_bytes(),
            strategy: self.order().strategy,
            forecast: None,
        }
    }

    /// The same with what is spilled under this memory limit, in bytes.
    pub fn explain_with(&self, memory_limit: u64) -> Explain {
        Explain { forecast: Some(self.forecast(memory_limit, Policy::Furthest)), ..self.explain() }
    }
}

/// Bytes that an output may have, before it matters that it cannot leave memory: less is not spilled.
const SMALL: u64 = 4096;

/// For each layer, how many of its outputs cannot leave memory although they may be large and something can be done about it.
fn pinned_by_layer(plan: &Plan) -> Vec<usize> {
    let tasks = plan.tasks();
    let codecs = tasks.codecs();
    let layers = tasks.layers().iter().zip(tasks.tables()).enumerate();
    let pinned = layers.map(|(own, (layer, table))| {
        let may_be_large = table.facts.unknown_outputs > 0 || table.facts.largest_output > SMALL;
        if !may_be_large || layer.task.codec_advice().is_none() {
            return 0;
        }
        (0..table.n_outputs()).filter(|&output| codecs.of(own, output).is_none()).count() * table.n_tasks()
    });
    pinned.collect()
}

/// How much of a layer is in memory at once.
#[derive(Debug, Clone, Default)]
struct Held {
    now: u64,
    n_now: usize,
    /// The most.
    bytes: u64,
    /// Whether all its outputs are at some time.
    is_all: bool,
}

/// For each layer the most of it that is in memory at once, when one task runs after the other.
fn held_by_layer(plan: &Plan) -> Vec<Held> {
    let tasks = plan.tasks();
    let weights = Weights::staged_in_memory(tasks);
    let mut uses = tasks.uses();
    let mut held = vec![Held::default(); tasks.layers().len()];
    for task in plan.order().iter() {
        let own = tasks.layer_of(task);
        let layer = &mut held[own];
        layer.now += weights.outputs(tasks, task);
        layer.n_now += tasks.outputs_of(task).len();
        layer.bytes = layer.bytes.max(layer.now);
        let table = &tasks.tables()[own];
        layer.is_all |= layer.n_now == table.n_outputs() * table.n_tasks();
        let mut leave = |slot: SlotIx| {
            let layer = &mut held[tasks.layer_of(tasks.task_of(slot))];
            layer.now -= weights.of(tasks, slot);
            layer.n_now -= 1;
        };
        let unread = tasks.outputs_of(task).filter(|&slot| uses[slot] == 0);
        unread.for_each(|slot| leave(SlotIx(slot as u32)));
        for &slot in tasks.inputs_of(task) {
            uses[slot.index()] -= 1;
            if uses[slot.index()] == 0 {
                leave(slot);
            }
        }
    }
    held
}

/// A plan in figures; its `Display` is a table.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Explain {
    /// The layers, producers first.
    pub layers: Vec<LayerSummary>,
    /// Edges between tasks.
    pub n_edges: usize,
    /// Projected most bytes alive at once when one task runs after the other, what is staged among them.
    pub peak_bytes: u64,
    /// The same without what is staged, where that waits on the disk.
    pub least_peak_bytes: u64,
    /// Which order was chosen.
    pub strategy: &'static str,
    /// What is spilled, where a memory limit was given.
    pub forecast: Option<Forecast>,
}

/// One layer of a plan in figures.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct LayerSummary {
    /// Label of its task.
    pub label: String,
    /// Tasks along each axis, before unneeded ones are culled.
    pub grid: Vec<u32>,
    /// Tasks that will run.
    pub n_tasks: usize,
    /// Edges into them.
    pub n_edges: usize,
    /// Bytes of the largest output; `None` where a task does not say.
    pub largest_output: Option<u64>,
    /// Bytes of all outputs that are known.
    pub output_bytes: u64,
    /// Bytes that they hold besides, or leave on the disk where the run's memory limit says so.
    pub staged_bytes: u64,
    /// Most bytes of its outputs in memory at once, when one task runs after the other.
    pub held_bytes: u64,
    /// Whether all of its several outputs are in memory at once: nothing streams through this step, be it because
    /// a later one waits for all of them or because they are asked for.
    pub materializes: bool,
    /// Most bytes that a task needs beside inputs and outputs.
    pub scratch_bytes: u64,
    /// Bytes read from files.
    pub bytes_read: u64,
    /// Bytes written to files.
    pub bytes_written: u64,
    /// Outputs that cannot leave memory, because no codec is known for them: of those that may be large, and about which
    /// something can be done.
    pub pinned_outputs: usize,
    /// What can be done about these.
    pub codec_advice: Option<&'static str>,
    /// The user's line.
    pub caller: Site,
}

impl Explain {
    /// Tasks that will run.
    pub fn n_tasks(&self) -> usize {
        self.layers.iter().map(|layer| layer.n_tasks).sum()
    }

    /// The layers as rows of a table: what one line of the user's built several times, such as in a loop, is one row.
    fn rows(&self) -> Vec<LayerSummary> {
        let mut rows: Vec<LayerSummary> = Vec::new();
        let mut seen: HashMap<(&str, Site), usize> = HashMap::new();
        for layer in &self.layers {
            match seen.entry((&layer.label, layer.caller)) {
                Entry::Vacant(vacant) => {
                    vacant.insert(rows.len());
                    rows.push(layer.clone());
                }
                Entry::Occupied(row) => {
                    let row = &mut rows[*row.get()];
                    row.n_tasks += layer.n_tasks;
                    row.n_edges += layer.n_edges;
                    row.held_bytes = row.held_bytes.max(layer.held_bytes);
                    row.materializes |= layer.materializes;
                    row.largest_output = row.largest_output.zip(layer.largest_output).map(|(a, b)| a.max(b));
                    row.output_bytes += layer.output_bytes;
                    row.staged_bytes += layer.staged_bytes;
                    row.scratch_bytes = row.scratch_bytes.max(layer.scratch_bytes);
                    row.bytes_read += layer.bytes_read;
                    row.bytes_written += layer.bytes_written;
                    row.pinned_outputs += layer.pinned_outputs;
                    row.codec_advice = row.codec_advice.or(layer.codec_advice);
                }
            }
        }
        rows
    }

    /// Bytes read from files.
    pub fn bytes_read(&self) -> u64 {
        self.layers.iter().fold(0, |sum, layer| sum.saturating_add(layer.bytes_read))
    }

    /// Bytes written to files.
    pub fn bytes_written(&self) -> u64 {
        self.layers.iter().fold(0, |sum, layer| sum.saturating_add(layer.bytes_written))
    }

    /// Bytes that wait between the two halves of exchanges, in memory or on the disk.
    pub fn staged_bytes(&self) -> u64 {
        self.layers.iter().fold(0, |sum, layer| sum.saturating_add(layer.staged_bytes))
    }

    /// Whether the size of any output is known; without one there is nothing to estimate by.
    fn has_known(&self) -> bool {
        self.layers.iter().any(|layer| layer.output_bytes > 0)
    }

    /// Whether some outputs are of unknown size, so that the projected peak is an estimate.
    pub fn has_unknown(&self) -> bool {
        self.layers.iter().any(|layer| layer.largest_output.is_none())
    }
}

impl fmt::Display for Explain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MOST_ROWS: usize = 40;
        let of = |n: usize, noun| format!("{n} {noun}{}", if n == 1 { "" } else { "s" });
        let (tasks, layers) = (of(self.n_tasks(), "task"), of(self.layers.len(), "layer"));
        writeln!(f, "plan: {tasks} in {layers}, {}", of(self.n_edges, "edge"))?;
        let peak = ByteSize::from(self.peak_bytes);
        write!(f, "projected peak of chunks, one task at a time: ")?;
        match (self.has_unknown(), self.has_known()) {
            (false, _) => writeln!(f, "{peak}")?,
            (true, true) => writeln!(f, "{peak} (some chunks of unknown size, counted as the mean)")?,
            (true, false) => writeln!(f, "unknown, as the sizes of all chunks are")?,
        }
        if self.staged_bytes() > 0 {
            let (staged, least) =
                (ByteSize::from(self.staged_bytes()), ByteSize::from(self.least_peak_bytes));
            writeln!(f, "may be staged: {staged}; projected peak where that is on the disk: {least}")?;
        }
        if let Some(forecast) = &self.forecast {
            writeln!(f, "{forecast}")?;
        }
        writeln!(
            f,
            "reads {}, writes {}",
            ByteSize::from(self.bytes_read()),
            ByteSize::from(self.bytes_written())
        )?;
        let rows = self.rows();
        write_pinned(f, &rows)?;
        writeln!(f)?;
        let width = rows.iter().map(|row| row.label.chars().count()).max().unwrap_or(0).clamp(9, 44);
        let head = ["operation", "tasks", "edges", "chunk", "all", "    held", "read", "built at"];
        write_row(f, width, &head.map(String::from))?;
        for row in rows.iter().take(MOST_ROWS) {
            write_row(f, width, &row.cells(width))?;
        }
        if rows.len() > MOST_ROWS {
            writeln!(f, "… and {} more", rows.len() - MOST_ROWS)?;
        }
        if rows.iter().any(|row| row.materializes) {
            writeln!(f, "* all chunks of the step are in memory at once")?;
        }
        write!(f, "order: {}", self.strategy)
    }
}

/// Writes which outputs cannot leave memory, and what can be done about it.
fn write_pinned(f: &mut fmt::Formatter<'_>, rows: &[LayerSummary]) -> fmt::Result {
    const MOST: usize = 3;
    let pinned = || rows.iter().filter_map(|row| Some((row, row.codec_advice?)));
    for (row, advice) in pinned().take(MOST) {
        let (n, label, caller) = (row.pinned_outputs, &row.label, row.caller);
        let outputs = if n == 1 { "output" } else { "outputs" };
        writeln!(f, "stays in memory: {n} {outputs} of `{label}` ({caller}): no codec; {advice}")?;
    }
    let more = pinned().skip(MOST);
    match more.fold((0, 0), |(steps, outputs), (row, _)| (steps + 1, outputs + row.pinned_outputs)) {
        (0, _) => Ok(()),
        (steps, outputs) => writeln!(f, "stays in memory: {outputs} outputs of {steps} more operations"),
    }
}

/// Writes the cells of a row: the first and the last begin where their columns do, the others end there.
fn write_row(f: &mut fmt::Formatter<'_>, width: usize, cells: &[String; 8]) -> fmt::Result {
    let [operation, tasks, edges, chunk, all, held, read, caller] = cells;
    write!(f, "{operation:<width$}  {tasks:>9}  {edges:>9}  {chunk:>8}  {all:>8}  {held:<10}")?;
    writeln!(f, "  {read:>8}  {caller}")
}

impl LayerSummary {
    fn cells(&self, width: usize) -> [String; 8] {
        let label = match self.label.chars().count() > width {
            true => self.label.chars().take(width - 1).chain(['…']).collect(),
            false => self.label.clone(),
        };
        let bytes = |bytes: u64| ByteSize::from(bytes).to_string();
        let unknown = || "unknown".to_owned();
        let (chunk, all, held) = match self.largest_output {
            Some(largest) => (bytes(largest), bytes(self.output_bytes), bytes(self.held_bytes)),
            // What is held is counted by the mean of the others, which says nothing about this step.
            None => (unknown(), unknown(), unknown()),
        };
        let mark = if self.materializes { " *" } else { "" };
        let read = if self.bytes_read > 0 { bytes(self.bytes_read) } else { String::new() };
        let caller = format!("{}:{}", self.caller.file(), self.caller.line());
        let held = format!("{held:>8}{mark}");
        [label, self.n_tasks.to_string(), self.n_edges.to_string(), chunk, all, held, read, caller]
    }
}
