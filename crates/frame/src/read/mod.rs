//! Readers of files in parts: each partition reads its own byte range or row groups, and only what it needs.

use std::sync::Arc;

use musher_graph_core::Touch;
use polars::prelude::{
    AnonymousScan, AnonymousScanArgs, DataFrame, LazyFrame, PlSmallStr, PolarsResult, ScanArgsAnonymous,
    SchemaRef,
};

use crate::border::{Escape, canonical};
use crate::error::Error;

mod csv;
mod csv_options;
mod csv_sample;
mod facts;
mod parquet;
mod text;

pub(crate) use csv::CsvSource;
pub use csv_options::{CsvOptions, Header};
pub use parquet::ParquetOptions;
pub(crate) use parquet::ParquetSource;

/// About how many bytes it takes to read a part.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PartBytes {
    /// From the file.
    pub(crate) read: u64,
    /// In memory beside the table, while it is made.
    pub(crate) scratch: u64,
    /// Of the table, where that is known.
    pub(crate) rows: Option<u64>,
}

/// Files that are read in parts, one for each partition.
pub(crate) trait PartReader: Send + Sync {
    /// Columns of all files.
    fn schema(&self) -> &SchemaRef;

    /// Number of parts.
    fn n_parts(&self) -> usize;

    /// Number of rows of each part, where the files say it.
    fn lengths(&self) -> Option<Vec<usize>>;

    /// What reading a part takes, of these columns or all.
    fn bytes(&self, part: usize, columns: Option<&[PlSmallStr]>) -> PartBytes;

    /// The file that a part reads, and which of its bytes where that is known.
    fn touch(&self, part: usize) -> Touch;

    /// The file and the place in it, for messages.
    fn place(&self, part: usize) -> String;

    /// What identifies the files and how they are read.
    fn token(&self, tokenizer: &mut musher_graph_core::Tokenizer);

    /// Reads the first `n_rows` rows of a part, of these columns in any order; all by default.
    fn read(
        &self,
        part: usize,
        columns: Option<&[PlSmallStr]>,
        n_rows: Option<usize>,
    ) -> Result<DataFrame, Error>;
}

/// A part of some files as the beginning of a lazy frame: polars pushes the columns, and the number of rows, that
/// later steps need down into the reader.
pub(crate) fn scan(source: Arc<dyn PartReader>, part: usize, escape: &Escape) -> PolarsResult<LazyFrame> {
    let schema = Arc::clone(source.schema());
    let scan = Scan { source, part, escape: escape.clone() };
    let arguments =
        ScanArgsAnonymous { schema: Some(schema), name: "MUSHER PART", ..ScanArgsAnonymous::default() };
    LazyFrame::anonymous_scan(Arc::new(scan), arguments)
}

struct Scan {
    source: Arc<dyn PartReader>,
    part: usize,
    escape: Escape,
}

impl AnonymousScan for Scan {
    fn as_any(&self) -> &dyn std::any::Any {
        self
    }

    fn allows_projection_pushdown(&self) -> bool {
        true
    }

    fn scan(&self, arguments: AnonymousScanArgs) -> PolarsResult<DataFrame> {
        let columns = arguments.with_columns.as_deref();
        let read = self.source.read(self.part, columns, arguments.n_rows);
        let table = read.map_err(|error| self.escape.raise(error))?;
        let table = match columns {
            Some(columns) if table.width() > 0 => table.select(columns.iter().cloned())?,
            _ => table,
        };
        Ok(canonical(table))
    }
}
