//! Loss, gradient and second derivatives of the logistic loss, summed over one block of rows.
//!
//! For two classes one vector of coefficients says it all; for more there is one vector per class (soft-max). A
//! coefficient vector is that of the columns, followed by the intercept if there is one. The rows are copied tile by
//! tile into a buffer with a column of ones at the end, so that the intercept is a coefficient like any other and any
//! memory layout of the block is as fast as the next.

use ndarray::ArrayView2;

use super::math::{dot, exp_of_negative, ln_1p_of_unit};
use super::{Cell, TILE_ROWS, find_non_finite, first_cell};

/// Side of the square of second derivatives that is updated at a time: two such rows of a tile stay in the first-level
/// cache.
const SQUARE: usize = 32;

/// What one block, or several, say about the loss at some coefficients.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct LogisticSums {
    /// Number of rows.
    pub(crate) rows: u64,
    /// Sum of the loss over the rows.
    pub(crate) loss: f64,
    /// Its derivative by each coefficient.
    pub(crate) gradient: Vec<f64>,
    /// Its second derivatives, row-major and symmetric.
    pub(crate) hessian: Vec<f64>,
    /// The first value that is not finite; where there is one the other fields mean nothing.
    pub(crate) non_finite: Option<Cell>,
}

impl LogisticSums {
    /// Of no rows at all.
    pub(crate) fn empty(coefficients: usize) -> Self {
        LogisticSums {
            rows: 0,
            loss: 0.0,
            gradient: vec![0.0; coefficients],
            hessian: vec![0.0; coefficients * coefficients],
            non_finite: None,
        }
    }

    /// Of the rows of both.
    pub(crate) fn merge(mut self, other: &LogisticSums) -> Self {
        self.rows += other.rows;
        self.loss += other.loss;
        for (sum, value) in self.gradient.iter_mut().zip(&other.gradient) {
            *sum += value;
        }
        for (sum, value) in self.hessian.iter_mut().zip(&other.hessian) {
            *sum += value;
        }
        self.non_finite = first_cell(self.non_finite, other.non_finite);
        self
    }
}

/// The sums of one block at `coefficients`.
///
/// `targets` holds the class index of each row. Two classes take one coefficient vector, more take one per class, one
/// after the other. `first_row` is where the block starts in the whole array.
pub(crate) fn logistic_sums(
    x: ArrayView2<'_, f64>,
    targets: &[u32],
    coefficients: &[f64],
    n_classes: usize,
    intercept: bool,
    first_row: usize,
) -> LogisticSums {
    let mut sums = LogisticSums::empty(coefficients.len());
    let shape = Shape::new(x.ncols(), n_classes, intercept);
    assert_eq!(coefficients.len(), shape.width * shape.outputs, "one coefficient per column and class");
    assert_eq!(targets.len(), x.nrows(), "one target per row");
    let mut tile = Tile::new(shape);
    let mut packed = vec![0.0; shape.outputs * (shape.outputs + 1) / 2 * shape.width * shape.width];
    for (index, targets) in targets.chunks(TILE_ROWS).enumerate() {
        let from = index * TILE_ROWS;
        tile.load(x.slice(ndarray::s![from..from + targets.len(), ..]));
        pulp::Arch::new().dispatch(|| tile.add_to(&mut sums, &mut packed, targets, coefficients));
        if sums.non_finite.is_none() && !tile.scores_finite {
            sums.non_finite = tile.find_non_finite(first_row + from);
        }
    }
    unpack(&packed, shape, &mut sums.hessian);
    sums
}

/// Scores `x · coefficients + intercept`, row-major (rows × outputs), and the first value that is not finite.
pub(crate) fn scores(
    x: ArrayView2<'_, f64>,
    coefficients: &[f64],
    n_classes: usize,
    intercept: bool,
    first_row: usize,
) -> Result<Vec<f64>, Cell> {
    let shape = Shape::new(x.ncols(), n_classes, intercept);
    let mut tile = Tile::new(shape);
    let mut all = Vec::with_capacity(x.nrows() * shape.outputs);
    let rows = x.nrows();
    for from in (0..rows).step_by(TILE_ROWS) {
        tile.load(x.slice(ndarray::s![from..(from + TILE_ROWS).min(rows), ..]));
        pulp::Arch::new().dispatch(|| tile.score(coefficients));
        if !tile.scores_finite
            && let Some(cell) = tile.find_non_finite(first_row + from)
        {
            return Err(cell);
        }
        all.extend_from_slice(&tile.scores[..tile.rows * shape.outputs]);
    }
    Ok(all)
}

