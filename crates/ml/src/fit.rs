//! What estimators and fitted models have in common.

use linfa::ParamGuard;
use musher_array::{Array, Element};
use musher_scheduler::Options;
use ndarray::{Ix1, Ix2};

use crate::error::Error;

/// An estimator that learns from `Data`: `&x` or `(&x, &y)`.
///
/// It is modeled on linfa's trait of the same name: implemented for checked parameters, it is there for unchecked ones
/// as well ([`ParamGuard`]). The work is done here and now, in as many passes over the data as the estimator says; the
/// estimator itself does not change, so a failed or cancelled fit leaves everything as it was.
///
/// # Examples
/// ```
/// use musher_ml::prelude::*;
/// use ndarray::array;
/// let x = Array::from_array(array![[1.0], [2.0], [3.0]], 2);
/// let scaler = StandardScaler::new().fit_with(&x, &Options::sequential())?;
/// assert_eq!(scaler.mean(), [2.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Fit<Data> {
    /// The fitted model.
    type Fitted;

    /// Learns from the data, on all cores.
    ///
    /// # Errors
    /// Those of [`fit_with`](Fit::fit_with).
    #[track_caller]
    fn fit(&self, data: Data) -> Result<Self::Fitted, Error> {
        self.fit_with(data, &Options::default())
    }

    /// Learns from the data on the scheduler of these options.
    ///
    /// # Errors
    /// If parameters or shapes are wrong, a value is not finite, there is too little to learn from, the fit does not
    /// converge, or a pass over the data fails.
    #[track_caller]
    fn fit_with(&self, data: Data, options: &Options) -> Result<Self::Fitted, Error>;
}

impl<Data, P> Fit<Data> for P
where
    P: ParamGuard,
    P::Checked: Fit<Data>,
    Error: From<P::Error>,
{
    type Fitted = <P::Checked as Fit<Data>>::Fitted;

    #[track_caller]
    fn fit_with(&self, data: Data, options: &Options) -> Result<Self::Fitted, Error> {
        self.check_ref()?.fit_with(data, options)
    }
}

/// A fitted model that turns rows into other rows.
pub trait Transform {
    /// Transforms chunk by chunk, lazily. A value that is NaN stays NaN.
    ///
    /// # Errors
    /// [`Error::ColumnMismatch`] if the model was fitted on another number of columns.
    #[track_caller]
    fn transform(&self, x: &Array<f64, Ix2>) -> Result<Array<f64, Ix2>, Error>;
}

/// A fitted model that predicts a value for each row.
pub trait Predict {
    /// The type of a prediction.
    type Target: Element;

    /// Predicts chunk by chunk, lazily.
    ///
    /// # Errors
    /// [`Error::ColumnMismatch`] if the model was fitted on another number of columns.
    #[track_caller]
    fn predict(&self, x: &Array<f64, Ix2>) -> Result<Array<Self::Target, Ix1>, Error>;
}
