//! From a call to its result: the whole program in the order in which it happens.

use std::cell::RefCell;

use musher_graph_core::{
    ChunkRef, Collection, Explain, Graph, Grid, Held, Layer, Places, Plan, Port, Problem, Request, SpillStore,
};

use crate::crew::Crew;
use crate::disk::Lent;
use crate::error::Error;
use crate::options::Options;
use crate::run::{Run, Scheduler};
use crate::sequential::Sequential;
use crate::sync::{Arc, AtomicU64, Ordering, thread_local};
use crate::threaded::Threaded;

thread_local! {
    /// The crew whose task runs on this thread: a computation inside it runs in place.
    static CURRENT: RefCell<Option<Arc<Crew>>> = const { RefCell::new(None) };
}

/// Computes several collections at once: shared work is done once.
///
/// Takes a tuple of references (up to eight) or a slice.
///
/// # Errors
/// [`Error`]: the first failure of any task.
///
/// # Examples
/// ```
/// use musher_graph_core::delayed;
/// let (a, b) = (delayed(|| 1).call(()), delayed(|| 2.5).call(()));
/// assert_eq!(musher_scheduler::compute((&a, &b))?, (1, 2.5));
/// # Ok::<(), musher_scheduler::Error>(())
/// ```
#[doc(alias = "dask.compute")]
pub fn compute<C: Collections>(collections: C) -> Result<C::Output, Error> {
    compute_with(collections, &Options::default())
}

/// [`compute`] with options.
///
/// # Errors
/// [`Error`]: the first failure of any task.
pub fn compute_with<C: Collections>(collections: C, options: &Options) -> Result<C::Output, Error> {
    let requests = collections.requests();
    // The plan's tables are gone before the answer is assembled, which may be large.
    let chunks = execute(plan(&requests)?, options)?;
    collections.gather(&mut chunks.into_iter())
}

/// Computes several collections and keeps their chunks: gives back the same collections, whose chunks are there.
///
/// # Errors
/// [`Error`]: the first failure of any task.
///
/// # Examples
/// ```
/// use musher_graph_core::delayed;
/// use musher_scheduler::{Compute, persist};
/// let a = delayed(|| 1).call(());
/// let (held,) = persist((&a,))?;
/// assert_eq!(held.compute()?, 1);
/// # Ok::<(), musher_scheduler::Error>(())
/// ```
#[doc(alias = "dask.persist")]
pub fn persist<C: Collections>(collections: C) -> Result<C::Persisted, Error> {
    persist_with(collections, &Options::default())
}

/// [`persist`] with options.
///
/// # Errors
/// [`Error`]: the first failure of any task.
pub fn persist_with<C: Collections>(collections: C, options: &Options) -> Result<C::Persisted, Error> {
    let requests = collections.requests();
    let chunks = execute(plan(&requests)?, options)?;
    Ok(collections.persisted(&mut chunks.into_iter()))
}

/// The plan of these requests: collected, optimized, ordered.
///
/// # Errors
/// [`Error::Plan`] if the graph cannot be planned.
pub fn plan(requests: &[Request]) -> Result<Plan, Error> {
    Ok(Plan::new(Graph::collect(requests)?.optimize())?)
}

/// Runs a plan on the scheduler that the options ask for.
fn execute(plan: Plan, options: &Options) -> Result<Vec<ChunkRef>, Error> {
    // A single task may give back work for many threads.
    let is_small =
        plan.tasks().n_tasks() <= 1 && !plan.tasks().layers().iter().any(|layer| layer.task.continues());
    let settings = options.settings()?;
    let mut run = options.run(plan, &settings);
    options.sweep_once(&settings);
    let problems = crate::check::files(&run);
    if !problems.is_empty() {
        return Err(Error::Check { problems });
    }
    let inside = is_inside();
    if let Some(outer) = CURRENT.with(|current| current.borrow().clone()) {
        Loan::take(outer, &mut run);
    }
    run.order_for_limit();
    let alone = (run.threads.get() == 1 && run.pool.is_none()) || is_small;
    if options.sequential || inside || alone { Sequential.run(&run) } else { Threaded::default().run(&run) }
}

