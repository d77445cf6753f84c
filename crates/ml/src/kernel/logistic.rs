//! Loss, gradient and second derivatives of the logistic loss, summed over one block of rows.
//!
//! For two classes one vector of coefficients says it all; for more there is one vector per class (soft-max). A
//! coefficient vector is that of the columns, followed by the intercept if there is one. The rows are copied tile by
//! tile into a buffer with a column of ones at the end, so that the intercept is a coefficient like any other and any
//! memory layout of the block is as fast as the next.

use ndarray::ArrayView2;
use pulp::{Arch, NullaryFnOnce};
use serde::{Deserialize, Serialize};

use super::math::{dot, exp_of_negative, ln_1p_of_unit};
use super::squares::{LANES, add_four, add_squares, four_rows};
use super::{Cell, Piece, TILE_ROWS, find_non_finite, first_cell};

/// What one block, or several, say about the loss at some coefficients.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct LogisticSums {
    /// Number of rows.
    pub(crate) rows: u64,
    /// Sum of the loss over the rows.
    pub(crate) loss: f64,
    /// Its derivative by each coefficient.
    pub(crate) gradient: Vec<f64>,
    /// Its second derivatives, row-major and symmetric.
    pub(crate) hessian: Vec<f64>,
    /// By how much the score of a row's own class is above the others, where it is least; positive if all rows are told
    /// apart.
    pub(crate) least_margin: f64,
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
            least_margin: f64::INFINITY,
            non_finite: None,
        }
    }
}

impl Piece for LogisticSums {
    const NAME: &'static str = "ml.logistic/1";

    fn nbytes(&self) -> usize {
        size_of::<Self>() + (self.gradient.len() + self.hessian.len()) * size_of::<f64>()
    }

    fn is_sound(&self) -> bool {
        self.gradient.len().checked_pow(2) == Some(self.hessian.len())
    }

    fn merge(&mut self, later: LogisticSums) {
        self.rows += later.rows;
        self.loss += later.loss;
        for (sum, value) in self.gradient.iter_mut().zip(&later.gradient) {
            *sum += value;
        }
        for (sum, value) in self.hessian.iter_mut().zip(&later.hessian) {
            *sum += value;
        }
        self.least_margin = self.least_margin.min(later.least_margin);
        self.non_finite = first_cell(self.non_finite, later.non_finite);
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
    let lengths = Lengths::new(x.ncols(), n_classes, intercept);
    assert_eq!(coefficients.len(), lengths.width * lengths.outputs, "one coefficient per column and class");
    assert_eq!(targets.len(), x.nrows(), "one target per row");
    let mut tile = Tile::new(lengths);
    let coefficients = lengths.padded(coefficients);
    let mut packed = vec![0.0; lengths.outputs * (lengths.outputs + 1) / 2 * lengths.stride * lengths.stride];
    let arch = Arch::new();
    for (index, targets) in targets.chunks(TILE_ROWS).enumerate() {
        let from = index * TILE_ROWS;
        tile.load(x.slice(ndarray::s![from..from + targets.len(), ..]));
        arch.dispatch(AddTile {
            tile: &mut tile,
            sums: &mut sums,
            packed: &mut packed,
            targets,
            coefficients: &coefficients,
        });
        if sums.non_finite.is_none() && !tile.scores_finite {
            sums.non_finite = tile.find_non_finite(first_row + from);
        }
    }
    unpack(&packed, lengths, &mut sums.hessian);
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
    let lengths = Lengths::new(x.ncols(), n_classes, intercept);
    let coefficients = lengths.padded(coefficients);
    let mut tile = Tile::new(lengths);
    let mut all = Vec::with_capacity(x.nrows() * lengths.outputs);
    let (arch, rows) = (Arch::new(), x.nrows());
    for from in (0..rows).step_by(TILE_ROWS) {
        tile.load(x.slice(ndarray::s![from..(from + TILE_ROWS).min(rows), ..]));
        arch.dispatch(ScoreTile { tile: &mut tile, coefficients: &coefficients });
        if !tile.scores_finite
            && let Some(cell) = tile.find_non_finite(first_row + from)
        {
            return Err(cell);
        }
        all.extend_from_slice(&tile.scores[..tile.rows * lengths.outputs]);
    }
    Ok(all)
}

// What is compiled once per instruction set is a struct and not a closure, because only a function can be told to be
// inlined into the compiled copies; a closure stays a call to the plain code.

/// [`Tile::add_to`] on the best instruction set.
struct AddTile<'a> {
    tile: &'a mut Tile,
    sums: &'a mut LogisticSums,
    packed: &'a mut [f64],
    targets: &'a [u32],
    coefficients: &'a [f64],
}

impl NullaryFnOnce for AddTile<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        self.tile.add_to(self.sums, self.packed, self.targets, self.coefficients);
    }
}

/// [`Tile::score`] on the best instruction set.
struct ScoreTile<'a> {
    tile: &'a mut Tile,
    coefficients: &'a [f64],
}

