//! What is asked of the states of a reduction: the sum itself, the mean, the place of an extreme.
//!
//! An [`Answer`] stands on an algebra of `kernel::reduce`, so several can share the pass over the elements. The functions
//! at the end choose the algebra for an element type that is known at run time: elements are widened to a type in which
//! the algebra is exact, of which there are far fewer.

use crate::block::Block;
use crate::element::{DType, Element, Number, Plain, Scalar};
use crate::error::Error;
use crate::kernel::memory::with_room;
use crate::kernel::reduce::{
    Accumulate, AllOf, AnyOf, ArgFloat, ArgInteger, ArgMax, ArgMin, Counted, CountedState, Max, Min, Prod,
    Product, Reduction, Spread, Sum, combine_states,
};
use musher_graph_core::{ChunkRef, Inputs, Moments, TaskError};
use ndarray::{ArrayD, IxDyn};
use num_complex::Complex;
use smallvec::SmallVec;
use std::marker::PhantomData;
use std::sync::Arc;

/// What becomes of a state when all elements have been met.
pub(super) trait Answer: 'static {
    /// What was collected.
    type Algebra: Accumulate;
    /// What it becomes.
    type Value: Element;

    /// The answer. `count` elements went into the state; `ddof` is the parameter of a variance.
    fn of(state: State<Self>, count: u64, ddof: f64) -> Result<Self::Value, Unanswered>;
}

/// The state of an answer's algebra.
type State<W> = <<W as Answer>::Algebra as Accumulate>::State;

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Unanswered {
    /// The exact value does not fit the type.
    TooLarge(i128),
    /// No element was left.
    Nothing,
}

/// An answer whose types are known where it is used only at run time.
pub(super) trait Asked: Sync {
    /// What is collected.
    fn reduction(&self) -> Reduction;

    /// The type of the answer.
    fn value(&self) -> DType;

    /// Whether nothing has no answer.
    fn needs_one(&self) -> bool;

    /// The states of several blocks as one, and their shape.
    fn combine(&self, inputs: &Inputs<'_>, masked: bool) -> Result<ChunkRef, TaskError>;

    /// The answers of the states of several blocks. Without a mask `count` elements went into each.
    fn finish(&self, inputs: &Inputs<'_>, asking: &Asking<'_>) -> Result<ChunkRef, TaskError>;
}

/// What an answer needs beside its states.
pub(super) struct Asking<'a> {
    /// The name that the user called.
    pub(super) operation: &'static str,
    /// How many elements went into each state; with a mask the states know.
    pub(super) count: Option<u64>,
    /// The degrees of freedom taken off a variance.
    pub(super) ddof: f64,
    /// The type of the elements.
    pub(super) from: DType,
    /// The shape of the answers.
    pub(super) shape: &'a [usize],
}

/// An [`Answer`] as what is [`Asked`].
struct Erased<W>(PhantomData<fn() -> W>);

impl<W: Answer> Asked for Erased<W> {
    fn reduction(&self) -> Reduction {
        Reduction::of::<W::Algebra>()
    }

    fn value(&self) -> DType {
        W::Value::DTYPE
    }

    fn needs_one(&self) -> bool {
        !W::Algebra::NOTHING_IS_AN_ANSWER
    }

    fn combine(&self, inputs: &Inputs<'_>, masked: bool) -> Result<ChunkRef, TaskError> {
        match masked {
            true => combined::<Counted<W::Algebra>>(inputs)?.into_chunk(),
            false => combined::<W::Algebra>(inputs)?.into_chunk(),
        }
    }

    fn finish(&self, inputs: &Inputs<'_>, asking: &Asking<'_>) -> Result<ChunkRef, TaskError> {
        match asking.count {
            Some(count) => finished::<W>(
                combined::<W::Algebra>(inputs)?.states.into_iter().map(|state| (state, count)),
                asking,
            ),
            None => {
                let states = combined::<Counted<W::Algebra>>(inputs)?.states.into_iter();
                finished::<W>(states.map(|CountedState { state, count }| (state, count)), asking)
            }
        }
    }
}

/// The states of some blocks of one shape, made one.
struct Combined<S> {
    states: Vec<S>,
    shape: Vec<usize>,
}

impl<S: Plain> Combined<S> {
    fn into_chunk(self) -> Result<ChunkRef, TaskError> {
        Ok(Arc::new(Block::new(ArrayD::from_shape_vec(IxDyn(&self.shape), self.states)?)))
    }
}

