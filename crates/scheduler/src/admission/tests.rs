//! The state machine without threads: workers are numbers in a list, and a seed says which of them ends next.

use musher_graph_core::{Graph, Plan, SlotIx, TaskIx};
use musher_testkit::{Alive, Drawn, Random};

use super::{Admission, Ledger, Next, sequential_peak};
use crate::{Error, MemoryLimit, Run};

fn plan(drawn: &Drawn, outputs: &[usize]) -> Plan {
    Plan::new(Graph::collect(&drawn.requests(&Alive::default(), outputs)).unwrap()).unwrap()
}

fn ledger(plan: &Plan, limit: Option<u64>) -> Result<Ledger, Error> {
    let memory_limit = limit.map(MemoryLimit::from);
    Ledger::new(&Run { plan, memory_limit, observers: &[], cancel: None })
}

/// The bytes that a task of known size makes.
fn made(plan: &Plan, task: TaskIx) -> Vec<u64> {
    let outputs = plan.tasks().outputs_of(task);
    outputs.map(|slot| plan.tasks().bytes_of(SlotIx(slot as u32)).unwrap()).collect()
}

/// What a run on so many workers was like.
struct Ran {
    peak: u64,
    left: u64,
    overtook: usize,
}

/// Runs a plan; whenever no worker can start, one that a seed chooses ends.
fn simulated(plan: &Plan, ledger: Ledger, n_workers: usize, random: &mut Random) -> Ran {
    let mut admission = Admission::new(plan, ledger);
    let mut uses = plan.tasks().uses();
    let mut running: Vec<TaskIx> = Vec::new();
    let (mut overtook, mut next_in_order) = (0, 0);
    while !admission.is_done() {
        let admitted = match running.len() < n_workers {
            true => admission.next(),
            false => Next::Wait,
        };
        if let Next::Run(task) = admitted {
            let position = plan.order().position_of(task);
            overtook += usize::from(position > next_in_order);
            next_in_order = next_in_order.max(position + 1);
            running.push(task);
            continue;
        }
        assert!(!running.is_empty(), "stuck with {} tasks ended", admission.finished());
        let task = running.swap_remove(random.below(running.len()));
        let mut released = Vec::new();
        for &slot in plan.tasks().inputs_of(task) {
            uses[slot.index()] -= 1;
            if uses[slot.index()] == 0 {
                released.push(slot);
            }
        }
        let unread = plan.tasks().outputs_of(task).filter(|&slot| uses[slot] == 0);
        released.extend(unread.map(|slot| SlotIx(slot as u32)));
        admission.finish(task, &made(plan, task), &released);
    }
    Ran { peak: admission.ledger.peak(), left: admission.ledger.alive, overtook }
}

#[test]
fn two_thousand_random_graphs_end_within_their_limits() {
    let mut random = Random::new(5);
    let mut overtook = 0;
    for round in 0..2_000 {
        let drawn = Drawn::random(&mut random, 60);
        let mut outputs = drawn.sinks();
        outputs.push(random.below(drawn.reads.len()));
        let plan = plan(&drawn, &outputs);
        let (chunks, tables) = (sequential_peak(&plan).0, plan.tasks().table_bytes() as u64);
        // From just the sequential peak to twice as much.
        let limit = tables + chunks + (chunks * random.below(5) as u64) / 4;
        let n_workers = 1 + random.below(8);
        let ran = simulated(&plan, ledger(&plan, Some(limit)).unwrap(), n_workers, &mut random);
        assert!(ran.peak <= limit, "round {round}: {} bytes at once, the limit is {limit}", ran.peak);
        let mut kept: Vec<usize> = plan.tasks().requested().iter().map(|slot| slot.index()).collect();
        kept.sort_unstable();
        kept.dedup();
        let kept: u64 = kept.iter().map(|&slot| plan.tasks().bytes_of(SlotIx(slot as u32)).unwrap()).sum();
        assert_eq!(ran.left, tables + kept, "round {round}: only what was asked for is left on the books");
        overtook += ran.overtook;
    }
    assert!(overtook > 2_000, "tasks overtake where there is room: {overtook}");
}

#[test]
fn one_byte_below_the_sequential_peak_is_refused() {
    let mut random = Random::new(6);
    for _ in 0..200 {
        let drawn = Drawn::random(&mut random, 40);
        let plan = plan(&drawn, &drawn.sinks());
        let need = sequential_peak(&plan).0 + plan.tasks().table_bytes() as u64;
        let refused = ledger(&plan, Some(need - 1)).unwrap_err();
        let Error::MemoryLimit { need: said, limit, .. } = refused else { panic!("{refused}") };
        assert_eq!((said, limit), (need, need - 1));
        let ran = simulated(&plan, ledger(&plan, Some(need)).unwrap(), 8, &mut random);
        assert_eq!(ran.peak, need, "what was said to be needed is what is needed");
    }
}

#[test]
fn a_task_overtakes_only_into_the_slack() {
    //   4            The order is 0 1 2 3 4: the left half first.
    //   | \
    //   1   3        While 0 runs, 2 may overtake 1 if it fits beside what the rest needs in sequence:
    //   |   |        1 needs 10 + 10, 3 needs 10 + 10 + 10, 4 needs 30.
    //   0   2
    let mut drawn = Drawn::new(&[&[], &[0], &[], &[2], &[1, 3]]);
    drawn.bytes = vec![10; 5];
    let plan = plan(&drawn, &[4]);
    let numbers: Vec<u32> = plan.order().iter().map(|task| task.0).collect();
    assert_eq!(numbers, [0, 1, 2, 3, 4]);
    let tables = plan.tasks().table_bytes() as u64;
    let second = |limit: u64| {
        let mut admission = Admission::new(&plan, ledger(&plan, Some(tables + limit)).unwrap());
        assert_eq!(admission.next(), Next::Run(TaskIx(0)));
        admission.next()
    };
    assert_eq!(second(30), Next::Wait);
    assert_eq!(second(39), Next::Wait);
    assert_eq!(second(40), Next::Run(TaskIx(2)));
}

#[test]
fn without_a_limit_nothing_waits_for_memory() {
    let drawn = Drawn::new(&[&[], &[], &[], &[0, 1, 2]]);
    let plan = plan(&drawn, &[3]);
    let mut admission = Admission::new(&plan, ledger(&plan, None).unwrap());
    let first: Vec<_> = (0..4).map(|_| admission.next()).collect();
    let run = |task| Next::Run(TaskIx(task));
    assert_eq!(first, [run(0), run(1), run(2), Next::Wait]);
    for task in 0..3 {
        admission.finish(TaskIx(task), &[1], &[]);
    }
    assert_eq!((admission.next(), admission.next()), (run(3), Next::Empty));
}

#[test]
fn chunks_larger_than_said_are_charged_their_true_size() {
    //   0 ── 1      0 says 10 bytes and makes 50
    let mut drawn = Drawn::new(&[&[], &[0]]);
    drawn.bytes = vec![10, 10];
    let plan = plan(&drawn, &[1]);
    let tables = plan.tasks().table_bytes() as u64;
    let mut admission = Admission::new(&plan, ledger(&plan, Some(tables + 40)).unwrap());
    assert_eq!(admission.next(), Next::Run(TaskIx(0)));
    admission.finish(TaskIx(0), &[50], &[]);
    assert_eq!(admission.next(), Next::Wait);
    assert_eq!(admission.running(), 0, "nothing runs and nothing may start: this run has to end");
    let Error::MemoryExhausted { need, alive, limit, .. } = admission.exhausted() else { panic!() };
    assert_eq!((need, alive, limit), (10, tables + 50, tables + 40));
}
