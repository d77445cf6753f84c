//! Lowering: from layers to flat tables of tasks, edges and bytes.
//!
//! Only what is asked for is lowered: places that nobody needs get no number.
//! Tasks are numbered layer by layer in C order, so a task's number is larger than those of all it reads.

mod column;
mod need;
mod wire;

use std::sync::OnceLock;

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::collection::Places;
use crate::error::Error;
use crate::graph::{Graph, GraphLayer};
use crate::grid::Place;
use crate::scope::enter_task;
use crate::spill::SpillStore;
use crate::task::{Facts, InputMismatch, Inputs, Output, Staged, TaskError};
use crate::watch::Watch;
use column::Column;
use need::Need;

/// Number of a task in its plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TaskIx(pub u32);

/// Number of an output of a task in its plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SlotIx(pub u32);

impl TaskIx {
    /// As an index.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl SlotIx {
    /// As an index.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// The lowered graph: tasks, what they read, who reads them, and what is known of their bytes.
///
/// **Cost** about 40 bytes a task and 8 an edge.
#[derive(Debug)]
pub struct TaskGraph {
    layers: Vec<GraphLayer>,
    tables: Vec<LayerTable>,
    task_layer: Column<u32>,
    input_ends: Vec<u32>,
    inputs: Vec<SlotIx>,
    /// Turned around when somebody first asks for them: who runs a plan in its order never does.
    readers: OnceLock<Readers>,
    /// Bytes of each output; `UNKNOWN` where nobody knows.
    bytes: Column<u64>,
    /// Bytes of each output that wait in memory or on the disk; empty where there are none.
    staged: Vec<u64>,
    requested: Vec<SlotIx>,
}

const UNKNOWN: u64 = u64::MAX;

/// All outputs and the largest scratch together have at most this many bytes.
pub(crate) const MOST_BYTES: u64 = u64::MAX >> 2;

/// Who reads each task, in compressed rows.
#[derive(Debug)]
struct Readers {
    ends: Box<[u32]>,
    tasks: Box<[TaskIx]>,
}

/// What the flat tables hold of one layer.
#[derive(Debug, Default)]
pub(crate) struct LayerTable {
    first_task: u32,
    n_tasks: u32,
    first_slot: u32,
    n_outputs: u32,
    /// The places that are needed, in order; `None` means all.
    places: Option<Box<[u32]>>,
    /// Where each slot of each task ends, counted from the task's first input; empty where each slot has one.
    slot_ends: Box<[u32]>,
    n_slots: u32,
    pub(crate) facts: LayerFacts,
}

/// Sums over the tasks of a layer.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct LayerFacts {
    pub(crate) largest_output: u64,
    pub(crate) output_bytes: u64,
    pub(crate) unknown_outputs: u64,
    pub(crate) staged_bytes: u64,
    /// Whether anything is staged, be it of unknown size.
    pub(crate) stages: bool,
    /// Whether the outputs hold the inputs, not copies.
    holds_inputs: bool,
    pub(crate) largest_scratch: u64,
    /// What each task adds while it runs, where it is the same for all of them.
    reservation: Option<u64>,
    pub(crate) bytes_read: u64,
    pub(crate) bytes_written: u64,
}

impl TaskGraph {
    /// Lowers a graph.
    ///
    /// **Cost** linear in tasks and edges, no recursion.
    ///
    /// # Errors
    /// [`Error::TooManyTasks`], [`Error::TooManyOutputs`], [`Error::TooManyEdges`], [`Error::TooManyBytes`], and
    /// [`Error::ReadsOutside`] if a wiring does not fit its producer's grid.
    pub fn lower(graph: Graph) -> Result<Self, Error> {
        Self::lower_watched(graph, Watch::NONE)
    }

    pub(crate) fn lower_watched(graph: Graph, watch: Watch<'_>) -> Result<Self, Error> {
        let n_tasks = graph.n_tasks();
        if u32::try_from(n_tasks).is_err() {
            return Err(Error::TooManyTasks { n_tasks });
        }
        let outputs = |layer: &GraphLayer| layer.grid.n_tasks().saturating_mul(layer.task.n_outputs());
        let n_outputs = graph.layers.iter().fold(0, |sum: usize, layer| sum.saturating_add(outputs(layer)));
        if u32::try_from(n_outputs).is_err() {
            return Err(Error::TooManyOutputs { n_outputs });
        }
        let needs = need::needs(&graph)?;
        watch.look()?;
        let mut lowered = Self::number(&graph, needs);
        let Graph { layers, requests } = graph;
        lowered.layers = layers;
        lowered.wire(watch)?;
        lowered.count_bytes(watch)?;
        for request in requests {
            let table = &lowered.tables[request.layer.index()];
            let slot = |index: u32| {
                let task = table.task_at(index as usize).unwrap_or(table.first_task);
                SlotIx(table.first_slot + (task - table.first_task) * table.n_outputs + request.output as u32)
            };
            match &request.places {
                Places::All => lowered.requested.extend((0..table.n_tasks).map(slot)),
                Places::Some(places) => lowered.requested.extend(places.iter().copied().map(slot)),
            }
        }
        Ok(lowered)
    }

