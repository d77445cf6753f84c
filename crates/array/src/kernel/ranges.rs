//! Items with keys, cut into ranges of keys that are about equally full.
//!
//! A sample of the keys tells the borders between the ranges. A key that equals a border, or several, may go to each of the
//! ranges that end or begin there: so one key that many items have does not fill one range.
//!
//! Source: sample sort, W. D. Frazer and A. C. McKellar, Samplesort: a sampling approach to minimal storage tree sorting
//! (1970); borders that several ranges share are those of its treatment of equal keys.

use super::memory::{OutOfMemory, collected, zeros};

/// The indices of `n` of `len` elements, one of each of `n` equal parts, at a place that the part and `salt` decide: elements that
/// come in periods do not fool it.
pub fn sampled(len: usize, n: usize, salt: u64) -> impl Iterator<Item = usize> {
    (0..n.min(len)).map(move |part| {
        let (start, end) = (part * len / n.min(len), (part + 1) * len / n.min(len));
        let word =
            (salt ^ (part as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15)).wrapping_add(0x2545_F491_4F6C_DD1D);
        let mixed = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        start + ((mixed ^ (mixed >> 27)) % (end - start) as u64) as usize
    })
}

/// The borders between `n` ranges, from a sample that comes to stand in order; one key may be several borders.
///
/// # Panics
/// When there are no ranges.
#[must_use]
pub fn borders(sample: &mut [u64], n: usize) -> Vec<u64> {
    sample.sort_unstable();
    let border = |at: usize| sample.get(at * sample.len() / n).copied().unwrap_or(u64::MAX);
    (1..n).map(border).collect()
}

/// Borders between ranges, and a table that tells by the leading bits of a key which few of them to compare it with.
#[derive(Debug)]
pub struct Borders<'a> {
    borders: &'a [u64],
    low: u64,
    shift: u32,
    /// How many borders have smaller leading bits, for each of these, and at last how many there are.
    starts: Vec<u32>,
}

impl<'a> Borders<'a> {
    /// Of borders that rise.
    #[must_use]
    pub fn new(borders: &'a [u64]) -> Self {
        let (low, high) = (borders.first().copied().unwrap_or(0), borders.last().copied().unwrap_or(0));
        let bits = (4 * borders.len()).max(1).next_power_of_two().ilog2();
        let shift = (u64::BITS - (high - low).leading_zeros()).saturating_sub(bits);
        let n = ((high - low) >> shift) as usize + 1;
        let mut starts = vec![0_u32; n + 1];
        borders.iter().for_each(|border| starts[((border - low) >> shift) as usize + 1] += 1);
        (0..n).for_each(|at| starts[at + 1] += starts[at]);
        Self { borders, low, shift, starts }
    }

    /// How many borders there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.borders.len()
    }

    /// Whether there is none: one range holds everything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.borders.is_empty()
    }

    /// The ranges that a key may go to: from how many borders are smaller, to how many are not larger.
    #[inline(always)]
    #[must_use]
    pub fn ranges_of(&self, key: u64) -> (usize, usize) {
        let place = (key.saturating_sub(self.low) >> self.shift) as usize;
        let first = match self.starts.get(place..place.saturating_add(2)) {
            Some(&[start, end]) => {
                let some = &self.borders[start as usize..end as usize];
                start as usize + some.partition_point(|&border| border < key)
            }
            _ => self.borders.len(),
        };
        let last = match self.borders.get(first) {
            Some(&border) if border == key => self.borders.partition_point(|&border| border <= key),
            _ => first,
        };
        (first, last)
    }
}

/// An item that goes nowhere.
pub const NOWHERE: u32 = u32::MAX;

/// Items of `W` words, cut for `n` ranges: first where in the words behind it each range begins and the last one ends, then
/// the items, those of one range in their order.
///
/// # Errors
/// [`OutOfMemory`] when the system refuses.
pub fn cut<const W: usize>(
    items: impl ExactSizeIterator<Item = [u64; W]> + Clone,
    n: usize,
    mut range_of: impl FnMut(&[u64; W]) -> u32,
) -> Result<Vec<u64>, OutOfMemory> {
    let ranges: Vec<u32> = collected(items.clone().map(|item| range_of(&item)))?;
    let mut places = vec![0_usize; n + 1];
    for &range in ranges.iter().filter(|&&range| range != NOWHERE) {
        places[range as usize + 1] += W;
    }
    (0..n).for_each(|range| places[range + 1] += places[range]);
    let mut words = zeros::<u64>(n + 1 + places[n])?;
    let (head, body) = words.split_at_mut(n + 1);
    head.iter_mut().zip(&places).for_each(|(word, &place)| *word = place as u64);
    for (item, &range) in items.zip(&ranges) {
        if range != NOWHERE {
            let place = &mut places[range as usize];
            body[*place..*place + W].copy_from_slice(&item);
            *place += W;
        }
    }
    Ok(words)
}

/// The words of a range in what [`cut`] made for `n` of them, and how many words stand before them; none where there is no
/// such range.
#[must_use]
pub fn part(words: &[u64], n: usize, range: usize) -> Option<(u64, &[u64])> {
    let (&start, &end) = (words.get(range)?, words.get(range + 1)?);
    Some((start, words.get(n + 1..)?.get(start as usize..end as usize)?))
}

/// Each of the words once, in rising order.
///
/// Few of many are found by a table; where they are many, they are sorted.
///
/// # Errors
/// [`OutOfMemory`] when the system refuses.
pub fn distinct(words: Vec<u64>) -> Result<Vec<u64>, OutOfMemory> {
    let mut distinct = few(&words)?.unwrap_or(words);
    distinct.sort_unstable();
    distinct.dedup();
    collected(distinct.into_iter())
}

