//! Some rows by their place or their rank, and rows moved between partitions.

use std::borrow::Cow;
use std::sync::Arc;

use musher_graph_core::{
    AxisMap, Chunk, Codec, Facts, FnTask, Grid, Inputs, Layer, Output, Place, Port, Site, Task, TaskError,
    Token, Tokenizer, Wiring,
};
use polars::prelude::{DataFrame, Expr};

use crate::border::{Escape, collect, stack};
use crate::error::Error;
use crate::frame::Frame;
use crate::origin::Origin;
use crate::partition::Partition;
use crate::read::{PartBytes, PartReader, scan};
use crate::step::PartitionStep;
use crate::task::{PartitionTask, Rows};

impl Frame {
    /// The first `n` rows.
    ///
    /// **Shape** one partition.
    /// **Cost** as many partitions as it takes, where lengths are known or rows come from files; else all.
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, polars::prelude::*};
    /// use musher_scheduler::Compute;
    /// let frame = Frame::from_polars(df!("x" => [1, 2, 3])?, 3)?;
    /// assert_eq!(frame.head(2).compute()?, df!("x" => [1, 2])?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[must_use]
    #[doc(alias = "limit")]
    pub fn head(&self, n: u32) -> Self {
        self.end(End::Head, n, Origin { operation: "head", caller: Site::caller() })
    }

    /// The last `n` rows.
    ///
    /// **Shape** one partition.
    /// **Cost** as [`head`](Frame::head).
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, polars::prelude::*};
    /// use musher_scheduler::Compute;
    /// let frame = Frame::from_polars(df!("x" => [1, 2, 3])?, 3)?;
    /// assert_eq!(frame.tail(2).compute()?, df!("x" => [2, 3])?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[must_use]
    pub fn tail(&self, n: u32) -> Self {
        self.end(End::Tail, n, Origin { operation: "tail", caller: Site::caller() })
    }

    fn end(&self, end: End, n: u32, origin: Origin) -> Self {
        let step = end.step(n);
        let schema = Arc::clone(&self.schema);
        if let Some(lengths) = self.lengths() {
            let needed = end.needed(lengths, n as usize);
            let n_rows = lengths[needed.clone()].iter().sum::<usize>().min(n as usize);
            let ranges = [(needed.start as u32, needed.end as u32)].into();
            let wiring = Wiring::axes([AxisMap::Ranges { axis: 0, ranges }]);
            let task = PartitionTask::new(Rows::Stack { slot: 0 }, vec![step]);
            let layer = Layer::build(task).caller(origin.caller).input(&self.port, wiring);
            let port = Port::of(layer.finish(Grid::from([1])));
            return Self { port, schema, lengths: Some([n_rows].into()), sorted: None };
        }
        if let Some((files, steps)) = self.files_and_steps() {
            let task = EndTask { files, steps, end, n };
            let layer = Layer::build(task).caller(origin.caller).finish(Grid::from([1]));
            return Self { port: Port::of(layer), schema, lengths: None, sorted: None };
        }
        let ends = self.then(step.clone(), Arc::clone(&schema), false, origin);
        ends.tree(&[step], Vec::new(), schema, origin)
    }

    /// The files, and the steps on each part of them, if this frame is nothing else.
    fn files_and_steps(&self) -> Option<(FileParts, Vec<PartitionStep>)> {
        let mut steps = Vec::new();
        let mut layer = self.port.layer.clone();
        loop {
            let task = layer.task().downcast_ref::<PartitionTask>()?;
            steps.splice(0..0, task.steps()?.iter().cloned());
            match task.rows() {
                Rows::Files { source, parts, .. } => {
                    return Some((FileParts { source: Arc::clone(source), parts: Arc::clone(parts) }, steps));
                }
                Rows::Stack { .. } | Rows::Beside { .. } => return None,
                Rows::Input { .. } => {}
            }
            let [input] = layer.inputs() else { return None };
            if !input.wiring().is_one_to_one() {
                return None;
            }
            let producer = input.producer()?.clone();
            layer = producer;
        }
    }

    /// The `k` rows that come first in the order of `by`, in that order; equal ones in their order in the frame.
    ///
    /// `by` are row-wise expressions, largest first if `descending`; missing values come last.
    ///
    /// **Shape** one partition.
    /// **Cost** one pass; at most `k` rows of each partition travel.
    ///
    /// # Errors
    /// [`Error::Expression`] and [`Error::NotRowWise`] as [`select`](Frame::select).
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, Order, polars::prelude::*};
    /// use musher_scheduler::Compute;
    /// let frame = Frame::from_polars(df!("x" => [3, 1, 2])?, 2)?;
    /// assert_eq!(frame.top_k(2, [col("x")], Order::Descending)?.compute()?, df!("x" => [3, 2])?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[doc(alias = "nlargest")]
    #[doc(alias = "nsmallest")]
    pub fn top_k(&self, k: u32, by: impl AsRef<[Expr]>, order: Order) -> Result<Self, Error> {
        let origin = Origin { operation: "top_k", caller: Site::caller() };
        let steps = [self.sort_step(by.as_ref(), order, origin)?, End::Head.step(k)];
        let schema = || Arc::clone(&self.schema);
        let sorted = self.then(steps[0].clone(), schema(), false, origin);
        let tops = sorted.then(steps[1].clone(), schema(), false, origin);
        Ok(tops.tree(&steps, Vec::new(), schema(), origin))
    }

    /// All partitions in one, then steps.
    pub(super) fn gathered(&self, steps: Vec<PartitionStep>, origin: Origin) -> Self {
        let task = PartitionTask::new(Rows::Stack { slot: 0 }, steps);
        let layer =
            Layer::build(task).caller(origin.caller).input(&self.port, Wiring::axes([AxisMap::Whole]));
        let lengths = self.lengths().map(|lengths| Arc::from([lengths.iter().sum()]));
        Self {
            port: Port::of(layer.finish(Grid::from([1]))),
            schema: Arc::clone(&self.schema),
            lengths,
            sorted: None,
        }
    }

    /// The same rows in `n` partitions.
    ///
    /// Where lengths are known, the new ones differ by at most one; otherwise neighbors are joined, or each partition is
    /// cut into parts whose lengths differ by at most one.
    ///
    /// **Cost** one copy.
    ///
    /// # Errors
    /// [`Error::Zero`] for no partitions.
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, polars::prelude::*};
    /// use musher_scheduler::Compute;
    /// let frame = Frame::from_polars(df!("x" => [1, 2, 3, 4])?, 3)?.repartition(2)?;
    /// assert_eq!(frame.lengths(), Some([2, 2].as_slice()));
    /// assert_eq!(frame.compute()?, df!("x" => [1, 2, 3, 4])?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn repartition(&self, n: usize) -> Result<Self, Error> {
        let origin = Origin { operation: "repartition", caller: Site::caller() };
        if n == 0 {
            return Err(Error::Zero { operation: origin.operation, what: "n", caller: origin.caller });
        }
        if n == 1 {
            return Ok(self.gathered(Vec::new(), origin));
        }
        let Some(lengths) = self.lengths() else {
            return Ok(self.cut(cuts_of_unknown(self.n_partitions(), n), None, origin));
        };
        let total = lengths.iter().sum::<usize>();
        Ok(self.recut((0..n).map(|i| (i + 1) * total / n - i * total / n).collect(), origin))
    }

    /// The same rows in partitions of these lengths, whose sum is that of the known ones.
    pub(super) fn recut(&self, lengths: Vec<usize>, origin: Origin) -> Self {
        let cuts = match self.lengths() {
            Some(known) => cuts_of_known(known, &lengths),
            None => cuts_of_unknown(self.n_partitions(), lengths.len()),
        };
        self.cut(cuts, Some(lengths.into()), origin)
    }

    fn cut(&self, cuts: Vec<Cut>, lengths: Option<Arc<[usize]>>, origin: Origin) -> Self {
        let n = cuts.len();
        let ranges = cuts.iter().map(|cut| cut.partitions).collect();
        let wiring = Wiring::axes([AxisMap::Ranges { axis: 0, ranges }]);
        let parameters: Vec<_> = cuts.iter().map(|cut| (cut.skip, cut.take, cut.part)).collect();
        let task = FnTask::new(origin.operation, move |at: Place<'_>, inputs: &mut Inputs<'_>| {
            let partitions = inputs.slot::<Partition>(0)?;
            let cut = &cuts[at.index()];
            let tables = partitions.iter().map(|partition| &partition.0);
            let table = stack(|| origin.operation.to_owned(), tables)?;
            Ok(Partition(cut.of(&table)))
        })
        .params("frame.repartition/1", &parameters);
        let layer =
            Layer::build(task).caller(origin.caller).input(&self.port, wiring).finish(Grid::from([n]));
        Self { port: Port::of(layer), schema: Arc::clone(&self.schema), lengths, sorted: None }
    }
}

