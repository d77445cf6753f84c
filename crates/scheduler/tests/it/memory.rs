//! The memory limit: kept, or refused in front with names; never a wait without end.

use std::sync::Arc;

use musher_graph_core::{
    ByteSize, Chunk, Facts, FnTask, Grid, Inputs, Layer, Place, Places, Plan, Port, Request, Wiring,
};
use musher_scheduler::{Error, Run, SpillDir, SpillOptions};
use musher_testkit::{Alive, Counted, Drawn, Peak, Random, least_with_disk};

use crate::support::{execute, messages, run, unfused};

/// The values asked for, and the peak that the run reported.
fn run_measured(plan: &Arc<Plan>, threads: usize, limit: u64) -> Result<(Vec<u64>, u64), Error> {
    let peak = Arc::new(Peak::default());
    let mut run = Run::new(Arc::clone(plan));
    run.memory_limit = Some(limit.into());
    run.observers = vec![peak.clone()];
    let chunks = execute(&run, threads)?;
    let values = chunks.iter().map(|chunk| chunk.downcast_ref::<Counted>().unwrap().value).collect();
    Ok((values, peak.bytes()))
}

/// The least limit with which a plan is not refused.
fn least_limit(plan: &Arc<Plan>) -> u64 {
    match run(plan, 0, Some(0)) {
        Err(Error::MemoryLimit { need, .. }) => need,
        other => panic!("{other:?}"),
    }
}

#[test]
fn two_thousand_random_graphs_on_threads_keep_to_their_limits() {
    let mut random = Random::new(7);
    for round in 0..2_000 {
        let drawn = Drawn::random(&mut random, 50);
        let mut outputs = drawn.sinks();
        outputs.push(random.below(drawn.reads.len()));
        let expected: Vec<u64> = outputs.iter().map(|&output| drawn.values()[output]).collect();
        let alive = Alive::default();
        let plan = unfused(&drawn.requests(&alive, &outputs));
        let (least, tables) = (least_limit(&plan), plan.tasks().table_bytes() as u64);
        let limit = least + (least - tables) * random.below(5) as u64 / 4;
        let threads = random.below(9);
        let (values, peak) = run_measured(&plan, threads, limit).unwrap();
        assert_eq!(values, expected, "round {round}");
        assert!(peak <= limit, "round {round}: {peak} bytes on the ledger, the limit is {limit}");
        let measured = alive.peak_bytes() + tables;
        assert!(measured <= limit, "round {round}: {measured} bytes of chunks, the limit is {limit}");
        assert_eq!(alive.chunks(), 0, "round {round}: nothing is held after the run");
    }
}

#[test]
fn what_can_never_fit_is_refused_in_front_with_names() {
    //   small ── large ── small        100 + 4000 + 50 bytes at once
    let alive = Alive::default();
    let mut drawn = Drawn::new(&[&[], &[0], &[1]]);
    (drawn.bytes, drawn.scratch) = (vec![100, 4000, 10], vec![0, 50, 0]);
    let plan = unfused(&drawn.requests(&alive, &[2]));
    let tables = plan.tasks().table_bytes() as u64;
    let need = tables + 4150;
    let caller = plan.tasks().layers()[1].caller;
    for threads in [0, 1, 8] {
        let error = run(&plan, threads, Some(need - 1)).unwrap_err();
        assert!(matches!(error, Error::MemoryLimit { need: said, .. } if said == need), "{error}");
        let expected = format!(
            "memory limit: t1 (built at {caller}) needs {need} B at once, the limit is {} B; use smaller chunks or \
             raise the limit",
            need - 1
        );
        assert_eq!(messages(&error), [expected]);
        assert_eq!(alive.made(), 0, "nothing has run");
    }
    // What the error says is enough is enough.
    assert!(run(&plan, 8, Some(need)).is_ok());
}

#[test]
fn plans_around_the_boundary_are_refused_or_run_and_what_the_error_suggests_runs() {
    let mut random = Random::new(41);
    let (mut n_refused, mut n_run) = (0, 0);
    for round in 0..200 {
        let mut drawn = Drawn::random(&mut random, 60);
        drawn.bytes.iter_mut().for_each(|bytes| *bytes = *bytes * 100 + 4096);
        let (alive, outputs) = (Alive::default(), drawn.sinks());
        let plan = unfused(&drawn.requests(&alive, &outputs));
        let has_disk = round % 2 == 0;
        let least = if has_disk { least_with_disk(&plan) } else { least_limit(&plan) };
        assert_eq!(alive.made(), 0, "round {round}: nothing has run");
        let run_within = |limit: u64| {
            let mut run = Run::new(Arc::clone(&plan));
            run.memory_limit = Some(limit.into());
            if has_disk {
                run.spill_store = Some(Arc::new(SpillDir::new(SpillOptions::default())));
            }
            execute(&run, round % 4)
        };
        // From a tenth below the least that can do to a tenth above.
        let limit = least - least / 10 + random.below(least as usize / 5) as u64;
        let limit = match run_within(limit) {
            Ok(_) => {
                n_run += 1;
                assert!(limit >= least, "round {round}: {limit} of at least {least}");
                continue;
            }
            Err(Error::MemoryLimit { need, limit: of, .. }) => {
                n_refused += 1;
                assert_eq!((of, need > limit), (limit, true), "round {round}");
                assert_eq!(alive.made(), 0, "round {round}: nothing has run");
                need
            }
            Err(error) => panic!("round {round}: {error}"),
        };
        let chunks = run_within(limit);
        let chunks = chunks.unwrap_or_else(|error| panic!("round {round}: {}", messages(&error).join(": ")));
        let values: Vec<u64> =
            chunks.iter().map(|chunk| chunk.downcast_ref::<Counted>().unwrap().value).collect();
        assert_eq!(values, outputs.iter().map(|&output| drawn.values()[output]).collect::<Vec<_>>());
        assert!(alive.peak_bytes() <= limit);
    }
    assert!(n_refused > 50 && n_run > 50, "{n_refused} refused, {n_run} run");
}

