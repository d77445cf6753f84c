//! Angles less their multiples of a quarter turn.

use super::pair::{Pair, ROUNDER};

/// π/2 in three parts, each the rest of those before.
const QUARTER: [f64; 3] =
    [std::f64::consts::FRAC_PI_2, 6.123_233_995_736_766e-17, -1.497_384_904_859_169_8e-33];

/// Up to this magnitude three parts of π/2 are enough: the multiple is exact, and so is what the first part leaves.
const NEAR: f64 = 1_073_741_824.0;

/// An angle between -π/4 and π/4 (and a trace), and how many quarter turns were taken away, modulo 4.
#[derive(Clone, Copy)]
pub(super) struct Reduced {
    pub(super) quarters: u64,
    pub(super) rest: Pair,
}

/// Whether [`reduced`] does not know the answer: of large angles, infinite ones and NaN.
#[inline(always)]
pub(super) fn is_far(x: f64) -> bool {
    x.abs() >= NEAR || x.is_nan()
}

/// Takes quarter turns from an angle that is not [far](is_far).
///
/// **Source** Cody and Waite 1980, "Software Manual for the Elementary Functions".
#[inline(always)]
pub(super) fn reduced(x: f64) -> Reduced {
    let shifted = x.mul_add(std::f64::consts::FRAC_2_PI, ROUNDER);
    let n = shifted - ROUNDER;
    let first = (-n).mul_add(QUARTER[0], x);
    let second = Pair::product(n, QUARTER[1]);
    let rest = Pair::sum(first, -second.hi);
    let lo = (-n).mul_add(QUARTER[2], rest.lo - second.lo);
    Reduced { quarters: shifted.to_bits(), rest: Pair::new(rest.hi, lo) }
}

/// The same for every angle; NaN if it is not finite. Slow.
///
/// **Source** Payne and Hanek 1983, "Radian reduction for trigonometric functions": of 2/π only those bits are multiplied
/// that make no whole turns.
pub(super) fn reduced_far(x: f64) -> Reduced {
    if !is_far(x) {
        return reduced(x);
    }
    if !x.is_finite() {
        return Reduced { quarters: 0, rest: Pair::new(f64::NAN, f64::NAN) };
    }
    let bits = x.abs().to_bits();
    let mantissa = u128::from((bits & 0x000f_ffff_ffff_ffff) | 0x0010_0000_0000_0000);
    // x = mantissa 2^(exponent - 1075); the bits before this place, of which 64 are zeros, make multiples of four quarters.
    let place = (bits >> 52) as usize + 64 - 2 - 1075;
    let word = |at: usize| {
        let (word, shift) = (place / 64 + at, place % 64);
        ((u128::from(TWO_OVER_PI[word]) << 64 | u128::from(TWO_OVER_PI[word + 1])) >> (64 - shift)) as u64
    };
    // The fraction of full turns, in 192 bits.
    let low = mantissa * u128::from(word(2));
    let middle = mantissa * u128::from(word(1)) + (low >> 64);
    let high = mantissa * u128::from(word(0)) + (middle >> 64);
    let turn = [high as u64, middle as u64, low as u64];
    // The fraction of a quarter: without the two highest bits.
    let mut quarters = turn[0] >> 62;
    let mut top = (u128::from(turn[0]) << 64 | u128::from(turn[1])) << 2 | u128::from(turn[2] >> 62);
    let mut tail = turn[2] << 2;
    let is_over_half = top >> 127 == 1;
    if is_over_half {
        quarters += 1;
        tail = tail.wrapping_neg();
        top = (!top).wrapping_add(u128::from(tail == 0));
    }
    let zeros = top.leading_zeros();
    let top = match zeros {
        0 => top,
        1..64 => top << zeros | u128::from(tail >> (64 - zeros)),
        _ => (top << 64 | u128::from(tail)) << (zeros - 64),
    };
    // 2^-zeros times 53 and 53 more bits.
    let scale = f64::from_bits(u64::from(1023 - zeros) << 52);
    let fraction = Pair::new(
        (top >> 75) as f64 * (f64::EPSILON / 2.0) * scale,
        ((top >> 22) as u64 & 0x001f_ffff_ffff_ffff) as f64 * (f64::EPSILON / 2.0).powi(2) * scale,
    );
    let product = Pair::product(fraction.hi, QUARTER[0]);
    let rest = product.with(fraction.hi.mul_add(QUARTER[1], fraction.lo * QUARTER[0])).settled();
    match is_over_half != x.is_sign_negative() {
        true => Reduced { quarters: signed(quarters, x), rest: -rest },
        false => Reduced { quarters: signed(quarters, x), rest },
    }
}

/// Quarter turns of a negative angle go the other way.
fn signed(quarters: u64, x: f64) -> u64 {
    if x.is_sign_negative() { quarters.wrapping_neg() } else { quarters }
}

/// The bits of 2/π, after a word of zeros.
const TWO_OVER_PI: [u64; 22] = [
    0,
    0xa2f9_836e_4e44_1529,
    0xfc27_57d1_f534_ddc0,
    0xdb62_9599_3c43_9041,
    0xfe51_63ab_debb_c561,
    0xb724_6e3a_424d_d2e0,
    0x0649_2eea_09d1_921c,
    0xfe1d_eb1c_b129_a73e,
    0xe882_35f5_2ebb_4484,
    0xe99c_7026_b45f_7e41,
    0x3991_d639_8353_39f4,
    0x9c84_5f8b_bdf9_283b,
    0x1ff8_97ff_de05_980f,
    0xef2f_118b_5a0a_6d1f,
    0x6d36_7ecf_27cb_09b7,
    0x4f46_3f66_9e5f_ea2d,
    0x7527_bac7_ebe5_f17b,
    0x3d07_39f7_8a52_92ea,
    0x6bfb_5fb1_1f8d_5d08,
    0x5603_3046_fc7b_6bab,
    0xf0cf_bc20_9af4_361d,
    0xa9e3_9161_5ee6_1b08,
];
