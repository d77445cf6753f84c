//! Projections are honest: what a plan says it needs bounds what it takes, for every operation, and is not far above it.

use std::collections::BTreeSet;
use std::sync::Arc;

use allocation_counter::measure;
use musher_array::kernel::ops::{BinaryOp, CompareOp, PartOp, Row, TestOp, UnaryOp};
use musher_array::ndarray::{Array1, Array2, ArrayView2, Axis, Ix2, IxDyn, Slice, s};
use musher_array::prelude::*;
use musher_array::{Array, Block, Boundary, Chunking, Complex, Element, Gather, concatenate, random, stack};
use musher_graph_core::{Collection, Plan, Request, SpillStore};
use musher_scheduler::{Run, Scheduler, Sequential, SpillDir, SpillOptions, plan};

/// Bytes that a sequential run takes for its own books, whatever it runs.
const BOOKKEEPING: u64 = 64 << 10;
/// Bytes that it takes for each task: what is known of a chunk, and the chunk's own head.
const BOOKKEEPING_A_TASK: u64 = 256;
/// Sides of the matrices; the last blocks are ragged.
const SIDES: (usize, usize) = (600, 520);
const SIDE: usize = 256;

/// Operations by their names in `ops.toml`, and what computes each of them.
#[derive(Default)]
struct Cases(Vec<(String, Request)>);

impl Cases {
    /// An operation whose blocks are asked for, so that all stay in memory.
    fn kept(&mut self, name: &str, array: &impl Collection) {
        self.0.push((name.to_owned(), array.request()));
    }

    /// An operation whose blocks are asked for, and the same whose blocks are read by a function and dropped.
    fn both<A: Element, D: Gather<A> + 'static>(&mut self, name: &str, array: &Array<A, D>) {
        self.kept(name, array);
        let ones = Chunking::from_lengths(
            &array.chunks().axes().map(|axis| vec![1; axis.len()]).collect::<Vec<_>>(),
        );
        let ndim = array.ndim();
        let read = array.clone().into_dyn().map_blocks_to::<u64, IxDyn, _>(ones, move |_, block| {
            ndarray::ArrayD::from_elem(vec![1; ndim], block.len() as u64)
        });
        self.kept(name, &read);
    }
}

/// `x` is made by a function, block by block: no task takes that in.
fn matrix(shift: f64) -> Array<f64, Ix2> {
    Array::from_shape_fn(SIDES, SIDE, move |(i, j)| ((i * 31 + j * 17) % 97) as f64 + shift)
}

fn whole_numbers() -> Array<i64, Ix2> {
    Array::from_shape_fn(SIDES, SIDE, |(i, j)| ((i * 31 + j * 17) % 97) as i64 + 1)
}

fn truths() -> Array<bool, Ix2> {
    Array::from_shape_fn(SIDES, SIDE, |(i, j)| (i + j) % 3 == 0)
}

/// Adds calls of methods by their names.
macro_rules! calls {
    ($cases:ident, $how:ident, $x:expr; $($method:ident($($argument:expr),*)),* $(,)?) => {
        $($cases.$how(concat!("Array::", stringify!($method)), &$x.$method($($argument),*));)*
    };
}

/// Every row of the tables, on numbers that have it: floats, else integers.
fn rows(cases: &mut Cases) {
    let (x, y, n) = (matrix(0.5), matrix(1.5), whole_numbers());
    let name = |row: Row| format!("Array::{}", row.name);
    for &op in UnaryOp::ALL {
        match x.try_unary(op) {
            Ok(array) => cases.kept(&name(op.row()), &array),
            Err(_) => cases.kept(&name(op.row()), &n.try_unary(op).unwrap()),
        }
    }
    for &op in PartOp::ALL {
        cases.kept(&name(op.row()), &x.try_part(op).unwrap());
    }
    for &op in TestOp::ALL {
        cases.kept(&name(op.row()), &x.try_test(op).unwrap());
    }
    for &op in BinaryOp::ALL {
        match x.try_binary(op, &y) {
            Ok(array) => cases.kept(&name(op.row()), &array),
            Err(_) => cases.kept(&name(op.row()), &n.try_binary(op, &n).unwrap()),
        }
    }
    for &op in CompareOp::ALL {
        cases.kept(&name(op.row()), &x.try_compare(op, &y).unwrap());
    }
}

