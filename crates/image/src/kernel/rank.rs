//! The value of a rank among those of a window: medians, percentiles, and any other.
//!
//! Bytes are counted in a histogram that moves along the row: only a window's first and last columns are looked at, and the
//! answer is found from that of the pixel before. Other numbers are selected for each pixel from a copy of its window.
//!
//! Source: T. S. Huang, G. J. Yang and G. Y. Tang, "A fast two-dimensional median filtering algorithm" (1979); C. A. R.
//! Hoare, "Find" (1961), in the standard library's `select_nth_unstable`.

use std::cmp::Ordering;

use musher_array::kernel::memory::{OutOfMemory, with_room};
use musher_array::neighborhood::Band;
use musher_array::{Buffer, Element, Source};

use super::label::advance;
use super::taps::{Offsets, rows};

/// The order of numbers, behind which stands NaN.
fn order<A: PartialOrd>(one: &A, other: &A) -> Ordering {
    let is_nan = |value: &A| value.partial_cmp(value).is_none();
    one.partial_cmp(other).unwrap_or_else(|| is_nan(one).cmp(&is_nan(other)))
}

/// The value of rank `rank`, from 0 on, among the `sizes` neighbors of each pixel; `window` is memory to use again.
pub(crate) fn ranked<A: Element + PartialOrd>(
    band: &Band<'_, A>,
    sizes: &[usize],
    rank: usize,
    window: &mut Vec<A>,
    out: &mut [A],
) -> Result<(), OutOfMemory> {
    let own = band.own_shape();
    let (Some(&columns), Some((&width, outer))) = (own.last(), sizes.split_last()) else {
        out.copy_from_slice(band.elements);
        return Ok(());
    };
    let offsets = Offsets::new(band.shape);
    let mut place = vec![0; outer.len()];
    // Where the rows of a window begin, from its first pixel on.
    let n = outer.iter().product();
    let mut begins = with_room(n)?;
    for _ in 0..n {
        begins.push(offsets.of(&place));
        advance(&mut place, outer);
    }
    if window.capacity() == 0 {
        *window = with_room(n * width)?;
    }
    rows(band, &offsets, out, |elements, target| match A::into_source(elements) {
        Source::U8(bytes) => {
            let made = A::from_buffer(Buffer::U8(counted(bytes, &begins, width, rank, columns)));
            target.copy_from_slice(&made.expect("bytes are the elements"));
        }
        _ => {
            for (column, target) in target.iter_mut().enumerate() {
                window.clear();
                for begin in &begins {
                    window.extend_from_slice(&elements[begin + column..][..width]);
                }
                *target = *window.select_nth_unstable_by(rank, order).1;
            }
        }
    });
    Ok(())
}

/// A row of answers of bytes.
fn counted(bytes: &[u8], begins: &[usize], width: usize, rank: usize, columns: usize) -> Vec<u8> {
    let mut histogram = [0_usize; 256];
    // The answer, and how many of the window are less.
    let (mut answer, mut less) = (0_usize, 0_usize);
    let mut row = Vec::with_capacity(columns);
    for column in 0..columns {
        for begin in begins {
            let (new, old) = match column {
                0 => (&bytes[*begin..begin + width], &[][..]),
                _ => (&bytes[begin + column + width - 1..][..1], &bytes[begin + column - 1..][..1]),
            };
            for &byte in new {
                histogram[usize::from(byte)] += 1;
                less += usize::from(usize::from(byte) < answer);
            }
            for &byte in old {
                histogram[usize::from(byte)] -= 1;
                less -= usize::from(usize::from(byte) < answer);
            }
        }
        while less > rank {
            answer -= 1;
            less -= histogram[answer];
        }
        while less + histogram[answer] <= rank {
            less += histogram[answer];
            answer += 1;
        }
        row.push(answer as u8);
    }
    row
}