/// Combines the states of some blocks, element by element: a tree by the number of the block.
fn combined<C: Accumulate>(inputs: &Inputs<'_>) -> Result<Combined<C::State>, TaskError> {
    let parts: SmallVec<[&Block<C::State>; 8]> = inputs.slot(0)?;
    let n = parts.first().map_or(1, |part| part.elements().len());
    let mut states: Vec<C::State> = with_room(n)?;
    let mut together: Vec<C::State> = Vec::with_capacity(parts.len());
    for at in 0..n {
        together.clear();
        together.extend(parts.iter().filter_map(|part| part.elements().get(at).copied()));
        states.push(combine_states::<C>(&mut together));
    }
    Ok(Combined { states, shape: parts.first().map_or(Vec::new(), |part| part.shape().to_vec()) })
}

/// The answers of states and counts, as a block.
fn finished<W: Answer>(
    states: impl ExactSizeIterator<Item = (State<W>, u64)>,
    asking: &Asking<'_>,
) -> Result<ChunkRef, TaskError> {
    let (operation, dtype) = (asking.operation, W::Value::DTYPE);
    let mut answers: Vec<W::Value> = with_room(states.len())?;
    for (state, count) in states {
        let answer = match count {
            0 if !W::Algebra::NOTHING_IS_AN_ANSWER => not_a_number().ok_or(Unanswered::Nothing),
            _ => W::of(state, count, asking.ddof),
        };
        answers.push(answer.map_err(|unanswered| match unanswered {
            Unanswered::TooLarge(value) => Error::Overflow { operation, value, dtype },
            Unanswered::Nothing => Error::NothingLeft { operation, dtype: asking.from },
        })?);
    }
    Ok(Arc::new(Block::new(ArrayD::from_shape_vec(IxDyn(asking.shape), answers)?)))
}

/// NaN, where a type has it.
fn not_a_number<B: Element>() -> Option<B> {
    B::from_scalar(match B::DTYPE {
        DType::F32 => Scalar::F32(f32::NAN),
        DType::F64 => Scalar::F64(f64::NAN),
        _ => return None,
    })
}

/// A state that is, but for its width, the answer.
pub(super) trait Settle<B> {
    /// The answer, where it fits.
    fn settle(self) -> Result<B, Unanswered>;
}

impl<A: Element> Settle<A> for A {
    fn settle(self) -> Result<A, Unanswered> {
        Ok(self)
    }
}

impl Settle<f32> for f64 {
    fn settle(self) -> Result<f32, Unanswered> {
        Ok(self as f32)
    }
}

impl Settle<Complex<f32>> for Complex<f64> {
    fn settle(self) -> Result<Complex<f32>, Unanswered> {
        Ok(Complex::new(self.re as f32, self.im as f32))
    }
}

/// Exact integers in 64 bits.
macro_rules! integers {
    ($($t:ty)*) => {$(
        impl Settle<$t> for i128 {
            fn settle(self) -> Result<$t, Unanswered> {
                <$t>::try_from(self).map_err(|_| Unanswered::TooLarge(self))
            }
        }
        impl Settle<$t> for Product {
            fn settle(self) -> Result<$t, Unanswered> {
                // Anything beyond 64 bits is too large, and so is this.
                (if self.fits { self.value } else { i128::MAX }).settle()
            }
        }
    )*};
}
integers!(i64 u64);

/// A sum that a number of elements divides.
pub(super) trait Shared {
    /// What the quotient is.
    type Quotient;

    /// The sum for each of `count`; NaN of nothing.
    fn shared_by(self, count: u64) -> Self::Quotient;
}

impl Shared for f64 {
    type Quotient = Self;
    fn shared_by(self, count: u64) -> Self {
        self / count as f64
    }
}

impl Shared for i128 {
    type Quotient = f64;
    fn shared_by(self, count: u64) -> f64 {
        self as f64 / count as f64
    }
}

impl Shared for Complex<f64> {
    type Quotient = Self;
    fn shared_by(self, count: u64) -> Self {
        self / count as f64
    }
}

/// The place that an extreme was met at.
pub(super) trait Placed {
    /// The index.
    fn index(self) -> u64;
}

impl Placed for ArgFloat {
    fn index(self) -> u64 {
        self.index
    }
}

impl Placed for ArgInteger {
    fn index(self) -> u64 {
        self.index
    }
}

/// The state itself.
struct Itself<C, B>(PhantomData<(C, B)>);
/// The state, a sum, for each element.
struct Mean<C, B>(PhantomData<(C, B)>);
/// The variance by the moments.
struct Variance<C, B>(PhantomData<(C, B)>);
/// The root of it.
struct Deviation<C, B>(PhantomData<(C, B)>);
/// The place of the extreme.
struct Index<C>(PhantomData<C>);

impl<C: Accumulate<State: Settle<B>>, B: Element> Answer for Itself<C, B> {
    type Algebra = C;
    type Value = B;
    fn of(state: C::State, _: u64, _: f64) -> Result<B, Unanswered> {
        state.settle()
    }
}

impl<C: Accumulate<State: Shared<Quotient: Settle<B>>>, B: Element> Answer for Mean<C, B> {
    type Algebra = C;
    type Value = B;
    fn of(state: C::State, count: u64, _: f64) -> Result<B, Unanswered> {
        state.shared_by(count).settle()
    }
}

