//! Zarr arrays in and out: what zarr-python wrote, what it reads, every division, and every kind of damage.

mod damage;
mod written;

use crate::blocks::{answer, bits, golden, grids};
use crate::cases::{Case, cases_of};
use musher_array::ndarray::{Array1, Array2, Ix1, Ix2, IxDyn};
use musher_array::zarr::{Compression, Info, Missing, ReadOptions, Version, WriteOptions, ZarrError};
use musher_array::{Array, Chunks, Complex, DType, Element, Error, Visit};
use musher_scheduler::{Compute, Options, compute};
use musher_testkit::compute_twice;
use std::fs;
use std::path::Path;

const COMPRESSIONS: [Compression; 5] = [
    Compression::None,
    Compression::Zstd { level: 3 },
    Compression::BloscLz4 { level: 5 },
    Compression::BloscZstd { level: 1 },
    Compression::Gzip { level: 6 },
];

fn read<A: Element>(path: &Path, options: impl Into<ReadOptions>) -> Result<Array<A, IxDyn>, Error> {
    Array::read_zarr(path, options)
}

/// What is wrong with an array, where reading it is refused.
#[track_caller]
fn refused<T>(result: Result<T, Error>) -> ZarrError {
    match result {
        Err(Error::Zarr { source, .. }) => source,
        Err(error) => panic!("{error:?}"),
        Ok(_) => panic!("it is accepted"),
    }
}

/// Reads one store of zarr-python in several ways, and writes it again in others.
struct Original<'a>(&'a Case);

impl Visit for Original<'_> {
    type Output = ();

    fn visit<A: Element>(self) {
        let case = self.0;
        let path = golden(&format!("array_zarr/{}.zarr", case.name()));
        let want = bits(&case.want::<A>());
        let info = Info::open(&path).unwrap();
        assert_eq!(info.dtype(), A::DTYPE);
        assert_eq!(info.shape(), case.numbers("shape"));
        assert_eq!(
            (info.chunks(), info.stored()),
            (&case.numbers("chunks")[..], &case.numbers("stored")[..])
        );
        assert_eq!(info.version() == Version::V3, case.number("version") == 3);
        assert_eq!(serde_json::Value::Object(info.attributes().clone()), *case.parameter("attributes"));
        let names: &[_] = &[Some("y".to_owned()), None];
        assert_eq!(info.dimension_names(), (case.name() == "v3_dimensions").then_some(names));
        let options = ReadOptions::default().missing(Missing::Fill);
        for chunks in [None, Some(Chunks::whole()), Some(Chunks::Every(1)), Some(Chunks::Every(3))] {
            let options =
                chunks.iter().fold(options.clone(), |options, chunks| options.chunks(chunks.clone()));
            let x = read::<A>(Path::new(&path), options).unwrap_or_else(|e| panic!("{}: {e:?}", case.name()));
            assert_eq!(bits(&answer(&x)), want, "{} {chunks:?}", case.name());
        }
        let x = read::<A>(Path::new(&path), options).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let again = folder.path().join("again.zarr");
        for version in [Version::V2, Version::V3] {
            x.to_zarr(&again, version).unwrap().compute().unwrap();
            let back = read::<A>(&again, ReadOptions::default()).unwrap();
            assert_eq!(bits(&back.compute().unwrap()), want, "{} {version:?}", case.name());
        }
    }
}

#[test]
fn what_zarr_python_wrote_is_read() {
    let cases = cases_of("array_zarr");
    assert!(cases.len() > 100);
    for case in &cases {
        assert_eq!(case.operation(), "read_zarr");
        let name = case.parameter("dtype").as_str().unwrap();
        let name = match name.split_at(1) {
            ("f", bits) => format!("f{}", bits.trim_start_matches("loat")),
            ("i", bits) => format!("i{}", bits.trim_start_matches("nt")),
            ("u", bits) => format!("u{}", bits.trim_start_matches("int")),
            _ => name.to_owned(),
        };
        let dtype = DType::ALL.iter().find(|dtype| dtype.name() == name).unwrap_or_else(|| panic!("{name}"));
        dtype.visit(Original(case));
    }
}

