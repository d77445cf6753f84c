//! Loops of integers. Every one that could wrap reports it: the loop collects a flag and looks at it once at the end.

use super::{
    BinaryKernel, BinaryOp, CompareOp, CompareSelectKernel, Fault, Kernels, Lane, TestKernel, TestOp,
    UnaryKernel, UnaryOp, compare_tables, map1, map2, map2_small, select_loop,
};
use crate::kernel::simd::dispatch;

/// As [`map2`], where `f` also gives a flag; the result is the union of all flags.
#[inline(always)]
fn map2_flag<A, F>(
    x: Lane<'_, A>,
    y: Lane<'_, A>,
    out: &mut [A],
    zero: F,
    f: impl Fn(A, A) -> (A, F) + Copy,
) -> F
where
    A: Copy,
    F: Copy + std::ops::BitOr<Output = F>,
{
    dispatch(
        #[inline(always)]
        || {
            let mut flag = zero;
            match (x, y) {
                (Lane::Slice(x), Lane::Slice(y)) => {
                    for ((out, &x), &y) in out.iter_mut().zip(x).zip(y) {
                        let (value, bad) = f(x, y);
                        *out = value;
                        flag = flag | bad;
                    }
                }
                (Lane::Slice(x), Lane::Splat(y)) => {
                    for (out, &x) in out.iter_mut().zip(x) {
                        let (value, bad) = f(x, y);
                        *out = value;
                        flag = flag | bad;
                    }
                }
                (x, y) => {
                    for (i, out) in out.iter_mut().enumerate() {
                        let (value, bad) = f(x.at(i), y.at(i));
                        *out = value;
                        flag = flag | bad;
                    }
                }
            }
            flag
        },
    )
}

/// Turns a flag into the error.
fn overflow(bad: bool, operation: &'static str, dtype: &'static str) -> Result<(), Fault> {
    if bad { Err(Fault::Overflow { operation, dtype }) } else { Ok(()) }
}

/// Runs a checked division and tells zero divisors and overflow apart.
#[inline(always)]
fn divide<A: Copy + Default + PartialEq>(
    (x, y): (Lane<'_, A>, Lane<'_, A>),
    out: &mut [A],
    (operation, dtype): (&'static str, &'static str),
    f: impl Fn(A, A) -> Option<A>,
) -> Result<(), Fault> {
    for (i, out) in out.iter_mut().enumerate() {
        let divisor = y.at(i);
        *out = match f(x.at(i), divisor) {
            Some(value) => value,
            None if divisor == A::default() => return Err(Fault::DivisionByZero { operation, dtype }),
            None => return Err(Fault::Overflow { operation, dtype }),
        };
    }
    Ok(())
}

