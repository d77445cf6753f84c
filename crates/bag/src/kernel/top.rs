//! The `k` greatest items, greatest first, earlier ones first among equals.

use std::cmp::Ordering;

/// Keeps the `k` greatest of the items that it is shown.
#[derive(Debug, Clone)]
pub(crate) struct Top<T> {
    k: usize,
    /// The first `sorted` are in final order; those after are newer and greater than the `k`-th.
    items: Vec<T>,
    sorted: usize,
}

impl<T> Top<T> {
    /// Nothing seen yet.
    pub(crate) fn new(k: usize) -> Self {
        Self { k, items: Vec::new(), sorted: 0 }
    }

    /// Whether an item that comes after all seen ones would be among the `k` greatest, as far as is known.
    pub(crate) fn wants(&self, item: &T, compare: &dyn Fn(&T, &T) -> Ordering) -> bool {
        match self.sorted < self.k {
            true => self.k > 0,
            // Among equals the earlier one stays.
            false => self.k > 0 && compare(item, &self.items[self.k - 1]).is_gt(),
        }
    }

    /// Takes an item that is wanted.
    pub(crate) fn push(&mut self, item: T, compare: &dyn Fn(&T, &T) -> Ordering) {
        self.items.push(item);
        // Sorting only when twice full makes the cost of one item the logarithm of `k`.
        if self.items.len() >= self.k.saturating_mul(2).max(16) {
            self.settle(compare);
        }
    }

    /// Adds the greatest of the items that come after these.
    pub(crate) fn merge(&mut self, later: Self, compare: &dyn Fn(&T, &T) -> Ordering) {
        self.items.extend(later.into_items(compare));
        self.settle(compare);
    }

    /// The greatest items in order.
    pub(crate) fn into_items(mut self, compare: &dyn Fn(&T, &T) -> Ordering) -> Vec<T> {
        self.settle(compare);
        self.items
    }

    /// Puts the items into order and drops those beyond `k`; the sort is stable, so that earlier ones stay first.
    fn settle(&mut self, compare: &dyn Fn(&T, &T) -> Ordering) {
        self.items.sort_by(|left, right| compare(right, left));
        self.items.truncate(self.k);
        self.sorted = self.items.len();
    }
}

#[cfg(test)]
mod tests {
    use super::Top;
    use std::cmp::Ordering;

    fn by_key(left: &(u32, usize), right: &(u32, usize)) -> Ordering {
        left.0.cmp(&right.0)
    }

    fn top(items: &[(u32, usize)], k: usize) -> Top<(u32, usize)> {
        let mut top = Top::new(k);
        for item in items {
            if top.wants(item, &by_key) {
                top.push(*item, &by_key);
            }
        }
        top
    }

    #[test]
    fn the_greatest_come_first_and_the_earlier_win() {
        let items: Vec<(u32, usize)> = (0..97).map(|index| ((index * 37 % 11) as u32, index)).collect();
        let mut sorted = items.clone();
        sorted.sort_by(|left, right| by_key(right, left));
        for k in [0, 1, 2, 5, 50, 96, 97, 98, usize::MAX] {
            let expected = &sorted[..k.min(items.len())];
            assert_eq!(top(&items, k).into_items(&by_key), expected, "{k}");
            for cut in [0, 1, 40, 97] {
                let mut left = top(&items[..cut], k);
                left.merge(top(&items[cut..], k), &by_key);
                assert_eq!(left.into_items(&by_key), expected, "{k} cut at {cut}");
            }
        }
    }
}
