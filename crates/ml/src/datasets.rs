//! Data to try things on: made from a seed, lazily, of any size.

use std::panic::Location;

use musher_array::{Array, Block, random};
use musher_graph_core::{AxisMap, Collection, Facts, FnTask, Inputs, Layer, Place, Wiring};
use ndarray::{Ix1, Ix2};

use crate::Error;
use crate::blocks::{array_of, block_of_two, starts};
use crate::kernel::split::RowKeys;

/// Rows of normal random numbers with labels 0 and 1 that some of the columns decide, but for chance.
///
/// The first columns are informative: label 1 has the probability `1 / (1 + exp(−x · w))`, where the informative
/// coefficients alternate in sign and have size `scale`, and the others are 0. By default 20 columns, 2 of them
/// informative, scale 1, seed 0, chunks of 10,000 rows. Nothing depends on the chunks.
///
/// # Examples
/// ```
/// use musher_ml::prelude::*;
/// let (x, y) = make_classification(1000).columns(5).seed(3).chunks(100).build()?;
/// assert_eq!((x.shape(), y.shape()), (vec![1000, 5], vec![1000]));
/// let model = LogisticRegression::new().fit((&x, &y))?;
/// assert!(model.coefficients()[[0, 0]] > 0.7 && model.coefficients()[[0, 1]] < -0.7);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Source** the model of dask-ml's `make_classification`.
#[doc(alias = "dask_ml.datasets.make_classification")]
#[must_use = "call `build` to get the arrays"]
pub fn make_classification(rows: usize) -> MakeClassification {
    MakeClassification { rows, columns: 20, informative: 2, scale: 1.0, seed: 0, chunk_rows: 10_000 }
}

/// Rows, and the label of each.
pub type Labeled = (Array<f64, Ix2>, Array<i64, Ix1>);

/// Data in the making; see [`make_classification`].
#[derive(Clone, Debug)]
pub struct MakeClassification {
    rows: usize,
    columns: usize,
    informative: usize,
    scale: f64,
    seed: u64,
    chunk_rows: usize,
}

impl MakeClassification {
    /// Number of columns.
    #[doc(alias = "n_features")]
    #[must_use]
    pub fn columns(self, columns: usize) -> Self {
        MakeClassification { columns, ..self }
    }

    /// Number of columns that decide; the first ones.
    #[doc(alias = "n_informative")]
    #[must_use]
    pub fn informative(self, informative: usize) -> Self {
        MakeClassification { informative, ..self }
    }

    /// Size of the informative coefficients: the larger, the less is left to chance.
    #[must_use]
    pub fn scale(self, scale: f64) -> Self {
        MakeClassification { scale, ..self }
    }

    /// Another seed gives other numbers.
    #[doc(alias = "random_state")]
    #[must_use]
    pub fn seed(self, seed: u64) -> Self {
        MakeClassification { seed, ..self }
    }

    /// Rows per chunk.
    #[must_use]
    pub fn chunks(self, rows: usize) -> Self {
        MakeClassification { chunk_rows: rows, ..self }
    }

    /// The data and the labels.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] if more columns are to be informative than there are, or a chunk has no rows.
    #[track_caller]
    pub fn build(self) -> Result<Labeled, Error> {
        let caller = Location::caller();
        if self.informative > self.columns {
            let found = self.informative as f64;
            return Err(Error::InvalidParameter {
                name: "informative",
                expected: "at most the columns",
                found,
            });
        }
        if self.chunk_rows == 0 {
            return Err(Error::InvalidParameter { name: "chunks", expected: "at least 1", found: 0.0 });
        }
        let x = random::normal((self.rows, self.columns), (self.chunk_rows, self.columns.max(1)))
            .seed(self.seed)
            .build();
        let (informative, scale, first_rows) = (self.informative, self.scale, starts(x.chunks().axis(0)));
        let chance = RowKeys::new(self.seed);
        let parameters = ((informative, scale, self.seed), first_rows.clone());
        let task = FnTask::new("labels", move |at: Place<'_>, inputs: &mut Inputs<'_>| {
            let block = block_of_two(inputs.get::<Block<f64>>(0)?)?;
            let first = first_rows[at.index()];
            let label = |(row, values): (usize, ndarray::ArrayView1<'_, f64>)| {
                let sign = [scale, -scale];
                let score: f64 = (0..informative).map(|column| sign[column % 2] * values[column]).sum();
                let uniform = (chance.key(first + row) >> 11) as f64 / (1u64 << 53) as f64;
                i64::from(uniform * (1.0 + (-score).exp()) < 1.0)
            };
            let labels: ndarray::Array1<i64> = block.rows().into_iter().enumerate().map(label).collect();
            Ok(Block::new(labels.into_dyn()))
        })
        .params("ml.make_classification/1", &parameters)
        .facts({
            let columns = self.columns.max(1) as u64;
            move |_, inputs| {
                inputs[0]
                    .map_or_else(Facts::default, |bytes| Facts::bytes(bytes / columns).cost(bytes / columns))
            }
        });
        let rows = x.chunks().axis(0).to_vec();
        let wiring = Wiring::axes([AxisMap::follow(0), AxisMap::Fixed(0)]);
        let layer = Layer::build(task).caller(caller).input(x.port(), wiring).finish([rows.len()].into());
        Ok((x, array_of(layer, &[rows])))
    }
}
