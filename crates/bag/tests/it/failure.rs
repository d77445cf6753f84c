//! Failing user code: the process lives, and the message names the place.

use musher_bag::{Bag, Error};
use musher_scheduler::{CancelToken, Compute, Options};
use musher_testkit::CancelsAtStart;
use std::sync::Arc;

#[test]
fn an_error_in_a_fused_chain_names_its_own_step_and_line() {
    let numbers = Bag::from_sequence(["1", "2", "x"], 3);
    let parsed = numbers.try_map(str::parse::<i64>);
    let line = line!() - 1;
    for options in [Options::sequential(), Options::default().threads(2)] {
        let error = parsed.map(|x| x + 1).sum().compute_with(&options).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("try_map failed at chunk [2]"), "{text}");
        assert!(text.contains(&format!("failure.rs:{line}:")), "{text}");
        assert!(std::error::Error::source(&error).unwrap().to_string().contains("invalid digit"));
    }
}

#[test]
fn a_panic_becomes_an_error_and_the_next_run_works() {
    let bag = Bag::range(0..10, 5).map(|x| if x == 7 { panic!("seven is unlucky") } else { x });
    let line = line!() - 1;
    for options in [Options::sequential(), Options::default().threads(2)] {
        let error = bag.filter(|x| *x > 0).sum().compute_with(&options).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("map panicked at chunk [3]") && text.contains("seven is unlucky"), "{text}");
        assert!(text.contains(&format!("failure.rs:{line}:")), "{text}");
        assert_eq!(Bag::range(0..10, 5).sum().compute_with(&options).unwrap(), 45);
    }
}

#[test]
fn a_panic_of_each_operation_is_known_to_be_its_own() {
    let numbers = || Bag::range(0..4, 2);
    let check = |bag: Bag<i64>, operation: &str| {
        let text = bag.map(|x| x).count().compute_with(&Options::sequential()).unwrap_err().to_string();
        assert!(text.starts_with(&format!("{operation} panicked at chunk [0]")), "{text}");
    };
    check(numbers().map_ref(|_| panic!("no")), "map");
    check(numbers().filter(|_| panic!("no")), "filter");
    check(numbers().remove(|_| panic!("no")), "remove");
    check(numbers().filter_map(|_| panic!("no")), "filter_map");
    check(numbers().flat_map(|x| (0..3).map(move |y| if y == 2 { panic!("no") } else { x })), "flat_map");
    check(numbers().map_partitions(|items| [items[9]]), "map_partitions");
    check(numbers().try_map(|_| -> Result<i64, std::fmt::Error> { panic!("no") }), "try_map");
    let texts = numbers().map(|x| x.to_string());
    check(texts.split_with(|_, _| panic!("no")).map(|text| text.len() as i64), "split_with");
    check(texts.split_with(|text, emit| emit(text)).map(|_| panic!("no")), "map");
}

/// Without the hook, which would report each of them.
fn panics<T>() -> T {
    std::panic::resume_unwind(Box::new("on purpose"))
}

/// A number that panics where a user's type may: when it is cloned, hashed, compared or dropped.
#[derive(Debug)]
struct Brittle(i64, &'static str);

impl Brittle {
    fn breaks(&self, at: &str) {
        // Not while another panic unwinds.
        if self.1 == at && self.0 == 3 && !std::thread::panicking() {
            panics()
        }
    }
}

impl Clone for Brittle {
    fn clone(&self) -> Self {
        self.breaks("clone");
        Self(self.0, self.1)
    }
}

impl std::hash::Hash for Brittle {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.breaks("hash");
        self.0.hash(state);
    }
}

impl PartialEq for Brittle {
    fn eq(&self, other: &Self) -> bool {
        self.breaks("compare");
        self.0 == other.0
    }
}

impl Eq for Brittle {}

impl PartialOrd for Brittle {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Brittle {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.breaks("compare");
        self.0.cmp(&other.0)
    }
}

impl Drop for Brittle {
    fn drop(&mut self) {
        self.breaks("drop");
    }
}

/// The computation ends with a panic's error, in sequence and on two threads, and the next one works.
#[track_caller]
fn ends_with_a_panic<C: musher_graph_core::Collection>(answer: &C) {
    for options in [Options::sequential(), Options::default().threads(2)] {
        let error = answer.compute_with(&options).err().unwrap();
        let is_panic = matches!(
            error,
            musher_scheduler::Error::Panicked { .. } | musher_scheduler::Error::DropPanicked { .. }
        );
        assert!(is_panic && error.to_string().contains("on purpose"), "{error}");
        assert_eq!(Bag::range(0..10, 5).sum().compute_with(&options).unwrap(), 45);
    }
}

