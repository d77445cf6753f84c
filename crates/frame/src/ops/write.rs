//! Writers: partitions beside, then one rename, as [`musher_scheduler::sink`] does it.
//!
//! A single file is made of the partitions' files by the last task.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use musher_graph_core::{Delayed, Facts, Inputs, Measure, Place, Region, Site, TaskError, Touch};
use musher_scheduler::files::once;
use musher_scheduler::sink::{self, Receipt, Stage, Standing, Target, refuse_foreign, stands_at};
use polars::prelude::{PolarsResult, SchemaRef, SerReader, SerWriter};
use polars_io::csv::write::CsvWriter;
use polars_io::parquet::read::ParquetReader;
use polars_io::parquet::write::ParquetWriter;

use crate::border::guard;
use crate::error::Error;
use crate::frame::Frame;
use crate::origin::Origin;
use crate::partition::Partition;

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The file or directory.
    pub path: PathBuf,
    /// Number of files.
    pub n_files: usize,
    /// Number of rows.
    pub n_rows: u64,
    /// Bytes of all files.
    pub bytes: u64,
}

impl Measure for Written {
    fn nbytes(&self) -> usize {
        size_of::<Self>() + self.path.capacity()
    }
}

/// A kind of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Parquet,
    Csv,
}

impl Frame {
    /// Writes Parquet: a single file if the path ends in `.parquet`, else a directory with a file for each
    /// partition, `part-00000.parquet` and so on. Nothing is written before this is computed.
    ///
    /// An existing file, or a directory of such files, is replaced at the end, atomically; on file systems that cannot
    /// exchange two directories, such as NFS, by two renames: if the process is killed between these, nothing is there until
    /// the next run that writes beside it does the second.
    ///
    /// **Cost** one pass; for a single file the partitions are written twice.
    ///
    /// # Errors
    /// [`Error::Foreign`] if the path is a directory that holds anything else: nothing is deleted by mistake.
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, polars::prelude::*};
    /// use musher_scheduler::Compute;
    /// # let directory = tempfile::tempdir()?;
    /// # let numbers = directory.path().join("numbers");
    /// let frame = Frame::from_polars(df!("x" => [1, 2, 3])?, 2)?;
    /// let written = frame.to_parquet(&numbers)?.compute()?;
    /// assert_eq!((written.n_files, written.n_rows), (2, 3));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn to_parquet(&self, path: impl AsRef<Path>) -> Result<Delayed<Written>, Error> {
        let origin = Origin { operation: "to_parquet", caller: Site::caller() };
        self.write(path.as_ref(), Format::Parquet, origin)
    }

    /// Writes CSV with a header: a single file if the path ends in `.csv`, else a directory with a file for each
    /// partition, `part-00000.csv` and so on. Nothing is written before this is computed.
    ///
    /// Otherwise like [`to_parquet`](Frame::to_parquet).
    ///
    /// # Errors
    /// [`Error::Foreign`] as [`to_parquet`](Frame::to_parquet); [`Error::Unwritable`] for columns of lists or
    /// structs.
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, polars::prelude::*};
    /// use musher_scheduler::Compute;
    /// # let directory = tempfile::tempdir()?;
    /// # let numbers = directory.path().join("numbers.csv");
    /// let frame = Frame::from_polars(df!("x" => [1, 2, 3])?, 2)?;
    /// frame.to_csv(&numbers)?.compute()?;
    /// assert_eq!(std::fs::read_to_string(&numbers)?, "x\n1\n2\n3\n");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn to_csv(&self, path: impl AsRef<Path>) -> Result<Delayed<Written>, Error> {
        let origin = Origin { operation: "to_csv", caller: Site::caller() };
        if let Some((column, dtype)) = self.schema.iter().find(|(_, dtype)| dtype.is_nested()) {
            return Err(Error::Unwritable {
                operation: origin.operation,
                column: column.to_string(),
                dtype: dtype.clone(),
                caller: origin.caller,
            });
        }
        self.write(path.as_ref(), Format::Csv, origin)
    }

    fn write(&self, path: &Path, format: Format, origin: Origin) -> Result<Delayed<Written>, Error> {
        let target = FrameFile::new(path, format, Arc::clone(&self.schema), origin.operation);
        once("what stands there", path, &(), || target.check())?;
        Ok(Delayed::from_port(sink::layers(target, &self.port, origin.caller)))
    }
}

/// Where a frame is being written to.
struct FrameFile {
    path: PathBuf,
    format: Format,
    schema: SchemaRef,
    is_single: bool,
    operation: &'static str,
}

impl FrameFile {
    fn new(path: &Path, format: Format, schema: SchemaRef, operation: &'static str) -> Self {
        let is_single = path.extension().is_some_and(|extension| extension == format.extension());
        Self { path: path.to_path_buf(), format, schema, is_single, operation }
    }

