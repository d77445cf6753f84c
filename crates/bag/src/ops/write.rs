//! Bags into files, one for each partition.
//!
//! The files are written into a folder beside the place where they belong, and moved there by a last task when all of them are
//! complete. A run that fails drops that folder, so that it leaves nothing behind.

use std::borrow::Cow;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use musher_graph_core::{
    Chunk, Collection, Delayed, Facts, FnIdentity, Grid, Inputs, Layer, Output, Place, Port, Task, TaskError,
    Token, Tokenizer, Touch, Value, Wiring,
};
use musher_scheduler::AtomicDir;
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
    /// `.zstd` are compressed. Missing folders are made, files of the same names are replaced, and others stay. Nothing is
    /// written before `compute()`, which gives back the paths, and nothing is left behind where it fails.
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
        let paths: Arc<[PathBuf]> = output_paths(pattern, self.n_partitions())?.into();
        let identity = FnIdentity::fresh();
        let stage =
            Port::of(Layer::build(OpenStage { path: paths[0].clone(), identity }).finish(Grid::scalar()));
        let write = WritePart { label, paths: Arc::clone(&paths), format };
        let parts =
            Layer::build(write).input(self.port(), Wiring::one_to_one(1)).input(&stage, Wiring::axes([]));
        let parts = Port::of(parts.finish(Grid::from([self.n_partitions()])));
        let commit =
            Layer::build(Commit { paths }).input(&stage, Wiring::axes([])).input(&parts, Wiring::All);
        Ok(Delayed::from_port(Port::of(commit.finish(Grid::scalar()))))
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

/// The folder in which files wait for their commit; it goes with its last reader.
struct Stage(Mutex<Option<AtomicDir>>);

impl Chunk for Stage {
    fn nbytes(&self) -> Option<usize> {
        Some(size_of::<Self>())
    }
}

/// A file that waits in the stage.
struct Staged;

impl Chunk for Staged {
    fn nbytes(&self) -> Option<usize> {
        Some(0)
    }
}

/// Makes the stage: inside the folder of the files, or beside it where it does not exist yet.
struct OpenStage {
    path: PathBuf,
    identity: FnIdentity,
}

impl Task for OpenStage {
    fn label(&self) -> Cow<'_, str> {
        "open".into()
    }

    fn run(&self, _at: Place<'_>, _inputs: Inputs<'_>) -> Result<Output, TaskError> {
        let stage =
            open_stage(&self.path).map_err(|source| Error::Write { path: self.path.clone(), source })?;
        Ok(Output::one(Stage(Mutex::new(Some(stage)))))
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        // Writing is never the same work twice.
        self.identity.enter::<Self>("bag.write.open/1", tokenizer);
        self.path.token(tokenizer);
    }
}

/// The folder of a file; the current one has no name.
fn folder_of(path: &Path) -> Option<&Path> {
    path.parent().filter(|folder| !folder.as_os_str().is_empty())
}

fn open_stage(path: &Path) -> io::Result<AtomicDir> {
    match folder_of(path) {
        Some(folder) if !folder.is_dir() => {
            if let Some(above) = folder_of(folder) {
                fs::create_dir_all(above)?;
            }
            AtomicDir::create(folder)
        }
        _ => AtomicDir::create(path),
    }
}

/// Writes one partition into the stage.
struct WritePart<T> {
    label: &'static str,
    paths: Arc<[PathBuf]>,
    format: fn(&T, &mut Vec<u8>) -> io::Result<()>,
}

impl<T: Item> Task for WritePart<T> {
    fn label(&self) -> Cow<'_, str> {
        self.label.into()
    }

    fn run(&self, at: Place<'_>, inputs: Inputs<'_>) -> Result<Output, TaskError> {
        let path = &self.paths[at.index()];
        let partition = inputs.get::<Partition<T>>(0)?;
        let folder = inputs.get::<Stage>(1)?.0.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = folder.as_ref().map(|stage| stage.path().to_owned());
        let write = || -> io::Result<()> {
            let folder = folder.ok_or(io::ErrorKind::NotFound)?;
            let file = File::create(folder.join(path.file_name().unwrap_or(path.as_os_str())))?;
            let mut line = Vec::new();
            write_lines(file, Compression::Infer.of(path), |write| {
                partition.items().iter().try_for_each(|item| {
                    line.clear();
                    (self.format)(item, &mut line)?;
                    write(&line)
                })
            })
        };
        write().map_err(|source| Error::Write { path: path.clone(), source })?;
        Ok(Output::one(Staged))
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.name("bag.write.part/1");
        tokenizer.name(self.label);
        self.paths.token(tokenizer);
    }

    fn facts(&self, _at: Place<'_>, inputs: &[Option<u64>]) -> Facts {
        // A partition of unknown size is written, too.
        Facts::bytes(0).written(inputs.first().copied().flatten().unwrap_or(0).max(1))
    }

    fn touches(&self, at: Place<'_>) -> Vec<Touch> {
        vec![Touch::write(&self.paths[at.index()])]
    }
}

/// Moves all files to where they belong.
struct Commit {
    paths: Arc<[PathBuf]>,
}

impl Task for Commit {
    fn label(&self) -> Cow<'_, str> {
        "commit".into()
    }

    fn run(&self, _at: Place<'_>, inputs: Inputs<'_>) -> Result<Output, TaskError> {
        let stage = inputs.get::<Stage>(0)?.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let write = |path: &Path, source| Error::Write { path: path.to_owned(), source };
        let Some(stage) = stage else {
            return Err(write(&self.paths[0], io::ErrorKind::NotFound.into()).into());
        };
        match folder_of(&self.paths[0]) {
            Some(folder) if !folder.is_dir() => stage.commit().map_err(|source| write(folder, source))?,
            _ => {
                // All are durable before the first is seen.
                for path in self.paths.iter() {
                    let staged = stage.path().join(path.file_name().unwrap_or(path.as_os_str()));
                    File::open(&staged)
                        .and_then(|file| file.sync_all())
                        .map_err(|source| write(path, source))?;
                }
                for path in self.paths.iter() {
                    let staged = stage.path().join(path.file_name().unwrap_or(path.as_os_str()));
                    fs::rename(&staged, path).map_err(|source| write(path, source))?;
                }
            }
        }
        Ok(Output::one(Value(self.paths.to_vec())))
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.name("bag.write.commit/1");
        self.paths.token(tokenizer);
    }
}
