//! Checkpoints: what was made is not made again, and what is on the disk is what was written.

use std::collections::HashMap;
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::SystemTime;

use musher_graph_core::{
    Chunk, ChunkRef, Codec, CodecError, Collection, Delayed, FnTask, Grid, Inputs, Layer, Place, Port, Reach,
    TaskError, Wiring, delayed, iterate,
};
use musher_scheduler::{Checkpoint, CheckpointError, Checkpointing, Compute, Error, Options};
use musher_testkit::{Doomed, ScriptedFailure, everywhere};

/// A chunk that can leave memory: some numbers.
struct Numbers(Vec<u64>);

impl Chunk for Numbers {
    fn nbytes(&self) -> Option<usize> {
        Some(self.0.len() * 8)
    }

    fn codec(&self) -> Option<&'static dyn Codec> {
        Self::codec_of()
    }

    fn codec_of() -> Option<&'static dyn Codec> {
        Some(&NumbersCodec)
    }
}

struct NumbersCodec;

impl Codec for NumbersCodec {
    fn kind(&self) -> &'static str {
        "test.numbers/1"
    }

    fn encode(&self, chunk: &dyn Chunk, to: &mut dyn Write) -> Result<(), CodecError> {
        let numbers: &Numbers =
            chunk.downcast_ref().ok_or(CodecError::WrongKind { expected: self.kind() })?;
        let mut bytes = numbers.0.iter().map(|number| number.to_le_bytes());
        bytes.try_for_each(|bytes| to.write_all(&bytes)).map_err(|error| CodecError::io(self.kind(), error))
    }

    fn decode(&self, from: &mut dyn Read) -> Result<ChunkRef, CodecError> {
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes).map_err(|error| CodecError::io(self.kind(), error))?;
        let numbers = bytes.chunks(8).map(|bytes| {
            let mut number = [0; 8];
            number[..bytes.len()].copy_from_slice(bytes);
            u64::from_le_bytes(number)
        });
        Ok(Arc::new(Numbers(numbers.collect())))
    }
}

/// A collection of such chunks.
#[derive(Debug, Clone)]
struct Table {
    port: Port,
}

impl Collection for Table {
    type Output = Vec<u64>;

    fn port(&self) -> &Port {
        &self.port
    }

    fn gather(&self, chunks: Vec<ChunkRef>) -> Result<Vec<u64>, TaskError> {
        Ok(chunks.iter().flat_map(|chunk| chunk.downcast_ref::<Numbers>().unwrap().0.clone()).collect())
    }

    fn with_port(&self, port: Port) -> Self {
        Self { port }
    }
}

const N: usize = 12;

/// The chunk with this index.
fn numbers(index: usize, scale: u64) -> Numbers {
    Numbers((0..index as u64 + 3).map(|x| scale * (x + index as u64)).collect())
}

fn expected(scale: u64) -> Vec<u64> {
    (0..N).flat_map(|index| numbers(index, scale).0).collect()
}

/// A table whose chunks are counted as they are made; `act` may fail.
fn table(
    scale: u64,
    calls: &Arc<AtomicUsize>,
    act: impl Fn(usize) -> Result<(), TaskError> + Send + Sync + 'static,
) -> Table {
    let calls = Arc::clone(calls);
    let make = move |at: Place<'_>, _: &mut Inputs<'_>| {
        act(at.index())?;
        calls.fetch_add(1, Ordering::Relaxed);
        Ok(numbers(at.index(), scale))
    };
    let task = FnTask::new("scale", make).params("test.scale/1", &scale);
    let port = Port::of(Layer::build(task).finish(Grid::from([3, 4])));
    Table { port }
}

fn plain(scale: u64, calls: &Arc<AtomicUsize>) -> Table {
    table(scale, calls, |_| Ok(()))
}

fn cause(error: Error) -> CheckpointError {
    match error {
        Error::Checkpoint(error) => error,
        error => panic!("{error:?}"),
    }
}

fn chunk_files(folder: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = files.filter(|path| path.extension().is_some_and(|end| end == "chunk")).collect();
    files.sort();
    files
}

