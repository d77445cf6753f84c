//! Values of an image between its pixels: which pixels count at a place, beyond the edges too, and their weighted sum.

use std::ops::Range;

use super::bspline::{MOST_TAPS, weights_at};
use super::widen::{Widen, is_integer};

/// What stands beyond the edges of an image that is seen between its pixels.
///
/// A line `a b c d` goes on as shown; the marks under it are where its pixels lie.
///
/// | mode | before | line | after | |
/// |---|---|---|---|---|
/// | `Constant(k)` | `k k k k` | `a b c d` | `k k k k` | between the last pixel and the next there is nothing of the line: `k` |
/// | `GridConstant(k)` | `k k k k` | `a b c d` | `k k k k` | pixels of value `k` lie around the image |
/// | `Nearest` | `a a a a` | `a b c d` | `d d d d` | |
/// | `Mirror` | `d c b` | `a b c d` | `c b a` | about the centers of the pixels at the edges |
/// | `Reflect` | `d c b a` | `a b c d` | `d c b a` | about the edges of these pixels; scipy calls it `grid-mirror`, too |
/// | `GridWrap` | `a b c d` | `a b c d` | `a b c d` | |
/// | `Wrap` | `b c` | `a b c d` | `b c a` | the first pixel and the last are one place, so that the line is one pixel shorter |
///
/// # Examples
/// ```
/// use musher_image::SplineMode;
/// assert_eq!(SplineMode::default(), SplineMode::Constant(0.0));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum SplineMode {
    /// One value wherever a coordinate lies beyond the outermost pixels: scipy's `constant`, its default.
    Constant(f64),
    /// Pixels of one value: scipy's `grid-constant`.
    GridConstant(f64),
    /// The pixel at the edge, over and over.
    Nearest,
    /// The line runs backwards from the pixel beside the edge.
    Mirror,
    /// The pixel at the edge is repeated, then the line runs backwards.
    Reflect,
    /// The other end of the line: scipy's `grid-wrap`.
    GridWrap,
    /// The other end of the line, whose last pixel is its first: scipy's `wrap`.
    Wrap,
}

impl Default for SplineMode {
    fn default() -> Self {
        Self::Constant(0.0)
    }
}

impl SplineMode {
    /// What pixels beyond the edges are, where coefficients of a spline are asked for.
    fn of_pixels(self) -> Self {
        match self {
            // A spline has no boundary of its own for these two: it ends as if mirrored.
            Self::Constant(_) | Self::Wrap => Self::Mirror,
            other => other,
        }
    }

    /// Where on a line of `n` pixels a coordinate lies; `None` where the constant stands.
    pub(crate) fn fold(self, x: f64, n: usize) -> Option<f64> {
        if n == 0 || x.is_nan() {
            return None;
        }
        let (length, last) = (n as f64, (n - 1) as f64);
        if (0.0..=last).contains(&x) {
            return Some(x);
        }
        if let Self::GridConstant(_) = self {
            return x.is_finite().then_some(x);
        }
        if let Self::Nearest = self {
            // Where all that counts is the pixel at the edge, distance does not.
            let beyond = MOST_TAPS as f64 + 1.0;
            return Some(x.clamp(-beyond, last + beyond));
        }
        if !x.is_finite() || matches!(self, Self::Constant(_)) {
            return None;
        }
        if n == 1 {
            return Some(0.0);
        }
        Some(match self {
            // Half a pixel beyond the last one the coordinate stays: what it is rounded to is mirrored.
            Self::Mirror => {
                let around = x.abs() % (2.0 * last);
                let turns = if x < 0.0 { around >= last } else { around >= length };
                if turns { 2.0 * last - around } else { around }
            }
            // Between the edge of a pixel and its center the coordinate stays beyond the line: its neighbors are reflected.
            Self::Reflect if x < 0.0 => {
                let around = -(-x % (2.0 * length));
                if around < -length { around + 2.0 * length } else { -around - 1.0 }
            }
            Self::Reflect => {
                let around = x % (2.0 * length);
                if around >= length { 2.0 * length - around - 1.0 } else { around }
            }
            // From below, a coordinate on the place that is both ends comes to the last pixel, from above to the first.
            Self::Wrap if x < 0.0 => x + last * ((-x / last).trunc() + 1.0),
            Self::Wrap => x % last,
            _ => x.rem_euclid(length),
        })
    }

    /// The pixel that stands at a position; `None` where the constant does.
    fn pixel(self, at: f64, n: usize) -> Option<usize> {
        match self.of_pixels() {
            Self::GridConstant(_) => (0.0..n as f64).contains(&at).then_some(at as usize),
            // A cast ends at 0.
            Self::Nearest => n.checked_sub(1).map(|last| (at as usize).min(last)),
            mode => mode.fold(at, n).map(|at| at as usize),
        }
    }

