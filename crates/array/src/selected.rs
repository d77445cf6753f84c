//! Elements that a mask chooses: a line whose length only computing tells.
//!
//! Nothing stands in for the length. A [`Selected`] is computed as it is, or its blocks are counted first, which makes an
//! [`Array`] of it.

use crate::array::{Array, Core};
use crate::block::Block;
use crate::chunks::{Chunking, Chunks};
use crate::creation::{global_index, source};
use crate::element::{Element, Scalar};
use crate::error::{Error, Shape, expect};
use crate::gather::block_of;
use crate::join::stack;
use crate::kernel::memory::with_room;
use crate::kernel::strip::Op;
use crate::rechunk::rechunked;
use crate::reshape::slabs;
use crate::triangle::index_along;
use musher_graph_core::{
    AxisMap, ChunkRef, Collection, Facts, FnTask, Grid, Inputs, Layer, Lists, Place, Port, Site, TaskError,
    Wiring,
};
use musher_scheduler::Compute;
use ndarray::{Array1, Axis, Dimension, Ix0, Ix1, Ix2, IxDyn};
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

/// Elements that a mask chooses, in C order: made by [`Array::filter`] and [`Array::flat_nonzero`]; or those that are distinct, in
/// rising order: made by [`Array::unique`].
///
/// How many they are is not known before they are computed, so this is no [`Array`] yet:
///
/// | you want | take |
/// |---|---|
/// | the elements | `compute()` |
/// | how many they are | [`len`](Self::len) |
/// | an array to go on with | [`counted`](Self::counted) |
/// | a sum, a mean, an extreme of them | no selection: [`x.over(All).where_true(&mask)`](crate::Over::where_true) |
///
/// # Examples
/// ```
/// use musher_array::{Array, ndarray::arr1};
/// use musher_scheduler::Compute;
/// let x = Array::from_array(arr1(&[3.0, -1.0, 4.0, -1.0, 5.0]), 2);
/// let positive = x.filter(&x.gt(0.0));
/// assert_eq!(positive.compute()?, arr1(&[3.0, 4.0, 5.0]));
/// assert_eq!(positive.len().compute()?, 3);
/// assert_eq!(positive.counted()?.cumsum(musher_array::ndarray::Axis(0)).compute()?, arr1(&[3.0, 7.0, 12.0]));
/// # Ok::<(), musher_scheduler::Error>(())
/// ```
#[doc(alias = "boolean indexing")]
pub struct Selected<A> {
    /// The chosen elements of each block, one block after the other.
    port: Port,
    /// How many elements each block has.
    lengths: Core,
    /// The shape of what they are chosen from.
    of: Vec<usize>,
    marker: PhantomData<fn() -> A>,
}

impl<A> Clone for Selected<A> {
    fn clone(&self) -> Self {
        let (lengths, of) = (self.lengths.clone(), self.of.clone());
        Self { port: self.port.clone(), lengths, of, marker: PhantomData }
    }
}

impl<A: Element> fmt::Debug for Selected<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = Shape(self.of.clone());
        write!(f, "Selected<{}>({}: of shape {of})", A::NAME, self.port.key())
    }
}

/// The core in blocks that stand one behind the other in C order.
pub(crate) fn in_order<A: Element>(core: &Core, caller: Site) -> Core {
    let shape = core.chunking.shape();
    let largest = core.chunking.largest_block().iter().product();
    // Blocks that are whole but for the first axis stay.
    match core.chunking.grid_shape().iter().skip(1).all(|&n| n == 1) {
        true => core.clone(),
        false => rechunked::<A>(core, &slabs(&shape, largest), caller),
    }
}

/// From a line of tasks to the blocks of a division, in C order.
fn one_behind_the_other(chunking: &Chunking) -> Wiring {
    match chunking.grid_shape().iter().skip(1).all(|&n| n == 1) {
        true => {
            let along = |axis| if axis == 0 { AxisMap::follow(0) } else { AxisMap::Fixed(0) };
            Wiring::axes((0..chunking.ndim()).map(along))
        }
        false => {
            let mut lists = Lists::new();
            (0..chunking.n_blocks()).for_each(|block| lists.push([block as u32]));
            Wiring::Explicit(Arc::new(lists))
        }
    }
}

/// From the blocks of a division to a line of tasks, one for each block in C order.
pub(crate) fn in_place(chunking: &Chunking) -> Wiring {
    if chunking.ndim() == 1 {
        return Wiring::one_to_one(1);
    }
    let mut lists = Lists::new();
    (0..chunking.n_blocks()).for_each(|block| lists.push([block as u32]));
    Wiring::Explicit(Arc::new(lists))
}

