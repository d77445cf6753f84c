//! Parquet files in row groups.

use std::fs::File;
use std::sync::Arc;

use musher_graph_core::{Token, Tokenizer, Touch};
use polars::prelude::{DataFrame, PlSmallStr, Schema, SchemaExt, SchemaRef, SerReader};
use polars_io::parquet::read::ParquetReader;

use super::{FileFacts, Site, Source, files};
use crate::Error;
use crate::border::guard;
use crate::check::compare_schemas;

/// How Parquet files are cut into partitions.
///
/// # Examples
/// ```
/// use musher_frame::ParquetOptions;
/// let options = ParquetOptions { partition_bytes: 8 << 20 };
/// assert!(options.partition_bytes < ParquetOptions::default().partition_bytes);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParquetOptions {
    /// Row groups of a file go into one partition up to about this many bytes, uncompressed; 64 MiB by default.
    /// A row group is never split, and a partition never spans files.
    pub partition_bytes: u64,
}

impl Default for ParquetOptions {
    fn default() -> Self {
        Self { partition_bytes: 64 << 20 }
    }
}

/// The footer of a file.
type Metadata = polars_io::parquet::metadata::FileMetadataRef;

/// Parquet files and how their row groups form partitions.
pub(crate) struct ParquetSource {
    files: Vec<(FileFacts, Metadata)>,
    parts: Vec<Part>,
    schema: SchemaRef,
}

/// Some row groups in a row.
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
    pub(crate) fn open(pattern: &str, options: &ParquetOptions, site: Site) -> Result<Self, Error> {
        let mut files: Vec<(FileFacts, Metadata)> = Vec::new();
        let mut schema: Option<SchemaRef> = None;
        let mut parts = Vec::new();
        for facts in files::find(pattern, &["parquet", "pq"], site)? {
            let (metadata, found) = read_footer(&facts)?;
            match &schema {
                None => schema = Some(Arc::new(found)),
                Some(first) => {
                    compare_schemas(first, &found).map_err(|difference| Error::Schemas {
                        operation: site.operation,
                        place: facts.path.display().to_string(),
                        difference,
                        caller: site.caller,
                    })?;
                }
            }
            push_parts(files.len(), &metadata, options, &mut parts);
            files.push((facts, metadata));
        }
        let schema = schema.expect("at least one file was found");
        Ok(Self { files, parts, schema })
    }
}

fn read_footer(facts: &FileFacts) -> Result<(Metadata, Schema), Error> {
    let file = open(facts)?;
    let malformed = |source| Error::Malformed { path: facts.path.clone(), offset: 0, source };
    guard(
        || facts.path.display().to_string(),
        malformed,
        || {
            let mut reader = ParquetReader::new(file);
            let metadata = Arc::clone(reader.get_metadata()?);
            let schema = Schema::from_arrow_schema(reader.schema()?.as_ref());
            Ok((metadata, schema))
        },
    )
}

fn open(facts: &FileFacts) -> Result<File, Error> {
    File::open(&facts.path).map_err(|source| Error::Io {
        operation: "open",
        path: facts.path.clone(),
        source,
    })
}

fn push_parts(file: usize, metadata: &Metadata, options: &ParquetOptions, parts: &mut Vec<Part>) {
    let mut part = Part { file, first_row: 0, n_rows: 0, stored: 0, decoded: 0 };
    for group in &metadata.row_groups {
        let decoded = group.total_byte_size() as u64;
        if part.n_rows > 0 && part.decoded.saturating_add(decoded) > options.partition_bytes {
            parts.push(part);
            part = Part { first_row: part.first_row + part.n_rows, n_rows: 0, stored: 0, decoded: 0, file };
        }
        part.n_rows += group.num_rows();
        part.stored += group.compressed_size() as u64;
        part.decoded += decoded;
    }
    // A file without rows is one partition without rows: it may be the only file.
    parts.push(part);
}

impl Source for ParquetSource {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn n_parts(&self) -> usize {
        self.parts.len()
    }

    fn lengths(&self) -> Option<Vec<usize>> {
        Some(self.parts.iter().map(|part| part.n_rows).collect())
    }

    fn bytes(&self, part: usize, columns: Option<&[PlSmallStr]>) -> (u64, u64) {
        let Part { file, first_row, n_rows, stored, decoded } = self.parts[part];
        let Some(columns) = columns else { return (stored, decoded) };
        let mut row = 0;
        let mut sum = (0, 0);
        for group in &self.files[file].1.row_groups {
            if (first_row..first_row + n_rows).contains(&row) {
                for column in columns.iter().filter_map(|name| group.columns_under_root_iter(name)).flatten()
                {
                    sum.0 += column.compressed_size().max(0) as u64;
                    sum.1 += column.uncompressed_size().max(0) as u64;
                }
            }
            row += group.num_rows();
        }
        sum
    }

    /// All of the file: its end says where everything is.
    fn touch(&self, part: usize) -> Touch {
        Touch::read(&self.files[self.parts[part].file].0.path)
    }

    fn place(&self, part: usize) -> String {
        let Part { file, first_row, n_rows, .. } = self.parts[part];
        format!("{} rows {first_row}..{}", self.files[file].0.path.display(), first_row + n_rows)
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.name("frame.parquet/1");
        self.files.iter().for_each(|(facts, _)| facts.token(tokenizer));
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
        let (facts, metadata) = &self.files[file];
        let n_rows = n_rows.unwrap_or(all).min(all);
        let handle = open(facts)?;
        facts.check(&handle)?;
        if columns.is_some_and(<[PlSmallStr]>::is_empty) {
            return Ok(DataFrame::new(n_rows, Vec::new()).expect("no columns have any height"));
        }
        let malformed = |source| Error::Malformed { path: facts.path.clone(), offset: 0, source };
        guard(
            || self.place(part),
            malformed,
            || {
                let mut reader = ParquetReader::new(handle);
                reader.set_metadata(Arc::clone(metadata));
                let columns = columns.map(|columns| columns.iter().map(PlSmallStr::to_string).collect());
                reader.with_columns(columns).with_slice(Some((first_row, n_rows))).finish()
            },
        )
    }
}

impl FileFacts {
    /// Whether the file is as long as it was.
    pub(super) fn check(&self, handle: &File) -> Result<(), Error> {
        let failed = |source| Error::Io { operation: "stat", path: self.path.clone(), source };
        let found = handle.metadata().map_err(failed)?.len();
        if found == self.bytes {
            return Ok(());
        }
        Err(Error::Changed { path: self.path.clone(), expected: self.bytes, found })
    }
}

impl Token for FileFacts {
    fn token(&self, tokenizer: &mut Tokenizer) {
        self.path.token(tokenizer);
        (self.bytes, self.modified).token(tokenizer);
    }
}