    /// The value beyond the edges.
    pub(crate) fn constant(self) -> f64 {
        match self {
            Self::Constant(value) | Self::GridConstant(value) => value,
            _ => 0.0,
        }
    }
}

/// Coordinates beyond this are not followed around the line: all of it may count there.
const FAR: f64 = (1_u64 << 50) as f64;

/// One axis of coefficients.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Knots {
    /// How many there are.
    pub(crate) n: usize,
    /// How many stand before the first pixel of the image.
    pub(crate) pad: usize,
    /// The order of the spline.
    pub(crate) order: usize,
    pub(crate) mode: SplineMode,
}

impl Knots {
    /// The coefficients that count anywhere between two coordinates of the image, as rising ranges; one or two more at
    /// either side, so that a coordinate that is rounded otherwise finds its own.
    pub(crate) fn needed(&self, low: f64, high: f64) -> Vec<Range<usize>> {
        let Self { n, pad, order, mode } = *self;
        let (mut low, mut high) = (low + pad as f64, high + pad as f64);
        let (spare, last) = ((order / 2 + 2) as f64, n as f64 - 1.0);
        if n == 0 || low > high {
            return vec![];
        }
        // Nothing is known of the place, or whole numbers are no longer told apart there.
        if low.is_nan() || high.is_nan() || low.abs().max(high.abs()) > FAR {
            return std::iter::once(0..n).collect();
        }
        match mode {
            SplineMode::Nearest => {
                (low, high) = (low.clamp(-spare, last + spare), high.clamp(-spare, last + spare))
            }
            // What is rounded otherwise may lie on the line after all.
            SplineMode::Constant(_) | SplineMode::GridConstant(_) => {
                (low, high) = (low.max(-spare), high.min(last + spare));
                if low > high {
                    return vec![];
                }
            }
            _ => {}
        }
        if low - spare >= 0.0 && high + spare <= last {
            let (from, to) = ((low - spare).floor() as usize, (high + spare).ceil() as usize);
            return std::iter::once(from..(to + 1).min(n)).collect();
        }
        // Beyond this all that there is has come once.
        if !(high - low).is_finite() || high - low >= n as f64 || n as f64 <= 2.0 * spare {
            return std::iter::once(0..n).collect();
        }
        let mut places = Vec::new();
        let spare = spare as isize;
        let (mut at, end) = (low.floor(), high.ceil());
        while at <= end {
            let around = mode.fold(at, n).map_or(at.clamp(0.0, last), |at| at);
            places.extend((-spare..=spare).filter_map(|step| mode.pixel(around.floor() + step as f64, n)));
            at += 1.0;
        }
        places.sort_unstable();
        places.dedup();
        let mut ranges: Vec<Range<usize>> = Vec::new();
        for place in places {
            match ranges.last_mut() {
                Some(range) if range.end == place => range.end += 1,
                _ => ranges.push(place..place + 1),
            }
        }
        ranges
    }
}

/// Which coefficients count along one axis, and how much.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Support {
    /// How far each lies from the first of the assembled coefficients; `None` where the constant stands.
    at: [Option<usize>; MOST_TAPS],
    weights: [f64; MOST_TAPS],
    n: usize,
}

/// One axis of the coefficients that were assembled for a block.
#[derive(Debug, Clone)]
pub(crate) struct Assembled {
    pub(crate) knots: Knots,
    /// Which there are, rising.
    pub(crate) ranges: Vec<Range<usize>>,
    /// How far neighbors lie apart.
    pub(crate) stride: usize,
}

impl Assembled {
    /// How many there are.
    pub(crate) fn len(ranges: &[Range<usize>]) -> usize {
        ranges.iter().map(ExactSizeIterator::len).sum()
    }

    /// Where a coefficient lies.
    #[inline]
    fn offset(&self, at: usize) -> usize {
        let mut before = 0;
        for range in &self.ranges {
            if at < range.end {
                return (before + at - range.start) * self.stride;
            }
            before += range.len();
        }
        unreachable!("what is needed for a block was assembled")
    }

