//! Data to try things on: made from a seed, lazily, of any size.

use musher_array::kernel::random::seed_of;
use musher_array::{Array, random};
use musher_graph_core::{Facts, Site};
use ndarray::{ArrayView1, Ix0, Ix1, Ix2};

use crate::error::Error;
use crate::kernel::split::RowKeys;
use crate::rows::{Work, map};

/// The parameters of [`make_classification`].
///
/// A plain number is the number of columns. The defaults are 20 columns, 2 of them informative, scale 1, seed 0, chunks of
/// 10,000 rows.
///
/// # Examples
/// ```
/// use musher_ml::Classification;
/// assert_eq!(Classification::from(20), Classification::default());
/// assert_ne!(Classification::columns(20).seed(1), Classification::default());
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Classification {
    columns: usize,
    informative: usize,
    scale: f64,
    seed: u64,
    chunk_rows: usize,
}

impl Classification {
    /// So many columns, and the defaults.
    #[doc(alias = "n_features")]
    #[must_use]
    pub fn columns(columns: usize) -> Self {
        Self { columns, informative: 2, scale: 1.0, seed: 0, chunk_rows: 10_000 }
    }

    /// Number of columns that decide; the first ones.
    #[doc(alias = "n_informative")]
    #[must_use]
    pub fn informative(self, informative: usize) -> Self {
        Self { informative, ..self }
    }

    /// Size of the informative coefficients: the larger, the less is left to chance.
    #[must_use]
    pub fn scale(self, scale: f64) -> Self {
        Self { scale, ..self }
    }

    /// Another seed gives other numbers, which are those of no other function with this seed.
    #[doc(alias = "random_state")]
    #[must_use]
    pub fn seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// Rows per chunk.
    #[must_use]
    pub fn chunks(self, rows: usize) -> Self {
        Self { chunk_rows: rows, ..self }
    }
}

impl Default for Classification {
    fn default() -> Self {
        Self::columns(20)
    }
}

impl From<usize> for Classification {
    fn from(columns: usize) -> Self {
        Self::columns(columns)
    }
}

/// Rows, and the label of each.
pub type LabeledRows = (Array<f64, Ix2>, Array<i64, Ix1>);

/// Rows of normal random numbers with labels 0 and 1 that some of the columns decide, but for chance.
///
/// The first columns are informative: label 1 has the probability `1 / (1 + exp(−x · w))`, where the informative
/// coefficients alternate in sign and have the size `scale`, and the others are 0. The second argument is the number of
/// columns, or a [`Classification`] that says more. Nothing depends on the chunks.
///
/// **Shape** `(rows, columns)` of `f64`, and `(rows,)` of `i64`. **Cost** none now; each pass makes the numbers again.
///
/// # Errors
/// [`Error::InvalidParameter`] if more columns are to be informative than there are, or a chunk has no rows.
///
/// # Examples
/// ```
/// use musher_ml::prelude::*;
/// let (x, y) = make_classification(1000, Classification::columns(5).seed(3).chunks(100))?;
/// assert_eq!((x.shape(), y.shape()), (vec![1000, 5], vec![1000]));
/// let model = LogisticRegression::new().fit((&x, &y))?;
/// assert!(model.coefficients()[[0, 0]] > 0.7 && model.coefficients()[[0, 1]] < -0.7);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Source** the model of dask-ml's `make_classification`.
#[doc(alias = "dask_ml.datasets.make_classification")]
#[track_caller]
pub fn make_classification(rows: usize, parameters: impl Into<Classification>) -> Result<LabeledRows, Error> {
    let caller = Site::caller();
    let Classification { columns, informative, scale, seed, chunk_rows } = parameters.into();
    if informative > columns {
        let (found, expected) = (informative as f64, "at most the columns");
        return Err(Error::InvalidParameter { name: "informative", expected, found, caller });
    }
    if chunk_rows == 0 {
        let expected = "at least 1";
        return Err(Error::InvalidParameter { name: "chunks", expected, found: 0.0, caller });
    }
    let x = random::normal((rows, columns), (chunk_rows, columns.max(1)))
        .seed(seed_of("make_classification rows", seed))
        .build();
    let chance = RowKeys::new("make_classification labels", seed);
    let work = Work {
        label: "labels",
        name: "ml.make_classification/2",
        parameters: (informative, scale, seed),
        facts: |rows| Facts::default().cost(8 * rows as u64),
    };
    let y = map(&x, Ix0(), work, move |block, first_row| {
        let label = |(row, values): (usize, ArrayView1<'_, f64>)| {
            let sign = [scale, -scale];
            let score: f64 = (0..informative).map(|column| sign[column % 2] * values[column]).sum();
            let uniform = (chance.key(first_row + row) >> 11) as f64 / (1u64 << 53) as f64;
            i64::from(uniform * (1.0 + (-score).exp()) < 1.0)
        };
        Ok(block.rows().into_iter().enumerate().map(label).collect())
    });
    Ok((x, y))
}
