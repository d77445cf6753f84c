//! Layers of tasks on matrices: what all factorizations share.

use crate::array::{Array, Core};
use crate::block::Block;
use crate::chunks::Chunking;
use crate::element::{Element, Float};
use crate::error::{Error, Shape};
use crate::kernel::memory::copied;
use crate::linalg::LinalgElement;
use crate::rechunk::rechunked;
use musher_graph_core::{
    AxisMap, ChunkRef, Codec, Facts, FnTaskMany, Forward, Grid, Inputs, Layer, Place, Port, Site, TaskError,
    Token, Wiring,
};
use ndarray::{Array2, ArrayD, ArrayView2, Axis, Dimension, Ix1, Ix2, IxDyn, RemoveAxis};
use std::sync::Arc;

/// The shape of the block at a place.
type ShapeOf = dyn Fn(&[usize]) -> Vec<usize> + Send + Sync;

/// The blocks that an output of a step makes.
#[derive(Clone)]
pub(super) struct Made {
    /// Lengths of the block at each place, of any number of axes.
    shape: Arc<ShapeOf>,
    itemsize: usize,
    codec: &'static dyn Codec,
}

impl Made {
    /// Blocks of elements `A` whose shapes depend on their place.
    pub(super) fn of<A: Element>(shape: impl Fn(&[usize]) -> Vec<usize> + Send + Sync + 'static) -> Self {
        Self { shape: Arc::new(shape), itemsize: size_of::<A>(), codec: Block::<A>::CODEC }
    }

    /// The blocks of a division.
    pub(super) fn blocks<A: Element>(chunking: &Chunking) -> Self {
        let chunking = chunking.clone();
        Self::of::<A>(move |at| chunking.block_shape(at))
    }

    /// One block, the same at each place.
    pub(super) fn one<A: Element>(shape: &[usize]) -> Self {
        let shape = shape.to_vec();
        Self::of::<A>(move |_| shape.clone())
    }

    fn bytes(&self, at: &[usize]) -> u64 {
        (self.shape)(at).iter().fold(self.itemsize as u64, |bytes, &n| bytes.saturating_mul(n as u64))
    }
}

/// A layer about to be made.
pub(super) struct Step {
    pub(super) label: &'static str,
    /// Name and version of the work in fingerprints.
    pub(super) name: &'static str,
    pub(super) grid: Grid,
    pub(super) made: Vec<Made>,
    /// How many times the bytes read and made are needed while a task runs.
    pub(super) scratch: u64,
    pub(super) caller: Site,
}

impl Step {
    /// The ports of all outputs. `parameters` tell all that `run` captures.
    pub(super) fn of<A: Float>(
        self,
        inputs: &[(&Port, Wiring)],
        parameters: &impl Token,
        run: impl Fn(&[usize], &mut Inputs<'_>) -> Result<Vec<ChunkRef>, TaskError> + Send + Sync + 'static,
    ) -> Vec<Port> {
        let Self { label, name, grid, made, scratch, caller } = self;
        let n = made.len();
        let task = FnTaskMany::new(label, n, move |at: Place<'_>, inputs: &mut Inputs<'_>| {
            run(&at.coords(), inputs)
        });
        let task = task.params(name, &(A::NAME, parameters));
        let task = task.codecs(made.iter().map(|made| Some(made.codec)).collect::<Vec<_>>());
        let task = task.facts(move |at, inputs| {
            let coords = at.coords();
            let bytes: Vec<u64> = made.iter().map(|made| made.bytes(&coords)).collect();
            let total =
                bytes.iter().chain(inputs.iter().flatten()).fold(0_u64, |sum, &n| sum.saturating_add(n));
            // Work on matrices takes some operations for each element, as many as it has columns: say 16.
            let facts = Facts::default()
                .scratch(total.saturating_mul(scratch))
                .cost(10_000 + total.saturating_mul(4));
            Facts { output_bytes: bytes.into_iter().map(Some).collect(), ..facts }
        });
        let mut layer = Layer::build(task).caller(caller);
        for (port, wiring) in inputs {
            layer = layer.input(port, wiring.clone());
        }
        let layer = layer.finish(grid);
        (0..n).map(|output| Port { layer: layer.clone(), output }).collect()
    }
}

/// A block about to be an output.
pub(super) fn chunk<A: Element>(array: ArrayD<A>) -> ChunkRef {
    Arc::new(Block::new(array))
}

/// The matrix that is the input with this number.
pub(super) fn matrix<'a, A: Element>(
    inputs: &'a Inputs<'_>,
    index: usize,
) -> Result<ArrayView2<'a, A>, TaskError> {
    Ok(inputs.get::<Block<A>>(index)?.view().into_dimensionality()?)
}

