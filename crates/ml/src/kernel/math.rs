//! The exponential and logarithm that the logistic loss needs, without branches.
//!
//! They stand here, and not in the platform's library, for two reasons: the compiler turns them into vector
//! instructions inside a loop, and they give the same bits on every machine (plain multiply and add, never fused).

const LOG2_E: f64 = std::f64::consts::LOG2_E;
/// `ln 2` in two parts; the high one has 33 bits, so that a multiple of it below 2^20 is exact.
const LN2_HIGH: f64 = 6.931_471_803_691_238e-1;
const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;
/// Adding and subtracting it rounds to the nearest integer.
const ROUND: f64 = 6_755_399_441_055_744.0;

/// `e^x` for `x` in `[-inf, 0]`, to within two units in the last place; below −708 it is that of −708 (about 3e-308).
///
/// Source: argument reduced by `ln 2` in two parts (Cody and Waite), then the Taylor polynomial of degree 13, whose
/// remainder on `|r| <= ln 2 / 2` is 4e-18.
#[inline(always)]
pub(crate) fn exp_of_negative(x: f64) -> f64 {
    let x = if x < -708.0 { -708.0 } else { x };
    let shifted = x * LOG2_E + ROUND;
    let exponent = shifted - ROUND;
    let r = (x - exponent * LN2_HIGH) - exponent * LN2_LOW;
    let mut polynomial = 1.0 / 6_227_020_800.0;
    for coefficient in [
        1.0 / 479_001_600.0,
        1.0 / 39_916_800.0,
        1.0 / 3_628_800.0,
        1.0 / 362_880.0,
        1.0 / 40_320.0,
        1.0 / 5_040.0,
        1.0 / 720.0,
        1.0 / 120.0,
        1.0 / 24.0,
        1.0 / 6.0,
        0.5,
        1.0,
        1.0,
    ] {
        polynomial = polynomial * r + coefficient;
    }
    // The low bits of `shifted` hold the integer; the bias of the exponent is 1023.
    let scale = f64::from_bits(shifted.to_bits().wrapping_add(1023) << 52);
    polynomial * scale
}

/// `ln(1 + t)` for `t` in `[0, 1]`, to within three units in the last place.
///
/// Source: `ln(1 + t) = 2 atanh(t / (2 + t))`, whose series in the square of the argument (at most 1/9) is cut after
/// the eighteenth term.
#[inline(always)]
pub(crate) fn ln_1p_of_unit(t: f64) -> f64 {
    let s = t / (2.0 + t);
    let square = s * s;
    let mut series = 1.0 / 35.0;
    for odd in
        [33.0, 31.0, 29.0, 27.0, 25.0, 23.0, 21.0, 19.0, 17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0, 1.0]
    {
        series = series * square + 1.0 / odd;
    }
    2.0 * s * series
}

/// Sum of products over eight fixed lanes: the order of additions depends on the length only.
#[inline(always)]
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut lanes = [0.0f64; 8];
    let (a_chunks, a_rest) = a.as_chunks::<8>();
    let (b_chunks, b_rest) = b.as_chunks::<8>();
    for (a, b) in a_chunks.iter().zip(b_chunks) {
        for lane in 0..8 {
            lanes[lane] += a[lane] * b[lane];
        }
    }
    for (lane, (a, b)) in lanes.iter_mut().zip(a_rest.iter().zip(b_rest)) {
        *lane += a * b;
    }
    ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Units in the last place between two positive numbers.
    fn ulps(a: f64, b: f64) -> u64 {
        a.to_bits().abs_diff(b.to_bits())
    }

    #[test]
    fn exponential_is_that_of_the_library_to_two_ulps() {
        let worst =
            (0..200_000).map(|i| -f64::from(i) * 0.0035).map(|x| ulps(exp_of_negative(x), x.exp())).max();
        assert!(worst <= Some(2), "{worst:?}");
        assert_eq!(exp_of_negative(0.0), 1.0);
        assert_eq!(exp_of_negative(-0.0), 1.0);
    }

    #[test]
    fn exponential_of_the_far_tail_is_tiny_and_of_nan_is_nan() {
        assert!(exp_of_negative(f64::NEG_INFINITY) < 1e-300);
        assert!(exp_of_negative(-1e300) < 1e-300);
        assert!(exp_of_negative(f64::NAN).is_nan());
    }

    #[test]
    fn logarithm_is_that_of_the_library_to_three_ulps() {
        let worst =
            (0..=100_000).map(|i| f64::from(i) / 1e5).map(|t| ulps(ln_1p_of_unit(t), t.ln_1p())).max();
        assert!(worst <= Some(3), "{worst:?}");
        for exponent in 1..300 {
            let t = 10f64.powi(-exponent);
            assert!(ulps(ln_1p_of_unit(t), t.ln_1p()) <= 3, "1e-{exponent}");
        }
    }

    #[test]
    fn dot_product_of_every_short_length_is_exact_on_integers() {
        for n in 0..40u32 {
            let a: Vec<f64> = (0..n).map(f64::from).collect();
            let expected: u32 = (0..n).map(|i| i * i).sum();
            assert_eq!(dot(&a, &a), f64::from(expected), "length {n}");
        }
    }
}
