//! One program, two processes, one scope: what reads and writes files builds the same plan in both.

use std::path::Path;
use std::process::Command;

use musher::graph::{Key, Plan, Request, Scope};
use musher::image::imread;
use musher::ndarray::Ix2;
use musher::prelude::*;

use crate::Outcome;
use crate::facts::prepare;

/// Where the second process finds the files; it prints its fingerprint.
const FOLDER: &str = "SECOND_PROCESS_OF_A_TEST";

/// Reads each kind of file, by functions that capture something, and writes each kind that is written lazily.
fn program(folder: &Path) -> Result<Vec<Request>, Box<dyn std::error::Error>> {
    let factor = folder.as_os_str().len() as f64;
    let x = Array::<f64, Ix2>::read_npy(folder.join("x.npy"), 3)?.mapv(move |x| factor * x);
    let noise = musher::array::random::normal((8, 6), 4).build();
    let lines = Bag::read_text(folder.join("lines-*.txt").to_str().unwrap_or_default())?;
    let numbers = lines.map(move |line: String| line.len() as f64 * factor);
    let (csv, parquet) =
        (Frame::read_csv(folder.join("table.csv"))?, Frame::read_parquet(folder.join("table.parquet"))?);
    let tiles = imread(folder.join("tiles").join("tile-*.png"))?;
    Ok(vec![
        (&x + &noise).to_npy(folder.join("y.npy")).request(),
        numbers.to_json_lines(folder.join("numbers-*.jsonl"))?.request(),
        csv.to_parquet(folder.join("out"))?.request(),
        parquet.to_csv(folder.join("out.csv"))?.request(),
        tiles.sum().request(),
    ])
}

fn fingerprint(folder: &Path) -> Result<Key, Box<dyn std::error::Error>> {
    let requests = Scope::from_bits(2026).run(|| program(folder))?;
    Ok(Plan::of(&requests, &|| true)?.fingerprint())
}

#[test]
fn readers_and_writers_build_the_same_plan_in_another_process() -> Outcome {
    if let Some(folder) = std::env::var_os(FOLDER) {
        println!("fingerprint={:?}", fingerprint(Path::new(&folder))?);
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    prepare(folder.path())?;
    let here = fingerprint(folder.path())?;
    assert_eq!(here, fingerprint(folder.path())?, "twice in one process");
    let name = "scope::readers_and_writers_build_the_same_plan_in_another_process";
    let mut second = Command::new(std::env::current_exe()?);
    let second = second.args(["--exact", name, "--nocapture"]).env(FOLDER, folder.path()).output()?;
    let said = String::from_utf8(second.stdout)?;
    assert!(said.contains(&format!("fingerprint={here:?}")), "{here:?} here, there:\n{said}");
    Ok(())
}
