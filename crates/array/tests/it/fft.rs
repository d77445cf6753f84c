//! Fourier transforms as NumPy has them, for several ways to cut the inputs.

use crate::blocks::answer;
use crate::cases::{Case, cases_of};
use musher_array::fft::{self, ComplexSample, Norm, RealSample, Sample, Transform};
use musher_array::ndarray::{Array1, Array2, ArrayD, Axis, Ix2, IxDyn, arr1};
use musher_array::{All, Array, Complex, Element, Error};
use musher_scheduler::Compute;
use musher_testkit::Random;

/// Block lengths along every axis.
const CUTS: [usize; 3] = [300, 1, 3];

/// Units in the last place of the largest element of an answer. Both sides round at each of their steps, which differ.
const UNITS: f64 = 12.0;

type X<A> = Array<A, IxDyn>;

fn transform(case: &Case) -> Transform {
    let axes: Vec<Axis> = case.numbers("axis").into_iter().map(Axis).collect();
    let norm = match case.parameter("norm").as_str().unwrap() {
        "backward" => Norm::Backward,
        "ortho" => Norm::Ortho,
        _ => Norm::Forward,
    };
    let transform = Transform::of(&axes[..]).norm(norm);
    match case.numbers("lengths") {
        lengths if lengths.is_empty() => transform,
        lengths => transform.lengths(lengths),
    }
}

/// The largest difference to the answer of NumPy, in units in the last place of its largest element.
#[track_caller]
fn check<A: Element, B: Element>(
    case: &Case,
    found: &X<A>,
    precision: f64,
    size: impl Fn(A, B) -> (f64, f64),
) -> f64 {
    let (found, want): (ArrayD<A>, ArrayD<B>) = (answer(found), case.want());
    assert_eq!(found.shape(), want.shape(), "{}", case.name());
    let pairs = found.iter().zip(&want).map(|(&a, &b)| size(a, b));
    let (error, scale) = pairs.fold((0.0_f64, 0.0_f64), |(e, s), (error, size)| (e.max(error), s.max(size)));
    let units = error / (scale * precision).max(f64::MIN_POSITIVE);
    assert!(units <= UNITS, "{}: off by {units} units in the last place", case.name());
    units
}

fn complex(case: &Case, found: Result<X<Complex<f64>>, Error>) -> f64 {
    check::<Complex<f64>, Complex<f64>>(case, &found.unwrap(), f64::EPSILON, |a, b| {
        ((a - b).norm(), b.norm())
    })
}

fn real(case: &Case, found: Result<X<f64>, Error>) -> f64 {
    check::<f64, f64>(case, &found.unwrap(), f64::EPSILON, |a, b| ((a - b).abs(), b.abs()))
}

/// The operations that take numbers of any kind.
fn of_any<A: Sample>(case: &Case, x: &X<A>) -> Option<Result<X<A::Spectrum>, Error>> {
    let transform = transform(case);
    Some(match case.operation() {
        "fft" => fft::fft(x, transform),
        "ifft" => fft::ifft(x, transform),
        "fft2" => fft::fft2(x, transform),
        "ifft2" => fft::ifft2(x, transform),
        "fftn" => fft::fftn(x, transform),
        "ifftn" => fft::ifftn(x, transform),
        _ => return None,
    })
}

fn to_half<A: RealSample>(case: &Case, x: &X<A>) -> Result<X<A::Spectrum>, Error> {
    let transform = transform(case);
    match case.operation() {
        "rfft" => fft::rfft(x, transform),
        "rfft2" => fft::rfft2(x, transform),
        "rfftn" => fft::rfftn(x, transform),
        "ihfft" => fft::ihfft(x, transform),
        other => panic!("nobody reads the cases of {other}"),
    }
}

fn to_real<A: ComplexSample>(case: &Case, x: &X<A>) -> Result<X<A::Real>, Error> {
    let transform = transform(case);
    match case.operation() {
        "irfft" => fft::irfft(x, transform),
        "irfft2" => fft::irfft2(x, transform),
        "irfftn" => fft::irfftn(x, transform),
        "hfft" => fft::hfft(x, transform),
        other => panic!("nobody reads the cases of {other}"),
    }
}

