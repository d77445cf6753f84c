//! What filters share: how sizes and edges are given, and the kernel of filters that work axis after axis.

use std::marker::PhantomData;

use musher_array::neighborhood::{Band, Kernel, neighborhood};
use musher_array::{Array, Boundary as Mode, Depth, Element, PerAxis};
use musher_graph_core::{Site, TaskError, Token, Tokenizer};
use ndarray::{Axis, Dimension};

use crate::error::Error;
use crate::kernel::correlate::Weights;
use crate::kernel::separable::{Between, Line, separable};
use crate::kernel::widen::{Widen, can_have};
use crate::kernel::windows::Windows;

/// Filters that reach further than this are a mistake: no image has as many pixels along an axis.
pub(crate) const MOST_PIXELS: usize = 1 << 24;

/// The window of a filter: its size in pixels, where it lies, and what stands beyond the edges.
///
/// A plain number or an array of numbers becomes one with the defaults of scipy: centered, mode [`Mode::Reflect`]. The
/// window of a pixel begins `size / 2 + origin` pixels before it.
///
/// # Examples
/// ```
/// use musher_image::{Mode, Window};
/// let rows = Window::size([1, 4]).origin([0, -1]).mode(Mode::Nearest);
/// assert_ne!(rows, Window::from([1, 4]));
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Window {
    size: PerAxis<usize>,
    origin: PerAxis<isize>,
    mode: PerAxis<Mode>,
}

impl Window {
    /// A window of so many pixels along each axis, around its pixel; of an even number one more lies before it than after.
    #[must_use]
    pub fn size(size: impl Into<PerAxis<usize>>) -> Self {
        Self { size: size.into(), origin: PerAxis::All(0), mode: PerAxis::All(Mode::Reflect) }
    }

    /// Moves the window so many pixels towards lower indices.
    #[must_use]
    pub fn origin(self, origin: impl Into<PerAxis<isize>>) -> Self {
        Self { origin: origin.into(), ..self }
    }

    /// What stands beyond the edges; a constant of integer pixels must be one of their values.
    #[must_use]
    pub fn mode(self, mode: impl Into<PerAxis<Mode>>) -> Self {
        Self { mode: mode.into(), ..self }
    }

    /// Size, reach and mode along each axis, checked.
    #[track_caller]
    pub(crate) fn resolve(self, ndim: usize) -> Result<Vec<(usize, Depth, Mode)>, Error> {
        let caller = Site::caller();
        let sizes = resolve(self.size, "size", ndim)?;
        let origins = resolve(self.origin, "origin", ndim)?;
        let modes = resolve_modes(self.mode, ndim)?;
        let mut along = Vec::with_capacity(ndim);
        for ((size, origin), mode) in sizes.into_iter().zip(origins).zip(modes) {
            if size == 0 || size > MOST_PIXELS {
                let expected = "1 or more, and at most 2^24 pixels";
                return Err(Error::Parameter { parameter: "size", value: size as f64, expected, caller });
            }
            let Some(before) = (size / 2).checked_add_signed(origin).filter(|&before| before < size) else {
                let expected = "such that the window holds its pixel";
                return Err(Error::Parameter { parameter: "origin", value: origin as f64, expected, caller });
            };
            along.push((size, Depth::new(before, size - 1 - before), mode));
        }
        Ok(along)
    }

    /// The window along each axis for a filter that works axis after axis; none where it holds one pixel.
    #[track_caller]
    pub(crate) fn lines<L>(self, ndim: usize, line: impl Fn(usize) -> L) -> Result<Vec<Along<L>>, Error> {
        let along = self.resolve(ndim)?.into_iter();
        Ok(along
            .map(|(size, reach, mode)| Along { line: (size > 1).then(|| line(size)), reach, mode })
            .collect())
    }
}

impl<T: Into<PerAxis<usize>>> From<T> for Window {
    fn from(size: T) -> Self {
        Self::size(size)
    }
}

/// One value for each axis.
#[track_caller]
pub(crate) fn resolve<T: Clone>(
    values: PerAxis<T>,
    parameter: &'static str,
    ndim: usize,
) -> Result<Vec<T>, Error> {
    let caller = Site::caller();
    values.resolve(ndim).map_err(|found| Error::AxisCount { parameter, expected: ndim, found, caller })
}

/// One mode for each axis, by which pixels stand beyond the edges.
#[track_caller]
pub(crate) fn resolve_modes(modes: PerAxis<Mode>, ndim: usize) -> Result<Vec<Mode>, Error> {
    let modes = resolve(modes, "mode", ndim)?;
    match modes.contains(&Mode::None) {
        true => Err(Error::NoMode { caller: Site::caller() }),
        false => Ok(modes),
    }
}

/// Refuses an axis that an image has not.
#[track_caller]
pub(crate) fn check_axis(axis: Axis, ndim: usize) -> Result<(), Error> {
    let value = axis.index() as f64;
    match axis.index() < ndim {
        true => Ok(()),
        false => {
            let expected = "an axis of the image";
            Err(Error::Parameter { parameter: "axis", value, expected, caller: Site::caller() })
        }
    }
}

