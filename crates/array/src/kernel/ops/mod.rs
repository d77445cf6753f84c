//! Elementwise operations on slices: the closed list of them, and for each element type a table of loops.
//!
//! A strip program names an operation by enum and looks the loop up once, when it is compiled. The loops are made
//! here, for concrete types, so that they are optimized with this crate and not with the user's.

mod bits;
mod cast;
mod complex;
mod float;
mod integer;

pub use cast::{CastKernel, cast_kernel};

use super::simd::dispatch;

/// What can go wrong in a loop over data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// An integer result does not fit its type.
    #[error("integer overflow in {operation} of {dtype}")]
    Overflow {
        /// The name of the operation.
        operation: &'static str,
        /// The type of the result.
        dtype: &'static str,
    },
    /// An integer was divided by zero.
    #[error("integer division by zero in {operation} of {dtype}")]
    DivisionByZero {
        /// The name of the operation.
        operation: &'static str,
        /// The type of the operands.
        dtype: &'static str,
    },
    /// A value cannot be represented in the type it is cast to.
    #[error("a value does not fit in the cast from {from} to {to}")]
    Cast {
        /// The type before.
        from: &'static str,
        /// The type after.
        to: &'static str,
    },
}

/// A function of one value that keeps the type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each variant is the function of that name in Rust's standard library")]
pub enum UnaryOp {
    Neg,
    Abs,
    Sign,
    Square,
    Recip,
    Sqrt,
    Cbrt,
    Exp,
    Exp2,
    ExpM1,
    Ln,
    Log2,
    Log10,
    Ln1p,
    Sin,
    Cos,
    Tan,
    Asin,
    Acos,
    Atan,
    Sinh,
    Cosh,
    Tanh,
    Asinh,
    Acosh,
    Atanh,
    Floor,
    Ceil,
    Round,
    RoundTiesEven,
    Trunc,
    Fract,
    ToRadians,
    ToDegrees,
    Not,
    Conj,
    /// The value to a fixed integer power.
    Powi(i32),
}

/// A function of one value that gives a bool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each variant is the function of that name in Rust's standard library")]
pub enum TestOp {
    IsNan,
    IsInfinite,
    IsFinite,
    IsSignNegative,
}

/// A function of two values of one type that keeps the type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BinaryOp {
    /// Sum; integers report overflow.
    Add,
    /// Difference; integers report overflow.
    Sub,
    /// Product; integers report overflow.
    Mul,
    /// Quotient; integers round toward zero.
    Div,
    /// Remainder with the sign of the dividend.
    Rem,
    /// Power.
    Pow,
    /// The smaller value; NaN if either is NaN.
    Min,
    /// The larger value; NaN if either is NaN.
    Max,
    /// The angle of the point (second, first).
    Atan2,
    /// The length of the hypotenuse.
    Hypot,
    /// The first with the sign of the second.
    CopySign,
    /// Euclidean quotient.
    DivEuclid,
    /// Euclidean remainder, never negative.
    RemEuclid,
    /// Bitwise or logical and.
    And,
    /// Bitwise or logical or.
    Or,
    /// Bitwise or logical exclusive or.
    Xor,
    /// Sum modulo 2ⁿ.
    WrappingAdd,
    /// Difference modulo 2ⁿ.
    WrappingSub,
    /// Product modulo 2ⁿ.
    WrappingMul,
}

impl BinaryOp {
    /// Whether swapping the operands gives the same bits.
    #[must_use]
    pub const fn commutes(self) -> bool {
        // Min and max do not: which of -0 and 0, or which NaN, depends on the order.
        matches!(
            self,
            Self::Add | Self::Mul | Self::And | Self::Or | Self::Xor | Self::WrappingAdd | Self::WrappingMul
        )
    }
}

/// A comparison of two values of one type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each variant is the method of that name of PartialOrd and PartialEq")]
pub enum CompareOp {
    Lt,
    Le,
    Gt,
    Ge,
    Eq,
    Ne,
}

/// An operand of a loop: one value for each element, or the same value for all.
#[derive(Clone, Copy, Debug)]
pub enum Lane<'a, A> {
    /// One value for each element.
    Slice(&'a [A]),
    /// The same value for all elements.
    Splat(A),
}

impl<A: Copy> Lane<'_, A> {
    /// The value for element `i`.
    #[inline(always)]
    fn at(&self, i: usize) -> A {
        match self {
            Lane::Slice(values) => values[i],
            Lane::Splat(value) => *value,
        }
    }
}

