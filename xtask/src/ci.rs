//! The gate: the same steps on a developer's machine and in CI, in the order in which they fail fastest.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::shell::{self, cargo_command};
use crate::{Result, Workspace, examples, once, tidy};

/// What became of a step that did not fail.
enum Outcome {
    Done,
    /// The machine lacks a tool; the reason is shown in the summary.
    Skipped(&'static str),
}

struct Step {
    name: &'static str,
    run: fn(&Workspace) -> Result<Outcome>,
}

/// Every step, in order. One profile and one set of features for all but the last, so that nothing foreign is built twice:
/// the step `once` holds it.
const STEPS: [Step; 11] = [
    Step { name: "fmt", run: |_| done("fmt --all --check") },
    Step { name: "tidy", run: |workspace| tidy::run(workspace).map(|()| Outcome::Done) },
    Step { name: "clippy", run: |_| done("clippy --locked --workspace --all-targets -- -D warnings") },
    Step { name: "test", run: test },
    Step { name: "once", run: |_| once::run().map(|()| Outcome::Done) },
    Step { name: "shuttle", run: shuttle },
    Step { name: "doctest", run: |_| done("test --locked --workspace --doc") },
    Step { name: "doc", run: document },
    Step { name: "examples", run: |workspace| examples::run(workspace).map(|()| Outcome::Done) },
    Step { name: "deny", run: deny },
    Step { name: "lapack", run: lapack },
];

/// Runs all steps, or the named ones, and stops at the first that fails; the summary is printed either way.
pub(crate) fn run(workspace: &Workspace, names: &[String]) -> Result {
    let steps = chosen(names)?;
    let mut rows: Vec<(&str, String, Duration)> = Vec::new();
    let mut failure = None;
    for step in &steps {
        println!("== {}", step.name);
        let start = Instant::now();
        let outcome = (step.run)(workspace);
        let took = start.elapsed();
        let word = match outcome {
            Ok(Outcome::Done) => "ok".to_owned(),
            Ok(Outcome::Skipped(reason)) => format!("skipped: {reason}"),
            Err(error) => {
                failure = Some(format!("{}: {error}", step.name));
                "FAILED".to_owned()
            }
        };
        println!("   {word} in {:.1} s", took.as_secs_f64());
        rows.push((step.name, word, took));
        if failure.is_some() {
            break;
        }
    }
    print!("{}", summary(&rows, steps.len()));
    failure.map_or(Ok(()), |failure| Err(failure.into()))
}

fn chosen(names: &[String]) -> Result<Vec<&'static Step>> {
    if names.is_empty() {
        return Ok(STEPS.iter().collect());
    }
    let find = |name: &String| {
        let known = STEPS.map(|step| step.name).join(", ");
        STEPS
            .iter()
            .find(|step| step.name == name)
            .ok_or_else(|| format!("no step `{name}`; there are {known}").into())
    };
    names.iter().map(find).collect()
}

fn summary(rows: &[(&str, String, Duration)], planned: usize) -> String {
    let mut text = "== summary\n".to_owned();
    for (name, word, took) in rows {
        text += &format!("   {name:<10} {:>8.1} s  {word}\n", took.as_secs_f64());
    }
    let total: Duration = rows.iter().map(|(_, _, took)| *took).sum();
    text +=
        &format!("   {:<10} {:>8.1} s  {} of {planned} steps\n", "total", total.as_secs_f64(), rows.len());
    text
}

fn done(words: &str) -> Result<Outcome> {
    shell::run(&mut cargo_command(words))?;
    Ok(Outcome::Done)
}

/// nextest where it is installed: one process a test, so that a test that aborts is named.
fn runner() -> &'static str {
    match shell::answers(&mut cargo_command("nextest --version")) {
        true => "nextest run --locked",
        false => "test --locked",
    }
}

fn test(_: &Workspace) -> Result<Outcome> {
    done(&format!("{} --workspace --lib --bins --tests", runner()))
}

fn document(_: &Workspace) -> Result<Outcome> {
    shell::run(cargo_command("doc --locked --workspace --no-deps").env("RUSTDOCFLAGS", "-D warnings"))?;
    Ok(Outcome::Done)
}

fn deny(_: &Workspace) -> Result<Outcome> {
    if !shell::answers(&mut cargo_command("deny --version")) {
        return Ok(Outcome::Skipped("cargo-deny is not installed"));
    }
    // Licences are read from every package of the lock file, those of other platforms included.
    shell::run(&mut cargo_command("fetch --locked"))?;
    done("deny --offline check --hide-inclusion-graph bans licenses sources")
}

/// The scheduler's loops under the model checker: optimised, with assertions, in a folder of its own, because the flag
/// would build everything anew.
fn shuttle(workspace: &Workspace) -> Result<Outcome> {
    let mut command = cargo_command("test --locked --release --package musher-scheduler --lib model::");
    command
        .env("RUSTFLAGS", "--cfg shuttle")
        .env("CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS", "true")
        .env("CARGO_TARGET_DIR", workspace.target_directory.join("shuttle"));
    shell::run(&mut command)?;
    Ok(Outcome::Done)
}

/// The array crate once more with the system's LAPACK, where there is one. The promises of each operation, which take as long
/// as all other tests together, are those of the default backend.
fn lapack(_: &Workspace) -> Result<Outcome> {
    if !has_openblas() {
        return Ok(Outcome::Skipped("libopenblas is not installed"));
    }
    done(&format!("{} --package musher-array --features lapack --lib --tests -- --skip promises::", runner()))
}

fn has_openblas() -> bool {
    let folders = [
        "/usr/lib/x86_64-linux-gnu",
        "/usr/lib/aarch64-linux-gnu",
        "/usr/lib64",
        "/usr/lib",
        "/usr/local/lib",
    ];
    let on_disk = folders.iter().any(|folder| Path::new(folder).join("libopenblas.so").exists());
    on_disk || shell::answers(Command::new("pkg-config").args(["--exists", "openblas"]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_chosen_by_name_in_the_order_given() {
        let names = ["doc".to_owned(), "fmt".to_owned()];
        assert_eq!(chosen(&names).unwrap().iter().map(|step| step.name).collect::<Vec<_>>(), ["doc", "fmt"]);
        assert_eq!(chosen(&[]).unwrap().len(), STEPS.len());
        assert!(chosen(&["nothing".to_owned()]).is_err());
    }

    #[test]
    fn the_summary_tells_how_far_it_came() {
        let rows = [
            ("fmt", "ok".to_owned(), Duration::from_secs(1)),
            ("tidy", "FAILED".to_owned(), Duration::from_secs(2)),
        ];
        let text = summary(&rows, 9);
        assert!(text.contains("FAILED") && text.contains("3.0 s  2 of 9 steps"), "{text}");
    }
}
