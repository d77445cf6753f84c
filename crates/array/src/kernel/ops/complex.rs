//! Loops of complex numbers: the four rules, conjugation, equality, and the functions that `num-complex` offers.

use super::{
    BinaryKernel, BinaryOp, CompareKernel, CompareOp, CompareSelectKernel, Kernels, Lane, TestKernel, TestOp,
    UnaryKernel, UnaryOp, map2_small, select_loop,
};
use num_complex::Complex;

/// Makes the tables of a complex type over `f32` or `f64`.
macro_rules! complex_kernels {
    ($($part:ident)*) => {$(
        impl Kernels for Complex<$part> {
            fn unary(op: UnaryOp) -> Option<UnaryKernel<Self, Self>> {
                /// Wraps a scalar function in a loop.
                macro_rules! each {
                    ($f:expr) => {
                        |_, x, out| {
                            for (out, x) in out.iter_mut().zip(x) {
                                *out = $f(*x);
                            }
                            Ok(())
                        }
                    };
                }
                Some(match op {
                    UnaryOp::Neg => each!(|x: Self| -x),
                    UnaryOp::Conj => each!(|x: Self| x.conj()),
                    UnaryOp::Square => each!(|x: Self| x * x),
                    UnaryOp::Recip => each!(|x: Self| x.inv()),
                    UnaryOp::Sqrt => each!(|x: Self| x.sqrt()),
                    UnaryOp::Exp => each!(|x: Self| x.exp()),
                    UnaryOp::Ln => each!(|x: Self| x.ln()),
                    UnaryOp::Sin => each!(|x: Self| x.sin()),
                    UnaryOp::Cos => each!(|x: Self| x.cos()),
                    UnaryOp::Powi(_) => |op, x, out| {
                        let UnaryOp::Powi(exponent) = op else { return Ok(()) };
                        for (out, x) in out.iter_mut().zip(x) {
                            *out = x.powi(exponent);
                        }
                        Ok(())
                    },
                    _ => return None,
                })
            }

            fn test(op: TestOp) -> Option<TestKernel<Self>> {
                /// Wraps a scalar test in a loop.
                macro_rules! each {
                    ($f:expr) => {
                        |x, out| {
                            for (out, x) in out.iter_mut().zip(x) {
                                *out = $f(*x);
                            }
                        }
                    };
                }
                Some(match op {
                    TestOp::IsNan => each!(|x: Self| x.is_nan()),
                    TestOp::IsInfinite => each!(|x: Self| x.is_infinite()),
                    TestOp::IsFinite => each!(|x: Self| x.is_finite()),
                    TestOp::IsSignNegative => return None,
                })
            }

            fn binary(op: BinaryOp) -> Option<BinaryKernel<Self>> {
                /// Wraps a scalar function of two values in a loop.
                macro_rules! each {
                    ($f:expr) => {
                        |x, y, out| {
                            map2_small(x, y, out, $f);
                            Ok(())
                        }
                    };
                }
                Some(match op {
                    BinaryOp::Add => each!(|x: Self, y: Self| x + y),
                    BinaryOp::Sub => each!(|x: Self, y: Self| x - y),
                    BinaryOp::Mul => each!(|x: Self, y: Self| x * y),
                    BinaryOp::Div => each!(|x: Self, y: Self| x / y),
                    BinaryOp::Pow => each!(|x: Self, y: Self| x.powc(y)),
                    _ => return None,
                })
            }

            fn compare(op: CompareOp) -> Option<CompareKernel<Self>> {
                Some(match op {
                    CompareOp::Eq => |x, y, out| map2_small(x, y, out, |x: Self, y: Self| x == y),
                    CompareOp::Ne => |x, y, out| map2_small(x, y, out, |x: Self, y: Self| x != y),
                    _ => return None,
                })
            }

            fn compare_select(_: CompareOp) -> Option<CompareSelectKernel<Self>> {
                None
            }

            fn mul_add() -> Option<fn(Lane<'_, Self>, Lane<'_, Self>, Lane<'_, Self>, &mut [Self])> {
                None
            }

            fn select(cond: Lane<'_, bool>, a: Lane<'_, Self>, b: Lane<'_, Self>, out: &mut [Self]) {
                select_loop(cond, a, b, out);
            }
        }
    )*};
}
complex_kernels!(f32 f64);
