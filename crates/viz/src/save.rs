//! Files: which kind is wanted, and writing it whole or not at all.

use std::io::Write;
use std::path::Path;

use musher_scheduler::AtomicFile;

use crate::error::Error;

/// The kinds of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Svg,
    Png,
    Dot,
}

impl Format {
    /// The kind that the file's extension names.
    pub(crate) fn of(path: &Path) -> Result<Self, Error> {
        let extension = path.extension().map(|extension| extension.to_string_lossy().to_ascii_lowercase());
        match extension.as_deref() {
            Some("svg") => Ok(Self::Svg),
            Some("png") => Ok(Self::Png),
            Some("dot" | "gv") => Ok(Self::Dot),
            _ => Err(Error::UnknownExtension { path: path.to_owned(), expected: "svg, png or dot" }),
        }
    }
}

/// Writes the file whole or not at all.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let attempt = || {
        let mut file = AtomicFile::create(path)?;
        file.write_all(bytes)?;
        file.commit()
    };
    attempt().map_err(|source| Error::Write { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extension_decides_in_any_case() {
        assert_eq!(Format::of(Path::new("a/b.SVG")).unwrap(), Format::Svg);
        assert_eq!(Format::of(Path::new("b.png")).unwrap(), Format::Png);
        assert_eq!(Format::of(Path::new("b.gv")).unwrap(), Format::Dot);
        assert!(matches!(Format::of(Path::new("svg")), Err(Error::UnknownExtension { .. })));
        assert!(matches!(Format::of(Path::new("b.pdf")), Err(Error::UnknownExtension { .. })));
    }

    #[test]
    fn a_failed_write_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("taken.svg");
        std::fs::create_dir(&target).unwrap();
        assert!(matches!(write(&target, b"text"), Err(Error::Write { .. })));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
