//! The bounded all-to-all: any number of inputs, any number of targets, every input may have a piece for every target.
//!
//! Rechunk, reshape, shuffle, sort and group-by are one problem, so it is solved once. An [`Exchange`] says how one
//! input is cut and how one target is built; [`exchanged`] makes three layers of it:
//!
//! ```text
//!   inputs     0     1     2   …   n
//!              │     │     │       │
//!   split      ▢     ▢     ▢       ▢     cuts its input, gives back a receipt: what each target gets, and where it is
//!              └──┬──┴──┬──┴───┬───┘
//!   ledger        └───▶ ▢ ◀────┘         all receipts, turned around: which inputs have a piece for each target
//!              ┌──┬──┬──┼──┬──┬──┐
//!   join       ▢  ▢  ▢  ▢  ▢  ▢  ▢       fetches its pieces, in the order of the inputs, and builds a target
//! ```
//!
//! So there are n + m + 1 tasks and n + m edges, and a target looks at those inputs only that have something for it.
//! What grows with the number of pieces is about 16 bytes for each one that is not empty; empty pieces cost nothing.
//!
//! **Memory.** A split asks the run's [`SpillStore`](crate::SpillStore) for leave to keep its cut in memory, saying how many
//! bytes the whole exchange would keep; exchanges that run at once share what room there is. If it has none, it writes
//! its pieces as the parts of one parcel and lets its input go: then at most one input a split, one target a join and
//! the receipts are in memory at once. Without a store, or where pieces cannot be written, the cuts stay in memory, and
//! their receipts count them. Before it runs, a plan knows these bytes as [`Staged`](crate::Staged).
//!
//! **Conservation.** Items are counted when an input comes, when it is cut, when a piece is written, when it is read,
//! and when a target ends. A difference is an [`ExchangeMismatch`], never a wrong answer. Bytes on the disk are
//! checked by the store itself. Inputs and targets are numbered with 32 bits throughout, like tasks.
//!
//! **Order.** Within a target the pieces come in the order of the inputs, whatever ran first.

mod join;
mod ledger;
mod scatter;
mod split;

use std::borrow::Cow;
use std::fmt;
use std::io::{Read, Write};
use std::sync::Arc;

pub use scatter::Scatter;

use crate::chunk::{ChunkRef, Codec};
use crate::grid::Grid;
use crate::key::Tokenizer;
use crate::layer::{Layer, Port};
use crate::report::report;
use crate::site::Site;
use crate::task::{Facts, Inputs, TaskError};
use crate::wiring::Wiring;

/// One piece: what one input has for one target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// Which of its input's pieces it is; empty pieces are not counted.
    pub index: usize,
    /// Which target gets it.
    pub target: usize,
    /// Number of items in it, at least one.
    pub n_items: u64,
}

