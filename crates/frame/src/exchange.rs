//! Rows to other partitions by a key: the exchange that shuffles rows.

use std::borrow::Cow;
use std::io::{Read, Write};
use std::ops::Range;
use std::sync::Arc;

use musher_graph_core::{
    Chunk, ChunkRef, Codec, Exchange, Facts, Grid, Inputs, Port, Scatter, Share, TaskError, Token, Tokenizer,
    exchanged_at,
};
use polars::prelude::{
    DataFrame, DataType, Expr, IdxCa, IdxSize, IntoLazy, NamedFrom, PlSmallStr, SchemaRef,
};

use crate::border::{Escape, collect, decode, encode, rows_at, stack_owned};
use crate::frame::Frame;
use crate::kernel::row_keys::RowKeys;
use crate::origin::Origin;
use crate::partition::Partition;
use crate::token;

/// Sends each row to a partition.
struct ByKey {
    operation: &'static str,
    route: Route,
    schema: SchemaRef,
    n_targets: usize,
}

/// What says where a row goes.
enum Route {
    /// The hash of its key.
    Hash(Vec<Expr>),
    /// The number of the partition in a column of `UInt32`.
    Number(PlSmallStr),
}

/// The rows of one partition, and which of them go where.
struct Cut {
    table: DataFrame,
    /// Numbers of the rows, those for the same target together, in their order.
    rows: Vec<IdxSize>,
    /// For each target that gets any, its number and where its rows end; targets rise.
    ends: Vec<(u32, usize)>,
}

impl Cut {
    /// Where the rows of a piece stand.
    fn range(&self, index: usize) -> Range<usize> {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before].1);
        start..self.ends[index].1
    }

    fn piece(&self, share: Share) -> Result<DataFrame, TaskError> {
        let rows = &self.rows[self.range(share.index)];
        Ok(rows_at(&self.table, &IdxCa::new("rows".into(), rows))?)
    }
}

impl ByKey {
    /// The target of each row.
    fn targets(&self, table: &DataFrame) -> Result<Vec<u32>, TaskError> {
        let keys = match &self.route {
            Route::Hash(keys) => keys,
            Route::Number(column) => return Ok(table.column(column)?.u32()?.iter().flatten().collect()),
        };
        let keys = table.clone().lazy().select(keys);
        let keys = collect(keys, &Escape::default(), || format!("{}: keys", self.operation))?;
        let keys = RowKeys::of(&keys)?;
        let mut scatter = Scatter::new(self.n_targets);
        // Tasks are numbered with 32 bits.
        Ok((0..table.height()).map(|row| scatter.target_of(&keys.row(row)) as u32).collect())
    }
}

impl Exchange for ByKey {
    type Cut = Cut;
    type Building = Vec<DataFrame>;

