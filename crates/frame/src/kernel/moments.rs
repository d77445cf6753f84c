//! States of what is computed of deviations from a mean: variances, skewness, kurtosis, covariances, correlations.
//!
//! A state keeps the number of values, a pivot near the mean, the mean's distance from it, and sums of powers or products of
//! the distances from the mean. States of parts become that of the whole by the binomial expansion about the common mean,
//! without the cancellation of sums of squares.
//!
//! **Source** T. F. Chan, G. H. Golub, R. J. LeVeque, "Updating formulae and a pairwise algorithm for computing sample
//! variances", 1979; P. Pébay, "Formulas for robust, one-pass parallel computation of covariances and arbitrary-order
//! statistical moments", Sandia report SAND2008-6212, 2008, equations 2.1 and 3.8 for higher moments and products.

use polars::prelude::{DataType, Expr, NULL, PlSmallStr, col, lit, when};

/// A state column: its name, how rows fill it, and how those of several parts are merged.
pub(super) type StateColumn = (PlSmallStr, Expr, Expr);

/// Name of one of the columns of a state.
pub(super) fn part(name: &PlSmallStr, suffix: &str) -> PlSmallStr {
    format!("{name}{suffix}").into()
}

/// The value where the condition holds; else a missing float.
pub(super) fn or_null(condition: Expr, value: Expr) -> Expr {
    when(condition).then(value).otherwise(lit(NULL).cast(DataType::Float64))
}

/// One of several series of numbers of which a state knows the mean.
struct Mean {
    /// The columns of the pivot and of the mean's distance from it.
    pivot: PlSmallStr,
    distance: PlSmallStr,
    /// The values.
    x: Expr,
    /// The common column of counts.
    count: Expr,
}

impl Mean {
    fn centered(&self) -> Expr {
        self.x.clone() - self.x.clone().first_non_null()
    }

    /// Distances of the values from their mean.
    fn deviation(&self) -> Expr {
        self.centered() - self.centered().mean()
    }

    fn common_pivot(&self) -> Expr {
        col(self.pivot.clone()).first_non_null()
    }

    /// Distance of each partial mean from the common pivot.
    fn off(&self) -> Expr {
        (col(self.pivot.clone()) - self.common_pivot()) + col(self.distance.clone())
    }

    fn common_distance(&self) -> Expr {
        (self.off() * self.count.clone()).sum() / self.count.clone().sum()
    }

    /// Distance of each partial mean from the common mean.
    fn delta(&self) -> Expr {
        self.off() - self.common_distance()
    }

    fn columns(&self) -> [StateColumn; 2] {
        [
            (self.pivot.clone(), self.x.clone().first_non_null(), self.common_pivot()),
            (self.distance.clone(), self.centered().mean(), self.common_distance()),
        ]
    }
}

/// The columns of a variance: count, pivot, distance of the mean from the pivot, squared distances; with `higher` also the
/// sums of third and fourth powers.
pub(super) fn moments(name: &PlSmallStr, input: &Expr, higher: bool) -> Vec<StateColumn> {
    let [n, p, d, m, m3, m4] = ["n", "p", "d", "m", "m3", "m4"].map(|suffix| part(name, suffix));
    let x = input.clone().cast(DataType::Float64);
    let count = || col(n.clone()).cast(DataType::Float64);
    let mean = Mean { pivot: p, distance: d, x: x.clone(), count: count() };
    let squares = || mean.delta() * mean.delta();
    let mut columns = vec![(n.clone(), x.clone().count().cast(DataType::Int64), col(n.clone()).sum())];
    columns.extend(mean.columns());
    columns.push((
        m.clone(),
        mean.centered().var(0) * x.count().cast(DataType::Float64),
        col(m.clone()).sum() + (count() * squares()).sum(),
    ));
    if higher {
        let power = |n: usize| (1..n).fold(mean.deviation(), |power, _| power * mean.deviation()).sum();
        let mixed = lit(3.0) * mean.delta() * col(m.clone()) + count() * squares() * mean.delta();
        columns.push((m3.clone(), power(3), col(m3.clone()).sum() + mixed.sum()));
        let mixed = lit(4.0) * mean.delta() * col(m3)
            + lit(6.0) * squares() * col(m)
            + count() * squares() * squares();
        columns.push((m4.clone(), power(4), col(m4).sum() + mixed.sum()));
    }
    columns
}

