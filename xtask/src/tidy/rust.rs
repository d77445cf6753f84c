//! Rules about Rust source: its head, its length, printing, unfinished work, and what a kernel may name.

use super::Problem;
use super::source::{self, Line};
use super::tokens::{Token, tokens};

/// A file is one thing that a reader can hold in mind; past this it is more than one.
const LONGEST_FILE: usize = 800;

/// What prints: a library speaks through values, errors and events.
const PRINTING: [&str; 5] = ["println!", "eprintln!", "print!", "eprint!", "dbg!"];

/// What leaves work for later.
const UNFINISHED: [&str; 2] = ["todo!", "unimplemented!"];

/// Marks of unfinished work in comments; each needs its issue: `FIXME(#12)`.
const MARKS: [&str; 3] = ["TODO", "FIXME", "XXX"];

/// What a kernel, a pure function on one chunk, has no business with.
const NOT_IN_KERNELS: [&str; 9] = [
    "musher_graph_core",
    "graph_core",
    "musher_scheduler",
    "scheduler",
    "Key",
    "Layer",
    "Graph",
    "Plan",
    "TaskGraph",
];

/// What stands beside the graph because all crates need it, and is pure mathematics.
const NUMBERS_ALONE: &str = "musher_graph_core::Moments";

/// What is done in one place for all crates: a word that shows a copy of it, where it is at home, and what to use.
const HOMES: [(&str, &str, &str); 4] = [
    ("Wiring::tree(", "crates/graph-core/src/", "`tree` of graph-core, or `tree_of` where its tasks fuse"),
    ("size_of::<F>()", "crates/graph-core/src/", "`FnIdentity` of graph-core"),
    ("struct Moments", "crates/graph-core/src/moments.rs", "`Moments` of graph-core"),
    ("globset", "crates/scheduler/src/", "`musher_scheduler::files::find`"),
];

/// The crates of collections, whose graphs are built from facts of files, and what asks the file system past `once`.
const COLLECTIONS: [&str; 5] =
    ["crates/array/src/", "crates/bag/src/", "crates/frame/src/", "crates/image/src/", "crates/ml/src/"];
const FILE_SYSTEM: [&str; 10] = [
    "fs::metadata",
    "fs::read",
    "fs::canonicalize",
    "fs::write",
    "fs::rename",
    "File::open",
    "File::create",
    "path::absolute",
    ".is_dir()",
    ".exists()",
];

/// All rules on one file; `path` is relative to the root and written with `/`.
pub(super) fn check(path: &str, content: &str) -> Vec<Problem> {
    let lines = source::lines(content);
    let mut problems = head(content);
    problems.extend(length(content));
    problems.extend(unfinished(&lines));
    if is_library(path) {
        problems.extend(printing(&lines));
        problems.extend(copies(path, &lines));
    }
    if is_library(path) && !is_root(path) {
        problems.extend(imports(&tokens(content)));
    }
    if COLLECTIONS.iter().any(|sources| path.starts_with(sources)) && !path.ends_with("/tests.rs") {
        problems.extend(file_system(&lines));
    }
    if path.contains("/src/kernel/") || path.ends_with("/src/kernel.rs") {
        problems.extend(kernel(&lines));
    }
    problems
}

/// Code of a library, not the kit for tests, and but for its unit tests in files of their own, which may print figures for a record.
fn is_library(path: &str) -> bool {
    let is_source =
        path.starts_with("src/") || path.strip_prefix("crates/").is_some_and(|rest| rest.contains("/src/"));
    is_source && !path.ends_with("/tests.rs") && !path.starts_with("crates/testkit/")
}

/// What names a crate's exports: its root, and its prelude.
fn is_root(path: &str) -> bool {
    path.ends_with("src/lib.rs") || path.ends_with("src/prelude.rs")
}

fn head(content: &str) -> Vec<Problem> {
    // The facade's root is its README.
    match content.starts_with("//!") || content.starts_with("#![doc = include_str!(") {
        true => Vec::new(),
        false => vec![Problem::new(1, "a file opens with `//!`: what it holds and why it exists")],
    }
}

fn length(content: &str) -> Vec<Problem> {
    let count = content.lines().count();
    match count > LONGEST_FILE {
        true => {
            vec![Problem::new(0, format!("{count} lines, at most {LONGEST_FILE}: split it by what it does"))]
        }
        false => Vec::new(),
    }
}

