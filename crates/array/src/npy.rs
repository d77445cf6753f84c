//! `.npy` files in and out, block by block.

use crate::array::{Array, Core};
use crate::block::Block;
use crate::chunks::{Chunking, Chunks};
use crate::element::{Element, Plain};
use crate::error::Error;
use crate::kernel::npy::{NpyError, NpyHeader, SLAB_BYTES, read_block, write_block};
use crate::rechunk::{rechunked, undivided};
use crate::reshape::slabs;
use musher_graph_core::{
    Access, Delayed, Facts, FnTask, Inputs, Layer, Place, Port, Region, Site, TaskError, Touch,
};
use musher_scheduler::files::{FileFacts, FilesError, once};
use musher_scheduler::sink::{self, Receipt, SinkError, Stage, Target};
use ndarray::Dimension;
use std::io;
use std::marker::PhantomData;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

/// A cost per byte that keeps the optimizer from reading a block twice: a disk is slower than memory.
const READ_NS_PER_BYTE: u64 = 2;
/// Bytes of the windows through which blocks are read and written.
pub(crate) const WINDOW_BYTES: u64 = 128 << 10;
/// Runs of fewer bytes, on average, are short: a disk writes no less than this.
const SHORT_RUN: usize = 4 << 10;
/// So many short runs are worth moving every element once more; fewer are gathered by the system well enough.
const MANY_RUNS: usize = 1 << 16;
/// Bytes of blocks that are made for the file, if those of the array are not larger.
const BAND_BYTES: usize = 1 << 20;

/// The file that a lazy array reads, as it was when the array was made.
#[derive(Clone, serde::Serialize, serde::Deserialize)]
pub(crate) struct NpyFile {
    pub(crate) facts: FileFacts,
    pub(crate) header: NpyHeader,
}

impl NpyFile {
    pub(crate) fn open(path: &Path) -> Result<Self, NpyError> {
        once("the header", path, &(), || {
            let facts = FileFacts::of(path)?;
            let header = NpyHeader::read(&mut facts.open()?, facts.bytes())?;
            Ok(Self { facts, header })
        })
    }

    pub(crate) fn read<A: Element>(&self, block: &[Range<usize>]) -> Result<Block<A>, NpyError> {
        let mut file = self.facts.open()?;
        Ok(Block::new(read_block(&mut file, &self.header, block)?))
    }

    /// The bytes from the first to the last element of a block; those between its rows count as read.
    pub(crate) fn touch(&self, block: &[Range<usize>]) -> Touch {
        let region = self.header.span(block).map_or(Region::Whole, Region::Bytes);
        Touch::read(self.facts.path()).region(region)
    }
}

/// Why a file cannot be read, without its path: the error around it says that.
impl From<FilesError> for NpyError {
    fn from(error: FilesError) -> Self {
        match error {
            FilesError::Io { source, .. } => source.into(),
            FilesError::Changed { change, .. } => Self::Changed { how: change.to_string() },
            other => io::Error::other(other).into(),
        }
    }
}

/// The elements that the block at these coordinates covers.
pub(crate) fn ranges(chunking: &Chunking, coords: &[usize]) -> Vec<Range<usize>> {
    let starts = chunking.block_start(coords);
    starts.iter().zip(chunking.block_shape(coords)).map(|(&start, length)| start..start + length).collect()
}

impl From<SinkError> for NpyError {
    fn from(error: SinkError) -> Self {
        io::Error::from(error).into()
    }
}

/// A `.npy` file that is to be written.
struct NpyOut<A> {
    operation: &'static str,
    path: Arc<Path>,
    /// What stands before the elements.
    text: Vec<u8>,
    header: NpyHeader,
    chunking: Chunking,
    element: PhantomData<fn() -> A>,
}

impl<A> NpyOut<A> {
    fn failed(&self, source: impl Into<NpyError>) -> TaskError {
        let (path, source) = (self.path.to_path_buf(), source.into());
        TaskError::new(Error::Npy { operation: self.operation, path, source })
    }
}

