//! The `.npy` format of one array: its header, and any box of its elements by byte ranges.
//!
//! Written by hand, because a chunked reader must touch only the rows of its block, which the eager crates
//! cannot, and because the header of a foreign file is hostile until proven otherwise: every length in it is
//! checked against the length of the file before anything is allocated.
//!
//! Source: NumPy, `numpy/lib/format.py` and NEP 1 (format versions 1.0, 2.0 and 3.0).

use super::memory::{OutOfMemory, copied, with_room};
use crate::element::{DType, Element};
use ndarray::{ArrayD, ArrayViewD, Axis, IxDyn, ShapeBuilder};
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::sync::Arc;

/// The first six bytes of every file.
const MAGIC: &[u8; 6] = b"\x93NUMPY";
/// A header longer than this describes no array that musher reads; NumPy itself writes 118 bytes.
const MAX_HEADER_BYTES: usize = 1 << 16;
/// NumPy's own limit of dimensions.
const MAX_NDIM: usize = 64;
/// NumPy aligns the first element to this.
const ALIGNMENT: usize = 64;
/// NumPy leaves room for the first length to grow to this many digits.
const GROWTH_DIGITS: usize = 21;
/// Bytes that are read or written at once. Runs that are shorter and near each other share one system call.
const WINDOW_BYTES: usize = 8 << 10;
/// Bytes decoded at once, so that the raw bytes of a block never stand beside the block.
const DECODE_BYTES: usize = 64 << 10;

/// Bytes of a block that are brought into the order of the file at once, where they do not lie in it.
pub(crate) const SLAB_BYTES: usize = 2 << 20;

/// What is wrong with a `.npy` file, or why a block of it cannot be had.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NpyError {
    /// The file does not begin with the six magic bytes.
    #[error("not an npy file: it does not begin with \\x93NUMPY")]
    Magic,
    /// The format's major version is none of 1, 2 and 3.
    #[error("npy format version {major}.{minor} is not known")]
    Version {
        /// Major version in the file.
        major: u8,
        /// Minor version in the file.
        minor: u8,
    },
    /// The header is longer than any that describes a plain array, or than the file.
    #[error("npy header of {length} bytes is longer than the limit of {limit}")]
    HeaderTooLong {
        /// Length the file states.
        length: u64,
        /// Largest length allowed.
        limit: u64,
    },
    /// The header is not the dictionary that the format asks for.
    #[error("malformed npy header at byte {offset}: expected {expected}")]
    Header {
        /// Bytes from the beginning of the header's text.
        offset: usize,
        /// What should have stood there.
        expected: &'static str,
    },
    /// The element type in the file is not the one asked for, or none that musher knows.
    #[error("npy element type is {found:?}, expected {expected}")]
    ElementType {
        /// NumPy's description of the type in the file.
        found: String,
        /// What was asked for.
        expected: &'static str,
    },
    /// The number of elements does not fit into memory addresses.
    #[error("npy shape {shape:?} has more elements than can be addressed")]
    ShapeOverflow {
        /// Lengths in the header.
        shape: Vec<usize>,
    },
    /// The file ends before its last element.
    #[error("npy file has {found} bytes, its header promises {expected}")]
    Truncated {
        /// Bytes that the header asks for.
        expected: u64,
        /// Bytes that there are.
        found: u64,
    },
    /// The number of dimensions is not the one asked for.
    #[error("npy array has {found} dimensions, expected {expected}")]
    Dimensions {
        /// Dimensions asked for.
        expected: usize,
        /// Dimensions in the file.
        found: usize,
    },
    /// A block was asked for that does not lie inside the array, or has not as many axes.
    #[error("block {block:?} does not lie inside shape {shape:?}")]
    OutOfBounds {
        /// Ranges asked for, an axis each.
        block: Vec<Range<usize>>,
        /// Lengths of the array.
        shape: Vec<usize>,
    },
    /// The file is not the one whose header was read.
    #[error("the file has changed since its header was read: {how}")]
    Changed {
        /// In which way.
        how: String,
    },
    /// Memory for the block was refused.
    #[error(transparent)]
    OutOfMemory(#[from] OutOfMemory),
    /// The file could not be read or written.
    #[error(transparent)]
    Io(#[from] IoError),
}

impl From<io::Error> for NpyError {
    fn from(error: io::Error) -> Self {
        Self::Io(error.into())
    }
}

/// An error of the system, shared so that errors that hold it can be copied; equal ones are of one kind.
#[derive(Clone, Debug, thiserror::Error)]
#[error(transparent)]
pub struct IoError(pub Arc<io::Error>);

impl From<io::Error> for IoError {
    fn from(error: io::Error) -> Self {
        Self(Arc::new(error))
    }
}

impl PartialEq for IoError {
    fn eq(&self, other: &Self) -> bool {
        self.0.kind() == other.0.kind()
    }
}

/// In which order the bytes of a number stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum ByteOrder {
    /// Least significant byte first.
    Little,
    /// Most significant byte first.
    Big,
}

