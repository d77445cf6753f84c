//! Maps over lines, windows, groups and named axes as NumPy has them, for several ways to cut the inputs.

use crate::blocks::answer;
use crate::cases::{Case, cases_of};
use musher_array::ndarray::{ArrayD, Axis, Dimension, Ix1, Ix2, IxDyn, arr0, arr1, arr2};
use musher_array::{
    Array, Chunking, Element, Error, Overhang, PerAxis, Side, apply_gufunc, blockwise, lexsort,
};
use musher_scheduler::Compute;

/// Block lengths along every axis.
const CUTS: [usize; 4] = [100, 1, 2, 3];

/// Sums of a few dozen products may be added in another order.
const TOLERANCE: f64 = 1e-14;

type X = Array<f64, IxDyn>;

#[track_caller]
fn near<D: Dimension>(case: &Case, cut: usize, found: Array<f64, D>) {
    let (found, want): (ArrayD<f64>, ArrayD<f64>) = (answer(&found.into_dyn()), case.want());
    assert_eq!(found.shape(), want.shape(), "{}", case.name());
    let close = |(a, b): (&f64, &f64)| {
        a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= TOLERANCE * b.abs().max(1.0)
    };
    assert!(found.iter().zip(&want).all(close), "{}, blocks of {cut}:\n{found}\nfor\n{want}", case.name());
}

#[track_caller]
fn same<A: Element, D: Dimension>(case: &Case, cut: usize, found: Array<A, D>) {
    assert_eq!(answer(&found.into_dyn()), case.want::<A>(), "{}, blocks of {cut}", case.name());
}

fn floats(case: &Case, name: &str) -> Vec<f64> {
    case.parameter(name).as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect()
}

fn line(case: &Case, at: usize, cut: usize) -> Array<f64, Ix1> {
    case.load::<f64>(at, cut).into_dimensionality().unwrap()
}

fn side(case: &Case) -> Side {
    if case.parameter("side") == "left" { Side::Left } else { Side::Right }
}

fn overhang(case: &Case) -> Overhang {
    match case.parameter("mode").as_str().unwrap() {
        "full" => Overhang::Full,
        "same" => Overhang::Same,
        _ => Overhang::Valid,
    }
}

fn check(case: &Case, cut: usize) {
    let x = || -> X { case.load(0, cut) };
    let indices = || -> Array<u64, IxDyn> { case.load(1, cut + 1) };
    let axis = || case.axis().unwrap();
    let window = || case.number("window") as usize;
    match case.operation() {
        "rolling_sum" => near(case, cut, x().rolling(axis(), window()).sum()),
        "rolling_mean" => near(case, cut, x().rolling(axis(), window()).mean()),
        "rolling_max" => near(case, cut, x().rolling(axis(), window()).max()),
        "rolling_min" => near(case, cut, x().rolling(axis(), window()).min()),
        "sliding_window_view" => {
            near(case, cut, x().sliding_window_view(PerAxis::Each(case.numbers("windows"))));
        }
        "convolve" => near(case, cut, line(case, 0, cut).convolve(&floats(case, "kernel"), overhang(case))),
        "correlate" => near(case, cut, line(case, 0, cut).correlate(&floats(case, "kernel"), overhang(case))),
        "take_along_axis" => near(case, cut, x().take_along_axis(&indices(), axis())),
        "put_along_axis" => near(case, cut, x().put_along_axis(&indices(), &case.load(2, cut), axis())),
        "map_axis" => near(case, cut, x().map_axis(axis(), |line| line[0] - 2.0 * line[line.len() - 1])),
        "map_lanes" => near(
            case,
            cut,
            x().map_lanes(axis(), 3, |line: &[f64], out: &mut [f64]| {
                out.copy_from_slice(&[line[1], line[0], line[line.len() - 1]]);
            }),
        ),
        "apply_over_axes" => {
            let axes: Vec<Axis> = case.numbers("axes").into_iter().map(Axis).collect();
            near(case, cut, x().apply_over_axes(&axes, |x, axis| x.over(&[axis][..]).keep_axes().sum()));
        }
        "lexsort" => same(case, cut, lexsort(&[&line(case, 0, cut), &line(case, 1, cut + 1)]).unwrap()),
        "search_sorted_in" => same(case, cut, x().search_sorted_in(&line(case, 1, cut + 1), side(case))),
        "interp" => near(case, cut, x().interp(&floats(case, "at"), &floats(case, "values"))),
        "shuffle" => {
            let groups: Vec<Vec<usize>> = serde_json::from_value(case.parameter("groups").clone()).unwrap();
            near(case, cut, x().take_groups(axis(), &groups));
        }
        _ => check_named(case, cut),
    }
}

