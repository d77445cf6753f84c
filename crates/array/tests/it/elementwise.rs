//! Broadcasting, blocks that differ, errors, functions of users, creation.

use crate::blocks::{answer, cuts, grids};
use musher_array::kernel::ops::CompareOp;
use musher_array::ndarray::{Array2, Axis, Ix1, Ix2, arr0, arr1, arr2, s};
use musher_array::{Array, Chunking, Chunks, Error, random};
use musher_graph_core::delayed;
use musher_scheduler::{Compute, compute};

#[test]
fn blocks_that_differ_are_brought_into_line() {
    let (a, b) = (Array2::from_shape_fn((3, 4), |(i, j)| (i * 4 + j) as i32), Array2::from_elem((3, 4), 100));
    for left in grids(3, 4) {
        for right in [vec![vec![3], vec![4]], vec![vec![1, 2], vec![2, 2]], vec![vec![2, 1], vec![1, 3]]] {
            let sum =
                Array::from_array(a.clone(), left.clone()) + Array::from_array(b.clone(), right.clone());
            assert_eq!(sum.compute().unwrap(), &a + &b, "{left:?} {right:?}");
        }
    }
}

#[test]
fn shapes_are_broadcast_as_numpy_does() {
    let column = Array::from_array(arr2(&[[1], [2], [3]]), 2);
    let row = Array::from_array(arr1(&[10, 20]), 1);
    let scalar = Array::from_array(arr0(100), 1);
    assert_eq!(answer(&(&column + &row)), arr2(&[[11, 21], [12, 22], [13, 23]]));
    assert_eq!(answer(&(&row + &column + &scalar)), arr2(&[[111, 121], [112, 122], [113, 123]]));
    assert_eq!(answer(&(&scalar * &scalar).into_dyn()).sum(), 10_000);
    let one = Array::from_array(arr2(&[[7]]), 1);
    assert_eq!(answer(&(&one - &row)), arr2(&[[-3, -13]]));
    let none = Array::from_array(Array2::<i32>::zeros((0, 2)), 1);
    assert_eq!(answer(&(none + row)).shape(), [0, 2]);
}

#[test]
fn shapes_that_do_not_fit_name_both_and_the_line() {
    let (a, b) = (Array::<f64, _>::zeros((2, 3), 1), Array::<f64, _>::zeros((2, 4), 1));
    let error = a.try_add(&b).unwrap_err();
    let line = line!() - 1;
    let text = error.to_string();
    assert!(text.starts_with("add: shapes (2, 3) and (2, 4) do not fit"), "{text}");
    assert!(text.ends_with(&format!("elementwise.rs:{line}:19")), "{text}");
    assert!(matches!(a.try_compare(CompareOp::lt, &b), Err(Error::Shapes { operation: "lt", .. })));
}

#[test]
#[should_panic(expected = "sub: shapes (2,) and (3,) do not fit")]
fn operators_panic_as_those_of_ndarray() {
    let _ = Array::<f64, Ix1>::zeros(2, 1) - Array::<f64, Ix1>::zeros(3, 1);
}

#[test]
fn functions_of_users_fuse_and_change_the_type() {
    let x = Array::arange(0, 10, 1, 3);
    let halves = x.mapv(|x: i32| f64::from(x) / 2.0);
    let offset = 0.25;
    let shifted = halves.mapv(move |x| x + offset) * 2.0;
    let want: Vec<f64> = (0..10).map(|x| f64::from(x) + 0.5).collect();
    assert_eq!(answer(&shifted), arr1(&want));
    let labels = x.zip_map(&halves, |x, half| x > 4 && half < 4.0);
    assert_eq!(answer(&labels).iter().filter(|&&label| label).count(), 3);
}

#[test]
fn map_blocks_sees_places_and_checks_shapes() {
    for lengths in cuts(5) {
        let x = Array::from_array(arr1(&[1.0, 2.0, 3.0, 4.0, 5.0]), vec![lengths.clone()]);
        let starts =
            x.map_blocks_with_place(|place, block| block.mapv(|x| x as i64 * 10 + place.start[0] as i64));
        let mut want = Vec::new();
        let mut start = 0;
        for length in &lengths {
            want.extend((0..*length).map(|i| (start + i + 1) as i64 * 10 + start as i64));
            start += length;
        }
        assert_eq!(answer(&starts), arr1(&want), "{lengths:?}");
    }
    let x = Array::<f64, _>::zeros((4, 4), 2);
    let wrong = x.map_blocks(|block| block.slice(s![..1, ..]).to_owned());
    let error = wrong.compute().unwrap_err();
    let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
    assert!(
        format!("{error} {cause}").contains("a block has shape (1, 2) where (2, 2) was promised"),
        "{error} {cause}"
    );
    let other = Chunking::from_lengths(&[vec![1; 3]]);
    assert!(x.try_map_blocks_to::<f64, Ix1, _>(other, |_, block| block.sum_axis(Axis(0))).is_err());
}

