//! `.npy` files in and out.

use crate::blocks::{answer, bits, golden, grids};
use musher_array::ndarray::{Array1, Array2, ArrayD, Ix0, Ix1, Ix2, IxDyn};
use musher_array::{Array, Chunks, Complex, Element, Error, NpyError};
use musher_scheduler::{Compute, Options, compute};
use musher_testkit::compute_twice;
use std::fs;

/// Reads a file that NumPy wrote, in blocks of two, and writes the same bytes.
fn check<A: Element>(name: &str, values: &[A]) {
    let path = golden(&format!("npy/{name}.npy"));
    let x = Array::<A, IxDyn>::read_npy(&path, 2).expect("a file that NumPy wrote");
    let found = answer(&x);
    assert_eq!(found.iter().copied().collect::<Vec<_>>(), values, "{name}");
    let folder = tempfile::tempdir().expect("a folder");
    let again = folder.path().join("again.npy");
    x.to_npy(&again).compute().expect("writes");
    let header = fs::read(&path).expect("golden files are in the repository");
    if !["fortran", "big_endian"].contains(&name) {
        assert_eq!(fs::read(&again).expect("just written"), header, "{name}");
    }
    let back = Array::<A, IxDyn>::read_npy(&again, 1).expect("just written");
    assert_eq!(bits(&answer(&back)), bits(&found), "{name}");
}

#[test]
fn files_of_numpy_are_read_and_written_as_numpy_does() {
    let signed = [0, 4, 8, 1, 5, 9];
    check("type_bool", &[false, true, true, true, true, true]);
    check("type_int8", &signed.map(|value| value as i8));
    check("type_uint64", &signed.map(|value| value as u64));
    check("type_float32", &signed.map(|value| value as f32));
    check("type_float64", &signed.map(f64::from));
    check("type_complex128", &[Complex::new(1_f64, 2.0), Complex::new(3.0, -0.5)]);
    let fortran = Array::<f64, IxDyn>::read_npy(golden("npy/fortran.npy"), Chunks::whole()).expect("reads");
    let whole = answer(&fortran);
    check("fortran", whole.as_slice().expect("gathered in C order"));
    let big = Array::<f64, IxDyn>::read_npy(golden("npy/big_endian.npy"), Chunks::whole()).expect("reads");
    check("big_endian", answer(&big).as_slice().expect("gathered in C order"));
    check("empty", &[] as &[f64]);
    let scalar = Array::<f64, Ix0>::read_npy(golden("npy/scalar.npy"), Chunks::whole()).expect("reads");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("scalar.npy");
    scalar.to_npy(&path).compute().expect("writes");
    assert_eq!(fs::read(&path).expect("written"), fs::read(golden("npy/scalar.npy")).expect("golden"));
}

#[test]
fn every_division_writes_and_reads_the_same_file() {
    let whole =
        Array2::from_shape_fn((3, 4), |(i, j)| if i == 2 { f32::NAN } else { -(i as f32) / j as f32 });
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("x.npy");
    let mut first: Option<Vec<u8>> = None;
    for chunks in grids(3, 4) {
        let x = Array::from_array(whole.clone(), chunks.clone());
        x.to_npy(&path).compute_with(&Options::sequential()).expect("writes");
        let bytes = fs::read(&path).expect("written");
        assert_eq!(*first.get_or_insert_with(|| bytes.clone()), bytes, "{chunks:?}");
        let again = Array::<f32, Ix2>::read_npy(&path, chunks).expect("reads");
        let found = again.compute_with(&Options::sequential()).expect("computes");
        assert_eq!(bits(&found), bits(&whole));
    }
    let x = Array::<f32, Ix2>::read_npy(&path, (2, 3)).expect("reads");
    assert_eq!(bits(&answer(&x)), bits(&whole));
}

#[test]
fn threads_write_one_file() {
    let whole = Array2::from_shape_fn((40, 30), |(i, j)| (i * 30 + j) as u32);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("x.npy");
    for threads in [1, 2, 3, 8] {
        let x = Array::from_array(whole.clone(), (7, 11));
        x.to_npy(&path).compute_with(&Options::default().threads(threads)).expect("writes");
        let found =
            Array::<u32, Ix2>::read_npy(&path, Chunks::whole()).expect("reads").compute().expect("computes");
        assert_eq!(found, whole);
        fs::remove_file(&path).expect("is there");
    }
}