/// What goes by labels, and by the names of axes.
fn check_named(case: &Case, cut: usize) {
    let x = || -> X { case.load(0, cut) };
    let labels = || case.numbers("labels");
    let n = || case.number("n") as usize;
    let axis = || case.axis().unwrap();
    match case.operation() {
        "group_sum" => near(case, cut, x().group_by_axis(axis(), &labels(), n()).sum()),
        "group_mean" => near(case, cut, x().group_by_axis(axis(), &labels(), n()).mean()),
        "group_max" => near(case, cut, x().group_by_axis(axis(), &labels(), n()).max()),
        "group_min" => near(case, cut, x().group_by_axis(axis(), &labels(), n()).min()),
        "blockwise_product" => near(
            case,
            cut,
            blockwise("ik", &[(&x(), "ij"), (&case.load(1, cut + 1), "jk")], |blocks| {
                let both = [0, 1].map(|at| blocks[at].view().into_dimensionality::<Ix2>().unwrap());
                both[0].dot(&both[1]).into_dyn()
            })
            .unwrap(),
        ),
        "blockwise_outer" => near(
            case,
            cut,
            blockwise("ji", &[(&x(), "i"), (&case.load(1, cut + 1), "j")], |blocks| {
                let (x, y) = (&blocks[0], &blocks[1]);
                ArrayD::from_shape_fn(vec![y.len(), x.len()], |at| x[[at[1]]] * y[[at[0]]])
            })
            .unwrap(),
        ),
        "gufunc_inner" => near(
            case,
            cut,
            apply_gufunc("(i),(i)->()", &[&x(), &x()], |parts| {
                arr0((&parts[0] * &parts[1]).sum()).into_dyn()
            })
            .unwrap(),
        ),
        "gufunc_matvec" => near(
            case,
            cut,
            apply_gufunc("(i,j),(k,j)->(i,k)", &[&x(), &x()], |parts| {
                let both = [0, 1].map(|at| parts[at].view().into_dimensionality::<Ix2>().unwrap());
                both[0].dot(&both[1].t()).into_dyn()
            })
            .unwrap(),
        ),
        other => panic!("nobody reads the cases of {other}"),
    }
}

#[test]
fn maps_are_those_of_numpy() {
    for case in cases_of("array_maps") {
        for cut in CUTS {
            check(&case, cut);
        }
    }
}

