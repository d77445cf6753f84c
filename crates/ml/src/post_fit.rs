//! Models of other libraries, fitted in memory, that predict chunk by chunk.

use std::any::type_name;
use std::sync::Arc;

use linfa::traits::{Fit, PredictInplace};
use musher_array::{Array, Element};
use musher_graph_core::{Facts, Identity, Site};
use musher_scheduler::{Compute, Options, compute_with};
use ndarray::{Array1, Array2, ArrayView2, Ix0, Ix1, Ix2};

use crate::blocks::{check_columns, check_data, check_rows};
use crate::bridge;
use crate::error::Error;
use crate::kernel::labels::{Distinct, class_of};
use crate::label::Label;
use crate::logistic::MOST_CLASSES;
use crate::rows::{Work, map};

/// A model that predicts a `T` for each row of a block.
///
/// Every linfa model that predicts one `T` a row of `f64` is one. Implement it for a model of your own to use it in a
/// [`ParallelPostFit`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not predict one `{T}` for each row of `f64`",
    note = "a model of linfa that predicts `usize` is read with `predict_index`; a classifier that needs labels of type `usize` \
            is fitted with `ParallelPostFit::fit_classes`"
)]
pub trait PredictRows<T> {
    /// One prediction per row.
    fn predict_rows(&self, rows: ArrayView2<'_, f64>) -> Array1<T>;
}

impl<M, T: Clone> PredictRows<T> for M
where
    M: for<'a> PredictInplace<ndarray16::ArrayView2<'a, f64>, ndarray16::Array1<T>>,
{
    fn predict_rows(&self, rows: ArrayView2<'_, f64>) -> Array1<T> {
        let rows = rows.as_standard_layout();
        let view = rows.view();
        let rows = bridge::view(&view).expect("a standard layout is one slice");
        let mut targets = self.default_target(&rows);
        self.predict_inplace(&rows, &mut targets);
        bridge::vector_back(targets)
    }
}

/// An estimator that learns a `T` for each row from rows in memory.
///
/// Every linfa estimator that takes one `T` a row of `f64` is one; one that needs no targets takes `()`. `E` is its error
/// type, which the compiler finds.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not learn from one `{T}` for each row of `f64`",
    note = "classifiers of linfa take labels of type `bool` or `usize`: with `ParallelPostFit::fit_classes` any label type will do",
    note = "an estimator without targets is fitted with `ParallelPostFit::fit_unlabeled`"
)]
pub trait FitRows<T, E> {
    /// The fitted model.
    type Model;

    /// Learns from all rows at once.
    ///
    /// # Errors
    /// Those of the estimator.
    fn fit_rows(&self, x: Array2<f64>, y: Array1<T>) -> Result<Self::Model, E>;
}

impl<P, T, E> FitRows<T, E> for P
where
    T: Clone,
    E: std::error::Error + From<linfa::error::Error>,
    P: Fit<ndarray16::Array2<f64>, ndarray16::Array1<T>, E>,
{
    type Model = P::Object;

    fn fit_rows(&self, x: Array2<f64>, y: Array1<T>) -> Result<P::Object, E> {
        self.fit(&linfa::DatasetBase::new(bridge::matrix(x), bridge::vector(y)))
    }
}

