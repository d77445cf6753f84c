//! The backend of the cargo feature `lapack`: the system's OpenBLAS through ndarray-linalg.
//!
//! For those who want LAPACK's own answers, or its matrix product, which is a little faster than faer's. Its last bits
//! may depend on the strides of the operands (seen with OpenBLAS 0.3.21 and products of one column), so it is never
//! the default: turning a feature on must not change anybody's bits.
//! It needs OpenBLAS with its headers, on Debian `apt-get install libopenblas-dev`.

use super::backend::{
    LinalgBackend, LinalgElement, LinalgError, Svd, check_finite, check_product, check_square, check_system,
};
use ndarray::linalg::general_mat_mul;
use ndarray::{Array1, Array2, ArrayView2, ArrayViewMut2};
use ndarray_linalg::error::LinalgError as Failure;
use ndarray_linalg::{
    Cholesky, Eigh, FactorizeInto, JobSvd, Lapack as Driver, QR, SVDDC, Scalar, Solve, UPLO,
};

#[expect(
    unsafe_code,
    reason = "OpenBLAS can be kept on the calling thread only by its own C function: an integer in, nothing out"
)]
mod openblas {
    //! The one function of OpenBLAS that no crate binds.
    use std::ffi::c_int;
    use std::sync::Once;

    unsafe extern "C" {
        safe fn openblas_set_num_threads(n_threads: c_int);
    }

    /// Keeps OpenBLAS on the thread that calls it, for this whole process.
    pub(super) fn stay_on_this_thread() {
        static ONCE: Once = Once::new();
        ONCE.call_once(|| openblas_set_num_threads(1));
    }
}

/// Linear algebra by the system's OpenBLAS and LAPACK, one thread a call.
///
/// Its last bits may depend on the strides of the operands: compare with a tolerance.
/// The first call tells OpenBLAS to use one thread in this whole process: tasks already fill the cores.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Lapack;

macro_rules! backend {
    ($($element:ty),*) => {$(
        impl LinalgBackend<$element> for Lapack {
            fn name(&self) -> &'static str {
                "openblas"
            }

            fn matmul(
                &self,
                left: ArrayView2<'_, $element>,
                right: ArrayView2<'_, $element>,
                mut sum: ArrayViewMut2<'_, $element>,
            ) -> Result<(), LinalgError> {
                check_product(&left, &right, &sum)?;
                openblas::stay_on_this_thread();
                let (left, right) = (left.as_standard_layout(), right.as_standard_layout());
                if sum.is_standard_layout() {
                    general_mat_mul(1.0, &left, &right, 1.0, &mut sum);
                } else {
                    let mut contiguous = sum.as_standard_layout().into_owned();
                    general_mat_mul(1.0, &left, &right, 1.0, &mut contiguous);
                    sum.assign(&contiguous);
                }
                Ok(())
            }

            fn qr(
                &self,
                matrix: ArrayView2<'_, $element>,
            ) -> Result<(Array2<$element>, Array2<$element>), LinalgError> {
                thin_qr(matrix)
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

/// Our checks leave LAPACK no invalid argument to complain of: what it reports is what the operation calls its
/// failure. The rest are the wrapper's own errors about layouts.
fn failed(operation: &'static str, computational: LinalgError) -> impl Fn(Failure) -> LinalgError {
    move |failure| match failure {
        Failure::Lapack(_) => computational.clone(),
        _ => LinalgError::Backend { operation, backend: "lapack" },
    }
}

fn thin_qr<A: LinalgElement + Scalar + Driver>(
    matrix: ArrayView2<'_, A>,
) -> Result<(Array2<A>, Array2<A>), LinalgError> {
    let (rows, columns) = matrix.dim();
    if rows == 0 || columns == 0 {
        return Ok((Array2::zeros((rows, 0)), Array2::zeros((0, columns))));
    }
    openblas::stay_on_this_thread();
    let operation = "qr";
    matrix
        .as_standard_layout()
        .qr()
        .map_err(failed(operation, LinalgError::Backend { operation, backend: "lapack" }))
}

fn thin_svd<A: LinalgElement + Scalar<Real = A> + Driver>(
    matrix: ArrayView2<'_, A>,
) -> Result<Svd<A>, LinalgError> {
    let operation = "svd";
    check_finite(operation, &matrix)?;
    let (rows, columns) = matrix.dim();
    if rows == 0 || columns == 0 {
        let (u, vt) = (Array2::zeros((rows, 0)), Array2::zeros((0, columns)));
        return Ok(Svd { u, sigma: Array1::zeros(0), vt });
    }
    openblas::stay_on_this_thread();
    let (u, sigma, vt) = matrix
        .as_standard_layout()
        .svddc(JobSvd::Some)
        .map_err(failed(operation, LinalgError::NoConvergence { operation }))?;
    match (u, vt) {
        (Some(u), Some(vt)) => Ok(Svd { u, sigma, vt }),
        _ => Err(LinalgError::Backend { operation, backend: "lapack" }),
    }
}

fn lower_factor<A: LinalgElement + Scalar + Driver>(
    matrix: ArrayView2<'_, A>,
) -> Result<Array2<A>, LinalgError> {
    let operation = "cholesky";
    if check_square(operation, &matrix)? == 0 {
        return Ok(Array2::zeros((0, 0)));
    }
    openblas::stay_on_this_thread();
    let lower: Array2<A> = matrix
        .as_standard_layout()
        .cholesky(UPLO::Lower)
        .map_err(failed(operation, LinalgError::NotPositiveDefinite))?;
    match lower.diag().iter().all(|&pivot| pivot > A::zero()) {
        true => Ok(lower),
        false => Err(LinalgError::NotPositiveDefinite),
    }
}

fn solve_by_lu<A: LinalgElement + Scalar + Driver>(
    matrix: ArrayView2<'_, A>,
    right: ArrayView2<'_, A>,
) -> Result<Array2<A>, LinalgError> {
    let operation = "solve";
    let mut solution = right.to_owned();
    if check_system("solve", &matrix, &right)? == 0 {
        return Ok(solution);
    }
    openblas::stay_on_this_thread();
    let failed = failed(operation, LinalgError::Singular { operation });
    let factor = matrix.as_standard_layout().into_owned().factorize_into().map_err(&failed)?;
    for mut column in solution.columns_mut() {
        let solved = factor.solve(&column.to_owned()).map_err(&failed)?;
        column.assign(&solved);
    }
    Ok(solution)
}

fn symmetric_eigen<A: LinalgElement + Scalar<Real = A> + Driver>(
    matrix: ArrayView2<'_, A>,
) -> Result<(Array1<A>, Array2<A>), LinalgError> {
    let operation = "eigh";
    let order = check_square(operation, &matrix)?;
    check_finite(operation, &matrix)?;
    if order == 0 {
        return Ok((Array1::zeros(0), Array2::zeros((0, 0))));
    }
    openblas::stay_on_this_thread();
    let contiguous = matrix.as_standard_layout();
    contiguous.eigh(UPLO::Lower).map_err(failed(operation, LinalgError::NoConvergence { operation }))
}
