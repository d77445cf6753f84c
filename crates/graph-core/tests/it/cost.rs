//! What planning asks of the allocator: bytes a task, bytes a call, bytes a layer.

use allocation_counter::{AllocationInfo, measure};
use musher_graph_core::{Delayed, Graph, GraphBuilder, Grid, Layer, Plan, Port, Wiring, delayed};

use crate::support::{all, request, source, sum};

/// What `make` asked for, and what it made.
fn cost<T>(make: impl FnOnce() -> T) -> (AllocationInfo, T) {
    let mut made = None;
    let info = measure(|| made = Some(make()));
    (info, made.unwrap())
}

const N: usize = 100_000;

#[test]
fn a_lowered_task_takes_less_than_a_hundred_bytes() {
    // Elementwise layers over a grid and a tree of sums: several layers, culled places, edges of all kinds.
    let a = source("a", &[N]);
    let b = sum("b", &[(&a, Wiring::one_to_one(1)), (&a, Wiring::neighbors(&[1], false))], &[N]);
    let c = sum("c", &[(&b, Wiring::tree(&[8]))], &[N.div_ceil(8)]);
    let (info, plan) = cost(|| Plan::new(Graph::collect(&[all(&c)]).unwrap()).unwrap());
    let n = plan.tasks().n_tasks() as i64;
    assert!(n > 2 * N as i64);
    assert!(info.bytes_current < 100 * n, "{} bytes a task", info.bytes_current / n);
    let tables = plan.tasks().table_bytes() as i64;
    assert!(tables < 100 * n && 4 * tables > info.bytes_current, "{} bytes a task are told", tables / n);
}

#[test]
fn a_hand_made_task_takes_its_edges_and_what_its_function_captures() {
    let (info, handmade) = cost(|| {
        let mut graph = GraphBuilder::with_capacity(N, N);
        let mut last = graph.add([], |_| 0_u32);
        for number in 1..N as u32 {
            last = graph.add([last], move |inputs| inputs[0] ^ number);
        }
        graph.build(&[last])
    });
    let n = N as i64;
    assert!(info.bytes_current <= 32 * n, "{} bytes a task", info.bytes_current / n);
    assert!(info.count_total < 100, "{} allocations for {N} tasks", info.count_total);
    let (info, plan) = cost(|| Plan::new(Graph::collect(&[request(&handmade)]).unwrap()).unwrap());
    assert!(info.bytes_current <= 16 * n, "{} bytes a task when lowered", info.bytes_current / n);
    assert_eq!(plan.tasks().n_tasks(), N);
}

#[test]
fn a_layer_of_a_million_chunks_is_described_in_a_few_bytes() {
    let a = source("a", &[1000, 1000]);
    let describe = || {
        let b = sum("b", &[(&a, Wiring::one_to_one(2))], &[1000, 1000]);
        Layer::build_shared(b.layer.task().clone())
            .input(&b, Wiring::one_to_one(2))
            .finish(Grid::from([1000, 1000]))
    };
    let (info, layer) = cost(describe);
    assert!(info.bytes_total < 2000, "{} bytes", info.bytes_total);
    let (info, _) = cost(|| Graph::collect(&[all(&Port::of(layer))]).unwrap().optimize());
    assert!(info.bytes_total < 8000, "{} bytes", info.bytes_total);
}

#[test]
fn a_delayed_call_asks_for_at_most_two_hundred_bytes() {
    fn inc(x: u64) -> u64 {
        x + 1
    }
    fn add(a: u64, b: u64) -> u64 {
        a + b
    }
    let check = |call: &dyn Fn() -> Delayed<u64>| {
        let (info, _delayed) = cost(call);
        assert!(info.bytes_total <= 200, "{} bytes in {} allocations", info.bytes_total, info.count_total);
    };
    let (one, two) = (delayed(inc).call(0), delayed(inc).call(1));
    check(&|| delayed(inc).call(7));
    check(&|| delayed(inc).call(&one));
    check(&|| delayed(add).call((&one, 7)));
    check(&|| delayed(add).call((&one, &two)));
}
