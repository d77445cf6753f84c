//! The distinct labels of a block of targets, and the class index of each label.

use std::cmp::Ordering;

use ndarray::ArrayView1;
use serde::{Deserialize, Serialize};

use super::Piece;
use crate::label::Label;

/// Distinct labels in ascending order, up to a limit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Distinct<L> {
    /// Ascending, no two alike; where there are more than the limit, some are missing.
    pub(crate) labels: Vec<L>,
    /// Whether the limit was passed.
    pub(crate) too_many: bool,
    /// The first row whose label is no label (NaN).
    pub(crate) not_a_label: Option<usize>,
    /// Largest number of labels that are kept.
    pub(crate) limit: usize,
}

impl<L: Label> Distinct<L> {
    /// Of one block whose first element stands at `first_row` of the whole array.
    pub(crate) fn of(block: ArrayView1<'_, L>, first_row: usize, limit: usize) -> Self {
        let mut found = Distinct { labels: Vec::new(), too_many: false, not_a_label: None, limit };
        for (row, label) in block.iter().enumerate() {
            if !label.is_label() {
                found.not_a_label.get_or_insert(first_row + row);
                continue;
            }
            found.insert(*label);
        }
        found
    }

    fn insert(&mut self, label: L) {
        let Err(at) = self.labels.binary_search_by(|known| known.order(&label)) else { return };
        if self.labels.len() == self.limit {
            self.too_many = true;
        } else {
            self.labels.insert(at, label);
        }
    }
}

impl<L: Label> Piece for Distinct<L> {
    const NAME: &'static str = "ml.labels/1";

    fn nbytes(&self) -> usize {
        size_of::<Self>() + self.labels.len() * size_of::<L>()
    }

    fn is_sound(&self) -> bool {
        self.labels.len() <= self.limit && self.labels.is_sorted_by(|a, b| a.order(b).is_lt())
    }

    fn merge(&mut self, later: Distinct<L>) {
        self.too_many |= later.too_many;
        self.not_a_label = match (self.not_a_label, later.not_a_label) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        for label in later.labels {
            self.insert(label);
        }
    }
}

/// Position of `label` among the ascending `classes`.
#[inline]
pub(crate) fn class_of<L: Label>(classes: &[L], label: &L) -> Option<usize> {
    match classes {
        // The usual case needs no search.
        [zero, _] if zero.order(label) == Ordering::Equal => Some(0),
        [_, one] if one.order(label) == Ordering::Equal => Some(1),
        _ => classes.binary_search_by(|known| known.order(label)).ok(),
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::super::merged;
    use super::*;

    #[test]
    fn labels_come_once_and_in_order() {
        let found = Distinct::of(array![3i64, -1, 3, 2, -1].view(), 0, 10);
        assert_eq!(found, Distinct { labels: vec![-1, 2, 3], too_many: false, not_a_label: None, limit: 10 });
        let other = Distinct::of(array![5i64, 2].view(), 5, 10);
        assert_eq!(merged([found, other]).labels, vec![-1, 2, 3, 5]);
    }

    #[test]
    fn zeros_of_both_signs_are_one_label_and_nan_is_none() {
        let found = Distinct::of(array![0.0f64, -0.0, f64::NAN, 1.0].view(), 7, 10);
        assert_eq!(found.labels, vec![0.0, 1.0]);
        assert_eq!(found.not_a_label, Some(9));
    }

    #[test]
    fn more_labels_than_the_limit_are_reported() {
        assert!(!Distinct::of(array![1u8, 2, 3, 1].view(), 0, 3).too_many);
        assert!(Distinct::of(array![1u8, 2, 3, 4].view(), 0, 3).too_many);
        let half = Distinct::of(array![1u8, 2].view(), 0, 3);
        assert!(merged([half, Distinct::of(array![3u8, 4].view(), 2, 3)]).too_many);
    }

    #[test]
    fn class_of_a_label_is_its_rank() {
        assert_eq!(class_of(&[false, true], &true), Some(1));
        assert_eq!(class_of(&[2, 5], &3), None);
        assert_eq!([1, 4, 9].map(|label| class_of(&[1, 4, 9], &label)), [Some(0), Some(1), Some(2)]);
        assert_eq!(class_of(&[1, 4, 9], &5), None);
    }
}
