//! What can go wrong with a frame: one typed error for building, reading, computing and writing.

use std::fmt;
use std::io;
use std::path::PathBuf;

use musher_graph_core::{Site, report};
use musher_scheduler::GaveUp;
use musher_scheduler::files::FilesError;
use musher_scheduler::sink::SinkError;
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

/// Why a line of a text file is no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LineFlaw {
    /// It has more fields than there are columns.
    Fields {
        /// How many it has.
        found: usize,
        /// How many there are columns.
        expected: usize,
    },
    /// It opens quotes that never end.
    OpenQuote,
    /// It is not UTF-8.
    NotUtf8,
}

impl fmt::Display for LineFlaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fields { found, expected } => write!(f, "has {found} fields, expected at most {expected}"),
            Self::OpenQuote => f.write_str("opens quotes that never end"),
            Self::NotUtf8 => f.write_str("is not UTF-8"),
        }
    }
}

/// What can go wrong with a frame.
///
/// Errors of building (those with a `caller`) name the user's line. Errors of computing reach the user inside the
/// scheduler's error, which adds operation, place and line, and from there as its `source()`.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// polars refused an expression when it was checked against the schema.
    #[error("{caller}: {operation}: the expressions do not fit the schema")]
    Expression {
        /// The method that was called.
        operation: &'static str,
        /// The user's line.
        caller: Site,
        /// What polars says.
        source: PolarsError,
    },
    /// An expression looks at other rows than its own, where partitions are computed apart.
    #[error(
        "{caller}: {operation}: {expression} is not computed row by row, and a partition holds a part of the rows \
         only; {instead}"
    )]
    NotRowWise {
        /// The method that was called.
        operation: &'static str,
        /// The expression.
        expression: String,
        /// What to write instead.
        instead: &'static str,
        /// The user's line.
        caller: Site,
    },
    /// An aggregate cannot be computed from partial results.
    #[error(
        "{caller}: {expression}: {part} cannot be combined from partial results; made of sum, mean, min, max, \
         count, len, null_count, first, last, std, var, skew, kurtosis, cov, pearson_corr, n_unique, median, quantile, any, all, implode or (of floats) product \
         of row-wise expressions it can"
    )]
    NotDecomposable {
        /// The expression.
        expression: String,
        /// The part of it that stands in the way.
        part: String,
        /// The user's line.
        caller: Site,
    },
    /// An aggregate of numbers is asked of something else.
    #[error(
        "{caller}: {expression}: {part} is of numbers, and this is {dtype}{}",
        if **dtype == DataType::String { "; if missing values made a column of a file text, name them by `null_values`" } else { "" }
    )]
    NotNumeric {
        /// The expression.
        expression: String,
        /// The aggregate.
        part: String,
        /// What it is of.
        dtype: Box<DataType>,
        /// The user's line.
        caller: Site,
    },
    /// Values of this type cannot be keys of a shuffle.
    #[error(
        "{caller}: {operation}: the key {expression} is {dtype}, which is not hashed; numbers, truth values, texts, bytes, \
         times and categories are"
    )]
    NoHash {
        /// The method that was called.
        operation: &'static str,
        /// The key.
        expression: String,
        /// Its type.
        dtype: DataType,
        /// The user's line.
        caller: Site,
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
        caller: Site,
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
        caller: Site,
    },
    /// Two tables that must have the same columns do not.
    #[error("{caller}: {operation}: {place} has other columns than the first: {difference}")]
    Schemas {
        /// The method that was called.
        operation: &'static str,
        /// Which table differs.
        place: String,
        /// Where they differ.
        difference: Box<Difference>,
        /// The user's line.
        caller: Site,
    },
    /// A number that must not be zero is zero.
    #[error("{caller}: {operation}: {what} must be at least 1")]
    Zero {
        /// The method that was called.
        operation: &'static str,
        /// Of what there is none.
        what: &'static str,
        /// The user's line.
        caller: Site,
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
        caller: Site,
    },
    /// The files that a pattern means could not be found.
    #[error("{caller}: {operation}: {source}")]
    Find {
        /// The method that was called.
        operation: &'static str,
        /// The user's line.
        caller: Site,
        /// What is wrong.
        source: FilesError,
    },
    /// A file could not be opened, or has changed since the frame was built.
    #[error(transparent)]
    File(#[from] FilesError),
    /// The run was cancelled while a file was read from its start.
    #[error(transparent)]
    GaveUp(#[from] GaveUp),
    /// A number of degrees of freedom that is negative or NaN.
    #[error("{caller}: {operation}: ddof is {ddof}; it must be a number that is not negative")]
    Ddof {
        /// The method that was called.
        operation: &'static str,
        /// What was given.
        ddof: f64,
        /// The user's line.
        caller: Site,
    },
    /// Rows are not in the order of a column, or a value of it is missing.
    #[error(
        "{caller}: {operation}: \"{column}\" is not sorted, or missing, in partition {partition}; `sort` it first"
    )]
    Unsorted {
        /// The method that was called.
        operation: &'static str,
        /// The column.
        column: String,
        /// The first partition that is out of order, in itself or against those before it.
        partition: usize,
        /// The user's line.
        caller: Site,
    },
    /// It is not known by which column a frame is sorted.
    #[error("{caller}: {operation}: it is not known by what the rows are sorted; `sorted_by` finds that out")]
    NotSorted {
        /// The method that was called.
        operation: &'static str,
        /// The user's line.
        caller: Site,
    },
    /// What is needed to build a frame could not be computed.
    #[error("{caller}: {operation}: the column could not be computed")]
    Run {
        /// The method that was called.
        operation: &'static str,
        /// The user's line.
        caller: Site,
        /// Why the run failed.
        source: Box<musher_scheduler::Error>,
    },
    /// A fraction of the rows that is not from 0 to 1, or fractions whose sum is not 1.
    #[error(
        "{caller}: {operation}: {fraction} is no fraction; each must be from 0 to 1, and the sum of several 1"
    )]
    Fraction {
        /// The method that was called.
        operation: &'static str,
        /// What was given, or the sum.
        fraction: f64,
        /// The user's line.
        caller: Site,
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
    /// A file does not hold what its format or the schema says.
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
        /// The start of the record.
        record: String,
        /// What polars says.
        source: PolarsError,
    },
    /// A line of a text file is no record of its columns.
    #[error("{path}: line {line} {flaw}: {record:?}", path = path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// The start of the line.
        record: String,
        /// What is wrong with it.
        flaw: LineFlaw,
    },
    /// Lines end with carriage returns alone.
    #[error(
        "{caller}: {path}: lines end with carriage returns alone; convert them to line feeds",
        path = path.display()
    )]
    LineEnds {
        /// The file.
        path: PathBuf,
        /// The user's line.
        caller: Site,
    },
    /// Where a block of a text file begins was told wrongly, because text follows the end of a quoted field.
    #[error(
        "{path}: byte {offset}: no record begins where one seemed to, because text follows the end of a quoted field; set \
         `block_bytes` to `u64::MAX` to read files whole, or `quote` to `None` if quotes mean nothing here",
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
        caller: Site,
    },
    /// polars failed on a partition.
    #[error("{steps}: polars failed")]
    Polars {
        /// What was computed.
        steps: String,
        /// What polars says.
        source: PolarsError,
    },
    /// polars or a user's function panicked.
    #[error("{place}: panicked: {message}")]
    Panic {
        /// What was computed, or the file that was read.
        place: String,
        /// What the panic says.
        message: String,
    },
    /// A sum or product of integers does not fit its type.
    #[error("{expression}: {value} does not fit {dtype}; compute it as a float instead")]
    IntegerOverflow {
        /// The sum or product.
        expression: String,
        /// Its exact value.
        value: i128,
        /// The type of the result.
        dtype: DataType,
    },
    /// A partition made by a user's function, or read from a file, does not have the declared columns.
    #[error("{place}: the columns are not those that were declared: {difference}")]
    Declared {
        /// What made the partition.
        place: String,
        /// Where they differ.
        difference: Box<Difference>,
    },
    /// A user's function failed on a partition.
    #[error("{name}: the function failed")]
    User {
        /// The method that the function was given to.
        name: &'static str,
        /// What the function says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Partitions that should stand side by side have different numbers of rows, or a function that keeps the rows did not.
    #[error("{left} rows and {right} rows do not go side by side")]
    Heights {
        /// Rows on the left side, or of the function's input.
        left: usize,
        /// Rows on the right side, or of the function's result.
        right: usize,
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
        caller: Site,
    },
    /// A directory that holds anything but a frame is not replaced.
    #[error("{path}: not replaced, because it holds {found:?}, which is no part of a frame", path = path.display())]
    Foreign {
        /// The directory.
        path: PathBuf,
        /// What stands in it.
        found: String,
    },
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        report(self, f)
    }
}

impl From<SinkError> for Error {
    fn from(error: SinkError) -> Self {
        let path = error.path().to_owned();
        match error {
            SinkError::Io { action, source, .. } => Self::Io { operation: action, path, source },
            SinkError::Foreign { found, .. } => {
                Self::Foreign { path, found: found.to_string_lossy().into_owned() }
            }
            other => Self::Io { operation: "write", path, source: other.into() },
        }
    }
}
