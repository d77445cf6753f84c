//! One build for all commands: what one of them has compiled of the crates of others, the next does not compile again.
//!
//! Cargo joins the features of the packages that a command names, so two commands may want one crate in two forms, and
//! everything above it twice. What each wants is read from the artifacts that it lists.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::Result;
use crate::shell::{self, cargo_command};

/// Pairs of commands: the second compiles no foreign crate that the first has compiled in the same profile.
const PAIRS: [(&str, &str); 5] = [
    ("build --example walkthrough", "build --bin xtask"),
    ("build --example walkthrough", TEST),
    (TEST, "test --no-run --package musher-frame"),
    // Without what tests alone need: so does `cargo build`, and so does `cargo doc` with what `cargo check` has checked.
    (TEST, "build"),
    ("clippy --all-targets", "clippy"),
];

const TEST: &str = "test --no-run --lib --bins --tests";

/// A crate as it is compiled for one command.
#[derive(Clone, Debug, PartialEq)]
struct Artifact {
    /// The package and, where it has several, the target.
    name: String,
    features: String,
    files: String,
}

/// Compares what the commands compile; compiles it where that has not been done.
pub(crate) fn run() -> Result {
    let mut listed: BTreeMap<&str, Vec<Artifact>> = BTreeMap::new();
    for words in PAIRS.iter().flat_map(|(first, second)| [*first, *second]) {
        if !listed.contains_key(words) {
            let mut command = cargo_command(words);
            command.args(["--locked", "--quiet", "--message-format", "json-render-diagnostics"]);
            println!("   $ {}", shell::shown(&command));
            listed.insert(words, foreign(&shell::output(&mut command)?));
        }
    }
    let problems: Vec<_> = PAIRS
        .iter()
        .filter_map(|(first, second)| Some((first, second, again(&listed[first], &listed[second])?)))
        .map(|(first, second, crates)| {
            format!("`cargo {second}` compiles again what `cargo {first}` has compiled: {crates}")
        })
        .collect();
    match problems.is_empty() {
        true => Ok(()),
        false => Err(format!(
            "{}\ncrates/testkit/Cargo.toml lists the features that all commands share",
            problems.join("\n")
        )
        .into()),
    }
}

/// What a command compiles of crates that are not of this workspace.
fn foreign(messages: &str) -> Vec<Artifact> {
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let artifacts = messages.filter(|message| message["reason"] == "compiler-artifact");
    let foreign =
        artifacts.filter(|message| !message["package_id"].as_str().is_some_and(|id| id.starts_with("path+")));
    let package = |message: &Value| {
        let id = message["package_id"].as_str().unwrap_or_default();
        format!("{} {}", id.rsplit('#').next().unwrap_or(id), message["target"]["kind"][0])
    };
    foreign
        .map(|message| Artifact {
            name: package(&message),
            features: message["features"].to_string(),
            files: message["filenames"].to_string(),
        })
        .collect()
}

/// The crates that both compile in two forms; those with other features first, because the rest follows from them.
fn again(first: &[Artifact], second: &[Artifact]) -> Option<String> {
    let mut causes = BTreeSet::new();
    let mut others = 0;
    for artifact in second {
        let mut known = first.iter().filter(|other| other.name == artifact.name).peekable();
        if known.peek().is_none() || known.clone().any(|other| other.files == artifact.files) {
            continue;
        }
        if known.any(|other| other.features == artifact.features) {
            others += 1;
        } else {
            causes.insert(format!("{} with {}", artifact.name.replace('"', ""), artifact.features));
        }
    }
    let causes: Vec<_> = causes.into_iter().collect();
    (!causes.is_empty() || others > 0)
        .then(|| format!("{}; and {others} that stand on them", causes.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(package: &str, features: &str, file: &str) -> String {
        format!(
            r#"{{"reason":"compiler-artifact","package_id":"{package}","target":{{"kind":["lib"]}},"features":[{features}],"filenames":["{file}"]}}"#
        )
    }

    #[test]
    fn foreign_crates_are_read() {
        let text = [
            message("registry+https://x#either@1.0.0", "\"std\"", "a.rlib"),
            message("path+file:///x#musher@0.1.0", "", "b.rlib"),
            r#"{"reason":"build-finished","success":true}"#.to_owned(),
        ];
        let found = foreign(&text.join("\n"));
        let expected = Artifact {
            name: "either@1.0.0 \"lib\"".to_owned(),
            features: r#"["std"]"#.to_owned(),
            files: r#"["a.rlib"]"#.to_owned(),
        };
        assert_eq!(found, [expected]);
    }

    #[test]
    fn a_crate_in_two_forms_is_named_with_its_features() {
        let list = |crates: &[(&str, &str, &str)]| -> Vec<Artifact> {
            let lines = crates.iter().map(|(name, features, file)| message(name, features, file));
            foreign(&lines.collect::<Vec<_>>().join("\n"))
        };
        let first = list(&[("r#a@1", "", "a1"), ("r#a@1", "\"x\"", "a2"), ("r#b@1", "", "b1")]);
        assert_eq!(again(&first, &list(&[("r#a@1", "\"x\"", "a2"), ("r#new@1", "", "n")])), None);
        assert_eq!(
            again(&first, &list(&[("r#a@1", "\"y\"", "a3"), ("r#b@1", "", "b2")])).unwrap(),
            r#"a@1 lib with ["y"]; and 1 that stand on them"#
        );
    }
}
