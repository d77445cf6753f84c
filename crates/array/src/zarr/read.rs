//! Arrays from Zarr.

use crate::array::{Array, Core};
use crate::block::Block;
use crate::chunks::{Chunking, Chunks};
use crate::element::{Element, Plain};
use crate::error::Error;
use crate::kernel::zarr::{Layout, ZarrError, covering, read_block};
use crate::rechunk::rechunked;
use crate::zarr::opened::Opened;
use crate::zarr::options::ReadOptions;
use musher_graph_core::{Facts, FnTask, Inputs, Layer, Place, Port, Site, TaskError, Touch};
use ndarray::Dimension;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

/// A cost per byte that keeps the optimizer from reading a block twice: chunks are decompressed.
const READ_NS_PER_BYTE: u64 = 3;

/// The elements that the block at these coordinates covers.
fn ranges(chunking: &Chunking, coords: &[usize]) -> Vec<Range<usize>> {
    let starts = chunking.block_start(coords);
    starts.iter().zip(chunking.block_shape(coords)).map(|(&start, length)| start..start + length).collect()
}

/// What tasks read.
struct Stored {
    opened: Opened,
    layout: Layout,
    chunking: Chunking,
}

impl Stored {
    /// The files that a block needs, with their lengths; those that are not there are not among them.
    fn files(&self, block: &[Range<usize>]) -> impl Iterator<Item = (Vec<usize>, u64)> {
        let files = covering(block, &self.layout.file);
        files.filter_map(|at| self.opened.state(&self.layout, &at).map(|state| (at, state.bytes())))
    }

    fn facts(&self, at: Place<'_>) -> Facts {
        let block = ranges(&self.chunking, &at.coords());
        let n = |lengths: &mut dyn Iterator<Item = usize>| {
            lengths.fold(1, |n: u64, at| n.saturating_mul(at as u64))
        };
        let elements = n(&mut block.iter().map(ExactSizeIterator::len));
        let bytes = elements.saturating_mul(self.layout.dtype.bytes() as u64);
        let file_elements = n(&mut self.layout.file.iter().copied());
        let (mut read, mut scratch) = (0_u64, 0);
        for (_, length) in self.files(&block) {
            // Of a shard only the chunks in the block.
            let part = if self.layout.is_sharded() && elements < file_elements {
                (u128::from(length) * u128::from(elements) / u128::from(file_elements)) as u64
            } else {
                length
            };
            read = read.saturating_add(part);
            scratch = self.layout.read_scratch(length).max(scratch);
        }
        Facts::bytes(bytes).read(read.max(1)).scratch(scratch).cost(20_000 + READ_NS_PER_BYTE * bytes)
    }

    fn touches(&self, at: Place<'_>) -> Vec<Touch> {
        let block = ranges(&self.chunking, &at.coords());
        let files = self.files(&block).filter_map(|(at, _)| self.layout.key(&at).ok());
        files.map(|key| Touch::read(self.opened.path.join(key))).collect()
    }
}

/// The lengths of blocks that are made of whole chunks, as near behind the wished ones as these allow.
fn aligned(wish: &Chunking, chunk: &[usize]) -> Chunking {
    Chunking::from_axes(wish.axes().zip(chunk).map(|(lengths, &chunk)| {
        let n: usize = lengths.iter().sum();
        let (mut out, mut end, mut start) = (Vec::new(), 0, 0);
        for length in lengths {
            end += length;
            let border = end.div_ceil(chunk).saturating_mul(chunk).min(n);
            if border > start {
                out.push(border - start);
                start = border;
            }
        }
        if out.is_empty() { [0].into() } else { out.into() }
    }))
}

