//! Halos and functions that need them.

use crate::blocks::{answer, bits, cuts, golden_array, grids};
use musher_array::kernel::overlap::element_at;
use musher_array::ndarray::{Array1, Array2, ArrayView2, Ix2, s};
use musher_array::{Array, Boundary, Chunks, Depth, Error, PerAxis};
use musher_scheduler::{Compute, Options};

/// Products of a few hundred numbers below ten, whose sums may be rounded in another order.
const CORRELATION_TOLERANCE: f64 = 1e-11;

/// The window of the golden files, `(1..=15) / 8` in three rows of five; what lies outside the block counts as zero.
fn correlated(block: ArrayView2<'_, f64>) -> Array2<f64> {
    Array2::from_shape_fn(block.dim(), |(row, column)| {
        let mut sum = 0.0;
        for i in 0..3 {
            for j in 0..5 {
                let at = (row + i).checked_sub(1).zip((column + j).checked_sub(2));
                let value = at.and_then(|at| block.get(at)).copied().unwrap_or(0.0);
                sum += value * (i * 5 + j + 1) as f64 / 8.0;
            }
        }
        sum
    })
}

const BOUNDARIES: [(&str, Boundary<f64>); 5] = [
    ("reflect", Boundary::Reflect),
    ("periodic", Boundary::Wrap),
    ("nearest", Boundary::Nearest),
    ("none", Boundary::None),
    ("constant", Boundary::Constant(1.5)),
];

#[test]
fn dask_agrees_on_every_boundary() {
    for (name, boundary) in BOUNDARIES {
        let expected = golden_array::<f64, Ix2>(&format!("map_overlap_{name}"), Chunks::whole())
            .compute()
            .expect("reads");
        let mut first = None;
        for chunks in [(10, 12), (4, 5), (3, 4), (2, 3), (1, 1)] {
            let found =
                answer(&golden_array::<f64, Ix2>("plane", chunks).map_overlap((1, 2), boundary, correlated));
            let furthest = (&found - &expected).mapv(f64::abs).fold(0.0, |a: f64, &b| a.max(b));
            assert!(furthest < CORRELATION_TOLERANCE, "{name} {chunks:?}: {furthest}");
            // The window sees the same numbers in the same order, however the array is cut.
            assert_eq!(bits(first.get_or_insert_with(|| found.clone())), bits(&found), "{name} {chunks:?}");
        }
    }
}

#[test]
fn dask_agrees_on_the_halo_of_the_whole_array() {
    for (name, boundary) in BOUNDARIES.into_iter().filter(|(name, _)| *name != "none") {
        let expected =
            golden_array::<f64, Ix2>(&format!("overlap_{name}"), Chunks::whole()).compute().expect("reads");
        let whole = golden_array::<f64, Ix2>("plane", Chunks::whole()).overlap((1, 2), boundary);
        assert_eq!(bits(&answer(&whole)), bits(&expected), "{name}");
    }
}

/// The sum of a neighborhood of each element, written without blocks.
fn neighborhood(whole: &Array2<i64>, boundary: &Boundary<i64>, rows: Depth, columns: Depth) -> Array2<i64> {
    let (n, m) = whole.dim();
    Array2::from_shape_fn((n, m), |(row, column)| {
        let mut sum = 0;
        for i in -(rows.before as isize)..=rows.after as isize {
            for j in -(columns.before as isize)..=columns.after as isize {
                let at = element_at(boundary, row as isize + i, n).zip(element_at(
                    boundary,
                    column as isize + j,
                    m,
                ));
                let value = match (at, boundary) {
                    (Some(at), _) => whole[at],
                    (None, Boundary::Constant(value)) => *value,
                    (None, _) => 0,
                };
                // Weights tell every neighbor from every other.
                sum += value * (i * 31 + j * 7 + 1000) as i64;
            }
        }
        sum
    })
}

/// The same on a block with its halo: what the block does not hold counts as nothing.
fn in_block(block: &ArrayView2<'_, i64>, rows: Depth, columns: Depth) -> Array2<i64> {
    neighborhood(&block.to_owned(), &Boundary::None, rows, columns)
}

#[test]
fn every_division_boundary_and_depth_gives_the_neighborhoods_of_the_whole() {
    let whole = Array2::from_shape_fn((3, 4), |(i, j)| (i * 10 + j + 1) as i64);
    let boundaries = [
        Boundary::None,
        Boundary::Reflect,
        Boundary::Mirror,
        Boundary::Wrap,
        Boundary::Nearest,
        Boundary::Constant(5),
    ];
    // Deeper than a block and deeper than the array, and different on the two sides.
    let depths = [
        (Depth::both(1), Depth::both(0)),
        (Depth::new(2, 0), Depth::new(1, 3)),
        (Depth::both(5), Depth::both(6)),
    ];
    for boundary in boundaries {
        for (rows, columns) in depths {
            let expected = neighborhood(&whole, &boundary, rows, columns);
            for chunks in grids(3, 4) {
                let x = Array::from_array(whole.clone(), chunks.clone());
                let y =
                    x.map_overlap([rows, columns], boundary, move |block| in_block(&block, rows, columns));
                let found = y.compute_with(&Options::sequential()).expect("computes");
                assert_eq!(found, expected, "{boundary:?} {rows:?} {columns:?} {chunks:?}");
            }
        }
    }
}

