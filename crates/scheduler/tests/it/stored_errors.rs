//! Errors as data: stored, loaded and printed, they read as when they happened.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use musher_graph_core::{
    Access, Collection, Delayed, FnTask, Grid, Inputs, Layer, Place, Port, Problem, Region, Site, Touch,
    Value, Wiring, delayed,
};
use musher_scheduler::{
    CancelToken, CauseKind, CheckpointError, Checkpointing, Client, Compute, Error, Options, SettingsError,
    SettingsSource, Spilling, compute_with,
};
use musher_testkit::Random;

use crate::support::messages;

#[derive(Debug, thiserror::Error)]
#[error("row {row} has no price")]
struct NoPrice {
    row: u64,
    source: io::Error,
}

fn fails(row: u64) -> Result<u64, NoPrice> {
    Err(NoPrice { row, source: io::Error::from_raw_os_error(2) })
}

fn error_of<C: Collection>(work: &C) -> Error
where
    C::Output: std::fmt::Debug,
{
    work.compute_with(&Options::default().threads(2)).unwrap_err()
}

fn failing() -> Delayed<u64> {
    delayed(fails).fallible().call(7)
}

/// An error of each kind that a run can end with, most as they really happen.
fn errors() -> Vec<Error> {
    let cancel = CancelToken::new();
    cancel.cancel();
    let large = delayed(|| [0_u8; 5000]).call(());
    let panics = delayed(|| if true { panic!("of a {}", "panic") } else { 1 }).call(());
    let wrong = FnTask::new("wrong", |_: Place<'_>, inputs: &mut Inputs<'_>| {
        inputs.get::<Value<u8>>(0).map(|value| Value(value.0))
    });
    let number = large.port();
    let wrong = Layer::build(wrong).input(number, Wiring::axes([])).finish(Grid::scalar());
    let missing = FnTask::new("load", |_: Place<'_>, _: &mut Inputs<'_>| Ok(Value(0_u8)))
        .facts(|_, _| musher_graph_core::Facts::bytes(1).read(1))
        .touches(|_| {
            vec![Touch {
                path: PathBuf::from("no such file").into(),
                region: Region::Whole,
                access: Access::Read,
            }]
        });
    let missing = Delayed::<u8>::from_port(Port::of(Layer::build(missing).finish(Grid::scalar())));
    let client = Client::new(Options::default().threads(1)).unwrap();
    let first = client.submit(&failing());
    let second = client.submit(&delayed(|x: u64| x + 1).call(&first));
    let upstream = Arc::into_inner(second.result().unwrap_err()).map(|error| vec![error]).unwrap_or_default();
    let folder = tempfile::tempdir().unwrap();
    let mut errors = vec![
        error_of(&failing()),
        error_of(&panics),
        compute_with(&failing(), &Options::default().cancel(&cancel)).unwrap_err(),
        large.compute_with(&Options::default().memory_limit(4000).never_spill()).unwrap_err(),
        error_of(&Delayed::<u8>::from_port(Port::of(wrong))),
        error_of(&missing),
        delayed(|| 1).call(()).checkpoint(folder.path().join("a")).unwrap_err(),
        Error::DeadlinePassed { finished: 3, n_tasks: 0 },
        Error::Spill {
            doing: Spilling::Reading,
            source: Box::new(io::Error::from(io::ErrorKind::StorageFull)),
        },
        Error::Spawn { threads: 9, source: io::Error::from_raw_os_error(11) },
        Error::Gather { source: "not alike".into() },
        SettingsError::Value {
            at: SettingsSource::Code(Site::caller()),
            key: "threads".into(),
            value: "many".into(),
            expected: "a number".into(),
        }
        .into(),
        SettingsError::Read { path: odd_path(), source: Arc::new(io::ErrorKind::PermissionDenied.into()) }
            .into(),
        CheckpointError::Damaged { path: odd_path(), stored: u128::MAX, computed: 1, bytes: 2 }.into(),
        CheckpointError::Io { path: odd_path(), source: io::Error::from_raw_os_error(13) }.into(),
        Error::Check { problems: vec![Problem::SpillInMemory { need: 1 << 40, dir: odd_path() }] },
    ];
    errors.extend(upstream);
    errors
}

/// A path that is no text.
fn odd_path() -> PathBuf {
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStringExt;
        std::ffi::OsString::from_vec(b"odd \xff path".to_vec()).into()
    }
    #[cfg(not(unix))]
    "odd path".into()
}

