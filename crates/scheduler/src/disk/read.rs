//! The file of a parcel, and reading it part by part.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;

use lz4_flex::block::decompress_into;
use musher_graph_core::{Spilled, TaskError};
use xxhash_rust::xxh3::Xxh3;

use super::write::{BLOCK, Coding, PLAIN};
use super::{Shared, SpillCompression, SpillError};
use crate::sync::{Arc, Ordering};

/// A file that is removed, and its bytes given back, when it is dropped.
///
/// It is open while it is written, and then only while someone reads it: opening costs some microseconds, and files kept
/// open would run out after some hundred parcels.
#[derive(Debug)]
pub(super) struct ParcelFile {
    shared: Arc<Shared>,
    path: PathBuf,
    written: Option<File>,
    len: u64,
}

/// What the smallest file takes on most disks: what is needed where not even an empty one can be made.
pub(super) const SMALLEST: u64 = 4096;

impl ParcelFile {
    pub(super) fn create(shared: Arc<Shared>) -> Result<Self, SpillError> {
        let path = shared.new_path()?;
        let mut options = File::options();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let opened = options.open(&path);
        let file = opened.map_err(|error| shared.failed("making", &path, SMALLEST, error))?;
        shared.parcels.fetch_add(1, Ordering::Relaxed);
        Ok(Self { shared, path, written: Some(file), len: 0 })
    }

    pub(super) fn compression(&self) -> SpillCompression {
        self.shared.options.compression
    }

    /// Bytes on the disk.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Writes bytes at the end; an error has written none.
    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<(), SpillError> {
        let need = bytes.len() as u64;
        self.shared.reserve(need)?;
        let mut file = self.written.as_ref().expect("a file is open while it is written");
        match file.write_all(bytes) {
            Ok(()) => {
                self.len += need;
                self.shared.written.fetch_add(need, Ordering::Relaxed);
                Ok(())
            }
            Err(error) => {
                self.shared.release(need);
                let error = self.shared.failed("writing", &self.path, need, error);
                // What was written of it is taken back, so that a later attempt goes to the same place.
                let back = file.set_len(self.len).and_then(|()| file.seek(SeekFrom::Start(self.len)));
                back.map_err(|error| self.shared.failed("shortening", &self.path, 0, error))?;
                Err(error)
            }
        }
    }

    fn open(&self) -> Result<File, SpillError> {
        File::open(&self.path).map_err(|error| self.shared.failed("opening", &self.path, 0, error))
    }
}

impl Drop for ParcelFile {
    fn drop(&mut self) {
        self.written = None;
        self.shared.parcels.fetch_sub(1, Ordering::Relaxed);
        // What cannot be removed still takes its space, so its bytes stay charged.
        match fs::remove_file(&self.path) {
            Ok(()) => self.shared.release(self.len),
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.shared.release(self.len),
            Err(_) => {}
        }
    }
}

/// Where a part lies, how, and what it must be.
#[derive(Debug)]
pub(super) struct StoredPart {
    /// Offset in the file.
    pub(super) begin: u64,
    /// Bytes in the file.
    pub(super) stored: u64,
    /// Bytes that were handed in.
    pub(super) bytes: u64,
    /// xxh3 of those.
    pub(super) checksum: u64,
    pub(super) coding: Coding,
}

/// A finished parcel.
#[derive(Debug)]
pub(super) struct Parcel {
    file: ParcelFile,
    parts: Vec<StoredPart>,
}

impl Parcel {
    pub(super) fn new(mut file: ParcelFile, mut parts: Vec<StoredPart>) -> Self {
        file.written = None;
        parts.shrink_to_fit();
        Self { file, parts }
    }
}

impl Spilled for Parcel {
    fn n_parts(&self) -> usize {
        self.parts.len()
    }

    fn part_bytes(&self, part: usize) -> u64 {
        self.parts.get(part).map_or(0, |part| part.bytes)
    }

    fn stored_bytes(&self) -> u64 {
        self.file.len
    }

    fn read(&self, number: usize) -> Result<Box<dyn Read + '_>, TaskError> {
        let n_parts = self.parts.len();
        let part = self.parts.get(number).ok_or(SpillError::NoPart { part: number, n_parts })?;
        let mut opened = self.file.open()?;
        let sought = opened.seek(SeekFrom::Start(part.begin));
        sought.map_err(|error| self.file.shared.failed("reading", &self.file.path, 0, error))?;
        Ok(Box::new(PartReader {
            file: &self.file,
            opened,
            number,
            part,
            at: part.begin,
            left: part.bytes,
            checksum: Xxh3::new(),
            stored: Vec::new(),
            ready: Vec::new(),
            taken: 0,
        }))
    }
}

