//! Counting items, with a table of its own for words.
//!
//! Counting words costs what the processor waits for memory. In the general table one word is three or four places: the
//! index, the entry, the text. A word of up to 15 bytes therefore lies in the slot itself, two slots to a cache line, and
//! words are looked up in batches, so that their waits overlap. Measured with 14 million words, 100,000 of them different,
//! cutting included, nanoseconds a word: general table 104, slots 58, in batches 41 (`HashMap<&str, u64>`: 77).

use std::any::Any;
use std::hash::{BuildHasher, Hash};

use crate::kernel::groups::Groups;

/// How often each item was seen, in the order of first appearance.
#[derive(Debug, Clone)]
pub(crate) struct Counter<T> {
    groups: Groups<T, u64>,
    /// For strings: the short ones so far, while `groups` is empty.
    words: Option<Words>,
}

impl<T: Clone + Eq + Hash + 'static> Counter<T> {
    /// Nothing seen yet.
    pub(crate) fn new() -> Self {
        let is_text = (&Groups::<T, u64>::default() as &dyn Any).is::<Groups<String, u64>>();
        Self { groups: Groups::default(), words: is_text.then(Words::default) }
    }

    /// Counts an item that is only lent; it is copied when it is new.
    pub(crate) fn look(&mut self, item: &T) {
        if let (Some(words), Some(text)) = (&mut self.words, (item as &dyn Any).downcast_ref::<String>()) {
            return words.add(text);
        }
        self.groups.with_lent(item, || 0, |count| *count += 1);
    }

    /// Counts an item.
    pub(crate) fn take(&mut self, item: T) {
        match self.words {
            Some(_) => self.look(&item),
            None => self.groups.with(item, || 0, |count| *count += 1),
        }
    }

    /// Adds the counts of items that come after these.
    pub(crate) fn merge(&mut self, later: Self) {
        self.settle();
        self.groups.merge(later.into_groups(), |count, more| *count += more);
    }

    /// Items and counts in order.
    pub(crate) fn into_groups(mut self) -> Groups<T, u64> {
        self.settle();
        self.groups
    }

    /// Moves the words into the general table.
    fn settle(&mut self) {
        if let (Some(words), Some(groups)) =
            (self.words.take(), (&mut self.groups as &mut dyn Any).downcast_mut::<Groups<String, u64>>())
        {
            words.for_each(|word, count| groups.with(word, || 0, |sum| *sum += count));
        }
    }
}

/// Counts of words.
#[derive(Debug, Clone, Default)]
struct Words {
    /// A power of two of slots, at most half of them used; a word stands at its hash or in the next free slot.
    slots: Vec<Slot>,
    used: usize,
    /// Words of more than 15 bytes: number in the order of appearance, and count.
    long: Groups<String, (u32, u64)>,
    /// Number of different words.
    different: u32,
    /// Short words that wait to be looked up.
    pending: Vec<u128>,
    hasher: foldhash::fast::RandomState,
}

/// One word; free where its count is 0.
#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    /// The bytes, lowest first, and in the highest byte their number.
    word: u128,
    count: u64,
    /// Number in the order of appearance.
    order: u32,
}

impl Words {
    /// Bytes that fit into a slot beside their number.
    const SHORT: usize = 15;

    /// Words that are looked up in one go: their waits for memory overlap, as nothing hard to predict lies between.
    const BATCH: usize = 256;

    fn add(&mut self, text: &str) {
        if text.len() <= Self::SHORT {
            self.pending.push(pack(text.as_bytes()));
            if self.pending.len() >= Self::BATCH {
                self.look_up();
            }
            return;
        }
        // Those before it appeared earlier.
        self.look_up();
        let different = &mut self.different;
        let new = || {
            *different += 1;
            (*different - 1, 0)
        };
        // A key that is lent as `&str` would need a second kind of look-up; long words are rare.
        self.long.with(text.to_owned(), new, |(_, count)| *count += 1);
    }

    /// Counts the words that wait.
    fn look_up(&mut self) {
        let pending = std::mem::take(&mut self.pending);
        while (self.used + pending.len()) * 2 > self.slots.len() {
            self.grow();
        }
        for &word in &pending {
            let slot = find(&mut self.slots, &self.hasher, word);
            if slot.count == 0 {
                *slot = Slot { word, count: 0, order: self.different };
                self.different += 1;
                self.used += 1;
            }
            slot.count += 1;
        }
        self.pending = pending;
        self.pending.clear();
    }

    fn grow(&mut self) {
        let twice = (self.slots.len() * 2).max(64);
        let before = std::mem::replace(&mut self.slots, vec![Slot::default(); twice]);
        for slot in before.into_iter().filter(|slot| slot.count > 0) {
            *find(&mut self.slots, &self.hasher, slot.word) = slot;
        }
    }

