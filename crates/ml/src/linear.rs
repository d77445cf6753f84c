//! Linear regression: the fit by one pass over the data, and the fitted model.

use musher_array::Array;
use musher_graph_core::{Facts, Moments, Site};
use musher_scheduler::Options;
use ndarray::{Array1, Ix0, Ix1, Ix2};

use crate::blocks::{check_columns, rows_with_targets, values};
use crate::error::Error;
use crate::exact::Exact;
use crate::fit::{Fit, Predict};
use crate::kernel::comoments::Comoments;
use crate::kernel::logistic::scores;
use crate::kernel::solve::solve_shortest;
use crate::metrics::r2_score;
use crate::parameters::ValidLinearRegression;
use crate::rows::{Work, map, pass};
use crate::saved::saved;

impl Fit<(&Array<f64, Ix2>, &Array<f64, Ix1>)> for ValidLinearRegression {
    type Fitted = FittedLinearRegression;

    #[track_caller]
    fn fit_with(
        &self,
        data: (&Array<f64, Ix2>, &Array<f64, Ix1>),
        options: &Options,
    ) -> Result<FittedLinearRegression, Error> {
        let (x, y) = rows_with_targets(data, 1, Site::caller())?;
        let width = x.shape()[1] + 1;
        let output = 8 * width * (width + 7) / 2;
        let work = Work {
            label: "comoments",
            name: "ml.comoments/1",
            parameters: (),
            facts: move |rows| {
                // A tile of rows, and its products as a square.
                let scratch = 8 * (128 + width + 8) * (width + 8);
                Facts::bytes(output as u64)
                    .scratch(scratch as u64)
                    .cost((rows * width * (width + 16) / 8) as u64)
            },
        };
        let sums =
            pass((&x, &y), work, options, |(x, y), (first_row, _)| Ok(Comoments::of(x, y, first_row)))?;
        let (coefficients, rank) = self.solve(&sums)?;
        let means: Vec<f64> = sums.moments.columns.iter().map(Moments::average).collect();
        let intercept = match self.intercept {
            true => means[width - 1] - coefficients.iter().zip(&means).map(|(w, mean)| w * mean).sum::<f64>(),
            false => 0.0,
        };
        Ok(FittedLinearRegression { coefficients: coefficients.into(), intercept, rank })
    }
}

impl ValidLinearRegression {
    /// The coefficients, and the rank of the columns.
    fn solve(&self, sums: &Comoments) -> Result<(Vec<f64>, usize), Error> {
        let columns = sums.columns();
        match sums.moments.non_finite {
            Some(cell) if cell.column == columns => {
                return Err(Error::NonFiniteTarget { row: cell.row, value: cell.value });
            }
            Some(cell) => return Err(cell.into()),
            None => {}
        }
        match sums.moments.columns.iter().position(|column| !column.squares.is_finite()) {
            Some(column) if column == columns => return Err(Error::TargetOverflow),
            Some(column) => return Err(Error::VarianceOverflow { column }),
            None => {}
        }
        let (mut matrix, right) = sums.normal_equations(self.intercept);
        if let Some(column) = matrix.iter().step_by(columns + 1).position(|square| !square.is_finite()) {
            return Err(Error::VarianceOverflow { column });
        }
        matrix.iter_mut().step_by(columns + 1).for_each(|square| *square += self.alpha);
        solve_shortest(&matrix, &right).ok_or(Error::TargetOverflow)
    }
}

/// A fitted [`LinearRegression`](crate::LinearRegression).
///
/// It can be saved and read back with serde.
#[derive(Clone, Debug, PartialEq)]
pub struct FittedLinearRegression {
    coefficients: Array1<f64>,
    intercept: f64,
    rank: usize,
}

impl FittedLinearRegression {
    /// How much a prediction grows with each column.
    #[doc(alias = "coef_")]
    #[doc(alias = "params")]
    pub fn coefficients(&self) -> &[f64] {
        values(&self.coefficients)
    }

    /// The prediction for a row of zeros; 0 if none was fitted.
    #[doc(alias = "intercept_")]
    pub fn intercept(&self) -> f64 {
        self.intercept
    }

    /// How many columns say something that the others do not. Below their number, other coefficients would predict the rows of the
    /// fit as well, and these are the shortest of them. With a penalty all columns count, unless it
    /// is lost beside their squares.
    ///
    /// # Examples
    /// ```
    /// use musher_ml::prelude::*;
    /// use ndarray::array;
    /// let x = Array::from_array(array![[0.0, 0.0], [1.0, 2.0], [2.0, 4.0]], 2);
    /// let y = Array::from_array(array![0.0, 5.0, 10.0], 2);
    /// let model = LinearRegression::new().fit((&x, &y))?;
    /// assert_eq!(model.rank(), 1);
    /// assert!((model.coefficients()[0] - 1.0).abs() < 1e-12 && (model.coefficients()[1] - 2.0).abs() < 1e-12);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[doc(alias = "rank_")]
    pub fn rank(&self) -> usize {
        self.rank
    }

    /// The coefficient of determination of the predictions: see [`r2_score`].
    ///
    /// **Shape** `(n, m), (n,) → ()`. **Cost** one pass.
    ///
    /// # Errors
    /// [`Error::ColumnMismatch`], [`Error::RowMismatch`] or [`Error::TooFewRows`] here, [`Error::NonFinite`] when
    /// computed.
    ///
    /// # Examples
    /// ```
    /// use musher_ml::prelude::*;
    /// use ndarray::array;
    /// let x = Array::from_array(array![[0.0], [1.0], [2.0]], 2);
    /// let y = Array::from_array(array![1.0, 3.0, 5.0], 2);
    /// let model = LinearRegression::new().fit((&x, &y))?;
    /// assert!(model.score(&x, &y)?.compute()? > 1.0 - 1e-12);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn score(&self, x: &Array<f64, Ix2>, y: &Array<f64, Ix1>) -> Result<Array<f64, Ix0>, Error> {
        r2_score(y, &self.predict(x)?)
    }

    /// Whether what was read back belongs together.
    fn check(&self) -> Result<(), &'static str> {
        if self.coefficients.is_empty() || self.rank > self.coefficients.len() {
            return Err("its coefficients do not match its rank");
        }
        if !self.coefficients.iter().chain([&self.intercept]).all(|value| value.is_finite()) {
            return Err("a coefficient is not finite");
        }
        Ok(())
    }
}

impl Predict for FittedLinearRegression {
    type Target = f64;

    #[track_caller]
    fn predict(&self, x: &Array<f64, Ix2>) -> Result<Array<f64, Ix1>, Error> {
        let columns = self.coefficients.len();
        check_columns(columns, x, Site::caller())?;
        let packed: Vec<f64> = self.coefficients.iter().copied().chain([self.intercept]).collect();
        let work = Work {
            label: "predict",
            name: "ml.linear.predict/1",
            parameters: packed.clone(),
            facts: move |rows| {
                let tile = 128 * 8 * (columns + 8);
                Facts::default().scratch(tile as u64).cost((2 * rows * columns) as u64)
            },
        };
        Ok(map(x, Ix0(), work, move |block, first_row| {
            Ok(scores(block, &packed, 2, true, first_row).map_err(Error::from)?.into())
        }))
    }
}

saved! {
    "LinearRegression" version 1: [] FittedLinearRegression as SavedLinear
    {}
    {
        coefficients: Vec<Exact>,
        intercept: Exact,
        rank: usize,
    }
}