#[test]
fn delayed_blocks_go_out_and_come_back() {
    fn double(block: Array2<f64>) -> Array2<f64> {
        block * 2.0
    }
    for lengths in grids(3, 2) {
        let x = Array::from_shape_fn((3, 2), lengths, |(i, j)| (i * 2 + j) as f64);
        let blocks: Vec<_> = x.to_delayed().into_iter().map(|block| delayed(double).call(block)).collect();
        let back = Array::from_delayed(blocks, x.chunks().clone()).unwrap();
        assert_eq!(answer(&back), answer(&(&x * 2.0)));
    }
    let none: Vec<musher_graph_core::Delayed<Array2<f64>>> = Vec::new();
    assert!(Array::from_delayed(none, Chunking::from_lengths(&[vec![1], vec![1]])).is_err());
}

#[test]
fn equal_work_has_equal_keys() {
    let make = || {
        let x = random::uniform((30, 30), 10).seed(1).build();
        ((&x + 1.0).exp().sum_axis(Axis(0)), x.t().slice(s![..;2, 3]))
    };
    assert_eq!(make().0.key(), make().0.key());
    assert_eq!(make().1.key(), make().1.key());
    let table = arr2(&[[1.0, 2.0]]);
    let key = |table: &Array2<f64>, chunks: usize| Array::from_array(table.clone(), chunks).key();
    assert_eq!(key(&table, 1), key(&table, 1));
    assert_ne!(key(&table, 1), key(&table, 2));
    assert_ne!(key(&table, 1), key(&arr2(&[[1.0, -2.0]]), 1));
    let x = random::uniform(5, 5).build();
    assert_ne!(x.key(), random::uniform(5, 5).build().key(), "without a seed every array is another");
}

#[test]
fn random_arrays_do_not_depend_on_their_blocks() {
    let shape = (7, 5);
    let make = |lengths: Chunks| {
        let uniform = random::uniform(shape, lengths.clone()).seed(9).build();
        let normal = random::normal(shape, lengths.clone()).seed(9).philox().build();
        let single = random::exponential(shape, lengths.clone()).seed(9).stream(3).single().build();
        let dice = random::integers(-3..4, shape, lengths).seed(9).build();
        (uniform, normal, single, dice)
    };
    let whole = make(Chunks::whole());
    let want = compute((&whole.0, &whole.1, &whole.2, &whole.3)).unwrap();
    for lengths in grids(7, 5).into_iter().step_by(7) {
        let parts = make(lengths.into());
        assert_eq!(compute((&parts.0, &parts.1, &parts.2, &parts.3)).unwrap(), want);
    }
    assert!(want.0.iter().all(|x| (0.0..1.0).contains(x)) && want.3.iter().all(|x| (-3..4).contains(x)));
}

#[test]
fn creation_for_every_division() {
    for lengths in grids(3, 4) {
        let f = Array::from_shape_fn((3, 4), lengths.clone(), |(i, j)| (i * 10 + j) as u64);
        assert_eq!(answer(&f), Array2::from_shape_fn((3, 4), |(i, j)| (i * 10 + j) as u64));
        assert_eq!(answer(&Array::<f32, Ix2>::ones((3, 4), lengths.clone())), Array2::<f32>::ones((3, 4)));
        assert_eq!(answer(&Array::<i16, Ix2>::full((3, 4), -7, lengths)), Array2::from_elem((3, 4), -7));
    }
    assert!(Array::arange(5, 5, 1, 1).is_empty());
    assert_eq!(answer(&Array::linspace(2.0_f32, 3.0, 1, 1)), arr1(&[2.0]));
}

#[test]
fn selections_take_scalars_and_arrays_in_any_place() {
    let x = Array::from_array(arr1(&[-2.0, 0.0, 3.0, f64::NAN]), 2);
    let positive = x.gt(0.0);
    assert_eq!(answer(&positive.select(&x, -1.0)), arr1(&[-1.0, -1.0, 3.0, -1.0]));
    assert_eq!(answer(&positive.select(1_u8, 0)), arr1(&[0, 0, 1, 0]));
    assert_eq!(
        answer(&(!&positive & x.is_finite()).select(9.0, &x)).iter().filter(|&&x| x == 9.0).count(),
        2
    );
}

