//! Logistic regression: the fit by passes over the data, and the fitted model.

use std::sync::Arc;

use musher_array::Array;
use musher_graph_core::{Facts, Key, Site, Token, Tokenizer};
use musher_scheduler::Options;
use ndarray::{Array1, Array2, Axis, Ix0, Ix1, Ix2};

use crate::blocks::{check_columns, rows_with_targets, values};
use crate::error::Error;
use crate::exact::Exact;
use crate::fit::{Fit, Predict};
use crate::kernel::labels::{Distinct, class_of};
use crate::kernel::logistic::{LogisticSums, logistic_sums, probabilities, scores};
use crate::kernel::newton::{Newton, Next, Problem};
use crate::label::Label;
use crate::metrics::accuracy_score;
use crate::parameters::{Penalty, ValidLogisticRegression};
use crate::rows::{Work, map, pass};
use crate::saved::saved;

/// More classes than this are taken for a measured quantity that was given as targets by mistake.
pub(crate) const MOST_CLASSES: usize = 1000;

impl<L: Label> Fit<(&Array<f64, Ix2>, &Array<L, Ix1>)> for ValidLogisticRegression {
    type Fitted = FittedLogisticRegression<L>;

    #[track_caller]
    fn fit_with(
        &self,
        data: (&Array<f64, Ix2>, &Array<L, Ix1>),
        options: &Options,
    ) -> Result<FittedLogisticRegression<L>, Error> {
        let (x, y) = rows_with_targets(data, 2, Site::caller())?;
        let classes = classes(&y, options)?;
        let n_columns = x.shape()[1];
        let problem = Problem {
            width: n_columns + usize::from(self.intercept),
            outputs: if classes.len() == 2 { 1 } else { classes.len() },
            intercept: self.intercept,
            ridge: match self.penalty {
                Penalty::None => 0.0,
                Penalty::L2 { c } => 1.0 / c,
            },
            tolerance: self.tolerance,
            max_iterations: self.max_iterations,
        };
        let losses = Losses { x: &x, y: &y, classes: classes.clone().into(), intercept: self.intercept };
        let (coefficients, iterations, least_margin) = self.descend(&problem, &losses, options)?;
        let is_separated = self.penalty == Penalty::None && least_margin > 0.0;
        let table = Array2::from_shape_vec((problem.outputs, problem.width), coefficients)
            .expect("one vector of coefficients per output");
        let (coefficients, intercepts) = match self.intercept {
            true => {
                let (left, right) = table.view().split_at(Axis(1), n_columns);
                (left.to_owned(), right.column(0).to_owned())
            }
            false => (table, Array1::zeros(problem.outputs)),
        };
        Ok(FittedLogisticRegression { classes, coefficients, intercepts, iterations, is_separated })
    }
}

impl ValidLogisticRegression {
    /// Newton's method: one pass over the data for each set of coefficients it asks about. Gives the coefficients, the steps
    /// that they took, and the least margin of a row at them.
    #[track_caller]
    fn descend<L: Label>(
        &self,
        problem: &Problem,
        losses: &Losses<'_, L>,
        options: &Options,
    ) -> Result<(Vec<f64>, usize, f64), Error> {
        let (mut newton, mut next) = Newton::new(problem.clone());
        let mut least_margin = f64::NEG_INFINITY;
        loop {
            match next {
                Next::Evaluate(coefficients) => {
                    let sums = losses.at(coefficients, options)?;
                    if let Some(cell) = sums.non_finite {
                        return Err(cell.into());
                    }
                    // The fit ends at the coefficients that were reported last.
                    least_margin = sums.least_margin;
                    next = newton.report(&sums);
                }
                Next::Done { coefficients, iterations } => {
                    return Ok((coefficients, iterations, least_margin));
                }
                Next::Failed { iterations, gradient } => {
                    return Err(Error::NotConverged { iterations, gradient, tolerance: self.tolerance });
                }
            }
        }
    }
}

/// What each pass over the data shares.
struct Losses<'a, L> {
    x: &'a Array<f64, Ix2>,
    y: &'a Array<L, Ix1>,
    classes: Arc<[L]>,
    intercept: bool,
}

