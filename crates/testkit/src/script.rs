//! Failures by a script: which task fails, and how, is written down, never left to chance.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use musher_graph_core::{Facts, Inputs, Output, Place, Task, TaskError, Tokenizer, Value};

/// What a scripted task does at a place, instead of its work.
#[derive(Clone)]
pub enum Act {
    /// Gives back a [`ScriptedFailure`].
    Fail,
    /// Panics with this message.
    Panic(&'static str),
    /// Does this first, then its work.
    Then(Arc<dyn Fn() + Send + Sync>),
    /// Does this first, then its work unless this failed.
    Try(Arc<dyn Fn() -> Result<(), TaskError> + Send + Sync>),
}

impl Act {
    /// Acts in a task at the place with this index.
    pub(crate) fn act(&self, index: usize) -> Result<(), TaskError> {
        match self {
            Self::Fail => return Err(TaskError::new(ScriptedFailure { index })),
            Self::Panic(message) => panic!("{message}"),
            Self::Then(work) => work(),
            Self::Try(work) => work()?,
        }
        Ok(())
    }
}

impl fmt::Debug for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fail => f.write_str("Fail"),
            Self::Panic(message) => write!(f, "Panic({message:?})"),
            Self::Then(_) => f.write_str("Then"),
            Self::Try(_) => f.write_str("Try"),
        }
    }
}

/// The error of a task whose script says that it fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptedFailure {
    /// Index of the place.
    pub index: usize,
}

impl fmt::Display for ScriptedFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the script says that place {} fails", self.index)
    }
}

impl std::error::Error for ScriptedFailure {}

/// A task that adds up its inputs (`Value<u64>`) and its own index, unless its script says otherwise.
///
/// Clones share the count of calls.
///
/// # Examples
/// ```
/// use musher_graph_core::{Grid, Layer, Places, Port, Request};
/// use musher_scheduler::{Options, Run, Scheduler, Sequential, plan};
/// use musher_testkit::{Act, Scripted};
///
/// let task = Scripted::new("load").at(2, Act::Fail);
/// let layer = Layer::build(task.clone()).finish(Grid::from([4]));
/// let plan = plan(&[Request { port: Port::of(layer), places: Places::All }])?;
/// let run = Run::new(plan);
/// let error = Sequential.run(&run).unwrap_err();
/// assert!(error.to_string().starts_with("load failed at chunk [2]"));
/// assert_eq!(task.calls(), 3);
/// # Ok::<(), musher_scheduler::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Scripted {
    label: Cow<'static, str>,
    acts: Vec<(usize, Act)>,
    calls: Arc<AtomicUsize>,
}

impl Scripted {
    /// A task without surprises.
    pub fn new(label: impl Into<Cow<'static, str>>) -> Self {
        Self { label: label.into(), acts: Vec::new(), calls: Arc::default() }
    }

    /// The same, and at the place with this index it does as told.
    #[must_use]
    pub fn at(mut self, index: usize, act: Act) -> Self {
        self.acts.push((index, act));
        self
    }

    /// How often it has run.
    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

impl Task for Scripted {
    fn label(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.label)
    }

    /// # Panics
    /// If the script says so.
    fn run(&self, at: Place<'_>, inputs: Inputs<'_>) -> Result<Output, TaskError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        for (_, act) in self.acts.iter().filter(|(index, _)| *index == at.index()) {
            act.act(at.index())?;
        }
        let mut sum = at.index() as u64;
        for index in 0..inputs.len() {
            let Value(value) = inputs.get::<Value<u64>>(index)?;
            sum = sum.wrapping_add(*value);
        }
        Ok(Output::one(Value(sum)))
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.fresh();
    }

    fn facts(&self, _at: Place<'_>, _inputs: &[Option<u64>]) -> Facts {
        Facts::bytes(size_of::<u64>() as u64)
    }
}
