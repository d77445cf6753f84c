//! Writers: partitions beside, then one rename.
//!
//! Partitions are written, as they are computed, into a directory beside the target that is not seen under its
//! name; the last task gives it the name. So readers see the old files or the new ones, and a run that fails, or
//! is cancelled, leaves the old ones. A single file is made of the partitions' files in the same way.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use musher_graph_core::{
    AxisMap, Delayed, Facts, FnTask, Grid, Inputs, Layer, Measure, Place, Port, Region, Site, Touch, Value,
    Wiring,
};
use musher_scheduler::{AtomicDir, AtomicFile};
use polars::prelude::{DataFrame, PolarsResult, SchemaRef, SerReader, SerWriter};
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
    /// An existing file, or a directory of such files, is replaced at the end, atomically.
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
        let target = Arc::new(Target::new(path, format, Arc::clone(&self.schema)));
        target.check()?;
        let (parts, touched, committed) = (Arc::clone(&target), Arc::clone(&target), Arc::clone(&target));
        let write = FnTask::new(origin.operation, move |at: Place<'_>, inputs: &mut Inputs<'_>| {
            let partition = inputs.take::<Partition>(0)?;
            Ok(Value(parts.write_part(at.index(), partition.0.clone())?))
        })
        .facts(|_at, inputs| {
            let bytes = inputs.first().copied().flatten().unwrap_or(0);
            // A partition of unknown size is written, too.
            Facts::bytes(size_of::<PartWritten>() as u64).scratch(bytes).written(bytes.max(1))
        })
        .touches(move |at| vec![touched.touch_part(at.index())]);
        let layer = Layer::build(write).caller(origin.caller).input(&self.port, Wiring::one_to_one(1));
        let parts = Port::of(layer.finish(self.port.grid().clone()));
        let commit = FnTask::new("commit", move |_at: Place<'_>, inputs: &mut Inputs<'_>| {
            let parts = inputs.slot::<Value<PartWritten>>(0)?;
            let parts: Vec<PartWritten> = parts.iter().map(|part| part.0).collect();
            Ok(Value(target.commit(&parts)?))
        })
        .touches(move |_at| committed.touch_all());
        let layer = Layer::build(commit).caller(origin.caller).input(&parts, Wiring::axes([AxisMap::Whole]));
        Ok(Delayed::from_port(Port::of(layer.finish(Grid::scalar()))))
    }
}

/// One partition in a file.
#[derive(Debug, Clone, Copy)]
struct PartWritten {
    n_rows: u64,
    bytes: u64,
}

/// Where a frame is being written to.
struct Target {
    path: PathBuf,
    format: Format,
    schema: SchemaRef,
    is_single: bool,
    /// The directory beside, made with the first partition.
    beside: Mutex<Option<AtomicDir>>,
}

impl Target {
    fn new(path: &Path, format: Format, schema: SchemaRef) -> Self {
        let is_single = path.extension().is_some_and(|extension| extension == format.extension());
        Self { path: path.to_path_buf(), format, schema, is_single, beside: Mutex::new(None) }
    }

    /// Whether what is there may be replaced.
    fn check(&self) -> Result<(), Error> {
        let foreign = |found: String| Error::Foreign { path: self.path.clone(), found };
        let Ok(metadata) = fs::metadata(&self.path) else { return Ok(()) };
        match (self.is_single, metadata.is_dir()) {
            (true, false) => return Ok(()),
            (true, true) => return Err(foreign("a directory".to_owned())),
            (false, false) => return Err(foreign("a file".to_owned())),
            (false, true) => {}
        }
        for entry in fs::read_dir(&self.path).map_err(|error| self.failed("list", error))? {
            let name = entry.map_err(|error| self.failed("list", error))?.file_name();
            let name = name.to_string_lossy();
            let number = name.strip_prefix("part-").and_then(|rest| rest.split_once('.'));
            let is_part = number.is_some_and(|(number, extension)| {
                number.bytes().all(|byte| byte.is_ascii_digit()) && ["parquet", "csv"].contains(&extension)
            });
            if !is_part {
                return Err(foreign(name.into_owned()));
            }
        }
        Ok(())
    }

