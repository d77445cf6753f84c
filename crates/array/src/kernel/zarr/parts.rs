//! Boxes of elements from the files that hold them, and files from blocks.

use super::chain::Fault;
use super::error::ZarrError;
use super::layout::Layout;
use crate::element::{Element, Source};
use crate::kernel::memory::{OutOfMemory, in_order, with_room, zeros};
use ndarray::{ArrayD, ArrayViewD, ArrayViewMutD, Axis, Dimension, IxDyn, Slice};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::ops::Range;
use zarrs::array::transmute_to_bytes;

/// The file of a chunk or shard, with its length and its name in the array's folder.
pub(crate) struct Found {
    pub(crate) file: File,
    pub(crate) bytes: u64,
    pub(crate) name: String,
}

/// The coordinates of all cells of these lengths that a box touches, in C order.
pub(crate) fn covering(block: &[Range<usize>], lengths: &[usize]) -> impl Iterator<Item = Vec<usize>> {
    let axes = block.iter().zip(lengths);
    let cells: Vec<Range<usize>> = axes
        .map(|(range, &length)| match range.is_empty() {
            true => 0..0,
            false => range.start / length..range.end.div_ceil(length),
        })
        .collect();
    let counts: Vec<usize> = cells.iter().map(ExactSizeIterator::len).collect();
    ndarray::indices(IxDyn(&counts))
        .into_iter()
        .map(move |at| cells.iter().zip(at.as_array_view()).map(|(cell, &at)| cell.start + at).collect())
}

/// What a cell and a box have in common: where it stands in the box, and where in the cell.
fn common(block: &[Range<usize>], cell: &[usize], lengths: &[usize]) -> Vec<(Range<usize>, usize)> {
    let axes = block.iter().zip(cell).zip(lengths);
    axes.map(|((range, &at), &length)| {
        let (first, behind) = (at * length, (at + 1) * length);
        let (start, end) = (range.start.max(first), range.end.min(behind));
        (start - range.start..end.max(start) - range.start, start - first)
    })
    .collect()
}

/// The elements of a box. `open` gives the file at its coordinates, or nothing where the fill value is meant.
///
/// # Errors
/// Those of `open`, and what is wrong with a chunk.
pub(crate) fn read_block<A: Element>(
    layout: &Layout,
    block: &[Range<usize>],
    open: impl Fn(&[usize]) -> Result<Option<Found>, ZarrError>,
) -> Result<ArrayD<A>, ZarrError> {
    let shape: Vec<usize> = block.iter().map(ExactSizeIterator::len).collect();
    let mut out = Out { values: None, shape, fill: layout.fill() };
    for at in covering(block, &layout.file) {
        let Some(found) = open(&at)? else {
            out.fill_box(&common(block, &at, &layout.file))?;
            continue;
        };
        let name = found.name.clone();
        read_file(layout, block, &at, found, &mut out).map_err(|(inner, fault)| match inner {
            Some(inner) => fault.of(&format!("{inner:?} in {name}")),
            None => fault.of(&name),
        })?;
    }
    out.whole()
}

impl Fault {
    fn of(self, chunk: &str) -> ZarrError {
        let chunk = chunk.to_owned();
        match self {
            Self::Checksum { stored, computed } => ZarrError::Checksum { chunk, stored, computed },
            Self::Damaged(problem) => ZarrError::Damaged { chunk, problem },
            Self::OutOfMemory(error) => error.into(),
        }
    }
}

/// A block that is being read.
struct Out<A> {
    /// Made with the first chunk: one chunk that is the whole block becomes it.
    values: Option<ArrayD<A>>,
    shape: Vec<usize>,
    fill: A,
}

impl<A: Element> Out<A> {
    fn whole(self) -> Result<ArrayD<A>, ZarrError> {
        match self.values {
            Some(values) => Ok(values),
            None => Ok(empty(&self.shape)?),
        }
    }

    fn part(&mut self, place: &[(Range<usize>, usize)]) -> Result<ArrayViewMutD<'_, A>, Fault> {
        let values = match self.values.take() {
            Some(values) => values,
            None => empty(&self.shape)?,
        };
        let mut part = self.values.insert(values).view_mut();
        for (axis, (range, _)) in place.iter().enumerate() {
            part.slice_axis_inplace(Axis(axis), Slice::from(range.clone()));
        }
        Ok(part)
    }

    fn fill_box(&mut self, place: &[(Range<usize>, usize)]) -> Result<(), ZarrError> {
        let fill = self.fill;
        self.part(place).map_err(|fault| fault.of(""))?.fill(fill);
        Ok(())
    }

    /// Takes what is needed of a chunk's elements.
    fn take(&mut self, place: &[(Range<usize>, usize)], chunk: &[usize], bytes: &[u8]) -> Result<(), Fault> {
        if self.values.is_none() && self.shape == chunk {
            let mut values = with_room(bytes.len() / A::BYTES)?;
            values.extend(bytes.chunks_exact(A::BYTES).map(A::load));
            let values = ArrayD::from_shape_vec(IxDyn(chunk), values);
            self.values = Some(values.map_err(|error| Fault::Damaged(error.to_string()))?);
            return Ok(());
        }
        let starts: Vec<usize> = place.iter().map(|(_, start)| *start).collect();
        let mut part = self.part(place)?;
        let lanes = Lanes::new::<A>(part.shape(), &starts, chunk);
        if part.ndim() == 0 {
            part.fill(A::load(bytes));
            return Ok(());
        }
        for (mut lane, at) in part.lanes_mut(Axis(chunk.len() - 1)).into_iter().zip(lanes) {
            let bytes = bytes[at..].chunks_exact(A::BYTES);
            lane.iter_mut().zip(bytes).for_each(|(value, bytes)| *value = A::load(bytes));
        }
        Ok(())
    }
}

