//! What the tests of this binary share: every way to cut an axis, and one answer from all schedulers.

use musher_array::ndarray::{self, Dimension};
use musher_array::{Array, Element, Gather, Plain};
use musher_graph_core::{Collection, Graph, Plan};
use musher_testkit::{check_everywhere_by, chunkings};

/// Every division of an axis into blocks of at least one element, and one with empty blocks at its ends and inside.
pub(crate) fn cuts(length: usize) -> Vec<Vec<usize>> {
    match length {
        0 => vec![vec![0], vec![0, 0]],
        _ => chunkings(length).into_iter().chain([vec![0, 1, 0, length - 1, 0]]).collect(),
    }
}

/// Every pair of divisions of two axes.
pub(crate) fn grids(rows: usize, columns: usize) -> Vec<Vec<Vec<usize>>> {
    let pairs = cuts(rows)
        .into_iter()
        .flat_map(|rows| cuts(columns).into_iter().map(move |cols| vec![rows.clone(), cols]));
    pairs.collect()
}

/// The bytes of an array in C order, in which NaN equals NaN and zeros have a sign.
pub(crate) fn bits<A: Element, D: Dimension>(array: &ndarray::Array<A, D>) -> Vec<u8> {
    let mut bytes = vec![0; array.len() * <A as Plain>::BYTES];
    for (out, value) in bytes.chunks_exact_mut(<A as Plain>::BYTES).zip(array.iter()) {
        value.store(out);
    }
    bytes
}

/// The answer of all schedulers, equal to the last bit.
#[track_caller]
pub(crate) fn answer<A, D>(array: &Array<A, D>) -> ndarray::Array<A, D>
where
    A: Element,
    D: Gather<A, Gathered = ndarray::Array<A, D>>,
{
    check_everywhere_by(array, |one, other| bits(one) == bits(other))
}

/// The labels of the layers that are left when everything that can be fused is.
pub(crate) fn layers(request: &impl Collection) -> Vec<String> {
    let graph = Graph::collect(&[request.request()]).unwrap().optimize();
    Plan::new(graph).unwrap().explain().layers.iter().map(|layer| layer.label.to_string()).collect()
}

/// The path of a golden file.
pub(crate) fn golden(file: &str) -> String {
    format!("{}/../testkit/golden/{file}", env!("CARGO_MANIFEST_DIR"))
}

/// A golden array that NumPy wrote, in blocks.
pub(crate) fn golden_array<A: Element, D: Dimension>(
    file: &str,
    chunks: impl Into<musher_array::Chunks>,
) -> Array<A, D> {
    golden_array_of("array", file, chunks)
}

/// The same from another folder.
pub(crate) fn golden_array_of<A: Element, D: Dimension>(
    folder: &str,
    file: &str,
    chunks: impl Into<musher_array::Chunks>,
) -> Array<A, D> {
    let path = golden(&format!("{folder}/{file}.npy"));
    Array::read_npy(path, chunks).expect("golden files are in the repository")
}