    /// What a partition becomes: a file of the directory, or a part of the single file whose bytes are not known yet.
    fn touch_part(&self, part: usize) -> Touch {
        if self.is_single {
            let start = part as u64;
            let region = Region::Units { start: Box::new([start]), end: Box::new([start + 1]) };
            return Touch::write(&self.path).region(region);
        }
        Touch::write(self.path.join(self.part_name(part)))
    }

    /// What the commit replaces beside the partitions' own: the directory with all files that were in it.
    fn touch_all(&self) -> Vec<Touch> {
        if self.is_single { Vec::new() } else { vec![Touch::write(&self.path)] }
    }

    fn part_name(&self, part: usize) -> String {
        format!("part-{part:05}.{}", self.format.extension())
    }

    fn failed(&self, operation: &'static str, source: io::Error) -> Error {
        Error::Io { operation, path: self.path.clone(), source }
    }

    /// The file of a partition in the directory beside.
    fn part_path(&self, part: usize) -> Result<PathBuf, Error> {
        let mut beside = self.beside.lock().unwrap_or_else(PoisonError::into_inner);
        let directory = match beside.take() {
            Some(directory) => directory,
            None => AtomicDir::create(&self.path).map_err(|error| self.failed("create", error))?,
        };
        let path = directory.path().join(self.part_name(part));
        *beside = Some(directory);
        Ok(path)
    }

    fn write_part(&self, part: usize, mut table: DataFrame) -> Result<PartWritten, Error> {
        let path = self.part_path(part)?;
        let file = File::create(&path).map_err(|error| self.failed("create", error))?;
        // The header of a single CSV file stands in its first part.
        let with_header = !self.is_single || part == 0;
        self.guarded("write", || match self.format {
            Format::Parquet => ParquetWriter::new(&file).finish(&mut table).map(drop),
            Format::Csv => CsvWriter::new(&file).include_header(with_header).finish(&mut table),
        })?;
        let bytes = file.metadata().map_err(|error| self.failed("write", error))?.len();
        Ok(PartWritten { n_rows: table.height() as u64, bytes })
    }

    fn guarded<T>(&self, operation: &'static str, run: impl FnOnce() -> PolarsResult<T>) -> Result<T, Error> {
        let place = || format!("{operation} {}", self.path.display());
        guard(place, |source| Error::Polars { steps: place(), source }, run)
    }

    fn commit(&self, parts: &[PartWritten]) -> Result<Written, Error> {
        self.check()?;
        let written = |n_files, bytes| Written {
            path: self.path.clone(),
            n_files,
            n_rows: parts.iter().map(|part| part.n_rows).sum(),
            bytes,
        };
        if self.is_single {
            let bytes = self.commit_single(parts.len())?;
            // The parts go with their directory.
            drop(self.take_beside());
            return Ok(written(1, bytes));
        }
        if let Some(directory) = self.take_beside() {
            directory.commit().map_err(|error| self.failed("commit", error))?;
        }
        Ok(written(parts.len(), parts.iter().map(|part| part.bytes).sum()))
    }

    fn take_beside(&self) -> Option<AtomicDir> {
        self.beside.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Puts the partitions' files one behind the other into one file, and gives back its bytes.
    fn commit_single(&self, n_parts: usize) -> Result<u64, Error> {
        let mut single = AtomicFile::create(&self.path).map_err(|error| self.failed("create", error))?;
        match self.format {
            Format::Csv => {
                for part in 0..n_parts {
                    let mut file = self.open_part(part)?;
                    io::copy(&mut file, &mut single).map_err(|error| self.failed("write", error))?;
                }
                single.flush().map_err(|error| self.failed("write", error))?;
            }
            Format::Parquet => {
                let file = single.as_file();
                let mut writer = self.guarded("write", || ParquetWriter::new(file).batched(&self.schema))?;
                for part in 0..n_parts {
                    // One partition in memory at a time.
                    let part = self.open_part(part)?;
                    self.guarded("write", || writer.write_batch(&ParquetReader::new(part).finish()?))?;
                }
                self.guarded("write", || writer.finish())?;
            }
        }
        let bytes = single.as_file().metadata().map_err(|error| self.failed("write", error))?.len();
        single.commit().map_err(|error| self.failed("commit", error))?;
        Ok(bytes)
    }

    fn open_part(&self, part: usize) -> Result<File, Error> {
        File::open(self.part_path(part)?).map_err(|error| self.failed("read", error))
    }
}

impl Format {
    fn extension(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Csv => "csv",
        }
    }
}
