//! Readers: the same rows for every size of block, and errors with file and place.

use std::fs;
use std::io::Write;
use std::path::Path;

use musher_frame::polars::prelude::*;
use musher_frame::{CsvOptions, Error, Frame, Header, ParquetOptions};
use musher_scheduler::files::{Change, FilesError};
use musher_scheduler::{Compute, Options};

use crate::support::{assert_same, cause, table};

fn csv(path: &Path, block_bytes: u64) -> Frame {
    Frame::read_csv(CsvOptions::new(path).block_bytes(block_bytes)).unwrap()
}

fn eager(path: &Path) -> DataFrame {
    let options = CsvReadOptions::default().with_infer_schema_length(None);
    options.try_into_reader_with_file_path(Some(path.into())).unwrap().finish().unwrap()
}

#[test]
fn every_size_of_block_gives_the_same_rows() {
    let texts = [
        "a,b,c\n1,x,1.5\n2,y,2.5\n3,z,\n4,,3.5\n",
        "a,b,c\n1,\"two\nlines\",1.5\n2,\"a, \"\"quoted\"\" word\",2.5\r\n3,\"\n\n\n\",\n4,plain,3.5",
        "a,b,c\r\n1,x,1.5\r\n2,y,2.5\r\n",
        "\u{feff}\n\na,b,c\n1,x,1.5\n2,y,2.5\n",
        "a,b,c\n",
        "a,b,c\n1,\"\u{e4}\u{20ac}\",2\n",
        "a\n1\n2\n3\n",
        "a,b\n\"x\",\"1,2,3\"\n\"y\",\"4\n5,6\"\n",
    ];
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("t.csv");
    for text in texts {
        fs::write(&path, text).unwrap();
        let expected = eager(&path);
        for block_bytes in (1..=text.len() as u64 + 1).chain([u64::MAX]) {
            let frame = csv(&path, block_bytes);
            let found = frame.compute_with(&Options::sequential()).unwrap_or_else(|error| {
                panic!("{text:?} in blocks of {block_bytes}: {error}: {:?}", cause(&error))
            });
            assert_same(&found, &expected, &format!("{text:?} in blocks of {block_bytes}"));
        }
    }
}

#[test]
fn a_large_file_with_quoted_line_ends_is_read_in_blocks_by_threads() {
    let mut rows = Vec::new();
    for i in 0..20_000_i64 {
        let text = match i % 7 {
            0 => format!("line one of {i}\nline, two\n"),
            1 => format!("he said \"{i}\""),
            _ => format!("plain {i}"),
        };
        rows.push((i, text));
    }
    let (numbers, texts): (Vec<i64>, Vec<String>) = rows.into_iter().unzip();
    let mut expected = df!("number" => numbers, "text" => texts).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("t.csv");
    CsvWriter::new(fs::File::create(&path).unwrap()).finish(&mut expected).unwrap();
    for block_bytes in [1000, 4099, 65_536, 200_001] {
        let frame = csv(&path, block_bytes);
        assert!(frame.n_partitions() > 2);
        assert_same(&frame.compute().unwrap(), &expected, &block_bytes.to_string());
        assert_eq!(frame.len().compute().unwrap(), 20_000);
        assert_same(&frame.head(3).compute().unwrap(), &expected.head(Some(3)), "head");
        assert_same(&frame.tail(3).compute().unwrap(), &expected.tail(Some(3)), "tail");
    }
}

#[test]
fn lines_inside_a_long_quoted_field_are_no_rows() {
    // Whether the field ends with the file, or other records come before and behind; in blocks that read it alone, too.
    let lines = |n: i64| (0..n).map(|i| format!("{i},{i}\n")).collect::<String>();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("t.csv");
    let text_csv = |block_bytes| {
        let options = CsvOptions::new(&path).block_bytes(block_bytes);
        Frame::read_csv(options.dtypes([("b", DataType::String)])).unwrap()
    };
    const SMALL: u64 = 64 << 10;
    for (before, within, behind, block_bytes) in [
        (0, 25_000, 0, SMALL),
        (9, 25_000, 9, SMALL),
        (9000, 20_000, 50_000, SMALL),
        (9000, 20_000, 50_000, 500_000),
        (0, 200_000, 1, 500_000),
    ] {
        let text = format!("a,b\n{}1,\"begin\n{}end\"\n{}", lines(before), lines(within), lines(behind));
        fs::write(&path, &text).unwrap();
        let expected = eager(&path);
        let case = format!("{before} {within} {behind} {block_bytes}");
        let frame = text_csv(block_bytes);
        assert!(frame.n_partitions() > 1, "{case}");
        // Each reads the file anew: none knows what another has found out.
        let tail = text_csv(block_bytes).tail(5).compute().unwrap();
        assert_same(&tail, &expected.tail(Some(5)), &case);
        let n_rows = (0..frame.n_partitions()).map(|number| {
            let alone = text_csv(block_bytes).partitions([number]).unwrap();
            alone.len().compute().unwrap()
        });
        assert_eq!(n_rows.sum::<u64>(), expected.height() as u64, "{case}");
        assert_same(&frame.compute().unwrap(), &expected, &case);
    }
}