    /// Whether what is there may be replaced.
    fn check(&self) -> Result<(), Error> {
        let foreign = |found: &str| Error::Foreign { path: self.path.clone(), found: found.to_owned() };
        match (self.is_single, stands_at(&self.path)) {
            (true, Standing::Folder) => Err(foreign("a directory")),
            (false, Standing::Folder) => Ok(refuse_foreign(&self.path, is_part)?),
            (false, Standing::File) => Err(foreign("a file")),
            (true, Standing::File) | (_, Standing::Nothing) => Ok(()),
        }
    }

    fn part_name(&self, part: usize) -> String {
        format!("part-{part:05}.{}", self.format.extension())
    }

    fn failed(&self, operation: &'static str, source: io::Error) -> Error {
        Error::Io { operation, path: self.path.clone(), source }
    }

    fn guarded<T>(&self, operation: &'static str, run: impl FnOnce() -> PolarsResult<T>) -> Result<T, Error> {
        let place = || format!("{operation} {}", self.path.display());
        guard(place, |source| Error::Polars { steps: place(), source }, run)
    }

    /// Puts the partitions' files one behind the other into one file.
    fn assemble(&self, stage: &Stage, parts: &[Receipt], mut single: &File) -> Result<(), Error> {
        match self.format {
            Format::Csv => {
                for part in parts {
                    let mut part = stage.open_part(part)?;
                    io::copy(&mut part, &mut single).map_err(|error| self.failed("write", error))?;
                }
            }
            Format::Parquet => {
                let mut writer =
                    self.guarded("write", || ParquetWriter::new(single).batched(&self.schema))?;
                for part in parts {
                    // One partition in memory at a time.
                    let part = stage.open_part(part)?;
                    self.guarded("write", || writer.write_batch(&ParquetReader::new(part).finish()?))?;
                }
                self.guarded("write", || writer.finish())?;
            }
        }
        Ok(())
    }
}

impl sink::Format for FrameFile {
    type Written = Written;

    fn labels(&self) -> [&'static str; 3] {
        ["open", self.operation, "commit"]
    }

    fn target(&self) -> Result<Target, TaskError> {
        self.check()?;
        Ok(if self.is_single { Target::file(&self.path) } else { Target::folder(&self.path) })
    }

    fn write(&self, at: Place<'_>, inputs: &mut Inputs<'_>, stage: &Stage) -> Result<Receipt, TaskError> {
        let mut table = inputs.take::<Partition>(0)?.0.clone();
        // The header of a single CSV file stands in its first part.
        let with_header = !self.is_single || at.index() == 0;
        let receipt = stage.write_part(&self.part_name(at.index()), |file| {
            self.guarded("write", || match self.format {
                Format::Parquet => ParquetWriter::new(file).finish(&mut table).map(drop),
                Format::Csv => CsvWriter::new(file).include_header(with_header).finish(&mut table),
            })?;
            Ok::<_, Error>(table.height() as u64)
        })?;
        Ok(receipt)
    }

    fn commit(&self, stage: &Stage, parts: &[Receipt]) -> Result<Written, TaskError> {
        self.check()?;
        let bytes = stage.assemble(parts, |single| self.assemble(stage, parts, single))?;
        let n_files = if self.is_single { 1 } else { parts.len() };
        let n_rows = parts.iter().map(|part| part.rows).sum();
        Ok(Written { path: self.path.clone(), n_files, n_rows, bytes })
    }

    fn facts(&self, bytes: u64) -> Facts {
        Facts::bytes(Receipt::BYTES).scratch(bytes).written(bytes)
    }

    /// What a partition becomes: a file of the directory, or a part of the single file whose bytes are not known yet.
    fn touches(&self, at: Place<'_>) -> Vec<Touch> {
        if self.is_single {
            let start = at.index() as u64;
            let region = Region::Units { start: Box::new([start]), end: Box::new([start + 1]) };
            return vec![Touch::write(&self.path).region(region)];
        }
        vec![Touch::write(self.path.join(self.part_name(at.index())))]
    }

    /// The directory with all files that were in it.
    fn replaces(&self) -> Vec<Touch> {
        if self.is_single { Vec::new() } else { vec![Touch::write(&self.path)] }
    }
}

/// Whether a file is called like a partition.
fn is_part(name: &str) -> bool {
    let number = name.strip_prefix("part-").and_then(|rest| rest.split_once('.'));
    number.is_some_and(|(number, extension)| {
        number.bytes().all(|byte| byte.is_ascii_digit()) && ["parquet", "csv"].contains(&extension)
    })
}

impl Format {
    fn extension(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Csv => "csv",
        }
    }
}