    /// Calls `sink` with each word and its count, in the order of first appearance.
    fn for_each(mut self, mut sink: impl FnMut(String, u64)) {
        self.look_up();
        let mut short: Vec<Slot> = self.slots.into_iter().filter(|slot| slot.count > 0).collect();
        short.sort_unstable_by_key(|slot| slot.order);
        let mut short = short.into_iter().peekable();
        for (word, (order, count)) in self.long.into_pairs() {
            while let Some(slot) = short.next_if(|slot| slot.order < order) {
                sink(unpack(slot.word), slot.count);
            }
            sink(word, count);
        }
        short.for_each(|slot| sink(unpack(slot.word), slot.count));
    }
}

/// The slot of a word, or the free one where it belongs; there is a free one.
fn find<'s>(slots: &'s mut [Slot], hasher: &foldhash::fast::RandomState, word: u128) -> &'s mut Slot {
    let mask = slots.len() - 1;
    let mut at = hasher.hash_one(word) as usize & mask;
    while slots[at].count > 0 && slots[at].word != word {
        at = (at + 1) & mask;
    }
    &mut slots[at]
}

/// Up to 15 bytes and their number as one integer; read in pieces that may overlap, because a copy of unknown length is a call.
fn pack(bytes: &[u8]) -> u128 {
    let n = bytes.len();
    let word = match bytes {
        [] => 0,
        [a] => u128::from(*a),
        [a, b] => u128::from(u16::from_le_bytes([*a, *b])),
        [a, b, c] => u128::from(u32::from_le_bytes([*a, *b, *c, 0])),
        [a, b, c, d, ..] if n < 8 => {
            let [.., e, f, g, h] = bytes else { return 0 };
            let (first, last) = (u32::from_le_bytes([*a, *b, *c, *d]), u32::from_le_bytes([*e, *f, *g, *h]));
            u128::from(u64::from(first) | u64::from(last) << (8 * (n - 4)))
        }
        _ => {
            let (Some(first), Some(last)) = (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) else {
                return 0;
            };
            let (first, last) = (u64::from_le_bytes(*first), u64::from_le_bytes(*last));
            u128::from(first) | u128::from(last) << (8 * (n - 8))
        }
    };
    word | (n as u128) << 120
}

/// The text of a packed word.
fn unpack(word: u128) -> String {
    let bytes = word.to_le_bytes();
    let text = &bytes[..usize::from(bytes[15])];
    // What was packed was text.
    String::from_utf8_lossy(text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::{Counter, pack, unpack};
    use crate::kernel::groups::Groups;

    #[test]
    fn packed_words_come_back_and_differ() {
        let letters = "abcdefghijklmnoü";
        let mut packed = std::collections::HashSet::new();
        for start in 0..15 {
            for end in start..=15 {
                let word = &letters[start..end];
                assert_eq!(unpack(pack(word.as_bytes())), word);
                packed.insert(pack(word.as_bytes()));
            }
        }
        assert_eq!(packed.len(), 15 * 16 / 2 + 1, "all different but the empty ones");
        assert_ne!(pack(b"a"), pack(b"a\0"));
        assert_eq!(unpack(pack("üüüüüüü".as_bytes())), "üüüüüüü");
    }

    /// Words of 0 to 30 bytes, repeated in a disorderly way.
    fn texts() -> Vec<String> {
        (0..20_000u64).map(|i| "x".repeat((i % 31) as usize) + &(i * i % 613).to_string()).collect()
    }

    #[test]
    fn words_are_counted_as_by_the_general_table() {
        let texts = texts();
        let mut expected = Groups::default();
        texts.iter().for_each(|text| expected.with_lent(text, || 0, |count| *count += 1u64));
        let expected: Vec<(String, u64)> = expected.into_pairs().collect();
        for cut in [0, 1, 700, 20_000] {
            let (mut left, mut right) = (Counter::new(), Counter::new());
            texts[..cut].iter().for_each(|text| left.look(text));
            texts[cut..].iter().for_each(|text| right.take(text.clone()));
            left.merge(right);
            assert!(left.into_groups().into_pairs().eq(expected.iter().cloned()), "cut at {cut}");
        }
    }

    #[test]
    fn other_items_are_counted_by_the_general_table() {
        let mut counter = Counter::new();
        [3, 1, 3].into_iter().for_each(|item: u8| counter.take(item));
        counter.look(&1);
        assert!(counter.clone().into_groups().into_pairs().eq([(3, 2), (1, 2)]));
        counter.merge(Counter::new());
        assert!(counter.into_groups().into_pairs().eq([(3, 2), (1, 2)]));
    }
}
