//! The sink of a strip program: takes runs of elements in any order of tiles and keeps one state for each segment or
//! group, so that the order of the tiles does not matter.

use super::accumulate::{Accumulate, combine_states};
use super::axes::{AxisSet, Lines};
use super::groups::Groups;
use super::masked::Counted;
use super::{GROUP, SEGMENT};
use crate::block::StateList;
use crate::element::{DType, Element, Source};
use crate::kernel::memory::{OutOfMemory, collected, with_room};
use crate::kernel::simd::dispatch;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Range;

/// The states of a block: a `Vec` of the state of the algebra that made them.
pub type States = Box<dyn StateList>;

/// Reduces the elements of one block, which come as runs.
///
/// A run covers neighbors in C order. Along a row (see [`row_length`](super::row_length)) it begins at a multiple of
/// [`SEGMENT`] and ends at one or at the end of a row; across rows, the elements along the
/// [ordered axes](super::ordered_axes) come in order.
pub trait Reducer: Send {
    /// Enters the run that begins at `start` in the block; of a masked reduction what `mask` says.
    fn accept(&mut self, start: usize, run: Source<'_>, mask: &[bool]);

    /// The states of the block, one for each element of its shape without the reduced axes. `place` gives for an index
    /// along the reduced axes of the block that in the whole array.
    ///
    /// # Errors
    /// [`OutOfMemory`] when there is no room for them.
    fn finish(self: Box<Self>, place: &dyn Fn(u64) -> u64) -> Result<States, OutOfMemory>;
}

/// An algebra whose types are known where it is used only at run time.
pub trait Algebra: Sync {
    /// Its name: with the type of the items it says everything.
    fn name(&self) -> &'static str;

    /// The type of what is reduced.
    fn item(&self) -> DType;

    /// Bytes of a state; with a mask its count stands beside it.
    fn state_bytes(&self, masked: bool) -> usize;

    /// The states of nothing, which say of what type states are.
    fn no_states(&self, masked: bool) -> States;

    /// The sink for a block of this shape.
    ///
    /// # Errors
    /// [`OutOfMemory`] when there is no room for the states.
    fn reducer(&self, shape: &[usize], axes: AxisSet, masked: bool) -> Result<Box<dyn Reducer>, OutOfMemory>;
}

/// An [`Accumulate`] as an [`Algebra`].
struct Erased<C>(PhantomData<fn() -> C>);

impl<C: Accumulate> Algebra for Erased<C> {
    fn name(&self) -> &'static str {
        C::NAME
    }

    fn item(&self) -> DType {
        C::Item::DTYPE
    }

    fn state_bytes(&self, masked: bool) -> usize {
        match masked {
            true => size_of::<<Counted<C> as Accumulate>::State>(),
            false => size_of::<C::State>(),
        }
    }

    fn no_states(&self, masked: bool) -> States {
        match masked {
            true => Box::new(Vec::<<Counted<C> as Accumulate>::State>::new()),
            false => Box::new(Vec::<C::State>::new()),
        }
    }

    fn reducer(&self, shape: &[usize], axes: AxisSet, masked: bool) -> Result<Box<dyn Reducer>, OutOfMemory> {
        Ok(match masked {
            true => Box::new(Masked::<C>(Sink::new(shape, axes)?)),
            false => Box::new(Sink::<C>::new(shape, axes)?),
        })
    }
}

/// A reduction by name, as programs hold it.
#[derive(Clone, Copy)]
pub struct Reduction(&'static dyn Algebra);

impl Reduction {
    /// The reduction by an algebra.
    #[must_use]
    pub fn of<C: Accumulate>() -> Self {
        Self(const { &Erased::<C>(PhantomData) })
    }

    /// The algebra.
    #[must_use]
    pub fn algebra(self) -> &'static dyn Algebra {
        self.0
    }
}

impl PartialEq for Reduction {
    fn eq(&self, other: &Self) -> bool {
        self.0.name() == other.0.name() && self.0.item() == other.0.item()
    }
}

