//! musher as one more peer of the comparison scripts: `peer <workload> <size>` prints one line of JSON.
//!
//! The line holds `seconds` and `cpu` of each repetition (their number is in `BENCH_REPS`), a `checksum` to compare
//! with the other peers, and `peak_rss_mb`, the resident memory's high-water mark over the timed part.

mod array;
mod image;
#[path = "../measure/mod.rs"]
mod measure;
mod overhead;
mod rechunk;
mod report;
#[path = "../shapes/mod.rs"]
mod shapes;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let [workload, size] = words.as_slice() else {
        // `cargo bench` without a filter calls every bench target: this one has nothing to say then.
        return;
    };
    match workload.split_once('.') {
        Some(("S1", shape)) => overhead::run(shape, size),
        Some(("A1", operation)) => array::random(operation, size),
        Some(("A2", operation)) => array::elementwise(operation, size),
        Some(("A3", operation)) => array::reduction(operation, size),
        Some(("A4", operation)) => array::product(operation, size),
        Some(("A5", operation)) => rechunk::run(operation, size),
        Some(("A6", "stencil")) => array::stencil(size),
        Some(("A9", operation)) => array::overhead(operation, size),
        Some(("I1", kind)) => image::run(kind, size),
        _ => {
            eprintln!("peer: musher has no workload {workload}");
            std::process::exit(2);
        }
    }
}
