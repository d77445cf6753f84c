//! What the user typed, and the same once it is known to be valid.
//!
//! The idea is linfa's, and so is the trait: an estimator as built holds any values; only its checked form can be
//! fitted. Both are the same data, so checking costs nothing.

use linfa::ParamGuard;
use musher_graph_core::Site;

use crate::error::Error;

/// A scaler of each column to mean 0 and standard deviation 1, before it is fitted.
///
/// Fit it ([`Fit`](crate::Fit)) to get a [`FittedStandardScaler`](crate::FittedStandardScaler).
///
/// **Cost** one pass over the data.
///
/// # Examples
/// ```
/// use musher_ml::prelude::*;
/// use ndarray::array;
/// let x = Array::from_array(array![[1.0, 10.0], [3.0, 10.0]], 1);
/// let scaler = StandardScaler::new().fit(&x)?;
/// assert_eq!(scaler.mean(), [2.0, 10.0]);
/// assert_eq!(scaler.scale(), [1.0, 1.0], "a constant column is left as it is");
/// assert_eq!(scaler.transform(&x)?.compute()?, array![[-1.0, 0.0], [1.0, 0.0]]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Source** the answers of scikit-learn's `StandardScaler`; the variance divides by the number of rows.
#[doc(alias = "sklearn.preprocessing.StandardScaler")]
#[doc(alias = "dask_ml.preprocessing.StandardScaler")]
#[derive(Clone, Debug, PartialEq)]
pub struct StandardScaler {
    pub(crate) with_mean: bool,
    pub(crate) with_scale: bool,
}

impl StandardScaler {
    /// Moves the mean to 0 and scales the standard deviation to 1.
    #[must_use]
    pub fn new() -> Self {
        StandardScaler { with_mean: true, with_scale: true }
    }

    /// Leaves the mean where it is.
    #[doc(alias = "with_mean")]
    #[must_use]
    pub fn without_mean(self) -> Self {
        StandardScaler { with_mean: false, ..self }
    }

    /// Leaves the scale as it is.
    #[doc(alias = "with_std")]
    #[must_use]
    pub fn without_scale(self) -> Self {
        StandardScaler { with_scale: false, ..self }
    }
}

impl Default for StandardScaler {
    fn default() -> Self {
        StandardScaler::new()
    }
}

/// Linear regression by least squares, before it is fitted; with [`alpha`](Self::alpha), ridge regression.
///
/// It minimizes `Σ (y − x · w − b)² + α |w|²`; the intercept `b` is not penalized. Fit it ([`Fit`](crate::Fit)) to get a
/// [`FittedLinearRegression`](crate::FittedLinearRegression).
///
/// **Cost** one pass over the data. The state is half the square of the number of columns, per chunk in flight, and a fit
/// multiplies rows × columns² / 2 numbers; a system of as many equations as columns is solved at the end.
///
/// The columns are reduced to the products of their deviations from the mean, so their mean costs no digits, but columns
/// that nearly say the same cost twice as many as in a factorization of the data: what agrees to about seven digits is taken
/// for the same. Where columns say the same, the answer is the shortest of the many, and
/// [`rank`](crate::FittedLinearRegression::rank) tells.
///
/// # Examples
/// ```
/// use musher_ml::prelude::*;
/// use ndarray::array;
/// let x = Array::from_array(array![[0.0, 1.0], [1.0, 0.0], [2.0, 2.0], [3.0, 1.0]], 2);
/// let y = Array::from_array(array![3.0, 3.0, 9.0, 9.0], 3);
/// let model = LinearRegression::new().fit((&x, &y))?;
/// assert!((model.coefficients()[0] - 2.0).abs() < 1e-12 && (model.coefficients()[1] - 2.0).abs() < 1e-12);
/// assert!((model.intercept() - 1.0).abs() < 1e-12);
/// assert!((model.predict(&x)?.compute()?[3] - 9.0).abs() < 1e-12);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Source** the answers of scikit-learn's `LinearRegression` and `Ridge`; normal equations of centered sums, by Cholesky.
#[doc(alias = "sklearn.linear_model.LinearRegression")]
#[doc(alias = "sklearn.linear_model.Ridge")]
#[doc(alias = "dask_ml.linear_model.LinearRegression")]
#[doc(alias = "OLS")]
#[derive(Clone, Debug, PartialEq)]
pub struct LinearRegression(ValidLinearRegression);