/// The frequencies and shifts, whose answers are exact.
fn exact(case: &Case, cut: usize) -> bool {
    let spacing = || case.parameter("spacing").as_f64().unwrap();
    let axes = || case.numbers("axis").into_iter().map(Axis).collect::<Vec<_>>();
    let found = match case.operation() {
        "fftfreq" => fft::fftfreq(case.number("n") as usize, spacing(), cut).unwrap().into_dyn(),
        "rfftfreq" => fft::rfftfreq(case.number("n") as usize, spacing(), cut).unwrap().into_dyn(),
        "fftshift" => fft::fftshift(&case.load::<f64>(0, cut), &axes()[..]).unwrap(),
        "ifftshift" => fft::ifftshift(&case.load::<f64>(0, cut), &axes()[..]).unwrap(),
        _ => return false,
    };
    assert_eq!(answer(&found), case.want::<f64>(), "{}", case.name());
    true
}

#[test]
fn transforms_are_those_of_numpy() {
    let (mut worst, mut worst_single) = (0.0_f64, 0.0_f64);
    for case in cases_of("array_fft") {
        for cut in CUTS {
            if exact(&case, cut) {
                continue;
            }
            if case.input(0).starts_with("complex") {
                let x: X<Complex<f64>> = case.load(0, cut);
                let found = of_any(&case, &x);
                worst = worst.max(match found {
                    Some(found) => complex(&case, found),
                    None => real(&case, to_real(&case, &x)),
                });
                if let Some(found) = of_any(&case, &x.cast::<Complex<f32>>()) {
                    worst_single = worst_single.max(single(&case, &found.unwrap()));
                } else {
                    let found = to_real(&case, &x.cast::<Complex<f32>>()).unwrap();
                    let size = |a: f32, b: f64| ((f64::from(a) - b).abs(), b.abs());
                    worst_single =
                        worst_single.max(check::<f32, f64>(&case, &found, f64::from(f32::EPSILON), size));
                }
            } else {
                let x: X<f64> = case.load(0, cut);
                worst = worst.max(complex(&case, of_any(&case, &x).unwrap_or_else(|| to_half(&case, &x))));
                let x = x.cast::<f32>();
                let found = of_any(&case, &x).unwrap_or_else(|| to_half(&case, &x));
                worst_single = worst_single.max(single(&case, &found.unwrap()));
            }
        }
    }
    println!("units in the last place: f64 {worst}, f32 {worst_single}");
}

fn single(case: &Case, found: &X<Complex<f32>>) -> f64 {
    let wide = |z: Complex<f32>| Complex::new(f64::from(z.re), f64::from(z.im));
    let size = |a: Complex<f32>, b: Complex<f64>| ((wide(a) - b).norm(), b.norm());
    check::<Complex<f32>, Complex<f64>>(case, found, f64::from(f32::EPSILON), size)
}

/// A transform by its definition.
fn naive(x: &[Complex<f64>]) -> Vec<Complex<f64>> {
    let n = x.len();
    let turn = |k: usize, j: usize| {
        let angle = -std::f64::consts::TAU * ((k * j) % n) as f64 / n as f64;
        Complex::new(angle.cos(), angle.sin())
    };
    (0..n).map(|k| x.iter().enumerate().map(|(j, x)| x * turn(k, j)).sum()).collect()
}

#[test]
fn every_length_is_transformed_by_its_definition() {
    let mut random = Random::new(5);
    let lengths = (1_usize..70).chain([127, 128, 243, 257, 512, 1009, 1024]);
    for n in lengths {
        let x: Vec<Complex<f64>> =
            (0..n).map(|_| Complex::new(random.below(200) as f64 - 100.0, random.below(9) as f64)).collect();
        let want = naive(&x);
        let lazy = Array::from_array(Array1::from_vec(x.clone()), n.div_ceil(3));
        let found = fft::fft(&lazy, Axis(0)).unwrap().compute().unwrap();
        let size: f64 = x.iter().map(|x| x.norm()).sum();
        // The definition itself is off by as many roundings as there are elements.
        let near = |a: &Complex<f64>, b: &Complex<f64>| {
            (a - b).norm() <= 4.0 * f64::EPSILON * size * (n as f64).sqrt()
        };
        assert!(found.iter().zip(&want).all(|(a, b)| near(a, b)), "{n}");
        let back = fft::ifft(&fft::fft(&lazy, Axis(0)).unwrap(), Axis(0)).unwrap().compute().unwrap();
        assert!(back.iter().zip(&x).all(|(a, b)| near(a, b)), "{n}");
        let parts = lazy.re();
        let half = fft::rfft(&parts, Axis(0)).unwrap();
        let there = fft::irfft(&half, Transform::of(Axis(0)).lengths([n])).unwrap().compute().unwrap();
        assert!(there.iter().zip(&x).all(|(a, b)| (a - b.re).abs() <= 4.0 * f64::EPSILON * size), "{n}");
    }
}