#[test]
fn a_summary_says_what_the_array_is() {
    let x = Array::<f64, _>::zeros((2000, 3000), (1000, 1000));
    let text = format!("{x:?}");
    assert!(
        text.contains("shape (2000, 3000), 46 MiB in 6 blocks of at most (1000, 1000), 7.6 MiB"),
        "{text}"
    );
    assert!(x.to_html().contains("<td>46 MiB</td>"));
}

#[test]
fn powers_are_those_of_a_loop() {
    let values = arr1(&[-2.0, 0.5, 3.0, -0.25, 1.0]);
    let x = Array::from_array(values.clone(), 2);
    for power in [-3_i32, -1, 0, 1, 2, 5, 8] {
        let product = |x: &f64| (0..power.abs()).fold(1.0, |product, _| product * x);
        // All of these are exact in binary.
        let want = values.mapv(|x| if power < 0 { 1.0 / product(&x) } else { product(&x) });
        assert_eq!(answer(&x.powi(power)), want, "{power}");
        assert_eq!(answer(&x.powf(f64::from(power))), want, "{power}");
    }
    let n = Array::from_array(arr1(&[-3_i64, 7]), 1);
    assert_eq!(answer(&n.powi(3)), arr1(&[-27, 343]));
    assert!(n.powi(-1).compute().is_err(), "an integer has no negative power");
}

#[test]
fn blocks_of_another_number_of_axes() {
    let rgb = ndarray_of((4, 6, 3));
    for lengths in [vec![vec![4], vec![6], vec![3]], vec![vec![1, 3], vec![2, 4], vec![1, 2]]] {
        let x = Array::from_array(rgb.clone(), lengths);
        let found = x.map_blocks_dropping(Axis(2), |block| block.sum_axis(Axis(2)));
        assert_eq!(answer(&found), rgb.sum_axis(Axis(2)));
        let found = x.map_blocks_dropping(Axis(0), |block| block.map_axis(Axis(0), |line| line[1] as u8));
        assert_eq!(answer(&found), rgb.index_axis(Axis(0), 1).mapv(|value| value as u8));
    }
    let x = Array::from_array(rgb.clone(), (2, 3, 3));
    assert!(matches!(
        x.try_map_blocks_dropping(Axis(3), |block| block.sum_axis(Axis(0))),
        Err(Error::Axis { .. })
    ));
    let ends = x.map_blocks_to::<f64, musher_array::ndarray::Ix3, _>(
        Chunking::from_lengths(&[vec![2, 2], vec![2, 2], vec![3]]),
        |_, block| block.select(Axis(1), &[0, 2]),
    );
    assert_eq!(answer(&ends), rgb.select(Axis(1), &[0, 2, 3, 5]));
}

/// Numbers that count up.
fn ndarray_of(shape: (usize, usize, usize)) -> musher_array::ndarray::Array3<f64> {
    musher_array::ndarray::Array3::from_shape_fn(shape, |(i, j, k)| (i * 100 + j * 10 + k) as f64)
}

#[test]
fn zeros_like_takes_shape_and_blocks() {
    let x = Array::<i16, Ix2>::ones((3, 4), (2, 3));
    let zeros = Array::<f32, Ix2>::zeros_like(&x);
    assert_eq!(zeros.chunks(), x.chunks());
    assert_eq!(answer(&zeros), Array2::<f32>::zeros((3, 4)));
}

#[test]
fn shapes_beyond_counting_are_refused_with_the_users_line() {
    let (huge, long) = (1_usize << 40, 1_usize << 60);
    for (shape, chunks, words) in [
        ((huge, huge), Chunks::whole(), "too many elements"),
        ((long, 0), Chunks::from(long), "of shape"),
        ((long, 4), Chunks::from(1), "too many blocks"),
    ] {
        let Err(panic) = std::panic::catch_unwind(|| Array::<f64, Ix2>::zeros(shape, chunks)) else {
            assert!(shape.1 == 0, "{shape:?}");
            continue;
        };
        let text = panic.downcast_ref::<String>().unwrap();
        assert!(text.contains(words) && text.contains(file!()), "{text}");
    }
    let empty = Array::<f64, Ix1>::zeros(0, 1);
    assert!(matches!(empty.try_reshape((1 << 32, 1 << 32)), Err(Error::Shapes { .. })));
    assert_eq!(empty.reshape((0, 7)).shape(), [0, 7]);
    assert!(matches!(
        Array::<f64, Ix1>::zeros(1, 1).try_broadcast_to((huge, huge)),
        Err(Error::TooLarge { .. })
    ));
}
