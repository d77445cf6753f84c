//! From a file to pixels: headers when the graph is built, pixels when it runs.
//!
//! Every byte of a file is taken as hostile: a header decides on memory only below a limit, what the pixels turn out to
//! be is compared with what the header said, and every failure names the file.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;

use image::{ImageDecoder, ImageError, ImageReader, Limits};
use musher_array::kernel::memory::zeros;
use tiff::decoder::{ChunkType, Decoder, Limits as TiffLimits};
use tiff::tags::{PlanarConfiguration, Tag};
use tiff::{ColorType as TiffColor, TiffError};

use crate::error::Error;
use crate::files::require_file;
use crate::pixel::{Pixel, number_name};

/// What the pixels of one image may take, if nobody says otherwise: 512 MiB.
pub(crate) const MAX_DECODED_BYTES: u64 = 512 << 20;

/// What a file says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    /// Rows, columns, channels.
    pub(crate) shape: [usize; 3],
    /// Whether rows can be read without decoding those before them.
    pub(crate) by_rows: bool,
    /// Length of the file in bytes.
    pub(crate) file_bytes: u64,
    /// When the file was changed, in nanoseconds since 1970, where the system tells.
    pub(crate) modified: Option<u128>,
}

type Source = BufReader<File>;

fn open(path: &Path) -> Result<Source, Error> {
    require_file(path)?;
    let file =
        File::open(path).map_err(|source| Error::Io { path: path.to_path_buf(), action: "open", source })?;
    Ok(BufReader::new(file))
}

fn refused(path: &Path) -> impl Fn(ImageError) -> Error {
    let path = path.to_path_buf();
    move |error| match error {
        ImageError::IoError(source) => Error::Io { path: path.clone(), action: "read", source },
        other => Error::Decode { path: path.clone(), source: other.into() },
    }
}

fn refused_tiff(path: &Path) -> impl Fn(TiffError) -> Error {
    let path = path.to_path_buf();
    move |error| match error {
        TiffError::IoError(source) => Error::Io { path: path.clone(), action: "read", source },
        other => Error::Decode { path: path.clone(), source: other.into() },
    }
}

fn reader(path: &Path, limit: u64) -> Result<ImageReader<Source>, Error> {
    let mut reader = ImageReader::new(open(path)?).with_guessed_format().map_err(|source| Error::Io {
        path: path.to_path_buf(),
        action: "read",
        source,
    })?;
    let mut limits = Limits::default();
    limits.max_alloc = Some(limit);
    reader.limits(limits);
    Ok(reader)
}

/// Reads what a file says of itself, and refuses it if its pixels are not of type `A` or take more than `limit` bytes.
pub(crate) fn header<A: Pixel>(path: &Path, limit: u64) -> Result<Header, Error> {
    let reader = reader(path, limit)?;
    let is_tiff = reader.format() == Some(image::ImageFormat::Tiff);
    let decoder = reader.into_decoder().map_err(refused(path))?;
    let ((width, height), color) = (decoder.dimensions(), decoder.color_type());
    let bytes = decoder.total_bytes();
    if bytes > limit {
        return Err(Error::TooLarge { path: path.to_path_buf(), width, height, bytes, limit });
    }
    match number_name(color) {
        Some(found) if found == A::NAME => {}
        found => {
            let found = found.unwrap_or("of an unknown type");
            return Err(Error::PixelType { path: path.to_path_buf(), expected: A::NAME, found });
        }
    }
    let facts = std::fs::metadata(path).map_err(|source| Error::Io {
        path: path.to_path_buf(),
        action: "open",
        source,
    })?;
    let modified = facts.modified().ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    let shape = [height as usize, width as usize, usize::from(color.channel_count())];
    let by_rows = is_tiff && Strips::open::<A>(path, shape, limit)?.is_some();
    Ok(Header { shape, by_rows, file_bytes: facts.len(), modified: modified.map(|since| since.as_nanos()) })
}

