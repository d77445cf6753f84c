//! Reductions over all axes or one: partial states of each block, combined as a tree by chunk index, finished once.

use crate::array::{Array, Core};
use crate::block::Block;
use crate::chunks::Chunking;
use crate::element::{Buffer, DType, Element, Float, Number, Real, Visit};
use crate::error::{Error, ReducedAxes, Shape, expect};
use crate::kernel::memory::{OutOfMemory, collected, with_room};
use crate::kernel::reduce::{Accumulate, Reduction, States, VisitAlgebra, combine_states, state_bytes};
use crate::kernel::strip::{Op, Program, Sink};
use crate::strip_task::StripTask;
use musher_graph_core::{
    AxisMap, ChunkRef, Facts, Grid, Inputs, Layer, Output, Place, Port, Task, TaskError, Token, Tokenizer,
    Wiring,
};
use ndarray::{ArrayD, Axis, Dimension, Ix0, IxDyn, RemoveAxis};
use num_complex::Complex;
use smallvec::SmallVec;
use std::borrow::Cow;
use std::panic::Location;
use std::sync::Arc;

/// How many states one task combines.
const FAN_IN: usize = 8;

/// How a state becomes the answer.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Finish {
    /// The sum or the product itself.
    Value,
    /// The sum divided by the number of elements.
    Mean,
    /// The variance with this many degrees of freedom taken off.
    Variance(f64),
    /// The root of it.
    StandardDeviation(f64),
    /// The place of the extreme.
    Index,
}

/// A reduction as the user asked for it.
#[derive(Clone, Copy)]
struct Reduce {
    operation: &'static str,
    reduction: Reduction,
    finish: Finish,
    /// The element type of what is reduced.
    from: DType,
    /// The element type of the answer.
    to: DType,
    axis: Option<usize>,
    caller: &'static Location<'static>,
}

impl Reduce {
    /// The layers of the reduction.
    fn over(&self, core: &Core) -> Result<Core, Error> {
        let (chunking, ndim) = (&core.chunking, core.chunking.ndim());
        if let Some(axis) = self.axis.filter(|&axis| axis >= ndim) {
            return Err(Error::Axis { operation: self.operation, axis, ndim, caller: self.caller });
        }
        let shape = chunking.shape();
        let count = self.axis.map_or_else(|| shape.iter().product(), |axis| shape[axis]);
        let needs_one =
            matches!(self.reduction, Reduction::Min | Reduction::Max | Reduction::ArgMin | Reduction::ArgMax);
        if needs_one && count == 0 {
            let axes = self.axis.map_or(ReducedAxes::All, ReducedAxes::One);
            let shape = Shape(shape);
            return Err(Error::EmptyReduction {
                operation: self.operation,
                axes,
                shape,
                caller: self.caller,
            });
        }
        if self.reduction.visit(self.reduction.widened(self.from), Exists).is_none() {
            let (operation, dtype, caller) = (self.operation, self.from, self.caller);
            return Err(Error::Undefined { operation, dtype, caller });
        }
        let mut port = self.partial(core);
        let mut grid: Vec<usize> = chunking.grid_shape();
        loop {
            let fan_ins = self.fan_ins(&grid);
            let reduced = |axis: usize| self.axis.is_none_or(|one| one == axis);
            if (0..ndim).all(|axis| !reduced(axis) || fan_ins[axis] >= grid[axis]) {
                return Ok(self.last(port, chunking, count));
            }
            grid.iter_mut().zip(&fan_ins).for_each(|(n, fan_in)| *n = n.div_ceil(*fan_in));
            let task = Combine { reduce: *self, count, output: None };
            let layer = Layer::build(task).caller(self.caller).input(&port, Wiring::tree(&fan_ins));
            port = Port::of(layer.finish(Grid::from(grid.as_slice())));
        }
    }

