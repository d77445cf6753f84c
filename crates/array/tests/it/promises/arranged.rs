//! The promises of layouts, choices, statistics and order.

use super::{read, row, whole, x, y};
use musher_array::ndarray::{Axis, Ix2, s};
use musher_array::{
    Array, Boundary, Depth, Indexing, Interpolation, Side, bin_edges, broadcast_arrays, column_stack, dstack,
    histogram2d, histogramdd, histogramdd_weighted, hstack, meshgrid, unify_chunks, vstack,
};
use musher_scheduler::Compute;
use musher_testkit::{Cases, Size, digest};

fn side(size: Size) -> usize {
    size.square::<f64>().0
}

/// Forty columns.
fn narrow(size: Size) -> Array<f64, Ix2> {
    let (n, block) = size.square::<f64>();
    Array::from_shape_fn((n, 40), block, |(i, j)| ((i * 7 + j) % 11) as f64)
}

pub(super) fn layouts(cases: &mut Cases) {
    calls!(cases, size, x(size); move_axis(Axis(0), Axis(1)), flip(Axis(0)), flip(Axis(1)), rot90(1, Axis(0), Axis(1)));
    calls!(cases, size, x(size); roll(100, Axis(1)), tile([2, 1]), repeat(Axis(1), 2), pad(3, Boundary::Wrap));
    calls!(cases, size, x(size); pad_ramp(3, 0.0), squeeze(), atleast_1d(), atleast_2d(), atleast_3d());
    calls!(cases, size, x(size); append(Axis(0), &y(size)), insert(Axis(1), 10, &y(size)), delete(Axis(0), &[5, 300]));
    calls!(cases, size, x(size); tril(0), triu(3), diagonal(5, Axis(0), Axis(1)), trace(0), blocks(s![1.., ..]));
    made!(cases, size;
        "Array::pad_with" => x(size).pad_with(Axis(0), Depth::both(2), &x(size).over(Axis(0)).keep_axes().mean()),
        "Array::squeeze_axis" => x(size).insert_axis(Axis(0)).squeeze_axis(Axis(0)),
        "Array::split" => x(size).split(Axis(0), &[100]).swap_remove(1),
        "Array::array_split" => x(size).array_split(Axis(1), 2).swap_remove(0),
        "Array::unstack" => x(size).slice(s![..3, ..]).unstack(Axis(0)).swap_remove(1),
        "Array::tri" => Array::<f64, Ix2>::tri((side(size), side(size)), 0, size.square::<f64>().1),
        "Array::from_diag" => Array::from_diag(&x(size).mean_axis(Axis(0)), 0),
        "Array::ones_like" => Array::<f64, Ix2>::ones_like(&x(size)),
        "Array::full_like" => Array::<f64, Ix2>::full_like(&x(size), 2.5),
        "Array::take" => x(size).take(Axis(0), &(0..side(size)).rev().step_by(2).collect::<Vec<_>>()),
        "Array::take" => x(size).take(Axis(1), &(0..side(size)).map(|i| i * 77 % side(size)).collect::<Vec<_>>()),
        "Array::compress" => x(size).compress(Axis(0), &(0..side(size)).map(|i| i % 3 == 0).collect::<Vec<_>>()),
        "vstack" => vstack(&[&x(size), &y(size)]).unwrap(),
        "hstack" => hstack(&[&x(size), &y(size)]).unwrap(),
        "dstack" => dstack(&[&x(size), &y(size)]).unwrap(),
        "column_stack" => column_stack(&[&x(size), &y(size)]).unwrap(),
        "broadcast_arrays" => {
            let line = x(size).over(Axis(0)).keep_axes().mean();
            broadcast_arrays(&[&x(size), &line]).unwrap().swap_remove(1)
        },
        "unify_chunks" => unify_chunks(&[&x(size), &y(size).rechunk(100)]).unwrap().swap_remove(0),
        "meshgrid" => {
            let (left, right) = (x(size).mean_axis(Axis(0)), x(size).mean_axis(Axis(1)));
            meshgrid(&[&left, &right], Indexing::Xy).unwrap().swap_remove(0)
        },
    );
}

