//! Why something failed, as data: what is left of any error when it is written out and read back.

use std::collections::TryReserveError;
use std::error::Error as StdError;
use std::{fmt, io};

use musher_graph_core::{CodecError, InputMismatch, report};
use serde::{Deserialize, Serialize};

use crate::disk::SpillError;
use crate::error::Error;
use crate::files::FilesError;
use crate::nested::GaveUp;

/// Causes of causes that are kept.
const MOST: usize = 32;

/// An error of any type as it can be stored and sent: the name of its type, its kind, its message and those of its causes.
///
/// # Examples
/// ```
/// use std::error::Error;
/// use musher_scheduler::{Cause, CauseKind};
/// let error = std::io::Error::new(std::io::ErrorKind::NotFound, "no such star");
/// let cause = Cause::of(&error);
/// assert_eq!(cause.kind(), CauseKind::Io(std::io::ErrorKind::NotFound));
/// let stored = serde_json::to_string(&cause)?;
/// let again: Cause = serde_json::from_str(&stored)?;
/// assert_eq!((again.to_string(), again.kind()), ("no such star".to_owned(), cause.kind()));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Flat", into = "Flat")]
pub struct Cause {
    type_name: String,
    kind: CauseKind,
    text: String,
    source: Option<Box<Cause>>,
}

/// A cause without nesting, so that hostile bytes cannot nest it deeply.
#[derive(Serialize, Deserialize)]
struct Flat {
    type_name: String,
    kind: CauseKind,
    texts: Vec<String>,
}

impl From<Flat> for Cause {
    fn from(Flat { type_name, kind, texts }: Flat) -> Self {
        let mut texts = texts.into_iter().take(MOST);
        let text = texts.next().unwrap_or_default();
        let others: Vec<String> = texts.collect();
        let source = others.into_iter().rev().fold(None, |source, text| {
            Some(Box::new(Self { type_name: String::new(), kind: CauseKind::Other, text, source }))
        });
        Self { type_name, kind, text, source }
    }
}

impl From<Cause> for Flat {
    fn from(cause: Cause) -> Self {
        let texts = chain(&cause).map(ToString::to_string).collect();
        Self { type_name: cause.type_name, kind: cause.kind, texts }
    }
}

/// The error and its causes.
fn chain<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&error| error.source()).take(MOST)
}

impl Cause {
    /// What is left of an error whose type nobody knows.
    pub fn of(error: &(dyn StdError + 'static)) -> Self {
        Self::named(error, "")
    }

    /// What is left of an error of a type of this name. What was a cause already stays as it is.
    pub(crate) fn named(error: &(dyn StdError + 'static), type_name: &str) -> Self {
        if let Some(cause) = error.downcast_ref::<Self>() {
            return cause.clone();
        }
        let kind = CauseKind::of(error);
        let texts = chain(error).map(ToString::to_string).collect();
        Flat { type_name: type_name.to_owned(), kind, texts }.into()
    }

    /// The path of the error's type; empty where nobody knew it.
    pub fn type_name(&self) -> &str {
        &self.type_name
    }

    /// The kind of the error.
    pub fn kind(&self) -> CauseKind {
        self.kind
    }
}

impl fmt::Debug for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        report(self, f)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl StdError for Cause {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|cause| cause as _)
    }
}

/// What kind of thing went wrong, whatever the error's type.
///
/// # Examples
/// ```
/// use musher_scheduler::CauseKind;
/// let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
/// assert_eq!(CauseKind::of(&full), CauseKind::Disk);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum CauseKind {
    /// The run was cancelled.
    Cancelled,
    /// The deadline passed.
    DeadlinePassed,
    /// There was no memory.
    Memory,
    /// There was no room on a disk, or what was spilled cannot be read.
    Disk,
    /// A task met other inputs than it was built for, or a file other than it was.
    Mismatch,
    /// The system refused.
    Io(#[serde(with = "io_kind")] io::ErrorKind),
    /// Anything else.
    Other,
}