/// What a header says of the elements that follow it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct NpyHeader {
    /// Type of the elements.
    pub dtype: DType,
    /// Order of the bytes of an element.
    pub byte_order: ByteOrder,
    /// Whether the first axis varies fastest in the file.
    pub fortran_order: bool,
    /// Length of each axis.
    pub shape: Vec<usize>,
    /// Bytes before the first element.
    pub data_offset: u64,
}

impl NpyHeader {
    /// The header that musher writes: C order, little-endian, format 1.0.
    #[must_use]
    pub fn of<A: Element>(shape: &[usize]) -> Self {
        let mut header = NpyHeader {
            dtype: A::DTYPE,
            byte_order: ByteOrder::Little,
            fortran_order: false,
            shape: shape.to_vec(),
            data_offset: 0,
        };
        header.data_offset = header.encode().len() as u64;
        header
    }

    /// Reads the header at the beginning of `reader`, a file of `file_bytes` bytes.
    ///
    /// **Cost** at most 64 KiB are read and allocated, whatever the file says.
    ///
    /// # Errors
    /// Everything in [`NpyError`] that does not concern a block; [`NpyError::Truncated`] when the file is too
    /// short for the elements that it promises.
    pub fn read(reader: &mut impl Read, file_bytes: u64) -> Result<Self, NpyError> {
        let mut fixed = [0_u8; 8];
        read_exactly(reader, &mut fixed, 8, file_bytes)?;
        if &fixed[..6] != MAGIC {
            return Err(NpyError::Magic);
        }
        let length_bytes = match fixed[6] {
            1 => 2,
            2 | 3 => 4,
            major => return Err(NpyError::Version { major, minor: fixed[7] }),
        };
        let mut length = [0_u8; 4];
        let prefix = 8 + length_bytes as u64;
        read_exactly(reader, &mut length[..length_bytes], prefix, file_bytes)?;
        let length = u32::from_le_bytes(length) as usize;
        if length > MAX_HEADER_BYTES {
            return Err(NpyError::HeaderTooLong { length: length as u64, limit: MAX_HEADER_BYTES as u64 });
        }
        let data_offset = prefix + length as u64;
        if data_offset > file_bytes {
            return Err(NpyError::Truncated { expected: data_offset, found: file_bytes });
        }
        let mut text = vec![0_u8; length];
        read_exactly(reader, &mut text, data_offset, file_bytes)?;
        let header = Parser { text: &text, at: 0 }.header(data_offset)?;
        let expected = header.elements_bytes()?.saturating_add(data_offset);
        match expected > file_bytes {
            true => Err(NpyError::Truncated { expected, found: file_bytes }),
            false => Ok(header),
        }
    }

