//! How to run, as a program says it: limits told as text, and scopes of settings, which go along with the work.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use musher_graph_core::{Delayed, delayed};
use musher_scheduler::{Client, Compute, Error, Machine, Options, Settings, SettingsError, persist_with};
use musher_testkit::everywhere;

use crate::killed::Last;
use crate::support::messages;

#[test]
fn a_limit_is_a_number_an_amount_or_a_share() {
    let large = delayed(|| [0_u8; 5000]).call(());
    for limit in [Options::default().memory_limit("4kB"), Options::default().memory_limit(4000)] {
        let error = large.compute_with(&limit).unwrap_err();
        assert!(matches!(error, Error::MemoryLimit { limit: 4000, .. }), "{error}");
        assert!(!large.check_with(&limit).unwrap().is_empty());
    }
    let all = Options::default().memory_limit("100%".to_owned());
    let forecast = large.explain_with(&all).unwrap().forecast.unwrap();
    assert_eq!(forecast.limit, Machine::current().memory);
    assert_eq!(large.compute_with(&all).unwrap(), [0; 5000]);
}

#[test]
fn what_is_no_limit_is_told_before_anything_runs() {
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&runs);
    let work = delayed(move || counted.fetch_add(1, Ordering::SeqCst)).call(());
    let line = line!() + 2;
    let wrong = [
        ("memory_limit", Options::default().memory_limit("2 apples")),
        ("memory_limit", Options::sequential().memory_limit("0%")),
        ("spill_limit", Options::default().spill_limit("50%")),
    ];
    for (key, options) in &wrong {
        let errors = [
            work.compute_with(options).unwrap_err(),
            work.explain_with(options).unwrap_err(),
            work.check_with(options).unwrap_err(),
            persist_with(&work, options).unwrap_err(),
            Client::new(options.clone()).unwrap_err(),
        ];
        for error in errors {
            let Error::Settings(SettingsError::Value { key: found, .. }) = &error else { panic!("{error}") };
            assert_eq!(&**found, *key);
        }
    }
    assert_eq!(runs.load(Ordering::SeqCst), 0);
    let said = work.compute_with(&wrong[0].1).unwrap_err().to_string();
    let at = format!("{}:{line}:", file!());
    assert!(said.starts_with(&at), "{said}");
    assert!(
        said.ends_with(
            "`memory_limit` cannot be 2 apples; expected an amount of memory such as 2GiB, or a share of the \
             machine's such as 50%"
        ),
        "{said}"
    );
    // What is said later holds.
    assert!(work.compute_with(&wrong[0].1.clone().memory_limit("1GiB")).is_ok());
}

#[test]
fn the_disk_has_its_own_limit_and_folder() {
    let base = tempfile::tempdir().unwrap();
    let options = Options::sequential().memory_limit("1.25MiB").spill_dir(base.path());
    let error = Last::new().compute_with(&options.clone().spill_limit("30B")).unwrap_err();
    let said = messages(&error).join(": ");
    assert!(said.contains("spill_limit 30 B") && said.contains(base.path().to_str().unwrap()), "{said}");
    assert!(Last::new().compute_with(&options.spill_limit("1MB")).is_ok());
}

/// Settings that can be told apart by their retries.
fn retrying<T>(retries: u32, run: impl FnOnce() -> T) -> T {
    let mut settings = Settings::default();
    settings.retries = retries;
    settings.scoped(run)
}

fn retries_here() -> u32 {
    Settings::current().unwrap().retries
}

/// What tasks of a run see, and what is seen by tasks that they compute in their turn, plainly and in a scope of
/// their own.
fn seen(n: u64) -> Delayed<Vec<u32>> {
    let inner = |x: u64| delayed(move |_: u64| retries_here()).call(x).compute().unwrap();
    let task = move |x: u64| vec![retries_here(), inner(x), retrying(50, || inner(x)), retries_here()];
    let all: Vec<_> = (0..n).map(|x| delayed(task).call(x)).collect();
    delayed(|all: Vec<Vec<u32>>| all.concat()).call(all)
}

#[test]
fn what_tasks_compute_sees_the_scope_of_who_started_the_run() {
    let pool = Arc::new(rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap());
    let outside = retries_here();
    let own = ("a pool of one's own".to_owned(), Options::default().pool(pool));
    for (name, options) in everywhere().into_iter().chain([own]) {
        let found = retrying(40, || seen(20).compute_with(&options).unwrap());
        assert!(found.chunks(4).all(|found| found == [40, 40, 50, 40]), "{name}: {found:?}");
        // The threads are used again, and nothing of the scope is left on them.
        let found = seen(20).compute_with(&options).unwrap();
        assert!(found.chunks(4).all(|found| found == [outside, outside, 50, outside]), "{name}: {found:?}");
    }
}

#[test]
fn a_submission_sees_the_scope_in_which_it_was_submitted() {
    let client = Arc::new(retrying(60, || Client::new(Options::default().threads(1)).unwrap()));
    let all_are =
        |found: Vec<u32>, retries| found.chunks(4).all(|found| found == [retries, retries, 50, retries]);
    let (plain, scoped) = (client.submit(&seen(3)), retrying(70, || client.submit(&seen(3))));
    assert!(all_are(plain.into_result().unwrap(), 60), "the client's");
    assert!(all_are(scoped.into_result().unwrap(), 70), "its own");
    // The only thread is taken by the task that waits: it does the work itself, which is of another scope.
    let inner = Arc::clone(&client);
    let waits = move |x: u64| retrying(80, || inner.submit(&seen(x))).into_result().unwrap();
    let outer = retrying(70, || client.submit(&delayed(waits).call(2)));
    assert!(all_are(outer.into_result().unwrap(), 80));
}
