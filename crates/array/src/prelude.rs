//! What most programs with arrays need: `use musher_array::prelude::*`.
//!
//! ```
//! use musher_array::prelude::*;
//! let x = random::uniform((200, 200), (50, 100)).seed(1).build();
//! assert!((x.mean().compute()? - 0.5).abs() < 0.02);
//! # Ok::<(), musher_scheduler::Error>(())
//! ```

pub use crate::ndarray::{self, Axis, s};
pub use crate::{All, Array, Chunking, Chunks, concatenate, random, stack};
pub use musher_scheduler::{Compute, Options, compute, persist};
