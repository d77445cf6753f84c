//! What is decided before data exists, stage by stage: building, collecting, lowering, ordering and dropping.

// The shapes are written against the facade, which re-exports what they use.
extern crate musher_graph_core as musher;

#[path = "../../../benches/shapes/mod.rs"]
mod shapes;

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use musher::{Collection, Graph, Order, TaskGraph};
use shapes::{Edges, build};

const STAGES: [&str; 6] = ["build", "collect", "lower", "order", "drop", "all"];

/// Time of each stage of planning a graph of these edges once.
fn stages(edges: &Edges) -> [Duration; 6] {
    let start = Instant::now();
    let mut last = start;
    let mut lap = || {
        let now = Instant::now();
        now - std::mem::replace(&mut last, now)
    };
    let handmade = build(edges);
    let built = lap();
    let graph = collect(&handmade);
    let collected = lap();
    let lowered = lower(graph);
    let was_lowered = lap();
    let order = Order::of(&lowered);
    let ordered = lap();
    drop(black_box((handmade, lowered, order)));
    let dropped = lap();
    [built, collected, was_lowered, ordered, dropped, start.elapsed()]
}

fn collect(of: &impl Collection) -> Graph {
    match Graph::collect(&[of.request()]) {
        Ok(graph) => graph.optimize(),
        Err(error) => panic!("{error}"),
    }
}

fn lower(graph: Graph) -> TaskGraph {
    match TaskGraph::lower(graph) {
        Ok(lowered) => lowered,
        Err(error) => panic!("{error}"),
    }
}

fn handmade(criterion: &mut Criterion) {
    for n in [100_000, 1_000_000] {
        for shape in ["independent", "chain", "tree", "wavefront", "random"] {
            let edges = Edges::of(shape, n);
            let mut group = criterion.benchmark_group(format!("plan_{n}/{shape}"));
            group.throughput(Throughput::Elements(edges.ends.len() as u64)).sample_size(10);
            group.warm_up_time(Duration::from_millis(200)).measurement_time(Duration::from_secs(2));
            for (at, stage) in STAGES.into_iter().enumerate() {
                group.bench_function(stage, |bench| {
                    bench.iter_custom(|n| (0..n).map(|_| stages(&edges)[at]).sum());
                });
            }
            let lowered = lower(collect(&build(&edges)));
            group.bench_function("search", |bench| bench.iter(|| Order::search(&lowered)));
        }
    }
}

criterion_group!(benches, handmade);
criterion_main!(benches);