    /// The layer of partial states, one for each block.
    fn partial(&self, core: &Core) -> Port {
        let ndim = core.chunking.ndim();
        let mut program = Program::default();
        let axes = (0..ndim).map(|axis| Some(axis as u8)).collect();
        let node = program.node(Op::Load { slot: 0, axes }, [], self.from);
        let wide = self.reduction.widened(self.from);
        let node = if wide == self.from { node } else { program.node(Op::Cast, [node], wide) };
        program.target(node, Sink::Reduce(self.reduction, self.axis.map(|axis| axis as u8)));
        let task = StripTask::new(format!("partial {}", self.operation), program, core.chunking.clone());
        let layer = Layer::build(task).caller(self.caller).input(&core.port, Wiring::one_to_one(ndim));
        Port::of(layer.finish(core.chunking.grid()))
    }

    /// How many states one task combines along each axis: at most [`FAN_IN`] in all, the last axes first.
    fn fan_ins(&self, grid: &[usize]) -> Vec<usize> {
        let mut left = FAN_IN;
        let mut fan_ins = vec![1; grid.len()];
        for axis in (0..grid.len()).rev() {
            if self.axis.is_none_or(|one| one == axis) {
                fan_ins[axis] = left.min(grid[axis]).max(1);
                left /= fan_ins[axis];
            }
        }
        fan_ins
    }

    /// The layer that combines what is left and finishes.
    fn last(&self, port: Port, chunking: &Chunking, count: usize) -> Core {
        let kept: Vec<usize> =
            (0..chunking.ndim()).filter(|&axis| self.axis.is_some_and(|one| one != axis)).collect();
        let output = Chunking::from_axes(kept.iter().map(|&axis| chunking.shared_axis(axis)));
        let maps = (0..chunking.ndim()).map(|axis| match kept.iter().position(|&one| one == axis) {
            Some(at) => AxisMap::follow(at),
            None => AxisMap::Whole,
        });
        let task = Combine { reduce: *self, count, output: Some(output.clone()) };
        let layer = Layer::build(task).caller(self.caller).input(&port, Wiring::axes(maps));
        Core { port: Port::of(layer.finish(output.grid())), chunking: output }
    }
}

/// Asks whether a type has a reduction.
struct Exists;

impl VisitAlgebra for Exists {
    type Output = ();
    fn visit<C: Accumulate>(self) {}
}

/// Combines states; the last one of a tree finishes them.
struct Combine {
    reduce: Reduce,
    /// How many elements went into each answer.
    count: usize,
    /// The block lengths of the answer, at the last level.
    output: Option<Chunking>,
}

impl Task for Combine {
    fn label(&self) -> Cow<'_, str> {
        match self.output {
            Some(_) => self.reduce.operation.into(),
            None => format!("combine {}", self.reduce.operation).into(),
        }
    }

    fn run(&self, at: Place<'_>, inputs: Inputs<'_>) -> Result<Output, TaskError> {
        let run = RunCombine { task: self, at, inputs: &inputs };
        let chunk = self.reduce.reduction.visit(self.reduce.reduction.widened(self.reduce.from), run);
        chunk.expect("the builder has checked that the reduction exists").map(Output::shared)
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.name("array.combine/1");
        let Reduce { reduction, finish, from, to, axis, .. } = &self.reduce;
        format!("{reduction:?} {finish:?} {from} {to}").token(tokenizer);
        (*axis, self.count, &self.output).token(tokenizer);
    }

    fn facts(&self, at: Place<'_>, inputs: &[Option<u64>]) -> Facts {
        let read: u64 = inputs.iter().flatten().sum();
        let facts = match &self.output {
            Some(output) => {
                let n: usize = output.block_shape(&at.coords()).iter().product();
                let Reduce { reduction, from, to, .. } = self.reduce;
                // The answers are made of states, which are complete before.
                let states = n * state_bytes(reduction, reduction.widened(from)).unwrap_or(0);
                Facts::bytes((n * to.bytes()) as u64).scratch(states as u64)
            }
            None => match inputs.first().copied().flatten() {
                Some(bytes) => Facts::bytes(bytes),
                None => return Facts::default(),
            },
        };
        facts.cost(500 + read / 4)
    }
}

