//! Chunks that leave memory and come back: the same values below any limit, nothing left behind.

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use musher_graph_core::{Delayed, Kept, Problem, SpillStore, SpillWriter, TaskError, delayed};
use musher_scheduler::{
    Compute, Error, Event, EventLog, Observer, Options, Run, Settings, SpillDir, SpillOptions, Spilling,
};
use musher_testkit::{
    Alive, Counted, Drawn, FaultyStore, Random, ReadFault, Staging, WriteFault, least_with_disk,
};

use crate::support::{execute, messages, unfused};

/// What a run spilled and loaded, and its peak on the ledger.
#[derive(Default)]
struct Moved(Mutex<(u64, u64, u64)>);

impl Observer for Moved {
    fn event(&self, event: Event<'_>) {
        let mut moved = self.0.lock().unwrap();
        match event {
            Event::ChunkSpilled { bytes, .. } => moved.0 += bytes,
            Event::ChunkLoaded { bytes, .. } => moved.1 += bytes,
            Event::RunFinished { peak_bytes, .. } => moved.2 = peak_bytes,
            _ => {}
        }
    }
}

/// A random graph whose chunks are large enough to be worth a way to the disk.
fn large(random: &mut Random, most: usize) -> Drawn {
    let mut drawn = Drawn::random(random, most);
    drawn.bytes.iter_mut().for_each(|bytes| *bytes = *bytes * 256 + 4096);
    drawn
}

fn values(chunks: &[musher_graph_core::ChunkRef]) -> Vec<u64> {
    chunks.iter().map(|chunk| chunk.downcast_ref::<Counted>().unwrap().value).collect()
}

#[test]
fn random_graphs_below_their_sequential_peak_give_the_same_values() {
    let mut random = Random::new(31);
    let (mut spilled, mut loaded) = (0, 0);
    let base = tempfile::tempdir().unwrap();
    for round in 0..400 {
        let drawn = large(&mut random, 60);
        let outputs = drawn.sinks();
        let expected: Vec<u64> = outputs.iter().map(|&output| drawn.values()[output]).collect();
        let alive = Alive::default();
        let plan = unfused(&drawn.requests(&alive, &outputs));
        let least = least_with_disk(&plan);
        let most = plan.order().peak_bytes(plan.tasks()) + plan.tasks().table_bytes() as u64;
        // From the least that can do to what needs no disk.
        let limit = least + most.saturating_sub(least) * random.below(4) as u64 / 4;
        let disk = Arc::new(SpillDir::new(SpillOptions::default().base(base.path())));
        let moved = Arc::new(Moved::default());
        let mut run = Run::new(Arc::clone(&plan));
        run.memory_limit = Some(limit.into());
        run.spill_store = Some(Arc::clone(&disk) as Arc<dyn SpillStore>);
        run.observers = vec![moved.clone()];
        let threads = random.below(5);
        let chunks = execute(&run, threads);
        let chunks = chunks.unwrap_or_else(|error| panic!("round {round}: {}", messages(&error).join(": ")));
        assert_eq!(values(&chunks), expected, "round {round}");
        drop(chunks);
        let (out, back, peak) = *moved.0.lock().unwrap();
        assert!(peak <= limit, "round {round}: {peak} bytes on the ledger, the limit is {limit}");
        let tables = plan.tasks().table_bytes() as u64;
        assert!(alive.peak_bytes() + tables <= limit, "round {round}: {} of chunks", alive.peak_bytes());
        assert_eq!(alive.chunks(), 0, "round {round}");
        assert_eq!((disk.counts().parcels, disk.counts().stored), (0, 0), "round {round}");
        drop(run);
        spilled += out;
        loaded += back;
    }
    assert!(spilled > 0 && loaded > 0, "{spilled} bytes out, {loaded} back");
}

