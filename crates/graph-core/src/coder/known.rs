//! The types whose values are written and read without a bound, and how.
//!
//! Numbers are little-endian, `usize` and `isize` with 64 bits; a length, as a `u64`, stands before what has one; also
//! nothing takes a byte, so that there are never more values than bytes.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::ffi::OsString;
use std::hash::BuildHasherDefault;
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::sync::LazyLock;

use serde_json::{Map, Number, Value as Json};

use super::{BUFFER, Functions, In, Out, end, invalid, room};
use crate::chunk::Measure;
use crate::graph::KeyHasher;

/// A type whose values are written as they are.
pub(super) trait Known: Measure + Sized + 'static {
    /// Writes the value.
    fn put(&self, to: &mut Out<'_, '_>) -> io::Result<()>;

    /// Reads a value.
    fn get(from: &mut In<'_, '_>) -> io::Result<Self>;
}

/// The functions of each known type.
pub(super) type Table = HashMap<TypeId, &'static (dyn Any + Send + Sync), BuildHasherDefault<KeyHasher>>;

pub(super) fn table() -> &'static Table {
    static TABLE: LazyLock<Table> = LazyLock::new(|| {
        let mut table = Table::default();
        fill(&mut table);
        #[cfg(feature = "ndarray")]
        super::matrix::fill(&mut table);
        table
    });
    &TABLE
}

impl<T: Known> Functions<T> {
    /// The functions of a known type of this name.
    pub(super) const fn known(name: fn() -> &'static str) -> Self {
        Self { name, write: write::<T>, read: read::<T>, nbytes: |value| Some(value.nbytes()) }
    }
}

fn write<T: Known>(values: &[T], to: &mut dyn Write) -> io::Result<()> {
    let mut to = Out::with_capacity(BUFFER, to);
    values.iter().try_for_each(|value| value.put(&mut to))?;
    to.flush()
}

fn read<T: Known>(n: u64, from: &mut dyn Read, values: &mut Vec<T>) -> io::Result<()> {
    let mut from = In::with_capacity(BUFFER, from);
    get_all(n, &mut from, values)?;
    end(&mut from)
}

/// Reads so many values and appends them; memory is taken as they come.
pub(super) fn get_all<T: Known>(n: u64, from: &mut In<'_, '_>, values: &mut Vec<T>) -> io::Result<()> {
    // Most lists are short: they get what they need and no more.
    let first = n.min((BUFFER / size_of::<T>().max(1)) as u64) as usize;
    values.try_reserve_exact(first).map_err(|_| io::Error::from(io::ErrorKind::OutOfMemory))?;
    for _ in 0..n {
        room(values)?;
        values.push(T::get(from)?);
    }
    Ok(())
}

