//! Statistics per label, all in one pass over a block, and their sum over blocks.

use serde::{Deserialize, Serialize};
use std::collections::HashMap;

use musher_graph_core::Moments;
use ndarray::ArrayViewD;
use num_traits::AsPrimitive;

/// What is known of one region, apart from its axes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Region {
    /// Number of pixels.
    pub(crate) count: u64,
    /// Sum of the values.
    pub(crate) sum: f64,
    /// Mean of the values and sum of squared differences from it.
    pub(crate) moments: Moments,
    /// Least value.
    pub(crate) minimum: f64,
    /// Greatest value.
    pub(crate) maximum: f64,
    /// Where the least value stands first, in C order of the image.
    pub(crate) minimum_at: u64,
    /// Where the greatest value stands first, in C order of the image.
    pub(crate) maximum_at: u64,
}

/// What is known of one region along one axis.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Extent {
    /// Sum of the positions of the pixels.
    pub(crate) positions: u128,
    /// Sum of the positions, each times the value there.
    pub(crate) weighted: f64,
    /// First position.
    pub(crate) begin: u64,
    /// One past the last position.
    pub(crate) end: u64,
}

/// The regions of one block, or of several, in ascending order of their labels.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Regions {
    /// Number of axes of the image.
    pub(crate) ndim: usize,
    /// The labels, rising.
    pub(crate) labels: Vec<i32>,
    /// One per label.
    pub(crate) regions: Vec<Region>,
    /// `ndim` per label.
    pub(crate) extents: Vec<Extent>,
    /// Sums of products of positions along two axes, [`pairs`] per label: 0 with 0, 0 with 1, …, 1 with 1, ….
    pub(crate) products: Vec<u128>,
}

/// How many pairs of axes there are, those of an axis with itself among them.
pub(crate) const fn pairs(ndim: usize) -> usize {
    ndim * (ndim + 1) / 2
}

impl Regions {
    /// What is known of the region in row `row` along each axis.
    pub(crate) fn extents_of(&self, row: usize) -> &[Extent] {
        &self.extents[row * self.ndim..][..self.ndim]
    }

    /// The sums of products of positions of the region in row `row`.
    fn products_of(&self, row: usize) -> &[u128] {
        &self.products[row * pairs(self.ndim)..][..pairs(self.ndim)]
    }

    /// The second central moments of the positions of a region, divided by the number of its pixels: row after row of a matrix
    /// with a row and a column for each axis.
    ///
    /// Positions are counted from the region's own box, in integers, so that no digit is lost far from the origin.
    pub(crate) fn spread_of(&self, row: usize) -> Vec<f64> {
        let (ndim, extents) = (self.ndim, self.extents_of(row));
        let count = self.regions[row].count;
        let mut spread = vec![0.0; ndim * ndim];
        let mut products = self.products_of(row).iter();
        for i in 0..ndim {
            for (j, &product) in (i..ndim).zip(products.by_ref()) {
                let (one, other) = (&extents[i], &extents[j]);
                let (a, b) = (u128::from(one.begin), u128::from(other.begin));
                let (of_one, of_other) = (one.positions_inside(count), other.positions_inside(count));
                // `Σ (x - a)(y - b)`, of which no part is negative.
                let product = product - a * other.positions - b * of_one;
                let mean = product as f64 / count as f64;
                let value = mean - of_one as f64 / count as f64 * (of_other as f64 / count as f64);
                spread[i * ndim + j] = value;
                spread[j * ndim + i] = value;
            }
        }
        spread
    }
}

impl Extent {
    /// The sum of the positions of so many pixels, counted from the first.
    fn positions_inside(&self, count: u64) -> u128 {
        self.positions - u128::from(self.begin) * u128::from(count)
    }
}

/// The running sums of one region inside one block.
struct Running {
    label: i32,
    region: Region,
    /// The value from which differences are taken, so that squares stay small.
    shift: f64,
    difference: f64,
    difference_squared: f64,
}

/// From a label to its running sums: a table where labels lie close together, else a map.
enum Slots {
    Dense { lowest: i32, slots: Vec<u32> },
    Sparse(HashMap<i32, u32>),
}

/// In a dense table: no region yet.
const NONE: u32 = u32::MAX;

