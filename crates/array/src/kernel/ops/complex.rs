//! Functions of complex numbers where the plain formulas of `num-complex` overflow or lose digits.
//!
//! **Source** of the inverse functions and their branch cuts: Kahan 1987, "Branch cuts for complex elementary functions,
//! or much ado about nothing's sign bit"; of the quotient: Smith 1962, "Algorithm 116: complex division", as in NumPy.

use super::{Fault, float};
use num_complex::Complex;
use num_traits::Float;

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

/// The number of length 1 in the direction of `z`; 0 of 0.
pub(super) fn direction<T: Float>(z: Complex<T>) -> Complex<T> {
    let length = z.re.hypot(z.im);
    if length.is_zero() { z } else { Complex::new(z.re / length, z.im / length) }
}

/// A length times the sine or cosine of an angle; 0 of an axis also where the length is infinite.
fn along<T: Float>(length: T, part: T) -> T {
    if part.is_zero() { part } else { length * part }
}

/// e to the power of `z`.
pub(super) fn exp<T: Float>(z: Complex<T>) -> Complex<T> {
    let ((sin, cos), length) = (z.im.sin_cos(), z.re.exp());
    Complex::new(along(length, cos), along(length, sin))
}

/// The sine.
pub(super) fn sin<T: Float>(z: Complex<T>) -> Complex<T> {
    let (sin, cos) = z.re.sin_cos();
    Complex::new(along(z.im.cosh(), sin), along(z.im.sinh(), cos))
}

/// The cosine.
pub(super) fn cos<T: Float>(z: Complex<T>) -> Complex<T> {
    let (sin, cos) = z.re.sin_cos();
    Complex::new(along(z.im.cosh(), cos), -along(z.im.sinh(), sin))
}

/// The hyperbolic sine.
pub(super) fn sinh<T: Float>(z: Complex<T>) -> Complex<T> {
    let (sin, cos) = z.im.sin_cos();
    Complex::new(along(z.re.sinh(), cos), along(z.re.cosh(), sin))
}

/// The hyperbolic cosine.
pub(super) fn cosh<T: Float>(z: Complex<T>) -> Complex<T> {
    let (sin, cos) = z.im.sin_cos();
    Complex::new(along(z.re.cosh(), cos), along(z.re.sinh(), sin))
}

/// 2 to the power of `z`.
pub(super) fn exp2<T: Float>(z: Complex<T>) -> Complex<T> {
    let (sin, cos) = (z.im * two::<T>().ln()).sin_cos();
    let length = z.re.exp2();
    Complex::new(along(length, cos), along(length, sin))
}

/// e to the power of `z`, less 1.
pub(super) fn exp_m1<T: Float>(z: Complex<T>) -> Complex<T> {
    let half = (z.im / two()).sin();
    Complex::new(along(z.re.exp_m1(), z.im.cos()) - two::<T>() * half * half, along(z.re.exp(), z.im.sin()))
}

/// The natural logarithm.
pub(super) fn ln<T: Float>(z: Complex<T>) -> Complex<T> {
    Complex::new(z.re.hypot(z.im).ln(), z.im.atan2(z.re))
}

/// The logarithm to base 2.
pub(super) fn log2<T: Float>(z: Complex<T>) -> Complex<T> {
    Complex::new(z.re.hypot(z.im).log2(), z.im.atan2(z.re) * constant(std::f64::consts::LOG2_E))
}

/// The logarithm to base 10.
pub(super) fn log10<T: Float>(z: Complex<T>) -> Complex<T> {
    Complex::new(z.re.hypot(z.im).log10(), z.im.atan2(z.re) * constant(std::f64::consts::LOG10_E))
}

/// The natural logarithm of `1 + z`.
pub(super) fn ln_1p<T: Float>(z: Complex<T>) -> Complex<T> {
    let one = T::one();
    // The square of the length, less 1: exact near 0, where the length itself would be 1.
    let above = z.re * (two::<T>() + z.re) + z.im * z.im;
    let length = match above.abs() < constant(0.5) {
        true => above.ln_1p() / two(),
        false => (one + z.re).hypot(z.im).ln(),
    };
    Complex::new(length, z.im.atan2(one + z.re))
}