#[test]
fn what_is_no_array_of_numbers_is_refused() {
    let path = |name: &str| golden(&format!("array_zarr/{name}.zarr"));
    for name in ["group2", "group3"] {
        assert_eq!(refused(read::<f64>(Path::new(&path(name)), 2)), ZarrError::Group);
    }
    assert!(matches!(refused(Info::open(path("text"))), ZarrError::Metadata { .. }));
    assert_eq!(refused(Info::open(path("no-such-thing"))), ZarrError::NotAnArray);
    let store = path("v3_float64");
    let wrong = refused(read::<f32>(Path::new(&store), 2));
    assert_eq!(wrong, ZarrError::ElementType { found: "f64".to_owned(), expected: DType::F32 });
    let wrong = refused(Array::<f64, Ix1>::read_zarr(&store, 2));
    assert_eq!(wrong, ZarrError::Dimensions { expected: 1, found: 2 });
    assert!(matches!(read::<f64>(Path::new(&store), (1, 2, 3)), Err(Error::Chunks { .. })));
}

/// Options of every kind for an array of two axes.
fn ways() -> Vec<WriteOptions> {
    let mut ways = Vec::new();
    for compression in COMPRESSIONS {
        for checksum in [true, false] {
            let plain = WriteOptions::from(compression).checksum(checksum);
            ways.push(plain.clone().version(Version::V2));
            ways.push(plain.clone().separator('.'));
            ways.push(plain.clone().chunks((2, 3)));
            ways.push(plain.chunks((1, 2)).shards((2, 4)));
        }
    }
    ways
}

#[test]
fn every_division_writes_and_reads_the_same_array() {
    let whole =
        Array2::from_shape_fn((3, 4), |(i, j)| if i == 2 { f32::NAN } else { -(i as f32) / j as f32 });
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.zarr");
    for (at, chunks) in grids(3, 4).into_iter().enumerate() {
        let x = Array::from_array(whole.clone(), chunks.clone());
        let ways = ways();
        let options = ways[at % ways.len()].clone();
        x.to_zarr(&path, options.clone()).unwrap().compute_with(&Options::sequential()).unwrap();
        let again = Array::<f32, Ix2>::read_zarr(&path, chunks).unwrap();
        let found = again.compute_with(&Options::sequential()).unwrap();
        assert_eq!(bits(&found), bits(&whole), "{options:?}");
    }
    for options in ways() {
        let x = Array::from_array(whole.clone(), 2);
        x.to_zarr(&path, options.clone()).unwrap().compute().unwrap();
        let again = Array::<f32, Ix2>::read_zarr(&path, ReadOptions::default()).unwrap();
        assert_eq!(bits(&answer(&again)), bits(&whole), "{options:?}");
    }
}

#[test]
fn threads_write_one_array() {
    let whole = Array2::from_shape_fn((40, 30), |(i, j)| Complex::new(i as f64, j as f64));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.zarr");
    let mut files: Option<Vec<Vec<u8>>> = None;
    for threads in [1, 2, 3, 8] {
        let x = Array::from_array(whole.clone(), (7, 11));
        let options = WriteOptions::default().chunks((5, 5)).shards((10, 15));
        x.to_zarr(&path, options).unwrap().compute_with(&Options::default().threads(threads)).unwrap();
        let names = ["zarr.json", "c/0/0", "c/3/1"];
        let found = names.map(|name| fs::read(path.join(name)).unwrap()).to_vec();
        assert_eq!(*files.get_or_insert_with(|| found.clone()), found);
        let x = Array::<Complex<f64>, Ix2>::read_zarr(&path, (40, 5)).unwrap();
        assert_eq!(x.compute().unwrap(), whole);
    }
}

