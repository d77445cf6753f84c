//! Image files as arrays: headers are read when the graph is built, pixels when it runs.

use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use musher_array::{Array, Block, Chunking};
use musher_graph_core::{
    AxisMap, Facts, FnTask, Grid, Inputs, Layer, Place, Port, TaskError, Token, Tokenizer, Touch, Wiring,
};
use ndarray::{ArrayD, Axis, IxDyn, Slice};
use ndarray::{Ix3, Ix4};

use crate::decode::{self, Header, MAX_DECODED_BYTES};
use crate::error::Error;
use crate::files::matching;
use crate::pixel::Pixel;

/// About what a decoder and its reader hold beside pixels: buffers of the file, windows and tables.
const DECODER_BYTES: u64 = 256 << 10;
/// About how long it takes to decode one byte of pixels, in nanoseconds: PNG and JPEG on one core.
const DECODE_NS_PER_BYTE: u64 = 8;

/// Reads the images that a pattern matches as one array, one image a block, in natural order of their names.
///
/// `tile-2.png` comes before `tile-10.png`. Headers are read now, pixels when the array is computed; each file is one
/// task, so tiles are decoded in parallel. For `u16` or `f32` images, or a higher limit, see [`Imread`].
///
/// **Shape** `(files, rows, columns, channels)` of `u8`, in blocks `(1, rows, columns, channels)`; a gray image has one
/// channel.
/// **Cost** one read of each file; memory of one task: one decoded image and the file's decoder.
///
/// # Errors
/// [`Error::NoFiles`], [`Error::NotAFile`], [`Error::Io`], [`Error::Decode`] for a header; [`Error::PixelType`] for a
/// file that does not hold `u8`; [`Error::FileShape`] for one of another shape than the first; [`Error::TooLarge`] for
/// one above 512 MiB.
///
/// # Examples
/// ```
/// use musher_scheduler::Compute;
/// # let folder = tempfile::tempdir()?;
/// # for name in ["tile-2.png", "tile-10.png"] {
/// #     let tile = musher_array::Array::<u8, _>::zeros((4, 6), 6);
/// #     musher_image::imsave(&tile, folder.path().join(name))?;
/// # }
/// # let pattern = format!("{}/tile-*.png", folder.path().display());
/// let tiles = musher_image::imread(&pattern)?;
/// assert_eq!(tiles.shape(), [2, 4, 6, 1]);
/// assert_eq!(tiles.compute()?[[1, 3, 5, 0]], 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[track_caller]
#[doc(alias = "dask_image.imread.imread")]
#[doc(alias = "dask.array.image.imread")]
pub fn imread(pattern: impl AsRef<str>) -> Result<Array<u8, Ix4>, Error> {
    Imread::new().stack(pattern)
}

/// Reads the images that a pattern matches as a grid of arrays, filled row by row in natural order of their names.
///
/// The tiles may differ in shape, as the last row and column of a divided image do; `musher_array`'s `block` joins them.
/// Otherwise like [`imread`].
///
/// **Shape** each `(rows, columns, channels)` of `u8`, one block.
/// **Cost** one read of each file.
///
/// # Errors
/// As [`imread`], and [`Error::TileCount`] when there are not `rows * columns` files.
///
/// # Examples
/// ```
/// # let folder = tempfile::tempdir()?;
/// # for name in ["tile-0-0.png", "tile-0-1.png"] {
/// #     let tile = musher_array::Array::<u8, _>::zeros((4, 6), 6);
/// #     musher_image::imsave(&tile, folder.path().join(name))?;
/// # }
/// # let pattern = format!("{}/tile-*.png", folder.path().display());
/// let tiles = musher_image::imread_tiles(&pattern, (1, 2))?;
/// assert_eq!(tiles[0][1].shape(), [4, 6, 1]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[track_caller]
pub fn imread_tiles(
    pattern: impl AsRef<str>,
    grid: (usize, usize),
) -> Result<Vec<Vec<Array<u8, Ix3>>>, Error> {
    Imread::new().tiles(pattern, grid)
}

