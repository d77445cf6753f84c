//! The promises that every operation makes, and the table of operations that they are checked on.
//!
//! A [`Case`] names operations of `ops.toml` and computes something with them from data of any size, down to a digest of
//! its bits. From the same table follows: every operation is there or says why not; on data of eight times the memory
//! limit it ends with the same bits as without one and stays within it, or is refused before it begins; its bits are the
//! same on any number of threads, in any schedule, below any limit, and in another process; it takes no more memory than
//! was projected.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use musher_graph_core::Scope;
use musher_scheduler::{Error, Event, Observer, Options, SpillDir, SpillOptions};

use crate::{Child, Random, THREADS, Told, check_codec, forget_peak, peak_resident_bytes, resident_bytes};

/// Resident memory that a run may take beside its limit: code, stacks, and what the allocator keeps.
const SLACK: u64 = 32 << 20;
/// Bytes that building a plan and a sequential run take for their own books, whatever is computed.
const BOOKKEEPING: u64 = 96 << 10;
/// Bytes that they take for each task.
const BOOKKEEPING_A_TASK: u64 = 256;

/// How much data a case computes on.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    limit: u64,
    /// Chunks of the data.
    chunks: usize,
}

impl Size {
    /// For the memory: 64 MiB of data, or 512 where the environment says `LIMIT_TESTS=large`.
    fn large() -> Self {
        let is_large = std::env::var("LIMIT_TESTS").is_ok_and(|size| size == "large");
        Self { limit: if is_large { 64 << 20 } else { 8 << 20 }, chunks: 256 }
    }

    /// For the bits: 2 MiB of data.
    const SMALL: Self = Self { limit: 256 << 10, chunks: 256 };
    /// For memory that is refused: a chunk of 48 MiB, and no room for a second one.
    const REFUSED: Self = Self { limit: 6 << 20, chunks: 1 };
    const REFUSED_ABOVE: u64 = 64 << 20;

    /// The memory limit, in bytes.
    pub fn limit(self) -> u64 {
        self.limit
    }

    /// Elements of the data, eight times the limit.
    pub fn elements<T>(self) -> usize {
        8 * self.limit as usize / size_of::<T>()
    }

    /// Elements of a chunk: usually a thirty-second of the limit.
    pub fn chunk<T>(self) -> usize {
        self.elements::<T>() / self.chunks
    }

    /// Rows and columns of a square matrix of about the data's size, a multiple of its square blocks' side.
    pub fn square<T>(self) -> (usize, usize) {
        let block = self.chunk::<T>().isqrt();
        (self.elements::<T>().isqrt() / block * block, block)
    }
}

type Work = Box<dyn Fn(Size, &Options) -> Result<u64, Error> + Send + Sync>;

/// What is computed for some operations.
struct Case {
    operations: Vec<&'static str>,
    work: Work,
    /// Why it does not run within an eighth of its data.
    refused: Option<&'static str>,
    /// Bytes that it takes beside its plan.
    beside: u64,
    /// Whether functions of the user make what is as large as a chunk.
    is_users: bool,
    /// Whether it makes files anew in each process.
    has_files: bool,
}

impl Case {
    fn name(&self) -> String {
        self.operations.join(", ")
    }
}

/// The table.
///
/// # Examples
/// ```
/// use musher_graph_core::delayed;
/// use musher_scheduler::Compute;
/// use musher_testkit::Cases;
/// let mut cases = Cases::new("graph-core");
/// cases.add("delayed", |_, options| delayed(|| 42).call(()).compute_with(options));
/// cases.check_bits();
/// ```
pub struct Cases {
    section: &'static str,
    cases: Vec<Case>,
    without: Vec<(&'static str, &'static str)>,
}

impl Cases {
    /// For the operations of this section of `ops.toml`.
    pub fn new(section: &'static str) -> Self {
        Self { section, cases: Vec::new(), without: Vec::new() }
    }

    /// Computes something with these operations, whose names are separated by spaces, from data of some size, and gives a
    /// digest of its bits. What it builds must not hold the data.
    pub fn add(
        &mut self,
        operations: &'static str,
        work: impl Fn(Size, &Options) -> Result<u64, Error> + Send + Sync + 'static,
    ) {
        let operations = operations.split(' ').collect();
        let work = Box::new(work);
        self.cases.push(Case {
            operations,
            work,
            refused: None,
            beside: 0,
            is_users: false,
            has_files: false,
        });
    }

