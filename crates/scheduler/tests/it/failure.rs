//! Every way in which a run fails: what the error says, and that the process lives on.

use std::num::ParseFloatError;
use std::sync::Arc;

use musher_graph_core::{
    Chunk, ChunkRef, Collection, FnTask, Forward, Grid, Inputs, Layer, Lists, Measure, Place, Places, Port,
    Request, TaskError, Value, Wiring, delayed,
};
use musher_scheduler::{Compute, Error, Event, Observer, Options, compute};
use musher_testkit::{Act, Scripted, ScriptedFailure, everywhere};

use crate::support::{messages, run, unfused};

/// The pools still compute right answers.
fn the_process_lives() {
    let sum = |xs: Vec<i64>| xs.iter().sum::<i64>();
    let squares: Vec<_> = (0..20).map(|x| delayed(|x: i64| x * x).call(x)).collect();
    let total = delayed(sum).call(squares);
    for (name, options) in everywhere() {
        assert_eq!(total.compute_with(&options).unwrap(), 2470, "{name}");
    }
}

/// Tasks on a grid of 2 × 3, of which the one at (1, 2) does as told, read by one that joins them.
fn scripted(act: Act) -> (Request, u32) {
    let layer = Layer::build(Scripted::new("load").at(5, act)).finish(Grid::from([2, 3]));
    let line = line!() - 1;
    let sum = Layer::build(Scripted::new("sum")).input(&Port::of(layer), Wiring::All).finish(Grid::scalar());
    (Request { port: Port::of(sum), places: Places::All }, line)
}

#[test]
fn an_error_names_operation_chunk_line_and_cause() {
    let (request, line) = scripted(Act::Fail);
    for threads in [0, 1, 2, 8] {
        let error = run(&unfused(std::slice::from_ref(&request)), threads, None).unwrap_err();
        let place = format!("{}:{line}:17", file!());
        let expected = [
            format!("load failed at chunk [1, 2] (built at {place})"),
            "the script says that place 5 fails".to_owned(),
        ];
        assert_eq!(messages(&error), expected);
        let Error::Task(failure) = &error else { panic!("{error}") };
        assert_eq!(
            (failure.operation(), failure.place(), failure.caller().line()),
            ("load", &[1, 2][..], line)
        );
        assert_eq!(failure.cause().downcast_ref(), Some(&ScriptedFailure { index: 5 }));
    }
    the_process_lives();
}

#[test]
fn a_panic_names_operation_chunk_line_and_message() {
    let (request, line) = scripted(Act::Panic("index out of bounds"));
    for threads in [0, 1, 2, 8] {
        let error = run(&unfused(std::slice::from_ref(&request)), threads, None).unwrap_err();
        assert!(matches!(error, Error::Panicked { .. }));
        let place = format!("{}:{line}:17", file!());
        let expected = format!("load panicked at chunk [1, 2] (built at {place}): index out of bounds");
        assert_eq!(messages(&error), [expected]);
    }
    the_process_lives();
}

#[test]
fn inside_a_line_of_fused_tasks_the_step_is_named() {
    let step = |act: Option<Act>| {
        let act = act.into_iter().fold(Scripted::new("step"), |task, act| task.at(1, act));
        let first = Layer::build(Scripted::new("first")).finish(Grid::from([2]));
        let step = Layer::build(act).input(&Port::of(first), Wiring::one_to_one(1)).finish(Grid::from([2]));
        let last = Layer::build(Scripted::new("last")).input(&Port::of(step.clone()), Wiring::one_to_one(1));
        (Port::of(last.finish(Grid::from([2]))), step.caller())
    };
    for threads in [0, 2] {
        for (act, verb) in [(Act::Fail, "failed"), (Act::Panic("oh"), "panicked")] {
            let (port, caller) = step(Some(act));
            let plan = Arc::new(musher_scheduler::plan(&[Request { port, places: Places::All }]).unwrap());
            assert_eq!(plan.tasks().layers().len(), 1, "the three are one");
            let error = run(&plan, threads, None).unwrap_err();
            let start = format!("step {verb} at chunk [1] (built at {caller})");
            assert!(error.to_string().starts_with(&start), "{error}");
        }
    }
}

