//! Running totals within a block: each element joined with all that came before it along an axis.
//!
//! It is done in place, as soon as a strip has been written: the element before stands in the block already, whatever
//! order strips come in, because strips rise along every axis.

use super::ops::Fault;
use super::simd::dispatch;
use crate::element::Plain;
use std::ops::Range;

/// How an element is joined with what came before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunningOp {
    /// The sum.
    Sum,
    /// The product.
    Product,
    /// The smallest; NaN once there was one.
    Minimum,
    /// The largest; NaN once there was one.
    Maximum,
    /// The last that is not NaN.
    Fill,
}

impl RunningOp {
    /// A number for fingerprints, never used again for another operation.
    pub(crate) const fn code(self) -> u64 {
        match self {
            Self::Sum => 1,
            Self::Product => 2,
            Self::Minimum => 3,
            Self::Maximum => 4,
            Self::Fill => 5,
        }
    }
}

/// How the lines along an axis lie in a block in C order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lines {
    /// Elements of a line: the length of the axis.
    pub n: usize,
    /// The distance of neighbors along the axis.
    pub inner: usize,
}

impl Lines {
    /// The lines of a block of this shape along an axis.
    pub(crate) fn along(shape: &[usize], axis: usize) -> Self {
        Self { n: shape[axis], inner: shape[axis + 1..].iter().product() }
    }
}

/// Joins the elements in a range of a block in C order with those before them along an axis, in place. All elements before
/// the range that they are joined with are done.
pub type RunningKernel<A> = fn(&mut [A], Range<usize>, Lines) -> Result<(), Fault>;

/// A running total of one element type.
#[derive(Clone, Copy, Debug)]
pub struct Running<A> {
    /// What nothing comes to: joined with any element it gives this element, bit for bit (but for complex products).
    pub start: A,
    /// The loop.
    pub kernel: RunningKernel<A>,
}

/// Calls `along` for the pieces of a range that run along a line, with the index of their first element that has one before
/// it; `across` for those of which each element has its own line, with the distance back.
fn pieces<A, S>(
    block: &mut [A],
    range: Range<usize>,
    lines: Lines,
    state: &mut S,
    along: impl Fn(&mut S, &mut [A]),
    across: impl Fn(&mut S, &[A], &mut [A]),
) {
    let Lines { n, inner } = lines;
    let mut at = range.start;
    while at < range.end {
        let coord = at / inner % n;
        if inner == 1 {
            let end = range.end.min(at + n - coord);
            // A line goes on with the element before, or begins with its first.
            along(state, &mut block[at - usize::from(coord > 0)..end]);
            at = end;
        } else {
            let end = range.end.min((at / inner + 1) * inner);
            if coord > 0 {
                let (before, own) = block.split_at_mut(at);
                across(state, &before[at - inner..][..end - at], &mut own[..end - at]);
            }
            at = end;
        }
    }
}

/// The loop of a total that always has a value.
#[inline(always)]
pub(crate) fn running<A: Copy>(
    block: &mut [A],
    range: Range<usize>,
    lines: Lines,
    join: impl Fn(A, A) -> A + Copy,
) {
    pieces(
        block,
        range,
        lines,
        &mut (),
        #[inline(always)]
        |(), line| {
            let mut values = line.iter_mut();
            let Some(mut total) = values.next().map(|first| *first) else { return };
            for value in values {
                total = join(total, *value);
                *value = total;
            }
        },
        #[inline(always)]
        |(), before, own| {
            dispatch(
                #[inline(always)]
                || {
                    for (own, &before) in own.iter_mut().zip(before) {
                        *own = join(before, *own);
                    }
                },
            );
        },
    );
}

