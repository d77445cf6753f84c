//! Elementwise operations on slices: the closed list of them, and for each element type a loop of each.
//!
//! Everything is made of the rows in `table.rs`. A strip program names an operation by enum and looks the loop up once,
//! when it is compiled. The loops are made here, for concrete types, so that they are optimized with this crate and not
//! with the user's.

mod cast;
mod complex;
mod float;
mod integer;
mod loops;
pub(crate) mod table;

pub use cast::{CastKernel, cast_kernel};

use super::running::{Running, RunningOp};
use super::simd::dispatch;
use crate::element::Element;
use table::{binary_table, compare_table, part_table, test_table, unary_table};

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

/// How long an operation takes, about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Class {
    /// A bit of the value changes.
    Light,
    /// A sum, a comparison: as fast as memory.
    Plain,
    /// A square root, a division.
    Root,
    /// A transcendental function.
    Call,
    /// A power, a remainder.
    Power,
}

impl Class {
    /// Nanoseconds for 1024 elements.
    #[must_use]
    pub const fn cost(self) -> u64 {
        match self {
            Self::Light => 150,
            Self::Plain => 200,
            Self::Root => 800,
            Self::Call => 2_500,
            Self::Power => 12_000,
        }
    }
}

/// What the table says of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Row {
    /// Its name, which is that of the method or of the operator's method.
    pub name: &'static str,
    /// The trait of the element types that have it.
    pub bound: &'static str,
    /// How long it takes.
    pub class: Class,
    /// Units in the last place that the answer may differ from that of the original.
    pub ulp: u32,
    /// NumPy's name, or a term of its functions of `x` and `y`.
    pub numpy: &'static str,
}

/// Makes an enum of operations of the rows of a table. For the unary ones: `UnaryOp::sqrt`, with its number, and its row.
macro_rules! operations {
    ($enum:ident $doc:literal;
        $($(#[$meta:meta])* $kind:ident $name:ident where A: $bound:ident = $code:literal, $class:ident, ulp $ulp:literal,
            $numpy:literal: $($domain:ident $($mode:ident)? |$($x:ident),+| $body:expr),+;)*
    ) => {
        #[doc = $doc]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        #[repr(u16)]
        #[expect(non_camel_case_types, reason = "an operation has the name of its method, and of its row in the table")]
        pub enum $enum {
            $(
                #[doc = concat!("`", stringify!($name), "`: NumPy's `", $numpy, "`.")]
                $name = $code,
            )*
        }

        impl $enum {
            /// All of them, in the order of the table.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// What the table says of it.
            #[must_use]
            pub const fn row(self) -> Row {
                match self {
                    $(Self::$name => Row {
                        name: stringify!($name),
                        bound: stringify!($bound),
                        class: Class::$class,
                        ulp: $ulp,
                        numpy: $numpy,
                    },)*
                }
            }

            /// The number that stands for it in fingerprints.
            #[must_use]
            pub const fn code(self) -> u64 {
                self as u64
            }
        }
    };
}

unary_table!(operations UnaryOp "A function of one value that keeps the type.";);
part_table!(operations PartOp "A function of one value that gives a real number of the same width.";);
test_table!(operations TestOp "A function of one value that gives a bool.";);
binary_table!(operations BinaryOp "A function of two values of one type that keeps the type.";);
compare_table!(operations CompareOp "A comparison of two values of one type.";);

impl BinaryOp {
    /// Whether swapping the operands gives the same bits.
    #[must_use]
    pub const fn commutes(self) -> bool {
        // Minimum and maximum do not: which of -0 and 0, or which NaN, depends on the order.
        matches!(
            self,
            Self::add
                | Self::mul
                | Self::bitand
                | Self::bitor
                | Self::bitxor
                | Self::wrapping_add
                | Self::wrapping_mul
        )
    }
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
pub type UnaryKernel<A, B> = fn(&[A], &mut [B]) -> Result<(), Fault>;
/// A loop with one operand and a number.
pub type PowerKernel<A> = fn(i32, &[A], &mut [A]) -> Result<(), Fault>;
/// A loop with two operands.
pub type BinaryKernel<A, B> = fn(Lane<'_, A>, Lane<'_, A>, &mut [B]) -> Result<(), Fault>;
/// A loop of `a * b + c`.
pub type MulAddKernel<A> = fn(Lane<'_, A>, Lane<'_, A>, Lane<'_, A>, &mut [A]);
/// A loop of sine and cosine.
pub type SinCosKernel<A> = fn(&[A], &mut [A], &mut [A]);
/// A loop that compares two operands and picks from two others.
pub type CompareSelectKernel<A> = fn([Lane<'_, A>; 4], &mut [A]);

/// The loops of one element type; `None` where the type has no such operation.
pub trait Kernels: Sized + Copy {
    /// What a part of a value is: the value itself, or for complex numbers the type of the real part.
    type Part: Element;

    /// The loop of a function that keeps the type.
    fn unary(op: UnaryOp) -> Option<UnaryKernel<Self, Self>>;
    /// The loop of a function that gives a part.
    fn part(op: PartOp) -> Option<UnaryKernel<Self, Self::Part>>;
    /// The loop of a test.
    fn test(op: TestOp) -> Option<UnaryKernel<Self, bool>>;
    /// The loop of a function of two values.
    fn binary(op: BinaryOp) -> Option<BinaryKernel<Self, Self>>;
    /// The loop of a comparison.
    fn compare(op: CompareOp) -> Option<BinaryKernel<Self, bool>>;
    /// The loop of `if a < b { c } else { d }`, and the like.
    fn compare_select(op: CompareOp) -> Option<CompareSelectKernel<Self>>;
    /// The loop of a fixed integer power.
    fn powi() -> Option<PowerKernel<Self>>;
    /// The loop of `a * b + c` with two roundings.
    fn mul_add() -> Option<MulAddKernel<Self>>;
    /// The loop of sine and cosine together, with the bits of both apart.
    fn sin_cos() -> Option<SinCosKernel<Self>>;
    /// A running total, of the types in which totals are kept.
    fn running(op: RunningOp) -> Option<Running<Self>>;
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
            (Lane::Slice(x), Lane::Splat(y), Lane::Slice(a), Lane::Slice(b)) => {
                for (((out, &x), &a), &b) in out.iter_mut().zip(x).zip(a).zip(b) {
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
