//! Checkpoints: chunks that outlive the process, written as they are made and read when they are needed.
//!
//! A checkpoint is a folder with one file for each chunk and a manifest that says whose chunks they are. Each chunk
//! is written by a task that reads it and gives back a small receipt, so that no chunk is held for the sake of the
//! checkpoint. A second run, in this process or another, makes only the chunks that are not there.

mod error;
mod file;
mod manifest;

use std::borrow::Cow;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use musher_graph_core::{
    Chunk, ChunkRef, Codec, Collection, Facts, FnTask, Grid, Inputs, Key, Layer, Output, Place, Places, Port,
    Reach, Record, Request, Task, TaskError, Token, Tokenizer, Value, Wiring,
};
use smallvec::smallvec;

pub use error::CheckpointError;

use crate::compute::compute_with;
use crate::error::Error;
use crate::options::Options;
use crate::raw::Raw;
use crate::sync::Arc;
use file::{FileIdentity, Stored};
use manifest::{Manifest, Owner, is_part, owner, remove};

const EXTENSION: &str = "chunk";
const LOCK: &str = ".musher-lock";
const FORMAT: &str = "musher checkpoint 1";
/// How the formats of all versions begin.
const FORMATS: &str = "musher checkpoint ";

/// Computes collections onto the disk: `checkpoint` beside `persist`.
///
/// # Examples
/// ```
/// use std::io::{Read, Write};
/// use std::sync::Arc;
/// use musher_graph_core::*;
/// use musher_scheduler::{Checkpointing, Compute};
///
/// # struct Text(String);
/// # impl Chunk for Text {
/// #     fn nbytes(&self) -> Option<usize> { Some(self.0.capacity()) }
/// #     fn codec(&self) -> Option<&'static dyn Codec> { Self::codec_of() }
/// #     fn codec_of() -> Option<&'static dyn Codec> { Some(&TextCodec) }
/// # }
/// # struct TextCodec;
/// # impl Codec for TextCodec {
/// #     fn kind(&self) -> &'static str { "text/1" }
/// #     fn encode(&self, chunk: &dyn Chunk, to: &mut dyn Write) -> Result<(), CodecError> {
/// #         let text: &Text = chunk.downcast_ref().ok_or(CodecError::WrongKind { expected: "text/1" })?;
/// #         to.write_all(text.0.as_bytes()).map_err(|source| CodecError::io("text/1", source))
/// #     }
/// #     fn decode(&self, from: &mut dyn Read) -> Result<ChunkRef, CodecError> {
/// #         let mut text = String::new();
/// #         from.read_to_string(&mut text).map_err(|source| CodecError::io("text/1", source))?;
/// #         Ok(Arc::new(Text(text)))
/// #     }
/// # }
/// # #[derive(Clone)]
/// # struct Texts(Port);
/// # impl Collection for Texts {
/// #     type Output = Vec<String>;
/// #     fn port(&self) -> &Port { &self.0 }
/// #     fn gather(&self, chunks: Vec<ChunkRef>) -> Result<Vec<String>, TaskError> {
/// #         Ok(chunks.iter().filter_map(|chunk| chunk.downcast_ref::<Text>()).map(|text| text.0.clone()).collect())
/// #     }
/// #     fn with_port(&self, port: Port) -> Self { Self(port) }
/// # }
/// # let slow = FnTask::new("slow", |at: Place<'_>, _: &mut Inputs<'_>| Ok(Text(at.index().to_string())));
/// # let texts = Texts(Port::of(Layer::build(slow.named("doc.slow/1")).finish(Grid::from([3]))));
/// # let folder = tempfile::tempdir()?;
/// // `texts` is a collection of three chunks; a run that is killed here goes on where it was.
/// let stored = texts.checkpoint(folder.path().join("texts"))?;
/// assert_eq!(stored.compute()?, ["0", "1", "2"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Checkpointing: Collection + Sized {
    /// Computes the chunks that are not in the folder `path` yet, writes each as it is made, and returns the same
    /// collection, which reads them when they are needed.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] if the work is known in this process only, the folder holds other work, no codec is known for
    /// the chunks before there are any ([`Task::codec`]), or the disk fails; else the first failure of a task. Finished
    /// chunks stay.
    fn checkpoint(&self, path: impl AsRef<Path>) -> Result<Self, Error>;

    /// [`checkpoint`](Checkpointing::checkpoint) of work that is known in this process only, such as a closure's:
    /// `version` names it. Change the version whenever you change the work.
    ///
    /// # Errors
    /// As those of [`checkpoint`](Checkpointing::checkpoint).
    fn checkpoint_as(&self, path: impl AsRef<Path>, version: impl Into<String>) -> Result<Self, Error>;
}

