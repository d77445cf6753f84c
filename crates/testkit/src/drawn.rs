//! Graphs given by their edges: drawn by hand for one question, or at random for all of them.

use std::borrow::Cow;

use musher_graph_core::{
    Facts, Grid, Inputs, Layer, Output, Place, Places, Plan, Port, Request, Task, TaskError, Tokenizer,
    Wiring,
};

use crate::{Act, Alive, Brittle, Counted, Random};

/// A graph of single tasks: what each reads, how large its output is, and what it needs beside it.
///
/// # Examples
/// ```
/// use musher_testkit::Drawn;
/// //   3
/// //  / \
/// // 1   2
/// //  \ /
/// //   0
/// let diamond = Drawn::new(&[&[], &[0], &[0], &[1, 2]]);
/// assert_eq!(diamond.sinks(), [3]);
/// assert_eq!(diamond.edges(), 4);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Drawn {
    /// What each task reads: tasks with smaller numbers.
    pub reads: Vec<Vec<usize>>,
    /// Bytes of each task's output.
    pub bytes: Vec<u64>,
    /// Bytes that each task needs beside inputs and output.
    pub scratch: Vec<u64>,
}

impl Drawn {
    /// Tasks that read these, each of one byte.
    pub fn new(reads: &[&[usize]]) -> Self {
        Self::from(reads.iter().map(|reads| reads.to_vec()).collect::<Vec<_>>())
    }

    /// A graph of 1 to `most` tasks from a seed. A task reads up to four others, mostly near ones; sizes are spread
    /// over three orders of magnitude, and some tasks need scratch.
    pub fn random(random: &mut Random, most: usize) -> Self {
        let n = 1 + random.below(most);
        let mut reads = Vec::with_capacity(n);
        for task in 0..n {
            let wanted = if task == 0 || random.one_in(4) { 0 } else { 1 + random.below(4.min(task)) };
            let mut row: Vec<usize> = (0..wanted)
                .map(|_| match random.one_in(3) {
                    true => random.below(task),
                    false => task - 1 - random.below(task.min(8)),
                })
                .collect();
            row.sort_unstable();
            row.dedup();
            reads.push(row);
        }
        let mut size = || 1 + (random.below(1000) as u64 >> random.below(10));
        let bytes = (0..n).map(|_| size()).collect();
        let scratch = (0..n).map(|_| size()).map(|size| if size % 5 == 0 { size } else { 0 }).collect();
        Self { reads, bytes, scratch }
    }

    /// The tasks that nobody reads.
    pub fn sinks(&self) -> Vec<usize> {
        let mut is_read = vec![false; self.reads.len()];
        self.reads.iter().flatten().for_each(|&task| is_read[task] = true);
        (0..self.reads.len()).filter(|&task| !is_read[task]).collect()
    }

    /// Number of edges.
    pub fn edges(&self) -> usize {
        self.reads.iter().map(Vec::len).sum()
    }

    /// One layer for each task, in their order; `alive` counts the chunks.
    pub fn layers(&self, alive: &Alive) -> Vec<Layer> {
        self.layers_with(alive, |_| ())
    }

    fn layers_with(&self, alive: &Alive, alter: impl Fn(&mut Weighed)) -> Vec<Layer> {
        let mut layers: Vec<Layer> = Vec::with_capacity(self.reads.len());
        for (number, reads) in self.reads.iter().enumerate() {
            let mut task = Weighed {
                number: number as u64,
                bytes: self.bytes[number],
                scratch: self.scratch[number],
                act: None,
                brittle: None,
                is_silent: false,
                continues: false,
                alive: alive.clone(),
            };
            alter(&mut task);
            let mut layer = Layer::build(task);
            for &read in reads {
                layer = layer.input(&Port::of(layers[read].clone()), Wiring::axes([]));
            }
            layers.push(layer.finish(Grid::scalar()));
        }
        layers
    }

    /// Asks for the outputs of these tasks.
    pub fn requests(&self, alive: &Alive, outputs: &[usize]) -> Vec<Request> {
        self.requests_with(alive, outputs, |_| ())
    }

    /// The same, and `alter` may tell each task what else it does.
    pub fn requests_with(
        &self,
        alive: &Alive,
        outputs: &[usize],
        alter: impl Fn(&mut Weighed),
    ) -> Vec<Request> {
        let layers = self.layers_with(alive, alter);
        let request =
            |&output: &usize| Request { port: Port::of(layers[output].clone()), places: Places::All };
        outputs.iter().map(request).collect()
    }

