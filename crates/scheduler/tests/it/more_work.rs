//! Continuations: tasks that end with more work, whose results are their outputs.

use std::borrow::Cow;
use std::sync::Arc;

use musher_graph_core::{
    Delayed, Facts, Grid, Inputs, Layer, Output, Place, Places, Port, Request, Task, TaskError, Value,
    Wiring, delayed, iterate, ready,
};
use musher_scheduler::{Compute, Error, Options, Run};
use musher_testkit::{Random, Trace};

use crate::support::{execute, unfused};

/// Counts down: gives its input, or more work on its input less one.
#[derive(Debug, Clone, Copy)]
struct CountDown {
    fails_at: Option<u64>,
}

impl Task for CountDown {
    fn label(&self) -> Cow<'_, str> {
        "count_down".into()
    }

    fn run(&self, _at: Place<'_>, inputs: Inputs<'_>) -> Result<Output, TaskError> {
        let Value(n) = *inputs.get::<Value<u64>>(0)?;
        if self.fails_at == Some(n) {
            return Err(TaskError::new(std::io::Error::other("on purpose")));
        }
        if n == 0 {
            return Ok(Output::one(Value(0_u64)));
        }
        Ok(Output::more([self.of(n - 1)]))
    }

    fn continues(&self) -> bool {
        true
    }

    fn facts(&self, _at: Place<'_>, _inputs: &[Option<u64>]) -> Facts {
        Facts::bytes(8)
    }
}

impl CountDown {
    fn of(self, n: u64) -> Request {
        let layer = Layer::build(self).input(&Port::of(ready(Value(n))), Wiring::axes([]));
        Request { port: Port::of(layer.finish(Grid::scalar())), places: Places::All }
    }
}

fn number(chunks: &[musher_graph_core::ChunkRef]) -> u64 {
    chunks[0].downcast_ref::<Value<u64>>().unwrap().0
}

#[test]
fn a_loop_of_a_hundred_thousand_rounds_needs_the_room_of_one() {
    for threads in [0, 2] {
        let plan = unfused(&[CountDown { fails_at: None }.of(100_000)]);
        let mut run = Run::new(plan);
        // Each round's plan has tables of its own: a thousand at once would not fit.
        run.memory_limit = Some(50_000.into());
        assert_eq!(number(&execute(&run, threads).unwrap()), 0);
    }
}

#[test]
fn a_failure_in_further_work_is_the_run_s_failure() {
    for threads in [0, 1, 3] {
        let plan = unfused(&[CountDown { fails_at: Some(7) }.of(30)]);
        let error = execute(&Run::new(plan), threads).unwrap_err();
        assert!(error.to_string().starts_with("count_down failed"), "{error}");
    }
}

/// The sum of the Fibonacci tree below a number, each level made by the tasks of the level above.
#[derive(Debug, Clone, Copy)]
struct Fibonacci;

impl Task for Fibonacci {
    fn label(&self) -> Cow<'_, str> {
        "fibonacci".into()
    }

    fn run(&self, _at: Place<'_>, inputs: Inputs<'_>) -> Result<Output, TaskError> {
        let Value(n) = *inputs.get::<Value<u64>>(0)?;
        if n < 2 {
            return Ok(Output::one(Value(n)));
        }
        let half = |n| {
            let layer = Layer::build(Self).input(&Port::of(ready(Value(n))), Wiring::axes([]));
            Port::of(layer.finish(Grid::scalar()))
        };
        let sum =
            Layer::build(Sum).input(&half(n - 1), Wiring::axes([])).input(&half(n - 2), Wiring::axes([]));
        Ok(Output::more([Request { port: Port::of(sum.finish(Grid::scalar())), places: Places::All }]))
    }

    fn continues(&self) -> bool {
        true
    }
}

struct Sum;

impl Task for Sum {
    fn label(&self) -> Cow<'_, str> {
        "sum".into()
    }

    fn run(&self, _at: Place<'_>, inputs: Inputs<'_>) -> Result<Output, TaskError> {
        let terms = (0..inputs.len()).map(|index| Ok(inputs.get::<Value<u64>>(index)?.0));
        Ok(Output::one(Value(terms.sum::<Result<u64, TaskError>>()?)))
    }
}

#[test]
fn work_that_makes_work_that_makes_work() {
    for threads in [0, 1, 2, 8] {
        let layer = Layer::build(Fibonacci).input(&Port::of(ready(Value(15_u64))), Wiring::axes([]));
        let request = Request { port: Port::of(layer.finish(Grid::scalar())), places: Places::All };
        let trace = Arc::new(Trace::default());
        let mut run = Run::new(unfused(&[request]));
        run.observers = vec![trace.clone()];
        assert_eq!(number(&execute(&run, threads).unwrap()), 610);
        assert!(trace.count("continue with") > 900);
        assert_eq!(trace.count("start"), trace.count("finish"));
    }
}

