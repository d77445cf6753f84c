//! Cancelling: no new task starts, running ones end, and everything can be used again.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use musher_graph_core::{
    Annotations, Grid, Layer, Places, Port, Request, TaskError, Wiring, annotate, delayed,
};
use musher_scheduler::{
    CancelToken, Compute, Error, Event, EventLog, GaveUp, Observer, Options, Run, check_cancelled,
};
use musher_testkit::{Act, Scripted, Trace, everywhere};

use crate::support::{execute, run, unfused};

fn many(task: Scripted, n: usize) -> Request {
    let layer = Layer::build(task).finish(Grid::from([n]));
    let sum = Layer::build(Scripted::new("sum")).input(&Port::of(layer), Wiring::All).finish(Grid::scalar());
    Request { port: Port::of(sum), places: Places::All }
}

#[test]
fn what_is_cancelled_before_it_starts_does_not_start() {
    let task = Scripted::new("work");
    let plan = unfused(&[many(task.clone(), 100)]);
    let token = CancelToken::new();
    token.cancel();
    let mut observed = Run::new(plan);
    observed.cancel = Some(token.clone());
    for threads in [0, 1, 4] {
        let error = execute(&observed, threads);
        assert_eq!(error.unwrap_err().to_string(), "cancelled with 0 of 101 tasks finished");
    }
    assert_eq!(task.calls(), 0);
}

#[test]
fn a_task_may_cancel_its_own_run() {
    for threads in [0, 1, 2, 8] {
        let token = CancelToken::new();
        let inside = token.clone();
        let task = Scripted::new("work").at(10, Act::Then(Arc::new(move || inside.cancel())));
        let plan = unfused(&[many(task.clone(), 5000)]);
        let mut observed = Run::new(plan);
        observed.cancel = Some(token.clone());
        let error = execute(&observed, threads);
        let Err(Error::Cancelled { finished, n_tasks: 5001 }) = error else { panic!("{error:?}") };
        if threads < 2 {
            assert_eq!((finished, task.calls()), (11, 11), "the one that cancels still ends");
        }
        assert!(task.calls() < 5000);
    }
}

/// Two ends of a wait: a task says that it has begun and waits until it may go on.
fn gate() -> (Act, Receiver<()>, Sender<()>) {
    let (began, has_begun) = channel();
    let (go_on, may_go_on) = channel();
    let may_go_on = Mutex::new(may_go_on);
    let wait = move || {
        began.send(()).unwrap();
        may_go_on.lock().unwrap().recv().unwrap();
    };
    (Act::Then(Arc::new(wait)), has_begun, go_on)
}

#[test]
fn another_thread_cancels_while_a_task_runs() {
    for threads in [0, 1, 2] {
        let (wait, has_begun, go_on) = gate();
        let task = Scripted::new("work").at(3, wait);
        let plan = unfused(&[many(task, 2000)]);
        let token = CancelToken::new();
        let trace = Arc::new(Trace::default());
        let (token_of_run, trace_of_run) = (token.clone(), Arc::clone(&trace));
        let result = std::thread::scope(|scope| {
            let running = scope.spawn(move || {
                let mut run = Run::new(plan);
                run.observers = vec![trace_of_run];
                run.cancel = Some(token_of_run);
                execute(&run, threads)
            });
            has_begun.recv().unwrap();
            token.cancel();
            go_on.send(()).unwrap();
            running.join().unwrap()
        });
        assert!(matches!(result, Err(Error::Cancelled { .. })), "{result:?}");
        assert_eq!(trace.count("end badly"), 1);
        assert_eq!(trace.count("start"), trace.count("finish"), "what had started has ended");
        assert_eq!(trace.count("start sum"), 0);
    }
}

#[test]
fn a_run_that_is_over_when_it_is_cancelled_has_its_answer() {
    // The last task cancels: nothing is left that could be stopped.
    for threads in [0, 1, 2] {
        let token = CancelToken::new();
        let inside = token.clone();
        let last = Scripted::new("last").at(0, Act::Then(Arc::new(move || inside.cancel())));
        let first = Layer::build(Scripted::new("first")).finish(Grid::from([3]));
        let last = Layer::build(last).input(&Port::of(first), Wiring::All).finish(Grid::scalar());
        let plan = unfused(&[Request { port: Port::of(last), places: Places::All }]);
        let mut observed = Run::new(plan);
        observed.cancel = Some(token.clone());
        let chunks = execute(&observed, threads);
        assert_eq!(chunks.unwrap().len(), 1, "on {threads} threads");
    }
}

#[test]
fn after_a_cancelled_run_the_next_one_runs() {
    let token = CancelToken::new();
    let answer = delayed(|x: i64| x + 1).call(delayed(|| 41).call(()));
    token.cancel();
    for (name, options) in everywhere() {
        assert!(answer.compute_with(&options.clone().cancel(&token)).is_err(), "{name}");
        assert_eq!(answer.compute_with(&options).unwrap(), 42, "{name}");
        assert_eq!(answer.compute_with(&options.cancel(&CancelToken::new())).unwrap(), 42, "{name}");
    }
    assert!(token.is_cancelled() && token.clone().is_cancelled());
    let _ = (Options::default(), run as fn(_, _, _) -> _);
}

#[test]
fn a_deadline_ends_a_run_and_says_so() {
    for threads in [0, 1, 3] {
        let plan = unfused(&[many(Scripted::new("work"), 100)]);
        let mut run = Run::new(plan);
        run.cancel = Some(CancelToken::new().deadline(std::time::Duration::ZERO));
        let error = execute(&run, threads).unwrap_err();
        assert_eq!(error.to_string(), "the deadline passed with 0 of 101 tasks finished");
        run.cancel = Some(CancelToken::new().deadline(std::time::Duration::MAX));
        assert!(execute(&run, threads).is_ok());
    }
    let late = Options::default().deadline(std::time::Duration::ZERO);
    let answer = musher_graph_core::delayed(|| 1).call(()).compute_with(&late);
    assert!(matches!(answer, Err(Error::DeadlinePassed { .. })));
}

