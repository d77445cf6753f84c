//! Fusion: a consumer absorbs a producer across an axis map, in the algebra of their domain.

use smallvec::SmallVec;

use super::slot_of;
use crate::graph::{Graph, GraphInput, GraphLayer};
use crate::task::Absorb;

/// A source is made again rather than held where making it costs no more than about writing and reading it: the
/// limit in nanoseconds a byte.
const CHEAP_NS_PER_BYTE: u64 = 1;

/// Lets each layer, producers first, absorb its producers until none can be absorbed.
pub(super) fn fuse(graph: &mut Graph) {
    let mut uses = graph.uses();
    for own in 0..graph.layers.len() {
        let mut slot = 0;
        while slot < graph.layers[own].inputs.len() {
            // A fused layer has other slots: look again from the first one.
            slot = if absorb_slot(graph, own, slot, &mut uses) { 0 } else { slot + 1 };
        }
    }
}

fn absorb_slot(graph: &mut Graph, own: usize, slot: usize, uses: &mut [u32]) -> bool {
    let layer = &graph.layers[own];
    let input = &layer.inputs[slot];
    let at = input.producer.index();
    // Slots that name the same producer by the same wiring are asked about once, at the first of them.
    if at == own || layer.inputs[..slot].contains(input) || !input.wiring.is_axis_map() {
        return false;
    }
    let producer = &graph.layers[at];
    if producer.annotations != layer.annotations {
        return false;
    }
    let only_here = uses[at] == 1 && input.wiring.reads_once(&layer.grid);
    if !only_here && !is_cheap_source(producer) {
        return false;
    }
    let Some(fused) = ask(layer, input, producer) else { return false };
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
    let first = |(slot, input): &(usize, &GraphInput)| !inputs[..*slot].contains(input);
    inputs.iter().enumerate().filter(first).map(|(_, input)| input.producer.index()).collect()
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

/// Asks the consumer's task to absorb the producer's, and composes the wirings.
fn ask(layer: &GraphLayer, input: &GraphInput, producer: &GraphLayer) -> Option<GraphLayer> {
    let slots: SmallVec<[usize; 2]> =
        (0..layer.inputs.len()).filter(|&slot| layer.inputs[slot] == *input).collect();
    let mut inputs: SmallVec<[GraphInput; 2]> = SmallVec::new();
    let mut consumer_slots: SmallVec<[usize; 4]> = SmallVec::new();
    for (slot, other) in layer.inputs.iter().enumerate() {
        let new = if slots.contains(&slot) { usize::MAX } else { slot_of(&mut inputs, other.clone()) };
        consumer_slots.push(new);
    }
    let mut producer_slots: SmallVec<[usize; 4]> = SmallVec::new();
    for other in &producer.inputs {
        let wiring = input.wiring.compose(&other.wiring, &layer.grid)?;
        producer_slots.push(slot_of(&mut inputs, GraphInput { wiring, ..other.clone() }));
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
