//! Products of the deviations of all columns and a target, in one pass, and their merge: all that least squares need to know.
//!
//! Deviations are from the means, so that columns far from zero lose no digits; what the means are is kept beside.

use musher_graph_core::Moments;
use ndarray::{ArrayView1, ArrayView2, Axis, s};
use pulp::{Arch, NullaryFnOnce};
use serde::{Deserialize, Serialize};

use super::moments::ColumnMoments;
use super::squares::{LANES, add_squares};
use super::{Piece, TILE_ROWS};

/// Moments of the columns of some rows and of their targets, which stand behind as one column more, and the sums of the
/// products of the deviations of each two.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Comoments {
    /// Rows, means and squares.
    pub(crate) moments: ColumnMoments,
    /// The lower triangle, row after row: see [`corner`].
    products: Vec<f64>,
}

/// Where row `i` of a lower triangle begins; so many numbers have the rows before it.
fn corner(i: usize) -> usize {
    i * (i + 1) / 2
}

impl Comoments {
    /// Of one block of rows with their targets, that begins at `first_row` of the whole array.
    pub(crate) fn of(x: ArrayView2<'_, f64>, y: ArrayView1<'_, f64>, first_row: usize) -> Self {
        let (rows, columns) = x.dim();
        let targets = ColumnMoments::of(y.insert_axis(Axis(1)), (first_row, columns));
        let moments = ColumnMoments::of(x, (first_row, 0)).beside(targets);
        let width = columns + 1;
        let stride = width.next_multiple_of(LANES);
        let means: Vec<f64> = moments.columns.iter().map(Moments::average).collect();
        let (mut tile, mut square) = (vec![0.0; TILE_ROWS * stride], vec![0.0; stride * stride]);
        let arch = Arch::new();
        for from in (0..rows).step_by(TILE_ROWS) {
            let range = from..(from + TILE_ROWS).min(rows);
            let targets = y.slice(s![range.clone()]);
            let values = deviations(&mut tile, stride, x.slice(s![range, ..]), targets, &means);
            arch.dispatch(AddSquares { square: &mut square, lengths: (width, stride), values });
        }
        let mut products = Vec::with_capacity(corner(width));
        // What the rounding of the means left off.
        let rests =
            moments.columns.iter().zip(&means).map(|(column, mean)| (column.shift - mean) + column.mean);
        let rests: Vec<f64> = rests.collect();
        for i in 0..width {
            let own = rests[i] * rows as f64;
            let row = square[i * stride..][..=i].iter().zip(&rests);
            products.extend(row.map(|(product, rest)| product - own * rest));
        }
        Comoments { moments, products }
    }

    /// Number of columns, without the target.
    pub(crate) fn columns(&self) -> usize {
        self.moments.columns.len() - 1
    }

    /// `Σ aᵢ aⱼ` of two columns (the target is the last): of deviations from the means, or of the values themselves.
    fn product(&self, i: usize, j: usize, of_deviations: bool) -> f64 {
        let centered = self.products[corner(i.max(j)) + i.min(j)];
        match of_deviations {
            true => centered,
            false => {
                let mean = |column: usize| self.moments.columns[column].average();
                centered + self.moments.rows as f64 * mean(i) * mean(j)
            }
        }
    }

    /// Whether a column varies by no more than two units in the last place of its mean. Its mean is in two parts and its
    /// squares are of deviations, so that a larger spread is one, however many rows there are.
    fn is_constant(&self, column: usize) -> bool {
        let noise = 4.0 * f64::EPSILON * self.moments.columns[column].average();
        self.moments.columns[column].squares <= self.moments.rows as f64 * noise * noise
    }

    /// The normal equations: the products of the columns with each other (row-major), and with the target.
    ///
    /// A constant column has no deviations but rounding, which count as none.
    pub(crate) fn normal_equations(&self, of_deviations: bool) -> (Vec<f64>, Vec<f64>) {
        let columns = self.columns();
        let is_none: Vec<bool> =
            (0..columns).map(|column| of_deviations && self.is_constant(column)).collect();
        let product = |i: usize, j: usize| match is_none[i] || j < columns && is_none[j] {
            true => 0.0,
            false => self.product(i, j, of_deviations),
        };
        let matrix = (0..columns * columns).map(|at| product(at / columns, at % columns)).collect();
        (matrix, (0..columns).map(|i| product(i, columns)).collect())
    }
}

impl Piece for Comoments {
    const NAME: &'static str = "ml.comoments/2";

    fn nbytes(&self) -> usize {
        size_of::<Self>() + self.moments.nbytes() + self.products.len() * size_of::<f64>()
    }

    fn is_sound(&self) -> bool {
        let width = self.moments.columns.len();
        width > 0 && self.products.len() == corner(width)
    }

    /// Source: as [`Moments`], of two columns at a time.
    fn merge(&mut self, later: Comoments) {
        let (ours, theirs) = (self.moments.rows as f64, later.moments.rows as f64);
        let weight = if ours == 0.0 || theirs == 0.0 { 0.0 } else { ours * (theirs / (ours + theirs)) };
        let both = self.moments.columns.iter().zip(&later.moments.columns);
        let deltas: Vec<f64> = both.map(|(column, later)| column.distance(later)).collect();
        for i in 0..deltas.len() {
            let (row, own) = (corner(i)..corner(i + 1), weight * deltas[i]);
            let products = self.products[row.clone()].iter_mut().zip(&later.products[row]);
            for ((sum, product), delta) in products.zip(&deltas) {
                *sum += product + own * delta;
            }
        }
        self.moments.merge(later.moments);
    }
}

