//! The table of elementwise operations: one row each, from which everything else about them is made.
//!
//! A row is written like a function, so that a search for `fn sinh` ends here. For one of two values it reads:
//!
//! ```text
//! /// The length of the hypotenuse over both.                what the method's page says
//! fn hypot where A: Float = 10, Call, ulp 1, "hypot":        name, element types, number, cost, tolerance, NumPy's name
//!     floats wide |x, y, out| math::hypot(x, y, out);                              the loop of each domain
//! ```
//!
//! - `fn` makes a method of [`Array`](crate::Array), `operator` does not: that one is an operator of Rust.
//! - The number stands in fingerprints: it is never changed and never used again.
//! - The cost is a [`Class`](super::Class).
//! - The tolerance counts units in the last place between our answer and that of the original, of real numbers.
//! - The last name is NumPy's, or a term of its functions of `x` and `y`: the golden files are made from it.
//! - The domains are `floats`, `integers` (or `signed` and `unsigned` apart), `reals` (all of these), `bools`, `complex`.
//!   A domain without a word in the row has no such operation; the bound says the same to the compiler, and a test
//!   compares the two. A word after the domain says what the expression gives instead of the value: `flagged` the value
//!   and whether it is wrong, `checked` an option, `divided` an option that is none also where the divisor is zero. After `wide` the expression fills a slice
//!   of `f64` from others: the functions of [`math`](crate::kernel::math), in which `f32` is widened and rounded once.
//!
//! A table is a macro that calls the macro it is given with all rows: the operations' enums are made of them (in
//! `mod.rs`), the loops of each element type (in `loops.rs`), and the methods (in `functions.rs`). Swapping two bodies
//! by mistake fails the test that compares every row and every element type with NumPy.

