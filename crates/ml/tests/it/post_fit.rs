//! Models of linfa on chunked rows.

use linfa::traits::{Fit as _, Predict as _};
use linfa_linear::LinearRegression as Linear;
use linfa_logistic::{LogisticRegression as Linfa, MultiLogisticRegression};
use musher_ml::Error;
use musher_ml::prelude::*;
use musher_testkit::chunkings;
use ndarray::{Array1, ArrayView2, array};

use crate::golden::{assert_close, cases, matrix, vector};
use crate::{labels, rows, schedulers, story};

#[test]
fn a_linear_model_is_that_of_scikit_learn() {
    let find = |name: &str| cases("ml", "linear").into_iter().find(|case| case.name == name).unwrap();
    let case = find("linear_coefficients");
    let x = Array::from_array(matrix("ml", &case.inputs[0]), (50, 3));
    let y = Array::from_array(vector("ml", &case.inputs[1]), 31);
    let model = ParallelPostFit::fit(&Linear::new(), &x, &y).unwrap();
    assert_close(
        model.model().params(),
        &vector("ml", case.output.as_deref().unwrap()),
        1e-9,
        "coefficients",
    );
    assert_close(&[model.model().intercept()], &[find("linear_intercept").value.unwrap()], 1e-8, "intercept");
    let predicted = model.predict(&x).unwrap().compute().unwrap();
    assert_close(
        &predicted,
        &vector("ml", find("linear_predict").output.as_deref().unwrap()),
        1e-9,
        "predicted",
    );
}

#[test]
fn in_chunks_it_predicts_as_linfa_does_on_the_whole() {
    let data = rows(8, 2);
    let here = ndarray16::Array2::from_shape_vec((8, 2), data.iter().copied().collect()).unwrap();
    let targets = ndarray16::Array1::from_vec(labels(&data).to_vec());
    let linfa = Linfa::default().fit(&linfa::DatasetBase::new(here.clone(), targets)).unwrap();
    let expected = linfa.predict(&here).to_vec();
    let model = ParallelPostFit::new(linfa);
    for lengths in chunkings(8) {
        for widths in chunkings(2) {
            let x = Array::from_array(data.clone(), vec![lengths.clone(), widths]);
            let predicted = model.predict(&x).unwrap().compute_with(&Options::sequential()).unwrap();
            assert_eq!(predicted.to_vec(), expected);
        }
    }
}

#[test]
fn every_scheduler_gives_the_same_predictions() {
    let data = rows(300, 3);
    let targets = Array1::from_shape_fn(300, |i| (i % 3) as i64);
    let (x, y) = (Array::from_array(data, 37), Array::from_array(targets, 300));
    let model = ParallelPostFit::fit(&MultiLogisticRegression::default(), &x, &y).unwrap();
    let all: Vec<_> = schedulers()
        .iter()
        .map(|options| model.predict(&x).unwrap().compute_with(options).unwrap())
        .collect();
    assert!(all.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn wrong_shapes_are_refused_before_anything_runs() {
    let (x, y) = (Array::from_array(rows(10, 2), 5), Array::from_array(Array1::<f64>::zeros(9), 5));
    assert!(matches!(ParallelPostFit::fit(&Linear::new(), &x, &y), Err(Error::RowMismatch { .. })));
    let y = Array::from_array(Array1::from_shape_fn(10, |i| i as f64), 5);
    let model = ParallelPostFit::fit(&Linear::new(), &x, &y).unwrap();
    let other = Array::from_array(rows(10, 3), 5);
    assert!(matches!(model.predict(&other), Err(Error::ColumnMismatch { expected: 2, found: 3, .. })));
}

#[test]
fn what_the_estimator_says_is_kept() {
    let x = Array::from_array(rows(4, 1), 2);
    let y = Array::from_array(array![1i64, 1, 1, 1], 2);
    let error = ParallelPostFit::fit(&Linfa::default(), &x, &y).err().unwrap();
    let story = story(&error);
    assert!(story.contains("Fewer than two classes"), "{story}");
}

#[test]
fn a_model_that_panics_or_miscounts_is_an_error_that_names_the_line() {
    struct Odd;
    impl PredictRows<f64> for Odd {
        fn predict_rows(&self, rows: ArrayView2<'_, f64>) -> Array1<f64> {
            assert!(rows.nrows() < 5, "too many rows for me");
            Array1::zeros(1)
        }
    }
    let model = ParallelPostFit::new(Odd);
    for (chunk, expected) in [(3, "1 predictions for 3 rows"), (9, "too many rows for me")] {
        let x = Array::from_array(rows(9, 2), chunk);
        let error = model.predict(&x).unwrap().compute().unwrap_err();
        let story = story(&error);
        assert!(story.contains(expected) && story.contains("tests/it/post_fit.rs"), "{story}");
    }
}

#[test]
fn a_clone_is_the_same_model_and_shares_its_work() {
    let (x, y) =
        (Array::from_array(rows(10, 2), 5), Array::from_array(Array1::from_shape_fn(10, |i| i as f64), 5));
    let model = ParallelPostFit::fit(&Linear::new(), &x, &y).unwrap();
    assert_eq!(model.predict(&x).unwrap().key(), model.clone().predict(&x).unwrap().key());
    let again = ParallelPostFit::fit(&Linear::new(), &x, &y).unwrap();
    assert_ne!(model.predict(&x).unwrap().key(), again.predict(&x).unwrap().key());
}
