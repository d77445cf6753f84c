//! Angles whose sine, cosine or tangent is given.

use super::coefficients::{ARCSINE_ABOVE, ARCSINE_BELOW, ARCTANGENT};
use super::pair::{Pair, polynomial};

/// π, and what the float has not; its half and quarter are exact.
const PI: Pair = Pair::new(std::f64::consts::PI, 1.224_646_799_147_353_2e-16);
const HALF_PI: Pair = Pair::new(PI.hi / 2.0, PI.lo / 2.0);
const QUARTER_PI: Pair = Pair::new(PI.hi / 4.0, PI.lo / 4.0);

/// `asin x` of a number from 0 to 1/2, with what rounding loses.
#[inline(always)]
fn small_asin(x: Pair) -> Pair {
    let z = x.hi * x.hi;
    let ratio = polynomial(z, &ARCSINE_ABOVE) / polynomial(z, &ARCSINE_BELOW);
    // The derivative at `hi` is 1 + x²/2 and more, which tells what `lo` adds.
    Pair::new(x.hi, (x.hi * z).mul_add(ratio, (0.5 * z).mul_add(x.lo, x.lo)))
}

/// What both functions begin with: whether `|x|` is above 1/2, and the arcsine of `|x|` or of the root of `(1 - |x|) / 2`.
#[inline(always)]
fn arcsine(size: f64) -> (bool, Pair) {
    let is_large = size > 0.5;
    let root = Pair::new(0.5 * (1.0 - size), 0.0).root();
    let x = Pair::new(if is_large { root.hi } else { size }, if is_large { root.lo } else { 0.0 });
    (is_large, small_asin(x))
}

/// The difference of two pairs, the first not smaller, as one float.
#[inline(always)]
fn difference(a: Pair, b: Pair) -> f64 {
    Pair::ordered_sum(a.hi, -b.hi).with(a.lo - b.lo).value()
}

#[inline(always)]
pub(super) fn asin(x: f64) -> f64 {
    let (is_large, part) = arcsine(x.abs());
    let large = difference(HALF_PI, Pair::new(2.0 * part.hi, 2.0 * part.lo));
    (if is_large { large } else { part.value() }).copysign(x)
}

#[inline(always)]
pub(super) fn acos(x: f64) -> f64 {
    let (is_large, part) = arcsine(x.abs());
    let is_negative = x < 0.0;
    let twice = Pair::new(2.0 * part.hi, 2.0 * part.lo);
    let far = difference(PI, twice);
    let near = difference(HALF_PI, if is_negative { -part } else { part });
    let large = if is_negative { far } else { twice.value() };
    if is_large { large } else { near }
}

/// `atan(y / x)` of numbers that are not negative, of which not both are 0 or infinite.
///
/// **Source** the addition theorem: the angle of `(x + c y, y - c x)` is less by that of `(1, c)`, with c = 0, 1, ∞.
#[inline(always)]
fn angle(y: f64, x: f64) -> Pair {
    const TAN_EIGHTH: f64 = std::f64::consts::SQRT_2 - 1.0;
    let is_low = y < TAN_EIGHTH * x;
    let is_high = x < TAN_EIGHTH * y;
    let (difference, sum) = (Pair::sum(y, -x), Pair::sum(y, x));
    let pick = |low: f64, middle: f64, high: f64| {
        let rest = if is_high { high } else { middle };
        if is_low { low } else { rest }
    };
    let above = Pair::new(pick(y, difference.hi, -x), pick(0.0, difference.lo, 0.0));
    let below = Pair::new(pick(x, sum.hi, y), pick(0.0, sum.lo, 0.0));
    let base = Pair::new(pick(0.0, QUARTER_PI.hi, HALF_PI.hi), pick(0.0, QUARTER_PI.lo, HALF_PI.lo));
    let t = Pair::quotient(above, below);
    let z = t.hi * t.hi;
    let lo = (-t.hi * z).mul_add(polynomial(z, &ARCTANGENT), (-z).mul_add(t.lo, t.lo));
    Pair::ordered_sum(base.hi, t.hi).with(base.lo + lo)
}

#[inline(always)]
pub(super) fn atan(x: f64) -> f64 {
    let size = x.abs();
    // One over such a number is nothing beside π/2.
    let size = if size > 1e300 { 1e300 } else { size };
    angle(size, 1.0).value().copysign(x)
}

#[inline(always)]
pub(super) fn atan2(y: f64, x: f64) -> f64 {
    let (a, b) = (y.abs(), x.abs());
    let is_infinite = a == f64::INFINITY || b == f64::INFINITY;
    let of_infinity = |size: f64| if size == f64::INFINITY { 1.0 } else { 0.0 };
    let size = if a > b { a } else { b };
    // No sum overflows, and no rest of a product underflows.
    let scale = if size < 1e-240 { f64::from_bits((1023 + 200) << 52) } else { 1.0 };
    let scale = if size > 1e300 { 0.25 } else { scale };
    let a = if is_infinite { of_infinity(a) } else { a * scale };
    let b = if is_infinite { of_infinity(b) } else { b * scale };
    // 0 over 0 is the angle of the positive or negative axis.
    let b = if a == 0.0 && b == 0.0 { 1.0 } else { b };
    let near = angle(a, b).settled();
    let far = Pair::ordered_sum(PI.hi, -near.hi).with(PI.lo - near.lo);
    let value = if x.is_sign_negative() { far.value() } else { near.value() };
    let is_nan = x.is_nan() || y.is_nan();
    (if is_nan { f64::NAN } else { value }).copysign(y)
}
