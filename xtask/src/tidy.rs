//! The rules of the house that no compiler checks. Each rule is a pure function from a text to its problems, so it is tested on
//! strings; this file walks the project and gives every rule the files that it is about.

mod cases;
mod items;
mod manifest;
mod operations;
mod rust;
mod source;
mod tables;
mod text;
mod tokens;
mod unused;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use crate::bench::claims;
use crate::shell;
use crate::{Result, Workspace};

/// What a rule found: the line (from 1; 0 for the file as a whole) and what is wrong there.
#[derive(Debug, PartialEq)]
struct Problem {
    line: usize,
    message: String,
}

impl Problem {
    fn new(line: usize, message: impl Into<String>) -> Self {
        Self { line, message: message.into() }
    }
}

/// The text files of the project by their paths relative to the root.
type Files = BTreeMap<String, String>;

/// Checks the whole project and lists every problem, not only the first.
pub(crate) fn run(workspace: &Workspace) -> Result {
    let files = read(&workspace.root)?;
    let mut report = Report::default();
    for (path, content) in &files {
        report.add(path, check_file(path, content));
    }
    check_packages(workspace, &files, &mut report);
    check_operations(&files, &mut report);
    for (path, text) in claims::problems(&workspace.root)? {
        report.add(path, vec![Problem::new(0, text)]);
    }
    report.finish(files.len())
}

/// Collects the problems by place and tells how it ended.
#[derive(Default)]
struct Report {
    lines: Vec<String>,
}

impl Report {
    fn add(&mut self, path: &str, problems: Vec<Problem>) {
        self.lines.extend(problems.into_iter().map(|problem| match problem.line {
            0 => format!("{path}: {}", problem.message),
            line => format!("{path}:{line}: {}", problem.message),
        }));
    }

    fn finish(self, files: usize) -> Result {
        if self.lines.is_empty() {
            println!("   tidy: {files} files, no problem");
            return Ok(());
        }
        Err(format!("tidy found {} problems\n{}", self.lines.len(), self.lines.join("\n")).into())
    }
}

/// Every text that is or would be committed, as git sees it.
fn read(root: &Path) -> Result<Files> {
    let mut command = Command::new("git");
    command.current_dir(root).args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let listed = shell::output(&mut command)?;
    let texts = listed.split('\0').filter(|path| text::is_text(path) && root.join(path).is_file());
    let read = |path: &str| match std::fs::read_to_string(root.join(path)) {
        Ok(content) => Ok((path.to_owned(), content)),
        Err(error) => Err(format!("{path}: {error}").into()),
    };
    texts.map(read).collect()
}

fn check_file(path: &str, content: &str) -> Vec<Problem> {
    let mut problems = text::forbidden(content);
    if path.ends_with(".rs") {
        problems.extend(rust::check(path, content));
    } else if path.ends_with(".md") {
        problems.extend(text::markdown(content));
        if COMPARISONS.contains(&path) {
            problems.extend(tables::unproved(content));
        }
    } else if path.ends_with("Cargo.toml") {
        problems.extend(manifest::features(content));
    } else if path == "Cargo.lock" {
        problems.extend(manifest::lock(content));
    }
    problems
}

fn check_packages(workspace: &Workspace, files: &Files, report: &mut Report) {
    for package in &workspace.packages {
        let path = package.manifest.strip_prefix(&workspace.root).unwrap_or(&package.manifest);
        let path = path.display().to_string();
        let folder = path.strip_suffix("Cargo.toml").unwrap_or_default();
        let mut code = unused::Code::default();
        for (file, content) in files {
            if let Some(own) = file.strip_prefix(folder).filter(|own| !folder.is_empty() || of_root(own)) {
                code.add(own, content);
            }
        }
        report.add(&path, manifest::arrows(package));
        report.add(&path, manifest::member(package, files.get(&path).map_or("", String::as_str)));
        report.add(&path, unused::check(package, &code));
    }
    match files.get("Cargo.toml") {
        Some(manifest) => report.add("Cargo.toml", unused::unclaimed(manifest, &workspace.packages)),
        None => report.add("Cargo.toml", vec![Problem::new(0, "must be committed")]),
    }
    if !files.contains_key("Cargo.lock") {
        report.add("Cargo.lock", vec![Problem::new(0, "must be committed")]);
    }
}

/// Whether a file belongs to the package at the root, not to a member below it.
fn of_root(path: &str) -> bool {
    !path.starts_with("crates/") && !path.starts_with("xtask/")
}

/// Lines of Dask and pandas beside ours.
const COMPARISONS: [&str; 2] = ["docs/dask.md", "docs/expressions.md"];

/// The list of every public operation, at the root of the project.
const OPERATIONS: &str = "ops.toml";

fn check_operations(files: &Files, report: &mut Report) {
    let Some(list) = files.get(OPERATIONS) else {
        return report.add(OPERATIONS, vec![Problem::new(0, "must be committed")]);
    };
    let found = operations::check(OPERATIONS, list, files).into_iter();
    for (path, problem) in found.chain(cases::check(OPERATIONS, list, files)) {
        report.add(&path, vec![problem]);
    }
}