/// Measures the regions of one block; pixels of label 0 and below are background.
///
/// `origin` is the first pixel of the block in the image, `image` the shape of the image.
pub(crate) fn measure_block<A: AsPrimitive<f64>>(
    values: ArrayViewD<'_, A>,
    labels: ArrayViewD<'_, i32>,
    origin: &[usize],
    image: &[usize],
) -> Regions {
    let ndim = labels.ndim();
    let (values, labels) = (values.as_standard_layout(), labels.as_standard_layout());
    let shape = labels.shape().to_vec();
    let values = values.as_slice().expect("standard layout is contiguous");
    let labels = labels.as_slice().expect("standard layout is contiguous");
    let mut block = Measuring {
        slots: Slots::over(labels),
        running: Vec::new(),
        extents: Vec::new(),
        products: Vec::new(),
        ndim,
    };
    let length = shape.last().copied().unwrap_or(1);
    if !labels.is_empty() {
        let mut place = origin.to_vec();
        for (values, labels) in values.chunks_exact(length).zip(labels.chunks_exact(length)) {
            let first = place
                .iter()
                .zip(image)
                .fold(0, |position, (&at, &length)| position * length as u64 + at as u64);
            block.line(values, labels, &place, first);
            next_line(&mut place, origin, &shape);
        }
    }
    block.finish()
}

/// Moves to the next line of a block in C order; the last axis stays at the origin.
fn next_line(place: &mut [usize], origin: &[usize], shape: &[usize]) {
    for axis in (0..shape.len().saturating_sub(1)).rev() {
        place[axis] += 1;
        if place[axis] < origin[axis] + shape[axis] {
            return;
        }
        place[axis] = origin[axis];
    }
}

impl Slots {
    fn over(labels: &[i32]) -> Slots {
        let (mut lowest, mut highest) = (i32::MAX, 0);
        for &label in labels {
            lowest = lowest.min(if label > 0 { label } else { i32::MAX });
            highest = highest.max(label);
        }
        let span = (i64::from(highest) - i64::from(lowest) + 1).max(0) as usize;
        if span <= 2 * labels.len() + 1024 {
            Slots::Dense { lowest, slots: vec![NONE; span] }
        } else {
            Slots::Sparse(HashMap::new())
        }
    }

    /// The slot of a label, or where to remember it.
    fn entry(&mut self, label: i32) -> &mut u32 {
        match self {
            Slots::Dense { lowest, slots } => &mut slots[(label - *lowest) as usize],
            Slots::Sparse(slots) => slots.entry(label).or_insert(NONE),
        }
    }
}

/// A block that is being measured.
struct Measuring {
    slots: Slots,
    running: Vec<Running>,
    extents: Vec<Extent>,
    products: Vec<u128>,
    ndim: usize,
}

impl Measuring {
    /// Measures one line along the last axis, stretch by stretch of equal labels.
    fn line<A: AsPrimitive<f64>>(&mut self, values: &[A], labels: &[i32], place: &[usize], first: u64) {
        let mut begin = 0;
        while begin < labels.len() {
            let label = labels[begin];
            let more = labels[begin..].iter().position(|&other| other != label);
            let end = more.map_or(labels.len(), |more| begin + more);
            if label > 0 {
                self.stretch(label, &values[begin..end], begin, place, first);
            }
            begin = end;
        }
    }

    /// Adds a stretch of pixels of one label that begins at `begin` of its line.
    fn stretch<A: AsPrimitive<f64>>(
        &mut self,
        label: i32,
        values: &[A],
        begin: usize,
        place: &[usize],
        first: u64,
    ) {
        let slot = self.slot(label, values[0].as_());
        let running = &mut self.running[slot];
        let (mut sum, mut along, mut difference, mut squared) = (0.0, 0.0, 0.0, 0.0);
        for (step, value) in values.iter().enumerate() {
            let value: f64 = value.as_();
            let shifted = value - running.shift;
            sum += value;
            along += value * step as f64;
            difference += shifted;
            squared += shifted * shifted;
            running.region.see(value, first + (begin + step) as u64);
        }
        let count = values.len() as u64;
        running.region.count += count;
        running.region.sum += sum;
        running.difference += difference;
        running.difference_squared += squared;
        let extents = &mut self.extents[slot * self.ndim..][..self.ndim];
        for (axis, (extent, &at)) in extents.iter_mut().zip(place).enumerate() {
            let last = axis + 1 == self.ndim;
            let from = (at + if last { begin } else { 0 }) as u64;
            let to = from + if last { count } else { 1 };
            let within = if last { u128::from(count) * u128::from(count - 1) / 2 } else { 0 };
            extent.positions += u128::from(from) * u128::from(count) + within;
            extent.weighted += sum * from as f64 + if last { along } else { 0.0 };
            extent.begin = extent.begin.min(from);
            extent.end = extent.end.max(to);
        }
        self.multiply(slot, u128::from(count), begin, place);
    }

