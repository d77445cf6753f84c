//! `x.over(axes)`: a reduction about to be named.

use super::answers;
use super::{ByType, Reduce};
use crate::array::{Array, Core};
use crate::element::{Element, Float, Inexact, Number, Ordered, Real};
use crate::error::{Error, expect};
use crate::kernel::reduce::AxisSet;
use musher_graph_core::Site;
use ndarray::{Axis, Dimension, Ix0, IxDyn, RemoveAxis};
use std::marker::PhantomData;

/// All axes of an array, as an argument of [`Array::over`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct All;

/// Axes that a reduction takes away: an [`Axis`], an array of up to four, a slice of any number, or [`All`].
///
/// What is left has a dimension known to the compiler, but for a slice, which leaves an `IxDyn`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` names no axes of an array of dimension `{D}`",
    note = "pass `Axis(0)`, `[Axis(0), Axis(2)]`, `&axes[..]` or `All`, and not more axes than there are"
)]
pub trait Axes<D: Dimension> {
    /// The dimension of the answers.
    type Left: Dimension;

    /// The axes by number; none means all.
    fn axes(&self) -> Option<&[Axis]>;
}

impl<D: Dimension> Axes<D> for All {
    type Left = Ix0;
    fn axes(&self) -> Option<&[Axis]> {
        None
    }
}

impl<D: RemoveAxis> Axes<D> for Axis {
    type Left = D::Smaller;
    fn axes(&self) -> Option<&[Axis]> {
        Some(std::slice::from_ref(self))
    }
}

impl<D: Dimension> Axes<D> for &[Axis] {
    type Left = IxDyn;
    fn axes(&self) -> Option<&[Axis]> {
        Some(self)
    }
}

/// The dimension with one axis less.
type Less<D> = <D as Dimension>::Smaller;

/// Arrays of axes, each of which needs a dimension that has so many.
macro_rules! arrays_of_axes {
    ($($n:literal $left:ty, $($bound:ty),*;)*) => {$(
        impl<D: Dimension> Axes<D> for [Axis; $n]
        where
            $($bound: RemoveAxis,)*
        {
            type Left = $left;
            fn axes(&self) -> Option<&[Axis]> {
                Some(self)
            }
        }
    )*};
}
arrays_of_axes! {
    1 Less<D>, D;
    2 Less<Less<D>>, D, Less<D>;
    3 Less<Less<Less<D>>>, D, Less<D>, Less<Less<D>>;
    4 Less<Less<Less<Less<D>>>>, D, Less<D>, Less<Less<D>>, Less<Less<Less<D>>>;
}

/// A reduction over some axes about to be named; made by [`Array::over`].
///
/// # Examples
/// ```
/// use musher_array::{All, Array, ndarray::{Axis, arr1, arr2}};
/// use musher_scheduler::Compute;
/// let x = Array::from_array(arr2(&[[1.0, 2.0], [f64::NAN, 6.0]]), 1);
/// assert_eq!(x.over(Axis(0)).skip_nan().mean().compute()?, arr1(&[1.0, 4.0]));
/// assert_eq!(x.over(Axis(1)).keep_axes().max().compute()?.shape(), [2, 1]);
/// assert_eq!(x.over(All).where_true(&x.gt(1.5)).sum().compute()?, 8.0);
/// # Ok::<(), musher_scheduler::Error>(())
/// ```
#[derive(Clone)]
#[must_use = "it is only about to be a reduction: name one, such as `.sum()`"]
pub struct Over<'a, A, D: Dimension, L> {
    array: &'a Array<A, D>,
    axes: AxisSet,
    keep: bool,
    skip_nan: bool,
    mask: Option<Core>,
    left: PhantomData<fn() -> L>,
}

impl<A, D: Dimension, L> std::fmt::Debug for Over<'_, A, D, L> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let axes: Vec<usize> = self.axes.iter().collect();
        f.debug_struct("Over").field("axes", &axes).field("skip_nan", &self.skip_nan).finish_non_exhaustive()
    }
}

