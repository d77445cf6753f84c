//! Functions of complex numbers where the plain formulas of `num-complex` overflow or lose digits.
//!
//! **Source** of the inverse functions and their branch cuts: Kahan 1987, "Branch cuts for complex elementary functions,
//! or much ado about nothing's sign bit"; of the quotient: Smith 1962, "Algorithm 116: complex division", as in NumPy.

use super::Fault;
use crate::kernel::math::{Wide, one};
use num_complex::Complex;
use num_traits::Float;

/// A part of a complex number.
pub(super) trait Part: Float + Wide {}

impl<A: Float + Wide> Part for A {}

/// The number 2.
fn two<T: Float>() -> T {
    T::one() + T::one()
}

/// A number made of a float constant, which every float type can hold or round.
fn constant<T: Float>(value: f64) -> T {
    T::from(value).unwrap_or_else(T::nan)
}

/// `x / y` without squares of what is large.
pub(super) fn divide<T: Float>(x: Complex<T>, y: Complex<T>) -> Complex<T> {
    if y.re.abs() >= y.im.abs() {
        if y.re.is_zero() && y.im.is_zero() {
            // Infinities and NaNs by the signs of what is divided.
            return Complex::new(x.re / y.re.abs(), x.im / y.re.abs());
        }
        let ratio = y.im / y.re;
        let scale = T::one() / (y.re + y.im * ratio);
        Complex::new((x.re + x.im * ratio) * scale, (x.im - x.re * ratio) * scale)
    } else {
        let ratio = y.re / y.im;
        let scale = T::one() / (y.im + y.re * ratio);
        Complex::new((x.re * ratio + x.im) * scale, (x.im * ratio - x.re) * scale)
    }
}

/// `1 / z`.
pub(super) fn recip<T: Float>(z: Complex<T>) -> Complex<T> {
    divide(Complex::new(T::one(), T::zero()), z)
}

/// The length.
pub(super) fn abs<T: Part>(z: Complex<T>) -> T {
    one::hypot(z.re, z.im)
}

/// The angle.
pub(super) fn arg<T: Part>(z: Complex<T>) -> T {
    one::atan2(z.im, z.re)
}

/// The square root whose real part is not negative.
pub(super) fn sqrt<T: Part>(z: Complex<T>) -> Complex<T> {
    if z.im.is_infinite() || (z.re.is_zero() && z.im.is_zero()) {
        return Complex::new(z.im.abs(), z.im);
    }
    // Powers of four, whose roots are exact: no sum overflows, and no half of a subnormal is lost.
    let (size, four) = (z.re.abs().max(z.im.abs()), constant::<T>(4.0));
    let scale = if size > T::max_value() / four {
        four.recip()
    } else if size < T::min_positive_value() / T::epsilon() {
        four.powi(30)
    } else {
        T::one()
    };
    let (re, im) = (z.re * scale, z.im * scale);
    // The larger part; the other one is a quotient, which loses nothing.
    let large = ((re.abs() + one::hypot(re, im)) / two()).sqrt();
    let small = im.abs() / (large + large);
    let back = scale.sqrt();
    match z.re.is_sign_negative() {
        true => Complex::new(small / back, (large / back).copysign(z.im)),
        false => Complex::new(large / back, (small / back).copysign(z.im)),
    }
}

/// The number of length 1 in the direction of `z`; 0 of 0.
pub(super) fn direction<T: Part>(z: Complex<T>) -> Complex<T> {
    let length = abs(z);
    if length.is_zero() { z } else { Complex::new(z.re / length, z.im / length) }
}

/// A length times the sine or cosine of an angle; 0 of an axis also where the length is infinite.
fn along<T: Float>(length: T, part: T) -> T {
    if part.is_zero() { part } else { length * part }
}

/// e to the power of `z`.
pub(super) fn exp<T: Part>(z: Complex<T>) -> Complex<T> {
    let ((sin, cos), length) = (one::sin_cos(z.im), one::exp(z.re));
    Complex::new(along(length, cos), along(length, sin))
}

/// The sine.
pub(super) fn sin<T: Part>(z: Complex<T>) -> Complex<T> {
    let (sin, cos) = one::sin_cos(z.re);
    Complex::new(along(one::cosh(z.im), sin), along(one::sinh(z.im), cos))
}

/// The cosine.
pub(super) fn cos<T: Part>(z: Complex<T>) -> Complex<T> {
    let (sin, cos) = one::sin_cos(z.re);
    Complex::new(along(one::cosh(z.im), cos), -along(one::sinh(z.im), sin))
}

/// The hyperbolic sine.
pub(super) fn sinh<T: Part>(z: Complex<T>) -> Complex<T> {
    let (sin, cos) = one::sin_cos(z.im);
    Complex::new(along(one::sinh(z.re), cos), along(one::cosh(z.re), sin))
}

