//! Equal work is done once; what may differ is not taken to be equal.

use musher_bag::Bag;
use musher_graph_core::Collection;

#[test]
fn equal_work_has_equal_keys() {
    let numbers = || Bag::range(0..10, 2);
    let key = |bag: &Bag<i64>| bag.port().key();
    assert_eq!(key(&numbers()), key(&numbers()));
    assert_ne!(key(&numbers()), key(&Bag::range(0..11, 2)));
    fn double(x: i64) -> i64 {
        2 * x
    }
    fn triple(x: i64) -> i64 {
        3 * x
    }
    assert_eq!(key(&numbers().map(double)), key(&numbers().map(double)));
    assert_ne!(key(&numbers().map(double)), key(&numbers().map(triple)));
    assert_eq!(numbers().sum().port().key(), numbers().sum().port().key());
    assert_ne!(numbers().var(0.0).port().key(), numbers().var(1.0).port().key());
    assert_ne!(numbers().min().port().key(), numbers().max().port().key());
    assert_ne!(key(&numbers().take(1)), key(&numbers().take(2)));
    fn last_digit(x: &i64) -> i64 {
        x % 10
    }
    fn parity(x: &i64) -> i64 {
        x % 2
    }
    assert_eq!(key(&numbers().shuffle_by(3, last_digit)), key(&numbers().shuffle_by(3, last_digit)));
    assert_ne!(key(&numbers().shuffle_by(3, last_digit)), key(&numbers().shuffle_by(3, parity)));
    assert_ne!(key(&numbers().shuffle_by(3, last_digit)), key(&numbers().shuffle_by(4, last_digit)));
    assert_eq!(numbers().frequencies_into(3).port().key(), numbers().frequencies_into(3).port().key());
    let groups = |key: fn(&i64) -> i64| numbers().group_by_into(3, key).port().key();
    assert_ne!(groups(parity), groups(parity), "a pointer to a function is a value: it may be any");
    assert_ne!(key(&numbers().random_sample(0.5, 1)), key(&numbers().random_sample(0.5, 2)));
    assert_ne!(key(&numbers().filter(|x| *x > 1)), key(&numbers().remove(|x| *x > 1)));
}

#[test]
fn a_closure_that_captures_is_like_no_other() {
    let bag = Bag::range(0..10, 2);
    let add = |y: i64| move |x: i64| x + y;
    assert_ne!(bag.map(add(1)).port().key(), bag.map(add(2)).port().key());
    assert_ne!(bag.map(add(1)).port().key(), bag.map(add(1)).port().key());
}

#[test]
fn items_that_are_there_are_like_no_others() {
    assert_ne!(Bag::from_sequence([1], 1).port().key(), Bag::from_sequence([1], 1).port().key());
}
