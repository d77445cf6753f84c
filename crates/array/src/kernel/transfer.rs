//! Elements of a view as bytes and back: how pieces of blocks go out of memory.
//!
//! The bytes are the elements in C order, little-endian, without a header: whoever reads them knows the shape. They
//! pass through a buffer that stays in the processor's cache, so that neither side is ever copied whole.

use crate::element::Plain;
use ndarray::{ArrayBase, ArrayViewD, ArrayViewMutD, Axis, IxDyn, RawData};
use std::io::{self, Read, Write};

/// Bytes of the buffer: few calls to the system, and little of a core's cache.
pub const BUFFER: usize = 256 << 10;

/// Joins axes that lie in one row in memory, so that rows are as long as can be.
fn join_axes<S: RawData>(view: &mut ArrayBase<S, IxDyn>) {
    let Some(last) = view.ndim().checked_sub(1) else { return };
    for axis in (0..last).rev() {
        if !view.merge_axes(Axis(axis), Axis(last)) {
            break;
        }
    }
}

/// A buffer for this many elements, or as many as fit.
fn buffer<A: Plain>(n: usize) -> Vec<u8> {
    vec![0; (BUFFER / A::BYTES).min(n) * A::BYTES]
}

/// Writes the elements in C order; gives back how many there were.
///
/// # Errors
/// Those of `to`.
///
/// # Examples
/// ```
/// use musher_array::{kernel::transfer::write, ndarray::{arr2, s}};
/// let table = arr2(&[[1_u8, 2, 3], [4, 5, 6]]);
/// let mut bytes = Vec::new();
/// assert_eq!(write(table.slice(s![.., 1..]).into_dyn(), &mut bytes)?, 4);
/// assert_eq!(bytes, [2, 3, 5, 6]);
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn write<A: Plain>(mut view: ArrayViewD<'_, A>, to: &mut dyn Write) -> io::Result<u64> {
    let n = view.len();
    let mut buffer = buffer::<A>(n);
    let mut filled = 0;
    join_axes(&mut view);
    for mut row in view.rows() {
        while !row.is_empty() {
            let fits = (buffer.len() - filled) / A::BYTES;
            let (now, later) = row.split_at(Axis(0), fits.min(row.len()));
            let bytes = &mut buffer[filled..filled + now.len() * A::BYTES];
            let places = bytes.chunks_exact_mut(A::BYTES);
            match now.to_slice() {
                Some(now) => places.zip(now).for_each(|(place, element)| element.store(place)),
                None => places.zip(now).for_each(|(place, element)| element.store(place)),
            }
            filled += now.len() * A::BYTES;
            if filled == buffer.len() {
                to.write_all(&buffer)?;
                filled = 0;
            }
            row = later;
        }
    }
    to.write_all(&buffer[..filled])?;
    Ok(n as u64)
}

/// Reads elements in C order into a view; gives back how many came before the bytes ended.
///
/// # Errors
/// Those of `from`.
///
/// # Examples
/// ```
/// use musher_array::{kernel::transfer::read, ndarray::{Array2, arr2, s}};
/// let mut table = Array2::<u8>::zeros((2, 3));
/// assert_eq!(read(table.slice_mut(s![.., 1..]).into_dyn(), &mut [2, 3, 5, 6].as_slice())?, 4);
/// assert_eq!(table, arr2(&[[0, 2, 3], [0, 5, 6]]));
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn read<A: Plain>(mut view: ArrayViewMutD<'_, A>, from: &mut dyn Read) -> io::Result<u64> {
    let n = view.len();
    let mut buffer = buffer::<A>(n);
    let mut wanted = n * A::BYTES;
    let (mut at, mut end) = (0, 0);
    let mut done = 0;
    join_axes(&mut view);
    for mut row in view.rows_mut() {
        while !row.is_empty() {
            if at == end {
                let room = wanted.min(buffer.len());
                let came = fill(&mut buffer[..room], from)?;
                wanted -= came;
                (at, end) = (0, came - came % A::BYTES);
                if end == 0 {
                    return Ok(done);
                }
            }
            let there = (end - at) / A::BYTES;
            let fits = there.min(row.len());
            let (mut now, later) = row.split_at(Axis(0), fits);
            let places = buffer[at..at + fits * A::BYTES].chunks_exact(A::BYTES);
            match now.as_slice_mut() {
                Some(now) => {
                    now.iter_mut().zip(places).for_each(|(element, place)| *element = A::load(place))
                }
                None => now.iter_mut().zip(places).for_each(|(element, place)| *element = A::load(place)),
            }
            at += fits * A::BYTES;
            done += fits as u64;
            row = later;
        }
    }
    Ok(done)
}

