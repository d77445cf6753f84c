//! Elements along an axis summed up by groups: each index along it has a label, and each label becomes an index of the answer.
//!
//! Each block becomes a partial answer for all labels; these are combined as any reduction is. So the array is never
//! rearranged, however its labels are mixed.
//!
//! Source: the map-reduce method of the flox library.

use crate::array::{Array, Core};
use crate::chunks::{Chunking, Chunks};
use crate::element::{Element, Float, float};
use crate::elementwise::{Operand, select};
use crate::error::{Error, Shape, expect};
use crate::kernel::assemble::offsets;
use crate::per_block::PerBlock;
use musher_graph_core::{AxisMap, Site, Wiring};
use ndarray::{ArrayD, Axis, Dimension, IxDyn};
use std::fmt;
use std::sync::Arc;

/// Elements along an axis in groups, about to be summed up: made by [`Array::group_by_axis`].
///
/// **Shape** of the answers: the axis has one element for each label, `0 .. n`.
/// **Cost** one pass; a block becomes a partial answer with as many elements along the axis as there are labels.
#[derive(Clone)]
#[must_use = "it is only about to be summed up: name how, such as `.mean()`"]
pub struct GroupedAxis<'a, A, D: Dimension> {
    array: &'a Array<A, D>,
    axis: usize,
    labels: Arc<[usize]>,
    n: usize,
    caller: Site,
}

impl<A: Element, D: Dimension> fmt::Debug for GroupedAxis<'_, A, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { array, axis, n, .. } = self;
        f.debug_struct("GroupedAxis")
            .field("array", array)
            .field("axis", axis)
            .field("n", n)
            .finish_non_exhaustive()
    }
}

impl<A: Float, D: Dimension> Array<A, D> {
    /// The elements along an axis by groups: index `i` along it belongs to the label `labels[i]`, one of `0 .. n`.
    ///
    /// # Panics
    /// When there is no such axis, there is not one label for each index, or one is not below `n`.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::{Axis, arr1, arr2}};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr2(&[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), 2);
    /// let halves = x.group_by_axis(Axis(1), &[0, 1, 0], 2);
    /// assert_eq!(halves.mean().compute()?, arr2(&[[2.0, 2.0], [5.0, 5.0]]));
    /// assert_eq!(halves.count(), [2, 1]);
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[track_caller]
    #[doc(alias = "groupby")]
    #[doc(alias = "groupby_reduce")]
    pub fn group_by_axis(&self, axis: Axis, labels: &[usize], n: usize) -> GroupedAxis<'_, A, D> {
        expect(self.try_group_by_axis(axis, labels, n))
    }

    /// As [`group_by_axis`](Self::group_by_axis).
    ///
    /// # Errors
    /// [`Error::Axis`] when there is no such axis, [`Error::Shapes`] when there is not one label for each index,
    /// [`Error::Index`] when one is not below `n`.
    #[track_caller]
    pub fn try_group_by_axis(
        &self,
        axis: Axis,
        labels: &[usize],
        n: usize,
    ) -> Result<GroupedAxis<'_, A, D>, Error> {
        let (operation, caller) = ("group_by_axis", Site::caller());
        self.check_axis(operation, axis.0, self.ndim(), caller)?;
        let length = self.shape()[axis.0];
        if labels.len() != length {
            let (left, right) = (Shape(vec![length]), Shape(vec![labels.len()]));
            return Err(Error::Shapes { operation, left, right, caller });
        }
        if let Some(&label) = labels.iter().find(|&&label| label >= n) {
            let index = isize::try_from(label).unwrap_or(isize::MAX);
            return Err(Error::Index { operation, axis: axis.0, index, length: n, caller });
        }
        Ok(GroupedAxis { array: self, axis: axis.0, labels: labels.into(), n, caller })
    }
}

