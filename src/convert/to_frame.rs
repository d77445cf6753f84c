//! To a frame: measurements, bags of tuples, arrays.

use musher_frame::{Error, Frame};
use musher_graph_core::{Site, delayed};

/// Collections that become a frame.
pub trait ToFrame {
    /// What the columns are called: a name or an array of names; `..` where the collection names them itself.
    type Names<'a>;

    /// The lazy frame of this collection's rows, under these names.
    ///
    /// # Errors
    /// [`Error`] where the columns cannot form a table: two names are equal, or there are not as many as columns.
    #[track_caller]
    fn to_frame(&self, names: Self::Names<'_>) -> Result<Frame, Error>;
}

/// Refuses names of which two are equal, and more or fewer than there are columns.
#[cfg(any(feature = "array", feature = "bag"))]
#[track_caller]
fn check_names(names: &[&str], n_columns: usize) -> Result<(), Error> {
    use musher_frame::polars::prelude::PolarsError;
    let twice = names.iter().enumerate().find(|(at, name)| names[..*at].contains(name));
    let source = match twice {
        Some((_, name)) => PolarsError::Duplicate(format!("column {name:?} is named twice").into()),
        None if names.len() != n_columns => {
            let text = format!("{} names for {n_columns} columns", names.len());
            PolarsError::ShapeMismatch(text.into())
        }
        None => return Ok(()),
    };
    Err(Error::Expression { operation: "to_frame", caller: Site::caller(), source })
}

#[cfg(feature = "image")]
mod measured {
    use std::ops::RangeFull;
    use std::sync::Arc;

    use musher_frame::polars::prelude::{
        Column as Series, DataFrame, DataType, Field, NamedFrom, PolarsError, Schema, Series as Values,
    };
    use musher_image::{Column, Columns, Measurements};

    use super::{Error, Frame, ToFrame, delayed};

    impl ToFrame for Measurements {
        type Names<'a> = RangeFull;

        /// One row for each region, in one partition.
        ///
        /// # Examples
        /// ```
        /// use musher::prelude::*;
        /// let image = Array::from_array(ndarray::arr2(&[[1.0, 3.0, 0.0], [5.0, 0.0, 8.0]]), (1, 3));
        /// let (labels, _count) = musher::image::label(&image.gt(0.0), 1)?;
        /// let table = musher::image::measure(&image, &labels)?.to_frame(..)?.compute()?;
        /// assert_eq!(table.height(), 2);
        /// # Ok::<(), Box<dyn std::error::Error>>(())
        /// ```
        #[track_caller]
        fn to_frame(&self, _: RangeFull) -> Result<Frame, Error> {
            let dtype = |column: &Column| match column {
                Column::I64(_) => DataType::Int64,
                Column::U64(_) => DataType::UInt64,
                Column::F64(_) => DataType::Float64,
            };
            let empty = self.empty_columns().into_columns();
            let schema: Schema =
                empty.iter().map(|(name, column)| Field::new(name.as_str().into(), dtype(column))).collect();
            let table = delayed(table).fallible().label("to_frame").call(self.to_delayed());
            Frame::from_delayed([table], Arc::new(schema))
        }
    }

    fn table(columns: Columns) -> Result<DataFrame, PolarsError> {
        let height = columns.len();
        let column = |(name, column): (String, Column)| -> Series {
            match column {
                Column::I64(values) => Values::new(name.into(), values).into(),
                Column::U64(values) => Values::new(name.into(), values).into(),
                Column::F64(values) => Values::new(name.into(), values).into(),
            }
        };
        DataFrame::new(height, columns.into_columns().into_iter().map(column).collect())
    }
}

#[cfg(feature = "bag")]
mod rows {
    use std::sync::Arc;

    use musher_bag::Bag;
    use musher_frame::polars::prelude::{DataFrame, PolarsError};

    use super::super::Row;
    use super::{Error, Frame, ToFrame, check_names, delayed};

    impl<T: Row> ToFrame for Bag<T> {
        type Names<'a> = T::Names;