#[test]
fn what_is_on_the_disk_is_not_made_again() {
    for (name, options) in everywhere() {
        let folder = tempfile::tempdir().unwrap();
        let calls = Arc::default();
        let checkpoint = Checkpoint::new(folder.path().join("a/b")).options(options);
        let saved = checkpoint.save(&plain(2, &calls)).unwrap();
        assert_eq!((saved.n_reused, saved.n_computed), (0, N), "{name}");
        assert_eq!(saved.collection.compute().unwrap(), expected(2), "{name}");
        let again = checkpoint.save(&plain(2, &calls)).unwrap();
        assert_eq!((again.n_reused, again.n_computed), (N, 0), "{name}");
        assert_eq!(again.collection.compute().unwrap(), expected(2), "{name}");
        assert_eq!(calls.load(Ordering::Relaxed), N, "{name}");
        let (one, other) = (saved.collection.port.key(), again.collection.port.key());
        assert_eq!(one, other, "equal content is equal work");
        assert_eq!(saved.collection.port.layer.reach(), Reach::Anywhere);
    }
}

#[test]
fn the_stored_chunks_are_read_when_they_are_needed() {
    let folder = tempfile::tempdir().unwrap();
    let stored = plain(1, &Arc::default()).checkpoint(folder.path().join("t")).unwrap();
    let first = FnTask::new("first", |_: Place<'_>, inputs: &mut Inputs<'_>| {
        Ok(Numbers(vec![inputs.get::<Numbers>(0)?.0[0] + 100]))
    });
    let grid = stored.port.grid().clone();
    let next = Layer::build(first).input(&stored.port, Wiring::one_to_one(2)).finish(grid);
    let next = stored.with_port(Port::of(next));
    assert!(stored.explain().unwrap().bytes_read() > 0);
    assert_eq!(next.compute().unwrap(), (0..N as u64).map(|x| 100 + x).collect::<Vec<_>>());
    fs::remove_file(folder.path().join("t/1-2.chunk")).unwrap();
    let error = next.compute().unwrap_err().to_string();
    assert!(error.contains("failed at chunk [1, 2]"), "{error}");
}

#[test]
fn a_run_that_failed_goes_on_where_it_was() {
    for threads in [1, 3] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t");
        let calls = Arc::default();
        let failing = table(3, &calls, |index| match index {
            7 => Err(ScriptedFailure { index }.into()),
            _ => Ok(()),
        });
        let checkpoint = Checkpoint::new(&path).options(Options::default().threads(threads));
        let error = checkpoint.save(&failing).unwrap_err();
        assert!(matches!(error, Error::Task(_)), "{error:?}");
        let n_made = chunk_files(&path).len();
        assert!(n_made < N && (threads > 1 || n_made == 7), "{n_made}");
        calls.store(0, Ordering::Relaxed);
        let saved = checkpoint.save(&plain(3, &calls)).unwrap();
        assert_eq!((saved.n_reused, saved.n_computed), (n_made, N - n_made));
        assert_eq!(calls.load(Ordering::Relaxed), N - n_made);
        assert_eq!(saved.collection.compute().unwrap(), expected(3));
    }
}

/// Does nothing unless it is the child process of the next test: then it stands still at the seventh chunk.
#[test]
fn child_that_is_killed() {
    let Some(folder) = Doomed::folder() else { return };
    let hangs = table(5, &Arc::default(), |index| {
        if index == 7 {
            Doomed::stand_still();
        }
        Ok(())
    });
    let _ = Checkpoint::new(folder).options(Options::sequential()).save(&hangs);
}

#[test]
fn a_run_that_was_killed_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t");
    let child = Doomed::start("checkpoint::child_that_is_killed", &path);
    let busy = plain(5, &Arc::default()).checkpoint(&path);
    child.kill();
    assert!(matches!(cause(busy.unwrap_err()), CheckpointError::Busy { .. }));
    fs::write(path.join(".2-3.chunk.musher-abc.tmp"), "a part").unwrap();
    let calls = Arc::default();
    let saved = Checkpoint::new(&path).save(&plain(5, &calls)).unwrap();
    assert_eq!((saved.n_reused, saved.n_computed, calls.load(Ordering::Relaxed)), (7, 5, 5));
    assert_eq!(saved.collection.compute().unwrap(), expected(5));
    assert!(!path.join(".2-3.chunk.musher-abc.tmp").exists(), "what the killed run left is gone");
}