impl<A: Element> sink::Format for NpyOut<A> {
    type Written = ();

    fn labels(&self) -> [&'static str; 3] {
        ["create_npy", "write_npy", "commit_npy"]
    }

    fn target(&self) -> Result<Target, TaskError> {
        let length = self.header.file_bytes().map_err(|error| self.failed(error))?;
        Ok(Target::offsets(&*self.path, self.text.clone(), length))
    }

    fn write(&self, at: Place<'_>, inputs: &mut Inputs<'_>, stage: &Stage) -> Result<Receipt, TaskError> {
        let block = inputs.get::<Block<A>>(0)?.view();
        let ranges = ranges(&self.chunking, &at.coords());
        let receipt = stage.write_range(&at.index().to_string(), |file| {
            write_block(file, &self.header, &ranges, &block)?;
            Ok::<_, NpyError>(block.shape().first().map_or(1, |&rows| rows as u64))
        });
        receipt.map_err(|error| self.failed(error))
    }

    fn commit(&self, stage: &Stage, receipts: &[Receipt]) -> Result<(), TaskError> {
        stage.commit(receipts).map(drop).map_err(|error| self.failed(error))
    }

    fn facts(&self, bytes: u64) -> Facts {
        let scratch = WINDOW_BYTES + bytes.min(SLAB_BYTES as u64);
        Facts::bytes(Receipt::BYTES).scratch(scratch).written(bytes)
    }

    fn touches(&self, at: Place<'_>) -> Vec<Touch> {
        // Numbers of blocks and not bytes: a block of columns is as many runs of bytes as there are rows. Any two
        // arrays have a block 0, and any two writers replace the whole file.
        let (start, path) = (at.index() as u64, Arc::clone(&self.path));
        let region = Region::Units { start: Box::new([start]), end: Box::new([start + 1]) };
        vec![Touch { path, region, access: Access::Write }]
    }
}

/// The blocks of an array as a file in C order likes them.
///
/// The file has no blocks: that the array was divided otherwise before is passed over where this makes no more runs.
/// Blocks that would be written in very many short runs are turned into bands, each of which is one run.
fn for_file<A: Element>(core: &Core, many_runs: usize, caller: Site) -> Core {
    let before = undivided::<A>(core);
    let core = if n_runs(&before.chunking) <= n_runs(&core.chunking) { &before } else { core };
    let bytes = core.chunking.shape().iter().fold(size_of::<A>(), |bytes, &n| bytes.saturating_mul(n));
    let n_runs = n_runs(&core.chunking);
    match n_runs >= many_runs && bytes / n_runs < SHORT_RUN {
        true => {
            let largest = core.chunking.largest_block().iter().product::<usize>();
            let bands = slabs(&core.chunking.shape(), largest.max(BAND_BYTES / size_of::<A>()));
            rechunked::<A>(core, &bands, caller)
        }
        false => core.clone(),
    }
}

/// In how many runs the blocks are written: one for each index of the axes before the last one that is divided, and for each
/// block along that.
fn n_runs(chunking: &Chunking) -> usize {
    let is_divided = |&axis: &usize| chunking.axis(axis).len() > 1;
    let Some(last) = (0..chunking.ndim()).rev().find(is_divided) else { return 1 };
    let outer = &chunking.shape()[..last];
    outer.iter().fold(chunking.axis(last).len(), |runs, &length| runs.saturating_mul(length))
}

/// Writes a file that begins with `text`, behind which the elements stand as the header says.
pub(crate) fn written<A: Element>(
    operation: &'static str,
    core: &Core,
    path: &Path,
    text: Vec<u8>,
    header: NpyHeader,
    caller: Site,
) -> Delayed<()> {
    let core = for_file::<A>(core, MANY_RUNS, caller);
    let (path, chunking) = (path.into(), core.chunking.clone());
    let file = NpyOut::<A> { operation, path, text, header, chunking, element: PhantomData };
    Delayed::from_port(sink::layers(file, &core.port, caller))
}

