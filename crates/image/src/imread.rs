//! Image files as arrays: headers are read when the graph is built, pixels when it runs.

use std::fmt;
use std::marker::PhantomData;
use std::num::NonZeroU64;
use std::path::Path;
use std::sync::Arc;

use musher_array::{Array, Block, Chunking};
use musher_graph_core::{
    AxisMap, Facts, FnTask, Grid, Inputs, Layer, Place, Port, Site, TaskError, Token, Tokenizer, Touch,
    Wiring,
};
use musher_scheduler::files::{FileFacts, FilesError, find, once};
use ndarray::{ArrayD, Axis, IxDyn, Slice};
use ndarray::{Ix3, Ix4};
use serde::{Deserialize, Serialize};

use crate::decode::{self, MAX_DECODED_BYTES, Page};
use crate::error::{Error, PageKind};
use crate::pixel::Pixel;

/// About what a decoder and its reader hold beside pixels: buffers of the file, windows and tables.
const DECODER_BYTES: u64 = 256 << 10;
/// About how long it takes to decode one byte of pixels, in nanoseconds: PNG and JPEG on one core.
const DECODE_NS_PER_BYTE: u64 = 8;

/// Reads the images that a pattern matches as one array, one image a block, in natural order of their names.
///
/// Patterns are those of [`find`], and `tile-2.png` comes before `tile-10.png`. Headers are read now, pixels when the array is computed; each image is one
/// task, so tiles are decoded in parallel; a file that has changed in between is an error. A TIFF file of several pages gives all of them, in their order; levels of a
/// pyramid that stand below a page (as in OME-TIFF) are no pages. For numbers other than `u8`, a higher limit, or one page
/// of each file, see [`Imread`].
///
/// Pixels stay as they are stored: what a file says of its orientation or its color space changes nothing. Gray images in BMP and
/// WebP files have three equal channels.
///
/// **Shape** `(images, rows, columns, channels)` of `u8`, in blocks `(1, rows, columns, channels)`; a gray image has one
/// channel.
/// **Cost** one read of each file; memory of one task: one decoded image and the file's decoder.
///
/// # Errors
/// [`Error::Find`] and [`Error::File`]; [`Error::Io`], [`Error::Decode`] or [`Error::Unreadable`] for a header;
/// [`Error::PixelType`] for a file that does not hold `u8`; [`Error::FileShape`] for one of another shape than the first;
/// [`Error::PageDiffers`] for a file whose pages are not alike; [`Error::FirstPageOnly`] for an animation;
/// [`Error::TooLarge`] for an image above 512 MiB.
///
/// # Examples
/// ```
/// use musher_scheduler::Compute;
/// # let folder = tempfile::tempdir()?;
/// # for name in ["tile-2.png", "tile-10.png"] {
/// #     let tile = musher_array::Array::<u8, _>::zeros((4, 6), 6);
/// #     musher_image::imsave(&tile, folder.path().join(name))?;
/// # }
/// let tiles = musher_image::imread(folder.path().join("tile-*.png"))?;
/// assert_eq!(tiles.shape(), [2, 4, 6, 1]);
/// assert_eq!(tiles.compute()?[[1, 3, 5, 0]], 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[track_caller]
#[doc(alias = "dask_image.imread.imread")]
#[doc(alias = "dask.array.image.imread")]
pub fn imread(pattern: impl AsRef<Path>) -> Result<Array<u8, Ix4>, Error> {
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
/// As [`imread`], [`Error::TileCount`] when there are not `rows * columns` files, and [`Error::SeveralPages`] for a file of
/// more than one image.
///
/// # Examples
/// ```
/// # let folder = tempfile::tempdir()?;
/// # for name in ["tile-0-0.png", "tile-0-1.png"] {
/// #     let tile = musher_array::Array::<u8, _>::zeros((4, 6), 6);
/// #     musher_image::imsave(&tile, folder.path().join(name))?;
/// # }
/// let tiles = musher_image::imread_tiles(folder.path().join("tile-*.png"), (1, 2))?;
/// assert_eq!(tiles[0][1].shape(), [4, 6, 1]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[track_caller]
pub fn imread_tiles(
    pattern: impl AsRef<Path>,
    grid: (usize, usize),
) -> Result<Vec<Vec<Array<u8, Ix3>>>, Error> {
    Imread::new().tiles(pattern, grid)
}

/// Reads one image in blocks of `chunk_rows` rows.
///
/// A TIFF file of several strips or tiles is read block by block, each block decoding only what it touches. A TIFF file of
/// one strip and other formats cannot be entered in the middle: such a file is decoded whole by one task, and its blocks
/// share that memory.
///
/// **Shape** `(rows, columns, channels)` of `u8`, in blocks of `chunk_rows` rows.
/// **Cost** one read of the file; memory of one task: one block for TIFF, else the whole image.
///
/// # Errors
/// As [`imread`], [`Error::Parameter`] when `chunk_rows` is 0, and [`Error::SeveralPages`] for a file of more than one
/// image.
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

/// How images are read: as which numbers, which page of each file, and up to which size.
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
    page: Option<usize>,
    marker: PhantomData<fn() -> A>,
}

