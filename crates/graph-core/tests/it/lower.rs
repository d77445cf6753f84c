//! Lowering: what is culled, which edges there are, what is refused.

use musher_graph_core::{
    AxisMap, Collection, Error, Facts, FnTask, FnTaskMany, Forward, Graph, GraphBuilder, Grid, Inputs, Layer,
    Lists, Place, Places, Plan, Port, Request, TaskGraph, TaskIx, Value, Wiring,
};

use crate::support::{all, planned, request, run, some, source, sum, tasks, values};

fn counts(plan: &Plan) -> Vec<usize> {
    tasks(plan.tasks()).into_iter().map(|(_, n)| n).collect()
}

#[test]
fn only_what_is_asked_for_gets_a_number() {
    //  source [4, 4] ── neighbors along axis 1 ── sums [4, 4], of which (0, 0) and (3, 3)
    let a = source("a", &[4, 4]);
    let b = sum("b", &[(&a, Wiring::neighbors(&[0, 1], false))], &[4, 4]);
    let plan = planned(&[some(&b, &[0, 15])]);
    assert_eq!(tasks(plan.tasks()), [("a".to_owned(), 4), ("b".to_owned(), 2)]);
    assert_eq!(plan.tasks().n_edges(), 4);
    assert_eq!(values(Graph::collect(&[some(&b, &[15, 0, 15])]).unwrap()), [14 + 15, 1, 14 + 15]);
}

#[test]
fn a_slice_of_a_slice_needs_what_both_leave() {
    let a = source("a", &[10]);
    let slice = |of: &Port, start, step, n| {
        sum("slice", &[(of, Wiring::axes([AxisMap::Affine { axis: 0, start, step }]))], &[n])
    };
    let b = slice(&slice(&a, 1, 2, 4), 3, -2, 2);
    assert_eq!(counts(&planned(&[all(&b)])), [2, 2, 2]);
    assert_eq!(values(Graph::collect(&[all(&b)]).unwrap()), [7, 3]);
}

#[test]
fn layers_that_nobody_needs_have_no_tasks() {
    let (a, b) = (source("a", &[3]), source("b", &[3]));
    // Parts: the first three places read a, the others b; only a place of b is asked for.
    let both = Layer::build(Forward::new("both"))
        .part(&a, &[0], &[3], Wiring::one_to_one(1))
        .part(&b, &[3], &[3], Wiring::one_to_one(1))
        .finish(Grid::from([6]));
    let both = Port::of(both);
    let plan = planned(&[some(&both, &[4])]);
    assert_eq!(tasks(plan.tasks()), [("a".to_owned(), 0), ("b".to_owned(), 1), ("both".to_owned(), 1)]);
    assert_eq!(plan.explain().layers.len(), 2, "what does not run is not told");
    assert_eq!(values(Graph::collect(&[all(&both)]).unwrap()), [0, 1, 2, 0, 1, 2]);
}

#[test]
fn parts_in_two_axes_land_where_they_belong() {
    //  a a b
    //  a a b
    //  c c c
    let (a, b, c) = (source("a", &[2, 2]), source("b", &[2]), source("c", &[3]));
    let block = Layer::build(Forward::new("block"))
        .part(&a, &[0, 0], &[2, 2], Wiring::one_to_one(2))
        .part(&b, &[0, 2], &[2, 1], Wiring::axes([AxisMap::follow(0)]))
        .part(&c, &[2, 0], &[1, 3], Wiring::axes([AxisMap::follow(1)]))
        .finish(Grid::from([3, 3]));
    let block = Port::of(block);
    assert_eq!(values(Graph::collect(&[all(&block)]).unwrap()), [0, 1, 0, 2, 3, 1, 0, 1, 2]);
    let plan = planned(&[some(&block, &[8, 2])]);
    assert_eq!(counts(&plan), [0, 1, 1, 2]);
}

#[test]
fn all_to_several_goes_through_a_barrier() {
    let a = source("a", &[100]);
    let b = sum("b", &[(&a, Wiring::All)], &[50]);
    let plan = planned(&[all(&b)]);
    assert_eq!(plan.tasks().n_edges(), 150, "100 into the barrier, 50 out of it");
    assert_eq!(values(Graph::collect(&[all(&b)]).unwrap()), [4950; 50]);
    let one = sum("one", &[(&a, Wiring::All)], &[1]);
    let plan = planned(&[all(&one)]);
    assert_eq!((plan.tasks().n_tasks(), plan.tasks().n_edges()), (101, 100), "one reader needs no barrier");
    assert_eq!(values(Graph::collect(&[all(&one)]).unwrap()), [4950]);
}

