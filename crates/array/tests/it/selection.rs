//! Elements chosen and replaced as NumPy does, for several ways to cut the inputs, and for any division.

use crate::blocks::{answer, cuts, grids};
use crate::cases::{Case, cases_of};
use musher_array::ndarray::{Array1, Array2, ArrayD, Axis, Ix2, IxDyn, SliceInfoElem, arr1, s};
use musher_array::{Array, Error, Selected};
use musher_scheduler::Compute;
use musher_testkit::{Random, check_everywhere};

/// Block lengths along every axis.
const CUTS: [usize; 4] = [100, 1, 2, 3];

type X = Array<i64, IxDyn>;

/// A slice in NumPy's notation as ndarray's, which reads a negative step differently: it cuts first and then reverses.
fn slice(text: &str) -> Vec<SliceInfoElem> {
    let axis = |text: &str| {
        let parts: Vec<Option<isize>> = text.split(':').map(|part| part.parse().ok()).collect();
        let [start, end, step] = [0, 1, 2].map(|at| parts.get(at).copied().flatten());
        match step.unwrap_or(1) {
            _ if parts.len() == 1 => SliceInfoElem::Index(start.unwrap()),
            step if step < 0 => {
                let (start, end) = (end.map_or(0, |end| end + 1), start.map(|start| start + 1));
                SliceInfoElem::Slice { start, end, step }
            }
            step => SliceInfoElem::Slice { start: start.unwrap_or(0), end, step },
        }
    };
    text.split(", ").map(axis).collect()
}

#[track_caller]
fn same_selection(case: &Case, found: &Selected<u64>, cut: usize) {
    let want: ArrayD<u64> = case.want();
    assert_eq!(check_everywhere(found).into_dyn(), want, "{}, blocks of {cut}", case.name());
    assert_eq!(found.len().compute().unwrap(), want.len() as u64);
}

/// Whether a case was one of these.
fn selections(case: &Case, x: &X, cut: usize) -> bool {
    match case.operation() {
        "filter" => {
            let want: ArrayD<i64> = case.want();
            let found = x.filter(&x.gt(case.number("above") as i64));
            assert_eq!(check_everywhere(&found).into_dyn(), want, "{}, blocks of {cut}", case.name());
            assert_eq!(answer(&found.counted().unwrap()).into_dyn(), want);
            assert_eq!(found.len().compute().unwrap(), want.len() as u64);
        }
        "flat_nonzero" => same_selection(case, &x.flat_nonzero(), cut),
        "nonzero" => same_selection(case, &x.nonzero()[case.number("part") as usize], cut),
        "argwhere" => {
            let found = x.argwhere().unwrap();
            assert_eq!(answer(&found).into_dyn(), case.want::<u64>(), "{}, blocks of {cut}", case.name());
        }
        _ => return false,
    }
    true
}

fn found(case: &Case, cut: usize) -> X {
    let xs: Vec<X> = (0..case.n_inputs()).map(|at| case.load(at, cut + at)).collect();
    match case.operation() {
        "vindex" => {
            let lists = case.parameter("points").as_array().unwrap().iter();
            let list = |list: &serde_json::Value| -> Vec<usize> {
                list.as_array().unwrap().iter().map(|index| index.as_u64().unwrap() as usize).collect()
            };
            let lists: Vec<Vec<usize>> = lists.map(list).collect();
            xs[0].vindex(&lists.iter().map(Vec::as_slice).collect::<Vec<_>>()).into_dyn()
        }
        "choose" => xs[0].choose(&[&xs[1], &xs[2], &xs[3]]),
        "piecewise" => {
            let x = &xs[0];
            let five = |x: &X| Array::full_like(x, 5);
            let (negative, low, three) = (x.lt(1), x.lt(-1), x.eq_elem(3));
            x.piecewise(&[(&negative, &|x| -x), (&low, &|x| x * 10), (&three, &|x| x + 7)], 0)
                .assign_where(&!(negative | low | three), &five(x))
        }
        "assign" => {
            let place = slice(case.parameter("text").as_str().unwrap());
            match case.parameter("scalar").as_i64() {
                Some(value) => xs[0].assign(&place[..], value),
                None => xs[0].assign(&place[..], &xs[1]),
            }
        }
        "assign_where" => xs[0].assign_where(&xs[0].gt(0), &xs[1]),
        other => panic!("nobody reads the cases of {other}"),
    }
}

#[test]
fn what_is_chosen_and_replaced_is_that_of_numpy() {
    for case in cases_of("array_select") {
        for cut in CUTS {
            if !selections(&case, &case.load(0, cut), cut) {
                let found = answer(&found(&case, cut));
                assert_eq!(found, case.want::<i64>(), "{}, blocks of {cut}", case.name());
            }
        }
    }
}

