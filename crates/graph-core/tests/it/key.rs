//! Keys: equal work has equal keys, different work has not, in one process and across two.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use musher_graph_core::{
    Chunk, Collection, Delayed, FnTask, Graph, Grid, Held, Identity, Inputs, Key, Layer, Place, Places, Port,
    Reach, Token, Tokenizer, Value, Wiring, delayed, opaque, ready,
};
use musher_testkit::again;

#[test]
fn maps_and_sets_are_free_of_order() {
    let pairs = [("a", 1), ("b", 2), ("c", 3)];
    let forward: HashMap<_, _> = pairs.into_iter().collect();
    let backward: HashMap<_, _> = pairs.into_iter().rev().collect();
    let sorted: BTreeMap<_, _> = pairs.into_iter().collect();
    assert_eq!(Key::of(&forward), Key::of(&backward));
    assert_eq!(Key::of(&forward), Key::of(&sorted));
    assert_ne!(Key::of(&forward), Key::of(&HashMap::from([("a", 2), ("b", 1), ("c", 3)])));
    let (set, other) = (HashSet::from([1, 2, 3]), BTreeSet::from([3, 1, 2]));
    assert_eq!(Key::of(&set), Key::of(&other));
    assert_ne!(Key::of(&set), Key::of(&HashSet::from([1, 2])));
}

#[test]
fn floats_enter_by_their_bits() {
    assert_ne!(Key::of(&0.0), Key::of(&-0.0));
    assert_eq!(Key::of(&f64::NAN), Key::of(&f64::NAN));
    assert_ne!(Key::of(&f64::NAN), Key::of(&-f64::NAN));
    assert_ne!(Key::of(&1.0), Key::of(&(1.0 + f64::EPSILON)));
}

#[test]
fn pieces_do_not_run_into_each_other() {
    assert_ne!(Key::of(&("ab", "c")), Key::of(&("a", "bc")));
    assert_ne!(Key::of(&(vec![1, 2], vec![3])), Key::of(&(vec![1], vec![2, 3])));
    assert_ne!(Key::of(&(vec![0_u8; 0], 1_u8)), Key::of(&(vec![1_u8], 0_u8)));
    assert_ne!(Key::of(&Some(0_u8)), Key::of(&None::<u8>));
    assert_ne!(Key::of(&"x".repeat(600)), Key::of(&"x".repeat(601)));
    assert_ne!(Key::of(&"x".repeat(512)), Key::of(&format!("{}y", "x".repeat(511))));
    assert_ne!(Key::of(&[[1, 2], [3, 4]]), Key::of(&[1, 2, 3, 4]));
}

#[test]
fn borrowed_and_owned_values_are_equal() {
    assert_eq!(Key::of("text"), Key::of(&"text".to_string()));
    assert_eq!(Key::of(&[1, 2, 3]), Key::of(&vec![1, 2, 3]));
    assert_eq!(Key::of(&Box::new(5)), Key::of(&5));
    assert_eq!(Key::of(&std::sync::Arc::new(5)), Key::of(&&5));
}

#[test]
fn what_holds_in_this_process_only_says_so_also_from_within() {
    let bound = |value: &dyn Token| {
        let mut tokenizer = Tokenizer::new();
        value.token(&mut tokenizer);
        tokenizer.reach() > Reach::Anywhere
    };
    struct Fresh;
    impl Token for Fresh {
        fn token(&self, tokenizer: &mut Tokenizer) {
            tokenizer.fresh();
        }
    }
    assert!(!bound(&(1, "a", vec![2.0])));
    assert!(bound(&Fresh));
    assert!(bound(&vec![Fresh]));
    assert!(bound(&HashMap::from([(1, Fresh)])));
    assert_ne!(Key::of(&Fresh), Key::of(&Fresh));
}

fn increment(x: i64) -> i64 {
    x + 1
}