#[test]
fn a_delayed_function_names_itself_and_the_line_of_its_call() {
    #[expect(clippy::ptr_arg, reason = "a parameter is taken by value or by reference to a sized type")]
    fn parse(text: &String) -> Result<f64, ParseFloatError> {
        text.parse()
    }
    let number = delayed(parse).fallible().call("2,5".to_string());
    let line = line!() - 1;
    for (name, options) in everywhere() {
        let error = number.compute_with(&options).unwrap_err();
        let expected =
            [format!("parse failed (built at {}:{line}:44)", file!()), "invalid float literal".to_owned()];
        assert_eq!(messages(&error), expected, "{name}");
    }
}

#[test]
fn a_panic_with_something_else_than_text_is_an_error_too() {
    let odd = delayed(|| if true { std::panic::panic_any(17_u8) } else { 1 }).call(());
    let error = odd.compute().unwrap_err();
    assert!(error.to_string().ends_with("): a value that is no text"), "{error}");
}

#[test]
fn a_failing_task_stops_the_others() {
    // A thousand tasks, the first of which fails: on 2 threads a few others may have started, never all.
    let task = Scripted::new("work").at(0, Act::Fail);
    let layer = Layer::build(task.clone()).finish(Grid::from([1000]));
    let plan = unfused(&[Request { port: Port::of(layer), places: Places::All }]);
    run(&plan, 0, None).unwrap_err();
    assert_eq!(task.calls(), 1);
    run(&plan, 1, None).unwrap_err();
    assert_eq!(task.calls(), 2);
}

/// A chunk that panics where it says, as a user's type may.
struct Bad {
    in_size: bool,
    in_drop: bool,
}

impl Chunk for Bad {
    fn nbytes(&self) -> Option<usize> {
        assert!(!self.in_size, "the size panics");
        Some(1)
    }
}

impl Drop for Bad {
    fn drop(&mut self) {
        // Only once: a panic while another one unwinds would end the process.
        assert!(!self.in_drop || std::thread::panicking(), "the drop panics");
    }
}

/// Ten sources of such chunks, each read by one task, all of them read by a last one.
fn bad(in_size: bool, in_drop: bool) -> Request {
    let make = move |at: Place<'_>, _: &mut Inputs<'_>| {
        let odd = at.index() == 7;
        Ok(Bad { in_size: in_size && odd, in_drop: in_drop && odd })
    };
    let source = Layer::build(FnTask::new("make", make)).finish(Grid::from([10]));
    let read = FnTask::new("read", |_: Place<'_>, inputs: &mut Inputs<'_>| {
        inputs.get::<Bad>(0)?;
        Ok(Value(0_u64))
    });
    let read = Layer::build(read).input(&Port::of(source), Wiring::one_to_one(1)).finish(Grid::from([10]));
    let sum = Layer::build(Scripted::new("sum")).input(&Port::of(read), Wiring::All).finish(Grid::scalar());
    Request { port: Port::of(sum), places: Places::All }
}

#[test]
fn a_panic_in_the_size_or_the_drop_of_a_chunk_is_an_error() {
    for threads in [0, 1, 2, 8] {
        let error = run(&unfused(&[bad(true, false)]), threads, None).unwrap_err();
        assert!(error.to_string().starts_with("make panicked at chunk [7]"), "{error}");
        assert!(error.to_string().ends_with("the size panics"), "{error}");
        let error = run(&unfused(&[bad(false, true)]), threads, None).unwrap_err();
        assert!(error.to_string().starts_with("read panicked at chunk [7]"), "{error}");
        assert!(error.to_string().ends_with("the drop panics"), "{error}");
    }
    the_process_lives();
}

#[test]
fn a_panic_in_an_observer_is_an_error() {
    struct Panics;
    impl Observer for Panics {
        fn event(&self, event: Event<'_>) {
            assert!(!matches!(event, Event::TaskFinished { .. }), "the observer panics");
        }
    }
    let sum = delayed(|xs: Vec<i64>| xs.iter().sum::<i64>());
    let parts: Vec<_> = (0..8).map(|x| delayed(|x: i64| x).call(x)).collect();
    let total = sum.call(parts);
    for (name, options) in everywhere() {
        let error = total.compute_with(&options.observe(Arc::new(Panics))).unwrap_err();
        assert!(error.to_string().ends_with("the observer panics"), "{name}: {error}");
    }
    the_process_lives();
}

