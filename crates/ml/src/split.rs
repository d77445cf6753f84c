//! A random part of the rows for the test, the others for training.

use std::sync::Arc;

use musher_array::{Array, Block, Chunking, Element, Gather};
use musher_graph_core::{AxisMap, Collection, Facts, FnTask, Inputs, Layer, Place, Port, Site, Wiring};
use ndarray::{ArrayViewD, Axis, RemoveAxis};

use crate::blocks::{check_rows, starts};
use crate::error::Error;
use crate::kernel::split::RowKeys;

/// The parameters of [`train_test_split`]: how much goes to the test, and which rows.
///
/// A plain share (`0.25`) or number of rows (`1000`) becomes one with seed 0. The default is a quarter.
///
/// # Examples
/// ```
/// use musher_ml::TestPart;
/// assert_eq!(TestPart::from(0.25), TestPart::default());
/// assert_eq!(TestPart::from(1000), TestPart::rows(1000).seed(0));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct TestPart {
    size: Size,
    /// `None` takes the last rows.
    seed: Option<u64>,
}

/// How much goes to the test.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Size {
    Share(f64),
    Rows(usize),
}

impl TestPart {
    /// A share of the rows, above 0 and below 1; rounded up to whole rows.
    #[doc(alias = "test_size")]
    #[must_use]
    pub fn share(share: f64) -> Self {
        Self { size: Size::Share(share), seed: Some(0) }
    }

    /// A number of rows.
    #[doc(alias = "test_size")]
    #[must_use]
    pub fn rows(rows: usize) -> Self {
        Self { size: Size::Rows(rows), seed: Some(0) }
    }

    /// Another seed takes other rows, and none that have to do with what other functions make of this seed.
    #[doc(alias = "random_state")]
    #[must_use]
    pub fn seed(self, seed: u64) -> Self {
        Self { seed: Some(seed), ..self }
    }

    /// Takes the last rows instead of random ones: for rows in the order of time.
    #[doc(alias = "shuffle")]
    #[must_use]
    pub fn last_rows(self) -> Self {
        Self { seed: None, ..self }
    }
}

impl Default for TestPart {
    fn default() -> Self {
        Self::share(0.25)
    }
}

impl From<f64> for TestPart {
    fn from(share: f64) -> Self {
        Self::share(share)
    }
}

impl From<usize> for TestPart {
    fn from(rows: usize) -> Self {
        Self::rows(rows)
    }
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

/// Splits the rows of two arrays that belong together into a part for training and one for the test.
///
/// The third argument is the share of the test, its number of rows, or a [`TestPart`] that says more. Which rows go to the
/// test depends on the seed and the number of rows only: not on the chunks, nor on the data, so arrays that are split
/// alike stay together. Rows keep their order.
///
/// **Shape** `(n, …) → (n − k, …)` and `(k, …)` with `k = ⌈n · share⌉` exactly; each block is split into two, so
/// that all lengths are known before anything runs. **Cost** about 3 ns a row when built, for the choice; one pass
/// over the data per side when computed.
///
/// # Errors
/// [`Error::RowMismatch`] if the arrays have different numbers of rows, [`Error::InvalidParameter`] if the share is
/// no share, [`Error::EmptySide`] if one side would have no rows.
///
/// # Examples
/// ```
/// use musher_ml::prelude::*;
/// use ndarray::{Array1, Array2};
/// let x = Array::from_array(Array2::from_shape_fn((100, 2), |(i, _)| i as f64), 10);
/// let y = Array::from_array(Array1::from_iter(0..100i64), 30);
/// let split = train_test_split(&x, &y, TestPart::share(0.3).seed(7))?;
/// assert_eq!(split.x_test.shape(), [30, 2]);
/// assert_eq!(split.y_train.shape(), [70]);
/// let (x_test, y_test) = (split.x_test.compute()?, split.y_test.compute()?);
/// assert!(x_test.column(0).iter().zip(&y_test).all(|(x, y)| *x == *y as f64), "rows stay together");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias = "sklearn.model_selection.train_test_split")]
#[doc(alias = "dask_ml.model_selection.train_test_split")]
#[track_caller]
pub fn train_test_split<A, D, B, E>(
    x: &Array<A, D>,
    y: &Array<B, E>,
    parameters: impl Into<TestPart>,
) -> Result<Split<A, D, B, E>, Error>
where
    A: Element,
    D: RemoveAxis + Gather<A>,
    B: Element,
    E: RemoveAxis + Gather<B>,
{
    let (caller, TestPart { size, seed }) = (Site::caller(), parameters.into());
    let rows = x.shape()[0];
    check_rows(rows, y.shape()[0], caller)?;
    let test = match size {
        Size::Rows(test) => test,
        Size::Share(share) if share > 0.0 && share < 1.0 => (rows as f64 * share).ceil() as usize,
        Size::Share(found) => {
            let expected = "above 0 and below 1";
            return Err(Error::InvalidParameter { name: "share", expected, found, caller });
        }
    };
    let empty = Error::EmptySide { rows, test, caller };
    if test == 0 || test >= rows {
        return Err(empty);
    }
    let choice = match seed {
        None => Choice::From(rows - test),
        Some(seed) => {
            let keys = RowKeys::new("train_test_split", seed);
            Choice::Keys { keys, seed, threshold: keys.threshold(rows, test).ok_or(empty)? }
        }
    };
    let [x_counts, y_counts] = [x.chunks().axis(0), y.chunks().axis(0)].map(|axis| choice.counts(axis));
    let train =
        |lengths: &[usize], test: &[usize]| lengths.iter().zip(test).map(|(all, test)| all - test).collect();
    Ok(Split {
        x_train: part(x, choice, Side::Train, train(x.chunks().axis(0), &x_counts), caller),
        y_train: part(y, choice, Side::Train, train(y.chunks().axis(0), &y_counts), caller),
        x_test: part(x, choice, Side::Test, x_counts, caller),
        y_test: part(y, choice, Side::Test, y_counts, caller),
    })
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
    caller: Site,
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
    .params("ml.split/2", &parameters)
    .facts(move |at, _| {
        let bytes = lengths[at.coords()[0]] as u64 * row_bytes;
        Facts::bytes(bytes).cost(100 + bytes / 4)
    });
    let ndim = array.ndim();
    let layer =
        Layer::build(task).caller(caller).input(array.port(), Wiring::axes((0..ndim).map(AxisMap::follow)));
    let mut chunks: Vec<Vec<usize>> = array.chunks().axes().map(<[usize]>::to_vec).collect();
    chunks[0] = rows;
    Array::from_port(Port::of(layer.finish(array.port().grid().clone())), Chunking::from_lengths(&chunks))
}

/// These rows of a block.
fn select<A: Element>(block: ArrayViewD<'_, A>, rows: &[usize]) -> Block<A> {
    Block::new(block.select(Axis(0), rows))
}
