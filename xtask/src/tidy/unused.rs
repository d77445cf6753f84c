//! Dependencies that nothing uses: each is named by the code of its member, or the manifest says why it is there.
//!
//! A dependency of the library is named by the library itself; one for tests, by anything of the member: tests, benches,
//! examples, programs in documentation. Dependencies without a name in the code, such as those that only turn on
//! features, stand with their reason under `[package.metadata.tidy.unused]`.

use std::collections::BTreeSet;

use super::Problem;
use super::source;
use crate::workspace::{Dependency, Package};

/// The text of a member in which its dependencies can be named.
#[derive(Debug, Default)]
pub(super) struct Code {
    /// What the library and the binaries run.
    library: String,
    /// All that the member compiles, with the programs in its documentation.
    all: String,
}

impl Code {
    /// Adds a file of the member; `path` is relative to the folder of the member.
    pub(super) fn add(&mut self, path: &str, content: &str) {
        if path.ends_with(".md") {
            content.split("```").skip(1).step_by(2).for_each(|program| self.all.push_str(program));
            return;
        }
        let in_library = path.starts_with("src/") || path == "build.rs";
        for line in source::lines(content) {
            if in_library {
                self.library += &line.code;
                self.library.push('\n');
            }
            self.all += &line.code;
            if line.comment.starts_with(['/', '!']) {
                self.all += &line.comment;
            }
            self.all.push('\n');
        }
    }

    fn names(&self, dependency: &Dependency) -> bool {
        let text = if dependency.for_tests { &self.all } else { &self.library };
        source::has_word(text, &dependency.in_code())
    }
}

/// Dependencies of a member that its code does not name, and reasons that are given for nothing.
pub(super) fn check(package: &Package, code: &Code) -> Vec<Problem> {
    let mut problems = Vec::new();
    for dependency in &package.dependencies {
        let reason = package.unused.get(dependency.known_as());
        let message = match (code.names(dependency), reason) {
            (false, None) => format!("`{}` is used by nothing", dependency.known_as()),
            (false, Some(reason)) if reason.is_empty() => {
                format!("`{}` stands under `tidy.unused` without a reason", dependency.known_as())
            }
            (true, Some(_)) => format!("`{}` is used: take it from `tidy.unused`", dependency.known_as()),
            _ => continue,
        };
        problems.push(Problem::new(0, message));
    }
    let known: BTreeSet<&str> = package.dependencies.iter().map(Dependency::known_as).collect();
    let gone = package.unused.keys().filter(|name| !known.contains(name.as_str()));
    problems.extend(gone.map(|name| Problem::new(0, format!("`{name}` of `tidy.unused` is no dependency"))));
    problems
}

/// Lines of `[workspace.dependencies]` that no member takes.
pub(super) fn unclaimed(manifest: &str, packages: &[Package]) -> Vec<Problem> {
    let taken: BTreeSet<&str> =
        packages.iter().flat_map(|package| &package.dependencies).map(Dependency::known_as).collect();
    let numbered = manifest.lines().enumerate();
    let inside = numbered
        .skip_while(|(_, line)| *line != "[workspace.dependencies]")
        .skip(1)
        .take_while(|(_, line)| !line.starts_with('['));
    let entries = inside.filter_map(|(index, line)| Some((index + 1, line.split_once(" = ")?.0)));
    entries
        .filter(|(_, name)| !name.starts_with(['#', ' ']) && !taken.contains(name))
        .map(|(line, name)| Problem::new(line, format!("no member depends on `{name}`")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dependency(name: &str, rename: Option<&str>, for_tests: bool) -> Dependency {
        Dependency { name: name.to_owned(), rename: rename.map(str::to_owned), for_tests }
    }

    fn package(dependencies: &[Dependency], unused: &[(&str, &str)]) -> Package {
        let unused = unused.iter().map(|(name, reason)| ((*name).to_owned(), (*reason).to_owned()));
        Package { dependencies: dependencies.to_vec(), unused: unused.collect(), ..Package::default() }
    }

    fn code(files: &[(&str, &str)]) -> Code {
        let mut code = Code::default();
        files.iter().for_each(|(path, content)| code.add(path, content));
        code
    }

    #[track_caller]
    fn check_messages(package: &Package, code: &Code, expected: &[&str]) {
        let messages: Vec<_> = check(package, code).into_iter().map(|problem| problem.message).collect();
        assert_eq!(messages, expected);
    }

    #[test]
    fn a_dependency_is_named_by_its_name_in_code() {
        let used =
            code(&[("src/lib.rs", "use num_traits::Zero; // serde\nfn f(_: old::Array) { \"rayon\" }")]);
        let dependencies = [
            dependency("num-traits", None, false),
            dependency("ndarray", Some("old"), false),
            dependency("serde", None, false),
            dependency("rayon", None, false),
        ];
        check_messages(
            &package(&dependencies, &[]),
            &used,
            &["`serde` is used by nothing", "`rayon` is used by nothing"],
        );
    }

    #[test]
    fn what_only_tests_name_is_no_dependency_of_the_library() {
        let files = code(&[
            ("tests/it/main.rs", "use criterion::x;"),
            ("src/lib.rs", "/// use tempfile::tempdir;\nfn f() {}"),
            ("README.md", "insta\n```rust\nuse trybuild::t;\n```\nproptest"),
        ]);
        let tests = ["criterion", "tempfile", "trybuild"].map(|name| dependency(name, None, true));
        check_messages(&package(&tests, &[]), &files, &[]);
        check_messages(
            &package(&[dependency("criterion", None, false), dependency("proptest", None, true)], &[]),
            &files,
            &["`criterion` is used by nothing", "`proptest` is used by nothing"],
        );
    }

    #[test]
    fn a_reason_is_given_for_what_is_there_and_unused() {
        let files = code(&[("src/lib.rs", "use b::x;")]);
        let dependencies = ["a", "b", "c"].map(|name| dependency(name, None, false));
        check_messages(
            &package(&dependencies, &[("a", "its features"), ("b", "why"), ("d", "why"), ("c", "")]),
            &files,
            &[
                "`b` is used: take it from `tidy.unused`",
                "`c` stands under `tidy.unused` without a reason",
                "`d` of `tidy.unused` is no dependency",
            ],
        );
    }

    #[test]
    fn every_line_of_the_workspace_is_taken() {
        let manifest = "[package]\nx = 1\n[workspace.dependencies]\n# A.\na = \"1\"\nb = { version = \"1\", features = [\n  \"c\" ] }\n\n[lints]\nd = 1\n";
        let members = [package(&[dependency("a", None, false)], &[])];
        assert_eq!(unclaimed(manifest, &members), [Problem::new(6, "no member depends on `b`")]);
    }
}
