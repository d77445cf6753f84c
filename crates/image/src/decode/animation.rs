//! Whether a PNG or WebP file is an animation: a still reader would take its first frame for the whole file.

use std::io::{self, Read, Seek, SeekFrom};

use image::ImageFormat;

/// Whether the file holds more than one frame. What is damaged is left for the decoder to refuse.
pub(super) fn has_more_frames(format: ImageFormat, from: &mut (impl Read + Seek)) -> io::Result<bool> {
    match format {
        ImageFormat::Png => of_png(from),
        ImageFormat::WebP => of_webp(from),
        _ => Ok(false),
    }
}

/// The chunk `acTL` stands before the pixels and begins with the number of frames.
fn of_png(from: &mut (impl Read + Seek)) -> io::Result<bool> {
    from.seek(SeekFrom::Start(8))?;
    while let Some([length, name]) = words(from)? {
        match &name {
            b"acTL" => return Ok(words(from)?.is_some_and(|[frames, _]| u32::from_be_bytes(frames) > 1)),
            b"IDAT" | b"IEND" => break,
            // A checksum follows.
            _ => from.seek(SeekFrom::Current(i64::from(u32::from_be_bytes(length)) + 4))?,
        };
    }
    Ok(false)
}

/// Each frame of an animation is a chunk `ANMF`; chunks begin at even places.
fn of_webp(from: &mut (impl Read + Seek)) -> io::Result<bool> {
    from.seek(SeekFrom::Start(12))?;
    let mut frames = 0;
    while let Some([name, length]) = words(from)? {
        frames += usize::from(&name == b"ANMF");
        if frames > 1 {
            return Ok(true);
        }
        let length = i64::from(u32::from_le_bytes(length));
        from.seek(SeekFrom::Current(length + length % 2))?;
    }
    Ok(false)
}

/// The next eight bytes as two words; `None` where the file ends.
fn words(from: &mut impl Read) -> io::Result<Option<[[u8; 4]; 2]>> {
    let mut words = [[0; 4]; 2];
    match from.read_exact(words.as_flattened_mut()) {
        Ok(()) => Ok(Some(words)),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use image::ImageFormat;

    use super::has_more_frames;

    #[track_caller]
    fn check(format: ImageFormat, bytes: &[u8], expected: bool) {
        assert_eq!(has_more_frames(format, &mut Cursor::new(bytes)).unwrap(), expected);
    }

    /// A PNG file of chunks without checksums worth the name.
    fn png(chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
        let chunk = |(name, data): &(&[u8; 4], &[u8])| {
            [&(data.len() as u32).to_be_bytes(), name.as_slice(), data, b"sum."].concat()
        };
        [b"\x89PNG\r\n\x1a\n".to_vec(), chunks.iter().flat_map(chunk).collect()].concat()
    }

    #[test]
    fn frames_of_a_png_are_counted_before_its_pixels() {
        let frames = |n: u8| [0, 0, 0, n, 0, 0, 0, 0];
        let check = |chunks: &[(&[u8; 4], &[u8])], expected| check(ImageFormat::Png, &png(chunks), expected);
        check(&[(b"IHDR", &[0; 13]), (b"acTL", &frames(2)), (b"IDAT", b"")], true);
        check(&[(b"IHDR", &[0; 13]), (b"acTL", &frames(1)), (b"IDAT", b"")], false);
        check(&[(b"IHDR", &[0; 13]), (b"IDAT", b""), (b"acTL", &frames(2))], false);
        check(&[(b"IHDR", &[0; 13])], false);
    }

    #[test]
    fn frames_of_a_webp_are_its_chunks() {
        let odd = b"ANMF\x03\0\0\0abc\0";
        let file = |frames: usize| [b"RIFF....WEBPVP8X\x02\0\0\0xx".to_vec(), odd.repeat(frames)].concat();
        for (frames, expected) in [(0, false), (1, false), (2, true), (3, true)] {
            check(ImageFormat::WebP, &file(frames), expected);
        }
        check(ImageFormat::WebP, &file(2)[..40], false);
        check(ImageFormat::Jpeg, &file(2), false);
    }
}
