//! Stories, recordings and replays: what happened can be told, and done again.

use std::sync::Arc;

use musher_graph_core::{Grid, Layer, NotAnOrder, Places, Port, Request, TaskError, TaskIx, Wiring, delayed};
use musher_scheduler::{
    Client, Compute, Error, EventLog, Observer, Options, Recorder, Recording, Replay, ReplayError, Run,
    Scheduler, Sequential, TaskTransition, Threaded, TransitionKind, gather, rerun,
};
use musher_testkit::{Act, Alive, Drawn, Random, Scripted, Trace};

use crate::support::{execute, messages, unfused};

/// Eight parts and their sum; the script is that of the parts.
fn parts(task: Scripted) -> Request {
    let layer = Port::of(Layer::build(task).finish(Grid::from([8])));
    let sum = Layer::build(Scripted::new("sum")).input(&layer, Wiring::All).finish(Grid::scalar());
    Request { port: Port::of(sum), places: Places::All }
}

fn observe(request: &Request, threads: usize, observer: Arc<dyn Observer>) -> Result<(), Error> {
    let plan = unfused(std::slice::from_ref(request));
    let mut run = Run::new(plan);
    run.observers = vec![observer];
    execute(&run, threads).map(|_| ())
}

#[test]
fn an_event_log_keeps_the_last_transitions_and_every_failure() {
    let log = Arc::new(EventLog::new(4));
    let failing = Scripted::new("part").at(2, Act::Fail).at(5, Act::Panic("no"));
    observe(&parts(failing), 0, log.clone()).unwrap_err();
    observe(&parts(Scripted::new("part")), 0, log.clone()).unwrap();
    let last = log.transitions();
    assert_eq!(last.len(), 4);
    assert!(matches!(last[3].kind, TransitionKind::RunFinished { success: true, .. }) && last[3].run == 2);
    assert!(last.is_sorted_by_key(|transition| transition.at));
    let failures = log.failures();
    let [failure] = failures.as_slice() else { panic!("{failures:?}") };
    let TransitionKind::Task { task, outcome: TaskTransition::Failed { .. } } = &failure.kind else {
        panic!("{failure:?}")
    };
    assert_eq!((&*task.operation, task.place.as_slice(), failure.run), ("part", [2].as_slice(), 1));
    let text = log.text();
    let lines: Vec<_> = text.lines().collect();
    assert!(
        lines[0].starts_with("failure: ") && lines[0].contains("worker 0  part [2] failed (built at "),
        "{text}"
    );
    assert_eq!(lines[1], "… 24 earlier transitions", "{text}");
    assert!(lines[5].contains("run 2  ends well"), "{text}");
}

#[test]
fn an_event_log_is_dumped_as_json() {
    let log = Arc::new(EventLog::new(100));
    observe(&parts(Scripted::new("a \"part\"").at(7, Act::Fail)), 0, log.clone()).unwrap_err();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.json");
    log.dump(&path).unwrap();
    let read: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert_eq!(read["forgotten"], 0);
    assert_eq!(read["transitions"].as_array().unwrap().len(), log.transitions().len());
    assert_eq!(read["transitions"][0]["tasks"], 9);
    assert_eq!(read["failures"][0]["operation"], "a \"part\"");
    assert_eq!(read["failures"][0]["place"], serde_json::json!([7]));
    assert_eq!(read["failures"][0]["kind"], "failed");
}

