//! Lines of text files, read in blocks.

use std::borrow::Cow;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use memchr::memchr_iter;
use musher_graph_core::{Facts, Place, Region, TaskError, Token, Tokenizer, Touch};
use musher_scheduler::check_cancelled;
use musher_scheduler::files::{FileFacts, find};

use crate::bag::{Bag, from_source};
use crate::error::Error;
use crate::kernel::decode::{Compression, decoded};
use crate::kernel::lines::{self, TextError, for_each_line};
use crate::kernel::ranges::byte_ranges;
use crate::origin::Origin;
use crate::pipe::{Feed, Flow, Pipe, Rewire, Selection, Upstream};

/// Which text files are read, and how.
///
/// A path or a pattern converts into options with blocks of 32 MiB and compression by the ending of the file's name.
///
/// # Examples
/// ```
/// use musher_bag::{Compression, TextOptions};
/// let options = TextOptions::new("logs/*.txt").block_bytes(1 << 20).compression(Compression::Plain);
/// assert_ne!(options, "logs/*.txt".into());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextOptions {
    pattern: PathBuf,
    block_bytes: u64,
    compression: Compression,
}

impl TextOptions {
    /// The files that a pattern means; see [`find`].
    pub fn new(pattern: impl AsRef<Path>) -> Self {
        let pattern = pattern.as_ref().to_path_buf();
        Self { pattern, block_bytes: 32 << 20, compression: Compression::Infer }
    }

    /// Bytes of a plain file that one partition reads; at least one.
    #[must_use]
    #[doc(alias = "blocksize")]
    pub fn block_bytes(self, bytes: u64) -> Self {
        Self { block_bytes: bytes.max(1), ..self }
    }

    /// One partition for each file, however long it is.
    #[must_use]
    pub fn whole_files(self) -> Self {
        self.block_bytes(u64::MAX)
    }

    /// How the files are compressed; a compressed file is one partition.
    #[must_use]
    pub fn compression(self, compression: Compression) -> Self {
        Self { compression, ..self }
    }
}

impl<P: AsRef<Path>> From<P> for TextOptions {
    fn from(pattern: P) -> Self {
        Self::new(pattern)
    }
}

impl Bag<String> {
    /// The lines of the files that a pattern means, without their line ends, in natural order of the names.
    ///
    /// Patterns are those of [`find`]. A line ends with `\n` or `\r\n`, as for `str::lines`; text is UTF-8, and a byte
    /// order mark at the start of a file is no part of it.
    /// Files ending in `.gz`, `.zst` or `.zstd` are decoded.
    ///
    /// Partitions are blocks of 32 MiB, cut at line ends, or whole compressed files.
    ///
    /// **Cost** nothing is read before `compute()` but the lengths of the files. A task reads a quarter of a megabyte at a
    /// time: what is fused to it never sees the block as a whole, and lines that are only looked at are not stored.
    ///
    /// # Errors
    /// [`Error::Find`] where files cannot be found or looked at. When it is computed: [`Error::File`] where one cannot be
    /// opened or has changed, [`Error::Read`], [`Error::NotUtf8`].
    ///
    /// # Examples
    /// ```
    /// use musher_bag::{Bag, TextOptions, prelude::*};
    /// # let folder = tempfile::tempdir()?;
    /// std::fs::write(folder.path().join("part-1.txt"), "to be\nor not\n")?;
    /// std::fs::write(folder.path().join("part-2.txt"), "to be\n")?;
    /// let pattern = folder.path().join("part-*.txt");
    /// let lines = Bag::read_text(&pattern)?;
    /// assert_eq!(lines.words().frequencies().compute()?[0], ("to".to_string(), 2));
    /// let small = Bag::read_text(TextOptions::new(&pattern).block_bytes(4))?;
    /// assert_eq!((small.n_partitions(), small.compute()?), (6, lines.compute()?));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn read_text(files: impl Into<TextOptions>) -> Result<Self, Error> {
        let origin = Origin::new("read_text");
        let blocks = Arc::new(Blocks::find(&files.into(), origin)?);
        let n = blocks.blocks.len();
        let pipe = Lines { blocks, selection: Selection::default(), origin };
        Ok(from_source(Upstream::Pipe(Arc::new(pipe)), n))
    }
}

