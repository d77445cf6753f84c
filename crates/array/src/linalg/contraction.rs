//! Sums of products of two arrays whose axes have labels: `c_ijk = Σ_l a_ilj b_lk`.
//!
//! Labels of both operands that stay are a batch, those that go are contracted, those of one operand are rows or columns of
//! matrices. A task multiplies the matrices of at most [`FAN_IN`] pairs of blocks; where there are more along the contracted
//! axes, its sums go up a tree by block number, so that additions have one order.

use super::backend::{LinalgBackend, LinalgElement};
use crate::array::{Array, Core};
use crate::block::Block;
use crate::chunks::Chunking;
use crate::element::{Float, Plain};
use crate::error::Error;
use crate::kernel::memory::{in_order, zeros};
use crate::rechunk::{common_lengths, rechunked};
use musher_graph_core::{
    AxisMap, Chunk, Codec, Combine, Facts, Grid, Grouping, Inputs, Layer, Output, Place, Port, Site, Task,
    TaskError, Token, Tokenizer, Wiring, tree,
};
use musher_scheduler::check_cancelled;
use ndarray::{Array3, ArrayD, ArrayView2, ArrayViewD, ArrayViewMut2, Axis, Ix2, IxDyn, s};
use std::borrow::Cow;
use std::collections::HashMap;
use std::marker::PhantomData;
use std::sync::Arc;

/// The name of an axis.
pub(super) type Label = u32;

/// Pairs of blocks that one task multiplies.
const FAN_IN: usize = 4;
/// Floating-point operations a nanosecond, for the planner's estimate.
const FLOPS_PER_NS: u64 = 20;
/// Up to so many rows or columns a matrix is narrow: its partner is read once, part by part.
const NARROW: usize = 64;
/// Elements of a part of the partner of a narrow matrix: they stay in the second-level cache.
const PART: usize = 1 << 15;
/// A block of the result has at most so many times the elements of the larger block that it is made of.
const MOST_GROWTH: usize = 4;
/// Blocks of the result up to this number of elements are not cut.
const SMALL: usize = 1 << 17;

/// An array with a label for each axis, all different.
#[derive(Clone)]
pub(super) struct Labelled {
    pub(super) core: Core,
    pub(super) labels: Vec<Label>,
}

impl Labelled {
    pub(super) fn has(&self, label: Label) -> bool {
        self.labels.contains(&label)
    }

    /// The block lengths along a label's axis.
    fn lengths(&self, label: Label) -> Option<Arc<[usize]>> {
        let axis = self.labels.iter().position(|&own| own == label)?;
        Some(self.core.chunking.shared_axis(axis))
    }

    fn array<A: Float>(&self) -> Array<A, IxDyn> {
        Array::from_core(self.core.clone())
    }

    /// The same with its axes in this order of labels; labels that it has not become axes of length 1.
    fn spread<A: Float>(&self, labels: &[Label], caller: Site) -> Result<Array<A, IxDyn>, Error> {
        let own: Vec<Label> = labels.iter().copied().filter(|&label| self.has(label)).collect();
        let mut array = self.in_order_of::<A>(&own, caller).array::<A>();
        for (axis, &label) in labels.iter().enumerate() {
            if !self.has(label) {
                array = array.try_insert_axis(Axis(axis))?;
            }
        }
        Ok(array)
    }

    /// The same with its axes in the order of these labels, which are its own.
    pub(super) fn in_order_of<A: Float>(&self, labels: &[Label], caller: Site) -> Self {
        if labels == self.labels {
            return self.clone();
        }
        let order = self.places(labels);
        let core = self.array::<A>().permuted("permuted_axes", &order, caller).core().clone();
        Self { core, labels: labels.to_vec() }
    }

    /// The axes of these labels.
    fn places(&self, labels: &[Label]) -> Vec<usize> {
        labels.iter().filter_map(|label| self.labels.iter().position(|own| own == label)).collect()
    }

