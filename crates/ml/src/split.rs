//! A random part of the rows for the test, the others for training.

use std::panic::Location;
use std::sync::Arc;

use musher_array::{Array, Block, Element, Gather};
use musher_graph_core::{AxisMap, Collection, Facts, FnTask, Inputs, Layer, Place, Wiring};
use ndarray::{ArrayViewD, Axis, RemoveAxis};

use crate::Error;
use crate::blocks::{array_of, check_rows, starts};
use crate::kernel::split::RowKeys;

/// Splits the rows of two arrays that go together into a part for training and one for the test.
///
/// Which rows go to the test depends on the seed and the number of rows only: not on the chunks, nor on the data, so
/// arrays split alike stay together. Rows keep their order. By default a quarter goes to the test, with seed 0.
///
/// **Shape** `(n, …) → (n − k, …)` and `(k, …)` with `k = ⌈n · test_size⌉` exactly; each block is split into two, so
/// that all lengths are known before anything runs. **Cost** about 3 ns a row when built, for the choice; one pass
/// over the data per side when computed.
///
/// # Examples
/// ```
/// use musher_ml::prelude::*;
/// use ndarray::{Array1, Array2};
/// let x = Array::from_array(Array2::from_shape_fn((100, 2), |(i, _)| i as f64), 10);
/// let y = Array::from_array(Array1::from_iter(0..100i64), 30);
/// let split = train_test_split(&x, &y).test_size(0.3).seed(7).split()?;
/// assert_eq!(split.x_test.shape(), [30, 2]);
/// assert_eq!(split.y_train.shape(), [70]);
/// let (x_test, y_test) = (split.x_test.compute()?, split.y_test.compute()?);
/// assert!(x_test.column(0).iter().zip(&y_test).all(|(x, y)| *x == *y as f64), "rows stay together");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias = "sklearn.model_selection.train_test_split")]
#[doc(alias = "dask_ml.model_selection.train_test_split")]
#[must_use = "call `split` to get the parts"]
pub fn train_test_split<'a, A, D, B, E>(
    x: &'a Array<A, D>,
    y: &'a Array<B, E>,
) -> TrainTestSplit<'a, A, D, B, E> {
    TrainTestSplit { x, y, size: Size::Share(0.25), seed: Some(0) }
}

/// A split in the making; see [`train_test_split`].
#[derive(Clone, Copy)]
pub struct TrainTestSplit<'a, A, D, B, E> {
    x: &'a Array<A, D>,
    y: &'a Array<B, E>,
    size: Size,
    /// `None` takes the last rows.
    seed: Option<u64>,
}

/// How much goes to the test.
#[derive(Clone, Copy)]
enum Size {
    Share(f64),
    Rows(usize),
}

/// The four parts of a split.
#[derive(Clone)]
pub struct Split<A, D, B, E> {
    /// Rows of `x` to learn from.
    pub x_train: Array<A, D>,
    /// Rows of `x` to test on.
    pub x_test: Array<A, D>,
    /// Rows of `y` to learn from.
    pub y_train: Array<B, E>,
    /// Rows of `y` to test on.
    pub y_test: Array<B, E>,
}

impl<A, D, B, E> TrainTestSplit<'_, A, D, B, E>
where
    A: Element,
    D: RemoveAxis + Gather<A>,
    B: Element,
    E: RemoveAxis + Gather<B>,
{
    /// The share of rows that goes to the test, above 0 and below 1; rounded up to whole rows.
    #[must_use]
    pub fn test_size(self, share: f64) -> Self {
        TrainTestSplit { size: Size::Share(share), ..self }
    }

    /// The number of rows that goes to the test.
    #[must_use]
    pub fn test_rows(self, rows: usize) -> Self {
        TrainTestSplit { size: Size::Rows(rows), ..self }
    }

    /// Another seed takes other rows.
    #[doc(alias = "random_state")]
    #[must_use]
    pub fn seed(self, seed: u64) -> Self {
        TrainTestSplit { seed: Some(seed), ..self }
    }

    /// Takes the last rows instead of random ones: for rows in the order of time.
    #[doc(alias = "shuffle")]
    #[must_use]
    pub fn last_rows(self) -> Self {
        TrainTestSplit { seed: None, ..self }
    }

    /// The four parts.
    ///
    /// # Errors
    /// [`Error::RowMismatch`] if the arrays have different numbers of rows, [`Error::InvalidParameter`] if the share is
    /// no share, [`Error::EmptySide`] if one side would have no rows.
    #[track_caller]
    pub fn split(self) -> Result<Split<A, D, B, E>, Error> {
        let caller = Location::caller();
        let rows = self.x.shape()[0];
        check_rows(rows, self.y.shape()[0], caller)?;
        let test = match self.size {
            Size::Rows(test) => test,
            Size::Share(share) if share > 0.0 && share < 1.0 => (rows as f64 * share).ceil() as usize,
            Size::Share(found) => {
                return Err(Error::InvalidParameter {
                    name: "test_size",
                    expected: "above 0 and below 1",
                    found,
                });
            }
        };
        let empty = Error::EmptySide { rows, test, caller };
        if test == 0 || test >= rows {
            return Err(empty);
        }
        let choice = match self.seed {
            None => Choice::From(rows - test),
            Some(seed) => {
                let keys = RowKeys::new(seed);
                Choice::Keys { keys, seed, threshold: keys.threshold(rows, test).ok_or(empty)? }
            }
        };
        let [x_counts, y_counts] =
            [self.x.chunks().axis(0), self.y.chunks().axis(0)].map(|axis| choice.counts(axis));
        let train = |lengths: &[usize], test: &[usize]| {
            lengths.iter().zip(test).map(|(all, test)| all - test).collect()
        };
        Ok(Split {
            x_train: part(self.x, choice, Side::Train, train(self.x.chunks().axis(0), &x_counts), caller),
            y_train: part(self.y, choice, Side::Train, train(self.y.chunks().axis(0), &y_counts), caller),
            x_test: part(self.x, choice, Side::Test, x_counts, caller),
            y_test: part(self.y, choice, Side::Test, y_counts, caller),
        })
    }
}

