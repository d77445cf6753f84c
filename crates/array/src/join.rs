//! Several arrays as one: concatenated, stacked, or laid out as blocks. Nothing is copied: blocks are handed on.

use crate::array::{Array, Core};
use crate::chunks::Chunking;
use crate::element::Element;
use crate::error::{Error, Shape};
use crate::rechunk::rechunked;
use musher_graph_core::{Forward, Layer, Port, Site, Wiring};
use ndarray::{Axis, Dimension, RemoveAxis};
use std::sync::Arc;

/// One array in a layout, and where its first block goes.
struct Tile {
    core: Core,
    start: Vec<usize>,
}

/// The layer that hands on the blocks of all tiles.
fn layer(label: &'static str, tiles: &[Tile], chunking: Chunking, caller: Site) -> Core {
    let mut builder = Layer::build(Forward::new(label)).caller(caller);
    for Tile { core, start } in tiles {
        let wiring = Wiring::one_to_one(chunking.ndim());
        builder = builder.part(&core.port, start, &core.chunking.grid_shape(), wiring);
    }
    Core { port: Port::of(builder.finish(chunking.grid())), chunking }
}

/// The arrays one after another along an axis.
///
/// **Shape** lengths along `axis` are added; the others must be equal. Where blocks differ along the others, they
/// become those of the first array.
/// **Cost** none; blocks are handed on.
///
/// # Errors
/// [`Error::Arrangement`] for no arrays, [`Error::Axis`] when there is no such axis, [`Error::Shapes`] when the
/// other axes differ.
///
/// # Examples
/// ```
/// use musher_array::{Array, concatenate, ndarray::{Axis, arr1}};
/// use musher_scheduler::Compute;
/// let x = Array::arange(0, 3, 1, 2);
/// assert_eq!(concatenate(Axis(0), &[&x, &x])?.compute()?, arr1(&[0, 1, 2, 0, 1, 2]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[track_caller]
#[doc(alias = "dask.array.concatenate")]
pub fn concatenate<A: Element, D: Dimension>(
    axis: Axis,
    arrays: &[&Array<A, D>],
) -> Result<Array<A, D>, Error> {
    let caller = Site::caller();
    let cores: Vec<Core> = arrays.iter().map(|array| array.core().clone()).collect();
    joined::<A>("concatenate", axis, &cores, caller).map(Array::from_core)
}

/// The core of arrays one after another.
pub(crate) fn joined<A: Element>(
    operation: &'static str,
    axis: Axis,
    cores: &[Core],
    caller: Site,
) -> Result<Core, Error> {
    let Some(first) = cores.first() else {
        return Err(Error::Arrangement { operation, problem: "no arrays", caller });
    };
    let ndim = first.chunking.ndim();
    if axis.0 >= ndim {
        return Err(Error::Axis { operation, axis: axis.0, ndim, caller });
    }
    let mut lengths: Vec<usize> = Vec::new();
    let mut tiles = Vec::new();
    for core in cores {
        let (left, right) = (first.chunking.shape(), core.chunking.shape());
        if right.len() != ndim || (0..ndim).any(|other| other != axis.0 && left[other] != right[other]) {
            return Err(Error::Shapes { operation, left: Shape(left), right: Shape(right), caller });
        }
        let wanted = first.chunking.with_axis(axis.0, core.chunking.shared_axis(axis.0));
        let core = rechunked::<A>(core, &wanted, caller);
        let mut start = vec![0; ndim];
        start[axis.0] = lengths.len();
        lengths.extend(core.chunking.axis(axis.0));
        tiles.push(Tile { core, start });
    }
    let chunking = first.chunking.with_axis(axis.0, lengths.into());
    Ok(layer(operation, &tiles, chunking, caller))
}