fn decrement(x: i64) -> i64 {
    x - 1
}

fn key<T: Clone + Send + Sync + 'static>(delayed: &Delayed<T>) -> Key {
    delayed.port().key()
}

#[test]
fn equal_calls_of_plain_functions_are_equal_work() {
    let one = delayed(increment).call(1);
    assert_eq!(key(&one), key(&delayed(increment).call(1)));
    assert_ne!(key(&one), key(&delayed(increment).call(2)));
    assert_ne!(key(&one), key(&delayed(decrement).call(1)));
    assert_eq!(key(&delayed(increment).call(&one)), key(&delayed(increment).call(one.clone())));
    assert_ne!(key(&delayed(increment).call(&one)), key(&one));
    let double = |_: ()| delayed(|x: i64| 2 * x).call(3);
    assert_eq!(key(&double(())), key(&double(())), "one closure without captures, two calls");
}

#[test]
fn a_million_calls_in_a_loop_are_one_task() {
    let calls: Vec<_> = (0..1000).map(|_| delayed(increment).call(1)).collect();
    let requests: Vec<_> = calls.iter().map(Collection::request).collect();
    assert_eq!(Graph::collect(&requests).unwrap().n_tasks(), 1);
}

#[test]
fn capturing_closures_are_fresh_unless_a_token_says_what_they_capture() {
    let times = |factor: i64| delayed(move |x: i64| factor * x);
    assert_ne!(key(&times(2).call(3)), key(&times(2).call(3)));
    let named = |factor: i64| times(factor).token(&factor).call(3);
    assert_eq!(key(&named(2)), key(&named(2)));
    assert_ne!(key(&named(2)), key(&named(3)));
    assert_eq!(
        named(2).port().layer.reach(),
        Reach::Program,
        "the closure's type holds in this program only"
    );
}

#[test]
fn function_pointers_are_fresh_because_their_type_does_not_say_which() {
    let call = |function: fn(i64) -> i64| delayed(function).call(1);
    assert_ne!(key(&call(increment)), key(&call(decrement)));
    assert_ne!(key(&call(increment)), key(&call(increment)));
}

#[test]
fn impure_calls_and_opaque_values_are_never_merged() {
    let impure = || delayed(increment).impure().call(1);
    assert_ne!(key(&impure()), key(&impure()));
    let score = |model: musher_graph_core::Opaque<i64>| delayed(increment).call(model);
    assert_ne!(key(&score(opaque(1))), key(&score(opaque(1))));
    let model = opaque(1);
    assert_eq!(key(&score(model.clone())), key(&score(model)));
    assert_ne!(key(&Delayed::ready(1)), key(&Delayed::ready(1)));
}

#[test]
fn grid_wiring_output_and_producer_enter_the_key() {
    let task = || FnTask::new("t", |_: Place<'_>, _: &mut Inputs<'_>| Ok(Value(0))).named("test.t/1");
    let (a, b) = (ready(Value(1)), ready(Value(2)));
    let layer = |port: &Port, wiring: Wiring, n: usize| {
        Layer::build(task()).input(port, wiring).finish(Grid::from([n])).key()
    };
    let base = layer(&Port::of(a.clone()), Wiring::axes([]), 2);
    assert_eq!(base, layer(&Port::of(a.clone()), Wiring::axes([]), 2));
    assert_ne!(base, layer(&Port::of(a.clone()), Wiring::axes([]), 3));
    assert_ne!(base, layer(&Port::of(a.clone()), Wiring::All, 2));
    assert_ne!(base, layer(&Port::of(b), Wiring::axes([]), 2));
    assert_ne!(base, layer(&Port { layer: a, output: 1 }, Wiring::axes([]), 2));
}

