//! What the README says of speed and memory, each figure from the newest record that has it.
//!
//! The block between two marks is written by `cargo xtask bench --readme`; `cargo xtask tidy` fails where it says anything
//! else than the records do. A claim without a record is left out, and quick runs prove nothing.

use std::path::Path;

use serde_json::Value;

use super::RECORDS;
use super::record::Record;
use crate::Result;

/// Where other processes kept more than this many cores busy, a record is said to be of a busy machine.
const BUSY: f64 = 0.3;

const README: &str = "README.md";
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
}

use Claim::{Admission, Beside, Call, Limited, Moved, Overhead};

const CLAIMS: &[(&str, Claim)] = &[
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
        }
    }
}

/// Writes the block into the README.
pub(super) fn write(root: &Path) -> Result {
    let path = root.join(README);
    let content = std::fs::read_to_string(&path)?;
    let (before, _, after) = parts(&content).ok_or("README.md has no marks for the figures")?;
    let block = block(&Record::read_all(&root.join(RECORDS))?);
    std::fs::write(&path, format!("{before}{block}{after}"))?;
    println!("   {README}: {} lines of figures", block.lines().count());
    Ok(())
}

/// What is wrong with the README's figures, if anything.
pub(crate) fn problem(root: &Path) -> Result<Option<&'static str>> {
    let content = std::fs::read_to_string(root.join(README))?;
    let records = Record::read_all(&root.join(RECORDS))?;
    Ok(match parts(&content) {
        None => Some("the marks of the figures are gone"),
        Some((_, found, _)) if found == block(&records) => None,
        Some(_) => Some("the figures are not those of the records: run `cargo xtask bench --readme`"),
    })
}

/// What stands before the figures (with the mark), the figures, and what stands after them.
fn parts(content: &str) -> Option<(&str, &str, &str)> {
    let begin = content.find(BEGIN)? + BEGIN.len();
    let end = begin + content[begin..].find(END)?;
    Some((&content[..begin], &content[begin..end], &content[end..]))
}

/// The figures as Markdown; `records` are in the order of their dates.
fn block(records: &[Record]) -> String {
    let newest = |claim: &Claim| {
        let record = records.iter().rev().filter(|record| !record.quick);
        record.filter_map(|record| Some((record, claim.read(record)?))).next()
    };
    let rows: Vec<_> = CLAIMS.iter().filter_map(|(what, claim)| Some((what, newest(claim)?))).collect();
    if rows.is_empty() {
        return "There is no record yet; `cargo xtask bench` makes one.\n".to_owned();
    }
    let mut text = "| what | musher | beside it | record |\n|---|---|---|---|\n".to_owned();
    for (what, (record, (ours, beside))) in rows {
        let day = record.date.split('T').next().unwrap_or_default();
        let load = if record.other_cpu > BUSY { ", busy" } else { "" };
        let file = format!("{RECORDS}/{}", record.file_name());
        text += &format!("| {what} | {ours} | {beside} | [{day}, {} cores{load}]({file}) |\n", record.cores);
    }
    text
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