/// Functions of one value that keep its type. `$use` receives `$args` and the rows.
macro_rules! unary_table {
    ($use:ident $($args:tt)*) => { $use! { $($args)*
        /// The negative of every element; integers report overflow.
        operator neg where A: Number = 1, Light, ulp 0, "negative":
            floats |x| -x, integers flagged |x| x.overflowing_neg(), complex |z| -z;
        /// Every bit, or every truth, the other way round.
        operator not where A: Bits = 2, Light, ulp 0, "invert":
            integers |x| !x, bools |x| !x;
        /// Every element times itself; integers report overflow.
        #[doc(alias = "numpy.square")]
        fn square where A: Number = 3, Light, ulp 0, "square":
            floats |x| x * x, integers flagged |x| x.product(x), complex |z| z * z;
        /// The complex conjugate of every element; a real number is its own.
        #[doc(alias = "conjugate")]
        #[doc(alias = "numpy.conj")]
        fn conj where A: Number = 4, Light, ulp 0, "conjugate":
            floats |x| x, integers |x| x, complex |z| z.conj();
        /// -1, 0 or 1 by the sign of every element; NaN stays, and 0 has the sign 0, as in NumPy and unlike Rust's `signum`.
        /// Of a complex number the number of length 1 in its direction.
        #[doc(alias = "sign")]
        fn signum where A: Number = 5, Plain, ulp 2, "sign":
            floats |x| if x > 0.0 { 1.0 } else if x < 0.0 { -1.0 } else if x.is_nan() { x } else { 0.0 },
            signed |x| x.signum(), unsigned |x| x.min(1), complex |z| super::complex::direction(z);
        /// The largest integer that is not above every element.
        #[doc(alias = "numpy.floor")]
        fn floor where A: Real = 6, Light, ulp 0, "floor":
            floats |x| x.floor(), integers |x| x;
        /// The smallest integer that is not below every element.
        #[doc(alias = "numpy.ceil")]
        fn ceil where A: Real = 7, Light, ulp 0, "ceil":
            floats |x| x.ceil(), integers |x| x;
        /// The nearest integer of every element; halves away from zero, as Rust's.
        fn round where A: Real = 8, Call, ulp 0, "trunc(x) + where(abs(x - trunc(x)) >= 0.5, sign(x), 0)":
            floats |x| x.round(), integers |x| x;
        /// The nearest integer of every element; halves to the even one, as NumPy's `round`.
        #[doc(alias = "numpy.round")]
        #[doc(alias = "rint")]
        #[doc(alias = "around")]
        fn round_ties_even where A: Real = 9, Light, ulp 0, "rint":
            floats |x| x.round_ties_even(), integers |x| x;
        /// The integer part of every element.
        #[doc(alias = "fix")]
        #[doc(alias = "numpy.trunc")]
        fn trunc where A: Real = 10, Light, ulp 0, "trunc":
            floats |x| x.trunc(), integers |x| x;
        /// What follows the point of every element, with its sign.
        fn fract where A: Float = 11, Plain, ulp 0, "x - trunc(x)":
            floats |x| x.fract();
        /// One divided by every element.
        #[doc(alias = "reciprocal")]
        fn recip where A: Inexact = 12, Root, ulp 2, "reciprocal":
            floats |x| 1.0 / x, complex |z| super::complex::recip(z);
        /// The square root of every element; NaN of a negative real number.
        #[doc(alias = "numpy.sqrt")]
        fn sqrt where A: Inexact = 13, Root, ulp 1, "sqrt":
            floats |x| x.sqrt(), complex |z| super::complex::sqrt(z);
        /// The cube root of every element.
        #[doc(alias = "numpy.cbrt")]
        fn cbrt where A: Float = 14, Call, ulp 1, "cbrt":
            floats wide |x, out| math::cbrt(x, out);
        /// e to the power of every element.
        #[doc(alias = "numpy.exp")]
        fn exp where A: Inexact = 15, Call, ulp 1, "exp":
            floats wide |x, out| math::exp(x, out), complex |z| super::complex::exp(z);
        /// 2 to the power of every element.
        #[doc(alias = "numpy.exp2")]
        fn exp2 where A: Inexact = 16, Call, ulp 1, "exp2":
            floats wide |x, out| math::exp2(x, out), complex |z| super::complex::exp2(z);
        /// e to the power of every element, less 1; exact near 0.
        #[doc(alias = "expm1")]
        fn exp_m1 where A: Inexact = 17, Call, ulp 1, "expm1":
            floats wide |x, out| math::exp_m1(x, out), complex |z| super::complex::exp_m1(z);
        /// The natural logarithm of every element; of a negative real number NaN.
        #[doc(alias = "log")]
        fn ln where A: Inexact = 18, Call, ulp 1, "log":
            floats wide |x, out| math::ln(x, out), complex |z| super::complex::ln(z);
        /// The logarithm to base 2 of every element.
        #[doc(alias = "numpy.log2")]
        fn log2 where A: Inexact = 19, Call, ulp 1, "log2":
            floats wide |x, out| math::log2(x, out), complex |z| super::complex::log2(z);
        /// The logarithm to base 10 of every element.
        #[doc(alias = "numpy.log10")]
        fn log10 where A: Inexact = 20, Call, ulp 1, "log10":
            floats wide |x, out| math::log10(x, out), complex |z| super::complex::log10(z);
        /// The natural logarithm of 1 plus every element; exact near 0.
        #[doc(alias = "log1p")]
        fn ln_1p where A: Inexact = 21, Call, ulp 1, "log1p":
            floats wide |x, out| math::ln_1p(x, out), complex |z| super::complex::ln_1p(z);
        /// The sine of every element, in radians.
        #[doc(alias = "numpy.sin")]
        fn sin where A: Inexact = 22, Call, ulp 1, "sin":
            floats wide |x, out| math::sin(x, out), complex |z| super::complex::sin(z);
        /// The cosine of every element, in radians.
        #[doc(alias = "numpy.cos")]
        fn cos where A: Inexact = 23, Call, ulp 1, "cos":
            floats wide |x, out| math::cos(x, out), complex |z| super::complex::cos(z);
        /// The tangent of every element, in radians.
        #[doc(alias = "numpy.tan")]
        fn tan where A: Inexact = 24, Call, ulp 1, "tan":
            floats wide |x, out| math::tan(x, out), complex |z| super::complex::tan(z);
        /// The angle in radians whose sine each element is.
        #[doc(alias = "arcsin")]
        #[doc(alias = "numpy.asin")]
        fn asin where A: Inexact = 25, Call, ulp 1, "arcsin":
            floats wide |x, out| math::asin(x, out), complex |z| super::complex::asin(z);
        /// The angle in radians whose cosine each element is.
        #[doc(alias = "arccos")]
        #[doc(alias = "numpy.acos")]
        fn acos where A: Inexact = 26, Call, ulp 1, "arccos":
            floats wide |x, out| math::acos(x, out), complex |z| super::complex::acos(z);
        /// The angle in radians whose tangent each element is.
        #[doc(alias = "arctan")]
        #[doc(alias = "numpy.atan")]
        fn atan where A: Inexact = 27, Call, ulp 1, "arctan":
            floats wide |x, out| math::atan(x, out), complex |z| super::complex::atan(z);
        /// The hyperbolic sine of every element.
        #[doc(alias = "numpy.sinh")]
        fn sinh where A: Inexact = 28, Call, ulp 1, "sinh":
            floats wide |x, out| math::sinh(x, out), complex |z| super::complex::sinh(z);
        /// The hyperbolic cosine of every element.
        #[doc(alias = "numpy.cosh")]
        fn cosh where A: Inexact = 29, Call, ulp 1, "cosh":
            floats wide |x, out| math::cosh(x, out), complex |z| super::complex::cosh(z);
        /// The hyperbolic tangent of every element.
        #[doc(alias = "numpy.tanh")]
        fn tanh where A: Inexact = 30, Call, ulp 1, "tanh":
            floats wide |x, out| math::tanh(x, out), complex |z| super::complex::tanh(z);
        /// The inverse hyperbolic sine of every element.
        #[doc(alias = "arcsinh")]
        #[doc(alias = "numpy.asinh")]
        fn asinh where A: Inexact = 31, Call, ulp 1, "arcsinh":
            floats wide |x, out| math::asinh(x, out), complex |z| super::complex::asinh(z);
        /// The inverse hyperbolic cosine of every element; NaN of a real number below 1.
        #[doc(alias = "arccosh")]
        #[doc(alias = "numpy.acosh")]
        fn acosh where A: Inexact = 32, Call, ulp 1, "arccosh":
            floats wide |x, out| math::acosh(x, out), complex |z| super::complex::acosh(z);
        /// The inverse hyperbolic tangent of every element; NaN of a real number beyond 1.
        #[doc(alias = "arctanh")]
        #[doc(alias = "numpy.atanh")]
        fn atanh where A: Inexact = 33, Call, ulp 1, "arctanh":
            floats wide |x, out| math::atanh(x, out), complex |z| super::complex::atanh(z);
        /// Degrees as radians.
        #[doc(alias = "deg2rad")]
        fn to_radians where A: Float = 34, Plain, ulp 1, "deg2rad":
            floats |x| x.to_radians();
        /// Radians as degrees.
        #[doc(alias = "rad2deg")]
        fn to_degrees where A: Float = 35, Plain, ulp 1, "rad2deg":
            floats |x| x.to_degrees();
    } };
}

