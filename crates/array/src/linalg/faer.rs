//! The default backend: faer, in Rust, needing no system library.
//!
//! Every call passes `Par::Seq`, because the scheduler already fills the cores, and because faer's high-level
//! solvers read a process-wide setting that someone else may change.

use super::backend::{
    LinalgBackend, LinalgElement, LinalgError, Svd, check_finite, check_product, check_square, check_system,
};
use crate::kernel::memory::{OutOfMemory, collected, with_room};
use faer::diag::DiagMut;
use faer::dyn_stack::{MemBuffer, MemStack, StackReq};
use faer::linalg::{cholesky, evd, householder, lu, matmul, qr, svd};
use faer::traits::RealField;
use faer::{Accum, Conj, MatMut, MatRef, Par};
use ndarray::{Array1, Array2, ArrayView2, ArrayViewMut2, ShapeBuilder};

/// Linear algebra by [faer](https://docs.rs/faer).
///
/// On one machine its answers are the same to the last bit, whatever the layout of the operands.
///
/// # Examples
/// ```
/// use musher_array::linalg::{Faer, LinalgBackend};
/// use ndarray::array;
///
/// let a = array![[2.0, 1.0], [1.0, 3.0]];
/// let x = Faer.solve(a.view(), array![[3.0], [4.0]].view())?;
/// assert!((x[[0, 0]] - 1.0_f64).abs() < 1e-12 && (x[[1, 0]] - 1.0).abs() < 1e-12);
/// # Ok::<(), musher_array::linalg::LinalgError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Faer;

macro_rules! backend {
    ($($element:ty),*) => {$(
        impl LinalgBackend<$element> for Faer {
            fn name(&self) -> &'static str {
                "faer 0.24"
            }

            fn matmul(
                &self,
                left: ArrayView2<'_, $element>,
                right: ArrayView2<'_, $element>,
                sum: ArrayViewMut2<'_, $element>,
            ) -> Result<(), LinalgError> {
                check_product(&left, &right, &sum)?;
                add_product(left, right, sum);
                Ok(())
            }

            fn qr(
                &self,
                matrix: ArrayView2<'_, $element>,
            ) -> Result<(Array2<$element>, Array2<$element>), LinalgError> {
                Ok(thin_qr(matrix)?)
            }

            fn svd(&self, matrix: ArrayView2<'_, $element>) -> Result<Svd<$element>, LinalgError> {
                thin_svd(matrix)
            }

            fn cholesky(&self, matrix: ArrayView2<'_, $element>) -> Result<Array2<$element>, LinalgError> {
                lower_factor(matrix)
            }

            fn solve(
                &self,
                matrix: ArrayView2<'_, $element>,
                right: ArrayView2<'_, $element>,
            ) -> Result<Array2<$element>, LinalgError> {
                solve_by_lu(matrix, right)
            }

            fn eigh(
                &self,
                matrix: ArrayView2<'_, $element>,
            ) -> Result<(Array1<$element>, Array2<$element>), LinalgError> {
                symmetric_eigen(matrix)
            }
        }
    )*};
}
backend!(f32, f64);

/// A matrix in the layout that faer works on.
struct ColumnMajor<A> {
    elements: Vec<A>,
    rows: usize,
    columns: usize,
}

impl<A: LinalgElement + RealField> ColumnMajor<A> {
    fn zeros(rows: usize, columns: usize) -> Result<Self, OutOfMemory> {
        let mut elements = with_room(rows * columns)?;
        elements.resize(rows * columns, <A as num_traits::Zero>::zero());
        Ok(ColumnMajor { elements, rows, columns })
    }

    fn identity(rows: usize, columns: usize) -> Result<Self, OutOfMemory> {
        let mut matrix = Self::zeros(rows, columns)?;
        matrix
            .elements
            .iter_mut()
            .step_by(rows + 1)
            .take(columns)
            .for_each(|one| *one = num_traits::One::one());
        Ok(matrix)
    }

    fn copy_of(matrix: ArrayView2<'_, A>) -> Result<Self, OutOfMemory> {
        // Iterating over the transposed view visits the elements in column-major order.
        let elements = collected(matrix.t().iter().copied())?;
        Ok(ColumnMajor { elements, rows: matrix.nrows(), columns: matrix.ncols() })
    }

