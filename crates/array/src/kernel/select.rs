//! Elements by their rank among any number of elements, without sorting: passes that count.
//!
//! The first pass counts the elements by the leading bits of their [`keys`](super::keys). That tells the leading bits of
//! each element asked for; elements with other leading bits do not matter any more. Further passes count what is left by the
//! bits that follow, until all bits are known. Counts of parts of the data are added, so the passes go over blocks.
//!
//! Source: selection by radix, as in D. E. Knuth, The Art of Computer Programming 3, exercise 5.2.5–6; the counts in place
//! of lists of elements are those of an external histogram.

use super::keys::{bits, key, unkey};
use super::memory::{OutOfMemory, collected, with_room};
use crate::element::Ordered;

/// Counts elements by the `leading` bits of their keys; one more count at the end is that of NaN.
///
/// # Panics
/// When there are not 2^`leading` + 1 counts.
pub fn count_first<A: Ordered>(values: &[A], leading: u32, counts: &mut [u64]) {
    let (shift, nan) = (bits::<A>() - leading, 1_usize << leading);
    assert_eq!(counts.len(), nan + 1, "a count for each bin, and one for NaN");
    for &value in values {
        #[expect(clippy::eq_op, reason = "only NaN differs from itself, and not every type has `is_nan`")]
        let is_number = value == value;
        let bin = if is_number { (key(value) >> shift) as usize } else { nan };
        counts[bin] += 1;
    }
}

/// An element that is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The bits of its key that are known.
    pub prefix: u64,
    /// Its rank among the elements with this prefix.
    pub rank: u64,
}

/// Elements that are looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search {
    /// How many numbers there are.
    pub n_numbers: u64,
    /// How many NaN there are.
    pub n_nan: u64,
    /// How many leading bits are known.
    pub known: u32,
    /// What is looked for; of nothing, where there is nothing to be found.
    pub wanted: Vec<Wanted>,
}

impl Search {
    /// What is known after the first pass; the ranks wanted follow from how many numbers and how many NaN there are.
    pub fn begin(counts: &[u64], leading: u32, ranks: impl Fn(u64, u64) -> Vec<u64>) -> Self {
        let (bins, nan) = counts.split_at(counts.len() - 1);
        let (n_numbers, n_nan) = (bins.iter().sum(), nan[0]);
        let wanted = ranks(n_numbers, n_nan).into_iter().map(|rank| Wanted { prefix: 0, rank }).collect();
        let mut search = Self { n_numbers, n_nan, known: 0, wanted };
        search.narrow(bins, leading);
        search
    }

    /// The prefixes of what is wanted, each once, in rising order.
    #[must_use]
    pub fn prefixes(&self) -> Vec<u64> {
        let mut prefixes: Vec<u64> = self.wanted.iter().map(|wanted| wanted.prefix).collect();
        prefixes.sort_unstable();
        prefixes.dedup();
        prefixes
    }

    /// Takes in the counts by `more` bits, one row for each prefix.
    pub fn narrow(&mut self, counts: &[u64], more: u32) {
        let prefixes = self.prefixes();
        for wanted in &mut self.wanted {
            let Ok(row) = prefixes.binary_search(&wanted.prefix) else { continue };
            let row = &counts[row << more..(row + 1) << more];
            let mut bin = 0;
            // The rank is below the sum of the row: it is the count of this prefix.
            while bin + 1 < row.len() && wanted.rank >= row[bin] {
                wanted.rank -= row[bin];
                bin += 1;
            }
            *wanted = Wanted { prefix: (wanted.prefix << more) | bin as u64, rank: wanted.rank };
        }
        self.known += more;
    }

    /// The elements found, once all bits are known.
    pub fn found<A: Ordered>(&self) -> impl Iterator<Item = A> + '_ {
        self.wanted.iter().map(|wanted| unkey(wanted.prefix))
    }

    /// The search as words.
    #[must_use]
    pub fn to_words(&self) -> Vec<u64> {
        let head = [self.n_numbers, self.n_nan, u64::from(self.known)];
        head.into_iter().chain(self.wanted.iter().flat_map(|wanted| [wanted.prefix, wanted.rank])).collect()
    }

    /// The search that words tell, if they do.
    #[must_use]
    pub fn from_words(words: &[u64]) -> Option<Self> {
        let (&[n_numbers, n_nan, known], wanted) = words.split_first_chunk()?;
        let wanted = wanted.chunks_exact(2).map(|pair| Wanted { prefix: pair[0], rank: pair[1] }).collect();
        Some(Self { n_numbers, n_nan, known: known as u32, wanted })
    }
}

/// Elements that are looked at before those to be kept are moved on.
const SOME: usize = 4096;
/// Up to so many leading bits, a list of all prefixes says which are wanted.
const LISTED_BITS: u32 = 16;

