//! The promises of every estimator: rows of eight times the memory limit, one pattern of bits.

use linfa_linear::LinearRegression as Linear;
use musher_array::Element;
use musher_array::ndarray::{Axis, Ix1, Ix2};
use musher_ml::prelude::*;
use musher_scheduler::Error;
use musher_testkit::{Cases, Size, digest};

use crate::post_fit::{Halves, Nearest};

/// Columns of the rows.
const COLUMNS: usize = 16;

/// Rows of as many bytes as the data, and labels that they decide.
fn data(size: Size) -> (Array<f64, Ix2>, Array<i64, Ix1>) {
    let rows = size.elements::<[f64; COLUMNS]>();
    let made = Classification::columns(COLUMNS).informative(4).scale(1.5).seed(5);
    let (x, y) = make_classification(rows, made.chunks(size.chunk::<[f64; COLUMNS]>())).unwrap();
    // A copy, so that the rows are chunks and not numbers made anew by each reader.
    (x.map_blocks(|block| block.to_owned()), y)
}

/// The digest of rows, which may be as many as the data: each row is added up.
fn read(rows: &Array<f64, Ix2>, options: &Options) -> Result<u64, Error> {
    read_vector(&rows.sum_axis(Axis(1)), options)
}

/// The digest of a vector, which may have an element for each row: its bits, added up.
fn read_vector<A: Element>(values: &Array<A, Ix1>, options: &Options) -> Result<u64, Error> {
    let word = |value: A| {
        let mut bytes = [0; 16];
        value.store(&mut bytes);
        (u64::from_le_bytes(*bytes.first_chunk().unwrap()).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as i64
    };
    Ok(digest([values.mapv(word).sum().compute_with(options)? as u64]))
}

fn bits<'a>(values: impl IntoIterator<Item = &'a f64>) -> u64 {
    digest(values.into_iter().map(|value| value.to_bits()))
}

/// What stopped the run of a fit.
fn stopped(error: musher_ml::Error) -> Error {
    match error {
        musher_ml::Error::Compute(error) => error,
        other => panic!("{other}"),
    }
}

/// A model of few rows, for what is then done to many.
fn model() -> FittedLogisticRegression<i64> {
    let (x, y) = make_classification(500, Classification::columns(COLUMNS).informative(4).seed(5)).unwrap();
    LogisticRegression::new().fit_with((&x, &y), &Options::sequential()).unwrap()
}

fn scaler() -> FittedStandardScaler {
    let (x, _) = make_classification(500, Classification::columns(COLUMNS).seed(5)).unwrap();
    StandardScaler::new().fit_with(&x, &Options::sequential()).unwrap()
}

fn scalers(cases: &mut Cases) {
    let names = "StandardScaler::new StandardScaler::fit_with";
    cases.add(names, |size, options| {
        let fitted = StandardScaler::new().fit_with(&data(size).0, options).map_err(stopped)?;
        Ok(bits(fitted.mean().iter().chain(fitted.variance())))
    });
    cases.add("StandardScaler::without_mean StandardScaler::without_scale", |size, options| {
        let plain = StandardScaler::new().without_mean().without_scale();
        let fitted = plain.fit_with(&data(size).0, options).map_err(stopped)?;
        Ok(bits(fitted.mean().iter().chain(fitted.variance())))
    });
    cases.add("FittedStandardScaler::transform", |size, options| {
        read(&scaler().transform(&data(size).0).unwrap(), options)
    });
    cases.add("FittedStandardScaler::inverse_transform", |size, options| {
        read(&scaler().inverse_transform(&data(size).0).unwrap(), options)
    });
}

