//! The bounded all-to-all: nothing is lost, nothing doubled, in memory or staged, and a defect is an error.
//!
//! ```text
//!   numbers ▢ ▢ ▢ ──▶ split ▢ ▢ ▢ ──▶ ledger ▢ ──▶ join ▢ ▢ ▢ ▢ ▢ ──▶ one list for each target
//! ```

use std::borrow::Cow;
use std::io::{Read, Write};
use std::sync::Arc;

use musher_graph_core::{
    ChunkRef, Collection, Exchange, ExchangeMismatch, Facts, Grid, Held, Inputs, Kept, Layer, Measured, Port,
    Scatter, Share, SpillStore, SpillWriter, TaskError, Token, Tokenizer, exchanged,
};
use musher_testkit::{EXCHANGE_COUNTS, Random, Staging, check_everywhere, compute_staged};

use crate::support::{optimized, planned};

/// What is done wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Defect {
    None,
    /// The last item of a cut goes nowhere.
    Lost,
    /// An item of a cut goes to two targets.
    Doubled,
    /// A target that there is not.
    Beyond,
    /// Targets in falling order.
    Falling,
    /// The last item of a piece is not written, and not counted.
    Unwritten,
    /// The same, but counted.
    Forgotten,
    /// The last item of a piece is not read.
    Unread,
    /// An item of a piece that stayed in memory is not copied.
    Uncopied,
    /// The targets are to have other numbers of items.
    Total,
}

/// Numbers go where their hash says.
#[derive(Clone)]
struct Numbers {
    n_targets: usize,
    defect: Defect,
    pinned: bool,
}

impl Numbers {
    fn to(n_targets: usize) -> Self {
        Self { n_targets, defect: Defect::None, pinned: false }
    }
}

/// Pairs of target and number, in the order of targets.
type Cut = (u64, Vec<(usize, u64)>);

fn piece(cut: &Cut, target: usize) -> &[(usize, u64)] {
    let start = cut.1.partition_point(|&(known, _)| known < target);
    &cut.1[start..start + cut.1[start..].partition_point(|&(known, _)| known == target)]
}

impl Exchange for Numbers {
    type Cut = Cut;
    type Building = Vec<u64>;

    fn label(&self) -> Cow<'_, str> {
        "numbers".into()
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.name("test.numbers/1");
        (self.n_targets, format!("{:?}", self.defect)).token(tokenizer);
    }

    fn cut(&self, _from: usize, inputs: &mut Inputs<'_>) -> Result<Cut, TaskError> {
        let Measured(numbers) = inputs.get::<Measured<Vec<u64>>>(0)?;
        let mut scatter = Scatter::new(self.n_targets);
        let mut cut: Vec<_> = numbers.iter().map(|&x| (scatter.target_of(&x), x)).collect();
        cut.sort_by_key(|pair| pair.0);
        match self.defect {
            Defect::Lost => drop(cut.pop()),
            Defect::Doubled => cut.extend(cut.last().copied()),
            Defect::Falling => cut.reverse(),
            _ => {}
        }
        Ok((numbers.len() as u64, cut))
    }

    fn n_items(&self, cut: &Cut) -> u64 {
        cut.0
    }

    fn shares(&self, _from: usize, cut: &Cut, give: &mut dyn FnMut(usize, u64)) {
        for run in cut.1.chunk_by(|a, b| a.0 == b.0) {
            let beyond = if self.defect == Defect::Beyond { self.n_targets } else { 0 };
            give(run[0].0 + beyond, run.len() as u64);
        }
    }

    fn bytes(&self, cut: &Cut) -> Option<u64> {
        Some(cut.1.len() as u64 * 16)
    }

    fn can_write(&self, _cut: &Cut) -> bool {
        !self.pinned
    }

    fn write(&self, _from: usize, cut: &Cut, share: Share, to: &mut dyn Write) -> Result<u64, TaskError> {
        let mut piece = piece(cut, share.target);
        let n = piece.len() as u64;
        if matches!(self.defect, Defect::Unwritten | Defect::Forgotten) {
            piece = &piece[1..];
        }
        piece.iter().try_for_each(|(_, x)| to.write_all(&x.to_le_bytes()))?;
        Ok(if self.defect == Defect::Unwritten { piece.len() as u64 } else { n })
    }

    fn begin(&self, _to: usize, n_items: u64) -> Result<Vec<u64>, TaskError> {
        Ok(Vec::with_capacity(n_items as usize))
    }

    fn copy(&self, made: &mut Vec<u64>, _: usize, cut: &Cut, share: Share) -> Result<u64, TaskError> {
        let before = made.len();
        let skipped = usize::from(self.defect == Defect::Uncopied);
        made.extend(piece(cut, share.target).iter().skip(skipped).map(|(_, x)| x));
        Ok((made.len() - before) as u64)
    }

    fn read(
        &self,
        made: &mut Vec<u64>,
        _: usize,
        share: Share,
        bytes: &mut dyn Read,
    ) -> Result<u64, TaskError> {
        // A reader that is told too much about its piece: whatever is said, it says it has read.
        let mut number = [0; 8];
        for _ in u64::from(self.defect == Defect::Unread)..share.n_items {
            bytes.read_exact(&mut number)?;
            made.push(u64::from_le_bytes(number));
        }
        Ok(share.n_items)
    }

    fn finish(&self, _to: usize, made: Vec<u64>) -> Result<ChunkRef, TaskError> {
        Ok(Arc::new(Measured(made)))
    }

    fn expected_items(&self, to: usize) -> Option<u64> {
        (self.defect == Defect::Total).then_some(to as u64 + 1_000)
    }

    fn build_facts(&self, _to: usize) -> Facts {
        Facts::bytes(24)
    }
}

