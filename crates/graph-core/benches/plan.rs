//! What is decided before data exists, stage by stage: building, collecting, lowering, ordering and dropping.

// The shapes are written against the facade, which re-exports what they use.
extern crate musher_graph_core as musher;

#[path = "../../../benches/shapes/mod.rs"]
mod shapes;

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use musher::{
    ChunkRef, Collection, Delayed, FnTask, Graph, Grid, Inputs, Layer, Order, Place, Places, Port, Request,
    TaskGraph, Value, Wiring, delayed,
};
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

fn inc(x: u64) -> u64 {
    x + 1
}

fn add(a: u64, b: u64) -> u64 {
    a + b
}

/// A tree of delayed calls, as a loop builds it.
fn tree(n: u64) -> Delayed<u64> {
    let mut level: Vec<_> = (0..n / 2).map(|x| delayed(inc).call(x)).collect();
    while level.len() > 1 {
        let pairs = level.chunks(2);
        level = pairs.map(|pair| delayed(add).call((&pair[0], pair.last().unwrap_or(&pair[0])))).collect();
    }
    level.swap_remove(0)
}

/// Runs a plan's tasks in order: the least that a scheduler does.
fn run(tasks: &TaskGraph, order: &Order) -> Vec<Option<ChunkRef>> {
    let mut uses = tasks.uses();
    let mut slots: Vec<Option<ChunkRef>> = vec![None; tasks.n_slots()];
    let mut inputs = Vec::new();
    for task in order.iter() {
        for slot in tasks.inputs_of(task).iter().map(|slot| slot.index()) {
            uses[slot] -= 1;
            inputs.push(if uses[slot] == 0 { slots[slot].take() } else { slots[slot].clone() });
        }
        match tasks.run(task, &mut inputs, None) {
            Ok(made) => tasks.outputs_of(task).zip(made.into_chunks()).for_each(|(slot, chunk)| {
                slots[slot] = Some(chunk);
            }),
            Err(error) => panic!("{error}"),
        }
        inputs.clear();
    }
    slots
}

fn calls(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("plan_calls");
    let (one, two) = (delayed(inc).call(0), delayed(inc).call(1));
    let mut x = 0;
    group.bench_function("call_plain", |bench| {
        bench.iter(|| {
            x += 1;
            delayed(inc).call(x)
        });
    });
    group.bench_function("call_delayed", |bench| bench.iter(|| delayed(inc).call(black_box(&one))));
    group.bench_function("call_two_delayed", |bench| {
        bench.iter(|| delayed(add).call((black_box(&one), black_box(&two))));
    });
    const CALLS: u64 = 10_000;
    group.throughput(Throughput::Elements(CALLS));
    group.bench_function("tree/build_and_drop", |bench| bench.iter(|| tree(CALLS)));
    let calls = tree(CALLS);
    group.bench_function("tree/collect", |bench| bench.iter(|| collect(&calls)));
    let planned = || {
        let lowered = lower(collect(&calls));
        let order = Order::of(&lowered);
        (lowered, order)
    };
    group.bench_function("tree/collect_lower_order", |bench| bench.iter(planned));
    group.bench_function("tree/collect_lower_order_run", |bench| {
        bench.iter(|| {
            let (lowered, order) = planned();
            run(&lowered, &order)
        });
    });
    // Passes must be linear in the inputs of one task, too.
    const VALUES: u64 = 20_000;
    let values: Vec<_> = (0..VALUES).map(|x| delayed(inc).call(x)).collect();
    let total = delayed(|values: Vec<u64>| values.into_iter().sum::<u64>()).call(values);
    group.throughput(Throughput::Elements(VALUES)).sample_size(10);
    group.bench_function("call_of_20000_values", |bench| {
        bench.iter(|| {
            let lowered = lower(collect(&total));
            let order = Order::of(&lowered);
            (lowered, order)
        });
    });
    group.finish();
}

/// Layers of a million chunks: what a call on a collection costs.
fn layers(criterion: &mut Criterion) {
    let double = || {
        let task = |_: Place<'_>, inputs: &mut Inputs<'_>| {
            let Value(x) = inputs.get::<Value<u64>>(0)?;
            Ok(Value(2 * x))
        };
        FnTask::new("double", task).named("bench.double/1")
    };
    let grid = || Grid::from([1000, 1000]);
    let source = Port::of(Layer::build(double()).finish(grid()));
    let apply =
        |port: &Port| Port::of(Layer::build(double()).input(port, Wiring::one_to_one(2)).finish(grid()));
    let mut group = criterion.benchmark_group("plan_million_chunks");
    group.bench_function("describe", |bench| bench.iter(|| apply(&source)));
    let twice = apply(&apply(&source));
    let ask = || Graph::collect(&[Request { port: twice.clone(), places: Places::All }]);
    group.bench_function("collect", |bench| bench.iter(|| ask().map(Graph::optimize)));
    group.sample_size(10).measurement_time(Duration::from_secs(2));
    group.bench_function("lower", |bench| {
        bench.iter_batched(
            || ask().map(Graph::optimize),
            |graph| graph.and_then(TaskGraph::lower),
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

criterion_group!(benches, calls, layers, handmade);
criterion_main!(benches);
