//! Sinks in runs: whatever becomes of a run, its files are there whole or not at all, and nothing is left beside them.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use musher_graph_core::{
    Delayed, Facts, FnTask, Grid, Inputs, Layer, Place, Port, Site, TaskError, Touch, Value, delayed,
};
use musher_scheduler::sink::{self, Format, Receipt, SinkError, Stage, Target};
use musher_scheduler::{CancelToken, Client, Compute, Error, Event, Observer, Options};

const PARTS: u32 = 9;

/// What a part does before it is written.
type Before = Arc<dyn Fn(usize) -> Result<(), TaskError> + Send + Sync>;

/// Numbers as text, a file each.
struct Numbers {
    folder: PathBuf,
    before: Before,
}

impl Format for Numbers {
    type Written = u64;

    fn labels(&self) -> [&'static str; 3] {
        ["open", "write", "commit"]
    }

    fn target(&self) -> Result<Target, TaskError> {
        Ok(Target::folder(&self.folder))
    }

    fn write(&self, at: Place<'_>, inputs: &mut Inputs<'_>, stage: &Stage) -> Result<Receipt, TaskError> {
        let Value(number) = inputs.get::<Value<u64>>(0)?;
        let receipt = stage.write_part(&at.index().to_string(), |file| {
            write!(file, "{number}").map_err(|source| stage.failed("write", source))?;
            Ok::<_, SinkError>(1)
        })?;
        (self.before)(at.index())?;
        Ok(receipt)
    }

    fn commit(&self, stage: &Stage, receipts: &[Receipt]) -> Result<u64, TaskError> {
        Ok(stage.commit(receipts)?)
    }

    fn facts(&self, bytes: u64) -> Facts {
        Facts::bytes(Receipt::BYTES).written(bytes)
    }

    fn touches(&self, at: Place<'_>) -> Vec<Touch> {
        vec![Touch::write(self.folder.join(at.index().to_string()))]
    }
}

/// Writes the numbers from `first` on.
fn numbers(folder: &Path, first: u64, before: Before) -> Delayed<u64> {
    let task =
        FnTask::new("number", move |at: Place<'_>, _: &mut Inputs<'_>| Ok(Value(first + at.index() as u64)))
            .facts(|_, _| Facts::bytes(8));
    let data = Port::of(Layer::build(task).finish(Grid::from([PARTS as usize])));
    let format = Numbers { folder: folder.join("numbers"), before };
    Delayed::from_port(sink::layers(format, &data, Site::caller()))
}

fn nothing() -> Before {
    Arc::new(|_| Ok(()))
}

/// What is in the folder, and what the first number is, if any is.
fn found(folder: &Path) -> (usize, Option<String>) {
    let n = fs::read_dir(folder).unwrap().count();
    if let Ok(entries) = fs::read_dir(folder.join("numbers")) {
        assert_eq!(entries.count(), PARTS as usize);
    }
    (n, fs::read_to_string(folder.join("numbers/0")).ok())
}

fn everywhere() -> [Options; 3] {
    [Options::sequential(), Options::default().threads(2), Options::default().threads(3)]
}

#[test]
fn a_run_that_ends_well_writes_each_time() {
    let folder = tempfile::tempdir().unwrap();
    for options in everywhere() {
        let written = numbers(folder.path(), 10, nothing());
        for _ in 0..2 {
            assert_eq!(written.compute_with(&options).unwrap(), 2 * u64::from(PARTS));
            assert_eq!(found(folder.path()), (1, Some("10".to_owned())));
            fs::remove_dir_all(folder.path().join("numbers")).unwrap();
        }
    }
    let client = Client::new(Options::default()).unwrap();
    let future = client.submit(&numbers(folder.path(), 20, nothing()));
    assert_eq!(future.result().unwrap(), 2 * u64::from(PARTS));
    assert_eq!(found(folder.path()), (1, Some("20".to_owned())));
}

/// Tells when a task has ended, and panics then.
struct Panics;

