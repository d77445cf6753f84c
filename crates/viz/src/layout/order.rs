//! The order of the cells within each rank, chosen so that few edges cross.
//!
//! Two starts (the order in which the nodes were given, and the order of a depth-first walk) are improved by
//! alternating sweeps that sort a rank by the mean position of its neighbors, then by exchanging adjacent cells. The
//! order with the fewest crossings wins; among equals the order in which nodes were given, since chunk indices then read
//! from left to right.
//!
//! Source: K. Sugiyama et al. 1981 (barycenter); W. Barth, M. Jünger, P. Mutzel 2002 (counting crossings).

use super::levels::Levels;

/// Sweeps over all ranks for each start.
const SWEEPS: usize = 12;
/// Sweeps without improvement before a start is given up.
const PATIENCE: usize = 4;
/// Elementary exchanges looked at per cell and tie; bounds the last step.
const EXCHANGES_PER_ITEM: u64 = 60;

/// Orders the cells of every rank; gives the number of crossings left.
pub(super) fn order(levels: &mut Levels, effort: &mut u64) -> u64 {
    let given = as_given(levels);
    let walked = depth_first(levels);
    let mut best = (u64::MAX, given.clone());
    for start in [given, walked] {
        levels.ranks = start;
        let mut stale = 0;
        for sweep in 0..=SWEEPS {
            let crossings = count_all(levels, effort);
            stale += 1;
            if crossings < best.0 {
                best = (crossings, levels.ranks.clone());
                stale = 0;
            }
            if crossings == 0 || stale > PATIENCE {
                break;
            }
            sort_by_neighbors(levels, sweep % 2 == 0, effort);
        }
        if best.0 == 0 {
            break;
        }
    }
    levels.ranks = best.1;
    match best.0 {
        0 => 0,
        crossings => crossings - exchange(levels, effort),
    }
}

/// Nodes in the order in which they were given, bends at the place of their source.
fn as_given(levels: &Levels) -> Vec<Vec<u32>> {
    let mut owner: Vec<u32> = (0..levels.cells.len() as u32).collect();
    for (node, trunk) in levels.trunks.iter().enumerate() {
        for &bend in trunk {
            owner[bend as usize] = node as u32;
        }
    }
    // The place of a node within its own rank, as a share, makes ranks of different lengths comparable.
    let mut share = vec![0.0_f64; levels.cells.len()];
    for rank in &levels.ranks {
        let nodes: Vec<u32> =
            rank.iter().copied().filter(|&cell| levels.cells[cell as usize].node.is_some()).collect();
        for (place, &cell) in nodes.iter().enumerate() {
            share[cell as usize] = (place as f64 + 0.5) / nodes.len() as f64;
        }
    }
    let mut ranks = levels.ranks.clone();
    for rank in &mut ranks {
        rank.sort_by(|&a, &b| {
            share[owner[a as usize] as usize].total_cmp(&share[owner[b as usize] as usize])
        });
    }
    ranks
}

/// Cells in the order in which a walk from the sources meets them.
fn depth_first(levels: &Levels) -> Vec<Vec<u32>> {
    let mut ranks: Vec<Vec<u32>> = vec![Vec::new(); levels.ranks.len()];
    let mut seen = vec![false; levels.cells.len()];
    let mut stack = Vec::new();
    let sources = levels.ranks.iter().flatten().copied().filter(|&cell| levels.before(cell).next().is_none());
    for source in sources {
        stack.push(source);
        while let Some(cell) = stack.pop() {
            if std::mem::replace(&mut seen[cell as usize], true) {
                continue;
            }
            ranks[levels.cells[cell as usize].rank as usize].push(cell);
            let from = stack.len();
            stack.extend(levels.after(cell).filter(|&next| !seen[next as usize]));
            stack[from..].reverse();
        }
    }
    ranks
}

