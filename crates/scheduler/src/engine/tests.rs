//! The state machine without threads: workers are numbers in a list, and time is a number.

use musher_graph_core::{ChunkRef, Graph, Plan, SlotIx, TaskIx};
use musher_testkit::{Alive, Drawn, Random};

use super::ledger::sequential_peak;
use super::{Action, Chunks, Engine, Garbage, Job, Made};
use crate::error::Error;
use crate::run::Run;
use crate::sync::Arc;

fn plan(drawn: &Drawn, outputs: &[usize]) -> Arc<Plan> {
    let requests = drawn.requests(&Alive::default(), outputs);
    Arc::new(Plan::new(Graph::collect(&requests).unwrap()).unwrap())
}

fn engine(plan: &Arc<Plan>, limit: Option<u64>) -> Result<Engine, Error> {
    let mut run = Run::new(Arc::clone(plan));
    run.memory_limit = limit.map(Into::into);
    Engine::new(&run)
}

/// One action, without chunks to look at.
fn next(engine: &mut Engine) -> Action {
    engine.next(&mut Chunks::new(), &mut Garbage::default())
}

fn next_task(engine: &mut Engine) -> Option<u32> {
    match next(engine) {
        Action::Run(job) => Some(job.task.0),
        _ => None,
    }
}

/// The outputs of a task, each as large as it said.
fn made(plan: &Plan, task: TaskIx) -> Vec<Made> {
    let alive = Alive::default();
    let bytes = plan.tasks().outputs_of(task).map(|slot| plan.tasks().bytes_of(SlotIx(slot as u32)).unwrap());
    bytes
        .map(|bytes| Made { chunk: Arc::new(alive.chunk(0, bytes)) as ChunkRef, bytes, is_pinned: false })
        .collect()
}

fn finish(engine: &mut Engine, plan: &Plan, job: Job) {
    let mut garbage = Garbage::default();
    engine.finish(job, &mut made(plan, job.task), &mut garbage);
    garbage.items.clear();
    engine.dropped(&mut garbage);
}

/// What a run on so many workers was like.
struct Ran {
    peak: u64,
    left: u64,
    overtook: usize,
    /// When the last task ended, where each takes as long as `duration` says.
    time: u64,
}

/// Runs a plan on workers that each take the next task as soon as they have ended one.
fn simulated(plan: &Plan, mut engine: Engine, n_workers: usize, duration: impl Fn(TaskIx) -> u64) -> Ran {
    let mut running: Vec<(u64, Job)> = Vec::new();
    let (mut overtook, mut next_in_order, mut now) = (0, 0, 0);
    loop {
        if running.len() < n_workers {
            match next(&mut engine) {
                Action::Run(job) => {
                    let position = plan.order().position_of(job.task);
                    overtook += usize::from(position > next_in_order);
                    next_in_order = next_in_order.max(position + 1);
                    running.push((now + duration(job.task), job));
                    continue;
                }
                Action::Over => break,
                Action::Wait => {}
                action => panic!("no disk, and yet {action:?}"),
            }
        }
        let first = (0..running.len()).min_by_key(|&at| running[at].0);
        let (end, job) = running.swap_remove(first.expect("somebody runs, or the run is over"));
        now = end;
        finish(&mut engine, plan, job);
    }
    assert!(engine.error.is_none(), "stuck: {:?}", engine.error);
    Ran { peak: engine.ledger.peak(), left: engine.ledger.alive(), overtook, time: now }
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
        let seed = random.bits();
        let duration = |task: TaskIx| 1 + Random::new(seed ^ u64::from(task.0)).bits() % 100;
        let ran = simulated(&plan, engine(&plan, Some(limit)).unwrap(), n_workers, duration);
        assert!(ran.peak <= limit, "round {round}: {} bytes at once, the limit is {limit}", ran.peak);
        let mut kept: Vec<usize> = plan.tasks().requested().iter().map(|slot| slot.index()).collect();
        kept.sort_unstable();
        kept.dedup();
        let kept: u64 = kept.iter().map(|&slot| plan.tasks().bytes_of(SlotIx(slot as u32)).unwrap()).sum();
        assert_eq!(ran.left, tables + kept, "round {round}: only what was asked for is left on the ledger");
        overtook += ran.overtook;
    }
    assert!(overtook > 2_000, "tasks overtake where there is room: {overtook}");
}

/// The mean over random graphs of the time on one worker divided by that on eight, at `halves / 2` times the least limit.
fn mean_speed_up(halves: u64) -> f64 {
    const GRAPHS: usize = 2_000;
    let mut random = Random::new(11);
    let mut sum = 0.0;
    for _ in 0..GRAPHS {
        let drawn = Drawn::random(&mut random, 200);
        let plan = plan(&drawn, &drawn.sinks());
        let (chunks, tables) = (sequential_peak(&plan).0, plan.tasks().table_bytes() as u64);
        let limit = tables + halves * chunks / 2;
        let time = |n_workers| {
            let engine = engine(&plan, Some(limit)).unwrap();
            simulated(&plan, engine, n_workers, |_| 1).time as f64
        };
        sum += time(1) / time(8);
    }
    sum / GRAPHS as f64
}

#[test]
fn eight_workers_at_twice_the_least_limit_are_at_least_three_and_a_half_times_as_fast() {
    let [least, more, twice] = [2, 3, 4].map(mean_speed_up);
    // `cargo xtask bench` records this line; libtest's own may stand before it without an end.
    println!();
    println!(
        "{}",
        serde_json::json!({
            "figure": "admission/speed_up_of_8_workers", "graphs": 2000, "at_1": least, "at_1.5": more, "at_2": twice,
        })
    );
    assert!(twice >= 3.5 && least <= more && more <= twice, "{least:.2} {more:.2} {twice:.2}");
}