#[test]
fn a_dump_is_bounded_and_holds_no_values() {
    // Labels as long as a log, a message as long as the data, and more transitions than fit.
    let (long, value) = ("long ".repeat(200), 123_456_789.25_f64);
    let says = move || -> Result<(), TaskError> {
        Err(TaskError::new(std::io::Error::other(format!("{value:?} ").repeat(1 << 20))))
    };
    let log = Arc::new(EventLog::new(50_000));
    for seed in 0..10 {
        let task = Scripted::new(format!("{long}{seed}")).at(6000, Act::Try(Arc::new(says)));
        let layer = Layer::build(task).finish(Grid::from([10_000]));
        let request = Request { port: Port::of(layer), places: Places::All };
        observe(&request, seed % 3, log.clone()).unwrap_err();
    }
    assert!(log.transitions().len() > 40_000);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.json");
    log.dump(&path).unwrap();
    let text = std::fs::read_to_string(path).unwrap();
    assert!((5 << 20..=10 << 20).contains(&text.len()), "{} bytes", text.len());
    let read: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(read["failures"].as_array().unwrap().len(), 10);
    let kept = read["transitions"].as_array().unwrap();
    assert_eq!(kept.last().unwrap()["kind"], "run finished", "the last ones are kept");
    let forgotten = read["forgotten"].as_u64().unwrap() as usize;
    assert!(forgotten + kept.len() >= log.transitions().len());
    // Ten failures, each told among the failures and perhaps among the transitions, each cut.
    assert!(text.matches("123456789").count() <= 20 * 1000 / 13);
}

#[test]
fn an_event_log_tells_runs_at_once_apart() {
    let log = Arc::new(EventLog::new(10_000));
    let client = Client::new(Options::default().threads(3).observe(log.clone())).unwrap();
    gather(client.map(|x: u64| x + 1, 0..100)).unwrap();
    drop(client);
    let transitions = log.transitions();
    assert_eq!(transitions.len(), 400);
    for run in 1..=100 {
        let own = transitions.iter().filter(|transition| transition.run == run);
        assert_eq!(own.count(), 4, "run {run}: begin, start, finish, end");
    }
}

#[test]
fn a_recorded_order_is_replayed_exactly() {
    for seed in 0..60 {
        let mut random = Random::new(seed);
        let drawn = Drawn::random(&mut random, 40);
        let plan = unfused(&drawn.requests(&Alive::default(), &drawn.sinks()));
        let recorder = Arc::new(Recorder::default());
        let mut run = Run::new(plan);
        run.observers = vec![recorder.clone()];
        let n = Threaded::new(std::num::NonZeroUsize::new(3)).run(&run).unwrap().len();
        let recording = recorder.recording();
        assert!((1..=3).contains(&recording.most_at_once()), "seed {seed}");
        assert_eq!(Replay::new(recording.clone()).run(&run).unwrap().len(), n);
        // The replay was recorded, too: in sequence, in the same order.
        let replayed = recorder.recording();
        assert!(replayed.starts().eq(recording.starts()), "seed {seed}");
        assert_eq!(replayed.most_at_once(), 1);
    }
}

#[test]
fn a_replay_gives_the_same_bits_and_frees_what_it_needs_no_more() {
    let parts: Vec<_> = (0..50).map(|x| delayed(|x: u32| f64::from(x).sqrt()).call(x)).collect();
    let sum = delayed(|parts: Vec<f64>| parts.iter().sum::<f64>()).call(parts);
    let recorder = Arc::new(Recorder::default());
    let value = sum.compute_with(&Options::default().threads(4).observe(recorder.clone())).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("recording.json");
    recorder.recording().save(&path).unwrap();
    let recording = Recording::load(&path).unwrap();
    assert_eq!(recording, recorder.recording());
    let again = Replay::new(recording).compute(&sum, &Options::default()).unwrap();
    assert_eq!(value.to_bits(), again.to_bits());

    // A chain of five chunks, of which two are alive at a time.
    let drawn = Drawn::new(&[&[], &[0], &[1], &[2], &[3]]);
    let peak = |scheduler: &dyn Scheduler| {
        let alive = Alive::default();
        let plan = unfused(&drawn.requests(&alive, &[4]));
        let mut run = Run::new(plan);
        run.observers = vec![recorder.clone()];
        drop(scheduler.run(&run).unwrap());
        assert_eq!(alive.bytes(), 0);
        alive.peak_bytes()
    };
    let in_sequence = peak(&Sequential);
    assert_eq!(peak(&Replay::new(recorder.recording())), in_sequence);
}

