//! Planning as a whole: linear in inputs as well as in tasks, and given up when somebody says so.

use std::cell::Cell;

use musher_graph_core::{
    Collection, Error, FnTask, Grid, Inputs, Layer, Place, Plan, Port, Value, Wiring, delayed,
};

use crate::support::{all, sum};

/// A source of two tasks, unlike those of other numbers.
fn numbered(number: u64) -> Port {
    let task = FnTask::new("source", |at: Place<'_>, _: &mut Inputs<'_>| Ok(Value(at.index() as u64)));
    Port::of(Layer::build(task.params("test.numbered/1", &number)).finish(Grid::from([2])))
}

#[test]
fn one_call_may_read_twenty_thousand_values() {
    // Passes that looked at all pairs of inputs, or all triples, would take minutes.
    fn total(values: Vec<u64>) -> u64 {
        values.iter().sum()
    }
    let n = 20_000;
    let mut values: Vec<_> = (0..n).map(|x| delayed(|x: u64| 2 * x).call(x)).collect();
    // Half of them are read twice.
    values.extend_from_within(..n as usize / 2);
    let sum = delayed(total).call(values);
    let plan = Plan::of(&[sum.request()], &|| true).unwrap();
    assert_eq!((plan.tasks().n_tasks(), plan.tasks().n_edges()), (20_001, 30_000));
}

#[test]
fn a_layer_of_two_tasks_may_read_ten_thousand_others() {
    let sources: Vec<Port> = (0..10_000).map(|n: u64| numbered(n)).collect();
    let own = Wiring::one_to_one(1);
    let readers = ["one", "two"].map(|label| {
        let inputs: Vec<_> = sources.iter().chain(&sources).map(|port| (port, own.clone())).collect();
        sum(label, &inputs, &[2])
    });
    let total = sum("total", &[(&readers[0], Wiring::All), (&readers[1], Wiring::All)], &[]);
    let plan = Plan::of(&[all(&total)], &|| true).unwrap();
    assert_eq!((plan.tasks().n_tasks(), plan.tasks().n_edges()), (20_005, 80_004));
}

#[test]
fn planning_is_given_up_at_whatever_point_it_is_asked() {
    let n = 2_000;
    let values: Vec<_> = (0..n).map(|x| delayed(|x: u64| vec![x; 3]).call(x)).collect();
    let sizes: Vec<_> =
        values.iter().map(|value| delayed(|value: &Vec<u64>| value.len()).call(value)).collect();
    let requests: Vec<_> = sizes.iter().chain(&sizes).map(Collection::request).collect();
    let asked = Cell::new(0);
    let count = || {
        asked.set(asked.get() + 1);
        true
    };
    Plan::of(&requests, &count).unwrap();
    let n_questions = asked.get();
    assert!(n_questions >= 5 * n as usize / 256, "it is asked {n_questions} times");
    for most in 0..n_questions {
        let left = Cell::new(most);
        let go_on = || left.replace(left.get().saturating_sub(1)) > 0;
        assert!(matches!(Plan::of(&requests, &go_on), Err(Error::GivenUp)), "after {most} of {n_questions}");
    }
}
