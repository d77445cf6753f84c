//! Exponentials, and the hyperbolic functions made of them.

use super::coefficients::{EXPONENTIAL, HYPERBOLIC_SINE};
use super::pair::{Pair, ROUNDER, polynomial};

/// ln 2, and what the float has not.
const LN_2: Pair = Pair::new(std::f64::consts::LN_2, 2.319_046_813_846_299_6e-17);

/// A number `2^exponent mantissa`.
#[derive(Clone, Copy)]
struct Scaled {
    /// The exponent plus [`ROUNDER`]: an integer, in the lowest bits.
    exponent: f64,
    mantissa: Pair,
}

impl Scaled {
    /// `2^exponent x`, where `less` is taken from the exponent; rounded once more where it is subnormal.
    #[inline(always)]
    fn scale(self, x: f64, less: u64) -> f64 {
        // Two factors, because their product may not be a float; 2048 keeps the shifted number positive.
        let biased = self.exponent.to_bits().wrapping_add(2048 - less) & 0xfff;
        let half = biased >> 1;
        let power = |biased: u64| f64::from_bits(biased.wrapping_sub(1) << 52);
        x * power(half) * power(biased - half)
    }

    /// The number as one float.
    #[inline(always)]
    fn value(self) -> f64 {
        self.scale(self.mantissa.value(), 0)
    }
}

/// `x` or the nearest of the two; NaN stays.
#[inline(always)]
fn clamped(x: f64, low: f64, high: f64) -> f64 {
    let x = if x < low { low } else { x };
    if x > high { high } else { x }
}

/// `x` less a multiple of ln 2, which is the exponent.
#[inline(always)]
fn reduced(x: Pair) -> (f64, Pair) {
    let exponent = x.hi.mul_add(std::f64::consts::LOG2_E, ROUNDER);
    let k = exponent - ROUNDER;
    // The first product is exact, and so is the difference.
    let first = (-k).mul_add(LN_2.hi, x.hi);
    (exponent, Pair::ordered_sum(first, (-k).mul_add(LN_2.lo, x.lo)))
}

/// `e^r - 1 - r.hi` for a reduced `r`.
#[inline(always)]
fn above_linear(r: Pair) -> f64 {
    (r.hi * r.hi).mul_add(polynomial(r.hi, &EXPONENTIAL), r.lo.mul_add(r.hi, r.lo))
}

/// e to the power of a reduced number.
#[inline(always)]
fn raised(exponent: f64, r: Pair) -> Scaled {
    Scaled { exponent, mantissa: Pair::ordered_sum(1.0, r.hi).with(above_linear(r)) }
}

/// e to the power of `x.hi + x.lo`, where `x.hi` is between -746 and 710.
#[inline(always)]
pub(super) fn exp_of_pair(x: Pair) -> f64 {
    let (exponent, r) = reduced(x);
    raised(exponent, r).value()
}

/// From here on `e^x` is infinite, and before here 0.
pub(super) const HIGHEST: f64 = 710.0;
pub(super) const LOWEST: f64 = -746.0;

#[inline(always)]
pub(super) fn exp(x: f64) -> f64 {
    exp_of_pair(Pair::new(clamped(x, LOWEST, HIGHEST), 0.0))
}

#[inline(always)]
pub(super) fn exp2(x: f64) -> f64 {
    let x = clamped(x, -1076.0, 1025.0);
    let exponent = x + ROUNDER;
    // What is left is exact.
    let rest = x - (exponent - ROUNDER);
    let r = Pair::product(rest, LN_2.hi);
    raised(exponent, r.with(rest * LN_2.lo)).value()
}

/// `e^x - 1` as `2^exponent` times a pair, for `x` between -40 and 710.
#[inline(always)]
fn exp_m1_parts(x: f64) -> Scaled {
    let (exponent, r) = reduced(Pair::new(x, 0.0));
    let k = exponent - ROUNDER;
    // 2^-k, or nearly nothing.
    let k = if k > 1000.0 { 1000.0 } else { k };
    let one = f64::from_bits((1023.0 - k + ROUNDER).to_bits() << 52);
    let whole = Pair::sum(1.0, -one);
    let sum = Pair::sum(whole.hi, r.hi);
    Scaled { exponent, mantissa: sum.with(whole.lo + above_linear(r)) }
}

#[inline(always)]
pub(super) fn exp_m1(x: f64) -> f64 {
    exp_m1_parts(clamped(x, -40.0, HIGHEST)).value().copysign(x)
}

/// Half of `e^x` for `x` from 0 to 711, as a pair; infinite where that is too large.
#[inline(always)]
fn half_exp(x: f64) -> Pair {
    let (exponent, r) = reduced(Pair::new(x, 0.0));
    let power = raised(exponent, r);
    let mantissa = power.mantissa.settled();
    Pair::new(power.scale(mantissa.hi, 1), power.scale(mantissa.lo, 1))
}

#[inline(always)]
pub(super) fn sinh(x: f64) -> f64 {
    let size = x.abs();
    let half = half_exp(clamped(size, 0.0, 712.0));
    let less = 0.25 / half.hi;
    let difference = Pair::ordered_sum(half.hi, -less).with(half.lo).value();
    let large = if half.hi == f64::INFINITY { f64::INFINITY } else { difference };
    let square = size * size;
    let small = (size * square).mul_add(polynomial(square, &HYPERBOLIC_SINE), size);
    (if size < 1.0 { small } else { large }).copysign(x)
}

#[inline(always)]
pub(super) fn cosh(x: f64) -> f64 {
    let half = half_exp(clamped(x.abs(), 0.0, 712.0));
    let sum = Pair::ordered_sum(half.hi, 0.25 / half.hi).with(half.lo).value();
    if half.hi == f64::INFINITY { f64::INFINITY } else { sum }
}

#[inline(always)]
pub(super) fn tanh(x: f64) -> f64 {
    // (e^2x - 1) / (e^2x + 1); from 20 on it is 1.
    let size = x.abs();
    let parts = exp_m1_parts(clamped(size + size, 0.0, 40.0));
    let above = Pair::new(parts.scale(parts.mantissa.hi, 0), parts.scale(parts.mantissa.lo, 0)).settled();
    let below = Pair::sum(2.0, above.hi).with(above.lo);
    Pair::quotient(above, below).value().copysign(x)
}
