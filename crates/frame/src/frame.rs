//! The frame: a table in partitions, of which each is a polars table.

use std::fmt;
use std::sync::Arc;

use musher_graph_core::{
    AxisMap, ChunkRef, Collection, Delayed, FnTask, Forward, Grid, Grouping, Held, Inputs, Layer, Level,
    Place, Port, Site, TaskError, Token, Value, Wiring, delayed, tree_of,
};
use polars::prelude::{DataFrame, DataType, LazyFrame, PlSmallStr, Schema, SchemaRef};

use crate::border::stack;
use crate::check::{compare_schemas, empty, resolve};
use crate::error::Error;
use crate::ops::Sorted;
use crate::origin::Origin;
use crate::partition::Partition;
use crate::read::{CsvOptions, CsvSource, ParquetOptions, ParquetSource, PartReader};
use crate::step::PartitionStep;
use crate::task::{PartitionTask, Rows};

/// A table in partitions; lazy, cheap to clone.
///
/// Its columns and their types are known when it is built, so expressions that do not fit fail at the line that
/// wrote them. Partitions are in order, and so are their rows.
///
/// # Examples
/// ```
/// use musher_frame::{Frame, polars::prelude::*};
/// use musher_scheduler::Compute;
///
/// let frame = Frame::from_polars(df!("city" => ["a", "b", "a", "b"], "size" => [1, 2, 3, 4])?, 2)?;
/// let sizes = frame.filter(col("size").gt(lit(1)))?.group_by([col("city")])?.agg([col("size").sum()])?;
/// let sizes: DataFrame = sizes.compute()?;
/// assert_eq!(sizes, df!("city" => ["b", "a"], "size" => [6_i64, 3])?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
#[doc(alias = "DataFrame")]
#[doc(alias = "info")]
pub struct Frame {
    pub(crate) port: Port,
    pub(crate) schema: SchemaRef,
    /// Rows of each partition, where they are known.
    pub(crate) lengths: Option<Arc<[usize]>>,
    /// By which column the rows are sorted, where that is known.
    pub(crate) sorted: Option<Arc<Sorted>>,
}

