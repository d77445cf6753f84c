//! The same bits on every instruction set, and beside all neighbors.

use super::{Wide, loops, one};
use crate::kernel::ops::{BinaryOp, Kernels, Lane, UnaryOp};
use crate::kernel::simd::{dispatch, dispatch_wide};

/// A function on one instruction set.
type Fill = Box<dyn Fn(&[f64], &mut [f64])>;

/// A function on the baseline, on vectors of 256 bits, on the widest there are: as far as this machine has them.
macro_rules! sets {
    ($x:ident, $out:ident => $call:expr) => {
        [
            Box::new(|$x: &[f64], $out: &mut [f64]| $call) as Fill,
            Box::new(|$x: &[f64], $out: &mut [f64]| {
                dispatch(
                    #[inline(always)]
                    || $call,
                )
            }),
            Box::new(|$x: &[f64], $out: &mut [f64]| {
                dispatch_wide(
                    #[inline(always)]
                    || $call,
                )
            }),
        ]
    };
}

/// Every function of one value, and those of two with the values turned round as the second.
fn all() -> Vec<(&'static str, [Fill; 3])> {
    macro_rules! functions {
        ($($name:ident)*; $($name_of_two:ident)*) => {
            vec![
                $((stringify!($name), sets!(x, out => loops::$name(x, out))),)*
                $((stringify!($name_of_two), sets!(x, out => loops::$name_of_two(x, &turned_round(x), out))),)*
                ("sin_cos.0", sets!(x, out => loops::sin_cos(x, out, &mut vec![0.0; x.len()]))),
                ("sin_cos.1", sets!(x, out => loops::sin_cos(x, &mut vec![0.0; x.len()], out))),
            ]
        };
    }
    functions!(sin cos tan asin acos atan exp exp2 exp_m1 sinh cosh tanh ln log2 log10 ln_1p asinh acosh atanh cbrt;
        pow atan2 hypot)
}

fn turned_round(x: &[f64]) -> Vec<f64> {
    x.iter().rev().copied().collect()
}

/// Numbers of all exponents, small and large angles, and what is special.
fn numbers() -> Vec<f64> {
    let mut x = vec![0.0, -0.0, 1.0, -1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, f64::MIN];
    x.extend([
        5e-324,
        -5e-324,
        f64::MIN_POSITIVE,
        1_073_741_824.0,
        1_073_741_823.9,
        710.0,
        -746.0,
        709.8,
        -708.4,
    ]);
    let mut state = 1_u64;
    for at in 0..4000_u32 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let unit = (state >> 12) as f64 * f64::EPSILON - 0.5;
        x.push(match at % 4 {
            0 => f64::from_bits(state),
            1 => unit * 4.0,
            2 => unit * 1500.0,
            _ => unit * 4e9,
        });
    }
    x
}

/// NaN may be any NaN.
fn bits(x: f64) -> u64 {
    if x.is_nan() { f64::NAN.to_bits() } else { x.to_bits() }
}

#[track_caller]
fn assert_same(name: &str, x: &[f64], a: &[f64], b: &[f64]) {
    for (x, (a, b)) in x.iter().zip(a.iter().zip(b)) {
        assert_eq!(bits(*a), bits(*b), "{name} of {x:e}: {a:e} and {b:e}");
    }
}

#[test]
fn every_instruction_set_gives_the_same_bits() {
    let x = numbers();
    for (name, [first, others @ ..]) in all() {
        let mut want = vec![0.0; x.len()];
        first(&x, &mut want);
        for other in others {
            let mut found = vec![1.0; x.len()];
            other(&x, &mut found);
            assert_same(name, &x, &found, &want);
        }
    }
}

#[test]
fn neighbors_do_not_change_bits() {
    let x = numbers();
    for op in UnaryOp::ALL.iter().copied() {
        let Some(kernel) = f64::unary(op) else { continue };
        let mut together = vec![0.0; x.len()];
        kernel(&x, &mut together).unwrap();
        // Alone, and in pieces that end anywhere.
        for length in [1, 7, 128, 129, 1000] {
            let mut apart = vec![0.0; x.len()];
            for (x, out) in x.chunks(length).zip(apart.chunks_mut(length)) {
                kernel(x, out).unwrap();
            }
            assert_same(op.row().name, &x, &apart, &together);
        }
        kernel(&[], &mut []).unwrap();
    }
    let y = turned_round(&x);
    for op in [BinaryOp::pow, BinaryOp::atan2, BinaryOp::hypot] {
        let kernel = f64::binary(op).unwrap();
        let mut together = vec![0.0; x.len()];
        kernel(Lane::Slice(&x), Lane::Slice(&y), &mut together).unwrap();
        let mut apart = vec![0.0; x.len()];
        for ((x, y), out) in x.iter().zip(&y).zip(apart.chunks_mut(1)) {
            kernel(Lane::Slice(&[*x]), Lane::Splat(*y), out).unwrap();
        }
        assert_same(op.row().name, &x, &apart, &together);
    }
}

