//! Windows of any form: the neighbors that meet in an answer, one tap of the form after another.

use bytemuck::Zeroable;
use musher_array::Element;
use musher_array::kernel::memory::{OutOfMemory, with_room};
use musher_array::neighborhood::Band;
use ndarray::{ArrayD, Dimension};
use pulp::{Arch, NullaryFnOnce};

use super::label::advance;
use super::widen::Widen;

/// Answers that are made at once: they stay in registers over all taps.
const LANES: usize = 16;

/// Which places of a box count.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Form {
    shape: Vec<usize>,
    /// In C order.
    taps: Vec<Vec<usize>>,
}

impl Form {
    /// Where the array is true.
    pub(crate) fn new(counts: &ArrayD<bool>) -> Self {
        let taps =
            counts.indexed_iter().filter(|(_, counts)| **counts).map(|(place, _)| place.slice().to_vec());
        Self { shape: counts.shape().to_vec(), taps: taps.collect() }
    }

    /// Where the places lie behind the first of their box.
    pub(crate) fn begins(&self, offsets: &Offsets) -> Result<Vec<usize>, OutOfMemory> {
        let mut begins = with_room(self.len())?;
        begins.extend(self.taps.iter().map(|tap| offsets.of(tap)));
        Ok(begins)
    }

    /// How many places count.
    pub(crate) fn len(&self) -> usize {
        self.taps.len()
    }

    /// The box, and the places in it that count, in C order.
    pub(crate) fn parts(&self) -> (&[usize], &[Vec<usize>]) {
        (&self.shape, &self.taps)
    }
}

/// How far places of a band lie behind its first element.
pub(crate) struct Offsets(Vec<usize>);

impl Offsets {
    /// In a band of this shape.
    pub(crate) fn new(shape: &[usize]) -> Self {
        let mut strides = vec![1; shape.len()];
        for axis in (1..shape.len()).rev() {
            strides[axis - 1] = strides[axis] * shape[axis];
        }
        Self(strides)
    }

    /// Of a place; where coordinates are left out, they are 0.
    pub(crate) fn of(&self, place: &[usize]) -> usize {
        place.iter().zip(&self.0).map(|(at, stride)| at * stride).sum()
    }
}

/// Calls `row` for each row of answers of a band, with the elements from the first of its first window on.
pub(crate) fn rows<A, B>(
    band: &Band<'_, A>,
    offsets: &Offsets,
    out: &mut [B],
    mut row: impl FnMut(&[A], &mut [B]),
) {
    let own = band.own_shape();
    let (columns, outer) = own.split_last().map_or((1, &[][..]), |(&columns, outer)| (columns, outer));
    let mut place = vec![0; outer.len()];
    for target in out.chunks_exact_mut(columns.max(1)) {
        row(&band.elements[offsets.of(&place)..], target);
        advance(&mut place, outer);
    }
}

/// How the pixels at the taps become an answer.
pub(crate) trait Taps<A>: Send + Sync + 'static {
    /// What is known after some taps.
    type Value: Copy + Zeroable;

    /// The first tap.
    fn first(&self, pixel: A) -> Self::Value;
    /// One tap more.
    fn next(&self, value: Self::Value, tap: usize, pixel: A) -> Self::Value;
    /// The answer.
    fn answer(&self, value: Self::Value) -> A;
}

/// The sum of pixels times these weights.
#[derive(Debug)]
pub(crate) struct Sum(pub(crate) Vec<f64>);

impl<A: Widen> Taps<A> for Sum {
    type Value = f64;

    #[inline(always)]
    fn first(&self, pixel: A) -> f64 {
        pixel.widen() * self.0[0]
    }

    #[inline(always)]
    fn next(&self, value: f64, tap: usize, pixel: A) -> f64 {
        value + pixel.widen() * self.0[tap]
    }

    #[inline(always)]
    fn answer(&self, value: f64) -> A {
        A::narrow(value)
    }
}

