//! What the README and `docs/speed.md` say of speed and memory, each figure from the newest record that has it.
//!
//! On each page the block between two marks is written by `cargo xtask bench --readme`; `cargo xtask tidy` fails where it says anything
//! else than the records do. A claim without a record is left out, and quick runs prove nothing.

use std::path::Path;

use serde_json::Value;

use super::RECORDS;
use super::record::Record;
use crate::Result;

/// Where other processes kept more than this many cores busy, a record is said to be of a busy machine.
const BUSY: f64 = 0.3;

/// A page with figures: where it is, the way from it to the root, and what it claims.
struct Page {
    path: &'static str,
    to_root: &'static str,
    claims: &'static [(&'static str, Claim)],
}

const PAGES: [Page; 2] = [
    Page { path: "README.md", to_root: "", claims: README },
    Page { path: "docs/speed.md", to_root: "../", claims: SPEED },
];

/// Peers whose names begin so are loops in Rust, written by hand for the workload, with all that the processor has.
const BY_HAND: &str = "rust-sol-native";

const BEGIN: &str = "<!-- figures: written by `cargo xtask bench --readme` -->\n";
const END: &str = "<!-- end of figures -->\n";

/// Where a claim's figures are in a record.
enum Claim {
    /// Nanoseconds a task of the peers' workload S1 in this shape, beside those of the peers.
    Overhead(&'static str),
    /// Nanoseconds of a bench, for each of so many calls.
    Call(&'static str, f64),
    /// Speed-up of simulated workers.
    Admission,
    /// A computation on eight times its memory limit, or more.
    Limited(&'static str),
    /// Seconds and memory of a workload of the peers', beside Dask's.
    Beside(&'static str),
    /// Bytes that go to the disk and come back, beside those of the least recently used.
    Moved(&'static str),
    /// Time and memory of work on arrays, beside the times of the peers.
    Work(&'static str),
    /// Time of work on many chunks, all and each.
    Chunks(&'static str),
}

use Claim::{Admission, Beside, Call, Chunks, Limited, Moved, Overhead, Work};

const README: &[(&str, Claim)] = &[
    ("mean of 20,000 × 20,000 random numbers", Work("A1.mean")),
    ("`x + x.t() - x.mean_axis(Axis(0))` of such, summed", Work("A1.xxt")),
    ("50 million numbers in memory: `x.sin().powi(2) + x.cos().powi(2)`, summed", Work("A2.sincos")),
    ("… `a * b + c`", Work("A2.fma")),
    ("… `a * b + c`, summed", Work("A2.fma_sum")),
    ("… `a.gt(0.5).select(&b, &c)`", Work("A2.where")),
    ("10,000 × 5,000 numbers in memory: `x.sum_axis(Axis(0))`", Work("A3.sum0")),
    ("… `x.std_axis(Axis(0), 0.0)`", Work("A3.std0")),
    ("7,000 × 7,000 numbers in memory: the mean of five neighbors, by slices", Work("A6.stencil")),
    ("`a.dot(&b)` of 4,000 × 4,000 numbers", Work("A4.matmul")),
    ("a million no-op tasks, all independent", Overhead("independent")),
    ("a million no-op tasks in a chain", Overhead("chain")),
    ("a million no-op tasks in a tree", Overhead("tree")),
    ("a million no-op tasks in a wavefront", Overhead("wavefront")),
    ("a million no-op tasks, each reading three others", Overhead("random")),
    ("a call of a delayed function", Call("delayed/call_plain", 1.0)),
    ("a tree of 10,000 such calls: built, ordered, run", Call("delayed/tree_of_10000_compute", 1e4)),
    ("speed-up by 8 workers within twice the least memory", Admission),
    ("rows to columns, `.npy` to a `.npy` of columns", Limited("rechunk")),
    ("`x + x.t()`, `.npy` to `.npy`", Limited("transpose_add")),
    ("`x.t().dot(&x)` of a tall `.npy`", Limited("tall_skinny")),
    ("`shuffle_by` of a bag of numbers", Limited("shuffle")),
    ("4 GB on disk from rows to columns", Beside("A5.rechunk")),
    ("disk traffic of `x + x.t() - x.mean_axis(Axis(0))`, 32 MiB, limit 8 MiB", Moved("transpose_add")),
    ("disk traffic of `a.matmul(&b)`, likewise", Moved("matmul")),
    ("disk traffic of several reductions, likewise", Moved("reductions")),
];

const SPEED: &[(&str, Claim)] = &[
    ("`x.mean()` of 20,000 × 20,000 random numbers", Work("A1.mean")),
    ("`x.std(0.0)` of them", Work("A1.std")),
    ("both in one `compute((&mean, &std))`", Work("A1.mean_std")),
    ("`(&x + x.t() - x.mean_axis(Axis(0))).sum()`", Work("A1.xxt")),
    ("`(x.sin().powi(2) + x.cos().powi(2)).sum()`, 50 million numbers", Work("A2.sincos")),
    ("`x.sin().powi(2) + x.cos().powi(2)`", Work("A2.sincos_out")),
    ("`&a * &b + &c`", Work("A2.fma")),
    ("`(&a * &b + &c).persist()`", Work("A2.fma_persist")),
    ("`(&a * &b + &c).sum()`", Work("A2.fma_sum")),
    ("`a.gt(0.5).select(&b, &c)`", Work("A2.where")),
    ("`a.gt(0.5).select(&b, &c).sum()`", Work("A2.where_sum")),
    ("`&a * &b + &c` of `f32`", Work("A2.f32_fma")),
    ("`&a * &b + &c` of `i32`", Work("A2.i32_fma")),
    ("`&a * &b + &c` of complex numbers", Work("A2.c64_fma")),
    ("`x.over(All).skip_nan().sum()`, every seventh NaN", Work("A2.nan_sum")),
    ("`x.cast::<f32>() * (1.0 / 255.0)` of `u8`", Work("A2.cast")),
    ("`&x - x.mean_axis(Axis(0))`, 10,000 × 5,000 numbers", Work("A2.centered")),
    ("`x.sum_axis(Axis(0))`", Work("A3.sum0")),
    ("`x.sum_axis(Axis(1))`", Work("A3.sum1")),
    ("`x.over(All).max()`", Work("A3.max")),
    ("`x.var(0.0)`", Work("A3.var")),
    ("`x.std_axis(Axis(0), 0.0)`", Work("A3.std0")),
    ("`x.over(Axis(0)).argmax()`", Work("A3.argmax0")),
    ("`x.over(Axis(1)).argmax()`", Work("A3.argmax1")),
    ("`x.cumsum(Axis(0))`", Work("A3.cumsum0")),
    ("`x.cumsum(Axis(1))`", Work("A3.cumsum1")),
    ("`&x + x.t()`, 7,000 × 7,000 numbers", Work("A2.turned")),
    ("the mean of five neighbors by slices, 7,000 × 7,000 numbers", Work("A6.stencil")),
    ("`a.dot(&b)`, 4,000 × 4,000 numbers", Work("A4.matmul")),
    ("`x.qr()` of 1,000,000 × 50 numbers, both factors", Work("A4.ts_qr")),
    ("`x.svd_compressed(10, …)`, 20,000 × 5,000 numbers, two power iterations", Work("A4.svd_compressed")),
    ("`fft::fft` of 4,096 rows of 16,384 complex numbers", Work("A7.rows")),
    ("`fft::fft2` of 4,096 × 4,096 complex numbers", Work("A7.fft2")),
    ("`x.percentiles(&[1.0, 50.0, 99.0], …)`, 50 million numbers", Work("A8.percentile")),
    ("`x.sort(Axis(0))`", Work("A8.sort")),
    ("`x.unique().len()` of a million distinct integers", Work("A8.unique")),
    ("`x.histogram(&bin_edges(0.0, 1.0, 1000))`, 50 million numbers", Work("A8.histogram")),
    ("`x.topk(100, Axis(0))`", Work("A8.topk")),
    ("a thousand times `compute()` of `(&x * 2.0).sum()`, 10,000 numbers in one chunk", Work("A9.latency")),
    ("`(&a * &b + &c).sum()`, 50 million numbers, 10,000 in a chunk", Chunks("A9.chunks_10000")),
    ("… 100,000 in a chunk", Chunks("A9.chunks_100000")),
    ("… 1,000,000 in a chunk", Chunks("A9.chunks_1000000")),
    ("… 10,000,000 in a chunk", Chunks("A9.chunks_10000000")),
    ("random numbers scaled and summed, 100 in a chunk", Chunks("A9.tiny")),
    ("`(&x + x.t() - x.mean_axis(Axis(0))).sum()` in chunks of 10 × 10", Chunks("A9.turned")),
];

impl Claim {
    /// Our figure, and what stands beside it.
    fn read(&self, record: &Record) -> Option<(String, String)> {
        match *self {
            Overhead(shape) => overhead(record, shape),
            Call(bench, calls) => {
                Some((format!("{:.0} ns a call", record.results.get(bench)? / calls), String::new()))
            }
            Admission => admission(record),
            Limited(name) => limited(record, name),
            Beside(workload) => beside(record, workload),
            Moved(name) => moved(record, name),
            Work(workload) => work(record, workload),
            Chunks(workload) => chunks(record, workload),
        }
    }
}

/// Writes the block into each page.
pub(super) fn write(root: &Path) -> Result {
    let records = Record::read_all(&root.join(RECORDS))?;
    for page in &PAGES {
        let path = root.join(page.path);
        let content = std::fs::read_to_string(&path)?;
        let (before, _, after) =
            parts(&content).ok_or_else(|| format!("{} has no marks for the figures", page.path))?;
        let block = page.block(&records);
        std::fs::write(&path, format!("{before}{block}{after}"))?;
        println!("   {}: {} lines of figures", page.path, block.lines().count());
    }
    Ok(())
}

/// What is wrong with the figures, by the page.
pub(crate) fn problems(root: &Path) -> Result<Vec<(&'static str, &'static str)>> {
    let records = Record::read_all(&root.join(RECORDS))?;
    let mut problems = Vec::new();
    for page in &PAGES {
        match parts(&std::fs::read_to_string(root.join(page.path))?) {
            None => problems.push((page.path, "the marks of the figures are gone")),
            Some((_, found, _)) if found == page.block(&records) => {}
            Some(_) => problems.push((
                page.path,
                "the figures are not those of the records: run `cargo xtask bench --readme`",
            )),
        }
    }
    Ok(problems)
}

/// What stands before the figures (with the mark), the figures, and what stands after them.
fn parts(content: &str) -> Option<(&str, &str, &str)> {
    let begin = content.find(BEGIN)? + BEGIN.len();
    let end = begin + content[begin..].find(END)?;
    Some((&content[..begin], &content[begin..end], &content[end..]))
}

impl Page {
    /// The figures as Markdown; `records` are in the order of their dates.
    fn block(&self, records: &[Record]) -> String {
        let newest = |claim: &Claim| {
            let record = records.iter().rev().filter(|record| !record.quick);
            record.filter_map(|record| Some((record, claim.read(record)?))).next()
        };
        let rows: Vec<_> =
            self.claims.iter().filter_map(|(what, claim)| Some((what, newest(claim)?))).collect();
        if rows.is_empty() {
            return "There is no record yet; `cargo xtask bench` makes one.\n".to_owned();
        }
        let mut text = "| what | musher | beside it | record |\n|---|---|---|---|\n".to_owned();
        for (what, (record, (ours, beside))) in rows {
            let day = record.date.split('T').next().unwrap_or_default();
            let load = if record.other_cpu > BUSY { ", busy" } else { "" };
            let file = format!("{}{RECORDS}/{}", self.to_root, record.file_name());
            text +=
                &format!("| {what} | {ours} | {beside} | [{day}, {} cores{load}]({file}) |\n", record.cores);
        }
        text
    }
}

fn overhead(record: &Record, shape: &str) -> Option<(String, String)> {
    let workload = format!("S1.{shape}");
    let per_task = |peer: &str| {
        let line = line(record, &workload, "large", peer)?;
        Some(line["seconds_median"].as_f64()? * 1e9 / line["extra"]["tasks"].as_f64()?)
    };
    let ours = per_task("musher")?;
    let others = [("taskflow", "Taskflow"), ("tbb", "oneTBB"), ("rayon-scope", "rayon")];
    let others = others.iter().filter_map(|(peer, name)| Some(format!("{name} {:.0} ns", per_task(peer)?)));
    Some((format!("{ours:.0} ns a task"), others.collect::<Vec<_>>().join(", ")))
}

fn admission(record: &Record) -> Option<(String, String)> {
    let figure = figure(record, "admission/speed_up_of_8_workers")?;
    let at = |name: &str| figure[name].as_f64();
    let beside = format!("{:.1} × at the least, {:.1} × at 1.5 of it", at("at_1")?, at("at_1.5")?);
    Some((format!("{:.1} ×", at("at_2")?), beside))
}

/// The largest size that is recorded.
fn limited(record: &Record, name: &str) -> Option<(String, String)> {
    let of_size = |size: &str| figure(record, &format!("limits/{name}/{size}"));
    let figure = of_size("large").or_else(|| of_size("small"))?;
    let number = |name: &str| figure[name].as_f64();
    let (data, limit) = (bytes(number("data_bytes")?), bytes(number("limit_bytes")?));
    let peak = bytes(number("peak_rss_bytes")? - number("base_rss_bytes")?);
    let spilled = match number("disk_written_bytes")? {
        0.0 => "nothing".to_owned(),
        written => bytes(written),
    };
    let ours = format!("{data} in {:.1} s, limit {limit}", number("seconds")?);
    Some((ours, format!("peak {peak} resident, {spilled} spilled")))
}

fn beside(record: &Record, workload: &str) -> Option<(String, String)> {
    let text = |line: &Value| {
        let peak = line["peak_rss_mb"].as_f64()?;
        Some(format!("{:.1} s, {}", line["seconds_median"].as_f64()?, bytes(peak * 1024.0 * 1024.0)))
    };
    let ours = text(line(record, workload, "medium", "musher")?)?;
    let beside = line(record, workload, "medium", "dask-threaded").and_then(text);
    Some((ours, beside.map_or(String::new(), |beside| format!("Dask {beside}"))))
}

/// musher's memory is that which it took in addition to the operands.
fn work(record: &Record, workload: &str) -> Option<(String, String)> {
    const SIZE: &str = "medium";
    let seconds = |peer: &str| line(record, workload, SIZE, peer)?["seconds_median"].as_f64();
    let ours = line(record, workload, SIZE, "musher")?;
    let taken = ours["peak_rss_mb"].as_f64()? - ours["base_rss_mb"].as_f64()?;
    let ours = format!("{}, {}", duration(seconds("musher")?), bytes(taken.max(0.0) * 1024.0 * 1024.0));
    let others = [
        ("numpy", "NumPy"),
        ("scipy", "SciPy"),
        ("sklearn", "scikit-learn"),
        ("numba", "numba"),
        ("polars", "polars"),
        ("dask-threaded", "Dask"),
    ];
    let others = others.into_iter().filter_map(|(peer, name)| Some((name, seconds(peer)?)));
    let by_hand = record
        .peers
        .iter()
        .filter_map(|line| line["peer"].as_str())
        .filter(|peer| peer.starts_with(BY_HAND))
        .filter_map(seconds)
        .reduce(f64::min);
    let all = others.chain(by_hand.map(|seconds| ("plain Rust", seconds)));
    let all: Vec<_> = all.map(|(name, seconds)| format!("{name} {}", duration(seconds))).collect();
    Some((ours, all.join(", ")))
}

fn chunks(record: &Record, workload: &str) -> Option<(String, String)> {
    let line = line(record, workload, "medium", "musher")?;
    let (seconds, n) = (line["seconds_median"].as_f64()?, line["extra"]["chunks"].as_f64()?);
    Some((duration(seconds), format!("{} a chunk, {n} chunks", duration(seconds / n))))
}

fn moved(record: &Record, name: &str) -> Option<(String, String)> {
    let figure = figure(record, &format!("spill/{name}/quarter"))?;
    let sum = |of: &str| {
        let part = |what: &str| figure[format!("{of}_{what}_bytes")].as_f64();
        Some(part("spilled")? + part("reloaded")?)
    };
    let beside = format!("going by the past (LRU) {}", bytes(sum("least_recently_used")?));
    Some((bytes(sum("engine")?), beside))
}

/// The figure of that name.
fn figure<'a>(record: &'a Record, name: &str) -> Option<&'a Value> {
    record.figures.iter().find(|figure| figure["figure"] == name)
}

/// What a peer showed.
fn line<'a>(record: &'a Record, workload: &str, size: &str, peer: &str) -> Option<&'a Value> {
    record
        .peers
        .iter()
        .find(|line| line["workload"] == workload && line["size"] == size && line["peer"] == peer)
}

/// Seconds in the unit in which they are short.
fn duration(seconds: f64) -> String {
    let units = [("ns", 1e-9), ("µs", 1e-6), ("ms", 1e-3), ("s", 1.0)];
    let (unit, size) = units.into_iter().rev().find(|(_, size)| seconds >= *size).unwrap_or(units[0]);
    let digits = if seconds / size < 10.0 { 1 } else { 0 };
    format!("{:.digits$} {unit}", seconds / size)
}

/// Bytes in the unit in which they are short.
fn bytes(bytes: f64) -> String {
    let units = [("KiB", 1024.0), ("MiB", 1024.0 * 1024.0), ("GiB", 1024.0 * 1024.0 * 1024.0)];
    let (unit, size) = units.into_iter().rev().find(|(_, size)| bytes >= *size).unwrap_or(units[0]);
    let digits = if bytes / size < 10.0 { 1 } else { 0 };
    format!("{:.digits$} {unit}", bytes / size)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn record(date: &str, quick: bool) -> Record {
        Record { date: date.to_owned(), quick, ..Record::default() }
    }

    fn with_calls(date: &str, quick: bool, ns: f64) -> Record {
        let mut record = record(date, quick);
        record.results.insert("delayed/call_plain".to_owned(), ns);
        record
    }

    #[test]
    fn a_claim_is_from_the_newest_record_that_has_it() {
        let records = [
            with_calls("2026-01-01T00-00-00", false, 7.0),
            Record { other_cpu: 1.2, ..with_calls("2026-01-02T00-00-00", false, 8.0) },
            with_calls("2026-01-03T00-00-00", true, 9.0),
            record("2026-01-04T00-00-00", false),
        ];
        let block = |records: &[Record]| PAGES[0].block(records);
        let row = "| a call of a delayed function | 8 ns a call |  | \
                   [2026-01-02, 0 cores, busy](benches/records/2026-01-02T00-00-00.json) |\n";
        assert!(block(&records).ends_with(row), "{}", block(&records));
        assert!(block(&records[2..]).starts_with("There is no record yet"));
    }

    #[test]
    fn peers_stand_beside_us() {
        let mut record = record("2026-01-01T00-00-00", false);
        let line = |peer: &str, seconds: f64| json!({"workload": "S1.tree", "size": "large", "peer": peer, "seconds_median": seconds, "extra": {"tasks": 1_000_000}});
        record.peers = vec![line("rayon-scope", 0.2), line("taskflow", 0.3), line("musher", 0.1)];
        let (ours, beside) = overhead(&record, "tree").unwrap();
        assert_eq!((ours.as_str(), beside.as_str()), ("100 ns a task", "Taskflow 300 ns, rayon 200 ns"));
        assert_eq!(overhead(&record, "chain"), None);
    }

    #[test]
    fn work_stands_beside_every_peer_and_the_fastest_loop_by_hand() {
        let mut record = record("2026-01-01T00-00-00", false);
        let line = |peer: &str, seconds: f64| json!({"workload": "A2.fma", "size": "medium", "peer": peer, "seconds_median": seconds, "peak_rss_mb": 1600.0, "base_rss_mb": 1200.0});
        record.peers = vec![
            line("rust-sol-native-b", 0.02),
            line("rust-sol-native", 0.2),
            line("rust-sol-v2", 0.001),
            line("dask-threaded", 1.25),
            line("numpy", 0.5),
            line("musher", 0.15),
        ];
        let (ours, beside) = work(&record, "A2.fma").unwrap();
        assert_eq!(ours, "150 ms, 400 MiB");
        assert_eq!(beside, "NumPy 500 ms, Dask 1.2 s, plain Rust 20 ms");
        assert_eq!(work(&record, "A2.where"), None);
        let page = PAGES[1].block(&[record]);
        assert!(page.contains("(../benches/records/2026-01-01T00-00-00.json)"), "{page}");
    }

    #[test]
    fn each_chunk_has_its_time() {
        let mut record = record("2026-01-01T00-00-00", false);
        record.peers = vec![
            json!({"workload": "A9.tiny", "size": "medium", "peer": "musher", "seconds_median": 0.12, "extra": {"chunks": 100_000}}),
        ];
        let (ours, beside) = chunks(&record, "A9.tiny").unwrap();
        assert_eq!((ours.as_str(), beside.as_str()), ("120 ms", "1.2 µs a chunk, 100000 chunks"));
        assert_eq!(chunks(&record, "A9.turned"), None);
    }

    #[test]
    fn figures_are_read_by_name() {
        let mut record = record("2026-01-01T00-00-00", false);
        record.figures = vec![
            json!({"figure": "admission/speed_up_of_8_workers", "at_1": 2.04, "at_1.5": 3.0, "at_2": 4.0}),
            json!({
                "figure": "spill/matmul/quarter", "engine_spilled_bytes": 1 << 20, "engine_reloaded_bytes": 1 << 20,
                "least_recently_used_spilled_bytes": 20 << 20, "least_recently_used_reloaded_bytes": 0,
            }),
            json!({
                "figure": "limits/rechunk/small", "seconds": 1.5, "data_bytes": 1 << 29, "limit_bytes": 1 << 26,
                "peak_rss_bytes": 70 << 20, "base_rss_bytes": 10 << 20, "disk_written_bytes": 1 << 29,
            }),
        ];
        let texts =
            [admission(&record), moved(&record, "matmul"), limited(&record, "rechunk")].map(Option::unwrap);
        let pair = |at: usize| (texts[at].0.as_str(), texts[at].1.as_str());
        assert_eq!(pair(0), ("4.0 ×", "2.0 × at the least, 3.0 × at 1.5 of it"));
        assert_eq!(pair(1), ("2.0 MiB", "going by the past (LRU) 20 MiB"));
        assert_eq!(pair(2), ("512 MiB in 1.5 s, limit 64 MiB", "peak 60 MiB resident, 512 MiB spilled"));
        assert_eq!(moved(&record, "rechunk"), None);
    }

    #[test]
    fn the_block_stands_between_its_marks() {
        let content = format!("a\n{BEGIN}old\n{END}b\n");
        let (before, found, after) = parts(&content).unwrap();
        assert_eq!(
            (before.strip_prefix("a\n"), found, after),
            (Some(BEGIN), "old\n", format!("{END}b\n").as_str())
        );
        assert!(parts(BEGIN).is_none() && parts("text").is_none());
    }
}
