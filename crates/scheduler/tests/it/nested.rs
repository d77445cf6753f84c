//! Runs inside runs, beside runs, and inside other people's pools: nobody waits for himself.

use std::sync::Mutex;

use musher_graph_core::{
    AxisMap, Delayed, FnTask, Grid, Inputs, Layer, Place, Places, Port, Request, Value, Wiring, delayed,
};
use musher_scheduler::{Compute, Options};
use musher_testkit::everywhere;
use rayon::prelude::*;

use crate::support::{run, unfused};

/// Sums `n` numbers by tasks.
fn total(n: u64) -> Delayed<u64> {
    let numbers: Vec<_> = (0..n).map(|x| delayed(|x: u64| x).call(x)).collect();
    delayed(|numbers: Vec<u64>| numbers.iter().sum::<u64>()).call(numbers)
}

/// Computes inside tasks inside tasks, `depth` deep.
fn nested(depth: u64, threads: usize) -> Delayed<u64> {
    let level = move |part: u64| {
        let inner = if depth == 0 { total(10) } else { nested(depth - 1, threads) };
        part + inner.compute_with(&Options::default().threads(threads)).unwrap()
    };
    let parts: Vec<_> = (0..3).map(|part| delayed(level).call(part)).collect();
    delayed(|parts: Vec<u64>| parts.iter().sum::<u64>()).call(parts)
}

#[test]
fn computing_inside_tasks_ends_on_one_thread_and_on_many() {
    // Each level adds 0 + 1 + 2 to three times the level below.
    let expected = |depth: u32| (0..=depth).fold(45, |inner, _| 3 * inner + 3);
    for depth in 0..=3 {
        for (name, options) in everywhere() {
            for threads in [1, 2] {
                let answer = nested(depth.into(), threads).compute_with(&options).unwrap();
                assert_eq!(answer, expected(depth), "depth {depth} {name}, {threads} threads inside");
            }
        }
    }
}

#[test]
fn eight_runs_one_inside_the_other_end_on_one_thread() {
    fn deep(depth: u64) -> Delayed<u64> {
        let level = move |part: u64| {
            let inner = if depth == 0 { total(3) } else { deep(depth - 1) };
            part + inner.compute().unwrap()
        };
        delayed(|a: u64, b: u64| a + b).call((delayed(level).call(0), delayed(level).call(1)))
    }
    // Each level adds 1 to twice the level below.
    let expected = (0..=8).fold(3, |inner, _| 2 * inner + 1);
    let one = Options::default().threads(1);
    for options in [one.clone(), one.memory_limit(1 << 20), Options::sequential()] {
        assert_eq!(deep(8).compute_with(&options).unwrap(), expected);
    }
}

#[test]
fn a_task_may_wait_for_a_thread_that_computes() {
    // The thread of the outer run is taken by the task that waits; the inner run must not need it.
    let waits = |x: u64| {
        let inner =
            std::thread::spawn(move || total(x).compute_with(&Options::default().threads(1)).unwrap());
        inner.join().unwrap()
    };
    let parts: Vec<_> = (1..6).map(|x| delayed(waits).call(x)).collect();
    let sum = delayed(|parts: Vec<u64>| parts.iter().sum::<u64>()).call(parts);
    // The parts of the sum: 0, 0 + 1, 0 + 1 + 2, …
    for threads in [1, 2] {
        assert_eq!(sum.compute_with(&Options::default().threads(threads)).unwrap(), 1 + 3 + 6 + 10);
    }
}

#[test]
fn runs_beside_runs_do_not_disturb_each_other() {
    std::thread::scope(|scope| {
        for n in 0..8_u64 {
            scope.spawn(move || {
                for round in 0..20 {
                    let options = Options::default().threads(1 + (n as usize + round) % 3);
                    assert_eq!(total(50 + n).compute_with(&options).unwrap(), (50 + n) * (49 + n) / 2);
                }
            });
        }
    });
}

#[test]
fn computing_inside_somebodys_rayon_pool_ends() {
    for threads in [1, 2] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        assert_eq!(pool.install(|| total(30).compute().unwrap()), 435);
        let all: Vec<u64> =
            pool.install(|| (0..16_u64).into_par_iter().map(|n| total(n).compute().unwrap()).collect());
        let expected: Vec<u64> = (0..16).map(|n: u64| n * n.saturating_sub(1) / 2).collect();
        assert_eq!(all, expected);
    }
}

