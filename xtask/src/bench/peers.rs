//! musher beside its peers: builds the bench target `peer` and runs the peers' scripts with it.
//!
//! The scripts find the binary in BENCH_MUSHER, call it as `<binary> <workload> <size>`, and print one JSON object a line for each
//! workload, size and peer; these lines are what the record keeps. What no script knows, musher runs alone. BENCH_DATA is a folder for their inputs, below the target folder
//! unless it is set. The interpreter is `python3`, or what BENCH_PEERS_PYTHON names.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::{PEER, alone, programs};
use crate::shell;
use crate::{Result, Workspace};

/// The scripts that hold workloads in which musher may take part.
const GROUPS: [&str; 6] = ["s1_sched", "a_array", "b_bag", "f_frame", "i_image", "m_ml"];

/// What the command line says about the peers.
pub(super) struct Settings<'a> {
    pub(super) folder: Option<PathBuf>,
    pub(super) groups: &'a [String],
    /// Whom to compare with; nobody named means everybody. A script stops at a peer whose program is not built.
    pub(super) names: &'a [String],
    pub(super) size: &'a str,
    pub(super) rounds: &'a str,
    pub(super) filter: Option<&'a str>,
}

/// What programs printed, and which of them did not come to their end.
#[derive(Default)]
pub(super) struct Outcome {
    pub(super) lines: Vec<Value>,
    pub(super) failures: Vec<String>,
}

/// Runs the groups one after the other; what one has printed is kept even if it fails later.
pub(super) fn run(workspace: &Workspace, settings: &Settings<'_>) -> Result<Outcome> {
    let binary = build(workspace)?;
    let mut outcome = Outcome::default();
    match &settings.folder {
        Some(folder) => run_groups(workspace, folder, &binary, settings, &mut outcome)?,
        None => println!("   musher alone: --peers-dir or BENCH_PEERS name the folder of the peers' scripts"),
    }
    alone::run(&binary, settings, &mut outcome)?;
    Ok(outcome)
}

fn run_groups(
    workspace: &Workspace,
    folder: &Path,
    binary: &Path,
    settings: &Settings<'_>,
    outcome: &mut Outcome,
) -> Result {
    let data = std::env::var_os("BENCH_DATA")
        .map_or_else(|| workspace.target_directory.join("bench-data"), PathBuf::from);
    std::fs::create_dir_all(&data)?;
    let all = GROUPS.map(str::to_owned);
    let groups = if settings.groups.is_empty() { &all[..] } else { settings.groups };
    for group in groups {
        let script = folder.join(group).with_extension("py");
        if !script.is_file() {
            return Err(format!("no script {}", script.display()).into());
        }
        run_group(&mut group_command(&script, binary, &data, settings), group, outcome)?;
    }
    Ok(())
}