impl<A: Element, D: Dimension> Array<A, D> {
    /// The Zarr array in a folder. Each task reads the chunks of its own block, so the array may be larger than memory.
    ///
    /// Metadata are read now, and each file of chunks is looked at; the elements are read when they are needed. A file that
    /// has changed or gone in between is refused then. `options` may be a wish for blocks.
    ///
    /// **Shape** that of the stored array; blocks are what stands in one file, a shard or a chunk, or those of
    /// [`chunks`](ReadOptions::chunks). Blocks that are whole chunks, or several, cost nothing more; of a shard only those
    /// that a block needs are read.
    /// **Cost** one pass, and now about 2 µs for each file.
    ///
    /// # Errors
    /// [`Error::Zarr`] when there is no array, its metadata are damaged or name what musher does not read, it has another
    /// element type or number of axes, or chunks are missing; [`Error::Chunks`] when a wish does not fit its shape.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::Ix2, zarr::WriteOptions};
    /// use musher_scheduler::Compute;
    /// let folder = tempfile::tempdir()?;
    /// let path = folder.path().join("x.zarr");
    /// let x = Array::from_shape_fn((4, 3), 2, |(i, j)| (i * 3 + j) as f64);
    /// x.to_zarr(&path, WriteOptions::default())?.compute()?;
    /// let again = Array::<f64, Ix2>::read_zarr(&path, (4, 2))?;
    /// assert_eq!(again.chunks().axis(0), [4]);
    /// assert_eq!(again.compute()?, x.compute()?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[doc(alias = "from_zarr")]
    #[doc(alias = "dask.array.from_zarr")]
    #[doc(alias = "zarr.open_array")]
    pub fn read_zarr(path: impl AsRef<Path>, options: impl Into<ReadOptions>) -> Result<Self, Error> {
        let caller = Site::caller();
        let (path, options) = (path.as_ref(), options.into());
        let zarr = |source: ZarrError| Error::Zarr { operation: "read_zarr", path: path.to_owned(), source };
        let opened = Opened::look(path, Some(options.missing)).map_err(zarr)?;
        let layout = opened.layout().map_err(zarr)?;
        layout.check::<A>(D::NDIM).map_err(zarr)?;
        let wish = options.chunks.unwrap_or_else(|| Chunks::Axes(layout.file.clone()));
        let wish = wish.resolve(&layout.shape, A::DTYPE)?;
        let chunking = aligned(&wish, &layout.chunk);
        let stored = Arc::new(Stored { opened, layout, chunking });
        let core = core::<A>(stored, caller);
        Ok(Self::from_core(rechunked::<A>(&core, &wish, caller)))
    }
}

/// The layer that reads.
fn core<A: Element>(stored: Arc<Stored>, caller: Site) -> Core {
    let name = format!("array.read_zarr.{}/1", <A as Plain>::NAME);
    let chunking = stored.chunking.clone();
    let opened = &stored.opened;
    let identity = (&opened.path, opened.version.file(), &opened.text, &opened.files, &chunking);
    let (read, known, touched) = (Arc::clone(&stored), Arc::clone(&stored), Arc::clone(&stored));
    let task = FnTask::new("read_zarr", move |at: Place<'_>, _: &mut Inputs<'_>| {
        let Stored { opened, layout, chunking } = &*read;
        let block = read_block::<A>(layout, &ranges(chunking, &at.coords()), |at| opened.open(layout, at));
        block.map(Block::new).map_err(|source| {
            TaskError::new(Error::Zarr { operation: "read_zarr", path: opened.path.clone(), source })
        })
    })
    .params(name, &identity)
    .facts(move |at, _| known.facts(at))
    .touches(move |at| touched.touches(at));
    let layer = Layer::build(task).caller(caller).finish(chunking.grid());
    Core { port: Port::of(layer), chunking }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_rounded_up_to_whole_chunks() {
        let aligned = |wish: &[usize], chunk: usize| {
            aligned(&Chunking::from_lengths(&[wish.to_vec()]), &[chunk]).axis(0).to_vec()
        };
        assert_eq!(aligned(&[4, 4, 2], 2), [4, 4, 2]);
        assert_eq!(aligned(&[3, 3, 4], 4), [4, 4, 2]);
        assert_eq!(aligned(&[1; 10], 4), [4, 4, 2]);
        assert_eq!(aligned(&[10], 4), [10]);
        assert_eq!(aligned(&[2, 2], 9), [4]);
        assert_eq!(aligned(&[0], 4), [0]);
        assert_eq!(aligned(&[0, 5, 0], 5), [5]);
    }
}