/// Memory that a run inside a task has of the outer run: what it would like as far as it is free, never by waiting.
#[derive(Debug)]
pub(crate) struct Loan {
    lender: Arc<Crew>,
    bytes: AtomicU64,
}

impl Loan {
    /// Puts a run below the outer one: its limit is what it borrows, its disk the outer one's.
    fn take(lender: Arc<Crew>, run: &mut Run) {
        let outer = lender.conditions();
        run.spill_store.clone_from(&outer.spill_store);
        run.cancel = match (run.cancel.take(), &outer.cancel) {
            (Some(own), Some(outer)) => Some(own.under(outer)),
            (own, outer) => own.or_else(|| outer.clone()),
        };
        let tables = run.plan.tasks().table_bytes() as u64;
        let most = run.memory_limit.map_or(u64::MAX, |limit| limit.bytes());
        // Twice the sequential peak lets nothing wait; more would be taken from the outer run for nothing.
        let peak = run.plan.peak_bytes();
        // Of what is unknown nobody can say what it will need: it gets its share of what is free.
        let unknown = run.plan.tasks().known_bytes().1 > 0;
        let share = if unknown { lender.share() } else { 0 };
        let want = tables.saturating_add(peak.saturating_mul(2)).max(share).min(most);
        if let Some(bytes) = lender.lend(want) {
            run.memory_limit = Some(bytes.into());
            // The outer run's room is no longer free: part of it is this loan.
            let in_memory = crate::options::stays_in_memory(&run.plan, bytes);
            let lent = |store| Arc::new(Lent::new(store, in_memory)) as Arc<dyn SpillStore>;
            run.spill_store = run.spill_store.take().map(lent);
            run.loan = Some(Arc::new(Self { lender, bytes: AtomicU64::new(bytes) }));
        }
    }

    /// Borrows more, for a run inside a task of the run inside a task.
    pub(crate) fn extend(&self, want: u64) -> u64 {
        let bytes = self.lender.lend(want).unwrap_or(0);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        bytes
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        self.lender.take_back(self.bytes.load(Ordering::Relaxed));
    }
}

/// Whether this thread runs a task of ours, or is one of somebody's rayon pool: waiting for workers could wait for
/// ourselves.
pub(crate) fn is_inside() -> bool {
    CURRENT.with(|current| current.borrow().is_some()) || rayon::current_thread_index().is_some()
}

/// The run was cancelled, or its deadline has passed: what [`check_cancelled`] says to a task in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("gave up, because the run was cancelled")]
#[non_exhaustive]
pub struct GaveUp;

/// Asks, inside a task that takes long, whether its run is to end: a task that gives up by `?` ends the run at once, and
/// the run's error is [`Error::Cancelled`] or [`Error::DeadlinePassed`], whatever the task gave back.
///
/// Our own kernels ask every 65,536 elements, or every 256 items of a bag. Outside of tasks, and on threads that are not
/// those of the run, there is nothing to end. A closure that cannot fail may `expect` it: its panic does not hide that
/// the run was cancelled, while an answer that is not finished could pass for the result of the last task.
///
/// **Cost** some nanoseconds; 50 where there is a deadline.
///
/// # Errors
/// [`GaveUp`] once the run is cancelled.
///
/// # Examples
/// ```
/// use musher_graph_core::delayed;
/// use musher_scheduler::{CancelToken, Compute, Error, GaveUp, Options, check_cancelled};
/// fn search(from: u64) -> Result<u64, GaveUp> {
///     for n in from.. {
///         check_cancelled()?;
///         if n % 7 == 6 && n % 11 == 10 && n % 13 == 12 {
///             return Ok(n);
///         }
///     }
///     Ok(0)
/// }
/// assert_eq!(delayed(search).fallible().call(5).compute()?, 1000);
/// # Ok::<(), Error>(())
/// ```
pub fn check_cancelled() -> Result<(), GaveUp> {
    CURRENT.with(|current| match &*current.borrow() {
        Some(crew) if crew.conditions().is_cancelled() => Err(GaveUp),
        _ => Ok(()),
    })
}

