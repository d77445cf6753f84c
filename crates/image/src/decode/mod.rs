//! From a file to pixels: headers when the graph is built, pixels when it runs.
//!
//! Every byte of a file is taken as hostile: a header decides on memory only below a limit, what the pixels turn out to
//! be is compared with what the header said, and every failure names the file.
//!
//! A file may hold several images, called pages whatever the format calls them. TIFF is read here, page by page, strip by
//! strip; every other format by the image crate, which reads one image of a file.

mod animation;
mod tiff;

use std::fs::File;
use std::io::{BufReader, Read};
use std::ops::Range;
use std::path::Path;

use image::{ImageDecoder, ImageError, ImageReader, Limits};
use musher_scheduler::files::FileFacts;

use crate::error::{Error, PageKind};
use crate::pixel::{Pixel, number_name};

/// What the pixels of one image may take, by default: 512 MiB.
pub(crate) const MAX_DECODED_BYTES: u64 = 512 << 20;

/// One image of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Page {
    /// Which of the file's images it is.
    pub(crate) index: usize,
    pub(crate) kind: PageKind,
    /// Where a TIFF file describes it; `None` where the whole file is decoded by the image crate.
    pub(crate) directory: Option<u64>,
    /// Whether rows can be read without decoding those before them.
    pub(crate) by_rows: bool,
    /// Bytes of the largest piece that is decoded at a time: a strip or tile, or all of it.
    pub(crate) piece_bytes: u64,
}

impl Page {
    /// The first page, decoded as a whole.
    fn whole(kind: PageKind) -> Page {
        Page { index: 0, kind, directory: None, by_rows: false, piece_bytes: 0 }
    }
}

/// Opens a file if it is still the one that was found.
fn open(facts: &FileFacts) -> Result<File, Error> {
    Ok(facts.open()?)
}

fn refused(path: &Path) -> impl Fn(ImageError) -> Error {
    let path = path.to_path_buf();
    move |error| match error {
        ImageError::IoError(source) => Error::Io { path: path.clone(), action: "read", source },
        other => Error::Decode { path: path.clone(), source: other.into() },
    }
}

fn reader(facts: &FileFacts, limit: u64) -> Result<ImageReader<BufReader<File>>, Error> {
    let reader = ImageReader::new(BufReader::new(open(facts)?));
    let mut reader = reader.with_guessed_format().map_err(|source| Error::Io {
        path: facts.path().to_path_buf(),
        action: "read",
        source,
    })?;
    let mut limits = Limits::default();
    limits.max_alloc = Some(limit);
    reader.limits(limits);
    Ok(reader)
}

/// Reads what a file says of its images, at least one, and refuses it if its pixels are not of type `A` or those of one image take more than
/// `limit` bytes.
///
/// `choice` is the one page to look at; otherwise all of them, which are alike.
pub(crate) fn pages<A: Pixel>(
    facts: &FileFacts,
    limit: u64,
    choice: Option<usize>,
) -> Result<Vec<Page>, Error> {
    let mut magic = Vec::new();
    open(facts)?.take(4).read_to_end(&mut magic).map_err(|source| Error::Io {
        path: facts.path().to_path_buf(),
        action: "read",
        source,
    })?;
    match <[u8; 4]>::try_from(magic) {
        Ok(magic) if tiff::is_tiff(magic) => tiff::pages::<A>(facts, limit, choice),
        _ => Ok(vec![only_page::<A>(facts, limit, choice)?]),
    }
}

/// The image of a file of which the image crate reads one.
fn only_page<A: Pixel>(facts: &FileFacts, limit: u64, choice: Option<usize>) -> Result<Page, Error> {
    let path = facts.path();
    let reader = reader(facts, limit)?;
    if choice != Some(0)
        && let Some(format) = reader.format()
    {
        let mut file = BufReader::new(open(facts)?);
        let has_more = animation::has_more_frames(format, &mut file);
        let failed = |source| Error::Io { path: path.to_path_buf(), action: "read", source };
        if has_more.map_err(failed)? {
            return Err(Error::FirstPageOnly { path: path.to_path_buf() });
        }
    }
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
    if let Some(page @ 1..) = choice {
        return Err(Error::NoSuchPage { path: path.to_path_buf(), page, pages: 1 });
    }
    let shape = [height as usize, width as usize, usize::from(color.channel_count())];
    Ok(Page { piece_bytes: bytes, ..Page::whole(PageKind { shape, numbers: A::NAME }) })
}

/// Decodes a whole page; its shape must be the one that its header had.
pub(crate) fn whole<A: Pixel>(facts: &FileFacts, page: &Page, limit: u64) -> Result<Vec<A>, Error> {
    rows(facts, page, 0..page.kind.shape[0], limit)
}

