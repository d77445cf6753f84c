//! Images: the walk-through's pipeline on an 8192 × 8192 mosaic of discs, made from a seed.

use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use musher::image::{gaussian_filter, label, measure};
use musher::ndarray::Ix2;
use musher::prelude::*;

const SIDE: usize = 8192;
const CELL: usize = 64;

/// One disc in each cell of 64 × 64 pixels on a dark ground; its place and radius depend on the cell alone.
fn mosaic() -> Array<f64, Ix2> {
    Array::from_shape_fn((SIDE, SIDE), (1024, 1024), |(y, x)| {
        let cell = ((y / CELL * 7919) ^ (x / CELL * 104_729)) % 1009;
        let radius = 8 + cell % 16;
        let center = |axis: usize| 28 + (cell * (axis + 3)) % 8;
        let (dy, dx) = ((y % CELL).abs_diff(center(0)), (x % CELL).abs_diff(center(1)));
        if dy * dy + dx * dx <= radius * radius { 160.0 } else { 12.0 }
    })
}

fn walkthrough(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("image_8192");
    group
        .sample_size(10)
        .measurement_time(Duration::from_secs(20))
        .throughput(Throughput::Elements((SIDE * SIDE) as u64));
    let options = Options::default().threads(2);
    // The mosaic is made once: what is measured starts where an image is in memory.
    let image = match mosaic().persist() {
        Ok(image) => image,
        Err(error) => panic!("{error}"),
    };
    group.bench_function("smooth_threshold_label_measure", |bench| {
        bench.iter(|| {
            let smooth = gaussian_filter(&image, 2.0)?;
            let (labels, _) = label(&smooth.gt(75.0), 1)?;
            let table = measure(&image, &labels)?;
            table.compute_with(&options).map_err(Box::<dyn std::error::Error>::from)
        });
    });
    group.bench_function("smooth", |bench| {
        bench.iter(|| gaussian_filter(&image, 2.0).map(|smooth| smooth.sum().compute_with(&options)));
    });
    group.finish();
}

criterion_group!(benches, walkthrough);
criterion_main!(benches);
