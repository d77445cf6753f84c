//! What a filter sees beyond the edge of an image.
//!
//! Every mode but `Constant` reads pixels of the image itself, so it is a map from positions outside to positions
//! inside; that is why it can be answered by index, whatever the chunks.

/// How an image continues beyond its edges, under the names of `scipy.ndimage`.
///
/// For the line `a b c d`:
///
/// | mode | before | line | after |
/// |---|---|---|---|
/// | `Reflect` | `d c b a` | `a b c d` | `d c b a` |
/// | `Mirror` | `_ d c b` | `a b c d` | `c b a _` |
/// | `Nearest` | `a a a a` | `a b c d` | `d d d d` |
/// | `Wrap` | `a b c d` | `a b c d` | `a b c d` |
/// | `Constant(k)` | `k k k k` | `a b c d` | `k k k k` |
///
/// # Examples
///
/// ```
/// assert_eq!(musher_image::Mode::default(), musher_image::Mode::Reflect);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Mode {
    /// The edge pixel is repeated, then the line runs backwards (`symmetric` in NumPy's `pad`).
    #[default]
    Reflect,
    /// The line runs backwards from the pixel beside the edge (`reflect` in NumPy's `pad`).
    Mirror,
    /// The edge pixel goes on.
    Nearest,
    /// The image repeats.
    Wrap,
    /// A fixed value surrounds the image.
    Constant(f64),
}

impl Mode {
    /// The position inside `0..length` that stands for `position`; `None` where a constant stands.
    ///
    /// `length` is at least 1.
    pub(crate) fn resolve(self, position: i64, length: usize) -> Option<usize> {
        let length = length as i64;
        let inside = |position: i64| Some(position as usize);
        if (0..length).contains(&position) {
            return inside(position);
        }
        match self {
            Mode::Constant(_) => None,
            Mode::Nearest => inside(position.clamp(0, length - 1)),
            Mode::Wrap => inside(position.rem_euclid(length)),
            Mode::Reflect => {
                let folded = position.rem_euclid(2 * length);
                inside(folded.min(2 * length - 1 - folded))
            }
            Mode::Mirror if length == 1 => inside(0),
            Mode::Mirror => {
                let period = 2 * length - 2;
                let folded = position.rem_euclid(period);
                inside(folded.min(period - folded))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Mode;

    /// The seven positions before and after `a b c d`, spelled out.
    #[track_caller]
    fn check(mode: Mode, expected: &str) {
        let line = b"abcd";
        let found: String = (-7..11)
            .map(|position| mode.resolve(position, 4).map_or('k', |inside| char::from(line[inside])))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_line_continues_as_scipy_draws_it() {
        check(Mode::Reflect, "bcddcbaabcddcbaabc");
        check(Mode::Mirror, "babcdcbabcdcbabcdc");
        check(Mode::Nearest, "aaaaaaaabcdddddddd");
        check(Mode::Wrap, "bcdabcdabcdabcdabc");
        check(Mode::Constant(0.0), "kkkkkkkabcdkkkkkkk");
    }

    #[test]
    fn a_single_pixel_answers_everywhere() {
        for mode in [Mode::Reflect, Mode::Mirror, Mode::Nearest, Mode::Wrap] {
            for position in -5..6 {
                assert_eq!(mode.resolve(position, 1), Some(0));
            }
        }
    }
}
