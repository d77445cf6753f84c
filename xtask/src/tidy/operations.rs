//! The list of every public operation, `ops.toml`, held against the source: each operation stands under a module of tests
//! that knows its answer from elsewhere, or under the reason why it needs none. The head of the list explains its form.
//!
//! Not in the list, by rule: functions under `kernel/`; `try_x` beside an `x` of the same parameters; what takes nothing
//! but `&self` and gives neither a collection nor a `Result`, which tells what is known; rows of a table over which a
//! module of tests loops; of the engine's crates, functions of types that are not named as having operations.

use std::collections::{BTreeMap, BTreeSet};

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::items::{self, Function};
use super::source;
use super::tokens::{Token, tokens, written};
use super::{Files, Problem, cases};

/// The crates whose public functions are operations, and their folders.
const CRATES: [(&str, &str); 9] = [
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

/// Where a test's answers are from.
const ORIGINS: [&str; 2] = ["golden", "reference"];

/// The operations whose answers no test knows yet: a list that may only shrink.
const UNTESTED: &str = "untested";

/// The file of a table of operations, and the module of tests that loops over it: its rows need no list of their names.
const TABLE: &str = "table";

/// What an operation gives back: a function that gives something else, and takes nothing, tells what is known.
const COLLECTIONS: [&str; 7] = ["Array", "Frame", "Bag", "Delayed", "GroupBy", "Self", "Result"];

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

/// Holds the list, which stands at `path`, against the source.
pub(super) fn check(path: &str, text: &str, files: &Files) -> Vec<Placed> {
    let table = match DeTable::parse(text) {
        Ok(table) => table.into_inner(),
        Err(error) => {
            let line = line_at(text, error.span().map_or(0, |span| span.start));
            return vec![(path.to_owned(), Problem::new(line, error.message()))];
        }
    };
    let mut list = List { path, text, files, problems: Vec::new() };
    let modules = list.modules(&table);
    for (name, folder) in CRATES {
        let found = list.functions(folder);
        let by_rule = by_rule(&found);
        let covered = list.section(name, table.get(name), &modules, &found, &by_rule);
        let outside = list.outside(name, &table, &found);
        let loops = modules.contains_key(&format!("{name}/{TABLE}"));
        for (operation, (file, function)) in &found {
            let is_outside = by_rule.contains(operation)
                || outside.contains(operation.as_str())
                || function.is_row && loops && file.ends_with(&format!("/{TABLE}.rs"));
            if !is_outside && !covered.contains(operation.as_str()) {
                let message =
                    format!("no test knows the answer of `{operation}`: list it in {path} under [{name}]");
                list.problems.push((file.clone(), Problem::new(function.line, message)));
            }
        }
    }
    let sections = ["modules", "exempt", "engine", cases::UNREAD];
    for key in table.keys() {
        let name: &str = key.get_ref();
        if !sections.contains(&name) && !CRATES.iter().any(|(own, _)| *own == name) {
            list.complain(key.span().start, format!("[{name}] is no section of this list"));
        }
    }
    list.problems
}

/// A module of tests that compares values with answers that are not musher's.
struct Module {
    /// The crate that it belongs to.
    of: String,
    /// What of its text counts.
    code: String,
}

/// The public functions of a crate by name, with the file of each.
type Found = BTreeMap<String, (String, Function)>;

struct List<'a> {
    path: &'a str,
    text: &'a str,
    files: &'a Files,
    problems: Vec<Placed>,
}

