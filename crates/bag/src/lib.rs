//! musher bag.

mod bag;
mod drain;
mod error;
mod fold;
mod identity;
mod kernel;
mod ops;
mod partition;
mod pipe;

pub use bag::Bag;
pub use error::Error;
pub use kernel::decode::Compression;
pub use kernel::sum::{Compensated, Exact, Number, Total};
pub use ops::TextOptions;
pub use partition::Partition;
pub use pipe::Item;

/// What a program that works with bags brings into scope: `use musher_bag::prelude::*;`
pub mod prelude {
    pub use crate::Bag;
    pub use musher_scheduler::Compute;
}
