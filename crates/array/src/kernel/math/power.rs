//! Powers and roots.

use super::coefficients::CUBE_ROOT;
use super::exponential::{HIGHEST, LOWEST, exp_of_pair};
use super::logarithm::ln_to_pair;
use super::pair::{Pair, polynomial};

#[inline(always)]
pub(super) fn cbrt(x: f64) -> f64 {
    let size = x.abs();
    let is_subnormal = size < f64::MIN_POSITIVE;
    let scaled = if is_subnormal { size * 18_014_398_509_481_984.0 } else { size };
    // A third of the exponent and of the mantissa together: 5 bits. The product is a division by 3 of 32 bits.
    let third = (scaled.to_bits() >> 32).wrapping_mul(0xaaaa_aaab) >> 33;
    let guess = f64::from_bits(third.wrapping_add(715_094_163) << 32);
    let cubed = guess * guess * (guess / scaled);
    // 23 bits.
    let root = guess * polynomial(cubed, &CUBE_ROOT);
    // Newton's method twice: 46 bits, then all of them by the exact cube.
    let step = |root: f64| {
        let square = Pair::product(root, root);
        let excess = root.mul_add(square.lo, root.mul_add(square.hi, -scaled));
        root - excess / (3.0 * square.hi)
    };
    let root = step(step(root));
    let root = if is_subnormal { root * (1.0 / 262_144.0) } else { root };
    let is_plain = size > 0.0 && size < f64::INFINITY;
    if is_plain { root.copysign(x) } else { x }
}

#[inline(always)]
pub(super) fn hypot(x: f64, y: f64) -> f64 {
    let (x, y) = (x.abs(), y.abs());
    let is_infinite = x == f64::INFINITY || y == f64::INFINITY;
    let (a, b) = (if x > y { x } else { y }, if x > y { y } else { x });
    // Powers of two: 2^±600 for what is so large or small that its square is no float.
    let (large, small) = (f64::from_bits((1023 + 600) << 52), f64::from_bits((1023 - 600) << 52));
    let (down, up) = (if a > 1e150 { small } else { 1.0 }, if a > 1e150 { large } else { 1.0 });
    let (down, up) = (if a < 1e-150 { large } else { down }, if a < 1e-150 { small } else { up });
    let (a, b) = (a * down, b * down);
    let (a2, b2) = (Pair::product(a, a), Pair::product(b, b));
    let square = Pair::ordered_sum(a2.hi, b2.hi).with(a2.lo + b2.lo).settled();
    let value = square.root().value() * up;
    if is_infinite { f64::INFINITY } else { value }
}

#[inline(always)]
pub(super) fn pow(x: f64, y: f64) -> f64 {
    let size = x.abs();
    let log = ln_to_pair(size);
    let product = Pair::product(y, log.hi).with(y * log.lo);
    let is_high = product.hi > HIGHEST;
    let is_low = product.hi < LOWEST;
    let exponent = Pair::new(
        if is_high {
            HIGHEST
        } else if is_low {
            LOWEST
        } else {
            product.hi
        },
        if is_high || is_low { 0.0 } else { product.lo },
    );
    let value = exp_of_pair(exponent);
    let is_integer = y.trunc() == y;
    let is_odd = is_integer && (0.5 * y).trunc() != 0.5 * y;
    // 0 and ∞ have no finite logarithm.
    let at_zero = if y > 0.0 { 0.0 } else { f64::INFINITY };
    let at_infinity = if y > 0.0 { f64::INFINITY } else { 0.0 };
    let value = if size == 0.0 { at_zero } else { value };
    let value = if size == f64::INFINITY { at_infinity } else { value };
    let value = if y.abs() == f64::INFINITY && size == 1.0 { 1.0 } else { value };
    let is_nan = x.is_nan() || y.is_nan() || (x < 0.0 && size < f64::INFINITY && !is_integer);
    let value = if is_nan { f64::NAN } else { value };
    let value = if is_odd { value.copysign(x) } else { value };
    if y == 0.0 || x == 1.0 { 1.0 } else { value }
}
