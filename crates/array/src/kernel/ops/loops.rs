//! The loops of each element type, made of the rows of the table.

use super::integer::Flagged;
use super::table::{binary_table, compare_table, part_table, test_table, unary_table};
use super::{
    BinaryKernel, BinaryOp, CompareOp, CompareSelectKernel, Fault, Kernels, Lane, MulAddKernel, PartOp,
    PowerKernel, SinCosKernel, TestOp, UnaryKernel, UnaryOp, compare_select_loop, map1, map2, map2_small,
    mul_add_loop, select_loop,
};
use crate::kernel::math::{self, Wide};
use crate::kernel::running::{Running, RunningOp, running, running_checked};
use crate::kernel::simd::dispatch;
use num_complex::Complex;

/// Finds what a row says of a domain and makes a loop of it: `$make! { $args mode |x| body }`, or none.
macro_rules! pick {
    ($want:ident, $make:ident $args:tt;) => { None };
    // The domain itself.
    (floats, $make:ident $args:tt; floats $($row:tt)+) => { pick!(@ $make $args; $($row)+) };
    (signed, $make:ident $args:tt; signed $($row:tt)+) => { pick!(@ $make $args; $($row)+) };
    (unsigned, $make:ident $args:tt; unsigned $($row:tt)+) => { pick!(@ $make $args; $($row)+) };
    (bools, $make:ident $args:tt; bools $($row:tt)+) => { pick!(@ $make $args; $($row)+) };
    (complex, $make:ident $args:tt; complex $($row:tt)+) => { pick!(@ $make $args; $($row)+) };
    // A wider one.
    (signed, $make:ident $args:tt; integers $($row:tt)+) => { pick!(@ $make $args; $($row)+) };
    (unsigned, $make:ident $args:tt; integers $($row:tt)+) => { pick!(@ $make $args; $($row)+) };
    (floats, $make:ident $args:tt; reals $($row:tt)+) => { pick!(@ $make $args; $($row)+) };
    (signed, $make:ident $args:tt; reals $($row:tt)+) => { pick!(@ $make $args; $($row)+) };
    (unsigned, $make:ident $args:tt; reals $($row:tt)+) => { pick!(@ $make $args; $($row)+) };
    // Another: look at the rest of the row.
    ($want:ident, $make:ident $args:tt;
        $domain:ident $($mode:ident)? |$($x:ident),+| $body:expr $(, $($rest:tt)*)?) => {
        pick!($want, $make $args; $($($rest)*)?)
    };
    (@ $make:ident $args:tt; $($mode:ident)? |$($x:ident),+| $body:expr $(, $($rest:tt)*)?) => {
        Some($make!($args $($mode)? |$($x),+| $body))
    };
}

/// The loop of a function of one value from `$a` to `$b`.
macro_rules! loop_of_one {
    (($a:ty, $b:ty, $class:ident, $name:ident) wide |$x:ident, $out:ident| $body:expr) => {
        |x, out| Ok(<$a as Wide>::fill(x, out, |$x, $out| $body))
    };
    (($a:ty, $b:ty, Call, $name:ident) |$x:ident| $body:expr) => {
        // The time is spent in the function itself.
        |x, out| {
            for (out, &x) in out.iter_mut().zip(x) {
                let $x: $a = x;
                *out = $body;
            }
            Ok(())
        }
    };
    (($a:ty, $b:ty, $class:ident, $name:ident) |$x:ident| $body:expr) => {
        |x, out| Ok(map1(x, out, |$x: $a| -> $b { $body }))
    };
    (($a:ty, $b:ty, $class:ident, $name:ident) flagged |$x:ident| $body:expr) => {
        |x, out| {
            overflow(
                map1_flagged(x, out, |$x: $a| -> ($b, bool) { $body }),
                stringify!($name),
                stringify!($a),
            )
        }
    };
}

