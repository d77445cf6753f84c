//! Where identities come from: a scope on the thread, which two processes can share.
//!
//! Work that cannot be told apart by its parameters (a closure that captures something, an unseeded random array, a value
//! that is there already) has an identity that nothing else has. It is made of *where* it was made and of how many were
//! made there before, and of nothing that differs between two processes which do the same:
//!
//! | where | the identity |
//! |---|---|
//! | no scope | the process and its count: no other process has it |
//! | a scope | the scope and its count |
//! | a task | the run's number, the task's key and place, and the task's count |
//!
//! A run's number is an identity itself, taken where the run is started: two runs of one collection differ, and a second
//! process that is given the first one's scope agrees on everything that is built in it.

use std::cell::Cell;
use std::num::NonZeroU128;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use xxhash_rust::xxh3::xxh3_128;

use crate::key::{Key, Reach, Token, Tokenizer};

/// An identity that nothing else has.
///
/// # Examples
/// ```
/// use musher_graph_core::Identity;
/// assert_ne!(Identity::fresh(), Identity::fresh());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Identity(
    /// `None` where identities must come from scopes and there was none.
    Option<NonZeroU128>,
);

impl Identity {
    /// The next identity of the innermost scope on this thread.
    ///
    /// **Cost** about 10 ns.
    #[inline]
    pub fn fresh() -> Self {
        HERE.with(Here::next)
    }

    /// The identity as a number, such as the seed of random numbers that nobody chose.
    ///
    /// # Panics
    /// Where identities must come from scopes ([`Scope::require`]) and this one did not.
    #[track_caller]
    pub fn to_bits(self) -> u128 {
        match self.0 {
            Some(bits) => bits.get(),
            None => panic!("{OUTSIDE}"),
        }
    }

    fn of(bytes: &[u8]) -> Self {
        Self(NonZeroU128::new(xxh3_128(bytes)).or(Some(NonZeroU128::MAX)))
    }
}

/// What is wrong with an identity that no scope gave.
pub(crate) const OUTSIDE: &str = "this thread has no scope, so that another process could not build the same work: \
                                  build on the thread that the job runs on, or give this one a scope (`Scope::run`)";

impl Token for Identity {
    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.narrow(if self.0.is_some() { Reach::Run } else { Reach::Nowhere });
        self.0.map_or(0, NonZeroU128::get).token(tokenizer);
    }
}

/// A source of identities that can be handed to another process.
///
/// Inside of [`run`](Scope::run) all identities come from the scope. Whoever does the same in the same scope gets the same
/// identities, so the same keys; whoever is in another scope gets others.
///
/// # Examples
/// ```
/// use musher_graph_core::{Collection, Delayed, Scope, delayed};
/// fn program() -> Delayed<f64> {
///     let factor = 2.5;
///     delayed(move |x: f64| factor * x).call(4.0)
/// }
/// let here = Scope::fresh();
/// let there = Scope::from_bits(here.to_bits());
/// assert_eq!(here.run(program).port().key(), there.run(program).port().key());
/// assert_ne!(program().port().key(), program().port().key());
/// ```
#[derive(Debug)]
pub struct Scope(u128);

impl Scope {
    /// A scope like no other.
    pub fn fresh() -> Self {
        Self(Identity::fresh().0.map_or(0, NonZeroU128::get))
    }

    /// The scope that another process told by [`to_bits`](Scope::to_bits).
    pub fn from_bits(bits: u128) -> Self {
        Self(bits)
    }

    /// What another process needs to have the same scope.
    pub fn to_bits(&self) -> u128 {
        self.0
    }

    /// Does work on this thread whose identities come from this scope, from the first one on.
    ///
    /// Threads that the work starts are outside. Two pieces of different work in one scope would have equal identities, and
    /// pass for the same work: a scope is used up.
    pub fn run<R>(self, work: impl FnOnce() -> R) -> R {
        Here::inside(self.0, None, work)
    }

