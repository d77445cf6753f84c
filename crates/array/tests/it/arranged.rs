//! Layouts as NumPy makes them, for several ways to cut the inputs; and what holds of them for any shape and blocks.

use crate::blocks::{answer, cuts, grids};
use crate::cases::{Case, cases_of};
use musher_array::ndarray::{self, Array2, ArrayD, Axis, Ix1, Ix2, Ix3, IxDyn, arr1};
use musher_array::{
    Array, Boundary, Depth, Error, Indexing, broadcast_arrays, column_stack, concatenate, dstack, hstack,
    meshgrid, unify_chunks, vstack,
};
use musher_scheduler::Compute;
use musher_testkit::Random;

/// Block lengths along every axis.
const CUTS: [usize; 3] = [100, 1, 2];

type X = Array<i64, IxDyn>;

fn depths(case: &Case) -> Vec<Depth> {
    let of = |pair: &serde_json::Value| {
        Depth::new(pair[0].as_u64().unwrap() as usize, pair[1].as_u64().unwrap() as usize)
    };
    case.parameter("width").as_array().unwrap().iter().map(of).collect()
}

fn padded(case: &Case, x: &X) -> X {
    let boundary = match case.parameter("mode").as_str().unwrap() {
        "edge" => Boundary::Nearest,
        "reflect" => Boundary::Mirror,
        "symmetric" => Boundary::Reflect,
        "wrap" => Boundary::Wrap,
        "constant" => Boundary::Constant(case.number("constant") as i64),
        other => panic!("no mode {other}"),
    };
    x.pad(depths(case), boundary)
}

/// The two axes of a matrix in an array.
fn plane(case: &Case) -> (Axis, Axis) {
    (Axis(case.number("rows") as usize), Axis(case.number("columns") as usize))
}

fn typed<D: ndarray::Dimension>(x: X) -> Array<i64, D> {
    x.into_dimensionality().unwrap()
}

/// What musher makes of a case of integers.
fn found(case: &Case, cut: usize) -> X {
    let xs: Vec<X> = (0..case.n_inputs()).map(|at| case.load(at, cut + at)).collect();
    let all: Vec<&X> = xs.iter().collect();
    let part = || case.number("part") as usize;
    let offset = || case.number("offset");
    let axis = || case.axis().unwrap();
    let lines = || xs.iter().map(|x| typed::<Ix1>(x.clone())).collect::<Vec<_>>();
    match case.operation() {
        "move_axis" => {
            xs[0].move_axis(Axis(case.number("start") as usize), Axis(case.number("end") as usize))
        }
        "flip" => xs[0].flip(axis()),
        "rot90" => {
            let (from, to) = (Axis(case.number("start") as usize), Axis(case.number("end") as usize));
            xs[0].rot90(case.number("quarters"), from, to)
        }
        "roll" => xs[0].roll(case.number("shift"), axis()),
        "tile" => xs[0].tile(case.numbers("times")),
        "repeat" => xs[0].repeat(axis(), case.number("times") as usize),
        "pad" => padded(case, &xs[0]),
        "vstack" => vstack(&all).unwrap(),
        "hstack" => hstack(&all).unwrap(),
        "dstack" => dstack(&all).unwrap(),
        "column_stack" => column_stack(&all).unwrap(),
        "atleast_1d" => xs[0].atleast_1d(),
        "atleast_2d" => xs[0].atleast_2d(),
        "atleast_3d" => xs[0].atleast_3d(),
        "squeeze" => xs[0].squeeze(),
        "squeeze_axis" => typed::<Ix3>(xs[0].clone()).squeeze_axis(axis()).into_dyn(),
        "insert" => xs[0].insert(axis(), case.number("index") as usize, &xs[1]),
        "delete" => xs[0].delete(axis(), &case.numbers("indices")),
        "append" => xs[0].append(axis(), &xs[1]),
        "split" => xs[0].split(axis(), &case.numbers("indices")).swap_remove(part()),
        "array_split" => xs[0].array_split(axis(), case.number("parts") as usize).swap_remove(part()),
        "unstack" => typed::<Ix3>(xs[0].clone()).unstack(axis()).swap_remove(part()).into_dyn(),
        "tril" => xs[0].tril(offset()),
        "triu" => xs[0].triu(offset()),
        "tri" => {
            let shape = case.numbers("shape");
            Array::tri((shape[0], shape[1]), offset(), cut).into_dyn()
        }
        "from_diag" => Array::from_diag(&lines()[0], offset()).into_dyn(),
        "diagonal" => match (plane(case), xs[0].ndim()) {
            ((rows, columns), 2) => typed::<Ix2>(xs[0].clone()).diagonal(offset(), rows, columns).into_dyn(),
            ((rows, columns), _) => typed::<Ix3>(xs[0].clone()).diagonal(offset(), rows, columns).into_dyn(),
        },
        "trace" => match xs[0].ndim() {
            2 => typed::<Ix2>(xs[0].clone()).trace(offset()).into_dyn(),
            _ => typed::<Ix3>(xs[0].clone()).trace(offset()).into_dyn(),
        },
        "meshgrid" => {
            let indexing = if case.parameter("indexing") == "xy" { Indexing::Xy } else { Indexing::Ij };
            let lines = lines();
            meshgrid(&lines.iter().collect::<Vec<_>>(), indexing).unwrap().swap_remove(part())
        }
        "broadcast_arrays" => broadcast_arrays(&all).unwrap().swap_remove(part()),
        "take" => xs[0].take(axis(), &case.numbers("indices")),
        "compress" => {
            let truths = case.parameter("truths").as_array().unwrap();
            xs[0].compress(axis(), &truths.iter().map(|truth| truth.as_bool().unwrap()).collect::<Vec<_>>())
        }
        other => panic!("nobody reads the cases of {other}"),
    }
}

