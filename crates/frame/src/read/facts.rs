//! What is known of files when the frame is built, as plain data.

use std::sync::Arc;

use musher_graph_core::{Chunk, Codec};
use polars::prelude::{DataFrame, SchemaRef};
use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Error as _, Serialize, Serializer};

use crate::partition::Partition;

/// Names and types of the columns; in bytes they are a partition without rows.
#[derive(Debug, Clone)]
pub(super) struct SchemaFacts(pub(super) SchemaRef);

fn codec() -> &'static dyn Codec {
    Partition::codec_of().expect("partitions of frames can be written")
}

impl Serialize for SchemaFacts {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut bytes = Vec::new();
        let empty = Partition(DataFrame::empty_with_schema(&self.0));
        codec().encode(&empty, &mut bytes).map_err(S::Error::custom)?;
        bytes.serialize(to)
    }
}

impl<'de> Deserialize<'de> for SchemaFacts {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let bytes = Vec::<u8>::deserialize(from)?;
        let chunk = codec().decode(&mut bytes.as_slice()).map_err(D::Error::custom)?;
        let empty = chunk.downcast_ref::<Partition>().ok_or_else(|| D::Error::custom("no partition"))?;
        Ok(Self(Arc::clone(empty.0.schema())))
    }
}