/// Functions of one value that give a real number of the same width.
macro_rules! part_table {
    ($use:ident $($args:tt)*) => { $use! { $($args)*
        /// The magnitude of every element; that of the smallest integer fails the computation.
        #[doc(alias = "absolute")]
        #[doc(alias = "fabs")]
        #[doc(alias = "norm")]
        #[doc(alias = "numpy.abs")]
        fn abs where A: Number = 1, Light, ulp 2, "absolute":
            floats |x| x.abs(), signed flagged |x| x.overflowing_abs(), unsigned |x| x, complex |z| super::complex::abs(z);
        /// The real part of every element.
        #[doc(alias = "real")]
        fn re where A: Number = 2, Light, ulp 0, "real":
            floats |x| x, integers |x| x, complex |z| z.re;
        /// The imaginary part of every element; 0 of a real number.
        #[doc(alias = "imag")]
        fn im where A: Number = 3, Light, ulp 0, "imag":
            floats |_x| 0.0, integers |_x| 0, complex |z| z.im;
        /// The angle in radians between the positive real axis and every element, from -π to π.
        #[doc(alias = "angle")]
        fn arg where A: Inexact = 4, Call, ulp 1, "angle":
            floats |x| super::float::arg(x), complex |z| super::complex::arg(z);
    } };
}

