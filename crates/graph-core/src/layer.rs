//! Layers: one task applied over a grid, and how that grid is wired to its producers.
//!
//! A [`Layer`] is a shared handle. Handles name their producers, so the graph is what can be reached from them.
//! A chain of a million layers is dropped without recursion: see [`Node`]'s `Drop`.

use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use smallvec::{SmallVec, smallvec};

use crate::annotations::Annotations;
use crate::chunk::{Chunk, ChunkRef};
use crate::grid::{Grid, Place};
use crate::key::{Key, Reach, Token, Tokenizer};
use crate::site::Site;
use crate::task::{Facts, Inputs, Output, Task, TaskError};
use crate::wiring::Wiring;

/// One task applied over a grid and wired to its producers; cheap to clone.
///
/// # Examples
/// ```
/// use musher_graph_core::*;
/// let source = FnTask::new("source", |at: Place<'_>, _: &mut Inputs<'_>| Ok(Value(at.index())));
/// let layer = Layer::build(source).finish(Grid::from([4]));
/// assert_eq!(layer.grid().n_tasks(), 4);
/// ```
#[derive(Clone)]
pub struct Layer(Arc<Node>);

impl fmt::Debug for Layer {
    /// Of its producers only the labels: the graph above may be a million layers deep.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let labels = self.inputs().iter().map(|input| input.producer().map_or("itself".into(), Layer::label));
        f.debug_struct("Layer")
            .field("label", &self.label())
            .field("key", &self.key())
            .field("grid", &self.grid().shape())
            .field("reads", &labels.collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

/// What a layer reads: an output of a producer, by a wiring.
#[derive(Debug)]
pub struct Input {
    /// The producer; `None` is the layer itself (hand-made graphs).
    producer: Option<Layer>,
    output: u32,
    wiring: Wiring,
}

/// One output of a layer: what a collection holds.
#[derive(Debug, Clone)]
pub struct Port {
    /// The layer.
    pub layer: Layer,
    /// Which of its task's outputs.
    pub output: usize,
}

impl Port {
    /// The first output of a layer.
    pub fn of(layer: Layer) -> Self {
        Self { layer, output: 0 }
    }

    /// The grid of the layer.
    pub fn grid(&self) -> &Grid {
        self.layer.grid()
    }

    /// Fingerprint of this output.
    pub fn key(&self) -> Key {
        match self.output {
            0 => self.layer.key(),
            output => Key::of(&(self.layer.key(), output)),
        }
    }
}

impl From<Layer> for Port {
    fn from(layer: Layer) -> Self {
        Self::of(layer)
    }
}

#[derive(Debug)]
struct Node {
    key: Key,
    work: Work,
    inputs: Box<[Input]>,
    grid: Grid,
    /// One word: there are millions of layers, and all are built here.
    caller: &'static Location<'static>,
    reach: Reach,
    /// Whether it or what it needs has annotations.
    has_annotations: bool,
}

/// A node's task, and how it is to run where anybody said so: as large as the task alone, because few have annotations.
#[derive(Debug)]
enum Work {
    Plain(Arc<dyn Task>),
    /// `None` once the node is dropped.
    Annotated(Option<Box<AnnotatedTask>>),
}

#[derive(Debug)]
struct AnnotatedTask {
    task: Arc<dyn Task>,
    annotations: Arc<Annotations>,
}

impl Work {
    /// The task, until the node is dropped.
    fn task(&self) -> Option<&Arc<dyn Task>> {
        match self {
            Self::Plain(task) => Some(task),
            Self::Annotated(annotated) => annotated.as_ref().map(|annotated| &annotated.task),
        }
    }

    fn annotations(&self) -> Option<&Arc<Annotations>> {
        match self {
            Self::Plain(_) => None,
            Self::Annotated(annotated) => annotated.as_ref().map(|annotated| &annotated.annotations),
        }
    }
}

thread_local! {
    /// What dropped nodes leave behind, while some drop further up the stack is draining it.
    static DROPPED: RefCell<Dropped> = const { RefCell::new(Dropped { draining: false, parts: Vec::new() }) };
}

struct Dropped {
    draining: bool,
    parts: Vec<NodeParts>,
}

/// What a node leaves behind when it is dropped.
type NodeParts = (Work, Box<[Input]>);

/// Ends the draining, also when user code panics in it.
struct Draining<'a>(&'a RefCell<Dropped>);

impl Drop for Draining<'_> {
    fn drop(&mut self) {
        self.0.borrow_mut().draining = false;
    }
}

