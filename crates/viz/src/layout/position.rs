//! Positions across the ranks: every cell wants to stand at the median of its neighbors, none may overlap.
//!
//! A rank is placed at once: the positions nearest to the ideal ones (least squares) that keep order and distances are an
//! isotonic regression, found in linear time. Medians, not means, keep chains straight beside lines to neighbors.
//!
//! Source: E. Gansner et al. 1993 (medians as ideal positions); R. Barlow et al. 1972 (pool adjacent violators).

use std::cmp::Ordering;

use super::levels::Levels;
use super::{Extent, Spacing};

/// Sweeps down and up, then sweeps in which each cell heeds the side that binds it more.
const ONE_SIDED: usize = 8;
const TWO_SIDED: usize = 8;
/// Rounds that make runs of cells exactly straight, alternately from the left and from the right.
const STRAIGHTENINGS: usize = 8;
/// Distances that differ by less are equal; positions carry the rounding of sums.
const ROUNDING: f64 = 1e-6;

/// Bends hold their place more firmly than nodes do.
const BEND_FIRMNESS: f64 = 4.0;
/// Cells without a neighbor on the side looked at give way to all others.
const FREE_FIRMNESS: f64 = 0.05;

/// Position of every cell across the ranks, the leftmost border at 0, and the width of all.
pub(super) fn positions(
    levels: &Levels,
    extents: &[Extent],
    spacing: Spacing,
    effort: &mut u64,
) -> (Vec<f64>, f64) {
    let mut placer = Placer::new(levels, extents, spacing);
    let count = levels.ranks.len();
    for round in 0..ONE_SIDED {
        let down = round % 2 == 0;
        for step in 0..count {
            let rank = if down { step } else { count - 1 - step };
            placer.place(rank, if down { Side::Before } else { Side::After });
        }
    }
    for round in 0..TWO_SIDED {
        for step in 0..count {
            placer.place(if round % 2 == 0 { count - 1 - step } else { step }, Side::Heavier);
        }
    }
    let mut runs = placer.runs();
    runs.sort_by(|a, b| placer.at[a[0] as usize].total_cmp(&placer.at[b[0] as usize]));
    for _ in 0..STRAIGHTENINGS {
        placer.straighten(&runs);
        runs.reverse();
    }
    *effort += placer.effort;
    let edge = |cell: usize, sign: f64| placer.at[cell] + sign * placer.half[cell];
    let cells = 0..levels.cells.len();
    let left = cells.clone().map(|cell| edge(cell, -1.0)).fold(f64::INFINITY, f64::min);
    let right = cells.map(|cell| edge(cell, 1.0)).fold(f64::NEG_INFINITY, f64::max);
    (placer.at.iter().map(|at| at - left).collect(), right - left)
}

#[derive(Clone, Copy, PartialEq)]
enum Side {
    Before,
    After,
    Heavier,
}

/// How strongly each tie pulls its ends: its share among all ties that the other end has on that side.
///
/// A chunk that everyone reads hardly pulls its readers, and a sum hardly pulls its many terms.
struct Pulls {
    /// On the later cell.
    down: Vec<f64>,
    /// On the earlier cell.
    up: Vec<f64>,
}

impl Pulls {
    fn new(levels: &Levels) -> Self {
        let mut outgoing = vec![0.0; levels.cells.len()];
        let mut incoming = vec![0.0; levels.cells.len()];
        for &(from, to, weight) in &levels.ties {
            outgoing[from as usize] += weight;
            incoming[to as usize] += weight;
        }
        Self {
            down: levels.ties.iter().map(|&(from, _, weight)| weight / outgoing[from as usize]).collect(),
            up: levels.ties.iter().map(|&(_, to, weight)| weight / incoming[to as usize]).collect(),
        }
    }

    /// Cells of the rank before that pull `cell`, and how strongly.
    fn before(&self, levels: &Levels, cell: u32) -> impl Iterator<Item = (u32, f64)> {
        levels
            .above
            .of(cell as usize)
            .iter()
            .map(|&tie| (levels.ties[tie as usize].0, self.down[tie as usize]))
    }

    /// Cells of the rank after that pull `cell`, and how strongly.
    fn after(&self, levels: &Levels, cell: u32) -> impl Iterator<Item = (u32, f64)> {
        levels.below.of(cell as usize).iter().map(|&tie| (levels.ties[tie as usize].1, self.up[tie as usize]))
    }
}

/// The order of two sums of shares; sums that differ by rounding only are equal.
fn compare(a: f64, b: f64) -> Ordering {
    match (a - b).abs() <= 1e-9 * a.abs().max(b.abs()) {
        true => Ordering::Equal,
        false => a.total_cmp(&b),
    }
}

struct Placer<'a> {
    levels: &'a Levels,
    pulls: Pulls,
    /// Half the width of each cell.
    half: Vec<f64>,
    /// Least distances of a cell's center from that of its left neighbor, summed from the left end of its rank.
    offsets: Vec<f64>,
    at: Vec<f64>,
    effort: u64,
}

