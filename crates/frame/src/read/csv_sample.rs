//! What is seen of delimited text when the frame is built: headers, and a sample from which types are inferred.

use std::io::Cursor;
use std::sync::Arc;

use musher_scheduler::files::FileFacts;
use polars::prelude::{Field, PlSmallStr, PolarsError, Schema, SchemaExt, SerReader};
use polars_io::csv::read::CsvReadOptions;

use super::csv_options::{CsvOptions, Header};
use super::text::{TextFile, named};
use crate::border::guard;
use crate::error::{Error, LineFlaw};
use crate::kernel::records::{Rules, clean, ends, fields, has_returns};
use crate::origin::Origin;

/// Bytes of a file that are sampled at most.
const LONGEST: u64 = 16 << 20;

/// Names of the columns, and rows of several files, each file's apart from the others.
pub(super) struct Sample<'a> {
    options: &'a CsvOptions,
    origin: Origin,
    /// The fields of the first file's header, or of its first record where there is none.
    first: Option<Vec<Vec<u8>>>,
    /// The header, and clean rows.
    text: Vec<u8>,
}

/// Where the parts of a text are that is looked at.
struct Extent {
    /// The first record that is no blank line: the header, if there is one.
    first: usize,
    data: usize,
    /// The end of the last whole record of the sample.
    end: usize,
}

impl<'a> Sample<'a> {
    pub(super) fn new(options: &'a CsvOptions, origin: Origin) -> Self {
        Self { options, origin, first: None, text: Vec::new() }
    }

    fn has_header(&self) -> bool {
        self.options.header == Header::FirstLine
    }

    /// How many columns there are.
    pub(super) fn n_columns(&self) -> usize {
        self.first.as_ref().map_or(0, Vec::len)
    }

    /// Looks at the start of a file and at some of its rows; `None` if it is empty.
    pub(super) fn add(&mut self, facts: FileFacts, n_rows: usize) -> Result<Option<TextFile>, Error> {
        let Some(mut file) = TextFile::open(facts)? else { return Ok(None) };
        let mut length = 64 << 10;
        loop {
            let (text, whole) = file.head(length)?;
            let is_blank = |byte: &u8| matches!(byte, b'\n' | b'\r');
            if text.is_empty() || whole && self.has_header() && without_mark(&text).iter().all(is_blank) {
                return Ok(None);
            }
            if let Some(extent) = self.extent(&text, whole || length >= LONGEST, n_rows) {
                self.add_text(&text, &extent, &mut file)?;
                return Ok(Some(file));
            }
            length *= 4;
        }
    }

    /// Where the first record and sampled rows are in the start of a text; `None` if more of it is needed.
    fn extent(&self, text: &[u8], is_all: bool, n_rows: usize) -> Option<Extent> {
        let mark = text.len() - without_mark(text).len();
        let is_text = |byte: &u8| !matches!(byte, b'\n' | b'\r');
        let has_header = self.has_header();
        let first = text[mark..].iter().position(is_text).map_or(text.len(), |at| mark + at);
        let start = if has_header { first } else { mark };
        let mut ends = ends(&text[start..], self.options.dialect())
            .filter(|&(_, ended)| ended || is_all)
            .map(|(end, _)| start + end);
        let data = if has_header { ends.next() } else { Some(start) };
        let data = data.or_else(|| is_all.then_some(text.len()))?;
        // The first record that is no blank line has the number of fields, where no row is sampled, too.
        let n_blank = text[start..first].iter().filter(|&&byte| byte == b'\n').count();
        let n_wanted = if self.first.is_none() && !has_header { n_rows.max(n_blank + 1) } else { n_rows };
        let rows: Vec<usize> = ends.take(n_wanted).collect();
        if rows.len() < n_wanted && !is_all {
            return None;
        }
        Some(Extent { first, data, end: rows.last().copied().unwrap_or(data) })
    }

    fn add_text(&mut self, text: &[u8], extent: &Extent, file: &mut TextFile) -> Result<(), Error> {
        let &Extent { first, data, end } = extent;
        file.data_start = data as u64;
        let dialect = self.options.dialect();
        let has_header = self.has_header();
        let first_end = if has_header {
            data
        } else {
            ends(&text[first..end.max(first)], dialect).next().map_or(first, |(at, _)| first + at)
        };
        let record = &text[first..first_end];
        // Text of which every line ends in a carriage return alone is one record.
        if has_returns(record, dialect) {
            return Err(Error::LineEnds { path: file.path(), caller: self.origin.caller });
        }
        if has_header {
            check_utf8(record, first, file)?;
        }
        let found = fields(record, dialect);
        match &self.first {
            Some(first) if has_header && *first != found => {
                let names = |fields: &[Vec<u8>]| {
                    fields.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect()
                };
                return Err(Error::Columns {
                    path: file.path(),
                    expected: names(first),
                    found: names(&found),
                    caller: self.origin.caller,
                });
            }
            Some(_) => {}
            None => self.begin(record, first, found, file)?,
        }
        // Blank lines before all others say nothing of types, nor how many columns there are.
        let data = if first < end { data.max(first) } else { data };
        let rows = &text[data..end];
        check_utf8(rows, data, file)?;
        let n_fields = self.n_columns();
        let rules = Rules { dialect, n_fields, skip_blank: self.options.skips_blank(n_fields) };
        let clean = clean(rows.to_vec(), rules)
            .map_err(|(at, flaw)| file.flawed(rows, data as u64, at, named(flaw, n_fields)))?;
        self.push(&clean.text);
        Ok(())
    }

