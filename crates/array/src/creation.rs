//! Arrays out of nothing: constants, ramps, and functions of the index.

use crate::array::{Array, Core, resolve};
use crate::block::Block;
use crate::chunks::{Chunking, Chunks};
use crate::element::{Element, Float, Number, Real, Scalar};
use crate::kernel::memory::with_room;
use crate::kernel::strip::{BETWEEN_LOOKS, GlobalIndex, Op, Program, Sink, Term};
use crate::strip_task::StripTask;
use musher_graph_core::{
    Codec, Facts, FnIdentity, Inputs, Layer, Output, Place, Port, Task, TaskError, Token, Tokenizer,
};
use musher_scheduler::check_cancelled;
use ndarray::{Dimension, IntoDimension, Ix1, Ix2};
use std::borrow::Cow;
use std::marker::PhantomData;

/// The layer of a program without inputs.
#[track_caller]
pub(crate) fn source<A: Element>(
    label: &'static str,
    shape: &[usize],
    chunks: &Chunks,
    op: impl FnOnce(&Chunking) -> Op,
) -> Core {
    let chunking = resolve::<A>(chunks, shape);
    let mut program = Program::default();
    let node = program.node(op(&chunking), [], A::DTYPE);
    program.target(node, Sink::Block);
    let layer = Layer::build(StripTask::new(label, program, chunking.clone())).finish(chunking.grid());
    Core { port: Port::of(layer), chunking }
}

/// The index in C order of the elements of an array with these block lengths.
pub(crate) fn global_index(chunking: &Chunking) -> GlobalIndex {
    let mut stride = 1_u64;
    let mut index = GlobalIndex::default();
    for axis in (0..chunking.ndim()).rev() {
        let mut start = 0_u64;
        let starts = chunking
            .axis(axis)
            .iter()
            .map(|&length| {
                let own = start;
                start = start.wrapping_add((length as u64).wrapping_mul(stride));
                own
            })
            .collect();
        index.terms.push(Term { axis: axis as u8, stride, starts });
        stride = stride.wrapping_mul(chunking.axis(axis).iter().sum::<usize>() as u64);
    }
    index
}

impl<A: Element, D: Dimension> Array<A, D> {
    /// An array in which every element has this value.
    ///
    /// **Shape** as given, in blocks as `chunks` says.
    /// **Cost** none: the value becomes part of whatever uses it.
    ///
    /// # Panics
    /// When `chunks` does not fit the shape.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, Chunks, ndarray::arr2};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_elem((2, 2), 7, Chunks::auto());
    /// assert_eq!(x.compute()?, arr2(&[[7, 7], [7, 7]]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    #[doc(alias = "full")]
    pub fn from_elem<Sh>(shape: Sh, value: A, chunks: impl Into<Chunks>) -> Self
    where
        Sh: IntoDimension<Dim = D>,
    {
        let shape = shape.into_dimension();
        Self::from_core(source::<A>("full", shape.slice(), &chunks.into(), |_| {
            Op::Constant(value.into_scalar())
        }))
    }

    /// The same as [`from_elem`](Self::from_elem), under NumPy's name.
    ///
    /// # Panics
    /// When `chunks` does not fit the shape.
    #[must_use]
    #[track_caller]
    pub fn full<Sh>(shape: Sh, value: A, chunks: impl Into<Chunks>) -> Self
    where
        Sh: IntoDimension<Dim = D>,
    {
        Self::from_elem(shape, value, chunks)
    }

    /// An array of zeros (of `false`).
    ///
    /// # Panics
    /// When `chunks` does not fit the shape.
    ///
    /// # Examples
    /// ```
    /// use musher_array::Array;
    /// let x = Array::<f64, _>::zeros((100_000, 100_000), (1000, 1000));
    /// assert_eq!(x.chunks().n_blocks(), 10_000);
    /// ```
    #[must_use]
    #[track_caller]
    #[doc(alias = "empty")]
    pub fn zeros<Sh>(shape: Sh, chunks: impl Into<Chunks>) -> Self
    where
        Sh: IntoDimension<Dim = D>,
    {
        let shape = shape.into_dimension();
        let zero = Op::Constant(A::default().into_scalar());
        Self::from_core(source::<A>("zeros", shape.slice(), &chunks.into(), |_| zero))
    }

    /// An array of ones.
    ///
    /// # Panics
    /// When `chunks` does not fit the shape.
    #[must_use]
    #[track_caller]
    pub fn ones<Sh>(shape: Sh, chunks: impl Into<Chunks>) -> Self
    where
        A: Number,
        Sh: IntoDimension<Dim = D>,
    {
        let shape = shape.into_dimension();
        let one = Op::Constant(A::ONE.into_scalar());
        Self::from_core(source::<A>("ones", shape.slice(), &chunks.into(), |_| one))
    }