    /// Numbers tasks and outputs.
    fn number(graph: &Graph, needs: Vec<Need>) -> Self {
        let (mut first_task, mut first_slot) = (0, 0);
        let mut tables = Vec::with_capacity(graph.layers.len());
        for (layer, need) in graph.layers.iter().zip(needs) {
            let n = layer.grid.n_tasks();
            let places: Option<Box<[u32]>> = match need {
                Need::Everything => None,
                Need::Nothing => Some(Box::default()),
                Need::These(marks) if marks.iter().all(|&mark| mark) => None,
                Need::These(marks) => Some((0..n as u32).filter(|&index| marks[index as usize]).collect()),
            };
            let n_tasks = places.as_ref().map_or(n, |places| places.len()) as u32;
            let n_outputs = layer.task.n_outputs() as u32;
            tables.push(LayerTable {
                first_task,
                n_tasks,
                first_slot,
                n_outputs,
                places,
                ..LayerTable::default()
            });
            first_task += n_tasks;
            first_slot += n_tasks * n_outputs;
        }
        let task_layer = match only_layer(&tables) {
            Some(only) => Column::alike(only as u32, first_task as usize),
            None => {
                let mut layers = Vec::with_capacity(first_task as usize);
                for (own, table) in (0..).zip(&tables) {
                    layers.extend(std::iter::repeat_n(own, table.n_tasks()));
                }
                Column::each(layers)
            }
        };
        Self {
            layers: Vec::new(),
            tables,
            task_layer,
            input_ends: Vec::with_capacity(first_task as usize),
            inputs: Vec::new(),
            readers: OnceLock::new(),
            bytes: Column::alike(UNKNOWN, first_slot as usize),
            staged: Vec::new(),
            requested: Vec::new(),
        }
    }

    /// For each task, who reads it.
    fn turn_edges(&self) -> Readers {
        let n = self.n_tasks();
        let mut ends = vec![0u32; n + 1];
        for &slot in &self.inputs {
            ends[self.task_of(slot).index() + 1] += 1;
        }
        for task in 0..n {
            ends[task + 1] += ends[task];
        }
        let mut readers = vec![TaskIx(0); self.inputs.len()];
        let mut start = 0;
        for task in 0..n {
            let end = self.input_ends[task] as usize;
            for &slot in &self.inputs[start..end] {
                let at = &mut ends[self.task_of(slot).index()];
                readers[*at as usize] = TaskIx(task as u32);
                *at += 1;
            }
            start = end;
        }
        // Filling has moved each start to its end, which is what the rows are found by.
        ends.truncate(n);
        Readers { ends: ends.into(), tasks: readers.into() }
    }

    /// Asks the tasks for their facts, producers first.
    fn count_bytes(&mut self, watch: Watch<'_>) -> Result<(), Error> {
        let mut sum = Sum::default();
        if let Some(only) = only_layer(&self.tables)
            && let Some(facts) = uniform_facts(&self.layers[only])
            && self.tables[only].n_outputs == 1
        {
            self.bytes = Column::alike(facts.output(0).unwrap_or(UNKNOWN), self.n_tasks());
            return sum.add_uniform(&mut self.tables[only], &facts);
        }
        let mut bytes = Vec::with_capacity(self.n_slots());
        let mut inputs: SmallVec<[Option<u64>; 8]> = SmallVec::new();
        for (own, (layer, table)) in self.layers.iter().zip(&mut self.tables).enumerate() {
            watch.look_at(own)?;
            let outputs = 0..table.n_outputs as usize;
            let outputs_of = |facts: &Facts, output| facts.output(output).unwrap_or(UNKNOWN);
            if let Some(facts) = uniform_facts(layer) {
                for _ in 0..table.n_tasks {
                    bytes.extend(outputs.clone().map(|output| outputs_of(&facts, output)));
                }
                sum.add_uniform(table, &facts)?;
                continue;
            }
            for rank in 0..table.n_tasks {
                let reads = row(&self.input_ends, &self.inputs, (table.first_task + rank) as usize);
                inputs.clear();
                let staged_of = |slot: &SlotIx| self.staged.get(slot.index()).copied().unwrap_or(0);
                inputs.extend(reads.iter().map(|slot| {
                    let known = Some(bytes[slot.index()]).filter(|&bytes| bytes != UNKNOWN)?;
                    Some(known.saturating_add(staged_of(slot)))
                }));
                let mut facts = layer.task.facts(layer.grid.place(table.place_of(rank)), &inputs);
                let staged = match facts.staged {
                    Staged::Nothing => 0,
                    Staged::Bytes(bytes) => bytes,
                    Staged::OfInputs => reads.iter().map(staged_of).fold(0, u64::saturating_add),
                };
                if let (Staged::OfInputs, Some(Some(output))) = (facts.staged, facts.output_bytes.first_mut())
                {
                    *output = output.saturating_sub(staged);
                }
                if staged > 0 && table.n_outputs > 0 {
                    self.staged.resize(bytes.len(), 0);
                    self.staged.push(staged);
                }
                bytes.extend(outputs.clone().map(|output| outputs_of(&facts, output)));
                sum.add(table, &facts, 1)?;
            }
        }
        self.bytes = Column::each(bytes);
        if !self.staged.is_empty() {
            self.staged.resize(self.bytes.len(), 0);
        }
        Ok(())
    }

