//! The positions that could start: a set whose least member is found in a few steps.
//!
//! A bit for each position, a bit for each word of those, and so on to a single word: three or four levels for a million
//! tasks, where a heap takes twenty steps.

const BITS: usize = u64::BITS as usize;

/// A set of positions below a bound.
#[derive(Debug)]
pub(super) struct Ready {
    /// From the positions to the single word at the top; a bit is set where the word below is not zero.
    levels: Vec<Box<[u64]>>,
}

impl Ready {
    /// The empty set of positions below `n`.
    pub(super) fn new(n: usize) -> Self {
        let mut levels = Vec::new();
        let mut words = n;
        loop {
            words = words.div_ceil(BITS).max(1);
            levels.push(vec![0; words].into_boxed_slice());
            if words == 1 {
                return Self { levels };
            }
        }
    }

    pub(super) fn insert(&mut self, mut position: usize) {
        for level in &mut self.levels {
            let word = &mut level[position / BITS];
            let was_empty = *word == 0;
            *word |= 1 << (position % BITS);
            if !was_empty {
                break;
            }
            position /= BITS;
        }
    }

    pub(super) fn remove(&mut self, mut position: usize) {
        for level in &mut self.levels {
            let word = &mut level[position / BITS];
            *word &= !(1 << (position % BITS));
            if *word != 0 {
                break;
            }
            position /= BITS;
        }
    }

    /// The least position.
    pub(super) fn first(&self) -> Option<usize> {
        let (top, below) = self.levels.split_last()?;
        let mut position = (top[0] != 0).then(|| top[0].trailing_zeros() as usize)?;
        for level in below.iter().rev() {
            position = position * BITS + level[position].trailing_zeros() as usize;
        }
        Some(position)
    }

    /// How many there are.
    ///
    /// **Cost** a look at all words.
    pub(super) fn len(&self) -> usize {
        self.levels.first().map_or(0, |level| level.iter().map(|word| word.count_ones() as usize).sum())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use musher_testkit::Random;

    use super::*;

    #[test]
    fn it_is_a_set_with_a_least_member() {
        let mut random = Random::new(3);
        for n in [1, 2, 63, 64, 65, 4095, 4096, 4097, 262_144, 262_145] {
            let (mut ready, mut expected) = (Ready::new(n), BTreeSet::new());
            for _ in 0..2_000 {
                let position = random.below(n);
                if random.below(2) == 0 {
                    ready.insert(position);
                    expected.insert(position);
                } else {
                    let position = expected.first().copied().unwrap_or(position);
                    ready.remove(position);
                    expected.remove(&position);
                }
                assert_eq!(ready.first(), expected.first().copied());
            }
            assert_eq!(ready.len(), expected.len());
            while let Some(first) = ready.first() {
                ready.remove(first);
                assert!(expected.remove(&first));
            }
            assert!(expected.is_empty(), "{n}: {expected:?}");
        }
    }
}
