//! What the metadata of an array say, as far as blocks of it must know it.

use super::chain::Chain;
use super::document::Version;
use super::error::ZarrError;
use super::shard::Shard;
use crate::chunks::n_elements;
use crate::element::{DType, Element};
use serde_json::{Map, Value};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Component, Path};
use std::sync::Arc;
use zarrs::array::data_type::uint64;
use zarrs::array::{Array, ArrayMetadata, ArrayMetadataV3, CodecChain, DataType, FillValue};
use zarrs::metadata::v3::MetadataV3;

/// The most bytes of metadata that are read: no array of numbers needs as many.
pub(crate) const MOST_METADATA: u64 = 16 << 20;
/// NumPy's limit of dimensions.
const MOST_AXES: usize = 64;
/// More codecs than this are meant to do harm.
const MOST_CODECS: usize = 32;
/// More files than this are not looked at one by one.
const MOST_FILES: usize = 1 << 24;

/// An array in files: its shape, its division, and how chunks become bytes.
pub(crate) struct Layout {
    pub(crate) version: Version,
    pub(crate) shape: Vec<usize>,
    /// Lengths of what stands in one file: a chunk or a shard.
    pub(crate) file: Vec<usize>,
    /// Lengths of a chunk, the least that can be read.
    pub(crate) chunk: Vec<usize>,
    pub(crate) dtype: DType,
    pub(crate) names: Option<Vec<Option<String>>>,
    pub(crate) attributes: Map<String, Value>,
    pub(super) chain: Chain,
    pub(super) shard: Option<Shard>,
    array: Array<()>,
}

impl Layout {
    /// What the text of `zarr.json`, or of `.zarray` and `.zattrs`, says.
    ///
    /// # Errors
    /// [`ZarrError::Metadata`], [`ZarrError::Group`], [`ZarrError::ElementType`].
    pub(crate) fn parse(version: Version, text: &str, attributes: Option<&str>) -> Result<Self, ZarrError> {
        let file = version.file();
        let wrong = |problem: String| ZarrError::Metadata { file, problem };
        let mut json: Value = serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
        if version == Version::V3 && json.get("node_type").is_some_and(|node| node == "group") {
            return Err(ZarrError::Group);
        }
        check(&json).map_err(|problem| wrong(problem.to_owned()))?;
        let lengths = |key: &str| lengths(json.get(key)?);
        let shape = lengths("shape").ok_or_else(|| wrong("shape is no list of lengths".to_owned()))?;
        if n_elements(&shape).is_none() {
            return Err(wrong(format!("shape {shape:?} has more elements than can be addressed")));
        }
        // Both orders are one for these, and an order of no axes is none to the decoder.
        if version == Version::V2 && shape.len() < 2 {
            json["order"] = Value::from("C");
        }
        let grid = |grid: &Value| lengths_in(grid, &["configuration", "chunk_shape"]);
        let stored = match version {
            Version::V2 => json.get("chunks").and_then(self::lengths),
            Version::V3 => json.get("chunk_grid").filter(|grid| grid["name"] == "regular").and_then(grid),
        };
        let stored = stored.filter(|stored| stored.len() == shape.len() && !stored.contains(&0));
        let stored = stored.ok_or_else(|| wrong("its chunks are not of one shape".to_owned()))?;
        // Before foreign code multiplies them; the largest elements have 16 bytes.
        if n_elements(&[stored.as_slice(), &[16]].concat()).is_none() {
            return Err(wrong(format!("chunks of {stored:?} have more bytes than can be addressed")));
        }
        let array = zarrs_array(version, json).map_err(wrong)?;
        let counts = shape.iter().zip(&stored).map(|(n, length)| n.div_ceil(*length).max(1));
        if counts.fold(1, usize::saturating_mul) > MOST_FILES {
            return Err(wrong(format!(
                "shape {shape:?} in chunks of {stored:?} is more than {MOST_FILES} files"
            )));
        }
        let (data_type, fill) = (array.data_type().clone(), array.fill_value().clone());
        let dtype = dtype_of(&data_type)
            .ok_or_else(|| wrong(format!("elements of type {data_type} are not known")))?;
        let (chunk, chain, shard) = chains(&array, &stored, &data_type, &fill).map_err(wrong)?;
        let attributes = match (version, attributes) {
            (Version::V2, Some(text)) => serde_json::from_str(text)
                .map_err(|error| ZarrError::Metadata { file: ".zattrs", problem: error.to_string() })?,
            _ => array.attributes().clone(),
        };
        let names = array.dimension_names().clone();
        Ok(Self { version, shape, file: stored, chunk, dtype, names, attributes, chain, shard, array })
    }

