//! Whole lines along an axis, by other arrays and by functions of one's own: elements taken from their lines and put into
//! them, indices that sort by several keys, places in a sorted array, a function of each line.

use crate::array::{Array, Core};
use crate::block::Block;
use crate::chunks::Chunking;
use crate::element::{Element, Ordered, Real};
use crate::error::{Error, Shape, expect};
use crate::kernel::memory::{collected, copied, zeros};
use crate::lines::Lines;
use crate::lookup::{Side, is_before, place};
use crate::order::order;
use crate::rechunk::rechunked;
use musher_graph_core::{
    AxisMap, Facts, FnIdentity, FnTask, Inputs, Layer, Place, Port, Site, TaskError, Token, Tokenizer, Wiring,
};
use ndarray::{Array1, ArrayD, Axis, Dimension, Ix1, IxDyn, RemoveAxis};
use std::cmp::Ordering;
use std::marker::PhantomData;

/// A user's function, as what a task is known by.
struct Function<F>(FnIdentity, PhantomData<fn(F)>);

impl<F: 'static> Function<F> {
    fn of() -> Self {
        Self(FnIdentity::of::<F>(), PhantomData)
    }
}

impl<F: 'static> Token for Function<F> {
    fn token(&self, tokenizer: &mut Tokenizer) {
        self.0.enter::<F>("array.function_of_lines/1", tokenizer);
    }
}

/// Two arrays of which one has the index of another along an axis: all other axes are equal, and divided alike.
struct Pair {
    operation: &'static str,
    axis: usize,
    /// The array whose lines are whole.
    whole: Core,
    /// The indices: their blocks along the axis are their own.
    indices: Core,
    caller: Site,
}

impl Pair {
    fn new<A: Element>(
        operation: &'static str,
        core: &Core,
        indices: &Core,
        axis: usize,
        caller: Site,
    ) -> Result<Self, Error> {
        let ndim = core.chunking.ndim();
        if axis >= ndim {
            return Err(Error::Axis { operation, axis, ndim, caller });
        }
        let (left, right) = (core.chunking.shape(), indices.chunking.shape());
        if left.len() != right.len() || (0..ndim).any(|own| own != axis && left[own] != right[own]) {
            return Err(Error::Shapes { operation, left: Shape(left), right: Shape(right), caller });
        }
        let whole = core.chunking.whole_along(Axis(axis));
        let own = whole.with_axis(axis, indices.chunking.shared_axis(axis));
        let whole = rechunked::<A>(core, &whole, caller);
        Ok(Self { operation, axis, whole, indices: rechunked::<u64>(indices, &own, caller), caller })
    }

    /// The element of a line that an index names.
    fn outside(&self) -> impl Fn(u64, usize) -> TaskError + Send + Sync + 'static {
        let (operation, axis, caller) = (self.operation, self.axis, self.caller);
        move |index, length| {
            let index = isize::try_from(index).unwrap_or(isize::MAX);
            TaskError::new(Error::Index { operation, axis, index, length, caller })
        }
    }
}

