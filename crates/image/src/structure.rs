//! The form of what images are eroded and dilated with.

use musher_array::{Boundary as Mode, Depth, PerAxis};
use musher_graph_core::Site;
use ndarray::{ArrayD, Axis, Dimension, IxDyn};

use crate::error::Error;
use crate::filter::{Window, n_pixels};

/// What an image is eroded or dilated with: which neighbors count, where they lie, and what stands beyond the edges.
///
/// A number or an array of numbers becomes a box of that size, an ndarray array of `bool` the places where it is true, and
/// one of `f64` all its places with these heights, which only grey images take. Defaults are those of scipy: centered, once,
/// beyond the edges mode [`Mode::Reflect`] for grey images and false for binary ones.
///
/// # Examples
/// ```
/// use musher_image::{Mode, Structure};
/// use musher_array::ndarray::arr2;
/// let cross = Structure::connectivity(1).iterations(3);
/// assert_ne!(cross, Structure::from(arr2(&[[false, true, false], [true, true, true], [false, true, false]])));
/// let low = Structure::size([2, 3]).origin([0, 1]).mode(Mode::Nearest);
/// assert_ne!(low, Structure::from([2, 3]));
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Structure {
    places: Places,
    origin: PerAxis<isize>,
    mode: Option<PerAxis<Mode>>,
    iterations: usize,
}

/// Which neighbors count.
#[derive(Debug, Clone, PartialEq)]
enum Places {
    Size(PerAxis<usize>),
    Connectivity(usize),
    Footprint(ArrayD<bool>),
    Heights(ArrayD<f64>),
}

impl Structure {
    fn new(places: Places) -> Self {
        Self { places, origin: PerAxis::All(0), mode: None, iterations: 1 }
    }

    /// A box of so many pixels along each axis; of an even number one more lies before the pixel than after.
    #[must_use]
    pub fn size(size: impl Into<PerAxis<usize>>) -> Self {
        Self::new(Places::Size(size.into()))
    }

    /// The neighbors that can be reached in so many steps along different axes, one along each: 1 is a cross, as many as the
    /// image has axes is a full box of three along each.
    #[must_use]
    pub fn connectivity(steps: usize) -> Self {
        Self::new(Places::Connectivity(steps))
    }

    /// All places of an array, each with its height.
    #[must_use]
    pub fn heights<D: Dimension>(heights: ndarray::Array<f64, D>) -> Self {
        Self::new(Places::Heights(heights.into_dyn()))
    }

    /// Moves the neighbors so many pixels towards lower indices.
    #[must_use]
    pub fn origin(self, origin: impl Into<PerAxis<isize>>) -> Self {
        Self { origin: origin.into(), ..self }
    }

    /// What stands beyond the edges. In a binary image a constant other than 0 is true.
    #[must_use]
    pub fn mode(self, mode: impl Into<PerAxis<Mode>>) -> Self {
        Self { mode: Some(mode.into()), ..self }
    }

    /// Erodes or dilates so many times, one after the other.
    #[must_use]
    pub fn iterations(self, iterations: usize) -> Self {
        Self { iterations, ..self }
    }

    /// The same, if it is for one pass only.
    #[track_caller]
    pub(crate) fn once(self) -> Result<Self, Error> {
        let (value, expected) = (self.iterations as f64, "1 here");
        match self.iterations {
            1 => Ok(self),
            _ => Err(Error::Parameter { parameter: "iterations", value, expected, caller: Site::caller() }),
        }
    }