/// Decodes a whole image; its shape must be the one that its header had.
pub(crate) fn whole<A: Pixel>(path: &Path, shape: [usize; 3], limit: u64) -> Result<Vec<A>, Error> {
    let image = reader(path, limit)?.decode().map_err(refused(path))?;
    let found = [image.height() as usize, image.width() as usize, usize::from(image.color().channel_count())];
    if found != shape {
        return Err(Error::FileShape { path: path.to_path_buf(), expected: shape, found });
    }
    let found = number_name(image.color()).unwrap_or("of an unknown type");
    A::of_image(image).ok_or(Error::PixelType { path: path.to_path_buf(), expected: A::NAME, found })
}

/// Decodes some rows of an image whose header said `by_rows`.
pub(crate) fn rows<A: Pixel>(
    path: &Path,
    shape: [usize; 3],
    rows: Range<usize>,
    limit: u64,
) -> Result<Vec<A>, Error> {
    match Strips::open::<A>(path, shape, limit)? {
        Some(mut strips) => strips.read(path, rows),
        None => {
            // The file has changed since its header was read; it is still an image of this shape.
            let line = shape[1] * shape[2];
            let mut pixels = whole::<A>(path, shape, limit)?;
            pixels.truncate(rows.end * line);
            pixels.drain(..rows.start * line);
            Ok(pixels)
        }
    }
}

/// A TIFF file whose strips or tiles hold the pixels as they will be.
struct Strips {
    decoder: Decoder<Source>,
    shape: [usize; 3],
    /// Rows and columns of a strip or tile that does not touch the edge.
    piece: (usize, usize),
}

impl Strips {
    /// Opens a TIFF file by strips; `None` when its pixels need a treatment that only the whole decoder gives.
    fn open<A: Pixel>(path: &Path, shape: [usize; 3], limit: u64) -> Result<Option<Strips>, Error> {
        let mut source = open(path)?;
        let mut magic = [0; 4];
        let is_tiff = source.read_exact(&mut magic).is_ok()
            && matches!(&magic, b"II*\0" | b"MM\0*" | b"II+\0" | b"MM\0+");
        if !is_tiff {
            return Ok(None);
        }
        source.seek(SeekFrom::Start(0)).map_err(|source| Error::Io {
            path: path.to_path_buf(),
            action: "read",
            source,
        })?;
        let refused = refused_tiff(path);
        let mut limits = TiffLimits::default();
        limits.decoding_buffer_size = usize::try_from(limit).unwrap_or(usize::MAX);
        limits.intermediate_buffer_size = limits.decoding_buffer_size;
        let mut decoder = Decoder::new(source).map_err(&refused)?.with_limits(limits);
        let (width, height) = decoder.dimensions().map_err(&refused)?;
        let (channels, bits) = match decoder.colortype().map_err(&refused)? {
            TiffColor::Gray(bits) => (1, bits),
            TiffColor::GrayA(bits) => (2, bits),
            TiffColor::RGB(bits) => (3, bits),
            TiffColor::RGBA(bits) => (4, bits),
            _ => return Ok(None),
        };
        let planar = decoder.find_tag_unsigned::<u16>(Tag::PlanarConfiguration).map_err(&refused)?;
        let interleaved = planar.is_none_or(|planar| planar == PlanarConfiguration::Chunky.to_u16());
        let as_expected = [height as usize, width as usize, channels] == shape;
        if !(as_expected && interleaved && usize::from(bits) == 8 * A::BYTES) {
            return Ok(None);
        }
        let (columns, rows) = decoder.chunk_dimensions();
        let piece = match decoder.get_chunk_type() {
            ChunkType::Strip => (rows as usize, width as usize),
            ChunkType::Tile => (rows as usize, columns as usize),
        };
        Ok((piece.0 > 0 && piece.1 > 0).then_some(Strips { decoder, shape, piece }))
    }

