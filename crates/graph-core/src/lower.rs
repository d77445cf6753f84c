//! Lowering: from layers to flat tables of tasks, edges and bytes.
//!
//! Only what is asked for is lowered: places that nobody needs get no number.
//! Tasks are numbered layer by layer in C order, so a task's number is larger than those of all it reads.

use std::sync::OnceLock;

use smallvec::SmallVec;

use crate::task::InputError;
use crate::{
    Error, Facts, Graph, GraphInput, GraphLayer, Inputs, Output, Place, Places, SpillStore, TaskError, Wiring,
};

/// Number of a task in its plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
    task_layer: Vec<u32>,
    input_ends: Vec<u32>,
    inputs: Vec<SlotIx>,
    /// Turned around when somebody first asks for them: who runs a plan in its order never does.
    readers: OnceLock<Readers>,
    /// Bytes of each output; `UNKNOWN` where nobody knows.
    bytes: Vec<u64>,
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
    pub(crate) largest_scratch: u64,
    pub(crate) bytes_read: u64,
    pub(crate) bytes_written: u64,
}

/// Which places of a layer are needed.
#[derive(Debug, Clone)]
enum Need {
    Nothing,
    Everything,
    These(Vec<bool>),
}

impl Need {
    fn mark(&mut self, index: usize, n: usize) {
        match self {
            Self::Everything => {}
            Self::These(marks) => marks[index] = true,
            Self::Nothing => {
                let mut marks = vec![false; n];
                marks[index] = true;
                *self = Self::These(marks);
            }
        }
    }

    fn holds(&self, index: usize) -> bool {
        match self {
            Self::Nothing => false,
            Self::Everything => true,
            Self::These(marks) => marks[index],
        }
    }
}

impl TaskGraph {
    /// Lowers a graph.
    ///
    /// **Cost** linear in tasks and edges, no recursion.
    ///
    /// # Errors
    /// [`Error::TooManyTasks`], [`Error::TooManyBytes`], and [`Error::ReadsOutside`] if a wiring does not fit its producer's grid.
    pub fn lower(graph: Graph) -> Result<Self, Error> {
        let n_tasks = graph.n_tasks();
        if u32::try_from(n_tasks).is_err() {
            return Err(Error::TooManyTasks { n_tasks });
        }
        let needs = needs(&graph)?;
        let mut lowered = Self::number(&graph, needs);
        let Graph { layers, requests } = graph;
        lowered.layers = layers;
        lowered.wire()?;
        lowered.count_bytes()?;
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
        let mut task_layer = Vec::new();
        for (own, (layer, need)) in graph.layers.iter().zip(needs).enumerate() {
            let n = layer.grid.n_tasks();
            let places: Option<Box<[u32]>> = match need {
                Need::Everything => None,
                Need::Nothing => Some(Box::default()),
                Need::These(marks) if marks.iter().all(|&mark| mark) => None,
                Need::These(marks) => Some((0..n as u32).filter(|&index| marks[index as usize]).collect()),
            };
            let n_tasks = places.as_ref().map_or(n, |places| places.len()) as u32;
            let n_outputs = layer.task.n_outputs() as u32;
            task_layer.extend(std::iter::repeat_n(own as u32, n_tasks as usize));
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
        Self {
            layers: Vec::new(),
            tables,
            task_layer,
            input_ends: Vec::with_capacity(first_task as usize),
            inputs: Vec::new(),
            readers: OnceLock::new(),
            bytes: vec![UNKNOWN; first_slot as usize],
            requested: Vec::new(),
        }
    }

    /// Writes the edges of all tasks.
    fn wire(&mut self) -> Result<(), Error> {
        for own in 0..self.layers.len() {
            let layer = &self.layers[own];
            let is_parts = layer.inputs.iter().any(|input| matches!(input.wiring, Wiring::Part(_)));
            if is_parts {
                wire_parts(own, &self.layers, &self.tables, &mut self.inputs, &mut self.input_ends)?;
                self.tables[own].n_slots = 1;
                continue;
            }
            let single = layer.inputs.iter().all(|input| input.wiring.is_axis_map());
            let n_slots = layer.inputs.len();
            let table = &self.tables[own];
            let mut slot_ends =
                Vec::with_capacity(if single || n_slots == 1 { 0 } else { table.n_tasks as usize * n_slots });
            for rank in 0..table.n_tasks {
                let at = layer.grid.place(table.place_of(rank));
                let start = self.inputs.len();
                for input in &layer.inputs {
                    let reads = Reads { own, input, layers: &self.layers, tables: &self.tables };
                    let mut outside = None;
                    input.wiring.for_each_producer(at, &reads.producer().grid, |index| {
                        match reads.slot(index as usize) {
                            Some(slot) => self.inputs.push(slot),
                            None => outside = Some(index as usize),
                        }
                    });
                    if let Some(index) = outside {
                        return Err(reads.outside(index));
                    }
                    if !single && n_slots > 1 {
                        slot_ends.push((self.inputs.len() - start) as u32);
                    }
                }
                self.input_ends.push(self.inputs.len() as u32);
            }
            self.tables[own].slot_ends = slot_ends.into();
            self.tables[own].n_slots = n_slots as u32;
        }
        Ok(())
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
    fn count_bytes(&mut self) -> Result<(), Error> {
        let (mut bytes, mut scratch) = (0_u128, 0);
        let mut inputs: SmallVec<[Option<u64>; 8]> = SmallVec::new();
        for task in 0..self.n_tasks() as u32 {
            let own = self.task_layer[task as usize] as usize;
            inputs.clear();
            inputs.extend(self.inputs_of(TaskIx(task)).iter().map(|&slot| self.bytes_of(slot)));
            let table = &self.tables[own];
            let layer = &self.layers[own];
            let facts = layer.task.facts(layer.grid.place(table.place_of(task - table.first_task)), &inputs);
            let first = table.first_slot + (task - table.first_task) * table.n_outputs;
            for output in 0..table.n_outputs {
                let known = facts.output(output as usize).filter(|&bytes| bytes != UNKNOWN);
                bytes += u128::from(known.unwrap_or(0));
                self.bytes[(first + output) as usize] = known.unwrap_or(UNKNOWN);
            }
            scratch = scratch.max(facts.scratch_bytes);
            if bytes + u128::from(scratch) > u128::from(MOST_BYTES) {
                return Err(Error::TooManyBytes { bytes: bytes + u128::from(scratch) });
            }
            let n_outputs = table.n_outputs;
            self.tables[own].facts.add(&facts, n_outputs);
        }
        Ok(())
    }

    /// Number of tasks.
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
    pub fn layer_of(&self, task: TaskIx) -> usize {
        self.task_layer[task.index()] as usize
    }

    /// Where a task stands on its layer's grid.
    pub fn place_of(&self, task: TaskIx) -> Place<'_> {
        let own = self.layer_of(task);
        let table = &self.tables[own];
        self.layers[own].grid.place(table.place_of(task.0 - table.first_task))
    }

    /// The outputs that a task reads, slot after slot.
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
    pub fn outputs_of(&self, task: TaskIx) -> std::ops::Range<usize> {
        if self.bytes.len() == self.task_layer.len() {
            return task.index()..task.index() + 1;
        }
        let table = &self.tables[self.layer_of(task)];
        let first = table.first_slot + (task.0 - table.first_task) * table.n_outputs;
        first as usize..(first + table.n_outputs) as usize
    }

    /// Bytes of an output, where known before running.
    pub fn bytes_of(&self, slot: SlotIx) -> Option<u64> {
        Some(self.bytes[slot.index()]).filter(|&bytes| bytes != UNKNOWN)
    }

    /// Bytes that a task needs beside inputs and outputs: the most that any task of its layer needs.
    pub fn scratch_of(&self, task: TaskIx) -> u64 {
        self.tables[self.layer_of(task)].facts.largest_scratch
    }

    /// The outputs asked for, in order; one may be asked for several times.
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
        4 * (self.task_layer.len() + self.input_ends.len() + self.inputs.len())
            + 4 * (self.n_tasks() + self.n_edges() + self.requested.len())
            + 8 * self.bytes.len()
            + self.layers.len() * (size_of::<GraphLayer>() + size_of::<LayerTable>())
    }

