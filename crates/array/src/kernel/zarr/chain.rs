//! The codecs of one kind of chunk: elements to bytes and back, never more bytes than the metadata promise.

use crate::kernel::memory::{OutOfMemory, with_room};
use std::borrow::Cow;
use std::io::Read;
use std::num::NonZeroU64;
use std::sync::Arc;
use zarrs::array::codec::{BloscCodec, Crc32cCodec, GzipCodec, ZlibCodec, ZstdCodec};
use zarrs::array::{
    ArrayBytes, ArrayToBytesCodecTraits, BytesToBytesCodecTraits, CodecChain, CodecError,
    CodecMetadataOptions, CodecOptions, DataType, FillValue,
};

/// Bytes of a checksum.
const CRC_BYTES: usize = 4;
/// Bytes of a blosc header.
const BLOSC_HEADER: usize = 16;

/// Why bytes are no chunk, without the chunk's name: the error around it says that.
#[derive(Debug)]
pub(super) enum Fault {
    Checksum { stored: u32, computed: u32 },
    Damaged(String),
    OutOfMemory(OutOfMemory),
}

impl From<OutOfMemory> for Fault {
    fn from(error: OutOfMemory) -> Self {
        Self::OutOfMemory(error)
    }
}

impl From<CodecError> for Fault {
    fn from(error: CodecError) -> Self {
        Self::Damaged(error.to_string())
    }
}

impl From<std::io::Error> for Fault {
    fn from(error: std::io::Error) -> Self {
        Self::Damaged(error.to_string())
    }
}

/// One step of compression, with the most bytes that it may give when it is undone.
struct Step {
    kind: Kind,
    codec: Arc<dyn BytesToBytesCodecTraits>,
    most: usize,
    /// The most bytes that it makes of those, where it knows.
    most_encoded: usize,
}

/// What is done here, because foreign decoders believe the lengths in the data or copy them.
enum Kind {
    Crc32c,
    Zstd,
    Gzip,
    Zlib,
    Blosc,
    Other,
}

impl Kind {
    fn of(codec: &dyn BytesToBytesCodecTraits) -> Self {
        let codec_type = codec.as_any();
        if codec_type.is::<Crc32cCodec>() {
            let configuration = codec.configuration_v3(&CodecMetadataOptions::default());
            let at_start = configuration.is_some_and(|configuration| !configuration.is_empty());
            // A checksum before the bytes is rare.
            if at_start { Self::Other } else { Self::Crc32c }
        } else if codec_type.is::<ZstdCodec>() {
            Self::Zstd
        } else if codec_type.is::<GzipCodec>() {
            Self::Gzip
        } else if codec_type.is::<ZlibCodec>() {
            Self::Zlib
        } else if codec_type.is::<BloscCodec>() {
            Self::Blosc
        } else {
            Self::Other
        }
    }
}

impl Step {
    fn decode(&self, mut bytes: Vec<u8>) -> Result<Vec<u8>, Fault> {
        match self.kind {
            Kind::Crc32c => {
                let Some((data, stored)) = bytes.split_last_chunk::<CRC_BYTES>() else {
                    return Err(Fault::Damaged("it is shorter than its checksum".to_owned()));
                };
                let (stored, computed) = (u32::from_le_bytes(*stored), crc32c::crc32c(data));
                if stored != computed {
                    return Err(Fault::Checksum { stored, computed });
                }
                bytes.truncate(bytes.len() - CRC_BYTES);
                Ok(bytes)
            }
            Kind::Zstd => {
                let mut out = with_room(self.most)?;
                zstd::bulk::Decompressor::new()?.decompress_to_buffer(&bytes, &mut out)?;
                Ok(out)
            }
            Kind::Gzip => self.inflated(flate2::read::MultiGzDecoder::new(&bytes[..])),
            Kind::Zlib => self.inflated(flate2::read::ZlibDecoder::new(&bytes[..])),
            Kind::Blosc => {
                // The header says how long the answer is and how long the bytes are.
                let header = bytes.first_chunk::<BLOSC_HEADER>();
                let length = |at: usize| {
                    let word = header.and_then(|header| header[at..].first_chunk());
                    word.map(|word| u32::from_le_bytes(*word) as usize)
                };
                if length(4).is_none_or(|n| n > self.most) || length(12) != Some(bytes.len()) {
                    return Err(Fault::Damaged("its blosc header does not fit it".to_owned()));
                }
                probe(self.most)?;
                self.by_codec(bytes)
            }
            Kind::Other => self.by_codec(bytes),
        }
    }

    fn by_codec(&self, bytes: Vec<u8>) -> Result<Vec<u8>, Fault> {
        let most = zarrs::array::BytesRepresentation::BoundedSize(self.most as u64);
        Ok(self.codec.decode(Cow::Owned(bytes), &most, &options())?.into_owned())
    }

    fn inflated(&self, from: impl Read) -> Result<Vec<u8>, Fault> {
        let mut out = with_room(self.most)?;
        // One byte more tells what is too long.
        let n = from.take(self.most as u64 + 1).read_to_end(&mut out)?;
        if n > self.most {
            return Err(Fault::Damaged(format!("it holds more than {} bytes", self.most)));
        }
        Ok(out)
    }