#[test]
fn a_task_that_asks_gives_up_and_the_run_is_cancelled() {
    // The task would never end by itself; it asks, as kernels do, or panics with the answer, as a closure may.
    let asks = || -> Result<(), TaskError> {
        loop {
            check_cancelled()?;
            std::thread::yield_now();
        }
    };
    let panics = move || asks().unwrap_or_else(|error| std::panic::panic_any(error.to_string()));
    for threads in [0, 1, 2] {
        for act in [Act::Try(Arc::new(asks)), Act::Then(Arc::new(panics))] {
            let token = CancelToken::new();
            let (inside, task) = (token.clone(), Scripted::new("work").at(3, act));
            let mut run = Run::new(unfused(&[many(task, 200)]));
            run.cancel = Some(token);
            run.observers = vec![Arc::new(CancelsAtStart(inside, AtomicUsize::new(0)))];
            let error = execute(&run, threads).unwrap_err();
            assert!(matches!(error, Error::Cancelled { n_tasks: 201, .. }), "{error}");
        }
        let mut run = Run::new(unfused(&[many(Scripted::new("work").at(3, Act::Try(Arc::new(asks))), 200)]));
        run.cancel = Some(CancelToken::new().deadline(std::time::Duration::from_millis(1)));
        let error = execute(&run, threads).unwrap_err();
        assert!(matches!(error, Error::DeadlinePassed { .. }), "{error}");
    }
    assert_eq!(check_cancelled(), Ok(()), "outside of a run there is nothing to give up");
}

/// Cancels when the fourth task starts.
struct CancelsAtStart(CancelToken, AtomicUsize);

impl Observer for CancelsAtStart {
    fn event(&self, event: Event<'_>) {
        if let Event::TaskStarted { .. } = event
            && self.1.fetch_add(1, Ordering::SeqCst) == 3
        {
            self.0.cancel();
        }
    }
}

#[test]
fn a_task_inside_a_task_asks_for_both_runs() {
    let token = CancelToken::new();
    let outer = token.clone();
    let waits = move || -> Result<i32, GaveUp> {
        outer.cancel();
        loop {
            check_cancelled()?;
        }
    };
    let answer =
        delayed(move || delayed(waits.clone()).fallible().call(()).compute().unwrap_err().to_string());
    let error = answer.call(()).compute_with(&Options::default().threads(2).cancel(&token));
    // The outer task ends with what the inner run said, and was the last one: nothing is left to be stopped.
    assert_eq!(error.unwrap(), "cancelled with 0 of 1 tasks finished");
}

/// The test runner gives each test a process of its own; this one interrupts itself in the middle of a run.
#[cfg(target_os = "linux")]
#[test]
fn an_interrupt_ends_the_run_and_not_the_process() {
    let token = CancelToken::on_interrupt().unwrap();
    let asked = token.clone();
    let interrupt = move || {
        let own = rustix::process::getpid();
        rustix::process::kill_process(own, rustix::process::Signal::INT).unwrap();
        // Any thread of the process may take the signal, when its turn comes.
        while !asked.is_cancelled() {
            std::thread::yield_now();
        }
    };
    let task = Scripted::new("work").at(3, Act::Then(Arc::new(interrupt)));
    let mut run = Run::new(unfused(&[many(task.clone(), 2000)]));
    run.cancel = Some(token.clone());
    let error = execute(&run, 0).unwrap_err();
    assert!(matches!(error, Error::Cancelled { n_tasks: 2001, .. }), "{error}");
    assert!(token.is_cancelled() && task.calls() < 2000);
}

/// Cancels when a task is about to be run again for so many times.
struct CancelsAt(usize, CancelToken, AtomicUsize);

impl Observer for CancelsAt {
    fn event(&self, event: Event<'_>) {
        if let Event::TaskRetried { .. } = event
            && self.2.fetch_add(1, Ordering::SeqCst) + 1 == self.0
        {
            self.1.cancel();
        }
    }
}

#[test]
fn a_task_that_waits_to_be_run_again_is_not() {
    for threads in [0, 1, 2] {
        let (task, token) = (Scripted::new("work").at(0, Act::Fail), CancelToken::new());
        let request = annotate(Annotations::new().retries(9), || many(task.clone(), 1));
        let mut run = Run::new(unfused(&[request]));
        run.cancel = Some(token.clone());
        run.observers = vec![Arc::new(CancelsAt(3, token, AtomicUsize::new(0)))];
        assert!(execute(&run, threads).is_err());
        assert_eq!(task.calls(), 3, "on {threads} threads");
    }
}

#[test]
fn planning_ends_with_the_run_that_it_is_for() {
    let values: Vec<_> = (0..1000).map(|x| delayed(|x: u64| x).call(x)).collect();
    let sum = delayed(|values: Vec<u64>| values.iter().sum::<u64>()).call(values);
    let (token, log) = (CancelToken::new(), Arc::new(EventLog::new(10)));
    token.cancel();
    let options = Options::default().observe(log.clone());
    let error = sum.compute_with(&options.clone().cancel(&token)).unwrap_err();
    assert_eq!(error.to_string(), "cancelled before the graph was planned");
    // The time of the deadline begins with the call, not when the plan is there.
    let error = sum.persist_with(&options.clone().deadline(std::time::Duration::ZERO)).unwrap_err();
    assert_eq!(error.to_string(), "the deadline passed before the graph was planned");
    assert!(log.transitions().is_empty(), "{}", log.text());
}
