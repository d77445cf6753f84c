//! Writers that are killed at any moment: a reader finds the old or the new, whole; the next run finds no litter.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use musher::frame::polars::prelude::col;
use musher::image::{imread, imsave, imsave_tiles};
use musher::ndarray::{Ix1, Ix2};
use musher::prelude::*;

use crate::Outcome;

/// Where the process that is killed writes.
const FOLDER: &str = "PROCESS_OF_A_TEST_THAT_IS_KILLED";
const N_KILLS: u64 = 40;
const N: usize = 600;

/// Writes one number by each writer, again and again until it is killed.
#[test]
fn child_that_is_killed() -> Outcome {
    let Some(folder) = std::env::var_os(FOLDER) else { return Ok(()) };
    (1..=u8::MAX).cycle().try_for_each(|number| write(Path::new(&folder), number))
}

fn write(folder: &Path, number: u8) -> Outcome {
    let value = f64::from(number);
    Array::from_shape_fn(N, 100, move |_| value).to_npy(folder.join("x.npy")).compute()?;
    let numbers = Bag::range(0..N as i64, 6).map(move |_: i64| number);
    numbers.map(|number: u8| number.to_string()).to_text(folder.join("text/part-*.txt"))?.compute()?;
    numbers.to_json_lines(folder.join("text/part-*.jsonl"))?.compute()?;
    let table = numbers.map(|number: u8| (i64::from(number), 0_i64)).to_frame(["number", "zero"])?;
    table.to_parquet(folder.join("table"))?.compute()?;
    table.to_parquet(folder.join("table.parquet"))?.compute()?;
    table.to_csv(folder.join("table.csv"))?.compute()?;
    let image = Array::<u8, Ix2>::from_shape_fn((16, 16), 8, move |_| number);
    imsave_tiles(&image, folder.join("tiles"), "png")?;
    imsave(&image, folder.join("one.png"))?;
    Ok(())
}

/// The only number that a reader finds; none if nothing was written yet.
fn only(name: &str, numbers: impl IntoIterator<Item = i64>) -> Option<i64> {
    let numbers: BTreeSet<i64> = numbers.into_iter().collect();
    assert!(numbers.len() <= 1, "{name} is of several runs: {numbers:?}");
    numbers.first().copied()
}

/// The numbers of a table, which has all its rows.
fn column(table: &Frame) -> Result<Vec<i64>, Box<dyn std::error::Error>> {
    let table = table.select([col("number")])?.compute()?;
    assert_eq!(table.height(), N);
    Ok(table.column("number")?.i64()?.into_no_null_iter().collect())
}

fn pixels(pattern: &Path) -> Result<Vec<i64>, Box<dyn std::error::Error>> {
    Ok(imread(pattern)?.compute()?.iter().map(|&pixel| i64::from(pixel)).collect())
}

/// What has one name, or a folder of its own, is of one run.
fn check(folder: &Path) -> Outcome {
    let is_there = |name: &str| folder.join(name).exists();
    if is_there("x.npy") {
        let x = Array::<f64, Ix1>::read_npy(folder.join("x.npy"), 100)?.compute()?;
        only("x.npy", x.iter().map(|&number| number as i64));
    }
    for (name, is_csv) in [("table", false), ("table.parquet", false), ("table.csv", true)] {
        if is_there(name) {
            let path = folder.join(name);
            let table = if is_csv { Frame::read_csv(&path)? } else { Frame::read_parquet(&path)? };
            only(name, column(&table)?);
        }
    }
    for (name, pattern) in [("tiles", "tiles/tile-*.png"), ("one.png", "one.png")] {
        if is_there(name) {
            only(name, pixels(&folder.join(pattern))?);
        }
    }
    Ok(())
}

/// Files in a folder of others are all of the run that came last, and there is nothing but what was written.
fn check_after_another_run(folder: &Path, number: u8) -> Outcome {
    let text = Bag::read_text(folder.join("text/part-*.txt"))?.compute()?;
    assert_eq!(text.len(), N);
    let parse = |line: &String| line.parse().unwrap_or(-1);
    assert_eq!(only("text", text.iter().map(parse)), Some(number.into()));
    let json = Bag::<i64>::read_json_lines(folder.join("text/part-*.jsonl"))?.compute()?;
    assert_eq!((json.len(), only("json lines", json)), (N, Some(number.into())));
    let names = |folder: &Path| -> std::io::Result<Vec<String>> {
        let entries =
            fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
        let mut names = entries.collect::<std::io::Result<Vec<_>>>()?;
        names.sort();
        Ok(names)
    };
    let expected = ["one.png", "table", "table.csv", "table.parquet", "text", "tiles", "x.npy"];
    assert_eq!(names(folder)?, expected);
    for (name, n_files) in [("text", 13), ("table", 6), ("tiles", 4)] {
        assert_eq!(names(&folder.join(name))?.len(), n_files, "{name}");
    }
    assert_eq!(fs::read_to_string(folder.join("text/others.md"))?, "of somebody else");
    Ok(())
}

#[test]
fn a_killed_writer_leaves_the_old_or_the_new_and_the_next_run_leaves_nothing_else() -> Outcome {
    let folder = tempfile::tempdir()?;
    fs::create_dir(folder.path().join("text"))?;
    fs::write(folder.path().join("text/others.md"), "of somebody else")?;
    for round in 0..N_KILLS {
        let mut child = Command::new(std::env::current_exe()?);
        let child = child.args(["--exact", "killed::child_that_is_killed"]).env(FOLDER, folder.path());
        let mut child = child.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        // All of a process's life, from its start to some rounds later.
        std::thread::sleep(Duration::from_micros(10_000 + round * 7919 % 41 * 5_000));
        child.kill()?;
        child.wait()?;
        check(folder.path()).map_err(|error| format!("round {round}: {error:?}"))?;
        if round % 4 == 3 {
            let number = 200 + (round % 50) as u8;
            write(folder.path(), number)?;
            check(folder.path())?;
            check_after_another_run(folder.path(), number)?;
        }
    }
    Ok(())
}
