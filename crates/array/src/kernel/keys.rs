//! Elements as unsigned numbers of the same order, and sorting by them.
//!
//! One set of loops over `u64` then sorts, counts and divides every element type. NaN is one number behind all others,
//! whatever its sign and payload; -0 stands right before 0, so that equal elements have one order.

use crate::element::{DType, Ordered, Plain};

/// How many of the low bits of a key tell elements apart.
#[must_use]
pub const fn bits<A: Plain>() -> u32 {
    8 * A::BYTES as u32
}

/// The number that stands for an element.
///
/// # Examples
/// ```
/// use musher_array::kernel::keys::{key, unkey};
/// let values = [f64::NEG_INFINITY, -1.5, -0.0, 0.0, 2.0, f64::INFINITY, f64::NAN];
/// assert!(values.map(key).is_sorted());
/// assert_eq!(unkey::<f64>(key(-1.5)), -1.5);
/// ```
#[inline(always)]
#[must_use]
pub fn key<A: Ordered>(value: A) -> u64 {
    let mut bytes = [0; 16];
    value.store(&mut bytes);
    let word =
        u64::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7]]);
    match A::DTYPE {
        DType::I8 => word ^ (1 << 7),
        DType::I16 => word ^ (1 << 15),
        DType::I32 => word ^ (1 << 31),
        DType::I64 => word ^ (1 << 63),
        DType::F32 => {
            let word = word as u32;
            let flip = ((word as i32) >> 31) as u32 | (1 << 31);
            u64::from(if word << 1 > 0xFF00_0000 { u32::MAX } else { word ^ flip })
        }
        DType::F64 => {
            let flip = ((word as i64) >> 63) as u64 | (1 << 63);
            if word << 1 > 0xFFE0_0000_0000_0000 { u64::MAX } else { word ^ flip }
        }
        _ => word,
    }
}

/// The element that a number stands for.
#[inline(always)]
#[must_use]
pub fn unkey<A: Ordered>(key: u64) -> A {
    let word = match A::DTYPE {
        DType::I8 => key ^ (1 << 7),
        DType::I16 => key ^ (1 << 15),
        DType::I32 => key ^ (1 << 31),
        DType::I64 => key ^ (1 << 63),
        DType::F32 => {
            let key = key as u32;
            u64::from(if key >> 31 == 1 { key ^ (1 << 31) } else { !key })
        }
        DType::F64 => {
            if key >> 63 == 1 {
                key ^ (1 << 63)
            } else {
                !key
            }
        }
        _ => key,
    };
    A::load(&word.to_le_bytes())
}

/// The number that stands for an element and for all that equal it: 0 and -0 have one.
#[inline(always)]
#[must_use]
pub fn equal_key<A: Ordered>(value: A) -> u64 {
    key(if value == A::default() { A::default() } else { value })
}

/// Sorts elements by their keys, with the help of a vector that keeps its memory from line to line.
pub fn sort<A: Ordered>(values: &mut [A], keys: &mut Vec<u64>) {
    keys.clear();
    keys.extend(values.iter().map(|&value| key(value)));
    keys.sort_unstable();
    values.iter_mut().zip(keys.iter()).for_each(|(value, &key)| *value = unkey(key));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check<A: Ordered>(rising: &[A]) {
        let keys: Vec<u64> = rising.iter().map(|&value| key(value)).collect();
        assert!(keys.windows(2).all(|pair| pair[0] < pair[1]), "{rising:?}: {keys:?}");
        assert!(keys.iter().all(|&key| bits::<A>() == 64 || key >> bits::<A>() == 0));
        let back: Vec<A> = keys.iter().map(|&key| unkey(key)).collect();
        assert_eq!(format!("{back:?}"), format!("{rising:?}"));
    }

    #[test]
    fn keys_rise_with_elements_and_come_back() {
        check(&[false, true]);
        check(&[i8::MIN, -1, 0, 1, i8::MAX]);
        check(&[i16::MIN, -1, 0, 1, i16::MAX]);
        check(&[i32::MIN, -1, 0, 1, i32::MAX]);
        check(&[i64::MIN, -1, 0, 1, i64::MAX]);
        check(&[0_u8, 1, u8::MAX]);
        check(&[0_u64, 1, 1 << 63, u64::MAX]);
        let small = [f32::NEG_INFINITY, f32::MIN, -1.0, -f32::from_bits(1), -0.0, 0.0, f32::from_bits(1)];
        check(&[&small[..], &[1.0, f32::MAX, f32::INFINITY, f32::NAN]].concat());
        let large = [f64::NEG_INFINITY, f64::MIN, -1.0, -f64::from_bits(1), -0.0, 0.0, f64::from_bits(1)];
        check(&[&large[..], &[1.0, f64::MAX, f64::INFINITY, f64::NAN]].concat());
    }

    #[test]
    fn every_nan_is_one_and_both_zeros_are_equal() {
        assert_eq!(key(-f64::NAN), key(f64::NAN));
        assert_eq!(key(f64::from_bits(0xFFF0_0000_0000_0001)), u64::MAX);
        assert_eq!(key(f32::from_bits(0xFF80_0001)), u64::from(u32::MAX));
        assert_eq!(equal_key(-0.0_f64), equal_key(0.0));
        assert_ne!(equal_key(1.0_f64), equal_key(-1.0));
    }
}