    /// Number of tasks.
    #[inline]
    pub fn n_tasks(&self) -> usize {
        self.task_layer.len()
    }

    /// Number of edges.
    pub fn n_edges(&self) -> usize {
        self.inputs.len()
    }

    /// Number of outputs over all tasks.
    pub fn n_slots(&self) -> usize {
        self.bytes.len()
    }

    /// The layers.
    pub fn layers(&self) -> &[GraphLayer] {
        &self.layers
    }

    pub(crate) fn tables(&self) -> &[LayerTable] {
        &self.tables
    }

    /// The layer of a task, as an index into [`layers`](TaskGraph::layers).
    #[inline]
    pub fn layer_of(&self, task: TaskIx) -> usize {
        self.task_layer.get(task.index()) as usize
    }

    /// The layer of a task.
    #[inline]
    pub fn layer(&self, task: TaskIx) -> &GraphLayer {
        &self.layers[self.layer_of(task)]
    }

    /// Where a task stands on its layer's grid.
    #[inline]
    pub fn place_of(&self, task: TaskIx) -> Place<'_> {
        let own = self.layer_of(task);
        let table = &self.tables[own];
        self.layers[own].grid.place(table.place_of(task.0 - table.first_task))
    }

    /// The outputs that a task reads, slot after slot.
    #[inline]
    pub fn inputs_of(&self, task: TaskIx) -> &[SlotIx] {
        row(&self.input_ends, &self.inputs, task.index())
    }

    /// The tasks that read a task, once for each edge.
    ///
    /// **Cost** none but for the first time, which is linear in tasks and edges.
    pub fn readers_of(&self, task: TaskIx) -> &[TaskIx] {
        let readers = self.readers.get_or_init(|| self.turn_edges());
        row(&readers.ends, &readers.tasks, task.index())
    }

    /// The task that makes an output.
    pub fn task_of(&self, slot: SlotIx) -> TaskIx {
        if self.bytes.len() == self.task_layer.len() {
            return TaskIx(slot.0);
        }
        let own = self.tables.partition_point(|table| table.first_slot <= slot.0) - 1;
        let table = &self.tables[own];
        TaskIx(table.first_task + (slot.0 - table.first_slot) / table.n_outputs)
    }

    /// The outputs of a task.
    #[inline]
    pub fn outputs_of(&self, task: TaskIx) -> std::ops::Range<usize> {
        if self.bytes.len() == self.task_layer.len() {
            return task.index()..task.index() + 1;
        }
        let table = &self.tables[self.layer_of(task)];
        let first = table.first_slot + (task.0 - table.first_task) * table.n_outputs;
        first as usize..(first + table.n_outputs) as usize
    }

    /// Bytes of an output, where known before running.
    #[inline]
    pub fn bytes_of(&self, slot: SlotIx) -> Option<u64> {
        Some(self.bytes.get(slot.index())).filter(|&bytes| bytes != UNKNOWN)
    }

    /// Bytes of an output that wait in memory or on the disk, as the run decides; they are no part of
    /// [`bytes_of`](TaskGraph::bytes_of).
    #[inline]
    pub fn staged_of(&self, slot: SlotIx) -> u64 {
        self.staged.get(slot.index()).copied().unwrap_or(0)
    }

    /// Whether there is an exchange, be its size known or not.
    ///
    /// **Cost** linear in layers.
    pub fn stages(&self) -> bool {
        self.tables.iter().any(|table| table.facts.stages)
    }

    /// Bytes that all exchanges together stage, as far as they are known.
    ///
    /// **Cost** linear in layers.
    pub fn staged_bytes(&self) -> u64 {
        self.tables.iter().map(|table| table.facts.staged_bytes).sum()
    }

    /// Bytes that a task needs beside inputs and outputs: the most that any task of its layer needs.
    #[inline]
    pub fn scratch_of(&self, task: TaskIx) -> u64 {
        self.tables[self.layer_of(task)].facts.largest_scratch
    }

    /// Whether a task's outputs hold its inputs, not copies.
    pub(crate) fn holds_inputs(&self, task: TaskIx) -> bool {
        self.tables[self.layer_of(task)].facts.holds_inputs
    }

    /// What a task adds while it runs, where its whole layer adds the same.
    #[inline]
    pub(crate) fn uniform_reservation_of(&self, task: TaskIx) -> Option<u64> {
        self.tables[self.layer_of(task)].facts.reservation
    }

    /// Whether any layer reads or writes files.
    ///
    /// **Cost** linear in layers.
    pub fn touches_any_file(&self) -> bool {
        self.tables.iter().any(|table| table.facts.bytes_read > 0 || table.facts.bytes_written > 0)
    }

    /// Whether a task's layer reads or writes files.
    pub fn touches_files(&self, task: TaskIx) -> bool {
        let facts = &self.tables[self.layer_of(task)].facts;
        facts.bytes_read > 0 || facts.bytes_written > 0
    }

    /// Bytes of all outputs together, as far as they are known, and how many outputs are of unknown size.
    ///
    /// **Cost** linear in layers.
    pub fn known_bytes(&self) -> (u64, u64) {
        self.tables.iter().map(|table| table.facts).fold((0, 0), |(bytes, n_unknown), facts| {
            (bytes + facts.output_bytes, n_unknown + facts.unknown_outputs)
        })
    }

    /// Most bytes that any task needs beside inputs and outputs.
    ///
    /// **Cost** linear in layers.
    pub fn largest_scratch(&self) -> u64 {
        self.tables.iter().map(|table| table.facts.largest_scratch).max().unwrap_or(0)
    }

    /// The outputs asked for, in order; one may be asked for several times.
    #[inline]
    pub fn requested(&self) -> &[SlotIx] {
        &self.requested
    }

    /// How often each output is read or asked for.
    pub fn uses(&self) -> Vec<u32> {
        let mut uses = vec![0; self.n_slots()];
        self.inputs.iter().chain(&self.requested).for_each(|slot| uses[slot.index()] += 1);
        uses
    }

    /// Bytes of memory these tables take, the readers' among them, whether anybody has asked for them or not.
    pub fn table_bytes(&self) -> usize {
        4 * (self.input_ends.len() + self.inputs.len())
            + 4 * (self.n_tasks() + self.n_edges() + self.requested.len())
            + self.task_layer.table_bytes()
            + self.bytes.table_bytes()
            + size_of_val(self.staged.as_slice())
            + self.layers.len() * (size_of::<GraphLayer>() + size_of::<LayerTable>())
    }

    /// Runs a task on its input chunks, given in the order of [`inputs_of`](TaskGraph::inputs_of).
    ///
    /// Whoever runs tasks does so inside of [`RunNumber::work`](crate::RunNumber::work), so that what they build has
    /// identities of the run.
    ///
    /// # Errors
    /// What the task's `run` says; or it made another number of outputs than it has.
    #[inline]
    pub fn run(
        &self,
        task: TaskIx,
        chunks: &mut [Option<crate::chunk::ChunkRef>],
        spill_store: Option<&dyn SpillStore>,
    ) -> Result<Output, TaskError> {
        let own = self.layer_of(task);
        let table = &self.tables[own];
        let rank = (task.0 - table.first_task) as usize;
        let n_slots = table.n_slots as usize;
        let one_slot = [chunks.len() as u32];
        let ends = match table.slot_ends.is_empty() {
            false => &table.slot_ends[rank * n_slots..(rank + 1) * n_slots],
            true if n_slots == 1 => &one_slot,
            true => &[],
        };
        let layer = &self.layers[own];
        let inputs = Inputs::new(chunks, ends).with_spill_store(spill_store);
        let place = table.place_of(rank as u32);
        enter_task(layer.key, place);
        let output = layer.task.run(layer.grid.place(place), inputs)?;
        let (expected, found) = (table.n_outputs, output.n_chunks());
        match found == expected as usize {
            true => Ok(output),
            false => Err(TaskError::new(InputMismatch::Outputs { expected, found })),
        }
    }
}

