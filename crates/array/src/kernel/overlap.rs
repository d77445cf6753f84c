//! Halos: what a block looks like when it sees some elements of its neighbors, and how the halo is cut off again.
//!
//! Boundaries are arithmetic on the index of an element, so a halo may be deeper than a block or than the whole
//! array and needs no special case.
//!
//! Source: the modes and their meaning are those of `scipy.ndimage` and of `dask.array.overlap`, whose `periodic` is
//! scipy's `wrap`.

use super::assemble::{Origin, Piece, locate, pieces_of_range, push_element};
use ndarray::{ArrayViewD, Axis, Slice};

/// What a block sees beyond the edge of the whole array, under the names of `scipy.ndimage`.
///
/// For the line `a b c d`:
///
/// | boundary | before | line | after |
/// |---|---|---|---|
/// | `Reflect` | `d c b a` | `a b c d` | `d c b a` |
/// | `Mirror` | `_ d c b` | `a b c d` | `c b a _` |
/// | `Nearest` | `a a a a` | `a b c d` | `d d d d` |
/// | `Wrap` | `a b c d` | `a b c d` | `a b c d` |
/// | `Constant(k)` | `k k k k` | `a b c d` | `k k k k` |
/// | `None` | | `a b c d` | |
///
/// # Examples
/// ```
/// use musher_array::Boundary;
/// assert_eq!(Boundary::<f64>::default(), Boundary::Reflect);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
#[doc(alias = "dask.array.overlap.boundaries")]
pub enum Boundary<A = f64> {
    /// Nothing: blocks at the edge have no halo there. What `dask.array.map_overlap` does unless told otherwise.
    #[doc(alias = "dask.array.overlap.add_dummy_padding")]
    None,
    /// The edge element is repeated, then the line runs backwards. NumPy's `pad` calls it `symmetric`.
    #[doc(alias = "dask.array.overlap.reflect")]
    #[default]
    Reflect,
    /// The line runs backwards from the element beside the edge. NumPy's `pad` calls it `reflect`.
    Mirror,
    /// The other end of the array: the axis is a circle.
    #[doc(alias = "periodic")]
    Wrap,
    /// The edge element, over and over.
    #[doc(alias = "dask.array.overlap.nearest")]
    Nearest,
    /// One value.
    #[doc(alias = "dask.array.overlap.constant")]
    Constant(A),
}

impl<A> Boundary<A> {
    /// The same for other elements: `f` makes one of the constant.
    ///
    /// # Examples
    /// ```
    /// use musher_array::Boundary;
    /// assert_eq!(Boundary::Constant(2.5).map(|value| value as u8), Boundary::Constant(2));
    /// ```
    pub fn map<B>(self, f: impl FnOnce(A) -> B) -> Boundary<B> {
        match self {
            Self::None => Boundary::None,
            Self::Reflect => Boundary::Reflect,
            Self::Mirror => Boundary::Mirror,
            Self::Wrap => Boundary::Wrap,
            Self::Nearest => Boundary::Nearest,
            Self::Constant(value) => Boundary::Constant(f(value)),
        }
    }
}

/// How many elements of its neighbors a block sees on the two sides of an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Depth {
    /// Elements on the side of lower indices.
    pub before: usize,
    /// Elements on the side of higher indices.
    pub after: usize,
}

impl Depth {
    /// The same number on both sides.
    #[must_use]
    pub const fn both(elements: usize) -> Self {
        Self { before: elements, after: elements }
    }

    /// This many elements before and after.
    #[must_use]
    pub const fn new(before: usize, after: usize) -> Self {
        Self { before, after }
    }
}

/// The element of an axis of `length` elements that stands at `index`, which may lie beyond its ends; none where
/// the boundary has no element there.
#[must_use]
pub fn element_at<A>(boundary: &Boundary<A>, index: isize, length: usize) -> Option<usize> {
    // No axis is longer than isize::MAX, ndarray's own limit.
    let n = isize::try_from(length).ok().filter(|&n| n > 0)?;
    if (0..n).contains(&index) {
        return usize::try_from(index).ok();
    }
    let element = match boundary {
        Boundary::None | Boundary::Constant(_) => return None,
        Boundary::Nearest => index.clamp(0, n - 1),
        Boundary::Wrap => index.rem_euclid(n),
        Boundary::Reflect => {
            let phase = index.rem_euclid(2 * n);
            phase.min(2 * n - 1 - phase)
        }
        Boundary::Mirror if n == 1 => 0,
        Boundary::Mirror => {
            let phase = index.rem_euclid(2 * (n - 1));
            phase.min(2 * (n - 1) - phase)
        }
    };
    usize::try_from(element).ok()
}