/// In which order rows are ranked; see [`Frame::top_k`] and [`Frame::sort`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Order {
    /// Smallest first.
    Ascending,
    /// Largest first.
    Descending,
}

/// Which end of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Head,
    Tail,
}

impl End {
    fn step(self, n: u32) -> PartitionStep {
        let offset = match self {
            Self::Head => 0,
            Self::Tail => -i64::from(n),
        };
        PartitionStep::slice(offset, n)
    }

    /// The fewest partitions at this end that hold `n` rows; at least one.
    fn needed(self, lengths: &[usize], n: usize) -> std::ops::Range<usize> {
        let enough = |lengths: &mut dyn Iterator<Item = usize>| {
            let mut have = 0;
            let count = lengths.take_while(|&length| {
                let more = have < n;
                have += length;
                more
            });
            count.count().max(1)
        };
        match self {
            Self::Head => 0..enough(&mut lengths.iter().copied()),
            Self::Tail => lengths.len() - enough(&mut lengths.iter().rev().copied())..lengths.len(),
        }
    }
}

/// Some parts of files, in order.
struct FileParts {
    source: Arc<dyn PartReader>,
    parts: Arc<[u32]>,
}

/// The rows at one end of some files: reads part after part until there are enough.
struct EndTask {
    files: FileParts,
    steps: Vec<PartitionStep>,
    end: End,
    n: u32,
}

