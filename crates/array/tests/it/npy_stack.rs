//! Stacks of `.npy` files, files without a header, and many writes as one.

use crate::blocks::{answer, bits, golden, grids};
use crate::cases::cases_of;
use musher_array::ndarray::{Array2, Axis, Ix1, Ix2, Ix3, IxDyn};
use musher_array::{Array, Error, NpyError, store};
use musher_scheduler::{Compute, Options};
use musher_testkit::compute_twice;
use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};

#[test]
fn stacks_of_dask_are_read_and_what_dask_reads_is_written() {
    for case in cases_of("array_npy_stack") {
        let axis = case.axis().unwrap();
        if case.operation() == "read_npy_stack" {
            let path = golden(&format!("array_npy_stack/{}", case.name()));
            let x = Array::<f64, IxDyn>::read_npy_stack(&path, axis).unwrap();
            assert_eq!(bits(&answer(&x)), bits(&case.want::<f64>()), "{}", case.name());
            continue;
        }
        assert_eq!(case.operation(), "to_npy_stack");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        let x = Array::from_shape_fn((5, 7), (2, 3), |(i, j)| (i * 7 + j) as f64);
        match case.name() {
            "info_bool" => x.gt(3.0).to_npy_stack(&path, axis).unwrap().compute().unwrap(),
            _ => x.to_npy_stack(&path, axis).unwrap().compute().unwrap(),
        }
        assert_eq!(fs::read_to_string(path.join("info")).unwrap(), case.value().as_str().unwrap());
    }
}

#[test]
fn every_division_is_written_and_read_as_a_stack() {
    let whole = Array2::from_shape_fn((3, 4), |(i, j)| (i * 4 + j) as f32);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x");
    for chunks in grids(3, 4) {
        for axis in [Axis(0), Axis(1)] {
            let x = Array::from_array(whole.clone(), chunks.clone());
            compute_twice(&x.to_npy_stack(&path, axis).unwrap());
            let again = Array::<f32, Ix2>::read_npy_stack(&path, axis).unwrap();
            assert_eq!(again.compute_with(&Options::sequential()).unwrap(), whole);
            assert_eq!(again.chunks().axis(axis.0), x.chunks().axis(axis.0));
        }
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn what_is_no_stack_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x");
    let x = Array::from_shape_fn((5, 4), 2, |(i, j)| (i * 4 + j) as i16);
    x.to_npy_stack(&path, Axis(0)).unwrap().compute().unwrap();
    let read = |axis: usize| Array::<i16, Ix2>::read_npy_stack(&path, Axis(axis));
    let key = read(0).unwrap().key();
    assert_eq!(read(0).unwrap().key(), key);
    assert!(matches!(read(2), Err(Error::Axis { .. })));
    assert!(matches!(read(1), Err(Error::Shapes { .. })), "the last one has one row");
    assert!(matches!(x.to_npy_stack(&path, Axis(2)), Err(Error::Axis { .. })));
    let wrong = Array::<i16, Ix3>::read_npy_stack(&path, Axis(0)).unwrap_err();
    assert!(matches!(wrong, Error::Npy { source: NpyError::Dimensions { expected: 3, found: 2 }, .. }));
    let wrong = Array::<f64, Ix2>::read_npy_stack(&path, Axis(0)).unwrap_err();
    assert!(matches!(wrong, Error::Npy { source: NpyError::ElementType { .. }, .. }));
    let opened = read(0).unwrap();
    fs::remove_file(path.join("1.npy")).unwrap();
    assert!(opened.compute().unwrap_err().to_string().contains("1.npy"));
    let missing = read(0).unwrap_err();
    assert!(matches!(&missing, Error::Npy { path, .. } if path.ends_with("1.npy")), "{missing}");
    fs::write(path.join("thesis.txt"), "years of work").unwrap();
    assert!(x.to_npy_stack(&path, Axis(0)).unwrap().compute().is_err());
    assert!(path.join("thesis.txt").exists());
}

#[test]
fn elements_without_a_header_are_read_and_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.raw");
    let whole = Array2::from_shape_fn((3, 4), |(i, j)| (i * 4 + j) as f32 - 0.5);
    let bytes: Vec<u8> = whole.iter().flat_map(|value| value.to_le_bytes()).collect();
    for chunks in grids(3, 4) {
        let x = Array::from_array(whole.clone(), chunks.clone());
        x.to_raw(&path).compute_with(&Options::sequential()).unwrap();
        assert_eq!(fs::read(&path).unwrap(), bytes);
        let again = Array::<f32, Ix2>::read_raw(&path, 0, (3, 4), chunks).unwrap();
        assert_eq!(again.compute_with(&Options::sequential()).unwrap(), whole);
    }
    let rows = Array::<f32, Ix2>::read_raw(&path, 16, (2, 4), 1).unwrap();
    assert_eq!(answer(&rows), whole.slice(musher_array::ndarray::s![1.., ..]));
    let wrong = |offset: u64, n: usize| match Array::<f32, Ix1>::read_raw(&path, offset, n, 1 << 20) {
        Err(Error::Npy { source, .. }) => source,
        other => panic!("{other:?}"),
    };
    assert_eq!(wrong(0, 13), NpyError::Truncated { expected: 52, found: 48 });
    assert_eq!(wrong(1, 12), NpyError::Truncated { expected: 49, found: 48 });
    assert!(matches!(wrong(u64::MAX, 1), NpyError::Truncated { .. }));
    assert_eq!(Array::<f32, Ix1>::read_raw(&path, 48, 0, 1).unwrap().compute().unwrap().len(), 0);
}

#[test]
fn many_writes_are_one_pass() {
    static RUNS: AtomicUsize = AtomicUsize::new(0);
    let folder = tempfile::tempdir().unwrap();
    let x = Array::<f64, Ix1>::ones(6, 2).map_blocks(|block| {
        RUNS.fetch_add(1, Ordering::Relaxed);
        block.to_owned()
    });
    let path = |name: &str| folder.path().join(name);
    let writes = [
        x.to_npy(path("x.npy")),
        (&x + 1.0).to_raw(path("y.raw")),
        x.to_npy_stack(path("z"), Axis(0)).unwrap(),
    ];
    let all = store(writes);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    all.compute_with(&Options::sequential()).unwrap();
    assert_eq!(RUNS.load(Ordering::Relaxed), 3, "each block once");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
    store([]).compute().unwrap();
    let [same, other] = [x.to_npy(path("x.npy")), x.to_npy(path("x.npy"))];
    assert!(store([same, other]).compute().unwrap_err().to_string().contains("both write"));
}