impl<A> Clone for Imread<A> {
    fn clone(&self) -> Self {
        Self { ..*self }
    }
}

impl<A> fmt::Debug for Imread<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Imread").field("max_decoded_bytes", &self.limit).field("page", &self.page).finish()
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
        Self { limit: MAX_DECODED_BYTES, page: None, marker: PhantomData }
    }

    /// The same with another limit on the bytes of one decoded image.
    ///
    /// A file's header can promise any size; the limit is what such a promise may cost.
    #[must_use]
    pub const fn max_decoded_bytes(self, bytes: u64) -> Self {
        Self { limit: bytes, ..self }
    }

    /// Reads this page of each file and no other, counted from 0.
    ///
    /// It is the choice where the pages of a file differ, as the levels of a pyramid do, and where only the first can be
    /// read, as in an animation.
    ///
    /// # Examples
    /// ```
    /// use musher_image::{Error, Imread};
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("one.tif");
    /// # musher_image::imsave(&musher_array::Array::<u8, _>::zeros((5, 4), 5), &path)?;
    /// let pattern = path.display().to_string();
    /// assert_eq!(Imread::<u8>::new().page(0).stack(&pattern)?.shape(), [1, 5, 4, 1]);
    /// assert!(matches!(Imread::<u8>::new().page(1).stack(&pattern), Err(Error::NoSuchPage { pages: 1, .. })));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[doc(alias = "key")]
    #[must_use]
    pub const fn page(self, page: usize) -> Self {
        Self { page: Some(page), ..self }
    }

    /// See [`imread`](crate::imread()).
    ///
    /// # Errors
    /// As [`imread`](crate::imread()).
    #[track_caller]
    pub fn stack(&self, pattern: impl AsRef<Path>) -> Result<Array<A, Ix4>, Error> {
        let caller = Site::caller();
        let mut images = Vec::new();
        for facts in found("imread", pattern.as_ref(), caller)? {
            images.extend(self.images(facts)?);
        }
        let shape = images[0].shape();
        if let Some(other) = images.iter().find(|image| image.shape() != shape) {
            return Err(Error::FileShape {
                path: other.facts.path().to_path_buf(),
                expected: shape,
                found: other.shape(),
            });
        }
        let [rows, columns, channels] = shape;
        let chunks =
            Chunking::from_lengths(&[vec![1; images.len()], vec![rows], vec![columns], vec![channels]]);
        let port = read_layer::<A>(images, &[1, rows, columns, channels], self.limit, caller);
        Ok(Array::from_port(port, chunks))
    }

    /// Reads the images that a pattern matches, each as an array of its own, in natural order of their names.
    ///
    /// **Shape** each `(rows, columns, channels)`, one block.
    ///
    /// # Errors
    /// As [`imread`](crate::imread()), but shapes may differ; and [`Error::SeveralPages`] for a file of more than one image.
    ///
    /// # Examples
    /// ```
    /// use musher_image::Imread;
    /// # let folder = tempfile::tempdir()?;
    /// # musher_image::imsave(&musher_array::Array::<u8, _>::zeros((5, 4), 5), folder.path().join("a.png"))?;
    /// let images = Imread::<u8>::new().each(folder.path().join("*.png"))?;
    /// assert_eq!(images.len(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn each(&self, pattern: impl AsRef<Path>) -> Result<Vec<Array<A, Ix3>>, Error> {
        let caller = Site::caller();
        let files = self.files("imread", pattern.as_ref(), caller)?;
        Ok(files.into_iter().map(|image| whole_array(image, self.limit, caller)).collect())
    }

    /// See [`imread_tiles`].
    ///
    /// # Errors
    /// As [`imread_tiles`].
    #[track_caller]
    pub fn tiles(
        &self,
        pattern: impl AsRef<Path>,
        (rows, columns): (usize, usize),
    ) -> Result<Vec<Vec<Array<A, Ix3>>>, Error> {
        let caller = Site::caller();
        let pattern = pattern.as_ref();
        let files = self.files("imread_tiles", pattern, caller)?;
        if rows.checked_mul(columns) != Some(files.len()) || files.is_empty() {
            return Err(Error::TileCount {
                pattern: pattern.display().to_string(),
                rows,
                columns,
                found: files.len(),
                caller,
            });
        }
        let mut arrays = files.into_iter().map(|image| whole_array(image, self.limit, caller));
        Ok((0..rows).map(|_| arrays.by_ref().take(columns).collect()).collect())
    }

    /// See [`imread_chunked`].
    ///
    /// # Errors
    /// As [`imread_chunked`].
    #[track_caller]
    pub fn chunked(&self, path: impl AsRef<Path>, chunk_rows: usize) -> Result<Array<A, Ix3>, Error> {
        let caller = Site::caller();
        if chunk_rows == 0 {
            let expected = "at least 1";
            return Err(Error::Parameter { parameter: "chunk_rows", value: 0.0, expected, caller });
        }
        let facts = FileFacts::of(path.as_ref());
        let image = self.only_image(facts.map_err(not_found("imread_chunked", caller))?)?;
        let [rows, columns, channels] = image.shape();
        let chunks = musher_array::Chunks::from((chunk_rows, columns.max(1), channels.max(1)));
        let chunks = chunks.resolve(&[rows, columns, channels], A::DTYPE)?;
        let port = if image.page.by_rows {
            rows_layer::<A>(image, &chunks, self.limit, caller)
        } else {
            slice_layer::<A>(whole_array::<A>(image, self.limit, caller), &chunks, caller)
        };
        Ok(Array::from_port(port, chunks))
    }

    /// The images of files that hold one each.
    fn files(&self, operation: &'static str, pattern: &Path, caller: Site) -> Result<Vec<ImageFile>, Error> {
        found(operation, pattern, caller)?.into_iter().map(|facts| self.only_image(facts)).collect()
    }

    /// The image of a file that holds one, or the page that was chosen.
    fn only_image(&self, facts: FileFacts) -> Result<ImageFile, Error> {
        let path = facts.path().to_path_buf();
        let images = self.images(facts)?;
        match <[ImageFile; 1]>::try_from(images) {
            Ok([image]) => Ok(image),
            Err(images) => Err(Error::SeveralPages { path, pages: images.len() }),
        }
    }

    /// The images of a file.
    fn images(&self, facts: FileFacts) -> Result<Vec<ImageFile>, Error> {
        let pages = once("its images", facts.path(), &(A::NAME, self.limit, self.page), || {
            let pages = decode::pages::<A>(&facts, self.limit, self.page)?;
            Ok::<_, Error>(pages.into_iter().map(PageFacts::from).collect::<Vec<_>>())
        })?;
        let pages: Vec<Page> = pages.into_iter().map(|facts| facts.page(A::NAME)).collect();
        let facts = Arc::new(facts);
        let Some(n_pages) = NonZeroU64::new(pages.len() as u64) else {
            // A file has an image; what was told of it has none.
            let (question, path) = ("its images".into(), facts.path().to_path_buf());
            return Err(FilesError::Diverged { question, path }.into());
        };
        let read_bytes = facts.bytes() / n_pages;
        let image = |page| ImageFile { facts: Arc::clone(&facts), page, read_bytes };
        Ok(pages.into_iter().map(image).collect())
    }
}

