//! Limits that are told as text: what can be read holds, and what cannot is an error before anything runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use musher_graph_core::delayed;
use musher_scheduler::{Client, Compute, Error, Machine, Options, SettingsError, persist_with};

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
            assert_eq!(found, key);
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