/// How the items of a layer's chunks go to the chunks of another layer: see [`exchanged`].
///
/// Inputs and targets are known by their index in C order of their grids. Items are whatever an operation conserves:
/// elements, rows, records.
///
/// # Errors
/// Every method's error ends the run; those of `to` and `bytes` are the store's and should be passed on.
///
/// # Examples
/// Numbers go to one target for each remainder.
/// ```
/// use std::{borrow::Cow, io::{Read, Write}, sync::Arc};
/// use musher_graph_core::*;
///
/// struct ByRemainder(u64);
/// impl Exchange for ByRemainder {
///     type Cut = Vec<Vec<u64>>;
///     type Building = Vec<u64>;
///     fn label(&self) -> Cow<'_, str> { "by remainder".into() }
///     fn token(&self, tokenizer: &mut Tokenizer) { self.0.token(tokenizer) }
///     fn cut(&self, _from: usize, inputs: &mut Inputs<'_>) -> Result<Self::Cut, TaskError> {
///         let Value(numbers) = inputs.get::<Value<Vec<u64>>>(0)?;
///         let piece = |target| numbers.iter().copied().filter(|x| x % self.0 == target).collect();
///         Ok((0..self.0).map(piece).collect())
///     }
///     fn n_items(&self, cut: &Self::Cut) -> u64 { cut.iter().map(|piece| piece.len() as u64).sum() }
///     fn shares(&self, _from: usize, cut: &Self::Cut, give: &mut dyn FnMut(usize, u64)) {
///         cut.iter().enumerate().for_each(|(target, piece)| give(target, piece.len() as u64));
///     }
///     fn write(&self, _: usize, cut: &Self::Cut, share: Share, to: &mut dyn Write) -> Result<u64, TaskError> {
///         cut[share.target].iter().try_for_each(|x| to.write_all(&x.to_le_bytes()))?;
///         Ok(cut[share.target].len() as u64)
///     }
///     fn begin(&self, _to: usize, _n_items: u64) -> Result<Vec<u64>, TaskError> { Ok(Vec::new()) }
///     fn copy(&self, made: &mut Vec<u64>, _: usize, cut: &Self::Cut, share: Share) -> Result<u64, TaskError> {
///         made.extend(&cut[share.target]);
///         Ok(cut[share.target].len() as u64)
///     }
///     fn read(&self, made: &mut Vec<u64>, _: usize, share: Share, bytes: &mut dyn Read) -> Result<u64, TaskError> {
///         let mut number = [0; 8];
///         for _ in 0..share.n_items {
///             bytes.read_exact(&mut number)?;
///             made.push(u64::from_le_bytes(number));
///         }
///         Ok(share.n_items)
///     }
///     fn finish(&self, _to: usize, made: Vec<u64>) -> Result<ChunkRef, TaskError> { Ok(Arc::new(Value(made))) }
///     fn codec(&self) -> Option<&'static dyn Codec> { Value::<Vec<u64>>::codec_of() }
/// }
///
/// let chunks = [vec![1_u64, 2, 3], vec![4, 5]].map(|numbers| Arc::new(Value(numbers)) as ChunkRef);
/// let source = Layer::build(Held::new("numbers", chunks.into(), None)).finish(Grid::from([2]));
/// let port = exchanged(&Port::of(source), ByRemainder(2), Grid::from([2]));
/// let odd = Layer::build(Forward::new("odd")).input(&port, Wiring::axes([AxisMap::Fixed(1)]));
/// let odd: Delayed<Vec<u64>> = Delayed::from_port(odd.finish(Grid::scalar()).into());
/// assert_eq!(musher_testkit::check_everywhere(&odd), [1, 3, 5]);
/// ```
pub trait Exchange: Send + Sync + 'static {
    /// An input, cut for its targets; kept as it is where the exchange stays in memory.
    type Cut: Send + Sync + 'static;
    /// A target in the making.
    type Building;

    /// The operation's name, for pictures, plans and errors.
    fn label(&self) -> Cow<'_, str>;

    /// Enters name, version and parameters into the fingerprint.
    fn token(&self, tokenizer: &mut Tokenizer);

    /// Cuts input `from`, which is chunk 0 of `inputs`.
    ///
    /// # Errors
    /// When the chunk is not what it should be, or there is no memory for the cut.
    fn cut(&self, from: usize, inputs: &mut Inputs<'_>) -> Result<Self::Cut, TaskError>;

    /// Number of items of the input that was cut, counted before it was.
    fn n_items(&self, cut: &Self::Cut) -> u64;

    /// Names each target that gets something and how many items, in rising order; no items are no piece.
    fn shares(&self, from: usize, cut: &Self::Cut, give: &mut dyn FnMut(usize, u64));

    /// Bytes that a cut holds in memory, where they are known.
    fn bytes(&self, cut: &Self::Cut) -> Option<u64> {
        let _ = cut;
        None
    }

    /// Bytes that cutting input `from` will hold in memory, where they are known before; `input` is those of its chunk.
    fn cut_bytes(&self, from: usize, input: Option<u64>) -> Option<u64> {
        let _ = from;
        input
    }

    /// Bytes of the pieces of all inputs together, where they are known before; else one input's are multiplied.
    fn total_bytes(&self) -> Option<u64> {
        None
    }

    /// Whether the pieces of this cut can be written.
    fn can_write(&self, cut: &Self::Cut) -> bool {
        let _ = cut;
        true
    }

    /// Writes a piece and returns how many items were written.
    ///
    /// # Errors
    /// Those of `to`, or when an item cannot be written.
    fn write(&self, from: usize, cut: &Self::Cut, share: Share, to: &mut dyn Write)
    -> Result<u64, TaskError>;

    /// Begins target `to`, which will get so many items.
    ///
    /// # Errors
    /// When there is no memory for it.
    fn begin(&self, to: usize, n_items: u64) -> Result<Self::Building, TaskError>;

    /// Adds a piece that stayed in memory and returns how many items were added.
    ///
    /// # Errors
    /// When the piece is not what it should be.
    fn copy(
        &self,
        building: &mut Self::Building,
        from: usize,
        cut: &Self::Cut,
        share: Share,
    ) -> Result<u64, TaskError>;

    /// Adds a piece that was written and returns how many items were added.
    ///
    /// # Errors
    /// Those of `bytes`, or when they are not such a piece's.
    fn read(
        &self,
        building: &mut Self::Building,
        from: usize,
        share: Share,
        bytes: &mut dyn Read,
    ) -> Result<u64, TaskError>;

    /// The chunk of target `to`, all of whose pieces were added.
    ///
    /// # Errors
    /// When the pieces do not make a chunk.
    fn finish(&self, to: usize, building: Self::Building) -> Result<ChunkRef, TaskError>;

    /// How the chunks of targets are written and read back, where that is known before there is one.
    fn codec(&self) -> Option<&'static dyn Codec> {
        None
    }

    /// How many items target `to` must get, where that is known before.
    fn expected_items(&self, to: usize) -> Option<u64> {
        let _ = to;
        None
    }

    /// In how many pieces input `from` will be cut at most, where that is known before.
    fn n_shares(&self, from: usize) -> Option<u64> {
        let _ = from;
        None
    }

    /// What is known of cutting input `from`: scratch and time.
    fn cut_facts(&self, from: usize, inputs: &[Option<u64>]) -> Facts {
        let _ = (from, inputs);
        Facts::default()
    }

    /// What is known of building target `to`: its bytes, scratch and time.
    fn build_facts(&self, to: usize) -> Facts {
        let _ = to;
        Facts::default()
    }
}

