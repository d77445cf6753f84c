//! TIFF: its pages, and the strips or tiles of each.
//!
//! A page is found once, when the graph is built; what runs later enters the file at the directory of its page, so that
//! a thousand pages cost a thousand directories and not half a million.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;

use musher_array::kernel::memory::zeros;
use musher_scheduler::files::FileFacts;
use tiff::decoder::{ChunkType, Decoder, DecodingResult, Limits};
use tiff::tags::{PlanarConfiguration, Tag};
use tiff::{ColorType, TiffError};

use super::{Page, open};
use crate::error::{Error, PageKind};
use crate::pixel::Pixel;

/// Whether a file begins as a TIFF file does.
pub(super) fn is_tiff(magic: [u8; 4]) -> bool {
    matches!(&magic, b"II*\0" | b"MM\0*" | b"II+\0" | b"MM\0+")
}

/// Reads the directories of a file's pages, of `choice` alone if there is one.
///
/// Pages that are read together are alike.
pub(super) fn pages<A: Pixel>(
    facts: &FileFacts,
    limit: u64,
    choice: Option<usize>,
) -> Result<Vec<Page>, Error> {
    let path = facts.path();
    let refused = refused(path);
    let mut decoder =
        Decoder::new(BufReader::new(open(facts)?)).map_err(&refused)?.with_limits(limits(limit));
    let hides_pages = hides_pages(&mut decoder);
    let mut pages = Vec::<Page>::new();
    for index in 0.. {
        if choice.is_none_or(|choice| choice == index) {
            let found = page(path, &mut decoder, index, limit)?;
            require::<A>(path, index, &found, pages.first())?;
            pages.push(found);
        }
        if choice == Some(index) {
            return Ok(pages);
        }
        if !decoder.more_images() {
            let count = index + 1;
            return match choice {
                Some(page) => Err(Error::NoSuchPage { path: path.to_path_buf(), page, pages: count }),
                None if count == 1 && hides_pages => Err(Error::FirstPageOnly { path: path.to_path_buf() }),
                None => Ok(pages),
            };
        }
        decoder.next_image().map_err(&refused)?;
    }
    Ok(pages)
}

/// Refuses a page that holds other numbers than asked for, or is unlike the first that was read.
fn require<A: Pixel>(path: &Path, index: usize, page: &Page, first: Option<&Page>) -> Result<(), Error> {
    let path = || path.to_path_buf();
    match first {
        Some(first) if first.kind != page.kind => {
            Err(Error::PageDiffers { path: path(), page: index, expected: first.kind, found: page.kind })
        }
        None if page.kind.numbers != A::NAME => {
            Err(Error::PixelType { path: path(), expected: A::NAME, found: page.kind.numbers })
        }
        _ => Ok(()),
    }
}

/// Whether a description in the first directory tells of pages that have no directory, as programs write them for speed
/// or beyond 4 GiB: ImageJ, and tifffile when it truncates.
fn hides_pages(decoder: &mut Decoder<impl Read + Seek>) -> bool {
    let Ok(text) = decoder.get_tag_ascii_string(Tag::ImageDescription) else { return false };
    let several = |line: &str| line.strip_prefix("images=").and_then(|n| n.trim().parse().ok()) > Some(1_u64);
    (text.starts_with("ImageJ=") && text.lines().any(several)) || text.contains("\"truncated\": true")
}

/// What the directory says that the decoder stands at.
fn page(
    path: &Path,
    decoder: &mut Decoder<impl Read + Seek>,
    index: usize,
    limit: u64,
) -> Result<Page, Error> {
    let (width, height) = decoder.dimensions().map_err(refused(path))?;
    let layout = layout(decoder).map_err(|why| match why {
        Why::Tiff(error) => refused(path)(error),
        Why::Has(found) => Error::Unreadable { path: path.to_path_buf(), page: index, found },
    })?;
    let pixels = u64::from(width) * u64::from(height);
    let bytes = pixels.saturating_mul(layout.channels as u64 * layout.number_bytes());
    if bytes > limit {
        return Err(Error::TooLarge { path: path.to_path_buf(), width, height, bytes, limit });
    }
    let kind =
        PageKind { shape: [height as usize, width as usize, layout.channels], numbers: layout.numbers };
    if layout.by_image {
        // The image crate reads the first image of a file and no other.
        if index > 0 {
            let found = "CMYK colors behind another image, where only those of the first can be read".into();
            return Err(Error::Unreadable { path: path.to_path_buf(), page: index, found });
        }
        return Ok(Page { index, ..Page::whole(kind) });
    }
    let (columns, rows) = decoder.chunk_dimensions();
    let piece = u64::from(rows.min(height)) * u64::from(columns.min(width));
    Ok(Page {
        index,
        directory: decoder.ifd_pointer().map(|pointer| pointer.0),
        // A page in one strip is decoded once for all its blocks.
        by_rows: rows < height,
        piece_bytes: piece * bytes.checked_div(pixels).unwrap_or(0),
        ..Page::whole(kind)
    })
}

