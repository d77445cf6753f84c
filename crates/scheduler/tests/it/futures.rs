//! Futures: work stands on work that has not ended, everything ends, and nobody waits for himself.

use std::future::Future as _;
use std::pin::pin;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::Duration;

use musher_graph_core::{
    Delayed, Facts, FnTask, Grid, Inputs, Layer, Place, Port, Value, Wiring, delayed, opaque,
};
use musher_scheduler::{
    CancelToken, Client, Compute, Error, Future, Options, ReturnWhen, Status, Submit, as_completed, gather,
    wait,
};
use musher_testkit::{Random, SMALL_STACK, with_small_stack};

const PATIENCE: Duration = Duration::from_secs(20);

fn client(threads: usize) -> Client {
    Client::new(Options::default().threads(threads)).unwrap()
}

/// A place where so many have to meet before anybody goes on.
#[derive(Default)]
struct Meeting {
    here: Mutex<usize>,
    changed: Condvar,
}

impl Meeting {
    fn wait_for(&self, n: usize) -> bool {
        let mut here = self.here.lock().unwrap();
        *here += 1;
        self.changed.notify_all();
        let (_here, timeout) = self.changed.wait_timeout_while(here, PATIENCE, |here| *here < n).unwrap();
        !timeout.timed_out()
    }
}

/// Work that says that it has begun and waits until it may go on.
struct Gate {
    has_begun: Receiver<()>,
    go_on: Sender<()>,
}

impl Gate {
    fn new() -> (Self, Delayed<u64>) {
        let (began, has_begun) = channel();
        let (go_on, may_go_on) = channel();
        let may_go_on = Mutex::new(may_go_on);
        let wait = Arc::new(move || {
            began.send(()).unwrap();
            may_go_on.lock().unwrap().recv().unwrap_or(());
            1
        });
        (Self { has_begun, go_on }, delayed(move || wait()).call(()))
    }

    fn wait_until_begun(&self) {
        self.has_begun.recv_timeout(PATIENCE).unwrap();
    }

    fn open(&self) {
        self.go_on.send(()).unwrap();
    }
}

fn add(a: u64, b: u64) -> u64 {
    a + b
}

fn fail(_: u64) -> Result<u64, std::num::ParseIntError> {
    "x".parse()
}

/// One task on each of so many places, and their sum.
fn wide(n: usize, work: impl Fn(usize) -> u64 + Send + Sync + 'static) -> Delayed<u64> {
    let task = move |at: Place<'_>, _: &mut Inputs<'_>| Ok(Value(work(at.index())));
    let parts = Layer::build(FnTask::new("part", task)).finish(Grid::from([n]));
    let sum = |_: Place<'_>, inputs: &mut Inputs<'_>| {
        Ok(Value(inputs.slot::<Value<u64>>(0)?.iter().map(|value| value.0).sum::<u64>()))
    };
    let sum = Layer::build(FnTask::new("sum", sum)).input(&Port::of(parts), Wiring::All);
    Delayed::from_port(Port::of(sum.finish(Grid::scalar())))
}

#[test]
fn results_are_those_of_computing() {
    for threads in [1, 2, 3, 8] {
        let client = client(threads);
        let squares = client.map(|x: u64| x * x, 0..200);
        assert_eq!(gather(&squares).unwrap(), (0..200).map(|x| x * x).collect::<Vec<_>>());
        let big = wide(500, |x| x as u64);
        assert_eq!(client.submit(&big).into_result().unwrap(), big.compute().unwrap());
        let scattered = client.scatter(vec![1_u64, 2, 3]);
        let length = |values: &Vec<u64>, more: u64| values.len() as u64 + more;
        let lengths = client.map(length, (0..3).map(|more| (&scattered, more)));
        assert_eq!(gather(lengths).unwrap(), [3, 4, 5]);
        assert_eq!(scattered.to_delayed().compute().unwrap(), [1, 2, 3]);
    }
}

