//! Data of eight times the memory limit and more: rows to columns, `x + x.t()`, a tall matrix's `x.t().dot(&x)`, a shuffle.
//!
//! Each runs in a process of its own, from file to file where there are files, and prints one figure for
//! `cargo xtask bench`: wall and processor seconds, resident memory, bytes that went to the disk and came back, and how
//! many files were left (none). The answer is checked. `BENCH_SIZE` is `small` (512 MiB within 64 MiB) or `large` (8 GiB,
//! else 4 GiB, within 512 MiB); `BENCH_DATA` names the folder for the files, which takes up to three times the data.

#[path = "measure/mod.rs"]
mod measure;

use std::error::Error;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use measure::{Moment, forget_peak, peak_resident, resident};
use musher::ndarray::Ix2;
use musher::prelude::*;
use musher::scheduler::{SpillDir, SpillOptions};
use serde_json::{Value, json};

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

const CASES: [&str; 4] = ["rechunk", "transpose_add", "tall_skinny", "shuffle"];
/// What begins the arguments of a process that runs one case.
const CHILD: &str = "child";
/// Columns of the tall matrix.
const FEATURES: usize = 64;

fn main() -> Outcome {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    if let [first, step, case, size, folder] = words.as_slice()
        && first == CHILD
    {
        let case = Case::new(case, size, Path::new(folder));
        return if step == "prepare" { case.prepare() } else { case.run() };
    }
    let filter = words.first().cloned().unwrap_or_default();
    let size = std::env::var("BENCH_SIZE").unwrap_or_else(|_| "small".to_owned());
    let base = std::env::var_os("BENCH_DATA").map_or_else(std::env::temp_dir, Into::into);
    for case in CASES.into_iter().filter(|case| format!("limits/{case}").contains(&filter)) {
        let folder = tempfile::tempdir_in(&base)?;
        fs::create_dir(folder.path().join("spill"))?;
        child("prepare", case, &size, folder.path())?;
        let mut figure: Value = serde_json::from_str(&child("run", case, &size, folder.path())?)?;
        figure["left_files"] = json!(fs::read_dir(folder.path().join("spill"))?.count());
        println!("{figure}");
    }
    Ok(())
}

/// Runs one step of a case in a process of its own and gives what it prints.
fn child(step: &str, case: &str, size: &str, folder: &Path) -> Outcome<String> {
    let mut command = Command::new(std::env::current_exe()?);
    let output = command
        .args([CHILD, step, case, size])
        .arg(folder)
        .stderr(std::process::Stdio::inherit())
        .output()?;
    match output.status.success() {
        true => Ok(String::from_utf8(output.stdout)?),
        false => Err(format!("{case}: {step} ended with {}", output.status).into()),
    }
}

/// One computation of one size.
struct Case<'a> {
    name: &'a str,
    size: &'a str,
    limit: usize,
    folder: &'a Path,
}

impl<'a> Case<'a> {
    fn new(name: &'a str, size: &'a str, folder: &'a Path) -> Self {
        let limit = if size == "large" { 512 << 20 } else { 64 << 20 };
        Self { name, size, limit, folder }
    }

    /// Numbers in a row, which only the shuffle has.
    fn n_numbers(&self) -> usize {
        8 * self.limit / size_of::<i64>()
    }

    /// Shape of the array on disk.
    fn shape(&self) -> (usize, usize) {
        match (self.name, self.size) {
            ("tall_skinny", _) => (8 * self.limit / size_of::<f64>() / FEATURES, FEATURES),
            ("rechunk", "large") => (32_768, 32_768),
            (_, "large") => (23_552, 23_552),
            _ => (8_192, 8_192),
        }
    }

    /// Elements of a block of a sixteenth of the limit.
    fn block(&self) -> usize {
        self.limit / 16 / size_of::<f64>()
    }

    /// The chunks in which the file is read.
    fn chunks(&self) -> (usize, usize) {
        let (_, columns) = self.shape();
        match self.name {
            "transpose_add" => (self.block().isqrt(), self.block().isqrt()),
            _ => (self.block() / columns, columns),
        }
    }

    fn source(&self) -> PathBuf {
        self.folder.join("x.npy")
    }

    fn out(&self) -> PathBuf {
        self.folder.join("out.npy")
    }

    /// Writes the file that is read.
    fn prepare(&self) -> Outcome {
        let (rows, columns) = self.shape();
        if self.name != "shuffle" {
            let value = move |(i, j)| value(i * columns + j);
            let chunks = ((self.block() / columns).max(1), columns);
            let x = Array::<f64, Ix2>::from_shape_fn((rows, columns), chunks, value);
            x.to_npy(self.source()).compute()?;
        }
        Ok(())
    }