    /// Elements of the largest block.
    fn largest(&self) -> usize {
        self.core.chunking.largest_block().iter().product()
    }
}

/// What the labels of two operands are to their product.
#[derive(Clone)]
struct Roles {
    batch: Vec<Label>,
    rows: Vec<Label>,
    columns: Vec<Label>,
    inner: Vec<Label>,
}

impl Roles {
    fn of(left: &Labelled, right: &Labelled, stays: impl Fn(Label) -> bool) -> Self {
        let both = || left.labels.iter().copied().filter(|&label| right.has(label));
        Self {
            batch: both().filter(|&label| stays(label)).collect(),
            inner: both().filter(|&label| !stays(label)).collect(),
            rows: left.labels.iter().copied().filter(|&label| !right.has(label)).collect(),
            columns: right.labels.iter().copied().filter(|&label| !left.has(label)).collect(),
        }
    }

    /// Labels of the left operand as its matrices want them.
    fn left(&self) -> Vec<Label> {
        [&self.batch[..], &self.rows, &self.inner].concat()
    }

    fn right(&self) -> Vec<Label> {
        [&self.batch[..], &self.inner, &self.columns].concat()
    }

    fn output(&self) -> Vec<Label> {
        [&self.batch[..], &self.rows, &self.columns].concat()
    }

    /// Elements of largest blocks that must be brought into another order.
    fn moved(&self, left: &Labelled, right: &Labelled) -> usize {
        let moved = |operand: &Labelled, wanted: Vec<Label>| {
            if operand.labels == wanted { 0 } else { operand.largest() }
        };
        moved(left, self.left()) + moved(right, self.right())
    }

    /// The same with the operands exchanged, which makes the transposed matrices.
    fn exchanged(&self) -> Self {
        Self { rows: self.columns.clone(), columns: self.rows.clone(), ..self.clone() }
    }
}

/// The product of two arrays, summed over the labels of both that do not stay. Labels of one operand all stay; lengths fit.
///
/// The labels of the result are those of both in some order.
pub(super) fn contract<A, B>(
    left: &Labelled,
    right: &Labelled,
    stays: impl Fn(Label) -> bool,
    backend: B,
    caller: Site,
) -> Result<Labelled, Error>
where
    A: Float + LinalgElement,
    B: LinalgBackend<A>,
{
    let roles = Roles::of(left, right, stays);
    if roles.inner.is_empty() || (roles.rows.is_empty() && roles.columns.is_empty()) {
        return elementwise::<A>(left, right, &roles, caller);
    }
    let exchanged = roles.exchanged();
    if exchanged.moved(right, left) < roles.moved(left, right) {
        return Ok(by_matrices::<A, B>(right, left, &exchanged, backend, caller));
    }
    Ok(by_matrices::<A, B>(left, right, &roles, backend, caller))
}

/// Products of elements and sums of them, which fuse into one pass.
fn elementwise<A: Float>(
    left: &Labelled,
    right: &Labelled,
    roles: &Roles,
    caller: Site,
) -> Result<Labelled, Error> {
    let output = roles.output();
    let all = [&output[..], &roles.inner].concat();
    let product = left.spread::<A>(&all, caller)?.try_mul(&right.spread::<A>(&all, caller)?)?;
    if roles.inner.is_empty() {
        return Ok(Labelled { core: product.core().clone(), labels: all });
    }
    let axes: Vec<Axis> = (output.len()..all.len()).map(Axis).collect();
    let sum = product.try_over(&axes[..])?.try_sum()?;
    Ok(Labelled { core: sum.core().clone(), labels: output })
}

/// Block lengths cut so that none is longer than this.
fn cut(lengths: &[usize], longest: usize) -> Arc<[usize]> {
    let parts = |&length: &usize| {
        let n = length.div_ceil(longest).max(1);
        (0..n).map(move |at| (at + 1) * length / n - at * length / n)
    };
    lengths.iter().flat_map(parts).collect()
}