/// Text files cut into blocks.
#[derive(Debug)]
pub(crate) struct Blocks {
    files: Vec<TextFile>,
    pub(crate) blocks: Vec<Block>,
}

#[derive(Debug)]
struct TextFile {
    facts: FileFacts,
    compression: Compression,
}

/// The bytes of a file in which the lines of one partition begin.
#[derive(Debug)]
pub(crate) struct Block {
    file: u32,
    bytes: Range<u64>,
}

impl Blocks {
    /// Finds and measures the files, and cuts them.
    pub(crate) fn find(options: &TextOptions, origin: Origin) -> Result<Self, Error> {
        let found = find(&options.pattern, &[]).map_err(|source| origin.find(source))?;
        let mut all = Self { files: Vec::with_capacity(found.len()), blocks: Vec::new() };
        for (file, facts) in (0u32..).zip(found) {
            let compression = options.compression.of(facts.path());
            match compression {
                Compression::Plain => {
                    let ranges = byte_ranges(facts.bytes(), options.block_bytes);
                    all.blocks.extend(ranges.into_iter().map(|bytes| Block { file, bytes }));
                }
                _ => all.blocks.push(Block { file, bytes: 0..u64::MAX }),
            }
            all.files.push(TextFile { facts, compression });
        }
        Ok(all)
    }

    /// Enters the facts of the files and the cuts into a fingerprint.
    pub(crate) fn token(&self, tokenizer: &mut Tokenizer) {
        for file in &self.files {
            file.facts.token(tokenizer);
            (file.compression as u8).token(tokenizer);
        }
        for block in &self.blocks {
            (block.file, block.bytes.start, block.bytes.end).token(tokenizer);
        }
    }

    /// What reading a block costs, as far as the lengths tell.
    pub(crate) fn facts(&self, index: usize) -> Facts {
        /// The reader's buffer, and what a decoder holds.
        const SCRATCH: u64 = 1 << 19;
        let block = &self.blocks[index];
        let file = &self.files[block.file as usize];
        let bytes = block.bytes.end.min(file.facts.bytes()) - block.bytes.start;
        // Also a file without lines is opened.
        Facts::default().scratch(SCRATCH).read(bytes.max(1))
    }

    /// The bytes of a block, or the whole of a compressed file.
    pub(crate) fn touch(&self, index: usize) -> Touch {
        let block = &self.blocks[index];
        let file = &self.files[block.file as usize];
        let region = match file.compression {
            Compression::Plain => Region::Bytes(block.bytes.clone()),
            _ => Region::Whole,
        };
        Touch::read(file.facts.path()).region(region)
    }

    /// Calls `sink` with runs of whole lines of a block, and the offset at which each run starts.
    pub(crate) fn for_each_run(
        &self,
        index: usize,
        sink: &mut dyn FnMut(u64, &str) -> Flow,
    ) -> Result<Flow, Error> {
        let block = &self.blocks[index];
        let inside = block.bytes.start > 0;
        // The byte before the block tells whether a line begins with it.
        let mut stream = self.open(index, block.bytes.start - u64::from(inside))?;
        match lines::for_each_run(&mut *stream, block.bytes.clone(), inside, sink) {
            Ok(flow) => Ok(flow),
            Err(TextError::Read { offset, source }) => Err(self.unreadable(index, offset, source)),
            Err(TextError::NotUtf8 { offset }) => {
                let (path, line) = self.place(index, offset)?;
                Err(Error::NotUtf8 { path, line, offset })
            }
        }
    }

