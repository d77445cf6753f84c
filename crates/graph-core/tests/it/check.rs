//! Checks: each problem found in a plan made for it, none in plans that are well, and what the messages say.

use std::borrow::Cow;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

use musher_graph_core::{
    Access, CheckLimits, Facts, Files, FreeSpace, Graph, Grid, Inputs, Layer, LocalFiles, Output, Place,
    Plan, Port, Problem, Region, Task, TaskError, Touch, Value, Wiring,
};
use musher_testkit::{Alive, Drawn, Random};

use crate::support::all;

/// A task that touches what a function says.
struct Touching<F> {
    label: &'static str,
    facts: Facts,
    touches: F,
}

impl<F: Fn(usize) -> Vec<Touch> + Send + Sync + 'static> Task for Touching<F> {
    fn label(&self) -> Cow<'_, str> {
        self.label.into()
    }

    fn run(&self, _at: Place<'_>, _inputs: Inputs<'_>) -> Result<Output, TaskError> {
        Ok(Output::one(Value(0_u64)))
    }

    fn facts(&self, _at: Place<'_>, _inputs: &[Option<u64>]) -> Facts {
        self.facts.clone()
    }

    fn touches(&self, at: Place<'_>) -> Vec<Touch> {
        (self.touches)(at.index())
    }
}

fn layer(
    label: &'static str,
    n: usize,
    facts: Facts,
    touches: impl Fn(usize) -> Vec<Touch> + Send + Sync + 'static,
) -> Port {
    Port::of(Layer::build(Touching { label, facts, touches }).finish(Grid::from([n])))
}

fn plan(ports: &[&Port]) -> Plan {
    let requests: Vec<_> = ports.iter().map(|port| all(port)).collect();
    Plan::new(Graph::collect(&requests).unwrap()).unwrap()
}

/// Files of these names, on one disk with this much free; `link` is another name of `a`.
#[derive(Debug)]
struct Pretended {
    there: HashSet<&'static str>,
    free: u64,
}

impl Files for Pretended {
    fn exists(&self, path: &Path) -> bool {
        self.there.iter().any(|there| Path::new(there) == path)
    }

    fn resolve(&self, path: &Path) -> PathBuf {
        if path == Path::new("link") { "a".into() } else { path.to_owned() }
    }

    fn free_space(&self, _path: &Path) -> Option<FreeSpace> {
        Some(FreeSpace { device: 1, bytes: self.free })
    }
}

fn files(there: impl IntoIterator<Item = &'static str>) -> Pretended {
    Pretended { there: there.into_iter().collect(), free: 1000 }
}

#[track_caller]
fn check(ports: &[&Port], expected: &[&str]) -> Vec<Problem> {
    let files = files(["a", "b", "folder", "folder/x"]);
    let problems = plan(ports).check(&CheckLimits::new(&files));
    let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(texts.len(), expected.len(), "{texts:#?}");
    for (text, expected) in texts.iter().zip(expected) {
        assert!(text.contains(expected), "{expected:?} in {text:?}");
    }
    problems
}

fn read(label: &'static str, path: &'static str) -> Port {
    layer(label, 1, Facts::bytes(8), move |_| vec![Touch::read(path)])
}

fn write(label: &'static str, path: &'static str) -> Port {
    layer(label, 1, Facts::bytes(8), move |_| vec![Touch::write(path)])
}

#[test]
fn plans_that_are_well_have_no_problems() {
    let parts = layer("parts", 4, Facts::bytes(8), |at| vec![Touch::write(format!("out-{at}"))]);
    let ranges = layer("ranges", 4, Facts::bytes(8), |at| {
        let start = 128 + 100 * at as u64;
        vec![Touch::write("out.npy").region(Region::Bytes(start..start + 100)), Touch::read("a")]
    });
    check(&[&read("load", "a"), &read("again", "link"), &parts, &ranges], &[]);
    // One task may read what it then overwrites, and write one part twice.
    let in_place = layer("in place", 2, Facts::bytes(8), |at| {
        let part = Region::Bytes(10 * at as u64..10 * at as u64 + 10);
        let write = Touch::write("b").region(part.clone());
        vec![Touch::read("b").region(part), write.clone(), write]
    });
    check(&[&in_place], &[]);
}