#[test]
fn each_damaged_byte_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let calls = Arc::default();
    let checkpoint = Checkpoint::new(folder.path());
    let stored = checkpoint.save(&plain(1, &calls)).unwrap().collection;
    let files = chunk_files(folder.path());
    assert_eq!(files.len(), N);
    let path = folder.path().join("0-1.chunk");
    let whole = fs::read(&path).unwrap();
    let damaged = |bytes: &[u8], what: &str| {
        fs::write(&path, bytes).unwrap();
        assert!(stored.compute().is_err(), "{what}");
    };
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        damaged(&bytes, &format!("byte {at} flipped"));
        damaged(&whole[..at], &format!("cut to {at} bytes"));
    }
    damaged(&[whole.as_slice(), &[0]].concat(), "one byte more");
    fs::copy(folder.path().join("0-2.chunk"), &path).unwrap();
    assert!(stored.compute().is_err(), "another chunk");
    let mut bytes = whole.clone();
    bytes[whole.len() - 30] ^= 1;
    fs::write(&path, bytes).unwrap();
    let Error::Task(failure) = stored.compute().unwrap_err() else { panic!("a task reads") };
    let message = failure.cause().to_string();
    assert!(message.contains("0-1.chunk: checksum mismatch (stored "), "{message}");
    let again = checkpoint.save(&plain(1, &calls)).unwrap();
    assert_eq!((again.n_reused, again.n_computed), (N - 1, 1));
    assert_eq!(calls.load(Ordering::Relaxed), N + 1);
    assert_eq!(fs::read(&path).unwrap(), whole);
    assert_eq!(stored.compute().unwrap(), expected(1));
}

#[test]
fn chunks_of_other_work_are_refused_unless_it_is_restarted() {
    let folder = tempfile::tempdir().unwrap();
    let calls = Arc::default();
    let refused = |checkpoint: &Checkpoint, table: &Table| {
        let error = cause(checkpoint.save(table).unwrap_err());
        assert!(matches!(error, CheckpointError::Refused { .. }));
        error.to_string()
    };
    let checkpoint = Checkpoint::new(folder.path().join("t"));
    checkpoint.save(&plain(1, &calls)).unwrap();
    let message = refused(&checkpoint, &plain(2, &calls));
    assert!(message.starts_with("resume refused: "), "{message}");
    assert!(
        message.ends_with("its parameters or inputs changed; pass `restart(true)` or a new path"),
        "{message}"
    );
    let message = refused(&checkpoint.clone().version("v2"), &plain(1, &calls));
    assert!(message.contains("holds scale, and its version changed none → v2"), "{message}");
    assert_eq!(calls.load(Ordering::Relaxed), N, "nothing was made");
    let saved = checkpoint.clone().restart(true).save(&plain(2, &calls)).unwrap();
    assert_eq!((saved.n_reused, saved.n_computed), (0, N));
    assert_eq!(saved.collection.compute().unwrap(), expected(2));
    assert_eq!(checkpoint.save(&plain(2, &calls)).unwrap().n_reused, N);
    fs::write(folder.path().join("t/manifest.json"), "{").unwrap();
    let error = cause(checkpoint.save(&plain(2, &calls)).unwrap_err());
    assert!(matches!(error, CheckpointError::Manifest { .. }));
    let foreign = Checkpoint::new(folder.path()).restart(true);
    let error = cause(foreign.save(&plain(2, &calls)).unwrap_err());
    assert!(matches!(error, CheckpointError::Foreign { .. }), "a folder of somebody's is left alone");
}

#[test]
fn a_restart_removes_chunks_of_checkpoints_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let again = |path: &Path| Checkpoint::new(path).restart(true).save(&plain(2, &Arc::default()));
    let is_foreign = |path: &Path| {
        let held = |path: &Path| {
            let files = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
            let mut files: Vec<_> = files.filter(|path| !path.ends_with(".musher-lock")).collect();
            files.sort();
            files.into_iter().map(|file| (fs::read(&file).unwrap(), file)).collect::<Vec<_>>()
        };
        let before = held(path);
        let error = cause(again(path).unwrap_err());
        assert!(matches!(error, CheckpointError::Foreign { .. }), "{error}");
        assert_eq!(held(path), before, "a folder of somebody's is left alone");
    };
    // Somebody's chunks beside somebody's manifest, readable or not, and a manifest alone.
    for manifest in ["{", "{\"name\": \"app\"}", ""] {
        let path = folder.path().join(format!("others{}", manifest.len()));
        fs::create_dir(&path).unwrap();
        fs::write(path.join("manifest.json"), manifest).unwrap();
        is_foreign(&path);
        fs::write(path.join("0-1.chunk"), "precious").unwrap();
        is_foreign(&path);
    }
    // A manifest of another program that happens to have our fields.
    let path = folder.path().join("same");
    let stored = plain(1, &Arc::default()).checkpoint(&path).unwrap();
    assert_eq!(stored.compute().unwrap(), expected(1));
    let text = fs::read_to_string(path.join("manifest.json")).unwrap();
    fs::write(path.join("manifest.json"), text.replace("musher checkpoint", "theirs")).unwrap();
    fs::write(path.join("notes.chunk"), "precious").unwrap();
    is_foreign(&path);
    // Our own, beside a file that only ends as ours do: it stays.
    fs::write(path.join("manifest.json"), text).unwrap();
    fs::write(path.join("7-7.chunk"), "precious").unwrap();
    assert_eq!(again(&path).unwrap().n_computed, N);
    for file in ["notes.chunk", "7-7.chunk"] {
        assert_eq!(fs::read_to_string(path.join(file)).unwrap(), "precious");
    }
    // A damaged manifest over our chunks and nothing else is ours.
    fs::remove_file(path.join("notes.chunk")).unwrap();
    fs::remove_file(path.join("7-7.chunk")).unwrap();
    fs::write(path.join("manifest.json"), "{").unwrap();
    assert_eq!(again(&path).unwrap().n_computed, N);
}

