//! Count, mean and sum of squared deviations of each column, in one pass, and their merge.

use musher_graph_core::Moments;
use ndarray::ArrayView2;
use pulp::{Arch, NullaryFnOnce};
use serde::{Deserialize, Serialize};

use super::{Cell, Piece, TILE_ROWS, find_non_finite, first_cell};

/// Moments of the columns of some rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ColumnMoments {
    /// Number of rows.
    pub(crate) rows: u64,
    /// Those of each column.
    pub(crate) columns: Vec<Moments>,
    /// The first value that is not finite; where there is one the other fields mean nothing.
    pub(crate) non_finite: Option<Cell>,
}

impl ColumnMoments {
    /// Of no rows at all.
    pub(crate) fn empty(columns: usize) -> Self {
        Self { rows: 0, columns: vec![Moments::default(); columns], non_finite: None }
    }

    /// Of one block whose first element stands at `origin` (row, column) of the whole array.
    pub(crate) fn of(block: ArrayView2<'_, f64>, origin: (usize, usize)) -> Self {
        let block = block.as_standard_layout();
        let columns = block.ncols();
        let mut total = Self::empty(columns);
        if columns == 0 {
            total.rows = block.nrows() as u64;
            return total;
        }
        let values = block.as_slice().expect("a standard layout is one slice");
        let arch = Arch::new();
        for (tile, rows) in values.chunks(TILE_ROWS * columns).enumerate() {
            let first_row = origin.0 + tile * TILE_ROWS;
            let part = arch.dispatch(TileMoments { rows, columns });
            if part.columns.iter().any(|column| !column.squares.is_finite()) && total.non_finite.is_none() {
                total.non_finite = rows
                    .chunks_exact(columns)
                    .enumerate()
                    .find_map(|(row, values)| find_non_finite(values, first_row + row, origin.1));
            }
            total.merge(part);
        }
        total
    }

    /// Of these columns and `others` of the same rows, which stand behind them.
    pub(super) fn beside(mut self, others: Self) -> Self {
        self.columns.extend(others.columns);
        Self { non_finite: first_cell(self.non_finite, others.non_finite), ..self }
    }

    /// Whether a column has no spread beyond what rounding makes.
    ///
    /// Source: the bound of scikit-learn's `_is_constant_feature`, which holds for any shift of the column.
    pub(crate) fn is_constant(&self, column: usize) -> bool {
        let rows = self.rows as f64;
        let variance = self.columns[column].variance(0.0);
        let noise = rows * self.columns[column].average() * f64::EPSILON;
        variance <= rows * f64::EPSILON * variance + noise * noise
    }
}

impl Piece for ColumnMoments {
    const NAME: &'static str = "ml.moments/2";

    fn nbytes(&self) -> usize {
        size_of::<Self>() + size_of_val(self.columns.as_slice())
    }

    fn is_sound(&self) -> bool {
        self.columns.iter().all(|column| column.count == self.rows as f64)
    }

    /// Rows that are none change nothing.
    fn merge(&mut self, later: Self) {
        self.rows += later.rows;
        for (column, later) in self.columns.iter_mut().zip(later.columns) {
            *column = column.combine(later);
        }
        self.non_finite = first_cell(self.non_finite, later.non_finite);
    }
}

/// [`tile_moments`] on the best instruction set.
struct TileMoments<'a> {
    rows: &'a [f64],
    columns: usize,
}

impl NullaryFnOnce for TileMoments<'_> {
    type Output = ColumnMoments;

    #[inline(always)]
    fn call(self) -> ColumnMoments {
        tile_moments(self.rows, self.columns)
    }
}

/// Moments of one tile: its mean first, the deviations from it next, while the tile is in the cache.
#[inline(always)]
fn tile_moments(values: &[f64], columns: usize) -> ColumnMoments {
    let count = (values.len() / columns) as f64;
    let [mut means, mut sums, mut squares] = [(); 3].map(|()| vec![0.0; columns]);
    for row in values.chunks_exact(columns) {
        for (sum, value) in means.iter_mut().zip(row) {
            *sum += value;
        }
    }
    for mean in &mut means {
        *mean /= count;
    }
    for row in values.chunks_exact(columns) {
        let into = sums.iter_mut().zip(&mut squares);
        for ((sum, square), (value, mean)) in into.zip(row.iter().zip(&means)) {
            let deviation = value - mean;
            *sum += deviation;
            *square += deviation * deviation;
        }
    }
    let of = |(column, ((&mean, &sum), &squares)): (usize, ((&f64, &f64), &f64))| {
        let moments = Moments::from_sums(count, mean, sum, squares);
        match squares.is_infinite() {
            false => moments,
            true => Moments { squares: overflown(values, columns, column, mean), ..moments },
        }
    };
    let columns = means.iter().zip(&sums).zip(&squares).enumerate().map(of).collect();
    ColumnMoments { rows: count as u64, columns, non_finite: None }
}