    /// The same, where the last case cannot run within an eighth of its data, for this reason.
    pub fn refused(&mut self, why: &'static str) {
        if let Some(case) = self.cases.last_mut() {
            case.refused = Some(why);
        }
    }

    /// The last case takes so many bytes beside its plan, whatever the size of the data: to build it, or for a reader.
    pub fn beside(&mut self, bytes: u64) {
        if let Some(case) = self.cases.last_mut() {
            case.beside = bytes;
        }
    }

    /// In the last case a function of the user's makes what is as large as a chunk: no memory for that ends the process.
    pub fn users_memory(&mut self) {
        if let Some(case) = self.cases.last_mut() {
            case.is_users = true;
        }
    }

    /// The last case makes files anew in each process, so that what reads them is other work there.
    pub fn own_files(&mut self) {
        if let Some(case) = self.cases.last_mut() {
            case.has_files = true;
        }
    }

    /// Operations without a case of their own, and why.
    pub fn without(&mut self, operations: &'static str, why: &'static str) {
        self.without.extend(operations.split(' ').map(|operation| (operation, why)));
    }

    /// Every operation of the section of this list, the text of `ops.toml`, has a case or says why not.
    ///
    /// # Panics
    /// If one has not, or a name is not in the list.
    pub fn check_listed(&self, list: &str) {
        let header = format!("\n[{}]\n", self.section);
        let section = list.split(&header).nth(1).unwrap_or("").split("\n[").next().unwrap_or("");
        // Of the texts, those that no `=` follows: the others are keys, modules of tests and reasons.
        let mut texts = section.split('"').skip(1);
        let mut listed = BTreeSet::new();
        while let (Some(text), Some(after)) = (texts.next(), texts.next()) {
            if !after.trim_start().starts_with('=') {
                listed.insert(text);
            }
        }
        let named: BTreeSet<&str> = self.cases.iter().flat_map(|case| case.operations.clone()).collect();
        let excused: BTreeSet<&str> = self.without.iter().map(|(name, _)| *name).collect();
        // A fallible twin builds what its twin builds.
        let is_twin = |name: &str| {
            let twin = name.replacen("try_", "", 1);
            twin != name && named.contains(twin.as_str())
        };
        let missing: Vec<&str> = listed
            .iter()
            .copied()
            .filter(|name| !named.contains(name) && !excused.contains(name) && !is_twin(name))
            .collect();
        assert!(missing.is_empty(), "operations without a case or a reason: {missing:?}");
        let unknown: Vec<_> = named.union(&excused).filter(|name| !listed.contains(*name)).collect();
        assert!(unknown.is_empty(), "not in the list: {unknown:?}");
        let both: Vec<_> = named.intersection(&excused).collect();
        assert!(both.is_empty(), "with a case and a reason for none: {both:?}");
    }

    /// On data of eight times the limit, each case in a process of its own ends with the bits that it has without a limit,
    /// within baseline + limit + 32 MiB of resident memory, and leaves no file; or it says that it is refused, and is. Gives
    /// back a table of what was measured.
    ///
    /// `LIMIT_TESTS=large` in the environment computes on eight times as much; `LIMIT_TESTS_ONLY` is a part of the names of
    /// the operations that are run.
    ///
    /// # Panics
    /// If not, or if more than one operation in twenty is refused.
    pub fn check_limits(&self, child: Child) -> String {
        let only = std::env::var("LIMIT_TESTS_ONLY").unwrap_or_default();
        let (mut table, mut broken) = (String::new(), Vec::new());
        for (number, case) in self.cases.iter().enumerate().filter(|(_, case)| case.name().contains(&only)) {
            // By number: several cases of one operation have its name.
            let answer = child
                .ask(&number.to_string())
                .unwrap_or_else(|status| format!("broken: ended with {status}"));
            let line = format!("{answer}  {}", case.name());
            let _ = writeln!(table, "{line}");
            if answer.starts_with("broken") {
                broken.push(line);
            }
        }
        assert!(broken.is_empty(), "{table}\n{} break their promise:\n{}", broken.len(), broken.join("\n"));
        let refused = self.cases.iter().filter(|case| case.refused.is_some()).count();
        assert!(20 * refused <= self.cases.len(), "{refused} of {} are refused", self.cases.len());
        table
    }