#[test]
fn one_byte_below_the_sequential_peak_is_refused() {
    let mut random = Random::new(6);
    for _ in 0..200 {
        let drawn = Drawn::random(&mut random, 40);
        let plan = plan(&drawn, &drawn.sinks());
        let need = sequential_peak(&plan).0 + plan.tasks().table_bytes() as u64;
        let refused = engine(&plan, Some(need - 1)).unwrap_err();
        let Error::MemoryLimit { need: said, limit, .. } = refused else { panic!("{refused}") };
        assert_eq!((said, limit), (need, need - 1));
        let ran = simulated(&plan, engine(&plan, Some(need)).unwrap(), 8, |_| 1);
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
        let mut engine = engine(&plan, Some(tables + limit)).unwrap();
        assert_eq!(next_task(&mut engine), Some(0));
        next_task(&mut engine)
    };
    assert_eq!(second(30), None);
    assert_eq!(second(39), None);
    assert_eq!(second(40), Some(2));
}

#[test]
fn without_a_limit_nothing_waits_for_memory() {
    let drawn = Drawn::new(&[&[], &[], &[], &[0, 1, 2]]);
    let plan = plan(&drawn, &[3]);
    let mut engine = engine(&plan, None).unwrap();
    let mut jobs = Vec::new();
    for expected in 0..3 {
        let Action::Run(job) = next(&mut engine) else { panic!() };
        assert_eq!(job.task.0, expected);
        jobs.push(job);
    }
    assert!(matches!(next(&mut engine), Action::Wait));
    jobs.iter().for_each(|job| finish(&mut engine, &plan, *job));
    let Action::Run(last) = next(&mut engine) else { panic!() };
    assert_eq!(last.task.0, 3);
    assert!(matches!(next(&mut engine), Action::Wait));
    finish(&mut engine, &plan, last);
    assert!(matches!(next(&mut engine), Action::Over));
}

#[test]
fn chunks_larger_than_said_are_charged_their_true_size() {
    //   0 ── 1      0 says 10 bytes and makes 50
    let mut drawn = Drawn::new(&[&[], &[0]]);
    drawn.bytes = vec![10, 10];
    let plan = plan(&drawn, &[1]);
    let tables = plan.tasks().table_bytes() as u64;
    let mut engine = engine(&plan, Some(tables + 40)).unwrap();
    let Action::Run(job) = next(&mut engine) else { panic!() };
    let chunk = Arc::new(Alive::default().chunk(0, 50)) as ChunkRef;
    let mut made = vec![Made { chunk, bytes: 50, is_pinned: false }];
    engine.finish(job, &mut made, &mut Garbage::default());
    assert!(matches!(next(&mut engine), Action::Over), "nothing runs and nothing may start: this run ends");
    let Err(Error::MemoryExhausted { need, alive, limit, .. }) = engine.take_result(&mut Garbage::default())
    else {
        panic!()
    };
    assert_eq!((need, alive, limit), (10, tables + 50, tables + 40));
}

#[test]
fn broken_readiness_ends_the_run_instead_of_stalling_it() {
    //   0 ── 1      2 overtakes 1; then it is forgotten that 1 waits for nothing but 0.
    //   2
    let plan = plan(&Drawn::new(&[&[], &[0], &[]]), &[1, 2]);
    let mut engine = engine(&plan, Some(1 << 20)).unwrap();
    let mut jobs = Vec::new();
    for expected in [0, 2] {
        let Action::Run(job) = next(&mut engine) else { panic!() };
        assert_eq!(job.task.0, expected);
        jobs.push(job);
    }
    engine.state(0).break_readiness();
    jobs.into_iter().for_each(|job| finish(&mut engine, &plan, job));
    assert!(matches!(next(&mut engine), Action::Over));
    let error = engine.take_result(&mut Garbage::default()).unwrap_err();
    assert!(matches!(error, Error::Stalled { finished: 2, n_tasks: 3, .. }), "{error}");
    assert!(error.to_string().contains("position 1 of 3, 0 ready"), "{error}");
}

#[test]
fn readiness_is_given_up_when_only_one_worker_is_left() {
    // Two workers take turns at a row of sources and a chain of them; then one of them comes no more.
    let reads: Vec<Vec<usize>> = (0..40).map(|n| if n < 20 { vec![] } else { vec![n - 1, n - 20] }).collect();
    let drawn = Drawn::from(reads);
    let plan = plan(&drawn, &drawn.sinks());
    let mut engine = engine(&plan, None).unwrap();
    let run = |engine: &mut Engine| match next(engine) {
        Action::Run(job) => job,
        action => panic!("{action:?}"),
    };
    let mut running = vec![run(&mut engine), run(&mut engine)];
    for _ in 0..10 {
        finish(&mut engine, &plan, running.remove(0));
        running.push(run(&mut engine));
        assert!(engine.state(0).knows_readiness());
    }
    running.into_iter().for_each(|job| finish(&mut engine, &plan, job));
    let mut order = Vec::new();
    while let Action::Run(job) = next(&mut engine) {
        assert!(!engine.state(0).knows_readiness());
        order.push(job.task.0);
        finish(&mut engine, &plan, job);
    }
    assert_eq!(order, (12..40).collect::<Vec<_>>());
    assert!(engine.error.is_none());
}
