//! How many elements lie where: histograms of one and of several arrays, and counts of small integers.
//!
//! Each block becomes its own counts, a block of the shape of the answer; summing those is a reduction like any other.

use crate::array::{Array, Core};
use crate::block::Block;
use crate::chunks::Chunking;
use crate::element::{Element, Integer, Real};
use crate::elementwise::{Elementwise, Operand, aligned};
use crate::error::{Error, Shape, expect};
use crate::kernel::bins::Bins;
use crate::kernel::memory::zeros;
use crate::kernel::strip::Op;
use musher_graph_core::{AxisMap, Facts, FnTask, Inputs, Layer, Place, Port, Site, TaskError, Wiring};
use ndarray::{ArrayD, ArrayViewD, Axis, Dimension, Ix1, Ix2, IxDyn};
use std::sync::Arc;

/// The edges of `n` bins of equal width from `low` to `high`.
///
/// # Examples
/// ```
/// use musher_array::bin_edges;
/// assert_eq!(bin_edges(0.0, 1.0, 4), [0.0, 0.25, 0.5, 0.75, 1.0]);
/// ```
///
/// Source: `numpy.histogram_bin_edges`.
#[must_use]
#[doc(alias = "histogram_bin_edges")]
pub fn bin_edges(low: f64, high: f64, n: usize) -> Vec<f64> {
    let step = (high - low) / n as f64;
    (0..=n).map(|at| if at == n && n > 0 { high } else { at as f64 * step + low }).collect()
}

/// What one element adds to its bin.
trait Amount: Element {
    /// Adds the weight of an element, if it has one.
    fn add(&mut self, weight: Option<f64>);
}

impl Amount for u64 {
    fn add(&mut self, _: Option<f64>) {
        *self += 1;
    }
}

impl Amount for f64 {
    fn add(&mut self, weight: Option<f64>) {
        *self += weight.unwrap_or(1.0);
    }
}

/// How the elements of several arrays, read side by side, become counts.
struct Counting {
    operation: &'static str,
    /// The bins along each axis of the answer.
    bins: Arc<[Bins]>,
    caller: Site,
}

impl Counting {
    fn new(operation: &'static str, edges: &[&[f64]], caller: Site) -> Result<Self, Error> {
        let bins = edges.iter().map(|edges| Bins::new(edges)).collect::<Option<Arc<[Bins]>>>();
        let problem = "edges are two at least, are numbers, and rise";
        Ok(Self { operation, bins: bins.ok_or(Error::Arrangement { operation, problem, caller })?, caller })
    }

    /// The counts of samples, one for each axis of the answer, that are `f64`; the last one holds weights where `weighted`.
    fn over<T: Amount>(&self, samples: &[Core], weighted: bool) -> Result<Array<T, IxDyn>, Error> {
        let Self { operation, caller, .. } = *self;
        if samples.len() != self.bins.len() + usize::from(weighted) {
            let problem = "not one list of edges for each array";
            return Err(Error::Arrangement { operation, problem, caller });
        }
        let Some(first) = samples.first().filter(|_| !self.bins.is_empty()) else {
            return Err(Error::Arrangement { operation, problem: "no arrays", caller });
        };
        let shape = first.chunking.shape();
        if let Some(other) = samples.iter().find(|other| other.chunking.shape() != shape) {
            let (left, right) = (Shape(shape), Shape(other.chunking.shape()));
            return Err(Error::Shapes { operation, left, right, caller });
        }
        let operands: Vec<Operand> =
            samples.iter().map(|core| Operand::Blocks(core.clone(), crate::element::DType::F64)).collect();
        let dtype = crate::element::DType::F64;
        let common = Elementwise { operation, op: Op::Select, dtype, caller }.common_chunking(&operands)?;
        let mut ports = Vec::with_capacity(samples.len());
        for sample in samples {
            ports.push(aligned::<f64>(operation, sample, &common, caller)?.port);
        }
        let answer: Vec<usize> = self.bins.iter().map(Bins::len).collect();
        if crate::chunks::n_elements(&answer).is_none() {
            return Err(Error::TooLarge { shape: Shape(answer), what: "elements", caller });
        }
        Ok(self.summed(&self.of_blocks::<T>(&ports, &common, weighted, &answer)))
    }

