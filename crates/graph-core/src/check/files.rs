//! How a check looks at files: the only part of it that is not pure, so tests put their own in its place.

use std::fmt;
use std::path::{Path, PathBuf};

/// A look at files, without touching them.
pub trait Files: fmt::Debug {
    /// Whether there is a file or folder of this name.
    fn exists(&self, path: &Path) -> bool;

    /// One name for all names of the same file, whether it exists or not.
    fn resolve(&self, path: &Path) -> PathBuf;

    /// What is free where a file of this name is, or would be; `None` where nobody knows.
    fn free_space(&self, path: &Path) -> Option<FreeSpace>;
}

/// What is free on a file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FreeSpace {
    /// Tells file systems apart.
    pub device: u64,
    /// Bytes that may still be written.
    pub bytes: u64,
}

/// The files of this machine as the standard library sees them, which does not know what is free.
#[derive(Debug, Clone, Copy, Default)]
pub struct LocalFiles;

impl Files for LocalFiles {
    fn exists(&self, path: &Path) -> bool {
        path.exists()
    }

    /// Links are followed as far as the path exists.
    fn resolve(&self, path: &Path) -> PathBuf {
        let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        for existing in absolute.ancestors() {
            if let (Ok(real), Ok(rest)) = (existing.canonicalize(), absolute.strip_prefix(existing)) {
                // Joining nothing would add a separator, which a file's name must not end in.
                return if rest.as_os_str().is_empty() { real } else { real.join(rest) };
            }
        }
        absolute
    }

    fn free_space(&self, _path: &Path) -> Option<FreeSpace> {
        None
    }
}