    /// The values of all tasks, computed without a graph.
    pub fn values(&self) -> Vec<u64> {
        let mut values: Vec<u64> = Vec::with_capacity(self.reads.len());
        for (number, reads) in self.reads.iter().enumerate() {
            values.push(mix(number as u64, reads.iter().map(|&read| values[read])));
        }
        values
    }
}

impl From<Vec<Vec<usize>>> for Drawn {
    fn from(reads: Vec<Vec<usize>>) -> Self {
        let n = reads.len();
        Self { reads, bytes: vec![1; n], scratch: vec![0; n] }
    }
}

/// A task of known size, whose value depends on its number and the values of its inputs, in order.
#[derive(Debug, Clone)]
pub struct Weighed {
    /// What tells it from others.
    pub number: u64,
    /// Bytes of its output.
    pub bytes: u64,
    /// Bytes that it needs beside.
    pub scratch: u64,
    /// What it does before its work.
    pub act: Option<Act>,
    /// Where its chunk panics.
    pub brittle: Option<Brittle>,
    /// Whether it keeps the size of its output to itself.
    pub is_silent: bool,
    /// Whether it ends with more work, two tasks that make its chunk.
    pub continues: bool,
    /// Who counts its chunks.
    pub alive: Alive,
}

impl Weighed {
    fn chunk(&self, value: u64) -> Counted {
        match self.brittle {
            None => self.alive.chunk(value, self.bytes),
            Some(brittle) => self.alive.brittle(value, self.bytes, brittle),
        }
    }

    /// More work that makes a chunk of this value.
    fn more(&self, value: u64) -> Output {
        // Where both are one task, a chunk between them that panics would meet the panic of the other.
        let sound = Self { brittle: None, ..self.clone() };
        let later = Layer::build(Later { value, task: sound }).finish(Grid::scalar());
        let handed = Layer::build(Later { value, task: self.clone() })
            .input(&Port::of(later), Wiring::axes([]))
            .finish(Grid::scalar());
        Output::more([Request { port: Port::of(handed), places: Places::All }])
    }
}

/// What a task that continues has left to do: makes a chunk of a value that it has computed.
struct Later {
    value: u64,
    task: Weighed,
}

impl Task for Later {
    fn label(&self) -> Cow<'_, str> {
        Cow::Owned(format!("t{} later", self.task.number))
    }

    fn run(&self, _at: Place<'_>, _inputs: Inputs<'_>) -> Result<Output, TaskError> {
        Ok(Output::one(self.task.chunk(self.value)))
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.fresh();
    }

    fn facts(&self, _at: Place<'_>, _inputs: &[Option<u64>]) -> Facts {
        Facts::bytes(self.task.bytes)
    }
}

/// The least memory limit under which a plan runs where there is a disk: its tables, and the most that one task, or all
/// that is asked for, needs at once. What is of unknown size counts nothing.
pub fn least_with_disk(plan: &Plan) -> u64 {
    plan.tasks().table_bytes() as u64 + plan.tasks().least_at_once().0
}

fn mix(number: u64, inputs: impl Iterator<Item = u64>) -> u64 {
    inputs.fold(Random::new(number).bits(), |value, input| Random::new(value ^ input).bits())
}

impl Task for Weighed {
    fn label(&self) -> Cow<'_, str> {
        Cow::Owned(format!("t{}", self.number))
    }

    fn run(&self, at: Place<'_>, inputs: Inputs<'_>) -> Result<Output, TaskError> {
        self.act.as_ref().map_or(Ok(()), |act| act.act(at.index()))?;
        let values: Result<Vec<u64>, TaskError> =
            (0..inputs.len()).map(|index| Ok(inputs.get::<Counted>(index)?.value)).collect();
        let value = mix(self.number, values?.into_iter());
        Ok(if self.continues { self.more(value) } else { Output::one(self.chunk(value)) })
    }

    fn continues(&self) -> bool {
        self.continues
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.fresh();
    }

    fn facts(&self, _at: Place<'_>, _inputs: &[Option<u64>]) -> Facts {
        let known = if self.is_silent { Facts::default() } else { Facts::bytes(self.bytes) };
        known.scratch(self.scratch)
    }
}