    /// Takes the names, or the number of columns, of the first file from its first record, which begins at `start`.
    fn begin(
        &mut self,
        record: &[u8],
        start: usize,
        found: Vec<Vec<u8>>,
        file: &TextFile,
    ) -> Result<(), Error> {
        match &self.options.header {
            Header::FirstLine => {
                let rules = Rules { dialect: self.options.dialect(), n_fields: usize::MAX, skip_blank: true };
                let header = clean(record.to_vec(), rules)
                    .map_err(|(at, flaw)| file.flawed(record, start as u64, at, named(flaw, usize::MAX)))?;
                self.push(&header.text);
            }
            Header::Names(names) if !record.is_empty() && names.len() != found.len() => {
                return Err(Error::Columns {
                    path: file.path(),
                    expected: names.clone(),
                    found: found.iter().map(|field| String::from_utf8_lossy(field).into_owned()).collect(),
                    caller: self.origin.caller,
                });
            }
            Header::Names(_) | Header::Absent => {}
        }
        self.first = Some(found);
        Ok(())
    }

    /// Adds whole lines.
    fn push(&mut self, text: &[u8]) {
        self.text.extend_from_slice(text);
        if !text.is_empty() && !text.ends_with(b"\n") {
            self.text.push(b'\n');
        }
    }

    /// The schema of all files.
    pub(super) fn schema(self) -> Result<Schema, Error> {
        let Self { options, origin, text, .. } = self;
        let pattern = options.pattern.display().to_string();
        let dtypes = options.dtypes.iter();
        let overwrite: Schema =
            dtypes.map(|(name, dtype)| Field::new(name.as_str().into(), dtype.clone())).collect();
        let malformed = |source| Error::Malformed {
            path: options.pattern.clone(),
            offset: 0,
            source: first_line(source),
        };
        let mut schema = guard(
            || pattern.clone(),
            malformed,
            || {
                let table = CsvReadOptions::default()
                    .with_has_header(options.header == Header::FirstLine)
                    .with_schema_overwrite(Some(Arc::new(overwrite.clone())))
                    .with_infer_schema_length(None)
                    // The types alone are wanted: what is wrong with values has its line when it runs.
                    .with_ignore_errors(true)
                    .with_parse_options(options.parse())
                    .into_reader_with_file_handle(Cursor::new(text))
                    .finish()?;
                Ok(table.schema().as_ref().clone())
            },
        )?;
        let renamed: Option<Vec<PlSmallStr>> = match (&options.header, options.dialect().quote) {
            (Header::Names(names), _) => Some(names.iter().map(|name| name.as_str().into()).collect()),
            // polars leaves the quotes of a name doubled.
            (Header::FirstLine, Some(quote)) => {
                let (twice, once) = ([quote; 2].map(char::from), char::from(quote).to_string());
                let twice = String::from_iter(twice);
                Some(schema.iter_names().map(|name| name.replace(&twice, &once).into()).collect())
            }
            _ => None,
        };
        if let Some(names) = renamed {
            let fields = schema.iter_values().zip(names);
            schema = fields.map(|(dtype, name)| Field::new(name, dtype.clone())).collect();
            overwrite.iter_fields().for_each(|field| {
                schema.set_dtype(field.name(), field.dtype().clone());
            });
        }
        for (name, _) in &options.dtypes {
            if !schema.contains(name) {
                return Err(Error::NoColumn {
                    operation: origin.operation,
                    column: name.clone(),
                    columns: schema.iter_names().map(PlSmallStr::to_string).collect(),
                    caller: origin.caller,
                });
            }
        }
        Ok(schema)
    }
}

/// Refuses a text, which begins at `offset`, that is not UTF-8.
fn check_utf8(text: &[u8], offset: usize, file: &TextFile) -> Result<(), Error> {
    std::str::from_utf8(text).map(drop).map_err(|error| {
        let line_end = text[..error.valid_up_to()].iter().rposition(|&byte| byte == b'\n');
        file.flawed(text, offset as u64, line_end.map_or(0, |at| at + 1), LineFlaw::NotUtf8)
    })
}

/// A text behind its byte order mark.
fn without_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text)
}

/// What polars says, without its advice on options of its own reader.
pub(super) fn first_line(error: PolarsError) -> PolarsError {
    match error {
        PolarsError::ComputeError(text) => {
            PolarsError::ComputeError(text.lines().next().unwrap_or_default().to_owned().into())
        }
        other => other,
    }
}
