//! Values as bytes and back, where their type can be written: how values leave memory without a bound on their type.
//!
//! A [`Coder`] is found by type among those that are [known](Coder::known), or made of what serde knows of a type. So a
//! delayed value, a bag's partition and a partial answer have a codec where their type has a coder, and no collection needs
//! a bound for it. Each type has one encoding: where it is known, serde is not asked.

mod by_serde;
mod known;
#[cfg(feature = "ndarray")]
mod matrix;

use std::any::{TypeId, type_name};
use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::chunk::CodecError;

pub use by_serde::Unfit;
pub(crate) use by_serde::to_vec;

/// Bytes that are gathered before they are written, and read at once.
const BUFFER: usize = 64 << 10;

/// Where known values are written to.
type Out<'a, 'b> = BufWriter<&'a mut (dyn Write + 'b)>;
/// Where they are read from.
type In<'a, 'b> = BufReader<&'a mut (dyn Read + 'b)>;

/// How values of a type are written and read back: four functions, so that it can be carried without a bound on the type.
///
/// **Cost** of carrying it: a pointer.
///
/// # Errors
/// Bytes are taken as hostile: what does not fit is an error, and memory is taken only as bytes come.
///
/// # Examples
/// ```
/// use musher_graph_core::Coder;
/// let coder = Coder::<Vec<f64>>::known().expect("vectors of numbers are known");
/// let mut bytes = Vec::new();
/// coder.write(&[vec![1.0, 2.5], vec![]], &mut bytes)?;
/// let mut back = Vec::new();
/// coder.read(2, &mut bytes.as_slice(), &mut back)?;
/// assert_eq!(back, [vec![1.0, 2.5], vec![]]);
/// assert!(Coder::<std::thread::ThreadId>::known().is_none());
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Coder<T: 'static>(&'static Functions<T>);

struct Functions<T> {
    name: fn() -> &'static str,
    write: fn(&[T], &mut dyn Write) -> io::Result<()>,
    read: fn(u64, &mut dyn Read, &mut Vec<T>) -> io::Result<()>,
    nbytes: fn(&T) -> Option<usize>,
}

impl<T> Clone for Coder<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Coder<T> {}

impl<T> fmt::Debug for Coder<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Coder({})", self.name())
    }
}

impl<T: 'static> Coder<T> {
    /// The coder of a common type, which needs no bound: numbers, `bool`, `char`, `()`, [`String`],
    /// [`PathBuf`](std::path::PathBuf), vectors and options of these, common pairs, [`serde_json::Value`]; with the feature
    /// `ndarray` arrays of numbers.
    ///
    /// **Cost** a look into a table.
    pub fn known() -> Option<Self> {
        let functions = known::table().get(&TypeId::of::<T>())?;
        functions.downcast_ref().map(Self)
    }

    fn name(self) -> &'static str {
        (self.0.name)()
    }

    /// The kind of chunks that hold values of this type, for a family and version such as `"core.value/1"`.
    ///
    /// **Cost** a look into a table; of each family and type the text stays in memory to the end of the process.
    ///
    /// # Examples
    /// ```
    /// use musher_graph_core::Coder;
    /// let coder = Coder::<Vec<u8>>::known().expect("known");
    /// assert_eq!(coder.kind("doc.list/1"), "doc.list/1<Vec<u8>>");
    /// ```
    pub fn kind(self, family: &'static str) -> &'static str {
        static KINDS: Mutex<BTreeMap<(&str, &str), &str>> = Mutex::new(BTreeMap::new());
        let name = self.name();
        // A map of texts is whole whatever panicked while it was held.
        let mut kinds = KINDS.lock().unwrap_or_else(PoisonError::into_inner);
        // Names are written by the compiler, which may put spaces between their words.
        let kind = || format!("{family}<{}>", name.replace(' ', "")).leak();
        kinds.entry((family, name)).or_insert_with(|| kind())
    }

    /// Writes values one after the other.
    ///
    /// # Errors
    /// When writing fails, or a value cannot be written.
    pub fn write(self, values: &[T], to: &mut dyn Write) -> io::Result<()> {
        (self.0.write)(values, to)
    }

    /// Reads `n` values, which must be all that there is, and appends them.
    ///
    /// # Errors
    /// When reading fails, or the bytes are not those of so many values.
    pub fn read(self, n: u64, from: &mut dyn Read, values: &mut Vec<T>) -> io::Result<()> {
        (self.0.read)(n, from, values)
    }

    /// About how many bytes a value holds, its own size and the heap included.
    ///
    /// Known types measure themselves; what serde writes is taken to need in memory what it has on the wire.
    ///
    /// **Cost** one look at the value.
    pub fn nbytes(self, value: &T) -> Option<usize> {
        (self.0.nbytes)(value)
    }
}

impl<T: Serialize + DeserializeOwned + 'static> Coder<T> {
    /// The coder of a type that serde can write and read: the known one, where there is one, else postcard's encoding of
    /// what serde says, with maps in the order of their keys' bytes.
    ///
    /// It is exact: what it cannot read back as it was (untagged enums, skipped fields) is an error and never another value,
    /// which holds of no self-describing format (`Some(None)` becomes `None` there). Each value is preceded by its length
    /// and must use all of it. The order of sets' items is left as it is.
    pub fn serde() -> Self {
        Self::known().unwrap_or(
            const {
                Self(&Functions {
                    name: type_name::<T>,
                    write: by_serde::write::<T>,
                    read: by_serde::read::<T>,
                    nbytes: by_serde::nbytes::<T>,
                })
            },
        )
    }
}

/// A type that is [known](Coder::known): how `#[delayed]` tells at compile time.
#[doc(hidden)]
pub trait IsKnown {}

/// The error of a codec of this kind where a coder failed.
///
/// # Examples
/// ```
/// use musher_graph_core::{CodecError, coding_error};
/// let cut = coding_error("doc.list/1", std::io::ErrorKind::UnexpectedEof.into());
/// assert!(matches!(cut, CodecError::Malformed { .. }));
/// ```
pub fn coding_error(kind: &'static str, error: io::Error) -> CodecError {
    match error.kind() {
        io::ErrorKind::InvalidData => CodecError::Malformed { kind, source: Box::new(error) },
        _ => CodecError::io(kind, error),
    }
}

/// Takes room for one more value; a refusal is an error.
fn room<T>(values: &mut Vec<T>) -> io::Result<()> {
    values.try_reserve(1).map_err(|_| io::ErrorKind::OutOfMemory.into())
}

/// The bytes end here.
fn end(from: &mut In<'_, '_>) -> io::Result<()> {
    match from.read(&mut [0])? {
        0 => Ok(()),
        _ => Err(invalid("bytes go on behind the value")),
    }
}

fn invalid(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
