//! Arrays that are not as they were written: every kind of damage, for every kind of codec, and metadata meant to do harm.

use super::{COMPRESSIONS, read, refused};
use musher_array::ndarray::{Array2, ArrayD, Ix2};
use musher_array::zarr::{Compression, Missing, ReadOptions, Version, WriteOptions, ZarrError};
use musher_array::{Array, Error};
use musher_scheduler::{Compute, Options};
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};

/// What is done to the file of one chunk.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Damage {
    Deleted,
    Truncated,
    Emptied,
    Appended,
    Flipped(usize),
}

impl Damage {
    fn apply(self, path: &Path) {
        let mut bytes = fs::read(path).unwrap();
        match self {
            Self::Deleted => return fs::remove_file(path).unwrap(),
            Self::Truncated => bytes.truncate(bytes.len() - 1),
            Self::Emptied => bytes.clear(),
            Self::Appended => bytes.push(0),
            Self::Flipped(at) => bytes[at] ^= 1 << (at % 8),
        }
        fs::write(path, bytes).unwrap();
    }
}

fn numbers() -> Array2<f32> {
    Array2::from_shape_fn((8, 6), |(i, j)| (i * 6 + j) as f32 + 0.5)
}

fn run<T: std::fmt::Debug>(result: Result<T, musher_scheduler::Error>) -> Result<T, String> {
    result.map_err(|error| format!("{error:?}"))
}

/// What reading gives once this was done to a chunk, before or after the array was opened.
fn after(options: WriteOptions, damage: Damage, name: &str, is_opened: bool) -> Result<ArrayD<f32>, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.zarr");
    Array::from_array(numbers(), (4, 3)).to_zarr(&path, options).unwrap().compute().unwrap();
    let opened = is_opened.then(|| read::<f32>(&path, ReadOptions::default()).unwrap());
    damage.apply(&path.join(name));
    let x = match opened {
        Some(opened) => Ok(opened),
        None => read::<f32>(&path, ReadOptions::default()),
    };
    let x = x.map_err(|error| format!("{error:?}"))?;
    run(x.compute_with(&Options::sequential()))
}

/// Each byte of a chunk is another one, one after the other.
fn flipped(options: &WriteOptions, length: usize) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.zarr");
    Array::from_array(numbers(), (4, 3)).to_zarr(&path, options.clone()).unwrap().compute().unwrap();
    for at in 0..length {
        Damage::Flipped(at).apply(&path.join("c/1/0"));
        let x = read::<f32>(&path, ReadOptions::default()).unwrap();
        let error = run(x.compute_with(&Options::sequential())).expect_err("another byte");
        let words = ["c/1/0: checksum mismatch", "c/1/0 is damaged"];
        assert!(words.iter().any(|word| error.contains(word)), "byte {at}: {error}");
        Damage::Flipped(at).apply(&path.join("c/1/0"));
    }
}

#[test]
fn every_damage_is_an_error_that_names_the_chunk() {
    for compression in COMPRESSIONS {
        for is_sharded in [false, true] {
            let plain = WriteOptions::from(compression);
            let options = if is_sharded { plain.chunks((2, 3)).shards((4, 3)) } else { plain };
            let length = {
                let folder = tempfile::tempdir().unwrap();
                let path = folder.path().join("x.zarr");
                let x = Array::from_array(numbers(), (4, 3));
                x.to_zarr(&path, options.clone()).unwrap().compute().unwrap();
                fs::metadata(path.join("c/1/0")).unwrap().len() as usize
            };
            flipped(&options, length);
            let others = [Damage::Deleted, Damage::Truncated, Damage::Emptied, Damage::Appended];
            for damage in others {
                // A byte behind the list of a shard moves the list; so does one that is cut off.
                let error = after(options.clone(), damage, "c/1/0", false).expect_err(&format!("{damage:?}"));
                assert!(error.contains("c/1/0") && error.contains("x.zarr"), "{damage:?}: {error}");
                let words = match damage {
                    Damage::Deleted => ["is missing (the array has 4 chunks, 3 are there)"; 2],
                    _ => ["checksum mismatch", "is damaged"],
                };
                assert!(words.iter().any(|word| error.contains(word)), "{damage:?}: {error}");
            }
            for damage in others {
                let error = after(options.clone(), damage, "c/1/0", true).expect_err("it was another file");
                let words = match damage {
                    Damage::Deleted => "c/1/0, which is not there",
                    _ => "c/1/0 has changed since the array was opened",
                };
                assert!(error.contains(words), "{damage:?}: {error}");
            }
        }
    }
}