#[test]
fn threads_agree_and_each_axis_may_have_its_own_boundary() {
    let whole = Array2::from_shape_fn((7, 6), |(i, j)| (i as f64).sin() * j as f64);
    let boundaries = PerAxis::from([Boundary::Wrap, Boundary::Constant(f64::NAN)]);
    let x = Array::from_array(whole, (2, 4)).overlap((1, 1), boundaries);
    let found = answer(&x);
    assert_eq!(found.dim(), (7 + 4 * 2, 6 + 2 * 2));
    assert!(found.slice(s![.., 0]).iter().all(|value| value.is_nan()));
    assert_eq!(found[[0, 1]], 6.0_f64.sin() * 0.0);
}

#[test]
fn what_overlap_adds_trim_overlap_takes() {
    let whole = Array2::from_shape_fn((3, 4), |(i, j)| (i * 4 + j) as u16);
    for boundary in [Boundary::None, Boundary::Reflect, Boundary::Wrap, Boundary::Constant(9)] {
        for chunks in grids(3, 4) {
            let x = Array::from_array(whole.clone(), chunks);
            let depths = [Depth::new(1, 2), Depth::new(0, 3)];
            let y = x.overlap(depths, boundary);
            let z = y.trim_overlap(x.chunks(), depths, boundary);
            assert_eq!(z.compute_with(&Options::sequential()).expect("computes"), whole);
        }
    }
    let x = Array::from_array(whole, 2);
    let y = x.overlap(1, Boundary::Nearest);
    assert!(matches!(y.try_trim_overlap(x.chunks(), 2, Boundary::Nearest), Err(Error::Chunks { .. })));
}

#[test]
fn the_element_type_may_change_and_capturing_functions_are_not_merged() {
    let x = Array::from_array(Array1::from_iter(0..5_i32), 2);
    let limit = 2;
    let large = |limit| x.map_overlap(1, Boundary::None, move |block| block.mapv(|value| value > limit));
    assert_eq!(answer(&large(limit)).to_vec(), [false, false, false, true, true]);
    assert_ne!(large(2).key(), large(3).key());
    fn negative(block: musher_array::ndarray::ArrayView1<'_, i32>) -> Array1<i32> {
        block.mapv(|value| -value)
    }
    let twice = [x.map_overlap(1, Boundary::None, negative), x.map_overlap(1, Boundary::None, negative)];
    assert_eq!(twice[0].key(), twice[1].key());
    assert_ne!(twice[0].key(), x.map_overlap(1, Boundary::Reflect, negative).key());
    let constant = |value| x.map_overlap(1, Boundary::Constant(value), negative).key();
    assert_ne!(constant(1), constant(2));
}

#[test]
fn empty_arrays_have_constant_halos_only() {
    let empty = Array::from_array(Array2::<f32>::zeros((0, 3)), 2);
    for boundary in [Boundary::None, Boundary::Reflect, Boundary::Wrap, Boundary::Constant(1.0)] {
        assert_eq!(answer(&empty.map_overlap(2, boundary, |block| block.to_owned())).dim(), (0, 3));
    }
    assert_eq!(answer(&empty.overlap((2, 0), Boundary::Constant(1.0))), Array2::from_elem((4, 3), 1.0));
    for chunks in cuts(1) {
        let one = Array::from_array(Array1::from_elem(1, 4_u8), vec![chunks]);
        let found = one.map_overlap(3, Boundary::Mirror, |block| block.mapv(|value| value + 1));
        assert_eq!(answer(&found).to_vec(), [5]);
    }
}

#[test]
fn wrong_depths_are_refused_at_the_users_line_and_wrong_functions_at_the_block() {
    let x = Array::from_array(Array2::<f64>::zeros((4, 4)), 2);
    let error = x.try_overlap([1, 1, 1], Boundary::None).expect_err("three depths for two axes");
    assert!(error.to_string().starts_with("overlap: shapes (4, 4) and"), "{error}");
    assert!(error.to_string().contains("overlap.rs"), "{error}");
    assert!(x.try_overlap(1, vec![Boundary::None]).is_err());
    let shrinking = x.map_overlap(1, Boundary::Nearest, |block| block.slice(s![1.., ..]).to_owned());
    let error = shrinking.compute().expect_err("the function gives another shape");
    assert!(error.to_string().contains("map_overlap"), "{error}");
    let cause = std::error::Error::source(&error).map(ToString::to_string);
    assert_eq!(cause.as_deref(), Some("a block has shape (3, 4) where (4, 4) was promised"));
}
