//! Delimited text in blocks of bytes.
//!
//! The schema is settled once, from a sample, when the frame is built; every block is parsed with it. Blocks end at
//! record ends outside quotes. Where a block begins is told from a window of text; where that cannot be told, because
//! the window may lie inside quotes, as one without a quote may, the file is read once from its start up to there, and all
//! its blocks know. What is told relies on quotes ending, and on no text following their end. As the
//! reader of a block computes the exact end of its last record, and compares it with where the next block begins, a
//! wrong start is an error and never wrong rows where both are read.

use std::io::Cursor;
use std::sync::{Arc, PoisonError};

use musher_graph_core::{Region, Token, Tokenizer, Touch};
use musher_scheduler::check_cancelled;
use musher_scheduler::files::{FileFacts, find, once};
use polars::prelude::{DataFrame, PlSmallStr, PolarsError, PolarsResult, SchemaRef, SerReader};
use polars_io::csv::read::CsvReadOptions;

use super::csv_options::CsvOptions;
use super::csv_sample::{Sample, first_line};
use super::facts::SchemaFacts;
use super::text::{Ranges, TextFile, named};
use super::{PartBytes, PartReader};
use crate::border::guard;
use crate::error::{Error, LineFlaw};
use crate::kernel::records::{
    BlockStarts, Clean, Rules, Start, clean, end_after, ends, first_start, is_open,
};
use crate::origin::Origin;

/// Text files and how their bytes form partitions.
pub(crate) struct CsvSource {
    options: CsvOptions,
    schema: SchemaRef,
    files: Vec<TextFile>,
    parts: Vec<Part>,
}

/// The records of a file that begin in `from..to`.
#[derive(Debug, Clone, Copy)]
struct Part {
    file: usize,
    from: u64,
    to: u64,
}

/// Windows in which boundaries are looked for grow up to this where quotes leave them unsure.
const LONGEST_UNSURE: u64 = 1 << 20;

/// The same where they hold no record's end.
const LONGEST_WINDOW: u64 = 64 << 20;

/// What is read at once to find boundaries from the start of a file.
const PIECE: u64 = 1 << 20;

impl CsvSource {
    /// Finds the files, compares their headers and infers the schema from a sample.
    pub(crate) fn open(options: CsvOptions, origin: Origin) -> Result<Self, Error> {
        if options.block_bytes == 0 {
            return Err(Error::Zero {
                operation: origin.operation,
                what: "block_bytes",
                caller: origin.caller,
            });
        }
        let found = find(&options.pattern, &["csv", "tsv", "txt", "gz", "zst"]);
        let found = found.map_err(|source| origin.find(source))?;
        let (files, SchemaFacts(schema)) =
            once("a sample", &options.pattern, || Self::look(&options, origin, found))?;
        let mut parts = Vec::new();
        for (file, text) in files.iter().enumerate() {
            let (start, end) = (text.data_start, text.facts.bytes());
            if !text.is_plain() {
                parts.push(Part { file, from: 0, to: end });
                continue;
            }
            let mut from = start;
            loop {
                let to = from.saturating_add(options.block_bytes).min(end);
                parts.push(Part { file, from, to });
                from = to;
                if from >= end {
                    break;
                }
            }
        }
        Ok(Self { options, schema, files, parts })
    }

    /// What the files are, and the schema that a sample of them shows.
    fn look(
        options: &CsvOptions,
        origin: Origin,
        found: Vec<FileFacts>,
    ) -> Result<(Vec<TextFile>, SchemaFacts), Error> {
        let mut sample = Sample::new(options, origin);
        let mut files = Vec::new();
        for facts in found {
            // The first non-empty file is sampled in full, nine others a little.
            let n_rows = match files.len() {
                0 => options.infer_rows,
                1..=9 => options.infer_rows / 10,
                _ => 0,
            };
            files.extend(sample.add(facts, n_rows)?);
        }
        Ok((files, SchemaFacts(Arc::new(sample.schema()?))))
    }

    /// The text of the records of a part, and where in the file's text it begins.
    fn records(&self, part: Part) -> Result<(Vec<u8>, u64), Error> {
        let file = &self.files[part.file];
        if !file.is_plain() {
            let (mut text, _) = file.head(u64::MAX)?;
            text.drain(..file.data_start.min(text.len() as u64) as usize);
            return Ok((text, file.data_start));
        }
        let mut ranges = file.ranges()?;
        let start = match part.from == file.data_start {
            true => part.from,
            false => self.boundary(&mut ranges, file, part.from)?,
        };
        let file_end = file.facts.bytes();
        let mut bytes = ranges.read(start, part.to.max(start))?;
        if part.to == file_end {
            return Ok((bytes, start));
        }
        // The last record of this part may end beyond it; where it ends the next part must begin.
        let mut read_to = start + bytes.len() as u64;
        let mut piece = 64 << 10;
        let end = loop {
            if start >= part.to {
                break 0;
            }
            let last_byte = (part.to - 1 - start) as usize;
            if let Some(end) = end_after(&bytes, last_byte, self.options.dialect()) {
                break end;
            }
            if read_to == file_end && is_open(&bytes, self.options.dialect()) {
                // No other record begins behind it.
                return Ok((bytes, start));
            }
            if read_to == file_end {
                break bytes.len();
            }
            // A record that does not end for long is looked for in growing pieces.
            let more = (read_to + piece).min(file_end);
            bytes.extend(ranges.read(read_to, more)?);
            (read_to, piece) = (more, piece * 2);
        };
        if self.boundary(&mut ranges, file, part.to)? != start + end as u64 {
            return Err(self.misfit(&mut ranges, file, part.to).unwrap_or_else(|error| error));
        }
        bytes.truncate(end);
        Ok((bytes, start))
    }

