//! The promises of orders over many blocks, and of maps over lines, windows and groups.

use super::{read, row, x};
use musher_array::ndarray::{ArrayD, Axis, Ix1, arr0};
use musher_array::{All, Array, Chunking, Interpolation, Overhang, Side, apply_gufunc, blockwise};
use musher_graph_core::Delayed;
use musher_scheduler::{Compute, Error, Options};
use musher_testkit::{Cases, Size};

/// A line of many different numbers.
fn noise(size: Size) -> Array<f64, Ix1> {
    Array::from_shape_fn(size.elements::<f64>(), size.chunk::<f64>(), |i| {
        ((i as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 11) as f64
    })
}

/// Of elements from a file.
fn from_file(
    size: Size,
    options: &Options,
    ask: impl Fn(&Array<f64, Ix1>) -> Result<u64, Error>,
) -> Result<u64, Error> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.npy");
    let written: Delayed<()> = noise(size).to_npy(&path);
    written.compute_with(options)?;
    ask(&Array::<f64, Ix1>::read_npy(&path, size.chunk::<f64>()).unwrap())
}

pub(super) fn orders(cases: &mut Cases) {
    calls!(cases, size, x(size); median(), quantile(0.3, Interpolation::Linear), percentile(30.0, Interpolation::Lower));
    calls!(cases, size, row(size); quantiles(&[0.1, 0.5], Interpolation::Linear), percentiles(&[1.0, 99.0], Interpolation::Lower));
    calls!(cases, size, row(size); sort(Axis(0)), argsort(Axis(0)), partition(10, Axis(0)), argpartition(10, Axis(0)));
    calls!(cases, size, noise(size); sort(Axis(0)), argsort(Axis(0)), argtopk(50, Axis(0)));
    made!(cases, size;
        "Over::quantiles" => noise(size).over(All).skip_nan().quantiles(&[0.01, 0.5], Interpolation::Linear),
        "Selected::len" => row(size).unique().len(),
        "Selected::len" => noise(size).unique().len(),
        "Selected::len" => row(size).unique_all().inverse,
        "Selected::len" => noise(size).unique_all().counts.len(),
    );
    cases.add("Array::sort", |size, options| from_file(size, options, |x| read(&x.sort(Axis(0)), options)));
    cases.own_files();
    cases.add("Array::quantiles", |size, options| {
        from_file(size, options, |x| read(&x.quantiles(&[0.25, 0.75], Interpolation::Linear), options))
    });
    cases.own_files();
    cases
        .add("Selected::len", |size, options| from_file(size, options, |x| read(&x.unique().len(), options)));
    cases.own_files();
    cases.without("Array::evcxr_display", "it computes nothing");
    cases.without("lexsort", "all of its keys must fit in memory");
}

pub(super) fn maps(cases: &mut Cases) {
    fn side(size: Size) -> usize {
        size.square::<f64>().0
    }
    calls!(cases, size, x(size); take_along_axis(&x(size).argsort(Axis(1)), Axis(1)));
    calls!(cases, size, x(size); map_axis(Axis(0), |line| line[0]), map_lanes(Axis(1), 3, |line, out: &mut [f64]| out[1] = line[2]));
    calls!(cases, size, x(size); apply_over_axes(&[Axis(0), Axis(1)], |x, axis| x.over(axis).keep_axes().sum()));
    calls!(cases, size, x(size); interp(&[1.0, 50.0], &[2.0, -1.0]), sliding_window_view([2, 2]), take_groups(Axis(0), &[vec![5, 3], vec![100]]));
    calls!(cases, size, noise(size); convolve(&[1.0, 0.5, 0.25], Overhang::Same), correlate(&[1.0, 0.5], Overhang::Full));
    made!(cases, size;
        "Array::put_along_axis" => {
            let largest = x(size).argtopk(2, Axis(1));
            let zeros = Array::zeros((side(size), 2), size.square::<f64>().1);
            x(size).put_along_axis(&largest, &zeros, Axis(1))
        },
        "Array::search_sorted_in" => {
            let sorted = Array::arange(0, 97, 1, 40).cast::<f64>();
            x(size).search_sorted_in(&sorted, Side::Left)
        },
        "Array::rolling Rolling::sum" => x(size).rolling(Axis(0), 5).sum(),
        "Rolling::mean" => noise(size).rolling(Axis(0), 3).mean(),
        "Rolling::max" => x(size).rolling(Axis(1), 3).max(),
        "Rolling::min" => x(size).rolling(Axis(1), 3).min(),
        "Array::group_by_axis GroupedAxis::sum" => {
            let labels: Vec<usize> = (0..side(size)).map(|i| i * 7 % 12).collect();
            x(size).group_by_axis(Axis(0), &labels, 12).sum()
        },
        "GroupedAxis::mean" => x(size).group_by_axis(Axis(1), &vec![0; side(size)], 2).mean(),
        "GroupedAxis::max" => x(size).group_by_axis(Axis(1), &vec![0; side(size)], 2).max(),
        "GroupedAxis::min" => x(size).group_by_axis(Axis(0), &vec![1; side(size)], 2).min(),
        "Array::batches" => x(size).batches(size.square::<f64>().1).nth(3).unwrap(),
        "Array::reshape_blockwise" => {
            let lengths: Vec<usize> = vec![size.square::<f64>().1.pow(2); x(size).chunks().n_blocks()];
            x(size).reshape_blockwise::<Ix1>(Chunking::from_lengths(&[lengths]))
        },
        "blockwise" => {
            let x = x(size).into_dyn();
            blockwise("ji", &[(&x, "ij")], |blocks| ArrayD::from(blocks[0].t().to_owned())).unwrap()
        },
    );
    cases.users_memory();
    cases.add("apply_gufunc", |size, options| {
        let x = x(size).into_dyn();
        read(&apply_gufunc("(i)->()", &[&x], |parts| arr0(parts[0].sum()).into_dyn()).unwrap(), options)
    });
    cases.users_memory();
}