    /// The same for an image of so many axes, checked. `edges` stand beyond the edges where nothing else was said.
    #[track_caller]
    pub(crate) fn resolve(self, ndim: usize, edges: Mode) -> Result<Resolved, Error> {
        let caller = Site::caller();
        let count = |found| match found == ndim {
            true => Ok(()),
            false => Err(Error::AxisCount { parameter: "structure", expected: ndim, found, caller }),
        };
        let (size, footprint, heights) = match self.places {
            Places::Size(size) => (size, None, None),
            Places::Connectivity(steps) => {
                (PerAxis::All(3), Some(generate_binary_structure(ndim, steps)), None)
            }
            Places::Footprint(places) => {
                count(places.ndim())?;
                (PerAxis::Each(places.shape().to_vec()), Some(places), None)
            }
            Places::Heights(heights) => {
                count(heights.ndim())?;
                if let Some(&value) = heights.iter().find(|height| !height.is_finite()) {
                    return Err(Error::Parameter {
                        parameter: "structure",
                        value,
                        expected: "finite",
                        caller,
                    });
                }
                (PerAxis::Each(heights.shape().to_vec()), None, Some(heights))
            }
        };
        let mode = self.mode.unwrap_or(PerAxis::All(edges));
        let along = Window::size(size).origin(self.origin).mode(mode).resolve(ndim)?;
        if footprint.as_ref().is_some_and(|places| !places.iter().any(|&counts| counts)) {
            let expected = "such that a neighbor counts";
            return Err(Error::Parameter { parameter: "structure", value: 0.0, expected, caller });
        }
        if self.iterations == 0 {
            let expected = "1 or more";
            return Err(Error::Parameter { parameter: "iterations", value: 0.0, expected, caller });
        }
        // A full footprint is a box, which needs few steps.
        let footprint = footprint.filter(|places| !places.iter().all(|&counts| counts));
        Ok(Resolved { along, footprint, heights, iterations: self.iterations })
    }
}

impl From<usize> for Structure {
    fn from(size: usize) -> Self {
        Self::size(size)
    }
}

impl<const N: usize> From<[usize; N]> for Structure {
    fn from(size: [usize; N]) -> Self {
        Self::size(size)
    }
}

impl From<Vec<usize>> for Structure {
    fn from(size: Vec<usize>) -> Self {
        Self::size(size)
    }
}

impl<D: Dimension> From<ndarray::Array<bool, D>> for Structure {
    fn from(places: ndarray::Array<bool, D>) -> Self {
        Self::new(Places::Footprint(places.into_dyn()))
    }
}

/// A structure for an image of a known number of axes.
#[derive(Debug, Clone)]
pub(crate) struct Resolved {
    /// Size, reach and mode along each axis.
    pub(crate) along: Vec<(usize, Depth, Mode)>,
    /// Which places count; none where all do.
    pub(crate) footprint: Option<ArrayD<bool>>,
    pub(crate) heights: Option<ArrayD<f64>>,
    pub(crate) iterations: usize,
}

impl Resolved {
    /// The structure seen from its neighbors, as a dilation reads it.
    pub(crate) fn reflected(mut self) -> Self {
        for (_, reach, _) in &mut self.along {
            *reach = Depth::new(reach.after, reach.before);
        }
        self.footprint.iter_mut().for_each(reverse);
        self.heights.iter_mut().for_each(reverse);
        self
    }

    /// Which places count, as an array.
    #[track_caller]
    pub(crate) fn places(&self) -> Result<ArrayD<bool>, Error> {
        let sizes: Vec<usize> = self.along.iter().map(|&(size, ..)| size).collect();
        n_pixels(&self.along)?;
        Ok(self.footprint.clone().unwrap_or_else(|| ArrayD::from_elem(IxDyn(&sizes), true)))
    }
}

/// Turns all axes the other way round.
pub(crate) fn reverse<A>(array: &mut ArrayD<A>) {
    for axis in 0..array.ndim() {
        array.invert_axis(Axis(axis));
    }
}

/// The places that can be reached from the middle of a box of three along each axis, in so many steps along different axes:
/// what `scipy.ndimage.generate_binary_structure` gives. 0 steps are taken for 1, as there.
///
/// # Examples
/// ```
/// use musher_array::ndarray::arr2;
/// use musher_image::generate_binary_structure;
/// let cross = arr2(&[[false, true, false], [true, true, true], [false, true, false]]);
/// assert_eq!(generate_binary_structure(2, 1), cross.into_dyn());
/// ```
///
/// **Source** `scipy.ndimage.generate_binary_structure`.
#[must_use]
pub fn generate_binary_structure(ndim: usize, connectivity: usize) -> ArrayD<bool> {
    ArrayD::from_shape_fn(IxDyn(&vec![3; ndim]), |place| {
        place.slice().iter().filter(|&&at| at != 1).count() <= connectivity.max(1)
    })
}
