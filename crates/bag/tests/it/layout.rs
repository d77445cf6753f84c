//! The same items in other partitions.

use crate::support::{cuts, everywhere};
use musher_bag::Bag;
use musher_graph_core::{Delayed, delayed};

#[test]
fn repartitioned_items_keep_their_order() {
    let items: Vec<i32> = (0..7).collect();
    for bag in cuts(&items, 3) {
        for parts in 0..9 {
            let other = bag.repartition(parts);
            assert_eq!(other.n_partitions(), parts.max(1));
            assert_eq!(everywhere(&other), items);
            assert_eq!(everywhere(&bag.map(|x| x + 1).repartition(parts).map(|x| x - 1)), items);
        }
    }
}

#[test]
fn the_first_items_are_taken_across_partitions() {
    let items: Vec<i32> = (0..7).collect();
    for bag in cuts(&items, 4) {
        for n in 0..9 {
            let expected = &items[..n.min(7)];
            assert_eq!(everywhere(&bag.take(n)), expected);
            assert_eq!(bag.map(|x| x).head(n).unwrap(), expected);
        }
    }
}

#[test]
fn selected_partitions_are_those_of_the_whole() {
    let bag = Bag::range(0..20, 10);
    for start in 0..10 {
        for end in start + 1..=10 {
            let expected: Vec<i64> = (2 * start as i64..2 * end as i64).collect();
            assert_eq!(everywhere(&bag.map(|x| x).partitions(start..end)), expected);
            let again = bag.partitions(start..10).map(|x| x).partitions(0..end - start);
            assert_eq!(everywhere(&again), expected);
        }
    }
}

#[test]
#[should_panic(expected = "partitions 1..4 of a bag that has 3")]
fn a_selection_beyond_the_end_is_refused_when_built() {
    let _ = Bag::range(0..3, 3).partitions(1..4);
}

#[test]
fn delayed_partitions_go_out_and_come_back() {
    let bag = Bag::from_sequence(0..10, 4);
    let parts: Vec<Delayed<Vec<i32>>> = bag.map(|x| x * x).to_delayed();
    assert_eq!(everywhere(&parts[1]), [9, 16, 25]);
    assert_eq!(everywhere(&Bag::from_delayed(parts)), (0..10).map(|x| x * x).collect::<Vec<_>>());
    let measured = delayed(|| vec![1u64, 2]).measured().call(());
    assert_eq!(everywhere(&Bag::from_delayed([measured, Delayed::ready(vec![3])])), [1, 2, 3]);
    assert!(everywhere(&Bag::<u8>::from_delayed([])).is_empty());
}

#[test]
fn concatenated_bags_keep_their_partitions() {
    let both = Bag::concat(&[Bag::range(0..3, 2), Bag::range(7..7, 1), Bag::range(5..9, 3).map(|x| -x)]);
    assert_eq!(both.n_partitions(), 6);
    assert_eq!(everywhere(&both), [0, 1, 2, -5, -6, -7, -8]);
    assert_eq!(everywhere(&both.sum()), -23);
    assert!(everywhere(&Bag::<i64>::concat(&[])).is_empty());
    assert_eq!(everywhere(&both.measured()), everywhere(&both));
}