/// Functions of one value that give a bool.
macro_rules! test_table {
    ($use:ident $($args:tt)*) => { $use! { $($args)*
        /// Whether each element is NaN, or a part of it.
        #[doc(alias = "isnan")]
        fn is_nan where A: Inexact = 1, Plain, ulp 0, "isnan":
            floats |x| x.is_nan(), complex |z| z.is_nan();
        /// Whether each element is neither infinite nor NaN, in all its parts.
        #[doc(alias = "isfinite")]
        fn is_finite where A: Inexact = 2, Plain, ulp 0, "isfinite":
            floats |x| x.is_finite(), complex |z| z.re.is_finite() && z.im.is_finite();
        /// Whether each element is infinite, or a part of it.
        #[doc(alias = "isinf")]
        fn is_infinite where A: Inexact = 3, Plain, ulp 0, "isinf":
            floats |x| x.is_infinite(), complex |z| z.re.is_infinite() || z.im.is_infinite();
        /// Whether each element has its sign bit set; so has -0.
        #[doc(alias = "signbit")]
        fn is_sign_negative where A: Float = 4, Plain, ulp 0, "signbit":
            floats |x| x.is_sign_negative();
        /// Whether each element is positive infinity.
        #[doc(alias = "isposinf")]
        fn is_positive_infinity where A: Float = 5, Plain, ulp 0, "isposinf":
            floats |x| x.is_infinite() && x > 0.0;
        /// Whether each element is negative infinity.
        #[doc(alias = "isneginf")]
        fn is_negative_infinity where A: Float = 6, Plain, ulp 0, "isneginf":
            floats |x| x.is_infinite() && x < 0.0;
        /// Whether the imaginary part of each element is zero; so of every real number.
        #[doc(alias = "isreal")]
        fn is_real where A: Number = 7, Plain, ulp 0, "isreal":
            floats |_x| true, integers |_x| true, complex |z| z.im == 0.0;
        /// Whether the imaginary part of each element is not zero; of no real number.
        #[doc(alias = "iscomplex")]
        fn is_complex where A: Number = 8, Plain, ulp 0, "iscomplex":
            floats |_x| false, integers |_x| false, complex |z| z.im != 0.0;
    } };
}

