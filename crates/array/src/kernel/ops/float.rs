//! Loops of `f32` and `f64`.

use super::{
    BinaryKernel, BinaryOp, Kernels, Lane, TestKernel, TestOp, UnaryKernel, UnaryOp, compare_select_table,
    compare_tables, map1, map2, map2_small, mul_add_loop, select_loop,
};

/// Makes the tables of a float type. For `f64`: `Sqrt` runs `x.sqrt()`, `Add` runs `x + y`, and so on.
macro_rules! float_kernels {
    ($t:ident) => {
        impl Kernels for $t {
            fn unary(op: UnaryOp) -> Option<UnaryKernel<$t, $t>> {
                // The few that vectorize get their own loops; the rest spend their time in the function itself.
                Some(match op {
                    UnaryOp::Neg => |_, x, out| Ok(map1(x, out, |x: $t| -x)),
                    UnaryOp::Abs => |_, x, out| Ok(map1(x, out, |x: $t| x.abs())),
                    UnaryOp::Square => |_, x, out| Ok(map1(x, out, |x: $t| x * x)),
                    UnaryOp::Recip => |_, x, out| Ok(map1(x, out, |x: $t| 1.0 / x)),
                    UnaryOp::Sqrt => |_, x, out| Ok(map1(x, out, |x: $t| x.sqrt())),
                    UnaryOp::Floor => |_, x, out| Ok(map1(x, out, |x: $t| x.floor())),
                    UnaryOp::Ceil => |_, x, out| Ok(map1(x, out, |x: $t| x.ceil())),
                    UnaryOp::Trunc => |_, x, out| Ok(map1(x, out, |x: $t| x.trunc())),
                    UnaryOp::RoundTiesEven => |_, x, out| Ok(map1(x, out, |x: $t| x.round_ties_even())),
                    UnaryOp::Powi(_) => |op, x, out| {
                        let UnaryOp::Powi(exponent) = op else { return Ok(()) };
                        power(x, out, exponent);
                        Ok(())
                    },
                    UnaryOp::Not | UnaryOp::Conj => return None,
                    _ => |op, x, out| {
                        let f = function(op);
                        for (out, &x) in out.iter_mut().zip(x) {
                            *out = f(x);
                        }
                        Ok(())
                    },
                })
            }

            fn test(op: TestOp) -> Option<TestKernel<$t>> {
                Some(match op {
                    TestOp::IsNan => |x, out| map1(x, out, |x: $t| x.is_nan()),
                    TestOp::IsInfinite => |x, out| map1(x, out, |x: $t| x.is_infinite()),
                    TestOp::IsFinite => |x, out| map1(x, out, |x: $t| x.is_finite()),
                    TestOp::IsSignNegative => |x, out| map1(x, out, |x: $t| x.is_sign_negative()),
                })
            }

            fn binary(op: BinaryOp) -> Option<BinaryKernel<$t>> {
                Some(match op {
                    BinaryOp::Add => |x, y, out| Ok(map2(x, y, out, |x: $t, y: $t| x + y)),
                    BinaryOp::Sub => |x, y, out| Ok(map2(x, y, out, |x: $t, y: $t| x - y)),
                    BinaryOp::Mul => |x, y, out| Ok(map2(x, y, out, |x: $t, y: $t| x * y)),
                    BinaryOp::Div => |x, y, out| Ok(map2(x, y, out, |x: $t, y: $t| x / y)),
                    BinaryOp::Rem => |x, y, out| Ok(map2_small(x, y, out, |x: $t, y: $t| x % y)),
                    BinaryOp::Pow => |x, y, out| Ok(map2_small(x, y, out, |x: $t, y: $t| x.powf(y))),
                    BinaryOp::Min => |x, y, out| {
                        Ok(map2(x, y, out, |x: $t, y: $t| if x.is_nan() || x < y { x } else { y }))
                    },
                    BinaryOp::Max => |x, y, out| {
                        Ok(map2(x, y, out, |x: $t, y: $t| if x.is_nan() || x > y { x } else { y }))
                    },
                    BinaryOp::Atan2 => |x, y, out| Ok(map2_small(x, y, out, |x: $t, y: $t| x.atan2(y))),
                    BinaryOp::Hypot => |x, y, out| Ok(map2_small(x, y, out, |x: $t, y: $t| x.hypot(y))),
                    BinaryOp::CopySign => |x, y, out| Ok(map2(x, y, out, |x: $t, y: $t| x.copysign(y))),
                    BinaryOp::DivEuclid => {
                        |x, y, out| Ok(map2_small(x, y, out, |x: $t, y: $t| x.div_euclid(y)))
                    }
                    BinaryOp::RemEuclid => {
                        |x, y, out| Ok(map2_small(x, y, out, |x: $t, y: $t| x.rem_euclid(y)))
                    }
                    _ => return None,
                })
            }

            compare_tables!($t);
            compare_select_table!($t);

            fn mul_add() -> Option<fn(Lane<'_, $t>, Lane<'_, $t>, Lane<'_, $t>, &mut [$t])> {
                Some(|a, b, c, out| mul_add_loop::<$t>(a, b, c, out))
            }

            fn select(cond: Lane<'_, bool>, a: Lane<'_, $t>, b: Lane<'_, $t>, out: &mut [$t]) {
                select_loop(cond, a, b, out);
            }
        }

        /// The scalar function of an operation that has no vector loop of its own.
        fn function(op: UnaryOp) -> fn($t) -> $t {
            match op {
                UnaryOp::Sign => |x| {
                    if x.is_nan() { x } else { f64::from(i8::from(x > 0.0) - i8::from(x < 0.0)) as $t }
                },
                UnaryOp::Cbrt => $t::cbrt,
                UnaryOp::Exp => $t::exp,
                UnaryOp::Exp2 => $t::exp2,
                UnaryOp::ExpM1 => $t::exp_m1,
                UnaryOp::Ln => $t::ln,
                UnaryOp::Log2 => $t::log2,
                UnaryOp::Log10 => $t::log10,
                UnaryOp::Ln1p => $t::ln_1p,
                UnaryOp::Sin => $t::sin,
                UnaryOp::Cos => $t::cos,
                UnaryOp::Tan => $t::tan,
                UnaryOp::Asin => $t::asin,
                UnaryOp::Acos => $t::acos,
                UnaryOp::Atan => $t::atan,
                UnaryOp::Sinh => $t::sinh,
                UnaryOp::Cosh => $t::cosh,
                UnaryOp::Tanh => $t::tanh,
                UnaryOp::Asinh => $t::asinh,
                UnaryOp::Acosh => $t::acosh,
                UnaryOp::Atanh => $t::atanh,
                UnaryOp::Round => $t::round,
                UnaryOp::Fract => $t::fract,
                UnaryOp::ToRadians => $t::to_radians,
                UnaryOp::ToDegrees => $t::to_degrees,
                _ => |x| x,
            }
        }

        /// `out[i] = x[i]^exponent` by repeated squaring, the same products for every instruction set.
        ///
        /// `powi` of the standard library leaves its precision open, so it is not used.
        fn power(x: &[$t], out: &mut [$t], exponent: i32) {
            match exponent {
                2 => map1(x, out, |x: $t| x * x),
                3 => map1(x, out, |x: $t| x * x * x),
                4 => map1(x, out, |x: $t| (x * x) * (x * x)),
                _ => map1(x, out, |x: $t| {
                    let (mut base, mut left, mut acc) = (x, exponent.unsigned_abs(), 1.0);
                    while left > 0 {
                        if left & 1 == 1 {
                            acc *= base;
                        }
                        base *= base;
                        left >>= 1;
                    }
                    if exponent < 0 { 1.0 / acc } else { acc }
                }),
            }
        }
    };
}