fn get_bytes<const N: usize>(from: &mut In<'_, '_>) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// As many bytes as the length before them says; memory is taken as they come.
fn get_text(from: &mut In<'_, '_>) -> io::Result<Vec<u8>> {
    let n = u64::get(from)?;
    let mut bytes = Vec::new();
    match from.take(n).read_to_end(&mut bytes)? as u64 == n {
        true => Ok(bytes),
        false => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

/// Numbers as they are. For `f64` it reads: 8 bytes, `to_le_bytes`, `from_le_bytes`.
macro_rules! known_numbers {
    ($($t:ty),*) => {$(
        impl Known for $t {
            #[inline]
            fn put(&self, to: &mut Out<'_, '_>) -> io::Result<()> {
                to.write_all(&self.to_le_bytes())
            }

            #[inline]
            fn get(from: &mut In<'_, '_>) -> io::Result<Self> {
                get_bytes(from).map(Self::from_le_bytes)
            }
        }
    )*};
}
known_numbers!(u8, u16, u32, u64, u128, i8, i16, i32, i64, i128, f32, f64);

impl Known for usize {
    fn put(&self, to: &mut Out<'_, '_>) -> io::Result<()> {
        (*self as u64).put(to)
    }

    fn get(from: &mut In<'_, '_>) -> io::Result<Self> {
        u64::get(from)?.try_into().map_err(|_| invalid("a number is no usize of this machine"))
    }
}

impl Known for isize {
    fn put(&self, to: &mut Out<'_, '_>) -> io::Result<()> {
        (*self as i64).put(to)
    }

    fn get(from: &mut In<'_, '_>) -> io::Result<Self> {
        i64::get(from)?.try_into().map_err(|_| invalid("a number is no isize of this machine"))
    }
}

impl Known for bool {
    fn put(&self, to: &mut Out<'_, '_>) -> io::Result<()> {
        u8::from(*self).put(to)
    }

    fn get(from: &mut In<'_, '_>) -> io::Result<Self> {
        match u8::get(from)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(invalid("a byte is neither true nor false")),
        }
    }
}

impl Known for char {
    fn put(&self, to: &mut Out<'_, '_>) -> io::Result<()> {
        u32::from(*self).put(to)
    }

    fn get(from: &mut In<'_, '_>) -> io::Result<Self> {
        Self::from_u32(u32::get(from)?).ok_or_else(|| invalid("a number is no character's"))
    }
}

impl Known for () {
    fn put(&self, to: &mut Out<'_, '_>) -> io::Result<()> {
        0_u8.put(to)
    }

    fn get(from: &mut In<'_, '_>) -> io::Result<Self> {
        match u8::get(from)? {
            0 => Ok(()),
            _ => Err(invalid("a byte is not that of nothing")),
        }
    }
}

impl Known for String {
    fn put(&self, to: &mut Out<'_, '_>) -> io::Result<()> {
        (self.len() as u64).put(to)?;
        to.write_all(self.as_bytes())
    }

    fn get(from: &mut In<'_, '_>) -> io::Result<Self> {
        Self::from_utf8(get_text(from)?).map_err(|_| invalid("a text is not UTF-8"))
    }
}

impl Known for PathBuf {
    /// As the system has it: a path need not be text.
    fn put(&self, to: &mut Out<'_, '_>) -> io::Result<()> {
        let bytes = self.as_os_str().as_encoded_bytes();
        (bytes.len() as u64).put(to)?;
        to.write_all(bytes)
    }

    fn get(from: &mut In<'_, '_>) -> io::Result<Self> {
        os_string(get_text(from)?).map(Self::from)
    }
}

#[cfg(unix)]
fn os_string(bytes: Vec<u8>) -> io::Result<OsString> {
    use std::os::unix::ffi::OsStringExt;
    Ok(OsString::from_vec(bytes))
}

/// Elsewhere only text is known to be what the system makes.
#[cfg(not(unix))]
fn os_string(bytes: Vec<u8>) -> io::Result<OsString> {
    String::from_utf8(bytes).map(OsString::from).map_err(|_| invalid("a path is not UTF-8"))
}

impl<T: Known> Known for Vec<T> {
    fn put(&self, to: &mut Out<'_, '_>) -> io::Result<()> {
        (self.len() as u64).put(to)?;
        self.iter().try_for_each(|value| value.put(to))
    }

    fn get(from: &mut In<'_, '_>) -> io::Result<Self> {
        let n = u64::get(from)?;
        let mut values = Self::new();
        get_all(n, from, &mut values)?;
        Ok(values)
    }
}

impl<T: Known> Known for Option<T> {
    fn put(&self, to: &mut Out<'_, '_>) -> io::Result<()> {
        self.is_some().put(to)?;
        self.iter().try_for_each(|value| value.put(to))
    }

    fn get(from: &mut In<'_, '_>) -> io::Result<Self> {
        bool::get(from)?.then(|| T::get(from)).transpose()
    }
}

impl<A: Known, B: Known> Known for (A, B) {
    fn put(&self, to: &mut Out<'_, '_>) -> io::Result<()> {
        self.0.put(to)?;
        self.1.put(to)
    }

    fn get(from: &mut In<'_, '_>) -> io::Result<Self> {
        Ok((A::get(from)?, B::get(from)?))
    }
}

impl Measure for PathBuf {
    fn nbytes(&self) -> usize {
        size_of::<Self>() + self.capacity()
    }
}

impl Measure for Json {
    /// Values nested in it are visited from a list, because a reader may nest them deeply.
    fn nbytes(&self) -> usize {
        /// What a tree map holds beside its keys and values, for each entry: half-empty nodes of eleven.
        const MAP_ENTRY: usize = 16;
        let mut bytes = size_of::<Self>();
        let mut pending = vec![self];
        while let Some(value) = pending.pop() {
            match value {
                Self::Null | Self::Bool(_) | Self::Number(_) => {}
                Self::String(text) => bytes += text.capacity(),
                Self::Array(values) => {
                    bytes += values.capacity() * size_of::<Self>();
                    pending.extend(values);
                }
                Self::Object(fields) => {
                    for (name, value) in fields {
                        bytes += size_of::<(String, Self)>() + name.capacity() + MAP_ENTRY;
                        pending.push(value);
                    }
                }
            }
        }
        bytes
    }
}

/// What stands before a JSON value.
mod tag {
    pub(super) const NULL: u8 = 0;
    pub(super) const FALSE: u8 = 1;
    pub(super) const TRUE: u8 = 2;
    pub(super) const UNSIGNED: u8 = 3;
    pub(super) const SIGNED: u8 = 4;
    pub(super) const FLOAT: u8 = 5;
    pub(super) const TEXT: u8 = 6;
    pub(super) const ARRAY: u8 = 7;
    pub(super) const OBJECT: u8 = 8;
}

/// A value that others nest in, while it is read.
enum Open {
    Array { missing: u64, values: Vec<Json> },
    Object { missing: u64, fields: Map<String, Json>, name: String },
}

impl Known for Json {
    /// Each value after the one that it is nested in, whatever the depth; numbers by their bits, because their text need
    /// not come back as it was.
    fn put(&self, to: &mut Out<'_, '_>) -> io::Result<()> {
        if is_too_deep(self) {
            return Err(invalid("a value is nested too deeply"));
        }
        let mut pending: Vec<(Option<&String>, &Self)> = vec![(None, self)];
        while let Some((name, value)) = pending.pop() {
            name.map_or(Ok(()), |name| name.put(to))?;
            match value {
                Self::Null => tag::NULL.put(to)?,
                Self::Bool(false) => tag::FALSE.put(to)?,
                Self::Bool(true) => tag::TRUE.put(to)?,
                Self::Number(number) => put_number(number, to)?,
                Self::String(text) => {
                    tag::TEXT.put(to)?;
                    text.put(to)?;
                }
                Self::Array(values) => {
                    tag::ARRAY.put(to)?;
                    (values.len() as u64).put(to)?;
                    pending.extend(values.iter().rev().map(|value| (None, value)));
                }
                Self::Object(fields) => {
                    tag::OBJECT.put(to)?;
                    (fields.len() as u64).put(to)?;
                    let start = pending.len();
                    pending.extend(fields.iter().map(|(name, value)| (Some(name), value)));
                    pending[start..].reverse();
                }
            }
        }
        Ok(())
    }

    fn get(from: &mut In<'_, '_>) -> io::Result<Self> {
        let mut open: Vec<Open> = Vec::new();
        loop {
            // Values are dropped, compared and printed by recursion.
            if open.len() > DEEPEST {
                return Err(invalid("a value is nested too deeply"));
            }
            let mut value = match u8::get(from)? {
                tag::NULL => Self::Null,
                tag::FALSE => Self::Bool(false),
                tag::TRUE => Self::Bool(true),
                tag::UNSIGNED => Self::Number(u64::get(from)?.into()),
                tag::SIGNED => Self::Number(i64::get(from)?.into()),
                tag::FLOAT => {
                    let number = Number::from_f64(f64::get(from)?);
                    Self::Number(number.ok_or_else(|| invalid("a number is not finite"))?)
                }
                tag::TEXT => Self::String(String::get(from)?),
                tag::ARRAY => match u64::get(from)? {
                    0 => Self::Array(Vec::new()),
                    missing => {
                        open.push(Open::Array { missing, values: Vec::new() });
                        continue;
                    }
                },
                tag::OBJECT => match u64::get(from)? {
                    0 => Self::Object(Map::new()),
                    missing => {
                        let name = String::get(from)?;
                        open.push(Open::Object { missing, fields: Map::new(), name });
                        continue;
                    }
                },
                _ => return Err(invalid("a byte begins no value")),
            };
            // What is complete closes what it is the last of.
            loop {
                match open.pop() {
                    None => return Ok(value),
                    Some(Open::Array { missing, mut values }) => {
                        values.push(value);
                        if missing > 1 {
                            open.push(Open::Array { missing: missing - 1, values });
                            break;
                        }
                        value = Self::Array(values);
                    }
                    Some(Open::Object { missing, mut fields, name }) => {
                        if fields.insert(name, value).is_some() {
                            return Err(invalid("an object has a name twice"));
                        }
                        if missing > 1 {
                            let name = String::get(from)?;
                            open.push(Open::Object { missing: missing - 1, fields, name });
                            break;
                        }
                        value = Self::Object(fields);
                    }
                }
            }
        }
    }
}

/// JSON values are nested at most so deeply; parsers stop at 128.
const DEEPEST: usize = 2048;

/// Whether a value is nested more deeply than that.
fn is_too_deep(value: &Json) -> bool {
    let mut pending = vec![(value, 0)];
    while let Some((value, depth)) = pending.pop() {
        match value {
            _ if depth > DEEPEST => return true,
            Json::Array(values) => pending.extend(values.iter().map(|value| (value, depth + 1))),
            Json::Object(fields) => pending.extend(fields.values().map(|value| (value, depth + 1))),
            _ => {}
        }
    }
    false
}

fn put_number(number: &Number, to: &mut Out<'_, '_>) -> io::Result<()> {
    if let Some(number) = number.as_u64() {
        tag::UNSIGNED.put(to)?;
        number.put(to)
    } else if let Some(number) = number.as_i64() {
        tag::SIGNED.put(to)?;
        number.put(to)
    } else {
        tag::FLOAT.put(to)?;
        number.as_f64().ok_or_else(|| invalid("a number is of no known kind"))?.put(to)
    }
}

/// Makes a table of types, under the names that they have here, each of which is [`IsKnown`].
macro_rules! known_types {
    ($($t:ty),* $(,)?) => {
        $(impl $crate::coder::IsKnown for $t {})*

        /// Enters these types.
        pub(super) fn fill(table: &mut $crate::coder::known::Table) {
            $(table.insert(TypeId::of::<$t>(), const { &Functions::<$t>::known(|| stringify!($t)) });)*
        }
    };
}
#[cfg(feature = "ndarray")]
pub(super) use known_types;

/// The table of these types, each with what is often made of it, and of the pairs of some of them. For `f64` these are `f64`,
/// `Option<f64>`, `Vec<f64>`, `Vec<Vec<f64>>`, and `(f64, u64)`, a counted number.
macro_rules! known_types_with {
    ($($t:ty),*; pairs of $($a:ty),*) => {
        known_types!(
            $($t, Option<$t>, Vec<$t>, Vec<Vec<$t>>, ($t, u64),)*
            $(($a, String), ($a, i64), ($a, f64), ($a, usize), ($a, Vec<f64>), Vec<($a, String)>, Vec<($a, u64)>,
            Vec<($a, i64)>, Vec<($a, f64)>, Vec<($a, usize)>, Option<($a, String)>, Option<($a, u64)>,
            Option<($a, i64)>, Option<($a, f64)>,)*
        );
    };
}

known_types_with!(
    u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize, f32, f64, bool, char, (), String, PathBuf, Json;
    pairs of String, u64, i64, f64, usize
);
