//! Correlation with a line of weights.
//!
//! The order of additions is that of scipy's `NI_Correlate1D`, and nothing is contracted to a
//! fused multiply-add, so the answer has the same bits on every instruction set and for every chunking.

use pulp::{Arch, NullaryFnOnce};

use super::separable::Line;
use super::widen::Widen;

/// Outputs that are summed at once: they stay in registers over all weights.
const LANES: usize = 16;

/// A line of weights, in the order in which they meet rising positions.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Weights {
    values: Vec<f64>,
    symmetry: Symmetry,
}

/// Equal or opposite halves need half the multiplications, and scipy sums them in pairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Symmetry {
    None,
    Even,
    Odd,
}

impl Weights {
    /// A line of weights. Only an odd number of them has halves, one around the other end of the center.
    pub(crate) fn new(values: Vec<f64>) -> Weights {
        let radius = values.len() / 2;
        let holds = |sign: f64| {
            values.len() % 2 == 1
                && (1..=radius)
                    .all(|step| (values[radius + step] - sign * values[radius - step]).abs() <= f64::EPSILON)
        };
        let symmetry = match (holds(1.0), holds(-1.0)) {
            (true, _) => Symmetry::Even,
            (false, true) => Symmetry::Odd,
            (false, false) => Symmetry::None,
        };
        Weights { values, symmetry }
    }

    /// How far the line reaches to each side, in pixels.
    pub(crate) fn radius(&self) -> usize {
        self.values.len() / 2
    }

    /// The weights themselves.
    pub(crate) fn values(&self) -> &[f64] {
        &self.values
    }
}

/// Correlates `W` neighbouring outputs: weight `j` of output `k` meets `source[j * step + k]`.
#[inline(always)]
fn lanes<A: Widen, const W: usize>(source: &[A], step: usize, weights: &Weights) -> [f64; W] {
    let radius = weights.radius();
    let values = weights.values.as_slice();
    let at = |tap: usize| -> &[A; W] {
        let begin = tap * step;
        source[begin..begin + W].try_into().expect("the slice has W elements")
    };
    let mut sums = [0.0; W];
    let center = at(radius);
    for lane in 0..W {
        sums[lane] = center[lane].widen() * values[radius];
    }
    match weights.symmetry {
        Symmetry::Even => {
            for (tap, &weight) in values.iter().enumerate().take(radius) {
                let (before, after) = (at(tap), at(2 * radius - tap));
                for lane in 0..W {
                    sums[lane] += (before[lane].widen() + after[lane].widen()) * weight;
                }
            }
        }
        Symmetry::Odd => {
            for (tap, &weight) in values.iter().enumerate().take(radius) {
                let (before, after) = (at(tap), at(2 * radius - tap));
                for lane in 0..W {
                    sums[lane] += (before[lane].widen() - after[lane].widen()) * weight;
                }
            }
        }
        Symmetry::None => {
            // scipy begins with the last weight instead of the center.
            let end = values.len() - 1;
            let last = at(end);
            for lane in 0..W {
                sums[lane] = last[lane].widen() * values[end];
            }
            for (tap, &weight) in values.iter().enumerate().take(end) {
                let line = at(tap);
                for lane in 0..W {
                    sums[lane] += line[lane].widen() * weight;
                }
            }
        }
    }
    sums
}

/// Fills `target` from `source`, where weight `j` of output `k` meets `source[j * step + k]`; compiled per instruction
/// set.
struct Slide<'a, A> {
    source: &'a [A],
    step: usize,
    weights: &'a Weights,
    target: &'a mut [A],
}

impl<A: Widen> NullaryFnOnce for Slide<'_, A> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { source, step, weights, target } = self;
        let mut begin = 0;
        while begin + LANES <= target.len() {
            let sums = lanes::<A, LANES>(&source[begin..], step, weights);
            for lane in 0..LANES {
                target[begin + lane] = A::narrow(sums[lane]);
            }
            begin += LANES;
        }
        while begin < target.len() {
            let [sum] = lanes::<A, 1>(&source[begin..], step, weights);
            target[begin] = A::narrow(sum);
            begin += 1;
        }
    }
}

impl<A: Widen> Line<A> for Weights {
    type Scratch = ();

    fn length(&self) -> usize {
        self.values.len()
    }

    fn cost(&self) -> u64 {
        250 * self.values.len() as u64
    }

    fn slide(&self, source: &[A], step: usize, target: &mut [A], (): &mut ()) {
        Arch::new().dispatch(Slide { source, step, weights: self, target });
    }
}

#[cfg(test)]
mod tests {
    use musher_array::kernel::overlap::element_at;
    use musher_array::neighborhood::Band;
    use musher_array::{Boundary as Mode, Depth};
    use ndarray::{Array, ArrayD, Ix2, IxDyn, s};

    use super::{Weights, Widen};
    use crate::kernel::separable::{Between, separable};

