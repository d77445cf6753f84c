//! Disjoint sets of small integers, in which the smallest member stands for its set.

/// A forest over `0..n`; a root is the smallest of its set, so roots in ascending order are sets in order of their first.
#[derive(Debug, Default)]
pub(crate) struct Forest {
    parent: Vec<u32>,
}

impl Forest {
    /// `count` sets of one member each.
    pub(crate) fn new(count: u32) -> Forest {
        Forest { parent: (0..count).collect() }
    }

    /// The smallest member of the set of `member`; halves the path on its way.
    pub(crate) fn root(&mut self, mut member: u32) -> u32 {
        loop {
            let parent = self.parent[member as usize];
            if parent == member {
                return member;
            }
            let grandparent = self.parent[parent as usize];
            self.parent[member as usize] = grandparent;
            member = grandparent;
        }
    }

    /// Joins the sets of two members.
    pub(crate) fn union(&mut self, one: u32, other: u32) {
        let (one, other) = (self.root(one), self.root(other));
        let (low, high) = (one.min(other), one.max(other));
        self.parent[high as usize] = low;
    }

    /// For every member the root of its set.
    ///
    /// One walk upwards is enough: a parent is never greater than its child, so it is final when the child comes.
    pub(crate) fn into_roots(mut self) -> Vec<u32> {
        for member in 0..self.parent.len() {
            self.parent[member] = self.parent[self.parent[member] as usize];
        }
        self.parent
    }
}

#[cfg(test)]
mod tests {
    use super::Forest;

    #[test]
    fn the_smallest_member_stands_for_its_set() {
        let mut forest = Forest::new(7);
        for (one, other) in [(5, 6), (2, 5), (6, 1), (3, 3), (4, 3)] {
            forest.union(one, other);
        }
        assert_eq!(forest.into_roots(), [0, 1, 1, 3, 3, 1, 1]);
    }
}
