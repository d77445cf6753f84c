//! Every case of the golden files is read: an answer of NumPy with which nobody compares is no test.

use std::collections::BTreeSet;

use serde_json::Value;
use toml::de::{DeTable, DeValue};

use super::{Files, Problem};

/// The section of `ops.toml` with the operations of cases that no test reads yet: a list that may only shrink.
pub(super) const UNREAD: &str = "unread";

/// Where the golden files are.
const GOLDEN: &str = "crates/testkit/golden/";

/// Whose tests read a folder that is not named after its crate.
const READERS: [(&str, &str); 2] = [("npy", "array"), ("random", "array")];

/// Folders whose test reads every case by a loop, and fails where one is left over.
const LOOPED_OVER: [&str; 2] = ["array_math", "elementwise"];

/// Each operation of a `cases.json` of which some case is named by no test, neither by operation nor by name.
pub(super) fn check(list_path: &str, list: &str, files: &Files) -> Vec<(String, Problem)> {
    let mut problems = Vec::new();
    let mut known = known(list);
    for (path, content) in files {
        let folder = path.strip_prefix(GOLDEN).and_then(|rest| rest.strip_suffix("/cases.json"));
        let Some(folder) = folder.filter(|folder| !LOOPED_OVER.contains(folder)) else { continue };
        let first = folder.split('_').next().unwrap_or(folder);
        let reader = READERS.iter().find(|(own, _)| *own == folder).map_or(first, |(_, reader)| *reader);
        for operation in unread(content, &tests_of(reader, files)) {
            if !known.remove(&(folder.to_owned(), operation.clone())) {
                let message = format!("no test of {reader} reads the cases of `{operation}`");
                problems.push((path.clone(), Problem::new(0, message)));
            }
        }
    }
    problems.extend(known.into_iter().map(|(folder, operation)| {
        let message =
            format!("the cases of `{operation}` in {folder} are read, or gone: take it from [{UNREAD}]");
        (list_path.to_owned(), Problem::new(0, message))
    }));
    problems
}

/// Operations with a case that stands in no text of the tests.
fn unread(cases: &str, tests: &str) -> BTreeSet<String> {
    let cases: Vec<Value> = serde_json::from_str(cases).unwrap_or_default();
    let is_named = |text: &Value| tests.contains(&text.to_string());
    let unread = cases.iter().filter(|case| !is_named(&case["operation"]) && !is_named(&case["name"]));
    unread.filter_map(|case| case["operation"].as_str().map(str::to_owned)).collect()
}

/// The text of a crate's tests, with its literals.
fn tests_of(name: &str, files: &Files) -> String {
    let folder = format!("crates/{name}/");
    let own = files.iter().filter_map(|(path, content)| Some((path.strip_prefix(&folder)?, content)));
    let texts = own.filter(|(path, _)| path.ends_with(".rs")).filter_map(|(path, content)| {
        match path.starts_with("tests/") || path.ends_with("tests.rs") {
            true => Some(content.as_str()),
            false => content.split_once("#[cfg(test)]").map(|(_, tests)| tests),
        }
    });
    texts.collect()
}

/// `[unread]`: operations by the folders of their cases.
fn known(list: &str) -> BTreeSet<(String, String)> {
    let table = DeTable::parse(list).map(toml::Spanned::into_inner).unwrap_or_default();
    let Some(DeValue::Table(folders)) = table.get(UNREAD).map(toml::Spanned::get_ref) else {
        return BTreeSet::new();
    };
    let mut known = BTreeSet::new();
    for (folder, operations) in folders {
        let operations = operations.get_ref().as_array().into_iter().flatten();
        let texts = operations.filter_map(|operation| operation.get_ref().as_str());
        known.extend(texts.map(|operation| (folder.get_ref().to_string(), operation.to_owned())));
    }
    known
}

#[cfg(test)]
mod tests {
    use super::*;

    const CASES: &str = r#"[{"name": "sum_0", "operation": "sum"}, {"name": "eye_3", "operation": "eye"}]"#;

    fn messages(list: &str, test: &str) -> Vec<String> {
        let files = [
            ("crates/testkit/golden/image_more/cases.json", CASES),
            ("crates/image/tests/it/golden.rs", test),
            ("crates/image/src/lib.rs", "\"eye\""),
        ];
        let files = files.map(|(path, content)| (path.to_owned(), content.to_owned())).into();
        check("ops.toml", list, &files).into_iter().map(|(_, problem)| problem.message).collect()
    }

    #[test]
    fn a_case_is_read_where_a_test_names_it_or_its_operation() {
        assert!(messages("", "[\"sum\", \"eye_3\"]").is_empty());
        assert_eq!(messages("", "[\"sum\", \"eye_\"]"), ["no test of image reads the cases of `eye`"]);
    }

    #[test]
    fn the_list_of_what_is_unread_only_shrinks() {
        let list = "[unread]\nimage_more = [\"eye\"]\n";
        assert!(messages(list, "\"sum\"").is_empty());
        assert_eq!(
            messages(list, "\"sum\" \"eye\""),
            ["the cases of `eye` in image_more are read, or gone: take it from [unread]"]
        );
    }
}
