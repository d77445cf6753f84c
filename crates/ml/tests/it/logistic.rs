//! Logistic regression against scikit-learn, and its own errors.

use std::sync::atomic::{AtomicUsize, Ordering};

use musher_ml::Error;
use musher_ml::prelude::*;
use ndarray::{Array1, Array2, Axis, array, concatenate};

use crate::golden::{Case, assert_close, cases, flag, labels as golden_labels, matrix, number};
use crate::{labels, rows, story};

/// Both solvers stop where the gradient is rounding; what is left is the condition of the problem.
const SOLVERS: f64 = 1e-6;

fn parameters(case: &Case) -> LogisticRegression {
    let c = number(case, "c");
    let model = LogisticRegression::new().tolerance(1e-10);
    let model = if c.is_infinite() { model.penalty(Penalty::None) } else { model.c(c) };
    if flag(case, "intercept", true) { model } else { model.without_intercept() }
}

#[test]
fn two_classes_are_fitted_as_by_scikit_learn() {
    for case in cases("ml", "logistic") {
        let (data, targets) = (matrix("ml", &case.inputs[0]), golden_labels("ml", &case.inputs[1]));
        for chunks in [120, 50, 7] {
            let (x, y) =
                (Array::from_array(data.clone(), chunks), Array::from_array(targets.clone(), chunks));
            let fitted = parameters(&case).fit((&x, &y)).unwrap();
            let probability = fitted.predict_proba(&x).unwrap().compute().unwrap().column(1).to_owned();
            let output = || matrix("ml", case.output.as_deref().unwrap());
            let value = || [case.value.unwrap()];
            let what = format!("{} {chunks}", case.name);
            match case.operation.as_str() {
                "logistic_coefficients" => assert_close(fitted.coefficients(), &output(), SOLVERS, &what),
                "logistic_intercept" => assert_close(fitted.intercepts(), &value(), SOLVERS, &what),
                "logistic_probability" => assert_close(&probability, &output(), SOLVERS, &what),
                "logistic_decision" => {
                    let scores = fitted.decision_function(&x).unwrap().compute().unwrap();
                    assert_close(&scores, &output(), SOLVERS, &what);
                }
                "logistic_predict" => {
                    let predicted = fitted.predict(&x).unwrap().compute().unwrap().mapv(|label| label as f64);
                    assert_close(&predicted, &output(), 0.0, &what);
                }
                "logistic_accuracy" => {
                    assert_close(&[fitted.score(&x, &y).unwrap().compute().unwrap()], &value(), 1e-15, &what);
                }
                "logistic_log_loss" => {
                    let of = |(p, y): (&f64, &i64)| -if *y == 1 { p.ln() } else { (1.0 - p).ln() };
                    let loss = probability.iter().zip(&targets).map(of).sum::<f64>() / 120.0;
                    assert_close(&[loss], &value(), SOLVERS, &what);
                }
                other => panic!("{other}"),
            }
        }
    }
}

#[test]
fn several_classes_and_bad_scales_are_fitted_as_by_scikit_learn() {
    for case in cases("ml_classes", "") {
        let data = matrix("ml_classes", &case.inputs[0]);
        let targets = golden_labels("ml_classes", &case.inputs[1]);
        let (x, y) = (Array::from_array(data, 40), Array::from_array(targets, 40));
        let fitted = parameters(&case).fit((&x, &y)).unwrap();
        let expected = matrix("ml_classes", case.output.as_deref().unwrap());
        match case.operation.as_str() {
            "coefficients" => assert_close(fitted.coefficients(), &expected, SOLVERS, &case.name),
            "intercepts" => assert_close(fitted.intercepts(), &expected, SOLVERS, &case.name),
            "decision" => {
                let mut scores = fitted.decision_function(&x).unwrap().compute().unwrap();
                if scores.ncols() > 1 {
                    // The files hold intercepts that add up to nothing.
                    scores -= fitted.intercepts().iter().sum::<f64>() / scores.ncols() as f64;
                }
                assert_close(&scores, &expected, SOLVERS, &case.name);
            }
            "probability" => {
                let out = fitted.predict_proba(&x).unwrap().compute().unwrap();
                assert_close(&out, &expected, SOLVERS, &case.name);
            }
            "predict" => {
                let out = fitted.predict(&x).unwrap().compute().unwrap().mapv(|label| label as f64);
                assert_close(&out, &expected, 0.0, &case.name);
            }
            other => panic!("{other}"),
        }
    }
}

