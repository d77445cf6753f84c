//! The image crate against its originals, on every scheduler and for all divisions of small images.

#![expect(clippy::unwrap_used, reason = "a panic in a test is its report")]

mod blocks;
mod colors;
mod errors;
mod files;
mod filters;
mod formats;
mod golden;
mod graph;
mod memory;
mod neighborhoods;
mod objects;
mod promises;
mod resample;
mod support;
mod walkthrough;
