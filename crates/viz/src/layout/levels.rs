//! Ranks filled with cells: the nodes, and the bends of edges that pass through a rank.

use super::{Link, Lists};

/// A place in a rank.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cell {
    pub(super) rank: u32,
    /// The node, or none for a bend.
    pub(super) node: Option<u32>,
}

/// The graph cut into ranks, every tie between neighboring ranks.
///
/// All long edges of one source share one line of bends, its trunk, and leave it where their target is near. That is
/// true to the data (it is the same chunk that travels) and keeps a widely used input from filling the picture.
#[derive(Clone, Debug)]
pub(super) struct Levels {
    /// Nodes first, in their order, then bends.
    pub(super) cells: Vec<Cell>,
    /// (earlier cell, later cell, weight).
    pub(super) ties: Vec<(u32, u32, f64)>,
    /// Ties by their later cell.
    pub(super) above: Lists,
    /// Ties by their earlier cell.
    pub(super) below: Lists,
    /// Trunk of each node: its bends from near to far.
    pub(super) trunks: Vec<Vec<u32>>,
    /// Cells of each rank in their present order.
    pub(super) ranks: Vec<Vec<u32>>,
}

/// Bends allowed per node and edge; farther targets are reached from the end of a shortened trunk.
const BENDS_PER_ITEM: usize = 8;

/// Ties within a trunk want to be straight more than others.
const TRUNK_WEIGHT: f64 = 4.0;

impl Levels {
    pub(super) fn new(node_ranks: &[u32], links: &[Link]) -> Self {
        let nodes = node_ranks.len();
        let mut cells: Vec<Cell> =
            (0..nodes).map(|node| Cell { rank: node_ranks[node], node: Some(node as u32) }).collect();
        let mut lengths = vec![0_usize; nodes];
        for link in links {
            let between = (node_ranks[link.to] - node_ranks[link.from] - 1) as usize;
            lengths[link.from] = lengths[link.from].max(between);
        }
        let cap = trunk_cap(&lengths, BENDS_PER_ITEM * (nodes + links.len()));
        let mut trunks = Vec::with_capacity(nodes);
        let mut ties = Vec::new();
        for (node, length) in lengths.into_iter().enumerate() {
            let first = cells.len() as u32;
            let trunk: Vec<u32> = (0..length.min(cap) as u32).map(|step| first + step).collect();
            let rank = node_ranks[node];
            cells.extend(trunk.iter().map(|&bend| Cell { rank: rank + 1 + bend - first, node: None }));
            let from_node = trunk.first().map(|&bend| (node as u32, bend, TRUNK_WEIGHT / 2.0));
            ties.extend(
                from_node.into_iter().chain(trunk.windows(2).map(|pair| (pair[0], pair[1], TRUNK_WEIGHT))),
            );
            trunks.push(trunk);
        }
        for link in links {
            let between = (node_ranks[link.to] - node_ranks[link.from] - 1) as usize;
            if between <= cap {
                let last = match between {
                    0 => link.from as u32,
                    _ => trunks[link.from][between - 1],
                };
                ties.push((last, link.to as u32, link.weight));
            }
        }
        let above = Lists::new(
            cells.len(),
            ties.iter().enumerate().map(|(tie, &(_, to, _))| (to as usize, tie as u32)),
        );
        let below = Lists::new(
            cells.len(),
            ties.iter().enumerate().map(|(tie, &(from, ..))| (from as usize, tie as u32)),
        );
        let mut ranks = vec![Vec::new(); node_ranks.iter().max().map_or(0, |&last| last as usize + 1)];
        for (index, cell) in cells.iter().enumerate() {
            ranks[cell.rank as usize].push(index as u32);
        }
        Self { cells, ties, above, below, trunks, ranks }
    }

    /// Cells that tie to `cell` from the rank before.
    pub(super) fn before(&self, cell: u32) -> impl Iterator<Item = u32> {
        self.above.of(cell as usize).iter().map(|&tie| self.ties[tie as usize].0)
    }

    /// Cells that `cell` ties to in the rank after.
    pub(super) fn after(&self, cell: u32) -> impl Iterator<Item = u32> {
        self.below.of(cell as usize).iter().map(|&tie| self.ties[tie as usize].1)
    }

    /// The bends that the edge `link` passes.
    pub(super) fn bends(&self, link: &Link) -> &[u32] {
        let between = (self.cells[link.to].rank - self.cells[link.from].rank - 1) as usize;
        let trunk = &self.trunks[link.from];
        &trunk[..between.min(trunk.len())]
    }
}

/// The longest trunk allowed, so that all trunks together have at most `budget` bends.
fn trunk_cap(lengths: &[usize], budget: usize) -> usize {
    let mut sorted = lengths.to_vec();
    sorted.sort_unstable();
    let mut used = 0;
    let mut previous = 0;
    for (index, &length) in sorted.iter().enumerate() {
        let longer = sorted.len() - index;
        let step = (length - previous) * longer;
        if used + step > budget {
            return previous + (budget - used) / longer;
        }
        used += step;
        previous = length;
    }
    previous
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cap_is_the_longest_that_fits() {
        for budget in 0..30 {
            let lengths = [5, 0, 9, 3, 3];
            let cap = trunk_cap(&lengths, budget);
            let total = |cap: usize| lengths.iter().map(|&length| length.min(cap)).sum::<usize>();
            assert!(total(cap) <= budget, "budget {budget}");
            assert!(cap == 9 || total(cap + 1) > budget, "budget {budget}");
        }
    }

    #[test]
    fn edges_of_one_source_share_their_bends() {
        // 0 → 1 → 2 → 3 and 0 feeds 2 and 3 as well.
        let links: Vec<Link> = [(0, 1), (1, 2), (2, 3), (0, 2), (0, 3)]
            .iter()
            .map(|&(from, to)| Link { from, to, weight: 1.0 })
            .collect();
        let levels = Levels::new(&[0, 1, 2, 3], &links);
        assert_eq!(levels.cells.len(), 6);
        assert_eq!(levels.bends(&links[3]), [4]);
        assert_eq!(levels.bends(&links[4]), [4, 5]);
    }
}
