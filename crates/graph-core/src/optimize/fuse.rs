//! Fusion: a consumer absorbs a producer across an axis map, in the algebra of their domain.

use smallvec::SmallVec;

use super::Repeats;
use crate::error::Error;
use crate::graph::{Graph, GraphInput, GraphLayer};
use crate::task::Absorb;
use crate::watch::Watch;

/// A source is made again rather than held where making it costs no more than about writing and reading it: the
/// limit in nanoseconds a byte.
const CHEAP_NS_PER_BYTE: u64 = 1;

/// A layer of more slots gathers: it neither absorbs nor is absorbed, so that the pass stays linear, because each
/// question to a task is told about all slots.
const MOST_SLOTS: usize = 256;

/// Lets each layer, producers first, absorb its producers until none can be absorbed.
pub(super) fn fuse(graph: &mut Graph, watch: Watch<'_>) -> Result<(), Error> {
    let mut uses = graph.uses();
    for own in 0..graph.layers.len() {
        watch.look_at(own)?;
        let mut slot = 0;
        let mut repeats = Repeats::of(&graph.layers[own].inputs);
        while slot < graph.layers[own].inputs.len() {
            if absorb_slot(graph, own, slot, &repeats, &mut uses) {
                // A fused layer has other slots: look again from the first one.
                repeats = Repeats::of(&graph.layers[own].inputs);
                slot = 0;
            } else {
                slot += 1;
            }
        }
    }
    Ok(())
}

/// Lets a layer absorb the producer that a slot reads.
fn absorb_slot(graph: &mut Graph, own: usize, slot: usize, repeats: &Repeats, uses: &mut [u32]) -> bool {
    let layer = &graph.layers[own];
    if layer.inputs.len() > MOST_SLOTS {
        return false;
    }
    let input = &layer.inputs[slot];
    let at = input.producer.index();
    // Slots that name the same producer by the same wiring are asked about once, at the first of them.
    let is_window = !input.wiring.is_axis_map();
    if at == own || !repeats.is_first(&layer.inputs, slot) || is_window && !layer.task.absorbs_neighbors() {
        return false;
    }
    let producer = &graph.layers[at];
    if producer.annotations != layer.annotations || producer.inputs.len() > MOST_SLOTS {
        return false;
    }
    // How much of a producer's work a window repeats, the task knows.
    let only_here = uses[at] == 1 && (is_window || input.wiring.reads_once(&layer.grid));
    if !only_here && !is_cheap_source(producer) {
        return false;
    }
    let Some(fused) = ask(layer, slot, repeats, producer) else { return false };
    // The readings of the consumer are other ones now; those of a producer that nobody reads are over.
    distinct(&layer.inputs).iter().for_each(|&producer| uses[producer] -= 1);
    distinct(&fused.inputs).iter().for_each(|&producer| uses[producer] += 1);
    if uses[at] == 0 {
        distinct(&producer.inputs).iter().for_each(|&producer| uses[producer] -= 1);
    }
    graph.layers[own] = fused;
    true
}

/// The producers of distinct readings, one entry for each reading.
fn distinct(inputs: &[GraphInput]) -> SmallVec<[usize; 8]> {
    let repeats = Repeats::of(inputs);
    let firsts = (0..inputs.len()).filter(|&slot| repeats.is_first(inputs, slot));
    firsts.map(|slot| inputs[slot].producer.index()).collect()
}

fn is_cheap_source(layer: &GraphLayer) -> bool {
    if !layer.inputs.is_empty() || layer.grid.n_tasks() == 0 {
        return false;
    }
    let facts = layer.task.facts(layer.grid.place(0), &[]);
    match (facts.cost_ns, facts.output(0)) {
        (Some(cost), Some(bytes)) => cost <= bytes.saturating_mul(CHEAP_NS_PER_BYTE).max(100),
        _ => false,
    }
}

/// Asks the consumer's task to absorb the producer that its `slot` reads, and composes the wirings.
fn ask(layer: &GraphLayer, slot: usize, repeats: &Repeats, producer: &GraphLayer) -> Option<GraphLayer> {
    let input = &layer.inputs[slot];
    let mut slots: SmallVec<[usize; 2]> = SmallVec::new();
    let mut inputs: SmallVec<[GraphInput; 2]> = SmallVec::new();
    let mut consumer_slots: SmallVec<[usize; 4]> = SmallVec::new();
    for (own, other) in layer.inputs.iter().enumerate() {
        let new = match repeats.first(&layer.inputs, own) {
            first if first == slot => {
                slots.push(own);
                usize::MAX
            }
            first if first == own => {
                inputs.push(other.clone());
                inputs.len() - 1
            }
            first => consumer_slots[first],
        };
        consumer_slots.push(new);
    }
    let mut producer_slots: SmallVec<[usize; 4]> = SmallVec::new();
    for other in &producer.inputs {
        let wiring = input.wiring.compose(&other.wiring, &layer.grid)?;
        let read = GraphInput { wiring, ..other.clone() };
        let known = inputs.iter().position(|known| *known == read);
        producer_slots.push(known.unwrap_or(inputs.len()));
        if known.is_none() {
            inputs.push(read);
        }
    }
    let task = layer.task.absorb(&Absorb {
        slots: &slots,
        producer: &*producer.task,
        output: input.output,
        producer_grid: &producer.grid,
        wiring: &input.wiring,
        grid: &layer.grid,
        consumer_slots: &consumer_slots,
        producer_slots: &producer_slots,
    })?;
    Some(GraphLayer { task, inputs, ..layer.clone() })
}