/// The same to be changed, in C order: the input itself where nobody else needs it, else a copy.
pub(super) fn own_matrix<A: Element>(inputs: &mut Inputs<'_>, index: usize) -> Result<Array2<A>, TaskError> {
    let block = inputs.take::<Block<A>>(index)?;
    let shape = block.shape().to_vec();
    let elements = match Arc::try_unwrap(block) {
        Ok(block) => block.into_elements(),
        Err(shared) => return Ok(copied(&shared.view())?.into_dimensionality()?),
    };
    Ok(match elements {
        Ok(elements) => ArrayD::from_shape_vec(IxDyn(&shape), elements)?.into_dimensionality()?,
        Err(block) => copied(&block.view())?.into_dimensionality()?,
    })
}

/// A matrix in memory of its own, in C order.
pub(super) fn owned<A: Element>(view: ArrayView2<'_, A>) -> Result<Array2<A>, TaskError> {
    Ok(copied(&view.into_dyn())?.into_dimensionality()?)
}

/// The array of one block that an output of a single task is.
pub(super) fn single(port: &Port, shape: &[usize], caller: Site) -> Core {
    let chunking = Chunking::from_axes(shape.iter().map(|&length| [length].into()));
    if *port.grid() == chunking.grid() {
        return Core { port: port.clone(), chunking };
    }
    let layer = Layer::build(Forward::new("part")).caller(caller).input(port, Wiring::single(port.grid()));
    Core { port: Port::of(layer.finish(chunking.grid())), chunking }
}

/// Reads the block at these coordinates, wherever the reader is.
pub(super) fn fixed(at: &[usize]) -> Wiring {
    Wiring::axes(at.iter().map(|&at| AxisMap::Fixed(at)))
}

/// The core in one block.
pub(super) fn one_block<A: Element>(core: &Core, caller: Site) -> Core {
    let whole = Chunking::from_axes(core.chunking.shape().into_iter().map(|length| [length].into()));
    rechunked::<A>(core, &whole, caller)
}

/// Refuses what is no square matrix.
pub(super) fn check_square(operation: &'static str, shape: &[usize], caller: Site) -> Result<usize, Error> {
    match shape {
        [rows, columns] if rows == columns => Ok(*rows),
        _ => Err(Error::Arrangement { operation, problem: "the matrix is not square", caller }),
    }
}

/// A transposed core of two axes.
pub(super) fn transposed<A: Float>(core: &Core) -> Core {
    let array: Array<A, Ix2> = Array::from_core(core.clone());
    array.t().core().clone()
}

/// What can stand on the right of a system of equations: a vector, or a matrix whose columns are several.
pub trait RightSide: Dimension {}

impl RightSide for Ix1 {}
impl RightSide for Ix2 {}

/// The right side as a matrix, once its length is that of the system.
pub(super) fn columns_of<A: LinalgElement + Float, D: RightSide>(
    operation: &'static str,
    system: &[usize],
    right: &Array<A, D>,
    caller: Site,
) -> Result<Core, Error> {
    let shape = right.shape();
    if shape[0] != system[0] {
        let (left, right) = (Shape(system.to_vec()), Shape(shape));
        return Err(Error::Shapes { operation, left, right, caller });
    }
    match right.ndim() {
        1 => Ok(right.try_insert_axis(Axis(1))?.core().clone()),
        _ => Ok(right.core().clone()),
    }
}

/// The solution in the form of the right side.
pub(super) fn like_right<A: Element, D: RightSide>(solution: Core) -> Result<Array<A, D>, Error> {
    let whole: Array<A, Ix2> = Array::from_core(solution);
    match D::NDIM {
        Some(1) => Ok(Array::from_core(first_column(&whole)?)),
        _ => Ok(Array::from_core(whole.core().clone())),
    }
}

fn first_column<A: Element, D: RemoveAxis>(whole: &Array<A, D>) -> Result<Core, Error> {
    Ok(whole.try_index_axis(Axis(1), 0)?.core().clone())
}
