//! Stages that are a user's function and the few lines that feed it.

use std::borrow::Cow;

use musher_graph_core::{FnIdentity, TaskError, Tokenizer};

use crate::bag::Bag;
use crate::origin::Origin;
use crate::pipe::{Feed, Flow, Item, Stage, Upstream};

/// A user's function `F` as a stage; `push` takes items from the source, calls it, and hands on what it makes.
struct StageFn<F, P> {
    origin: Origin,
    /// Name and version, for fingerprints.
    name: &'static str,
    identity: FnIdentity,
    function: F,
    push: P,
}

impl<T, U, F, P> Stage<T, U> for StageFn<F, P>
where
    T: Item,
    U: Item,
    F: Send + Sync + 'static,
    P: Fn(
            &Called<'_, F>,
            &Upstream<T>,
            &mut Feed<'_, '_>,
            &mut dyn FnMut(U) -> Flow,
        ) -> Result<Flow, TaskError>
        + Send
        + Sync
        + 'static,
{
    fn label(&self) -> Cow<'static, str> {
        self.origin.label().into()
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        self.identity.enter::<F>(self.name, tokenizer);
    }

    fn owned(
        &self,
        source: &Upstream<T>,
        feed: &mut Feed<'_, '_>,
        sink: &mut dyn FnMut(U) -> Flow,
    ) -> Result<Flow, TaskError> {
        (self.push)(&Called { function: &self.function, origin: self.origin }, source, feed, sink)
    }
}

/// A user's function while its stage runs.
pub(crate) struct Called<'f, F> {
    function: &'f F,
    origin: Origin,
}

impl<F> Called<'_, F> {
    /// Lets `call` call the function, or use what it made, so that a panic is known to be this operation's.
    pub(crate) fn by<R>(&self, call: impl FnOnce(&F) -> R) -> R {
        self.origin.call(|| call(self.function))
    }

    /// An error of the operation.
    pub(crate) fn error(&self, cause: impl Into<TaskError>) -> TaskError {
        self.origin.error(cause)
    }

    /// Hands on all that the function makes at once.
    pub(crate) fn many<I: IntoIterator>(
        &self,
        call: impl FnOnce(&F) -> I,
        sink: &mut dyn FnMut(I::Item) -> Flow,
    ) -> Flow {
        let mut many = self.by(|function| call(function).into_iter());
        while let Some(made) = self.origin.call(|| many.next()) {
            sink(made)?;
        }
        Flow::Continue(())
    }
}

impl<T: Item> Bag<T> {
    /// The stage of a user's function, under the operation's label, and its name and version.
    #[track_caller]
    pub(crate) fn stage_fn<U: Item, F, P>(
        &self,
        label: &'static str,
        name: &'static str,
        function: F,
        push: P,
    ) -> Bag<U>
    where
        F: Send + Sync + 'static,
        P: Fn(
                &Called<'_, F>,
                &Upstream<T>,
                &mut Feed<'_, '_>,
                &mut dyn FnMut(U) -> Flow,
            ) -> Result<Flow, TaskError>
            + Send
            + Sync
            + 'static,
    {
        let (origin, identity) = (Origin::new(label), FnIdentity::of::<F>());
        self.staged(StageFn { origin, name, identity, function, push })
    }
}