/// The layers of products of matrices.
fn by_matrices<A, B>(left: &Labelled, right: &Labelled, roles: &Roles, backend: B, caller: Site) -> Labelled
where
    A: Float + LinalgElement,
    B: LinalgBackend<A>,
{
    let lengths = agreed(left, right, roles);
    let divided = |operand: &Labelled| {
        let axes = operand.labels.iter().map(|label| Arc::clone(&lengths[label]));
        rechunked::<A>(&operand.core, &Chunking::from_axes(axes), caller)
    };
    let cores = [divided(left), divided(right)];
    let output_labels = roles.output();
    let output = Chunking::from_axes(output_labels.iter().map(|label| Arc::clone(&lengths[label])));
    // Neighbors are grouped along one contracted axis, so that both operands' blocks are read in the same order.
    let grouped = roles.inner.iter().copied().max_by_key(|label| lengths[label].len());
    let n_groups = |label: &Label| match Some(*label) == grouped {
        true => lengths[label].len().div_ceil(FAN_IN),
        false => lengths[label].len(),
    };
    let beside: Vec<Label> = roles.inner.iter().copied().filter(|label| n_groups(label) > 1).collect();
    let map = |label: &Label| {
        if let Some(axis) = output_labels.iter().position(|own| own == label) {
            return AxisMap::follow(axis);
        }
        match beside.iter().position(|own| own == label) {
            None => AxisMap::Whole,
            Some(at) if Some(*label) == grouped => {
                AxisMap::Group { axis: output_labels.len() + at, fan_in: FAN_IN }
            }
            Some(at) => AxisMap::follow(output_labels.len() + at),
        }
    };
    let longest = |labels: &[Label]| {
        labels.iter().map(|label| lengths[label].iter().copied().max().unwrap_or(0)).product::<usize>()
    };
    let task = Multiply {
        backend,
        orders: [left.places(&roles.left()), right.places(&roles.right())],
        split: [roles.batch.len(), roles.rows.len(), roles.inner.len()],
        output: output.clone(),
        inner: longest(&roles.inner),
        n_pairs: grouped.map_or(1, |label| lengths[&label].len().min(FAN_IN)),
        marker: PhantomData::<fn() -> A>,
    };
    let wiring = |operand: &Labelled| Wiring::axes(operand.labels.iter().map(map));
    let grid: Vec<usize> = output.grid_shape().into_iter().chain(beside.iter().map(n_groups)).collect();
    let layer = Layer::build(task).caller(caller);
    let layer = layer.input(&cores[0].port, wiring(left)).input(&cores[1].port, wiring(right));
    let mut port = Port::of(layer.finish(Grid::from(grid.as_slice())));
    if !beside.is_empty() {
        let reduced: Vec<bool> = (0..grid.len()).map(|axis| axis >= output_labels.len()).collect();
        let sum = AddBlocks { marker: PhantomData::<fn() -> A> };
        port = tree(&port, &reduced, Grouping::Lines, output.grid(), sum, caller);
    }
    Labelled { core: Core { port, chunking: output }, labels: output_labels }
}

/// The block lengths along every label: both operands' cuts, and where blocks of the result would become much larger than what
/// they are made of, shorter ones.
fn agreed(left: &Labelled, right: &Labelled, roles: &Roles) -> HashMap<Label, Arc<[usize]>> {
    let mut lengths: HashMap<Label, Arc<[usize]>> = HashMap::new();
    for &label in left.labels.iter().chain(&right.labels) {
        let agreed = match (left.lengths(label), right.lengths(label)) {
            (Some(one), Some(other)) => common_lengths(&one, &other).into(),
            (Some(own), None) | (None, Some(own)) => own,
            (None, None) => continue,
        };
        lengths.insert(label, agreed);
    }
    let longest = |lengths: &HashMap<Label, Arc<[usize]>>, label: &Label| {
        lengths[label].iter().copied().max().unwrap_or(0)
    };
    let most = left.largest().max(right.largest()).saturating_mul(MOST_GROWTH).max(SMALL);
    let output = roles.output();
    while output.iter().fold(1_usize, |n, label| n.saturating_mul(longest(&lengths, label))) > most {
        // Ties go to the first label.
        let Some(&label) = output.iter().rev().max_by_key(|label| longest(&lengths, label)) else { break };
        let half = longest(&lengths, &label).div_ceil(2);
        let shorter = cut(&lengths[&label], half);
        lengths.insert(label, shorter);
    }
    lengths
}

