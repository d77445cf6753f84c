//! Logarithms, and the inverse hyperbolic functions made of them.

use super::coefficients::{ARTANH, LOGARITHM};
use super::pair::{Pair, polynomial};

/// ln 2 and the decimal logarithm of 2; `hi` is so short that its multiples by an exponent are exact.
const LN_2: Pair = Pair::new(6.931_471_803_691_238e-1, 1.908_214_929_270_587_7e-10);
const LOG10_2: Pair = Pair::new(3.010_299_956_636_117_7e-1, 3.694_239_077_158_931e-13);
/// One over ln 2, one over ln 10, and a third, and what the floats have not.
const LOG2_E: Pair = Pair::new(std::f64::consts::LOG2_E, 2.035_527_374_093_103_3e-17);
const LOG10_E: Pair = Pair::new(std::f64::consts::LOG10_E, 1.098_319_650_216_765e-17);
const THIRD: Pair = Pair::new(1.0 / 3.0, 1.850_371_707_708_594e-17);

/// A positive normal number `2^exponent mantissa`, with the mantissa between the roots of 1/2 and 2.
#[derive(Clone, Copy)]
struct Split {
    exponent: f64,
    mantissa: f64,
    /// The exponent plus 1023.
    biased: u64,
}

/// Splits a positive normal number.
#[inline(always)]
fn split(x: f64) -> Split {
    const SQRT_HALF: u64 = 0x3fe6_a09e_667f_3bcd;
    let shifted = x.to_bits().wrapping_add(0x3ff0_0000_0000_0000 - SQRT_HALF);
    let biased = shifted >> 52;
    Split {
        exponent: f64::from_bits(0x4330_0000_0000_0000 | biased) - (4_503_599_627_370_496.0 + 1023.0),
        mantissa: f64::from_bits((shifted & 0x000f_ffff_ffff_ffff).wrapping_add(SQRT_HALF)),
        biased,
    }
}

/// Splits every positive finite number.
#[inline(always)]
fn split_any(x: f64) -> Split {
    let is_subnormal = x < f64::MIN_POSITIVE;
    let parts = split(if is_subnormal { x * 18_014_398_509_481_984.0 } else { x });
    Split { exponent: if is_subnormal { parts.exponent - 54.0 } else { parts.exponent }, ..parts }
}

/// `ln(1 + f)`, where `1 + f` is between the roots of 1/2 and 2; and `f / (2 + f)`.
#[inline(always)]
fn near_one(f: f64) -> (Pair, f64) {
    let s = f / (2.0 + f);
    let z = s * s;
    let half_square = Pair::product(0.5 * f, f);
    let lo = s * z.mul_add(polynomial(z, &LOGARITHM), half_square.hi) - half_square.lo;
    (Pair::ordered_sum(f, -half_square.hi).with(lo), s)
}

/// The value, or the limits of logarithms: -∞ of 0, NaN of what is negative or NaN, ∞ of ∞.
#[inline(always)]
fn limited(x: f64, value: f64) -> f64 {
    let value = if x == f64::INFINITY { x } else { value };
    let value = if x == 0.0 { f64::NEG_INFINITY } else { value };
    if x >= 0.0 { value } else { f64::NAN }
}

/// A logarithm of `2^exponent` and a mantissa together.
#[inline(always)]
fn joined(exponent: f64, mantissa: Pair, of_two: Pair) -> f64 {
    Pair::ordered_sum(exponent * of_two.hi, mantissa.hi)
        .with(exponent.mul_add(of_two.lo, mantissa.lo))
        .value()
}

#[inline(always)]
pub(super) fn ln(x: f64) -> f64 {
    let Split { exponent, mantissa, .. } = split_any(x);
    limited(x, joined(exponent, near_one(mantissa - 1.0).0, LN_2))
}

/// The logarithm to a base: `factor` is one over the natural logarithm of the base.
#[inline(always)]
fn to_base(x: f64, factor: Pair, of_two: Pair) -> f64 {
    let Split { exponent, mantissa, .. } = split_any(x);
    let (natural, _) = near_one(mantissa - 1.0);
    let product = Pair::product(natural.hi, factor.hi);
    let lo = natural.hi.mul_add(factor.lo, natural.lo * factor.hi);
    limited(x, joined(exponent, product.with(lo), of_two))
}

#[inline(always)]
pub(super) fn log2(x: f64) -> f64 {
    to_base(x, LOG2_E, Pair::new(1.0, 0.0))
}

#[inline(always)]
pub(super) fn log10(x: f64) -> f64 {
    to_base(x, LOG10_E, LOG10_2)
}