impl List<'_> {
    fn complain(&mut self, at: usize, message: impl Into<String>) {
        self.problems.push((self.path.to_owned(), Problem::new(line_at(self.text, at), message)));
    }

    /// `[modules]`: where the answers of each module of tests are from.
    fn modules(&mut self, table: &DeTable<'_>) -> BTreeMap<String, Module> {
        let mut modules = BTreeMap::new();
        for (origin, names) in entries(table.get("modules")) {
            if !ORIGINS.contains(&origin.get_ref().as_ref()) {
                self.complain(origin.span().start, format!("answers are one of {}", ORIGINS.join(", ")));
            }
            for (name, at) in self.names(names) {
                let file = module_file(&name).and_then(|file| self.files.get(&file));
                let Some(content) = file else {
                    self.complain(at, format!("there is no module `{name}`"));
                    continue;
                };
                let module = Module {
                    of: name.split('/').next().unwrap_or_default().to_owned(),
                    code: tested_code(&name, content),
                };
                if modules.insert(name.clone(), module).is_some() {
                    self.complain(at, format!("`{name}` is listed twice"));
                }
            }
        }
        modules
    }

    /// The operations that a crate's section lists, under modules of tests or under reasons.
    fn section(
        &mut self,
        name: &str,
        section: Option<&Spanned<DeValue<'_>>>,
        modules: &BTreeMap<String, Module>,
        found: &Found,
        by_rule: &BTreeSet<String>,
    ) -> BTreeSet<String> {
        let mut covered = BTreeSet::new();
        let mut untested = Vec::new();
        for (key, operations) in entries(section) {
            let title: &str = key.get_ref();
            let module = match title.contains('/') && !title.starts_with("src/") {
                true => modules.get(title),
                false => modules.get(&format!("{name}/{title}")),
            };
            // A reason is a sentence.
            if module.is_none() && title != UNTESTED && !title.contains(' ') {
                self.complain(key.span().start, format!("`{title}` is not under [modules]"));
            }
            for (operation, at) in self.names(operations) {
                let Some(known) = known(&operation, found) else {
                    self.complain(at, format!("`{operation}` is no public operation of {name}"));
                    continue;
                };
                if by_rule.contains(known) {
                    self.complain(at, format!("`{operation}` needs no line, by rule"));
                } else if module.is_some_and(|module| !names(&module.code, &operation)) {
                    self.complain(at, format!("`{title}` never names `{operation}`"));
                }
                if title == UNTESTED {
                    untested.push((known.to_owned(), at));
                } else {
                    covered.insert(known.to_owned());
                }
            }
        }
        for (operation, at) in untested {
            let own = modules.iter().filter(|(_, module)| module.of == name);
            let test = own
                .filter(|(_, module)| source::has_word(&module.code, last_of(&operation)))
                .map(|(title, _)| title)
                .next();
            // The name of another type's function says nothing.
            let is_unique = found.keys().filter(|other| last_of(other) == last_of(&operation)).count() == 1;
            if covered.contains(&operation) || test.is_some() && is_unique {
                let test = test.map_or("another line", String::as_str);
                self.complain(at, format!("`{operation}` has a test, by {test}: list it there"));
            }
            covered.insert(operation);
        }
        covered
    }

    /// What of a crate needs no line: exempt types and operations, of the engine all types that are not named, and, for
    /// now, operations without a test.
    fn outside(&mut self, name: &str, table: &DeTable<'_>, found: &Found) -> BTreeSet<String> {
        let mut outside = BTreeSet::new();
        let of = |operation: &str, holder: &str| operation == holder || type_of(operation) == Some(holder);
        for (_, holders) in entries(table.get("exempt")) {
            for (holder, at) in self.names(holders) {
                let Some(holder) = holder.strip_prefix(name).and_then(|rest| rest.strip_prefix('/')) else {
                    continue;
                };
                let before = outside.len();
                outside.extend(found.keys().filter(|operation| of(operation, holder)).cloned());
                if outside.len() == before {
                    self.complain(at, format!("{name} has no public function of `{holder}`"));
                }
            }
        }
        let engine = entries(table.get("engine")).into_iter().find(|(key, _)| key.get_ref() == name);
        if let Some((_, holders)) = engine {
            let holders = self.names(holders);
            for (holder, at) in &holders {
                if !found.keys().any(|operation| type_of(operation) == Some(holder)) {
                    self.complain(*at, format!("{name} has no public function of `{holder}`"));
                }
            }
            let has_operations = |holder: &str| holders.iter().any(|(own, _)| own == holder);
            let others =
                found.keys().filter(|operation| type_of(operation).is_some_and(|of| !has_operations(of)));
            outside.extend(others.cloned());
        }
        outside
    }

    /// The public functions of a crate; kernels are no operations, but a table of operations may stand beside them.
    fn functions(&mut self, folder: &str) -> Found {
        let mut found = Found::new();
        for (path, content) in self.files {
            let Some(own) = path.strip_prefix(folder).and_then(|rest| rest.strip_prefix("src/")) else {
                continue;
            };
            if !own.ends_with(".rs") || own.ends_with("tests.rs") {
                continue;
            }
            let is_kernel = format!("/{own}").contains("/kernel/");
            let file = tokens(content);
            for function in items::functions(&file).into_iter().filter(|own| !is_kernel || own.is_row) {
                found.entry(function.name.clone()).or_insert((path.clone(), function));
            }
            let hidden = items::hidden(&file).into_iter().filter(|_| !is_kernel);
            self.problems.extend(hidden.map(|(line, what)| {
                (
                    path.clone(),
                    Problem::new(line, format!("{what}: write its rows as `fn name`, to be found")),
                )
            }));
        }
        found
    }

    /// A list of texts, each with its place.
    fn names(&mut self, value: &Spanned<DeValue<'_>>) -> Vec<(String, usize)> {
        let DeValue::Array(values) = value.get_ref() else {
            self.complain(value.span().start, "expected a list of names");
            return Vec::new();
        };
        let texts = values.iter().filter_map(|value| match value.get_ref() {
            DeValue::String(text) => Some((text.to_string(), value.span().start)),
            _ => None,
        });
        texts.collect()
    }
}