/// The lists of all targets.
struct Targets(Port);

impl Collection for Targets {
    type Output = Vec<Vec<u64>>;

    fn port(&self) -> &Port {
        &self.0
    }

    fn gather(&self, chunks: Vec<ChunkRef>) -> Result<Self::Output, TaskError> {
        let numbers = |chunk: &ChunkRef| chunk.downcast_ref::<Measured<Vec<u64>>>().unwrap().0.clone();
        Ok(chunks.iter().map(numbers).collect())
    }

    fn with_port(&self, port: Port) -> Self {
        Self(port)
    }
}

fn source(inputs: &[Vec<u64>]) -> Port {
    let chunks = inputs.iter().map(|numbers| Arc::new(Measured(numbers.clone())) as ChunkRef).collect();
    Port::of(Layer::build(Held::new("numbers", chunks, None)).finish(Grid::from([inputs.len()])))
}

fn exchange(inputs: &[Vec<u64>], exchange: Numbers) -> Targets {
    let n = exchange.n_targets;
    Targets(exchanged(&source(inputs), exchange, Grid::from([n])))
}

/// What each target must get: its numbers in the order of the inputs.
fn expected(inputs: &[Vec<u64>], n_targets: usize) -> Vec<Vec<u64>> {
    let mut scatter = Scatter::new(n_targets);
    let mut targets = vec![Vec::new(); n_targets];
    inputs.iter().flatten().for_each(|x| targets[scatter.target_of(x)].push(*x));
    targets
}

fn random(seed: u64, lengths: &[usize]) -> Vec<Vec<u64>> {
    let mut random = Random::new(seed);
    lengths.iter().map(|&n| (0..n).map(|_| random.bits() >> 48).collect()).collect()
}

