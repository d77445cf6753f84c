//! Steps of a partition become one task, and give what they give one by one.

use musher_frame::polars::prelude::*;
use musher_frame::{CsvOptions, Error, Frame, How};
use musher_graph_core::Collection;
use musher_scheduler::{Compute, Options, compute_with, plan};

use crate::support::{assert_same, cause, layouts, table};

fn steps(frame: &Frame, between: impl Fn(Frame) -> Frame) -> Result<Frame, Error> {
    let frame = between(frame.filter(col("int").gt(lit(-3)))?);
    let frame = between(frame.with_columns([(col("float") * lit(2.0)).alias("double")])?);
    let frame = between(frame.select([col("key"), col("double"), col("int")])?);
    let frame = between(frame.filter(col("int").lt(lit(9)))?);
    let groups = between(frame.group_by([col("key")])?.agg([col("double").sum(), col("int").max()])?);
    let named = between(groups.rename([("int", "max")])?);
    named.filter(col("max").gt(lit(-100)))
}

#[test]
fn fused_steps_give_the_bits_of_separate_ones() {
    for table in [table(80), table(1), table(0)] {
        for (layout, frame) in layouts(&table) {
            let fused = steps(&frame, |frame| frame).unwrap().compute().unwrap();
            // What is persisted is computed step by step.
            let separate = steps(&frame, |frame| frame.persist().unwrap()).unwrap().compute().unwrap();
            assert_same(&fused, &separate, &layout);
        }
    }
}

#[test]
fn a_read_and_its_steps_are_one_task_a_partition() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("t.csv");
    CsvWriter::new(std::fs::File::create(&path).unwrap()).finish(&mut table(80)).unwrap();
    let options = CsvOptions::new(&path).block_bytes(500);
    let frame = Frame::read_csv(options).unwrap();
    assert!(frame.n_partitions() > 2 && frame.n_partitions() <= 8);
    let explained = steps(&frame, |frame| frame).unwrap().explain().unwrap();
    // The table of the text shortens long labels.
    let labels: Vec<&str> = explained.layers.iter().map(|layer| &*layer.label).collect();
    let reads = "read_csv → filter → with_columns → select → filter → group_by";
    assert_eq!(labels, [reads, "combine → group_by → select → select → filter"]);
}

