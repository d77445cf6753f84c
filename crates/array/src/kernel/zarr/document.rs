//! The metadata of arrays that are written.

use super::layout::zarr_name;
use crate::element::{DType, Scalar};
use num_complex::Complex;
use serde_json::{Map, Value, json};

/// The version of the Zarr format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Version {
    /// `.zarray` and `.zattrs`: no checksums, shards or names of dimensions.
    V2,
    /// `zarr.json`.
    #[default]
    V3,
}

impl Version {
    /// The file of the metadata.
    #[must_use]
    pub const fn file(self) -> &'static str {
        match self {
            Self::V2 => ".zarray",
            Self::V3 => "zarr.json",
        }
    }
}

/// How the bytes of chunks are compressed.
///
/// # Examples
/// ```
/// use musher_array::zarr::Compression;
/// assert_eq!(Compression::default(), Compression::Zstd { level: 1 });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Compression {
    /// Not at all.
    None,
    /// Zstandard, from 1 (fast) to 22 (small).
    Zstd {
        /// The level.
        level: i32,
    },
    /// Blosc: bytes of equal significance together, then LZ4, from 1 (fast) to 9 (small). Much faster than Zstandard, and
    /// often as small on smooth numbers.
    BloscLz4 {
        /// The level.
        level: u8,
    },
    /// Blosc with Zstandard inside.
    BloscZstd {
        /// The level.
        level: u8,
    },
    /// Gzip, from 1 (fast) to 9 (small): slow, and known everywhere.
    Gzip {
        /// The level.
        level: u32,
    },
}

impl Default for Compression {
    fn default() -> Self {
        Self::Zstd { level: 1 }
    }
}

/// What an array that is written is like.
pub(crate) struct Document<'a> {
    pub(crate) shape: &'a [usize],
    pub(crate) file: &'a [usize],
    /// Lengths of the chunks in a shard, where there are shards.
    pub(crate) chunk: Option<&'a [usize]>,
    pub(crate) dtype: DType,
    pub(crate) fill: Scalar,
    pub(crate) compression: Compression,
    pub(crate) checksum: bool,
    pub(crate) separator: char,
    pub(crate) names: Option<&'a [Option<String>]>,
    pub(crate) attributes: &'a Map<String, Value>,
}

impl Document<'_> {
    /// The text of `zarr.json` or `.zarray`.
    pub(crate) fn text(&self, version: Version) -> String {
        let json = match version {
            Version::V2 => self.v2(),
            Version::V3 => self.v3(),
        };
        format!("{json:#}")
    }

    fn v2(&self) -> Value {
        let order = if self.dtype.bytes() == 1 { '|' } else { '<' };
        let kind = match self.dtype {
            DType::Bool => 'b',
            DType::I8 | DType::I16 | DType::I32 | DType::I64 => 'i',
            DType::U8 | DType::U16 | DType::U32 | DType::U64 => 'u',
            DType::F32 | DType::F64 => 'f',
            DType::C32 | DType::C64 => 'c',
        };
        let blosc = |cname: &str, level: u8| json!({"id": "blosc", "cname": cname, "clevel": level, "shuffle": 1, "blocksize": 0});
        let compressor = match self.compression {
            Compression::None => Value::Null,
            // Zstandard's own checksum, as there is no other in this version.
            Compression::Zstd { level } => json!({"id": "zstd", "level": level, "checksum": self.checksum}),
            Compression::BloscLz4 { level } => blosc("lz4", level),
            Compression::BloscZstd { level } => blosc("zstd", level),
            Compression::Gzip { level } => json!({"id": "gzip", "level": level}),
        };
        json!({
            "zarr_format": 2,
            "shape": self.shape,
            "chunks": self.file,
            "dtype": format!("{order}{kind}{}", self.dtype.bytes()),
            "fill_value": fill(self.fill),
            "order": "C",
            "filters": null,
            "dimension_separator": self.separator,
            "compressor": compressor,
        })
    }

    fn v3(&self) -> Value {
        let bytes = match self.dtype.bytes() {
            1 => json!({"name": "bytes"}),
            _ => json!({"name": "bytes", "configuration": {"endian": "little"}}),
        };
        let crc = self.checksum.then(|| json!({"name": "crc32c"}));
        let codecs: Vec<Value> = [bytes].into_iter().chain(self.compressor()).chain(crc.clone()).collect();
        let codecs = match self.chunk {
            None => codecs,
            Some(chunk) => {
                let index = json!({"name": "bytes", "configuration": {"endian": "little"}});
                // The list says where to read: it has a checksum always.
                let index = [index, json!({"name": "crc32c"})];
                vec![json!({"name": "sharding_indexed", "configuration": {
                    "chunk_shape": chunk, "codecs": codecs, "index_codecs": index, "index_location": "end",
                }})]
            }
        };
        let mut json = json!({
            "zarr_format": 3,
            "node_type": "array",
            "shape": self.shape,
            "data_type": zarr_name(self.dtype),
            "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": self.file}},
            "chunk_key_encoding": {"name": "default", "configuration": {"separator": self.separator}},
            "fill_value": fill(self.fill),
            "codecs": codecs,
            "attributes": self.attributes,
            "storage_transformers": [],
        });
        if let Some(names) = self.names {
            json["dimension_names"] = json!(names);
        }
        json
    }

    fn compressor(&self) -> Option<Value> {
        let shuffle = if self.dtype.bytes() == 1 { "noshuffle" } else { "shuffle" };
        let blosc = |cname: &str, level: u8| {
            json!({"name": "blosc", "configuration": {
                "typesize": self.dtype.bytes(), "cname": cname, "clevel": level, "shuffle": shuffle, "blocksize": 0,
            }})
        };
        Some(match self.compression {
            Compression::None => return None,
            Compression::Zstd { level } => {
                json!({"name": "zstd", "configuration": {"level": level, "checksum": false}})
            }
            Compression::BloscLz4 { level } => blosc("lz4", level),
            Compression::BloscZstd { level } => blosc("zstd", level),
            Compression::Gzip { level } => json!({"name": "gzip", "configuration": {"level": level}}),
        })
    }
}

/// A value as metadata of both versions have it.
fn fill(value: Scalar) -> Value {
    let float = |value: f64| match value {
        value if value.is_nan() => json!("NaN"),
        value if value.is_infinite() => json!(if value > 0.0 { "Infinity" } else { "-Infinity" }),
        value => json!(value),
    };
    // The shortest number that is read as the same one.
    let single = |value: f32| float(value.to_string().parse().unwrap_or_else(|_| f64::from(value)));
    match value {
        Scalar::Bool(value) => json!(value),
        Scalar::I8(value) => json!(value),
        Scalar::I16(value) => json!(value),
        Scalar::I32(value) => json!(value),
        Scalar::I64(value) => json!(value),
        Scalar::U8(value) => json!(value),
        Scalar::U16(value) => json!(value),
        Scalar::U32(value) => json!(value),
        Scalar::U64(value) => json!(value),
        Scalar::F32(value) => single(value),
        Scalar::F64(value) => float(value),
        Scalar::C32(Complex { re, im }) => json!([single(re), single(im)]),
        Scalar::C64(Complex { re, im }) => json!([float(re), float(im)]),
    }
}