impl<A: Element, D: Dimension> Array<A, D> {
    /// The array about to be reduced over some axes: `x.over(Axis(0)).mean()`, `x.over([Axis(0), Axis(2)]).max()`,
    /// `x.over(All).skip_nan().sum()`.
    ///
    /// # Panics
    /// When there is no such axis, or one is named twice.
    #[track_caller]
    pub fn over<X: Axes<D>>(&self, axes: X) -> Over<'_, A, D, X::Left> {
        expect(self.try_over(axes))
    }

    /// As [`over`](Self::over).
    ///
    /// # Errors
    /// [`Error::Axis`] when there is no such axis, [`Error::Arrangement`] when one is named twice, or there are more than 64.
    ///
    /// # Panics
    /// When a type of your own implements [`Axes`] and names more or fewer axes than it says are left.
    #[track_caller]
    pub fn try_over<X: Axes<D>>(&self, axes: X) -> Result<Over<'_, A, D, X::Left>, Error> {
        let (operation, ndim, caller) = ("over", self.ndim(), Site::caller());
        if ndim > AxisSet::MOST {
            let problem = "arrays of more than 64 axes are not reduced";
            return Err(Error::Arrangement { operation, problem, caller });
        }
        let mut set = AxisSet::NONE;
        for &Axis(axis) in axes.axes().unwrap_or_default() {
            if axis >= ndim {
                return Err(Error::Axis { operation, axis, ndim, caller });
            }
            if set.contains(axis) {
                return Err(Error::Arrangement { operation, problem: "an axis is named twice", caller });
            }
            set = set.with(axis);
        }
        let axes = if axes.axes().is_none() { AxisSet::all(ndim) } else { set };
        // Whoever implements the trait for a type of their own must keep to it.
        let left = (0..ndim).filter(|&axis| !axes.contains(axis)).count();
        assert!(X::Left::NDIM.is_none_or(|ndim| ndim == left), "`Axes::Left` has as many axes as are left");
        Ok(Over { array: self, axes, keep: false, skip_nan: false, mask: None, left: PhantomData })
    }
}

impl<'a, A: Element, D: Dimension, L: Dimension> Over<'a, A, D, L> {
    /// Leaves the reduced axes in the answer, with length 1, so that it broadcasts against the array.
    #[doc(alias = "keepdims")]
    pub fn keep_axes(self) -> Over<'a, A, D, D> {
        let Self { array, axes, skip_nan, mask, .. } = self;
        Over { array, axes, keep: true, skip_nan, mask, left: PhantomData }
    }

    /// Passes over NaN: only the other elements count. The mean of none is NaN, and so is an extreme of none.
    #[doc(alias = "nansum")]
    #[doc(alias = "nanprod")]
    #[doc(alias = "nanmean")]
    #[doc(alias = "nanvar")]
    #[doc(alias = "nanstd")]
    #[doc(alias = "nanmin")]
    #[doc(alias = "nanmax")]
    #[doc(alias = "nanargmin")]
    #[doc(alias = "nanargmax")]
    #[doc(alias = "skipna")]
    pub fn skip_nan(self) -> Self
    where
        A: Inexact,
    {
        Self { skip_nan: true, ..self }
    }

    /// Passes over elements where `mask` is false; its shape is broadcast to that of the array.
    ///
    /// The sum of none is 0 and their product 1. An extreme of none is NaN where the elements are floats; else, and where the
    /// place of an extreme is asked for, the computation fails.
    ///
    /// # Panics
    /// When the shape does not fit, which naming the reduction tells.
    #[doc(alias = "where")]
    pub fn where_true<E: Dimension>(self, mask: &Array<bool, E>) -> Self {
        Self { mask: Some(mask.core().clone()), ..self }
    }

    /// The array about to be reduced.
    pub(crate) const fn array(&self) -> &'a Array<A, D> {
        self.array
    }

    /// The axes that go, those that stay, whether the former stay with length 1, whether NaN does not count, and the mask.
    pub(crate) fn parts(&self) -> (Vec<usize>, Vec<usize>, bool, bool, Option<&Core>) {
        let (gone, kept) = (0..self.array.ndim()).partition(|&axis| self.axes.contains(axis));
        (gone, kept, self.keep, self.skip_nan, self.mask.as_ref())
    }

    /// The same question to another array of the same shape.
    pub(crate) fn of_another<B>(self, array: &Array<B, D>) -> Over<'_, B, D, L> {
        let Self { axes, keep, skip_nan, mask, .. } = self;
        Over { array, axes, keep, skip_nan, mask, left: PhantomData }
    }

    /// The answers.
    #[track_caller]
    fn ask<B: Element>(
        self,
        operation: &'static str,
        by_type: ByType,
        ddof: f64,
    ) -> Result<Array<B, L>, Error> {
        let Self { array, axes, keep, skip_nan, mask, .. } = self;
        let (from, caller) = (A::DTYPE, Site::caller());
        let asked = by_type(from).ok_or(Error::Undefined { operation, dtype: from, caller })?;
        assert_eq!(asked.value(), B::DTYPE, "the answer of {operation} has the type that its method says");
        let core =
            Reduce { operation, asked, from, axes, skip_nan, mask, ddof, caller }.over(array.core())?;
        let mut answers: Array<B, IxDyn> = Array::from_core(core);
        if keep {
            answers =
                axes.iter().take(array.ndim()).fold(answers, |answers, axis| answers.insert_axis(Axis(axis)));
        }
        Ok(Array::from_core(answers.core().clone()))
    }
}

