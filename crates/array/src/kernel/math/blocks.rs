//! The loop over slices: blocks of a fixed length, so that nothing is left over for code of its own.

use super::angle::is_far;

/// Elements that are worked on at once.
const BLOCK: usize = 128;

/// `outputs[..][i] = f(inputs[..][i])`.
#[inline(always)]
pub(super) fn plain<const I: usize, const O: usize>(
    inputs: [&[f64]; I],
    outputs: [&mut [f64]; O],
    f: impl Fn([f64; I]) -> [f64; O],
) {
    blocks(
        inputs,
        outputs,
        f,
        #[inline(always)]
        |_| false,
        #[inline(always)]
        |_| [f64::NAN; O],
    );
}

/// The same of angles: `near` of those that a vector can reduce, `far` of the others.
#[inline(always)]
pub(super) fn angles<const O: usize>(
    inputs: [&[f64]; 1],
    outputs: [&mut [f64]; O],
    near: impl Fn([f64; 1]) -> [f64; O],
    far: impl Fn([f64; 1]) -> [f64; O],
) {
    blocks(
        inputs,
        outputs,
        near,
        #[inline(always)]
        |[x]| is_far(x),
        far,
    );
}

/// `outputs[..][i] = near(inputs[..][i])`, but `far` of the elements where `is_far`.
///
/// Each element is judged by its own value: its neighbors do not change its bits.
#[inline(always)]
fn blocks<const I: usize, const O: usize>(
    inputs: [&[f64]; I],
    mut outputs: [&mut [f64]; O],
    near: impl Fn([f64; I]) -> [f64; O],
    is_far: impl Fn([f64; I]) -> bool,
    far: impl Fn([f64; I]) -> [f64; O],
) {
    let len = outputs.iter().map(|output| output.len()).min().unwrap_or(0);
    let mut last = [[1.0; BLOCK]; I];
    let mut made = [[0.0; BLOCK]; O];
    let mut start = 0;
    while start < len {
        let end = len.min(start + BLOCK);
        if end - start < BLOCK {
            for (last, input) in last.iter_mut().zip(inputs) {
                last[..end - start].copy_from_slice(&input[start..end]);
            }
        }
        let x: [&[f64; BLOCK]; I] =
            std::array::from_fn(|input| inputs[input][start..].first_chunk().unwrap_or(&last[input]));
        let mut is_any_far = false;
        for at in 0..BLOCK {
            let x: [f64; I] = std::array::from_fn(|input| x[input][at]);
            let values = near(x);
            for (made, value) in made.iter_mut().zip(values) {
                made[at] = value;
            }
            is_any_far |= is_far(x);
        }
        if is_any_far {
            for at in 0..BLOCK {
                let x: [f64; I] = std::array::from_fn(|input| x[input][at]);
                if is_far(x) {
                    for (made, value) in made.iter_mut().zip(far(x)) {
                        made[at] = value;
                    }
                }
            }
        }
        for (output, made) in outputs.iter_mut().zip(&made) {
            output[start..end].copy_from_slice(&made[..end - start]);
        }
        start = end;
    }
}
