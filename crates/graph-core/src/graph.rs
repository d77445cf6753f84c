//! The graph: the layers reachable from what is asked for, each piece of work once.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use smallvec::SmallVec;

use crate::annotations::Annotations;
use crate::collection::{Places, Request};
use crate::error::Error;
use crate::fit::Misfit;
use crate::grid::Grid;
use crate::key::{Key, Reach};
use crate::layer::{Input, Layer};
use crate::site::Site;
use crate::task::Task;
use crate::watch::Watch;
use crate::wiring::Wiring;

/// Number of a layer in its graph; producers have smaller numbers than their consumers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LayerIx(pub(crate) u32);

impl LayerIx {
    /// As an index.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A layer inside a graph.
#[derive(Debug, Clone)]
pub struct GraphLayer {
    /// The task.
    pub task: Arc<dyn Task>,
    /// The grid.
    pub grid: Grid,
    /// What it reads, slot by slot.
    pub inputs: SmallVec<[GraphInput; 2]>,
    /// The fingerprint.
    pub key: Key,
    /// The user's line.
    pub caller: Site,
    /// Annotations about how its tasks run.
    pub annotations: Option<Arc<Annotations>>,
}

/// What a layer inside a graph reads.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct GraphInput {
    /// The producer; the layer itself in hand-made graphs.
    pub producer: LayerIx,
    /// Which output of the producer.
    pub output: usize,
    /// How the grids are wired.
    pub wiring: Wiring,
}

/// Outputs that are asked for.
#[derive(Debug, Clone)]
pub(crate) struct GraphRequest {
    pub(crate) layer: LayerIx,
    pub(crate) output: usize,
    pub(crate) places: Places,
}

/// The layers reachable from what is asked for.
///
/// # Examples
/// ```
/// use musher_graph_core::{Collection, Graph, delayed};
/// fn inc(x: i64) -> i64 { x + 1 }
/// let calls: Vec<_> = (0..3).map(|_| delayed(inc).call(1)).collect();
/// let requests: Vec<_> = calls.iter().map(Collection::request).collect();
/// let graph = Graph::collect(&requests)?;
/// assert_eq!(graph.layers().len(), 1, "the same call three times");
/// # Ok::<(), musher_graph_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Graph {
    pub(crate) layers: Vec<GraphLayer>,
    pub(crate) requests: Vec<GraphRequest>,
}

/// Keys are good hashes already.
#[derive(Debug, Default)]
pub(crate) struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |hash, &byte| hash.rotate_left(8) ^ u64::from(byte));
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = word;
    }
}

pub(crate) type KeyMap<V> = HashMap<Key, V, BuildHasherDefault<KeyHasher>>;

impl Graph {
    /// Gathers the layers reachable from these requests; layers with equal keys become one, which has the strongest of
    /// their annotations (see [`annotate`](crate::annotate)).
    ///
    /// **Cost** linear in layers and inputs, no recursion.
    ///
    /// # Errors
    /// [`Error::RequestOutside`] if a request names what its layer does not have, [`Error::Wiring`] if a wiring does
    /// not fit the grids that it joins.
    pub fn collect(requests: &[Request]) -> Result<Self, Error> {
        Self::collect_watched(requests, Watch::NONE)
    }

    pub(crate) fn collect_watched(requests: &[Request], watch: Watch<'_>) -> Result<Self, Error> {
        let mut numbers: KeyMap<LayerIx> = KeyMap::default();
        let mut layers: Vec<GraphLayer> = Vec::new();
        let mut asked = Vec::with_capacity(requests.len());
        let mut stack: Vec<(&Layer, usize)> = Vec::new();
        let mut twins = Twins::default();
        for request in requests {
            check(request)?;
            match numbers.get(&request.port.layer.key()) {
                Some(&number) => twins.meet(number, &request.port.layer),
                None => stack.push((&request.port.layer, 0)),
            }
            while let Some((layer, next)) = stack.pop() {
                if let Some(input) = layer.inputs().get(next) {
                    stack.push((layer, next + 1));
                    let Some(producer) = input.producer() else { continue };
                    match numbers.get(&producer.key()) {
                        Some(&number) => twins.meet(number, producer),
                        None => stack.push((producer, 0)),
                    }
                } else if let Some(&number) = numbers.get(&layer.key()) {
                    twins.meet(number, layer);
                } else {
                    watch.look_at(layers.len())?;
                    let own = LayerIx(layers.len() as u32);
                    layers.push(enter(layer, own, &numbers)?);
                    numbers.insert(layer.key(), own);
                    twins.firsts.push(layer);
                }
            }
            let layer = numbers[&request.port.layer.key()];
            asked.push(GraphRequest { layer, output: request.port.output, places: request.places.clone() });
        }
        twins.merge_annotations(&numbers, &mut layers);
        Ok(Self { layers, requests: asked })
    }

