//! B-splines on a grid of pixels: their weights at any place, and the line of weights that makes their coefficients.
//!
//! Source: M. Unser, A. Aldroubi and M. Eden, "B-spline signal processing: Part I, theory" and "Part II, efficient design and
//! applications" (1993). There the coefficients come of recursions over whole lines; here of the impulse response of these
//! recursions, which falls off so fast that it is a short line of weights: each coefficient is made of its neighbors alone.

/// The highest order of a spline.
pub(crate) const MOST_ORDER: usize = 5;

/// As many coefficients count along an axis, at most.
pub(crate) const MOST_TAPS: usize = MOST_ORDER + 1;

/// What of the impulse response is left away: far less than a float can tell from its sum, 1.
const NEGLIGIBLE: f64 = 1e-18;

/// The roots inside the unit circle of the polynomial whose coefficients are the spline at the integers.
fn poles(order: usize) -> Vec<f64> {
    match order {
        2 => vec![8.0_f64.sqrt() - 3.0],
        3 => vec![3.0_f64.sqrt() - 2.0],
        4 => [1.0, -1.0]
            .map(|sign| (664.0 - sign * 438_976.0_f64.sqrt()).sqrt() + sign * 304.0_f64.sqrt() - 19.0)
            .to_vec(),
        5 => [1.0, -1.0]
            .map(|sign| (67.5 - sign * 4436.25_f64.sqrt()).sqrt() + sign * 26.25_f64.sqrt() - 6.5)
            .to_vec(),
        _ => Vec::new(),
    }
}

/// The weights that make coefficients of values along a line, as many before the center as behind it; a single 1 for the
/// orders 0 and 1, whose coefficients are the values.
pub(crate) fn filter_weights(order: usize) -> Vec<f64> {
    let poles = poles(order);
    let slowest = poles.iter().fold(0.0_f64, |slowest, pole| slowest.max(pole.abs()));
    let radius = if slowest > 0.0 { (NEGLIGIBLE.ln() / slowest.ln()).ceil() as isize } else { 0 };
    let at = |values: &[f64], step: isize| values.get(step.unsigned_abs()).copied().unwrap_or(0.0);
    // Each half from the center on, of responses whose sum is 1.
    let mut half = vec![0.0; radius as usize + 1];
    half[0] = 1.0;
    for pole in poles {
        let gain = (1.0 - pole) / (1.0 + pole);
        let response: Vec<f64> = (0..=radius).map(|step| gain * pole.powi(step as i32)).collect();
        half = (0..=radius)
            .map(|step| (-radius..=radius).map(|k| at(&half, k) * at(&response, step - k)).sum())
            .collect();
    }
    (-radius..=radius).map(|step| at(&half, step)).collect()
}

/// The first pixel whose coefficient counts at `x`, and the weights of that and the `order` behind it.
#[inline]
pub(crate) fn weights_at(x: f64, order: usize) -> (f64, [f64; MOST_TAPS]) {
    let mut weights = [0.0; MOST_TAPS];
    weights[0] = 1.0;
    // The pieces of a spline of even order meet halfway between pixels.
    let shifted = if order % 2 == 1 { x } else { x + 0.5 };
    let knot = shifted.floor();
    let t = shifted - knot;
    for degree in 1..=order {
        let mut earlier = 0.0;
        for (j, weight) in weights.iter_mut().enumerate().take(degree + 1) {
            let own = *weight;
            *weight = ((t + (degree - j) as f64) * earlier + ((j + 1) as f64 - t) * own) / degree as f64;
            earlier = own;
        }
    }
    (knot - (order / 2) as f64, weights)
}

#[cfg(test)]
mod tests {
    use super::{MOST_ORDER, filter_weights, weights_at};

    /// Sums of a few numbers of which none is greater than 1.
    const TOLERANCE: f64 = 1e-14;

    #[test]
    fn weights_are_the_known_ones_and_sum_to_one() {
        let known: [&[f64]; 6] = [
            &[1.0],
            &[1.0, 0.0],
            &[0.125, 0.75, 0.125],
            &[1.0 / 6.0, 2.0 / 3.0, 1.0 / 6.0, 0.0],
            &[1.0 / 384.0, 19.0 / 96.0, 115.0 / 192.0, 19.0 / 96.0, 1.0 / 384.0],
            &[1.0 / 120.0, 13.0 / 60.0, 11.0 / 20.0, 13.0 / 60.0, 1.0 / 120.0, 0.0],
        ];
        for (order, known) in known.into_iter().enumerate() {
            let (first, weights) = weights_at(7.0, order);
            assert_eq!(first, 7.0 - (order / 2) as f64);
            for (found, known) in weights.iter().zip(known) {
                assert!((found - known).abs() < TOLERANCE, "order {order}: {weights:?}");
            }
            for step in 0..50 {
                let sum: f64 = weights_at(f64::from(step) / 9.0, order).1.iter().sum();
                assert!((sum - 1.0).abs() < TOLERANCE);
            }
        }
    }

    #[test]
    fn a_spline_through_its_coefficients_is_the_values() {
        for order in 0..=MOST_ORDER {
            let filter = filter_weights(order);
            assert!((filter.iter().sum::<f64>() - 1.0).abs() < TOLERANCE);
            // The impulse response, sampled by the spline at the integers, is one value and zeros.
            let (_, samples) = weights_at(0.0, order);
            let radius = filter.len() / 2;
            for place in 0..2 * radius + 1 {
                let sum: f64 = samples
                    .iter()
                    .take(order + 1)
                    .enumerate()
                    .map(|(tap, weight)| {
                        let at = (place + tap).checked_sub(order / 2);
                        weight * at.and_then(|at| filter.get(at)).copied().unwrap_or(0.0)
                    })
                    .sum();
                let expected = f64::from(u8::from(place == radius));
                assert!((sum - expected).abs() < TOLERANCE, "order {order}, {place}: {sum}");
            }
        }
    }
}