/// One reader of one part.
struct PartReader<'a> {
    file: &'a ParcelFile,
    opened: File,
    number: usize,
    part: &'a StoredPart,
    /// The position in the file, which is this reader's own.
    at: u64,
    /// Bytes of the part that are not handed out yet.
    left: u64,
    checksum: Xxh3,
    /// A block as it is stored.
    stored: Vec<u8>,
    /// Bytes that wait to be handed out, and how many of them are.
    ready: Vec<u8>,
    taken: usize,
}

impl PartReader<'_> {
    /// Fills a piece of memory from the file.
    fn fetch(&mut self, mut to: &mut [u8]) -> Result<(), SpillError> {
        while !to.is_empty() {
            match self.opened.read(to) {
                Ok(0) => {
                    return Err(SpillError::Truncated {
                        file: self.file.path.clone(),
                        part: self.number,
                        expected: self.part.begin + self.part.stored,
                        found: self.at,
                    });
                }
                Ok(n) => {
                    to = &mut to[n..];
                    self.at += n as u64;
                    self.file.shared.read.fetch_add(n as u64, Ordering::Relaxed);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.file.shared.failed("reading", &self.file.path, 0, error)),
            }
        }
        Ok(())
    }

    /// Makes the next bytes ready.
    fn fill(&mut self) -> Result<(), SpillError> {
        let mut ready = std::mem::take(&mut self.ready);
        let filled = match self.part.coding {
            Coding::Lz4 => self.decompress(&mut ready),
            Coding::Plain | Coding::Undecided => {
                ready.resize(self.left.min(BLOCK as u64) as usize, 0);
                self.fetch(&mut ready)
            }
        };
        if filled.is_err() {
            ready.clear();
        }
        (self.ready, self.taken) = (ready, 0);
        filled
    }

    fn decompress(&mut self, ready: &mut Vec<u8>) -> Result<(), SpillError> {
        let offset = self.at;
        let no_block = |reader: &Self| SpillError::NoBlock {
            file: reader.file.path.clone(),
            part: reader.number,
            offset,
        };
        let mut head = [0; 4];
        self.fetch(&mut head)?;
        let head = u32::from_le_bytes(head);
        let length = (head & !PLAIN) as usize;
        // Every block but the last one is full.
        let bytes = self.left.min(BLOCK as u64) as usize;
        if length > bytes || length as u64 > self.part.begin + self.part.stored - self.at {
            return Err(no_block(self));
        }
        ready.resize(bytes, 0);
        if head & PLAIN != 0 {
            return if length == bytes { self.fetch(ready) } else { Err(no_block(self)) };
        }
        let mut stored = std::mem::take(&mut self.stored);
        stored.resize(length, 0);
        let fetched = self.fetch(&mut stored);
        self.stored = stored;
        fetched?;
        match decompress_into(&self.stored, ready) {
            Ok(n) if n == bytes => Ok(()),
            _ => Err(no_block(self)),
        }
    }

    fn read_some(&mut self, to: &mut [u8]) -> Result<usize, SpillError> {
        let most = self.left.min(to.len() as u64) as usize;
        if most == 0 {
            return Ok(0);
        }
        let n = if self.taken < self.ready.len() || self.part.coding == Coding::Lz4 || most < BLOCK {
            if self.taken == self.ready.len() {
                self.fill()?;
            }
            let n = most.min(self.ready.len() - self.taken);
            to[..n].copy_from_slice(&self.ready[self.taken..][..n]);
            self.taken += n;
            n
        } else {
            // Large portions need no buffer between.
            self.fetch(&mut to[..most])?;
            most
        };
        self.checksum.update(&to[..n]);
        self.left -= n as u64;
        Ok(n)
    }

    /// At the end: whether it was what was written.
    fn verify(&self) -> Result<(), SpillError> {
        let (expected, found) = (self.part.checksum, self.checksum.digest());
        let file = || self.file.path.clone();
        if expected != found {
            let bytes = self.part.bytes;
            return Err(SpillError::Corrupt { file: file(), part: self.number, bytes, expected, found });
        }
        Ok(())
    }
}

impl Read for PartReader<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let n = self.read_some(to)?;
        // The last bytes are handed out only if all of them are right.
        if self.left == 0 {
            self.verify()?;
        }
        Ok(n)
    }
}