/// Which rows go to the test.
#[derive(Clone, Copy)]
enum Choice {
    /// Those from this one on.
    From(usize),
    /// Those whose key is no larger than the threshold.
    Keys { keys: RowKeys, seed: u64, threshold: u64 },
}

#[derive(Clone, Copy, PartialEq)]
enum Side {
    Train,
    Test,
}

impl Choice {
    fn is_test(self, row: usize) -> bool {
        match self {
            Choice::From(first) => row >= first,
            Choice::Keys { keys, threshold, .. } => keys.key(row) <= threshold,
        }
    }

    /// Test rows of each block.
    fn counts(self, lengths: &[usize]) -> Vec<usize> {
        let blocks = starts(lengths).into_iter().zip(lengths).map(|(start, length)| start..start + length);
        match self {
            Choice::From(first) => {
                blocks.map(|rows| rows.end.saturating_sub(rows.start.max(first))).collect()
            }
            Choice::Keys { keys, threshold, .. } => blocks.map(|rows| keys.count(rows, threshold)).collect(),
        }
    }

    /// What tells this choice from others.
    fn parameters(self) -> (u8, u64, u64) {
        match self {
            Choice::From(first) => (0, first as u64, 0),
            Choice::Keys { seed, threshold, .. } => (1, seed, threshold),
        }
    }
}

/// One side of one array.
fn part<A: Element, D: RemoveAxis + Gather<A>>(
    array: &Array<A, D>,
    choice: Choice,
    side: Side,
    rows: Vec<usize>,
    caller: &'static Location<'static>,
) -> Array<A, D> {
    let first_rows = starts(array.chunks().axis(0));
    let lengths: Arc<[usize]> = rows.as_slice().into();
    let parameters = (choice.parameters(), side == Side::Test, first_rows.clone());
    let row_bytes: u64 =
        array.chunks().largest_block()[1..].iter().product::<usize>() as u64 * size_of::<A>() as u64;
    let label = if side == Side::Test { "test rows" } else { "train rows" };
    let task = FnTask::new(label, move |at: Place<'_>, inputs: &mut Inputs<'_>| {
        let block = inputs.get::<Block<A>>(0)?.view();
        let first = first_rows[at.coords()[0]];
        let wanted = (0..block.shape()[0]).filter(|row| choice.is_test(first + row) == (side == Side::Test));
        Ok(select(block, &wanted.collect::<Vec<_>>()))
    })
    .params("ml.split/1", &parameters)
    .facts(move |at, _| {
        let bytes = lengths[at.coords()[0]] as u64 * row_bytes;
        Facts::bytes(bytes).cost(100 + bytes / 4)
    });
    let ndim = array.ndim();
    let layer =
        Layer::build(task).caller(caller).input(array.port(), Wiring::axes((0..ndim).map(AxisMap::follow)));
    let mut chunks: Vec<Vec<usize>> = array.chunks().axes().map(<[usize]>::to_vec).collect();
    chunks[0] = rows;
    array_of(layer.finish(array.port().grid().clone()), &chunks)
}

/// These rows of a block.
fn select<A: Element>(block: ArrayViewD<'_, A>, rows: &[usize]) -> Block<A> {
    Block::new(block.select(Axis(0), rows))
}
