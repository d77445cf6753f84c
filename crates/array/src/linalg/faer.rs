//! The default backend: faer, in Rust, needing no system library.
//!
//! Every call passes `Par::Seq`, because the scheduler already fills the cores, and because faer's high-level
//! solvers read a process-wide setting that someone else may change.

use super::backend::{
    LinalgBackend, LinalgElement, LinalgError, Svd, Triangle, check_finite, check_product, check_square,
    check_system,
};
use super::elimination;
use crate::kernel::memory::{OutOfMemory, with_room};
use faer::diag::DiagMut;
use faer::dyn_stack::{MemBuffer, MemStack, StackReq};
use faer::linalg::{cholesky, evd, householder, lu, matmul, qr, svd, triangular_solve};
use faer::perm::PermRef;
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
                Ok(add_product(left, right, sum)?)
            }

            fn qr(
                &self,
                matrix: ArrayView2<'_, $element>,
            ) -> Result<(Array2<$element>, Array2<$element>), LinalgError> {
                Ok(thin_qr(matrix)?)
            }

            fn triangle(&self, matrix: ArrayView2<'_, $element>) -> Result<Array2<$element>, LinalgError> {
                Ok(triangle_of(matrix)?)
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

            fn lu(
                &self,
                matrix: ArrayView2<'_, $element>,
            ) -> Result<(Array2<$element>, Vec<usize>), LinalgError> {
                Ok(factors_in_order(matrix)?)
            }

            fn solve_triangular(
                &self,
                triangle: Triangle,
                matrix: ArrayView2<'_, $element>,
                right: ArrayView2<'_, $element>,
            ) -> Result<Array2<$element>, LinalgError> {
                check_system("solve_triangular", &matrix, &right)?;
                Ok(substituted(triangle, matrix, right)?)
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

    fn copy_of(matrix: ArrayView2<'_, A>) -> Result<Self, OutOfMemory> {
        let mut elements = with_room(matrix.len())?;
        for column in matrix.columns() {
            elements.extend(column.iter().copied());
        }
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
) -> Result<(), OutOfMemory> {
    let ((n, k), m) = (left.dim(), right.ncols());
    if n == 0 || k == 0 || m == 0 {
        return Ok(());
    }
    let Some(target) = sum.as_slice_mut() else {
        drop(with_room::<A>(n * m)?);
        let mut contiguous = sum.as_standard_layout().into_owned();
        add_product(left, right, contiguous.view_mut())?;
        sum.assign(&contiguous);
        return Ok(());
    };
    // Where an operand is copied, memory for it is asked for first: the copy itself cannot be refused.
    for operand in [&left, &right] {
        if !operand.is_standard_layout() {
            drop(with_room::<A>(operand.len())?);
        }
    }
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
    Ok(())
}

/// Rows that are factorized together, or four times as many as there are columns: they stay in the cache, and few rows keep
/// the distance small below which faer takes a column for dependent (16 ε times the number of rows).
const STRIP: usize = 256;

/// Reflections that bring a strip of rows to a triangle.
struct Reflections<A> {
    factor: ColumnMajor<A>,
    coefficients: ColumnMajor<A>,
    size: usize,
}

impl<A: LinalgElement + RealField> Reflections<A> {
    /// Of a matrix with rows and columns.
    fn of(matrix: ArrayView2<'_, A>) -> Result<Self, OutOfMemory> {
        let (rows, columns) = matrix.dim();
        let size = rows.min(columns);
        let block = qr::no_pivoting::factor::recommended_block_size::<A>(rows, columns);
        let mut factor = ColumnMajor::copy_of(matrix)?;
        let mut coefficients = ColumnMajor::zeros(block, size)?;
        let request = qr::no_pivoting::factor::qr_in_place_scratch::<A>(
            rows,
            columns,
            block,
            Par::Seq,
            Default::default(),
        );
        qr::no_pivoting::factor::qr_in_place(
            factor.as_mut(),
            coefficients.as_mut(),
            Par::Seq,
            MemStack::new(&mut scratch(request)?),
            Default::default(),
        );
        Ok(Self { factor, coefficients, size })
    }

    /// The triangle.
    fn r(&self) -> Result<Array2<A>, OutOfMemory> {
        let (size, columns) = (self.size, self.factor.columns);
        let mut elements = with_room(size * columns)?;
        for row in 0..size {
            elements.extend(std::iter::repeat_n(<A as num_traits::Zero>::zero(), row));
            elements
                .extend((row..columns).map(|column| self.factor.elements[column * self.factor.rows + row]));
        }
        Ok(Array2::from_shape_vec((size, columns), elements).expect("as many elements as the shape says"))
    }

    /// The reflections of a matrix with so many rows that is zero below these.
    fn applied(&self, top: ArrayView2<'_, A>) -> Result<ColumnMajor<A>, OutOfMemory> {
        let mut q = ColumnMajor::zeros(self.factor.rows, top.ncols())?;
        for (own, column) in q.elements.chunks_exact_mut(self.factor.rows).zip(top.columns()) {
            own.iter_mut().zip(column).for_each(|(own, &value)| *own = value);
        }
        let block = self.coefficients.rows;
        let request = householder::apply_block_householder_sequence_on_the_left_in_place_scratch::<A>(
            self.factor.rows,
            block,
            top.ncols(),
        );
        householder::apply_block_householder_sequence_on_the_left_in_place_with_conj(
            self.factor.as_ref().subcols(0, self.size),
            self.coefficients.as_ref(),
            Conj::No,
            q.as_mut(),
            Par::Seq,
            MemStack::new(&mut scratch(request)?),
        );
        Ok(q)
    }
}

/// Where strips of a tall matrix begin and end; none where it is one.
fn strips((rows, columns): (usize, usize)) -> Option<impl Iterator<Item = std::ops::Range<usize>> + Clone> {
    let n = rows / STRIP.max(4 * columns);
    (n > 1).then(|| (0..n).map(move |at| at * rows / n..(at + 1) * rows / n))
}

/// Householder QR in blocks; of a tall matrix strip by strip, and then of their triangles below each other.
fn thin_qr<A: LinalgElement + RealField>(
    matrix: ArrayView2<'_, A>,
) -> Result<(Array2<A>, Array2<A>), OutOfMemory> {
    let (rows, columns) = matrix.dim();
    if rows == 0 || columns == 0 {
        return Ok((Array2::zeros((rows, 0)), Array2::zeros((0, columns))));
    }
    let Some(strips) = strips((rows, columns)) else {
        let own = Reflections::of(matrix)?;
        let q = own.applied(Array2::eye(own.size).view())?;
        return Ok((q.into_array(), own.r()?));
    };
    let mut all = Vec::new();
    let mut triangles = with_room(strips.clone().count() * columns * columns)?;
    for strip in strips.clone() {
        let own = Reflections::of(matrix.slice(ndarray::s![strip, ..]))?;
        triangles.extend(own.r()?.iter().copied());
        all.push(own);
    }
    let below = Array2::from_shape_vec((all.len() * columns, columns), triangles)
        .expect("as many triangles as strips");
    let (tops, r) = thin_qr(below.view())?;
    let mut q = with_room(rows * columns)?;
    for (own, top) in all.into_iter().zip(tops.axis_chunks_iter(ndarray::Axis(0), columns)) {
        let strip = own.applied(top)?;
        for row in 0..strip.rows {
            q.extend(strip.elements[row..].iter().step_by(strip.rows).copied());
        }
    }
    let q = Array2::from_shape_vec((rows, columns), q).expect("as many rows as strips have");
    Ok((q, r))
}

/// The triangle of [`thin_qr`] alone.
fn triangle_of<A: LinalgElement + RealField>(matrix: ArrayView2<'_, A>) -> Result<Array2<A>, OutOfMemory> {
    let (rows, columns) = matrix.dim();
    if rows == 0 || columns == 0 {
        return Ok(Array2::zeros((0, columns)));
    }
    let Some(strips) = strips((rows, columns)) else { return Reflections::of(matrix)?.r() };
    let n = strips.clone().count();
    let mut triangles = with_room(n * columns * columns)?;
    for strip in strips {
        triangles.extend(Reflections::of(matrix.slice(ndarray::s![strip, ..]))?.r()?.iter().copied());
    }
    let below =
        Array2::from_shape_vec((n * columns, columns), triangles).expect("as many triangles as strips");
    triangle_of(below.view())
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
    let order = check_system("solve", &matrix, &right)?;
    let mut factor = ColumnMajor::copy_of(matrix)?;
    let mut solution = ColumnMajor::copy_of(right)?;
    let (mut forward, mut inverse) = (vec![0_usize; order], vec![0_usize; order]);
    let permutation = eliminated(&mut factor, &mut forward, &mut inverse)?;
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

/// Brings a matrix to its two triangles, in its own place, and fills the order of its rows, there and back.
fn eliminated<'p, A: LinalgElement + RealField>(
    matrix: &mut ColumnMajor<A>,
    forward: &'p mut [usize],
    inverse: &'p mut [usize],
) -> Result<PermRef<'p, usize>, OutOfMemory> {
    let request = lu::partial_pivoting::factor::lu_in_place_scratch::<usize, A>(
        matrix.rows,
        matrix.columns,
        Par::Seq,
        Default::default(),
    );
    let (_, permutation) = lu::partial_pivoting::factor::lu_in_place(
        matrix.as_mut(),
        forward,
        inverse,
        Par::Seq,
        MemStack::new(&mut scratch(request)?),
        Default::default(),
    );
    Ok(permutation)
}

fn factors_in_order<A: LinalgElement + RealField>(
    matrix: ArrayView2<'_, A>,
) -> Result<(Array2<A>, Vec<usize>), OutOfMemory> {
    let (rows, columns) = matrix.dim();
    let size = rows.min(columns);
    if size == 0 {
        return elimination::lu(matrix);
    }
    let mut factor = ColumnMajor::copy_of(matrix)?;
    let (mut forward, mut inverse) = (vec![0_usize; rows], vec![0_usize; rows]);
    eliminated(&mut factor, &mut forward, &mut inverse)?;
    // faer divides by a pivot of zero, and then no column behind it is right.
    let zero = <A as num_traits::Zero>::zero();
    if (0..size).any(|at| factor.elements[at * rows + at] == zero) {
        return elimination::lu(matrix);
    }
    Ok((factor.into_array(), forward))
}

fn substituted<A: LinalgElement + RealField>(
    triangle: Triangle,
    matrix: ArrayView2<'_, A>,
    right: ArrayView2<'_, A>,
) -> Result<Array2<A>, OutOfMemory> {
    let matrix = ColumnMajor::copy_of(matrix)?;
    let mut solution = ColumnMajor::copy_of(right)?;
    let (factor, x) = (matrix.as_ref(), solution.as_mut());
    match triangle {
        Triangle::Lower => triangular_solve::solve_lower_triangular_in_place(factor, x, Par::Seq),
        Triangle::UnitLower => triangular_solve::solve_unit_lower_triangular_in_place(factor, x, Par::Seq),
        Triangle::Upper => triangular_solve::solve_upper_triangular_in_place(factor, x, Par::Seq),
        Triangle::UnitUpper => triangular_solve::solve_unit_upper_triangular_in_place(factor, x, Par::Seq),
    }
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
