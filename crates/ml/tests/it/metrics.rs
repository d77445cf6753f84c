//! Accuracy and R² against scikit-learn, over all chunks.

use musher_ml::Error;
use musher_ml::prelude::*;
use musher_testkit::chunkings;
use ndarray::{Array1, array};

use crate::golden::{assert_close, cases, labels, vector};
use crate::schedulers;

#[test]
fn accuracy_is_that_of_scikit_learn() {
    let cases = cases("ml", "accuracy");
    let case = cases.iter().find(|case| case.name == "accuracy").unwrap();
    let [truth, guess] = [0, 1].map(|i| labels("ml", &case.inputs[i]));
    let (truth, guess) = (Array::from_array(truth, 50), Array::from_array(guess, 31));
    for options in schedulers() {
        let found = accuracy_score(&truth, &guess).unwrap().compute_with(&options).unwrap();
        assert_eq!(found, case.value.unwrap());
    }
    // Counts and weights need nothing but arrays.
    let find = |name: &str| cases.iter().find(|case| case.name == name).unwrap();
    let is_right = truth.eq_elem(&guess);
    assert_eq!(is_right.count_true().compute().unwrap() as f64, find("accuracy_count").value.unwrap());
    let case = find("accuracy_weighted");
    let weight = Array::from_array(vector("ml", &case.inputs[2]), 40);
    let weighted = ((is_right.cast::<f64>() * &weight).sum() / weight.sum()).compute().unwrap();
    assert_close(&[weighted], &[case.value.unwrap()], 1e-14, "weighted");
}

#[test]
fn the_coefficient_of_determination_is_that_of_scikit_learn() {
    for case in cases("ml_linear", "r2_score") {
        let [truth, guess] = [0, 1].map(|i| vector("ml_linear", &case.inputs[i]));
        for options in schedulers() {
            let (truth, guess) = (Array::from_array(truth.clone(), 7), Array::from_array(guess.clone(), 30));
            let found = r2_score(&truth, &guess).unwrap().compute_with(&options).unwrap();
            assert_close(&[found], &[case.value.unwrap()], 1e-14, &case.name);
        }
    }
    let truth = Array::from_array(array![2.0, 2.0, 2.0], 2);
    let guess = Array::from_array(array![2.0, f64::NAN, 2.0], 2);
    assert!(r2_score(&truth, &guess).unwrap().compute().unwrap().is_nan(), "not a number is no answer");
    assert!(r2_score(&guess, &truth).unwrap().compute().unwrap().is_nan());
}

#[test]
fn chunks_of_either_side_do_not_matter() {
    let (truth, guess) = (array![1i64, 2, 3, 4, 5, 6], array![1i64, 0, 3, 0, 5, 0]);
    for lengths in chunkings(6) {
        for other in [vec![6], vec![1, 5], lengths.clone()] {
            let a = Array::from_array(truth.clone(), vec![lengths.clone()]);
            let b = Array::from_array(guess.clone(), vec![other]);
            assert_eq!(accuracy_score(&a, &b).unwrap().compute_with(&Options::sequential()).unwrap(), 0.5);
        }
    }
}

#[test]
fn nothing_to_compare_is_an_error() {
    let none = Array::from_array(Array1::<i64>::zeros(0), 1);
    let one = Array::from_array(Array1::<i64>::zeros(1), 1);
    assert!(matches!(accuracy_score(&none, &none), Err(Error::TooFewRows { .. })));
    assert!(matches!(accuracy_score(&one, &none), Err(Error::RowMismatch { expected: 1, found: 0, .. })));
    let one = one.cast::<f64>();
    assert!(matches!(r2_score(&one, &one), Err(Error::TooFewRows { required: 2, found: 1, .. })));
    assert!(matches!(r2_score(&one, &none.cast()), Err(Error::RowMismatch { expected: 1, found: 0, .. })));
}
