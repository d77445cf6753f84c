//! Array operations as users call them, on all schedulers.

mod blocks;
mod linalg;
mod npy;
mod overlap;
mod rechunk;