impl CauseKind {
    /// The kind of the first error of the chain that has one.
    pub fn of(error: &(dyn StdError + 'static)) -> Self {
        chain(error).find_map(Self::of_one).unwrap_or(Self::Other)
    }

    fn of_one(error: &(dyn StdError + 'static)) -> Option<Self> {
        let cause = match error.downcast_ref() {
            Some(FilesError::Told(cause)) => Some(cause),
            _ => error.downcast_ref::<Cause>(),
        };
        if let Some(cause) = cause {
            return Some(cause.kind).filter(|kind| *kind != Self::Other);
        }
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return match error.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Some(Self::Disk),
                io::ErrorKind::OutOfMemory => Some(Self::Memory),
                // A wrapper around an error of its own says nothing by itself.
                io::ErrorKind::Other => error.get_ref().and_then(|inner| Self::of_one(inner)),
                kind => {
                    let inner = error.get_ref().and_then(|inner| Self::of_one(inner));
                    Some(inner.unwrap_or(Self::Io(io_kind::known(kind))))
                }
            };
        }
        if let Some(error) = error.downcast_ref::<Error>() {
            return match error {
                Error::Cancelled { .. } => Some(Self::Cancelled),
                Error::DeadlinePassed { .. } => Some(Self::DeadlinePassed),
                Error::MemoryLimit { .. } | Error::MemoryExhausted { .. } => Some(Self::Memory),
                Error::Spill { .. } => Some(Self::Disk),
                _ => None,
            };
        }
        let kinds = [
            (error.is::<GaveUp>(), Self::Cancelled),
            (error.is::<SpillError>(), Self::Disk),
            (error.is::<TryReserveError>(), Self::Memory),
            (matches!(error.downcast_ref(), Some(CodecError::OutOfMemory { .. })), Self::Memory),
            (matches!(error.downcast_ref(), Some(FilesError::Changed { .. })), Self::Mismatch),
            (error.is::<InputMismatch>(), Self::Mismatch),
        ];
        kinds.into_iter().find_map(|(is, kind)| is.then_some(kind))
    }
}

/// Kinds of the system's errors by name; a name that this version does not know is `Other`.
mod io_kind {
    use std::io::ErrorKind;

    use serde::{Deserialize, Deserializer, Serializer};

    macro_rules! known {
        ($($name:ident)*) => {
            const KNOWN: &[(ErrorKind, &str)] = &[$((ErrorKind::$name, stringify!($name))),*];
        };
    }
    known! {
        NotFound PermissionDenied ConnectionRefused ConnectionReset HostUnreachable NetworkUnreachable ConnectionAborted
        NotConnected AddrInUse AddrNotAvailable NetworkDown BrokenPipe AlreadyExists WouldBlock NotADirectory IsADirectory
        DirectoryNotEmpty ReadOnlyFilesystem StaleNetworkFileHandle InvalidInput InvalidData TimedOut WriteZero StorageFull
        NotSeekable QuotaExceeded FileTooLarge ResourceBusy ExecutableFileBusy Deadlock CrossesDevices TooManyLinks
        InvalidFilename ArgumentListTooLong Interrupted Unsupported UnexpectedEof OutOfMemory
    }

    /// The kind, or `Other` where it has no stable name.
    pub(super) fn known(kind: ErrorKind) -> ErrorKind {
        KNOWN.iter().find_map(|(known, _)| (*known == kind).then_some(kind)).unwrap_or(ErrorKind::Other)
    }

    pub(super) fn serialize<S: Serializer>(kind: &ErrorKind, to: S) -> Result<S::Ok, S::Error> {
        let name = KNOWN.iter().find_map(|(known, name)| (known == kind).then_some(*name));
        to.serialize_str(name.unwrap_or("Other"))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<ErrorKind, D::Error> {
        let found = String::deserialize(from)?;
        let kind = KNOWN.iter().find_map(|(kind, name)| (*name == found).then_some(*kind));
        Ok(kind.unwrap_or(ErrorKind::Other))
    }

    /// The kind of an error that is made anew.
    pub(super) fn of(kind: super::CauseKind) -> ErrorKind {
        match kind {
            super::CauseKind::Io(kind) => kind,
            super::CauseKind::Disk => ErrorKind::StorageFull,
            super::CauseKind::Memory => ErrorKind::OutOfMemory,
            _ => ErrorKind::Other,
        }
    }
}

/// Fields of errors that are no data by themselves, for serde's `with`.
pub(crate) mod stored {
    /// An error of any type: it comes back as a [`Cause`](super::Cause).
    pub(crate) mod boxed {
        use std::error::Error as StdError;