/// A model that was fitted in memory and predicts chunk by chunk.
///
/// Many models learn all they can from a sample, but have to say something about all rows. What works of linfa are models
/// of `f64` rows with one target a row; parameters, guards and errors are linfa's own:
///
/// | the estimator learns | fit it with | read it with |
/// |---|---|---|
/// | an element of an array (`f64`, `bool`, …): regressions, two classes | [`fit`](Self::fit) | [`predict`](Self::predict) |
/// | classes that linfa wants as `usize`: trees, naive Bayes, … | [`fit_classes`](Self::fit_classes), with labels of any type | [`predict`](Self::predict) |
/// | nothing but rows: clusters | [`fit_unlabeled`](Self::fit_unlabeled) | [`predict_index`](Self::predict_index) |
///
/// Several targets a row, and rows of `f32`, do not.
///
/// # Examples
/// A linear regression of `linfa-linear`:
/// ```
/// use linfa_linear::LinearRegression;
/// use musher_ml::prelude::*;
/// use ndarray::{Array1, Array2, array};
/// let x = Array::from_array(Array2::from_shape_fn((1000, 2), |(i, j)| ((i * (3 + j)) % 17) as f64), 100);
/// let y = Array::from_array(Array1::from_shape_fn(1000, |i| ((i * 3) % 17) as f64 * 2.0 + 1.0), 100);
///
/// let sample = train_test_split(&x, &y, 200)?;
/// let model = ParallelPostFit::fit(&LinearRegression::new(), &sample.x_test, &sample.y_test)?;
/// let error = (model.predict(&x)? - &y).compute()?;
/// assert!(error.iter().all(|error| error.abs() < 1e-9));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A classifier of `linfa-logistic`, whose parameter guard speaks for itself:
/// ```
/// use linfa_logistic::LogisticRegression as Linfa;
/// use musher_ml::prelude::*;
/// use ndarray::array;
/// let x = Array::from_array(array![[-2.0], [-1.0], [1.0], [2.0]], 2);
/// let y = Array::from_array(array![false, false, true, true], 2);
/// let model = ParallelPostFit::fit(&Linfa::default().max_iterations(50), &x, &y)?;
/// assert_eq!(model.predict(&x)?.compute()?, array![false, false, true, true]);
///
/// let error = ParallelPostFit::fit(&Linfa::default().alpha(-1.0), &x, &y).err().unwrap();
/// let source = std::error::Error::source(&error).unwrap().to_string();
/// assert!(source.contains("alpha must be a positive"), "{source}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias = "dask_ml.wrappers.ParallelPostFit")]
pub struct ParallelPostFit<M> {
    model: Arc<M>,
    /// What tells a model from every other one.
    identity: Identity,
    /// Columns it was fitted on, where that is known.
    columns: Option<usize>,
}

impl<M> Clone for ParallelPostFit<M> {
    fn clone(&self) -> Self {
        ParallelPostFit { model: Arc::clone(&self.model), ..*self }
    }
}

