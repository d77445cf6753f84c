//! Long chains, small stacks, small memory.

use musher_bag::{Bag, TextOptions};
use musher_scheduler::{Compute, Options};

#[test]
fn a_long_chain_is_built_fused_run_and_dropped_on_a_small_stack() {
    const STEPS: i64 = 20_000;
    let work = || {
        let mut bag = Bag::range(0..8, 2);
        for _ in 0..STEPS {
            bag = bag.map(|x| x + 1);
        }
        bag.sum().compute_with(&Options::sequential()).unwrap()
    };
    let thread = std::thread::Builder::new().stack_size(512 << 10).spawn(work).unwrap();
    assert_eq!(thread.join().unwrap(), 28 + 8 * STEPS);
}

#[test]
fn text_larger_than_the_memory_limit_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("big.txt");
    let line = "the quick brown fox jumps over the lazy dog\n";
    std::fs::write(&path, line.repeat(400_000)).unwrap();
    let words = Bag::read_text(TextOptions::new(&path).block_bytes(4 << 20)).unwrap().words();
    let limit = Options::default().threads(2).memory_limit(2 << 20);
    let counts = words.frequencies().compute_with(&limit).unwrap();
    assert_eq!(counts[0], ("the".to_owned(), 800_000));
    assert_eq!(counts.len(), 8);
    let explained = words.frequencies().explain().unwrap();
    assert_eq!(explained.layers[0].bytes_read, 400_000 * line.len() as u64);
}