        /// One partition for each partition of the bag.
        ///
        /// # Examples
        /// ```
        /// use musher::prelude::*;
        /// let words = Bag::from_sequence(["a", "b", "a"].map(String::from), 2).frequencies();
        /// let table = words.to_frame(["word", "count"])?.compute()?;
        /// assert_eq!(table.shape(), (2, 2));
        /// # Ok::<(), Box<dyn std::error::Error>>(())
        /// ```
        #[track_caller]
        fn to_frame(&self, names: T::Names) -> Result<Frame, Error> {
            check_names(names.as_ref(), names.as_ref().len())?;
            let table = move |rows: Vec<T>| -> Result<DataFrame, PolarsError> { T::table(names, rows) };
            let table = delayed(table).token(&names.as_ref()).fallible().label("to_frame");
            let tables = self.to_delayed().into_iter().map(|part| table.call(part));
            Frame::from_delayed(tables, Arc::new(T::schema(names)))
        }
    }
}

#[cfg(feature = "array")]
mod arrays {
    use std::sync::Arc;

    use musher_array::ndarray::{Array1, Array2, Ix1, Ix2};
    use musher_array::{Array, Element};
    use musher_frame::polars::prelude::{DataFrame, Field, PolarsError, Schema};

    use super::super::Cell;
    use super::{Error, Frame, ToFrame, check_names, delayed};

    impl<A: Element + Cell> ToFrame for Array<A, Ix1> {
        type Names<'a> = &'a str;

        /// One column; one partition for each block.
        ///
        /// # Examples
        /// ```
        /// use musher::prelude::*;
        /// let table = Array::arange(0, 10, 1, 4).to_frame("number")?.compute()?;
        /// assert_eq!(table.shape(), (10, 1));
        /// # Ok::<(), Box<dyn std::error::Error>>(())
        /// ```
        #[track_caller]
        fn to_frame(&self, name: &str) -> Result<Frame, Error> {
            let column = name.to_owned();
            let table = move |block: Array1<A>| -> Result<DataFrame, PolarsError> {
                DataFrame::new(block.len(), vec![A::column(&column, block.into_iter().collect())])
            };
            let table = delayed(table).token(&name).fallible().label("to_frame");
            let schema: Schema = [Field::new(name.into(), A::dtype())].into_iter().collect();
            Frame::from_delayed(
                self.to_delayed().into_iter().map(|block| table.call(block)),
                Arc::new(schema),
            )
        }
    }

    impl<A: Element + Cell> ToFrame for Array<A, Ix2> {
        type Names<'a> = &'a [&'a str];

        /// One column for each name; one partition for each block of rows. Columns in several blocks are put
        /// together first.
        ///
        /// # Errors
        /// [`Error`] where two names are equal, and where there are more or fewer than columns.
        ///
        /// # Examples
        /// ```
        /// use musher::prelude::*;
        /// let points = Array::from_array(ndarray::arr2(&[[1.0, 2.0], [3.0, 4.0]]), (1, 2));
        /// let table = points.to_frame(&["x", "y"])?.compute()?;
        /// assert_eq!(table.column("y")?.f64()?.get(1), Some(4.0));
        /// # Ok::<(), Box<dyn std::error::Error>>(())
        /// ```
        #[track_caller]
        fn to_frame(&self, names: &[&str]) -> Result<Frame, Error> {
            check_names(names, self.shape()[1])?;
            let owned: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            let lengths = [self.chunks().axis(0).to_vec(), vec![names.len()]];
            let rows = self.rechunk(musher_array::Chunking::from_lengths(&lengths));
            let table = move |block: Array2<A>| -> Result<DataFrame, PolarsError> {
                let columns =
                    owned.iter().zip(block.columns()).map(|(name, values)| A::column(name, values.to_vec()));
                DataFrame::new(block.nrows(), columns.collect())
            };
            let table = delayed(table).token(&names).fallible().label("to_frame");
            let schema: Schema = names.iter().map(|name| Field::new((*name).into(), A::dtype())).collect();
            Frame::from_delayed(
                rows.to_delayed().into_iter().map(|block| table.call(block)),
                Arc::new(schema),
            )
        }
    }
}
