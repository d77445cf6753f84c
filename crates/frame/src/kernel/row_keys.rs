//! Keys of rows, to be hashed: equal keys write equal bytes, in every process, on every platform and in every partition.
//!
//! A missing value writes one byte, a value that byte's other and its value. Integers and truth values write the same
//! whatever their width and sign; floats write `f64`, with one NaN and one zero; times and decimals write the integer that
//! they are kept as; categories write their text, because their numbers depend on the order in which they were seen.

use std::hash::{Hash, Hasher};

use polars::prelude::{
    BinaryChunked, Column, DataFrame, DataType, Float64Chunked, Int64Chunked, Int128Chunked, PolarsResult,
    StringChunked, UInt64Chunked,
};

/// The key columns of some rows.
pub(crate) struct RowKeys(Vec<Values>);

/// The key of one row.
pub(crate) struct RowKey<'a> {
    columns: &'a [Values],
    row: usize,
}

enum Values {
    Missing,
    Integers(Int64Chunked),
    Unsigned(UInt64Chunked),
    Wide(Int128Chunked),
    Floats(Float64Chunked),
    Texts(StringChunked),
    Bytes(BinaryChunked),
}

/// Whether values of this type can be keys: lists, arrays, structs and objects cannot.
pub(crate) fn can_be_key(dtype: &DataType) -> bool {
    matches!(
        dtype,
        DataType::Null
            | DataType::Boolean
            | DataType::Int128
            | DataType::UInt64
            | DataType::Decimal(..)
            | DataType::String
            | DataType::Binary
            | DataType::Categorical(..)
            | DataType::Enum(..)
    ) || is_short(dtype)
        || dtype.is_float()
}

/// Whether the values are kept as integers that fit into 64 bits with a sign.
fn is_short(dtype: &DataType) -> bool {
    use DataType::{Boolean, Int8, Int16, Int32, Int64, UInt8, UInt16, UInt32};
    dtype.is_temporal() || matches!(dtype, Boolean | Int8 | Int16 | Int32 | Int64 | UInt8 | UInt16 | UInt32)
}

impl RowKeys {
    /// The rows of a table whose columns are all keys.
    pub(crate) fn of(keys: &DataFrame) -> PolarsResult<Self> {
        keys.columns().iter().map(Values::of).collect::<PolarsResult<_>>().map(Self)
    }

    /// The key of a row.
    pub(crate) fn row(&self, row: usize) -> RowKey<'_> {
        RowKey { columns: &self.0, row }
    }
}

impl Values {
    fn of(column: &Column) -> PolarsResult<Self> {
        let series = column.as_materialized_series();
        Ok(match series.dtype() {
            DataType::Null => Self::Missing,
            DataType::UInt64 => Self::Unsigned(series.u64()?.clone()),
            DataType::Int128 => Self::Wide(series.i128()?.clone()),
            DataType::Decimal(..) => Self::Wide(series.to_physical_repr().i128()?.clone()),
            DataType::Binary => Self::Bytes(series.binary()?.clone()),
            dtype if dtype.is_float() => Self::Floats(series.cast(&DataType::Float64)?.f64()?.clone()),
            dtype if is_short(dtype) => {
                Self::Integers(series.to_physical_repr().cast(&DataType::Int64)?.i64()?.clone())
            }
            _ => Self::Texts(series.cast(&DataType::String)?.str()?.clone()),
        })
    }

    fn hash_row<H: Hasher>(&self, row: usize, state: &mut H) {
        match self {
            Self::Missing => state.write_u8(MISSING),
            Self::Integers(values) => integer(values.get(row).map(i128::from), state),
            Self::Unsigned(values) => integer(values.get(row).map(i128::from), state),
            Self::Wide(values) => integer(values.get(row), state),
            Self::Floats(values) => present(values.get(row), state, |x, state| {
                // The negative zero and zero are zero.
                state.write_u64(if x.is_nan() { NAN } else { (x + 0.0).to_bits() });
            }),
            Self::Texts(values) => present(values.get(row), state, |text, state| text.hash(state)),
            Self::Bytes(values) => present(values.get(row), state, |bytes, state| {
                state.write_u64(bytes.len() as u64);
                state.write(bytes);
            }),
        }
    }
}

const MISSING: u8 = 0;
const PRESENT: u8 = 1;
/// The quiet NaN without sign or payload.
const NAN: u64 = 0x7ff8_0000_0000_0000;