/// The hyperbolic cosine.
pub(super) fn cosh<T: Part>(z: Complex<T>) -> Complex<T> {
    let (sin, cos) = one::sin_cos(z.im);
    Complex::new(along(one::cosh(z.re), cos), along(one::sinh(z.re), sin))
}

/// 2 to the power of `z`.
pub(super) fn exp2<T: Part>(z: Complex<T>) -> Complex<T> {
    let (sin, cos) = one::sin_cos(z.im * constant(std::f64::consts::LN_2));
    let length = one::exp2(z.re);
    Complex::new(along(length, cos), along(length, sin))
}

/// e to the power of `z`, less 1.
pub(super) fn exp_m1<T: Part>(z: Complex<T>) -> Complex<T> {
    let ((half, _), (sin, cos)) = (one::sin_cos(z.im / two()), one::sin_cos(z.im));
    Complex::new(along(one::exp_m1(z.re), cos) - two::<T>() * half * half, along(one::exp(z.re), sin))
}

/// The natural logarithm.
pub(super) fn ln<T: Part>(z: Complex<T>) -> Complex<T> {
    Complex::new(one::ln(abs(z)), arg(z))
}

/// The logarithm to base 2.
pub(super) fn log2<T: Part>(z: Complex<T>) -> Complex<T> {
    Complex::new(one::log2(abs(z)), arg(z) * constant(std::f64::consts::LOG2_E))
}

/// The logarithm to base 10.
pub(super) fn log10<T: Part>(z: Complex<T>) -> Complex<T> {
    Complex::new(one::log10(abs(z)), arg(z) * constant(std::f64::consts::LOG10_E))
}

/// The natural logarithm of `1 + z`.
pub(super) fn ln_1p<T: Part>(z: Complex<T>) -> Complex<T> {
    let one = T::one();
    // The square of the length, less 1: exact near 0, where the length itself would be 1.
    let above = z.re * (two::<T>() + z.re) + z.im * z.im;
    let length = match above.abs() < constant(0.5) {
        true => one::ln_1p(above) / two(),
        false => one::ln(one::hypot(one + z.re, z.im)),
    };
    Complex::new(length, one::atan2(z.im, one + z.re))
}

/// The hyperbolic tangent; exact near its poles, too.
pub(super) fn tanh<T: Part>(z: Complex<T>) -> Complex<T> {
    // Beyond this the quotient is ±1 and a trace, and further on the hyperbolic functions are infinite.
    if z.re.abs() > constant(40.0) {
        let (sin, cos) = one::sin_cos(z.im);
        let trace = constant::<T>(4.0) * sin * cos * one::exp(-two::<T>() * z.re.abs());
        return Complex::new(T::one().copysign(z.re), trace);
    }
    let (tan, sinh) = (one::tan(z.im), one::sinh(z.re));
    let (beta, rho) = (T::one() + tan * tan, (T::one() + sinh * sinh).sqrt());
    let below = T::one() + beta * sinh * sinh;
    Complex::new(beta * rho * sinh / below, tan / below)
}

/// The tangent.
pub(super) fn tan<T: Part>(z: Complex<T>) -> Complex<T> {
    turned_back(tanh(turned(z)))
}

/// The angle whose sine `z` is.
pub(super) fn asin<T: Part>(z: Complex<T>) -> Complex<T> {
    let (below, above) = roots(z);
    let product = below.conj() * above;
    Complex::new(one::atan2(z.re, (below * above).re), one::asinh(product.im))
}

/// The angle whose cosine `z` is.
pub(super) fn acos<T: Part>(z: Complex<T>) -> Complex<T> {
    let (below, above) = roots(z);
    Complex::new(two::<T>() * one::atan2(below.re, above.re), one::asinh((above.conj() * below).im))
}

/// The inverse hyperbolic cosine.
pub(super) fn acosh<T: Part>(z: Complex<T>) -> Complex<T> {
    let one = T::one();
    let below = sqrt(Complex::new(z.re - one, z.im));
    let above = sqrt(Complex::new(z.re + one, z.im));
    Complex::new(one::asinh((below.conj() * above).re), two::<T>() * one::atan2(below.im, above.re))
}

/// The inverse hyperbolic sine.
pub(super) fn asinh<T: Part>(z: Complex<T>) -> Complex<T> {
    turned_back(asin(turned(z)))
}

