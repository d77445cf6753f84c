//! Thresholds that are found in a histogram: its counts, and the values at the centers of its bins.
//!
//! Empty bins before the first and behind the last filled one change nothing. scikit-image, whose answers these are, counts in
//! `f32`; here counts are exact, so that a choice between bins of all but equal merit may be another.

use super::otsu;

/// How a threshold is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    Otsu,
    Yen,
    Isodata,
    Triangle,
    Li,
}

impl Method {
    /// The threshold of a histogram; `None` for one of nothing.
    pub(crate) fn find(self, counts: &[u64], centers: &[f64]) -> Option<f64> {
        let begin = counts.iter().position(|&count| count > 0)?;
        let end = counts.iter().rposition(|&count| count > 0)? + 1;
        let (counts, centers) = (&counts[begin..end], &centers[begin..end]);
        if let [only] = centers {
            return Some(*only);
        }
        match self {
            Self::Otsu => otsu::otsu(counts, centers),
            Self::Yen => Some(centers[yen(counts)]),
            Self::Isodata => isodata(counts, centers),
            Self::Triangle => Some(centers[triangle(counts)]),
            Self::Li => Some(li(counts, centers)),
        }
    }
}

/// Running sums, from the first on.
fn sums(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let add = |sum: &mut f64, value: f64| {
        *sum += value;
        Some(*sum)
    };
    values.scan(0.0, add).collect()
}

/// The first of the greatest.
fn greatest(values: impl Iterator<Item = f64>) -> usize {
    let better =
        |best: (usize, f64), (at, value): (usize, f64)| if value > best.1 { (at, value) } else { best };
    values.enumerate().fold((0, f64::NEG_INFINITY), better).0
}

/// Source: J.-C. Yen, F.-J. Chang and S. Chang, "A new criterion for automatic multilevel thresholding" (1995).
fn yen(counts: &[u64]) -> usize {
    let total = counts.iter().sum::<u64>() as f64;
    let shares = || counts.iter().map(|&count| count as f64 / total);
    let below = sums(shares());
    let squares = sums(shares().map(|share| share * share));
    let mut above = sums(shares().rev().map(|share| share * share));
    above.reverse();
    greatest((0..counts.len() - 1).map(|at| {
        let both = below[at] * (1.0 - below[at]);
        (both * both / (squares[at] * above[at + 1])).ln()
    }))
}

/// Source: T. W. Ridler and S. Calvard, "Picture thresholding using an iterative selection method" (1978): the first value that is
/// the mean of the means of both classes, within a bin.
fn isodata(counts: &[u64], centers: &[f64]) -> Option<f64> {
    let pixels = sums(counts.iter().map(|&count| count as f64));
    let light = sums(counts.iter().zip(centers).map(|(&count, center)| count as f64 * center));
    let (all, whole) = (*pixels.last()?, *light.last()?);
    let width = centers[1] - centers[0];
    (0..centers.len() - 1)
        .find(|&at| {
            let lower = light[at] / pixels[at];
            let higher = (whole - light[at]) / (all - pixels[at]);
            (0.0..width).contains(&((lower + higher) / 2.0 - centers[at]))
        })
        .map(|at| centers[at])
}

/// Source: G. W. Zack, W. E. Rogers and S. A. Latt, "Automatic measurement of sister chromatid exchange frequency" (1977): the bin
/// that lies furthest below the line from the peak to the end of the longer tail.
fn triangle(counts: &[u64]) -> usize {
    let n = counts.len();
    let peak = greatest(counts.iter().map(|&count| count as f64));
    let is_turned = peak < n - 1 - peak;
    let count = |at: usize| counts[if is_turned { n - 1 - at } else { at }] as f64;
    let width = if is_turned { n - 1 - peak } else { peak };
    let (height, width) = (counts[peak] as f64, width);
    let norm = height.hypot(width as f64);
    let (rise, run) = (height / norm, width as f64 / norm);
    let level = greatest((0..width).map(|at| rise * at as f64 - run * count(at)));
    if is_turned { n - 1 - level } else { level }
}

/// Source: C. H. Li and P. K. S. Tam, "An iterative algorithm for minimum cross entropy thresholding" (1998), from the mean on
/// until less than half a bin changes.
fn li(counts: &[u64], centers: &[f64]) -> f64 {
    let (first, width) = (centers[0], centers[1] - centers[0]);
    let mean = |is_above: &dyn Fn(f64) -> bool| {
        let chosen = counts.iter().zip(centers).map(|(&count, &center)| (count as f64, center - first));
        let add = |sums: (f64, f64), (count, value): (f64, f64)| (sums.0 + count, sums.1 + count * value);
        let (count, sum) = chosen.filter(|&(_, value)| is_above(value)).fold((0.0, 0.0), add);
        sum / count
    };
    let (mut next, mut current) = (mean(&|_| true), -width);
    // It falls or rises all the way: a value that comes again ends it.
    while (next - current).abs() > width / 2.0 {
        current = next;
        let (above, below) = (mean(&|value| value > current), mean(&|value| value <= current));
        if below == 0.0 {
            break;
        }
        next = (below - above) / (below.ln() - above.ln());
    }
    next + first
}