#[test]
fn writing_is_lazy_and_may_be_done_twice() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (folder.path().join("one.zarr"), folder.path().join("two.zarr"));
    let x = Array::from_array(Array1::from_iter(0..10_i64), 3);
    let writes = [&one, &two].map(|path| x.to_zarr(path, WriteOptions::default()).unwrap());
    assert!(!one.exists());
    let ((), (), values) = compute((&writes[0], &writes[1], &x)).unwrap();
    assert_eq!(values.to_vec(), (0..10).collect::<Vec<_>>());
    fs::remove_dir_all(&one).unwrap();
    compute_twice(&writes[0]);
    for path in [one, two] {
        assert_eq!(Array::<i64, Ix1>::read_zarr(path, 4).unwrap().compute().unwrap(), values);
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[test]
fn a_run_that_fails_leaves_the_old_array_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.zarr");
    let good = Array::from_array(Array1::from_elem(8, 1.0), 2);
    good.to_zarr(&path, WriteOptions::default()).unwrap().compute().unwrap();
    let bad = good.map_blocks_with_place(|place, block| {
        assert!(place.start[0] < 6, "scripted failure");
        block.mapv(|value: f64| value + 1.0)
    });
    for options in [WriteOptions::default(), WriteOptions::default().region([0])] {
        let write = bad.to_zarr(&path, options).unwrap();
        for run in [Options::sequential(), Options::default().threads(2)] {
            assert!(write.compute_with(&run).is_err());
            let old = Array::<f64, Ix1>::read_zarr(&path, 8).unwrap().compute().unwrap();
            assert_eq!(old.to_vec(), [1.0; 8]);
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
            assert_eq!(fs::read_dir(&path).unwrap().count(), 2);
        }
    }
}

/// A run is refused with these words in its error or in what lies under it.
#[track_caller]
fn fails<T: std::fmt::Debug>(result: Result<T, musher_scheduler::Error>, words: &str) {
    let error = format!("{:?}", result.expect_err("refused"));
    assert!(error.contains(words), "{error}");
}

#[test]
fn only_arrays_are_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let x = Array::from_array(Array1::from_iter(0..10_i64), 3);
    let write = |name: &str| x.to_zarr(folder.path().join(name), WriteOptions::default()).unwrap().compute();
    fs::create_dir(folder.path().join("thesis")).unwrap();
    fs::write(folder.path().join("thesis/chapter1.txt"), "years of work").unwrap();
    fails(write("thesis"), "chapter1.txt");
    fs::create_dir_all(folder.path().join("group/0")).unwrap();
    fs::write(folder.path().join("group/zarr.json"), r#"{"zarr_format": 3, "node_type": "group"}"#).unwrap();
    fails(write("group"), "it is a group");
    fs::write(folder.path().join("file"), "").unwrap();
    fails(write("file"), "file");
    write("x.zarr").unwrap();
    let careful = x.to_zarr(folder.path().join("x.zarr"), WriteOptions::default().overwrite(false)).unwrap();
    fails(careful.compute(), "not to be replaced");
    // Version 2 and dots instead of folders, over what was there before.
    let options = WriteOptions::from(Version::V2).attribute("unit", "m");
    x.to_zarr(folder.path().join("x.zarr"), options).unwrap().compute().unwrap();
    let mut names: Vec<_> =
        fs::read_dir(folder.path().join("x.zarr")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, [".zarray", ".zattrs", "0", "1", "2", "3"]);
    assert_eq!(Info::open(folder.path().join("x.zarr")).unwrap().attributes()["unit"], "m");
}

#[test]
fn an_array_that_is_read_and_overwritten_in_one_run_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.zarr");
    let ones = Array::<f64, Ix1>::ones(6, 2);
    ones.to_zarr(&path, WriteOptions::default()).unwrap().compute().unwrap();
    let x = Array::<f64, Ix1>::read_zarr(&path, ReadOptions::default()).unwrap();
    let squares = x.map_blocks(|block| block.mapv(|value| value * value));
    for options in
        [WriteOptions::default(), WriteOptions::default().region([0]), WriteOptions::default().chunks(3)]
    {
        fails(squares.to_zarr(&path, options).unwrap().compute(), "overwrites it");
    }
    let writes =
        [4, 3].map(|n| Array::<f64, Ix1>::ones(n, 2).to_zarr(&path, WriteOptions::default()).unwrap());
    fails(compute((&writes[0], &writes[1])), "both write");
    assert_eq!(x.sum().compute().unwrap(), 6.0);
}

