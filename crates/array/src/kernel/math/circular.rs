//! Sine, cosine and tangent.

use super::angle::{Reduced, reduced, reduced_far};
use super::coefficients::{COSINE, SINE};
use super::pair::{Pair, polynomial};

/// Sine and cosine of a reduced angle, each with what its rounding loses.
#[inline(always)]
fn parts(r: Pair) -> (Pair, Pair) {
    let z = Pair::product(r.hi, r.hi);
    let half = 0.5 * z.hi;
    // The derivatives at `hi` tell what `lo` adds.
    let sine_lo = (r.hi * z.hi).mul_add(polynomial(z.hi, &SINE), (-half).mul_add(r.lo, r.lo));
    let cosine = Pair::ordered_sum(1.0, -half);
    let cosine_lo = (z.hi * z.hi).mul_add(polynomial(z.hi, &COSINE), (-r.hi).mul_add(r.lo, -0.5 * z.lo));
    (Pair::new(r.hi, sine_lo), cosine.with(cosine_lo))
}

/// Sine and cosine of the whole angle `x`.
#[inline(always)]
fn turned(x: f64, Reduced { quarters, rest }: Reduced) -> (f64, f64) {
    let (sine, cosine) = parts(rest);
    let (sine, cosine) = (sine.value(), cosine.value());
    let is_even = quarters & 1 == 0;
    let (a, b) = (if is_even { sine } else { cosine }, if is_even { cosine } else { sine });
    // Sine is negative in quarters 2 and 3, cosine in 1 and 2.
    let sine = f64::from_bits(a.to_bits() ^ ((quarters & 2) << 62));
    let cosine = f64::from_bits(b.to_bits() ^ ((quarters.wrapping_add(1) & 2) << 62));
    // Sums forget the sign of 0.
    (if x == 0.0 { x } else { sine }, cosine)
}

/// Sine and cosine, of angles that are not [far](super::angle::is_far).
#[inline(always)]
pub(super) fn sin_cos(x: f64) -> (f64, f64) {
    turned(x, reduced(x))
}

/// Sine and cosine of every angle.
#[inline(always)]
pub(super) fn sin_cos_far(x: f64) -> (f64, f64) {
    turned(x, reduced_far(x))
}

/// The tangent of a reduced angle, or minus its inverse.
#[inline(always)]
fn tangent(x: f64, Reduced { quarters, rest }: Reduced) -> f64 {
    let (sine, cosine) = parts(rest);
    let is_even = quarters & 1 == 0;
    let above =
        Pair::new(if is_even { sine.hi } else { -cosine.hi }, if is_even { sine.lo } else { -cosine.lo });
    let below =
        Pair::new(if is_even { cosine.hi } else { sine.hi }, if is_even { cosine.lo } else { sine.lo });
    let tangent = Pair::quotient(above.settled(), below.settled()).value();
    if x == 0.0 { x } else { tangent }
}

/// The tangent, of angles that are not [far](super::angle::is_far).
#[inline(always)]
pub(super) fn tan(x: f64) -> f64 {
    tangent(x, reduced(x))
}

/// The tangent of every angle.
#[inline(always)]
pub(super) fn tan_far(x: f64) -> f64 {
    tangent(x, reduced_far(x))
}
