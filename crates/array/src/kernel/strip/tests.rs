//! Programs against plain loops, whatever the layout of the inputs.

use super::*;
use crate::element::Element;
use crate::kernel::random::{Indices, SplitMix};
use crate::kernel::reduce::{Accumulate, Max, Min, Spread, Sum};
use ndarray::{Array2, ArrayD, IxDyn};

fn axes(axes: &[usize]) -> Axes {
    axes.iter().map(|&axis| Some(axis as u8)).collect()
}

fn bind<A: Element>(array: &ArrayD<A>) -> Binding<'_> {
    Binding {
        elements: A::into_source(array.as_slice_memory_order().unwrap()),
        shape: array.shape(),
        strides: array.strides(),
    }
}

fn run_block(program: &Program, shape: &[usize], inputs: &[Binding<'_>]) -> ArrayD<f64> {
    let made = Code::compile(program).unwrap().run(shape, &vec![0; shape.len()], inputs).unwrap();
    let Made::Block(buffer) = made.into_iter().next().unwrap() else { panic!("a block") };
    ArrayD::from_shape_vec(IxDyn(shape), f64::from_buffer(buffer).unwrap()).unwrap()
}

fn numbers(rows: usize, columns: usize, offset: f64) -> Array2<f64> {
    Array2::from_shape_fn((rows, columns), |(i, j)| offset + (i * columns + j) as f64 * 0.5)
}

/// `x + x.t() - c`, with c broadcast along the rows.
fn symmetric(program: &mut Program) -> NodeIx {
    let x = program.node(Op::Load { slot: 0, axes: axes(&[0, 1]) }, [], DType::F64);
    let turned = program.node(Op::Load { slot: 0, axes: axes(&[1, 0]) }, [], DType::F64);
    let c = program.node(Op::Load { slot: 1, axes: axes(&[1]) }, [], DType::F64);
    let sum = program.node(Op::Binary(BinaryOp::add), [x, turned], DType::F64);
    program.node(Op::Binary(BinaryOp::sub), [sum, c], DType::F64)
}

#[test]
fn a_transposed_and_a_broadcast_input_meet_in_one_pass() {
    for n in [1, 3, 8, 16, 17, 40, 128, 150, 300] {
        let (x, c) = (numbers(n, n, 0.25), numbers(1, n, 3.0).into_shape_with_order(n).unwrap());
        let mut program = Program::default();
        let out = symmetric(&mut program);
        program.target(out, Sink::Block);
        let want = (&x + &x.t() - &c).into_dyn();
        for x in [x.clone().into_dyn(), x.t().as_standard_layout().into_owned().reversed_axes().into_dyn()] {
            let found = run_block(&program, &[n, n], &[bind(&x), bind(&c.clone().into_dyn())]);
            assert_eq!(found, want, "{n}");
        }
    }
}

/// The states of a program that only reduces.
fn run_states<C: Accumulate>(program: &Program, shape: &[usize], inputs: &[Binding<'_>]) -> Vec<C::State> {
    let made = Code::compile(program).unwrap().run(shape, &vec![0; shape.len()], inputs).unwrap();
    let Some(Made::Reduced(reducer)) = made.into_iter().next() else { panic!("a reduction") };
    reducer.finish(&|index| index).unwrap().as_any().downcast_ref::<Vec<C::State>>().unwrap().clone()
}

#[test]
fn a_reduction_in_the_program_equals_one_after_it() {
    fn check<C: Accumulate>(n: usize, x: &ArrayD<f64>, c: &ArrayD<f64>) {
        let reduction = Reduction::of::<C>();
        for axes_gone in [AxisSet::all(2), AxisSet::NONE.with(0), AxisSet::NONE.with(1)] {
            let mut fused = Program::default();
            let out = symmetric(&mut fused);
            fused.target(out, Sink::Block);
            let block = run_block(&fused, &[n, n], &[bind(x), bind(c)]);
            let sink = Sink::Reduce { reduction, axes: axes_gone, mask: None };
            let mut reduced = Program::default();
            let out = symmetric(&mut reduced);
            reduced.target(out, sink);
            let found = run_states::<C>(&reduced, &[n, n], &[bind(x), bind(c)]);
            let mut alone = Program::default();
            let load = alone.node(Op::Load { slot: 0, axes: axes(&[0, 1]) }, [], DType::F64);
            alone.target(load, sink);
            let want = run_states::<C>(&alone, &[n, n], &[bind(&block)]);
            assert_eq!(found, want, "{n} {reduction:?} {axes_gone:?}");
        }
    }
    for n in [5, 130, 300] {
        let (x, c) =
            (numbers(n, n, 0.25).into_dyn(), numbers(1, n, 3.0).into_shape_with_order(n).unwrap().into_dyn());
        check::<Sum<f64>>(n, &x, &c);
        check::<Spread<f64>>(n, &x, &c);
        check::<Min<f64>>(n, &x, &c);
    }
}

#[test]
fn equal_work_is_one_node_and_pairs_become_one_step() {
    let mut program = Program::default();
    let x = program.node(Op::Load { slot: 0, axes: axes(&[0]) }, [], DType::F64);
    let same = program.node(Op::Load { slot: 0, axes: axes(&[0]) }, [], DType::F64);
    assert_eq!(x, same);
    let two = program.node(Op::Constant(Scalar::F64(2.0)), [], DType::F64);
    let zero = program.node(Op::Constant(Scalar::F64(0.0)), [], DType::F64);
    let negative_zero = program.node(Op::Constant(Scalar::F64(-0.0)), [], DType::F64);
    assert_ne!(zero, negative_zero);
    let product = program.node(Op::Binary(BinaryOp::mul), [x, two], DType::F64);
    let sum = program.node(Op::Binary(BinaryOp::add), [product, x], DType::F64);
    let less = program.node(Op::Compare(CompareOp::lt), [sum, two], DType::Bool);
    let chosen = program.node(Op::Select, [less, sum, zero], DType::F64);
    program.target(chosen, Sink::Block);
    let code = Code::compile(&program).unwrap();
    let ops: Vec<String> = code.program().nodes().iter().map(|node| format!("{:?}", node.op)).collect();
    assert!(ops.iter().any(|op| op == "MulAdd") && ops.iter().any(|op| op == "CompareSelect(lt)"), "{ops:?}");
    assert_eq!(ops.len(), 5, "{ops:?}");
    let x = ArrayD::from_shape_fn(IxDyn(&[3000]), |i| i[0] as f64 / 1000.0 - 1.0);
    let found = run_block(&program, &[3000], &[bind(&x)]);
    let want = x.mapv(|x| if x * 2.0 + x < 2.0 { x * 2.0 + x } else { 0.0 });
    assert_eq!(found, want);
}

/// Sine and cosine of one angle are one step, whichever comes first and whoever reads them, with the bits of both apart.
#[test]
fn sine_and_cosine_of_one_angle_are_one_step() {
    let n = 5000;
    let x = ArrayD::from_shape_fn(IxDyn(&[n]), |i| (i[0] as f64 - 2500.0) * 1e6 + 0.1);
    let alone = |op: UnaryOp| {
        let mut program = Program::default();
        let x = program.node(Op::Load { slot: 0, axes: axes(&[0]) }, [], DType::F64);
        let out = program.node(Op::Unary(op), [x], DType::F64);
        program.target(out, Sink::Block);
        program
    };
    let [sin, cos] = [UnaryOp::sin, UnaryOp::cos].map(|op| run_block(&alone(op), &[n], &[bind(&x)]));
    for first in [UnaryOp::sin, UnaryOp::cos] {
        let second = if first == UnaryOp::sin { UnaryOp::cos } else { UnaryOp::sin };
        let mut program = Program::default();
        let load = program.node(Op::Load { slot: 0, axes: axes(&[0]) }, [], DType::F64);
        let a = program.node(Op::Unary(first), [load], DType::F64);
        let square = program.node(Op::Unary(UnaryOp::square), [a], DType::F64);
        let b = program.node(Op::Unary(second), [load], DType::F64);
        let sum = program.node(Op::Binary(BinaryOp::sub), [square, b], DType::F64);
        let sum = program.node(Op::Binary(BinaryOp::add), [sum, load], DType::F64);
        program.target(sum, Sink::Block);
        // The angle, both at once, the square, the difference, the sum.
        assert_eq!(Code::compile(&program).unwrap().steps.len(), 5);
        let (of_first, of_second) = if first == UnaryOp::sin { (&sin, &cos) } else { (&cos, &sin) };
        assert_eq!(run_block(&program, &[n], &[bind(&x)]), of_first * of_first - of_second + &x);
    }
    // Of one angle for all, and of numbers that have no such step.
    let mut program = Program::default();
    let angle = program.node(Op::Constant(Scalar::F64(0.5)), [], DType::F64);
    let a = program.node(Op::Unary(UnaryOp::cos), [angle], DType::F64);
    let b = program.node(Op::Unary(UnaryOp::sin), [angle], DType::F64);
    let out = program.node(Op::Binary(BinaryOp::div), [b, a], DType::F64);
    program.target(out, Sink::Block);
    let found = run_block(&program, &[3], &[]);
    assert!(found.iter().all(|tan| (tan - 0.5_f64.tan()).abs() < 1e-15), "{found}");
    let mut program = Program::default();
    let load = program.node(Op::Load { slot: 0, axes: axes(&[0]) }, [], DType::C64);
    let a = program.node(Op::Unary(UnaryOp::sin), [load], DType::C64);
    let b = program.node(Op::Unary(UnaryOp::cos), [load], DType::C64);
    let out = program.node(Op::Binary(BinaryOp::add), [a, b], DType::C64);
    program.target(out, Sink::Block);
    assert_eq!(Code::compile(&program).unwrap().steps.len(), 4);
}

#[test]
fn random_numbers_know_where_their_block_is() {
    // A 6 x 10 array in blocks of 4 x 5, read straight and transposed.
    let engine = Engine::SplitMix(SplitMix::new(5, 0));
    let distribution = Distribution::Normal { mean: 0.0, std: 1.0 };
    let mut all = vec![0.0; 60];
    distribution.fill(engine, Indices { start: 0, step: 1 }, &mut all);
    let starts = |n: usize, step: u64| -> Arc<[u64]> { (0..n as u64).map(|block| block * step).collect() };
    for turned in [false, true] {
        let (row, column) = if turned { (1, 0) } else { (0, 1) };
        let terms = [
            Term { axis: row, stride: 10, starts: starts(2, 40) },
            Term { axis: column, stride: 1, starts: starts(2, 5) },
        ];
        let index = GlobalIndex { base: 0, terms: terms.into_iter().collect() };
        let mut program = Program::default();
        let out = program.node(Op::Random { engine, distribution, index }, [], DType::F64);
        program.target(out, Sink::Block);
        for (block_row, block_column) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            let rows = if block_row == 0 { 4 } else { 2 };
            let (shape, coords) = if turned {
                ([5, rows], [block_column, block_row])
            } else {
                ([rows, 5], [block_row, block_column])
            };
            let made = Code::compile(&program).unwrap().run(&shape, &coords, &[]).unwrap();
            let Made::Block(Buffer::F64(found)) = &made[0] else { panic!("a block") };
            let at = |i: usize, j: usize| all[(4 * block_row + i) * 10 + 5 * block_column + j];
            let want: Vec<f64> = match turned {
                false => (0..rows).flat_map(|i| (0..5).map(move |j| at(i, j))).collect(),
                true => (0..5).flat_map(|j| (0..rows).map(move |i| at(i, j))).collect(),
            };
            assert_eq!(*found, want);
        }
    }
}

#[test]
fn casts_ramps_tests_and_faults() {
    let mut program = Program::default();
    let starts: Arc<[u64]> = [0_u64].into_iter().collect();
    let index = GlobalIndex { base: 0, terms: [Term { axis: 0, stride: 1, starts }].into_iter().collect() };
    let ramp = program.node(
        Op::Ramp { start: Scalar::I32(-3), step: Scalar::I32(2), last: None, index },
        [],
        DType::I32,
    );
    let float = program.node(Op::Cast, [ramp], DType::F64);
    let root = program.node(Op::Unary(UnaryOp::sqrt), [float], DType::F64);
    let nan = program.node(Op::Test(TestOp::is_nan), [root], DType::Bool);
    program.target(root, Sink::Block);
    program.target(nan, Sink::Block);
    let reduction = Reduction::of::<Max<i32>>();
    program.target(ramp, Sink::Reduce { reduction, axes: AxisSet::all(1), mask: None });
    let made = Code::compile(&program).unwrap().run(&[4], &[0], &[]).unwrap();
    let Ok([_, Made::Block(nans), Made::Reduced(most)]) = <[Made; 3]>::try_from(made) else {
        panic!("three")
    };
    assert_eq!(nans, Buffer::Bool(vec![true, true, false, false]));
    assert_eq!(most.finish(&|index| index).unwrap().as_any().downcast_ref::<Vec<i32>>(), Some(&vec![3]));
    let narrow = program.node(Op::Cast, [ramp], DType::U8);
    program.target(narrow, Sink::Block);
    let error = Code::compile(&program).unwrap().run(&[4], &[0], &[]).unwrap_err();
    assert_eq!(error.to_string(), "a value does not fit in the cast from i32 to u8");
}

#[test]
fn inputs_without_axes_and_empty_blocks() {
    let mut program = Program::default();
    let mean = program.node(Op::Load { slot: 0, axes: Axes::new() }, [], DType::F64);
    let x = program.node(Op::Load { slot: 1, axes: axes(&[0, 1]) }, [], DType::F64);
    let out = program.node(Op::Binary(BinaryOp::sub), [x, mean], DType::F64);
    program.target(out, Sink::Block);
    let mean = ArrayD::from_elem(IxDyn(&[]), 1.5);
    for shape in [[2, 3], [0, 3], [3, 0], [1, 1]] {
        let x = ArrayD::from_shape_fn(IxDyn(&shape), |i| (i[0] * 3 + i[1]) as f64);
        assert_eq!(run_block(&program, &shape, &[bind(&mean), bind(&x)]), &x - 1.5);
    }
    let wrong = ArrayD::<f32>::zeros(IxDyn(&[2, 3]));
    let error = Code::compile(&program).unwrap().run(&[2, 3], &[0, 0], &[bind(&mean), bind(&wrong)]);
    assert_eq!(error.unwrap_err(), RunError::Input { slot: 1 });
}