impl<M: Send + Sync + 'static> ParallelPostFit<M> {
    /// Wraps a model that is fitted already.
    ///
    /// # Examples
    /// ```
    /// use musher_ml::prelude::*;
    /// use ndarray::{Array1, ArrayView2, array};
    /// struct FirstColumn;
    /// impl PredictRows<f64> for FirstColumn {
    ///     fn predict_rows(&self, rows: ArrayView2<'_, f64>) -> Array1<f64> {
    ///         rows.column(0).to_owned()
    ///     }
    /// }
    /// let x = Array::from_array(array![[1.0, 2.0], [3.0, 4.0]], 1);
    /// assert_eq!(ParallelPostFit::new(FirstColumn).predict(&x)?.compute()?, array![1.0, 3.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(model: M) -> Self {
        ParallelPostFit { model: Arc::new(model), identity: Identity::fresh(), columns: None }
    }

    /// Computes `x` and `y` into memory and lets the estimator learn from them.
    ///
    /// **Cost** one pass over both, which must fit in memory: give it a sample ([`train_test_split`](crate::train_test_split)).
    ///
    /// # Errors
    /// [`Error::RowMismatch`], [`Error::TooFewRows`] or [`Error::NoColumns`] for wrong shapes, [`Error::Compute`] if the
    /// pass fails, [`Error::Estimator`] if the estimator does, its own error being the source.
    #[track_caller]
    pub fn fit<P, T, E>(estimator: &P, x: &Array<f64, Ix2>, y: &Array<T, Ix1>) -> Result<Self, Error>
    where
        P: FitRows<T, E, Model = M>,
        T: Element,
        E: std::error::Error + Send + Sync + 'static,
    {
        let caller = Site::caller();
        check_data(x, 1, caller)?;
        check_rows(x.shape()[0], y.shape()[0], caller)?;
        let (rows, targets) = compute_with((x, y), &Options::default())?;
        let columns = rows.ncols();
        Ok(Self { columns: Some(columns), ..Self::new(learn(estimator, rows, targets)?) })
    }

    /// Computes `x` into memory and lets an estimator learn from it that needs no targets, such as one of clusters.
    ///
    /// **Cost** one pass over `x`, which must fit in memory: give it a sample.
    ///
    /// # Errors
    /// As [`fit`](Self::fit).
    ///
    /// # Examples
    /// An estimator of your own; `linfa_clustering::KMeans` takes its place as it is:
    /// ```
    /// use std::convert::Infallible;
    /// use musher_ml::prelude::*;
    /// use ndarray::{Array1, Array2, ArrayView2, array};
    /// struct TwoSides;
    /// struct Middle(f64);
    /// impl FitRows<(), Infallible> for TwoSides {
    ///     type Model = Middle;
    ///     fn fit_rows(&self, x: Array2<f64>, _: Array1<()>) -> Result<Middle, Infallible> {
    ///         Ok(Middle(x.mean().unwrap_or(0.0)))
    ///     }
    /// }
    /// impl PredictRows<usize> for Middle {
    ///     fn predict_rows(&self, rows: ArrayView2<'_, f64>) -> Array1<usize> {
    ///         rows.column(0).mapv(|value| usize::from(value > self.0))
    ///     }
    /// }
    /// let x = Array::from_array(array![[-2.0], [1.5], [-1.0], [2.0]], 2);
    /// let model = ParallelPostFit::fit_unlabeled(&TwoSides, &x)?;
    /// assert_eq!(model.predict_index(&x)?.compute()?, array![0, 1, 0, 1]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn fit_unlabeled<P, E>(estimator: &P, x: &Array<f64, Ix2>) -> Result<Self, Error>
    where
        P: FitRows<(), E, Model = M>,
        E: std::error::Error + Send + Sync + 'static,
    {
        check_data(x, 1, Site::caller())?;
        let rows = x.compute()?;
        let (columns, targets) = (rows.ncols(), Array1::from_elem(rows.nrows(), ()));
        Ok(Self { columns: Some(columns), ..Self::new(learn(estimator, rows, targets)?) })
    }

    /// Predicts chunk by chunk, lazily.
    ///
    /// **Shape** `(n, m) → (n,)`, the row blocks of `x`. **Cost** one pass.
    ///
    /// # Errors
    /// [`Error::ColumnMismatch`] if the model was fitted here on another number of columns.
    #[track_caller]
    pub fn predict<T: Element>(&self, x: &Array<f64, Ix2>) -> Result<Array<T, Ix1>, Error>
    where
        M: PredictRows<T>,
    {
        self.by_rows(x, |predictions| predictions)
    }

    /// As [`predict`](Self::predict), for a model that predicts indices, such as the cluster of a row.
    ///
    /// `usize` is no element of an array, because its width depends on the machine; the indices become `u64`.
    ///
    /// **Shape** `(n, m) → (n,)`, the row blocks of `x`. **Cost** one pass.
    ///
    /// # Errors
    /// As [`predict`](Self::predict).
    #[doc(alias = "KMeans")]
    #[track_caller]
    pub fn predict_index(&self, x: &Array<f64, Ix2>) -> Result<Array<u64, Ix1>, Error>
    where
        M: PredictRows<usize>,
    {
        self.by_rows(x, |predictions: Array1<usize>| predictions.mapv(|index| index as u64))
    }

    /// One element for each row, made of what the model predicts.
    #[track_caller]
    fn by_rows<T, B: Element>(
        &self,
        x: &Array<f64, Ix2>,
        elements: fn(Array1<T>) -> Array1<B>,
    ) -> Result<Array<B, Ix1>, Error>
    where
        M: PredictRows<T>,
        T: 'static,
    {
        if let Some(columns) = self.columns {
            check_columns(columns, x, Site::caller())?;
        }
        let work = Work {
            label: "predict",
            name: "ml.post_fit/1",
            parameters: (self.identity, type_name::<T>(), B::NAME),
            facts: |_| Facts::default(),
        };
        let model = Arc::clone(&self.model);
        Ok(map(x, Ix0(), work, move |rows, _| {
            let expected = rows.nrows();
            let predictions = elements(model.predict_rows(rows));
            match predictions.len() {
                found if found == expected => Ok(predictions),
                found => Err(Error::PredictionCount { expected, found }.into()),
            }
        }))
    }

    /// The model.
    pub fn model(&self) -> &M {
        &self.model
    }
}