impl Frame {
    /// Splits a table into partitions whose lengths differ by at most one row.
    ///
    /// **Cost** none: the partitions share the table's memory.
    ///
    /// # Errors
    /// [`Error::Zero`] for no partitions.
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, polars::prelude::*};
    /// let frame = Frame::from_polars(df!("x" => [1, 2, 3])?, 2)?;
    /// assert_eq!(frame.lengths(), Some([1, 2].as_slice()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[doc(alias = "from_pandas")]
    pub fn from_polars(table: DataFrame, n_partitions: usize) -> Result<Self, Error> {
        let caller = Site::caller();
        if n_partitions == 0 {
            return Err(Error::Zero { operation: "from_polars", what: "n_partitions", caller });
        }
        Ok(Self::held(table, n_partitions, caller))
    }

    fn held(table: DataFrame, n_partitions: usize, caller: Site) -> Self {
        let start = |i: usize| i * table.height() / n_partitions;
        let lengths: Arc<[usize]> = (0..n_partitions).map(|i| start(i + 1) - start(i)).collect();
        let slice = |i: usize| table.slice(start(i) as i64, lengths[i]);
        let chunks = (0..n_partitions).map(|i| Arc::new(Partition(slice(i))) as ChunkRef).collect();
        let held = Layer::build(Held::new("from_polars", chunks, None)).caller(caller);
        let layer = held.finish(Grid::from([n_partitions]));
        Self {
            port: Port::of(layer),
            schema: Arc::clone(table.schema()),
            lengths: Some(lengths),
            sorted: None,
        }
    }

    /// One partition for each delayed table; all must have this schema, which is checked when they are computed.
    ///
    /// # Errors
    /// [`Error::Zero`] for no tables.
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, polars::prelude::*};
    /// use musher_graph_core::delayed;
    /// use musher_scheduler::Compute;
    /// fn month(number: i64) -> DataFrame { df!("month" => [number]).expect("one column") }
    /// let parts = (1..=12).map(|number| delayed(month).call(number));
    /// let schema = Schema::from_iter([Field::new("month".into(), DataType::Int64)]);
    /// let year = Frame::from_delayed(parts, schema.into())?;
    /// assert_eq!(year.compute()?.height(), 12);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn from_delayed(
        parts: impl IntoIterator<Item = Delayed<DataFrame>>,
        schema: SchemaRef,
    ) -> Result<Self, Error> {
        let caller = Site::caller();
        let promised = Arc::clone(&schema);
        let task = FnTask::new("from_delayed", move |_at: Place<'_>, inputs: &mut Inputs<'_>| {
            let table = inputs.take::<Value<DataFrame>>(0)?;
            let table = Arc::try_unwrap(table).map_or_else(|shared| shared.0.clone(), |own| own.0);
            compare_schemas(&promised, table.schema())
                .map_err(|difference| Error::Declared { place: "from_delayed".to_owned(), difference })?;
            Ok(Partition(table))
        });
        let mut layer = Layer::build(task).caller(caller);
        let mut n_partitions = 0;
        for part in parts {
            let port = part.port();
            let wiring = Wiring::axes((0..port.grid().ndim()).map(|_| AxisMap::Fixed(0)));
            layer = layer.part(port, &[n_partitions], &[1], wiring);
            n_partitions += 1;
        }
        if n_partitions == 0 {
            return Err(Error::Zero { operation: "from_delayed", what: "the number of tables", caller });
        }
        Ok(Self {
            port: Port::of(layer.finish(Grid::from([n_partitions]))),
            schema,
            lengths: None,
            sorted: None,
        })
    }

    /// One partition for each argument: what a function makes of it; all must have this schema, which is checked when they
    /// are computed.
    ///
    /// A function that captures nothing is taken to be pure.
    ///
    /// # Errors
    /// [`Error::Zero`] for no arguments.
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, polars::prelude::*};
    /// use musher_scheduler::Compute;
    /// let schema = Schema::from_iter([Field::new("month".into(), DataType::Int64)]);
    /// let month = |number: i64| df!("month" => [number]).expect("one column");
    /// let year = Frame::from_map(month, 1..=12_i64, schema.into())?;
    /// assert_eq!((year.n_partitions(), year.compute()?.height()), (12, 12));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn from_map<F, A>(
        function: F,
        arguments: impl IntoIterator<Item = A>,
        schema: SchemaRef,
    ) -> Result<Self, Error>
    where
        F: Fn(A) -> DataFrame + Clone + Send + Sync + 'static,
        A: Token + Clone + Send + Sync + 'static,
    {
        let part = |argument| delayed(function.clone()).label("from_map").call(argument);
        Self::from_delayed(arguments.into_iter().map(part), schema)
    }

    /// Delimited text files that a pattern means, in natural order of their names, in blocks of bytes.
    ///
    /// Patterns are those of [`find`](musher_scheduler::files::find); a folder stands for the text files in it (`.csv`,
    /// `.tsv`, `.txt`, `.gz`, `.zst`). What is read, and how, is a path or a pattern, or [`CsvOptions`] made of one.
    /// Files compressed by gzip or Zstandard are decoded whole and are one partition each.
    ///
    /// **Cost** when built: the start of each file, and a sample. When computed: each block once, and of its
    /// columns only those that are needed are parsed.
    ///
    /// # Errors
    /// [`Error::Find`] where files cannot be found, [`Error::Columns`] where headers differ, [`Error::Line`] and
    /// [`Error::Malformed`] where the sample does not parse, [`Error::NoColumn`] for a type of a column that is not
    /// there; on computing [`Error::Line`] and [`Error::Record`] name file and line of what does not fit, and
    /// [`Error::File`] a file that has changed.
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{CsvOptions, Frame};
    /// use musher_scheduler::Compute;
    /// # let directory = tempfile::tempdir()?;
    /// # let directory = directory.path();
    /// std::fs::write(directory.join("part-1.csv"), "name,size\na,1\nb,2\n")?;
    /// std::fs::write(directory.join("part-2.csv"), "name,size\nc,3\n")?;
    /// assert_eq!(Frame::read_csv(directory.join("part-*.csv"))?.compute()?.height(), 3);
    ///
    /// std::fs::write(directory.join("b.txt"), "name;size\na;NA\nb;2\n")?;
    /// let frame = Frame::read_csv(CsvOptions::new(directory.join("b.txt")).separator(b';').null_values(["NA"]))?;
    /// assert!(frame.schema().get("size").is_some_and(|dtype| dtype.is_integer()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[doc(alias = "read_table")]
    #[doc(alias = "scan_csv")]
    pub fn read_csv(files: impl Into<CsvOptions>) -> Result<Self, Error> {
        let origin = Origin { operation: "read_csv", caller: Site::caller() };
        Ok(Self::files(Arc::new(CsvSource::open(files.into(), origin)?), origin))
    }

    /// Parquet files that a pattern means, in natural order of their names, in row groups.
    ///
    /// Patterns are those of [`find`](musher_scheduler::files::find); a folder stands for the files in it that end in
    /// `.parquet` or `.pq`. The files say how many rows they have, so [`lengths`](Frame::lengths) are known.
    ///
    /// **Cost** when built: the footer of each file. When computed: only the columns that are needed are read.
    ///
    /// # Errors
    /// [`Error::Find`] where files cannot be found, [`Error::Schemas`] where columns differ, [`Error::Malformed`] for
    /// what is no Parquet; on computing [`Error::File`] where a file has changed.
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, ParquetOptions, polars::prelude::*};
    /// use musher_scheduler::Compute;
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("numbers");
    /// Frame::from_polars(df!("x" => [1, 2, 3])?, 2)?.to_parquet(&path)?.compute()?;
    /// assert_eq!(Frame::read_parquet(&path)?.lengths(), Some([1, 2].as_slice()));
    /// let small = ParquetOptions::new(&path).partition_bytes(1);
    /// assert_eq!(Frame::read_parquet(small)?.n_partitions(), 2, "at least one for each file");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[doc(alias = "scan_parquet")]
    pub fn read_parquet(files: impl Into<ParquetOptions>) -> Result<Self, Error> {
        let origin = Origin { operation: "read_parquet", caller: Site::caller() };
        Ok(Self::files(Arc::new(ParquetSource::open(&files.into(), origin)?), origin))
    }

    fn files(source: Arc<dyn PartReader>, origin: Origin) -> Self {
        let n_parts = source.n_parts();
        let schema = Arc::clone(source.schema());
        let lengths = source.lengths().map(Arc::from);
        let parts = (0..n_parts as u32).collect();
        let task = PartitionTask::new(Rows::Files { source, parts, label: origin.operation }, Vec::new());
        let layer = Layer::build(task).caller(origin.caller).finish(Grid::from([n_parts]));
        Self { port: Port::of(layer), schema, lengths, sorted: None }
    }

    /// The partitions one by one, as delayed polars tables.
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, polars::prelude::*};
    /// use musher_graph_core::delayed;
    /// use musher_scheduler::Compute;
    /// let frame = Frame::from_polars(df!("x" => [1, 2, 3])?, 2)?;
    /// fn height(table: &DataFrame) -> usize { table.height() }
    /// let heights: Vec<_> = frame.to_delayed().into_iter().map(|part| delayed(height).call(part)).collect();
    /// assert_eq!(heights[1].compute()?, 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn to_delayed(&self) -> Vec<Delayed<DataFrame>> {
        let caller = Site::caller();
        let one = |i: usize| {
            let task = FnTask::new("to_delayed", |_at: Place<'_>, inputs: &mut Inputs<'_>| {
                Ok(Value(inputs.take::<Partition>(0)?.0.clone()))
            })
            .named("frame.to_delayed/1");
            let layer =
                Layer::build(task).caller(caller).input(&self.port, Wiring::axes([AxisMap::Fixed(i)]));
            Delayed::from_port(Port::of(layer.finish(Grid::scalar())))
        };
        (0..self.n_partitions()).map(one).collect()
    }

    /// Names and types of the columns.
    #[doc(alias = "dtypes")]
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Names of the columns.
    pub fn columns(&self) -> Vec<&str> {
        self.schema.iter_names().map(PlSmallStr::as_str).collect()
    }

    /// Number of partitions.
    #[doc(alias = "npartitions")]
    pub fn n_partitions(&self) -> usize {
        self.port.grid().n_tasks()
    }

    /// Rows of each partition, where files or earlier steps say them.
    pub fn lengths(&self) -> Option<&[usize]> {
        self.lengths.as_deref()
    }

    /// A frame of the selected partitions.
    ///
    /// # Errors
    /// [`Error::NoPartition`] for a number that is too large, [`Error::Zero`] for no partitions.
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, polars::prelude::*};
    /// use musher_scheduler::Compute;
    /// let frame = Frame::from_polars(df!("x" => [1, 2, 3])?, 3)?;
    /// assert_eq!(frame.partitions([2, 0])?.compute()?, df!("x" => [3, 1])?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[doc(alias = "get_partition")]
    pub fn partitions(&self, indices: impl IntoIterator<Item = usize>) -> Result<Self, Error> {
        let origin = Origin { operation: "partitions", caller: Site::caller() };
        self.partitions_at(indices, origin)
    }

    pub(crate) fn partitions_at(
        &self,
        indices: impl IntoIterator<Item = usize>,
        origin: Origin,
    ) -> Result<Self, Error> {
        let Origin { operation, caller } = origin;
        let n_partitions = self.n_partitions();
        let table: Vec<u32> = indices
            .into_iter()
            .map(|index| match index < n_partitions {
                true => Ok(index as u32),
                false => Err(Error::NoPartition { operation, index, n_partitions, caller }),
            })
            .collect::<Result<_, _>>()?;
        if table.is_empty() {
            return Err(Error::Zero { operation, what: "the number of partitions", caller });
        }
        let lengths = self.lengths.as_ref();
        let lengths = lengths.map(|lengths| table.iter().map(|&index| lengths[index as usize]).collect());
        let sorted = self.sorted.as_ref().and_then(|sorted| sorted.of_partitions(&table));
        let grid = Grid::from([table.len()]);
        let wiring = Wiring::axes([AxisMap::Lookup { axis: 0, table: table.into() }]);
        let task = PartitionTask::new(Rows::Input { slot: 0 }, Vec::new());
        let layer = Layer::build(task).caller(caller).input(&self.port, wiring).finish(grid);
        Ok(Self { port: Port::of(layer), schema: Arc::clone(&self.schema), lengths, sorted })
    }

    /// Stacks frames with the same columns vertically.
    ///
    /// # Errors
    /// [`Error::Schemas`] where columns differ, [`Error::Zero`] for no frames.
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, polars::prelude::*};
    /// use musher_scheduler::Compute;
    /// let (a, b) = (Frame::from(df!("x" => [1])?), Frame::from(df!("x" => [2])?));
    /// assert_eq!(Frame::concat([&a, &b])?.compute()?, df!("x" => [1, 2])?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn concat<'a>(frames: impl IntoIterator<Item = &'a Self>) -> Result<Self, Error> {
        let origin = Origin { operation: "concat", caller: Site::caller() };
        Self::concat_at(&frames.into_iter().collect::<Vec<_>>(), origin)
    }

    pub(crate) fn concat_at(frames: &[&Self], origin: Origin) -> Result<Self, Error> {
        let Origin { operation, caller } = origin;
        let Some(first) = frames.first() else {
            return Err(Error::Zero { operation, what: "the number of frames", caller });
        };
        let mut layer = Layer::build(Forward::new(operation)).caller(caller);
        let mut start = 0;
        for (number, frame) in frames.iter().enumerate() {
            compare_schemas(&first.schema, &frame.schema).map_err(|difference| {
                let place = format!("frame {number}");
                Error::Schemas { operation, place, difference, caller }
            })?;
            layer = layer.part(&frame.port, &[start], &[frame.n_partitions()], Wiring::one_to_one(1));
            start += frame.n_partitions();
        }
        let lengths: Option<Vec<&[usize]>> = frames.iter().map(|frame| frame.lengths()).collect();
        let lengths = lengths.map(|lengths| lengths.concat().into());
        Ok(Self {
            port: Port::of(layer.finish(Grid::from([start]))),
            schema: Arc::clone(&first.schema),
            lengths,
            sorted: None,
        })
    }

    /// This frame with one more step in every partition.
    pub(crate) fn then(
        &self,
        step: PartitionStep,
        schema: SchemaRef,
        keeps_rows: bool,
        origin: Origin,
    ) -> Self {
        let layer = Layer::build(PartitionTask::step(step)).caller(origin.caller);
        let layer = layer.input(&self.port, Wiring::one_to_one(1)).finish(self.port.grid().clone());
        Self {
            port: Port::of(layer),
            schema,
            lengths: self.lengths.clone().filter(|_| keeps_rows),
            sorted: None,
        }
    }

    /// This frame with one more slot and step in every partition, which reads the only partition of another frame.
    pub(crate) fn then_with(
        &self,
        step: PartitionStep,
        right: &Self,
        schema: SchemaRef,
        origin: Origin,
    ) -> Self {
        self.wired_with(step, right, Wiring::axes([AxisMap::Fixed(0)]), schema, origin)
    }

    /// The same with the partition of the same number of another frame, which has as many.
    pub(crate) fn then_with_each(
        &self,
        step: PartitionStep,
        right: &Self,
        schema: SchemaRef,
        origin: Origin,
    ) -> Self {
        self.wired_with(step, right, Wiring::one_to_one(1), schema, origin)
    }

    fn wired_with(
        &self,
        step: PartitionStep,
        right: &Self,
        wiring: Wiring,
        schema: SchemaRef,
        origin: Origin,
    ) -> Self {
        let layer = Layer::build(PartitionTask::step(step)).caller(origin.caller);
        let layer = layer.input(&self.port, Wiring::one_to_one(1)).input(&right.port, wiring);
        let layer = layer.finish(self.port.grid().clone());
        Self { port: Port::of(layer), schema, lengths: None, sorted: None }
    }

    /// One partition of all: groups of partitions are stacked and put through `combine` until one is left, which
    /// ends with `finish`.
    pub(crate) fn tree(
        &self,
        combine: &[PartitionStep],
        finish: Vec<PartitionStep>,
        schema: SchemaRef,
        origin: Origin,
    ) -> Self {
        let port = tree_of(&self.port, &[true], Grouping::Lines, Grid::from([1]), origin.caller, |level| {
            let steps = match level {
                Level::Between => combine.to_vec(),
                Level::Last => combine.iter().chain(&finish).cloned().collect(),
            };
            Arc::new(PartitionTask::new(Rows::Stack { slot: 0 }, steps))
        });
        Self { port, schema, lengths: None, sorted: None }
    }

    /// A table of this frame's columns without rows, as a lazy frame to check expressions on.
    pub(crate) fn nothing(&self) -> LazyFrame {
        empty(&self.schema)
    }

    /// The schema of a lazy frame over [`nothing`](Frame::nothing).
    pub(crate) fn resolved(lazy: LazyFrame, origin: Origin) -> Result<SchemaRef, Error> {
        resolve(lazy, origin)
    }

    /// Fails unless there is a column of this name.
    pub(crate) fn check_column(&self, column: &str, origin: Origin) -> Result<&DataType, Error> {
        self.schema.get(column).ok_or_else(|| Error::NoColumn {
            operation: origin.operation,
            column: column.to_owned(),
            columns: self.columns().into_iter().map(str::to_owned).collect(),
            caller: origin.caller,
        })
    }
}

