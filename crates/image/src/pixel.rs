//! The numbers that image files hold.

use image::ColorType;
use musher_array::Real;

use crate::kernel::widen::Widen;

/// An element type that image files hold: integers of 8 to 64 bits, `f32` or `f64`.
///
/// TIFF has all of them; PNG has `u8` and `u16`, the other formats `u8`. The list is closed: it is what the formats have.
///
/// # Examples
///
/// ```
/// fn bits<A: musher_image::Pixel>() -> usize {
///     8 * size_of::<A>()
/// }
/// assert_eq!(bits::<u16>(), 16);
/// ```
pub trait Pixel: Real + Widen + sealed::Sealed {}

/// For `u8` it reads: `impl Pixel for u8 {}`.
macro_rules! pixels {
    ($($t:ty),*) => {$(impl Pixel for $t {})*};
}
pixels!(u8, u16, u32, u64, i8, i16, i32, i64, f32, f64);

pub(crate) mod sealed {
    use std::io::{Seek, Write};

    use image::DynamicImage;
    use tiff::TiffResult;
    use tiff::decoder::DecodingResult;
    use tiff::encoder::{TiffEncoder, colortype};

    /// How each type leaves a decoder and enters an encoder.
    #[expect(unnameable_types, reason = "sealed: the list of types is closed")]
    pub trait Sealed: Sized {
        /// The pixels of a decoded image, channels side by side; `None` when they have another type.
        fn of_image(image: DynamicImage) -> Option<Vec<Self>>;

        /// The numbers of a decoded strip or tile; `None` when they have another type.
        fn of_tiff(result: DecodingResult) -> Option<Vec<Self>>;

        /// The bytes of pixels, as this machine orders them.
        fn bytes(pixels: &[Self]) -> Vec<u8>;

        /// Writes rows of columns of channels as TIFF; `None` where no colors have so many channels of this type.
        fn write_tiff(
            pixels: &[Self],
            size: [u32; 2],
            channels: usize,
            to: impl Write + Seek,
        ) -> Option<TiffResult<()>>;
    }

    /// How images and strips are taken apart and put together. For `i16` it reads: no variant of `DynamicImage`,
    /// `DecodingResult::I16`, one channel is `GrayI16`.
    macro_rules! pixels {
        ($($t:ty: $image:expr, $tiff:expr, [$($channels:literal $color:ident),*];)*) => {$(
            impl Sealed for $t {
                fn of_image(image: DynamicImage) -> Option<Vec<$t>> {
                    let of_image: fn(DynamicImage) -> Option<Vec<$t>> = $image;
                    of_image(image)
                }

                fn of_tiff(result: DecodingResult) -> Option<Vec<$t>> {
                    let of_tiff: fn(DecodingResult) -> Option<Vec<$t>> = $tiff;
                    of_tiff(result)
                }

                fn bytes(pixels: &[$t]) -> Vec<u8> {
                    pixels.iter().flat_map(|pixel| pixel.to_ne_bytes()).collect()
                }

                fn write_tiff(
                    pixels: &[$t],
                    [rows, columns]: [u32; 2],
                    channels: usize,
                    to: impl Write + Seek,
                ) -> Option<TiffResult<()>> {
                    let encoder = TiffEncoder::new(to);
                    match channels {
                        $($channels => Some(encoder.and_then(|mut encoder| {
                            encoder.write_image::<colortype::$color>(columns, rows, pixels)
                        })),)*
                        _ => None,
                    }
                }
            }
        )*};
    }

    pixels! {
        u8: |image| match image {
            DynamicImage::ImageLuma8(image) => Some(image.into_raw()),
            DynamicImage::ImageLumaA8(image) => Some(image.into_raw()),
            DynamicImage::ImageRgb8(image) => Some(image.into_raw()),
            DynamicImage::ImageRgba8(image) => Some(image.into_raw()),
            _ => None,
        }, |result| if let DecodingResult::U8(values) = result { Some(values) } else { None },
            [1 Gray8, 3 RGB8, 4 RGBA8];
        u16: |image| match image {
            DynamicImage::ImageLuma16(image) => Some(image.into_raw()),
            DynamicImage::ImageLumaA16(image) => Some(image.into_raw()),
            DynamicImage::ImageRgb16(image) => Some(image.into_raw()),
            DynamicImage::ImageRgba16(image) => Some(image.into_raw()),
            _ => None,
        }, |result| if let DecodingResult::U16(values) = result { Some(values) } else { None },
            [1 Gray16, 3 RGB16, 4 RGBA16];
        f32: |image| match image {
            DynamicImage::ImageRgb32F(image) => Some(image.into_raw()),
            DynamicImage::ImageRgba32F(image) => Some(image.into_raw()),
            _ => None,
        }, |result| match result {
            DecodingResult::F32(values) => Some(values),
            DecodingResult::F16(values) => Some(values.into_iter().map(f32::from).collect()),
            _ => None,
        }, [1 Gray32Float, 3 RGB32Float, 4 RGBA32Float];
        u32: |_| None, |result| if let DecodingResult::U32(values) = result { Some(values) } else { None },
            [1 Gray32, 3 RGB32, 4 RGBA32];
        u64: |_| None, |result| if let DecodingResult::U64(values) = result { Some(values) } else { None },
            [1 Gray64, 3 RGB64, 4 RGBA64];
        i8: |_| None, |result| if let DecodingResult::I8(values) = result { Some(values) } else { None },
            [1 GrayI8];
        i16: |_| None, |result| if let DecodingResult::I16(values) = result { Some(values) } else { None },
            [1 GrayI16];
        i32: |_| None, |result| if let DecodingResult::I32(values) = result { Some(values) } else { None },
            [1 GrayI32];
        i64: |_| None, |result| if let DecodingResult::I64(values) = result { Some(values) } else { None },
            [1 GrayI64];
        f64: |_| None, |result| if let DecodingResult::F64(values) = result { Some(values) } else { None },
            [1 Gray64Float, 3 RGB64Float, 4 RGBA64Float];
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