    /// Refuses elements of another type, and another number of axes.
    pub(crate) fn check<A: Element>(&self, ndim: Option<usize>) -> Result<(), ZarrError> {
        if self.dtype != A::DTYPE {
            let found = self.dtype.name().to_owned();
            return Err(ZarrError::ElementType { found, expected: A::DTYPE });
        }
        let found = self.shape.len();
        ndim.filter(|&expected| expected != found)
            .map_or(Ok(()), |expected| Err(ZarrError::Dimensions { expected, found }))
    }

    /// Files along each axis.
    pub(crate) fn n_files(&self) -> Vec<usize> {
        self.shape.iter().zip(&self.file).map(|(n, length)| n.div_ceil(*length)).collect()
    }

    /// Whether a file holds many chunks.
    pub(crate) fn is_sharded(&self) -> bool {
        self.shard.is_some()
    }

    /// The file at these coordinates, as its path in the array's folder.
    ///
    /// # Errors
    /// [`ZarrError::Metadata`] when the metadata name a file outside of the folder.
    pub(crate) fn key(&self, at: &[usize]) -> Result<String, ZarrError> {
        let at: Vec<u64> = at.iter().map(|&at| at as u64).collect();
        let key = self.array.chunk_key(&at).as_str().to_owned();
        let is_inside = Path::new(&key).components().all(|part| matches!(part, Component::Normal(_)));
        if key.is_empty() || !is_inside || key.contains(['\\', '\0']) {
            let problem = format!("the name of a chunk is {key:?}, which is no file in the array's folder");
            return Err(ZarrError::Metadata { file: self.version.file(), problem });
        }
        Ok(key)
    }

    /// The value of elements that were never written.
    ///
    /// # Panics
    /// Never: the fill value was checked with the metadata.
    pub(crate) fn fill<A: Element>(&self) -> A {
        A::load(self.array.fill_value().as_ne_bytes())
    }

    /// What the bytes of chunks go through, in the order of writing.
    pub(crate) fn codecs(&self) -> Vec<String> {
        match self.array.metadata() {
            ArrayMetadata::V3(v3) => v3.codecs.iter().map(|codec| codec.name().to_owned()).collect(),
            ArrayMetadata::V2(v2) => {
                let filters = v2.filters.iter().flatten().chain(&v2.compressor);
                filters.map(|codec| codec.id().to_owned()).collect()
            }
        }
    }

    /// Bytes of a chunk's elements in memory.
    pub(crate) fn chunk_bytes(&self) -> u64 {
        self.chain.n_bytes() as u64
    }

    /// Bytes that reading one chunk takes beside the block, if its file has so many.
    pub(crate) fn read_scratch(&self, file: u64) -> u64 {
        let index = self.shard.as_ref().map_or(0, |shard| shard.index_bytes().saturating_mul(3));
        let encoded = self.chain.most().map_or(file, |most| most.min(file));
        encoded.saturating_add(self.chunk_bytes()).saturating_add(self.chain.scratch()).saturating_add(index)
    }

    /// Bytes that writing one file takes beside the block.
    pub(crate) fn write_scratch(&self) -> u64 {
        let index = self.shard.as_ref().map_or(0, |shard| shard.index_bytes().saturating_mul(3));
        let encoded = self.chain.most().unwrap_or_else(|| self.chunk_bytes().saturating_mul(2));
        encoded.saturating_add(self.chunk_bytes()).saturating_add(self.chain.scratch()).saturating_add(index)
    }
}

/// What `zarr.json` of an array may say.
const V3_KEYS: [&str; 11] = [
    "zarr_format",
    "node_type",
    "shape",
    "data_type",
    "chunk_grid",
    "chunk_key_encoding",
    "fill_value",
    "codecs",
    "attributes",
    "storage_transformers",
    "dimension_names",
];

/// What can be seen to be meant for harm before anybody acts on it.
fn check(json: &Value) -> Result<(), &'static str> {
    let n = |key: &str| json.get(key).and_then(Value::as_array).map_or(0, Vec::len);
    if n("shape") > MOST_AXES || n("chunks") > MOST_AXES {
        return Err("it has more than 64 axes");
    }
    if n("codecs").max(n("filters")) > MOST_CODECS {
        return Err("it has more than 32 codecs");
    }
    // What a reader does not know it must refuse, unless it is said that it need not.
    let is_needed = |(key, value): (&String, &Value)| {
        !V3_KEYS.contains(&key.as_str()) && value.get("must_understand") != Some(&Value::Bool(false))
    };
    let keys = json.as_object().ok_or("it is no dictionary")?;
    if keys.get("zarr_format").is_some_and(|format| *format == 3) && keys.iter().any(is_needed) {
        return Err("it has an extension that is not known");
    }
    Ok(())
}