impl Eq for Reduction {}

impl fmt::Debug for Reduction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.0.name(), self.0.item())
    }
}

/// The sink of one reduction.
struct Sink<C: Accumulate> {
    lines: Lines,
    /// Where `inner` is 1: for each row, its segments. Else empty.
    states: Vec<C::State>,
    /// Where `inner` is not 1: for each outer index, its groups of `inner` states. Else empty.
    groups: C::Groups,
}

impl<C: Accumulate> Sink<C> {
    fn new(shape: &[usize], axes: AxisSet) -> Result<Self, OutOfMemory> {
        let lines = Lines::new(shape, axes);
        let (n_segments, n_groups) = match lines.inner {
            1 => (lines.n_states(), 0),
            _ => (0, lines.n_states()),
        };
        let mut states = with_room(n_segments)?;
        states.resize(n_segments, C::IDENTITY);
        Ok(Self { lines, states, groups: C::Groups::with_states(n_groups)? })
    }

    /// Calls `segment` with each segment of a run along rows: the number of its state, where it is in the run, and the
    /// index of its first element.
    #[inline(always)]
    fn segments(
        &mut self,
        start: usize,
        len: usize,
        mut segment: impl FnMut(&mut C::State, usize, usize, u64),
    ) {
        let Lines { n, row, .. } = self.lines;
        let per_row = row.div_ceil(SEGMENT);
        let (mut at, mut column, mut index) = (start / row, start % row, start % n);
        let mut done = 0;
        while done < len {
            let take = (row - column).min(SEGMENT).min(len - done);
            segment(&mut self.states[at * per_row + column / SEGMENT], done, take, index as u64);
            done += take;
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

    /// Calls `line` with each part of a run across rows that lies in one row: the states of its group, where it is in the
    /// run, its index along what is reduced, and whether it is the first of its group.
    #[inline(always)]
    fn across(
        &mut self,
        start: usize,
        len: usize,
        mut line: impl FnMut(&mut C::Groups, Range<usize>, usize, u64, bool),
    ) {
        let Lines { n, inner, .. } = self.lines;
        let groups = n.div_ceil(GROUP);
        let (mut at, mut column) = (start / inner, start % inner);
        let mut done = 0;
        while done < len {
            let take = (inner - column).min(len - done);
            let (outer, along) = (at / n, at % n);
            let first = (outer * groups + along / GROUP) * inner + column;
            line(&mut self.groups, first..first + take, done, along as u64, along % GROUP == 0);
            done += take;
            (at, column) = (at + 1, 0);
        }
    }

    /// The states along the last reduced run: one for each outer and inner index.
    fn along_the_run(mut self) -> Result<Vec<C::State>, OutOfMemory> {
        let Lines { outer, n, inner, .. } = self.lines;
        if n == 0 {
            return collected(std::iter::repeat_n(C::IDENTITY, outer * inner));
        }
        if inner == 1 {
            let per_outer = self.states.len() / outer.max(1);
            let rows = self.states.chunks_mut(per_outer.max(1));
            return collected(rows.map(|states| combine_states::<C>(states)));
        }
        if outer * inner == 0 {
            return Ok(Vec::new());
        }
        let mut answers = with_room(outer * inner)?;
        let groups = n.div_ceil(GROUP);
        let mut states = self.groups.close(|state| GROUP.min(n - state / inner % groups * GROUP))?;
        for groups in states.chunks_mut(n.div_ceil(GROUP) * inner) {
            combine_rows::<C>(groups, inner);
            answers.extend_from_slice(&groups[..inner]);
        }
        Ok(answers)
    }

    /// The states along all reduced axes: those before the run are combined as a tree by index, too.
    fn answers(self) -> Result<Vec<C::State>, OutOfMemory> {
        let Lines { n, inner, before, .. } = self.lines.clone();
        let mut states = self.along_the_run()?;
        // From the last axis to the first, so that an index along the reduced axes is the number in C order.
        let mut weight = n;
        for (at, &(length, reduced)) in before.iter().enumerate().rev() {
            if !reduced {
                continue;
            }
            let outer: usize = before[..at].iter().map(|(length, _)| length).product();
            let kept = before[at + 1..].iter().map(|&(length, reduced)| if reduced { 1 } else { length });
            let width = kept.product::<usize>() * inner;
            let mut fewer = with_room(outer * width)?;
            if length == 0 {
                fewer.resize(outer * width, C::IDENTITY);
            }
            for lines in states.chunks_mut((length * width).max(1)) {
                for (along, line) in lines.chunks_mut(width.max(1)).enumerate() {
                    let shift = |index: u64| index + (along * weight) as u64;
                    line.iter_mut().for_each(|state| C::relocate(state, &shift));
                }
                combine_rows::<C>(lines, width);
                fewer.extend_from_slice(&lines[..width]);
            }
            states = fewer;
            weight *= length;
        }
        Ok(states)
    }

    /// The answers with the places that they have in the whole array.
    fn finished(self, place: &dyn Fn(u64) -> u64) -> Result<States, OutOfMemory> {
        let mut states = self.answers()?;
        states.iter_mut().for_each(|state| C::relocate(state, place));
        Ok(Box::new(states))
    }
}

/// Why elements have the type that an algebra reduces.
const TYPED: &str = "the reducer was made for this element type";

impl<C: Accumulate> Reducer for Sink<C> {
    fn accept(&mut self, start: usize, run: Source<'_>, _mask: &[bool]) {
        let values = C::Item::from_source(run).expect(TYPED);
        match self.lines.inner {
            _ if values.is_empty() => {}
            1 => dispatch(
                #[inline(always)]
                || {
                    self.segments(
                        start,
                        values.len(),
                        #[inline(always)]
                        |state, at, len, index| *state = C::segment(&values[at..at + len], index),
                    );
                },
            ),
            _ => dispatch(
                #[inline(always)]
                || {
                    self.across(
                        start,
                        values.len(),
                        #[inline(always)]
                        |groups, states, at, index, is_first| {
                            let values = &values[at..at + states.len()];
                            match is_first {
                                true => groups.begin(states, values, index),
                                false => groups.enter(states, values, index),
                            }
                        },
                    );
                },
            ),
        }
    }

    fn finish(self: Box<Self>, place: &dyn Fn(u64) -> u64) -> Result<States, OutOfMemory> {
        self.finished(place)
    }
}

/// The sink of a masked reduction.
struct Masked<C: Accumulate>(Sink<Counted<C>>);

impl<C: Accumulate> Reducer for Masked<C> {
    fn accept(&mut self, start: usize, run: Source<'_>, mask: &[bool]) {
        let values = C::Item::from_source(run).expect(TYPED);
        match self.0.lines.inner {
            _ if values.is_empty() => {}
            1 => dispatch(
                #[inline(always)]
                || {
                    self.0.segments(
                        start,
                        values.len(),
                        #[inline(always)]
                        |state, at, len, index| {
                            let (values, mask) = (&values[at..at + len], &mask[at..at + len]);
                            *state = Counted::<C>::segment_where(values, mask, index);
                        },
                    );
                },
            ),
            _ => self.0.across(start, values.len(), |groups, states, at, index, _| {
                let (values, mask) = (&values[at..], &mask[at..]);
                for ((state, &value), &counts) in groups.states(states).iter_mut().zip(values).zip(mask) {
                    Counted::<C>::push_where(state, value, counts, index);
                }
            }),
        }
    }

    fn finish(self: Box<Self>, place: &dyn Fn(u64) -> u64) -> Result<States, OutOfMemory> {
        self.0.finished(place)
    }
}

/// Combines rows of states pairwise into the first row: a tree by index, as [`combine_states`] for each column.
fn combine_rows<C: Accumulate>(rows: &mut [C::State], width: usize) {
    let mut n = rows.len() / width.max(1);
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
