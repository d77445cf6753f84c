//! Storage: taken over at the last use, released as soon as nobody needs it, held as long as somebody does.

use std::sync::{Arc, Mutex, Weak};

use musher_graph_core::{
    Collection, Delayed, FnTask, Grid, Inputs, Layer, Place, Places, Port, Request, Value, Wiring, delayed,
};
use musher_scheduler::{Compute, Options, persist};
use musher_testkit::{Alive, Drawn, everywhere};

use crate::support::{run, unfused};

/// A chain of tasks that each want to take over the storage of what they read; how often they could.
fn takes_over(readers: usize, threads: usize) -> usize {
    let taken = Arc::new(Mutex::new(0));
    let source = FnTask::new("make", |_: Place<'_>, _: &mut Inputs<'_>| Ok(Value(vec![1_u64; 4])));
    let source = Port::of(Layer::build(source).finish(Grid::from([8])));
    let requests: Vec<Request> = (0..readers)
        .map(|reader| {
            let taken = Arc::clone(&taken);
            let add = move |_: Place<'_>, inputs: &mut Inputs<'_>| {
                let chunk = inputs.take::<Value<Vec<u64>>>(0)?;
                let mut values = match Arc::try_unwrap(chunk) {
                    Ok(own) => {
                        *taken.lock().unwrap() += 1;
                        own.0
                    }
                    Err(shared) => shared.0.clone(),
                };
                values[0] += reader as u64;
                Ok(Value(values))
            };
            let layer = Layer::build(FnTask::new("add", add)).input(&source, Wiring::one_to_one(1));
            Request { port: Port::of(layer.finish(Grid::from([8]))), places: Places::All }
        })
        .collect();
    let chunks = run(&unfused(&requests), threads, None).unwrap();
    for (index, chunk) in chunks.iter().enumerate() {
        assert_eq!(chunk.downcast_ref::<Value<Vec<u64>>>().unwrap().0, [1 + index as u64 / 8, 1, 1, 1]);
    }
    *taken.lock().unwrap()
}

#[test]
fn the_last_reader_takes_the_storage_over() {
    for threads in [0, 1, 2, 8] {
        assert_eq!(takes_over(1, threads), 8, "on {threads} threads: one reader, always");
    }
    for threads in [0, 1] {
        assert_eq!(takes_over(3, threads), 8, "on {threads} threads: of three readers the last one");
    }
    // Two readers at the same time both hold it: then nobody takes it over, and nobody waits for it.
    assert!(takes_over(3, 2) <= 8);
}

#[test]
fn a_value_is_moved_into_its_last_reader_and_cloned_for_the_others() {
    #[derive(Debug)]
    struct Traced(Arc<Mutex<usize>>, u64);
    impl Clone for Traced {
        fn clone(&self) -> Self {
            *self.0.lock().unwrap() += 1;
            Self(Arc::clone(&self.0), self.1)
        }
    }
    for (n_readers, expected) in [(1, 0), (2, 1), (5, 4)] {
        let clones = Arc::new(Mutex::new(0));
        let made = Arc::clone(&clones);
        let traced = delayed(move || Traced(Arc::clone(&made), 7)).call(());
        let readers: Vec<Delayed<u64>> = (0..n_readers)
            .map(|reader: u64| {
                delayed(|traced: Traced, reader: u64| traced.1 + reader).call((traced.clone(), reader))
            })
            .collect();
        let total = delayed(|parts: Vec<u64>| parts.iter().sum::<u64>()).call(readers);
        let sum: u64 = (0..n_readers).map(|reader| 7 + reader).sum();
        assert_eq!(total.compute_with(&Options::sequential()).unwrap(), sum);
        assert_eq!(*clones.lock().unwrap(), expected, "{n_readers} readers");
    }
}

