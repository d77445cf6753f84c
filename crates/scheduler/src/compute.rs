//! From a call to its result: the whole program in the order in which it happens.

use musher_graph_core::{
    Answer, ChunkRef, Collection, Explain, Grid, Held, Layer, Places, Plan, Port, Problem, Request,
};

use crate::engine::peak_without_disk;
use crate::error::Error;
use crate::nested;
use crate::options::Options;
use crate::planning::{plan, plan_unless};
use crate::rooms::Rooms;
use crate::run::{Run, Scheduler};
use crate::sequential::Sequential;
use crate::threaded::Threaded;

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
    let mut begun = collections.begin();
    let nbytes = C::nbytes(&begun);
    let prepared = Prepared::new(&requests, options, nbytes)?;
    let mut rooms = Rooms::default();
    if prepared.has_room {
        collections.rooms(&mut begun, &mut rooms);
        rooms.open(&prepared.run.plan);
    }
    // The plan's tables are gone before the answer is assembled, which may be large.
    let chunks = prepared.run_into(rooms)?;
    collections.gather(begun, &mut chunks.into_iter())
}

/// Computes several collections and keeps their chunks: returns the same collections, whose chunks are there.
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
    let chunks = Prepared::new(&requests, options, 0)?.run_into(Rooms::default())?;
    Ok(collections.persisted(&mut chunks.into_iter()))
}

/// What is asked for, planned and checked.
struct Prepared {
    run: Run,
    /// Whether it has set memory aside for the answers.
    has_room: bool,
    in_sequence: bool,
}

impl Prepared {
    /// Plans what is asked for; `nbytes` are those of answers that may be filled while it runs.
    fn new(requests: &[Request], options: &Options, nbytes: u64) -> Result<Self, Error> {
        // A deadline begins here.
        let cancel = nested::under_outer(options.cancel_token());
        let plan = plan_unless(requests, cancel.as_ref())?;
        // A single task may give back work for many threads.
        let is_small =
            plan.tasks().n_tasks() <= 1 && !plan.tasks().layers().iter().any(|layer| layer.task.continues());
        let inside = nested::is_inside();
        let mut settings = options.settings()?;
        let limit = settings.memory_limit.bytes();
        let has_room = nbytes > 0 && !inside && fits(&plan, limit.saturating_sub(nbytes));
        if has_room {
            // The answer is no chunk, but it takes its memory from the run.
            settings.memory_limit = (limit - nbytes).into();
        }
        let mut run = options.run(plan, &settings, cancel);
        options.sweep_once(&settings);
        let problems = crate::check::files(&run);
        if !problems.is_empty() {
            return Err(Error::Check { problems });
        }
        nested::go_below_outer(&mut run);
        run.order_for_limit();
        let alone = (run.threads.get() == 1 && run.pool.is_none()) || is_small;
        Ok(Self { run, has_room, in_sequence: options.sequential || inside || alone })
    }

    /// Runs it on the scheduler that the options ask for. When it returns, the rooms are filled.
    fn run_into(self, rooms: Rooms<'_>) -> Result<Vec<ChunkRef>, Error> {
        let mut chunks = match self.in_sequence {
            true => Sequential.run_into(&self.run, &rooms)?,
            false => Threaded::default().run_into(&self.run, &rooms)?,
        };
        rooms.put_rest(&mut chunks).map_err(Error::gather)?;
        Ok(chunks)
    }
}

/// Whether a plan is known to fit into so many bytes without the disk, whatever its tasks make.
fn fits(plan: &Plan, bytes: u64) -> bool {
    let tasks = plan.tasks();
    if tasks.known_bytes().1 > 0 || tasks.layers().iter().any(|layer| layer.task.continues()) {
        return false;
    }
    peak_without_disk(plan).0.saturating_add(tasks.table_bytes() as u64) <= bytes
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
        let mut run = options.run(plan(&[self.request()])?, &options.settings()?, None);
        run.order_for_limit();
        Ok(match run.memory_limit {
            Some(limit) => run.plan.explain_with(limit.bytes()),
            None => run.plan.explain(),
        })
    }

    fn check_with(&self, options: &Options) -> Result<Vec<Problem>, Error> {
        let settings = options.settings()?;
        let run = options.run(plan(&[self.request()])?, &settings, None);
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

    /// Answers that are filled while a run goes on.
    type Begun;

    /// What they ask for, in order.
    fn requests(&self) -> Vec<Request>;

    /// The answers that a run may fill.
    fn begin(&self) -> Self::Begun;

    /// Bytes that these answers take once they have begun.
    fn nbytes(begun: &Self::Begun) -> u64;

    /// Begins the answers, and adds their rooms.
    fn rooms<'a>(&self, begun: &'a mut Self::Begun, rooms: &mut Rooms<'a>);

    /// Assembles the results, taking each collection's chunks from the front; answers that have begun are full.
    ///
    /// # Errors
    /// [`Error::Gather`] if chunks do not fit together.
    fn gather(
        self,
        begun: Self::Begun,
        chunks: &mut dyn Iterator<Item = ChunkRef>,
    ) -> Result<Self::Output, Error>;

    /// The collections over their computed chunks, taken from the front.
    fn persisted(self, chunks: &mut dyn Iterator<Item = ChunkRef>) -> Self::Persisted;
}

