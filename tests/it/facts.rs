//! What graphs are built from: told elsewhere, the graph is the same; and what has changed since is not read.

use std::error::Error;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use musher::graph::{Plan, Request, Scope};
use musher::image::{imread, imread_chunked, imread_tiles, imsave, imsave_tiles};
use musher::ndarray::Ix2;
use musher::prelude::*;
use musher::scheduler::files::Facts;

use crate::Outcome;

type Fails = Result<(), Box<dyn Error>>;

/// A file of each kind that is read.
pub(crate) fn prepare(folder: &Path) -> Outcome {
    let pixels = Array::<u8, Ix2>::zeros((8, 8), 4);
    Array::<f64, Ix2>::ones((8, 6), 4).to_npy(folder.join("x.npy")).compute()?;
    let lines = Bag::range(0..100, 4).map(|n: i64| n.to_string());
    lines.to_text(folder.join("lines-*.txt"))?.compute()?;
    let pairs = Bag::range(0..100, 4).map(|n: i64| (n, n as f64 / 2.0));
    pairs.to_json_lines(folder.join("pairs-*.jsonl"))?.compute()?;
    let table = pairs.to_frame(["n", "half"])?;
    table.to_csv(folder.join("table.csv"))?.compute()?;
    table.to_parquet(folder.join("table.parquet"))?.compute()?;
    imsave_tiles(&pixels, folder.join("tiles"), "png")?;
    imsave(&pixels, folder.join("one.tif"))?;
    Ok(())
}

/// Makes a file another one.
type Change = fn(&Path) -> std::io::Result<()>;

/// Builds on one kind of file, and computes.
type Reader = fn(&Path) -> Result<Box<dyn Fn() -> Fails>, Box<dyn Error>>;

fn reader<C: Collection + 'static>(built: C) -> Box<dyn Fn() -> Fails> {
    Box::new(move || {
        built.compute()?;
        Ok(())
    })
}

/// Each reader, with the file of its input that is changed.
const READERS: [(&str, Reader); 8] = [
    ("x.npy", |folder| Ok(reader(Array::<f64, Ix2>::read_npy(folder.join("x.npy"), 3)?.sum()))),
    ("lines-2.txt", |folder| Ok(reader(Bag::read_text(folder.join("lines-*.txt"))?.count()))),
    ("pairs-0.jsonl", |folder| {
        Ok(reader(Bag::<(i64, f64)>::read_json_lines(folder.join("pairs-*.jsonl"))?.count()))
    }),
    ("table.csv", |folder| Ok(reader(Frame::read_csv(folder.join("table.csv"))?))),
    ("table.parquet", |folder| Ok(reader(Frame::read_parquet(folder.join("table.parquet"))?))),
    ("tile-1-0.png", |folder| Ok(reader(imread(folder.join("tiles/tile-*.png"))?.sum()))),
    ("tile-0-1.png", |folder| {
        let tiles = imread_tiles(folder.join("tiles/tile-*.png"), (2, 2))?;
        Ok(reader(tiles[0][1].sum()))
    }),
    ("one.tif", |folder| Ok(reader(imread_chunked(folder.join("one.tif"), 3)?.sum()))),
];

#[test]
fn an_input_that_has_changed_since_the_graph_was_built_is_an_error_that_names_it() -> Outcome {
    let changes: [(&str, Change); 4] = [
        ("written over", |path| {
            let mut bytes = fs::read(path)?;
            // The last byte: the first ones may be looked at by themselves.
            bytes.last_mut().into_iter().for_each(|byte| *byte ^= 1);
            fs::OpenOptions::new().write(true).open(path)?.write_all(&bytes)
        }),
        ("longer", |path| fs::write(path, [fs::read(path)?, vec![b'\n']].concat())),
        ("replaced", |path| {
            let bytes = fs::read(path)?;
            fs::remove_file(path)?;
            // Something else may get the number that the old file had.
            fs::write(path.with_extension("beside"), "x")?;
            fs::write(path, bytes)
        }),
        ("gone", |path| fs::remove_file(path)),
    ];
    for (name, build) in READERS {
        for (how, change) in changes {
            let folder = tempfile::tempdir()?;
            prepare(folder.path())?;
            let computes = build(folder.path())?;
            std::thread::sleep(Duration::from_millis(15));
            let (inside, beside) = (folder.path().join("tiles").join(name), folder.path().join(name));
            change(if inside.exists() { &inside } else { &beside })?;
            let error = computes().err().ok_or_else(|| format!("{name}, {how}: it was read"))?;
            let first: &(dyn Error + 'static) = error.as_ref();
            let words = std::iter::successors(Some(first), |&error| error.source());
            let words = words.map(ToString::to_string).collect::<Vec<_>>().join(": ");
            assert!(words.contains(name), "{name}, {how}: {words}");
        }
    }
    Ok(())
}

/// Reads each kind of file.
fn program(folder: &Path) -> Result<Vec<Request>, Box<dyn Error>> {
    Ok(vec![
        Array::<f64, Ix2>::read_npy(folder.join("x.npy"), 3)?.request(),
        Bag::read_text(folder.join("lines-*.txt"))?.count().request(),
        Bag::<(i64, f64)>::read_json_lines(folder.join("pairs-*.jsonl"))?.count().request(),
        Frame::read_csv(folder.join("table.csv"))?.request(),
        Frame::read_parquet(folder.join("table.parquet"))?.request(),
        imread(folder.join("tiles/tile-*.png"))?.request(),
        imread_chunked(folder.join("one.tif"), 3)?.request(),
    ])
}

#[test]
fn a_graph_is_built_from_facts_that_were_written_down_where_there_are_no_files() -> Outcome {
    let folder = tempfile::tempdir()?;
    prepare(folder.path())?;
    let fingerprint = |requests: &[Request]| Plan::of(requests, &|| true).map(|plan| plan.fingerprint());
    let scope = || Scope::from_bits(30);
    let (here, facts) = Facts::record(|| scope().run(|| program(folder.path())));
    let stored = serde_json::to_vec(&facts)?;
    fs::remove_dir_all(folder.path())?;
    assert!(program(folder.path()).is_err(), "the files are gone");

    let facts: Facts = serde_json::from_slice(&stored)?;
    let there = facts.clone().replay(|| scope().run(|| program(folder.path())))?;
    assert_eq!(fingerprint(&there)?, fingerprint(&here?)?);

    let other = facts.replay(|| Frame::read_csv(folder.path().join("table.csv")).map(drop));
    let error = other.err().ok_or("another program is told nothing")?;
    let words = format!("{error:?}");
    assert!(words.contains("table.csv"), "{words}");
    Ok(())
}

#[test]
fn an_error_that_was_met_is_told_again() -> Outcome {
    let folder = tempfile::tempdir()?;
    let missing = || Array::<f64, Ix2>::read_npy(folder.path().join("x.npy"), 3).map(drop);
    let (met, facts) = Facts::record(missing);
    prepare(folder.path())?;
    let told = facts.replay(missing);
    let words = |result: Result<(), musher::array::Error>| result.map_err(|error| format!("{error:?}"));
    assert_eq!(words(told), words(met));
    assert!(missing().is_ok());
    Ok(())
}
