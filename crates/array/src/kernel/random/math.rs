//! The few functions that random numbers need, without a branch, so that a loop over them becomes vector code with
//! equal bits on every instruction set. Platform mathematics would differ between machines.

/// A number in `[0, 1)`, a multiple of 2⁻⁵², from the upper 52 bits.
///
/// The bits become the fraction of a float in `[1, 2)`: no conversion of integers, which vectors lack below AVX-512.
#[inline(always)]
pub(super) fn exponent_trick_unit(bits: u64) -> f64 {
    f64::from_bits(0x3ff0_0000_0000_0000 | (bits >> 12)) - 1.0
}

/// The natural logarithm of a normal number in `(0, 1]`, to about one unit in the last place.
///
/// **Source** the minimax polynomial of fdlibm's `e_log.c` (Sun Microsystems 1993), evaluated without its branches.
#[inline(always)]
#[expect(clippy::excessive_precision, reason = "the coefficients as they were published")]
pub(super) fn ln_unit(x: f64) -> f64 {
    const LN2_HIGH: f64 = 6.931_471_803_691_238_164_90e-1;
    const LN2_LOW: f64 = 1.908_214_929_270_587_700_02e-10;
    const SQRT_HALF: u64 = 0x3fe6_a09e_667f_3bcd;
    // x = 2^k (1 + f) with 1 + f between the roots of 1/2 and 2.
    let shifted = x.to_bits().wrapping_add(0x3ff0_0000_0000_0000 - SQRT_HALF);
    let k = f64::from_bits(0x4330_0000_0000_0000 | (shifted >> 52)) - (4_503_599_627_370_496.0 + 1023.0);
    let f = f64::from_bits((shifted & 0x000f_ffff_ffff_ffff).wrapping_add(SQRT_HALF)) - 1.0;
    let s = f / (2.0 + f);
    let z = s * s;
    let w = z * z;
    let even = w
        * (3.999_999_999_940_941_908e-1
            + w * (2.222_219_843_214_978_396e-1 + w * 1.531_383_769_920_937_332e-1));
    let odd = z
        * (6.666_666_666_666_735_130e-1
            + w * (2.857_142_874_366_239_149e-1
                + w * (1.818_357_216_161_805_012e-1 + w * 1.479_819_860_511_658_591e-1)));
    let half_square = 0.5 * f * f;
    k * LN2_HIGH - ((half_square - (s * (half_square + (even + odd)) + k * LN2_LOW)) - f)
}

/// Sine and cosine of `turn` full turns, for `turn` in `[0, 1)`, to about one unit in the last place.
///
/// **Source** the polynomials of fdlibm's `k_sin.c` and `k_cos.c`; reducing a turn to an eighth is exact.
#[inline(always)]
#[expect(clippy::excessive_precision, reason = "the coefficients as they were published")]
pub(super) fn sin_cos_turn(turn: f64) -> (f64, f64) {
    // Adding and subtracting this rounds to the nearest integer.
    const ROUNDER: f64 = 6_755_399_441_055_744.0;
    let quarters = 4.0 * turn;
    let rounded = quarters + ROUNDER;
    let quadrant = rounded.to_bits() & 3;
    let x = (quarters - (rounded - ROUNDER)) * std::f64::consts::FRAC_PI_2;
    let z = x * x;
    let sine_tail = -1.666_666_666_666_663_243_48e-1
        + z * (8.333_333_333_322_489_461_24e-3
            + z * (-1.984_126_982_985_794_931_34e-4
                + z * (2.755_731_370_707_006_767_89e-6
                    + z * (-2.505_076_025_340_686_341_95e-8 + z * 1.589_690_995_211_550_102_21e-10))));
    let cosine_tail = 4.166_666_666_666_660_190_37e-2
        + z * (-1.388_888_888_887_410_957_49e-3
            + z * (2.480_158_728_947_672_941_78e-5
                + z * (-2.755_731_435_139_066_330_35e-7
                    + z * (2.087_572_321_298_174_827_90e-9 + z * -1.135_964_755_778_819_482_65e-11))));
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
