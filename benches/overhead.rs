//! Overhead of the engine: delayed calls.

use criterion::{Criterion, criterion_group, criterion_main};

fn overhead(criterion: &mut Criterion) {
    fn inc(x: u64) -> u64 {
        x + 1
    }
    criterion.bench_function("delayed/call", |bench| {
        let mut x = 0;
        bench.iter(|| {
            x += 1;
            musher::delayed(inc).call(x)
        });
    });
}

criterion_group!(benches, overhead);
criterion_main!(benches);