#[test]
fn without_checksums_lengths_are_checked_and_nothing_panics() {
    for compression in COMPRESSIONS {
        for options in [
            WriteOptions::from(compression).checksum(false),
            WriteOptions::from(compression).version(Version::V2),
        ] {
            let name = if format!("{options:?}").contains("V2") { "1.0" } else { "c/1/0" };
            for damage in [Damage::Truncated, Damage::Emptied] {
                let error = after(options.clone(), damage, name, false).expect_err("its length is wrong");
                assert!(error.contains(name), "{error}");
            }
            for at in 0..20 {
                if let Err(error) = after(options.clone(), Damage::Flipped(at), name, false) {
                    assert!(error.contains("is damaged") && !error.contains("panicked"), "{error}");
                }
            }
        }
    }
    // Zstandard has a checksum of its own in version 2.
    let zstd = WriteOptions::from(Version::V2).compression(Compression::Zstd { level: 3 });
    for at in 0..40 {
        if let Ok(found) = after(zstd.clone(), Damage::Flipped(at), "1.0", false) {
            assert_eq!(found, numbers().into_dyn(), "a byte that means nothing, {at}");
        }
    }
}

#[test]
fn chunks_that_are_not_there_have_the_fill_value_if_asked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.zarr");
    let options = WriteOptions::default().fill_value(-1.0_f32);
    Array::from_array(numbers(), (4, 3)).to_zarr(&path, options).unwrap().compute().unwrap();
    fs::remove_file(path.join("c/0/1")).unwrap();
    let mut want = numbers();
    want.slice_mut(musher_array::ndarray::s![..4, 3..]).fill(-1.0);
    let sparse = || ReadOptions::default().missing(Missing::Fill);
    for options in [sparse(), sparse().chunks((8, 6)), sparse().chunks(1)] {
        assert_eq!(read::<f32>(&path, options).unwrap().compute().unwrap(), want.clone().into_dyn());
    }
    let missing = refused(read::<f32>(&path, ReadOptions::default()));
    assert_eq!(missing, ZarrError::Missing { chunk: "c/0/1".to_owned(), present: 3, expected: 4 });
    // One that comes to be meanwhile is not read as if it had been there.
    let x = read::<f32>(&path, sparse()).unwrap();
    fs::copy(path.join("c/0/0"), path.join("c/0/1")).unwrap();
    let error = run(x.compute()).unwrap_err();
    assert!(error.contains("c/0/1 has changed"), "{error}");
}

/// A store with this for its metadata and this for its only chunk.
fn store(folder: &Path, version: Version, metadata: &serde_json::Value, chunk: &[u8]) -> PathBuf {
    let path = folder.join("hostile.zarr");
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(path.join("c")).unwrap();
    fs::write(path.join(version.file()), metadata.to_string()).unwrap();
    fs::write(path.join("c/0"), chunk).unwrap();
    fs::write(path.join("0"), chunk).unwrap();
    path
}

fn v3(codecs: &serde_json::Value) -> serde_json::Value {
    json!({
        "zarr_format": 3, "node_type": "array", "shape": [4], "data_type": "float64",
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [4]}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": 0.0, "codecs": codecs, "attributes": {},
    })
}

fn bytes() -> serde_json::Value {
    json!({"name": "bytes", "configuration": {"endian": "little"}})
}