/// Has two outputs, which further work makes from the other's side.
struct Swap;

impl Task for Swap {
    fn label(&self) -> Cow<'_, str> {
        "swap".into()
    }

    fn n_outputs(&self) -> usize {
        2
    }

    fn run(&self, at: Place<'_>, _inputs: Inputs<'_>) -> Result<Output, TaskError> {
        let value = |n: u64| Request { port: Port::of(ready(Value(n))), places: Places::All };
        Ok(Output::more([value(2 * at.index() as u64 + 1), value(2 * at.index() as u64)]))
    }

    fn continues(&self) -> bool {
        true
    }
}

#[test]
fn further_work_makes_all_outputs_in_order() {
    for threads in [0, 2, 4] {
        let layer = Layer::build(Swap).finish(Grid::from([50]));
        let request = |output| Request { port: Port { layer: layer.clone(), output }, places: Places::All };
        let plan = unfused(&[request(0), request(1)]);
        let chunks = execute(&Run::new(plan), threads).unwrap();
        let numbers: Vec<u64> =
            chunks.iter().map(|chunk| chunk.downcast_ref::<Value<u64>>().unwrap().0).collect();
        let odd = (0..50).map(|n| 2 * n + 1);
        assert_eq!(numbers, odd.chain((0..50).map(|n| 2 * n)).collect::<Vec<_>>());
    }
}

#[test]
fn further_work_of_another_width_is_an_error() {
    struct TooMuch;
    impl Task for TooMuch {
        fn label(&self) -> Cow<'_, str> {
            "too_much".into()
        }
        fn run(&self, _at: Place<'_>, _inputs: Inputs<'_>) -> Result<Output, TaskError> {
            let value = || Request { port: Port::of(ready(Value(1))), places: Places::All };
            Ok(Output::more([value(), value()]))
        }
        fn continues(&self) -> bool {
            true
        }
    }
    let layer = Layer::build(TooMuch).finish(Grid::scalar());
    let plan = unfused(&[Request { port: Port::of(layer), places: Places::All }]);
    let error = execute(&Run::new(plan), 0).unwrap_err();
    let Error::Task(failure) = error else { panic!("{error}") };
    assert_eq!(failure.cause().to_string(), "2 outputs were made, 1 were said");
}

#[test]
fn random_trees_of_further_work_end_below_a_limit() {
    let mut random = Random::new(77);
    for _ in 0..50 {
        let n = 5 + random.below(8) as u64;
        let layer = Layer::build(Fibonacci).input(&Port::of(ready(Value(n))), Wiring::axes([]));
        let request = Request { port: Port::of(layer.finish(Grid::scalar())), places: Places::All };
        let mut run = Run::new(unfused(&[request]));
        run.memory_limit = Some((200_000 + random.below(100_000) as u64).into());
        let (mut a, mut b) = (0, 1);
        (0..n).for_each(|_| (a, b) = (b, a + b));
        assert_eq!(number(&execute(&run, random.below(5)).unwrap()), a);
    }
}

#[test]
fn a_loop_ends_when_its_value_will_do() {
    fn newton(x: f64) -> f64 {
        (x + 2.0 / x) / 2.0
    }
    for options in [Options::sequential(), Options::default().threads(2)] {
        let root = iterate(
            &Delayed::ready(1.0),
            |x| delayed(newton).call(x),
            |x, rounds| (x * x - 2.0).abs() < 1e-12 || rounds == 100,
        );
        assert!((root.compute_with(&options).unwrap() - 2.0_f64.sqrt()).abs() < 1e-12);
        // The result is a value like any other.
        let doubled = delayed(|x: f64| 2.0 * x).call(&root);
        assert!(doubled.compute_with(&options).unwrap() > 2.8);
        let none =
            iterate(&Delayed::ready(5), |_| unreachable!("it will do as it is"), |_, rounds| rounds == 0);
        assert_eq!(none.compute_with(&options).unwrap(), 5);
    }
}

#[test]
fn a_call_gives_back_work_chosen_by_data() {
    fn halve(x: u64) -> u64 {
        x / 2
    }
    fn collatz(x: u64) -> Delayed<u64> {
        match x {
            1 => Delayed::ready(0),
            x if x % 2 == 0 => delayed(steps).call(delayed(collatz).continued().call(delayed(halve).call(x))),
            x => delayed(steps).call(delayed(collatz).continued().call(3 * x + 1)),
        }
    }
    fn steps(rest: u64) -> u64 {
        rest + 1
    }
    for options in [Options::sequential(), Options::default().threads(3)] {
        assert_eq!(delayed(collatz).continued().call(27).compute_with(&options).unwrap(), 111);
    }
}
