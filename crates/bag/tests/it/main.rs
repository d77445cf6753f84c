//! Bags against the standard library's iterators and against dask.bag, on every scheduler.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report, in its helpers, too")]

mod shuffle;
mod support;

mod elementwise;
mod failure;
mod fusion;
mod golden;
mod groups;
mod identity;
mod json;
mod layout;
mod limits;
mod memory;
mod promises;
mod reductions;
mod spill;
mod text;
mod write;