#[test]
fn metadata_meant_to_do_harm_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let good = v3(&json!([bytes()]));
    let path = store(folder.path(), Version::V3, &good, &[0; 32]);
    assert_eq!(read::<f64>(&path, 4).unwrap().compute().unwrap().len(), 4);
    let huge = 1_u64 << 62;
    let inner = |chunk: u64| {
        let index = json!([bytes(), {"name": "crc32c"}]);
        json!([{"name": "sharding_indexed", "configuration": {"chunk_shape": [chunk], "codecs": [bytes()], "index_codecs": index}}])
    };
    let nested = json!([{"name": "sharding_indexed", "configuration":
        {"chunk_shape": [2], "codecs": inner(1), "index_codecs": [bytes()]}}]);
    let changes = [
        ("shape", json!([huge, 4])),
        ("shape", json!([-1])),
        ("shape", json!([huge])),
        ("shape", json!(vec![1; 100])),
        ("shape", json!([4, 4])),
        ("shape", json!("4")),
        ("chunk_grid", json!({"name": "regular", "configuration": {"chunk_shape": [0]}})),
        ("chunk_grid", json!({"name": "regular", "configuration": {"chunk_shape": [huge]}})),
        ("chunk_grid", json!({"name": "regular", "configuration": {"chunk_shape": [4, 4]}})),
        ("chunk_grid", json!({"name": "rectangular", "configuration": {}})),
        ("chunk_key_encoding", json!({"name": "../../etc"})),
        ("codecs", json!([])),
        ("codecs", json!(vec![bytes(); 1000])),
        ("codecs", json!([bytes(), bytes()])),
        ("codecs", json!([bytes(), {"name": "rot13"}])),
        ("codecs", inner(0)),
        ("codecs", inner(3)),
        ("codecs", inner(8)),
        ("codecs", nested),
        ("data_type", json!("float16")),
        ("data_type", json!("string")),
        ("fill_value", json!("many")),
        ("fill_value", json!(null)),
        ("storage_transformers", json!([{"name": "chunk-manifest"}])),
        ("must_be_understood", json!({"name": "x", "must_understand": true})),
        ("zarr_format", json!(4)),
        ("node_type", json!("tree")),
        ("dimension_names", json!(["a", "b"])),
    ];
    for (key, value) in changes {
        let mut changed = good.clone();
        changed[key] = value.clone();
        let path = store(folder.path(), Version::V3, &changed, &[0; 32]);
        match read::<f64>(&path, ReadOptions::default()) {
            Err(Error::Zarr { source: ZarrError::Metadata { .. } | ZarrError::Missing { .. }, .. }) => {}
            other => panic!("{key} {value}: {other:?}"),
        }
    }
    let mut known = good;
    known["nice_to_know"] = json!({"must_understand": false});
    let path = store(folder.path(), Version::V3, &known, &[0; 32]);
    assert!(read::<f64>(&path, 4).is_ok());
    for text in ["", "{", "null", "[]", "3", &"[".repeat(100_000)] {
        fs::write(path.join("zarr.json"), text).unwrap();
        assert!(matches!(refused(read::<f64>(&path, 4)), ZarrError::Metadata { .. }));
    }
    fs::write(path.join("zarr.json"), [0xFF; 4]).unwrap();
    assert!(matches!(refused(read::<f64>(&path, 4)), ZarrError::Metadata { .. }));
    fs::write(path.join("zarr.json"), vec![b' '; (16 << 20) + 1]).unwrap();
    assert!(refused(read::<f64>(&path, 4)).to_string().contains("16 MiB"));
    fs::remove_file(path.join("zarr.json")).unwrap();
    fs::create_dir(path.join("zarr.json")).unwrap();
    assert!(matches!(refused(read::<f64>(&path, 4)), ZarrError::Metadata { .. }));
}

#[test]
fn every_changed_byte_of_metadata_ends_in_an_answer() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.zarr");
    for version in [Version::V2, Version::V3] {
        let x = Array::<i16, Ix2>::from_elem((4, 4), 7, 2);
        x.to_zarr(&path, version).unwrap().compute().unwrap();
        let text = fs::read(path.join(version.file())).unwrap();
        let changes = [b'0', b'9', b'"', b',', b' ', b'x', 0xFF];
        for (at, change) in (0..text.len()).flat_map(|at| changes.map(|change| (at, change))) {
            let mut changed = text.clone();
            changed[at] = change;
            fs::write(path.join(version.file()), changed).unwrap();
            // Either it still describes an array that is there, or it is refused.
            if let Ok(x) = read::<i16>(&path, ReadOptions::default()) {
                let _ = x.compute_with(&Options::sequential().memory_limit(64 << 20));
            }
        }
        fs::write(path.join(version.file()), text).unwrap();
    }
}