impl<A: Element> Selected<A> {
    /// The elements of a core where a mask of the same shape is true.
    fn of(core: &Core, mask: &Core, caller: Site) -> Self {
        let core = in_order::<A>(core, caller);
        let mask = rechunked::<bool>(mask, &core.chunking, caller);
        let task = FnTask::new("filter", |_: Place<'_>, inputs: &mut Inputs<'_>| {
            let (elements, mask) = (inputs.get::<Block<A>>(0)?.view(), inputs.get::<Block<bool>>(1)?.view());
            let chosen = |(element, &truth): (&A, &bool)| truth.then_some(*element);
            let n = mask.iter().filter(|&&truth| truth).count();
            let mut kept = with_room(n)?;
            kept.extend(elements.iter().zip(mask.iter()).filter_map(chosen));
            Ok(Block::new(Array1::from_vec(kept).into_dyn()))
        });
        let blocks = core.chunking.clone();
        let task = task.params("array.filter/1", &A::NAME).facts(move |at, _| {
            // A grid in C order: the coordinates in it follow from the index alone.
            let n: usize = blocks.block_shape(&blocks.grid().coords_of(at.index())).iter().product();
            Facts::bytes((n * size_of::<A>()) as u64).cost(1_000 + 2 * n as u64)
        });
        let wiring = || one_behind_the_other(&core.chunking);
        let layer = Layer::build(task).caller(caller).input(&core.port, wiring()).input(&mask.port, wiring());
        let port = Port::of(layer.finish(Grid::from([core.chunking.n_blocks()])));
        Self::new(port, counts(&mask).core(), &core.chunking.shape())
    }

    /// Blocks of these lengths, chosen from an array of this shape.
    pub(crate) fn new(port: Port, lengths: &Core, of: &[usize]) -> Self {
        Self { port, lengths: lengths.clone(), of: of.to_vec(), marker: PhantomData }
    }

    /// How many elements there are.
    ///
    /// **Cost** one pass over the mask; of distinct elements, that of finding them.
    #[must_use]
    #[track_caller]
    #[doc(alias = "is_empty")]
    pub fn len(&self) -> Array<u64, Ix0> {
        Array::<u64, Ix1>::from_core(self.lengths.clone()).sum()
    }

    /// The elements as an array, after their number in each block has been computed.
    ///
    /// **Shape** `(n,)`, in as many blocks as were looked through.
    /// **Cost** computes the mask once now, and once more with the elements; of distinct elements, the elements twice.
    ///
    /// # Errors
    /// Those of computing the mask.
    #[track_caller]
    #[doc(alias = "compute_chunk_sizes")]
    pub fn counted(&self) -> Result<Array<A, Ix1>, musher_scheduler::Error> {
        Ok(self.with_counts(&self.lengths().compute()?))
    }

    /// How many elements each block has.
    fn lengths(&self) -> Array<u64, Ix1> {
        Array::from_core(self.lengths.clone())
    }

    /// The elements as an array with these block lengths.
    fn with_counts(&self, counts: &Array1<u64>) -> Array<A, Ix1> {
        let lengths = counts.iter().map(|&n| n as usize).collect();
        Array::from_core(Core { port: self.port.clone(), chunking: Chunking::from_axes([lengths]) })
    }
}

/// How many elements of each block are true, in C order of the blocks.
fn counts(mask: &Core) -> Array<u64, Ix1> {
    let task = FnTask::new("count_true", |_: Place<'_>, inputs: &mut Inputs<'_>| {
        let n = inputs.get::<Block<bool>>(0)?.view().iter().filter(|&&truth| truth).count();
        Ok(Block::new(ndarray::arr1(&[n as u64]).into_dyn()))
    });
    let task = task
        .named("array.count_in_block/1")
        .facts(|_, inputs| Facts::bytes(8).cost(1_000 + inputs.iter().flatten().sum::<u64>()));
    let n = mask.chunking.n_blocks();
    let layer = Layer::build(task).input(&mask.port, one_behind_the_other(&mask.chunking));
    let port = Port::of(layer.finish(Grid::from([n])));
    Array::from_core(Core { port, chunking: Chunking::from_axes([vec![1; n].into()]) })
}

impl<A: Element> Collection for Selected<A> {
    type Output = Array1<A>;

    fn port(&self) -> &Port {
        &self.port
    }

    fn gather(&self, chunks: Vec<ChunkRef>) -> Result<Array1<A>, TaskError> {
        let blocks = chunks.into_iter().map(block_of::<A>).collect::<Result<Vec<_>, _>>()?;
        let mut all = with_room(blocks.iter().map(|block| block.view().len()).sum())?;
        blocks.iter().for_each(|block| all.extend_from_slice(block.elements()));
        Ok(Array1::from_vec(all))
    }