    /// The counts of each block, along the axes of the blocks and those of the answer.
    fn of_blocks<T: Amount>(
        &self,
        ports: &[Port],
        blocks: &Chunking,
        weighted: bool,
        answer: &[usize],
    ) -> Core {
        let ones = |axis: usize| -> Arc<[usize]> { vec![1; blocks.axis(axis).len()].into() };
        let lengths =
            (0..blocks.ndim()).map(ones).chain(answer.iter().map(|&n| -> Arc<[usize]> { [n].into() }));
        let output = Chunking::from_axes(lengths);
        let (bins, n_axes, shape) = (Arc::clone(&self.bins), answer.len(), output.clone());
        let task = FnTask::new(format!("partial {}", self.operation), {
            move |at: Place<'_>, inputs: &mut Inputs<'_>| {
                if let ([bins], 1) = (&*bins, inputs.len()) {
                    // One number at a time, in whichever order it lies there.
                    let shape = shape.block_shape(&at.coords());
                    let mut counts = zeros::<T>(shape.iter().product())?;
                    bins.each(inputs.get::<Block<f64>>(0)?.elements(), |bin| counts[bin].add(None));
                    return Ok(Block::new(ArrayD::from_shape_vec(IxDyn(&shape), counts)?));
                }
                let blocks = (0..inputs.len()).map(|input| Ok(inputs.get::<Block<f64>>(input)?.view()));
                let blocks: Vec<ArrayViewD<'_, f64>> = blocks.collect::<Result<_, TaskError>>()?;
                let (samples, weights) = blocks.split_at(n_axes);
                let shape = shape.block_shape(&at.coords());
                let mut counts = zeros::<T>(shape.iter().product())?;
                let mut samples: Vec<_> = samples.iter().map(|block| block.iter()).collect();
                let mut weights = weights.first().map(|block| block.iter());
                while let Some(place) = next_place(&mut samples, &bins) {
                    let weight = weights.as_mut().and_then(|weights| weights.next().copied());
                    if let Some(place) = place {
                        counts[place].add(weight);
                    }
                }
                Ok(Block::new(ArrayD::from_shape_vec(IxDyn(&shape), counts)?))
            }
        });
        let words: Vec<Vec<u64>> = self.bins.iter().map(Bins::words).collect();
        let are_edges: Vec<bool> =
            self.bins.iter().map(|bins| matches!(bins, Bins::Between { .. })).collect();
        let task = task.params("array.histogram/1", &(T::NAME, words, are_edges, weighted));
        let n = answer.iter().product::<usize>();
        let task = task.facts(move |_, inputs| {
            let read = inputs.iter().flatten().sum::<u64>();
            Facts::bytes((n * size_of::<T>()) as u64).cost(1_000 + read / 2)
        });
        let mut layer = Layer::build(task).caller(self.caller);
        for port in ports {
            layer = layer.input(port, Wiring::axes((0..blocks.ndim()).map(AxisMap::follow)));
        }
        Core { port: Port::of(layer.finish(output.grid())), chunking: output }
    }

    /// The counts of all blocks together.
    fn summed<T: Amount>(&self, counts: &Core) -> Array<T, IxDyn> {
        let counts: Array<T, IxDyn> = Array::from_core(counts.clone());
        let blocks: Vec<Axis> = (0..counts.ndim() - self.bins.len()).map(Axis).collect();
        let summed = match T::DTYPE {
            crate::element::DType::U64 => {
                let counts: Array<u64, IxDyn> = Array::from_core(counts.core().clone());
                counts.over(&blocks[..]).sum().core().clone()
            }
            _ => {
                let counts: Array<f64, IxDyn> = Array::from_core(counts.core().clone());
                counts.over(&blocks[..]).sum().core().clone()
            }
        };
        Array::from_core(summed)
    }
}

/// Where in the answer the next elements count; none inside where one of them lies outside all bins.
fn next_place<'a>(samples: &mut [impl Iterator<Item = &'a f64>], bins: &[Bins]) -> Option<Option<usize>> {
    let mut place = Some(0);
    for (sample, bins) in samples.iter_mut().zip(bins) {
        let bin = bins.bin_of(*sample.next()?);
        place = place.zip(bin).map(|(place, bin)| place * bins.len() + bin);
    }
    Some(place)
}

/// The elements of an array as `f64`.
fn as_f64<A: Real, D: Dimension>(array: &Array<A, D>) -> Core {
    array.cast::<f64>().core().clone()
}

