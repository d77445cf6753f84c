//! The promises of linear algebra.

use super::{read, whole, x, y};
use musher_array::linalg::{Compression, Norm, Triangle, einsum, multi_dot, svd_flip};
use musher_array::ndarray::{Axis, Ix2, s};
use musher_array::{All, Array};
use musher_testkit::{Cases, Size};

/// A tall matrix of the data's size, of independent columns.
fn tall(size: Size) -> Array<f64, Ix2> {
    let (n, rows) = (size.elements::<f64>() / 16, size.chunk::<f64>() / 16);
    Array::from_shape_fn((n, 16), (rows, 16), |(i, j)| ((i * (2 * j + 3)) % 97) as f64 - 40.0)
}

/// A square matrix of the data's size that is far from singular.
fn sound(size: Size) -> Array<f64, Ix2> {
    let (n, block) = size.square::<f64>();
    Array::from_shape_fn((n, n), block, move |(i, j)| {
        let (low, high) = (i.min(j), i.max(j));
        ((low * 31 + high * 17) % 97) as f64 / 97.0 + if i == j { n as f64 } else { 0.0 }
    })
}

/// Forty columns.
fn narrow(size: Size) -> Array<f64, Ix2> {
    let (n, block) = size.square::<f64>();
    Array::from_shape_fn((n, 40), block, |(i, j)| ((i * 7 + j) % 11) as f64)
}

pub(super) fn products(cases: &mut Cases) {
    calls!(cases, size, x(size); vdot(&y(size)), tensordot(&narrow(size), 1), inner(&narrow(size).t()));
    calls!(cases, size, whole(size); vdot(&whole(size).t()));
    made!(cases, size;
        "Array::outer" => x(size).mean_axis(Axis(0)).outer(&x(size).mean_axis(Axis(1))),
        "Array::kron" => x(size).slice(s![..40, ..40]).kron(&y(size).slice(s![..8, ..8])),
        "Array::batched_matmul" => {
            let cube = x(size).insert_axis(Axis(0));
            cube.batched_matmul(&narrow(size).insert_axis(Axis(0)))
        },
        "einsum" => einsum("ij,ik->jk", (&x(size), &narrow(size))).unwrap(),
        "einsum" => einsum("ij,ij->j", (&x(size), &y(size))).unwrap(),
        "einsum" => einsum("ji,jk,kl->il", (&narrow(size), &x(size), &narrow(size))).unwrap(),
        "multi_dot" => multi_dot(&[&narrow(size).t(), &x(size), &narrow(size)]).unwrap(),
        "Array::matrix_power" => x(size).slice(s![..200, ..200]).matrix_power(3),
    );
}

pub(super) fn factorizations(cases: &mut Cases) {
    calls!(cases, size, tall(size); svdvals(), matrix_rank(), cond(), pinv());
    calls!(cases, size, tall(size); compression_matrix(5, Compression::default()), norm(Norm::P(2.0)));
    calls!(cases, size, x(size); norm(Norm::Frobenius), norm(Norm::Infinity));
    calls!(cases, size, sound(size); cholesky(), inv(), det());
    made!(cases, size;
        "Array::qr" => tall(size).qr().0,
        "Array::qr" => tall(size).qr().1,
        "Array::qr" => tall(size).t().qr().1,
        "Array::svd" => tall(size).svd().0,
        "Array::svd" => tall(size).t().svd().2,
        "Array::svd_compressed" => x(size).svd_compressed(5, Compression::default()).0,
        "Array::svd_compressed" => x(size).svd_compressed(5, Compression::default().seed(1).power_iterations(1)).2,
        "svd_flip" => svd_flip(&narrow(size), &narrow(size).t()).0,
        "Array::lstsq" => tall(size).lstsq(&tall(size).sum_axis(Axis(1))).solution,
        "Array::lstsq" => tall(size).lstsq(&tall(size).sum_axis(Axis(1))).residuals,
        "Array::lstsq" => tall(size).t().lstsq(&Array::<f64, Ix2>::ones((16, 2), 16)).solution,
        "Array::solve" => sound(size).lu().l,
        "Array::solve" => sound(size).lu().order,
        "Array::solve" => sound(size).solve(&narrow(size)),
        "Array::solve" => sound(size).solve(&narrow(size).sum_axis(Axis(1))),
        "Array::solve_triangular" => sound(size).solve_triangular(&narrow(size), Triangle::Upper),
        "Array::solve_triangular" => sound(size).solve_triangular(&narrow(size), Triangle::Lower),
        "Array::det" => sound(size).slogdet().1,
        "Over::norm" => x(size).over(Axis(0)).norm(Norm::P(3.0)),
        "Over::norm" => x(size).over(All).norm(Norm::NegInfinity),
    );
    cases.without(
        "Array::eigh Array::eigvalsh",
        "one task on the whole matrix, which must fit in memory five times over",
    );
    cases.without(
        "Compression::oversamples Compression::power_iterations Compression::seed Compression::level",
        "a description",
    );
}