/// A classifier that knows classes as numbers from 0 on, and the labels that the numbers stand for.
///
/// It is what [`ParallelPostFit::fit_classes`] wraps.
#[derive(Clone, Debug)]
pub struct Coded<M, L> {
    model: M,
    classes: Vec<L>,
}

impl<M, L> Coded<M, L> {
    /// The classifier, whose classes are numbers.
    pub fn model(&self) -> &M {
        &self.model
    }

    /// The labels in ascending order; a class is the place of its label.
    #[doc(alias = "classes_")]
    pub fn classes(&self) -> &[L] {
        &self.classes
    }
}

impl<M: PredictRows<usize>, L: Label> PredictRows<L> for Coded<M, L> {
    fn predict_rows(&self, rows: ArrayView2<'_, f64>) -> Array1<L> {
        self.model.predict_rows(rows).mapv(|class| self.classes[class])
    }
}

impl<M: Send + Sync + 'static, L: Label> ParallelPostFit<Coded<M, L>> {
    /// As [`fit`](ParallelPostFit::fit), for a classifier that takes its classes as `usize`: labels of any type are numbered
    /// in ascending order, and [`predict`](ParallelPostFit::predict) gives labels again.
    ///
    /// **Cost** one pass over `x` and `y`, which must fit in memory: give it a sample.
    ///
    /// # Errors
    /// As [`fit`](ParallelPostFit::fit); [`Error::NotALabel`] for a label that is NaN, [`Error::TooManyClasses`] for more
    /// than 1000 classes.
    ///
    /// # Examples
    /// ```
    /// use linfa_logistic::LogisticRegression as Linfa;
    /// use musher_ml::prelude::*;
    /// use ndarray::array;
    /// let x = Array::from_array(array![[-2.0], [-1.0], [1.0], [2.0]], 2);
    /// let y = Array::from_array(array![30_u32, 30, 7, 7], 2);
    /// let model = ParallelPostFit::fit_classes(&Linfa::default(), &x, &y)?;
    /// assert_eq!(model.model().classes(), [7, 30]);
    /// assert_eq!(model.predict(&x)?.compute()?, array![30, 30, 7, 7]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn fit_classes<P, E>(estimator: &P, x: &Array<f64, Ix2>, y: &Array<L, Ix1>) -> Result<Self, Error>
    where
        P: FitRows<usize, E, Model = M>,
        E: std::error::Error + Send + Sync + 'static,
    {
        let caller = Site::caller();
        check_data(x, 1, caller)?;
        check_rows(x.shape()[0], y.shape()[0], caller)?;
        let (rows, labels) = compute_with((x, y), &Options::default())?;
        let (classes, codes) = numbered(&labels)?;
        let (columns, model) = (rows.ncols(), learn(estimator, rows, codes)?);
        Ok(Self { columns: Some(columns), ..Self::new(Coded { model, classes }) })
    }
}

/// The distinct labels in ascending order, and the place of each label among them.
fn numbered<L: Label>(labels: &Array1<L>) -> Result<(Vec<L>, Array1<usize>), Error> {
    match Distinct::of(labels.view(), 0, MOST_CLASSES) {
        Distinct { not_a_label: Some(row), .. } => Err(Error::NotALabel { row }),
        Distinct { too_many: true, .. } => Err(Error::TooManyClasses { limit: MOST_CLASSES }),
        Distinct { labels: classes, .. } => {
            let code = |label: &L| class_of(&classes, label).expect("the classes are those of these labels");
            let codes = labels.map(code);
            Ok((classes, codes))
        }
    }
}

/// Lets an estimator learn from what is in memory.
fn learn<P, T, E>(estimator: &P, rows: Array2<f64>, targets: Array1<T>) -> Result<P::Model, Error>
where
    P: FitRows<T, E>,
    E: std::error::Error + Send + Sync + 'static,
{
    let model = estimator.fit_rows(rows, targets);
    model.map_err(|source| Error::Estimator { estimator: type_name::<P>(), source: Box::new(source) })
}
