//! Reads the answers of scikit-learn from the golden files.

use std::path::PathBuf;

use ndarray::{Array1, Array2, ShapeBuilder};
use serde::Deserialize;

/// One case of a `cases.json`.
#[derive(Debug, Deserialize)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) operation: String,
    pub(crate) inputs: Vec<String>,
    pub(crate) parameters: serde_json::Map<String, serde_json::Value>,
    pub(crate) output: Option<String>,
    pub(crate) value: Option<f64>,
}

/// A number of a case's parameters; infinity stands as text.
pub(crate) fn number(case: &Case, name: &str) -> f64 {
    match &case.parameters[name] {
        serde_json::Value::String(text) => text.parse().unwrap(),
        value => value.as_f64().unwrap(),
    }
}

/// A truth value of a case's parameters.
pub(crate) fn flag(case: &Case, name: &str, otherwise: bool) -> bool {
    case.parameters.get(name).map_or(otherwise, |value| value.as_bool().unwrap())
}

fn folder(area: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../testkit/golden").join(area)
}

/// All cases of an area whose operation begins so.
pub(crate) fn cases(area: &str, operation: &str) -> Vec<Case> {
    let text = std::fs::read_to_string(folder(area).join("cases.json")).unwrap();
    let all: Vec<Case> = serde_json::from_str(&text).unwrap();
    let found: Vec<Case> = all.into_iter().filter(|case| case.operation.starts_with(operation)).collect();
    assert!(!found.is_empty(), "no case of {operation} in {area}");
    found
}

/// A little-endian .npy file of floats or integers; a vector becomes a matrix of one row.
pub(crate) fn matrix(area: &str, file: &str) -> Array2<f64> {
    let bytes = std::fs::read(folder(area).join(file)).unwrap();
    let header_end = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let header = std::str::from_utf8(&bytes[10..header_end]).unwrap();
    let shape = header.split_once("'shape': (").unwrap().1.split_once(')').unwrap().0;
    let shape: Vec<usize> = shape.split(',').filter_map(|length| length.trim().parse().ok()).collect();
    let shape = if shape.len() == 2 { (shape[0], shape[1]) } else { (1, shape[0]) };
    let words = bytes[header_end..].as_chunks::<8>().0;
    let values = match header.contains("<f8") {
        true => words.iter().map(|word| f64::from_le_bytes(*word)).collect(),
        false => words.iter().map(|word| i64::from_le_bytes(*word) as f64).collect(),
    };
    match header.contains("'fortran_order': True") {
        true => Array2::from_shape_vec(shape.f(), values).unwrap(),
        false => Array2::from_shape_vec(shape, values).unwrap(),
    }
}

/// A vector of floats.
pub(crate) fn vector(area: &str, file: &str) -> Array1<f64> {
    matrix(area, file).iter().copied().collect()
}

/// A vector of labels.
pub(crate) fn labels(area: &str, file: &str) -> Array1<i64> {
    matrix(area, file).iter().map(|value| *value as i64).collect()
}

#[track_caller]
pub(crate) fn assert_close<'a>(
    found: impl IntoIterator<Item = &'a f64>,
    expected: impl IntoIterator<Item = &'a f64>,
    tolerance: f64,
    what: &str,
) {
    let (found, expected): (Vec<_>, Vec<_>) = (found.into_iter().collect(), expected.into_iter().collect());
    assert_eq!(found.len(), expected.len(), "{what}");
    for (a, b) in found.iter().zip(&expected) {
        assert!((**a - **b).abs() <= tolerance * b.abs().max(1.0), "{what}: {a} {b}");
    }
}

#[test]
fn every_operation_of_the_golden_files_is_compared() {
    // Those of logistic regression, the scaler and several classes end in a match that knows each.
    let compared = ["accuracy", "linear", "logistic", "scaler"];
    let others = cases("ml", "")
        .into_iter()
        .find(|case| !compared.iter().any(|operation| case.operation.starts_with(operation)));
    assert!(others.is_none(), "{others:?}");
}