#[test]
fn layouts_are_those_of_numpy() {
    for case in cases_of("array_layout") {
        if case.operation().starts_with("pad_") {
            continue;
        }
        let want: ArrayD<i64> = case.want();
        for cut in CUTS {
            let found = found(&case, cut);
            assert_eq!(found.shape(), want.shape(), "{}, blocks of {cut}", case.name());
            assert_eq!(answer(&found), want, "{}, blocks of {cut}", case.name());
        }
    }
}

/// Steps of a ramp are rounded as NumPy's or once more.
const RAMP_TOLERANCE: f64 = 1e-14;

#[test]
fn edges_with_other_values_are_those_of_numpy() {
    let cases = cases_of("array_layout");
    for case in cases.iter().filter(|case| ["pad_ramp", "pad_with"].contains(&case.operation())) {
        let want: ArrayD<f64> = case.want();
        for cut in CUTS {
            let x: Array<f64, IxDyn> = case.load(0, cut);
            let found = match (case.operation(), case.parameter("mode").as_str()) {
                ("pad_ramp", _) => x.pad_ramp(depths(case), case.parameter("end").as_f64().unwrap()),
                (_, mode) => {
                    let axis = case.axis().unwrap();
                    let axes = [axis];
                    let over = x.over(&axes[..]).keep_axes();
                    let edge = match mode.unwrap() {
                        "maximum" => over.max(),
                        "minimum" => over.min(),
                        _ => over.mean(),
                    };
                    let width = case.numbers("width");
                    x.pad_with(axis, Depth::new(width[0], width[1]), &edge)
                }
            };
            let found = answer(&found);
            assert_eq!(found.shape(), want.shape(), "{}", case.name());
            let near = |(a, b): (&f64, &f64)| (a - b).abs() <= RAMP_TOLERANCE * b.abs().max(1.0);
            assert!(
                found.iter().zip(&want).all(near),
                "{}, blocks of {cut}: {found} for {want}",
                case.name()
            );
        }
    }
}

fn table(rows: usize, columns: usize) -> Array2<i64> {
    Array2::from_shape_fn((rows, columns), |(i, j)| (10 * i + j) as i64)
}