    /// From now on, in the whole process, identities must come from scopes: planning work that was built outside of all
    /// is [`Error::NoScope`](crate::Error::NoScope).
    ///
    /// For a process that builds what another one builds, too, and must not notice too late that the two differ.
    pub fn require() {
        // Relaxed: it is set before the work that it is for begins, and never unset.
        REQUIRED.store(true, Ordering::Relaxed);
    }
}

/// The number of a run, taken where the run is started; its tasks make identities of their own.
///
/// # Examples
/// ```
/// use musher_graph_core::RunNumber;
/// assert_ne!(RunNumber::fresh(), RunNumber::fresh());
/// assert_eq!(RunNumber::here(), None, "no run on this thread");
/// let number = RunNumber::fresh();
/// assert_eq!(number.work(0, RunNumber::here), Some(number));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunNumber(u128);

impl RunNumber {
    /// The number of a run that starts here.
    pub fn fresh() -> Self {
        Self(Scope::fresh().0)
    }

    /// The run whose task is running on this thread.
    pub fn here() -> Option<Self> {
        HERE.with(|here| here.within.get().is_some().then(|| here.outer.get()).flatten().map(Self))
    }

    /// The 128 bits.
    pub fn to_bits(self) -> u128 {
        self.0
    }

    /// Works for the run on this thread, as one of its workers: tasks that [`TaskGraph::run`](crate::TaskGraph::run) runs
    /// in `work` make identities by their keys and places.
    pub fn work<R>(self, worker: usize, work: impl FnOnce() -> R) -> R {
        // Between tasks there is none that could tell two workers apart.
        Here::inside(self.0, Some((Key::of(&"worker"), worker as u64)), work)
    }
}

/// The next identities on this thread are those of this task.
#[inline]
pub(crate) fn enter_task(key: Key, place: usize) {
    HERE.with(|here| {
        here.within.set(Some((key, place as u64)));
        here.count.set(0);
    });
}

static REQUIRED: AtomicBool = AtomicBool::new(false);

static PROCESS: LazyLock<u64> = LazyLock::new(|| {
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_nanos() as u64);
    (nanos ^ (u64::from(std::process::id()) << 32)).wrapping_mul(0x9E37_79B9_7F4A_7C15)
});

static COUNT: AtomicU64 = AtomicU64::new(1);

thread_local! {
    static HERE: Here = const {
        Here { outer: Cell::new(None), within: Cell::new(None), count: Cell::new(0) }
    };
}

/// Where this thread is.
struct Here {
    /// The scope, or the number of the run.
    outer: Cell<Option<u128>>,
    /// The task of the run: its key and place.
    within: Cell<Option<(Key, u64)>>,
    /// Identities made there.
    count: Cell<u64>,
}

impl Here {
    #[inline]
    fn next(&self) -> Identity {
        let Some(outer) = self.outer.get() else { return Self::outside() };
        let count = self.count.replace(self.count.get() + 1);
        let (key, place) = self.within.get().unwrap_or((Key::from_bits(0), 0));
        let mut bytes = [0; 48];
        bytes[..16].copy_from_slice(&outer.to_le_bytes());
        bytes[16..32].copy_from_slice(&key.to_bits().to_le_bytes());
        bytes[32..40].copy_from_slice(&place.to_le_bytes());
        bytes[40..].copy_from_slice(&count.to_le_bytes());
        Identity::of(&bytes)
    }

    fn outside() -> Identity {
        if REQUIRED.load(Ordering::Relaxed) {
            return Identity(None);
        }
        // Relaxed: only uniqueness matters, nothing is published through the counter.
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        Identity(NonZeroU128::new(u128::from(*PROCESS) << 64 | u128::from(count)))
    }

    fn inside<R>(outer: u128, within: Option<(Key, u64)>, work: impl FnOnce() -> R) -> R {
        struct Restore(Option<u128>, Option<(Key, u64)>, u64);
        impl Drop for Restore {
            fn drop(&mut self) {
                HERE.with(|here| {
                    here.outer.set(self.0);
                    here.within.set(self.1);
                    here.count.set(self.2);
                });
            }
        }
        let _restore = HERE.with(|here| {
            Restore(here.outer.replace(Some(outer)), here.within.replace(within), here.count.replace(0))
        });
        work()
    }
}
