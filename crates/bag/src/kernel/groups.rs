//! One value for each different key, in the order in which each key first appears.
//!
//! The order is kept because a hash table's own order would depend on its seed and growth; with it, groups joined in
//! the order of the partitions are those of one pass over all items, whatever the tree that joined them.

use std::hash::Hash;

use indexmap::IndexMap;

/// A value for each key, in the order of first appearance.
#[derive(Debug, Clone)]
pub(crate) struct Groups<K, A> {
    table: IndexMap<K, A, foldhash::fast::RandomState>,
}

impl<K, A> Default for Groups<K, A> {
    fn default() -> Self {
        Self { table: IndexMap::default() }
    }
}

impl<K: Eq + Hash, A> Groups<K, A> {
    /// Changes the value of a key; a new key's value begins as `new`.
    pub(crate) fn with(&mut self, key: K, new: impl FnOnce() -> A, change: impl FnOnce(&mut A)) {
        change(self.table.entry(key).or_insert_with(new));
    }

    /// Changes the value of a key that is only lent; it is copied when it is new.
    pub(crate) fn with_lent(&mut self, key: &K, new: impl FnOnce() -> A, change: impl FnOnce(&mut A))
    where
        K: Clone,
    {
        match self.table.get_mut(key) {
            Some(value) => change(value),
            None => {
                let mut value = new();
                change(&mut value);
                self.table.insert(key.clone(), value);
            }
        }
    }

    /// Joins the groups of items that come after these.
    pub(crate) fn merge(&mut self, later: Self, mut join: impl FnMut(&mut A, A)) {
        for (key, value) in later.table {
            match self.table.entry(key) {
                indexmap::map::Entry::Occupied(mut known) => join(known.get_mut(), value),
                indexmap::map::Entry::Vacant(new) => {
                    new.insert(value);
                }
            }
        }
    }

    /// The value of a key.
    pub(crate) fn get(&self, key: &K) -> Option<&A> {
        self.table.get(key)
    }

    /// Keys and values in order.
    pub(crate) fn into_pairs(self) -> impl Iterator<Item = (K, A)> {
        self.table.into_iter()
    }
}

/// Values that a user's function takes and gives back: one is absent only while the function has it.
impl<K: Eq + Hash, A> Groups<K, Option<A>> {
    /// Joins later groups to these, those of one key by `combine`.
    pub(crate) fn combine(&mut self, later: Self, combine: impl Fn(A, A) -> A) {
        self.merge(later, |value, later| {
            *value = value.take().zip(later).map(|(value, later)| combine(value, later));
        });
    }

    /// Keys and values, in the order of first appearance.
    pub(crate) fn into_present(self) -> impl Iterator<Item = (K, A)> {
        self.into_pairs().filter_map(|(key, value)| Some((key, value?)))
    }
}

#[cfg(test)]
mod tests {
    use super::Groups;

    fn counted(items: &[u32]) -> Groups<u32, u64> {
        let mut counts = Groups::default();
        for (index, item) in items.iter().enumerate() {
            match index % 2 {
                0 => counts.with(*item, || 0, |count| *count += 1),
                _ => counts.with_lent(item, || 0, |count| *count += 1),
            }
        }
        counts
    }

    #[test]
    fn groups_are_in_the_order_of_first_appearance_however_the_items_are_cut() {
        let items = [3, 1, 3, 2, 1, 3, 9];
        let expected = [(3, 3), (1, 2), (2, 1), (9, 1)];
        let add = |sum: &mut u64, more| *sum += more;
        assert!(counted(&items).into_pairs().eq(expected));
        for cut in 0..=items.len() {
            for second in cut..=items.len() {
                let [a, b, c] = [&items[..cut], &items[cut..second], &items[second..]].map(counted);
                let (mut left, mut right) = (a.clone(), b.clone());
                left.merge(b, add);
                left.merge(c.clone(), add);
                assert!(left.into_pairs().eq(expected));
                right.merge(c, add);
                let mut all = a;
                all.merge(right, add);
                assert!(all.into_pairs().eq(expected));
            }
        }
        assert_eq!(counted(&items).get(&2), Some(&1));
        assert_eq!(counted(&[]).into_pairs().count(), 0);
    }
}
