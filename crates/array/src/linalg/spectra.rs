//! Eigenvalues of symmetric matrices, and norms.

use super::Faer;
use super::backend::{LinalgBackend, LinalgElement};
use super::steps::{Made, Step, check_square, chunk, matrix, one_block, single};
use crate::array::{Array, Core};
use crate::element::{Float, float};
use crate::error::{Error, expect};
use crate::reductions::{All, Over};
use musher_graph_core::{Grid, Site, Wiring};
use ndarray::{Axis, Dimension, Ix0, Ix1, Ix2};

impl<A: Float + LinalgElement> Array<A, Ix2>
where
    Faer: LinalgBackend<A>,
{
    /// Eigenvalues from smallest to largest, and orthonormal eigenvectors in columns, of a symmetric matrix, of which the lower
    /// triangle is read. No eigenvector has a negative sum.
    ///
    /// **Shape** `(n, n) → (n,), (n, n)`, one block each.
    /// **Cost** all in one task on the whole matrix, which is brought into one block: about `9 n³` operations, and memory for six
    /// matrices. Computing fails where there is NaN or an infinity.
    ///
    /// # Panics
    /// When the matrix is not square.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::arr2};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr2(&[[2.0, 1.0], [1.0, 2.0]]), 1);
    /// let (values, vectors) = x.eigh();
    /// assert!((values.compute()?[1] - 3.0_f64).abs() < 1e-14);
    /// assert!((vectors.compute()?[[0, 1]] - 0.5_f64.sqrt()).abs() < 1e-14);
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    ///
    /// Source: `numpy.linalg.eigh` up to signs.
    #[must_use]
    #[track_caller]
    pub fn eigh(&self) -> (Array<A, Ix1>, Self) {
        expect(self.try_eigh())
    }

    /// As [`eigh`](Self::eigh).
    ///
    /// # Errors
    /// [`Error::Arrangement`] when the matrix is not square.
    #[track_caller]
    pub fn try_eigh(&self) -> Result<(Array<A, Ix1>, Self), Error> {
        let caller = Site::caller();
        let n = check_square("eigh", &self.shape(), caller)?;
        let [values, vectors] = eigen::<A>(self.core(), n, caller);
        Ok((Array::from_core(values), Self::from_core(vectors)))
    }

    /// Eigenvalues from smallest to largest of a symmetric matrix, of which the lower triangle is read.
    ///
    /// **Shape** `(n, n) → (n,)`, one block.
    /// **Cost** that of [`eigh`](Self::eigh), of which it is a part.
    ///
    /// # Panics
    /// When the matrix is not square.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::Ix2};
    /// use musher_scheduler::Compute;
    /// let ones = Array::<f64, Ix2>::ones((3, 3), 2);
    /// assert!((ones.eigvalsh().compute()?[2] - 3.0).abs() < 1e-14);
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    ///
    /// Source: `numpy.linalg.eigvalsh`.
    #[must_use]
    #[track_caller]
    pub fn eigvalsh(&self) -> Array<A, Ix1> {
        expect(self.try_eigvalsh())
    }

    /// As [`eigvalsh`](Self::eigvalsh).
    ///
    /// # Errors
    /// [`Error::Arrangement`] when the matrix is not square.
    #[track_caller]
    pub fn try_eigvalsh(&self) -> Result<Array<A, Ix1>, Error> {
        Ok(self.try_eigh()?.0)
    }

    /// The size of a matrix by one of its norms.
    ///
    /// **Cost** one pass for sums of rows and columns and for [`Norm::Frobenius`]; that of [`svdvals`](Self::svdvals) for those of
    /// singular values.
    ///
    /// # Panics
    /// When there is no such norm of matrices, or the matrix is empty and the norm is a maximum or minimum.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, linalg::Norm, ndarray::arr2};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr2(&[[1.0, -2.0], [3.0, 4.0]]), 1);
    /// assert_eq!(x.norm(Norm::Infinity).compute()?, 7.0);
    /// assert_eq!(x.norm(Norm::P(1.0)).compute()?, 6.0);
    /// assert_eq!(x.norm(Norm::Frobenius).compute()?, 30_f64.sqrt());
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    ///
    /// Source: `numpy.linalg.norm`.
    #[must_use]
    #[track_caller]
    #[doc(alias = "dask.array.linalg.norm")]
    pub fn norm(&self, norm: Norm) -> Array<A, Ix0> {
        expect(self.try_norm(norm))
    }

    /// As [`norm`](Self::norm).
    ///
    /// # Errors
    /// [`Error::Arrangement`] when there is no such norm of matrices, [`Error::EmptyReduction`] when the matrix is empty and the
    /// norm is a maximum or minimum.
    #[track_caller]
    pub fn try_norm(&self, norm: Norm) -> Result<Array<A, Ix0>, Error> {
        let sums = |axis: usize| self.abs().over(Axis(axis)).try_sum();
        match norm.named() {
            Norm::Frobenius => self.try_over(All)?.try_norm(Norm::P(2.0)),
            Norm::Nuclear => self.svdvals().try_over(All)?.try_sum(),
            Norm::Infinity => sums(1)?.try_max(),
            Norm::NegInfinity => sums(1)?.try_min(),
            Norm::P(1.0) => sums(0)?.try_max(),
            Norm::P(-1.0) => sums(0)?.try_min(),
            Norm::P(2.0) => self.svdvals().try_max(),
            Norm::P(-2.0) => self.svdvals().try_min(),
            Norm::P(_) => {
                let problem = "matrices have norms of order 1, 2, -1, -2 and the named ones";
                Err(Error::Arrangement { operation: "norm", problem, caller: Site::caller() })
            }
        }
    }
}

