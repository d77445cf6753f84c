//! Floats that are nearly equal, and numbers in the place of what is none.

use crate::array::Array;
use crate::element::{Float, Inexact, Real};
use crate::elementwise::{Operand, binary, compare, select};
use crate::error::{Error, expect};
use crate::kernel::ops::{BinaryOp, CompareOp};
use crate::operators::ArrayOrScalar;
use ndarray::{Dimension, Ix0};

impl<A: Float, D: Dimension> Array<A, D> {
    /// Whether `|self - other| <= absolute + relative * |other|`, element by element. Infinities are near themselves, NaN is
    /// near nothing.
    ///
    /// **Shape** stays.
    /// **Cost** one pass; it fuses with what comes before and after.
    ///
    /// # Panics
    /// When the shapes do not fit.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::arr1};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr1(&[1.0, 2.0, f64::INFINITY]), 2);
    /// assert_eq!(x.is_close(&(&x * 1.0001), 1e-5, 1e-8).compute()?, arr1(&[false, false, true]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    #[doc(alias = "isclose")]
    #[doc(alias = "abs_diff_eq")]
    pub fn is_close(&self, other: &Self, relative: A, absolute: A) -> Array<bool, D> {
        expect(self.try_is_close(other, relative, absolute))
    }

    /// As [`is_close`](Self::is_close).
    ///
    /// # Errors
    /// [`Error::Shapes`] when the shapes do not fit.
    #[track_caller]
    pub fn try_is_close(&self, other: &Self, relative: A, absolute: A) -> Result<Array<bool, D>, Error> {
        let apart: Array<A, D> = binary(BinaryOp::sub, self.into(), other.into())?;
        let allowed: Array<A::Re, D> = other.abs();
        let allowed: Array<A, D> = Array::from_core(allowed.core().clone());
        let allowed = allowed * relative + absolute;
        let apart: Array<A, D> = Array::from_core(apart.abs().core().clone());
        let near: Array<bool, D> = compare(CompareOp::le, (&apart).into(), (&allowed).into())?;
        let equal: Array<bool, D> = compare(CompareOp::eq_elem, self.into(), other.into())?;
        // Nothing is near an infinity but itself: the difference is not greater than an infinite allowance.
        let finite: Array<bool, D> = other.is_finite();
        Ok((near & finite) | equal)
    }

    /// Whether all elements are [close](Self::is_close); so of nothing.
    ///
    /// **Cost** one pass.
    ///
    /// # Panics
    /// When the shapes do not fit.
    ///
    /// # Examples
    /// ```
    /// use musher_array::Array;
    /// use musher_scheduler::Compute;
    /// let x = Array::linspace(0.0, 1.0, 1000, 100);
    /// assert!(x.all_close(&x.sqrt().square(), 1e-12, 1e-12).compute()?);
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    #[doc(alias = "allclose")]
    pub fn all_close(&self, other: &Self, relative: A, absolute: A) -> Array<bool, Ix0> {
        expect(self.try_all_close(other, relative, absolute))
    }

    /// As [`all_close`](Self::all_close).
    ///
    /// # Errors
    /// [`Error::Shapes`] when the shapes do not fit.
    #[track_caller]
    pub fn try_all_close(&self, other: &Self, relative: A, absolute: A) -> Result<Array<bool, Ix0>, Error> {
        Ok(self.try_is_close(other, relative, absolute)?.all())
    }

    /// The array with `nan` in the place of NaN, `positive` and `negative` in that of the infinities.
    ///
    /// **Shape** stays.
    /// **Cost** one pass; it fuses with what comes before and after.
    ///
    /// # Panics
    /// Never.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::arr1};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr1(&[1.0, f64::NAN, f64::INFINITY]), 2);
    /// assert_eq!(x.nan_to_num(0.0, f64::MAX, f64::MIN).compute()?, arr1(&[1.0, 0.0, f64::MAX]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn nan_to_num(&self, nan: A, positive: A, negative: A) -> Self {
        let places = [
            (self.is_nan(), nan),
            (self.is_positive_infinity(), positive),
            (self.is_negative_infinity(), negative),
        ];
        let replaced = |array: Self, (place, value): (Array<bool, D>, A)| {
            expect(select((&place).into(), Operand::Value(value.into_scalar()), (&array).into()))
        };
        places.into_iter().fold(self.clone(), replaced)
    }
}

impl<A: Inexact, D: Dimension> Array<A, D> {
    /// Whether each element is a number.
    ///
    /// **Shape** and blocks stay.
    ///
    /// # Panics
    /// Never.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::arr1};
    /// use musher_scheduler::Compute;
    /// assert_eq!(Array::from_array(arr1(&[1.0, f64::NAN]), 2).is_not_nan().compute()?, arr1(&[true, false]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    #[doc(alias = "notnull")]
    pub fn is_not_nan(&self) -> Array<bool, D> {
        !self.is_nan()
    }
}

impl<A: Real, D: Dimension> Array<A, D> {
    /// The quotient of each pair and what it leaves over, which is never negative: [`div_euclid`](Self::div_euclid) and
    /// [`rem_euclid`](Self::rem_euclid). For a positive divisor they are NumPy's.
    ///
    /// **Shape** broadcast of both.
    ///
    /// # Panics
    /// When the shapes do not fit.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::arr1};
    /// use musher_scheduler::Compute;
    /// let (quotient, rest) = Array::from_array(arr1(&[7, -7]), 2).div_rem_euclid(3);
    /// assert_eq!(quotient.compute()?, arr1(&[2, -3]));
    /// assert_eq!(rest.compute()?, arr1(&[1, 2]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    #[doc(alias = "divmod")]
    pub fn div_rem_euclid<R: ArrayOrScalar<A, D> + Clone>(
        &self,
        other: R,
    ) -> (Array<A, R::Dim>, Array<A, R::Dim>) {
        (self.div_euclid(other.clone()), self.rem_euclid(other))
    }
}
