//! Linear algebra: products and factorizations of chunked matrices, and the backend that multiplies and factorizes single
//! blocks.
//!
//! | what | how | what a task holds |
//! |---|---|---|
//! | [`matmul`](crate::Array::matmul), [`einsum`], [`tensordot`](crate::Array::tensordot) | products of blocks, summed up a tree | four pairs of blocks |
//! | [`qr`](crate::Array::qr), [`svd`](crate::Array::svd), [`lstsq`](crate::Array::lstsq), [`pinv`](crate::Array::pinv), [`cond`](crate::Array::cond) | blocks of rows, and a tree of their triangles | a block of rows, or triangles of the shorter side |
//! | [`svd_compressed`](crate::Array::svd_compressed) | products with random directions | blocks, and a few columns |
//! | [`lu`](crate::Array::lu), [`solve`](crate::Array::solve), [`inv`](crate::Array::inv), [`det`](crate::Array::det), [`cholesky`](crate::Array::cholesky) | panels of whole columns, one after another | two panels |
//! | [`eigh`](crate::Array::eigh) | one task | the whole matrix |
//!
//! All of them work by [`Faer`]; by another backend the products of
//! [`matmul_by`](crate::Array::matmul_by) do. `Lapack`, of the cargo feature `lapack`, has kernels for everything but
//! [`lu`](LinalgBackend::lu) and [`solve_triangular`](LinalgBackend::solve_triangular), which are plain loops there.

mod backend;
mod contraction;
mod einsum;
mod elimination;
mod faer;
#[cfg(feature = "lapack")]
mod lapack;
mod matmul;
mod orthogonal;
mod panels;
mod products;
mod spectra;
mod steps;
mod systems;
mod tall;
#[cfg(test)]
mod tests;

pub use backend::{LinalgBackend, LinalgElement, LinalgError, Svd, Triangle};
pub use einsum::{Operands, einsum};
pub use faer::Faer;
#[cfg(feature = "lapack")]
pub use lapack::Lapack;
pub use matmul::Contract;
pub use orthogonal::{Compression, LeastSquares, svd_flip};
pub use products::{Contracted, multi_dot};
pub use spectra::Norm;
pub use steps::RightSide;
pub use systems::{Lu, SignAndLog};
