//! What serde can write, in postcard's encoding, where it can be read back as it was.
//!
//! **Source** of the encoding: the specification of postcard's wire format, version 1. postcard reads what is written
//! here; its own serializer lets fields be skipped, which are then missed where the value is read.

use std::any::{TypeId, type_name};
use std::collections::HashSet;
use std::io::{self, BufReader, Read, Write};
use std::sync::{LazyLock, Mutex, PoisonError};

use postcard::Error;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde::ser;

use super::{BUFFER, room};

/// A value could not be written, or not be read back as it was.
#[derive(Debug, thiserror::Error)]
#[error(
    "{value} cannot be written and read back: its serde form must not skip fields or depend on what is read"
)]
pub struct Unfit {
    /// The value's type.
    pub value: &'static str,
    /// What is wrong.
    pub source: Error,
}

fn unfit<T>(source: Error) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, Unfit { value: type_name::<T>(), source })
}

/// A value alone.
///
/// # Errors
/// Where the value says so itself, or does not say how long a list is.
pub(crate) fn to_vec<T: Serialize>(value: &T) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    value.serialize(Writer(&mut bytes))?;
    Ok(bytes)
}

/// Larger values are not read back to see whether they can be.
const LARGEST_READ_BACK: usize = 16 << 20;

/// Types whose first value was read back as it was written.
static READABLE: LazyLock<Mutex<HashSet<TypeId>>> = LazyLock::new(Mutex::default);

/// Fails if what is written of this type cannot be read: an untagged enum writes, and then nobody can tell what it was.
///
/// The first value of each type is read back, so that a checkpoint is not found out to be unreadable when it is needed.
fn check_readable<T: Serialize + DeserializeOwned + 'static>(bytes: &[u8]) -> io::Result<()> {
    let is_known = |types: &HashSet<TypeId>| types.contains(&TypeId::of::<T>());
    if is_known(&READABLE.lock().unwrap_or_else(PoisonError::into_inner)) {
        return Ok(());
    }
    let (_, rest) = postcard::take_from_bytes::<T>(bytes).map_err(unfit::<T>)?;
    if !rest.is_empty() {
        return Err(unfit::<T>(Error::DeserializeBadEncoding));
    }
    READABLE.lock().unwrap_or_else(PoisonError::into_inner).insert(TypeId::of::<T>());
    Ok(())
}

/// Each value after its length.
pub(super) fn write<T: Serialize + DeserializeOwned + 'static>(
    values: &[T],
    to: &mut dyn Write,
) -> io::Result<()> {
    let mut bytes = Vec::new();
    for (number, value) in values.iter().enumerate() {
        bytes.clear();
        value.serialize(Writer(&mut bytes)).map_err(unfit::<T>)?;
        // A second value of this size shall not be made where memory may be short.
        if number == 0 && bytes.len() <= LARGEST_READ_BACK {
            check_readable::<T>(&bytes)?;
        }
        to.write_all(&(bytes.len() as u64).to_le_bytes())?;
        to.write_all(&bytes)?;
    }
    Ok(())
}

pub(super) fn read<T: DeserializeOwned>(n: u64, from: &mut dyn Read, values: &mut Vec<T>) -> io::Result<()> {
    let mut from = BufReader::with_capacity(BUFFER, from);
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
        room(values)?;
        match postcard::take_from_bytes(&bytes).map_err(unfit::<T>)? {
            (value, []) => values.push(value),
            _ => return Err(unfit::<T>(Error::DeserializeBadEncoding)),
        }
    }
    super::end(&mut from)
}

/// The value's own size and, where it may own memory, what it has on the wire.
pub(super) fn nbytes<T: Serialize>(value: &T) -> Option<usize> {
    let mut counted = Counted(0);
    if std::mem::needs_drop::<T>() {
        value.serialize(Writer(&mut counted)).ok()?;
    }
    Some(size_of::<T>() + counted.0)
}

/// Where bytes go.
trait Sink {
    fn put(&mut self, bytes: &[u8]);
}

impl Sink for Vec<u8> {
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

/// Only the number of the bytes.
struct Counted(usize);

impl Sink for Counted {
    fn put(&mut self, bytes: &[u8]) {
        self.0 += bytes.len();
    }
}

struct Writer<'a, S>(&'a mut S);

impl<'a, S: Sink> Writer<'a, S> {
    /// Seven bits a byte, the lowest first; the highest bit of a byte says that there are more.
    fn number(&mut self, mut number: u128) {
        let mut bytes = [0_u8; 19];
        let mut n = 0;
        while number >= 0x80 {
            bytes[n] = number as u8 | 0x80;
            number >>= 7;
            n += 1;
        }
        bytes[n] = number as u8;
        self.0.put(&bytes[..=n]);
    }