#[test]
fn a_future_is_an_argument_before_it_has_ended() {
    for threads in [1, 4] {
        let client = client(threads);
        let (gate, first) = Gate::new();
        let first = client.submit(&first);
        let second = client.submit(&delayed(add).call((&first, 1)));
        let many = vec![first.to_delayed(), second.to_delayed(), first.to_delayed()];
        let third = client.submit(&delayed(|all: Vec<u64>| all.iter().sum::<u64>()).call(many));
        gate.wait_until_begun();
        assert_eq!((first.status(), second.status()), (Status::Running, Status::Waiting));
        assert!(!third.done() && third.try_result().is_none());
        assert!(third.result_timeout(Duration::ZERO).is_none());
        gate.open();
        assert_eq!(third.result().unwrap(), 4);
        assert_eq!((first.status(), second.try_result().unwrap().unwrap()), (Status::Finished, 2));
    }
}

#[test]
fn a_failure_reaches_all_that_stand_on_it_with_its_root() {
    let client = client(2);
    let failing = client.submit(&delayed(fail).fallible().call(1));
    let good = client.submit(&delayed(add).call((1, 1)));
    let mut last = client.submit(&delayed(add).call((&failing, &good)));
    for _ in 0..5 {
        last = client.submit(&delayed(add).call((&last, 1)));
    }
    let error = last.result().unwrap_err();
    let Error::Upstream { operation, source, .. } = &*error else { panic!("{error:?}") };
    assert_eq!(operation, "add");
    assert!(error.to_string().contains("futures.rs:"), "{error}");
    assert!(source.to_string().starts_with("fail failed (built"), "{source}");
    assert!(Arc::ptr_eq(source, &failing.error().unwrap()));
    assert_eq!((last.status(), good.result().unwrap()), (Status::Failed, 2));
    let panics = client.submit(&delayed(|| -> u64 { panic!("at the disco") }).call(()));
    assert!(panics.result().unwrap_err().to_string().ends_with("at the disco"));
    assert_eq!(client.submit(&delayed(add).call((2, 2))).result().unwrap(), 4, "the workers live on");
}

#[test]
fn a_cancel_reaches_all_that_stand_on_it() {
    let client = client(1);
    let (gate, running) = Gate::new();
    let running = client.submit(&running);
    gate.wait_until_begun();
    let queued = client.submit(&delayed(add).call((1, 2)));
    let after = client.submit(&delayed(add).call((&queued, &running)));
    queued.cancel();
    assert_eq!((queued.status(), after.status()), (Status::Cancelled, Status::Cancelled));
    assert!(matches!(*queued.result().unwrap_err(), Error::Cancelled { finished: 0, n_tasks: 1 }));
    assert_eq!(running.status(), Status::Running);
    gate.open();
    assert_eq!(running.result().unwrap(), 1);
    running.cancel();
    assert_eq!(running.result().unwrap(), 1, "what has ended stays");
}

#[test]
fn a_running_submission_stops_at_its_next_task() {
    let client = client(1);
    let began = Arc::new(Meeting::default());
    let there = Arc::clone(&began);
    let (go, may_go) = channel::<()>();
    let may_go = Mutex::new(may_go);
    let work = wide(1000, move |index| {
        if index == 0 {
            there.wait_for(2);
            may_go.lock().unwrap().recv().unwrap();
        }
        1
    });
    let work = client.submit(&work);
    assert!(began.wait_for(2));
    work.cancel();
    go.send(()).unwrap();
    let error = work.result().unwrap_err();
    assert!(matches!(*error, Error::Cancelled { n_tasks: 1001, .. }), "{error:?}");
}

#[test]
fn the_token_of_the_options_cancels_what_starts_or_runs() {
    let token = CancelToken::new();
    let client = Client::new(Options::default().threads(1).cancel(&token)).unwrap();
    let inside = token.clone();
    let work = client.submit(&wide(100, move |index| {
        if index == 3 {
            inside.cancel();
        }
        1
    }));
    let next = client.submit(&delayed(add).call((1, 1)));
    assert!(matches!(*work.result().unwrap_err(), Error::Cancelled { n_tasks: 101, .. }));
    assert!(matches!(*next.result().unwrap_err(), Error::Cancelled { .. }));
    assert_eq!(next.status(), Status::Cancelled);
}