#[test]
fn a_task_may_use_rayon_and_finds_our_threads_there() {
    let sum = |x: u64| (0..10_000_u64).into_par_iter().map(|y| x ^ y).sum::<u64>();
    let parts: Vec<_> = (0..8).map(|x| delayed(sum).call(x)).collect();
    let total = delayed(|parts: Vec<u64>| parts.iter().fold(0, |a: u64, b| a ^ b)).call(parts);
    let expected = (0..8).map(sum).fold(0, |a: u64, b| a ^ b);
    for (name, options) in everywhere() {
        assert_eq!(total.compute_with(&options).unwrap(), expected, "{name}");
    }
}

/// Held by tasks across a parallel section of theirs.
static LOCK: Mutex<u64> = Mutex::new(0);

#[test]
fn a_users_lock_held_across_a_parallel_section_does_no_harm() {
    // If a waiting task's stack took up another task, that one would wait for the lock below it for ever.
    let guarded = |x: u64| {
        let mut guard = LOCK.lock().unwrap();
        *guard += (0..2_000_u64).into_par_iter().map(|y| x * y % 7).sum::<u64>() % 2;
        x
    };
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let task = move |at: Place<'_>, _: &mut Inputs<'_>| Ok(Value(guarded(at.index() as u64)));
                let layer = Layer::build(FnTask::new("guarded", task)).finish(Grid::from([200]));
                let plan = unfused(&[Request { port: Port::of(layer), places: Places::All }]);
                for threads in [1, 2, 3] {
                    assert_eq!(run(&plan, threads, None).unwrap().len(), 200);
                }
            });
        }
    });
}

#[test]
fn an_inner_failure_is_the_outer_ones_cause() {
    let inner = |x: i64| -> Result<i64, musher_scheduler::Error> {
        delayed(|x: i64| if x > 0 { panic!("inner") } else { x }).call(x).compute()
    };
    let outer = delayed(inner).fallible().label("outer").call(1);
    for (name, options) in everywhere() {
        let error = outer.compute_with(&options).unwrap_err();
        let messages = crate::support::messages(&error);
        assert!(messages[0].starts_with("outer failed (built"), "{name}: {messages:?}");
        assert!(messages[1].ends_with("): inner"), "{name}: {messages:?}");
    }
}

#[test]
fn a_long_task_among_small_ones_holds_nobody_up() {
    // Small tasks are fetched many at a time. Of the last two of many, the first waits for the second: a loop that
    // kept what it had fetched to itself would never come to it.
    const N: usize = 2_000;
    for threads in [2, 3] {
        let (signal, signalled) = std::sync::mpsc::channel();
        let (signal, signalled) = (Mutex::new(signal), Mutex::new(signalled));
        let patience = std::time::Duration::from_secs(60);
        let task = move |at: Place<'_>, _: &mut Inputs<'_>| {
            match at.index() {
                index if index == N - 2 => signalled.lock().unwrap().recv_timeout(patience)?,
                index if index == N - 1 => signal.lock().unwrap().send(())?,
                _ => {}
            }
            Ok(Value(0_u64))
        };
        let layer = Layer::build(FnTask::new("work", task)).finish(Grid::from([N]));
        let plan = unfused(&[Request { port: Port::of(layer), places: Places::All }]);
        assert_eq!(run(&plan, threads, None).unwrap().len(), N);
    }
}

#[test]
fn what_ended_before_a_long_task_is_read_while_it_runs() {
    // The last source waits until the reader of the last but one has run: both may have been fetched at once.
    const N: usize = 2_000;
    for threads in [2, 3] {
        let (signal, signalled) = std::sync::mpsc::channel();
        let (signal, signalled) = (Mutex::new(signal), Mutex::new(signalled));
        let source = move |at: Place<'_>, _: &mut Inputs<'_>| {
            if at.index() == N - 1 {
                signalled.lock().unwrap().recv_timeout(std::time::Duration::from_secs(60))?;
            }
            Ok(Value(0_u64))
        };
        let source = Port::of(Layer::build(FnTask::new("source", source)).finish(Grid::from([N])));
        let read = FnTask::new("read", move |_: Place<'_>, _: &mut Inputs<'_>| {
            signal.lock().unwrap().send(())?;
            Ok(Value(0_u64))
        });
        let wiring = Wiring::axes([AxisMap::Fixed(N - 2)]);
        let read = Port::of(Layer::build(read).input(&source, wiring).finish(Grid::scalar()));
        let all = |port: &Port| Request { port: port.clone(), places: Places::All };
        let plan = unfused(&[all(&source), all(&read)]);
        assert_eq!(run(&plan, threads, None).unwrap().len(), N + 1);
    }
}
