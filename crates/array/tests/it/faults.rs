//! A panic in a user's function, whichever operation calls it, is an error that names operation, line and message; and a
//! run that is cancelled inside a long block ends there.

use musher_array::ndarray::{Array2, Ix2};
use musher_array::prelude::*;
use musher_array::{Array, Boundary, Gather};
use musher_scheduler::{CancelToken, Error};
use musher_testkit::CancelsAtStart;
use std::sync::Arc;

/// Without the hook, which would report each of them.
fn panics<T>() -> T {
    std::panic::resume_unwind(Box::new("on purpose"))
}

fn x() -> Array<f64, Ix2> {
    Array::from_shape_fn((20, 20), 7, |(i, j)| (i + j) as f64)
}

#[track_caller]
fn check<A: musher_array::Element, D: Gather<A> + 'static>(operation: &str, array: &Array<A, D>) {
    for options in [Options::sequential(), Options::default().threads(2)] {
        match array.compute_with(&options).err() {
            Some(Error::Panicked { operation: found, caller, message, .. }) => {
                assert!(found.contains(operation), "{found}");
                assert!(caller.file().ends_with("faults.rs"), "{caller}");
                assert_eq!(message, "on purpose");
            }
            other => panic!("{operation}: {other:?}"),
        }
        assert_eq!(x().sum().compute_with(&options).unwrap(), 7600.0, "the process lives");
    }
}

#[test]
fn a_panic_in_any_function_is_an_error_with_its_place() {
    check("mapv", &x().mapv(|_| panics::<f64>()));
    check("mapv", &(x() + 1.0).mapv(|value| if value > 20.0 { panics() } else { value }).sum());
    check("mapv", &x().mapv_into(|_| panics::<f64>()));
    check("zip_map", &x().zip_map(&x(), |_, _| panics::<f64>()));
    check("from_shape_fn", &Array::<f64, Ix2>::from_shape_fn((20, 20), 7, |_| panics()));
    check("map_blocks", &x().map_blocks(|_| panics::<Array2<f64>>()));
    check("map_blocks", &x().map_blocks_with_place(|_, _| panics::<Array2<f64>>()));
    let chunks = x().chunks().clone();
    check("map_blocks", &x().map_blocks_to::<f64, Ix2, _>(chunks, |_, _| panics()));
    check("map_overlap", &x().map_overlap(1, Boundary::Reflect, |_| panics::<Array2<f64>>()));
}

#[test]
fn a_run_that_is_cancelled_inside_a_long_block_ends_there() {
    // One block each, of minutes.
    const N: usize = 1 << 40;
    let slow = |_| (0..1000).fold(0_u8, |sum, x| std::hint::black_box(sum ^ x as u8));
    let blocks = [
        random::uniform(N, N).seed(1).build().mapv(|x| x.sin()).sum(),
        Array::<u8, _>::from_shape_fn(1 << 31, 1 << 31, slow).mapv(f64::from).sum(),
    ];
    for (number, block) in blocks.iter().enumerate() {
        for options in [Options::sequential(), Options::default().threads(2)] {
            let token = CancelToken::new();
            let options = options.cancel(&token).observe(Arc::new(CancelsAtStart::new(&token)));
            let error = block.compute_with(&options.memory_limit(u64::MAX)).unwrap_err();
            assert!(matches!(error, Error::Cancelled { finished: 0, .. }), "{number}: {error}");
        }
    }
}
