//! The functions of one number, for those who have no slices of them: the same bits.

use super::{Wide, circular, exponential, inverse, logarithm, power};
use crate::kernel::simd::dispatch;

/// Sine and cosine.
pub(crate) fn sin_cos<A: Wide>(x: A) -> (A, A) {
    fn of(x: f64) -> (f64, f64) {
        dispatch(
            #[inline(always)]
            || circular::sin_cos_far(x),
        )
    }
    let (sin, cos) = of(x.widen());
    (A::narrow(sin), A::narrow(cos))
}

/// Makes of each row a function: one for all types around one of `f64`.
macro_rules! functions {
    ($(fn $name:ident($($x:ident),+) = $body:expr;)*) => {$(
        #[doc = concat!("`", stringify!($name), "` of one element.")]
        pub(crate) fn $name<A: Wide>($($x: A),+) -> A {
            fn of($($x: f64),+) -> f64 {
                dispatch(
                    #[inline(always)]
                    || $body,
                )
            }
            A::narrow(of($($x.widen()),+))
        }
    )*};
}

functions! {
    fn tan(x) = circular::tan_far(x);
    fn atan2(y, x) = inverse::atan2(y, x);
    fn exp(x) = exponential::exp(x);
    fn exp2(x) = exponential::exp2(x);
    fn exp_m1(x) = exponential::exp_m1(x);
    fn sinh(x) = exponential::sinh(x);
    fn cosh(x) = exponential::cosh(x);
    fn ln(x) = logarithm::ln(x);
    fn log2(x) = logarithm::log2(x);
    fn log10(x) = logarithm::log10(x);
    fn ln_1p(x) = logarithm::ln_1p(x);
    fn asinh(x) = logarithm::asinh(x);
    fn hypot(x, y) = power::hypot(x, y);
    fn pow(x, y) = power::pow(x, y);
}
