//! How elements enter a state, and how states are combined: one type without values for each reduction.

use super::SEGMENT;
use super::groups::{Groups, Places, Plainly, Sums};
use musher_graph_core::Moments;

use super::states::{ArgFloat, ArgInteger, Product};
use crate::element::{Element, Plain};
use num_complex::Complex;
use std::marker::PhantomData;

/// The algebra of one reduction over elements of one type: an associative combination with an identity.
pub trait Accumulate: 'static {
    /// What is reduced.
    type Item: Element;
    /// What is kept.
    type State: Plain + PartialEq + std::fmt::Debug;
    /// How states are kept while elements enter across rows.
    type Groups: Groups<Self>;
    /// Its name in fingerprints; the type of the items stands beside it.
    const NAME: &'static str;
    /// The state of nothing.
    const IDENTITY: Self::State;
    /// Whether the state of nothing is an answer: a sum has one, an extreme has not.
    const NOTHING_IS_AN_ANSWER: bool = true;
    /// A value that changes no state, where there is one: it stands for what a mask leaves out.
    const NEUTRAL: Option<Self::Item> = None;

    /// The state of one element; `index` is its place along what is reduced.
    fn one(value: Self::Item, index: u64) -> Self::State;

    /// The state of both; `a` comes first.
    fn combine(a: Self::State, b: Self::State) -> Self::State;

    /// Enters one more element.
    #[inline(always)]
    fn push(state: &mut Self::State, value: Self::Item, index: u64) {
        *state = Self::combine(*state, Self::one(value, index));
    }

    /// The state of at most [`SEGMENT`] neighbors, the first of which has this index.
    #[inline(always)]
    fn segment(values: &[Self::Item], index: u64) -> Self::State {
        let mut state = Self::IDENTITY;
        for (i, &value) in values.iter().enumerate() {
            Self::push(&mut state, value, index + i as u64);
        }
        state
    }

    /// Whether a value beats an extreme that came before it, without a branch; asked of floats' places alone.
    #[inline(always)]
    fn beats(_value: f64, _extreme: f64) -> bool {
        false
    }

    /// Changes the place that a state remembers; most remember none.
    fn relocate(_state: &mut Self::State, _place: &dyn Fn(u64) -> u64) {}
}

/// Lanes of a sum along a row: enough independent additions to keep any vector unit busy.
const LANES: usize = 16;

/// Folds values into fixed lanes, then the lanes as a tree: the same additions whatever the vector width.
///
/// It is part of a larger loop, which is compiled for each instruction set.
#[inline(always)]
fn in_lanes<A: Copy, S: Copy>(
    values: &[A],
    identity: S,
    one: impl Fn(A) -> S + Copy,
    combine: impl Fn(S, S) -> S + Copy,
) -> S {
    let mut lanes = [identity; LANES];
    let mut rows = values.chunks_exact(LANES);
    for row in &mut rows {
        for (lane, &value) in lanes.iter_mut().zip(row) {
            *lane = combine(*lane, one(value));
        }
    }
    for (lane, &value) in lanes.iter_mut().zip(rows.remainder()) {
        *lane = combine(*lane, one(value));
    }
    folded(lanes, combine)
}

/// The lanes as a tree.
#[inline(always)]
fn folded<S: Copy>(mut lanes: [S; LANES], combine: impl Fn(S, S) -> S + Copy) -> S {
    let mut n = LANES;
    while n > 1 {
        n /= 2;
        for i in 0..n {
            lanes[i] = combine(lanes[i], lanes[i + n]);
        }
    }
    lanes[0]
}

/// The sums, in lanes, of the differences from a number and of their squares.
#[inline(always)]
fn sums_of_differences<A: Copy>(values: &[A], difference: impl Fn(A) -> f64 + Copy) -> (f64, f64) {
    let (mut sums, mut squares) = ([0.0; LANES], [0.0; LANES]);
    let mut rows = values.chunks_exact(LANES);
    for row in &mut rows {
        for lane in 0..LANES {
            let difference = difference(row[lane]);
            sums[lane] += difference;
            squares[lane] += difference * difference;
        }
    }
    for (lane, &value) in rows.remainder().iter().enumerate() {
        let difference = difference(value);
        sums[lane] += difference;
        squares[lane] += difference * difference;
    }
    (folded(sums, |a, b| a + b), folded(squares, |a, b| a + b))
}

