//! Einstein's summation: which axes of which operands are multiplied and summed, said by letters.
//!
//! The text is read and the shapes are checked when the function is called. Labels of one operand alone that do not stay are
//! summed first; then the pairs of operands are contracted, by the order that [`plan`] finds.

use super::Faer;
use super::backend::{LinalgBackend, LinalgElement};
use super::contraction::{Label, Labelled, contract};
use crate::array::Array;
use crate::element::{Element, Float};
use crate::error::{Error, Shape};
use musher_graph_core::Site;
use ndarray::{Axis, Dimension, IxDyn};
use std::collections::HashMap;

const OPERATION: &str = "einsum";

/// The first label of the axes that `...` stands for: behind all letters.
const ELLIPSIS: Label = char::MAX as Label + 1;

/// What [`einsum`] takes: a tuple of references to arrays of any number of axes, or a slice of arrays.
pub trait Operands<A> {
    /// The arrays, their number of axes known at run time only.
    fn into_arrays(self) -> Vec<Array<A, IxDyn>>;
}

impl<A: Element> Operands<A> for &[Array<A, IxDyn>] {
    fn into_arrays(self) -> Vec<Array<A, IxDyn>> {
        self.to_vec()
    }
}

/// Implements [`Operands`] for tuples. Written out for two: `(&Array<A, D>, &Array<A, E>)`.
macro_rules! operands {
    ($($(($d:ident $x:ident))*;)*) => {$(
        impl<A: Element, $($d: Dimension),*> Operands<A> for ($(&Array<A, $d>,)*) {
            fn into_arrays(self) -> Vec<Array<A, IxDyn>> {
                let ($($x,)*) = self;
                vec![$($x.clone().into_dyn()),*]
            }
        }
    )*};
}
operands! {
    (D1 a);
    (D1 a) (D2 b);
    (D1 a) (D2 b) (D3 c);
    (D1 a) (D2 b) (D3 c) (D4 d);
    (D1 a) (D2 b) (D3 c) (D4 d) (D5 e);
    (D1 a) (D2 b) (D3 c) (D4 d) (D5 e) (D6 f);
}

/// Products of the elements of arrays, summed over the axes whose letters are not in the result: `"ij,jk->ik"` is the matrix
/// product, `"ii->i"` a diagonal, `"ij->j"` sums of columns, `"bij,bjk->bik"` a batch of products.
///
/// Operands are separated by commas and have a letter for each axis; a letter twice in one operand is its diagonal. Without
/// `->` the result has the letters that stand once, in alphabetical order. `...` are further axes, matched from the last one;
/// axes of length 1 are repeated.
///
/// **Shape** the lengths of the letters of the result; blocks are those of the operands.
/// **Cost** that of the products of pairs, whose order is found by a greedy search: first the pair whose product has the fewest
/// elements less those of both. Products of matrices go to faer; a task holds at most four pairs of blocks and a block of the
/// result. Where a block of the result would have more than four times the elements of the larger of a pair, it is cut.
///
/// # Errors
/// [`Error::Arrangement`] when the text is no such expression or does not fit the number of operands and axes,
/// [`Error::Shapes`] when a letter has two lengths, [`Error::TooLarge`] when an intermediate result cannot be counted.
///
/// # Examples
/// ```
/// use musher_array::{Array, linalg::einsum, ndarray::{arr1, arr2}};
/// use musher_scheduler::Compute;
/// let x = Array::from_array(arr2(&[[1.0, 2.0], [3.0, 4.0]]), 1);
/// let v = Array::from_array(arr1(&[1.0, 10.0]), 1);
/// assert_eq!(einsum("ij,j->i", (&x, &v))?.compute()?, arr1(&[21.0, 43.0]).into_dyn());
/// assert_eq!(einsum("ii", (&x,))?.compute()?.sum(), 5.0);
/// assert_eq!(einsum("i,ij,jk,k->", (&v, &x, &x, &v))?.compute()?.sum(), 2457.0);
/// assert!(einsum("ij,jk", (&x,)).is_err(), "one operand is missing");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Source: `numpy.einsum`; the order as `opt_einsum` finds it greedily (Smith & Gray 2018).
#[track_caller]
#[doc(alias = "dask.array.einsum")]
pub fn einsum<A>(subscripts: &str, operands: impl Operands<A>) -> Result<Array<A, IxDyn>, Error>
where
    A: Float + LinalgElement,
    Faer: LinalgBackend<A>,
{
    let caller = Site::caller();
    let arrays = operands.into_arrays();
    let axes: Vec<usize> = arrays.iter().map(Array::ndim).collect();
    let expression = Expression::read(subscripts, &axes).map_err(|problem| Error::Arrangement {
        operation: OPERATION,
        problem,
        caller,
    })?;
    of_labels(OPERATION, &arrays, &expression, caller)
}

