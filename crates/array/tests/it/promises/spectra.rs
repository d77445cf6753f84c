//! The promises of Fourier transforms.

use super::{read, row, x};
use musher_array::fft::{self, Transform};
use musher_array::ndarray::{Axis, Ix2};
use musher_array::{All, Array, Complex};
use musher_testkit::{Cases, Size};

/// Complex numbers of the data's size.
fn spectrum(size: Size) -> Array<Complex<f64>, Ix2> {
    let (n, block) = size.square::<Complex<f64>>();
    Array::from_shape_fn((n, n), block, |(i, j)| {
        Complex::new(((i * 31 + j * 17) % 97) as f64, ((i + j) % 9) as f64)
    })
}

pub(super) fn fourier(cases: &mut Cases) {
    made!(cases, size;
        "fft" => fft::fft(&spectrum(size), Axis(0)).unwrap(),
        "ifft Transform::of" => fft::ifft(&spectrum(size), Transform::of(Axis(1))).unwrap(),
        "fft2" => fft::fft2(&spectrum(size), [Axis(0), Axis(1)]).unwrap(),
        "ifft2" => fft::ifft2(&spectrum(size), [Axis(1), Axis(0)]).unwrap(),
        "fftn" => fft::fftn(&x(size), All).unwrap(),
        "ifftn" => fft::ifftn(&x(size).cast::<f32>(), All).unwrap(),
        "rfft" => fft::rfft(&x(size), Axis(0)).unwrap(),
        "irfft Transform::lengths" => fft::irfft(&spectrum(size), Transform::of(Axis(0)).lengths([100])).unwrap(),
        "rfft2" => fft::rfft2(&x(size), [Axis(0), Axis(1)]).unwrap(),
        "irfft2" => fft::irfft2(&spectrum(size), [Axis(0), Axis(1)]).unwrap(),
        "rfftn" => fft::rfftn(&x(size), All).unwrap(),
        "irfftn" => fft::irfftn(&spectrum(size), All).unwrap(),
        "hfft Transform::norm" => fft::hfft(&spectrum(size), Transform::of(Axis(1)).norm(fft::Norm::Ortho)).unwrap(),
        "ihfft" => fft::ihfft(&x(size), Axis(1)).unwrap(),
        "fftshift" => fft::fftshift(&x(size), Axis(0)).unwrap(),
        "ifftshift" => fft::ifftshift(&row(size), All).unwrap(),
        "fftfreq" => fft::fftfreq(size.elements::<f64>(), 0.5, size.chunk::<f64>()).unwrap(),
        "rfftfreq" => fft::rfftfreq(2 * size.elements::<f64>() - 2, 0.5, size.chunk::<f64>()).unwrap(),
    );
}
