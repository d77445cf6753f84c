//! Running totals over any shape, cut and axis against a loop; that they fuse, stream and refuse what does not fit.

use crate::blocks::answer;
use musher_array::ndarray::{ArrayD, Axis, IxDyn, arr1};
use musher_array::{Array, Chunking, Chunks, Error};
use musher_graph_core::{Collection, Graph, Plan, Policy};
use musher_scheduler::Compute;
use musher_testkit::Random;

/// Lengths that add up to `n`, some of them 0.
fn cut(random: &mut Random, n: usize) -> Vec<usize> {
    let mut lengths = Vec::new();
    let mut left = n;
    while left > 0 {
        let length = random.below(left.min(4) + 1);
        lengths.push(length);
        left -= length;
    }
    if lengths.is_empty() || random.one_in(4) {
        lengths.push(0);
    }
    lengths
}

/// Every element joined with all before it on its line.
fn expected(x: &ArrayD<i64>, axis: usize, join: impl Fn(i64, i64) -> i64) -> ArrayD<i64> {
    let mut out = x.clone();
    out.accumulate_axis_inplace(Axis(axis), |&before, own| *own = join(before, *own));
    out
}

#[test]
fn any_cut_of_any_shape_gives_the_totals_of_a_loop() {
    let mut random = Random::new(5);
    for _ in 0..200 {
        let ndim = 1 + random.below(3);
        let shape: Vec<usize> = (0..ndim).map(|_| random.below(9)).collect();
        let axis = random.below(ndim);
        let lengths: Vec<Vec<usize>> = shape.iter().map(|&n| cut(&mut random, n)).collect();
        let x = ArrayD::from_shape_simple_fn(IxDyn(&shape), || random.below(5) as i64 - 2);
        let blocks = Array::from_array(x.clone(), Chunks::from(Chunking::from_lengths(&lengths)));
        for (name, found, join) in [
            ("cumsum", blocks.cumsum(Axis(axis)), (|a, b| a + b) as fn(i64, i64) -> i64),
            ("cumprod", blocks.cumprod(Axis(axis)), |a, b| a * b),
            ("cummax", blocks.cummax(Axis(axis)), |a, b| a.max(b)),
            ("cummin", blocks.cummin(Axis(axis)), |a, b| a.min(b)),
        ] {
            assert_eq!(answer(&found), expected(&x, axis, join), "{name} along {axis} of {lengths:?}");
        }
    }
}

/// Beyond 64 blocks the sums before blocks are a tree.
#[test]
fn long_axes_and_transposed_inputs_give_the_same() {
    let x = ArrayD::from_shape_fn(IxDyn(&[300, 40]), |at| ((at[0] * 7 + at[1] * 3) % 11) as i64 - 5);
    let want = expected(&x, 0, |a, b| a + b);
    for rows in [1, 2, 5, 300] {
        let blocks = Array::from_array(x.clone(), [rows, 17].as_slice());
        assert_eq!(answer(&blocks.cumsum(Axis(0))), want);
        assert_eq!(answer(&blocks.t().cumsum(Axis(1)).t()), want);
        assert_eq!(answer(&(&blocks + 0).t().cumsum(Axis(1)).t()), want);
    }
}

#[test]
fn the_sign_of_zero_and_nan_are_kept() {
    let x = arr1(&[-0.0, -0.0, f64::NAN, 1.0]);
    for block in [1, 2, 4] {
        let x = Array::from_array(x.clone(), block);
        let found = answer(&x.cumsum(Axis(0)));
        assert!(found[0].is_sign_negative() && found[1].is_sign_negative() && found[3].is_nan());
        let found = answer(&x.cummax(Axis(0)));
        assert!(found[2].is_nan() && found[3].is_nan());
        let found = answer(&x.forward_fill(Axis(0)));
        assert!(found[2].is_sign_negative() && found[2] == 0.0);
    }
}

#[test]
fn what_does_not_fit_and_wrong_axes_are_errors() {
    for block in [1, 2, 3] {
        let x = Array::from_array(arr1(&[i64::MAX, 0, 1]), block);
        let error = x.cumsum(Axis(0)).compute().unwrap_err().to_string();
        assert!(error.contains("cumsum"), "{error}");
    }
    let x = Array::from_array(arr1(&[1, 2]), 1);
    let error = x.try_cumprod(Axis(1)).unwrap_err();
    assert!(matches!(error, Error::Axis { operation: "cumprod", axis: 1, ndim: 1, .. }), "{error}");
}

/// Producers fuse into the scan, consumers into its last step, and blocks do not wait for all others.
#[test]
fn scans_fuse_on_both_sides_and_stream() {
    const N: usize = 1000;
    const BLOCK: usize = 10_000;
    let x = Array::<f64, _>::linspace(0.0, 1.0, N * BLOCK, BLOCK);
    let mean = (&x * 2.0 + 1.0).cumsum(Axis(0)).sqrt().mean();
    let plan = Plan::new(Graph::collect(&[mean.request()]).unwrap().optimize()).unwrap();
    let labels: Vec<String> =
        plan.tasks().layers().iter().map(|layer| layer.task.label().into_owned()).collect();
    let fused = |parts: &[&str]| labels.iter().any(|label| parts.iter().all(|part| label.contains(part)));
    assert!(fused(&["mul", "add", "cumsum"]), "{labels:?}");
    assert!(fused(&["cumsum", "sqrt", "partial mean"]), "{labels:?}");
    let peak = plan.forecast(u64::MAX, Policy::Furthest).peak_bytes;
    assert!(peak < 6 * 8 * BLOCK as u64, "{peak} bytes at once");
}