#[test]
fn what_does_not_fit_even_alone_is_refused() {
    let mut random = Random::new(32);
    for _ in 0..100 {
        let drawn = large(&mut random, 30);
        let alive = Alive::default();
        let plan = unfused(&drawn.requests(&alive, &drawn.sinks()));
        let least = least_with_disk(&plan);
        let mut run = Run::new(plan);
        run.memory_limit = Some((least - 1).into());
        run.spill_store = Some(Arc::new(SpillDir::new(SpillOptions::default())));
        let error = execute(&run, 2).unwrap_err();
        assert!(matches!(error, Error::MemoryLimit { need, .. } if need == least), "{error}");
        assert_eq!(alive.made(), 0);
    }
}

/// Sixty chunks of 64 KiB that are read once when they are made and once in a second pass, in the same order.
pub(crate) fn two_passes() -> Drawn {
    //  0 ── 1 ── 2 ── 3 ── …     large, small, large, small: each small one reads the large one and the small one before
    let mut reads: Vec<Vec<usize>> = vec![vec![], vec![0]];
    for large in (2..120).step_by(2) {
        reads.push(vec![large - 1]);
        reads.push(vec![large - 1, large]);
    }
    for large in (0..120).step_by(2) {
        reads.push(vec![large, reads.len() - 1]);
    }
    let mut drawn = Drawn::from(reads);
    drawn.bytes.fill(8);
    drawn.bytes[..120].iter_mut().step_by(2).for_each(|bytes| *bytes = 64 << 10);
    drawn
}

fn two_passes_on(store: Arc<dyn SpillStore>, threads: usize, moved: &Arc<Moved>) -> Result<u64, Error> {
    let drawn = two_passes();
    let plan = unfused(&drawn.requests(&Alive::default(), &drawn.sinks()));
    let limit = plan.tasks().table_bytes() as u64 + 15 * (64 << 10);
    let mut run = Run::new(plan);
    run.memory_limit = Some(limit.into());
    run.spill_store = Some(store);
    run.observers = vec![moved.clone()];
    Ok(values(&execute(&run, threads)?)[0])
}

#[test]
fn the_chunk_needed_last_leaves_first() {
    let disk = Arc::new(SpillDir::new(SpillOptions::default()));
    let moved = Arc::new(Moved::default());
    let drawn = two_passes();
    let expected = drawn.values()[drawn.reads.len() - 1];
    assert_eq!(two_passes_on(disk, 0, &moved).unwrap(), expected);
    let (out, back, _) = *moved.0.lock().unwrap();
    // No more than 14 of 60 can stay through the first pass; least recently used would bring all 60 back.
    assert_eq!((out >> 16, back >> 16), (46, 46));
}

#[test]
fn a_disk_that_fails_ends_the_run_with_its_error() {
    let expected = {
        let drawn = two_passes();
        drawn.values()[drawn.reads.len() - 1]
    };
    for threads in [0, 1, 3] {
        for at in [0, 1, 2, 3, 20, 77] {
            for fault in [WriteFault::Full, WriteFault::Device, WriteFault::Yield] {
                let disk = SpillDir::new(SpillOptions::default());
                let store = Arc::new(FaultyStore::new(disk).on_write(at, fault));
                let outcome = two_passes_on(store.clone(), threads, &Arc::default());
                match outcome {
                    Ok(value) => assert_eq!((value, fault), (expected, WriteFault::Yield)),
                    Err(error) => {
                        assert!(matches!(error, Error::Spill { doing: Spilling::Writing, .. }), "{error}");
                        assert_ne!(fault, WriteFault::Yield);
                    }
                }
                assert_eq!(store.store().counts().parcels, 0);
            }
            for fault in [ReadFault::Device, ReadFault::Flip, ReadFault::Yield] {
                let disk = SpillDir::new(SpillOptions::default());
                let store = Arc::new(FaultyStore::new(disk).on_read(at, fault));
                match two_passes_on(store.clone(), threads, &Arc::default()) {
                    Ok(value) => assert_eq!((value, fault), (expected, ReadFault::Yield)),
                    Err(error) => {
                        assert!(matches!(error, Error::Spill { doing: Spilling::Reading, .. }), "{error}")
                    }
                }
                assert_eq!(store.store().counts().parcels, 0);
            }
        }
    }
}