impl<'a> Placer<'a> {
    fn new(levels: &'a Levels, extents: &[Extent], spacing: Spacing) -> Self {
        let half: Vec<f64> = levels
            .cells
            .iter()
            .map(|cell| cell.node.map_or(0.0, |node| extents[node as usize].across / 2.0))
            .collect();
        let mut offsets = vec![0.0; levels.cells.len()];
        for rank in &levels.ranks {
            for pair in rank.windows(2) {
                let (a, b) = (pair[0] as usize, pair[1] as usize);
                let both_nodes = levels.cells[a].node.is_some() && levels.cells[b].node.is_some();
                let gap = if both_nodes { spacing.nodes } else { spacing.bends };
                offsets[b] = offsets[a] + half[a] + gap + half[b];
            }
        }
        let mut at = offsets.clone();
        for rank in &levels.ranks {
            let middle = rank.last().map_or(0.0, |&last| offsets[last as usize] / 2.0);
            rank.iter().for_each(|&cell| at[cell as usize] -= middle);
        }
        Self { levels, pulls: Pulls::new(levels), half, offsets, at, effort: 0 }
    }

    /// Moves the cells of one rank as near to their ideal positions as order and distances allow.
    fn place(&mut self, rank: usize, side: Side) {
        let cells = &self.levels.ranks[rank];
        // Blocks of cells that touch: (weight, weighted sum of shifts, cells).
        let mut blocks: Vec<(f64, f64, usize)> = Vec::with_capacity(cells.len());
        for &cell in cells {
            let (ideal, firmness) = self.ideal(cell, side);
            let mut block = (firmness, firmness * (ideal - self.offsets[cell as usize]), 1);
            while let Some(&(weight, sum, number)) = blocks.last()
                && sum / weight > block.1 / block.0
            {
                block = (block.0 + weight, block.1 + sum, block.2 + number);
                blocks.pop();
            }
            blocks.push(block);
        }
        let mut cells = cells.iter();
        for (weight, sum, number) in blocks {
            for &cell in cells.by_ref().take(number) {
                self.at[cell as usize] = self.offsets[cell as usize] + sum / weight;
            }
        }
        self.effort += 2 * self.levels.ranks[rank].len() as u64;
    }

    /// Where a cell wants to stand, and how firmly.
    fn ideal(&mut self, cell: u32, side: Side) -> (f64, f64) {
        let before =
            || self.pulls.before(self.levels, cell).map(|(other, pull)| (self.at[other as usize], pull));
        let after =
            || self.pulls.after(self.levels, cell).map(|(other, pull)| (self.at[other as usize], pull));
        let mut others: Vec<(f64, f64)> = match side {
            Side::Before => before().collect(),
            Side::After => after().collect(),
            Side::Heavier => heavier(&before().collect::<Vec<_>>(), &after().collect::<Vec<_>>()),
        };
        self.effort += 1 + others.len() as u64;
        let bend = self.levels.cells[cell as usize].node.is_none();
        let weight: f64 = others.iter().map(|(_, weight)| weight).sum();
        match weighted_median(&mut others) {
            Some(median) => (median, weight * if bend { BEND_FIRMNESS } else { 1.0 }),
            None => (self.at[cell as usize], FREE_FIRMNESS),
        }
    }

    /// Lines of cells, each bound to the next more than to any third; a cell alone is a line, too.
    fn runs(&mut self) -> Vec<Vec<u32>> {
        let cells = 0..self.levels.cells.len() as u32;
        let nearest: Vec<[Option<u32>; 2]> = cells
            .clone()
            .map(|cell| {
                [
                    heaviest(self.pulls.before(self.levels, cell)),
                    heaviest(self.pulls.after(self.levels, cell)),
                ]
            })
            .collect();
        self.effort += (cells.len() + 2 * self.levels.ties.len()) as u64;
        let follower =
            |cell: u32| nearest[cell as usize][1].filter(|&next| nearest[next as usize][0] == Some(cell));
        let is_head =
            |cell: u32| nearest[cell as usize][0].is_none_or(|previous| follower(previous) != Some(cell));
        cells
            .filter(|&cell| is_head(cell))
            .map(|head| std::iter::successors(Some(head), |&cell| follower(cell)).collect())
            .collect()
    }