#[test]
fn what_is_ready_starts_by_priority_and_then_by_age() {
    let client = client(1);
    let (gate, first) = Gate::new();
    let first = client.submit(&first);
    gate.wait_until_begun();
    let order = Arc::new(Mutex::new(Vec::new()));
    let note = |name: &'static str, priority: i32| {
        let order = Arc::clone(&order);
        let work = delayed(move || order.lock().unwrap().push(name)).call(());
        client.submit_with(&work, Submit::default().priority(priority))
    };
    let all = [note("low", -1), note("a", 0), note("high", 7), note("b", 0), note("c", 0)];
    all[4].cancel();
    gate.open();
    wait(all, ReturnWhen::All, None);
    assert_eq!(*order.lock().unwrap(), ["high", "a", "b", "low"]);
    assert!(first.done());
}

#[test]
fn many_small_ones_and_a_single_big_one_use_all_threads() {
    for threads in [1, 2, 5] {
        let client = client(threads);
        // Each waits for all the others: they end only if all run at once.
        let meeting = Arc::new(Meeting::default());
        let meet = move |_: usize| meeting.wait_for(threads);
        assert_eq!(gather(client.map(meet, 0..threads)).unwrap(), vec![true; threads]);
        let meeting = Arc::new(Meeting::default());
        let big = wide(threads, move |_| u64::from(meeting.wait_for(threads)));
        assert_eq!(client.submit(&big).result().unwrap(), threads as u64);
    }
}

#[test]
fn never_more_tasks_run_at_once_than_there_are_threads() {
    for threads in [1, 2, 4] {
        let client = client(threads);
        let running = Arc::new(Mutex::new((0_usize, 0_usize)));
        let counted = Arc::new(move |x: u64| {
            {
                let mut running = running.lock().unwrap();
                running.0 += 1;
                running.1 = running.1.max(running.0);
            }
            let sum = (0..2_000_u64).fold(x, |sum, y| std::hint::black_box(sum ^ y));
            let mut running = running.lock().unwrap();
            running.0 -= 1;
            assert!(running.1 <= threads, "{} at once", running.1);
            sum
        });
        let mut futures = Vec::new();
        for round in 0..40 {
            let (one, each) = (Arc::clone(&counted), Arc::clone(&counted));
            futures.push(client.submit(&delayed(move || one(round)).call(())));
            if round % 4 == 0 {
                futures.push(client.submit(&wide(30, move |index| each(index as u64))));
            }
        }
        gather(futures).unwrap();
    }
}

#[test]
fn inside_a_task_a_future_is_waited_for_on_any_number_of_threads() {
    fn fibonacci(client: Arc<Client>, n: u64) -> u64 {
        if n < 2 {
            return n;
        }
        let below = [n - 1, n - 2].map(|n| {
            let inner = opaque(Arc::clone(&client));
            client.submit(&delayed(fibonacci).call((inner, n)))
        });
        gather(below).unwrap().iter().sum()
    }
    for threads in [1, 2, 3] {
        let client = Arc::new(client(threads));
        let tenth = client.submit(&delayed(fibonacci).call((opaque(Arc::clone(&client)), 10)));
        assert_eq!(tenth.result().unwrap(), 55);
        // From tasks of a run that is not the client's, on threads of a pool.
        let asks = Arc::clone(&client);
        let outer = wide(20, move |x| {
            let chain = asks.submit(&delayed(add).call((x as u64, 1)));
            let chain = asks.submit(&delayed(add).call((&chain, 1)));
            as_completed([chain]).map(|future| future.result().unwrap()).sum()
        });
        assert_eq!(outer.compute().unwrap(), (0..20).map(|x| x + 2).sum::<u64>());
        assert_eq!(client.submit(&outer).result().unwrap(), (0..20).map(|x| x + 2).sum::<u64>());
    }
}

