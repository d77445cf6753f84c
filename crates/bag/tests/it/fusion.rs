//! Chains of operations are one pass over each partition, and store nothing between.

use crate::support::{Counter, everywhere, layers, unfused};
use musher_bag::Bag;
use musher_scheduler::{Compute, compute};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

#[test]
fn a_chain_is_one_layer_named_by_its_steps() {
    let chain = Bag::range(0..100, 4).map(|x| x + 1).filter(|x| x % 2 == 0).flat_map(|x| [x, x]);
    assert_eq!(layers(&chain), ["range → map → filter → flat_map"]);
    assert_eq!(layers(&chain.sum()), ["range → map → filter → flat_map → sum", "sum"]);
    let expected: Vec<i64> = (1..=100).filter(|x| x % 2 == 0).flat_map(|x| [x, x]).collect();
    assert_eq!(everywhere(&chain), expected);
}

#[test]
fn items_flow_one_by_one_through_all_steps() {
    // Each step writes down what it sees: stored partitions would give a1 a2 a3 b1 b2 b3.
    let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
    let (first, second) = (Arc::clone(&seen), Arc::clone(&seen));
    let chain = Bag::from_sequence(1..=3, 1)
        .map(move |x: i32| {
            first.lock().unwrap().push(format!("a{x}"));
            x
        })
        .map(move |x| {
            second.lock().unwrap().push(format!("b{x}"));
            x
        });
    chain.compute().unwrap();
    assert_eq!(*seen.lock().unwrap(), ["a1", "b1", "a2", "b2", "a3", "b3"]);
    seen.lock().unwrap().clear();
    unfused(&chain);
    assert_eq!(*seen.lock().unwrap(), ["a1", "a2", "a3", "b1", "b2", "b3"]);
}

fn counting(counter: &Counter) -> impl Fn(i64) -> i64 + Send + Sync + 'static {
    let counter = Arc::clone(counter);
    move |x| {
        counter.fetch_add(1, Ordering::Relaxed);
        x
    }
}

#[test]
fn what_stops_early_makes_no_further_items() {
    let made: Counter = Arc::new(AtomicUsize::new(0));
    let numbers = Bag::range(0..1_000_000, 10).map(counting(&made));
    assert_eq!(numbers.head(3).unwrap(), [0, 1, 2]);
    assert_eq!(made.swap(0, Ordering::Relaxed), 3);
    assert!(numbers.any(|x| *x >= 0).compute().unwrap());
    assert_eq!(made.swap(0, Ordering::Relaxed), 10, "one for each partition");
    assert_eq!(numbers.take(2).compute().unwrap(), [0, 1]);
    assert_eq!(made.swap(0, Ordering::Relaxed), 20, "two for each partition");
}

#[test]
fn siblings_draw_their_common_items_once() {
    let made: Counter = Arc::new(AtomicUsize::new(0));
    let numbers = Bag::range(0..1_000, 5).map(counting(&made));
    let (sum, count, largest) = (numbers.sum(), numbers.count(), numbers.max());
    assert_eq!(compute((&sum, &count, &largest)).unwrap(), (499_500, 1_000, Some(999)));
    assert_eq!(made.load(Ordering::Relaxed), 1_000);
}

#[test]
fn a_partition_that_is_read_twice_is_not_moved_out_of() {
    let texts = Bag::from_sequence(["a", "b", "c"].map(str::to_owned), 2).map(|text| text + "!");
    let (upper, twice) = (texts.map(|text| text.to_uppercase()), texts.map(|text| text.clone() + &text));
    let (upper, twice, texts) = compute((&upper, &twice, &texts)).unwrap();
    assert_eq!(texts, ["a!", "b!", "c!"]);
    assert_eq!(upper, ["A!", "B!", "C!"]);
    assert_eq!(twice, ["a!a!", "b!b!", "c!c!"]);
}

#[test]
fn a_persisted_bag_is_read_again_and_again() {
    let made: Counter = Arc::new(AtomicUsize::new(0));
    let held = Bag::range(0..100, 3).map(counting(&made)).persist().unwrap();
    assert_eq!(held.map(|x| x * 2).sum().compute().unwrap(), 9_900);
    assert_eq!(held.compute().unwrap().len(), 100);
    assert_eq!(held.count().compute().unwrap(), 100);
    assert_eq!(made.load(Ordering::Relaxed), 100);
}
