//! The chunks of a bag: its partitions.

use std::fmt;

use musher_graph_core::{Chunk, Codec, Coder, Measure};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::coding;

/// A part of a bag that fits in memory: items in order.
pub struct Partition<T> {
    items: Vec<T>,
    bytes: Option<usize>,
    /// Where the type alone does not tell.
    codec: Option<&'static dyn Codec>,
}

impl<T> fmt::Debug for Partition<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Partition({} items, {:?} bytes)", self.items.len(), self.bytes)
    }
}

impl<T: Send + Sync + 'static> Partition<T> {
    /// A partition of these items, measured where their type is a known one.
    ///
    /// **Cost** one look at each item whose type owns memory, else none.
    ///
    /// # Examples
    /// ```
    /// use musher_bag::Partition;
    /// use musher_graph_core::Chunk;
    /// assert_eq!(Partition::new(vec![1u64, 2, 3]).nbytes(), Some(24));
    /// ```
    pub fn new(items: Vec<T>) -> Self {
        let bytes = match std::mem::needs_drop::<T>() {
            true => Coder::known().and_then(|coder| coded_bytes(&items, coder)),
            false => Some(items.capacity() * size_of::<T>()),
        };
        Self { items, bytes, codec: None }
    }

    /// The same partition with a codec that its type does not tell.
    pub(crate) fn with_codec(self, codec: Option<&'static dyn Codec>) -> Self {
        Self { codec, ..self }
    }

    /// The items in order.
    pub fn items(&self) -> &[T] {
        &self.items
    }

    /// The items, owned.
    pub fn into_items(self) -> Vec<T> {
        self.items
    }
}

impl<T: Measure> Partition<T> {
    /// A partition of these items, measured by themselves.
    pub fn measured(items: Vec<T>) -> Self {
        let bytes = Some(spare(&items) + items.iter().map(Measure::nbytes).sum::<usize>());
        Self { items, bytes, codec: None }
    }
}

impl<T: Serialize + DeserializeOwned + Send + Sync + 'static> Partition<T> {
    /// A partition of these items, which can leave memory by what serde knows of them.
    pub(crate) fn encoded(items: Vec<T>) -> Self {
        let bytes = coded_bytes(&items, Coder::serde());
        Self { items, bytes, codec: Some(coding::encoded::<T>()) }
    }
}

impl<T: Send + Sync + 'static> Chunk for Partition<T> {
    fn nbytes(&self) -> Option<usize> {
        self.bytes
    }

    fn codec(&self) -> Option<&'static dyn Codec> {
        self.codec.or_else(Self::codec_of)
    }

    fn codec_of() -> Option<&'static dyn Codec> {
        coding::known::<T>()
    }
}

/// Bytes that the items do not fill.
fn spare<T>(items: &Vec<T>) -> usize {
    (items.capacity() - items.len()) * size_of::<T>()
}

/// Bytes of the items, as far as their coder can tell.
fn coded_bytes<T: 'static>(items: &Vec<T>, coder: Coder<T>) -> Option<usize> {
    let bytes: Option<usize> = items.iter().map(|item| coder.nbytes(item)).sum();
    Some(spare(items) + bytes?)
}

#[cfg(test)]
mod tests {
    use super::Partition;
    use musher_graph_core::Chunk;

    #[test]
    fn partitions_know_their_bytes_where_they_can_be_told() {
        assert_eq!(Partition::new(vec![1u8; 10]).nbytes(), Some(10));
        assert_eq!(Partition::new(vec!["abc".to_owned()]).nbytes(), Some(24 + 3));
        assert_eq!(Partition::new(vec![("abc".to_owned(), 1u64)]).nbytes(), Some(32 + 3));
        assert_eq!(Partition::new(vec![Box::new(1)]).nbytes(), None);
        assert_eq!(Partition::measured(vec![(1u64, 2u64)]).nbytes(), Some(16));
        let value: serde_json::Value = serde_json::from_str(r#"{"a": [1, "text"]}"#).unwrap();
        assert!(Partition::new(vec![value]).nbytes().unwrap() > 100);
    }
}