/// How the numbers of a page lie in its strips or tiles.
#[derive(Debug, Clone, Copy)]
struct Layout {
    channels: usize,
    /// Bits of a number in the file.
    bits: u8,
    /// The type that they are read as.
    numbers: &'static str,
    /// Whether each channel has strips or tiles of its own.
    is_planar: bool,
    /// Whether only the whole decoder knows the colors.
    by_image: bool,
    /// Whether the lowest bit of a byte is the leftmost pixel.
    low_bits_first: bool,
}

impl Layout {
    /// Bytes of a number as it is read: a bit becomes a byte, and half precision single.
    fn number_bytes(&self) -> u64 {
        match (self.numbers, self.bits) {
            ("f32", _) => 4,
            (_, bits) => u64::from(bits).div_ceil(8),
        }
    }
}

/// Why a page has no layout.
enum Why {
    Tiff(TiffError),
    /// It has something that cannot be read.
    Has(Cow<'static, str>),
}

impl From<TiffError> for Why {
    fn from(error: TiffError) -> Why {
        Why::Tiff(error)
    }
}

/// The layout of the page that the decoder stands at.
fn layout(decoder: &mut Decoder<impl Read + Seek>) -> Result<Layout, Why> {
    let has = |what: &'static str| Why::Has(what.into());
    let photometric = decoder.find_tag_unsigned::<u16>(Tag::PhotometricInterpretation)?;
    let color = match decoder.colortype() {
        Ok(color) => color,
        Err(error) => {
            return Err(match photometric {
                Some(3) => has("a palette of colors"),
                Some(4) => has("a mask of what is transparent"),
                Some(8..=10) => has("CIELab colors"),
                _ => Why::Tiff(error),
            });
        }
    };
    let (channels, bits, by_image) = match color {
        ColorType::Gray(bits) => (1, bits, false),
        ColorType::GrayA(bits) => (2, bits, false),
        ColorType::RGB(bits) => (3, bits, false),
        ColorType::RGBA(bits) => (4, bits, false),
        ColorType::Multiband { bit_depth, num_samples } => (usize::from(num_samples), bit_depth, false),
        // The image crate makes RGB of them.
        ColorType::CMYK(bits @ (8 | 16)) => (3, bits, true),
        ColorType::CMYK(_) | ColorType::CMYKA(_) => return Err(has("CMYK colors of an unusual kind")),
        ColorType::YCbCr(_) => return Err(has("YCbCr colors")),
        ColorType::Lab(_) => return Err(has("CIELab colors")),
        _ => return Err(has("colors of an unknown kind")),
    };
    let samples = decoder.find_tag_unsigned::<u16>(Tag::SamplesPerPixel)?.unwrap_or(1);
    if !by_image && usize::from(samples) != channels {
        return Err(Why::Has(format!("{samples} channels, {channels} of them colors").into()));
    }
    let formats = decoder.find_tag_unsigned_vec::<u16>(Tag::SampleFormat)?.unwrap_or_default();
    let format = formats.first().copied().unwrap_or(1);
    let numbers = match (format, bits) {
        (1, 1) if channels == 1 => "u8",
        (1, 8) => "u8",
        (1, 16) => "u16",
        (1, 32) => "u32",
        (1, 64) => "u64",
        (2, 8) => "i8",
        (2, 16) => "i16",
        (2, 32) => "i32",
        (2, 64) => "i64",
        // Half precision, exactly.
        (3, 16) => "f32",
        (3, 32) => "f32",
        (3, 64) => "f64",
        (5 | 6, _) => return Err(has("complex numbers")),
        (1..=3, bits) => return Err(Why::Has(format!("{bits} bits a channel").into())),
        _ => return Err(has("numbers of an unknown kind")),
    };
    let planar = decoder.find_tag_unsigned::<u16>(Tag::PlanarConfiguration)?;
    let is_planar = planar == Some(PlanarConfiguration::Planar.to_u16());
    // What is inverted of them no two programs agree on, and the decoder takes floats for shares of 1.
    if photometric == Some(0) && (channels > 1 || format != 1) {
        return Err(has(
            "inverted gray (white is zero) of several channels, signed or floating-point numbers",
        ));
    }
    let compression = decoder.find_tag_unsigned::<u16>(Tag::Compression)?.unwrap_or(1);
    // Bits of JPEG have one order only.
    let low_bits_first = decoder.find_tag_unsigned::<u16>(Tag::FillOrder)? == Some(2) && compression != 7;
    if low_bits_first && (bits, compression) != (1, 1) {
        return Err(has("bytes with their lowest bit first, compressed or of more than one bit a pixel"));
    }
    Ok(Layout { channels, bits, numbers, is_planar, by_image, low_bits_first })
}

/// The strips or tiles of one page.
pub(super) struct Strips {
    decoder: Decoder<BufReader<Entered>>,
    layout: Layout,
    shape: [usize; 3],
    /// Rows and columns of a strip or tile that does not touch the edge.
    piece: (usize, usize),
}

impl Strips {
    /// Opens a page at its directory; it must be what it was when it was found.
    pub(super) fn open(facts: &FileFacts, page: &Page, directory: u64, limit: u64) -> Result<Strips, Error> {
        let path = facts.path();
        let refused = refused(path);
        let failed = |source| Error::Io { path: path.to_path_buf(), action: "read", source };
        let file = Entered::new(open(facts)?, directory).map_err(failed)?;
        let decoder = Decoder::new(BufReader::new(file)).map_err(&refused)?;
        let mut decoder = decoder.with_limits(limits(limit));
        let (width, height) = decoder.dimensions().map_err(&refused)?;
        let layout = layout(&mut decoder).map_err(|why| match why {
            Why::Tiff(error) => refused(error),
            Why::Has(found) => Error::Unreadable { path: path.to_path_buf(), page: page.index, found },
        })?;
        let (path, shape) = (path.to_path_buf(), [height as usize, width as usize, layout.channels]);
        if shape != page.kind.shape {
            return Err(Error::FileShape { path, expected: page.kind.shape, found: shape });
        }
        if layout.numbers != page.kind.numbers {
            return Err(Error::PixelType { path, expected: page.kind.numbers, found: layout.numbers });
        }
        let (columns, rows) = decoder.chunk_dimensions();
        let piece = match decoder.get_chunk_type() {
            ChunkType::Strip => (rows as usize, width as usize),
            ChunkType::Tile => (rows as usize, columns as usize),
        };
        Ok(Strips { decoder, layout, shape, piece })
    }

