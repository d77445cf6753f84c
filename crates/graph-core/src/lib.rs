//! The waist of musher: chunks, keys, tasks, layers and graphs, and everything that is decided before data exists.
//!
//! A call on a collection adds a [`Layer`]: one [`Task`] over a [`Grid`], wired to its producers by a [`Wiring`].
//! [`Graph::collect`] gathers the layers that are reachable from what is asked for and merges equal work;
//! [`Graph::optimize`] fuses; [`Plan::new`] lowers to flat tables, orders and costs them.
//! A scheduler (crate `musher-scheduler`) runs the plan.
//!
//! ```
//! use musher_graph_core::{Graph, Plan, Collection, delayed};
//!
//! fn add(a: i64, b: i64) -> i64 { a + b }
//! let three = delayed(add).call((1, 2));
//! let ten = delayed(add).call((&three, 7));
//! let plan = Plan::new(Graph::collect(&[ten.request()])?.optimize())?;
//! assert!(plan.explain().to_string().contains("add"));
//! # Ok::<(), musher_graph_core::Error>(())
//! ```
//!
//! This crate knows no data library, but for how an array of ndarray is written where its feature says so; kernels live in
//! the domain crates.

mod adapt;
mod annotations;
mod builder;
mod byte_size;
mod check;
mod chunk;
mod codecs;
mod coder;
mod collection;
mod combine;
mod delayed;
mod error;
mod exchange;
mod explain;
mod fit;
mod fn_identity;
mod footprint;
mod forecast;
mod fused_label;
mod graph;
mod grid;
mod iterate;
mod key;
mod layer;
mod lower;
mod moments;
mod optimize;
mod order;
mod plan;
mod record;
mod report;
mod scan;
mod scope;
pub mod serde_path;
mod site;
mod spill;
mod task;
mod to_petgraph;
mod touch;
mod value;
mod watch;
mod wiring;

pub use adapt::{FnTask, FnTaskMany, Forward, Held, ready};
pub use annotations::{Annotations, annotate};
pub use builder::{GraphBuilder, Handmade, NodeId, Values};
pub use byte_size::{ByteSize, ParseByteSizeError};
pub use check::{CheckLimits, Files, FreeSpace, LocalFiles, Operation, Problem};
pub use chunk::{Chunk, ChunkRef, Codec, CodecError, Measure};
pub use codecs::Codecs;
pub use coder::{Coder, Unfit, coding_error};
pub use collection::{Answer, Collection, Places, Request, Room};
pub use combine::{Combine, Grouping, Level, tree, tree_of};
#[doc(hidden)]
pub use delayed::by_type;
pub use delayed::{
    Arg, ByRef, ByValue, Call, CallWith, Constant, Continued, Delayed, DelayedFn, Encodable, Fallible, For,
    FromInput, FromInputs, IntoArg, Opaque, Plain, Receive, Received, StoredArgs, WithBytes, WithCodec,
    delayed, opaque,
};
pub use error::Error;
pub use exchange::{Exchange, ExchangeMismatch, Scatter, Share, exchange_of, exchanged, exchanged_at};
pub use explain::{Explain, LayerSummary};
pub use fit::Misfit;
pub use fn_identity::{FnIdentity, function_name};
pub use forecast::{Forecast, Policy};
pub use fused_label::fused_label;
pub use graph::{Graph, GraphInput, GraphLayer, LayerIx};
pub use grid::{Grid, Place};
pub use iterate::iterate;
pub use key::{Key, Reach, Token, Tokenizer};
pub use layer::{Input, Layer, LayerBuilder, Port};
pub use lower::{SlotIx, TaskGraph, TaskIx};
pub use moments::Moments;
pub use optimize::{StepError, StepPanic};
pub use order::{NotAnOrder, Order, peak_of};
/// The crate whose graphs [`Plan::to_petgraph`] gives, with its algorithms.
pub use petgraph;
pub use plan::Plan;
pub use record::{AsRecord, Record};
pub use report::report;
pub use scan::{Scan, in_turn, scan};
pub use scope::{Identity, RunNumber, Scope};
pub use site::Site;
pub use spill::{Kept, SpillStore, SpillWriter, Spilled};
pub use task::{Absorb, Facts, InputMismatch, Inputs, Output, Staged, Task, TaskError};
pub use to_petgraph::{DataEdge, TaskNode};
pub use touch::{Access, Region, Touch};
pub use value::{Encoded, Measured, Value};
pub use wiring::{AxisMap, Lists, Part, Wiring};