#[test]
fn a_full_disk_budget_names_folder_need_and_setting() {
    let disk = Arc::new(SpillDir::new(SpillOptions::default().limit(1000)));
    // The chunks of the test kit are small on the disk: 24 bytes each.
    let error = two_passes_on(disk, 2, &Arc::default()).unwrap_err();
    let text = crate::support::messages(&error).join(": ");
    assert!(
        text.contains("spill_limit") && text.contains(&std::env::temp_dir().display().to_string()),
        "{text}"
    );
}

#[test]
fn what_will_be_spilled_is_told_before() {
    //  a ─── b ─── c        a is needed again by d, and does not fit beside b and c
    //   \___________\_ d
    fn large(seed: u64) -> [u64; 8192] {
        [seed; 8192]
    }
    fn mixed(a: [u64; 8192], b: [u64; 8192]) -> [u64; 8192] {
        std::array::from_fn(|index| a[index] ^ b[index])
    }
    let (a, b) = (delayed(large).call(1), delayed(large).call(2));
    let c = delayed(mixed).call((&b, &a));
    let d = delayed(mixed).call((&a, &delayed(mixed).call((&c, &b))));
    let limit = |kib: u64| Options::sequential().memory_limit(kib << 10);
    let forecast = d.explain_with(&limit(200)).unwrap().to_string();
    assert!(forecast.contains("spill"), "{forecast}");
    assert!(d.check_with(&limit(1000)).unwrap().is_empty());
    // A folder that is memory is no place to spill to.
    for dir in ["/dev/shm", "/proc"] {
        let mut settings = Settings::default();
        settings.spill_dir = dir.into();
        let is_memory = SpillDir::new(SpillOptions::default().base(dir)).lies_in_memory();
        let told = |kib| {
            let problems = settings.clone().scoped(|| d.check_with(&limit(kib)).unwrap());
            let mut told = problems.iter().filter(|problem| matches!(problem, Problem::SpillInMemory { .. }));
            told.any(|problem| problem.to_string().contains(dir))
        };
        assert_eq!((told(200), told(1000)), (is_memory, false), "{dir}");
    }
    let problems = d.check_with(&limit(100)).unwrap();
    assert!(problems[0].to_string().contains("mixed (built at "), "{}", problems[0]);
    assert!(matches!(d.compute_with(&limit(100)), Err(Error::MemoryLimit { .. })));
}

