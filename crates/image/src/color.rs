//! Colors from one space to another, pixel by pixel.

use musher_array::{Array, Chunking, Shape};
use musher_graph_core::Site;
use ndarray::Dimension;

use crate::error::Error;
use crate::gray::Intensity;
use crate::kernel::color::{self, Color};
use crate::threshold::Histogram;
use crate::wire::Mapping;

/// What a function makes of each pixel, whose channels are brought into one block.
#[track_caller]
fn converted<A: Histogram + Intensity, D: Dimension>(
    operation: &'static str,
    image: &Array<A, D>,
    of: fn(Color) -> Color,
) -> Result<Array<f64, D>, Error> {
    let caller = Site::caller();
    let shape = image.shape();
    let mut lengths: Vec<Vec<usize>> = image.chunks().axes().map(<[usize]>::to_vec).collect();
    match (shape.last(), lengths.last_mut()) {
        (Some(3), Some(channels)) => *channels = vec![3],
        _ => return Err(Error::Channels { operation, expected: "3", shape: Shape(shape), caller }),
    }
    let whole = Chunking::from_lengths(&lengths);
    let image = image.try_rechunk(whole)?;
    let most = A::LEVELS.map_or(1.0, |levels| (levels - 1) as f64);
    let mapping = Mapping { label: operation, name: "image.color/1", cost: 20, caller };
    Ok(mapping.of(&image, &operation, move |colors: &[A], out: &mut [f64]| {
        let (colors, _) = colors.as_chunks::<3>();
        let (out, _) = out.as_chunks_mut::<3>();
        for (out, color) in out.iter_mut().zip(colors) {
            *out = of(color.map(|channel| channel.as_() / most));
        }
    }))
}

/// Makes of each row a function: how it is named, what becomes of a pixel, and its documentation.
macro_rules! colors {
    ($($(#[$doc:meta])* fn $name:ident = $of:path;)*) => {$(
        $(#[$doc])*
        ///
        /// `u8` and `u16` are divided by their greatest value first; `f32` and `f64` are taken as they are.
        ///
        /// **Shape** `(…, 3)` stays, `f64`; the channels are brought into one block.
        /// **Cost** one pass.
        ///
        /// # Errors
        /// [`Error::Channels`] when the last axis has not 3 elements.
        ///
        /// # Examples
        /// ```
        /// use musher_array::{Array, ndarray::arr2};
        /// use musher_scheduler::Compute;
        /// let pixels = Array::from_array(arr2(&[[0.25, 0.5, 0.75], [1.0, 1.0, 1.0]]), (1, 3));
        #[doc = concat!("let found = musher_image::", stringify!($name), "(&pixels)?.compute()?;")]
        /// assert_eq!(found.dim(), (2, 3));
        /// # Ok::<(), Box<dyn std::error::Error>>(())
        /// ```
        ///
        #[doc = concat!("**Source** `skimage.color.", stringify!($name), "`.")]
        #[track_caller]
        pub fn $name<A: Histogram + Intensity, D: Dimension>(image: &Array<A, D>) -> Result<Array<f64, D>, Error> {
            converted(stringify!($name), image, $of)
        }
    )*};
}

colors! {
    /// Red, green and blue as hue, saturation and value, all from 0 to 1; a pixel with a NaN becomes 0.
    #[doc(alias = "skimage.color.rgb2hsv")]
    fn rgb2hsv = color::rgb_to_hsv;

    /// Hue, saturation and value as red, green and blue.
    #[doc(alias = "skimage.color.hsv2rgb")]
    fn hsv2rgb = color::hsv_to_rgb;

    /// Red, green and blue of sRGB as the CIE's X, Y and Z.
    #[doc(alias = "skimage.color.rgb2xyz")]
    fn rgb2xyz = color::rgb_to_xyz;

    /// The CIE's X, Y and Z as red, green and blue of sRGB, cut off below 0 and above 1.
    #[doc(alias = "skimage.color.xyz2rgb")]
    fn xyz2rgb = color::xyz_to_rgb;

    /// Red, green and blue of sRGB as the CIE's lightness, from 0 to 100, and a* and b*, for the illuminant D65.
    #[doc(alias = "skimage.color.rgb2lab")]
    fn rgb2lab = color::rgb_to_lab;

    /// The CIE's L*, a* and b* as red, green and blue of sRGB.
    #[doc(alias = "skimage.color.lab2rgb")]
    fn lab2rgb = color::lab_to_rgb;

    /// The CIE's X, Y and Z as L*, a* and b*, for the illuminant D65.
    #[doc(alias = "skimage.color.xyz2lab")]
    fn xyz2lab = color::xyz_to_lab;

    /// The CIE's L*, a* and b* as X, Y and Z; a Z below 0 becomes 0.
    #[doc(alias = "skimage.color.lab2xyz")]
    fn lab2xyz = color::lab_to_xyz;

    /// Red, green and blue of sRGB as the CIE's L*, u* and v*, for the illuminant D65.
    #[doc(alias = "skimage.color.rgb2luv")]
    fn rgb2luv = color::rgb_to_luv;

    /// The CIE's L*, u* and v* as red, green and blue of sRGB.
    #[doc(alias = "skimage.color.luv2rgb")]
    fn luv2rgb = color::luv_to_rgb;

    /// The CIE's X, Y and Z as L*, u* and v*, for the illuminant D65.
    #[doc(alias = "skimage.color.xyz2luv")]
    fn xyz2luv = color::xyz_to_luv;

    /// The CIE's L*, u* and v* as X, Y and Z.
    #[doc(alias = "skimage.color.luv2xyz")]
    fn luv2xyz = color::luv_to_xyz;

    /// Red, green and blue as luma, from 16 to 235, and the differences of blue and red, from 16 to 240.
    #[doc(alias = "skimage.color.rgb2ycbcr")]
    fn rgb2ycbcr = color::rgb_to_ycbcr;

    /// Luma and the differences of blue and red as red, green and blue.
    #[doc(alias = "skimage.color.ycbcr2rgb")]
    fn ycbcr2rgb = color::ycbcr_to_rgb;

    /// Red, green and blue as the stains haematoxylin, eosin and DAB: color deconvolution.
    #[doc(alias = "skimage.color.rgb2hed")]
    fn rgb2hed = color::rgb_to_hed;

    /// The stains haematoxylin, eosin and DAB as red, green and blue.
    #[doc(alias = "skimage.color.hed2rgb")]
    fn hed2rgb = color::hed_to_rgb;
}
