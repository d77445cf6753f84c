//! Pieces of graph that several operations share, such as trees over chunks that are no blocks.

use std::panic::Location;

use musher_array::{Array, Block, Element};
use musher_graph_core::{
    AxisMap, Chunk, Collection, Facts, FnTask, Grid, Inputs, Layer, Place, Port, TaskError, Wiring,
};
use ndarray::Dimension;

/// The layer and output that make an array's blocks, whatever its dimension computes to.
pub(crate) fn port_of<A: Element, D: Dimension>(array: &Array<A, D>) -> Port {
    array.clone().into_dyn().port().clone()
}

/// The grid of an array's layer: one task for each block.
pub(crate) fn grid_of<A: Element, D: Dimension>(array: &Array<A, D>) -> Grid {
    Grid::from(array.chunks().grid_shape().as_slice())
}

/// The elements of a block in the order in which they lie in memory; none for a block without any, whatever its strides.
pub(crate) fn elements_of<A: Clone>(block: &Block<A>) -> &[A] {
    if block.view().is_empty() { &[] } else { block.elements() }
}

/// Joins the chunks of a grid to a single one, neighbours first, by a tree that the grid alone decides.
///
/// About eight chunks are joined by one task. The answer's grid has one task.
pub(crate) fn tree<T: Chunk + Clone>(
    label: &'static str,
    name: &'static str,
    mut port: Port,
    join: fn(&T, &T) -> T,
    caller: &'static Location<'static>,
) -> Port {
    while port.grid().n_tasks() > 1 {
        let shape: Vec<usize> = port.grid().shape().iter().map(|&length| length as usize).collect();
        let fan_in = match shape.iter().filter(|&&length| length > 1).count() {
            1 => 8,
            2 => 3,
            _ => 2,
        };
        let fan_ins: Vec<usize> = shape.iter().map(|&length| if length > 1 { fan_in } else { 1 }).collect();
        let joined: Vec<usize> =
            shape.iter().zip(&fan_ins).map(|(length, fan_in)| length.div_ceil(*fan_in)).collect();
        let task = FnTask::new(label, move |_: Place<'_>, inputs: &mut Inputs<'_>| {
            let parts = inputs.slot::<T>(0)?;
            let mut whole = (*parts[0]).clone();
            for part in &parts[1..] {
                whole = join(&whole, part);
            }
            Ok::<_, TaskError>(whole)
        })
        .params(name, &())
        .facts(|_, inputs| {
            let bytes = inputs.iter().flatten().sum::<u64>();
            Facts {
                output_bytes: [inputs.iter().copied().max().flatten()].into_iter().collect(),
                ..Facts::default()
            }
            .scratch(bytes)
            .cost(bytes)
        });
        let layer = Layer::build(task).caller(caller).input(&port, Wiring::tree(&fan_ins));
        port = Port::of(layer.finish(Grid::from(joined.as_slice())));
    }
    port
}

/// The wiring by which every task reads the only task of a port.
pub(crate) fn single(port: &Port) -> Wiring {
    Wiring::axes((0..port.grid().ndim()).map(|_| AxisMap::Fixed(0)))
}