/// Does the work of one of a crew's loops with the mark that it is inside that crew's run, under the settings of who
/// started it.
pub(crate) fn inside<R>(crew: &Arc<Crew>, work: impl FnOnce() -> R) -> R {
    struct Restore(Option<Arc<Crew>>);
    impl Drop for Restore {
        fn drop(&mut self) {
            CURRENT.with(|current| current.replace(self.0.take()));
        }
    }
    let _restore = Restore(CURRENT.with(|current| current.replace(Some(Arc::clone(crew)))));
    crew.conditions().scope.run(work)
}

/// What every collection can do.
///
/// # Examples
/// ```
/// use musher_graph_core::delayed;
/// use musher_scheduler::Compute;
/// let answer = delayed(|| 42).call(());
/// println!("{}", answer.explain()?);
/// assert_eq!(answer.compute()?, 42);
/// # Ok::<(), musher_scheduler::Error>(())
/// ```
pub trait Compute: Collection {
    /// Computes the collection on all cores.
    ///
    /// # Errors
    /// [`Error`]: the first failure of any task.
    fn compute(&self) -> Result<Self::Output, Error> {
        self.compute_with(&Options::default())
    }

    /// Computes the collection under these options.
    ///
    /// # Errors
    /// [`Error`]: the first failure of any task.
    fn compute_with(&self, options: &Options) -> Result<Self::Output, Error>;

    /// Computes the chunks and keeps them in memory: the result is the same collection, whose chunks are there.
    ///
    /// # Errors
    /// [`Error`]: the first failure of any task.
    fn persist(&self) -> Result<Self, Error>
    where
        Self: Sized;

    /// [`persist`](Compute::persist) under these options.
    ///
    /// # Errors
    /// [`Error`]: the first failure of any task.
    fn persist_with(&self, options: &Options) -> Result<Self, Error>
    where
        Self: Sized;

    /// What `compute()` would do: layers, tasks, bytes read, projected peak, what will be spilled below the memory limit
    /// that the settings give.
    ///
    /// # Errors
    /// [`Error::Plan`] if the graph cannot be planned, [`Error::Settings`].
    fn explain(&self) -> Result<Explain, Error> {
        self.explain_with(&Options::default())
    }

    /// [`explain`](Compute::explain) under these options.
    ///
    /// # Errors
    /// [`Error::Plan`] if the graph cannot be planned, [`Error::Settings`].
    fn explain_with(&self, options: &Options) -> Result<Explain, Error>;

    /// Everything that is known to go wrong if this is computed: files that are missing or written twice, memory and disk
    /// that cannot suffice. Nothing is run, read or written.
    ///
    /// # Errors
    /// [`Error::Plan`] if the graph cannot be planned, [`Error::Settings`].
    ///
    /// # Examples
    /// ```
    /// use musher_graph_core::delayed;
    /// use musher_scheduler::{Compute, Options};
    /// let large = delayed(|| [0_u8; 5000]).call(());
    /// let problems = large.check_with(&Options::default().memory_limit(4000))?;
    /// assert!(problems[0].to_string().contains("(built at "), "{}", problems[0]);
    /// assert!(large.check()?.is_empty());
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    fn check(&self) -> Result<Vec<Problem>, Error> {
        self.check_with(&Options::default())
    }

    /// [`check`](Compute::check) under these options.
    ///
    /// # Errors
    /// [`Error::Plan`] if the graph cannot be planned, [`Error::Settings`].
    fn check_with(&self, options: &Options) -> Result<Vec<Problem>, Error>;
}

impl<C: Collection> Compute for C {
    fn compute_with(&self, options: &Options) -> Result<Self::Output, Error> {
        compute_with(self, options)
    }

    fn persist(&self) -> Result<Self, Error> {
        persist(self)
    }

    fn persist_with(&self, options: &Options) -> Result<Self, Error> {
        persist_with(self, options)
    }

    fn explain_with(&self, options: &Options) -> Result<Explain, Error> {
        let mut run = options.run(plan(&[self.request()])?, &options.settings()?);
        run.order_for_limit();
        Ok(match run.memory_limit {
            Some(limit) => run.plan.explain_with(limit.bytes()),
            None => run.plan.explain(),
        })
    }

