//! The chunks of a bag: its partitions, and what they are reduced to on the way to a result.

use std::any::Any;
use std::fmt;

use musher_graph_core::{Chunk, Measure};

/// A part of a bag that fits in memory: items in order.
pub struct Partition<T> {
    items: Vec<T>,
    bytes: Option<usize>,
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
        let bytes = known_bytes(&items);
        Self { items, bytes }
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
        let bytes = Some(bytes_by(&items, |item| item.nbytes()));
        Self { items, bytes }
    }
}

impl<T: Send + Sync + 'static> Chunk for Partition<T> {
    fn nbytes(&self) -> Option<usize> {
        self.bytes
    }
}

/// The chunk that a partition, or several of them, is reduced to.
#[derive(Clone)]
pub(crate) struct Partial<A>(pub(crate) A);

impl<A: Send + Sync + 'static> Chunk for Partial<A> {
    fn nbytes(&self) -> Option<usize> {
        (!std::mem::needs_drop::<A>()).then_some(size_of::<A>())
    }
}

/// Bytes of a vector whose items hold `measure` bytes each, their own size included.
fn bytes_by<T>(items: &Vec<T>, measure: impl Fn(&T) -> usize) -> usize {
    let spare = (items.capacity() - items.len()) * size_of::<T>();
    spare + items.iter().map(measure).sum::<usize>()
}

/// Bytes of the items where that can be told without the help of their type: what owns no memory, and the common kinds
/// of what does.
fn known_bytes<T: 'static>(items: &Vec<T>) -> Option<usize> {
    if !std::mem::needs_drop::<T>() {
        return Some(items.capacity() * size_of::<T>());
    }
    let items: &dyn Any = items;
    if let Some(texts) = items.downcast_ref::<Vec<String>>() {
        return Some(bytes_by(texts, Measure::nbytes));
    }
    if let Some(counts) = items.downcast_ref::<Vec<(String, u64)>>() {
        return Some(bytes_by(counts, |(text, _)| text.capacity() + size_of::<(String, u64)>()));
    }
    if let Some(values) = items.downcast_ref::<Vec<serde_json::Value>>() {
        return Some(bytes_by(values, json_bytes));
    }
    None
}

/// Bytes of a JSON value; values nested in it are visited from a list, because a reader may nest them deeply.
fn json_bytes(value: &serde_json::Value) -> usize {
    use serde_json::Value;
    /// What a tree map holds beside its keys and values, for each entry: half-empty nodes of eleven.
    const MAP_ENTRY: usize = 16;
    let mut bytes = size_of::<Value>();
    let mut pending = vec![value];
    while let Some(value) = pending.pop() {
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
            Value::String(text) => bytes += text.capacity(),
            Value::Array(values) => {
                bytes += values.capacity() * size_of::<Value>();
                pending.extend(values);
            }
            Value::Object(fields) => {
                for (name, value) in fields {
                    bytes += size_of::<(String, Value)>() + name.capacity() + MAP_ENTRY;
                    pending.push(value);
                }
            }
        }
    }
    bytes
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
