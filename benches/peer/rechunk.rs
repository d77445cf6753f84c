//! A5: a file of blocks of rows becomes a file of blocks of columns, on disk.
//!
//! The peers do it from Zarr to Zarr, we from `.npy` to `.npy`: the same bytes in and out. A `.npy` file of rows has no blocks
//! of columns, and writing it would pass over the rechunk; so ours is a file of the transposed array, in which each
//! block of columns is one piece, as in Zarr, and each element is turned over besides. The number of an element is its
//! value, and the last one is the checksum, as with the peers. `A5.rechunk_into_rows` writes the file of rows.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::process::Command;

use musher::ndarray::Ix2;
use musher::prelude::*;
use serde_json::{Value, json};

use crate::report::report;

pub(crate) fn run(operation: &str, size: &str) {
    if !["rechunk", "rechunk_into_rows"].contains(&operation) {
        eprintln!("peer: musher has no workload A5.{operation}");
        std::process::exit(2);
    }
    let (rows, columns) = match size {
        "small" => (5_000, 5_000),
        "gigabyte" => (10_000, 12_500),
        _ => (20_000, 25_000),
    };
    let data = std::env::var("BENCH_DATA").unwrap_or_else(|_| ".".to_owned());
    let path = format!("{data}/rechunk_{rows}_{columns}.npy");
    let out = format!("{data}/rechunk_out.npy");
    if !Path::new(&path).exists() {
        let x = Array::<f64, Ix2>::from_shape_fn((rows, columns), (500, columns), move |(i, j)| {
            (i * columns + j) as f64
        });
        expect(x.to_npy(&path).compute());
    }
    report(|| {
        let x = expect(Array::<f64, Ix2>::read_npy(&path, (500, columns)));
        let columns = x.rechunk((rows, 500));
        let written = if operation == "rechunk" { columns.t().to_npy(&out) } else { columns.to_npy(&out) };
        expect(written.compute());
        expect(Command::new("sync").status());
        let last = expect(last_element(&out));
        expect(std::fs::remove_file(&out));
        (json!(last), Value::Null)
    });
}

fn last_element(path: &str) -> std::io::Result<f64> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::End(-8))?;
    let mut bytes = [0; 8];
    file.read_exact(&mut bytes)?;
    Ok(f64::from_le_bytes(bytes))
}

fn expect<T, E: std::fmt::Display>(result: Result<T, E>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("{error}"),
    }
}
