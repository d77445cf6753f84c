//! Weighted sums of the squares `row · rowᵀ`: what second derivatives and products of deviations are made of.
//!
//! Rows lie side by side in memory, padded with zeros to whole lanes. The order of additions depends on lengths only, with plain
//! multiplications and additions, so that the sums have the same bits on every machine. All functions are inlined, so that
//! a caller may compile them for several instruction sets.

use std::ops::Range;

/// Numbers that the inner loops take at once; rows are padded with zeros to a multiple of it.
pub(crate) const LANES: usize = 8;

/// Lanes along the side of the square that is updated at a time, so that it and the rows that it is made of stay in the
/// first-level cache.
const SQUARE: usize = 4;

/// Adds `Σ weight · row · rowᵀ` to the lower triangle of `square` (stride × stride, and to a little above the diagonal), four
/// rows at a time.
///
/// The first `width` numbers of each row count. There is a weight for each row, and a multiple of four of them.
#[inline(always)]
pub(crate) fn add_squares(
    square: &mut [f64],
    (width, stride): (usize, usize),
    weights: &[f64],
    values: &[f64],
) {
    let n_lanes = stride / LANES;
    for top in (0..n_lanes).step_by(SQUARE) {
        for left in (0..=top).step_by(SQUARE) {
            let end = ((top + SQUARE) * LANES).min(width);
            for first in (0..weights.len()).step_by(4) {
                let weights = &weights[first..first + 4];
                let rows = &values[first * stride..(first + 4) * stride];
                for i in top * LANES..end {
                    let right = (left + SQUARE).min(i / LANES + 1);
                    let range = left * LANES..right * LANES;
                    let a = [
                        weights[0] * rows[i],
                        weights[1] * rows[stride + i],
                        weights[2] * rows[2 * stride + i],
                        weights[3] * rows[3 * stride + i],
                    ];
                    add_four(&mut square[i * stride..][range.clone()], a, four_rows(rows, stride, range));
                }
            }
        }
    }
}

/// The same columns of four rows that follow each other.
#[inline(always)]
pub(crate) fn four_rows(rows: &[f64], stride: usize, range: Range<usize>) -> [&[f64]; 4] {
    let row = |k: usize| &rows[k * stride + range.start..k * stride + range.end];
    [row(0), row(1), row(2), row(3)]
}

/// Adds four rows, each by its weight, to whole lanes.
#[inline(always)]
pub(crate) fn add_four(into: &mut [f64], weights: [f64; 4], rows: [&[f64]; 4]) {
    let into = into.as_chunks_mut::<LANES>().0;
    let n = into.len();
    let b0 = &rows[0].as_chunks::<LANES>().0[..n];
    let b1 = &rows[1].as_chunks::<LANES>().0[..n];
    let b2 = &rows[2].as_chunks::<LANES>().0[..n];
    let b3 = &rows[3].as_chunks::<LANES>().0[..n];
    for lane in 0..n {
        // By way of copies, so that the compiler need not fear that the sums overlap the rows.
        let (mut sum, b0, b1, b2, b3) = (into[lane], b0[lane], b1[lane], b2[lane], b3[lane]);
        for j in 0..LANES {
            sum[j] += (weights[0] * b0[j] + weights[1] * b1[j]) + (weights[2] * b2[j] + weights[3] * b3[j]);
        }
        into[lane] = sum;
    }
}