/// The loop of a total that may not fit its type.
#[inline(always)]
pub(crate) fn running_checked<A: Plain>(
    block: &mut [A],
    range: Range<usize>,
    lines: Lines,
    operation: &'static str,
    join: impl Fn(A, A) -> (A, bool) + Copy,
) -> Result<(), Fault> {
    let mut overflow = false;
    pieces(
        block,
        range,
        lines,
        &mut overflow,
        #[inline(always)]
        |overflow, line| {
            let mut values = line.iter_mut();
            let Some(mut total) = values.next().map(|first| *first) else { return };
            for value in values {
                let (joined, bad) = join(total, *value);
                total = joined;
                *overflow |= bad;
                *value = total;
            }
        },
        #[inline(always)]
        |overflow, before, own| {
            *overflow |= dispatch(
                #[inline(always)]
                || {
                    let mut flag = 0_u8;
                    for (own, &before) in own.iter_mut().zip(before) {
                        let (joined, bad) = join(before, *own);
                        *own = joined;
                        flag |= u8::from(bad);
                    }
                    flag != 0
                },
            );
        },
    );
    if overflow { Err(Fault::Overflow { operation, dtype: A::NAME }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::ops::Kernels;

    /// By the definition: every element with all before it on its line.
    fn expected(values: &[i64], shape: &[usize], axis: usize, join: fn(i64, i64) -> i64) -> Vec<i64> {
        let Lines { n, inner } = Lines::along(shape, axis);
        let mut out = values.to_vec();
        for at in 0..values.len() {
            let coord = at / inner % n;
            out[at] =
                (0..coord).rev().fold(values[at], |total, c| join(values[at - (coord - c) * inner], total));
        }
        out
    }

    #[test]
    fn any_division_into_ranges_gives_the_totals_of_the_definition() {
        for (shape, axis) in [
            (vec![7], 0),
            (vec![1], 0),
            (vec![5, 6], 0),
            (vec![5, 6], 1),
            (vec![3, 1, 4], 1),
            (vec![3, 4, 5], 0),
            (vec![3, 4, 5], 1),
            (vec![3, 4, 5], 2),
        ] {
            let n: usize = shape.iter().product();
            let values: Vec<i64> = (0..n as i64).map(|i| i * i * 7 % 23 - 9).collect();
            for (op, join) in [
                (RunningOp::Sum, (|a, b| a + b) as fn(i64, i64) -> i64),
                (RunningOp::Minimum, |a, b| a.min(b)),
                (RunningOp::Maximum, |a, b| a.max(b)),
            ] {
                let kernel = i64::running(op).unwrap().kernel;
                for step in 1..=n {
                    let mut found = values.clone();
                    for from in (0..n).step_by(step) {
                        kernel(&mut found, from..n.min(from + step), Lines::along(&shape, axis)).unwrap();
                    }
                    assert_eq!(
                        found,
                        expected(&values, &shape, axis, join),
                        "{op:?} {shape:?} {axis} {step}"
                    );
                }
            }
        }
    }

    #[test]
    fn totals_that_do_not_fit_are_an_error_in_both_directions() {
        for (shape, axis) in [([2, 1], 0), ([1, 2], 1), ([2, 2], 0)] {
            let mut block = vec![i64::MAX; shape.iter().product()];
            let sum = i64::running(RunningOp::Sum).unwrap().kernel;
            let range = 0..block.len();
            assert_eq!(
                sum(&mut block, range, Lines::along(&shape, axis)),
                Err(Fault::Overflow { operation: "cumsum", dtype: "i64" })
            );
        }
    }

    #[test]
    fn the_start_leaves_every_value_as_it_is() {
        let lines = Lines { n: 2, inner: 1 };
        for op in
            [RunningOp::Sum, RunningOp::Product, RunningOp::Minimum, RunningOp::Maximum, RunningOp::Fill]
        {
            let Running { start, kernel } = f64::running(op).unwrap();
            for value in [0.0, -0.0, 1.5, f64::INFINITY, f64::NEG_INFINITY, 5e-324, f64::NAN] {
                let mut block = [start, value];
                kernel(&mut block, 1..2, lines).unwrap();
                assert!(
                    block[1].to_bits() == value.to_bits() || value.is_nan() && block[1].is_nan(),
                    "{op:?} {value}"
                );
            }
        }
    }
}
