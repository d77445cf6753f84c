//! From pixels to the bytes of a file.

use std::io::{BufWriter, Seek, Write};
use std::path::Path;

use image::{ExtendedColorType, ImageFormat};

use crate::error::Error;
use crate::pixel::Pixel;

/// The format that the ending of a file name means, if it can be written.
pub(crate) fn format_of(path: &Path) -> Result<ImageFormat, Error> {
    ImageFormat::from_path(path)
        .ok()
        .filter(ImageFormat::writing_enabled)
        .ok_or_else(|| Error::Format { path: path.to_path_buf() })
}

/// Writes an image into a file; `path` says in which format, and is what errors name.
///
/// `pixels` are rows of columns of channels.
pub(crate) fn encode<A: Pixel>(
    path: &Path,
    pixels: &[A],
    shape: [usize; 3],
    file: impl Write + Seek,
) -> Result<(), Error> {
    let format = format_of(path)?;
    let unfit =
        |source: Box<dyn std::error::Error + Send + Sync>| Error::Encode { path: path.to_path_buf(), source };
    let side = |length: usize| u32::try_from(length).map_err(|source| unfit(source.into()));
    let ([height, width], channels) = ([side(shape[0])?, side(shape[1])?], shape[2]);
    let no_color = || unfit(format!("{channels} channels of {}", A::NAME).into());
    let failed = |source| Error::Io { path: path.to_path_buf(), action: "write", source };
    let mut writer = BufWriter::new(file);
    if format == ImageFormat::Tiff {
        let written = A::write_tiff(pixels, [height, width], channels, &mut writer).ok_or_else(no_color)?;
        written.map_err(|source| unfit(source.into()))?;
        return writer.flush().map_err(failed);
    }
    let color = match (A::NAME, channels) {
        ("u8", 1) => ExtendedColorType::L8,
        ("u8", 2) => ExtendedColorType::La8,
        ("u8", 3) => ExtendedColorType::Rgb8,
        ("u8", 4) => ExtendedColorType::Rgba8,
        ("u16", 1) => ExtendedColorType::L16,
        ("u16", 2) => ExtendedColorType::La16,
        ("u16", 3) => ExtendedColorType::Rgb16,
        ("u16", 4) => ExtendedColorType::Rgba16,
        ("f32", 3) => ExtendedColorType::Rgb32F,
        ("f32", 4) => ExtendedColorType::Rgba32F,
        _ => return Err(no_color()),
    };
    image::write_buffer_with_format(&mut writer, &A::bytes(pixels), width, height, color, format)
        .map_err(|source| unfit(source.into()))?;
    writer.flush().map_err(failed)
}
