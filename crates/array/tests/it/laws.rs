//! Random numbers of distributions with parameters: whether they are as often as SciPy says, and the same in all blocks.

use crate::cases::{Case, cases_of};
use musher_array::ndarray::{Array1, Axis, Ix1, IxDyn};
use musher_array::random::{self, Random};
use musher_array::{Array, Error};
use musher_scheduler::Compute;

/// How many numbers are drawn for each case, and in how many blocks.
const N: usize = 60_000;
const BLOCK: usize = 9_000;

/// Chi-square of up to nine degrees of freedom is above this once in a million times; seeds are fixed.
const MOST: f64 = 46.0;

fn parameters(case: &Case) -> Vec<f64> {
    case.parameter("parameters").as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect()
}

/// The numbers of a law, those of counts as floats, in blocks of this length.
fn drawn(case: &Case, block: usize) -> Array<f64, Ix1> {
    let given = parameters(case);
    let (a, b, c) = (
        given.first().copied().unwrap_or_default(),
        given.get(1).copied().unwrap_or_default(),
        given.get(2).copied().unwrap_or_default(),
    );
    let float = |law: Result<Random<f64, Ix1>, Error>| law.unwrap().seed(11).build();
    let count = |law: Result<Random<i64, Ix1>, Error>| law.unwrap().seed(11).build().cast::<f64>();
    match case.operation() {
        "gamma" => float(random::gamma(a, N, block)),
        "beta" => float(random::beta(a, b, N, block)),
        "lognormal" => float(random::lognormal(a, b, N, block)),
        "chisquare" => float(random::chisquare(a, N, block)),
        "student_t" => float(random::student_t(a, N, block)),
        "fisher_f" => float(random::fisher_f(a, b, N, block)),
        "weibull" => float(random::weibull(a, N, block)),
        "pareto" => float(random::pareto(a, N, block)),
        "power" => float(random::power(a, N, block)),
        "rayleigh" => float(Ok(random::rayleigh(N, block))),
        "laplace" => float(Ok(random::laplace(N, block))),
        "logistic" => float(Ok(random::logistic(N, block))),
        "gumbel" => float(Ok(random::gumbel(N, block))),
        "cauchy" => float(Ok(random::cauchy(N, block))),
        "triangular" => float(random::triangular(a, b, c, N, block)),
        "von_mises" => float(random::von_mises(a, b, N, block)),
        "wald" => float(random::wald(a, b, N, block)),
        "noncentral_chisquare" => float(random::noncentral_chisquare(a, b, N, block)),
        "noncentral_f" => float(random::noncentral_f(a, b, c, N, block)),
        "poisson" => count(random::poisson(a, N, block)),
        "binomial" => count(random::binomial(a as u64, b, N, block)),
        "geometric" => count(random::geometric(a, N, block)),
        "negative_binomial" => count(random::negative_binomial(a, b, N, block)),
        "hypergeometric" => count(random::hypergeometric(a as u64, b as u64, c as u64, N, block)),
        "zipf" => count(random::zipf(a, N, block)),
        "logseries" => count(random::logseries(a, N, block)),
        other => panic!("nobody reads the cases of {other}"),
    }
}

/// How far the counts of bins are from their shares of all numbers, as chi-square; rare bins are joined with their neighbors.
fn distance(values: &Array1<f64>, edges: &[f64], shares: &[f64]) -> f64 {
    let mut counts = vec![0.0; shares.len()];
    for value in values {
        counts[edges.partition_point(|edge| edge < value)] += 1.0;
    }
    let (mut sum, mut count, mut expected) = (0.0, 0.0, 0.0);
    let mut bins = counts.iter().zip(shares).peekable();
    while let Some((&found, &share)) = bins.next() {
        count += found;
        expected += share * N as f64;
        let rest: f64 = bins.clone().map(|(_, share)| share * N as f64).sum();
        if expected >= 10.0 && (rest >= 10.0 || bins.peek().is_none()) {
            sum += (count - expected).powi(2) / expected;
            (count, expected) = (0.0, 0.0);
        }
    }
    // What is left over is of too few to say more than that they are few.
    sum + if expected > 0.0 || count > 0.0 { (count - expected).powi(2) / expected.max(1.0) } else { 0.0 }
}

