//! Workloads that musher runs alone, because no script was given or none knows them: its own figures need nothing but
//! this repository. The peer says which workloads make their own input.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::peers::{Outcome, Settings, objects};
use crate::Result;
use crate::shell;

/// How often each process repeats its workload; the first time memory is fresh.
const REPETITIONS: &str = "2";

/// Runs what the settings ask for and no line of the outcome has, and adds a line for each.
pub(super) fn run(binary: &Path, settings: &Settings<'_>, outcome: &mut Outcome) -> Result {
    let listed = shell::output(Command::new(binary).arg("list"))?;
    let is_left = |workload: &&str| is_wanted(workload, settings) && !has(&outcome.lines, workload);
    let left: Vec<&str> = listed.lines().filter(is_left).collect();
    let rounds: usize = settings.rounds.parse().map_err(|_| "`--rounds` needs a number")?;
    for workload in left {
        let line = match samples(binary, workload, settings.size, rounds) {
            Ok(samples) => line(workload, settings.size, &samples),
            Err(error) => {
                outcome.failures.push(format!("{workload}: {error}"));
                json!({"workload": workload, "size": settings.size, "peer": "musher", "error": error.to_string()})
            }
        };
        println!("{line}");
        outcome.lines.push(line);
    }
    Ok(())
}

/// Whether a workload is of the groups, and of those that the filter names: `A1.mean`, `A1`, `A1.m*`, joined by commas.
fn is_wanted(workload: &str, settings: &Settings<'_>) -> bool {
    let of_group = |group: &String| {
        let letters = group.split('_').next().unwrap_or_default().to_uppercase();
        workload.starts_with(&letters)
    };
    let named = |name: &str| match name.strip_suffix('*') {
        Some(start) => workload.starts_with(start),
        None => workload.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')),
    };
    (settings.groups.is_empty() || settings.groups.iter().any(of_group))
        && settings.filter.is_none_or(|filter| filter.split(',').any(named))
}

/// Whether a script has run it with musher.
fn has(lines: &[Value], workload: &str) -> bool {
    lines.iter().any(|line| line["workload"] == workload && line["peer"] == "musher")
}

/// What the peer printed in each of so many processes.
fn samples(binary: &Path, workload: &str, size: &str, rounds: usize) -> Result<Vec<Value>> {
    let sample = |_| {
        let mut command = Command::new(binary);
        let printed = shell::output(command.args([workload, size]).env("BENCH_REPS", REPETITIONS))?;
        objects(&printed).pop().ok_or_else(|| "nothing was printed".into())
    };
    (0..rounds).map(sample).collect()
}

/// The line that a script would have printed.
fn line(workload: &str, size: &str, samples: &[Value]) -> Value {
    let all = |name: &str| -> Vec<f64> {
        let lists = samples.iter().filter_map(|sample| sample[name].as_array()).flatten();
        let mut numbers: Vec<f64> = lists.filter_map(Value::as_f64).collect();
        numbers.sort_by(f64::total_cmp);
        numbers
    };
    let largest = |name: &str| samples.iter().filter_map(|sample| sample[name].as_f64()).reduce(f64::max);
    let seconds = all("seconds");
    let last = |name: &str| samples.last().map_or(Value::Null, |sample| sample[name].clone());
    json!({
        "workload": workload, "size": size, "peer": "musher",
        "seconds_median": median(&seconds), "min": seconds.first(), "max": seconds.last(), "n": seconds.len(),
        "other_cpu": median(&all("other_cpu")), "cpu": median(&all("cpu")),
        "peak_rss_mb": largest("peak_rss_mb"), "base_rss_mb": largest("base_rss_mb"),
        "checksum": last("checksum"), "extra": last("extra"), "version": last("version"),
    })
}

/// Of numbers in order.
fn median(sorted: &[f64]) -> Option<f64> {
    let middle = sorted.len() / 2;
    let upper = *sorted.get(middle)?;
    if sorted.len() % 2 == 1 { Some(upper) } else { Some(f64::midpoint(sorted[middle - 1], upper)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings<'a>(groups: &'a [String], filter: Option<&'a str>) -> Settings<'a> {
        Settings { folder: None, groups, names: &[], size: "small", rounds: "2", filter }
    }

    #[test]
    fn groups_and_filters_choose_as_the_scripts_do() {
        let groups = ["a_array".to_owned()];
        let wanted = |filter, workload| is_wanted(workload, &settings(&groups, filter));
        assert!(wanted(None, "A2.fma") && !wanted(None, "S1.tree"));
        assert!(wanted(Some("A1,A2.fma"), "A2.fma") && !wanted(Some("A1,A2.fma"), "A2.fma_sum"));
        assert!(wanted(Some("A2.f*"), "A2.fma_sum") && wanted(Some("A2"), "A2.where"));
        assert!(!wanted(Some("A"), "A2.fma") && !wanted(Some("S1"), "S1.tree"));
        assert!(is_wanted("S1.tree", &settings(&[], None)));
    }

    #[test]
    fn a_line_is_of_all_samples() {
        let sample = |seconds: [f64; 2], peak: f64| json!({"seconds": seconds, "peak_rss_mb": peak, "checksum": 3, "version": "musher 1"});
        let line = line("A1.mean", "small", &[sample([4.0, 1.0], 9.0), sample([2.0, 3.0], 7.0)]);
        assert_eq!(line["seconds_median"], json!(2.5));
        assert_eq!((&line["min"], &line["max"], &line["n"]), (&json!(1.0), &json!(4.0), &json!(4)));
        assert_eq!((&line["peak_rss_mb"], &line["checksum"]), (&json!(9.0), &json!(3)));
        assert_eq!((median(&[]), median(&[5.0])), (None, Some(5.0)));
    }

    #[test]
    fn what_a_script_has_run_is_not_run_again() {
        let lines = [
            json!({"workload": "A1.mean", "peer": "musher"}),
            json!({"workload": "A1.std", "peer": "numpy"}),
        ];
        assert!(has(&lines, "A1.mean") && !has(&lines, "A1.std"));
    }

    #[test]
    fn a_peer_that_fails_leaves_a_line_that_says_so() {
        let folder = std::env::temp_dir().join(format!("musher-xtask-alone-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let binary = folder.join("peer");
        let script = r#"case $1 in
            list) printf 'A1.mean\nA1.std\n';;
            A1.mean) echo "{\"seconds\": [$BENCH_REPS.0]}";;
            *) exit 2;;
        esac"#;
        std::fs::write(&binary, format!("#!/bin/sh\n{script}\n")).unwrap();
        assert!(Command::new("chmod").arg("+x").arg(&binary).status().unwrap().success());
        let mut outcome = Outcome::default();
        run(&binary, &settings(&[], None), &mut outcome).unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(outcome.lines[0]["seconds_median"], json!(2.0));
        assert_eq!(outcome.lines[0]["n"], json!(2));
        assert!(outcome.lines[1]["error"].is_string(), "{:?}", outcome.lines);
        assert_eq!(outcome.failures.len(), 1);
    }
}
