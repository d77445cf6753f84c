//! What can go wrong with a frame: one typed error for building, reading, computing and writing.

use std::fmt;
use std::io;
use std::panic::Location;
use std::path::PathBuf;

use polars::prelude::{DataType, PolarsError};

/// The first column in which a table differs from what was expected.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// Number of the column, from 0.
    pub position: usize,
    /// Name and type that were expected, if there should be such a column.
    pub expected: Option<(String, DataType)>,
    /// Name and type that were found, if there is such a column.
    pub found: Option<(String, DataType)>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |column: &Option<(String, DataType)>| {
            column.as_ref().map_or("none".to_owned(), |(name, dtype)| format!("\"{name}\" of type {dtype}"))
        };
        write!(f, "column {} is {}, expected {}", self.position, text(&self.found), text(&self.expected))
    }
}

/// What can go wrong with a frame.
///
/// Errors of building (those with a `caller`) name the user's line. Errors of computing reach the user inside the
/// scheduler's error, which adds operation, place and line, and from there as its `source()`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// polars refused an expression when it was checked against the schema.
    #[error("{caller}: {operation}: the expressions do not fit the schema")]
    Expression {
        /// The method that was called.
        operation: &'static str,
        /// The user's line.
        caller: &'static Location<'static>,
        /// What polars says.
        source: PolarsError,
    },
    /// An expression looks at other rows than its own, where partitions are computed apart.
    #[error(
        "{caller}: {operation}: {expression} is not computed row by row, and a partition holds a part of the rows \
         only; use `aggregate` or `group_by` for aggregates, `map_partitions` if each partition is meant apart"
    )]
    NotRowWise {
        /// The method that was called.
        operation: &'static str,
        /// The expression.
        expression: String,
        /// The user's line.
        caller: &'static Location<'static>,
    },
    /// An aggregate cannot be computed from partial results.
    #[error(
        "{caller}: {expression}: {part} cannot be combined from partial results; made of sum, mean, min, max, \
         count, len, null_count, first, last, std, var, n_unique, median, quantile, any, all, implode or (of floats) product \
         of row-wise expressions it can"
    )]
    NotDecomposable {
        /// The expression.
        expression: String,
        /// The part of it that stands in the way.
        part: String,
        /// The user's line.
        caller: &'static Location<'static>,
    },
    /// An expression is nested more deeply than polars can follow on a small stack.
    #[error("{caller}: {operation}: an expression is nested {depth} deep, the limit is {limit}")]
    TooDeep {
        /// The method that was called.
        operation: &'static str,
        /// How deep it is.
        depth: usize,
        /// How deep it may be.
        limit: usize,
        /// The user's line.
        caller: &'static Location<'static>,
    },
    /// There is no column of this name.
    #[error("{caller}: {operation}: there is no column \"{column}\"; there are {columns:?}")]
    NoColumn {
        /// The method that was called.
        operation: &'static str,
        /// The name that was asked for.
        column: String,
        /// The names there are.
        columns: Vec<String>,
        /// The user's line.
        caller: &'static Location<'static>,
    },
    /// Two tables that must have the same columns have not.
    #[error("{caller}: {operation}: {place} has other columns than the first: {difference}")]
    Schemas {
        /// The method that was called.
        operation: &'static str,
        /// Which table differs.
        place: String,
        /// Where they differ.
        difference: Box<Difference>,
        /// The user's line.
        caller: &'static Location<'static>,
    },
    /// A number that must not be zero is.
    #[error("{caller}: {operation}: {what} must be at least 1")]
    Zero {
        /// The method that was called.
        operation: &'static str,
        /// Of what there is none.
        what: &'static str,
        /// The user's line.
        caller: &'static Location<'static>,
    },
    /// There is no partition of this number.
    #[error("{caller}: {operation}: there is no partition {index}; there are {n_partitions}")]
    NoPartition {
        /// The method that was called.
        operation: &'static str,
        /// The number that was asked for.
        index: usize,
        /// How many there are.
        n_partitions: usize,
        /// The user's line.
        caller: &'static Location<'static>,
    },
    /// The side of a join that goes to every partition has several partitions itself.
    #[error(
        "{caller}: join: the right side has {n_partitions} partitions; it goes whole to every partition of the \
         left side, so gather it first by `repartition(1)` if it fits into memory"
    )]
    JoinTooWide {
        /// How many partitions the right side has.
        n_partitions: usize,
        /// The user's line.
        caller: &'static Location<'static>,
    },
    /// A pattern of file names cannot be read.
    #[error("{caller}: {operation}: {pattern:?} is no pattern of file names")]
    Pattern {
        /// The method that was called.
        operation: &'static str,
        /// The pattern.
        pattern: String,
        /// The user's line.
        caller: &'static Location<'static>,
        /// What is wrong with it.
        source: globset::Error,
    },
    /// No file fits a pattern.
    #[error("{caller}: {operation}: no file fits {pattern:?}")]
    NoFiles {
        /// The method that was called.
        operation: &'static str,
        /// The pattern.
        pattern: String,
        /// The user's line.
        caller: &'static Location<'static>,
    },
    /// A file or directory could not be read, written or renamed.
    #[error("{path}: {operation} failed", path = path.display())]
    Io {
        /// What was tried.
        operation: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file does not hold what its kind or the schema says.
    #[error("{path}: byte {offset}: malformed", path = path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where the part that was read begins.
        offset: u64,
        /// What polars says.
        source: PolarsError,
    },
    /// A record of a text file does not parse.
    #[error("{path}: line {line}, byte {offset}: {record:?} does not fit the schema", path = path.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// Where the record begins.
        offset: u64,
        /// The begin of the record.
        record: String,
        /// What polars says.
        source: PolarsError,
    },
    /// Where a block of a text file begins could not be told for certain.
    #[error(
        "{path}: byte {offset}: whether a record begins here cannot be told, because of quotes; set `block_bytes` \
         to `u64::MAX` to read files whole, or `quote` to `None` if quotes mean nothing here",
        path = path.display()
    )]
    Boundary {
        /// The file.
        path: PathBuf,
        /// The end of a block.
        offset: u64,
    },
    /// A file's columns are not those of the first file, or not as many as there are names.
    #[error("{caller}: {path}: the columns are {found:?}, expected {expected:?}", path = path.display())]
    Columns {
        /// The file.
        path: PathBuf,
        /// The columns of the first file, or the names.
        expected: Vec<String>,
        /// The columns of this file.
        found: Vec<String>,
        /// The user's line.
        caller: &'static Location<'static>,
    },
    /// A file was changed between building and computing.
    #[error("{path}: changed since the frame was built: {expected} bytes then, {found} bytes now", path = path.display())]
    Changed {
        /// The file.
        path: PathBuf,
        /// Its length then.
        expected: u64,
        /// Its length now.
        found: u64,
    },
    /// polars failed on a partition.
    #[error("{steps}: polars failed")]
    Polars {
        /// What was computed.
        steps: String,
        /// What polars says.
        source: PolarsError,
    },
    /// polars, or a function of the user's, panicked.
    #[error("{place}: panicked: {message}")]
    Panic {
        /// What was computed, or the file that was read.
        place: String,
        /// What the panic says.
        message: String,
    },
    /// A sum of integers does not fit its type.
    #[error("{expression}: {value} does not fit {dtype}; sum it as a float instead")]
    IntegerOverflow {
        /// The sum.
        expression: String,
        /// Its exact value.
        value: i128,
        /// The type of the result.
        dtype: DataType,
    },
    /// A partition made by a function of the user's, or read from a file, has other columns than was said.
    #[error("{place}: the columns are not those that were declared: {difference}")]
    Declared {
        /// What made the partition.
        place: String,
        /// Where they differ.
        difference: Box<Difference>,
    },
    /// A function of the user's failed on a partition.
    #[error("{name}: the function failed")]
    User {
        /// The method that the function was given to.
        name: &'static str,
        /// What the function says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A type of values that a kind of file cannot hold.
    #[error("{caller}: {operation}: column \"{column}\" is {dtype}, which such a file cannot hold")]
    Unwritable {
        /// The method that was called.
        operation: &'static str,
        /// The column.
        column: String,
        /// Its type.
        dtype: DataType,
        /// The user's line.
        caller: &'static Location<'static>,
    },
    /// A directory that holds other things than a frame is not replaced.
    #[error("{path}: not replaced, because it holds {found:?}, which is no part of a frame", path = path.display())]
    Foreign {
        /// The directory.
        path: PathBuf,
        /// What stands in it.
        found: String,
    },
}
