//! Parquet files in row groups.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use musher_graph_core::{Token, Tokenizer, Touch};
use musher_scheduler::files::{FileFacts, find, once};
use polars::prelude::{DataFrame, PlSmallStr, Schema, SchemaExt, SchemaRef, SerReader};
use polars_io::parquet::read::ParquetReader;
use serde::{Deserialize, Serialize};

use super::facts::SchemaFacts;
use super::{PartBytes, PartReader};
use crate::border::guard;
use crate::check::compare_schemas;
use crate::error::Error;
use crate::origin::Origin;

/// Which Parquet files are read, and how they are cut into partitions.
///
/// A path or a pattern converts into options with partitions of about 64 MiB.
///
/// # Examples
/// ```
/// use musher_frame::ParquetOptions;
/// let options = ParquetOptions::new("flights/*.parquet").partition_bytes(8 << 20);
/// assert_ne!(options, "flights/*.parquet".into());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParquetOptions {
    pattern: PathBuf,
    partition_bytes: u64,
}

impl ParquetOptions {
    /// The files that a pattern means; see [`find`].
    pub fn new(pattern: impl AsRef<Path>) -> Self {
        Self { pattern: pattern.as_ref().to_path_buf(), partition_bytes: 64 << 20 }
    }

    /// Row groups of a file go into one partition up to about this many bytes, uncompressed.
    ///
    /// A row group is never split, and a partition never spans files.
    #[must_use]
    pub fn partition_bytes(self, bytes: u64) -> Self {
        Self { partition_bytes: bytes, ..self }
    }
}

impl<P: AsRef<Path>> From<P> for ParquetOptions {
    fn from(pattern: P) -> Self {
        Self::new(pattern)
    }
}

/// The footer of a file.
type Footer = polars_io::parquet::metadata::FileMetadataRef;

/// Parquet files and how their row groups form partitions.
pub(crate) struct ParquetSource {
    files: Vec<ParquetFile>,
    parts: Vec<Part>,
    schema: SchemaRef,
}

/// What the footer of a file says of it, as far as a plan needs that.
#[derive(Serialize, Deserialize)]
struct ParquetFile {
    facts: FileFacts,
    groups: Vec<RowGroup>,
    /// The footer itself, once somebody has read it here.
    #[serde(skip)]
    footer: OnceLock<Footer>,
}

/// Rows and bytes, on the disk and decoded.
#[derive(Serialize, Deserialize)]
struct RowGroup {
    n_rows: usize,
    stored: u64,
    decoded: u64,
    /// Bytes of each column, in the order of the schema.
    columns: Vec<(u64, u64)>,
}

/// Consecutive row groups.
#[derive(Debug, Clone, Copy)]
struct Part {
    file: usize,
    first_row: usize,
    n_rows: usize,
    stored: u64,
    decoded: u64,
}

impl ParquetSource {
    /// Finds the files and reads their footers.
    pub(crate) fn open(options: &ParquetOptions, origin: Origin) -> Result<Self, Error> {
        let found = find(&options.pattern, &["parquet", "pq"]).map_err(|source| origin.find(source))?;
        let (files, SchemaFacts(schema)) =
            once("the row groups", &options.pattern, || Self::look(origin, found))?;
        let mut parts = Vec::new();
        for (number, file) in files.iter().enumerate() {
            push_parts(number, &file.groups, options, &mut parts);
        }
        Ok(Self { files, parts, schema })
    }

    /// The row groups of all files, which have one schema.
    fn look(origin: Origin, found: Vec<FileFacts>) -> Result<(Vec<ParquetFile>, SchemaFacts), Error> {
        let mut files: Vec<ParquetFile> = Vec::new();
        let mut schema: Option<SchemaRef> = None;
        for facts in found {
            let (file, found) = read_footer(facts)?;
            match &schema {
                None => schema = Some(Arc::new(found)),
                Some(first) => {
                    compare_schemas(first, &found).map_err(|difference| Error::Schemas {
                        operation: origin.operation,
                        place: file.facts.path().display().to_string(),
                        difference,
                        caller: origin.caller,
                    })?;
                }
            }
            files.push(file);
        }
        Ok((files, SchemaFacts(schema.expect("at least one file was found"))))
    }
}

