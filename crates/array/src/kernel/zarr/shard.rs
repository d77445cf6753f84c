//! Shards: files of many chunks, with a list of where each of them stands.

use super::chain::{Chain, Fault};
use std::borrow::Cow;
use std::ops::Range;

/// Where a chunk stands that is not there.
const NOTHING: u64 = u64::MAX;
/// Bytes of one entry of the list: where a chunk stands, and how long it is.
const ENTRY: usize = 16;

/// What is known of each shard of an array.
pub(super) struct Shard {
    /// Chunks along each axis.
    pub(super) counts: Vec<usize>,
    /// The codecs of the list.
    pub(super) index: Chain,
    /// Whether the list stands behind the chunks.
    pub(super) at_end: bool,
}

impl Shard {
    /// Bytes of the list in a file.
    pub(super) fn index_bytes(&self) -> u64 {
        self.index.most().unwrap_or(u64::MAX)
    }

    /// Where the list stands in a file of so many bytes.
    pub(super) fn index_range(&self, length: u64) -> Result<Range<u64>, Fault> {
        let bytes = self.index_bytes();
        let start = length.checked_sub(bytes);
        let start = start
            .ok_or_else(|| Fault::Damaged(format!("it has {length} bytes, its list of chunks {bytes}")))?;
        Ok(if self.at_end { start..length } else { 0..bytes })
    }

    /// Where each chunk stands, in C order; `None` for one that was never written.
    pub(super) fn entries(&self, bytes: Vec<u8>, length: u64) -> Result<Vec<Option<Range<u64>>>, Fault> {
        let index = self.index.decode(bytes)?;
        let entry = |entry: &[u8; ENTRY]| {
            let [start, length_of] =
                [0, 8].map(|at| entry[at..].first_chunk().map_or(0, |word| u64::from_le_bytes(*word)));
            if start == NOTHING && length_of == NOTHING {
                return Ok(None);
            }
            match start.checked_add(length_of).filter(|&end| end <= length) {
                Some(end) => Ok(Some(start..end)),
                None => Err(Fault::Damaged("its list of chunks points behind its end".to_owned())),
            }
        };
        let (entries, _) = index.as_chunks::<ENTRY>();
        entries.iter().map(entry).collect()
    }

    /// The list as it stands in a file.
    pub(super) fn encoded(&self, entries: &[Option<Range<u64>>]) -> Result<Vec<u8>, Fault> {
        let words = entries.iter().flat_map(|entry| match entry {
            Some(range) => [range.start, range.end - range.start],
            None => [NOTHING; 2],
        });
        let index: Vec<u8> = words.flat_map(u64::to_le_bytes).collect();
        Ok(self.index.encode(Cow::Owned(index))?.into_owned())
    }
}
