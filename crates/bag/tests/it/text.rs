//! Text files: blocks, compression, natural order, errors that name file and offset.

use crate::support::everywhere;
use musher_bag::{Bag, Compression, Error, TextOptions};
use musher_scheduler::Compute;
use std::fs;
use std::io::Write;
use std::path::Path;

fn read(path: &Path, options: &TextOptions) -> Bag<String> {
    Bag::read_text_with(path.to_str().unwrap(), options).unwrap()
}

/// The error of this crate that is the cause of a failed run.
#[track_caller]
fn cause(error: &musher_scheduler::Error) -> &Error {
    let mut cause: &dyn std::error::Error = error;
    loop {
        if let Some(error) = cause.downcast_ref::<Error>() {
            return error;
        }
        cause = cause.source().expect("the chain of causes holds an error of this crate");
    }
}

#[test]
fn blocks_of_any_size_give_the_lines_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("text.txt");
    for text in ["", "\n", "one", "one\ntwo\r\n\nthree and more\nä ö ü", "\r\n\r\n"] {
        fs::write(&path, text).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let words: Vec<&str> = text.split_whitespace().collect();
        for block_size in 1..=text.len() as u64 + 1 {
            let bag = read(&path, &TextOptions::default().block_size(block_size));
            assert_eq!(bag.n_partitions() as u64, (text.len() as u64).div_ceil(block_size).max(1));
            assert_eq!(everywhere(&bag), lines);
            assert_eq!(everywhere(&bag.words()), words);
            assert_eq!(
                everywhere(&bag.filter(|line| !line.is_empty()).map(|line| line.len())).len(),
                lines.iter().filter(|line| !line.is_empty()).count()
            );
        }
    }
}

#[test]
fn files_are_read_in_natural_order_and_decoded_by_their_names() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("part-2.txt"), "two\n").unwrap();
    fs::write(at("part-10.txt"), "ten").unwrap();
    let mut gzip = flate2::write::GzEncoder::new(
        fs::File::create(at("part-9.gz")).unwrap(),
        flate2::Compression::fast(),
    );
    gzip.write_all(b"nine\n").unwrap();
    let file = gzip.finish().unwrap();
    // A second member: what `cat a.gz b.gz` makes.
    let mut gzip = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
    gzip.write_all(b"nine and a half").unwrap();
    gzip.finish().unwrap();
    fs::write(at("part-11.zst"), zstd::encode_all(&b"eleven\n"[..], 1).unwrap()).unwrap();
    let bag = read(&at("part-*"), &TextOptions::default().block_size(2));
    assert_eq!(everywhere(&bag), ["two", "nine", "nine and a half", "ten", "eleven"]);
    let whole = read(&at("part-*.txt"), &TextOptions::default().whole_files());
    assert_eq!(whole.n_partitions(), 2);
    let named = read(&at("part-9.gz"), &TextOptions::default().compression(Compression::Gzip));
    assert_eq!(named.count().compute().unwrap(), 2);
}

#[test]
fn errors_name_file_offset_and_line_of_the_program() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bad.txt");
    fs::write(&path, b"good\nbad \xff\n").unwrap();
    for block_size in [1, 3, 100] {
        let bag = read(&path, &TextOptions::default().block_size(block_size));
        let error = bag.words().count().compute().unwrap_err();
        match cause(&error) {
            Error::NotUtf8 { path: found, offset } => assert_eq!((found, *offset), (&path, 9)),
            other => panic!("{other}"),
        }
        assert!(error.to_string().contains("read_text") && error.to_string().contains("text.rs"), "{error}");
    }
    let bag = read(&path, &TextOptions::default());
    fs::write(&path, "now it is longer than before").unwrap();
    match cause(&bag.compute().unwrap_err()) {
        Error::FileChanged { expected, found, .. } => assert_eq!((*expected, *found), (11, 28)),
        other => panic!("{other}"),
    }
    fs::remove_file(&path).unwrap();
    let error = bag.map(|line| line.len()).sum().compute().unwrap_err();
    assert!(matches!(error, musher_scheduler::Error::Check { .. }), "{error:?}");
    let text = error.to_string();
    assert!(
        ["read_text", "bad.txt, which is not there", "text.rs"].iter().all(|w| text.contains(w)),
        "{text}"
    );
}

#[test]
fn damaged_archives_and_missing_files_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let whole = zstd::encode_all(&vec![b'x'; 1 << 20][..], 1).unwrap();
    fs::write(at("cut.zst"), &whole[..whole.len() / 2]).unwrap();
    fs::write(at("bad.gz"), b"this is not gzip").unwrap();
    for name in ["cut.zst", "bad.gz"] {
        let error = read(&at(name), &TextOptions::default()).count().compute().unwrap_err();
        assert!(matches!(cause(&error), Error::Read { .. }), "{error:?}");
    }
    assert!(matches!(Bag::read_text("no/such/file-*.txt"), Err(Error::NoFiles { .. })));
    assert!(matches!(Bag::read_text("a[b"), Err(Error::Pattern { .. })));
}

#[test]
fn another_file_is_another_fingerprint() {
    use musher_graph_core::Collection;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.txt");
    fs::write(&path, "a\n").unwrap();
    let key = |options: &TextOptions| read(&path, options).port().key();
    let before = key(&TextOptions::default());
    assert_eq!(before, key(&TextOptions::default()));
    assert_ne!(before, key(&TextOptions::default().block_size(1)));
    fs::write(&path, "a\nb\n").unwrap();
    assert_ne!(before, key(&TextOptions::default()));
}
