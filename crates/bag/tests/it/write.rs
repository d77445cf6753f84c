//! Files out: what is written is read back, and a failed run leaves nothing.

use crate::support::everywhere;
use musher_bag::{Bag, Error};
use musher_scheduler::{Compute, Options};
use musher_testkit::compute_twice;
use std::fs;
use std::path::Path;

/// The names in a folder, hidden ones included.
fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn partitions_become_files_that_read_back() {
    let lines: Vec<String> = (0..25).map(|i| format!("line {i}")).collect();
    for ending in ["txt", "txt.gz", "zst"] {
        let folder = tempfile::tempdir().unwrap();
        let bag = Bag::from_sequence(lines.clone(), 11);
        // Once into a new folder two levels down, once into the same one again.
        for _ in 0..2 {
            let pattern = folder.path().join(format!("new/deep/part-*.{ending}"));
            let paths = bag.to_text(&pattern).unwrap().compute_with(&Options::default().threads(3)).unwrap();
            assert_eq!(paths.len(), 11);
            assert!(paths[3].ends_with(format!("part-03.{ending}")));
            assert_eq!(names(&folder.path().join("new/deep")).len(), 11);
            assert_eq!(names(&folder.path().join("new")), ["deep"]);
            let back = Bag::read_text(&pattern).unwrap();
            assert_eq!(everywhere(&back), lines);
        }
    }
}

#[test]
fn json_reads_back() {
    let folder = tempfile::tempdir().unwrap();
    let items: Vec<(u32, Option<String>)> =
        (0..9).map(|i| (i, (i % 2 == 0).then(|| format!("\"{i}\"\n")))).collect();
    let pattern = folder.path().join("*.jsonl");
    Bag::from_sequence(items.clone(), 3).to_json_lines(&pattern).unwrap().compute().unwrap();
    let back = Bag::<(u32, Option<String>)>::read_json_lines(&pattern).unwrap();
    assert_eq!(everywhere(&back), items);
}

#[test]
fn a_failed_run_leaves_the_old_files_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("part-0.txt"), "old").unwrap();
    let bad = Bag::from_sequence(["1", "2", "x", "4"], 4).try_map(str::parse::<i32>).map(|x| x.to_string());
    for target in ["part-*.txt", "new/part-*.txt"] {
        let written = bad.to_text(folder.path().join(target)).unwrap();
        for threads in [1, 2] {
            assert!(written.compute_with(&Options::default().threads(threads)).is_err());
            assert_eq!(names(folder.path()), ["part-0.txt"]);
            assert_eq!(fs::read_to_string(folder.path().join("part-0.txt")).unwrap(), "old");
        }
    }
}

#[test]
fn patterns_need_one_star_for_several_partitions() {
    let bag = Bag::from_sequence(["a".to_owned(), "b".to_owned()], 2);
    for pattern in ["a.txt", "*-*.txt", "*/part-*.txt", ".."] {
        assert!(matches!(bag.to_text(pattern), Err(Error::OutputPattern { .. })), "{pattern}");
    }
    let folder = tempfile::tempdir().unwrap();
    let one = bag.repartition(1).to_text(folder.path().join("a.txt")).unwrap();
    one.compute().unwrap();
    // Writing is done each time it is asked for.
    fs::remove_file(folder.path().join("a.txt")).unwrap();
    one.compute().unwrap();
    assert_eq!(names(folder.path()), ["a.txt"]);
}

/// The run is refused before it starts, in one text with these words and this file's name.
#[track_caller]
fn refused<T: std::fmt::Debug>(result: Result<T, musher_scheduler::Error>, words: &[&str]) {
    let error = result.unwrap_err();
    assert!(matches!(error, musher_scheduler::Error::Check { .. }), "{error:?}");
    let text = error.to_string();
    assert!(words.iter().chain(&["write.rs"]).all(|words| text.contains(words)), "{text}");
}

