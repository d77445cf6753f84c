//! Lines of text files, read in blocks.

use std::borrow::Cow;
use std::fs::{self, File};
use std::io::{Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use musher_graph_core::{Facts, Place, Region, TaskError, Token, Tokenizer, Touch};
use musher_scheduler::check_cancelled;

use crate::bag::{Bag, from_source};
use crate::error::Error;
use crate::kernel::decode::{Compression, decoded};
use crate::kernel::glob::{GlobError, files};
use crate::kernel::lines::{self, TextError, for_each_line};
use crate::kernel::ranges::byte_ranges;
use crate::pipe::{Feed, Flow, Pipe, Rewire, Selection, Source};
use crate::site::Site;

/// How text files are read.
///
/// # Examples
/// ```
/// use musher_bag::{Compression, TextOptions};
/// let options = TextOptions::default().block_size(1 << 20).compression(Compression::Plain);
/// # let _ = options;
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextOptions {
    block_size: u64,
    compression: Compression,
}

impl Default for TextOptions {
    /// Blocks of 32 MiB; compression by the ending of the file's name.
    fn default() -> Self {
        Self { block_size: 32 << 20, compression: Compression::Infer }
    }
}

impl TextOptions {
    /// Bytes of a plain file that one partition reads; at least one.
    #[must_use]
    #[doc(alias = "blocksize")]
    pub fn block_size(self, bytes: u64) -> Self {
        Self { block_size: bytes.max(1), ..self }
    }

    /// One partition for each file, however long it is.
    #[must_use]
    pub fn whole_files(self) -> Self {
        self.block_size(u64::MAX)
    }

    /// How the files are compressed; a compressed file is one partition.
    #[must_use]
    pub fn compression(self, compression: Compression) -> Self {
        Self { compression, ..self }
    }
}

impl Bag<String> {
    /// The lines of the files whose names match `pattern`, without their line ends, in natural order of the names.
    ///
    /// `*`, `?`, `[..]`, `{a,b}` and `**` match as in a shell. A line ends with `\n` or `\r\n`, as for `str::lines`; text is UTF-8.
    /// Files ending in `.gz`, `.zst` or `.zstd` are decoded.
    ///
    /// Partitions are blocks of 32 MiB, cut at line ends, or whole compressed files.
    ///
    /// **Cost** nothing is read before `compute()` but the lengths of the files. A task reads a quarter of a megabyte at a
    /// time: what is fused to it never sees the block as a whole, and lines that are only looked at are not stored.
    ///
    /// # Errors
    /// [`Error::Pattern`], [`Error::NoFiles`], [`Error::Open`] where files cannot be found or measured. When it is computed:
    /// [`Error::Open`], [`Error::Read`], [`Error::NotUtf8`], [`Error::FileChanged`].
    ///
    /// # Examples
    /// ```
    /// use musher_bag::{Bag, prelude::*};
    /// # let folder = tempfile::tempdir()?;
    /// std::fs::write(folder.path().join("part-1.txt"), "to be\nor not\n")?;
    /// std::fs::write(folder.path().join("part-2.txt"), "to be\n")?;
    /// let lines = Bag::read_text(folder.path().join("part-*.txt").to_str().unwrap())?;
    /// assert_eq!(lines.words().frequencies().compute()?[0], ("to".to_string(), 2));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn read_text(pattern: &str) -> Result<Self, Error> {
        Self::read_text_with(pattern, &TextOptions::default())
    }

    /// [`read_text`](Bag::read_text) with options.
    ///
    /// # Errors
    /// Those of `read_text`.
    #[track_caller]
    pub fn read_text_with(pattern: &str, options: &TextOptions) -> Result<Self, Error> {
        let blocks = Arc::new(Blocks::find(pattern, options)?);
        let n = blocks.blocks.len();
        let pipe = Lines { blocks, selection: Selection::default(), site: Site::new("read_text") };
        Ok(from_source(Source::Pipe(Arc::new(pipe)), n))
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
    path: PathBuf,
    length: u64,
    modified: Option<Duration>,
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
    pub(crate) fn find(pattern: &str, options: &TextOptions) -> Result<Self, Error> {
        let paths = files(pattern).map_err(|error| match error {
            GlobError::Pattern(source) => Error::Pattern { pattern: pattern.to_owned(), source },
            GlobError::List { folder, source } => Error::Open { path: folder, source },
            GlobError::NoMatch => Error::NoFiles { pattern: pattern.to_owned() },
        })?;
        let mut all = Self { files: Vec::with_capacity(paths.len()), blocks: Vec::new() };
        for (file, path) in (0u32..).zip(paths) {
            let facts = fs::metadata(&path).map_err(|source| Error::Open { path: path.clone(), source })?;
            let compression = options.compression.of(&path);
            let modified = facts.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
            match compression {
                Compression::Plain => {
                    let ranges = byte_ranges(facts.len(), options.block_size);
                    all.blocks.extend(ranges.into_iter().map(|bytes| Block { file, bytes }));
                }
                _ => all.blocks.push(Block { file, bytes: 0..u64::MAX }),
            }
            all.files.push(TextFile { path, length: facts.len(), modified, compression });
        }
        Ok(all)
    }

    /// Enters the facts of the files and the cuts into a fingerprint.
    pub(crate) fn token(&self, tokenizer: &mut Tokenizer) {
        for file in &self.files {
            // A relative path means another file in another folder.
            std::path::absolute(&file.path).unwrap_or_else(|_| file.path.clone()).token(tokenizer);
            (file.length, file.modified, file.compression as u8).token(tokenizer);
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
        let bytes = block.bytes.end.min(file.length) - block.bytes.start;
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
        Touch::read(&file.path).region(region)
    }

    /// Calls `sink` with runs of whole lines of a block, and the offset at which each run starts.
    pub(crate) fn for_each_run(
        &self,
        index: usize,
        sink: &mut dyn FnMut(&Path, u64, &str) -> Flow,
    ) -> Result<Flow, Error> {
        let block = &self.blocks[index];
        let file = &self.files[block.file as usize];
        let path = || file.path.clone();
        let open = |source| Error::Open { path: path(), source };
        let mut opened = File::open(&file.path).map_err(open)?;
        let found = opened.metadata().map_err(open)?.len();
        if found != file.length {
            return Err(Error::FileChanged { path: path(), expected: file.length, found });
        }
        let inside = block.bytes.start > 0;
        if inside {
            // The byte before the block tells whether a line begins with it.
            opened.seek(SeekFrom::Start(block.bytes.start - 1)).map_err(open)?;
        }
        let mut stream = decoded(opened, file.compression).map_err(open)?;
        let run = &mut |offset, run: &str| sink(&file.path, offset, run);
        match lines::for_each_run(&mut *stream, block.bytes.clone(), inside, run) {
            Ok(flow) => Ok(flow),
            Err(TextError::Read { offset, source }) => Err(Error::Read { path: path(), offset, source }),
            Err(TextError::NotUtf8 { offset }) => Err(Error::NotUtf8 { path: path(), offset }),
        }
    }
}

/// The lines of one block.
struct Lines {
    blocks: Arc<Blocks>,
    selection: Selection,
    site: Site,
}

impl Lines {
    fn runs(&self, feed: &Feed<'_, '_>, sink: &mut dyn FnMut(u64, &str) -> Flow) -> Result<Flow, TaskError> {
        let mut asked = Ok(());
        let flow = self.blocks.for_each_run(self.selection.index(feed.at), &mut |_, offset, run| {
            asked = check_cancelled();
            if asked.is_ok() { sink(offset, run) } else { Flow::Break(()) }
        });
        asked?;
        flow.map_err(|error| self.site.error(error))
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
        into.push(self.site.label().into());
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.name("bag.read_text/1");
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
        Some(Arc::new(Self { blocks: Arc::clone(&self.blocks), selection, site: self.site }))
    }
}
