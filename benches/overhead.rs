//! Overhead of the engine: a delayed call; build, order and execute of hand-made graphs in five shapes.

mod shapes;

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use musher::delayed;
use musher::scheduler::{Compute, Options};
use shapes::{Edges, build};

fn inc(x: u64) -> u64 {
    x + 1
}

fn add(a: u64, b: u64) -> u64 {
    a + b
}

fn calls(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("delayed");
    group.bench_function("call_plain", |bench| {
        let mut x = 0;
        bench.iter(|| {
            x += 1;
            delayed(inc).call(x)
        });
    });
    group.bench_function("call_delayed", |bench| {
        let one = delayed(inc).call(0);
        bench.iter(|| delayed(inc).call(black_box(&one)));
    });
    group.bench_function("call_two_delayed", |bench| {
        let (one, two) = (delayed(inc).call(0), delayed(inc).call(1));
        bench.iter(|| delayed(add).call((black_box(&one), black_box(&two))));
    });
    // A chain of calls as a loop builds it: build, merge, lower, order, run and drop, a call.
    const CALLS: u64 = 10_000;
    group.throughput(Throughput::Elements(CALLS));
    group.bench_function("tree_of_10000_compute", |bench| {
        bench.iter(|| {
            let mut level: Vec<_> = (0..CALLS / 2).map(|x| delayed(inc).call(x)).collect();
            while level.len() > 1 {
                let pairs = level.chunks(2);
                level = pairs
                    .map(|pair| delayed(add).call((&pair[0], pair.get(1).unwrap_or(&pair[0]))))
                    .collect();
            }
            level[0].compute_with(&Options::sequential())
        });
    });
}

fn shapes(criterion: &mut Criterion) {
    for n in [100_000, 1_000_000] {
        let mut group = criterion.benchmark_group(format!("overhead_{n}"));
        group
            .sample_size(10)
            .warm_up_time(Duration::from_millis(500))
            .measurement_time(Duration::from_secs(4));
        for shape in ["independent", "chain", "tree", "wavefront", "random"] {
            let edges = Edges::of(shape, n);
            group.throughput(Throughput::Elements(edges.ends.len() as u64));
            for threads in [1, 2] {
                let options = Options::default().threads(threads);
                group.bench_function(BenchmarkId::new(shape, format!("{threads}_threads")), |bench| {
                    bench.iter(|| build(&edges).compute_with(&options));
                });
            }
        }
    }
}

criterion_group!(benches, calls, shapes);
criterion_main!(benches);
