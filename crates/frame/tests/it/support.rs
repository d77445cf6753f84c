//! Tables to test on, and the check that a frame gives the same on every layout and scheduler.

use musher_frame::polars::prelude::*;
use musher_frame::{Error, Frame};
use musher_scheduler::{Compute, Options};

/// A table of many types with holes, NaN and repeated keys.
pub(crate) fn table(n: i64) -> DataFrame {
    let row = 0..n;
    let float = |i: i64| match i % 11 {
        3 => None,
        7 => Some(f64::NAN),
        _ => Some((i * i % 101) as f64 / 7.0 - 3.0),
    };
    df!(
        "key" => row.clone().map(|i| (i % 5 != 4).then(|| ["b", "a", "c"][(i * i % 3) as usize])).collect::<Vec<_>>(),
        "int" => row.clone().map(|i| (i % 7 != 2).then_some(i * 3 % 17 - 5)).collect::<Vec<_>>(),
        "small" => row.clone().map(|i| (i * 37 % 251 - 125) as i8).collect::<Vec<_>>(),
        "float" => row.clone().map(float).collect::<Vec<_>>(),
        "flag" => row.clone().map(|i| (i % 6 != 0).then_some(i % 4 == 1)).collect::<Vec<_>>(),
        "text" => row.map(|i| (i % 9 != 8).then(|| format!("t{}", i % 13))).collect::<Vec<_>>(),
    )
    .unwrap()
}

/// The table as frames of all sorts of layouts: even ones, more partitions than rows, ragged ones with empty
/// partitions, with lengths that are not known.
pub(crate) fn layouts(table: &DataFrame) -> Vec<(String, Frame)> {
    let mut layouts = Vec::new();
    for n in [1, 2, 3, 5, 8, 9, 20] {
        layouts.push((format!("{n} partitions"), Frame::from_polars(table.clone(), n).unwrap()));
    }
    let height = table.height();
    for cuts in [vec![0, 0, 1, height], vec![1, 1, height / 2, height], vec![height, height, height]] {
        let mut parts = Vec::new();
        let mut from = 0;
        for cut in cuts.iter().map(|&cut| cut.min(height)) {
            let cut = cut.max(from);
            parts.push(Frame::from(table.slice(from as i64, cut - from)));
            from = cut;
        }
        let ragged = Frame::concat(&parts).unwrap();
        let unknown = Frame::from_delayed(ragged.to_delayed(), ragged.schema().clone()).unwrap();
        assert_eq!(unknown.lengths(), None);
        layouts.push((format!("cuts {cuts:?}"), ragged));
        layouts.push((format!("cuts {cuts:?}, unknown"), unknown));
    }
    layouts
}

/// Every way to run.
pub(crate) fn options() -> Vec<Options> {
    let threads = [1, 2, 3, 8].into_iter().map(|n| Options::default().threads(n));
    std::iter::once(Options::sequential()).chain(threads).collect()
}

/// Asserts that two tables are equal to the last bit.
#[track_caller]
pub(crate) fn assert_same(found: &DataFrame, expected: &DataFrame, what: &str) {
    assert_eq!(found.schema(), expected.schema(), "{what}");
    assert!(found.equals_missing(expected), "{what}\nfound {found}\nexpected {expected}");
    for (found, expected) in found.columns().iter().zip(expected.columns()) {
        if let (Ok(found), Ok(expected)) = (found.f64(), expected.f64()) {
            let bits = |column: &Float64Chunked| {
                column.iter().map(|value| value.filter(|x| !x.is_nan()).map(f64::to_bits)).collect::<Vec<_>>()
            };
            assert_eq!(bits(found), bits(expected), "{what}: {}", found.name());
        }
    }
}

/// Asserts that an operation gives this table for every layout, on every scheduler.
#[track_caller]
pub(crate) fn check(
    table: &DataFrame,
    expected: &DataFrame,
    operation: impl Fn(&Frame) -> Result<Frame, Error>,
) {
    for (layout, frame) in layouts(table) {
        let frame = operation(&frame).unwrap();
        let found = frame.compute_with(&Options::sequential()).unwrap();
        assert_same(&found, expected, &layout);
        assert_eq!(found.schema(), frame.schema(), "{layout}: the schema that was promised");
        if let Some(lengths) = frame.lengths() {
            assert_eq!(lengths.iter().sum::<usize>(), found.height(), "{layout}");
        }
        let found = frame.compute_with(&Options::default().threads(3)).unwrap();
        assert_same(&found, expected, &layout);
    }
}

/// Asserts that an operation gives this table but for the last digits of floats, for every layout, on every scheduler.
#[track_caller]
pub(crate) fn check_close(
    table: &DataFrame,
    expected: &DataFrame,
    tolerance: f64,
    operation: impl Fn(&Frame) -> Result<Frame, Error>,
) {
    for (_, frame) in layouts(table) {
        let frame = operation(&frame).unwrap();
        let found = frame.compute_with(&Options::sequential()).unwrap();
        assert_close(&found, expected, tolerance);
        assert_eq!(found.schema(), frame.schema(), "the schema that was promised");
        let threaded = frame.compute_with(&Options::default().threads(3)).unwrap();
        assert_same(&threaded, &found, "threads");
    }
}

/// Asserts that two tables have equal texts, integers and counts, whatever their width, and close floats.
#[track_caller]
pub(crate) fn assert_close(found: &DataFrame, expected: &DataFrame, tolerance: f64) {
    assert_eq!(found.get_column_names(), expected.get_column_names());
    assert_eq!(found.height(), expected.height());
    for (found, expected) in found.columns().iter().zip(expected.columns()) {
        let name = found.name();
        if !found.dtype().is_float() && !expected.dtype().is_float() {
            let expected = expected.strict_cast(found.dtype()).unwrap();
            assert!(found.equals_missing(&expected), "{name}: {found:?} {expected:?}");
            continue;
        }
        let floats = |column: &Column| column.cast(&DataType::Float64).unwrap();
        let (found, expected) = (floats(found), floats(expected));
        for (found, expected) in found.f64().unwrap().iter().zip(expected.f64().unwrap().iter()) {
            let close = match (found, expected) {
                (Some(a), Some(b)) => {
                    a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= tolerance * b.abs()
                }
                (a, b) => a == b,
            };
            assert!(close, "{name}: {found:?} {expected:?}");
        }
    }
}

/// The typed error inside a failed run.
#[track_caller]
pub(crate) fn cause(error: &musher_scheduler::Error) -> &Error {
    let mut error: &(dyn std::error::Error + 'static) = error;
    loop {
        if let Some(cause) = error.downcast_ref() {
            return cause;
        }
        error = error.source().unwrap_or_else(|| panic!("no frame error in {error}"));
    }
}
