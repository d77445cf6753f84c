//! Opening a text file as a stream of plain bytes, whatever it was compressed with.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

/// How the bytes of a text file are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Compression {
    /// By the ending of the file's name: `.gz` is gzip, `.zst` and `.zstd` are Zstandard, all others are plain.
    #[default]
    Infer,
    /// Plain bytes, which can be read in blocks.
    Plain,
    /// Gzip (RFC 1952), one or several members; read whole.
    Gzip,
    /// Zstandard (RFC 8878), one or several frames; read whole.
    Zstd,
}

impl Compression {
    /// The compression of the file at `path`: never [`Compression::Infer`].
    pub(crate) fn of(self, path: &Path) -> Self {
        if self != Self::Infer {
            return self;
        }
        let ending = path.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase);
        match ending.as_deref() {
            Some("gz") => Self::Gzip,
            Some("zst" | "zstd") => Self::Zstd,
            _ => Self::Plain,
        }
    }
}

/// The decoded bytes of `file`.
pub(crate) fn decoded(file: File, compression: Compression) -> io::Result<Box<dyn Read>> {
    Ok(match compression {
        Compression::Infer | Compression::Plain => Box::new(file),
        Compression::Gzip => {
            Box::new(flate2::bufread::MultiGzDecoder::new(BufReader::with_capacity(1 << 16, file)))
        }
        Compression::Zstd => Box::new(zstd::stream::read::Decoder::new(file)?),
    })
}

#[cfg(test)]
mod tests {
    use super::Compression;
    use std::path::Path;

    #[test]
    fn the_ending_tells_the_compression() {
        let infer = |name: &str| Compression::Infer.of(Path::new(name));
        assert_eq!(infer("a.txt"), Compression::Plain);
        assert_eq!(infer("a.txt.GZ"), Compression::Gzip);
        assert_eq!(infer("a.zst"), Compression::Zstd);
        assert_eq!(infer("gz"), Compression::Plain);
        assert_eq!(Compression::Plain.of(Path::new("a.gz")), Compression::Plain);
    }
}