/// The distinct words in no order, unless they are more than a part of the words.
///
/// # Errors
/// [`OutOfMemory`] when the system refuses.
pub fn few(words: &[u64]) -> Result<Option<Vec<u64>>, OutOfMemory> {
    /// So many words for each distinct one are worth a table.
    const WORDS_EACH: usize = 4;
    let most = words.len() / WORDS_EACH;
    let mut table = Table::new(10)?;
    for &word in words {
        table.insert(word)?;
        if table.found.len() > most {
            return Ok(None);
        }
    }
    Ok(Some(table.found))
}

/// Distinct words, found by their hashes.
struct Table {
    /// A power of two of places, at most half of which are not 0.
    places: Vec<u64>,
    /// Whether 0, which stands for no word, is one.
    has_zero: bool,
    found: Vec<u64>,
}

impl Table {
    fn new(bits: u32) -> Result<Self, OutOfMemory> {
        Ok(Self { places: zeros(1 << bits)?, has_zero: false, found: Vec::new() })
    }

    /// Where a word stands or would stand.
    #[inline(always)]
    fn place(&self, word: u64) -> usize {
        let mask = self.places.len() - 1;
        let mut place = (word.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as usize & mask;
        while self.places[place] != 0 && self.places[place] != word {
            place = (place + 1) & mask;
        }
        place
    }

    #[inline(always)]
    fn insert(&mut self, word: u64) -> Result<(), OutOfMemory> {
        if word == 0 {
            if !std::mem::replace(&mut self.has_zero, true) {
                self.found.push(word);
            }
            return Ok(());
        }
        let place = self.place(word);
        if self.places[place] == 0 {
            self.found.push(word);
            self.places[place] = word;
            if 2 * self.found.len() > self.places.len() {
                self.grow()?;
            }
        }
        Ok(())
    }

    fn grow(&mut self) -> Result<(), OutOfMemory> {
        self.places = zeros(4 * self.places.len())?;
        for at in 0..self.found.len() {
            let word = self.found[at];
            let place = self.place(word);
            self.places[place] = word;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(n: u64) -> Vec<u64> {
        (0..n).map(|i| (i ^ 0x5DEE_CE66).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(31)).collect()
    }

    #[test]
    fn a_sample_takes_one_of_each_part() {
        for (len, n) in [(10, 3), (10, 10), (7, 20), (1, 1), (0, 5)] {
            let places: Vec<usize> = sampled(len, n, 42).collect();
            assert_eq!(places.len(), n.min(len));
            let of_part = |(part, place): (usize, &usize)| {
                (part * len / places.len()..(part + 1) * len / places.len()).contains(place)
            };
            assert!(places.iter().enumerate().all(of_part), "{places:?}");
        }
    }

    #[test]
    fn ranges_follow_each_other_and_keep_everything() {
        let constant = vec![9_u64; 500];
        for keys in [noise(1000), constant, (0..100).map(|i| i % 3).collect(), vec![], vec![4]] {
            let n = 7;
            let borders = borders(&mut sampled(keys.len(), 100, 1).map(|at| keys[at]).collect::<Vec<_>>(), n);
            let list = borders;
            let borders = Borders::new(&list);
            let mut turn = 0;
            let items = keys.iter().enumerate().map(|(index, &key)| [key, index as u64]);
            let words = cut(items, n, |&[key, _]| {
                let (first, last) = borders.ranges_of(key);
                assert_eq!(first, list.partition_point(|&border| border < key));
                assert_eq!(last, list.partition_point(|&border| border <= key));
                turn += 1;
                (first + turn % (last - first + 1)) as u32
            });
            let words = words.unwrap();
            let parts: Vec<&[u64]> = (0..n).map(|range| part(&words, n, range).unwrap().1).collect();
            let mut all: Vec<u64> = Vec::new();
            for part in &parts {
                let mut keys: Vec<u64> = part.chunks(2).map(|item| item[0]).collect();
                keys.sort_unstable();
                all.extend(keys);
            }
            let mut sorted = keys.clone();
            sorted.sort_unstable();
            assert_eq!(all, sorted);
            assert!(keys.len() < 100 || parts.iter().all(|part| part.len() < 2 * keys.len()));
            assert_eq!(part(&words, n, n), None);
        }
    }

    #[test]
    fn equal_keys_are_shared_out() {
        let list = borders(&mut [5; 40], 4);
        let borders = Borders::new(&list);
        assert_eq!([5, 4, 6].map(|key| borders.ranges_of(key)), [(0, 3), (0, 0), (3, 3)]);
        assert_eq!([0, u64::MAX].map(|key| Borders::new(&[]).ranges_of(key)), [(0, 0); 2]);
        let ends = Borders::new(&[0, u64::MAX]);
        assert_eq!([0, 1, u64::MAX].map(|key| ends.ranges_of(key)), [(0, 1), (1, 1), (1, 2)]);
    }

    #[test]
    fn distinct_words_stand_in_order() {
        for words in
            [noise(1000), noise(1000).iter().map(|w| w % 20).collect(), vec![0; 100], vec![], vec![3, 3]]
        {
            let want: Vec<u64> =
                words.iter().copied().collect::<std::collections::BTreeSet<_>>().into_iter().collect();
            let found = distinct(words).unwrap();
            assert_eq!(found, want);
            assert_eq!(found.capacity(), want.len());
        }
    }
}
