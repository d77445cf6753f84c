//! States across rows: a row of them for each group of rows, which the elements of a row enter side by side.
//!
//! A state of several numbers is kept as several lists while its group is filled, so that each step is a loop over
//! neighbors in memory, which compilers vectorize; at the end the lists become states.

use super::accumulate::Accumulate;
use super::states::ArgFloat;
use crate::kernel::memory::{OutOfMemory, collected, with_room};
use musher_graph_core::Moments;
use std::ops::Range;

/// The states of groups while elements enter.
pub trait Groups<C: Accumulate + ?Sized>: Send + Sized {
    /// So many states.
    ///
    /// # Errors
    /// [`OutOfMemory`] when the system refuses.
    fn with_states(n: usize) -> Result<Self, OutOfMemory>;

    /// The first elements of groups enter, one for each of these states.
    fn begin(&mut self, states: Range<usize>, values: &[C::Item], index: u64);

    /// Further elements enter, which come one after the other with nothing between them.
    fn enter(&mut self, states: Range<usize>, values: &[C::Item], index: u64);

    /// The states; `count` tells for each how many elements have entered.
    ///
    /// # Errors
    /// [`OutOfMemory`] when the system refuses.
    fn close(self, count: impl Fn(usize) -> usize) -> Result<Vec<C::State>, OutOfMemory>;
}

/// States as they are.
pub(crate) struct Plainly<S>(Vec<S>);

impl<S> Plainly<S> {
    /// Some of the states.
    pub(super) fn states(&mut self, states: Range<usize>) -> &mut [S] {
        &mut self.0[states]
    }
}

impl<C: Accumulate + ?Sized> Groups<C> for Plainly<C::State> {
    fn with_states(n: usize) -> Result<Self, OutOfMemory> {
        filled(n, C::IDENTITY).map(Self)
    }

    #[inline(always)]
    fn begin(&mut self, states: Range<usize>, values: &[C::Item], index: u64) {
        for (state, &value) in self.0[states].iter_mut().zip(values) {
            *state = C::one(value, index);
        }
    }

    #[inline(always)]
    fn enter(&mut self, states: Range<usize>, values: &[C::Item], index: u64) {
        for (state, &value) in self.0[states].iter_mut().zip(values) {
            C::push(state, value, index);
        }
    }

    fn close(self, _count: impl Fn(usize) -> usize) -> Result<Vec<C::State>, OutOfMemory> {
        Ok(self.0)
    }
}

/// Sums of the differences from the first element of a group, and of their squares: a division for each element, as one
/// by one, would cost most.
pub(crate) struct Sums {
    shifts: Vec<f64>,
    sums: Vec<f64>,
    squares: Vec<f64>,
}

impl<C: Accumulate<State = Moments> + ?Sized> Groups<C> for Sums {
    fn with_states(n: usize) -> Result<Self, OutOfMemory> {
        Ok(Self { shifts: filled(n, 0.0)?, sums: filled(n, 0.0)?, squares: filled(n, 0.0)? })
    }

    #[inline(always)]
    fn begin(&mut self, states: Range<usize>, values: &[C::Item], index: u64) {
        let lists = self.shifts[states.clone()].iter_mut().zip(&mut self.sums[states.clone()]);
        for (((shift, sum), squares), &value) in lists.zip(&mut self.squares[states]).zip(values) {
            let one = C::one(value, index);
            (*shift, *sum, *squares) = (one.shift, one.mean, one.squares);
        }
    }

    #[inline(always)]
    fn enter(&mut self, states: Range<usize>, values: &[C::Item], index: u64) {
        let lists = self.shifts[states.clone()].iter().zip(&mut self.sums[states.clone()]);
        for (((&shift, sum), squares), &value) in lists.zip(&mut self.squares[states]).zip(values) {
            // Of one number the moments have the number as their shift.
            let difference = C::one(value, index).shift - shift;
            *sum += difference;
            *squares += difference * difference;
        }
    }

    fn close(self, count: impl Fn(usize) -> usize) -> Result<Vec<Moments>, OutOfMemory> {
        let moments = |at: usize| match count(at) {
            0 => Moments::default(),
            n => Moments::from_sums(n as f64, self.shifts[at], self.sums[at], self.squares[at]),
        };
        collected((0..self.shifts.len()).map(moments))
    }
}

/// Extremes and their places.
pub(crate) struct Places {
    values: Vec<f64>,
    indices: Vec<u64>,
}

impl<C: Accumulate<State = ArgFloat> + ?Sized> Groups<C> for Places {
    fn with_states(n: usize) -> Result<Self, OutOfMemory> {
        Ok(Self { values: filled(n, 0.0)?, indices: filled(n, u64::MAX)? })
    }

    #[inline(always)]
    fn begin(&mut self, states: Range<usize>, values: &[C::Item], index: u64) {
        let lists = self.values[states.clone()].iter_mut().zip(&mut self.indices[states]);
        for ((extreme, place), &value) in lists.zip(values) {
            (*extreme, *place) = (C::one(value, index).value, index);
        }
    }

    #[inline(always)]
    fn enter(&mut self, states: Range<usize>, values: &[C::Item], index: u64) {
        let lists = self.values[states.clone()].iter_mut().zip(&mut self.indices[states]);
        for ((extreme, place), &value) in lists.zip(values) {
            let value = C::one(value, index).value;
            let beats = C::beats(value, *extreme);
            *extreme = if beats { value } else { *extreme };
            *place = if beats { index } else { *place };
        }
    }

    fn close(self, _count: impl Fn(usize) -> usize) -> Result<Vec<ArgFloat>, OutOfMemory> {
        let state = |(&value, &index): (&f64, &u64)| ArgFloat { value, index };
        collected(self.values.iter().zip(&self.indices).map(state))
    }
}

/// `n` times the same value.
fn filled<S: Copy>(n: usize, value: S) -> Result<Vec<S>, OutOfMemory> {
    let mut all = with_room(n)?;
    all.resize(n, value);
    Ok(all)
}