#[test]
fn a_panic_in_any_function_of_a_reduction_or_a_group_is_an_error() {
    let n = || Bag::range(0..40, 4);
    ends_with_a_panic(&n().fold(0, |_, _| panics(), |a: i64, b| a + b));
    ends_with_a_panic(&n().fold(0, |a, b| a + b, |_, _| panics()));
    ends_with_a_panic(&n().reduce(|_, _| panics()));
    ends_with_a_panic(&n().accumulate(|_, _| panics()));
    ends_with_a_panic(&n().any(|_| panics()));
    ends_with_a_panic(&n().all(|_| panics()));
    ends_with_a_panic(&n().topk_by_key(3, |_| panics::<i64>()));
    ends_with_a_panic(&n().topk_by(3, |_, _| panics()));
    ends_with_a_panic(&n().group_by(|_| panics::<i64>()));
    ends_with_a_panic(&n().fold_by(|_| panics::<i64>(), 0, |a, b| a + b, |a: i64, b| a + b));
    ends_with_a_panic(&n().fold_by(|x| x % 3, 0, |_, _| panics(), |a: i64, b| a + b));
    ends_with_a_panic(&n().fold_by(|x| x % 3, 0, |a, b| a + b, |_: i64, _| panics()));
    ends_with_a_panic(&n().join(&n(), |_| panics::<i64>(), |x| *x));
    ends_with_a_panic(&n().join(&n(), |x| *x, |_| panics::<i64>()));
    ends_with_a_panic(&n().shuffle_by(3, |_| panics::<i64>()));
    ends_with_a_panic(&n().group_by_into(3, |_| panics::<i64>()));
    ends_with_a_panic(&n().fold_by_into(3, |_| panics::<i64>(), 0, |a, b| a + b, |a: i64, b| a + b));
    ends_with_a_panic(&n().fold_by_into(3, |x| x % 3, 0, |_, _| panics(), |a: i64, b| a + b));
    ends_with_a_panic(&n().fold_by_into(3, |x| x % 3, 0, |a, b| a + b, |_: i64, _| panics()));
}

#[test]
fn a_panic_in_any_trait_of_a_users_type_is_an_error() {
    let brittle = |at| Bag::range(0..40, 4).map(move |x| Brittle(x % 10, at));
    ends_with_a_panic(&brittle("hash").distinct());
    ends_with_a_panic(&brittle("compare").frequencies());
    ends_with_a_panic(&brittle("hash").frequencies_into(3));
    ends_with_a_panic(&brittle("compare").distinct_into(3));
    ends_with_a_panic(&brittle("compare").topk(3));
    ends_with_a_panic(&brittle("compare").max());
    ends_with_a_panic(&brittle("clone").map_ref(Clone::clone).count());
    ends_with_a_panic(&brittle("drop").count());
    ends_with_a_panic(&brittle("drop").shuffle_by(3, |x| x.0).count());
}

#[test]
fn a_run_that_is_cancelled_inside_a_long_partition_ends_there() {
    // One partition of centuries.
    let bag = Bag::range(0..i64::MAX, 1).map(|x| x / 2).filter(|x| *x < 0);
    for options in [Options::sequential(), Options::default().threads(2)] {
        let token = CancelToken::new();
        let options = options.cancel(&token).observe(Arc::new(CancelsAtStart::new(&token)));
        let error = bag.count().compute_with(&options).unwrap_err();
        assert!(matches!(error, musher_scheduler::Error::Cancelled { finished: 0, .. }), "{error}");
    }
}

#[test]
fn bags_that_do_not_go_together_are_refused() {
    let (two, three) = (Bag::range(0..6, 2), Bag::range(0..6, 3));
    assert!(matches!(two.try_zip(&three), Err(Error::Partitions { left: 2, right: 3 })));
    let error = Bag::range(0..6, 2).zip(&Bag::range(0..5, 2)).count().compute().unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(cause, "partition 1 has 3 items in one bag and 2 in the other");
}

#[test]
fn a_sum_that_does_not_fit_is_an_error() {
    let bag = Bag::from_sequence([i64::MAX, i64::MAX, -3], 2);
    let error = bag.sum().compute().unwrap_err();
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "the sum does not fit into i64");
    assert_eq!(Bag::from_sequence([i64::MAX, 1, -1], 3).sum().compute().unwrap(), i64::MAX);
}

#[test]
fn a_function_may_fail_with_any_error_boxed_ones_included() {
    use std::error::Error as StdError;
    let numbers = Bag::from_sequence(["1", "x"], 2);
    let boxed = |text: &str| -> Result<i64, Box<dyn StdError + Send + Sync>> { Ok(text.parse()?) };
    let error = numbers.try_map(boxed).compute().unwrap_err();
    let cause = error.source().unwrap().downcast_ref::<std::num::ParseIntError>();
    assert_eq!(cause.unwrap().to_string(), "invalid digit found in string");
    let error = numbers.try_map(|text| if text == "x" { Err("no number") } else { Ok(1) }).compute();
    assert_eq!(error.unwrap_err().source().unwrap().to_string(), "no number");
}
