//! What is wrong with settings, and where it stands.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use musher_graph_core::{Site, report};
use serde::{Deserialize, Serialize};

/// Where a setting stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum SettingsSource {
    /// In a file.
    File {
        /// The file.
        #[serde(with = "musher_graph_core::serde_path")]
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
    },
    /// In a variable of the environment.
    Variable(String),
    /// On a line of the program, in [`Options`](crate::Options).
    Code(Site),
}

impl fmt::Display for SettingsSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Variable(name) => write!(f, "environment variable {name}"),
            Self::Code(line) => line.fmt(f),
        }
    }
}

/// A setting in the file, the environment or the program that is not valid.
#[derive(Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub enum SettingsError {
    /// There is no setting of this name.
    Unknown {
        /// Where it stands.
        at: SettingsSource,
        /// The name.
        key: String,
    },
    /// A setting cannot have this value.
    Value {
        /// Where it stands.
        at: SettingsSource,
        /// The setting.
        key: Box<str>,
        /// The value as it is written.
        value: String,
        /// What it can be.
        expected: Box<str>,
    },
    /// The file is not TOML.
    Syntax {
        /// Where.
        at: SettingsSource,
        /// What the parser says.
        message: String,
    },
    /// The file cannot be read.
    Read {
        /// The file.
        #[serde(with = "musher_graph_core::serde_path")]
        path: PathBuf,
        /// Why.
        #[serde(with = "crate::error::stored::shared")]
        source: Arc<io::Error>,
    },
}

impl fmt::Debug for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        report(self, f)
    }
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { at, key } => {
                write!(f, "{at}: there is no setting `{key}`; there are ")?;
                let (prefix, upper) = match at {
                    SettingsSource::File { .. } | SettingsSource::Code(_) => ("", false),
                    SettingsSource::Variable(_) => (super::PREFIX, true),
                };
                for (i, key) in super::KEYS.into_iter().enumerate() {
                    let comma = if i == 0 { "" } else { ", " };
                    let key = if upper { key.to_ascii_uppercase() } else { key.to_owned() };
                    write!(f, "{comma}{prefix}{key}")?;
                }
                if upper { write!(f, ", {}", super::FILE_VARIABLE) } else { Ok(()) }
            }
            Self::Value { at, key, value, expected } => {
                write!(f, "{at}: `{key}` cannot be {value}; expected {expected}")
            }
            Self::Syntax { at, message } => write!(f, "{at}: no TOML: {message}"),
            Self::Read { path, .. } => write!(f, "the settings file {} cannot be read", path.display()),
        }
    }
}

impl std::error::Error for SettingsError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Read { source, .. } => Some(source.as_ref()),
            Self::Unknown { .. } | Self::Value { .. } | Self::Syntax { .. } => None,
        }
    }
}
