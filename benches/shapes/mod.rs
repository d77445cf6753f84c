//! The five shapes of graphs on which overhead is measured.

use musher::{GraphBuilder, Handmade, NodeId};

/// The five shapes: for each task its inputs, in compressed rows.
pub(crate) struct Edges {
    pub(crate) ends: Vec<u32>,
    pub(crate) inputs: Vec<u32>,
}

impl Edges {
    pub(crate) fn row(&self, task: usize) -> &[u32] {
        let start = if task == 0 { 0 } else { self.ends[task - 1] as usize };
        &self.inputs[start..self.ends[task] as usize]
    }

    /// About `n` tasks in one of the shapes `independent`, `chain`, `tree`, `wavefront`, `random`.
    pub(crate) fn of(shape: &str, n: usize) -> Self {
        let side = n.isqrt();
        let leaves = n.div_ceil(2);
        let n = match shape {
            "tree" => 2 * leaves - 1,
            "wavefront" => side * side,
            _ => n,
        };
        let mut edges = Self { ends: Vec::with_capacity(n), inputs: Vec::new() };
        for task in 0..n {
            match shape {
                "chain" if task > 0 => edges.inputs.push(task as u32 - 1),
                "tree" if task >= leaves => {
                    let first = 2 * (task - leaves) as u32;
                    edges.inputs.extend([first, first + 1]);
                }
                "wavefront" => {
                    edges.inputs.extend((task >= side).then(|| (task - side) as u32));
                    edges.inputs.extend((task % side > 0).then(|| task as u32 - 1));
                }
                "random" if task > 0 => {
                    let window = task.min(1000) as u64;
                    let draw = |k| (task as u64 - 1 - split_mix(3 * task as u64 + k) % window) as u32;
                    let mut drawn = [draw(0), draw(1), draw(2)].to_vec();
                    drawn.sort_unstable();
                    drawn.dedup();
                    edges.inputs.extend(drawn);
                }
                _ => {}
            }
            edges.ends.push(edges.inputs.len() as u32);
        }
        edges
    }
}

fn split_mix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

/// The hand-made graph of these edges: each task computes `(sum of inputs) * 1664525 + 1013904223 + own number`.
/// Asked for are the tasks that nobody reads.
pub(crate) fn build(edges: &Edges) -> Handmade<u32> {
    let n = edges.ends.len();
    let mut graph = GraphBuilder::with_capacity(n, edges.inputs.len());
    let mut ids: Vec<NodeId> = Vec::with_capacity(n);
    let mut is_read = vec![false; n];
    for task in 0..n {
        let own = task as u32;
        let inputs = edges.row(task).iter().map(|&input| {
            is_read[input as usize] = true;
            ids[input as usize]
        });
        ids.push(graph.add(inputs, move |inputs| {
            let sum = inputs.iter().fold(0u32, |sum, &value| sum.wrapping_add(value));
            sum.wrapping_mul(1_664_525).wrapping_add(1_013_904_223).wrapping_add(own)
        }));
    }
    let sinks: Vec<NodeId> = ids.into_iter().filter(|id| !is_read[id.index()]).collect();
    graph.build(&sinks)
}
