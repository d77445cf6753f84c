//! What musher asks of a linear-algebra library: a handful of functions on matrices that fit in memory.
//!
//! The trait is small so that a library can be changed without touching an algorithm: chunked algorithms call it
//! from inside a task, on one block at a time, and expect it to stay on the thread that called it.

use super::elimination;
use crate::kernel::memory::OutOfMemory;
use ndarray::{Array1, Array2, ArrayView2, ArrayViewMut2};
use num_traits::Float;
use std::fmt::Debug;

/// An element that linear algebra is done on: `f32` and `f64`.
pub trait LinalgElement: Float + Debug + Send + Sync + 'static {}

impl LinalgElement for f32 {}
impl LinalgElement for f64 {}

/// Why a matrix could not be factorized or multiplied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LinalgError {
    /// The shapes do not fit each other.
    #[error("{operation}: shapes {left:?} and {right:?} do not fit")]
    Shapes {
        /// What was asked for.
        operation: &'static str,
        /// Shape of the left or only operand.
        left: [usize; 2],
        /// Shape of the right operand.
        right: [usize; 2],
    },
    /// The matrix must be square and is not.
    #[error("{operation}: expected a square matrix, found shape {shape:?}")]
    NotSquare {
        /// What was asked for.
        operation: &'static str,
        /// Shape of the matrix.
        shape: [usize; 2],
    },
    /// The matrix has no inverse: a pivot is exactly zero.
    #[error("{operation}: matrix is singular")]
    Singular {
        /// What was asked for.
        operation: &'static str,
    },
    /// A leading minor of the matrix is not positive.
    #[error("cholesky: matrix is not positive definite")]
    NotPositiveDefinite,
    /// The iteration did not converge.
    #[error("{operation}: did not converge")]
    NoConvergence {
        /// What was asked for.
        operation: &'static str,
    },
    /// The matrix holds NaN or an infinity.
    #[error("{operation}: matrix holds a value that is not finite")]
    NotFinite {
        /// What was asked for.
        operation: &'static str,
    },
    /// Memory was refused.
    #[error(transparent)]
    OutOfMemory(#[from] OutOfMemory),
    /// The library failed in a way that it does not explain.
    #[error("{operation}: {backend} failed")]
    Backend {
        /// What was asked for.
        operation: &'static str,
        /// Name of the library.
        backend: &'static str,
    },
}

/// Thin singular value decomposition `a = u diag(sigma) vt`.
#[derive(Clone, Debug, PartialEq)]
pub struct Svd<A> {
    /// Left singular vectors in columns, `(n, k)` with `k = min(n, m)`.
    pub u: Array2<A>,
    /// Singular values from largest to smallest, `(k,)`.
    pub sigma: Array1<A>,
    /// Right singular vectors in rows, `(k, m)`.
    pub vt: Array2<A>,
}

/// Which triangle of a matrix is read, and whether its diagonal is taken to be ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Triangle {
    /// The lower one, with its diagonal.
    Lower,
    /// The lower one; ones are on its diagonal, whatever stands there.
    UnitLower,
    /// The upper one, with its diagonal.
    Upper,
    /// The upper one; ones are on its diagonal, whatever stands there.
    UnitUpper,
}

impl Triangle {
    /// Whether it is the lower one.
    #[must_use]
    pub const fn is_lower(self) -> bool {
        matches!(self, Self::Lower | Self::UnitLower)
    }

    /// Whether its diagonal is ones.
    #[must_use]
    pub const fn has_ones(self) -> bool {
        matches!(self, Self::UnitLower | Self::UnitUpper)
    }
}