impl<A: Real, D: Dimension> Array<A, D> {
    /// How many elements lie in each bin: bin `i` goes from `edges[i]` to before `edges[i + 1]`, the last one up to its end.
    /// Elements outside, and NaN, count nowhere. Elements are compared as `f64`.
    ///
    /// **Shape** `(n,)` for `n + 1` edges; equal widths are made by [`bin_edges`].
    /// **Cost** one pass; a list of counts for each block.
    ///
    /// # Panics
    /// When there are fewer than two edges, or they do not rise.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, bin_edges, ndarray::arr1};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr1(&[0.1, 0.4, 0.5, 1.0, 7.0]), 2);
    /// assert_eq!(x.histogram(&bin_edges(0.0, 1.0, 2)).compute()?, arr1(&[2, 2]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    #[doc(alias = "dask.array.histogram")]
    pub fn histogram(&self, edges: &[f64]) -> Array<u64, Ix1> {
        expect(self.try_histogram(edges))
    }

    /// As [`histogram`](Self::histogram).
    ///
    /// # Errors
    /// [`Error::Arrangement`] when there are fewer than two edges, or they do not rise.
    #[track_caller]
    pub fn try_histogram(&self, edges: &[f64]) -> Result<Array<u64, Ix1>, Error> {
        let counting = Counting::new("histogram", &[edges], Site::caller())?;
        counting.over::<u64>(&[as_f64(self)], false)?.into_dimensionality()
    }

    /// The sum of the weights of the elements in each bin; bins as those of [`histogram`](Self::histogram).
    ///
    /// **Shape** `(n,)` for `n + 1` edges.
    /// **Cost** one pass; a list of sums for each block.
    ///
    /// # Panics
    /// When there are fewer than two edges, they do not rise, or there is not one weight for each element.
    #[must_use]
    #[track_caller]
    pub fn histogram_weighted(&self, edges: &[f64], weights: &Array<f64, D>) -> Array<f64, Ix1> {
        expect(self.try_histogram_weighted(edges, weights))
    }

    /// As [`histogram_weighted`](Self::histogram_weighted).
    ///
    /// # Errors
    /// [`Error::Arrangement`] when there are fewer than two edges, or they do not rise, [`Error::Shapes`] when there is not
    /// one weight for each element.
    #[track_caller]
    pub fn try_histogram_weighted(
        &self,
        edges: &[f64],
        weights: &Array<f64, D>,
    ) -> Result<Array<f64, Ix1>, Error> {
        let counting = Counting::new("histogram_weighted", &[edges], Site::caller())?;
        counting.over::<f64>(&[as_f64(self), weights.core().clone()], true)?.into_dimensionality()
    }

    /// The share of the elements in each bin, divided by the width of the bin: the area of all bins is 1.
    ///
    /// **Shape** `(n,)` for `n + 1` edges.
    /// **Cost** that of [`histogram`](Self::histogram).
    ///
    /// # Panics
    /// When there are fewer than two edges, or they do not rise.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::arr1};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr1(&[0.5, 1.0, 1.5, 3.0]), 2);
    /// assert_eq!(x.histogram_density(&[0.0, 2.0, 4.0]).compute()?, arr1(&[0.375, 0.125]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    #[doc(alias = "density")]
    pub fn histogram_density(&self, edges: &[f64]) -> Array<f64, Ix1> {
        expect(self.try_histogram_density(edges))
    }

    /// As [`histogram_density`](Self::histogram_density).
    ///
    /// # Errors
    /// [`Error::Arrangement`] when there are fewer than two edges, or they do not rise.
    #[track_caller]
    pub fn try_histogram_density(&self, edges: &[f64]) -> Result<Array<f64, Ix1>, Error> {
        let counts = self.try_histogram(edges)?.cast::<f64>();
        let widths: ndarray::Array1<f64> = edges.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let per_width = &counts / Array::from_array(widths, edges.len());
        Ok(per_width / counts.sum())
    }
}

impl<A: Integer, D: Dimension> Array<A, D> {
    /// How often each of the numbers `0 .. n` occurs. NumPy takes the largest element for `n - 1`; here it is told, because
    /// it is the shape of the answer.
    ///
    /// **Shape** `(n,)`.
    /// **Cost** one pass; a list of counts for each block.
    ///
    /// # Panics
    /// When `n` is too large to be counted. Computing passes over numbers outside.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::arr1};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr1(&[1, 0, 3, 1]), 2);
    /// assert_eq!(x.bincount(5).compute()?, arr1(&[1, 2, 0, 1, 0]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    #[doc(alias = "dask.array.bincount")]
    pub fn bincount(&self, n: usize) -> Array<u64, Ix1> {
        expect(self.try_bincount(n))
    }