    /// Runs it under the limit and prints what it took.
    fn run(&self) -> Outcome {
        let spill = SpillOptions::default().base(self.folder.join("spill")).in_memory(self.limit as u64 / 4);
        let disk = Arc::new(SpillDir::new(spill));
        let options = Options::default().memory_limit(self.limit as u64).spill_to(disk.clone());
        forget_peak();
        let base = resident();
        let start = Moment::now();
        let answer = self.compute(&options)?;
        let (seconds, cpu, other) = (start.seconds(), start.cpu_seconds(), start.other_cpu());
        let (peak, counts) = (peak_resident(), disk.counts());
        self.check(answer)?;
        let figure = json!({
            "figure": format!("limits/{}/{}", self.name, self.size), "seconds": seconds, "cpu_seconds": cpu,
            "other_cpu": other, "limit_bytes": self.limit, "data_bytes": self.data_bytes(), "peak_rss_bytes": peak,
            "base_rss_bytes": base, "disk_written_bytes": counts.written, "disk_read_bytes": counts.read,
        });
        println!("{figure}");
        Ok(())
    }

    /// The computation itself, until its file is on the disk or its number is there.
    fn compute(&self, options: &Options) -> Outcome<f64> {
        if self.name == "shuffle" {
            let n = self.n_numbers() as i64;
            // An odd factor permutes the numbers below a power of two.
            let numbers = Bag::range(0..n, 128).map(move |x| x * 7919 % n);
            let sum =
                numbers.shuffle_by(128, |x| x % 1000).fold(0, |sum, x| sum + x, |one, other| one + other);
            return Ok(sum.compute_with(options)? as f64);
        }
        let x = Array::<f64, Ix2>::read_npy(self.source(), self.chunks())?;
        let (rows, _) = self.shape();
        let written = match self.name {
            // A file of rows would have no blocks of columns: each column becomes a row.
            "rechunk" => x.rechunk((rows, self.block() / rows)).t().to_npy(self.out()),
            "transpose_add" => (&x + x.t()).to_npy(self.out()),
            _ => return Ok(x.t().dot(&x).compute_with(options)?.diag().sum()),
        };
        written.compute_with(options)?;
        // The answer of a writer is worth its time only when it is on the disk.
        File::open(self.out())?.sync_all()?;
        Ok(0.0)
    }

    /// Compares the answer, or a thousand elements of the file, with what they must be.
    fn check(&self, answer: f64) -> Outcome {
        let (rows, columns) = self.shape();
        let at = |i: usize, j: usize| value(i * columns + j);
        match self.name {
            "shuffle" => {
                let n = self.n_numbers() as i64;
                assert_eq!(answer, (n * (n - 1) / 2) as f64);
            }
            "tall_skinny" => {
                let squares: f64 = (0..rows * columns).map(|at| value(at).powi(2)).sum();
                assert!((answer / squares - 1.0).abs() < 1e-9, "{answer} is not {squares}");
            }
            "rechunk" => check_file(&self.out(), (columns, rows), |i, j| at(j, i))?,
            _ => check_file(&self.out(), (rows, columns), |i, j| at(i, j) + at(j, i))?,
        }
        Ok(())
    }

    fn data_bytes(&self) -> usize {
        let (rows, columns) = self.shape();
        if self.name == "shuffle" { 8 * self.n_numbers() } else { 8 * rows * columns }
    }
}

/// A number from 0 to 1 whose bits lz4 makes no shorter.
fn value(at: usize) -> f64 {
    (at as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_right(32).wrapping_mul(0xBF58_476D_1CE4_E5B9)
        as f64
        / 2.0_f64.powi(64)
}

/// Compares a thousand elements of a file with what they must be.
fn check_file(path: &Path, (rows, columns): (usize, usize), value: impl Fn(usize, usize) -> f64) -> Outcome {
    let mut file = File::open(path)?;
    let header = file.metadata()?.len() - (rows * columns * size_of::<f64>()) as u64;
    for sample in 0..1_000 {
        let at = sample * 982_451_653 % (rows * columns);
        file.seek(SeekFrom::Start(header + (at * size_of::<f64>()) as u64))?;
        let mut bytes = [0; 8];
        file.read_exact(&mut bytes)?;
        let (i, j) = (at / columns, at % columns);
        assert_eq!(f64::from_le_bytes(bytes), value(i, j), "at [{i}, {j}]");
    }
    Ok(())
}