#[test]
fn inside_a_task_many_are_waited_for() {
    for threads in [1, 2] {
        let client = Arc::new(client(threads));
        let inner = Arc::clone(&client);
        let total = client.submit(
            &delayed(move || {
                let futures = inner.map(|x: u64| x + 1, 0..50);
                let waited = wait(futures, ReturnWhen::All, None);
                assert!(waited.pending.is_empty());
                let first = wait(inner.map(|x: u64| x, 0..3), ReturnWhen::FirstCompleted, None);
                assert!(!first.done.is_empty());
                as_completed(waited.done).map(|future| future.into_result().unwrap()).sum::<u64>()
            })
            .call(()),
        );
        assert_eq!(total.result().unwrap(), (1..51).sum::<u64>());
    }
}

#[test]
fn a_long_chain_ends_fails_and_is_dropped_on_a_small_stack() {
    const N: u64 = 20_000;
    with_small_stack(SMALL_STACK, || {
        for first_fails in [false, true] {
            let client = client(2);
            let (gate, first) = Gate::new();
            let mut last = client.submit(&first);
            let failing = client.submit(&delayed(fail).fallible().call(0));
            if first_fails {
                last = client.submit(&delayed(add).call((&last, &failing)));
            }
            for _ in 0..N {
                last = client.submit(&delayed(add).call((last, 1)));
            }
            gate.open();
            match first_fails {
                false => assert_eq!(last.result().unwrap(), N + 1),
                true => assert!(last.result().is_err()),
            }
            // A chain that nobody waits for any more.
            let (gate, first) = Gate::new();
            let mut last = client.submit(&first);
            for _ in 0..N {
                last = client.submit(&delayed(add).call((last, 1)));
            }
            drop(last);
            drop(gate);
        }
    });
}

/// Wakes a thread that is parked.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// The smallest executor: it sleeps until it is woken.
fn block_on<F: std::future::Future>(future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}

#[test]
fn a_future_can_be_awaited() {
    let client = client(2);
    let sum = block_on(async {
        let parts = client.map(|x: u64| x + 1, 0..20);
        let mut sum = 0;
        for part in parts {
            sum += part.await?;
        }
        Ok::<_, Arc<Error>>(sum)
    });
    assert_eq!(sum.unwrap(), 210);
    let error = block_on(client.submit(&delayed(fail).fallible().call(1))).unwrap_err();
    assert!(matches!(*error, Error::Task(_)));

    // Polled many times it keeps one waker, dropped it keeps none.
    struct Count;
    impl Wake for Count {
        fn wake(self: Arc<Self>) {}
    }
    let count = Arc::new(Count);
    let waker = Waker::from(Arc::clone(&count));
    let (gate, work) = Gate::new();
    let held = client.submit(&work);
    let mut polled = held.clone();
    for _ in 0..5 {
        assert!(pin!(&mut polled).poll(&mut Context::from_waker(&waker)).is_pending());
    }
    assert_eq!(Arc::strong_count(&count), 3, "ours, the one in `waker`, and the stored one");
    drop(polled);
    assert_eq!(Arc::strong_count(&count), 2);
    gate.open();
    assert_eq!(block_on(held).unwrap(), 1);
}

#[test]
fn completed_ones_come_as_they_end() {
    let client = client(3);
    let gates: Vec<_> = (0..3).map(|_| Gate::new()).collect();
    let futures: Vec<_> = gates.iter().map(|(_, work)| client.submit(work)).collect();
    let mut completed = as_completed(futures.clone());
    for open in [1, 2, 0] {
        let (gate, _) = &gates[open];
        gate.wait_until_begun();
        gate.open();
        assert_eq!(completed.next().unwrap().result().unwrap(), 1);
        assert!(futures[open].done());
    }
    assert_eq!(completed.n_waiting(), 0);
    completed.push(client.submit(&delayed(add).call((1, 1))));
    assert_eq!(completed.next().unwrap().result().unwrap(), 2);
    assert!(completed.next().is_none());
}

