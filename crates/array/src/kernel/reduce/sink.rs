//! The sink of a strip program: takes runs of elements in any order of tiles and keeps one state for each segment or
//! group, so that the order of the tiles does not matter.

use super::accumulate::{
    Accumulate, AllOf, AnyOf, ArgMax, ArgMin, Max, Min, Prod, Spread, Sum, combine_states,
};
use super::states::States;
use super::{GROUP, Reduction, SEGMENT};
use crate::element::{DType, Element, Source};
use crate::kernel::memory::{OutOfMemory, collected, with_room};
use num_complex::Complex;

/// Reduces the elements of one block, which come as runs.
///
/// A run covers neighbors in C order. Along a row (see [`row_length`]) it begins at a multiple of [`SEGMENT`] and
/// ends at one or at the end of a row; across rows, runs of one group come in order.
pub trait Reducer: Send {
    /// Enters the run that begins at `start` in the block.
    fn accept(&mut self, start: usize, run: Source<'_>);

    /// The states of the block: one, or one for each element of the block's shape without the reduced axis.
    ///
    /// # Errors
    /// [`OutOfMemory`] when there is no room for them.
    fn finish(self: Box<Self>) -> Result<States, OutOfMemory>;
}

/// The row on which the segments of a reduction lie: runs must not cross its ends except as whole rows.
///
/// `None` where any run will do.
#[must_use]
pub fn row_length(shape: &[usize], axis: Option<usize>) -> Option<usize> {
    match axis {
        Some(axis) if axis + 1 == shape.len() => Some(shape[axis]),
        Some(axis) if shape[axis + 1..].iter().product::<usize>() == 1 => Some(shape[axis]),
        Some(_) => None,
        None => {
            // As many trailing axes as make a row of at least one segment.
            let mut row = 1;
            for &length in shape.iter().rev() {
                if row >= SEGMENT {
                    break;
                }
                row *= length;
            }
            Some(row)
        }
    }
}

/// A block seen as (outer, n, inner), reduced along `n`.
#[derive(Clone, Copy, Debug)]
struct Shape {
    outer: usize,
    n: usize,
    inner: usize,
    /// The row of the segments, where `inner` is 1.
    row: usize,
}

/// The sink of one reduction.
struct Sink<C: Accumulate> {
    shape: Shape,
    /// Where `inner` is 1: for each row, its segments. Else for each outer index, its groups of `inner` states.
    states: Vec<C::State>,
}

impl<C: Accumulate> Sink<C> {
    fn new(lengths: &[usize], axis: Option<usize>) -> Result<Self, OutOfMemory> {
        let total: usize = lengths.iter().product();
        let shape = match axis {
            None => {
                let row = row_length(lengths, None).unwrap_or(total);
                Shape { outer: 1, n: total, inner: 1, row }
            }
            Some(axis) => {
                let inner = lengths[axis + 1..].iter().product();
                Shape { outer: lengths[..axis].iter().product(), n: lengths[axis], inner, row: lengths[axis] }
            }
        };
        let n_states = match (total, shape.inner) {
            (0, _) => 0,
            (_, 1) => total / shape.row * shape.row.div_ceil(SEGMENT),
            (_, inner) => shape.outer * shape.n.div_ceil(GROUP) * inner,
        };
        let mut states = with_room(n_states)?;
        states.resize(n_states, C::IDENTITY);
        Ok(Self { shape, states })
    }

    /// Enters a run along rows.
    fn accept_rows(&mut self, start: usize, mut values: &[C::Item]) {
        let Shape { n, row, .. } = self.shape;
        let per_row = row.div_ceil(SEGMENT);
        let (mut at, mut column, mut index) = (start / row, start % row, start % n);
        while !values.is_empty() {
            let take = (row - column).min(SEGMENT).min(values.len());
            let (segment, rest) = values.split_at(take);
            self.states[at * per_row + column / SEGMENT] = C::segment(segment, index as u64);
            values = rest;
            column += take;
            index += take;
            if column == row {
                (at, column) = (at + 1, 0);
            }
            if index >= n {
                index = 0;
            }
        }
    }