impl<A: Float, D: Dimension> GroupedAxis<'_, A, D> {
    /// Partial answers of all blocks along an axis before the others: each group begins with `begin`, and takes in its
    /// elements by `step`.
    fn partial(
        &self,
        label: &'static str,
        begin: A,
        step: impl Fn(A, A) -> A + Send + Sync + 'static,
    ) -> Array<A, IxDyn> {
        let Self { array, axis, ref labels, n, caller } = *self;
        let blocks = array.chunks();
        let along = |own: usize| if own == axis { [n].into() } else { blocks.shared_axis(own) };
        let each: Arc<[usize]> = vec![1; blocks.axis(axis).len()].into();
        let output = Chunking::from_axes([each].into_iter().chain((0..blocks.ndim()).map(along)));
        let map = |own: usize| AxisMap::follow(if own == axis { 0 } else { own + 1 });
        let wiring = Wiring::axes((0..blocks.ndim()).map(map));
        let name = "array.group_by_axis/1";
        let per_block = PerBlock { label, name, wiring, output, scratch: 0, caller };
        let parameters = (label, axis, labels.to_vec());
        let (labels, starts) = (Arc::clone(labels), offsets(blocks.axis(axis)));
        let made = per_block.of::<A, A>(array.core(), &parameters, move |at, block| {
            let mut shape = block.shape().to_vec();
            shape[axis] = n;
            let mut values = crate::kernel::memory::zeros::<A>(shape.iter().product())?;
            values.fill(begin);
            let mut made = ArrayD::from_shape_vec(IxDyn(&shape), values)?;
            let start = starts[at[0]];
            let indices = labels[start..].iter().zip(block.axis_iter(Axis(axis)));
            for (&label, elements) in indices {
                let mut group = made.index_axis_mut(Axis(axis), label);
                group.zip_mut_with(&elements, |sum, &element| *sum = step(*sum, element));
            }
            Ok(made.insert_axis(Axis(0)))
        });
        Array::from_core(made)
    }

    fn finish(found: &Core) -> Array<A, D> {
        Array::from_core(found.clone())
    }

    /// NaN for groups without an element.
    fn of_some(&self, found: &Array<A, IxDyn>) -> Array<A, D> {
        let mut shape = vec![1; found.ndim()];
        shape[self.axis] = self.n;
        let some: Vec<bool> = self.count().iter().map(|&count| count > 0).collect();
        let some = ArrayD::from_shape_vec(IxDyn(&shape), some).expect("one number for each group");
        let some = Array::from_array(some, Chunks::whole());
        let none = Operand::Value(float::<A>(f64::NAN).into_scalar());
        let found: Array<A, IxDyn> =
            select((&some).into(), found.into(), none).expect("of the same number of axes, all 1 but one");
        Self::finish(found.core())
    }

    /// How many indices belong to each label.
    #[must_use]
    pub fn count(&self) -> Vec<u64> {
        let mut counts = vec![0; self.n];
        self.labels.iter().for_each(|&label| counts[label] += 1);
        counts
    }

    /// The sum of each group; of none 0.
    #[must_use]
    pub fn sum(&self) -> Array<A, D>
    where
        A: std::ops::Add<Output = A>,
    {
        let partial = self.partial("group sum", A::default(), |sum, element| sum + element);
        Self::finish(partial.over(&[Axis(0)][..]).sum().core())
    }

    /// The mean of each group; of none NaN.
    ///
    /// # Panics
    /// Never: there is a number for each group.
    #[must_use]
    pub fn mean(&self) -> Array<A, D>
    where
        A: std::ops::Add<Output = A>,
    {
        let mut shape = vec![1; self.array.ndim()];
        shape[self.axis] = self.n;
        let counts = self.count().iter().map(|&count| float::<A>(count as f64)).collect();
        let counts = ArrayD::from_shape_vec(IxDyn(&shape), counts).expect("one number for each group");
        let sum: Array<A, IxDyn> = Array::from_core(self.sum().core().clone());
        Self::finish((sum / Array::from_array(counts, Chunks::whole())).core())
    }

    /// The largest element of each group, NaN if there is one; of none NaN.
    #[must_use]
    pub fn max(&self) -> Array<A, D> {
        #[expect(clippy::eq_op, reason = "only NaN differs from itself")]
        let step = |most: A, element: A| if element > most || element != element { element } else { most };
        let partial = self.partial("group max", float(f64::NEG_INFINITY), step);
        self.of_some(&partial.over(&[Axis(0)][..]).max())
    }

    /// The smallest element of each group, NaN if there is one; of none NaN.
    #[must_use]
    pub fn min(&self) -> Array<A, D> {
        #[expect(clippy::eq_op, reason = "only NaN differs from itself")]
        let step = |least: A, element: A| if element < least || element != element { element } else { least };
        let partial = self.partial("group min", float(f64::INFINITY), step);
        self.of_some(&partial.over(&[Axis(0)][..]).min())
    }
}
