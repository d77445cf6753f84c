//! Machine learning on arrays that do not fit in memory.
//!
//! Estimators take chunked arrays, read them in as few passes as the algorithm needs, and give fitted models that
//! transform and predict lazily, chunk by chunk.
//!
//! | you want | you take | passes over the data |
//! |---|---|---|
//! | columns of mean 0 and deviation 1 | [`StandardScaler`] | 1 |
//! | a part of the rows for the test | [`train_test_split`] | none |
//! | two or more classes told apart | [`LogisticRegression`] | one per Newton step, usually 5 to 8 |
//! | the share of right predictions | [`accuracy_score`] | 1 |
//! | any model of linfa on all rows | [`ParallelPostFit`] | 1 to predict |
//! | data to try it on | [`make_classification`] | none |
//!
//! The traits are modeled on linfa's: parameters are checked once ([`ParamGuard`], which is linfa's own), [`Fit`]
//! learns, [`Transform`] and [`Predict`] use what was learned. Answers are scikit-learn's.
//!
//! ```
//! use musher_ml::prelude::*;
//! let (x, y) = make_classification(2000).columns(4).scale(3.0).chunks(500).build()?;
//! let split = train_test_split(&x, &y).test_size(0.25).seed(1).split()?;
//! let scaler = StandardScaler::new().fit(&split.x_train)?;
//! let model = LogisticRegression::new().fit((&scaler.transform(&split.x_train)?, &split.y_train))?;
//! let accuracy = model.score(&scaler.transform(&split.x_test)?, &split.y_test)?;
//! assert!(accuracy.compute()? > 0.8);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Fitted models are saved and read back with serde. A value that is NaN or infinite is an error that names its place.
//! The same chunks give the same bits on every number of threads; other chunks give the same model but for rounding.

mod blocks;
mod bridge;
mod datasets;
mod error;
mod exact;
mod fit;
mod fold;
mod kernel;
mod label;
mod logistic;
mod metrics;
mod parameters;
mod post_fit;
mod scaler;
mod split;

pub use datasets::{Labeled, MakeClassification, make_classification};
pub use error::Error;
pub use fit::{Fit, Predict, Transform};
pub use label::Label;
pub use linfa::ParamGuard;
pub use logistic::FittedLogisticRegression;
pub use metrics::accuracy_score;
pub use parameters::{LogisticRegression, Penalty, StandardScaler, ValidLogisticRegression};
pub use post_fit::{FitRows, ParallelPostFit, PredictRows};
pub use scaler::FittedStandardScaler;
pub use split::{Split, TrainTestSplit, train_test_split};

/// What a program that learns needs, in one line.
pub mod prelude {
    pub use musher_array::Array;
    pub use musher_scheduler::{Compute, Options};

    pub use crate::{
        Fit, FitRows, FittedLogisticRegression, FittedStandardScaler, Label, LogisticRegression,
        ParallelPostFit, ParamGuard, Penalty, Predict, PredictRows, Split, StandardScaler, Transform,
        accuracy_score, make_classification, train_test_split,
    };
}