/// `ln(2^more x)` of a positive normal number, exact near 1.
#[inline(always)]
fn ln_of_pair(x: Pair, more: f64) -> f64 {
    let Split { exponent, mantissa, biased } = split(x.hi);
    // 2^(1 - exponent), then halved: both are floats.
    let lo = x.lo * f64::from_bits(2047_u64.wrapping_sub(biased) << 52) * 0.5;
    let f = Pair::ordered_sum(mantissa - 1.0, lo);
    let (main, s) = near_one(f.hi);
    // One over 1 + f, nearly: the derivative of the logarithm.
    let derivative = (2.0 * s).mul_add(s.mul_add(1.0 - s, -1.0), 1.0);
    joined(exponent + more, main.with(f.lo * derivative), LN_2)
}

#[inline(always)]
pub(super) fn ln_1p(x: f64) -> f64 {
    let sum = Pair::sum(1.0, x);
    let value = limited(sum.hi, ln_of_pair(sum, 0.0));
    if x == 0.0 { x } else { value }
}

/// From this magnitude on, `x² ± 1` is `x²`.
const HUGE: f64 = 1_073_741_824.0;

/// `ln(x + root)` of `x` up to [`HUGE`]; from there on `ln 2x`.
#[inline(always)]
fn ln_of_sum(x: f64, root: Pair) -> f64 {
    let sum = Pair::sum(root.hi, x).with(root.lo).settled();
    let is_huge = x > HUGE;
    let sum = Pair::new(if is_huge { x } else { sum.hi }, if is_huge { 0.0 } else { sum.lo });
    ln_of_pair(sum, if is_huge { 1.0 } else { 0.0 })
}

/// The square of `x` with `more` added, or something harmless if that is huge.
#[inline(always)]
fn square_and(x: f64, more: f64) -> Pair {
    let x = if x > HUGE { 2.0 } else { x };
    let square = Pair::product(x, x);
    Pair::sum(square.hi, more).with(square.lo).settled()
}

/// **Source** of this and the next two: Kahan 1987, "Branch cuts for complex elementary functions".
#[inline(always)]
pub(super) fn asinh(x: f64) -> f64 {
    let size = x.abs();
    let value = ln_of_sum(size, square_and(size, 1.0).root());
    let value = if size < f64::INFINITY { value } else { size };
    // A sum of nothing forgets the sign of 0.
    (if x == 0.0 { 0.0 } else { value }).copysign(x)
}

#[inline(always)]
pub(super) fn acosh(x: f64) -> f64 {
    let value = ln_of_sum(x, square_and(x, -1.0).root());
    let value = if x == f64::INFINITY { x } else { value };
    if x >= 1.0 { value } else { f64::NAN }
}

#[inline(always)]
pub(super) fn atanh(x: f64) -> f64 {
    // Half the logarithm of 1 + 2x / (1 - x).
    let size = x.abs();
    let quotient = Pair::quotient(Pair::new(size + size, 0.0), Pair::sum(1.0, -size));
    let sum = Pair::sum(1.0, quotient.hi).with(quotient.lo).settled();
    let value = 0.5 * ln_of_pair(sum, 0.0);
    let value = if size == 1.0 { f64::INFINITY } else { value };
    let value = if size <= 1.0 { value } else { f64::NAN };
    (if x == 0.0 { 0.0 } else { value }).copysign(x)
}

/// The natural logarithm of a positive finite number to about 2⁻⁶⁵ of itself.
#[inline(always)]
pub(super) fn ln_to_pair(x: f64) -> Pair {
    let Split { exponent, mantissa, .. } = split_any(x);
    // ln m = 2 atanh s = 2s (1 + s²/3 + s⁴ …) with s = (m - 1) / (m + 1).
    let s = Pair::quotient(Pair::new(mantissa - 1.0, 0.0), Pair::sum(1.0, mantissa));
    let square = Pair::product(s.hi, s.hi).with(2.0 * s.hi * s.lo);
    let third = Pair::product(square.hi, THIRD.hi).with(square.hi.mul_add(THIRD.lo, square.lo * THIRD.hi));
    let fourth = square.hi * square.hi * polynomial(square.hi, &ARTANH);
    let series = Pair::ordered_sum(third.hi, fourth).with(third.lo);
    let bracket = Pair::ordered_sum(1.0, series.hi).with(series.lo);
    let twice = Pair::new(s.hi + s.hi, s.lo + s.lo);
    let product = Pair::product(twice.hi, bracket.hi)
        .with(twice.hi.mul_add(bracket.lo, twice.lo * bracket.hi))
        .settled();
    Pair::ordered_sum(exponent * LN_2.hi, product.hi).with(exponent.mul_add(LN_2.lo, product.lo)).settled()
}
