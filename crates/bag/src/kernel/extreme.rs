//! The least and the greatest item.

use std::cmp::Ordering;

/// Whether `candidate`, which comes after `best`, takes its place, when `wanted` is how the better one compares.
///
/// Among equals the earlier stays. An item that is not equal to itself (NaN) takes the place of any other and keeps it,
/// as in NumPy, so that the answer does not depend on how the items are cut into partitions.
pub(crate) fn replaces<T: PartialOrd>(candidate: &T, best: &T, wanted: Ordering) -> bool {
    match candidate.partial_cmp(best) {
        Some(order) => order == wanted,
        None => is_nan(candidate) && !is_nan(best),
    }
}

/// Whether an item is not equal to itself.
fn is_nan<T: PartialOrd>(item: &T) -> bool {
    item.partial_cmp(item).is_none()
}

#[cfg(test)]
mod tests {
    use super::replaces;
    use std::cmp::Ordering;

    fn best(items: &[f64], wanted: Ordering) -> Option<f64> {
        let mut items = items.iter().copied();
        let mut best = items.next()?;
        for item in items {
            if replaces(&item, &best, wanted) {
                best = item;
            }
        }
        Some(best)
    }

    #[test]
    fn nan_wins_and_the_earlier_of_equals_stays() {
        assert_eq!(best(&[2.0, 1.0, 3.0], Ordering::Less), Some(1.0));
        assert_eq!(best(&[2.0, 1.0, 3.0], Ordering::Greater), Some(3.0));
        assert!(best(&[2.0, 1.0, 3.0, f64::NAN, 0.0], Ordering::Less).unwrap().is_nan());
        assert!(best(&[f64::NAN, 9.0], Ordering::Greater).unwrap().is_nan());
        assert!(best(&[0.0, -0.0], Ordering::Less).unwrap().is_sign_positive());
        assert_eq!(best(&[], Ordering::Less), None);
    }
}