    /// Where the first record begins that begins at `at` or later.
    ///
    /// Depends on the file alone, not on what other blocks have found out: those must agree.
    fn boundary(&self, ranges: &mut Ranges<'_>, file: &TextFile, at: u64) -> Result<u64, Error> {
        let file_end = file.facts.bytes();
        // The last block is looked at to its end, so that the last rows of a file without quotes do not need all of it.
        let is_last = file_end - at <= self.options.block_bytes;
        let longest_unsure = if is_last { LONGEST_WINDOW } else { LONGEST_UNSURE };
        let mut length = 64 << 10;
        loop {
            let end = (at - 1).saturating_add(length).min(file_end);
            let window = ranges.read(at - 1, end)?;
            match first_start(&window, end == file_end, self.options.dialect()) {
                Start::At(offset) => return Ok(at - 1 + offset as u64),
                Start::Unsure if end == file_end || length >= longest_unsure => {
                    return self.exact_boundary(ranges, file, at);
                }
                Start::Beyond if length >= LONGEST_WINDOW => return self.exact_boundary(ranges, file, at),
                Start::Beyond | Start::Unsure => length *= 4,
            }
        }
    }

    /// The same by reading the file from its start.
    fn exact_boundary(&self, ranges: &mut Ranges<'_>, file: &TextFile, at: u64) -> Result<u64, Error> {
        let block = ((at - file.data_start) / self.options.block_bytes) as usize;
        self.scan(ranges, file, |blocks| blocks.starts().len() >= block, |blocks| blocks.starts()[block - 1])
    }

    /// What is known of the blocks of a file once it is read, from where it was last read to, until that is enough.
    fn scan<T>(
        &self,
        ranges: &mut Ranges<'_>,
        file: &TextFile,
        is_enough: impl Fn(&BlockStarts) -> bool,
        known: impl Fn(&BlockStarts) -> T,
    ) -> Result<T, Error> {
        // Other blocks of this file wait: they need the same answer.
        let mut blocks = file.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || BlockStarts::new(file.data_start, self.options.block_bytes, self.options.dialect());
        let blocks = blocks.get_or_insert_with(new);
        let file_end = file.facts.bytes();
        while blocks.read_to() < file_end && !is_enough(blocks) {
            check_cancelled()?;
            let end = blocks.read_to().saturating_add(PIECE).min(file_end);
            let piece = ranges.read(blocks.read_to(), end)?;
            blocks.push(&piece, end == file_end);
        }
        Ok(known(blocks))
    }

    /// The error of a block that ends where the next does not begin.
    fn misfit(&self, ranges: &mut Ranges<'_>, file: &TextFile, at: u64) -> Result<Error, Error> {
        Ok(match self.scan(ranges, file, |_| false, BlockStarts::open)? {
            Some(record) => file.flawed(&self.raw(file, record)?, record, 0, LineFlaw::OpenQuote),
            None => Error::Boundary { path: file.path(), offset: at },
        })
    }

    fn clean(&self, file: &TextFile, text: Vec<u8>, start: u64) -> Result<Clean, Error> {
        let n_fields = self.schema.len();
        let rules = Rules {
            dialect: self.options.dialect(),
            n_fields,
            skip_blank: self.options.skips_blank(n_fields),
        };
        clean(text, rules).map_err(|(at, flaw)| {
            let offset = start + at as u64;
            match self.raw(file, offset) {
                Ok(record) => file.flawed(&record, offset, 0, named(flaw, n_fields)),
                Err(error) => error,
            }
        })
    }

    /// Some bytes of a file's text from an offset on.
    fn raw(&self, file: &TextFile, offset: u64) -> Result<Vec<u8>, Error> {
        let (mut text, _) = file.head(offset + 1000)?;
        text.drain(..offset.min(text.len() as u64) as usize);
        Ok(text)
    }

    fn parse(
        &self,
        text: &[u8],
        columns: Option<&[PlSmallStr]>,
        n_rows: Option<usize>,
    ) -> PolarsResult<DataFrame> {
        CsvReadOptions::default()
            .with_has_header(false)
            .with_schema(Some(Arc::clone(&self.schema)))
            .with_columns(columns.map(Into::into))
            .with_n_rows(n_rows)
            .with_raise_if_empty(false)
            .with_parse_options(self.options.parse())
            .into_reader_with_file_handle(Cursor::new(text))
            .finish()
    }

