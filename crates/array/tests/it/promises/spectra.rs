//! The promises of Fourier transforms, random laws, tests of hypotheses and masked arrays.

use super::{read, row, x, y};
use musher_array::fft::{self, Transform};
use musher_array::masked::{self, MaskedArray};
use musher_array::ndarray::{Axis, Ix2};
use musher_array::{All, Array, Complex, Over, random, stats};
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
        "rfftn" => fft::rfftn(&x(size), All).unwrap(),
        "hfft Transform::norm" => fft::hfft(&spectrum(size), Transform::of(Axis(1)).norm(fft::Norm::Ortho)).unwrap(),
        "ihfft" => fft::ihfft(&x(size), Axis(1)).unwrap(),
        "fftshift" => fft::fftshift(&x(size), Axis(0)).unwrap(),
        "ifftshift" => fft::ifftshift(&row(size), All).unwrap(),
        "fftfreq" => fft::fftfreq(size.elements::<f64>(), 0.5, size.chunk::<f64>()).unwrap(),
        "rfftfreq" => fft::rfftfreq(2 * size.elements::<f64>() - 2, 0.5, size.chunk::<f64>()).unwrap(),
    );
    const LONGER: &str = "lines of the answer are twice as long as those that are read, and both are held";
    made!(cases, size; "irfft2" => fft::irfft2(&spectrum(size), [Axis(0), Axis(1)]).unwrap());
    cases.refused(LONGER);
    made!(cases, size; "irfftn" => fft::irfftn(&spectrum(size), All).unwrap());
    cases.refused(LONGER);
}

pub(super) fn laws(cases: &mut Cases) {
    fn shape(size: Size) -> (usize, usize) {
        let (n, _) = size.square::<f64>();
        (n, n)
    }
    fn block(size: Size) -> usize {
        size.square::<f64>().1
    }
    macro_rules! drawn {
        ($($name:ident($($parameter:expr),*)),* $(,)?) => {
            $(cases.add(stringify!($name), |size, options| {
                read(&random::$name($($parameter,)* shape(size), block(size)).unwrap().seed(2).build(), options)
            });)*
        };
    }
    drawn!(
        gamma(2.0),
        beta(0.5, 3.0),
        lognormal(0.0, 1.0),
        chisquare(3.0),
        student_t(4.0),
        fisher_f(3.0, 7.0)
    );
    drawn!(
        weibull(2.0),
        pareto(3.0),
        power(2.0),
        triangular(0.0, 1.0, 3.0),
        von_mises(0.0, 2.0),
        wald(1.0, 2.0)
    );
    drawn!(
        noncentral_chisquare(2.0, 1.0),
        noncentral_f(3.0, 7.0, 1.0),
        poisson(30.0),
        binomial(100, 0.3),
        geometric(0.1)
    );
    drawn!(negative_binomial(3.0, 0.4), hypergeometric(40, 60, 30), zipf(2.5), logseries(0.5));
    drawn!(choice(100), choice_weighted(&[1.0, 2.0, 3.0]), choice_distinct(1 << 40));
    made!(cases, size;
        "rayleigh" => random::rayleigh(shape(size), block(size)).seed(1).build(),
        "laplace" => random::laplace(shape(size), block(size)).seed(1).build(),
        "logistic" => random::logistic(shape(size), block(size)).seed(1).build(),
        "gumbel" => random::gumbel(shape(size), block(size)).seed(1).build(),
        "cauchy" => random::cauchy(shape(size), block(size)).seed(1).build(),
        "permutation" => random::permutation(size.elements::<u64>(), size.chunk::<u64>()).unwrap().seed(1).build(),
        "Array::shuffle" => x(size).shuffle(Axis(0), 5),
    );
}

/// A test of the columns of a matrix, its statistic and probability added.
macro_rules! tested {
    ($cases:ident; $($name:literal => |$x:ident, $y:ident| $test:expr),* $(,)?) => {
        $($cases.add($name, |size, options| {
            let ($x, $y) = (x(size), y(size));
            let found = $test.unwrap();
            read(&(found.statistic + found.p_value), options)
        });)*
    };
}