/// Functions of two values of one type that keep the type.
macro_rules! binary_table {
    ($use:ident $($args:tt)*) => { $use! { $($args)*
        /// The sum; integers report overflow.
        operator add where A: Number = 1, Plain, ulp 0, "add":
            floats |x, y| x + y, integers flagged |x, y| x.sum(y), complex |x, y| x + y;
        /// The difference; integers report overflow.
        operator sub where A: Number = 2, Plain, ulp 0, "subtract":
            floats |x, y| x - y, integers flagged |x, y| x.difference(y), complex |x, y| x - y;
        /// The product; integers report overflow.
        operator mul where A: Number = 3, Plain, ulp 0, "multiply":
            floats |x, y| x * y, integers flagged |x, y| x.product(y), complex |x, y| x * y;
        /// The quotient; integers round toward zero and report a zero divisor.
        operator div where A: Number = 4, Plain, ulp 2, "divide":
            floats |x, y| x / y, integers divided |x, y| x.checked_div(y), complex |x, y| super::complex::divide(x, y);
        /// The remainder with the sign of the dividend; integers report a zero divisor.
        operator rem where A: Real = 5, Power, ulp 0, "fmod":
            floats |x, y| x % y, integers divided |x, y| x.checked_rem(y);
        /// The first to the power of the second. Integers report overflow, and a negative power.
        #[doc(alias = "power")]
        #[doc(alias = "float_power")]
        #[doc(alias = "numpy.pow")]
        fn pow where A: Number = 6, Power, ulp 1, "power":
            floats wide |x, y, out| math::pow(x, y, out), integers checked |x, y| u32::try_from(y).ok().and_then(|y| x.checked_pow(y)),
            complex |x, y| super::complex::pow(x, y);
        /// The smaller of each pair; NaN if either is NaN.
        #[doc(alias = "numpy.minimum")]
        fn minimum where A: Ordered = 7, Plain, ulp 0, "minimum":
            floats |x, y| if x.is_nan() || x < y { x } else { y }, integers |x, y| x.min(y), bools |x, y| x & y;
        /// The larger of each pair; NaN if either is NaN.
        #[doc(alias = "numpy.maximum")]
        fn maximum where A: Ordered = 8, Plain, ulp 0, "maximum":
            floats |x, y| if x.is_nan() || x > y { x } else { y }, integers |x, y| x.max(y), bools |x, y| x | y;
        /// The angle in radians between the positive x axis and the point (`other`, `self`), from -π to π.
        #[doc(alias = "arctan2")]
        #[doc(alias = "numpy.atan2")]
        fn atan2 where A: Float = 9, Call, ulp 1, "arctan2":
            floats wide |x, y, out| math::atan2(x, y, out);
        /// The length of the hypotenuse over both.
        #[doc(alias = "numpy.hypot")]
        fn hypot where A: Float = 10, Call, ulp 1, "hypot":
            floats wide |x, y, out| math::hypot(x, y, out);
        /// The magnitude of the first with the sign of the second.
        #[doc(alias = "numpy.copysign")]
        fn copysign where A: Float = 11, Plain, ulp 0, "copysign":
            floats |x, y| x.copysign(y);
        /// The quotient of each pair that leaves the remainder of [`rem_euclid`](Self::rem_euclid). For a positive divisor it is
        /// NumPy's `floor_divide`. Integers report a zero divisor.
        #[doc(alias = "floor_divide")]
        fn div_euclid where A: Real = 12, Power, ulp 1, "where(isinf(x), x / y, where(y > 0, floor_divide(x, y), -floor_divide(x, -y)))":
            floats |x, y| x.div_euclid(y), integers divided |x, y| x.checked_div_euclid(y);
        /// The remainder of each pair that is never negative. For a positive divisor it is NumPy's `mod`. Integers report a
        /// zero divisor.
        #[doc(alias = "mod")]
        fn rem_euclid where A: Real = 13, Power, ulp 0, "mod(x, abs(y))":
            floats |x, y| x.rem_euclid(y), integers divided |x, y| x.checked_rem_euclid(y);
        /// The bits, or the truths, that both have.
        operator bitand where A: Bits = 14, Plain, ulp 0, "bitwise_and":
            integers |x, y| x & y, bools |x, y| x & y;
        /// The bits, or the truths, that any has.
        operator bitor where A: Bits = 15, Plain, ulp 0, "bitwise_or":
            integers |x, y| x | y, bools |x, y| x | y;
        /// The bits, or the truths, that just one has.
        operator bitxor where A: Bits = 16, Plain, ulp 0, "bitwise_xor":
            integers |x, y| x ^ y, bools |x, y| x ^ y;
        /// The sum modulo 2ⁿ, where `+` would fail.
        fn wrapping_add where A: Integer = 17, Plain, ulp 0, "add":
            integers |x, y| x.wrapping_add(y);
        /// The difference modulo 2ⁿ, where `-` would fail.
        fn wrapping_sub where A: Integer = 18, Plain, ulp 0, "subtract":
            integers |x, y| x.wrapping_sub(y);
        /// The product modulo 2ⁿ, where `*` would fail.
        fn wrapping_mul where A: Integer = 19, Plain, ulp 0, "multiply":
            integers |x, y| x.wrapping_mul(y);
        /// The smaller of each pair; of a number and NaN the number.
        #[doc(alias = "numpy.fmin")]
        fn fmin where A: Ordered = 20, Plain, ulp 0, "fmin":
            floats |x, y| if y.is_nan() || x <= y { x } else { y }, integers |x, y| x.min(y), bools |x, y| x & y;
        /// The larger of each pair; of a number and NaN the number.
        #[doc(alias = "numpy.fmax")]
        fn fmax where A: Ordered = 21, Plain, ulp 0, "fmax":
            floats |x, y| if y.is_nan() || x >= y { x } else { y }, integers |x, y| x.max(y), bools |x, y| x | y;
        /// The bits of the first so many places to the left; 0 where these are more than its width, or negative.
        #[doc(alias = "numpy.left_shift")]
        fn left_shift where A: Integer = 22, Plain, ulp 0, "left_shift":
            integers |x, y| u32::try_from(y).ok().and_then(|y| x.checked_shl(y)).unwrap_or(0);
        /// The bits of the first so many places to the right, the sign coming in at the left; the sign alone where these are
        /// more than its width, or negative.
        #[doc(alias = "numpy.right_shift")]
        fn right_shift where A: Integer = 23, Plain, ulp 0, "right_shift":
            signed |x, y| u32::try_from(y).ok().and_then(|y| x.checked_shr(y)).unwrap_or(x.signum().min(0)),
            unsigned |x, y| u32::try_from(y).ok().and_then(|y| x.checked_shr(y)).unwrap_or(0);
    } };
}

