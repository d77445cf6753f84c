//! Arrays into Zarr.

use crate::array::{Array, Core};
use crate::block::Block;
use crate::chunks::{Chunking, Chunks};
use crate::element::Element;
use crate::error::Error;
use crate::kernel::zarr::{Document, Layout, Version, ZarrError, write_file};
use crate::rechunk::rechunked;
use crate::zarr::opened::Opened;
use crate::zarr::options::WriteOptions;
use musher_graph_core::{Delayed, Facts, Inputs, Place, Site, TaskError, Touch};
use musher_scheduler::sink::{self, Receipt, SinkError, Stage, Standing, Target, refuse_foreign, stands_at};
use ndarray::Dimension;
use serde_json::Value;
use std::io::{self, Write};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

impl From<SinkError> for ZarrError {
    fn from(error: SinkError) -> Self {
        io::Error::from(error).into()
    }
}

/// An array that is to be written, or a region of one.
struct ZarrOut<A> {
    path: PathBuf,
    layout: Layout,
    /// Files with texts, where the array is a new one.
    texts: Vec<(&'static str, String)>,
    /// The file, by its coordinates, that the first block becomes.
    first: Vec<usize>,
    overwrite: bool,
    element: PhantomData<fn() -> A>,
}

impl<A> ZarrOut<A> {
    fn failed(&self, source: impl Into<ZarrError>) -> TaskError {
        TaskError::new(Error::Zarr { operation: "to_zarr", path: self.path.clone(), source: source.into() })
    }

    /// The name of the file that a block becomes; blocks without elements become none.
    fn key(&self, at: Place<'_>) -> Result<Option<String>, ZarrError> {
        if self.layout.shape.contains(&0) {
            return Ok(None);
        }
        let at: Vec<usize> = at.coords().iter().zip(&self.first).map(|(at, first)| at + first).collect();
        self.layout.key(&at).map(Some)
    }
}

fn write_text(stage: &Stage, name: &str, text: &str) -> Result<Receipt, ZarrError> {
    stage.write_part(name, |file| {
        file.write_all(text.as_bytes())?;
        Ok::<_, ZarrError>(0)
    })
}

impl<A: Element> sink::Format for ZarrOut<A> {
    type Written = ();

    fn labels(&self) -> [&'static str; 3] {
        ["create_zarr", "write_zarr", "commit_zarr"]
    }

    fn target(&self) -> Result<Target, TaskError> {
        if self.texts.is_empty() {
            return Ok(Target::files(&self.path));
        }
        if stands_at(&self.path) != Standing::Nothing {
            if !self.overwrite {
                return Err(self.failed(ZarrError::Exists));
            }
            refuse_foreign(&self.path, is_ours).map_err(|error| self.failed(error))?;
            // Names alone do not tell: folders of years are called like chunks. Only an array is replaced, or an empty folder.
            if refuse_foreign(&self.path, is_in_work).is_err() {
                let standing = Opened::look(&self.path, None).and_then(|opened| opened.layout());
                standing.map_err(|error| self.failed(error))?;
            }
        }
        Ok(Target::folder(&self.path))
    }

    fn write(&self, at: Place<'_>, inputs: &mut Inputs<'_>, stage: &Stage) -> Result<Receipt, TaskError> {
        let block = inputs.get::<Block<A>>(0)?.view();
        let receipt = match self.key(at).map_err(|error| self.failed(error))? {
            Some(key) => stage.write_part(&key, |file| {
                write_file(&self.layout, &block, file)?;
                Ok::<_, ZarrError>(block.len() as u64)
            }),
            // A part is wanted of every block: this one is the metadata, which commits write in other cases.
            None => match self.texts.first() {
                Some((name, text)) => write_text(stage, name, text),
                None => Err(SinkError::Missing { path: self.path.clone(), name: "0".to_owned() }.into()),
            },
        };
        receipt.map_err(|error| self.failed(error))
    }

    fn commit(&self, stage: &Stage, receipts: &[Receipt]) -> Result<(), TaskError> {
        let mut receipts = receipts.to_vec();
        for (name, text) in &self.texts {
            if receipts.iter().all(|receipt| receipt.name != *name) {
                receipts.push(write_text(stage, name, text).map_err(|error| self.failed(error))?);
            }
        }
        stage.commit(&receipts).map(drop).map_err(|error| self.failed(error))
    }

    fn facts(&self, bytes: u64) -> Facts {
        Facts::bytes(Receipt::BYTES).scratch(self.layout.write_scratch()).written(bytes)
    }

