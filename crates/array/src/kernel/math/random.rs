//! The few functions that random numbers need. Their products and sums are rounded apart, because the numbers of a seed
//! are promised to stay what they are.

use super::coefficients::{COSINE, LOGARITHM, SINE};
use super::pair::ROUNDER;

/// A number in `[0, 1)`, a multiple of 2⁻⁵², from the upper 52 bits.
///
/// The bits become the fraction of a float in `[1, 2)`: no conversion of integers, which vectors lack below AVX-512.
#[inline(always)]
pub(crate) fn exponent_trick_unit(bits: u64) -> f64 {
    f64::from_bits(0x3ff0_0000_0000_0000 | (bits >> 12)) - 1.0
}

/// The natural logarithm of a normal number in `(0, 1]`, to about one unit in the last place.
///
/// **Source** fdlibm's `e_log.c` (Sun Microsystems 1993), without its branches.
#[inline(always)]
pub(crate) fn ln_unit(x: f64) -> f64 {
    const LN2_HIGH: f64 = 6.931_471_803_691_238e-1;
    const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    const SQRT_HALF: u64 = 0x3fe6_a09e_667f_3bcd;
    // x = 2^k (1 + f) with 1 + f between the roots of 1/2 and 2.
    let shifted = x.to_bits().wrapping_add(0x3ff0_0000_0000_0000 - SQRT_HALF);
    let k = f64::from_bits(0x4330_0000_0000_0000 | (shifted >> 52)) - (4_503_599_627_370_496.0 + 1023.0);
    let f = f64::from_bits((shifted & 0x000f_ffff_ffff_ffff).wrapping_add(SQRT_HALF)) - 1.0;
    let s = f / (2.0 + f);
    let z = s * s;
    let w = z * z;
    let [l1, l2, l3, l4, l5, l6, l7] = LOGARITHM;
    let even = w * (l2 + w * (l4 + w * l6));
    let odd = z * (l1 + w * (l3 + w * (l5 + w * l7)));
    let half_square = 0.5 * f * f;
    k * LN2_HIGH - ((half_square - (s * (half_square + (even + odd)) + k * LN2_LOW)) - f)
}

/// Sine and cosine of `turn` full turns, for `turn` in `[0, 1)`, to about one unit in the last place.
///
/// **Source** fdlibm's `k_sin.c` and `k_cos.c`; reducing a turn to an eighth is exact.
#[inline(always)]
pub(crate) fn sin_cos_turn(turn: f64) -> (f64, f64) {
    let quarters = 4.0 * turn;
    let rounded = quarters + ROUNDER;
    let quadrant = rounded.to_bits() & 3;
    let x = (quarters - (rounded - ROUNDER)) * std::f64::consts::FRAC_PI_2;
    let z = x * x;
    let series = |[c0, c1, c2, c3, c4, c5]: [f64; 6]| c0 + z * (c1 + z * (c2 + z * (c3 + z * (c4 + z * c5))));
    let (sine_tail, cosine_tail) = (series(SINE), series(COSINE));
    let sine = x + x * (z * sine_tail);
    let half = 0.5 * z;
    let rest = 1.0 - half;
    let cosine = rest + ((1.0 - rest) - half + z * z * cosine_tail);
    let (a, b) = if quadrant & 1 == 0 { (sine, cosine) } else { (cosine, sine) };
    // Signs: sine is negative in quadrants 2 and 3, cosine in 1 and 2.
    let sine_sign = (quadrant & 2) << 62;
    let cosine_sign = ((quadrant + 1) & 2) << 62;
    (f64::from_bits(a.to_bits() ^ sine_sign), f64::from_bits(b.to_bits() ^ cosine_sign))
}
