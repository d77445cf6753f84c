//! Eigenvalues of small symmetric matrices.

/// Rounds over all pairs after which a matrix of any size that images have is diagonal; a handful suffices.
const ROUNDS: usize = 60;

/// The eigenvalues of a symmetric matrix with `n` rows, row after row: falling, and none below 0, as those of a tensor of inertia.
///
/// Source: C. G. J. Jacobi 1846; G. H. Golub and C. F. Van Loan, "Matrix Computations", 8.5.
pub(crate) fn eigenvalues(matrix: &[f64], n: usize) -> Vec<f64> {
    let mut a = matrix.to_vec();
    for _ in 0..ROUNDS {
        let mut is_diagonal = true;
        for p in 0..n {
            for q in p + 1..n {
                let (app, aqq, apq) = (a[p * n + p], a[q * n + q], a[p * n + q]);
                if apq.abs() <= f64::EPSILON * 1e-3 * (app.abs() + aqq.abs()) {
                    continue;
                }
                is_diagonal = false;
                let tau = (aqq - app) / (2.0 * apq);
                let t = 1.0_f64.copysign(tau) / (tau.abs() + tau.hypot(1.0));
                let c = 1.0 / t.hypot(1.0);
                let s = t * c;
                for k in 0..n {
                    let (kp, kq) = (a[k * n + p], a[k * n + q]);
                    a[k * n + p] = c * kp - s * kq;
                    a[k * n + q] = s * kp + c * kq;
                }
                for k in 0..n {
                    let (pk, qk) = (a[p * n + k], a[q * n + k]);
                    a[p * n + k] = c * pk - s * qk;
                    a[q * n + k] = s * pk + c * qk;
                }
            }
        }
        if is_diagonal {
            break;
        }
    }
    let mut values: Vec<f64> = (0..n).map(|at| a[at * n + at].max(0.0)).collect();
    values.sort_by(|one, other| other.total_cmp(one));
    values
}

#[cfg(test)]
mod tests {
    use super::eigenvalues;

    #[track_caller]
    fn check(matrix: &[f64], n: usize, expected: &[f64]) {
        let found = eigenvalues(matrix, n);
        assert_eq!(found.len(), n);
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-14 * expected.abs().max(1.0), "{found} {expected}");
        }
    }

    #[test]
    fn known_matrices_have_their_eigenvalues() {
        check(&[], 0, &[]);
        check(&[7.0], 1, &[7.0]);
        check(&[2.0, 1.0, 1.0, 2.0], 2, &[3.0, 1.0]);
        check(&[1.0, 0.0, 0.0, 4.0], 2, &[4.0, 1.0]);
        check(&[0.0; 4], 2, &[0.0, 0.0]);
        // Its eigenvectors are (1, 1, 1), (1, -1, 0) and (1, 1, -2).
        check(&[4.0, 1.0, 1.0, 1.0, 4.0, 1.0, 1.0, 1.0, 4.0], 3, &[6.0, 3.0, 3.0]);
        check(
            &[2.0, -1.0, 0.0, -1.0, 2.0, -1.0, 0.0, -1.0, 2.0],
            3,
            &[2.0 + 2.0_f64.sqrt(), 2.0, 2.0 - 2.0_f64.sqrt()],
        );
    }
}
