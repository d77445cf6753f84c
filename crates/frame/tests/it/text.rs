//! Delimited text in every form: plain, gzip and Zstandard, whole and in blocks of any size, all columns and each alone, one
//! file and many give the same rows or the same error; which rows, Python's `csv` and pandas say.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use musher_frame::polars::prelude::*;
use musher_frame::{CsvOptions, Error, Frame, Header, LineFlaw};
use musher_scheduler::{Compute, Options};
use serde_json::Value;

use crate::support::{assert_same, cause};

fn golden(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testkit/golden/csv").join(name);
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

/// Writes a text plain, as gzip and as Zstandard.
fn forms(folder: &Path, name: &str, text: &str) -> [PathBuf; 3] {
    let bytes = text.as_bytes();
    let all =
        [("csv", bytes.to_vec()), ("csv.gz", gzip(bytes)), ("csv.zst", zstd::encode_all(bytes, 1).unwrap())];
    all.map(|(ending, bytes)| {
        let path = folder.join(format!("{name}.{ending}"));
        fs::write(&path, bytes).unwrap();
        path
    })
}

/// Rows as texts, a missing value as the empty one; or in which line what is wrong, `None` where the start of a block was
/// told wrongly.
type Rows = Result<Vec<Vec<String>>, Option<(u64, LineFlaw)>>;

fn flaw(error: &Error) -> Option<(u64, LineFlaw)> {
    match error {
        Error::Line { line, flaw, .. } => Some((*line, *flaw)),
        Error::Boundary { .. } => None,
        other => panic!("{other}"),
    }
}

/// All rows of a frame, whose parts must agree: every column alone, and how many rows there are.
fn rows(options: CsvOptions) -> Rows {
    let frame = Frame::read_csv(options).map_err(|error| flaw(&error))?;
    let compute =
        |frame: &Frame| frame.compute_with(&Options::sequential()).map_err(|error| flaw(cause(&error)));
    let whole = compute(&frame);
    let n_rows = frame.len().compute_with(&Options::sequential()).map_err(|error| flaw(cause(&error)));
    assert_eq!(n_rows, whole.as_ref().map(|table| table.height() as u64).map_err(|flaw| *flaw));
    for name in frame.columns() {
        let column = compute(&frame.select([col(name)]).unwrap());
        let expected = whole.as_ref().map(|table| table.select([name]).unwrap());
        match (column, expected) {
            (Ok(found), Ok(expected)) => assert_same(&found, &expected, name),
            (found, expected) => assert_eq!(found.unwrap_err(), *expected.unwrap_err(), "{name}"),
        }
    }
    let table = whole?;
    let text = |column: &Column, row| column.str().unwrap().get(row).unwrap_or_default().to_owned();
    let row = |row| table.columns().iter().map(|column| text(column, row)).collect();
    Ok((0..table.height()).map(row).collect())
}

/// What the rows of Python's `csv` are in a table of three columns.
fn expected(case: &Value, skip_blank: bool) -> Rows {
    let mut expected = Vec::new();
    for row in case["rows"].as_array().into_iter().flatten() {
        let mut row: Vec<String> =
            row.as_array().unwrap().iter().map(|field| field.as_str().unwrap().to_owned()).collect();
        if row.is_empty() && skip_blank {
            continue;
        }
        if row.len() > 3 {
            return Err(Some((0, LineFlaw::Fields { found: row.len(), expected: 3 })));
        }
        row.resize(3, String::new());
        expected.push(row);
    }
    // Which record opens quotes that never end, Python does not say, but that there is one.
    if case["rows"].is_null() { Err(Some((0, LineFlaw::OpenQuote))) } else { Ok(expected) }
}

#[test]
fn every_form_of_a_text_has_the_rows_of_python_or_the_same_error() {
    let folder = tempfile::tempdir().unwrap();
    for case in golden("rows.json").as_array().unwrap() {
        let text = case["text"].as_str().unwrap();
        let forms = forms(folder.path(), "t", &format!("x,y,z\n{text}"));
        for skip_blank in [true, false] {
            let expected = expected(case, skip_blank);
            let mut flaws = Vec::new();
            let together = CsvOptions::new(folder.path().join("t.csv*")).infer_rows(0);
            let types = ["x", "y", "z"].map(|name| (name, DataType::String));
            match (rows(together.dtypes(types).skip_blank_lines(skip_blank)), &expected) {
                (Ok(found), Ok(expected)) => {
                    assert_eq!(found, vec![expected.clone(); 3].concat(), "{text:?} together")
                }
                (found, expected) => assert_eq!(found.is_err(), expected.is_err(), "{text:?} together"),
            }
            let mut check = |options: CsvOptions, what: &str| {
                let dtypes = ["x", "y", "z"].map(|name| (name, DataType::String));
                let found = rows(options.dtypes(dtypes).skip_blank_lines(skip_blank));
                match (found, &expected) {
                    // Text behind the end of quotes is no evidence of where the quotes began.
                    (Err(None), _) => {
                        assert!(what.contains("blocks") && case["strict"] == false, "{text:?} {what}")
                    }
                    // Which line comes first, one that is too long or one that opens quotes, Python does not say.
                    (Err(_), Err(Some((_, LineFlaw::OpenQuote)))) => {}
                    (Err(Some(found)), Err(Some(expected))) => {
                        assert_eq!(found.1, expected.1, "{text:?} {what}");
                        flaws.push(found);
                    }
                    (found, expected) => assert_eq!(&found, expected, "{text:?} {what}"),
                }
            };
            for path in &forms {
                check(CsvOptions::new(path), &format!("{path:?}"));
            }
            for block_bytes in [1, 3, 8] {
                // Types are given, and few rows sampled, so that flaws are found when it runs.
                let options = CsvOptions::new(&forms[0]).block_bytes(block_bytes).infer_rows(0);
                check(options, &format!("in blocks of {block_bytes}"));
            }
            assert!(flaws.windows(2).all(|pair| pair[0] == pair[1]), "{text:?}: {flaws:?}");
        }
    }
}

#[test]
fn inch_signs_take_no_rows_away() {
    let whole = golden("whole.json");
    let inches = &whole["inches"];
    let folder = tempfile::tempdir().unwrap();
    for path in forms(folder.path(), "t", inches["text"].as_str().unwrap()) {
        for block_bytes in [1000, 4096, u64::MAX] {
            let frame = Frame::read_csv(CsvOptions::new(&path).block_bytes(block_bytes)).unwrap();
            assert_eq!(
                Some(frame.len().compute().unwrap()),
                inches["rows"].as_u64(),
                "{path:?} {block_bytes}"
            );
            let sum = frame.aggregate([col("id").sum()]).unwrap().compute().unwrap();
            assert_eq!(sum.column("id").unwrap().i64().unwrap().get(0), inches["sum"].as_i64());
            let table = frame.compute().unwrap();
            assert_eq!(table.column("size").unwrap().str().unwrap().get(502), Some("7\" pipe"));
        }
    }
}

#[test]
fn pandas_missing_values_are_missing_where_that_is_asked_for() {
    let whole = golden("whole.json");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    for (name, options) in [
        ("nulls", CsvOptions::new(&path).pandas_null_values().dtypes([("x", DataType::Float64)])),
        ("blank", CsvOptions::new(&path)),
        ("mark", CsvOptions::new(&path)),
    ] {
        fs::write(&path, whole[name]["text"].as_str().unwrap()).unwrap();
        let found = Frame::read_csv(options).unwrap().compute().unwrap();
        let columns = whole[name]["columns"].as_object().unwrap();
        assert_eq!(found.width(), columns.len(), "{name}");
        for (column, values) in columns {
            let found = found.column(column).unwrap();
            for (row, value) in values.as_array().unwrap().iter().enumerate() {
                let same = match (found.get(row).unwrap(), value) {
                    (AnyValue::Null, Value::Null) => true,
                    (AnyValue::Float64(found), Value::String(text)) => {
                        text == "inf" && found == f64::INFINITY
                    }
                    (AnyValue::Float64(found), value) => Some(found) == value.as_f64(),
                    (AnyValue::Int64(found), value) => Some(found) == value.as_i64(),
                    (found, value) => found.get_str().is_some_and(|found| Some(found) == value.as_str()),
                };
                assert!(same, "{name}: {column}: row {row}: {found:?} {value}");
            }
            assert_eq!(found.len(), values.as_array().unwrap().len(), "{name}");
        }
    }
}

#[test]
fn headers_are_compared_by_name_whatever_the_form_of_the_files() {
    let folder = tempfile::tempdir().unwrap();
    let pattern = folder.path().join("*.csv*");
    let plain = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    let packed = |name: &str, text: &str| fs::write(folder.path().join(name), gzip(text.as_bytes())).unwrap();
    for other in ["y,x\n30,3\n", "x,z\n3,30\n", "x\n3\n", "x,y,z\n3,30,0\n"] {
        for (first, second) in [
            (&plain as &dyn Fn(&str, &str), &packed as &dyn Fn(&str, &str)),
            (&packed, &plain),
            (&packed, &packed),
        ] {
            first("a.csv", "x,y\n1,10\n2,20\n");
            second("b.csv.gz", other);
            let error = Frame::read_csv(&pattern).unwrap_err();
            assert!(
                matches!(&error, Error::Columns { path, .. } if path.ends_with("b.csv.gz")),
                "{other:?} {error}"
            );
        }
    }
    packed("b.csv.gz", "\"x\",y\r\n3,30");
    let expected = df!("x" => [1_i64, 2, 3], "y" => [10_i64, 20, 30]).unwrap();
    assert_same(&Frame::read_csv(&pattern).unwrap().compute().unwrap(), &expected, "quoted names");
}

#[test]
fn a_file_without_a_last_line_end_is_not_glued_to_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let pattern = folder.path().join("*.csv*");
    for (first, expected) in [
        ("x,y", df!("x" => [1_i64], "y" => [2_i64])),
        ("x,y\n7,8", df!("x" => [7_i64, 1], "y" => [8_i64, 2])),
    ] {
        for packed in [false, true] {
            let bytes = if packed { gzip(first.as_bytes()) } else { first.into() };
            fs::write(folder.path().join("a.csv"), bytes).unwrap();
            fs::write(folder.path().join("b.csv"), "x,y\n1,2").unwrap();
            let found = Frame::read_csv(&pattern).unwrap().compute().unwrap();
            assert_same(&found, expected.as_ref().unwrap(), first);
        }
    }
}