/// Where the first of these values is that is `wanted`; they are looked through many at once.
#[inline(always)]
fn first_of<A: Copy>(values: &[A], is_wanted: impl Fn(A) -> bool + Copy) -> Option<usize> {
    let mut before = 0;
    for row in values.chunks(LANES) {
        let any = row.iter().fold(false, |any, &value| any | is_wanted(value));
        if any {
            return row.iter().position(|&value| is_wanted(value)).map(|at| before + at);
        }
        before += row.len();
    }
    None
}

/// Combines the states at `2k` and `2k + 1` until one is left: a tree by index.
///
/// # Panics
/// Never: no states give the identity.
pub fn combine_states<C: Accumulate>(states: &mut [C::State]) -> C::State {
    let mut n = states.len();
    while n > 1 {
        for k in 0..n / 2 {
            states[k] = C::combine(states[2 * k], states[2 * k + 1]);
        }
        if n % 2 == 1 {
            states[n / 2] = states[n - 1];
        }
        n = n.div_ceil(2);
    }
    states.first().copied().unwrap_or(C::IDENTITY)
}

/// The sum.
pub(crate) struct Sum<A>(PhantomData<A>);
/// Mean and squared deviations.
pub(crate) struct Spread<A>(PhantomData<A>);
/// The product.
pub(crate) struct Prod<A>(PhantomData<A>);
/// The smallest.
pub(crate) struct Min<A>(PhantomData<A>);
/// The largest.
pub(crate) struct Max<A>(PhantomData<A>);
/// The place of the smallest.
pub(crate) struct ArgMin<A>(PhantomData<A>);
/// The place of the largest.
pub(crate) struct ArgMax<A>(PhantomData<A>);
/// Whether any is true.
pub(crate) struct AnyOf<A>(PhantomData<A>);
/// Whether all are true.
pub(crate) struct AllOf<A>(PhantomData<A>);

/// Sums and products of floats, in `f64`.
macro_rules! float_sums {
    ($($t:ident)*) => {$(
        impl Accumulate for Sum<$t> {
            type Item = $t;
            type State = f64;
            type Groups = Plainly<Self::State>;
            const NAME: &'static str = "sum";
            const NEUTRAL: Option<Self::Item> = Some(0.0);
            const IDENTITY: f64 = 0.0;
            #[inline(always)]
            fn one(value: $t, _: u64) -> f64 {
                f64::from(value)
            }
            #[inline(always)]
            fn combine(a: f64, b: f64) -> f64 {
                a + b
            }
            #[inline(always)]
            fn segment(values: &[$t], _: u64) -> f64 {
                in_lanes(values, 0.0, |value| f64::from(value), |a, b| a + b)
            }
        }

        impl Accumulate for Prod<$t> {
            type Item = $t;
            type State = f64;
            type Groups = Plainly<Self::State>;
            const NAME: &'static str = "product";
            const NEUTRAL: Option<Self::Item> = Some(1.0);
            const IDENTITY: f64 = 1.0;
            #[inline(always)]
            fn one(value: $t, _: u64) -> f64 {
                f64::from(value)
            }
            #[inline(always)]
            fn combine(a: f64, b: f64) -> f64 {
                a * b
            }
            #[inline(always)]
            fn segment(values: &[$t], _: u64) -> f64 {
                in_lanes(values, 1.0, |value| f64::from(value), |a, b| a * b)
            }
        }

        impl Accumulate for Sum<Complex<$t>> {
            type Item = Complex<$t>;
            type State = Complex<f64>;
            type Groups = Plainly<Self::State>;
            const NAME: &'static str = "sum";
            const NEUTRAL: Option<Self::Item> = Some(Complex::new(0.0, 0.0));
            const IDENTITY: Complex<f64> = Complex::new(0.0, 0.0);
            #[inline(always)]
            fn one(value: Complex<$t>, _: u64) -> Complex<f64> {
                Complex::new(f64::from(value.re), f64::from(value.im))
            }
            #[inline(always)]
            fn combine(a: Complex<f64>, b: Complex<f64>) -> Complex<f64> {
                a + b
            }
            #[inline(always)]
            fn segment(values: &[Complex<$t>], _: u64) -> Complex<f64> {
                in_lanes(values, Self::IDENTITY, |value| Self::one(value, 0), |a, b| a + b)
            }
        }
    )*};
}
float_sums!(f32 f64);