/// The halo that the block really has: less than `depth` only where [`Boundary::None`] or an empty axis leaves
/// nothing to see.
#[must_use]
pub fn halo<A>(offsets: &[usize], block: usize, depth: Depth, boundary: &Boundary<A>) -> Depth {
    let length = offsets[offsets.len() - 1];
    match boundary {
        Boundary::Constant(_) => depth,
        Boundary::None => Depth {
            before: depth.before.min(offsets[block]),
            after: depth.after.min(length - offsets[block + 1]),
        },
        _ if length == 0 => Depth::default(),
        _ => depth,
    }
}

/// The runs of one axis that make up block number `block` with its halo.
///
/// **Cost** one step an element of the halo and a run of the block; nothing is copied.
pub fn padded_pieces<A: Copy>(
    offsets: &[usize],
    block: usize,
    depth: Depth,
    boundary: &Boundary<A>,
) -> Vec<Piece<A>> {
    let halo = halo(offsets, block, depth, boundary);
    let length = offsets[offsets.len() - 1];
    let (first, last) = (offsets[block] as isize, offsets[block + 1] as isize);
    let mut pieces = Vec::new();
    for index in first - halo.before as isize..first {
        push(&mut pieces, offsets, boundary, index, length);
    }
    pieces.extend(pieces_of_range(offsets, offsets[block]..offsets[block + 1], halo.before));
    for index in last..last + halo.after as isize {
        push(&mut pieces, offsets, boundary, index, length);
    }
    pieces
}

/// Appends the element at `index`, wherever the boundary takes it from.
fn push<A: Copy>(
    pieces: &mut Vec<Piece<A>>,
    offsets: &[usize],
    boundary: &Boundary<A>,
    index: isize,
    length: usize,
) {
    match (element_at(boundary, index, length), boundary) {
        (Some(element), _) => {
            let (block, start) = locate(offsets, element);
            push_element(pieces, block, start);
        }
        (None, Boundary::Constant(value)) => match pieces.last_mut() {
            Some(Piece { length, origin: Origin::Fill(_), .. }) => *length += 1,
            last => {
                let at = last.map_or(0, |last| last.at + last.length);
                pieces.push(Piece { at, length: 1, origin: Origin::Fill(*value) });
            }
        },
        (None, _) => {}
    }
}

/// The block without its halo, one [`Depth`] an axis.
///
/// # Panics
/// When the block is thinner than its halo.
#[must_use]
pub fn trimmed<'a, A>(mut block: ArrayViewD<'a, A>, halos: &[Depth]) -> ArrayViewD<'a, A> {
    for (axis, halo) in halos.iter().enumerate() {
        let end = block.len_of(Axis(axis)).checked_sub(halo.after).expect("a block contains its halo");
        block.slice_axis_inplace(Axis(axis), Slice::from(halo.before..end));
    }
    block
}

#[cfg(test)]
mod tests {
    use super::super::assemble::{assemble, offsets};
    use super::*;
    use ndarray::{Array1, Array2, s};

    /// What the boundary makes of `0..n`, `depth` beyond each end.
    fn line(boundary: Boundary<usize>, n: usize, depth: usize) -> Vec<usize> {
        let value = |index: isize| element_at(&boundary, index - depth as isize, n);
        (0..(n + 2 * depth) as isize).map(|index| value(index).unwrap_or(9)).collect()
    }

    #[test]
    fn boundaries_are_numpys_pads() {
        // numpy.pad([0, 1, 2], 4, mode=...): symmetric, reflect, wrap, edge, constant.
        assert_eq!(line(Boundary::Reflect, 3, 4), [2, 2, 1, 0, 0, 1, 2, 2, 1, 0, 0]);
        assert_eq!(line(Boundary::Mirror, 3, 4), [0, 1, 2, 1, 0, 1, 2, 1, 0, 1, 2]);
        assert_eq!(line(Boundary::Wrap, 3, 4), [2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0]);
        assert_eq!(line(Boundary::Nearest, 3, 4), [0, 0, 0, 0, 0, 1, 2, 2, 2, 2, 2]);
        assert_eq!(line(Boundary::Constant(7), 3, 2), [9, 9, 0, 1, 2, 9, 9]);
        assert_eq!(line(Boundary::Mirror, 1, 2), [0, 0, 0, 0, 0]);
        assert_eq!(line(Boundary::Reflect, 0, 1), [9, 9]);
    }

