//! The scaler against scikit-learn, and its way back.

use musher_ml::Error;
use musher_ml::prelude::*;
use ndarray::{Array2, array};

use crate::golden::{assert_close, cases, flag, matrix, vector};
use crate::rows;

/// Means and variances are sums of 120 numbers.
const ROUNDING: f64 = 1e-12;

#[test]
fn answers_are_those_of_scikit_learn() {
    for case in cases("ml", "scaler") {
        let data = matrix("ml", &case.inputs[0]);
        let expected = case.output.as_deref().unwrap();
        for chunks in [(120, 4), (50, 4), (7, 3), (1, 1)] {
            let x = Array::from_array(data.clone(), chunks);
            let mut scaler = StandardScaler::new();
            if !flag(&case, "with_mean", true) {
                scaler = scaler.without_mean();
            }
            if !flag(&case, "with_std", true) {
                scaler = scaler.without_scale();
            }
            let fitted = scaler.fit(&x).unwrap();
            let what = format!("{} {chunks:?}", case.name);
            match case.operation.as_str() {
                "scaler_mean" => assert_close(fitted.mean(), &vector("ml", expected), ROUNDING, &what),
                "scaler_variance" => {
                    assert_close(fitted.variance(), &vector("ml", expected), ROUNDING, &what)
                }
                "scaler_scale" => assert_close(fitted.scale(), &vector("ml", expected), ROUNDING, &what),
                "scaler_transform" => {
                    let out = fitted.transform(&x).unwrap().compute().unwrap();
                    assert_close(&out, &matrix("ml", expected), ROUNDING, &what);
                }
                other => panic!("{other}"),
            }
        }
    }
}

#[test]
fn the_way_back_leads_to_the_data() {
    let data = rows(50, 3) * 7.0 + 100.0;
    let x = Array::from_array(data.clone(), (9, 2));
    for scaler in
        [StandardScaler::new(), StandardScaler::new().without_mean(), StandardScaler::new().without_scale()]
    {
        let fitted = scaler.fit(&x).unwrap();
        let back = fitted.inverse_transform(&fitted.transform(&x).unwrap()).unwrap().compute().unwrap();
        assert_close(&back, &data, 1e-14, "back");
    }
    let other = Array::from_array(rows(5, 4), 5);
    let fitted = StandardScaler::new().fit(&x).unwrap();
    assert!(matches!(
        fitted.inverse_transform(&other),
        Err(Error::ColumnMismatch { expected: 3, found: 4, .. })
    ));
}

#[test]
fn a_variance_that_overflows_is_named() {
    let x = Array::from_array(array![[1.0, 1e200], [2.0, -1e200]], (1, 1));
    assert!(matches!(StandardScaler::new().fit(&x), Err(Error::VarianceOverflow { column: 1 })));
}

#[test]
fn far_means_keep_the_digits_of_the_variance() {
    // The goal A3: 1e-12 at a mean of 1e8 deviations, over 1e5 values in many chunks.
    let near = Array2::from_shape_fn((100_000, 1), |(i, _)| ((i * 7919) % 1024) as f64 / 256.0 - 2.0);
    let far = near.mapv(|value| value + 134_217_728.0);
    let variance = |data: Array2<f64>| {
        let fitted = StandardScaler::new().fit(&Array::from_array(data, (777, 1))).unwrap();
        fitted.variance()[0]
    };
    let (near, far) = (variance(near), variance(far));
    assert!((near - far).abs() <= 1e-12 * near, "{near} {far}");
}

#[test]
fn rows_are_counted() {
    let fitted = StandardScaler::new().fit(&Array::from_array(rows(11, 2), 3)).unwrap();
    assert_eq!(fitted.n_rows(), 11);
}

#[test]
fn a_scaler_saved_by_the_first_version_is_read_and_saved_alike() {
    let saved = r#"{"version":1,"mean":["2","0.1"],"variance":["1","0"],"scale":["1","1"],"with_mean":true,"n_rows":2}"#;
    let fitted: FittedStandardScaler = serde_json::from_str(saved).unwrap();
    assert_eq!((fitted.mean(), fitted.scale(), fitted.n_rows()), (&[2.0, 0.1][..], &[1.0, 1.0][..], 2));
    assert_eq!(serde_json::to_string(&fitted).unwrap(), saved);
    let x = Array::from_array(array![[1.0, 0.1], [3.0, 0.1]], 1);
    assert_eq!(StandardScaler::new().fit(&x).unwrap(), fitted);
}