    /// The child of [`check_limits`](Self::check_limits) and [`check_processes`](Self::check_processes).
    pub fn child(&self, child: Child) {
        child.answer(|orders| match orders {
            DIGESTS => self.digests(),
            #[cfg(unix)]
            orders if let Some(number) = orders.strip_prefix(REFUSED) => self.refused_memory(number),
            number => match self.numbered(number) {
                Some(case) => within_limit(case, Size::large()),
                None => format!("broken: no case {number}"),
            },
        });
    }

    /// The case of a number.
    fn numbered(&self, number: &str) -> Option<&Case> {
        self.cases.get(number.parse::<usize>().ok()?)
    }

    /// No case ends its process where the system refuses memory for a second chunk: it ends with an error, or needs none.
    /// Gives back a table of what was said.
    ///
    /// # Panics
    /// If one does.
    #[cfg(unix)]
    pub fn check_refused_memory(&self, child: Child) -> String {
        let (mut table, mut broken) = (String::new(), Vec::new());
        for (number, case) in self.cases.iter().enumerate().filter(|(_, case)| !case.is_users) {
            match child.ask(&format!("{REFUSED}{number}")) {
                Ok(answer) => {
                    let _ = writeln!(table, "{answer}  {}", case.name());
                }
                Err(status) => broken.push(format!("{status}  {}", case.name())),
            }
        }
        assert!(broken.is_empty(), "{table}\nthese ended their process:\n{}", broken.join("\n"));
        table
    }

    #[cfg(unix)]
    fn refused_memory(&self, number: &str) -> String {
        let case = self.numbered(number).expect("a case of this number");
        crate::limit_address_space(Size::REFUSED_ABOVE);
        let options = Options::sequential().memory_limit(u64::MAX).never_spill();
        // What a case does not expect is a panic, and no end of the process.
        match catch_unwind(AssertUnwindSafe(|| (case.work)(Size::REFUSED, &options))) {
            Ok(Ok(_)) => "finished".to_owned(),
            Ok(Err(error)) => chain(&error),
            Err(_) => "panicked".to_owned(),
        }
    }

    /// One pattern of bits for each case: in sequence, on each number of threads, in shuffled schedules, with chunks on
    /// the disk and without.
    ///
    /// # Panics
    /// If there are two.
    pub fn check_bits(&self) {
        let size = Size::SMALL;
        let disk = Arc::new(SpillDir::new(SpillOptions::default()));
        for case in &self.cases {
            let expected = (case.work)(size, &Options::sequential());
            let expected = expected.unwrap_or_else(|error| panic!("{}: {}", case.name(), chain(&error)));
            for (seed, threads) in THREADS.into_iter().chain(THREADS).enumerate() {
                let options =
                    Options::default().threads(threads).observe(Arc::new(Shuffles::new(seed as u64)));
                let options = match seed < THREADS.len() {
                    true => options,
                    false => options.memory_limit(size.limit).spill_to(disk.clone()),
                };
                match (case.work)(size, &options) {
                    Ok(found) => assert!(
                        found == expected,
                        "{} on {threads} threads, run {seed}: {found:016x}, in sequence {expected:016x}",
                        case.name()
                    ),
                    // What small data needs beside its chunks, or chunks of unknown size, may be more than the small limit.
                    Err(Error::MemoryLimit { .. } | Error::MemoryExhausted { .. })
                        if seed >= THREADS.len() => {}
                    Err(error) => panic!("{} on {threads} threads: {}", case.name(), chain(&error)),
                }
            }
        }
    }

    /// The bits of each case are the same in another process, and so are its plans where both have one scope.
    ///
    /// # Panics
    /// If they are not.
    pub fn check_processes(&self, child: Child) {
        let other = child.ask(DIGESTS);
        let other = other.unwrap_or_else(|status| panic!("the child ended with {status}"));
        let own = self.digests();
        for (own, other) in own.lines().zip(other.lines()) {
            assert_eq!(own, other);
        }
        assert_eq!(own.lines().count(), other.lines().count());
    }

