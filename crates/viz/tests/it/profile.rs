//! The picture of a run.

use std::sync::Arc;

use musher_graph_core::{Delayed, delayed};
use musher_scheduler::{Compute, Options, compute_with};
use musher_viz::{Error, Profile};

fn inc(x: i64) -> i64 {
    x + 1
}

fn add(a: i64, b: i64) -> i64 {
    a + b
}

fn sums(n: i64) -> Vec<Delayed<i64>> {
    (0..n).map(|x| delayed(add).call((&delayed(inc).call(x), &delayed(inc).call(x + 1)))).collect()
}

#[test]
fn every_task_is_counted_on_every_scheduler() {
    for options in [Options::sequential(), Options::default().threads(1), Options::default().threads(3)] {
        let profile = Arc::new(Profile::new());
        let sums = sums(20);
        let answers = compute_with(sums.as_slice(), &options.observe(profile.clone())).unwrap();
        assert_eq!(answers[19], 41);
        let operations = profile.operations();
        let n_tasks: usize = operations.iter().map(|operation| operation.n_tasks).sum();
        // The calls of `inc` with equal arguments are one task; a fused line counts as one.
        assert!((20..=41).contains(&n_tasks), "{operations:?}");
        assert!(operations.windows(2).all(|pair| pair[0].busy >= pair[1].busy));
        assert!(operations.iter().all(|operation| operation.bytes >= 8 * operation.n_tasks as u64));
        let svg = profile.to_svg_string();
        assert!(svg.contains(">worker 0</text>") && svg.contains("<g class=\"task\">"));
        assert!(svg.contains(&format!(">{n_tasks} tasks in ")), "{svg}");
    }
}

#[test]
fn several_runs_and_failures_are_told() {
    let profile = Arc::new(Profile::new());
    let options = Options::sequential().observe(profile.clone());
    assert!(delayed(inc).call(1).compute_with(&options).is_ok());
    let fails = delayed(|_: i64| -> i64 { panic!("no") }).label("fails").call(&delayed(inc).call(2));
    assert!(fails.compute_with(&options).is_err());
    let svg = profile.to_svg_string();
    assert!(svg.contains("2 runs"), "{svg}");
    assert!(svg.contains("1 failed"), "{svg}");
}

#[test]
fn a_long_run_stays_a_small_picture() {
    let profile = Arc::new(Profile::new());
    let sums = sums(20_000);
    compute_with(sums.as_slice(), &Options::sequential().observe(profile.clone())).unwrap();
    let svg = profile.to_svg_string();
    assert!(svg.matches("<g class=\"task\">").count() < 4_100, "neighboring bars are merged");
}

#[test]
fn an_empty_profile_and_its_files() {
    let profile = Profile::new();
    assert!(profile.operations().is_empty());
    let folder = tempfile::tempdir().unwrap();
    profile.save(folder.path().join("run.svg")).unwrap();
    profile.save(folder.path().join("run.png")).unwrap();
    let png = std::fs::read(folder.path().join("run.png")).unwrap();
    assert!(tiny_skia::Pixmap::decode_png(&png).unwrap().pixels().iter().any(|pixel| pixel.red() < 100));
    let error = profile.save(folder.path().join("run.dot")).unwrap_err();
    assert!(matches!(error, Error::UnknownExtension { expected: "svg or png", .. }));
}
