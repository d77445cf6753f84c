//! Color to gray.

use musher_array::{Array, Block, Chunking, Shape};
use musher_graph_core::{AxisMap, Facts, FnTask, Grid, Inputs, Layer, Place, Port, Site, Wiring};
use ndarray::{ArrayD, Dimension, IxDyn, RemoveAxis};
use num_traits::AsPrimitive;

use crate::error::Error;
use crate::kernel::gray::{GrayWeights, gray};
use crate::wire::port_of;

/// Element types that images of light are made of: integers and floats of any width.
///
/// # Examples
/// ```
/// fn brightness<A: musher_image::Intensity>(value: A) -> f64 {
///     value.as_()
/// }
/// assert_eq!(brightness(7_u8), 7.0);
/// ```
pub trait Intensity: musher_array::Real + AsPrimitive<f64> {}

impl<A: musher_array::Real + AsPrimitive<f64>> Intensity for A {}

/// Turns red, green and blue into gray: `r R + g G + b B` with weights of your choice.
///
/// Weights are [`GrayWeights`] or three numbers; [`rgb2gray`] takes those of scikit-image. Values keep their unit: `u8`
/// colors give gray values from 0 to 255, where scikit-image divides integers by their greatest value first.
///
/// **Shape** `(…, 3) → (…,)` of `f64`; blocks stay along the other axes, and the channels must be in one block.
/// **Cost** one pass; one block in, one block out.
///
/// # Errors
/// [`Error::Channels`] when the last axis has not 3 elements in one block.
///
/// # Examples
/// ```
/// use musher_array::{Array, ndarray::Ix3};
/// use musher_image::{GrayWeights, rgb_to_gray};
/// use musher_scheduler::Compute;
/// let red = Array::<u8, Ix3>::from_shape_fn((2, 2, 3), (1, 2, 3), |(_, _, channel)| if channel == 0 { 200 } else { 0 });
/// assert_eq!(rgb_to_gray(&red, GrayWeights::REC_709)?.compute()?[[1, 1]], 200.0 * 0.2125);
/// assert_eq!(rgb_to_gray(&red, [0.5, 0.25, 0.25])?.compute()?[[1, 1]], 100.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[track_caller]
#[doc(alias = "cvtColor")]
pub fn rgb_to_gray<A, D>(
    image: &Array<A, D>,
    weights: impl Into<GrayWeights>,
) -> Result<Array<f64, D::Smaller>, Error>
where
    A: Intensity,
    D: RemoveAxis,
{
    convert("rgb_to_gray", image, weights.into(), Site::caller())
}

/// Turns red, green and blue into gray as scikit-image's function of this name does: `0.2125 R + 0.7154 G + 0.0721 B`.
///
/// **Shape**, units and **cost** as [`rgb_to_gray`].
///
/// # Errors
/// As [`rgb_to_gray`].
///
/// # Examples
/// ```
/// use musher_scheduler::Compute;
/// let white = musher_array::Array::<u8, _>::ones((2, 2, 3), 3);
/// let gray = musher_image::rgb2gray(&white)?.compute()?;
/// assert!((gray[[0, 0]] - 1.0).abs() < 1e-12);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[track_caller]
#[doc(alias = "skimage.color.rgb2gray")]
pub fn rgb2gray<A, D>(image: &Array<A, D>) -> Result<Array<f64, D::Smaller>, Error>
where
    A: Intensity,
    D: RemoveAxis,
{
    convert("rgb2gray", image, GrayWeights::REC_709, Site::caller())
}

fn convert<A, D>(
    operation: &'static str,
    image: &Array<A, D>,
    weights: GrayWeights,
    caller: Site,
) -> Result<Array<f64, D::Smaller>, Error>
where
    A: Intensity,
    D: Dimension + RemoveAxis,
{
    let lengths: Vec<Vec<usize>> = image.chunks().axes().map(<[usize]>::to_vec).collect();
    let Some((channels, others)) = lengths.split_last().filter(|(channels, _)| **channels == [3]) else {
        let expected = "3 (in one block)";
        return Err(Error::Channels { operation, expected, shape: Shape(image.shape()), caller });
    };
    debug_assert_eq!(channels.len(), 1);
    let task = FnTask::new("rgb_to_gray", move |_: Place<'_>, inputs: &mut Inputs<'_>| {
        let block: &Block<A> = inputs.get(0)?;
        let pixels = block.view();
        let pixels = pixels.as_standard_layout();
        let shape = &pixels.shape()[..pixels.ndim() - 1];
        let values = gray(pixels.as_slice().unwrap_or_default(), weights)?;
        Ok(Block::new(ArrayD::from_shape_vec(IxDyn(shape), values)?))
    })
    .params("image.rgb_to_gray/1", &(A::NAME, weights.red, weights.green, weights.blue))
    .facts(|_, inputs| {
        let pixels = inputs.first().copied().flatten().unwrap_or(0) / (3 * size_of::<A>() as u64);
        Facts::bytes(pixels * size_of::<f64>() as u64).cost(pixels)
    });
    let mut maps: Vec<AxisMap> = (0..others.len()).map(AxisMap::follow).collect();
    maps.push(AxisMap::Fixed(0));
    let chunks = Chunking::from_lengths(others);
    let layer = Layer::build(task).caller(caller).input(&port_of(image), Wiring::axes(maps));
    let layer = layer.finish(Grid::from(chunks.grid_shape().as_slice()));
    Ok(Array::from_port(Port::of(layer), chunks))
}
