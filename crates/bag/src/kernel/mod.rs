//! What is done to one partition: pure functions that know neither key nor graph.
//!
//! Reading comes first (ranges, decoding, lines, words), then what a partition is reduced to.

pub(crate) mod counter;
pub(crate) mod decode;
pub(crate) mod extreme;
pub(crate) mod groups;
pub(crate) mod json;
pub(crate) mod lines;
pub(crate) mod ranges;
pub(crate) mod sum;
pub(crate) mod top;
pub(crate) mod words;
pub(crate) mod write;
