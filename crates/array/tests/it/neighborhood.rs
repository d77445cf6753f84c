//! Kernels of neighborhoods: what bands they are given, and that no answer sees blocks or bands.

use crate::blocks::{answer, bits, grids, layers};
use musher_array::kernel::overlap::element_at;
use musher_array::ndarray::{Array2, Axis, Ix2, s};
use musher_array::neighborhood::{Band, Kernel, neighborhood};
use musher_array::{Array, Boundary, Depth, Error, random};
use musher_graph_core::{TaskError, Token, Tokenizer};
use musher_scheduler::{Compute, Options};

/// A weighted sum of the neighbors in a box; weights tell every neighbor from every other.
struct Weighted {
    rows: Depth,
    columns: Depth,
    whole: bool,
}

fn weight(row: isize, column: isize) -> f64 {
    (row * 31 + column * 7 + 1000) as f64
}

impl Kernel for Weighted {
    type In = f64;
    type Out = f64;
    type Scratch = Vec<f64>;

    fn label(&self) -> &'static str {
        "weighted"
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.name("test.weighted/1");
        self.whole.token(tokenizer);
    }

    fn wants_whole(&self) -> bool {
        self.whole
    }

    fn run(&self, band: &Band<'_, f64>, scratch: &mut Vec<f64>, out: &mut [f64]) -> Result<(), TaskError> {
        // Memory that is used again may hold anything.
        scratch.push(f64::NAN);
        let (n, own) = (band.shape[1], band.own_shape());
        assert_eq!(band.elements.len(), band.shape[0] * n);
        assert_eq!(out.len(), own[0] * own[1]);
        for (at, out) in out.iter_mut().enumerate() {
            let (row, column) = (at / own[1], at % own[1]);
            *out = 0.0;
            for i in 0..=self.rows.before + self.rows.after {
                for j in 0..=self.columns.before + self.columns.after {
                    let (up, left) = (self.rows.before as isize, self.columns.before as isize);
                    *out += band.elements[(row + i) * n + column + j]
                        * weight(i as isize - up, j as isize - left);
                }
            }
        }
        Ok(())
    }
}

/// The same without blocks.
fn naive(whole: &Array2<f64>, boundaries: [Boundary; 2], rows: Depth, columns: Depth) -> Array2<f64> {
    let (n, m) = whole.dim();
    Array2::from_shape_fn((n, m), |(row, column)| {
        let mut sum = 0.0;
        for i in -(rows.before as isize)..=rows.after as isize {
            for j in -(columns.before as isize)..=columns.after as isize {
                let at = |boundary: &Boundary, at: usize, by: isize, n: usize| {
                    element_at(boundary, at as isize + by, n)
                };
                let (row, column) = (at(&boundaries[0], row, i, n), at(&boundaries[1], column, j, m));
                // Where both are beyond the edges, the last axis decides.
                let value = match (row, column, boundaries) {
                    (_, None, [_, Boundary::Constant(value)])
                    | (None, Some(_), [Boundary::Constant(value), _]) => value,
                    (Some(row), Some(column), _) => whole[[row, column]],
                    _ => unreachable!("only a constant has no element"),
                };
                sum += value * weight(i, j);
            }
        }
        sum
    })
}

const BOUNDARIES: [Boundary; 5] =
    [Boundary::Reflect, Boundary::Mirror, Boundary::Wrap, Boundary::Nearest, Boundary::Constant(-2.5)];

