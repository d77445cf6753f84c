//! The errors of transcendental functions, against answers of mpmath with far more digits than a float has.

use crate::blocks::golden;
use musher_array::kernel::ops::{BinaryOp, Class, Kernels, Lane, UnaryOp};
use musher_array::ndarray::{self, Ix2};
use musher_array::{Array, Element};
use musher_scheduler::{Compute, Options};
use serde_json::Value;

/// A float with its last place.
trait Digits: Element + Kernels {
    /// What no error may exceed, in units in the last place.
    const LARGEST: f64;
    fn value(self) -> f64;
    /// The distance from this float to the next one, away from 0.
    fn unit(self) -> f64;
}

impl Digits for f64 {
    const LARGEST: f64 = 1.0;
    fn value(self) -> f64 {
        self
    }
    fn unit(self) -> f64 {
        let exponent = (self.abs().to_bits() >> 52).max(1) as i32 - 1075;
        2.0_f64.powi(exponent + 60) * 2.0_f64.powi(-60)
    }
}

impl Digits for f32 {
    // Computed in `f64`, so that the answer is all but the nearest.
    const LARGEST: f64 = 0.501;
    fn value(self) -> f64 {
        f64::from(self)
    }
    fn unit(self) -> f64 {
        2.0_f64.powi((self.abs().to_bits() >> 23).max(1) as i32 - 150)
    }
}

/// The lines of a golden file, and what a function makes of their operands, which stand before `more` other columns.
fn run<A: Digits>(name: &str, file: &str, more: usize) -> (ndarray::Array2<A>, Vec<A>) {
    let lines: Array<A, Ix2> = Array::read_npy(golden(&format!("array_math/{file}")), 1 << 20).unwrap();
    let lines = lines.compute_with(&Options::sequential()).unwrap();
    let column = |at: usize| lines.column(at).to_vec();
    let mut out = vec![A::default(); lines.nrows()];
    if lines.ncols() - more == 1 {
        let op = *UnaryOp::ALL.iter().find(|op| op.row().name == name).unwrap();
        A::unary(op).unwrap()(&column(0), &mut out).unwrap();
    } else {
        let op = *BinaryOp::ALL.iter().find(|op| op.row().name == name).unwrap();
        A::binary(op).unwrap()(Lane::Slice(&column(0)), Lane::Slice(&column(1)), &mut out).unwrap();
    }
    (lines, out)
}

/// Measures the largest error of a function on its golden arguments.
fn check<A: Digits>(name: &str, file: &str) {
    let (lines, out) = run::<A>(name, file, 2);
    let n_operands = lines.ncols() - 2;
    let mut worst = (0.0, Vec::new());
    for (line, &found) in lines.rows().into_iter().zip(&out) {
        let (nearest, rest) = (line[n_operands], line[n_operands + 1].value());
        let error = ((found.value() - nearest.value()) / nearest.unit() - rest).abs();
        if error > worst.0 || error.is_nan() {
            worst = (error, line.to_vec());
        }
    }
    let (error, line) = worst;
    println!("{name} {} {error:.3}", A::NAME);
    assert!(error <= A::LARGEST, "{name} of {} errs by {error} at {line:?}", A::NAME);
}

/// Answers that are NaN, infinite or 0 have no error at all.
fn check_special(name: &str, file: &str) {
    let (lines, out) = run::<f64>(name, file, 1);
    for (line, found) in lines.rows().into_iter().zip(out) {
        let want = line[line.len() - 1];
        let is_same = found.to_bits() == want.to_bits() || (found.is_nan() && want.is_nan());
        assert!(is_same, "{name} of {line} is {found:e}");
    }
}

#[test]
fn no_function_errs_by_a_unit_in_the_last_place() {
    let text = std::fs::read_to_string(golden("array_math/cases.json")).unwrap();
    let cases: Vec<Value> = serde_json::from_str(&text).unwrap();
    let mut known = Vec::new();
    for case in &cases {
        let [name, file, dtype] = [&case["operation"], &case["output"], &case["parameters"]["dtype"]]
            .map(|text| text.as_str().unwrap());
        match dtype {
            "f64" => check::<f64>(name, file),
            "special" => check_special(name, file),
            _ => check::<f32>(name, file),
        }
        known.push((name, dtype));
    }
    // Every function of the table that is not exact has its answers.
    let unary = UnaryOp::ALL.iter().map(|op| op.row()).filter(|row| row.class == Class::Call);
    for name in unary.map(|row| row.name).chain(["pow", "atan2", "hypot"]).filter(|name| *name != "round") {
        for dtype in ["f64", "f32", "special"] {
            assert!(known.contains(&(name, dtype)), "no golden answers of {name} of {dtype}");
        }
    }
}