fn classifiers(cases: &mut Cases) {
    let names = "LogisticRegression::new ValidLogisticRegression::fit_with LogisticRegression::max_iterations \
                 LogisticRegression::tolerance LogisticRegression::c";
    cases.add(names, |size, options| {
        let (x, y) = data(size);
        let estimator = LogisticRegression::new().c(0.5).max_iterations(100).tolerance(1e-3);
        let fitted = estimator.fit_with((&x, &y), options).map_err(stopped)?;
        Ok(bits(fitted.coefficients().iter().chain(fitted.intercepts())))
    });
    cases.add("LogisticRegression::penalty LogisticRegression::without_intercept", |size, options| {
        let (x, y) = data(size);
        let estimator = LogisticRegression::new().penalty(Penalty::None).without_intercept().tolerance(1e-3);
        let fitted = estimator.fit_with((&x, &y), options).map_err(stopped)?;
        Ok(bits(fitted.coefficients().iter().chain(fitted.intercepts())))
    });
    cases.add("FittedLogisticRegression::decision_function", |size, options| {
        read(&model().decision_function(&data(size).0).unwrap(), options)
    });
    cases.add("FittedLogisticRegression::predict_proba", |size, options| {
        read(&model().predict_proba(&data(size).0).unwrap(), options)
    });
    cases.add("FittedLogisticRegression::predict", |size, options| {
        read_vector(&model().predict(&data(size).0).unwrap(), options)
    });
    cases.add("FittedLogisticRegression::score", |size, options| {
        let (x, y) = data(size);
        Ok(bits(&[model().score(&x, &y).unwrap().compute_with(options)?]))
    });
    cases.add("accuracy_score", |size, options| {
        let (x, y) = data(size);
        let guess = x.index_axis(Axis(1), 0).mapv(|value| i64::from(value > 0.0));
        Ok(bits(&[accuracy_score(&y, &guess).unwrap().compute_with(options)?]))
    });
    cases.add("ParallelPostFit::new ParallelPostFit::fit ParallelPostFit::predict", |size, options| {
        let (few, targets) = make_classification(500, Classification::columns(COLUMNS).seed(5)).unwrap();
        let model = ParallelPostFit::fit(&Linear::new(), &few, &targets.mapv(|y| y as f64)).unwrap();
        read_vector(&model.predict(&data(size).0).unwrap(), options)
    });
    cases.add("ParallelPostFit::fit_classes", |size, options| {
        let (few, targets) = make_classification(500, Classification::columns(COLUMNS).seed(5)).unwrap();
        let model = ParallelPostFit::fit_classes(&Nearest, &few, &targets).unwrap();
        read_vector(&model.predict(&data(size).0).unwrap(), options)
    });
    cases.add("ParallelPostFit::fit_unlabeled ParallelPostFit::predict_index", |size, options| {
        let (few, _) = make_classification(500, Classification::columns(COLUMNS).seed(5)).unwrap();
        let model = ParallelPostFit::fit_unlabeled(&Halves, &few).unwrap();
        read_vector(&model.predict_index(&data(size).0).unwrap(), options)
    });
}

fn regressions(cases: &mut Cases) {
    let names = "LinearRegression::new ValidLinearRegression::fit_with LinearRegression::alpha";
    cases.add(names, |size, options| {
        let (x, y) = data(size);
        let fitted =
            LinearRegression::new().alpha(0.5).fit_with((&x, &y.cast()), options).map_err(stopped)?;
        Ok(bits(fitted.coefficients().iter().chain([&fitted.intercept()])))
    });
    cases.add("LinearRegression::without_intercept", |size, options| {
        let (x, y) = data(size);
        let estimator = LinearRegression::new().without_intercept();
        Ok(bits(estimator.fit_with((&x, &y.cast()), options).map_err(stopped)?.coefficients()))
    });
    let model = || {
        let (x, y) = make_classification(500, Classification::columns(COLUMNS).seed(5)).unwrap();
        LinearRegression::new().fit_with((&x, &y.cast()), &Options::sequential()).unwrap()
    };
    cases.add("FittedLinearRegression::predict", move |size, options| {
        read_vector(&model().predict(&data(size).0).unwrap(), options)
    });
    cases.add("FittedLinearRegression::score", move |size, options| {
        let (x, y) = data(size);
        Ok(bits(&[model().score(&x, &y.cast()).unwrap().compute_with(options)?]))
    });
    cases.add("r2_score", |size, options| {
        let (x, y) = data(size);
        let guess = x.index_axis(Axis(1), 0);
        Ok(bits(&[r2_score(&y.cast(), &guess).unwrap().compute_with(options)?]))
    });
}

fn datasets(cases: &mut Cases) {
    cases.add("make_classification", |size, options| {
        let (x, y) = data(size);
        Ok(digest([read(&x, options)?, read_vector(&y, options)?]))
    });
    cases.add("train_test_split", |size, options| {
        let (x, y) = data(size);
        let split = train_test_split(&x, &y, 0.25).unwrap();
        Ok(digest([read(&split.x_train, options)?, read_vector(&split.y_test, options)?]))
    });
    // A histogram of keys tells where to split.
    cases.beside(512 << 10);
    cases.add("train_test_split", |size, options| {
        let (x, y) = data(size);
        let split = train_test_split(&x, &y, TestPart::rows(x.shape()[0] / 3).seed(9)).unwrap();
        Ok(digest([read(&split.x_test, options)?, read_vector(&split.y_train, options)?]))
    });
    cases.beside(512 << 10);
    cases.add("train_test_split", |size, options| {
        let (x, y) = data(size);
        let split = train_test_split(&x, &y, TestPart::default().last_rows()).unwrap();
        Ok(digest([read(&split.x_test, options)?, read(&split.x_train, options)?]))
    });
}

musher_testkit::promises!("promises", cases());

fn cases() -> Cases {
    let mut cases = Cases::new("ml");
    for family in [scalers, classifiers, regressions, datasets] {
        family(&mut cases);
    }
    cases
}

#[test]
fn no_more_memory_than_projected() {
    println!("{}", cases().check_projections(|work| allocation_counter::measure(work).bytes_max));
}