fn elementwise(cases: &mut Cases) {
    rows(cases);
    let (x, y, b) = (matrix(0.5), matrix(1.5), truths());
    calls!(cases, kept, x; mapv(|value| value as f32), zip_map(&y, |a, b| a.max(b)), powi(3), powf(&y));
    calls!(cases, kept, x; clip(1.0, 5.0));
    cases.kept("Array::cast", &x.cast::<f32>());
    cases.kept("Array::mapv_into", &x.clone().mapv_into(|value| value + 1.0));
    cases.kept("Array::conj", &x.mapv(|value| Complex::new(value, 1.0)).conj());
    cases.kept("Array::select", &b.select(&x, 0.0));
    cases.kept("Array::add", &(&x + x.mean_axis(Axis(0))));
    for axis in [Axis(0), Axis(1)] {
        calls!(cases, kept, x; cumsum(axis), cumprod(axis), cummax(axis), cummin(axis), forward_fill(axis));
    }
    cases.kept("Array::cumsum", &x.t().cumsum(Axis(0)));
    // Whole chains, and inputs that do not lie in C order.
    cases.kept("Array::t", &((&x.slice(s![..500, ..500]) + x.slice(s![..500, ..500]).t()) * 2.0 - 1.0));
    cases.kept("Array::abs", &(&x * 2.0 + &y).abs().sqrt().mapv(|value| value.min(2.0)));
}

/// Adds reductions over some axes by their names.
macro_rules! over {
    ($cases:ident, $x:expr, $axes:expr; $($method:ident($($argument:expr),*)),* $(,)?) => {
        $($cases.kept(concat!("Over::", stringify!($method)), &$x.over($axes).$method($($argument),*));)*
    };
}

fn creation(cases: &mut Cases) {
    type A2<A> = Array<A, Ix2>;
    cases.both("Array::from_elem", &A2::from_elem(SIDES, 2.5, SIDE));
    cases.both("Array::full", &A2::full(SIDES, 3_u8, SIDE));
    cases.both("Array::zeros", &A2::<f64>::zeros(SIDES, SIDE));
    cases.both("Array::ones", &A2::<i32>::ones(SIDES, SIDE));
    cases.both("Array::zeros_like", &A2::<f32>::zeros_like(&matrix(0.0)));
    cases.both("Array::from_shape_fn", &matrix(0.0));
    cases.both(
        "Array::from_shape_fn",
        &A2::from_shape_fn(SIDES, SIDE, |(i, j)| Complex::new(i as f64, j as f64)),
    );
    cases.both("Array::arange", &Array::arange(0_i64, 300_000, 1, 70_000));
    cases.both("Array::linspace", &Array::linspace(0.0, 1.0, 300_000, 70_000));
    cases.both("Array::eye", &A2::<f64>::eye(600, SIDE));
    cases.both("uniform", &random::uniform(SIDES, SIDE).build());
    cases.both("normal", &random::normal(SIDES, SIDE).build());
    cases.both("exponential", &random::exponential(SIDES, SIDE).build());
    cases.both("integers", &random::integers(0..9, SIDES, SIDE).build());
    cases.both("Random::build", &random::normal(SIDES, SIDE).build());
    cases.both("Random::seed", &random::normal(SIDES, SIDE).seed(1).build());
    cases.both("Random::stream", &random::normal(SIDES, SIDE).seed(1).stream(2).build());
    cases.both("Random::philox", &random::normal(SIDES, SIDE).seed(1).philox().build());
    cases.both("Random::single", &random::normal(SIDES, SIDE).seed(1).single().build());
    // Blocks of whole rows share the storage of what is there; others are copied.
    cases.both("Array::from_array", &Array::from_array(Array2::<f64>::ones(SIDES), SIDE));
    let x = matrix(0.0);
    let delayed = x.to_delayed();
    delayed.iter().for_each(|block| cases.kept("Array::to_delayed", block));
    cases.both("Array::from_delayed", &Array::from_delayed(delayed, x.chunks().clone()).unwrap());
    cases.kept("Array::into_dyn", &x.clone().into_dyn());
    cases.kept("Array::into_dimensionality", &x.into_dyn().into_dimensionality::<Ix2>().unwrap());
}

