//! Arrays some of whose elements do not count, under the names of `numpy.ma`.
//!
//! A [`MaskedArray`] is an array of data and one of truths, which is true where an element does not count. Both are lazy arrays of one
//! graph: each can be taken out and used as any other.
//!
//! ```
//! use musher_array::{All, Array, masked, ndarray::arr1};
//! use musher_scheduler::Compute;
//! let x = Array::from_array(arr1(&[1.0, -999.0, 3.0]), 2);
//! let known = masked::masked_equal(&x, -999.0);
//! assert_eq!(known.mean(All)?.filled(f64::NAN).compute()?, 2.0);
//! assert_eq!((&known * 2.0).filled(0.0).compute()?, arr1(&[2.0, 0.0, 6.0]));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use crate::array::Array;
use crate::element::{Element, Float, Inexact, Number, Ordered, Real};
use crate::elementwise::{Operand, binary, compare, select};
use crate::error::{Error, expect};
use crate::kernel::ops::{BinaryOp, CompareOp};
use crate::reductions::{Axes, Over};
use musher_graph_core::Site;
use ndarray::{DimMax, Dimension};
use std::ops::{Add, Div, Mul, Neg, Sub};

/// An array some of whose elements do not count.
///
/// What stands under the mask is in no answer. It is computed with all the same: an integer overflow there is an error.
#[derive(Clone, Debug)]
#[doc(alias = "masked_array")]
pub struct MaskedArray<A: Element, D: Dimension> {
    data: Array<A, D>,
    /// True where an element does not count.
    mask: Array<bool, D>,
}

impl<A: Element, D: Dimension> MaskedArray<A, D> {
    /// The array whose elements do not count where the mask is true.
    ///
    /// **Shape** that of both.
    /// **Cost** none.
    ///
    /// # Errors
    /// [`Error::Shapes`] when the shapes differ.
    #[track_caller]
    #[doc(alias = "masked_array")]
    pub fn new(data: &Array<A, D>, mask: &Array<bool, D>) -> Result<Self, Error> {
        Self::named("masked_array", data, mask)
    }

    #[track_caller]
    fn named(operation: &'static str, data: &Array<A, D>, mask: &Array<bool, D>) -> Result<Self, Error> {
        if data.shape() != mask.shape() {
            let (left, right) = (data.shape().as_slice().into(), mask.shape().as_slice().into());
            return Err(Error::Shapes { operation, left, right, caller: Site::caller() });
        }
        Ok(Self { data: data.clone(), mask: mask.clone() })
    }

    /// The elements, those under the mask among them.
    #[must_use]
    #[doc(alias = "getdata")]
    pub const fn data(&self) -> &Array<A, D> {
        &self.data
    }

    /// Where elements do not count.
    #[must_use]
    #[doc(alias = "getmaskarray")]
    pub const fn mask(&self) -> &Array<bool, D> {
        &self.mask
    }

    /// The lengths of all axes.
    #[must_use]
    pub fn shape(&self) -> Vec<usize> {
        self.data.shape()
    }

    /// The array with a value in the place of each element that does not count.
    ///
    /// **Shape** stays. **Cost** one pass; it fuses with what comes before and after.
    ///
    /// # Panics
    /// Never: the shapes of data and mask are equal.
    #[must_use]
    #[track_caller]
    #[doc(alias = "set_fill_value")]
    pub fn filled(&self, value: A) -> Array<A, D> {
        expect(select((&self.mask).into(), Operand::Value(value.into_scalar()), (&self.data).into()))
    }