    /// Reads rows by decoding the strips or tiles that they touch, and no others.
    fn read<A: Pixel>(&mut self, path: &Path, rows: Range<usize>) -> Result<Vec<A>, Error> {
        let [_, width, channels] = self.shape;
        let across = width.div_ceil(self.piece.1);
        let mut pixels = zeros::<A>(rows.len() * width * channels)?;
        for down in rows.start / self.piece.0..rows.end.div_ceil(self.piece.0) {
            for along in 0..across {
                let number = (down * across + along) as u32;
                let (columns, lines) = self.decoder.chunk_data_dimensions(number);
                let result = self.decoder.read_chunk(number).map_err(refused_tiff(path))?;
                let line = columns as usize * channels;
                let values = A::of_tiff(result).filter(|values| values.len() == line * lines as usize);
                let Some(values) = values else {
                    let source = format!("strip {number} does not hold the pixels that the header announces");
                    return Err(Error::Decode { path: path.to_path_buf(), source: source.into() });
                };
                let first = down * self.piece.0;
                for row in rows.start.max(first)..rows.end.min(first + lines as usize) {
                    let to = ((row - rows.start) * width + along * self.piece.1) * channels;
                    pixels[to..to + line].copy_from_slice(&values[(row - first) * line..][..line]);
                }
            }
        }
        Ok(pixels)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use tiff::encoder::{TiffEncoder, colortype};

    use super::{MAX_DECODED_BYTES, header, rows, whole};
    use crate::encode;
    use crate::error::Error;
    use crate::pixel::Pixel;

    const SHAPE: [usize; 3] = [13, 7, 3];

    fn picture() -> Vec<u8> {
        (0..SHAPE.iter().product()).map(|at: usize| (at * 37 % 251) as u8).collect()
    }

    fn saved(folder: &Path, name: &str) -> PathBuf {
        let path = folder.join(name);
        encode::write(&path, &picture(), SHAPE).unwrap();
        path
    }

    /// A TIFF file of strips of five rows.
    fn striped<C>(folder: &Path, values: &[C::Inner], compress: bool) -> PathBuf
    where
        C: colortype::ColorType,
        [C::Inner]: tiff::encoder::TiffValue,
    {
        let path = folder.join("strips.tif");
        let compression = match compress {
            true => tiff::encoder::Compression::Deflate(Default::default()),
            false => tiff::encoder::Compression::Uncompressed,
        };
        let file = std::io::BufWriter::new(fs::File::create(&path).unwrap());
        let mut encoder = TiffEncoder::new(file).unwrap().with_compression(compression);
        let mut image = encoder.new_image::<C>(SHAPE[1] as u32, SHAPE[0] as u32).unwrap();
        image.rows_per_strip(5).unwrap();
        image.write_data(values).unwrap();
        path
    }

    #[test]
    fn what_is_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.png", "a.tif", "a.bmp", "a.ppm", "a.webp"] {
            let path = saved(folder.path(), name);
            let found = header::<u8>(&path, MAX_DECODED_BYTES).unwrap();
            assert_eq!(found.shape, SHAPE, "{name}");
            assert_eq!(found.file_bytes, fs::metadata(&path).unwrap().len());
            assert_eq!(whole::<u8>(&path, SHAPE, MAX_DECODED_BYTES).unwrap(), picture(), "{name}");
        }
        let gray = folder.path().join("gray.png");
        let values: Vec<u16> = (0..91).map(|at| at * 700).collect();
        encode::write(&gray, &values, [13, 7, 1]).unwrap();
        assert_eq!(whole::<u16>(&gray, [13, 7, 1], MAX_DECODED_BYTES).unwrap(), values);
        let none_beside = fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(none_beside, 6, "nothing is left beside the files");
    }

    #[track_caller]
    fn check_rows<A: Pixel>(path: &Path, shape: [usize; 3], by_rows: bool) {
        assert_eq!(header::<A>(path, MAX_DECODED_BYTES).unwrap().by_rows, by_rows);
        let all = whole::<A>(path, shape, MAX_DECODED_BYTES).unwrap();
        let line = shape[1] * shape[2];
        for begin in 0..=shape[0] {
            for end in begin..=shape[0] {
                let found = rows::<A>(path, shape, begin..end, MAX_DECODED_BYTES).unwrap();
                assert_eq!(found, all[begin * line..end * line], "{begin}..{end}");
            }
        }
    }

    #[test]
    fn rows_of_strips_equal_the_whole() {
        let folder = tempfile::tempdir().unwrap();
        for compress in [false, true] {
            check_rows::<u8>(&striped::<colortype::RGB8>(folder.path(), &picture(), compress), SHAPE, true);
        }
        let values: Vec<u16> = (0..91).map(|at| at * 700).collect();
        check_rows::<u16>(&striped::<colortype::Gray16>(folder.path(), &values, false), [13, 7, 1], true);
        let values: Vec<f32> = picture().iter().map(|&value| f32::from(value) / 3.0).collect();
        check_rows::<f32>(&striped::<colortype::RGB32Float>(folder.path(), &values, true), SHAPE, true);
        check_rows::<u8>(&saved(folder.path(), "a.png"), SHAPE, false);
    }

    #[test]
    fn a_file_of_other_numbers_or_another_shape_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = saved(folder.path(), "a.png");
        assert!(matches!(
            header::<u16>(&path, MAX_DECODED_BYTES),
            Err(Error::PixelType { expected: "u16", found: "u8", .. })
        ));
        assert!(matches!(whole::<f32>(&path, SHAPE, MAX_DECODED_BYTES), Err(Error::PixelType { .. })));
        let error = whole::<u8>(&path, [7, 13, 3], MAX_DECODED_BYTES).unwrap_err();
        assert!(error.to_string().contains("a.png") && error.to_string().contains("[13, 7, 3]"), "{error}");
        let error = header::<u8>(&path, 100).unwrap_err();
        assert!(error.to_string().contains("header says 7 x 13 (273 bytes), limit 100 bytes"), "{error}");
    }

    #[test]
    fn a_bomb_is_refused_by_its_header() {
        // A PNG header of 100,000 x 100,000 pixels and nothing else.
        let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\x01\x86\xa0\0\x01\x86\xa0\x08\x02\0\0\0".to_vec();
        bytes.extend(crc(&bytes[12..]).to_be_bytes());
        bytes.extend(b"\0\0\0\0IDAT\x35\xaf\x06\x1e");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bomb.png");
        fs::write(&path, bytes).unwrap();
        let error = header::<u8>(&path, MAX_DECODED_BYTES).unwrap_err();
        assert!(matches!(error, Error::TooLarge { width: 100_000, .. }), "{error:?}");
    }

    /// The checksum of a PNG chunk.
    fn crc(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(u32::MAX, |crc, &byte| {
            (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg()))
        })
    }

    #[test]
    fn damaged_files_are_errors_or_images_but_never_panics() {
        let folder = tempfile::tempdir().unwrap();
        let mut originals: Vec<Vec<u8>> = ["a.png", "a.bmp", "a.ppm", "a.webp"]
            .iter()
            .map(|name| fs::read(saved(folder.path(), name)).unwrap())
            .collect();
        originals.push(fs::read(striped::<colortype::RGB8>(folder.path(), &picture(), true)).unwrap());
        originals.push(fs::read(striped::<colortype::RGB8>(folder.path(), &picture(), false)).unwrap());
        let path = folder.path().join("damaged");
        let limit = 1 << 20;
        let (mut state, mut refused) = (1_u64, 0);
        for round in 0..3000 {
            let mut bytes = originals[round % originals.len()].clone();
            for _ in 0..1 + round % 3 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let at = (state >> 33) as usize % bytes.len();
                match round % 4 {
                    0 => bytes.truncate(at.max(1)),
                    1 => bytes[at] ^= 1 << (state >> 60 & 7),
                    2 => bytes[at] = 0xFF,
                    _ => bytes[at] = (state >> 20) as u8,
                }
            }
            // A new file each time: some file systems flush what is overwritten.
            let _ = fs::remove_file(&path);
            fs::write(&path, &bytes).unwrap();
            let Ok(header) = header::<u8>(&path, limit) else {
                refused += 1;
                continue;
            };
            let count: usize = header.shape.iter().product();
            if let Ok(pixels) = whole::<u8>(&path, header.shape, limit) {
                assert_eq!(pixels.len(), count);
            }
            let end = header.shape[0].min(3);
            if let Ok(pixels) = rows::<u8>(&path, header.shape, 0..end, limit) {
                assert_eq!(pixels.len(), end * header.shape[1] * header.shape[2]);
            }
        }
        assert!(refused > 100, "{refused}");
    }
}