#[test]
fn numbers_are_as_often_as_scipy_says() {
    for case in cases_of("array_laws") {
        let list = |name: &str| -> Vec<f64> {
            case.parameter(name).as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect()
        };
        let found = drawn(&case, BLOCK).compute().unwrap();
        assert!(found.iter().all(|value| value.is_finite()), "{}", case.name());
        let distance = distance(&found, &list("edges"), &list("shares"));
        assert!(distance < MOST, "{}: chi-square {distance}", case.name());
        assert_eq!(drawn(&case, 1_234).compute().unwrap(), found, "{}: other blocks", case.name());
    }
}

#[test]
fn both_engines_and_precisions_draw_from_one_law() {
    let law = || random::gamma(2.0, (300, 200), 90).unwrap().seed(5);
    let (plain, other) = (law().build(), law().philox().build());
    for x in [&plain, &other] {
        assert!((x.mean().compute().unwrap() - 2.0).abs() < 0.03);
        assert!((x.var(0.0).compute().unwrap() - 2.0).abs() < 0.08);
    }
    assert_ne!(plain.compute().unwrap(), other.compute().unwrap());
    assert_ne!(plain.compute().unwrap(), law().stream(1).build().compute().unwrap());
    let single = law().single().build().compute().unwrap();
    assert_eq!(plain.compute().unwrap().mapv(|value| value as f32), single);
    // Neighbors know nothing of each other.
    let x = plain.compute().unwrap().into_shape_with_order(60_000).unwrap();
    let product: f64 =
        x.windows(2).into_iter().map(|pair| (pair[0] - 2.0) * (pair[1] - 2.0)).sum::<f64>() / 60_000.0;
    assert!(product.abs() < 6.0 * 2.0 / 60_000.0_f64.sqrt(), "{product}");
}

#[test]
fn choices_and_orders() {
    let n = 5_000;
    let order = random::permutation(n, 700).unwrap().seed(3).build().compute().unwrap();
    let mut sorted = order.to_vec();
    sorted.sort_unstable();
    assert_eq!(sorted, (0..n as u64).collect::<Vec<_>>());
    assert_eq!(random::permutation(n, n).unwrap().seed(3).build().compute().unwrap(), order);
    let some = random::choice_distinct(n, (4, 25), (3, 10)).unwrap().seed(3).build().compute().unwrap();
    assert_eq!(some.iter().copied().collect::<Vec<_>>(), order.to_vec()[..100]);
    let x = Array::from_shape_fn((n, 3), (600, 2), |(i, j)| (3 * i + j) as i64);
    let shuffled = x.shuffle(Axis(0), 3).compute().unwrap();
    assert!(
        shuffled.outer_iter().zip(&order).all(|(row, &at)| row[0] == 3 * at as i64 && row[2] == row[0] + 2)
    );
    let any = random::choice(6, 60_000, 7_000).unwrap().seed(1).build();
    let counts = any.bincount(6).compute().unwrap();
    let distance: f64 = counts.iter().map(|&n| (n as f64 - 10_000.0).powi(2) / 10_000.0).sum();
    assert!(counts.len() == 6 && distance < MOST, "{counts}");
    let weights = [0.0, 1.0, 0.0, 3.0, 6.0, 0.0];
    let drawn = random::choice_weighted(&weights, 60_000, 7_000).unwrap().seed(1).build();
    let counts = drawn.bincount(6).compute().unwrap();
    for (&count, weight) in counts.iter().zip(weights) {
        let expected = weight * 6_000.0;
        assert!((count as f64 - expected).abs() <= 6.0 * expected.sqrt(), "{counts}");
    }
    assert_eq!(random::permutation(0, 1).unwrap().build().compute().unwrap().len(), 0);
    assert_eq!(random::permutation(1, 1).unwrap().build().compute().unwrap()[0], 0);
}

