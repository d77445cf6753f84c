//! Separable correlation: one odd line of weights per axis, slid over a block.
//!
//! The block comes with its halo, so no kernel here knows about edges, except that a halo may be short where a constant
//! surrounds the image. The order of additions is that of scipy's `NI_Correlate1D`, and nothing is contracted to a
//! fused multiply-add, so the answer has the same bits on every instruction set and for every chunking.

use musher_array::kernel::memory::{OutOfMemory, with_room, zeros};
use ndarray::{ArrayD, Dimension, IxDyn};
use pulp::{Arch, NullaryFnOnce};

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
    /// A line of weights; their number is odd.
    pub(crate) fn new(values: Vec<f64>) -> Weights {
        let radius = values.len() / 2;
        let holds = |sign: f64| {
            (1..=radius)
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
            let last = at(2 * radius);
            for lane in 0..W {
                sums[lane] = last[lane].widen() * values[2 * radius];
            }
            for (tap, &weight) in values.iter().enumerate().take(2 * radius) {
                let line = at(tap);
                for lane in 0..W {
                    sums[lane] += line[lane].widen() * weight;
                }
            }
        }
    }
    sums
}

/// Fills `target` from `source`, where weight `j` of output `k` meets `source[j * step + k]`.
#[inline(always)]
fn row<A: Widen>(source: &[A], step: usize, weights: &Weights, target: &mut [A]) {
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

/// Correlation along one axis of a buffer seen as (outer, length, inner), compiled per instruction set.
struct AlongAxis<'a, A> {
    source: &'a [A],
    target: &'a mut [A],
    outer: usize,
    /// Length of the axis in the target; the source has twice the radius more.
    length: usize,
    inner: usize,
    weights: &'a Weights,
}

impl<A: Widen> NullaryFnOnce for AlongAxis<'_, A> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let AlongAxis { source, target, outer, length, inner, weights } = self;
        let source_length = length + 2 * weights.radius();
        for slab in 0..outer {
            let source = &source[slab * source_length * inner..][..source_length * inner];
            let target = &mut target[slab * length * inner..][..length * inner];
            if inner == 1 {
                row(source, 1, weights, target);
                continue;
            }
            for (position, target) in target.chunks_exact_mut(inner).enumerate() {
                row(&source[position * inner..], inner, weights, target);
            }
        }
    }
}

/// Correlation along the last two axes, row by row, so that the rows between the passes stay in the cache.
struct LastTwo<'a, A> {
    source: &'a [A],
    target: &'a mut [A],
    outer: usize,
    /// Rows and columns of the target.
    shape: (usize, usize),
    weights: (&'a Weights, &'a Weights),
    /// What stands beyond the row where the halo is short: (before, after, value).
    surround: (usize, usize, A),
}

impl<A: Widen> NullaryFnOnce for LastTwo<'_, A> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let LastTwo { source, target, outer, shape: (rows, columns), weights, surround } = self;
        let (before, after, value) = surround;
        let source_rows = rows + 2 * weights.0.radius();
        let padded = columns + 2 * weights.1.radius();
        let source_columns = padded - before - after;
        // The ends are set once: the passes below write only between them.
        let mut between = vec![value; padded];
        for slab in 0..outer {
            let source = &source[slab * source_rows * source_columns..][..source_rows * source_columns];
            let target = &mut target[slab * rows * columns..][..rows * columns];
            for (position, target) in target.chunks_exact_mut(columns).enumerate() {
                let line = &mut between[before..before + source_columns];
                row(&source[position * source_columns..], source_columns, weights.0, line);
                row(&between, 1, weights.1, target);
            }
        }
    }
}

/// Correlates a block with one line of weights per axis, axis after axis, rounding to `A` after each as scipy does.
///
/// `data` are the elements of a block of this shape in C order: its own pixels and the halo; along an axis without
/// weights its own alone.
/// `outside[axis]` says how many pixels of the halo lie beyond the image before and after the block and stand for
/// `surrounds[axis]`. The answer holds the own pixels.
pub(crate) fn separable<A: Widen>(
    mut data: Vec<A>,
    mut shape: Vec<usize>,
    outside: &[(usize, usize)],
    weights: &[Option<Weights>],
    surrounds: &[A],
) -> Result<ArrayD<A>, OutOfMemory> {
    let ndim = shape.len();
    let arch = Arch::new();
    let mut axis = 0;
    while axis < ndim {
        let Some(line) = &weights[axis] else {
            axis += 1;
            continue;
        };
        pad(&mut data, &mut shape, axis, outside[axis], surrounds[axis])?;
        let length = shape[axis] - 2 * line.radius();
        let outer: usize = shape[..axis].iter().product();
        if axis + 2 == ndim
            && let Some(last) = &weights[axis + 1]
        {
            let (before, after) = outside[axis + 1];
            let columns = shape[axis + 1] + before + after - 2 * last.radius();
            let mut target = zeros::<A>(outer * length * columns)?;
            if !target.is_empty() {
                arch.dispatch(LastTwo {
                    source: &data,
                    target: &mut target,
                    outer,
                    shape: (length, columns),
                    weights: (line, last),
                    surround: (before, after, surrounds[axis + 1]),
                });
            }
            (shape[axis], shape[axis + 1]) = (length, columns);
            data = target;
            axis += 2;
            continue;
        }
        let inner: usize = shape[axis + 1..].iter().product();
        let mut target = zeros::<A>(outer * length * inner)?;
        if !target.is_empty() {
            arch.dispatch(AlongAxis {
                source: &data,
                target: &mut target,
                outer,
                length,
                inner,
                weights: line,
            });
        }
        shape[axis] = length;
        data = target;
        axis += 1;
    }
    Ok(ArrayD::from_shape_vec(IxDyn(&shape), data)
        .expect("every pass makes as many elements as its shape says"))
}