    /// The layers, producers first.
    pub fn layers(&self) -> &[GraphLayer] {
        &self.layers
    }

    /// Number of tasks over all layers, before unneeded ones are culled.
    pub fn n_tasks(&self) -> usize {
        self.layers.iter().fold(0, |sum: usize, layer| sum.saturating_add(layer.grid.n_tasks()))
    }

    /// The layers that are asked for, with the outputs asked for.
    pub fn requested(&self) -> impl Iterator<Item = (LayerIx, usize)> + '_ {
        self.requests.iter().map(|request| (request.layer, request.output))
    }
}

/// Layers that were built several times, and become one.
#[derive(Default)]
struct Twins<'a> {
    /// The layer that was entered under each number.
    firsts: Vec<&'a Layer>,
    /// Others of the same key, where there are annotations.
    others: Vec<&'a Layer>,
}

impl<'a> Twins<'a> {
    /// A layer whose key has this number already: in most cases the very same layer, or one of no annotations.
    fn meet(&mut self, number: LayerIx, layer: &'a Layer) {
        let first = self.firsts[number.index()];
        if first.address() != layer.address() && (first.has_annotations() || layer.has_annotations()) {
            self.others.push(layer);
        }
    }

    /// Lets each layer of the graph have the annotations of all its twins, and what it needs those of what they need.
    fn merge_annotations(mut self, numbers: &KeyMap<LayerIx>, layers: &mut [GraphLayer]) {
        let mut seen = HashSet::new();
        while let Some(layer) = self.others.pop() {
            // What has been computed is equal to the work that made it and needs nothing: its producers may be missing.
            let Some(&number) = numbers.get(&layer.key()).filter(|_| seen.insert(layer.address())) else {
                continue;
            };
            let annotations = &mut layers[number.index()].annotations;
            let merged = Annotations::merged(annotations.as_deref(), layer.annotations().map(AsRef::as_ref));
            if annotations.as_deref() != merged.as_ref() {
                *annotations = merged.map(Arc::new);
            }
            for producer in layer.inputs().iter().filter_map(Input::producer) {
                if let Some(&number) = numbers.get(&producer.key()) {
                    self.meet(number, producer);
                }
            }
        }
    }
}

fn check(request: &Request) -> Result<(), Error> {
    let layer = &request.port.layer;
    let (n_tasks, n_outputs) = (layer.grid().n_tasks(), layer.task().n_outputs());
    let largest = match &request.places {
        Places::All => None,
        Places::Some(places) => places.iter().map(|&index| index as usize).max(),
    };
    let output = request.port.output;
    if output >= n_outputs || largest.is_some_and(|index| index >= n_tasks) {
        return Err(Error::RequestOutside {
            layer: layer.label().into_owned(),
            index: largest.unwrap_or(0),
            output,
            n_tasks,
            n_outputs,
        });
    }
    Ok(())
}

/// A layer as the graph holds it; its producers are numbered already.
fn enter(layer: &Layer, own: LayerIx, numbers: &KeyMap<LayerIx>) -> Result<GraphLayer, Error> {
    if layer.reach() == Reach::Nowhere {
        return Err(Error::NoScope { layer: layer.label().into_owned(), caller: layer.caller() });
    }
    for input in layer.inputs() {
        check_input(layer, input)?;
    }
    let inputs = layer.inputs().iter().map(|input| GraphInput {
        producer: input.producer().map_or(own, |producer| numbers[&producer.key()]),
        output: input.output(),
        wiring: input.wiring().clone(),
    });
    Ok(GraphLayer {
        task: Arc::clone(layer.task()),
        grid: layer.grid().clone(),
        inputs: inputs.collect(),
        key: layer.key(),
        caller: layer.caller(),
        annotations: layer.annotations().cloned(),
    })
}

fn check_input(layer: &Layer, input: &Input) -> Result<(), Error> {
    let producer = input.producer().unwrap_or(layer);
    let n_outputs = producer.task().n_outputs();
    let fits = match input.output() < n_outputs {
        true => input.wiring().check(layer.grid(), producer.grid()),
        false => Err(Misfit::Output { output: input.output(), n_outputs }),
    };
    fits.map_err(|misfit| Error::Wiring {
        consumer: layer.label().into_owned(),
        caller: layer.caller(),
        producer: producer.label().into_owned(),
        misfit: Box::new(misfit),
    })
}
