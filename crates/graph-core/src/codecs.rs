//! Which outputs of a plan can leave memory, known before it runs.

use smallvec::SmallVec;

use crate::chunk::Codec;
use crate::collection::{Places, Request};
use crate::error::Error;
use crate::graph::{Graph, GraphLayer};
use crate::layer::Port;
use crate::lower::TaskGraph;
use crate::wiring::Wiring;

/// How the outputs of each layer are written and read back, as far as their tasks know it before they run.
///
/// # Examples
/// ```
/// use musher_graph_core::{Collection, Plan, delayed};
/// let half = delayed(|| 0.5).call(());
/// let plan = Plan::of(&[half.request()], &|| true)?;
/// let codec = plan.tasks().codecs().of(0, 0).expect("numbers can leave memory");
/// assert_eq!(codec.kind(), "core.value/1<f64>");
/// # Ok::<(), musher_graph_core::Error>(())
/// ```
#[derive(Default)]
pub struct Codecs {
    /// Where the outputs of each layer begin.
    starts: Vec<usize>,
    codecs: Vec<Option<&'static dyn Codec>>,
}

impl Codecs {
    /// The codec of an output of a layer, by their numbers; none where the chunks are pinned, or nobody knows.
    pub fn of(&self, layer: usize, output: usize) -> Option<&'static dyn Codec> {
        let start = *self.starts.get(layer)?;
        let end = self.starts.get(layer + 1).copied().unwrap_or(self.codecs.len());
        self.codecs[start..end].get(output).copied().flatten()
    }

    /// Asks the tasks, producers first.
    fn of_layers(layers: &[GraphLayer]) -> Self {
        let mut known = Self::default();
        let mut inputs: SmallVec<[Option<&'static dyn Codec>; 4]> = SmallVec::new();
        for layer in layers {
            let reads = layer.inputs.iter().map(|input| known.of(input.producer.index(), input.output));
            inputs.clear();
            // The parts of a slot are several producers of the same kind of chunk.
            match layer.inputs.iter().any(|input| matches!(input.wiring, Wiring::Part(_))) {
                true => inputs.push(agreed(reads)),
                false => inputs.extend(reads),
            }
            known.starts.push(known.codecs.len());
            known.codecs.extend((0..layer.task.n_outputs()).map(|output| layer.task.codec(output, &inputs)));
        }
        known
    }
}

impl std::fmt::Debug for Codecs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.codecs.iter().map(|codec| codec.map(Codec::kind))).finish()
    }
}

/// The codec of all of these, where they are of one kind; none where there are none.
pub(crate) fn agreed(
    mut codecs: impl Iterator<Item = Option<&'static dyn Codec>>,
) -> Option<&'static dyn Codec> {
    let first = codecs.next()??;
    let kind = first.kind();
    codecs.all(|codec| codec.is_some_and(|codec| codec.kind() == kind)).then_some(first)
}

impl TaskGraph {
    /// How the outputs of each of the [`layers`](TaskGraph::layers) are written and read back.
    ///
    /// **Cost** linear in layers, each time it is asked; planning does not ask.
    pub fn codecs(&self) -> Codecs {
        Codecs::of_layers(self.layers())
    }
}

impl Port {
    /// How its chunks are written and read back, where that is known before there is one.
    ///
    /// **Cost** linear in the layers that it needs.
    ///
    /// # Errors
    /// Those of [`Graph::collect`].
    ///
    /// # Examples
    /// ```
    /// use musher_graph_core::{Collection, Delayed};
    /// let text = Delayed::ready("text".to_owned());
    /// assert!(text.port().codec()?.is_some());
    /// # Ok::<(), musher_graph_core::Error>(())
    /// ```
    pub fn codec(&self) -> Result<Option<&'static dyn Codec>, Error> {
        let graph = Graph::collect(&[Request { port: self.clone(), places: Places::All }])?;
        let own = graph.requests.first().map(|request| request.layer.index());
        Ok(own.and_then(|own| Codecs::of_layers(&graph.layers).of(own, self.output)))
    }
}
