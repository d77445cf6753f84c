//! What every test uses: golden files, all divisions of a shape, and one `check` that runs on every scheduler.

use std::fmt::Debug;
use std::path::PathBuf;

use musher_array::{Array, Element};
use musher_graph_core::Collection;
use musher_scheduler::{Compute, Options};
use ndarray::{Dimension, IxDyn};
use serde_json::Value;

/// Sums in another order, and another library's `exp`: relative to the greatest magnitude.
pub(crate) const TOLERANCE: f64 = 1e-12;

/// The answer of a collection, which every scheduler and number of threads gives with equal bits.
#[track_caller]
pub(crate) fn check<C, T>(collection: &C) -> T
where
    C: Collection<Output = T>,
    T: Bits + Debug,
{
    let expected = collection.compute_with(&Options::sequential()).unwrap();
    for threads in [1, 2, 3, 8] {
        let found = collection.compute_with(&Options::default().threads(threads)).unwrap();
        assert!(found.bits() == expected.bits(), "{threads} threads: {found:?}, in sequence {expected:?}");
    }
    expected
}

/// Answers that can be compared to the last bit, NaN included.
pub(crate) trait Bits {
    fn bits(&self) -> Vec<u64>;
}

/// Numbers as bits. For `f64` it reads: `to_bits`.
macro_rules! bits {
    ($($t:ty: $($value:ident => $bits:expr)*;)*) => {$($(
        impl Bits for $t {
            fn bits(&self) -> Vec<u64> {
                let $value = *self;
                vec![$bits]
            }
        }
    )*)*};
}
bits! {
    f64: value => value.to_bits();
    f32: value => u64::from(value.to_bits());
    u8: value => u64::from(value);
    u16: value => u64::from(value);
    u32: value => u64::from(value);
    u64: value => value;
    i8: value => value as u64;
    i16: value => value as u64;
    i32: value => value as u64;
    i64: value => value as u64;
    bool: value => u64::from(value);
}

impl<A: Bits, D: Dimension> Bits for ndarray::Array<A, D> {
    fn bits(&self) -> Vec<u64> {
        let shape = self.shape().iter().map(|&length| length as u64);
        shape.chain(self.iter().flat_map(Bits::bits)).collect()
    }
}

impl Bits for musher_image::Columns {
    fn bits(&self) -> Vec<u64> {
        use musher_image::Column;
        let column = |name: &str| match self.get(name).unwrap() {
            Column::F64(values) => values.iter().flat_map(Bits::bits).collect(),
            Column::U64(values) => values.clone(),
            Column::I64(values) => values.iter().map(|&value| value as u64).collect::<Vec<_>>(),
        };
        self.names().flat_map(column).collect()
    }
}

/// All ways to cut `length` into consecutive pieces.
pub(crate) fn cuts(length: usize) -> Vec<Vec<usize>> {
    if length == 0 {
        return vec![vec![0]];
    }
    (0..1_usize << (length - 1))
        .map(|mask| {
            let mut pieces = vec![1];
            for at in 1..length {
                if mask >> (at - 1) & 1 == 1 { pieces.push(1) } else { *pieces.last_mut().unwrap() += 1 }
            }
            pieces
        })
        .collect()
}

/// All divisions of a small shape into blocks.
pub(crate) fn divisions(shape: &[usize]) -> Vec<Vec<Vec<usize>>> {
    shape.iter().fold(vec![vec![]], |heads, &length| {
        heads
            .iter()
            .flat_map(|head: &Vec<Vec<usize>>| {
                cuts(length).into_iter().map(move |cut| head.iter().cloned().chain([cut]).collect())
            })
            .collect()
    })
}

