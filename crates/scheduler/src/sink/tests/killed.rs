//! Processes that are killed at random moments while they write: the old or the new, all parts or none, and no litter.

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use musher_testkit::{Random, again};

use super::super::abandon;
use super::{PARTS, Way};

const FOLDER: &str = "TEST_SINK_FOLDER";
const ORDERS: &str = "TEST_SINK_ORDERS";
const KILLS: usize = 200;

/// Does nothing unless it is a child of one of the next tests: then it writes one generation after the other, and tells each
/// time.
#[test]
fn child() {
    let (Some(folder), Ok(orders)) = (env::var_os(FOLDER), env::var(ORDERS)) else { return };
    let (folder, (way, first)) =
        (PathBuf::from(folder), serde_json::from_str::<(Way, u64)>(&orders).unwrap());
    let mut out = std::io::stdout().lock();
    for generation in first.. {
        let (stage, _) = way.run(&folder, generation);
        abandon(stage.run);
        writeln!(out, "\nwritten {generation}").and_then(|()| out.flush()).unwrap();
    }
}

/// Runs the child until it has written once and a random time more; the last generation that it is known to have written.
fn run_and_kill(way: Way, folder: &Path, first: u64, delay: Duration) -> u64 {
    let mut command = again("sink::tests::killed::child");
    command.env(FOLDER, folder).env(ORDERS, serde_json::to_string(&(way, first)).unwrap());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut written = lines.filter_map(|line| line.strip_prefix("written ")?.parse::<u64>().ok());
    let begun = written.next().expect("it writes");
    thread::sleep(delay);
    child.kill().unwrap();
    child.wait().unwrap();
    written.last().unwrap_or(begun)
}

fn kill_often(way: Way) {
    // In memory a commit is so fast that the kills meet every part of it.
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    let (folder, mut random) = (folder.unwrap(), Random::new(way as u64));
    let (mut first, mut littered, mut unfinished) = (0, 0, 0);
    for kill in 0..KILLS {
        let delay = Duration::from_micros(random.below(3000) as u64);
        let written = run_and_kill(way, folder.path(), first, delay);
        let old_or_new = |found: u64| found == written || found == written + 1;
        littered += usize::from(!way.litter(folder.path()).is_empty());
        let found = way.found(folder.path());
        match way {
            // One after the other gets its name.
            Way::Files => {
                assert!(found.iter().all(|&found| old_or_new(found)), "kill {kill}: {found:?}, {written}");
                unfinished += usize::from(found.len() > 1);
            }
            // For a moment there is nothing.
            Way::TwoRenames if found.is_empty() => unfinished += 1,
            // What was there before gets the new files one by one.
            Way::NewFolder => assert!(found.iter().all(|&found| old_or_new(found))),
            _ => assert!(
                found.len() == 1 && found.iter().all(|&found| old_or_new(found)),
                "kill {kill}: {found:?}"
            ),
        }
        // The next run, which is given up.
        abandon(way.open(folder.path()).run);
        let found = way.found(folder.path());
        assert!(
            found.len() == 1 && found.iter().all(|&found| old_or_new(found)),
            "kill {kill}: {found:?}, {written}"
        );
        let litter = way.litter(folder.path());
        assert!(litter.is_empty(), "kill {kill}: {litter:?}");
        first = written + 2;
    }
    assert!(littered > 0, "no kill of {KILLS} met a run at work");
    if way == Way::Files {
        assert!(unfinished > 0, "no kill of {KILLS} met a commit between two of {PARTS} names");
    }
}

#[test]
fn a_folder() {
    kill_often(Way::Folder);
}

#[test]
fn a_folder_by_two_renames() {
    kill_often(Way::TwoRenames);
}

#[test]
fn a_folder_that_was_new() {
    kill_often(Way::NewFolder);
}

#[test]
fn files_in_a_folder() {
    kill_often(Way::Files);
}

#[test]
fn a_file_that_is_assembled() {
    kill_often(Way::File);
}

#[test]
fn a_file_at_offsets() {
    kill_often(Way::Offsets);
}