#[test]
fn waiting_ends_with_the_first_or_the_failing_one_or_the_time() {
    let client = client(2);
    let (gate, slow) = Gate::new();
    let slow = client.submit(&slow);
    let quick = client.submit(&delayed(add).call((1, 1)));
    let failing = client.submit(&delayed(fail).fallible().call(1));
    let both = || [slow.clone(), quick.clone()];
    let waited = wait(both(), ReturnWhen::FirstCompleted, None);
    assert_eq!((waited.done.len(), waited.pending.len()), (1, 1));
    assert_eq!(waited.done[0].result().unwrap(), 2);
    let waited = wait([slow.clone(), failing.clone()], ReturnWhen::FirstError, None);
    assert_eq!((waited.done.len(), waited.pending.len()), (1, 1));
    let waited = wait(both(), ReturnWhen::All, Some(Duration::from_millis(1)));
    assert_eq!((waited.done.len(), waited.pending.len()), (1, 1));
    gate.open();
    assert!(wait(both(), ReturnWhen::FirstError, Some(Duration::MAX)).pending.is_empty());
    assert!(gather([slow, failing]).is_err());
}

#[test]
fn a_result_is_freed_with_its_last_handle() {
    let client = client(1);
    let value = Arc::new(7_u64);
    let kept = Arc::clone(&value);
    let future = client.submit(&delayed(move || Arc::clone(&kept)).call(()));
    wait([future.clone()], ReturnWhen::All, None);
    let reader = future.to_delayed();
    drop(future);
    assert_eq!(*reader.compute().unwrap(), 7, "a delayed value holds it");
    drop(reader);
    // The worker lets the closure go before it says that the work has ended.
    assert_eq!(Arc::strong_count(&value), 1);
    let own = Arc::new(3_u64);
    let moved = client.scatter(Arc::clone(&own)).into_result().unwrap();
    assert_eq!(Arc::strong_count(&own), 2, "moved, not cloned");
    drop(moved);
}

#[test]
fn work_without_a_handle_is_cancelled_unless_it_is_detached() {
    let client = client(1);
    let (gate, first) = Gate::new();
    let first = client.submit(&first);
    gate.wait_until_begun();
    let (say, said) = channel();
    let work = |name: &'static str| {
        let say = Arc::new(Mutex::new(say.clone()));
        client.submit(&delayed(move || say.lock().unwrap().send(name).unwrap()).call(()))
    };
    drop(work("dropped"));
    work("detached").detach();
    let held = work("held");
    gate.open();
    held.result().unwrap();
    assert_eq!(said.try_iter().collect::<Vec<_>>(), ["detached", "held"]);
    drop(first);
}

#[test]
fn callbacks_are_told_once_and_do_no_harm() {
    let client = client(1);
    let (say, said) = channel();
    let (gate, work) = Gate::new();
    let future = client.submit(&work);
    let tell = |name: &'static str| {
        let say = say.clone();
        move |result: Result<&u64, &Arc<Error>>| say.send((name, result.is_ok())).unwrap()
    };
    future.add_done_callback(|_| panic!("in a callback"));
    future.add_done_callback(tell("before"));
    gate.open();
    future.result().unwrap();
    assert_eq!(said.recv_timeout(PATIENCE).unwrap(), ("before", true));
    future.add_done_callback(tell("after"));
    assert_eq!(said.try_recv().unwrap(), ("after", true));
    let failing = client.submit(&delayed(fail).fallible().call(1));
    failing.add_done_callback(tell("failed"));
    assert_eq!(said.recv_timeout(PATIENCE).unwrap(), ("failed", false));
    assert!(said.try_recv().is_err());
}

#[test]
fn a_client_that_goes_cancels_what_has_not_ended() {
    let client = client(1);
    let done = client.submit(&delayed(add).call((1, 1)));
    assert_eq!(done.result().unwrap(), 2);
    let (gate, running) = Gate::new();
    let running = client.submit(&running);
    gate.wait_until_begun();
    let queued = client.submit(&delayed(add).call((1, 1)));
    let waiting = client.submit(&delayed(add).call((&queued, &running)));
    let closing = std::thread::spawn(move || drop(client));
    assert_eq!(queued.result().unwrap_err().to_string(), "cancelled with 0 of 1 tasks finished");
    assert!(waiting.result().is_err());
    gate.open();
    closing.join().unwrap();
    assert!(running.done() && done.result().unwrap() == 2, "results stay with their futures");
}

