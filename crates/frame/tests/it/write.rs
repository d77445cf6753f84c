//! Writers: what is written reads back, the old is replaced at once or not at all.

use std::fs;
use std::path::Path;

use musher_frame::polars::prelude::*;
use musher_frame::{CsvOptions, Error, Frame};
use musher_scheduler::Compute;
use musher_testkit::compute_twice;

use crate::support::{assert_same, layouts, table};

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn what_is_written_reads_back() {
    for table in [table(40), table(0)] {
        for (layout, frame) in layouts(&table) {
            let directory = tempfile::tempdir().unwrap();
            for name in ["parts", "single.parquet"] {
                let path = directory.path().join(name);
                let written = frame.to_parquet(&path).unwrap().compute().unwrap();
                assert_eq!(written.n_rows, table.height() as u64, "{layout}");
                let back = Frame::read_parquet(path.to_str().unwrap()).unwrap();
                assert_same(&back.compute().unwrap(), &table, &layout);
            }
            let texts = frame.drop(["float", "flag"]).unwrap();
            for name in ["text", "single.csv"] {
                let path = directory.path().join(name);
                texts.to_csv(&path).unwrap().compute().unwrap();
                if table.height() == 0 {
                    continue;
                }
                let back = Frame::read_csv(path.to_str().unwrap()).unwrap();
                let back = back.cast([("small", DataType::Int8)]).unwrap();
                assert_same(&back.compute().unwrap(), &texts.compute().unwrap(), &layout);
            }
            assert_eq!(
                names(directory.path()),
                ["parts", "single.csv", "single.parquet", "text"],
                "{layout}"
            );
            let n = frame.n_partitions();
            assert_eq!(names(&directory.path().join("parts")).len(), n);
        }
    }
}

#[test]
fn single_files_have_one_header() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.csv");
    let frame = Frame::from_polars(df!("x" => [1, 2, 3], "y" => ["a", "b,c", ""]).unwrap(), 3).unwrap();
    frame.to_csv(&path).unwrap().compute().unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "x,y\n1,a\n2,\"b,c\"\n3,\"\"\n");
}

#[test]
fn the_old_is_replaced_whole_and_stays_if_the_run_fails() {
    let directory = tempfile::tempdir().unwrap();
    let (parts, single) = (directory.path().join("parts"), directory.path().join("one.csv"));
    let old = Frame::from_polars(df!("x" => [1, 2, 3, 4]).unwrap(), 4).unwrap();
    old.to_csv(&parts).unwrap().compute().unwrap();
    old.to_csv(&single).unwrap().compute().unwrap();
    let failing = old.map_partitions(
        |table| {
            let last = table.column("x")?.i32()?.get(0) == Some(4);
            if last { Err(PolarsError::ComputeError("disk of straw".into())) } else { Ok(table) }
        },
        old.schema().clone(),
    );
    for path in [&parts, &single] {
        let write = failing.to_csv(path).unwrap();
        assert!(write.compute().is_err());
        drop(write);
        let read = Frame::read_csv(path.to_str().unwrap()).unwrap().compute().unwrap();
        assert_eq!(read, df!("x" => [1_i64, 2, 3, 4]).unwrap());
    }
    assert_eq!(names(directory.path()), ["one.csv", "parts"], "nothing is left beside");
    let new = Frame::from_polars(df!("x" => [9]).unwrap(), 1).unwrap();
    for path in [&parts, &single] {
        new.to_csv(path).unwrap().compute().unwrap();
        let read = Frame::read_csv(path.to_str().unwrap()).unwrap().compute().unwrap();
        assert_eq!(read, df!("x" => [9_i64]).unwrap());
    }
    assert_eq!(names(&parts), ["part-00000.csv"]);
}

#[test]
fn foreign_directories_are_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("thesis.txt"), "years of work").unwrap();
    let frame = Frame::from(df!("x" => [1]).unwrap());
    let error = frame.to_parquet(directory.path()).unwrap_err();
    assert!(matches!(&error, Error::Foreign { found, .. } if found == "thesis.txt"), "{error}");
    let file = directory.path().join("thesis.txt");
    assert!(matches!(frame.to_parquet(&file), Err(Error::Foreign { .. })));
    fs::create_dir(directory.path().join("d.csv")).unwrap();
    assert!(matches!(frame.to_csv(directory.path().join("d.csv")), Err(Error::Foreign { .. })));
    assert_eq!(fs::read_to_string(file).unwrap(), "years of work");
}

#[test]
fn lists_do_not_fit_into_csv() {
    let lists = Frame::from(df!("x" => [1, 1]).unwrap()).aggregate([col("x").implode(true)]).unwrap();
    assert!(matches!(lists.to_csv("never.csv"), Err(Error::Unwritable { column, .. }) if column == "x"));
}