/// Reads one image in blocks of `chunk_rows` rows.
///
/// A TIFF file of strips or tiles is read block by block, each block decoding only what it touches. Other formats
/// cannot be entered in the middle: such a file is decoded whole by one task, and its blocks share that memory.
///
/// **Shape** `(rows, columns, channels)` of `u8`, in blocks of `chunk_rows` rows.
/// **Cost** one read of the file; memory of one task: one block for TIFF, else the whole image.
///
/// # Errors
/// As [`imread`], and [`Error::Parameter`] when `chunk_rows` is 0.
///
/// # Examples
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("large.tif");
/// # musher_image::imsave(&musher_array::Array::<u8, _>::zeros((5, 4), 5), &path)?;
/// let image = musher_image::imread_chunked(&path, 2)?;
/// assert_eq!(image.chunks().axis(0), [2, 2, 1]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[track_caller]
pub fn imread_chunked(path: impl AsRef<Path>, chunk_rows: usize) -> Result<Array<u8, Ix3>, Error> {
    Imread::new().chunked(path, chunk_rows)
}

/// How images are read: as which numbers, and up to which size.
///
/// # Examples
/// ```
/// use musher_image::Imread;
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("deep.png");
/// # musher_image::imsave(&musher_array::Array::<u16, _>::zeros((5, 4), 5), &path)?;
/// let image = Imread::<u16>::new().max_decoded_bytes(1 << 33).chunked(&path, 5)?;
/// assert_eq!(image.shape(), [5, 4, 1]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Imread<A> {
    limit: u64,
    marker: PhantomData<fn() -> A>,
}

impl<A> Clone for Imread<A> {
    fn clone(&self) -> Self {
        Self { limit: self.limit, marker: PhantomData }
    }
}

impl<A> fmt::Debug for Imread<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Imread").field("max_decoded_bytes", &self.limit).finish()
    }
}

impl<A: Pixel> Default for Imread<A> {
    fn default() -> Self {
        Self::new()
    }
}

impl<A: Pixel> Imread<A> {
    /// Images of element type `A`, of at most 512 MiB each when decoded.
    #[must_use]
    pub const fn new() -> Self {
        Self { limit: MAX_DECODED_BYTES, marker: PhantomData }
    }

    /// The same with another limit on the bytes of one decoded image.
    ///
    /// A file's header can promise any size; the limit is what such a promise may cost.
    #[must_use]
    pub const fn max_decoded_bytes(self, bytes: u64) -> Self {
        Self { limit: bytes, ..self }
    }

    /// See [`imread`](crate::imread()).
    ///
    /// # Errors
    /// As [`imread`](crate::imread()).
    #[track_caller]
    pub fn stack(&self, pattern: impl AsRef<str>) -> Result<Array<A, Ix4>, Error> {
        let caller = Location::caller();
        let files = self.files(pattern.as_ref(), caller)?;
        let shape = files[0].header.shape;
        if let Some(other) = files.iter().find(|file| file.header.shape != shape) {
            return Err(Error::FileShape {
                path: other.path.clone(),
                expected: shape,
                found: other.header.shape,
            });
        }
        let [rows, columns, channels] = shape;
        let chunks =
            Chunking::from_lengths(&[vec![1; files.len()], vec![rows], vec![columns], vec![channels]]);
        let port = read_layer::<A>(files, &[1, rows, columns, channels], self.limit, caller);
        Ok(Array::from_port(port, chunks))
    }

