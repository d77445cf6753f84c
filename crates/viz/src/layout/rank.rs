//! Which rank each node is in: sources first, every edge leads to a later rank, and edges are short.

use super::{Link, Lists};

/// Turns edges around until there is no cycle, and says which were turned.
///
/// An edge to itself is reported as turned, too; nothing else can be done with it.
pub(super) fn break_cycles(nodes: usize, links: &mut [Link]) -> Vec<bool> {
    #[derive(Clone, Copy, PartialEq)]
    enum Mark {
        New,
        Open,
        Done,
    }
    let outgoing = Lists::new(nodes, links.iter().enumerate().map(|(index, link)| (link.from, index as u32)));
    let mut turned = vec![false; links.len()];
    let mut marks = vec![Mark::New; nodes];
    let mut path: Vec<(usize, usize)> = Vec::new();
    for root in 0..nodes {
        if marks[root] != Mark::New {
            continue;
        }
        marks[root] = Mark::Open;
        path.push((root, 0));
        while let Some((node, tried)) = path.last_mut() {
            let Some(&edge) = outgoing.of(*node).get(*tried) else {
                marks[*node] = Mark::Done;
                path.pop();
                continue;
            };
            *tried += 1;
            let target = links[edge as usize].to;
            match marks[target] {
                Mark::New => {
                    marks[target] = Mark::Open;
                    path.push((target, 0));
                }
                Mark::Open => turned[edge as usize] = true,
                Mark::Done => {}
            }
        }
    }
    for (link, _) in links.iter_mut().zip(&turned).filter(|(_, turned)| **turned) {
        std::mem::swap(&mut link.from, &mut link.to);
    }
    turned
}

/// The rank of each node, starting at 0.
///
/// First the longest path from the sources, then nodes with more consumers than producers move toward their
/// consumers: an input stands right before what reads it, not at the far end of the picture.
pub(super) fn ranks(nodes: usize, links: &[Link], effort: &mut u64) -> Vec<u32> {
    let outgoing = Lists::new(nodes, links.iter().map(|link| (link.from, link.to as u32)));
    let incoming = Lists::new(nodes, links.iter().map(|link| (link.to, link.from as u32)));
    let mut waiting: Vec<usize> = (0..nodes).map(|node| incoming.of(node).len()).collect();
    let mut sorted: Vec<u32> = (0..nodes as u32).filter(|&node| waiting[node as usize] == 0).collect();
    let mut ranks = vec![0_u32; nodes];
    let mut next = 0;
    while let Some(&node) = sorted.get(next) {
        next += 1;
        for &target in outgoing.of(node as usize) {
            ranks[target as usize] = ranks[target as usize].max(ranks[node as usize] + 1);
            waiting[target as usize] -= 1;
            if waiting[target as usize] == 0 {
                sorted.push(target);
            }
        }
    }
    *effort += (nodes + links.len()) as u64;
    for _ in 0..PULLS {
        let mut moved = false;
        for &node in sorted.iter().rev() {
            let (before, after) = (incoming.of(node as usize), outgoing.of(node as usize));
            let limit = after.iter().map(|&target| ranks[target as usize] - 1).min();
            if let Some(limit) = limit
                && after.len() > before.len()
                && limit > ranks[node as usize]
            {
                ranks[node as usize] = limit;
                moved = true;
            }
        }
        *effort += (nodes + links.len()) as u64;
        if !moved {
            break;
        }
    }
    let first = ranks.iter().copied().min().unwrap_or(0);
    ranks.iter().map(|rank| rank - first).collect()
}

/// Rounds of moving nodes toward their consumers; one is enough for nearly all graphs.
const PULLS: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    fn links(pairs: &[(usize, usize)]) -> Vec<Link> {
        pairs.iter().map(|&(from, to)| Link { from, to, weight: 1.0 }).collect()
    }

    #[test]
    fn a_source_stands_right_before_its_consumer() {
        // 0 → 1 → 2 → 3, and 4 feeds 3 only.
        let ranks = ranks(5, &links(&[(0, 1), (1, 2), (2, 3), (4, 3)]), &mut 0);
        assert_eq!(ranks, [0, 1, 2, 3, 2]);
    }

    #[test]
    fn every_edge_leads_to_a_later_rank_after_cycles_are_broken() {
        let mut links = links(&[(0, 1), (1, 2), (2, 0), (2, 3), (3, 1), (3, 3)]);
        let turned = break_cycles(4, &mut links);
        assert_eq!(turned, [false, false, true, false, true, true]);
        links.retain(|link| link.from != link.to);
        let ranks = ranks(4, &links, &mut 0);
        assert!(links.iter().all(|link| ranks[link.from] < ranks[link.to]));
    }
}