/// The hyperbolic tangent; exact near its poles, too.
pub(super) fn tanh<T: Float>(z: Complex<T>) -> Complex<T> {
    // Beyond this the quotient is ±1 and a trace, and further on the hyperbolic functions are infinite.
    if z.re.abs() > constant(40.0) {
        let (sin, cos) = z.im.sin_cos();
        let trace = constant::<T>(4.0) * sin * cos * (-two::<T>() * z.re.abs()).exp();
        return Complex::new(T::one().copysign(z.re), trace);
    }
    let (tan, sinh) = (z.im.tan(), z.re.sinh());
    let (beta, rho) = (T::one() + tan * tan, (T::one() + sinh * sinh).sqrt());
    let below = T::one() + beta * sinh * sinh;
    Complex::new(beta * rho * sinh / below, tan / below)
}

/// The tangent.
pub(super) fn tan<T: Float>(z: Complex<T>) -> Complex<T> {
    turned_back(tanh(turned(z)))
}

/// The angle whose sine `z` is.
pub(super) fn asin<T: Float>(z: Complex<T>) -> Complex<T> {
    let (below, above) = roots(z);
    let product = below.conj() * above;
    Complex::new(z.re.atan2((below * above).re), float::asinh(product.im))
}

/// The angle whose cosine `z` is.
pub(super) fn acos<T: Float>(z: Complex<T>) -> Complex<T> {
    let (below, above) = roots(z);
    Complex::new(two::<T>() * below.re.atan2(above.re), float::asinh((above.conj() * below).im))
}

/// The inverse hyperbolic cosine.
pub(super) fn acosh<T: Float>(z: Complex<T>) -> Complex<T> {
    let one = T::one();
    let below = Complex::new(z.re - one, z.im).sqrt();
    let above = Complex::new(z.re + one, z.im).sqrt();
    Complex::new(float::asinh((below.conj() * above).re), two::<T>() * below.im.atan2(above.re))
}

/// The inverse hyperbolic sine.
pub(super) fn asinh<T: Float>(z: Complex<T>) -> Complex<T> {
    turned_back(asin(turned(z)))
}

/// The inverse hyperbolic tangent.
pub(super) fn atanh<T: Float>(z: Complex<T>) -> Complex<T> {
    let one = T::one();
    // Far out the squares overflow, and the answer is that of `1 / z` turned by a quarter.
    if z.re.abs().max(z.im.abs()) > one / T::epsilon() {
        let quarter = constant::<T>(std::f64::consts::FRAC_PI_2).copysign(z.im);
        return Complex::new(recip(z).re, quarter);
    }
    // On the right side the logarithm is of 1 and more; on the left digits would cancel.
    let (re, square) = (z.re.abs(), z.im * z.im);
    let apart = one - re;
    let length = (constant::<T>(4.0) * re / (apart * apart + square)).ln_1p() / constant(4.0);
    let angle = (two::<T>() * z.im).atan2(apart * (one + re) - square) / two();
    Complex::new(length.copysign(z.re), angle)
}

/// The angle whose tangent `z` is.
pub(super) fn atan<T: Float>(z: Complex<T>) -> Complex<T> {
    turned_back(atanh(turned(z)))
}

/// The roots of `1 - z` and `1 + z`.
fn roots<T: Float>(z: Complex<T>) -> (Complex<T>, Complex<T>) {
    let one = T::one();
    (Complex::new(one - z.re, -z.im).sqrt(), Complex::new(one + z.re, z.im).sqrt())
}

/// `i z`.
fn turned<T: Float>(z: Complex<T>) -> Complex<T> {
    Complex::new(-z.im, z.re)
}

/// `-i z`.
fn turned_back<T: Float>(z: Complex<T>) -> Complex<T> {
    Complex::new(z.im, -z.re)
}

/// `x` to the power of `y`.
pub(super) fn pow<T: Float + num_traits::FloatConst>(x: Complex<T>, y: Complex<T>) -> Complex<T> {
    x.powc(y)
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

    #[test]
    fn a_trace_is_left_of_what_is_far() {
        // 4 sin(1) cos(1) e^-82.
        let found = tanh(Complex::new(41.0, 1.0)).im;
        let want = 4.0 * 1.0_f64.sin() * 1.0_f64.cos() * (-82.0_f64).exp();
        assert!((found / want - 1.0).abs() < 1e-14, "{found:e} for {want:e}");
        assert_eq!(tanh(Complex::new(-2000.0, 1.0)).re, -1.0);
    }
}