        use serde::{Deserialize, Deserializer, Serialize, Serializer};

        use crate::error::Cause;

        type Boxed = Box<dyn StdError + Send + Sync>;

        pub(crate) fn serialize<S: Serializer>(error: &Boxed, to: S) -> Result<S::Ok, S::Error> {
            Cause::of(error.as_ref()).serialize(to)
        }

        pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Boxed, D::Error> {
            Ok(Box::new(Cause::deserialize(from)?))
        }
    }

    /// An error of the system: its kind and its words come back.
    pub(crate) mod io {
        use std::io;

        use serde::{Deserialize, Deserializer, Serialize, Serializer};

        use crate::error::cause::{Cause, io_kind};

        pub(crate) fn serialize<S: Serializer>(error: &io::Error, to: S) -> Result<S::Ok, S::Error> {
            match error.get_ref().and_then(|inner| inner.downcast_ref::<Cause>()) {
                Some(cause) => cause.serialize(to),
                None => Cause::named(error, std::any::type_name::<io::Error>()).serialize(to),
            }
        }

        pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<io::Error, D::Error> {
            let cause = Cause::deserialize(from)?;
            Ok(io::Error::new(io_kind::of(cause.kind()), cause))
        }
    }

    /// What several share.
    pub(crate) mod shared {
        use std::io;

        use serde::{Deserialize, Deserializer, Serializer};

        pub(crate) fn serialize<S: Serializer>(
            error: &std::sync::Arc<io::Error>,
            to: S,
        ) -> Result<S::Ok, S::Error> {
            super::io::serialize(error, to)
        }

        pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
            from: D,
        ) -> Result<std::sync::Arc<io::Error>, D::Error> {
            super::io::deserialize(from).map(Into::into)
        }

        /// An error of a run.
        pub(crate) mod run {
            use std::cell::Cell;

            use super::{Deserialize, Deserializer, Serializer};
            use crate::error::Error;
            use crate::sync::Arc;

            pub(crate) fn serialize<S: Serializer>(error: &Arc<Error>, to: S) -> Result<S::Ok, S::Error> {
                serde::Serialize::serialize(&**error, to)
            }

            thread_local! {
                static INSIDE: Cell<bool> = const { Cell::new(false) };
            }

            /// What waits for a failure names its root: one such error is never the source of another.
            pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Arc<Error>, D::Error> {
                if INSIDE.replace(true) {
                    return Err(serde::de::Error::custom("a failure upstream of one upstream"));
                }
                let error = Error::deserialize(from);
                INSIDE.set(false);
                error.map(Arc::new)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn giving_up_is_being_cancelled() {
        assert_eq!(CauseKind::of(&GaveUp), CauseKind::Cancelled);
        assert_eq!(CauseKind::of(&io::Error::other(GaveUp)), CauseKind::Cancelled);
    }

    #[test]
    fn every_name_of_a_kind_is_read_again() {
        for kind in [io::ErrorKind::NotFound, io::ErrorKind::StorageFull, io::ErrorKind::UnexpectedEof] {
            let text = serde_json::to_string(&CauseKind::Io(kind)).unwrap();
            assert_eq!(serde_json::from_str::<CauseKind>(&text).unwrap(), CauseKind::Io(kind));
        }
        let unknown: CauseKind = serde_json::from_str("{\"Io\":\"OfTomorrow\"}").unwrap();
        assert_eq!(unknown, CauseKind::Io(io::ErrorKind::Other));
    }
}