#[test]
fn the_last_handle_of_a_client_may_go_inside_a_task() {
    for threads in [1, 3] {
        let client = Arc::new(client(threads));
        let inside = Mutex::new(Some(Arc::clone(&client)));
        let (go, may_go) = channel::<()>();
        let may_go = Mutex::new(may_go);
        let work = wide(5, move |index| {
            if index == 0 {
                may_go.lock().unwrap().recv().unwrap();
                drop(inside.lock().unwrap().take());
            }
            1
        });
        let future = client.submit(&work);
        drop(client);
        go.send(()).unwrap();
        assert!(matches!(future.result(), Ok(5) | Err(_)));
    }
}

#[test]
fn work_may_stand_on_another_clients_work() {
    let (one, other) = (client(1), client(1));
    let (gate, first) = Gate::new();
    let first = one.submit(&first);
    let second = other.submit(&delayed(add).call((&first, 1)));
    let third = one.submit(&delayed(add).call((&second, 1)));
    assert_eq!(third.status(), Status::Waiting);
    gate.open();
    assert_eq!(third.result().unwrap(), 3);
    let (gate, first) = Gate::new();
    let first = one.submit(&first);
    let second = other.submit(&delayed(add).call((&first, 1)));
    drop(other);
    assert_eq!(second.status(), Status::Cancelled, "at once, although what it waits for goes on");
    gate.open();
    first.result().unwrap();
}

#[test]
fn failing_work_is_tried_again() {
    let client = client(1);
    let calls = Arc::new(Mutex::new(0));
    let flaky = |fails: u32| {
        let calls = Arc::clone(&calls);
        *calls.lock().unwrap() = 0;
        delayed(move || {
            let mut calls = calls.lock().unwrap();
            *calls += 1;
            if *calls <= fails { "x".parse::<u32>() } else { Ok(*calls) }
        })
        .fallible()
        .call(())
    };
    let with = |retries| Submit::default().retries(retries);
    assert_eq!(client.submit_with(&flaky(2), with(2)).result().unwrap(), 3);
    assert!(client.submit_with(&flaky(2), with(1)).result().is_err());
}

#[test]
fn a_submission_that_needs_all_the_memory_gets_it_alone() {
    let threads = 4;
    let limit = 1 << 20;
    let client = Client::new(Options::default().threads(threads).memory_limit(limit)).unwrap();
    let alive = Arc::new(Mutex::new(0_u64));
    let big = || {
        let alive = Arc::clone(&alive);
        let task = FnTask::new("big", move |_: Place<'_>, _: &mut Inputs<'_>| {
            *alive.lock().unwrap() += 1;
            assert_eq!(*alive.lock().unwrap(), 1, "two at once would not fit");
            std::thread::yield_now();
            *alive.lock().unwrap() -= 1;
            Ok(Value(1_u64))
        });
        let task = task.facts(move |_, _| Facts::bytes(8).scratch(limit * 3 / 4));
        Delayed::<u64>::from_port(Port::of(Layer::build(task).finish(Grid::scalar())))
    };
    let futures: Vec<Future<u64>> = (0..10).map(|_| client.submit(&big())).collect();
    let small = client.map(|x: u64| x, 0..20);
    assert_eq!(gather(futures).unwrap(), [1; 10]);
    assert_eq!(gather(small).unwrap().len(), 20);
    let task = FnTask::new("huge", |_: Place<'_>, _: &mut Inputs<'_>| Ok(Value(1_u64)));
    let task = task.facts(move |_, _| Facts::bytes(8).scratch(limit * 2));
    let huge = Delayed::<u64>::from_port(Port::of(Layer::build(task).finish(Grid::scalar())));
    let error = client.submit(&huge).result().unwrap_err();
    assert!(matches!(*error, Error::MemoryLimit { limit: found, .. } if found == limit), "{error}");
}

