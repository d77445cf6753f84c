//! The whole layout: components that no edge joins are laid out one by one and placed side by side.

use petgraph::unionfind::UnionFind;

use super::levels::Levels;
use super::{Arrangement, Bend, Extent, Link, Route, Spacing, order, position, rank};

/// Up to this many components stand in one row, however wide it gets.
const COMPONENTS_IN_A_ROW: usize = 16;
/// Width over height that rows of many components aim at.
const ASPECT: f64 = 3.0;

/// Lays out the graph.
///
/// Edges whose ends are the same node get no bends and take no part.
///
/// # Panics
///
/// When an edge names a node that does not exist.
pub(crate) fn arrange(extents: &[Extent], links: &[Link], spacing: Spacing) -> Arrangement {
    let mut whole = Arrangement {
        centers: vec![(0.0, 0.0); extents.len()],
        trunks: vec![Vec::new(); extents.len()],
        routes: vec![Route::default(); links.len()],
        ..Arrangement::default()
    };
    let components = split(extents.len(), links);
    let placed: Vec<Arrangement> = components
        .iter()
        .map(|component| arrange_component(&component.extents(extents), component.links.clone(), spacing))
        .collect();
    let row_width = match components.len() <= COMPONENTS_IN_A_ROW {
        true => f64::INFINITY,
        false => {
            let area: f64 = placed
                .iter()
                .map(|one| (one.across + spacing.components) * (one.along + spacing.components))
                .sum();
            (area * ASPECT).sqrt()
        }
    };
    let (mut left, mut top, mut height) = (0.0_f64, 0.0_f64, 0.0_f64);
    for (component, one) in components.iter().zip(placed) {
        if left > 0.0 && left + one.across > row_width {
            top += height + spacing.components;
            (left, height) = (0.0, 0.0);
        }
        let moved = |bend: Bend| Bend {
            across: bend.across + left,
            enter: bend.enter + top,
            leave: bend.leave + top,
        };
        for ((&node, center), trunk) in component.nodes.iter().zip(one.centers).zip(one.trunks) {
            whole.centers[node] = (left + center.0, top + center.1);
            whole.trunks[node] = trunk.into_iter().map(moved).collect();
        }
        for (&edge, route) in component.edges.iter().zip(one.routes) {
            whole.routes[edge] = route;
        }
        whole.across = whole.across.max(left + one.across);
        whole.along = whole.along.max(top + one.along);
        whole.crossings += one.crossings;
        whole.effort += one.effort;
        left += one.across + spacing.components;
        height = height.max(one.along);
    }
    whole
}

/// Nodes joined by edges, with the edges among them.
#[derive(Default)]
struct Component {
    nodes: Vec<usize>,
    edges: Vec<usize>,
    /// The edges again, by places in `nodes`.
    links: Vec<Link>,
}

impl Component {
    fn extents(&self, all: &[Extent]) -> Vec<Extent> {
        self.nodes.iter().map(|&node| all[node]).collect()
    }
}

/// The connected components, in the order of their first nodes.
fn split(nodes: usize, links: &[Link]) -> Vec<Component> {
    let mut joined = UnionFind::new(nodes);
    for link in links {
        joined.union(link.from, link.to);
    }
    let mut component_of = vec![usize::MAX; nodes];
    let mut place_of = vec![0; nodes];
    let mut components: Vec<Component> = Vec::new();
    for node in 0..nodes {
        let head = joined.find_mut(node);
        if component_of[head] == usize::MAX {
            component_of[head] = components.len();
            components.push(Component::default());
        }
        component_of[node] = component_of[head];
        let component = &mut components[component_of[node]];
        place_of[node] = component.nodes.len();
        component.nodes.push(node);
    }
    for (index, link) in links.iter().enumerate().filter(|(_, link)| link.from != link.to) {
        let component = &mut components[component_of[link.from]];
        component.edges.push(index);
        component.links.push(Link { from: place_of[link.from], to: place_of[link.to], weight: link.weight });
    }
    components
}

fn arrange_component(extents: &[Extent], mut links: Vec<Link>, spacing: Spacing) -> Arrangement {
    let mut effort = 0;
    let turned = rank::break_cycles(&mut links);
    let ranks = rank::ranks(extents.len(), &links, &mut effort);
    let mut levels = Levels::new(&ranks, &links);
    let crossings = order::order(&mut levels, &mut effort);
    let (at, across) = position::positions(&levels, extents, spacing, &mut effort);
    let bands = bands(&levels, extents, &at, spacing);
    let centers = (0..extents.len())
        .map(|node| (at[node], f64::midpoint(bands[ranks[node] as usize].0, bands[ranks[node] as usize].1)))
        .collect();
    let bend = |&cell: &u32| {
        let (enter, leave) = bands[levels.cells[cell as usize].rank as usize];
        Bend { across: at[cell as usize], enter, leave }
    };
    let trunks = levels.trunks.iter().map(|trunk| trunk.iter().map(bend).collect()).collect();
    let routes = links
        .iter()
        .zip(turned)
        .map(|(link, turned)| Route { bends: levels.bends(link).len(), turned })
        .collect();
    let along = bands.last().map_or(0.0, |band| band.1);
    Arrangement { centers, trunks, routes, across, along, crossings, effort }
}