pub(super) fn hypotheses(cases: &mut Cases) {
    fn columns(x: &Array<f64, Ix2>) -> Over<'_, f64, Ix2, musher_array::ndarray::Ix1> {
        x.over(Axis(0))
    }
    tested!(cases;
        "ttest_1samp" => |x, _y| stats::ttest_1samp(columns(&x), 40.0),
        "ttest_ind" => |x, y| stats::ttest_ind(columns(&x), columns(&y)),
        "ttest_welch" => |x, y| stats::ttest_welch(columns(&x), columns(&y)),
        "ttest_rel" => |x, y| stats::ttest_rel(columns(&x), &y),
        "f_oneway" => |x, y| stats::f_oneway(&[columns(&x), columns(&y)]),
        "skewtest" => |x, _y| stats::skewtest(columns(&x)),
        "kurtosistest" => |x, _y| stats::kurtosistest(columns(&x)),
        "normaltest" => |x, _y| stats::normaltest(columns(&x)),
        "jarque_bera" => |x, _y| stats::jarque_bera(columns(&x)),
        "chisquare" => |x, y| stats::chisquare(columns(&x), Some(&y), 0.0),
        "power_divergence" => |x, _y| stats::power_divergence(columns(&x), None, 0.0, 0.0),
    );
    made!(cases, size;
        "skew" => stats::skew(columns(&x(size))).unwrap(),
        "skew_unbiased" => stats::skew_unbiased(columns(&x(size))).unwrap(),
        "kurtosis" => stats::kurtosis(x(size).over(Axis(1))).unwrap(),
        "kurtosis_unbiased" => stats::kurtosis_unbiased(columns(&x(size))).unwrap(),
    );
}

pub(super) fn masks(cases: &mut Cases) {
    fn known(size: Size) -> MaskedArray<f64, Ix2> {
        masked::masked_greater(&x(size), 60.0)
    }
    made!(cases, size;
        "MaskedArray::new MaskedArray::filled MaskedArray::data MaskedArray::mask" => MaskedArray::new(&x(size), &y(size).gt(40.0)).unwrap().filled(1.0),
        "masked_where" => masked::masked_where(&y(size).gt(40.0), &x(size)).unwrap().filled(1.0),
        "masked_equal" => masked::masked_equal(&x(size), 3.5).filled(1.0),
        "masked_not_equal" => masked::masked_not_equal(&x(size), 3.5).filled(1.0),
        "masked_greater" => known(size).filled(1.0),
        "masked_greater_equal" => masked::masked_greater_equal(&x(size), 3.5).filled(1.0),
        "masked_less" => masked::masked_less(&x(size), 3.5).filled(1.0),
        "masked_less_equal" => masked::masked_less_equal(&x(size), 3.5).filled(1.0),
        "masked_inside" => masked::masked_inside(&x(size), 3.5, 9.0).filled(1.0),
        "masked_outside" => masked::masked_outside(&x(size), 3.5, 9.0).filled(1.0),
        "masked_values" => masked::masked_values(&x(size), 3.5, 0.1, 0.0).filled(1.0),
        "masked_invalid" => masked::masked_invalid(&x(size)).filled(1.0),
        "fix_invalid" => masked::fix_invalid(&x(size), 1.0).filled(2.0),
        "MaskedArray::map" => known(size).map(|data| data.sqrt()).unwrap().filled(1.0),
        "MaskedArray::zip MaskedArray::add MaskedArray::sub" => (&(&known(size) + &known(size)) - 1.0).filled(1.0),
        "MaskedArray::mul MaskedArray::div MaskedArray::neg" => (&(&-&known(size) * 2.0) / &known(size)).filled(1.0),
        "MaskedArray::over" => known(size).over(Axis(0)).unwrap().sum(),
        "MaskedArray::count" => known(size).count(Axis(1)).unwrap(),
        "MaskedArray::sum" => known(size).sum(Axis(0)).unwrap().filled(0.0),
        "MaskedArray::mean" => known(size).mean(Axis(1)).unwrap().filled(0.0),
        "MaskedArray::product" => known(size).product(Axis(0)).unwrap().filled(0.0),
        "MaskedArray::min" => known(size).min(Axis(0)).unwrap().filled(0.0),
        "MaskedArray::max" => known(size).max(Axis(1)).unwrap().filled(0.0),
        "MaskedArray::var" => known(size).var(Axis(0), 1.0).unwrap().filled(0.0),
        "MaskedArray::std" => known(size).std(Axis(0), 0.0).unwrap().filled(0.0),
    );
}