#[test]
fn a_writer_can_be_computed_twice() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("parts");
    let write = Frame::from_polars(df!("x" => [1, 2]).unwrap(), 2).unwrap().to_parquet(&path).unwrap();
    assert_eq!(write.compute().unwrap(), write.compute().unwrap());
    assert_eq!(names(&path), ["part-00000.parquet", "part-00001.parquet"]);
}

/// The run is refused before it starts, in one text with these words and this file's name.
#[track_caller]
fn refused<T: std::fmt::Debug>(result: Result<T, musher_scheduler::Error>, words: &[&str]) {
    let error = result.unwrap_err();
    assert!(matches!(error, musher_scheduler::Error::Check { .. }), "{error:?}");
    let text = error.to_string();
    let all = words.iter().chain(&["write.rs"]).all(|words| text.contains(words));
    assert!(all, "{text}");
}

#[test]
fn two_writers_of_one_target_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let frame = Frame::from_polars(df!("x" => [1, 2, 3]).unwrap(), 2).unwrap();
    for name in ["x.csv", "parts"] {
        let path = directory.path().join(name);
        let (one, two) = (frame.to_csv(&path).unwrap(), frame.tail(1).to_csv(&path).unwrap());
        refused(musher_scheduler::compute((&one, &two)), &["to_csv", "both write", name]);
    }
    assert_eq!(names(directory.path()), [""; 0]);
}

#[test]
fn a_file_that_is_read_and_overwritten_in_one_run_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    for name in ["x.parquet", "parts"] {
        let path = directory.path().join(name);
        let frame = Frame::from_polars(df!("x" => [1, 2, 3]).unwrap(), 2).unwrap();
        frame.to_parquet(&path).unwrap().compute().unwrap();
        let back = Frame::read_parquet(path.to_str().unwrap()).unwrap();
        let (rows, written) = (back.filter(col("x").gt(lit(1))).unwrap(), frame.to_parquet(&path).unwrap());
        refused(musher_scheduler::compute((&rows, &written)), &["read_parquet", "overwrites it", name]);
        assert_eq!(rows.compute().unwrap().height(), 2, "the old rows are still there");
    }
}

#[test]
fn every_short_text_survives_a_csv_file() {
    const LETTERS: [&str; 7] = ["a", "\"", ",", "\n", "\r", " ", "1"];
    let texts: Vec<String> = (0..=3_u32)
        .flat_map(|length| (0..7_usize.pow(length)).map(move |code| (length, code)))
        .map(|(length, code)| (0..length).map(|place| LETTERS[code / 7_usize.pow(place) % 7]).collect())
        .collect();
    let numbers: Vec<i64> = (0..texts.len() as i64).collect();
    let mut reversed: Vec<Option<String>> = texts.iter().rev().cloned().map(Some).collect();
    reversed[5] = None;
    let table = df!("text" => texts, "number" => numbers, "last" => reversed).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("t.csv");
    Frame::from_polars(table.clone(), 3).unwrap().to_csv(&path).unwrap().compute().unwrap();
    for block_bytes in [37, 1000, u64::MAX] {
        let options = CsvOptions::new(&path).block_bytes(block_bytes);
        let types = [("text", DataType::String), ("last", DataType::String)];
        let found = Frame::read_csv(options.dtypes(types)).unwrap().compute().unwrap();
        assert_same(&found, &table, &format!("in blocks of {block_bytes}"));
    }
}

#[test]
fn parts_and_commit_may_run_twice_and_their_chunks_travel() {
    let directory = tempfile::tempdir().unwrap();
    let frame = Frame::from_polars(table(40), 3).unwrap();
    let texts = frame.drop(["float", "flag"]).unwrap();
    let bytes = |path: &Path| match path.is_dir() {
        true => names(path).iter().map(|name| fs::read(path.join(name)).unwrap()).collect(),
        false => vec![fs::read(path).unwrap()],
    };
    for name in ["parts", "single.parquet", "text", "single.csv"] {
        let (once, twice) = (directory.path().join("once"), directory.path().join("twice"));
        fs::create_dir(&once).unwrap();
        fs::create_dir(&twice).unwrap();
        let write = |path: &Path| match name {
            "parts" | "single.parquet" => frame.to_parquet(path).unwrap(),
            _ => texts.to_csv(path).unwrap(),
        };
        let (once, twice) = (once.join(name), twice.join(name));
        let written = write(&once).compute().unwrap();
        for _ in 0..2 {
            let again = compute_twice(&write(&twice));
            assert_eq!(
                (again.n_files, again.n_rows, again.bytes),
                (written.n_files, written.n_rows, written.bytes)
            );
            assert_eq!(bytes(&twice), bytes(&once), "{name}");
            assert_eq!(names(twice.parent().unwrap()), [name], "nothing is left beside");
        }
        fs::remove_dir_all(once.parent().unwrap()).unwrap();
        fs::remove_dir_all(twice.parent().unwrap()).unwrap();
    }
}