    /// As [`bincount`](Self::bincount).
    ///
    /// # Errors
    /// [`Error::TooLarge`] when `n` is too large to be counted.
    #[track_caller]
    pub fn try_bincount(&self, n: usize) -> Result<Array<u64, Ix1>, Error> {
        let (operation, caller) = ("bincount", Site::caller());
        let counting = Counting { operation, bins: [Bins::Integers(n)].into(), caller };
        counting.over::<u64>(&[as_f64(self)], false)?.into_dimensionality()
    }

    /// The sum of the weights of the elements that are each of the numbers `0 .. n`.
    ///
    /// **Shape** `(n,)`.
    /// **Cost** one pass; a list of sums for each block.
    ///
    /// # Panics
    /// When there is not one weight for each element, or `n` is too large to be counted.
    #[must_use]
    #[track_caller]
    pub fn bincount_weighted(&self, n: usize, weights: &Array<f64, D>) -> Array<f64, Ix1> {
        expect(self.try_bincount_weighted(n, weights))
    }

    /// As [`bincount_weighted`](Self::bincount_weighted).
    ///
    /// # Errors
    /// [`Error::Shapes`] when there is not one weight for each element, [`Error::TooLarge`] when `n` is too large to be
    /// counted.
    #[track_caller]
    pub fn try_bincount_weighted(&self, n: usize, weights: &Array<f64, D>) -> Result<Array<f64, Ix1>, Error> {
        let (operation, caller) = ("bincount_weighted", Site::caller());
        let counting = Counting { operation, bins: [Bins::Integers(n)].into(), caller };
        counting.over::<f64>(&[as_f64(self), weights.core().clone()], true)?.into_dimensionality()
    }
}

/// How many pairs of elements lie in each cell of a grid: `x` by the first edges, `y` by the second ones. Bins as those of
/// [`Array::histogram`].
///
/// **Shape** `(n, m)` for `n + 1` and `m + 1` edges.
/// **Cost** one pass; a grid of counts for each block.
///
/// # Errors
/// [`Error::Arrangement`] when there are fewer than two edges along an axis, or they do not rise, [`Error::Shapes`] when the
/// arrays have different shapes.
///
/// # Examples
/// ```
/// use musher_array::{Array, histogram2d, ndarray::{arr1, arr2}};
/// use musher_scheduler::Compute;
/// let (x, y) = (Array::from_array(arr1(&[0.5, 1.5, 0.5]), 2), Array::from_array(arr1(&[0.5, 0.5, 1.5]), 2));
/// let counts = histogram2d(&x, &y, [&[0.0, 1.0, 2.0], &[0.0, 1.0, 2.0]])?;
/// assert_eq!(counts.compute()?, arr2(&[[1, 1], [1, 0]]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[track_caller]
pub fn histogram2d<A: Real, D: Dimension>(
    x: &Array<A, D>,
    y: &Array<A, D>,
    edges: [&[f64]; 2],
) -> Result<Array<u64, Ix2>, Error> {
    let counting = Counting::new("histogram2d", &edges, Site::caller())?;
    counting.over::<u64>(&[as_f64(x), as_f64(y)], false)?.into_dimensionality()
}

/// How many tuples of elements, one of each array, lie in each cell of a grid: a list of edges for each array. Bins as those of
/// [`Array::histogram`].
///
/// **Shape** a length for each array: the number of its bins.
/// **Cost** one pass; a grid of counts for each block.
///
/// # Errors
/// [`Error::Arrangement`] when there are no arrays, there is not one list of edges for each, or edges are fewer than two or
/// do not rise, [`Error::Shapes`] when the arrays have different shapes.
#[track_caller]
pub fn histogramdd<A: Real, D: Dimension>(
    samples: &[&Array<A, D>],
    edges: &[&[f64]],
) -> Result<Array<u64, IxDyn>, Error> {
    let counting = Counting::new("histogramdd", edges, Site::caller())?;
    counting.over::<u64>(&samples.iter().map(|sample| as_f64(*sample)).collect::<Vec<_>>(), false)
}

/// The sums of the weights in each cell of a grid, as [`histogramdd`].
///
/// # Errors
/// Those of [`histogramdd`].
#[track_caller]
pub fn histogramdd_weighted<A: Real, D: Dimension>(
    samples: &[&Array<A, D>],
    edges: &[&[f64]],
    weights: &Array<f64, D>,
) -> Result<Array<f64, IxDyn>, Error> {
    let counting = Counting::new("histogramdd_weighted", edges, Site::caller())?;
    let samples = samples.iter().map(|sample| as_f64(*sample)).chain([weights.core().clone()]);
    counting.over::<f64>(&samples.collect::<Vec<_>>(), true)
}