    fn with_port(&self, port: Port) -> Self {
        Self::new(port, &self.lengths, &self.of)
    }
}

impl<A: Element, D: Dimension> Array<A, D> {
    /// The elements where `mask` is true, in C order: how many, only computing tells.
    ///
    /// **Shape** see [`Selected`].
    /// **Cost** one pass; blocks that do not follow each other in C order are rechunked first.
    ///
    /// # Panics
    /// When the mask has another shape.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::{arr1, arr2}};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr2(&[[1, 8], [7, 2]]), 1);
    /// assert_eq!(x.filter(&x.gt(1)).compute()?, arr1(&[8, 7, 2]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    #[doc(alias = "extract")]
    #[doc(alias = "boolean indexing")]
    pub fn filter(&self, mask: &Array<bool, D>) -> Selected<A> {
        expect(self.try_filter(mask))
    }

    /// As [`filter`](Self::filter).
    ///
    /// # Errors
    /// [`Error::Shapes`] when the mask has another shape.
    #[track_caller]
    pub fn try_filter(&self, mask: &Array<bool, D>) -> Result<Selected<A>, Error> {
        let caller = Site::caller();
        if self.shape() != mask.shape() {
            let (left, right) = (Shape(self.shape()), Shape(mask.shape()));
            return Err(Error::Shapes { operation: "filter", left, right, caller });
        }
        Ok(Selected::of(self.core(), mask.core(), caller))
    }

    /// Whether each element is not zero; NaN is not.
    #[track_caller]
    fn is_nonzero(&self) -> Array<bool, D> {
        expect(crate::elementwise::compare(
            crate::kernel::ops::CompareOp::ne_elem,
            self.into(),
            crate::elementwise::Operand::Value(A::default().into_scalar()),
        ))
    }

    /// The indices in C order of the elements that are not zero: how many, only computing tells.
    ///
    /// **Cost** one pass; blocks that do not follow each other in C order are rechunked first.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::arr1};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr1(&[0, 5, 0, 7]), 2);
    /// assert_eq!(x.flat_nonzero().compute()?, arr1(&[1, 3]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    #[doc(alias = "flatnonzero")]
    pub fn flat_nonzero(&self) -> Selected<u64> {
        let chunking = self.chunks();
        let (start, step) = (Scalar::U64(0), Scalar::U64(1));
        let shape = chunking.shape();
        let indices = source::<u64>("indices", &shape, &Chunks::Exact(chunking.clone()), |chunking| {
            Op::Ramp { start, step, last: None, index: global_index(chunking) }
        });
        Selected::of(&indices, self.is_nonzero().core(), Site::caller())
    }

    /// The indices along each axis of the elements that are not zero, in C order: how many, only computing tells.
    ///
    /// **Cost** one pass; blocks that do not follow each other in C order are rechunked first.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::{arr1, arr2}};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr2(&[[0, 5], [7, 0]]), 1);
    /// let [rows, columns] = x.nonzero().try_into().expect("two axes");
    /// assert_eq!(rows.compute()?, arr1(&[0, 1]));
    /// assert_eq!(columns.compute()?, arr1(&[1, 0]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    #[doc(alias = "argwhere")]
    pub fn nonzero(&self) -> Vec<Selected<u64>> {
        let (mask, caller) = (self.is_nonzero(), Site::caller());
        let along = |axis| {
            let indices: Array<i64, IxDyn> = Array::from_core(index_along(self.chunks(), axis, 0));
            Selected::of(indices.cast::<u64>().core(), mask.core(), caller)
        };
        (0..self.ndim()).map(along).collect()
    }

    /// The indices of the elements that are not zero, a row for each, after their number in each block has been computed.
    ///
    /// **Shape** `(n, number of axes)`.
    /// **Cost** computes the array once now, and once more with the indices.
    ///
    /// # Errors
    /// Those of computing the array.
    ///
    /// # Panics
    /// Never: all columns have as many elements.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::arr2};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr2(&[[0, 5], [7, 0]]), 1);
    /// assert_eq!(x.argwhere()?.compute()?, arr2(&[[0, 1], [1, 0]]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[track_caller]
    pub fn argwhere(&self) -> Result<Array<u64, Ix2>, musher_scheduler::Error> {
        let columns = self.nonzero();
        let Some(first) = columns.first() else {
            let n = self.is_nonzero().count_true().compute()? as usize;
            return Ok(Array::zeros((n, 0), Chunks::auto()));
        };
        let counts = first.lengths().compute()?;
        let columns: Vec<Array<u64, Ix1>> =
            columns.iter().map(|column| column.with_counts(&counts)).collect();
        let table = stack(Axis(1), &columns.iter().collect::<Vec<_>>());
        Ok(table.expect("columns of one length"))
    }
}