    /// A function of the data, element by element; the mask stays.
    ///
    /// # Errors
    /// [`Error::Shapes`] when what the function gives has another shape.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, masked, ndarray::arr1};
    /// use musher_scheduler::Compute;
    /// let x = masked::masked_less(&Array::from_array(arr1(&[-1.0, 4.0]), 1), 0.0);
    /// assert_eq!(x.map(|data| data.sqrt())?.filled(0.0).compute()?, arr1(&[0.0, 2.0]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn map<B: Element>(
        &self,
        f: impl FnOnce(&Array<A, D>) -> Array<B, D>,
    ) -> Result<MaskedArray<B, D>, Error> {
        MaskedArray::named("map", &f(&self.data), &self.mask)
    }

    /// A function of the data of two arrays, element by element; what does not count in one of them does not count.
    ///
    /// **Shape** broadcast of both.
    ///
    /// # Errors
    /// [`Error::Shapes`] when the shapes do not fit, or what the function gives has another one.
    #[track_caller]
    pub fn zip<B: Element, C: Element, E: Dimension>(
        &self,
        other: &MaskedArray<B, E>,
        f: impl FnOnce(&Array<A, D>, &Array<B, E>) -> Result<Array<C, <D as DimMax<E>>::Output>, Error>,
    ) -> Result<MaskedArray<C, <D as DimMax<E>>::Output>, Error>
    where
        D: DimMax<E>,
    {
        let mask = self.mask.try_bitor(&other.mask)?;
        MaskedArray::named("zip", &f(&self.data, &other.data)?, &mask)
    }

    /// The data about to be reduced over some axes, with what does not count left out: for all reductions whose answer of nothing
    /// is one.
    ///
    /// # Errors
    /// [`Error::Axis`] when there is no such axis, [`Error::Arrangement`] when one is named twice.
    #[track_caller]
    pub fn over<X: Axes<D>>(&self, axes: X) -> Result<Over<'_, A, D, X::Left>, Error> {
        Ok(self.data.try_over(axes)?.where_true(&!&self.mask))
    }

    /// How many elements count.
    ///
    /// # Errors
    /// As [`over`](Self::over).
    #[track_caller]
    pub fn count<X: Axes<D>>(&self, axes: X) -> Result<Array<u64, X::Left>, Error> {
        let counts = !&self.mask;
        counts.try_over(axes)?.try_count_true()
    }

    /// An answer for each line, which does not count where nothing does in the line.
    #[track_caller]
    fn reduced<B: Element, X: Axes<D> + Copy>(
        &self,
        axes: X,
        ask: impl FnOnce(Over<'_, A, D, X::Left>) -> Result<Array<B, X::Left>, Error>,
    ) -> Result<MaskedArray<B, X::Left>, Error> {
        let mask = self.mask.try_over(axes)?.try_all()?;
        // A line of which nothing counts is asked as a whole: there is an answer, which does not count.
        let none = self.mask.try_over(axes)?.keep_axes().try_all()?;
        let counts = (!&self.mask).try_bitor(&none)?;
        let data = ask(self.data.try_over(axes)?.where_true(&counts))?;
        Ok(MaskedArray { data, mask })
    }
}