#[test]
fn every_division_of_a_table_is_laid_out_alike() {
    let whole = table(4, 3);
    for lengths in grids(4, 3) {
        let x = Array::from_array(whole.clone(), lengths.clone());
        assert_eq!(x.flip(Axis(0)).flip(Axis(1)).compute().unwrap(), whole.slice(ndarray::s![..;-1, ..;-1]));
        assert_eq!(x.rot90(1, Axis(0), Axis(1)).rot90(3, Axis(0), Axis(1)).compute().unwrap(), whole);
        assert_eq!(x.roll(1, Axis(0)).roll(3, Axis(0)).compute().unwrap(), whole, "{lengths:?}");
        let tiled = ndarray::concatenate![Axis(0), whole, whole];
        assert_eq!(x.tile([2, 1]).compute().unwrap(), tiled);
        assert_eq!((x.tile([2, 1]) + 1).compute().unwrap(), tiled + 1, "fused");
        assert_eq!(x.repeat(Axis(1), 2).compute().unwrap(), whole.select(Axis(1), &[0, 0, 1, 1, 2, 2]));
        let around = x.pad(1, Boundary::Wrap);
        assert_eq!(around.slice(ndarray::s![1..5, 1..4]).compute().unwrap(), whole);
        assert_eq!(around.compute().unwrap()[[0, 0]], 32);
        assert_eq!((x.tril(0) + x.triu(1)).compute().unwrap(), whole);
        assert_eq!(x.diagonal(0, Axis(0), Axis(1)).compute().unwrap(), arr1(&[0, 11, 22]));
        assert_eq!(
            x.delete(Axis(0), &[1]).insert(Axis(0), 1, &x.slice(ndarray::s![1..2, ..])).compute().unwrap(),
            whole
        );
        let parts = x.array_split(Axis(0), 3);
        assert_eq!(
            concatenate(Axis(0), &parts.iter().collect::<Vec<_>>()).unwrap().compute().unwrap(),
            whole
        );
        let n = x.chunks().grid_shape();
        let blocks = x.blocks(ndarray::s![1.., ..n[1] - 1]);
        let (top, right) = (x.chunks().axis(0)[0], x.chunks().axis(1)[n[1] - 1]);
        assert_eq!(blocks.compute().unwrap(), whole.slice(ndarray::s![top.., ..3 - right]));
        let other = Array::from_array(whole.clone(), 2);
        let both = unify_chunks(&[&x, &other]).unwrap();
        assert_eq!(both[0].chunks(), both[1].chunks());
        assert!(both.iter().all(|array| array.compute().unwrap() == whole));
    }
    for lengths in cuts(3) {
        let x = Array::from_array(arr1(&[4_i64, 5, 6]), vec![lengths]);
        let square = Array::from_diag(&x, -2);
        assert_eq!(answer(&square.diagonal(-2, Axis(0), Axis(1))), arr1(&[4, 5, 6]));
        assert_eq!(square.sum().compute().unwrap(), 15);
        assert_eq!(Array::<u8, _>::ones_like(&x).chunks(), x.chunks());
        assert_eq!(Array::full_like(&x, 2.5).compute().unwrap(), arr1(&[2.5; 3]));
    }
}

/// Pads and takes of random shapes against an element by element reading.
#[test]
fn random_layouts_read_the_right_elements() {
    for seed in 0..60 {
        let mut random = Random::new(seed);
        let (rows, columns) = (1 + random.below(6), 1 + random.below(6));
        let whole = table(rows, columns);
        let x = Array::from_array(whole.clone(), (1 + random.below(4), 1 + random.below(4)));
        let (before, after) = (random.below(9), random.below(9));
        let found = answer(&x.pad([Depth::new(before, after), Depth::new(after, before)], Boundary::Reflect));
        let at = |index: usize, before: usize, n: usize| {
            let phase = (index as isize - before as isize).rem_euclid(2 * n as isize) as usize;
            phase.min(2 * n - 1 - phase)
        };
        for ((i, j), &value) in found.indexed_iter() {
            assert_eq!(value, whole[[at(i, before, rows), at(j, after, columns)]], "seed {seed}");
        }
        let shift = random.below(40) as isize - 20;
        let rolled = answer(&x.roll(shift, Axis(1)));
        for ((i, j), &value) in rolled.indexed_iter() {
            let from = (j as isize - shift).rem_euclid(columns as isize) as usize;
            assert_eq!(value, whole[[i, from]], "seed {seed}");
        }
    }
}

