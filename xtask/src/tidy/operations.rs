//! The list of every public operation, `ops.toml`, held against the source: an operation that is not in the list fails, and so does
//! an entry without its operation, a test module that is not there, or one that never names the operation it is said to test.

use std::collections::{BTreeMap, BTreeSet};

use super::Problem;
use super::items::{self, Macros};
use super::source;
use super::tokens::tokens;

/// The crates whose public functions are operations, and their folders.
pub(super) const CRATES: [(&str, &str); 9] = [
    ("graph-core", "crates/graph-core/"),
    ("scheduler", "crates/scheduler/"),
    ("array", "crates/array/"),
    ("frame", "crates/frame/"),
    ("bag", "crates/bag/"),
    ("image", "crates/image/"),
    ("ml", "crates/ml/"),
    ("viz", "crates/viz/"),
    ("musher", ""),
];

/// What an operation does when it is called.
const KINDS: [&str; 4] = ["build", "compute", "io", "meta"];

/// The batteries; the head of `ops.toml` says what each is.
const BATTERIES: [&str; 7] = ["reference", "chunkings", "determinism", "golden", "faults", "memory", "graph"];

/// Operators are called by their signs.
const SIGNS: [(&str, &str); 10] = [
    ("add", " + "),
    ("sub", " - "),
    ("mul", " * "),
    ("div", " / "),
    ("rem", " % "),
    ("neg", "-"),
    ("not", "!"),
    ("bitand", " & "),
    ("bitor", " | "),
    ("bitxor", " ^ "),
];

/// A problem and the file where it is.
type Placed = (String, Problem);

/// A value of the few shapes that the list needs; any other TOML is refused.
#[derive(Debug, PartialEq)]
enum Value {
    Text(String),
    List(Vec<String>),
    Table(BTreeMap<String, Value>),
}

/// One line of the list.
struct Entry {
    line: usize,
    key: String,
    value: Value,
}

/// Holds the list against sources, given as (path, content); `read` gives the text of a test file.
pub(super) fn check(
    path: &str,
    list: &str,
    sources: &[(String, String)],
    read: impl Fn(&str) -> Option<String>,
) -> Vec<Placed> {
    let (sections, mut problems) = sections(list);
    let modules = Modules::new(sections.get("modules"), read, &mut problems);
    let mut placed = Vec::new();
    for (name, folder) in CRATES {
        let found = functions(folder, sources, &mut placed);
        let exempt = exempt(name, sections.get("exempt"), &found, &mut problems);
        let entries = sections.get(name).map_or(&[][..], Vec::as_slice);
        let listed: BTreeSet<&str> = entries.iter().map(|entry| entry.key.as_str()).collect();
        for (operation, (file, line)) in &found {
            let of = operation.split("::").next().unwrap_or_default();
            if !exempt.contains(of) && !listed.contains(operation.as_str()) {
                let message =
                    format!("`{operation}` is a public operation: list it in {path} under [{name}]");
                placed.push((file.clone(), Problem::new(*line, message)));
            }
        }
        for entry in entries {
            let known = found.contains_key(&entry.key);
            problems.extend(
                match known {
                    true => modules.wrong(name, entry),
                    false => Some(format!("`{}` is no public operation of {name}", entry.key)),
                }
                .map(|message| Problem::new(entry.line, message)),
            );
        }
    }
    let known =
        |name: &str| name == "modules" || name == "exempt" || CRATES.iter().any(|(own, _)| *own == name);
    let unknown = sections.keys().filter(|name| !known(name));
    problems.extend(unknown.map(|name| Problem::new(0, format!("[{name}] is no section of this list"))));
    placed.extend(problems.into_iter().map(|problem| (path.to_owned(), problem)));
    placed
}

/// The public functions of a crate by name, with the first place of each; kernels are no operations.
fn functions(
    folder: &str,
    sources: &[(String, String)],
    placed: &mut Vec<Placed>,
) -> BTreeMap<String, (String, usize)> {
    let own = |path: &str| {
        let rest = path.strip_prefix(folder).and_then(|rest| rest.strip_prefix("src/"));
        rest.is_some_and(|rest| {
            rest.ends_with(".rs") && !format!("/{rest}").contains("/kernel/") && !rest.ends_with("tests.rs")
        })
    };
    let files: Vec<_> =
        sources.iter().filter(|(path, _)| own(path)).map(|(path, content)| (path, tokens(content))).collect();
    let shared: Macros = files.iter().flat_map(|(_, file)| items::macros(file)).collect();
    let mut found = BTreeMap::new();
    for (path, file) in files {
        let mut macros = shared.clone();
        macros.extend(items::macros(&file));
        let items = items::functions(&file, &macros);
        for function in items.functions {
            found.entry(function.name).or_insert((path.clone(), function.line));
        }
        let unread = items.unread.into_iter().map(|(line, call)| {
            let message = format!("this macro defines functions, but tidy cannot expand it: {call}");
            (path.clone(), Problem::new(line, message))
        });
        placed.extend(unread);
    }
    found
}