/// Lengthens one axis of a C-order buffer by a constant at both ends.
fn pad<A: Widen>(
    data: &mut Vec<A>,
    shape: &mut [usize],
    axis: usize,
    by: (usize, usize),
    value: A,
) -> Result<(), OutOfMemory> {
    if by == (0, 0) {
        return Ok(());
    }
    let inner: usize = shape[axis + 1..].iter().product();
    let old = shape[axis] * inner;
    shape[axis] += by.0 + by.1;
    let mut padded = with_room(IxDyn(shape).size())?;
    for slab in 0..shape[..axis].iter().product() {
        padded.resize(padded.len() + by.0 * inner, value);
        padded.extend_from_slice(&data[slab * old..(slab + 1) * old]);
        padded.resize(padded.len() + by.1 * inner, value);
    }
    *data = padded;
    Ok(())
}

#[cfg(test)]
mod tests {
    use ndarray::{Array, ArrayD, Ix2, IxDyn};

    use super::{Weights, Widen, separable};
    use crate::kernel::boundary::Mode;

    /// The definition, pixel by pixel, with the same order of additions.
    fn naive(image: &ArrayD<f64>, weights: &[Option<Weights>], mode: Mode) -> ArrayD<f64> {
        let mut image = image.clone();
        for (axis, line) in weights.iter().enumerate() {
            let Some(line) = line else { continue };
            let radius = line.radius() as i64;
            let length = image.shape()[axis];
            let source = image.clone();
            let at = |index: &[usize], offset: i64| {
                let mut index = index.to_vec();
                match mode.resolve(index[axis] as i64 + offset, length) {
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

    /// The image with its halo, and how much of it is outside.
    fn padded(image: &ArrayD<f64>, radii: &[usize], mode: Mode) -> (ArrayD<f64>, Vec<(usize, usize)>) {
        let constant = matches!(mode, Mode::Constant(_));
        let radii: Vec<usize> = radii.iter().map(|&radius| if constant { 0 } else { radius }).collect();
        let shape: Vec<usize> =
            image.shape().iter().zip(&radii).map(|(length, radius)| length + 2 * radius).collect();
        let block = ArrayD::from_shape_fn(IxDyn(&shape), |index| {
            let index: Vec<usize> = (0..radii.len())
                .map(|axis| {
                    mode.resolve(index[axis] as i64 - radii[axis] as i64, image.shape()[axis])
                        .expect("no constant")
                })
                .collect();
            image[index.as_slice()]
        });
        (block, radii.iter().map(|_| (0, 0)).collect())
    }

    /// The same from an array in C order.
    fn run<A: Widen>(
        block: ArrayD<A>,
        outside: &[(usize, usize)],
        weights: &[Option<Weights>],
        surrounds: &[A],
    ) -> ArrayD<A> {
        let shape = block.shape().to_vec();
        separable(block.into_raw_vec_and_offset().0, shape, outside, weights, surrounds).unwrap()
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
                let radii: Vec<_> =
                    weights.iter().map(|line| line.as_ref().map_or(0, Weights::radius)).collect();
                for mode in modes {
                    let (block, mut outside) = padded(&image, &radii, mode);
                    let mut surround = 0.0;
                    if let Mode::Constant(value) = mode {
                        surround = value;
                        outside = radii.iter().map(|&radius| (radius, radius)).collect();
                    }
                    assert_eq!(
                        run(block, &outside, &weights, &vec![surround; shape.len()]),
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
        let odd = Weights::new(vec![-1.0, 0.0, 1.0]);
        let plain = Weights::new(vec![1.0, 2.0, 4.0]);
        let of =
            |line: Weights| run(image.clone(), &[(0, 0)], &[Some(line)], &[0.0]).into_raw_vec_and_offset().0;
        assert_eq!(of(odd), [8.0, 12.0, 16.0]);
        assert_eq!(of(plain), [45.0, 86.0, 141.0]);
    }

    #[test]
    fn single_precision_rounds_after_every_axis() {
        let image =
            Array::<f32, Ix2>::from_shape_fn((1, 3), |(_, column)| [1.0, 1.0e-8, 1.0][column]).into_dyn();
        let line = Weights::new(vec![1.0, 1.0, 1.0]);
        let found = run(image, &[(0, 0), (0, 0)], &[None, Some(line)], &[0.0, 0.0]);
        assert_eq!(found[[0, 0]], (2.0_f64 + f64::from(1.0e-8_f32)) as f32);
    }
}
