//! To an array: frames of numbers.

use musher_array::ndarray::{Array2, Ix2, ShapeBuilder};
use musher_array::{Array, Chunking, Element};
use musher_frame::polars::prelude::{DataFrame, DataType, PolarsError};
use musher_frame::{Error, Frame};
use musher_graph_core::{Site, delayed, report};
use musher_scheduler::compute;

use super::Cell;

/// Collections that can become an array.
pub trait ToArray {
    /// The lazy array of this collection's rows, one block of rows for each partition, all columns as `A`.
    ///
    /// As in [`cast`](Array::cast) fractions are cut toward zero where `A` holds integers, and floats round.
    ///
    /// **Cost** where the lengths of the partitions are not known, one counting pass runs at once.
    ///
    /// # Errors
    /// [`ToArrayError`] where the counting pass fails, there are no columns, or one holds neither numbers nor booleans. A
    /// missing value, and a number beyond what an integer `A` holds, fail the computation.
    #[track_caller]
    fn to_array<A: Number>(&self) -> Result<Array<A, Ix2>, ToArrayError>;
}

/// A type that both a column and an array can hold: the floats and integers of 4 and 8 bytes.
pub trait Number: Element + Cell {
    /// The values of a column of this type.
    ///
    /// # Errors
    /// Where the column is of another type or has missing values.
    #[doc(hidden)]
    fn values(column: &musher_frame::polars::prelude::Column) -> Result<Vec<Self>, PolarsError>;
}

macro_rules! numbers {
    ($($t:ty => $get:ident),*) => {$(
        impl Number for $t {
            fn values(column: &musher_frame::polars::prelude::Column) -> Result<Vec<Self>, PolarsError> {
                let cast = column.strict_cast(&<$t as Cell>::dtype())?;
                let values: Option<Vec<$t>> = cast.$get()?.iter().collect();
                values.ok_or_else(|| {
                    PolarsError::ComputeError(format!("column {:?} has missing values", column.name()).into())
                })
            }
        }
    )*};
}
numbers!(f64 => f64, f32 => f32, i64 => i64, i32 => i32, u64 => u64, u32 => u32);

/// A frame that cannot become an array.
#[non_exhaustive]
pub enum ToArrayError {
    /// A column does not hold numbers.
    Column {
        /// Its name.
        column: String,
        /// What it holds.
        dtype: DataType,
        /// The user's line.
        caller: Site,
    },
    /// The lengths of its partitions could not be counted.
    Count(musher_scheduler::Error),
    /// It could not be cut into partitions.
    Frame(Error),
    /// The blocks do not form an array.
    Array(musher_array::Error),
}

impl std::fmt::Display for ToArrayError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Column { column, dtype, caller } => {
                write!(
                    f,
                    "{caller}: to_array: column \"{column}\" is {dtype}; an array holds numbers, so cast or drop it"
                )
            }
            Self::Count(_) => f.write_str("the rows of a frame could not be counted"),
            Self::Frame(_) => f.write_str("a frame could not be cut into partitions"),
            Self::Array(_) => f.write_str("the partitions of a frame do not form an array"),
        }
    }
}

impl std::fmt::Debug for ToArrayError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        report(self, f)
    }
}

impl std::error::Error for ToArrayError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Column { .. } => None,
            Self::Count(error) => Some(error),
            Self::Frame(error) => Some(error),
            Self::Array(error) => Some(error),
        }
    }
}

impl ToArray for Frame {
    /// # Examples
    /// ```
    /// use musher::frame::polars::prelude::df;
    /// use musher::prelude::*;
    /// let frame = Frame::from_polars(df!("a" => [1, 2, 3], "b" => [0.5, 1.5, 2.5])?, 2)?;
    /// let sums = frame.to_array::<f64>()?.sum_axis(ndarray::Axis(0));
    /// assert_eq!(sums.compute()?, ndarray::arr1(&[6.0, 4.5]));
    /// let whole = Frame::from(df!("x" => [1.9, -2.9])?).to_array::<i32>()?;
    /// assert_eq!(whole.compute()?, ndarray::arr2(&[[1], [-2]]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    fn to_array<A: Number>(&self) -> Result<Array<A, Ix2>, ToArrayError> {
        fn height(table: &DataFrame) -> u64 {
            table.height() as u64
        }
        let is_number =
            |dtype: &DataType| dtype.is_primitive_numeric() || dtype.is_decimal() || dtype.is_bool();
        if let Some((column, dtype)) = self.schema().iter().find(|(_, dtype)| !is_number(dtype)) {
            let (column, dtype) = (column.to_string(), dtype.clone());
            return Err(ToArrayError::Column { column, dtype, caller: Site::caller() });
        }
        let partitions = self.to_delayed();
        let lengths: Vec<usize> = match self.lengths() {
            Some(lengths) => lengths.to_vec(),
            None => {
                let heights: Vec<_> = partitions.iter().map(|part| delayed(height).call(part)).collect();
                let heights = compute(heights.as_slice()).map_err(ToArrayError::Count)?;
                heights.into_iter().map(|height| height as usize).collect()
            }
        };
        let chunks = Chunking::from_lengths(&[lengths, vec![self.columns().len()]]);
        let block = delayed(block::<A>).fallible().label("to_array");
        let blocks = partitions.into_iter().map(|part| block.call(part));
        Array::from_delayed(blocks, chunks).map_err(ToArrayError::Array)
    }
}

/// The values of a table, column after column in memory.
fn block<A: Number>(table: &DataFrame) -> Result<Array2<A>, PolarsError> {
    let mut values = Vec::with_capacity(table.height() * table.width());
    for column in table.columns() {
        values.extend(A::values(column)?);
    }
    Array2::from_shape_vec((table.height(), table.width()).f(), values)
        .map_err(|error| PolarsError::ComputeError(error.to_string().into()))
}
