//! Arrays: a fused elementwise chain beside plain ndarray, and reductions of random numbers.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use musher::array::random;
use musher::ndarray::{Array1, Axis, Zip};
use musher::prelude::*;

/// `sqrt(a * b + c) - 1`, 20 million elements, in chunks of a million.
fn chain(criterion: &mut Criterion) {
    const N: usize = 20_000_000;
    let wave = |phase: f64| Array1::from_shape_fn(N, move |i| 1.5 + (i as f64 * 1e-3 + phase).sin());
    let [a, b, c] = [0.0, 1.0, 2.0].map(wave);
    let mut group = criterion.benchmark_group("elementwise_chain");
    group.sample_size(10).measurement_time(Duration::from_secs(8)).throughput(Throughput::Elements(N as u64));

    let [lazy_a, lazy_b, lazy_c] = [&a, &b, &c].map(|x| Array::from_array(x.clone(), 1_000_000));
    for threads in [1, 2] {
        let options = Options::default().threads(threads);
        group.bench_function(format!("musher_sum_{threads}_threads"), |bench| {
            let sum = ((&lazy_a * &lazy_b + &lazy_c).sqrt() - 1.0).sum();
            bench.iter(|| sum.compute_with(&options));
        });
        group.bench_function(format!("musher_kept_{threads}_threads"), |bench| {
            let kept = (&lazy_a * &lazy_b + &lazy_c).sqrt() - 1.0;
            bench.iter(|| kept.compute_with(&options));
        });
    }
    group.bench_function("ndarray_operators", |bench| {
        bench.iter(|| black_box((&a * &b + &c).mapv(f64::sqrt) - 1.0));
    });
    group.bench_function("ndarray_zip_one_pass", |bench| {
        bench.iter(|| Zip::from(&a).and(&b).and(&c).map_collect(|a, b, c| (a * b + c).sqrt() - 1.0));
    });
    group.finish();
}

/// 20,000 × 20,000 random numbers (3.2 GB) in chunks of 1000 × 1000.
fn reductions(criterion: &mut Criterion) {
    const SIDE: usize = 20_000;
    let mut group = criterion.benchmark_group("random_20000");
    group
        .sample_size(10)
        .measurement_time(Duration::from_secs(10))
        .throughput(Throughput::Elements((SIDE * SIDE) as u64));
    let x = random::uniform((SIDE, SIDE), (1000, 1000)).seed(1).build();
    let options = Options::default().threads(2);
    group.bench_function("mean", |bench| bench.iter(|| x.mean().compute_with(&options)));
    group.bench_function("std", |bench| bench.iter(|| x.std(0.0).compute_with(&options)));
    group.bench_function("x_plus_xt_minus_column_means", |bench| {
        bench.iter(|| (&x + x.t() - x.mean_axis(Axis(0))).sum().compute_with(&options));
    });
    group.finish();
}

criterion_group!(benches, chain, reductions);
criterion_main!(benches);