    /// The bytes that stand before the first element; equal to what NumPy 2 writes.
    ///
    /// # Panics
    /// With more than about 3,000 axes, whose header would not fit format 1.0; NumPy's limit is 64.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let (order, code) = match self.byte_order {
            ByteOrder::Big if self.dtype.bytes() > 1 => ('>', code(self.dtype)),
            _ => description(self.dtype),
        };
        let fortran = if self.fortran_order { "True" } else { "False" };
        let lengths: Vec<String> = self.shape.iter().map(usize::to_string).collect();
        let tuple = match lengths.as_slice() {
            [one] => format!("({one},)"),
            several => format!("({})", several.join(", ")),
        };
        let mut text =
            format!("{{'descr': '{order}{code}', 'fortran_order': {fortran}, 'shape': {tuple}, }}");
        let grows = if self.fortran_order { lengths.last() } else { lengths.first() };
        let room = grows.map_or(0, |length| GROWTH_DIGITS.saturating_sub(length.len()));
        text.extend(std::iter::repeat_n(' ', room));
        let unpadded = MAGIC.len() + 4 + text.len() + 1;
        text.extend(std::iter::repeat_n(' ', unpadded.next_multiple_of(ALIGNMENT) - unpadded));
        text.push('\n');
        let length = u16::try_from(text.len()).expect("64 axes of 20 digits are far below 64 KiB");
        [MAGIC.as_slice(), &[1, 0], &length.to_le_bytes(), text.as_bytes()].concat()
    }

    /// Bytes of the whole file.
    ///
    /// # Errors
    /// [`NpyError::ShapeOverflow`].
    pub fn file_bytes(&self) -> Result<u64, NpyError> {
        Ok(self.elements_bytes()?.saturating_add(self.data_offset))
    }

    /// Checks that the elements are of type `A`.
    ///
    /// # Errors
    /// [`NpyError::ElementType`] when they are not.
    pub fn check_element<A: Element>(&self) -> Result<(), NpyError> {
        match self.dtype == A::DTYPE {
            true => Ok(()),
            false => {
                Err(NpyError::ElementType { found: code(self.dtype).to_owned(), expected: code(A::DTYPE) })
            }
        }
    }

    /// Bytes of all elements; also checks what ndarray asks of a shape, that the lengths other than zero
    /// multiply without overflow.
    fn elements_bytes(&self) -> Result<u64, NpyError> {
        let size = self.dtype.bytes();
        let mut nonzero = self.shape.iter().filter(|&&length| length > 0);
        nonzero
            .try_fold(size, |product: usize, &length| product.checked_mul(length))
            .filter(|&bytes| isize::try_from(bytes).is_ok())
            .map(|bytes| if self.shape.contains(&0) { 0 } else { bytes as u64 })
            .ok_or_else(|| NpyError::ShapeOverflow { shape: self.shape.clone() })
    }

    /// Checks that `block` lies inside the array and gives back its lengths.
    fn block_shape(&self, block: &[Range<usize>]) -> Result<Vec<usize>, NpyError> {
        let inside = block.len() == self.shape.len()
            && block
                .iter()
                .zip(&self.shape)
                .all(|(range, &length)| range.start <= range.end && range.end <= length);
        match inside {
            true => Ok(block.iter().map(|range| range.end - range.start).collect()),
            false => Err(NpyError::OutOfBounds { block: block.to_vec(), shape: self.shape.clone() }),
        }
    }

    /// The bytes of the file from the first element of `block` to behind its last one.
    ///
    /// # Errors
    /// [`NpyError::OutOfBounds`] when the block does not lie inside the array.
    pub fn span(&self, block: &[Range<usize>]) -> Result<Range<u64>, NpyError> {
        let runs = self.runs(block)?;
        let steps = runs.axes.iter().map(|axis| axis.length.saturating_sub(1) as u64 * axis.stride);
        let bytes = if runs.ended { 0 } else { steps.sum::<u64>() + runs.run as u64 };
        Ok(runs.start..runs.start + bytes)
    }

    /// The byte ranges of the file that hold `block`, in the order of the file, neighbours merged.
    ///
    /// # Errors
    /// [`NpyError::OutOfBounds`] when the block does not lie inside the array.
    pub fn runs(&self, block: &[Range<usize>]) -> Result<Runs, NpyError> {
        let lengths = self.block_shape(block)?;
        let size = self.dtype.bytes();
        // Slowest axis first, whichever way the file is laid out.
        let slowest_first = |axis: usize| if self.fortran_order { self.shape.len() - 1 - axis } else { axis };
        let order: Vec<usize> = (0..self.shape.len()).map(slowest_first).collect();
        let mut run = size;
        let mut stride = size as u64;
        let mut start = self.data_offset;
        let mut axes = Vec::new();
        for &axis in order.iter().rev() {
            start += block[axis].start as u64 * stride;
            match run as u64 == stride {
                true => run *= lengths[axis],
                false => axes.push(RunAxis { length: lengths[axis], stride, at: 0 }),
            }
            stride *= self.shape[axis].max(1) as u64;
        }
        axes.reverse();
        Ok(Runs { start, run, ended: lengths.contains(&0), axes })
    }
}

/// Iterator over the byte ranges of a block, each of equal length.
#[derive(Clone, Debug)]
pub struct Runs {
    start: u64,
    run: usize,
    ended: bool,
    axes: Vec<RunAxis>,
}

#[derive(Clone, Debug)]
struct RunAxis {
    length: usize,
    stride: u64,
    at: usize,
}

impl Iterator for Runs {
    type Item = Range<u64>;

