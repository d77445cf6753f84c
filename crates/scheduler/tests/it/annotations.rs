//! Annotations: retries, resources; and a pool of the user's own.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use musher_graph_core::{
    Annotations, Facts, FnTask, Grid, Inputs, Layer, Place, Places, Port, Request, TaskError, Value,
    annotate, delayed,
};
use musher_scheduler::{Compute, Error, FailedTasks, Options, Run};
use musher_testkit::Trace;

use crate::support::{execute, unfused};

/// A layer of `n` tasks that runs this.
fn layer<F>(n: usize, facts: Facts, run: F) -> Layer
where
    F: Fn(Place<'_>) -> Result<usize, TaskError> + Send + Sync + 'static,
{
    let task = FnTask::new("work", move |at: Place<'_>, _: &mut Inputs<'_>| run(at).map(Value));
    Layer::build(task.facts(move |_, _| facts.clone())).finish(Grid::from([n]))
}

fn all(layer: Layer) -> Vec<Request> {
    vec![Request { port: Port::of(layer), places: Places::All }]
}

/// Fails the first `times` times that it is asked.
fn flaky(times: usize) -> (Arc<AtomicUsize>, impl Fn(Place<'_>) -> Result<usize, TaskError> + Send + Sync) {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let run = move |at: Place<'_>| match counted.fetch_add(1, Ordering::SeqCst) {
        call if call < times => Err(TaskError::new(std::io::Error::other("not yet"))),
        _ => Ok(at.index()),
    };
    (calls, run)
}

#[test]
fn a_panic_is_never_run_again() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let annotated = annotate(Annotations::new().retries(3), || {
        delayed(move || -> u64 {
            counted.fetch_add(1, Ordering::SeqCst);
            panic!("a defect")
        })
        .call(())
    });
    assert!(matches!(annotated.compute(), Err(Error::Panicked { .. })));
    assert_eq!(calls.load(Ordering::SeqCst), 1);
}

#[test]
fn what_reads_files_is_run_again() {
    for threads in [0, 2] {
        let (calls, run) = flaky(2);
        let mut conditions = Run::new(unfused(&all(layer(1, Facts::bytes(8).read(100), run))));
        conditions.retries = 2;
        let trace = Arc::new(Trace::default());
        conditions.observers = vec![trace.clone()];
        execute(&conditions, threads).unwrap();
        assert_eq!((calls.load(Ordering::SeqCst), trace.count("retry work [0]")), (3, 2));
    }
}

#[test]
fn the_last_failure_is_told_and_pure_work_is_not_run_again() {
    let (calls, run) = flaky(5);
    let mut conditions = Run::new(unfused(&all(layer(1, Facts::bytes(8).written(100), run))));
    conditions.retries = 1;
    assert!(execute(&conditions, 0).unwrap_err().to_string().starts_with("work failed"));
    assert_eq!(calls.load(Ordering::SeqCst), 2);
    let (calls, run) = flaky(5);
    let mut conditions = Run::new(unfused(&all(layer(1, Facts::bytes(8), run))));
    conditions.retries = 3;
    assert!(execute(&conditions, 0).is_err());
    assert_eq!(calls.load(Ordering::SeqCst), 1, "it would give the same");
}

#[test]
fn annotated_work_is_run_again_with_its_inputs() {
    let (calls, run) = flaky(3);
    let source = layer(1, Facts::bytes(8), |_| Ok(41));
    let task = FnTask::new("next", move |at: Place<'_>, inputs: &mut Inputs<'_>| {
        let Value(n) = *inputs.take::<Value<usize>>(0)?;
        run(at)?;
        Ok(Value(n + 1))
    });
    let next = annotate(Annotations::new().retries(3), || {
        Layer::build(task)
            .input(&Port::of(source), musher_graph_core::Wiring::one_to_one(1))
            .finish(Grid::from([1]))
    });
    let chunks = execute(&Run::new(unfused(&all(next))), 0).unwrap();
    assert_eq!(chunks[0].downcast_ref::<Value<usize>>().unwrap().0, 42);
    assert_eq!(calls.load(Ordering::SeqCst), 4);
}

#[test]
fn at_most_so_many_hold_a_resource_at_once() {
    for threads in [1, 2, 8] {
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let counts = (Arc::clone(&now), Arc::clone(&most));
        let reader = annotate(Annotations::new().resource("readers", 1), || {
            layer(200, Facts::bytes(8), move |at| {
                counts.1.fetch_max(counts.0.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                std::thread::yield_now();
                counts.0.fetch_sub(1, Ordering::SeqCst);
                Ok(at.index())
            })
        });
        let other = layer(200, Facts::bytes(8), |at| Ok(at.index()));
        let mut requests = all(reader);
        requests.extend(all(other));
        let mut conditions = Run::new(unfused(&requests));
        conditions.resources = vec![("readers".to_owned(), 2)];
        assert_eq!(execute(&conditions, threads).unwrap().len(), 400);
        assert!(most.load(Ordering::SeqCst) <= 2);
    }
}

#[test]
fn a_resource_that_is_not_there_is_refused_before_anything_runs() {
    let (calls, run) = flaky(0);
    let work = annotate(Annotations::new().resource("gpu", 3), || layer(5, Facts::bytes(8), run));
    let caller = work.caller();
    let mut conditions = Run::new(unfused(&all(work)));
    conditions.resources = vec![("gpu".to_owned(), 2)];
    let error = execute(&conditions, 2).unwrap_err();
    assert!(matches!(error, Error::Resource { wanted: 3, capacity: 2, .. }));
    assert_eq!(
        error.to_string(),
        format!(
            "work (built at {caller}) wants 3 of the resource \"gpu\", and the run has 2; say how many there are by \
             `Options::resource`"
        )
    );
    assert_eq!(calls.load(Ordering::SeqCst), 0);
}

#[test]
fn a_pool_of_one_s_own_runs_the_tasks() {
    let pool =
        rayon::ThreadPoolBuilder::new().num_threads(2).thread_name(|index| format!("own-{index}")).build();
    let pool = Arc::new(pool.unwrap());
    let name = delayed(|| std::thread::current().name().map(str::to_owned)).impure();
    let names: Vec<_> = (0..20).map(|_| name.call(())).collect();
    let collections: &[_] = &names;
    let found = musher_scheduler::compute_with(collections, &Options::default().pool(pool)).unwrap();
    assert!(
        found.iter().all(|name| name.as_deref().is_some_and(|name| name.starts_with("own-"))),
        "{found:?}"
    );
    assert!(names[0].compute_with(&Options::sequential()).is_ok());
}

#[test]
fn a_failed_task_is_run_again_alone_with_its_inputs() {
    fn half(x: u64) -> Result<u64, std::num::ParseIntError> {
        if x.is_multiple_of(2) { Ok(x / 2) } else { "odd".parse() }
    }
    fn inc(x: u64) -> u64 {
        x + 1
    }
    for threads in [1, 3] {
        let failed = FailedTasks::default();
        let inputs: Vec<_> = (0..20).map(|x| delayed(inc).call(2 * x + u64::from(x != 7))).collect();
        let calls: Vec<_> = inputs.iter().map(|input| delayed(half).fallible().call(input)).collect();
        let options = Options::default().threads(threads).keep_failed(&failed);
        let all: &[_] = &calls;
        assert!(musher_scheduler::compute_with(all, &options).is_err());
        let mut tasks = failed.take();
        assert_eq!(tasks.len(), 1);
        let task = tasks.remove(0);
        // Two calls fused into a line are one task, whose failure names the step.
        assert!(task.operation().ends_with("half") && task.place().is_empty(), "{task:?}");
        assert_eq!(task.inputs().count(), 0);
        assert_eq!(task.run().unwrap_err().to_string().split(" failed").next(), Some("half"));
        assert!(failed.take().is_empty());
    }
}

#[test]
fn urgent_work_and_what_it_needs_goes_first() {
    let ran = Arc::new(std::sync::Mutex::new(Vec::new()));
    let noted = |name: &'static str| {
        let ran = Arc::clone(&ran);
        FnTask::new(name, move |_: Place<'_>, _: &mut Inputs<'_>| {
            ran.lock().unwrap().push(name);
            Ok(Value(0_u8))
        })
    };
    let over = |name, source: &Layer| {
        let input = Port::of(source.clone());
        Layer::build(noted(name)).input(&input, musher_graph_core::Wiring::axes([])).finish(Grid::scalar())
    };
    let (first, second, third) =
        (Layer::build(noted("a")), Layer::build(noted("b")), Layer::build(noted("c")));
    let [a, b, c] = [first, second, third].map(|layer| layer.finish(Grid::scalar()));
    let usual = over("of a", &a);
    let urgent = annotate(Annotations::new().priority(5), || over("of b", &b));
    let later = annotate(Annotations::new().priority(-1), || over("of c", &c));
    let requests: Vec<_> = [later, usual, urgent].into_iter().flat_map(all).collect();
    execute(&Run::new(unfused(&requests)), 0).unwrap();
    assert_eq!(*ran.lock().unwrap(), ["b", "of b", "a", "of a", "c", "of c"]);
}
