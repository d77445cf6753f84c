#![doc = include_str!("../README.md")]

#[cfg(any(feature = "array", feature = "frame"))]
pub mod convert;
pub mod prelude;

pub use musher_graph_core as graph;
#[doc(hidden)]
pub use musher_graph_core::by_type;
pub use musher_graph_core::{
    Annotations, AxisMap, ByteSize, Chunk, ChunkRef, Codec, CodecError, Collection, Delayed, Explain, Facts,
    FnTask, Graph, GraphBuilder, Grid, Handmade, Inputs, IntoArg, Key, Layer, Measure, Measured, NodeId,
    Output, Place, Plan, Port, Task, TaskError, Token, Tokenizer, Value, Wiring, annotate, delayed, iterate,
    opaque, ready,
};
pub use musher_macros::{Token, delayed};
pub use musher_scheduler as scheduler;
pub use musher_scheduler::{
    CancelToken, Checkpoint, Checkpointing, Client, Compute, Error, Event, EventLog, FailedTasks, Observer,
    Options, Recorder, Replay, Settings, SpillDir, SpillOptions, Submit, compute, compute_with, persist,
    persist_with,
};

#[cfg(feature = "array")]
pub use musher_array::{self as array, Array, Chunks, ndarray};
#[cfg(feature = "bag")]
pub use musher_bag::{self as bag, Bag};
#[cfg(feature = "frame")]
pub use musher_frame::{self as frame, Frame};
#[cfg(feature = "image")]
pub use musher_image as image;
#[cfg(feature = "ml")]
pub use musher_ml as ml;
#[cfg(feature = "viz")]
pub use musher_viz::{self as viz, Visualize, VisualizeOptions};

/// The programs that stand in the documents, run with the tests.
#[cfg(all(
    doctest,
    feature = "bag",
    feature = "frame",
    feature = "image",
    feature = "ml",
    feature = "viz",
    feature = "zarr"
))]
mod documents {
    #[doc = include_str!("../ARCHITECTURE.md")]
    struct Architecture;
    #[doc = include_str!("../docs/dask.md")]
    struct Dask;
    #[doc = include_str!("../docs/expressions.md")]
    struct Expressions;
    #[doc = include_str!("../docs/nan.md")]
    struct Nan;
    #[doc = include_str!("../docs/ndarray.md")]
    struct Ndarray;
    #[doc = include_str!("../docs/speed.md")]
    struct Speed;
    #[doc = include_str!("../crates/macros/src/delayed.md")]
    struct DelayedAttribute;
    #[doc = include_str!("../crates/macros/src/token.md")]
    struct TokenDerive;
}