/// Sums and products of integers, exact in 128 bits. Of `i64` the halves are summed apart, which vectors can do.
macro_rules! integer_sums {
    ($($t:ident)*) => {$(
        impl Accumulate for Sum<$t> {
            type Item = $t;
            type State = i128;
            type Groups = Plainly<Self::State>;
            const NAME: &'static str = "sum";
            const NEUTRAL: Option<Self::Item> = Some(0);
            const IDENTITY: i128 = 0;
            #[inline(always)]
            fn one(value: $t, _: u64) -> i128 {
                i128::from(value)
            }
            #[inline(always)]
            fn combine(a: i128, b: i128) -> i128 {
                // 2^63 sums of 2^64 elements fit.
                a.wrapping_add(b)
            }
            #[inline(always)]
            fn segment(values: &[$t], _: u64) -> i128 {
                const { assert!(SEGMENT <= 1 << 31) };
                let (low, high) = values.iter().fold((0_i64, 0_i64), |(low, high), &value| {
                    (low + (value as i64 & 0xffff_ffff), high + (i128::from(value) >> 32) as i64)
                });
                (i128::from(high) << 32) + i128::from(low)
            }
        }

        impl Accumulate for Prod<$t> {
            type Item = $t;
            type State = Product;
            type Groups = Plainly<Self::State>;
            const NAME: &'static str = "product";
            const NEUTRAL: Option<Self::Item> = Some(1);
            const IDENTITY: Product = Product { value: 1, fits: true };
            #[inline(always)]
            fn one(value: $t, _: u64) -> Product {
                Product { value: i128::from(value), fits: true }
            }
            #[inline(always)]
            fn combine(a: Product, b: Product) -> Product {
                a.combine(b)
            }
        }
    )*};
}
integer_sums!(i64 u64);

/// How many are true.
impl Accumulate for Sum<bool> {
    type Item = bool;
    type State = i128;
    type Groups = Plainly<Self::State>;
    const NAME: &'static str = "sum";
    const NEUTRAL: Option<Self::Item> = Some(false);
    const IDENTITY: i128 = 0;
    #[inline(always)]
    fn one(value: bool, _: u64) -> i128 {
        i128::from(value)
    }
    #[inline(always)]
    fn combine(a: i128, b: i128) -> i128 {
        a.wrapping_add(b)
    }
    #[inline(always)]
    fn segment(values: &[bool], _: u64) -> i128 {
        i128::from(values.iter().fold(0_u32, |sum, &value| sum + u32::from(value)))
    }
}

/// Moments of floats, in `f64`.
macro_rules! moments {
    ($($t:ident)*) => {$(
        impl Accumulate for Spread<$t> {
            type Item = $t;
            type State = Moments;
            type Groups = Sums;
            const NAME: &'static str = "moments";
            const IDENTITY: Moments = Moments { count: 0.0, shift: 0.0, mean: 0.0, squares: 0.0 };
            #[inline(always)]
            fn one(value: $t, _: u64) -> Moments {
                Moments::one(value as f64)
            }
            #[inline(always)]
            fn combine(a: Moments, b: Moments) -> Moments {
                a.combine(b)
            }
            /// One step of Welford's method on the differences from the shift.
            #[inline(always)]
            fn push(state: &mut Moments, value: $t, _: u64) {
                state.push(value as f64);
            }
            #[inline(always)]
            fn segment(values: &[$t], _: u64) -> Moments {
                let Some(&first) = values.first() else { return Self::IDENTITY };
                let shift = first as f64;
                let (sum, squares) = sums_of_differences(values, move |value| value as f64 - shift);
                Moments::from_sums(values.len() as f64, shift, sum, squares)
            }
        }
    )*};
}
moments!(f32 f64);