impl Node {
    fn task(&self) -> &Arc<dyn Task> {
        self.work.task().expect("a task is taken only when its last handle is dropped")
    }
}

impl Drop for Node {
    /// Hands producers and task to a per-thread queue, so that the stack does not grow with the graph, also where
    /// a task's closure captures a handle.
    fn drop(&mut self) {
        if self.inputs.is_empty() && self.work.task().is_none_or(|task| Arc::strong_count(task) > 1) {
            return;
        }
        let work = std::mem::replace(&mut self.work, Work::Annotated(None));
        let parts = (work, std::mem::take(&mut self.inputs));
        // While thread-locals are torn down there is no queue; the parts then drop in place.
        let _ = DROPPED.try_with(|dropped| {
            {
                let mut queue = dropped.borrow_mut();
                queue.parts.push(parts);
                if std::mem::replace(&mut queue.draining, true) {
                    return;
                }
            }
            let _draining = Draining(dropped);
            loop {
                let next = dropped.borrow_mut().parts.pop();
                match next {
                    Some(parts) => drop(parts),
                    None => break,
                }
            }
            dropped.borrow_mut().parts = Vec::new();
        });
    }
}

impl Layer {
    /// Starts a layer of this task; the line of the call is what errors will name.
    #[track_caller]
    pub fn build(task: impl Task) -> LayerBuilder {
        Self::build_shared(Arc::new(task))
    }

    /// Starts a layer of a task that is shared already.
    #[track_caller]
    pub fn build_shared(task: Arc<dyn Task>) -> LayerBuilder {
        LayerBuilder { task, inputs: Vec::new(), caller: Location::caller() }
    }

    /// The fingerprint.
    pub fn key(&self) -> Key {
        self.0.key
    }

    /// The task.
    pub fn task(&self) -> &Arc<dyn Task> {
        self.0.task()
    }

    /// The task's label.
    pub fn label(&self) -> Cow<'_, str> {
        self.task().label()
    }

    /// The grid.
    pub fn grid(&self) -> &Grid {
        &self.0.grid
    }

    /// What it reads, slot by slot.
    pub fn inputs(&self) -> &[Input] {
        &self.0.inputs
    }

    /// The user's line.
    pub fn caller(&self) -> Site {
        self.0.caller.into()
    }

    /// Annotations about how its tasks run.
    pub fn annotations(&self) -> Option<&Arc<Annotations>> {
        self.0.work.annotations()
    }

    /// Whether it or what it needs has annotations about how its tasks run.
    pub(crate) fn has_annotations(&self) -> bool {
        self.0.has_annotations
    }

    /// The same for all handles of one layer, and only for those.
    pub(crate) fn address(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }

    /// Where the key means the same: everywhere, or only in this program, or only in this run of it.
    pub fn reach(&self) -> Reach {
        self.0.reach
    }
}

impl Input {
    /// The producer; `None` is the layer itself.
    pub fn producer(&self) -> Option<&Layer> {
        self.producer.as_ref()
    }

    /// Which output of the producer is read.
    pub fn output(&self) -> usize {
        self.output as usize
    }

    /// How the layer's grid is wired to the producer's.
    pub fn wiring(&self) -> &Wiring {
        &self.wiring
    }
}

/// A layer in the making: inputs are added slot by slot.
#[derive(Debug)]
pub struct LayerBuilder {
    task: Arc<dyn Task>,
    inputs: Vec<Input>,
    caller: &'static Location<'static>,
}

impl LayerBuilder {
    /// Adds the next slot: it reads `port` by `wiring`.
    ///
    /// Whether the wiring fits the two grids is told when the graph is planned.
    #[must_use]
    pub fn input(mut self, port: &Port, wiring: Wiring) -> Self {
        if self.inputs.len() < 4 {
            // Most layers have few inputs, and a boxed slice has no room to spare.
            self.inputs.reserve_exact(1);
        }
        self.inputs.push(Input { producer: Some(port.layer.clone()), output: port.output as u32, wiring });
        self
    }

