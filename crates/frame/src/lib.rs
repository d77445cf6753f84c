//! Data frames in partitions, of which each is a polars table.
//!
//! A [`Frame`] is lazy: reading, choosing, computing, grouping add layers to a graph, and `compute()` (from
//! `musher-scheduler`) gives back a polars `DataFrame`. Expressions are polars' own, re-exported as [`polars`], and
//! are checked against the schema when they are given. The steps of a partition become one polars `LazyFrame`,
//! whose projections and predicates reach down into the reader.
//!
//! ```
//! use musher_frame::{Frame, polars::prelude::*};
//! use musher_scheduler::Compute;
//!
//! let frame = Frame::from_polars(df!("month" => [1, 1, 2], "delay" => [4.0, 6.0, 1.0])?, 2)?;
//! let means = frame.group_by([col("month")])?.agg([col("delay").mean()])?;
//! assert_eq!(means.compute()?, df!("month" => [1, 2], "delay" => [5.0, 1.0])?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is promised
//!
//! - Rows keep their order, but for what moves them by their keys; groups stand in order of first appearance. For given partitions the answer is the same
//!   to the last bit whatever the number of musher's threads, the scheduler, or which steps were fused.
//! - Sums of integers are exact or an error; they never wrap, but for `rolling_sum`, which is polars' own. Sums of floats are as exact as polars' own: other
//!   partitions may change the last digits.
//! - A panic inside polars, and a file that is not what it says, become an [`Error`] with its place.
//!
//! # Missing values and NaN
//!
//! A missing value (`null`) is not NaN. The rules are polars':
//!
//! | | missing | NaN |
//! |---|---|---|
//! | `sum`, `mean`, `std`, `var` | passed over; the sum of nothing is 0, the mean missing | the result is NaN |
//! | `min`, `max` | passed over | passed over, unless there is nothing else |
//! | `count` | not counted | counted |
//! | `len` | counted | counted |
//! | `n_unique`, `unique`, keys of `group_by` | one value of its own | one value of its own |
//! | `median`, `quantile` | passed over | larger than every number |
//! | comparison in `filter` | the row is dropped | equal to NaN, larger than every number |
//! | `cum_sum`, `cum_prod` | missing there, passed over behind it | NaN from there on |
//! | `cum_min`, `cum_max` | missing there, passed over behind it | passed over, unless there is nothing else |
//! | key of a `shuffle` | one value of its own | one value of its own |
//! | key of a `join` | has no match | matches NaN |
//! | `sort`, `top_k` | last | larger than every number |
//!
//! ```
//! # use musher_frame::{Frame, How, Order, polars::prelude::*};
//! # use musher_scheduler::Compute;
//! let nan = f64::NAN;
//! let values = [None, Some(nan), Some(1.0), Some(3.0), Some(nan)];
//! let frame = Frame::from_polars(df!("x" => values)?, 3)?;
//! let row = frame
//!     .aggregate([
//!         col("x").sum().is_nan().alias("sum"),
//!         col("x").max().alias("max"),
//!         col("x").count().alias("count"),
//!         len(),
//!         col("x").n_unique().alias("n_unique"),
//!         col("x").quantile(lit(0.0), QuantileMethod::Nearest).alias("least"),
//!         col("x").quantile(lit(1.0), QuantileMethod::Nearest).is_nan().alias("greatest"),
//!     ])?
//!     .compute()?;
//! let expected = df!(
//!     "sum" => [true], "max" => [3.0], "count" => [4_i64], "len" => [5_i64], "n_unique" => [4_i64],
//!     "least" => [1.0], "greatest" => [true],
//! )?;
//! assert_eq!(row, expected);
//! assert_eq!(frame.group_by([col("x")])?.len()?.compute()?.height(), 4);
//! assert_eq!(frame.filter(col("x").gt(lit(2.0)))?.len().compute()?, 3);
//! assert_eq!(frame.join(df!("x" => [None, Some(nan)])?, [col("x")], [col("x")], How::Inner)?.len().compute()?, 2);
//! let sorted = frame.sort([col("x")], Order::Descending)?.compute()?;
//! assert!(sorted.equals_missing(&df!("x" => [Some(nan), Some(nan), Some(3.0), Some(1.0), None])?));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Which polars
//!
//! Expressions are those of polars 0.55.2 with the features that
//! [expressions.md](https://github.com/musher-rs/musher/blob/main/docs/expressions.md) lists with their costs: dates, times and
//! time zones, texts with regular expressions, lists, structs, categories, decimals, rolling windows, moments and more. The
//! page also says what each function of pandas is called.
//!
//! Of what sees other rows, functions of a number of rows that is told in advance (`shift`, `diff`, rolling windows, …) and
//! aggregates beside values of rows cross partitions, and so do [`Frame::cum_sum`] and its like. What does not is refused where
//! a frame is asked, with the name of what to call, and works inside [`map_partitions`](Frame::map_partitions) or on the
//! computed table.
//!
//! polars hides what is behind a feature that is off (`business_day_count`, for example): the compiler says that there
//! is no such function. To add one, depend on the same version of polars beside musher and name it, and Cargo builds
//! polars once with the features of both:
//!
//! ```toml
//! polars = { version = "=0.55.2", default-features = false, features = ["business"] }
//! ```
//!
//! # Threads
//!
//! polars has a pool of threads of its own, as many as there are cores, or as the environment variable
//! `POLARS_MAX_THREADS` says when the process starts. A task of musher's that runs polars waits for that pool, so
//! the two together keep at most that many cores busy: more threads of musher's than `POLARS_MAX_THREADS` hold
//! more partitions in memory without computing faster.
//! For many small partitions `POLARS_MAX_THREADS=1` with one thread of musher's for each core has the least overhead.

mod beside;
mod border;
mod carried;
mod check;
mod error;
mod exchange;
mod frame;
mod kernel;
mod ops;
mod origin;
mod partition;
mod read;
mod step;
mod task;
mod token;

pub use error::{Difference, Error, LineFlaw};
pub use frame::Frame;
pub use ops::{GroupBy, How, Order, Written};
pub use partition::Partition;
pub use polars;
pub use read::{CsvOptions, Header, ParquetOptions};