/// Where each rank begins and ends; ranks with far-reaching edges between them stand farther apart.
fn bands(levels: &Levels, extents: &[Extent], at: &[f64], spacing: Spacing) -> Vec<(f64, f64)> {
    let mut depth = vec![0.0_f64; levels.ranks.len()];
    for cell in &levels.cells {
        if let Some(node) = cell.node {
            let rank = cell.rank as usize;
            depth[rank] = depth[rank].max(extents[node as usize].along);
        }
    }
    let mut reach = vec![0.0_f64; levels.ranks.len()];
    for &(from, to, _) in &levels.ties {
        let rank = levels.cells[from as usize].rank as usize;
        reach[rank] = reach[rank].max((at[from as usize] - at[to as usize]).abs());
    }
    let mut top = 0.0;
    let mut bands = Vec::with_capacity(depth.len());
    for (depth, reach) in depth.into_iter().zip(reach) {
        bands.push((top, top + depth));
        top += depth + spacing.ranks + (spacing.spread * (reach - 60.0).max(0.0)).min(3.0 * spacing.ranks);
    }
    bands
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPACING: Spacing =
        Spacing { nodes: 18.0, bends: 12.0, ranks: 30.0, spread: 0.16, components: 30.0 };

    fn place(nodes: usize, pairs: &[(usize, usize)]) -> Arrangement {
        let extents = vec![Extent { across: 40.0, along: 20.0 }; nodes];
        let links: Vec<Link> = pairs.iter().map(|&(from, to)| Link { from, to, weight: 1.0 }).collect();
        arrange(&extents, &links, SPACING)
    }

    type Pairs = Vec<(usize, usize)>;

    /// Graphs of many shapes with about `n` nodes: name, nodes, edges.
    fn families(n: usize) -> Vec<(&'static str, usize, Pairs)> {
        let mut state = 5_u64;
        let mut next = |limit: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((state >> 33) % limit as u64) as usize
        };
        let chain = (1..n).map(|node| (node - 1, node));
        let side = n.isqrt();
        let grid =
            |node: usize| (node >= side).then(|| (node - side).saturating_sub(1)..(node - side + 2).min(n));
        vec![
            ("chain", n, chain.clone().collect()),
            ("fan-out", n, (1..n).map(|node| (0, node)).collect()),
            ("fan-in", n, (1..n).map(|node| (node, 0)).collect()),
            ("tree", n, (1..n).map(|node| (node, (node - 1) / 4)).collect()),
            ("chain with a shared input", n, chain.chain((2..n).map(|node| (0, node))).collect()),
            (
                "neighbors",
                n,
                (0..n)
                    .flat_map(|node| grid(node).into_iter().flatten().map(move |from| (from, node)))
                    .collect(),
            ),
            ("random", n, (1..n).flat_map(|node| [0, 1].map(|_| (next(node), node))).collect()),
            ("components", n, (0..n / 2).map(|component| (2 * component, 2 * component + 1)).collect()),
        ]
    }

    #[test]
    fn effort_is_linear_in_nodes_and_edges() {
        let per_item = |n: usize| {
            families(n)
                .into_iter()
                .map(|(name, nodes, pairs)| {
                    (name, place(nodes, &pairs).effort as f64 / (nodes + pairs.len()) as f64)
                })
                .collect::<Vec<_>>()
        };
        let (small, large) = (per_item(1_000), per_item(8_000));
        for ((name, small), (_, large)) in small.into_iter().zip(large) {
            assert!(large < 1_500.0, "{name}: {large} steps for each node and edge");
            assert!(
                large < 1.6 * small + 20.0,
                "{name}: from {small} to {large} steps for each node and edge"
            );
        }
    }

    #[test]
    fn equal_graphs_get_equal_places() {
        for (name, nodes, pairs) in families(200) {
            let (a, b) = (place(nodes, &pairs), place(nodes, &pairs));
            assert_eq!((a.centers, a.trunks, a.routes), (b.centers, b.trunks, b.routes), "{name}");
        }
    }

    #[test]
    fn a_tree_has_no_crossing_and_its_root_stands_in_the_middle() {
        let pairs: Vec<(usize, usize)> = (1..21).map(|node| (node, (node - 1) / 4)).collect();
        let tree = place(21, &pairs);
        assert_eq!(tree.crossings, 0);
        assert!((tree.centers[0].0 - tree.across / 2.0).abs() < 1.0, "{:?}", tree.centers[0]);
    }

    #[test]
    fn components_stand_side_by_side_and_many_of_them_in_rows() {
        let components = |n: usize| {
            place(2 * n, &(0..n).map(|component| (2 * component, 2 * component + 1)).collect::<Vec<_>>())
        };
        let nine = components(9);
        assert!(
            (0..8).all(|component| nine.centers[2 * component].0 + 40.0 < nine.centers[2 * component + 2].0)
        );
        assert!((0..9).all(|component| nine.centers[2 * component].1 == nine.centers[0].1));
        let hundred = components(100);
        assert!(hundred.across < 6.0 * hundred.along, "{} × {}", hundred.across, hundred.along);
    }
}