#[test]
fn what_shapes_refuse_is_told_with_the_line() {
    let x = Array::<f64, _>::zeros((3, 4), 2);
    let line = Array::<f64, _>::zeros(3, 2);
    assert!(matches!(x.try_move_axis(Axis(2), Axis(0)), Err(Error::Axis { axis: 2, .. })));
    assert!(matches!(x.try_flip(Axis(2)), Err(Error::Axis { .. })));
    assert!(matches!(x.try_roll(1, Axis(5)), Err(Error::Axis { .. })));
    assert!(matches!(x.try_rot90(1, Axis(0), Axis(0)), Err(Error::Arrangement { .. })));
    assert!(matches!(x.try_rot90(1, Axis(0), Axis(2)), Err(Error::Axis { .. })));
    assert!(matches!(x.try_tile([1, 2, 3]), Err(Error::Shapes { .. })));
    assert!(matches!(x.try_tile(usize::MAX), Err(Error::TooLarge { .. })));
    assert!(matches!(x.try_repeat(Axis(1), usize::MAX), Err(Error::TooLarge { .. })));
    assert!(matches!(x.try_pad(usize::MAX, Boundary::Constant(0.0)), Err(Error::TooLarge { .. })));
    assert!(matches!(x.try_pad([1, 2, 3], Boundary::Wrap), Err(Error::Shapes { .. })));
    let none = Array::<f64, _>::zeros((0, 4), 2);
    assert!(matches!(none.try_pad(1, Boundary::Wrap), Err(Error::Arrangement { .. })));
    assert!(matches!(none.try_pad_ramp(1, 0.0), Err(Error::Arrangement { .. })));
    assert!(matches!(x.try_pad_with(Axis(0), Depth::both(1), &x), Err(Error::Shapes { .. })));
    assert!(matches!(x.try_split(Axis(0), &[2, 1]), Err(Error::Arrangement { .. })));
    assert!(matches!(x.try_split(Axis(0), &[4]), Err(Error::Index { .. })));
    assert!(matches!(x.try_array_split(Axis(0), 0), Err(Error::Arrangement { .. })));
    assert!(matches!(x.try_insert(Axis(0), 4, &x), Err(Error::Index { .. })));
    assert!(matches!(x.try_insert(Axis(0), 1, &x.t()), Err(Error::Shapes { .. })));
    assert!(matches!(x.try_delete(Axis(1), &[4]), Err(Error::Index { index: 4, length: 4, .. })));
    assert!(matches!(x.try_append(Axis(0), &x.t()), Err(Error::Shapes { .. })));
    assert!(matches!(x.try_squeeze_axis(Axis(0)), Err(Error::Shapes { .. })));
    assert!(matches!(x.try_unstack(Axis(2)), Err(Error::Axis { .. })));
    assert!(matches!(line.try_tril(0), Err(Error::Arrangement { .. })));
    assert!(matches!(x.try_diagonal(0, Axis(1), Axis(1)), Err(Error::Arrangement { .. })));
    assert!(matches!(Array::try_from_diag(&line, isize::MAX), Err(Error::TooLarge { .. })));
    assert!(matches!(x.try_take(Axis(0), &[0, 3]), Err(Error::Index { index: 3, .. })));
    assert!(matches!(x.try_compress(Axis(0), &[true]), Err(Error::Shapes { .. })));
    assert!(matches!(x.try_blocks(ndarray::s![..;2, 0]), Err(Error::Arrangement { .. })));
    assert!(matches!(x.try_blocks(ndarray::s![0..3, 0]), Err(Error::Index { .. })));
    assert!(matches!(x.try_blocks(ndarray::s![2, 0]), Err(Error::Index { .. })));
    assert!(matches!(broadcast_arrays(&[&x, &x.t()]), Err(Error::Shapes { .. })));
    assert!(matches!(unify_chunks(&[&x, &x.t()]), Err(Error::Shapes { .. })));
    assert!(matches!(vstack::<f64, Ix2>(&[]), Err(Error::Arrangement { .. })));
    assert!(x.try_flip(Axis(2)).unwrap_err().to_string().contains(file!()));
}