/// The least (`IS_LEAST`) or greatest pixel; NaN where there is one.
#[derive(Clone, Debug)]
pub(crate) struct Extreme<const IS_LEAST: bool>;

/// The one of two values that is less, or greater; the one that is NaN.
#[inline(always)]
fn extreme<A: PartialOrd + Copy>(is_least: bool, one: A, other: A) -> A {
    let beats = if is_least { one < other } else { one > other };
    // Only NaN differs from itself.
    if beats || one.partial_cmp(&one).is_none() { one } else { other }
}

impl<A: Element + PartialOrd, const IS_LEAST: bool> Taps<A> for Extreme<IS_LEAST> {
    type Value = A;

    #[inline(always)]
    fn first(&self, pixel: A) -> A {
        pixel
    }

    #[inline(always)]
    fn next(&self, value: A, _: usize, pixel: A) -> A {
        extreme(IS_LEAST, value, pixel)
    }

    #[inline(always)]
    fn answer(&self, value: A) -> A {
        value
    }
}

/// The least pixel less its height (`IS_LEAST`), or the greatest pixel with its height.
#[derive(Clone, Debug)]
pub(crate) struct Heights<const IS_LEAST: bool>(pub(crate) Vec<f64>);

impl<const IS_LEAST: bool> Heights<IS_LEAST> {
    #[inline(always)]
    fn moved<A: Widen>(&self, tap: usize, pixel: A) -> f64 {
        if IS_LEAST { pixel.widen() - self.0[tap] } else { pixel.widen() + self.0[tap] }
    }
}

impl<A: Widen, const IS_LEAST: bool> Taps<A> for Heights<IS_LEAST> {
    type Value = f64;

    #[inline(always)]
    fn first(&self, pixel: A) -> f64 {
        self.moved(0, pixel)
    }

    #[inline(always)]
    fn next(&self, value: f64, tap: usize, pixel: A) -> f64 {
        extreme(IS_LEAST, value, self.moved(tap, pixel))
    }

    #[inline(always)]
    fn answer(&self, value: f64) -> A {
        A::narrow(value)
    }
}

/// A row of answers of these elements, whose taps lie so far behind each of them.
pub(crate) fn row<A: Copy, T: Taps<A>>(elements: &[A], begins: &[usize], taps: &T, out: &mut [A]) {
    Arch::new().dispatch(Row { elements, begins, taps, out });
}

/// One row of answers; compiled per instruction set.
struct Row<'a, A, T> {
    elements: &'a [A],
    begins: &'a [usize],
    taps: &'a T,
    out: &'a mut [A],
}

impl<A: Copy, T: Taps<A>> Row<'_, A, T> {
    /// `W` answers from this column on.
    #[inline(always)]
    fn lanes<const W: usize>(&mut self, column: usize) {
        let Some((&begin, rest)) = self.begins.split_first() else { return };
        let at = |begin: usize| -> &[A; W] {
            self.elements[begin + column..][..W].try_into().expect("the slice has W elements")
        };
        let mut values = [T::Value::zeroed(); W];
        for (value, &pixel) in values.iter_mut().zip(at(begin)) {
            *value = self.taps.first(pixel);
        }
        for (tap, &begin) in rest.iter().enumerate() {
            for (value, &pixel) in values.iter_mut().zip(at(begin)) {
                *value = self.taps.next(*value, tap + 1, pixel);
            }
        }
        for (out, value) in self.out[column..][..W].iter_mut().zip(values) {
            *out = self.taps.answer(value);
        }
    }
}

impl<A: Copy, T: Taps<A>> NullaryFnOnce for Row<'_, A, T> {
    type Output = ();

    #[inline(always)]
    fn call(mut self) {
        let columns = self.out.len();
        let mut column = 0;
        while column + LANES <= columns {
            self.lanes::<LANES>(column);
            column += LANES;
        }
        while column < columns {
            self.lanes::<1>(column);
            column += 1;
        }
    }
}