impl<C: Accumulate<State = Moments>, B: Element> Answer for Variance<C, B>
where
    f64: Settle<B>,
{
    type Algebra = C;
    type Value = B;
    fn of(state: Moments, _: u64, ddof: f64) -> Result<B, Unanswered> {
        state.variance(ddof).settle()
    }
}

impl<C: Accumulate<State = Moments>, B: Element> Answer for Deviation<C, B>
where
    f64: Settle<B>,
{
    type Algebra = C;
    type Value = B;
    fn of(state: Moments, _: u64, ddof: f64) -> Result<B, Unanswered> {
        state.variance(ddof).sqrt().settle()
    }
}

impl<C: Accumulate<State: Placed>> Answer for Index<C> {
    type Algebra = C;
    type Value = u64;
    fn of(state: C::State, _: u64, _: f64) -> Result<u64, Unanswered> {
        Ok(state.index())
    }
}

/// The answer for a type of elements, if there is one: `$t` stands for the type to which elements are widened.
macro_rules! by_type {
    ($dtype:expr, $t:ident => $answer:ty; $($($variant:ident)|+ : $wide:ty),+) => {
        match $dtype {
            $($(DType::$variant)|+ => {
                type $t = $wide;
                const { Some(&Erased::<$answer>(PhantomData) as &'static dyn Asked) }
            })+
            _ => None,
        }
    };
}

/// Integers and floats; integers as the widest of their sign.
macro_rules! reals {
    ($dtype:expr, $t:ident => $answer:ty $(; $($more:tt)*)?) => {
        by_type!($dtype, $t => $answer;
            I8 | I16 | I32 | I64: i64, U8 | U16 | U32 | U64: u64, F32: f32, F64: f64 $(, $($more)*)?)
    };
}

/// What an answer is for each type of elements; none where the type has no such answer.
pub(super) type ByType = fn(DType) -> Option<&'static dyn Asked>;

pub(super) fn sum(dtype: DType) -> Option<&'static dyn Asked> {
    reals!(dtype, T => Itself<Sum<T>, <T as Number>::Sum>; C32: Complex<f32>, C64: Complex<f64>)
}

pub(super) fn mean(dtype: DType) -> Option<&'static dyn Asked> {
    reals!(dtype, T => Mean<Sum<T>, <T as Number>::Mean>; C32: Complex<f32>, C64: Complex<f64>)
}

pub(super) fn product(dtype: DType) -> Option<&'static dyn Asked> {
    reals!(dtype, T => Itself<Prod<T>, <T as Number>::Sum>)
}

/// Deviations are of floats: of integers in double precision.
macro_rules! floats {
    ($dtype:expr, $t:ident => $answer:ty) => {
        by_type!($dtype, $t => $answer;
            I8 | I16 | I32 | I64 | U8 | U16 | U32 | U64 | F64: f64, F32: f32)
    };
}

pub(super) fn variance(dtype: DType) -> Option<&'static dyn Asked> {
    floats!(dtype, T => Variance<Spread<T>, T>)
}

pub(super) fn deviation(dtype: DType) -> Option<&'static dyn Asked> {
    floats!(dtype, T => Deviation<Spread<T>, T>)
}

/// An extreme keeps the type of the elements, which is not widened.
macro_rules! ordered {
    ($dtype:expr, $t:ident => $answer:ty) => {
        by_type!($dtype, $t => $answer; Bool: bool, I8: i8, I16: i16, I32: i32, I64: i64, U8: u8, U16: u16,
            U32: u32, U64: u64, F32: f32, F64: f64)
    };
}

pub(super) fn min(dtype: DType) -> Option<&'static dyn Asked> {
    ordered!(dtype, T => Itself<Min<T>, T>)
}

pub(super) fn max(dtype: DType) -> Option<&'static dyn Asked> {
    ordered!(dtype, T => Itself<Max<T>, T>)
}

pub(super) fn argmin(dtype: DType) -> Option<&'static dyn Asked> {
    reals!(dtype, T => Index<ArgMin<T>>)
}

pub(super) fn argmax(dtype: DType) -> Option<&'static dyn Asked> {
    reals!(dtype, T => Index<ArgMax<T>>)
}

pub(super) fn any(dtype: DType) -> Option<&'static dyn Asked> {
    by_type!(dtype, T => Itself<AnyOf<T>, T>; Bool: bool)
}

pub(super) fn all(dtype: DType) -> Option<&'static dyn Asked> {
    by_type!(dtype, T => Itself<AllOf<T>, T>; Bool: bool)
}

pub(super) fn count_true(dtype: DType) -> Option<&'static dyn Asked> {
    by_type!(dtype, T => Itself<Sum<T>, u64>; Bool: bool)
}