#[test]
fn files_of_blank_lines_have_no_header_to_compare() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [("a.csv", "\n\r\n"), ("b.csv", "x,y\n1,2\n"), ("c.csv", "\u{feff}"), ("d.csv", "")] {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let found = Frame::read_csv(folder.path()).unwrap().compute().unwrap();
    assert_same(&found, &df!("x" => [1_i64], "y" => [2_i64]).unwrap(), "blank files");
}

#[test]
fn short_records_are_filled_in_blocks_as_in_whole_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    let line = |i: i64| if i % 10 == 0 { "1,\"x\"\n" } else { "1,\"some text\",3\n" };
    fs::write(&path, format!("a,b,c\n{}", (0..40_000).map(line).collect::<String>())).unwrap();
    for block_bytes in [65_536, u64::MAX] {
        let frame = Frame::read_csv(CsvOptions::new(&path).block_bytes(block_bytes)).unwrap();
        let row =
            frame.aggregate([len().alias("rows"), col("c").sum(), col("c").null_count().alias("short")]);
        let expected = df!("rows" => [40_000_i64], "c" => [108_000_i64], "short" => [4000_i64]).unwrap();
        assert_same(&row.unwrap().compute().unwrap(), &expected, &block_bytes.to_string());
    }
}

#[test]
fn a_blank_line_is_a_row_where_it_is_how_a_missing_value_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    let table = df!("x" => [None, Some(1_i64), None, None, Some(2)]).unwrap();
    Frame::from(table.clone()).to_csv(&path).unwrap().compute().unwrap();
    for block_bytes in [1, 2, 3, u64::MAX] {
        let options = || CsvOptions::new(&path).block_bytes(block_bytes);
        let frame = Frame::read_csv(options()).unwrap();
        assert_same(&frame.compute().unwrap(), &table, &block_bytes.to_string());
        assert_eq!(frame.len().compute().unwrap(), 5);
        let frame = Frame::read_csv(options().skip_blank_lines(true)).unwrap();
        assert_same(&frame.compute().unwrap(), &df!("x" => [1_i64, 2]).unwrap(), "skipped");
        assert_eq!(frame.len().compute().unwrap(), 2);
    }
}

