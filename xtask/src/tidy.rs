//! The rules of the house that no compiler checks. Each rule is a pure function from a text to its problems, so it is tested on
//! strings; this file walks the project and gives every rule the files that it is about.

mod expand;
mod items;
mod manifest;
mod operations;
mod rust;
mod source;
mod tables;
mod text;
mod tokens;

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

/// Checks the whole project and lists every problem, not only the first.
pub(crate) fn run(workspace: &Workspace) -> Result {
    let mut report = Report::default();
    for path in files(&workspace.root)? {
        check_file(&workspace.root, &path, &mut report)?;
    }
    check_packages(workspace, &mut report)?;
    check_operations(&workspace.root, &mut report)?;
    report.add(
        "README.md",
        claims::problem(&workspace.root)?.map(|text| Problem::new(0, text)).into_iter().collect(),
    );
    report.finish()
}

/// Collects the problems by place and tells how it ended.
#[derive(Default)]
struct Report {
    lines: Vec<String>,
    files: usize,
}

impl Report {
    fn add(&mut self, path: &str, problems: Vec<Problem>) {
        self.lines.extend(problems.into_iter().map(|problem| match problem.line {
            0 => format!("{path}: {}", problem.message),
            line => format!("{path}:{line}: {}", problem.message),
        }));
    }

    fn finish(self) -> Result {
        if self.lines.is_empty() {
            println!("   tidy: {} files, no problem", self.files);
            return Ok(());
        }
        Err(format!("tidy found {} problems\n{}", self.lines.len(), self.lines.join("\n")).into())
    }
}

/// Every file that is or would be committed, as git sees it, relative to the root.
fn files(root: &Path) -> Result<Vec<String>> {
    let mut command = Command::new("git");
    command.current_dir(root).args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let listed = shell::output(&mut command)?;
    Ok(listed.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect())
}

fn check_file(root: &Path, path: &str, report: &mut Report) -> Result {
    let full = root.join(path);
    if !full.is_file() || !text::is_text(path) {
        return Ok(());
    }
    let content = std::fs::read_to_string(&full).map_err(|error| format!("{path}: {error}"))?;
    report.files += 1;
    report.add(path, text::forbidden(&content));
    if path.ends_with(".rs") {
        report.add(path, rust::check(path, &content));
    } else if path.ends_with(".md") {
        report.add(path, text::markdown(&content));
        if path == COMPARISON {
            report.add(path, tables::unproved(&content));
        }
    } else if path.ends_with("Cargo.toml") {
        report.add(path, manifest::features(&content));
    } else if path == "Cargo.lock" {
        report.add(path, manifest::lock(&content));
    }
    Ok(())
}

fn check_packages(workspace: &Workspace, report: &mut Report) -> Result {
    for package in &workspace.packages {
        let content = std::fs::read_to_string(&package.manifest)?;
        let path =
            package.manifest.strip_prefix(&workspace.root).unwrap_or(&package.manifest).display().to_string();
        report.add(&path, manifest::arrows(package));
        report.add(&path, manifest::member(package, &content));
    }
    let tracked = shell::answers(Command::new("git").current_dir(&workspace.root).args([
        "ls-files",
        "--error-unmatch",
        "Cargo.lock",
    ]));
    if !tracked {
        report.add("Cargo.lock", vec![Problem::new(0, "must be committed")]);
    }
    Ok(())
}

/// Dask's lines beside ours.
const COMPARISON: &str = "docs/dask.md";

/// The list of every public operation, at the root of the project.
const OPERATIONS: &str = "ops.toml";

fn check_operations(root: &Path, report: &mut Report) -> Result {
    let list =
        std::fs::read_to_string(root.join(OPERATIONS)).map_err(|error| format!("{OPERATIONS}: {error}"))?;
    let mut sources = Vec::new();
    for path in files(root)?.into_iter().filter(|path| path.ends_with(".rs") && root.join(path).is_file()) {
        let content =
            std::fs::read_to_string(root.join(&path)).map_err(|error| format!("{path}: {error}"))?;
        sources.push((path, content));
    }
    let read = |path: &str| std::fs::read_to_string(root.join(path)).ok();
    for (path, problem) in operations::check(OPERATIONS, &list, &sources, read) {
        report.add(&path, vec![problem]);
    }
    Ok(())
}