#[test]
fn every_division_and_boundary_gives_the_neighborhoods_of_the_whole() {
    let whole = Array2::from_shape_fn((3, 4), |(i, j)| (i * 10 + j + 1) as f64);
    for rows_boundary in BOUNDARIES {
        for columns_boundary in BOUNDARIES {
            for (rows, columns) in [(Depth::both(1), Depth::new(0, 2)), (Depth::new(4, 0), Depth::both(5))] {
                let boundaries = [rows_boundary, columns_boundary];
                let expected = naive(&whole, boundaries, rows, columns);
                for chunks in grids(3, 4) {
                    let x = Array::from_array(whole.clone(), chunks.clone());
                    for whole in [false, true] {
                        let kernel = Weighted { rows, columns, whole };
                        let found = neighborhood(&x, [rows, columns], boundaries, kernel).unwrap();
                        let found = found.compute_with(&Options::sequential()).unwrap();
                        assert_eq!(found, expected, "{boundaries:?} {rows:?} {columns:?} {chunks:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn bands_of_a_large_block_give_what_the_whole_block_gives() {
    // A row of 4 MB is a band of its own; short rows come by thousands; a halo may be deeper than a band.
    for (shape, rows) in
        [((9, 500_000), Depth::new(2, 1)), ((300_000, 3), Depth::new(1, 2)), ((700, 900), Depth::new(80, 3))]
    {
        let x = Array::<f64, Ix2>::from_shape_fn(shape, shape, |(i, j)| {
            ((i * 7919) ^ (j * 104_729)) as u16 as f64
        });
        let run = |x: &Array<f64, Ix2>, whole| {
            let kernel = Weighted { rows, columns: Depth::new(0, 1), whole };
            neighborhood(x, [rows, Depth::new(0, 1)], Boundary::Mirror, kernel).unwrap()
        };
        let expected = run(&x, true).compute().unwrap();
        assert!(run(&x, false).compute().unwrap() == expected);
        assert!(
            run(&x.rechunk((shape.0.div_ceil(2), shape.1.div_ceil(3))), false).compute().unwrap() == expected
        );
        assert!(
            run(&x.t().rechunk(shape.0).t(), false).compute().unwrap() == expected,
            "blocks in another order"
        );
    }
}

/// The same kernel as everywhere, with a small halo.
fn weighted(x: &Array<f64, Ix2>, boundary: Boundary) -> Array<f64, Ix2> {
    let (rows, columns) = (Depth::new(1, 2), Depth::both(1));
    neighborhood(x, [rows, columns], boundary, Weighted { rows, columns, whole: false }).unwrap()
}

/// ```text
/// data ─▶ mul ─▶ add ─▶ weighted ─▶ gt        becomes        data → mul → add → weighted → gt
/// ```
#[test]
fn elementwise_work_before_and_after_a_kernel_is_done_in_its_pass() {
    let x = Array::from_array(Array2::from_shape_fn((90, 80), |(i, j)| (i * j) as f64), (30, 40));
    let chain = weighted(&(&x * 0.5 + 1.0), Boundary::Reflect).gt(9e4);
    let labels = layers(&chain);
    assert!(labels.iter().any(|label| label.contains("weighted") && label.ends_with("gt")), "{labels:?}");
    assert_eq!(labels.len(), 1, "one pass, which reads the data where they lie: {labels:?}");
    let made = Array::<f64, Ix2>::from_shape_fn((90, 80), (30, 40), |(i, j)| (i * j) as f64);
    let chain = weighted(&(&made * 0.5 + 1.0), Boundary::Reflect).gt(9e4);
    assert_eq!(layers(&chain).len(), 2, "the data and one pass: {:?}", layers(&chain));
    // A block of 3 rows with a halo of 3 would make everything twice.
    let thin = weighted(&(&x.rechunk((3, 80)) * 0.5), Boundary::Reflect);
    assert!(layers(&thin).contains(&"weighted".to_owned()), "{:?}", layers(&thin));
    // What somebody else reads is made once, unless it is as quickly made as read.
    let half = &made * 0.5;
    let both = weighted(&half, Boundary::Reflect) + &half;
    assert!(layers(&both).iter().any(|label| label.starts_with("weighted")), "{:?}", layers(&both));
}

#[test]
fn fused_neighborhoods_have_the_bits_of_unfused_ones() {
    let whole = Array2::from_shape_fn((40, 40), |(i, j)| ((i * 37) ^ (j * 101)) as f64 / 7.0);
    type Hold<'a> = &'a dyn Fn(Array<f64, Ix2>) -> Array<f64, Ix2>;
    for lengths in
        [vec![vec![40], vec![40]], vec![vec![19, 21], vec![16, 24]], vec![vec![0, 20, 20], vec![33, 7]]]
    {
        for boundary in BOUNDARIES {
            let x = Array::from_array(whole.clone(), lengths.clone());
            let y = Array::from_array(whole.t().to_owned(), lengths.clone());
            let chain = |hold: Hold<'_>| {
                // Two inputs and a single value before; a row, a turned array and the kernel's own input after.
                let before = hold(&hold(&x * 3.0) + &y - &hold(x.clone()).mean());
                let made = hold(weighted(&before, boundary));
                let row = y.index_axis(Axis(0), 3);
                let after = hold(hold(&made * 0.25) + row);
                let turned = hold(after - y.t());
                (turned.gt(100.0).select(&turned, &x), turned.lt(50.0))
            };
            let fused = chain(&|array| array);
            let unfused = chain(&|array| array.persist().unwrap());
            assert_eq!(bits(&answer(&fused.0)), bits(&answer(&unfused.0)), "{boundary:?} {lengths:?}");
            assert_eq!(answer(&fused.1), answer(&unfused.1));
            assert_eq!(
                fused.0.sum().compute().unwrap().to_bits(),
                unfused.0.sum().compute().unwrap().to_bits(),
                "{boundary:?} {lengths:?}"
            );
        }
    }
}

#[test]
fn the_first_blocks_of_a_longer_array_are_not_taken_for_all_of_it() {
    let x = Array::from_array(Array2::from_shape_fn((60, 60), |(i, j)| (i * 100 + j) as f64), (20, 20));
    let part = x.slice(s![..40, ..20]);
    for boundary in BOUNDARIES {
        let chain = weighted(&(&part * 2.0), boundary);
        let held = weighted(&(&part * 2.0).persist().unwrap(), boundary);
        assert_eq!(bits(&answer(&chain)), bits(&answer(&held)), "{boundary:?}");
    }
}

#[test]
fn generators_are_not_taken_into_a_window() {
    let x = random::normal((40, 40), (20, 20)).seed(5).build();
    let chain = weighted(&(&x + 1.0), Boundary::Wrap);
    let held = weighted(&(&x + 1.0).persist().unwrap(), Boundary::Wrap);
    assert_eq!(bits(&answer(&chain)), bits(&answer(&held)));
    let ramp = Array::from_shape_fn((40, 40), 20, |(i, j)| (i * j) as f64);
    let random_after = weighted(&ramp, Boundary::Wrap) + &x;
    let held = weighted(&ramp, Boundary::Wrap).persist().unwrap() + &x;
    assert_eq!(bits(&answer(&random_after)), bits(&answer(&held)));
}

#[test]
fn threads_agree_and_equal_calls_are_one() {
    let x = Array::from_array(Array2::from_shape_fn((40, 30), |(i, j)| (i as f64).sin() + j as f64), (7, 8));
    let run = |boundary: Boundary| {
        let kernel = Weighted { rows: Depth::both(1), columns: Depth::both(1), whole: false };
        neighborhood(&x, 1, boundary, kernel).unwrap()
    };
    assert_eq!(bits(&answer(&run(Boundary::Wrap))), bits(&answer(&run(Boundary::Wrap))));
    assert_eq!(run(Boundary::Wrap).key(), run(Boundary::Wrap).key());
    assert_ne!(run(Boundary::Constant(1.0)).key(), run(Boundary::Constant(2.0)).key());
}

#[test]
fn wrong_depths_are_refused_at_the_users_line() {
    let x = Array::from_array(Array2::<f64>::zeros((4, 4)), 2);
    let kernel = || Weighted { rows: Depth::both(1), columns: Depth::both(1), whole: false };
    let error =
        neighborhood(&x, [1, 1, 1], Boundary::Nearest, kernel()).expect_err("three depths for two axes");
    assert!(error.to_string().starts_with("weighted: shapes (4, 4) and"), "{error}");
    assert!(error.to_string().contains("neighborhood.rs"), "{error}");
    let boundaries = vec![Boundary::Nearest];
    assert!(matches!(neighborhood(&x, 1, boundaries, kernel()), Err(Error::Shapes { .. })));
    for far in [usize::MAX, isize::MAX as usize, 1 << 40] {
        let error = neighborhood(&x, far, Boundary::Nearest, kernel()).unwrap_err();
        assert!(matches!(error, Error::Halo { .. }), "{error}");
        assert!(error.to_string().contains("neighborhood.rs"), "{error}");
    }
}