fn group_command(script: &Path, binary: &Path, data: &Path, settings: &Settings<'_>) -> Command {
    let python = std::env::var_os("BENCH_PEERS_PYTHON").unwrap_or_else(|| "python3".into());
    let mut command = Command::new(python);
    command.arg(script).args(["--size", settings.size, "--rounds", settings.rounds]);
    if let Some(filter) = settings.filter {
        command.args(["--only", filter]);
    }
    if !settings.names.is_empty() {
        command.args(["--peers", &format!("musher,{}", settings.names.join(","))]);
    }
    command.env("BENCH_MUSHER", binary).env("BENCH_DATA", data).env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

/// Runs one script and shows its lines as they come.
fn run_group(command: &mut Command, group: &str, outcome: &mut Outcome) -> Result {
    println!("   {group}");
    let status = shell::each_line(command, |line| outcome.lines.extend(objects(line)))?;
    if !status.success() {
        outcome.failures.push(format!("{group} ended with {status}"));
    }
    Ok(())
}

/// Builds the peer in the bench profile and finds the binary in cargo's messages.
fn build(workspace: &Workspace) -> Result<PathBuf> {
    let package = workspace.package("musher")?;
    let peer = package.targets.iter().filter(|target| target.kind == "bench" && target.name == PEER);
    let mut command = programs::bench_command(package, &peer.collect::<Vec<_>>());
    let messages = shell::output(command.args(["--no-run", "--message-format", "json"]))?;
    executable(&objects(&messages))
        .ok_or_else(|| format!("the package musher has no bench target `{PEER}`").into())
}

fn executable(messages: &[Value]) -> Option<PathBuf> {
    let of_peer =
        |message: &&Value| message["reason"] == "compiler-artifact" && message["target"]["name"] == PEER;
    messages.iter().rfind(of_peer)?["executable"].as_str().map(PathBuf::from)
}

/// The lines that hold a measurement: what a peer said when it failed has paths of this machine, and is none.
pub(super) fn measured(lines: Vec<Value>) -> Vec<Value> {
    lines.into_iter().filter(|line| line["error"].is_null()).collect()
}

/// The JSON objects among the lines of a program's output.
pub(super) fn objects(output: &str) -> Vec<Value> {
    output.lines().filter_map(|line| serde_json::from_str(line).ok()).filter(Value::is_object).collect()
}

/// A line for each workload, size and peer, musher's own first, with the ratio to musher's time.
pub(super) fn table(lines: &[Value]) -> String {
    let mut text =
        format!("   {:<28} {:<18} {:>11} {:>8} {:>9}\n", "workload", "peer", "seconds", "ratio", "peak MB");
    let mut seen: Vec<(&str, &str)> = Vec::new();
    for line in lines {
        let job = (word(line, "workload"), word(line, "size"));
        if seen.contains(&job) {
            continue;
        }
        seen.push(job);
        let mut rows: Vec<_> =
            lines.iter().filter(|line| (word(line, "workload"), word(line, "size")) == job).collect();
        rows.sort_by(|one, other| place(one).total_cmp(&place(other)));
        let ours = rows.iter().find(|row| word(row, "peer") == "musher").copied();
        for row in rows {
            text += &table_row(row, ours);
        }
    }
    text
}

/// musher first, then the fastest.
fn place(row: &Value) -> f64 {
    match word(row, "peer") {
        "musher" => -1.0,
        _ => row["seconds_median"].as_f64().unwrap_or(f64::INFINITY),
    }
}

fn table_row(row: &Value, ours: Option<&Value>) -> String {
    let name = format!("{} {}", word(row, "workload"), word(row, "size"));
    let Some(seconds) = row["seconds_median"].as_f64() else {
        let error = word(row, "error").lines().next_back().unwrap_or_default();
        return format!("   {name:<28} {:<18} {error}\n", word(row, "peer"));
    };
    let ratio =
        ours.and_then(|ours| ours["seconds_median"].as_f64()).map(|own| format!("{:.2}", seconds / own));
    let peak = row["peak_rss_mb"].as_f64().unwrap_or_default();
    let differs = if ours.is_some_and(|ours| differ(&ours["checksum"], &row["checksum"])) {
        "  checksum differs"
    } else {
        ""
    };
    format!(
        "   {name:<28} {:<18} {seconds:>11.6} {:>8} {peak:>9.0}{differs}\n",
        word(row, "peer"),
        ratio.unwrap_or_default()
    )
}

/// Whether two checksums disagree by more than rounding; where one says nothing, nothing is known.
fn differ(one: &Value, other: &Value) -> bool {
    const ROUNDING: f64 = 1e-6;
    match (one.as_f64(), other.as_f64()) {
        (Some(one), Some(other)) => (one - other).abs() > ROUNDING * one.abs().max(other.abs()),
        _ => !one.is_null() && !other.is_null() && one != other,
    }
}

fn word<'a>(line: &'a Value, name: &str) -> &'a str {
    line[name].as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_binary_is_the_last_artifact_of_the_peer() {
        let messages = objects(concat!(
            "{\"reason\": \"compiler-artifact\", \"target\": {\"name\": \"musher\"}, \"executable\": null}\n",
            "some text\n",
            "{\"reason\": \"compiler-artifact\", \"target\": {\"name\": \"peer\"}, \"executable\": \"/t/peer-1\"}\n",
            "{\"reason\": \"build-finished\"}\n",
        ));
        assert_eq!(executable(&messages), Some(PathBuf::from("/t/peer-1")));
        assert_eq!(executable(&messages[..1]), None);
    }

    #[test]
    fn musher_stands_first_and_the_others_are_compared_with_it() {
        let line = |peer: &str, seconds: f64, checksum: f64| json!({"workload": "S1.tree", "size": "small", "peer": peer, "seconds_median": seconds, "checksum": checksum});
        let lines = [
            line("dask", 8.0, 5.0),
            line("rayon", 1.0, 6.0),
            line("musher", 2.0, 5.0),
            json!({"workload": "S1.tree", "size": "small", "peer": "ray", "error": "Traceback\nno module"}),
        ];
        let table = table(&lines);
        let rows: Vec<&str> = table.lines().skip(1).collect();
        assert!(rows[0].contains("musher") && rows[0].contains("1.00"), "{table}");
        assert!(
            rows[1].contains("rayon") && rows[1].contains("0.50") && rows[1].contains("differs"),
            "{table}"
        );
        assert!(
            rows[2].contains("dask") && rows[2].contains("4.00") && !rows[2].contains("differs"),
            "{table}"
        );
        assert!(rows[3].contains("no module"), "{table}");
    }

    #[test]
    fn lines_before_a_failure_are_kept() {
        let mut outcome = Outcome::default();
        let script = r#"echo '{"workload": "a"}'; echo text; exit 3"#;
        run_group(Command::new("sh").args(["-c", script]), "group", &mut outcome).unwrap();
        assert_eq!(outcome.lines, [json!({"workload": "a"})]);
        assert!(outcome.failures[0].starts_with("group ended"), "{:?}", outcome.failures);
    }

    #[test]
    fn musher_is_always_among_the_named_peers() {
        let names = ["dask".to_owned(), "rayon".to_owned()];
        let settings = Settings {
            folder: None,
            groups: &[],
            names: &names,
            size: "small",
            rounds: "1",
            filter: Some("S1.tree"),
        };
        let command = group_command(Path::new("s.py"), Path::new("b"), Path::new("d"), &settings);
        let words: Vec<_> = command.get_args().map(|word| word.to_string_lossy().into_owned()).collect();
        assert_eq!(words.join(" "), "s.py --size small --rounds 1 --only S1.tree --peers musher,dask,rayon");
    }

    #[test]
    fn checksums_agree_within_rounding() {
        assert!(!differ(&json!(1.0), &json!(1.0 + 1e-9)));
        assert!(differ(&json!(1.0), &json!(1.1)));
        assert!(differ(&json!("a"), &json!("b")));
        assert!(!differ(&json!(null), &json!(3)));
    }

    #[test]
    fn what_failed_is_no_measurement() {
        let lines = vec![json!({"peer": "ray", "error": "Traceback"}), json!({"peer": "musher", "min": 1.0})];
        assert_eq!(measured(lines), [json!({"peer": "musher", "min": 1.0})]);
    }
}