/// Extremes: the state is an element.
macro_rules! extremes {
    ($($t:ident $largest:expr, $smallest:expr, $is_nan:expr;)*) => {$(
        impl Accumulate for Min<$t> {
            type Item = $t;
            type State = $t;
            type Groups = Plainly<Self::State>;
            const NAME: &'static str = "min";
            const NEUTRAL: Option<Self::Item> = Some($largest);
            const NOTHING_IS_AN_ANSWER: bool = false;
            const IDENTITY: $t = $largest;
            #[inline(always)]
            fn one(value: $t, _: u64) -> $t {
                value
            }
            #[inline(always)]
            fn combine(a: $t, b: $t) -> $t {
                // A NaN in `a` stays, because nothing is less than it.
                if b < a || $is_nan(b) { b } else { a }
            }
            #[inline(always)]
            fn segment(values: &[$t], _: u64) -> $t {
                in_lanes(values, Self::IDENTITY, |value| value, |a, b| Self::combine(a, b))
            }
        }

        impl Accumulate for Max<$t> {
            type Item = $t;
            type State = $t;
            type Groups = Plainly<Self::State>;
            const NAME: &'static str = "max";
            const NEUTRAL: Option<Self::Item> = Some($smallest);
            const NOTHING_IS_AN_ANSWER: bool = false;
            const IDENTITY: $t = $smallest;
            #[inline(always)]
            fn one(value: $t, _: u64) -> $t {
                value
            }
            #[inline(always)]
            fn combine(a: $t, b: $t) -> $t {
                if b > a || $is_nan(b) { b } else { a }
            }
            #[inline(always)]
            fn segment(values: &[$t], _: u64) -> $t {
                in_lanes(values, Self::IDENTITY, |value| value, |a, b| Self::combine(a, b))
            }
        }
    )*};
}

/// Integers and truths are never NaN.
#[inline(always)]
fn never<A>(_: A) -> bool {
    false
}

extremes! {
    bool true, false, never;
    i8 i8::MAX, i8::MIN, never;
    i16 i16::MAX, i16::MIN, never;
    i32 i32::MAX, i32::MIN, never;
    i64 i64::MAX, i64::MIN, never;
    u8 u8::MAX, u8::MIN, never;
    u16 u16::MAX, u16::MIN, never;
    u32 u32::MAX, u32::MIN, never;
    u64 u64::MAX, u64::MIN, never;
    f32 f32::INFINITY, f32::NEG_INFINITY, f32::is_nan;
    f64 f64::INFINITY, f64::NEG_INFINITY, f64::is_nan;
}

