//! Cutting a stream of bytes into lines of text, a buffer at a time.
//!
//! A block of a file owns the lines that *begin* in it: it skips to the first line beginning at or after its start, and
//! reads past its end to finish the last line. So every line belongs to exactly one block, wherever the cuts fall, and no
//! block needs to know another. UTF-8 is checked a buffer at a time, which costs next to nothing for ASCII; only what
//! the block owns is checked, so that an error is reported once.

use std::io::{self, Read};
use std::ops::{ControlFlow, Range};

use memchr::{memchr, memrchr};

/// Bytes read at once: small enough for the second-level cache, large enough to hide the system call.
const BUFFER: usize = 1 << 18;

/// What some programs put before UTF-8 text; it is no part of it.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// Why text could not be read; offsets are bytes from the start of the decoded file.
#[derive(Debug)]
pub(crate) enum TextError {
    /// The stream failed.
    Read { offset: u64, source: io::Error },
    /// The bytes at `offset` are not UTF-8.
    NotUtf8 { offset: u64 },
}

/// Calls `sink` with runs of whole lines, in order, and with the offset at which each run starts.
///
/// `stream` stands at byte `start` of the file. With `inside` the block begins within the file, so that `start` is the
/// byte before it, and everything up to the first line end belongs to the block before. A run ends with its line end,
/// except at the end of the file; a byte order mark at the start of the file is in none. Returns `Break` when `sink` asked to stop.
pub(crate) fn for_each_run(
    stream: &mut dyn Read,
    block: Range<u64>,
    inside: bool,
    sink: &mut dyn FnMut(u64, &str) -> ControlFlow<()>,
) -> Result<ControlFlow<()>, TextError> {
    let mut buffer =
        Buffer { bytes: vec![0; BUFFER], filled: 0, offset: block.start - u64::from(inside), ended: false };
    if inside && !buffer.skip_line(stream)? {
        return Ok(ControlFlow::Continue(()));
    }
    while buffer.offset < block.end {
        buffer.fill(stream)?;
        let Some((length, last)) = buffer.owned(block.end) else {
            if buffer.ended {
                return Ok(ControlFlow::Continue(()));
            }
            buffer.grow();
            continue;
        };
        let text = match std::str::from_utf8(&buffer.bytes[..length]) {
            Ok(text) => text,
            Err(error) => {
                return Err(TextError::NotUtf8 { offset: buffer.offset + error.valid_up_to() as u64 });
            }
        };
        let (offset, text) = match text.strip_prefix(BYTE_ORDER_MARK) {
            Some(text) if buffer.offset == 0 => (BYTE_ORDER_MARK.len_utf8() as u64, text),
            _ => (buffer.offset, text),
        };
        if sink(offset, text).is_break() {
            return Ok(ControlFlow::Break(()));
        }
        if last {
            break;
        }
        buffer.consume(length);
    }
    Ok(ControlFlow::Continue(()))
}

/// Calls `sink` with each line of `run`, without its line end, and with the line's offset.
pub(crate) fn for_each_line(
    offset: u64,
    run: &str,
    sink: &mut dyn FnMut(u64, &str) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let mut start = 0;
    while start < run.len() {
        let rest = &run[start..];
        let (line, next) = match memchr(b'\n', rest.as_bytes()) {
            Some(end) => {
                let line = &rest[..end];
                (line.strip_suffix('\r').unwrap_or(line), start + end + 1)
            }
            None => (rest, run.len()),
        };
        sink(offset + start as u64, line)?;
        start = next;
    }
    ControlFlow::Continue(())
}

/// The bytes that were read and not yet handed on: `bytes[..filled]`, of which the first is byte `offset` of the file.
struct Buffer {
    bytes: Vec<u8>,
    filled: usize,
    offset: u64,
    ended: bool,
}

impl Buffer {
    /// Reads until the buffer is full or the stream ends.
    fn fill(&mut self, stream: &mut dyn Read) -> Result<(), TextError> {
        while self.filled < self.bytes.len() && !self.ended {
            match stream.read(&mut self.bytes[self.filled..]) {
                Ok(0) => self.ended = true,
                Ok(read) => self.filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => {
                    return Err(TextError::Read { offset: self.offset + self.filled as u64, source });
                }
            }
        }
        Ok(())
    }

    /// Drops everything up to and including the first line end; `false` when there is none.
    fn skip_line(&mut self, stream: &mut dyn Read) -> Result<bool, TextError> {
        loop {
            self.fill(stream)?;
            match memchr(b'\n', &self.bytes[..self.filled]) {
                Some(end) => {
                    self.consume(end + 1);
                    return Ok(true);
                }
                None if self.ended => return Ok(false),
                None => self.consume(self.filled),
            }
        }
    }

