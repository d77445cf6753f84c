//! The sequential scheduler: one task after the other, in plan order, on the calling thread.

use musher_graph_core::{ChunkRef, SlotIx};

use crate::admission::Ledger;
use crate::run::Chunks;
use crate::{Error, Event, Run, Scheduler};

/// Runs one task after the other on the calling thread: for debugging, tiny plans, and nested runs.
///
/// # Examples
/// ```
/// use musher_graph_core::delayed;
/// use musher_scheduler::{Compute, Options};
/// assert_eq!(delayed(|| 42).call(()).compute_with(&Options::sequential())?, 42);
/// # Ok::<(), musher_scheduler::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct Sequential;

impl Scheduler for Sequential {
    fn run(&self, run: &Run<'_>) -> Result<Vec<ChunkRef>, Error> {
        let mut ledger = Ledger::new(run)?;
        run.tell(Event::RunStarted { plan: run.plan });
        let result = all(run, &mut ledger);
        run.tell(Event::RunFinished { plan: run.plan, success: result.is_ok(), peak_bytes: ledger.peak() });
        result
    }
}

fn all(run: &Run<'_>, ledger: &mut Ledger) -> Result<Vec<ChunkRef>, Error> {
    let tasks = run.plan.tasks();
    let mut uses = tasks.uses();
    let mut slots: Vec<Option<ChunkRef>> = vec![None; tasks.n_slots()];
    let mut inputs = Chunks::new();
    let mut dying: Vec<SlotIx> = Vec::new();
    for (finished, task) in run.plan.order().iter().enumerate() {
        if run.is_cancelled() {
            return Err(run.cancelled(finished));
        }
        if !ledger.fits(run.plan, task) {
            return Err(ledger.exhausted(run.plan, task));
        }
        ledger.reserve(run.plan, task);
        for &slot in tasks.inputs_of(task) {
            // At its last use a chunk moves into the task, which may then take its storage over.
            let last = uses[slot.index()] == 1;
            inputs.push(if last { slots[slot.index()].take() } else { slots[slot.index()].clone() });
            uses[slot.index()] -= 1;
            if last {
                dying.push(slot);
            }
        }
        let made = run.task(task, 0, &mut inputs)?;
        ledger.settle(run.plan, task, &made.bytes);
        for (slot, chunk) in tasks.outputs_of(task).zip(made.outputs) {
            match uses[slot] {
                0 => {
                    run.let_go(task, chunk)?;
                    ledger.release(SlotIx(slot as u32));
                }
                _ => slots[slot] = Some(chunk),
            }
        }
        dying.drain(..).for_each(|slot| ledger.release(slot));
    }
    Ok(tasks.requested().iter().filter_map(|slot| take(&mut slots, &mut uses, *slot)).collect())
}

/// The chunk asked for; moved out where it is asked for the last time.
fn take(slots: &mut [Option<ChunkRef>], uses: &mut [u32], slot: SlotIx) -> Option<ChunkRef> {
    uses[slot.index()] -= 1;
    if uses[slot.index()] == 0 { slots[slot.index()].take() } else { slots[slot.index()].clone() }
}