/// The labels of the operands and of the result.
pub(super) struct Expression {
    pub(super) inputs: Vec<Vec<Label>>,
    pub(super) output: Vec<Label>,
}

impl Expression {
    /// Reads the text for operands with so many axes.
    fn read(text: &str, axes: &[usize]) -> Result<Self, &'static str> {
        let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let (left, right) = match text.split_once("->") {
            Some((left, right)) => (left, Some(right)),
            None => (text.as_str(), None),
        };
        let terms: Vec<&str> = left.split(',').collect();
        if terms.len() != axes.len() {
            return Err("there are not as many operands as groups of letters");
        }
        let beyond = |(term, &ndim): (&&str, &usize)| -> Result<usize, &'static str> {
            let letters = term.chars().filter(|&c| c != '.').count();
            match term.contains("...") {
                true => ndim.checked_sub(letters).ok_or("an operand has fewer axes than letters"),
                false if letters == ndim => Ok(0),
                false => Err("an operand has not as many axes as letters"),
            }
        };
        let beyond = terms.iter().zip(axes).map(beyond).collect::<Result<Vec<_>, _>>()?;
        let most = beyond.iter().copied().max().unwrap_or(0);
        let inputs = terms.iter().zip(&beyond).map(|(term, &n)| labels(term, n, most));
        let inputs = inputs.collect::<Result<Vec<_>, _>>()?;
        let output = match right {
            Some(right) => labels(right, most, most)?,
            None => implied(&inputs, most),
        };
        let twice = output.iter().enumerate().any(|(at, label)| output[..at].contains(label));
        if twice {
            return Err("a letter stands twice in the result");
        }
        if output.iter().any(|label| !inputs.iter().any(|input| input.contains(label))) {
            return Err("a letter of the result is in no operand");
        }
        if right.is_some_and(|right| most > 0 && !right.contains("...")) {
            return Err("the axes of `...` are not in the result");
        }
        Ok(Self { inputs, output })
    }
}

/// The labels of a group of letters, in which `...` stands for `n` axes: the last of `most`.
fn labels(term: &str, n: usize, most: usize) -> Result<Vec<Label>, &'static str> {
    let mut labels = Vec::new();
    let (before, behind) = term.split_once("...").map_or((term, None), |(a, b)| (a, Some(b)));
    let letters = |part: &str, labels: &mut Vec<Label>| {
        for letter in part.chars() {
            if !letter.is_alphabetic() {
                return Err("axes are called by letters");
            }
            labels.push(letter as Label);
        }
        Ok(())
    };
    letters(before, &mut labels)?;
    if let Some(behind) = behind {
        labels.extend((most - n..most).map(|axis| ELLIPSIS + axis as Label));
        letters(behind, &mut labels)?;
    }
    Ok(labels)
}

/// The labels of the result where the text does not say them: `...`, then those that stand once, in alphabetical order.
fn implied(inputs: &[Vec<Label>], most: usize) -> Vec<Label> {
    let mut counts: HashMap<Label, usize> = HashMap::new();
    inputs.iter().flatten().for_each(|&label| *counts.entry(label).or_default() += 1);
    let mut once: Vec<Label> =
        counts.into_iter().filter(|&(label, n)| n == 1 && label < ELLIPSIS).map(|(label, _)| label).collect();
    once.sort_unstable();
    (0..most).map(|axis| ELLIPSIS + axis as Label).chain(once).collect()
}

