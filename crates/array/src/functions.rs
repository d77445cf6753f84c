//! Elementwise functions: comparisons, selection, mathematics, casts, and a user's own.

use crate::array::Array;
use crate::element::{Element, Float, Integer, Number, Real};
use crate::elementwise::{Operand, binary, cast, compare, map_each, map_pairs, test, unary};
use crate::error::{Error, expect};
use crate::kernel::ops::{BinaryOp, CompareOp, TestOp, UnaryOp};
use crate::operators::ArrayOrScalar;
use ndarray::{DimMax, Dimension};

/// Comparisons with an array or a scalar. Written out for `lt`: `self < other`, element by element, and `try_lt`.
macro_rules! comparisons {
    ($(fn $method:ident $try:ident $op:ident $sign:literal $alias:literal;)*) => {$(
        #[doc = concat!("`self ", $sign, " other`, element by element; shapes are broadcast. Any comparison with NaN is false, but for `!=`.")]
        ///
        /// # Panics
        /// When the shapes do not fit, or complex numbers are ordered.
        #[must_use]
        #[track_caller]
        #[doc(alias = $alias)]
        pub fn $method<R: ArrayOrScalar<A, D>>(&self, other: R) -> Array<bool, R::Dim> {
            expect(compare(stringify!($method), CompareOp::$op, self.into(), other.into_operand().0))
        }

        #[doc = concat!("As [`", stringify!($method), "`](Self::", stringify!($method), ").")]
        ///
        /// # Errors
        /// [`Error::Shapes`] when the shapes do not fit, [`Error::Undefined`] when complex numbers are ordered.
        #[track_caller]
        pub fn $try<R: ArrayOrScalar<A, D>>(&self, other: R) -> Result<Array<bool, R::Dim>, Error> {
            compare(stringify!($method), CompareOp::$op, self.into(), other.into_operand().0)
        }
    )*};
}

impl<A: Element, D: Dimension> Array<A, D> {
    comparisons! {
        fn lt try_lt Lt "<" "less";
        fn le try_le Le "<=" "less_equal";
        fn gt try_gt Gt ">" "greater";
        fn ge try_ge Ge ">=" "greater_equal";
        fn eq_elem try_eq_elem Eq "==" "equal";
        fn ne_elem try_ne_elem Ne "!=" "not_equal";
    }

    /// Applies `f` to every element; fused with its neighbors.
    ///
    /// A function that captures nothing is taken to be pure: applied twice to the same array it runs once.
    ///
    /// **Shape** and blocks stay; the element type may change.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::arr1};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr1(&[1.5, -2.5]), 1);
    /// assert_eq!(x.mapv(|value: f64| value < 0.0).compute()?, arr1(&[false, true]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    ///
    /// # Panics
    /// Never while the graph is built.
    #[must_use]
    #[track_caller]
    #[doc(alias = "vectorize")]
    #[doc(alias = "frompyfunc")]
    pub fn mapv<B: Element, F>(&self, f: F) -> Array<B, D>
    where
        F: Fn(A) -> B + Send + Sync + 'static,
    {
        expect(map_each(self, f))
    }

    /// As [`mapv`](Self::mapv), consuming the array.
    ///
    /// # Panics
    /// Never while the graph is built.
    #[must_use]
    #[track_caller]
    pub fn mapv_into<B: Element, F>(self, f: F) -> Array<B, D>
    where
        F: Fn(A) -> B + Send + Sync + 'static,
    {
        expect(map_each(&self, f))
    }

    /// Applies `f` to every pair of elements of two arrays; shapes are broadcast.
    ///
    /// # Panics
    /// When the shapes do not fit.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::arr1};
    /// use musher_scheduler::Compute;
    /// let (x, n) = (Array::from_array(arr1(&[2.0, 3.0]), 1), Array::from_array(arr1(&[3, 2]), 1));
    /// assert_eq!(x.zip_map(&n, |x: f64, n: i32| x.powi(n)).compute()?, arr1(&[8.0, 9.0]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    #[doc(alias = "apply_ufunc")]
    pub fn zip_map<B, C, E, F>(&self, other: &Array<B, E>, f: F) -> Array<C, <D as DimMax<E>>::Output>
    where
        B: Element,
        C: Element,
        E: Dimension,
        D: DimMax<E>,
        F: Fn(A, B) -> C + Send + Sync + 'static,
    {
        expect(map_pairs(self.into(), other.into(), f))
    }

    /// The elements in another type. Fractions are cut toward zero; a value that does not fit fails the computation.
    ///
    /// **Shape** and blocks stay.
    ///
    /// # Panics
    /// When complex numbers are cast to real ones: take their real part.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::arr1};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr1(&[1.9, -2.9]), 1);
    /// assert_eq!(x.cast::<i32>().compute()?, arr1(&[1, -2]));
    /// assert!(x.cast::<u8>().compute().is_err(), "-2 is no u8");
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    #[doc(alias = "astype")]
    pub fn cast<B: Element>(&self) -> Array<B, D> {
        expect(cast(self))
    }