    fn next(&mut self) -> Option<Range<u64>> {
        if self.ended {
            return None;
        }
        let start = self.start + self.axes.iter().map(|axis| axis.at as u64 * axis.stride).sum::<u64>();
        self.ended = true;
        for axis in self.axes.iter_mut().rev() {
            axis.at += 1;
            if axis.at < axis.length {
                self.ended = false;
                break;
            }
            axis.at = 0;
        }
        Some(start..start + self.run as u64)
    }
}

/// Reads the elements of `block` and nothing else.
///
/// **Shape** one length per range of `block`, in C order.
/// **Cost** one read a run of contiguous bytes; runs shorter than 8 KiB that lie near each other share one. Memory:
/// the block, once more when the file is in Fortran order, and 64 KiB.
///
/// # Errors
/// [`NpyError::ElementType`], [`NpyError::OutOfBounds`], [`NpyError::OutOfMemory`], [`NpyError::Io`].
///
/// # Panics
/// Never: the runs hold as many elements as the block.
pub fn read_block<A: Element>(
    reader: &mut (impl Read + Seek),
    header: &NpyHeader,
    block: &[Range<usize>],
) -> Result<ArrayD<A>, NpyError> {
    header.check_element::<A>()?;
    let lengths = header.block_shape(block)?;
    let n_elements = lengths.iter().product::<usize>();
    let mut elements = with_room(n_elements)?;
    let mut reader = BufReader::with_capacity(WINDOW_BYTES, reader);
    let mut at = reader.seek(SeekFrom::Start(header.data_offset))?;
    let mut raw = vec![0_u8; DECODE_BYTES.min(n_elements * A::BYTES)];
    for run in header.runs(block)? {
        // Both are below the file's length, which fits i64; a relative seek keeps what the buffer holds.
        reader.seek_relative(run.start as i64 - at as i64)?;
        at = run.end;
        let mut left = (run.end - run.start) as usize;
        while left > 0 {
            // DECODE_BYTES is a multiple of every element's size.
            let part = &mut raw[..left.min(DECODE_BYTES)];
            reader.read_exact(part)?;
            if header.byte_order == ByteOrder::Big {
                swap_parts(part, A::DTYPE);
            }
            elements.extend(part.chunks_exact(A::BYTES).map(A::load));
            left -= part.len();
        }
    }
    let shape = IxDyn(&lengths).set_f(header.fortran_order);
    let array = ArrayD::from_shape_vec(shape, elements).expect("runs hold as many elements as the block");
    match array.is_standard_layout() {
        true => Ok(array),
        false => Ok(array.as_standard_layout().into_owned()),
    }
}

/// Writes the elements of `block` at their place in a file whose header is `header`.
///
/// Tasks that write different blocks may do so at once, each through its own handle of one file.
///
/// **Cost** one write a run of contiguous bytes. Memory: at most 64 KiB; 2 MiB more, or one row, for values that do not lie in
/// the order of the file.
///
/// # Errors
/// [`NpyError::ElementType`], [`NpyError::OutOfBounds`] when `values` has another shape than `block`,
/// [`NpyError::OutOfMemory`], [`NpyError::Io`].
pub fn write_block<A: Element>(
    writer: &mut (impl Write + Seek),
    header: &NpyHeader,
    block: &[Range<usize>],
    values: &ArrayViewD<'_, A>,
) -> Result<(), NpyError> {
    header.check_element::<A>()?;
    let lengths = header.block_shape(block)?;
    if values.shape() != lengths {
        return Err(NpyError::OutOfBounds { block: block.to_vec(), shape: values.shape().to_vec() });
    }
    let in_file_order = match header.fortran_order {
        true => values.t(),
        false => values.view(),
    };
    if !header.fortran_order && lengths.len() > 1 && !values.is_standard_layout() {
        let row: usize = lengths[1..].iter().product::<usize>() * A::BYTES;
        // Eight rows and their multiples share the lines of cache that elements of 8 bytes are read by.
        let n_rows = match SLAB_BYTES / row.max(1) {
            few @ ..8 => few.max(1),
            many => many - many % 8,
        };
        let mut slab_block = block.to_vec();
        for (at, slab) in values.axis_chunks_iter(Axis(0), n_rows).enumerate() {
            let start = block[0].start + at * n_rows;
            slab_block[0] = start..start + slab.len_of(Axis(0));
            write_in_order(writer, header, &slab_block, &copied(&slab)?.view())?;
        }
        return Ok(());
    }
    write_in_order(writer, header, block, &in_file_order)
}