/// The parts that signed and unsigned integers share. For `i8` with the wider `i64`.
macro_rules! integer_kernels {
    ($t:ident, $wide:ident, $add_flag:expr, $sub_flag:expr, $unary:ident) => {
        impl Kernels for $t {
            fn unary(op: UnaryOp) -> Option<UnaryKernel<$t, $t>> {
                Some(match op {
                    UnaryOp::Not => |_, x, out| Ok(map1(x, out, |x: $t| !x)),
                    UnaryOp::Square => |_, x, out| {
                        <$t as Kernels>::binary(BinaryOp::Mul)
                            .map_or(Ok(()), |f| f(Lane::Slice(x), Lane::Slice(x), out))
                    },
                    UnaryOp::Powi(_) => |op, x, out| {
                        let UnaryOp::Powi(exponent) = op else { return Ok(()) };
                        let mut bad = exponent < 0;
                        for (out, &x) in out.iter_mut().zip(x) {
                            let (value, flag) = x.overflowing_pow(exponent.unsigned_abs());
                            *out = value;
                            bad |= flag;
                        }
                        overflow(bad, "powi", stringify!($t))
                    },
                    UnaryOp::Neg | UnaryOp::Abs | UnaryOp::Sign => return $unary(op),
                    UnaryOp::Floor
                    | UnaryOp::Ceil
                    | UnaryOp::Round
                    | UnaryOp::Trunc
                    | UnaryOp::RoundTiesEven => |_, x, out| Ok(out.copy_from_slice(x)),
                    _ => return None,
                })
            }

            fn test(_: TestOp) -> Option<TestKernel<$t>> {
                None
            }

            fn binary(op: BinaryOp) -> Option<BinaryKernel<$t>> {
                const NAME: &str = stringify!($t);
                Some(match op {
                    BinaryOp::Add => {
                        |x, y, out| overflow(map2_flag(x, y, out, 0, $add_flag) != 0, "add", NAME)
                    }
                    BinaryOp::Sub => {
                        |x, y, out| overflow(map2_flag(x, y, out, 0, $sub_flag) != 0, "sub", NAME)
                    }
                    BinaryOp::Mul => |x, y, out| {
                        overflow(
                            map2_flag(x, y, out, false, |x: $t, y: $t| {
                                let wide = (x as $wide).wrapping_mul(y as $wide);
                                let narrow = wide as $t;
                                let bad = if size_of::<$t>() < size_of::<$wide>() {
                                    narrow as $wide != wide
                                } else {
                                    x.checked_mul(y).is_none()
                                };
                                (narrow, bad)
                            }),
                            "mul",
                            NAME,
                        )
                    },
                    BinaryOp::Div => |x, y, out| divide((x, y), out, ("div", NAME), $t::checked_div),
                    BinaryOp::Rem => |x, y, out| divide((x, y), out, ("rem", NAME), $t::checked_rem),
                    BinaryOp::DivEuclid => {
                        |x, y, out| divide((x, y), out, ("div_euclid", NAME), $t::checked_div_euclid)
                    }
                    BinaryOp::RemEuclid => {
                        |x, y, out| divide((x, y), out, ("rem_euclid", NAME), $t::checked_rem_euclid)
                    }
                    BinaryOp::Pow => |x, y, out| {
                        let mut bad = false;
                        for (i, out) in out.iter_mut().enumerate() {
                            match u32::try_from(y.at(i)).ok().and_then(|power| x.at(i).checked_pow(power)) {
                                Some(value) => *out = value,
                                None => bad = true,
                            }
                        }
                        overflow(bad, "pow", NAME)
                    },
                    BinaryOp::Min => |x, y, out| Ok(map2(x, y, out, |x: $t, y: $t| x.min(y))),
                    BinaryOp::Max => |x, y, out| Ok(map2(x, y, out, |x: $t, y: $t| x.max(y))),
                    BinaryOp::And => |x, y, out| Ok(map2_small(x, y, out, |x: $t, y: $t| x & y)),
                    BinaryOp::Or => |x, y, out| Ok(map2_small(x, y, out, |x: $t, y: $t| x | y)),
                    BinaryOp::Xor => |x, y, out| Ok(map2_small(x, y, out, |x: $t, y: $t| x ^ y)),
                    BinaryOp::WrappingAdd => {
                        |x, y, out| Ok(map2(x, y, out, |x: $t, y: $t| x.wrapping_add(y)))
                    }
                    BinaryOp::WrappingSub => {
                        |x, y, out| Ok(map2(x, y, out, |x: $t, y: $t| x.wrapping_sub(y)))
                    }
                    BinaryOp::WrappingMul => {
                        |x, y, out| Ok(map2(x, y, out, |x: $t, y: $t| x.wrapping_mul(y)))
                    }
                    BinaryOp::Atan2 | BinaryOp::Hypot | BinaryOp::CopySign => return None,
                })
            }

            compare_tables!($t);

            fn compare_select(_: CompareOp) -> Option<CompareSelectKernel<$t>> {
                None
            }

            fn mul_add() -> Option<fn(Lane<'_, $t>, Lane<'_, $t>, Lane<'_, $t>, &mut [$t])> {
                None
            }

            fn select(cond: Lane<'_, bool>, a: Lane<'_, $t>, b: Lane<'_, $t>, out: &mut [$t]) {
                select_loop(cond, a, b, out);
            }
        }
    };
}