/// The inverse hyperbolic tangent.
pub(super) fn atanh<T: Part>(z: Complex<T>) -> Complex<T> {
    let one = T::one();
    // Far out the squares overflow, and the answer is that of `1 / z` turned by a quarter.
    if z.re.abs().max(z.im.abs()) > one / T::epsilon() {
        let quarter = constant::<T>(std::f64::consts::FRAC_PI_2).copysign(z.im);
        return Complex::new(recip(z).re, quarter);
    }
    // On the right side the logarithm is of 1 and more; on the left digits would cancel.
    let (re, square) = (z.re.abs(), z.im * z.im);
    let apart = one - re;
    let length = one::ln_1p(constant::<T>(4.0) * re / (apart * apart + square)) / constant(4.0);
    let angle = one::atan2(two::<T>() * z.im, apart * (one + re) - square) / two();
    Complex::new(length.copysign(z.re), angle)
}

/// The angle whose tangent `z` is.
pub(super) fn atan<T: Part>(z: Complex<T>) -> Complex<T> {
    turned_back(atanh(turned(z)))
}

/// The roots of `1 - z` and `1 + z`.
fn roots<T: Part>(z: Complex<T>) -> (Complex<T>, Complex<T>) {
    let one = T::one();
    (sqrt(Complex::new(one - z.re, -z.im)), sqrt(Complex::new(one + z.re, z.im)))
}

/// `i z`.
fn turned<T: Float>(z: Complex<T>) -> Complex<T> {
    Complex::new(-z.im, z.re)
}

/// `-i z`.
fn turned_back<T: Float>(z: Complex<T>) -> Complex<T> {
    Complex::new(z.im, -z.re)
}

/// `x` to the power of `y`. Of 0 it is 0 where the real part of `y` is positive, and NaN of any other `y` but 0, as NumPy's.
pub(super) fn pow<T: Part>(x: Complex<T>, y: Complex<T>) -> Complex<T> {
    if y.re.is_zero() && y.im.is_zero() {
        return Complex::new(T::one(), T::zero());
    }
    if x.re.is_zero() && x.im.is_zero() {
        let value = if y.re > T::zero() { T::zero() } else { T::nan() };
        return Complex::new(value, value);
    }
    exp(y * ln(x))
}

/// `out[i] = x[i]^exponent` by repeated squaring.
pub(super) fn power<T: Float>(exponent: i32, x: &[Complex<T>], out: &mut [Complex<T>]) -> Result<(), Fault> {
    for (out, &x) in out.iter_mut().zip(x) {
        let (mut base, mut left) = (x, exponent.unsigned_abs());
        let mut acc = Complex::new(T::one(), T::zero());
        while left > 0 {
            if left & 1 == 1 {
                acc = acc * base;
            }
            base = base * base;
            left >>= 1;
        }
        *out = if exponent < 0 { recip(acc) } else { acc };
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// On the real axis they are the real functions, also where these are infinite.
    #[test]
    fn the_real_axis_stays_real() {
        for x in [-2000.0_f64, -800.0, -1.5, 0.0, 0.25, 700.0, 1000.0, 2000.0] {
            let z = Complex::new(x, 0.0);
            assert_eq!(exp(z), Complex::new(x.exp(), 0.0));
            assert_eq!(exp2(z), Complex::new(x.exp2(), 0.0));
            assert_eq!(exp_m1(z), Complex::new(x.exp_m1(), 0.0));
            assert_eq!(sinh(z), Complex::new(x.sinh(), 0.0));
            assert_eq!(cosh(z), Complex::new(x.cosh(), 0.0));
            assert_eq!(sin(Complex::new(0.0, x)), Complex::new(0.0, x.sinh()));
            assert_eq!(cos(Complex::new(0.0, x)), Complex::new(x.cosh(), 0.0));
        }
    }

    /// NumPy 2.4's answers.
    #[test]
    fn powers_of_zero_are_those_of_numpy() {
        let zero = Complex::new(0.0_f64, 0.0);
        for power in [Complex::new(1.0, 0.0), Complex::new(2.5, 0.0), Complex::new(1.0, 1.0)] {
            assert_eq!(pow(zero, power), zero);
        }
        for power in [Complex::new(-1.0, 0.0), Complex::new(0.0, 1.0)] {
            assert!(pow(zero, power).re.is_nan() && pow(zero, power).im.is_nan());
        }
        assert_eq!(pow(zero, zero), Complex::new(1.0, 0.0));
    }

    #[test]
    fn a_trace_is_left_of_what_is_far() {
        // 4 sin(1) cos(1) e^-82.
        let found = tanh(Complex::new(41.0, 1.0)).im;
        let want = 4.0 * 1.0_f64.sin() * 1.0_f64.cos() * (-82.0_f64).exp();
        assert!((found / want - 1.0).abs() < 1e-14, "{found:e} for {want:e}");
        assert_eq!(tanh(Complex::new(-2000.0, 1.0)).re, -1.0);
    }
}
