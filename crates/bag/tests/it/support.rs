//! What all tests share: every cut of a sequence, and one function that computes in every way there is.

use std::fmt::Debug;
use std::sync::Arc;

use musher_bag::Bag;
use musher_graph_core::{Collection, Graph, Plan};
use musher_scheduler::{Compute, Options, Run, Scheduler, Sequential};

/// Numbers of threads that an answer must not depend on.
pub(crate) const THREADS: [usize; 4] = [1, 2, 3, 8];

/// Computes on the sequential scheduler, on threads, and without any optimizing; all answers must be equal.
#[track_caller]
pub(crate) fn everywhere<C>(collection: &C) -> C::Output
where
    C: Collection,
    C::Output: PartialEq + Debug,
{
    let expected = collection.compute_with(&Options::sequential()).unwrap();
    for threads in THREADS {
        assert_eq!(
            collection.compute_with(&Options::default().threads(threads)).unwrap(),
            expected,
            "{threads} threads"
        );
    }
    assert_eq!(unfused(collection), expected, "without fusion");
    expected
}

/// Computes layer by layer, as the user built them.
#[track_caller]
pub(crate) fn unfused<C: Collection>(collection: &C) -> C::Output {
    let plan = Plan::new(Graph::collect(&[collection.request()]).unwrap()).unwrap();
    let run = Run::new(plan);
    collection.gather(Sequential.run(&run).unwrap()).unwrap()
}

/// Labels of the layers that really run, producers first.
pub(crate) fn layers(collection: &impl Collection) -> Vec<String> {
    collection.explain().unwrap().layers.into_iter().map(|layer| layer.label).collect()
}

/// Every way to cut items into up to `parts` partitions, empty ones included.
pub(crate) fn cuts<T: Clone + Send + Sync + 'static>(items: &[T], parts: usize) -> Vec<Bag<T>> {
    let mut all = Vec::new();
    let mut pending = vec![(0, Vec::<Bag<T>>::new())];
    while let Some((start, bags)) = pending.pop() {
        if bags.len() < parts {
            let mut last = bags.clone();
            last.push(Bag::from_sequence(items[start..].to_vec(), 1));
            all.push(Bag::concat(&last));
        }
        if bags.len() + 2 <= parts {
            for end in start..=items.len() {
                let mut more = bags.clone();
                more.push(Bag::from_sequence(items[start..end].to_vec(), 1));
                pending.push((end, more));
            }
        }
    }
    all
}

/// A counter that a closure can take along.
pub(crate) type Counter = Arc<std::sync::atomic::AtomicUsize>;