#[test]
fn a_failed_run_fails_again_at_the_same_task() {
    let request = parts(Scripted::new("part").at(3, Act::Fail));
    let recorder = Arc::new(Recorder::default());
    let first = observe(&request, 2, recorder.clone()).unwrap_err();
    let plan = unfused(std::slice::from_ref(&request));
    let trace = Arc::new(Trace::default());
    let observers: [Arc<dyn Observer>; 1] = [trace.clone()];
    let mut run = Run::new(plan.clone());
    run.observers = observers.to_vec();
    let again = Replay::new(recorder.recording()).run(&run).unwrap_err();
    assert_eq!(messages(&again), messages(&first));
    assert_eq!(trace.count("end badly"), 1);
}

#[test]
fn what_does_not_fit_is_not_replayed() {
    let (one, other) = (parts(Scripted::new("part")), parts(Scripted::new("other")));
    let recorder = Arc::new(Recorder::default());
    observe(&one, 0, recorder.clone()).unwrap();
    let replayed = |recording: Recording, request: &Request| {
        let plan = unfused(std::slice::from_ref(request));
        let run = Run::new(plan);
        match Replay::new(recording).run(&run).map(|chunks| chunks.len()) {
            Err(Error::Replay(error)) => Err(error),
            result => Ok(result.unwrap()),
        }
    };
    assert_eq!(replayed(recorder.recording(), &one).unwrap(), 1);
    let error = replayed(recorder.recording(), &other).unwrap_err();
    assert!(matches!(error, ReplayError::OtherPlan { .. }), "{error}");
    // An order that was tampered with: the sum comes first, or a task twice.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("recording.json");
    recorder.recording().save(&path).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let tampered = |from: &str, to: &str| {
        std::fs::write(&path, text.replace(from, to)).unwrap();
        replayed(Recording::load(&path).unwrap(), &one).unwrap_err()
    };
    let error = tampered("\"steps\":[", "\"steps\":[{\"Started\":8},");
    assert!(
        matches!(error, ReplayError::NotAnOrder(NotAnOrder::TooEarly { task: TaskIx(8), input: TaskIx(0) })),
        "{error}"
    );
    let error = tampered("{\"Started\":5}", "{\"Started\":4}");
    assert!(matches!(error, ReplayError::NotAnOrder(NotAnOrder::Twice { task: TaskIx(4) })), "{error}");
    let error = tampered("{\"Started\":5}", "{\"Started\":99}");
    assert!(matches!(error, ReplayError::NotAnOrder(NotAnOrder::Twice { task: TaskIx(99) })), "{error}");
    std::fs::write(&path, "{").unwrap();
    assert!(Recording::load(&path).is_err());
}

#[test]
fn the_task_that_failed_is_run_again_alone() {
    let load = delayed(|x: u64| x + 1).label("load");
    let check = delayed(|x: u64| if x == 3 { panic!("three") } else { x }).label("check");
    let checked: Vec<_> = (0..5).map(|x| check.call(load.call(x))).collect();
    let sum = delayed(|all: Vec<u64>| all.iter().sum::<u64>()).label("sum").call(checked);
    let error = sum.compute().unwrap_err();
    let trace = Arc::new(Trace::default());
    let options = Options::sequential().observe(trace.clone());
    let again = rerun(&sum, &error, &options).unwrap_err();
    assert_eq!(again.to_string(), error.to_string());
    assert_eq!(trace.count("start sum"), 0, "only what it stands on");
    let other = delayed(|| 1_u64).call(());
    let error = rerun(&other, &error, &options).unwrap_err();
    assert!(matches!(error, Error::Replay(ReplayError::NotFound { .. })), "{error}");
    let cancelled = Error::Cancelled { finished: 0, n_tasks: 1 };
    let error = rerun(&sum, &cancelled, &options).unwrap_err();
    assert!(matches!(error, Error::Replay(ReplayError::NoTask)), "{error}");
}
