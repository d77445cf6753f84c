//! Bags into files, one for each partition, as [`musher_scheduler::sink`] writes them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use musher_graph_core::{Collection, Delayed, Facts, Inputs, Place, Site, TaskError, Touch};
use musher_scheduler::sink::{self, Receipt, Stage, Standing, Target, stands_at};
use serde::Serialize;

use crate::bag::Bag;
use crate::error::Error;
use crate::kernel::decode::Compression;
use crate::kernel::write::write_lines;
use crate::partition::Partition;
use crate::pipe::Item;

impl Bag<String> {
    /// Writes each partition to a text file, one item a line; the `*` of `pattern` is the partition's number.
    ///
    /// Numbers have leading zeros, so that the order of the names is that of the partitions. Files ending in `.gz`, `.zst` or
    /// `.zstd` are compressed. Missing folders are made, files of the same names are replaced, and others stay, also those that
    /// an earlier run with more partitions wrote by the same pattern: write into a new folder, or remove them before.
    /// Nothing is written before `compute()`, which gives back the paths; where it fails, nothing is left behind but folders that
    /// were missing.
    /// All files are there together if their folder is new; in one that was there they get their names one after the other at
    /// the end, and a process that is killed just then leaves that to the next run that writes into the folder.
    /// An item is written as it is: one with line ends in it is read again as several.
    ///
    /// **Cost** one pass.
    ///
    /// # Errors
    /// [`Error::OutputPattern`] if the file's name has not exactly one `*` (none is needed for one partition). When it is
    /// computed: [`Error::Write`].
    ///
    /// # Examples
    /// ```
    /// use musher_bag::{Bag, prelude::*};
    /// # let folder = tempfile::tempdir()?;
    /// let lines = Bag::from_sequence(["a".to_string(), "b".to_string()], 2);
    /// let paths = lines.to_text(folder.path().join("part-*.txt"))?.compute()?;
    /// assert_eq!(std::fs::read_to_string(&paths[1])?, "b\n");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[doc(alias = "to_textfiles")]
    pub fn to_text(&self, pattern: impl AsRef<Path>) -> Result<Delayed<Vec<PathBuf>>, Error> {
        self.written("to_text", pattern.as_ref(), |item: &String, line| {
            line.extend_from_slice(item.as_bytes());
            Ok(())
        })
    }
}

impl<T: Item + Serialize> Bag<T> {
    /// Writes each partition to a JSON-lines file, one item a line; otherwise like [`to_text`](Bag::to_text).
    ///
    /// JSON has neither NaN nor infinities: they become `null`, which is read again as an `Option<f64>` and not as a number.
    ///
    /// **Cost** one pass.
    ///
    /// # Errors
    /// Those of `to_text`; a value that is no JSON (a map whose keys are no text) is an [`Error::Write`], too.
    ///
    /// # Examples
    /// ```
    /// use musher_bag::{Bag, prelude::*};
    /// # let folder = tempfile::tempdir()?;
    /// let points = Bag::from_sequence([(1, 2.5), (3, 4.5)], 1);
    /// let paths = points.to_json_lines(folder.path().join("points.jsonl"))?.compute()?;
    /// assert_eq!(std::fs::read_to_string(&paths[0])?, "[1,2.5]\n[3,4.5]\n");
    /// let holes = Bag::from_sequence([1.5, f64::NAN], 1).to_json_lines(folder.path().join("holes.jsonl"))?;
    /// assert_eq!(std::fs::read_to_string(&holes.compute()?[0])?, "1.5\nnull\n");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn to_json_lines(&self, pattern: impl AsRef<Path>) -> Result<Delayed<Vec<PathBuf>>, Error> {
        self.written("to_json_lines", pattern.as_ref(), |item: &T, line| {
            serde_json::to_writer(line, item).map_err(io::Error::from)
        })
    }
}

impl<T: Item> Bag<T> {
    #[track_caller]
    fn written(
        &self,
        label: &'static str,
        pattern: &Path,
        format: fn(&T, &mut Vec<u8>) -> io::Result<()>,
    ) -> Result<Delayed<Vec<PathBuf>>, Error> {
        let files = TextFiles { label, paths: output_paths(pattern, self.n_partitions())?, format };
        Ok(Delayed::from_port(sink::layers(files, self.port(), Site::caller())))
    }
}

/// The names of `n` files by a pattern.
fn output_paths(pattern: &Path, n: usize) -> Result<Vec<PathBuf>, Error> {
    let refuse = || Error::OutputPattern { pattern: pattern.display().to_string() };
    let name = pattern.file_name().and_then(|name| name.to_str()).ok_or_else(refuse)?;
    let Some((before, after)) = name.split_once('*') else {
        return if n == 1 { Ok(vec![pattern.to_owned()]) } else { Err(refuse()) };
    };
    if after.contains('*') || pattern.parent().is_some_and(|folder| folder.to_string_lossy().contains('*')) {
        return Err(refuse());
    }
    let digits = (n - 1).to_string().len();
    Ok((0..n).map(|number| pattern.with_file_name(format!("{before}{number:0digits$}{after}"))).collect())
}

/// The folder of a file; the current one has no name.
fn folder_of(path: &Path) -> Option<&Path> {
    path.parent().filter(|folder| !folder.as_os_str().is_empty())
}

/// A file for each partition.
struct TextFiles<T> {
    label: &'static str,
    /// Their names, all in one folder.
    paths: Vec<PathBuf>,
    format: fn(&T, &mut Vec<u8>) -> io::Result<()>,
}

impl<T: Item> sink::Format for TextFiles<T> {
    type Written = Vec<PathBuf>;

    fn labels(&self) -> [&'static str; 3] {
        ["open", self.label, "commit"]
    }

    fn target(&self) -> Result<Target, TaskError> {
        match folder_of(&self.paths[0]) {
            Some(folder) if stands_at(folder) != Standing::Folder => {
                if let Some(above) = folder_of(folder) {
                    let failed = |source| Error::Write { path: above.to_owned(), source };
                    fs::create_dir_all(above).map_err(failed)?;
                }
                Ok(Target::new_folder(folder))
            }
            Some(folder) => Ok(Target::files(folder)),
            None => Ok(Target::files(".")),
        }
    }

    fn write(&self, at: Place<'_>, inputs: &mut Inputs<'_>, stage: &Stage) -> Result<Receipt, TaskError> {
        let path = &self.paths[at.index()];
        let partition = inputs.get::<Partition<T>>(0)?;
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let receipt = stage.write_part(name, |file| {
            let mut line = Vec::new();
            let written = write_lines(file, Compression::Infer.of(path), |write| {
                partition.items().iter().try_for_each(|item| {
                    line.clear();
                    (self.format)(item, &mut line)?;
                    write(&line)
                })
            });
            written.map_err(|source| Error::Write { path: path.clone(), source })?;
            Ok::<_, Error>(partition.items().len() as u64)
        })?;
        Ok(receipt)
    }

    fn commit(&self, stage: &Stage, receipts: &[Receipt]) -> Result<Vec<PathBuf>, TaskError> {
        stage.commit(receipts).map_err(Error::from)?;
        Ok(self.paths.clone())
    }

    fn facts(&self, bytes: u64) -> Facts {
        Facts::bytes(Receipt::BYTES).written(bytes)
    }

    fn touches(&self, at: Place<'_>) -> Vec<Touch> {
        vec![Touch::write(&self.paths[at.index()])]
    }
}
