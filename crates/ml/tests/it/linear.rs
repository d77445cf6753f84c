//! Linear regression against scikit-learn, and its own errors.

use musher_ml::Error;
use musher_ml::prelude::*;
use ndarray::{Array1, Array2, Axis, array, concatenate, s};

use crate::golden::{Case, assert_close, cases, flag, matrix, number, vector};
use crate::rows;

/// The normal equations have the square of the condition of the columns, which is at most 2e3 here: nine digits are left.
const SOLVERS: f64 = 1e-9;

fn parameters(case: &Case) -> LinearRegression {
    let model = LinearRegression::new().alpha(number(case, "alpha"));
    if flag(case, "intercept", true) { model } else { model.without_intercept() }
}

#[test]
fn planes_are_those_of_scikit_learn() {
    for case in cases("ml_linear", "").iter().filter(|case| case.operation != "r2_score") {
        let (x, y) = (matrix("ml_linear", &case.inputs[0]), vector("ml_linear", &case.inputs[1]));
        for chunks in [(150, 40), (20, 3), (7, 1)] {
            let (x, y) = (Array::from_array(x.clone(), chunks), Array::from_array(y.clone(), 11));
            let fitted = parameters(case).fit((&x, &y)).unwrap();
            let output = || vector("ml_linear", case.output.as_deref().unwrap());
            let value = || [case.value.unwrap()];
            let what = format!("{} {chunks:?}", case.name);
            match case.operation.as_str() {
                "coefficients" => assert_close(fitted.coefficients(), &output(), SOLVERS, &what),
                "intercept" => assert_close(&[fitted.intercept()], &value(), SOLVERS, &what),
                "predict" => {
                    let out = fitted.predict(&x).unwrap().compute().unwrap();
                    assert_close(&out, &output(), SOLVERS, &what);
                }
                "r2" => {
                    let score = fitted.score(&x, &y).unwrap().compute().unwrap();
                    assert_close(&[score], &value(), SOLVERS, &what);
                }
                other => panic!("{other}"),
            }
            if case.parameters.contains_key("rank") {
                assert_eq!(fitted.rank() as f64, number(case, "rank"), "{what}");
            }
        }
    }
}

#[test]
fn a_plane_without_noise_is_found() {
    let x = rows(200, 5) * 3.0 + 100.0;
    let y = x.dot(&array![1.0, -2.0, 0.0, 0.5, 1e-3]) - 40.0;
    let (x, y) = (Array::from_array(x, (30, 2)), Array::from_array(y, 50));
    let fitted = LinearRegression::new().fit((&x, &y)).unwrap();
    assert_close(fitted.coefficients(), &[1.0, -2.0, 0.0, 0.5, 1e-3], 1e-12, "coefficients");
    assert_close(&[fitted.intercept()], &[-40.0], 1e-10, "intercept");
}

#[test]
fn without_a_penalty_rows_given_twice_weigh_the_same() {
    let x = rows(60, 3);
    let y = x.column(0).mapv(f64::exp);
    let fit = |x: &Array2<f64>, y: &Array1<f64>| {
        let (x, y) = (Array::from_array(x.clone(), 25), Array::from_array(y.clone(), 25));
        LinearRegression::new().fit((&x, &y)).unwrap()
    };
    let twice = concatenate(Axis(0), &[x.view(), x.view()]).unwrap();
    let y_twice = concatenate(Axis(0), &[y.view(), y.view()]).unwrap();
    assert_close(fit(&twice, &y_twice).coefficients(), fit(&x, &y).coefficients(), 1e-12, "twice");
}

#[test]
fn errors_of_a_fit_have_nothing_to_do_with_the_columns() {
    // The definition of least squares, for every number of columns up to more than a tile of lanes holds.
    for columns in 1..=19 {
        let x = rows(90, columns);
        let y =
            x.rows().into_iter().map(|row| row.mapv(|value| value * value).sum()).collect::<Array1<f64>>();
        let (data, targets) = (Array::from_array(x.clone(), (40, 7)), Array::from_array(y.clone(), 90));
        let fitted = LinearRegression::new().fit((&data, &targets)).unwrap();
        let errors = y - fitted.predict(&data).unwrap().compute().unwrap();
        assert!(errors.sum().abs() < 1e-11);
        assert!(x.t().dot(&errors).iter().all(|product| product.abs() < 1e-11), "{columns}");
    }
}