#[test]
fn missing_files_are_named_with_operation_and_line() {
    let problems = check(&[&read("load", "no.csv")], &["reads no.csv, which is not there"]);
    let Problem::Missing { operation, path } = &problems[0] else { panic!("{problems:?}") };
    assert_eq!((operation.label.as_str(), path.to_str()), ("load", Some("no.csv")));
    assert_eq!(operation.caller.file(), file!());
}

#[test]
fn two_operations_on_one_target() {
    check(&[&write("one", "out"), &write("two", "out")], &["two (built at"]);
    let message = &check(&[&write("one", "out"), &write("two", "out")], &["both write out"])[0].to_string();
    assert!(message.contains("one (built at") && message.contains("target of its own"), "{message}");
    check(&[&write("one", "a"), &write("two", "link")], &["both write a"]);
}

#[test]
fn tasks_of_one_operation_on_one_unit() {
    // Blocks of two columns over stored chunks of three.
    let store = layer("store", 3, Facts::bytes(8), |at| {
        let at = at as u64;
        let units = Region::Units { start: [0, 2 * at / 3].into(), end: [2, (2 * at + 1) / 3 + 1].into() };
        vec![Touch { path: Path::new("out.zarr").into(), region: units, access: Access::Write }]
    });
    let problems = check(&[&store], &["two of its tasks write the same part of out.zarr"]);
    assert!(matches!(problems[0], Problem::UnalignedWriters { .. }));
}

#[test]
fn reading_what_is_overwritten() {
    check(&[&read("load", "a"), &write("save", "link")], &["load (built at"]);
    // Files of a folder that is replaced, and a folder in which a file is written.
    check(&[&read("load", "folder/x"), &write("save", "folder")], &["reads folder/x while save"]);
    check(&[&read("load", "folder"), &write("save", "folder/y")], &["reads folder/y while save"]);
    // A file that this plan makes is not there when the plan starts.
    check(&[&read("load", "made"), &write("save", "made")], &["while save"]);
    // Other bytes of the same file are no matter.
    let part = |label, access, start: u64| {
        layer(label, 1, Facts::bytes(8), move |_| {
            vec![Touch { access, ..Touch::read("a").region(Region::Bytes(start..start + 10)) }]
        })
    };
    check(&[&part("load", Access::Read, 0), &part("save", Access::Write, 10)], &[]);
    check(&[&part("load", Access::Read, 1), &part("save", Access::Write, 10)], &["reads a while save"]);
}

#[test]
fn disks_that_are_too_small() {
    let writer = |label: &'static str, bytes| {
        layer(label, 2, Facts::bytes(0).written(bytes), move |at| vec![Touch::write(format!("{label}{at}"))])
    };
    check(&[&writer("x", 250), &writer("y", 250)], &[]);
    let expected = "x (built at";
    let problems = check(&[&writer("x", 250), &writer("y", 251)], &[expected]);
    assert!(matches!(&problems[0], Problem::DiskTooSmall { need: 1002, free: 1000, .. }), "{problems:?}");
}

#[test]
fn memory_and_spill_that_cannot_suffice() {
    let mebibyte = 1 << 20;
    let load = layer("load", 100, Facts::bytes(mebibyte).scratch(5 * mebibyte), |_| vec![]);
    let sum = Layer::build(Touching { label: "sum", facts: Facts::bytes(8), touches: |_| vec![] });
    let sum = Port::of(sum.input(&load, Wiring::tree(&[10])).finish(Grid::from([10])));
    let files = LocalFiles;
    let limits = CheckLimits::new(&files);
    let problems = |port: &Port, limits: &CheckLimits<'_>| {
        plan(&[port]).check(limits).iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(problems(&sum, &limits.memory(20 * mebibyte)), [""; 0]);
    let told = problems(&sum, &limits.memory(8 * mebibyte));
    assert!(told.len() == 1 && told[0].starts_with("sum (built at"), "{told:?}");
    assert!(told[0].contains("at once for one task, the memory limit is 8.0 MiB; use smaller"), "{told:?}");
    let told = problems(&load, &limits.memory(50 * mebibyte));
    assert!(told.len() == 1 && told[0].starts_with("the result of load"), "{told:?}");
    assert!(told[0].contains("is 100 MiB in memory"), "{told:?}");
    // All ten sums of ten need their blocks twice: those that do not fit are spilled.
    let again = Layer::build(Touching { label: "again", facts: Facts::bytes(8), touches: |_| vec![] });
    let again = again.input(&load, Wiring::tree(&[10])).input(&sum, Wiring::All).finish(Grid::from([10]));
    let again = Port::of(again);
    let told = problems(&again, &limits.memory(30 * mebibyte).spill_disk(10 * mebibyte));
    assert!(told.len() == 1 && told[0].contains("are spilled, and there is room for 10 MiB"), "{told:?}");
    assert_eq!(problems(&again, &limits.memory(30 * mebibyte).spill_disk(100 * mebibyte)), [""; 0]);
}