impl<L: Label> Losses<'_, L> {
    /// One pass: what the rows say about the loss at these coefficients.
    #[track_caller]
    fn at(&self, coefficients: Vec<f64>, options: &Options) -> Result<LogisticSums, Error> {
        let (classes, intercept, columns) = (Arc::clone(&self.classes), self.intercept, self.x.shape()[1]);
        let n = coefficients.len();
        let output = (n + n * n) * 8;
        let work = Work {
            label: "logistic loss",
            name: "ml.logistic/2",
            parameters: (coefficients.clone(), token_of(&classes), intercept),
            facts: move |rows| {
                let values = rows * columns;
                let facts = Facts::bytes(output as u64).scratch((output + (128 + values) * 8) as u64);
                facts.cost((values * (n + 8) / 4) as u64)
            },
        };
        pass((self.x, self.y), work, options, move |(x, y), (first_row, _)| {
            let mut targets = Vec::with_capacity(y.len());
            for (row, label) in y.iter().enumerate() {
                let class = class_of(&classes, label).ok_or(Error::NewLabel { row: first_row + row })?;
                targets.push(class as u32);
            }
            Ok(logistic_sums(x, &targets, &coefficients, classes.len(), intercept, first_row))
        })
    }
}

/// A digest of the classes, for fingerprints.
fn token_of<L: Label>(classes: &[L]) -> Key {
    let mut tokenizer = Tokenizer::new();
    tokenizer.name(L::NAME);
    for label in classes {
        let mut bytes = [0; 16];
        label.store(&mut bytes);
        bytes.token(&mut tokenizer);
    }
    tokenizer.finish()
}

/// The distinct targets in ascending order: one pass over `y`.
#[track_caller]
fn classes<L: Label>(y: &Array<L, Ix1>, options: &Options) -> Result<Vec<L>, Error> {
    let work = Work {
        label: "classes",
        name: "ml.classes/1",
        parameters: MOST_CLASSES,
        facts: |rows| {
            Facts::bytes((MOST_CLASSES * size_of::<L>()) as u64).cost((rows * size_of::<L>()) as u64)
        },
    };
    let found: Distinct<L> =
        pass(y, work, options, |labels, (first_row, _)| Ok(Distinct::of(labels, first_row, MOST_CLASSES)))?;
    match found {
        Distinct { not_a_label: Some(row), .. } => Err(Error::NotALabel { row }),
        Distinct { too_many: true, .. } => Err(Error::TooManyClasses { limit: MOST_CLASSES }),
        Distinct { labels, .. } if labels.len() < 2 => Err(Error::SingleClass),
        Distinct { labels, .. } => Ok(labels),
    }
}

/// A fitted [`LogisticRegression`](crate::LogisticRegression).
///
/// It can be saved and read back with serde.
#[derive(Clone, Debug, PartialEq)]
pub struct FittedLogisticRegression<L> {
    classes: Vec<L>,
    /// Outputs × columns.
    coefficients: Array2<f64>,
    /// One per output.
    intercepts: Array1<f64>,
    iterations: usize,
    is_separated: bool,
}

impl<L: Label> FittedLogisticRegression<L> {
    /// The labels in ascending order.
    #[doc(alias = "classes_")]
    pub fn classes(&self) -> &[L] {
        &self.classes
    }

    /// One row of coefficients for two classes (those of the second), else one row per class.
    #[doc(alias = "coef_")]
    pub fn coefficients(&self) -> &Array2<f64> {
        &self.coefficients
    }

    /// One intercept for each row of coefficients; zeros if none was fitted.
    #[doc(alias = "intercept_")]
    pub fn intercepts(&self) -> &[f64] {
        values(&self.intercepts)
    }

    /// Newton steps that the fit took.
    #[doc(alias = "n_iter_")]
    pub fn iterations(&self) -> usize {
        self.iterations
    }