/// Combining with the algebra known.
struct RunCombine<'t, 'i> {
    task: &'t Combine,
    at: Place<'t>,
    inputs: &'t Inputs<'i>,
}

impl VisitAlgebra for RunCombine<'_, '_> {
    type Output = Result<ChunkRef, TaskError>;

    fn visit<C: Accumulate>(self) -> Self::Output {
        let parts: SmallVec<[&Block<C::State>; 8]> = self.inputs.slot(0)?;
        let n = parts.first().map_or(1, |part| part.elements().len());
        let mut states: Vec<C::State> = with_room(n)?;
        let mut together: Vec<C::State> = Vec::with_capacity(parts.len());
        for at in 0..n {
            together.clear();
            together.extend(parts.iter().filter_map(|part| part.elements().get(at).copied()));
            states.push(combine_states::<C>(&mut together));
        }
        let Some(output) = &self.task.output else {
            let shape = parts.first().map_or(Vec::new(), |part| part.shape().to_vec());
            return Ok(Arc::new(Block::new(ArrayD::from_shape_vec(IxDyn(&shape), states)?)));
        };
        let answer = self.task.finish(C::collect(states))?;
        let shape = output.block_shape(&self.at.coords());
        answer.dtype().visit(ToChunk(answer, &shape))
    }
}

/// Makes a block of the answer.
struct ToChunk<'a>(Buffer, &'a [usize]);

impl Visit for ToChunk<'_> {
    type Output = Result<ChunkRef, TaskError>;
    fn visit<A: Element>(self) -> Self::Output {
        let values = A::from_buffer(self.0).expect("visited with its own type");
        Ok(Arc::new(Block::new(ArrayD::from_shape_vec(IxDyn(self.1), values)?)))
    }
}

impl Combine {
    /// The answers of these states, in the type of the answer.
    fn finish(&self, states: States) -> Result<Buffer, TaskError> {
        let count = self.count as f64;
        let to = self.reduce.to;
        Ok(match (self.reduce.finish, states) {
            (Finish::Value, States::Integer(sums)) => return self.integers(sums.into_iter()),
            (Finish::Value, States::Product(products)) => {
                let value = |product: crate::kernel::reduce::Product| {
                    // Anything beyond 64 bits is an overflow, and so is this.
                    if product.fits { product.value } else { i128::MAX }
                };
                return self.integers(products.into_iter().map(value));
            }
            (Finish::Value, States::Elements(Buffer::F64(values))) if to != DType::F64 => {
                floats(values.into_iter(), to)?
            }
            (Finish::Value, States::Elements(values)) => values,
            (Finish::Value, States::Complex(sums)) => complexes(sums.into_iter(), to)?,
            (Finish::Mean, States::Integer(sums)) => {
                floats(sums.into_iter().map(|sum| sum as f64 / count), to)?
            }
            (Finish::Mean, States::Elements(Buffer::F64(sums))) => {
                floats(sums.into_iter().map(|sum| sum / count), to)?
            }
            (Finish::Mean, States::Complex(sums)) => complexes(sums.into_iter().map(|sum| sum / count), to)?,
            (Finish::Variance(ddof), States::Moments(moments)) => {
                floats(moments.into_iter().map(|state| state.variance(ddof)), to)?
            }
            (Finish::StandardDeviation(ddof), States::Moments(moments)) => {
                floats(moments.into_iter().map(|state| state.variance(ddof).sqrt()), to)?
            }
            (Finish::Index, States::ArgFloat(places)) => {
                Buffer::U64(collected(places.into_iter().map(|place| place.index))?)
            }
            (Finish::Index, States::ArgInteger(places)) => {
                Buffer::U64(collected(places.into_iter().map(|place| place.index))?)
            }
            (_, _) => {
                let Reduce { operation, from: dtype, caller, .. } = self.reduce;
                return Err(Error::Undefined { operation, dtype, caller }.into());
            }
        })
    }