/// Turns the scores of one row into probabilities of the classes. With one score the second class's is computed, too.
pub(crate) fn probabilities(scores: &[f64], probabilities: &mut [f64]) {
    match scores {
        [score] => {
            let tail = exp_of_negative(-score.abs());
            let (less, more) = (tail / (1.0 + tail), 1.0 / (1.0 + tail));
            let positive = *score >= 0.0;
            probabilities[0] = if positive { less } else { more };
            probabilities[1] = if positive { more } else { less };
        }
        scores => {
            soft_max(scores, probabilities);
        }
    }
}

/// Soft-max of one row; gives the logarithm of the sum of exponentials.
#[inline(always)]
fn soft_max(scores: &[f64], probabilities: &mut [f64]) -> f64 {
    let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut sum = 0.0;
    for (probability, score) in probabilities.iter_mut().zip(scores) {
        *probability = exp_of_negative(score - largest);
        sum += *probability;
    }
    for probability in probabilities.iter_mut() {
        *probability /= sum;
    }
    largest + sum.ln()
}

/// The lengths that everything here is laid out by.
#[derive(Clone, Copy)]
struct Shape {
    /// Columns of the data.
    columns: usize,
    /// Coefficients of one output: the columns, and the intercept.
    width: usize,
    /// Scores of one row: one for two classes, else one per class.
    outputs: usize,
}

impl Shape {
    fn new(columns: usize, n_classes: usize, intercept: bool) -> Self {
        let outputs = if n_classes <= 2 { 1 } else { n_classes };
        Shape { columns, width: columns + usize::from(intercept), outputs }
    }
}

/// Some rows, side by side in memory, and what is computed from them.
struct Tile {
    shape: Shape,
    rows: usize,
    /// Rows × width, the intercept's column being ones.
    values: Vec<f64>,
    /// Rows × outputs.
    scores: Vec<f64>,
    /// Whether all scores are finite (if a value is not, no score of its row is).
    scores_finite: bool,
    /// Outputs × rows: derivative of the loss by the score.
    slopes: Vec<f64>,
    /// Rows × outputs (soft-max only).
    probabilities: Vec<f64>,
    /// Second derivative by a pair of scores.
    weights: Vec<f64>,
}

impl Tile {
    fn new(shape: Shape) -> Self {
        Tile {
            shape,
            rows: 0,
            values: vec![1.0; TILE_ROWS * shape.width],
            scores: vec![0.0; TILE_ROWS * shape.outputs],
            scores_finite: true,
            slopes: vec![0.0; TILE_ROWS * shape.outputs],
            probabilities: vec![0.0; TILE_ROWS * shape.outputs],
            weights: vec![0.0; TILE_ROWS],
        }
    }

    /// Takes other rows (at most a tile of them).
    fn load(&mut self, x: ArrayView2<'_, f64>) {
        self.rows = x.nrows();
        let Shape { columns, width, .. } = self.shape;
        if width == 0 {
            return;
        }
        for (into, row) in self.values.chunks_exact_mut(width).zip(x.rows()) {
            match row.as_slice() {
                Some(row) => into[..columns].copy_from_slice(row),
                None => into.iter_mut().zip(row).for_each(|(into, value)| *into = *value),
            }
        }
    }

    #[inline(always)]
    fn score(&mut self, coefficients: &[f64]) {
        let Shape { width, outputs, .. } = self.shape;
        let mut all_finite = true;
        for row in 0..self.rows {
            let values = &self.values[row * width..(row + 1) * width];
            for output in 0..outputs {
                let score = dot(values, &coefficients[output * width..(output + 1) * width]);
                self.scores[row * outputs + output] = score;
                all_finite &= score.is_finite();
            }
        }
        self.scores_finite = all_finite;
    }

