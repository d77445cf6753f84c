//! Text files, plain or compressed, as bytes of their text.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::Mutex;

use memchr::memchr_iter;
use musher_scheduler::files::FileFacts;
use serde::{Deserialize, Serialize};

use crate::error::{Error, LineFlaw};
use crate::kernel::records::{BlockStarts, Flaw};

/// How a file is compressed, as its first bytes say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Compression {
    Gzip,
    Zstd,
}

/// A text file that is not empty.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct TextFile {
    pub(super) facts: FileFacts,
    compression: Option<Compression>,
    /// Where the first record begins, in the text.
    pub(super) data_start: u64,
    /// Where blocks begin, as far as that had to be found out by reading the file from its start.
    #[serde(skip)]
    pub(super) blocks: Mutex<Option<BlockStarts>>,
}

impl TextFile {
    /// The file, if it is not empty.
    pub(super) fn open(facts: FileFacts) -> Result<Option<Self>, Error> {
        let mut magic = Vec::new();
        let file = facts.open()?;
        file.take(4).read_to_end(&mut magic).map_err(|source| failed(&facts, source))?;
        let compression = match magic.as_slice() {
            [] => return Ok(None),
            [0x1F, 0x8B, ..] => Some(Compression::Gzip),
            [0x28, 0xB5, 0x2F, 0xFD] => Some(Compression::Zstd),
            _ => None,
        };
        Ok(Some(Self { facts, compression, data_start: 0, blocks: Mutex::new(None) }))
    }

    /// Whether blocks of it can be read alone.
    pub(super) fn is_plain(&self) -> bool {
        self.compression.is_none()
    }

    pub(super) fn path(&self) -> PathBuf {
        self.facts.path().to_path_buf()
    }

    /// The text from its start.
    fn stream(&self) -> Result<Box<dyn Read>, Error> {
        let file = self.facts.open()?;
        Ok(match self.compression {
            None => Box::new(file),
            // One member or several, as `cat` makes them.
            Some(Compression::Gzip) => {
                Box::new(flate2::bufread::MultiGzDecoder::new(io::BufReader::new(file)))
            }
            Some(Compression::Zstd) => Box::new(
                zstd::stream::read::Decoder::new(file).map_err(|source| failed(&self.facts, source))?,
            ),
        })
    }

    /// The first bytes of the text, and whether they are all of it.
    pub(super) fn head(&self, length: u64) -> Result<(Vec<u8>, bool), Error> {
        let mut bytes = Vec::new();
        // One more byte tells whether there is one.
        let read = self.stream()?.take(length.saturating_add(1)).read_to_end(&mut bytes);
        let read = read.map_err(|source| failed(&self.facts, source))? as u64;
        bytes.truncate(length.min(read) as usize);
        Ok((bytes, read <= length))
    }

    /// A plain file, to read ranges of.
    pub(super) fn ranges(&self) -> Result<Ranges<'_>, Error> {
        Ok(Ranges { handle: self.facts.open()?, facts: &self.facts })
    }

    /// The number of the line, from 1, in which a byte of the text stands.
    ///
    /// **Cost** the text is read again up to there; it is asked for errors alone.
    fn line_at(&self, offset: u64) -> Result<u64, Error> {
        let mut before = self.stream()?.take(offset);
        let mut buffer = vec![0; 1 << 16];
        let mut line = 1;
        loop {
            match before.read(&mut buffer) {
                Ok(0) => return Ok(line),
                Ok(read) => line += memchr_iter(b'\n', &buffer[..read]).count() as u64,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => return Err(failed(&self.facts, source)),
            }
        }
    }

    /// Line and start of the record that begins at `offset`, of which `text` are the bytes.
    pub(super) fn shown(&self, text: &[u8], offset: u64) -> Result<(u64, String), Error> {
        let line = String::from_utf8_lossy(&text[..text.len().min(800)]);
        let record = line.lines().next().unwrap_or_default().chars().take(200).collect();
        Ok((self.line_at(offset)?, record))
    }

    /// The error of a record that begins at `at` in `text`, which begins at `offset`.
    pub(super) fn flawed(&self, text: &[u8], offset: u64, at: usize, flaw: LineFlaw) -> Error {
        match self.shown(&text[at..], offset + at as u64) {
            Ok((line, record)) => Error::Line { path: self.path(), line, record, flaw },
            Err(error) => error,
        }
    }
}

/// What a flaw is called in errors.
pub(super) fn named(flaw: Flaw, n_columns: usize) -> LineFlaw {
    match flaw {
        Flaw::Fields(found) => LineFlaw::Fields { found, expected: n_columns },
        Flaw::Open => LineFlaw::OpenQuote,
    }
}

/// A plain file that is being read.
pub(super) struct Ranges<'a> {
    handle: File,
    facts: &'a FileFacts,
}

impl Ranges<'_> {
    /// The bytes of a range, all of them.
    pub(super) fn read(&mut self, from: u64, to: u64) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        let mut read = || {
            bytes.try_reserve_exact((to - from) as usize).map_err(io::Error::other)?;
            self.handle.seek(SeekFrom::Start(from))?;
            let read = (&self.handle).take(to - from).read_to_end(&mut bytes)?;
            if (read as u64) < to - from { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
        };
        read().map_err(|source| failed(self.facts, source))?;
        Ok(bytes)
    }
}

fn failed(facts: &FileFacts, source: io::Error) -> Error {
    Error::Io { operation: "read", path: facts.path().to_path_buf(), source }
}