#[test]
fn two_readers_of_all_share_one_barrier() {
    let a = source("a", &[4]);
    let b = sum("b", &[(&a, Wiring::All)], &[3]);
    let c = sum("c", &[(&a, Wiring::All)], &[2]);
    let plan = planned(&[all(&b), all(&c)]);
    assert_eq!(tasks(plan.tasks()).iter().filter(|(label, _)| label == "barrier").count(), 1);
}

#[test]
fn slots_are_told_apart() {
    let (a, b) = (source("a", &[4]), source("b", &[2]));
    let task = FnTask::new("slots", |_: Place<'_>, inputs: &mut Inputs<'_>| {
        let lengths: Vec<u64> = (0..inputs.n_slots())
            .map(|slot| inputs.slot::<Value<u64>>(slot).map(|chunks| chunks.len() as u64))
            .collect::<Result<_, _>>()?;
        Ok(Value(lengths.iter().fold(0, |digits, length| 10 * digits + length)))
    });
    let layer = Layer::build(task)
        .input(&a, Wiring::tree(&[3]))
        .input(&b, Wiring::one_to_one(1))
        .input(&a, Wiring::All)
        .finish(Grid::from([2]));
    assert_eq!(values(Graph::collect(&[all(&Port::of(layer))]).unwrap()), [314, 114]);
}

/// Quotient and remainder of the index by 3.
fn divided(n: usize) -> Layer {
    let task = FnTaskMany::new("div_rem", 2, |at: Place<'_>, _: &mut Inputs<'_>| {
        let index = at.index() as u64;
        Ok(vec![std::sync::Arc::new(Value(index / 3)) as _, std::sync::Arc::new(Value(index % 3)) as _])
    });
    Layer::build(
        task.facts(|_, _| Facts { output_bytes: [Some(8), None].into_iter().collect(), ..Facts::default() }),
    )
    .finish(Grid::from([n]))
}

#[test]
fn several_outputs_have_a_slot_each() {
    let layer = divided(5);
    let (quotient, remainder) = (Port::of(layer.clone()), Port { layer, output: 1 });
    let b = sum("b", &[(&remainder, Wiring::one_to_one(1)), (&quotient, Wiring::one_to_one(1))], &[5]);
    let plan = planned(&[all(&b), some(&remainder, &[4])]);
    let graph = plan.tasks();
    assert_eq!((graph.n_tasks(), graph.n_slots(), graph.n_edges()), (10, 15, 10));
    let task = TaskIx(4);
    assert_eq!(graph.outputs_of(task), 8..10);
    let bytes: Vec<_> =
        graph.outputs_of(task).map(|slot| graph.bytes_of(musher_graph_core::SlotIx(slot as u32))).collect();
    assert_eq!(bytes, [Some(8), None]);
    for slot in graph.outputs_of(task) {
        assert_eq!(graph.task_of(musher_graph_core::SlotIx(slot as u32)), task);
    }
    assert_eq!(graph.readers_of(task), [TaskIx(9), TaskIx(9)], "once for each edge");
    let expected = [0, 1, 2, 1, 2, 1];
    assert_eq!(values(Graph::collect(&[all(&b), some(&remainder, &[4])]).unwrap()), expected);
}

#[test]
fn uses_count_readers_and_requests() {
    let a = source("a", &[2]);
    let b = sum("b", &[(&a, Wiring::one_to_one(1)), (&a, Wiring::one_to_one(1))], &[2]);
    let plan = planned(&[all(&b), some(&a, &[1, 1])]);
    assert_eq!(plan.tasks().uses(), [2, 4, 1, 1]);
}

#[test]
fn hand_made_graphs_are_culled_too() {
    let mut graph = GraphBuilder::<u64>::new();
    let a = graph.add([], |_| 1);
    let b = graph.add([], |_| 10);
    let c = graph.add([a, a], |inputs| inputs[0] + inputs[1]);
    let unneeded = graph.add([b, c], |_| 0);
    let d = graph.add([c], |inputs| inputs.iter().sum::<u64>() + 1);
    assert_eq!(unneeded.index(), 3);
    let outputs = graph.build(&[d, a]);
    let plan = planned(&[request(&outputs)]);
    assert_eq!(plan.tasks().n_tasks(), 3);
    assert_eq!(values(Graph::collect(&[request(&outputs)]).unwrap()), [3, 1]);
    let gathered = outputs.gather(run(&plan)).unwrap();
    assert_eq!(gathered, [3, 1]);
}

