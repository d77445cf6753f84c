//! Frames on the disk: what was made in one run is not made again in the next, not even to learn how to read it.

use musher_frame::Frame;
use musher_frame::polars::prelude::*;
use musher_scheduler::{Checkpoint, Compute};

use crate::support::table;

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