/// Makes of each row a reduction whose answers do not count where nothing does.
macro_rules! reductions {
    ($($(#[$doc:meta])* fn $name:ident $try:ident where A: $bound:ident $(, $ddof:ident)? => $out:ty;)*) => {
        impl<A: Element, D: Dimension> MaskedArray<A, D> {$(
            $(#[$doc])*
            ///
            /// It does not count where no element does.
            /// **Cost** one pass, and one over the mask.
            ///
            /// # Errors
            /// As [`over`](Self::over); as the reduction of that name of an [`Array`] over some axes, too.
            #[track_caller]
            pub fn $name<X: Axes<D> + Copy>(
                &self,
                axes: X
                $(, $ddof: f64)?
            ) -> Result<MaskedArray<$out, X::Left>, Error>
            where
                A: $bound,
            {
                self.reduced(axes, |over| over.$try($($ddof)?))
            }
        )*}
    };
}

reductions! {
    /// The sum of what counts.
    fn sum try_sum where A: Number => A::Sum;
    /// The mean of what counts.
    fn mean try_mean where A: Number => A::Mean;
    /// The product of what counts.
    fn product try_product where A: Real => A::Sum;
    /// The smallest of what counts.
    fn min try_min where A: Ordered => A;
    /// The largest of what counts.
    fn max try_max where A: Ordered => A;
    /// The variance of what counts, from which `ddof` degrees of freedom are taken.
    fn var try_var where A: Real, ddof => A::Mean;
    /// The standard deviation of what counts, from which `ddof` degrees of freedom are taken.
    fn std try_std where A: Real, ddof => A::Mean;
}

/// Makes of each row an operator of two masked arrays, and of one and a number.
macro_rules! operators {
    ($($trait:ident fn $name:ident $try:ident;)*) => {$(
        impl<A: Number, D: Dimension, E: Dimension> $trait<&MaskedArray<A, E>> for &MaskedArray<A, D>
        where
            D: DimMax<E>,
        {
            type Output = MaskedArray<A, <D as DimMax<E>>::Output>;
            /// # Panics
            /// When the shapes do not fit.
            #[track_caller]
            fn $name(self, right: &MaskedArray<A, E>) -> Self::Output {
                expect(self.zip(right, |left, right| left.$try(right)))
            }
        }

        impl<A: Number, D: Dimension> $trait<A> for &MaskedArray<A, D> {
            type Output = MaskedArray<A, D>;
            #[track_caller]
            fn $name(self, right: A) -> Self::Output {
                MaskedArray { data: (&self.data).$name(right), mask: self.mask.clone() }
            }
        }
    )*};
}

operators! {
    Add fn add try_add;
    Sub fn sub try_sub;
    Mul fn mul try_mul;
}

/// Quotients do not count where the divisor is so small that they are infinite or no numbers, as those of `numpy.ma`.
impl<A: Float, D: Dimension, E: Dimension> Div<&MaskedArray<A, E>> for &MaskedArray<A, D>
where
    D: DimMax<E>,
{
    type Output = MaskedArray<A, <D as DimMax<E>>::Output>;
    /// # Panics
    /// When the shapes do not fit.
    #[track_caller]
    fn div(self, right: &MaskedArray<A, E>) -> Self::Output {
        let quotients = expect(self.zip(right, |left, right| left.try_div(right)));
        let least = scaled::<A, D>(&self.data.abs(), smallest());
        let is_small: Array<bool, <D as DimMax<E>>::Output> =
            expect(compare(CompareOp::ge, (&least).into(), (&right.data.abs()).into()));
        MaskedArray {
            mask: expect(binary(BinaryOp::bitor, (&quotients.mask).into(), (&is_small).into())),
            data: quotients.data,
        }
    }
}

/// The numbers times one.
fn scaled<A: Float, D: Dimension>(x: &Array<A::Re, D>, by: A::Re) -> Array<A::Re, D> {
    x * by
}

/// The smallest normal number.
fn smallest<A: Float>() -> A {
    let number =
        if A::DTYPE == crate::element::DType::F32 { f64::from(f32::MIN_POSITIVE) } else { f64::MIN_POSITIVE };
    crate::element::float(number)
}

impl<A: Number, D: Dimension> Neg for &MaskedArray<A, D> {
    type Output = MaskedArray<A, D>;
    #[track_caller]
    fn neg(self) -> Self::Output {
        MaskedArray { data: -&self.data, mask: self.mask.clone() }
    }
}

/// The array whose elements do not count where the condition is true.
///
/// **Shape** that of both.
///
/// # Errors
/// [`Error::Shapes`] when the shapes differ.
#[track_caller]
#[doc(alias = "dask.array.ma.masked_where")]
pub fn masked_where<A: Element, D: Dimension>(
    condition: &Array<bool, D>,
    x: &Array<A, D>,
) -> Result<MaskedArray<A, D>, Error> {
    MaskedArray::named("masked_where", x, condition)
}

/// The mask of a comparison with a value.
#[track_caller]
fn comparison<A: Element, D: Dimension>(x: &Array<A, D>, op: CompareOp, value: A) -> Array<bool, D> {
    expect(compare(op, x.into(), Operand::Value(value.into_scalar())))
}

/// Makes of each row a function that masks by a comparison.
macro_rules! by_comparison {
    ($($(#[$doc:meta])* fn $name:ident $bound:ident = $op:ident;)*) => {$(
        $(#[$doc])*
        ///
        /// **Shape** stays. **Cost** none before it is used.
        ///
        /// # Panics
        /// Never.
        #[must_use]
        #[track_caller]
        pub fn $name<A: $bound, D: Dimension>(x: &Array<A, D>, value: A) -> MaskedArray<A, D> {
            MaskedArray { data: x.clone(), mask: comparison(x, CompareOp::$op, value) }
        }
    )*};
}

by_comparison! {
    /// Elements that are this value do not count.
    fn masked_equal Element = eq_elem;
    /// Elements that are not this value do not count.
    fn masked_not_equal Element = ne_elem;
    /// Elements above this value do not count.
    fn masked_greater Ordered = gt;
    /// Elements from this value on do not count.
    fn masked_greater_equal Ordered = ge;
    /// Elements below this value do not count.
    fn masked_less Ordered = lt;
    /// Elements up to this value do not count.
    fn masked_less_equal Ordered = le;
}

/// Elements between two values, whichever is the larger, and those values themselves do not count.
///
/// **Shape** stays. **Cost** none before it is used.
///
/// # Panics
/// Never.
#[must_use]
#[track_caller]
pub fn masked_inside<A: Ordered, D: Dimension>(x: &Array<A, D>, one: A, other: A) -> MaskedArray<A, D> {
    let (low, high) = if other < one { (other, one) } else { (one, other) };
    let mask = comparison(x, CompareOp::ge, low) & comparison(x, CompareOp::le, high);
    MaskedArray { data: x.clone(), mask: Array::from_core(mask.core().clone()) }
}

/// Elements below the smaller or above the larger of two values do not count.
///
/// **Shape** stays. **Cost** none before it is used.
///
/// # Panics
/// Never.
#[must_use]
#[track_caller]
pub fn masked_outside<A: Ordered, D: Dimension>(x: &Array<A, D>, one: A, other: A) -> MaskedArray<A, D> {
    let (low, high) = if other < one { (other, one) } else { (one, other) };
    let mask = comparison(x, CompareOp::lt, low) | comparison(x, CompareOp::gt, high);
    MaskedArray { data: x.clone(), mask: Array::from_core(mask.core().clone()) }
}

/// Elements that are near a value do not count: no further than `absolute` and `relative` of its size.
///
/// **Shape** stays. **Cost** none before it is used.
///
/// # Panics
/// Never.
#[must_use]
#[track_caller]
pub fn masked_values<A: Float, D: Dimension>(
    x: &Array<A, D>,
    value: A,
    relative: A,
    absolute: A,
) -> MaskedArray<A, D> {
    let mask = x.is_close(&Array::<A, D>::full_like(x, value), relative, absolute);
    MaskedArray { data: x.clone(), mask }
}

/// Elements that are NaN or infinite do not count.
///
/// **Shape** stays. **Cost** none before it is used.
///
/// # Panics
/// Never.
#[must_use]
#[track_caller]
pub fn masked_invalid<A: Inexact, D: Dimension>(x: &Array<A, D>) -> MaskedArray<A, D> {
    MaskedArray { data: x.clone(), mask: !x.is_finite() }
}

/// As [`masked_invalid`], with a value in the place of what is NaN or infinite.
///
/// **Shape** stays. **Cost** none before it is used.
///
/// # Panics
/// Never.
#[must_use]
#[track_caller]
pub fn fix_invalid<A: Inexact, D: Dimension>(x: &Array<A, D>, value: A) -> MaskedArray<A, D> {
    let masked = masked_invalid(x);
    MaskedArray { data: masked.filled(value), mask: masked.mask }
}