/// The layers of an expression that was read.
pub(super) fn of_labels<A>(
    operation: &'static str,
    arrays: &[Array<A, IxDyn>],
    expression: &Expression,
    caller: Site,
) -> Result<Array<A, IxDyn>, Error>
where
    A: Float + LinalgElement,
    Faer: LinalgBackend<A>,
{
    let lengths = lengths(operation, arrays, expression, caller)?;
    let mut left: Vec<Labelled> = Vec::with_capacity(arrays.len());
    for (array, labels) in arrays.iter().zip(&expression.inputs) {
        left.push(prepared(array, labels, &lengths)?);
    }
    let output = &expression.output;
    for at in 0..left.len() {
        let goes = |label: Label| {
            !output.contains(&label)
                && !left.iter().enumerate().any(|(other, operand)| other != at && operand.has(label))
        };
        left[at] = summed::<A>(&left[at], goes)?;
    }
    let sets: Vec<Vec<Label>> = left.iter().map(|operand| operand.labels.clone()).collect();
    for (one, other) in plan(&sets, output, &lengths) {
        let (second, first) = (left.remove(other), left.remove(one));
        let stays = |label: Label| output.contains(&label) || left.iter().any(|operand| operand.has(label));
        let kept = union(&first.labels, &second.labels).into_iter().filter(|&label| stays(label));
        let kept: Vec<usize> = kept.map(|label| lengths[&label]).collect();
        if crate::chunks::n_elements(&kept).is_none() {
            return Err(Error::TooLarge { shape: Shape(kept), what: "elements", caller });
        }
        left.push(contract::<A, Faer>(&first, &second, stays, Faer, caller)?);
    }
    let Some(whole) = left.pop() else {
        return Err(Error::Arrangement { operation, problem: "no arrays", caller });
    };
    Ok(Array::from_core(whole.in_order_of::<A>(output, caller).core))
}

/// The length of every label: 1 where all axes have it, else that of the others.
fn lengths<A: Element>(
    operation: &'static str,
    arrays: &[Array<A, IxDyn>],
    expression: &Expression,
    caller: Site,
) -> Result<HashMap<Label, usize>, Error> {
    let mut lengths: HashMap<Label, usize> = HashMap::new();
    let mut shapes: HashMap<Label, Vec<usize>> = HashMap::new();
    for (array, labels) in arrays.iter().zip(&expression.inputs) {
        let shape = array.shape();
        for (at, (&label, &length)) in labels.iter().zip(&shape).enumerate() {
            let known = *lengths.entry(label).or_insert(length);
            let within = labels[..at].contains(&label);
            if known != length && (within || (known != 1 && length != 1)) {
                let left = shapes.get(&label).cloned().unwrap_or_else(|| shape.clone());
                let (left, right) = (Shape(left), Shape(shape));
                return Err(Error::Shapes { operation, left, right, caller });
            }
            if known == 1 && length != 1 {
                lengths.insert(label, length);
            }
            shapes.insert(label, shape.clone());
        }
    }
    Ok(lengths)
}

/// An operand with a label for each axis: repeated labels become a diagonal, and axes of length 1 go where the label is longer
/// elsewhere.
fn prepared<A: Element>(
    array: &Array<A, IxDyn>,
    labels: &[Label],
    lengths: &HashMap<Label, usize>,
) -> Result<Labelled, Error> {
    let (mut array, mut labels) = (array.clone(), labels.to_vec());
    let mut axis = 0;
    while axis < labels.len() {
        let label = labels[axis];
        if array.len_of(Axis(axis)) == 1 && lengths[&label] != 1 {
            array = array.try_index_axis(Axis(axis), 0)?;
            labels.remove(axis);
        } else if let Some(first) = labels[..axis].iter().position(|&own| own == label) {
            // The diagonal becomes the last axis.
            array = array.try_diagonal(0, Axis(first), Axis(axis))?;
            labels.remove(axis);
            labels.remove(first);
            labels.push(label);
            axis -= 1;
        } else {
            axis += 1;
        }
    }
    Ok(Labelled { core: array.core().clone(), labels })
}

/// The sums over the labels that go.
fn summed<A: Float>(operand: &Labelled, goes: impl Fn(Label) -> bool) -> Result<Labelled, Error> {
    let axes: Vec<Axis> = operand
        .labels
        .iter()
        .enumerate()
        .filter(|&(_, &label)| goes(label))
        .map(|(axis, _)| Axis(axis))
        .collect();
    if axes.is_empty() {
        return Ok(operand.clone());
    }
    let array: Array<A, IxDyn> = Array::from_core(operand.core.clone());
    let sum = array.try_over(&axes[..])?.try_sum()?;
    let labels = operand.labels.iter().copied().filter(|&label| !goes(label)).collect();
    Ok(Labelled { core: sum.core().clone(), labels })
}