    /// The definition, pixel by pixel, with the same order of additions.
    fn naive(image: &ArrayD<f64>, weights: &[Option<Weights>], mode: Mode) -> ArrayD<f64> {
        let mut image = image.clone();
        for (axis, line) in weights.iter().enumerate() {
            let Some(line) = line else { continue };
            let radius = (line.values.len() / 2) as i64;
            let length = image.shape()[axis];
            let source = image.clone();
            let at = |index: &[usize], offset: i64| {
                let mut index = index.to_vec();
                match element_at(&mode, index[axis] as isize + offset as isize, length) {
                    Some(inside) => {
                        index[axis] = inside;
                        source[index.as_slice()]
                    }
                    None => match mode {
                        Mode::Constant(value) => value,
                        _ => unreachable!("only a constant has no pixel"),
                    },
                }
            };
            for (index, value) in image.indexed_iter_mut() {
                let index: Vec<usize> = ndarray::Dimension::slice(&index).to_vec();
                let mut sum = at(&index, 0) * line.values()[radius as usize];
                for tap in -radius..0 {
                    sum += (at(&index, tap) + at(&index, -tap)) * line.values()[(tap + radius) as usize];
                }
                *value = sum;
            }
        }
        image
    }

    /// The whole image with its halo as one band, filtered.
    fn run<A: Widen>(image: &ArrayD<A>, weights: &[Option<Weights>], modes: &[Mode<A>]) -> ArrayD<A> {
        let radii: Vec<usize> =
            weights.iter().map(|line| line.as_ref().map_or(0, |line| line.values.len() / 2)).collect();
        let shape: Vec<usize> =
            image.shape().iter().zip(&radii).map(|(length, radius)| length + 2 * radius).collect();
        let elements = ArrayD::from_shape_fn(IxDyn(&shape), |index| {
            let mut inside = vec![0; shape.len()];
            for axis in (0..shape.len()).rev() {
                let position = index[axis] as isize - radii[axis] as isize;
                match (element_at(&modes[axis], position, image.shape()[axis]), modes[axis]) {
                    (Some(at), _) => inside[axis] = at,
                    (None, Mode::Constant(value)) => return value,
                    (None, _) => unreachable!("only a constant has no pixel"),
                }
            }
            image[inside.as_slice()]
        });
        let halo: Vec<Depth> = radii.iter().map(|&radius| Depth::both(radius)).collect();
        let surrounds: Vec<Option<(Depth, A)>> = modes
            .iter()
            .zip(&halo)
            .map(|(mode, &halo)| if let Mode::Constant(value) = mode { Some((halo, *value)) } else { None })
            .collect();
        let elements = elements.as_slice().unwrap();
        let band = Band { elements, shape: &shape, halo: &halo, surrounds: &surrounds };
        let mut out = vec![A::zeroed(); image.len()];
        separable(&band, weights, &mut Between::default(), &mut out).unwrap();
        ArrayD::from_shape_vec(image.raw_dim(), out).unwrap()
    }

    #[test]
    fn every_mode_and_shape_equals_the_definition_bit_for_bit() {
        let line = |radius: usize| {
            let half = (0..=radius).map(|step| 1.0 / (3.0 + (radius - step) as f64));
            let values: Vec<f64> =
                half.clone().chain((0..radius).map(|step| 1.0 / (4.0 + step as f64))).collect();
            Weights::new(values)
        };
        let modes = [Mode::Reflect, Mode::Mirror, Mode::Nearest, Mode::Wrap, Mode::Constant(2.5)];
        for shape in
            [vec![1], vec![40], vec![7, 35], vec![33, 1], vec![1, 18], vec![3, 5, 19], vec![2, 3, 1, 17]]
        {
            let count: usize = shape.iter().product();
            let image = Array::from_iter((0..count).map(|index| ((index * 37 % 101) as f64).sqrt()))
                .into_shape_with_order(IxDyn(&shape))
                .unwrap();
            for mask in 0..1_usize << shape.len() {
                let weights: Vec<_> =
                    (0..shape.len()).map(|axis| (mask >> axis & 1 == 1).then(|| line(axis + 1))).collect();
                for mode in modes {
                    assert_eq!(
                        run(&image, &weights, &vec![mode; shape.len()]),
                        naive(&image, &weights, mode),
                        "{shape:?} {mask} {mode:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn odd_and_plain_lines_are_correlations() {
        let image = ArrayD::from_shape_vec(IxDyn(&[5]), vec![1.0, 4.0, 9.0, 16.0, 25.0]).unwrap();
        let of = |line: Vec<f64>| {
            let found = run(&image, &[Some(Weights::new(line))], &[Mode::Constant(0.0)]);
            found.slice(s![1..4]).to_vec()
        };
        assert_eq!(of(vec![-1.0, 0.0, 1.0]), [8.0, 12.0, 16.0]);
        assert_eq!(of(vec![1.0, 2.0, 4.0]), [45.0, 86.0, 141.0]);
    }

    #[test]
    fn single_precision_rounds_after_every_axis() {
        let image =
            Array::<f32, Ix2>::from_shape_fn((1, 3), |(_, column)| [1.0, 1.0e-8, 1.0][column]).into_dyn();
        let line = Weights::new(vec![1.0, 1.0, 1.0]);
        let found = run(&image, &[None, Some(line)], &[Mode::Nearest, Mode::Nearest]);
        assert_eq!(found[[0, 1]], (2.0_f64 + f64::from(1.0e-8_f32)) as f32);
    }
}
