//! Records as rows of a table: tuples of cells.

use musher_frame::polars::prelude::{
    Column, DataFrame, DataType, Field, NamedFrom, PolarsResult, Schema, Series,
};

/// A value that can stand in one cell of a [`Frame`](crate::Frame).
pub trait Cell: Clone + Send + Sync + 'static {
    /// Type of the column.
    fn dtype() -> DataType;

    /// The column of these values.
    fn column(name: &str, values: Vec<Self>) -> Column;
}

macro_rules! cells {
    ($($t:ty => $dtype:ident),*) => {$(
        impl Cell for $t {
            fn dtype() -> DataType {
                DataType::$dtype
            }

            fn column(name: &str, values: Vec<Self>) -> Column {
                Series::new(name.into(), values).into()
            }
        }

        impl Cell for Option<$t> {
            fn dtype() -> DataType {
                DataType::$dtype
            }

            fn column(name: &str, values: Vec<Self>) -> Column {
                Series::new(name.into(), values).into()
            }
        }
    )*};
}
cells!(
    i8 => Int8, i16 => Int16, i32 => Int32, i64 => Int64, u8 => UInt8, u16 => UInt16, u32 => UInt32, u64 => UInt64,
    f32 => Float32, f64 => Float64, bool => Boolean, String => String
);

/// A record that can be a row of a [`Frame`](crate::Frame): a tuple of up to eight [`Cell`]s.
pub trait Row: Clone + Send + Sync + 'static {
    /// Names of the columns: an array as long as the row.
    type Names: AsRef<[&'static str]> + Copy + Send + Sync + 'static;

    /// Names and types of the columns.
    fn schema(names: Self::Names) -> Schema;

    /// The table of these rows.
    ///
    /// # Errors
    /// Where two columns have the same name.
    fn table(names: Self::Names, rows: Vec<Self>) -> PolarsResult<DataFrame>;
}

macro_rules! rows {
    ($(($n:literal: $($cell:ident $column:ident),*))*) => {$(
        impl<$($cell: Cell),*> Row for ($($cell,)*) {
            type Names = [&'static str; $n];

            fn schema(names: Self::Names) -> Schema {
                let types = [$($cell::dtype()),*];
                names.into_iter().zip(types).map(|(name, dtype)| Field::new(name.into(), dtype)).collect()
            }

            fn table(names: Self::Names, rows: Vec<Self>) -> PolarsResult<DataFrame> {
                let height = rows.len();
                $(let mut $column = Vec::with_capacity(height);)*
                #[expect(non_snake_case, reason = "the type's letter names the cell")]
                for ($($cell,)*) in rows {
                    $($column.push($cell);)*
                }
                let mut names = names.into_iter();
                let mut name = || names.next().unwrap_or_default();
                DataFrame::new(height, vec![$(Cell::column(name(), $column)),*])
            }
        }
    )*};
}
rows! {
    (1: A a)
    (2: A a, B b)
    (3: A a, B b, C c)
    (4: A a, B b, C c, D d)
    (5: A a, B b, C c, D d, E e)
    (6: A a, B b, C c, D d, E e, F f)
    (7: A a, B b, C c, D d, E e, F f, G g)
    (8: A a, B b, C c, D d, E e, F f, G g, H h)
}
