//! One answer from all items: equal to the standard library's for every cut, bit for bit on every scheduler.

use crate::support::{cuts, everywhere};
use musher_bag::Bag;
use musher_graph_core::{Delayed, delayed};
use musher_scheduler::Compute;

/// A few roundings of numbers of this size.
const TOLERANCE: f64 = 1e-12;

#[test]
fn integer_reductions_equal_iterators_for_every_cut() {
    for items in [&[3i64, -1, 4, -1, 5][..], &[7], &[]] {
        for bag in cuts(items, 4) {
            assert_eq!(everywhere(&bag.count()), items.len() as u64);
            assert_eq!(everywhere(&bag.sum()), items.iter().sum::<i64>());
            assert_eq!(everywhere(&bag.min()), items.iter().copied().min());
            assert_eq!(everywhere(&bag.max()), items.iter().copied().max());
            assert_eq!(everywhere(&bag.any(|x| *x == 4)), items.contains(&4));
            assert_eq!(everywhere(&bag.all(|x| *x > -2)), items.iter().all(|x| *x > -2));
            assert_eq!(
                everywhere(&bag.fold(0, |acc, x: i64| acc + x * x, |a, b| a + b)),
                items.iter().map(|x| x * x).sum::<i64>()
            );
            assert_eq!(everywhere(&bag.reduce(|a, b| a.max(b))), items.iter().copied().max());
        }
    }
}

/// A chain of partitions up to 64, a tree beyond; joining keeps the order, and partitions may be empty.
#[test]
fn running_totals_equal_a_loop_for_every_cut() {
    let letters: Vec<String> = (0..150).map(|i| char::from(b'a' + i % 26).to_string()).collect();
    let mut whole = String::new();
    let expected: Vec<String> = letters
        .iter()
        .map(|letter| {
            whole += letter;
            whole.clone()
        })
        .collect();
    for partitions in [1, 2, 7, 64, 65, 150] {
        let bag = Bag::from_sequence(letters.clone(), partitions);
        assert_eq!(everywhere(&bag.accumulate(|a, b| a + &b)), expected, "{partitions} partitions");
        let some = bag.filter(|letter| *letter != "b").map(|letter| letter.to_uppercase());
        let last = some.accumulate(|a, b| a + &b).compute().unwrap().pop().unwrap();
        assert_eq!(last, whole.replace('b', "").to_uppercase());
        // What reads the totals and the items at once.
        let pairs = bag.zip(&bag.accumulate(|a, b| a + &b)).compute().unwrap();
        assert!(pairs.iter().all(|(letter, total)| total.ends_with(letter.as_str())));
    }
    let nothing = Bag::from_sequence(Vec::<String>::new(), 3);
    assert_eq!(everywhere(&nothing.accumulate(|a, b| a + &b)), Vec::<String>::new());
}

#[test]
fn folds_keep_the_order() {
    let letters: Vec<String> = ('a'..='z').map(String::from).collect();
    for parts in 1..30 {
        let bag = Bag::from_sequence(letters.clone(), parts);
        let all = "abcdefghijklmnopqrstuvwxyz";
        assert_eq!(everywhere(&bag.reduce(|a, b| a + &b)).unwrap(), all);
        assert_eq!(
            everywhere(&bag.fold(String::new(), |acc, letter: String| acc + &letter, |a, b| a + &b)),
            all
        );
    }
}

#[test]
fn moments_equal_their_definition() {
    let items: Vec<f64> = (0..200).map(|i| f64::from(i * i % 37) / 7.0 + 1e6).collect();
    let n = items.len() as f64;
    let mean = items.iter().sum::<f64>() / n;
    let squares = items.iter().map(|x| (x - mean).powi(2)).sum::<f64>();
    for parts in [1, 2, 7, 64, 199, 300] {
        let bag = Bag::from_sequence(items.clone(), parts);
        assert!((everywhere(&bag.mean()).unwrap() / mean - 1.0).abs() < TOLERANCE);
        for ddof in [0.0, 1.0, 2.5] {
            let expected = squares / (n - ddof);
            assert!((everywhere(&bag.var(ddof)).unwrap() / expected - 1.0).abs() < 1e-8);
            assert!((everywhere(&bag.std(ddof)).unwrap() / expected.sqrt() - 1.0).abs() < 1e-8);
        }
    }
    let nothing = Bag::<f64>::from_sequence([], 3);
    assert_eq!(everywhere(&nothing.mean()), None);
    assert_eq!(everywhere(&nothing.var(0.0)), None);
    assert_eq!(everywhere(&Bag::from_sequence([1.0], 3).std(1.0)), None);
}

#[test]
fn a_variance_has_as_many_degrees_of_freedom_as_are_left() {
    let bag = Bag::from_sequence([5.0, 6.0], 2);
    assert_eq!(everywhere(&bag.var(1.5)), Some(1.0));
    for ddof in [2.0, 3.0, f64::INFINITY] {
        assert_eq!((everywhere(&bag.var(ddof)), everywhere(&bag.std(ddof))), (None, None), "{ddof}");
    }
    for ddof in [-1.0, f64::NAN, f64::NEG_INFINITY] {
        let refused = std::panic::catch_unwind(|| Bag::from_sequence([5.0, 6.0], 2).var(ddof));
        let panic = refused.unwrap_err();
        assert!(panic.downcast_ref::<String>().unwrap().starts_with("var: ddof is "), "{ddof}");
    }
}

fn as_text<T: std::fmt::Debug + Clone + Send + Sync + 'static>(value: &Delayed<T>) -> Delayed<String> {
    delayed(|value: &T| format!("{value:?}")).call(value)
}

#[test]
fn nan_is_the_extreme_and_the_sum_wherever_it_stands() {
    for items in [[f64::NAN, 1.0, 2.0], [1.0, f64::NAN, 2.0], [1.0, 2.0, f64::NAN]] {
        for bag in cuts(&items, 3) {
            // As text, because NaN is not equal to itself.
            assert_eq!(everywhere(&as_text(&bag.min())), "Some(NaN)");
            assert_eq!(everywhere(&as_text(&bag.max())), "Some(NaN)");
            assert_eq!(everywhere(&as_text(&bag.sum())), "NaN");
        }
    }
}

#[test]
fn an_infinity_is_the_mean_wherever_it_stands() {
    for items in [[f64::INFINITY, 1.0, 2.0], [1.0, f64::INFINITY, 2.0], [1.0, 2.0, f64::INFINITY]] {
        for bag in cuts(&items, 4) {
            assert_eq!(everywhere(&bag.mean()), Some(f64::INFINITY), "{items:?}");
            assert_eq!(everywhere(&as_text(&bag.var(0.0))), "Some(NaN)", "{items:?}");
        }
    }
    for bag in cuts(&[1e308, -1e308], 2) {
        assert_eq!((everywhere(&bag.mean()), everywhere(&bag.std(1.0))), (Some(0.0), Some(f64::INFINITY)));
    }
}

#[test]
fn float_sums_carry_their_errors_across_partitions() {
    for bag in cuts(&[1e100, 1.0, -1e100, 1.0], 4) {
        assert_eq!(everywhere(&bag.sum()), 2.0);
    }
}