fn read_footer(facts: FileFacts) -> Result<(ParquetFile, Schema), Error> {
    let file = facts.open()?;
    let malformed = |source| Error::Malformed { path: facts.path().to_path_buf(), offset: 0, source };
    let (footer, schema) = guard(
        || facts.path().display().to_string(),
        malformed,
        || {
            let mut reader = ParquetReader::new(file);
            let footer = Arc::clone(reader.get_metadata()?);
            Ok((footer, Schema::from_arrow_schema(reader.schema()?.as_ref())))
        },
    )?;
    let groups = footer.row_groups.iter().map(|group| {
        let bytes_of = |name: &PlSmallStr| {
            let chunks = group.columns_under_root_iter(name).into_iter().flatten();
            chunks.fold((0, 0), |(stored, decoded), chunk| {
                let [more, larger] =
                    [chunk.compressed_size(), chunk.uncompressed_size()].map(|n| n.max(0) as u64);
                (stored + more, decoded + larger)
            })
        };
        RowGroup {
            n_rows: group.num_rows(),
            stored: group.compressed_size() as u64,
            decoded: group.total_byte_size() as u64,
            columns: schema.iter_names().map(bytes_of).collect(),
        }
    });
    let groups = groups.collect();
    Ok((ParquetFile { facts, groups, footer: footer.into() }, schema))
}

fn push_parts(file: usize, groups: &[RowGroup], options: &ParquetOptions, parts: &mut Vec<Part>) {
    let mut part = Part { file, first_row: 0, n_rows: 0, stored: 0, decoded: 0 };
    for group in groups {
        let decoded = group.decoded;
        if part.n_rows > 0 && part.decoded.saturating_add(decoded) > options.partition_bytes {
            parts.push(part);
            part = Part { first_row: part.first_row + part.n_rows, n_rows: 0, stored: 0, decoded: 0, file };
        }
        part.n_rows += group.n_rows;
        part.stored += group.stored;
        part.decoded += decoded;
    }
    // A file without rows is one partition without rows: it may be the only file.
    parts.push(part);
}

impl PartReader for ParquetSource {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn n_parts(&self) -> usize {
        self.parts.len()
    }

    fn lengths(&self) -> Option<Vec<usize>> {
        Some(self.parts.iter().map(|part| part.n_rows).collect())
    }

    fn bytes(&self, part: usize, columns: Option<&[PlSmallStr]>) -> PartBytes {
        let Part { file, first_row, n_rows, stored, decoded } = self.parts[part];
        let bytes = |(read, rows)| PartBytes { read, scratch: read, rows: Some(rows) };
        let Some(columns) = columns else { return bytes((stored, decoded)) };
        let mut row = 0;
        let mut sum = (0, 0);
        for group in &self.files[file].groups {
            if (first_row..first_row + n_rows).contains(&row) {
                for column in columns.iter().filter_map(|name| self.schema.index_of(name)) {
                    let (stored, decoded) = group.columns[column];
                    sum = (sum.0 + stored, sum.1 + decoded);
                }
            }
            row += group.n_rows;
        }
        bytes(sum)
    }

    /// All of the file: its end says where everything is.
    fn touch(&self, part: usize) -> Touch {
        Touch::read(self.files[self.parts[part].file].facts.path())
    }

    fn place(&self, part: usize) -> String {
        let Part { file, first_row, n_rows, .. } = self.parts[part];
        format!("{} rows {first_row}..{}", self.files[file].facts.path().display(), first_row + n_rows)
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.name("frame.parquet/1");
        self.files.iter().for_each(|file| file.facts.token(tokenizer));
        for part in &self.parts {
            (part.file, part.first_row, part.n_rows).token(tokenizer);
        }
    }

    fn read(
        &self,
        part: usize,
        columns: Option<&[PlSmallStr]>,
        n_rows: Option<usize>,
    ) -> Result<DataFrame, Error> {
        let Part { file, first_row, n_rows: all, .. } = self.parts[part];
        let ParquetFile { facts, footer, .. } = &self.files[file];
        let n_rows = n_rows.unwrap_or(all).min(all);
        let handle = facts.open()?;
        if columns.is_some_and(<[PlSmallStr]>::is_empty) {
            return Ok(DataFrame::new(n_rows, Vec::new()).expect("no columns have any height"));
        }
        let malformed = |source| Error::Malformed { path: facts.path().to_path_buf(), offset: 0, source };
        guard(
            || self.place(part),
            malformed,
            || {
                let mut reader = ParquetReader::new(handle);
                match footer.get() {
                    Some(footer) => reader.set_metadata(Arc::clone(footer)),
                    // The first part that is read in this process.
                    None => drop(footer.set(Arc::clone(reader.get_metadata()?))),
                }
                let columns = columns.map(|columns| columns.iter().map(PlSmallStr::to_string).collect());
                reader.with_columns(columns).with_slice(Some((first_row, n_rows))).finish()
            },
        )
    }
}