pub(super) fn choices(cases: &mut Cases) {
    calls!(cases, size, x(size); vindex(&[&[1, 300, 7], &[5, 2, 300]]), assign(s![3..200, ..;2], 1.0));
    calls!(cases, size, x(size); assign_where(&x(size).gt(40.0), &y(size)));
    made!(cases, size;
        "Array::assign" => x(size).assign(s![..-5, 5..], &y(size).slice(s![5.., ..-5])),
        "Array::choose" => (whole(size) % 2).choose(&[&whole(size), &whole(size).t()]),
        "Array::piecewise" => x(size).piecewise(&[(&x(size).gt(40.0), &|x| x * 2.0)], 0.0),
    );
    cases.add("Array::filter", |size, options| {
        let chosen = x(size).filter(&x(size).gt(96.0)).compute_with(options)?;
        Ok(digest(chosen.iter().map(|value| value.to_bits())))
    });
    cases.refused("the user gets what is chosen in one piece, and that may be all of it");
    cases.add("Selected::len", |size, options| read(&x(size).filter(&truth_of(size)).len(), options));
    cases.without("Selected::counted Array::argwhere", "they compute at once, what `filter` computes");
}

fn truth_of(size: Size) -> Array<bool, Ix2> {
    x(size).lt(30.0)
}

pub(super) fn statistics(cases: &mut Cases) {
    calls!(cases, size, x(size); is_close(&y(size), 0.1, 0.0), all_close(&y(size), 0.1, 0.0), nan_to_num(0.0, 1.0, 2.0));
    calls!(cases, size, x(size); is_not_nan(), search_sorted(&[1.0, 5.0], Side::Left), digitize(&[1.0, 5.0], Side::Right));
    calls!(cases, size, x(size); is_in(&[1.5, 2.5]), diff(Axis(0), 2), ediff1d(), gradient(Axis(1), 1.0), ptp(), moment(3));
    calls!(cases, size, x(size); nancumsum(Axis(0)), nancumprod(Axis(1)), coarsen([2, 2], |window| window.mean()));
    calls!(cases, size, x(size); histogram(&bin_edges(0.0, 97.0, 50)), histogram_density(&[0.0, 50.0, 97.0]));
    calls!(cases, size, x(size); histogram_weighted(&[0.0, 50.0, 97.0], &y(size)));
    calls!(cases, size, whole(size); bincount(100), bincount_weighted(100, &x(size)));
    calls!(cases, size, narrow(size).t(); cov(1.0), corrcoef());
    made!(cases, size;
        "Array::div_rem_euclid" => whole(size).div_rem_euclid(7).0,
        "Over::ptp" => x(size).over(Axis(0)).ptp(),
        "Over::moment" => x(size).over(Axis(1)).moment(2),
        "histogram2d" => histogram2d(&x(size), &y(size), [&[0.0, 50.0, 97.0], &[0.0, 50.0, 97.0]]).unwrap(),
        "histogramdd" => histogramdd(&[&x(size), &y(size)], &[&[0.0, 50.0], &[0.0, 50.0]]).unwrap(),
        "histogramdd_weighted" => histogramdd_weighted(&[&x(size)], &[&[0.0, 50.0]], &y(size)).unwrap(),
    );
    cases.without("bin_edges", "numbers, and no array");
}

pub(super) fn order(cases: &mut Cases) {
    calls!(cases, size, x(size); sort(Axis(0)), sort(Axis(1)), argsort(Axis(1)), partition(100, Axis(0)));
    calls!(cases, size, x(size); argpartition(100, Axis(1)), topk(3, Axis(0)), argtopk(-3, Axis(1)));
    made!(cases, size;
        "Array::topk" => row(size).topk(100, Axis(0)),
        "Over::median" => x(size).over(Axis(0)).median(),
        "Over::quantile" => x(size).over(Axis(1)).skip_nan().quantile(0.3, Interpolation::Linear),
        "Over::percentile" => x(size).over(Axis(1)).where_true(&truth_of(size)).percentile(30.0, Interpolation::Lower),
    );
}