fn reductions(cases: &mut Cases) {
    let (x, n, b) = (matrix(0.5), whole_numbers(), truths());
    calls!(cases, kept, x; sum(), mean(), product(), var(0.0), std(1.0));
    calls!(cases, kept, x; argmin(), argmax(), min(), max(), count_not_nan());
    calls!(cases, kept, n; sum(), mean(), var(0.0), argmin(), max());
    calls!(cases, kept, b; any(), all(), count_true());
    for axis in [Axis(0), Axis(1)] {
        calls!(cases, kept, x; sum_axis(axis), mean_axis(axis), product_axis(axis), var_axis(axis, 0.0));
        calls!(cases, kept, x; std_axis(axis, 1.0));
        over!(cases, x, axis; sum(), mean(), product(), var(1.0), std(0.0), argmin(), argmax(), min(), max());
        over!(cases, n, axis; sum(), std(0.0), argmax());
        over!(cases, b, axis; any(), all(), count_true());
        cases.kept("Over::skip_nan", &x.over(axis).skip_nan().mean());
        cases.kept("Over::where_true", &x.over(axis).where_true(&b).max());
        cases.kept("Over::keep_axes", &x.over(axis).keep_axes().var(0.0));
    }
    // States of thin blocks are as many as elements.
    let thin = Array::<f64, Ix2>::from_shape_fn((3, 100_000), (1, 50_000), |(i, j)| (i + j) as f64);
    calls!(cases, kept, thin; sum_axis(Axis(0)), std_axis(Axis(0), 0.0), std_axis(Axis(1), 0.0));
}

fn layout(cases: &mut Cases) {
    let (x, y) = (matrix(0.5), matrix(1.5));
    calls!(cases, both, x; t(), permuted_axes([1, 0]), swap_axes(0, 1), insert_axis(Axis(1)));
    calls!(cases, both, x; index_axis(Axis(0), 300), index_axis(Axis(1), 300));
    calls!(cases, both, x; slice(s![10..590, 5..;2]), slice(s![..;-1, 300]), slice_axis(Axis(0), Slice::from(100..500)));
    cases.both("Array::slice", &x.slice(s![..300, ..]));
    cases.both("Array::slice", &x.slice(s![..;100, ..]));
    cases.both("Array::slice", &x.slice(s![250..260, ..]));
    calls!(cases, both, x; rechunk((600, 64)), rechunk((64, 520)), rechunk((100, 100)), rechunk(600), rechunk((1, 520)));
    cases.both("Array::rechunk", &x.rechunk((600, 10)).rechunk((10, 520)));
    cases.both("Array::broadcast_to", &x.mean_axis(Axis(0)).broadcast_to(SIDES));
    cases.both("Array::broadcast_to", &x.slice(s![..64, ..64]).broadcast_to((20, 64, 64)));
    for shape in [(520, 600), (1200, 260), (312_000, 1)] {
        cases.both("Array::reshape", &x.reshape(shape));
    }
    cases.both("Array::reshape", &x.rechunk((60, 520)).reshape(312_000));
    cases.both("concatenate", &concatenate(Axis(0), &[&x, &y]).unwrap());
    cases.both("stack", &stack(Axis(0), &[&x, &y]).unwrap());
    cases.both("Array::block", &Array::block(&[[x.clone(), y.clone()], [y, x]]).unwrap());
}

fn blocks(cases: &mut Cases) {
    let x = matrix(0.5);
    let add = |block: ArrayView2<'_, f64>| block.mapv(|value| value + 1.0);
    calls!(cases, both, x; map_blocks(add), map_blocks_with_place(move |_, block| add(block)));
    cases.both(
        "Array::map_blocks_to",
        &x.map_blocks_to::<f32, Ix2, _>(x.chunks().clone(), |_, block| block.mapv(|v| v as f32)),
    );
    for depth in [1, 40] {
        calls!(cases, both, x; overlap(depth, Boundary::Reflect), map_overlap(depth, Boundary::Constant(0.0), add));
        calls!(cases, both, x; map_overlap(depth, Boundary::Wrap, add), map_overlap(depth, Boundary::None, add));
        let wide = x.overlap(depth, Boundary::Wrap);
        cases.both("Array::trim_overlap", &wide.trim_overlap(x.chunks(), depth, Boundary::Wrap));
    }
    let narrow = x.slice(s![.., ..300]).rechunk((256, 300));
    calls!(cases, both, x; matmul(&x.t()), dot(&x.t()));
    cases.both("Array::matmul_by", &x.matmul_by(&x.t(), musher_array::linalg::Faer).unwrap());
    cases.both("Array::try_matmul", &x.t().try_matmul(&narrow).unwrap());
    cases.both("Array::matmul", &x.matmul(&Array::from_array(Array1::<f64>::ones(520), 100)));
}

