//! JSON lines: typed items, blank lines, errors with their place.

use crate::support::everywhere;
use musher_bag::{Bag, TextOptions};
use musher_scheduler::Compute;
use serde_json::{Value, json};
use std::fs;

#[test]
fn lines_become_items_for_every_block_size() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.jsonl");
    fs::write(&path, "{\"a\": 1}\n\n  \n{\"a\": 2, \"b\": \"ü\"}\r\n{\"a\": 3}").unwrap();
    for block_bytes in 1..60 {
        let options = TextOptions::new(&path).block_bytes(block_bytes);
        let bag = Bag::<Value>::read_json_lines(options).unwrap();
        assert_eq!(everywhere(&bag.pluck("a")), [json!(1), json!(2), json!(3)]);
        assert_eq!(everywhere(&bag.pluck_or("b", Value::Null)), [json!(null), json!("ü"), json!(null)]);
    }
}

#[test]
fn errors_name_file_line_and_field() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.jsonl");
    fs::write(&path, "{\"a\": 1}\n{\"b\": }\n").unwrap();
    let bag = Bag::<Value>::read_json_lines(&path).unwrap();
    let report = |error: musher_scheduler::Error| {
        let mut text = error.to_string();
        let mut cause = std::error::Error::source(&error);
        while let Some(error) = cause {
            text = format!("{text}: {error}");
            cause = error.source();
        }
        text
    };
    let text = report(bag.map(|value| value).count().compute().unwrap_err());
    assert!(
        text.contains("read_json_lines") && text.contains("a.jsonl: line 2, column 7: expected value"),
        "{text}"
    );
    assert!(!text.contains("line 1"), "{text}");
    let missing = Bag::from_sequence([json!({"a": 1}), json!(2)], 1).pluck("a").map(|value| value);
    let text = report(missing.compute().unwrap_err());
    assert!(text.contains("pluck") && text.contains("no field `a`"), "{text}");
}

#[test]
fn a_byte_order_mark_is_no_json() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.jsonl");
    fs::write(&path, "\u{feff}{\"a\": 1}\n{\"a\": }").unwrap();
    let first = |block_bytes| {
        let options = TextOptions::new(&path).block_bytes(block_bytes);
        Bag::<Value>::read_json_lines(options).unwrap()
    };
    assert_eq!(everywhere(&first(12).partitions(0..1)), [json!({"a": 1})]);
    for block_bytes in [1, 5, 12, 100] {
        let text = format!("{:?}", first(block_bytes).compute().unwrap_err());
        assert!(text.contains("line 2, column 7"), "{text}");
    }
}