    /// Reads rows by decoding the strips or tiles that they touch, and no others.
    pub(super) fn read<A: Pixel>(&mut self, path: &Path, rows: Range<usize>) -> Result<Vec<A>, Error> {
        let [height, width, channels] = self.shape;
        let (across, down) = (width.div_ceil(self.piece.1), height.div_ceil(self.piece.0));
        // Channels lie side by side in each piece, or in pieces of their own, all pieces of one channel after the other.
        let (planes, side_by_side) = if self.layout.is_planar { (channels, 1) } else { (1, channels) };
        let first = rows.start / self.piece.0 * self.piece.0;
        if planes == 1 && across == 1 && !rows.is_empty() && rows.end <= first + self.piece.0 {
            // All rows are in one strip: what is decoded is the answer.
            let (line, number) = (width * channels, (first / self.piece.0) as u32);
            let mut pixels = self.piece::<A>(path, number, line, rows.end - first)?;
            pixels.truncate((rows.end - first) * line);
            pixels.drain(..(rows.start - first) * line);
            return Ok(pixels);
        }
        let mut pixels = zeros::<A>(rows.len() * width * channels)?;
        for row_of_pieces in rows.start / self.piece.0..rows.end.div_ceil(self.piece.0) {
            let first = row_of_pieces * self.piece.0;
            let lines = rows.start.max(first)..rows.end.min(first + self.piece.0);
            for plane in 0..planes {
                for along in 0..across {
                    let number = ((plane * down + row_of_pieces) * across + along) as u32;
                    let columns = self.piece.1.min(width - along * self.piece.1);
                    let values = self.piece::<A>(path, number, columns * side_by_side, lines.end - first)?;
                    for row in lines.clone() {
                        let from =
                            &values[(row - first) * columns * side_by_side..][..columns * side_by_side];
                        let to = ((row - rows.start) * width + along * self.piece.1) * channels;
                        let to = &mut pixels[to..to + columns * channels];
                        if planes == 1 {
                            to.copy_from_slice(from);
                        } else {
                            let to = to.iter_mut().skip(plane).step_by(channels);
                            to.zip(from).for_each(|(to, &from)| *to = from);
                        }
                    }
                }
            }
        }
        Ok(pixels)
    }