/// Writes elements, which come in the order of the file, at the place of `block`.
fn write_in_order<A: Element>(
    writer: &mut (impl Write + Seek),
    header: &NpyHeader,
    block: &[Range<usize>],
    in_file_order: &ArrayViewD<'_, A>,
) -> Result<(), NpyError> {
    fn store<'a, A: Element>(raw: &mut [u8], elements: impl Iterator<Item = &'a A>) {
        raw.chunks_exact_mut(A::BYTES).zip(elements).for_each(|(bytes, value)| value.store(bytes));
    }
    if let Some(mut left) = in_file_order.as_slice() {
        return write_runs::<A>(writer, header, block, |raw| {
            let (now, later) = left.split_at(raw.len() / A::BYTES);
            store(raw, now.iter());
            left = later;
        });
    }
    let mut elements = in_file_order.iter();
    write_runs::<A>(writer, header, block, |raw| store(raw, &mut elements))
}

/// Writes elements, which `next` brings in their order, into the runs of `block`.
fn write_runs<A: Element>(
    writer: &mut (impl Write + Seek),
    header: &NpyHeader,
    block: &[Range<usize>],
    mut next: impl FnMut(&mut [u8]),
) -> Result<(), NpyError> {
    let mut raw = Vec::with_capacity(DECODE_BYTES);
    for run in header.runs(block)? {
        writer.seek(SeekFrom::Start(run.start))?;
        let mut left = (run.end - run.start) as usize / A::BYTES;
        while left > 0 {
            let n_elements = left.min(DECODE_BYTES / A::BYTES);
            raw.resize(n_elements * A::BYTES, 0);
            next(&mut raw);
            if header.byte_order == ByteOrder::Big {
                swap_parts(&mut raw, A::DTYPE);
            }
            writer.write_all(&raw)?;
            left -= n_elements;
        }
    }
    Ok(())
}

/// Turns little-endian elements into big-endian ones and back; the two parts of a complex number each.
fn swap_parts(raw: &mut [u8], dtype: DType) {
    let part = match dtype {
        DType::C32 | DType::C64 => dtype.bytes() / 2,
        _ => dtype.bytes(),
    };
    raw.chunks_exact_mut(part).for_each(<[u8]>::reverse);
}

/// NumPy's description of little-endian elements: byte order and type.
pub(crate) fn description(dtype: DType) -> (char, &'static str) {
    (if dtype.bytes() == 1 { '|' } else { '<' }, code(dtype))
}

/// NumPy's kind and width in bytes of an element type.
fn code(dtype: DType) -> &'static str {
    match dtype {
        DType::Bool => "b1",
        DType::I8 => "i1",
        DType::I16 => "i2",
        DType::I32 => "i4",
        DType::I64 => "i8",
        DType::U8 => "u1",
        DType::U16 => "u2",
        DType::U32 => "u4",
        DType::U64 => "u8",
        DType::F32 => "f4",
        DType::F64 => "f8",
        DType::C32 => "c8",
        DType::C64 => "c16",
    }
}

/// Fills `buffer`; a file that ends early is [`NpyError::Truncated`], not a bare end of file.
fn read_exactly(
    reader: &mut impl Read,
    buffer: &mut [u8],
    expected: u64,
    found: u64,
) -> Result<(), NpyError> {
    reader.read_exact(buffer).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => NpyError::Truncated { expected, found },
        _ => error.into(),
    })
}