/// One sweep: each rank is sorted by the mean position of its cells' neighbors in the rank before (or after).
fn sort_by_neighbors(levels: &mut Levels, down: bool, effort: &mut u64) {
    let mut places = places(levels);
    let count = levels.ranks.len();
    let mut barycenters = vec![0.0_f64; levels.cells.len()];
    for step in 1..count {
        let rank = if down { step } else { count - 1 - step };
        let mut cells = std::mem::take(&mut levels.ranks[rank]);
        for &cell in &cells {
            let (mut sum, mut number) = (0.0, 0.0);
            let mut take = |other: u32| {
                sum += f64::from(places[other as usize]);
                number += 1.0;
            };
            match down {
                true => levels.before(cell).for_each(&mut take),
                false => levels.after(cell).for_each(&mut take),
            }
            barycenters[cell as usize] = if number > 0.0 { sum / number } else { -1.0 };
            *effort += 1 + number as u64;
        }
        sort_with_free(&mut cells, &barycenters);
        for (place, &cell) in cells.iter().enumerate() {
            places[cell as usize] = place as u32;
        }
        levels.ranks[rank] = cells;
    }
}

/// Sorts the cells that have a barycenter; cells without (a negative one) keep their places.
fn sort_with_free(cells: &mut [u32], barycenters: &[f64]) {
    let mut bound: Vec<u32> =
        cells.iter().copied().filter(|&cell| barycenters[cell as usize] >= 0.0).collect();
    bound.sort_by(|&a, &b| barycenters[a as usize].total_cmp(&barycenters[b as usize]));
    let mut sorted = bound.into_iter();
    for cell in cells.iter_mut().filter(|cell| barycenters[**cell as usize] >= 0.0) {
        *cell = sorted.next().expect("as many places as cells with a barycenter");
    }
}

fn places(levels: &Levels) -> Vec<u32> {
    let mut places = vec![0; levels.cells.len()];
    for rank in &levels.ranks {
        for (place, &cell) in rank.iter().enumerate() {
            places[cell as usize] = place as u32;
        }
    }
    places
}

fn count_all(levels: &Levels, effort: &mut u64) -> u64 {
    let places = places(levels);
    (1..levels.ranks.len()).map(|rank| count(levels, rank, &places, effort)).sum()
}

/// Crossings between `rank` and the rank before: pairs of ties whose ends are in opposite orders.
fn count(levels: &Levels, rank: usize, places: &[u32], effort: &mut u64) -> u64 {
    let width = levels.ranks[rank].len();
    let mut tree = vec![0_u32; width + 1];
    let mut ends: Vec<u32> = Vec::new();
    let (mut inserted, mut crossings) = (0_u64, 0_u64);
    for &cell in &levels.ranks[rank - 1] {
        ends.clear();
        ends.extend(levels.after(cell).map(|next| places[next as usize]));
        ends.sort_unstable();
        for &end in &ends {
            let mut at = end as usize + 1;
            let mut not_after = 0_u64;
            while at > 0 {
                not_after += u64::from(tree[at]);
                at &= at - 1;
            }
            crossings += inserted - not_after;
        }
        for &end in &ends {
            let mut at = end as usize + 1;
            while at <= width {
                tree[at] += 1;
                at += at & at.wrapping_neg();
            }
        }
        inserted += ends.len() as u64;
        *effort += 1 + ends.len() as u64;
    }
    crossings
}

/// Exchanges adjacent cells while that removes crossings and the budget lasts; gives how many went.
fn exchange(levels: &mut Levels, effort: &mut u64) -> u64 {
    let mut places = places(levels);
    let mut budget = EXCHANGES_PER_ITEM * (levels.cells.len() + levels.ties.len()) as u64;
    let mut removed = 0;
    loop {
        let before = removed;
        for rank in 0..levels.ranks.len() {
            for place in 1..levels.ranks[rank].len() {
                let (a, b) = (levels.ranks[rank][place - 1], levels.ranks[rank][place]);
                let cost = (levels.before(a).count() + levels.after(a).count()) as u64
                    + (levels.before(b).count() + levels.after(b).count()) as u64;
                if cost > budget {
                    return removed;
                }
                budget -= cost;
                *effort += cost;
                let now = crossings_of_pair(levels, a, b, &places);
                let then = crossings_of_pair(levels, b, a, &places);
                if then < now {
                    levels.ranks[rank].swap(place - 1, place);
                    places.swap(a as usize, b as usize);
                    removed += now - then;
                }
            }
        }
        if removed == before {
            return removed;
        }
    }
}