#[test]
fn two_writers_of_one_file_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let bag = Bag::from_sequence(["a".to_owned(), "b".to_owned()], 2);
    let pattern = folder.path().join("*.txt");
    let (one, two) = (bag.to_text(&pattern).unwrap(), bag.to_json_lines(&pattern).unwrap());
    refused(musher_scheduler::compute((&one, &two)), &["to_text", "to_json_lines", "both write", "0.txt"]);
    assert_eq!(names(folder.path()), [""; 0]);
}

#[test]
fn a_file_that_is_read_and_overwritten_in_one_run_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for n in [1, 2] {
        let pattern = folder.path().join("*.jsonl");
        Bag::from_sequence(["a".to_owned(), "b".to_owned()], n)
            .to_json_lines(&pattern)
            .unwrap()
            .compute()
            .unwrap();
        let lines = Bag::<String>::read_json_lines(&pattern).unwrap().map(|line| line + "!");
        let written = lines.to_json_lines(&pattern).unwrap();
        refused(written.compute(), &["read_json_lines", "while to_json_lines", "overwrites it", "0.jsonl"]);
        assert_eq!(fs::read_to_string(folder.path().join("0.jsonl")).unwrap().lines().next(), Some("\"a\""));
        fs::remove_dir_all(folder.path()).unwrap();
        fs::create_dir(folder.path()).unwrap();
    }
}

#[test]
fn parts_and_commit_may_run_twice_and_their_chunks_travel() {
    let folder = tempfile::tempdir().unwrap();
    let bag = Bag::from_sequence((0..25).map(|i| format!("line {i}")), 4);
    for ending in ["txt", "gz", "zst"] {
        // Into a new folder, then into one that is there.
        for _ in 0..2 {
            let pattern = folder.path().join(format!("{ending}/part-*.{ending}"));
            let paths = compute_twice(&bag.to_text(&pattern).unwrap());
            assert_eq!(paths.len(), 4);
            assert_eq!(names(&folder.path().join(ending)).len(), 4);
            assert_eq!(everywhere(&Bag::read_text(&pattern).unwrap()), everywhere(&bag));
        }
    }
    let paths = compute_twice(&bag.to_json_lines(folder.path().join("*.jsonl")).unwrap());
    assert_eq!(fs::read_to_string(&paths[3]).unwrap().lines().last(), Some("\"line 24\""));
    assert_eq!(names(folder.path()), ["0.jsonl", "1.jsonl", "2.jsonl", "3.jsonl", "gz", "txt", "zst"]);
}

#[test]
fn two_writers_make_one_new_folder() {
    let folder = tempfile::tempdir().unwrap();
    let bag = Bag::from_sequence(["a".to_owned(), "b".to_owned()], 2);
    let new = folder.path().join("new");
    let (a, b) = (bag.to_text(new.join("a-*")).unwrap(), bag.to_text(new.join("b-*")).unwrap());
    musher_scheduler::compute((&a, &b)).unwrap();
    assert_eq!(names(&new), ["a-0", "a-1", "b-0", "b-1"]);
    musher_scheduler::compute((&a, &b)).unwrap();
    assert_eq!(names(&new), ["a-0", "a-1", "b-0", "b-1"]);
    assert_eq!(names(folder.path()), ["new"]);
}

#[test]
fn a_folder_in_the_way_of_a_file_leaves_all_the_old_ones() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("part-0"), "old").unwrap();
    fs::create_dir(folder.path().join("part-1")).unwrap();
    let bag = Bag::from_sequence(["a".to_owned(), "b".to_owned()], 2);
    let error = bag.to_text(folder.path().join("part-*")).unwrap().compute().unwrap_err();
    assert!(format!("{error:?}").contains("part-1"), "{error:?}");
    assert_eq!(fs::read_to_string(folder.path().join("part-0")).unwrap(), "old");
    assert_eq!(names(folder.path()), ["part-0", "part-1"]);
}