/// The blocks of a file whose header is known.
pub(crate) fn stored<A: Element>(
    operation: &'static str,
    file: NpyFile,
    chunking: Chunking,
    caller: Site,
) -> Core {
    let identity = (&file.facts, file.header.data_offset, chunking.clone());
    let name = format!("array.{operation}.{}/1", <A as Plain>::NAME);
    let bytes_of = {
        let chunking = chunking.clone();
        move |at: Place<'_>| {
            (chunking.block_shape(&at.coords()).iter().product::<usize>() * size_of::<A>()) as u64
        }
    };
    let (blocks, touched_blocks) = (chunking.clone(), chunking.clone());
    let (read, touched) = (file.clone(), file.clone());
    let task = FnTask::new(operation, move |at: Place<'_>, _: &mut Inputs<'_>| {
        let block = read.read::<A>(&ranges(&blocks, &at.coords()));
        block.map_err(|source| {
            TaskError::new(Error::Npy { operation, path: read.facts.path().to_owned(), source })
        })
    })
    .params(name, &identity)
    .facts(move |at, _| {
        let bytes = bytes_of(at);
        // Also a file without elements is opened.
        let facts = Facts::bytes(bytes).read(bytes.max(1)).scratch(WINDOW_BYTES);
        facts.cost(20_000 + READ_NS_PER_BYTE * bytes)
    })
    .touches(move |at| vec![touched.touch(&ranges(&touched_blocks, &at.coords()))]);
    let layer = Layer::build(task).caller(caller).finish(chunking.grid());
    Core { port: Port::of(layer), chunking }
}

impl<A: Element, D: Dimension> Array<A, D> {
    /// The array in a `.npy` file. Each task reads the rows of its own block, so the file may be larger than memory.
    ///
    /// The header is read now, the elements when they are needed; a file that has changed in between is refused
    /// then.
    ///
    /// **Shape** that of the file; blocks are those of `chunks`.
    /// **Cost** one pass over the file; a block that does not span the whole of the trailing axes costs a read for
    /// each of its rows.
    ///
    /// # Errors
    /// [`Error::Npy`] when the file cannot be read, is damaged, or holds another element type or number of axes;
    /// [`Error::Chunks`] when `chunks` does not fit its shape.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::Ix2};
    /// use musher_scheduler::Compute;
    /// let folder = tempfile::tempdir()?;
    /// let path = folder.path().join("x.npy");
    /// let x = Array::from_shape_fn((4, 3), 2, |(i, j)| (i * 3 + j) as f64);
    /// x.to_npy(&path).compute()?;
    /// let again = Array::<f64, Ix2>::read_npy(&path, (1, 3))?;
    /// assert_eq!(again.compute()?, x.compute()?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[doc(alias = "from_npy")]
    #[doc(alias = "numpy.load")]
    pub fn read_npy(path: impl AsRef<Path>, chunks: impl Into<Chunks>) -> Result<Self, Error> {
        let caller = Site::caller();
        let path = path.as_ref();
        let npy = |source: NpyError| Error::Npy { operation: "read_npy", path: path.to_owned(), source };
        let file = NpyFile::open(path).map_err(npy)?;
        file.header.check_element::<A>().map_err(npy)?;
        let (found, expected) = (file.header.shape.len(), D::NDIM);
        if let Some(expected) = expected.filter(|&expected| expected != found) {
            return Err(npy(NpyError::Dimensions { expected, found }));
        }
        let chunking = chunks.into().resolve(&file.header.shape, A::DTYPE)?;
        Ok(Self::from_core(stored::<A>("read_npy", file, chunking, caller)))
    }