impl LayerTable {
    fn place_of(&self, rank: u32) -> usize {
        self.places.as_ref().map_or(rank, |places| places[rank as usize]) as usize
    }

    /// The task at a place, if it is needed.
    fn task_at(&self, index: usize) -> Option<u32> {
        match &self.places {
            None => (index < self.n_tasks as usize).then_some(self.first_task + index as u32),
            Some(places) => Some(self.first_task + places.binary_search(&(index as u32)).ok()? as u32),
        }
    }

    pub(crate) fn n_tasks(&self) -> usize {
        self.n_tasks as usize
    }

    pub(crate) fn first_task(&self) -> TaskIx {
        TaskIx(self.first_task)
    }

    pub(crate) fn tasks(&self) -> impl Iterator<Item = TaskIx> + use<> {
        (self.first_task..self.first_task + self.n_tasks).map(TaskIx)
    }

    pub(crate) fn n_outputs(&self) -> usize {
        self.n_outputs as usize
    }
}

impl LayerFacts {
    /// Adds what holds for so many tasks.
    fn add(&mut self, facts: &Facts, n_outputs: u32, n_tasks: u32) {
        let n = u64::from(n_tasks);
        for output in 0..n_outputs as usize {
            match facts.output(output).filter(|&bytes| bytes != UNKNOWN) {
                Some(bytes) => {
                    self.output_bytes += bytes * n;
                    self.largest_output = self.largest_output.max(bytes);
                }
                None => self.unknown_outputs += n,
            }
        }
        self.stages |= facts.staged != Staged::Nothing;
        self.holds_inputs |= facts.staged == Staged::OfInputs;
        if let Staged::Bytes(bytes) = facts.staged {
            self.staged_bytes = self.staged_bytes.saturating_add(bytes.saturating_mul(n));
        }
        self.largest_scratch = self.largest_scratch.max(facts.scratch_bytes);
        self.bytes_read = self.bytes_read.saturating_add(facts.bytes_read.saturating_mul(n));
        self.bytes_written = self.bytes_written.saturating_add(facts.bytes_written.saturating_mul(n));
    }
}

