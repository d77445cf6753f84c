//! Scaling of columns to mean 0 and standard deviation 1.

use musher_array::Array;
use musher_graph_core::{Facts, Site};
use musher_scheduler::Options;
use ndarray::{Array1, Ix1, Ix2};

use crate::blocks::{check_columns, check_data, values};
use crate::error::Error;
use crate::exact::Exact;
use crate::fit::{Fit, Transform};
use crate::kernel::first_cell;
use crate::kernel::moments::ColumnMoments;
use crate::parameters::StandardScaler;
use crate::rows::{Work, pass_by_columns};
use crate::saved::saved;

impl Fit<&Array<f64, Ix2>> for StandardScaler {
    type Fitted = FittedStandardScaler;

    #[track_caller]
    fn fit_with(&self, x: &Array<f64, Ix2>, options: &Options) -> Result<FittedStandardScaler, Error> {
        check_data(x, 1, Site::caller())?;
        let widest = x.chunks().axis(1).iter().copied().max().unwrap_or(0);
        let work = Work {
            label: "moments",
            name: "ml.moments/2",
            parameters: (),
            facts: move |rows| Facts::default().cost((2 * rows * widest) as u64),
        };
        let pieces = pass_by_columns(x, work, options, |block, origin| Ok(ColumnMoments::of(block, origin)))?;
        if let Some(cell) = pieces.iter().map(|piece| piece.non_finite).fold(None, first_cell) {
            return Err(cell.into());
        }
        let wide =
            |piece: &ColumnMoments| piece.columns.iter().position(|column| !column.squares.is_finite());
        let mut first_column = 0;
        for piece in &pieces {
            if let Some(column) = wide(piece) {
                return Err(Error::VarianceOverflow { column: first_column + column });
            }
            first_column += piece.columns.len();
        }
        let columns =
            || pieces.iter().flat_map(|piece| (0..piece.columns.len()).map(move |column| (piece, column)));
        let scale =
            |(piece, column): (&ColumnMoments, usize)| match self.with_scale && !piece.is_constant(column) {
                true => piece.columns[column].variance(0.0).sqrt(),
                false => 1.0,
            };
        Ok(FittedStandardScaler {
            mean: columns().map(|(piece, column)| piece.columns[column].average()).collect(),
            variance: columns().map(|(piece, column)| piece.columns[column].variance(0.0)).collect(),
            scale: columns().map(scale).collect(),
            with_mean: self.with_mean,
            n_rows: pieces[0].rows,
        })
    }
}

/// A fitted [`StandardScaler`]: the means and standard deviations of the columns.
///
/// It can be saved and read back with serde.
#[derive(Clone, Debug, PartialEq)]
pub struct FittedStandardScaler {
    mean: Array1<f64>,
    variance: Array1<f64>,
    scale: Array1<f64>,
    with_mean: bool,
    n_rows: u64,
}

impl FittedStandardScaler {
    /// Mean of each column.
    #[doc(alias = "mean_")]
    pub fn mean(&self) -> &[f64] {
        values(&self.mean)
    }

    /// Variance of each column (divided by the number of rows).
    #[doc(alias = "var_")]
    pub fn variance(&self) -> &[f64] {
        values(&self.variance)
    }

    /// What each column is divided by: its standard deviation, or 1 where it is constant or not to be scaled.
    #[doc(alias = "scale_")]
    pub fn scale(&self) -> &[f64] {
        values(&self.scale)
    }

    /// Number of rows that it was fitted on.
    #[doc(alias = "n_samples_seen_")]
    pub fn n_rows(&self) -> u64 {
        self.n_rows
    }

    /// Undoes [`transform`](Transform::transform).
    ///
    /// **Shape** `(n, m) → (n, m)`, the same chunks. **Cost** one pass, fused with its neighbors.
    ///
    /// # Errors
    /// [`Error::ColumnMismatch`] if the scaler was fitted on another number of columns.
    ///
    /// # Examples
    /// ```
    /// use musher_ml::prelude::*;
    /// use ndarray::array;
    /// let x = Array::from_array(array![[1.0], [3.0]], 1);
    /// let scaler = StandardScaler::new().fit(&x)?;
    /// let scaled = scaler.transform(&x)?;
    /// assert_eq!(scaler.inverse_transform(&scaled)?.compute()?, array![[1.0], [3.0]]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn inverse_transform(&self, x: &Array<f64, Ix2>) -> Result<Array<f64, Ix2>, Error> {
        check_columns(self.mean.len(), x, Site::caller())?;
        let scaled = x * per_column(&self.scale, x);
        Ok(match self.with_mean {
            true => scaled + per_column(&self.mean, x),
            false => scaled,
        })
    }

    /// Whether what was read back belongs together.
    fn check(&self) -> Result<(), &'static str> {
        if self.mean.is_empty() || [self.variance.len(), self.scale.len()] != [self.mean.len(); 2] {
            return Err("its lists are not of one length");
        }
        if self.scale.iter().any(|scale| !scale.is_finite() || *scale <= 0.0) {
            return Err("a scale is not positive and finite");
        }
        if self.mean.iter().chain(&self.variance).any(|value| !value.is_finite()) {
            return Err("a mean or variance is not finite");
        }
        Ok(())
    }
}

impl Transform for FittedStandardScaler {
    #[track_caller]
    fn transform(&self, x: &Array<f64, Ix2>) -> Result<Array<f64, Ix2>, Error> {
        check_columns(self.mean.len(), x, Site::caller())?;
        let scale = per_column(&self.scale, x);
        Ok(match self.with_mean {
            true => (x - per_column(&self.mean, x)) / scale,
            false => x / scale,
        })
    }
}

/// One number per column, in the column blocks of `x`.
#[track_caller]
fn per_column(numbers: &Array1<f64>, x: &Array<f64, Ix2>) -> Array<f64, Ix1> {
    Array::from_array(numbers.view(), vec![x.chunks().axis(1).to_vec()])
}

saved! {
    "StandardScaler" version 1: [] FittedStandardScaler as SavedScaler
    {}
    {
        mean: Vec<Exact>,
        variance: Vec<Exact>,
        scale: Vec<Exact>,
        with_mean: bool,
        n_rows: u64,
    }
}
