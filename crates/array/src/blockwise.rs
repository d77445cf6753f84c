//! A user's function on the blocks of several arrays, whose axes are named by letters: which axes go together, which go, and
//! which stay is said by the names alone.

use crate::array::{Array, Core};
use crate::block::Block;
use crate::chunks::Chunking;
use crate::element::Element;
use crate::error::{Error, Shape, expect};
use crate::gather::check;
use crate::kernel::memory::copied;
use crate::per_block::PerBlock;
use crate::rechunk::{common_lengths, rechunked};
use musher_graph_core::{
    AxisMap, Codec, Facts, FnIdentity, Inputs, Layer, Lists, Output, Place, Port, Site, Task, TaskError,
    Token, Tokenizer, Wiring, function_name,
};
use ndarray::{ArrayD, ArrayViewD, Axis, Dimension, IxDyn};
use std::borrow::Cow;
use std::marker::PhantomData;
use std::sync::Arc;

/// An array and the names of its axes, one letter for each: an argument of [`blockwise`].
pub type Named<'a, A> = (&'a Array<A, IxDyn>, &'a str);

/// Runs a function on blocks.
struct Blockwise<A, B, F> {
    function: F,
    identity: FnIdentity,
    name: &'static str,
    label: &'static str,
    output: Chunking,
    marker: PhantomData<fn(A) -> B>,
}

