//! Lines: straight lines of opaque tasks become one task that still says which of its steps failed.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use musher_graph_core::{
    ChunkRef, Facts, FnTask, FnTaskMany, Graph, Grid, Inputs, Layer, Place, Places, Plan, Port, Request,
    StepError, StepPanic, TaskIx, Value, Wiring,
};
use musher_testkit::{Act, Scripted, ScriptedFailure};

use crate::support::{all, optimized, some, source, sum, values};

/// Three scripted steps over two places, one after the other; the lines on which they were built.
fn steps(acts: [Option<Act>; 3]) -> (Port, Vec<u32>) {
    let grid = Grid::from([2]);
    let task = |name: &'static str, act: &Option<Act>| match act {
        Some(act) => Scripted::new(name).at(1, act.clone()),
        None => Scripted::new(name),
    };
    let [a, b, c] = &acts;
    let a = Port::of(Layer::build(task("a", a)).finish(grid.clone()));
    let b = Port::of(Layer::build(task("b", b)).input(&a, Wiring::one_to_one(1)).finish(grid.clone()));
    let c = Port::of(Layer::build(task("c", c)).input(&b, Wiring::one_to_one(1)).finish(grid));
    let lines = [&a, &b, &c].iter().map(|port| port.layer.caller().line()).collect();
    (c, lines)
}

#[test]
fn a_line_is_one_layer_with_the_same_answer() {
    let (port, _) = steps([None, None, None]);
    let graph = optimized(&[all(&port)]);
    assert_eq!(graph.layers().len(), 1);
    assert_eq!(graph.layers()[0].task.label(), "a → b → c");
    assert_eq!(graph.layers()[0].key, port.key(), "it is still the work of its last step");
    assert_eq!(values(graph), values(Graph::collect(&[all(&port)]).unwrap()));
}

#[test]
fn lines_end_where_something_is_asked_for_or_read_twice() {
    //  a ── b ── c ── e          b is asked for; c is read twice
    //              \
    //                f
    let a = source("a", &[3]);
    let b = sum("b", &[(&a, Wiring::one_to_one(1))], &[3]);
    let c = sum("c", &[(&b, Wiring::one_to_one(1))], &[3]);
    let e = sum("e", &[(&c, Wiring::one_to_one(1))], &[3]);
    let f = sum("f", &[(&c, Wiring::axes([musher_graph_core::AxisMap::Fixed(0)]))], &[3]);
    let requests = [all(&e), all(&f), some(&b, &[1])];
    let graph = optimized(&requests);
    let labels: Vec<_> = graph.layers().iter().map(|layer| layer.task.label().into_owned()).collect();
    assert_eq!(labels, ["a → b", "c", "e", "f"]);
    assert_eq!(values(graph), [0, 1, 2, 0, 0, 0, 1]);
}

#[test]
fn only_like_places_are_strung_together() {
    let a = source("a", &[4]);
    let shifted = musher_graph_core::AxisMap::Affine { axis: 0, start: 3, step: -1 };
    for (wiring, n) in [(Wiring::axes([shifted]), 4), (Wiring::one_to_one(1), 3), (Wiring::tree(&[2]), 2)] {
        let b = sum("b", &[(&a, wiring)], &[n]);
        assert_eq!(optimized(&[all(&b)]).layers().len(), 2);
    }
}

#[test]
fn an_error_names_its_step() {
    for (failing, label) in ["a", "b", "c"].into_iter().enumerate() {
        let mut acts = [None, None, None];
        acts[failing] = Some(Act::Fail);
        let (port, lines) = steps(acts);
        let plan = Plan::new(optimized(&[all(&port)])).unwrap();
        assert!(plan.tasks().run(TaskIx(0), &mut [], None).is_ok());
        let error = plan.tasks().run(TaskIx(1), &mut [], None).unwrap_err().into_cause();
        let step = error.downcast::<StepError>().unwrap();
        assert_eq!((step.label.as_str(), step.caller.line()), (label, lines[failing]));
        let expected = format!("{label} (built at {}:{}:", file!(), lines[failing]);
        assert!(step.to_string().starts_with(&expected), "{step}");
        let cause = std::error::Error::source(&*step).unwrap().downcast_ref::<ScriptedFailure>();
        assert_eq!(cause, Some(&ScriptedFailure { index: 1 }));
    }
}