    /// Adds the products of the positions of so many pixels in a row, the first of which is number `begin` of its line.
    fn multiply(&mut self, slot: usize, count: u128, begin: usize, place: &[usize]) {
        let ndim = self.ndim;
        let Some(last) = ndim.checked_sub(1) else { return };
        let n_pairs = pairs(ndim);
        let mut products = self.products[slot * n_pairs..][..n_pairs].iter_mut();
        let first = (place[last] + begin) as u128;
        // 0 + 1 + … and 0 + 1 + 4 + …, as far as there are pixels.
        let (steps, squares) = (count * (count - 1) / 2, (count - 1) * count * (2 * count - 1) / 6);
        let along = count * first + steps;
        for i in 0..last {
            let at = place[i] as u128;
            for (&other, product) in place[i..last].iter().zip(products.by_ref()) {
                *product += count * at * other as u128;
            }
            if let Some(product) = products.next() {
                *product += at * along;
            }
        }
        if let Some(product) = products.next() {
            *product += count * first * first + 2 * first * steps + squares;
        }
    }

    /// The row of a label; a new one when the label is new, with its first value.
    fn slot(&mut self, label: i32, value: f64) -> usize {
        let slot = self.slots.entry(label);
        if *slot == NONE {
            *slot = self.running.len() as u32;
            let region = Region::nothing();
            let shift = if value.is_finite() { value } else { 0.0 };
            self.running.push(Running { label, region, shift, difference: 0.0, difference_squared: 0.0 });
            let nothing = Extent { positions: 0, weighted: 0.0, begin: u64::MAX, end: 0 };
            self.extents.resize(self.extents.len() + self.ndim, nothing);
            self.products.resize(self.products.len() + pairs(self.ndim), 0);
        }
        *slot as usize
    }

    /// Puts the regions in the order of their labels.
    fn finish(self) -> Regions {
        let mut order: Vec<usize> = (0..self.running.len()).collect();
        order.sort_unstable_by_key(|&slot| self.running[slot].label);
        let mut done = Regions { ndim: self.ndim, ..Regions::default() };
        for slot in order {
            let running = &self.running[slot];
            let (count, squares) = (running.region.count as f64, running.difference_squared);
            let moments = Moments::from_sums(count, running.shift, running.difference, squares);
            done.labels.push(running.label);
            done.regions.push(Region { moments: running.region.settled(moments), ..running.region });
            done.extents.extend_from_slice(&self.extents[slot * self.ndim..][..self.ndim]);
            let n_pairs = pairs(self.ndim);
            done.products.extend_from_slice(&self.products[slot * n_pairs..][..n_pairs]);
        }
        done
    }
}

impl Region {
    /// A region without pixels.
    pub(crate) fn nothing() -> Region {
        Region {
            count: 0,
            sum: 0.0,
            moments: Moments::default(),
            minimum: f64::INFINITY,
            maximum: f64::NEG_INFINITY,
            minimum_at: u64::MAX,
            maximum_at: u64::MAX,
        }
    }

    /// Takes note of a value at a position; a NaN is both least and greatest, the first one stays.
    #[inline(always)]
    fn see(&mut self, value: f64, at: u64) {
        if value < self.minimum || self.minimum_at == u64::MAX || (value.is_nan() && !self.minimum.is_nan()) {
            (self.minimum, self.minimum_at) = (value, at);
        }
        if value > self.maximum || self.maximum_at == u64::MAX || (value.is_nan() && !self.maximum.is_nan()) {
            (self.maximum, self.maximum_at) = (value, at);
        }
    }