    /// The length of the whole lines that begin before `end`, and whether they are the last ones of the block.
    ///
    /// `None` when the first line is not complete yet.
    fn owned(&self, end: u64) -> Option<(usize, bool)> {
        let bytes = &self.bytes[..self.filled];
        // The last line of the block ends at the first line end that is at or after the block's last byte.
        let last = usize::try_from(end - 1 - self.offset).unwrap_or(usize::MAX);
        if last < bytes.len()
            && let Some(after) = memchr(b'\n', &bytes[last..])
        {
            return Some((last + after + 1, true));
        }
        if self.ended {
            return (self.filled > 0).then_some((self.filled, true));
        }
        memrchr(b'\n', bytes).map(|at| (at + 1, false))
    }

    /// Moves what is left to the front.
    fn consume(&mut self, length: usize) {
        self.bytes.copy_within(length..self.filled, 0);
        self.filled -= length;
        self.offset += length as u64;
    }

    /// Makes room for a line that is longer than the buffer.
    fn grow(&mut self) {
        let doubled = self.bytes.len() * 2;
        self.bytes.resize(doubled, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::{TextError, for_each_line, for_each_run};
    use crate::kernel::ranges::byte_ranges;
    use std::io::{self, Read};
    use std::ops::{ControlFlow, Range};

    /// A stream that hands out at most `step` bytes at a time, as a pipe or a decoder may.
    struct Slow<'a>(&'a [u8], usize);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let length = self.1.min(self.0.len()).min(buffer.len());
            buffer[..length].copy_from_slice(&self.0[..length]);
            self.0 = &self.0[length..];
            Ok(length)
        }
    }

    fn lines(bytes: &[u8], block: Range<u64>, step: usize) -> Result<Vec<(u64, String)>, TextError> {
        let inside = block.start > 0;
        let mut stream = Slow(&bytes[block.start as usize - usize::from(inside)..], step);
        let mut found = Vec::new();
        let flow = for_each_run(&mut stream, block, inside, &mut |offset, run| {
            for_each_line(offset, run, &mut |offset, line| {
                found.push((offset, line.to_owned()));
                ControlFlow::Continue(())
            })
        })?;
        assert!(flow.is_continue());
        Ok(found)
    }

    #[test]
    fn blocks_of_any_size_give_the_lines_of_the_standard_library() {
        let texts = [
            "",
            "\n",
            "a",
            "a\n",
            "\n\n",
            "a\r\nb\r\n",
            "one\n\ntwo\nthree",
            "grüße\n\r\nü",
            "x\r",
            "\r\n\r",
            "a\nb",
        ];
        for text in texts {
            let expected: Vec<_> = text.lines().map(str::to_owned).collect();
            for block_size in 1..=text.len() as u64 + 2 {
                for step in 1..4 {
                    let mut found = Vec::new();
                    for block in byte_ranges(text.len() as u64, block_size) {
                        found.extend(lines(text.as_bytes(), block, step).unwrap());
                    }
                    let (offsets, found): (Vec<_>, Vec<_>) = found.into_iter().unzip();
                    assert_eq!(found, expected, "{text:?} in blocks of {block_size}");
                    assert!(offsets.iter().all(|&at| at == 0 || text.as_bytes()[at as usize - 1] == b'\n'));
                }
            }
        }
    }

    #[test]
    fn lines_longer_than_the_buffer_are_whole() {
        let text = format!("{}\n{}\nend", "a".repeat(super::BUFFER * 3 + 5), "b".repeat(super::BUFFER - 1));
        let expected: Vec<_> = text.lines().map(str::to_owned).collect();
        for block_size in [1_000, super::BUFFER as u64, u64::MAX] {
            let mut found = Vec::new();
            for block in byte_ranges(text.len() as u64, block_size) {
                found.extend(
                    lines(text.as_bytes(), block, usize::MAX).unwrap().into_iter().map(|(_, line)| line),
                );
            }
            assert!(found == expected, "in blocks of {block_size}");
        }
    }

    #[test]
    fn an_invalid_byte_is_reported_once_with_its_offset() {
        let bytes = b"good\nbad \xff\ngood again\n";
        for block_size in 1..30 {
            let mut errors = Vec::new();
            for block in byte_ranges(bytes.len() as u64, block_size) {
                match lines(bytes, block, 7) {
                    Ok(_) => {}
                    Err(TextError::NotUtf8 { offset }) => errors.push(offset),
                    Err(TextError::Read { .. }) => panic!("the stream cannot fail"),
                }
            }
            assert_eq!(errors, [9], "in blocks of {block_size}");
        }
    }

    #[test]
    fn a_stopped_sink_reads_no_further() {
        let mut seen = 0;
        let mut stream = Slow(b"a\nb\nc\n", 2);
        let flow = for_each_run(&mut stream, 0..6, false, &mut |offset, run| {
            for_each_line(offset, run, &mut |_, _| {
                seen += 1;
                ControlFlow::Break(())
            })
        });
        assert!(flow.unwrap().is_break());
        assert_eq!(seen, 1);
    }
}
