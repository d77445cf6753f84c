//! Functions of floats beside the [transcendental ones](crate::kernel::math).

use super::{Fault, map1};
use num_traits::{Float, FloatConst};

/// `out[i] = x[i]^exponent` by repeated squaring, the same products for every instruction set.
///
/// `powi` of the standard library leaves its precision open, so it is not used.
pub(super) fn power<A: Float>(exponent: i32, x: &[A], out: &mut [A]) -> Result<(), Fault> {
    match exponent {
        2 => map1(x, out, |x: A| x * x),
        3 => map1(x, out, |x: A| x * x * x),
        4 => map1(x, out, |x: A| (x * x) * (x * x)),
        _ => map1(x, out, |x: A| {
            let (mut base, mut left, mut acc) = (x, exponent.unsigned_abs(), A::one());
            while left > 0 {
                if left & 1 == 1 {
                    acc = acc * base;
                }
                base = base * base;
                left >>= 1;
            }
            if exponent < 0 { A::one() / acc } else { acc }
        }),
    }
    Ok(())
}

/// The angle of a real number: 0, or π of a negative one.
pub(super) fn arg<A: Float + FloatConst>(x: A) -> A {
    if x.is_nan() {
        x
    } else if x.is_sign_negative() {
        A::PI()
    } else {
        A::zero()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{BinaryOp, Kernels, Lane};

    fn run2(op: BinaryOp, x: &[f64], y: &[f64]) -> Vec<f64> {
        let mut out = vec![0.0; x.len()];
        f64::binary(op).unwrap()(Lane::Slice(x), Lane::Slice(y), &mut out).unwrap();
        out
    }

    #[test]
    fn minimum_and_maximum_pass_nan_on_from_either_side() {
        let x = [1.0, f64::NAN, 3.0, f64::NAN];
        let y = [2.0, 2.0, f64::NAN, f64::NAN];
        for op in [BinaryOp::minimum, BinaryOp::maximum] {
            let out = run2(op, &x, &y);
            assert!(!out[0].is_nan());
            assert!(out[1..].iter().all(|value| value.is_nan()), "{op:?}: {out:?}");
        }
    }

    #[test]
    fn powers_are_products() {
        let mut out = [0.0_f64; 2];
        let power = <f64 as Kernels>::powi().unwrap();
        power(5, &[2.0, -3.0], &mut out).unwrap();
        assert_eq!(out, [32.0, -243.0]);
        power(-2, &[2.0, -4.0], &mut out).unwrap();
        assert_eq!(out, [0.25, 0.0625]);
        power(0, &[0.0, f64::NAN], &mut out).unwrap();
        assert_eq!(out, [1.0, 1.0]);
    }

    #[test]
    fn fused_multiply_and_add_rounds_twice() {
        let (a, b, c) = (1.0 + f64::EPSILON, 1.0 - f64::EPSILON, -1.0);
        let mut out = [1.0];
        <f64 as Kernels>::mul_add().unwrap()(
            Lane::Slice(&[a]),
            Lane::Slice(&[b]),
            Lane::Slice(&[c]),
            &mut out,
        );
        assert_eq!(out[0], a * b + c);
        assert_eq!(out[0], 0.0, "one rounding would leave -4.9e-32");
    }
}
