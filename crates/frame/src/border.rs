//! The border to polars: everything that runs polars on data goes through here.
//!
//! polars panics on malformed files and in some kernels, its memory layout depends on its number of threads, and
//! its errors cannot carry ours. So [`guard`] turns panics into errors, [`canonical`] makes one layout of equal
//! rows, and an [`Escape`] carries a typed error past polars.

use std::any::Any;
use std::io::{Cursor, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::{Mutex, Once, PoisonError};

use polars::prelude::{
    BinaryChunked, Column, DataFrame, DataType, IdxCa, IdxSize, IntoColumn, IpcStreamReader, IpcStreamWriter,
    LazyFrame, PolarsError, PolarsResult, Schema, SerReader, SerWriter, StringChunked,
};
use polars::series::IsSorted;

use crate::error::Error;

/// A typed error on its way out of polars, whose own errors cannot hold it.
#[derive(Clone, Default)]
pub(crate) struct Escape(Arc<Mutex<Option<Error>>>);

impl Escape {
    /// Keeps the error, the first one if there are several, and gives polars one of its own to stop at.
    pub(crate) fn raise(&self, error: Error) -> PolarsError {
        let said = error.to_string();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        PolarsError::ComputeError(said.into())
    }

    /// The error that was kept.
    fn take(&self) -> Option<Error> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Runs polars; a panic becomes [`Error::Panic`] at `place`, an error what `wrap` makes of it.
pub(crate) fn guard<T>(
    place: impl FnOnce() -> String,
    wrap: impl FnOnce(PolarsError) -> Error,
    run: impl FnOnce() -> PolarsResult<T>,
) -> Result<T, Error> {
    static MARGIN: Once = Once::new();
    // polars' planner recurses over steps, and takes new memory for its stack where little is left; in builds
    // without optimisation one level may need more than the margin that counts as little by default.
    MARGIN.call_once(|| recursive::set_minimum_stack_size(1 << 20));
    // What `run` captures is dropped or only read after a panic: no broken state is seen.
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(wrap(error)),
        Err(panic) => Err(Error::Panic { place: place(), message: message(panic.as_ref()) }),
    }
}

/// The text of a panic.
fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("of a kind that is no text").to_owned()
}

/// Runs the lazy frame on the in-memory engine; the result has one layout for equal rows.
///
/// `steps` names the work in errors.
pub(crate) fn collect(
    lazy: LazyFrame,
    escape: &Escape,
    steps: impl Fn() -> String,
) -> Result<DataFrame, Error> {
    let collected =
        guard(&steps, |source| Error::Polars { steps: steps(), source }, || lazy.collect().map(canonical));
    collected.map_err(|error| escape.take().unwrap_or(error))
}

/// The schema that polars resolves for a lazy frame.
pub(crate) fn schema_of(lazy: &mut LazyFrame) -> PolarsResult<Arc<Schema>> {
    let panicked = |error| match error {
        Error::Panic { message, .. } => PolarsError::ComputeError(message.into()),
        Error::Polars { source, .. } => source,
        other => PolarsError::ComputeError(other.to_string().into()),
    };
    guard(String::new, |source| Error::Polars { steps: String::new(), source }, || lazy.collect_schema())
        .map_err(panicked)
}

/// The same rows in one piece of memory a column: later sums then see the same pieces whatever the number of
/// threads that made them. No column says that it is sorted: polars trusts that, and its outer joins say it of columns that
/// are not.
pub(crate) fn canonical(table: DataFrame) -> DataFrame {
    let is_plain = |column: &Column| column.is_sorted_flag() == IsSorted::Not;
    let mut table = match table.columns().iter().all(is_plain) {
        true => table,
        false => {
            let height = table.height();
            let plain = |mut column: Column| {
                column.set_sorted_flag(IsSorted::Not);
                column
            };
            let columns = table.into_columns().into_iter().map(plain).collect();
            DataFrame::new(height, columns).expect("the columns of a table make a table")
        }
    };
    if table.columns().iter().any(|column| column.as_series().is_some_and(|series| series.n_chunks() > 1)) {
        table.rechunk_mut();
    }
    table
}

/// The rows of several tables one below the other, in order; `steps` names the work in errors.
///
/// The tables have equal schemas; that is checked.
pub(crate) fn stack<'a>(
    steps: impl Fn() -> String,
    tables: impl IntoIterator<Item = &'a DataFrame>,
) -> Result<DataFrame, Error> {
    let stacked = || {
        let mut tables = tables.into_iter();
        let first = tables.next().ok_or_else(|| PolarsError::NoData("no tables to stack".into()))?;
        let mut stacked = first.clone();
        for table in tables {
            stacked.vstack_mut(table)?;
        }
        Ok(canonical(stacked))
    };
    guard(&steps, |source| Error::Polars { steps: steps(), source }, stacked)
}