#[test]
fn chunks_that_grow_without_end_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let zeros = vec![0_u8; 64 << 20];
    let zstd = zstd_of(&zeros);
    let gzip = {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut encoder, &zeros).unwrap();
        encoder.finish().unwrap()
    };
    // A frame whose header promises 2⁶⁰ bytes.
    let promise = [&[0x28, 0xB5, 0x2F, 0xFD, 0xE0][..], &(1_u64 << 60).to_le_bytes(), &[1, 0, 0]].concat();
    // A blosc header that promises 2 GiB.
    let blosc = [
        &[2, 1, 0x21, 8][..],
        &(i32::MAX.to_le_bytes()),
        &1024_u32.to_le_bytes(),
        &32_u32.to_le_bytes(),
        &[0; 16],
    ]
    .concat();
    let cases = [
        (json!({"name": "zstd", "configuration": {"level": 1, "checksum": false}}), zstd),
        (json!({"name": "zstd", "configuration": {"level": 1, "checksum": false}}), promise),
        (json!({"name": "gzip", "configuration": {"level": 1}}), gzip),
        (
            json!({"name": "blosc", "configuration": {"cname": "lz4", "clevel": 5, "shuffle": "shuffle", "typesize": 8, "blocksize": 0}}),
            blosc,
        ),
    ];
    for (codec, chunk) in cases {
        let path = store(folder.path(), Version::V3, &v3(&json!([bytes(), codec])), &chunk);
        let x = read::<f64>(&path, ReadOptions::default()).unwrap();
        let error = run(x.compute_with(&Options::sequential())).unwrap_err();
        assert!(error.contains("is damaged"), "{codec}: {error}");
    }
}

fn zstd_of(bytes: &[u8]) -> Vec<u8> {
    zstd::bulk::compress(bytes, 1).unwrap()
}

#[test]
fn a_region_is_not_written_where_there_is_no_array() {
    let folder = tempfile::tempdir().unwrap();
    let x = Array::<f64, Ix2>::ones((2, 2), 2);
    let error = x.to_zarr(folder.path().join("x.zarr"), WriteOptions::default().region([0, 0])).unwrap_err();
    assert!(matches!(error, Error::Zarr { source: ZarrError::NotAnArray, .. }));
}

#[test]
fn folders_that_are_called_like_chunks_are_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let years = folder.path().join("photos");
    std::fs::create_dir_all(years.join("2021")).unwrap();
    std::fs::write(years.join("2021").join("0"), "a picture").unwrap();
    let x = Array::<f64, Ix2>::ones((2, 2), 2);
    let refused = x.to_zarr(&years, WriteOptions::default()).unwrap().compute();
    // With its causes.
    assert!(format!("{:?}", refused.unwrap_err()).contains("neither zarr.json nor .zarray"));
    assert_eq!(std::fs::read(years.join("2021").join("0")).unwrap(), b"a picture");
    // An empty folder, and an array, are.
    let empty = folder.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    for _ in 0..2 {
        x.to_zarr(&empty, WriteOptions::default()).unwrap().compute().unwrap();
    }
}

#[test]
fn a_chunk_that_is_longer_than_its_codecs_make_it_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.zarr");
    Array::<f64, Ix2>::ones((4, 4), 2).to_zarr(&path, WriteOptions::default()).unwrap().compute().unwrap();
    let chunk = path.join("c").join("0").join("0");
    std::fs::OpenOptions::new().write(true).open(&chunk).unwrap().set_len(1 << 33).unwrap();
    let x = read::<f64>(&path, ReadOptions::default()).unwrap();
    let error = run(x.compute_with(&Options::sequential())).unwrap_err();
    assert!(error.contains("more than its codecs make of a chunk"), "{error}");
}