/// Squares that are more than floats hold: infinite, but nothing where all deviations are what rounding the mean left off.
#[cold]
fn overflown(values: &[f64], columns: usize, column: usize, mean: f64) -> f64 {
    let deviations = values.iter().skip(column).step_by(columns).map(|value| (value - mean).abs());
    match deviations.fold(0.0, f64::max) <= 4.0 * f64::EPSILON * mean.abs() && mean.is_finite() {
        true => 0.0,
        false => f64::INFINITY,
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array, s};

    use super::super::merged;
    use super::*;

    fn wavy(rows: usize, columns: usize, center: f64) -> Array2<f64> {
        Array2::from_shape_fn((rows, columns), |(i, j)| center + ((i * 37 + j * 11) % 101) as f64 / 7.0)
    }

    /// The textbook's two passes, in integers' order.
    fn plain(x: &Array2<f64>) -> (Vec<f64>, Vec<f64>) {
        let rows = x.nrows() as f64;
        let mean: Vec<f64> = x.columns().into_iter().map(|column| column.sum() / rows).collect();
        let variance = x
            .columns()
            .into_iter()
            .zip(&mean)
            .map(|(column, mean)| column.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / rows)
            .collect();
        (mean, variance)
    }

    #[track_caller]
    fn check(x: &Array2<f64>, moments: &ColumnMoments, tolerance: f64) {
        let (mean, variance) = plain(x);
        assert_eq!(moments.rows, x.nrows() as u64);
        for column in 0..x.ncols() {
            assert!(
                (moments.columns[column].average() - mean[column]).abs()
                    <= tolerance * mean[column].abs().max(1.0)
            );
            let found = moments.columns[column].variance(0.0);
            assert!(
                (found - variance[column]).abs() <= tolerance * variance[column],
                "{found} {}",
                variance[column]
            );
        }
    }

    #[test]
    fn moments_of_a_block_are_those_of_the_textbook() {
        for rows in [1, 2, 127, 128, 129, 1000] {
            let x = wavy(rows, 3, 5.0);
            check(&x, &ColumnMoments::of(x.view(), (0, 0)), 1e-13);
        }
    }

    #[test]
    fn every_cut_in_three_merges_to_the_whole() {
        let x = wavy(11, 2, -3.0);
        for first in 0..=11 {
            for second in first..=11 {
                let part = |from, to| ColumnMoments::of(x.slice(s![from..to, ..]), (from, 0));
                check(&x, &merged([part(0, first), part(first, second), part(second, 11)]), 1e-13);
            }
        }
    }

    #[test]
    fn a_mean_of_a_hundred_million_spreads_keeps_twelve_digits() {
        // The spread is exact in binary, so that the shifted column has the variance of the plain one.
        let near = Array2::from_shape_fn((100_000, 1), |(i, _)| ((i * 7919) % 1024) as f64 / 256.0 - 2.0);
        let far = near.mapv(|value| value + 134_217_728.0);
        let whole = |x: &Array2<f64>| {
            merged(x.axis_chunks_iter(ndarray::Axis(0), 1000).map(|rows| ColumnMoments::of(rows, (0, 0))))
        };
        let (near, far) = (whole(&near).columns[0].variance(0.0), whole(&far).columns[0].variance(0.0));
        assert!((near - far).abs() <= 1e-12 * near, "{near} {far}");
    }

    #[test]
    fn the_first_value_that_is_not_finite_is_named() {
        let mut x = wavy(300, 4, 0.0);
        x[[290, 1]] = f64::INFINITY;
        x[[200, 3]] = f64::NAN;
        let found = ColumnMoments::of(x.view(), (1000, 8)).non_finite.unwrap();
        assert_eq!((found.row, found.column), (1200, 11));
        assert!(found.value.is_nan());
        let later = ColumnMoments::of(x.slice(s![250.., ..]), (250, 0));
        let both = merged([later, ColumnMoments::of(x.slice(s![..250, ..]), (0, 0))]);
        assert_eq!(both.non_finite.map(|cell| (cell.row, cell.column)), Some((200, 3)));
    }

    #[test]
    fn constant_columns_are_seen_at_any_height() {
        for height in [0.0, 1.0, 0.1, 1e9 + 0.1, -1e-9, 1e300] {
            let x = Array2::from_elem((1000, 1), height);
            assert!(ColumnMoments::of(x.view(), (0, 0)).is_constant(0), "{height}");
        }
        assert!(!ColumnMoments::of(array![[1.0], [1.0 + 1e-12]].view(), (0, 0)).is_constant(0));
        for wide in [array![[1e300], [2e300], [4e300]], Array2::from_elem((128, 1), 2e306)] {
            let found = &ColumnMoments::of(wide.view(), (0, 0)).columns[0];
            assert!(!found.squares.is_finite(), "{found:?}");
        }
    }

    #[test]
    fn layout_does_not_change_the_bits() {
        let x = wavy(301, 5, 2.5);
        let turned = x.t().as_standard_layout().to_owned();
        assert_eq!(ColumnMoments::of(x.view(), (0, 0)), ColumnMoments::of(turned.t(), (0, 0)));
    }
}