    /// No case whose chunks are all of known size takes more memory in sequence than its plan projected; `measure` gives the most bytes that its argument
    /// allocated at once on this thread. Gives back a table of what was measured.
    ///
    /// # Panics
    /// If one does.
    pub fn check_projections(&self, measure: impl Fn(&mut dyn FnMut()) -> u64) -> String {
        let (mut table, mut broken) = (String::new(), Vec::new());
        let disk = Arc::new(SpillDir::new(SpillOptions::default()));
        for case in &self.cases {
            let projected = Arc::new(Projected::default());
            let options = Options::sequential().observe(projected.clone()).spill_to(disk.clone());
            // The first run makes what is kept: buffers of a thread, tables.
            let mut outcome = (case.work)(Size::SMALL, &options);
            let bytes = measure(&mut || outcome = (case.work)(Size::SMALL, &options));
            if let Err(error) = &outcome {
                panic!("{}: {}", case.name(), chain(error));
            }
            let (most, allowance) = projected.most();
            let is_known = projected.unknown.load(Ordering::Relaxed) == 0;
            let note = if is_known { "" } else { ", of partly unknown size" };
            let ratio = most as f64 / bytes as f64;
            let line = format!("{most:>10} {bytes:>10} {ratio:>6.2}  {}{note}", case.name());
            let _ = writeln!(table, "{line}");
            if is_known && bytes > most + allowance + case.beside {
                broken.push(line);
            }
        }
        assert!(broken.is_empty(), "{table}\nmore was taken than projected:\n{}", broken.join("\n"));
        table
    }

    /// Plans tell before they run which codec each chunk has, and each kind of chunk that the cases make goes out, comes back and
    /// may be damaged ([`check_codec`]); `measure` gives the most bytes that its argument allocated at once on this thread.
    /// Gives back the kinds.
    ///
    /// # Panics
    /// If a plan tells otherwise, or a codec breaks its promise.
    pub fn check_codecs(&self, measure: impl Fn(&mut dyn FnMut()) -> u64) -> String {
        let mut checked = BTreeSet::new();
        let mut broken = Vec::new();
        for case in &self.cases {
            let told = Arc::new(Told::default());
            if let Err(error) = (case.work)(Size::SMALL, &Options::sequential().observe(told.clone())) {
                panic!("{}: {}", case.name(), chain(&error));
            }
            broken.extend(told.broken().into_iter().map(|line| format!("{}: {line}", case.name())));
            for (kind, chunk) in told.chunks() {
                if checked.insert(kind) {
                    check_codec(&*chunk, |_| true, &measure);
                }
            }
        }
        assert!(broken.is_empty(), "plans that tell otherwise:\n{}", broken.join("\n"));
        checked.into_iter().collect::<Vec<_>>().join("\n")
    }

    /// The digests of all cases in sequence, a line each.
    fn digests(&self) -> String {
        let mut text = String::new();
        for case in &self.cases {
            let plans = Arc::new(Plans::default());
            let options = Options::sequential().observe(plans.clone());
            // Any number that both processes know.
            let scope = Scope::from_bits(0x5eed);
            let digest = match scope.run(|| (case.work)(Size::SMALL, &options)) {
                Ok(digest) => format!("{digest:016x}"),
                Err(error) => chain(&error),
            };
            let plans = if case.has_files { 0 } else { plans.digest() };
            let _ = writeln!(text, "{digest} {plans:016x}  {}", case.name());
        }
        text
    }
}

/// What the child is to do instead of a case.
const DIGESTS: &str = "digests";
/// What comes before the name of a case that shall be refused memory.
const REFUSED: &str = "refused ";

/// Runs a case below its limit, then without; says what it took, or `broken` and why.
fn within_limit(case: &Case, size: Size) -> String {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let spill = SpillOptions::default().base(folder.path()).in_memory(size.limit / 4);
    let disk = Arc::new(SpillDir::new(spill));
    let options = Options::default().threads(2);
    let baseline = resident_bytes();
    forget_peak();
    let outcome = (case.work)(size, &options.clone().memory_limit(size.limit).spill_to(disk.clone()));
    let peak = peak_resident_bytes().saturating_sub(baseline);
    let counts = disk.counts();
    drop(disk);
    let left = std::fs::read_dir(folder.path()).map_or(0, Iterator::count);
    if left > 0 || counts.parcels > 0 {
        return format!("broken: {left} files left, {} parcels", counts.parcels);
    }
    let found = match (outcome, case.refused) {
        (Ok(found), None) => found,
        (Ok(_), Some(why)) => return format!("broken: it runs, although {why}"),
        // In front, or at the limit where sizes are known only then.
        (Err(Error::MemoryLimit { .. } | Error::Check { .. } | Error::MemoryExhausted { .. }), Some(why)) => {
            return format!("refused: {why}");
        }
        (Err(error), _) => return format!("broken: {}", chain(&error)),
    };
    let expected = match (case.work)(size, &options.memory_limit(u64::MAX)) {
        Ok(expected) => expected,
        Err(error) => return format!("broken without a limit: {}", chain(&error)),
    };
    let verdict = match (found == expected, peak <= size.limit + SLACK) {
        (true, true) => "within",
        (false, _) => "broken: other bits,",
        (_, false) => "broken:",
    };
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    format!("{verdict} {:>6.1} MiB, {:>6.1} MiB spilled", mib(peak), mib(counts.written))
}

