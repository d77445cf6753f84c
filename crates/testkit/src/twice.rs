//! A collection computed by hand, with every task that has inputs run twice and every chunk that can travel sent away and
//! brought back: what an answer that is written to files must not mind.

use std::sync::Arc;

use musher_graph_core::{ChunkRef, Collection, SlotIx};
use musher_scheduler::plan;

/// Computes a collection on this thread, outside of any run. Each task that has inputs runs twice, and readers get the chunk
/// of its first time; so the last one does, when all is done. Chunks with a codec go through it.
///
/// # Panics
/// If anything fails.
///
/// # Examples
/// ```
/// use musher_graph_core::delayed;
/// fn add(a: i64, b: i64) -> i64 { a + b }
/// let five = delayed(add).call((2, 3));
/// assert_eq!(musher_testkit::compute_twice(&delayed(add).call((&five, 4))), 9);
/// ```
pub fn compute_twice<C: Collection>(collection: &C) -> C::Output {
    let plan = plan(&[collection.request()]).expect("it can be planned");
    let (tasks, order) = (plan.tasks(), plan.order());
    let mut slots: Vec<Option<ChunkRef>> = vec![None; tasks.n_slots()];
    for position in 0..order.len() {
        let task = order.task_at(position);
        let inputs: Vec<_> =
            tasks.inputs_of(task).iter().map(|slot| slots[slot.index()].as_ref().map(Arc::clone)).collect();
        let run = || tasks.run(task, &mut inputs.clone(), None).expect("the task works").into_chunks();
        let first = run();
        if !inputs.is_empty() {
            run();
        }
        for (slot, chunk) in tasks.outputs_of(task).zip(first) {
            slots[slot] = Some(sent(chunk));
        }
    }
    let chunk = |slot: &SlotIx| slots[slot.index()].as_ref().map(Arc::clone).expect("every task has run");
    collection.gather(tasks.requested().iter().map(chunk).collect()).expect("chunks fit together")
}

/// A chunk that has been away, if it can be.
fn sent(chunk: ChunkRef) -> ChunkRef {
    let Some(codec) = chunk.codec() else { return chunk };
    let mut bytes = Vec::new();
    codec.encode(&*chunk, &mut bytes).expect("it can be encoded");
    codec.decode(&mut bytes.as_slice()).expect("it can be decoded")
}