    /// As [`cast`](Self::cast).
    ///
    /// # Errors
    /// [`Error::Cast`] when there is no cast between the types.
    #[track_caller]
    pub fn try_cast<B: Element>(&self) -> Result<Array<B, D>, Error> {
        cast(self)
    }
}

/// `if cond { a } else { b }`, element by element; shapes are broadcast. Both sides are computed.
///
/// # Panics
/// When the shapes do not fit.
///
/// # Examples
/// ```
/// use musher_array::{Array, ndarray::arr1, select};
/// use musher_scheduler::Compute;
/// let x = Array::from_array(arr1(&[-1.0, 4.0]), 1);
/// assert_eq!(select(&x.gt(0.0), &x, 0.0).compute()?, arr1(&[0.0, 4.0]));
/// # Ok::<(), musher_scheduler::Error>(())
/// ```
#[must_use]
#[track_caller]
#[doc(alias = "where")]
pub fn select<A, D, L, R>(cond: &Array<bool, D>, a: L, b: R) -> Array<A, R::Dim>
where
    A: Element,
    D: Dimension,
    L: ArrayOrScalar<A, D>,
    R: ArrayOrScalar<A, L::Dim>,
{
    expect(crate::elementwise::select(cond.into(), a.into_operand().0, b.into_operand().0))
}

/// As [`select`].
///
/// # Errors
/// [`Error::Shapes`] when the shapes do not fit.
#[track_caller]
pub fn try_select<A, D, L, R>(cond: &Array<bool, D>, a: L, b: R) -> Result<Array<A, R::Dim>, Error>
where
    A: Element,
    D: Dimension,
    L: ArrayOrScalar<A, D>,
    R: ArrayOrScalar<A, L::Dim>,
{
    crate::elementwise::select(cond.into(), a.into_operand().0, b.into_operand().0)
}

