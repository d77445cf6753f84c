//! Places in the user's code, which outlive the process that saw them.

use std::collections::HashSet;
use std::fmt;
use std::panic::Location;
use std::sync::{LazyLock, Mutex, PoisonError};

use serde::de::{self, Deserializer, Unexpected};
use serde::{Deserialize, Serialize};

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
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Site {
    #[serde(deserialize_with = "file_name")]
    file: &'static str,
    line: u32,
    column: u32,
}

impl Site {
    /// The line that called the function around this one, as [`Location::caller`] gives it: the function must be
    /// `#[track_caller]`.
    #[track_caller]
    #[inline]
    pub fn caller() -> Self {
        Location::caller().into()
    }

    /// The file, as the compiler was given it.
    pub fn file(self) -> &'static str {
        self.file
    }

    /// The line, from 1.
    pub fn line(self) -> u32 {
        self.line
    }

    /// The column, from 1.
    pub fn column(self) -> u32 {
        self.column
    }
}

impl From<&'static Location<'static>> for Site {
    #[inline]
    fn from(location: &'static Location<'static>) -> Self {
        Self { file: location.file(), line: location.line(), column: location.column() }
    }
}

impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// Bytes of the longest path that is read back.
const LONGEST: usize = 4096;
/// Files that are read back at most: a program has fewer, and hostile bytes shall not fill the memory.
const MOST: usize = 1 << 14;

/// Names of files that came from outside: each is kept once, for good.
static FILES: LazyLock<Mutex<HashSet<&'static str>>> = LazyLock::new(Mutex::default);

fn file_name<'de, D: Deserializer<'de>>(from: D) -> Result<&'static str, D::Error> {
    let name = String::deserialize(from)?;
    let mut files = FILES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = files.get(name.as_str()) {
        return Ok(known);
    }
    if name.len() > LONGEST || files.len() >= MOST {
        return Err(de::Error::invalid_value(Unexpected::Other("a file too many"), &"a file of a program"));
    }
    let name: &'static str = name.leak();
    files.insert(name);
    Ok(name)
}