mod single {
    //! The tables of `f32`.
    use super::*;
    float_kernels!(f32);
}

mod double {
    //! The tables of `f64`.
    use super::*;
    float_kernels!(f64);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run2(op: BinaryOp, x: &[f64], y: &[f64]) -> Vec<f64> {
        let mut out = vec![0.0; x.len()];
        f64::binary(op).unwrap()(Lane::Slice(x), Lane::Slice(y), &mut out).unwrap();
        out
    }

    #[test]
    fn minimum_and_maximum_pass_nan_on_from_either_side() {
        let x = [1.0, f64::NAN, 3.0, f64::NAN];
        let y = [2.0, 2.0, f64::NAN, f64::NAN];
        for op in [BinaryOp::Min, BinaryOp::Max] {
            let out = run2(op, &x, &y);
            assert!(!out[0].is_nan());
            assert!(out[1..].iter().all(|value| value.is_nan()), "{op:?}: {out:?}");
        }
    }

    #[test]
    fn an_operand_for_all_equals_a_slice_of_it() {
        let x = [1.0, 2.0, 3.0, -4.0, 5.5];
        let y = [3.5; 5];
        for op in [BinaryOp::Add, BinaryOp::Sub, BinaryOp::Div, BinaryOp::Max, BinaryOp::Pow, BinaryOp::Rem] {
            let kernel = f64::binary(op).unwrap();
            let want = run2(op, &x, &y);
            let mut out = [0.0; 5];
            kernel(Lane::Slice(&x), Lane::Splat(3.5), &mut out).unwrap();
            assert_eq!(format!("{out:?}"), format!("{want:?}"), "{op:?}");
            let want = run2(op, &y, &x);
            kernel(Lane::Splat(3.5), Lane::Slice(&x), &mut out).unwrap();
            assert_eq!(format!("{out:?}"), format!("{want:?}"), "{op:?}");
        }
    }

    #[test]
    fn powers_are_products() {
        let mut out = [0.0_f64; 2];
        let power = f64::unary(UnaryOp::Powi(5)).unwrap();
        power(UnaryOp::Powi(5), &[2.0, -3.0], &mut out).unwrap();
        assert_eq!(out, [32.0, -243.0]);
        power(UnaryOp::Powi(-2), &[2.0, -4.0], &mut out).unwrap();
        assert_eq!(out, [0.25, 0.0625]);
        power(UnaryOp::Powi(0), &[0.0, f64::NAN], &mut out).unwrap();
        assert_eq!(out, [1.0, 1.0]);
    }

    #[test]
    fn fused_multiply_and_add_rounds_twice() {
        let (a, b, c) = (1.0 + f64::EPSILON, 1.0 - f64::EPSILON, -1.0);
        let mut out = [1.0];
        <f64 as Kernels>::mul_add().unwrap()(
            Lane::Slice(&[a]),
            Lane::Slice(&[b]),
            Lane::Slice(&[c]),
            &mut out,
        );
        assert_eq!(out[0], a * b + c);
        assert_eq!(out[0], 0.0, "one rounding would leave -4.9e-32");
    }
}
