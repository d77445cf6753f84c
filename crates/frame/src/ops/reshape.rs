//! Rows to columns and columns to rows.

use std::sync::Arc;

use musher_graph_core::Site;
use polars::prelude::{
    DataType, ExplodeOptions, Expr, NamedFrom, PlSmallStr, Series, by_name, col, concat_list, lit, polars_err,
};

use crate::error::Error;
use crate::frame::Frame;
use crate::origin::Origin;
use crate::step::PartitionStep;

impl Frame {
    /// A row for each element of the lists in these columns, the other columns repeated; an empty list and a missing one are
    /// a row with a missing value.
    ///
    /// Lists of several columns must be of equal lengths in each row.
    ///
    /// **Shape** the same partitions.
    /// **Cost** one pass.
    ///
    /// # Errors
    /// [`Error::NoColumn`]; [`Error::Zero`] for no columns; [`Error::Expression`] for a column without lists; on computing
    /// [`Error::Polars`] where lengths differ.
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, polars::prelude::*};
    /// use musher_scheduler::Compute;
    /// let frame = Frame::from_polars(df!("name" => ["a", "b"], "words" => ["x y", "z"])?, 2)?;
    /// let words = frame.with_columns([col("words").str().split(lit(" "))])?.explode(["words"])?;
    /// assert_eq!(words.compute()?, df!("name" => ["a", "a", "b"], "words" => ["x", "y", "z"])?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn explode<'a>(&self, columns: impl IntoIterator<Item = &'a str>) -> Result<Self, Error> {
        let origin = Origin { operation: "explode", caller: Site::caller() };
        let columns: Vec<&str> = columns.into_iter().collect();
        self.exploded(&columns, origin)
    }

    fn exploded(&self, columns: &[&str], origin: Origin) -> Result<Self, Error> {
        if columns.is_empty() {
            let what = "the number of columns";
            return Err(Error::Zero { operation: origin.operation, what, caller: origin.caller });
        }
        for column in columns {
            let dtype = self.check_column(column, origin)?;
            // polars leaves what is no list as it is.
            if !matches!(dtype, DataType::List(_) | DataType::Array(..)) {
                let source =
                    polars_err!(InvalidOperation: "column \"{column}\" is {dtype}, which holds no lists");
                return Err(Error::Expression { operation: origin.operation, caller: origin.caller, source });
            }
        }
        let names: Vec<PlSmallStr> = columns.iter().map(|name| PlSmallStr::from(*name)).collect();
        let options = ExplodeOptions { empty_as_null: true, keep_nulls: true };
        let lazy = self.nothing().explode(by_name(names.iter().cloned(), true, false), options);
        let schema = Self::resolved(lazy, origin)?;
        Ok(self.then(PartitionStep::explode(names, options), schema, false, origin))
    }

    /// A row for each of the columns `on`: the columns `index`, the name of the column in `variable`, its value in `value`.
    ///
    /// All columns but those of `index` are `on`, if none is named. The values get a type that holds all of theirs. The rows
    /// that come from one row stand together, which any partitions give alike; pandas and polars put those of one column
    /// together, as a sort by `variable` does.
    ///
    /// **Shape** the same partitions.
    /// **Cost** one pass.
    ///
    /// # Errors
    /// [`Error::NoColumn`]; [`Error::Zero`] if there is no column to go on; [`Error::Expression`] where no type holds all
    /// values, or a name would stand twice.
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, polars::prelude::*};
    /// use musher_scheduler::Compute;
    /// let frame = Frame::from_polars(df!("day" => [1, 2], "in" => [5, 6], "out" => [7, 8])?, 2)?;
    /// let long = frame.unpivot([], ["day"])?;
    /// let expected = df!("day" => [1, 1, 2, 2], "variable" => ["in", "out", "in", "out"], "value" => [5, 7, 6, 8])?;
    /// assert_eq!(long.compute()?, expected);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[doc(alias = "melt")]
    #[doc(alias = "stack")]
    #[doc(alias = "wide_to_long")]
    pub fn unpivot<'a>(
        &self,
        on: impl IntoIterator<Item = &'a str>,
        index: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, Error> {
        let origin = Origin { operation: "unpivot", caller: Site::caller() };
        let index: Vec<&str> = index.into_iter().collect();
        let mut on: Vec<&str> = on.into_iter().collect();
        index.iter().chain(&on).try_for_each(|column| self.check_column(column, origin).map(drop))?;
        if on.is_empty() {
            on = self.columns().into_iter().filter(|column| !index.contains(column)).collect();
        }
        if on.is_empty() {
            let what = "the number of columns to become rows";
            return Err(Error::Zero { operation: origin.operation, what, caller: origin.caller });
        }
        let wrong = |source| Error::Expression { operation: origin.operation, caller: origin.caller, source };
        if let Some(list) = on.iter().find(|column| self.schema.get(column).is_some_and(DataType::is_nested))
        {
            return Err(wrong(
                polars_err!(InvalidOperation: "column \"{list}\" is nested, which cannot become rows"),
            ));
        }
        let names = lit(Series::new("variable".into(), &on)).implode(true).alias("variable");
        let values = on.iter().map(|column| col(*column)).collect::<Vec<_>>();
        let values = concat_list(values).map_err(wrong)?.alias("value");
        let columns: Vec<Expr> = index.into_iter().map(col).chain([names, values]).collect();
        let lists = self.select_at(&columns, origin)?;
        lists.exploded(&["variable", "value"], origin)
    }

    /// A row for each combination of the keys `index`, in order of appearance, and a column for each of the `categories` of
    /// the column `on`: what `aggregate` makes of the values of `values` in the rows that have both.
    ///
    /// `aggregate` makes of an expression one that has a state, as [`GroupBy::agg`](crate::GroupBy::agg) says: `Expr::sum`,
    /// `|x| x.first()`. Categories are compared as texts; what is none of them is left out.
    ///
    /// **Shape** one partition.
    /// **Cost** that of [`GroupBy::agg`](crate::GroupBy::agg), with an aggregate for each category.
    ///
    /// # Errors
    /// [`Error::NoColumn`]; [`Error::NotDecomposable`] for an aggregate without a state; else those of
    /// [`GroupBy::agg`](crate::GroupBy::agg).
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, polars::prelude::*};
    /// use musher_scheduler::Compute;
    /// let table = df!("day" => [1, 1, 2, 2, 2], "city" => ["a", "b", "a", "b", "b"], "n" => [1, 2, 3, 4, 5])?;
    /// let frame = Frame::from_polars(table, 3)?;
    /// let wide = frame.pivot([col("day")], "city", ["a", "b"], "n", Expr::sum)?;
    /// assert_eq!(wide.compute()?, df!("day" => [1, 2], "a" => [1_i64, 3], "b" => [2_i64, 9])?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[doc(alias = "pivot_table")]
    #[doc(alias = "unstack")]
    #[doc(alias = "crosstab")]
    pub fn pivot<'a>(
        &self,
        index: impl AsRef<[Expr]>,
        on: &str,
        categories: impl IntoIterator<Item = &'a str>,
        values: &str,
        aggregate: impl Fn(Expr) -> Expr,
    ) -> Result<Self, Error> {
        let origin = Origin { operation: "pivot", caller: Site::caller() };
        [on, values].iter().try_for_each(|column| self.check_column(column, origin).map(drop))?;
        let cell = |category: &str| {
            let chosen = col(values).filter(self.text_of(on).eq(lit(category)));
            aggregate(chosen).alias(category)
        };
        let cells: Vec<Expr> = categories.into_iter().map(cell).collect();
        self.group_by(index)?.agg_in_one(&cells, origin)
    }

    /// Instead of a column one for each of its `categories`, named `column_category`: 1 where the column has it, else 0.
    ///
    /// Categories are compared as texts. A missing value has none. The new columns are of type `UInt8` and stand last.
    ///
    /// **Shape** the same rows and partitions.
    /// **Cost** one pass.
    ///
    /// # Errors
    /// [`Error::NoColumn`]; [`Error::Zero`] for no categories; [`Error::Expression`] where the column is no text and cannot
    /// become one, or a name would stand twice.
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, polars::prelude::*};
    /// use musher_scheduler::Compute;
    /// let frame = Frame::from_polars(df!("x" => [1, 2, 3], "city" => [Some("a"), None, Some("b")])?, 2)?;
    /// let dummies = frame.to_dummies("city", ["a", "b"])?;
    /// assert_eq!(dummies.compute()?, df!("x" => [1, 2, 3], "city_a" => [1_u8, 0, 0], "city_b" => [0_u8, 0, 1])?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[doc(alias = "get_dummies")]
    #[doc(alias = "one_hot")]
    pub fn to_dummies<'a>(
        &self,
        column: &str,
        categories: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, Error> {
        let origin = Origin { operation: "to_dummies", caller: Site::caller() };
        self.check_column(column, origin)?;
        let dummy = |category: &str| {
            let has = self.text_of(column).eq_missing(lit(category));
            has.cast(DataType::UInt8).alias(format!("{column}_{category}"))
        };
        let dummies: Vec<Expr> = categories.into_iter().map(dummy).collect();
        if dummies.is_empty() {
            let what = "the number of categories";
            return Err(Error::Zero { operation: origin.operation, what, caller: origin.caller });
        }
        let others = self.columns().into_iter().filter(|other| *other != column).map(col);
        let columns: Vec<Expr> = others.chain(dummies).collect();
        self.select_at(&columns, origin)
    }

    /// A column as texts.
    fn text_of(&self, column: &str) -> Expr {
        match self.schema.get(column) {
            Some(DataType::String) => col(column),
            _ => col(column).cast(DataType::String),
        }
    }

    /// The bytes that each column takes in memory, as one row of `UInt64`: polars' estimate, in which buffers that columns
    /// share are counted for each.
    ///
    /// **Cost** one pass. [`memory_usage_per_partition`](Frame::memory_usage_per_partition) says it for each partition.
    ///
    /// # Errors
    /// [`Error::Zero`] if there are no columns.
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, polars::prelude::*};
    /// use musher_scheduler::Compute;
    /// let frame = Frame::from_polars(df!("x" => [1_i64, 2, 3], "y" => [1_i8, 2, 3])?, 2)?;
    /// assert_eq!(frame.memory_usage()?.compute()?, df!("x" => [24_u64], "y" => [3_u64])?);
    /// assert_eq!(frame.memory_usage_per_partition()?.compute()?, df!("x" => [8_u64, 16], "y" => [1_u64, 2])?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[doc(alias = "nbytes")]
    #[doc(alias = "estimated_size")]
    pub fn memory_usage(&self) -> Result<Self, Error> {
        let origin = Origin { operation: "memory_usage", caller: Site::caller() };
        self.memory_usage_at(origin)?.each(|_| true, Expr::sum, origin)
    }

    /// The bytes that each column takes in memory, as a row of `UInt64` for each partition, as
    /// [`memory_usage`](Frame::memory_usage).
    ///
    /// # Errors
    /// [`Error::Zero`] if there are no columns.
    #[track_caller]
    pub fn memory_usage_per_partition(&self) -> Result<Self, Error> {
        self.memory_usage_at(Origin { operation: "memory_usage_per_partition", caller: Site::caller() })
    }

    fn memory_usage_at(&self, origin: Origin) -> Result<Self, Error> {
        if self.schema.is_empty() {
            let what = "the number of columns";
            return Err(Error::Zero { operation: origin.operation, what, caller: origin.caller });
        }
        let sizes = self.schema.iter_names().map(|name| (name.clone(), DataType::UInt64));
        let schema = Arc::new(sizes.collect());
        let step = PartitionStep::sizes(Arc::clone(&schema));
        let mut sizes = self.then(step, schema, false, origin);
        sizes.lengths = Some(vec![1; self.n_partitions()].into());
        Ok(sizes)
    }
}