#[test]
fn errors_name_file_and_line_in_the_sample_as_beyond_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    let lines = |bad: &[u8]| {
        let mut text = b"id,name\n".to_vec();
        for i in 0..100 {
            text.extend(if i == 50 { bad.to_vec() } else { format!("{i},name {i}\n").into_bytes() });
        }
        text
    };
    let other = folder.path().join("s.csv");
    fs::write(&other, "id,name\n0,first\n").unwrap();
    for (bad, expected) in [
        (b"50,\xFCmlaut\n".as_slice(), "not UTF-8"),
        (b"50,a,b\n", "has 3 fields, expected at most 2"),
        (b"50,\"open\n", "opens quotes that never end"),
        (b"x,no number\n", "line 52"),
    ] {
        for bytes in [lines(bad), gzip(&lines(bad)), zstd::encode_all(&lines(bad)[..], 1).unwrap()] {
            fs::write(&path, bytes).unwrap();
            for infer_rows in [1000, 10] {
                let options = CsvOptions::new(folder.path().join("*.csv")).infer_rows(infer_rows);
                let options = options.dtypes([("id", DataType::Int64)]);
                let text = match Frame::read_csv(options).map(|frame| frame.compute()) {
                    Ok(Err(error)) => format!("{:?}", cause(&error)),
                    Err(error) => format!("{error:?}"),
                    Ok(Ok(table)) => panic!("{table}"),
                };
                assert!(text.contains("t.csv: line 52"), "{text}");
                let is_polars = expected == "not UTF-8" && text.contains("utf-8");
                assert!(text.contains(expected) || is_polars, "{text}");
            }
        }
    }
}

