//! What most programs bring into scope: `use musher::prelude::*;`

pub use crate::{Checkpointing, Collection, Compute, Delayed, Options, compute, delayed, opaque, persist};

#[cfg(feature = "array")]
pub use crate::Array;
#[cfg(feature = "bag")]
pub use crate::Bag;
#[cfg(feature = "frame")]
pub use crate::Frame;
#[cfg(feature = "array")]
pub use crate::array::All;
#[cfg(feature = "array")]
pub use crate::array::ndarray::{self, Axis, s};
#[cfg(all(feature = "array", feature = "frame"))]
pub use crate::convert::ToArray;
#[cfg(all(feature = "array", feature = "bag"))]
pub use crate::convert::ToBag;
#[cfg(feature = "frame")]
pub use crate::convert::ToFrame;
#[cfg(feature = "viz")]
pub use crate::{Visualize, VisualizeOptions};