/// The files that a pattern means.
fn found(operation: &'static str, pattern: &Path, caller: Site) -> Result<Vec<FileFacts>, Error> {
    find(pattern, &[]).map_err(not_found(operation, caller))
}

fn not_found(operation: &'static str, caller: Site) -> impl Fn(FilesError) -> Error {
    move |source| Error::Find { operation, source, caller }
}

/// What a file said of one of its images, as plain data: the type of its numbers is the one that was asked for.
#[derive(Serialize, Deserialize)]
struct PageFacts {
    index: usize,
    shape: [usize; 3],
    directory: Option<u64>,
    by_rows: bool,
    piece_bytes: u64,
}

impl From<Page> for PageFacts {
    fn from(page: Page) -> Self {
        let Page { index, kind, directory, by_rows, piece_bytes } = page;
        Self { index, shape: kind.shape, directory, by_rows, piece_bytes }
    }
}

impl PageFacts {
    fn page(self, numbers: &'static str) -> Page {
        let Self { index, shape, directory, by_rows, piece_bytes } = self;
        Page { index, kind: PageKind { shape, numbers }, directory, by_rows, piece_bytes }
    }
}

/// One image of a file whose header has been read.
#[derive(Debug, Clone)]
struct ImageFile {
    facts: Arc<FileFacts>,
    page: Page,
    /// About how many bytes of the file are read for this image.
    read_bytes: u64,
}