    fn touches(&self, at: Place<'_>) -> Vec<Touch> {
        let key = self.key(at).ok().flatten();
        key.map(|key| Touch::write(self.path.join(key))).into_iter().collect()
    }

    fn replaces(&self) -> Vec<Touch> {
        if self.texts.is_empty() { Vec::new() } else { vec![Touch::write(&self.path)] }
    }
}

/// Whether what stands in a folder may be part of a Zarr array: metadata, or numbers of chunks.
fn is_ours(name: &str) -> bool {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    ["zarr.json", ".zarray", ".zattrs", "c"].contains(&name)
        || name.strip_prefix("c.").unwrap_or(name).split('.').all(is_number)
        || is_in_work(name)
}

/// Whether a file is one that a writer has begun.
fn is_in_work(name: &str) -> bool {
    name.starts_with('.') && name.contains(".musher-")
}

/// Lengths that all blocks have, but for the last ones of each axis: those of the first blocks, or of the largest.
fn uniform(chunking: &Chunking) -> Vec<usize> {
    let length = |lengths: &[usize]| {
        let first = lengths.first().copied().unwrap_or(0);
        let is_uniform = match lengths.split_last() {
            Some((last, before)) => *last <= first && before.iter().all(|&length| length == first),
            None => true,
        };
        if is_uniform { first } else { lengths.iter().copied().max().unwrap_or(0) }.max(1)
    };
    chunking.axes().map(length).collect()
}

/// Why options do not fit an array or each other.
fn options_error(problem: &str) -> ZarrError {
    ZarrError::Metadata { file: "options", problem: problem.to_owned() }
}

/// The metadata of a new array.
fn document<A: Element>(core: &Core, options: &WriteOptions) -> Result<(String, Vec<usize>), Error> {
    let shape = core.chunking.shape();
    let wrong = |problem: &str, path: PathBuf| Error::Zarr {
        operation: "to_zarr",
        path,
        source: options_error(problem),
    };
    let wrong = |problem: &str| wrong(problem, PathBuf::new());
    let chunk = match &options.chunks {
        Some(chunks) => uniform(&chunks.resolve(&shape, A::DTYPE)?),
        None => uniform(&core.chunking),
    };
    let file = match &options.shards {
        Some(shards) => {
            let lengths = uniform(&shards.resolve(&shape, A::DTYPE)?);
            lengths.iter().zip(&chunk).map(|(&n, &chunk)| n.div_ceil(chunk) * chunk).collect()
        }
        None => chunk.clone(),
    };
    let is_v2 = options.version == Version::V2;
    if is_v2 && (options.shards.is_some() || options.names.is_some()) {
        return Err(wrong("version 2 has neither shards nor names of dimensions"));
    }
    if options.names.as_ref().is_some_and(|names| names.len() != shape.len()) {
        return Err(wrong("another number of names than of axes"));
    }
    let fill = options.fill.unwrap_or_else(|| A::default().into_scalar());
    if fill.dtype() != A::DTYPE {
        return Err(wrong("the fill value is of another type than the elements"));
    }
    let separator = options.separator.unwrap_or(if is_v2 { '.' } else { '/' });
    if !['.', '/'].contains(&separator) {
        return Err(wrong("the separator is neither `/` nor `.`"));
    }
    let document = Document {
        shape: &shape,
        file: &file,
        chunk: options.shards.is_some().then_some(chunk.as_slice()),
        dtype: A::DTYPE,
        fill,
        compression: options.compression,
        checksum: options.checksum,
        separator,
        names: options.names.as_deref(),
        attributes: &options.attributes,
    };
    Ok((document.text(options.version), file))
}

impl<A: Element, D: Dimension> Array<A, D> {
    /// Writes the array to a Zarr array in a folder when the returned value is computed.
    ///
    /// Each stored chunk, or shard, is written by one task, so no two tasks write one file. Blocks that do not fit the stored
    /// chunks are made to fit, as by [`rechunk`](Self::rechunk). The array appears under its name when it is complete, and
    /// replaces an array that was there; a run that fails leaves the old one and nothing else. A folder that holds anything
    /// else is never replaced.
    ///
    /// With [`region`](WriteOptions::region) the array goes into one that is there. Its chunks get their names one after the
    /// other at the end; a process that is killed just then leaves that to the next run that writes there. Several regions may
    /// be written in one run, or in several at once.
    ///
    /// **Shape** stored chunks are the blocks, all of one shape, or those of [`chunks`](WriteOptions::chunks).
    /// **Cost** one pass, and compression: [`Blosc`](super::Compression::BloscLz4) with LZ4 is the fastest. The encoder of gzip
    /// takes some tens of MiB that no memory limit counts.
    ///
    /// # Errors
    /// [`Error::Zarr`] when options do not fit each other, or a region does not lie in the stored array or cuts its chunks;
    /// [`Error::Chunks`] when wished chunks do not fit the shape. What stands there is looked at when it is computed.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::Ix2, zarr::{ReadOptions, WriteOptions}};
    /// use musher_scheduler::{Compute, compute};
    /// let folder = tempfile::tempdir()?;
    /// let path = folder.path().join("x.zarr");
    /// Array::<f64, Ix2>::zeros((6, 4), 2).to_zarr(&path, WriteOptions::default())?.compute()?;
    /// // Two regions of it, in one run.
    /// let [ones, twos] = [1.0, 2.0].map(|value| Array::<f64, Ix2>::from_elem((2, 4), value, 2));
    /// let one = ones.to_zarr(&path, WriteOptions::default().region([0, 0]))?;
    /// let two = twos.to_zarr(&path, WriteOptions::default().region([4, 0]))?;
    /// compute((&one, &two))?;
    /// let sum = Array::<f64, Ix2>::read_zarr(&path, ReadOptions::default())?.sum();
    /// assert_eq!(sum.compute()?, 8.0 + 16.0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[doc(alias = "dask.array.to_zarr")]
    #[doc(alias = "zarr.save_array")]
    pub fn to_zarr(
        &self,
        path: impl AsRef<Path>,
        options: impl Into<WriteOptions>,
    ) -> Result<Delayed<()>, Error> {
        let caller = Site::caller();
        let (path, options) = (path.as_ref(), options.into());
        let zarr = |source: ZarrError| Error::Zarr { operation: "to_zarr", path: path.to_owned(), source };
        let (layout, texts, first) = match &options.region {
            Some(start) => {
                let layout = Opened::look(path, None).and_then(|opened| opened.layout()).map_err(zarr)?;
                layout.check::<A>(None).map_err(zarr)?;
                let first = first_file(&layout, start, &self.shape()).map_err(zarr)?;
                (layout, Vec::new(), first)
            }
            None => {
                let (text, file) = document::<A>(self.core(), &options).map_err(|error| match error {
                    Error::Zarr { source, .. } => zarr(source),
                    other => other,
                })?;
                let layout = Layout::parse(options.version, &text, None).map_err(zarr)?;
                let mut texts = vec![(options.version.file(), text)];
                if options.version == Version::V2 && !options.attributes.is_empty() {
                    texts.push((".zattrs", format!("{:#}", Value::Object(options.attributes))));
                }
                (layout, texts, vec![0; file.len()])
            }
        };
        let lengths = match self.shape().contains(&0) {
            true => Chunks::whole(),
            false => Chunks::Axes(layout.file.clone()),
        };
        let chunking = lengths.resolve(&self.shape(), A::DTYPE)?;
        let core = rechunked::<A>(self.core(), &chunking, caller);
        let (path, overwrite) = (path.to_owned(), options.overwrite);
        let out = ZarrOut::<A> { path, layout, texts, first, overwrite, element: PhantomData };
        Ok(Delayed::from_port(sink::layers(out, &core.port, caller)))
    }
}

/// The first file of a region, if the region is made of whole files.
fn first_file(layout: &Layout, start: &[usize], shape: &[usize]) -> Result<Vec<usize>, ZarrError> {
    let ends = start.iter().zip(shape).map(|(start, n)| start.checked_add(*n));
    let is_inside = ends.zip(&layout.shape).all(|(end, &stored)| end.is_some_and(|end| end <= stored));
    if start.len() != layout.shape.len()
        || shape.len() != layout.shape.len()
        || !is_inside
        || shape.contains(&0)
    {
        let (start, shape, stored) = (start.to_vec(), shape.to_vec(), layout.shape.clone());
        return Err(ZarrError::OutOfBounds {
            start: start.into(),
            shape: shape.into(),
            stored: stored.into(),
        });
    }
    for (axis, (&start, &n)) in start.iter().zip(shape).enumerate() {
        let (end, length) = (start + n, layout.file[axis]);
        if start % length != 0 || (end % length != 0 && end != layout.shape[axis]) {
            return Err(ZarrError::Unaligned { axis, start, end, length });
        }
    }
    Ok(start.iter().zip(&layout.file).map(|(start, length)| start / length).collect())
}