/// Types of a crate that have no operations: `"graph-core/Grid" = "why"`.
fn exempt<'a>(
    name: &str,
    entries: Option<&'a Vec<Entry>>,
    found: &BTreeMap<String, (String, usize)>,
    problems: &mut Vec<Problem>,
) -> BTreeSet<&'a str> {
    let mut exempt = BTreeSet::new();
    for entry in entries.into_iter().flatten() {
        let Some((_, of)) = entry.key.split_once('/').filter(|(own, _)| *own == name) else { continue };
        if !matches!(&entry.value, Value::Text(reason) if !reason.is_empty()) {
            problems.push(Problem::new(entry.line, "an exemption says why"));
        }
        let exempts = |operation: &String| operation.split("::").next() == Some(of);
        if !found.keys().any(exempts) {
            problems.push(Problem::new(entry.line, format!("{name} has no public function of `{of}`")));
        }
        exempt.insert(of);
    }
    exempt
}

/// The test modules with their code, by names such as `bag/golden`.
struct Modules {
    code: BTreeMap<String, String>,
}

impl Modules {
    fn new(
        entries: Option<&Vec<Entry>>,
        read: impl Fn(&str) -> Option<String>,
        problems: &mut Vec<Problem>,
    ) -> Self {
        let mut code = BTreeMap::new();
        for entry in entries.into_iter().flatten() {
            let named = matches!(&entry.value, Value::List(names)
                if !names.is_empty() && names.iter().all(|name| BATTERIES.contains(&name.as_str())));
            if !named {
                problems.push(Problem::new(
                    entry.line,
                    format!("a module runs some of {}", BATTERIES.join(", ")),
                ));
            }
            match module_file(&entry.key).and_then(|file| read(&file)) {
                Some(content) => {
                    code.insert(entry.key.clone(), tested_code(&entry.key, &content));
                }
                None => {
                    problems.push(Problem::new(entry.line, format!("there is no module `{}`", entry.key)))
                }
            }
        }
        Self { code }
    }

    /// What is wrong with an entry.
    fn wrong(&self, crate_name: &str, entry: &Entry) -> Option<String> {
        let Value::Table(table) = &entry.value else {
            return Some("an operation has `{ kind = .., batteries = [..] }` or a `reason`".to_owned());
        };
        if let Some(unknown) =
            table.keys().find(|key| !["kind", "batteries", "reason"].contains(&key.as_str()))
        {
            return Some(format!("`{unknown}` is none of kind, batteries, reason"));
        }
        if !matches!(table.get("kind"), Some(Value::Text(kind)) if KINDS.contains(&kind.as_str())) {
            return Some(format!("`kind` is one of {}", KINDS.join(", ")));
        }
        match (table.get("batteries"), table.get("reason")) {
            (Some(Value::List(modules)), None) if !modules.is_empty() => {
                modules.iter().find_map(|module| self.untested(crate_name, module, &entry.key))
            }
            (None, Some(Value::Text(reason))) if !reason.is_empty() => None,
            _ => Some(
                "either `batteries` names the test modules, or `reason` says why there are none".to_owned(),
            ),
        }
    }

    fn untested(&self, crate_name: &str, module: &str, operation: &str) -> Option<String> {
        let module = match module.contains('/') && !module.starts_with("src/") {
            true => module.to_owned(),
            false => format!("{crate_name}/{module}"),
        };
        let Some(code) = self.code.get(&module) else {
            return Some(format!("`{module}` is not under [modules]"));
        };
        let name = operation.rsplit("::").next().unwrap_or(operation);
        let signs = SIGNS.iter().filter(|(own, _)| *own == name && operation != name);
        let named = source::has_word(code, name) || signs.into_iter().any(|(_, sign)| code.contains(sign));
        (!named).then(|| format!("`{module}` never names `{name}`"))
    }
}