    fn check_with(&self, options: &Options) -> Result<Vec<Problem>, Error> {
        let settings = options.settings()?;
        let run = options.run(plan(&[self.request()])?, &settings);
        let mut problems = crate::check::everything(&run);
        problems
            .extend(options.spill_folder(&settings).and_then(|folder| crate::check::spill_dir(&run, folder)));
        Ok(problems)
    }
}

/// Collections that are computed together: a reference, a tuple of references, a slice.
pub trait Collections {
    /// The results, in the same shape.
    type Output;
    /// The collections themselves with their chunks at hand, in the same shape.
    type Persisted;

    /// What they ask for, in order.
    fn requests(&self) -> Vec<Request>;

    /// Assembles the results, taking each collection's chunks from the front.
    ///
    /// # Errors
    /// [`Error::Gather`] if chunks do not fit together.
    fn gather(self, chunks: &mut dyn Iterator<Item = ChunkRef>) -> Result<Self::Output, Error>;

    /// The collections over their computed chunks, taken from the front.
    fn persisted(self, chunks: &mut dyn Iterator<Item = ChunkRef>) -> Self::Persisted;
}

impl<C: Collection> Collections for &C {
    type Output = C::Output;
    type Persisted = C;

    fn requests(&self) -> Vec<Request> {
        vec![self.request()]
    }

    fn gather(self, chunks: &mut dyn Iterator<Item = ChunkRef>) -> Result<C::Output, Error> {
        let chunks = chunks.take(self.request().n_chunks()).collect();
        Collection::gather(self, chunks).map_err(Error::gather)
    }

    fn persisted(self, chunks: &mut dyn Iterator<Item = ChunkRef>) -> C {
        let request = self.request();
        let chunks: Vec<_> = chunks.take(request.n_chunks()).collect();
        let port = &request.port;
        let grid = match &request.places {
            Places::All => port.grid().clone(),
            Places::Some(places) => Grid::from([places.len()]),
        };
        let held = Held::computed(port, &request.places, chunks);
        let layer = Layer::build(held).caller(port.layer.caller()).finish(grid);
        self.with_port(Port::of(layer))
    }
}

impl<C: Collection> Collections for &[C] {
    type Output = Vec<C::Output>;
    type Persisted = Vec<C>;

    fn requests(&self) -> Vec<Request> {
        self.iter().map(Collection::request).collect()
    }

    fn gather(self, chunks: &mut dyn Iterator<Item = ChunkRef>) -> Result<Vec<C::Output>, Error> {
        self.iter().map(|collection| Collections::gather(collection, chunks)).collect()
    }

    fn persisted(self, chunks: &mut dyn Iterator<Item = ChunkRef>) -> Vec<C> {
        self.iter().map(|collection| collection.persisted(chunks)).collect()
    }
}

macro_rules! tuples {
    ($(($($name:ident),*))*) => {$(
        impl<$($name: Collections),*> Collections for ($($name,)*) {
            type Output = ($($name::Output,)*);
            type Persisted = ($($name::Persisted,)*);

            #[expect(non_snake_case, reason = "the type's letter names the member")]
            fn requests(&self) -> Vec<Request> {
                let ($($name,)*) = self;
                [$($name.requests()),*].concat()
            }

            #[expect(non_snake_case, reason = "the type's letter names the member")]
            fn gather(self, chunks: &mut dyn Iterator<Item = ChunkRef>) -> Result<Self::Output, Error> {
                let ($($name,)*) = self;
                Ok(($($name.gather(chunks)?,)*))
            }

            #[expect(non_snake_case, reason = "the type's letter names the member")]
            fn persisted(self, chunks: &mut dyn Iterator<Item = ChunkRef>) -> Self::Persisted {
                let ($($name,)*) = self;
                ($($name.persisted(chunks),)*)
            }
        }
    )*};
}
tuples! {
    (A) (A, B) (A, B, C) (A, B, C, D) (A, B, C, D, E) (A, B, C, D, E, F) (A, B, C, D, E, F, G) (A, B, C, D, E, F, G, H)
}