/// Reads until the buffer is full or the bytes end; gives back how many came.
fn fill(buffer: &mut [u8], from: &mut dyn Read) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match from.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array, ArrayD, ShapeBuilder, Slice};
    use num_complex::Complex;

    /// All boxes of an array in several layouts go out and come back.
    fn check<A: Plain + Default + PartialEq + std::fmt::Debug>(
        shape: &[usize],
        element: impl Fn(usize) -> A,
    ) {
        let n = shape.iter().product::<usize>();
        let elements: Vec<A> = (0..n).map(element).collect();
        let c_order = Array::from_shape_vec(shape, elements.clone()).unwrap();
        let f_order = Array::from_shape_vec(shape.f(), elements).unwrap();
        for whole in [c_order.view(), f_order.view(), c_order.t()] {
            for cut in 0..3 {
                let range = |axis: ndarray::AxisDescription| {
                    Slice::from((axis.len.min(cut) / 2)..axis.len - axis.len.min(cut) / 3)
                };
                let view = whole.slice_each_axis(range);
                let mut bytes = Vec::new();
                assert_eq!(write(view.view(), &mut bytes).unwrap(), view.len() as u64);
                assert_eq!(bytes.len(), view.len() * A::BYTES);
                let mut back = ArrayD::<A>::default(whole.raw_dim());
                let target = back.slice_each_axis_mut(range);
                assert_eq!(read(target, &mut bytes.as_slice()).unwrap(), view.len() as u64);
                assert_eq!(back.slice_each_axis(range), view);
            }
        }
    }

    #[test]
    fn boxes_of_any_layout_go_out_and_come_back() {
        for shape in [vec![], vec![0], vec![7], vec![3, 4], vec![4, 0, 2], vec![5, 1, 6], vec![2, 3, 4, 5]] {
            check(&shape, |i| i as f64);
            check(&shape, |i| i % 3 == 0);
            check(&shape, |i| Complex::new(i as f32, -1.0));
        }
        // Longer than the buffer, in rows that do not divide it.
        check(&[37, 1013], |i| i as f64);
        check(&[BUFFER * 2 + 3], |i| i as u8);
    }

    #[test]
    fn bytes_that_end_too_soon_are_told_by_the_count() {
        let mut view = ArrayD::<u32>::zeros(IxDyn(&[3, 3]));
        for n in 0..36_usize {
            let bytes = vec![1; n];
            assert_eq!(read(view.view_mut(), &mut bytes.as_slice()).unwrap(), n as u64 / 4);
        }
    }

    #[test]
    fn rows_are_joined_where_they_lie_in_one() {
        let array = ArrayD::<u8>::zeros(IxDyn(&[4, 5, 6]));
        let rows = |mut view: ArrayViewD<'_, u8>| {
            join_axes(&mut view);
            view.rows().into_iter().count()
        };
        assert_eq!(rows(array.view()), 1);
        assert_eq!(rows(array.slice_each_axis(|axis| Slice::from(..axis.len - axis.len / 6))), 20);
        assert_eq!(rows(array.view().permuted_axes(IxDyn(&[1, 0, 2]))), 20);
    }
}
