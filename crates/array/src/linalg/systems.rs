//! Systems of linear equations, inverses, determinants, and the triangles that they are made of.

use super::Faer;
use super::backend::{LinalgBackend, LinalgElement, Triangle};
use super::panels::{cholesky, in_panels, lu, panels_of, substituted};
use super::steps::{RightSide, check_square, columns_of, like_right};
use crate::array::Array;
use crate::chunks::{Chunking, Chunks};
use crate::element::{Element, Float};
use crate::error::{Error, expect};
use musher_graph_core::Site;
use ndarray::{Axis, Ix0, Ix1, Ix2};

/// The sign of a determinant, and the logarithm of its magnitude.
pub type SignAndLog<A> = (Array<A, Ix0>, Array<A, Ix0>);

/// Factors of a matrix whose rows are brought into another order; made by [`Array::lu`].
#[derive(Clone, Debug)]
pub struct Lu<A: Element> {
    /// Which row of the matrix each row of `l u` is.
    pub order: Array<u64, Ix1>,
    /// The lower triangle, with ones on its diagonal.
    pub l: Array<A, Ix2>,
    /// The upper triangle.
    pub u: Array<A, Ix2>,
}

impl<A: Float + LinalgElement> Array<A, Ix2>
where
    Faer: LinalgBackend<A>,
{
    /// The lower triangle `l` with `self = l lᵀ`; of the matrix the lower triangle is read.
    ///
    /// **Shape** `(n, n)` stays; blocks are panels: whole columns, of as many elements as a block has, 16 to 256 columns wide.
    /// **Cost** `n³ / 3` operations; a task holds two panels. Computing fails where the matrix is not positive definite.
    ///
    /// # Panics
    /// When the matrix is not square.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::arr2};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr2(&[[4.0, 2.0], [2.0, 5.0]]), 1);
    /// assert_eq!(x.cholesky().compute()?, arr2(&[[2.0, 0.0], [1.0, 2.0]]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    ///
    /// Source: `numpy.linalg.cholesky`.
    #[must_use]
    #[track_caller]
    #[doc(alias = "dask.array.linalg.cholesky")]
    pub fn cholesky(&self) -> Self {
        expect(self.try_cholesky())
    }

    /// As [`cholesky`](Self::cholesky).
    ///
    /// # Errors
    /// [`Error::Arrangement`] when the matrix is not square.
    #[track_caller]
    pub fn try_cholesky(&self) -> Result<Self, Error> {
        let caller = Site::caller();
        check_square("cholesky", &self.shape(), caller)?;
        Ok(Self::from_core(cholesky::<A, Faer>(self.core(), &Faer, caller)))
    }

    /// A lower triangle with ones on its diagonal and an upper one whose product is the matrix with its rows in another order;
    /// each pivot is the largest of its column.
    ///
    /// **Shape** `(n, n) → (n,), (n, n), (n, n)`; blocks are panels: whole columns, of as many elements as a block has, 16 to 256
    /// columns wide.
    /// **Cost** `2 n³ / 3` operations; a task holds two panels.
    ///
    /// # Panics
    /// When the matrix is not square.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::{arr1, arr2}};
    /// use musher_scheduler::compute;
    /// let x = Array::from_array(arr2(&[[1.0, 2.0], [4.0, 4.0]]), 1);
    /// let lu = x.lu();
    /// let (order, l, u) = compute((&lu.order, &lu.l, &lu.u))?;
    /// assert_eq!(order, arr1(&[1, 0]));
    /// assert_eq!((l, u), (arr2(&[[1.0, 0.0], [0.25, 1.0]]), arr2(&[[4.0, 4.0], [0.0, 1.0]])));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    ///
    /// Source: `scipy.linalg.lu`, whose pivots are those of whole columns; Dask's are those of blocks.
    #[must_use]
    #[track_caller]
    #[doc(alias = "dask.array.linalg.lu")]
    pub fn lu(&self) -> Lu<A> {
        expect(self.try_lu())
    }

    /// As [`lu`](Self::lu).
    ///
    /// # Errors
    /// [`Error::Arrangement`] when the matrix is not square.
    #[track_caller]
    pub fn try_lu(&self) -> Result<Lu<A>, Error> {
        let caller = Site::caller();
        check_square("lu", &self.shape(), caller)?;
        let [order, l, u] = lu::<A, Faer>(self.core(), None, Faer, caller).factors::<A>();
        Ok(Lu { order: Array::from_core(order), l: Self::from_core(l), u: Self::from_core(u) })
    }

    /// The solution of `self x = right`, by elimination with partial pivoting.
    ///
    /// **Shape** `(n, n), (n, p) → (n, p)`, or `(n, n), (n,) → (n,)`; blocks are panels of whole columns.
    /// **Cost** `2 n³ / 3 + 2 n² p` operations; a task holds two panels of whole columns, of as many elements as a block has, 16 to
    /// 256 columns wide. Computing fails where the matrix is singular: a pivot is exactly zero.
    ///
    /// # Panics
    /// When the matrix is not square, or the lengths differ.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::{arr1, arr2}};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr2(&[[0.0, 2.0], [4.0, 4.0]]), 1);
    /// let right = Array::from_array(arr1(&[2.0, 12.0]), 1);
    /// assert_eq!(x.solve(&right).compute()?, arr1(&[2.0, 1.0]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    ///
    /// Source: `numpy.linalg.solve`.
    #[must_use]
    #[track_caller]
    #[doc(alias = "dask.array.linalg.solve")]
    pub fn solve<D: RightSide>(&self, right: &Array<A, D>) -> Array<A, D> {
        expect(self.try_solve(right))
    }

    /// As [`solve`](Self::solve).
    ///
    /// # Errors
    /// [`Error::Arrangement`] when the matrix is not square, [`Error::Shapes`] when the lengths differ.
    #[track_caller]
    pub fn try_solve<D: RightSide>(&self, right: &Array<A, D>) -> Result<Array<A, D>, Error> {
        let (operation, caller) = ("solve", Site::caller());
        check_square(operation, &self.shape(), caller)?;
        let right = columns_of::<A, D>(operation, &self.shape(), right, caller)?;
        let system = lu::<A, Faer>(self.core(), Some(&right), Faer, caller);
        like_right(system.solution::<A>(operation))
    }

    /// The solution of `self x = right`, of whose matrix one triangle is read.
    ///
    /// **Shape** `(n, n), (n, p) → (n, p)`, or `(n, n), (n,) → (n,)`; blocks are panels of whole columns.
    /// **Cost** `n² p` operations; a task holds a panel of the matrix and one of the right side. Computing fails where there is a
    /// zero on the diagonal, unless that is taken to be ones.
    ///
    /// # Panics
    /// When the matrix is not square, or the lengths differ.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, linalg::Triangle, ndarray::{arr1, arr2}};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr2(&[[2.0, 7.0], [1.0, 4.0]]), 1);
    /// let right = Array::from_array(arr1(&[2.0, 9.0]), 1);
    /// assert_eq!(x.solve_triangular(&right, Triangle::Lower).compute()?, arr1(&[1.0, 2.0]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    ///
    /// Source: `scipy.linalg.solve_triangular`.
    #[must_use]
    #[track_caller]
    #[doc(alias = "dask.array.linalg.solve_triangular")]
    pub fn solve_triangular<D: RightSide>(&self, right: &Array<A, D>, triangle: Triangle) -> Array<A, D> {
        expect(self.try_solve_triangular(right, triangle))
    }

    /// As [`solve_triangular`](Self::solve_triangular).
    ///
    /// # Errors
    /// [`Error::Arrangement`] when the matrix is not square, [`Error::Shapes`] when the lengths differ.
    #[track_caller]
    pub fn try_solve_triangular<D: RightSide>(
        &self,
        right: &Array<A, D>,
        triangle: Triangle,
    ) -> Result<Array<A, D>, Error> {
        let (operation, caller) = ("solve_triangular", Site::caller());
        check_square(operation, &self.shape(), caller)?;
        let right = columns_of::<A, D>(operation, &self.shape(), right, caller)?;
        let (system, right) = (in_panels::<A>(self.core(), caller), in_panels::<A>(&right, caller));
        like_right(substituted::<A, Faer>(&panels_of(&system), triangle, &right, (operation, &Faer), caller))
    }

    /// The inverse, by elimination with partial pivoting.
    ///
    /// **Shape** `(n, n)` stays; blocks are panels of whole columns.
    /// **Cost** `8 n³ / 3` operations; a task holds two panels. Computing fails where the matrix is singular: a pivot is exactly zero.
    /// To solve a system, [`solve`](Self::solve) it.
    ///
    /// # Panics
    /// When the matrix is not square.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::arr2};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr2(&[[0.0, 2.0], [4.0, 0.0]]), 1);
    /// assert_eq!(x.inv().compute()?, arr2(&[[0.0, 0.25], [0.5, 0.0]]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    ///
    /// Source: `numpy.linalg.inv`.
    #[must_use]
    #[track_caller]
    #[doc(alias = "dask.array.linalg.inv")]
    pub fn inv(&self) -> Self {
        expect(self.try_inv())
    }

    /// As [`inv`](Self::inv).
    ///
    /// # Errors
    /// [`Error::Arrangement`] when the matrix is not square.
    #[track_caller]
    pub fn try_inv(&self) -> Result<Self, Error> {
        let (operation, caller) = ("inv", Site::caller());
        let n = check_square(operation, &self.shape(), caller)?;
        let panels = in_panels::<A>(self.core(), caller).chunking;
        let identity = identity::<A>(n, &panels)?;
        let system = lu::<A, Faer>(self.core(), Some(identity.core()), Faer, caller);
        Ok(Self::from_core(system.solution::<A>(operation)))
    }

    /// The determinant, by elimination with partial pivoting. Of many rows it may leave what floats hold, where
    /// [`slogdet`](Self::slogdet) does not.
    ///
    /// **Shape** `(n, n) → ()`; 1 where there are no rows.
    /// **Cost** `2 n³ / 3` operations; a task holds two panels.
    ///
    /// # Panics
    /// When the matrix is not square.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::arr2};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr2(&[[1.0, 2.0], [3.0, 4.0]]), 1);
    /// assert!((x.det().compute()? + 2.0_f64).abs() < 1e-15);
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    ///
    /// Source: `numpy.linalg.det`.
    #[must_use]
    #[track_caller]
    #[doc(alias = "determinant")]
    pub fn det(&self) -> Array<A, Ix0> {
        expect(self.try_det())
    }

    /// As [`det`](Self::det).
    ///
    /// # Errors
    /// [`Error::Arrangement`] when the matrix is not square.
    #[track_caller]
    pub fn try_det(&self) -> Result<Array<A, Ix0>, Error> {
        determinant(self, "det", Site::caller())?.try_index_axis(Axis(0), 2)
    }

    /// The sign of the determinant, or zero, and the logarithm of its magnitude.
    ///
    /// **Shape** `(n, n) → (), ()`.
    /// **Cost** that of [`det`](Self::det).
    ///
    /// # Panics
    /// When the matrix is not square.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::Ix2};
    /// use musher_scheduler::compute;
    /// let x = Array::<f64, Ix2>::eye(500, 100) * 1e-3;
    /// let (sign, log) = x.slogdet();
    /// let (sign, log) = compute((&sign, &log))?;
    /// assert!(sign == 1.0 && (log / 500.0 - 1e-3_f64.ln()).abs() < 1e-12);
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    ///
    /// Source: `numpy.linalg.slogdet`.
    #[must_use]
    #[track_caller]
    pub fn slogdet(&self) -> SignAndLog<A> {
        expect(self.try_slogdet())
    }

    /// As [`slogdet`](Self::slogdet).
    ///
    /// # Errors
    /// [`Error::Arrangement`] when the matrix is not square.
    #[track_caller]
    pub fn try_slogdet(&self) -> Result<SignAndLog<A>, Error> {
        let whole = determinant(self, "slogdet", Site::caller())?;
        Ok((whole.try_index_axis(Axis(0), 0)?, whole.try_index_axis(Axis(0), 1)?))
    }

    /// The product of so many of the matrix; of a negative number, of its inverse; of none, ones on the diagonal.
    ///
    /// **Shape** `(n, n)` stays.
    /// **Cost** `2 n³` operations for each binary digit of the number, twice for those that are 1.
    ///
    /// # Panics
    /// When the matrix is not square.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::arr2};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr2(&[[1.0, 1.0], [1.0, 0.0]]), 1);
    /// assert_eq!(x.matrix_power(10).compute()?, arr2(&[[89.0, 55.0], [55.0, 34.0]]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    ///
    /// Source: `numpy.linalg.matrix_power`.
    #[must_use]
    #[track_caller]
    pub fn matrix_power(&self, power: i32) -> Self {
        expect(self.try_matrix_power(power))
    }

    /// As [`matrix_power`](Self::matrix_power).
    ///
    /// # Errors
    /// [`Error::Arrangement`] when the matrix is not square.
    #[track_caller]
    pub fn try_matrix_power(&self, power: i32) -> Result<Self, Error> {
        let caller = Site::caller();
        let n = check_square("matrix_power", &self.shape(), caller)?;
        if power == 0 {
            return identity(n, self.chunks());
        }
        let mut square = if power < 0 { self.try_inv()? } else { self.clone() };
        let (mut left, mut product) = (power.unsigned_abs(), None);
        loop {
            if left % 2 == 1 {
                product = Some(match product {
                    None => square.clone(),
                    Some(product) => square.try_matmul(&product)?,
                });
            }
            left /= 2;
            match product {
                Some(product) if left == 0 => return Ok(product),
                _ => square = square.try_matmul(&square)?,
            }
        }
    }
}

/// Ones on the diagonal, in these blocks.
fn identity<A: Float>(n: usize, chunking: &Chunking) -> Result<Array<A, Ix2>, Error> {
    let chunks = Chunks::Exact(chunking.clone());
    // The blocks are those of a square matrix of this order.
    chunks.resolve(&[n, n], A::DTYPE)?;
    Ok(Array::<A, Ix2>::eye(n, chunks))
}

/// Sign, logarithm and value of a determinant.
fn determinant<A: Float + LinalgElement>(
    array: &Array<A, Ix2>,
    operation: &'static str,
    caller: Site,
) -> Result<Array<A, Ix1>, Error>
where
    Faer: LinalgBackend<A>,
{
    check_square(operation, &array.shape(), caller)?;
    Ok(Array::from_core(lu::<A, Faer>(array.core(), None, Faer, caller).determinant::<A>()))
}