    /// Adds a slot for each of these ports, all of which are single tasks: the inputs of a delayed call.
    #[must_use]
    pub(crate) fn single_tasks(mut self, ports: SmallVec<[Port; 4]>) -> Self {
        self.inputs.reserve_exact(ports.len());
        self.inputs.extend(ports.into_iter().map(|Port { layer, output }| {
            let wiring = Wiring::single(layer.grid());
            Input { producer: Some(layer), output: output as u32, wiring }
        }));
        self
    }

    /// Adds the next slot: tasks of the layer itself, each one with a smaller index than its reader.
    #[must_use]
    pub(crate) fn input_from_itself(mut self, lists: crate::wiring::Lists) -> Self {
        self.inputs.push(Input { producer: None, output: 0, wiring: Wiring::explicit(lists) });
        self
    }

    /// Names the user's line, where the builder was called further down. A line that was read back is not one of this
    /// program, and changes nothing.
    #[must_use]
    pub fn caller(mut self, caller: Site) -> Self {
        self.caller = caller.location().unwrap_or(self.caller);
        self
    }

    /// Adds a producer of the only slot: the tasks in the box that begins at `start` read `port` by `wiring`.
    #[must_use]
    pub fn part(self, port: &Port, start: &[usize], shape: &[usize], wiring: Wiring) -> Self {
        self.input(port, Wiring::part(start, shape, wiring))
    }

    /// The layer over this grid.
    ///
    /// # Panics
    /// If some inputs are parts and others are not.
    ///
    /// A slot wired by [`Wiring::All`] to a consumer of several tasks goes through a barrier, so that there are
    /// n + m edges and not n × m.
    pub fn finish(mut self, grid: Grid) -> Layer {
        let n_parts = self.inputs.iter().filter(|input| matches!(input.wiring, Wiring::Part(_))).count();
        assert!(n_parts == 0 || n_parts == self.inputs.len(), "inputs are all parts, or none is");
        if grid.n_tasks() > 1 {
            for input in &mut self.inputs {
                if let (Wiring::All, Some(producer)) = (&input.wiring, &input.producer) {
                    let port = Port { layer: producer.clone(), output: input.output as usize };
                    let barrier = Layer::build(Barrier).caller(self.caller.into()).input(&port, Wiring::All);
                    let barrier = barrier.finish(Grid::scalar());
                    *input = Input { producer: Some(barrier), output: 0, wiring: Wiring::axes([]) };
                }
            }
        }
        let annotations = Annotations::current();
        let mut has_annotations = annotations.is_some();
        let mut tokenizer = Tokenizer::new();
        self.task.token(&mut tokenizer);
        grid.token(&mut tokenizer);
        let mut reach = tokenizer.reach();
        for input in &self.inputs {
            tokenizer.word(u64::from(input.output));
            // A hand-made graph has an identity of its own: its lists need not be read.
            if let Some(producer) = &input.producer {
                input.wiring.token(&mut tokenizer);
                tokenizer.key(producer.key());
                reach = reach.max(producer.reach());
                has_annotations |= producer.has_annotations();
            }
        }
        let work = match annotations {
            None => Work::Plain(self.task),
            Some(annotations) => {
                Work::Annotated(Some(Box::new(AnnotatedTask { task: self.task, annotations })))
            }
        };
        Layer(Arc::new(Node {
            key: tokenizer.finish(),
            work,
            inputs: self.inputs.into_boxed_slice(),
            grid,
            caller: self.caller,
            reach,
            has_annotations,
        }))
    }
}

/// The chunks that passed a barrier, as one chunk.
pub(crate) struct Bundle(pub(crate) Vec<ChunkRef>);

impl Chunk for Bundle {
    fn nbytes(&self) -> Option<usize> {
        self.0.iter().map(|chunk| chunk.nbytes()).sum()
    }
}

/// Waits for all chunks of its producer and hands them on as one [`Bundle`].
struct Barrier;

impl Task for Barrier {
    fn label(&self) -> Cow<'_, str> {
        Cow::Borrowed("barrier")
    }

    fn run(&self, _at: Place<'_>, inputs: Inputs<'_>) -> Result<Output, TaskError> {
        Ok(Output::one(Bundle(inputs.shared()?)))
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.name("core.barrier/1");
    }

    fn facts(&self, _at: Place<'_>, inputs: &[Option<u64>]) -> Facts {
        Facts {
            output_bytes: smallvec![inputs.iter().copied().sum()],
            cost_ns: Some(100),
            ..Facts::default()
        }
    }
}
