//! Computing several collections at once, persisting them, and asking for the same thing twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use musher_graph_core::{Collection, Delayed, GraphBuilder, delayed};
use musher_scheduler::{Compute, Options, compute, compute_with, persist};
use musher_testkit::{check_everywhere, everywhere};

/// A call that counts how often it runs.
fn counted(calls: &Arc<AtomicUsize>, value: i64) -> Delayed<i64> {
    let calls = Arc::clone(calls);
    let run = move || {
        calls.fetch_add(1, Ordering::SeqCst);
        value
    };
    delayed(run).call(())
}

fn add(a: i64, b: i64) -> i64 {
    a + b
}

#[test]
fn tuples_and_slices_and_both_within_each_other() {
    let (a, b) = (delayed(add).call((1, 2)), delayed(|| "text".to_string()).call(()));
    let many: Vec<_> = (0..4).map(|x| delayed(add).call((x, 10))).collect();
    assert_eq!(compute((&a,)).unwrap(), (3,));
    assert_eq!(compute((&a, &b)).unwrap(), (3, "text".to_string()));
    assert_eq!(compute(many.as_slice()).unwrap(), [10, 11, 12, 13]);
    assert_eq!(compute((&b, &many[1..3], (&a, &a))).unwrap(), ("text".to_string(), vec![11, 12], (3, 3)));
    let eight = (&a, &a, &a, &a, &a, &a, &a, &b);
    assert_eq!(compute(eight).unwrap(), (3, 3, 3, 3, 3, 3, 3, "text".to_string()));
    assert_eq!(compute(&many[..0]).unwrap(), [0; 0]);
}

#[test]
fn shared_work_is_done_once() {
    for (name, options) in everywhere() {
        let calls = Arc::new(AtomicUsize::new(0));
        let shared = counted(&calls, 5);
        let (a, b) = (delayed(add).call((&shared, 1)), delayed(add).call((&shared, 2)));
        assert_eq!(compute_with((&a, &b, &shared, &a), &options).unwrap(), (6, 7, 5, 6), "{name}");
        assert_eq!(calls.load(Ordering::SeqCst), 1, "{name}");
    }
}

#[test]
fn the_loop_of_the_article_calls_its_function_once() {
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    fn increment(x: i64) -> i64 {
        CALLS.fetch_add(1, Ordering::SeqCst);
        x + 1
    }
    let sums: Vec<_> = (0..10).map(|x| delayed(add).call((delayed(increment).call(1), x))).collect();
    assert_eq!(compute(sums.as_slice()).unwrap(), (2..12).collect::<Vec<i64>>());
    assert_eq!(CALLS.load(Ordering::SeqCst), 1);
}

#[test]
fn persisted_collections_are_computed_once_and_read_like_the_others() {
    let calls = Arc::new(AtomicUsize::new(0));
    let (a, b) = (counted(&calls, 1), counted(&calls, 2));
    let both = [a.clone(), b.clone()];
    let held = persist(both.as_slice()).unwrap();
    assert_eq!(calls.load(Ordering::SeqCst), 2);
    let sum = delayed(add).call((&held[0], &held[1]));
    assert_eq!(check_everywhere(&sum), 3);
    assert_eq!(calls.load(Ordering::SeqCst), 2);
    assert!(held[0].port().layer.inputs().is_empty());
    assert!(held[0].port().layer.label().ends_with("(held)"));
    assert_eq!(held[0].port().layer.caller(), a.port().layer.caller(), "it still names the user's line");
}

#[test]
fn two_parts_of_one_graph_persist_side_by_side() {
    let build = |output: usize| {
        let mut graph = GraphBuilder::<i64>::new();
        let nodes: Vec<_> = (0..4).map(|n| graph.add([], move |_| 10 * n)).collect();
        graph.build(&[nodes[output]])
    };
    let (two, three) = (build(2), build(3));
    let (held_two, held_three) = persist((&two, &three)).unwrap();
    assert_eq!(compute((&held_two, &held_three)).unwrap(), (vec![20], vec![30]));
}

#[test]
fn hand_made_graphs_give_their_outputs_in_the_order_asked_for() {
    let mut graph = GraphBuilder::<f64>::with_capacity(5, 4).label("node");
    let a = graph.add([], |_| 1.5);
    let b = graph.add([], |_| 2.5);
    let c = graph.add([a, b], |inputs| inputs[0] + inputs[1]);
    let d = graph.add([c, a], |inputs| inputs[0] * inputs[1]);
    let outputs = graph.build(&[d, a, d, c]);
    assert_eq!(check_everywhere(&outputs), [6.0, 1.5, 6.0, 4.0]);
    assert_eq!(outputs.persist().unwrap().compute().unwrap(), [6.0, 1.5, 6.0, 4.0]);
    let nothing = GraphBuilder::<f64>::new().build(&[]);
    assert_eq!(check_everywhere(&nothing), [0.0; 0]);
}

#[test]
fn sums_of_floats_have_the_same_bits_everywhere() {
    // The tree is fixed by the numbers of the tasks, never by who is done first.
    let mut level: Vec<Delayed<f64>> =
        (0..500).map(|x: i64| delayed(|x: i64| 1.0 / (x as f64 + 0.1)).call(x)).collect();
    while level.len() > 1 {
        let sum =
            |group: &[Delayed<f64>]| delayed(|xs: Vec<f64>| xs.iter().sum::<f64>()).call(group.to_vec());
        level = level.chunks(3).map(sum).collect();
    }
    let first = check_everywhere(&level[0]).to_bits();
    for _ in 0..20 {
        assert_eq!(level[0].compute_with(&Options::default().threads(3)).unwrap().to_bits(), first);
    }
}

#[test]
fn explain_says_what_will_happen_without_doing_it() {
    let calls = Arc::new(AtomicUsize::new(0));
    let sum = delayed(add).label("sum of both").call((counted(&calls, 1), counted(&calls, 2)));
    let line = line!() - 1;
    let explain = sum.explain().unwrap();
    assert_eq!((explain.n_tasks(), explain.n_edges), (3, 2));
    let text = explain.to_string();
    assert!(text.contains("sum of both") && text.contains(&format!("{}:{line}", file!())), "{text}");
    assert_eq!(calls.load(Ordering::SeqCst), 0);
}

#[test]
fn a_call_of_twenty_thousand_values_is_a_call() {
    let values: Vec<_> = (0..20_000).map(|x| delayed(|x: u64| 2 * x).call(x)).collect();
    let sum = delayed(|values: Vec<u64>| values.iter().sum::<u64>()).call(values);
    for (name, options) in everywhere() {
        assert_eq!(sum.compute_with(&options).unwrap(), 20_000 * 19_999, "{name}");
    }
}