#[test]
fn writing_is_lazy_and_shares_work_with_others() {
    let folder = tempfile::tempdir().expect("a folder");
    let (one, two) = (folder.path().join("one.npy"), folder.path().join("two.npy"));
    let x = Array::from_array(Array1::from_iter(0..10_i64), 3);
    let (first, second) = (x.to_npy(&one), x.to_npy(&two));
    assert!(!one.exists());
    let ((), (), values) = compute((&first, &second, &x)).expect("writes");
    assert_eq!(values.to_vec(), (0..10).collect::<Vec<_>>());
    assert_eq!(fs::read(&one).expect("written"), fs::read(&two).expect("written"));
    // A second run writes again.
    fs::remove_file(&one).expect("is there");
    first.compute().expect("writes");
    assert!(one.exists());
}

#[test]
fn a_run_that_fails_leaves_the_old_file_and_nothing_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("x.npy");
    let good = Array::from_array(Array1::from_elem(8, 1.0), 2);
    good.to_npy(&path).compute().expect("writes");
    let old = fs::read(&path).expect("written");
    let bad = good.map_blocks_with_place(|place, block| {
        assert!(place.start[0] < 6, "scripted failure");
        block.mapv(|value: f64| value + 1.0)
    });
    for options in [Options::sequential(), Options::default().threads(2)] {
        assert!(bad.to_npy(&path).compute_with(&options).is_err());
        assert_eq!(fs::read(&path).expect("still there"), old);
        let names: Vec<_> = fs::read_dir(folder.path()).expect("a folder").collect();
        assert_eq!(names.len(), 1, "{names:?}");
    }
}

#[test]
fn a_file_that_is_read_and_overwritten_in_one_run_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("x.npy");
    let old = Array1::from_iter(0..6_i32);
    Array::from_array(old.clone(), 2).to_npy(&path).compute().expect("writes");
    for chunks in [4, 6] {
        let x = Array::<i32, Ix1>::read_npy(&path, chunks).expect("reads");
        let squares = x.map_blocks(|block| block.mapv(|value| value * value));
        refused(squares.to_npy(&path).compute(), &["read_npy", "while write_npy", "overwrites it"]);
        refused(compute((&x.sum(), &Array::<i32, Ix1>::ones(6, 3).to_npy(&path))), &["overwrites it"]);
        assert_eq!(x.compute().expect("computes"), old);
    }
}

#[test]
fn two_writers_of_one_file_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("x.npy");
    let (one, two) = (Array::<f32, Ix1>::ones(6, 2), Array::<f64, Ix2>::ones((3, 3), 2));
    refused(compute((&one.to_npy(&path), &two.to_npy(&path))), &["write_npy", "both write"]);
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0);
}

#[test]
fn a_file_that_is_gone_is_refused_before_anything_runs() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static RUNS: AtomicUsize = AtomicUsize::new(0);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("x.npy");
    for n in [6, 0] {
        Array::<f64, Ix1>::ones(n, 2).to_npy(&path).compute().expect("writes");
        let x = Array::<f64, Ix1>::read_npy(&path, 2).expect("reads");
        let other = Array::<f64, Ix1>::ones(6, 2).map_blocks(|block| {
            RUNS.fetch_add(1, Ordering::Relaxed);
            block.to_owned()
        });
        fs::remove_file(&path).expect("is there");
        let (x, other) = (x + 1.0, other + 1.0);
        refused(compute((&other, &x)), &["read_npy", "which is not there"]);
    }
    assert_eq!(RUNS.load(Ordering::Relaxed), 0);
}

/// The run is refused before it starts, in one text with these words, the file's name and the line of the call.
#[track_caller]
fn refused<T: std::fmt::Debug>(result: Result<T, musher_scheduler::Error>, words: &[&str]) {
    let error = result.expect_err("refused");
    assert!(matches!(error, musher_scheduler::Error::Check { .. }), "{error:?}");
    let text = error.to_string();
    assert!(words.iter().chain(&["x.npy", "it/npy.rs"]).all(|words| text.contains(words)), "{text}");
}

