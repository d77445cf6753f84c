//! Parallelize everything: lazy, chunked arrays, data frames, bags, images and machine learning on all cores.

pub use musher_graph_core::*;
pub use musher_scheduler as scheduler;