#[test]
fn random_graphs_of_futures_always_end() {
    for seed in 0..300 {
        let mut random = Random::new(seed);
        let client = Arc::new(client(1 + random.below(4)));
        let mut futures: Vec<Future<u64>> = Vec::new();
        // What each must give; `None` is an error.
        let mut expected: Vec<Option<u64>> = Vec::new();
        let mut may_be_cancelled: Vec<bool> = Vec::new();
        for _ in 0..30 {
            let n_inputs = random.below(4).min(futures.len());
            let inputs: Vec<usize> = (0..n_inputs).map(|_| random.below(futures.len())).collect();
            let arguments: Vec<_> = inputs.iter().map(|&input| futures[input].to_delayed()).collect();
            let sum = inputs.iter().map(|&input| expected[input]).sum::<Option<u64>>();
            let act = random.below(12);
            let asks = (act == 2 && !futures.is_empty()).then(|| random.below(futures.len()));
            let (asked, inner) = (asks.map(|at| futures[at].clone()), Arc::downgrade(&client));
            let work = move |values: Vec<u64>| match act {
                0 => Err(fail(0).unwrap_err()),
                1 => panic!("scripted"),
                // Asks for another one, and for work that it submits itself.
                2 => {
                    let asked = asked.as_ref().map(|future| future.result().unwrap_or(0));
                    let inner = inner.upgrade().map(|client| gather(client.map(|x: u64| x, 0..3)));
                    let _ = (asked, inner);
                    Ok(values.iter().sum::<u64>() + 1)
                }
                _ => Ok(values.iter().sum::<u64>() + 1),
            };
            let work = delayed(work).fallible().call(arguments);
            let how = Submit::default().priority(random.below(3) as i32);
            futures.push(client.submit_with(&work, how));
            expected.push(if act < 2 { None } else { sum.map(|sum| sum + 1) });
            let touched = inputs.iter().any(|&input| may_be_cancelled[input]);
            may_be_cancelled.push(touched);
            if random.below(20) == 0 {
                let at = random.below(futures.len());
                futures[at].cancel();
                // What stood on it before or stands on it now may be cancelled, too; so may all that is later.
                may_be_cancelled[at..].fill(true);
            }
        }
        for (at, future) in futures.iter().enumerate() {
            let result = future.result();
            match expected[at] {
                Some(value) if !may_be_cancelled[at] => assert_eq!(result.unwrap(), value, "seed {seed}"),
                Some(value) => assert!(result.is_err() || result.unwrap() == value, "seed {seed}"),
                None => assert!(result.is_err(), "seed {seed}"),
            }
        }
    }
}

#[test]
fn handles_that_go_and_cancels_from_elsewhere_leave_nobody_waiting() {
    for seed in 0..200 {
        let mut random = Random::new(seed);
        let client = client(1 + random.below(3));
        let value = Arc::new(());
        let mut futures: Vec<Future<(u64, Arc<()>)>> = Vec::new();
        for number in 0..20 {
            let n_inputs = random.below(3).min(futures.len());
            let inputs =
                (0..n_inputs).map(|_| futures[random.below(futures.len())].to_delayed()).collect::<Vec<_>>();
            let own = Arc::clone(&value);
            let work = move |values: Vec<(u64, Arc<()>)>| {
                (values.iter().map(|value| value.0).sum::<u64>() + number, Arc::clone(&own))
            };
            futures.push(client.submit(&delayed(work).call(inputs)));
        }
        let cancelled: Vec<_> = futures.iter().filter(|_| random.one_in(6)).cloned().collect();
        let dropped = random.below(futures.len());
        std::thread::scope(|scope| {
            scope.spawn(move || cancelled.iter().for_each(Future::cancel));
            let gone = futures.split_off(dropped);
            scope.spawn(move || drop(gone));
            let waited = wait(futures.iter().cloned(), ReturnWhen::All, Some(PATIENCE));
            assert!(waited.pending.is_empty(), "seed {seed}");
        });
        if random.one_in(2) {
            drop(client);
            drop(futures);
        } else {
            drop(futures);
            drop(client);
        }
        assert_eq!(Arc::strong_count(&value), 1, "seed {seed}: nothing is kept");
    }
}
