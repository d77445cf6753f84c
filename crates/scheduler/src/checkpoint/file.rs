//! One chunk in one file: header, what the codec wrote, length and checksum.
//!
//! | bytes | what |
//! |---|---|
//! | 8 | `MUSHCHK1` |
//! | 16 | key of the checkpoint |
//! | 8 | place of the chunk on its grid, in C order |
//! | 8 | bytes of the chunk in memory; all ones where nobody measured |
//! | 2 + n | kind of the codec |
//! | … | the chunk |
//! | 8 | bytes of the chunk in this file |
//! | 16 | xxh3-128 of all that stands before |
//!
//! Numbers are little-endian. Length and checksum come last, so that a chunk is written in one go.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use musher_graph_core::{AsRecord, ChunkRef, Codec, Key, Measure};
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3;

use super::CheckpointError;
use crate::atomic::AtomicFile;

const MAGIC: &[u8; 8] = b"MUSHCHK1";
const TRAILER: u64 = 8 + 16;
const BUFFER: usize = 256 * 1024;

/// What is known of a stored chunk without decoding it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stored {
    /// Bytes of the chunk in its file.
    pub(super) file_bytes: u64,
    /// Bytes of the chunk in memory, where measured.
    pub(super) nbytes: Option<u64>,
}

impl Measure for Stored {
    fn nbytes(&self) -> usize {
        size_of::<Self>()
    }
}

impl AsRecord for Stored {
    const KIND: &'static str = "checkpoint.stored/1";
}

/// Which chunk a file is to hold.
#[derive(Debug, Clone, Copy)]
pub(super) struct FileIdentity {
    pub(super) key: Key,
    pub(super) place: u64,
}

/// Hashes and counts what passes.
struct Hashed<T> {
    inner: T,
    hash: Xxh3,
    bytes: u64,
}

impl<T> Hashed<T> {
    fn new(inner: T) -> Self {
        Self { inner, hash: Xxh3::new(), bytes: 0 }
    }
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.inner.write(bytes)?;
        self.hash.update(&bytes[..n]);
        self.bytes += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.hash.update(&buffer[..n]);
        self.bytes += n as u64;
        Ok(n)
    }
}

/// Writes a chunk; the file is there whole or not at all.
pub(super) fn write(
    path: &Path,
    identity: FileIdentity,
    chunk: &ChunkRef,
    codec: &dyn Codec,
) -> Result<Stored, CheckpointError> {
    let failed = |source| CheckpointError::Io { path: path.to_owned(), source };
    let file = BufWriter::with_capacity(BUFFER, AtomicFile::create(path).map_err(failed)?);
    let mut file = Hashed::new(file);
    let nbytes = chunk.nbytes().map(|bytes| bytes as u64);
    let kind = codec.kind();
    let header = [
        MAGIC.as_slice(),
        &identity.key.to_bits().to_le_bytes(),
        &identity.place.to_le_bytes(),
        &nbytes.unwrap_or(u64::MAX).to_le_bytes(),
        &(kind.len() as u16).to_le_bytes(),
        kind.as_bytes(),
    ]
    .concat();
    file.write_all(&header).map_err(failed)?;
    codec
        .encode(&**chunk, &mut file)
        .map_err(|source| CheckpointError::Codec { path: path.to_owned(), source: Box::new(source) })?;
    let file_bytes = file.bytes - header.len() as u64;
    file.write_all(&file_bytes.to_le_bytes()).map_err(failed)?;
    let digest = file.hash.digest128().to_le_bytes();
    file.write_all(&digest).map_err(failed)?;
    let file = file.inner.into_inner().map_err(|error| failed(error.into_error()))?;
    file.commit().map_err(failed)?;
    Ok(Stored { file_bytes, nbytes })
}

/// A file whose header has been read.
struct Opened<'a> {
    path: &'a Path,
    reader: Hashed<BufReader<File>>,
    kind: String,
    stored: Stored,
}