    /// Reads the images that a pattern matches, each as an array of its own, in natural order of their names.
    ///
    /// **Shape** each `(rows, columns, channels)`, one block.
    ///
    /// # Errors
    /// As [`imread`](crate::imread()), but shapes may differ.
    ///
    /// # Examples
    /// ```
    /// use musher_image::Imread;
    /// # let folder = tempfile::tempdir()?;
    /// # musher_image::imsave(&musher_array::Array::<u8, _>::zeros((5, 4), 5), folder.path().join("a.png"))?;
    /// # let pattern = format!("{}/*.png", folder.path().display());
    /// let images = Imread::<u8>::new().each(&pattern)?;
    /// assert_eq!(images.len(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn each(&self, pattern: impl AsRef<str>) -> Result<Vec<Array<A, Ix3>>, Error> {
        let caller = Location::caller();
        let files = self.files(pattern.as_ref(), caller)?;
        Ok(files.into_iter().map(|file| whole_array(file, self.limit, caller)).collect())
    }

    /// See [`imread_tiles`].
    ///
    /// # Errors
    /// As [`imread_tiles`].
    #[track_caller]
    pub fn tiles(
        &self,
        pattern: impl AsRef<str>,
        (rows, columns): (usize, usize),
    ) -> Result<Vec<Vec<Array<A, Ix3>>>, Error> {
        let caller = Location::caller();
        let pattern = pattern.as_ref();
        let files = self.files(pattern, caller)?;
        if rows.checked_mul(columns) != Some(files.len()) || files.is_empty() {
            return Err(Error::TileCount {
                pattern: pattern.to_owned(),
                rows,
                columns,
                found: files.len(),
                caller,
            });
        }
        let mut arrays = files.into_iter().map(|file| whole_array(file, self.limit, caller));
        Ok((0..rows).map(|_| arrays.by_ref().take(columns).collect()).collect())
    }

    /// See [`imread_chunked`].
    ///
    /// # Errors
    /// As [`imread_chunked`].
    #[track_caller]
    pub fn chunked(&self, path: impl AsRef<Path>, chunk_rows: usize) -> Result<Array<A, Ix3>, Error> {
        let caller = Location::caller();
        if chunk_rows == 0 {
            let expected = "at least 1";
            return Err(Error::Parameter { parameter: "chunk_rows", value: 0.0, expected, caller });
        }
        let file = self.file(path.as_ref())?;
        let [rows, columns, channels] = file.header.shape;
        let chunks = musher_array::Chunks::from((chunk_rows, columns.max(1), channels.max(1)));
        let chunks = chunks.resolve(&[rows, columns, channels], A::DTYPE)?;
        let port = if file.header.by_rows {
            rows_layer::<A>(file, &chunks, self.limit, caller)
        } else {
            slice_layer::<A>(whole_array::<A>(file, self.limit, caller), &chunks, caller)
        };
        Ok(Array::from_port(port, chunks))
    }

    fn files(&self, pattern: &str, caller: &'static Location<'static>) -> Result<Vec<Source>, Error> {
        matching(pattern, caller)?.iter().map(|path| self.file(path)).collect()
    }

    fn file(&self, path: &Path) -> Result<Source, Error> {
        let header = decode::header::<A>(path, self.limit)?;
        // The graph may run after the program has gone to another folder.
        let path = std::path::absolute(path).map_err(|source| Error::Io {
            path: path.to_path_buf(),
            action: "find the folder of",
            source,
        })?;
        Ok(Source { path, header })
    }
}

/// A file whose header has been read.
#[derive(Debug, Clone)]
struct Source {
    path: PathBuf,
    header: Header,
}

impl Token for Source {
    /// A file is what its path, length and time of change say.
    fn token(&self, tokenizer: &mut Tokenizer) {
        self.path.token(tokenizer);
        self.header.shape.token(tokenizer);
        self.header.file_bytes.token(tokenizer);
        self.header.modified.token(tokenizer);
    }
}

impl Source {
    fn bytes<A>(&self) -> u64 {
        self.header.shape.iter().product::<usize>() as u64 * size_of::<A>() as u64
    }
}

