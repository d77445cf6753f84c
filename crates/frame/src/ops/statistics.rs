//! Columns in one number or a few: products, medians, quantiles, what is most frequent, how columns vary together.

use std::sync::Arc;

use musher_graph_core::{Site, Token, Tokenizer};
use polars::prelude::{
    Column, DataFrame, DataType, Expr, Field, IntoColumn, NamedFrom, PlSmallStr, PolarsResult,
    QuantileMethod, Schema, Series, col, cov, lit, pearson_corr,
};

use crate::error::Error;
use crate::frame::Frame;
use crate::kernel::aggregate::is_number;
use crate::ops::reduce::check_ddof;
use crate::origin::Origin;
use crate::step::PartitionStep;

/// The column of counts that [`Frame::mode`] looks at.
const COUNT: &str = "__musher_count";

impl Frame {
    /// The product of each column of numbers or booleans, as one row of floats; missing values are passed over, and the
    /// product of nothing is 1.
    ///
    /// # Errors
    /// [`Error::Zero`] if there is no such column.
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, polars::prelude::*};
    /// use musher_scheduler::Compute;
    /// let frame = Frame::from_polars(df!("x" => [Some(2), None, Some(5)])?, 2)?;
    /// assert_eq!(frame.product()?.compute()?, df!("x" => [10.0])?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[doc(alias = "prod")]
    pub fn product(&self) -> Result<Self, Error> {
        let origin = Origin { operation: "product", caller: Site::caller() };
        self.each(is_number, |x| x.cast(DataType::Float64).product(), origin)
    }

    /// The median of each column of numbers or booleans, as one row: exact, the mean of the two middle values if there are
    /// as many on either side.
    ///
    /// **Cost** as [`quantile`](Frame::quantile).
    ///
    /// # Errors
    /// [`Error::Zero`] if there is no such column.
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, polars::prelude::*};
    /// use musher_scheduler::Compute;
    /// let frame = Frame::from_polars(df!("x" => [9, 1, 2, 6])?, 2)?;
    /// assert_eq!(frame.median()?.compute()?, df!("x" => [4.0])?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn median(&self) -> Result<Self, Error> {
        self.each(is_number, Expr::median, Origin { operation: "median", caller: Site::caller() })
    }

    /// The quantile at `at`, from 0 to 1, of each column of numbers or booleans, as one row: exact, between two values as
    /// `method` says (pandas' default is `QuantileMethod::Linear`).
    ///
    /// Missing values are passed over; NaN is larger than every number.
    ///
    /// **Cost** one pass; all numbers go to one task, 8 bytes a number.
    ///
    /// # Errors
    /// [`Error::Zero`] if there is no such column; [`Error::Expression`] if `at` is not from 0 to 1.
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, polars::prelude::*};
    /// use musher_scheduler::Compute;
    /// let frame = Frame::from_polars(df!("x" => [4.0, 1.0, 2.0, 3.0])?, 2)?;
    /// assert_eq!(frame.quantile(0.5, QuantileMethod::Linear)?.compute()?, df!("x" => [2.5])?);
    /// assert!(frame.quantile(1.5, QuantileMethod::Linear).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[doc(alias = "percentile")]
    pub fn quantile(&self, at: f64, method: QuantileMethod) -> Result<Self, Error> {
        let origin = Origin { operation: "quantile", caller: Site::caller() };
        self.each(is_number, |x| x.quantile(lit(at), method), origin)
    }

    /// Whether any value of each column of booleans is true, as one row; missing values are passed over.
    ///
    /// # Errors
    /// [`Error::Zero`] if there is no such column.
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, polars::prelude::*};
    /// use musher_scheduler::Compute;
    /// let frame = Frame::from_polars(df!("x" => [Some(false), None, Some(true)])?, 2)?;
    /// assert_eq!(frame.any()?.compute()?, df!("x" => [true])?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn any(&self) -> Result<Self, Error> {
        let origin = Origin { operation: "any", caller: Site::caller() };
        self.each(DataType::is_bool, |x| x.any(true), origin)
    }

    /// Whether all values of each column of booleans are true, as one row; missing values are passed over.
    ///
    /// # Errors
    /// [`Error::Zero`] if there is no such column.
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, polars::prelude::*};
    /// use musher_scheduler::Compute;
    /// let frame = Frame::from_polars(df!("x" => [Some(true), None, Some(true)])?, 2)?;
    /// assert_eq!(frame.all()?.compute()?, df!("x" => [true])?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn all(&self) -> Result<Self, Error> {
        let origin = Origin { operation: "all", caller: Site::caller() };
        self.each(DataType::is_bool, |x| x.all(true), origin)
    }

    /// The skewness of each column of numbers or booleans, as one row: the third central moment over the third power of the
    /// standard deviation; without `bias` times √(n(n − 1)) / (n − 2), as pandas gives it.
    ///
    /// A missing value where there are too few values, NaN where they do not differ.
    ///
    /// # Errors
    /// [`Error::Zero`] if there is no such column.
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, polars::prelude::*};
    /// use musher_scheduler::Compute;
    /// let frame = Frame::from_polars(df!("x" => [1, 2, 3])?, 2)?;
    /// assert_eq!(frame.skew(false)?.compute()?, df!("x" => [0.0])?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn skew(&self, bias: bool) -> Result<Self, Error> {
        self.each(is_number, |x| x.skew(bias), Origin { operation: "skew", caller: Site::caller() })
    }

    /// The kurtosis of each column of numbers or booleans less that of the normal distribution, which is 3, as one row: the
    /// fourth central moment over the square of the variance; without `bias` by k-statistics, as pandas gives it.
    ///
    /// A missing value where there are too few values, NaN where they do not differ.
    ///
    /// # Errors
    /// [`Error::Zero`] if there is no such column.
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, polars::prelude::*};
    /// use musher_scheduler::Compute;
    /// let frame = Frame::from_polars(df!("x" => [1.0, 2.0, 3.0, 4.0])?, 2)?;
    /// let found = frame.kurtosis(true)?.compute()?;
    /// assert!((found.column("x")?.f64()?.get(0).unwrap_or(0.0) + 1.36).abs() < 1e-12);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[doc(alias = "kurt")]
    pub fn kurtosis(&self, bias: bool) -> Result<Self, Error> {
        let origin = Origin { operation: "kurtosis", caller: Site::caller() };
        self.each(is_number, |x| x.kurtosis(true, bias), origin)
    }

    /// The values of a column that occur most often, in order of appearance; missing values do not count.
    ///
    /// **Shape** one column, one partition.
    /// **Cost** that of [`value_counts`](Frame::value_counts).
    ///
    /// # Errors
    /// [`Error::NoColumn`].
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, polars::prelude::*};
    /// use musher_scheduler::Compute;
    /// let frame = Frame::from_polars(df!("x" => ["b", "a", "c", "a", "b"])?, 2)?;
    /// assert_eq!(frame.mode("x")?.compute()?, df!("x" => ["b", "a"])?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn mode(&self, column: &str) -> Result<Self, Error> {
        let origin = Origin { operation: "mode", caller: Site::caller() };
        self.check_column(column, origin)?;
        let counts =
            self.filter_at(col(column).is_not_null(), origin)?.value_counts_at(column, COUNT, origin)?;
        let most = counts.filter_at(col(COUNT).eq(col(COUNT).max()), origin)?;
        most.select_at(&[col(column)], origin)
    }

    /// Pearson's correlation of each pair of columns of numbers or booleans: a row and a column for each, the row's name in
    /// the column `column`.
    ///
    /// Of a pair the rows count in which neither value is missing, as in pandas. NaN where one side does not vary.
    ///
    /// **Shape** one partition, as many rows as there are such columns.
    /// **Cost** one pass; ten numbers a pair and partition travel.
    ///
    /// # Errors
    /// [`Error::Zero`] if there is no such column.
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, polars::prelude::*};
    /// use musher_scheduler::Compute;
    /// let frame = Frame::from_polars(df!("x" => [1.0, 2.0, 3.0], "y" => [2.0, 4.0, 6.0])?, 2)?;
    /// assert_eq!(frame.corr()?.compute()?, df!("column" => ["x", "y"], "x" => [1.0, 1.0], "y" => [1.0, 1.0])?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[doc(alias = "pearson_corr")]
    pub fn corr(&self) -> Result<Self, Error> {
        self.pairs(pearson_corr, 0.0, Origin { operation: "corr", caller: Site::caller() })
    }

    /// The covariance of each pair of columns of numbers or booleans: a row and a column for each, the row's name in the
    /// column `column`: Σ (xᵢ − x̄)(yᵢ − ȳ) / (n − `ddof`).
    ///
    /// Of a pair the rows count in which neither value is missing, as in pandas; missing where n is not greater than `ddof`.
    ///
    /// **Shape** and **cost** as [`corr`](Frame::corr).
    ///
    /// # Errors
    /// [`Error::Zero`] if there is no such column, [`Error::Ddof`] if `ddof` is negative or NaN.
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, polars::prelude::*};
    /// use musher_scheduler::Compute;
    /// let frame = Frame::from_polars(df!("x" => [1.0, 2.0, 3.0], "y" => [2.0, 4.0, 6.0])?, 2)?;
    /// assert_eq!(frame.cov(1.0)?.compute()?, df!("column" => ["x", "y"], "x" => [1.0, 2.0], "y" => [2.0, 4.0])?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn cov(&self, ddof: f64) -> Result<Self, Error> {
        let origin = Origin { operation: "cov", caller: Site::caller() };
        check_ddof(ddof, origin)?;
        let covariance = move |x: Expr, y: Expr| {
            // polars takes small whole numbers, which nearly all are.
            if ddof.fract() == 0.0 && ddof <= f64::from(u8::MAX) {
                return cov(x, y, ddof as u8);
            }
            let both = x.clone().is_not_null().and(y.clone().is_not_null());
            let n = both.sum().cast(DataType::Float64);
            let left = n.clone() - lit(ddof);
            let scaled = cov(x, y, 0) * n / left.clone();
            polars::prelude::when(left.gt(lit(0.0))).then(scaled).otherwise(lit(polars::prelude::NULL))
        };
        self.pairs(covariance, ddof, origin)
    }

    /// A number of each pair of columns of numbers, as a matrix.
    fn pairs(&self, of: impl Fn(Expr, Expr) -> Expr, parameter: f64, origin: Origin) -> Result<Self, Error> {
        let numbers = self.schema.iter().filter(|(_, dtype)| is_number(dtype));
        let names: Vec<PlSmallStr> = numbers.map(|(name, _)| name.clone()).collect();
        let mut pairs = Vec::new();
        for (i, x) in names.iter().enumerate() {
            for (j, y) in names.iter().enumerate().skip(i) {
                let pair = of(col(x.clone()), col(y.clone())).cast(DataType::Float64);
                pairs.push(pair.alias(cell(i, j)));
            }
        }
        if pairs.is_empty() {
            let what = "the number of columns that this can be computed of";
            return Err(Error::Zero { operation: origin.operation, what, caller: origin.caller });
        }
        let row = self.aggregate_at(&pairs, origin)?;
        let mut schema = Schema::from_iter([Field::new("column".into(), DataType::String)]);
        names.iter().for_each(|name| drop(schema.with_column(name.clone(), DataType::Float64)));
        let schema = Arc::new(schema);
        let enter = |tokenizer: &mut Tokenizer| {
            tokenizer.name("frame.pairs/1");
            parameter.to_bits().token(tokenizer);
        };
        let function = Arc::new(move |row| Ok(matrix(&row, &names)?));
        let step = PartitionStep::map(origin.operation, enter, Arc::clone(&schema), function);
        Ok(row.then(step, schema, false, origin))
    }
}

/// The name of a cell of the matrix while all lie side by side.
fn cell(i: usize, j: usize) -> String {
    format!("{}:{}", i.min(j), i.max(j))
}

/// The matrix with a row and a column for each name, from the row that holds its upper half.
fn matrix(row: &DataFrame, names: &[PlSmallStr]) -> PolarsResult<DataFrame> {
    let texts: Vec<&str> = names.iter().map(PlSmallStr::as_str).collect();
    let mut columns: Vec<Column> = vec![Series::new("column".into(), texts).into_column()];
    for (i, name) in names.iter().enumerate() {
        let value = |j| Ok(row.column(&cell(i, j))?.f64()?.get(0));
        let values = (0..names.len()).map(value).collect::<PolarsResult<Vec<_>>>()?;
        columns.push(Series::new(name.clone(), values).into_column());
    }
    DataFrame::new_infer_height(columns)
}