/// A [`LinearRegression`] whose parameters are valid.
#[derive(Clone, Debug, PartialEq)]
pub struct ValidLinearRegression {
    pub(crate) intercept: bool,
    pub(crate) alpha: f64,
}

impl LinearRegression {
    /// Least squares with an intercept, without a penalty.
    #[must_use]
    pub fn new() -> Self {
        LinearRegression(ValidLinearRegression { intercept: true, alpha: 0.0 })
    }

    /// Fits no intercept: a row of zeros is predicted to be zero.
    #[doc(alias = "fit_intercept")]
    #[must_use]
    pub fn without_intercept(mut self) -> Self {
        self.0.intercept = false;
        self
    }

    /// Penalizes large coefficients: `alpha` weighs the sum of their squares against that of the errors (ridge regression).
    #[doc(alias = "Ridge")]
    #[must_use]
    pub fn alpha(mut self, alpha: f64) -> Self {
        self.0.alpha = alpha;
        self
    }
}

impl Default for LinearRegression {
    fn default() -> Self {
        LinearRegression::new()
    }
}

impl ParamGuard for LinearRegression {
    type Checked = ValidLinearRegression;
    type Error = Error;

    #[track_caller]
    fn check_ref(&self) -> Result<&Self::Checked, Error> {
        let (caller, found) = (Site::caller(), self.0.alpha);
        match found >= 0.0 && found.is_finite() {
            true => Ok(&self.0),
            false => Err(Error::InvalidParameter {
                name: "alpha",
                expected: "at least 0 and finite",
                found,
                caller,
            }),
        }
    }

    #[track_caller]
    fn check(self) -> Result<Self::Checked, Error> {
        self.check_ref()?;
        Ok(self.0)
    }
}

/// The penalty on large coefficients.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Penalty {
    /// No penalty.
    None,
    /// Half the sum of squared coefficients; the summed loss is weighted by `c`, so a smaller `c` is a stronger penalty.
    L2 {
        /// scikit-learn's `C`: positive and finite.
        c: f64,
    },
}

/// Logistic regression of two or more classes, before it is fitted.
///
/// It minimizes `Σ loss + |w|² / (2 c)` by Newton's method, where the loss is that of the sigmoid for two classes and
/// of the soft-max for more; the intercepts are not penalized. Fit it ([`Fit`](crate::Fit)) to get a
/// [`FittedLogisticRegression`](crate::FittedLogisticRegression).
///
/// **Cost** one pass over the targets, then one pass over the data for each step, usually five to eight. The state is
/// the square of the number of coefficients (classes times columns, for more than two classes), per chunk in flight.
/// Each pass makes the data again: call `persist()` on `x` and `y` first where that is expensive and they fit into memory.
///
/// Without a penalty, classes that a plane separates have no best coefficients: the larger they are, the better. The fit
/// then ends somewhere on the way, and the model says so:
/// [`is_separated`](crate::FittedLogisticRegression::is_separated).
///
/// # Examples
/// ```
/// use musher_ml::prelude::*;
/// use ndarray::array;
/// let x = Array::from_array(array![[0.0], [1.0], [2.0], [3.0]], 2);
/// let y = Array::from_array(array![false, false, true, true], 2);
/// let model = LogisticRegression::new().c(10.0).fit((&x, &y))?;
/// assert_eq!(model.predict(&x)?.compute()?, array![false, false, true, true]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Source** the objective of scikit-learn's `LogisticRegression`; iteratively reweighted least squares.
#[doc(alias = "sklearn.linear_model.LogisticRegression")]
#[doc(alias = "dask_ml.linear_model.LogisticRegression")]
#[derive(Clone, Debug, PartialEq)]
pub struct LogisticRegression(ValidLogisticRegression);