#[test]
fn without_a_penalty_rows_given_twice_weigh_the_same() {
    let x = rows(60, 2);
    let y = labels(&x);
    let fit = |x: &Array2<f64>, y: &Array1<i64>| {
        let (x, y) = (Array::from_array(x.clone(), 25), Array::from_array(y.clone(), 25));
        LogisticRegression::new().penalty(Penalty::None).tolerance(1e-12).fit((&x, &y)).unwrap()
    };
    let twice = concatenate(Axis(0), &[x.view(), x.view()]).unwrap();
    let y_twice = concatenate(Axis(0), &[y.view(), y.view()]).unwrap();
    assert_close(fit(&twice, &y_twice).coefficients(), fit(&x, &y).coefficients(), 1e-9, "twice");
}

#[test]
fn any_label_type_will_do() {
    let x = Array::from_array(array![[-2.0], [-1.0], [1.0], [2.0]], 3);
    let fit = LogisticRegression::new();
    let truth = Array::from_array(array![false, false, true, true], 3);
    assert_eq!(
        fit.fit((&x, &truth)).unwrap().predict(&x).unwrap().compute().unwrap(),
        array![false, false, true, true]
    );
    let small = Array::from_array(array![7u8, 7, 9, 9], 1);
    assert_eq!(fit.fit((&x, &small)).unwrap().predict(&x).unwrap().compute().unwrap(), array![7, 7, 9, 9]);
    let float = Array::from_array(array![0.5f64, 0.5, -1.5, -1.5], 4);
    let fitted = fit.fit((&x, &float)).unwrap();
    assert_eq!(fitted.classes(), [-1.5, 0.5]);
    assert_eq!(fitted.predict(&x).unwrap().compute().unwrap(), array![0.5, 0.5, -1.5, -1.5]);
}

#[test]
fn a_nan_among_the_targets_is_named() {
    let x = Array::from_array(rows(6, 1), 2);
    let y = Array::from_array(array![0.0, 1.0, 0.0, f64::NAN, 1.0, f64::NAN], 2);
    assert!(matches!(LogisticRegression::new().fit((&x, &y)), Err(Error::NotALabel { row: 3 })));
}

#[test]
fn a_target_that_changes_when_it_is_read_again_is_named_with_the_line_of_the_fit() {
    let x = Array::from_array(rows(4, 1), 2);
    let reads = AtomicUsize::new(0);
    let y = Array::from_array(array![0_i64, 1, 0, 1], 2).map_blocks(move |block| {
        let is_first_pass = reads.fetch_add(1, Ordering::Relaxed) < 2;
        block.mapv(|label| if is_first_pass { label } else { 2 - label })
    });
    let error = LogisticRegression::new().fit_with((&x, &y), &Options::sequential()).unwrap_err();
    let line = line!() - 1;
    let story = story(&error);
    assert!(story.contains(&format!("tests/it/logistic.rs:{line}")), "{story}");
    assert!(story.contains("the target at row 0 is none of the labels of an earlier pass"), "{story}");
}

#[test]
fn targets_that_are_no_classes_are_refused() {
    let x = Array::from_array(rows(1200, 1), 100);
    let same = Array::from_array(Array1::<i64>::zeros(1200), 100);
    assert!(matches!(LogisticRegression::new().fit((&x, &same)), Err(Error::SingleClass)));
    let measured = Array::from_array(Array1::from_iter(0..1200i64), 100);
    assert!(matches!(
        LogisticRegression::new().fit((&x, &measured)),
        Err(Error::TooManyClasses { limit: 1000 })
    ));
}