#[test]
fn chunks_die_as_soon_as_nobody_needs_them() {
    // A chain of 50: never more than two links live, on any scheduler.
    let chain =
        Drawn::from((0..50).map(|n: usize| n.checked_sub(1).into_iter().collect()).collect::<Vec<_>>());
    for threads in [0, 1, 2, 8] {
        let alive = Alive::default();
        let plan = unfused(&chain.requests(&alive, &[49]));
        let chunks = run(&plan, threads, None).unwrap();
        assert_eq!((alive.made(), alive.chunks(), alive.peak_bytes()), (50, 1, 2), "on {threads} threads");
        drop(chunks);
        assert_eq!(alive.chunks(), 0);
    }
}

#[test]
fn what_a_failed_run_had_made_is_released() {
    let alive = Alive::default();
    let made = alive.clone();
    let source =
        FnTask::new("make", move |at: Place<'_>, _: &mut Inputs<'_>| Ok(made.chunk(at.index() as u64, 10)));
    let source = Port::of(Layer::build(source).finish(Grid::from([30])));
    let fail = FnTask::new("fail", |at: Place<'_>, _: &mut Inputs<'_>| match at.index() {
        20 => Err(std::fmt::Error.into()),
        _ => Ok(Value(0_u64)),
    });
    let fail = Layer::build(fail).input(&source, Wiring::one_to_one(1)).finish(Grid::from([30]));
    let request = |port: Port| Request { port, places: Places::All };
    for threads in [0, 1, 2, 8] {
        let plan = unfused(&[request(Port::of(fail.clone())), request(source.clone())]);
        run(&plan, threads, None).unwrap_err();
        assert_eq!(alive.chunks(), 0, "on {threads} threads");
    }
}

#[test]
fn the_answer_is_moved_out_where_nobody_else_holds_it() {
    #[derive(Debug)]
    struct Once(u64);
    impl Clone for Once {
        fn clone(&self) -> Self {
            panic!("cloned without need")
        }
    }
    let once = delayed(|| Once(3)).call(());
    for (name, options) in everywhere() {
        assert_eq!(once.compute_with(&options).unwrap().0, 3, "{name}");
    }
}

#[test]
fn persisted_chunks_live_as_long_as_their_handles() {
    let alive = Alive::default();
    let made = alive.clone();
    let source =
        FnTask::new("make", move |at: Place<'_>, _: &mut Inputs<'_>| Ok(made.chunk(at.index() as u64, 10)));
    /// The chunks' values.
    struct Values(Port);
    impl Collection for Values {
        type Output = Vec<u64>;
        fn port(&self) -> &Port {
            &self.0
        }
        fn gather(
            &self,
            chunks: Vec<musher_graph_core::ChunkRef>,
        ) -> Result<Vec<u64>, musher_graph_core::TaskError> {
            let value = |chunk: &musher_graph_core::ChunkRef| {
                chunk.downcast_ref::<musher_testkit::Counted>().unwrap().value
            };
            Ok(chunks.iter().map(value).collect())
        }
        fn with_port(&self, port: Port) -> Self {
            Self(port)
        }
    }
    let values = Values(Port::of(Layer::build(source).finish(Grid::from([5]))));
    let held = values.persist().unwrap();
    assert_eq!((alive.made(), alive.chunks()), (5, 5));
    assert_eq!(held.compute().unwrap(), [0, 1, 2, 3, 4]);
    let (again,) = persist((&held,)).unwrap();
    assert_eq!((alive.made(), alive.chunks()), (5, 5), "what is held is handed out, not made again");
    drop(held);
    assert_eq!(again.compute().unwrap(), [0, 1, 2, 3, 4]);
    drop(again);
    assert_eq!(alive.chunks(), 0);
}

#[test]
fn persisting_forgets_the_producers() {
    let shared = Arc::new(0_u64);
    let weak: Weak<u64> = Arc::downgrade(&shared);
    let source = delayed(move || *shared).call(());
    let next = delayed(|x: u64| x + 1).call(source);
    let held = next.persist().unwrap();
    assert!(weak.upgrade().is_some());
    drop(next);
    assert!(weak.upgrade().is_none(), "the closure of a task that is not needed any more is gone");
    assert_eq!(held.compute().unwrap(), 1);
}
