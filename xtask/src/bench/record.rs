//! A record: what was measured, when and on what machine. One JSON file a run in `benches/records/`, committed, never changed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use serde_json::{Value, json};

use super::date;
use crate::Result;
use crate::shell;

/// Ratios nearer to 1 than this are noise on a shared machine.
const NOISE: f64 = 0.10;

/// One run of the benches.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Record {
    pub(super) date: String,
    /// Of the source that was measured; `+` follows where it had changes.
    pub(super) commit: String,
    pub(super) version: String,
    pub(super) cores: u64,
    pub(super) memory_bytes: u64,
    pub(super) processor: String,
    pub(super) rustc: String,
    pub(super) quick: bool,
    /// Cores that other processes kept busy meanwhile, on average: the less, the more the times can be trusted.
    pub(super) other_cpu: f64,
    /// Median nanoseconds by the full name of the bench.
    pub(super) results: BTreeMap<String, f64>,
    /// What programs that measure whole runs printed: objects with the name in `figure`.
    pub(super) figures: Vec<Value>,
    /// The lines of the peers' scripts that hold a measurement, as they printed them.
    pub(super) peers: Vec<Value>,
}

impl Record {
    /// An empty record of this machine, dated now.
    pub(super) fn of_this_machine(root: &Path, quick: bool) -> Result<Self> {
        let cores = std::thread::available_parallelism()?.get();
        let facts = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = facts.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("unknown");
        let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let memory = memory
            .lines()
            .find_map(|line| line.strip_prefix("MemTotal:")?.trim().strip_suffix(" kB")?.parse().ok());
        let git = |words: &[&str]| shell::output(Command::new("git").current_dir(root).args(words));
        let changes = git(&["status", "--porcelain", "--untracked-files=no"])?;
        let mark = if changes.is_empty() { "" } else { "+" };
        Ok(Self {
            date: date::now()?,
            commit: format!("{}{mark}", git(&["rev-parse", "--short=12", "HEAD"])?.trim()),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            cores: u64::try_from(cores)?,
            memory_bytes: memory.map_or(0, |kibibytes: u64| 1024 * kibibytes),
            processor: model.trim_start_matches([' ', '\t', ':']).to_owned(),
            rustc: shell::output(Command::new("rustc").arg("--version"))?.trim().to_owned(),
            quick,
            ..Self::default()
        })
    }

    /// Every record of the folder, oldest first; a folder that is not there has none.
    pub(super) fn read_all(folder: &Path) -> Result<Vec<Self>> {
        let mut records = Vec::new();
        for path in files(folder)? {
            if path.extension().is_some_and(|extension| extension == "json") {
                let text = std::fs::read_to_string(&path)?;
                let value: Value =
                    serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
                records.push(Self::from_json(&value));
            }
        }
        records.sort_by(|one, other| one.date.cmp(&other.date));
        Ok(records)
    }

    fn from_json(value: &Value) -> Self {
        let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
        let results = value["median_ns"].as_object().into_iter().flatten();
        Self {
            date: text("date"),
            commit: text("commit"),
            version: text("version"),
            cores: value["cores"].as_u64().unwrap_or_default(),
            memory_bytes: value["memory_bytes"].as_u64().unwrap_or_default(),
            processor: text("processor"),
            rustc: text("rustc"),
            quick: value["quick"].as_bool().unwrap_or_default(),
            other_cpu: value["other_cpu"].as_f64().unwrap_or_default(),
            figures: value["figures"].as_array().cloned().unwrap_or_default(),
            results: results.filter_map(|(name, ns)| Some((name.clone(), ns.as_f64()?))).collect(),
            peers: value["peers"].as_array().cloned().unwrap_or_default(),
        }
    }

    fn to_json(&self) -> Value {
        json!({
            "date": self.date, "commit": self.commit, "version": self.version, "cores": self.cores,
            "memory_bytes": self.memory_bytes, "processor": self.processor, "rustc": self.rustc, "quick": self.quick,
            "other_cpu": self.other_cpu, "median_ns": self.results, "figures": self.figures, "peers": self.peers,
        })
    }

    /// Whether nothing was measured.
    pub(super) fn is_empty(&self) -> bool {
        self.results.is_empty() && self.figures.is_empty() && self.peers.is_empty()
    }

    /// The file of the record in the folder of records.
    pub(super) fn file_name(&self) -> String {
        format!("{}.json", self.date)
    }

    /// Writes the record under its date, beside and renamed, and gives its path.
    pub(super) fn write(&self, folder: &Path) -> Result<PathBuf> {
        std::fs::create_dir_all(folder)?;
        let path = folder.join(self.file_name());
        let beside = path.with_extension("json.tmp");
        std::fs::write(&beside, format!("{:#}\n", self.to_json()))?;
        std::fs::rename(&beside, &path)?;
        Ok(path)
    }

