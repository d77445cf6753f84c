//! Machine learning on arrays that do not fit in memory.
//!
//! Estimators take chunked arrays, read them in as few passes as the algorithm needs, and give fitted models that
//! transform and predict lazily, chunk by chunk.

mod bridge;
mod kernel;
mod label;

pub use label::Label;