    #[test]
    fn a_line_continues_as_scipy_draws_it() {
        let drawn = |boundary: Boundary<u8>| -> String {
            let at = |index| element_at(&boundary, index, 4).map_or('k', |at| char::from(b"abcd"[at]));
            (-7..11).map(at).collect()
        };
        assert_eq!(drawn(Boundary::Reflect), "bcddcbaabcddcbaabc");
        assert_eq!(drawn(Boundary::Mirror), "babcdcbabcdcbabcdc");
        assert_eq!(drawn(Boundary::Nearest), "aaaaaaaabcdddddddd");
        assert_eq!(drawn(Boundary::Wrap), "bcdabcdabcdabcdabc");
        assert_eq!(drawn(Boundary::Constant(0)), "kkkkkkkabcdkkkkkkk");
        for boundary in [Boundary::<u8>::Reflect, Boundary::Mirror, Boundary::Nearest, Boundary::Wrap] {
            assert!((-5..6).all(|index| element_at(&boundary, index, 1) == Some(0)), "{boundary:?}");
        }
    }

    #[test]
    fn padded_blocks_equal_windows_of_the_padded_whole() {
        let whole = Array2::from_shape_fn((5, 4), |(row, column)| row * 10 + column);
        let modes =
            [Boundary::Reflect, Boundary::Mirror, Boundary::Wrap, Boundary::Nearest, Boundary::Constant(77)];
        for boundary in modes {
            for (rows, columns) in [(vec![5], vec![4]), (vec![1, 4], vec![2, 2]), (vec![1; 5], vec![1, 0, 3])]
            {
                for (up, down, left, right) in [(0, 0, 1, 1), (1, 2, 0, 3), (2, 2, 2, 2), (6, 0, 4, 5)] {
                    let (row_depth, column_depth) = (Depth::new(up, down), Depth::new(left, right));
                    let padded = Array2::from_shape_fn((5 + up + down, 4 + left + right), |(row, column)| {
                        let row = element_at(&boundary, row as isize - up as isize, 5);
                        let column = element_at(&boundary, column as isize - left as isize, 4);
                        row.zip(column).map_or(77, |at| whole[at])
                    });
                    let (rows, columns) = (offsets(&rows), offsets(&columns));
                    for i in 0..rows.len() - 1 {
                        for j in 0..columns.len() - 1 {
                            let axes = [
                                padded_pieces(&rows, i, row_depth, &boundary),
                                padded_pieces(&columns, j, column_depth, &boundary),
                            ];
                            let block = assemble(&axes, |at| {
                                let (i, j) = (at[0], at[1]);
                                whole.slice(s![rows[i]..rows[i + 1], columns[j]..columns[j + 1]]).into_dyn()
                            })
                            .expect("small");
                            let window = padded.slice(s![
                                rows[i]..rows[i + 1] + up + down,
                                columns[j]..columns[j + 1] + left + right
                            ]);
                            assert_eq!(block, window.into_dyn(), "{boundary:?} block {i}, {j}");
                            let inside = trimmed(block.view(), &[row_depth, column_depth]);
                            let own = whole.slice(s![rows[i]..rows[i + 1], columns[j]..columns[j + 1]]);
                            assert_eq!(inside, own.into_dyn());
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn without_a_boundary_the_halo_ends_at_the_edge() {
        let whole = Array1::from_iter(0..6);
        let offsets = offsets(&[2, 1, 3]);
        let padded = |block| {
            let axes = [padded_pieces(&offsets, block, Depth::new(3, 1), &Boundary::None)];
            let source = |at: &[usize]| whole.slice(s![offsets[at[0]]..offsets[at[0] + 1]]).into_dyn();
            assemble(&axes, source).expect("small").into_iter().collect::<Vec<_>>()
        };
        assert_eq!(padded(0), [0, 1, 2]);
        assert_eq!(padded(1), [0, 1, 2, 3]);
        assert_eq!(padded(2), [0, 1, 2, 3, 4, 5]);
        let halos: Vec<Depth> =
            (0..3).map(|block| halo(&offsets, block, Depth::new(3, 1), &Boundary::<i32>::None)).collect();
        assert_eq!(halos, [Depth::new(0, 1), Depth::new(2, 1), Depth::new(3, 0)]);
    }

    #[test]
    fn an_empty_axis_has_a_halo_of_constants_only() {
        let offsets = offsets(&[0]);
        assert_eq!(padded_pieces(&offsets, 0, Depth::both(2), &Boundary::<u8>::Nearest), []);
        let filled = padded_pieces(&offsets, 0, Depth::both(2), &Boundary::Constant(1_u8));
        assert_eq!(filled, [Piece { at: 0, length: 4, origin: Origin::Fill(1) }]);
    }
}
