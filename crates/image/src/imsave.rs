//! Arrays as image files that are there whole or not at all.

use std::fs;
use std::io;
use std::path::Path;

use musher_array::{Array, Block, Shape};
use musher_graph_core::{
    Delayed, Facts, FnTask, Grid, Inputs, Layer, Place, Port, Site, TaskError, Touch, Value, Wiring,
};
use musher_scheduler::{AtomicDir, Compute};
use ndarray::{ArrayViewD, Dimension};

use crate::encode;
use crate::error::Error;
use crate::pixel::Pixel;
use crate::wire::{grid_of, port_of};

/// Computes an array and writes it as one image, in the format that the name's ending says.
///
/// The file is written beside its place and renamed, so a reader sees the old one or the new one. Numbers are written
/// as they are: scale floats with [`to_u8_scaled`](crate::to_u8_scaled) first.
///
/// **Shape** `(rows, columns)` for gray, `(rows, columns, channels)` with 1 to 4 channels: `u8` or `u16` for PNG, `u8` for
/// the others; TIFF takes any [`Pixel`] for gray, and unsigned integers or floats for 3 or 4 channels.
/// **Cost** the array's computation; the whole image in memory, twice.
///
/// # Errors
/// [`Error::Channels`] for another shape, [`Error::Format`] for an ending that names no format, [`Error::Compute`] when
/// computing fails, [`Error::Io`] and [`Error::Encode`] when writing does.
///
/// # Examples
/// ```
/// use musher_array::{Array, ndarray::Ix2};
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("ramp.png");
/// let ramp = Array::<u8, Ix2>::from_shape_fn((16, 16), 8, |(row, column)| (16 * row + column) as u8);
/// musher_image::imsave(&ramp, &path)?;
/// assert_eq!(musher_image::imread_chunked(&path, 16)?.shape(), [16, 16, 1]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[track_caller]
#[doc(alias = "skimage.io.imsave")]
pub fn imsave<A: Pixel, D: Dimension>(image: &Array<A, D>, path: impl AsRef<Path>) -> Result<(), Error> {
    let path = path.as_ref();
    check("imsave", &image.shape(), Site::caller())?;
    encode::format_of(path)?;
    let pixels = image.clone().into_dyn().compute()?;
    write(path, pixels.view())
}

/// Computes an array and writes each block as an image of its own into a new folder: `tile-0-0.png`, `tile-0-1.png`, …
///
/// The folder appears under its name when all its files are written; a folder of tiles that was there is replaced. The
/// numbers in a name are those of the block along rows and columns, so [`imread_tiles`](crate::imread_tiles) reads them
/// back.
///
/// **Shape** as [`imsave`]; the channels must be in one block.
/// **Cost** the array's computation; memory of one task: one block, twice.
///
/// # Errors
/// As [`imsave`], and [`Error::Foreign`] if the folder holds anything but tiles: nothing is deleted by mistake.
///
/// # Examples
/// ```
/// use musher_array::{Array, ndarray::Ix2};
/// # let parent = tempfile::tempdir()?;
/// # let folder = parent.path().join("tiles");
/// let image = Array::<u8, Ix2>::zeros((5, 6), (3, 6));
/// musher_image::imsave_tiles(&image, &folder, "png")?;
/// assert!(folder.join("tile-1-0.png").exists());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[track_caller]
pub fn imsave_tiles<A: Pixel, D: Dimension>(
    image: &Array<A, D>,
    folder: impl AsRef<Path>,
    ending: &str,
) -> Result<(), Error> {
    let caller = Site::caller();
    let folder = folder.as_ref();
    check("imsave_tiles", &image.shape(), caller)?;
    encode::format_of(Path::new(&format!("tile.{ending}")))?;
    if image.ndim() == 3 && image.chunks().axis(2).len() != 1 {
        let expected = "all in one block";
        return Err(Error::Channels {
            operation: "imsave_tiles",
            expected,
            shape: Shape(image.shape()),
            caller,
        });
    }
    require_tiles(folder)?;
    let failed = |action| move |source| Error::Io { path: folder.to_path_buf(), action, source };
    let beside = AtomicDir::create(folder).map_err(failed("create beside"))?;
    let into = beside.path().to_path_buf();
    let name = {
        let ending = ending.to_owned();
        move |coords: &[usize]| format!("tile-{}-{}.{ending}", coords[0], coords[1])
    };
    let (target, name_of_target) = (folder.to_path_buf(), name.clone());
    let task = FnTask::new("imsave", move |at: Place<'_>, inputs: &mut Inputs<'_>| {
        let (coords, block) = (at.coords(), inputs.get::<Block<A>>(0)?);
        write(&into.join(name(&coords)), block.view())?;
        Ok(Value(()))
    })
    .facts(|_, inputs| {
        let bytes = inputs.first().copied().flatten().unwrap_or(0);
        Facts::bytes(0).scratch(2 * bytes).written(bytes.max(1))
    })
    .touches(move |at| vec![Touch::write(target.join(name_of_target(&at.coords())))]);
    let grid = grid_of(image);
    let written = Layer::build(task)
        .caller(caller)
        .input(&port_of(image), Wiring::one_to_one(image.ndim()))
        .finish(grid);
    let target = folder.to_path_buf();
    let all = FnTask::new("imsave_tiles", |_: Place<'_>, _: &mut Inputs<'_>| Ok::<_, TaskError>(Value(())))
        .touches(move |_| vec![Touch::write(&target)]);
    let all = Layer::build(all).caller(caller).input(&Port::of(written), Wiring::All).finish(Grid::scalar());
    Delayed::<()>::from_port(Port::of(all)).compute()?;
    beside.commit().map_err(failed("rename"))
}

/// Refuses a folder that holds anything but tiles; one that is not there holds nothing.
fn require_tiles(folder: &Path) -> Result<(), Error> {
    let failed = |source| Error::Io { path: folder.to_path_buf(), action: "list", source };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error)),
    };
    for entry in entries {
        let found = entry.map_err(failed)?.file_name();
        let is_tile = found.to_str().and_then(|name| name.strip_prefix("tile-")).is_some_and(|name| {
            let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            let numbers = name.split_once('.').and_then(|(numbers, _)| numbers.split_once('-'));
            numbers.is_some_and(|(row, column)| is_number(row) && is_number(column))
        });
        if !is_tile {
            return Err(Error::Foreign { path: folder.to_path_buf(), found });
        }
    }
    Ok(())
}

/// Refuses shapes that are no images.
fn check(operation: &'static str, shape: &[usize], caller: Site) -> Result<(), Error> {
    match shape {
        [_, _] | [_, _, 1..=4] => Ok(()),
        _ => Err(Error::Channels { operation, expected: "1 to 4", shape: Shape(shape.to_vec()), caller }),
    }
}

/// Writes rows of columns, of channels if there is a third axis.
fn write<A: Pixel>(path: &Path, pixels: ArrayViewD<'_, A>) -> Result<(), Error> {
    let mut shape = [0, 0, 1];
    shape[..pixels.ndim()].copy_from_slice(pixels.shape());
    let pixels = pixels.as_standard_layout();
    encode::write(path, pixels.as_slice().unwrap_or_default(), shape)
}