    /// The error of a text that polars does not parse: the first record that does not, by bisection.
    fn locate(
        &self,
        part: Part,
        columns: Option<&[PlSmallStr]>,
        source: PolarsError,
    ) -> Result<Error, Error> {
        let file = &self.files[part.file];
        let (text, start) = self.records(part)?;
        let ends: Vec<usize> = ends(&text, self.options.dialect()).map(|(end, _)| end).collect();
        let fails = |n_records: usize| -> Result<bool, Error> {
            let end = n_records.checked_sub(1).map_or(0, |last| ends[last]);
            let clean = self.clean(file, text[..end].to_vec(), start)?;
            let malformed = |source| Error::Malformed { path: file.path(), offset: 0, source };
            Ok(guard(String::new, malformed, || self.parse(&clean.text, columns, None)).is_err())
        };
        let source = first_line(source);
        let (mut good, mut bad) = (0, ends.len());
        if !fails(bad)? {
            return Ok(Error::Malformed { path: file.path(), offset: start, source });
        }
        while bad - good > 1 {
            let middle = good + (bad - good) / 2;
            if fails(middle)? { bad = middle } else { good = middle }
        }
        let from = good.checked_sub(1).map_or(0, |last| ends[last]);
        let offset = start + from as u64;
        let (line, record) = file.shown(&text[from..ends[bad - 1]], offset)?;
        Ok(Error::Record { path: file.path(), line, offset, record, source })
    }
}

impl PartReader for CsvSource {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn n_parts(&self) -> usize {
        self.parts.len()
    }

    fn lengths(&self) -> Option<Vec<usize>> {
        None
    }

    /// All of the text is read, whatever columns it is for; what a compressed file holds, its length does not tell.
    fn bytes(&self, part: usize, columns: Option<&[PlSmallStr]>) -> PartBytes {
        let Part { file, from, to } = self.parts[part];
        let read = to - from;
        if !self.files[file].is_plain() {
            return PartBytes { read, scratch: read, rows: None };
        }
        let n_columns = self.schema.len() as u64;
        let n_needed = columns.map_or(n_columns, |columns| columns.len() as u64);
        let rows = read.saturating_mul(n_needed) / n_columns.max(1);
        // Text that is written anew exists twice, before there are rows.
        PartBytes { read, scratch: read.max((2 * read).saturating_sub(rows)), rows: Some(rows) }
    }

    fn touch(&self, part: usize) -> Touch {
        let Part { file, from, to } = self.parts[part];
        let file = &self.files[file];
        let region = if file.is_plain() { Region::Bytes(from..to) } else { Region::Whole };
        Touch::read(file.facts.path()).region(region)
    }

    fn place(&self, part: usize) -> String {
        let Part { file, from, to } = self.parts[part];
        format!("{} bytes {from}..{to}", self.files[file].facts.path().display())
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.name("frame.csv/2");
        self.options.token(tokenizer);
        self.files.iter().for_each(|file| file.facts.token(tokenizer));
    }

    fn read(
        &self,
        number: usize,
        columns: Option<&[PlSmallStr]>,
        n_rows: Option<usize>,
    ) -> Result<DataFrame, Error> {
        let part = self.parts[number];
        let file = &self.files[part.file];
        let (text, start) = self.records(part)?;
        let clean = self.clean(file, text, start)?;
        if columns.is_some_and(<[PlSmallStr]>::is_empty) {
            let n_rows = n_rows.map_or(clean.n_records, |n_rows| n_rows.min(clean.n_records));
            return Ok(DataFrame::new(n_rows, Vec::new()).expect("no columns have any height"));
        }
        let malformed = |source| Error::Malformed { path: file.path(), offset: start, source };
        let place = || format!("{} byte {start}", file.path().display());
        match guard(place, malformed, || self.parse(&clean.text, columns, n_rows)) {
            Err(Error::Malformed { source, .. }) => {
                drop(clean);
                Err(self.locate(part, columns, source).unwrap_or_else(|error| error))
            }
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;

    use super::*;

    #[test]
    fn what_compressed_text_holds_is_not_known_and_text_may_exist_twice() {
        let folder = tempfile::tempdir().unwrap();
        let text = format!("a,b\n{}", "1,2\n".repeat(25));
        let path = folder.path().join("t.csv");
        let bytes = |path| {
            let origin = Origin { operation: "read_csv", caller: musher_graph_core::Site::caller() };
            let source = CsvSource::open(CsvOptions::new(path), origin).unwrap();
            let bytes = |columns| {
                let PartBytes { read, scratch, rows } = source.bytes(0, columns);
                (read, scratch, rows)
            };
            (bytes(None), bytes(Some(&["a".into()])))
        };
        fs::write(&path, &text).unwrap();
        // Beside rows of as many bytes as the text has, there is the text; twice before there are rows.
        assert_eq!(bytes(&path), ((100, 100, Some(100)), (100, 150, Some(50))));
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(text.as_bytes()).unwrap();
        let gzip = gzip.finish().unwrap();
        fs::write(&path, &gzip).unwrap();
        let length = gzip.len() as u64;
        assert_eq!(bytes(&path), ((length, length, None), (length, length, None)));
    }
}
