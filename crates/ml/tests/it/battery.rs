//! The checks that every estimator passes, as one macro that is instantiated for each.

use std::fmt::Debug;

use musher_array::ndarray::{Array1, Array2, Axis, Ix1, Ix2, s};
use musher_ml::Error;
use musher_ml::prelude::*;
use musher_scheduler::CancelToken;
use musher_testkit::chunkings;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{labels, rows, schedulers, story};

/// Other chunks of the same rows may change a model by rounding, and by no more than this.
const SAME_ROWS: f64 = 1e-9;

/// An estimator as the battery sees it.
trait Subject {
    type Model: Clone + Debug + PartialEq + Serialize + DeserializeOwned;

    /// Fewest rows that it learns from.
    const LEAST_ROWS: usize;
    /// Whether it uses the targets.
    const SUPERVISED: bool;
    /// Whether a row with NaN is an error when the model is used (otherwise NaN comes out).
    const REFUSES_NAN: bool;
    /// Changes each of which makes a saved model nonsense.
    const SPOIL: &'static [(&'static str, &'static str)];

    fn fit(x: &Array<f64, Ix2>, y: &Array<i64, Ix1>, options: &Options) -> Result<Self::Model, Error>;

    /// What the model makes of rows, as numbers.
    fn apply(model: &Self::Model, x: &Array<f64, Ix2>) -> Result<Array<f64, Ix2>, Error>;

    /// All that was learned.
    fn learned(model: &Self::Model) -> Vec<f64>;
}

struct Scaler;

impl Subject for Scaler {
    type Model = FittedStandardScaler;
    const LEAST_ROWS: usize = 1;
    const SUPERVISED: bool = false;
    const REFUSES_NAN: bool = false;
    const SPOIL: &'static [(&'static str, &'static str)] =
        &[("\"scale\":[\"", "\"scale\":[\"-"), ("[\"", "[\"7\",\"")];

    fn fit(x: &Array<f64, Ix2>, _: &Array<i64, Ix1>, options: &Options) -> Result<Self::Model, Error> {
        StandardScaler::new().fit_with(x, options)
    }

    fn apply(model: &Self::Model, x: &Array<f64, Ix2>) -> Result<Array<f64, Ix2>, Error> {
        model.transform(x)
    }

    fn learned(model: &Self::Model) -> Vec<f64> {
        [model.mean(), model.scale(), model.variance()].concat()
    }
}

struct Logistic;