    /// What this bench took last time: on this kind of machine in this mode if it ever ran so, else anywhere.
    fn previous<'a>(&self, history: &'a [Self], name: &str) -> Option<(&'a Self, f64)> {
        let having = |record: &'a Self| record.results.get(name).map(|ns| (record, *ns));
        let like = |record: &&Self| {
            (record.cores, &record.processor, record.quick) == (self.cores, &self.processor, self.quick)
        };
        let same = history.iter().rev().filter(like).find_map(having);
        same.or_else(|| history.iter().rev().find_map(having))
    }

    /// A line for each bench: its time, the last time and the ratio.
    pub(super) fn table(&self, history: &[Self]) -> String {
        if self.results.is_empty() {
            return String::new();
        }
        let width = self.results.keys().map(String::len).max().unwrap_or_default();
        let mut text = format!("   {:<width$}  {:>12}  {:>12}  {:>6}\n", "bench", "median", "last", "ratio");
        for (name, ns) in &self.results {
            text += &format!("   {name:<width$}  {:>12}", time(*ns));
            text += &match self.previous(history, name) {
                None => "  (first)\n".to_owned(),
                Some((record, last)) => {
                    let other = if record.processor == self.processor && record.cores == self.cores {
                        ""
                    } else {
                        " other machine"
                    };
                    format!(
                        "  {:>12}  {:>6.2}  {}{other} {}\n",
                        time(last),
                        ns / last,
                        verdict(ns / last),
                        record.date
                    )
                }
            };
        }
        text
    }
}

fn verdict(ratio: f64) -> &'static str {
    match ratio {
        _ if ratio > 1.0 + NOISE => "slower than",
        _ if ratio < 1.0 - NOISE => "faster than",
        _ => "as in",
    }
}

/// Nanoseconds in the unit in which they are short.
fn time(ns: f64) -> String {
    let units = [("ns", 1.0), ("us", 1e3), ("ms", 1e6), ("s", 1e9)];
    let (unit, size) = units.into_iter().rev().find(|(_, size)| ns >= *size).unwrap_or(units[0]);
    format!("{:.3} {unit}", ns / size)
}

/// The medians that criterion wrote since `start`, by the full name of the bench.
pub(super) fn measured(folder: &Path, start: SystemTime) -> Result<BTreeMap<String, f64>> {
    let mut results = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for path in files(&folder)? {
            if path.is_dir() {
                open.push(path);
            } else if path.ends_with("new/estimates.json") && path.metadata()?.modified()? >= start {
                let about: Value =
                    serde_json::from_str(&std::fs::read_to_string(path.with_file_name("benchmark.json"))?)?;
                let estimates: Value = serde_json::from_str(&std::fs::read_to_string(&path)?)?;
                let median = estimates["median"]["point_estimate"].as_f64();
                let name = about["full_id"].as_str();
                let (name, median) =
                    name.zip(median).ok_or_else(|| format!("{}: no median", path.display()))?;
                results.insert(name.to_owned(), median);
            }
        }
    }
    Ok(results)
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    Ok(std::fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<std::io::Result<_>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(date: &str, processor: &str, results: &[(&str, f64)]) -> Record {
        Record {
            date: date.to_owned(),
            processor: processor.to_owned(),
            results: results.iter().map(|(name, ns)| ((*name).to_owned(), *ns)).collect(),
            ..Record::default()
        }
    }

    #[test]
    fn a_bench_is_compared_with_its_last_time_on_this_machine() {
        let history = [
            record("1", "this", &[("a", 100.0), ("b", 7.0)]),
            record("2", "this", &[("a", 200.0)]),
            record("3", "that", &[("a", 1.0), ("c", 9.0)]),
        ];
        let now = record("4", "this", &[("a", 100.0), ("b", 7.0), ("c", 9.0), ("d", 1.5e6)]);
        let previous = |name| now.previous(&history, name).map(|(record, ns)| (record.date.as_str(), ns));
        assert_eq!(previous("a"), Some(("2", 200.0)));
        assert_eq!(previous("b"), Some(("1", 7.0)));
        assert_eq!(previous("c"), Some(("3", 9.0)));
        assert_eq!(previous("d"), None);
        let table = now.table(&history);
        assert!(table.contains("0.50  faster than 2"), "{table}");
        assert!(table.contains("as in other machine 3") && table.contains("1.500 ms  (first)"), "{table}");
    }

    #[test]
    fn a_record_survives_its_file() {
        let folder = std::env::temp_dir().join(format!("musher-xtask-record-{}", std::process::id()));
        let mut wanted = record("2026-01-01T00-00-00", "p", &[("a/b", 12.5)]);
        (wanted.commit, wanted.version, wanted.other_cpu) = ("c0ffee".to_owned(), "0.1.0".to_owned(), 0.25);
        (wanted.memory_bytes, wanted.figures) = (1 << 34, vec![json!({"figure": "spill/a", "bytes": 7})]);
        wanted.peers = vec![json!({"workload": "S1.tree", "peer": "musher", "seconds_median": 0.5})];
        wanted.write(&folder).unwrap();
        let found = Record::read_all(&folder);
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(found.unwrap(), [wanted]);
        assert!(Record::read_all(&folder).unwrap().is_empty());
    }

    #[test]
    fn criterions_medians_are_found() {
        let folder = std::env::temp_dir().join(format!("musher-xtask-criterion-{}", std::process::id()));
        let new = folder.join("group/bench/new");
        std::fs::create_dir_all(&new).unwrap();
        std::fs::write(new.join("benchmark.json"), r#"{"full_id": "group/bench"}"#).unwrap();
        std::fs::write(new.join("estimates.json"), r#"{"median": {"point_estimate": 42.5}}"#).unwrap();
        let found = measured(&folder, SystemTime::UNIX_EPOCH);
        let late = measured(&folder, SystemTime::now() + std::time::Duration::from_secs(60));
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(found.unwrap(), BTreeMap::from([("group/bench".to_owned(), 42.5)]));
        assert!(late.unwrap().is_empty());
    }

    #[test]
    fn times_have_units() {
        assert_eq!(
            [0.5, 12.0, 3_400.0, 2e6, 7.25e9].map(time),
            ["0.500 ns", "12.000 ns", "3.400 us", "2.000 ms", "7.250 s"]
        );
    }
}
