//! Delimited text in blocks of bytes.
//!
//! The schema is settled once, from a sample, when the frame is built; every block is parsed with it. Blocks end at
//! record ends outside quotes: see [`crate::kernel::records`] for how a block finds its begin without reading
//! what lies before it, and how that is checked.

use std::fs::File;
use std::io::{Cursor, Read, Seek, SeekFrom};
use std::sync::Arc;

use musher_graph_core::{Region, Token, Tokenizer, Touch};
use polars::prelude::{
    DataFrame, DataType, Field, PlSmallStr, PolarsError, PolarsResult, Schema, SchemaExt, SchemaRef,
    SerReader,
};
use polars_io::csv::read::{CsvParseOptions, CsvReadOptions, NullValues};

use super::{FileFacts, Site, Source, files};
use crate::Error;
use crate::border::guard;
use crate::kernel::records::{Dialect, Start, end_after, ends, first_start};

/// Where the names of the columns stand.
///
/// # Examples
/// ```
/// use musher_frame::{CsvOptions, Header};
/// let options = CsvOptions { header: Header::Names(vec!["x".into(), "y".into()]), ..CsvOptions::default() };
/// assert_ne!(options.header, Header::default());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Header {
    /// In the first line of every file that is not empty.
    #[default]
    FirstLine,
    /// Nowhere: the columns are `column_1`, `column_2` and so on.
    Absent,
    /// Here; the files hold rows only.
    Names(Vec<String>),
}

/// How delimited text is read.
///
/// # Examples
/// ```
/// use musher_frame::{CsvOptions, polars::prelude::DataType};
/// let options = CsvOptions {
///     separator: b';',
///     null_values: vec!["NA".into()],
///     dtypes: vec![("zip".into(), DataType::String)],
///     ..CsvOptions::default()
/// };
/// assert_eq!(options.quote, Some(b'"'));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct CsvOptions {
    /// Between fields; a comma by default.
    pub separator: u8,
    /// Around fields with separators or line ends in them, doubled for itself; `None` where quotes mean nothing.
    pub quote: Option<u8>,
    /// Where the names of the columns stand.
    pub header: Header,
    /// Texts that mean "no value", besides the empty field.
    #[doc(alias = "na_values")]
    pub null_values: Vec<String>,
    /// Types of columns that are not inferred.
    #[doc(alias = "dtype")]
    pub dtypes: Vec<(String, DataType)>,
    /// Whether texts that look like dates and times become such.
    pub parse_dates: bool,
    /// Rows of the first file from which types are inferred (a tenth of them from each of up to nine others).
    /// A later value that does not fit fails the run, naming file, line and column.
    #[doc(alias = "sample")]
    pub infer_rows: usize,
    /// Bytes of text a partition; 16 MiB by default, `u64::MAX` for one partition a file.
    #[doc(alias = "blocksize")]
    pub block_bytes: u64,
}

impl Default for CsvOptions {
    fn default() -> Self {
        Self {
            separator: b',',
            quote: Some(b'"'),
            header: Header::FirstLine,
            null_values: Vec::new(),
            dtypes: Vec::new(),
            parse_dates: false,
            infer_rows: 1000,
            block_bytes: 16 << 20,
        }
    }
}

impl CsvOptions {
    fn dialect(&self) -> Dialect {
        Dialect { separator: self.separator, quote: self.quote }
    }

    fn parse(&self) -> CsvParseOptions {
        let nulls = self.null_values.iter().map(|text| PlSmallStr::from(text.as_str())).collect::<Vec<_>>();
        CsvParseOptions::default()
            .with_separator(self.separator)
            .with_quote_char(self.quote)
            .with_try_parse_dates(self.parse_dates)
            .with_null_values((!nulls.is_empty()).then_some(NullValues::AllColumns(nulls)))
    }
}

/// Text files and how their bytes form partitions.
pub(crate) struct CsvSource {
    options: CsvOptions,
    schema: SchemaRef,
    files: Vec<TextFile>,
    parts: Vec<Part>,
}

struct TextFile {
    facts: FileFacts,
    /// Where the first row begins.
    data_start: u64,
    /// Compressed files are read whole.
    compressed: bool,
}