/// The loop of a function of two values from `$a` to `$b`.
macro_rules! loop_of_two {
    (($a:ty, $b:ty, $class:ident, $name:ident) wide |$x:ident, $y:ident, $out:ident| $body:expr) => {
        |x, y, out| Ok(<$a as Wide>::fill_of_two(x, y, out, |$x, $y, $out| $body))
    };
    (($a:ty, $b:ty, Power, $name:ident) |$x:ident, $y:ident| $body:expr) => {
        |x, y, out| Ok(map2_small(x, y, out, |$x: $a, $y: $a| -> $b { $body }))
    };
    (($a:ty, $b:ty, $class:ident, $name:ident) |$x:ident, $y:ident| $body:expr) => {
        |x, y, out| Ok(map2(x, y, out, |$x: $a, $y: $a| -> $b { $body }))
    };
    (($a:ty, $b:ty, $class:ident, $name:ident) flagged |$x:ident, $y:ident| $body:expr) => {
        |x, y, out| {
            let bad = map2_flagged(x, y, out, |$x: $a, $y: $a| -> ($b, bool) { $body });
            overflow(bad, stringify!($name), stringify!($a))
        }
    };
    (($a:ty, $b:ty, $class:ident, $name:ident) checked |$x:ident, $y:ident| $body:expr) => {
        |x, y, out| checked(x, y, out, stringify!($name), |$x: $a, $y: $a| -> Option<$b> { $body }, |_| false)
    };
    (($a:ty, $b:ty, $class:ident, $name:ident) divided |$x:ident, $y:ident| $body:expr) => {
        |x, y, out| {
            checked(x, y, out, stringify!($name), |$x: $a, $y: $a| -> Option<$b> { $body }, |y| y == 0)
        }
    };
}

/// The loop that compares and selects in one step.
macro_rules! loop_of_choice {
    (($a:ty) |$x:ident, $y:ident| $body:expr) => {
        |lanes, out| compare_select_loop(lanes, out, |$x: $a, $y: $a| $body)
    };
}

