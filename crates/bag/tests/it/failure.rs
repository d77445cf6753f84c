//! Failing user code: the process lives, and the message names the place.

use musher_bag::{Bag, Error};
use musher_scheduler::{Compute, Options};

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