/// The records of a file that begin in `from..to`.
#[derive(Debug, Clone, Copy)]
struct Part {
    file: usize,
    from: u64,
    to: u64,
}

/// Bytes of a file that are sampled at most.
const LONGEST_SAMPLE: u64 = 16 << 20;

/// Windows in which boundaries are looked for grow up to this.
const LONGEST_WINDOW: usize = 64 << 20;

impl CsvSource {
    /// Finds the files, compares their headers and infers the schema from a sample.
    pub(crate) fn open(pattern: &str, options: CsvOptions, site: Site) -> Result<Self, Error> {
        if options.block_bytes == 0 {
            return Err(Error::Zero { operation: site.operation, what: "block_bytes", caller: site.caller });
        }
        let found = files::find(pattern, &["csv", "tsv", "txt", "gz", "zst"], site)?;
        let mut sample = Sample::default();
        let mut files = Vec::new();
        for facts in found {
            // The first non-empty file is sampled in full, nine others a little.
            let n_rows = match files.len() {
                0 => options.infer_rows,
                1..=9 => options.infer_rows / 10,
                _ => 0,
            };
            if let Some(file) = sample.add(facts, &options, n_rows, site)? {
                files.push(file);
            }
        }
        let schema = sample.schema(&options, site, pattern)?;
        let mut parts = Vec::new();
        for (file, text) in files.iter().enumerate() {
            let end = text.facts.bytes;
            let mut from = text.data_start;
            loop {
                let to =
                    if text.compressed { end } else { from.saturating_add(options.block_bytes).min(end) };
                parts.push(Part { file, from, to });
                from = to;
                if from >= end {
                    break;
                }
            }
        }
        Ok(Self { options, schema: Arc::new(schema), files, parts })
    }

    /// The bytes of the records of a part, and where they begin.
    fn records(&self, part: Part) -> Result<(Vec<u8>, u64), Error> {
        let file = &self.files[part.file];
        let mut handle = open(&file.facts)?;
        file.facts.check(&handle)?;
        if file.compressed {
            return Ok((read_range(&mut handle, &file.facts, 0, file.facts.bytes)?, 0));
        }
        let start = match part.from == file.data_start {
            true => part.from,
            false => self.boundary(&mut handle, file, part.from)?,
        };
        let is_last = part.to == file.facts.bytes;
        let mut bytes = read_range(&mut handle, &file.facts, start, part.to.max(start))?;
        if is_last {
            return Ok((bytes, start));
        }
        // The last record of this part may end beyond it; where it ends the next part must begin.
        let mut read_to = start + bytes.len() as u64;
        let end = loop {
            if start >= part.to {
                break 0;
            }
            let last_byte = (part.to - 1 - start) as usize;
            if let Some(end) = end_after(&bytes, last_byte, self.options.dialect()) {
                break end;
            }
            if read_to == file.facts.bytes {
                break bytes.len();
            }
            // A record that does not end for long is looked for in growing pieces.
            let more = (read_to + (64 << 10).max(bytes.len() as u64 / 2)).min(file.facts.bytes);
            bytes.extend(read_range(&mut handle, &file.facts, read_to, more)?);
            read_to = more;
        };
        if self.boundary(&mut handle, file, part.to)? != start + end as u64 {
            return Err(Error::Boundary { path: file.facts.path.clone(), offset: part.to });
        }
        bytes.truncate(end);
        Ok((bytes, start))
    }

    /// Where the first record begins that begins at `at` or later.
    fn boundary(&self, handle: &mut File, file: &TextFile, at: u64) -> Result<u64, Error> {
        let mut length = 64_usize << 10;
        loop {
            let end = (at - 1).saturating_add(length as u64).min(file.facts.bytes);
            let window = read_range(handle, &file.facts, at - 1, end)?;
            let to_the_end = end == file.facts.bytes;
            match first_start(&window, to_the_end, self.schema.len(), self.options.dialect()) {
                Start::At(offset) => return Ok(at - 1 + offset as u64),
                _ if to_the_end || length >= LONGEST_WINDOW => {
                    return Err(Error::Boundary { path: file.facts.path.clone(), offset: at });
                }
                Start::Beyond | Start::Ambiguous => length *= 4,
            }
        }
    }