#[test]
fn regions_are_written_by_whole_chunks() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.zarr");
    let mut whole = Array2::from_shape_fn((7, 9), |(i, j)| (i * 9 + j) as i32);
    for options in ways() {
        let x = Array::from_array(whole.clone(), (2, 4));
        x.to_zarr(&path, options.clone()).unwrap().compute().unwrap();
        let [rows, columns] = *Info::open(&path).unwrap().stored() else { panic!("two axes") };
        let start = [rows, 2 * columns];
        let part = Array2::from_elem((7 - start[0], 9 - start[1]), -5);
        whole.slice_mut(musher_array::ndarray::s![start[0].., start[1]..]).assign(&part);
        let region = |start: [usize; 2]| WriteOptions::default().region(start);
        let write = Array::from_array(part.clone(), 1).to_zarr(&path, region(start)).unwrap();
        compute_twice(&write);
        let found = Array::<i32, Ix2>::read_zarr(&path, 3).unwrap().compute().unwrap();
        assert_eq!(found, whole, "{options:?}");
        let other = Array::<i32, Ix2>::ones((rows, columns), 1);
        let first = other.to_zarr(&path, region([0, 0])).unwrap();
        fails(compute((&first, &other.to_zarr(&path, region([0, 0])).unwrap())), "both write");
        compute((&first, &other.to_zarr(&path, region([0, columns])).unwrap())).unwrap();
        whole.slice_mut(musher_array::ndarray::s![..rows, ..2 * columns]).fill(1);
        let found = Array::<i32, Ix2>::read_zarr(&path, 3).unwrap().compute().unwrap();
        assert_eq!(found, whole, "{options:?}");
        if rows > 1 {
            let cut = refused(other.to_zarr(&path, region([1, 0])));
            let expected = ZarrError::Unaligned { axis: 0, start: 1, end: 1 + rows, length: rows };
            assert_eq!(cut, expected);
        }
        let outside = refused(other.to_zarr(&path, region([7, 0])));
        assert!(matches!(outside, ZarrError::OutOfBounds { .. }));
        assert!(matches!(
            refused(other.to_zarr(&path, region([usize::MAX, 0]))),
            ZarrError::OutOfBounds { .. }
        ));
        let flat = Array::<i32, Ix1>::ones(4, 4);
        assert!(matches!(
            refused(flat.to_zarr(&path, WriteOptions::default().region([0]))),
            ZarrError::OutOfBounds { .. }
        ));
        let real = Array::<f32, Ix2>::ones((rows, columns), 1);
        assert!(matches!(refused(real.to_zarr(&path, region([0, 0]))), ZarrError::ElementType { .. }));
    }
}

#[test]
fn options_that_do_not_fit_are_refused() {
    let x = Array::<f32, Ix2>::ones((4, 6), 2);
    let wrong = |options: WriteOptions| match refused(x.to_zarr("nowhere", options)) {
        ZarrError::Metadata { problem, .. } => problem,
        error => panic!("{error:?}"),
    };
    let options = WriteOptions::default;
    assert!(wrong(options().version(Version::V2).shards(4)).contains("version 2"));
    assert!(wrong(options().version(Version::V2).dimension_names(["a", "b"])).contains("version 2"));
    assert!(wrong(options().dimension_names(["a"])).contains("names"));
    assert!(wrong(options().fill_value(1.0_f64)).contains("fill value"));
    assert!(wrong(options().separator('-')).contains("separator"));
    assert!(matches!(x.to_zarr("nowhere", options().chunks((1, 1, 1))), Err(Error::Chunks { .. })));
}

#[test]
fn an_array_has_another_key_when_one_of_its_chunks_is_another_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.zarr");
    let ones = Array::<f64, Ix1>::ones(6, 2);
    ones.to_zarr(&path, WriteOptions::default()).unwrap().compute().unwrap();
    let key = || Array::<f64, Ix1>::read_zarr(&path, ReadOptions::default()).unwrap().key();
    let before = key();
    assert_eq!(key(), before);
    ones.slice(musher_array::ndarray::s![..2])
        .to_zarr(&path, WriteOptions::default().region([4]))
        .unwrap()
        .compute()
        .unwrap();
    assert_ne!(key(), before);
}
