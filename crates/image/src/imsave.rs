//! Arrays as image files that are there whole or not at all.

use std::io::{Seek, Write};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use musher_array::{Array, Block, Shape};
use musher_graph_core::{Delayed, Facts, Inputs, Place, Site, TaskError, Touch};
use musher_scheduler::Compute;
use musher_scheduler::files::once;
use musher_scheduler::sink::{self, Receipt, Stage, Target, refuse_foreign, write_file};
use ndarray::{ArrayViewD, Dimension};

use crate::encode;
use crate::error::Error;
use crate::pixel::Pixel;
use crate::wire::port_of;

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
    write_file(path, |file| encode(path, pixels.view(), file)).map(drop)
}

/// Computes an array and writes each block as an image of its own into a new folder: `tile-0-0.png`, `tile-0-1.png`, …
///
/// The folder appears under its name when all its files are written; a folder of tiles that was there is replaced, in one step
/// where the file system can, else as [`sink`] says. The
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
    Ok(tiles(image, folder.as_ref(), ending, Site::caller())?.compute()?)
}

/// The writing of tiles, not yet done.
fn tiles<A: Pixel, D: Dimension>(
    image: &Array<A, D>,
    folder: &Path,
    ending: &str,
    caller: Site,
) -> Result<Delayed<()>, Error> {
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
    let tiles =
        Tiles { folder: folder.to_path_buf(), ending: ending.to_owned(), pixel: PhantomData::<fn() -> A> };
    once("what stands there", folder, &(), || refuse_foreign(folder, is_tile).map_err(Error::from))?;
    Ok(Delayed::from_port(sink::layers(tiles, &port_of(image), caller)))
}

/// A folder with an image for each block.
struct Tiles<A> {
    folder: PathBuf,
    ending: String,
    pixel: PhantomData<fn() -> A>,
}

impl<A> Tiles<A> {
    fn name(&self, at: Place<'_>) -> String {
        let coords = at.coords();
        format!("tile-{}-{}.{}", coords[0], coords[1], self.ending)
    }
}

impl<A: Pixel> sink::Format for Tiles<A> {
    type Written = ();

    fn labels(&self) -> [&'static str; 3] {
        ["open", "imsave", "imsave_tiles"]
    }

    fn target(&self) -> Result<Target, TaskError> {
        refuse_foreign(&self.folder, is_tile).map_err(Error::from)?;
        Ok(Target::folder(&self.folder))
    }

    fn write(&self, at: Place<'_>, inputs: &mut Inputs<'_>, stage: &Stage) -> Result<Receipt, TaskError> {
        let (name, block) = (self.name(at), inputs.get::<Block<A>>(0)?);
        let receipt = stage.write_part(&name, |file| {
            encode(&self.folder.join(&name), block.view(), file)?;
            Ok::<_, Error>(block.view().shape()[0] as u64)
        })?;
        Ok(receipt)
    }

    fn commit(&self, stage: &Stage, tiles: &[Receipt]) -> Result<(), TaskError> {
        refuse_foreign(&self.folder, is_tile).map_err(Error::from)?;
        stage.commit(tiles).map_err(Error::from)?;
        Ok(())
    }

    fn facts(&self, bytes: u64) -> Facts {
        Facts::bytes(Receipt::BYTES).scratch(bytes.saturating_mul(2)).written(bytes)
    }

    fn touches(&self, at: Place<'_>) -> Vec<Touch> {
        vec![Touch::write(self.folder.join(self.name(at)))]
    }

    fn replaces(&self) -> Vec<Touch> {
        vec![Touch::write(&self.folder)]
    }
}

/// Whether a file is called like a tile.
fn is_tile(name: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let numbers = name.strip_prefix("tile-").and_then(|name| name.split_once('.'));
    let numbers = numbers.and_then(|(numbers, _)| numbers.split_once('-'));
    numbers.is_some_and(|(row, column)| is_number(row) && is_number(column))
}

/// Refuses shapes that are no images.
fn check(operation: &'static str, shape: &[usize], caller: Site) -> Result<(), Error> {
    match shape {
        [_, _] | [_, _, 1..=4] => Ok(()),
        _ => Err(Error::Channels { operation, expected: "1 to 4", shape: Shape(shape.to_vec()), caller }),
    }
}

/// Writes rows of columns, of channels if there is a third axis.
fn encode<A: Pixel>(path: &Path, pixels: ArrayViewD<'_, A>, file: impl Write + Seek) -> Result<(), Error> {
    let mut shape = [0, 0, 1];
    shape[..pixels.ndim()].copy_from_slice(pixels.shape());
    let pixels = pixels.as_standard_layout();
    encode::encode(path, pixels.as_slice().unwrap_or_default(), shape, file)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use musher_array::Array;
    use musher_graph_core::Site;
    use musher_testkit::compute_twice;
    use ndarray::Ix2;

    #[test]
    fn parts_and_commit_may_run_twice_and_their_chunks_travel() {
        let parent = tempfile::tempdir().unwrap();
        let image = Array::<u16, Ix2>::from_shape_fn((20, 30), 7, |(row, column)| (row * 30 + column) as u16);
        let read = |folder: &str| {
            let mut names: Vec<_> =
                fs::read_dir(parent.path().join(folder)).unwrap().map(|e| e.unwrap().path()).collect();
            names.sort();
            let content =
                |path: &std::path::PathBuf| (path.file_name().unwrap().to_owned(), fs::read(path).unwrap());
            names.iter().map(content).collect::<Vec<_>>()
        };
        // TIFF fills in at its end what stands at the start.
        for ending in ["png", "tif"] {
            super::imsave_tiles(&image, parent.path().join("once"), ending).unwrap();
            for _ in 0..2 {
                let tiles =
                    super::tiles(&image, &parent.path().join("twice"), ending, Site::caller()).unwrap();
                compute_twice(&tiles);
                assert_eq!(read("once").len(), 15);
                assert_eq!(read("once"), read("twice"));
                assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 2);
            }
        }
    }
}