    fn parse(
        &self,
        bytes: &[u8],
        file: &TextFile,
        columns: Option<&[PlSmallStr]>,
        n_rows: Option<usize>,
    ) -> PolarsResult<DataFrame> {
        let has_header = file.compressed && self.options.header == Header::FirstLine;
        CsvReadOptions::default()
            .with_has_header(has_header)
            .with_schema(Some(Arc::clone(&self.schema)))
            .with_columns(columns.map(Into::into))
            .with_n_rows(n_rows)
            .with_raise_if_empty(false)
            .with_parse_options(self.options.parse())
            .into_reader_with_file_handle(Cursor::new(bytes))
            .finish()
    }

    /// The error of a text that polars does not parse: the first record that does not, by bisection.
    fn locate(
        &self,
        bytes: &[u8],
        start: u64,
        file: &TextFile,
        columns: Option<&[PlSmallStr]>,
        source: PolarsError,
    ) -> Error {
        let path = file.facts.path.clone();
        let source = first_line(source);
        if file.compressed {
            return Error::Malformed { path, offset: 0, source };
        }
        let ends: Vec<usize> = ends(bytes, self.options.dialect()).collect();
        let fails = |n_records: usize| {
            let end = n_records.checked_sub(1).map_or(0, |last| ends[last]);
            guard(
                String::new,
                |source| Error::Malformed { path: path.clone(), offset: 0, source },
                || self.parse(&bytes[..end], file, columns, None),
            )
            .is_err()
        };
        let (mut good, mut bad) = (0, ends.len());
        if !fails(bad) {
            return Error::Malformed { path, offset: start, source };
        }
        while bad - good > 1 {
            let middle = good + (bad - good) / 2;
            if fails(middle) { bad = middle } else { good = middle }
        }
        let from = good.checked_sub(1).map_or(0, |last| ends[last]);
        let record = String::from_utf8_lossy(&bytes[from..ends[bad - 1]]);
        let record = record.trim_end().chars().take(200).collect();
        let offset = start + from as u64;
        let line = open(&file.facts)
            .and_then(|mut handle| read_range(&mut handle, &file.facts, 0, offset))
            .map_or(0, |before| 1 + before.iter().filter(|&&byte| byte == b'\n').count() as u64);
        Error::Record { path, line, offset, record, source }
    }
}

/// What polars says, without its advice on options of its own reader.
fn first_line(error: PolarsError) -> PolarsError {
    match error {
        PolarsError::ComputeError(text) => {
            PolarsError::ComputeError(text.lines().next().unwrap_or_default().to_owned().into())
        }
        other => other,
    }
}

fn open(facts: &FileFacts) -> Result<File, Error> {
    File::open(&facts.path).map_err(|source| Error::Io {
        operation: "open",
        path: facts.path.clone(),
        source,
    })
}

fn read_range(handle: &mut File, facts: &FileFacts, from: u64, to: u64) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let mut read = || {
        bytes.try_reserve_exact((to - from) as usize).map_err(std::io::Error::other)?;
        handle.seek(SeekFrom::Start(from))?;
        handle.take(to - from).read_to_end(&mut bytes)
    };
    read().map_err(|source| Error::Io { operation: "read", path: facts.path.clone(), source })?;
    Ok(bytes)
}

/// What is seen of the files when the frame is built.
#[derive(Default)]
struct Sample {
    /// The header of the first file, with its line end.
    header: Vec<u8>,
    /// Rows of several files.
    rows: Vec<u8>,
    is_compressed: bool,
}