impl Subject for Logistic {
    type Model = FittedLogisticRegression<i64>;
    const LEAST_ROWS: usize = 2;
    const SUPERVISED: bool = true;
    const REFUSES_NAN: bool = true;
    const SPOIL: &'static [(&'static str, &'static str)] =
        &[(r#""classes":["0","1"]"#, r#""classes":["1","0"]"#), ("[\"", "[\"7\",\"")];

    fn fit(x: &Array<f64, Ix2>, y: &Array<i64, Ix1>, options: &Options) -> Result<Self::Model, Error> {
        LogisticRegression::new().fit_with((x, y), options)
    }

    fn apply(model: &Self::Model, x: &Array<f64, Ix2>) -> Result<Array<f64, Ix2>, Error> {
        model.predict_proba(x)
    }

    fn learned(model: &Self::Model) -> Vec<f64> {
        model.coefficients().iter().chain(model.intercepts()).copied().collect()
    }
}

struct Linear;

impl Subject for Linear {
    type Model = FittedLinearRegression;
    const LEAST_ROWS: usize = 1;
    const SUPERVISED: bool = true;
    const REFUSES_NAN: bool = true;
    const SPOIL: &'static [(&'static str, &'static str)] =
        &[("\"rank\":3", "\"rank\":4"), ("[\"", "[\"inf\",\""), ("\"intercept\":\"", "\"intercept\":\"nan")];

    fn fit(x: &Array<f64, Ix2>, y: &Array<i64, Ix1>, options: &Options) -> Result<Self::Model, Error> {
        LinearRegression::new().fit_with((x, &y.cast()), options)
    }

    fn apply(model: &Self::Model, x: &Array<f64, Ix2>) -> Result<Array<f64, Ix2>, Error> {
        Ok(model.predict(x)?.insert_axis(Axis(1)))
    }

    fn learned(model: &Self::Model) -> Vec<f64> {
        [model.coefficients(), &[model.intercept()]].concat()
    }
}

/// `x` and its labels in chunks of these lengths.
fn chunked(x: &Array2<f64>, lengths: &[usize], widths: &[usize]) -> (Array<f64, Ix2>, Array<i64, Ix1>) {
    let y = Array::from_array(labels(x), vec![lengths.to_vec()]);
    (Array::from_array(x.clone(), vec![lengths.to_vec(), widths.to_vec()]), y)
}

fn fit_eager<S: Subject>(x: &Array2<f64>) -> Result<S::Model, Error> {
    let (x, y) = chunked(x, &[x.nrows()], &[x.ncols()]);
    S::fit(&x, &y, &Options::sequential())
}

fn apply_eager<S: Subject>(model: &S::Model, x: &Array2<f64>) -> Array2<f64> {
    let x = Array::from_array(x.clone(), x.nrows().max(x.ncols()).max(1));
    S::apply(model, &x).unwrap().compute_with(&Options::sequential()).unwrap()
}

#[track_caller]
fn assert_near<S: Subject>(one: &S::Model, other: &S::Model, what: &str) {
    let (one, other) = (S::learned(one), S::learned(other));
    assert_eq!(one.len(), other.len());
    for (a, b) in one.iter().zip(&other) {
        assert!((a - b).abs() <= SAME_ROWS * a.abs().max(1.0), "{what}: {a} {b}");
    }
}

fn fitted_twice_is_the_same<S: Subject>() {
    let x = rows(200, 3);
    assert_eq!(fit_eager::<S>(&x).unwrap(), fit_eager::<S>(&x).unwrap());
}

fn every_scheduler_gives_the_same_bits<S: Subject>() {
    let x = rows(333, 4);
    let (chunks, y) = chunked(&x, &[100, 1, 99, 33, 50, 50], &[3, 1]);
    let all: Vec<_> = schedulers().iter().map(|options| S::fit(&chunks, &y, options).unwrap()).collect();
    assert!(all.windows(2).all(|pair| pair[0] == pair[1]));
    let bits = |options: &Options| {
        let out = S::apply(&all[0], &chunks).unwrap().compute_with(options).unwrap();
        out.iter().map(|value| value.to_bits()).collect::<Vec<_>>()
    };
    let all: Vec<_> = schedulers().iter().map(bits).collect();
    assert!(all.windows(2).all(|pair| pair[0] == pair[1]));
}

fn any_chunks_of_the_same_rows_give_the_same_model<S: Subject>() {
    let x = rows(9, 3);
    let whole = fit_eager::<S>(&x).unwrap();
    for lengths in chunkings(9) {
        for widths in chunkings(3) {
            let (chunks, y) = chunked(&x, &lengths, &widths);
            let model = S::fit(&chunks, &y, &Options::sequential()).unwrap();
            assert_near::<S>(&whole, &model, &format!("{lengths:?} {widths:?}"));
        }
    }
}

fn empty_chunks_change_nothing<S: Subject>() {
    let x = rows(20, 2);
    let whole = fit_eager::<S>(&x).unwrap();
    let (chunks, y) = chunked(&x, &[0, 7, 0, 0, 13, 0], &[1, 0, 1]);
    let model = S::fit(&chunks, &y, &Options::default().threads(2)).unwrap();
    assert_near::<S>(&whole, &model, "empty chunks");
    let out = S::apply(&model, &chunks).unwrap().compute().unwrap();
    assert_eq!(out, apply_eager::<S>(&model, &x));
}

fn targets_may_have_other_chunks<S: Subject>() {
    let x = rows(20, 2);
    let (chunks, y) = chunked(&x, &[7, 13], &[2]);
    let other = Array::from_array(labels(&x), vec![vec![1, 18, 1]]);
    let options = Options::sequential();
    assert_eq!(S::fit(&chunks, &y, &options).unwrap(), S::fit(&chunks, &other, &options).unwrap());
}

fn order_of_rows_does_not_matter<S: Subject>() {
    let x = rows(50, 3);
    // Multiples of five apart, so that the labels move with their rows.
    let turned = Array2::from_shape_fn((50, 3), |(i, j)| x[[(i + 35) % 50, j]]);
    assert_near::<S>(&fit_eager::<S>(&x).unwrap(), &fit_eager::<S>(&turned).unwrap(), "turned");
}

fn rows_given_twice_weigh_the_same_per_row<S: Subject>() {
    if S::SUPERVISED {
        // Under a penalty twice the rows are not the same problem; without, they are: see `logistic`.
        return;
    }
    let x = rows(30, 2);
    let twice = ndarray::concatenate(Axis(0), &[x.view(), x.view()]).unwrap();
    assert_near::<S>(&fit_eager::<S>(&x).unwrap(), &fit_eager::<S>(&twice).unwrap(), "twice");
}

fn values_that_are_not_finite_are_named<S: Subject>() {
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        for widths in [vec![3], vec![1, 2]] {
            let mut x = rows(40, 3);
            x[[33, 2]] = value;
            x[[35, 0]] = value;
            let (chunks, y) = chunked(&x, &[10, 20, 10], &widths);
            match S::fit(&chunks, &y, &Options::default().threads(2)) {
                Err(Error::NonFinite { row: 33, column: 2, value: found }) => {
                    assert!(found == value || found.is_nan() && value.is_nan());
                }
                other => panic!("{other:?}"),
            }
        }
    }
}

fn nan_is_not_lost_when_the_model_is_used<S: Subject>() {
    let mut x = rows(40, 3);
    let model = fit_eager::<S>(&x).unwrap();
    x[[31, 1]] = f64::NAN;
    let (chunks, _) = chunked(&x, &[10, 20, 10], &[2, 1]);
    match S::apply(&model, &chunks).unwrap().compute() {
        Err(error) if S::REFUSES_NAN => {
            let story = story(&error);
            assert!(story.contains("row 31, column 1 is NaN"), "{story}");
            assert!(story.contains("tests/it/battery.rs"), "the user's line is named: {story}");
        }
        Ok(out) if !S::REFUSES_NAN => {
            assert!(out[[31, 1]].is_nan());
            assert_eq!(out.iter().filter(|value| value.is_nan()).count(), 1);
        }
        other => panic!("{other:?}"),
    }
}

fn too_few_rows_are_said<S: Subject>() {
    for n in 0..S::LEAST_ROWS {
        match fit_eager::<S>(&rows(n, 3)) {
            Err(Error::TooFewRows { required, found, .. }) => {
                assert_eq!((required, found), (S::LEAST_ROWS, n))
            }
            other => panic!("{other:?}"),
        }
    }
    let x = Array2::from_shape_fn((S::LEAST_ROWS, 2), |(i, j)| (i + j) as f64 + 0.5);
    assert!(S::learned(&fit_eager::<S>(&x).unwrap()).iter().all(|value| value.is_finite()));
}

fn no_columns_are_said<S: Subject>() {
    let x = Array::from_array(Array2::<f64>::zeros((5, 0)), 5);
    let y = Array::from_array(Array1::from_iter([0i64, 1, 0, 1, 1]), 5);
    assert!(matches!(S::fit(&x, &y, &Options::sequential()), Err(Error::NoColumns { .. })));
}

fn one_column_is_enough<S: Subject>() {
    let x = rows(40, 1);
    let model = fit_eager::<S>(&x).unwrap();
    assert!(apply_eager::<S>(&model, &x).iter().all(|value| value.is_finite()));
}

fn constant_columns_do_no_harm<S: Subject>() {
    for height in [0.0, 0.1, 1e9] {
        let mut x = rows(60, 3);
        x.column_mut(1).fill(height);
        let model = fit_eager::<S>(&x).unwrap();
        assert!(apply_eager::<S>(&model, &x).iter().all(|value| value.is_finite()), "{height}");
    }
}

fn twin_columns_do_no_harm<S: Subject>() {
    let x = rows(60, 2);
    let twins = ndarray::concatenate(Axis(1), &[x.view(), x.view()]).unwrap();
    let model = fit_eager::<S>(&twins).unwrap();
    assert!(S::learned(&model).iter().all(|value| value.is_finite()));
}

fn other_columns_are_refused_before_anything_runs<S: Subject>() {
    let model = fit_eager::<S>(&rows(30, 3)).unwrap();
    for columns in [0, 2, 4] {
        let x = Array::from_array(rows(10, columns), 4);
        match S::apply(&model, &x) {
            Err(Error::ColumnMismatch { expected: 3, found, caller }) => {
                assert_eq!(found, columns);
                assert!(caller.file().ends_with("tests/it/battery.rs"), "{caller}");
            }
            other => panic!("{other:?}"),
        }
    }
}

fn used_in_chunks_is_used_as_a_whole<S: Subject>() {
    let x = rows(9, 2);
    let model = fit_eager::<S>(&x).unwrap();
    let whole = apply_eager::<S>(&model, &x);
    for lengths in chunkings(9) {
        for widths in chunkings(2) {
            let (chunks, _) = chunked(&x, &lengths, &widths);
            let out = S::apply(&model, &chunks).unwrap();
            assert_eq!(out.chunks().axis(0), lengths);
            assert_eq!(out.compute_with(&Options::sequential()).unwrap(), whole, "{lengths:?} {widths:?}");
        }
    }
}

fn no_rows_give_no_rows<S: Subject>() {
    let x = rows(30, 3);
    let model = fit_eager::<S>(&x).unwrap();
    let width = apply_eager::<S>(&model, &x).ncols();
    let none = Array::from_array(x.slice(s![..0, ..]), 5);
    assert_eq!(S::apply(&model, &none).unwrap().compute().unwrap().dim(), (0, width));
}

fn a_saved_model_comes_back<S: Subject>() {
    let x = rows(50, 3);
    let model = fit_eager::<S>(&x).unwrap();
    let text = serde_json::to_string(&model).unwrap();
    let back: S::Model = serde_json::from_str(&text).unwrap();
    assert_eq!(back, model);
    assert_eq!(apply_eager::<S>(&back, &x), apply_eager::<S>(&model, &x));
}

fn a_spoiled_model_is_refused<S: Subject>() {
    let text = serde_json::to_string(&fit_eager::<S>(&rows(50, 3)).unwrap()).unwrap();
    let spoiled = |from: &str, to: &str| {
        assert!(text.contains(from), "{text}");
        text.replacen(from, to, 1)
    };
    let own = S::SPOIL.iter().map(|(from, to)| spoiled(from, to));
    for text in own.chain([spoiled("\"version\":1", "\"version\":2"), "{}".into()]) {
        assert!(serde_json::from_str::<S::Model>(&text).is_err(), "{text}");
    }
}

fn a_cancelled_fit_is_an_error<S: Subject>() {
    let (x, y) = chunked(&rows(50, 3), &[25, 25], &[3]);
    let token = CancelToken::new();
    token.cancel();
    let result = S::fit(&x, &y, &Options::default().threads(2).cancel(&token));
    assert!(matches!(result, Err(Error::Compute(musher_scheduler::Error::Cancelled { .. }))), "{result:?}");
    assert!(S::fit(&x, &y, &Options::default().threads(2)).is_ok(), "the estimator still works");
}

fn larger_than_the_memory_limit_is_no_trouble<S: Subject>() {
    // 8 MiB of random numbers in chunks of 64 KiB, under a limit of 1 MiB.
    let (x, y) = make_classification(131_072, Classification::columns(8).chunks(1024)).unwrap();
    let little = S::fit(&x, &y, &Options::default().threads(2).memory_limit(1 << 20)).unwrap();
    assert_eq!(little, S::fit(&x, &y, &Options::default().threads(2)).unwrap());
}

fn the_data_is_left_as_it_was<S: Subject>() {
    let x = rows(30, 3);
    let (chunks, y) = chunked(&x, &[10, 20], &[3]);
    let model = S::fit(&chunks, &y, &Options::default()).unwrap();
    S::apply(&model, &chunks).unwrap().compute().unwrap();
    assert_eq!(chunks.compute().unwrap(), x);
    assert_eq!(y.compute().unwrap(), labels(&x));
}

/// Instantiates every check for a subject; a check that is not listed here is dead code and so a warning.
macro_rules! battery {
    ($module:ident: $subject:ty) => {
        battery! { @ $module: $subject:
            fitted_twice_is_the_same
            every_scheduler_gives_the_same_bits
            any_chunks_of_the_same_rows_give_the_same_model
            empty_chunks_change_nothing
            targets_may_have_other_chunks
            order_of_rows_does_not_matter
            rows_given_twice_weigh_the_same_per_row
            values_that_are_not_finite_are_named
            nan_is_not_lost_when_the_model_is_used
            too_few_rows_are_said
            no_columns_are_said
            one_column_is_enough
            constant_columns_do_no_harm
            twin_columns_do_no_harm
            other_columns_are_refused_before_anything_runs
            used_in_chunks_is_used_as_a_whole
            no_rows_give_no_rows
            a_saved_model_comes_back
            a_spoiled_model_is_refused
            a_cancelled_fit_is_an_error
            larger_than_the_memory_limit_is_no_trouble
            the_data_is_left_as_it_was
        }
    };
    (@ $module:ident: $subject:ty: $($check:ident)*) => {
        mod $module {
            use super::*;
            $(#[test] fn $check() { super::$check::<$subject>(); })*
        }
    };
}

battery!(scaler: Scaler);
battery!(logistic: Logistic);
battery!(linear: Linear);