#[test]
fn blank_lines_before_the_first_record_do_not_count_as_columns() {
    let folder = tempfile::tempdir().unwrap();
    let expected = df!("x" => [1_i64, 3], "y" => [2_i64, 4]).unwrap();
    for blank in ["\n", "\r\n\n", "\u{feff}\n", &"\n".repeat(70_000)] {
        for path in forms(folder.path(), "t", &format!("{blank}1,2\n3,4\n")) {
            for infer_rows in [0, 1, 1000] {
                let options = |header| CsvOptions::new(&path).infer_rows(infer_rows).header(header);
                let typed = |options: CsvOptions, names: [&str; 2]| {
                    Frame::read_csv(options.dtypes(names.map(|name| (name, DataType::Int64)))).unwrap()
                };
                let names = Header::Names(vec!["x".into(), "y".into()]);
                let found = typed(options(names), ["x", "y"]).compute().unwrap();
                assert_same(&found, &expected, "names");
                let frame = typed(options(Header::Absent), ["column_1", "column_2"]);
                assert_eq!(frame.compute().unwrap().shape(), (2, 2));
            }
        }
    }
    let path = folder.path().join("blank.csv");
    fs::write(&path, "\n1,2\n").unwrap();
    let kept = CsvOptions::new(&path).header(Header::Absent).skip_blank_lines(false);
    let found = Frame::read_csv(kept).unwrap().compute().unwrap();
    let expected = df!("column_1" => [None, Some(1_i64)], "column_2" => [None, Some(2_i64)]).unwrap();
    assert_same(&found, &expected, "a row that was asked for");
    fs::write(&path, "\n1\n").unwrap();
    let found = Frame::read_csv(CsvOptions::new(&path).header(Header::Absent)).unwrap().compute().unwrap();
    assert_same(&found, &df!("column_1" => [None, Some(1_i64)]).unwrap(), "the only column");
}