impl From<DataFrame> for Frame {
    /// The table as one partition.
    #[track_caller]
    fn from(table: DataFrame) -> Self {
        Self::held(table, 1, Site::caller())
    }
}

impl From<&Frame> for Frame {
    fn from(frame: &Frame) -> Self {
        frame.clone()
    }
}

impl Collection for Frame {
    type Output = DataFrame;

    fn port(&self) -> &Port {
        &self.port
    }

    /// All partitions stacked, each column in one piece of memory.
    fn gather(&self, chunks: Vec<ChunkRef>) -> Result<DataFrame, TaskError> {
        let mut chunks: Vec<_> = chunks.into_iter().map(Some).collect();
        let ends = [chunks.len() as u32];
        let inputs = Inputs::new(&mut chunks, &ends);
        let partitions = inputs.slot::<Partition>(0)?;
        Ok(stack(|| "gather".to_owned(), partitions.iter().map(|partition| &partition.0))?)
    }

    fn with_port(&self, port: Port) -> Self {
        Self { port, ..self.clone() }
    }
}

impl fmt::Display for Frame {
    /// Number of partitions, of rows where it is known, and the columns with their types.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let n = self.n_partitions();
        write!(f, "Frame of {n} {}", if n == 1 { "partition" } else { "partitions" })?;
        if let Some(lengths) = self.lengths() {
            write!(f, ", {} rows", lengths.iter().sum::<usize>())?;
        }
        let width = self.schema.iter_names().map(|name| name.chars().count()).max().unwrap_or(0);
        self.schema.iter().try_for_each(|(name, dtype)| write!(f, "\n  {name:width$}  {dtype}"))
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let schema: &Schema = &self.schema;
        f.debug_struct("Frame")
            .field("n_partitions", &self.n_partitions())
            .field("lengths", &self.lengths)
            .field("schema", schema)
            .finish_non_exhaustive()
    }
}