#[test]
fn work_that_is_known_in_this_process_only_needs_a_version() {
    let folder = tempfile::tempdir().unwrap();
    let task = FnTask::new("closure", |at: Place<'_>, _: &mut Inputs<'_>| Ok(numbers(at.index(), 1)));
    let port = Port::of(Layer::build(task).finish(Grid::from([N])));
    let table = Table { port };
    let path = folder.path().join("t");
    let error = cause(table.checkpoint(&path).unwrap_err());
    assert!(matches!(&error, CheckpointError::NoVersion { operation, .. } if operation == "closure"));
    assert!(!path.exists());
    assert_eq!(table.checkpoint_as(&path, "v1").unwrap().compute().unwrap(), expected(1));
    let saved = Checkpoint::new(&path).version("v1").save(&table).unwrap();
    assert_eq!(saved.n_reused, N);
    let error = cause(table.checkpoint_as(&path, "v2").unwrap_err());
    assert!(error.to_string().contains("its version changed v1 → v2"), "{error}");
}

#[test]
fn chunks_without_a_codec_are_refused_before_anything_runs() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t");
    let pinned = delayed(|| -> SystemTime { panic!("it ran") }).label("pinned").call(());
    let error = cause(pinned.checkpoint_as(&path, "v1").unwrap_err());
    assert!(matches!(&error, CheckpointError::NoCodec { operation, .. } if operation == "pinned"));
    assert!(error.to_string().contains("checkpoint.rs:"), "{error}");
    assert!(!path.exists());
}

/// Keeps a value in a folder, and gives the text of what was read from it.
type Keeps = Box<dyn Fn(&Path) -> String>;

/// Work of all kinds whose results are single values, and what each comes to, by its text.
fn values() -> Vec<(&'static str, Keeps)> {
    /// Saves twice, and reads what the second time found.
    fn kept<T: Clone + std::fmt::Debug + Send + Sync + 'static>(
        value: impl Fn() -> Delayed<T> + 'static,
    ) -> Keeps {
        Box::new(move |path| {
            let checkpoint = Checkpoint::new(path).version("v1");
            assert_eq!(checkpoint.save(&value()).unwrap().n_computed, 1);
            let again = checkpoint.save(&value()).unwrap();
            assert_eq!((again.n_reused, again.n_computed), (1, 0));
            format!("{:?}", again.collection.compute().unwrap())
        })
    }
    let parse = |text: String| text.parse::<u8>();
    vec![
        ("0.1", kept(|| delayed(|| 0.1).call(()))),
        ("\"text\"", kept(|| delayed(|| "text".to_owned()).call(()))),
        ("[1, 2]", kept(|| delayed(|| vec![1_u8, 2]).measured().call(()))),
        ("7", kept(move || delayed(parse).fallible().call("7".to_owned()))),
        ("{1: \"one\"}", kept(|| delayed(|| HashMap::from([(1_u8, "one".to_owned())])).encoded().call(()))),
        ("3", kept(|| delayed(|| Delayed::ready(3_u64)).continued().call(()))),
        (
            "10",
            kept(|| iterate(&Delayed::ready(0_u64), |x| delayed(|x: u64| x + 1).call(x), |x, _| *x == 10)),
        ),
    ]
}

#[test]
fn delayed_values_are_kept() {
    for (expected, kept) in values() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(kept(folder.path()), expected);
    }
}