impl<C: Collection> Checkpointing for C {
    fn checkpoint(&self, path: impl AsRef<Path>) -> Result<Self, Error> {
        Ok(Checkpoint::new(path).save(self)?.collection)
    }

    fn checkpoint_as(&self, path: impl AsRef<Path>, version: impl Into<String>) -> Result<Self, Error> {
        Ok(Checkpoint::new(path).version(version).save(self)?.collection)
    }
}

/// A folder that holds, or will hold, the chunks of one collection.
///
/// A key says whose chunks they are. Named operations and their parameters have the same key in every process;
/// functions and closures do not, and need a [`version`](Checkpoint::version).
///
/// # Examples
/// ```
/// use musher_graph_core::Collection;
/// use musher_scheduler::{Checkpoint, Error, Options};
///
/// /// Fits a model, or goes on where the last run was stopped.
/// fn fitted<C: Collection>(model: &C) -> Result<C, Error> {
///     let checkpoint = Checkpoint::new("model").version("v2").options(Options::default().progress());
///     let saved = checkpoint.save(model)?;
///     println!("resume: {} chunks reused, {} made", saved.n_reused, saved.n_computed);
///     Ok(saved.collection)
/// }
/// ```
#[derive(Debug, Clone)]
pub struct Checkpoint {
    folder: PathBuf,
    version: Option<String>,
    restart: bool,
    options: Options,
}

/// A collection whose chunks are on the disk.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Saved<C> {
    /// The same collection; its chunks are read, and their checksums verified, when they are needed.
    pub collection: C,
    /// Chunks that were there already.
    pub n_reused: usize,
    /// Chunks that were made.
    pub n_computed: usize,
}

impl Checkpoint {
    /// A checkpoint in the folder `path`, which is created if it does not exist.
    pub fn new(path: impl AsRef<Path>) -> Self {
        let folder = path.as_ref().to_owned();
        Self { folder, version: None, restart: false, options: Options::default() }
    }

    /// The user's name of the work: chunks of another version are not reused.
    #[must_use]
    pub fn version(self, version: impl Into<String>) -> Self {
        Self { version: Some(version.into()), ..self }
    }

    /// Whether chunks that are there are thrown away, also those of other work. Only chunks of checkpoints are: a folder
    /// with somebody else's files is refused.
    #[must_use]
    pub fn restart(self, restart: bool) -> Self {
        Self { restart, ..self }
    }

    /// How missing chunks are computed.
    #[must_use]
    pub fn options(self, options: Options) -> Self {
        Self { options, ..self }
    }

    /// Computes and writes the missing chunks; see [`Checkpointing::checkpoint`].
    ///
    /// **Cost** reads the files that are there once, to verify them; beside the run's own memory a buffer of 256 KiB
    /// a thread.
    ///
    /// # Errors
    /// As those of [`Checkpointing::checkpoint`].
    pub fn save<C: Collection>(&self, collection: &C) -> Result<Saved<C>, Error> {
        let Request { port, places } = collection.request();
        let key = self.key(&port)?;
        // Told before anything runs: chunks that are there were made by another process.
        let codec = port.codec()?.ok_or_else(|| CheckpointError::NoCodec {
            operation: port.layer.label().into_owned(),
            caller: port.layer.caller(),
        })?;
        let grid = match &places {
            Places::All => port.grid().clone(),
            Places::Some(places) => Grid::from([places.len()]),
        };
        let files = Arc::new(Files { folder: self.folder.clone(), key, grid: port.grid().clone() });
        let _lock = self.open(&files, &port, codec)?;
        let mut stored = self.verified(&files, &places)?;
        let missing = missing(&stored, &places);
        let n_computed = missing.len();
        for (place, receipt) in missing.iter().zip(self.write(&files, &port, codec, &missing)?) {
            stored[*place as usize] = Some(receipt);
        }
        let asked: Vec<u32> = match &places {
            Places::All => (0..grid.n_tasks() as u32).collect(),
            Places::Some(places) => places.to_vec(),
        };
        let chunks = asked.iter().filter_map(|&place| Some((place, stored[place as usize]?))).collect();
        let label = format!("{} (checkpoint)", port.layer.label());
        let source = ReadChunks { label, files, chunks, codec };
        let layer = Layer::build(source).caller(port.layer.caller()).finish(grid);
        let n_reused = stored.iter().flatten().count() - n_computed;
        Ok(Saved { collection: collection.with_port(Port::of(layer)), n_reused, n_computed })
    }

