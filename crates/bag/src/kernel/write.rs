//! Lines into a file, compressed by the ending of its name.

use std::io::{self, BufWriter, Write};

use crate::kernel::decode::Compression;

/// Writes `lines`, each with a line end, and returns how many there were.
///
/// The stream is finished but not synced: that is for whoever commits the file.
pub(crate) fn write_lines(
    file: impl Write,
    compression: Compression,
    for_each_line: impl FnOnce(&mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()>,
) -> io::Result<()> {
    /// Lines go out in pieces of this many bytes.
    const BUFFER: usize = 1 << 16;
    match compression {
        Compression::Infer | Compression::Plain => {
            let mut stream = BufWriter::with_capacity(BUFFER, file);
            for_each_line(&mut |line| write_line(&mut stream, line))?;
            stream.flush()
        }
        Compression::Gzip => {
            let encoder = flate2::write::GzEncoder::new(file, flate2::Compression::default());
            let mut stream = BufWriter::with_capacity(BUFFER, encoder);
            for_each_line(&mut |line| write_line(&mut stream, line))?;
            stream.into_inner().map_err(io::IntoInnerError::into_error)?.finish()?.flush()
        }
        Compression::Zstd => {
            let encoder = zstd::stream::write::Encoder::new(file, zstd::DEFAULT_COMPRESSION_LEVEL)?;
            let mut stream = BufWriter::with_capacity(BUFFER, encoder);
            for_each_line(&mut |line| write_line(&mut stream, line))?;
            stream.into_inner().map_err(io::IntoInnerError::into_error)?.finish()?.flush()
        }
    }
}

fn write_line(stream: &mut impl Write, line: &[u8]) -> io::Result<()> {
    stream.write_all(line)?;
    stream.write_all(b"\n")
}

#[cfg(test)]
mod tests {
    use super::write_lines;
    use crate::kernel::decode::{Compression, decoded};
    use std::io::Read;

    #[test]
    fn what_is_written_is_read_back() {
        for compression in [Compression::Plain, Compression::Gzip, Compression::Zstd] {
            for n in [0, 1, 10_000] {
                let lines: Vec<String> = (0..n).map(|index| format!("line {index}")).collect();
                let file = tempfile::NamedTempFile::new().unwrap();
                write_lines(file.reopen().unwrap(), compression, |write| {
                    lines.iter().try_for_each(|line| write(line.as_bytes()))
                })
                .unwrap();
                let mut text = String::new();
                decoded(file.reopen().unwrap(), compression).unwrap().read_to_string(&mut text).unwrap();
                assert!(text.lines().eq(lines), "{n} lines, {compression:?}");
            }
        }
    }
}