/// What of a module's text counts: of a document the programs in it, of a source file its unit tests, and no comments.
fn tested_code(module: &str, content: &str) -> String {
    if module.ends_with(".md") {
        return content.split("```").skip(1).step_by(2).collect();
    }
    let lines: String = source::lines(content).into_iter().map(|line| line.code + "\n").collect();
    let tests = lines.split_once("#[cfg(test)]").map(|(_, tests)| tests.to_owned());
    tests.unwrap_or(lines)
}

/// `bag/golden` is a module of the crate's test binary, `bag/src/partition` a source file with its unit tests,
/// `musher/docs/dask.md` a document whose programs are run.
fn module_file(module: &str) -> Option<String> {
    let (name, rest) = module.split_once('/')?;
    let folder = if name == "musher" { String::new() } else { format!("crates/{name}/") };
    Some(match rest {
        _ if rest.ends_with(".md") => format!("{folder}{rest}"),
        _ if rest.starts_with("src/") => format!("{folder}{rest}.rs"),
        _ => format!("{folder}tests/it/{rest}.rs"),
    })
}

/// The entries of each section, one a line.
fn sections(list: &str) -> (BTreeMap<String, Vec<Entry>>, Vec<Problem>) {
    let mut sections: BTreeMap<String, Vec<Entry>> = BTreeMap::new();
    let mut problems = Vec::new();
    let mut section = String::new();
    for (index, text) in list.lines().map(str::trim).enumerate() {
        let line = index + 1;
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        if let Some(name) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            name.clone_into(&mut section);
            sections.entry(section.clone()).or_default();
            continue;
        }
        let Some((key, value)) = entry(text) else {
            problems.push(Problem::new(line, "an entry is `\"name\" = value`, on one line"));
            continue;
        };
        let entries = sections.entry(section.clone()).or_default();
        if entries.iter().any(|other| other.key == key) {
            problems.push(Problem::new(line, format!("`{key}` is listed twice")));
        }
        entries.push(Entry { line, key, value });
    }
    (sections, problems)
}

/// `"key" = value`.
fn entry(text: &str) -> Option<(String, Value)> {
    let (key, rest) = quoted(text)?;
    let (value, rest) = value(rest.trim_start().strip_prefix('=')?)?;
    rest.trim().is_empty().then_some((key, value))
}

fn quoted(text: &str) -> Option<(String, &str)> {
    let (inside, rest) = text.trim_start().strip_prefix('"')?.split_once('"')?;
    Some((inside.to_owned(), rest))
}