/// The values between `classes` classes whose means lie furthest apart, each the greatest of its class; `None` where there are
/// fewer different values than classes.
///
/// **Cost** `classes · levels²` steps for so many filled bins.
///
/// Source: P.-S. Liao, T.-S. Chen and P.-C. Chung, "A fast algorithm for multilevel thresholding" (2001): the criterion; here the
/// best thresholds up to a level come of those up to the levels before.
pub(crate) fn multi_otsu(counts: &[u64], centers: &[f64], classes: usize) -> Option<Vec<f64>> {
    let filled: Vec<usize> = (0..counts.len()).filter(|&at| counts[at] > 0).collect();
    let n = filled.len();
    if n < classes || classes == 0 {
        return None;
    }
    let pixels = sums(std::iter::once(0.0).chain(filled.iter().map(|&at| counts[at] as f64)));
    // Numbers of bins, as all bins are equally wide: their squares stay small.
    let light =
        sums(std::iter::once(0.0).chain(filled.iter().map(|&at| counts[at] as f64 * (at + 1) as f64)));
    // What a class of the levels from `from` up to `to`, not included, adds.
    let merit = |from: usize, to: usize| {
        let sum = light[to] - light[from];
        sum * sum / (pixels[to] - pixels[from])
    };
    // The best merit of the levels before each, in so many classes, and where the last of them begins.
    let mut best: Vec<f64> =
        (0..=n).map(|to| if to == 0 { f64::NEG_INFINITY } else { merit(0, to) }).collect();
    let mut begins: Vec<Vec<usize>> = Vec::with_capacity(classes);
    for class in 1..classes {
        let mut next = vec![f64::NEG_INFINITY; n + 1];
        let mut from_where = vec![0; n + 1];
        for to in class + 1..=n {
            for (from, before) in best.iter().enumerate().take(to).skip(class) {
                let value = before + merit(from, to);
                if value > next[to] {
                    (next[to], from_where[to]) = (value, from);
                }
            }
        }
        best = next;
        begins.push(from_where);
    }
    let mut to = n;
    let mut thresholds: Vec<f64> = begins
        .iter()
        .rev()
        .map(|from_where| {
            to = from_where[to];
            centers[filled[to - 1]]
        })
        .collect();
    thresholds.reverse();
    Some(thresholds)
}

#[cfg(test)]
mod tests {
    use super::{Method, multi_otsu};

    const ALL: [Method; 5] = [Method::Otsu, Method::Yen, Method::Isodata, Method::Triangle, Method::Li];

    #[test]
    fn thresholds_lie_between_two_hills_and_are_moved_with_them() {
        let hill = [1, 4, 9, 12, 9, 4, 1];
        let counts: Vec<u64> = hill.into_iter().chain([1; 8]).chain(hill).collect();
        let moved: Vec<u64> = [0; 30].into_iter().chain(counts.iter().copied()).chain([0; 5]).collect();
        let centers: Vec<f64> = (0..90).map(f64::from).collect();
        for method in ALL {
            let found = method.find(&counts, &centers[..counts.len()]).unwrap();
            assert!((4.0..16.0).contains(&found), "{method:?} {found}");
            let moved = method.find(&moved, &centers[..moved.len()]).unwrap();
            assert!((moved - found - 30.0).abs() < 1e-9, "{method:?}");
        }
    }

    #[test]
    fn one_value_is_its_own_threshold_and_nothing_has_none() {
        for method in ALL {
            assert_eq!(method.find(&[0, 7, 0], &[1.0, 2.0, 3.0]), Some(2.0), "{method:?}");
            assert_eq!(method.find(&[0, 0], &[1.0, 2.0]), None);
            assert!(
                method.find(&[5, 7], &[1.0, 2.0]).is_some_and(|found| (1.0..=2.0).contains(&found)),
                "{method:?}"
            );
        }
    }

    #[test]
    fn several_thresholds_are_those_of_a_search_over_all() {
        let counts = [3, 0, 8, 5, 1, 1, 6, 9, 2, 0, 4, 7];
        let centers: Vec<f64> = (0..12).map(f64::from).collect();
        let merit = |from: usize, to: usize| {
            let pixels: u64 = counts[from..to].iter().sum();
            let light: u64 = (from..to).map(|at| counts[at] * (at as u64 + 1)).sum();
            if pixels == 0 { 0.0 } else { (light * light) as f64 / pixels as f64 }
        };
        let mut best = (f64::NEG_INFINITY, vec![]);
        for one in 0..10 {
            for other in one + 1..11 {
                let value = merit(0, one + 1) + merit(one + 1, other + 1) + merit(other + 1, 12);
                if value > best.0 {
                    best = (value, vec![one as f64, other as f64]);
                }
            }
        }
        assert_eq!(multi_otsu(&counts, &centers, 3), Some(best.1));
        assert_eq!(multi_otsu(&[1, 0, 2, 5], &[0.0, 1.0, 2.0, 3.0], 3), Some(vec![0.0, 2.0]));
        assert_eq!(multi_otsu(&[1, 0, 2], &[0.0, 1.0, 2.0], 3), None);
        assert_eq!(multi_otsu(&[1, 1], &[0.0, 1.0], 1), Some(vec![]));
    }
}
