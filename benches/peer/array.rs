//! Arrays: A1, reductions of random numbers that are never held; A2 to A8, work on arrays that are in memory; A9, what
//! chunks cost of themselves.
//!
//! What is in memory is wrapped before the clock starts, as a program does that computes more than once; the chunks are
//! those of the other peers: 1,000,000 numbers, or 1000 × 1000.

use musher::array::linalg::Compression;
use musher::array::{Complex, Element, Interpolation, bin_edges, fft, random};
use musher::ndarray::{Array1, Array2, Ix0, Ix1, Ix2};
use musher::prelude::*;
use serde_json::{Value, json};

use crate::report::report;

/// Numbers in `[0, 1)` as the scripts make them: from the seed and the index alone.
fn numbers(n: usize, seed: u64) -> Vec<f64> {
    let number = |index: u64| {
        let x = index.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(seed << 40);
        let x = x.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((x ^ (x >> 31)) >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
    };
    (0..n as u64).map(number).collect()
}

fn line(n: usize, seed: u64) -> Array<f64, Ix1> {
    line_of(n, seed, |number| number)
}

/// The numbers in another type.
fn line_of<A: Element>(n: usize, seed: u64, become_one: impl Fn(f64) -> A) -> Array<A, Ix1> {
    Array::from_array(numbers(n, seed).into_iter().map(become_one).collect::<Array1<_>>(), 1_000_000)
}

/// How many numbers A2 and A8 work on.
fn length(size: &str) -> usize {
    match size {
        "small" => 5_000_000,
        "medium" => 50_000_000,
        _ => 200_000_000,
    }
}

fn matrix(rows: usize, columns: usize, seed: u64) -> Array<f64, Ix2> {
    let numbers = Array2::from_shape_vec((rows, columns), numbers(rows * columns, seed));
    Array::from_array(numbers.expect("as many as the shape says"), (1000, 1000))
}

/// Times one computation, whose checksum `pick` takes out of the answer.
fn time<C: Compute>(work: &C, pick: impl Fn(&C::Output) -> f64) {
    report(|| match work.compute() {
        Ok(answer) => (json!(pick(&answer)), Value::Null),
        Err(error) => panic!("{error}"),
    });
}

/// A1: `mean`, `std`, both at once (`mean_std`), or the sum of `x + x.t() - x.mean(axis 0)` (`xxt`).
pub(crate) fn random(operation: &str, size: &str) {
    let side = match size {
        "small" => 2_000,
        "medium" => 20_000,
        _ => 100_000,
    };
    report(|| {
        let x = random::uniform((side, side), (1000, 1000)).seed(1).build();
        let answer = match operation {
            "mean" => x.mean().compute().map(|mean| (mean * 1e5).round() / 1e5),
            "std" => x.std(0.0).compute(),
            "mean_std" => compute((&x.mean(), &x.std(0.0))).map(|(_, std)| std),
            _ => (&x + x.t() - x.mean_axis(Axis(0))).sum().compute(),
        };
        match answer {
            Ok(answer) => (json!(answer), Value::Null),
            Err(error) => panic!("{error}"),
        }
    });
}

/// A2: elementwise work on arrays in memory, kept or summed.
pub(crate) fn elementwise(operation: &str, size: &str) {
    let n = length(size);
    let middle = |answer: &Array1<f64>| answer[n / 2];
    let a = line(n, 1);
    if operation.starts_with("sincos") {
        let one = a.sin().powi(2) + a.cos().powi(2);
        return match operation {
            "sincos" => time(&one.sum(), |&sum| sum),
            _ => time(&one, middle),
        };
    }
    let (b, c) = (line(n, 2), line(n, 3));
    let product = &a * &b + &c;
    let choice = a.gt(0.5).select(&b, &c);
    match operation {
        "fma" => time(&product, middle),
        "fma_sum" => time(&product.sum(), |&sum| sum),
        "fma_persist" => report(|| match product.persist() {
            Ok(_) => (Value::Null, Value::Null),
            Err(error) => panic!("{error}"),
        }),
        "where" => time(&choice, middle),
        "where_sum" => time(&choice.sum(), |&sum| sum),
        _ => unknown(operation),
    }
}

/// A2, too: other element types (`f32_fma`, `i32_fma`, `c64_fma` of complex numbers; `cast`, bytes as `f32` from 0 to 1; `nan_sum`,
/// past every seventh number) and operands of two axes (`centered`, without the means of the columns; `turned`, with the
/// transposed matrix added), kept but for the sum.
pub(crate) fn elementwise_of_others(operation: &str, size: &str) {
    let n = length(size);
    let (rows, side) = if size == "small" { (1_000, 2_000) } else { (10_000, 7_000) };
    let middle = |answer: &Array1<f32>| f64::from(answer[n / 2]);
    match operation {
        "f32_fma" => {
            let [a, b, c] = [1, 2, 3].map(|seed| line_of(n, seed, |number| number as f32));
            time(&(&a * &b + &c), middle);
        }
        "i32_fma" => {
            let [a, b, c] = [1, 2, 3].map(|seed| line_of(n, seed, |number| (number * 1000.0) as i32));
            time(&(&a * &b + &c), |answer: &Array1<i32>| f64::from(answer[n / 2]));
        }
        "c64_fma" => {
            let [a, b, c] = [1, 2, 3].map(|seed| line_of(n, seed, |number| Complex::new(number, 0.0)));
            time(&(&a * &b + &c), |answer: &Array1<Complex<f64>>| answer[n / 2].re);
        }
        "nan_sum" => {
            let mut holes = numbers(n, 1);
            holes.iter_mut().step_by(7).for_each(|number| *number = f64::NAN);
            let x = Array::from_array(Array1::from(holes), 1_000_000);
            time(&x.over(All).skip_nan().sum(), |&sum| sum);
        }
        "cast" => {
            let bytes = line_of(n, 1, |number| (number * 256.0) as u8);
            time(&(bytes.cast::<f32>() * (1.0 / 255.0)), middle);
        }
        "centered" => {
            let x = matrix(rows, 5_000, 1);
            time(&(&x - x.mean_axis(Axis(0))), |answer| answer[(rows - 1, 4_999)]);
        }
        "turned" => {
            let x = matrix(side, side, 1);
            time(&(&x + x.t()), |answer| answer[(side / 2, side / 3)]);
        }
        _ => unknown(operation),
    }
}

/// A3: reductions and running totals of an array in memory.
pub(crate) fn reduction(operation: &str, size: &str) {
    let rows = if size == "small" { 1_000 } else { 10_000 };
    let x = matrix(rows, 5_000, 1);
    let last_of = |answer: &Array1<f64>| answer[answer.len() - 1];
    match operation {
        "sum0" => time(&x.sum_axis(Axis(0)), last_of),
        "sum1" => time(&x.sum_axis(Axis(1)), last_of),
        "max" => time(&x.over(All).max(), |&max| max),
        "var" => time(&x.var(0.0), |&var| var),
        "std0" => time(&x.std_axis(Axis(0), 0.0), last_of),
        "argmax0" => time(&x.over(Axis(0)).argmax(), |answer| answer[answer.len() - 1] as f64),
        "argmax1" => time(&x.over(Axis(1)).argmax(), |answer| answer[answer.len() - 1] as f64),
        "cumsum0" => time(&x.cumsum(Axis(0)), |answer| answer[(rows - 1, 4_999)]),
        "cumsum1" => time(&x.cumsum(Axis(1)), |answer| answer[(rows - 1, 4_999)]),
        _ => unknown(operation),
    }
}

/// A4: the product of two square matrices (`matmul`); both factors of a matrix of 50 columns (`ts_qr`) and all three of its
/// singular value decomposition (`ts_svd`); the ten largest singular values of a noisy matrix of rank ten (`svd_compressed`).
pub(crate) fn algebra(operation: &str, size: &str) {
    let is_small = size == "small";
    let tall = || {
        let n = if is_small { 100_000 } else { 1_000_000 };
        let numbers = Array2::from_shape_vec((n, 50), numbers(n * 50, 1)).expect("as many as the shape says");
        Array::from_array(numbers, (n / 20, 50))
    };
    match operation {
        "matmul" => {
            let side = if is_small { 1_000 } else { 4_000 };
            time(&matrix(side, side, 1).dot(&matrix(side, side, 2)), |answer| answer[(side / 2, side / 2)]);
        }
        "ts_qr" => {
            let (q, r) = tall().qr();
            report(|| match compute((&q, &r)) {
                Ok((_, r)) => (json!(r[(49, 49)].abs()), Value::Null),
                Err(error) => panic!("{error}"),
            });
        }
        "ts_svd" => {
            let (u, sigma, vt) = tall().svd();
            report(|| match compute((&u, &sigma, &vt)) {
                Ok((_, sigma, _)) => (json!(sigma[0]), Value::Null),
                Err(error) => panic!("{error}"),
            });
        }
        "svd_compressed" => {
            let (rows, columns) = if is_small { (4_000, 1_000) } else { (20_000, 5_000) };
            let part = |rows, columns, seed| {
                let numbers = Array2::from_shape_vec((rows, columns), numbers(rows * columns, seed));
                numbers.expect("as many as the shape says") - 0.5
            };
            let weights = Array1::from_iter((1..=10).rev().map(f64::from));
            let noisy = part(rows, columns, 1) + (part(rows, 10, 77) * &weights).dot(&part(10, columns, 78));
            let x = Array::from_array(noisy, (1000, 1000));
            let sigma = x.svd_compressed(10, Compression::default().power_iterations(2)).1;
            time(&sigma, |sigma| (sigma[0] * 100.0).round() / 100.0);
        }
        _ => unknown(operation),
    }
}

/// A7: the Fourier transform of each row (`rows`), or along both axes (`fft2`).
pub(crate) fn fourier(operation: &str, size: &str) {
    let n = if size == "small" { 1_024 } else { 4_096 };
    let complex = |rows, columns, chunks: (usize, usize)| {
        let numbers = numbers(rows * columns, 1).into_iter().map(|number| Complex::new(number, 0.0));
        let numbers = Array2::from_shape_vec((rows, columns), numbers.collect());
        Array::from_array(numbers.expect("as many as the shape says"), chunks)
    };
    match operation {
        "rows" => match fft::fft(&complex(n, 4 * n, (128, 4 * n)), Axis(1)) {
            Ok(work) => time(&work, |answer| answer[(n / 2, 3)].norm()),
            Err(error) => panic!("{error}"),
        },
        "fft2" => match fft::fft2(&complex(n, n, (256, n)), [Axis(0), Axis(1)]) {
            Ok(work) => time(&work, |answer| answer[(3, 5)].norm()),
            Err(error) => panic!("{error}"),
        },
        _ => unknown(operation),
    }
}

/// A6: the mean of each element and its four neighbors, by slices; the border stays.
pub(crate) fn stencil(size: &str) {
    let side = if size == "small" { 2_000 } else { 7_000 };
    let x = matrix(side, side, 1);
    let part = |rows, columns| x.slice(s![rows, columns]);
    let (inner, end) = (1..side - 1, side);
    let sum = part(inner.clone(), inner.clone())
        + part(0..end - 2, inner.clone())
        + part(2..end, inner.clone())
        + part(inner.clone(), 0..end - 2)
        + part(inner.clone(), 2..end);
    time(&(sum * 0.2), |answer| answer[(side / 2 - 1, side / 2 - 1)]);
}

/// A8: three exact percentiles, the counts of a thousand bins, the number of distinct integers, the hundred largest, and all in
/// order.
pub(crate) fn order(operation: &str, size: &str) {
    let n = length(size);
    match operation {
        "percentile" => {
            let shares = line(n, 1).percentiles(&[1.0, 50.0, 99.0], Interpolation::Linear);
            time(&shares, |shares| shares[1]);
        }
        "histogram" => time(&line(n, 1).histogram(&bin_edges(0.0, 1.0, 1000)), |counts| counts[7] as f64),
        "unique" => {
            let whole = line_of(n, 1, |number| (number * 1e6) as i64);
            time(&whole.unique().len(), |&n| n as f64);
        }
        "topk" => time(&line(n, 1).topk(100, Axis(0)), |largest| largest.iter().sum()),
        "sort" => time(&line(n, 1).sort(Axis(0)), |sorted| sorted[n / 3]),
        _ => unknown(operation),
    }
}

/// A9: what chunks cost of themselves. `tiny`: numbers made, scaled and summed, 100 in a chunk; `turned`: the sum of
/// `x + x.t() - x.mean(axis 0)` in chunks of 10 × 10; `chunks_<n>`: the sum of `a * b + c`, as long as those of A2 and
/// `n` in a chunk; `latency`: a thousand times `compute()` of 10,000 numbers in memory.
pub(crate) fn overhead(operation: &str, size: &str) {
    let n_chunks = match size {
        "small" => 10_000,
        "medium" => 100_000,
        _ => 1_000_000,
    };
    let side = 10 * (n_chunks as f64).sqrt().round() as usize;
    match operation {
        "tiny" => per_chunk(n_chunks, || (random::uniform(100 * n_chunks, 100).seed(1).build() * 2.0).sum()),
        "turned" => per_chunk((side / 10) * (side / 10), || {
            let x = random::uniform((side, side), (10, 10)).seed(1).build();
            (&x + x.t() - x.mean_axis(Axis(0))).sum()
        }),
        "latency" => {
            let sum = (line(10_000, 1) * 2.0).sum();
            report(|| match (0..1_000).try_fold(0.0, |_, _| sum.compute()) {
                Ok(sum) => (json!(sum), Value::Null),
                Err(error) => panic!("{error}"),
            });
        }
        _ => match operation.strip_prefix("chunks_").and_then(|text| text.parse().ok()) {
            Some(in_chunk) => summed_in_chunks(length(size), in_chunk),
            None => unknown(operation),
        },
    }
}

/// Times the sum of `a * b + c` where so many numbers are in a chunk.
fn summed_in_chunks(n: usize, in_chunk: usize) {
    let [a, b, c] = [1, 2, 3].map(|seed| Array::from_array(Array1::from(numbers(n, seed)), in_chunk));
    per_chunk(n.div_ceil(in_chunk), || (&a * &b + &c).sum());
}

/// Times building and computing a number, and says over how many chunks.
fn per_chunk(n_chunks: usize, build: impl Fn() -> Array<f64, Ix0>) {
    report(|| match build().compute() {
        Ok(answer) => (json!(answer), json!({ "chunks": n_chunks })),
        Err(error) => panic!("{error}"),
    });
}

fn unknown(operation: &str) {
    eprintln!("peer: musher has no operation {operation}");
    std::process::exit(2);
}
