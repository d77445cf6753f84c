//! Distances to the nearest background along a line, by which those in an image are found axis after axis.
//!
//! The squared distance of a pixel is the least of `g(i) + s² (x - i)²` over its line, where `g` are the squared distances along the
//! axes before; the other metrics have the like. A function of `x` for each `i`, and of all of them the lower envelope.
//!
//! Source: P. F. Felzenszwalb and D. P. Huttenlocher, "Distance transforms of sampled functions" (2012); A. Meijster,
//! J. B. T. M. Roerdink and W. H. Hesselink, "A general algorithm for computing distance transforms in linear time" (2000).

/// How far apart two pixels are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Along {
    /// As the crow flies, squared; pixels along the axis are so far apart.
    Squares(f64),
    /// The sum of the steps along all axes.
    Taxicab,
    /// The most steps along any axis.
    Chessboard,
}

impl Along {
    /// What becomes of a line of distances; `out` has the same length. No distance is infinite.
    pub(crate) fn line(self, line: &[f64], hull: &mut Hull, out: &mut [f64]) {
        match self {
            Self::Taxicab => taxicab(line, out),
            Self::Squares(step) => self.envelope(line, hull, out, |(i, a), (u, b)| {
                (b - a) / (2.0 * step * step * (u - i)) + (i + u) / 2.0
            }),
            Self::Chessboard => self.envelope(line, hull, out, |(i, a), (u, b)| {
                let middle = ((i + u) / 2.0).floor();
                if a <= b { (i + b).max(middle) } else { (u - a).min(middle) }
            }),
        }
    }

    /// The distance of `x` if the nearest is over pixel `site`.
    fn over(self, line: &[f64], site: usize, x: usize) -> f64 {
        let steps = x.abs_diff(site) as f64;
        match self {
            Self::Squares(step) => line[site] + (step * steps) * (step * steps),
            Self::Taxicab => line[site] + steps,
            Self::Chessboard => line[site].max(steps),
        }
    }

    /// The lower envelope; `meet` tells from where on the later of two sites, each with its distance, is nearer than the earlier.
    fn envelope(
        self,
        line: &[f64],
        hull: &mut Hull,
        out: &mut [f64],
        meet: impl Fn((f64, f64), (f64, f64)) -> f64,
    ) {
        let Hull { sites, begins } = hull;
        sites.clear();
        begins.clear();
        for site in (0..line.len()).filter(|&site| line[site] < f64::INFINITY) {
            loop {
                let Some((&last, &begin)) = sites.last().zip(begins.last()) else {
                    sites.push(site);
                    begins.push(0);
                    break;
                };
                // Where the last one of all begins to be the nearest, this one is nearer already.
                if begin < line.len() && self.over(line, last, begin) > self.over(line, site, begin) {
                    sites.pop();
                    begins.pop();
                    continue;
                }
                let known = |site: usize| (site as f64, line[site]);
                let meet = meet(known(last), known(site)).floor() + 1.0;
                if meet < line.len() as f64 {
                    sites.push(site);
                    begins.push((meet.max(0.0) as usize).max(begin));
                }
                break;
            }
        }
        let mut at = 0;
        for (x, out) in out.iter_mut().enumerate() {
            while at + 1 < sites.len() && begins[at + 1] <= x {
                at += 1;
            }
            *out = sites.get(at).map_or(f64::INFINITY, |&site| self.over(line, site, x));
        }
    }
}

/// There and back, each one step further than its neighbor at most.
fn taxicab(line: &[f64], out: &mut [f64]) {
    let mut near = f64::INFINITY;
    for (out, &own) in out.iter_mut().zip(line) {
        near = own.min(near + 1.0);
        *out = near;
    }
    near = f64::INFINITY;
    for out in out.iter_mut().rev() {
        near = out.min(near + 1.0);
        *out = near;
    }
}

/// Which pixels of a line are the nearest of some, and from where on.
#[derive(Debug, Default)]
pub(crate) struct Hull {
    sites: Vec<usize>,
    begins: Vec<usize>,
}

#[cfg(test)]
mod tests {
    use super::{Along, Hull};

    #[test]
    fn every_short_line_equals_the_definition() {
        let values = [0.0, 1.0, 2.0, 4.0, 9.0, f64::INFINITY];
        let mut hull = Hull::default();
        for length in 0..=6_usize {
            for code in 0..values.len().pow(length as u32) {
                let line: Vec<f64> =
                    (0..length).map(|at| values[code / values.len().pow(at as u32) % values.len()]).collect();
                for along in [Along::Squares(1.0), Along::Squares(0.75), Along::Taxicab, Along::Chessboard] {
                    let mut found = vec![0.0; length];
                    along.line(&line, &mut hull, &mut found);
                    for (x, found) in found.iter().enumerate() {
                        let over = (0..length)
                            .filter(|&site| line[site].is_finite())
                            .map(|site| along.over(&line, site, x));
                        assert_eq!(*found, over.fold(f64::INFINITY, f64::min), "{along:?} {line:?} {x}");
                    }
                }
            }
        }
    }
}