/// Bytes over all layers, which must be countable.
#[derive(Debug, Default)]
struct Sum {
    outputs: u128,
    largest_scratch: u64,
}

impl Sum {
    /// Adds what holds for all tasks of a layer.
    fn add_uniform(&mut self, table: &mut LayerTable, facts: &Facts) -> Result<(), Error> {
        self.add(table, facts, table.n_tasks)?;
        let outputs = 0..table.n_outputs as usize;
        let known = outputs.filter_map(|output| facts.output(output).filter(|&bytes| bytes != UNKNOWN));
        table.facts.reservation = Some(known.sum::<u64>() + facts.scratch_bytes);
        Ok(())
    }

    /// Adds what holds for so many tasks of a layer, here and to the layer's own sums.
    fn add(&mut self, table: &mut LayerTable, facts: &Facts, n_tasks: u32) -> Result<(), Error> {
        if n_tasks == 0 {
            return Ok(());
        }
        for output in 0..table.n_outputs as usize {
            let known = facts.output(output).filter(|&bytes| bytes != UNKNOWN);
            self.outputs += u128::from(known.unwrap_or(0)) * u128::from(n_tasks);
        }
        if let Staged::Bytes(bytes) = facts.staged {
            // Once where they are made, and once where they are gathered.
            self.outputs += 2 * u128::from(bytes) * u128::from(n_tasks);
        }
        self.largest_scratch = self.largest_scratch.max(facts.scratch_bytes);
        let bytes = self.outputs + u128::from(self.largest_scratch);
        if bytes > u128::from(MOST_BYTES) {
            return Err(Error::TooManyBytes { bytes });
        }
        table.facts.add(facts, table.n_outputs, n_tasks);
        Ok(())
    }
}

/// What all tasks of a layer say, if they say the same; what is staged is counted task by task.
fn uniform_facts(layer: &GraphLayer) -> Option<Facts> {
    layer.task.uniform_facts().filter(|facts| facts.staged == Staged::Nothing)
}

/// The layer that all tasks belong to, if there is one.
fn only_layer(tables: &[LayerTable]) -> Option<usize> {
    let mut running = (0..tables.len()).filter(|&own| tables[own].n_tasks > 0);
    running.next().filter(|_| running.next().is_none())
}

#[inline]
fn row<'a, T>(ends: &[u32], values: &'a [T], index: usize) -> &'a [T] {
    let start = if index == 0 { 0 } else { ends[index - 1] as usize };
    &values[start..ends[index] as usize]
}