/// As [`stack`], in memory that is the rows' alone; each table's memory goes as soon as a column of it is copied.
pub(crate) fn stack_owned(
    steps: impl Fn() -> String,
    tables: impl IntoIterator<Item = DataFrame>,
) -> Result<DataFrame, Error> {
    let stacked = || {
        let mut tables = tables.into_iter();
        let mut stacked = tables.next().ok_or_else(|| PolarsError::NoData("no tables to stack".into()))?;
        tables.try_for_each(|table| stacked.vstack_mut_owned(table).map(drop))?;
        let height = stacked.height();
        let columns = stacked.into_columns().into_iter().map(|column| owned(column.rechunk()));
        DataFrame::new(height, columns.collect::<PolarsResult<_>>()?)
    };
    guard(&steps, |source| Error::Polars { steps: steps(), source }, stacked)
}

/// The column with texts in memory of its own: polars copies where they are, so that some texts of a large column hold the
/// memory of all. The texts inside lists and structs still do.
fn owned(column: Column) -> PolarsResult<Column> {
    let name = column.name().clone();
    Ok(match column.dtype() {
        DataType::String => column.str()?.iter().collect::<StringChunked>().with_name(name).into_column(),
        DataType::Binary => column.binary()?.iter().collect::<BinaryChunked>().with_name(name).into_column(),
        _ => column,
    })
}

/// The same rows in memory that is theirs alone.
pub(crate) fn copied(table: DataFrame) -> PolarsResult<DataFrame> {
    let rows: Vec<IdxSize> = (0..table.height() as IdxSize).collect();
    let table = canonical(table.take(&IdxCa::from_vec("rows".into(), rows))?);
    DataFrame::new(table.height(), table.into_columns().into_iter().map(owned).collect::<PolarsResult<_>>()?)
}

/// The rows of these numbers.
pub(crate) fn rows_at(table: &DataFrame, rows: &IdxCa) -> Result<DataFrame, Error> {
    let place = || "take rows".to_owned();
    let wrap = |source| Error::Polars { steps: place(), source };
    guard(place, wrap, || table.take(rows).map(canonical))
}

/// Writes a table in the Arrow stream format, some hundred thousand rows at a time.
pub(crate) fn encode(table: &DataFrame, to: &mut dyn Write) -> Result<(), Error> {
    let place = || "encode a partition".to_owned();
    guard(
        place,
        |source| Error::Polars { steps: place(), source },
        || IpcStreamWriter::new(to).finish(&mut table.clone()),
    )
}

/// The table that [`encode`] made these bytes of.
pub(crate) fn decode(bytes: &[u8]) -> Result<DataFrame, Error> {
    let place = || "decode a partition".to_owned();
    guard(
        place,
        |source| Error::Polars { steps: place(), source },
        || IpcStreamReader::new(Cursor::new(bytes)).finish().map(canonical),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use polars::prelude::*;

    #[test]
    fn a_panic_inside_polars_becomes_an_error_with_its_place() {
        let place = || "select: x".to_owned();
        let lazy = df!("x" => [1]).unwrap().lazy().map(
            |_| panic!("on purpose"),
            AllowedOptimizations::default(),
            None,
            None,
        );
        match collect(lazy, &Escape::default(), place) {
            Err(Error::Panic { place, message }) => {
                assert_eq!((place.as_str(), message.as_str()), ("select: x", "on purpose"));
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_typed_error_passes_through_polars() {
        let escape = Escape::default();
        let raised = escape.clone();
        let lazy = df!("x" => [1]).unwrap().lazy().map(
            move |_| {
                Err(raised.raise(Error::IntegerOverflow {
                    expression: "x".into(),
                    value: 1 << 70,
                    dtype: DataType::Int64,
                }))
            },
            AllowedOptimizations::default(),
            None,
            None,
        );
        let error = collect(lazy, &escape, || "steps".into()).unwrap_err();
        assert!(matches!(error, Error::IntegerOverflow { .. }), "{error:?}");
    }

    /// A table as bytes.
    fn encoded(table: &DataFrame) -> Vec<u8> {
        let mut bytes = Vec::new();
        encode(table, &mut bytes).unwrap();
        bytes
    }

    #[test]
    fn tables_of_many_types_survive_the_codec() {
        let table = df!(
            "int" => [Some(1_i64), None], "wide" => [1_i128 << 100, -1], "text" => ["a", "b"],
            "list" => [Series::new("".into(), [1.5, f64::NAN]), Series::new_empty("".into(), &DataType::Float64)]
        )
        .unwrap();
        for table in [table.clone(), table.head(Some(0))] {
            let decoded = decode(&encoded(&table)).unwrap();
            assert!(decoded.equals_missing(&table), "{decoded}");
            assert_eq!(decoded.schema(), table.schema());
        }
    }

    #[test]
    fn broken_bytes_are_an_error() {
        let bytes = encoded(&df!("x" => [1, 2, 3], "y" => ["a", "b", "c"]).unwrap());
        for at in 0..bytes.len() {
            let mut broken = bytes.clone();
            broken[at] ^= 0x55;
            // Any result will do, but it must come back.
            let _ = decode(&broken);
            let _ = decode(&bytes[..at]);
        }
    }
}