/// One problem for each line on which `wrong` says something.
fn each_line(lines: &[Line], wrong: impl Fn(&Line) -> Option<String>) -> Vec<Problem> {
    let numbered = lines.iter().enumerate();
    numbered.filter_map(|(index, line)| wrong(line).map(|message| Problem::new(index + 1, message))).collect()
}

fn printing(lines: &[Line]) -> Vec<Problem> {
    each_line(lines, |line| {
        let found = PRINTING.iter().find(|name| calls(&line.code, name))?;
        Some(format!("`{found}` in a library: give a value, an error or an event"))
    })
}

/// Mechanisms that have a home and stand elsewhere again.
fn copies(path: &str, lines: &[Line]) -> Vec<Problem> {
    each_line(lines, |line| {
        let (word, home, instead) = HOMES.iter().find(|(word, ..)| line.code.contains(word))?;
        let here = path.starts_with(home);
        (!here).then(|| format!("`{word}` is at home in {home}: use {instead}"))
    })
}

/// Looks at the file system that do not go through the one module of files.
fn file_system(lines: &[Line]) -> Vec<Problem> {
    let n_own = lines.iter().position(|line| line.code.contains("#[cfg(test)]")).unwrap_or(lines.len());
    each_line(&lines[..n_own], |line| {
        let names = |call: &&&str| {
            let before = line.code.find(**call).map(|at| line.code[..at].chars().next_back());
            let is_method = call.starts_with('.');
            before.is_some_and(|before| is_method || before.is_none_or(|before| !before.is_alphanumeric()))
        };
        let found = FILE_SYSTEM.iter().find(names)?;
        Some(format!(
            "`{found}` past `musher_scheduler::files` and `sink`: ask by `once`, open by `FileFacts`"
        ))
    })
}

fn unfinished(lines: &[Line]) -> Vec<Problem> {
    each_line(lines, |line| {
        if let Some(found) = UNFINISHED.iter().find(|name| calls(&line.code, name)) {
            return Some(format!("`{found}`: nothing unfinished is committed"));
        }
        if line.code.contains("#[ignore") || line.code.contains(", ignore)]") {
            return Some("an ignored test: assert the present wrong answer with a FIXME(#issue)".to_owned());
        }
        let mark = MARKS.iter().find(|mark| bare_mark(&line.comment, mark))?;
        Some(format!("bare {mark}: write {mark}(#issue)"))
    })
}

/// Imports of types through the root of the crate: `use crate::chunk::Chunk` says who needs whom, `use crate::Chunk` does not.
fn imports(tokens: &[Token]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        if let Some(inside) = token.group('{') {
            problems.extend(imports(inside));
        }
        let [krate, colon, again, imported, ..] = &tokens[at + 1..] else { continue };
        if !(token.is_word("use") && krate.is_word("crate") && colon.is_sign(':') && again.is_sign(':')) {
            continue;
        }
        let first = |list: &[Token]| list.first().and_then(Token::word).map(str::to_owned);
        let names: Vec<String> = match imported.group('{') {
            Some(list) => list.split(|token| token.is_sign(',')).filter_map(first).collect(),
            None => first(std::slice::from_ref(imported)).into_iter().collect(),
        };
        let types: Vec<_> = names.into_iter().filter(|name| name.starts_with(char::is_uppercase)).collect();
        if !types.is_empty() {
            let message =
                format!("{} through the root of the crate: import by module path", types.join(", "));
            problems.push(Problem::new(token.line, message));
        }
    }
    problems
}

/// `name!` as a macro of its own, so that `print!` is not found in `eprint!`.
fn calls(code: &str, name: &str) -> bool {
    code.match_indices(name).any(|(at, _)| {
        !code[..at].chars().next_back().is_some_and(|before| before.is_alphanumeric() || before == '_')
    })
}

fn bare_mark(comment: &str, mark: &str) -> bool {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    comment.match_indices(mark).any(|(at, _)| {
        let after = &comment[at + mark.len()..];
        let alone =
            !comment[..at].chars().next_back().is_some_and(word) && !after.chars().next().is_some_and(word);
        let issue = after.strip_prefix("(#").and_then(|rest| rest.split_once(')')).map(|(number, _)| number);
        alone && !issue.is_some_and(|number| !number.is_empty() && number.chars().all(|c| c.is_ascii_digit()))
    })
}