/// The arrays along a new axis.
///
/// **Shape** `k × (n, m) → (k, n, m)` for `Axis(0)`; one block for each array along the new axis.
/// **Cost** none; blocks are handed on.
///
/// # Errors
/// [`Error::Arrangement`] for no arrays, [`Error::Axis`] when the new axis would leave a gap, [`Error::Shapes`] when
/// the shapes differ.
///
/// # Examples
/// ```
/// use musher_array::{Array, stack, ndarray::{Axis, arr2}};
/// use musher_scheduler::Compute;
/// let x = Array::arange(0, 3, 1, 2);
/// assert_eq!(stack(Axis(1), &[&x, &(&x * 10)])?.compute()?, arr2(&[[0, 0], [1, 10], [2, 20]]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[track_caller]
#[doc(alias = "dask.array.stack")]
pub fn stack<A, D>(axis: Axis, arrays: &[&Array<A, D>]) -> Result<Array<A, D::Larger>, Error>
where
    A: Element,
    D: Dimension,
    D::Larger: RemoveAxis,
{
    let caller = Site::caller();
    let mut cores = Vec::with_capacity(arrays.len());
    for array in arrays {
        array.check_axis("stack", axis.0, array.ndim() + 1, caller)?;
        cores.push(array.insert_axis(axis).core().clone());
    }
    joined::<A>("stack", axis, &cores, caller).map(Array::from_core)
}

impl<A: Element, D: Dimension> Array<A, D> {
    /// One array of rows of arrays: those of a row side by side along the last axis, the rows below each other along
    /// the one before it.
    ///
    /// **Shape** lengths along the last two axes are added; all arrays of a row have the same height, all arrays of a
    /// column the same width. Blocks are those of the arrays.
    /// **Cost** none; blocks are handed on, in one layer.
    ///
    /// # Errors
    /// [`Error::Arrangement`] for no arrays, rows of different lengths or fewer than two axes; [`Error::Shapes`] when
    /// the arrays do not fit side by side.
    ///
    /// # Examples
    /// ```
    /// use musher_array::Array;
    /// use musher_scheduler::Compute;
    /// let tile = |value: i32| Array::from_elem((2, 3), value, (2, 3));
    /// let image = Array::block(&[vec![tile(1), tile(2)], vec![tile(3), tile(4)]])?;
    /// assert_eq!(image.shape(), [4, 6]);
    /// assert_eq!(image.compute()?[[3, 5]], 4);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[doc(alias = "dask.array.block")]
    pub fn block<R: AsRef<[Self]>>(rows: &[R]) -> Result<Self, Error> {
        let caller = Site::caller();
        let arrangement = |problem: &'static str| Error::Arrangement { operation: "block", problem, caller };
        let first = rows.first().and_then(|row| row.as_ref().first()).ok_or(arrangement("no arrays"))?;
        let ndim = first.ndim();
        if ndim < 2 {
            return Err(arrangement("arrays of fewer than two axes"));
        }
        let (down, across) = (ndim - 2, ndim - 1);
        let top = rows[0].as_ref();
        if rows.iter().any(|row| row.as_ref().len() != top.len()) {
            return Err(arrangement("rows of different lengths"));
        }
        let mut tiles = Vec::new();
        let mut heights: Vec<usize> = Vec::new();
        let widths: Vec<usize> = top.iter().flat_map(|array| array.chunks().axis(across)).copied().collect();
        for row in rows {
            let left = &row.as_ref()[0];
            let mut column = 0;
            for (array, above) in row.as_ref().iter().zip(top) {
                // Rows come from the array at the left, columns from that at the top, the rest from the first.
                let wanted = (0..ndim).map(|axis| match axis {
                    _ if axis == down => left.chunks().shared_axis(axis),
                    _ if axis == across => above.chunks().shared_axis(axis),
                    _ => first.chunks().shared_axis(axis),
                });
                let wanted = Chunking::from_axes(wanted);
                if array.ndim() != ndim || array.shape() != wanted.shape() {
                    let (left, right) = (Shape(wanted.shape()), Shape(array.shape()));
                    return Err(Error::Shapes { operation: "block", left, right, caller });
                }
                let mut start = vec![0; ndim];
                (start[down], start[across]) = (heights.len(), column);
                column += wanted.axis(across).len();
                tiles.push(Tile { core: rechunked::<A>(array.core(), &wanted, caller), start });
            }
            heights.extend(left.chunks().axis(down));
        }
        let axes = (0..ndim).map(|axis| -> Arc<[usize]> {
            match axis {
                _ if axis == down => heights.as_slice().into(),
                _ if axis == across => widths.as_slice().into(),
                _ => first.chunks().shared_axis(axis),
            }
        });
        let chunking = Chunking::from_axes(axes);
        Ok(Self::from_core(layer("block", &tiles, chunking, caller)))
    }
}
