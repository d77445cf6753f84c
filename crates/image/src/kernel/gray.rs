//! From three channels to one.

use musher_array::kernel::memory::{OutOfMemory, zeros};
use num_traits::AsPrimitive;
use pulp::{Arch, NullaryFnOnce};

/// The weights of red, green and blue in a gray value.
///
/// # Examples
///
/// ```
/// use musher_image::GrayWeights;
/// assert_eq!(GrayWeights::default(), GrayWeights::REC_709);
/// assert_eq!(GrayWeights::from([0.299, 0.587, 0.114]), GrayWeights::REC_601);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct GrayWeights {
    /// Weight of red.
    pub red: f64,
    /// Weight of green.
    pub green: f64,
    /// Weight of blue.
    pub blue: f64,
}

impl GrayWeights {
    /// 0.2125, 0.7154, 0.0721: those of today's screens, which scikit-image's `rgb2gray` uses.
    pub const REC_709: GrayWeights = GrayWeights { red: 0.2125, green: 0.7154, blue: 0.0721 };
    /// 0.299, 0.587, 0.114: those of analog television, which OpenCV and Pillow use.
    pub const REC_601: GrayWeights = GrayWeights { red: 0.299, green: 0.587, blue: 0.114 };
    /// A third of each: the plain mean of the channels.
    pub const EQUAL: GrayWeights = GrayWeights { red: 1.0 / 3.0, green: 1.0 / 3.0, blue: 1.0 / 3.0 };
}

impl Default for GrayWeights {
    fn default() -> GrayWeights {
        GrayWeights::REC_709
    }
}

/// Weights of red, green and blue.
impl From<[f64; 3]> for GrayWeights {
    fn from([red, green, blue]: [f64; 3]) -> GrayWeights {
        GrayWeights { red, green, blue }
    }
}

/// The conversion of a run of pixels, compiled per instruction set.
struct Convert<'a, A> {
    pixels: &'a [A],
    gray: &'a mut [f64],
    weights: GrayWeights,
}

impl<A: AsPrimitive<f64>> NullaryFnOnce for Convert<'_, A> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let GrayWeights { red, green, blue } = self.weights;
        for (gray, pixel) in self.gray.iter_mut().zip(self.pixels.chunks_exact(3)) {
            *gray = pixel[0].as_() * red + pixel[1].as_() * green + pixel[2].as_() * blue;
        }
    }
}

/// The gray values of pixels whose three channels lie side by side.
pub(crate) fn gray<A: AsPrimitive<f64>>(pixels: &[A], weights: GrayWeights) -> Result<Vec<f64>, OutOfMemory> {
    let mut gray = zeros(pixels.len() / 3)?;
    Arch::new().dispatch(Convert { pixels, gray: &mut gray, weights });
    Ok(gray)
}

#[cfg(test)]
mod tests {
    use super::{GrayWeights, gray};

    #[test]
    fn weights_meet_their_channels() {
        let pixels = [255_u8, 0, 0, 0, 100, 0, 0, 0, 10];
        assert_eq!(
            gray(&pixels, GrayWeights::REC_709).unwrap(),
            [255.0 * 0.2125, 100.0 * 0.7154, 10.0 * 0.0721]
        );
        assert_eq!(gray(&[1.0_f32, 1.0, 1.0], GrayWeights::REC_601).unwrap(), [0.299 + 0.587 + 0.114]);
        assert!(gray::<u16>(&[], GrayWeights::EQUAL).unwrap().is_empty());
    }
}
