//! Sums and extremes of windows along an axis, in a number of steps that is the logarithm of the window's size.
//!
//! From the values of all windows of `w` neighbors those of `2 w` are made by one vector operation; a window of any size is
//! put together from such powers of two (for extremes two of them suffice, because they may overlap). So the order in
//! which numbers meet depends on the window alone: an answer is the same in every block, and a NaN or an infinity reaches
//! as far as the window. Running sums, as scipy's, take two additions whatever the size, but one after the other along the
//! line: each answer would depend on where the block begins, and nothing behind a NaN would be a number.
//!
//! Source: R. van den Boomgaard and R. van Balen, "Methods for fast morphological image transforms using bitmapped binary
//! images" (1992), for extremes; W. D. Hillis and G. L. Steele, "Data parallel algorithms" (1986), for sums.

use bytemuck::Zeroable;
use std::marker::PhantomData;

use pulp::{Arch, NullaryFnOnce};

use super::separable::Line;
use super::widen::Widen;

/// Neighboring columns that are worked on together where the axis is not the last: their rows stay in the first cache.
const COLUMNS: usize = 64;

/// Answers that are worked on together along the last axis.
const ANSWERS: usize = 2048;

/// How values of a window meet; in any order, but the result may depend on it.
pub(crate) trait Meet<A>: Send + Sync + 'static {
    /// What values are kept as.
    type Value: Copy + Zeroable + Send;
    /// Whether a value may meet itself without a difference.
    const MAY_OVERLAP: bool;

    fn value(element: A) -> Self::Value;
    fn meet(one: Self::Value, other: Self::Value) -> Self::Value;
    /// The answer of a window of this size.
    fn answer(value: Self::Value, size: usize) -> A;
}

/// The mean, by a sum in `f64`.
#[derive(Debug)]
pub(crate) struct Mean;
/// The least value; NaN where there is one.
#[derive(Debug)]
pub(crate) struct Least;
/// The greatest value; NaN where there is one.
#[derive(Debug)]
pub(crate) struct Greatest;

impl<A: Widen> Meet<A> for Mean {
    type Value = f64;
    const MAY_OVERLAP: bool = false;

    #[inline(always)]
    fn value(element: A) -> f64 {
        element.widen()
    }

    #[inline(always)]
    fn meet(one: f64, other: f64) -> f64 {
        one + other
    }

    #[inline(always)]
    fn answer(value: f64, size: usize) -> A {
        A::narrow(value / size as f64)
    }
}

/// Implements [`Meet`] for an extreme. For `Greatest` it reads: the first one if it is `>` the other or NaN.
macro_rules! extremes {
    ($($extreme:ident $beats:tt),*) => {$(
        impl<A: Widen> Meet<A> for $extreme {
            type Value = A;
            const MAY_OVERLAP: bool = true;

            #[inline(always)]
            fn value(element: A) -> A {
                element
            }

            #[inline(always)]
            fn meet(one: A, other: A) -> A {
                // Only NaN differs from itself.
                if one $beats other || one != one { one } else { other }
            }

            #[inline(always)]
            fn answer(value: A, _: usize) -> A {
                value
            }
        }
    )*};
}
extremes!(Least <, Greatest >);

/// A window of so many neighbors along an axis.
#[derive(Debug)]
pub(crate) struct Windows<M> {
    size: usize,
    marker: PhantomData<fn() -> M>,
}

impl<M> Windows<M> {
    /// Of at least one.
    pub(crate) fn new(size: usize) -> Self {
        Self { size, marker: PhantomData }
    }

    /// How many.
    pub(crate) fn size(&self) -> usize {
        self.size
    }
}

/// Values of windows of growing size.
#[derive(Debug)]
pub(crate) struct Values<V> {
    now: Vec<V>,
    next: Vec<V>,
    /// What the smaller powers of two have made.
    part: Vec<V>,
}

impl<V> Default for Values<V> {
    fn default() -> Self {
        Self { now: Vec::new(), next: Vec::new(), part: Vec::new() }
    }
}

impl<A: Widen, M: Meet<A>> Line<A> for Windows<M> {
    type Scratch = Values<M::Value>;

    fn length(&self) -> usize {
        self.size
    }

    fn cost(&self) -> u64 {
        300 + 150 * u64::from(self.size.ilog2() + if M::MAY_OVERLAP { 1 } else { self.size.count_ones() })
    }

    fn lines_at_once(&self) -> usize {
        // The first and the last lines of a group are read by its neighbors again.
        4 * self.size
    }

    fn scratch_bytes(&self) -> usize {
        // The values of a group of lines, and what meets from its both sides.
        3 * size_of::<M::Value>()
    }

    fn slide(&self, source: &[A], step: usize, target: &mut [A], values: &mut Self::Scratch) {
        Arch::new().dispatch(Slide::<A, M> { size: self.size, source, step, target, values });
    }
}

struct Slide<'a, A, M: Meet<A>> {
    size: usize,
    source: &'a [A],
    step: usize,
    target: &'a mut [A],
    values: &'a mut Values<M::Value>,
}