    /// An array of zeros with shape and blocks of another.
    ///
    /// # Panics
    /// Never: the blocks fit the shape.
    #[must_use]
    #[track_caller]
    #[doc(alias = "empty_like")]
    pub fn zeros_like<B: Element>(other: &Array<B, D>) -> Self {
        Self::zeros(other.raw_dim(), other.chunks())
    }

    /// An array of ones with shape and blocks of another.
    ///
    /// # Panics
    /// Never: the blocks fit the shape.
    #[must_use]
    #[track_caller]
    pub fn ones_like<B: Element>(other: &Array<B, D>) -> Self
    where
        A: Number,
    {
        Self::ones(other.raw_dim(), other.chunks())
    }

    /// An array of one value with shape and blocks of another.
    ///
    /// # Panics
    /// Never: the blocks fit the shape.
    #[must_use]
    #[track_caller]
    pub fn full_like<B: Element>(other: &Array<B, D>, value: A) -> Self {
        Self::from_elem(other.raw_dim(), value, other.chunks())
    }

    /// An array in which every element is a function of its index.
    ///
    /// A function that captures nothing is taken to be pure.
    ///
    /// **Cost** one block a task.
    ///
    /// # Panics
    /// When `chunks` does not fit the shape.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::arr2};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_shape_fn((2, 3), (1, 2), |(i, j)| 10 * i as i32 + j as i32);
    /// assert_eq!(x.compute()?, arr2(&[[0, 1, 2], [10, 11, 12]]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    #[doc(alias = "fromfunction")]
    #[doc(alias = "from_fn")]
    pub fn from_shape_fn<Sh, F>(shape: Sh, chunks: impl Into<Chunks>, f: F) -> Self
    where
        D: 'static,
        Sh: IntoDimension<Dim = D>,
        F: Fn(D::Pattern) -> A + Send + Sync + 'static,
    {
        let shape = shape.into_dimension();
        let chunking = resolve::<A>(&chunks.into(), shape.slice());
        let task: FromShapeFn<A, D, F> = FromShapeFn {
            function: f,
            identity: FnIdentity::of::<F>(),
            chunking: chunking.clone(),
            marker: PhantomData,
        };
        let layer = Layer::build(task).finish(chunking.grid());
        Self::from_core(Core { port: Port::of(layer), chunking })
    }
}

/// Fills a block by a user's function of the index.
struct FromShapeFn<A, D, F> {
    function: F,
    identity: FnIdentity,
    chunking: Chunking,
    marker: PhantomData<fn(D) -> A>,
}