#[test]
fn what_does_not_fit_is_told_before_it_runs() {
    let x = Array::<f64, _>::zeros((3, 4), 2);
    let indices = Array::<u64, _>::zeros((3, 2), 2);
    assert!(matches!(x.try_take_along_axis(&indices, Axis(2)), Err(Error::Axis { .. })));
    assert!(matches!(x.try_take_along_axis(&indices, Axis(0)), Err(Error::Shapes { .. })));
    assert!(matches!(x.try_put_along_axis(&indices, &x, Axis(1)), Err(Error::Shapes { .. })));
    assert!(matches!(x.try_map_axis(Axis(2), |line| line[0]), Err(Error::Axis { .. })));
    assert!(matches!(x.try_sliding_window_view([4, 1]), Err(Error::Shapes { .. })));
    assert!(matches!(x.try_sliding_window_view([1]), Err(Error::Shapes { .. })));
    assert!(matches!(x.try_rolling(Axis(0), 0), Err(Error::Shapes { .. })));
    assert!(matches!(x.try_group_by_axis(Axis(0), &[0, 1], 2), Err(Error::Shapes { .. })));
    assert!(matches!(x.try_group_by_axis(Axis(0), &[0, 1, 2], 2), Err(Error::Index { index: 2, .. })));
    let other = Chunking::from_lengths(&[vec![5, 7]]);
    assert!(matches!(x.try_reshape_blockwise::<Ix1>(other), Err(Error::Chunks { .. })));
    let line = Array::<f64, _>::zeros(3, 2);
    assert!(matches!(line.try_convolve(&[1.0; 4], Overhang::Full), Err(Error::Shapes { .. })));
    assert!(matches!(line.try_interp(&[1.0, 1.0], &[0.0, 0.0]), Err(Error::Arrangement { .. })));
    assert!(matches!(lexsort::<f64>(&[]), Err(Error::Arrangement { .. })));
    let x = x.into_dyn();
    let sum = |blocks: &[musher_array::ndarray::ArrayViewD<'_, f64>]| blocks[0].to_owned();
    for (out, names) in [("ij", "i"), ("ik", "ij"), ("i", "ii")] {
        assert!(
            matches!(blockwise(out, &[(&x, names)], sum), Err(Error::Arrangement { .. })),
            "{out} {names}"
        );
    }
    assert!(matches!(blockwise("i", &[(&x, "ij"), (&x, "ji")], sum), Err(Error::Shapes { .. })));
    for signature in ["(i,j,k)->()", "(i),(i)->()", "(i)->(j)", "i->i"] {
        assert!(matches!(apply_gufunc(signature, &[&x], sum), Err(Error::Arrangement { .. })), "{signature}");
    }
}

#[test]
fn indices_outside_and_arrays_that_fall_fail_the_run() {
    let x = Array::from_array(arr1(&[1.0, 2.0, 3.0]), 2);
    let at = Array::from_array(arr1(&[1_u64, 3]), 1);
    assert!(x.take_along_axis(&at, Axis(0)).compute().is_err());
    assert!(x.put_along_axis(&at, &Array::zeros(2, 2), Axis(0)).compute().is_err());
    let falls = Array::from_array(arr1(&[2.0, 3.0, 1.0]), 2);
    assert!(x.search_sorted_in(&falls, Side::Left).compute().is_err());
    let wrong = x.clone().into_dyn();
    let short = apply_gufunc("(i)->(i)", &[&wrong], |_| arr1(&[0.0]).into_dyn()).unwrap();
    assert!(short.compute().is_err());
}

#[test]
fn batches_follow_each_other_and_blocks_are_reshaped() {
    let x = Array::from_shape_fn((5, 2), 2, |(i, j)| (10 * i + j) as u64);
    let batches: Vec<_> = x.batches(2).map(|batch| batch.compute().unwrap()).collect();
    assert_eq!(batches.iter().map(|batch| batch.nrows()).collect::<Vec<_>>(), [2, 2, 1]);
    assert_eq!(batches[2], arr2(&[[40, 41]]));
    let line: Array<u64, Ix1> = x.rechunk((5, 1)).reshape_blockwise(Chunking::from_lengths(&[vec![5, 5]]));
    assert_eq!(answer(&line), arr1(&[0, 10, 20, 30, 40, 1, 11, 21, 31, 41]));
}

#[test]
fn empty_blocks_and_axes_and_infinite_weights_have_answers_or_errors() {
    let x = Array::from_array(arr1(&[1.0, 2.0, 3.0]), 2);
    let falls = Array::from_array(arr1(&[5.0, 1.0]), vec![vec![1, 0, 1]]);
    assert!(x.search_sorted_in(&falls, Side::Left).compute().is_err());
    let rises = Array::from_array(arr1(&[1.0, 2.5]), vec![vec![0, 1, 0, 1, 0]]);
    assert_eq!(answer(&x.search_sorted_in(&rises, Side::Left)), arr1(&[0, 1, 2]));
    let infinite = x.try_convolve(&[1.0, f64::INFINITY], Overhang::Full);
    assert!(matches!(infinite, Err(Error::Arrangement { .. })));
    let none = Array::<f64, Ix2>::zeros((0, 2), 1);
    let grouped = none.group_by_axis(Axis(0), &[], 0);
    for found in [grouped.mean(), grouped.max(), grouped.min(), grouped.sum()] {
        assert_eq!(answer(&found).dim(), (0, 2));
    }
}