/// A list of lengths.
fn lengths(list: &Value) -> Option<Vec<usize>> {
    let length = |length: &Value| length.as_u64().and_then(|length| usize::try_from(length).ok());
    list.as_array()?.iter().map(length).collect()
}

fn lengths_in(json: &Value, path: &[&str]) -> Option<Vec<usize>> {
    path.iter().try_fold(json, |json, key| json.get(key)).and_then(lengths)
}

/// The array as zarrs sees it, or what it says is wrong.
fn zarrs_array(version: Version, json: Value) -> Result<Array<()>, String> {
    let make = || {
        let text = |error: serde_json::Error| error.to_string();
        let metadata = match version {
            Version::V2 => ArrayMetadata::V2(serde_json::from_value(json).map_err(text)?),
            Version::V3 => ArrayMetadata::V3(serde_json::from_value(json).map_err(text)?),
        };
        Array::new_with_metadata(Arc::new(()), "/", metadata).map_err(|error| error.to_string())
    };
    // Metadata are foreign, and so is the code that believes them.
    catch_unwind(AssertUnwindSafe(make)).unwrap_or_else(|_| Err("they contradict themselves".to_owned()))
}

/// The lengths of a chunk and its codecs, and what is known of shards.
fn chains(
    array: &Array<()>,
    file: &[usize],
    data_type: &DataType,
    fill: &FillValue,
) -> Result<(Vec<usize>, Chain, Option<Shard>), String> {
    let sharding = match array.metadata() {
        ArrayMetadata::V3(v3) => sharding(v3)?,
        ArrayMetadata::V2(_) => None,
    };
    let Some(sharding) = sharding else {
        return Ok((file.to_vec(), Chain::new(&array.codecs(), file, data_type, fill)?, None));
    };
    let codecs = |key: &str| {
        let codecs = sharding.get(key).cloned().unwrap_or_default();
        let codecs: Vec<MetadataV3> = serde_json::from_value(codecs).map_err(|error| error.to_string())?;
        match codecs.iter().any(|codec| codec.name() == SHARDING) {
            true => Err("shards in shards are not supported".to_owned()),
            false => CodecChain::from_metadata(&codecs).map_err(|error| error.to_string()),
        }
    };
    let chunk = sharding.get("chunk_shape").and_then(lengths).filter(|chunk| chunk.len() == file.len());
    let chunk = chunk.filter(|chunk| chunk.iter().zip(file).all(|(&n, file)| n > 0 && file % n == 0));
    let chunk = chunk.ok_or("a shard is not made of whole chunks")?;
    let counts: Vec<usize> = file.iter().zip(&chunk).map(|(file, chunk)| file / chunk).collect();
    let entries: Vec<usize> = counts.iter().copied().chain([2]).collect();
    let index = Chain::new(&codecs("index_codecs")?, &entries, &uint64(), &FillValue::from(u64::MAX))?;
    let chain = Chain::new(&codecs("codecs")?, &chunk, data_type, fill)?;
    let at_end = sharding.get("index_location").is_none_or(|place| place != "start");
    Ok((chunk, chain, Some(Shard { counts, index, at_end })))
}

/// What the codec of shards is called.
const SHARDING: &str = "sharding_indexed";

/// The configuration of shards, if there are any.
fn sharding(v3: &ArrayMetadataV3) -> Result<Option<Map<String, Value>>, String> {
    let Some(codec) = v3.codecs.iter().find(|codec| codec.name() == SHARDING) else { return Ok(None) };
    if v3.codecs.len() > 1 {
        return Err("codecs around shards are not supported".to_owned());
    }
    let configuration = codec.configuration().ok_or("shards without a configuration")?;
    match serde_json::to_value(configuration) {
        Ok(Value::Object(map)) => Ok(Some(map)),
        _ => Err("shards without a configuration".to_owned()),
    }
}

/// The name of an element type in metadata of version 3, which is NumPy's.
pub(super) fn zarr_name(dtype: DType) -> &'static str {
    match dtype {
        DType::I8 => "int8",
        DType::I16 => "int16",
        DType::I32 => "int32",
        DType::I64 => "int64",
        DType::U8 => "uint8",
        DType::U16 => "uint16",
        DType::U32 => "uint32",
        DType::U64 => "uint64",
        DType::F32 => "float32",
        DType::F64 => "float64",
        DType::Bool | DType::C32 | DType::C64 => dtype.name(),
    }
}

fn dtype_of(data_type: &DataType) -> Option<DType> {
    let name = data_type.name_v3()?;
    DType::ALL.iter().copied().find(|&dtype| zarr_name(dtype) == name)
}