/// Refuses what is no number of degrees of freedom.
#[track_caller]
fn check_ddof(operation: &'static str, ddof: f64) -> Result<(), Error> {
    match ddof >= 0.0 && ddof.is_finite() {
        true => Ok(()),
        false => Err(Error::DegreesOfFreedom { operation, ddof, caller: Site::caller() }),
    }
}

/// Reductions that only a mask of another shape refuses. Written out for `sum`: `x.over(axes).sum()`, its twin `try_sum`,
/// and `x.sum()`.
macro_rules! reductions {
    (($($generic:tt)*) $element:ty;
        $($(#[$meta:meta])* fn $name:ident $try:ident $(where A: $bound:ident)? => $out:ty;)*
    ) => {
        impl<$($generic)* D: Dimension, L: Dimension> Over<'_, $element, D, L> {$(
            $(#[$meta])*
            ///
            /// **Cost** one pass; for each block a state for each answer.
            ///
            /// # Panics
            /// When a [mask](Self::where_true) does not fit.
            #[must_use]
            #[track_caller]
            pub fn $name(self) -> Array<$out, L>
            $(where A: $bound,)?
            {
                expect(self.$try())
            }

            #[doc = concat!("As [`", stringify!($name), "`](Self::", stringify!($name), ").")]
            ///
            /// # Errors
            /// [`Error::Shapes`] when a mask does not fit.
            #[track_caller]
            pub fn $try(self) -> Result<Array<$out, L>, Error>
            $(where A: $bound,)?
            {
                self.ask(stringify!($name), answers::$name, 0.0)
            }
        )*}

        impl<$($generic)* D: Dimension> Array<$element, D> {$(
            $(#[$meta])*
            ///
            /// Over all axes; over some it is [`x.over(axes)`](Self::over) with the same name.
            /// **Cost** one pass; states of a few bytes for each block.
            #[must_use]
            #[track_caller]
            pub fn $name(&self) -> Array<$out, Ix0>
            $(where A: $bound,)?
            {
                self.over(All).$name()
            }
        )*}
    };
}

reductions! {
    (A: Element,) A;
    /// The sum. Integers widen to 64 bits, and a sum beyond them fails the computation; floats are added in `f64` by a fixed
    /// tree.
    #[doc(alias = "numpy.sum")]
    fn sum try_sum where A: Number => A::Sum;
    /// The mean; of integers as `f64`, of nothing NaN.
    #[doc(alias = "average")]
    #[doc(alias = "numpy.mean")]
    fn mean try_mean where A: Number => A::Mean;
    /// The product. Integers widen to 64 bits, and a product beyond them fails the computation.
    #[doc(alias = "prod")]
    fn product try_product where A: Real => A::Sum;
}

reductions! {
    () bool;
    /// Whether any element is true; not so of nothing.
    #[doc(alias = "numpy.any")]
    fn any try_any => bool;
    /// Whether all elements are true; so of nothing.
    #[doc(alias = "numpy.all")]
    fn all try_all => bool;
    /// How many elements are true.
    #[doc(alias = "count_nonzero")]
    fn count_true try_count_true => u64;
}

/// Reductions that refuse to answer of nothing. Written out for `min`: `x.over(axes).min()`, `x.min()`, and their twins
/// `try_min`.
macro_rules! reductions_of_something {
    ($($(#[$meta:meta])* fn $name:ident $try:ident where A: $bound:ident => $out:ty;)*) => {
        impl<A: Element, D: Dimension, L: Dimension> Over<'_, A, D, L> {$(
            $(#[$meta])*
            ///
            /// **Cost** one pass; for each block a state for each answer.
            ///
            /// # Panics
            /// When there is nothing to reduce, or a [mask](Self::where_true) does not fit.
            #[must_use]
            #[track_caller]
            pub fn $name(self) -> Array<$out, L>
            where
                A: $bound,
            {
                expect(self.$try())
            }

            #[doc = concat!("As [`", stringify!($name), "`](Self::", stringify!($name), ").")]
            ///
            /// # Errors
            /// [`Error::EmptyReduction`] when there is nothing to reduce, [`Error::Shapes`] when a mask does not fit.
            #[track_caller]
            pub fn $try(self) -> Result<Array<$out, L>, Error>
            where
                A: $bound,
            {
                self.ask(stringify!($name), answers::$name, 0.0)
            }
        )*}

        impl<A: Element, D: Dimension> Array<A, D> {$(
            $(#[$meta])*
            ///
            /// Over all axes; over some it is [`x.over(axes)`](Self::over) with the same name.
            /// **Cost** one pass; states of a few bytes for each block.
            ///
            /// # Panics
            /// When the array is empty.
            #[must_use]
            #[track_caller]
            pub fn $name(&self) -> Array<$out, Ix0>
            where
                A: $bound,
            {
                expect(self.$try())
            }

            #[doc = concat!("As [`", stringify!($name), "`](Self::", stringify!($name), ").")]
            ///
            /// # Errors
            /// [`Error::EmptyReduction`] when the array is empty.
            #[track_caller]
            pub fn $try(&self) -> Result<Array<$out, Ix0>, Error>
            where
                A: $bound,
            {
                self.over(All).$try()
            }
        )*}
    };
}

reductions_of_something! {
    /// The smallest element; NaN if there is one.
    #[doc(alias = "amin")]
    #[doc(alias = "numpy.min")]
    fn min try_min where A: Ordered => A;
    /// The largest element; NaN if there is one.
    #[doc(alias = "amax")]
    #[doc(alias = "numpy.max")]
    fn max try_max where A: Ordered => A;
    /// The index of the first smallest element, in C order along the reduced axes; that of the first NaN if there is one.
    #[doc(alias = "numpy.argmin")]
    fn argmin try_argmin where A: Real => u64;
    /// The index of the first largest element, in C order along the reduced axes; that of the first NaN if there is one.
    #[doc(alias = "numpy.argmax")]
    fn argmax try_argmax where A: Real => u64;
}

/// Reductions by degrees of freedom. Written out for `var`: `x.over(axes).var(ddof)`, `x.var(ddof)`,
/// `x.var_axis(axis, ddof)`, and the twins `try_var`.
macro_rules! reductions_by_ddof {
    ($($(#[$meta:meta])* fn $name:ident $try:ident fn $axis:ident = $answer:ident;)*) => {
        impl<A: Real, D: Dimension, L: Dimension> Over<'_, A, D, L> {$(
            $(#[$meta])*
            ///
            /// `ddof` degrees of freedom are taken off the number of elements that divides: 0 for a population, 1 for a sample.
            /// Where none is left the answer is infinite, or NaN where nothing deviates, as NumPy's.
            /// **Cost** one pass; for each block a state for each answer.
            ///
            /// # Panics
            /// When `ddof` is negative or not finite, or a [mask](Self::where_true) does not fit.
            #[must_use]
            #[track_caller]
            pub fn $name(self, ddof: f64) -> Array<A::Mean, L> {
                expect(self.$try(ddof))
            }

            #[doc = concat!("As [`", stringify!($name), "`](Self::", stringify!($name), ").")]
            ///
            /// # Errors
            /// [`Error::DegreesOfFreedom`] when `ddof` is negative or not finite, [`Error::Shapes`] when a mask does not fit.
            #[track_caller]
            pub fn $try(self, ddof: f64) -> Result<Array<A::Mean, L>, Error> {
                check_ddof(stringify!($name), ddof)?;
                self.ask(stringify!($name), answers::$answer, ddof)
            }
        )*}

        impl<A: Real, D: Dimension> Array<A, D> {$(
            $(#[$meta])*
            ///
            #[doc = concat!("Over all axes; over some it is [`x.over(axes).", stringify!($name), "(ddof)`](Over::", stringify!($name), ").")]
            ///
            /// # Panics
            /// When `ddof` is negative or not finite.
            #[must_use]
            #[track_caller]
            pub fn $name(&self, ddof: f64) -> Array<A::Mean, Ix0> {
                self.over(All).$name(ddof)
            }

            #[doc = concat!("As [`", stringify!($name), "`](Self::", stringify!($name), ").")]
            ///
            /// # Errors
            /// [`Error::DegreesOfFreedom`] when `ddof` is negative or not finite.
            #[track_caller]
            pub fn $try(&self, ddof: f64) -> Result<Array<A::Mean, Ix0>, Error> {
                self.over(All).$try(ddof)
            }

            #[doc = concat!("`x.over(axis).", stringify!($name), "(ddof)`, by ndarray's name.")]
            ///
            /// # Panics
            /// When there is no such axis, or `ddof` is negative or not finite.
            #[must_use]
            #[track_caller]
            pub fn $axis(&self, axis: Axis, ddof: f64) -> Array<A::Mean, D::Smaller>
            where
                D: RemoveAxis,
            {
                self.over(axis).$name(ddof)
            }
        )*}
    };
}

reductions_by_ddof! {
    /// The variance: the mean squared deviation from the mean.
    #[doc(alias = "numpy.var")]
    fn var try_var fn var_axis = variance;
    /// The standard deviation: the root of the variance.
    #[doc(alias = "numpy.std")]
    fn std try_std fn std_axis = deviation;
}

/// Reductions of one axis that ndarray has a name for. Written out for `sum_axis`: `x.over(axis).sum()`.
macro_rules! reductions_of_one_axis {
    ($(fn $axis:ident = $name:ident $bound:ident $out:ty;)*) => {
        impl<A: Element, D: RemoveAxis> Array<A, D> {$(
            #[doc = concat!("`x.over(axis).", stringify!($name), "()`, by ndarray's name.")]
            ///
            /// # Panics
            /// When there is no such axis.
            #[must_use]
            #[track_caller]
            pub fn $axis(&self, axis: Axis) -> Array<$out, D::Smaller>
            where
                A: $bound,
            {
                self.over(axis).$name()
            }
        )*}
    };
}

reductions_of_one_axis! {
    fn sum_axis = sum Number A::Sum;
    fn mean_axis = mean Number A::Mean;
    fn product_axis = product Real A::Sum;
}

impl<A: Float, D: Dimension> Array<A, D> {
    /// How many elements are not NaN, over all axes.
    ///
    /// **Shape** `(…) → ()`, computing to the scalar.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::arr1};
    /// use musher_scheduler::Compute;
    /// assert_eq!(Array::from_array(arr1(&[1.0, f64::NAN]), 1).count_not_nan().compute()?, 1);
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    #[doc(alias = "count")]
    pub fn count_not_nan(&self) -> Array<u64, Ix0> {
        (!self.is_nan()).count_true()
    }
}