/// A text, a list of texts, or a table of both; and what stands after it.
fn value(text: &str) -> Option<(Value, &str)> {
    let text = text.trim_start();
    if let Some(mut rest) = text.strip_prefix('[') {
        let mut list = Vec::new();
        loop {
            rest = rest.trim_start();
            if let Some(after) = rest.strip_prefix(']') {
                return Some((Value::List(list), after));
            }
            let (text, after) = quoted(rest)?;
            list.push(text);
            rest = after.trim_start();
            rest = rest.strip_prefix(',').unwrap_or(rest);
        }
    }
    let Some(mut rest) = text.strip_prefix('{') else {
        return quoted(text).map(|(text, rest)| (Value::Text(text), rest));
    };
    let mut table = BTreeMap::new();
    loop {
        rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix('}') {
            return Some((Value::Table(table), after));
        }
        let (key, after) = rest.split_once('=')?;
        let (inner, after) = value(after)?;
        table.insert(key.trim().to_owned(), inner);
        rest = after.trim_start();
        rest = rest.strip_prefix(',').unwrap_or(rest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "impl Bag { pub fn map() {} pub fn len() {} } impl Add<u8> for Bag { fn add() {} }\npub fn range() {}";
    const GOOD: &str = r#"
# The list.
[modules]
"bag/maps" = ["reference", "golden"]
[exempt]
"bag/Part" = "a chunk"
[bag]
"Bag::map" = { kind = "build", batteries = ["maps"] }
"Bag::add" = { kind = "build", batteries = ["bag/maps"] }
"Bag::len" = { kind = "meta", reason = "says what it was told" }
"range" = { kind = "build", batteries = ["maps"] }
"#;

    /// The problems as `file:line message`.
    fn problems(list: &str) -> Vec<String> {
        let sources = [
            ("crates/bag/src/bag.rs", SOURCE),
            ("crates/bag/src/part.rs", "impl Part { pub fn new() {} }"),
            ("crates/bag/src/kernel/sum.rs", "pub fn sum() {}"),
            ("crates/bag/tests/it/maps.rs", "pub fn not_ours() {}"),
        ];
        let sources = sources.map(|(path, content)| (path.to_owned(), content.to_owned()));
        let read = |path: &str| {
            (path == "crates/bag/tests/it/maps.rs")
                .then(|| "fn t() { bag.map(range); bag + 1; /* len */ }".to_owned())
        };
        let found = check("ops.toml", list, &sources, read);
        found
            .into_iter()
            .map(|(file, problem)| format!("{file}:{} {}", problem.line, problem.message))
            .collect()
    }

    #[track_caller]
    fn check_change(from: &str, to: &str, expected: &str) {
        assert!(GOOD.contains(from), "{from}");
        assert_eq!(problems(&GOOD.replace(from, to)), [expected]);
    }

    #[test]
    fn a_whole_list_passes() {
        assert_eq!(problems(GOOD), Vec::<String>::new());
    }

    #[test]
    fn an_operation_that_is_not_listed_fails() {
        let line = "\"range\" = { kind = \"build\", batteries = [\"maps\"] }\n";
        check_change(
            line,
            "",
            "crates/bag/src/bag.rs:2 `range` is a public operation: list it in ops.toml under [bag]",
        );
    }

    #[test]
    fn an_entry_without_its_operation_fails() {
        check_change(
            "[bag]\n",
            "[bag]\n\"Bag::gone\" = { kind = \"build\", reason = \"x\" }\n",
            "ops.toml:8 `Bag::gone` is no public operation of bag",
        );
        check_change(
            "[bag]\n",
            "[bag]\n\"sum\" = { kind = \"build\", reason = \"x\" }\n",
            "ops.toml:8 `sum` is no public operation of bag",
        );
        check_change(
            "\"bag/Part\"",
            "\"bag/Past\" = \"x\"\n\"bag/Part\"",
            "ops.toml:6 bag has no public function of `Past`",
        );
    }

    #[test]
    fn a_module_must_be_there_and_name_the_operation() {
        check_change(
            "[exempt]",
            "\"bag/gone\" = [\"golden\"]\n[exempt]",
            "ops.toml:5 there is no module `bag/gone`",
        );
        check_change(
            "reason = \"says what it was told\"",
            "batteries = [\"maps\"]",
            "ops.toml:10 `bag/maps` never names `len`",
        );
        check_change("[\"bag/maps\"]", "[\"sums\"]", "ops.toml:9 `bag/sums` is not under [modules]");
    }

    #[test]
    fn modules_are_tests_unit_tests_and_documents() {
        assert_eq!(module_file("bag/maps").unwrap(), "crates/bag/tests/it/maps.rs");
        assert_eq!(module_file("bag/src/part").unwrap(), "crates/bag/src/part.rs");
        assert_eq!(module_file("musher/docs/a.md").unwrap(), "docs/a.md");
        assert_eq!(tested_code("a/b.md", "not\n```rust\nthis\n```\nnot"), "rust\nthis\n");
        assert_eq!(tested_code("a/src/b", "not\n#[cfg(test)]\nthis // not"), "\nthis \n");
    }

    #[test]
    fn an_entry_says_what_it_must() {
        let either = "either `batteries` names the test modules, or `reason` says why there are none";
        check_change("reason = \"says what it was told\"", "reason = \"\"", &format!("ops.toml:10 {either}"));
        check_change(", reason = \"says what it was told\"", "", &format!("ops.toml:10 {either}"));
        check_change(
            "kind = \"meta\"",
            "kind = \"data\"",
            "ops.toml:10 `kind` is one of build, compute, io, meta",
        );
        check_change("reason", "why", "ops.toml:10 `why` is none of kind, batteries, reason");
        check_change(
            "\"golden\"]",
            "\"gold\"]",
            &format!("ops.toml:4 a module runs some of {}", BATTERIES.join(", ")),
        );
        check_change("[exempt]", "[other]\n[exempt]", "ops.toml:0 [other] is no section of this list");
        check_change("# The list.", "list = 1", "ops.toml:2 an entry is `\"name\" = value`, on one line");
    }

    #[test]
    fn a_macro_that_cannot_be_read_is_reported() {
        let sources = [(
            "crates/bag/src/a.rs".to_owned(),
            "macro_rules! m { (a) => { pub fn a() {} }; }\nm!(b);".to_owned(),
        )];
        let found = check("ops.toml", "", &sources, |_| None);
        assert_eq!(found[0].1.line, 2);
        assert!(found[0].1.message.ends_with("tidy cannot expand it: m!(b)"));
    }
}