/// One task for each file, each making one block of the shape `block`.
fn read_layer<A: Pixel>(
    files: Vec<Source>,
    block: &[usize],
    limit: u64,
    caller: &'static Location<'static>,
) -> Port {
    let mut grid = vec![1; block.len()];
    if block.len() == 4 {
        grid[0] = files.len();
    }
    let files: Arc<[Source]> = files.into();
    let (block, of_facts, touched) = (block.to_vec(), Arc::clone(&files), Arc::clone(&files));
    let parameters = (A::NAME, limit, files.to_vec(), block.clone());
    let task = FnTask::new("imread", move |at: Place<'_>, _: &mut Inputs<'_>| {
        let file = &files[at.index()];
        let pixels = decode::whole::<A>(&file.path, file.header.shape, limit)?;
        Ok(Block::new(ArrayD::from_shape_vec(IxDyn(&block), pixels)?))
    })
    .params("image.imread/1", &parameters)
    .facts(move |at, _| {
        let file = &of_facts[at.index()];
        let bytes = file.bytes::<A>();
        // JPEG and WebP decoders hold the file and a copy of the pixels.
        Facts::bytes(bytes)
            .scratch(DECODER_BYTES + bytes + file.header.file_bytes)
            .read(file.header.file_bytes)
            .cost(DECODE_NS_PER_BYTE * bytes)
    })
    .touches(move |at| vec![Touch::read(&touched[at.index()].path)]);
    Port::of(Layer::build(task).caller(caller).finish(Grid::from(grid.as_slice())))
}

/// A whole image as an array of one block.
fn whole_array<A: Pixel>(file: Source, limit: u64, caller: &'static Location<'static>) -> Array<A, Ix3> {
    let shape = file.header.shape;
    let chunks = Chunking::from_lengths(&shape.map(|length| vec![length]));
    Array::from_port(read_layer::<A>(vec![file], &shape, limit, caller), chunks)
}

/// One task for each block of rows, each reading only those.
fn rows_layer<A: Pixel>(
    file: Source,
    chunks: &Chunking,
    limit: u64,
    caller: &'static Location<'static>,
) -> Port {
    let (of_run, of_facts) = (chunks.clone(), chunks.clone());
    let [rows, columns, channels] = file.header.shape;
    let (row_bytes, share) =
        ((columns * channels * size_of::<A>()) as u64, file.header.file_bytes / rows.max(1) as u64);
    let parameters = (A::NAME, limit, file.clone(), chunks.clone());
    let touched = file.path.clone();
    let task = FnTask::new("imread_rows", move |at: Place<'_>, _: &mut Inputs<'_>| {
        let coords = at.coords();
        let (start, shape) = (of_run.block_start(&coords)[0], of_run.block_shape(&coords));
        let pixels = decode::rows::<A>(&file.path, file.header.shape, start..start + shape[0], limit)?;
        Ok(Block::new(ArrayD::from_shape_vec(IxDyn(&shape), pixels)?))
    })
    .params("image.imread_rows/1", &parameters)
    .facts(move |at, _| {
        let rows = of_facts.axis(0)[at.coords()[0]] as u64;
        // Rows that are pressed to less than a byte are read, too.
        let read = (rows * share).max(1);
        Facts::bytes(rows * row_bytes)
            .scratch(DECODER_BYTES + rows * row_bytes)
            .read(read)
            .cost(rows * row_bytes)
    })
    // Where in the file the rows are is known to its decoder only.
    .touches(move |_| vec![Touch::read(&touched)]);
    Port::of(Layer::build(task).caller(caller).finish(Grid::from(chunks.grid_shape().as_slice())))
}

/// One task for each block of rows of an image in one block; the blocks share its memory.
fn slice_layer<A: Pixel>(
    whole: Array<A, Ix3>,
    chunks: &Chunking,
    caller: &'static Location<'static>,
) -> Port {
    let of_run = chunks.clone();
    let task = FnTask::new("rows", move |at: Place<'_>, inputs: &mut Inputs<'_>| {
        let coords = at.coords();
        let (start, rows) = (of_run.block_start(&coords)[0], of_run.axis(0)[coords[0]]);
        let block: &Block<A> = inputs.get(0)?;
        let rows = block.array().clone().slice_axis_move(Axis(0), Slice::from(start..start + rows));
        Ok::<_, TaskError>(Block::shared(rows))
    })
    .params("image.rows/1", &(A::NAME, chunks.clone()))
    .facts(|_, _| Facts::bytes(0).cost(200));
    let port = musher_graph_core::Collection::port(&whole);
    let wiring = Wiring::axes([AxisMap::Fixed(0), AxisMap::Fixed(0), AxisMap::Fixed(0)]);
    Port::of(
        Layer::build(task)
            .caller(caller)
            .input(port, wiring)
            .finish(Grid::from(chunks.grid_shape().as_slice())),
    )
}
