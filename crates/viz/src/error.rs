//! What can go wrong while a picture is made.

use std::fmt;
use std::io;
use std::path::PathBuf;

use musher_graph_core::report;

/// An error of this crate.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file's name does not say which kind of picture is wanted.
    #[error("the extension of {path:?} names no kind of picture: expected {expected}")]
    UnknownExtension {
        /// The file that was asked for.
        path: PathBuf,
        /// The extensions that are known.
        expected: &'static str,
    },
    /// The graph behind a collection cannot be planned.
    #[error("the graph cannot be planned")]
    Plan(#[from] musher_graph_core::Error),
    /// The picture cannot be drawn as pixels.
    #[error("a picture of {width} × {height} cannot be drawn as pixels")]
    PictureSize {
        /// Width in pixels.
        width: f64,
        /// Height in pixels.
        height: f64,
    },
    /// The pixels could not be encoded.
    #[error("the pixels could not be encoded as PNG")]
    Encode {
        /// What the encoder said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The file could not be written.
    #[error("could not write {path:?}")]
    Write {
        /// The file that was asked for.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        report(self, f)
    }
}
