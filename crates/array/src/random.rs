//! Arrays of random numbers. Element `i` depends on the seed and on `i` only: not on blocks, threads or order.
//!
//! ```
//! use musher_array::random;
//! use musher_scheduler::Compute;
//! let x = random::uniform((60, 40), (7, 11)).seed(42).build();
//! let same = random::uniform((60, 40), (60, 5)).seed(42).build();
//! assert_eq!(x.compute()?, same.compute()?);
//! # Ok::<(), musher_scheduler::Error>(())
//! ```

use crate::array::Array;
use crate::chunks::Chunks;
use crate::creation::{global_index, source};
use crate::element::{Element, Float};
use crate::error::expect;
use crate::kernel::random::{Distribution, Engine, Philox, RandomFloat, SplitMix, seed_of};
use crate::kernel::strip::Op;
use crate::lookup::Side;
use musher_graph_core::Identity;
use ndarray::{Dimension, IntoDimension};
use std::marker::PhantomData;
use std::sync::Arc;

mod choice;
mod laws;

pub use choice::{choice, choice_distinct, choice_weighted, permutation};
pub use laws::*;

/// An array of random numbers before its seed is chosen; [`build`](Random::build) makes the array.
#[doc(alias = "default_rng")]
#[doc(alias = "Generator")]
#[doc(alias = "RandomState")]
#[derive(Clone, Debug)]
#[must_use = "a description makes no array before `build`"]
pub struct Random<A, D> {
    shape: D,
    chunks: Chunks,
    distribution: Kind,
    seed: Option<u64>,
    stream: u64,
    philox: bool,
    marker: PhantomData<fn() -> A>,
}

/// What is drawn.
#[derive(Clone, Debug)]
enum Kind {
    Float(Distribution),
    Integer {
        low: i64,
        span: u64,
    },
    /// A number below this.
    Choice {
        n: u64,
    },
    /// A place in a list of running shares.
    Weighted(Arc<[f64]>),
}

impl Kind {
    /// The name of this use of a seed: the numbers of two distributions have nothing to do with each other.
    const fn purpose(&self) -> &'static str {
        match self {
            Self::Float(Distribution::By(law)) => law.name.purpose(),
            Self::Choice { .. } => "random choice",
            Self::Weighted(_) => "random weighted choice",
            Self::Float(Distribution::Uniform { .. }) => "random uniform",
            Self::Float(Distribution::Normal { .. }) => "random normal",
            Self::Float(Distribution::Exponential { .. }) => "random exponential",
            Self::Integer { .. } => "random integers",
        }
    }
}

fn random<A, Sh: IntoDimension>(
    shape: Sh,
    chunks: impl Into<Chunks>,
    distribution: Kind,
) -> Random<A, Sh::Dim> {
    Random {
        shape: shape.into_dimension(),
        chunks: chunks.into(),
        distribution,
        seed: None,
        stream: 0,
        philox: false,
        marker: PhantomData,
    }
}

/// Numbers in `[0, 1)`, every one alike.
///
/// **Cost** about a nanosecond an element; the numbers are made where they are used and never stored for it.
///
/// # Examples
/// ```
/// use musher_array::random;
/// use musher_scheduler::Compute;
/// let mean = random::uniform((500, 500), (100, 250)).seed(1).build().mean().compute()?;
/// assert!((mean - 0.5).abs() < 0.01);
/// # Ok::<(), musher_scheduler::Error>(())
/// ```
#[doc(alias = "dask.array.random.random")]
#[doc(alias = "random_sample")]
pub fn uniform<Sh: IntoDimension>(shape: Sh, chunks: impl Into<Chunks>) -> Random<f64, Sh::Dim> {
    random(shape, chunks, Kind::Float(Distribution::Uniform { low: 0.0, high: 1.0 }))
}

/// Numbers of the bell curve with mean 0 and standard deviation 1.
///
/// **Source** Box & Muller 1958, over polynomial kernels of our own.
///
/// # Examples
/// ```
/// use musher_array::random;
/// use musher_scheduler::Compute;
/// let x = random::normal((500, 500), (100, 250)).seed(1).build() * 2.0 + 10.0;
/// assert!((x.std(0.0).compute()? - 2.0).abs() < 0.02);
/// # Ok::<(), musher_scheduler::Error>(())
/// ```
#[doc(alias = "dask.array.random.normal")]
#[doc(alias = "standard_normal")]
pub fn normal<Sh: IntoDimension>(shape: Sh, chunks: impl Into<Chunks>) -> Random<f64, Sh::Dim> {
    random(shape, chunks, Kind::Float(Distribution::Normal { mean: 0.0, std: 1.0 }))
}

/// Waiting times with mean 1.
#[doc(alias = "dask.array.random.exponential")]
#[doc(alias = "standard_exponential")]
pub fn exponential<Sh: IntoDimension>(shape: Sh, chunks: impl Into<Chunks>) -> Random<f64, Sh::Dim> {
    random(shape, chunks, Kind::Float(Distribution::Exponential { scale: 1.0 }))
}