/// Some divisions of any shape: whole, ragged, single rows, with empty blocks.
pub(crate) fn some_divisions(shape: &[usize]) -> Vec<Vec<Vec<usize>>> {
    let pieces = |length: usize, piece: usize| -> Vec<usize> {
        (0..length).step_by(piece).map(|begin| piece.min(length - begin)).collect()
    };
    let of = |cut: &dyn Fn(usize, usize) -> Vec<usize>| -> Vec<Vec<usize>> {
        shape.iter().enumerate().map(|(axis, &length)| cut(axis, length)).collect()
    };
    vec![
        of(&|_, length| vec![length]),
        of(&|_, length| pieces(length, 4)),
        of(&|axis, length| pieces(length, 3 + 2 * axis)),
        of(&|axis, length| if axis == 0 { vec![1; length] } else { vec![length] }),
        of(&|_, length| vec![0, length / 2, 0, 0, length - length / 2, 0]),
    ]
}

/// Asserts that two arrays agree within [`TOLERANCE`], NaN with NaN.
#[track_caller]
pub(crate) fn close(
    found: &ndarray::ArrayD<f64>,
    expected: &ndarray::ArrayD<f64>,
    tolerance: f64,
    name: &str,
) {
    assert_eq!(found.shape(), expected.shape(), "{name}");
    let scale = expected
        .iter()
        .filter(|value| value.is_finite())
        .fold(1.0_f64, |scale, value| scale.max(value.abs()));
    for (found, expected) in found.iter().zip(expected) {
        let equal = found == expected || found.is_nan() && expected.is_nan();
        assert!(
            equal || (found - expected).abs() <= tolerance * scale,
            "{name}: {found}, expected {expected}"
        );
    }
}

/// The folder of the repository.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A golden array as one block.
pub(crate) fn golden<A: Element>(folder: &str, file: &str) -> Array<A, IxDyn> {
    let path = root().join("crates/testkit/golden").join(folder).join(file);
    Array::<A, IxDyn>::read_npy(path, musher_array::Chunks::whole()).unwrap()
}

/// A golden array in memory.
pub(crate) fn load<A: Element>(folder: &str, file: &str) -> ndarray::ArrayD<A> {
    golden(folder, file).compute().unwrap()
}

/// One case of a golden index.
pub(crate) struct Case {
    pub(crate) folder: &'static str,
    pub(crate) name: String,
    pub(crate) operation: String,
    pub(crate) inputs: Vec<String>,
    pub(crate) parameters: Value,
    pub(crate) output: Option<String>,
    pub(crate) value: Value,
}

impl Case {
    /// A parameter that is a number.
    pub(crate) fn number(&self, name: &str) -> f64 {
        self.parameters[name].as_f64().unwrap()
    }

    /// A parameter that is one number for all axes or one for each.
    pub(crate) fn numbers(&self, name: &str, ndim: usize) -> Vec<f64> {
        match &self.parameters[name] {
            Value::Array(values) => values.iter().map(|value| value.as_f64().unwrap()).collect(),
            value => vec![value.as_f64().unwrap_or(0.0); ndim],
        }
    }

    /// The array that the original gave.
    pub(crate) fn output<A: Element>(&self) -> ndarray::ArrayD<A> {
        load(self.folder, self.output.as_ref().unwrap())
    }
}

/// The index of a golden folder.
fn index(folder: &str) -> Vec<Value> {
    let path = root().join("crates/testkit/golden").join(folder).join("cases.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The operations that a golden folder has cases of, one for each case.
pub(crate) fn operations(folder: &str) -> Vec<String> {
    index(folder).iter().map(|case| case["operation"].as_str().unwrap().to_owned()).collect()
}

/// The cases of one operation in a golden folder; there is at least one.
pub(crate) fn cases(folder: &'static str, operation: &str) -> Vec<Case> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let cases: Vec<Case> = index(folder)
        .iter()
        .filter(|case| case["operation"] == operation)
        .map(|case| Case {
            folder,
            name: text(&case["name"]).unwrap(),
            operation: operation.to_owned(),
            inputs: case["inputs"].as_array().unwrap().iter().filter_map(text).collect(),
            parameters: case["parameters"].clone(),
            output: text(&case["output"]),
            value: case["value"].clone(),
        })
        .collect();
    assert!(!cases.is_empty(), "{folder} has no case of {operation}");
    cases
}