impl Sample {
    /// Looks at the begin of a file; `None` if it is empty.
    fn add(
        &mut self,
        facts: FileFacts,
        options: &CsvOptions,
        n_rows: usize,
        site: Site,
    ) -> Result<Option<TextFile>, Error> {
        let mut handle = open(&facts)?;
        let mut length = 64 << 10;
        let dialect = options.dialect();
        loop {
            let end = facts.bytes.min(length);
            let window = read_range(&mut handle, &facts, 0, end)?;
            if window.is_empty() {
                return Ok(None);
            }
            if is_compressed(&window) {
                self.add_compressed(&mut handle, &facts)?;
                return Ok(Some(TextFile { facts, data_start: 0, compressed: true }));
            }
            let whole = end == facts.bytes;
            let start = begin_of_text(&window, &options.header);
            let mut ends = ends(&window[start..], dialect).map(|end| end + start);
            let header = match options.header {
                Header::FirstLine => ends.next().filter(|&end| whole || end < window.len()),
                Header::Absent | Header::Names(_) => Some(start),
            };
            let Some(header) = header.or_else(|| whole.then_some(window.len())) else {
                length *= 4;
                continue;
            };
            let ends: Vec<usize> = ends.take(n_rows).filter(|&end| whole || end < window.len()).collect();
            if ends.len() < n_rows && !whole && length < LONGEST_SAMPLE {
                length *= 4;
                continue;
            }
            let rows = ends.last().copied().unwrap_or(header);
            return self.add_text(facts, &window, [start, header, rows], site);
        }
    }

    fn add_text(
        &mut self,
        facts: FileFacts,
        window: &[u8],
        [start, header, rows]: [usize; 3],
        site: Site,
    ) -> Result<Option<TextFile>, Error> {
        let own_header = &window[start..header];
        if self.header.is_empty() {
            self.header = own_header.to_vec();
        } else if trimmed(own_header) != trimmed(&self.header) {
            let names = |header: &[u8]| vec![String::from_utf8_lossy(trimmed(header)).into_owned()];
            return Err(Error::Columns {
                path: facts.path,
                expected: names(&self.header),
                found: names(own_header),
                caller: site.caller,
            });
        }
        if self.is_compressed {
            return Ok(Some(TextFile { facts, data_start: header as u64, compressed: false }));
        }
        self.rows.extend_from_slice(&window[header..rows]);
        if !self.rows.is_empty() && !self.rows.ends_with(b"\n") {
            self.rows.push(b'\n');
        }
        Ok(Some(TextFile { facts, data_start: header as u64, compressed: false }))
    }

    /// A compressed file is a sample on its own, if it is the first.
    fn add_compressed(&mut self, handle: &mut File, facts: &FileFacts) -> Result<(), Error> {
        if self.header.is_empty() && self.rows.is_empty() {
            self.rows = read_range(handle, facts, 0, facts.bytes)?;
            self.is_compressed = true;
        }
        Ok(())
    }

    /// The schema of all files.
    fn schema(&self, options: &CsvOptions, site: Site, pattern: &str) -> Result<Schema, Error> {
        let text = if self.is_compressed { self.rows.clone() } else { [&*self.header, &*self.rows].concat() };
        let overwrite: Schema = options
            .dtypes
            .iter()
            .map(|(name, dtype)| Field::new(name.as_str().into(), dtype.clone()))
            .collect();
        let malformed =
            |source| Error::Malformed { path: pattern.into(), offset: 0, source: first_line(source) };
        let mut schema = guard(
            || pattern.to_owned(),
            malformed,
            || {
                let table = CsvReadOptions::default()
                    .with_has_header(options.header == Header::FirstLine)
                    .with_schema_overwrite(Some(Arc::new(overwrite.clone())))
                    .with_infer_schema_length(self.is_compressed.then_some(options.infer_rows))
                    .with_n_rows(self.is_compressed.then_some(options.infer_rows))
                    .with_parse_options(options.parse())
                    .into_reader_with_file_handle(Cursor::new(text))
                    .finish()?;
                Ok(table.schema().as_ref().clone())
            },
        )?;
        if let Header::Names(names) = &options.header {
            schema = rename(&schema, names, site, pattern)?;
            overwrite.iter_fields().for_each(|field| {
                schema.set_dtype(field.name(), field.dtype().clone());
            });
        }
        for (name, _) in &options.dtypes {
            if !schema.contains(name) {
                return Err(Error::NoColumn {
                    operation: site.operation,
                    column: name.clone(),
                    columns: schema.iter_names().map(PlSmallStr::to_string).collect(),
                    caller: site.caller,
                });
            }
        }
        Ok(schema)
    }
}