impl Observer for Panics {
    fn event(&self, event: Event<'_>) {
        if let Event::TaskFinished { plan, task, .. } = event {
            assert!(!plan.tasks().layer(task).task.label().contains("write"), "an observer that fails");
        }
    }
}

#[test]
fn a_run_that_ends_badly_leaves_the_old_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    numbers(folder.path(), 1, nothing()).compute().unwrap();
    for options in everywhere() {
        let fails: Before = Arc::new(|part| match part {
            7 => Err(TaskError::new(std::io::Error::other("as told"))),
            _ => Ok(()),
        });
        let panics: Before = Arc::new(|part| {
            assert!(part != 7, "as told");
            Ok(())
        });
        for before in [fails, panics] {
            numbers(folder.path(), 2, before).compute_with(&options).unwrap_err();
            assert_eq!(found(folder.path()), (1, Some("1".to_owned())));
        }
        let token = CancelToken::new();
        let inside = token.clone();
        let cancels: Before = Arc::new(move |part| {
            if part == 5 {
                inside.cancel();
            }
            Ok(())
        });
        let error =
            numbers(folder.path(), 2, cancels).compute_with(&options.clone().cancel(&token)).unwrap_err();
        assert!(matches!(error, Error::Cancelled { .. }), "{error}");
        assert_eq!(found(folder.path()), (1, Some("1".to_owned())));
        let observed = options.clone().observe(Arc::new(Panics));
        numbers(folder.path(), 2, nothing()).compute_with(&observed).unwrap_err();
        assert_eq!(found(folder.path()), (1, Some("1".to_owned())));
    }
}

#[test]
fn a_part_that_fails_once_is_written_again() {
    let folder = tempfile::tempdir().unwrap();
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let fails_once: Before =
        Arc::new(move |part| match part == 3 && counted.fetch_add(1, Ordering::Relaxed) == 0 {
            true => Err(TaskError::new(std::io::Error::other("as told"))),
            false => Ok(()),
        });
    let options = Options::default().threads(2).retries(1);
    assert_eq!(numbers(folder.path(), 0, fails_once).compute_with(&options).unwrap(), u64::from(PARTS));
    assert_eq!((calls.load(Ordering::Relaxed), found(folder.path()).0), (2, 1));
}

#[test]
fn a_run_inside_a_task_ends_on_its_own() {
    let (outer, inner) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for options in everywhere() {
        let inside = inner.path().to_owned();
        let nested: Before = Arc::new(move |part| {
            if part == 4 {
                numbers(&inside, 5, nothing()).compute().map_err(TaskError::new)?;
                let fails: Before = Arc::new(|_| Err(TaskError::new(std::io::Error::other("as told"))));
                numbers(&inside, 6, fails).compute().unwrap_err();
                assert_eq!(found(&inside), (1, Some("5".to_owned())));
            }
            if part == 8 { Err(TaskError::new(std::io::Error::other("as told"))) } else { Ok(()) }
        });
        numbers(outer.path(), 7, nested).compute_with(&options).unwrap_err();
        assert_eq!(found(outer.path()), (0, None));
        assert_eq!(found(inner.path()).0, 1);
    }
}

#[test]
fn a_task_that_opens_a_sink_itself_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let write = |path: PathBuf| {
        sink::write_file(&path, |mut file| {
            file.write_all(b"42").map_err(|source| SinkError::Io {
                path: path.clone(),
                action: "write",
                source,
            })
        })
    };
    assert_eq!(delayed(write).fallible().call(path.clone()).compute().unwrap(), 2);
    assert_eq!(fs::read(&path).unwrap(), b"42");
    let failed: Result<u64, SinkError> = sink::write_file(&path, |mut file| {
        file.write_all(b"43").expect("there is room");
        Err(SinkError::Gone { path: path.clone() })
    });
    failed.unwrap_err();
    assert_eq!((fs::read(&path).unwrap(), fs::read_dir(folder.path()).unwrap().count()), (b"42".to_vec(), 1));
}
