//! Lazy sequences of any items, read, mapped, folded and counted in parallel.
//!
//! A [`Bag<T>`] is for what has no columns yet: lines of text, JSON records, file names, values of your own types.
//! Once the items have columns, a frame is faster; once they are numbers on a grid, an array is.
//!
//! | you have | begin with |
//! |---|---|
//! | items in memory | [`Bag::from_sequence`], [`Bag::range`] |
//! | text files, plain or compressed | [`Bag::read_text`] |
//! | JSON lines | [`Bag::read_json_lines`] |
//! | delayed vectors | [`Bag::from_delayed`] |
//!
//! A bag is cut into partitions, and each operation works on all of them in parallel. Operations that follow each other
//! run as *one* pass over each partition: items go through one by one, nothing is stored between, and lines of text that
//! are only looked at are not even allocated.
//!
//! ```
//! use musher_bag::{Bag, prelude::*};
//! # let folder = tempfile::tempdir()?;
//! # let pattern = folder.path().join("hamlet-*.txt");
//! # std::fs::write(folder.path().join("hamlet-1.txt"), "To be, or not\nto be")?;
//! # let pattern = pattern.to_str().unwrap();
//! let counts = Bag::read_text(pattern)?.map_ref(|line| line.to_lowercase()).words().frequencies();
//! assert_eq!(counts.topk_by_key(1, |pair| pair.1).compute()?, [("to".to_string(), 2)]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # How answers stay the same
//! Order is kept everywhere: groups, counts and distinct items stand in the order of first appearance, and partial
//! results are joined by a tree whose shape depends on the number of partitions only. So an answer does not depend on
//! threads or on what was fused, to the last bit. Two cuts of the same items differ at most in the rounding of sums
//! and moments of floats.
//!
//! # In a dev build
//!
//! Cargo does not optimise dependencies there, and work on blocks is many times slower. Run what computes with
//! `--release`, or say in your `Cargo.toml`:
//!
//! ```toml
//! [profile.dev.package]
//! musher-bag = { opt-level = 2 }
//! musher-graph-core = { opt-level = 2 }
//! musher-scheduler = { opt-level = 2 }
//! ```

mod bag;
mod coding;
mod drain;
mod error;
mod fold;
mod kernel;
mod ops;
mod origin;
mod partition;
mod pipe;
mod shuffle;
mod stage_fn;

pub use bag::Bag;
pub use error::Error;
pub use kernel::decode::Compression;
pub use kernel::sum::{Compensated, Exact, Summand, Total};
pub use ops::TextOptions;
pub use partition::Partition;
pub use pipe::Item;

/// What a program that works with bags brings into scope: `use musher_bag::prelude::*;`
pub mod prelude {
    pub use crate::Bag;
    pub use musher_scheduler::{Compute, Options, compute, persist};
}