/// The operations of this crate that add layers, as `ops.toml` lists them; fallible twins go the same way.
fn listed() -> BTreeSet<String> {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../ops.toml");
    let text = std::fs::read_to_string(file).unwrap();
    let section = text.split("\n[array]\n").nth(1).unwrap().split("\n[").next().unwrap();
    let builds = section.lines().filter(|line| line.contains("kind = \"build\""));
    let names = builds.map(|line| line.split('"').nth(1).unwrap().to_owned());
    names.filter(|name| name != "Array::from_port" && !name.contains("try_")).collect()
}

#[test]
fn projected_memory_bounds_measured_memory_and_is_not_far_above() {
    let mut cases = Cases::default();
    for family in [elementwise, creation, reductions, layout, blocks] {
        family(&mut cases);
    }
    let measured: BTreeSet<String> = cases.0.iter().map(|(name, _)| name.clone()).collect();
    let missing: Vec<_> = listed().difference(&measured).cloned().collect();
    assert!(missing.is_empty(), "operations whose memory is not measured: {missing:?}");
    let folder = tempfile::tempdir().unwrap();
    let disk: Arc<dyn SpillStore> = Arc::new(SpillDir::new(SpillOptions::default().base(folder.path())));
    // The kernel of matrix products keeps buffers for each thread, once, as large as the processor's cache.
    let warm = random::uniform((64, 64), 64).build();
    warm.matmul(&warm).compute_with(&Options::sequential()).unwrap();
    let mut found = Found::default();
    for (name, request) in cases.0 {
        // What goes all to all waits on the disk, as under a memory limit.
        found.measure(&name, plan(&[request]).unwrap(), Some(&disk));
    }
    found.check();
}

/// Cases whose projection does not bound what was measured, and those where it is far above.
#[derive(Default)]
struct Found {
    n_cases: usize,
    above: Vec<String>,
    far: Vec<String>,
}

impl Found {
    /// Runs a plan on this thread: with a store all that exchanges stage waits there.
    fn measure(&mut self, name: &str, plan: Plan, store: Option<&Arc<dyn SpillStore>>) {
        let labels: Vec<_> =
            plan.tasks().layers().iter().map(|layer| layer.task.label().into_owned()).collect();
        let chunks = if store.is_some() { plan.least_peak_bytes() } else { plan.peak_bytes() };
        let projected = chunks + plan.tasks().table_bytes() as u64;
        let bookkeeping = BOOKKEEPING + BOOKKEEPING_A_TASK * plan.tasks().n_tasks() as u64;
        let mut run = Run::new(plan);
        run.spill_store = store.cloned();
        let info = measure(|| drop(Sequential.run(&run).unwrap()));
        let ratio = projected as f64 / info.bytes_max as f64;
        let line =
            format!("{projected:>10} {:>10} {ratio:>6.2}  {name} = {}", info.bytes_max, labels.join(", "));
        println!("{line}");
        self.n_cases += 1;
        if info.bytes_max > projected + bookkeeping {
            self.above.push(line);
        } else if ratio > 4.0 {
            self.far.push(line);
        }
    }

    fn check(self) {
        assert!(self.above.is_empty(), "more was taken than projected:\n{}", self.above.join("\n"));
        assert!(10 * self.far.len() <= self.n_cases, "projected is far above:\n{}", self.far.join("\n"));
    }
}

/// Arrays that go all to all, from many blocks to many and from few to few.
fn exchanges(cases: &mut Cases) {
    let x =
        |chunks: (usize, usize)| Array::<f64, Ix2>::from_shape_fn(SIDES, chunks, |(i, j)| (i * 7 + j) as f64);
    for (from, to) in [(8, 8), (8, 100), (100, 8), (64, 64), (150, 130), (300, 260)] {
        cases.both(&format!("rows of {from} to columns of {to}"), &x((from, SIDES.1)).rechunk((SIDES.0, to)));
        cases.both(&format!("columns of {from} to rows of {to}"), &x((SIDES.0, from)).rechunk((to, SIDES.1)));
        let tiles = x((from, from)).reshape((SIDES.1, SIDES.0));
        cases.both(&format!("tiles of {from} reshaped"), &tiles);
        cases.both(&format!("tiles of {from} turned and reshaped"), &x((from, to)).t().reshape(SIDES));
    }
    // Two after one another, the second of which begins when the first has ended.
    let twice = x((8, SIDES.1)).rechunk((SIDES.0, 8)).mapv(|value| value + 1.0).rechunk((8, SIDES.1));
    cases.both("rows to columns and back", &twice);
}

