//! What is known of files when the frame is built, as plain data.

use std::sync::Arc;

use musher_graph_core::Key;
use polars::prelude::{DataFrame, SchemaRef};
use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Error as _, Serialize, Serializer};

use crate::border::{decode, encode};

/// Names and types of the columns; in bytes they are a table without rows, and the digest of that: polars takes the memory
/// that damaged bytes ask for.
#[derive(Debug, Clone)]
pub(super) struct SchemaFacts(pub(super) SchemaRef);

impl Serialize for SchemaFacts {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut bytes = Vec::new();
        encode(&DataFrame::empty_with_schema(&self.0), &mut bytes).map_err(S::Error::custom)?;
        let digest = Key::of(&bytes).to_bits();
        (bytes, digest).serialize(to)
    }
}

impl<'de> Deserialize<'de> for SchemaFacts {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let (bytes, digest) = <(Vec<u8>, u128)>::deserialize(from)?;
        if Key::of(&bytes).to_bits() != digest {
            return Err(D::Error::custom("the digest of a schema does not fit it"));
        }
        let table = decode(&bytes).map_err(D::Error::custom)?;
        Ok(Self(Arc::clone(table.schema())))
    }
}