/// A loop with one operand.
pub type UnaryKernel<A, B> = fn(UnaryOp, &[A], &mut [B]) -> Result<(), Fault>;
/// A loop that tests one operand.
pub type TestKernel<A> = fn(&[A], &mut [bool]);
/// A loop with two operands.
pub type BinaryKernel<A> = fn(Lane<'_, A>, Lane<'_, A>, &mut [A]) -> Result<(), Fault>;
/// A loop of `a * b + c`.
pub type MulAddKernel<A> = fn(Lane<'_, A>, Lane<'_, A>, Lane<'_, A>, &mut [A]);
/// A loop that compares two operands.
pub type CompareKernel<A> = fn(Lane<'_, A>, Lane<'_, A>, &mut [bool]);
/// A loop that compares two operands and picks from two others.
pub type CompareSelectKernel<A> = fn([Lane<'_, A>; 4], &mut [A]);

/// The tables of loops of one element type; `None` where the type has no such operation.
pub trait Kernels: Sized + Copy {
    /// The loop of a function of one value.
    fn unary(op: UnaryOp) -> Option<UnaryKernel<Self, Self>>;
    /// The loop of a test.
    fn test(op: TestOp) -> Option<TestKernel<Self>>;
    /// The loop of a function of two values.
    fn binary(op: BinaryOp) -> Option<BinaryKernel<Self>>;
    /// The loop of a comparison.
    fn compare(op: CompareOp) -> Option<CompareKernel<Self>>;
    /// The loop of `if a < b { c } else { d }`, and the like.
    fn compare_select(op: CompareOp) -> Option<CompareSelectKernel<Self>>;
    /// The loop of `a * b + c` with two roundings.
    fn mul_add() -> Option<MulAddKernel<Self>>;
    /// The loop of `if cond { a } else { b }`.
    fn select(cond: Lane<'_, bool>, a: Lane<'_, Self>, b: Lane<'_, Self>, out: &mut [Self]);
}

/// `out[i] = f(x[i])`.
#[inline(always)]
pub(crate) fn map1<A: Copy, B>(x: &[A], out: &mut [B], f: impl Fn(A) -> B + Copy) {
    dispatch(
        #[inline(always)]
        || {
            for (out, &x) in out.iter_mut().zip(x) {
                *out = f(x);
            }
        },
    );
}

/// `out[i] = f(x[i], y[i])`, where an operand may be one value for all.
#[inline(always)]
pub(crate) fn map2<A: Copy, B: Copy, C: Copy>(
    x: Lane<'_, A>,
    y: Lane<'_, B>,
    out: &mut [C],
    f: impl Fn(A, B) -> C + Copy,
) {
    dispatch(
        #[inline(always)]
        || match (x, y) {
            (Lane::Slice(x), Lane::Slice(y)) => {
                for ((out, &x), &y) in out.iter_mut().zip(x).zip(y) {
                    *out = f(x, y);
                }
            }
            (Lane::Slice(x), Lane::Splat(y)) => {
                for (out, &x) in out.iter_mut().zip(x) {
                    *out = f(x, y);
                }
            }
            (Lane::Splat(x), Lane::Slice(y)) => {
                for (out, &y) in out.iter_mut().zip(y) {
                    *out = f(x, y);
                }
            }
            (Lane::Splat(x), Lane::Splat(y)) => out.fill(f(x, y)),
        },
    );
}

/// As [`map2`], for loops that rarely matter: one copy of the code for all forms of operands.
#[inline(always)]
pub(crate) fn map2_small<A: Copy, B: Copy, C>(
    x: Lane<'_, A>,
    y: Lane<'_, B>,
    out: &mut [C],
    f: impl Fn(A, B) -> C,
) {
    for (i, out) in out.iter_mut().enumerate() {
        *out = f(x.at(i), y.at(i));
    }
}

/// A select over slices; the forms with one value for all are spelled out so that each stays a vector loop.
#[inline(always)]
pub(crate) fn select_loop<A: Copy>(cond: Lane<'_, bool>, a: Lane<'_, A>, b: Lane<'_, A>, out: &mut [A]) {
    let cond = match cond {
        Lane::Slice(cond) => cond,
        Lane::Splat(cond) => return copy_lane(if cond { a } else { b }, out),
    };
    dispatch(
        #[inline(always)]
        || match (a, b) {
            (Lane::Slice(a), Lane::Slice(b)) => {
                for (((out, &cond), &a), &b) in out.iter_mut().zip(cond).zip(a).zip(b) {
                    *out = if cond { a } else { b };
                }
            }
            (Lane::Slice(a), Lane::Splat(b)) => {
                for ((out, &cond), &a) in out.iter_mut().zip(cond).zip(a) {
                    *out = if cond { a } else { b };
                }
            }
            (Lane::Splat(a), Lane::Slice(b)) => {
                for ((out, &cond), &b) in out.iter_mut().zip(cond).zip(b) {
                    *out = if cond { a } else { b };
                }
            }
            (Lane::Splat(a), Lane::Splat(b)) => {
                for (out, &cond) in out.iter_mut().zip(cond) {
                    *out = if cond { a } else { b };
                }
            }
        },
    );
}

/// Copies an operand to `out`.
pub(crate) fn copy_lane<A: Copy>(lane: Lane<'_, A>, out: &mut [A]) {
    match lane {
        Lane::Slice(values) => out.copy_from_slice(&values[..out.len()]),
        Lane::Splat(value) => out.fill(value),
    }
}

/// The loop that compares and selects in one step; `test` is the comparison.
#[inline(always)]
pub(crate) fn compare_select_loop<A: Copy>(
    [x, y, a, b]: [Lane<'_, A>; 4],
    out: &mut [A],
    test: impl Fn(A, A) -> bool + Copy,
) {
    dispatch(
        #[inline(always)]
        || match (x, y, a, b) {
            (Lane::Slice(x), Lane::Slice(y), Lane::Slice(a), Lane::Slice(b)) => {
                for ((((out, &x), &y), &a), &b) in out.iter_mut().zip(x).zip(y).zip(a).zip(b) {
                    *out = if test(x, y) { a } else { b };
                }
            }
            (Lane::Slice(x), Lane::Splat(y), Lane::Slice(a), Lane::Splat(b)) => {
                for ((out, &x), &a) in out.iter_mut().zip(x).zip(a) {
                    *out = if test(x, y) { a } else { b };
                }
            }
            (Lane::Slice(x), Lane::Splat(y), Lane::Splat(a), Lane::Slice(b)) => {
                for ((out, &x), &b) in out.iter_mut().zip(x).zip(b) {
                    *out = if test(x, y) { a } else { b };
                }
            }
            (Lane::Slice(x), Lane::Splat(y), Lane::Splat(a), Lane::Splat(b)) => {
                for (out, &x) in out.iter_mut().zip(x) {
                    *out = if test(x, y) { a } else { b };
                }
            }
            (x, y, a, b) => {
                for (i, out) in out.iter_mut().enumerate() {
                    *out = if test(x.at(i), y.at(i)) { a.at(i) } else { b.at(i) };
                }
            }
        },
    );
}

/// The loop of `a * b + c`; the product is rounded before it is added, so fused and unfused bits are equal.
#[inline(always)]
pub(crate) fn mul_add_loop<A>(a: Lane<'_, A>, b: Lane<'_, A>, c: Lane<'_, A>, out: &mut [A])
where
    A: Copy + std::ops::Mul<Output = A> + std::ops::Add<Output = A>,
{
    dispatch(
        #[inline(always)]
        || match (a, b, c) {
            (Lane::Slice(a), Lane::Slice(b), Lane::Slice(c)) => {
                for (((out, &a), &b), &c) in out.iter_mut().zip(a).zip(b).zip(c) {
                    *out = a * b + c;
                }
            }
            (Lane::Slice(a), Lane::Splat(b), Lane::Slice(c)) => {
                for ((out, &a), &c) in out.iter_mut().zip(a).zip(c) {
                    *out = a * b + c;
                }
            }
            (Lane::Slice(a), Lane::Splat(b), Lane::Splat(c)) => {
                for (out, &a) in out.iter_mut().zip(a) {
                    *out = a * b + c;
                }
            }
            (Lane::Slice(a), Lane::Slice(b), Lane::Splat(c)) => {
                for ((out, &a), &b) in out.iter_mut().zip(a).zip(b) {
                    *out = a * b + c;
                }
            }
            (a, b, c) => {
                for (i, out) in out.iter_mut().enumerate() {
                    *out = a.at(i) * b.at(i) + c.at(i);
                }
            }
        },
    );
}

/// The table of comparisons of a type that has an order.
macro_rules! compare_tables {
    ($t:ty) => {
        fn compare(op: $crate::kernel::ops::CompareOp) -> Option<$crate::kernel::ops::CompareKernel<$t>> {
            use $crate::kernel::ops::{CompareOp, map2};
            Some(match op {
                CompareOp::Lt => |x, y, out| map2(x, y, out, |x: $t, y: $t| x < y),
                CompareOp::Le => |x, y, out| map2(x, y, out, |x: $t, y: $t| x <= y),
                // The other way round is another program only in its operands.
                CompareOp::Gt => |x, y, out| map2(y, x, out, |y: $t, x: $t| y < x),
                CompareOp::Ge => |x, y, out| map2(y, x, out, |y: $t, x: $t| y <= x),
                CompareOp::Eq => |x, y, out| map2(x, y, out, |x: $t, y: $t| x == y),
                CompareOp::Ne => |x, y, out| map2(x, y, out, |x: $t, y: $t| x != y),
            })
        }
    };
}
use compare_tables;

/// The table of comparisons joined with a selection; floats alone have it, where the gain is measured.
macro_rules! compare_select_table {
    ($t:ty) => {
        fn compare_select(
            op: $crate::kernel::ops::CompareOp,
        ) -> Option<$crate::kernel::ops::CompareSelectKernel<$t>> {
            use $crate::kernel::ops::{CompareOp, compare_select_loop};
            Some(match op {
                CompareOp::Lt => |lanes, out| compare_select_loop(lanes, out, |x: $t, y: $t| x < y),
                CompareOp::Le => |lanes, out| compare_select_loop(lanes, out, |x: $t, y: $t| x <= y),
                CompareOp::Gt => |lanes, out| compare_select_loop(lanes, out, |x: $t, y: $t| x > y),
                CompareOp::Ge => |lanes, out| compare_select_loop(lanes, out, |x: $t, y: $t| x >= y),
                CompareOp::Eq => |lanes, out| compare_select_loop(lanes, out, |x: $t, y: $t| x == y),
                CompareOp::Ne => |lanes, out| compare_select_loop(lanes, out, |x: $t, y: $t| x != y),
            })
        }
    };
}
use compare_select_table;
