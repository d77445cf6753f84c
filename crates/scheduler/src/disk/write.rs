//! Writing a parcel: bytes come in any portions, and go to the disk in large ones.

use std::io::{self, Write};

use lz4_flex::block::{CompressTable, compress_into_with_table, get_maximum_output_size};
use musher_graph_core::{SpillWriter, Spilled, TaskError};
use xxhash_rust::xxh3::Xxh3;

use super::read::{Parcel, ParcelFile, StoredPart};
use super::{SpillCompression, SpillError};
use crate::sync::Arc;

/// Bytes that are gathered before they are written.
const BUFFER: usize = 256 << 10;

/// Bytes that are compressed together; the first block of a part is the sample by which is decided whether to.
pub(super) const BLOCK: usize = 64 << 10;

/// So many parts after one that does not shrink are not tried: pieces of one chunk are much alike, and trying a part of
/// one block costs as much as compressing it.
const UNTRIED: u32 = 15;

/// In the four bytes before a block: it is stored as it is. The other bits are its stored length.
pub(super) const PLAIN: u32 = 1 << 31;

/// How a part is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    Undecided,
    Plain,
    Lz4,
}

/// A parcel in the making.
pub(super) struct Writer {
    file: ParcelFile,
    parts: Vec<StoredPart>,
    /// Of the part that is being written: what has come, how it is stored, and where it begins.
    bytes: u64,
    checksum: Xxh3,
    coding: Coding,
    begin: u64,
    /// Parts that are yet to be stored plain without trying.
    untried: u32,
    /// Bytes of the part that wait to be compressed.
    block: Vec<u8>,
    table: Option<Box<CompressTable>>,
    /// Stored bytes that wait to be written.
    pending: Vec<u8>,
}

impl Writer {
    pub(super) fn new(file: ParcelFile) -> Self {
        let coding = Self::first_coding(&file);
        Self {
            file,
            parts: Vec::new(),
            bytes: 0,
            checksum: Xxh3::new(),
            coding,
            begin: 0,
            untried: 0,
            block: Vec::new(),
            table: None,
            pending: Vec::new(),
        }
    }

    fn first_coding(file: &ParcelFile) -> Coding {
        match file.compression() {
            SpillCompression::Never => Coding::Plain,
            SpillCompression::Always => Coding::Lz4,
            SpillCompression::Auto => Coding::Undecided,
        }
    }

    /// Takes some of the bytes. An error has taken none, so that the caller may try again.
    fn accept(&mut self, bytes: &[u8]) -> Result<usize, SpillError> {
        if self.block.len() == BLOCK {
            self.end_block()?;
        }
        if self.coding != Coding::Plain {
            let n = bytes.len().min(BLOCK - self.block.len());
            self.block.extend_from_slice(&bytes[..n]);
            return Ok(n);
        }
        if self.pending.len() >= BUFFER || bytes.len() >= BUFFER {
            self.write_pending()?;
        }
        if bytes.len() >= BUFFER {
            self.file.append(bytes)?;
            return Ok(bytes.len());
        }
        let n = bytes.len().min(BUFFER - self.pending.len());
        self.pending.extend_from_slice(&bytes[..n]);
        Ok(n)
    }

    /// Hands the block on, compressed or not; the first one decides for its part.
    fn end_block(&mut self) -> Result<(), SpillError> {
        if self.pending.len() >= BUFFER {
            self.write_pending()?;
        }
        let begin = self.pending.len();
        let stored = self.compress();
        // A core compresses less than a disk writes in the same time, and reading it costs again: only half is worth it.
        let shrinks = stored * 2 < self.block.len();
        match (self.coding, shrinks) {
            (Coding::Lz4, _) => {}
            (Coding::Undecided, true) => self.coding = Coding::Lz4,
            (Coding::Undecided, false) | (Coding::Plain, _) => {
                (self.coding, self.untried) = (Coding::Plain, UNTRIED);
                self.pending.truncate(begin);
                self.pending.extend_from_slice(&self.block);
            }
        }
        self.block.clear();
        Ok(())
    }

    /// Adds the block to what is pending, compressed if it gets shorter; returns its stored length.
    fn compress(&mut self) -> usize {
        let table = self.table.get_or_insert_with(|| Box::new(CompressTable::large()));
        let begin = self.pending.len();
        self.pending.resize(begin + 4 + get_maximum_output_size(self.block.len()), 0);
        let compressed = compress_into_with_table(&self.block, &mut self.pending[begin + 4..], table);
        let (head, stored) = match compressed {
            Ok(stored) if stored < self.block.len() => (stored as u32, stored),
            _ => {
                self.pending[begin + 4..][..self.block.len()].copy_from_slice(&self.block);
                (self.block.len() as u32 | PLAIN, self.block.len())
            }
        };
        self.pending[begin..begin + 4].copy_from_slice(&head.to_le_bytes());
        self.pending.truncate(begin + 4 + stored);
        4 + stored
    }

    fn write_pending(&mut self) -> Result<(), SpillError> {
        self.file.append(&self.pending)?;
        self.pending.clear();
        Ok(())
    }

    fn close_part(&mut self) -> Result<(), SpillError> {
        if !self.block.is_empty() {
            self.end_block()?;
        }
        let end = self.file.len() + self.pending.len() as u64;
        self.parts.push(StoredPart {
            begin: self.begin,
            stored: end - self.begin,
            bytes: self.bytes,
            checksum: self.checksum.digest(),
            coding: self.coding,
        });
        (self.begin, self.bytes, self.coding) = (end, 0, Self::first_coding(&self.file));
        if self.coding == Coding::Undecided && self.untried > 0 {
            (self.coding, self.untried) = (Coding::Plain, self.untried - 1);
        }
        self.checksum.reset();
        Ok(())
    }
}

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.accept(bytes)?;
        self.checksum.update(&bytes[..n]);
        self.bytes += n as u64;
        Ok(n)
    }

    /// Does nothing: what is pending goes to the disk when there is enough of it, and at the end.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl SpillWriter for Writer {
    fn end_part(&mut self) -> Result<(), TaskError> {
        Ok(self.close_part()?)
    }

    fn finish(mut self: Box<Self>) -> Result<Arc<dyn Spilled>, TaskError> {
        if self.bytes > 0 {
            self.close_part()?;
        }
        self.write_pending()?;
        Ok(Arc::new(Parcel::new(self.file, self.parts)))
    }
}