#[test]
fn a_panic_names_its_step() {
    let (port, lines) = steps([None, Some(Act::Panic("as the script says")), None]);
    let plan = Plan::new(optimized(&[all(&port)])).unwrap();
    let caught = catch_unwind(AssertUnwindSafe(|| plan.tasks().run(TaskIx(1), &mut [], None)));
    let panic = caught.unwrap_err().downcast::<StepPanic>().unwrap();
    assert_eq!((panic.label.as_str(), panic.caller.line()), ("b", lines[1]));
    assert_eq!(panic.payload.downcast_ref::<String>().unwrap(), "as the script says");
}

#[test]
fn a_lines_facts_add_up_its_steps() {
    let task = |name: &'static str, facts: Facts| {
        FnTask::new(name, |_: Place<'_>, _: &mut Inputs<'_>| Ok(Value(0_u64)))
            .named(name)
            .facts(move |_, _| facts.clone())
    };
    let load = Layer::build(task("load", Facts::bytes(100).read(40).cost(7))).finish(Grid::from([1]));
    let grow = Layer::build(task("grow", Facts::bytes(1000).scratch(50).cost(5)))
        .input(&Port::of(load), Wiring::one_to_one(1))
        .finish(Grid::from([1]));
    let save = Layer::build(task("save", Facts::bytes(8).written(900)))
        .input(&Port::of(grow), Wiring::one_to_one(1))
        .finish(Grid::from([1]));
    let graph = optimized(&[all(&Port::of(save))]);
    let facts = graph.layers()[0].task.facts(graph.layers()[0].grid.place(0), &[]);
    assert_eq!((facts.output(0), facts.bytes_read, facts.bytes_written), (Some(8), 40, 900));
    // Most is needed while the second step runs: the first one's output, its own, and its scratch.
    assert_eq!(facts.scratch_bytes, 100 + 1000 + 50);
    assert_eq!(facts.cost_ns, None, "one step does not say");
}

#[test]
fn a_long_line_shows_its_ends() {
    let mut port = source("first", &[2]);
    for _ in 0..1000 {
        port = sum("step", &[(&port, Wiring::one_to_one(1))], &[2]);
    }
    let graph = optimized(&[all(&port)]);
    assert_eq!(graph.layers().len(), 1);
    assert_eq!(graph.layers()[0].task.label(), "first → … 999 … → step");
    assert_eq!(values(graph), [0, 1]);
}

/// `numbers ─▶ halves`, where `halves` has two outputs: the line has them, too.
#[test]
fn a_line_has_the_outputs_of_its_last_step() {
    let numbers =
        FnTask::new("numbers", |at: Place<'_>, _: &mut Inputs<'_>| Ok(Value(at.index() as i64 + 7)));
    let numbers = Port::of(Layer::build(numbers).finish(Grid::from([2])));
    let halves = FnTaskMany::new("halves", 2, |_: Place<'_>, inputs: &mut Inputs<'_>| {
        let Value(x) = inputs.get::<Value<i64>>(0)?;
        Ok(vec![Arc::new(Value(x / 2)) as ChunkRef, Arc::new(Value(x % 2))])
    });
    let layer = Layer::build(halves).input(&numbers, Wiring::one_to_one(1)).finish(Grid::from([2]));
    let requests: Vec<Request> = [0, 1]
        .map(|output| Request { port: Port { layer: layer.clone(), output }, places: Places::All })
        .to_vec();
    let plan = Plan::new(Graph::collect(&requests).unwrap().optimize()).unwrap();
    assert_eq!(plan.tasks().n_tasks(), 2, "one line over two places");
    let made: Vec<i64> = (0..2)
        .flat_map(|task| plan.tasks().run(TaskIx(task), &mut [], None).unwrap().into_chunks())
        .map(|chunk| chunk.downcast_ref::<Value<i64>>().unwrap().0)
        .collect();
    assert_eq!(made, [3, 1, 4, 0]);
}
