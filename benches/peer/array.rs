//! A1: reductions of random numbers that are never held, in chunks of 1000 × 1000.

use musher::array::random;
use musher::ndarray::Axis;
use musher::prelude::*;
use serde_json::{Value, json};

use crate::report::report;

/// `mean`, `std`, or the sum of `x + x.t() - x.mean(axis 0)` (`xxt`).
pub(crate) fn run(operation: &str, size: &str) {
    let side = match size {
        "small" => 2_000,
        "medium" => 20_000,
        _ => 100_000,
    };
    report(|| {
        let x = random::uniform((side, side), (1000, 1000)).seed(1).build();
        let answer = match operation {
            "mean" => x.mean().compute().map(|mean| (mean * 1e5).round() / 1e5),
            "std" => x.std(0.0).compute(),
            _ => (&x + x.t() - x.mean_axis(Axis(0))).sum().compute(),
        };
        match answer {
            Ok(answer) => (json!(answer), Value::Null),
            Err(error) => panic!("{error}"),
        }
    });
}