impl<A: Widen, M: Meet<A>> NullaryFnOnce for Slide<'_, A, M> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { size, source, step, target, values } = self;
        if step <= COLUMNS {
            let reach = (size - 1) * step;
            let answers = ANSWERS.max(4 * reach);
            for (part, target) in target.chunks_mut(answers).enumerate() {
                values.now.clear();
                let source = &source[part * answers..][..target.len() + reach];
                values.now.extend(source.iter().map(|&element| M::value(element)));
                widen_windows::<A, M>(values, size, step);
                write::<A, M>(&values.now, size, target);
            }
            return;
        }
        let rows = source.len() / step;
        for first in (0..step).step_by(COLUMNS) {
            let columns = COLUMNS.min(step - first);
            values.now.clear();
            for row in 0..rows {
                let source = &source[row * step + first..][..columns];
                values.now.extend(source.iter().map(|&element| M::value(element)));
            }
            widen_windows::<A, M>(values, size, columns);
            for (row, values) in values.now.chunks_exact(columns).take(rows + 1 - size).enumerate() {
                write::<A, M>(values, size, &mut target[row * step + first..][..columns]);
            }
        }
    }
}

/// From single values to those of windows of `size`, which begin where they did; those at the end are none.
#[inline(always)]
fn widen_windows<A, M: Meet<A>>(values: &mut Values<M::Value>, size: usize, step: usize) {
    let Values { now, next, part } = values;
    let n = now.len() - (size - 1) * step;
    let (mut width, mut length, mut done) = (1, now.len(), 0);
    loop {
        if !M::MAY_OVERLAP && size & width != 0 && size != width {
            match done {
                0 => {
                    part.clear();
                    part.extend_from_slice(&now[..n]);
                }
                _ => meet_into::<A, M>(&now[done * step..], part),
            }
            done += width;
        }
        if 2 * width > size {
            break;
        }
        length -= width * step;
        next.clear();
        let pairs = now[..length].iter().zip(&now[width * step..]);
        next.extend(pairs.map(|(&one, &other)| M::meet(one, other)));
        std::mem::swap(now, next);
        width *= 2;
    }
    if M::MAY_OVERLAP && width < size {
        next.clear();
        let pairs = now[..n].iter().zip(&now[(size - width) * step..]);
        next.extend(pairs.map(|(&one, &other)| M::meet(one, other)));
        std::mem::swap(now, next);
    }
    if !M::MAY_OVERLAP && width < size {
        std::mem::swap(now, part);
    }
}

/// Lets values meet those that are there.
#[inline(always)]
fn meet_into<A, M: Meet<A>>(values: &[M::Value], into: &mut [M::Value]) {
    for (into, &value) in into.iter_mut().zip(values) {
        *into = M::meet(*into, value);
    }
}

/// Writes the answers of windows.
#[inline(always)]
fn write<A, M: Meet<A>>(values: &[M::Value], size: usize, target: &mut [A]) {
    for (target, &value) in target.iter_mut().zip(values) {
        *target = M::answer(value, size);
    }
}

#[cfg(test)]
mod tests {
    use super::{Greatest, Least, Mean, Meet, Values, Windows};
    use crate::kernel::separable::Line;
    use crate::kernel::widen::Widen;

    /// Slides a window over numbers that stand `step` apart.
    fn slid<A: Widen, M: Meet<A>>(source: &[A], size: usize, step: usize) -> Vec<A> {
        let mut target = vec![A::zeroed(); source.len() - (size - 1) * step];
        Windows::<M>::new(size).slide(source, step, &mut target, &mut Values::default());
        target
    }

    #[test]
    fn windows_of_every_size_and_step_equal_the_definition() {
        for step in [1, 2, 63, 64, 65, 130] {
            for size in (1..20).chain([31, 32, 33, 100]) {
                for rows in [size, size + 1, size + 40] {
                    let source: Vec<i64> =
                        (0..rows * step).map(|at| (at * 7919 % 1009) as i64 - 300).collect();
                    let window = |at: usize| (0..size).map(move |tap| at + tap * step);
                    let n = source.len() - (size - 1) * step;
                    let sums = (0..n).map(|at| window(at).map(|at| source[at]).sum::<i64>() / size as i64);
                    assert_eq!(slid::<i64, Mean>(&source, size, step), sums.collect::<Vec<_>>());
                    let least = (0..n).map(|at| window(at).map(|at| source[at]).min().unwrap());
                    assert_eq!(slid::<i64, Least>(&source, size, step), least.collect::<Vec<_>>());
                    let greatest = (0..n).map(|at| window(at).map(|at| source[at]).max().unwrap());
                    assert_eq!(slid::<i64, Greatest>(&source, size, step), greatest.collect::<Vec<_>>());
                }
            }
        }
    }

    #[test]
    fn nan_reaches_as_far_as_the_window() {
        let mut source = vec![1.0; 30];
        source[15] = f64::NAN;
        for size in 1..12 {
            for found in [
                slid::<f64, Mean>(&source, size, 1),
                slid::<f64, Least>(&source, size, 1),
                slid::<f64, Greatest>(&source, size, 1),
            ] {
                for (at, value) in found.iter().enumerate() {
                    assert_eq!(value.is_nan(), (at..at + size).contains(&15), "{size} {at}");
                }
            }
        }
    }
}