/// Panics at events of one kind.
struct Panics(fn(&Event<'_>) -> bool);

impl Observer for Panics {
    fn event(&self, event: Event<'_>) {
        assert!(!self.0(&event), "an observer");
    }
}

#[test]
fn a_panic_of_an_observer_is_the_error_of_the_run_whatever_it_saw() {
    let kinds: [fn(&Event<'_>) -> bool; 6] = [
        |event| matches!(event, Event::RunStarted { .. }),
        |event| matches!(event, Event::TaskStarted { .. }),
        |event| matches!(event, Event::TaskFinished { .. }),
        |event| matches!(event, Event::ChunkSpilled { .. }),
        |event| matches!(event, Event::ChunkLoaded { .. }),
        |event| matches!(event, Event::RunFinished { .. }),
    ];
    let drawn = two_passes();
    for round in 0..60 {
        let alive = Alive::default();
        let plan = unfused(&drawn.requests(&alive, &drawn.sinks()));
        let disk = Arc::new(SpillDir::new(SpillOptions::default()));
        let mut run = Run::new(Arc::clone(&plan));
        run.memory_limit = Some((plan.tasks().table_bytes() as u64 + ((15 * 64) << 10)).into());
        run.spill_store = Some(Arc::clone(&disk) as Arc<dyn SpillStore>);
        run.observers = vec![Arc::new(Panics(kinds[round % kinds.len()]))];
        let error = execute(&run, round / kinds.len() % 4).unwrap_err();
        let is_named = matches!(&error, Error::ObserverPanicked { message } if message == "an observer");
        assert!(is_named, "round {round}: {error}");
        drop(run);
        assert_eq!((alive.chunks(), disk.counts().parcels), (0, 0), "round {round}");
    }
}

/// A disk that hangs, at its first write, until somebody has been told of it.
#[derive(Debug)]
struct Hangs {
    disk: SpillDir,
    told: (Mutex<bool>, Condvar),
}

impl SpillStore for Hangs {
    fn keep(&self, bytes: u64, together: u64) -> Option<Kept> {
        self.disk.keep(bytes, together)
    }

    fn parcel(&self) -> Result<Box<dyn SpillWriter>, TaskError> {
        let mut told = self.told.0.lock().unwrap();
        while !*told {
            told = self.told.1.wait(told).unwrap();
        }
        self.disk.parcel()
    }
}

struct Told(Arc<Hangs>);

impl Observer for Told {
    fn event(&self, event: Event<'_>) {
        if let Event::Stalled { moving, .. } = event {
            assert!(moving > 0);
            *self.0.told.0.lock().unwrap() = true;
            self.0.told.1.notify_all();
        }
    }
}

#[test]
fn observers_are_told_of_a_disk_that_hangs_and_the_run_goes_on_when_it_comes_back() {
    let drawn = two_passes();
    let plan = unfused(&drawn.requests(&Alive::default(), &drawn.sinks()));
    let told = (Mutex::new(false), Condvar::new());
    let disk = Arc::new(Hangs { disk: SpillDir::new(SpillOptions::default()), told });
    let log = Arc::new(EventLog::new(10_000));
    let mut run = Run::new(Arc::clone(&plan));
    run.memory_limit = Some((plan.tasks().table_bytes() as u64 + ((15 * 64) << 10)).into());
    run.spill_store = Some(Arc::clone(&disk) as Arc<dyn SpillStore>);
    run.observers = vec![Arc::new(Told(Arc::clone(&disk))), log.clone()];
    run.stall_after = Duration::from_millis(1);
    let chunks = execute(&run, 2).unwrap();
    assert_eq!(values(&chunks)[0], drawn.values()[drawn.reads.len() - 1]);
    assert!(log.text().contains("chunks on their way"), "{}", log.text());
}

/// What is made is read for what all come to, and again when that is known: all of it waits for that.
fn read_twice<T: Clone + Send + Sync + 'static>(make: fn(u64) -> T, digest: fn(&T) -> u64) -> Delayed<u64> {
    let made: Vec<Delayed<T>> = (0..64).map(|n| delayed(make).call(n)).collect();
    let sum = |all: &Vec<u64>| all.iter().fold(0_u64, |sum, one| sum.wrapping_mul(31).wrapping_add(*one));
    let first: Vec<Delayed<u64>> =
        made.iter().map(|one| delayed(move |one: &T| digest(one)).call(one)).collect();
    let first = delayed(sum).call(first);
    let second =
        made.iter().map(|one| delayed(move |one: &T, all: u64| digest(one) ^ all).call((one, &first)));
    delayed(sum).call(second.collect::<Vec<_>>())
}

#[test]
fn delayed_texts_and_vectors_spill_under_an_eighth_of_them() {
    let texts = read_twice(|n| n.to_string().repeat(32_768), |text| text.bytes().map(u64::from).sum());
    let vectors = read_twice(|n| vec![n as f64; 8192], |vector| vector.iter().sum::<f64>() as u64);
    let pairs = read_twice(
        |n| (0..1024).map(|i| (format!("{i:16}"), n)).collect::<Vec<(String, u64)>>(),
        |pairs| pairs.iter().map(|pair| pair.1).sum(),
    );
    for value in [texts, vectors, pairs] {
        let expected = value.compute().unwrap();
        for threads in [1, 2] {
            let disk = Arc::new(Staging::new(0));
            let limit = 64 * (48 << 10) / 8;
            let options = Options::default().threads(threads).memory_limit(limit).spill_to(disk.clone());
            assert_eq!(value.compute_with(&options).unwrap(), expected);
            let written = disk.written_bytes();
            let text = value.explain_with(&options).unwrap().to_string();
            assert!(written > 2 * limit, "{written} of about eight times {limit}\n{text}");
        }
    }
}
