//! What can go wrong while an array expression is built, and inside its tasks.

use crate::element::DType;
use crate::kernel::npy::NpyError;
#[cfg(feature = "zarr")]
use crate::kernel::zarr::ZarrError;
use crate::linalg::LinalgError;
use musher_graph_core::Site;
use std::fmt;
use std::path::PathBuf;

/// A shape as it is printed in messages: `(2, 3)`, `(4,)`, `()`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape(pub Vec<usize>);

impl From<&[usize]> for Shape {
    fn from(lengths: &[usize]) -> Self {
        Self(lengths.to_vec())
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_slice() {
            [length] => write!(f, "({length},)"),
            lengths => {
                f.write_str("(")?;
                for (i, length) in lengths.iter().enumerate() {
                    write!(f, "{}{length}", if i > 0 { ", " } else { "" })?;
                }
                f.write_str(")")
            }
        }
    }
}

/// Why an array operation cannot be done. What shapes and types tell is found when the graph is built.
///
/// # Examples
/// ```
/// use musher_array::{Array, Error};
/// let (a, b) = (Array::<f64, _>::zeros((2, 3), 2), Array::<f64, _>::zeros((2, 4), 2));
/// assert!(matches!(a.try_add(&b), Err(Error::Shapes { .. })));
/// ```
#[derive(Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Two shapes do not fit together.
    #[error("{operation}: shapes {left} and {right} do not fit, at {caller}")]
    Shapes {
        /// The operation.
        operation: &'static str,
        /// The shape of the first operand.
        left: Shape,
        /// The shape of the second operand.
        right: Shape,
        /// The user's line.
        caller: Site,
    },
    /// There is no such axis.
    #[error("{operation}: axis {axis} of an array with {ndim} axes, at {caller}")]
    Axis {
        /// The operation.
        operation: &'static str,
        /// The axis asked for.
        axis: usize,
        /// How many axes there are.
        ndim: usize,
        /// The user's line.
        caller: Site,
    },
    /// A block with its halo has more elements than can be counted.
    #[error("{operation}: a block with its halo has more elements than can be counted, at {caller}")]
    Halo {
        /// The operation.
        operation: &'static str,
        /// The user's line.
        caller: Site,
    },
    /// Axes that should be a permutation are not.
    #[error("{operation}: axes {axes} are not a permutation, at {caller}")]
    Permutation {
        /// The operation.
        operation: &'static str,
        /// The axes given.
        axes: Shape,
        /// The user's line.
        caller: Site,
    },
    /// An index lies outside an axis.
    #[error("{operation}: index {index} is outside axis {axis} of length {length}, at {caller}")]
    Index {
        /// The operation.
        operation: &'static str,
        /// The axis.
        axis: usize,
        /// The index asked for.
        index: isize,
        /// The length of the axis.
        length: usize,
        /// The user's line.
        caller: Site,
    },
    /// Block lengths do not fit a shape.
    #[error("blocks of {blocks} do not make an array of shape {shape}, at {caller}")]
    Chunks {
        /// The block lengths asked for, one entry for each axis, or their sums.
        blocks: Shape,
        /// The shape to divide.
        shape: Shape,
        /// The user's line.
        caller: Site,
    },
    /// A shape, or its division, has more elements or blocks than can be counted.
    #[error("an array of shape {shape} would have too many {what}, at {caller}")]
    TooLarge {
        /// The shape.
        shape: Shape,
        /// `elements` or `blocks`.
        what: &'static str,
        /// The user's line.
        caller: Site,
    },
    /// An element type has no such operation.
    #[error("{operation} is not defined for {dtype}, at {caller}")]
    Undefined {
        /// The operation.
        operation: &'static str,
        /// The element type.
        dtype: DType,
        /// The user's line.
        caller: Site,
    },
    /// There is no cast between two element types.
    #[error("no cast from {from} to {to}, at {caller}")]
    Cast {
        /// The type before.
        from: DType,
        /// The type after.
        to: DType,
        /// The user's line.
        caller: Site,
    },
    /// A reduction without an identity was asked for over no elements.
    #[error("{operation} over {axes} of shape {shape}: an empty reduction has no identity, at {caller}")]
    EmptyReduction {
        /// The operation.
        operation: &'static str,
        /// The axes.
        axes: ReducedAxes,
        /// The shape.
        shape: Shape,
        /// The user's line.
        caller: Site,
    },
    /// A variance was asked for with what is no number of degrees of freedom.
    #[error("{operation}: ddof is {ddof}, which is no number of degrees of freedom, at {caller}")]
    DegreesOfFreedom {
        /// The operation.
        operation: &'static str,
        /// The number asked for.
        ddof: f64,
        /// The user's line.
        caller: Site,
    },
    /// A parameter of a distribution is none that it may have.
    #[error("{operation}: {parameter} is {value}, but {needs}, at {caller}")]
    Parameter {
        /// The operation.
        operation: &'static str,
        /// The name of the parameter.
        parameter: &'static str,
        /// What was given.
        value: f64,
        /// What it may be.
        needs: &'static str,
        /// The user's line.
        caller: Site,
    },
    /// A mask, or passing over NaN, left nothing of what has no answer then.
    #[error("{operation} of {dtype}: no element is left to reduce")]
    NothingLeft {
        /// The operation.
        operation: &'static str,
        /// The type of the elements.
        dtype: DType,
    },
    /// A list of arrays is empty, or not as regular as the operation needs.
    #[error("{operation}: {problem}, at {caller}")]
    Arrangement {
        /// The operation.
        operation: &'static str,
        /// What is wrong with the list.
        problem: &'static str,
        /// The user's line.
        caller: Site,
    },
    /// A block has another shape than the layer promised.
    #[error("a block has shape {found} where {expected} was promised")]
    BlockShape {
        /// What was promised.
        expected: Shape,
        /// What the function gave.
        found: Shape,
    },
    /// A task gave a chunk that is no block of the element type it promised.
    #[error("a chunk is no block of {expected}")]
    ForeignChunk {
        /// The element type promised.
        expected: DType,
    },
    /// A `.npy` file could not be read or written.
    #[error("{operation} of {}", path.display())]
    Npy {
        /// The operation.
        operation: &'static str,
        /// The file.
        path: PathBuf,
        /// What was wrong.
        source: NpyError,
    },
    /// A Zarr array could not be read or written.
    #[cfg(feature = "zarr")]
    #[error("{operation} of {}", path.display())]
    Zarr {
        /// The operation.
        operation: &'static str,
        /// Its folder.
        path: PathBuf,
        /// What was wrong.
        source: ZarrError,
    },
    /// The linear-algebra backend refused.
    #[error(transparent)]
    Linalg(#[from] LinalgError),
    /// A sum does not fit its type.
    #[error("{operation} is {value}, which does not fit {dtype}; cast to f64 first")]
    Overflow {
        /// The operation.
        operation: &'static str,
        /// The exact value.
        value: i128,
        /// The type of the result.
        dtype: DType,
    },
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        musher_graph_core::report(self, f)
    }
}

/// The axes of a reduction, as they are printed in messages: `all axes`, `axis 1`, `axes 0, 2`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReducedAxes {
    /// All of them.
    All,
    /// These.
    These(Vec<usize>),
}

impl fmt::Display for ReducedAxes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all axes"),
            Self::These(axes) => {
                let axes: Vec<String> = axes.iter().map(usize::to_string).collect();
                write!(f, "{} {}", if axes.len() == 1 { "axis" } else { "axes" }, axes.join(", "))
            }
        }
    }
}

/// Unwraps what the panicking form of an operation was asked for.
#[track_caller]
pub(crate) fn expect<T>(result: Result<T, Error>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("{error}"),
    }
}
