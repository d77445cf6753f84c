//! Benchmarks with a memory: runs the benches of the workspace, compares each with the last record that has it, and writes
//! a new dated record. With `--peers` the same command runs the peers' scripts with musher among them, and `--readme`
//! writes what the records show into the README and the page of speed.

mod alone;
pub(crate) mod claims;
mod date;
mod load;
mod peers;
mod programs;
mod record;

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::{Result, Workspace};
use load::Load;
use record::Record;

/// The bench target that speaks the peers' protocol; it measures nothing by itself.
const PEER: &str = "peer";

/// Where the records are, below the root of the workspace.
const RECORDS: &str = "benches/records";

/// What the command line asks for.
#[derive(Debug, Default, PartialEq)]
struct Options {
    quick: bool,
    readme: bool,
    /// Whether our own benches run.
    own: bool,
    /// Which of them; none named means all.
    benches: Vec<String>,
    peers: bool,
    peers_folder: Option<PathBuf>,
    groups: Vec<String>,
    names: Vec<String>,
    size: String,
    rounds: String,
    filter: Option<String>,
}

/// Runs what the options ask for, prints the tables and keeps the record.
pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> Result {
    let options = parse(arguments)?;
    if options.readme {
        return claims::write(&workspace.root);
    }
    let folder = workspace.root.join(RECORDS);
    let history = Record::read_all(&folder)?;
    let mut failures = Vec::new();
    let mut record = Record::of_this_machine(&workspace.root, options.quick)?;
    if options.own {
        programs::build(workspace, &options)?;
    }
    let load = Load::now();
    if options.own {
        let start = SystemTime::now();
        let outcome = programs::run(workspace, &options)?;
        (record.figures, failures) = (outcome.lines, outcome.failures);
        record.results = record::measured(&workspace.target_directory.join("criterion"), start)?;
        if record.is_empty() && failures.is_empty() {
            return Err("nothing was measured; does the filter name a bench?".into());
        }
        print!("{}", record.table(&history));
    }
    if options.peers {
        let settings = peers::Settings {
            folder: options
                .peers_folder
                .clone()
                .or_else(|| std::env::var_os("BENCH_PEERS").map(PathBuf::from)),
            groups: &options.groups,
            names: &options.names,
            size: &options.size,
            rounds: &options.rounds,
            filter: options.filter.as_deref(),
        };
        let outcome = peers::run(workspace, &settings)?;
        print!("{}", peers::table(&outcome.lines));
        record.peers = peers::measured(outcome.lines);
        failures.extend(outcome.failures);
    }
    record.other_cpu = load.others_since();
    if !record.is_empty() {
        let path = record.write(&folder)?;
        println!("   record: {}", shown(&path, &workspace.root));
    }
    if failures.is_empty() { Ok(()) } else { Err(failures.join("; ").into()) }
}

fn parse(arguments: &[String]) -> Result<Options> {
    let mut options =
        Options { own: true, size: "small".to_owned(), rounds: "3".to_owned(), ..Options::default() };
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let mut value = || words.next().cloned().ok_or_else(|| format!("`{word}` needs a value"));
        match word.as_str() {
            "--quick" => options.quick = true,
            "--readme" => options.readme = true,
            "--bench" => options.benches.push(value()?),
            "--peers" => options.peers = true,
            "--peers-only" => (options.peers, options.own) = (true, false),
            "--peers-dir" => options.peers_folder = Some(value()?.into()),
            "--group" => options.groups.push(value()?),
            "--peer" => options.names.push(value()?),
            "--size" => options.size = value()?,
            "--rounds" => options.rounds = value()?,
            _ if word.starts_with('-') => return Err(format!("unknown option `{word}`").into()),
            _ if options.filter.is_some() => return Err("only one filter".into()),
            _ => options.filter = Some(word.clone()),
        }
    }
    Ok(options)
}

fn shown(path: &Path, root: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn options_are_read() {
        let options =
            parse(&words("--quick --peers --peers-dir p --group s1_sched --group a_array tree")).unwrap();
        assert!(options.quick && options.peers && options.own);
        assert_eq!(options.groups, ["s1_sched", "a_array"]);
        assert_eq!((options.filter.as_deref(), options.size.as_str()), (Some("tree"), "small"));
        assert!(!parse(&words("--peers-only")).unwrap().own);
        assert_eq!(parse(&words("--bench spill --bench limits")).unwrap().benches, ["spill", "limits"]);
    }

    #[test]
    fn wrong_options_are_errors() {
        for wrong in ["--fast", "a b", "--size", "--bench"] {
            assert!(parse(&words(wrong)).is_err(), "{wrong}");
        }
    }
}