#[test]
fn a_panicking_measure_is_an_error() {
    struct Odd;
    impl Measure for Odd {
        fn nbytes(&self) -> usize {
            panic!("cannot be measured")
        }
    }
    let odd = delayed(|| Odd).measured().call(());
    // Two readers: read once, it would be inside a line and never measured.
    let first = delayed(|_: &Odd| 1).call(odd.clone());
    let read = delayed(|_: &Odd, one: i64| 1 + one).call((odd, first));
    for (name, options) in everywhere() {
        let error = read.compute_with(&options).unwrap_err();
        assert!(error.to_string().ends_with("cannot be measured"), "{name}: {error}");
    }
}

#[test]
fn a_task_that_meets_another_kind_of_chunk_says_which() {
    let text = Layer::build(FnTask::new("text", |_: Place<'_>, _: &mut Inputs<'_>| Ok(Value("a"))));
    let text = Port::of(text.finish(Grid::scalar()));
    let sum = Layer::build(Scripted::new("sum")).input(&text, Wiring::one_to_one(0)).finish(Grid::scalar());
    let error = run(&unfused(&[Request { port: Port::of(sum), places: Places::All }]), 0, None).unwrap_err();
    let cause = &messages(&error)[1];
    assert!(cause.starts_with("input 0 is not a musher_graph_core::value::Value<u64>"), "{cause}");
}

#[test]
fn a_graph_that_cannot_be_planned_says_why_through_its_source() {
    let one = Port::of(Layer::build(Scripted::new("one")).finish(Grid::from([1])));
    let mut lists = Lists::new();
    lists.push([3]);
    let odd = Layer::build(Forward::new("odd")).input(&one, Wiring::explicit(lists)).finish(Grid::from([1]));
    let line = line!() - 1;
    let error = musher_scheduler::plan(&[Request { port: Port::of(odd), places: Places::All }]).unwrap_err();
    let expected = [
        "the graph cannot be planned".to_owned(),
        format!("odd (built at {}:{line}:15) reads task 3 of one, which has 1", file!()),
    ];
    assert_eq!(messages(&error), expected);
}

/// A collection whose chunks cannot be put together.
struct Ungatherable(Port);

impl Collection for Ungatherable {
    type Output = ();

    fn port(&self) -> &Port {
        &self.0
    }

    fn gather(&self, chunks: Vec<ChunkRef>) -> Result<(), TaskError> {
        Err(TaskError::new(ScriptedFailure { index: chunks.len() }))
    }

    fn with_port(&self, port: Port) -> Self {
        Self(port)
    }
}

#[test]
fn an_answer_that_cannot_be_assembled_says_why_through_its_source() {
    let layer = Layer::build(Scripted::new("load")).finish(Grid::from([3]));
    let error = Ungatherable(Port::of(layer)).compute().unwrap_err();
    let expected = ["assembling the result failed", "the script says that place 3 fails"];
    assert_eq!(messages(&error), expected);
}

#[test]
fn threads_that_cannot_be_started_are_an_error() {
    let builder = rayon::ThreadPoolBuilder::new().num_threads(4);
    let source =
        match builder.spawn_handler(|_| Err(std::io::Error::from(std::io::ErrorKind::OutOfMemory))).build() {
            Err(source) => source,
            Ok(_) => panic!("no thread was started"),
        };
    let error = Error::Workers { threads: 4, source: Box::new(source) };
    assert_eq!(messages(&error)[0], "starting 4 worker threads failed");
    assert!(messages(&error).len() > 1, "with the reason");
}

#[test]
fn of_several_collections_one_failure_fails_all() {
    let good = delayed(|| 1).call(());
    let bad = delayed(|| if true { panic!("no") } else { 1 }).call(());
    assert!(compute((&good, &bad)).is_err());
    assert_eq!(compute((&good, &good)).unwrap(), (1, 1));
}

#[test]
fn errors_travel_between_threads() {
    fn travels<T: Send + Sync + 'static>() {}
    travels::<Error>();
    let _ = Options::default();
}