/// Multiplies the matrices of some pairs of blocks and adds their products, lower block numbers first.
struct Multiply<A, B> {
    backend: B,
    /// The axes of each operand in the order of its matrices: batch, rows, inner; batch, inner, columns.
    orders: [Vec<usize>; 2],
    /// How many labels are batch, rows and inner.
    split: [usize; 3],
    output: Chunking,
    /// Length of the contracted axes in the largest block.
    inner: usize,
    n_pairs: usize,
    marker: PhantomData<fn() -> A>,
}

impl<A: Float + LinalgElement, B: LinalgBackend<A>> Multiply<A, B> {
    /// Matrices of the block of the result at these coordinates, their rows and columns.
    fn extents(&self, coords: &[usize]) -> (Vec<usize>, [usize; 3]) {
        let shape = self.output.block_shape(&coords[..self.output.ndim()]);
        let [batch, rows, _] = self.split;
        let product = |range: &[usize]| range.iter().product();
        let extents =
            [product(&shape[..batch]), product(&shape[batch..batch + rows]), product(&shape[batch + rows..])];
        (shape, extents)
    }

    /// Adds the product of one pair of blocks.
    fn add(
        &self,
        left: ArrayViewD<'_, A>,
        right: ArrayViewD<'_, A>,
        sum: &mut Array3<A>,
    ) -> Result<(), TaskError> {
        let left = left.permuted_axes(IxDyn(&self.orders[0]));
        let right = right.permuted_axes(IxDyn(&self.orders[1]));
        // A single matrix is read where it lies, part by part.
        if left.ndim() == 2 && right.ndim() == 2 && self.split == [0, 1, 1] {
            let (left, right) = (left.into_dimensionality::<Ix2>()?, right.into_dimensionality::<Ix2>()?);
            return add_product(&self.backend, left, right, sum.index_axis_mut(Axis(0), 0));
        }
        let (n_matrices, rows, columns) = sum.dim();
        let (left, right) = (in_order(left)?, in_order(right)?);
        let n_inner = left.len().checked_div(n_matrices * rows).unwrap_or(0);
        let left = left.view().into_shape_with_order((n_matrices, rows, n_inner))?;
        let n_inner = right.len().checked_div(n_matrices * columns).unwrap_or(0);
        let right = right.view().into_shape_with_order((n_matrices, n_inner, columns))?;
        for matrix in 0..n_matrices {
            check_cancelled()?;
            let (left, right) = (left.index_axis(Axis(0), matrix), right.index_axis(Axis(0), matrix));
            add_product(&self.backend, left, right, sum.index_axis_mut(Axis(0), matrix))?;
        }
        Ok(())
    }
}

/// `sum += left · right`; the partner of a narrow matrix is brought into order part by part, in the cache.
pub(super) fn add_product<A: LinalgElement, B: LinalgBackend<A>>(
    backend: &B,
    left: ArrayView2<'_, A>,
    right: ArrayView2<'_, A>,
    mut sum: ArrayViewMut2<'_, A>,
) -> Result<(), TaskError> {
    let ((rows, inner), columns) = (left.dim(), right.ncols());
    if rows == 0 || inner == 0 || columns == 0 {
        return Ok(());
    }
    // Lengths alone decide, so that bits do not depend on how blocks lie.
    if columns <= NARROW && rows > NARROW {
        let height = (PART / inner).clamp(8, rows.max(8));
        for start in (0..rows).step_by(height) {
            let part = start..rows.min(start + height);
            let (left, sum) = (left.slice(s![part.clone(), ..]), sum.slice_mut(s![part, ..]));
            backend.matmul(left, right.view(), sum)?;
        }
    } else if rows <= NARROW && columns > NARROW {
        let height = (PART / columns).clamp(8, inner.max(8));
        for start in (0..inner).step_by(height) {
            let part = start..inner.min(start + height);
            let (left, right) = (left.slice(s![.., part.clone()]), right.slice(s![part, ..]));
            backend.matmul(left, right, sum.view_mut())?;
        }
    } else {
        backend.matmul(left, right, sum)?;
    }
    Ok(())
}