    /// Whether the coefficients are only where the fit stopped, because there are no best ones: it had no penalty, and its
    /// rows can be told apart without an error, so that larger coefficients are always better.
    ///
    /// Predictions are right on all rows of the fit; probabilities near 0 and 1 mean nothing. Give a penalty to have
    /// coefficients that do. Rows that lie on the very border between classes hide a separation.
    ///
    /// # Examples
    /// ```
    /// use musher_ml::prelude::*;
    /// use ndarray::array;
    /// let x = Array::from_array(array![[-1.0], [-0.5], [0.5], [1.0]], 2);
    /// let y = Array::from_array(array![0i64, 0, 1, 1], 2);
    /// let free = LogisticRegression::new().penalty(Penalty::None).fit((&x, &y))?;
    /// assert!(free.is_separated() && free.coefficients()[[0, 0]] > 10.0);
    /// assert!(!LogisticRegression::new().fit((&x, &y))?.is_separated());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[doc(alias = "PerfectSeparationWarning")]
    pub fn is_separated(&self) -> bool {
        self.is_separated
    }

    /// The score of each row and output: `x · w + b`.
    ///
    /// **Shape** `(n, m) → (n, 1)` for two classes, where a positive score means the second, else `(n, classes)`;
    /// the row blocks of `x`. **Cost** one pass.
    ///
    /// # Errors
    /// [`Error::ColumnMismatch`] here, [`Error::NonFinite`] when computed.
    ///
    /// # Examples
    /// ```
    /// use musher_ml::prelude::*;
    /// use ndarray::array;
    /// let x = Array::from_array(array![[-1.0], [-0.5], [0.5], [1.0]], 2);
    /// let y = Array::from_array(array![0i64, 0, 1, 1], 2);
    /// let model = LogisticRegression::new().fit((&x, &y))?;
    /// let scores = model.decision_function(&x)?.compute()?;
    /// assert!(scores[[0, 0]] < 0.0 && scores[[3, 0]] > 0.0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn decision_function(&self, x: &Array<f64, Ix2>) -> Result<Array<f64, Ix2>, Error> {
        check_columns(self.coefficients.ncols(), x, Site::caller())?;
        let (names, outputs) =
            (("decision function", "ml.logistic.decision function/1"), self.intercepts.len());
        let copy = |scores: &[f64], into: &mut [f64]| into.copy_from_slice(scores);
        Ok(self.of_scores(x, names, outputs, copy))
    }

    /// The probability of each class, in the order of [`classes`](Self::classes).
    ///
    /// **Shape** `(n, m) → (n, classes)`, the row blocks of `x`. **Cost** one pass.
    ///
    /// # Errors
    /// [`Error::ColumnMismatch`] here, [`Error::NonFinite`] when computed.
    ///
    /// # Examples
    /// ```
    /// use musher_ml::prelude::*;
    /// use ndarray::array;
    /// let x = Array::from_array(array![[-1.0], [0.0], [1.0], [2.0]], 2);
    /// let y = Array::from_array(array![0i64, 1, 0, 1], 2);
    /// let model = LogisticRegression::new().fit((&x, &y))?;
    /// let rows = model.predict_proba(&x)?.compute()?.sum_axis(ndarray::Axis(1));
    /// assert!(rows.iter().all(|sum| (sum - 1.0).abs() < 1e-12));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn predict_proba(&self, x: &Array<f64, Ix2>) -> Result<Array<f64, Ix2>, Error> {
        check_columns(self.coefficients.ncols(), x, Site::caller())?;
        let names = ("probabilities", "ml.logistic.probabilities/1");
        Ok(self.of_scores(x, names, self.classes.len(), probabilities))
    }

    /// The share of rows whose label is predicted right.
    ///
    /// **Shape** `(n, m), (n,) → ()`. **Cost** one pass.
    ///
    /// # Errors
    /// [`Error::ColumnMismatch`], [`Error::RowMismatch`] or [`Error::TooFewRows`] here, [`Error::NonFinite`] when
    /// computed.
    ///
    /// # Examples
    /// ```
    /// use musher_ml::prelude::*;
    /// use ndarray::array;
    /// let x = Array::from_array(array![[-1.0], [-0.5], [0.5], [1.0]], 2);
    /// let y = Array::from_array(array![0i64, 0, 1, 1], 2);
    /// let model = LogisticRegression::new().fit((&x, &y))?;
    /// assert_eq!(model.score(&x, &y)?.compute()?, 1.0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn score(&self, x: &Array<f64, Ix2>, y: &Array<L, Ix1>) -> Result<Array<f64, Ix0>, Error> {
        accuracy_score(y, &self.predict(x)?)
    }

    /// Coefficients and intercepts as the kernels want them.
    fn packed(&self) -> Vec<f64> {
        let rows = self.coefficients.rows().into_iter().zip(&self.intercepts);
        rows.flat_map(|(row, intercept)| row.iter().copied().chain([*intercept]).collect::<Vec<_>>())
            .collect()
    }

    /// One row of numbers for each row of `x`, made of its scores.
    #[track_caller]
    fn of_scores(
        &self,
        x: &Array<f64, Ix2>,
        (label, name): (&'static str, &'static str),
        width: usize,
        of_scores: fn(&[f64], &mut [f64]),
    ) -> Array<f64, Ix2> {
        let (packed, outputs, n_classes) = (self.packed(), self.intercepts.len(), self.classes.len());
        let parameters = (packed.clone(), n_classes);
        let work = Work { label, name, parameters, facts: score_facts(x.shape()[1]) };
        map(x, Ix1(width), work, move |block, first_row| {
            let rows = block.nrows();
            let scores = scores(block, &packed, n_classes, true, first_row).map_err(Error::from)?;
            let mut out = vec![0.0; rows * width];
            for (scores, into) in scores.chunks_exact(outputs).zip(out.chunks_exact_mut(width)) {
                of_scores(scores, into);
            }
            Ok(Array2::from_shape_vec((rows, width), out)?)
        })
    }

    /// Whether what was read back belongs together.
    fn check(&self) -> Result<(), &'static str> {
        let n_classes = self.classes.len();
        if n_classes < 2 || !self.classes.is_sorted_by(|a, b| a.order(b).is_lt()) {
            return Err("its classes are not at least two in ascending order");
        }
        let outputs = if n_classes == 2 { 1 } else { n_classes };
        let (rows, columns) = self.coefficients.dim();
        if columns == 0 || [rows, self.intercepts.len()] != [outputs; 2] {
            return Err("its coefficients do not match its classes");
        }
        if !self.coefficients.iter().chain(&self.intercepts).all(|value| value.is_finite()) {
            return Err("a coefficient is not finite");
        }
        Ok(())
    }
}

