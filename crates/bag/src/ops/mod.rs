//! What a bag can do, one family of operations a file.

mod create;
mod filter;
mod flat_map;
mod fold;
mod groups;
mod join;
mod json;
mod layout;
mod map;
mod map_partitions;
mod reduce;
mod shuffle;
mod text;
mod top;
mod write;
mod zip;

pub use text::TextOptions;