    fn encode<'a>(&self, bytes: Cow<'a, [u8]>) -> Result<Cow<'a, [u8]>, Fault> {
        if !matches!(self.kind, Kind::Crc32c) {
            probe(self.most_encoded)?;
            return Ok(self.codec.encode(bytes, &options())?);
        }
        let checksum = crc32c::crc32c(&bytes).to_le_bytes();
        let mut bytes = match bytes {
            Cow::Owned(bytes) => bytes,
            Cow::Borrowed(bytes) => {
                let mut own = with_room(bytes.len() + CRC_BYTES)?;
                own.extend_from_slice(bytes);
                own
            }
        };
        let n = bytes.len() + CRC_BYTES;
        bytes.try_reserve(CRC_BYTES).map_err(|_| OutOfMemory { bytes: n })?;
        bytes.extend_from_slice(&checksum);
        Ok(bytes.into())
    }
}

/// Asks for memory that foreign code will take, which would end the process where it is refused.
fn probe(bytes: usize) -> Result<(), OutOfMemory> {
    with_room::<u8>(bytes).map(drop)
}

/// Tasks run beside each other already; checksums are always looked at.
fn options() -> CodecOptions {
    CodecOptions::default().with_concurrent_target(1).with_validate_checksums(true)
}

/// The codecs of chunks of one shape and element type.
pub(super) struct Chain {
    /// From elements to bytes.
    elements: CodecChain,
    /// From bytes to bytes, in the order of writing.
    steps: Vec<Step>,
    shape: Vec<NonZeroU64>,
    data_type: DataType,
    fill: FillValue,
    /// Bytes of a chunk's elements in memory.
    n_bytes: usize,
    /// Bytes of them in the file, before compression.
    plain_bytes: usize,
    /// The most bytes of a chunk in the file.
    most: Option<u64>,
}

impl Chain {
    /// The codecs for chunks of a shape, or what is wrong with them.
    pub(super) fn new(
        codecs: &CodecChain,
        shape: &[usize],
        data_type: &DataType,
        fill: &FillValue,
    ) -> Result<Self, String> {
        let shape: Option<Vec<_>> = shape.iter().map(|&n| NonZeroU64::new(n as u64)).collect();
        let shape = shape.ok_or("a chunk has no elements")?;
        let elements = CodecChain::new(
            codecs.array_to_array_codecs().to_vec(),
            codecs.array_to_bytes_codec().clone(),
            vec![],
        );
        let too_large = "a chunk has more bytes than can be addressed";
        let size = |bytes: u64| usize::try_from(bytes).ok().filter(|&bytes| isize::try_from(bytes).is_ok());
        // Before foreign code multiplies.
        let n_bytes = data_type.fixed_size().ok_or("elements have no fixed size")?;
        let n_bytes = shape.iter().try_fold(n_bytes as u64, |bytes, n| bytes.checked_mul(n.get()));
        let n_bytes = n_bytes.and_then(size).ok_or(too_large)?;
        let plain =
            elements.encoded_representation(&shape, data_type, fill).map_err(|error| error.to_string())?;
        let plain_bytes = plain.size().and_then(size).ok_or(too_large)?;
        let (mut steps, mut now) = (Vec::new(), plain);
        for codec in codecs.bytes_to_bytes_codecs() {
            let most =
                now.size().and_then(size).ok_or("a codec behind another has no bound of its length")?;
            now = codec.encoded_representation(&now);
            let most_encoded = now.size().and_then(size).unwrap_or(most);
            steps.push(Step { kind: Kind::of(&**codec), codec: codec.clone(), most, most_encoded });
        }
        let (data_type, fill) = (data_type.clone(), fill.clone());
        Ok(Self { elements, steps, shape, data_type, fill, n_bytes, plain_bytes, most: now.size() })
    }

    /// Bytes of a chunk's elements in memory.
    pub(super) fn n_bytes(&self) -> usize {
        self.n_bytes
    }

    /// The most bytes of a chunk in the file, where the codecs know it.
    pub(super) fn most(&self) -> Option<u64> {
        self.most
    }

    /// How many bytes are held at once beside those of the file and those of the elements.
    pub(super) fn scratch(&self) -> u64 {
        let transposed = self.elements.array_to_array_codecs().len();
        let between = self.steps.iter().skip(1).map(|step| step.most).max().unwrap_or(0);
        self.n_bytes.saturating_mul(transposed).saturating_add(between) as u64
    }

    fn probe_transposed(&self) -> Result<(), OutOfMemory> {
        let n = self.elements.array_to_array_codecs().len();
        if n > 0 { probe(self.n_bytes) } else { Ok(()) }
    }

    /// The elements of a chunk, in C order.
    pub(super) fn decode(&self, encoded: Vec<u8>) -> Result<Vec<u8>, Fault> {
        let mut bytes = encoded;
        for step in self.steps.iter().rev() {
            bytes = step.decode(bytes)?;
        }
        if bytes.len() != self.plain_bytes {
            let (found, expected) = (bytes.len(), self.plain_bytes);
            return Err(Fault::Damaged(format!("it has {found} bytes, its elements take {expected}")));
        }
        self.probe_transposed()?;
        let elements =
            self.elements.decode(Cow::Owned(bytes), &self.shape, &self.data_type, &self.fill, &options())?;
        let elements = elements.into_fixed().map_err(|error| Fault::Damaged(error.to_string()))?;
        match elements.len() == self.n_bytes {
            true => Ok(elements.into_owned()),
            false => Err(Fault::Damaged("its elements are of another number".to_owned())),
        }
    }

    /// The bytes of a chunk in the file.
    pub(super) fn encode<'a>(&self, elements: Cow<'a, [u8]>) -> Result<Cow<'a, [u8]>, Fault> {
        self.probe_transposed()?;
        let bytes = ArrayBytes::new_flen(elements);
        let mut bytes = self.elements.encode(bytes, &self.shape, &self.data_type, &self.fill, &options())?;
        for step in &self.steps {
            bytes = step.encode(bytes)?;
        }
        Ok(bytes)
    }
}