    #[inline(always)]
    fn add_to(&mut self, sums: &mut LogisticSums, packed: &mut [f64], targets: &[u32], coefficients: &[f64]) {
        self.score(coefficients);
        sums.rows += self.rows as u64;
        sums.loss += match self.shape.outputs {
            1 => self.two_classes(targets),
            _ => self.many_classes(targets),
        };
        let Shape { width, outputs, .. } = self.shape;
        for output in 0..outputs {
            let gradient = &mut sums.gradient[output * width..(output + 1) * width];
            for row in 0..self.rows {
                let slope = self.slopes[output * TILE_ROWS + row];
                for (sum, value) in gradient.iter_mut().zip(&self.values[row * width..(row + 1) * width]) {
                    *sum += slope * value;
                }
            }
        }
        let square = width * width;
        if outputs == 1 {
            return self.add_squares(packed);
        }
        let mut pair = 0;
        for one in 0..outputs {
            for other in 0..=one {
                for row in 0..self.rows {
                    let p = &self.probabilities[row * outputs..(row + 1) * outputs];
                    let same = if one == other { 1.0 } else { 0.0 };
                    self.weights[row] = p[one] * (same - p[other]);
                }
                self.add_squares(&mut packed[pair * square..(pair + 1) * square]);
                pair += 1;
            }
        }
    }

    /// Slopes and weights of the loss of two classes, and the loss.
    #[inline(always)]
    fn two_classes(&mut self, targets: &[u32]) -> f64 {
        let mut losses = [0.0; TILE_ROWS];
        for row in 0..self.rows {
            let score = self.scores[row];
            let is_one = targets[row] != 0;
            let tail = exp_of_negative(-score.abs());
            let whole = 1.0 + tail;
            // 1 − p is not computed as such: it would lose its digits where p is near one.
            let right = (score >= 0.0) == is_one;
            let miss = if right { tail / whole } else { 1.0 / whole };
            self.slopes[row] = if is_one { -miss } else { miss };
            self.weights[row] = tail / (whole * whole);
            losses[row] = ln_1p_of_unit(tail) + if right { 0.0 } else { score.abs() };
        }
        losses[..self.rows].iter().sum()
    }

    /// Slopes and probabilities of the soft-max loss, and the loss.
    #[inline(always)]
    fn many_classes(&mut self, targets: &[u32]) -> f64 {
        let outputs = self.shape.outputs;
        let mut loss = 0.0;
        for row in 0..self.rows {
            let scores = &self.scores[row * outputs..(row + 1) * outputs];
            let probabilities = &mut self.probabilities[row * outputs..(row + 1) * outputs];
            let target = targets[row] as usize;
            loss += soft_max(scores, probabilities) - scores[target];
            for output in 0..outputs {
                let hit = if output == target { 1.0 } else { 0.0 };
                self.slopes[output * TILE_ROWS + row] = probabilities[output] - hit;
            }
        }
        loss
    }

    /// Adds `Σ weight · row · rowᵀ` to the lower triangle of a square, four rows at a time.
    #[inline(always)]
    fn add_squares(&self, square: &mut [f64]) {
        let width = self.shape.width;
        for top in (0..width).step_by(SQUARE) {
            for left in (0..=top).step_by(SQUARE) {
                for first in (0..self.rows).step_by(4) {
                    let row = |k: usize| match first + k < self.rows {
                        true => &self.values[(first + k) * width..(first + k + 1) * width],
                        false => &self.values[first * width..(first + 1) * width],
                    };
                    let weight = |k: usize| if first + k < self.rows { self.weights[first + k] } else { 0.0 };
                    let (rows, weights) =
                        ([row(0), row(1), row(2), row(3)], [weight(0), weight(1), weight(2), weight(3)]);
                    for i in top..(top + SQUARE).min(width) {
                        let right = (left + SQUARE).min(i + 1);
                        let a: [f64; 4] = std::array::from_fn(|k| weights[k] * rows[k][i]);
                        let into = &mut square[i * width + left..i * width + right];
                        let [b0, b1, b2, b3] = rows.map(|row| &row[left..right]);
                        for (j, sum) in into.iter_mut().enumerate() {
                            *sum += (a[0] * b0[j] + a[1] * b1[j]) + (a[2] * b2[j] + a[3] * b3[j]);
                        }
                    }
                }
            }
        }
    }