/// The layers of an exchange: the chunks of the result, on the grid `targets`, are built from those of `port`.
///
/// **Cost** n + m + 1 tasks and n + m edges for n chunks and m targets. Every item is copied once where the exchange
/// stays in memory; else it is written and read once.
///
/// # Errors
/// A run of it fails with [`ExchangeMismatch`] when items get lost or doubled.
#[track_caller]
pub fn exchanged<E: Exchange>(port: &Port, exchange: E, targets: Grid) -> Port {
    exchanged_at(port, exchange, targets, Site::caller())
}

/// As [`exchanged`], naming the user's line where the call came through other functions.
pub fn exchanged_at<E: Exchange>(port: &Port, exchange: E, targets: Grid, caller: Site) -> Port {
    let exchange = Arc::new(exchange);
    let inputs = port.grid().clone();
    let (n_inputs, n_targets) = (inputs.n_tasks(), targets.n_tasks());
    let split = split::Split { exchange: Arc::clone(&exchange), n_inputs, n_targets };
    let split = Layer::build(split).caller(caller).input(port, Wiring::one_to_one(inputs.ndim()));
    let ledger = ledger::Turn { exchange: Arc::clone(&exchange), n_targets };
    let ledger = Layer::build(ledger).caller(caller).input(&Port::of(split.finish(inputs)), Wiring::All);
    let join = Layer::build(join::Join { exchange });
    let join = join.caller(caller).input(&Port::of(ledger.finish(Grid::scalar())), Wiring::axes([]));
    Port::of(join.finish(targets))
}

/// The exchange that builds the chunks of a port, if it is an `E`, and the port whose chunks it takes.
///
/// By this an operation sees that what it would exchange was exchanged before.
pub fn exchange_of<E: Exchange>(port: &Port) -> Option<(&E, Port)> {
    let join = port.layer.task().downcast_ref::<join::Join<E>>()?;
    let ledger = port.layer.inputs().first()?.producer()?;
    let split = ledger.inputs().first()?.producer()?;
    let input = split.inputs().first()?;
    Some((&join.exchange, Port { layer: input.producer()?.clone(), output: input.output() }))
}

/// An exchange lost or doubled items: a defect of the operation, or chunks that changed under its hands.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExchangeMismatch {
    /// The pieces of an input do not hold what the input holds.
    #[error(
        "{operation}: input {input} has {expected} items, its pieces have {found}; nothing of it was used"
    )]
    Cut {
        /// The operation.
        operation: String,
        /// Which input.
        input: usize,
        /// Items of the input.
        expected: u64,
        /// Items of its pieces.
        found: u64,
    },
    /// An input names a target that does not exist, or names targets out of order.
    #[error("{operation}: input {input} has a piece for target {target}, out of order or beyond {n_targets}")]
    Target {
        /// The operation.
        operation: String,
        /// Which input.
        input: usize,
        /// The target named.
        target: usize,
        /// How many there are.
        n_targets: usize,
    },
    /// A piece was written with more or fewer items than it has.
    #[error(
        "{operation}: input {input} wrote {found} items for target {target}, which should get {expected}"
    )]
    Written {
        /// The operation.
        operation: String,
        /// Which input.
        input: usize,
        /// Which target.
        target: usize,
        /// Items of the piece.
        expected: u64,
        /// Items written.
        found: u64,
    },
    /// A target got more or fewer items than an input sent.
    #[error("{operation}: target {target} got {found} items of input {input}, which sent {expected}")]
    Received {
        /// The operation.
        operation: String,
        /// Which input.
        input: usize,
        /// Which target.
        target: usize,
        /// Items sent.
        expected: u64,
        /// Items that came.
        found: u64,
    },
    /// Bytes of a piece were left over.
    #[error("{operation}: target {target} left bytes of input {input}'s piece unread")]
    LeftOver {
        /// The operation.
        operation: String,
        /// Which input.
        input: usize,
        /// Which target.
        target: usize,
    },
    /// A target got more or fewer items than it must have.
    #[error("{operation}: target {target} got {found} items and must have {expected}")]
    Total {
        /// The operation.
        operation: String,
        /// Which target.
        target: usize,
        /// Items it must have.
        expected: u64,
        /// Items it got.
        found: u64,
    },
}

impl fmt::Debug for ExchangeMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        report(self, f)
    }
}
