//! The bench programs of the workspace: which there are, what they need, and what they print.
//!
//! A program measures by criterion, or prints figures of whole runs: one JSON object a line, with its name in `figure`.
//! Each is built with the features that it requires and no others, so that whoever names the benches that need no polars
//! does not wait for it. A figure that only a unit test can see, because the engine is private, is printed by that test.

use std::process::Command;

use serde_json::Value;

use super::peers::{Outcome, objects};
use super::{Options, PEER};
use crate::shell::{self, cargo_command};
use crate::workspace::{Package, Target};
use crate::{Result, Workspace};

/// Figures that a test prints: the name by which they are chosen, the package, and the test.
const TESTS: [(&str, &str, &str); 1] = [(
    "admission",
    "musher-scheduler",
    "engine::tests::eight_workers_at_twice_the_least_limit_are_at_least_three_and_a_half_times_as_fast",
)];

/// Runs the benches that the options name, or all. What one has printed is kept even if it, or another, fails later.
pub(super) fn run(workspace: &Workspace, options: &Options) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    for mut command in commands(workspace, options)? {
        command.env("BENCH_SIZE", &options.size);
        println!("   $ {}", shell::shown(&command));
        let see = |line: &str| outcome.lines.extend(objects(line).into_iter().filter(is_figure));
        let status = shell::each_line(&mut command, see)?;
        if !status.success() {
            outcome.failures.push(format!("`{}` ended with {status}", shell::shown(&command)));
        }
    }
    Ok(outcome)
}

/// Builds what [`run`] will run, so that building is no part of what is measured.
pub(super) fn build(workspace: &Workspace, options: &Options) -> Result {
    let built = |command: &mut Command| {
        let words: Vec<_> =
            command.get_args().take_while(|word| *word != "--").map(ToOwned::to_owned).collect();
        shell::run(Command::new(shell::cargo()).args(words).arg("--no-run"))
    };
    commands(workspace, options)?.iter_mut().try_for_each(built)
}

fn is_figure(object: &Value) -> bool {
    object["figure"].is_string()
}

/// A call of cargo for each package with benches that are asked for, and one for each test.
fn commands(workspace: &Workspace, options: &Options) -> Result<Vec<Command>> {
    check_names(workspace, &options.benches)?;
    let is_wanted =
        |name: &str| options.benches.is_empty() || options.benches.iter().any(|wanted| wanted == name);
    let mut commands = Vec::new();
    for package in &workspace.packages {
        let targets: Vec<_> = benches(package).filter(|target| is_wanted(&target.name)).collect();
        if !targets.is_empty() {
            let mut command = bench_command(package, &targets);
            command.arg("--").args(options.quick.then_some("--quick")).args(&options.filter);
            commands.push(command);
        }
    }
    for (name, package, test) in TESTS.into_iter().filter(|(name, ..)| is_wanted(name)) {
        if options.filter.as_deref().is_none_or(|filter| name.contains(filter)) {
            let words = format!(
                "test --locked --profile bench --lib --package {package} -- --nocapture --exact {test}"
            );
            commands.push(cargo_command(&words));
        }
    }
    Ok(commands)
}

/// The programs that measure and print by themselves.
fn benches(package: &Package) -> impl Iterator<Item = &Target> {
    package.targets.iter().filter(|target| target.kind == "bench" && target.name != PEER)
}

fn check_names(workspace: &Workspace, names: &[String]) -> Result {
    let targets = workspace.packages.iter().flat_map(benches).map(|target| target.name.as_str());
    let known: Vec<&str> = targets.chain(TESTS.map(|(name, ..)| name)).collect();
    match names.iter().find(|name| !known.contains(&name.as_str())) {
        Some(wrong) => Err(format!("no bench `{wrong}`; there are {}", known.join(", ")).into()),
        None => Ok(()),
    }
}

/// `cargo bench` of targets of one package, with the features that they require.
pub(super) fn bench_command(package: &Package, targets: &[&Target]) -> Command {
    let mut command = cargo_command("bench --locked --no-default-features --package");
    command.arg(&package.name);
    let mut features: Vec<&str> =
        targets.iter().flat_map(|target| &target.features).map(String::as_str).collect();
    features.sort_unstable();
    features.dedup();
    if !features.is_empty() {
        command.args(["--features", &features.join(",")]);
    }
    for target in targets {
        command.args(["--bench", &target.name]);
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn workspace() -> Workspace {
        let target = |name: &str, kind: &str, features: &[&str]| Target {
            name: name.to_owned(),
            kind: kind.to_owned(),
            source: PathBuf::new(),
            features: features.iter().map(|&feature| feature.to_owned()).collect(),
        };
        let package = |name: &str, targets: Vec<Target>| Package {
            name: name.to_owned(),
            targets,
            ..Package::default()
        };
        let root = [
            target("overhead", "bench", &[]),
            target("spill", "bench", &["array"]),
            target("frame", "bench", &["frame"]),
            target("peer", "bench", &["image"]),
            target("words", "example", &[]),
        ];
        let packages =
            vec![package("musher", root.to_vec()), package("core", vec![target("plan", "bench", &[])])];
        Workspace { root: PathBuf::new(), target_directory: PathBuf::new(), packages }
    }

    fn asked(benches: &[&str], filter: Option<&str>) -> Vec<String> {
        let benches = benches.iter().map(|&name| name.to_owned()).collect();
        let options = Options { benches, filter: filter.map(str::to_owned), ..Options::default() };
        let text = |command: &Command| {
            let words: Vec<_> = command.get_args().map(|word| word.to_string_lossy()).collect();
            words.join(" ")
        };
        commands(&workspace(), &options).unwrap().iter().map(text).collect()
    }

    #[test]
    fn benches_are_built_with_what_they_require_and_no_more() {
        assert_eq!(
            asked(&["spill", "overhead"], Some("tree")),
            [
                "bench --locked --no-default-features --package musher --features array --bench overhead --bench spill -- tree"
            ]
        );
        assert_eq!(
            asked(&["plan"], None),
            ["bench --locked --no-default-features --package core --bench plan --"]
        );
    }

    #[test]
    fn without_names_all_benches_run() {
        let all = asked(&[], None);
        assert_eq!(all.len(), 3, "{all:?}");
        assert!(all[0].contains("--features array,frame") && !all[0].contains("peer"), "{all:?}");
        assert!(all[2].contains("--exact engine::tests::eight_workers"), "{all:?}");
    }

    #[test]
    fn a_wrong_name_is_told_the_right_ones() {
        let options = Options { benches: vec!["spil".to_owned()], ..Options::default() };
        let error = commands(&workspace(), &options).unwrap_err().to_string();
        assert_eq!(error, "no bench `spil`; there are overhead, spill, frame, plan, admission");
    }
}