    /// What counts at a coordinate of the image; `None` where all of it is the constant.
    #[inline]
    pub(crate) fn support(&self, x: f64) -> Option<Support> {
        let Knots { n, pad, order, mode } = self.knots;
        let x = mode.fold(x + pad as f64, n)?;
        let (first, weights) = weights_at(x, order);
        let mut at = [None; MOST_TAPS];
        if first >= 0.0 && first + (order as f64) < n as f64 {
            // All in a row, as nearly everywhere.
            let offset = self.offset(first as usize);
            for (tap, at) in at.iter_mut().enumerate().take(order + 1) {
                *at = Some(offset + tap * self.stride);
            }
        } else {
            for (tap, at) in at.iter_mut().enumerate().take(order + 1) {
                *at = mode.pixel(first + tap as f64, n).map(|at| self.offset(at));
            }
        }
        Some(Support { at, weights, n: order + 1 })
    }
}

/// The sum of all coefficients that count along all axes, each with its weights.
#[inline]
pub(crate) fn weighted_sum<A: Widen>(
    elements: &[A],
    begin: usize,
    supports: &[Support],
    constant: f64,
) -> f64 {
    let Some((support, inner)) = supports.split_first() else {
        return elements.get(begin).map_or(constant, |&element| element.widen());
    };
    let mut sum = 0.0;
    for (at, weight) in support.at.iter().zip(&support.weights).take(support.n) {
        sum += weight
            * match at {
                // The weights along the other axes sum to one.
                None => constant,
                Some(at) if inner.is_empty() => elements[begin + at].widen(),
                Some(at) => weighted_sum(elements, begin + at, inner, constant),
            };
    }
    sum
}

/// A sum as the element that it stands for: integers are rounded to the nearest, halves away from 0, and end at their range.
#[inline]
pub(crate) fn rounded<A: Widen>(sum: f64) -> A {
    match is_integer::<A>() {
        true if sum > 0.0 => A::narrow(sum + 0.5),
        true => A::narrow(sum - 0.5),
        false => A::narrow(sum),
    }
}

#[cfg(test)]
mod tests {
    use super::{Assembled, Knots, SplineMode};

    const MODES: [SplineMode; 7] = [
        SplineMode::Constant(0.0),
        SplineMode::GridConstant(0.0),
        SplineMode::Nearest,
        SplineMode::Mirror,
        SplineMode::Reflect,
        SplineMode::GridWrap,
        SplineMode::Wrap,
    ];

    #[test]
    fn whatever_lies_between_two_coordinates_finds_its_coefficients() {
        for mode in MODES {
            for n in [0, 1, 2, 3, 9, 40] {
                for order in 0..=5 {
                    for pad in [0, 3] {
                        let knots = Knots { n, pad, order, mode };
                        for (low, high) in
                            [(-3.0, 2.5), (4.25, 6.0), (20.0, 33.1), (-95.3, -80.0), (38.2, 47.9)]
                        {
                            let assembled = Assembled { knots, ranges: knots.needed(low, high), stride: 1 };
                            for step in 0..=100 {
                                // Panics where something is missing.
                                assembled.support(low + (high - low) * f64::from(step) / 100.0);
                            }
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn a_block_in_the_middle_needs_its_surroundings_only() {
        for mode in MODES {
            let knots = Knots { n: 1000, pad: 0, order: 3, mode };
            let (first, more) = (knots.needed(500.0, 520.5), knots.needed(500.0, 520.5).len());
            assert_eq!((first.first(), more), (Some(&(497..525)), 1));
        }
    }

    #[test]
    fn coordinates_beyond_the_edges_are_folded_as_the_pictures_say() {
        let line = ['a', 'b', 'c', 'd'];
        let seen = |mode: SplineMode| -> String {
            (-6..10)
                .map(|at| {
                    mode.fold(f64::from(at), 4).and_then(|at| mode.pixel(at, 4)).map_or('k', |at| line[at])
                })
                .collect()
        };
        assert_eq!(seen(SplineMode::Constant(1.0)), "kkkkkkabcdkkkkkk");
        assert_eq!(seen(SplineMode::GridConstant(1.0)), "kkkkkkabcdkkkkkk");
        assert_eq!(seen(SplineMode::Nearest), "aaaaaaabcddddddd");
        assert_eq!(seen(SplineMode::Mirror), "abcdcbabcdcbabcd");
        assert_eq!(seen(SplineMode::Reflect), "cddcbaabcddcbaab");
        assert_eq!(seen(SplineMode::GridWrap), "cdabcdabcdabcdab");
        assert_eq!(seen(SplineMode::Wrap), "dbcdbcabcdbcabca");
        assert_eq!(SplineMode::Reflect.fold(f64::NAN, 4), None);
        assert_eq!(SplineMode::Reflect.fold(f64::INFINITY, 4), None);
        assert_eq!(SplineMode::Nearest.fold(f64::INFINITY, 4), Some(10.0));
    }
}
