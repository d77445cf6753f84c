//! The border to musher-array: blocks in, blocks out, and what shapes tell before anything runs.

use std::panic::Location;

use musher_array::{Array, Block, Chunking, Element};
use musher_graph_core::{Layer, Port, TaskError};
use ndarray::{Array1, ArrayView1, ArrayView2, Dimension, Ix1, Ix2};

use crate::error::Error;

/// A block of a matrix.
pub(crate) fn block_of_two(block: &Block<f64>) -> Result<ArrayView2<'_, f64>, TaskError> {
    Ok(block.view().into_dimensionality::<Ix2>()?)
}

/// A block of a vector.
pub(crate) fn block_of_one<A: Element>(block: &Block<A>) -> Result<ArrayView1<'_, A>, TaskError> {
    Ok(block.view().into_dimensionality::<Ix1>()?)
}

/// Where each block starts.
pub(crate) fn starts(lengths: &[usize]) -> Vec<usize> {
    let each = lengths.iter().scan(0, |start, length| {
        *start += length;
        Some(*start - length)
    });
    each.collect()
}

/// The array whose blocks a layer makes.
pub(crate) fn array_of<A: Element, D: Dimension>(layer: Layer, lengths: &[Vec<usize>]) -> Array<A, D> {
    Array::from_port(Port::of(layer), Chunking::from_lengths(lengths))
}

/// The same matrix with each row in one block.
#[track_caller]
pub(crate) fn whole_rows(x: &Array<f64, Ix2>) -> Array<f64, Ix2> {
    match x.chunks().axis(1) {
        [_] => x.clone(),
        _ => x.rechunk(vec![x.chunks().axis(0).to_vec(), vec![x.shape()[1]]]),
    }
}

/// The same vector with the row blocks of `x`.
#[track_caller]
pub(crate) fn like_rows<A: Element>(y: &Array<A, Ix1>, x: &Array<f64, Ix2>) -> Array<A, Ix1> {
    match y.chunks().axis(0) == x.chunks().axis(0) {
        true => y.clone(),
        false => y.rechunk(vec![x.chunks().axis(0).to_vec()]),
    }
}

/// Refuses data with too few rows or no columns.
pub(crate) fn check_data(
    x: &Array<f64, Ix2>,
    required: usize,
    caller: &'static Location<'static>,
) -> Result<(), Error> {
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
pub(crate) fn check_rows(
    expected: usize,
    found: usize,
    caller: &'static Location<'static>,
) -> Result<(), Error> {
    match expected == found {
        true => Ok(()),
        false => Err(Error::RowMismatch { expected, found, caller }),
    }
}

/// Refuses data of another number of columns than the model knows.
pub(crate) fn check_columns(
    expected: usize,
    x: &Array<f64, Ix2>,
    caller: &'static Location<'static>,
) -> Result<(), Error> {
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