    /// Runs a task on its input chunks, given in the order of [`inputs_of`](TaskGraph::inputs_of).
    ///
    /// # Errors
    /// What the task's `run` says; or it made another number of outputs than it has.
    pub fn run(
        &self,
        task: TaskIx,
        chunks: &mut [Option<crate::ChunkRef>],
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
        let output = layer.task.run(layer.grid.place(table.place_of(rank as u32)), inputs)?;
        let (expected, found) = (table.n_outputs, output.0.len());
        match found == expected as usize {
            true => Ok(output),
            false => Err(TaskError::new(InputError::Outputs { expected, found })),
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
}

impl LayerFacts {
    fn add(&mut self, facts: &Facts, n_outputs: u32) {
        for output in 0..n_outputs as usize {
            match facts.output(output).filter(|&bytes| bytes != UNKNOWN) {
                Some(bytes) => {
                    self.output_bytes += bytes;
                    self.largest_output = self.largest_output.max(bytes);
                }
                None => self.unknown_outputs += 1,
            }
        }
        self.largest_scratch = self.largest_scratch.max(facts.scratch_bytes);
        self.bytes_read = self.bytes_read.saturating_add(facts.bytes_read);
        self.bytes_written = self.bytes_written.saturating_add(facts.bytes_written);
    }
}

/// The reading of one input of a layer.
struct Reads<'a> {
    own: usize,
    input: &'a GraphInput,
    layers: &'a [GraphLayer],
    tables: &'a [LayerTable],
}

impl<'a> Reads<'a> {
    fn producer(&self) -> &'a GraphLayer {
        &self.layers[self.input.producer.index()]
    }

    fn slot(&self, index: usize) -> Option<SlotIx> {
        let table = &self.tables[self.input.producer.index()];
        let task = table.task_at(index)?;
        Some(SlotIx(
            table.first_slot + (task - table.first_task) * table.n_outputs + self.input.output as u32,
        ))
    }