    /// Integers in 64 bits, or the one that does not fit.
    fn integers(&self, values: impl ExactSizeIterator<Item = i128>) -> Result<Buffer, TaskError> {
        let (operation, dtype) = (self.reduce.operation, self.reduce.to);
        let fault = |value: i128| Error::Overflow { operation, value, dtype };
        match dtype {
            DType::U64 => {
                let mut all = with_room(values.len())?;
                for value in values {
                    all.push(u64::try_from(value).map_err(|_| fault(value))?);
                }
                Ok(Buffer::U64(all))
            }
            _ => {
                let mut all = with_room(values.len())?;
                for value in values {
                    all.push(i64::try_from(value).map_err(|_| fault(value))?);
                }
                Ok(Buffer::I64(all))
            }
        }
    }
}

/// Floats in the type of the answer.
fn floats(values: impl ExactSizeIterator<Item = f64>, to: DType) -> Result<Buffer, OutOfMemory> {
    Ok(match to {
        DType::F32 => Buffer::F32(collected(values.map(|value| value as f32))?),
        _ => Buffer::F64(collected(values)?),
    })
}

/// Complex numbers in the type of the answer.
fn complexes(values: impl ExactSizeIterator<Item = Complex<f64>>, to: DType) -> Result<Buffer, OutOfMemory> {
    Ok(match to {
        DType::C32 => Buffer::C32(collected(values.map(|z| Complex::new(z.re as f32, z.im as f32)))?),
        _ => Buffer::C64(collected(values)?),
    })
}