/// The line of a place in a text.
fn line_at(text: &str, at: usize) -> usize {
    1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count()
}

/// The entries of a table in the order of their lines.
fn entries<'a, 'b>(
    table: Option<&'a Spanned<DeValue<'b>>>,
) -> Vec<(&'a Spanned<DeString<'b>>, &'a Spanned<DeValue<'b>>)> {
    let Some(DeValue::Table(table)) = table.map(Spanned::get_ref) else { return Vec::new() };
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries
}

/// `Array` of `Array::sum`.
fn type_of(operation: &str) -> Option<&str> {
    operation.split_once("::").map(|(of, _)| of)
}

/// `sum` of `Array::sum`.
fn last_of(operation: &str) -> &str {
    operation.rsplit("::").next().unwrap_or(operation)
}

/// The name under which a listed operation was found: a row of a table does not say of which type it is.
fn known<'a>(operation: &'a str, found: &Found) -> Option<&'a str> {
    let last = last_of(operation);
    let is_row = |name: &str| found.get(name).is_some_and(|(_, function)| function.is_row);
    match found.contains_key(operation) {
        true => Some(operation),
        false => Some(last).filter(|last| is_row(last)),
    }
}

/// What needs no line: getters, and `try_x` beside an `x` of the same parameters, which goes the same way.
fn by_rule(found: &Found) -> BTreeSet<String> {
    let is_twin = |name: &str, function: &Function| {
        let other = match name.rsplit_once("::") {
            Some((of, last)) => last.strip_prefix("try_").map(|rest| format!("{of}::{rest}")),
            None => name.strip_prefix("try_").map(str::to_owned),
        };
        let other = other.and_then(|other| found.get(&other));
        // A list that is broken into lines ends with a comma.
        let parameters =
            |function: &Function| written(&function.parameters).trim_end_matches([' ', ',']).to_owned();
        let form = |function: &Function| (written(&function.generics), parameters(function));
        other.is_some_and(|(_, other)| form(other) == form(function))
    };
    let without = found.iter().filter(|(name, (_, function))| is_getter(function) || is_twin(name, function));
    without.map(|(name, _)| name.clone()).collect()
}