impl<A, B, F> Task for Blockwise<A, B, F>
where
    A: Element,
    B: Element,
    F: Fn(&[ArrayViewD<'_, A>], &[usize]) -> Result<ArrayD<B>, TaskError> + Send + Sync + 'static,
{
    fn label(&self) -> Cow<'_, str> {
        self.label.into()
    }

    fn run(&self, at: Place<'_>, inputs: Inputs<'_>) -> Result<Output, TaskError> {
        let views = (0..inputs.len()).map(|input| Ok(inputs.get::<Block<A>>(input)?.view()));
        let views = views.collect::<Result<Vec<_>, TaskError>>()?;
        let expected = self.output.block_shape(&at.coords());
        let made = (self.function)(&views, &expected)?;
        check(&expected, made.shape())?;
        Ok(Output::one(Block::new(made)))
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        self.identity.enter::<F>(self.name, tokenizer);
        self.output.token(tokenizer);
    }

    fn codec(&self, _: usize, _: &[Option<&'static dyn Codec>]) -> Option<&'static dyn Codec> {
        Some(Block::<B>::CODEC)
    }

    fn facts(&self, at: Place<'_>, _inputs: &[Option<u64>]) -> Facts {
        let n: usize = self.output.block_shape(&at.coords()).iter().product();
        Facts::bytes((n * size_of::<B>()) as u64)
    }
}

/// What is wrong with names of axes.
fn wrong(operation: &'static str, problem: &'static str, caller: Site) -> Error {
    Error::Arrangement { operation, problem, caller }
}

/// The axes of several arrays, by their names.
struct Axes {
    caller: Site,
    /// Each name, and the lengths of the blocks along its axes.
    known: Vec<(char, Arc<[usize]>)>,
}

impl Axes {
    fn find(&self, name: char) -> Option<&Arc<[usize]>> {
        self.known.iter().find(|(known, _)| *known == name).map(|(_, lengths)| lengths)
    }

    /// The names of some arrays; the axes of one name get the blocks of all of them. Names that do not stay are one block.
    fn of(
        operation: &'static str,
        arrays: &[(&Core, Vec<char>)],
        stays: impl Fn(char) -> bool,
        caller: Site,
    ) -> Result<Self, Error> {
        let mut axes = Self { caller, known: Vec::new() };
        for (core, names) in arrays {
            if names.len() != core.chunking.ndim() {
                return Err(wrong(operation, "not one name for each axis", caller));
            }
            // Where axes become whole, the others are cut, so that blocks stay as large as they were.
            let whole: Vec<usize> = (0..names.len()).filter(|&axis| !stays(names[axis])).collect();
            let is_whole = whole.iter().all(|&axis| core.chunking.axis(axis).len() == 1);
            let divided =
                if is_whole { core.chunking.clone() } else { core.chunking.whole_along_axes(&whole, 0) };
            for (axis, &name) in names.iter().enumerate() {
                if names[..axis].contains(&name) {
                    return Err(wrong(operation, "two axes of one array have one name", caller));
                }
                let own = divided.shared_axis(axis);
                let n: usize = own.iter().sum();
                match axes.known.iter_mut().find(|(known, _)| *known == name) {
                    Some((_, known)) if known.iter().sum::<usize>() == n => {
                        *known = common_lengths(known, &own).into();
                    }
                    Some((_, known)) => {
                        let (left, right) = (Shape(vec![known.iter().sum()]), Shape(vec![n]));
                        return Err(Error::Shapes { operation, left, right, caller });
                    }
                    None => axes.known.push((name, own)),
                }
            }
        }
        Ok(axes)
    }

    /// The layer of a function, which makes blocks of an array whose axes have these names.
    fn layer<A: Element, B: Element, F>(
        &self,
        arrays: &[(&Core, Vec<char>)],
        out: &[char],
        output: Chunking,
        (function, identity, name): (F, FnIdentity, &'static str),
        label: &'static str,
    ) -> Core
    where
        F: Fn(&[ArrayViewD<'_, A>], &[usize]) -> Result<ArrayD<B>, TaskError> + Send + Sync + 'static,
    {
        let task = Blockwise { function, identity, name, label, output: output.clone(), marker: PhantomData };
        let mut layer = Layer::build(task).caller(self.caller);
        for (core, names) in arrays {
            let lengths = names.iter().map(|&name| self.find(name).map_or([].into(), Arc::clone));
            let divided = rechunked::<A>(core, &Chunking::from_axes(lengths), self.caller);
            let map = |&name: &char| match out.iter().position(|&own| own == name) {
                Some(axis) => AxisMap::follow(axis),
                None => AxisMap::Fixed(0),
            };
            layer = layer.input(&divided.port, Wiring::axes(names.iter().map(map)));
        }
        Core { port: Port::of(layer.finish(output.grid())), chunking: output }
    }
}

/// Applies a function to the blocks of several arrays that go together: axes of one name are divided alike, and a block of the
/// answer is made of those blocks that its place along the named axes says. A name that the answer has not is one block, whole.
///
/// The function gives a block whose axes are as long as those of the same names. One that captures nothing is taken to be
/// pure: applied twice to the same arrays it runs once.
///
/// **Shape** of the answer: the lengths of the axes named, in the order of `out`.
/// **Cost** one pass over each array, and that of [`rechunk`](Array::rechunk) where blocks do not fit each other.
///
/// # Errors
/// [`Error::Arrangement`] when there is not one name for each axis, an array has one twice, or the answer names an axis that no
/// array has; [`Error::Shapes`] when axes of one name have different lengths.
///
/// # Panics
/// Never.
///
/// # Examples
/// ```
/// use musher_array::{Array, blockwise, ndarray::{Ix2, arr2}};
/// use musher_scheduler::Compute;
/// let x = Array::from_array(arr2(&[[1.0, 2.0], [3.0, 4.0]]).into_dyn(), 1);
/// let product = blockwise("ik", &[(&x, "ij"), (&x, "jk")], |blocks| {
///     let both = [0, 1].map(|at| blocks[at].view().into_dimensionality::<Ix2>().expect("two axes"));
///     both[0].dot(&both[1]).into_dyn()
/// })?;
/// assert_eq!(product.compute()?, arr2(&[[7.0, 10.0], [15.0, 22.0]]).into_dyn());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Source: `dask.array.blockwise` with `concatenate=True`.
#[track_caller]
#[doc(alias = "atop")]
#[doc(alias = "dask.array.blockwise")]
pub fn blockwise<A, B, F>(out: &str, arrays: &[Named<'_, A>], f: F) -> Result<Array<B, IxDyn>, Error>
where
    A: Element,
    B: Element,
    F: Fn(&[ArrayViewD<'_, A>]) -> ArrayD<B> + Send + Sync + 'static,
{
    let (operation, caller) = ("blockwise", Site::caller());
    let out: Vec<char> = out.chars().collect();
    let arrays: Vec<(&Core, Vec<char>)> =
        arrays.iter().map(|(array, names)| (array.core(), names.chars().collect())).collect();
    let axes = Axes::of(operation, &arrays, |name| out.contains(&name), caller)?;
    let lengths = out.iter().map(|&name| axes.find(name).map(Arc::clone));
    let lengths: Option<Vec<Arc<[usize]>>> = lengths.collect();
    let lengths =
        lengths.ok_or_else(|| wrong(operation, "the answer names an axis that no array has", caller))?;
    let identity = FnIdentity::of::<F>();
    let label = function_name::<F>().unwrap_or(operation);
    let function = move |blocks: &[ArrayViewD<'_, A>], _: &[usize]| Ok(f(blocks));
    let work = (function, identity, "array.blockwise/1");
    let made = axes.layer::<A, B, _>(&arrays, &out, Chunking::from_axes(lengths), work, label);
    Ok(Array::from_core(made))
}

/// The names of core axes in a signature, for each array and for the answer: of `(i,j),(j)->(i)` they are `[[i, j], [j]]` and
/// `[i]`.
fn parsed(signature: &str) -> Option<(Vec<Vec<&str>>, Vec<&str>)> {
    let (inputs, output) = signature.split_once("->")?;
    let mut groups = Vec::new();
    let mut rest = inputs.trim();
    loop {
        let (group, after) = rest.strip_prefix('(')?.split_once(')')?;
        groups.push(names(group)?);
        rest = after.trim_start();
        match rest.strip_prefix(',') {
            Some(after) => rest = after.trim_start(),
            None if rest.is_empty() => break,
            None => return None,
        }
    }
    let output = output.trim().strip_prefix('(')?.strip_suffix(')')?;
    if output.contains(['(', ')']) {
        return None;
    }
    Some((groups, names(output)?))
}

/// Names between commas; none where there is nothing.
fn names(group: &str) -> Option<Vec<&str>> {
    if group.trim().is_empty() {
        return Some(Vec::new());
    }
    let names: Vec<&str> = group.split(',').map(str::trim).collect();
    let is_name = |name: &&str| !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
    names.iter().all(is_name).then_some(names)
}

/// Applies a function of whole axes to every place along the others, which loop: for `"(i),(i)->()"` it is given two vectors
/// and gives a number, and two arrays of shape `(n, m, k)` make one of shape `(n, m)`.
///
/// The core axes, which the signature names, are the last ones of each array, and are one block; the axes before them loop, and
/// are matched from the last one. The function is given the core axes alone; what it gives has the lengths of the axes named
/// behind the arrow. A function that captures nothing is taken to be pure.
///
/// **Shape** of the answer: the axes that loop, then those named behind the arrow.
/// **Cost** one call of the function for each place; that of [`rechunk`](Array::rechunk) where core axes have several blocks.
///
/// # Errors
/// [`Error::Arrangement`] when the signature cannot be read, is not one for these arrays, or names behind the arrow what no
/// array has; [`Error::Shapes`] when axes that go together have different lengths.
///
/// # Panics
/// Never.
///
/// # Examples
/// ```
/// use musher_array::{Array, apply_gufunc, ndarray::{arr0, arr1, arr2}};
/// use musher_scheduler::Compute;
/// let x = Array::from_array(arr2(&[[1.0, 2.0], [3.0, 4.0]]).into_dyn(), 1);
/// let y = Array::from_array(arr1(&[1.0, 10.0]).into_dyn(), 1);
/// let product = apply_gufunc("(i),(i)->()", &[&x, &y], |parts| arr0((&parts[0] * &parts[1]).sum()).into_dyn())?;
/// assert_eq!(product.compute()?, arr1(&[21.0, 43.0]).into_dyn());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Source: `dask.array.apply_gufunc` with `vectorize=True`, and NumPy's generalized universal functions.
#[track_caller]
#[doc(alias = "as_gufunc")]
#[doc(alias = "gufunc")]
#[doc(alias = "vectorize")]
pub fn apply_gufunc<A, B, F>(
    signature: &str,
    arrays: &[&Array<A, IxDyn>],
    f: F,
) -> Result<Array<B, IxDyn>, Error>
where
    A: Element,
    B: Element,
    F: Fn(&[ArrayViewD<'_, A>]) -> ArrayD<B> + Send + Sync + 'static,
{
    let (operation, caller) = ("apply_gufunc", Site::caller());
    let unreadable = || wrong(operation, "the signature is not of the form `(i,j),(j)->(i)`", caller);
    let (cores, of_answer) = parsed(signature).ok_or_else(unreadable)?;
    let fits = |(core, array): (&Vec<&str>, &&Array<A, IxDyn>)| core.len() <= array.ndim();
    if cores.len() != arrays.len() || !cores.iter().zip(arrays).all(fits) {
        return Err(wrong(operation, "the signature is not one for these arrays", caller));
    }
    // Letters of our own: those that loop are counted from the last axis, core axes by their names.
    let mut known: Vec<&str> = Vec::new();
    let letter = |number: usize| char::from_u32(0xF_0000 + number as u32).unwrap_or('?');
    let n_looping =
        cores.iter().zip(arrays).map(|(core, array)| array.ndim() - core.len()).max().unwrap_or(0);
    let mut named = Vec::with_capacity(arrays.len());
    for (core, array) in cores.iter().zip(arrays) {
        let own = array.ndim() - core.len();
        let mut letters: Vec<char> = (n_looping - own..n_looping).map(letter).collect();
        for &name in core {
            let number = known.iter().position(|&known| known == name).unwrap_or_else(|| {
                known.push(name);
                known.len() - 1
            });
            letters.push(letter(n_looping + number));
        }
        named.push((array.core(), letters));
    }
    let looping: Vec<char> = (0..n_looping).map(letter).collect();
    let axes = Axes::of(operation, &named, |name| looping.contains(&name), caller)?;
    let mut lengths: Vec<Arc<[usize]>> =
        looping.iter().filter_map(|&name| axes.find(name).map(Arc::clone)).collect();
    for name in &of_answer {
        let number = known.iter().position(|known| known == name);
        let found = number.and_then(|number| axes.find(letter(n_looping + number)));
        let problem = "the signature names behind the arrow an axis that no array has";
        lengths.push(found.map(Arc::clone).ok_or_else(|| wrong(operation, problem, caller))?);
    }
    let n_own: Vec<usize> = cores.iter().zip(arrays).map(|(core, array)| array.ndim() - core.len()).collect();
    let identity = FnIdentity::of::<F>();
    let label = function_name::<F>().unwrap_or(operation);
    let function = move |blocks: &[ArrayViewD<'_, A>], shape: &[usize]| {
        let n = shape.iter().product();
        let mut made = ArrayD::from_shape_vec(IxDyn(shape), crate::kernel::memory::zeros::<B>(n)?)?;
        for place in ndarray::indices(IxDyn(&shape[..n_looping])) {
            let place = place.slice();
            let mut parts: Vec<ArrayViewD<'_, A>> = blocks.to_vec();
            for (part, &own) in parts.iter_mut().zip(&n_own) {
                place[n_looping - own..].iter().for_each(|&at| part.index_axis_inplace(Axis(0), at));
            }
            let answer = f(&parts);
            check(&shape[n_looping..], answer.shape())?;
            let mut own = made.view_mut();
            place.iter().for_each(|&at| own.index_axis_inplace(Axis(0), at));
            own.assign(&answer);
        }
        Ok(made)
    };
    // The axes of the answer that loop follow the arrays; its core axes are one block, whatever they are called.
    let work = (function, identity, "array.apply_gufunc/1");
    let made = axes.layer::<A, B, _>(&named, &looping, Chunking::from_axes(lengths), work, label);
    Ok(Array::from_core(made))
}

impl<A: Element, D: Dimension> Array<A, D> {
    /// Each block in another shape: block number `i` in C order becomes the block number `i` of `chunks`, with the same
    /// elements in C order. No element leaves its block, so this is another array than [`reshape`](Self::reshape) makes, unless
    /// blocks follow each other in C order.
    ///
    /// **Shape** that of `chunks`.
    /// **Cost** none but a copy of blocks that do not lie in C order.
    ///
    /// # Panics
    /// When there are not as many blocks, or a block has another number of elements, or `E` another number of axes.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, Chunking, ndarray::{Ix1, arr1, arr2}};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr2(&[[1, 2], [3, 4]]), (2, 1));
    /// let line = x.reshape_blockwise::<Ix1>(Chunking::from_lengths(&[vec![2, 2]]));
    /// assert_eq!(line.compute()?, arr1(&[1, 3, 2, 4]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    ///
    /// Source: `dask.array.reshape_blockwise`.
    #[must_use]
    #[track_caller]
    pub fn reshape_blockwise<E: Dimension>(&self, chunks: Chunking) -> Array<A, E> {
        expect(self.try_reshape_blockwise(chunks))
    }

    /// As [`reshape_blockwise`](Self::reshape_blockwise).
    ///
    /// # Errors
    /// [`Error::Chunks`] when there are not as many blocks, or a block has another number of elements; [`Error::Shapes`] when
    /// `E` has another number of axes.
    #[track_caller]
    pub fn try_reshape_blockwise<E: Dimension>(&self, chunks: Chunking) -> Result<Array<A, E>, Error> {
        let (label, caller) = ("reshape_blockwise", Site::caller());
        let size = |chunking: &Chunking, block| -> usize {
            chunking.block_shape(&chunking.grid().coords_of(block)).iter().product()
        };
        let n = chunks.n_blocks();
        if n != self.chunks().n_blocks()
            || (0..n).any(|block| size(&chunks, block) != size(self.chunks(), block))
        {
            let (blocks, shape) = (Shape(chunks.grid_shape()), Shape(self.shape()));
            return Err(Error::Chunks { blocks, shape, caller });
        }
        let mut lists = Lists::new();
        (0..n).for_each(|block| lists.push([block as u32]));
        let wiring = Wiring::Explicit(Arc::new(lists));
        let of_task = chunks.clone();
        let step =
            PerBlock { label, name: "array.reshape_blockwise/1", wiring, output: chunks, scratch: 0, caller };
        let made = step.of::<A, A>(self.core(), &(), move |at, block| {
            Ok(copied(&block)?.into_shape_with_order(IxDyn(&of_task.block_shape(at)))?)
        });
        Array::<A, IxDyn>::from_core(made).into_dimensionality()
    }

    /// The elements along an axis in groups, each of which becomes a block: group by group, in the order that each list of
    /// indices says.
    ///
    /// **Shape** that of the array, with as many elements along the axis as the lists have together; a block for each list.
    /// **Cost** that of [`take`](Self::take), and of [`rechunk`](Self::rechunk) into these blocks.
    ///
    /// # Panics
    /// When there is no such axis, or an index lies outside.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::{Axis, arr1}};
    /// use musher_scheduler::Compute;
    /// let x = Array::arange(0, 6, 1, 3);
    /// let grouped = x.take_groups(Axis(0), &[vec![5, 0, 3], vec![1]]);
    /// assert_eq!(grouped.chunks().axis(0), [3, 1]);
    /// assert_eq!(grouped.compute()?, arr1(&[5, 0, 3, 1]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    ///
    /// Source: `dask.array.shuffle`.
    #[must_use]
    #[track_caller]
    #[doc(alias = "dask.array.shuffle")]
    pub fn take_groups(&self, axis: Axis, groups: &[Vec<usize>]) -> Self {
        expect(self.try_take_groups(axis, groups))
    }

    /// As [`take_groups`](Self::take_groups).
    ///
    /// # Errors
    /// [`Error::Axis`] or [`Error::Index`] when there is no such axis, or an index lies outside.
    #[track_caller]
    pub fn try_take_groups(&self, axis: Axis, groups: &[Vec<usize>]) -> Result<Self, Error> {
        let taken = self.try_take(axis, &groups.concat())?;
        if groups.is_empty() {
            return Ok(taken);
        }
        let lengths: Arc<[usize]> = groups.iter().map(Vec::len).collect();
        let chunking = taken.chunks().with_axis(axis.0, lengths);
        Ok(Self::from_core(rechunked::<A>(taken.core(), &chunking, Site::caller())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_read() {
        assert_eq!(parsed("(i),(i)->()"), Some((vec![vec!["i"], vec!["i"]], vec![])));
        assert_eq!(
            parsed(" (m, n1) , () -> (n1,m) "),
            Some((vec![vec!["m", "n1"], vec![]], vec!["n1", "m"]))
        );
        for wrong in
            ["", "(i)", "(i)->", "i->()", "(i)(j)->()", "(i,)->()", "(i)->(),()", "(i)-> ()x", "(i),->()"]
        {
            assert_eq!(parsed(wrong), None, "{wrong}");
        }
    }
}
