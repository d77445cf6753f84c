//! What shapes tell before anything runs, and arrays brought to the same row blocks.

use musher_array::{Array, Element};
use musher_graph_core::Site;
use ndarray::{Array1, Ix1, Ix2};

use crate::error::Error;

/// Where each block starts.
pub(crate) fn starts(lengths: &[usize]) -> Vec<usize> {
    let each = lengths.iter().scan(0, |start, length| {
        *start += length;
        Some(*start - length)
    });
    each.collect()
}

/// The same matrix with each row in one block.
#[track_caller]
pub(crate) fn whole_rows(x: &Array<f64, Ix2>) -> Array<f64, Ix2> {
    match x.chunks().axis(1) {
        [_] => x.clone(),
        _ => x.rechunk(vec![x.chunks().axis(0).to_vec(), vec![x.shape()[1]]]),
    }
}

/// Rows, and the target of each.
pub(crate) type RowsWithTargets<A> = (Array<f64, Ix2>, Array<A, Ix1>);

/// Rows and the target of each in the same row blocks, each row in one block, if there is enough of them.
#[track_caller]
pub(crate) fn rows_with_targets<A: Element>(
    (x, y): (&Array<f64, Ix2>, &Array<A, Ix1>),
    required: usize,
    caller: Site,
) -> Result<RowsWithTargets<A>, Error> {
    check_data(x, required, caller)?;
    check_rows(x.shape()[0], y.shape()[0], caller)?;
    let y = match y.chunks().axis(0) == x.chunks().axis(0) {
        true => y.clone(),
        false => y.rechunk(vec![x.chunks().axis(0).to_vec()]),
    };
    Ok((whole_rows(x), y))
}

/// Refuses data with too few rows or no columns.
pub(crate) fn check_data(x: &Array<f64, Ix2>, required: usize, caller: Site) -> Result<(), Error> {
    let shape = x.shape();
    if shape[0] < required {
        return Err(Error::TooFewRows { required, found: shape[0], caller });
    }
    if shape[1] == 0 {
        return Err(Error::NoColumns { caller });
    }
    Ok(())
}

/// Refuses arrays of different numbers of rows.
pub(crate) fn check_rows(expected: usize, found: usize, caller: Site) -> Result<(), Error> {
    match expected == found {
        true => Ok(()),
        false => Err(Error::RowMismatch { expected, found, caller }),
    }
}

/// Refuses data of another number of columns than the model knows.
pub(crate) fn check_columns(expected: usize, x: &Array<f64, Ix2>, caller: Site) -> Result<(), Error> {
    let found = x.shape()[1];
    match expected == found {
        true => Ok(()),
        false => Err(Error::ColumnMismatch { expected, found, caller }),
    }
}

/// The values of a vector that this crate made.
pub(crate) fn values(vector: &Array1<f64>) -> &[f64] {
    vector.as_slice().expect("fitted vectors have no gaps")
}