/// What went wrong at first.
fn root<'a>(mut cause: &'a (dyn std::error::Error + 'static)) -> &'a (dyn std::error::Error + 'static) {
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause
}

#[test]
fn every_number_of_targets_conserves_the_items_and_their_order() {
    for n_targets in EXCHANGE_COUNTS {
        let inputs = random(n_targets as u64, &[500, 0, 1, 499]);
        let all = exchange(&inputs, Numbers::to(n_targets));
        let wanted = expected(&inputs, n_targets);
        let staging = Staging::new(0);
        assert_eq!(compute_staged(&all, &staging).unwrap().0, wanted, "{n_targets}, staged");
        assert_eq!((staging.written_bytes(), staging.n_alive()), (8_000, 0));
        let roomy = Staging::new(1 << 20);
        assert_eq!(compute_staged(&all, &roomy).unwrap().0, wanted, "{n_targets}, in memory");
        assert_eq!(roomy.written_bytes(), 0);
    }
}

#[test]
fn every_number_of_inputs_is_taken() {
    for n_inputs in EXCHANGE_COUNTS {
        let mut random = Random::new(n_inputs as u64);
        let inputs: Vec<Vec<u64>> =
            (0..n_inputs).map(|_| (0..random.below(3)).map(|_| random.bits()).collect()).collect();
        let all = exchange(&inputs, Numbers::to(3));
        assert_eq!(compute_staged(&all, &Staging::new(u64::MAX)).unwrap().0, expected(&inputs, 3));
    }
}

#[test]
fn random_exchanges_are_the_same_on_every_scheduler() {
    for seed in 0..40 {
        let mut numbers = Random::new(seed);
        let lengths: Vec<usize> = (0..1 + numbers.below(9)).map(|_| numbers.below(50)).collect();
        let inputs = random(seed, &lengths);
        let n_targets = 1 + numbers.below(20);
        let all = exchange(&inputs, Numbers::to(n_targets));
        let wanted = expected(&inputs, n_targets);
        assert_eq!(check_everywhere(&all), wanted);
        assert_eq!(compute_staged(&all, &Staging::new(0)).unwrap().0, wanted);
    }
}

#[test]
fn edges_grow_with_the_sum_of_inputs_and_targets() {
    let inputs = vec![vec![1]; 1_000];
    let all = exchange(&inputs, Numbers::to(2_000));
    let plan = planned(&[all.request()]);
    // Source to split, split to ledger, ledger to join.
    assert_eq!(plan.tasks().n_edges(), 1_000 + 1_000 + 2_000);
    assert_eq!(plan.tasks().n_tasks(), 1_000 + 1_000 + 1 + 2_000);
}

#[test]
fn equal_exchanges_have_equal_keys() {
    let port = source(&[vec![1, 2]]);
    let key = |n: usize, grid: usize| exchanged(&port, Numbers::to(n), Grid::from([grid])).key();
    assert_eq!(key(3, 3), key(3, 3));
    assert_ne!(key(3, 3), key(4, 3));
    assert_ne!(key(3, 3), key(3, 4));
}

#[test]
fn what_stays_in_memory_is_counted_and_what_is_staged_is_not() {
    let inputs = random(1, &[1_000; 64]);
    let all = exchange(&inputs, Numbers::to(64));
    let bytes = 64 * 1_000 * 8;
    let (_, staged) = compute_staged(&all, &Staging::new(0)).unwrap();
    let (_, held) = compute_staged(&all, &Staging::new(u64::MAX)).unwrap();
    // The source holds its numbers, and the lists of the targets are asked for; beside that there are receipts.
    let receipts = 64 * 64 * 56;
    assert!(staged < 2 * bytes + 2 * receipts, "{staged}");
    assert!(held > 3 * bytes, "{held}");
}

#[test]
fn what_cannot_be_written_stays_in_memory() {
    let inputs = random(1, &[100; 4]);
    let all = exchange(&inputs, Numbers { pinned: true, ..Numbers::to(5) });
    let staging = Staging::new(0);
    assert_eq!(compute_staged(&all, &staging).unwrap().0, expected(&inputs, 5));
    assert_eq!(staging.written_bytes(), 0);
}

#[test]
fn a_planted_defect_is_an_error_and_never_an_answer() {
    let inputs = random(1, &[30, 20]);
    let run = |defect, keeps| {
        let all = exchange(&inputs, Numbers { defect, ..Numbers::to(4) });
        let error = compute_staged(&all, &Staging::new(keeps)).unwrap_err();
        let cause = root(&error);
        cause.downcast_ref::<ExchangeMismatch>().unwrap_or_else(|| panic!("{defect:?}: {error}")).clone()
    };
    use ExchangeMismatch as Is;
    let [in_memory, staged] = [u64::MAX, 0];
    for keeps in [in_memory, staged] {
        assert!(matches!(run(Defect::Lost, keeps), Is::Cut { input: 0, expected: 30, found: 29, .. }));
        assert!(matches!(run(Defect::Doubled, keeps), Is::Cut { expected: 30, found: 31, .. }));
        assert!(matches!(run(Defect::Beyond, keeps), Is::Target { n_targets: 4, .. }));
        assert!(matches!(run(Defect::Falling, keeps), Is::Target { .. }));
        assert!(matches!(run(Defect::Total, keeps), Is::Total { target: 0, expected: 1_000, .. }));
    }
    assert!(
        matches!(run(Defect::Unwritten, staged), Is::Written { expected, found, .. } if found + 1 == expected)
    );
    assert!(matches!(run(Defect::Unread, staged), Is::LeftOver { target: 0, input: 0, .. }));
    let Is::Received { operation, expected, found, .. } = run(Defect::Uncopied, in_memory) else {
        panic!("another error")
    };
    assert_eq!((operation.as_str(), found + 1), ("numbers", expected));
    let message = run(Defect::Lost, in_memory).to_string();
    assert_eq!(message, "numbers: input 0 has 30 items, its pieces have 29; nothing of it was used");
}

#[test]
fn a_part_that_ends_too_soon_is_an_error() {
    let inputs = random(1, &[30, 20]);
    let all = exchange(&inputs, Numbers { defect: Defect::Forgotten, ..Numbers::to(4) });
    let error = compute_staged(&all, &Staging::new(0)).unwrap_err();
    assert_eq!(root(&error).to_string(), "failed to fill whole buffer");
}

/// A store whose every parcel fails.
#[derive(Debug, Clone)]
struct Full;

#[derive(Debug, thiserror::Error)]
#[error("no space left")]
struct NoSpace;

impl SpillStore for Full {
    fn keep(&self, _bytes: u64, _together: u64) -> Option<Kept> {
        None
    }

    fn parcel(&self) -> Result<Box<dyn SpillWriter>, TaskError> {
        Err(TaskError::new(NoSpace))
    }
}

#[test]
fn the_error_of_the_store_comes_out_as_it_is() {
    let all = exchange(&random(1, &[3]), Numbers::to(2));
    assert!(root(&compute_staged(&all, &Full).unwrap_err()).is::<NoSpace>());
}

#[test]
fn the_split_is_one_task_with_the_work_before_it() {
    let all = exchange(&[vec![1]], Numbers::to(2));
    let labels: Vec<_> =
        optimized(&[all.request()]).layers().iter().map(|layer| layer.task.label().into_owned()).collect();
    assert_eq!(labels, ["numbers → numbers (split)", "numbers (ledger)", "numbers"]);
}
