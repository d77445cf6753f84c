//! What estimators promise, checked through the public interface.
//!
//! `battery` holds the checks that every estimator passes; the other modules hold what is special to one.

#![expect(clippy::unwrap_used, reason = "a panic in a test is its report")]

mod battery;
mod datasets;
mod golden;
mod linear;
mod logistic;
mod metrics;
mod post_fit;
mod promises;
mod scaler;
mod seeds;
mod split;

use musher_scheduler::Options;
use ndarray::{Array1, Array2};

/// The schedulers on which every answer has the same bits.
fn schedulers() -> Vec<Options> {
    musher_testkit::everywhere().into_iter().map(|(_, options)| options).collect()
}

/// Rows that look random and are the same everywhere.
fn rows(n: usize, columns: usize) -> Array2<f64> {
    let mut random = musher_testkit::Random::new(n as u64 * 31 + columns as u64);
    Array2::from_shape_simple_fn((n, columns), || (random.bits() >> 11) as f64 / (1u64 << 52) as f64 - 1.0)
}

/// Labels that the first column decides, but for every fifth row.
fn labels(x: &Array2<f64>) -> Array1<i64> {
    x.rows().into_iter().enumerate().map(|(i, row)| i64::from((row[0] > 0.0) != (i % 5 == 0))).collect()
}

/// The whole chain of causes, as a user would print it.
fn story(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text = format!("{text}: {next}");
        cause = next.source();
    }
    text
}
