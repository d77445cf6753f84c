//! Chunks that are no blocks, with one codec for all of them: borders, tables of labels, regions, histograms.
//!
//! A record is a row of numbers, little-endian, where every list says its length first. Bytes that come back are taken as
//! hostile: a length is believed only as far as there are bytes behind it.

use std::io::{Read, Write};
use std::marker::PhantomData;
use std::sync::Arc;

use musher_array::Plain;
use musher_graph_core::{Chunk, ChunkRef, Codec, CodecError};

use crate::kernel::label::Border;
use crate::kernel::measure::{Extent, Region, Regions};
use crate::kernel::merge::Merged;

/// A value of this crate as a chunk.
#[derive(Debug, Clone)]
pub(crate) struct Record<T>(pub(crate) T);

/// A value that can be written as numbers and read back.
pub(crate) trait AsRecord: Clone + Send + Sync + 'static {
    /// Name and version of the encoding.
    const KIND: &'static str;

    /// What the value costs in memory, in bytes.
    fn nbytes(&self) -> usize;

    /// Writes the value.
    fn write(&self, into: &mut Writer);

    /// Reads a value; `None` for bytes that hold none.
    fn read(from: &mut Reader<'_>) -> Option<Self>;
}

impl<T: AsRecord> Chunk for Record<T> {
    fn nbytes(&self) -> Option<usize> {
        Some(self.0.nbytes())
    }

    fn codec(&self) -> Option<&'static dyn Codec> {
        const { Some(&RecordCodec::<T>(PhantomData)) }
    }
}

struct RecordCodec<T>(PhantomData<fn() -> T>);

/// The bytes are not a record's.
#[derive(Debug, thiserror::Error)]
#[error("{bytes} bytes hold no such record")]
struct NotARecord {
    bytes: usize,
}

impl<T: AsRecord> Codec for RecordCodec<T> {
    fn kind(&self) -> &'static str {
        T::KIND
    }

    fn encode(&self, chunk: &dyn Chunk, to: &mut dyn Write) -> Result<(), CodecError> {
        let record: &Record<T> = chunk.downcast_ref().ok_or(CodecError::WrongKind { expected: T::KIND })?;
        // Records are tables of labels, small beside the blocks they come from: written as one.
        let mut writer = Writer(Vec::with_capacity(record.0.nbytes() + 64));
        record.0.write(&mut writer);
        to.write_all(&writer.0).map_err(|source| CodecError::io(T::KIND, source))
    }

    fn decode(&self, from: &mut dyn Read) -> Result<ChunkRef, CodecError> {
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes).map_err(|source| CodecError::io(T::KIND, source))?;
        let mut reader = Reader(&bytes);
        match T::read(&mut reader).filter(|_| reader.0.is_empty()) {
            Some(value) => Ok(Arc::new(Record(value))),
            None => {
                let source = Box::new(NotARecord { bytes: bytes.len() });
                Err(CodecError::Malformed { kind: T::KIND, source })
            }
        }
    }
}

/// Numbers going out.
pub(crate) struct Writer(Vec<u8>);

impl Writer {
    /// One number.
    pub(crate) fn put<P: Plain>(&mut self, value: P) {
        let begin = self.0.len();
        self.0.resize(begin + P::BYTES, 0);
        value.store(&mut self.0[begin..]);
    }

    /// A length, then so many numbers.
    pub(crate) fn list<P: Plain>(&mut self, values: &[P]) {
        self.put(values.len() as u64);
        values.iter().for_each(|&value| self.put(value));
    }
}

/// Numbers coming in.
pub(crate) struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    /// One number.
    pub(crate) fn take<P: Plain>(&mut self) -> Option<P> {
        let (bytes, rest) = self.0.split_at_checked(P::BYTES)?;
        self.0 = rest;
        Some(P::load(bytes))
    }

    /// A length of things of at least `bytes` bytes each.
    fn length(&mut self, bytes: usize) -> Option<usize> {
        let length = usize::try_from(self.take::<u64>()?).ok()?;
        (length.checked_mul(bytes)? <= self.0.len()).then_some(length)
    }

    /// A length, then so many numbers.
    pub(crate) fn list<P: Plain>(&mut self) -> Option<Vec<P>> {
        let length = self.length(P::BYTES)?;
        (0..length).map(|_| self.take()).collect()
    }

    /// A list of positions or lengths.
    fn lengths(&mut self) -> Option<Vec<usize>> {
        self.list::<u64>()?.into_iter().map(|length| usize::try_from(length).ok()).collect()
    }
}

impl AsRecord for Border {
    const KIND: &'static str = "image.border/1";

    fn nbytes(&self) -> usize {
        Border::nbytes(self)
    }

    fn write(&self, into: &mut Writer) {
        into.list(&self.shape.iter().map(|&length| length as u64).collect::<Vec<_>>());
        into.list(&self.firsts);
        self.faces.iter().flatten().for_each(|face| into.list(face));
    }

    fn read(from: &mut Reader<'_>) -> Option<Border> {
        let shape = from.lengths()?;
        let firsts: Vec<u64> = from.list()?;
        let pixels = |axis: usize| {
            let others = shape.iter().enumerate().filter(|&(other, _)| other != axis);
            others.map(|(_, &length)| length).try_fold(1_usize, usize::checked_mul)
        };
        let mut faces = Vec::with_capacity(shape.len());
        for axis in 0..shape.len() {
            let mut face = || {
                let labels: Vec<i32> = from.list()?;
                let known = |&label: &i32| label >= 0 && label as usize <= firsts.len();
                let fits = labels.is_empty() || pixels(axis) == Some(labels.len());
                (fits && labels.iter().all(known)).then_some(labels)
            };
            faces.push([face()?, face()?]);
        }
        Some(Border { shape, firsts, faces })
    }
}