impl NullaryFnOnce for ScoreTile<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        self.tile.score(self.coefficients);
    }
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
struct Lengths {
    /// Columns of the data.
    columns: usize,
    /// Coefficients of one output: the columns, and the intercept.
    width: usize,
    /// The same, padded to whole lanes.
    stride: usize,
    /// Scores of one row: one for two classes, else one per class.
    outputs: usize,
}

impl Lengths {
    fn new(columns: usize, n_classes: usize, intercept: bool) -> Self {
        let outputs = if n_classes <= 2 { 1 } else { n_classes };
        let width = columns + usize::from(intercept);
        Lengths { columns, width, stride: width.next_multiple_of(LANES).max(LANES), outputs }
    }

    /// Coefficients with zeros after those of each output.
    fn padded(self, coefficients: &[f64]) -> Vec<f64> {
        let mut padded = vec![0.0; self.outputs * self.stride];
        for output in 0..self.outputs {
            let from = &coefficients[output * self.width..(output + 1) * self.width];
            padded[output * self.stride..][..self.width].copy_from_slice(from);
        }
        padded
    }
}

/// Some rows, side by side in memory, and what is computed from them.
struct Tile {
    lengths: Lengths,
    rows: usize,
    /// Rows × stride: the columns, a one for the intercept, zeros.
    values: Vec<f64>,
    /// Rows × outputs.
    scores: Vec<f64>,
    /// Whether all scores are finite (if a value is not, no score of its row is).
    scores_finite: bool,
    /// Outputs × rows: derivative of the loss by the score.
    slopes: Vec<f64>,
    /// Derivative by the coefficients of one output, padded.
    gradient: Vec<f64>,
    /// Rows × outputs (soft-max only).
    probabilities: Vec<f64>,
    /// Second derivative by a pair of scores.
    weights: Vec<f64>,
}

impl Tile {
    fn new(lengths: Lengths) -> Self {
        Tile {
            lengths,
            rows: 0,
            values: vec![0.0; TILE_ROWS * lengths.stride],
            scores: vec![0.0; TILE_ROWS * lengths.outputs],
            scores_finite: true,
            slopes: vec![0.0; TILE_ROWS * lengths.outputs],
            gradient: vec![0.0; lengths.stride],
            probabilities: vec![0.0; TILE_ROWS * lengths.outputs],
            weights: vec![0.0; TILE_ROWS],
        }
    }

    /// Takes other rows (at most a tile of them).
    fn load(&mut self, x: ArrayView2<'_, f64>) {
        self.rows = x.nrows();
        let Lengths { columns, width, stride, .. } = self.lengths;
        for (into, row) in self.values.chunks_exact_mut(stride).zip(x.rows()) {
            into[columns..width].fill(1.0);
            match row.as_slice() {
                Some(row) => into[..columns].copy_from_slice(row),
                None => into[..columns].iter_mut().zip(row).for_each(|(into, value)| *into = *value),
            }
        }
    }