/// Values and vectors, in one task.
fn eigen<A: Float + LinalgElement>(core: &Core, n: usize, caller: Site) -> [Core; 2]
where
    Faer: LinalgBackend<A>,
{
    let whole = one_block::<A>(core, caller);
    let step = Step {
        label: "eigh",
        name: "array.eigh/1",
        grid: Grid::from([1, 1]),
        made: vec![Made::one::<A>(&[n]), Made::one::<A>(&[n, n])],
        scratch: 2,
        caller,
    };
    let ports = step.of::<A>(&[(&whole.port, Wiring::one_to_one(2))], &n, |_, inputs| {
        let (values, mut vectors) = Faer.eigh(matrix::<A>(inputs, 0)?)?;
        for mut vector in vectors.columns_mut() {
            if vector.iter().fold(A::zero(), |sum, &x| sum + x) < A::zero() {
                vector.mapv_inplace(|x| -x);
            }
        }
        Ok(vec![chunk(values.into_dyn()), chunk(vectors.into_dyn())])
    });
    [single(&ports[0], &[n], caller), single(&ports[1], &[n, n], caller)]
}

/// How the size of a matrix or of a vector is measured.
///
/// # Examples
/// ```
/// use musher_array::{Array, linalg::Norm, ndarray::{Axis, arr2}};
/// use musher_scheduler::Compute;
/// let x = Array::from_array(arr2(&[[3.0, 0.0], [4.0, -1.0]]), 1);
/// assert_eq!(x.over(Axis(0)).norm(Norm::P(2.0)).compute()?.to_vec(), [5.0, 1.0]);
/// # Ok::<(), musher_scheduler::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Norm {
    /// The root of the sum of squares; of vectors, too.
    Frobenius,
    /// The sum of singular values; of matrices alone.
    Nuclear,
    /// Of vectors the largest magnitude, of matrices the largest sum of magnitudes of a row.
    Infinity,
    /// Of vectors the smallest magnitude, of matrices the smallest sum of magnitudes of a row.
    NegInfinity,
    /// Of vectors `(Σ |x|ᵖ)^(1/p)`, and for 0 the number of elements that are not zero. Of matrices the largest (for -1 the smallest)
    /// sum of magnitudes of a column for 1, the largest (for -2 the smallest) singular value for 2.
    P(f64),
}