fn empty<A: Element>(shape: &[usize]) -> Result<ArrayD<A>, OutOfMemory> {
    let values = zeros(shape.iter().product())?;
    Ok(ArrayD::from_shape_vec(IxDyn(shape), values).expect("as many elements as the shape says"))
}

/// Where in a chunk's bytes the lanes of a box of it begin, in C order.
struct Lanes {
    /// Lengths of the box, but for the last axis.
    counts: Vec<usize>,
    strides: Vec<usize>,
    at: Vec<usize>,
    offset: usize,
    left: usize,
}

impl Lanes {
    fn new<A: Element>(shape: &[usize], starts: &[usize], chunk: &[usize]) -> Self {
        let mut strides = vec![A::BYTES; chunk.len()];
        for axis in (1..chunk.len()).rev() {
            strides[axis - 1] = strides[axis] * chunk[axis];
        }
        let offset = starts.iter().zip(&strides).map(|(start, stride)| start * stride).sum();
        let counts: Vec<usize> = shape[..shape.len().saturating_sub(1)].to_vec();
        let left = if shape.contains(&0) { 0 } else { counts.iter().product() };
        Self { at: vec![0; counts.len()], counts, strides, offset, left }
    }
}

impl Iterator for Lanes {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        self.left = self.left.checked_sub(1)?;
        let offset = self.offset;
        for axis in (0..self.counts.len()).rev() {
            self.at[axis] += 1;
            self.offset += self.strides[axis];
            if self.at[axis] < self.counts[axis] {
                break;
            }
            self.offset -= self.strides[axis] * self.counts[axis];
            self.at[axis] = 0;
        }
        Some(offset)
    }
}

/// Bytes of a file.
fn bytes_at(file: &mut File, range: Range<u64>) -> Result<Vec<u8>, Fault> {
    let n = usize::try_from(range.end - range.start)
        .map_err(|_| Fault::Damaged("it has more bytes than can be addressed".to_owned()))?;
    let mut bytes = with_room(n)?;
    file.seek(SeekFrom::Start(range.start))?;
    let found = file.take(n as u64).read_to_end(&mut bytes)?;
    match found == n {
        true => Ok(bytes),
        false => Err(Fault::Damaged(format!("it has {found} bytes where {n} were"))),
    }
}

/// Where a chunk lies in a file, if its codecs can have made so many bytes: more are not read, whatever a file says.
fn fitting(layout: &Layout, range: Range<u64>) -> Result<Range<u64>, Fault> {
    let n = range.end.saturating_sub(range.start);
    match layout.chain.most().is_none_or(|most| n <= most) {
        true => Ok(range),
        false => Err(Fault::Damaged(format!("it has {n} bytes, more than its codecs make of a chunk"))),
    }
}

/// Takes what a box needs of one file. A fault in a shard comes with the place of the chunk in it.
fn read_file<A: Element>(
    layout: &Layout,
    block: &[Range<usize>],
    at: &[usize],
    mut found: Found,
    out: &mut Out<A>,
) -> Result<(), (Option<Vec<usize>>, Fault)> {
    let file = &mut found.file;
    let whole = |fault: Fault| (None, fault);
    let Some(shard) = &layout.shard else {
        let encoded =
            fitting(layout, 0..found.bytes).and_then(|range| bytes_at(file, range)).map_err(whole)?;
        let bytes = layout.chain.decode(encoded).map_err(whole)?;
        return out.take(&common(block, at, &layout.file), &layout.chunk, &bytes).map_err(whole);
    };
    let index = shard.index_range(found.bytes).and_then(|range| bytes_at(file, range)).map_err(whole)?;
    let entries = shard.entries(index, found.bytes).map_err(whole)?;
    // The part of the shard that is needed, in numbers of chunks of the whole array.
    let start = at.iter().zip(&layout.file).map(|(at, length)| at * length);
    let needed: Vec<Range<usize>> = block
        .iter()
        .zip(start.zip(&layout.file))
        .map(|(range, (start, length))| range.start.max(start)..range.end.min(start + length))
        .collect();
    for chunk in covering(&needed, &layout.chunk) {
        let inner: Vec<usize> = chunk.iter().zip(&shard.counts).map(|(at, count)| at % count).collect();
        let entry = inner.iter().zip(&shard.counts).fold(0, |index, (at, count)| index * count + at);
        let place = common(block, &chunk, &layout.chunk);
        let taken = match entries.get(entry).cloned().flatten() {
            Some(range) => fitting(layout, range)
                .and_then(|range| bytes_at(file, range))
                .and_then(|encoded| layout.chain.decode(encoded))
                .and_then(|bytes| out.take(&place, &layout.chunk, &bytes)),
            // Whoever wrote the shard has said that there is nothing but fill values.
            None => {
                let fill = out.fill;
                out.part(&place).map(|mut part| part.fill(fill))
            }
        };
        taken.map_err(|fault| (Some(inner), fault))?;
    }
    Ok(())
}