    /// The decoded bytes of a block's file from this offset on, which is 0 in a compressed file.
    fn open(&self, index: usize, from: u64) -> Result<Box<dyn Read>, Error> {
        let file = &self.files[self.blocks[index].file as usize];
        let mut opened = file.facts.open().map_err(Error::File)?;
        let unreadable = |source| self.unreadable(index, from, source);
        opened.seek(SeekFrom::Start(from)).map_err(unreadable)?;
        decoded(opened, file.compression).map_err(unreadable)
    }

    fn unreadable(&self, index: usize, offset: u64, source: io::Error) -> Error {
        let path = self.files[self.blocks[index].file as usize].facts.path().to_path_buf();
        Error::Read { path, offset, source }
    }

    /// The file of a block, and the number of the line in which its byte `offset` stands.
    ///
    /// **Cost** the file is read again up to there; it is asked for errors alone.
    pub(crate) fn place(&self, index: usize, offset: u64) -> Result<(PathBuf, u64), Error> {
        let mut before = self.open(index, 0)?.take(offset);
        let mut buffer = vec![0; 1 << 16];
        let mut line = 1;
        loop {
            match before.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => line += memchr_iter(b'\n', &buffer[..read]).count() as u64,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => return Err(self.unreadable(index, offset, source)),
            }
        }
        Ok((self.files[self.blocks[index].file as usize].facts.path().to_path_buf(), line))
    }
}

/// The lines of one block.
struct Lines {
    blocks: Arc<Blocks>,
    selection: Selection,
    origin: Origin,
}

impl Lines {
    fn runs(&self, feed: &Feed<'_, '_>, sink: &mut dyn FnMut(u64, &str) -> Flow) -> Result<Flow, TaskError> {
        let mut asked = Ok(());
        let flow = self.blocks.for_each_run(self.selection.index(feed.at), &mut |offset, run| {
            asked = check_cancelled();
            if asked.is_ok() { sink(offset, run) } else { Flow::Break(()) }
        });
        asked?;
        flow.map_err(|error| self.origin.error(error))
    }
}

impl Pipe<String> for Lines {
    fn owned(
        &self,
        feed: &mut Feed<'_, '_>,
        sink: &mut dyn FnMut(String) -> Flow,
    ) -> Result<Flow, TaskError> {
        self.runs(feed, &mut |offset, run| for_each_line(offset, run, &mut |_, line| sink(line.to_owned())))
    }

    fn lent(
        &self,
        feed: &mut Feed<'_, '_>,
        sink: &mut dyn FnMut(&String) -> Flow,
    ) -> Result<Flow, TaskError> {
        let mut buffer = String::new();
        self.runs(feed, &mut |offset, run| {
            for_each_line(offset, run, &mut |_, line| {
                buffer.clear();
                buffer.push_str(line);
                sink(&buffer)
            })
        })
    }

    fn lends(&self, _feed: &Feed<'_, '_>) -> bool {
        true
    }

    fn text(
        &self,
        feed: &mut Feed<'_, '_>,
        sink: &mut dyn FnMut(&str) -> Flow,
    ) -> Option<Result<Flow, TaskError>> {
        Some(self.runs(feed, &mut |_, run| sink(run)))
    }

    fn labels(&self, into: &mut Vec<Cow<'static, str>>) {
        into.push(self.origin.label().into());
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.name("bag.read_text/2");
        self.blocks.token(tokenizer);
    }

    fn depth(&self) -> usize {
        1
    }

    fn facts(&self, at: Place<'_>) -> Facts {
        self.blocks.facts(self.selection.index(at))
    }

    fn touches(&self, at: Place<'_>) -> Vec<Touch> {
        vec![self.blocks.touch(self.selection.index(at))]
    }

    fn rewired(&self, rewire: Rewire<'_>) -> Option<Arc<dyn Pipe<String>>> {
        let selection = self.selection.rewired(rewire);
        Some(Arc::new(Self { blocks: Arc::clone(&self.blocks), selection, origin: self.origin }))
    }
}