impl Norm {
    /// Infinite orders by their names.
    fn named(self) -> Self {
        match self {
            Self::P(f64::INFINITY) => Self::Infinity,
            Self::P(f64::NEG_INFINITY) => Self::NegInfinity,
            other => other,
        }
    }
}

impl<A: Float, D: Dimension, L: Dimension> Over<'_, A, D, L> {
    /// The length of the vectors along these axes, by a norm of vectors.
    ///
    /// **Cost** one pass.
    ///
    /// # Panics
    /// When it is a norm of matrices alone, there is nothing to reduce to a maximum or minimum, or a [mask](Self::where_true) does
    /// not fit.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, linalg::Norm, ndarray::{Axis, arr2}};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr2(&[[3.0, -4.0], [0.0, 2.0]]), 1);
    /// assert_eq!(x.over(Axis(1)).norm(Norm::Frobenius).compute()?.to_vec(), [5.0, 2.0]);
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    ///
    /// Source: `numpy.linalg.norm` with an axis.
    #[must_use]
    #[track_caller]
    pub fn norm(self, norm: Norm) -> Array<A, L> {
        expect(self.try_norm(norm))
    }

    /// As [`norm`](Self::norm).
    ///
    /// # Errors
    /// [`Error::Arrangement`] when it is a norm of matrices alone, [`Error::EmptyReduction`] when there is nothing to reduce to a
    /// maximum or minimum, [`Error::Shapes`] when a mask does not fit.
    #[track_caller]
    pub fn try_norm(self, norm: Norm) -> Result<Array<A, L>, Error> {
        let norm = norm.named();
        let sizes = self.array().abs();
        // Of real numbers a magnitude is a number of the same type.
        let sizes: Array<A, D> = Array::from_core(sizes.core().clone());
        match norm {
            Norm::Infinity => self.of_another(&sizes).try_max(),
            Norm::NegInfinity => self.of_another(&sizes).try_min(),
            Norm::Frobenius | Norm::P(2.0) => Ok(self.of_another(&(&sizes * &sizes)).try_sum()?.sqrt()),
            Norm::P(1.0) => self.of_another(&sizes).try_sum(),
            Norm::P(0.0) => {
                // NaN stays, so that it can be skipped.
                #[expect(clippy::eq_op, reason = "only NaN differs from itself")]
                let one = |size: A| if size == A::default() || size != size { size } else { A::ONE };
                let counted = sizes.mapv(one);
                self.of_another(&counted).try_sum()
            }
            Norm::P(p) => {
                let powers = sizes.powf(float::<A>(p));
                Ok(self.of_another(&powers).try_sum()?.powf(float::<A>(1.0 / p)))
            }
            Norm::Nuclear => {
                let problem = "vectors have no nuclear norm";
                Err(Error::Arrangement { operation: "norm", problem, caller: Site::caller() })
            }
        }
    }
}

impl<A: Float> Array<A, Ix1> {
    /// The length of a vector by one of its norms.
    ///
    /// **Cost** one pass.
    ///
    /// # Panics
    /// When it is a norm of matrices alone, or the vector is empty and the norm is a maximum or minimum.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, linalg::Norm, ndarray::arr1};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr1(&[3.0, -4.0]), 1);
    /// assert_eq!(x.norm(Norm::P(2.0)).compute()?, 5.0);
    /// assert_eq!(x.norm(Norm::Infinity).compute()?, 4.0);
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    ///
    /// Source: `numpy.linalg.norm`.
    #[must_use]
    #[track_caller]
    pub fn norm(&self, norm: Norm) -> Array<A, Ix0> {
        expect(self.try_norm(norm))
    }

    /// As [`norm`](Self::norm).
    ///
    /// # Errors
    /// [`Error::Arrangement`] when it is a norm of matrices alone, [`Error::EmptyReduction`] when the vector is empty and the norm is
    /// a maximum or minimum.
    #[track_caller]
    pub fn try_norm(&self, norm: Norm) -> Result<Array<A, Ix0>, Error> {
        self.try_over(All)?.try_norm(norm)
    }
}