fn present<T, H: Hasher>(value: Option<T>, state: &mut H, write: impl FnOnce(T, &mut H)) {
    match value {
        None => state.write_u8(MISSING),
        Some(value) => {
            state.write_u8(PRESENT);
            write(value, state);
        }
    }
}

fn integer<H: Hasher>(value: Option<i128>, state: &mut H) {
    present(value, state, |value, state| match i64::try_from(value) {
        Ok(short) => state.write_i64(short),
        Err(_) => state.write_i128(value),
    });
}

impl Hash for RowKey<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.columns.iter().for_each(|values| values.hash_row(self.row, state));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use polars::prelude::*;

    /// What a key writes.
    #[derive(Default)]
    struct Written(Vec<u8>);

    impl Hasher for Written {
        fn finish(&self) -> u64 {
            0
        }

        fn write(&mut self, bytes: &[u8]) {
            self.0.extend_from_slice(bytes);
        }
    }

    fn written(column: impl IntoColumn) -> Vec<Vec<u8>> {
        let table = column.into_column().into_frame();
        let keys = RowKeys::of(&table).unwrap();
        let one = |row| {
            let mut written = Written::default();
            keys.row(row).hash(&mut written);
            written.0
        };
        (0..table.height()).map(one).collect()
    }

    #[test]
    fn integers_write_the_same_whatever_their_type() {
        let values = Series::new("x".into(), [Some(0_i64), Some(1), Some(100), None]);
        let expected = written(values.clone());
        assert_eq!(expected.iter().collect::<PlHashSet<_>>().len(), 4);
        use DataType::*;
        for dtype in [Int8, Int16, Int32, Int64, Int128, UInt8, UInt16, UInt32, UInt64, Date, Time] {
            assert!(can_be_key(&dtype));
            assert_eq!(written(values.cast(&dtype).unwrap()), expected, "{dtype}");
        }
        let negative = Series::new("x".into(), [-1_i8]);
        assert_eq!(written(negative.clone()), written(negative.cast(&Int128).unwrap()));
        let large = Series::new("x".into(), [u64::MAX]);
        assert_eq!(written(large.clone()), written(large.cast(&Int128).unwrap()));
        assert_ne!(written(large), written(negative));
    }

    #[test]
    fn there_is_one_nan_and_one_zero() {
        let values = [0.0, -0.0, f64::NAN, -f64::NAN, f64::from_bits(0x7ff8_0000_0000_1234), 1.5];
        let rows = written(Series::new("x".into(), values));
        assert_eq!(rows[0], rows[1]);
        assert!(rows[2] == rows[3] && rows[3] == rows[4]);
        assert_eq!(rows.iter().collect::<PlHashSet<_>>().len(), 3);
        let narrow = values.map(|x| x as f32);
        assert_eq!(written(Series::new("x".into(), narrow)), rows);
        assert_eq!(rows[5], [vec![1], 1.5_f64.to_bits().to_ne_bytes().to_vec()].concat());
    }

    #[test]
    fn categories_write_their_text() {
        let texts = Series::new("x".into(), [Some("b"), None, Some("a"), Some("")]);
        let expected = written(texts.clone());
        let categories = DataType::from_categories(Categories::global());
        assert!(can_be_key(&categories));
        assert_eq!(written(texts.cast(&categories).unwrap()), expected);
        assert_eq!(expected[1], [0]);
        assert_ne!(expected[1], expected[3]);
    }

    #[test]
    fn neighboring_columns_do_not_run_together() {
        let of = |a: &str, b: &str| {
            let table = df!("a" => [a], "b" => [b]).unwrap();
            let mut written = Written::default();
            RowKeys::of(&table).unwrap().row(0).hash(&mut written);
            written.0
        };
        assert_ne!(of("ab", "c"), of("a", "bc"));
        assert_ne!(of("", "a"), of("a", ""));
        let bytes = Series::new("x".into(), [b"a".as_slice(), b""]);
        assert_eq!(written(bytes).len(), 2);
    }

    #[test]
    fn what_is_nested_is_no_key() {
        for dtype in [
            DataType::List(Box::new(DataType::Int64)),
            DataType::Array(Box::new(DataType::Int64), 2),
            DataType::Struct(vec![Field::new("x".into(), DataType::Int64)]),
        ] {
            assert!(!can_be_key(&dtype), "{dtype}");
        }
    }
}
