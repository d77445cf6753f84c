//! Transcendental functions that are vector code, and give the same bits on every machine.
//!
//! A function is arithmetic without a branch: a loop over it becomes vector instructions, compiled once for each instruction
//! set. Where rounding once helps, it says [`f64::mul_add`], which rounds once by definition: the bits are equal on every
//! instruction set, also where the machine has no such instruction and calls a function (right, and slow). The few arguments
//! that need more, angles of 2³⁰ and beyond, are found element by element and computed again, so that neighbors never change
//! bits. `f32` is computed in `f64` and rounded once. Special values are those of IEEE 754, and so of NumPy.
//!
//! The answer is nearly the nearest float, because what the last roundings lose is kept in a second float and added at the
//! end ([`Pair`](pair::Pair)). The largest errors that a search of some hundred thousand arguments each has found, in units in
//! the last place of `f64` (the nearest float is within 0.5; `f32` is within 0.501):
//!
//! ```text
//! sin    0.70   cos    0.70   tan    0.78   asin   0.64   acos   0.61   atan   0.60
//! exp    0.75   exp2   0.72   exp_m1 0.83   sinh   0.69   cosh   0.80   tanh   0.70
//! ln     0.62   log2   0.65   log10  0.61   ln_1p  0.60   asinh  0.59   acosh  0.58
//! atanh  0.60   cbrt   0.63   pow    0.94   atan2  0.75   hypot  0.58
//! ```
//!
//! The golden files hold the worst arguments: `cargo test -p musher-array --test it -- --nocapture math` prints the table.
//!
//! Reading order: `pair` (numbers of two floats), `angle` and `circular`, `exponential`, `logarithm`, `inverse`, `power`;
//! then `blocks` (the loop over slices) and `wide` (other types than `f64`).

mod angle;
mod blocks;
mod circular;
mod coefficients;
mod exponential;
mod inverse;
mod logarithm;
pub(crate) mod one;
mod pair;
mod power;
pub(crate) mod random;
#[cfg(test)]
mod tests;
mod wide;

pub(crate) use wide::Wide;

use super::simd::dispatch_wide;

/// Makes of each row a function over slices, and its loop for whatever instruction set it is called from. The sine, written
/// out:
///
/// ```text
/// pub(crate) fn sin(x: &[f64], out: &mut [f64]) {
///     dispatch_wide(|| loops::sin(x, out));
/// }
/// mod loops {
///     fn sin(x: &[f64], out: &mut [f64]) {
///         blocks::angles([x], [out], |[x]| [circular::sin_cos(x).0], |[x]| [circular::sin_cos_far(x).0]);
///     }
/// }
/// ```
macro_rules! functions {
    ($($loop:ident fn $name:ident($($x:ident),+ => $($out:ident),+) = $(|$args:tt| $body:expr),+;)*) => {
        $(
            #[doc = concat!("`", stringify!($name), "` of every element.")]
            pub(crate) fn $name($($x: &[f64],)+ $($out: &mut [f64]),+) {
                dispatch_wide(
                    #[inline(always)]
                    || loops::$name($($x,)+ $($out),+),
                );
            }
        )*

        /// The loops, compiled for the instruction set of their callers.
        mod loops {
            use super::{blocks, circular, exponential, inverse, logarithm, power};
            $(
                #[inline(always)]
                pub(super) fn $name($($x: &[f64],)+ $($out: &mut [f64]),+) {
                    blocks::$loop([$($x),+], [$($out),+], $(#[inline(always)] |$args| $body),+);
                }
            )*
        }
    };
}

functions! {
    angles fn sin(x => out) = |[x]| [circular::sin_cos(x).0], |[x]| [circular::sin_cos_far(x).0];
    angles fn cos(x => out) = |[x]| [circular::sin_cos(x).1], |[x]| [circular::sin_cos_far(x).1];
    angles fn sin_cos(x => sin, cos) = |[x]| circular::sin_cos(x).into(), |[x]| circular::sin_cos_far(x).into();
    angles fn tan(x => out) = |[x]| [circular::tan(x)], |[x]| [circular::tan_far(x)];
    plain fn asin(x => out) = |[x]| [inverse::asin(x)];
    plain fn acos(x => out) = |[x]| [inverse::acos(x)];
    plain fn atan(x => out) = |[x]| [inverse::atan(x)];
    plain fn atan2(y, x => out) = |[y, x]| [inverse::atan2(y, x)];
    plain fn exp(x => out) = |[x]| [exponential::exp(x)];
    plain fn exp2(x => out) = |[x]| [exponential::exp2(x)];
    plain fn exp_m1(x => out) = |[x]| [exponential::exp_m1(x)];
    plain fn sinh(x => out) = |[x]| [exponential::sinh(x)];
    plain fn cosh(x => out) = |[x]| [exponential::cosh(x)];
    plain fn tanh(x => out) = |[x]| [exponential::tanh(x)];
    plain fn ln(x => out) = |[x]| [logarithm::ln(x)];
    plain fn log2(x => out) = |[x]| [logarithm::log2(x)];
    plain fn log10(x => out) = |[x]| [logarithm::log10(x)];
    plain fn ln_1p(x => out) = |[x]| [logarithm::ln_1p(x)];
    plain fn asinh(x => out) = |[x]| [logarithm::asinh(x)];
    plain fn acosh(x => out) = |[x]| [logarithm::acosh(x)];
    plain fn atanh(x => out) = |[x]| [logarithm::atanh(x)];
    plain fn cbrt(x => out) = |[x]| [power::cbrt(x)];
    plain fn pow(x, y => out) = |[x, y]| [power::pow(x, y)];
    plain fn hypot(x, y => out) = |[x, y]| [power::hypot(x, y)];
}
