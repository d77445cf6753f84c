//! Projections of exchanges are honest: what a plan says it needs bounds what it takes, and is not far above it.

use std::sync::Arc;

use allocation_counter::measure;
use musher_bag::Bag;
use musher_graph_core::{Collection, Request, SpillStore};
use musher_scheduler::{Run, Scheduler, Sequential, SpillDir, SpillOptions, plan};

/// Bytes that a sequential run takes for its own books, whatever it runs.
const BOOKKEEPING: u64 = 64 << 10;
/// Bytes that it takes for each task: what is known of a chunk, and the chunk's own head.
const BOOKKEEPING_A_TASK: u64 = 256;

/// Exchanges of numbers whose partitions are asked for, and the same whose partitions are counted and dropped.
fn cases() -> Vec<(String, Request)> {
    let mut cases = Vec::new();
    for (n_inputs, n_targets) in [(8, 8), (32, 4), (4, 32), (1, 16), (20, 20), (64, 64)] {
        let shuffled = Bag::range(0..200_000, n_inputs).shuffle_by(n_targets, |x| *x);
        let counted = shuffled.map_partitions(|items| [items.len()]);
        cases.push((format!("{n_inputs} to {n_targets}, kept"), shuffled.request()));
        cases.push((format!("{n_inputs} to {n_targets}, counted"), counted.request()));
    }
    cases
}

/// What is folded by key is as large as there are keys, which nobody knows before: the plan says so.
#[test]
fn sizes_that_nobody_knows_are_called_unknown() {
    let numbers = Bag::range(0..1000, 4);
    assert!(!plan(&[numbers.shuffle_by(4, |x| *x).request()]).unwrap().explain().has_unknown());
    let grouped = [
        numbers.group_by_into(4, |x| x % 10).request(),
        numbers.fold_by_into(4, |x| x % 10, 0, |sum, x| sum + x, |a, b| a + b).request(),
        numbers.frequencies_into(4).request(),
        numbers.distinct_into(4).request(),
    ];
    assert!(grouped.into_iter().all(|request| plan(&[request]).unwrap().explain().has_unknown()));
}

#[test]
fn projected_memory_of_exchanges_bounds_measured_memory_and_is_not_far_above() {
    let folder = tempfile::tempdir().unwrap();
    let disk: Arc<dyn SpillStore> = Arc::new(SpillDir::new(SpillOptions::default().base(folder.path())));
    let (mut above, mut far, mut n_cases) = (Vec::new(), Vec::new(), 0);
    for (name, request) in cases() {
        for store in [None, Some(&disk)] {
            let plan = plan(std::slice::from_ref(&request)).unwrap();
            let chunks = if store.is_some() { plan.least_peak_bytes() } else { plan.peak_bytes() };
            let projected = chunks + plan.tasks().table_bytes() as u64;
            let bookkeeping = BOOKKEEPING + BOOKKEEPING_A_TASK * plan.tasks().n_tasks() as u64;
            let mut run = Run::new(plan);
            run.spill_store = store.cloned();
            let info = measure(|| drop(Sequential.run(&run).unwrap()));
            let staged = if store.is_some() { "staged" } else { "in memory" };
            let ratio = projected as f64 / info.bytes_max as f64;
            let line = format!("{projected:>10} {:>10} {ratio:>6.2}  {name}, {staged}", info.bytes_max);
            println!("{line}");
            n_cases += 1;
            if info.bytes_max > projected + bookkeeping {
                above.push(line);
            } else if ratio > 4.0 {
                far.push(line);
            }
        }
    }
    assert!(above.is_empty(), "more was taken than projected:\n{}", above.join("\n"));
    assert!(10 * far.len() <= n_cases, "projected is far above:\n{}", far.join("\n"));
}