impl Task for EndTask {
    fn label(&self) -> Cow<'_, str> {
        Cow::Borrowed(match self.end {
            End::Head => "head",
            End::Tail => "tail",
        })
    }

    fn run(&self, _at: Place<'_>, inputs: Inputs<'_>) -> Result<Output, TaskError> {
        let mut tables: Vec<DataFrame> = Vec::new();
        let mut missing = self.n;
        let mut parts: Vec<usize> = self.files.parts.iter().map(|&part| part as usize).collect();
        if self.end == End::Tail {
            parts.reverse();
        }
        for part in parts {
            let escape = Escape::default();
            let place = || format!("{} of {}", self.label(), self.files.source.place(part));
            let lazy = scan(Arc::clone(&self.files.source), part, &escape)
                .map_err(|source| Error::Polars { steps: place(), source })?;
            let limit = self.end.step(missing);
            let mut steps = self.steps.iter().chain([&limit]);
            let lazy = steps.try_fold(lazy, |lazy, step| step.add_to(lazy, &inputs, &escape))?;
            let table = collect(lazy, &escape, place)?;
            missing -= table.height().min(missing as usize) as u32;
            tables.push(table);
            if missing == 0 {
                break;
            }
        }
        if self.end == End::Tail {
            tables.reverse();
        }
        Ok(Output::one(Partition(stack(|| self.label().into_owned(), &tables)?)))
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.name("frame.end/1");
        self.files.source.token(tokenizer);
        self.files.parts.token(tokenizer);
        self.steps.token(tokenizer);
        (self.end == End::Head, self.n).token(tokenizer);
    }

    /// As if the first part were enough.
    fn codec(&self, _: usize, _: &[Option<&'static dyn Codec>]) -> Option<&'static dyn Codec> {
        Partition::codec_of()
    }

    fn facts(&self, _at: Place<'_>, _inputs: &[Option<u64>]) -> Facts {
        let part = match self.end {
            End::Head => self.files.parts.first(),
            End::Tail => self.files.parts.last(),
        };
        let bytes = part.map(|&part| self.files.source.bytes(part as usize, None));
        let Some(PartBytes { read, scratch, rows }) = bytes else { return Facts::bytes(0) };
        let width = u64::from(self.n) * 8 * self.files.source.schema().len() as u64;
        let taken = rows.map_or(width, |rows| width.min(rows));
        Facts::bytes(taken).scratch(scratch + rows.unwrap_or(0)).read(read)
    }
}

/// A new partition: some old ones joined, of which some rows are taken.
#[derive(Debug, Clone, Copy)]
struct Cut {
    /// First and end of the old partitions.
    partitions: (u32, u32),
    /// Rows that are left out at the start.
    skip: usize,
    /// Rows that are taken.
    take: usize,
    /// Instead of `skip` and `take`: which of how many equal parts.
    part: Option<(usize, usize)>,
}

impl Cut {
    fn of(&self, table: &DataFrame) -> DataFrame {
        let (skip, take) = match self.part {
            Some((part, n_parts)) => {
                let start = |part: usize| part * table.height() / n_parts;
                (start(part), start(part + 1) - start(part))
            }
            None => (self.skip, self.take.min(table.height() - self.skip)),
        };
        table.slice(skip as i64, take)
    }
}

fn cuts_of_known(lengths: &[usize], wanted: &[usize]) -> Vec<Cut> {
    let mut ends = Vec::with_capacity(lengths.len());
    lengths.iter().fold(0, |sum, length| {
        ends.push(sum + length);
        sum + length
    });
    let mut to = 0;
    wanted
        .iter()
        .map(|length| {
            let from = to;
            to += length;
            // The partition that holds row `from`, and that which holds the last row; one at least.
            let first = ends.partition_point(|&end| end <= from).min(lengths.len() - 1);
            let last = ends.partition_point(|&end| end < to).clamp(first, lengths.len() - 1);
            let start = ends[first] - lengths[first];
            let skip = (from - start).min(ends[last] - start);
            Cut { partitions: (first as u32, last as u32 + 1), skip, take: to - from, part: None }
        })
        .collect()
}

fn cuts_of_unknown(n_old: usize, n: usize) -> Vec<Cut> {
    if n <= n_old {
        let start = |i: usize| (i * n_old / n) as u32;
        return (0..n)
            .map(|i| Cut { partitions: (start(i), start(i + 1)), skip: 0, take: usize::MAX, part: None })
            .collect();
    }
    let mut cuts = Vec::with_capacity(n);
    for old in 0..n_old {
        let n_parts = (old + 1) * n / n_old - old * n / n_old;
        cuts.extend((0..n_parts).map(|part| Cut {
            partitions: (old as u32, old as u32 + 1),
            skip: 0,
            take: 0,
            part: Some((part, n_parts)),
        }));
    }
    cuts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_cover_every_row_once_for_all_small_layouts() {
        for code in 0..4_usize.pow(4) {
            let lengths: Vec<usize> = (0..4).map(|digit| code / 4_usize.pow(digit) % 4).collect();
            let total: usize = lengths.iter().sum();
            for n in 1..=9 {
                let mut rows = Vec::new();
                let even: Vec<usize> = (0..n).map(|i| (i + 1) * total / n - i * total / n).collect();
                // As uneven as can be: all in the last one.
                let last: Vec<usize> = (0..n).map(|i| if i + 1 == n { total } else { 0 }).collect();
                let wanted = if code % 2 == 0 { even } else { last };
                for cut in cuts_of_known(&lengths, &wanted) {
                    let (first, end) = (cut.partitions.0 as usize, cut.partitions.1 as usize);
                    assert!(first < end && end <= lengths.len(), "{lengths:?} {n} {cut:?}");
                    let start: usize = lengths[..first].iter().sum();
                    let held: usize = lengths[first..end].iter().sum();
                    assert!(cut.skip + cut.take <= held, "{lengths:?} {n} {cut:?}");
                    rows.extend(start + cut.skip..start + cut.skip + cut.take);
                }
                assert_eq!(rows, (0..total).collect::<Vec<_>>(), "{lengths:?} {n}");
            }
        }
    }

    #[test]
    fn few_partitions_are_read_for_few_rows() {
        assert_eq!(End::Head.needed(&[2, 2, 2], 2), 0..1);
        assert_eq!(End::Head.needed(&[2, 2, 2], 3), 0..2);
        assert_eq!(End::Head.needed(&[0, 0, 2], 1), 0..3);
        assert_eq!(End::Head.needed(&[2, 2], 0), 0..1);
        assert_eq!(End::Head.needed(&[2, 2], 9), 0..2);
        assert_eq!(End::Tail.needed(&[2, 2, 2], 2), 2..3);
        assert_eq!(End::Tail.needed(&[2, 2, 2], 3), 1..3);
    }
}
