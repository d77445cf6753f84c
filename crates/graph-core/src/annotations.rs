//! Annotations about how work is to run: priority, retries, resources. They never change what is computed.

use std::borrow::Cow;
use std::cell::RefCell;
use std::sync::Arc;

thread_local! {
    static CURRENT: RefCell<Option<Arc<Annotations>>> = const { RefCell::new(None) };
}

/// Annotations about how the tasks of a layer run.
///
/// # Examples
/// ```
/// use musher_graph_core::{Annotations, annotate, delayed};
/// let gently = Annotations::new().retries(3).resource("server", 1);
/// let page = annotate(gently, || delayed(|| "text").call(()));
/// # let _ = page;
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Annotations {
    priority: i32,
    retries: Option<u32>,
    /// By name.
    resources: Vec<(Cow<'static, str>, u32)>,
}

impl Annotations {
    /// No annotations.
    pub fn new() -> Self {
        Self::default()
    }

    /// Work of higher priority, and what it needs, runs before work of lower priority. The default is 0.
    #[must_use]
    pub fn priority(self, priority: i32) -> Self {
        Self { priority, ..self }
    }

    /// A task that fails is run again up to this many times, but not if it panics; by default only tasks that read or
    /// write files are, as often as the options of the run say.
    #[must_use]
    pub fn retries(self, retries: u32) -> Self {
        Self { retries: Some(retries), ..self }
    }

    /// While a task runs it holds this many of a resource; the options of the run say how many there are. Of what is said
    /// twice of a resource the last holds.
    #[must_use]
    pub fn resource(mut self, name: impl Into<Cow<'static, str>>, amount: u32) -> Self {
        *self.amount_of(name.into()) = amount;
        self
    }

    /// How many are held of a resource.
    fn amount_of(&mut self, name: Cow<'static, str>) -> &mut u32 {
        let at = match self.resources.binary_search_by(|(other, _)| other.cmp(&name)) {
            Ok(at) => at,
            Err(at) => {
                self.resources.insert(at, (name, 0));
                at
            }
        };
        &mut self.resources[at].1
    }

    /// The annotations of work that is asked for twice and done once: the higher priority, where 0 is that of work without
    /// annotations, the more retries, and the larger amount of each resource.
    pub(crate) fn merged(one: Option<&Self>, other: Option<&Self>) -> Option<Self> {
        let none = Self::default();
        let (one, other) = (one.unwrap_or(&none), other.unwrap_or(&none));
        let mut merged = Self {
            priority: one.priority.max(other.priority),
            retries: one.retries.max(other.retries),
            resources: one.resources.clone(),
        };
        for (name, amount) in &other.resources {
            let held = merged.amount_of(name.clone());
            *held = (*held).max(*amount);
        }
        (merged != none).then_some(merged)
    }

    /// What tasks of this layer have of [`priority`](Annotations::priority).
    pub fn priority_of(&self) -> i32 {
        self.priority
    }

    /// How often a task that fails is run again, where that was said.
    pub fn retries_of(&self) -> Option<u32> {
        self.retries
    }

    /// Names and amounts of the resources held.
    pub fn resources(&self) -> impl Iterator<Item = (&str, u32)> {
        self.resources.iter().map(|(name, amount)| (name.as_ref(), *amount))
    }

    /// Those of the innermost [`annotate`] on this thread.
    pub(crate) fn current() -> Option<Arc<Self>> {
        CURRENT.with_borrow(Option::clone)
    }
}

/// Everything built by `build` on this thread has these annotations; inside another `annotate` they stand instead of the outer ones.
///
/// Equal work that is built with different annotations, or once without any, is done once and with the strongest: the
/// higher priority, the more retries, the larger amount of each resource.
///
/// Layers of different annotations are not fused.
#[doc(alias = "dask.annotate")]
pub fn annotate<R>(annotations: Annotations, build: impl FnOnce() -> R) -> R {
    struct Restore(Option<Arc<Annotations>>);
    impl Drop for Restore {
        fn drop(&mut self) {
            CURRENT.set(self.0.take());
        }
    }
    let _restore = Restore(CURRENT.replace(Some(Arc::new(annotations))));
    build()
}