fn stored(error: &Error) -> Vec<u8> {
    postcard::to_stdvec(error).unwrap()
}

#[test]
fn an_error_that_was_stored_reads_as_when_it_happened() {
    for error in errors() {
        let again: Error = postcard::from_bytes(&stored(&error)).unwrap();
        assert_eq!(messages(&again), messages(&error));
        assert_eq!(format!("{again:?}"), format!("{error:?}"));
        assert_eq!(std::mem::discriminant(&again), std::mem::discriminant(&error), "{error}");
        assert_eq!(CauseKind::of(&again), CauseKind::of(&error), "{error}");
        assert_eq!(stored(&again), stored(&error), "{error}: stored twice");
        let text = serde_json::to_string(&error).unwrap();
        let from_text: Error = serde_json::from_str(&text).unwrap();
        assert_eq!(stored(&from_text), stored(&error), "{text}");
    }
}

#[test]
fn line_type_and_kind_of_a_failure_are_kept() {
    let Error::Task(failure) = error_of(&failing()) else { panic!("a task fails") };
    let error = Error::Task(failure);
    let again: Error = postcard::from_bytes(&stored(&error)).unwrap();
    let (Error::Task(failure), Error::Task(again)) = (&error, &again) else { panic!("a task failed") };
    assert_eq!(again.caller(), failure.caller());
    assert_eq!((again.caller().file(), again.operation()), (file!(), "fails"));
    assert_eq!(again.cause_type(), std::any::type_name::<NoPrice>());
    assert_eq!(again.cause_type(), failure.cause_type());
    assert_eq!((again.kind(), failure.kind()), (CauseKind::Io(io::ErrorKind::NotFound), failure.kind()));
    assert_eq!(again.cause().to_string(), "row 7 has no price");
    assert!(failure.cause().is::<NoPrice>() && !again.cause().is::<NoPrice>());
}

#[test]
fn kinds_are_known_through_any_wrapping() {
    let kind = |error: &(dyn std::error::Error + 'static)| CauseKind::of(error);
    let wrapped = |source| NoPrice { row: 1, source };
    assert_eq!(kind(&wrapped(io::ErrorKind::StorageFull.into())), CauseKind::Disk);
    assert_eq!(kind(&wrapped(io::ErrorKind::OutOfMemory.into())), CauseKind::Memory);
    assert_eq!(kind(&wrapped(io::Error::other(wrapped(io::ErrorKind::TimedOut.into())))), {
        CauseKind::Io(io::ErrorKind::TimedOut)
    });
    assert_eq!(kind(&wrapped(io::Error::other("words"))), CauseKind::Other);
    assert_eq!(kind(&Error::Cancelled { finished: 0, n_tasks: 1 }), CauseKind::Cancelled);
    let errors = errors();
    assert_eq!(kind(&errors[3]), CauseKind::Memory, "{}", errors[3]);
    assert_eq!(kind(&errors[4]), CauseKind::Mismatch, "{}", errors[4]);
}

#[test]
fn damaged_bytes_are_an_error_or_another_error_and_never_a_panic() {
    let mut random = Random::new(5);
    let all: Vec<_> = errors().iter().map(stored).collect();
    for bytes in &all {
        (0..bytes.len()).for_each(|len| drop(postcard::from_bytes::<Error>(&bytes[..len])));
    }
    for _ in 0..10_000 {
        let mut bytes = all[random.below(all.len())].clone();
        for _ in 0..=random.below(3) {
            let at = random.below(bytes.len());
            bytes[at] = random.bits() as u8;
        }
        if let Ok(error) = postcard::from_bytes::<Error>(&bytes) {
            let _ = (format!("{error:?}"), CauseKind::of(&error));
        }
    }
}

#[test]
fn a_chain_of_failures_upstream_is_refused_however_deep() {
    let root = stored(&Error::Cancelled { finished: 1, n_tasks: 2 });
    let upstream = |source: Error| Error::Upstream {
        operation: "a".to_owned(),
        caller: Site::caller(),
        source: Arc::new(source),
    };
    let one = upstream(postcard::from_bytes(&root).unwrap());
    assert!(postcard::from_bytes::<Error>(&stored(&one)).is_ok());
    assert!(postcard::from_bytes::<Error>(&stored(&upstream(one))).is_err());
    assert!(postcard::from_bytes::<Error>(&root).is_ok(), "and what comes after is read");
}
