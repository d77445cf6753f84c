//! Statistics that are made of other reductions: ranges, central moments, covariances, running totals past NaN.

use crate::array::Array;
use crate::element::{Float, Real, float};
use crate::elementwise::{Operand, select};
use crate::error::{Error, expect};
use crate::linalg::{Faer, LinalgBackend, LinalgElement};
use crate::reductions::{All, Over};
use ndarray::{Axis, Dimension, Ix0, Ix2};

impl<A: Real, D: Dimension, L: Dimension> Over<'_, A, D, L> {
    /// The largest element less the smallest: how far they lie apart. NaN if there is one; integers report overflow.
    ///
    /// **Cost** one pass for both.
    ///
    /// # Panics
    /// When there is nothing to reduce, or a [mask](Self::where_true) does not fit.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::{Axis, arr1, arr2}};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr2(&[[1, 7], [3, 5]]), 1);
    /// assert_eq!(x.over(Axis(1)).ptp().compute()?, arr1(&[6, 2]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    #[doc(alias = "range")]
    pub fn ptp(self) -> Array<A, L> {
        expect(self.try_ptp())
    }

    /// As [`ptp`](Self::ptp).
    ///
    /// # Errors
    /// [`Error::EmptyReduction`] when there is nothing to reduce, [`Error::Shapes`] when a mask does not fit.
    #[track_caller]
    pub fn try_ptp(self) -> Result<Array<A, L>, Error> {
        let smallest = self.clone().try_min()?;
        self.try_max()?.try_sub(&smallest)
    }
}

impl<A: Float, D: Dimension, L: Dimension> Over<'_, A, D, L> {
    /// The mean of the deviations from the mean to a power: 2 is the variance of a population, 3 and 4 tell how lopsided and
    /// how pointed a distribution is.
    ///
    /// **Cost** two passes.
    ///
    /// # Panics
    /// When a [mask](Self::where_true) does not fit.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{All, Array};
    /// use musher_scheduler::Compute;
    /// let x = Array::arange(0.0_f64, 5.0, 1.0, 2);
    /// assert_eq!(x.over(All).moment(2).compute()?, 2.0);
    /// assert_eq!(x.over(All).moment(3).compute()?, 0.0);
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    ///
    /// Source: `scipy.stats.moment`.
    #[must_use]
    #[track_caller]
    pub fn moment(self, order: u16) -> Array<A::Mean, L> {
        expect(self.try_moment(order))
    }

    /// As [`moment`](Self::moment).
    ///
    /// # Errors
    /// [`Error::Shapes`] when a mask does not fit.
    #[track_caller]
    pub fn try_moment(self, order: u16) -> Result<Array<A::Mean, L>, Error> {
        let mean = self.clone().keep_axes().try_mean()?;
        // A float's mean is a float of its own type.
        let mean: Array<A, D> = Array::from_core(mean.core().clone());
        let deviations = self.array().try_sub(&mean)?.powi(i32::from(order));
        self.of_another(&deviations).try_mean()
    }
}

impl<A: Real, D: Dimension> Array<A, D> {
    /// The largest element less the smallest, over all axes; over some it is [`x.over(axes).ptp()`](Over::ptp).
    ///
    /// # Panics
    /// When the array is empty.
    #[must_use]
    #[track_caller]
    pub fn ptp(&self) -> Array<A, Ix0> {
        expect(self.try_ptp())
    }

    /// As [`ptp`](Self::ptp).
    ///
    /// # Errors
    /// [`Error::EmptyReduction`] when the array is empty.
    #[track_caller]
    pub fn try_ptp(&self) -> Result<Array<A, Ix0>, Error> {
        self.over(All).try_ptp()
    }
}

impl<A: Float, D: Dimension> Array<A, D> {
    /// The mean of the deviations from the mean to a power, over all axes; over some it is
    /// [`x.over(axes).moment(order)`](Over::moment).
    ///
    /// # Panics
    /// Never.
    #[must_use]
    #[track_caller]
    pub fn moment(&self, order: u16) -> Array<A::Mean, Ix0> {
        self.over(All).moment(order)
    }

    /// One value in the place of NaN.
    #[track_caller]
    fn without_nan(&self, value: A) -> Self {
        expect(select((&self.is_nan()).into(), Operand::Value(value.into_scalar()), self.into()))
    }