    /// Writes the array to a `.npy` file when the returned value is computed.
    ///
    /// Every task writes its block at its place, whatever the order. The file appears under its name when it is
    /// complete, and replaces what was there; a run that fails leaves the old file and nothing else.
    ///
    /// **Shape** C order, little-endian, format 1.0: the bytes are those of NumPy's `save`.
    /// **Cost** one pass; one write for each row of a block that does not span the trailing axes. The file has no blocks, so
    /// a rechunk just before it costs nothing; where rows of blocks are very many and shorter than 4 KiB, the blocks are
    /// turned into whole rows first, all to all, as by [`rechunk`](Self::rechunk).
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::Ix1};
    /// use musher_scheduler::Compute;
    /// let folder = tempfile::tempdir()?;
    /// let path = folder.path().join("ones.npy");
    /// let written = Array::<f32, Ix1>::ones(5, 2).to_npy(&path);
    /// assert!(!path.exists());
    /// written.compute()?;
    /// assert_eq!(std::fs::metadata(&path)?.len(), 128 + 5 * 4);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[must_use = "nothing is written before the returned value is computed"]
    #[doc(alias = "numpy.save")]
    pub fn to_npy(&self, path: impl AsRef<Path>) -> Delayed<()> {
        let header = NpyHeader::of::<A>(&self.shape());
        written::<A>("to_npy", self.core(), path.as_ref(), header.encode(), header, Site::caller())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use musher_testkit::check_everywhere;
    use ndarray::{Array2, Ix2};

    fn numbers(shape: (usize, usize), chunks: (usize, usize)) -> Array<u16, Ix2> {
        Array::from_shape_fn(shape, chunks, move |(i, j)| (i * shape.1 + j) as u16)
    }

    fn file_chunks(x: &Array<u16, Ix2>, many_runs: usize) -> Chunking {
        let core = for_file::<u16>(x.core(), many_runs, Site::caller());
        let whole = Array2::from_shape_fn(x.raw_dim(), |(i, j)| (i * x.shape()[1] + j) as u16);
        assert_eq!(check_everywhere(&Array::<u16, Ix2>::from_core(core.clone())), whole);
        core.chunking
    }

    #[test]
    fn a_file_passes_over_divisions_that_make_no_fewer_runs() {
        let rows = numbers((70, 60), (7, 60));
        for columns in [rows.rechunk((70, 3)), rows.rechunk((35, 20)).rechunk((70, 1)), rows.rechunk((1, 60))]
        {
            assert_eq!(file_chunks(&columns, MANY_RUNS), *rows.chunks());
        }
        let tiles = numbers((70, 60), (7, 6));
        assert_eq!(file_chunks(&tiles.rechunk((14, 60)), MANY_RUNS).axis(1), [60], "fewer runs");
        assert_eq!(file_chunks(&tiles, MANY_RUNS), *tiles.chunks(), "few runs");
    }

    #[test]
    fn many_short_runs_become_bands_as_large_as_the_blocks() {
        let columns = numbers((2000, 700), (2000, 1));
        let bands = file_chunks(&columns, 1000);
        assert_eq!((bands.axis(0)[0], bands.axis(1)), (BAND_BYTES / 1400, [700].as_slice()));
        assert_eq!(file_chunks(&columns, 2000 * 700 + 1), *columns.chunks());
    }

    #[test]
    fn runs_are_counted_as_they_are_written() {
        for (shape, chunks) in [((6, 4), (2, 4)), ((6, 4), (6, 1)), ((6, 4), (2, 3)), ((6, 4), (6, 4))] {
            let x = numbers(shape, chunks);
            let header = NpyHeader::of::<u16>(&x.shape());
            let grid = x.chunks().grid();
            let blocks = (0..grid.n_tasks()).map(|block| ranges(x.chunks(), &grid.coords_of(block)));
            let runs = blocks.map(|block| header.runs(&block).unwrap().count()).sum::<usize>();
            assert_eq!(n_runs(x.chunks()), runs, "{shape:?} {chunks:?}");
        }
    }
}
