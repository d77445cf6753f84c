//! Order: graphs drawn by hand with counted peaks, and the graphs on which Dask's order is scored.

use musher_graph_core::{Graph, Order, Plan, TaskGraph, TaskIx, peak_of};
use musher_testkit::{Alive, Drawn, Random};
use serde::Deserialize;

/// Lowers a drawn graph whose outputs are asked for.
fn lower(drawn: &Drawn, outputs: &[usize]) -> TaskGraph {
    let requests = drawn.requests(&Alive::default(), outputs);
    TaskGraph::lower(Graph::collect(&requests).unwrap()).unwrap()
}

/// Position in the drawing of each task in the order's sequence.
fn sequence(graph: &TaskGraph, order: &Order) -> Vec<usize> {
    let number = |label: &str| label[1..].parse::<usize>().unwrap();
    order.iter().map(|task| number(&graph.layer(task).task.label())).collect()
}

/// Dask's measure: outputs alive with the one just made, each counted as one; unread outputs are not kept.
fn peak_as_dask_counts(reads: &[Vec<usize>], sequence: &[usize]) -> usize {
    let mut needed = vec![0; reads.len()];
    reads.iter().flatten().for_each(|&read| needed[read] += 1);
    let is_read: Vec<bool> = needed.iter().map(|&n| n > 0).collect();
    let (mut alive, mut peak) = (0, 0);
    for &task in sequence {
        peak = peak.max(alive + 1);
        alive += usize::from(is_read[task]);
        for &read in &reads[task] {
            needed[read] -= 1;
            alive -= usize::from(needed[read] == 0);
        }
    }
    peak
}

#[derive(Deserialize)]
struct Scored {
    name: String,
    dask: usize,
    reads: Vec<Vec<usize>>,
}

/// Our sum and Dask's over all graphs of a file, on none of which ours may be above; prints both for each graph.
#[track_caller]
fn score(file: &str) -> (usize, usize) {
    let graphs: Vec<Scored> = serde_json::from_str(file).unwrap();
    let (mut ours, mut dasks) = (0, 0);
    for graph in graphs {
        let mut drawn = Drawn::from(graph.reads);
        // What nobody reads is not kept, as if it were written away: it needs its byte only while it is made.
        for sink in drawn.sinks() {
            (drawn.bytes[sink], drawn.scratch[sink]) = (0, 1);
        }
        let lowered = lower(&drawn, &drawn.sinks());
        let order = Order::search(&lowered);
        let peak = peak_as_dask_counts(&drawn.reads, &sequence(&lowered, &order));
        println!("{:60} {peak:4} (dask {:4}) {}", graph.name, graph.dask, order.strategy);
        assert!(peak <= graph.dask, "{}: {peak} and not {}", graph.name, graph.dask);
        ours += peak;
        dasks += graph.dask;
    }
    println!("sum {ours}, dask {dasks}");
    (ours, dasks)
}

/// Orders a drawn graph whose sinks are asked for, and checks that the order is one and its peak is as it says.
#[track_caller]
fn ordered(drawn: &Drawn) -> (Vec<usize>, u64) {
    let lowered = lower(drawn, &drawn.sinks());
    let order = Order::search(&lowered);
    assert_eq!(order.peak_bytes(&lowered), peak_of(&lowered, order.iter()));
    let sequence = sequence(&lowered, &order);
    let mut position = vec![usize::MAX; drawn.reads.len()];
    sequence.iter().enumerate().for_each(|(at, &task)| position[task] = at);
    for (task, reads) in drawn.reads.iter().enumerate() {
        assert!(reads.iter().all(|&read| position[read] < position[task]), "{task} before what it reads");
    }
    (sequence, order.peak_bytes(&lowered))
}

#[test]
fn a_tree_is_summed_from_the_left_with_few_leaves_alive() {
    //         6
    //       /   \
    //     4       5
    //    / \     / \
    //   0   1   2   3
    let drawn = Drawn::new(&[&[], &[], &[], &[], &[0, 1], &[2, 3], &[4, 5]]);
    // One finished half, and the other with both its leaves.
    assert_eq!(ordered(&drawn).1, 4);
}

