//! Running totals over any shape, cut and axis against a loop; that they fuse, stream and refuse what does not fit.

use crate::blocks::answer;
use musher_array::ndarray::{self, ArrayD, Axis, IxDyn, arr1, arr2};
use musher_array::{Array, Chunking, Chunks, Error};
use musher_graph_core::{Collection, Graph, Plan, Policy};
use musher_scheduler::Compute;
use musher_testkit::Random;
use num_complex::Complex;

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
        let zeros = Array::from_array(arr1(&[0.0, -0.0, 0.0]), block);
        let signs = |found: ndarray::Array1<f64>| found.map(|zero| zero.is_sign_negative()).to_vec();
        assert_eq!(
            signs(answer(&zeros.cummin(Axis(0)))),
            [false, true, false],
            "as NumPy's, the later of equals"
        );
        assert_eq!(signs(answer(&zeros.cummax(Axis(0)))), [false, true, false]);
        let found = answer(&x.cummax(Axis(0)));
        assert!(found[2].is_nan() && found[3].is_nan());
        let found = answer(&x.forward_fill(Axis(0)));
        assert!(found[2].is_sign_negative() && found[2] == 0.0);
    }
}

/// What a block comes to alone does not count: NumPy's answers, whatever the blocks.
#[test]
fn totals_that_fit_are_found_where_those_of_a_block_alone_would_not() {
    let sums = [-5, 0, i64::MAX, 3, -7];
    let products = [0, 5, i64::MAX, 2, 9];
    for block in [1, 2, 3, 5] {
        let found = answer(&Array::from_array(arr1(&sums), block).cumsum(Axis(0)));
        assert_eq!(found, arr1(&[-5, -5, i64::MAX - 5, i64::MAX - 2, i64::MAX - 9]));
        assert_eq!(answer(&Array::from_array(arr1(&products), block).cumprod(Axis(0))), arr1(&[0; 5]));
        let floats = Array::from_array(arr1(&[0.0, 1e200, 1e200, 1e200, 2.0]), block);
        assert_eq!(answer(&floats.cumprod(Axis(0))), arr1(&[0.0; 5]));
        let complex = [Complex::new(f64::INFINITY, 0.0), Complex::new(1.0, -0.0)];
        let found = answer(&Array::from_array(arr1(&complex), block).cumprod(Axis(0)));
        assert_eq!(found[0], complex[0]);
        let wide = Array::from_array(arr2(&[[1_u8, 2], [3, 4], [5, 6]]), (block, 1));
        assert_eq!(answer(&wide.cumprod(Axis(0))), arr2(&[[1_u64, 2], [3, 8], [15, 48]]));
        assert_eq!(answer(&wide.t().cumsum(Axis(0))), arr2(&[[1_u64, 3, 5], [3, 7, 11]]));
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