#[test]
fn bits_are_equal_whatever_the_blocks() {
    let mut random = Random::new(9);
    let whole = Array2::from_shape_fn((30, 42), |_| {
        Complex::new(random.below(999) as f64 / 7.0, random.below(999) as f64)
    });
    for transform in [Transform::of(Axis(0)), Transform::of(Axis(1)), Transform::of(Axis(0)).lengths([37])] {
        let of = |x: &Array<Complex<f64>, Ix2>| {
            let found = fft::fft(x, transform.clone()).unwrap();
            found.compute().unwrap().mapv(|z| (z.re.to_bits(), z.im.to_bits()))
        };
        let want = of(&Array::from_array(whole.clone(), 100));
        for cut in [1, 5, 11, 30] {
            let x = Array::from_array(whole.clone(), cut);
            assert_eq!(of(&x), want, "{cut}");
            // A block that nobody else holds is transformed in its place; others may lie in another order.
            assert_eq!(of(&(&x + Complex::new(0.0, 0.0))), want, "{cut}");
            assert_eq!(of(&Array::from_array(whole.t().to_owned(), cut).t()), want, "{cut}");
        }
    }
}

#[test]
fn hostile_numbers_and_shapes() {
    let x = Array::from_array(arr1(&[1.0, f64::NAN, 2.0]), 2);
    assert!(fft::fft(&x, Axis(0)).unwrap().compute().unwrap().iter().all(|z| z.re.is_nan()));
    let x = Array::from_array(arr1(&[1e308, 1e308, f64::INFINITY]), 1);
    assert!(fft::rfft(&x, Axis(0)).unwrap().compute().unwrap().iter().all(|z| !z.is_finite()));
    let none = Array::<f64, _>::zeros((0, 4), 2);
    assert_eq!(fft::fft(&none, Axis(1)).unwrap().compute().unwrap().shape(), [0, 4]);
    assert!(matches!(fft::fft(&none, Axis(0)), Err(Error::Arrangement { .. })));
    let padded = fft::fft(&none, Transform::of(Axis(0)).lengths([3])).unwrap().compute().unwrap();
    assert_eq!(padded, Array2::<Complex<f64>>::zeros((3, 4)));
    // A large prime, whose transform is made by one of more than twice the length.
    let n = 65_537;
    let x = Array::from_shape_fn(n, 10_000, |i| ((i * 7919) % 1000) as f64);
    let there = fft::fft(&x, Axis(0)).unwrap();
    let back = fft::ifft(&there, Axis(0)).unwrap().re();
    // The largest of its numbers is the sum of all, and every number is off by a rounding of that.
    let sum = x.sum().compute().unwrap();
    assert!((back - &x).abs().max().compute().unwrap() <= 4.0 * f64::EPSILON * sum);
}

#[test]
fn what_shapes_refuse_is_told() {
    let x = Array::<f64, _>::zeros((3, 4), 2);
    assert!(matches!(fft::fft(&x, Axis(2)), Err(Error::Axis { .. })));
    assert!(matches!(fft::fft(&x, [Axis(0), Axis(1)]), Err(Error::Arrangement { .. })));
    assert!(matches!(fft::fft2(&x, Axis(0)), Err(Error::Arrangement { .. })));
    assert!(matches!(fft::fftn(&x, [Axis(0), Axis(0)]), Err(Error::Arrangement { .. })));
    assert!(matches!(fft::fft(&x, Transform::of(Axis(0)).lengths([0])), Err(Error::Arrangement { .. })));
    assert!(matches!(fft::fft2(&x, Transform::of(All).lengths([4])), Err(Error::Arrangement { .. })));
    let huge = Transform::of(Axis(0)).lengths([usize::MAX / 2]);
    assert!(matches!(fft::fft(&x, huge), Err(Error::TooLarge { .. })));
    assert!(matches!(fft::fftfreq(0, 1.0, 1), Err(Error::Arrangement { .. })));
    assert!(matches!(fft::rfftfreq(3, 0.0, 1), Err(Error::Arrangement { .. })));
    assert!(matches!(fft::fftshift(&x, Axis(5)), Err(Error::Axis { .. })));
    let one = Array::<Complex<f64>, _>::zeros(1, 1);
    assert!(
        matches!(fft::irfft(&one, Axis(0)), Err(Error::Arrangement { .. })),
        "a single frequency is no points"
    );
}