/// Takes nothing but `&self`, and gives what no one computes.
fn is_getter(function: &Function) -> bool {
    let is_collection = |token: &Token| token.word().is_some_and(|word| COLLECTIONS.contains(&word));
    let is_reader = written(&function.parameters) == "& self";
    is_reader
        && !function.returns.is_empty()
        && !function.returns.iter().any(|token| token.any(&is_collection))
}

/// Whether a test's code names an operation, by its name or by the sign of an operator.
fn names(code: &str, operation: &str) -> bool {
    let name = last_of(operation);
    let mut signs = SIGNS.iter().filter(|(own, _)| *own == name);
    source::has_word(code, name) || signs.any(|(_, sign)| code.contains(sign))
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

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "impl Bag {
        pub fn map(&self, f: u8) -> Bag {} pub fn try_map(&self, f: u8) -> Result<Bag> {}
        pub fn len(&self) -> usize {} pub fn keys(&self) -> (u8, Bag) {} pub fn stop(&self) {}
    }
    impl Add<u8> for Bag { fn add() {} }
    pub fn range() {}
    rows! { fn sinh = 1; }
    impl Part { pub fn new() {} }";
    const TEST: &str = "fn t() { bag.map(range); bag + 1; bag.sinh(); /* keys */ }";
    const GOOD: &str = r#"
