//! Functions of floats that the standard library does not give as exactly, or not the same everywhere.

use super::{Fault, map1};
use num_traits::Float;

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

/// From this magnitude on, `x² + 1` is `x²`, and squares might be too large.
fn is_huge<A: Float>(x: A) -> bool {
    x >= A::one() / A::epsilon()
}

/// The inverse hyperbolic sine, from the logarithm of 1 plus something small.
///
/// **Source** Kahan 1987, "Branch cuts for complex elementary functions".
pub(super) fn asinh<A: Float>(x: A) -> A {
    let (one, size) = (A::one(), x.abs());
    let answer = match is_huge(size) {
        true => size.ln() + (one + one).ln(),
        false => {
            let square = size * size;
            (size + square / (one + (square + one).sqrt())).ln_1p()
        }
    };
    // A sum of nothing forgets the sign of 0.
    answer.copysign(x)
}

/// The inverse hyperbolic cosine; near 1 the standard library's loses all digits.
pub(super) fn acosh<A: Float>(x: A) -> A {
    let one = A::one();
    if is_huge(x) {
        return x.ln() + (one + one).ln();
    }
    if x < one {
        return A::nan();
    }
    let above = x - one;
    (above + (above * (above + one + one)).sqrt()).ln_1p()
}

/// The inverse hyperbolic tangent.
pub(super) fn atanh<A: Float>(x: A) -> A {
    let (one, size) = (A::one(), x.abs());
    let twice = size + size;
    (((twice / (one - size)).ln_1p()) / (one + one)).copysign(x)
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
