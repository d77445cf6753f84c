//! Joining: sibling layers over the same producers and grid become one task with several outputs.

use std::collections::HashMap;

use smallvec::SmallVec;

use super::equals_in;
use crate::error::Error;
use crate::graph::{Graph, GraphLayer, LayerIx};
use crate::key::{Key, Token, Tokenizer};
use crate::watch::Watch;

/// How many siblings a layer is compared with at most, so that the pass stays linear.
const MOST_SIBLINGS: usize = 16;

/// Joins siblings where their tasks agree to it; tells whether any did.
pub(super) fn join(graph: &mut Graph, watch: Watch<'_>) -> Result<bool, Error> {
    // By what they read and their grid: the layers met so far that others may join.
    let mut met: HashMap<Key, SmallVec<[usize; 2]>> = HashMap::new();
    // Where a joined sibling's outputs went: (layer, first output).
    let mut moved: Vec<Option<(LayerIx, usize)>> = vec![None; graph.layers.len()];
    for own in 0..graph.layers.len() {
        watch.look_at(own)?;
        for input in &mut graph.layers[own].inputs {
            if let Some((to, first)) = moved[input.producer.index()] {
                input.producer = to;
                input.output += first;
            }
        }
        let layer = &graph.layers[own];
        // A single task gains little, and hand-made graphs may have a million of them.
        if layer.grid.n_tasks() < 2 || layer.inputs.iter().any(|input| input.producer.index() == own) {
            continue;
        }
        let siblings = met.entry(meeting_place(layer)).or_default();
        let joined = siblings.iter().find_map(|&at| {
            let elder = &graph.layers[at];
            Some((at, elder.task.n_outputs(), try_join(elder, layer)?))
        });
        match joined {
            Some((at, first, task)) => {
                graph.layers[at].task = task;
                graph.layers[at].key = Key::of(&(graph.layers[at].key, graph.layers[own].key));
                moved[own] = Some((LayerIx(at as u32), first));
            }
            None if siblings.len() < MOST_SIBLINGS => siblings.push(own),
            None => {}
        }
    }
    for request in &mut graph.requests {
        if let Some((to, first)) = moved[request.layer.index()] {
            request.layer = to;
            request.output += first;
        }
    }
    Ok(moved.iter().any(Option::is_some))
}

/// Equal for layers that read the same, in any order of slots, over equal grids.
fn meeting_place(layer: &GraphLayer) -> Key {
    let mut read: SmallVec<[Key; 4]> = SmallVec::new();
    for input in &layer.inputs {
        let mut tokenizer = Tokenizer::new();
        (input.producer.0, input.output).token(&mut tokenizer);
        input.wiring.token(&mut tokenizer);
        read.push(tokenizer.finish());
    }
    read.sort_unstable();
    let mut tokenizer = Tokenizer::new();
    read.token(&mut tokenizer);
    layer.grid.token(&mut tokenizer);
    tokenizer.finish()
}

fn try_join(elder: &GraphLayer, layer: &GraphLayer) -> Option<std::sync::Arc<dyn crate::task::Task>> {
    let is_alike = elder.grid == layer.grid && elder.annotations == layer.annotations;
    if !is_alike || elder.inputs.len() != layer.inputs.len() {
        return None;
    }
    elder.task.join(&*layer.task, &equals_in(&elder.inputs, &layer.inputs)?)
}