#[test]
fn functions_of_several_types_in_turns_keep_their_numbers() {
    let mut graph = GraphBuilder::<u64>::new();
    let (mut nodes, mut expected) = (Vec::new(), Vec::new());
    for number in 0..300_u64 {
        let text = "x".repeat(number as usize);
        nodes.push(match number % 3 {
            // One captures nothing, one a number, one what is dropped again; the first come in a row.
            _ if number < 10 => graph.add([], move |_| number),
            0 => graph.add([nodes[0]], |inputs| inputs[0] + 7),
            1 => graph.add([nodes[number as usize - 1]], move |inputs| inputs[0] + number),
            _ => graph.add([], move |_| text.len() as u64),
        });
        expected.push(match number % 3 {
            _ if number < 10 => number,
            0 => 7,
            1 => expected[number as usize - 1] + number,
            _ => number,
        });
    }
    assert_eq!(graph.len(), 300);
    let outputs = graph.build(&nodes);
    assert_eq!(values(Graph::collect(&[request(&outputs)]).unwrap()), expected);
}

#[test]
#[should_panic(expected = "input 1 is not an earlier task")]
fn a_hand_made_task_reads_earlier_ones_only() {
    let mut other = GraphBuilder::<u64>::new();
    let first = other.add([], |_| 0);
    let later = other.add([first], |_| 0);
    let mut graph = GraphBuilder::<u64>::new();
    graph.add([], |_| 0);
    graph.add([later], |_| 0);
}

#[test]
fn grids_without_tasks_and_requests_of_nothing() {
    let nothing = source("nothing", &[3, 0]);
    let copy = sum("copy", &[(&nothing, Wiring::one_to_one(2))], &[3, 0]);
    assert_eq!(values(Graph::collect(&[all(&copy)]).unwrap()), [0_u64; 0]);
    let total = sum("total", &[(&nothing, Wiring::All)], &[1]);
    assert_eq!(values(Graph::collect(&[all(&total)]).unwrap()), [0]);
    let through = sum("through", &[(&nothing, Wiring::All)], &[2]);
    assert_eq!(values(Graph::collect(&[all(&through)]).unwrap()), [0, 0]);
    let some_of_it = sum("part", &[(&nothing, Wiring::tree(&[1, 4]))], &[3, 1]);
    assert_eq!(values(Graph::collect(&[all(&some_of_it)]).unwrap()), [0, 0, 0]);
    assert_eq!(values(Graph::collect(&[some(&source("a", &[2]), &[])]).unwrap()), [0_u64; 0]);
    assert_eq!(values(Graph::collect(&[]).unwrap()), [0_u64; 0]);
}

#[test]
fn what_is_not_there_cannot_be_asked_for() {
    let check = |request: Request, message: &str| {
        assert_eq!(Graph::collect(&[request]).unwrap_err().to_string(), message);
    };
    let a = source("a", &[2]);
    check(some(&a, &[0, 2]), "task 2, output 0 of a is asked for, which has 2 tasks of 1 outputs");
    let second = Port { layer: a.layer, output: 1 };
    check(all(&second), "task 0, output 1 of a is asked for, which has 2 tasks of 1 outputs");
    let nothing = source("nothing", &[0]);
    check(some(&nothing, &[0]), "task 0, output 0 of nothing is asked for, which has 0 tasks of 1 outputs");
}

#[test]
fn written_lists_that_read_outside_name_the_users_line() {
    let a = source("a", &[2]);
    let mut lists = Lists::new();
    lists.push([0, 5]);
    let builder = Layer::build(Forward::new("reader"));
    let line = line!() - 1;
    let layer = builder.input(&a, Wiring::explicit(lists)).finish(Grid::from([1]));
    let error = TaskGraph::lower(Graph::collect(&[all(&Port::of(layer))]).unwrap()).unwrap_err();
    let Error::ReadsOutside { index: 5, n_tasks: 2, .. } = error else { panic!("{error}") };
    let expected = format!("reader (built at {}:{line}:19) reads task 5 of a, which has 2", file!());
    assert_eq!(error.to_string(), expected);
}

#[test]
fn too_many_tasks_are_refused_before_any_table_is_made() {
    let shape = [70_000, 70_000];
    let error = TaskGraph::lower(Graph::collect(&[all(&source("huge", &shape))]).unwrap()).unwrap_err();
    assert_eq!(error.to_string(), "4900000000 tasks are more than one graph can number (4294967295)");
    // Each task may still have a number when their outputs have not.
    let pair = FnTaskMany::new("pair", 2, |_: Place<'_>, _: &mut Inputs<'_>| Ok(vec![]));
    let pair = Port::of(Layer::build(pair).finish(Grid::from([1 << 16, 1 << 15])));
    let error = TaskGraph::lower(Graph::collect(&[all(&pair)]).unwrap()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "4294967296 outputs of tasks are more than one graph can number (4294967295)"
    );
}