/// A source that says it makes `said` bytes a chunk and makes `made`; all its chunks are read by one task.
fn lying(said: Option<u64>, made: u64, n: usize, alive: &Alive) -> (Request, String) {
    let alive = alive.clone();
    let source =
        FnTask::new(
            "liar",
            move |at: Place<'_>, _: &mut Inputs<'_>| Ok(alive.chunk(at.index() as u64, made)),
        );
    let source = source.facts(move |_, _| said.map_or_else(Facts::default, Facts::bytes));
    let source = Layer::build(source).finish(Grid::from([n]));
    let caller = source.caller().to_string();
    let join = FnTask::new("join", |_: Place<'_>, inputs: &mut Inputs<'_>| Ok(Small(inputs.len())));
    let join = Layer::build(join.facts(|_, _| Facts::bytes(8)));
    let join = join.input(&Port::of(source), Wiring::All).finish(Grid::scalar());
    (Request { port: Port::of(join), places: Places::All }, caller)
}

struct Small(usize);

impl Chunk for Small {
    fn nbytes(&self) -> Option<usize> {
        Some(8)
    }
}

#[test]
fn a_wrong_estimate_ends_with_an_error_and_never_with_a_wait() {
    for threads in [0, 1, 2, 8] {
        let alive = Alive::default();
        let (request, caller) = lying(Some(10), 1000, 20, &alive);
        let plan = unfused(&[request]);
        let limit = plan.tasks().table_bytes() as u64 + 5000;
        let error = run(&plan, threads, Some(limit)).unwrap_err();
        let Error::MemoryExhausted { need, alive: held, .. } = error else { panic!("{error}") };
        assert_eq!((need, error.to_string().contains("liar")), (10, true));
        let expected = format!(
            "memory limit: liar (built at {caller}) needs 10 B beside {} in memory, the limit is {}; \
             some chunks were larger than projected",
            ByteSize::from(held),
            ByteSize::from(limit)
        );
        assert_eq!(error.to_string(), expected);
        // The overshoot is bounded: what ran when the limit was reached, and no more.
        let most = 5000 + 1000 * threads.max(1) as u64;
        assert!(alive.peak_bytes() <= most, "{} bytes on {threads} threads", alive.peak_bytes());
        assert_eq!(alive.chunks(), 0);
    }
}

#[test]
fn chunks_of_unknown_size_are_charged_when_they_are_there() {
    for threads in [0, 1, 2] {
        let alive = Alive::default();
        let (request, _) = lying(None, 1000, 20, &alive);
        let plan = unfused(&[request]);
        let tables = plan.tasks().table_bytes() as u64;
        assert!(matches!(run(&plan, threads, Some(tables + 5000)), Err(Error::MemoryExhausted { .. })));
        let chunks = run(&plan, threads, Some(tables + 20_008)).unwrap();
        assert_eq!(chunks[0].downcast_ref::<Small>().unwrap().0, 20);
    }
}

#[test]
fn chunks_smaller_than_said_make_room() {
    let alive = Alive::default();
    let (request, _) = lying(Some(1000), 10, 20, &alive);
    let plan = unfused(&[request]);
    let (least, tables) = (least_limit(&plan), plan.tasks().table_bytes() as u64);
    assert_eq!(least, tables + 20_008);
    run(&plan, 4, Some(least)).unwrap();
    assert!(alive.peak_bytes() <= 200);
}

#[test]
fn a_plan_without_tasks_fits_everywhere() {
    let plan = unfused(&[]);
    for threads in [0, 2] {
        assert!(run(&plan, threads, Some(0)).unwrap().is_empty());
    }
}

#[test]
fn parallel_work_stays_in_the_slack() {
    // Forty loads of 100 bytes summed in a tree: with little room few are alive at once, with much room many.
    //  0 … 39 ── pairs ── … ── one
    let mut reads: Vec<Vec<usize>> = vec![vec![]; 40];
    let mut row: Vec<usize> = (0..40).collect();
    while row.len() > 1 {
        let next: Vec<usize> = row.chunks(2).enumerate().map(|(at, _)| reads.len() + at).collect();
        reads.extend(row.chunks(2).map(<[usize]>::to_vec));
        row = next;
    }
    let mut drawn = Drawn::from(reads);
    drawn.bytes[..40].fill(100);
    let last = drawn.reads.len() - 1;
    let peak_with = |factor: u64| {
        let alive = Alive::default();
        let plan = unfused(&drawn.requests(&alive, &[last]));
        let (least, tables) = (least_limit(&plan), plan.tasks().table_bytes() as u64);
        let limit = tables + (least - tables) * factor;
        let (values, peak) = run_measured(&plan, 4, limit).unwrap();
        assert_eq!(values, [drawn.values()[last]]);
        assert!(peak <= limit);
        alive.peak_bytes()
    };
    assert!(peak_with(1) < 250);
    assert!(peak_with(3) < 700);
}
