//! Text files: blocks, compression, natural order, errors that name file and offset.

use crate::support::everywhere;
use musher_bag::{Bag, Compression, Error, TextOptions};
use musher_scheduler::Compute;
use musher_scheduler::files::{Change, FilesError};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

fn read(options: impl Into<TextOptions>) -> Bag<String> {
    Bag::read_text(options).unwrap()
}

fn blocks(path: &Path, block_bytes: u64) -> TextOptions {
    TextOptions::new(path).block_bytes(block_bytes)
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
        for block_bytes in 1..=text.len() as u64 + 1 {
            let bag = read(blocks(&path, block_bytes));
            assert_eq!(bag.n_partitions() as u64, (text.len() as u64).div_ceil(block_bytes).max(1));
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
    let bag = read(blocks(&at("part-*"), 2));
    assert_eq!(everywhere(&bag), ["two", "nine", "nine and a half", "ten", "eleven"]);
    let whole = read(TextOptions::new(at("part-*.txt")).whole_files());
    assert_eq!(whole.n_partitions(), 2);
    let named = read(TextOptions::new(at("part-9.gz")).compression(Compression::Gzip));
    assert_eq!(named.count().compute().unwrap(), 2);
}

#[test]
fn errors_name_file_offset_and_line_of_the_program() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bad.txt");
    fs::write(&path, b"good\nbad \xff\n").unwrap();
    for block_bytes in [1, 3, 100] {
        let bag = read(blocks(&path, block_bytes));
        let error = bag.words().count().compute().unwrap_err();
        match cause(&error) {
            Error::NotUtf8 { path: found, line, offset } => {
                assert_eq!((found, *line, *offset), (&path, 2, 9))
            }
            other => panic!("{other}"),
        }
        assert!(error.to_string().contains("read_text") && error.to_string().contains("text.rs"), "{error}");
    }
    let bag = read(&path);
    fs::write(&path, "now it is longer than before").unwrap();
    match cause(&bag.compute().unwrap_err()) {
        Error::File(FilesError::Changed { change, .. }) => {
            assert_eq!(*change, Change::Length { then: 11, now: 28 });
        }
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
        let error = read(at(name)).count().compute().unwrap_err();
        assert!(matches!(cause(&error), Error::Read { .. }), "{error:?}");
    }
    let line = line!() + 1;
    let error = Bag::read_text("no/such/file-*.txt").unwrap_err();
    assert!(matches!(&error, Error::Find { source: FilesError::NoMatch { .. }, .. }), "{error}");
    let text = error.to_string();
    assert!(
        text.contains(&format!("text.rs:{line}")) && text.contains("read_text: no file matches"),
        "{text}"
    );
    let error = Bag::read_text("a[b").unwrap_err();
    assert!(matches!(&error, Error::Find { source: FilesError::Pattern { .. }, .. }), "{error}");
}

#[test]
fn another_file_is_another_fingerprint() {
    use musher_graph_core::Collection;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.txt");
    fs::write(&path, "a\n").unwrap();
    let key = |options: TextOptions| read(options).port().key();
    let before = key((&path).into());
    assert_eq!(before, key((&path).into()));
    assert_ne!(before, key(blocks(&path, 1)));
    fs::write(&path, "a\nb\n").unwrap();
    assert_ne!(before, key((&path).into()));
}

/// Writes a text plain, as gzip and as Zstandard.
fn written(folder: &Path, name: &str, text: &[u8]) -> [PathBuf; 3] {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(text).unwrap();
    let forms = [
        (".txt", text.to_vec()),
        (".txt.gz", gzip.finish().unwrap()),
        (".txt.zst", zstd::encode_all(text, 1).unwrap()),
    ];
    forms.map(|(ending, bytes)| {
        let path = folder.join(format!("{name}{ending}"));
        fs::write(&path, bytes).unwrap();
        path
    })
}

#[test]
fn every_form_of_a_text_has_the_same_lines() {
    let folder = tempfile::tempdir().unwrap();
    for text in [
        "",
        "\u{feff}",
        "\u{feff}a\nb",
        "\u{feff}\n",
        "a\u{feff}\n\u{feff}b\r\n",
        "\r\n\r\n\n",
        "no end",
        "a\rb\r",
    ] {
        // The standard library's lines of what stands behind the mark, which is no part of the text.
        let expected: Vec<&str> = text.strip_prefix('\u{feff}').unwrap_or(text).lines().collect();
        let forms = written(folder.path(), "one", text.as_bytes());
        for path in &forms {
            for block_bytes in (1..=text.len() as u64 + 1).chain([u64::MAX]) {
                let bag = read(blocks(path, block_bytes));
                assert_eq!(everywhere(&bag), expected, "{text:?} in {path:?}, blocks of {block_bytes}");
                assert_eq!(everywhere(&bag.count()), expected.len() as u64);
            }
        }
        let all = read(folder.path().join("one*"));
        assert_eq!(everywhere(&all), expected.repeat(3), "{text:?}");
    }
    for path in written(folder.path(), "bad", b"one\ntwo\n\xfe") {
        let error = read(&path).count().compute().unwrap_err();
        assert!(matches!(cause(&error), Error::NotUtf8 { line: 3, offset: 8, .. }), "{error:?}");
    }
}

#[test]
fn a_file_replaced_by_one_of_equal_length_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let (path, other) = (folder.path().join("a.txt"), folder.path().join("b.txt"));
    fs::write(&path, "one\n").unwrap();
    fs::write(&other, "two\n").unwrap();
    let bag = read(&path);
    fs::rename(&other, &path).unwrap();
    let error = bag.compute().unwrap_err();
    assert!(matches!(cause(&error), Error::File(FilesError::Changed { .. })), "{error:?}");
}

#[cfg(unix)]
#[test]
fn a_link_to_a_folder_above_itself_gives_each_file_once() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.txt"), "once\n").unwrap();
    fs::write(folder.path().join("._a.txt"), "hidden\n").unwrap();
    std::os::unix::fs::symlink(folder.path(), folder.path().join("circle")).unwrap();
    assert_eq!(everywhere(&read(folder.path().join("**/*.txt"))), ["once"]);
}
