//! Hand-made graphs: tasks added one by one, each naming earlier tasks as its inputs.

mod functions;

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use functions::Functions;

use crate::chunk::{Chunk, ChunkRef, Codec};
use crate::collection::{Collection, Places};
use crate::grid::{Grid, Place};
use crate::key::Tokenizer;
use crate::layer::{Layer, Port};
use crate::site::Site;
use crate::task::{Facts, Inputs, Output, Task, TaskError};
use crate::value::Value;
use crate::wiring::Lists;

/// Number of a task in a hand-made graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(u32);

impl NodeId {
    /// As an index: the tasks are numbered in the order in which they were added.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// Builds a graph task by task: one layer with its edges written out.
///
/// An input is always an earlier task, so there are no cycles.
/// A closure takes the memory of what it captures and no allocation of its own: closures made on the same line stand
/// in one table.
///
/// # Examples
/// ```
/// use musher_graph_core::GraphBuilder;
/// let mut graph = GraphBuilder::new();
/// let a = graph.add([], |_| 1.0);
/// let b = graph.add([], |_| 2.0);
/// let sum = graph.add([a, b], |inputs| inputs[0] + inputs[1]);
/// let outputs = graph.build(&[sum]);
/// assert_eq!(outputs.n_tasks(), 3);
/// ```
#[doc(alias = "HighLevelGraph")]
pub struct GraphBuilder<T> {
    functions: Functions<T>,
    lists: Lists,
    label: Cow<'static, str>,
}

impl<T> fmt::Debug for GraphBuilder<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GraphBuilder({} tasks)", self.functions.len())
    }
}

impl<T: Send + Sync + 'static> Default for GraphBuilder<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Send + Sync + 'static> GraphBuilder<T> {
    /// No tasks yet.
    pub fn new() -> Self {
        Self { functions: Functions::default(), lists: Lists::new(), label: Cow::Borrowed("task") }
    }

    /// Room for this many tasks and edges.
    pub fn with_capacity(n_tasks: usize, n_edges: usize) -> Self {
        let lists = Lists { ends: Vec::with_capacity(n_tasks), producers: Vec::with_capacity(n_edges) };
        Self { functions: Functions::default(), lists, label: Cow::Borrowed("task") }
    }

    /// The name in pictures, plans and errors.
    #[must_use]
    pub fn label(mut self, label: impl Into<Cow<'static, str>>) -> Self {
        self.label = label.into();
        self
    }

    /// Adds a task that computes `function` of the values of `inputs`.
    ///
    /// # Panics
    /// If an input is not an earlier task of this builder, or there are more than `u32::MAX` tasks or edges.
    #[track_caller]
    pub fn add(
        &mut self,
        inputs: impl IntoIterator<Item = NodeId>,
        function: impl Fn(Values<'_, '_, T>) -> T + Send + Sync + 'static,
    ) -> NodeId {
        let id = NodeId(u32::try_from(self.functions.len()).expect("at most u32::MAX tasks"));
        self.functions.push(function);
        self.lists.push(inputs.into_iter().map(|input| {
            assert!(input < id, "input {} is not an earlier task", input.0);
            input.0
        }));
        id
    }

    /// Number of tasks added.
    pub fn len(&self) -> usize {
        self.functions.len()
    }

    /// Whether none was added.
    pub fn is_empty(&self) -> bool {
        self.functions.is_empty()
    }

    /// The values of these tasks as a collection; tasks that they do not need will not run.
    #[track_caller]
    pub fn build(self, outputs: &[NodeId]) -> Handmade<T> {
        let n_tasks = self.functions.len();
        let task = HandmadeTask { functions: self.functions, label: self.label };
        let layer = Layer::build(task).caller(Site::caller()).input_from_itself(self.lists);
        let layer = layer.finish(Grid::from([n_tasks]));
        let places = Places::Some(outputs.iter().map(|id| id.0).collect());
        Handmade { port: Port::of(layer), places, marker: PhantomData }
    }
}

/// Chosen values of a hand-made graph; `compute()` gives them as a vector.
#[derive(Debug)]
pub struct Handmade<T> {
    port: Port,
    places: Places,
    marker: PhantomData<fn() -> T>,
}

impl<T> Handmade<T> {
    /// Number of tasks of the whole graph.
    pub fn n_tasks(&self) -> usize {
        self.port.grid().n_tasks()
    }
}

impl<T: Clone + Send + Sync + 'static> Collection for Handmade<T> {
    type Output = Vec<T>;

    fn port(&self) -> &Port {
        &self.port
    }

    fn places(&self) -> Places {
        self.places.clone()
    }

    fn gather(&self, chunks: Vec<ChunkRef>) -> Result<Vec<T>, TaskError> {
        let mut chunks: Vec<_> = chunks.into_iter().map(Some).collect();
        let n = chunks.len();
        let mut inputs = Inputs::new(&mut chunks, &[]);
        (0..n)
            .map(|index| {
                let chunk = inputs.take::<Value<T>>(index)?;
                Ok(Arc::try_unwrap(chunk).map_or_else(|shared| shared.0.clone(), |own| own.0))
            })
            .collect()
    }

    fn with_port(&self, port: Port) -> Self {
        Self { port, places: Places::All, marker: PhantomData }
    }
}

/// The values of a task's inputs, in the order in which they were named.
#[derive(Debug)]
pub struct Values<'a, 'b, T> {
    inputs: &'a Inputs<'b>,
    marker: PhantomData<fn() -> T>,
}

impl<T: Send + Sync + 'static> Values<'_, '_, T> {
    /// Number of inputs.
    pub fn len(&self) -> usize {
        self.inputs.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.inputs.is_empty()
    }

    /// The values in order.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        (0..self.len()).map(|index| &self[index])
    }
}

impl<T: Send + Sync + 'static> std::ops::Index<usize> for Values<'_, '_, T> {
    type Output = T;

    /// # Panics
    /// If the task has no such input.
    fn index(&self, index: usize) -> &T {
        match self.inputs.get::<Value<T>>(index) {
            Ok(value) => &value.0,
            Err(error) => panic!("{error}"),
        }
    }
}

/// The task of a hand-made layer: place `i` runs function `i`.
struct HandmadeTask<T> {
    functions: Functions<T>,
    label: Cow<'static, str>,
}

impl<T: Send + Sync + 'static> Task for HandmadeTask<T> {
    fn label(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.label)
    }

    fn run(&self, at: Place<'_>, inputs: Inputs<'_>) -> Result<Output, TaskError> {
        let values = Values { inputs: &inputs, marker: PhantomData };
        Ok(Output::one(Value(self.functions.call(at.index(), values))))
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.fresh();
    }

    fn facts(&self, _at: Place<'_>, _inputs: &[Option<u64>]) -> Facts {
        match std::mem::needs_drop::<T>() {
            true => Facts::default(),
            false => Facts::bytes(size_of::<T>() as u64),
        }
    }

    fn uniform_facts(&self) -> Option<Facts> {
        Some(self.facts(Grid::scalar().place(0), &[]))
    }

    fn codec(&self, _: usize, _: &[Option<&'static dyn Codec>]) -> Option<&'static dyn Codec> {
        Value::<T>::codec_of()
    }
}
