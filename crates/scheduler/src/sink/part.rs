//! The file that a part is written into: it counts and hashes what passes.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

use xxhash_rust::xxh3::Xxh3;

use super::receipt::Receipt;

/// Bytes that are read at once where a file must be read again.
const WINDOW: usize = 256 << 10;

/// A file that a part is being written into.
///
/// It is not buffered: many small writes want a `BufWriter` around it.
#[derive(Debug)]
pub struct PartFile<'a> {
    file: &'a File,
    hash: Box<Hash>,
    at: u64,
    start: u64,
    end: u64,
    bytes: u64,
    /// Whether every byte was written once, behind those before it.
    is_in_order: bool,
}

/// A hash, which is large.
struct Hash(Xxh3);

impl std::fmt::Debug for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Xxh3")
    }
}

impl<'a> PartFile<'a> {
    /// Begins where the file stands, which is at its start.
    pub(super) fn new(file: &'a File) -> Self {
        let hash = Box::new(Hash(Xxh3::new()));
        Self { file, hash, at: 0, start: u64::MAX, end: 0, bytes: 0, is_in_order: true }
    }

    /// What was written, where all that is in the file is the part.
    pub(super) fn whole(mut self, name: &str, rows: u64) -> io::Result<Receipt> {
        let length = self.file.metadata()?.len();
        if !self.is_in_order || self.bytes != length || (self.bytes > 0 && self.start > 0) {
            // Some formats go back and fill in what they know only at the end.
            self.file.seek(SeekFrom::Start(0))?;
            self.hash = Box::new(Hash(checksum_of(&mut self.file)?));
            (self.start, self.end, self.bytes) = (0, length, length);
        }
        Ok(self.receipt(name, rows))
    }

    /// What was written, in the order of writing.
    pub(super) fn receipt(self, name: &str, rows: u64) -> Receipt {
        Receipt {
            name: name.to_owned(),
            range: self.start.min(self.end)..self.end,
            bytes: self.bytes,
            rows,
            checksum: self.hash.0.digest128(),
        }
    }
}

/// The hash of all that comes.
pub(super) fn checksum_of(from: &mut impl Read) -> io::Result<Xxh3> {
    let (mut hash, mut window) = (Xxh3::new(), vec![0; WINDOW]);
    loop {
        match from.read(&mut window) {
            Ok(0) => return Ok(hash),
            Ok(n) => hash.update(&window[..n]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

impl Write for PartFile<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.file.write(bytes)?;
        self.is_in_order &= self.at >= self.end;
        self.hash.0.update(&bytes[..n]);
        self.start = self.start.min(self.at);
        self.at += n as u64;
        self.end = self.end.max(self.at);
        self.bytes += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for PartFile<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.at = self.file.seek(to)?;
        Ok(self.at)
    }
}