/// The deviations of some rows and their targets (at most a tile of them), side by side in `tile`; behind them zeros, so that
/// their number is a multiple of four.
fn deviations<'a>(
    tile: &'a mut [f64],
    stride: usize,
    x: ArrayView2<'_, f64>,
    y: ArrayView1<'_, f64>,
    mean: &[f64],
) -> &'a [f64] {
    let columns = x.ncols();
    for ((into, row), target) in tile.chunks_exact_mut(stride).zip(x.rows()).zip(&y) {
        let into_row = into.iter_mut().zip(&mean[..columns]);
        match row.as_slice() {
            Some(row) => into_row.zip(row).for_each(|((into, mean), value)| *into = value - mean),
            None => into_row.zip(row).for_each(|((into, mean), value)| *into = value - mean),
        }
        into[columns] = target - mean[columns];
    }
    let (end, padded) = (x.nrows() * stride, x.nrows().next_multiple_of(4) * stride);
    tile[end..padded].fill(0.0);
    &tile[..padded]
}

/// [`add_squares`] on the best instruction set, with weights of one.
struct AddSquares<'a> {
    square: &'a mut [f64],
    lengths: (usize, usize),
    values: &'a [f64],
}

impl NullaryFnOnce for AddSquares<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let ones = [1.0; TILE_ROWS];
        add_squares(self.square, self.lengths, &ones[..self.values.len() / self.lengths.1], self.values);
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array1, Array2};

    use super::super::merged;
    use super::*;

    fn data(rows: usize, columns: usize, center: f64) -> (Array2<f64>, Array1<f64>) {
        let value = |(i, j): (usize, usize)| center + ((i * (31 + 2 * j) + j * 17) % 101) as f64 / 8.0;
        (Array2::from_shape_fn((rows, columns), value), Array1::from_shape_fn(rows, |i| value((i, 97))))
    }

    fn of(x: &Array2<f64>, y: &Array1<f64>, from: usize, to: usize) -> Comoments {
        Comoments::of(x.slice(s![from..to, ..]), y.slice(s![from..to]), from)
    }

    /// The products as in the books: means first.
    #[track_caller]
    fn check(x: &Array2<f64>, y: &Array1<f64>, found: &Comoments, tolerance: f64) {
        let all = ndarray::concatenate![ndarray::Axis(1), *x, y.view().insert_axis(ndarray::Axis(1))];
        let rows = all.nrows() as f64;
        let centered = &all - &(all.sum_axis(ndarray::Axis(0)) / rows);
        for (of_deviations, all) in [(true, centered), (false, all)] {
            let expected = all.t().dot(&all);
            let (matrix, right) = found.normal_equations(of_deviations);
            let columns = x.ncols();
            for i in 0..columns {
                let near = |found: f64, j: usize| {
                    let size = (expected[[i, i]] * expected[[j, j]]).sqrt();
                    let (error, expected) = ((found - expected[[i, j]]).abs(), expected[[i, j]]);
                    assert!(error <= tolerance * size, "{i} {j} {of_deviations}: {found} {expected}");
                };
                (0..columns).for_each(|j| near(matrix[i * columns + j], j));
                near(right[i], columns);
            }
        }
    }

    #[test]
    fn products_of_a_block_are_those_of_the_books() {
        for (rows, columns) in [(1, 1), (2, 3), (127, 7), (128, 8), (129, 40), (1000, 3)] {
            let (x, y) = data(rows, columns, 5.0);
            check(&x, &y, &of(&x, &y, 0, rows), 1e-12);
        }
    }

    #[test]
    fn every_cut_in_three_merges_to_the_whole() {
        let (x, y) = data(11, 2, -3.0);
        for first in 0..=11 {
            for second in first..=11 {
                let parts = [(0, first), (first, second), (second, 11)];
                check(&x, &y, &merged(parts.map(|(from, to)| of(&x, &y, from, to))), 1e-13);
            }
        }
    }

    #[test]
    fn products_do_not_depend_on_how_far_the_means_are() {
        let ((near_x, near_y), (far_x, far_y)) = (data(3000, 3, 0.0), data(3000, 3, 134_217_728.0));
        let whole = |x, y| merged((0..30).map(|i| of(x, y, i * 100, (i + 1) * 100))).normal_equations(true);
        let ((near, near_right), (far, far_right)) = (whole(&near_x, &near_y), whole(&far_x, &far_y));
        for (near, far) in near.iter().chain(&near_right).zip(far.iter().chain(&far_right)) {
            assert!((near - far).abs() <= 1e-10 * near.abs().max(near_right[0].abs()), "{near} {far}");
        }
    }

    #[test]
    fn the_first_value_that_is_not_finite_is_named_and_the_target_is_the_last_column() {
        let (mut x, mut y) = data(300, 4, 0.0);
        x[[290, 1]] = f64::INFINITY;
        y[200] = f64::NAN;
        let found = Comoments::of(x.view(), y.view(), 1000).moments.non_finite.unwrap();
        assert_eq!((found.row, found.column), (1200, 4));
        x[[200, 3]] = f64::NAN;
        let found = merged([of(&x, &y, 0, 150), of(&x, &y, 150, 300)]).moments.non_finite.unwrap();
        assert_eq!((found.row, found.column), (200, 3));
    }

    #[test]
    fn layout_does_not_change_the_bits() {
        let (x, y) = data(301, 5, 2.5);
        let turned = x.t().as_standard_layout().to_owned();
        let spread = Array1::from_shape_fn(602, |i| y[i / 2]);
        let other = Comoments::of(turned.t(), spread.slice(s![..;2]), 0);
        assert_eq!(of(&x, &y, 0, 301), other);
    }
}
