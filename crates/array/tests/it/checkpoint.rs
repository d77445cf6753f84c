//! Arrays on the disk: what was made in one run is not made again in the next, not even to learn how to read it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use musher_array::ndarray::{Array2, Ix2};
use musher_array::{Array, Element};
use musher_scheduler::{Checkpoint, Compute};

/// Six blocks of numbers; `calls` counts those that are made.
fn counted<A: Element>(calls: &Arc<AtomicUsize>, value: impl Fn(usize) -> A) -> (Array<A, Ix2>, Array2<A>) {
    let whole = Array2::from_shape_fn((4, 6), |(i, j)| value(i * 6 + j));
    let calls = Arc::clone(calls);
    let array = Array::from_array(whole.clone(), (2, 2)).map_blocks(move |block| {
        calls.fetch_add(1, Ordering::SeqCst);
        block.to_owned()
    });
    (array, whole)
}

fn check<A: Element + PartialEq>(value: impl Fn(usize) -> A) {
    let (folder, calls) = (tempfile::tempdir().unwrap(), Arc::default());
    let (array, whole) = counted(&calls, value);
    let checkpoint = Checkpoint::new(folder.path().join(A::NAME)).version("1");
    for (n_reused, n_computed) in [(0, 6), (6, 0)] {
        let saved = checkpoint.save(&array).unwrap();
        assert_eq!((saved.n_reused, saved.n_computed), (n_reused, n_computed), "{}", A::NAME);
        assert!(saved.collection.compute().unwrap() == whole, "{}", A::NAME);
        assert_eq!(calls.load(Ordering::SeqCst), 6, "{}", A::NAME);
    }
}

#[test]
fn a_finished_checkpoint_makes_no_block_again() {
    check(|n| n as f64 / 3.0);
    check(|n| n as u8);
    check(|n| n % 2 == 0);
    check(|n| musher_array::Complex::new(n as f32, -1.0));
}
