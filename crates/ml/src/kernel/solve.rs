//! Symmetric linear systems: that of one Newton step, and the normal equations of least squares.

use faer::{Mat, Side, linalg::solvers::Solve};

/// Solves `matrix · x = right` for a symmetric, positive semi-definite `matrix` (row-major, `n × n`).
///
/// A definite one goes through Cholesky. Where two columns say the same (or nearly so), the answer is the shortest of
/// the many in units of the diagonal, by the eigenvectors, instead of one blown up by rounding. `None` if the numbers are not
/// finite.
pub(crate) fn solve_semi_definite(matrix: &[f64], right: &[f64]) -> Option<Vec<f64>> {
    Some(solve(matrix, right)?.x)
}

/// As [`solve_semi_definite`], where the shortest answer is that of the smallest `Σ x²`; also the rank of the matrix.
pub(crate) fn solve_shortest(matrix: &[f64], right: &[f64]) -> Option<(Vec<f64>, usize)> {
    let Solution { mut x, free } = solve(matrix, right)?;
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let remove = |from: &mut [f64], direction: &[f64]| {
        let share = dot(from, direction);
        from.iter_mut().zip(direction).for_each(|(from, direction)| *from -= share * direction);
    };
    // The directions along which nothing changes, made orthogonal by Gram and Schmidt; twice is enough (Kahan, Parlett).
    let mut directions: Vec<Vec<f64>> = Vec::with_capacity(free.len());
    for mut direction in free {
        for _ in 0..2 {
            let length = dot(&direction, &direction).sqrt();
            direction.iter_mut().for_each(|value| *value /= length);
            directions.iter().for_each(|earlier| remove(&mut direction, earlier));
        }
        directions.push(direction);
    }
    directions.iter().for_each(|direction| remove(&mut x, direction));
    let rank = x.len() - directions.len();
    Some((x, rank))
}

/// An answer, and the directions in which one can go from it to others.
struct Solution {
    x: Vec<f64>,
    free: Vec<Vec<f64>>,
}

fn solve(matrix: &[f64], right: &[f64]) -> Option<Solution> {
    let n = right.len();
    if !matrix.iter().chain(right).all(|value| value.is_finite()) {
        return None;
    }
    // Scaled to a diagonal of ones, so that the units of the columns do not matter for what counts as singular.
    let scale: Vec<f64> = (0..n)
        .map(|i| match matrix[i * n + i] {
            diagonal if diagonal > 0.0 => diagonal.sqrt().recip(),
            _ => 1.0,
        })
        .collect();
    let scaled = Mat::from_fn(n, n, |i, j| matrix[i * n + j] * scale[i] * scale[j]);
    let right = Mat::from_fn(n, 1, |i, _| right[i] * scale[i]);
    let unscaled = |x: Mat<f64>| (0..n).map(|i| x[(i, 0)] * scale[i]).collect::<Vec<f64>>();
    let singular = 64.0 * n as f64 * f64::EPSILON;
    if let Ok(cholesky) = scaled.llt(Side::Lower) {
        let factor = cholesky.L();
        if (0..n).all(|i| factor[(i, i)] * factor[(i, i)] > singular) {
            return Some(Solution { x: unscaled(cholesky.solve(&right)), free: Vec::new() });
        }
    }
    let eigen = scaled.self_adjoint_eigen(Side::Lower).ok()?;
    let (vectors, values) = (eigen.U(), eigen.S().column_vector());
    let largest = (0..n).map(|k| values[k]).fold(0.0, f64::max);
    let mut x = Mat::zeros(n, 1);
    let mut free = Vec::new();
    for k in 0..n {
        if values[k] > singular * largest {
            let share = (0..n).map(|i| vectors[(i, k)] * right[(i, 0)]).sum::<f64>() / values[k];
            for i in 0..n {
                x[(i, 0)] += share * vectors[(i, k)];
            }
        } else {
            free.push((0..n).map(|i| vectors[(i, k)] * scale[i]).collect());
        }
    }
    Some(Solution { x: unscaled(x), free })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_definite_system_is_solved() {
        let x = solve_semi_definite(&[4.0, 2.0, 2.0, 3.0], &[8.0, 7.0]).unwrap();
        assert!((x[0] - 1.25).abs() < 1e-14 && (x[1] - 1.5).abs() < 1e-14, "{x:?}");
    }

    #[test]
    fn of_many_answers_the_shortest_is_given() {
        let x = solve_semi_definite(&[1.0, 1.0, 1.0, 1.0], &[2.0, 2.0]).unwrap();
        assert!((x[0] - 1.0).abs() < 1e-14 && (x[1] - 1.0).abs() < 1e-14, "{x:?}");
        let x = solve_semi_definite(&[2.0, 0.0, 0.0, 0.0], &[4.0, 0.0]).unwrap();
        assert!((x[0] - 2.0).abs() < 1e-14 && x[1] == 0.0, "{x:?}");
    }

    #[test]
    fn units_of_a_column_do_not_make_it_singular() {
        let x = solve_semi_definite(&[1e12, 0.0, 0.0, 1e-12], &[1e12, 2e-12]).unwrap();
        assert!((x[0] - 1.0).abs() < 1e-14 && (x[1] - 2.0).abs() < 1e-14, "{x:?}");
    }

    #[test]
    fn the_shortest_answer_does_not_depend_on_how_the_system_is_scaled() {
        // x + 10 y = 2: the shortest is (2, 20) / 101. A third unknown that nothing depends on is zero.
        let matrix = [1.0, 10.0, 0.0, 10.0, 100.0, 0.0, 0.0, 0.0, 0.0];
        let (x, rank) = solve_shortest(&matrix, &[2.0, 20.0, 0.0]).unwrap();
        let near = |a: f64, b: f64| (a - b).abs() < 1e-14;
        assert!(near(x[0], 2.0 / 101.0) && near(x[1], 20.0 / 101.0) && x[2] == 0.0, "{x:?}");
        assert_eq!(rank, 1);
        let (x, rank) = solve_shortest(&[4.0, 2.0, 2.0, 3.0], &[8.0, 7.0]).unwrap();
        assert!(near(x[0], 1.25) && near(x[1], 1.5) && rank == 2, "{x:?}");
    }

    #[test]
    fn numbers_that_are_not_finite_have_no_answer() {
        assert_eq!(solve_semi_definite(&[f64::NAN], &[1.0]), None);
        assert_eq!(solve_semi_definite(&[1.0], &[f64::INFINITY]), None);
        assert_eq!(solve_semi_definite(&[], &[]), Some(vec![]));
    }
}