#[test]
fn a_flaw_of_the_header_names_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    for (header, expected) in
        [(b"x,\"y\n".as_slice(), LineFlaw::OpenQuote), (b"x,gr\xF6\xDFe\n1,2\n", LineFlaw::NotUtf8)]
    {
        for (blank, line) in [("", 1), ("\n\r\n", 3)] {
            fs::write(&path, [blank.as_bytes(), header].concat()).unwrap();
            let error = Frame::read_csv(&path).unwrap_err();
            assert_eq!(flaw(&error), Some((line, expected)), "{error}");
            assert!(error.to_string().contains("t.csv"), "{error}");
        }
    }
}

#[test]
fn lines_that_end_with_carriage_returns_alone_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for text in ["x,y\r1,2\r3,4\r", "\"x\",\"y\"\r\"1\",\"2\"\r", "x,y\r\"1\",\"2\"\r"] {
        for path in forms(folder.path(), "t", text) {
            let error = Frame::read_csv(&path).unwrap_err();
            let names_line = error.to_string().contains("text.rs");
            assert!(matches!(&error, Error::LineEnds { .. }) && names_line, "{error}");
            let named = CsvOptions::new(&path).header(Header::Absent);
            assert!(matches!(Frame::read_csv(named), Err(Error::LineEnds { .. })));
        }
    }
    for path in forms(folder.path(), "t", "\"x\ry\",\"z\"\r\n1,2\r\n") {
        let found = Frame::read_csv(&path).unwrap().compute().unwrap();
        assert_same(&found, &df!("x\ry" => [1_i64], "z" => [2_i64]).unwrap(), "inside quotes");
    }
}

#[test]
fn a_file_replaced_by_one_of_equal_length_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let (path, other) = (folder.path().join("a.csv"), folder.path().join("b.txt"));
    fs::write(&path, "x\n1\n").unwrap();
    fs::write(&other, "y\n7\n").unwrap();
    let frame = Frame::read_csv(&path).unwrap();
    fs::rename(&other, &path).unwrap();
    let error = frame.compute().unwrap_err();
    assert!(matches!(cause(&error), Error::File(_)), "{error:?}");
    let (parquet, other) = (folder.path().join("a.parquet"), folder.path().join("b.parquet"));
    for (path, value) in [(&parquet, 1), (&other, 7)] {
        Frame::from(df!("x" => [value]).unwrap()).to_parquet(path).unwrap().compute().unwrap();
    }
    let frame = Frame::read_parquet(&parquet).unwrap();
    fs::rename(&other, &parquet).unwrap();
    let error = frame.compute().unwrap_err();
    assert!(matches!(cause(&error), Error::File(_)), "{error:?}");
}

#[cfg(unix)]
#[test]
fn a_link_to_a_folder_above_itself_gives_each_file_once() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.csv"), "x\n1\n").unwrap();
    fs::write(folder.path().join("._a.csv"), "hidden\n").unwrap();
    std::os::unix::fs::symlink(folder.path(), folder.path().join("circle")).unwrap();
    let frame = Frame::read_csv(folder.path().join("**/*.csv")).unwrap();
    assert_same(&frame.compute().unwrap(), &df!("x" => [1_i64]).unwrap(), "once");
}