#[test]
fn a_file_that_changed_since_its_header_was_read_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("x.npy");
    let write = |n| Array::from_array(Array1::<f64>::zeros(n), 2).to_npy(&path).compute().expect("writes");
    write(5);
    let x = Array::<f64, Ix1>::read_npy(&path, 2).expect("reads");
    // A file of the same length is another one, too, by its number or its time.
    for (n, how) in [(6, "has 176 now"), (5, "")] {
        write(n);
        let error = x.compute().expect_err("the file is another one");
        assert!(error.to_string().contains("read_npy"), "{error}");
        let cause = std::error::Error::source(&error).expect("has a cause");
        assert!(cause.to_string().contains("x.npy"), "{cause}");
        let reason = std::error::Error::source(cause).expect("has a reason").to_string();
        assert!(reason.starts_with("the file has changed since its header was read"), "{reason}");
        assert!(reason.contains(how), "{reason}");
        assert_ne!(Array::<f64, Ix1>::read_npy(&path, 2).expect("reads").key(), x.key());
    }
}

#[test]
fn what_the_header_tells_is_refused_when_the_array_is_made() {
    let read = |name: &str| Array::<f64, Ix2>::read_npy(golden(&format!("npy/{name}.npy")), 2);
    for name in ["magic", "short", "header_cut", "huge_shape", "object", "negative_shape"] {
        let error = read(&format!("damaged_{name}")).expect_err(name);
        assert!(matches!(&error, Error::Npy { operation: "read_npy", .. }), "{name}: {error:?}");
        assert!(error.to_string().contains(name), "{error}");
    }
    let source = |error| match error {
        Error::Npy { source, .. } => source,
        other => panic!("{other}"),
    };
    assert_eq!(source(read("vector").expect_err("one axis")), NpyError::Dimensions { expected: 2, found: 1 });
    assert!(matches!(
        source(read("type_int8").expect_err("bytes")),
        NpyError::ElementType { expected: "f8", .. }
    ));
    assert!(matches!(source(read("missing").expect_err("no file")), NpyError::Io(_)));
    let path = golden("npy/type_float64.npy");
    assert!(matches!(Array::<f64, Ix2>::read_npy(path, (1, 2, 3)), Err(Error::Chunks { .. })));
}

#[test]
fn a_folder_that_does_not_exist_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("none").join("x.npy");
    let error = Array::from_array(ArrayD::<u8>::zeros(IxDyn(&[2])), 1)
        .to_npy(&path)
        .compute()
        .expect_err("no folder");
    assert!(error.to_string().contains("create_npy"), "{error}");
    let cause = std::error::Error::source(&error).expect("has a cause").to_string();
    assert!(cause.contains("x.npy"), "{cause}");
}

#[test]
fn very_many_short_runs_are_written_as_the_same_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let (columns, whole) = (folder.path().join("columns.npy"), folder.path().join("whole.npy"));
    let x = Array::<u8, Ix2>::from_shape_fn((1 << 16, 3), (1 << 16, 1), |(i, j)| (i * 3 + j) as u8);
    for options in [Options::sequential(), Options::default()] {
        x.to_npy(&columns).compute_with(&options).expect("writes");
        let labels = x.to_npy(&columns).explain().expect("a plan").to_string();
        assert!(labels.contains("rechunk"), "columns are turned into rows: {labels}");
        x.rechunk(Chunks::whole()).to_npy(&whole).compute_with(&options).expect("writes");
        assert_eq!(fs::read(&columns).expect("written"), fs::read(&whole).expect("written"));
    }
}

#[test]
fn parts_and_commit_may_run_twice_and_their_chunks_travel() {
    let folder = tempfile::tempdir().expect("a folder");
    let (once, twice) = (folder.path().join("once.npy"), folder.path().join("twice.npy"));
    let whole = Array2::from_shape_fn((23, 9), |(i, j)| (i * 9 + j) as f64);
    let x = Array::from_array(whole, (5, 4));
    x.to_npy(&once).compute().expect("writes");
    compute_twice(&x.to_npy(&twice));
    assert_eq!(fs::read(&twice).expect("written"), fs::read(&once).expect("written"));
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 2, "nothing is left beside");
}