#[test]
fn bytes_that_cannot_be_counted_are_refused_and_do_not_wrap() {
    let sized = |bytes: u64, scratch: u64| {
        let task = FnTask::new("huge", |_: Place<'_>, _: &mut Inputs<'_>| Ok(Value(0_u64)));
        let task = task.facts(move |_, _| Facts::bytes(bytes).scratch(scratch).read(u64::MAX));
        let unknown = sum("unknown", &[(&source("a", &[9]), Wiring::one_to_one(1))], &[9]);
        let huge = Port::of(Layer::build(task).finish(Grid::from([4])));
        TaskGraph::lower(Graph::collect(&[all(&huge), all(&unknown)]).unwrap())
    };
    let error = sized(1 << 60, 1).unwrap_err();
    let expected =
        "the chunks of this graph are 4611686018427387905 bytes together, more than can be counted";
    assert_eq!(error.to_string(), expected);
    assert!(sized(1, u64::MAX).is_err());
    let largest = sized((1 << 60) - 1, 3).unwrap();
    assert!(musher_graph_core::Order::search(&largest).peak_bytes(&largest) > 1 << 62);
    assert_eq!(sized(u64::MAX, 0).unwrap().bytes_of(musher_graph_core::SlotIx(0)), None);
}

#[test]
fn a_task_that_makes_another_number_of_outputs_fails() {
    let task = FnTaskMany::new("two", 2, |_: Place<'_>, _: &mut Inputs<'_>| Ok(vec![]));
    let layer = Layer::build(task).finish(Grid::scalar());
    let plan = planned(&[all(&Port::of(layer))]);
    let error = plan.tasks().run(TaskIx(0), &mut [], None).unwrap_err();
    assert_eq!(error.to_string(), "0 outputs were made, 2 were said");
}

#[test]
fn equal_work_in_several_requests_is_there_once() {
    let a = || source("a", &[3]);
    let plan = planned(&[all(&a()), some(&a(), &[1]), all(&a())]);
    assert_eq!(plan.tasks().n_tasks(), 3);
    assert_eq!(plan.tasks().requested().len(), 7);
}

#[test]
fn explain_is_a_table_that_a_stranger_can_read() {
    let facts = FnTask::new("load", |_: Place<'_>, _: &mut Inputs<'_>| Ok(Value(0_u64)))
        .facts(|_, _| Facts::bytes(3 << 20).read(1 << 20).scratch(100));
    let load = Port::of(Layer::build(facts).finish(Grid::from([2, 2])));
    let total = sum("total", &[(&load, Wiring::All)], &[1]);
    let explain = planned(&[all(&total)]).explain();
    assert_eq!((explain.n_tasks(), explain.n_edges, explain.bytes_read()), (5, 4, 4 << 20));
    assert!(explain.has_unknown());
    let text = explain.to_string();
    for expected in
        ["plan: 5 tasks in 2 layers, 4 edges", "reads 4.0 MiB, writes 0 B", "3.0 MiB", "unknown", file!()]
    {
        assert!(text.contains(expected), "{expected:?} in\n{text}");
    }
}

#[test]
fn a_layers_debug_does_not_walk_the_graph() {
    let mut port = source("a", &[1]);
    for _ in 0..100 {
        // Read twice at each level: a text of all paths would have 2^100 parts.
        port = sum("b", &[(&port, Wiring::one_to_one(1)), (&port, Wiring::All)], &[1]);
    }
    assert!(format!("{port:?}").len() < 400);
}

#[test]
fn places_default_to_all() {
    assert_eq!(Places::default(), Places::All);
}

#[test]
fn more_tasks_than_can_be_counted_are_refused() {
    let most = u32::MAX as usize;
    assert_eq!(Grid::from([most, most, most]).n_tasks(), usize::MAX);
    assert_eq!(Grid::from([most, most, most, 0]).n_tasks(), 0);
    let a = source("a", &[most, most, most]);
    let b = sum("b", &[(&a, Wiring::one_to_one(3))], &[most, most, most]);
    let error = Graph::collect(&[all(&b)]).and_then(|graph| Plan::new(graph.optimize())).unwrap_err();
    assert!(matches!(error, Error::TooManyTasks { n_tasks: usize::MAX }), "{error}");
}
