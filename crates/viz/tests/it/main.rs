//! The integration tests of the pictures, one binary.

#![expect(clippy::unwrap_used, reason = "a panic in a test and its helpers is the report")]

mod drawing;
mod picture;
mod profile;
mod visualize;