    /// Enters a run across rows: the states of a group are filled in the order of its rows.
    fn accept_across(&mut self, start: usize, mut values: &[C::Item]) {
        let Shape { n, inner, .. } = self.shape;
        let groups = n.div_ceil(GROUP);
        let (mut line, mut column) = (start / inner, start % inner);
        while !values.is_empty() {
            let take = (inner - column).min(values.len());
            let (run, rest) = values.split_at(take);
            let (outer, along) = (line / n, line % n);
            let first = (outer * groups + along / GROUP) * inner + column;
            let states = &mut self.states[first..first + take];
            let index = along as u64;
            if along % GROUP == 0 {
                for (state, &value) in states.iter_mut().zip(run) {
                    *state = C::one(value, index);
                }
            } else {
                crate::kernel::simd::dispatch(
                    #[inline(always)]
                    || {
                        for (state, &value) in states.iter_mut().zip(run) {
                            C::push(state, value, index);
                        }
                    },
                );
            }
            values = rest;
            (line, column) = (line + 1, 0);
        }
    }
}

impl<C: Accumulate> Reducer for Sink<C>
where
    C::State: Send,
{
    fn accept(&mut self, start: usize, run: Source<'_>) {
        let run = C::Item::from_source(run).expect("the reducer was made for this element type");
        match self.shape.inner {
            _ if run.is_empty() => {}
            1 => self.accept_rows(start, run),
            _ => self.accept_across(start, run),
        }
    }

    fn finish(mut self: Box<Self>) -> Result<States, OutOfMemory> {
        let Shape { outer, n, inner, .. } = self.shape;
        if n == 0 {
            return Ok(C::collect(collected(std::iter::repeat_n(C::IDENTITY, outer * inner))?));
        }
        if inner == 1 {
            let per_outer = self.states.len() / outer.max(1);
            let rows = self.states.chunks_mut(per_outer.max(1));
            return Ok(C::collect(collected(rows.map(|states| combine_states::<C>(states)))?));
        }
        if outer * inner == 0 {
            return Ok(C::collect(Vec::new()));
        }
        let mut answers = with_room(outer * inner)?;
        for groups in self.states.chunks_mut(n.div_ceil(GROUP) * inner) {
            combine_rows::<C>(groups, inner);
            answers.extend_from_slice(&groups[..inner]);
        }
        Ok(C::collect(answers))
    }
}

/// Combines rows of states pairwise into the first row: a tree by index, as [`combine_states`] for each column.
fn combine_rows<C: Accumulate>(rows: &mut [C::State], width: usize) {
    let mut n = rows.len() / width;
    while n > 1 {
        for k in 0..n / 2 {
            for column in 0..width {
                let (a, b) = (rows[2 * k * width + column], rows[(2 * k + 1) * width + column]);
                rows[k * width + column] = C::combine(a, b);
            }
        }
        if n % 2 == 1 {
            rows.copy_within((n - 1) * width..n * width, n / 2 * width);
        }
        n = n.div_ceil(2);
    }
}

/// Generic code that is called with the algebra of a reduction over a type known at run time.
pub trait VisitAlgebra {
    /// What the code gives.
    type Output;

    /// Runs the code for an algebra.
    fn visit<C: Accumulate>(self) -> Self::Output;
}

impl Reduction {
    /// Calls a visitor with the algebra of this reduction over elements of a type; none where there is no such
    /// algebra.
    pub fn visit<V: VisitAlgebra>(self, dtype: DType, visitor: V) -> Option<V::Output> {
        /// One arm for each type in the list.
        macro_rules! arms {
            ($algebra:ident; $($variant:ident $t:ty),*) => {
                match dtype {
                    $(DType::$variant => visitor.visit::<$algebra<$t>>(),)*
                    _ => return None,
                }
            };
        }
        /// Extremes keep their type.
        macro_rules! every_order {
            ($algebra:ident) => {
                arms!($algebra; Bool bool, I8 i8, I16 i16, I32 i32, I64 i64, U8 u8, U16 u16, U32 u32, U64 u64,
                    F32 f32, F64 f64)
            };
        }
        // The others are made for the types that `widened` gives.
        Some(match self {
            Self::Sum => {
                arms!(Sum; Bool bool, I64 i64, U64 u64, F32 f32, F64 f64, C32 Complex<f32>, C64 Complex<f64>)
            }
            Self::Product => arms!(Prod; I64 i64, U64 u64, F32 f32, F64 f64),
            Self::Moments => arms!(Spread; F32 f32, F64 f64),
            Self::Min => every_order!(Min),
            Self::Max => every_order!(Max),
            Self::ArgMin => arms!(ArgMin; I64 i64, U64 u64, F32 f32, F64 f64),
            Self::ArgMax => arms!(ArgMax; I64 i64, U64 u64, F32 f32, F64 f64),
            Self::Any => arms!(AnyOf; Bool bool),
            Self::All => arms!(AllOf; Bool bool),
        })
    }
}

/// Bytes of one state of a reduction over elements of a type; none where the type has no such reduction.
#[must_use]
pub fn state_bytes(reduction: Reduction, dtype: DType) -> Option<usize> {
    struct Size;
    impl VisitAlgebra for Size {
        type Output = usize;
        fn visit<C: Accumulate>(self) -> usize {
            size_of::<C::State>()
        }
    }
    reduction.visit(dtype, Size)
}

/// The sink of a reduction over elements of a type, for a block of this shape; none where the type has no such
/// reduction.
///
/// # Errors
/// [`OutOfMemory`] when there is no room for the states.
pub fn reducer(
    reduction: Reduction,
    dtype: DType,
    shape: &[usize],
    axis: Option<usize>,
) -> Result<Option<Box<dyn Reducer>>, OutOfMemory> {
    struct Make<'a>(&'a [usize], Option<usize>);
    impl VisitAlgebra for Make<'_> {
        type Output = Result<Box<dyn Reducer>, OutOfMemory>;
        fn visit<C: Accumulate>(self) -> Self::Output {
            Ok(Box::new(Sink::<C>::new(self.0, self.1)?))
        }
    }
    reduction.visit(dtype, Make(shape, axis)).transpose()
}