    fn outside(&self, index: usize) -> Error {
        outside(&self.layers[self.own], self.producer(), index)
    }
}

fn outside(consumer: &GraphLayer, producer: &GraphLayer, index: usize) -> Error {
    Error::ReadsOutside {
        consumer: consumer.task.label().into_owned(),
        caller: consumer.caller,
        producer: producer.task.label().into_owned(),
        index,
        n_tasks: producer.grid.n_tasks(),
    }
}

/// Writes the edges of a layer whose inputs are parts: box by box, then sorted by task.
fn wire_parts(
    own: usize,
    layers: &[GraphLayer],
    tables: &[LayerTable],
    inputs: &mut Vec<SlotIx>,
    ends: &mut Vec<u32>,
) -> Result<(), Error> {
    let (layer, table) = (&layers[own], &tables[own]);
    let mut edges: Vec<(u32, SlotIx)> = Vec::new();
    for input in &layer.inputs {
        let Wiring::Part(part) = &input.wiring else { continue };
        let reads = Reads { own, input, layers, tables };
        for (index, at) in part.places(&layer.grid) {
            let Some(task) = table.task_at(index) else { continue };
            let mut missing = None;
            part.wiring.for_each_plain(at, &reads.producer().grid, &mut |index| match reads
                .slot(index as usize)
            {
                Some(slot) => edges.push((task, slot)),
                None => missing = Some(index as usize),
            });
            if let Some(index) = missing {
                return Err(reads.outside(index));
            }
        }
    }
    // Stable: the inputs of one task stay in the order of the producers.
    edges.sort_by_key(|&(task, _)| task);
    let mut edges = edges.into_iter().peekable();
    for task in table.first_task..table.first_task + table.n_tasks {
        while let Some((_, slot)) = edges.next_if(|&(of, _)| of == task) {
            inputs.push(slot);
        }
        ends.push(inputs.len() as u32);
    }
    Ok(())
}

fn row<'a, T>(ends: &[u32], values: &'a [T], index: usize) -> &'a [T] {
    let start = if index == 0 { 0 } else { ends[index - 1] as usize };
    &values[start..ends[index] as usize]
}

/// Which places of each layer are needed, consumers first.
fn needs(graph: &Graph) -> Result<Vec<Need>, Error> {
    let mut needs = vec![Need::Nothing; graph.layers.len()];
    for request in &graph.requests {
        let n = graph.layers[request.layer.index()].grid.n_tasks();
        match &request.places {
            Places::All => needs[request.layer.index()] = Need::Everything,
            Places::Some(places) => {
                places.iter().for_each(|&index| needs[request.layer.index()].mark(index as usize, n));
            }
        }
    }
    for own in (0..graph.layers.len()).rev() {
        let layer = &graph.layers[own];
        let mut need = std::mem::replace(&mut needs[own], Need::Nothing);
        for input in layer.inputs.iter().filter(|input| input.producer.index() == own) {
            need_within(&mut need, input, layer.grid.n_tasks());
        }
        for input in layer.inputs.iter().filter(|input| input.producer.index() != own) {
            let producer = &graph.layers[input.producer.index()];
            need_of_producer(layer, &need, input, producer, &mut needs[input.producer.index()])?;
        }
        needs[own] = need;
    }
    Ok(needs)
}

/// What a hand-made layer needs of itself; inputs have smaller numbers, so one pass from the end sees all.
fn need_within(need: &mut Need, input: &GraphInput, n: usize) {
    if let (Wiring::Explicit(lists), Need::These(_)) = (&input.wiring, &*need) {
        for index in (0..n).rev() {
            if need.holds(index) {
                lists.row(index).iter().for_each(|&read| need.mark(read as usize, n));
            }
        }
    }
}

fn need_of_producer(
    layer: &GraphLayer,
    need: &Need,
    input: &GraphInput,
    producer: &GraphLayer,
    into: &mut Need,
) -> Result<(), Error> {
    let n = producer.grid.n_tasks();
    let everything = matches!(need, Need::Everything);
    if matches!(into, Need::Everything) || matches!(need, Need::Nothing) {
        return Ok(());
    }
    if input.wiring == Wiring::All
        || (everything && producer.grid == layer.grid && input.wiring.is_one_to_one())
    {
        *into = Need::Everything;
        return Ok(());
    }
    let mut missing = None;
    let mut mark = |index: u32| match (index as usize) < n {
        true => into.mark(index as usize, n),
        false => missing = Some(index as usize),
    };
    match &input.wiring {
        Wiring::Part(part) => {
            for (index, at) in part.places(&layer.grid) {
                if need.holds(index) {
                    part.wiring.for_each_plain(at, &producer.grid, &mut mark);
                }
            }
        }
        wiring => {
            for index in (0..layer.grid.n_tasks()).filter(|&index| need.holds(index)) {
                wiring.for_each_producer(layer.grid.place(index), &producer.grid, &mut mark);
            }
        }
    }
    match missing {
        Some(index) => Err(outside(layer, producer, index)),
        None => Ok(()),
    }
}
