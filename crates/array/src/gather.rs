//! From the blocks of an array to the answer: an ndarray array, or the scalar of a zero-dimensional one.

use crate::block::Block;
use crate::chunks::Chunking;
use crate::element::Element;
use crate::error::Error;
use crate::kernel::memory::{copied, zeros};
use musher_graph_core::{Answer, ChunkRef, Room, TaskError};
use ndarray::{Array, ArrayD, ArrayViewMutD, Axis, Dimension, IxDyn, Slice};
use std::any::Any;
use std::marker::PhantomData;
use std::sync::Arc;

/// What an array of a dimension computes to: the scalar for `Ix0`, an `ndarray::Array` otherwise.
///
/// All of ndarray's dimensions have it. Code that is generic over `D` and computes needs it as a bound.
pub trait Gather<A>: Dimension + 'static {
    /// What `compute()` gives.
    type Gathered: Send + 'static;

    /// The answer from the assembled elements.
    ///
    /// # Panics
    /// When the elements have another number of axes.
    fn from_dyn(array: ArrayD<A>) -> Self::Gathered;
}

impl<A: Element> Gather<A> for ndarray::Ix0 {
    type Gathered = A;

    fn from_dyn(array: ArrayD<A>) -> A {
        array.iter().copied().next().expect("an array without axes has one element")
    }
}

/// Implements [`Gather`] for dimensions that compute to arrays.
macro_rules! gather_to_arrays {
    ($($d:ident)*) => {$(
        impl<A: Element> Gather<A> for ndarray::$d {
            type Gathered = Array<A, Self>;

            fn from_dyn(array: ArrayD<A>) -> Self::Gathered {
                array.into_dimensionality().expect("the number of axes was checked when the array was made")
            }
        }
    )*};
}
gather_to_arrays!(Ix1 Ix2 Ix3 Ix4 Ix5 Ix6 IxDyn);

/// Takes a chunk as a block; copies nothing.
pub(crate) fn block_of<A: Element>(chunk: ChunkRef) -> Result<Arc<Block<A>>, TaskError> {
    let any: Arc<dyn Any + Send + Sync> = chunk;
    any.downcast().map_err(|_| TaskError::new(Error::ForeignChunk { expected: A::DTYPE }))
}

/// Assembles the blocks, given in C order, into one array in C order.
pub(crate) fn gather<A: Element>(chunking: &Chunking, chunks: Vec<ChunkRef>) -> Result<ArrayD<A>, TaskError> {
    let shape = chunking.shape();
    if let [_] = chunks.as_slice() {
        let block = block_of::<A>(chunks.into_iter().next().expect("one chunk"))?;
        check(&shape, block.shape())?;
        let array = Arc::try_unwrap(block).unwrap_or_else(|block| (*block).clone()).into_array();
        return Ok(if array.is_standard_layout() { array } else { copied(&array.view())? });
    }
    let mut out = ArrayD::from_shape_vec(IxDyn(&shape), zeros::<A>(shape.iter().product())?)?;
    let grid = chunking.grid();
    for (index, chunk) in chunks.into_iter().enumerate() {
        // Each block is dropped as soon as it is copied.
        let coords = grid.coords_of(index);
        let start = chunking.block_start(&coords);
        let lengths = chunking.block_shape(&coords);
        let mut target = out.view_mut();
        target.slice_each_axis_inplace(|axis| {
            let (start, length) = (start[axis.axis.0], lengths[axis.axis.0]);
            Slice::from(start..start + length)
        });
        Place(target).put(chunk)?;
    }
    Ok(out)
}

/// Fewer bytes for each block than this are put together at the end: a room costs about as much as copying them.
const LEAST_BYTES: usize = 1 << 15;

/// An array that the workers of a run fill, block by block.
pub(crate) struct Filling<A, D> {
    chunking: Chunking,
    /// Once it has begun.
    values: Option<ArrayD<A>>,
    marker: PhantomData<D>,
}

impl<A: Element, D> Filling<A, D> {
    /// For all blocks. None where there is one block, which is the answer itself, and where blocks are small.
    pub(crate) fn new(chunking: &Chunking) -> Option<Self> {
        let filling = Self { chunking: chunking.clone(), values: None, marker: PhantomData };
        let n_blocks = chunking.n_blocks();
        (n_blocks > 1 && filling.bytes() / n_blocks >= LEAST_BYTES).then_some(filling)
    }

    fn bytes(&self) -> usize {
        self.chunking.shape().iter().fold(size_of::<A>(), |bytes, &n| bytes.saturating_mul(n))
    }
}

impl<A: Element, D: Gather<A> + Send> Answer<D::Gathered> for Filling<A, D> {
    fn nbytes(&self) -> u64 {
        self.bytes() as u64
    }

    /// The system gives the memory page by page when it is written: by the worker whose block it is.
    fn rooms(&mut self) -> Option<Vec<Box<dyn Room + '_>>> {
        let shape = self.chunking.shape();
        let values = zeros::<A>(shape.iter().product()).ok()?;
        let values = self.values.insert(ArrayD::from_shape_vec(IxDyn(&shape), values).ok()?);
        let mut views = vec![values.view_mut()];
        for axis in 0..self.chunking.ndim() {
            let lengths = self.chunking.axis(axis);
            let mut cut = Vec::with_capacity(views.len() * lengths.len());
            for mut rest in views {
                for &length in lengths {
                    let (view, behind) = rest.split_at(Axis(axis), length);
                    cut.push(view);
                    rest = behind;
                }
            }
            views = cut;
        }
        Some(views.into_iter().map(|view| Box::new(Place(view)) as Box<dyn Room>).collect())
    }

    fn finish(self: Box<Self>) -> Option<D::Gathered> {
        self.values.map(D::from_dyn)
    }
}

/// Where a block goes.
struct Place<'a, A>(ArrayViewMutD<'a, A>);

impl<A: Element> Room for Place<'_, A> {
    fn put(&mut self, chunk: ChunkRef) -> Result<(), TaskError> {
        let block = block_of::<A>(chunk)?;
        check(self.0.shape(), block.shape())?;
        self.0.assign(&block.view());
        Ok(())
    }
}

/// Refuses a block of another shape than was promised.
pub(crate) fn check(expected: &[usize], found: &[usize]) -> Result<(), TaskError> {
    if expected == found {
        Ok(())
    } else {
        Err(TaskError::new(Error::BlockShape { expected: expected.into(), found: found.into() }))
    }
}