/// What a filter does along one axis.
#[derive(Debug, Clone)]
pub(crate) struct Along<L> {
    /// What becomes of a line of neighbors; none where the axis stays as it is.
    pub(crate) line: Option<L>,
    /// How far the line reaches.
    pub(crate) reach: Depth,
    pub(crate) mode: Mode,
}

impl Token for Weights {
    fn token(&self, tokenizer: &mut Tokenizer) {
        self.values().token(tokenizer);
    }
}

impl<M> Token for Windows<M> {
    fn token(&self, tokenizer: &mut Tokenizer) {
        self.size().token(tokenizer);
    }
}

/// A filter that slides a line along each axis.
struct Separable<A, L> {
    label: &'static str,
    name: &'static str,
    lines: Vec<Option<L>>,
    marker: PhantomData<fn() -> A>,
}

impl<A: Element, L: Line<A> + Token> Kernel for Separable<A, L> {
    type In = A;
    type Out = A;
    type Scratch = Between<A, L::Scratch>;

    fn label(&self) -> &'static str {
        self.label
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.name(self.name);
        self.lines.token(tokenizer);
    }

    fn cost(&self, elements: u64) -> Option<u64> {
        let each: u64 = self.lines.iter().flatten().map(Line::cost).sum();
        Some(1_000 + elements.saturating_mul(each) / 1_000)
    }

    fn scratch(&self, elements: usize) -> usize {
        let of_lines = self.lines.iter().flatten().map(Line::scratch_bytes).max().unwrap_or(0);
        elements * (2 * size_of::<A>() + of_lines) + (1 << 16)
    }

    fn run(&self, band: &Band<'_, A>, between: &mut Self::Scratch, out: &mut [A]) -> Result<(), TaskError> {
        Ok(separable(band, &self.lines, between, out)?)
    }
}

/// How far a window reaches along each axis, and what it sees beyond the edges, as an image of these pixels has it.
pub(crate) fn halo<A>(
    along: &[(usize, Depth, Mode)],
    pixel: impl Fn(f64) -> A,
) -> (Vec<Depth>, Vec<Mode<A>>) {
    along.iter().map(|&(_, reach, mode)| (reach, mode.map(&pixel))).unzip()
}

/// How many pixels a window has.
#[track_caller]
pub(crate) fn n_pixels(along: &[(usize, Depth, Mode)]) -> Result<usize, Error> {
    let caller = Site::caller();
    let sizes = || along.iter().map(|&(size, ..)| size);
    let n = sizes().try_fold(1_usize, |n, size| n.checked_mul(size)).filter(|&n| n <= MOST_PIXELS);
    n.ok_or_else(|| {
        let expected = "such that a window has at most 2^24 pixels";
        let value = sizes().map(|size| size as f64).product();
        Error::Parameter { parameter: "size", value, expected, caller }
    })
}

/// Refuses constants beyond the edges that integer pixels cannot have.
#[track_caller]
pub(crate) fn check_constants<A: Widen>(modes: impl Iterator<Item = Mode>) -> Result<(), Error> {
    for mode in modes {
        if let Mode::Constant(value) = mode
            && !can_have::<A>(value)
        {
            let expected = "a value that the pixels can have";
            return Err(Error::Parameter { parameter: "mode", value, expected, caller: Site::caller() });
        }
    }
    Ok(())
}

/// The image with a line slid along each axis; `name` is that of the operation with its version.
#[track_caller]
pub(crate) fn along_axes<A: Element + Widen, D: Dimension, L: Line<A> + Token>(
    image: &Array<A, D>,
    label: &'static str,
    name: &'static str,
    along: Vec<Along<L>>,
) -> Result<Array<A, D>, Error> {
    if along.iter().all(|along| along.line.is_none()) {
        return Ok(image.clone());
    }
    check_constants::<A>(along.iter().map(|along| along.mode))?;
    let depths: Vec<Depth> = along.iter().map(|along| along.reach).collect();
    // A constant belongs to its axis: what surrounds the image differs from axis to axis.
    let modes: Vec<Mode<A>> = along.iter().map(|along| along.mode.map(A::narrow)).collect();
    let lines = along.into_iter().map(|along| along.line).collect();
    Ok(neighborhood(image, depths, modes, Separable { label, name, lines, marker: PhantomData })?)
}

/// The image with a line slid along one axis only.
#[track_caller]
pub(crate) fn along_axis<A: Element + Widen, D: Dimension, L: Line<A> + Token>(
    image: &Array<A, D>,
    label: &'static str,
    name: &'static str,
    axis: usize,
    along: Along<L>,
) -> Result<Array<A, D>, Error> {
    let none = || Along { line: None, reach: Depth::both(0), mode: Mode::Nearest };
    let mut axes: Vec<Along<L>> = (0..image.ndim()).map(|_| none()).collect();
    axes[axis] = along;
    along_axes(image, label, name, axes)
}