    #[inline(always)]
    fn score(&mut self, coefficients: &[f64]) {
        let Lengths { stride, outputs, .. } = self.lengths;
        let mut all_finite = true;
        for row in 0..self.rows {
            let values = &self.values[row * stride..(row + 1) * stride];
            for output in 0..outputs {
                let score = dot(values, &coefficients[output * stride..(output + 1) * stride]);
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
        let (loss, margin) = match self.lengths.outputs {
            1 => self.two_classes(targets),
            _ => self.many_classes(targets),
        };
        sums.loss += loss;
        sums.least_margin = sums.least_margin.min(margin);
        let Lengths { width, stride, outputs, .. } = self.lengths;
        self.pad_rows();
        for output in 0..outputs {
            self.gradient.fill(0.0);
            let slopes = &self.slopes[output * TILE_ROWS..(output + 1) * TILE_ROWS];
            let fours = self.values.chunks_exact(4 * stride).zip(slopes.as_chunks::<4>().0);
            for (rows, slopes) in fours.take(self.rows.div_ceil(4)) {
                add_four(&mut self.gradient, *slopes, four_rows(rows, stride, 0..stride));
            }
            let gradient = &mut sums.gradient[output * width..(output + 1) * width];
            for (sum, value) in gradient.iter_mut().zip(&self.gradient) {
                *sum += value;
            }
        }
        let square = stride * stride;
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

    /// Makes whole fours of the rows: those past the end are zeros and weigh nothing.
    #[inline(always)]
    fn pad_rows(&mut self) {
        let (rows, padded) = (self.rows, self.rows.next_multiple_of(4));
        self.weights[rows..padded].fill(0.0);
        self.values[rows * self.lengths.stride..padded * self.lengths.stride].fill(0.0);
        for slopes in self.slopes.chunks_exact_mut(TILE_ROWS) {
            slopes[rows..padded].fill(0.0);
        }
    }

    /// Slopes and weights of the loss of two classes; the loss, and the least margin.
    #[inline(always)]
    fn two_classes(&mut self, targets: &[u32]) -> (f64, f64) {
        let (mut losses, mut least) = ([0.0; LANES], f64::INFINITY);
        for first in (0..self.rows).step_by(LANES) {
            let rows = LANES.min(self.rows - first);
            let mut signs = [1.0; LANES];
            for (sign, target) in signs.iter_mut().zip(&targets[first..first + rows]) {
                *sign = if *target == 0 { -1.0 } else { 1.0 };
            }
            let scores = &self.scores.as_chunks::<LANES>().0[first / LANES];
            let (slopes, weights, lost) = two_class_loss(*scores, signs);
            self.slopes.as_chunks_mut::<LANES>().0[first / LANES] = slopes;
            self.weights.as_chunks_mut::<LANES>().0[first / LANES] = weights;
            for (lane, loss) in losses.iter_mut().enumerate().take(rows) {
                *loss += lost[lane];
                least = least.min(scores[lane] * signs[lane]);
            }
        }
        (losses.iter().sum(), least)
    }

    /// Slopes and probabilities of the soft-max loss; the loss, and the least margin.
    #[inline(always)]
    fn many_classes(&mut self, targets: &[u32]) -> (f64, f64) {
        let outputs = self.lengths.outputs;
        let (mut loss, mut least) = (0.0, f64::INFINITY);
        for (row, &target) in targets.iter().enumerate() {
            let scores = &self.scores[row * outputs..(row + 1) * outputs];
            let probabilities = &mut self.probabilities[row * outputs..(row + 1) * outputs];
            let own = scores[target as usize];
            loss += soft_max(scores, probabilities) - own;
            for (output, probability) in probabilities.iter().enumerate() {
                let hit = if output == target as usize { 1.0 } else { 0.0 };
                self.slopes[output * TILE_ROWS + row] = probability - hit;
                if output != target as usize {
                    least = least.min(own - scores[output]);
                }
            }
        }
        (loss, least)
    }

    /// Adds `Σ weight · row · rowᵀ` of the rows to the lower triangle of a square.
    #[inline(always)]
    fn add_squares(&self, square: &mut [f64]) {
        let Lengths { width, stride, .. } = self.lengths;
        add_squares(square, (width, stride), &self.weights[..self.rows.next_multiple_of(4)], &self.values);
    }

    fn find_non_finite(&self, first_row: usize) -> Option<Cell> {
        let Lengths { columns, stride, .. } = self.lengths;
        let rows = self.values.chunks_exact(stride).take(self.rows);
        rows.enumerate().find_map(|(row, values)| find_non_finite(&values[..columns], first_row + row, 0))
    }
}

/// Derivatives of the loss of two classes by the scores, and the losses; a sign is 1 for the second class, else −1.
#[inline(always)]
fn two_class_loss(scores: [f64; LANES], signs: [f64; LANES]) -> ([f64; LANES], [f64; LANES], [f64; LANES]) {
    let (mut slopes, mut weights, mut losses) = ([0.0; LANES], [0.0; LANES], [0.0; LANES]);
    for lane in 0..LANES {
        let margin = scores[lane] * signs[lane];
        let tail = exp_of_negative(-margin.abs());
        let whole = 1.0 + tail;
        // The probability of the other class is not had by 1 − p, which loses its digits where p is near one.
        let miss = if margin >= 0.0 { tail } else { 1.0 } / whole;
        slopes[lane] = -signs[lane] * miss;
        weights[lane] = tail / (whole * whole);
        losses[lane] = ln_1p_of_unit(tail) + if margin >= 0.0 { 0.0 } else { -margin };
    }
    (slopes, weights, losses)
}

/// Spreads the lower triangles of the pairs of outputs over the whole symmetric matrix.
fn unpack(packed: &[f64], lengths: Lengths, hessian: &mut [f64]) {
    let Lengths { width, stride, outputs, .. } = lengths;
    let side = width * outputs;
    let mut pair = 0;
    for one in 0..outputs {
        for other in 0..=one {
            let square = &packed[pair * stride * stride..(pair + 1) * stride * stride];
            for i in 0..width {
                for j in 0..=i {
                    let value = square[i * stride + j];
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

    use super::super::merged;
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
    fn the_least_margin_is_that_of_the_row_nearest_to_another_class() {
        let x = ndarray::array![[1.0], [-3.0], [2.0]];
        let margin = |targets: &[u32], beta: &[f64], n_classes| {
            logistic_sums(x.view(), targets, beta, n_classes, false, 0).least_margin
        };
        assert_eq!(margin(&[1, 0, 1], &[2.0], 2), 2.0);
        assert_eq!(margin(&[1, 1, 1], &[2.0], 2), -6.0);
        assert_eq!(margin(&[2, 0, 2], &[-1.0, 0.0, 1.0], 3), 1.0);
        assert_eq!(margin(&[1, 0, 2], &[-1.0, 0.0, 1.0], 3), -1.0);
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
            let both = merged([part(0, cut), part(cut, 9)]);
            assert_eq!((both.rows, both.least_margin), (9, whole.least_margin));
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