    /// Squares of finite numbers that are too large for floats are infinite; NaN stays where a value is not finite.
    fn settled(&self, moments: Moments) -> Moments {
        match moments.squares.is_nan() && self.minimum.is_finite() && self.maximum.is_finite() {
            true => Moments { squares: f64::INFINITY, ..moments },
            false => moments,
        }
    }

    /// Both regions as one.
    fn join(&self, other: &Region) -> Region {
        let mut joined = Region { count: self.count + other.count, sum: self.sum + other.sum, ..*self };
        let earlier =
            |one: (f64, u64), other: (f64, u64), less: bool| match (one.0.is_nan(), other.0.is_nan()) {
                (true, true) => one.1 < other.1,
                (true, false) => true,
                (false, true) => false,
                (false, false) if one.0 == other.0 => one.1 < other.1,
                (false, false) => less,
            };
        if !earlier(
            (self.minimum, self.minimum_at),
            (other.minimum, other.minimum_at),
            self.minimum < other.minimum,
        ) {
            (joined.minimum, joined.minimum_at) = (other.minimum, other.minimum_at);
        }
        if !earlier(
            (self.maximum, self.maximum_at),
            (other.maximum, other.maximum_at),
            self.maximum > other.maximum,
        ) {
            (joined.maximum, joined.maximum_at) = (other.maximum, other.maximum_at);
        }
        joined.moments = joined.settled(self.moments.combine(other.moments));
        joined
    }
}

impl Extent {
    fn join(&self, other: &Extent) -> Extent {
        Extent {
            positions: self.positions + other.positions,
            weighted: self.weighted + other.weighted,
            begin: self.begin.min(other.begin),
            end: self.end.max(other.end),
        }
    }
}

