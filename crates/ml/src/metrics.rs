//! How good predictions are.

use musher_array::Array;
use musher_graph_core::Site;
use ndarray::{Ix0, Ix1};

use crate::blocks::check_rows;
use crate::error::Error;
use crate::label::Label;

/// The share of predictions that are right: `Σ [ŷᵢ = yᵢ] / n`.
///
/// **Shape** `(n,), (n,) → ()`. **Cost** one pass, fused with what makes the predictions where it can be.
///
/// # Errors
/// [`Error::RowMismatch`] if the arrays have different lengths, [`Error::TooFewRows`] if they are empty.
///
/// # Examples
/// ```
/// use musher_ml::prelude::*;
/// use ndarray::array;
/// let truth = Array::from_array(array![0i64, 1, 1, 0], 2);
/// let guess = Array::from_array(array![0i64, 1, 0, 0], 3);
/// assert_eq!(accuracy_score(&truth, &guess)?.compute()?, 0.75);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias = "sklearn.metrics.accuracy_score")]
#[doc(alias = "dask_ml.metrics.accuracy_score")]
#[track_caller]
pub fn accuracy_score<L: Label>(
    truth: &Array<L, Ix1>,
    guess: &Array<L, Ix1>,
) -> Result<Array<f64, Ix0>, Error> {
    let caller = Site::caller();
    let rows = truth.shape()[0];
    check_rows(rows, guess.shape()[0], caller)?;
    if rows == 0 {
        return Err(Error::TooFewRows { required: 1, found: 0, caller });
    }
    Ok(truth.eq_elem(guess).cast::<f64>().mean())
}

/// The coefficient of determination `R² = 1 − Σ (yᵢ − ŷᵢ)² / Σ (yᵢ − ȳ)²`: the share of the variance of `truth` that `guess`
/// tells.
///
/// Right predictions have 1, the mean of all has 0, and worse ones are below 0. Where all of `truth` is the same, it is 1 if
/// every prediction is right and else 0.
///
/// **Shape** `(n,), (n,) → ()`. **Cost** one pass, fused with what makes the predictions where it can be.
///
/// # Errors
/// [`Error::RowMismatch`] if the arrays have different lengths, [`Error::TooFewRows`] for fewer than two rows.
///
/// # Examples
/// ```
/// use musher_ml::prelude::*;
/// use ndarray::array;
/// let truth = Array::from_array(array![1.0, 2.0, 3.0, 6.0], 2);
/// let guess = Array::from_array(array![1.0, 2.0, 3.0, 5.0], 3);
/// let r2 = r2_score(&truth, &guess)?.compute()?;
/// assert!((r2 - (1.0 - 1.0 / 14.0)).abs() < 1e-15);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Source** the answers of scikit-learn's `r2_score`.
#[doc(alias = "sklearn.metrics.r2_score")]
#[doc(alias = "dask_ml.metrics.r2_score")]
#[track_caller]
pub fn r2_score(truth: &Array<f64, Ix1>, guess: &Array<f64, Ix1>) -> Result<Array<f64, Ix0>, Error> {
    let caller = Site::caller();
    let rows = truth.shape()[0];
    check_rows(rows, guess.shape()[0], caller)?;
    if rows < 2 {
        return Err(Error::TooFewRows { required: 2, found: rows, caller });
    }
    let error = (truth - guess).powi(2).mean();
    Ok(error.zip_map(&truth.var(0.0), |error: f64, variance: f64| match (error, variance) {
        (0.0, 0.0) => 1.0,
        (error, 0.0) if !error.is_nan() => 0.0,
        _ => 1.0 - error / variance,
    }))
}