#[test]
fn targets_that_are_not_finite_are_named() {
    let x = Array::from_array(rows(20, 2), 6);
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let mut y = Array1::zeros(20);
        y[13] = value;
        y[17] = value;
        let y = Array::from_array(y, 20);
        match LinearRegression::new().fit((&x, &y)) {
            Err(Error::NonFiniteTarget { row: 13, value: found }) => {
                assert!(found == value || found.is_nan() && value.is_nan());
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn numbers_too_large_for_their_squares_are_an_error() {
    let small = Array::from_array(array![1.0, 2.0, 3.0], 2);
    let x = Array::from_array(array![[1.0, 1e200], [2.0, -1e200], [0.0, 0.0]], (2, 1));
    let fit = LinearRegression::new();
    assert!(matches!(fit.fit((&x, &small)), Err(Error::VarianceOverflow { column: 1 })));
    let x = Array::from_array(array![[1.0], [2.0], [4.0]], 2);
    let large = Array::from_array(array![1e200, -1e200, 0.0], 2);
    assert!(matches!(fit.fit((&x, &large)), Err(Error::TargetOverflow)));
    // Their deviations have squares, they themselves have none.
    let x = Array::from_array(array![[1e200], [1e200], [1e200]], 2);
    let without = fit.without_intercept().fit((&x, &small));
    assert!(matches!(without, Err(Error::VarianceOverflow { column: 0 })), "{without:?}");
}

/// scikit-learn finds 3 and 1, too: a column far from zero varies, however many rows there are.
#[test]
fn a_column_far_from_zero_counts_however_many_rows_there_are() {
    let n = 20_000;
    let deviations = Array1::from_shape_fn(n, |i| (i * 7919 % 1024) as f64 / 1024.0);
    for far in [1.7e9, 1e12] {
        let x = deviations.mapv(|deviation| far + deviation);
        let y = x.mapv(|x| 3.0 * (x - far) + 1.0);
        let x = Array::from_array(x.insert_axis(Axis(1)), (1000, 1));
        let model = LinearRegression::new().fit((&x, &Array::from_array(y, 1000))).unwrap();
        assert_eq!(model.rank(), 1);
        assert!((model.coefficients()[0] - 3.0).abs() < 1e-9, "{far}: {:?}", model.coefficients());
    }
}

#[test]
fn arrays_that_do_not_go_together_are_refused() {
    let x = Array::from_array(rows(10, 2), 5);
    let y = Array::from_array(Array1::zeros(9), 5);
    match LinearRegression::new().fit((&x, &y)) {
        Err(Error::RowMismatch { expected: 10, found: 9, caller }) => {
            assert!(caller.file().ends_with("tests/it/linear.rs"), "{caller}");
        }
        other => panic!("{other:?}"),
    }
    let error = LinearRegression::new().alpha(-1.0).fit((&x, &y)).unwrap_err().to_string();
    assert!(error.starts_with("parameter alpha must be at least 0 and finite, found -1, at "), "{error}");
}

#[test]
fn a_model_is_saved_in_this_form() {
    let saved = r#"{"version":1,"coefficients":["0.1","-2"],"intercept":"0.25","rank":1}"#;
    let fitted: FittedLinearRegression = serde_json::from_str(saved).unwrap();
    assert_eq!((fitted.coefficients(), fitted.intercept(), fitted.rank()), (&[0.1, -2.0][..], 0.25, 1));
    assert_eq!(serde_json::to_string(&fitted).unwrap(), saved);
    let x = Array::from_array(array![[1.0, 1.0], [0.0, 0.0]], 1);
    assert_eq!(fitted.predict(&x).unwrap().compute().unwrap(), array![0.1 - 2.0 + 0.25, 0.25]);
}

#[test]
fn a_model_fitted_on_some_rows_predicts_others() {
    let x = rows(100, 2);
    let y = x.dot(&array![3.0, -1.0]);
    let split =
        train_test_split(&Array::from_array(x.clone(), 30), &Array::from_array(y.clone(), 30), 0.3).unwrap();
    let fitted = LinearRegression::new().fit((&split.x_train, &split.y_train)).unwrap();
    assert!(fitted.score(&split.x_test, &split.y_test).unwrap().compute().unwrap() > 1.0 - 1e-12);
    let one = Array::from_array(x.slice(s![..1, ..]), 1);
    assert!((fitted.predict(&one).unwrap().compute().unwrap()[0] - y[0]).abs() < 1e-12);
}
