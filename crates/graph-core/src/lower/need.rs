//! Culling: which places of each layer are needed for what is asked for.

use super::wire::outside;
use crate::collection::Places;
use crate::error::Error;
use crate::graph::{Graph, GraphInput, GraphLayer};
use crate::wiring::{Lists, Wiring};

/// Which places of a layer are needed.
#[derive(Debug, Clone)]
pub(super) enum Need {
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

/// Which places of each layer are needed, consumers first.
pub(super) fn needs(graph: &Graph) -> Result<Vec<Need>, Error> {
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
            if let Wiring::Explicit(lists) = &input.wiring {
                need_within(&mut need, lists);
            }
        }
        for input in layer.inputs.iter().filter(|input| input.producer.index() != own) {
            let producer = &graph.layers[input.producer.index()];
            need_of_producer(layer, &need, input, producer, &mut needs[input.producer.index()])?;
        }
        needs[own] = need;
    }
    Ok(needs)
}

/// What a hand-made layer needs of itself, whose tasks read tasks with smaller numbers.
fn need_within(need: &mut Need, lists: &Lists) {
    let Need::These(marks) = need else { return };
    // Mostly nothing is left over, and that is told without walking row by row: if each task is read or asked for,
    // then following readers upwards ends at one that is asked for, and so each is needed.
    let mut kept = marks.clone();
    lists.producers.iter().for_each(|&read| kept[read as usize] = true);
    if kept.iter().all(|&kept| kept) {
        *need = Need::Everything;
        return;
    }
    for index in (0..lists.len()).rev() {
        if marks[index] {
            lists.row(index).iter().for_each(|&read| marks[read as usize] = true);
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