/// Reads the Python literal of a header: a dictionary of a string, a truth value and a tuple of lengths.
struct Parser<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Parser<'a> {
    fn header(mut self, data_offset: u64) -> Result<NpyHeader, NpyError> {
        let (mut descr, mut fortran_order, mut shape) = (None, None, None);
        self.expect(b'{', "an opening brace")?;
        while !self.accept(b'}') {
            let key_at = self.at;
            let key = self.string()?;
            self.expect(b':', "a colon")?;
            let fresh = match key {
                "descr" => descr.replace(self.string()?).is_none(),
                "fortran_order" => fortran_order.replace(self.truth()?).is_none(),
                "shape" => shape.replace(self.shape()?).is_none(),
                _ => false,
            };
            if !fresh {
                let expected = "each of 'descr', 'fortran_order', 'shape' once";
                return Err(NpyError::Header { offset: key_at, expected });
            }
            if !self.accept(b',') {
                self.expect(b'}', "a comma or a closing brace")?;
                break;
            }
        }
        self.skip_space();
        if self.at < self.text.len() {
            return Err(self.wrong("nothing after the dictionary"));
        }
        let (Some(descr), Some(fortran_order), Some(shape)) = (descr, fortran_order, shape) else {
            return Err(self.wrong("the keys 'descr', 'fortran_order' and 'shape'"));
        };
        let (byte_order, dtype) = split_descr(descr)?;
        Ok(NpyHeader { dtype, byte_order, fortran_order, shape, data_offset })
    }

    fn wrong(&self, expected: &'static str) -> NpyError {
        NpyError::Header { offset: self.at, expected }
    }

    fn skip_space(&mut self) {
        self.at += self.text[self.at..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    }

    fn accept(&mut self, byte: u8) -> bool {
        self.skip_space();
        let found = self.text.get(self.at) == Some(&byte);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, byte: u8, name: &'static str) -> Result<(), NpyError> {
        match self.accept(byte) {
            true => Ok(()),
            false => Err(self.wrong(name)),
        }
    }

    fn word(&mut self, accepts: impl Fn(u8) -> bool) -> &'a [u8] {
        let text = self.text;
        let length = text[self.at..].iter().take_while(|&&byte| accepts(byte)).count();
        self.at += length;
        &text[self.at - length..self.at]
    }

    fn string(&mut self) -> Result<&'a str, NpyError> {
        self.skip_space();
        let expected = "a string without escapes";
        let quote = match self.text.get(self.at) {
            Some(&quote @ (b'\'' | b'"')) => quote,
            _ => return Err(self.wrong(expected)),
        };
        self.at += 1;
        let inside = self.word(|byte| byte != quote && byte != b'\\');
        let text = std::str::from_utf8(inside).map_err(|_| self.wrong(expected))?;
        match self.text.get(self.at) == Some(&quote) {
            true => self.at += 1,
            false => return Err(self.wrong(expected)),
        }
        Ok(text)
    }

    fn truth(&mut self) -> Result<bool, NpyError> {
        self.skip_space();
        let at = self.at;
        match self.word(|byte| byte.is_ascii_alphabetic()) {
            b"True" => Ok(true),
            b"False" => Ok(false),
            _ => Err(NpyError::Header { offset: at, expected: "True or False" }),
        }
    }

    fn shape(&mut self) -> Result<Vec<usize>, NpyError> {
        self.expect(b'(', "a tuple of lengths")?;
        let mut shape = Vec::new();
        while !self.accept(b')') {
            if shape.len() == MAX_NDIM {
                return Err(self.wrong("at most 64 dimensions"));
            }
            shape.push(self.length()?);
            if !self.accept(b',') {
                // `(3)` is a number in Python, not a tuple.
                let expected = if shape.len() == 1 { "a comma" } else { "a comma or a closing parenthesis" };
                match shape.len() > 1 && self.accept(b')') {
                    true => break,
                    false => return Err(self.wrong(expected)),
                }
            }
        }
        Ok(shape)
    }

    fn length(&mut self) -> Result<usize, NpyError> {
        self.skip_space();
        let at = self.at;
        let wrong = NpyError::Header { offset: at, expected: "a length that fits 64 bits" };
        let digits = std::str::from_utf8(self.word(|byte| byte.is_ascii_digit())).unwrap_or_default();
        let Ok(length) = digits.parse::<u64>() else {
            return Err(wrong);
        };
        // Python 2 wrote long integers so.
        if self.text.get(self.at) == Some(&b'L') {
            self.at += 1;
        }
        usize::try_from(length).map_err(|_| wrong)
    }
}

/// Splits `<f8` into byte order and element type.
fn split_descr(descr: &str) -> Result<(ByteOrder, DType), NpyError> {
    let unknown = || NpyError::ElementType {
        found: descr.to_owned(),
        expected: "a byte order and one of b1, i1 to i8, u1 to u8, f4, f8, c8, c16",
    };
    let (first, rest) = descr.split_at_checked(1).ok_or_else(unknown)?;
    let dtype = DType::ALL.iter().copied().find(|&dtype| code(dtype) == rest).ok_or_else(unknown)?;
    match first {
        "<" => Ok((ByteOrder::Little, dtype)),
        ">" => Ok((ByteOrder::Big, dtype)),
        "|" if dtype.bytes() == 1 => Ok((ByteOrder::Little, dtype)),
        _ => Err(unknown()),
    }
}

#[cfg(test)]
mod tests;
