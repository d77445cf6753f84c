//! Sums, differences and products of integers that say whether they are wrong, in a form that becomes vector code.

/// The three that every strip of integers meets. `overflowing_add` and its kin give the same, one element at a time.
pub(super) trait Flagged: Sized {
    /// `self + other` modulo 2ⁿ, and whether that is wrong.
    fn sum(self, other: Self) -> (Self, bool);
    /// `self - other` modulo 2ⁿ, and whether that is wrong.
    fn difference(self, other: Self) -> (Self, bool);
    /// `self * other` modulo 2ⁿ, and whether that is wrong.
    fn product(self, other: Self) -> (Self, bool);
}

/// The product in a type twice as wide, where there is one that vectors have.
macro_rules! product {
    ($x:ident $y:ident $t:ty, $wide:ty) => {{
        let wide = ($x as $wide).wrapping_mul($y as $wide);
        let narrow = wide as $t;
        let bad = match size_of::<$t>() < size_of::<$wide>() {
            true => narrow as $wide != wide,
            false => $x.checked_mul($y).is_none(),
        };
        (narrow, bad)
    }};
}

/// Signed integers: a sum overflowed when its sign differs from that of both operands.
macro_rules! signed {
    ($($t:ty)*) => {$(
        impl Flagged for $t {
            #[inline(always)]
            fn sum(self, other: Self) -> (Self, bool) {
                let sum = self.wrapping_add(other);
                (sum, ((self ^ sum) & (other ^ sum)) < 0)
            }
            #[inline(always)]
            fn difference(self, other: Self) -> (Self, bool) {
                let difference = self.wrapping_sub(other);
                (difference, ((self ^ other) & (self ^ difference)) < 0)
            }
            #[inline(always)]
            fn product(self, other: Self) -> (Self, bool) {
                product!(self other $t, i64)
            }
        }
    )*};
}
signed!(i8 i16 i32 i64);

/// Unsigned integers: a sum overflowed when it is smaller than an operand.
macro_rules! unsigned {
    ($($t:ty)*) => {$(
        impl Flagged for $t {
            #[inline(always)]
            fn sum(self, other: Self) -> (Self, bool) {
                let sum = self.wrapping_add(other);
                (sum, sum < self)
            }
            #[inline(always)]
            fn difference(self, other: Self) -> (Self, bool) {
                (self.wrapping_sub(other), self < other)
            }
            #[inline(always)]
            fn product(self, other: Self) -> (Self, bool) {
                product!(self other $t, u64)
            }
        }
    )*};
}
unsigned!(u8 u16 u32 u64);

#[cfg(test)]
mod tests {
    use super::super::{BinaryOp, Kernels, Lane, PartOp, UnaryOp};

    /// All pairs of a small type, against the checked functions of the standard library.
    #[test]
    fn every_pair_of_bytes_is_right_or_reported() {
        for (op, want) in [
            (BinaryOp::add, i8::checked_add as fn(i8, i8) -> Option<i8>),
            (BinaryOp::sub, i8::checked_sub),
            (BinaryOp::mul, i8::checked_mul),
            (BinaryOp::div, i8::checked_div),
            (BinaryOp::rem, i8::checked_rem),
        ] {
            for x in i8::MIN..=i8::MAX {
                for y in i8::MIN..=i8::MAX {
                    for lanes in
                        [(Lane::Slice(&[x][..]), Lane::Slice(&[y][..])), (Lane::Splat(x), Lane::Splat(y))]
                    {
                        let mut out = [0];
                        let result = i8::binary(op).unwrap()(lanes.0, lanes.1, &mut out);
                        assert_eq!(result.ok().map(|()| out[0]), want(x, y), "{op:?} {x} {y}");
                    }
                }
            }
        }
    }

    #[test]
    fn unsigned_edges_are_reported() {
        let mut out = [0_u64; 2];
        let mut run =
            |op, x: [u64; 2], y| u64::binary(op).unwrap()(Lane::Slice(&x), Lane::Splat(y), &mut out);
        assert!(run(BinaryOp::add, [1, u64::MAX], 1).is_err());
        assert!(run(BinaryOp::add, [1, u64::MAX - 1], 1).is_ok());
        assert!(run(BinaryOp::sub, [1, 0], 1).is_err());
        assert!(run(BinaryOp::mul, [1, 1 << 33], 1 << 31).is_err());
        assert!(run(BinaryOp::mul, [1, 1 << 32], 1 << 31).is_ok());
        assert!(run(BinaryOp::pow, [1, 2], 64).is_err());
        assert!(run(BinaryOp::wrapping_add, [1, u64::MAX], 1).is_ok());
        assert_eq!(out, [2, 0]);
    }

    #[test]
    fn what_the_smallest_integer_has_not_is_reported() {
        let mut out = [0_i32; 1];
        assert!(i32::unary(UnaryOp::neg).unwrap()(&[i32::MIN], &mut out).is_err());
        assert!(i32::part(PartOp::abs).unwrap()(&[i32::MIN], &mut out).is_err());
        assert!(i32::part(PartOp::abs).unwrap()(&[i32::MIN + 1], &mut out).is_ok());
        assert_eq!(out, [i32::MAX]);
        let mut out = [0_u8; 1];
        assert!(u8::unary(UnaryOp::neg).unwrap()(&[1], &mut out).is_err());
        assert!(u8::unary(UnaryOp::neg).unwrap()(&[0], &mut out).is_ok());
    }
}