    /// Small numbers of either sign are few bytes: 0, -1, 1, -2, …
    fn signed(&mut self, number: i128) {
        self.number(((number << 1) ^ (number >> 127)) as u128);
    }

    fn counted(mut self, len: Option<usize>) -> Result<Self, Error> {
        self.number(len.ok_or(Error::SerializeSeqLengthUnknown)? as u128);
        Ok(self)
    }

    fn variant(mut self, index: u32) -> Self {
        self.number(index.into());
        self
    }

    fn again(&mut self) -> Writer<'_, S> {
        Writer(self.0)
    }
}

/// Numbers with a length of their own.
macro_rules! numbers {
    ($($method:ident $t:ty: $write:ident;)*) => {$(
        fn $method(mut self, number: $t) -> Result<(), Error> {
            self.$write(number.into());
            Ok(())
        }
    )*};
}

impl<'a, S: Sink> ser::Serializer for Writer<'a, S> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    fn is_human_readable(&self) -> bool {
        false
    }

    numbers! {
        serialize_u16 u16: number; serialize_u32 u32: number; serialize_u64 u64: number; serialize_u128 u128: number;
        serialize_i16 i16: signed; serialize_i32 i32: signed; serialize_i64 i64: signed; serialize_i128 i128: signed;
    }

    fn serialize_bool(self, value: bool) -> Result<(), Error> {
        self.serialize_u8(value.into())
    }

    fn serialize_u8(self, value: u8) -> Result<(), Error> {
        self.0.put(&[value]);
        Ok(())
    }

    fn serialize_i8(self, value: i8) -> Result<(), Error> {
        self.0.put(&value.to_le_bytes());
        Ok(())
    }

    fn serialize_f32(self, value: f32) -> Result<(), Error> {
        self.0.put(&value.to_le_bytes());
        Ok(())
    }

    fn serialize_f64(self, value: f64) -> Result<(), Error> {
        self.0.put(&value.to_le_bytes());
        Ok(())
    }

    fn serialize_char(self, value: char) -> Result<(), Error> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<(), Error> {
        self.serialize_bytes(value.as_bytes())
    }

    fn serialize_bytes(mut self, value: &[u8]) -> Result<(), Error> {
        self.number(value.len() as u128);
        self.0.put(value);
        Ok(())
    }

    fn serialize_none(self) -> Result<(), Error> {
        self.serialize_u8(0)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        self.0.put(&[1]);
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Error> {
        Ok(())
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<(), Error> {
        Ok(())
    }

    fn serialize_unit_variant(self, _: &'static str, index: u32, _: &'static str) -> Result<(), Error> {
        self.serialize_u32(index)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        index: u32,
        _: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        value.serialize(self.variant(index))
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<Self, Error> {
        self.counted(len)
    }

    fn serialize_tuple(self, _len: usize) -> Result<Self, Error> {
        Ok(self)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self, Error> {
        Ok(self)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        index: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self, Error> {
        Ok(self.variant(index))
    }

    /// In the map's own order, which is part of the value of some.
    fn serialize_map(self, len: Option<usize>) -> Result<Self, Error> {
        self.counted(len)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, Error> {
        Ok(self)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        index: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self, Error> {
        Ok(self.variant(index))
    }
}

/// What is written one after the other; names of fields are not. For a struct it reads: `serialize_field` is given a name and
/// writes the value, `end` writes nothing.
macro_rules! in_a_row {
    ($($group:ident $method:ident($($name:ty)?);)*) => {$(
        impl<S: Sink> ser::$group for Writer<'_, S> {
            type Ok = ();
            type Error = Error;

            fn $method<T: Serialize + ?Sized>(&mut self, $(_: $name,)? value: &T) -> Result<(), Error> {
                value.serialize(self.again())
            }

            $(
                /// Whoever reads the value would not know that it is missing, and take the next field for it.
                fn skip_field(&mut self, _: $name) -> Result<(), Error> {
                    Err(Error::SerdeSerCustom)
                }
            )?

            fn end(self) -> Result<(), Error> {
                Ok(())
            }
        }
    )*};
}
in_a_row! {
    SerializeSeq serialize_element(); SerializeTuple serialize_element(); SerializeTupleStruct serialize_field();
    SerializeTupleVariant serialize_field(); SerializeStruct serialize_field(&'static str);
    SerializeStructVariant serialize_field(&'static str);
}

impl<S: Sink> ser::SerializeMap for Writer<'_, S> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        key.serialize(self.again())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        value.serialize(self.again())
    }

    fn end(self) -> Result<(), Error> {
        Ok(())
    }
}