impl<'a> Opened<'a> {
    fn new(path: &'a Path, identity: FileIdentity) -> Result<Self, CheckpointError> {
        let failed = |source| CheckpointError::Io { path: path.to_owned(), source };
        let wrong =
            |what: &'static str| CheckpointError::Malformed { path: path.to_owned(), what: what.into() };
        let file = File::open(path).map_err(failed)?;
        let length = file.metadata().map_err(failed)?.len();
        let mut reader = Hashed::new(BufReader::with_capacity(BUFFER, file));
        let short = |error: io::Error| match error.kind() {
            io::ErrorKind::UnexpectedEof => wrong("the file is too short"),
            _ => failed(error),
        };
        if &array::<8>(&mut reader).map_err(short)? != MAGIC {
            return Err(wrong("the file is no chunk of a checkpoint"));
        }
        let key = u128::from_le_bytes(array(&mut reader).map_err(short)?);
        let place = u64::from_le_bytes(array(&mut reader).map_err(short)?);
        if key != identity.key.to_bits() || place != identity.place {
            return Err(wrong("the file holds another chunk"));
        }
        let nbytes = u64::from_le_bytes(array(&mut reader).map_err(short)?);
        let mut kind = vec![0; u16::from_le_bytes(array(&mut reader).map_err(short)?).into()];
        reader.read_exact(&mut kind).map_err(short)?;
        let kind = String::from_utf8(kind).map_err(|_| wrong("the kind of its chunk is no text"))?;
        let rest = length.checked_sub(reader.bytes + TRAILER);
        let file_bytes = rest.ok_or_else(|| wrong("the file is too short"))?;
        let stored = Stored { file_bytes, nbytes: (nbytes != u64::MAX).then_some(nbytes) };
        Ok(Self { path, reader, kind, stored })
    }

    /// What is left of the chunk.
    fn chunk(&mut self, start: u64) -> io::Take<&mut Hashed<BufReader<File>>> {
        let left = start + self.stored.file_bytes - self.reader.bytes;
        self.reader.by_ref().take(left)
    }

    /// Reads to the end and compares the checksum.
    fn finish(mut self, start: u64) -> Result<Stored, CheckpointError> {
        let failed = |source| CheckpointError::Io { path: self.path.to_owned(), source };
        io::copy(&mut self.chunk(start), &mut io::sink()).map_err(failed)?;
        let file_bytes = u64::from_le_bytes(array(&mut self.reader).map_err(failed)?);
        let computed = self.reader.hash.digest128();
        let stored = u128::from_le_bytes(array(&mut self.reader).map_err(failed)?);
        if stored != computed || file_bytes != self.stored.file_bytes {
            let path = self.path.to_owned();
            return Err(CheckpointError::Damaged { path, stored, computed, bytes: self.stored.file_bytes });
        }
        Ok(self.stored)
    }
}

fn array<const N: usize>(reader: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    reader.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Reads a file to its end: whether it holds this chunk, undamaged.
pub(super) fn verify(path: &Path, identity: FileIdentity) -> Result<Stored, CheckpointError> {
    let opened = Opened::new(path, identity)?;
    let start = opened.reader.bytes;
    opened.finish(start)
}

/// Reads the chunk of a file; what is damaged is an error, whatever the codec makes of it.
pub(super) fn read(
    path: &Path,
    identity: FileIdentity,
    codec: &dyn Codec,
) -> Result<ChunkRef, CheckpointError> {
    let mut opened = Opened::new(path, identity)?;
    let start = opened.reader.bytes;
    let is_kind = opened.kind == codec.kind();
    let chunk = is_kind.then(|| codec.decode(&mut opened.chunk(start)));
    opened.finish(start)?;
    match chunk {
        None => Err(CheckpointError::Malformed {
            path: path.to_owned(),
            what: "the file holds a chunk of another kind".into(),
        }),
        Some(chunk) => {
            chunk.map_err(|source| CheckpointError::Codec { path: path.to_owned(), source: Box::new(source) })
        }
    }
}

/// Whether a file is a chunk of some checkpoint, by its name and its first bytes.
pub(super) fn is_chunk(path: &Path) -> bool {
    let Some((coords, super::EXTENSION)) =
        path.file_name().and_then(|name| name.to_str()).and_then(|name| name.rsplit_once('.'))
    else {
        return false;
    };
    let has_place = coords.split('-').all(|coord| coord.parse::<u64>().is_ok());
    let begins = || array::<8>(&mut File::open(path)?);
    // A folder or a pipe of that name is none: opening a pipe would wait.
    has_place && path.is_file() && begins().is_ok_and(|bytes| bytes == *MAGIC)
}

/// The file of the chunk at these coordinates.
pub(super) fn path(folder: &Path, coords: &[usize]) -> PathBuf {
    let name = match coords {
        [] => "0".to_owned(),
        coords => coords.iter().map(ToString::to_string).collect::<Vec<_>>().join("-"),
    };
    folder.join(name + "." + super::EXTENSION)
}