#[test]
fn the_branch_that_needs_more_memory_comes_first() {
    //   8
    //   |  \
    //   |    7
    //   |  / | \ \
    //   2  3 4 5  6
    //   |
    //   1
    //   |
    //   0
    let drawn = Drawn::new(&[&[], &[0], &[1], &[], &[], &[], &[], &[3, 4, 5, 6], &[2, 7]]);
    // The wide branch takes 5 on its own, the narrow one 2: 5 with the wide one first, 6 the other way round.
    assert_eq!(ordered(&drawn).1, 5);
}

#[test]
fn sums_free_their_blocks_as_soon_as_they_can() {
    //   sum of x * y (10), of x (11) and of y (12), over two pairs of blocks
    //
    //      10         11       12
    //     /  \       /  \     /  \
    //    4    5      6   7   8   9
    //   / \  / \     |   |   |   |
    //   0 2  1 3     0   1   2   3
    let drawn = Drawn::new(&[
        &[],
        &[],
        &[],
        &[],
        &[0, 2],
        &[1, 3],
        &[0],
        &[1],
        &[2],
        &[3],
        &[4, 5],
        &[6, 7],
        &[8, 9],
    ]);
    let mut weighed = drawn.clone();
    (0..4).for_each(|block| weighed.bytes[block] = 100);
    // Two blocks at a time, never all four.
    assert!(ordered(&weighed).1 < 300, "{}", ordered(&weighed).1);
}

#[test]
fn bytes_count_and_not_tasks() {
    //     3
    //    / \
    //   1   2      1 is small and made of a large 0
    //   |
    //   0
    let mut drawn = Drawn::new(&[&[], &[0], &[], &[1, 2]]);
    drawn.bytes = vec![1000, 1, 10, 1];
    // The large one is made small before the next one is made.
    assert_eq!(ordered(&drawn), (vec![0, 1, 2, 3], 1001));
}

#[test]
fn scratch_counts_while_the_task_runs() {
    //   0 ── 1      1 needs 50 bytes beside input and output
    let mut drawn = Drawn::new(&[&[], &[0]]);
    (drawn.bytes, drawn.scratch) = (vec![7, 3], vec![0, 50]);
    assert_eq!(ordered(&drawn).1, 60);
}

#[test]
fn what_is_asked_for_stays() {
    //   0   1   2, all asked for
    let drawn = Drawn::new(&[&[], &[], &[]]);
    assert_eq!(ordered(&drawn).1, 3);
    // 0 ── 1, both asked for
    let lowered = lower(&Drawn::new(&[&[], &[0]]), &[0, 1]);
    assert_eq!(Order::search(&lowered).peak_bytes(&lowered), 2);
}

#[test]
fn every_order_of_a_random_graph_is_one() {
    let mut random = Random::new(1);
    for _ in 0..300 {
        let drawn = Drawn::random(&mut random, 60);
        let (sequence, peak) = ordered(&drawn);
        let natural = (0..drawn.reads.len() as u32).map(TaskIx);
        let lowered = lower(&drawn, &drawn.sinks());
        assert_eq!(sequence.len(), lowered.n_tasks());
        assert!(peak <= peak_of(&lowered, natural), "never worse than the order of numbering");
    }
}

#[test]
fn no_search_where_chunks_are_next_to_nothing() {
    let drawn = Drawn::new(&[&[], &[], &[0], &[1], &[2, 3]]);
    let requests = drawn.requests(&Alive::default(), &drawn.sinks());
    let plan = Plan::new(Graph::collect(&requests).unwrap()).unwrap();
    assert_eq!(plan.order().strategy, "as numbered");
    assert!(plan.order().peak_bytes(plan.tasks()) <= plan.tasks().table_bytes() as u64);
}

#[test]
fn peaks_on_the_graphs_of_dasks_own_tests() {
    let (ours, dasks) = score(include_str!("../data/dask_order_tests.json"));
    assert_eq!(dasks, 240);
    assert!(ours <= 224, "the peaks sum to {ours}");
}

#[test]
fn peaks_on_the_graphs_of_array_programs() {
    let (ours, dasks) = score(include_str!("../data/array_programs.json"));
    assert_eq!(dasks, 1161);
    assert!(ours <= 892, "the peaks sum to {ours}");
}