    fn as_ref(&self) -> MatRef<'_, A> {
        MatRef::from_column_major_slice(&self.elements, self.rows, self.columns)
    }

    fn as_mut(&mut self) -> MatMut<'_, A> {
        MatMut::from_column_major_slice_mut(&mut self.elements, self.rows, self.columns)
    }

    fn into_array(self) -> Array2<A> {
        Array2::from_shape_vec((self.rows, self.columns).f(), self.elements)
            .expect("as many elements as rows times columns")
    }
}

/// Scratch memory of a faer routine.
fn scratch(request: StackReq) -> Result<MemBuffer, OutOfMemory> {
    MemBuffer::try_new(request).map_err(|_| OutOfMemory { bytes: request.size_bytes() })
}

/// `sum += left right`, computed as `sumᵀ += rightᵀ leftᵀ`, whose operands are column-major in the same memory.
fn add_product<A: LinalgElement + RealField>(
    left: ArrayView2<'_, A>,
    right: ArrayView2<'_, A>,
    mut sum: ArrayViewMut2<'_, A>,
) {
    let ((n, k), m) = (left.dim(), right.ncols());
    if n == 0 || k == 0 || m == 0 {
        return;
    }
    let Some(target) = sum.as_slice_mut() else {
        let mut contiguous = sum.as_standard_layout().into_owned();
        add_product(left, right, contiguous.view_mut());
        sum.assign(&contiguous);
        return;
    };
    // One layout for all: faer picks its order of additions by the strides.
    let (left, right) = (left.as_standard_layout(), right.as_standard_layout());
    let left = left.as_slice().expect("standard layout is contiguous");
    let right = right.as_slice().expect("standard layout is contiguous");
    matmul::matmul(
        MatMut::from_column_major_slice_mut(target, m, n),
        Accum::Add,
        MatRef::from_column_major_slice(right, m, k),
        MatRef::from_column_major_slice(left, k, n),
        <A as num_traits::One>::one(),
        Par::Seq,
    );
}

/// Householder QR in blocks.
fn thin_qr<A: LinalgElement + RealField>(
    matrix: ArrayView2<'_, A>,
) -> Result<(Array2<A>, Array2<A>), OutOfMemory> {
    let (rows, columns) = matrix.dim();
    let size = rows.min(columns);
    if size == 0 {
        return Ok((Array2::zeros((rows, 0)), Array2::zeros((0, columns))));
    }
    let block = qr::no_pivoting::factor::recommended_block_size::<A>(rows, columns);
    let mut factor = ColumnMajor::copy_of(matrix)?;
    let mut coefficients = ColumnMajor::zeros(block, size)?;
    let request =
        qr::no_pivoting::factor::qr_in_place_scratch::<A>(rows, columns, block, Par::Seq, Default::default());
    qr::no_pivoting::factor::qr_in_place(
        factor.as_mut(),
        coefficients.as_mut(),
        Par::Seq,
        MemStack::new(&mut scratch(request)?),
        Default::default(),
    );
    let mut q = ColumnMajor::identity(rows, size)?;
    let request =
        householder::apply_block_householder_sequence_on_the_left_in_place_scratch::<A>(rows, block, size);
    householder::apply_block_householder_sequence_on_the_left_in_place_with_conj(
        factor.as_ref().subcols(0, size),
        coefficients.as_ref(),
        Conj::No,
        q.as_mut(),
        Par::Seq,
        MemStack::new(&mut scratch(request)?),
    );
    let mut r = factor.into_array().slice_move(ndarray::s![..size, ..]);
    for row in 1..size {
        r.slice_mut(ndarray::s![row, ..row]).fill(<A as num_traits::Zero>::zero());
    }
    Ok((q.into_array(), r))
}

fn thin_svd<A: LinalgElement + RealField>(matrix: ArrayView2<'_, A>) -> Result<Svd<A>, LinalgError> {
    check_finite("svd", &matrix)?;
    let (rows, columns) = matrix.dim();
    let size = rows.min(columns);
    let a = ColumnMajor::copy_of(matrix)?;
    let (mut u, mut v) = (ColumnMajor::zeros(rows, size)?, ColumnMajor::zeros(columns, size)?);
    let mut sigma = vec![<A as num_traits::Zero>::zero(); size];
    let thin = svd::ComputeSvdVectors::Thin;
    let request = svd::svd_scratch::<A>(rows, columns, thin, thin, Par::Seq, Default::default());
    svd::svd(
        a.as_ref(),
        DiagMut::from_slice_mut(&mut sigma),
        Some(u.as_mut()),
        Some(v.as_mut()),
        Par::Seq,
        MemStack::new(&mut scratch(request)?),
        Default::default(),
    )
    .map_err(|_| LinalgError::NoConvergence { operation: "svd" })?;
    Ok(Svd { u: u.into_array(), sigma: Array1::from_vec(sigma), vt: v.into_array().reversed_axes() })
}

