//! Several arrays brought together: one shape, one division into blocks, the axes of a grid.

use crate::array::{Array, Core};
use crate::chunks::Chunking;
use crate::element::Element;
use crate::elementwise::{Elementwise, Operand, aligned, broadcast};
use crate::error::Error;
use crate::kernel::strip::Op;
use crate::layout::passed_through;
use musher_graph_core::Site;
use ndarray::{Dimension, Ix1, IxDyn};
use std::sync::Arc;

/// The block lengths of several arrays together: the shape that all are broadcast to, cut at the ends of all.
fn common<A: Element>(operation: &'static str, cores: &[Core], caller: Site) -> Result<Chunking, Error> {
    let operands: Vec<Operand> = cores.iter().map(|core| Operand::Blocks(core.clone(), A::DTYPE)).collect();
    Elementwise { operation, op: Op::Select, dtype: A::DTYPE, caller }.common_chunking(&operands)
}

/// A core repeated to the shape and the blocks of a division that it fits.
pub(crate) fn spread<A: Element>(
    operation: &'static str,
    core: &Core,
    whole: &Chunking,
    caller: Site,
) -> Result<Core, Error> {
    let own = aligned::<A>(operation, core, whole, caller)?;
    if own.chunking == *whole {
        return Ok(own);
    }
    let seen = broadcast(&own.chunking, whole);
    Ok(passed_through::<A>(operation, &own, seen, whole.clone(), caller))
}

fn cores<A: Element, D: Dimension>(arrays: &[&Array<A, D>]) -> Vec<Core> {
    arrays.iter().map(|array| array.core().clone()).collect()
}

/// The arrays repeated to one shape, as elementwise operations do by themselves: axes are matched from the last one, and those
/// of length 1 are repeated.
///
/// **Shape** broadcast of all, in the blocks that a sum of all would have.
/// **Cost** none inside elementwise work; else one block at a time is made.
///
/// # Errors
/// [`Error::Shapes`] when the shapes do not fit.
///
/// # Examples
/// ```
/// use musher_array::{Array, broadcast_arrays};
/// let (row, column) = (Array::<f32, _>::zeros((1, 4), 2), Array::<f32, _>::zeros((3, 1), 2));
/// let both = broadcast_arrays(&[&row, &column])?;
/// assert!(both.iter().all(|array| array.shape() == [3, 4]));
/// # Ok::<(), musher_array::Error>(())
/// ```
#[track_caller]
#[doc(alias = "dask.array.broadcast_arrays")]
pub fn broadcast_arrays<A: Element, D: Dimension>(
    arrays: &[&Array<A, D>],
) -> Result<Vec<Array<A, D>>, Error> {
    let (operation, caller, cores) = ("broadcast_arrays", Site::caller(), cores(arrays));
    let whole = common::<A>(operation, &cores, caller)?;
    let spread = |core: &Core| spread::<A>(operation, core, &whole, caller).map(Array::from_core);
    cores.iter().map(spread).collect()
}

/// The arrays in blocks that fit each other: where shapes are equal, so are the blocks; an axis of length 1 is one block.
///
/// **Shape** of each stays; the blocks are those that a sum of all would have: the shorter ones where they divide the others,
/// else those of the array that has fewer.
/// **Cost** that of [`rechunk`](Array::rechunk), for those whose blocks change.
///
/// # Errors
/// [`Error::Shapes`] when the shapes cannot be broadcast to one.
///
/// # Examples
/// ```
/// use musher_array::{Array, unify_chunks};
/// let (x, y) = (Array::<f32, _>::zeros(6, 2), Array::<f32, _>::zeros(6, 3));
/// let both = unify_chunks(&[&x, &y])?;
/// assert_eq!(both[0].chunks().axis(0), [3, 3]);
/// assert_eq!(both[0].chunks(), both[1].chunks());
/// # Ok::<(), musher_array::Error>(())
/// ```
#[track_caller]
#[doc(alias = "dask.array.unify_chunks")]
pub fn unify_chunks<A: Element, D: Dimension>(arrays: &[&Array<A, D>]) -> Result<Vec<Array<A, D>>, Error> {
    let (operation, caller, cores) = ("unify_chunks", Site::caller(), cores(arrays));
    let whole = common::<A>(operation, &cores, caller)?;
    let fitted = |core: &Core| aligned::<A>(operation, core, &whole, caller).map(Array::from_core);
    cores.iter().map(fitted).collect()
}

/// Which of the first two axes of a [`meshgrid`] follows the first vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Indexing {
    /// The second one: columns are x, rows are y, as pictures are drawn. NumPy's default.
    #[default]
    Xy,
    /// The first one: the order of indices.
    Ij,
}

/// The coordinates of the points of a grid, whose lines cross the axes at these numbers: an array for each vector, all of the
/// shape of the grid.
///
/// **Shape** `(n,), (m,), … → (n, m, …)`, or `(m, n, …)` for [`Indexing::Xy`]; blocks are those of the vectors.
/// **Cost** none inside elementwise work; else one block at a time is made.
///
/// # Errors
/// [`Error::TooLarge`] when the points cannot be counted.
///
/// # Examples
/// ```
/// use musher_array::{Array, Indexing, meshgrid, ndarray::arr2};
/// use musher_scheduler::Compute;
/// let (x, y) = (Array::arange(0, 3, 1, 2), Array::arange(10, 12, 1, 2));
/// let grid = meshgrid(&[&x, &y], Indexing::Xy)?;
/// assert_eq!((&grid[0] + &grid[1]).compute()?, arr2(&[[10, 11, 12], [11, 12, 13]]).into_dyn());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[track_caller]
#[doc(alias = "dask.array.meshgrid")]
#[doc(alias = "mgrid")]
pub fn meshgrid<A: Element>(
    vectors: &[&Array<A, Ix1>],
    indexing: Indexing,
) -> Result<Vec<Array<A, IxDyn>>, Error> {
    let (operation, caller, n) = ("meshgrid", Site::caller(), vectors.len());
    // Which axis of the grid follows each vector.
    let mut axes: Vec<usize> = (0..n).collect();
    if indexing == Indexing::Xy && n > 1 {
        axes.swap(0, 1);
    }
    let mut lengths: Vec<Arc<[usize]>> = vec![[].into(); n];
    axes.iter().zip(vectors).for_each(|(&axis, vector)| lengths[axis] = vector.chunks().shared_axis(0));
    let whole = Chunking::from_axes(lengths);
    if crate::chunks::n_elements(&whole.shape()).is_none() {
        return Err(Error::TooLarge { shape: whole.shape().as_slice().into(), what: "elements", caller });
    }
    let spread = |(&axis, vector): (&usize, &&Array<A, Ix1>)| {
        let behind = n - axis - 1;
        let mut line = (*vector).clone().into_dyn();
        for _ in 0..behind {
            line = line.try_insert_axis(ndarray::Axis(line.ndim()))?;
        }
        spread::<A>(operation, line.core(), &whole, caller).map(Array::from_core)
    };
    axes.iter().zip(vectors).map(spread).collect()
}
