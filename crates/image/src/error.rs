//! The error of this crate: what was refused or went wrong, where, and why.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::PathBuf;

use musher_array::Shape;
use musher_graph_core::{Site, report};
use musher_scheduler::files::FilesError;
use musher_scheduler::sink::SinkError;

/// Why an image operation was refused or failed.
///
/// Errors of a call name the caller's line; errors of a file name the file and keep their cause as `source()`.
///
/// # Examples
///
/// ```
/// let error = musher_image::imread("no/such/tile-*.png").expect_err("there is no such folder");
/// assert!(error.to_string().contains("tile-*.png"));
/// ```
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The files that a pattern or a path means could not be found.
    #[error("{operation}: {source}, at {caller}")]
    Find {
        /// The function that was called.
        operation: &'static str,
        /// What is wrong.
        source: FilesError,
        /// The user's line.
        caller: Site,
    },
    /// A file could not be opened, or has changed since the graph was built.
    #[error(transparent)]
    File(#[from] FilesError),
    /// A grid of tiles needs as many files as it has places.
    #[error(
        "a grid of {rows} x {columns} tiles needs one file for each, but `{pattern}` matches {found}, at {caller}"
    )]
    TileCount {
        /// The pattern.
        pattern: String,
        /// Rows of the grid.
        rows: usize,
        /// Columns of the grid.
        columns: usize,
        /// Files that match.
        found: usize,
        /// The user's line.
        caller: Site,
    },
    /// The operating system refused to read or write.
    #[error("{}: {action} failed", path.display())]
    Io {
        /// The path.
        path: PathBuf,
        /// What was tried, such as "open".
        action: &'static str,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The content of a file is not an image that can be read.
    #[error("{}: not a readable image", path.display())]
    Decode {
        /// The path.
        path: PathBuf,
        /// What the decoder said.
        #[source]
        source: Box<dyn StdError + Send + Sync>,
    },
    /// A page of a TIFF file is of a kind that cannot be read.
    #[error(
        "{}: page {page} has {found}; what can be read are gray, RGB and plain channels of 8, 16, 32 or 64 bits, and \
         gray of 1 bit",
        path.display()
    )]
    Unreadable {
        /// The path.
        path: PathBuf,
        /// The page, counted from 0.
        page: usize,
        /// What it has, such as "a palette of colors".
        found: Cow<'static, str>,
    },
    /// A file holds several images where one is needed.
    #[error("{}: holds {pages} images; choose one with `Imread::page`, or read them as one array with `imread`", path.display())]
    SeveralPages {
        /// The path.
        path: PathBuf,
        /// How many it holds.
        pages: usize,
    },
    /// A file holds several images of which only the first can be read: an animation, or a TIFF file without directories
    /// for the others.
    #[error("{}: holds several images, of which only the first can be read; take it with `Imread::page(0)`", path.display())]
    FirstPageOnly {
        /// The path.
        path: PathBuf,
    },
    /// The images of a file are unlike each other.
    #[error("{}: page {page} is {found}, page 0 is {expected}; choose one with `Imread::page`", path.display())]
    PageDiffers {
        /// The path.
        path: PathBuf,
        /// The page, counted from 0.
        page: usize,
        /// What the first page is.
        expected: PageKind,
        /// What this page is.
        found: PageKind,
    },
    /// A file has fewer pages than the number of the one that was chosen.
    #[error("{}: there is no page {page} in a file of {pages}; they are counted from 0", path.display())]
    NoSuchPage {
        /// The path.
        path: PathBuf,
        /// The page that was chosen.
        page: usize,
        /// How many there are.
        pages: usize,
    },
    /// An image could not be encoded.
    #[error("{}: cannot be written as such an image", path.display())]
    Encode {
        /// The path.
        path: PathBuf,
        /// What the encoder said.
        #[source]
        source: Box<dyn StdError + Send + Sync>,
    },
    /// An image says that it is larger than the limit.
    #[error(
        "{}: header says {width} x {height} ({bytes} bytes), limit {limit} bytes; raise max_decoded_bytes if you trust it",
        path.display()
    )]
    TooLarge {
        /// The path.
        path: PathBuf,
        /// Columns.
        width: u32,
        /// Rows.
        height: u32,
        /// Bytes of its pixels.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// A file holds other numbers than asked for.
    #[error("{}: pixels are {found}, not {expected}; read it as `{found}`", path.display())]
    PixelType {
        /// The path.
        path: PathBuf,
        /// The type that was asked for.
        expected: &'static str,
        /// The type in the file.
        found: &'static str,
    },
    /// A file has another shape than the first one, or other pixels than its header says.
    #[error("{}: shape {found:?} (rows, columns, channels), not {expected:?}", path.display())]
    FileShape {
        /// The path.
        path: PathBuf,
        /// Rows, columns and channels of the others.
        expected: [usize; 3],
        /// Rows, columns and channels of this one.
        found: [usize; 3],
    },
    /// Two arrays that belong together have different shapes.
    #[error("{operation} needs equal shapes, found {left} and {right}, at {caller}")]
    ShapeMismatch {
        /// The operation.
        operation: &'static str,
        /// Shape of the first array.
        left: Shape,
        /// Shape of the second array.
        right: Shape,
        /// The user's line.
        caller: Site,
    },
    /// An image has a number of channels that the operation has no meaning for.
    #[error("{operation} needs {expected} channels along the last axis, found shape {shape}, at {caller}")]
    Channels {
        /// The operation.
        operation: &'static str,
        /// What it needs, such as "3".
        expected: &'static str,
        /// Shape of the image.
        shape: Shape,
        /// The user's line.
        caller: Site,
    },
    /// A parameter is out of its range.
    #[error("{parameter} is {value}, but must be {expected}, at {caller}")]
    Parameter {
        /// The parameter's name.
        parameter: &'static str,
        /// Its value.
        value: f64,
        /// What would do.
        expected: &'static str,
        /// The user's line.
        caller: Site,
    },
    /// A parameter is given for another number of axes than the image has.
    #[error("{parameter} is given for {found} axes, but the image has {expected}, at {caller}")]
    AxisCount {
        /// The parameter's name.
        parameter: &'static str,
        /// Axes of the image.
        expected: usize,
        /// Axes that it is given for.
        found: usize,
        /// The user's line.
        caller: Site,
    },
    /// A filter needs pixels beyond the edges.
    #[error("mode is `None`, but a filter needs pixels beyond the edges, at {caller}")]
    NoMode {
        /// The user's line.
        caller: Site,
    },
    /// A coordinate lies further from its place than was promised.
    #[error(
        "place {place} along axis {axis} asks for coordinate {coordinate}, further away than the reach of {reach} pixels"
    )]
    Reach {
        /// The axis.
        axis: usize,
        /// The place of the answer along it.
        place: usize,
        /// The coordinate of the image that it asks for.
        coordinate: f64,
        /// The reach.
        reach: usize,
    },
    /// An image without pixels has no answer.
    #[error("{operation} of an image without pixels, at {caller}")]
    Empty {
        /// The operation.
        operation: &'static str,
        /// The user's line.
        caller: Site,
    },
    /// A histogram needs finite values.
    #[error("the values reach from {low} to {high}, and no histogram can be made of that")]
    NotFinite {
        /// Least value.
        low: f64,
        /// Greatest value.
        high: f64,
    },
    /// The bins of a histogram would be narrower than the numbers between them can tell.
    #[error("{bins} bins from {low} to {high} are too narrow to tell apart")]
    TooManyBins {
        /// Number of bins.
        bins: usize,
        /// Least value.
        low: f64,
        /// Greatest value.
        high: f64,
    },
    /// An image has too few different values for so many classes.
    #[error("{found} different values cannot be parted into {classes} classes")]
    TooFewLevels {
        /// How many there are, or filled bins.
        found: usize,
        /// The classes.
        classes: usize,
    },
    /// There are more components than labels.
    #[error("{found} components or more, but labels end at {}", i32::MAX)]
    TooManyLabels {
        /// How many there are, at least.
        found: u64,
    },
    /// Memory for pixels or labels was refused.
    #[error(transparent)]
    OutOfMemory(#[from] musher_array::kernel::memory::OutOfMemory),
    /// A folder that holds other things than tiles is not replaced.
    #[error("{}: not replaced, because it holds {found:?}, which is no tile", path.display())]
    Foreign {
        /// The folder.
        path: PathBuf,
        /// What stands in it.
        found: OsString,
    },
    /// The file name's ending names no image format that can be written.
    #[error("{}: no image format is known by this ending", path.display())]
    Format {
        /// The path.
        path: PathBuf,
    },
    /// The array operation underneath was refused.
    #[error(transparent)]
    Array(#[from] musher_array::Error),
    /// Computing failed.
    #[error(transparent)]
    Compute(#[from] musher_scheduler::Error),
}

/// The readable report, as `main` prints it: the message, then the causes.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        report(self, f)
    }
}

impl From<SinkError> for Error {
    fn from(error: SinkError) -> Self {
        let path = error.path().to_owned();
        match error {
            SinkError::Io { action, source, .. } => Self::Io { path, action, source },
            SinkError::Foreign { found, .. } => Self::Foreign { path, found },
            other => Self::Io { path, action: "write", source: other.into() },
        }
    }
}

/// Shape and numbers of one image of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct PageKind {
    /// Rows, columns and channels.
    pub shape: [usize; 3],
    /// The type of its numbers, such as "u16".
    pub numbers: &'static str,
}

impl fmt::Display for PageKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [rows, columns, channels] = self.shape;
        write!(f, "{rows} x {columns} x {channels} of {}", self.numbers)
    }
}