    /// Moves every run as a whole to where what it is tied to pulls it, as far as there is room.
    fn straighten(&mut self, runs: &[Vec<u32>]) {
        let mut place = vec![0_u32; self.levels.cells.len()];
        for rank in &self.levels.ranks {
            rank.iter().enumerate().for_each(|(index, &cell)| place[cell as usize] = index as u32);
        }
        let (mut before, mut after) = (Vec::new(), Vec::new());
        for run in runs {
            let (mut low, mut high) = (f64::NEG_INFINITY, f64::INFINITY);
            before.clear();
            after.clear();
            for (index, &cell) in run.iter().enumerate() {
                let (left, right) = self.room(cell, place[cell as usize] as usize);
                (low, high) = (low.max(left), high.min(right));
                let within = [index.checked_sub(1).map(|before| run[before]), run.get(index + 1).copied()];
                let outside = |&(other, _): &(u32, f64)| !within.contains(&Some(other));
                let pull = |(other, pull): (u32, f64)| (self.at[other as usize], pull);
                before.extend(self.pulls.before(self.levels, cell).filter(outside).map(pull));
                after.extend(self.pulls.after(self.levels, cell).filter(outside).map(pull));
            }
            self.effort += (run.len() + before.len() + after.len()) as u64;
            if low > high + ROUNDING {
                continue;
            }
            let mean = || run.iter().map(|&cell| self.at[cell as usize]).sum::<f64>() / run.len() as f64;
            let target =
                weighted_median(&mut heavier(&before, &after)).unwrap_or_else(mean).min(high).max(low);
            run.iter().for_each(|&cell| self.at[cell as usize] = target);
        }
    }

    /// From where to where a cell may move while the others of its rank stay.
    fn room(&self, cell: u32, place: usize) -> (f64, f64) {
        let rank = &self.levels.ranks[self.levels.cells[cell as usize].rank as usize];
        let distance = |other: u32| (self.offsets[other as usize] - self.offsets[cell as usize]).abs();
        let left = place.checked_sub(1).map(|before| rank[before]);
        let right = rank.get(place + 1).copied();
        (
            left.map_or(f64::NEG_INFINITY, |other| self.at[other as usize] + distance(other)),
            right.map_or(f64::INFINITY, |other| self.at[other as usize] - distance(other)),
        )
    }
}

/// The side that pulls more; both where they pull alike.
fn heavier(before: &[(f64, f64)], after: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let sum = |side: &[(f64, f64)]| side.iter().map(|(_, pull)| pull).sum();
    match compare(sum(before), sum(after)) {
        Ordering::Greater => before.to_vec(),
        Ordering::Less => after.to_vec(),
        Ordering::Equal => [before, after].concat(),
    }
}

/// The one cell that is bound more than all others.
fn heaviest(cells: impl Iterator<Item = (u32, f64)>) -> Option<u32> {
    let mut best: (Option<u32>, f64) = (None, 0.0);
    for (cell, weight) in cells {
        match compare(weight, best.1) {
            Ordering::Greater => best = (Some(cell), weight),
            Ordering::Equal => best.0 = None,
            Ordering::Less => {}
        }
    }
    best.0
}

/// The point with half the weight on either side; midway when a whole interval has that property.
fn weighted_median(points: &mut [(f64, f64)]) -> Option<f64> {
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    let total: f64 = points.iter().map(|(_, weight)| weight).sum();
    let mut sum = 0.0;
    for (index, &(at, weight)) in points.iter().enumerate() {
        sum += weight;
        match (compare(2.0 * sum, total), points.get(index + 1)) {
            (Ordering::Equal, Some(&(next, _))) => return Some(f64::midpoint(at, next)),
            (Ordering::Less, _) => {}
            (Ordering::Equal | Ordering::Greater, _) => return Some(at),
        }
    }
    points.last().map(|&(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::super::Link;
    use super::*;

    #[test]
    fn the_median_is_the_middle_by_weight() {
        assert_eq!(weighted_median(&mut []), None);
        assert_eq!(weighted_median(&mut [(3.0, 1.0), (1.0, 1.0)]), Some(2.0));
        assert_eq!(weighted_median(&mut [(3.0, 1.0), (1.0, 1.0), (9.0, 1.0)]), Some(3.0));
        assert_eq!(weighted_median(&mut [(3.0, 1.0), (1.0, 1.0), (9.0, 4.0)]), Some(9.0));
    }

    #[test]
    fn cells_of_a_rank_keep_their_distance_and_chains_are_straight() {
        let pairs = [(0, 2), (1, 3), (2, 4), (3, 5)];
        let links: Vec<Link> = pairs.iter().map(|&(from, to)| Link { from, to, weight: 1.0 }).collect();
        let levels = Levels::new(&[0, 0, 1, 1, 2, 2], &links);
        let widths = [10.0, 10.0, 80.0, 120.0, 30.0, 20.0];
        let extents: Vec<Extent> = widths.iter().map(|&across| Extent { across, along: 10.0 }).collect();
        let spacing = Spacing { nodes: 20.0, bends: 10.0, ranks: 30.0, spread: 0.0, components: 30.0 };
        let (at, width) = positions(&levels, &extents, spacing, &mut 0);
        for rank in [[0, 1], [2, 3], [4, 5]] {
            let gap = at[rank[1]] - at[rank[0]] - (widths[rank[0]] + widths[rank[1]]) / 2.0;
            assert!(gap >= 20.0 - ROUNDING);
        }
        assert!((at[0] - at[4]).abs() < 1e-9 && (at[1] - at[5]).abs() < 1e-9);
        assert!((width - 220.0).abs() < 1e-9);
    }
}