fn kernel(lines: &[Line]) -> Vec<Problem> {
    each_line(lines, |line| {
        let code = line.code.replace(NUMBERS_ALONE, "");
        let found = NOT_IN_KERNELS.iter().find(|name| source::has_word(&code, name))?;
        Some(format!("a kernel names neither key nor graph, but here stands `{found}`"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines on which there is a problem.
    fn wrong(path: &str, content: &str) -> Vec<usize> {
        check(path, content).iter().map(|problem| problem.line).collect()
    }

    #[test]
    fn collections_ask_the_file_system_through_one_module() {
        let look = "//! x\nfn f() { let a = fs::metadata(path); }\n";
        assert_eq!(wrong("crates/bag/src/x.rs", look), [2]);
        assert_eq!(
            wrong("crates/bag/src/x.rs", "//! x\nfn f() { std::fs::read(path); File::open(path); }\n"),
            [2]
        );
        let own = "//! x\nfn f() { TextFile::open(facts); }\n#[cfg(test)]\nmod tests { fn g() { fs::read(path); } }\n";
        assert_eq!(wrong("crates/bag/src/x.rs", own), [0_usize; 0]);
        assert_eq!(wrong("crates/scheduler/src/x.rs", look), [0_usize; 0]);
    }

    #[test]
    fn a_file_opens_with_what_it_holds() {
        assert!(wrong("src/a.rs", "//! A.\n").is_empty());
        assert!(wrong("src/lib.rs", "#![doc = include_str!(\"../README.md\")]\n").is_empty());
        assert_eq!(wrong("src/a.rs", "use x;\n//! A.\n"), [1]);
        assert_eq!(wrong("tests/a.rs", ""), [1]);
    }

    #[test]
    fn a_file_has_an_end() {
        let long = |count: usize| format!("//! A.\n{}", "x\n".repeat(count - 1));
        assert!(wrong("src/a.rs", &long(800)).is_empty());
        assert_eq!(wrong("src/a.rs", &long(801)), [0]);
    }

    #[test]
    fn libraries_do_not_print() {
        let content = "//! A: `println!`.\n/// println!(\"doc\");\nfn f() { println!(\"{}\", \"dbg!\"); }\neprint!(\"\");\n";
        assert_eq!(wrong("crates/array/src/a.rs", content), [3, 4]);
        assert_eq!(wrong("src/lib.rs", content), [3, 4]);
        assert!(wrong("examples/a.rs", content).is_empty());
        assert!(wrong("crates/array/tests/it/main.rs", content).is_empty());
        assert!(wrong("crates/array/src/a/tests.rs", content).is_empty());
    }

    #[test]
    fn what_has_a_home_stands_nowhere_else() {
        let content = "//! A: Wiring::tree(1).\nlet a = Wiring::tree(&[8]);\nlet b = size_of::<F>() == 0;\n";
        assert_eq!(wrong("crates/bag/src/a.rs", content), [2, 3]);
        assert!(wrong("crates/graph-core/src/a.rs", content).is_empty());
        assert!(wrong("crates/bag/tests/it/a.rs", content).is_empty());
        assert_eq!(wrong("crates/image/src/a.rs", "//! A.\nuse globset::Glob;\n"), [2]);
    }

    #[test]
    fn nothing_unfinished() {
        let content = "//! A.\n// TODO later\n// FIXME(#12): known\n// todo and mastodons\n#[ignore = \"slow\"]\nlet x = todo!();\n// FIXME(soon)\n";
        assert_eq!(wrong("tests/a.rs", content), [2, 5, 6, 7]);
        assert!(wrong("tests/a.rs", "//! A.\nlet x = \"TODO todo!()\";\n").is_empty());
        assert_eq!(wrong("tests/a.rs", "//! A.\n#[cfg_attr(windows, ignore)]\n"), [2]);
    }

    #[test]
    fn imports_go_by_module_path() {
        let content = "//! A.\nuse crate::{Chunk, key::Key, layer::{self, Layer}};\nuse crate::Graph;\nuse crate::task::Task;\nmod tests { use crate::Plan; }\nfn f() -> crate::Graph { use crate::compute; }\n";
        assert_eq!(wrong("crates/graph-core/src/a.rs", content), [2, 3, 5]);
        assert!(wrong("crates/graph-core/src/lib.rs", content).is_empty());
        assert!(wrong("src/prelude.rs", content).is_empty());
        assert!(wrong("crates/graph-core/tests/it/a.rs", content).is_empty());
    }

    #[test]
    fn kernels_are_pure() {
        let content = "//! Sums, for every Layer.\nuse musher_graph_core::Key;\nlet keyed = KeyedBy::new();\nfn f(layer: Layer) {}\n";
        assert_eq!(wrong("crates/array/src/kernel/sum.rs", content), [2, 4]);
        assert!(wrong("crates/array/src/sum.rs", content).is_empty());
    }
}
