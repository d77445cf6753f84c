//! Which rank each node is in: sources first, every edge leads to a later rank, and edges are short.

use petgraph::algo::{greedy_feedback_arc_set, toposort};
use petgraph::graph::DiGraph;
use petgraph::visit::EdgeRef;

use super::{Link, Lists};

/// Turns edges around until there is no cycle, few of them, and says which were turned; without a cycle none is.
///
/// An edge to itself is reported as turned, too; nothing else can be done with it.
///
/// Source: P. Eades, X. Lin, W. Smyth: A fast and effective heuristic for the feedback arc set problem, 1993.
pub(super) fn break_cycles(links: &mut [Link]) -> Vec<bool> {
    let graph = DiGraph::<(), (), usize>::from_edges(links.iter().map(|link| (link.from, link.to)));
    let mut turned = vec![false; links.len()];
    // Without a cycle nothing is looked for: graphs of tasks have none, and the search takes long in a debug build, where
    // it checks its lists at each step.
    if toposort(&graph, None).is_err() {
        for edge in greedy_feedback_arc_set(&graph) {
            turned[edge.id().index()] = true;
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
    fn no_graph_of_four_nodes_keeps_a_cycle_and_none_without_one_is_touched() {
        let all: Vec<(usize, usize)> = (0..4)
            .flat_map(|from| (0..4).map(move |to| (from, to)))
            .filter(|(from, to)| from != to)
            .collect();
        for chosen in 0..1_u32 << all.len() {
            let pairs: Vec<_> = (0..all.len()).filter(|at| chosen >> at & 1 == 1).map(|at| all[at]).collect();
            let mut links = links(&pairs);
            let is_cyclic = |links: &[Link]| {
                let pairs = links.iter().map(|link| (link.from, link.to));
                petgraph::algo::is_cyclic_directed(&DiGraph::<(), (), usize>::from_edges(pairs))
            };
            let had_cycle = is_cyclic(&links);
            let turned = break_cycles(&mut links);
            assert!(!is_cyclic(&links), "{pairs:?}");
            assert_eq!(turned.contains(&true), had_cycle, "{pairs:?}");
        }
    }

    #[test]
    fn every_edge_leads_to_a_later_rank_after_cycles_are_broken() {
        let mut links = links(&[(0, 1), (1, 2), (2, 0), (2, 3), (3, 1), (3, 3)]);
        let turned = break_cycles(&mut links);
        assert_eq!(turned, [false, true, false, false, false, true]);
        links.retain(|link| link.from != link.to);
        let ranks = ranks(4, &links, &mut 0);
        assert!(links.iter().all(|link| ranks[link.from] < ranks[link.to]));
    }
}
