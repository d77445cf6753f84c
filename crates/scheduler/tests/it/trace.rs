//! What ran, in which order: the trace is the assertion.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use musher_graph_core::{Grid, Layer, Places, Port, Request, Wiring};
use musher_scheduler::{Event, Observer, Options, Run, Scheduler, Sequential, Threaded, compute_with};
use musher_testkit::{Act, Alive, Drawn, Scripted, Trace, everywhere};

use crate::support::{execute, unfused};

/// Runs a drawn graph, not optimized, and gives back its trace.
fn traced(drawn: &Drawn, outputs: &[usize], threads: usize) -> Arc<Trace> {
    let plan = unfused(&drawn.requests(&Alive::default(), outputs));
    let trace = Arc::new(Trace::default());
    let mut run = Run::new(plan);
    run.observers = vec![trace.clone()];
    execute(&run, threads).unwrap();
    trace
}

#[test]
fn a_tree_runs_branch_by_branch() {
    //       4
    //     /   \
    //    2     3
    //    |     |
    //    0     1
    let mut drawn = Drawn::new(&[&[], &[], &[0], &[1], &[2, 3]]);
    drawn.bytes = vec![500, 500, 5, 5, 5];
    let expected = "\
run 5 tasks
start t0 []
finish t0 [], 500 bytes
start t2 []
finish t2 [], 5 bytes
start t1 []
finish t1 [], 500 bytes
start t3 []
finish t3 [], 5 bytes
start t4 []
finish t4 [], 5 bytes
end well
";
    assert_eq!(traced(&drawn, &[4], 0).text(), expected);
    assert_eq!(traced(&drawn, &[4], 1).text(), expected, "one thread keeps to the order");
    for threads in [2, 3, 8] {
        assert_eq!(traced(&drawn, &[4], threads).sorted(), traced(&drawn, &[4], 0).sorted());
    }
}

#[test]
fn what_is_not_needed_does_not_run() {
    // 0 ── 1      2 ── 3, of which 3 is not asked for
    let drawn = Drawn::new(&[&[], &[0], &[], &[2]]);
    let trace = traced(&drawn, &[1, 2], 0);
    assert_eq!(trace.count("start"), 3);
    assert_eq!(trace.count("start t3"), 0);
}

#[test]
fn a_failure_ends_the_run_and_is_told() {
    let grid = Grid::from([3]);
    let load = Layer::build(Scripted::new("load").at(1, Act::Fail)).finish(grid.clone());
    let save =
        Layer::build(Scripted::new("save")).input(&Port::of(load), Wiring::All).finish(Grid::from([1]));
    let plan = unfused(&[Request { port: Port::of(save), places: Places::All }]);
    let trace = Arc::new(Trace::default());
    let mut run = Run::new(plan);
    run.observers = vec![trace.clone()];
    let expected = "\
run 4 tasks
start load [0]
finish load [0], 8 bytes
start load [1]
fail load [1]
end badly
";
    Sequential.run(&run).unwrap_err();
    assert_eq!(trace.text(), expected);
    Threaded::new(std::num::NonZeroUsize::new(2)).run(&run).unwrap_err();
    assert_eq!(
        (trace.count("end badly"), trace.count("fail load [1]"), trace.count("start save")),
        (2, 2, 0)
    );
}

/// Counts events by kind.
#[derive(Default)]
struct Count([AtomicUsize; 6]);

impl Observer for Count {
    fn event(&self, event: Event<'_>) {
        let kind = match event {
            Event::RunStarted { .. } => 0,
            Event::TaskStarted { .. } => 1,
            Event::TaskFinished { .. } => 2,
            Event::TaskFailed { .. } => 3,
            Event::RunFinished { .. } => 4,
            Event::TaskRetried { .. }
            | Event::Continued { .. }
            | Event::ChunkSpilled { .. }
            | Event::ChunkLoaded { .. }
            | Event::Stalled { .. } => 5,
        };
        self.0[kind].fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn every_observer_sees_every_event_once() {
    let drawn = Drawn::from(
        (0..500).map(|n| if n < 100 { vec![] } else { vec![n - 100, n / 2] }).collect::<Vec<_>>(),
    );
    let plan = unfused(&drawn.requests(&Alive::default(), &drawn.sinks()));
    let n = plan.tasks().n_tasks();
    for threads in [0, 1, 2, 3, 8] {
        let counts = [Arc::new(Count::default()), Arc::new(Count::default())];
        let mut run = Run::new(plan.clone());
        run.observers = counts.iter().map(|count| Arc::clone(count) as _).collect();
        execute(&run, threads).unwrap();
        for count in counts {
            assert_eq!(count.0.each_ref().map(|n| n.load(Ordering::SeqCst)), [1, n, n, 0, 1, 0]);
        }
    }
}

#[test]
fn a_plan_without_tasks_starts_and_ends() {
    for (name, options) in everywhere() {
        let trace = Arc::new(Trace::default());
        let nothing: &[musher_graph_core::Delayed<i64>] = &[];
        assert_eq!(compute_with(nothing, &options.observe(trace.clone())).unwrap(), [0; 0]);
        assert_eq!(trace.text(), "run 0 tasks\nend well\n", "{name}");
    }
    let trace = Arc::new(Trace::default());
    let _ = Options::default().observe(trace);
}

#[test]
fn workers_are_numbered_from_zero() {
    struct Workers(AtomicUsize);
    impl Observer for Workers {
        fn event(&self, event: Event<'_>) {
            if let Event::TaskStarted { worker, .. } = event {
                self.0.fetch_max(worker, Ordering::SeqCst);
            }
        }
    }
    let drawn = Drawn::from(vec![vec![]; 400]);
    let plan = unfused(&drawn.requests(&Alive::default(), &drawn.sinks()));
    for threads in 1..4 {
        let workers = Arc::new(Workers(AtomicUsize::new(0)));
        let mut run = Run::new(plan.clone());
        run.observers = vec![workers.clone()];
        Threaded::new(std::num::NonZeroUsize::new(threads)).run(&run).unwrap();
        assert!(workers.0.load(Ordering::SeqCst) < threads);
    }
}
