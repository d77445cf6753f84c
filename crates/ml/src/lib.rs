//! Machine learning on arrays that do not fit in memory.
//!
//! Estimators take chunked arrays, read them in as few passes as the algorithm needs, and give fitted models that
//! transform and predict lazily, chunk by chunk.
//!
//! | to | use | passes over the data |
//! |---|---|---|
//! | scale columns to mean 0 and deviation 1 | [`StandardScaler`] | 1 |
//! | set rows aside for the test | [`train_test_split`] | none |
//! | predict numbers by a line or plane | [`LinearRegression`] | 1 |
//! | classify into two or more classes | [`LogisticRegression`] | one per Newton step, usually 5 to 8 |
//! | count right predictions, tell how much of the variance they explain | [`accuracy_score`], [`r2_score`] | 1 |
//! | apply a model of linfa that was fitted in memory | [`ParallelPostFit`] | 1 to predict |
//! | make data to try things on | [`make_classification`] | none |
//!
//! The traits are modeled on linfa's: parameters are checked once ([`ParamGuard`], which is linfa's own), [`Fit`]
//! fits, [`Transform`] and [`Predict`] apply the fitted model. Answers are scikit-learn's.
//!
//! ```
//! use musher_ml::prelude::*;
//! let (x, y) = make_classification(2000, Classification::columns(4).scale(3.0).chunks(500))?;
//! let split = train_test_split(&x, &y, 0.25)?;
//! let scaler = StandardScaler::new().fit(&split.x_train)?;
//! let model = LogisticRegression::new().fit((&scaler.transform(&split.x_train)?, &split.y_train))?;
//! let accuracy = model.score(&scaler.transform(&split.x_test)?, &split.y_test)?;
//! assert!(accuracy.compute()? > 0.8);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Fitted models are saved and read back with serde. A value that is NaN or infinite is an error that names its place.
//! The same chunks give the same bits on every number of threads; other chunks give the same model up to rounding.
//!
//! # In a dev build
//!
//! Cargo does not optimise dependencies there, and work on blocks is many times slower. Run what computes with
//! `--release`, or say in your `Cargo.toml`:
//!
//! ```toml
//! [profile.dev.package]
//! musher-ml = { opt-level = 2 }
//! musher-array = { opt-level = 2 }
//! ndarray = { opt-level = 2 }
//! musher-graph-core = { opt-level = 2 }
//! musher-scheduler = { opt-level = 2 }
//! ```

mod blocks;
mod bridge;
mod datasets;
mod error;
mod exact;
mod fit;
mod fold;
mod kernel;
mod label;
mod linear;
mod logistic;
mod metrics;
mod parameters;
mod post_fit;
mod rows;
mod saved;
mod scaler;
mod split;

pub use datasets::{Classification, LabeledRows, make_classification};
pub use error::Error;
pub use fit::{Fit, Predict, Transform};
pub use label::Label;
pub use linear::FittedLinearRegression;
pub use linfa::ParamGuard;
pub use logistic::FittedLogisticRegression;
pub use metrics::{accuracy_score, r2_score};
pub use parameters::{
    LinearRegression, LogisticRegression, Penalty, StandardScaler, ValidLinearRegression,
    ValidLogisticRegression,
};
pub use post_fit::{Coded, FitRows, ParallelPostFit, PredictRows};
pub use scaler::FittedStandardScaler;
pub use split::{Split, TestPart, train_test_split};

/// What a program that learns needs, in one line.
pub mod prelude {
    pub use musher_array::Array;
    pub use musher_scheduler::{Compute, Options};

    pub use crate::{
        Classification, Fit, FitRows, FittedLinearRegression, FittedLogisticRegression, FittedStandardScaler,
        Label, LinearRegression, LogisticRegression, ParallelPostFit, ParamGuard, Penalty, Predict,
        PredictRows, Split, StandardScaler, TestPart, Transform, accuracy_score, make_classification,
        r2_score, train_test_split,
    };
}