#[test]
fn a_boundary_that_is_told_wrongly_is_an_error_and_never_wrong_rows() {
    // Text behind the end of quotes makes the inside of the next field look like the outside.
    let filler = "x\n".repeat(40_000);
    let text = format!("a,b\n1,\"{filler}\"odd\n2,x\n");
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("t.csv");
    fs::write(&path, &text).unwrap();
    let frame = csv(&path, 50_000);
    assert_eq!(frame.n_partitions(), 2);
    // Whichever block fails first: the one that runs beyond its end, or the one with the field's end in it.
    let error = frame.compute().unwrap_err();
    assert!(matches!(cause(&error), Error::Boundary { .. } | Error::Line { .. }), "{error:?}");
    let error = frame.partitions([0]).unwrap().compute().unwrap_err();
    assert!(matches!(cause(&error), Error::Boundary { offset: 50_004, .. }), "{error:?}");
    assert_eq!(csv(&path, u64::MAX).len().compute().unwrap(), 2);
}

#[test]
fn names_lose_the_quotes_that_stand_for_others() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("t.csv");
    fs::write(&path, "\u{feff}\"a,1\",\"5\"\"\",b\"c,\"d\"\"\"\"e\"\n1,2,3,4\n").unwrap();
    // What Python's `csv` reads.
    let names = ["a,1", "5\"", "b\"c", "d\"\"e"];
    let frame = Frame::read_csv(CsvOptions::new(&path).dtypes([("5\"", DataType::Float64)])).unwrap();
    assert_eq!(frame.columns(), names);
    assert_eq!(frame.schema().get("5\""), Some(&DataType::Float64));
    let folder = directory.path().join("out");
    frame.to_csv(&folder).unwrap().compute().unwrap();
    assert_eq!(Frame::read_csv(folder.join("*.csv")).unwrap().columns(), names);
}

#[test]
fn options_say_how_text_is_read() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("t.txt");
    fs::write(&path, "01;NA;2013-01-02\n02;5;2013-02-03\n").unwrap();
    let options = || {
        let names = ["code", "n", "day"].map(str::to_owned).to_vec();
        let options = CsvOptions::new(&path).separator(b';').header(Header::Names(names));
        options.null_values(["NA"]).dtypes([("code", DataType::String)]).parse_dates(true)
    };
    let frame = Frame::read_csv(options()).unwrap();
    let types: Vec<_> = frame.schema().iter_values().cloned().collect();
    assert_eq!(types, [DataType::String, DataType::Int64, DataType::Date]);
    let found = frame.select([col("code"), col("n"), col("day").dt().month()]).unwrap().compute().unwrap();
    let expected = df!("code" => ["01", "02"], "n" => [None, Some(5_i64)], "day" => [1_i8, 2]).unwrap();
    assert_same(&found, &expected, "named");

    let absent = options().header(Header::Absent).dtypes([("column_2", DataType::Float64)]);
    let absent = Frame::read_csv(absent).unwrap();
    assert_eq!(absent.columns(), ["column_1", "column_2", "column_3"]);
    assert_eq!(absent.schema().get("column_2"), Some(&DataType::Float64));

    let wrong = options().dtypes([("nope", DataType::String)]);
    assert!(matches!(Frame::read_csv(wrong), Err(Error::NoColumn { .. })));
    let few = options().header(Header::Names(vec!["one".into()]));
    assert!(matches!(Frame::read_csv(few), Err(Error::Columns { .. })));

    fs::write(&path, "a,b\n1,it's 5\" wide\n2,\"\n").unwrap();
    let unquoted = CsvOptions::new(&path).quote(None).block_bytes(5);
    let found = Frame::read_csv(unquoted).unwrap().compute().unwrap();
    assert_same(&found, &df!("a" => [1_i64, 2], "b" => ["it's 5\" wide", "\""]).unwrap(), "unquoted");
}

#[test]
fn files_come_in_natural_order_and_must_have_the_same_columns() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(directory.path().join(name), text).unwrap();
    for i in [10, 9, 100, 1] {
        write(&format!("part-{i}.csv"), &format!("x,y\n{i},a\n"));
    }
    write("part-50.csv", "");
    write("other.csv", "x,z\n0,b\n");
    let pattern = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let frame = Frame::read_csv(pattern("part-*.csv")).unwrap();
    let expected = df!("x" => [1_i64, 9, 10, 100], "y" => ["a"; 4]).unwrap();
    assert_same(&frame.compute().unwrap(), &expected, "natural");
    let error = Frame::read_csv(directory.path()).unwrap_err();
    assert!(matches!(&error, Error::Columns { path, .. } if path.ends_with("part-1.csv")), "{error}");
    // A later file may hold what the first one does not: types come from both.
    write("part-2.csv", "x,y\n0.5,a\n");
    let frame = Frame::read_csv(pattern("part-*.csv")).unwrap();
    assert_eq!(frame.schema().get("x"), Some(&DataType::Float64));
}

