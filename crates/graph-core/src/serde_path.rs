//! Paths for serde's `with`: any bytes, where serde's own form refuses a path that is no UTF-8.
//!
//! # Examples
//! ```
//! use std::path::PathBuf;
//! #[derive(serde::Serialize, serde::Deserialize)]
//! struct Missing {
//!     #[serde(with = "musher_graph_core::serde_path")]
//!     path: PathBuf,
//! }
//! let stored = serde_json::to_string(&Missing { path: "a/b".into() })?;
//! assert_eq!(serde_json::from_str::<Missing>(&stored)?.path, PathBuf::from("a/b"));
//! # Ok::<(), serde_json::Error>(())
//! ```

use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Writes the bytes of the path.
///
/// # Errors
/// Those of the serializer.
pub fn serialize<S: Serializer>(path: &Path, to: S) -> Result<S::Ok, S::Error> {
    path.as_os_str().as_encoded_bytes().serialize(to)
}

/// Reads what [`serialize`] wrote.
///
/// # Errors
/// Those of the deserializer.
pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<PathBuf, D::Error> {
    let bytes = Vec::<u8>::deserialize(from)?;
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStringExt;
        Ok(std::ffi::OsString::from_vec(bytes).into())
    }
    // Elsewhere names are text but for unpaired surrogates, which every message shows replaced, too.
    #[cfg(not(unix))]
    Ok(String::from_utf8_lossy(&bytes).into_owned().into())
}