fn rename(schema: &Schema, names: &[String], site: Site, pattern: &str) -> Result<Schema, Error> {
    if schema.len() != names.len() {
        return Err(Error::Columns {
            path: pattern.into(),
            expected: names.to_vec(),
            found: schema.iter_names().map(PlSmallStr::to_string).collect(),
            caller: site.caller,
        });
    }
    let fields = schema.iter_values().zip(names);
    Ok(fields.map(|(dtype, name)| Field::new(name.as_str().into(), dtype.clone())).collect())
}

fn trimmed(header: &[u8]) -> &[u8] {
    header.trim_ascii()
}

/// Behind a byte order mark and, before a header, empty lines.
fn begin_of_text(window: &[u8], header: &Header) -> usize {
    let mark = if window.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
    let is_text = |byte: &u8| !matches!(byte, b'\n' | b'\r');
    match header {
        Header::FirstLine => window[mark..].iter().position(is_text).map_or(window.len(), |at| mark + at),
        Header::Absent | Header::Names(_) => mark,
    }
}

/// Whether a file begins like gzip, zlib or zstd.
fn is_compressed(begin: &[u8]) -> bool {
    begin.starts_with(&[0x1F, 0x8B]) || begin.starts_with(&[0x28, 0xB5, 0x2F, 0xFD])
}

impl Source for CsvSource {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn n_parts(&self) -> usize {
        self.parts.len()
    }

    fn lengths(&self) -> Option<Vec<usize>> {
        None
    }

    /// All of the text is read, whatever columns it is for.
    fn bytes(&self, part: usize, columns: Option<&[PlSmallStr]>) -> (u64, u64) {
        let Part { from, to, .. } = self.parts[part];
        let n_columns = self.schema.len() as u64;
        let n_needed = columns.map_or(n_columns, |columns| columns.len() as u64);
        (to - from, (to - from).saturating_mul(n_needed) / n_columns.max(1))
    }

    fn touch(&self, part: usize) -> Touch {
        let Part { file, from, to } = self.parts[part];
        let file = &self.files[file];
        let region = if file.compressed { Region::Whole } else { Region::Bytes(from..to) };
        Touch::read(&file.facts.path).region(region)
    }

    fn place(&self, part: usize) -> String {
        let Part { file, from, to } = self.parts[part];
        format!("{} bytes {from}..{to}", self.files[file].facts.path.display())
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.name("frame.csv/1");
        let CsvOptions {
            separator,
            quote,
            header,
            null_values,
            dtypes,
            parse_dates,
            infer_rows,
            block_bytes,
        } = &self.options;
        (*separator, *quote, null_values, *parse_dates, *infer_rows, *block_bytes).token(tokenizer);
        // Types and headers have no other stable form than their text.
        format!("{header:?} {dtypes:?}").token(tokenizer);
        self.files.iter().for_each(|file| file.facts.token(tokenizer));
    }

    fn read(
        &self,
        part: usize,
        columns: Option<&[PlSmallStr]>,
        n_rows: Option<usize>,
    ) -> Result<DataFrame, Error> {
        let part = self.parts[part];
        let file = &self.files[part.file];
        let (bytes, start) = self.records(part)?;
        // polars cannot parse no columns: to count rows it parses one.
        let counting = columns.is_some_and(<[PlSmallStr]>::is_empty);
        let first = self.schema.get_at_index(0).map(|(name, _)| name.clone());
        let one = first.as_slice();
        let columns = if counting { Some(one) } else { columns };
        let place = || format!("{} byte {start}", file.facts.path.display());
        let malformed = |source| Error::Malformed { path: file.facts.path.clone(), offset: start, source };
        let parsed = guard(place, malformed, || self.parse(&bytes, file, columns, n_rows));
        match parsed {
            Ok(table) if counting => {
                Ok(DataFrame::new(table.height(), Vec::new()).expect("no columns have any height"))
            }
            Err(Error::Malformed { source, .. }) => Err(self.locate(&bytes, start, file, columns, source)),
            other => other,
        }
    }
}