/// Functions of one array that keep shape, blocks and type. Written out for `sqrt`: the square root of every element.
macro_rules! unary_functions {
    ($(fn $method:ident $op:expr, $doc:literal $(, $alias:literal)*;)*) => {$(
        #[doc = $doc]
        ///
        /// **Shape** and blocks stay.
        ///
        /// # Panics
        /// Never while the graph is built, but where complex numbers have no such function.
        #[must_use]
        #[track_caller]
        $(#[doc(alias = $alias)])*
        pub fn $method(&self) -> Self {
            expect(unary(self, stringify!($method), $op))
        }
    )*};
}

impl<A: Number, D: Dimension> Array<A, D> {
    unary_functions! {
        fn square UnaryOp::Square, "Every element times itself.";
        fn conj UnaryOp::Conj, "The complex conjugate of every element.", "conjugate";
    }

    /// Every element to an integer power, by repeated multiplication. A negative power of integers fails the
    /// computation, as overflow does.
    ///
    /// # Panics
    /// Never while the graph is built.
    #[must_use]
    #[track_caller]
    pub fn powi(&self, power: i32) -> Self {
        expect(unary(self, "powi", UnaryOp::Powi(power)))
    }
}

/// Functions of two operands that keep the type. Written out for `minimum`: the smaller of each pair.
macro_rules! binary_functions {
    ($(fn $method:ident $op:ident, $doc:literal $(, $alias:literal)*;)*) => {$(
        #[doc = $doc]
        ///
        /// **Shape** broadcast of both.
        ///
        /// # Panics
        /// When the shapes do not fit.
        #[must_use]
        #[track_caller]
        $(#[doc(alias = $alias)])*
        pub fn $method<R: ArrayOrScalar<A, D>>(&self, other: R) -> Array<A, R::Dim> {
            expect(binary(stringify!($method), BinaryOp::$op, self.into(), other.into_operand().0))
        }
    )*};
}

impl<A: Real, D: Dimension> Array<A, D> {
    unary_functions! {
        fn abs UnaryOp::Abs, "The magnitude of every element; that of the smallest integer fails the computation.", "absolute", "fabs";
        fn signum UnaryOp::Sign, "-1, 0 or 1 by the sign of every element; NaN stays.", "sign";
        fn floor UnaryOp::Floor, "The largest integer below every element.";
        fn ceil UnaryOp::Ceil, "The smallest integer above every element.";
        fn round UnaryOp::Round, "The nearest integer of every element; halves away from zero, as Rust's.";
        fn round_ties_even UnaryOp::RoundTiesEven, "The nearest integer of every element; halves to the even one, as NumPy's.", "rint", "around";
        fn trunc UnaryOp::Trunc, "The integer part of every element.", "fix";
    }
    binary_functions! {
        fn minimum Min, "The smaller of each pair; NaN if either is NaN.";
        fn maximum Max, "The larger of each pair; NaN if either is NaN.";
        fn div_euclid DivEuclid, "The Euclidean quotient of each pair.", "floor_divide";
        fn rem_euclid RemEuclid, "The Euclidean remainder of each pair, never negative.", "mod";
        fn pow Pow, "The first to the power of the second.", "power", "float_power";
    }

    /// Every element, but not below `low` nor above `high`; NaN stays.
    ///
    /// # Panics
    /// Never while the graph is built.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::arr1};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr1(&[-3, 4, 9]), 2);
    /// assert_eq!(x.clip(0, 5).compute()?, arr1(&[0, 4, 5]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    #[doc(alias = "clamp")]
    pub fn clip(&self, low: A, high: A) -> Self {
        let raised: Self =
            expect(binary("clip", BinaryOp::Max, self.into(), Operand::Value(low.into_scalar())));
        expect(binary("clip", BinaryOp::Min, (&raised).into(), Operand::Value(high.into_scalar())))
    }
}

impl<A: Integer, D: Dimension> Array<A, D> {
    binary_functions! {
        fn wrapping_add WrappingAdd, "The sum modulo 2ⁿ, where `+` would fail.";
        fn wrapping_sub WrappingSub, "The difference modulo 2ⁿ, where `-` would fail.";
        fn wrapping_mul WrappingMul, "The product modulo 2ⁿ, where `*` would fail.";
    }
}

/// Tests of floats. Written out for `is_nan`: whether every element is NaN.
macro_rules! tests_of_floats {
    ($(fn $method:ident $op:ident, $doc:literal, $alias:literal;)*) => {$(
        #[doc = $doc]
        ///
        /// **Shape** and blocks stay.
        ///
        /// # Panics
        /// Never while the graph is built.
        #[must_use]
        #[track_caller]
        #[doc(alias = $alias)]
        pub fn $method(&self) -> Array<bool, D> {
            expect(test(self, stringify!($method), TestOp::$op))
        }
    )*};
}

impl<A: Float, D: Dimension> Array<A, D> {
    unary_functions! {
        fn recip UnaryOp::Recip, "One divided by every element.", "reciprocal";
        fn sqrt UnaryOp::Sqrt, "The square root of every element.";
        fn cbrt UnaryOp::Cbrt, "The cube root of every element.";
        fn exp UnaryOp::Exp, "e to the power of every element.";
        fn exp2 UnaryOp::Exp2, "2 to the power of every element.";
        fn exp_m1 UnaryOp::ExpM1, "e to the power of every element, less 1, exact near 0.", "expm1";
        fn ln UnaryOp::Ln, "The natural logarithm of every element.", "log";
        fn log2 UnaryOp::Log2, "The logarithm to base 2 of every element.";
        fn log10 UnaryOp::Log10, "The logarithm to base 10 of every element.";
        fn ln_1p UnaryOp::Ln1p, "The natural logarithm of 1 plus every element, exact near 0.", "log1p";
        fn sin UnaryOp::Sin, "The sine of every element, in radians.";
        fn cos UnaryOp::Cos, "The cosine of every element, in radians.";
        fn tan UnaryOp::Tan, "The tangent of every element, in radians.";
        fn asin UnaryOp::Asin, "The angle in radians whose sine each element is.", "arcsin";
        fn acos UnaryOp::Acos, "The angle in radians whose cosine each element is.", "arccos";
        fn atan UnaryOp::Atan, "The angle in radians whose tangent each element is.", "arctan";
        fn sinh UnaryOp::Sinh, "The hyperbolic sine of every element.";
        fn cosh UnaryOp::Cosh, "The hyperbolic cosine of every element.";
        fn tanh UnaryOp::Tanh, "The hyperbolic tangent of every element.";
        fn asinh UnaryOp::Asinh, "The inverse hyperbolic sine of every element.", "arcsinh";
        fn acosh UnaryOp::Acosh, "The inverse hyperbolic cosine of every element.", "arccosh";
        fn atanh UnaryOp::Atanh, "The inverse hyperbolic tangent of every element.", "arctanh";
        fn fract UnaryOp::Fract, "The fractional part of every element.";
        fn to_radians UnaryOp::ToRadians, "Degrees as radians.", "deg2rad";
        fn to_degrees UnaryOp::ToDegrees, "Radians as degrees.", "rad2deg";
    }
    binary_functions! {
        fn powf Pow, "The first to the power of the second.";
        fn atan2 Atan2, "The angle in radians of the point (other, self).", "arctan2";
        fn hypot Hypot, "The length of the hypotenuse over both.";
        fn copysign CopySign, "The magnitude of the first with the sign of the second.";
    }
    tests_of_floats! {
        fn is_nan IsNan, "Whether each element is NaN.", "isnan";
        fn is_finite IsFinite, "Whether each element is neither infinite nor NaN.", "isfinite";
        fn is_infinite IsInfinite, "Whether each element is infinite.", "isinf";
        fn is_sign_negative IsSignNegative, "Whether each element has its sign bit set.", "signbit";
    }
}