/// Reduces an array.
fn reduce<A: Element, D: Dimension, B: Element, E: Dimension>(
    array: &Array<A, D>,
    (operation, reduction, finish): (&'static str, Reduction, Finish),
    axis: Option<usize>,
    caller: &'static Location<'static>,
) -> Result<Array<B, E>, Error> {
    let work = Reduce { operation, reduction, finish, from: A::DTYPE, to: B::DTYPE, axis, caller };
    work.over(array.core()).map(Array::from_core)
}

/// One reduction over all axes and over one, with twins. Written out for `sum`: `sum`, `try_sum`, `sum_axis` and
/// `try_sum_axis`.
macro_rules! reductions {
    ($(fn $name:ident $try:ident fn $axis:ident $try_axis:ident ($($extra:ident: $t:ty),*) -> $out:ty,
        $reduction:ident $finish:expr, $doc:literal $(, $alias:literal)*;)*) => {$(
        #[doc = concat!($doc, " Over all axes.")]
        ///
        /// **Shape** `(…) → ()`, computing to the scalar.
        /// **Cost** one pass; states of a few bytes for each block.
        ///
        /// # Panics
        #[doc = concat!("When [`", stringify!($try), "`](Self::", stringify!($try), ") fails.")]
        #[must_use]
        #[track_caller]
        $(#[doc(alias = $alias)])*
        pub fn $name(&self, $($extra: $t),*) -> Array<$out, Ix0> {
            expect(self.$try($($extra),*))
        }

        #[doc = concat!("As [`", stringify!($name), "`](Self::", stringify!($name), ").")]
        ///
        /// # Errors
        /// [`Error::EmptyReduction`] for an extreme of nothing.
        #[track_caller]
        pub fn $try(&self, $($extra: $t),*) -> Result<Array<$out, Ix0>, Error> {
            reduce(self, (stringify!($name), Reduction::$reduction, $finish), None, Location::caller())
        }

        #[doc = concat!($doc, " Along one axis, which goes.")]
        ///
        /// **Shape** that of the array without the axis.
        /// **Cost** one pass; for each block a state for each element of the answer.
        ///
        /// # Panics
        #[doc = concat!("When [`", stringify!($try_axis), "`](Self::", stringify!($try_axis), ") fails.")]
        #[must_use]
        #[track_caller]
        pub fn $axis(&self, axis: Axis, $($extra: $t),*) -> Array<$out, D::Smaller>
        where
            D: RemoveAxis,
        {
            expect(self.$try_axis(axis, $($extra),*))
        }

        #[doc = concat!("As [`", stringify!($axis), "`](Self::", stringify!($axis), ").")]
        ///
        /// # Errors
        /// [`Error::Axis`] when there is no such axis, [`Error::EmptyReduction`] for an extreme of nothing.
        #[track_caller]
        pub fn $try_axis(&self, axis: Axis, $($extra: $t),*) -> Result<Array<$out, D::Smaller>, Error>
        where
            D: RemoveAxis,
        {
            reduce(self, (stringify!($axis), Reduction::$reduction, $finish), Some(axis.0), Location::caller())
        }
    )*};
}

impl<A: Number, D: Dimension> Array<A, D> {
    reductions! {
        fn sum try_sum fn sum_axis try_sum_axis () -> A::Sum, Sum Finish::Value,
            "The sum. Integers widen to 64 bits, and a sum beyond them fails the computation; floats are added in `f64` by a fixed tree.";
        fn mean try_mean fn mean_axis try_mean_axis () -> A::Mean, Sum Finish::Mean,
            "The mean; of integers as `f64`, of nothing NaN.", "average";
    }
}

impl<A: Real, D: Dimension> Array<A, D> {
    reductions! {
        fn product try_product fn product_axis try_product_axis () -> A::Sum, Product Finish::Value,
            "The product. Integers widen to 64 bits, and a product beyond them fails the computation.", "prod";
        fn var try_var fn var_axis try_var_axis () -> A::Mean, Moments Finish::Variance(0.0),
            "The variance: the mean squared deviation from the mean.";
        fn std try_std fn std_axis try_std_axis () -> A::Mean, Moments Finish::StandardDeviation(0.0),
            "The standard deviation: the root of the variance.";
        fn var_ddof try_var_ddof fn var_axis_ddof try_var_axis_ddof (ddof: f64) -> A::Mean, Moments Finish::Variance(ddof),
            "The variance with `ddof` degrees of freedom taken off: 1 for a sample.";
        fn std_ddof try_std_ddof fn std_axis_ddof try_std_axis_ddof (ddof: f64) -> A::Mean, Moments Finish::StandardDeviation(ddof),
            "The standard deviation with `ddof` degrees of freedom taken off: 1 for a sample.";
        fn argmin try_argmin fn argmin_axis try_argmin_axis () -> u64, ArgMin Finish::Index,
            "The index of the first smallest element, in C order over several axes; that of the first NaN if there is one.";
        fn argmax try_argmax fn argmax_axis try_argmax_axis () -> u64, ArgMax Finish::Index,
            "The index of the first largest element, in C order over several axes; that of the first NaN if there is one.";
    }
}

impl<A: Element, D: Dimension> Array<A, D> {
    reductions! {
        fn min try_min fn min_axis try_min_axis () -> A, Min Finish::Value,
            "The smallest element; NaN if there is one.", "amin";
        fn max try_max fn max_axis try_max_axis () -> A, Max Finish::Value,
            "The largest element; NaN if there is one.", "amax";
    }
}

impl<D: Dimension> Array<bool, D> {
    reductions! {
        fn any try_any fn any_axis try_any_axis () -> bool, Any Finish::Value, "Whether any element is true.";
        fn all try_all fn all_axis try_all_axis () -> bool, All Finish::Value, "Whether all elements are true; so of nothing.";
        fn count_true try_count_true fn count_true_axis try_count_true_axis () -> u64, Sum Finish::Value,
            "How many elements are true.", "count_nonzero";
    }
}

impl<A: Float, D: Dimension> Array<A, D> {
    /// How many elements are not NaN, over all axes.
    ///
    /// **Shape** `(…) → ()`, computing to the scalar.
    ///
    /// # Panics
    /// Never while the graph is built.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::arr1};
    /// use musher_scheduler::Compute;
    /// assert_eq!(Array::from_array(arr1(&[1.0, f64::NAN]), 1).count_numbers().compute()?, 1);
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn count_numbers(&self) -> Array<u64, Ix0> {
        (!self.is_nan()).count_true()
    }
}
