//! Made data against the model that it is said to follow.

use musher_ml::Error;
use musher_ml::prelude::*;

/// Five standard deviations: a wrong model is further off by far.
const DEVIATIONS: f64 = 5.0;

/// A sum of `n` independent numbers with mean 0 and this sum of variances lies near 0.
#[track_caller]
fn near_zero(sum: f64, variance: f64, what: &str) {
    assert!(sum.abs() < DEVIATIONS * variance.sqrt(), "{what}: {sum}, deviation {}", variance.sqrt());
}

#[test]
fn labels_follow_the_informative_columns_and_nothing_else() {
    for (informative, scale, seed) in [(1, 1.0, 0), (2, 0.5, 1), (3, 2.0, 2), (0, 1.0, 3)] {
        let parameters = Classification::columns(4).informative(informative).scale(scale).seed(seed);
        let (x, y) = make_classification(20_000, parameters.chunks(3000)).unwrap();
        let (x, y) = (x.compute().unwrap(), y.compute().unwrap());
        assert!(y.iter().all(|label| [0, 1].contains(label)));
        let probability = |row: ndarray::ArrayView1<'_, f64>| {
            let signs = [scale, -scale, scale, -scale];
            let score: f64 = (0..informative).map(|column| signs[column] * row[column]).sum();
            1.0 / (1.0 + (-score).exp())
        };
        // What is left of the labels is noise, and noise that has to do with no column.
        let (mut sums, mut variances) = ([0.0; 5], [0.0; 5]);
        for (row, label) in x.rows().into_iter().zip(&y) {
            let p = probability(row);
            for (column, factor) in row.iter().copied().chain([1.0]).enumerate() {
                sums[column] += (*label as f64 - p) * factor;
                variances[column] += p * (1.0 - p) * factor * factor;
            }
        }
        for (column, (sum, variance)) in sums.into_iter().zip(variances).enumerate() {
            near_zero(sum, variance, &format!("{informative} {scale} column {column}"));
        }
    }
}

#[test]
fn columns_are_normal_and_independent() {
    let (x, _) = make_classification(20_000, 3).unwrap();
    let x = x.compute().unwrap();
    let rows = 20_000.0;
    for column in x.columns() {
        near_zero(column.sum(), rows, "mean");
        near_zero(column.iter().map(|value| value * value - 1.0).sum(), 2.0 * rows, "variance");
        near_zero(column.iter().map(|value| value.powi(4) - 3.0).sum(), 96.0 * rows, "fourth moment");
    }
    for (a, b) in [(0, 1), (0, 2), (1, 2)] {
        let products: f64 = x.column(a).iter().zip(x.column(b)).map(|(a, b)| a * b).sum();
        near_zero(products, rows, "product");
    }
}

#[test]
fn what_cannot_be_made_is_refused_with_the_line() {
    for (parameters, expected) in [
        (Classification::columns(2).informative(3), "informative"),
        (Classification::columns(2).chunks(0), "chunks"),
    ] {
        let error = make_classification(10, parameters).err().unwrap();
        assert!(matches!(error, Error::InvalidParameter { name, .. } if name == expected));
        assert!(error.to_string().contains("tests/it/datasets.rs"), "{error}");
    }
}
