//! Equal items, equal keys, greatest items, joined bags.

use crate::support::{cuts, everywhere};
use musher_bag::Bag;

const WORDS: [&str; 6] = ["b", "a", "b", "c", "a", "b"];

#[test]
fn groups_stand_in_the_order_of_first_appearance_for_every_cut() {
    for bag in cuts(&WORDS, 4) {
        assert_eq!(everywhere(&bag.frequencies()), [("b", 3), ("a", 2), ("c", 1)]);
        assert_eq!(everywhere(&bag.distinct()), ["b", "a", "c"]);
        let lengths = bag.fold_by(|word| *word == "b", 0, |sum, word: &str| sum + word.len(), |a, b| a + b);
        assert_eq!(everywhere(&lengths), [(true, 3), (false, 3)]);
        let groups = everywhere(&bag.group_by(|word| *word == "b"));
        assert_eq!(groups, [(true, vec!["b"; 3]), (false, vec!["a", "c", "a"])]);
        // Owned items and lent ones go different ways to the same table.
        assert_eq!(everywhere(&bag.map(str::to_owned).frequencies()).len(), 3);
        assert_eq!(everywhere(&bag.map(str::to_owned).words().frequencies())[0], ("b".to_owned(), 3));
    }
}

#[test]
fn many_partitions_give_the_groups_of_one() {
    let items: Vec<u64> = (0..3_000).map(|i| i * i % 101).collect();
    let expected = everywhere(&Bag::from_sequence(items.clone(), 1).frequencies());
    for parts in [2, 8, 9, 64, 65, 600] {
        assert_eq!(everywhere(&Bag::from_sequence(items.clone(), parts).frequencies()), expected);
    }
}

#[test]
fn the_greatest_come_first_and_the_earlier_among_equals() {
    let items: Vec<(u32, usize)> =
        WORDS.iter().enumerate().map(|(i, word)| (u32::from(word.as_bytes()[0]), i)).collect();
    for bag in cuts(&items, 4) {
        for k in 0..8 {
            let mut sorted = items.clone();
            sorted.sort_by_key(|item| std::cmp::Reverse(item.0));
            sorted.truncate(k);
            assert_eq!(everywhere(&bag.topk_by_key(k, |item| item.0)), sorted);
            assert_eq!(everywhere(&bag.map(|item| item).topk_by(k, |a, b| a.0.cmp(&b.0))), sorted);
        }
        assert_eq!(everywhere(&bag.topk(1)), [(99, 3)]);
    }
}

#[test]
fn joined_items_stand_in_the_order_of_both_bags() {
    let small = [(1, 'x'), (2, 'y'), (1, 'z')];
    let expected = [
        ((1, 'a'), (1, 'x')),
        ((1, 'a'), (1, 'z')),
        ((2, 'b'), (2, 'y')),
        ((1, 'd'), (1, 'x')),
        ((1, 'd'), (1, 'z')),
    ];
    for left in cuts(&[(1, 'a'), (2, 'b'), (3, 'c'), (1, 'd')], 3) {
        for right in cuts(&small, 2) {
            let joined = left.map(|item| item).join(&right.filter(|_| true), |item| item.0, |item| item.0);
            assert_eq!(everywhere(&joined), expected);
            assert_eq!(everywhere(&joined.count()), 5);
        }
    }
    let empty = Bag::<(i32, char)>::from_sequence([], 2);
    let left = Bag::from_sequence(small, 2);
    assert!(everywhere(&left.join(&empty, |item| item.0, |item| item.0)).is_empty());
    assert_eq!(everywhere(&left.join(&left, |item| item.0, |item| item.0)).len(), 5);
}