/// Comparisons of two values of one type.
macro_rules! compare_table {
    ($use:ident $($args:tt)*) => { $use! { $($args)*
        /// `self < other`, element by element; false where either is NaN.
        #[doc(alias = "less")]
        fn lt where A: Ordered = 1, Plain, ulp 0, "less":
            reals |x, y| x < y, bools |x, y| !x & y;
        /// `self <= other`, element by element; false where either is NaN.
        #[doc(alias = "less_equal")]
        fn le where A: Ordered = 2, Plain, ulp 0, "less_equal":
            reals |x, y| x <= y, bools |x, y| !x | y;
        /// `self > other`, element by element; false where either is NaN.
        #[doc(alias = "greater")]
        fn gt where A: Ordered = 3, Plain, ulp 0, "greater":
            reals |x, y| x > y, bools |x, y| x & !y;
        /// `self >= other`, element by element; false where either is NaN.
        #[doc(alias = "greater_equal")]
        fn ge where A: Ordered = 4, Plain, ulp 0, "greater_equal":
            reals |x, y| x >= y, bools |x, y| x | !y;
        /// `self == other`, element by element; false where either is NaN.
        #[doc(alias = "equal")]
        fn eq_elem where A: Element = 5, Plain, ulp 0, "equal":
            reals |x, y| x == y, bools |x, y| x == y, complex |x, y| x == y;
        /// `self != other`, element by element; true where either is NaN.
        #[doc(alias = "not_equal")]
        fn ne_elem where A: Element = 6, Plain, ulp 0, "not_equal":
            reals |x, y| x != y, bools |x, y| x != y, complex |x, y| x != y;
    } };
}

pub(crate) use {binary_table, compare_table, part_table, test_table, unary_table};