    fn find_non_finite(&self, first_row: usize) -> Option<Cell> {
        let Shape { columns, width, .. } = self.shape;
        if width == 0 {
            return None;
        }
        let rows = self.values.chunks_exact(width).take(self.rows);
        rows.enumerate().find_map(|(row, values)| find_non_finite(&values[..columns], first_row + row, 0))
    }
}

/// Spreads the lower triangles of the pairs of outputs over the whole symmetric matrix.
fn unpack(packed: &[f64], shape: Shape, hessian: &mut [f64]) {
    let Shape { width, outputs, .. } = shape;
    let side = width * outputs;
    let mut pair = 0;
    for one in 0..outputs {
        for other in 0..=one {
            let square = &packed[pair * width * width..(pair + 1) * width * width];
            for i in 0..width {
                for j in 0..=i {
                    let value = square[i * width + j];
                    let (a, b) = (one * width, other * width);
                    for (i, j) in [(a + i, b + j), (a + j, b + i), (b + i, a + j), (b + j, a + i)] {
                        hessian[i * side + j] = value;
                    }
                }
            }
            pair += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, s};

    use super::*;

    fn data(rows: usize, columns: usize, n_classes: usize) -> (Array2<f64>, Vec<u32>) {
        let x = Array2::from_shape_fn((rows, columns), |(i, j)| ((i * 31 + j * 17) % 23) as f64 / 11.5 - 1.0);
        (x, (0..rows).map(|i| ((i * i + i / 3) % n_classes) as u32).collect())
    }

    /// The loss written down as in the books, one row at a time.
    fn plain_loss(x: &Array2<f64>, targets: &[u32], beta: &[f64], n_classes: usize, intercept: bool) -> f64 {
        let width = x.ncols() + usize::from(intercept);
        let score = |row: usize, k: usize| {
            let beta = &beta[k * width..(k + 1) * width];
            let linear: f64 = x.row(row).iter().zip(beta).map(|(x, b)| x * b).sum();
            linear + if intercept { beta[width - 1] } else { 0.0 }
        };
        (0..x.nrows())
            .map(|row| match n_classes {
                2 => {
                    let z = score(row, 0);
                    (1.0 + z.exp()).ln() - if targets[row] == 1 { z } else { 0.0 }
                }
                _ => {
                    let sum: f64 = (0..n_classes).map(|k| score(row, k).exp()).sum();
                    sum.ln() - score(row, targets[row] as usize)
                }
            })
            .sum()
    }

    #[test]
    fn derivatives_are_those_of_the_plain_loss() {
        for (n_classes, intercept) in [(2, true), (2, false), (3, true), (4, false)] {
            let (x, targets) = data(131, 3, n_classes);
            let outputs = if n_classes == 2 { 1 } else { n_classes };
            let side = outputs * (3 + usize::from(intercept));
            let beta: Vec<f64> = (0..side).map(|i| 0.3 - 0.11 * i as f64).collect();
            let sums = logistic_sums(x.view(), &targets, &beta, n_classes, intercept, 0);
            let at = |steps: &[(usize, f64)]| {
                let mut moved = beta.clone();
                steps.iter().for_each(|&(i, step)| moved[i] += step);
                plain_loss(&x, &targets, &moved, n_classes, intercept)
            };
            assert!((sums.loss - at(&[])).abs() < 1e-11, "{} {}", sums.loss, at(&[]));
            let h = 1e-4;
            for i in 0..side {
                let slope = (at(&[(i, h)]) - at(&[(i, -h)])) / (2.0 * h);
                assert!((sums.gradient[i] - slope).abs() < 1e-5, "{i}: {} {slope}", sums.gradient[i]);
                for j in 0..side {
                    let mixed = |a, b| at(&[(i, a), (j, b)]);
                    let curve = (mixed(h, h) - mixed(h, -h) - mixed(-h, h) + mixed(-h, -h)) / (4.0 * h * h);
                    assert!((sums.hessian[i * side + j] - curve).abs() < 1e-4, "{i},{j}");
                }
            }
        }
    }

    #[test]
    fn wide_blocks_use_the_same_formula() {
        let (x, targets) = data(70, 77, 2);
        let beta = vec![0.01; 78];
        let sums = logistic_sums(x.view(), &targets, &beta, 2, true, 0);
        for (i, j) in [(0, 0), (40, 3), (3, 40), (77, 0), (64, 33), (77, 77), (31, 32)] {
            let value = |row: usize, column: usize| if column == 77 { 1.0 } else { x[[row, column]] };
            let expected: f64 = (0..70)
                .map(|row| {
                    let z = 0.01 * (x.row(row).sum() + 1.0);
                    let p = 1.0 / (1.0 + (-z).exp());
                    p * (1.0 - p) * value(row, i) * value(row, j)
                })
                .sum();
            assert!((sums.hessian[i * 78 + j] - expected).abs() < 1e-12);
        }
    }

    #[test]
    fn every_cut_sums_to_the_whole() {
        let (x, targets) = data(9, 2, 3);
        let beta = [0.1, -0.2, 0.3, 0.0, 0.5, -0.4, 0.2, 0.2, 0.1];
        let whole = logistic_sums(x.view(), &targets, &beta, 3, true, 0);
        for cut in 0..=9 {
            let part = |from: usize, to: usize| {
                logistic_sums(x.slice(s![from..to, ..]), &targets[from..to], &beta, 3, true, from)
            };
            let both = part(0, cut).merge(&part(cut, 9));
            assert_eq!(both.rows, 9);
            let near = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-13);
            assert!(near(&both.gradient, &whole.gradient) && near(&both.hessian, &whole.hessian));
            assert!((both.loss - whole.loss).abs() < 1e-13);
        }
    }

    #[test]
    fn far_scores_neither_overflow_nor_lose_their_digits() {
        let x = ndarray::array![[1.0], [-1.0]];
        let sums = logistic_sums(x.view(), &[1, 0], &[800.0], 2, false, 0);
        assert!(sums.loss >= 0.0 && sums.loss < 1e-300 && sums.gradient[0].abs() < 1e-300);
        let sums = logistic_sums(x.view(), &[0, 1], &[800.0], 2, false, 0);
        assert_eq!((sums.loss, sums.gradient[0]), (1600.0, 2.0));
        let sums = logistic_sums(x.view(), &[1, 0], &[40.0], 2, false, 0);
        assert!((sums.gradient[0] / (-2.0 * (-40.0f64).exp()) - 1.0).abs() < 1e-15);
    }

    #[test]
    fn a_value_that_is_not_finite_is_named_at_any_coefficients() {
        let (mut x, targets) = data(300, 3, 2);
        x[[250, 1]] = f64::NEG_INFINITY;
        for beta in [[0.0; 4], [1.0; 4]] {
            let sums = logistic_sums(x.view(), &targets, &beta, 2, true, 1000);
            assert_eq!(sums.non_finite.map(|cell| (cell.row, cell.column)), Some((1250, 1)));
            let cell = scores(x.view(), &beta, 2, true, 1000).unwrap_err();
            assert_eq!((cell.row, cell.column), (1250, 1));
        }
    }

    #[test]
    fn layout_does_not_change_the_bits() {
        let (x, targets) = data(301, 5, 2);
        let turned = x.t().as_standard_layout().to_owned();
        let beta = [0.2, -0.1, 0.4, 0.05, -0.7, 0.3];
        let sums = |x: ArrayView2<'_, f64>| logistic_sums(x, &targets, &beta, 2, true, 0);
        assert_eq!(sums(x.view()), sums(turned.t()));
    }

    #[test]
    fn probabilities_of_a_row_add_up_to_one() {
        for scores in [&[0.3][..], &[-800.0], &[1.0, 2.0, 3.0], &[1e6, 0.0, -1e6]] {
            let mut found = vec![0.0; scores.len().max(2)];
            probabilities(scores, &mut found);
            assert!((found.iter().sum::<f64>() - 1.0).abs() < 1e-15, "{found:?}");
        }
    }
}