/// The elements whose keys begin with one of the prefixes of `known` bits, in their order. NaN is none.
///
/// # Errors
/// [`OutOfMemory`] when the system refuses.
pub fn keep<A: Ordered>(values: &[A], known: u32, prefixes: &[u64]) -> Result<Vec<A>, OutOfMemory> {
    let shift = bits::<A>() - known;
    let is_listed = known <= LISTED_BITS;
    let mut listed = vec![false; if is_listed { 1 << known } else { 0 }];
    if is_listed {
        prefixes.iter().for_each(|&prefix| listed[prefix as usize] = true);
    }
    let mut kept: Vec<A> = Vec::new();
    let mut some = [A::default(); SOME];
    for values in values.chunks(SOME) {
        let mut n = 0;
        for &value in values {
            let prefix = key(value) >> shift;
            let is_wanted =
                if is_listed { listed[prefix as usize] } else { prefixes.binary_search(&prefix).is_ok() };
            #[expect(clippy::eq_op, reason = "only NaN differs from itself, and not every type has `is_nan`")]
            let is_number = value == value;
            some[n] = value;
            n += usize::from(is_wanted & is_number);
        }
        if kept.capacity() - kept.len() < n {
            let mut more = with_room(kept.len() + n + kept.len() / 2)?;
            more.extend_from_slice(&kept);
            kept = more;
        }
        kept.extend_from_slice(&some[..n]);
    }
    collected(kept.into_iter())
}

/// Counts the elements with one of these prefixes of `known` bits by the `more` bits that follow, a row for each prefix.
///
/// # Panics
/// When there are fewer counts than that.
pub fn count_next<A: Ordered>(values: &[A], known: u32, prefixes: &[u64], more: u32, counts: &mut [u64]) {
    let shift = bits::<A>() - known - more;
    let mask = (1_u64 << more) - 1;
    for &value in values {
        let word = key(value) >> shift;
        if let Ok(row) = prefixes.binary_search(&(word >> more)) {
            counts[(row << more) | (word & mask) as usize] += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The elements of these ranks, by passes of so many bits.
    fn select<A: Ordered>(values: &[A], ranks: &[u64], first: u32, step: u32) -> Vec<A> {
        let mut counts = vec![0; (1 << first) + 1];
        count_first(values, first, &mut counts);
        let mut search = Search::begin(&counts, first, |_, _| ranks.to_vec());
        let kept = keep(values, first, &search.prefixes()).unwrap();
        while search.known < bits::<A>() {
            let more = step.min(bits::<A>() - search.known);
            let prefixes = search.prefixes();
            let mut counts = vec![0; prefixes.len() << more];
            count_next(&kept, search.known, &prefixes, more, &mut counts);
            search = Search::from_words(&search.to_words()).unwrap();
            search.narrow(&counts, more);
        }
        search.found().collect()
    }

    #[test]
    fn what_is_selected_stands_there_when_sorted() {
        let words = |n: u64| (0..n).map(|i| i.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ (i << 7));
        let mut floats: Vec<f64> = words(3000).map(|word| (word >> 11) as f64 - 4e15).collect();
        floats.extend([f64::INFINITY, -0.0, 0.0, f64::NEG_INFINITY, 1.0, 1.0, 1.0]);
        let mut sorted = floats.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        for (first, step) in [(16, 14), (6, 4), (9, 11)] {
            let ranks = [0, 1, 17, 1500, 1501, 3005, 3006];
            let want: Vec<f64> = ranks.iter().map(|&rank| sorted[rank as usize]).collect();
            assert_eq!(select(&floats, &ranks, first, step), want);
        }
        let bytes: Vec<i8> = words(500).map(|word| word as i8).collect();
        let mut sorted = bytes.clone();
        sorted.sort_unstable();
        assert_eq!(select(&bytes, &[3, 250, 499], 6, 4), [sorted[3], sorted[250], sorted[499]]);
        let equal = vec![7_u32; 5000];
        assert_eq!(select(&equal, &[0, 4999], 16, 5), [7, 7]);
        assert_eq!(keep(&equal, 16, &[0]).unwrap().capacity(), 5000);
    }

    #[test]
    fn nan_is_counted_apart_and_never_kept() {
        let values = [1.0, f64::NAN, -f64::NAN, f64::INFINITY];
        let mut counts = vec![0; 65];
        count_first(&values, 6, &mut counts);
        let search = Search::begin(&counts, 6, |n, n_nan| vec![n - 1, n_nan - 2]);
        assert_eq!((search.n_numbers, search.n_nan), (2, 2));
        assert_eq!(keep(&values, 6, &search.prefixes()).unwrap(), [1.0, f64::INFINITY]);
        assert_eq!(Search::from_words(&[1, 2]), None);
    }
}
