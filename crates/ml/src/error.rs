//! Everything that can go wrong with a fit, a prediction or a split.

use std::fmt;

use musher_graph_core::{Site, report};

use crate::kernel::Cell;

/// Why a model could not be fitted or used.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A parameter is out of its range.
    #[error("parameter {name} must be {expected}, found {found}, at {caller}")]
    InvalidParameter {
        /// Name of the builder's method.
        name: &'static str,
        /// What it may be.
        expected: &'static str,
        /// What it is.
        found: f64,
        /// The user's line.
        caller: Site,
    },
    /// There are too few rows to learn from.
    #[error("at least {required} rows are needed, found {found}, at {caller}")]
    TooFewRows {
        /// How many are needed.
        required: usize,
        /// How many there are.
        found: usize,
        /// The user's line.
        caller: Site,
    },
    /// The data has no columns.
    #[error("at least one column is needed, at {caller}")]
    NoColumns {
        /// The user's line.
        caller: Site,
    },
    /// Two arrays that belong together have different numbers of rows.
    #[error("arrays of {expected} and {found} rows do not belong together, at {caller}")]
    RowMismatch {
        /// Rows of the first.
        expected: usize,
        /// Rows of the other.
        found: usize,
        /// The user's line.
        caller: Site,
    },
    /// The data has another number of columns than the model was fitted on.
    #[error("the model was fitted on {expected} columns, found {found}, at {caller}")]
    ColumnMismatch {
        /// Columns of the data that the model was fitted on.
        expected: usize,
        /// Columns of this data.
        found: usize,
        /// The user's line.
        caller: Site,
    },
    /// A value is NaN or infinite.
    #[error("the value at row {row}, column {column} is {value}, not a finite number")]
    NonFinite {
        /// Row in the whole array.
        row: usize,
        /// Column in the whole array.
        column: usize,
        /// NaN or an infinity.
        value: f64,
    },
    /// The values of a column lie too far apart for their variance to be a number.
    #[error("the variance of column {column} overflows; divide its values first")]
    VarianceOverflow {
        /// Column in the whole array.
        column: usize,
    },
    /// A target is NaN or infinite.
    #[error("the target at row {row} is {value}, not a finite number")]
    NonFiniteTarget {
        /// Row in the whole array.
        row: usize,
        /// NaN or an infinity.
        value: f64,
    },
    /// The targets lie too far apart, or their products with the columns, for sums to be numbers.
    #[error("the variance of the targets overflows; divide them first")]
    TargetOverflow,
    /// A label is NaN.
    #[error("the target at row {row} is NaN, not a label")]
    NotALabel {
        /// Row in the whole array.
        row: usize,
    },
    /// A target is none of the labels that an earlier pass over the same targets found.
    #[error(
        "the target at row {row} is none of the labels of an earlier pass; do the targets change when read again?"
    )]
    NewLabel {
        /// Row in the whole array.
        row: usize,
    },
    /// All targets are the same: there is nothing to tell apart.
    #[error("at least two classes are needed, all targets are the same")]
    SingleClass,
    /// There are more distinct targets than a classifier can mean.
    #[error("more than {limit} classes; are the targets a measured quantity?")]
    TooManyClasses {
        /// The largest number of classes.
        limit: usize,
    },
    /// The fit did not converge.
    #[error(
        "after {iterations} steps the gradient is {gradient:e}, above the tolerance {tolerance:e}; \
         scale the columns, or raise max_iterations or the tolerance"
    )]
    NotConverged {
        /// Steps taken.
        iterations: usize,
        /// Largest derivative of the objective, divided by the number of rows.
        gradient: f64,
        /// What it should have come down to.
        tolerance: f64,
    },
    /// One side of a split would have no rows.
    #[error("a split of {rows} rows with {test} for the test leaves one side empty, at {caller}")]
    EmptySide {
        /// Rows to split.
        rows: usize,
        /// Rows asked for on the test side.
        test: usize,
        /// The user's line.
        caller: Site,
    },
    /// A saved model does not fit together.
    #[error("not a saved {model}: {reason}")]
    Malformed {
        /// The kind of model.
        model: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A model of another library failed to fit.
    #[error("the estimator {estimator} failed")]
    Estimator {
        /// Type of the estimator.
        estimator: &'static str,
        /// What it said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A model of another library gave another number of predictions than it got rows.
    #[error("the model gave {found} predictions for {expected} rows")]
    PredictionCount {
        /// Rows that it got.
        expected: usize,
        /// Predictions that it gave.
        found: usize,
    },
    /// A task met other partial answers than its layer was built for: a defect of this crate.
    #[error("a partial answer is missing or of another kind")]
    NothingToMerge,
    /// An array could not be built.
    #[error("the array cannot be built")]
    Array(#[from] musher_array::Error),
    /// A pass over the data failed.
    #[error("a pass over the data failed")]
    Compute(#[from] musher_scheduler::Error),
}

impl From<Cell> for Error {
    fn from(Cell { row, column, value }: Cell) -> Self {
        Error::NonFinite { row, column, value }
    }
}

/// The readable report, as `main` prints it: the message, then the causes.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        report(self, f)
    }
}
