//! The weights of a Gaussian and of its derivatives.

use super::correlate::Weights;

/// Below this, scipy takes an axis as not filtered.
pub(crate) const SMALLEST_SIGMA: f64 = 1e-15;

/// How far the weights reach: `truncate` standard deviations, rounded.
pub(crate) fn radius(sigma: f64, truncate: f64) -> usize {
    (truncate * sigma + 0.5) as usize
}

/// The weights of a Gaussian of standard deviation `sigma` or of its `order`-th derivative, to be correlated with.
///
/// The Gaussian is `exp(-x² / 2σ²)`, normalized to the sum 1. Its derivatives are the Gaussian times a polynomial
/// `q`, found by applying `q ↦ q' - q·x/σ²` once per order.
///
/// Source: scipy.ndimage's `_gaussian_kernel1d`, which convolves; correlation meets the weights backwards.
pub(crate) fn weights(sigma: f64, order: usize, radius: usize) -> Weights {
    let variance = sigma * sigma;
    let reach = radius as i64;
    let mut bell: Vec<f64> = (-reach..=reach).map(|x| (-0.5 / variance * (x * x) as f64).exp()).collect();
    let sum: f64 = bell.iter().sum();
    bell.iter_mut().for_each(|value| *value /= sum);
    if order == 0 {
        return Weights::new(bell);
    }
    let mut polynomial = vec![0.0; order + 1];
    polynomial[0] = 1.0;
    for _ in 0..order {
        polynomial = (0..=order)
            .map(|power| {
                let derivative = polynomial.get(power + 1).map_or(0.0, |next| next * (power + 1) as f64);
                let product = if power == 0 { 0.0 } else { polynomial[power - 1] / -variance };
                derivative + product
            })
            .collect();
    }
    let at = |x: f64| polynomial.iter().rev().fold(0.0, |value, coefficient| value * x + coefficient);
    let mut values: Vec<f64> = (-reach..=reach).zip(bell).map(|(x, bell)| at(x as f64) * bell).collect();
    values.reverse();
    Weights::new(values)
}

#[cfg(test)]
mod tests {
    use super::{radius, weights};

    /// Rounding of `exp` and of sums in another order.
    const TOLERANCE: f64 = 1e-15;

    #[track_caller]
    fn check(found: &[f64], expected: &[f64]) {
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < TOLERANCE, "{found} {expected}");
        }
    }

    #[test]
    fn weights_equal_scipys() {
        assert_eq!(radius(1.0, 4.0), 4);
        assert_eq!(radius(0.3, 4.0), 1);
        check(weights(0.5, 0, 2).values(), &SCIPY_0);
        check(weights(0.5, 1, 2).values(), &SCIPY_1);
        check(weights(0.5, 2, 2).values(), &SCIPY_2);
        check(weights(2.0, 3, 2).values(), &SCIPY_3);
    }

    #[test]
    fn weights_of_every_width_equal_scipys() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../testkit/golden/image/gaussian_kernels.json");
        let kernels: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        for kernel in kernels.as_array().unwrap() {
            let number = |name: &str| kernel[name].as_f64().unwrap();
            let reach = radius(number("sigma"), number("truncate"));
            assert_eq!(reach as u64, kernel["radius"].as_u64().unwrap());
            let expected =
                kernel["weights"].as_array().unwrap().iter().map(|weight| weight.as_f64().unwrap());
            check(weights(number("sigma"), 0, reach).values(), &expected.collect::<Vec<_>>());
        }
    }

    /// `_gaussian_kernel1d(0.5, 0, 2)[::-1]` of scipy 1.17.1.
    const SCIPY_0: [f64; 5] = [
        0.00026386508273735414,
        0.10645077197359151,
        0.7865707258873422,
        0.10645077197359151,
        0.00026386508273735414,
    ];
    /// `_gaussian_kernel1d(0.5, 1, 2)[::-1]` of scipy 1.17.1.
    const SCIPY_1: [f64; 5] =
        [-0.002110920661898833, -0.42580308789436605, 0.0, 0.42580308789436605, 0.002110920661898833];
    /// `_gaussian_kernel1d(0.5, 2, 2)[::-1]` of scipy 1.17.1.
    const SCIPY_2: [f64; 5] =
        [0.01583190496424125, 1.277409263683098, -3.146282903549369, 1.277409263683098, 0.01583190496424125];
    /// `_gaussian_kernel1d(2.0, 3, 2)[::-1]` of scipy 1.17.1.
    const SCIPY_3: [f64; 5] =
        [0.038117286005084336, 0.03812897267158666, 0.0, -0.03812897267158666, -0.038117286005084336];
}
