//! Array operations as users call them, on all schedulers.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod arranged;
mod blocks;
mod cases;
mod checkpoint;
mod cumulative;
mod elementwise;
mod factorizations;
mod faults;
mod fft;
mod fusion;
mod golden;
mod hypotheses;
mod in_memory;
mod laws;
mod layout;
mod linalg;
mod maps;
mod math;
mod memory;
mod neighborhood;
mod npy;
mod npy_stack;
mod ordering;
mod overlap;
mod products;
mod promises;
mod ranges;
mod rechunk;
mod reductions;
mod selection;
mod statistics;
mod table;
#[cfg(feature = "zarr")]
mod zarr;
