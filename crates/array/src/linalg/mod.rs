//! Linear algebra: products of chunked matrices, and the backend that multiplies and factorizes single blocks.

mod backend;
mod faer;
#[cfg(feature = "lapack")]
mod lapack;
mod matmul;
#[cfg(test)]
mod tests;

pub use backend::{LinalgBackend, LinalgElement, LinalgError, Svd};
pub use faer::Faer;
#[cfg(feature = "lapack")]
pub use lapack::Lapack;
pub use matmul::Contract;