impl AsRecord for Merged {
    const KIND: &'static str = "image.merged/1";

    fn nbytes(&self) -> usize {
        Merged::nbytes(self)
    }

    fn write(&self, into: &mut Writer) {
        into.put(self.count);
        into.put(self.tables.len() as u64);
        self.tables.iter().for_each(|table| into.list(table));
    }

    fn read(from: &mut Reader<'_>) -> Option<Merged> {
        let count = from.take()?;
        let length = from.length(u64::BYTES)?;
        let tables = (0..length).map(|_| from.list()).collect::<Option<_>>()?;
        Some(Merged { tables, count })
    }
}

impl AsRecord for Regions {
    const KIND: &'static str = "image.regions/2";

    fn nbytes(&self) -> usize {
        Regions::nbytes(self)
    }

    fn write(&self, into: &mut Writer) {
        into.put(self.ndim as u64);
        into.list(&self.labels);
        for region in &self.regions {
            into.put(region.count);
            let Region { sum, mean, mean_rest, squares, minimum, maximum, .. } = *region;
            [sum, mean, mean_rest, squares, minimum, maximum].into_iter().for_each(|value| into.put(value));
            into.put(region.minimum_at);
            into.put(region.maximum_at);
        }
        for extent in &self.extents {
            into.put(extent.positions);
            into.put(extent.weighted);
            into.put(extent.begin);
            into.put(extent.end);
        }
    }

    fn read(from: &mut Reader<'_>) -> Option<Regions> {
        let ndim = usize::try_from(from.take::<u64>()?).ok()?;
        let labels: Vec<i32> = from.list()?;
        let mut region = || {
            Some(Region {
                count: from.take()?,
                sum: from.take()?,
                mean: from.take()?,
                mean_rest: from.take()?,
                squares: from.take()?,
                minimum: from.take()?,
                maximum: from.take()?,
                minimum_at: from.take()?,
                maximum_at: from.take()?,
            })
        };
        let regions = labels.iter().map(|_| region()).collect::<Option<_>>()?;
        let n_extents = labels.len().checked_mul(ndim).filter(|&n| n <= from.0.len())?;
        let mut extent = || {
            Some(Extent {
                positions: from.take()?,
                weighted: from.take()?,
                begin: from.take()?,
                end: from.take()?,
            })
        };
        let extents = (0..n_extents).map(|_| extent()).collect::<Option<_>>()?;
        Some(Regions { ndim, labels, regions, extents })
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{ArrayD, IxDyn};

    use super::{AsRecord, Border, Chunk, CodecError, Merged, Record, Regions};
    use crate::kernel::label::{BlockPlace, label_block};
    use crate::kernel::measure::measure_block;

    /// A value goes out and comes back; its bytes cut short or made longer are refused, damaged ones never panic.
    #[track_caller]
    fn check<T: AsRecord + PartialEq + std::fmt::Debug>(value: T) {
        let record = Record(value);
        let codec = record.codec().unwrap();
        let mut bytes = Vec::new();
        codec.encode(&record, &mut bytes).unwrap();
        let back = codec.decode(&mut bytes.as_slice()).unwrap();
        assert_eq!(back.downcast_ref::<Record<T>>().unwrap().0, record.0);
        for end in 0..bytes.len() {
            assert!(matches!(codec.decode(&mut &bytes[..end]), Err(CodecError::Malformed { .. })));
        }
        assert!(codec.decode(&mut [bytes.as_slice(), &[0]].concat().as_slice()).is_err());
        for at in 0..bytes.len() {
            for byte in [0xFF, 0x7F, 1] {
                let mut damaged = bytes.clone();
                damaged[at] = byte;
                if let Ok(chunk) = codec.decode(&mut damaged.as_slice()) {
                    assert!(chunk.nbytes().is_some_and(|nbytes| nbytes <= 4 * bytes.len() + 64));
                }
            }
        }
    }

    #[test]
    fn records_go_out_and_come_back_and_hostile_ones_are_refused() {
        let mask = ArrayD::from_shape_fn(IxDyn(&[3, 5]), |at| (at[0] * 5 + at[1]) % 3 > 0);
        let place = BlockPlace { origin: &[3, 0], image: &[9, 10] };
        let found = label_block(mask.view(), 1, place).unwrap();
        check(found.border);
        check(Border::default());
        check(Merged { tables: vec![vec![0, 4, 2], vec![0]], count: 4 });
        let values = mask.mapv(|set| if set { 2.5 } else { 0.0 });
        check(measure_block(values.view(), found.labels.view(), &[3, 0], &[9, 10]));
        check(Regions::default());
    }

    #[test]
    fn a_codec_refuses_chunks_of_another_kind() {
        let merged = Record(Merged::default());
        let codec = Record(Regions::default()).codec().unwrap();
        assert!(matches!(
            codec.encode(&merged, &mut Vec::new()),
            Err(CodecError::WrongKind { expected: "image.regions/2" })
        ));
    }
}