#[test]
fn only_the_columns_that_are_needed_are_parsed() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("t.csv");
    // Column `bad` is no number in the last row, which the sample does not see.
    let mut text = String::from("good,bad,other\n");
    (0..3000).for_each(|i| text.push_str(&format!("{i},{i},x\n")));
    text.push_str("3000,oops,y\n");
    std::fs::write(&path, &text).unwrap();
    let options = CsvOptions::new(&path).block_bytes(4096).infer_rows(100);
    let frame = Frame::read_csv(options).unwrap();
    let sum = frame.filter(col("other").neq(lit("y"))).unwrap().aggregate([col("good").sum()]).unwrap();
    assert_eq!(sum.compute().unwrap(), df!("good" => [(0..3000_i64).sum::<i64>()]).unwrap());
    assert_eq!(frame.len().compute().unwrap(), 3001);
    let error = frame.compute().unwrap_err();
    match cause(&error) {
        Error::Record { line, offset, record, source, .. } => {
            assert_eq!((*line, record.as_str()), (3002, "3000,oops,y"));
            assert_eq!(*offset as usize, text.len() - "3000,oops,y\n".len());
            assert!(source.to_string().contains("`oops` as dtype `i64` at column 'bad'"), "{source}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn steps_after_a_choice_of_partitions_read_the_right_parts() {
    let directory = tempfile::tempdir().unwrap();
    for part in 0..5_i64 {
        let file = std::fs::File::create(directory.path().join(format!("{part}.parquet"))).unwrap();
        ParquetWriter::new(file).finish(&mut df!("part" => [part, part], "x" => [1, 2]).unwrap()).unwrap();
    }
    let frame = Frame::read_parquet(directory.path().to_str().unwrap()).unwrap();
    let chosen = frame.partitions([3, 1]).unwrap().filter(col("x").eq(lit(1))).unwrap();
    let chosen = chosen.select([col("part")]).unwrap();
    assert_eq!(chosen.compute().unwrap(), df!("part" => [3_i64, 1]).unwrap());
    let explained = chosen.explain().unwrap().to_string();
    assert!(explained.contains("read_parquet → filter → select"), "{explained}");
}

#[test]
fn long_chains_of_steps_are_cut_into_several_tasks() {
    let mut frame = Frame::from_polars(df!("x" => [0_i64, 1, 2]).unwrap(), 2).unwrap();
    for _ in 0..200 {
        frame = frame.with_columns([col("x") + lit(1_i64)]).unwrap();
    }
    assert_eq!(frame.compute().unwrap(), df!("x" => [200_i64, 201, 202]).unwrap());
}

#[test]
fn the_plan_says_how_little_is_read() {
    let directory = tempfile::tempdir().unwrap();
    let file = std::fs::File::create(directory.path().join("t.parquet")).unwrap();
    let mut wide = table(5000);
    let bytes = ParquetWriter::new(file).with_row_group_size(Some(1000)).finish(&mut wide).unwrap();
    let frame = Frame::read_parquet(directory.path().to_str().unwrap()).unwrap();
    let reads = |frame: &Frame| frame.explain().unwrap().bytes_read();
    let all = reads(&frame);
    let some = reads(&frame.filter(col("flag")).unwrap().aggregate([col("small").sum()]).unwrap());
    assert!(all > bytes / 2 && all <= bytes, "{all} of {bytes}");
    assert!(some > 0 && some < all / 2, "{some} of {all}");
}

#[test]
fn a_group_by_needs_much_less_memory_than_its_rows() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("t.csv");
    let mut rows =
        df!("key" => (0..200_000_i64).map(|i| i % 3).collect::<Vec<_>>(), "x" => vec![1.5; 200_000]).unwrap();
    CsvWriter::new(std::fs::File::create(&path).unwrap()).finish(&mut rows).unwrap();
    let options = CsvOptions::new(&path).block_bytes(50_000);
    let frame = Frame::read_csv(options).unwrap();
    assert!(frame.n_partitions() > 20);
    let limit = Options::default().threads(2).memory_limit(1_500_000);
    let sums = frame.group_by([col("key")]).unwrap().agg([col("x").sum()]).unwrap();
    assert_same(&sums.compute_with(&limit).unwrap(), &sums.compute().unwrap(), "limited");
    let error = frame.compute_with(&Options::default().memory_limit(500_000)).unwrap_err();
    assert!(matches!(error, musher_scheduler::Error::MemoryLimit { .. }), "{error:?}");
}

#[test]
fn what_is_computed_of_the_same_rows_reads_them_once() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("t.csv");
    CsvWriter::new(std::fs::File::create(&path).unwrap()).finish(&mut table(80)).unwrap();
    let options = CsvOptions::new(&path).block_bytes(500);
    let frame = Frame::read_csv(options).unwrap();
    let joined = Frame::from(df!("name" => ["a", "b"], "rank" => [1, 2]).unwrap());
    let kept = frame.filter(col("int").gt(lit(-4))).unwrap();
    let a = kept.aggregate([col("float").std(1), len()]).unwrap();
    let b = kept.group_by([col("key")]).unwrap().agg([col("small").sum()]).unwrap();
    let c = kept.select([col("key"), col("text")]).unwrap();
    let d = kept.join(&joined, [col("key")], [col("name")], How::Left).unwrap();
    let apart = [&a, &b, &c, &d].map(|frame| frame.compute().unwrap());
    for options in crate::support::options() {
        let together = compute_with((&a, &b, &c, &d), &options).unwrap();
        let together = [together.0, together.1, together.2, together.3];
        for (together, apart) in together.iter().zip(&apart) {
            assert_same(together, apart, &format!("{options:?}"));
        }
    }
    let explained = plan(&[a.request(), b.request(), c.request()]).unwrap().explain();
    assert_eq!(explained.layers.len(), 3, "{explained}");
    assert_eq!(explained.bytes_read(), frame.explain().unwrap().bytes_read(), "{explained}");
    assert!(
        explained.layers[0].label.contains("read_csv → filter → (aggregate | group_by | select)"),
        "{explained}"
    );
}