/// Decodes some rows of a page, which are the cheaper the fewer they are if its header said `by_rows`.
pub(crate) fn rows<A: Pixel>(
    facts: &FileFacts,
    page: &Page,
    rows: Range<usize>,
    limit: u64,
) -> Result<Vec<A>, Error> {
    if let Some(directory) = page.directory {
        return tiff::Strips::open(facts, page, directory, limit)?.read(facts.path(), rows);
    }
    let path = facts.path();
    let shape = page.kind.shape;
    let image = reader(facts, limit)?.decode().map_err(refused(path))?;
    let found = [image.height() as usize, image.width() as usize, usize::from(image.color().channel_count())];
    if found != shape {
        return Err(Error::FileShape { path: path.to_path_buf(), expected: shape, found });
    }
    let found = number_name(image.color()).unwrap_or("of an unknown type");
    let pixels = A::of_image(image);
    let wrong = Error::PixelType { path: path.to_path_buf(), expected: A::NAME, found };
    let mut pixels = pixels.ok_or(wrong)?;
    let line = shape[1] * shape[2];
    pixels.truncate(rows.end * line);
    pixels.drain(..rows.start * line);
    Ok(pixels)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::path::{Path, PathBuf};

    use musher_scheduler::files::FileFacts;
    use tiff::encoder::{TiffEncoder, colortype};

    use super::{MAX_DECODED_BYTES, Page, pages, rows};
    use crate::encode;
    use crate::error::Error;
    use crate::pixel::Pixel;

    const SHAPE: [usize; 3] = [13, 7, 3];

    fn picture() -> Vec<u8> {
        (0..SHAPE.iter().product()).map(|at: usize| (at * 37 % 251) as u8).collect()
    }

    fn saved(folder: &Path, name: &str) -> PathBuf {
        let path = folder.join(name);
        encode::encode(&path, &picture(), SHAPE, File::create(&path).unwrap()).unwrap();
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

    /// The only page of a file.
    fn page<A: Pixel>(path: &Path, limit: u64) -> Result<Page, Error> {
        let pages = pages::<A>(&facts(path), limit, None)?;
        assert_eq!(pages.len(), 1);
        Ok(pages[0])
    }

    fn facts(path: &Path) -> FileFacts {
        FileFacts::of(path).unwrap()
    }

    fn whole<A: Pixel>(path: &Path, page: &Page, limit: u64) -> Result<Vec<A>, Error> {
        super::whole(&facts(path), page, limit)
    }

    #[test]
    fn what_is_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.png", "a.tif", "a.bmp", "a.ppm", "a.webp"] {
            let path = saved(folder.path(), name);
            let found = page::<u8>(&path, MAX_DECODED_BYTES).unwrap();
            assert_eq!(found.kind.shape, SHAPE, "{name}");
            assert_eq!(whole::<u8>(&path, &found, MAX_DECODED_BYTES).unwrap(), picture(), "{name}");
        }
        let gray = folder.path().join("gray.png");
        let values: Vec<u16> = (0..91).map(|at| at * 700).collect();
        encode::encode(&gray, &values, [13, 7, 1], File::create(&gray).unwrap()).unwrap();
        let found = page::<u16>(&gray, MAX_DECODED_BYTES).unwrap();
        assert_eq!(whole::<u16>(&gray, &found, MAX_DECODED_BYTES).unwrap(), values);
        let none_beside = fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(none_beside, 6, "nothing is left beside the files");
    }

    #[track_caller]
    fn check_rows<A: Pixel>(path: &Path, expected: &[A], shape: [usize; 3], by_rows: bool) {
        let page = page::<A>(path, MAX_DECODED_BYTES).unwrap();
        assert_eq!((page.kind.shape, page.by_rows), (shape, by_rows));
        let all = whole::<A>(path, &page, MAX_DECODED_BYTES).unwrap();
        assert_eq!(all, expected);
        let line = shape[1] * shape[2];
        for begin in 0..=shape[0] {
            for end in begin..=shape[0] {
                let found = rows::<A>(&facts(path), &page, begin..end, MAX_DECODED_BYTES).unwrap();
                assert_eq!(found, all[begin * line..end * line], "{begin}..{end}");
            }
        }
    }

    #[test]
    fn rows_of_strips_equal_the_whole() {
        let folder = tempfile::tempdir().unwrap();
        for compress in [false, true] {
            let path = striped::<colortype::RGB8>(folder.path(), &picture(), compress);
            check_rows::<u8>(&path, &picture(), SHAPE, true);
        }
        let values: Vec<u16> = (0..91).map(|at| at * 700).collect();
        let path = striped::<colortype::Gray16>(folder.path(), &values, false);
        check_rows::<u16>(&path, &values, [13, 7, 1], true);
        let values: Vec<f32> = picture().iter().map(|&value| f32::from(value) / 3.0).collect();
        let path = striped::<colortype::RGB32Float>(folder.path(), &values, true);
        check_rows::<f32>(&path, &values, SHAPE, true);
        check_rows::<u8>(&saved(folder.path(), "a.png"), &picture(), SHAPE, false);
    }

    #[test]
    fn a_file_of_other_numbers_or_another_shape_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = saved(folder.path(), "a.png");
        assert!(matches!(
            page::<u16>(&path, MAX_DECODED_BYTES),
            Err(Error::PixelType { expected: "u16", found: "u8", .. })
        ));
        for path in [path.clone(), saved(folder.path(), "a.tif")] {
            let mut found = page::<u8>(&path, MAX_DECODED_BYTES).unwrap();
            assert!(whole::<f32>(&path, &found, MAX_DECODED_BYTES).is_err());
            found.kind.shape = [7, 13, 3];
            let error = whole::<u8>(&path, &found, MAX_DECODED_BYTES).unwrap_err().to_string();
            assert!(error.contains("a.") && error.contains("[13, 7, 3]"), "{error}");
        }
        let error = page::<u8>(&path, 100).unwrap_err();
        assert!(error.to_string().contains("header says 7 x 13 (273 bytes), limit 100 bytes"), "{error}");
    }

    fn golden(name: &str) -> PathBuf {
        Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../testkit/golden/image_files")).join(name)
    }

    #[test]
    fn pages_know_which_they_are() {
        let pages = pages::<u8>(&facts(&golden("pages.tif")), MAX_DECODED_BYTES, None).unwrap();
        let indices: Vec<usize> = pages.iter().map(|page| page.index).collect();
        assert!(indices.len() > 1 && indices.iter().copied().eq(0..indices.len()), "{indices:?}");
    }

    #[test]
    fn half_precision_takes_what_single_precision_takes() {
        let (half, single) = (golden("gray_float16.tif"), golden("gray_float32.tif"));
        let (half, single) = (
            page::<f32>(&half, MAX_DECODED_BYTES).unwrap(),
            page::<f32>(&single, MAX_DECODED_BYTES).unwrap(),
        );
        assert_eq!((half.kind, half.piece_bytes), (single.kind, single.piece_bytes));
        let bytes = 4 * half.kind.shape.iter().product::<usize>() as u64;
        let error = page::<f32>(&golden("gray_float16.tif"), bytes - 1).unwrap_err();
        assert!(matches!(error, Error::TooLarge { bytes: found, .. } if found == bytes), "{error}");
        assert!(page::<f32>(&golden("gray_float16.tif"), bytes).is_ok());
    }

    #[test]
    fn only_the_first_page_may_be_cmyk() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("inks.tif");
        let write = |cmyk_first: bool| {
            let file = std::io::BufWriter::new(fs::File::create(&path).unwrap());
            let mut encoder = TiffEncoder::new(file).unwrap();
            for is_cmyk in [cmyk_first, !cmyk_first] {
                match is_cmyk {
                    true => {
                        encoder.write_image::<colortype::CMYK8>(2, 1, &[0, 0, 0, 0, 255, 0, 0, 0]).unwrap()
                    }
                    false => encoder.write_image::<colortype::RGB8>(2, 1, &[1, 2, 3, 4, 5, 6]).unwrap(),
                }
            }
        };
        let read = |choice| {
            let pages = pages::<u8>(&facts(&path), MAX_DECODED_BYTES, choice)?;
            pages
                .iter()
                .map(|page| whole::<u8>(&path, page, MAX_DECODED_BYTES))
                .collect::<Result<Vec<_>, _>>()
        };
        let (inks, colors) = (vec![255, 255, 255, 0, 255, 255], vec![1, 2, 3, 4, 5, 6]);
        write(true);
        assert_eq!(read(None).unwrap(), [inks.clone(), colors.clone()]);
        assert_eq!(read(Some(0)).unwrap(), [inks]);
        assert_eq!(read(Some(1)).unwrap(), std::slice::from_ref(&colors));
        write(false);
        assert_eq!(read(Some(0)).unwrap(), [colors]);
        for choice in [None, Some(1)] {
            let error = read(choice).unwrap_err();
            assert!(matches!(error, Error::Unreadable { page: 1, .. }), "{error}");
            assert!(error.to_string().contains("CMYK colors behind another image"), "{error}");
        }
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
        let error = page::<u8>(&path, MAX_DECODED_BYTES).unwrap_err();
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
        for name in ["pages.tif", "bilevel.tif", "tiles_color.tif", "animated.png", "animated.webp"] {
            originals.push(fs::read(golden(name)).unwrap());
        }
        originals.push(fs::read(striped::<colortype::RGB8>(folder.path(), &picture(), true)).unwrap());
        originals.push(fs::read(striped::<colortype::RGB8>(folder.path(), &picture(), false)).unwrap());
        let path = folder.path().join("damaged");
        let limit = 1 << 20;
        let (mut state, mut refused) = (1_u64, 0);
        for round in 0..5500 {
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
            let Ok(pages) = pages::<u8>(&facts(&path), limit, None) else {
                refused += 1;
                continue;
            };
            for page in pages {
                let shape = page.kind.shape;
                if let Ok(pixels) = whole::<u8>(&path, &page, limit) {
                    assert_eq!(pixels.len(), shape.iter().product::<usize>());
                }
                let end = shape[0].min(3);
                if let Ok(pixels) = rows::<u8>(&facts(&path), &page, 0..end, limit) {
                    assert_eq!(pixels.len(), end * shape[1] * shape[2]);
                }
            }
        }
        assert!(refused > 100, "{refused}");
    }
}
