//! Fused and unfused work give equal bits, and what should fuse does: the plan is the assertion.

use crate::blocks::{answer, bits, grids, layers};
use musher_array::ndarray::{Axis, Ix2, s};
use musher_array::{Array, DType, random};
use musher_graph_core::{Collection, Graph, Plan};
use musher_scheduler::{Compute, compute};

/// Computes an array and holds its blocks: the next operation has nothing to fuse with.
fn held(array: &Array<f64, Ix2>) -> Array<f64, Ix2> {
    array.persist().unwrap()
}

/// What is done to each step of a chain: nothing, or computing and keeping it.
type Hold<'a> = &'a dyn Fn(&Array<f64, Ix2>) -> Array<f64, Ix2>;

#[test]
fn a_chain_has_the_same_bits_in_one_pass_and_in_many() {
    for lengths in
        [vec![vec![300], vec![300]], vec![vec![100, 150, 50], vec![299, 1]], vec![vec![1; 300], vec![300]]]
    {
        let x = random::normal((300, 300), lengths.clone()).seed(3).build();
        let chain = |x: &Array<f64, Ix2>, hold: Hold<'_>| {
            let scaled = hold(&(x * 3.0));
            let shifted = hold(&(&scaled + x));
            let turned = hold(&(&shifted + shifted.t()));
            let clipped = hold(&turned.gt(0.5).select(&turned, 0.0));
            let mean = clipped.mean_axis(Axis(0));
            let centered = hold(&(&clipped - &mean));
            (
                centered.sum(),
                centered.std_axis(Axis(1), 0.0),
                centered.over(Axis(0)).max(),
                centered.exp().mean(),
            )
        };
        let fused = chain(&x, &|array| array.clone());
        let unfused = chain(&held(&x), &held);
        assert_eq!(answer(&fused.1.clone().into_dyn()), answer(&unfused.1.clone().into_dyn()));
        assert_eq!(answer(&fused.2.clone().into_dyn()), answer(&unfused.2.clone().into_dyn()));
        let together = compute((&fused.0, &fused.3)).unwrap();
        let apart = (unfused.0.compute().unwrap(), unfused.3.compute().unwrap());
        assert_eq!(together.0.to_bits(), apart.0.to_bits());
        assert_eq!(together.1.to_bits(), apart.1.to_bits());
    }
}

#[test]
fn every_division_gives_the_same_elements_fused() {
    let whole = random::uniform((4, 4), 4).seed(11).build().compute().unwrap();
    let want = &whole * 2.0 + whole.t() - whole.row(1);
    for lengths in grids(4, 4) {
        let x = random::uniform((4, 4), lengths.clone()).seed(11).build();
        let found = &x * 2.0 + x.t() - x.index_axis(Axis(0), 1);
        assert_eq!(bits(&answer(&found)), bits(&want), "{lengths:?}");
    }
}

/// ```text
/// uniform ─▶ partial mean ─▶ combine ─▶ mean        becomes        uniform → partial mean ─▶ combine ─▶ mean
/// ```
#[test]
fn the_mean_of_random_numbers_makes_no_block() {
    let mean = random::uniform((1000, 1000), (100, 100)).seed(1).build().mean();
    let labels = layers(&mean);
    assert!(labels.contains(&"uniform → partial mean".to_owned()), "{labels:?}");
    assert!(labels.iter().all(|label| label != "uniform"), "{labels:?}");
    let plan = Plan::new(Graph::collect(&[mean.request()]).unwrap().optimize()).unwrap();
    let peak = plan.explain().peak_bytes;
    assert!(peak < 1_000_000, "no block of 80,000 bytes is held 100 times: {peak}");
}

/// ```text
/// uniform ──┬──────────────▶ add ─▶ sub ─▶ partial sum      becomes      one layer over the mean of columns,
///           ├─ t ──────────▶ ┘      ▲                                    beside the layers of that mean
///           └─ mean of columns ─────┘
/// ```
#[test]
fn a_transpose_and_a_centered_sum_are_one_layer_over_the_mean() {
    let x = random::uniform((600, 600), (100, 100)).seed(1).build();
    let sum = (&x + x.t() - x.mean_axis(Axis(0))).sum();
    let labels = layers(&sum);
    let whole = labels.iter().filter(|label| ["uniform", "t", "add", "sub"].contains(&label.as_str()));
    assert_eq!(whole.count(), 0, "{labels:?}");
    assert!(sum.compute().unwrap().abs() > 0.0);
}

/// Mean and standard deviation of one source are one pass.
#[test]
fn siblings_join() {
    let x = random::uniform((400, 400), (100, 100)).seed(1).build();
    let (mean, std) = (x.mean(), x.std(0.0));
    let graph = Graph::collect(&[mean.request(), std.request()]).unwrap().optimize();
    let labels: Vec<String> =
        Plan::new(graph).unwrap().explain().layers.iter().map(|layer| layer.label.to_string()).collect();
    let partial = labels.iter().filter(|label| label.contains("partial"));
    assert_eq!(partial.count(), 1, "{labels:?}");
    let (together_mean, together_std) = compute((&mean, &std)).unwrap();
    assert_eq!(together_mean.to_bits(), mean.compute().unwrap().to_bits());
    assert_eq!(together_std.to_bits(), std.compute().unwrap().to_bits());
}

/// Reductions whose rows differ in length can be joined, too: each gets its own pass over the strips.
#[test]
fn siblings_along_different_rows_keep_their_bits() {
    let x = random::normal((70, 40), (20, 30)).seed(5).build();
    let exp = held(&x).exp();
    let alone = (
        exp.sum().compute().unwrap(),
        exp.sum_axis(Axis(1)).compute().unwrap(),
        exp.var_axis(Axis(0), 0.0).compute().unwrap(),
    );
    let together = compute((&exp.sum(), &exp.sum_axis(Axis(1)), &exp.var_axis(Axis(0), 0.0))).unwrap();
    assert_eq!(together.0.to_bits(), alone.0.to_bits());
    assert_eq!(bits(&together.1), bits(&alone.1));
    assert_eq!(bits(&together.2), bits(&alone.2));
}

#[test]
fn a_slice_of_whole_blocks_makes_no_other_block() {
    let x = random::uniform((1000, 1000), (100, 100)).seed(1).build();
    let corner = (x.slice(s![..100, 900..]) + 1.0).sum();
    let labels = layers(&corner);
    assert!(labels.iter().all(|label| label != "uniform" && label != "slice"), "{labels:?}");
    let want = x.compute().unwrap().slice(s![..100, 900..]).mapv(|x| x + 1.0).sum();
    assert!((corner.compute().unwrap() / want - 1.0).abs() < 1e-12);
}

#[test]
fn a_costly_array_is_not_computed_again_for_each_row() {
    let row = Array::linspace(0.0, 1.0, 500, 250).exp();
    let table = (random::uniform((500, 500), (250, 250)).seed(1).build() + &row).sum();
    let labels = layers(&table);
    assert!(labels.iter().any(|label| label.contains("exp") && !label.contains("add")), "{labels:?}");
}

#[test]
fn long_chains_stay_linear_and_right() {
    let mut x = Array::from_elem(10, 0_i64, 5);
    for _ in 0..3000 {
        x = &x + 1;
    }
    assert_eq!(x.dtype(), DType::I64);
    assert!(x.compute().unwrap().iter().all(|&value| value == 3000));
}