impl<A, D, F> Task for FromShapeFn<A, D, F>
where
    A: Element,
    D: Dimension + 'static,
    F: Fn(D::Pattern) -> A + Send + Sync + 'static,
{
    fn label(&self) -> Cow<'_, str> {
        "from_shape_fn".into()
    }

    fn run(&self, at: Place<'_>, _inputs: Inputs<'_>) -> Result<Output, TaskError> {
        let coords = at.coords();
        let start = self.chunking.block_start(&coords);
        let shape = ndarray::IxDyn(&self.chunking.block_shape(&coords));
        let n = shape.slice().iter().product();
        let shape = D::from_dimension(&shape).expect("the number of axes is that of the type");
        let mut elements = with_room(n)?;
        let mut places = ndarray::indices(shape.clone()).into_iter();
        while elements.len() < n {
            check_cancelled()?;
            elements.extend(places.by_ref().take(BETWEEN_LOOKS).map(|pattern| {
                let mut index = pattern.into_dimension();
                index.slice_mut().iter_mut().zip(&start).for_each(|(at, &start)| *at += start);
                (self.function)(index.into_pattern())
            }));
        }
        Ok(Output::one(Block::new(ndarray::Array::from_shape_vec(shape, elements)?.into_dyn())))
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        self.identity.enter::<F>("array.from_shape_fn/1", tokenizer);
        self.chunking.token(tokenizer);
    }

    fn codec(&self, _: usize, _: &[Option<&'static dyn Codec>]) -> Option<&'static dyn Codec> {
        Some(Block::<A>::CODEC)
    }

    fn facts(&self, at: Place<'_>, _inputs: &[Option<u64>]) -> Facts {
        let n: usize = self.chunking.block_shape(&at.coords()).iter().product();
        Facts::bytes((n * size_of::<A>()) as u64)
    }
}

/// How many values lie in `start .. end` at distances of `step`, and whether the last one can be computed exactly.
fn steps(start: Scalar, end: Scalar, step: Scalar) -> Option<usize> {
    /// Floats are counted by division, as NumPy does; integers exactly.
    macro_rules! count {
        ($($variant:ident),*) => {
            match (start, end, step) {
                $((Scalar::$variant(start), Scalar::$variant(end), Scalar::$variant(step)) => {
                    let (start, end, step) = (i128::from(start), i128::from(end), i128::from(step));
                    if step == 0 {
                        return None;
                    }
                    let n = (end - start + step - step.signum()) / step;
                    usize::try_from(n.max(0)).ok()
                })*
                (Scalar::F32(start), Scalar::F32(end), Scalar::F32(step)) => {
                    float_steps(f64::from(start), f64::from(end), f64::from(step))
                }
                (Scalar::F64(start), Scalar::F64(end), Scalar::F64(step)) => float_steps(start, end, step),
                _ => None,
            }
        };
    }
    count!(I8, I16, I32, I64, U8, U16, U32, U64)
}

/// The same for floats.
fn float_steps(start: f64, end: f64, step: f64) -> Option<usize> {
    let n = ((end - start) / step).ceil();
    // 2^53 elements are more than any memory holds.
    (n.is_finite() && n < 9_007_199_254_740_992.0).then(|| n.max(0.0) as usize)
}

impl<A: Real> Array<A, Ix1> {
    /// `start`, `start + step`, … as long as it is before `end`.
    ///
    /// **Shape** `(n,)` with n = ⌈(end − start) / step⌉.
    /// **Cost** none: the values are made where they are used.
    ///
    /// # Panics
    /// When `step` is zero or the number of elements is not finite, or `chunks` does not fit.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::arr1};
    /// use musher_scheduler::Compute;
    /// assert_eq!(Array::arange(1, 10, 4, 2).compute()?, arr1(&[1, 5, 9]));
    /// assert_eq!(Array::arange(1.0, 0.0, -0.25, 3).compute()?, arr1(&[1.0, 0.75, 0.5, 0.25]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    #[doc(alias = "range")]
    pub fn arange(start: A, end: A, step: A, chunks: impl Into<Chunks>) -> Self {
        let (start, end, step) = (start.into_scalar(), end.into_scalar(), step.into_scalar());
        let Some(n) = steps(start, end, step) else {
            panic!("arange: no finite number of steps of {step:?} from {start:?} to {end:?}")
        };
        let ramp = |chunking: &Chunking| Op::Ramp { start, step, last: None, index: global_index(chunking) };
        Self::from_core(source::<A>("arange", &[n], &chunks.into(), ramp))
    }
}

impl<A: Float> Array<A, Ix1> {
    /// `n` values at equal distances from `start` to `end`, both included.
    ///
    /// **Shape** `(n,)`.
    /// **Cost** none: the values are made where they are used.
    ///
    /// # Panics
    /// When `chunks` does not fit.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::arr1};
    /// use musher_scheduler::Compute;
    /// assert_eq!(Array::linspace(0.0, 1.0, 5, 2).compute()?, arr1(&[0.0, 0.25, 0.5, 0.75, 1.0]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn linspace(start: A, end: A, n: usize, chunks: impl Into<Chunks>) -> Self {
        let wide = |value: A| match value.into_scalar() {
            Scalar::F32(value) => f64::from(value),
            Scalar::F64(value) => value,
            _ => f64::NAN,
        };
        let distance = if n > 1 { (wide(end) - wide(start)) / (n - 1) as f64 } else { 0.0 };
        let last = (n > 1).then(|| (n as u64 - 1, end.into_scalar()));
        let (start, step) = (start.into_scalar(), Scalar::F64(distance));
        let ramp = |chunking: &Chunking| Op::Ramp { start, step, last, index: global_index(chunking) };
        Self::from_core(source::<A>("linspace", &[n], &chunks.into(), ramp))
    }
}

impl<A: Number> Array<A, Ix2> {
    /// The unit matrix: ones on the diagonal.
    ///
    /// **Shape** `(n, n)`.
    ///
    /// # Panics
    /// When `chunks` does not fit.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray};
    /// use musher_scheduler::Compute;
    /// assert_eq!(Array::<f64, _>::eye(3, 2).compute()?, ndarray::Array::<f64, _>::eye(3));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    #[doc(alias = "identity")]
    pub fn eye(n: usize, chunks: impl Into<Chunks>) -> Self {
        Self::from_shape_fn((n, n), chunks, |(i, j)| if i == j { A::ONE } else { A::default() })
    }
}