/// The bytes of elements that lie in C order.
fn raw<A: Element>(values: &[A]) -> &[u8] {
    match A::into_source(values) {
        Source::Bool(values) => transmute_to_bytes(values),
        Source::I8(values) => transmute_to_bytes(values),
        Source::I16(values) => transmute_to_bytes(values),
        Source::I32(values) => transmute_to_bytes(values),
        Source::I64(values) => transmute_to_bytes(values),
        Source::U8(values) => values,
        Source::U16(values) => transmute_to_bytes(values),
        Source::U32(values) => transmute_to_bytes(values),
        Source::U64(values) => transmute_to_bytes(values),
        Source::F32(values) => transmute_to_bytes(values),
        Source::F64(values) => transmute_to_bytes(values),
        Source::C32(values) => transmute_to_bytes(values),
        Source::C64(values) => transmute_to_bytes(values),
    }
}

/// A whole chunk that begins with these elements.
fn filled<A: Element>(layout: &Layout, part: &ArrayViewD<'_, A>) -> Result<ArrayD<A>, OutOfMemory> {
    let n = layout.chunk.iter().product();
    let mut values = with_room(n)?;
    values.resize(n, layout.fill::<A>());
    let whole = ArrayD::from_shape_vec(IxDyn(&layout.chunk), values);
    let mut whole = whole.expect("as many elements as the shape says");
    let mut place = whole.view_mut();
    for (axis, &n) in part.shape().iter().enumerate() {
        place.slice_axis_inplace(Axis(axis), Slice::from(..n));
    }
    place.assign(part);
    Ok(whole)
}

/// Writes one file from the elements that stand at its begin: fewer than it has at the end of an axis, where the rest is
/// filled.
///
/// # Errors
/// Those of the codecs, and of `to`.
///
/// # Panics
/// Never: elements are brought into C order first.
pub(crate) fn write_file<A: Element>(
    layout: &Layout,
    block: &ArrayViewD<'_, A>,
    to: &mut impl Write,
) -> Result<(), ZarrError> {
    let encoded = |part: ArrayViewD<'_, A>, write: &mut dyn FnMut(&[u8]) -> std::io::Result<()>| {
        let part = if part.shape() == layout.chunk { in_order(part)? } else { filled(layout, &part)?.into() };
        let elements = raw(part.as_slice().expect("it was brought into C order"));
        write(&layout.chain.encode(elements.into()).map_err(|fault| fault.of("that is written"))?)?;
        Ok::<_, ZarrError>(())
    };
    let Some(shard) = &layout.shard else {
        return encoded(block.view(), &mut |bytes| to.write_all(bytes));
    };
    let base = if shard.at_end { 0 } else { shard.index_bytes() };
    let (mut entries, mut body, mut at) = (Vec::new(), Vec::new(), base);
    let ranges: Vec<Range<usize>> = layout.file.iter().map(|&n| 0..n).collect();
    for chunk in covering(&ranges, &layout.chunk) {
        let lengths = chunk.iter().zip(&layout.chunk).zip(block.shape());
        let part: Vec<Range<usize>> =
            lengths.map(|((at, n), &end)| (at * n).min(end)..((at + 1) * n).min(end)).collect();
        if part.iter().any(Range::is_empty) {
            entries.push(None);
            continue;
        }
        let mut view = block.view();
        for (axis, range) in part.into_iter().enumerate() {
            view.slice_axis_inplace(Axis(axis), Slice::from(range));
        }
        let before = at;
        encoded(view, &mut |bytes| {
            at += bytes.len() as u64;
            // The list comes first in few files; then chunks wait for it.
            if shard.at_end { to.write_all(bytes) } else { body.write_all(bytes) }
        })?;
        entries.push(Some(before..at));
    }
    to.write_all(&shard.encoded(&entries).map_err(|fault| fault.of("that is written"))?)?;
    Ok(to.write_all(&body)?)
}