impl Token for ImageFile {
    /// An image is what the facts of its file say, and its number and place in the file.
    fn token(&self, tokenizer: &mut Tokenizer) {
        (*self.facts).token(tokenizer);
        self.page.kind.shape.token(tokenizer);
        (self.page.index, self.page.directory).token(tokenizer);
    }
}

impl ImageFile {
    /// Rows, columns and channels.
    fn shape(&self) -> [usize; 3] {
        self.page.kind.shape
    }

    fn bytes<A>(&self) -> u64 {
        self.shape().iter().product::<usize>() as u64 * size_of::<A>() as u64
    }

    /// About what a decoder takes beside the pixels that it makes.
    fn scratch(&self) -> u64 {
        // A strip as it is in the file and as it is decoded. JPEG and WebP decoders hold the file and a copy of the pixels.
        let file = if self.page.directory.is_some() { self.page.piece_bytes } else { self.facts.bytes() };
        DECODER_BYTES + self.page.piece_bytes + file
    }
}

/// One task for each image, each making one block of the shape `block`.
fn read_layer<A: Pixel>(images: Vec<ImageFile>, block: &[usize], limit: u64, caller: Site) -> Port {
    let mut grid = vec![1; block.len()];
    if block.len() == 4 {
        grid[0] = images.len();
    }
    let images: Arc<[ImageFile]> = images.into();
    let (block, of_facts, touched) = (block.to_vec(), Arc::clone(&images), Arc::clone(&images));
    let parameters = (A::NAME, limit, images.to_vec(), block.clone());
    let task = FnTask::new("imread", move |at: Place<'_>, _: &mut Inputs<'_>| {
        let image = &images[at.index()];
        let pixels = decode::whole::<A>(&image.facts, &image.page, limit)?;
        Ok(Block::new(ArrayD::from_shape_vec(IxDyn(&block), pixels)?))
    })
    .params("image.imread/3", &parameters)
    .facts(move |at, _| {
        let image = &of_facts[at.index()];
        let bytes = image.bytes::<A>();
        Facts::bytes(bytes).scratch(image.scratch()).read(image.read_bytes).cost(DECODE_NS_PER_BYTE * bytes)
    })
    .touches(move |at| vec![Touch::read(touched[at.index()].facts.path())]);
    Port::of(Layer::build(task).caller(caller).finish(Grid::from(grid.as_slice())))
}

/// A whole image as an array of one block.
fn whole_array<A: Pixel>(image: ImageFile, limit: u64, caller: Site) -> Array<A, Ix3> {
    let shape = image.shape();
    let chunks = Chunking::from_lengths(&shape.map(|length| vec![length]));
    Array::from_port(read_layer::<A>(vec![image], &shape, limit, caller), chunks)
}

/// One task for each block of rows, each reading only those.
fn rows_layer<A: Pixel>(image: ImageFile, chunks: &Chunking, limit: u64, caller: Site) -> Port {
    let (of_run, of_facts) = (chunks.clone(), chunks.clone());
    let [rows, columns, channels] = image.shape();
    let (row_bytes, share) =
        ((columns * channels * size_of::<A>()) as u64, image.read_bytes / rows.max(1) as u64);
    let parameters = (A::NAME, limit, image.clone(), chunks.clone());
    let (touched, scratch) = (Arc::clone(&image.facts), image.scratch());
    let task = FnTask::new("imread_rows", move |at: Place<'_>, _: &mut Inputs<'_>| {
        let coords = at.coords();
        let (start, shape) = (of_run.block_start(&coords)[0], of_run.block_shape(&coords));
        let pixels = decode::rows::<A>(&image.facts, &image.page, start..start + shape[0], limit)?;
        Ok(Block::new(ArrayD::from_shape_vec(IxDyn(&shape), pixels)?))
    })
    .params("image.imread_rows/3", &parameters)
    .facts(move |at, _| {
        let rows = of_facts.axis(0)[at.coords()[0]] as u64;
        // Rows that are pressed to less than a byte are read, too.
        let read = (rows * share).max(1);
        Facts::bytes(rows * row_bytes).scratch(scratch).read(read).cost(rows * row_bytes)
    })
    // Where in the file the rows are is known to its decoder only.
    .touches(move |_| vec![Touch::read(touched.path())]);
    Port::of(Layer::build(task).caller(caller).finish(Grid::from(chunks.grid_shape().as_slice())))
}

/// One task for each block of rows of an image in one block; the blocks share its memory.
fn slice_layer<A: Pixel>(whole: Array<A, Ix3>, chunks: &Chunking, caller: Site) -> Port {
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
