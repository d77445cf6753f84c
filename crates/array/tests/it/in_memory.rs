//! Arrays that are in memory already: read where they lie, in any layout; and answers that workers fill.

use crate::blocks::layers;
use musher_array::ndarray::{ArcArray, Array2, ArrayD, Axis, Ix2, IxDyn, Slice, arr1, s};
use musher_array::{All, Array, random};
use musher_graph_core::{Collection, Graph, Plan};
use musher_scheduler::{Compute, Options, compute};
use musher_testkit::{Peak, Random, check_everywhere};
use std::sync::Arc;

/// An array of random shape whose axes lie in memory in random order, some of them with gaps or backward.
fn laid_out(random: &mut Random, ndim: usize) -> ArcArray<i64, IxDyn> {
    let shape: Vec<usize> = (0..ndim).map(|_| random.below(9)).collect();
    let n = shape.iter().product::<usize>();
    let mut array = ArrayD::from_shape_vec(IxDyn(&shape), (0..n as i64).collect()).unwrap().into_shared();
    for _ in 0..random.below(3) {
        let (a, b) = (random.below(ndim), random.below(ndim));
        array.swap_axes(a, b);
    }
    if random.below(3) == 0 {
        let axis = random.below(ndim);
        let step = [2, -1, -2][random.below(3)];
        array = array.slice_axis_move(Axis(axis), Slice::new(0, None, step));
    }
    array
}