/// Integers in `low .. high`, every one alike.
///
/// # Panics
/// When the range is empty.
///
/// # Examples
/// ```
/// use musher_array::random;
/// use musher_scheduler::Compute;
/// let dice = random::integers(1..7, 1000, 100).seed(1).build();
/// assert_eq!((dice.min().compute()?, dice.max().compute()?), (1, 6));
/// # Ok::<(), musher_scheduler::Error>(())
/// ```
#[doc(alias = "randint")]
#[doc(alias = "random_integers")]
#[doc(alias = "tomaxint")]
#[track_caller]
pub fn integers<Sh: IntoDimension>(
    range: std::ops::Range<i64>,
    shape: Sh,
    chunks: impl Into<Chunks>,
) -> Random<i64, Sh::Dim> {
    assert!(range.start < range.end, "integers: the range {range:?} is empty");
    let span = range.end.wrapping_sub(range.start) as u64;
    random(shape, chunks, Kind::Integer { low: range.start, span })
}

impl<A, D> Random<A, D> {
    /// Chooses the seed: the same seed gives the same numbers in every run, and of another distribution others. Without
    /// one, each array has another seed, in each run of the program another one.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Chooses one of 2⁶⁴ independent sequences of a seed: several arrays of one program, one seed.
    pub fn stream(mut self, stream: u64) -> Self {
        self.stream = stream;
        self
    }

    /// Takes Philox4x32-10 in place of SplitMix64: slower by a third or more, published and widely reviewed.
    pub fn philox(mut self) -> Self {
        self.philox = true;
        self
    }

    /// Where the bits come from. Without a seed an identity that nothing else has is one.
    #[track_caller]
    fn engine(&self) -> Engine {
        let seed = self.seed.unwrap_or_else(|| {
            let bits = Identity::fresh().to_bits();
            (bits >> 64) as u64 ^ (bits as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)
        });
        let seed = seed_of(self.distribution.purpose(), seed);
        if self.philox {
            Engine::Philox(Philox::new(seed, self.stream))
        } else {
            Engine::SplitMix(SplitMix::new(seed, self.stream))
        }
    }
}

impl<D> Random<f64, D> {
    /// The same numbers rounded to `f32` (uniform ones are made of their own bits and stay below 1).
    pub fn single(self) -> Random<f32, D> {
        let Self { shape, chunks, distribution, seed, stream, philox, .. } = self;
        Random { shape, chunks, distribution, seed, stream, philox, marker: PhantomData }
    }
}

impl<A: Float + RandomFloat, D: Dimension> Random<A, D> {
    /// The array.
    ///
    /// # Panics
    /// When `chunks` does not fit the shape.
    #[must_use]
    #[track_caller]
    pub fn build(self) -> Array<A, D> {
        let engine = self.engine();
        let Kind::Float(distribution) = self.distribution else {
            unreachable!("integers build their own arrays")
        };
        let label = match distribution {
            Distribution::Uniform { .. } => "uniform",
            Distribution::Normal { .. } => "normal",
            Distribution::Exponential { .. } => "exponential",
            Distribution::By(law) => law.name.label(),
        };
        Array::from_core(source::<A>(label, self.shape.slice(), &self.chunks, |chunking| Op::Random {
            engine,
            distribution,
            index: global_index(chunking),
        }))
    }
}

impl<D: Dimension> Random<i64, D> {
    /// The array.
    ///
    /// # Panics
    /// When `chunks` does not fit the shape.
    #[must_use]
    #[track_caller]
    pub fn build(self) -> Array<i64, D> {
        self.whole()
    }
}

impl<D: Dimension> Random<u64, D> {
    /// The array.
    ///
    /// # Panics
    /// When `chunks` does not fit the shape.
    #[must_use]
    #[track_caller]
    pub fn build(self) -> Array<u64, D> {
        let Kind::Weighted(shares) = &self.distribution else { return self.whole() };
        let (shares, engine) = (Arc::clone(shares), self.engine());
        let unit = Distribution::Uniform { low: 0.0, high: 1.0 };
        let units = source::<f64>("choice", self.shape.slice(), &self.chunks, |chunking| Op::Random {
            engine,
            distribution: unit,
            index: global_index(chunking),
        });
        Array::<f64, D>::from_core(units).search_sorted(&shares, Side::Right)
    }
}

impl<A: Element, D: Dimension> Random<A, D> {
    /// Whole numbers. Those of laws are made as floats, which hold all of them that there can be.
    #[track_caller]
    fn whole(self) -> Array<A, D> {
        let engine = self.engine();
        let (low, span, label) =
            match self.distribution {
                Kind::Float(distribution) => {
                    let label = match distribution {
                        Distribution::By(law) => law.name.label(),
                        _ => "counts",
                    };
                    let floats = source::<f64>(label, self.shape.slice(), &self.chunks, |chunking| {
                        Op::Random { engine, distribution, index: global_index(chunking) }
                    });
                    return Array::<f64, D>::from_core(floats).cast();
                }
                Kind::Integer { low, span } => (low, span, "integers"),
                Kind::Choice { n } => (0, n, "choice"),
                Kind::Weighted(_) => unreachable!("weighted choices are places in a list"),
            };
        let whole = source::<i64>(label, self.shape.slice(), &self.chunks, |chunking| Op::RandomInteger {
            engine,
            low,
            span,
            index: global_index(chunking),
        });
        expect(crate::elementwise::cast(&Array::<i64, D>::from_core(whole)))
    }
}