/// Which two operands to contract next, until one is left: both are taken out of the list, and their product is added at its
/// end. Of all pairs it is the one whose product has the fewest elements less those of both; of equal ones, that with the
/// fewest multiplications, then the first. Pairs without a common label come last.
fn plan(sets: &[Vec<Label>], output: &[Label], lengths: &HashMap<Label, usize>) -> Vec<(usize, usize)> {
    let mut sets = sets.to_vec();
    let size = |labels: &[Label]| labels.iter().map(|label| lengths[label] as f64).product::<f64>();
    let mut steps = Vec::new();
    while sets.len() > 1 {
        let product = |one: usize, other: usize| -> Vec<Label> {
            let stays = |label: &Label| {
                let elsewhere =
                    |(at, set): (usize, &Vec<Label>)| at != one && at != other && set.contains(label);
                output.contains(label) || sets.iter().enumerate().any(elsewhere)
            };
            union(&sets[one], &sets[other]).into_iter().filter(stays).collect()
        };
        let cost = |&(one, other): &(usize, usize)| {
            let (left, right) = (&sets[one], &sets[other]);
            let apart = !left.iter().any(|label| right.contains(label));
            let growth = size(&product(one, other)) - size(left) - size(right);
            (apart, growth, size(&union(left, right)))
        };
        let pairs = (0..sets.len()).flat_map(|one| (one + 1..sets.len()).map(move |other| (one, other)));
        let least = pairs.min_by(|a, b| {
            let (a, b) = (cost(a), cost(b));
            a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.total_cmp(&b.2))
        });
        let Some((one, other)) = least else { break };
        let product = product(one, other);
        sets.remove(other);
        sets.remove(one);
        sets.push(product);
        steps.push((one, other));
    }
    steps
}

/// The labels of both, each once.
fn union(left: &[Label], right: &[Label]) -> Vec<Label> {
    left.iter().chain(right.iter().filter(|label| !left.contains(label))).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, axes: &[usize]) -> Result<(Vec<Vec<Label>>, Vec<Label>), &'static str> {
        Expression::read(text, axes).map(|expression| (expression.inputs, expression.output))
    }

    fn letters(text: &str) -> Vec<Label> {
        text.chars().map(|letter| letter as Label).collect()
    }

    #[test]
    fn texts_are_read_as_numpy_reads_them() {
        assert_eq!(read("ij, jk -> ik", &[2, 2]), Ok((vec![letters("ij"), letters("jk")], letters("ik"))));
        assert_eq!(read("ba", &[2]).map(|read| read.1), Ok(letters("ab")));
        assert_eq!(read("ii", &[2]).map(|read| read.1), Ok(vec![]));
        let (inputs, output) = read("...i,...->...i", &[3, 1]).unwrap_or_default();
        assert_eq!(inputs, [vec![ELLIPSIS, ELLIPSIS + 1, 'i' as Label], vec![ELLIPSIS + 1]]);
        assert_eq!(output, inputs[0]);
        for (text, axes) in [
            ("ij,jk", &[2][..]),
            ("ij", &[3]),
            ("i1", &[2]),
            ("ij->ii", &[2]),
            ("ij->k", &[2]),
            ("...i->i", &[3]),
            ("ij...", &[1]),
            ("i->j->i", &[1]),
            ("", &[1]),
            ("..i", &[1]),
        ] {
            assert!(read(text, axes).is_err(), "{text}");
        }
    }

    #[test]
    fn pairs_that_shrink_most_are_contracted_first() {
        // A chain of matrices with a vector at its end is multiplied from the vector on.
        let lengths = HashMap::from([('a' as Label, 100), ('b' as Label, 100), ('c' as Label, 100)]);
        let sets = [letters("ab"), letters("bc"), letters("c")];
        assert_eq!(plan(&sets, &letters("a"), &lengths), [(1, 2), (0, 1)]);
        // An outer product waits.
        let sets = [letters("a"), letters("b"), letters("ab")];
        assert_eq!(plan(&sets, &[], &lengths), [(0, 2), (0, 1)]);
    }
}