/// Block lengths of an axis, some of them 0.
fn cut(random: &mut Random, length: usize) -> Vec<usize> {
    let mut ends: Vec<usize> = (0..random.below(4)).map(|_| random.below(length + 1)).collect();
    ends.extend([0, length]);
    ends.sort_unstable();
    ends.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

#[test]
fn every_layout_division_slice_and_redivision_is_read_where_it_lies() {
    for seed in 0..150 {
        let mut random = Random::new(seed);
        let ndim = 1 + random.below(3);
        let whole = laid_out(&mut random, ndim);
        let x = Array::from_array(
            whole.clone(),
            whole.shape().iter().map(|&n| cut(&mut random, n)).collect::<Vec<_>>(),
        );
        let (mut part, mut want) = (x.clone(), whole.to_owned());
        for axis in 0..ndim {
            let n = want.len_of(Axis(axis));
            let (a, b) = (random.below(n + 1), random.below(n + 1));
            let range = Slice::from(a.min(b)..a.max(b));
            part = part.slice_axis(Axis(axis), range);
            want = want.slice_axis(Axis(axis), range).to_owned();
        }
        if random.below(2) == 0 {
            part = part.rechunk(want.shape().iter().map(|&n| cut(&mut random, n)).collect::<Vec<_>>());
        }
        let doubled = &part * 2_i64 + 1_i64;
        assert_eq!(check_everywhere(&doubled), &want * 2 + 1, "seed {seed}");
        let turned = part.t() + 1_i64;
        assert_eq!(check_everywhere(&turned), want.t().to_owned() + 1, "seed {seed}, turned");
        let axis = Axis(random.below(ndim));
        assert_eq!(check_everywhere(&part.over(axis).sum()), want.sum_axis(axis), "seed {seed}, summed");
        assert_eq!(check_everywhere(&part.over(All).sum()), want.sum(), "seed {seed}, all");
    }
}

#[test]
fn no_block_of_an_array_in_memory_is_made() {
    let x = Array::from_array(Array2::<f64>::ones((1000, 1000)), (100, 100));
    let neighbors = (x.slice(s![1.., ..]) + x.slice(s![..-1, ..])) * 1.5;
    let sum = compute((&neighbors.sum(), &(&x + x.t()).sum())).unwrap();
    assert_eq!(sum, (3.0 * 999_000.0, 2_000_000.0));
    for sum in [neighbors.sum(), (&x + x.t()).sum()] {
        let found = layers(&sum);
        assert!(found[0].contains("partial sum"), "{found:?}");
    }
    let sum = neighbors.sum();
    // Blocks of 80 kB, of which none is held.
    let plan = Plan::new(Graph::collect(&[sum.request()]).unwrap().optimize()).unwrap();
    assert!(plan.peak_bytes() < 3 * 65_536 + 20_000, "{}", plan.peak_bytes());
    // Where a block itself is wanted, it is made.
    assert_eq!(layers(&x.t()).len(), 2);
    assert_eq!(x.t().compute().unwrap(), Array2::<f64>::ones((1000, 1000)));
}

#[test]
fn operands_cut_at_other_places_are_read_across_borders_and_not_cut_to_slivers() {
    let x = random::uniform((1000, 700), (100, 100)).seed(5).build();
    let moved = x.slice(s![1.., ..-1]) - x.slice(s![..-1, 1..]);
    assert_eq!(moved.chunks().axis(0), [99, 100, 100, 100, 100, 100, 100, 100, 100, 100]);
    let whole = x.compute().unwrap();
    let want = &whole.slice(s![1.., ..-1]) - &whole.slice(s![..-1, 1..]);
    assert_eq!(check_everywhere(&moved), want);
    // Where one divides the other, the shorter blocks are taken: nothing is put together.
    let halves = x.rechunk((50, 700));
    assert_eq!((&x + &halves).chunks().axis(0), [50; 20]);
    assert_eq!((&x + &halves).chunks().axis(1), [100; 7]);
    let odd = Array::from_array(arr1(&[1, 2, 3, 4, 5, 6, 7]), vec![vec![3, 4]]);
    let even = Array::from_array(arr1(&[1, 2, 3, 4, 5, 6, 7]), vec![vec![2, 2, 3]]);
    assert_eq!((&even + &odd).chunks().axis(0), [3, 4], "the one with fewer blocks");
    assert_eq!(check_everywhere(&(&even + &odd)), arr1(&[2, 4, 6, 8, 10, 12, 14]));
}

/// The answer and the run's peak.
fn computed(x: &Array<f64, Ix2>, options: Options) -> (Array2<f64>, u64) {
    let peak = Arc::new(Peak::default());
    let answer = x.compute_with(&options.observe(peak.clone())).unwrap();
    (answer, peak.bytes())
}

#[test]
fn blocks_go_into_the_answer_as_they_are_made() {
    const MIB: u64 = 1 << 20;
    let x = random::uniform((2048, 2048), (256, 512)).seed(9).build();
    let want = x.persist().unwrap().rechunk((2048, 2048)).compute().unwrap();
    for options in [Options::sequential(), Options::default().threads(2), Options::default().threads(8)] {
        // No block of the 32 MiB is held beside the answer.
        let (answer, peak) = computed(&x, options);
        assert_eq!(answer, want);
        assert!(peak < 10 * MIB, "{peak}");
    }
    // Below a limit of less than twice the answer, the blocks are put together at the end: they may spill.
    let (answer, peak) = computed(&x, Options::default().threads(2).memory_limit("40 MiB"));
    assert_eq!(answer, want);
    assert!(peak <= 40 * MIB, "{peak}");
    // What others read, too, is put in at the end.
    let (whole, sum) = musher_scheduler::compute((&x, &x.rechunk((2048, 128)).sum())).unwrap();
    assert_eq!(whole, want);
    assert_eq!(sum.to_bits(), x.rechunk((2048, 128)).sum().compute().unwrap().to_bits());
    let (first, second) = musher_scheduler::compute((&x, &x)).unwrap();
    assert_eq!(first, want);
    assert_eq!(second, want);
}

#[test]
fn blocks_do_not_grow_where_operands_are_cut_along_other_axes() {
    let rows = random::uniform((60, 60), (20, 7)).seed(1).build();
    let columns = random::uniform((60, 60), (7, 20)).seed(2).build();
    let sum = &rows + &columns;
    assert!(sum.chunks().largest_block().iter().product::<usize>() <= 140, "{:?}", sum.chunks());
    assert_eq!(check_everywhere(&sum), rows.compute().unwrap() + columns.compute().unwrap());
}

#[test]
fn long_rows_of_a_wide_array_are_read_where_they_lie() {
    // Rows of a block are neighbors in memory, and blocks are not: strips end with the rows.
    let whole = Array2::from_shape_fn((40, 3000), |(i, j)| (i * 3000 + j) as f64 * 0.25);
    for columns in [256, 300, 1000, 1024, 1500] {
        let x = Array::from_array(whole.clone(), (20, columns));
        assert_eq!(check_everywhere(&(&x * 2.0 + 1.0)), &whole * 2.0 + 1.0, "{columns}");
        let highest = x.over(Axis(1)).argmax();
        assert_eq!(check_everywhere(&highest), ndarray_argmax(&whole), "{columns}");
    }
}

/// The last column: values rise along the rows.
fn ndarray_argmax(whole: &Array2<f64>) -> musher_array::ndarray::Array1<u64> {
    whole.rows().into_iter().map(|row| row.len() as u64 - 1).collect()
}

#[test]
fn an_answer_beside_an_exchange_or_unknown_sizes_keeps_the_limit_that_is_named() {
    let x = random::uniform((1024, 1024), (64, 1024)).seed(4).build();
    let turned = x.rechunk((1024, 64));
    let want = x.compute().unwrap();
    let error = turned.compute_with(&Options::default().memory_limit("1 MiB").never_spill()).unwrap_err();
    let musher_scheduler::Error::MemoryLimit { need, .. } = error else { panic!("{error:?}") };
    for more in [0, 1 << 20, 8 << 20, 9 << 20] {
        let options = Options::default().threads(2).memory_limit(need + more).never_spill();
        assert_eq!(turned.compute_with(&options).unwrap(), want, "{more}");
    }
}

#[test]
fn turned_blocks_and_complex_numbers_go_into_the_answer() {
    let x = random::uniform((600, 500), (150, 250)).seed(2).build();
    let want = x.compute().unwrap();
    assert_eq!(check_everywhere(&x.t()), want.t());
    let z = x.cast::<musher_array::Complex<f64>>();
    assert_eq!(check_everywhere(&z).map(|z| z.re), want);
    let empty = Array::<f64, Ix2>::zeros((0, 100_000), (1, 20_000));
    assert_eq!(empty.compute().unwrap().shape(), [0, 100_000]);
}