    /// What identifies the chunks, here and in other processes.
    fn key(&self, port: &Port) -> Result<Key, Error> {
        let (operation, caller) = (port.layer.label().into_owned(), port.layer.caller());
        let mut tokenizer = Tokenizer::new();
        tokenizer.name(FORMAT);
        port.grid().token(&mut tokenizer);
        self.version.token(&mut tokenizer);
        match (&self.version, port.layer.reach()) {
            (_, Reach::Anywhere) => port.key().token(&mut tokenizer),
            (Some(_), _) => (operation.as_str(), port.output).token(&mut tokenizer),
            (None, _) => return Err(CheckpointError::NoVersion { operation, caller }.into()),
        }
        Ok(tokenizer.finish())
    }

    /// Makes the folder ours: nobody else writes to it, and the manifest names this work.
    fn open(&self, files: &Files, port: &Port, codec: &dyn Codec) -> Result<Lock, CheckpointError> {
        let folder = &self.folder;
        let failed = |source| CheckpointError::Io { path: folder.clone(), source };
        fs::create_dir_all(folder).map_err(failed)?;
        let mut lock = File::options();
        let lock = lock.write(true).create(true).truncate(false).open(folder.join(LOCK)).map_err(failed)?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => CheckpointError::Busy { path: folder.clone() },
            TryLockError::Error(source) => failed(source),
        })?;
        let lock = Lock(lock);
        let manifest = Manifest {
            format: FORMAT.to_owned(),
            key: format!("{:?}", files.key),
            operation: port.layer.label().into_owned(),
            version: self.version.clone(),
            grid: files.grid.shape().to_vec(),
            codec: codec.kind().to_owned(),
        };
        let held = Manifest::read(folder);
        let starts = match held {
            Ok(Some(held)) if held.key == manifest.key => self.restart,
            Ok(Some(held)) if !self.restart => return Err(manifest.refuses(&held, folder)),
            Err(error) if !self.restart => return Err(error),
            Ok(Some(held)) if held.is_ours() => true,
            // A manifest that says nothing may be that of another program: then what stands beside it must be ours.
            Ok(Some(_)) | Err(_) if owner(folder).map_err(failed)? == Owner::Chunks => true,
            Ok(None) if owner(folder).map_err(failed)? == Owner::Nobody => true,
            _ => return Err(CheckpointError::Foreign { path: folder.clone() }),
        };
        if starts {
            manifest.write(folder).map_err(failed)?;
        }
        // Parts of files are what a killed run left; chunks go only after the manifest that named them.
        remove(folder, |path, name| is_part(name) || (starts && file::is_chunk(path))).map_err(failed)?;
        Ok(lock)
    }

    /// The chunks that are there and undamaged, by place.
    fn verified(&self, files: &Arc<Files>, places: &Places) -> Result<Vec<Option<Stored>>, Error> {
        let mut stored = vec![None; files.grid.n_tasks()];
        let there: Arc<[u32]> = match places {
            Places::All => (0..stored.len() as u32).filter(|&place| files.has(place)).collect(),
            Places::Some(places) => places.iter().copied().filter(|&place| files.has(place)).collect(),
        };
        let verify = {
            let (files, there) = (Arc::clone(files), Arc::clone(&there));
            move |at: Place<'_>, _: &mut Inputs<'_>| {
                let place = there[at.index()];
                Ok(Value(file::verify(&files.path(place), files.identity(place)).ok()))
            }
        };
        let layer = Layer::build(FnTask::new("verify", verify)).finish(Grid::from([there.len()]));
        let found = compute_with(&Raw { port: Port::of(layer), places: Places::All }, &self.options)?;
        for (&place, found) in there.iter().zip(&found) {
            stored[place as usize] = found.downcast_ref::<Value<Option<Stored>>>().and_then(|found| found.0);
        }
        Ok(stored)
    }

    /// Computes the chunks of these places and writes each as it is made.
    fn write(
        &self,
        files: &Arc<Files>,
        port: &Port,
        codec: &'static dyn Codec,
        places: &Arc<[u32]>,
    ) -> Result<Vec<Stored>, Error> {
        if places.is_empty() {
            return Ok(Vec::new());
        }
        let caller = port.layer.caller();
        let sink = WriteChunks { files: Arc::clone(files), codec };
        let grid = port.grid().clone();
        let sink =
            Layer::build(sink).caller(caller).input(port, Wiring::one_to_one(grid.ndim())).finish(grid);
        let receipts = Raw { port: Port::of(sink), places: Places::Some(Arc::clone(places)) };
        let receipts = compute_with(&receipts, &self.options).map_err(Error::checkpoint)?;
        let stored = |receipt: &ChunkRef| receipt.downcast_ref().map(|Record(stored)| *stored);
        Ok(receipts.iter().filter_map(stored).collect())
    }
}

