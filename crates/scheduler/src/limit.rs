//! A limit as a program says it: a number of bytes, or the text that a settings file would hold.

use musher_graph_core::{ByteSize, Site};

use crate::machine::Machine;
use crate::settings::{SettingsError, SettingsSource};

/// What a limit in [`Options`](crate::Options) is told as: bytes, or text such as `"2GiB"` or, for memory, `"50%"`.
///
/// Text may be what a user has typed, and a chain of options is no place for a `?`: text that cannot be read fails the run,
/// the check or the explanation that the options are for, before anything runs.
///
/// # Examples
/// ```
/// use musher_graph_core::{ByteSize, delayed};
/// use musher_scheduler::{Compute, Options};
/// let answer = delayed(|| 42).call(());
/// for options in [Options::default().memory_limit("64 MiB"), Options::default().memory_limit(64 << 20)] {
///     assert_eq!(answer.compute_with(&options)?, 42);
/// }
/// let error = answer.compute_with(&Options::default().memory_limit("2 apples")).unwrap_err();
/// assert!(error.to_string().contains("`memory_limit` cannot be 2 apples"), "{error}");
/// # Ok::<(), musher_scheduler::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit(Said);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Said {
    Bytes(ByteSize),
    Text(String),
}

impl From<u64> for Limit {
    fn from(bytes: u64) -> Self {
        Self(Said::Bytes(bytes.into()))
    }
}

impl From<ByteSize> for Limit {
    fn from(bytes: ByteSize) -> Self {
        Self(Said::Bytes(bytes))
    }
}

impl From<&str> for Limit {
    fn from(text: &str) -> Self {
        Self(Said::Text(text.to_owned()))
    }
}

impl From<String> for Limit {
    fn from(text: String) -> Self {
        Self(Said::Text(text))
    }
}

/// A limit that has been read, or what is wrong with it, for whoever runs something under it.
pub(crate) type Read = Result<ByteSize, SettingsError>;

impl Limit {
    /// Reads the text, if it is one, as the setting `key` is read.
    pub(crate) fn read(self, key: &'static str, caller: Site) -> Read {
        let value = match self.0 {
            Said::Bytes(bytes) => return Ok(bytes),
            Said::Text(value) => value,
        };
        crate::settings::limit_of(key, &Machine::current(), &value).map_err(|expected| SettingsError::Value {
            at: SettingsSource::Code(caller),
            key: key.into(),
            value,
            expected: expected.into(),
        })
    }
}
