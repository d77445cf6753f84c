//! How good predictions are.

use std::panic::Location;

use musher_array::Array;
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
    let caller = Location::caller();
    let rows = truth.shape()[0];
    check_rows(rows, guess.shape()[0], caller)?;
    if rows == 0 {
        return Err(Error::TooFewRows { required: 1, found: 0, caller });
    }
    Ok(truth.eq_elem(guess).cast::<f64>().mean())
}
