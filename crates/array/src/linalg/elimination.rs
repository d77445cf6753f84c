//! Elimination in plain loops: what a backend falls back to that brings no triangular kernels of its own.

use super::backend::{LinalgElement, Triangle};
use crate::kernel::memory::OutOfMemory;
use ndarray::{Array2, ArrayView2, Axis, s};

/// Factors `l` (below the diagonal, ones on it) and `u` of the rows in an order that brings the largest pivot up, and that order.
pub(super) fn lu<A: LinalgElement>(
    matrix: ArrayView2<'_, A>,
) -> Result<(Array2<A>, Vec<usize>), OutOfMemory> {
    let (rows, columns) = matrix.dim();
    let mut factors = owned(matrix)?;
    let mut order: Vec<usize> = (0..rows).collect();
    for at in 0..rows.min(columns) {
        let size = |row: usize, factors: &Array2<A>| factors[[row, at]].abs();
        // The first of equal ones; NaN is never larger.
        let pivot = (at + 1..rows)
            .fold(at, |best, row| if size(row, &factors) > size(best, &factors) { row } else { best });
        if pivot != at {
            order.swap(at, pivot);
            let (mut above, mut below) = factors.view_mut().split_at(Axis(0), pivot);
            above.row_mut(at).iter_mut().zip(below.row_mut(0)).for_each(|(a, b)| std::mem::swap(a, b));
        }
        let value = factors[[at, at]];
        if value == A::zero() {
            // Everything below is zero, too: there is nothing to eliminate.
            continue;
        }
        let (above, mut below) = factors.view_mut().split_at(Axis(0), at + 1);
        let row = above.slice(s![at, at + 1..]);
        for mut other in below.rows_mut() {
            let factor = other[at] / value;
            other[at] = factor;
            other.slice_mut(s![at + 1..]).zip_mut_with(&row, |x, &y| *x = *x - factor * y);
        }
    }
    Ok((factors, order))
}

/// Solves `matrix x = right`, of which one triangle is read.
pub(super) fn solve_triangular<A: LinalgElement>(
    triangle: Triangle,
    matrix: ArrayView2<'_, A>,
    right: ArrayView2<'_, A>,
) -> Result<Array2<A>, OutOfMemory> {
    let n = matrix.nrows();
    let mut solution = owned(right)?;
    let mut eliminate = |at: usize, others: std::ops::Range<usize>| {
        if !triangle.has_ones() {
            let pivot = matrix[[at, at]];
            solution.row_mut(at).mapv_inplace(|value| value / pivot);
        }
        for other in others {
            let factor = matrix[[other, at]];
            let (mut row, known) = solution.multi_slice_mut((s![other, ..], s![at, ..]));
            row.zip_mut_with(&known, |x, &y| *x = *x - factor * y);
        }
    };
    match triangle.is_lower() {
        true => (0..n).for_each(|at| eliminate(at, at + 1..n)),
        false => (0..n).rev().for_each(|at| eliminate(at, 0..at)),
    }
    Ok(solution)
}

/// A copy in C order, of memory that may be refused.
fn owned<A: LinalgElement>(matrix: ArrayView2<'_, A>) -> Result<Array2<A>, OutOfMemory> {
    let elements = crate::kernel::memory::collected(matrix.iter().copied())?;
    Ok(Array2::from_shape_vec(matrix.dim(), elements).expect("as many elements as the shape says"))
}