impl<L: Label> Predict for FittedLogisticRegression<L> {
    type Target = L;

    #[track_caller]
    fn predict(&self, x: &Array<f64, Ix2>) -> Result<Array<L, Ix1>, Error> {
        check_columns(self.coefficients.ncols(), x, Site::caller())?;
        let (packed, outputs, classes) = (self.packed(), self.intercepts.len(), self.classes.clone());
        let work = Work {
            label: "predict",
            name: "ml.logistic.predict/1",
            parameters: (packed.clone(), token_of(&classes)),
            facts: score_facts(x.shape()[1]),
        };
        Ok(map(x, Ix0(), work, move |block, first_row| {
            let scores = scores(block, &packed, classes.len(), true, first_row).map_err(Error::from)?;
            Ok(scores.chunks_exact(outputs).map(|scores| classes[best(scores)]).collect())
        }))
    }
}

/// The class that scores of one row speak for; of equals the first.
fn best(scores: &[f64]) -> usize {
    match scores {
        [score] => usize::from(*score > 0.0),
        scores => {
            (1..scores.len()).fold(0, |best, class| if scores[class] > scores[best] { class } else { best })
        }
    }
}

/// Facts of a task that makes a score of each row.
fn score_facts(columns: usize) -> impl Fn(usize) -> Facts + Send + Sync + 'static {
    move |rows| {
        Facts::default().scratch((8 * rows + 128 * 8 * columns) as u64).cost((2 * rows * columns) as u64)
    }
}

saved! {
    "LogisticRegression" version 1: [L: Label] FittedLogisticRegression<L> as SavedLogistic
    { labels: L::NAME, else "its labels are of another type"; }
    {
        classes: Vec<String>,
        coefficients: Vec<Vec<Exact>>,
        intercepts: Vec<Exact>,
        iterations: usize,
        /// The first models that were saved do not say it.
        #[serde(default)]
        is_separated: bool,
    }
}