/// An error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// Gives the processor away at some starts of tasks, so that others overtake.
struct Shuffles(Mutex<Random>);

impl Shuffles {
    fn new(seed: u64) -> Self {
        Self(Mutex::new(Random::new(seed)))
    }
}

impl Observer for Shuffles {
    fn event(&self, event: Event<'_>) {
        if let Event::TaskStarted { .. } = event {
            let times = self.0.lock().map_or(0, |mut random| random.below(4));
            (0..times).for_each(|_| std::thread::yield_now());
        }
    }
}

/// The most that the plans of the runs projected, and their tasks.
#[derive(Default)]
struct Projected {
    bytes: AtomicU64,
    tasks: AtomicU64,
    /// Chunks of unknown size.
    unknown: AtomicU64,
}

impl Projected {
    /// Bytes projected, and bytes allowed beside.
    fn most(&self) -> (u64, u64) {
        let tasks = self.tasks.load(Ordering::Relaxed);
        (self.bytes.load(Ordering::Relaxed), BOOKKEEPING + BOOKKEEPING_A_TASK * tasks)
    }
}

impl Observer for Projected {
    fn event(&self, event: Event<'_>) {
        if let Event::RunStarted { plan } = event {
            let tables = plan.tasks().table_bytes() as u64;
            self.bytes.fetch_max(plan.peak_bytes() + tables, Ordering::Relaxed);
            self.unknown.fetch_max(plan.tasks().known_bytes().1, Ordering::Relaxed);
            self.tasks.fetch_max(plan.tasks().n_tasks() as u64, Ordering::Relaxed);
        }
    }
}

/// The fingerprints of the plans of all runs, in order.
#[derive(Default)]
struct Plans(Mutex<Vec<u64>>);

impl Plans {
    fn digest(&self) -> u64 {
        self.0.lock().map_or(0, |plans| digest(plans.iter().copied()))
    }
}

impl Observer for Plans {
    fn event(&self, event: Event<'_>) {
        if let Event::RunStarted { plan } | Event::Continued { more: plan, .. } = event
            && let Ok(mut plans) = self.0.lock()
        {
            plans.push(plan.fingerprint().to_bits() as u64);
        }
    }
}

/// The digest of some words: FNV-1a over their bytes in eights.
///
/// # Examples
/// ```
/// use musher_testkit::digest;
/// assert_ne!(digest([1, 2]), digest([2, 1]));
/// ```
pub fn digest(words: impl IntoIterator<Item = u64>) -> u64 {
    words.into_iter().fold(0xcbf2_9ce4_8422_2325, |hash, word| {
        (hash ^ word).wrapping_mul(0x0100_0000_01b3).rotate_left(29)
    })
}

/// The tests that every crate's table of cases has, in the module of this path inside the test binary: each operation has a
/// case, data of eight times the limit, one pattern of bits, codecs that its plans tell, and the same bits in another process, which is
/// `CHILD`.
#[macro_export]
macro_rules! promises {
    ($module:literal, $cases:expr) => {
        const CHILD: $crate::Child = $crate::Child::new(concat!($module, "::child"));

        #[test]
        fn every_operation_has_a_case_or_says_why_not() {
            $cases.check_listed(&std::fs::read_to_string("../../ops.toml").unwrap());
        }

        /// Does nothing unless it is the child process of the other tests.
        #[test]
        fn child() {
            $cases.child(CHILD);
        }

        #[test]
        fn data_of_eight_times_the_limit_stays_within_it() {
            println!("{}", $cases.check_limits(CHILD));
        }

        #[test]
        fn one_pattern_of_bits() {
            $cases.check_bits();
        }

        #[test]
        fn plans_tell_the_codecs_of_chunks_and_codecs_refuse_damaged_bytes() {
            println!("{}", $cases.check_codecs(|work| allocation_counter::measure(work).bytes_max));
        }

        #[test]
        fn the_same_bits_in_another_process() {
            $cases.check_processes(CHILD);
        }
    };
}