#[test]
fn compressed_text_is_read_whole() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("t.csv.gz");
    // gzip of "a,b\n1,x\n2,y\n", stored without compression.
    let text = b"a,b\n1,x\n2,y\n";
    let mut bytes = vec![0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255, 1];
    bytes.extend((text.len() as u16).to_le_bytes());
    bytes.extend((!(text.len() as u16)).to_le_bytes());
    bytes.extend(text);
    let crc = text.iter().fold(!0_u32, |crc, &byte| {
        (0..8).fold(
            crc ^ u32::from(byte),
            |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 },
        )
    });
    bytes.extend((!crc).to_le_bytes());
    bytes.extend((text.len() as u32).to_le_bytes());
    fs::File::create(&path).unwrap().write_all(&bytes).unwrap();
    let frame = csv(&path, 4);
    assert_eq!(frame.n_partitions(), 1);
    assert_same(&frame.compute().unwrap(), &df!("a" => [1_i64, 2], "b" => ["x", "y"]).unwrap(), "gzip");
}

#[test]
fn a_file_that_has_changed_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("t.csv");
    fs::write(&path, "x\n1\n2\n").unwrap();
    let frame = csv(&path, u64::MAX);
    fs::write(&path, "x\n1\n").unwrap();
    let error = frame.compute().unwrap_err();
    let change = Change::Length { then: 6, now: 4 };
    assert!(
        matches!(cause(&error), Error::File(FilesError::Changed { change: found, .. }) if *found == change),
        "{error:?}"
    );
    fs::remove_file(&path).unwrap();
    let error = frame.compute().unwrap_err();
    let musher_scheduler::Error::Check { problems } = &error else { panic!("{error}") };
    let text = problems[0].to_string();
    assert!(text.contains("t.csv, which is not there") && text.contains("read.rs"), "{text}");
}

fn parquet(path: &Path, table: &DataFrame, rows_a_group: usize) {
    let file = fs::File::create(path).unwrap();
    let writer = ParquetWriter::new(file).with_row_group_size(Some(rows_a_group));
    writer.finish(&mut table.clone()).unwrap();
}

#[test]
fn row_groups_form_partitions() {
    let directory = tempfile::tempdir().unwrap();
    let table = table(100);
    parquet(&directory.path().join("b-2.parquet"), &table.slice(60, 40), 7);
    parquet(&directory.path().join("b-1.parquet"), &table.slice(0, 60), 25);
    parquet(&directory.path().join("b-10.parquet"), &table.head(Some(0)), 7);
    let pattern = directory.path().join("*.parquet");
    let mut counts = Vec::new();
    for partition_bytes in [1, 700, 2000, u64::MAX] {
        let frame =
            Frame::read_parquet(ParquetOptions::new(&pattern).partition_bytes(partition_bytes)).unwrap();
        counts.push(frame.n_partitions());
        assert_eq!(frame.lengths().unwrap().iter().sum::<usize>(), 100);
        assert_same(&frame.compute().unwrap(), &table, "all");
        let some = frame.filter(col("int").gt(lit(3))).unwrap().select([col("text"), col("int")]).unwrap();
        let expected = table.clone().lazy().filter(col("int").gt(lit(3))).select([col("text"), col("int")]);
        assert_same(&some.compute().unwrap(), &expected.collect().unwrap(), "projected");
        assert_same(&frame.head(65).compute().unwrap(), &table.head(Some(65)), "head");
        let few = frame.filter(col("int").gt(lit(3))).unwrap().tail(9);
        let expected = table.clone().lazy().filter(col("int").gt(lit(3))).tail(9).collect().unwrap();
        assert_same(&few.compute().unwrap(), &expected, "tail");
        assert_eq!(frame.filter(lit(true)).unwrap().len().compute().unwrap(), 100);
    }
    assert!(counts.is_sorted_by(|a, b| a >= b) && counts[0] > counts[3], "{counts:?}");
    assert_eq!(counts[3], 3, "a partition never spans files");
}

#[test]
fn broken_parquet_is_an_error_with_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.parquet");
    parquet(&path, &table(50), 20);
    let good = fs::read(&path).unwrap();
    let pattern = path.to_str().unwrap();
    for at in (0..good.len()).step_by(13).chain([good.len() - 5, good.len() - 8]) {
        let mut bad = good.clone();
        bad[at] ^= 0xA5;
        fs::write(&path, &bad).unwrap();
        // Any answer will do but a panic; where there is an error it names the file.
        if let Err(error) = Frame::read_parquet(pattern).map(|frame| frame.compute()) {
            assert!(error.to_string().contains("a.parquet"), "{error}");
        }
    }
    fs::write(&path, "not parquet at all").unwrap();
    let error = Frame::read_parquet(pattern).unwrap_err();
    assert!(error.to_string().contains("a.parquet"), "{error}");
    parquet(&path, &table(5), 20);
    parquet(&directory.path().join("b.parquet"), &df!("x" => [1]).unwrap(), 20);
    let error = Frame::read_parquet(directory.path()).unwrap_err();
    assert!(matches!(&error, Error::Schemas { place, .. } if place.ends_with("b.parquet")), "{error}");
}