#[test]
fn every_division_gives_the_same_selection() {
    let whole = Array2::from_shape_fn((3, 4), |(i, j)| ((i * 7 + j * 3) % 5) as i32);
    let want: Array1<i32> = whole.iter().copied().filter(|&x| x > 1).collect();
    for lengths in grids(3, 4) {
        let x = Array::from_array(whole.clone(), lengths);
        let found = x.filter(&x.gt(1));
        assert_eq!(found.compute().unwrap(), want);
        assert_eq!(x.t().filter(&x.t().gt(1)).compute().unwrap().len(), want.len());
        assert_eq!((found.counted().unwrap() * 2).sum().compute().unwrap(), 2 * i64::from(want.sum()));
        let y = x.assign(s![1.., ..;-2], &x.slice(s![..2, 2..]));
        let mut assigned = whole.clone();
        assigned.slice_mut(s![1.., ..;-2]).assign(&whole.slice(s![..2, 2..]));
        assert_eq!(y.compute().unwrap(), assigned);
    }
}

#[test]
fn nan_is_not_zero_and_masks_of_float_extremes_hold() {
    let x = Array::from_array(arr1(&[0.0, -0.0, f64::NAN, f64::INFINITY, 5e-324, 0.0]), 2);
    assert_eq!(x.flat_nonzero().compute().unwrap(), arr1(&[2, 3, 4]));
    let kept = x.filter(&x.is_nan()).compute().unwrap();
    assert!(kept.len() == 1 && kept[0].is_nan());
    for lengths in cuts(0) {
        let none = Array::from_array(Array1::<f64>::zeros(0), vec![lengths]);
        let found = none.filter(&none.gt(0.0));
        assert_eq!(found.compute().unwrap().len(), 0);
        assert_eq!(found.counted().unwrap().shape(), [0]);
        assert_eq!(none.argwhere().unwrap().shape(), [0, 1]);
    }
}

#[test]
fn random_assignments_are_those_of_ndarray() {
    for seed in 0..80 {
        let mut random = Random::new(seed);
        let shape = (1 + random.below(7), 1 + random.below(7));
        let whole = Array2::from_shape_fn(shape, |(i, j)| (10 * i + j) as i64);
        let x: Array<i64, Ix2> = Array::from_array(whole.clone(), (1 + random.below(4), 1 + random.below(4)));
        let mut place = |n: usize| {
            let start = random.below(n + 1);
            let end = start + random.below(n - start + 1);
            let step = [1, 1, 2, 3, -1, -2, -5][random.below(7)];
            SliceInfoElem::Slice { start: start as isize, end: Some(end as isize), step }
        };
        let place = vec![place(shape.0), place(shape.1)];
        let mut want = whole.into_dyn();
        let values = want.slice(&place[..]).mapv(|x| -x - 1);
        want.slice_mut(&place[..]).assign(&values);
        let values = Array::from_array(values, 2);
        let found = x.into_dyn().assign(&place[..], &values);
        assert_eq!(answer(&found), want, "seed {seed}: {place:?}");
    }
}

#[test]
fn what_shapes_refuse_is_told() {
    let x = Array::<i64, _>::zeros((3, 4), 2);
    let y = Array::<i64, _>::zeros((4, 3), 2);
    assert!(matches!(x.try_filter(&y.gt(0)), Err(Error::Shapes { .. })));
    assert!(matches!(x.try_vindex(&[&[0], &[4]]), Err(Error::Index { axis: 1, index: 4, .. })));
    assert!(matches!(x.try_vindex(&[&[0, 1], &[0]]), Err(Error::Shapes { .. })));
    assert!(matches!(x.try_vindex(&[&[0, 1]]), Err(Error::Shapes { .. })));
    assert!(matches!(x.try_choose::<f64>(&[]), Err(Error::Arrangement { .. })));
    assert!(matches!(x.try_choose(&[&y]), Err(Error::Shapes { .. })));
    assert!(matches!(x.try_piecewise(&[(&y.gt(0), &|x| x + 1)], 0), Err(Error::Shapes { .. })));
    assert!(matches!(x.try_assign(s![..4, ..], 1), Err(Error::Index { index: 4, .. })));
    assert!(matches!(x.try_assign(s![.., -5], 1), Err(Error::Index { .. })));
    assert!(matches!(x.try_assign(s![..2, ..2], &y), Err(Error::Shapes { .. })));
    assert!(matches!(x.try_assign_where(&x.gt(0), &y), Err(Error::Shapes { .. })));
    assert_eq!(x.sum_axis(Axis(0)).len(), 4);
}
