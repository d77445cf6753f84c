//! Memory: blocks of a large image come and go.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use musher_array::Array;
use musher_image::{gaussian_filter, label, measure};
use musher_scheduler::{Compute, Options};
use ndarray::Ix2;

/// Blocks that a filter in rows of blocks keeps for its neighbours, and what two threads have in hand.
const LIMIT: u64 = 16 << 20;

#[test]
fn a_filter_runs_in_a_part_of_the_images_memory() {
    // 32 MiB of pixels in blocks of 128 KiB.
    let image =
        Array::<f64, Ix2>::from_shape_fn((2048, 2048), 128, |(row, column)| (row * column % 97) as f64);
    let smooth = gaussian_filter(&image, 1.0).unwrap();
    let options = Options::default().threads(2).memory_limit(LIMIT);
    let most = smooth.max().compute_with(&options).unwrap();
    assert!(most > 48.0 && most < 97.0, "{most}");
}

#[test]
fn measuring_runs_in_a_part_of_the_images_memory() {
    let calls = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&calls);
    let image = Array::<f64, Ix2>::from_shape_fn((1024, 1024), 128, |(row, column)| {
        f64::from(row % 32 < 8 && column % 32 < 8)
    })
    .map_blocks(move |block| {
        counter.fetch_add(1, Ordering::Relaxed);
        block.to_owned()
    });
    let (labels, _) = label(&image.gt(0.5), 1).unwrap();
    // Labels are needed twice, before and after the merge: 4 MiB of them, beside a few blocks of the image.
    let options = Options::default().threads(2).memory_limit(LIMIT);
    let table = measure(&image, &labels).unwrap().compute_with(&options).unwrap();
    assert_eq!(table.len(), 1024);
    assert!(table.u64("area").unwrap().iter().all(|&area| area == 64));
    assert_eq!(calls.load(Ordering::Relaxed), 64, "every block of the image is made once");
}