#[test]
fn claims_of_random_ranges_and_boxes_are_those_of_a_table() {
    let mut random = Random::new(11);
    for round in 0..300 {
        // Two tasks write ranges, or boxes, of a small target: the check meets what a table of cells meets.
        let boxes = random.one_in(2);
        let mut draw = || {
            let (a, b, c, d) = (random.below(8), random.below(8), random.below(8), random.below(8));
            (a.min(b) as u64, a.max(b) as u64, c.min(d) as u64, c.max(d) as u64)
        };
        let claims: Vec<Vec<(u64, u64, u64, u64)>> =
            (0..3).map(|_| (0..2).map(|_| draw()).collect()).collect();
        let cells = |&(a, b, c, d): &(u64, u64, u64, u64)| -> Vec<(u64, u64)> {
            let columns = if boxes { c..d } else { 0..1 };
            (a..b).flat_map(|row| columns.clone().map(move |column| (row, column))).collect()
        };
        let sets: Vec<HashSet<_>> = claims.iter().map(|of| of.iter().flat_map(cells).collect()).collect();
        let overlap = (0..3).any(|one| (0..one).any(|other| !sets[one].is_disjoint(&sets[other])));
        let regions = claims.clone();
        let port = layer("write", 3, Facts::bytes(8), move |at| {
            let region = |&(a, b, c, d): &(u64, u64, u64, u64)| match boxes {
                true => Region::Units { start: [a, c].into(), end: [b, d].into() },
                false => Region::Bytes(a..b),
            };
            regions[at].iter().map(|claim| Touch::write("out").region(region(claim))).collect()
        });
        let problems = plan(&[&port]).check(&CheckLimits::new(&files([])));
        assert_eq!(!problems.is_empty(), overlap, "round {round}: {claims:?}");
    }
}

#[test]
fn a_name_is_resolved_as_far_as_it_exists() {
    let here = std::env::current_dir().unwrap().canonicalize().unwrap();
    assert_eq!(LocalFiles.resolve(Path::new("not/there.csv")), here.join("not/there.csv"));
    assert_eq!(LocalFiles.resolve(Path::new("src/../Cargo.toml")), here.join("Cargo.toml"));
    assert!(LocalFiles.exists(Path::new("Cargo.toml")) && !LocalFiles.exists(Path::new("not/there.csv")));
}

#[test]
fn what_must_be_there_at_once_is_what_the_largest_task_or_the_result_needs() {
    for seed in 0..200 {
        let mut random = Random::new(seed);
        let drawn = Drawn::random(&mut random, 30);
        let n = drawn.reads.len();
        // Some are asked for twice; no task is unneeded, because all sinks are asked for.
        let mut asked = drawn.sinks();
        asked.extend((0..random.below(5)).map(|_| random.below(n)));
        let plan = Plan::new(Graph::collect(&drawn.requests(&Alive::default(), &asked)).unwrap()).unwrap();
        let tasks = plan.tasks();
        let footprint = |number: usize| {
            let read: u64 = drawn.reads[number].iter().map(|&read| drawn.bytes[read]).sum();
            read + drawn.bytes[number] + drawn.scratch[number]
        };
        let number_of = |task| tasks.layer(task).task.label()[1..].parse::<usize>().unwrap();
        for task in plan.order().iter() {
            assert_eq!(tasks.footprint_of(task), footprint(number_of(task)), "seed {seed}");
        }
        asked.sort_unstable();
        asked.dedup();
        let result = asked.iter().map(|&number| drawn.bytes[number]).sum::<u64>();
        let (bytes, largest) = tasks.result_footprint();
        assert_eq!(bytes, result, "seed {seed}");
        let largest = drawn.bytes[number_of(largest.unwrap())];
        assert_eq!(Some(largest), asked.iter().map(|&number| drawn.bytes[number]).max(), "seed {seed}");
        let most = (0..n).map(footprint).max().unwrap().max(result);
        let (least, task) = tasks.least_at_once();
        assert_eq!(least, most, "seed {seed}");
        assert!(footprint(number_of(task.unwrap())) == most || result == most, "seed {seed}");
    }
}