[modules]
golden = ["bag/maps"]
[exempt]
"a chunk" = ["bag/Part"]
[bag]
maps = ["Bag::map", "Bag::add", "Bag::sinh"]
"bag/maps" = ["range"]
"`maps` calls it" = ["Bag::keys"]
untested = ["Bag::stop"]
"#;

    /// The problems as `file:line message`.
    fn problems(list: &str, files: &[(&str, &str)]) -> Vec<String> {
        let files = files.iter().map(|(path, content)| ((*path).to_owned(), (*content).to_owned())).collect();
        let found = check("ops.toml", list, &files);
        found
            .into_iter()
            .map(|(file, problem)| format!("{file}:{} {}", problem.line, problem.message))
            .collect()
    }

    const FILES: [(&str, &str); 3] = [
        ("crates/bag/src/bag.rs", SOURCE),
        ("crates/bag/src/kernel/sum.rs", "pub fn sum() {}"),
        ("crates/bag/tests/it/maps.rs", TEST),
    ];

    #[track_caller]
    fn check_change(from: &str, to: &str, expected: &[&str]) {
        assert!(GOOD.contains(from), "{from}");
        assert_eq!(problems(&GOOD.replace(from, to), &FILES), expected);
    }

    #[test]
    fn a_whole_list_passes() {
        assert_eq!(problems(GOOD, &FILES), Vec::<String>::new());
    }

    #[test]
    fn an_operation_without_a_test_fails_and_so_does_a_test_without_its_operation() {
        let missing =
            "crates/bag/src/bag.rs:6 no test knows the answer of `range`: list it in ops.toml under [bag]";
        check_change(r#""bag/maps" = ["range"]"#, "", &[missing]);
        check_change(
            r#""range""#,
            r#""range", "gone""#,
            &["ops.toml:8 `gone` is no public operation of bag"],
        );
        for name in ["Bag::len", "Bag::try_map"] {
            let message = format!("ops.toml:8 `{name}` needs no line, by rule");
            check_change(r#""range""#, &format!(r#""range", "{name}""#), &[&message]);
        }
        check_change(
            r#""range""#,
            r#""range", "Bag::keys""#,
            &["ops.toml:8 `bag/maps` never names `Bag::keys`"],
        );
        check_change(r#""bag/maps" = ["#, "sums = [", &["ops.toml:8 `sums` is not under [modules]"]);
    }

    #[test]
    fn a_module_says_where_its_answers_are_from() {
        check_change("golden = [", "memory = [", &["ops.toml:3 answers are one of golden, reference"]);
        check_change(
            r#"["bag/maps"]"#,
            r#"["bag/maps", "bag/gone"]"#,
            &["ops.toml:3 there is no module `bag/gone`"],
        );
    }

    #[test]
    fn the_list_of_the_untested_only_shrinks() {
        check_change(
            r#""Bag::stop""#,
            "",
            &[
                "crates/bag/src/bag.rs:3 no test knows the answer of `Bag::stop`: list it in ops.toml under [bag]",
            ],
        );
        let files = FILES.map(|(path, content)| {
            (path, if content == TEST { "map range + .sinh() .stop()" } else { content })
        });
        assert_eq!(
            problems(GOOD, &files),
            ["ops.toml:10 `Bag::stop` has a test, by bag/maps: list it there"]
        );
        check_change(
            r#"["Bag::keys"]"#,
            r#"["Bag::keys", "Bag::stop"]"#,
            &["ops.toml:10 `Bag::stop` has a test, by another line: list it there"],
        );
    }

    #[test]
    fn a_table_over_which_a_test_loops_needs_no_names() {
        let row = ("crates/bag/src/kernel/ops/table.rs", "rows! { fn tanh where A: Float = 1; }");
        let test = ("crates/bag/tests/it/table.rs", "for op in ALL {}");
        let files = [FILES.as_slice(), &[row, test]].concat();
        assert_eq!(
            problems(GOOD, &files),
            [
                "crates/bag/src/kernel/ops/table.rs:1 no test knows the answer of `tanh`: list it in ops.toml under [bag]"
            ]
        );
        let list = GOOD.replace(r#"golden = ["bag/maps"]"#, r#"golden = ["bag/maps", "bag/table"]"#);
        assert_eq!(problems(&list, &files), Vec::<String>::new());
    }

    #[test]
    fn of_the_engine_only_named_types_have_operations() {
        let files =
            [("crates/scheduler/src/a.rs", "impl Run { pub fn go() {} } impl Future { pub fn done() {} }")];
        let list = |names: &str| {
            format!(
                "[engine]
scheduler = [{names}]
"
            )
        };
        assert_eq!(problems(&list(""), &files), Vec::<String>::new());
        assert_eq!(
            problems(&list(r#""Future", "Past""#), &files),
            [
                "ops.toml:2 scheduler has no public function of `Past`",
                "crates/scheduler/src/a.rs:1 no test knows the answer of `Future::done`: list it in ops.toml under [scheduler]"
            ]
        );
    }

    #[test]
    fn mistakes_in_the_list_have_a_line() {
        check_change(
            "[bag]
",
            "[other]
[bag]
",
            &["ops.toml:6 [other] is no section of this list"],
        );
        check_change(
            r#""bag/Part""#,
            r#""bag/Past", "bag/Part""#,
            &["ops.toml:5 bag has no public function of `Past`"],
        );
        assert!(
            problems(
                "
[bag
",
                &[]
            )[0]
            .starts_with("ops.toml:2 "),
            "{:?}",
            problems(
                "
[bag
",
                &[]
            )
        );
    }

    #[test]
    fn a_macro_that_hides_its_functions_is_reported() {
        let files = [(
            "crates/bag/src/a.rs",
            "
macro_rules! m { ($a:ident) => { pub fn $a() {} }; }",
        )];
        assert_eq!(
            problems("", &files),
            ["crates/bag/src/a.rs:2 `m!` makes `pub fn $a`: write its rows as `fn name`, to be found"]
        );
    }

    #[test]
    fn modules_are_tests_unit_tests_and_documents() {
        assert_eq!(module_file("bag/maps").unwrap(), "crates/bag/tests/it/maps.rs");
        assert_eq!(module_file("bag/src/part").unwrap(), "crates/bag/src/part.rs");
        assert_eq!(module_file("musher/docs/a.md").unwrap(), "docs/a.md");
        assert_eq!(
            tested_code(
                "a/b.md",
                "not
```rust
this
```
not"
            ),
            "rust
this
"
        );
        assert_eq!(
            tested_code(
                "a/src/b",
                "not
#[cfg(test)]
this // not"
            ),
            "
this 
"
        );
    }
}
