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

/// An estimator as linfa has them whose classes are numbers: the class whose mean lies nearest.
pub(crate) struct Nearest;

/// An estimator as linfa has them that asks for no targets: below and above the mean of the first column.
pub(crate) struct Halves;

/// Means of the first column, for class 0, 1, ….
pub(crate) struct Means(Vec<f64>);

impl linfa::traits::Fit<ndarray16::Array2<f64>, ndarray16::Array1<usize>, linfa::error::Error> for Nearest {
    type Object = Means;

    fn fit(
        &self,
        data: &linfa::DatasetBase<ndarray16::Array2<f64>, ndarray16::Array1<usize>>,
    ) -> linfa::error::Result<Means> {
        let n_classes = data.targets.iter().max().map_or(0, |class| class + 1);
        let mean = |class| {
            let own = data.records.column(0).into_iter().zip(&data.targets).filter(|(_, own)| **own == class);
            let values: Vec<f64> = own.map(|(value, _)| *value).collect();
            values.iter().sum::<f64>() / values.len() as f64
        };
        Ok(Means((0..n_classes).map(mean).collect()))
    }
}

impl<T> linfa::traits::Fit<ndarray16::Array2<f64>, T, linfa::error::Error> for Halves {
    type Object = Means;

    fn fit(&self, data: &linfa::DatasetBase<ndarray16::Array2<f64>, T>) -> linfa::error::Result<Means> {
        let mean = data.records.column(0).mean().unwrap_or(0.0);
        Ok(Means(vec![mean - 1.0, mean + 1.0]))
    }
}

impl linfa::traits::PredictInplace<ndarray16::ArrayView2<'_, f64>, ndarray16::Array1<usize>> for Means {
    fn predict_inplace(&self, x: &ndarray16::ArrayView2<'_, f64>, y: &mut ndarray16::Array1<usize>) {
        for (class, value) in y.iter_mut().zip(x.column(0)) {
            let far = |class: &usize| (self.0[*class] - value).abs();
            *class = (0..self.0.len()).min_by(|a, b| far(a).total_cmp(&far(b))).unwrap();
        }
    }

    fn default_target(&self, x: &ndarray16::ArrayView2<'_, f64>) -> ndarray16::Array1<usize> {
        ndarray16::Array1::zeros(x.nrows())
    }
}

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
    // The share of the variance that is explained needs nothing but arrays.
    let residual = (model.predict(&x).unwrap() - &y).mapv(|error| error * error).mean();
    let explained = (residual / y.var(0.0)).mapv(|share| 1.0 - share).compute().unwrap();
    assert_close(&[explained], &[find("linear_r2").value.unwrap()], 1e-9, "r2");
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

/// Labels of three kinds that the first column decides, and what numbers make of them.
#[track_caller]
fn check_classes<L: Label>(kinds: [L; 3], ascending: [L; 3]) {
    let data = array![[9.0], [1.0], [5.0], [8.0], [2.0], [6.0]];
    let x = Array::from_array(data, (4, 1));
    let targets = Array1::from_shape_fn(6, |row| kinds[row % 3]);
    let y = Array::from_array(targets.clone(), 5);
    let model = ParallelPostFit::fit_classes(&Nearest, &x, &y).unwrap();
    assert_eq!(model.model().classes(), ascending);
    assert_eq!(model.model().model().0.len(), 3);
    for options in schedulers() {
        assert_eq!(model.predict(&x).unwrap().compute_with(&options).unwrap(), targets);
    }
}

#[test]
fn classes_of_any_type_are_numbered_and_named_again() {
    check_classes([7_i64, -3, 100], [-3, 7, 100]);
    check_classes([200_u8, 0, 9], [0, 9, 200]);
    check_classes([u64::MAX, 1, 5], [1, 5, u64::MAX]);
    check_classes([0.5_f64, -1.5, f64::INFINITY], [-1.5, 0.5, f64::INFINITY]);
    let x = Array::from_array(rows(3, 2), 2);
    let fit = |y: Array1<f64>| ParallelPostFit::fit_classes(&Nearest, &x, &Array::from_array(y, 2)).err();
    assert!(matches!(fit(array![0.0, f64::NAN, 1.0]), Some(Error::NotALabel { row: 1 })));
    assert!(matches!(fit(array![0.0, 1.0]), Some(Error::RowMismatch { .. })));
}

#[test]
fn clusters_are_read_as_indices() {
    let data = rows(40, 2);
    let x = Array::from_array(data.clone(), (7, 1));
    let model = ParallelPostFit::fit_unlabeled(&Halves, &x).unwrap();
    let mean = data.column(0).mean().unwrap();
    let expected = data.column(0).mapv(|value| u64::from(value > mean));
    for options in schedulers() {
        assert_eq!(model.predict_index(&x).unwrap().compute_with(&options).unwrap(), expected);
    }
    let other = Array::from_array(rows(10, 3), 5);
    assert!(matches!(model.predict_index(&other), Err(Error::ColumnMismatch { expected: 2, .. })));
    let none = Array::from_array(rows(0, 2), 1);
    assert!(matches!(ParallelPostFit::fit_unlabeled(&Halves, &none), Err(Error::TooFewRows { .. })));
}