/// Dense linear algebra on matrices in memory, on the calling thread only.
///
/// Views may have any layout and strides. An implementation should bring its operands into one layout before it
/// computes where its library would choose another order of additions, so that the layout does not change bits.
///
/// Backends agree up to rounding and up to the signs that the factorizations leave open (columns of `q`, `u` and of
/// eigenvectors).
pub trait LinalgBackend<A: LinalgElement>: Clone + Debug + Send + Sync + 'static {
    /// Name and version of the library, which becomes part of the key of the work done by it.
    fn name(&self) -> &'static str;

    /// Adds the product to what is there: `sum += left · right`.
    ///
    /// **Shape** `(n, k), (k, m) → (n, m)`.
    /// **Cost** `2 n k m` operations; an operand that is not contiguous in C order is copied.
    ///
    /// # Errors
    /// [`LinalgError::Shapes`].
    fn matmul(
        &self,
        left: ArrayView2<'_, A>,
        right: ArrayView2<'_, A>,
        sum: ArrayViewMut2<'_, A>,
    ) -> Result<(), LinalgError>;

    /// Thin QR factorization `matrix = q r` with `r` upper triangular.
    ///
    /// **Shape** `(n, m) → (n, k), (k, m)` with `k = min(n, m)`.
    ///
    /// # Errors
    /// [`LinalgError::Backend`].
    fn qr(&self, matrix: ArrayView2<'_, A>) -> Result<(Array2<A>, Array2<A>), LinalgError>;

    /// The triangle `r` of [`qr`](Self::qr) alone, to the same bits; without an implementation the other factor is made and dropped.
    ///
    /// **Shape** `(n, m) → (k, m)` with `k = min(n, m)`.
    ///
    /// # Errors
    /// [`LinalgError::Backend`].
    fn triangle(&self, matrix: ArrayView2<'_, A>) -> Result<Array2<A>, LinalgError> {
        Ok(self.qr(matrix)?.1)
    }

    /// Thin singular value decomposition.
    ///
    /// **Shape** `(n, m) → (n, k), (k,), (k, m)` with `k = min(n, m)`.
    ///
    /// # Errors
    /// [`LinalgError::NotFinite`], [`LinalgError::NoConvergence`].
    fn svd(&self, matrix: ArrayView2<'_, A>) -> Result<Svd<A>, LinalgError>;

    /// Cholesky factor: the lower triangular `l` with `matrix = l lᵀ`; only the lower triangle is read.
    ///
    /// **Shape** `(n, n) → (n, n)`.
    ///
    /// # Errors
    /// [`LinalgError::NotSquare`], [`LinalgError::NotPositiveDefinite`].
    fn cholesky(&self, matrix: ArrayView2<'_, A>) -> Result<Array2<A>, LinalgError>;

    /// Solves `matrix x = right` by LU factorization with partial pivoting.
    ///
    /// **Shape** `(n, n), (n, m) → (n, m)`.
    ///
    /// # Errors
    /// [`LinalgError::NotSquare`], [`LinalgError::Shapes`], [`LinalgError::Singular`] when a pivot is exactly zero.
    fn solve(&self, matrix: ArrayView2<'_, A>, right: ArrayView2<'_, A>) -> Result<Array2<A>, LinalgError>;

    /// The factors of `l u`, which is the matrix with its rows in another order, and that order: row `i` of `l u` is row
    /// `order[i]` of the matrix. `l` stands below the diagonal, and has ones on it; `u` on the diagonal and above.
    ///
    /// Each pivot is the largest of its column, the first of equal ones. A column without a pivot stays as it is.
    /// Without an implementation it is done by plain loops.
    ///
    /// **Shape** `(n, m) → (n, m), (n,)`.
    ///
    /// # Errors
    /// [`LinalgError::OutOfMemory`].
    fn lu(&self, matrix: ArrayView2<'_, A>) -> Result<(Array2<A>, Vec<usize>), LinalgError> {
        Ok(elimination::lu(matrix)?)
    }

    /// Solves `matrix x = right`, of whose matrix one triangle is read. What is zero on its diagonal makes infinities and NaN.
    /// Without an implementation it is done by plain loops.
    ///
    /// **Shape** `(n, n), (n, m) → (n, m)`.
    ///
    /// # Errors
    /// [`LinalgError::NotSquare`], [`LinalgError::Shapes`].
    fn solve_triangular(
        &self,
        triangle: Triangle,
        matrix: ArrayView2<'_, A>,
        right: ArrayView2<'_, A>,
    ) -> Result<Array2<A>, LinalgError> {
        check_system("solve_triangular", &matrix, &right)?;
        Ok(elimination::solve_triangular(triangle, matrix, right)?)
    }

    /// Eigenvalues from smallest to largest and eigenvectors in columns of a symmetric matrix; only the lower
    /// triangle is read.
    ///
    /// **Shape** `(n, n) → (n,), (n, n)`.
    ///
    /// # Errors
    /// [`LinalgError::NotSquare`], [`LinalgError::NotFinite`], [`LinalgError::NoConvergence`].
    fn eigh(&self, matrix: ArrayView2<'_, A>) -> Result<(Array1<A>, Array2<A>), LinalgError>;
}

/// The shape of a matrix as errors name it.
fn shape<A>(matrix: ArrayView2<'_, A>) -> [usize; 2] {
    [matrix.nrows(), matrix.ncols()]
}

/// Checks `(n, k), (k, m) → (n, m)`.
pub(super) fn check_product<A>(
    left: &ArrayView2<'_, A>,
    right: &ArrayView2<'_, A>,
    sum: &ArrayViewMut2<'_, A>,
) -> Result<(), LinalgError> {
    let operation = "matmul";
    if left.ncols() != right.nrows() {
        return Err(LinalgError::Shapes { operation, left: shape(left.view()), right: shape(right.view()) });
    }
    let product = [left.nrows(), right.ncols()];
    match product == shape(sum.view()) {
        true => Ok(()),
        false => Err(LinalgError::Shapes { operation, left: product, right: shape(sum.view()) }),
    }
}

/// Checks that the matrix is square and gives back its order.
pub(super) fn check_square<A>(
    operation: &'static str,
    matrix: &ArrayView2<'_, A>,
) -> Result<usize, LinalgError> {
    match matrix.is_square() {
        true => Ok(matrix.nrows()),
        false => Err(LinalgError::NotSquare { operation, shape: shape(matrix.view()) }),
    }
}

/// Checks `(n, n), (n, m)` and gives back `n`.
pub(super) fn check_system<A>(
    operation: &'static str,
    matrix: &ArrayView2<'_, A>,
    right: &ArrayView2<'_, A>,
) -> Result<usize, LinalgError> {
    let order = check_square(operation, matrix)?;
    match order == right.nrows() {
        true => Ok(order),
        false => {
            Err(LinalgError::Shapes { operation, left: shape(matrix.view()), right: shape(right.view()) })
        }
    }
}

/// Checks that no value is NaN or infinite; iterations would not end, or end with nonsense.
pub(super) fn check_finite<A: LinalgElement>(
    operation: &'static str,
    matrix: &ArrayView2<'_, A>,
) -> Result<(), LinalgError> {
    match matrix.iter().all(|value| value.is_finite()) {
        true => Ok(()),
        false => Err(LinalgError::NotFinite { operation }),
    }
}