/// Crossings between the ties of `left` and those of `right`, if they stood in this order.
fn crossings_of_pair(levels: &Levels, left: u32, right: u32, places: &[u32]) -> u64 {
    let sorted = |cells: &mut dyn Iterator<Item = u32>| {
        let mut ends: Vec<u32> = cells.map(|cell| places[cell as usize]).collect();
        ends.sort_unstable();
        ends
    };
    inversions(&sorted(&mut levels.before(left)), &sorted(&mut levels.before(right)))
        + inversions(&sorted(&mut levels.after(left)), &sorted(&mut levels.after(right)))
}

/// Pairs (l, r) with l > r of two sorted lists.
fn inversions(left: &[u32], right: &[u32]) -> u64 {
    let mut smaller = 0;
    let mut total = 0;
    for &end in left {
        while smaller < right.len() && right[smaller] < end {
            smaller += 1;
        }
        total += smaller as u64;
    }
    total
}

#[cfg(test)]
mod tests {
    use super::super::Link;
    use super::*;

    fn levels(ranks: &[u32], pairs: &[(usize, usize)]) -> Levels {
        let links: Vec<Link> = pairs.iter().map(|&(from, to)| Link { from, to, weight: 1.0 }).collect();
        Levels::new(ranks, &links)
    }

    /// Crossings by definition.
    fn by_pairs(levels: &Levels) -> u64 {
        let places = places(levels);
        let mut total = 0;
        for (index, &(a, b, _)) in levels.ties.iter().enumerate() {
            for &(c, d, _) in &levels.ties[..index] {
                let (a, b, c, d) = (a as usize, b as usize, c as usize, d as usize);
                let same = levels.cells[a].rank == levels.cells[c].rank;
                total += u64::from(
                    same && (places[a] < places[c]) != (places[b] < places[d])
                        && places[a] != places[c]
                        && places[b] != places[d],
                );
            }
        }
        total
    }

    #[test]
    fn crossings_are_counted_as_defined() {
        let mut state = 7_u64;
        let mut next = |limit: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % limit
        };
        for _ in 0..50 {
            let ranks: Vec<u32> = (0..12).map(|node| node / 4).collect();
            let pairs: Vec<(usize, usize)> = (0..14)
                .map(|_| {
                    let rank = next(2) as usize;
                    (4 * rank + next(4) as usize, 4 * (rank + 1) + next(4) as usize)
                })
                .collect();
            let mut levels = levels(&ranks, &pairs);
            assert_eq!(count_all(&levels, &mut 0), by_pairs(&levels));
            let left = order(&mut levels, &mut 0);
            assert_eq!(left, by_pairs(&levels));
        }
    }

    #[test]
    fn crossed_columns_are_untangled() {
        // Three chains whose second nodes are given in reverse.
        let mut levels = levels(&[0, 0, 0, 1, 1, 1], &[(0, 5), (1, 4), (2, 3)]);
        assert_eq!(order(&mut levels, &mut 0), 0);
    }

    #[test]
    fn a_tree_reduction_has_no_crossing_and_keeps_the_order_of_its_leaves() {
        let mut levels = levels(&[0, 0, 0, 0, 1, 1, 2], &[(0, 4), (1, 4), (2, 5), (3, 5), (4, 6), (5, 6)]);
        assert_eq!(order(&mut levels, &mut 0), 0);
        assert_eq!(levels.ranks[0], [0, 1, 2, 3]);
    }
}