/// The places whose chunks must be made.
fn missing(stored: &[Option<Stored>], places: &Places) -> Arc<[u32]> {
    let mut asked: Vec<u32> = match places {
        Places::All => (0..stored.len() as u32).collect(),
        Places::Some(places) => places.to_vec(),
    };
    asked.sort_unstable();
    asked.dedup();
    asked.retain(|&place| stored[place as usize].is_none());
    asked.into()
}

/// A folder is ours until this is dropped.
struct Lock(File);

impl Drop for Lock {
    /// Closing the file is not enough: while a process is being started it has a copy of each file that is open.
    fn drop(&mut self) {
        // What cannot be unlocked is unlocked by the end of the process.
        let _ = self.0.unlock();
    }
}

/// Where the chunks are, and whose they are.
struct Files {
    folder: PathBuf,
    key: Key,
    grid: Grid,
}

impl Files {
    fn path(&self, place: u32) -> PathBuf {
        file::path(&self.folder, &self.grid.coords_of(place as usize))
    }

    fn has(&self, place: u32) -> bool {
        self.path(place).exists()
    }

    fn identity(&self, place: u32) -> FileIdentity {
        FileIdentity { key: self.key, place: place.into() }
    }
}

/// Writes its input chunk and returns what is known of the file.
///
/// It takes what it needs as plain data, and a task that runs twice leaves the file that it left: the folder, its lock and
/// what stands in it are the business of the process that drives the run.
struct WriteChunks {
    files: Arc<Files>,
    codec: &'static dyn Codec,
}

impl Task for WriteChunks {
    fn label(&self) -> Cow<'_, str> {
        Cow::Borrowed("checkpoint")
    }

    fn run(&self, at: Place<'_>, inputs: Inputs<'_>) -> Result<Output, TaskError> {
        let chunk = inputs.chunk(0)?;
        let place = at.index() as u32;
        let stored = file::write(&self.files.path(place), self.files.identity(place), chunk, self.codec)?;
        Ok(Output::one(Record(stored)))
    }

    fn codec(&self, _: usize, _: &[Option<&'static dyn Codec>]) -> Option<&'static dyn Codec> {
        Record::<Stored>::codec_of()
    }

    fn facts(&self, _at: Place<'_>, inputs: &[Option<u64>]) -> Facts {
        let written = inputs.first().copied().flatten().unwrap_or(0);
        Facts::bytes(size_of::<Stored>() as u64).scratch(256 * 1024).written(written)
    }
}

/// Reads chunks of a checkpoint.
struct ReadChunks {
    label: String,
    files: Arc<Files>,
    /// The place, and what is known of its chunk, for each place of the source's own grid.
    chunks: Vec<(u32, Stored)>,
    codec: &'static dyn Codec,
}

impl Task for ReadChunks {
    fn label(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.label)
    }

    fn run(&self, at: Place<'_>, _inputs: Inputs<'_>) -> Result<Output, TaskError> {
        let (place, _) = self.chunks[at.index()];
        let path = self.files.path(place);
        Ok(Output::shared(file::read(&path, self.files.identity(place), self.codec)?))
    }

    fn codec(&self, _: usize, _: &[Option<&'static dyn Codec>]) -> Option<&'static dyn Codec> {
        Some(self.codec)
    }

    /// The same chunks wherever they lie.
    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.name("scheduler.checkpoint/1");
        self.files.key.token(tokenizer);
        for (place, _) in &self.chunks {
            place.token(tokenizer);
        }
    }

    fn facts(&self, at: Place<'_>, _inputs: &[Option<u64>]) -> Facts {
        let (_, stored) = self.chunks[at.index()];
        Facts { output_bytes: smallvec![stored.nbytes], ..Facts::default() }.read(stored.file_bytes)
    }
}
