//! The numbers that image files hold.

use image::ColorType;
use musher_array::Element;

/// An element type that image files hold: `u8`, `u16` or `f32`.
///
/// The list is closed: it is what the formats have.
///
/// # Examples
///
/// ```
/// fn bits<A: musher_image::Pixel>() -> usize {
///     8 * size_of::<A>()
/// }
/// assert_eq!(bits::<u16>(), 16);
/// ```
pub trait Pixel: Element + sealed::Sealed {}

impl Pixel for u8 {}
impl Pixel for u16 {}
impl Pixel for f32 {}

pub(crate) mod sealed {
    use image::DynamicImage;
    use tiff::decoder::DecodingResult;

    /// How each type leaves a decoder and enters an encoder.
    #[expect(unnameable_types, reason = "sealed: the list of types is closed")]
    pub trait Sealed: Sized {
        /// The pixels of a decoded image, channels side by side; `None` when they have another type.
        fn of_image(image: DynamicImage) -> Option<Vec<Self>>;

        /// The numbers of a decoded strip or tile; `None` when they have another type.
        fn of_tiff(result: DecodingResult) -> Option<Vec<Self>>;

        /// The bytes of pixels, as this machine orders them.
        fn bytes(pixels: &[Self]) -> Vec<u8>;
    }

    impl Sealed for u8 {
        fn of_image(image: DynamicImage) -> Option<Vec<u8>> {
            match image {
                DynamicImage::ImageLuma8(image) => Some(image.into_raw()),
                DynamicImage::ImageLumaA8(image) => Some(image.into_raw()),
                DynamicImage::ImageRgb8(image) => Some(image.into_raw()),
                DynamicImage::ImageRgba8(image) => Some(image.into_raw()),
                _ => None,
            }
        }

        fn of_tiff(result: DecodingResult) -> Option<Vec<u8>> {
            match result {
                DecodingResult::U8(values) => Some(values),
                _ => None,
            }
        }

        fn bytes(pixels: &[u8]) -> Vec<u8> {
            pixels.to_vec()
        }
    }

    impl Sealed for u16 {
        fn of_image(image: DynamicImage) -> Option<Vec<u16>> {
            match image {
                DynamicImage::ImageLuma16(image) => Some(image.into_raw()),
                DynamicImage::ImageLumaA16(image) => Some(image.into_raw()),
                DynamicImage::ImageRgb16(image) => Some(image.into_raw()),
                DynamicImage::ImageRgba16(image) => Some(image.into_raw()),
                _ => None,
            }
        }

        fn of_tiff(result: DecodingResult) -> Option<Vec<u16>> {
            match result {
                DecodingResult::U16(values) => Some(values),
                _ => None,
            }
        }

        fn bytes(pixels: &[u16]) -> Vec<u8> {
            pixels.iter().flat_map(|pixel| pixel.to_ne_bytes()).collect()
        }
    }

    impl Sealed for f32 {
        fn of_image(image: DynamicImage) -> Option<Vec<f32>> {
            match image {
                DynamicImage::ImageRgb32F(image) => Some(image.into_raw()),
                DynamicImage::ImageRgba32F(image) => Some(image.into_raw()),
                _ => None,
            }
        }

        fn of_tiff(result: DecodingResult) -> Option<Vec<f32>> {
            match result {
                DecodingResult::F32(values) => Some(values),
                _ => None,
            }
        }

        fn bytes(pixels: &[f32]) -> Vec<u8> {
            pixels.iter().flat_map(|pixel| pixel.to_ne_bytes()).collect()
        }
    }
}

/// The name of the numbers in an image of this color type; `None` for types that came after this crate.
pub(crate) fn number_name(color: ColorType) -> Option<&'static str> {
    match color {
        ColorType::L8 | ColorType::La8 | ColorType::Rgb8 | ColorType::Rgba8 => Some("u8"),
        ColorType::L16 | ColorType::La16 | ColorType::Rgb16 | ColorType::Rgba16 => Some("u16"),
        ColorType::Rgb32F | ColorType::Rgba32F => Some("f32"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::number_name;
    use super::sealed::Sealed;
    use image::DynamicImage;

    #[test]
    fn every_color_type_has_exactly_one_number_type() {
        for image in [
            DynamicImage::new_luma8(1, 1),
            DynamicImage::new_luma_a8(1, 1),
            DynamicImage::new_rgb8(1, 1),
            DynamicImage::new_rgba8(1, 1),
            DynamicImage::new_luma16(1, 1),
            DynamicImage::new_luma_a16(1, 1),
            DynamicImage::new_rgb16(1, 1),
            DynamicImage::new_rgba16(1, 1),
            DynamicImage::new_rgb32f(1, 1),
            DynamicImage::new_rgba32f(1, 1),
        ] {
            let name = number_name(image.color()).unwrap();
            let channels = usize::from(image.color().channel_count());
            assert_eq!(
                u8::of_image(image.clone()).map(|pixels| pixels.len()),
                (name == "u8").then_some(channels)
            );
            assert_eq!(
                u16::of_image(image.clone()).map(|pixels| pixels.len()),
                (name == "u16").then_some(channels)
            );
            assert_eq!(f32::of_image(image).map(|pixels| pixels.len()), (name == "f32").then_some(channels));
        }
    }
}
