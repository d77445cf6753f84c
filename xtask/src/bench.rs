//! Benchmarks with a memory: runs criterion's benches of the root package, compares each with the last record that has it, and
//! writes a new dated record. With `--peers` the same command runs the peers' scripts with musher among them.

mod date;
mod peers;
mod record;

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::shell::{self, cargo_command};
use crate::{Result, Workspace};
use record::Record;

/// The bench target that speaks the peers' protocol; it is no criterion bench.
const PEER: &str = "peer";

/// What the command line asks for.
#[derive(Debug, Default, PartialEq)]
struct Options {
    quick: bool,
    criterion: bool,
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
    let folder = workspace.root.join("benches/records");
    let history = Record::read_all(&folder)?;
    let mut failures = Vec::new();
    let mut record = Record::of_this_machine(options.quick)?;
    if options.criterion {
        let start = SystemTime::now();
        run_criterion(workspace, &options)?;
        record.results = record::measured(&workspace.target_directory.join("criterion"), start)?;
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
        (record.peers, failures) = (outcome.lines, outcome.failures);
    }
    if !record.results.is_empty() || !record.peers.is_empty() {
        let path = record.write(&folder)?;
        println!("   record: {}", shown(&path, &workspace.root));
    }
    if failures.is_empty() { Ok(()) } else { Err(failures.join("; ").into()) }
}

fn parse(arguments: &[String]) -> Result<Options> {
    let mut options =
        Options { criterion: true, size: "small".to_owned(), rounds: "3".to_owned(), ..Options::default() };
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let mut value = || words.next().cloned().ok_or_else(|| format!("`{word}` needs a value"));
        match word.as_str() {
            "--quick" => options.quick = true,
            "--peers" => options.peers = true,
            "--peers-only" => (options.peers, options.criterion) = (true, false),
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

fn run_criterion(workspace: &Workspace, options: &Options) -> Result {
    let mut command = cargo_command("bench --locked --package musher");
    let targets = &workspace.package("musher")?.targets;
    let mut some = false;
    for target in targets.iter().filter(|target| target.kind == "bench" && target.name != PEER) {
        command.arg("--bench").arg(&target.name);
        some = true;
    }
    if !some {
        return Err("the package musher has no criterion benches".into());
    }
    command.arg("--").args(options.quick.then_some("--quick")).args(&options.filter);
    shell::run(&mut command)
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
        assert!(options.quick && options.peers && options.criterion);
        assert_eq!(options.groups, ["s1_sched", "a_array"]);
        assert_eq!((options.filter.as_deref(), options.size.as_str()), (Some("tree"), "small"));
        assert!(!parse(&words("--peers-only")).unwrap().criterion);
    }

    #[test]
    fn wrong_options_are_errors() {
        for wrong in ["--fast", "a b", "--size"] {
            assert!(parse(&words(wrong)).is_err(), "{wrong}");
        }
    }
}