    /// The running sum along an axis, NaN as zero.
    ///
    /// **Shape**, blocks and cost as [`cumsum`](Self::cumsum).
    ///
    /// # Panics
    /// When there is no such axis.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::{Axis, arr1}};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr1(&[1.0, f64::NAN, 2.0]), 2);
    /// assert_eq!(x.nancumsum(Axis(0)).compute()?, arr1(&[1.0, 1.0, 3.0]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn nancumsum(&self, axis: Axis) -> Array<A::Sum, D> {
        expect(self.try_nancumsum(axis))
    }

    /// As [`nancumsum`](Self::nancumsum).
    ///
    /// # Errors
    /// [`Error::Axis`] when there is no such axis.
    #[track_caller]
    pub fn try_nancumsum(&self, axis: Axis) -> Result<Array<A::Sum, D>, Error> {
        self.without_nan(A::default()).try_cumsum(axis)
    }

    /// The running product along an axis, NaN as one.
    ///
    /// **Shape**, blocks and cost as [`cumprod`](Self::cumprod).
    ///
    /// # Panics
    /// When there is no such axis.
    #[must_use]
    #[track_caller]
    pub fn nancumprod(&self, axis: Axis) -> Array<A::Sum, D> {
        expect(self.try_nancumprod(axis))
    }

    /// As [`nancumprod`](Self::nancumprod).
    ///
    /// # Errors
    /// [`Error::Axis`] when there is no such axis.
    #[track_caller]
    pub fn try_nancumprod(&self, axis: Axis) -> Result<Array<A::Sum, D>, Error> {
        self.without_nan(A::ONE).try_cumprod(axis)
    }
}

impl<A: Float + LinalgElement> Array<A, Ix2>
where
    Faer: LinalgBackend<A>,
{
    /// The covariances of the variables, which stand in rows; their observations in columns.
    ///
    /// `ddof` degrees of freedom are taken off the number of observations that divides: 1 for a sample.
    ///
    /// **Shape** `(variables, observations) → (variables, variables)`.
    /// **Cost** two passes, and the product of the deviations with themselves.
    ///
    /// # Panics
    /// When `ddof` is negative or not finite.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::arr2};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr2(&[[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]]), 2);
    /// assert_eq!(x.cov(1.0).compute()?, arr2(&[[1.0, -1.0], [-1.0, 1.0]]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    ///
    /// Source: `numpy.cov`.
    #[must_use]
    #[track_caller]
    #[doc(alias = "covariance")]
    pub fn cov(&self, ddof: f64) -> Self {
        expect(self.try_cov(ddof))
    }

    /// As [`cov`](Self::cov).
    ///
    /// # Errors
    /// [`Error::DegreesOfFreedom`] when `ddof` is negative or not finite.
    #[track_caller]
    pub fn try_cov(&self, ddof: f64) -> Result<Self, Error> {
        if !(ddof >= 0.0 && ddof.is_finite()) {
            let caller = musher_graph_core::Site::caller();
            return Err(Error::DegreesOfFreedom { operation: "cov", ddof, caller });
        }
        let mean = self.over(Axis(1)).keep_axes().mean();
        let mean: Self = Self::from_core(mean.core().clone());
        let deviations = self - mean;
        let product: Self = deviations.try_matmul(&deviations.t())?;
        // As NumPy: of too few observations nothing is known, not even a sign.
        let n = (self.len_of(Axis(1)) as f64 - ddof).max(0.0);
        Ok(product / float::<A>(n))
    }

    /// The correlations of the variables, which stand in rows; their observations in columns. NaN where a variable does not
    /// vary.
    ///
    /// **Shape** `(variables, observations) → (variables, variables)`.
    /// **Cost** that of [`cov`](Self::cov).
    ///
    /// # Panics
    /// Never.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::arr2};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr2(&[[0.0_f64, 1.0, 2.0], [4.0, 2.0, 0.0]]), 2);
    /// let found = x.corrcoef().compute()?;
    /// assert!((found[[0, 1]] + 1.0).abs() < 1e-15);
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    ///
    /// Source: `numpy.corrcoef`.
    #[must_use]
    #[track_caller]
    #[doc(alias = "pearson")]
    pub fn corrcoef(&self) -> Self {
        let covariances = self.cov(1.0);
        let deviation = covariances.diagonal(0, Axis(0), Axis(1)).sqrt();
        let by_rows = covariances / deviation.insert_axis(Axis(1));
        (by_rows / deviation).clip(float(-1.0), float(1.0))
    }
}