/// The columns of a covariance of the pairs of which neither value is missing: count, both pivots and distances of the means,
/// products of the distances, and the squares of both.
pub(super) fn products(name: &PlSmallStr, x: &Expr, y: &Expr) -> Vec<StateColumn> {
    let [n, c] = ["n", "c"].map(|suffix| part(name, suffix));
    let paired = |x: &Expr, y: &Expr| {
        let x = x.clone().cast(DataType::Float64);
        when(y.clone().is_not_null()).then(x).otherwise(lit(NULL).cast(DataType::Float64))
    };
    let count = || col(n.clone()).cast(DataType::Float64);
    let [a, b] = [("p", "d", paired(x, y)), ("q", "e", paired(y, x))].map(|(pivot, distance, x)| Mean {
        pivot: part(name, pivot),
        distance: part(name, distance),
        x,
        count: count(),
    });
    let mut columns = vec![(n.clone(), a.x.clone().count().cast(DataType::Int64), col(n.clone()).sum())];
    columns.extend(a.columns());
    columns.extend(b.columns());
    for (sum, one, other) in [(c, &a, &b), (part(name, "v"), &a, &a), (part(name, "w"), &b, &b)] {
        let within = (one.deviation() * other.deviation()).sum();
        let between = (count() * one.delta() * other.delta()).sum();
        columns.push((sum.clone(), within, col(sum).sum() + between));
    }
    columns
}

/// The skewness from the columns of higher [`moments`].
pub(super) fn skew(name: &PlSmallStr, bias: bool) -> Expr {
    let (n, second) = (count(name), col(part(name, "m")) / count(name));
    let biased = col(part(name, "m3")) / n.clone() / (second.clone() * second.clone().sqrt());
    let biased = or_nan(is_spread(name), biased);
    match bias {
        true => or_null(n.gt(lit(0.0)), biased),
        false => {
            let corrected = biased * (n.clone() * (n.clone() - lit(1.0))).sqrt() / (n.clone() - lit(2.0));
            or_null(n.gt(lit(2.0)), corrected)
        }
    }
}

/// The kurtosis from the columns of higher [`moments`], less that of the normal distribution if `fisher`.
pub(super) fn kurtosis(name: &PlSmallStr, fisher: bool, bias: bool) -> Expr {
    let (n, second) = (count(name), col(part(name, "m")) / count(name));
    let biased = or_nan(is_spread(name), col(part(name, "m4")) / n.clone() / (second.clone() * second));
    let normal = lit(if fisher { 3.0 } else { 0.0 });
    match bias {
        true => or_null(n.gt(lit(0.0)), biased - normal),
        false => {
            let less = |k: f64| n.clone() - lit(k);
            let inner = (n.clone() + lit(1.0)) / less(3.0) * biased - lit(3.0) * less(1.0) / less(3.0);
            or_null(n.clone().gt(lit(3.0)), less(1.0) / less(2.0) * inner + lit(3.0) - normal)
        }
    }
}

/// The covariance from the columns of [`products`].
pub(super) fn covariance(name: &PlSmallStr, ddof: u8) -> Expr {
    let degrees = count(name) - lit(f64::from(ddof));
    or_null(degrees.clone().gt(lit(0.0)), col(part(name, "c")) / degrees)
}

/// Pearson's correlation from the columns of [`products`]; NaN where one side does not vary, or there is no pair.
pub(super) fn correlation(name: &PlSmallStr) -> Expr {
    let squares = col(part(name, "v")) * col(part(name, "w"));
    or_nan(squares.clone().gt(lit(0.0)), col(part(name, "c")) / squares.sqrt())
}

fn count(name: &PlSmallStr) -> Expr {
    col(part(name, "n")).cast(DataType::Float64)
}

/// Whether the values differ by more than their rounding.
fn is_spread(name: &PlSmallStr) -> Expr {
    let rounding = (col(part(name, "p")) + col(part(name, "d"))) * lit(f64::EPSILON);
    (col(part(name, "m")) / count(name)).gt(rounding.clone() * rounding)
}

fn or_nan(condition: Expr, value: Expr) -> Expr {
    when(condition).then(value).otherwise(lit(f64::NAN))
}
