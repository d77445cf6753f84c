//! Items from items: equal to the standard library's iterators for every cut.

use crate::support::{cuts, everywhere};
use musher_bag::Bag;

const ITEMS: [i64; 5] = [3, -1, 4, -1, 5];

#[test]
fn elementwise_operations_equal_iterators_for_every_cut() {
    for bag in cuts(&ITEMS, 4) {
        let items = || ITEMS.iter().copied();
        assert_eq!(everywhere(&bag), ITEMS);
        assert_eq!(everywhere(&bag.map(|x| x * 2)), items().map(|x| x * 2).collect::<Vec<_>>());
        assert_eq!(everywhere(&bag.map_ref(|x| *x as f64)), items().map(|x| x as f64).collect::<Vec<_>>());
        assert_eq!(everywhere(&bag.filter(|x| *x > 0)), items().filter(|x| *x > 0).collect::<Vec<_>>());
        assert_eq!(everywhere(&bag.remove(|x| *x > 0)), items().filter(|x| *x <= 0).collect::<Vec<_>>());
        let root = |x: i64| u32::try_from(x).ok();
        assert_eq!(everywhere(&bag.filter_map(root)), items().filter_map(root).collect::<Vec<_>>());
        let many = |x: i64| 0..x;
        assert_eq!(everywhere(&bag.flat_map(many)), items().flat_map(many).collect::<Vec<_>>());
        let positive = bag.filter(|x| *x > 0).try_map(u32::try_from);
        assert_eq!(everywhere(&positive), [3, 4, 5]);
        let vectors = bag.map(|x| vec![x; 2]);
        assert_eq!(everywhere(&vectors.flatten()), items().flat_map(|x| [x, x]).collect::<Vec<_>>());
    }
}

#[test]
fn owned_texts_equal_iterators_for_every_cut() {
    let texts = ["to be", "", "or  not\tto", "be"].map(str::to_owned);
    for bag in cuts(&texts, 3) {
        let words: Vec<String> =
            texts.iter().flat_map(|text| text.split_whitespace()).map(str::to_owned).collect();
        assert_eq!(everywhere(&bag.words()), words);
        assert_eq!(everywhere(&bag.split_with(|text, emit| text.split_whitespace().for_each(emit))), words);
        let lengths: Vec<usize> = words.iter().map(String::len).collect();
        assert_eq!(everywhere(&bag.words().map_ref(String::len)), lengths);
        let kept: Vec<String> = words.iter().filter(|word| word.len() == 2).cloned().collect();
        assert_eq!(everywhere(&bag.words().filter(|word| word.len() == 2)), kept);
        assert_eq!(everywhere(&bag.filter(|text| !text.is_empty()).map(|text| text.len())), [5, 10, 2]);
    }
}

#[test]
fn pairs_go_together_partition_by_partition() {
    let letters = ["a", "b", "c", "d", "e"];
    for parts in 1..7 {
        let (left, right) = (Bag::from_sequence(ITEMS, parts), Bag::from_sequence(letters, parts));
        let expected: Vec<(i64, &str)> = ITEMS.into_iter().zip(letters).collect();
        assert_eq!(everywhere(&left.zip(&right)), expected);
        let pairs = left.map(|x| x + 1).zip(&right.filter(|_| true));
        assert_eq!(everywhere(&pairs.first()), ITEMS.map(|x| x + 1));
        assert_eq!(everywhere(&pairs.second()), letters);
        assert_eq!(everywhere(&left.zip(&left).map(|(a, b)| a - b)), [0; 5]);
    }
}

#[test]
fn map_partitions_sees_each_partition_whole() {
    for bag in cuts(&ITEMS, 4) {
        let n = bag.n_partitions();
        let lengths = everywhere(&bag.map(|x| x).map_partitions(|items| [items.len()]));
        assert_eq!(lengths.len(), n);
        assert_eq!(lengths.iter().sum::<usize>(), ITEMS.len());
    }
}

#[test]
fn ranges_count() {
    for parts in 1..9 {
        assert_eq!(everywhere(&Bag::range(-3..4, parts)), (-3..4).collect::<Vec<_>>());
        let (start, end) = (4, -3);
        assert!(everywhere(&Bag::range(start..end, parts)).is_empty(), "as for the range itself");
    }
    let ends = Bag::range(i64::MIN..i64::MAX, 1 << 20).partitions((1 << 20) - 1..1 << 20);
    assert_eq!(ends.head(1).unwrap(), [i64::MAX - (1 << 44) + 1]);
}

#[test]
fn a_sample_does_not_depend_on_what_is_fused_or_selected() {
    let bag = Bag::range(0..4_000, 8);
    let sample = everywhere(&bag.random_sample(0.25, 5));
    assert!((800..1_200).contains(&sample.len()), "{}", sample.len());
    let tail = everywhere(&bag.random_sample(0.25, 5).partitions(6..8));
    assert_eq!(tail, sample.iter().copied().filter(|x| *x >= 3_000).collect::<Vec<_>>());
    assert_ne!(everywhere(&bag.random_sample(0.25, 6)), sample);
    assert!(everywhere(&bag.random_sample(0.0, 5)).is_empty());
    assert_eq!(everywhere(&bag.random_sample(1.0, 5)).len(), 4_000);
    for fraction in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
        let refused = std::panic::catch_unwind(|| Bag::range(0..9, 2).random_sample(fraction, 5));
        let panic = refused.unwrap_err();
        let text = panic.downcast_ref::<String>().unwrap();
        assert!(text.ends_with("is not from 0 to 1"), "{text}");
    }
}
