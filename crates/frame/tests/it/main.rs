//! Tests of frames against polars on whole tables, against golden files, and of what a frame promises.

#![expect(clippy::unwrap_used, reason = "a panic in a test is its report")]

mod build;
mod checkpoint;
mod determinism;
mod divisions;
mod fusion;
mod golden;
mod group;
mod joins;
mod limits;
mod over;
mod read;
mod rows;
mod running;
mod shift;
mod shuffle;
mod sort;
mod statistics;
mod support;
mod text;
mod windows;
mod write;
