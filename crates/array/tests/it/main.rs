//! Array operations as users call them, on all schedulers.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod arranged;
mod blocks;
mod cases;
mod checkpoint;
mod cumulative;
mod elementwise;
mod faults;
mod fft;
mod fusion;
mod golden;
mod hypotheses;
mod in_memory;
mod laws;
mod layout;
mod linalg;
mod math;
mod memory;
mod neighborhood;
mod npy;
mod ordering;
mod overlap;
mod promises;
mod rechunk;
mod reductions;
mod selection;
mod statistics;
mod table;