/// Signed integers: a sum overflowed when its sign differs from that of both operands.
macro_rules! signed_kernels {
    ($($t:ident $unary:ident)*) => {$(
        integer_kernels!(
            $t,
            i64,
            |x: $t, y: $t| {
                let sum = x.wrapping_add(y);
                (sum, (((x ^ sum) & (y ^ sum)) < 0) as u8)
            },
            |x: $t, y: $t| {
                let difference = x.wrapping_sub(y);
                (difference, (((x ^ y) & (x ^ difference)) < 0) as u8)
            },
            $unary
        );

        /// Sign, magnitude and negation of a signed type.
        fn $unary(op: UnaryOp) -> Option<UnaryKernel<$t, $t>> {
            Some(match op {
                UnaryOp::Neg => |_, x, out| {
                    map1(x, out, |x: $t| x.wrapping_neg());
                    overflow(x.contains(&$t::MIN), "neg", stringify!($t))
                },
                UnaryOp::Abs => |_, x, out| {
                    map1(x, out, |x: $t| x.wrapping_abs());
                    overflow(x.contains(&$t::MIN), "abs", stringify!($t))
                },
                _ => |_, x, out| Ok(map1(x, out, |x: $t| x.signum())),
            })
        }
    )*};
}
signed_kernels!(i8 unary_i8 i16 unary_i16 i32 unary_i32 i64 unary_i64);

/// Unsigned integers: a sum overflowed when it is smaller than an operand.
macro_rules! unsigned_kernels {
    ($($t:ident $unary:ident)*) => {$(
        integer_kernels!(
            $t,
            u64,
            |x: $t, y: $t| {
                let sum = x.wrapping_add(y);
                (sum, (sum < x) as u8)
            },
            |x: $t, y: $t| (x.wrapping_sub(y), (x < y) as u8),
            $unary
        );

        /// Sign, magnitude and negation of an unsigned type.
        fn $unary(op: UnaryOp) -> Option<UnaryKernel<$t, $t>> {
            Some(match op {
                UnaryOp::Neg => |_, x, out| {
                    map1(x, out, |x: $t| x.wrapping_neg());
                    overflow(x.iter().any(|&x| x != 0), "neg", stringify!($t))
                },
                UnaryOp::Abs => |_, x, out| Ok(out.copy_from_slice(x)),
                _ => |_, x, out| Ok(map1(x, out, |x: $t| $t::from(x != 0))),
            })
        }
    )*};
}
unsigned_kernels!(u8 unary_u8 u16 unary_u16 u32 unary_u32 u64 unary_u64);

#[cfg(test)]
mod tests {
    use super::*;

    /// All pairs of a small type, against the checked functions of the standard library.
    #[test]
    fn every_pair_of_bytes_is_right_or_reported() {
        for (op, want) in [
            (BinaryOp::Add, i8::checked_add as fn(i8, i8) -> Option<i8>),
            (BinaryOp::Sub, i8::checked_sub),
            (BinaryOp::Mul, i8::checked_mul),
            (BinaryOp::Div, i8::checked_div),
            (BinaryOp::Rem, i8::checked_rem),
        ] {
            for x in i8::MIN..=i8::MAX {
                for y in i8::MIN..=i8::MAX {
                    for lanes in
                        [(Lane::Slice(&[x][..]), Lane::Slice(&[y][..])), (Lane::Splat(x), Lane::Splat(y))]
                    {
                        let mut out = [0];
                        let result = i8::binary(op).unwrap()(lanes.0, lanes.1, &mut out);
                        assert_eq!(result.ok().map(|()| out[0]), want(x, y), "{op:?} {x} {y}");
                    }
                }
            }
        }
    }

    #[test]
    fn unsigned_edges_are_reported() {
        let mut out = [0_u64; 2];
        let mut run =
            |op, x: [u64; 2], y| u64::binary(op).unwrap()(Lane::Slice(&x), Lane::Splat(y), &mut out);
        assert!(run(BinaryOp::Add, [1, u64::MAX], 1).is_err());
        assert!(run(BinaryOp::Add, [1, u64::MAX - 1], 1).is_ok());
        assert!(run(BinaryOp::Sub, [1, 0], 1).is_err());
        assert!(run(BinaryOp::Mul, [1, 1 << 33], 1 << 31).is_err());
        assert!(run(BinaryOp::Mul, [1, 1 << 32], 1 << 31).is_ok());
        assert!(run(BinaryOp::Pow, [1, 2], 64).is_err());
        assert!(run(BinaryOp::WrappingAdd, [1, u64::MAX], 1).is_ok());
        assert_eq!(out, [2, 0]);
    }

    #[test]
    fn negation_of_the_smallest_is_reported() {
        let mut out = [0_i32; 1];
        assert!(i32::unary(UnaryOp::Neg).unwrap()(UnaryOp::Neg, &[i32::MIN], &mut out).is_err());
        assert!(i32::unary(UnaryOp::Abs).unwrap()(UnaryOp::Abs, &[i32::MIN + 1], &mut out).is_ok());
    }
}