#[test]
fn what_exchanges_keep_in_memory_is_projected_as_well_as_what_they_stage() {
    let mut cases = Cases::default();
    exchanges(&mut cases);
    let folder = tempfile::tempdir().unwrap();
    let disk: Arc<dyn SpillStore> = Arc::new(SpillDir::new(SpillOptions::default().base(folder.path())));
    let mut found = Found::default();
    for (name, request) in cases.0 {
        let plan = || plan(std::slice::from_ref(&request)).unwrap();
        let explain = plan().explain();
        assert!(explain.staged_bytes() > 0 && explain.to_string().contains("may be staged"), "{name}");
        found.measure(&name, plan(), None);
        found.measure(&format!("{name}, staged"), plan(), Some(&disk));
    }
    found.check();
}

/// Runs a plan on this thread and gives back its only chunk with the bytes that were allocated for it.
fn allocated(array: &Array<f64, Ix2>) -> (Vec<u64>, u64) {
    let run = Run::new(plan(&[array.request()]).unwrap());
    let mut chunks = Vec::new();
    let info = measure(|| chunks = Sequential.run(&run).unwrap());
    let block: &Block<f64> = chunks[0].downcast_ref().unwrap();
    (block.view().iter().map(|value| value.to_bits()).collect(), info.bytes_total)
}

#[test]
fn elementwise_work_takes_the_place_of_an_input_that_nobody_else_reads() {
    const BYTES: u64 = 300 * 200 * 8;
    let x = || Array::<f64, Ix2>::from_shape_fn((300, 200), 300, |(i, j)| ((i * 7 + j) as f64).sqrt());
    let (y, n) = (x() + 1.0, 300 * 200);
    assert_eq!(y.shape().iter().product::<usize>(), n);
    let (_, source) = allocated(&x());
    assert!((BYTES..BYTES + BYTES / 2).contains(&source), "{source} bytes for the input");
    let (held,) = musher_scheduler::persist((&x(),)).unwrap();
    let work = |x: &Array<f64, Ix2>| (x * 2.0 + 1.0).abs().sqrt() - x;
    let (bits, owned) = allocated(&work(&x()));
    let (same_bits, shared) = allocated(&work(&held));
    assert_eq!(bits, same_bits);
    assert!(owned < source + BYTES / 2, "{owned} bytes where the input is made for the work alone");
    assert!(shared >= BYTES, "{shared} bytes where the input is held by others");
    // Two inputs: one place is enough.
    let other = || Array::<f64, Ix2>::from_shape_fn((300, 200), 300, |(i, j)| (i + j) as f64);
    let (bits, owned) = allocated(&(x() * other() - x().t().t()));
    assert!(owned < 2 * source + BYTES / 2, "{owned} bytes for two inputs and a result");
    let expected = x().compute().unwrap();
    let expected = &expected * &other().compute().unwrap() - &expected;
    assert_eq!(bits, expected.iter().map(|value| value.to_bits()).collect::<Vec<_>>());
    // What is read across cannot be overwritten, whoever holds it, nor can another type.
    let square = Array::<f64, Ix2>::from_shape_fn((200, 200), 200, |(i, j)| (i * 3 + j) as f64);
    let turned = square.map_blocks(|block| block.to_owned());
    let sum = (&turned + turned.t()).compute().unwrap();
    assert!(sum.indexed_iter().all(|((i, j), &value)| value == (4 * (i + j)) as f64));
    let halves = x().map_blocks(|block| block.to_owned()).cast::<f32>().compute().unwrap();
    assert_eq!(halves[[3, 4]], (25.0_f64).sqrt() as f32);
}

#[test]
fn a_chunk_that_no_memory_can_hold_is_an_error_that_names_its_bytes() {
    const N: usize = 1 << 45;
    fn refused<A: Element, D: Gather<A>>(array: &Array<A, D>) {
        let error = array.compute_with(&Options::sequential().memory_limit(u64::MAX)).err().unwrap();
        let mut texts = Vec::new();
        let mut cause: Option<&dyn std::error::Error> = Some(&error);
        while let Some(error) = cause {
            texts.push(error.to_string());
            cause = error.source();
        }
        assert!(texts.iter().any(|text| text.contains("no memory for a block of")), "{texts:?}");
    }
    refused(&Array::<f64, _>::ones(N, N));
    refused(&Array::<u8, _>::from_shape_fn(N * 8, N * 8, |_| 0));
    refused(&random::uniform(N, N).build());
}