/// What a task knows of the blocks that it makes: their bytes, and nothing but them is held.
fn facts_of<A>(output: &Chunking) -> impl Fn(Place<'_>, &[Option<u64>]) -> Facts + Send + Sync + 'static {
    let output = output.clone();
    move |at, inputs| {
        let n = output.block_shape(&at.coords()).iter().product::<usize>();
        let read = inputs.iter().flatten().sum::<u64>();
        Facts::bytes((n * size_of::<A>()) as u64).cost(1_000 + read / 4 + 4 * n as u64)
    }
}

impl<A: Element, D: Dimension> Array<A, D> {
    /// The element of each line along an axis that an index names: element `(i, j)` of the answer is element
    /// `(indices[i, j], j)` for axis 0. With the indices of [`argsort`](Self::argsort) it sorts, with those of
    /// [`argtopk`](Self::argtopk) it takes the largest.
    ///
    /// **Shape** that of the indices, which is that of the array but along the axis.
    /// **Cost** that of bringing the axis into one block: a line along it must fit in memory.
    ///
    /// # Panics
    /// When there is no such axis, or the shapes differ along another one. An index that lies outside fails the computation.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::{Axis, arr2}};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr2(&[[3, 1, 2], [5, 7, 6]]), 2);
    /// let sorted = x.take_along_axis(&x.argsort(Axis(1)), Axis(1));
    /// assert_eq!(sorted.compute()?, arr2(&[[1, 2, 3], [5, 6, 7]]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    ///
    /// Source: `numpy.take_along_axis`.
    #[must_use]
    #[track_caller]
    pub fn take_along_axis(&self, indices: &Array<u64, D>, axis: Axis) -> Self {
        expect(self.try_take_along_axis(indices, axis))
    }

    /// As [`take_along_axis`](Self::take_along_axis).
    ///
    /// # Errors
    /// [`Error::Axis`] when there is no such axis, [`Error::Shapes`] when the shapes differ along another one.
    #[track_caller]
    pub fn try_take_along_axis(&self, indices: &Array<u64, D>, axis: Axis) -> Result<Self, Error> {
        let (operation, Axis(axis), caller) = ("take_along_axis", axis, Site::caller());
        let pair = Pair::new::<A>(operation, self.core(), indices.core(), axis, caller)?;
        let outside = pair.outside();
        let task = FnTask::new(operation, move |_: Place<'_>, inputs: &mut Inputs<'_>| {
            let (whole, indices) = (inputs.get::<Block<A>>(0)?.view(), inputs.get::<Block<u64>>(1)?.view());
            let mut made = ArrayD::from_shape_vec(indices.raw_dim(), zeros::<A>(indices.len())?)?;
            let lanes = whole.lanes(Axis(axis)).into_iter().zip(indices.lanes(Axis(axis)));
            for (mut to, (from, indices)) in made.lanes_mut(Axis(axis)).into_iter().zip(lanes) {
                for (to, &index) in to.iter_mut().zip(indices) {
                    let element = usize::try_from(index).ok().and_then(|index| from.get(index));
                    *to = *element.ok_or_else(|| outside(index, from.len()))?;
                }
            }
            Ok(Block::new(made))
        });
        let output = pair.indices.chunking.clone();
        let task = task.params("array.take_along_axis/1", &(A::NAME, axis)).facts(facts_of::<A>(&output));
        let along = |own| if own == axis { AxisMap::Fixed(0) } else { AxisMap::follow(own) };
        let layer = Layer::build(task).caller(caller);
        let layer = layer.input(&pair.whole.port, Wiring::axes((0..output.ndim()).map(along)));
        let layer = layer.input(&pair.indices.port, Wiring::one_to_one(output.ndim()));
        Ok(Self::from_core(Core { port: Port::of(layer.finish(output.grid())), chunking: output }))
    }

    /// The array with other elements at the indices that each line along an axis is given: element `(indices[i, j], j)` becomes
    /// `values[i, j]` for axis 0. Of several for one place the last one counts.
    ///
    /// **Shape** stays; the axis becomes one block.
    /// **Cost** that of bringing the axis into one block: a line along it must fit in memory.
    ///
    /// # Panics
    /// When there is no such axis, or the shapes do not fit. An index that lies outside fails the computation.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::{Axis, arr2}};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr2(&[[3, 1], [5, 7]]), 1);
    /// let (at, zero) = (x.argtopk(1, Axis(1)), Array::zeros((2, 1), 1));
    /// assert_eq!(x.put_along_axis(&at, &zero, Axis(1)).compute()?, arr2(&[[0, 1], [5, 0]]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    ///
    /// Source: `numpy.put_along_axis`, which changes its array in place.
    #[must_use]
    #[track_caller]
    pub fn put_along_axis(&self, indices: &Array<u64, D>, values: &Self, axis: Axis) -> Self {
        expect(self.try_put_along_axis(indices, values, axis))
    }

    /// As [`put_along_axis`](Self::put_along_axis).
    ///
    /// # Errors
    /// [`Error::Axis`] when there is no such axis, [`Error::Shapes`] when the shapes do not fit.
    #[track_caller]
    pub fn try_put_along_axis(
        &self,
        indices: &Array<u64, D>,
        values: &Self,
        axis: Axis,
    ) -> Result<Self, Error> {
        let (operation, Axis(axis), caller) = ("put_along_axis", axis, Site::caller());
        let pair = Pair::new::<A>(operation, self.core(), indices.core(), axis, caller)?;
        if indices.shape() != values.shape() {
            let (left, right) = (Shape(indices.shape()), Shape(values.shape()));
            return Err(Error::Shapes { operation, left, right, caller });
        }
        let output = pair.whole.chunking.clone();
        let n = indices.shape()[axis];
        let beside = output.with_axis(axis, [n].into());
        let indices = rechunked::<u64>(&pair.indices, &beside, caller);
        let values = rechunked::<A>(values.core(), &beside, caller);
        let outside = pair.outside();
        let task = FnTask::new(operation, move |_: Place<'_>, inputs: &mut Inputs<'_>| {
            let mut made = copied(&inputs.get::<Block<A>>(0)?.view())?;
            let (indices, values) = (inputs.get::<Block<u64>>(1)?.view(), inputs.get::<Block<A>>(2)?.view());
            let lanes = indices.lanes(Axis(axis)).into_iter().zip(values.lanes(Axis(axis)));
            for (mut to, (indices, values)) in made.lanes_mut(Axis(axis)).into_iter().zip(lanes) {
                let length = to.len();
                for (&index, &value) in indices.iter().zip(values) {
                    let place = usize::try_from(index).ok().and_then(|index| to.get_mut(index));
                    *place.ok_or_else(|| outside(index, length))? = value;
                }
            }
            Ok(Block::new(made))
        });
        let task = task.params("array.put_along_axis/1", &(A::NAME, axis)).facts(facts_of::<A>(&output));
        let mut layer = Layer::build(task).caller(caller);
        for port in [&pair.whole.port, &indices.port, &values.port] {
            layer = layer.input(port, Wiring::one_to_one(output.ndim()));
        }
        Ok(Self::from_core(Core { port: Port::of(layer.finish(output.grid())), chunking: output }))
    }

    /// Each line along an axis becomes one of `length` elements, which `f` fills.
    ///
    /// A function that captures nothing is taken to be pure: applied twice to the same array it runs once.
    ///
    /// **Shape** that of the array, with `length` along the axis, which becomes one block.
    /// **Cost** one pass, and that of bringing the axis into one block: a line along it must fit in memory.
    ///
    /// # Panics
    /// When there is no such axis.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::{Axis, arr2}};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr2(&[[3, 1], [5, 7]]), 1);
    /// let ends = x.map_lanes(Axis(1), 3, |line, out| out.copy_from_slice(&[line[0], line[1], line[0] + line[1]]));
    /// assert_eq!(ends.compute()?, arr2(&[[3, 1, 4], [5, 7, 12]]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    #[doc(alias = "apply_along_axis")]
    #[doc(alias = "dask.array.apply_along_axis")]
    pub fn map_lanes<B, F>(&self, axis: Axis, length: usize, f: F) -> Array<B, D>
    where
        B: Element,
        F: Fn(&[A], &mut [B]) + Send + Sync + 'static,
    {
        expect(self.try_map_lanes(axis, length, f))
    }

    /// As [`map_lanes`](Self::map_lanes).
    ///
    /// # Errors
    /// [`Error::Axis`] when there is no such axis.
    #[track_caller]
    pub fn try_map_lanes<B, F>(&self, axis: Axis, length: usize, f: F) -> Result<Array<B, D>, Error>
    where
        B: Element,
        F: Fn(&[A], &mut [B]) + Send + Sync + 'static,
    {
        let (label, Axis(axis), caller) = ("map_lanes", axis, Site::caller());
        self.check_axis(label, axis, self.ndim(), caller)?;
        let lines = Lines { label, name: "array.map_lanes/1", axis, needs: 0, caller };
        Ok(Array::from_core(lines.of::<A, B>(self.core(), length, &Function::<F>::of(), move |line, out| {
            f(line, out);
        })))
    }

    /// Each line along an axis becomes the element that `f` makes of it.
    ///
    /// A function that captures nothing is taken to be pure: applied twice to the same array it runs once.
    ///
    /// **Shape** that of the array without the axis.
    /// **Cost** one pass, and that of bringing the axis into one block: a line along it must fit in memory.
    ///
    /// # Panics
    /// When there is no such axis.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::{Axis, arr1, arr2}};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr2(&[[3, 1], [5, 7]]), 1);
    /// let first = x.map_axis(Axis(1), |line| f64::from(line[0]) / 2.0);
    /// assert_eq!(first.compute()?, arr1(&[1.5, 2.5]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    #[doc(alias = "apply_along_axis")]
    pub fn map_axis<B, F>(&self, axis: Axis, f: F) -> Array<B, D::Smaller>
    where
        B: Element,
        D: RemoveAxis,
        F: Fn(&[A]) -> B + Send + Sync + 'static,
    {
        expect(self.try_map_axis(axis, f))
    }

    /// As [`map_axis`](Self::map_axis).
    ///
    /// # Errors
    /// [`Error::Axis`] when there is no such axis.
    #[track_caller]
    pub fn try_map_axis<B, F>(&self, axis: Axis, f: F) -> Result<Array<B, D::Smaller>, Error>
    where
        B: Element,
        D: RemoveAxis,
        F: Fn(&[A]) -> B + Send + Sync + 'static,
    {
        let (label, caller) = ("map_axis", Site::caller());
        self.check_axis(label, axis.0, self.ndim(), caller)?;
        let lines = Lines { label, name: "array.map_axis/1", axis: axis.0, needs: 0, caller };
        let made = lines.of::<A, B>(self.core(), 1, &Function::<F>::of(), move |line, out| out[0] = f(line));
        Array::<B, D>::from_core(made).try_index_axis(axis, 0)
    }

    /// Applies a function to the array and an axis, to what it gives and the next axis, and so on.
    ///
    /// **Shape** whatever the function makes; it gives an array of as many axes.
    /// **Cost** that of the function, once for each axis.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::{Axis, arr2}};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr2(&[[3.0, 1.0], [5.0, 7.0]]), 1);
    /// let sum = x.apply_over_axes(&[Axis(0), Axis(1)], |x, axis| x.over(axis).keep_axes().sum());
    /// assert_eq!(sum.compute()?, arr2(&[[16.0]]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    ///
    /// Source: `numpy.apply_over_axes`.
    #[must_use]
    pub fn apply_over_axes(&self, axes: &[Axis], f: impl Fn(&Self, Axis) -> Self) -> Self {
        axes.iter().fold(self.clone(), |array, &axis| f(&array, axis))
    }
}

/// The indices that sort by several keys: by the last one, equal elements of it by the one before, and so on; where all are
/// equal the first stands first.
///
/// **Shape** `(n,)` for keys of shape `(n,)`, in one block.
/// **Cost** all keys must fit in memory.
///
/// # Errors
/// [`Error::Arrangement`] when there are no keys, [`Error::Shapes`] when their lengths differ.
///
/// # Examples
/// ```
/// use musher_array::{Array, lexsort, ndarray::arr1};
/// use musher_scheduler::Compute;
/// let (first, last) = (Array::from_array(arr1(&[9, 4, 0]), 2), Array::from_array(arr1(&[1, 5, 1]), 2));
/// assert_eq!(lexsort(&[&first, &last])?.compute()?, arr1(&[2, 0, 1]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Source: `numpy.lexsort`.
#[track_caller]
pub fn lexsort<A: Real>(keys: &[&Array<A, Ix1>]) -> Result<Array<u64, Ix1>, Error> {
    let (operation, caller) = ("lexsort", Site::caller());
    let Some(first) = keys.first() else {
        return Err(Error::Arrangement { operation, problem: "no keys", caller });
    };
    let n = first.len();
    if let Some(other) = keys.iter().find(|key| key.len() != n) {
        let (left, right) = (Shape(first.shape()), Shape(other.shape()));
        return Err(Error::Shapes { operation, left, right, caller });
    }
    let whole = Chunking::from_axes([[n].into()]);
    let n_keys = keys.len();
    let task = FnTask::new(operation, move |_: Place<'_>, inputs: &mut Inputs<'_>| {
        let keys = (0..n_keys).map(|key| Ok(inputs.get::<Block<A>>(key)?.elements()));
        let keys = keys.collect::<Result<Vec<&[A]>, TaskError>>()?;
        let mut indices = collected((0..n).map(|at| at as u64))?;
        indices.sort_unstable_by(|&one, &other| {
            let by_keys = keys.iter().rev().map(|key| order(key[one as usize], key[other as usize]));
            by_keys.fold(Ordering::Equal, Ordering::then).then(one.cmp(&other))
        });
        Ok(Block::new(Array1::from_vec(indices).into_dyn()))
    });
    let bytes = 8 * n as u64;
    let task = task.params("array.lexsort/1", &(A::NAME, n_keys));
    let task = task.facts(move |_, _| Facts::bytes(bytes).scratch(bytes).cost(1_000 + 20 * n as u64));
    let mut layer = Layer::build(task).caller(caller);
    for key in keys {
        layer = layer.input(&rechunked::<A>(key.core(), &whole, caller).port, Wiring::one_to_one(1));
    }
    Ok(Array::from_core(Core { port: Port::of(layer.finish(whole.grid())), chunking: whole }))
}

impl<A: Ordered, D: Dimension> Array<A, D> {
    /// Where each element would stand in a rising array of any number of blocks: how many of its elements come before. NaN
    /// stands last. A short list in memory is searched by [`search_sorted`](Self::search_sorted).
    ///
    /// **Shape** and blocks stay.
    /// **Cost** one pass for each block of `sorted`; a task holds one block of each.
    ///
    /// # Errors
    /// None before it runs; a run fails where `sorted` falls.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, Side, ndarray::arr1};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr1(&[5, 20, 31]), 2);
    /// let sorted = Array::from_array(arr1(&[10, 20, 30]), 1);
    /// assert_eq!(x.search_sorted_in(&sorted, Side::Right).compute()?, arr1(&[0, 2, 3]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    #[doc(alias = "searchsorted")]
    pub fn search_sorted_in(&self, sorted: &Array<A, Ix1>, side: Side) -> Array<u64, D> {
        let (operation, caller) = ("search_sorted_in", Site::caller());
        let (ndim, output) = (self.ndim(), self.chunks().clone());
        let falls =
            move || Error::Arrangement { operation, problem: "the array to search falls somewhere", caller };
        let mut counted: Option<Port> = None;
        // The last block that has elements: the next one must not begin below its end.
        let mut last = None;
        let some = sorted.chunks().axis(0).iter().enumerate().filter(|&(_, &length)| length > 0);
        for (block, _) in some {
            let before_it = last.replace(block);
            let is_first = before_it.is_none();
            let of_task = output.clone();
            let is_left = side == Side::Left;
            let task = FnTask::new(operation, move |at: Place<'_>, inputs: &mut Inputs<'_>| {
                let sorted = inputs.get::<Block<A>>(1)?.elements();
                let before = if is_first { &[] } else { inputs.get::<Block<A>>(2)?.elements() };
                let ends = before.last().into_iter().chain(sorted.first());
                let ends: Vec<A> = ends.copied().collect();
                if sorted.windows(2).chain(ends.windows(2)).any(|pair| is_before(pair[1], pair[0])) {
                    return Err(TaskError::new(falls()));
                }
                let values = inputs.get::<Block<A>>(0)?.view();
                let shape = IxDyn(&of_task.block_shape(&at.coords()));
                let mut counts = ArrayD::from_shape_vec(shape, zeros::<u64>(values.len())?)?;
                counts.zip_mut_with(&values, |count, &value| *count = place(sorted, value, side) as u64);
                if !is_first {
                    counts.zip_mut_with(&inputs.get::<Block<u64>>(3)?.view(), |count, &others| {
                        *count += others
                    });
                }
                Ok(Block::new(counts))
            });
            let task = task.params("array.search_sorted_in/1", &(A::NAME, block, is_left));
            let bytes_of = output.clone();
            let task = task.facts(move |at, inputs| {
                let n = bytes_of.block_shape(&at.coords()).iter().product::<usize>() as u64;
                let read = inputs.iter().flatten().sum::<u64>();
                Facts::bytes(8 * n).scratch(8 * n).cost(1_000 + read + 20 * n)
            });
            let own = Wiring::one_to_one(ndim);
            let fixed = |block| Wiring::axes([AxisMap::Fixed(block)]);
            let mut layer = Layer::build(task).caller(caller).input(&self.core().port, own);
            layer = layer.input(&sorted.core().port, fixed(block));
            if let (Some(counted), Some(before_it)) = (&counted, before_it) {
                layer = layer.input(&sorted.core().port, fixed(before_it));
                layer = layer.input(counted, Wiring::one_to_one(ndim));
            }
            counted = Some(Port::of(layer.finish(output.grid())));
        }
        match counted {
            Some(port) => Array::from_core(Core { port, chunking: output }),
            None => Array::zeros_like(self),
        }
    }
}
