//! A million tasks of each shape: built, planned, run and dropped on a stack of 512 KiB.

use musher_graph_core::{Collection, Delayed, Graph, GraphBuilder, Handmade, NodeId, Plan, delayed};
use musher_scheduler::{Compute, Options};
use musher_testkit::{SMALL_STACK, with_small_stack};

const MILLION: usize = 1_000_000;

/// Builds on the small stack, computes there in sequence and on two threads, and drops everything there.
#[track_caller]
fn check(build: impl Fn() -> Handmade<u64> + Send + Sync, expected: u64) {
    with_small_stack(SMALL_STACK, || {
        for options in [Options::sequential(), Options::default().threads(2)] {
            let graph = build();
            assert_eq!(graph.n_tasks(), MILLION);
            assert_eq!(graph.compute_with(&options).unwrap(), [expected]);
        }
    });
}

#[test]
fn a_chain() {
    // 0 ── 1 ── … ── 999,999
    let build = || {
        let mut graph = GraphBuilder::with_capacity(MILLION, MILLION);
        let mut last = graph.add([], |_| 0_u64);
        for _ in 1..MILLION {
            last = graph.add([last], |inputs| inputs[0] + 1);
        }
        graph.build(&[last])
    };
    check(build, MILLION as u64 - 1);
}

#[test]
fn a_fan_out_and_in() {
    //        1
    //      /   \
    //    0 ── … ── last
    //      \   /
    //        999,998
    let build = || {
        let mut graph = GraphBuilder::with_capacity(MILLION, 2 * MILLION);
        let first = graph.add([], |_| 1_u64);
        let spread: Vec<NodeId> = (2..MILLION).map(|_| graph.add([first], |inputs| inputs[0])).collect();
        let last = graph.add(spread, |inputs| inputs.iter().sum());
        graph.build(&[last])
    };
    check(build, MILLION as u64 - 2);
}

#[test]
fn a_grid_in_which_each_reads_its_left_and_upper_neighbor() {
    const SIDE: usize = 1000;
    let build = || {
        let mut graph = GraphBuilder::with_capacity(MILLION, 2 * MILLION);
        let mut nodes: Vec<NodeId> = Vec::with_capacity(MILLION);
        for index in 0..MILLION {
            let (row, column) = (index / SIDE, index % SIDE);
            let left = (column > 0).then(|| nodes[index - 1]);
            let upper = (row > 0).then(|| nodes[index - SIDE]);
            let longest = |inputs: musher_graph_core::Values<'_, '_, u64>| {
                inputs.iter().max().map_or(0, |longest| longest + 1)
            };
            nodes.push(graph.add(left.into_iter().chain(upper), longest));
        }
        graph.build(&[nodes[MILLION - 1]])
    };
    check(build, 2 * (SIDE as u64 - 1));
}

/// A million calls, each of what the one before gives back.
fn chain_of_calls() -> Delayed<u64> {
    let mut last = delayed(|| 0_u64).call(());
    for _ in 1..MILLION {
        last = delayed(|x: u64| x + 1).call(last);
    }
    last
}

#[test]
fn a_chain_of_delayed_calls() {
    with_small_stack(SMALL_STACK, || {
        let last = chain_of_calls();
        assert_eq!(last.compute_with(&Options::default().threads(2)).unwrap(), MILLION as u64 - 1);
        assert!(format!("{last:?}").len() < 100);
        assert_eq!(last.explain().unwrap().n_tasks(), 1, "one line");
    });
}

#[test]
fn a_chain_of_delayed_calls_that_is_not_fused() {
    with_small_stack(SMALL_STACK, || {
        let last = chain_of_calls();
        let plan = std::sync::Arc::new(Plan::new(Graph::collect(&[last.request()]).unwrap()).unwrap());
        drop(last);
        assert_eq!(plan.tasks().n_tasks(), MILLION);
        let explain = plan.explain().to_string();
        assert!(explain.contains("1000000 tasks") && explain.len() < 10_000, "a table of some rows");
        let chunks = crate::support::run(&plan, 2, None).unwrap();
        assert_eq!(chunks[0].downcast_ref::<musher_graph_core::Value<u64>>().unwrap().0, MILLION as u64 - 1);
    });
}

#[test]
fn a_chain_that_never_runs_is_dropped() {
    with_small_stack(SMALL_STACK, || drop(chain_of_calls()));
}

#[test]
fn handles_captured_in_closures_are_dropped_without_recursion() {
    // Each closure holds the handle of the one before: the graph does not know, the drops nest all the same.
    with_small_stack(SMALL_STACK, || {
        let mut last = delayed(|| 0_u64).call(());
        for _ in 0..MILLION {
            let captured = last;
            last = delayed(move || captured.port().output as u64).call(());
        }
        assert_eq!(last.compute_with(&Options::sequential()).unwrap(), 0);
    });
}

#[test]
fn handles_held_as_values_are_dropped_without_recursion() {
    with_small_stack(SMALL_STACK, || {
        struct Link(#[expect(dead_code, reason = "only its drop is of interest")] Option<Delayed<Link>>);
        let mut last: Delayed<Link> = Delayed::ready(Link(None));
        for _ in 0..MILLION {
            last = Delayed::ready(Link(Some(last)));
        }
    });
}

#[test]
fn a_ladder_has_two_to_the_power_of_its_paths_and_is_walked_once() {
    // Each step reads the one before twice.
    with_small_stack(SMALL_STACK, || {
        let mut last = delayed(|| 1_u64).call(());
        for _ in 0..100_000 {
            last = delayed(|a: u64, b: u64| a.wrapping_add(b)).call((last.clone(), last));
        }
        assert_eq!(last.compute_with(&Options::default().threads(2)).unwrap(), 0, "2^100,000 modulo 2^64");
    });
}