/// Places of extremes. `$better(b, a, earlier)` says that `b` takes the place of `a`, `$beats(b, a)` that a later one does,
/// without a branch.
macro_rules! arg_extremes {
    ($name:ident by $extreme:ident, $text:literal $state:ident in $groups:ty, $value:ident $better:expr, $beats:expr, $is_nan:expr; $($t:ident)*) => {$(
        impl Accumulate for $name<$t> {
            type Item = $t;
            type State = $state;
            type Groups = $groups;
            const NAME: &'static str = $text;
            const NOTHING_IS_AN_ANSWER: bool = false;
            const IDENTITY: $state = $state { value: 0 as $value, index: u64::MAX };
            #[inline(always)]
            fn one(value: $t, index: u64) -> $state {
                $state { value: value as $value, index }
            }
            #[inline(always)]
            fn combine(a: $state, b: $state) -> $state {
                // Blocks need not come in the order of indices, so equal values fall to the smaller index.
                let earlier = b.index < a.index;
                if a.index == u64::MAX || (b.index != u64::MAX && $better(b.value, a.value, earlier)) { b } else { a }
            }
            /// The extreme first, then its place: both are loops over many at once.
            #[inline(always)]
            fn segment(values: &[$t], index: u64) -> $state {
                let extreme = <$extreme<$t> as Accumulate>::segment(values, index);
                let at = match $is_nan(extreme) {
                    true => first_of(values, |value| $is_nan(value)),
                    false => first_of(values, |value| value == extreme),
                };
                at.map_or(Self::IDENTITY, |at| Self::one(values[at], index + at as u64))
            }
            #[inline(always)]
            fn beats(value: f64, extreme: f64) -> bool {
                $beats(value, extreme)
            }
            fn relocate(state: &mut $state, place: &dyn Fn(u64) -> u64) {
                if state.index != u64::MAX {
                    state.index = place(state.index);
                }
            }
        }
    )*};
}

arg_extremes!(ArgMin by Min, "argmin" ArgInteger in Plainly<ArgInteger>, i128 |b, a, earlier| b < a || (b == a && earlier), |_, _| false, never; i64 u64);
arg_extremes!(ArgMax by Max, "argmax" ArgInteger in Plainly<ArgInteger>, i128 |b, a, earlier| b > a || (b == a && earlier), |_, _| false, never; i64 u64);
arg_extremes! {
    ArgMin by Min, "argmin" ArgFloat in Places, f64 |b: f64, a: f64, earlier| float_better(b < a, b, a, earlier),
    |b: f64, a: f64| (b < a) | (b.is_nan() & !a.is_nan()), is_nan; f32 f64
}
arg_extremes! {
    ArgMax by Max, "argmax" ArgFloat in Places, f64 |b: f64, a: f64, earlier| float_better(b > a, b, a, earlier),
    |b: f64, a: f64| (b > a) | (b.is_nan() & !a.is_nan()), is_nan; f32 f64
}

/// Whether a value is not equal to itself.
#[inline(always)]
#[expect(
    clippy::eq_op,
    reason = "of either float type, in a loop over many: NaN is what differs from itself"
)]
fn is_nan<A: PartialEq>(value: A) -> bool {
    value != value
}

/// Whether `b` takes the place of `a`: NaN beats numbers, the earlier of equals wins.
#[inline(always)]
fn float_better(beats: bool, b: f64, a: f64, earlier: bool) -> bool {
    match (b.is_nan(), a.is_nan()) {
        (true, true) => earlier,
        (true, false) => true,
        (false, true) => false,
        (false, false) => beats || (b == a && earlier),
    }
}

impl Accumulate for AnyOf<bool> {
    type Item = bool;
    type State = bool;
    type Groups = Plainly<Self::State>;
    const NAME: &'static str = "any";
    const NEUTRAL: Option<Self::Item> = Some(false);
    const IDENTITY: bool = false;
    #[inline(always)]
    fn one(value: bool, _: u64) -> bool {
        value
    }
    #[inline(always)]
    fn combine(a: bool, b: bool) -> bool {
        a | b
    }
    #[inline(always)]
    fn segment(values: &[bool], _: u64) -> bool {
        values.iter().fold(false, |any, &value| any | value)
    }
}

impl Accumulate for AllOf<bool> {
    type Item = bool;
    type State = bool;
    type Groups = Plainly<Self::State>;
    const NAME: &'static str = "all";
    const NEUTRAL: Option<Self::Item> = Some(true);
    const IDENTITY: bool = true;
    #[inline(always)]
    fn one(value: bool, _: u64) -> bool {
        value
    }
    #[inline(always)]
    fn combine(a: bool, b: bool) -> bool {
        a & b
    }
    #[inline(always)]
    fn segment(values: &[bool], _: u64) -> bool {
        values.iter().fold(true, |all, &value| all & value)
    }
}
