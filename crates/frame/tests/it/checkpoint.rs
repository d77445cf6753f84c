//! Frames on the disk: what was made in one run is not made again in the next, not even to learn how to read it.

use std::sync::Arc;

use musher_frame::polars::prelude::*;
use musher_frame::{Frame, Order};
use musher_scheduler::{Checkpoint, Compute, Options};

use musher_testkit::{Told, check_codec};

use crate::support::{layouts, table};

#[test]
fn a_finished_checkpoint_makes_no_partition_again() {
    let folder = tempfile::tempdir().unwrap();
    let frame = Frame::from_polars(table(100), 4).unwrap().filter(col("int").gt(lit(0))).unwrap();
    let checkpoint = Checkpoint::new(folder.path().join("positive")).version("1");
    let expected = frame.compute().unwrap();
    for (n_reused, n_computed) in [(0, 4), (4, 0)] {
        let saved = checkpoint.save(&frame).unwrap();
        assert_eq!((saved.n_reused, saved.n_computed), (n_reused, n_computed));
        assert!(saved.collection.compute().unwrap().equals_missing(&expected));
    }
}

/// Every kind of task that frames are made of.
#[test]
fn plans_tell_the_codecs_of_partitions_and_these_refuse_damaged_bytes() {
    let told = Arc::new(Told::default());
    let options = Options::sequential().observe(told.clone());
    for (layout, frame) in layouts(&table(40)) {
        let small =
            frame.filter(col("int").gt(lit(0))).unwrap().with_columns([col("small").alias("b")]).unwrap();
        let frames = [
            small.shuffle([col("key")], 3).unwrap(),
            small.sort([col("int")], Order::Ascending).unwrap(),
            small.shift(2).unwrap(),
            small.cum_sum(["int"]).unwrap(),
            small.group_by([col("key")]).unwrap().agg([col("int").sum()]).unwrap(),
            small.head(5),
        ];
        for frame in frames {
            frame.compute_with(&options).unwrap();
        }
        small.len().compute_with(&options).unwrap();
        assert!(told.broken().is_empty(), "{layout}: {:?}", told.broken());
    }
    let chunks = told.chunks();
    assert!(chunks.contains_key("frame.partition/2"), "{:?}", chunks.keys());
    for chunk in chunks.values() {
        check_codec(
            &**chunk,
            |_| true,
            |work| {
                work();
                0
            },
        );
    }
}
