//! Items as bytes and back, where their type can be written: what a shuffle needs to stage on disk.
//!
//! The encoding is postcard's, because it is exact: what it cannot write back as it was (untagged enums, skipped fields)
//! is an error and never another value, which holds of no self-describing format (`Some(None)` becomes `None` there).
//! Each item is preceded by its length and must use all of it.

use std::any::{Any, type_name};
use std::io::{self, Read, Write};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Error;

/// How items of a type are written and read: two functions, so that a bag can carry them without a bound on its type.
struct Functions<T> {
    write: fn(&[T], &mut dyn Write) -> io::Result<()>,
    read: fn(u64, &mut dyn Read, &mut Vec<T>) -> io::Result<()>,
}

impl<T> Clone for Functions<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Functions<T> {}

/// How items are written and read, alone and with their counts.
pub(crate) struct Coder<T> {
    alone: Functions<T>,
    /// Items with their counts have no such functions, or there would be no end of types.
    counted: Option<Functions<(T, u64)>>,
}

impl<T> Clone for Coder<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Coder<T> {}

/// Finds the coder of a type among those that need no bound.
macro_rules! known_coder {
    ($of:ident: $($t:ty),*) => {
        None$(.or_else(|| (&Coder::<$t>::serde() as &dyn Any).downcast_ref::<Coder<$of>>().copied()))*
    };
}

impl<T: 'static> Coder<T> {
    /// The coder of a common type: numbers, text, and counted text.
    pub(crate) fn known() -> Option<Self> {
        known_coder!(T: String, (String, u64), u64, i64, f64, u32, i32, f32, u16, i16, u8, i8, usize, isize, bool, char)
    }

    /// The coder of items with their counts.
    pub(crate) fn counted(&self) -> Option<Coder<(T, u64)>> {
        self.counted.map(|alone| Coder { alone, counted: None })
    }

    /// Writes items one after the other.
    pub(crate) fn write(&self, items: &[T], to: &mut dyn Write) -> io::Result<()> {
        (self.alone.write)(items, to)
    }

    /// Reads `n` items and appends them.
    pub(crate) fn read(&self, n: u64, from: &mut dyn Read, items: &mut Vec<T>) -> io::Result<()> {
        (self.alone.read)(n, from, items)
    }
}

impl<T: Serialize + DeserializeOwned + 'static> Coder<T> {
    /// The coder of a type that serde can write and read.
    pub(crate) fn serde() -> Self {
        let counted = Functions { write: write::<(T, u64)>, read: read::<(T, u64)> };
        Self { alone: Functions { write: write::<T>, read: read::<T> }, counted: Some(counted) }
    }
}

fn unfit<T>(source: postcard::Error) -> io::Error {
    io::Error::other(Error::Coding { item: type_name::<T>(), source })
}

fn write<T: Serialize>(items: &[T], to: &mut dyn Write) -> io::Result<()> {
    let mut bytes = Vec::new();
    for item in items {
        bytes.clear();
        bytes = postcard::to_extend(item, bytes).map_err(unfit::<T>)?;
        to.write_all(&(bytes.len() as u64).to_le_bytes())?;
        to.write_all(&bytes)?;
    }
    Ok(())
}

fn read<T: DeserializeOwned>(n: u64, from: &mut dyn Read, items: &mut Vec<T>) -> io::Result<()> {
    let mut from = io::BufReader::with_capacity(1 << 16, from);
    let mut bytes = Vec::new();
    for _ in 0..n {
        let mut length = [0; 8];
        from.read_exact(&mut length)?;
        let length = u64::from_le_bytes(length);
        bytes.clear();
        // What a wrong length asks for is bounded by what there is.
        if from.by_ref().take(length).read_to_end(&mut bytes)? as u64 != length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        match postcard::take_from_bytes(&bytes).map_err(unfit::<T>)? {
            (item, []) => items.push(item),
            _ => return Err(unfit::<T>(postcard::Error::DeserializeBadEncoding)),
        }
    }
    match from.buffer() {
        [] => Ok(()),
        _ => Err(unfit::<T>(postcard::Error::DeserializeBadEncoding)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use std::collections::HashMap;

    fn round_trip<T: Serialize + DeserializeOwned + Clone + PartialEq + std::fmt::Debug + 'static>(
        items: &[T],
    ) {
        let coder = Coder::<T>::serde();
        let mut bytes = Vec::new();
        coder.write(items, &mut bytes).unwrap();
        let mut back = items[..1].to_vec();
        coder.read(items.len() as u64, &mut bytes.as_slice(), &mut back).unwrap();
        assert_eq!(back[1..], *items);
        // One byte less, one byte more, one item more.
        assert!(coder.read(items.len() as u64, &mut &bytes[..bytes.len() - 1], &mut back).is_err());
        assert!(coder.read(items.len() as u64 + 1, &mut bytes.as_slice(), &mut back).is_err());
        bytes.push(0);
        assert!(coder.read(items.len() as u64, &mut bytes.as_slice(), &mut back).is_err());
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    enum Shape {
        Point,
        Circle { radius: f64 },
        Named(String, Option<Option<u8>>),
    }

    #[test]
    fn items_come_back_exactly() {
        round_trip(&[f64::MIN_POSITIVE, -0.0, f64::INFINITY, 0.1 + 0.2]);
        round_trip(&["", "ä", "long"].map(str::to_owned));
        round_trip(&[Some(None), None, Some(Some(3_u8))]);
        round_trip(&[Shape::Point, Shape::Circle { radius: 1.5 }, Shape::Named("x".into(), Some(None))]);
        round_trip(&[HashMap::from([(1_u8, vec![(); 3])])]);
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    struct Skips {
        #[serde(skip_serializing_if = "Option::is_none", default)]
        a: Option<u8>,
        b: u8,
    }

    #[test]
    fn what_cannot_come_back_is_an_error() {
        let coder = Coder::<Skips>::serde();
        let mut bytes = Vec::new();
        coder.write(&[Skips { a: None, b: 1 }, Skips { a: None, b: 0 }], &mut bytes).unwrap();
        let error = coder.read(2, &mut bytes.as_slice(), &mut Vec::new()).unwrap_err();
        assert!(error.to_string().contains("Skips"), "{error}");
        let value = Coder::<serde_json::Value>::serde();
        bytes.clear();
        value.write(&[serde_json::Value::Null], &mut bytes).unwrap();
        assert!(value.read(1, &mut bytes.as_slice(), &mut Vec::new()).is_err());
    }

    #[test]
    fn a_length_that_lies_takes_no_memory() {
        let mut bytes = u64::MAX.to_le_bytes().to_vec();
        bytes.extend([0; 10]);
        assert!(Coder::<String>::serde().read(1, &mut bytes.as_slice(), &mut Vec::new()).is_err());
    }

    #[test]
    fn common_types_need_no_bound() {
        assert!(Coder::<String>::known().is_some() && Coder::<(String, u64)>::known().is_some());
        assert!(Coder::<f64>::known().is_some() && Coder::<Vec<u8>>::known().is_none());
    }
}
