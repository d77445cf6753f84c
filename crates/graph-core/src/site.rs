//! Places in the user's code, which outlive the process that saw them.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::panic::Location;
use std::sync::{LazyLock, Mutex, PoisonError};

use serde::de::{self, Deserializer, Unexpected};
use serde::{Deserialize, Serialize, Serializer};

/// A line of the user's code: where an operation was built.
///
/// Unlike a [`Location`] it can be written out and read back, so that an error that happened elsewhere, or earlier, still
/// names the line.
///
/// # Examples
/// ```
/// use musher_graph_core::Site;
/// #[track_caller]
/// fn operation() -> Site { Site::caller() }
/// let site = operation();
/// assert_eq!(site.line(), std::panic::Location::caller().line() - 1);
/// let bytes = serde_json::to_vec(&site)?;
/// assert_eq!(serde_json::from_slice::<Site>(&bytes)?, site);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct Site(Place);

/// Two words and not three: errors hold it, and are returned by value.
#[derive(Clone, Copy)]
enum Place {
    /// Seen in this process.
    Here(&'static Location<'static>),
    /// Read back.
    Told(&'static Told),
}

#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Told {
    file: Cow<'static, str>,
    line: u32,
    column: u32,
}

impl Site {
    /// The line that called the function around this one, as [`Location::caller`] gives it: the function must be
    /// `#[track_caller]`.
    #[track_caller]
    #[inline]
    pub fn caller() -> Self {
        Self(Place::Here(Location::caller()))
    }

    /// The file, as the compiler was given it.
    pub fn file(self) -> &'static str {
        match self.0 {
            Place::Here(location) => location.file(),
            Place::Told(told) => &told.file,
        }
    }

    /// The line, from 1.
    pub fn line(self) -> u32 {
        match self.0 {
            Place::Here(location) => location.line(),
            Place::Told(told) => told.line,
        }
    }

    /// The column, from 1.
    pub fn column(self) -> u32 {
        match self.0 {
            Place::Here(location) => location.column(),
            Place::Told(told) => told.column,
        }
    }

    /// The same as the compiler knows it, unless it was read back.
    pub(crate) fn location(self) -> Option<&'static Location<'static>> {
        match self.0 {
            Place::Here(location) => Some(location),
            Place::Told(_) => None,
        }
    }

    fn parts(self) -> (&'static str, u32, u32) {
        (self.file(), self.line(), self.column())
    }
}

impl From<&'static Location<'static>> for Site {
    fn from(location: &'static Location<'static>) -> Self {
        Self(Place::Here(location))
    }
}

impl PartialEq for Site {
    fn eq(&self, other: &Self) -> bool {
        self.parts() == other.parts()
    }
}

impl Eq for Site {}

impl Hash for Site {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.parts().hash(state);
    }
}

impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file(), self.line(), self.column())
    }
}

impl Serialize for Site {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        Told { file: self.file().into(), line: self.line(), column: self.column() }.serialize(to)
    }
}

/// Bytes of the longest path that is read back.
const LONGEST: usize = 4096;
/// Lines that are read back at most: a program has fewer that build operations, and hostile bytes shall not fill the memory.
const MOST: usize = 1 << 14;

/// Lines that came from outside: each is kept once, for good.
static TOLD: LazyLock<Mutex<HashSet<&'static Told>>> = LazyLock::new(Mutex::default);

impl<'de> Deserialize<'de> for Site {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let told = Told::deserialize(from)?;
        let mut known = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(told) = known.get(&told) {
            return Ok(Self(Place::Told(told)));
        }
        if told.file.len() > LONGEST || known.len() >= MOST {
            let (found, expected) = (Unexpected::Other("one too many"), &"a line of a program");
            return Err(de::Error::invalid_value(found, expected));
        }
        let told: &'static Told = Box::leak(Box::new(told));
        known.insert(told);
        Ok(Self(Place::Told(told)))
    }
}