/// The loops of one table, by a match without a wildcard: a row that is forgotten does not compile.
macro_rules! kernels {
    ($op:ident $enum:ident $make:ident $want:ident $a:ty, $b:ty;
        $($(#[$meta:meta])* $kind:ident $name:ident where A: $bound:ident = $code:literal, $class:ident, ulp $ulp:literal,
            $numpy:literal: $($domain:ident $($mode:ident)? |$($x:ident),+| $body:expr),+;)*
    ) => {
        match $op {
            $($enum::$name => pick!($want, $make ($a, $b, $class, $name); $($domain $($mode)? |$($x),+| $body),+),)*
        }
    };
}

/// The same of what compares and selects.
macro_rules! choices {
    ($op:ident $want:ident $a:ty;
        $($(#[$meta:meta])* $kind:ident $name:ident where A: $bound:ident = $code:literal, $class:ident, ulp $ulp:literal,
            $numpy:literal: $($domain:ident $($mode:ident)? |$($x:ident),+| $body:expr),+;)*
    ) => {
        match $op {
            $(CompareOp::$name => pick!($want, loop_of_choice ($a); $($domain $($mode)? |$($x),+| $body),+),)*
        }
    };
}

/// Implements [`Kernels`] for one type: its domain, what a part of it is, and the loops that are not of the table.
macro_rules! implement {
    ($($a:ty: $want:ident, $part:ty, $powi:expr, $mul_add:expr, $choice:ident, $running:ident;)*) => {$(
        impl Kernels for $a {
            type Part = $part;

            fn unary(op: UnaryOp) -> Option<UnaryKernel<Self, Self>> {
                unary_table!(kernels op UnaryOp loop_of_one $want $a, $a;)
            }
            fn part(op: PartOp) -> Option<UnaryKernel<Self, $part>> {
                part_table!(kernels op PartOp loop_of_one $want $a, $part;)
            }
            fn test(op: TestOp) -> Option<UnaryKernel<Self, bool>> {
                test_table!(kernels op TestOp loop_of_one $want $a, bool;)
            }
            fn binary(op: BinaryOp) -> Option<BinaryKernel<Self, Self>> {
                binary_table!(kernels op BinaryOp loop_of_two $want $a, $a;)
            }
            fn compare(op: CompareOp) -> Option<BinaryKernel<Self, bool>> {
                compare_table!(kernels op CompareOp loop_of_two $want $a, bool;)
            }
            fn compare_select(op: CompareOp) -> Option<CompareSelectKernel<Self>> {
                implement!(@ $choice $want op $a)
            }
            fn powi() -> Option<PowerKernel<Self>> {
                $powi
            }
            fn mul_add() -> Option<MulAddKernel<Self>> {
                $mul_add
            }
            fn sin_cos() -> Option<SinCosKernel<Self>> {
                implement!(@ sin_cos $choice $a)
            }
            fn running(op: RunningOp) -> Option<Running<Self>> {
                $running!(op, $a)
            }
            fn select(cond: Lane<'_, bool>, a: Lane<'_, Self>, b: Lane<'_, Self>, out: &mut [Self]) {
                select_loop(cond, a, b, out);
            }
        }
    )*};
    // Floats alone have it, where the gain is measured.
    (@ joined $want:ident $op:ident $a:ty) => { compare_table!(choices $op $want $a;) };
    (@ apart $want:ident $op:ident $a:ty) => {{
        let _ = $op;
        None
    }};
    (@ sin_cos joined $a:ty) => { Some(|x, sin, cos| <$a as Wide>::fill_two(x, sin, cos, math::sin_cos)) };
    (@ sin_cos apart $a:ty) => { None };
}

/// The fixed power of an integer type; a negative one is no integer.
macro_rules! integer_power {
    ($a:ty) => {
        Some(|power, x, out| {
            let flagged = |x: $a| {
                let (value, bad) = x.overflowing_pow(power.unsigned_abs());
                (value, bad || power < 0)
            };
            overflow(map1_flagged(x, out, flagged), "powi", stringify!($a))
        })
    };
}

/// A running total that always has a value.
macro_rules! total {
    ($start:expr, $join:expr) => {
        Some(Running { start: $start, kernel: |block, range, lines| Ok(running(block, range, lines, $join)) })
    };
    ($start:expr, $join:expr, $name:literal) => {
        Some(Running {
            start: $start,
            kernel: |block, range, lines| running_checked(block, range, lines, $name, $join),
        })
    };
}

/// Running totals of truths: the extremes.
macro_rules! running_truths {
    ($op:ident, $a:ty) => {
        match $op {
            RunningOp::Minimum => total!(true, |so_far, x| so_far & x),
            RunningOp::Maximum => total!(false, |so_far, x| so_far | x),
            RunningOp::Sum | RunningOp::Product | RunningOp::Fill => None,
        }
    };
}

/// Running totals of integers; of narrow ones the extremes alone, because sums are kept in 64 bits.
macro_rules! running_integers {
    ($op:ident, $a:ty) => {
        match $op {
            RunningOp::Sum => total!(0, |total: $a, x| total.overflowing_add(x), "cumsum"),
            RunningOp::Product => total!(1, |total: $a, x| total.overflowing_mul(x), "cumprod"),
            _ => running_narrow!($op, $a),
        }
    };
}

/// The extremes of integers.
macro_rules! running_narrow {
    ($op:ident, $a:ty) => {
        match $op {
            RunningOp::Minimum => total!(<$a>::MAX, |so_far: $a, x| so_far.min(x)),
            RunningOp::Maximum => total!(<$a>::MIN, |so_far: $a, x| so_far.max(x)),
            RunningOp::Sum | RunningOp::Product | RunningOp::Fill => None,
        }
    };
}

/// Running totals of floats. -0 and 1 leave every value as it is, also -0 and NaN.
macro_rules! running_floats {
    ($op:ident, $a:ty) => {
        match $op {
            RunningOp::Sum => total!(-0.0, |total: $a, x| total + x),
            RunningOp::Product => total!(1.0, |total: $a, x| total * x),
            RunningOp::Minimum => {
                // As `minimum`: of equal values the later one.
                total!(<$a>::INFINITY, |so_far: $a, x: $a| if so_far.is_nan() || so_far < x {
                    so_far
                } else {
                    x
                })
            }
            RunningOp::Maximum => {
                total!(<$a>::NEG_INFINITY, |so_far: $a, x: $a| if so_far.is_nan() || so_far > x {
                    so_far
                } else {
                    x
                })
            }
            RunningOp::Fill => total!(<$a>::NAN, |last: $a, x: $a| if x.is_nan() { last } else { x }),
        }
    };
}

/// Running totals of complex numbers.
macro_rules! running_complex {
    ($op:ident, $a:ty) => {
        match $op {
            RunningOp::Sum => total!(<$a>::new(-0.0, -0.0), |total: $a, x| total + x),
            RunningOp::Product => total!(<$a>::new(1.0, 0.0), |total: $a, x| total * x),
            RunningOp::Minimum | RunningOp::Maximum | RunningOp::Fill => None,
        }
    };
}

implement! {
    bool: bools, bool, None, None, apart, running_truths;
    i8: signed, i8, integer_power!(i8), None, apart, running_narrow;
    i16: signed, i16, integer_power!(i16), None, apart, running_narrow;
    i32: signed, i32, integer_power!(i32), None, apart, running_narrow;
    i64: signed, i64, integer_power!(i64), None, apart, running_integers;
    u8: unsigned, u8, integer_power!(u8), None, apart, running_narrow;
    u16: unsigned, u16, integer_power!(u16), None, apart, running_narrow;
    u32: unsigned, u32, integer_power!(u32), None, apart, running_narrow;
    u64: unsigned, u64, integer_power!(u64), None, apart, running_integers;
    f32: floats, f32, Some(super::float::power), Some(mul_add_loop::<f32>), joined, running_floats;
    f64: floats, f64, Some(super::float::power), Some(mul_add_loop::<f64>), joined, running_floats;
    Complex<f32>: complex, f32, Some(super::complex::power), None, apart, running_complex;
    Complex<f64>: complex, f64, Some(super::complex::power), None, apart, running_complex;
}

/// As [`map1`], where `f` also says whether its value is wrong; the answer is whether any was.
#[inline(always)]
fn map1_flagged<A: Copy, B>(x: &[A], out: &mut [B], f: impl Fn(A) -> (B, bool) + Copy) -> bool {
    dispatch(
        #[inline(always)]
        || {
            let mut flag = 0_u8;
            for (out, &x) in out.iter_mut().zip(x) {
                let (value, bad) = f(x);
                *out = value;
                flag |= u8::from(bad);
            }
            flag != 0
        },
    )
}

/// As [`map2`], where `f` also says whether its value is wrong; the answer is whether any was.
#[inline(always)]
fn map2_flagged<A: Copy, B>(
    x: Lane<'_, A>,
    y: Lane<'_, A>,
    out: &mut [B],
    f: impl Fn(A, A) -> (B, bool) + Copy,
) -> bool {
    dispatch(
        #[inline(always)]
        || {
            let mut flag = 0_u8;
            match (x, y) {
                (Lane::Slice(x), Lane::Slice(y)) => {
                    for ((out, &x), &y) in out.iter_mut().zip(x).zip(y) {
                        let (value, bad) = f(x, y);
                        *out = value;
                        flag |= u8::from(bad);
                    }
                }
                (Lane::Slice(x), Lane::Splat(y)) => {
                    for (out, &x) in out.iter_mut().zip(x) {
                        let (value, bad) = f(x, y);
                        *out = value;
                        flag |= u8::from(bad);
                    }
                }
                (x, y) => {
                    for (i, out) in out.iter_mut().enumerate() {
                        let (value, bad) = f(x.at(i), y.at(i));
                        *out = value;
                        flag |= u8::from(bad);
                    }
                }
            }
            flag != 0
        },
    )
}

/// Turns a flag into the error.
fn overflow(bad: bool, operation: &'static str, dtype: &'static str) -> Result<(), Fault> {
    if bad { Err(Fault::Overflow { operation, dtype }) } else { Ok(()) }
}

/// A loop that ends at the first pair without a value, and tells zero divisors and overflow apart.
#[inline(always)]
fn checked<A: Copy + crate::element::Plain, B>(
    x: Lane<'_, A>,
    y: Lane<'_, A>,
    out: &mut [B],
    operation: &'static str,
    f: impl Fn(A, A) -> Option<B>,
    is_zero: impl Fn(A) -> bool,
) -> Result<(), Fault> {
    let dtype = A::NAME;
    for (i, out) in out.iter_mut().enumerate() {
        let y = y.at(i);
        *out = match f(x.at(i), y) {
            Some(value) => value,
            None if is_zero(y) => return Err(Fault::DivisionByZero { operation, dtype }),
            None => return Err(Fault::Overflow { operation, dtype }),
        };
    }
    Ok(())
}