    fn label(&self) -> Cow<'_, str> {
        self.operation.into()
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.name("frame.exchange/1");
        match &self.route {
            Route::Hash(keys) => token::expressions(keys, tokenizer),
            Route::Number(column) => ("number", column.as_str()).token(tokenizer),
        }
        self.n_targets.token(tokenizer);
    }

    fn cut(&self, _from: usize, inputs: &mut Inputs<'_>) -> Result<Cut, TaskError> {
        let table = inputs.take::<Partition>(0)?.0.clone();
        let targets = self.targets(&table)?;
        let mut rows: Vec<IdxSize> = (0..table.height() as IdxSize).collect();
        // Stable, so that rows keep their order.
        rows.sort_by_key(|&row| targets[row as usize]);
        let mut end = 0;
        let runs = rows.chunk_by(|&a, &b| targets[a as usize] == targets[b as usize]);
        let ends = runs.map(|run| {
            end += run.len();
            (targets[run[0] as usize], end)
        });
        let ends = ends.collect();
        Ok(Cut { table, rows, ends })
    }

    fn n_items(&self, cut: &Cut) -> u64 {
        cut.table.height() as u64
    }

    fn shares(&self, _from: usize, cut: &Cut, give: &mut dyn FnMut(usize, u64)) {
        for (index, (target, _)) in cut.ends.iter().enumerate() {
            give(*target as usize, cut.range(index).len() as u64);
        }
    }

    fn bytes(&self, cut: &Cut) -> Option<u64> {
        let rows = cut.rows.len() * size_of::<IdxSize>() + cut.ends.len() * size_of::<(u32, usize)>();
        Some((cut.table.estimated_size() + rows) as u64)
    }

    fn cut_bytes(&self, _from: usize, input: Option<u64>) -> Option<u64> {
        let rows = self.n_rows(input?);
        let ends = rows.min(self.n_targets as u64) * size_of::<(u32, usize)>() as u64;
        Some(input? + rows * size_of::<IdxSize>() as u64 + ends)
    }

    /// The keys, the targets, and twice the rows' numbers, of which sorting takes a half; then a piece and its bytes.
    fn cut_facts(&self, _from: usize, inputs: &[Option<u64>]) -> Facts {
        let input = inputs.first().copied().flatten().unwrap_or(0);
        Facts::default().scratch(input + self.n_rows(input) * 12)
    }

    fn write(&self, _from: usize, cut: &Cut, share: Share, to: &mut dyn Write) -> Result<u64, TaskError> {
        let piece = cut.piece(share)?;
        encode(&piece, to)?;
        Ok(piece.height() as u64)
    }

    fn begin(&self, _to: usize, _n_items: u64) -> Result<Vec<DataFrame>, TaskError> {
        Ok(Vec::new())
    }

    fn copy(
        &self,
        pieces: &mut Vec<DataFrame>,
        _from: usize,
        cut: &Cut,
        share: Share,
    ) -> Result<u64, TaskError> {
        let piece = cut.piece(share)?;
        let n_rows = piece.height() as u64;
        pieces.push(piece);
        Ok(n_rows)
    }

    fn read(
        &self,
        pieces: &mut Vec<DataFrame>,
        _from: usize,
        _share: Share,
        bytes: &mut dyn Read,
    ) -> Result<u64, TaskError> {
        let mut encoded = Vec::new();
        bytes.read_to_end(&mut encoded)?;
        let piece = decode(&encoded)?;
        let n_rows = piece.height() as u64;
        pieces.push(piece);
        Ok(n_rows)
    }

    fn codec(&self) -> Option<&'static dyn Codec> {
        Partition::codec_of()
    }

    fn finish(&self, _to: usize, pieces: Vec<DataFrame>) -> Result<ChunkRef, TaskError> {
        let table = match pieces.is_empty() {
            true => DataFrame::empty_with_schema(&self.schema),
            false => stack_owned(|| self.operation.to_owned(), pieces)?,
        };
        Ok(Arc::new(Partition(table)))
    }
}

impl ByKey {
    /// How many rows a partition of so many bytes has at most, about: of texts and lists only a part is counted.
    fn n_rows(&self, bytes: u64) -> u64 {
        let width = |dtype: &DataType| match dtype {
            DataType::Boolean | DataType::Null | DataType::Int8 | DataType::UInt8 => 1,
            DataType::Int16 | DataType::UInt16 => 2,
            DataType::Int32 | DataType::UInt32 | DataType::Float32 | DataType::Date => 4,
            _ => 8,
        };
        bytes / self.schema.iter_values().map(width).sum::<u64>().max(1)
    }
}

impl Frame {
    /// The same rows in `n` partitions, equal keys in one: the hash of the key says which. Within a partition they are in
    /// the order of the partitions that they come from, and of the rows there.
    ///
    /// Keys are row-wise expressions of types that can be hashed.
    pub(crate) fn exchanged_by(&self, keys: Vec<Expr>, n: usize, origin: Origin) -> Self {
        self.exchanged(Route::Hash(keys), n, origin)
    }

    /// The same rows in `n` partitions, each in the one whose number stands in a column of `UInt32`.
    pub(crate) fn exchanged_to(&self, column: &str, n: usize, origin: Origin) -> Self {
        self.exchanged(Route::Number(column.into()), n, origin)
    }

    fn exchanged(&self, route: Route, n: usize, origin: Origin) -> Self {
        let schema = Arc::clone(&self.schema);
        let by_key = ByKey { operation: origin.operation, route, schema, n_targets: n };
        let port: Port = exchanged_at(&self.port, by_key, Grid::from([n]), origin.caller);
        Self { port, schema: Arc::clone(&self.schema), lengths: None, sorted: None }
    }
}