fn lower_factor<A: LinalgElement + RealField>(matrix: ArrayView2<'_, A>) -> Result<Array2<A>, LinalgError> {
    let order = check_square("cholesky", &matrix)?;
    let mut factor = ColumnMajor::copy_of(matrix)?;
    let request = cholesky::llt::factor::cholesky_in_place_scratch::<A>(order, Par::Seq, Default::default());
    cholesky::llt::factor::cholesky_in_place(
        factor.as_mut(),
        Default::default(),
        Par::Seq,
        MemStack::new(&mut scratch(request)?),
        Default::default(),
    )
    .map_err(|_| LinalgError::NotPositiveDefinite)?;
    let mut lower = factor.into_array();
    for row in 0..order {
        lower.slice_mut(ndarray::s![row, row + 1..]).fill(<A as num_traits::Zero>::zero());
    }
    // A NaN is no pivot that faer would call negative.
    match lower.diag().iter().all(|&pivot| pivot > <A as num_traits::Zero>::zero()) {
        true => Ok(lower),
        false => Err(LinalgError::NotPositiveDefinite),
    }
}

fn solve_by_lu<A: LinalgElement + RealField>(
    matrix: ArrayView2<'_, A>,
    right: ArrayView2<'_, A>,
) -> Result<Array2<A>, LinalgError> {
    let order = check_system(&matrix, &right)?;
    let mut factor = ColumnMajor::copy_of(matrix)?;
    let mut solution = ColumnMajor::copy_of(right)?;
    let (mut forward, mut inverse) = (vec![0_usize; order], vec![0_usize; order]);
    let request = lu::partial_pivoting::factor::lu_in_place_scratch::<usize, A>(
        order,
        order,
        Par::Seq,
        Default::default(),
    );
    let (_, permutation) = lu::partial_pivoting::factor::lu_in_place(
        factor.as_mut(),
        &mut forward,
        &mut inverse,
        Par::Seq,
        MemStack::new(&mut scratch(request)?),
        Default::default(),
    );
    let zero = <A as num_traits::Zero>::zero();
    if factor.elements.iter().step_by(order + 1).any(|&pivot| pivot == zero) {
        return Err(LinalgError::Singular { operation: "solve" });
    }
    let request =
        lu::partial_pivoting::solve::solve_in_place_scratch::<usize, A>(order, solution.columns, Par::Seq);
    // Both triangles lie in one matrix; the solver reads of each what belongs to it.
    lu::partial_pivoting::solve::solve_in_place_with_conj(
        factor.as_ref(),
        factor.as_ref(),
        permutation,
        Conj::No,
        solution.as_mut(),
        Par::Seq,
        MemStack::new(&mut scratch(request)?),
    );
    Ok(solution.into_array())
}

fn symmetric_eigen<A: LinalgElement + RealField>(
    matrix: ArrayView2<'_, A>,
) -> Result<(Array1<A>, Array2<A>), LinalgError> {
    let order = check_square("eigh", &matrix)?;
    check_finite("eigh", &matrix)?;
    if order == 0 {
        // faer 0.24 computes its scratch of an empty matrix with 0 - 1.
        return Ok((Array1::zeros(0), Array2::zeros((0, 0))));
    }
    let a = ColumnMajor::copy_of(matrix)?;
    let mut vectors = ColumnMajor::zeros(order, order)?;
    let mut values = vec![<A as num_traits::Zero>::zero(); order];
    let compute = evd::ComputeEigenvectors::Yes;
    let request = evd::self_adjoint_evd_scratch::<A>(order, compute, Par::Seq, Default::default());
    evd::self_adjoint_evd(
        a.as_ref(),
        DiagMut::from_slice_mut(&mut values),
        Some(vectors.as_mut()),
        Par::Seq,
        MemStack::new(&mut scratch(request)?),
        Default::default(),
    )
    .map_err(|_| LinalgError::NoConvergence { operation: "eigh" })?;
    Ok((Array1::from_vec(values), vectors.into_array()))
}
