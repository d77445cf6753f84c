//! Filters that work axis after axis: what a line of neighbors becomes, slid along every axis of a band.
//!
//! A band comes with its halo, so nothing here knows about edges, except that a constant beyond them is written once more
//! before its axis is filtered: along the other axes it was changed.

use bytemuck::Zeroable;
use musher_array::Depth;
use musher_array::kernel::memory::{OutOfMemory, zeros};
use musher_array::neighborhood::Band;

/// What becomes of neighbors in a line.
pub(crate) trait Line<A>: Send + Sync + 'static {
    /// Memory that is used again for each call.
    type Scratch: Default;

    /// How many neighbors meet in an answer.
    fn length(&self) -> usize;

    /// About how many picoseconds an answer takes.
    fn cost(&self) -> u64;

    /// How many lines along the axis before the last are best made at once, before the last axis is filtered.
    fn lines_at_once(&self) -> usize {
        1
    }

    /// Bytes that it needs for each element of a band, beside the buffers between the axes.
    fn scratch_bytes(&self) -> usize {
        0
    }

    /// Answer `k` is made of `source[k + j * step]` for each `j` below the length.
    fn slide(&self, source: &[A], step: usize, target: &mut [A], scratch: &mut Self::Scratch);
}

/// Buffers between the axes.
#[derive(Debug)]
pub(crate) struct Between<A, S> {
    now: Vec<A>,
    next: Vec<A>,
    line: S,
}

impl<A, S: Default> Default for Between<A, S> {
    fn default() -> Self {
        Self { now: Vec::new(), next: Vec::new(), line: S::default() }
    }
}

/// Slides a line along each axis that has one, in the order of the axes, rounding to `A` after each as scipy does.
pub(crate) fn separable<A: Copy + Zeroable, L: Line<A>>(
    band: &Band<'_, A>,
    lines: &[Option<L>],
    between: &mut Between<A, L::Scratch>,
    out: &mut [A],
) -> Result<(), OutOfMemory> {
    let ndim = lines.len();
    let mut shape = band.shape.to_vec();
    let filtered: Vec<(usize, &L)> =
        lines.iter().enumerate().filter_map(|(axis, line)| Some((axis, line.as_ref()?))).collect();
    let Between { now, next, line: scratch } = between;
    now.clear();
    let mut is_first = true;
    for (at, &(axis, line)) in filtered.iter().enumerate() {
        if !is_first {
            let inner: usize = shape[axis + 1..].iter().product();
            surround(now, shape[axis] * inner, inner, band.surrounds[axis]);
        }
        let source: &[A] = if is_first { band.elements } else { now };
        let inner: usize = shape[axis + 1..].iter().product();
        let slab = shape[axis] * inner;
        shape[axis] -= line.length() - 1;
        let made = shape[axis] * inner;
        match filtered[at + 1..] {
            [] => {
                for (source, target) in source.chunks_exact(slab).zip(out.chunks_exact_mut(made)) {
                    line.slide(source, inner, target, scratch);
                }
                return Ok(());
            }
            [(last, along)] if last == axis + 1 && last + 1 == ndim => {
                let rows = line.lines_at_once().clamp(1, shape[axis].max(1));
                room(next, rows * inner)?;
                let columns = inner - (along.length() - 1);
                let targets = out.chunks_exact_mut(shape[axis] * columns);
                for (source, target) in source.chunks_exact(slab).zip(targets) {
                    for (group, target) in target.chunks_mut(rows * columns).enumerate() {
                        let rows_now = target.len() / columns;
                        let lines = &mut next[..rows_now * inner];
                        let needed = (rows_now + line.length() - 1) * inner;
                        line.slide(&source[group * rows * inner..][..needed], inner, lines, scratch);
                        surround(lines, inner, 1, band.surrounds[last]);
                        for (row, target) in lines.chunks_exact(inner).zip(target.chunks_exact_mut(columns)) {
                            along.slide(row, 1, target, scratch);
                        }
                    }
                }
                return Ok(());
            }
            _ => {
                room(next, source.len() / slab * made)?;
                for (source, target) in source.chunks_exact(slab).zip(next.chunks_exact_mut(made)) {
                    line.slide(source, inner, target, scratch);
                }
            }
        }
        std::mem::swap(now, next);
        is_first = false;
    }
    out.copy_from_slice(band.elements);
    Ok(())
}

/// Makes a buffer this long; what it held is of no use.
fn room<A: Copy + Zeroable>(buffer: &mut Vec<A>, length: usize) -> Result<(), OutOfMemory> {
    if buffer.capacity() < length {
        *buffer = zeros(length)?;
    }
    buffer.resize(length, A::zeroed());
    Ok(())
}

/// Writes the constant beyond the edges of an axis once more: of each slab, at its ends.
fn surround<A: Copy>(elements: &mut [A], slab: usize, inner: usize, beyond: Option<(Depth, A)>) {
    let Some((beyond, value)) = beyond else { return };
    for slab in elements.chunks_exact_mut(slab) {
        let end = slab.len() - beyond.after * inner;
        slab[..beyond.before * inner].fill(value);
        slab[end..].fill(value);
    }
}