#[test]
fn arrays_that_do_not_go_together_are_refused() {
    let x = Array::from_array(rows(10, 2), 5);
    let y = Array::from_array(Array1::<i64>::zeros(9), 5);
    match LogisticRegression::new().fit((&x, &y)) {
        Err(Error::RowMismatch { expected: 10, found: 9, caller }) => {
            assert!(caller.file().ends_with("tests/it/logistic.rs"), "{caller}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_fit_that_does_not_come_to_rest_is_an_error() {
    let data = rows(100, 2);
    let (x, y) = (Array::from_array(data.clone(), 30), Array::from_array(labels(&data), 30));
    let hasty = LogisticRegression::new().max_iterations(1).tolerance(1e-14);
    match hasty.fit((&x, &y)) {
        Err(Error::NotConverged { iterations: 1, gradient, tolerance }) => assert!(gradient > tolerance),
        other => panic!("{other:?}"),
    }
}

#[test]
fn parameters_are_checked_before_the_data_is_read() {
    let x = Array::from_array(rows(0, 0), 1);
    let y = Array::from_array(Array1::<i64>::zeros(0), 1);
    let error = LogisticRegression::new().c(-1.0).fit((&x, &y)).unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with("parameter c must be positive and finite, found -1, at "), "{text}");
    assert!(text.contains("tests/it/logistic.rs"), "{text}");
    assert_eq!(format!("{error:?}"), text, "what main prints is the report");
}

#[test]
fn classes_far_apart_are_told_apart_even_without_a_penalty() {
    let x = Array::from_array(array![[-2.0], [-1.0], [1.0], [2.0]], 2);
    let y = Array::from_array(array![0i64, 0, 1, 1], 2);
    let fitted = LogisticRegression::new().penalty(Penalty::None).fit((&x, &y)).unwrap();
    assert_eq!(fitted.score(&x, &y).unwrap().compute().unwrap(), 1.0);
    assert!(fitted.predict_proba(&x).unwrap().compute().unwrap().iter().all(|p| p.is_finite()));
    assert!(fitted.is_separated());
}

#[test]
fn a_model_says_whether_it_stopped_on_the_way_to_infinity() {
    let data = rows(90, 2);
    let x = Array::from_array(data.clone(), 40);
    let fit = |penalty, targets: &Array1<i64>| {
        let y = Array::from_array(targets.clone(), 40);
        LogisticRegression::new().penalty(penalty).fit((&x, &y)).unwrap()
    };
    let apart = data.column(0).mapv(|value| i64::from(value > 0.0) + i64::from(value > 0.5));
    // One row at the low end is of the class of the high end.
    let lowest = (0..90).min_by(|a, b| data[[*a, 0]].total_cmp(&data[[*b, 0]])).unwrap();
    let mut mixed = apart.clone();
    mixed[lowest] = 2;
    for (targets, is_separated) in [(apart.mapv(|class| class.min(1)), true), (apart, true), (mixed, false)] {
        let free = fit(Penalty::None, &targets);
        let is_right = free.predict(&x).unwrap().compute().unwrap() == targets;
        assert_eq!((free.is_separated(), is_right), (is_separated, is_separated));
        assert!(!fit(Penalty::L2 { c: 1.0 }, &targets).is_separated());
    }
}

#[test]
fn scores_decide_what_is_predicted() {
    let data = rows(80, 3);
    for targets in [labels(&data), Array1::from_shape_fn(80, |i| (i % 3) as i64)] {
        let (x, y) = (Array::from_array(data.clone(), 33), Array::from_array(targets, 33));
        let fitted = LogisticRegression::new().fit((&x, &y)).unwrap();
        let scores = fitted.decision_function(&x).unwrap().compute().unwrap();
        let predicted = fitted.predict(&x).unwrap().compute().unwrap();
        for (scores, label) in scores.rows().into_iter().zip(predicted) {
            let best = match scores.len() {
                1 => usize::from(scores[0] > 0.0),
                n => (0..n).max_by(|a, b| scores[*a].total_cmp(&scores[*b])).unwrap(),
            };
            assert_eq!(fitted.classes()[best], label);
        }
    }
}

#[test]
fn newton_takes_few_passes() {
    let (x, y) = make_classification(5000, Classification::columns(20).chunks(1000)).unwrap();
    let fitted = LogisticRegression::new().fit((&x, &y)).unwrap();
    assert!((3..=8).contains(&fitted.iterations()), "{}", fitted.iterations());
}

#[test]
fn made_data_does_not_depend_on_the_chunks() {
    let make = |chunk| make_classification(100, Classification::columns(3).seed(9).chunks(chunk)).unwrap();
    let ((x, y), (x_cut, y_cut)) = (make(100), make(7));
    assert_eq!(x.compute().unwrap(), x_cut.compute().unwrap());
    assert_eq!(y.compute().unwrap(), y_cut.compute().unwrap());
}

#[test]
fn a_model_saved_without_word_of_separation_is_read() {
    let (x, y) = (array![[0.0], [1.0], [2.0], [3.0]], array![0_i64, 1, 0, 1]);
    let fitted = LogisticRegression::new().fit((&Array::from_array(x, 2), &Array::from_array(y, 2))).unwrap();
    let text = serde_json::to_string(&fitted).unwrap();
    let old = text.replace(",\"is_separated\":false", "");
    assert_ne!(old, text);
    assert_eq!(serde_json::from_str::<FittedLogisticRegression<i64>>(&old).unwrap(), fitted);
}

#[test]
fn a_model_saved_by_the_first_version_is_read_and_saved_alike() {
    let saved = concat!(
        r#"{"version":1,"labels":"u8","classes":["3","5","9"],"coefficients":[["0.1","-2"],["1e-7","0"],["4","0.5"]],"#,
        r#""intercepts":["0.25","-0","7"],"iterations":6,"is_separated":true}"#,
    );
    let fitted: FittedLogisticRegression<u8> = serde_json::from_str(saved).unwrap();
    assert_eq!(fitted.classes(), [3, 5, 9]);
    assert_eq!(fitted.coefficients(), array![[0.1, -2.0], [1e-7, 0.0], [4.0, 0.5]]);
    assert_eq!(
        (fitted.intercepts(), fitted.iterations(), fitted.is_separated()),
        (&[0.25, -0.0, 7.0][..], 6, true)
    );
    assert_eq!(serde_json::to_string(&fitted).unwrap().replace("0.0000001", "1e-7"), saved);
}

#[test]
fn a_saved_model_that_does_not_hold_together_is_refused() {
    let whole = concat!(
        r#"{"version":1,"labels":"u8","classes":["3","5","9"],"coefficients":[["0.1","-2"],["1","0"],["4","0.5"]],"#,
        r#""intercepts":["0.25","-0","7"],"iterations":6,"is_separated":true}"#,
    );
    let read = |text: &str| serde_json::from_str::<FittedLogisticRegression<u8>>(text);
    assert!(read(whole).is_ok());
    for (from, to, reason) in [
        ("u8", "i64", "its labels are of another type"),
        (r#""version":1"#, r#""version":2"#, "its version is unknown"),
        (r#""3","#, r#""300","#, "a class is no label"),
        (r#""3","#, r#""7","#, "its classes are not at least two in ascending order"),
        (r#"["1","0"]"#, r#"["1"]"#, "its lists are not of one length"),
        (r#"["1","0"],"#, "", "its coefficients do not match its classes"),
        (r#"["0.25","#, "[", "its coefficients do not match its classes"),
        (r#""0.5""#, r#""inf""#, "a coefficient is not finite"),
    ] {
        let error = read(&whole.replacen(from, to, 1)).unwrap_err().to_string();
        assert_eq!(error, format!("not a saved LogisticRegression: {reason}"));
    }
}