impl<C: Collection> Collections for &C {
    type Output = C::Output;
    type Persisted = C;
    type Begun = Option<Box<dyn Answer<C::Output>>>;

    fn requests(&self) -> Vec<Request> {
        vec![self.request()]
    }

    fn begin(&self) -> Self::Begun {
        Collection::begin(*self)
    }

    fn nbytes(begun: &Self::Begun) -> u64 {
        begun.as_ref().map_or(0, |answer| answer.nbytes())
    }

    fn rooms<'a>(&self, begun: &'a mut Self::Begun, rooms: &mut Rooms<'a>) {
        rooms.add(self.request().n_chunks(), begun.as_deref_mut());
    }

    fn gather(
        self,
        begun: Self::Begun,
        chunks: &mut dyn Iterator<Item = ChunkRef>,
    ) -> Result<C::Output, Error> {
        let chunks = chunks.take(self.request().n_chunks()).collect();
        match begun.and_then(Answer::finish) {
            Some(answer) => Ok(answer),
            None => Collection::gather(self, chunks).map_err(Error::gather),
        }
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
    type Begun = Vec<Option<Box<dyn Answer<C::Output>>>>;

    fn requests(&self) -> Vec<Request> {
        self.iter().map(Collection::request).collect()
    }

    fn begin(&self) -> Self::Begun {
        self.iter().map(Collection::begin).collect()
    }

    fn nbytes(begun: &Self::Begun) -> u64 {
        begun.iter().map(<&C as Collections>::nbytes).fold(0, u64::saturating_add)
    }

    fn rooms<'a>(&self, begun: &'a mut Self::Begun, rooms: &mut Rooms<'a>) {
        self.iter().zip(begun).for_each(|(collection, begun)| collection.rooms(begun, rooms));
    }

    fn gather(
        self,
        begun: Self::Begun,
        chunks: &mut dyn Iterator<Item = ChunkRef>,
    ) -> Result<Vec<C::Output>, Error> {
        let each = self.iter().zip(begun);
        each.map(|(collection, begun)| Collections::gather(collection, begun, chunks)).collect()
    }

    fn persisted(self, chunks: &mut dyn Iterator<Item = ChunkRef>) -> Vec<C> {
        self.iter().map(|collection| collection.persisted(chunks)).collect()
    }
}

macro_rules! tuples {
    ($(($($name:ident $at:tt),*))*) => {$(
        impl<$($name: Collections),*> Collections for ($($name,)*) {
            type Output = ($($name::Output,)*);
            type Persisted = ($($name::Persisted,)*);
            type Begun = ($($name::Begun,)*);

            #[expect(non_snake_case, reason = "the type's letter names the member")]
            fn requests(&self) -> Vec<Request> {
                let ($($name,)*) = self;
                [$($name.requests()),*].concat()
            }

            #[expect(non_snake_case, reason = "the type's letter names the member")]
            fn begin(&self) -> Self::Begun {
                let ($($name,)*) = self;
                ($($name.begin(),)*)
            }

            fn nbytes(begun: &Self::Begun) -> u64 {
                [$($name::nbytes(&begun.$at)),*].into_iter().fold(0, u64::saturating_add)
            }

            fn rooms<'a>(&self, begun: &'a mut Self::Begun, rooms: &mut Rooms<'a>) {
                $(self.$at.rooms(&mut begun.$at, rooms);)*
            }

            fn gather(
                self,
                begun: Self::Begun,
                chunks: &mut dyn Iterator<Item = ChunkRef>,
            ) -> Result<Self::Output, Error> {
                Ok(($(self.$at.gather(begun.$at, chunks)?,)*))
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
    (A 0) (A 0, B 1) (A 0, B 1, C 2) (A 0, B 1, C 2, D 3) (A 0, B 1, C 2, D 3, E 4) (A 0, B 1, C 2, D 3, E 4, F 5) (A 0, B 1, C 2, D 3, E 4, F 5, G 6) (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7)
}