    /// The numbers of one strip or tile: at least `lines` lines of `line` numbers.
    fn piece<A: Pixel>(
        &mut self,
        path: &Path,
        number: u32,
        line: usize,
        lines: usize,
    ) -> Result<Vec<A>, Error> {
        let result = self.decoder.read_chunk(number).map_err(refused(path))?;
        let result = match result {
            DecodingResult::U8(mut bytes) if self.layout.bits == 1 => {
                if self.layout.low_bits_first {
                    bytes.iter_mut().for_each(|byte| *byte = byte.reverse_bits());
                }
                DecodingResult::U8(unpacked(&bytes, line))
            }
            result => result,
        };
        A::of_tiff(result).filter(|values| values.len() >= line * lines).ok_or_else(|| {
            let source = format!("strip {number} does not hold the pixels that the header announces");
            Error::Decode { path: path.to_path_buf(), source: source.into() }
        })
    }
}

/// Bits as bytes of 0 and 255; each line of bits begins with a new byte.
fn unpacked(bits: &[u8], line: usize) -> Vec<u8> {
    let bit = |bytes: &[u8], at: usize| if bytes[at / 8] >> (7 - at % 8) & 1 == 1 { 255 } else { 0 };
    let lines = bits.chunks_exact(line.div_ceil(8).max(1));
    lines.flat_map(|bytes| (0..line).map(move |at| bit(bytes, at))).collect()
}

fn limits(limit: u64) -> Limits {
    let mut limits = Limits::default();
    limits.decoding_buffer_size = usize::try_from(limit).unwrap_or(usize::MAX);
    limits.intermediate_buffer_size = limits.decoding_buffer_size;
    limits
}

fn refused(path: &Path) -> impl Fn(TiffError) -> Error {
    let path = path.to_path_buf();
    move |error| match error {
        TiffError::IoError(source) => Error::Io { path: path.clone(), action: "read", source },
        other => Error::Decode { path: path.clone(), source: other.into() },
    }
}

/// A TIFF file whose head names another directory as the first: the decoder begins with it.
struct Entered {
    file: File,
    position: u64,
    /// The bytes at the beginning of the file that stand for its own.
    head: Vec<u8>,
}

impl Entered {
    fn new(mut file: File, directory: u64) -> io::Result<Entered> {
        let mut head = vec![0; 8];
        file.read_exact(&mut head)?;
        let is_little = head[0] == b'I';
        if head[2..4].contains(&b'+') {
            head.extend(if is_little { directory.to_le_bytes() } else { directory.to_be_bytes() });
        } else {
            let short = directory as u32;
            head.truncate(4);
            head.extend(if is_little { short.to_le_bytes() } else { short.to_be_bytes() });
        }
        file.rewind()?;
        Ok(Entered { file, position: 0, head })
    }
}

impl Read for Entered {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let head = usize::try_from(self.position).ok().and_then(|from| self.head.get(from..));
        let count = match head {
            Some(mut head) if !head.is_empty() => {
                let count = head.read(buffer)?;
                self.file.seek(SeekFrom::Start(self.position + count as u64))?;
                count
            }
            _ => self.file.read(buffer)?,
        };
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for Entered {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.position = self.file.seek(to)?;
        Ok(self.position)
    }
}