#[test]
fn the_ends_of_parameters_are_no_traps() {
    let whole = |law: Result<Random<i64, Ix1>, Error>| law.unwrap().seed(1).build().compute().unwrap();
    assert!(whole(random::poisson(0.0, 50, 9)).iter().all(|&value| value == 0));
    assert!(
        whole(random::poisson(4e15, 50, 9)).iter().all(|&value| (value as f64 / 4e15 - 1.0).abs() < 1e-6)
    );
    assert!(whole(random::binomial(0, 0.5, 50, 9)).iter().all(|&value| value == 0));
    assert!(whole(random::binomial(7, 1.0, 50, 9)).iter().all(|&value| value == 7));
    assert!(whole(random::geometric(1.0, 50, 9)).iter().all(|&value| value == 1));
    assert!(whole(random::geometric(1e-14, 50, 9)).iter().all(|&value| value > 0));
    assert!(whole(random::hypergeometric(5, 0, 3, 50, 9)).iter().all(|&value| value == 3));
    assert!(whole(random::hypergeometric(0, 0, 0, 50, 9)).iter().all(|&value| value == 0));
    assert!(whole(random::hypergeometric(5, 5, 10, 50, 9)).iter().all(|&value| value == 5));
    assert!(whole(random::zipf(1.0 + 1e-9, 50, 9)).iter().all(|&value| value >= 1));
    assert!(whole(random::zipf(1e6, 50, 9)).iter().all(|&value| value == 1));
    assert!(whole(random::negative_binomial(2.0, 1.0, 50, 9)).iter().all(|&value| value == 0));
    let float = |law: Result<Random<f64, Ix1>, Error>| law.unwrap().seed(1).build().compute().unwrap();
    assert!(
        float(random::lognormal(1.0, 0.0, 50, 9)).iter().all(|value| (value - 1.0_f64.exp()).abs() < 1e-15)
    );
    assert!(float(random::beta(1e-9, 1e-9, 500, 90)).iter().all(|value| (0.0..=1.0).contains(value)));
    assert!(
        float(random::von_mises(3.0, 2.0, 500, 90)).iter().all(|value| value.abs() <= std::f64::consts::PI)
    );
    assert!(float(random::wald(1e8, 1e-8, 500, 90)).iter().all(|&value| value > 0.0 && value.is_finite()));
    let empty = random::gamma(1.0, IxDyn(&[0, 3]), 1).unwrap().build();
    assert_eq!(empty.compute().unwrap().shape(), [0, 3]);
}

#[test]
fn parameters_that_are_none_are_refused() {
    fn refused<A>(law: Result<Random<A, Ix1>, Error>) {
        assert!(matches!(law, Err(Error::Parameter { .. } | Error::Shapes { .. })));
    }
    for value in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        refused(random::gamma(value, 3, 1));
        refused(random::beta(1.0, value, 3, 1));
        refused(random::chisquare(value, 3, 1));
        refused(random::student_t(value, 3, 1));
        refused(random::fisher_f(1.0, value, 3, 1));
        refused(random::weibull(value, 3, 1));
        refused(random::pareto(value, 3, 1));
        refused(random::power(value, 3, 1));
        refused(random::wald(1.0, value, 3, 1));
        refused(random::geometric(value, 3, 1));
        refused(random::negative_binomial(value, 0.5, 3, 1));
        refused(random::zipf(value, 3, 1));
        refused(random::logseries(value, 3, 1));
        refused(random::noncentral_chisquare(value, 1.0, 3, 1));
        refused(random::noncentral_f(1.0, value, 1.0, 3, 1));
    }
    for value in [-1.0, f64::NAN, f64::INFINITY] {
        refused(random::lognormal(0.0, value, 3, 1));
        refused(random::poisson(value, 3, 1));
        refused(random::von_mises(0.0, value, 3, 1));
        refused(random::binomial(10, value, 3, 1));
        refused(random::choice_weighted(&[1.0, value], 3, 1));
    }
    refused(random::binomial(u64::MAX, 0.5, 3, 1));
    refused(random::hypergeometric(2, 3, 6, 3, 1));
    refused(random::triangular(0.0, 2.0, 1.0, 3, 1));
    refused(random::triangular(1.0, 1.0, 1.0, 3, 1));
    refused(random::negative_binomial(1e9, 1e-9, 3, 1));
    refused(random::choice(0, 3, 1));
    refused(random::choice_weighted(&[], 3, 1));
    refused(random::choice_weighted(&[0.0, 0.0], 3, 1));
    refused(random::choice_distinct(2, 3, 1));
    assert!(matches!(Array::<i64, _>::zeros(3, 1).try_shuffle(Axis(1), 0), Err(Error::Axis { .. })));
}