/// The regions of two parts of an image as those of both.
pub(crate) fn join(one: &Regions, other: &Regions) -> Regions {
    let ndim = one.ndim.max(other.ndim);
    let mut joined = Regions { ndim, ..Regions::default() };
    let (mut i, mut j) = (0, 0);
    while i < one.labels.len() || j < other.labels.len() {
        let (a, b) = (one.labels.get(i), other.labels.get(j));
        let from_one = a.is_some_and(|a| b.is_none_or(|b| a <= b));
        let from_other = b.is_some_and(|b| a.is_none_or(|a| b <= a));
        if from_one && from_other {
            joined.labels.push(one.labels[i]);
            joined.regions.push(one.regions[i].join(&other.regions[j]));
            let extents = one.extents_of(i).iter().zip(other.extents_of(j));
            joined.extents.extend(extents.map(|(a, b)| a.join(b)));
            let products = one.products_of(i).iter().zip(other.products_of(j));
            joined.products.extend(products.map(|(a, b)| a + b));
        } else {
            let (part, row) = if from_one { (one, i) } else { (other, j) };
            joined.labels.push(part.labels[row]);
            joined.regions.push(part.regions[row]);
            joined.extents.extend_from_slice(part.extents_of(row));
            joined.products.extend_from_slice(part.products_of(row));
        }
        i += usize::from(from_one);
        j += usize::from(from_other);
    }
    joined
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, ArrayD, s};

    use super::{Regions, join, measure_block};

    /// Sums in another order.
    const TOLERANCE: f64 = 1e-12;

    fn image() -> (Array2<f64>, Array2<i32>) {
        let values =
            Array2::from_shape_fn((6, 9), |(row, column)| 1000.0 + ((row * 31 + column * 17) % 23) as f64);
        let labels = Array2::from_shape_fn((6, 9), |(row, column)| match (row * 9 + column) % 7 {
            0 | 1 => 0,
            2 => 2_000_000_000,
            3 => -4,
            _ if column < 4 => 1,
            _ => 5,
        });
        (values, labels)
    }

    fn whole(values: &Array2<f64>, labels: &Array2<i32>) -> Regions {
        measure_block(values.view().into_dyn(), labels.view().into_dyn(), &[0, 0], &[6, 9])
    }

    #[track_caller]
    fn close(one: f64, other: f64) {
        assert!((one - other).abs() <= TOLERANCE * one.abs().max(1.0), "{one} {other}");
    }

    #[test]
    fn one_pass_equals_the_definitions() {
        let (values, labels) = image();
        let found = whole(&values, &labels);
        assert_eq!(found.labels, [1, 5, 2_000_000_000]);
        for (row, &label) in found.labels.iter().enumerate() {
            let pixels: Vec<((usize, usize), f64)> = values
                .indexed_iter()
                .filter(|&(at, _)| labels[at] == label)
                .map(|(at, &value)| (at, value))
                .collect();
            let count = pixels.len() as f64;
            let sum: f64 = pixels.iter().map(|pixel| pixel.1).sum();
            let region = found.regions[row];
            assert_eq!(region.count, pixels.len() as u64);
            close(region.sum, sum);
            close(region.moments.average(), sum / count);
            close(region.moments.squares, pixels.iter().map(|pixel| (pixel.1 - sum / count).powi(2)).sum());
            let least = pixels.iter().map(|pixel| pixel.1).fold(f64::INFINITY, f64::min);
            assert_eq!(region.minimum, least);
            let first = pixels.iter().find(|pixel| pixel.1 == least).unwrap().0;
            assert_eq!(region.minimum_at, (first.0 * 9 + first.1) as u64);
            assert_eq!(region.maximum, pixels.iter().map(|pixel| pixel.1).fold(f64::NEG_INFINITY, f64::max));
            let [rows, columns] = found.extents_of(row) else { panic!("two axes") };
            assert_eq!(rows.positions, pixels.iter().map(|pixel| pixel.0.0 as u128).sum());
            assert_eq!(columns.positions, pixels.iter().map(|pixel| pixel.0.1 as u128).sum());
            close(columns.weighted, pixels.iter().map(|pixel| pixel.0.1 as f64 * pixel.1).sum());
            close(rows.weighted, pixels.iter().map(|pixel| pixel.0.0 as f64 * pixel.1).sum());
            assert_eq!(rows.begin, pixels.iter().map(|pixel| pixel.0.0 as u64).min().unwrap());
            let products =
                |of: fn((usize, usize)) -> usize| pixels.iter().map(|pixel| of(pixel.0) as u128).sum();
            let sums: [u128; 3] =
                [products(|at| at.0 * at.0), products(|at| at.0 * at.1), products(|at| at.1 * at.1)];
            assert_eq!(found.products_of(row), sums);
            let mean = |of: fn((usize, usize)) -> usize| {
                pixels.iter().map(|pixel| of(pixel.0) as f64).sum::<f64>() / count
            };
            let (y, x) = (mean(|at| at.0), mean(|at| at.1));
            let spread = found.spread_of(row);
            close(spread[0], pixels.iter().map(|pixel| (pixel.0.0 as f64 - y).powi(2)).sum::<f64>() / count);
            close(
                spread[1],
                pixels.iter().map(|pixel| (pixel.0.0 as f64 - y) * (pixel.0.1 as f64 - x)).sum::<f64>()
                    / count,
            );
            assert_eq!(spread[1], spread[2]);
            assert_eq!(columns.end, pixels.iter().map(|pixel| pixel.0.1 as u64 + 1).max().unwrap());
        }
    }

    #[test]
    fn parts_joined_equal_the_whole() {
        let (values, labels) = image();
        let expected = whole(&values, &labels);
        for row in 0..=6 {
            for column in 0..=9 {
                let part = |rows: std::ops::Range<usize>, columns: std::ops::Range<usize>| {
                    let slice = s![rows.clone(), columns.clone()];
                    measure_block(
                        values.slice(slice).into_dyn(),
                        labels.slice(slice).into_dyn(),
                        &[rows.start, columns.start],
                        &[6, 9],
                    )
                };
                let top = join(&part(0..row, 0..column), &part(0..row, column..9));
                let bottom = join(&part(row..6, 0..column), &part(row..6, column..9));
                let found = join(&top, &bottom);
                assert_eq!((&found.labels, &found.products), (&expected.labels, &expected.products));
                for (found, expected) in found.regions.iter().zip(&expected.regions) {
                    assert_eq!(
                        (found.count, found.minimum, found.minimum_at, found.maximum, found.maximum_at),
                        (
                            expected.count,
                            expected.minimum,
                            expected.minimum_at,
                            expected.maximum,
                            expected.maximum_at
                        )
                    );
                    close(found.moments.average(), expected.moments.average());
                    close(found.moments.squares, expected.moments.squares);
                }
                for (found, expected) in found.extents.iter().zip(&expected.extents) {
                    assert_eq!(
                        (found.positions, found.begin, found.end),
                        (expected.positions, expected.begin, expected.end)
                    );
                    close(found.weighted, expected.weighted);
                }
            }
        }
    }

    #[test]
    fn a_tiny_spread_on_a_huge_value_is_measured() {
        let values = ArrayD::from_shape_fn(ndarray::IxDyn(&[1000]), |at| 1e9 + (at[0] % 2) as f64);
        let labels = ArrayD::from_elem(ndarray::IxDyn(&[1000]), 1);
        let part = |from: usize, to: usize| {
            measure_block(
                values.slice(s![from..to]).into_dyn(),
                labels.slice(s![from..to]).into_dyn(),
                &[from],
                &[1000],
            )
        };
        assert_eq!(part(0, 1000).regions[0].moments.squares, 250.0);
        assert_eq!(join(&part(0, 500), &part(500, 1000)).regions[0].moments.squares, 250.0);
    }

    #[test]
    fn a_mean_of_a_hundred_million_spreads_keeps_twelve_digits() {
        // The spread is exact in binary, so that values far from 0 have the variance of those near it.
        let near = ArrayD::from_shape_fn(ndarray::IxDyn(&[50_000]), |at| {
            f64::from((at[0] * 7919 % 1024) as u32) / 256.0 - 2.0
        });
        let labels = ArrayD::from_elem(near.raw_dim(), 1);
        let squares = |values: &ArrayD<f64>| {
            let parts = (0..50_000).step_by(777).map(|from| {
                let part = s![from..50_000.min(from + 777)];
                let (values, labels) = (values.slice(part), labels.slice(part));
                measure_block(values.into_dyn(), labels.into_dyn(), &[from], &[50_000])
            });
            parts.reduce(|one, other| join(&one, &other)).unwrap().regions[0].moments.squares
        };
        let (near, far) = (squares(&near), squares(&near.mapv(|value| value + 134_217_728.0)));
        assert!((near - far).abs() <= TOLERANCE * near, "{near} {far}");
    }

    #[test]
    fn squares_that_are_too_large_are_infinite_in_parts_and_whole() {
        for values in [[1e308, -1e308, 1.0], [-1e308, 1.0, 1e308], [1.0, 1e200, 1e200]] {
            let values = ArrayD::from_shape_vec(ndarray::IxDyn(&[3]), values.to_vec()).unwrap();
            let labels = ArrayD::from_elem(values.raw_dim(), 1);
            let part = |from: usize, to: usize| {
                let part = s![from..to];
                let (values, labels) = (values.slice(part), labels.slice(part));
                measure_block(values.into_dyn(), labels.into_dyn(), &[from], &[3])
            };
            for cut in 0..=3 {
                assert_eq!(
                    join(&part(0, cut), &part(cut, 3)).regions[0].moments.squares,
                    f64::INFINITY,
                    "{values} {cut}"
                );
            }
            let single = join(&join(&part(0, 1), &part(1, 2)), &part(2, 3));
            assert_eq!(single.regions[0].moments.squares, f64::INFINITY, "{values}");
        }
    }

    #[test]
    fn a_nan_is_seen_and_an_infinity_keeps_its_mean() {
        let values =
            ArrayD::from_shape_vec(ndarray::IxDyn(&[5]), vec![1.0, f64::NAN, 0.0, f64::INFINITY, 2.0])
                .unwrap();
        let labels = ArrayD::from_shape_vec(ndarray::IxDyn(&[5]), vec![1, 1, 1, 2, 2]).unwrap();
        let found = measure_block(values.view(), labels.view(), &[0], &[5]);
        let [nan, infinite] = found.regions[..] else { panic!("two regions") };
        assert!(
            nan.minimum.is_nan() && nan.maximum.is_nan() && nan.sum.is_nan() && nan.moments.squares.is_nan()
        );
        assert_eq!((nan.minimum_at, nan.maximum_at), (1, 1));
        assert_eq!((infinite.sum, infinite.maximum, infinite.minimum), (f64::INFINITY, f64::INFINITY, 2.0));
    }
}
