//! What plans tell of chunks before they run, compared with what the chunks say themselves.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use musher_graph_core::{ChunkRef, Codecs, Plan};
use musher_scheduler::{Event, Observer};

/// Tasks that need not tell: what ends a sink gives the names of some files.
const UNTOLD: [&str; 1] = ["commit"];

/// Watches runs: whether each chunk has a codec of the kind that its plan told, and keeps a small chunk of each kind.
///
/// # Examples
/// ```
/// use std::sync::Arc;
/// use musher_graph_core::delayed;
/// use musher_scheduler::{Compute, Options};
/// let told = Arc::new(musher_testkit::Told::default());
/// delayed(|| 1.5).call(()).compute_with(&Options::default().observe(told.clone())).unwrap();
/// assert!(told.broken().is_empty());
/// assert!(told.chunks().contains_key("core.value/1<f64>"));
/// ```
#[derive(Debug, Default)]
pub struct Told(Mutex<Seen>);

#[derive(Debug, Default)]
struct Seen {
    /// By the plans' addresses, while they run.
    codecs: BTreeMap<usize, Codecs>,
    broken: BTreeSet<String>,
    chunks: BTreeMap<&'static str, ChunkRef>,
}

impl Told {
    /// What chunks said otherwise than their plans.
    pub fn broken(&self) -> Vec<String> {
        self.seen(|seen| seen.broken.iter().cloned().collect())
    }

    /// A chunk of each kind, among the smallest that were met.
    pub fn chunks(&self) -> BTreeMap<&'static str, ChunkRef> {
        self.seen(|seen| seen.chunks.clone())
    }

    fn seen<R>(&self, look: impl FnOnce(&mut Seen) -> R) -> R {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn address(plan: &Plan) -> usize {
    std::ptr::from_ref(plan).addr()
}

impl Observer for Told {
    fn event(&self, event: Event<'_>) {
        match event {
            Event::RunStarted { plan } | Event::Continued { more: plan, .. } => self.seen(|seen| {
                seen.codecs.insert(address(plan), plan.tasks().codecs());
            }),
            Event::TaskFinished { plan, task, outputs, .. } => self.seen(|seen| {
                let tasks = plan.tasks();
                let codecs = seen.codecs.entry(address(plan)).or_insert_with(|| tasks.codecs());
                for (output, chunk) in outputs.iter().enumerate() {
                    let told = codecs.of(tasks.layer_of(task), output).map(|codec| codec.kind());
                    let own = chunk.codec().map(|codec| codec.kind());
                    let label = tasks.layer(task).task.label();
                    if told != own && !(told.is_none() && UNTOLD.contains(&&*label)) {
                        seen.broken.insert(format!(
                            "{label}, output {output}: the plan tells {told:?}, it is {own:?}"
                        ));
                    }
                    if let Some(kind) = own {
                        let kept = seen.chunks.entry(kind).or_insert_with(|| chunk.clone());
                        if chunk.nbytes() > Some(0) && chunk.nbytes() < kept.nbytes() {
                            *kept = chunk.clone();
                        }
                    }
                }
            }),
            _ => {}
        }
    }
}
