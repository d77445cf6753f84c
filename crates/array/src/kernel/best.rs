//! The largest or smallest of many elements, in one look at each.
//!
//! What may still be among them is gathered; when twice as many are there as are wanted, the better half stays, and the worst
//! of it is what others must beat. Whole groups of elements that do not are passed over by one comparison each.

use super::keys::{equal_key, key, unkey};
use super::memory::{OutOfMemory, with_room};
use crate::element::Ordered;

/// Elements that are compared before any of them is looked at alone.
const GROUP: usize = 64;

/// The `n` best items, the best first; an item is made of the rank of an element and its place. A rank is better the smaller
/// it is.
fn best<A: Ordered, K: Copy + Ord>(
    elements: &[A],
    n: usize,
    rank: impl Fn(A) -> u64,
    item: impl Fn(u64, u64) -> K,
    rank_of: impl Fn(K) -> u64,
) -> Result<Vec<K>, OutOfMemory> {
    let most = n.saturating_mul(2).max(GROUP);
    let mut best: Vec<K> = with_room((most + GROUP).min(elements.len()))?;
    if n == 0 {
        return Ok(best);
    }
    // What others must beat, once as many as wanted are there.
    let mut worst = None;
    for (group, start) in elements.chunks(GROUP).zip((0..).step_by(GROUP)) {
        let is_better = |element: A| worst.is_none_or(|worst| rank(element) < worst);
        let any = match worst {
            Some(worst) => group.iter().fold(false, |any, &element| any | (rank(element) < worst)),
            None => true,
        };
        if !any {
            continue;
        }
        let better = group.iter().zip(start..).filter(|&(&element, _)| is_better(element));
        best.extend(better.map(|(&element, place)| item(rank(element), place)));
        if best.len() >= most {
            let (_, &mut last, _) = best.select_nth_unstable(n - 1);
            best.truncate(n);
            worst = Some(rank_of(last));
        }
    }
    best.sort_unstable();
    best.truncate(n);
    Ok(best)
}

/// The `n` largest elements, the largest first, or the smallest; as many as there are.
///
/// # Errors
/// [`OutOfMemory`] when the system refuses.
pub fn best_values<A: Ordered>(elements: &[A], n: usize, is_largest: bool) -> Result<Vec<A>, OutOfMemory> {
    let ranks = match is_largest {
        true => best(elements, n, |element| !key(element), |rank, _| rank, |rank| rank)?,
        false => best(elements, n, key, |rank, _| rank, |rank| rank)?,
    };
    Ok(ranks.into_iter().map(|rank| unkey(if is_largest { !rank } else { rank })).collect())
}

/// Ranks and places of the `n` largest elements, or of the smallest; of equal elements the first counts first.
///
/// # Errors
/// [`OutOfMemory`] when the system refuses.
pub fn best_places<A: Ordered>(
    elements: &[A],
    n: usize,
    is_largest: bool,
) -> Result<Vec<[u64; 2]>, OutOfMemory> {
    let (item, rank_of) = (|rank, place| [rank, place], |[rank, _]: [u64; 2]| rank);
    match is_largest {
        true => best(elements, n, |element| !equal_key(element), item, rank_of),
        false => best(elements, n, equal_key, item, rank_of),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_are_those_of_sorting() {
        for n_values in [2, 50, 1_000_000] {
            let values: Vec<f32> = (0..2000_u64)
                .map(|i| (i.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20) % n_values)
                .map(|x| x as f32 - 20.0)
                .collect();
            let mut places: Vec<u64> = (0..2000).collect();
            places.sort_by(|&one, &other| values[one as usize].total_cmp(&values[other as usize]));
            let mut falling = places.clone();
            falling.sort_by(|&one, &other| values[other as usize].total_cmp(&values[one as usize]));
            for n in [0, 1, 3, 70, 1500, 2000, 5000] {
                for (is_largest, want) in [(false, &places), (true, &falling)] {
                    let want = &want[..n.min(2000)];
                    let found = best_places(&values, n, is_largest).unwrap();
                    assert_eq!(found.iter().map(|&[_, place]| place).collect::<Vec<_>>(), want);
                    let values: Vec<f32> = want.iter().map(|&place| values[place as usize]).collect();
                    assert_eq!(best_values(&again(&values), n, is_largest).unwrap(), values);
                }
            }
        }
        let holes = [1.0, f64::NAN, 3.0];
        assert!(best_values(&holes, 2, true).unwrap()[0].is_nan());
        assert_eq!(best_values(&holes, 2, false).unwrap(), [1.0, 3.0]);
    }

    fn again(values: &[f32]) -> Vec<f32> {
        values.iter().rev().copied().collect()
    }
}