impl<A: Float + LinalgElement, B: LinalgBackend<A>> Task for Multiply<A, B> {
    fn label(&self) -> Cow<'_, str> {
        "contract".into()
    }

    fn run(&self, at: Place<'_>, inputs: Inputs<'_>) -> Result<Output, TaskError> {
        let (shape, [batch, rows, columns]) = self.extents(&at.coords());
        let zeros = zeros::<A>(batch * rows * columns)?;
        let mut sum = Array3::from_shape_vec((batch, rows, columns), zeros)?;
        let (left, right) = (inputs.slot::<Block<A>>(0)?, inputs.slot::<Block<A>>(1)?);
        for (left, right) in left.into_iter().zip(right) {
            check_cancelled()?;
            self.add(left.view(), right.view(), &mut sum)?;
        }
        let (elements, _) = sum.into_raw_vec_and_offset();
        Ok(Output::one(Block::new(ArrayD::from_shape_vec(IxDyn(&shape), elements)?)))
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.name("array.contract/1");
        tokenizer.name(self.backend.name());
        tokenizer.name(<A as Plain>::NAME);
        let orders: Vec<usize> = self.orders.concat();
        (orders, self.split.to_vec(), &self.output).token(tokenizer);
    }

    fn codec(&self, _: usize, _: &[Option<&'static dyn Codec>]) -> Option<&'static dyn Codec> {
        Some(Block::<A>::CODEC)
    }

    fn facts(&self, at: Place<'_>, _inputs: &[Option<u64>]) -> Facts {
        let (_, [batch, rows, columns]) = self.extents(&at.coords());
        let flops = (2 * batch * rows * columns * self.inner * self.n_pairs) as u64;
        // An operand that does not lie in the order of its matrices is copied, by us or by the backend.
        let copies = batch * (rows + columns) * self.inner * size_of::<A>();
        Facts::bytes((batch * rows * columns * size_of::<A>()) as u64)
            .scratch(copies as u64)
            .cost(1000 + flops / FLOPS_PER_NS)
    }
}

/// Adds blocks of partial sums.
struct AddBlocks<A> {
    marker: PhantomData<fn() -> A>,
}

impl<A: Float + LinalgElement> Combine for AddBlocks<A> {
    type State = Block<A>;

    fn label(&self) -> Cow<'_, str> {
        "contract_sum".into()
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.name("array.contract_sum/1");
        tokenizer.name(<A as Plain>::NAME);
    }

    fn merge(&self, earlier: &mut Block<A>, later: Block<A>) -> Result<(), TaskError> {
        let nothing = Block::new(ArrayD::from_elem(IxDyn(&[0]), <A as num_traits::Zero>::zero()));
        let mut sum = std::mem::replace(earlier, nothing).into_array();
        sum.zip_mut_with(&later.view(), |sum, &value| *sum = *sum + value);
        *earlier = Block::new(sum);
        Ok(())
    }

    fn codec(&self) -> Option<&'static dyn Codec> {
        <Block<A> as Chunk>::codec_of()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_cut_evenly() {
        assert_eq!(*cut(&[5, 2, 0], 2), [1, 2, 2, 2, 0]);
        assert_eq!(*cut(&[4], 9), [4]);
    }
}