#[test]
fn computed_chunks_are_equal_where_work_and_places_are() {
    let port = Port::of(ready(Value(1)));
    let chunks = || vec![std::sync::Arc::new(Value(1)) as std::sync::Arc<dyn Chunk>];
    let held =
        |places: &Places| Layer::build(Held::computed(&port, places, chunks())).finish(Grid::from([1])).key();
    let some = |index: u32| Places::Some([index].into());
    assert_eq!(held(&Places::All), held(&Places::All));
    assert_eq!(held(&some(0)), held(&some(0)));
    assert_ne!(held(&some(0)), held(&some(1)), "other places hold other chunks");
    assert_ne!(held(&some(0)), held(&Places::All));
    let layer = Layer::build(Held::computed(&port, &Places::All, chunks())).finish(Grid::from([1]));
    assert_eq!(layer.reach(), Reach::Run, "as the ready value is");
}

#[test]
fn fresh_identities_differ() {
    assert_ne!(Identity::fresh(), Identity::fresh());
}

/// A program of tasks that are named: nothing in it stands on this process.
fn program() -> Layer {
    let load = |seed: u64| {
        let task = FnTask::new("load", move |_: Place<'_>, _: &mut Inputs<'_>| Ok(Value(seed)));
        Layer::build(task.params("test.load/1", &seed)).finish(Grid::from([4, 4]))
    };
    let options: HashMap<String, f64> =
        (0..20).map(|i| (format!("option {i}"), f64::from(i) / 3.0)).collect();
    let add = FnTask::new("add", |_: Place<'_>, _: &mut Inputs<'_>| Ok(Value(0_u64)));
    let sum = Layer::build(add.params("test.add/2", &options))
        .input(&Port::of(load(1)), Wiring::one_to_one(2))
        .input(&Port::of(load(2)), Wiring::neighbors(&[1, 0], true))
        .finish(Grid::from([4, 4]));
    Layer::build(FnTask::new("all", |_: Place<'_>, _: &mut Inputs<'_>| Ok(Value(0_u64))).named("test.all/1"))
        .input(&Port::of(sum), Wiring::All)
        .finish(Grid::from([3]))
}

/// Set in the second process, which prints its key instead of starting a third.
const SECOND: &str = "SECOND_PROCESS_OF_A_TEST";

#[test]
fn building_twice_in_two_processes_gives_equal_keys() {
    // Other work first in one of them: the count of fresh identities does not enter.
    let here = program();
    if std::env::var_os(SECOND).is_some() {
        println!("key={:032x}", here.key().to_bits());
        return;
    }
    let _ = (Identity::fresh(), Identity::fresh());
    assert_eq!(program().key(), here.key());
    assert_eq!(here.reach(), Reach::Anywhere);
    let name = "key::building_twice_in_two_processes_gives_equal_keys";
    let second = again(name).arg("--test-threads=1").env(SECOND, "1").output();
    let printed = String::from_utf8(second.unwrap().stdout).unwrap();
    let there = printed.lines().find_map(|line| line.split_once("key=")).map(|(_, key)| key.trim());
    assert_eq!(there, Some(format!("{:032x}", here.key().to_bits()).as_str()), "{printed}");
}

#[test]
fn what_stands_on_a_type_is_bound_to_the_program_on_an_identity_to_the_run_and_so_is_what_reads_it() {
    let reads = |port: &Port| {
        let task = FnTask::new("t", |_: Place<'_>, _: &mut Inputs<'_>| Ok(Value(0))).named("test.t/1");
        Layer::build(task).input(port, Wiring::axes([])).finish(Grid::from([2])).reach()
    };
    assert_eq!(program().reach(), Reach::Anywhere);
    assert_eq!(reads(delayed(increment).call(1).port()), Reach::Program);
    assert_eq!(reads(&Port::of(ready(Value(1)))), Reach::Run);
    let closure = FnTask::new("c", |_: Place<'_>, _: &mut Inputs<'_>| Ok(Value(0)));
    assert_eq!(Layer::build(closure).finish(Grid::scalar()).reach(), Reach::Program);
}
