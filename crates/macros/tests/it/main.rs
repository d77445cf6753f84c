//! What the macros write, compiled and run on the engine that they write for.

mod delayed;
mod token;