/// A [`LogisticRegression`] whose parameters are valid.
#[derive(Clone, Debug, PartialEq)]
pub struct ValidLogisticRegression {
    pub(crate) penalty: Penalty,
    pub(crate) intercept: bool,
    pub(crate) max_iterations: usize,
    pub(crate) tolerance: f64,
}

impl LogisticRegression {
    /// L2 penalty with `c` 1, an intercept, at most 100 steps, tolerance 1e-8.
    #[must_use]
    pub fn new() -> Self {
        LogisticRegression(ValidLogisticRegression {
            penalty: Penalty::L2 { c: 1.0 },
            intercept: true,
            max_iterations: 100,
            tolerance: 1e-8,
        })
    }

    /// Weighs the summed loss by `c` against half the sum of squared coefficients (scikit-learn's `C`).
    #[doc(alias = "C")]
    #[must_use]
    pub fn c(self, c: f64) -> Self {
        self.penalty(Penalty::L2 { c })
    }

    /// Sets the penalty on large coefficients.
    #[must_use]
    pub fn penalty(mut self, penalty: Penalty) -> Self {
        self.0.penalty = penalty;
        self
    }

    /// Fits no intercept: a row of zeros is as likely to be of any class.
    #[doc(alias = "fit_intercept")]
    #[must_use]
    pub fn without_intercept(mut self) -> Self {
        self.0.intercept = false;
        self
    }

    /// Largest number of Newton steps; a fit that needs more is an error.
    #[doc(alias = "max_iter")]
    #[must_use]
    pub fn max_iterations(mut self, max_iterations: usize) -> Self {
        self.0.max_iterations = max_iterations;
        self
    }

    /// The fit has converged when no derivative of the objective, divided by the number of rows, is larger.
    #[doc(alias = "tol")]
    #[must_use]
    pub fn tolerance(mut self, tolerance: f64) -> Self {
        self.0.tolerance = tolerance;
        self
    }
}

impl Default for LogisticRegression {
    fn default() -> Self {
        LogisticRegression::new()
    }
}

impl ParamGuard for LogisticRegression {
    type Checked = ValidLogisticRegression;
    type Error = Error;

    #[track_caller]
    fn check_ref(&self) -> Result<&Self::Checked, Error> {
        let (caller, valid) = (Site::caller(), &self.0);
        let refuse = |name, expected, found| Err(Error::InvalidParameter { name, expected, found, caller });
        if let Penalty::L2 { c } = valid.penalty
            && !(c > 0.0 && c.is_finite())
        {
            return refuse("c", "positive and finite", c);
        }
        if !(valid.tolerance > 0.0 && valid.tolerance.is_finite()) {
            return refuse("tolerance", "positive and finite", valid.tolerance);
        }
        if valid.max_iterations == 0 {
            return refuse("max_iterations", "at least 1", 0.0);
        }
        Ok(valid)
    }

    #[track_caller]
    fn check(self) -> Result<Self::Checked, Error> {
        self.check_ref()?;
        Ok(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check<P: ParamGuard<Error = Error>>(parameters: P, expected: Option<&str>) {
        let found = match parameters.check_ref() {
            Ok(_) => None,
            Err(Error::InvalidParameter { name, .. }) => Some(name),
            Err(other) => panic!("{other}"),
        };
        assert_eq!(found, expected);
        assert_eq!(parameters.check().is_ok(), expected.is_none());
    }

    #[test]
    fn parameters_out_of_range_are_named() {
        check(LogisticRegression::new(), None);
        check(LogisticRegression::new().penalty(Penalty::None), None);
        for c in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            check(LogisticRegression::new().c(c), Some("c"));
        }
        for alpha in [-1.0, f64::NAN, f64::INFINITY] {
            check(LinearRegression::new().alpha(alpha), Some("alpha"));
        }
        check(LinearRegression::new().without_intercept().alpha(0.5), None);
        check(LogisticRegression::new().tolerance(0.0), Some("tolerance"));
        check(LogisticRegression::new().max_iterations(0), Some("max_iterations"));
    }
}