#[test]
fn sine_and_cosine_together_are_those_apart() {
    let x = numbers();
    let [mut sin, mut cos, mut want] = [0; 3].map(|_| vec![0.0; x.len()]);
    <f64 as Kernels>::sin_cos().unwrap()(&x, &mut sin, &mut cos);
    f64::unary(UnaryOp::sin).unwrap()(&x, &mut want).unwrap();
    assert_same("sin", &x, &sin, &want);
    f64::unary(UnaryOp::cos).unwrap()(&x, &mut want).unwrap();
    assert_same("cos", &x, &cos, &want);
}

#[test]
fn one_value_has_the_bits_of_many() {
    let x = numbers();
    macro_rules! check {
        ($($name:ident)*) => {$(
            let mut want = vec![0.0; x.len()];
            super::$name(&x, &mut want);
            let found: Vec<f64> = x.iter().map(|x| one::$name(*x)).collect();
            assert_same(stringify!($name), &x, &found, &want);
        )*};
    }
    check!(tan exp exp2 exp_m1 sinh cosh ln log2 log10 ln_1p asinh);
    let [mut sin, mut cos] = [0; 2].map(|_| vec![0.0; x.len()]);
    super::sin_cos(&x, &mut sin, &mut cos);
    let found: Vec<(f64, f64)> = x.iter().map(|x| one::sin_cos(*x)).collect();
    assert_same("sin", &x, &found.iter().map(|pair| pair.0).collect::<Vec<_>>(), &sin);
    assert_same("cos", &x, &found.iter().map(|pair| pair.1).collect::<Vec<_>>(), &cos);
}

/// `f32` of every exponent: the answer of `f64`, rounded once.
#[test]
fn single_precision_is_double_precision_rounded() {
    let x: Vec<f32> = (0..=511_u32)
        .flat_map(|exponent| (0..40_u32).map(move |at| exponent << 23 | at.wrapping_mul(0x9e37_79b9) >> 9))
        .map(f32::from_bits)
        .collect();
    let wide: Vec<f64> = x.iter().map(|x| f64::from(*x)).collect();
    let check = |name: &str, found: &[f32], want: &[f64]| {
        for ((found, want), x) in found.iter().zip(want).zip(&x) {
            let want = f32::narrow(*want);
            assert!(found.to_bits() == want.to_bits() || found.is_nan() && want.is_nan(), "{name} of {x:e}");
        }
    };
    for op in UnaryOp::ALL.iter().copied().filter(|op| op.row().ulp == 1) {
        let (mut found, mut want) = (vec![0.0_f32; x.len()], vec![0.0_f64; x.len()]);
        f32::unary(op).unwrap()(&x, &mut found).unwrap();
        f64::unary(op).unwrap()(&wide, &mut want).unwrap();
        if !matches!(op, UnaryOp::to_radians | UnaryOp::to_degrees) {
            check(op.row().name, &found, &want);
        }
    }
    for op in [BinaryOp::pow, BinaryOp::atan2, BinaryOp::hypot] {
        let (mut found, mut want) = (vec![0.0_f32; x.len()], vec![0.0_f64; x.len()]);
        f32::binary(op).unwrap()(Lane::Slice(&x), Lane::Splat(1.5), &mut found).unwrap();
        f64::binary(op).unwrap()(Lane::Slice(&wide), Lane::Splat(1.5), &mut want).unwrap();
        check(op.row().name, &found, &want);
    }
    let (mut sin, mut cos) = (vec![0.0_f32; x.len()], vec![0.0_f32; x.len()]);
    <f32 as Kernels>::sin_cos().unwrap()(&x, &mut sin, &mut cos);
    check("sin", &sin, &wide.iter().map(|x| one::sin_cos(*x).0).collect::<Vec<_>>());
    check("cos", &cos, &wide.iter().map(|x| one::sin_cos(*x).1).collect::<Vec<_>>());
}
